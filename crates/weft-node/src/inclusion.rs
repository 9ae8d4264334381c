//! Inclusion proofs, fetched from gateways: which bundles an item is in, the chunks that cover it, the transaction, the
//! block, and the headers after it (reference arweave.md §4, §7 and §8).

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Value, json};
use weft_codec::block::Fork;
use weft_codec::bundle::{MAX_DEPTH, MAX_ITEMS};
use weft_codec::item::DataItem;
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Error, Id, Result, base64url};
use weft_verify::{
    AgreedHeader, ChunkProof, DataProof, Included, InclusionProof, TransactionPath, Untrusted, Verified,
};

use crate::event::Observer;
use crate::node::Node;
use crate::options::Options;
use crate::reach::{Reach, Stop, json_body};
use crate::seams::{Clock, Fetch, Store};
use crate::sources::Sources;

/// The longest answer with an index's fields, a status or an offset.
const MAX_SMALL_BYTES: u64 = 64 << 10;
/// The longest JSON of a transaction.
const MAX_TRANSACTION_BYTES: u64 = 16 << 20;
/// The longest JSON of a block.
const MAX_BLOCK_BYTES: u64 = 4 << 20;
/// The longest answer with a chunk: 256 KiB and its paths in base64url.
const MAX_CHUNK_BYTES: u64 = 1 << 20;
/// The most chunks of one proof.
const MAX_CHUNKS: usize = 1024;
/// The most blocks between the transaction's and the one that was agreed on.
const MAX_BLOCKS: u64 = 500;
/// Entries of a bundle's header that are read at a time.
const ENTRIES: u64 = 1024;
/// The most bytes of an item before its data.
const MAX_HEAD: u64 = 16_384;

const QUERY: &str = "query($ids:[ID!]!){transactions(ids:$ids){edges{node{id bundledIn{id}}}}}";

/// A header that sources agreed on, and its height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedAt {
    /// What was agreed on.
    pub header: AgreedHeader,
    /// The height of that block.
    pub height: u64,
}

impl<S: Store, F: Fetch, C: Clock> Node<S, F, C> {
    /// Fetches the proof that an item or a transaction is in a block, from the first gateway that gives one, and checks
    /// it. With `agreed` the headers go from that block to the one agreed on, at most 500 later; without it that the
    /// block is of the chain is the gateway's word.
    ///
    /// Errors: `no-source`, `not-found`, `source-…`, `cancelled`, `too-large`, and those of [`weft_verify::inclusion`].
    pub async fn inclusion<O: Observer>(
        &self,
        item: Id,
        sources: &Sources,
        options: &Options,
        agreed: Option<&AgreedAt>,
        observer: &O,
    ) -> Result<(InclusionProof, Verified<Included>)> {
        let reach = self.reach(observer, options);
        let wanted = async |height: u64| {
            let last = agreed.map_or(height, |agreed| agreed.height);
            Ok(Last { height: last, agreed: agreed.map(|agreed| agreed.header.clone()) })
        };
        let attempt = async |gateway: &str| Box::pin(prove(&reach, gateway, item, &wanted)).await;
        match reach.first_of(&sources.gateways, attempt).await {
            Ok(found) => Ok(found),
            Err(Stop::Ours(error)) => Err(error),
            Err(Stop::Sources(failures)) => Err(failures.into_error(&format!("the inclusion of {item}"))),
        }
    }
}

/// The header that a proof shall end with.
pub(crate) struct Last {
    /// Its height.
    pub(crate) height: u64,
    /// It, if sources agree on it.
    pub(crate) agreed: Option<AgreedHeader>,
}

/// `wanted` says, for the height of the block that has the item, where the headers shall end.
pub(crate) async fn prove<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    item: Id,
    wanted: &impl AsyncFn(u64) -> Result<Last>,
) -> Result<(InclusionProof, Verified<Included>)> {
    // From the item outwards; the last one is the transaction.
    let around = around(reach, gateway, item).await?;
    let root = around.last().copied().unwrap_or(item);
    let path = format!("tx/{root}");
    let transaction = value(reach, gateway, &path, MAX_TRANSACTION_BYTES).await?;
    let (blocks, agreed) = blocks(reach, gateway, root, wanted).await?;
    let mut proof = InclusionProof {
        item,
        path: Vec::new(),
        data: DataProof::Inline,
        transaction,
        tx_path: None,
        blocks,
    };
    if let Some((_, inside)) = around.split_last()
        && root != item
    {
        let carrier = Transaction::from_json(proof.transaction.to_string().as_bytes())?;
        let mut chunks = Chunks::open(reach, gateway, &carrier).await?;
        // From the transaction inwards: the bundles, and then the item.
        let wanted: Vec<Id> = inside.iter().rev().copied().chain([item]).collect();
        proof.path = chunks.find(&wanted).await?;
        (proof.data, proof.tx_path) = chunks.finish();
    }
    let checked = weft_verify::inclusion(Untrusted::new(proof.clone(), gateway), item, agreed.as_ref())?;
    Ok((proof, checked))
}

/// The bundles that an item is in, from the inside out, the transaction last; none if it is a transaction.
async fn around<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    item: Id,
) -> Result<Vec<Id>> {
    let mut found = Vec::new();
    let mut at = item;
    loop {
        let query = json!({ "query": QUERY, "variables": { "ids": [at] } });
        let body = json_body(reach.post_json(gateway, "graphql", &query, MAX_SMALL_BYTES).await?)?;
        let answer: Value = serde_json::from_slice(&body).map_err(garbled)?;
        let node = answer
            .pointer("/data/transactions/edges/0/node")
            .ok_or_else(|| Error::new(Code::NotFound, format!("Its index does not know {at}.")))?;
        let Some(id) = node.pointer("/bundledIn/id").and_then(Value::as_str) else { return Ok(found) };
        at = id.parse()?;
        found.push(at);
        if found.len() > MAX_DEPTH {
            return Err(Error::new(Code::TooLarge, format!("Bundles are followed {MAX_DEPTH} deep.")));
        }
    }
}

/// The block of a transaction, and those after it up to the one wanted.
async fn blocks<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    transaction: Id,
    wanted: &impl AsyncFn(u64) -> Result<Last>,
) -> Result<(Vec<Value>, Option<AgreedHeader>)> {
    let status = value(reach, gateway, &format!("tx/{transaction}/status"), MAX_SMALL_BYTES).await?;
    let (Some(hash), Some(height)) = (status["block_indep_hash"].as_str(), status["block_height"].as_u64())
    else {
        return Err(Error::new(Code::NotFound, "It does not say which block has the transaction."));
    };
    let mut blocks = vec![slim(value(reach, gateway, &format!("block/hash/{hash}"), MAX_BLOCK_BYTES).await?)];
    let Last { height: last, agreed } = wanted(height).await?;
    if last < height || last - height > MAX_BLOCKS {
        let what =
            format!("The block at height {height} is not within {MAX_BLOCKS} before the one agreed on.");
        return Err(Error::new(Code::BlockNotAgreed, what));
    }
    for height in height + 1..=last {
        let path = format!("block/height/{height}");
        blocks.push(slim(value(reach, gateway, &path, MAX_BLOCK_BYTES).await?));
    }
    Ok((blocks, agreed))
}

/// A block without its recalled chunks, which no hash covers from fork 2.6 on.
fn slim(mut block: Value) -> Value {
    if block["height"].as_u64().is_some_and(|height| Fork::at(height) >= Fork::F2_6) {
        for name in ["poa", "poa2"] {
            if let Some(poa) = block.get_mut(name).and_then(Value::as_object_mut) {
                poa.insert("chunk".to_owned(), "".into());
                poa.remove("unpacked_chunk");
            }
        }
    }
    block
}

async fn value<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    path: &str,
    most: u64,
) -> Result<Value> {
    let body = json_body(reach.get(gateway, path, most).await?)?;
    serde_json::from_slice(&body).map_err(garbled)
}

fn garbled(cause: serde_json::Error) -> Error {
    Error::new(Code::SourceGarbled, "Its answer is not what was asked for.").because(cause)
}

/// A transaction's data, chunk by chunk, as far as they are needed. Each chunk is proved when it comes.
struct Chunks<'a, 'b, F, C, O> {
    reach: &'a Reach<'b, F, C, O>,
    gateway: &'a str,
    root: Id,
    size: u64,
    /// The first byte, as gateways count.
    first: u64,
    /// By where they begin.
    pieces: BTreeMap<u64, ChunkProof>,
    tx_path: Option<TransactionPath>,
}

impl<'a, 'b, F: Fetch, C: Clock, O: Observer> Chunks<'a, 'b, F, C, O> {
    async fn open(reach: &'a Reach<'b, F, C, O>, gateway: &'a str, carrier: &Transaction) -> Result<Self> {
        let path = format!("tx/{}/offset", carrier.computed_id());
        let answer = value(reach, gateway, &path, MAX_SMALL_BYTES).await?;
        let number = |name: &str| answer[name].as_str().and_then(|text| text.parse::<u64>().ok());
        let size = carrier.data_size;
        let first = number("offset").and_then(|last| last.checked_sub(size)?.checked_add(1));
        let (Some(first), Some(root)) = (first, carrier.data_root) else {
            return Err(Error::new(Code::SourceGarbled, "It does not say where the transaction's data are."));
        };
        Ok(Self { reach, gateway, root, size, first, pieces: BTreeMap::new(), tx_path: None })
    }

    /// The number of each id in the bundle around it.
    async fn find(&mut self, wanted: &[Id]) -> Result<Vec<u64>> {
        let mut path = Vec::new();
        let mut bundle = 0..self.size;
        for (depth, id) in wanted.iter().enumerate() {
            let (number, range) = self.entry(&bundle, *id).await?;
            path.push(number);
            if depth + 1 == wanted.len() {
                self.read(range).await?;
                return Ok(path);
            }
            let head = self.read(range.start..range.end.min(range.start + MAX_HEAD)).await?;
            let item = DataItem::parse(&head)?;
            bundle = range.start + (head.len() - item.data.len()) as u64..range.end;
        }
        Ok(path)
    }

    /// Where an item is in a bundle, by the bundle's header.
    async fn entry(&mut self, bundle: &Range<u64>, id: Id) -> Result<(u64, Range<u64>)> {
        let absent = || Error::new(Code::NotInBundle, format!("The bundle's header does not have {id}."));
        let outside = || Error::new(Code::BundleMalformed, "The bundle's header is larger than the bundle.");
        let count = wide(&self.read(bundle.start..bundle.start.saturating_add(32)).await?)?;
        let head = 32 + count.min(MAX_ITEMS) * 64;
        if count > MAX_ITEMS || head > bundle.end - bundle.start {
            return Err(outside());
        }
        let mut start = bundle.start + head;
        let mut number = 0;
        while number < count {
            let some = ENTRIES.min(count - number);
            let at = bundle.start + 32 + 64 * number;
            for entry in self.read(at..at + 64 * some).await?.chunks_exact(64) {
                let (size, found) = entry.split_at(32);
                let end =
                    start.checked_add(wide(size)?).filter(|end| *end <= bundle.end).ok_or_else(outside)?;
                if found == id.as_bytes() {
                    return Ok((number, start..end));
                }
                (start, number) = (end, number + 1);
            }
        }
        Err(absent())
    }

    /// The bytes of a range, fetching what is not here yet.
    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        if range.end > self.size {
            return Err(Error::new(Code::BundleMalformed, "The bundle ends behind the transaction's data."));
        }
        let mut out = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let piece = self.pieces.range(..=at).next_back();
            let part = piece.and_then(|(start, proof)| {
                let until = (range.end - start).min(proof.chunk.len() as u64);
                proof.chunk.get(usize::try_from(at - start).ok()?..usize::try_from(until).ok()?)
            });
            match part {
                Some(part) if !part.is_empty() => {
                    out.extend_from_slice(part);
                    at += part.len() as u64;
                }
                _ => self.fetch(at).await?,
            }
        }
        Ok(out)
    }

    /// Fetches the chunk with a byte of the data.
    async fn fetch(&mut self, at: u64) -> Result<()> {
        if self.pieces.len() == MAX_CHUNKS {
            return Err(Error::new(Code::TooLarge, format!("The item needs more than {MAX_CHUNKS} chunks.")));
        }
        let offset = self.first.saturating_add(at);
        let answer = value(self.reach, self.gateway, &format!("chunk/{offset}"), MAX_CHUNK_BYTES).await?;
        let bytes = |name: &str| {
            let text = answer[name].as_str().ok_or_else(|| {
                Error::new(Code::SourceGarbled, format!("Its answer with a chunk has no {name}."))
            })?;
            base64url::decode(text)
        };
        let proof = ChunkProof { offset: at, data_path: bytes("data_path")?, chunk: bytes("chunk")? };
        let untrusted = Untrusted::new(proof.clone(), self.gateway);
        let proved = weft_verify::chunk(untrusted, self.root, self.size, None)?;
        let end = proved.start.saturating_add(proved.bytes.len() as u64);
        if !(proved.start..end).contains(&at) {
            return Err(Error::new(
                Code::ChunkPathInvalid,
                "The chunk does not have the byte that was asked for.",
            ));
        }
        if let (None, Ok(path)) = (&self.tx_path, bytes("tx_path")) {
            self.tx_path = Some(TransactionPath { offset, path });
        }
        self.pieces.insert(proved.start, proof);
        Ok(())
    }

    fn finish(self) -> (DataProof, Option<TransactionPath>) {
        let chunks = self.pieces.into_values().collect();
        (DataProof::Chunks { chunks }, self.tx_path)
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
