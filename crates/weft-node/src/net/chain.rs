//! The ledger's side of the local chain: blocks, the transactions in them, and where the transactions' data are.
//!
//! | table | key | value |
//! |---|---|---|
//! | `items` | `block/{height}` | the header's JSON |
//! | `items` | `height/{hash}` | the height of that block |
//! | `items` | `carrier/{id}` | a [`CarrierRow`] |
//! | `items` | `weave/{last byte}` | the transaction whose data end there |
//! | `settings` | `tip` | a [`Tip`] |
//!
//! A bundle is not stored: its bytes are those of its items.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use weft_codec::block::{Block, TransactionTree, TxLeaf};
use weft_codec::item::DataItem;
use weft_codec::merkle::{self, Split, Tree};
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Error, Id, Result, bundle};

use super::blocks::BlockRow;
use super::ledger::{IndexRow, Ledger, corrupt, encode, padded};
use crate::seams::{Batch, Store, Table};

/// Where the chain ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// The first height.
    pub genesis: u64,
    /// The newest block.
    pub block: BlockRow,
    /// The first row of the index that mining has not looked at.
    pub next_row: u64,
}

/// A transaction of the chain, and the items in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CarrierRow {
    /// As `GET /tx/{id}` prints it.
    pub header: Value,
    /// The items of its bundle, in order, by the ids that they are kept under.
    pub items: Vec<Id>,
    /// The block it is in.
    pub height: u64,
    /// The last byte of its data, as gateways count: from 1, from the beginning of the weave.
    pub offset: u64,
    /// Bytes of data.
    pub size: u64,
}

/// A chunk as `GET /chunk/{offset}` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeaveChunk {
    /// Its bytes.
    pub chunk: Vec<u8>,
    /// From the data root to the chunk.
    pub data_path: Vec<u8>,
    /// From the block's root to the data root.
    pub tx_path: Vec<u8>,
}

/// A block with one transaction at most, on its way into the store.
#[derive(Debug)]
pub struct Mined<'a> {
    /// The block.
    pub block: &'a Block,
    /// The transaction, and the rows of the items in it.
    pub carrier: Option<(&'a Transaction, &'a [IndexRow])>,
    /// The first height of the chain.
    pub genesis: u64,
    /// The first row of the index that mining has not looked at after this.
    pub next_row: u64,
}

impl<S: Store> Ledger<S> {
    /// Where the chain ends; `None` before its genesis.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tip(&self) -> Result<Option<Tip>> {
        self.read(Table::Settings, "tip").await
    }

    /// The block at a height.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn block(&self, height: u64) -> Result<Option<Block>> {
        let key = format!("block/{}", padded(height));
        let json: Option<Value> = self.read(Table::Items, &key).await?;
        let read = |json: Value| {
            Block::from_value(&json).map_err(|cause| corrupt(Table::Items, &key).because(cause))
        };
        json.map(read).transpose()
    }

    /// The height of the block with this hash.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn height_of(&self, hash: &str) -> Result<Option<u64>> {
        self.read(Table::Items, &format!("height/{hash}")).await
    }

    /// A transaction.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn carrier(&self, id: Id) -> Result<Option<CarrierRow>> {
        self.read(Table::Items, &format!("carrier/{id}")).await
    }

    /// The bundle of a transaction.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn bundle(&self, carrier: &CarrierRow) -> Result<Vec<u8>> {
        let mut items: Vec<DataItem> = Vec::with_capacity(carrier.items.len());
        for id in &carrier.items {
            items.push(self.item(*id).await?.ok_or_else(|| corrupt(Table::Items, &format!("item/{id}")))?);
        }
        Ok(bundle::encode(&items))
    }

    /// The chunk with a byte of the weave, counted from 1; `None` where there are no data.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn chunk(&self, offset: u64) -> Result<Option<WeaveChunk>> {
        let (from, to) = (format!("weave/{}", padded(offset)), "weave0");
        let found = self.store().scan(Table::Items, &from, to, 1).await?;
        let Some((key, id)) = found.first() else { return Ok(None) };
        let gone = || corrupt(Table::Items, key);
        let id: Id = serde_json::from_slice(id).map_err(|_| gone())?;
        let carrier = self.carrier(id).await?.ok_or_else(gone)?;
        let before = carrier.offset.saturating_sub(carrier.size);
        let Some(at) = offset.checked_sub(before + 1) else { return Ok(None) };
        let header = Transaction::from_json(carrier.header.to_string().as_bytes())?;
        let tree = TransactionTree::new(&[TxLeaf::of(&header)], carrier.height).ok_or_else(gone)?;
        let data = self.bundle(&carrier).await?;
        let leaves = merkle::leaves(&data, Split::ArweaveJs);
        let number = leaves.iter().position(|leaf| at < leaf.end).ok_or_else(gone)?;
        let start = number.checked_sub(1).and_then(|before| leaves.get(before)).map_or(0, |leaf| leaf.end);
        let end = leaves.get(number).map_or(start, |leaf| leaf.end);
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let chunk = range.and_then(|(start, end)| data.get(start..end)).ok_or_else(gone)?.to_vec();
        let data_path = Tree::new(leaves).and_then(|tree| tree.path(number)).ok_or_else(gone)?;
        Ok(Some(WeaveChunk { chunk, data_path, tx_path: tree.path(id).ok_or_else(gone)? }))
    }

    /// Adds a block to a batch: its header, its transaction, and what the index says of the items in it.
    ///
    /// # Errors
    /// Those of the store; `too-large` for a bundle that leaves the weave.
    pub async fn put_block(&self, batch: &mut Batch, mined: &Mined<'_>) -> Result<Tip> {
        let Mined { block, carrier, genesis, next_row } = mined;
        let row = BlockRow::from(*block);
        batch.put(Table::Items, format!("block/{}", padded(block.height)), encode(&block.to_json())?);
        batch.put(Table::Items, format!("height/{}", block.indep_hash), encode(&block.height)?);
        let mut next_row = *next_row;
        if let Some((transaction, rows)) = carrier {
            let offset = block
                .start()
                .checked_add(transaction.data_size)
                .ok_or_else(|| Error::new(Code::TooLarge, "The weave has no place for the transaction."))?;
            for one in *rows {
                let one =
                    IndexRow { block: Some(row.clone()), bundled_in: Some(transaction.id), ..one.clone() };
                batch.put(Table::Items, format!("index/{}", padded(one.number)), encode(&one)?);
            }
            let stored = CarrierRow {
                header: transaction.to_json(),
                items: rows.iter().map(|row| row.id).collect(),
                height: block.height,
                offset,
                size: transaction.data_size,
            };
            batch.put(Table::Items, format!("carrier/{}", transaction.id), encode(&stored)?);
            batch.put(Table::Items, format!("weave/{}", padded(offset)), encode(&transaction.id)?);
            let number = self.next_number().await?;
            let indexed = IndexRow::of_transaction(transaction, number, &row);
            batch.put(Table::Items, format!("number/{}", transaction.id), encode(&number)?);
            batch.put(Table::Items, format!("index/{}", padded(number)), encode(&indexed)?);
            batch.put(Table::Settings, "next", encode(&(number + 1))?);
            if next_row == number {
                next_row += 1;
            }
        }
        let tip = Tip { genesis: *genesis, block: row, next_row };
        batch.put(Table::Settings, "tip", encode(&tip)?);
        Ok(tip)
    }
}
