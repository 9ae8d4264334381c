//! Writing.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::tag;
use crate::compile::Chunk;
use crate::error::LuaError;
use crate::heap::FreeNumbers;
use crate::value::{EnvId, NativeId, ProtoId, TableId, Value};
use crate::vm::Vm;

/// The bytes after the header.
pub(super) fn body(vm: &mut Vm) -> Result<Vec<u8>, LuaError> {
    let mut writer = Writer::default();
    let globals = vm.heap.globals;
    writer.table(globals);
    let metas = vm.heap.metas;
    for meta in [metas.nil, metas.boolean, metas.number, metas.string] {
        match meta {
            None => writer.objects.number(0),
            Some(meta) => {
                let index = writer.table(meta);
                writer.objects.number(index + 1);
            }
        }
    }
    while let Some(item) = writer.todo.get(writer.next).copied() {
        writer.next += 1;
        match item {
            Item::Table(id) => writer.write_table(vm, id),
            Item::Env(id) => writer.write_env(vm, id),
        }
    }
    Ok(writer.finish(vm))
}

/// Bytes in the making.
#[derive(Default)]
pub(super) struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, mut n: u64) {
        loop {
            let low = (n & 0x7f) as u8;
            n >>= 7;
            if n == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }

    fn count(&mut self, n: usize) {
        self.number(n as u64);
    }

    fn text(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn signed(&mut self, n: i64) {
        self.number(((n << 1) ^ (n >> 63)).cast_unsigned());
    }

    fn ranges(&mut self, free: &FreeNumbers) {
        self.count(free.0.len());
        for (first, last) in &free.0 {
            self.number(*first);
            self.number(*last);
        }
    }
}

#[derive(Clone, Copy)]
enum Item {
    Table(TableId),
    Env(EnvId),
}

/// A chunk, and the numbers of its functions that are used.
struct Used {
    chunk: Rc<Chunk>,
    numbers: BTreeMap<usize, u64>,
}

#[derive(Default)]
struct Writer {
    tables: BTreeMap<TableId, u64>,
    envs: BTreeMap<EnvId, u64>,
    strings: BTreeMap<Vec<u8>, u64>,
    natives: BTreeMap<NativeId, u64>,
    /// By the chunk's address, which is only compared for being the same.
    chunks: BTreeMap<usize, u64>,
    used: Vec<Used>,
    string_list: Vec<Vec<u8>>,
    native_list: Vec<NativeId>,
    todo: Vec<Item>,
    next: usize,
    objects: Bytes,
}

impl Writer {
    fn table(&mut self, id: TableId) -> u64 {
        let next = self.tables.len() as u64;
        *self.tables.entry(id).or_insert_with(|| {
            self.todo.push(Item::Table(id));
            next
        })
    }

    fn env(&mut self, id: EnvId) -> u64 {
        if id == EnvId(0) {
            return 0;
        }
        let next = self.envs.len() as u64 + 1;
        *self.envs.entry(id).or_insert_with(|| {
            self.todo.push(Item::Env(id));
            next
        })
    }

    fn string(&mut self, bytes: &[u8]) -> u64 {
        if let Some(known) = self.strings.get(bytes) {
            return *known;
        }
        let next = self.string_list.len() as u64;
        self.strings.insert(bytes.to_vec(), next);
        self.string_list.push(bytes.to_vec());
        next
    }

    fn native(&mut self, id: NativeId) -> u64 {
        let next = self.native_list.len() as u64;
        *self.natives.entry(id).or_insert_with(|| {
            self.native_list.push(id);
            next
        })
    }

    /// A function's chunk and its place there; the functions in it are used with it.
    fn function(&mut self, vm: &Vm, id: ProtoId) -> (u64, u64) {
        let Some(proto) = vm.heap.proto(id).cloned() else { return (0, 0) };
        let next = self.used.len() as u64;
        let address = Rc::as_ptr(&proto.chunk).addr();
        let chunk = *self.chunks.entry(address).or_insert_with(|| {
            self.used.push(Used { chunk: Rc::clone(&proto.chunk), numbers: BTreeMap::new() });
            next
        });
        self.note(vm, id, chunk);
        (chunk, proto.index as u64)
    }

    fn note(&mut self, vm: &Vm, id: ProtoId, chunk: u64) {
        let Some(proto) = vm.heap.proto(id).cloned() else { return };
        let number = vm.heap.function_number(id);
        let used = usize::try_from(chunk).ok().and_then(|at| self.used.get_mut(at));
        if used.is_some_and(|used| used.numbers.insert(proto.index, number).is_none()) {
            for inner in &proto.functions {
                self.note(vm, *inner, chunk);
            }
        }
    }

    fn value(&mut self, vm: &Vm, value: Value) {
        match value {
            Value::Nil => self.objects.0.push(tag::NIL),
            Value::Bool(false) => self.objects.0.push(tag::FALSE),
            Value::Bool(true) => self.objects.0.push(tag::TRUE),
            Value::Int(n) => {
                self.objects.0.push(tag::INT);
                self.objects.signed(n);
            }
            Value::Float(f) => {
                self.objects.0.push(tag::FLOAT);
                self.objects.0.extend_from_slice(&f.to_bits().to_le_bytes());
            }
            Value::Big(id) => {
                self.objects.0.push(tag::BIG);
                self.objects.text(&vm.heap.big(id).to_signed_bytes_le());
            }
            Value::Str(id) => {
                let index = self.string(vm.heap.bytes(id));
                self.objects.0.push(tag::STRING);
                self.objects.number(index);
            }
            Value::Table(id) => {
                let index = self.table(id);
                self.objects.0.push(tag::TABLE);
                self.objects.number(index);
            }
            Value::Function(proto, env) => {
                let (chunk, place) = self.function(vm, proto);
                let env = self.env(env);
                self.objects.0.push(tag::FUNCTION);
                self.objects.number(chunk);
                self.objects.number(place);
                self.objects.number(env);
            }
            Value::Native(id) => {
                let index = self.native(id);
                self.objects.0.push(tag::NATIVE);
                self.objects.number(index);
            }
            // There are no snapshots in the profile that has them.
            Value::Thread(_) => self.objects.0.push(tag::NIL),
        }
    }

    /// A table: its number, metatable, how far it was ever filled, the values from 1 on without a gap, and all other entries.
    fn write_table(&mut self, vm: &mut Vm, id: TableId) {
        self.objects.0.push(tag::TABLE);
        self.objects.number(vm.heap.table(id).number);
        match vm.heap.table(id).meta {
            None => self.objects.number(0),
            Some(meta) => {
                let index = self.table(meta);
                self.objects.number(index + 1);
            }
        }
        self.objects.number(vm.heap.top(id));
        let array = &vm.heap.table(id).array;
        let values = array.iter().position(|value| value.is_nil()).unwrap_or(array.len());
        self.objects.count(values);
        for at in 0..values {
            let value = vm.heap.table(id).array[at];
            self.value(vm, value);
        }
        let mut entries = Vec::new();
        if let Some(value) = vm.heap.table(id).rare.as_ref().and_then(|rare| rare.nil) {
            entries.push((Value::Nil, value));
        }
        let mut key = Value::Int(i64::try_from(values).unwrap_or(i64::MAX));
        if values == 0 {
            key = Value::Nil;
        }
        while let Some((next, value)) = vm.heap.next(id, key) {
            key = next;
            if !next.is_nil() {
                entries.push((next, value));
            } else if let Some((next, value)) = vm.heap.next_after_nil(id) {
                // `nil` asks for the first key: its successor is found otherwise.
                entries.push((next, value));
                key = next;
            } else {
                break;
            }
        }
        self.objects.count(entries.len());
        for (key, value) in entries {
            self.value(vm, key);
            self.value(vm, value);
        }
    }

    fn write_env(&mut self, vm: &Vm, id: EnvId) {
        let env = vm.heap.env(id).clone();
        self.objects.0.push(tag::FUNCTION);
        self.objects.number(env.number);
        let parent = self.env(env.parent);
        self.objects.number(parent);
        self.objects.count(env.slots.len());
        for value in &env.slots {
            self.value(vm, *value);
        }
    }

    fn finish(self, vm: &Vm) -> Vec<u8> {
        let mut out = Bytes::default();
        let counters = &vm.heap.counters;
        out.number(counters.tables);
        out.number(counters.functions);
        out.number(counters.envs);
        out.ranges(&counters.free_tables);
        out.ranges(&counters.free_functions);
        match &vm.random {
            None => out.number(0),
            Some(random) => {
                let (words, place) = random.parts();
                out.number(1 + u64::from(place));
                words.iter().for_each(|word| out.0.extend_from_slice(&word.to_le_bytes()));
            }
        }
        out.count(self.string_list.len());
        self.string_list.iter().for_each(|text| out.text(text));
        out.count(self.native_list.len());
        for native in &self.native_list {
            let name = vm.heap.native_name(*native);
            out.text(name.module.as_bytes());
            out.text(name.function.as_bytes());
        }
        out.count(self.used.len());
        for used in &self.used {
            out.text(used.chunk.name.as_bytes());
            out.text(&used.chunk.source);
            out.count(used.numbers.len());
            for (place, number) in &used.numbers {
                out.count(*place);
                out.number(*number);
            }
        }
        out.count(self.tables.len());
        out.count(self.envs.len());
        out.0.extend_from_slice(&self.objects.0);
        out.0
    }
}
