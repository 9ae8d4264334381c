//! What a call changed in what was there before it, so that a failed call can be undone.
//!
//! Only changes to tables and variables older than the call are written down; what the call made goes with it.

use super::{Counters, Heap, Metas};
use crate::value::{EnvId, TableId, Value};

/// A change, with what was there before.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Entry(TableId, Value, Value),
    Variable(EnvId, u16, Value),
    Metatable(TableId, Option<TableId>),
    Top(TableId, u64),
}

/// The changes of the call in progress.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// The number of the call in progress; 0 while none is.
    now: u32,
    calls: u32,
    pub(super) changes: Vec<Change>,
    pub(super) before: Option<Box<(Counters, Metas)>>,
}

impl Journal {
    /// Objects born before this are older than the call in progress.
    #[inline]
    pub(crate) const fn now(&self) -> u32 {
        self.now
    }

    #[inline]
    pub(super) fn entry(&mut self, born: u32, table: TableId, key: Value, old: Value) {
        if born < self.now {
            self.changes.push(Change::Entry(table, key, old));
        }
    }

    pub(super) fn variable(&mut self, env: EnvId, slot: u16, old: Value) {
        self.changes.push(Change::Variable(env, slot, old));
    }

    pub(super) fn metatable(&mut self, table: TableId, old: Option<TableId>) {
        self.changes.push(Change::Metatable(table, old));
    }

    pub(super) fn top(&mut self, born: u32, table: TableId, old: u64) {
        if born < self.now {
            self.changes.push(Change::Top(table, old));
        }
    }

    /// Bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.changes.capacity() * size_of::<Change>()
    }
}

impl Heap {
    /// From here on, changes can be undone.
    pub(crate) fn begin(&mut self) {
        self.journal.calls += 1;
        self.journal.now = self.journal.calls;
        self.journal.before = Some(Box::new((self.counters.clone(), self.metas)));
    }

    /// The changes stay.
    pub(crate) fn commit(&mut self) {
        self.journal.now = 0;
        self.journal.changes = Vec::new();
        self.journal.before = None;
    }

    /// Everything is as it was at [`Self::begin`].
    pub(crate) fn undo(&mut self) {
        self.journal.now = 0;
        for change in std::mem::take(&mut self.journal.changes).into_iter().rev() {
            match change {
                Change::Entry(table, key, old) => self.put_back(table, key, old),
                Change::Variable(env, slot, old) => self.env_set(env, slot, old),
                Change::Metatable(table, old) => self.set_meta(table, old),
                Change::Top(table, old) => self.table_mut(table).top = old,
            }
        }
        if let Some(before) = self.journal.before.take() {
            (self.counters, self.metas) = *before;
        }
    }

    fn put_back(&mut self, table: TableId, key: Value, old: Value) {
        let array = &mut self.table_mut(table).array;
        let is_last = matches!(key, Value::Int(n) if usize::try_from(n).is_ok_and(|n| n == array.len()));
        if is_last && old.is_nil() {
            // It was appended: an array without it is not one that ends in `nil`.
            array.pop();
            let length = array.len();
            let object = self.table_mut(table);
            object.dense = object.dense.min(length);
        } else {
            self.set(table, key, old);
        }
    }
}
