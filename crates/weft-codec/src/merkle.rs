//! The data root of a layer-1 transaction, by arweave-js's rule of splitting (reference arweave.md §3).

use sha2::{Digest, Sha256};

use crate::id::Id;

/// The largest chunk, in bytes.
pub const MAX_CHUNK: usize = 262_144;
/// The smallest last chunk arweave-js makes when it can avoid a smaller one, in bytes.
const MIN_CHUNK: usize = 32_768;

struct Node {
    id: [u8; 32],
    /// The offset where this node's data ends.
    max: usize,
}

/// The data root that arweave-js computes. Other uploaders may split otherwise: a different root proves nothing
/// about the data. Empty data gives the root of one empty leaf, which is a format 1 transaction's; in format 2
/// there is no root then.
#[must_use]
pub fn data_root(data: &[u8]) -> Id {
    let mut layer = leaves(data);
    while layer.len() > 1 {
        layer = layer.chunks(2).map(parent).collect();
    }
    Id(layer.first().map_or([0; 32], |root| root.id))
}

/// While a whole chunk fits, cut one, or half of what is left if a whole one would leave too little. What is left
/// is always a leaf, even when it is empty.
fn leaves(data: &[u8]) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut rest = data;
    let mut max = 0;
    while rest.len() >= MAX_CHUNK {
        let left = rest.len() - MAX_CHUNK;
        let size = if left > 0 && left < MIN_CHUNK { rest.len().div_ceil(2) } else { MAX_CHUNK };
        let (chunk, after) = rest.split_at(size);
        max += size;
        nodes.push(leaf(chunk, max));
        rest = after;
    }
    nodes.push(leaf(rest, max + rest.len()));
    nodes
}

fn leaf(chunk: &[u8], max: usize) -> Node {
    let data_hash = hash(&[chunk]);
    Node { id: hash(&[&hash(&[&data_hash]), &hash(&[&note(max)])]), max }
}

/// A pair's branch; a last node without a partner goes up as it is.
fn parent(pair: &[Node]) -> Node {
    match pair {
        [left, right] => Node {
            id: hash(&[&hash(&[&left.id]), &hash(&[&right.id]), &hash(&[&note(left.max)])]),
            max: right.max,
        },
        [lone, ..] => Node { id: lone.id, max: lone.max },
        [] => Node { id: [0; 32], max: 0 },
    }
}

/// An offset as 32 bytes, big-endian.
fn note(offset: usize) -> [u8; 32] {
    let mut out = [0; 32];
    out[24..].copy_from_slice(&(offset as u64).to_be_bytes());
    out
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
