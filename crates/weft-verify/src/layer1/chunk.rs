//! Paths in the trees of layer 1, and chunks at their ends (reference arweave.md §3.3, §3.4 and §5).

use serde::{Deserialize, Serialize};
use weft_codec::block::Block;
use weft_codec::merkle::{self, BRANCH, LEAF, MAX_CHUNK};
use weft_codec::{Code, Error, Id, Result};

use super::bytes;
use crate::receipt::Check;
use crate::trust::{Untrusted, Verified};

/// The longest path that a node takes to a chunk, in bytes. Paths to transactions are shorter.
const MAX_PATH: usize = 349_504;
/// What stands before a branch below which offsets begin again.
const MARKER: [u8; 32] = [0; 32];
/// A chunk's most bytes, in the walk's arithmetic.
const BUCKET: i128 = MAX_CHUNK as i128;

/// Which paths to a chunk are taken. It depends on where the block's data begin in the weave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// No chunk is larger than 256 KiB.
    StrictBorders,
    /// Each chunk but the last two begins a bucket of 256 KiB.
    StrictSplit,
    /// The same in a milder form, and offsets may begin again in a subtree.
    Rebase,
}

impl Rules {
    /// Those for a block whose data begin here.
    #[must_use]
    pub const fn at(block_start: u64) -> Self {
        match block_start {
            0..30_607_159_107_830 => Self::StrictBorders,
            30_607_159_107_830..151_066_495_197_430 => Self::StrictSplit,
            _ => Self::Rebase,
        }
    }
}

/// A chunk and its path, as `GET /chunk/{offset}` gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkProof {
    /// A byte of the chunk: its place in the transaction's data, from 0.
    pub offset: u64,
    /// From the data root to the chunk.
    #[serde(with = "bytes")]
    pub data_path: Vec<u8>,
    /// The chunk, unpacked.
    #[serde(with = "bytes")]
    pub chunk: Vec<u8>,
}

/// A piece of a transaction's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it begins in the data.
    pub start: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Proves a chunk of the data with this root and size. With no rules, because its place in the weave is not known, a path
/// is taken that any of them takes, as a node does with a chunk that is offered to it; and, as there, a path that would
/// hold without its markers is refused. With rules it is refused only if it would show the chunk elsewhere then: markers
/// are not hashed, and trees of the chain may begin with a subtree that has one.
///
/// Errors: `chunk-malformed`, `chunk-path-invalid`, `chunk-mismatch`.
pub fn chunk(
    proof: Untrusted<ChunkProof>,
    root: Id,
    size: u64,
    rules: Option<Rules>,
) -> Result<Verified<Chunk>> {
    let (proof, source) = proof.into_parts();
    let ChunkProof { offset, data_path, chunk } = proof;
    let all = [Rules::StrictSplit, Rules::Rebase, Rules::StrictBorders];
    let placed = rules.is_some();
    let rules = rules.as_ref().map_or(&all[..], std::slice::from_ref);
    let walked = |path: &[u8]| rules.iter().find_map(|rules| walk(root, offset, size, path, Some(*rules)));
    if data_path.len() > MAX_PATH || data_path.len() < LEAF || offset >= size {
        return Err(Error::new(Code::ChunkMalformed, "The path or the offset is of no chunk of these data."));
    }
    let stripped = without_markers(&data_path);
    let without = Some(stripped).filter(|stripped| *stripped != data_path).and_then(|path| walked(&path));
    let without = without.filter(|end| fits(end, &chunk));
    let clear = |end: &End| without.as_ref().is_none_or(|other| placed && other.start == end.start);
    let Some(end) = walked(&data_path).filter(clear) else {
        let what = format!("The path does not lead from the root {root} to a chunk at offset {offset}.");
        return Err(Error::new(Code::ChunkPathInvalid, what));
    };
    if !fits(&end, &chunk) {
        let what = format!("The chunk at offset {offset} is not the one its path leads to.");
        return Err(Error::new(Code::ChunkMismatch, what));
    }
    let check = Check::proved("chunk", root, "The path leads from the signed data root to this chunk.")
        .with("start", end.start)
        .with("bytes", chunk.len())
        .with("sha256", Id(end.data))
        .with("from", source);
    Ok(Verified::new(Chunk { start: end.start, bytes: chunk }, vec![check]))
}

fn fits(end: &End, chunk: &[u8]) -> bool {
    end.positive && end.end - end.start == chunk.len() as u64 && Id::sha256(chunk).0 == end.data
}

/// Where a transaction's data are in the weave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionPlace {
    /// The root of its data.
    pub data_root: Id,
    /// The first byte, from the beginning of the weave.
    pub start: u64,
    /// Bytes.
    pub size: u64,
}

/// Proves that data with some root are in a block: the path leads from the block's `tx_root` to it. `offset` is that of
/// one of its bytes as gateways count, from 1. What it does not prove is which transaction has these data. Error:
/// `tx-path-invalid`.
pub fn transaction_path(
    block: &Verified<Block>,
    offset: u64,
    path: &[u8],
) -> Result<Verified<TransactionPlace>> {
    let invalid = || {
        let what = format!("The path does not lead from the root of block {} to data there.", block.height);
        Error::new(Code::TxPathInvalid, what)
    };
    let inside =
        offset.checked_sub(1).and_then(|byte| byte.checked_sub(block.start())).ok_or_else(invalid)?;
    if inside >= block.block_size || path.len() > MAX_PATH {
        return Err(invalid());
    }
    let root = block.tx_root.ok_or_else(invalid)?;
    let end = walk(root, inside, block.block_size, path, None).ok_or_else(invalid)?;
    let place = TransactionPlace {
        data_root: Id(end.data),
        start: block.start().saturating_add(end.start),
        size: end.end - end.start,
    };
    let check = Check::proved("tx-path", place.data_root, "The block's root leads to these data.")
        .with("tx-root", root)
        .with("block", block.indep_hash)
        .with("weave-start", place.start)
        .with("bytes", place.size);
    Ok(Verified::new(place, vec![check]))
}

/// The end of a path.
struct End {
    data: [u8; 32],
    start: u64,
    end: u64,
    /// Whether the leaf ends behind where it begins.
    positive: bool,
}

/// The state of a walk down a path. Offsets are signed and wide, so that no sum of hostile ones overflows.
struct Walk {
    id: [u8; 32],
    /// The byte that is looked for, and the bounds of what the node covers: all from where offsets last began.
    wanted: i128,
    left: i128,
    right: i128,
    /// Where offsets last began.
    shift: i128,
    /// Whether only right turns were made since then; nothing if none was.
    rightmost: Option<bool>,
    size: i128,
}

/// Follows a path from the root to the leaf that has byte `wanted` of `size`. Without rules it is a path to a transaction.
fn walk(root: Id, wanted: u64, size: u64, path: &[u8], rules: Option<Rules>) -> Option<End> {
    let [wanted, size] = [wanted, size].map(i128::from);
    let mut walk = Walk { id: root.0, wanted, left: 0, right: size, shift: 0, rightmost: None, size };
    let mut rest = path;
    while rest.len() > LEAF {
        let rebased = rules == Some(Rules::Rebase) && rest.starts_with(&MARKER);
        rest = rest.get(if rebased { MARKER.len() } else { 0 }..)?;
        let (branch, below) = rest.split_first_chunk::<BRANCH>()?;
        walk.turn(branch, rebased)?;
        rest = below;
    }
    let leaf: &[u8; LEAF] = rest.try_into().ok()?;
    walk.arrive(leaf, rules)
}

impl Walk {
    fn turn(&mut self, branch: &[u8; BRANCH], rebased: bool) -> Option<()> {
        let (left, right, note) = split_branch(branch)?;
        if merkle::branch_id(left, right, note) != self.id {
            return None;
        }
        let middle = offset(note)?;
        let goes_left = self.wanted < middle;
        self.id = if goes_left { *left } else { *right };
        let border = if goes_left { self.right.min(middle) } else { self.left.max(middle) };
        match (rebased, goes_left) {
            (false, true) => self.right = border,
            (false, false) => self.left = border,
            (true, true) => self.begin_again(self.left, border),
            (true, false) => self.begin_again(border, self.right),
        }
        self.rightmost = match (rebased, goes_left) {
            (true, _) => None,
            (false, true) => Some(false),
            (false, false) => Some(self.rightmost.unwrap_or(true)),
        };
        Some(())
    }

    /// From here on offsets count from `start`.
    fn begin_again(&mut self, start: i128, end: i128) {
        self.wanted -= start;
        self.shift += start;
        self.left = 0;
        self.right = end - start;
    }

    fn arrive(&self, leaf: &[u8; LEAF], rules: Option<Rules>) -> Option<End> {
        let (data, note) = leaf.split_first_chunk::<32>()?;
        let note = note.try_into().ok()?;
        let end = offset(note)?;
        let borders = end - self.left <= BUCKET && self.right - self.left <= BUCKET;
        let allowed = match rules {
            None => true,
            Some(Rules::StrictBorders) => borders,
            Some(Rules::StrictSplit) => borders && self.is_split_strictly(end),
            Some(Rules::Rebase) => borders && self.is_split_mildly(end),
        };
        if !allowed || merkle::leaf_id(data, note) != self.id {
            return None;
        }
        let last = self.right.min(end).max(self.left + 1);
        let number = |offset: i128| u64::try_from(self.shift + offset).ok();
        Some(End { data: *data, start: number(self.left)?, end: number(last)?, positive: end > self.left })
    }

    /// A whole chunk begins a bucket; the last one steps into its own; any other is the last but one, and begins a bucket.
    fn is_split_strictly(&self, end: i128) -> bool {
        let begins = self.left % BUCKET == 0;
        if end - self.left == BUCKET {
            begins
        } else if end == self.size {
            self.right % BUCKET > 0 && self.left <= self.right - self.right % BUCKET
        } else {
            begins && (BUCKET + 1..2 * BUCKET).contains(&(self.size - self.left))
        }
    }

    /// A chunk begins a bucket, or is the last of its subtree and steps into the next one.
    fn is_split_mildly(&self, end: i128) -> bool {
        let (start, end) = (self.shift + self.left, self.shift + end);
        let steps = start / BUCKET + 1 == end / BUCKET && end % BUCKET != 0;
        start % BUCKET == 0 || (self.rightmost == Some(true) && steps)
    }
}

fn split_branch(branch: &[u8; BRANCH]) -> Option<(&[u8; 32], &[u8; 32], &[u8; 32])> {
    let (left, rest) = branch.split_first_chunk::<32>()?;
    let (right, note) = rest.split_first_chunk::<32>()?;
    Some((left, right, note.try_into().ok()?))
}

/// 32 bytes of which the first 24 are zero: the weave is far from needing more.
fn offset(note: &[u8; 32]) -> Option<i128> {
    let (high, low) = note.split_first_chunk::<24>()?;
    (*high == [0; 24]).then_some(())?;
    Some(i128::from(u64::from_be_bytes(low.try_into().ok()?)))
}

/// The path with all its markers left out.
fn without_markers(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while rest.len() > LEAF {
        if rest.starts_with(&MARKER) && rest.len() >= MARKER.len() + BRANCH {
            rest = &rest[MARKER.len()..];
        }
        let (branch, below) = rest.split_at(rest.len().min(BRANCH));
        out.extend_from_slice(branch);
        rest = below;
    }
    out.extend_from_slice(rest);
    out
}
