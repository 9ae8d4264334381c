//! The Merkle trees of layer 1: data roots of transactions, transaction roots of blocks, and the paths in them
//! (reference arweave.md §3 and §5).
//!
//! A leaf is `H(H(data) ‖ H(end))`, a branch `H(H(left) ‖ H(right) ‖ H(end of the left))`, with SHA-256 and offsets as 32
//! bytes. What a leaf's data are differs: the hash of a chunk in a data root, a data root in a transaction root.

use sha2::{Digest, Sha256};

use crate::id::Id;

/// The largest chunk, in bytes.
pub const MAX_CHUNK: usize = 262_144;
/// The smallest last chunk arweave-js makes when it can avoid a smaller one, in bytes.
const MIN_CHUNK: usize = 32_768;
/// Bytes of a branch in a path: two ids and an offset.
pub const BRANCH: usize = 96;
/// Bytes of the leaf that ends a path: 32 of data and an offset.
pub const LEAF: usize = 64;

/// How data are cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// While a whole chunk fits, cut one, or half of what is left if a whole one would leave less than 32 KiB.
    ArweaveJs,
    /// While a whole chunk fits, cut one: what a node does with the data of format 1.
    Node,
}

/// The data root that arweave-js computes. Other uploaders may split otherwise: a different root proves nothing
/// about the data. Empty data gives the root of one empty leaf, which is a format 1 transaction's; in format 2
/// there is no root then.
#[must_use]
pub fn data_root(data: &[u8]) -> Id {
    data_root_split(data, Split::ArweaveJs)
}

/// The data root with a rule of splitting.
#[must_use]
pub fn data_root_split(data: &[u8], split: Split) -> Id {
    let mut builder = RootBuilder::new(split);
    builder.push(data);
    builder.finish().root
}

/// A data root and how it came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataRoot {
    /// The root.
    pub root: Id,
    /// Bytes of data.
    pub size: u64,
    /// Leaves of the tree, the empty one at the end included.
    pub leaves: u64,
}

/// Computes a data root from data that come in pieces of any size. It holds at most one and an eighth of a chunk, and
/// a node for each doubling of the number of chunks.
#[derive(Clone, Debug)]
pub struct RootBuilder {
    split: Split,
    /// Data not yet in a leaf.
    rest: Vec<u8>,
    size: u64,
    leaves: u64,
    /// Finished subtrees from left to right, each with its height. Heights fall.
    subtrees: Vec<(u32, Node)>,
}

impl RootBuilder {
    /// Nothing yet.
    #[must_use]
    pub fn new(split: Split) -> Self {
        Self { split, rest: Vec::new(), size: 0, leaves: 0, subtrees: Vec::new() }
    }

    /// The next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        // With this much at hand, the next chunk is a whole one, whatever follows.
        let sure = match self.split {
            Split::ArweaveJs => MAX_CHUNK + MIN_CHUNK,
            Split::Node => MAX_CHUNK,
        };
        while !bytes.is_empty() {
            let (head, tail) = bytes.split_at(bytes.len().min(sure - self.rest.len()));
            self.rest.extend_from_slice(head);
            bytes = tail;
            if self.rest.len() == sure {
                self.cut(MAX_CHUNK);
            }
        }
    }

    /// Bytes of data that are held: never as many as a chunk and an eighth.
    #[must_use]
    pub fn held(&self) -> usize {
        self.rest.len()
    }

    /// The root of what was pushed. What is left at the end is a leaf, even when it is empty.
    #[must_use]
    pub fn finish(mut self) -> DataRoot {
        while self.rest.len() >= MAX_CHUNK {
            let left = self.rest.len() - MAX_CHUNK;
            let halve = self.split == Split::ArweaveJs && left > 0 && left < MIN_CHUNK;
            self.cut(if halve { self.rest.len().div_ceil(2) } else { MAX_CHUNK });
        }
        self.cut(self.rest.len());
        let mut subtrees = self.subtrees.into_iter().rev().map(|(_, node)| node);
        // A last node without a partner goes up as it is.
        let root = subtrees
            .next()
            .map(|last| subtrees.fold(last, |right, left| branch(&left, &right)))
            .map_or([0; 32], |root| root.id);
        DataRoot { root: Id(root), size: self.size, leaves: self.leaves }
    }

    fn cut(&mut self, length: usize) {
        let chunk = self.rest.get(..length).unwrap_or(&self.rest);
        self.size = self.size.saturating_add(chunk.len() as u64);
        let mut node = leaf(&hash(&[chunk]), self.size);
        self.rest.drain(..length.min(self.rest.len()));
        self.leaves += 1;
        let mut height = 0;
        while let Some((_, left)) = self.subtrees.pop_if(|(other, _)| *other == height) {
            node = branch(&left, &node);
            height += 1;
        }
        self.subtrees.push((height, node));
    }
}

/// A leaf before it is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// 32 bytes, or none: the SHA-256 of a chunk, a data root, or nothing for padding and for a transaction without
    /// data.
    pub data: Option<Id>,
    /// Where it ends.
    pub end: u64,
}

/// The leaves of data in memory, for one who makes proofs.
#[must_use]
pub fn leaves(data: &[u8], split: Split) -> Vec<Leaf> {
    let mut found = Vec::new();
    let mut rest = data;
    let mut end = 0;
    let mut take = |bytes: &[u8]| {
        end += bytes.len() as u64;
        found.push(Leaf { data: Some(Id::sha256(bytes)), end });
    };
    while rest.len() >= MAX_CHUNK {
        let left = rest.len() - MAX_CHUNK;
        let halve = split == Split::ArweaveJs && left > 0 && left < MIN_CHUNK;
        let (chunk, after) = rest.split_at(if halve { rest.len().div_ceil(2) } else { MAX_CHUNK });
        take(chunk);
        rest = after;
    }
    take(rest);
    found
}

/// A whole tree in memory: its root, and paths.
#[derive(Clone, Debug)]
pub struct Tree {
    leaves: Vec<Leaf>,
    /// The layers, the leaves' ids first, the root last.
    layers: Vec<Vec<Node>>,
}

impl Tree {
    /// The tree over these leaves; `None` without any.
    #[must_use]
    pub fn new(leaves: Vec<Leaf>) -> Option<Self> {
        let mut layer: Vec<Node> = leaves
            .iter()
            .map(|one| leaf(one.data.as_ref().map_or(&[][..], |id| id.as_bytes()), one.end))
            .collect();
        if layer.is_empty() {
            return None;
        }
        let mut layers = Vec::new();
        while layer.len() > 1 {
            let above = layer.chunks(2).map(parent).collect();
            layers.push(std::mem::replace(&mut layer, above));
        }
        layers.push(layer);
        Some(Self { leaves, layers })
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Id {
        Id(self.layers.last().and_then(|layer| layer.first()).map_or([0; 32], |root| root.id))
    }

    /// The path to a leaf, by its number. `None` if there is no such leaf. A leaf without data has a path that no
    /// verifier takes.
    #[must_use]
    pub fn path(&self, number: usize) -> Option<Vec<u8>> {
        let leaf = self.leaves.get(number)?;
        let mut out = Vec::new();
        // From the root down; a layer where the node has no partner is not in the path.
        for (height, layer) in self.layers.iter().enumerate().rev().skip(1) {
            let left = (number >> height) & !1;
            if let (Some(left), Some(right)) = (layer.get(left), layer.get(left + 1)) {
                out.extend_from_slice(&left.id);
                out.extend_from_slice(&right.id);
                out.extend_from_slice(&note(left.max));
            }
        }
        out.extend_from_slice(leaf.data.as_ref().map_or(&[][..], |id| id.as_bytes()));
        out.extend_from_slice(&note(leaf.end));
        Some(out)
    }
}

/// The id of a leaf.
#[must_use]
pub fn leaf_id(data: &[u8; 32], end: &[u8; 32]) -> [u8; 32] {
    hash(&[&hash(&[data]), &hash(&[end])])
}

/// The id of a branch.
#[must_use]
pub fn branch_id(left: &[u8; 32], right: &[u8; 32], left_end: &[u8; 32]) -> [u8; 32] {
    hash(&[&hash(&[left]), &hash(&[right]), &hash(&[left_end])])
}

/// An offset as a tree hashes it: 32 bytes, big-endian.
#[must_use]
pub fn note(offset: u64) -> [u8; 32] {
    let mut out = [0; 32];
    out[24..].copy_from_slice(&offset.to_be_bytes());
    out
}

#[derive(Clone, Debug)]
struct Node {
    id: [u8; 32],
    /// The offset where this node's data ends.
    max: u64,
}

fn leaf(data: &[u8], max: u64) -> Node {
    Node { id: hash(&[&hash(&[data]), &hash(&[&note(max)])]), max }
}

fn branch(left: &Node, right: &Node) -> Node {
    Node { id: branch_id(&left.id, &right.id, &note(left.max)), max: right.max }
}

/// A pair's branch; a last node without a partner goes up as it is.
fn parent(pair: &[Node]) -> Node {
    match pair {
        [left, right] => branch(left, right),
        [lone, ..] => lone.clone(),
        [] => Node { id: [0; 32], max: 0 },
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
