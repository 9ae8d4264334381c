//! Tables: an array of the keys 1 to n, and a hash table of all others.
//!
//! What a script sees of a table has Luerl's order: whole numbers from 1 upwards, then all other keys in the order of Erlang's
//! terms. The order is made when somebody asks for it ([`super::order`]) and kept until a new key comes.

use super::order::Order;
use crate::value::{TableId, Value};

/// A place in the hash table. Key `nil` and value `nil`: free. Key `nil` and any other value: was taken once. A key with
/// value `nil`: its entry was removed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) key: Value,
    pub(crate) value: Value,
}

pub(crate) const FREE: Node = Node { key: Value::Nil, value: Value::Nil };
/// Was taken by a key that the garbage collector has since forgotten.
pub(crate) const GRAVE: Node = Node { key: Value::Nil, value: Value::Bool(true) };

/// What few tables have.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rare {
    /// The keys of the hash table in order.
    pub(crate) order: Option<Order>,
    /// The value of key `nil`, which only a constructor can make.
    pub(crate) nil: Option<Value>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Table {
    pub(crate) array: Vec<Value>,
    pub(crate) nodes: Box<[Node]>,
    /// Places that are not free.
    pub(crate) taken: usize,
    pub(crate) meta: Option<TableId>,
    pub(crate) rare: Option<Box<Rare>>,
    /// How many values at the beginning of the array are known not to be `nil`.
    pub(crate) dense: usize,
    /// The largest whole number ever set as a key beyond the array: `table.sort` sorts up to it.
    pub(crate) top: u64,
    /// The number Luerl knows it by.
    pub(crate) number: u64,
    /// The transaction in which it was made; changes to older tables are written down.
    pub(crate) born: u32,
    pub(crate) live: bool,
}

/// How a key is looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashed {
    pub(crate) key: Value,
    pub(crate) hash: u32,
}

impl Table {
    /// Bytes it takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.array.capacity() * size_of::<Value>() + self.nodes.len() * size_of::<Node>()
    }

    /// The value at a whole number from 1, if it is in the array.
    #[inline]
    pub(crate) fn array_at(&self, key: i64) -> Option<Value> {
        usize::try_from(key.wrapping_sub(1)).ok().and_then(|at| self.array.get(at)).copied()
    }

    /// The value of a short string.
    #[inline]
    pub(crate) fn short(&self, id: crate::value::StrId) -> Value {
        if self.nodes.is_empty() {
            return Value::Nil;
        }
        let mask = self.nodes.len() - 1;
        let mut at = hash_index(id.0) as usize & mask;
        loop {
            let node = &self.nodes[at & mask];
            match node.key {
                Value::Str(key) if key == id => return node.value,
                Value::Nil if node.value.is_nil() => return Value::Nil,
                _ => at += 1,
            }
        }
    }

    /// Sets a short string that is there already; answers whether it was.
    #[inline]
    pub(crate) fn replace_short(&mut self, id: crate::value::StrId, value: Value) -> bool {
        if self.nodes.is_empty() {
            return false;
        }
        let mask = self.nodes.len() - 1;
        let mut at = hash_index(id.0) as usize & mask;
        loop {
            let node = &mut self.nodes[at & mask];
            match node.key {
                Value::Str(key) if key == id => {
                    if node.value.is_nil() {
                        return false;
                    }
                    node.value = value;
                    return true;
                }
                Value::Nil if node.value.is_nil() => return false,
                _ => at += 1,
            }
        }
    }

    /// The place of a key, and how many places were visited.
    #[inline]
    pub(crate) fn find(&self, wanted: Hashed, same: impl Fn(Value, Value) -> bool) -> (Option<usize>, u64) {
        if self.nodes.is_empty() {
            return (None, 0);
        }
        let mask = self.nodes.len() - 1;
        let mut at = wanted.hash as usize & mask;
        let mut visited = 0;
        loop {
            let node = &self.nodes[at & mask];
            if node.key.is_nil() {
                if node.value.is_nil() {
                    return (None, visited);
                }
            } else if same(node.key, wanted.key) {
                return (Some(at & mask), visited);
            }
            at = (at + 1) & mask;
            visited += 1;
        }
    }

    /// Puts a key that is not there. There must be a free place.
    pub(crate) fn put(&mut self, wanted: Hashed, value: Value) {
        let mask = self.nodes.len().wrapping_sub(1);
        let mut at = wanted.hash as usize & mask;
        while let Some(node) = self.nodes.get_mut(at & mask) {
            if node.key.is_nil() {
                if node.value.is_nil() {
                    self.taken += 1;
                }
                *node = Node { key: wanted.key, value };
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// After entries became graves: if there are no others, all places are free.
    pub(super) fn free_if_empty(&mut self) {
        if self.nodes.iter().all(|node| node.key.is_nil()) {
            self.nodes.fill(FREE);
            self.taken = 0;
        }
    }

    /// Whether a further key fits without growing.
    pub(crate) fn has_room(&self) -> bool {
        (self.taken + 1) * 4 <= self.nodes.len() * 3
    }

    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(crate) fn order_mut(&mut self) -> Option<&mut Order> {
        self.rare.as_mut().and_then(|rare| rare.order.as_mut())
    }
}

/// The hash of an index.
#[inline]
pub(crate) const fn hash_index(index: u32) -> u32 {
    let mixed = index.wrapping_mul(0x9e37_79b9);
    mixed ^ (mixed >> 15)
}
