//! Reading. Every count is bounded by the bytes that are left, every index by what there is.

use num_bigint::BigInt;

use super::{refused, tag};
use crate::error::LuaError;
use crate::heap::{FreeNumbers, Heap};
use crate::number::{MAX_BITS, Num};
use crate::random::Random;
use crate::value::{EnvId, NativeId, ProtoId, TableId, Value};
use crate::vm::{Profile, Vm};

/// The heap and the random generator's state of a snapshot.
pub(super) fn state(vm: &Vm, body: &[u8]) -> Result<(Heap, Option<Random>), LuaError> {
    let mut heap = Heap::new(vm.limits.memory, false);
    heap.native_names.clone_from(&vm.heap.native_names);
    let mut reader = Reader {
        rest: body,
        takes_infinite: vm.profile == Profile::Lua53,
        heap,
        strings: Vec::new(),
        natives: Vec::new(),
        chunks: Vec::new(),
        tables: Vec::new(),
        envs: Vec::new(),
    };
    let random = reader.head()?;
    reader.lists()?;
    reader.objects()?;
    if !reader.rest.is_empty() {
        return Err(refused("The snapshot has bytes after its end."));
    }
    Ok((reader.heap, random))
}

struct Reader<'a> {
    rest: &'a [u8],
    takes_infinite: bool,
    heap: Heap,
    strings: Vec<Value>,
    natives: Vec<NativeId>,
    chunks: Vec<Vec<Option<ProtoId>>>,
    tables: Vec<TableId>,
    envs: Vec<EnvId>,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], LuaError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, LuaError> {
        self.bytes(1)?.first().copied().ok_or_else(cut_off)
    }

    fn number(&mut self) -> Result<u64, LuaError> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(refused("The snapshot has a number that is too long."))
    }

    /// A count of things that take at least a byte each.
    fn count(&mut self) -> Result<usize, LuaError> {
        let count = usize::try_from(self.number()?).map_err(|_| cut_off())?;
        if count > self.rest.len() { Err(cut_off()) } else { Ok(count) }
    }

    fn text(&mut self) -> Result<&'a [u8], LuaError> {
        let count = self.count()?;
        self.bytes(count)
    }

    fn name(&mut self) -> Result<&'a str, LuaError> {
        std::str::from_utf8(self.text()?).map_err(|_| refused("The snapshot has a name that is no text."))
    }

    fn ranges(&mut self) -> Result<FreeNumbers, LuaError> {
        let mut ranges = Vec::new();
        for _ in 0..self.count()? {
            let (first, last) = (self.number()?, self.number()?);
            if first > last {
                return Err(refused("The snapshot has a range that is none."));
            }
            ranges.push((first, last));
        }
        Ok(FreeNumbers(ranges))
    }

    fn head(&mut self) -> Result<Option<Random>, LuaError> {
        self.heap.counters.tables = self.number()?;
        self.heap.counters.functions = self.number()?;
        self.heap.counters.envs = self.number()?;
        self.heap.counters.free_tables = self.ranges()?;
        self.heap.counters.free_functions = self.ranges()?;
        let place = self.number()?;
        if place == 0 {
            return Ok(None);
        }
        let mut words = [0u64; 16];
        for word in &mut words {
            let bytes = self.bytes(8)?;
            *word = u64::from_le_bytes(bytes.try_into().map_err(|_| cut_off())?);
        }
        let place = u8::try_from(place - 1).ok().filter(|place| *place < 16);
        Ok(Some(Random::from_parts(words, place.ok_or_else(cut_off)?)))
    }

    fn lists(&mut self) -> Result<(), LuaError> {
        for _ in 0..self.count()? {
            let bytes = self.text()?;
            let value = self.heap.string(bytes);
            self.strings.push(value);
        }
        for _ in 0..self.count()? {
            let (module, function) = (self.name()?, self.name()?);
            let known = &self.heap.native_names;
            let at = known.iter().position(|name| name.module == module && name.function == function);
            let at = at.and_then(|at| u32::try_from(at).ok());
            let id = at.ok_or_else(|| {
                refused(&format!("The snapshot names a function that is not here: {module}:{function}."))
            })?;
            self.natives.push(NativeId(id));
        }
        for _ in 0..self.count()? {
            let (name, source) = (self.name()?, self.text()?);
            let mut used = Vec::new();
            for _ in 0..self.count()? {
                used.push((self.number()?, self.number()?));
            }
            self.chunk(name, source, &used)?;
        }
        Ok(())
    }

    /// Compiles a chunk again; the functions that are used get their numbers, the others are garbage.
    fn chunk(&mut self, name: &str, source: &[u8], used: &[(u64, u64)]) -> Result<(), LuaError> {
        let highest = used.iter().map(|(place, _)| *place).max().unwrap_or(0);
        let length =
            usize::try_from(highest).ok().filter(|place| *place <= source.len()).ok_or_else(cut_off)? + 1;
        let mut numbers = vec![0; length];
        let mut is_used = vec![false; length];
        for (place, number) in used {
            if let Some(at) = usize::try_from(*place).ok().filter(|at| *at < length) {
                numbers[at] = *number;
                is_used[at] = true;
            }
        }
        let functions = crate::compile::compile(&mut self.heap, source, name, Some(&numbers))?;
        if functions.len() < length {
            return Err(refused("The snapshot names a function its chunk does not have."));
        }
        let functions = functions.into_iter().enumerate();
        let functions = functions.map(|(at, id)| is_used.get(at).copied().unwrap_or(false).then_some(id));
        self.chunks.push(functions.collect());
        Ok(())
    }

    /// The objects: first all that there are, then what is in them, in the order in which a walk finds them.
    fn objects(&mut self) -> Result<(), LuaError> {
        let (tables, envs) = (self.count()?, self.count()?);
        if tables == 0 {
            return Err(refused("The snapshot has no table of globals."));
        }
        self.tables.push(self.heap.globals);
        for _ in 1..tables {
            let table = self.heap.unnumbered_table();
            self.tables.push(table);
        }
        self.envs.push(EnvId(0));
        for _ in 0..envs {
            // Its size comes with its content.
            let env = self.heap.blank_env();
            self.envs.push(env);
        }
        let metas = [self.metatable()?, self.metatable()?, self.metatable()?, self.metatable()?];
        let [nil, boolean, number, string] = metas;
        self.heap.metas = crate::heap::Metas { nil, boolean, number, string };
        let (mut table, mut env) = (0, 1);
        while table < tables || env <= envs {
            match self.byte()? {
                tag::TABLE if table < tables => {
                    let id = self.tables[table];
                    self.table(id)?;
                    table += 1;
                }
                tag::FUNCTION if env <= envs => {
                    let id = self.envs[env];
                    self.env(id)?;
                    env += 1;
                }
                _ => return Err(refused("The snapshot has an object of no kind.")),
            }
            if self.heap.used() > self.heap.limit() {
                return Err(refused("The snapshot's state is larger than the memory limit."));
            }
        }
        self.check_envs()
    }

    fn metatable(&mut self) -> Result<Option<TableId>, LuaError> {
        match self.number()? {
            0 => Ok(None),
            index => self.table_at(index - 1).map(Some),
        }
    }

    fn table_at(&self, index: u64) -> Result<TableId, LuaError> {
        usize::try_from(index).ok().and_then(|at| self.tables.get(at)).copied().ok_or_else(cut_off)
    }

    fn env_at(&self, index: u64) -> Result<EnvId, LuaError> {
        usize::try_from(index).ok().and_then(|at| self.envs.get(at)).copied().ok_or_else(cut_off)
    }

    fn table(&mut self, id: TableId) -> Result<(), LuaError> {
        let number = self.number()?;
        let meta = self.metatable()?;
        let top = self.number()?;
        let values = self.count()?;
        self.heap.reserve(id, values, 0);
        for key in (1i64..).take(values) {
            let value = self.value()?;
            self.heap.set_int(id, key, value);
        }
        for _ in 0..self.count()? {
            let (key, value) = (self.value()?, self.value()?);
            if matches!(key, Value::Float(f) if f.is_nan()) {
                return Err(refused("The snapshot has a key that is no number."));
            }
            self.heap.set(id, key, value);
        }
        let table = self.heap.table_mut(id);
        (table.number, table.meta) = (number, meta);
        table.top = table.top.max(top);
        Ok(())
    }

    fn env(&mut self, id: EnvId) -> Result<(), LuaError> {
        let number = self.number()?;
        let parent = self.number()?;
        let parent = self.env_at(parent)?;
        let mut slots = Vec::new();
        for _ in 0..self.count()? {
            slots.push(self.value()?);
        }
        self.heap.fill_env(id, parent, number, slots);
        Ok(())
    }

    /// A frame is younger than the one around it: so no chain of them is a ring.
    fn check_envs(&self) -> Result<(), LuaError> {
        for env in self.envs.iter().skip(1) {
            let env = self.heap.env(*env);
            if env.parent != EnvId(0) && self.heap.env(env.parent).number >= env.number {
                return Err(refused("The snapshot has frames in a ring."));
            }
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Value, LuaError> {
        Ok(match self.byte()? {
            tag::NIL => Value::Nil,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::INT => {
                let n = self.number()?;
                Value::Int((n >> 1).cast_signed() ^ -((n & 1).cast_signed()))
            }
            tag::FLOAT => {
                let bytes = self.bytes(8)?;
                let f = f64::from_bits(u64::from_le_bytes(bytes.try_into().map_err(|_| cut_off())?));
                if !f.is_finite() && !self.takes_infinite {
                    return Err(refused("The snapshot has a float that Luerl has not."));
                }
                Value::Float(f)
            }
            tag::BIG => {
                let bytes = self.text()?;
                if bytes.len() as u64 > MAX_BITS / 8 + 1 {
                    return Err(refused("The snapshot has an integer that is too long."));
                }
                self.heap.value(Num::from_big(BigInt::from_signed_bytes_le(bytes)))
            }
            tag::STRING => {
                let index = self.number()?;
                usize::try_from(index)
                    .ok()
                    .and_then(|at| self.strings.get(at))
                    .copied()
                    .ok_or_else(cut_off)?
            }
            tag::TABLE => {
                let index = self.number()?;
                Value::Table(self.table_at(index)?)
            }
            tag::FUNCTION => {
                let (chunk, place, env) = (self.number()?, self.number()?, self.number()?);
                let chunk = usize::try_from(chunk).ok().and_then(|at| self.chunks.get(at));
                let function =
                    chunk.and_then(|chunk| usize::try_from(place).ok().and_then(|at| chunk.get(at)));
                let function = function.copied().flatten().ok_or_else(cut_off)?;
                Value::Function(function, self.env_at(env)?)
            }
            tag::NATIVE => {
                let index = self.number()?;
                let native = usize::try_from(index).ok().and_then(|at| self.natives.get(at)).copied();
                Value::Native(native.ok_or_else(cut_off)?)
            }
            _ => return Err(refused("The snapshot has a value of no kind.")),
        })
    }
}

#[cold]
fn cut_off() -> LuaError {
    refused("The snapshot is cut off, or points outside itself.")
}
