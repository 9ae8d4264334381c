//! Weak tables, in Lua 5.3 alone (manual, 2.5.2): a collection forgets entries whose key or value nothing else reaches.
//!
//! A table with weak keys and strong values is an ephemeron: a value counts as reached only if its key is. Values that wait for their
//! key wait under the first part of it that is not reached yet, and go on when it is; so marking stays one walk, whatever waits for
//! what. Strings are values and never forgotten.

use std::collections::BTreeMap;

use super::Heap;
use super::collect::{Marks, Todo};
use super::table::GRAVE;
use crate::value::{StrId, TableId, Value};

/// What a collection knows of weak tables.
pub(super) struct Weak {
    /// The text `__mode`, if any script has it.
    name: Option<StrId>,
    /// Those reached.
    tables: Vec<(TableId, Mode)>,
    /// Keys and values, under what is not reached of the key.
    waiting: BTreeMap<Todo, Vec<(Value, Value)>>,
}

/// What of a table's entries is weak: one of them at least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    keys: bool,
    values: bool,
}

impl Weak {
    pub(super) const fn new(name: Option<StrId>) -> Self {
        Self { name, tables: Vec::new(), waiting: BTreeMap::new() }
    }
}

impl Marks {
    /// What of a value is not reached. `None`: all, or it is no object of its own.
    fn unreached(&self, value: Value) -> Option<Todo> {
        let unmarked = |marks: &[bool], index: usize| marks.get(index).is_some_and(|marked| !marked);
        match value {
            Value::Table(id) => unmarked(&self.tables, id.index()).then_some(Todo::Table(id)),
            Value::Thread(id) => unmarked(&self.threads, id.index()).then_some(Todo::Thread(id)),
            Value::Function(proto, env) => {
                let env = unmarked(&self.envs, env.index()).then_some(Todo::Env(env));
                env.or_else(|| unmarked(&self.protos, proto.index()).then_some(Todo::Proto(proto)))
            }
            _ => None,
        }
    }

    /// Marks a value as soon as its key is reached.
    fn wait(&mut self, key: Value, value: Value) {
        match self.unreached(key) {
            Some(part) => self.weak.waiting.entry(part).or_default().push((key, value)),
            None => {
                self.value(key);
                self.value(value);
            }
        }
    }

    /// Goes on with what waited for this.
    pub(super) fn reached(&mut self, part: Todo) {
        if self.weak.waiting.is_empty() {
            return;
        }
        for (key, value) in self.weak.waiting.remove(&part).unwrap_or_default() {
            self.wait(key, value);
        }
    }
}

impl Heap {
    /// The text `__mode`, where it can matter. While changes can be undone, all tables hold on to what they have.
    pub(super) fn mode_name(&self) -> Option<StrId> {
        match self.exact && self.journal.now() == 0 {
            true => self.strings.short(b"__mode"),
            false => None,
        }
    }

    pub(super) fn weakness(&self, id: TableId, marks: &Marks) -> Option<Mode> {
        let meta = self.table(id).meta?;
        let Value::Str(mode) = self.table(meta).short(marks.weak.name?) else { return None };
        let says = |letter| self.bytes(mode).contains(&letter);
        let mode = Mode { keys: says(b'k'), values: says(b'v') };
        (mode.keys || mode.values).then_some(mode)
    }

    /// Marks what a weak table holds on to.
    pub(super) fn mark_weak(&self, id: TableId, mode: Mode, marks: &mut Marks) {
        let table = self.table(id);
        marks.weak.tables.push((id, mode));
        table.meta.into_iter().for_each(|meta| marks.value(Value::Table(meta)));
        let text = |value: Value| matches!(value, Value::Str(_));
        for value in table.array.iter().filter(|value| !mode.values || text(**value)) {
            marks.value(*value);
        }
        for node in table.nodes.iter().filter(|node| !node.key.is_nil() && !node.value.is_nil()) {
            if !mode.keys || text(node.key) {
                marks.value(node.key);
            }
            if text(node.value) {
                marks.value(node.value);
            } else if !mode.values {
                marks.wait(node.key, node.value);
            }
        }
    }

    /// Forgets the entries of weak tables of which something weak was not reached, and the keys of removed ones.
    pub(super) fn clear_weak(&mut self, marks: &Marks) {
        for (id, mode) in &marks.weak.tables {
            let gone = |weak: bool, value: Value| weak && marks.unreached(value).is_some();
            let table = self.table_mut(*id);
            let mut removed = false;
            for node in table.nodes.iter_mut().filter(|node| !node.key.is_nil()) {
                if node.value.is_nil() || gone(mode.keys, node.key) || gone(mode.values, node.value) {
                    *node = GRAVE;
                    removed = true;
                }
            }
            let mut dense = table.dense;
            for (at, value) in table.array.iter_mut().enumerate() {
                if gone(mode.values, *value) {
                    *value = Value::Nil;
                    dense = dense.min(at);
                }
            }
            table.dense = dense;
            if let Some(rare) = &mut table.rare {
                rare.order = None;
            }
            if removed {
                table.free_if_empty();
            }
        }
    }
}
