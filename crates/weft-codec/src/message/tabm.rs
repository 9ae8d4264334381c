//! Type annotated binary messages: binaries, and maps of them.

use std::collections::BTreeMap;
use std::collections::btree_map;

use super::generation::is_id_like;
use super::{COMMITMENTS, LINK, MAX_DEPTH, PRIVATE, too_deep};
use crate::error::Result;

/// What a [`Tabm`] holds under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Bytes.
    Binary(Vec<u8>),
    /// A nested message.
    Map(Tabm),
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Binary(text.as_bytes().to_vec())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Binary(text.into_bytes())
    }
}

impl From<Vec<u8>> for Node {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Tabm> for Node {
    fn from(map: Tabm) -> Self {
        Self::Map(map)
    }
}

/// A message of binaries and maps, in byte order of the keys (reference ao-core.md §1).
///
/// A key that ends in `+link` holds the id of what would stand under the key without it. A list is a map with the keys
/// `1`, `2`, …. The types of the values are in the key `ao-types`, the commitments in the map `commitments`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tabm {
    entries: BTreeMap<String, Node>,
}

impl Tabm {
    /// An empty message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The message with one more key, or another value for it.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, node: impl Into<Node>) -> Self {
        self.set(key, node);
        self
    }

    /// Sets a key.
    pub fn set(&mut self, key: impl Into<String>, node: impl Into<Node>) -> Option<Node> {
        self.entries.insert(key.into(), node.into())
    }

    /// What stands under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.get(key)
    }

    /// The bytes under a key.
    #[must_use]
    pub fn binary(&self, key: &str) -> Option<&[u8]> {
        match self.entries.get(key)? {
            Node::Binary(bytes) => Some(bytes),
            Node::Map(_) => None,
        }
    }

    /// The bytes under a key, where they are UTF-8.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        std::str::from_utf8(self.binary(key)?).ok()
    }

    /// The map under a key.
    #[must_use]
    pub fn map(&self, key: &str) -> Option<&Self> {
        match self.entries.get(key)? {
            Node::Map(map) => Some(map),
            Node::Binary(_) => None,
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.entries.remove(key)
    }

    /// Whether the key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Keys and what they hold, in byte order.
    pub fn iter(&self) -> btree_map::Iter<'_, String, Node> {
        self.entries.iter()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The message without what is not its content: commitments and private keys.
    #[must_use]
    pub fn content(&self) -> Self {
        let kept = self.entries.iter().filter(|(key, _)| *key != COMMITMENTS && !key.starts_with(PRIVATE));
        Self { entries: kept.map(|(key, node)| (key.clone(), node.clone())).collect() }
    }

    /// The nested messages, commitments left out.
    pub fn content_maps(&self) -> impl Iterator<Item = &Self> {
        self.entries.iter().filter(|(key, _)| *key != COMMITMENTS).filter_map(|(_, node)| node.as_map())
    }

    /// The binaries whose keys are taken for ids by their length: as headers they travel together, in `ao-ids`.
    pub fn id_like(&self) -> impl Iterator<Item = (String, Node)> + '_ {
        let alike = self.entries.iter().filter(|(key, node)| is_id_like(key) && node.as_map().is_none());
        alike.map(|(key, node)| (key.clone(), node.clone()))
    }

    /// The key as it stands in the message: itself, or with `+link`.
    #[must_use]
    pub fn key_or_link(&self, key: &str) -> Option<String> {
        if self.has(key) {
            return Some(key.to_owned());
        }
        let linked = format!("{key}{LINK}");
        self.has(&linked).then_some(linked)
    }

    /// A numbered map as a list: `1`, `2`, … (or from another number on) without a gap. None for any other map. A note
    /// that it is a list is passed over.
    #[must_use]
    pub fn numbered(&self) -> Option<Vec<&Node>> {
        let mut numbered = BTreeMap::new();
        for (key, node) in self.entries.iter().filter(|(key, _)| *key != super::TYPES) {
            let number: u32 = key.parse().ok().filter(|number: &u32| number.to_string() == *key)?;
            numbered.insert(number, node);
        }
        let first = numbered.keys().next().copied().unwrap_or(1);
        let gapless = (first..).zip(numbered.keys()).all(|(wanted, there)| wanted == *there);
        gapless.then(|| numbered.into_values().collect())
    }

    /// A numbered map of texts.
    #[must_use]
    pub fn of_texts(texts: impl IntoIterator<Item = String>) -> Self {
        (1_usize..).zip(texts).map(|(number, text)| (number.to_string(), Node::from(text))).collect()
    }

    /// Refuses a message that is too deep for what recurses. Error: `too-large`.
    pub(super) fn check_depth(&self) -> Result<()> {
        let mut level: Vec<&Self> = vec![self];
        for _ in 0..=MAX_DEPTH {
            level = level.iter().flat_map(|map| map.entries.values()).filter_map(Node::as_map).collect();
            if level.is_empty() {
                return Ok(());
            }
        }
        Err(too_deep())
    }
}

impl Node {
    /// The map, where it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Tabm> {
        match self {
            Self::Map(map) => Some(map),
            Self::Binary(_) => None,
        }
    }
}

impl FromIterator<(String, Node)> for Tabm {
    fn from_iter<I: IntoIterator<Item = (String, Node)>>(pairs: I) -> Self {
        Self { entries: pairs.into_iter().collect() }
    }
}

impl IntoIterator for Tabm {
    type Item = (String, Node);
    type IntoIter = btree_map::IntoIter<String, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Tabm {
    type Item = (&'a String, &'a Node);
    type IntoIter = btree_map::Iter<'a, String, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}
