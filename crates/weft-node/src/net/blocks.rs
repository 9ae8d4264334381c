//! The local network's blocks: a chain of its own, from a genesis of its own, in the form of Arweave's newest fork.
//!
//! A block is a header that links to the one before and that this node's key signed. No work is done for it: neither
//! RandomX nor the VDF. So who is shown this chain must know that it is a local one; nothing else tells it from a real one
//! with little work.

use serde::{Deserialize, Serialize};
use weft_codec::block::{
    Block, BlockHash, Fork, Mining, Number, Packing, Poa, Pricing, Recalled, TransactionTree, TxLeaf, Vdf,
};
use weft_codec::item::DataItem;
use weft_codec::transaction::{TagBytes, Transaction};
use weft_codec::{Code, Error, Id, Result, bundle, merkle};

use crate::seams::Signer;

/// The time between Arweave's blocks, in milliseconds.
pub const BLOCK_MS: u64 = 120_000;

/// The height that a block of this moment has, in milliseconds since 1970, if there had always been one every two minutes;
/// at least that of fork 2.9. A genesis of our time is therefore above the height from which the legacy compute unit checks
/// hash chains (1 440 000: ao-messages.md §4).
#[must_use]
pub fn height_at(ms: u64) -> u64 {
    (ms / BLOCK_MS).max(Fork::HEIGHT_2_9)
}

/// A block as GraphQL shows it; its timestamp is in **seconds** (arweave.md §8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRow {
    /// The `indep_hash`.
    pub id: BlockHash,
    /// When it was mined.
    pub timestamp: u64,
    /// The height.
    pub height: u64,
    /// The block before, base64url.
    pub previous: String,
}

impl From<&Block> for BlockRow {
    fn from(block: &Block) -> Self {
        Self {
            id: block.indep_hash,
            timestamp: block.timestamp,
            height: block.height,
            previous: weft_codec::base64url::encode(&block.previous_block),
        }
    }
}

/// The first block of a chain that begins now. Errors: those of the signer.
pub async fn genesis<G: Signer>(signer: &G, now_ms: u64) -> Result<Block> {
    let nothing = Poa { option: 1, ..Poa::default() };
    let zero = || Number::from(0);
    let block = Block {
        height: height_at(now_ms),
        timestamp: now_ms / 1000,
        last_retarget: now_ms / 1000,
        diff: Number::from(1),
        cumulative_diff: zero(),
        nonce: vec![0],
        previous_block: vec![0; 48],
        hash: vec![0; 32],
        indep_hash: BlockHash([0; 48]),
        txs: Vec::new(),
        tx_root: None,
        wallet_list: vec![0; 48],
        hash_list_merkle: vec![0; 48],
        reward_addr: None,
        tags: Vec::new(),
        reward_pool: zero(),
        weave_size: 0,
        block_size: 0,
        poa: Some(nothing.clone()),
        pricing: Some(Pricing {
            usd_to_ar_rate: [Number::from(1), Number::from(1)],
            scheduled_usd_to_ar_rate: [Number::from(1), Number::from(1)],
            packing_2_5_threshold: zero(),
            strict_data_split_threshold: zero(),
        }),
        mining: Some(Box::new(unworked(nothing))),
    };
    signed(signer, block).await
}

/// What a miner would have worked for, empty.
fn unworked(nothing: Poa) -> Mining {
    let zero = || Number::from(0);
    Mining {
        hash_preimage: Vec::new(),
        recall_byte: zero(),
        recall_byte2: None,
        reward: zero(),
        previous_solution_hash: vec![0; 32],
        partition_number: 0,
        vdf: Vdf {
            output: [0; 32],
            global_step_number: 0,
            seed: [0; 48],
            next_seed: [0; 48],
            zone_upper_bound: 0,
            next_zone_upper_bound: 0,
            prev_output: Vec::new(),
            last_step_checkpoints: Vec::new(),
            steps: Vec::new(),
        },
        poa2: Some(nothing),
        signature: Vec::new(),
        reward_key: Vec::new(),
        price_per_gib_minute: zero(),
        scheduled_price_per_gib_minute: zero(),
        reward_history_hash: [0; 32],
        debt_supply: zero(),
        kryder_plus_rate_multiplier: 1,
        kryder_plus_rate_multiplier_latch: 0,
        denomination: 1,
        redenomination_height: 0,
        double_signing_proof: None,
        previous_cumulative_diff: zero(),
        recalled: Some(Recalled {
            merkle_rebase_support_threshold: zero(),
            chunk_hash: [0; 32],
            chunk2_hash: None,
            block_time_history_hash: [0; 32],
            vdf_difficulty: Number::from(1),
            next_vdf_difficulty: Number::from(1),
        }),
        packing: Some(Packing {
            packing_difficulty: 0,
            unpacked_chunk_hash: None,
            unpacked_chunk2_hash: None,
        }),
        replica_format: Some(0),
    }
}

/// The block after another, with these transactions. Errors: those of the signer.
pub async fn next<G: Signer>(
    signer: &G,
    parent: &Block,
    transactions: &[Transaction],
    now_ms: u64,
) -> Result<Block> {
    let mut block = parent.clone();
    let leaves: Vec<TxLeaf> = transactions.iter().map(TxLeaf::of).collect();
    block.height = parent.height.saturating_add(1);
    block.timestamp = parent.timestamp.max(now_ms / 1000);
    block.previous_block = parent.indep_hash.as_bytes().to_vec();
    block.hash_list_merkle = parent.next_hash_list_merkle().map(|merkle| merkle.to_vec()).unwrap_or_default();
    block.txs = transactions.iter().map(|one| one.id).collect();
    let tree = TransactionTree::new(&leaves, block.height);
    block.tx_root = tree.as_ref().map(|tree| tree.tree.root());
    block.block_size = tree.map_or(0, |tree| tree.size);
    block.weave_size = parent.weave_size.saturating_add(block.block_size);
    block.cumulative_diff = Number::from(parent.cumulative_diff.as_u64().unwrap_or(0).saturating_add(1));
    // In the place of a solution: it differs from block to block, and nobody looked for it.
    block.hash = Id::sha256(&parent.hash).as_bytes().to_vec();
    if let Some(mining) = &mut block.mining {
        mining.previous_solution_hash.clone_from(&parent.hash);
        mining.previous_cumulative_diff = parent.cumulative_diff.clone();
    }
    signed(signer, block).await
}

async fn signed<G: Signer>(signer: &G, mut block: Block) -> Result<Block> {
    let none = || Error::new(Code::BlockUnsupported, "Blocks of before fork 2.6 are not mined.");
    let key = signer.owner();
    block.reward_addr = Some(Id::sha256(&key));
    block.mining.as_mut().ok_or_else(none)?.reward_key = key;
    let signature = signer.sign(&block.signature_preimage()?).await?;
    block.mining.as_mut().ok_or_else(none)?.signature = signature;
    block.indep_hash = block.computed_hash()?;
    Ok(block)
}

/// A transaction whose data are a bundle of these items, and those data. `anchor` is a recent block. Errors: those of the
/// signer.
pub async fn carrier<G: Signer>(
    signer: &G,
    anchor: BlockHash,
    items: &[DataItem],
) -> Result<(Transaction, Vec<u8>)> {
    let data = bundle::encode(items);
    let tag = |name: &str, value: &str| TagBytes { name: name.into(), value: value.into() };
    let mut transaction = Transaction {
        format: 2,
        id: Id([0; 32]),
        last_tx: anchor.as_bytes().to_vec(),
        owner: signer.owner(),
        tags: vec![tag("Bundle-Format", "binary"), tag("Bundle-Version", "2.0.0")],
        target: None,
        quantity: "0".to_owned(),
        reward: "0".to_owned(),
        data_size: data.len() as u64,
        data_root: Some(merkle::data_root(&data)),
        data: Vec::new(),
        signature: Vec::new(),
        denomination: 0,
    };
    transaction.signature = signer.sign(&transaction.signing_payload()).await?;
    transaction.id = transaction.computed_id();
    Ok((transaction, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_of_our_time_are_above_the_hash_chain_threshold_and_of_the_newest_fork() {
        assert!(height_at(1_700_000_000_000) > 1_440_000);
        assert_eq!(Fork::at(height_at(0)), Fork::F2_9);
        assert_eq!(height_at(1_795_365_914_961), 14_961_382);
    }
}
