//! Blocks, chunks and inclusion proofs: each by itself, and what they say about each other in one run.

use std::collections::BTreeMap;

use serde_json::Value;
use weft_codec::block::{Block, Fork, TxLeaf};
use weft_codec::merkle::{self, BRANCH, LEAF};
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Error, Id, Result, base64url};
use weft_verify::{ChunkProof, InclusionProof, Untrusted, Verified};

use super::{Line, Report, Verdict};

/// What one run saw.
#[derive(Debug, Default)]
pub(super) struct Layer1 {
    /// By height and path, each once.
    blocks: BTreeMap<(u64, String), Seen>,
    /// Transactions that verified.
    transactions: BTreeMap<Id, TxLeaf>,
    chunks: Vec<(String, ChunkAnswer)>,
}

#[derive(Debug)]
struct Seen {
    block: Block,
    /// Without the recalled chunks, if it could be verified.
    verified: Option<Verified<Block>>,
}

/// `GET /chunk/{offset}`, or the body of `POST /chunk`, which names its data root.
#[derive(Debug)]
struct ChunkAnswer {
    chunk: Vec<u8>,
    data_path: Vec<u8>,
    /// What it prints, or what stands at the end of its `tx_path`.
    root: Option<Id>,
    size: Option<u64>,
}

impl Layer1 {
    /// Verifies a block and keeps it for the links.
    pub(super) fn block(&mut self, path: &str, json: &[u8], report: &mut Report<'_>) {
        let block = match Block::from_json(json) {
            Ok(block) => block,
            Err(error) => return report.push(&Line::refused(path, "block", error)),
        };
        let (height, fork, id) = (block.height, block.fork(), block.indep_hash.to_string());
        let (verdict, verified) = match weft_verify::block(Untrusted::new(block.clone(), path), None) {
            Ok(verified) => {
                let signed = if fork >= Fork::F2_6 { "hash and signature" } else { "hash" };
                let said =
                    format!("height {height}, fork {}: {signed}; its work is not checked", fork.as_str());
                (Verdict::Valid(said), Some(verified))
            }
            Err(error) if error.code() == Code::BlockUnsupported => {
                (Verdict::Skipped(format!("height {height}: {}", error.sentence())), None)
            }
            Err(error) => (Verdict::Refused(error), None),
        };
        let refused = matches!(verdict, Verdict::Refused(_));
        report.push(&Line { path: path.to_owned(), kind: "block", id: Some(id), verdict });
        if !refused {
            self.blocks.insert((height, path.to_owned()), Seen { block, verified });
        }
    }

    /// Keeps a verified transaction: blocks and chunks are of transactions.
    pub(super) fn transaction(&mut self, transaction: &Verified<Transaction>) {
        self.transactions.insert(transaction.id, TxLeaf::of(transaction));
    }

    /// Keeps a chunk's answer until all transactions were seen.
    pub(super) fn chunk(&mut self, path: &str, value: &Value, report: &mut Report<'_>) {
        match ChunkAnswer::read(value) {
            Ok(Some(answer)) => self.chunks.push((path.to_owned(), answer)),
            Ok(None) => report.push(&Line::skipped(path, "chunk", "Packed chunks are not unpacked here.")),
            Err(error) => report.push(&Line::refused(path, "chunk", error)),
        }
    }

    /// Verifies an inclusion proof. There is nobody to agree with here.
    pub(super) fn inclusion(&mut self, path: &str, json: &[u8], report: &mut Report<'_>) {
        let proved = InclusionProof::from_json(json).and_then(|proof| {
            let item = proof.item;
            weft_verify::inclusion(Untrusted::new(proof, path), item, None)
        });
        let line = match proved {
            Ok(proved) => {
                let said = format!(
                    "in transaction {} of block {} at height {}, linked to {} at height {}; whether that block is of the \
                     chain is for sources to agree on",
                    proved.transaction, proved.block, proved.height, proved.head, proved.head_height
                );
                Line::valid(path, "inclusion", Some(proved.item), said)
            }
            Err(error) => Line::refused(path, "inclusion", error),
        };
        report.push(&line);
    }

    /// What the things of this run say about each other: links between blocks, blocks whose transactions are all here,
    /// chunks of transactions.
    pub(super) fn verify(&self, report: &mut Report<'_>) {
        for ((height, path), seen) in &self.blocks {
            let below = height.checked_sub(1).map(|below| self.blocks.range(at(below)).next());
            if let Some((_, parent)) = below.flatten() {
                let result = weft_verify::follows(&parent.block, &seen.block);
                report.push(&block_line(
                    path,
                    "block-link",
                    seen,
                    result.map(|_| format!("follows height {}", height - 1)),
                ));
            }
            if let Some(line) = self.transactions_of(path, seen) {
                report.push(&line);
            }
        }
        for (path, answer) in &self.chunks {
            report.push(&self.chunk_line(path, answer));
        }
    }

    /// A line if all transactions of the block were seen, and there are any.
    fn transactions_of(&self, path: &str, seen: &Seen) -> Option<Line> {
        let verified = seen.verified.as_ref().filter(|block| !block.txs.is_empty())?;
        let leaf = |id| self.transactions.get(id).copied();
        let leaves: Vec<TxLeaf> = verified.txs.iter().map(leaf).collect::<Option<_>>()?;
        let said = format!("its {} transactions give its root", leaves.len());
        let result = weft_verify::block_transactions(verified, &leaves);
        Some(block_line(path, "block-txs", seen, result.map(|_| said)))
    }

    fn chunk_line(&self, path: &str, answer: &ChunkAnswer) -> Line {
        let Some(root) = answer.root else {
            let what = "The chunk names no data root: neither itself nor by a tx_path.";
            return Line::skipped(path, "chunk", what);
        };
        let owner = self.transactions.values().find(|one| one.data_root == Some(root));
        let Some(size) = owner.map(|one| one.data_size).or(answer.size) else {
            let what = "The transaction of this chunk is not here, and the chunk does not print its size.";
            return Line::skipped(path, "chunk", what);
        };
        let proof = ChunkProof {
            offset: answer.last_byte(),
            data_path: answer.data_path.clone(),
            chunk: answer.chunk.clone(),
        };
        match weft_verify::chunk(Untrusted::new(proof, path), root, size, None) {
            Ok(chunk) => {
                let bytes =
                    format!("bytes {} to {} of {size}", chunk.start, chunk.start + chunk.bytes.len() as u64);
                match owner {
                    Some(one) => Line::valid(
                        path,
                        "chunk",
                        Some(root),
                        format!("{bytes} of the data of transaction {}", one.id),
                    ),
                    None => Line::claimed(
                        path,
                        "chunk",
                        root,
                        format!("{bytes} under a root that it prints itself"),
                    ),
                }
            }
            Err(error) => Line::refused(path, "chunk", error),
        }
    }
}

impl ChunkAnswer {
    /// `None` if it is packed.
    fn read(value: &Value) -> Result<Option<Self>> {
        let malformed =
            || Error::new(Code::ChunkMalformed, "This is not the answer of a gateway with a chunk.");
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let bytes = |name: &str| base64url::decode(text(name).ok_or_else(malformed)?);
        if text("packing").is_some_and(|packing| packing != "unpacked") {
            return Ok(None);
        }
        let printed = text("data_root").map(str::parse).transpose()?;
        let tx_path = text("tx_path").map(base64url::decode).transpose()?;
        let leaf = tx_path.as_deref().and_then(|path| path.get(path.len().checked_sub(LEAF)?..)?.get(..32));
        let leaf = leaf.map(Id::try_from).transpose()?;
        let size = text("data_size").map(|size| size.parse().map_err(|_| malformed())).transpose()?;
        let data_path = bytes("data_path")?;
        if data_path.len() < LEAF {
            return Err(malformed());
        }
        Ok(Some(Self { chunk: bytes("chunk")?, data_path, root: printed.or(leaf), size }))
    }

    /// The last byte of the chunk in the data: its leaf says where it ends. Where offsets begin again on the way, so much
    /// is added.
    fn last_byte(&self) -> u64 {
        let number = |bytes: &[u8]| bytes.last_chunk::<8>().map_or(0, |low| u64::from_be_bytes(*low));
        let mut rest = self.data_path.as_slice();
        let mut before = 0_u64;
        while rest.len() > LEAF {
            let again = rest.starts_with(&[0; 32]);
            let branch = rest.get(if again { 32 } else { 0 }..).unwrap_or_default();
            let (branch, below) = branch.split_at(branch.len().min(BRANCH));
            let right = next(below).is_some_and(|next| branch.get(32..64) == Some(next.as_slice()));
            if again && right {
                before = before.saturating_add(number(branch));
            }
            rest = below;
        }
        before.saturating_add(number(rest)).saturating_sub(1)
    }
}

/// The id of the node a path begins with.
fn next(path: &[u8]) -> Option<[u8; 32]> {
    if path.len() == LEAF {
        let (data, end) = path.split_first_chunk::<32>()?;
        return Some(merkle::leaf_id(data, end.try_into().ok()?));
    }
    let branch = path.strip_prefix(&[0; 32]).unwrap_or(path);
    let (left, rest) = branch.split_first_chunk::<32>()?;
    let (right, rest) = rest.split_first_chunk::<32>()?;
    Some(merkle::branch_id(left, right, rest.first_chunk()?))
}

/// All blocks of a height.
fn at(height: u64) -> std::ops::Range<(u64, String)> {
    (height, String::new())..(height + 1, String::new())
}

fn block_line(path: &str, kind: &'static str, seen: &Seen, result: Result<String>) -> Line {
    let verdict = match result {
        Ok(said) => Verdict::Valid(format!("height {}: {said}", seen.block.height)),
        Err(error) => Verdict::Refused(error),
    };
    Line { path: path.to_owned(), kind, id: Some(seen.block.indep_hash.to_string()), verdict }
}
