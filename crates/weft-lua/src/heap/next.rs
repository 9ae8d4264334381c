//! Stepping through a table in order.

use std::cmp::Ordering;

use super::Heap;
use super::order::Order;
use crate::number::float_to_integer;
use crate::value::{TableId, Value};

/// New keys up to which each is put into its place; more are sorted in.
const FEW: usize = 8;

impl Heap {
    /// The entry after a key, in order; the first after `nil`. The key need not be there.
    pub(crate) fn next(&mut self, table: TableId, key: Value) -> Option<(Value, Value)> {
        // A float that is a whole number from 1 on is that number.
        let key = if let Value::Float(_) = key { self.key(key) } else { key };
        let after = match key {
            // As in Luerl, where `nil` asks for the first.
            Value::Nil => Some(0),
            Value::Int(n) => usize::try_from(n).ok().filter(|n| *n >= 1),
            Value::Float(f) if f >= 1.0 && f.fract() == 0.0 => {
                let whole = float_to_integer(f).to_clamped().unwrap_or(i64::MAX);
                Some(usize::try_from(whole).unwrap_or(usize::MAX))
            }
            _ => None,
        };
        if let Some(after) = after {
            let array = &self.table(table).array;
            let rest = array.get(after..).unwrap_or_default();
            if let Some(skipped) = rest.iter().position(|value| !value.is_nil()) {
                if skipped > 64 {
                    self.pay(skipped as u64 / 16);
                }
                let at = after + skipped;
                return Some((
                    Value::Int(i64::try_from(at + 1).unwrap_or(i64::MAX)),
                    self.table(table).array[at],
                ));
            }
        }
        let object = self.table(table);
        if object.nodes.is_empty() && object.rare.is_none() {
            return None;
        }
        self.next_in_order(table, key)
    }

    /// The entry after key `nil`, which only the first entry is asked for with.
    pub(crate) fn next_after_nil(&mut self, table: TableId) -> Option<(Value, Value)> {
        let order = self.take_order(table);
        let after =
            order.keys.partition_point(|other| self.key_order(*other, Value::Nil) != Ordering::Greater);
        let found =
            order.keys.iter().skip(after).map(|key| (*key, self.get(table, *key))).find(|(_, v)| !v.is_nil());
        self.table_mut(table).rare().order = Some(order);
        found
    }

    fn next_in_order(&mut self, table: TableId, key: Value) -> Option<(Value, Value)> {
        let mut order = self.take_order(table);
        let mut at = if key.is_nil() { 0 } else { self.place_after(&order, key) };
        let found = loop {
            let Some(candidate) = order.keys.get(at).copied() else { break None };
            at += 1;
            let value = self.get(table, candidate);
            // What was moved into the array has been answered there.
            let in_array = matches!(candidate, Value::Int(n) if self.table(table).array_at(n).is_some());
            if !value.is_nil() && !in_array {
                break Some((candidate, value));
            }
        };
        order.hint = at;
        self.table_mut(table).rare().order = Some(order);
        found
    }

    /// The place of the first key above this one.
    fn place_after(&self, order: &Order, key: Value) -> usize {
        if let Some(last) = order.hint.checked_sub(1)
            && order.keys.get(last).is_some_and(|last| self.key_order(*last, key) == Ordering::Equal)
        {
            return order.hint;
        }
        order.keys.partition_point(|other| self.key_order(*other, key) != Ordering::Greater)
    }

    /// The order of a table's hash part, with all keys in it.
    fn take_order(&mut self, table: TableId) -> Order {
        let taken = self.table_mut(table).rare().order.take();
        let Some(mut order) = taken else {
            let object = self.table(table);
            let mut keys: Vec<Value> =
                object.nodes.iter().filter(|n| !n.key.is_nil() && !n.value.is_nil()).map(|n| n.key).collect();
            if object.rare.as_ref().is_some_and(|rare| rare.nil.is_some()) {
                keys.push(Value::Nil);
            }
            self.sort(&mut keys);
            return Order { keys, new: Vec::new(), hint: 0 };
        };
        let new = std::mem::take(&mut order.new);
        if new.len() <= FEW {
            for key in new {
                match order.keys.binary_search_by(|other| self.key_order(*other, key)) {
                    Ok(at) => order.keys[at] = key,
                    Err(at) => {
                        self.pay(order.keys.len() as u64 / 64);
                        order.keys.insert(at, key);
                    }
                }
            }
        } else {
            order.keys.extend(new);
            self.sort(&mut order.keys);
            order.keys.dedup_by(|later, earlier| {
                let same = self.key_order(*later, *earlier) == Ordering::Equal;
                if same {
                    *earlier = *later;
                }
                same
            });
        }
        order
    }

    fn sort(&self, keys: &mut [Value]) {
        self.pay(keys.len() as u64);
        keys.sort_by(|a, b| self.key_order(*a, *b));
    }
}
