//! The virtual machine: what a host holds.

mod call;
mod execute;
mod frame;
mod host;
mod index;
mod lua53;
mod native;
mod operate;
mod repeat;
mod run;
mod slice;
mod text;

use std::fmt;
use std::rc::Rc;

use crate::error::{ErrorKind, LuaError};
use crate::heap::{Heap, NativeName};
use crate::value::{EnvId, NativeId, TableId, ThreadId, Value};

use frame::Frame;

pub use host::Host;
pub(crate) use lua53::{Caller, OWN_CHUNK, Status, Thread};
pub use native::{Call, Returns};

/// Whose Lua it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Luerl 1.3.0, to the byte.
    Luerl,
    /// Lua 5.3 as its manual has it.
    Lua53,
}

impl Profile {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Luerl => "luerl",
            Self::Lua53 => "lua53",
        }
    }
}

/// What a call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Instructions, and what natives charge.
    pub fuel: u64,
    /// Bytes of memory.
    pub memory: usize,
    /// Calls inside each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel: 10_000_000_000, memory: 256 << 20, depth: 200_000 }
    }
}

/// A function of the host.
pub(crate) type NativeFn = dyn Fn(&mut Call<'_>) -> Result<Returns, LuaError>;

/// Calls from natives into Lua that may stand inside each other: each takes some of the machine's own stack.
const MAX_NESTED: usize = 100;

/// A Lua virtual machine.
pub struct Vm {
    pub(crate) profile: Profile,
    pub(crate) limits: Limits,
    pub(crate) heap: Heap,
    pub(crate) natives: Vec<Rc<NativeFn>>,
    pub(crate) stack: Vec<Value>,
    frames: Vec<Frame>,
    pub(crate) fuel: u64,
    /// Fuel that went for what depends on how the heap came about, since the fuel was set.
    worked: u64,
    /// At this much fuel the host's call is left for the time being; 0: never.
    pause_at: u64,
    nested: usize,
    /// Where the arguments of the native that runs end.
    native_top: usize,
    /// What a call gave the host.
    results: Vec<Value>,
    /// For texts in the making.
    scratch: Vec<u8>,
    /// The native that `pairs` answers, if it is known.
    next_native: Option<NativeId>,
    /// Profile `lua53`: the coroutine that runs, who resumed it and so on, the nesting of natives its calls began at.
    thread: ThreadId,
    resumers: Vec<ThreadId>,
    thread_base: usize,
    /// Profile `lua53`: to whom the values go with which the coroutine that runs is resumed, and what it yields.
    waiting: Option<(frame::Give, usize)>,
    yielded: Option<Vec<Value>>,
    /// How many frames there were at each call from a native.
    floors: Vec<usize>,
    /// Whether a native runs, and not a function of Lua it waits for.
    in_native: bool,
    /// The native that runs.
    pub(crate) native_now: NativeId,
    /// Values natives hold while they call into Lua.
    pub(crate) kept: Vec<Value>,
    /// How many of them, from the first on, are the arguments of the call that is cut into slices: errors tell of them.
    pub(super) begun: usize,
    /// The state of `math.random`; nothing until it is first used.
    pub(crate) random: Option<crate::random::Random>,
    /// What it was when the call in progress began.
    random_before: Option<crate::random::Random>,
    /// What a script may ask about that is outside of it.
    pub(crate) world: Box<dyn crate::world::World>,
    /// What scripts have printed.
    pub(crate) output: Vec<u8>,
    /// What made the run's outcome depend on more than its input, such as `os.time`.
    pub(crate) unreplayable: std::collections::BTreeSet<&'static str>,
}

impl fmt::Debug for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vm")
            .field("profile", &self.profile)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Vm {
    /// A machine with an empty table of globals: no library is installed.
    #[must_use]
    pub fn bare(profile: Profile, limits: Limits) -> Self {
        Self {
            profile,
            limits,
            heap: Heap::new(limits.memory, profile == Profile::Lua53),
            natives: Vec::new(),
            stack: vec![Value::Nil; 512],
            frames: Vec::new(),
            fuel: limits.fuel,
            worked: 0,
            pause_at: 0,
            nested: 0,
            native_top: 0,
            results: Vec::new(),
            scratch: Vec::new(),
            next_native: None,
            thread: ThreadId(0),
            resumers: Vec::new(),
            thread_base: 0,
            waiting: None,
            yielded: None,
            floors: Vec::new(),
            in_native: false,
            native_now: NativeId(0),
            kept: Vec::new(),
            begun: 0,
            random: None,
            random_before: None,
            world: Box::new(crate::world::Nowhere),
            output: Vec::new(),
            unreplayable: std::collections::BTreeSet::new(),
        }
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The table of globals.
    #[must_use]
    pub fn globals(&self) -> TableId {
        self.heap.globals
    }

    /// Fuel left.
    #[must_use]
    pub fn fuel(&self) -> u64 {
        self.fuel
    }

    /// Sets the fuel for what comes.
    pub fn set_fuel(&mut self, fuel: u64) {
        self.fuel = fuel;
        self.worked = 0;
    }

    /// How much of the fuel since [`Self::set_fuel`] went for searching in the heap: that depends on what else was in it before,
    /// and so is no measure of the script.
    #[must_use]
    pub fn worked(&self) -> u64 {
        self.worked
    }

    /// Bytes of memory in use, what is garbage but not yet collected included.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.heap.used()
    }

    /// What made the outcome so far depend on more than its input: `os.time`, `os.clock`, unseeded randomness.
    #[must_use]
    pub fn unreplayable(&self) -> Vec<&'static str> {
        self.unreplayable.iter().copied().collect()
    }

    /// Compiles a chunk. Errors: `lua-syntax`, and `lua-crash` where Luerl's compiler fails.
    pub fn load(&mut self, source: &[u8], name: &str) -> Result<Value, LuaError> {
        if self.is_exact() {
            return self.load_exact(source, name, None);
        }
        // Code takes more room than its text.
        self.check_memory(source.len().saturating_mul(24))?;
        self.charge(source.len() as u64)?;
        let functions = crate::compile::compile(&mut self.heap, source, name, None)?;
        match functions.last() {
            Some(chunk) => Ok(Value::Function(*chunk, EnvId(0))),
            None => Ok(Value::Nil),
        }
    }

    /// Makes a function of the host known, by its name in Luerl: `luerl_lib_table`, `insert`. The same name again replaces the
    /// function; the value stays.
    pub fn native(
        &mut self,
        module: &str,
        function: &str,
        body: impl Fn(&mut Call<'_>) -> Result<Returns, LuaError> + 'static,
    ) -> Value {
        let name = NativeName { module: module.to_owned(), function: function.to_owned() };
        if let Some(at) = self.heap.native_names.iter().position(|known| *known == name) {
            self.natives[at] = Rc::new(body);
            return Value::Native(NativeId(u32::try_from(at).unwrap_or(u32::MAX)));
        }
        let id = NativeId(u32::try_from(self.natives.len()).unwrap_or(u32::MAX));
        if matches!((module, function), ("luerl_lib_basic" | "_G", "next")) {
            self.next_native = Some(id);
        }
        self.heap.native_names.push(name);
        self.natives.push(Rc::new(body));
        Value::Native(id)
    }

    /// The string with these bytes.
    pub fn string(&mut self, bytes: impl AsRef<[u8]>) -> Value {
        self.heap.string(bytes.as_ref())
    }

    /// The bytes of a string; nothing for another value.
    #[must_use]
    pub fn bytes(&self, value: Value) -> Option<&[u8]> {
        match value {
            Value::Str(id) => Some(self.heap.bytes(id)),
            _ => None,
        }
    }

    /// A new table. Its number is Luerl's next.
    pub fn table(&mut self) -> TableId {
        self.heap.new_table()
    }

    /// A field, without metamethods.
    #[must_use]
    pub fn get(&self, table: TableId, key: Value) -> Value {
        self.heap.get(table, key)
    }

    /// Sets a field, without metamethods.
    pub fn set(&mut self, table: TableId, key: Value, value: Value) {
        self.heap.set(table, key, value);
    }

    /// Sets a field by its name, without metamethods.
    pub fn set_field(&mut self, table: TableId, name: &str, value: Value) {
        let key = self.heap.string(name.as_bytes());
        self.heap.set(table, key, value);
    }

    /// A field by its name, without metamethods.
    pub fn get_field(&mut self, table: TableId, name: &str) -> Value {
        let key = self.heap.string(name.as_bytes());
        self.heap.get(table, key)
    }

    /// The entry after a key, in order; the first after `nil`.
    pub fn next(&mut self, table: TableId, key: Value) -> Option<(Value, Value)> {
        self.heap.next(table, key)
    }

    /// Sets the metatable of all strings.
    pub fn set_string_metatable(&mut self, meta: Option<TableId>) {
        self.heap.metas.string = meta;
    }

    /// Changes from here on can be undone by [`Self::roll_back`].
    pub fn begin(&mut self) {
        self.heap.begin();
        self.random_before.clone_from(&self.random);
    }

    /// The changes since [`Self::begin`] stay.
    pub fn commit(&mut self) {
        self.heap.commit();
    }

    /// Everything is as it was at [`Self::begin`].
    pub fn roll_back(&mut self) {
        self.heap.undo();
        self.random = self.random_before.take();
        // What the call made is garbage now, and may be all the memory there is.
        if self.frames.is_empty() {
            self.collect(&[]);
        }
    }

    /// Whether no call is in progress.
    pub(crate) fn is_quiet(&self) -> bool {
        self.frames.is_empty() && self.nested == 0 && self.heap.journal.now() == 0
    }

    pub(crate) fn charge(&mut self, fuel: u64) -> Result<(), LuaError> {
        match self.fuel.checked_sub(fuel) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.fuel = 0;
                Err(out_of_fuel())
            }
        }
    }

    /// Charges what the heap had to search beyond the usual.
    pub(crate) fn charge_work(&mut self) -> Result<(), LuaError> {
        let work = self.heap.take_work();
        self.worked = self.worked.saturating_add(work);
        self.charge(work)
    }

    /// Fails if so many further bytes would be more than the limit.
    pub(crate) fn check_memory(&self, bytes: usize) -> Result<(), LuaError> {
        let stack = self.stack.capacity() * size_of::<Value>() + self.frames.capacity() * size_of::<Frame>();
        let used = self.heap.used().saturating_add(self.heap.journal.size()).saturating_add(stack);
        if used.saturating_add(bytes) > self.heap.limit() {
            return Err(LuaError::limit(ErrorKind::OutOfMemory, "The script ran out of memory."));
        }
        Ok(())
    }

    /// Collects garbage if it is due, and fails if there is too little memory even so.
    pub(crate) fn collect_if_due(&mut self) -> Result<(), LuaError> {
        if self.heap.is_due() {
            self.collect(&[]);
            self.check_memory(0)?;
        }
        Ok(())
    }

    /// Collects garbage; these values live, and what they refer to.
    pub fn collect(&mut self, roots: &[Value]) {
        self.collect_with(roots, false);
    }

    /// As [`Self::collect`], and the numbers of the tables and functions that are gone are given out again: Luerl's
    /// `collectgarbage`.
    pub fn collect_as_luerl(&mut self, roots: &[Value]) {
        self.collect_with(roots, true);
    }

    fn collect_with(&mut self, roots: &[Value], numbers: bool) {
        let top = self.stack_top();
        self.stack[top..].fill(Value::Nil);
        let envs: Vec<EnvId> = self.frames.iter().map(|frame| frame.env).collect();
        let protos: Vec<_> = self.frames.iter().filter_map(|frame| frame.function).collect();
        let roots = crate::heap::Roots {
            values: &[&self.stack[..top], &self.kept, &self.results, roots],
            envs: &envs,
            protos: &protos,
            threads: &self.resumers,
        };
        if numbers {
            self.heap.collect_numbers(&roots);
        } else {
            self.heap.collect(&roots);
        }
    }
}

#[cold]
pub(crate) fn out_of_fuel() -> LuaError {
    LuaError::limit(ErrorKind::OutOfFuel, "The script ran out of fuel.")
}

#[cfg(test)]
mod tests;
