//! The pages of a memory, as a tree that shares what did not change.
//!
//! A node has up to 64 children; pages are at the bottom, and what holds zeros alone is left out. A copy shares everything, a
//! changed page costs the nodes above it, and where two trees differ is found without looking at what they share. Each node keeps
//! its hash, so that the root over a memory costs what changed since it was asked last.

use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use weft_codec::Id;

/// Bytes of a page.
pub const PAGE: usize = 4_096;

/// Children of a node.
pub(crate) const FAN: usize = 64;

/// Bits of an index that choose a child.
const FAN_BITS: u32 = 6;

/// Most levels: 16 GiB have four million pages.
const LEVELS: usize = 5;

/// A part of the tree.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    hash: OnceLock<Id>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Page(Box<[u8; PAGE]>),
    Branch(Box<[Child; FAN]>),
}

/// `None` for zeros.
pub(crate) type Child = Option<Arc<Node>>;

impl Node {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, hash: OnceLock::new() }
    }

    fn branch(children: [Child; FAN]) -> Child {
        let empty = children.iter().all(Option::is_none);
        (!empty).then(|| Arc::new(Self::new(Kind::Branch(Box::new(children)))))
    }

    pub(crate) fn children(&self) -> &[Child] {
        match &self.kind {
            Kind::Page(_) => &[],
            Kind::Branch(children) => children.as_slice(),
        }
    }

    /// Its hash; `level` is that of what is below it: 0 for pages.
    pub(crate) fn hash(&self, level: usize) -> Id {
        *self.hash.get_or_init(|| match &self.kind {
            Kind::Page(bytes) => page_hash(bytes.as_slice()),
            Kind::Branch(children) => {
                let below = level.saturating_sub(1);
                branch_hash(children.iter().map(|child| hash_of(child, below)))
            }
        })
    }
}

fn page_hash(bytes: &[u8]) -> Id {
    Id(Sha256::new().chain_update([0]).chain_update(bytes).finalize().into())
}

fn branch_hash(children: impl Iterator<Item = Id>) -> Id {
    let hash = children.fold(Sha256::new().chain_update([1]), |hash, child| hash.chain_update(child.0));
    Id(hash.finalize().into())
}

/// The hash of a child at a level: 0 for pages.
pub(crate) fn hash_of(child: &Child, level: usize) -> Id {
    match child {
        Some(node) => node.hash(level),
        None => zeros().get(level).copied().unwrap_or(Id([0; 32])),
    }
}

/// The hashes of zeros, level by level.
fn zeros() -> &'static [Id; LEVELS] {
    static ZEROS: OnceLock<[Id; LEVELS]> = OnceLock::new();
    ZEROS.get_or_init(|| {
        let mut below = page_hash(&[0; PAGE]);
        std::array::from_fn(|level| {
            if level > 0 {
                below = branch_hash(std::iter::repeat_n(below, FAN));
            }
            below
        })
    })
}

/// The pages of a memory.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    bytes: u64,
    /// Levels of branches above the pages.
    height: u32,
    top: Child,
}

impl Pages {
    /// Zeros.
    pub(crate) fn new(bytes: u64) -> Self {
        Self { bytes, height: height(bytes), top: None }
    }

    /// The memory's size in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Levels of branches.
    pub(crate) fn height(&self) -> usize {
        usize::try_from(self.height).unwrap_or(LEVELS)
    }

    /// Makes room for a memory that grew.
    pub(crate) fn grow(&mut self, bytes: u64) {
        let height = height(bytes);
        while self.height < height {
            let mut children = [const { None }; FAN];
            children[0] = self.top.take();
            self.top = Node::branch(children);
            self.height += 1;
        }
        self.bytes = bytes;
    }

    /// A page; `None` if it holds zeros.
    pub(crate) fn get(&self, index: u64) -> Option<&[u8; PAGE]> {
        let mut node = self.top.as_ref()?;
        for level in (0..self.height).rev() {
            node = node.children().get(slot(index, level))?.as_ref()?;
        }
        match &node.kind {
            Kind::Page(bytes) => Some(bytes),
            Kind::Branch(_) => None,
        }
    }

    /// Puts a page of [`PAGE`] bytes there. One that is there already stays.
    pub(crate) fn set(&mut self, index: u64, page: &[u8]) {
        let same = match self.get(index) {
            Some(old) => old == page,
            None => is_zero(page),
        };
        let Ok(bytes) = <&[u8; PAGE]>::try_from(page) else { return };
        if !same {
            let page = (!is_zero(page)).then(|| Arc::new(Node::new(Kind::Page(Box::new(*bytes)))));
            put(&mut self.top, index, self.height, page);
        }
    }

    /// The pages that are not zero, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.leaves().filter_map(|(index, leaf)| match &leaf.kind {
            Kind::Page(bytes) => Some((index, bytes.as_slice())),
            Kind::Branch(_) => None,
        })
    }

    /// As [`Pages::iter`], each with its hash.
    pub(crate) fn hashed(&self) -> impl Iterator<Item = (u64, Id, &[u8])> {
        self.leaves().filter_map(|(index, leaf)| match &leaf.kind {
            Kind::Page(bytes) => Some((index, leaf.hash(0), bytes.as_slice())),
            Kind::Branch(_) => None,
        })
    }

    fn leaves(&self) -> impl Iterator<Item = (u64, &Node)> {
        let mut open: Vec<(u64, u32, &Node)> =
            self.top.as_deref().map(|top| (0, self.height, top)).into_iter().collect();
        std::iter::from_fn(move || {
            loop {
                let (index, level, node) = open.pop()?;
                match &node.kind {
                    Kind::Page(_) => return Some((index, node)),
                    Kind::Branch(children) => {
                        let below = children.iter().enumerate().rev();
                        open.extend(below.filter_map(|(place, child)| {
                            let index = index << FAN_BITS | u64::try_from(place).ok()?;
                            Some((index, level.saturating_sub(1), child.as_deref()?))
                        }));
                    }
                }
            }
        })
    }

    /// The indices of the pages that differ, ascending.
    pub(crate) fn differing(&self, other: &Self) -> Vec<u64> {
        let (mut one, mut two) = (self.clone(), other.clone());
        let most = one.bytes.max(two.bytes);
        one.grow(most);
        two.grow(most);
        let mut found = Vec::new();
        differ(&one.top, &two.top, 0, one.height, &mut found);
        found
    }

    /// The root over the memory: docs/wasm.md, "The root of a memory".
    pub(crate) fn root(&self) -> Id {
        let top = hash_of(&self.top, self.height());
        let hash = Sha256::new().chain_update([2]).chain_update(self.bytes.to_le_bytes()).chain_update(top.0);
        Id(hash.finalize().into())
    }
}

impl PartialEq for Pages {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.differing(other).is_empty()
    }
}

impl Eq for Pages {}

/// The levels of branches that this many bytes need: at least one.
fn height(bytes: u64) -> u32 {
    let pages = bytes / PAGE as u64;
    (1..).find(|height| pages <= 1 << (FAN_BITS * height).min(60)).unwrap_or(1)
}

/// Which child of a branch an index is under; `level` is the one below the branch.
fn slot(index: u64, level: u32) -> usize {
    usize::try_from((index >> (FAN_BITS * level)) & (FAN as u64 - 1)).unwrap_or(0)
}

fn put(child: &mut Child, index: u64, level: u32, page: Child) {
    let Some(below) = level.checked_sub(1) else {
        *child = page;
        return;
    };
    let empty = || Arc::new(Node::new(Kind::Branch(Box::new([const { None }; FAN]))));
    let node = child.get_or_insert_with(empty);
    if Arc::get_mut(node).is_none() {
        // Somebody else holds it: a copy shares what is below.
        let children = match &node.kind {
            Kind::Branch(children) => children.clone(),
            Kind::Page(_) => Box::new([const { None }; FAN]),
        };
        *node = Arc::new(Node::new(Kind::Branch(children)));
    }
    let Some(Node { kind: Kind::Branch(children), hash }) = Arc::get_mut(node) else { return };
    hash.take();
    if let Some(child) = children.get_mut(slot(index, below)) {
        put(child, index, below, page);
    }
    if children.iter().all(Option::is_none) {
        *child = None;
    }
}

fn differ(one: &Child, two: &Child, index: u64, level: u32, found: &mut Vec<u64>) {
    let same = match (one, two) {
        (None, None) => true,
        (Some(one), Some(two)) => {
            Arc::ptr_eq(one, two) || (known(one, two) && one.hash.get() == two.hash.get())
        }
        _ => false,
    };
    if same {
        return;
    }
    let Some(below) = level.checked_sub(1) else {
        if page(one) != page(two) {
            found.push(index);
        }
        return;
    };
    let child = |node: &Child, at: usize| node.as_ref().and_then(|node| node.children().get(at)?.clone());
    for (at, place) in (0..FAN).zip(0_u64..) {
        differ(&child(one, at), &child(two, at), index << FAN_BITS | place, below, found);
    }
}

fn page(child: &Child) -> Option<&[u8; PAGE]> {
    match &child.as_deref()?.kind {
        Kind::Page(bytes) => Some(bytes),
        Kind::Branch(_) => None,
    }
}

/// Whether both were hashed.
fn known(one: &Node, two: &Node) -> bool {
    one.hash.get().is_some() && two.hash.get().is_some()
}

/// Whether a page holds only zeros. Reads eight bytes at a time: in wasm32 a comparison with a slice of zeros reads one.
pub(crate) fn is_zero(page: &[u8]) -> bool {
    let (words, rest) = page.as_chunks::<8>();
    let (blocks, words) = words.as_chunks::<16>();
    blocks.iter().all(|block| block.iter().fold(0, |sum, word| sum | u64::from_le_bytes(*word)) == 0)
        && words.iter().all(|word| u64::from_le_bytes(*word) == 0)
        && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(byte: u8) -> [u8; PAGE] {
        [byte; PAGE]
    }

    #[test]
    fn a_copy_is_not_changed_with_the_original() {
        let mut pages = Pages::new(300 * PAGE as u64);
        for (index, byte) in [(0, 1), (63, 2), (64, 3), (299, 4)] {
            pages.set(index, &page(byte));
        }
        let before = pages.clone();
        pages.set(63, &page(0));
        pages.set(100, &page(9));
        // As it is.
        pages.set(64, &page(3));
        assert_eq!(pages.differing(&before), [63, 100]);
        assert_eq!(before.get(63), Some(&page(2)));
        let found: Vec<u64> = pages.iter().map(|(index, _)| index).collect();
        assert_eq!(found, [0, 64, 100, 299]);
        assert!(pages != before);
    }

    #[test]
    fn a_memory_that_grows_keeps_its_pages() {
        let mut pages = Pages::new(64 * PAGE as u64);
        pages.set(5, &page(7));
        let small = pages.clone();
        pages.grow((64 * 64 + 1) * PAGE as u64);
        assert!(pages.height() == 3 && pages.get(5) == Some(&page(7)));
        pages.set(4096, &page(8));
        assert_eq!(pages.differing(&small), [4096]);
        let mut whole = Pages::new(pages.bytes());
        whole.set(4096, &page(8));
        whole.set(5, &page(7));
        assert!(whole == pages && whole.root() == pages.root());
        assert_ne!(small.root(), pages.root());
    }

    /// By the text of docs/wasm.md alone.
    #[test]
    fn the_root_is_what_the_documents_say() {
        let mut pages = Pages::new(65_536);
        pages.set(2, &page(1));
        let sha = |parts: &[&[u8]]| -> [u8; 32] { Sha256::digest(parts.concat()).into() };
        let leaves: Vec<[u8; 32]> = (0..64).map(|index| sha(&[&[0], &page(u8::from(index == 2))])).collect();
        let branch = sha(&[&[1], &leaves.concat()]);
        assert_eq!(pages.root().0, sha(&[&[2], &65_536_u64.to_le_bytes(), &branch]));
    }
}
