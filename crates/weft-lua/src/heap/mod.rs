//! What a script's values live in: arenas with indices, so that memory can be counted, collected, written out and undone.

mod access;
mod collect;
mod event;
mod journal;
mod next;
pub(crate) mod order;
mod strings;
pub(crate) mod table;
mod thread;
mod weak;

use std::cell::Cell;
use std::rc::Rc;

use num_bigint::BigInt;

use crate::compile::Proto;
use crate::number::Num;
use crate::value::{BigId, EnvId, NativeId, ProtoId, StrId, TableId, Value};
use crate::vm::{Status, Thread};
use strings::Strings;
use table::Table;

pub(crate) use collect::Roots;
pub(crate) use event::Event;
pub(crate) use journal::Journal;
pub(crate) use strings::Loan;

/// A frame of variables that functions inside have captured.
#[derive(Debug, Clone)]
pub(crate) struct Env {
    pub(crate) parent: EnvId,
    pub(crate) slots: Box<[Value]>,
    /// In order of making.
    pub(crate) number: u64,
    pub(crate) born: u32,
    pub(crate) live: bool,
}

/// The function a host gives, by its name in Luerl.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NativeName {
    pub(crate) module: String,
    pub(crate) function: String,
}

/// A loaded function and the number Luerl knows it by.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) proto: Rc<Proto>,
    pub(crate) number: u64,
}

/// Metatables of kinds of values.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Metas {
    pub(crate) nil: Option<TableId>,
    pub(crate) boolean: Option<TableId>,
    pub(crate) number: Option<TableId>,
    pub(crate) string: Option<TableId>,
}

/// Counters whose values scripts can see, as `tostring` shows them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counters {
    pub(crate) tables: u64,
    pub(crate) functions: u64,
    pub(crate) envs: u64,
    /// Numbers `collectgarbage` made free.
    pub(crate) free_tables: FreeNumbers,
    pub(crate) free_functions: FreeNumbers,
}

/// Numbers to be given out again, the largest of the last range first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct FreeNumbers(pub(crate) Vec<(u64, u64)>);

impl FreeNumbers {
    fn pop(&mut self) -> Option<u64> {
        let (first, last) = self.0.last_mut()?;
        let number = *last;
        if first == last {
            self.0.pop();
        } else {
            *last -= 1;
        }
        Some(number)
    }

    /// Adds all numbers below a bound that are neither used, in ascending order, nor free already.
    fn refill(&mut self, used: &[u64], bound: u64) {
        let mut taken: Vec<(u64, u64)> =
            used.iter().map(|number| (*number, *number)).chain(self.0.iter().copied()).collect();
        taken.sort_unstable();
        let mut next = 0;
        for (first, last) in taken {
            if next < first {
                self.0.push((next, first - 1));
            }
            next = next.max(last + 1);
        }
        if next < bound {
            self.0.push((next, bound - 1));
        }
    }
}

/// Everything a script's values refer to.
#[derive(Debug)]
pub(crate) struct Heap {
    pub(crate) strings: Strings,
    pub(super) tables: Vec<Table>,
    pub(super) free_tables: Vec<u32>,
    envs: Vec<Env>,
    free_envs: Vec<u32>,
    bigs: Vec<Option<Rc<BigInt>>>,
    free_bigs: Vec<u32>,
    protos: Vec<Option<Loaded>>,
    free_protos: Vec<u32>,
    threads: Vec<Option<Thread>>,
    free_threads: Vec<u32>,
    /// Whether it is Lua 5.3's and not Luerl's: a float that is an integer of 64 bits is that key.
    exact: bool,
    pub(crate) native_names: Vec<NativeName>,
    /// Names of metamethods.
    events: Vec<StrId>,
    pub(crate) metas: Metas,
    pub(crate) globals: TableId,
    pub(crate) counters: Counters,
    pub(crate) journal: Journal,
    /// Bytes in use, and how many are allowed before the next collection, and at all.
    used: usize,
    threshold: usize,
    limit: usize,
    /// Work done beyond the usual price of an operation, still to be paid in fuel.
    work: Cell<u64>,
}

impl Heap {
    pub(crate) fn new(limit: usize, exact: bool) -> Self {
        let mut heap = Self {
            strings: Strings::new(),
            tables: Vec::new(),
            free_tables: Vec::new(),
            envs: vec![Env { parent: EnvId(0), slots: Box::default(), number: 0, born: 0, live: true }],
            free_envs: Vec::new(),
            bigs: Vec::new(),
            free_bigs: Vec::new(),
            protos: Vec::new(),
            free_protos: Vec::new(),
            threads: vec![Some(Thread::new(Value::Nil, Status::Running))],
            free_threads: Vec::new(),
            exact,
            native_names: Vec::new(),
            events: Vec::new(),
            metas: Metas::default(),
            globals: TableId(0),
            counters: Counters::default(),
            journal: Journal::default(),
            used: 0,
            threshold: collect::FIRST.min(limit),
            limit,
            work: Cell::new(0),
        };
        heap.globals = heap.new_table();
        heap.name_events();
        heap
    }

    pub(crate) fn string(&mut self, bytes: &[u8]) -> Value {
        Value::Str(self.str_id(bytes))
    }

    pub(crate) fn str_id(&mut self, bytes: &[u8]) -> StrId {
        let (id, taken, work) = self.strings.make(bytes);
        self.used += taken;
        if work > 0 {
            self.pay(work);
        }
        id
    }

    /// A string and what follows it. Bytes of a long one are shared where they can be.
    pub(crate) fn continued(&mut self, id: StrId, more: &[u8]) -> Value {
        if !id.is_long() {
            let bytes = [self.strings.bytes(id), more].concat();
            return self.string(&bytes);
        }
        let (id, taken) = self.strings.continued(id, more);
        self.used += taken;
        Value::Str(id)
    }

    /// A long string's bytes, until [`Self::take_back`].
    pub(crate) fn lend(&mut self, id: StrId) -> Loan {
        self.strings.lend(id)
    }

    /// Takes a string's bytes back.
    pub(crate) fn take_back(&mut self, loan: Loan) {
        self.strings.take_back(loan);
    }

    /// Bytes of memory that [`Self::continued`] takes.
    pub(crate) fn cost_of_more(&self, id: StrId, more: usize) -> usize {
        self.strings.cost_of_more(id, more)
    }

    #[inline]
    pub(crate) fn bytes(&self, id: StrId) -> &[u8] {
        self.strings.bytes(id)
    }

    pub(crate) fn new_table(&mut self) -> TableId {
        let id = self.unnumbered_table();
        self.number_table(id);
        id
    }

    /// A table that gets its number later: Luerl makes a constructor's table after its fields.
    pub(crate) fn unnumbered_table(&mut self) -> TableId {
        let table = Table { born: self.journal.now(), live: true, ..Table::default() };
        self.used += table.size();
        match self.free_tables.pop() {
            Some(index) => {
                self.tables[index as usize] = table;
                TableId(index)
            }
            None => {
                let index = u32::try_from(self.tables.len()).unwrap_or(u32::MAX);
                self.tables.push(table);
                TableId(index)
            }
        }
    }

    pub(crate) fn number_table(&mut self, id: TableId) {
        let number = self.counters.free_tables.pop().unwrap_or_else(|| {
            self.counters.tables += 1;
            self.counters.tables - 1
        });
        self.tables[id.index()].number = number;
    }

    #[inline]
    pub(crate) fn table(&self, id: TableId) -> &Table {
        &self.tables[id.index()]
    }

    #[inline]
    pub(crate) fn table_mut(&mut self, id: TableId) -> &mut Table {
        &mut self.tables[id.index()]
    }

    pub(crate) fn new_env(&mut self, parent: EnvId, size: usize) -> EnvId {
        self.counters.envs += 1;
        let env = Env {
            parent,
            slots: vec![Value::Nil; size].into(),
            number: self.counters.envs,
            born: self.journal.now(),
            live: true,
        };
        self.used += env_size(size);
        match self.free_envs.pop() {
            Some(index) => {
                self.envs[index as usize] = env;
                EnvId(index)
            }
            None => {
                let index = u32::try_from(self.envs.len()).unwrap_or(u32::MAX);
                self.envs.push(env);
                EnvId(index)
            }
        }
    }

    /// A frame that gets its content later.
    pub(crate) fn blank_env(&mut self) -> EnvId {
        let number = self.counters.envs;
        let id = self.new_env(EnvId(0), 0);
        self.counters.envs = number;
        id
    }

    pub(crate) fn fill_env(&mut self, id: EnvId, parent: EnvId, number: u64, slots: Vec<Value>) {
        self.used += slots.len() * size_of::<Value>();
        let env = &mut self.envs[id.index()];
        (env.parent, env.number, env.slots) = (parent, number, slots.into());
    }

    #[inline]
    pub(crate) fn env(&self, id: EnvId) -> &Env {
        &self.envs[id.index()]
    }

    /// The frame `depth` frames further out.
    #[inline]
    pub(crate) fn env_at(&self, mut id: EnvId, depth: u16) -> EnvId {
        for _ in 0..depth {
            id = self.envs[id.index()].parent;
        }
        id
    }

    #[inline]
    pub(crate) fn env_get(&self, id: EnvId, slot: u16) -> Value {
        self.envs[id.index()].slots.get(usize::from(slot)).copied().unwrap_or(Value::Nil)
    }

    #[inline]
    pub(crate) fn env_set(&mut self, id: EnvId, slot: u16, value: Value) {
        let env = &mut self.envs[id.index()];
        if let Some(place) = env.slots.get_mut(usize::from(slot)) {
            if env.born < self.journal.now() {
                self.journal.variable(id, slot, *place);
            }
            *place = value;
        }
    }

    pub(crate) fn big(&self, id: BigId) -> &BigInt {
        static ZERO: BigInt = BigInt::ZERO;
        self.bigs.get(id.index()).and_then(Option::as_deref).unwrap_or(&ZERO)
    }

    pub(crate) fn new_big(&mut self, big: Rc<BigInt>) -> Value {
        self.used += big_size(&big);
        Value::Big(match self.free_bigs.pop() {
            Some(index) => {
                self.bigs[index as usize] = Some(big);
                BigId(index)
            }
            None => {
                let index = u32::try_from(self.bigs.len()).unwrap_or(u32::MAX);
                self.bigs.push(Some(big));
                BigId(index)
            }
        })
    }

    /// A value as a number, if it is one.
    #[inline]
    pub(crate) fn num(&self, value: Value) -> Option<Num> {
        match value {
            Value::Int(n) => Some(Num::Int(n)),
            Value::Float(f) => Some(Num::Float(f)),
            Value::Big(id) => self.bigs.get(id.index()).and_then(Clone::clone).map(Num::Big),
            _ => None,
        }
    }

    /// A number as a value.
    #[inline]
    pub(crate) fn value(&mut self, num: Num) -> Value {
        match num {
            Num::Int(n) => Value::Int(n),
            Num::Float(f) => Value::Float(f),
            Num::Big(big) => self.new_big(big),
        }
    }

    pub(crate) fn new_proto(&mut self, proto: Rc<Proto>) -> ProtoId {
        let number = self.counters.free_functions.pop().unwrap_or_else(|| {
            self.counters.functions += 1;
            self.counters.functions - 1
        });
        self.put_proto(Loaded { proto, number })
    }

    pub(crate) fn put_proto(&mut self, loaded: Loaded) -> ProtoId {
        self.used += loaded.proto.size();
        match self.free_protos.pop() {
            Some(index) => {
                self.protos[index as usize] = Some(loaded);
                ProtoId(index)
            }
            None => {
                let index = u32::try_from(self.protos.len()).unwrap_or(u32::MAX);
                self.protos.push(Some(loaded));
                ProtoId(index)
            }
        }
    }

    #[inline]
    pub(crate) fn proto(&self, id: ProtoId) -> Option<&Rc<Proto>> {
        self.protos.get(id.index()).and_then(Option::as_ref).map(|loaded| &loaded.proto)
    }

    pub(crate) fn function_number(&self, id: ProtoId) -> u64 {
        self.protos.get(id.index()).and_then(Option::as_ref).map_or(0, |loaded| loaded.number)
    }

    pub(crate) fn native_name(&self, id: NativeId) -> &NativeName {
        static NONE: NativeName = NativeName { module: String::new(), function: String::new() };
        self.native_names.get(id.index()).unwrap_or(&NONE)
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether a collection is due.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.used + self.journal.size() > self.threshold
    }

    #[cold]
    pub(super) fn pay(&self, work: u64) {
        self.work.set(self.work.get() + work);
    }

    /// Work done since last asked.
    pub(crate) fn take_work(&self) -> u64 {
        self.work.take()
    }

    pub(crate) fn has_work(&self) -> bool {
        self.work.get() > 0
    }
}

pub(super) fn env_size(slots: usize) -> usize {
    size_of::<Env>() + slots * size_of::<Value>()
}

pub(super) fn big_size(big: &BigInt) -> usize {
    usize::try_from(big.bits() / 8).unwrap_or(usize::MAX / 2) + 64
}
