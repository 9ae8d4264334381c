//! The tree over a block's transactions, whose root the header has (reference arweave.md §5).

use super::Fork;
use crate::id::Id;
use crate::merkle::{self, Leaf, MAX_CHUNK, Split, Tree};
use crate::transaction::Transaction;

/// What a block's tree needs of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TxLeaf {
    /// 1 or 2.
    pub format: u8,
    /// The id.
    pub id: Id,
    /// The root of its data: in format 2 the signed one.
    pub data_root: Option<Id>,
    /// Bytes of data.
    pub data_size: u64,
}

impl TxLeaf {
    /// In format 1 the root is computed from the data, by the node's rule: even without data there is one.
    #[must_use]
    pub fn of(transaction: &Transaction) -> Self {
        let Transaction { format, data_size, data_root, data, .. } = transaction;
        let root = if *format == 1 { Some(merkle::data_root_split(data, Split::Node)) } else { *data_root };
        Self { format: *format, id: transaction.computed_id(), data_root: root, data_size: *data_size }
    }
}

/// Where a transaction's data are inside its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The transaction.
    pub id: Id,
    /// The first byte, from the block's start.
    pub start: u64,
    /// Behind the last byte.
    pub end: u64,
    /// The number of its leaf.
    pub leaf: usize,
}

/// The tree of a block's transactions.
#[derive(Clone, Debug)]
pub struct TransactionTree {
    /// The tree.
    pub tree: Tree,
    /// The transactions, in the tree's order.
    pub places: Vec<Place>,
    /// The block's size: data and padding.
    pub size: u64,
}

impl TransactionTree {
    /// The tree of these transactions, in whatever order they come: format 1 stands before format 2, and ids are in
    /// order. From fork 2.5 each is padded to whole chunks by a leaf without data. `None` without transactions.
    #[must_use]
    pub fn new(transactions: &[TxLeaf], height: u64) -> Option<Self> {
        let mut sorted = transactions.to_vec();
        sorted.sort_by_key(|one| (one.format, one.id));
        let (mut leaves, mut places, mut position) = (Vec::new(), Vec::new(), 0_u64);
        for one in sorted {
            let start = position;
            position = start.saturating_add(one.data_size);
            places.push(Place { id: one.id, start, end: position, leaf: leaves.len() });
            leaves.push(Leaf { data: one.data_root, end: position });
            let over = one.data_size % MAX_CHUNK as u64;
            if over > 0 && height >= Fork::HEIGHT_2_5 {
                position = position.saturating_add(MAX_CHUNK as u64 - over);
                leaves.push(Leaf { data: None, end: position });
            }
        }
        Some(Self { tree: Tree::new(leaves)?, places, size: position })
    }

    /// The path to a transaction.
    #[must_use]
    pub fn path(&self, id: Id) -> Option<Vec<u8>> {
        let place = self.places.iter().find(|place| place.id == id)?;
        self.tree.path(place.leaf)
    }
}
