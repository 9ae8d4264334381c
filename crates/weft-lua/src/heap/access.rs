//! Reading and writing tables, without metamethods.

use super::Heap;
use super::table::{FREE, Hashed, Node, hash_index};
use crate::number::{Num, float_to_integer};
use crate::value::{TableId, Value};

/// Places of a hash table that a lookup may visit without paying for it.
const FREE_PROBES: u64 = 8;

impl Heap {
    /// Lua's `==` without metamethods, which is Erlang's: numbers by value, all else by identity or content.
    #[inline]
    pub(crate) fn equal(&self, a: Value, b: Value) -> bool {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => self.strings.same(a, b),
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Table(a), Value::Table(b)) => a == b,
            (Value::Function(p, e), Value::Function(q, f)) => p == q && e == f,
            (Value::Native(a), Value::Native(b)) => a == b,
            (Value::Thread(a), Value::Thread(b)) => a == b,
            _ => match (self.num(a), self.num(b)) {
                (Some(a), Some(b)) => a.same_value(&b),
                _ => false,
            },
        }
    }

    /// Erlang's `=:=`: as [`Self::equal`], but an integer is no float.
    pub(crate) fn identical(&self, a: Value, b: Value) -> bool {
        match (self.num(a), self.num(b)) {
            (Some(a), Some(b)) => a.identical(&b),
            _ => self.equal(a, b),
        }
    }

    /// The form in which a key is kept: a float that is a whole number from 1 on is that number.
    #[inline]
    pub(crate) fn key(&mut self, key: Value) -> Value {
        match key {
            Value::Float(f) if self.exact => match crate::number::lua53::float_to_int(f) {
                Some(n) => Value::Int(n),
                None => key,
            },
            Value::Float(f) if f >= 1.0 && f.fract() == 0.0 => {
                let whole = float_to_integer(f);
                self.value(whole)
            }
            other => other,
        }
    }

    fn hashed(&self, key: Value) -> Hashed {
        let hash = match key {
            Value::Nil => 0,
            Value::Bool(truth) => hash_index(2 + u32::from(truth)),
            Value::Int(n) => hash_wide(n.cast_unsigned()),
            // Below 1, an integer and the float of its value are one key.
            Value::Float(f) if f.fract() == 0.0 => match float_to_integer(f) {
                Num::Int(n) => hash_wide(n.cast_unsigned()),
                Num::Big(big) => hash_big(&big),
                Num::Float(f) => hash_wide(f.to_bits()),
            },
            Value::Float(f) => hash_wide(f.to_bits()),
            Value::Big(id) => hash_big(self.big(id)),
            Value::Str(id) if id.is_long() => self.strings.hash(id),
            Value::Str(id) => hash_index(id.0),
            Value::Table(id) => hash_index(id.0 ^ 0x5555_5555),
            Value::Function(p, e) => hash_index(p.0 ^ e.0.rotate_left(16)),
            Value::Native(id) => hash_index(id.0 ^ 0x3333_3333),
            Value::Thread(id) => hash_index(id.0 ^ 0x0f0f_0f0f),
        };
        Hashed { key, hash }
    }

    #[inline]
    fn find(&self, table: TableId, key: Value) -> (Option<usize>, Hashed) {
        let hashed = self.hashed(key);
        let (at, visited) = self.table(table).find(hashed, |a, b| self.equal(a, b));
        if visited > FREE_PROBES {
            self.pay(visited - FREE_PROBES);
        }
        (at, hashed)
    }

    /// The value of a key; `nil` if it is not there.
    #[inline]
    pub(crate) fn get(&self, table: TableId, key: Value) -> Value {
        match key {
            Value::Int(n) => self.get_int(table, n),
            Value::Str(id) if !id.is_long() => self.table(table).short(id),
            Value::Nil => self.table(table).rare.as_ref().and_then(|rare| rare.nil).unwrap_or(Value::Nil),
            Value::Float(f) if f >= 1.0 && f.fract() == 0.0 => match float_to_integer(f) {
                Num::Int(n) => self.get_int(table, n),
                // Too large for an array; found by its value.
                _ => self.get_hashed(table, key),
            },
            _ => self.get_hashed(table, key),
        }
    }

    #[inline]
    pub(crate) fn get_int(&self, table: TableId, key: i64) -> Value {
        match self.table(table).array_at(key) {
            Some(value) => value,
            None => self.get_hashed(table, Value::Int(key)),
        }
    }

    pub(crate) fn get_hashed(&self, table: TableId, key: Value) -> Value {
        if self.table(table).nodes.is_empty() {
            return Value::Nil;
        }
        match self.find(table, key) {
            (Some(at), _) => self.table(table).nodes[at].value,
            (None, _) => Value::Nil,
        }
    }

    /// Sets a key, or removes it with `nil`.
    #[inline]
    pub(crate) fn set(&mut self, table: TableId, key: Value, value: Value) {
        let key = self.key(key);
        if let Value::Int(n) = key
            && n >= 1
        {
            return self.set_int(table, n, value);
        }
        if key.is_nil() {
            return self.set_nil_key(table, value);
        }
        self.set_hashed(table, key, value);
    }

    fn set_nil_key(&mut self, table: TableId, value: Value) {
        let old = self.get(table, Value::Nil);
        self.journal.entry(self.tables[table.index()].born, table, Value::Nil, old);
        let rare = self.table_mut(table).rare();
        rare.nil = if value.is_nil() { None } else { Some(value) };
    }

    /// Sets a whole number from 1 on.
    #[inline]
    pub(crate) fn set_int(&mut self, table: TableId, key: i64, value: Value) {
        let now = self.journal.now();
        let object = &mut self.tables[table.index()];
        let at = usize::try_from(key - 1).unwrap_or(usize::MAX);
        let length = object.array.len();
        if at < length {
            let place = &mut object.array[at];
            if object.born < now {
                self.journal.entry(object.born, table, Value::Int(key), *place);
            }
            *place = value;
            if value.is_nil() {
                object.dense = object.dense.min(at);
            }
            return;
        }
        if at == length && !value.is_nil() {
            return self.push(table, value);
        }
        self.set_sparse(table, key, value);
    }

    /// Sets the whole number after the array's last.
    fn push(&mut self, table: TableId, value: Value) {
        let now = self.journal.now();
        let object = &mut self.tables[table.index()];
        let key = i64::try_from(object.array.len()).unwrap_or(i64::MAX - 1) + 1;
        let was_in_nodes = object.top > 0;
        if object.born < now {
            let old = if was_in_nodes { self.get_hashed(table, Value::Int(key)) } else { Value::Nil };
            self.journal.entry(self.tables[table.index()].born, table, Value::Int(key), old);
        }
        let object = &mut self.tables[table.index()];
        let before = object.array.capacity();
        object.array.push(value);
        let grown = object.array.capacity() - before;
        if grown > 0 {
            self.used += grown * size_of::<Value>();
        }
        if was_in_nodes {
            self.gather(table, key);
        }
    }

    /// Moves the whole numbers that follow the array's last out of the hash part.
    #[cold]
    fn gather(&mut self, table: TableId, pushed: i64) {
        self.forget(table, Value::Int(pushed));
        loop {
            let length = self.table(table).array.len();
            let key = Value::Int(i64::try_from(length).unwrap_or(i64::MAX - 1) + 1);
            let next = self.get_hashed(table, key);
            if next.is_nil() {
                break;
            }
            self.forget(table, key);
            let object = self.table_mut(table);
            let before = object.array.capacity();
            object.array.push(next);
            let grown = object.array.capacity() - before;
            self.used += grown * size_of::<Value>();
        }
    }

    /// Removes a key from the hash part, not written down: its value lives on in the array.
    fn forget(&mut self, table: TableId, key: Value) {
        if let (Some(at), _) = self.find(table, key) {
            self.table_mut(table).nodes[at].value = Value::Nil;
        }
    }

    #[cold]
    fn set_sparse(&mut self, table: TableId, key: i64, value: Value) {
        self.set_hashed(table, Value::Int(key), value);
    }

    /// Sets a key of the hash part.
    pub(crate) fn set_hashed(&mut self, table: TableId, key: Value, value: Value) {
        let (at, hashed) = self.find(table, key);
        let old = at.map_or(Value::Nil, |at| self.table(table).nodes[at].value);
        if old.is_nil() && value.is_nil() {
            return;
        }
        let born = self.table(table).born;
        self.journal.entry(born, table, key, old);
        match at {
            Some(at) => {
                self.table_mut(table).nodes[at].value = value;
                // A key that was gone may be missing from the order, and comes back in the form of now.
                if old.is_nil() {
                    self.table_mut(table).nodes[at].key = key;
                    self.came(table, key);
                }
            }
            None => {
                if !self.table(table).has_room() {
                    self.grow(table);
                }
                self.table_mut(table).put(hashed, value);
                self.came(table, key);
            }
        }
    }

    fn came(&mut self, table: TableId, key: Value) {
        match key {
            Value::Int(n) if n >= 1 => self.raise_top(table, n.unsigned_abs()),
            Value::Big(_) if self.key_order(key, Value::Int(1)).is_gt() => self.raise_top(table, u64::MAX),
            _ => {}
        }
        if let Some(order) = self.table_mut(table).order_mut() {
            order.new.push(key);
        }
    }

    fn raise_top(&mut self, table: TableId, top: u64) {
        let object = &mut self.tables[table.index()];
        if object.top < top {
            self.journal.top(object.born, table, object.top);
            object.top = top;
        }
    }

    /// Notes that a whole number was set, be it to `nil`, as `rawset` and `table.insert` do: `table.sort` goes up to it.
    pub(crate) fn touch(&mut self, table: TableId, key: i64) {
        if key >= 1 && usize::try_from(key).unwrap_or(usize::MAX) > self.table(table).array.len() {
            self.raise_top(table, key.unsigned_abs());
        }
    }

    /// Makes room in the hash part.
    fn grow(&mut self, table: TableId) {
        let object = &self.tables[table.index()];
        let live = object.nodes.iter().filter(|node| !node.value.is_nil() && !node.key.is_nil()).count();
        let size = ((live + 1) * 2).next_power_of_two().max(4);
        self.resize(table, size);
    }

    /// Makes the hash part anew with so many places.
    pub(crate) fn resize(&mut self, table: TableId, size: usize) {
        let object = &mut self.tables[table.index()];
        let old = std::mem::replace(&mut object.nodes, vec![FREE; size].into());
        object.taken = 0;
        self.used += size * size_of::<Node>();
        self.used = self.used.saturating_sub(old.len() * size_of::<Node>());
        for node in old.iter().filter(|node| !node.value.is_nil() && !node.key.is_nil()) {
            let hashed = self.hashed(node.key);
            self.tables[table.index()].put(hashed, node.value);
        }
    }

    /// The size of a table is known beforehand, about.
    pub(crate) fn reserve(&mut self, table: TableId, array: usize, fields: usize) {
        let object = self.table_mut(table);
        let before = object.array.capacity();
        object.array.reserve(array);
        let grown = object.array.capacity() - before;
        self.used += grown * size_of::<Value>();
        if fields > 0 && self.table(table).nodes.is_empty() {
            self.resize(table, (fields * 4 / 3 + 1).next_power_of_two().max(4));
        }
    }

    /// Luerl's length: the keys that are there from 1 on without a gap, where 1 may be missing if 2 is there.
    pub(crate) fn length(&mut self, table: TableId) -> i64 {
        let object = self.table_mut(table);
        while object.array.get(object.dense).is_some_and(|value| !value.is_nil()) {
            object.dense += 1;
        }
        let dense = object.dense;
        if dense >= 1 {
            return i64::try_from(dense).unwrap_or(i64::MAX);
        }
        if self.get_int(table, 2).is_nil() {
            return 0;
        }
        let mut key = 3;
        while !self.get_int(table, key).is_nil() {
            key += 1;
        }
        self.pay(key.unsigned_abs());
        key - 1
    }

    /// A `nil` at the end of the array, for a constructor of Lua 5.3.
    pub(crate) fn pad(&mut self, table: TableId, key: i64) {
        let object = &mut self.tables[table.index()];
        if usize::try_from(key).is_ok_and(|key| key == object.array.len() + 1) {
            let before = object.array.capacity();
            object.array.push(Value::Nil);
            let grown = object.array.capacity() - before;
            self.used += grown * size_of::<Value>();
        }
    }

    /// Lua 5.3's length: a key with no next, found as PUC finds it.
    pub(crate) fn border(&self, table: TableId) -> i64 {
        let array = &self.table(table).array;
        if array.last().is_some_and(|last| last.is_nil()) {
            let (mut low, mut high) = (0, array.len());
            while high - low > 1 {
                let middle = low.midpoint(high);
                if array.get(middle - 1).is_none_or(|value| value.is_nil()) {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            return i64::try_from(low).unwrap_or(i64::MAX);
        }
        let mut low = i64::try_from(array.len()).unwrap_or(i64::MAX);
        if self.table(table).nodes.is_empty()
            || self.get_hashed(table, Value::Int(low.saturating_add(1))).is_nil()
        {
            return low;
        }
        let mut high = low + 1;
        while !self.get_int(table, high).is_nil() {
            low = high;
            match high.checked_mul(2) {
                Some(next) => high = next,
                None => return low,
            }
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.get_int(table, middle).is_nil() { high = middle } else { low = middle }
        }
        low
    }

    /// How far `table.sort` sorts: the largest whole number that ever was a key.
    pub(crate) fn top(&self, table: TableId) -> u64 {
        let object = self.table(table);
        object.top.max(object.array.len() as u64)
    }

    pub(crate) fn meta(&self, value: Value) -> Option<TableId> {
        match value {
            Value::Table(id) => self.table(id).meta,
            Value::Str(_) => self.metas.string,
            Value::Nil => self.metas.nil,
            Value::Bool(_) => self.metas.boolean,
            Value::Int(_) | Value::Float(_) | Value::Big(_) => self.metas.number,
            Value::Function(..) | Value::Native(_) | Value::Thread(_) => None,
        }
    }

    pub(crate) fn set_meta(&mut self, table: TableId, meta: Option<TableId>) {
        let object = &mut self.tables[table.index()];
        if object.born < self.journal.now() {
            self.journal.metatable(table, object.meta);
        }
        object.meta = meta;
    }
}

#[inline]
fn hash_wide(bits: u64) -> u32 {
    let mixed = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let upper = (mixed >> 32) as u32;
    upper ^ (upper >> 15)
}

fn hash_big(big: &num_bigint::BigInt) -> u32 {
    hash_wide(
        big.iter_u64_digits().fold(u64::from(big.sign() == num_bigint::Sign::Minus), |hash, digit| {
            hash.rotate_left(7) ^ digit
        }),
    )
}
