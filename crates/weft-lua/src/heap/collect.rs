//! The garbage collector: marks what is reachable, frees the rest. Nothing moves.

use super::journal::Change;
use super::table::GRAVE;
use super::weak::Weak;
use super::{Heap, big_size, env_size};
use crate::value::{EnvId, ProtoId, TableId, ThreadId, Value};

/// Bytes in use before the first collection.
pub(super) const FIRST: usize = 1 << 20;

/// What was reached.
pub(super) struct Marks {
    strings: Vec<bool>,
    pub(super) tables: Vec<bool>,
    pub(super) envs: Vec<bool>,
    bigs: Vec<bool>,
    pub(super) protos: Vec<bool>,
    pub(super) threads: Vec<bool>,
    /// Reached, and what they refer to still to be looked at.
    todo: Vec<Todo>,
    pub(super) weak: Weak,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Todo {
    Table(TableId),
    Env(EnvId),
    Proto(ProtoId),
    Thread(ThreadId),
}

impl Marks {
    pub(super) fn value(&mut self, value: Value) {
        match value {
            Value::Str(id) => {
                mark(&mut self.strings, id.index());
            }
            Value::Big(id) => {
                mark(&mut self.bigs, id.index());
            }
            Value::Table(id) => self.table(id),
            Value::Thread(id) => self.thread(id),
            Value::Function(proto, env) => {
                self.env(env);
                self.proto(proto);
            }
            _ => {}
        }
    }

    fn table(&mut self, id: TableId) {
        if mark(&mut self.tables, id.index()) {
            self.todo.push(Todo::Table(id));
        }
    }

    fn env(&mut self, id: EnvId) {
        if mark(&mut self.envs, id.index()) {
            self.todo.push(Todo::Env(id));
        }
    }

    fn proto(&mut self, id: ProtoId) {
        if mark(&mut self.protos, id.index()) {
            self.todo.push(Todo::Proto(id));
        }
    }
}

impl Marks {
    fn thread(&mut self, id: ThreadId) {
        if mark(&mut self.threads, id.index()) {
            self.todo.push(Todo::Thread(id));
        }
    }
}

fn mark(marks: &mut [bool], index: usize) -> bool {
    match marks.get_mut(index) {
        Some(place) if !*place => {
            *place = true;
            true
        }
        _ => false,
    }
}

/// What a collection starts from beside the globals.
pub(crate) struct Roots<'a> {
    pub(crate) values: &'a [&'a [Value]],
    pub(crate) envs: &'a [EnvId],
    pub(crate) protos: &'a [ProtoId],
    /// Coroutines that wait for the one that runs.
    pub(crate) threads: &'a [ThreadId],
}

impl Heap {
    /// Frees what neither the globals nor these values reach.
    pub(crate) fn collect(&mut self, roots: &Roots<'_>) {
        let marks = self.mark(roots);
        self.clear_weak(&marks);
        self.sweep(&marks);
        let left = self.limit().saturating_sub(self.used());
        self.threshold = self.used() + (self.used().max(FIRST)).min(left / 2);
    }

    /// As Luerl's `collectgarbage`: the numbers of what is gone are given out again.
    pub(crate) fn collect_numbers(&mut self, roots: &Roots<'_>) {
        self.collect(roots);
        let tables: Vec<u64> =
            self.tables.iter().filter(|table| table.live).map(|table| table.number).collect();
        let bound = self.counters.tables;
        self.counters.free_tables.refill(&tables, bound);
        let functions: Vec<u64> = self.protos.iter().flatten().map(|loaded| loaded.number).collect();
        let bound = self.counters.functions;
        self.counters.free_functions.refill(&functions, bound);
    }

    fn mark(&mut self, roots: &Roots<'_>) -> Marks {
        let mut marks = Marks {
            strings: vec![false; self.strings.len()],
            tables: vec![false; self.tables.len()],
            envs: vec![false; self.envs.len()],
            bigs: vec![false; self.bigs.len()],
            protos: vec![false; self.protos.len()],
            threads: vec![false; self.threads.len()],
            todo: Vec::new(),
            weak: Weak::new(self.mode_name()),
        };
        marks.table(self.globals);
        marks.env(EnvId(0));
        let metas = self.metas;
        for meta in [metas.nil, metas.boolean, metas.number, metas.string].into_iter().flatten() {
            marks.table(meta);
        }
        for name in &self.events {
            mark(&mut marks.strings, name.index());
        }
        self.mark_journal(&mut marks);
        for value in roots.values.iter().flat_map(|values| values.iter()) {
            marks.value(*value);
        }
        for env in roots.envs {
            marks.env(*env);
        }
        for proto in roots.protos {
            marks.proto(*proto);
        }
        marks.thread(ThreadId(0));
        for thread in roots.threads {
            marks.thread(*thread);
        }
        while let Some(todo) = marks.todo.pop() {
            self.mark_inside(todo, &mut marks);
            marks.reached(todo);
        }
        marks
    }

    /// Marks what something reached refers to.
    fn mark_inside(&mut self, todo: Todo, marks: &mut Marks) {
        match todo {
            Todo::Table(id) => self.mark_table(id, marks),
            Todo::Env(id) => {
                let env = self.env(id);
                marks.env(env.parent);
                env.slots.iter().for_each(|value| marks.value(*value));
            }
            Todo::Thread(id) => {
                let Some(thread) = self.thread(id) else { return };
                marks.value(thread.function);
                thread.stack.iter().for_each(|value| marks.value(*value));
                for frame in &thread.frames {
                    marks.env(frame.env);
                    frame.function.into_iter().for_each(|proto| marks.proto(proto));
                }
            }
            Todo::Proto(id) => {
                let Some(proto) = self.proto(id) else { return };
                proto.constants.iter().for_each(|value| marks.value(*value));
                for inner in &proto.functions {
                    marks.proto(*inner);
                }
            }
        }
    }

    fn mark_journal(&self, marks: &mut Marks) {
        for change in &self.journal.changes {
            match *change {
                Change::Entry(table, key, old) => {
                    marks.table(table);
                    marks.value(key);
                    marks.value(old);
                }
                Change::Variable(env, _, old) => {
                    marks.env(env);
                    marks.value(old);
                }
                Change::Metatable(table, old) => {
                    marks.table(table);
                    old.into_iter().for_each(|old| marks.table(old));
                }
                Change::Top(table, _) => {
                    marks.table(table);
                }
            }
        }
        if let Some(before) = &self.journal.before {
            let metas = before.1;
            for meta in [metas.nil, metas.boolean, metas.number, metas.string].into_iter().flatten() {
                marks.table(meta);
            }
        }
    }

    /// Marks what a table refers to, and forgets the keys of removed entries.
    fn mark_table(&mut self, id: TableId, marks: &mut Marks) {
        if let Some(mode) = self.weakness(id, marks) {
            return self.mark_weak(id, mode, marks);
        }
        let table = self.table_mut(id);
        let mut removed = false;
        for node in &mut table.nodes {
            if node.key.is_nil() {
                continue;
            }
            if node.value.is_nil() {
                *node = GRAVE;
                removed = true;
            } else {
                marks.value(node.key);
                marks.value(node.value);
            }
        }
        table.array.iter().for_each(|value| marks.value(*value));
        table.meta.into_iter().for_each(|meta| marks.table(meta));
        if let Some(rare) = &mut table.rare {
            if removed || rare.order.as_ref().is_some_and(|order| !order.new.is_empty()) {
                rare.order = None;
            }
            rare.nil.into_iter().for_each(|value| marks.value(value));
        }
        if removed {
            table.free_if_empty();
        }
    }

    fn sweep(&mut self, marks: &Marks) {
        let is_marked = |marks: &[bool], index: usize| marks.get(index).copied().unwrap_or(false);
        let mut freed = self.strings.sweep(&marks.strings);
        for (index, table) in (0u32..).zip(&mut self.tables) {
            if table.live && !is_marked(&marks.tables, index as usize) {
                freed += table.size();
                *table = super::Table::default();
                self.free_tables.push(index);
            }
        }
        for (index, env) in (0u32..).zip(&mut self.envs) {
            if env.live && !is_marked(&marks.envs, index as usize) {
                freed += env_size(env.slots.len());
                env.live = false;
                env.slots = Box::default();
                self.free_envs.push(index);
            }
        }
        for (index, place) in (0u32..).zip(&mut self.bigs) {
            if !is_marked(&marks.bigs, index as usize)
                && let Some(big) = place.take()
            {
                freed += big_size(&big);
                self.free_bigs.push(index);
            }
        }
        for (index, place) in (0u32..).zip(&mut self.protos) {
            if !is_marked(&marks.protos, index as usize)
                && let Some(loaded) = place.take()
            {
                freed += loaded.proto.size();
                self.free_protos.push(index);
            }
        }
        for (index, place) in (0u32..).zip(&mut self.threads) {
            if !is_marked(&marks.threads, index as usize)
                && let Some(thread) = place.take()
            {
                freed += thread.size();
                self.free_threads.push(index);
            }
        }
        self.used = self.used.saturating_sub(freed);
    }
}
