//! Mining, which is signing here: what was uploaded goes into one bundle, the bundle into one transaction, the transaction
//! into the next block.
//!
//! Nobody mines while nobody looks: a request to the gateway makes the next block if something waits and two minutes are
//! over since the last, or if much waits. `GET /gateway/mine` makes one at once.

use weft_codec::Result;
use weft_codec::block::Block;
use weft_codec::item::DataItem;

use super::blocks::{self, BLOCK_MS};
use super::chain::{Mined, Tip};
use super::ledger::{IndexRow, corrupt, padded};
use super::local::LocalNet;
use crate::seams::{Batch, Clock, Signer, Store, Table};

/// The most items of one block, and so many that a block does not wait.
const MAX_ITEMS: u64 = 500;
/// The most bytes of items in one block, but for one item that is larger.
const MAX_BYTES: usize = 8 << 20;

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    /// Mines if a block is due. It takes its turn with who writes.
    pub(super) async fn tick(&self) -> Result<()> {
        if self.is_due().await? {
            let _turn = self.turn.lock().await;
            if self.is_due().await? {
                self.mine_in_turn().await?;
            }
        }
        Ok(())
    }

    async fn is_due(&self) -> Result<bool> {
        let ledger = self.reader.ledger();
        let Some(tip) = ledger.tip().await? else { return Ok(true) };
        let waiting = ledger.next_number().await?.saturating_sub(tip.next_row);
        let since = self.reader.clock().now_ms().saturating_sub(tip.block.timestamp.saturating_mul(1000));
        Ok(waiting >= MAX_ITEMS || (waiting > 0 && since >= BLOCK_MS))
    }

    /// Mines one block now, with or without something in it, and tells where the chain ends then.
    ///
    /// # Errors
    /// Those of the store and of the signer.
    pub async fn mine(&self) -> Result<Tip> {
        let _turn = self.turn.lock().await;
        self.mine_in_turn().await
    }

    /// Where the chain ends; its genesis is made if there is none. Only in a turn.
    pub(super) async fn tip_in_turn(&self) -> Result<Tip> {
        let ledger = self.reader.ledger();
        if let Some(tip) = ledger.tip().await? {
            return Ok(tip);
        }
        let block = blocks::genesis(&self.signer, self.reader.clock().now_ms()).await?;
        self.commit(&Mined { block: &block, carrier: None, genesis: block.height, next_row: 0 }).await
    }

    pub(super) async fn mine_in_turn(&self) -> Result<Tip> {
        let tip = self.tip_in_turn().await?;
        let ledger = self.reader.ledger();
        let parent = ledger.block(tip.block.height).await?;
        let parent: Block =
            parent.ok_or_else(|| corrupt(Table::Items, &format!("block/{}", padded(tip.block.height))))?;
        let (rows, items, next_row) = self.waiting(tip.next_row).await?;
        let now = self.reader.clock().now_ms();
        if items.is_empty() {
            let block = blocks::next(&self.signer, &parent, &[], now).await?;
            return self
                .commit(&Mined { block: &block, carrier: None, genesis: tip.genesis, next_row })
                .await;
        }
        let (transaction, _) = blocks::carrier(&self.signer, parent.indep_hash, &items).await?;
        let block = blocks::next(&self.signer, &parent, std::slice::from_ref(&transaction), now).await?;
        let carrier = Some((&transaction, rows.as_slice()));
        self.commit(&Mined { block: &block, carrier, genesis: tip.genesis, next_row }).await
    }

    /// The items that go into the next block, and the row behind them. Transactions are in the index too, and in a block
    /// already.
    async fn waiting(&self, from: u64) -> Result<(Vec<IndexRow>, Vec<DataItem>, u64)> {
        let ledger = self.reader.ledger();
        let (mut rows, mut items, mut bytes, mut next) = (Vec::new(), Vec::new(), 0_usize, from);
        for row in ledger.rows(from, from.saturating_add(MAX_ITEMS)).await? {
            if row.block.is_none() {
                let gone = || corrupt(Table::Items, &format!("item/{}", row.id));
                let item = ledger.item(row.id).await?.ok_or_else(gone)?;
                bytes = bytes.saturating_add(item.to_bytes().len());
                if bytes > MAX_BYTES && !items.is_empty() {
                    break;
                }
                items.push(item);
                rows.push(row.clone());
            }
            next = row.number.saturating_add(1);
        }
        Ok((rows, items, next))
    }

    async fn commit(&self, mined: &Mined<'_>) -> Result<Tip> {
        let ledger = self.reader.ledger();
        let mut batch = Batch::default();
        let tip = ledger.put_block(&mut batch, mined).await?;
        ledger.commit(batch).await?;
        Ok(tip)
    }
}
