//! The road from an item to a block that was agreed on: item in bundle, bundle in a transaction's data, transaction in a
//! block, block linked to a header.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use weft_codec::block::{Block, BlockHash};
use weft_codec::bundle::{self, MAX_DEPTH, MAX_ITEMS};
use weft_codec::item::DataItem;
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Error, Id, Result};

use super::block::{block, follows};
use super::bytes;
use super::chunk::{Chunk, ChunkProof, Rules, TransactionPlace, chunk, transaction_path};
use super::transaction::transaction;
use crate::receipt::Check;
use crate::signed::{item_checks, same_id};
use crate::trust::{Untrusted, Verified};

/// The most headers of one proof.
const MAX_BLOCKS: usize = 512;
/// The most chunks of one proof: 256 MiB of data.
const MAX_CHUNKS: usize = 1024;
/// The most bytes of a proof's JSON.
const MAX_JSON: usize = 512 << 20;
/// The most bytes of an item before its data: the largest signature and key, target, anchor and tags.
const MAX_HEAD: u64 = 16_384;

/// All that is needed to prove, with no network, that an item is in a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InclusionProof {
    /// What it is about: an item, or a transaction.
    pub item: Id,
    /// The number of the item in its bundle, from 0, for each bundle from the transaction's inwards. Empty for the
    /// transaction itself.
    pub path: Vec<u64>,
    /// The transaction's data, as far as they are needed.
    pub data: DataProof,
    /// The transaction, as `GET /tx/{id}` prints it.
    pub transaction: Value,
    /// Where its data are in the weave. Without it, that the block lists its id is what shows it to be in the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_path: Option<TransactionPath>,
    /// The block, and those after it up to the one that was agreed on, as `GET /block/hash/{hash}` prints them. From
    /// fork 2.6 the recalled chunks can be empty.
    pub blocks: Vec<Value>,
}

/// A transaction's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DataProof {
    /// None beside those in the transaction.
    Inline,
    /// All of them, split as arweave-js or a node does.
    Whole {
        /// The bytes.
        #[serde(with = "bytes")]
        bytes: Vec<u8>,
    },
    /// Chunks that cover the item, and the beginnings of the bundles around it.
    Chunks {
        /// The chunks, in any order.
        chunks: Vec<ChunkProof>,
    },
}

/// A path in the tree of a block's transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionPath {
    /// A byte of the data, as gateways count: from 1, from the beginning of the weave.
    pub offset: u64,
    /// From the block's root to the data root.
    #[serde(with = "bytes")]
    pub path: Vec<u8>,
}

/// The header that sources agreed on: a node's finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedHeader {
    /// Its hash.
    pub hash: BlockHash,
    /// How many sources were asked.
    pub asked: u32,
    /// Who said so.
    pub by: Vec<String>,
    /// Who said otherwise, and what.
    pub against: Vec<String>,
}

/// What was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The item.
    pub item: Id,
    /// The transaction whose data it is in.
    pub transaction: Id,
    /// The block that has the transaction.
    pub block: BlockHash,
    /// The height of that block.
    pub height: u64,
    /// The last block of the proof: the one to agree on.
    pub head: BlockHash,
    /// Its height.
    pub head_height: u64,
    /// The item's bytes in the transaction's data; nothing if it is the transaction.
    pub range: Option<Range<u64>>,
    /// Where the transaction's data begin in the weave, if there was a path to them.
    pub weave_start: Option<u64>,
}

impl InclusionProof {
    /// Reads one. Errors: `too-large`, `json-invalid`.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        if json.len() > MAX_JSON {
            return Err(Error::new(Code::TooLarge, format!("A proof has at most {MAX_JSON} bytes.")));
        }
        serde_json::from_slice(json).map_err(|cause| {
            Error::new(Code::JsonInvalid, "This is not the JSON of an inclusion proof.").because(cause)
        })
    }
}

/// Proves that an item, or a transaction, is in a block: each joint by hashes and signatures, and that the last header
/// is of the chain by `agreed`. Without agreement that is the source's word.
///
/// Errors, by joint. Item: those of [`crate::item`], `not-in-bundle`, `bundle-malformed`. Data:
/// `inclusion-incomplete`, `chunk-malformed`, `chunk-path-invalid`, `chunk-mismatch`, `data-root-mismatch`. Transaction:
/// `transaction-malformed`, `id-mismatch`, `signature-invalid`, `not-in-block`, `tx-path-invalid`. Blocks:
/// `block-malformed`, `block-unsupported`, `block-hash-mismatch`, `block-signature-invalid`, `reward-address-mismatch`,
/// `block-link-broken`. Head: `block-not-agreed`. Too much of anything: `too-large`.
pub fn inclusion(
    proof: Untrusted<InclusionProof>,
    expected: Id,
    agreed: Option<&AgreedHeader>,
) -> Result<Verified<Included>> {
    let (proof, source) = proof.into_parts();
    let InclusionProof { item, path, data, transaction, tx_path, blocks } = proof;
    same_id(Some(expected), item)?;
    if path.len() > MAX_DEPTH || blocks.len() > MAX_BLOCKS {
        return Err(Error::new(Code::TooLarge, "The proof has more bundles or blocks than are followed."));
    }
    let mut checks = Vec::new();
    let (first, head) = chain(&blocks, &source, &mut checks)?;
    if let Some(agreed) = agreed
        && agreed.hash != head.indep_hash
    {
        let what = format!("The blocks end with {}; agreed was {}.", head.indep_hash, agreed.hash);
        return Err(Error::new(Code::BlockNotAgreed, what));
    }
    let carrier = carrier(&transaction, &data, &first, &source, &mut checks)?;
    let place = tx_path.map(|tx_path| placed(&carrier, &first, &tx_path, &mut checks)).transpose()?;
    if place.is_none() && carrier.is_ecdsa() {
        let what = "The id of an ECDSA transaction does not bind its data: a path to them is needed.";
        return Err(Error::new(Code::TxPathInvalid, what));
    }
    let range = match path.as_slice() {
        [] if carrier.id == expected => None,
        [] => return Err(Error::new(Code::IdMismatch, format!("The proof is about {}.", carrier.id))),
        path => {
            let data = Data::prove(data, &carrier, Rules::at(first.start()), &source, &mut checks)?;
            Some(data.find(path, &carrier, expected, &source, &mut checks)?)
        }
    };
    let included = Included {
        item: expected,
        transaction: carrier.id,
        block: first.indep_hash,
        height: first.height,
        head: head.indep_hash,
        head_height: head.height,
        range,
        weave_start: place.map(|place| place.start),
    };
    checks.push(verdict(&included, agreed, &source));
    Ok(Verified::new(included, checks))
}

/// The first block and the last one, all verified and linked.
fn chain(
    blocks: &[Value],
    source: &str,
    checks: &mut Vec<Check>,
) -> Result<(Verified<Block>, Verified<Block>)> {
    let read = |value: &Value, checks: &mut Vec<Check>| -> Result<Verified<Block>> {
        let verified = block(Untrusted::new(Block::from_value(value)?, source), None)?;
        checks.extend(verified.checks().iter().cloned());
        Ok(verified)
    };
    let (first, after) = blocks
        .split_first()
        .ok_or_else(|| Error::new(Code::InclusionIncomplete, "The proof has no block."))?;
    let first = read(first, checks)?;
    let mut head = first.clone();
    for value in after {
        let next = read(value, checks)?;
        checks.push(follows(&head, &next)?.with("from", source));
        head = next;
    }
    Ok((first, head))
}

/// The transaction, which the block lists.
fn carrier(
    json: &Value,
    data: &DataProof,
    block: &Verified<Block>,
    source: &str,
    checks: &mut Vec<Check>,
) -> Result<Transaction> {
    let parsed = Transaction::from_json(json.to_string().as_bytes())?;
    let whole = match data {
        DataProof::Whole { bytes } => Some(bytes.as_slice()),
        _ => None,
    };
    let (carrier, found) = transaction(Untrusted::new(parsed, source), whole, None)?.into_parts();
    checks.extend(found);
    if !block.txs.contains(&carrier.id) {
        let what = format!("Block {} does not list the transaction {}.", block.height, carrier.id);
        return Err(Error::new(Code::NotInBlock, what));
    }
    checks.push(
        Check::proved("transaction-in-block", carrier.id, "The block's header lists this transaction.")
            .with("block", block.indep_hash)
            .with("height", block.height)
            .with("from", source),
    );
    Ok(carrier)
}

/// The place in the weave of the transaction's data.
fn placed(
    carrier: &Transaction,
    block: &Verified<Block>,
    tx_path: &TransactionPath,
    checks: &mut Vec<Check>,
) -> Result<TransactionPlace> {
    let (place, found) = transaction_path(block, tx_path.offset, &tx_path.path)?.into_parts();
    let root = weft_codec::block::TxLeaf::of(carrier).data_root;
    if root != Some(place.data_root) || place.size != carrier.data_size {
        let what = format!("The path leads to other data than those of the transaction {}.", carrier.id);
        return Err(Error::new(Code::TxPathInvalid, what));
    }
    checks.extend(found);
    Ok(place)
}

/// What is proved of a transaction's data: pieces in order, none over another.
struct Data {
    pieces: Vec<Chunk>,
    size: u64,
}

impl Data {
    fn prove(
        data: DataProof,
        carrier: &Transaction,
        rules: Rules,
        source: &str,
        checks: &mut Vec<Check>,
    ) -> Result<Self> {
        let size = carrier.data_size;
        let DataProof::Chunks { chunks } = data else {
            return Ok(Self { pieces: vec![Chunk { start: 0, bytes: carrier.data.clone() }], size });
        };
        if chunks.len() > MAX_CHUNKS {
            return Err(Error::new(Code::TooLarge, format!("A proof has at most {MAX_CHUNKS} chunks.")));
        }
        let root = carrier.data_root.ok_or_else(|| {
            Error::new(
                Code::ChunkPathInvalid,
                "The transaction has no data root that its chunks could lead from.",
            )
        })?;
        let mut pieces = Vec::with_capacity(chunks.len());
        for one in chunks {
            let (piece, found) = chunk(Untrusted::new(one, source), root, size, Some(rules))?.into_parts();
            checks.extend(found);
            pieces.push(piece);
        }
        pieces.sort_by_key(|piece| piece.start);
        let over = pieces.windows(2).any(|pair| match pair {
            [one, next] => one.start.saturating_add(one.bytes.len() as u64) > next.start,
            _ => false,
        });
        if over {
            return Err(Error::new(
                Code::ChunkPathInvalid,
                "Two chunks of the proof are for the same bytes.",
            ));
        }
        Ok(Self { pieces, size })
    }

    /// The bytes of a range. Error: `inclusion-incomplete` if they are not all there.
    fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut at = range.start;
        for piece in &self.pieces {
            let end = piece.start.saturating_add(piece.bytes.len() as u64);
            if at < range.end && (piece.start..end).contains(&at) {
                let until = end.min(range.end);
                let [from, to] = [at, until].map(|offset| usize::try_from(offset - piece.start).ok());
                let part = from.zip(to).and_then(|(from, to)| piece.bytes.get(from..to));
                out.extend_from_slice(part.unwrap_or_default());
                at = until;
            }
        }
        if at < range.end {
            let what = format!("Byte {at} of the transaction's data is in none of the chunks.");
            return Err(Error::new(Code::InclusionIncomplete, what));
        }
        Ok(out)
    }

    /// Goes from bundle to bundle to the item, and proves it.
    fn find(
        &self,
        path: &[u64],
        carrier: &Transaction,
        expected: Id,
        source: &str,
        checks: &mut Vec<Check>,
    ) -> Result<Range<u64>> {
        let says = |name: &str, value: &[u8]| {
            carrier.tags.iter().any(|tag| tag.name == name.as_bytes() && tag.value == value)
        };
        if !says("Bundle-Format", b"binary") || !says("Bundle-Version", b"2.0.0") {
            let what = format!("The tags of the transaction {} do not make it a bundle.", carrier.id);
            return Err(Error::new(Code::NotInBundle, what));
        }
        let mut bundle = 0..self.size;
        let mut around = carrier.id;
        for (depth, number) in path.iter().enumerate() {
            let (id, range) = self.entry(&bundle, *number)?;
            checks.push(
                Check::proved("item-in-bundle", id, "The bundle's header has this item at these bytes.")
                    .with("bundle", around)
                    .with("number", number)
                    .with("bytes", format!("{}-{}", range.start, range.end))
                    .with("transaction", carrier.id)
                    .with("from", source),
            );
            if depth + 1 == path.len() {
                let item = DataItem::parse(&self.read(range.clone())?)?;
                checks.extend(item_checks(&item, source, Some(id))?);
                if id != expected {
                    let what = format!("{expected} was expected; at this place of the bundle is {id}.");
                    return Err(Error::new(Code::NotInBundle, what));
                }
                return Ok(range);
            }
            bundle = self.inside(id, &range)?;
            around = id;
        }
        Err(Error::new(Code::NotInBundle, "The proof names no item."))
    }

    /// The id and the bytes of an item, from the bundle's header.
    fn entry(&self, bundle: &Range<u64>, number: u64) -> Result<(Id, Range<u64>)> {
        let outside =
            || Error::new(Code::NotInBundle, format!("The bundle has no item {number} in its bytes."));
        let count = wide(&self.read(bundle.start..bundle.start.saturating_add(32))?)?;
        let head = count.checked_mul(64).and_then(|bytes| bytes.checked_add(32)).ok_or_else(outside)?;
        if count > MAX_ITEMS || number >= count || head > bundle.end - bundle.start {
            return Err(outside());
        }
        let entries = bundle.start + 32;
        let entries = self.read(entries..entries + 64 * (number + 1))?;
        let mut start = bundle.start + head;
        for (index, entry) in (0..).zip(entries.chunks_exact(64)) {
            let (size, id) = entry.split_at(32);
            let end = start.checked_add(wide(size)?).filter(|end| *end <= bundle.end).ok_or_else(outside)?;
            if index == number {
                return Ok((Id::try_from(id)?, start..end));
            }
            start = end;
        }
        Err(outside())
    }

    /// The bytes of the bundle that an item holds. The chunks vouch for its bytes, so its signature is not looked at.
    fn inside(&self, id: Id, range: &Range<u64>) -> Result<Range<u64>> {
        let head = range.start..range.end.min(range.start.saturating_add(MAX_HEAD));
        let bytes = self.read(head.clone()).or_else(|_| self.read_head(head))?;
        let item = DataItem::parse(&bytes)?;
        if item.id() != id || !bundle::is_bundle(&item) {
            return Err(Error::new(Code::NotInBundle, format!("The item {id} is no bundle, or is another.")));
        }
        let start = range.start + (bytes.len() - item.data.len()) as u64;
        Ok(start..range.end)
    }

    /// As many bytes from the beginning of a range as there are.
    fn read_head(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let known = self.pieces.iter().map(|piece| piece.start.saturating_add(piece.bytes.len() as u64));
        let last = known.filter(|end| range.contains(end)).filter(|end| self.read(range.start..*end).is_ok());
        self.read(range.start..last.max().unwrap_or(range.end))
    }
}

/// 32 bytes, little-endian, that must fit 64 bits.
fn wide(bytes: &[u8]) -> Result<u64> {
    let parts = bytes.split_first_chunk::<8>();
    let number = parts.filter(|(_, high)| high.len() == 24 && high.iter().all(|byte| *byte == 0));
    let malformed =
        || Error::new(Code::BundleMalformed, "A number in the bundle's header has more than 64 bits.");
    number.map(|(low, _)| u64::from_le_bytes(*low)).ok_or_else(malformed)
}

fn verdict(included: &Included, agreed: Option<&AgreedHeader>, source: &str) -> Check {
    let Included { item, transaction, block, height, head, head_height, range, weave_start } = included;
    let what = if agreed.is_some() {
        "It is in a block from which headers lead to one that sources agree on. RandomX and VDF are not checked here: \
         that the chain has work behind it is what they agree on."
    } else {
        "It is in a block whose header and signature hold. That the block is of the chain is the source's word: RandomX \
         and VDF are not checked here."
    };
    let check = match agreed {
        Some(AgreedHeader { asked, by, against, .. }) => {
            Check::agreed("inclusion", item, *asked, by.clone(), against.clone(), what)
        }
        None => Check::proved("inclusion", item, what).trusted(source),
    };

    let mut check = check
        .with("transaction", transaction)
        .with("block", block)
        .with("height", height)
        .with("head", head)
        .with("head-height", head_height);
    if let Some(range) = range {
        check = check.with("bytes", format!("{}-{}", range.start, range.end));
    }
    if let Some(start) = weave_start {
        check = check.with("weave-start", start);
    }
    check
}
