//! How a function of the host sees its call.

use std::borrow::Cow;

use super::Vm;
use crate::error::{ErrorKind, LuaError, Term};
use crate::value::{TableId, Value};

/// What a native answers.
#[derive(Debug)]
pub enum Returns {
    /// Nothing.
    None,
    /// One value.
    One(Value),
    /// Two values.
    Two(Value, Value),
    /// Any number of values.
    Many(Vec<Value>),
    /// What this call gives, in the native's place.
    Tail(Value, Vec<Value>),
    /// `true` and what this call gives, or `false` and the error's text: `pcall`.
    Protected(Value, Vec<Value>),
    /// As `Protected`, and the first value is called with the error before the calls it came from are left: `xpcall`.
    Guarded(Value, Value, Vec<Value>),
    /// These values go to who resumed the coroutine; what it is resumed with is what the native gives.
    Yield(Vec<Value>),
}

/// A call of a native: its arguments, and the machine.
///
/// What a native charges bounds what it may cost: [`Call::fuel`] before work that grows with its arguments,
/// [`Call::memory`] before it makes something large.
#[derive(Debug)]
pub struct Call<'a> {
    /// The machine.
    pub vm: &'a mut Vm,
    pub(super) base: usize,
    pub(super) count: usize,
}

impl Call<'_> {
    /// How many arguments were given.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Forgets what the caller's registers hold above this call. A call stands above all values that are read again, as its
    /// compiler places it, so this is what was left behind by expressions that are over.
    pub(crate) fn forget_above(&mut self) {
        let (from, top) = (self.base + self.count, self.vm.stack_top());
        if let Some(left) = self.vm.stack.get_mut(from..top) {
            left.fill(Value::Nil);
        }
    }

    /// An argument, from 0 on; nothing if it was not given.
    #[inline]
    #[must_use]
    pub fn arg(&self, at: usize) -> Option<Value> {
        if at < self.count { self.vm.stack.get(self.base + at).copied() } else { None }
    }

    /// An argument, from 0 on; `nil` if it was not given.
    #[inline]
    #[must_use]
    pub fn arg_or_nil(&self, at: usize) -> Value {
        self.arg(at).unwrap_or(Value::Nil)
    }

    /// All arguments.
    #[must_use]
    pub fn args(&self) -> Vec<Value> {
        self.vm.stack[self.base..self.base + self.count].to_vec()
    }

    /// The arguments from one on.
    #[must_use]
    pub fn args_from(&self, at: usize) -> Vec<Value> {
        self.vm.stack[self.base + at.min(self.count)..self.base + self.count].to_vec()
    }

    /// The bytes of a string; nothing for another value.
    #[must_use]
    pub fn bytes(&self, value: Value) -> Option<&[u8]> {
        self.vm.bytes(value)
    }

    /// The string with these bytes. Charge for it first if it may be long.
    pub fn string(&mut self, bytes: impl AsRef<[u8]>) -> Value {
        self.vm.heap.string(bytes.as_ref())
    }

    /// A value as a number, if it is one; strings are not.
    #[must_use]
    pub fn num(&self, value: Value) -> Option<crate::number::Num> {
        self.vm.heap.num(value)
    }

    /// A number as a value.
    pub fn value(&mut self, num: crate::number::Num) -> Value {
        self.vm.heap.value(num)
    }

    /// A new table.
    pub fn table(&mut self) -> TableId {
        self.vm.heap.new_table()
    }

    /// A field, without metamethods.
    #[must_use]
    pub fn get(&self, table: TableId, key: Value) -> Value {
        self.vm.heap.get(table, key)
    }

    /// Sets a field, without metamethods; `nil` removes it.
    pub fn set(&mut self, table: TableId, key: Value, value: Value) {
        self.vm.heap.set(table, key, value);
    }

    /// As [`Self::set`], where Luerl counts a whole number as set even if it is set to `nil`: `rawset`, `table.insert`.
    pub fn set_raw(&mut self, table: TableId, key: Value, value: Value) {
        self.vm.heap.set(table, key, value);
        if let Value::Int(n) = self.vm.heap.key(key) {
            self.vm.heap.touch(table, n);
        }
    }

    /// The entry after a key, in order; the first after `nil`.
    pub fn next(&mut self, table: TableId, key: Value) -> Option<(Value, Value)> {
        self.vm.heap.next(table, key)
    }

    /// Luerl's length of a table, without metamethods.
    pub fn length(&mut self, table: TableId) -> i64 {
        self.vm.heap.length(table)
    }

    /// How far Luerl's `table.sort` sorts: the largest whole number that ever was a key, `nil` there or not.
    #[must_use]
    pub fn sort_length(&self, table: TableId) -> u64 {
        self.vm.heap.top(table)
    }

    /// Erlang's `==`, which is Lua's without metamethods.
    #[must_use]
    pub fn equal(&self, a: Value, b: Value) -> bool {
        self.vm.heap.equal(a, b)
    }

    /// Erlang's `=:=`: an integer is no float.
    #[must_use]
    pub fn identical(&self, a: Value, b: Value) -> bool {
        self.vm.heap.identical(a, b)
    }

    /// The metatable of a value.
    #[must_use]
    pub fn metatable(&self, value: Value) -> Option<TableId> {
        self.vm.heap.meta(value)
    }

    /// Sets a table's metatable.
    pub fn set_metatable(&mut self, table: TableId, meta: Option<TableId>) {
        self.vm.heap.set_meta(table, meta);
    }

    /// The field of a value's metatable, such as `__tostring`; `nil` if there is none.
    pub fn metamethod(&mut self, value: Value, event: &str) -> Value {
        self.vm.metamethod(value, event)
    }

    /// The number Luerl knows a table or a function of Lua by: what `tostring` shows.
    #[must_use]
    pub fn number_of(&self, value: Value) -> Option<u64> {
        match value {
            Value::Table(id) => Some(self.vm.heap.table(id).number),
            Value::Function(proto, _) => Some(self.vm.heap.function_number(proto)),
            _ => None,
        }
    }

    /// The module and function a native is in Luerl.
    #[must_use]
    pub fn native_name(&self, value: Value) -> Option<(&str, &str)> {
        match value {
            Value::Native(id) => {
                let name = self.vm.heap.native_name(id);
                Some((&name.module, &name.function))
            }
            _ => None,
        }
    }

    /// Calls a value and waits for it. Such calls inside each other are bounded; prefer [`Returns::Tail`] where it does.
    ///
    /// While it runs, garbage may be collected: values other than this call's arguments and what they refer to must have
    /// been given to [`Self::keep`].
    pub fn call(&mut self, function: Value, args: &[Value]) -> Result<Vec<Value>, LuaError> {
        self.vm.call_nested(function, args)
    }

    /// A value's field as a script sees it, metamethods and errors included.
    pub fn index(&mut self, value: Value, key: Value) -> Result<Value, LuaError> {
        self.vm.index_nested(value, key)
    }

    /// Sets a value's field as a script does, metamethods and errors included.
    pub fn set_index(&mut self, value: Value, key: Value, new: Value) -> Result<(), LuaError> {
        self.vm.set_index_nested(value, key, new)
    }

    /// Keeps a value alive until this call returns.
    pub fn keep(&mut self, value: Value) {
        self.vm.kept.push(value);
    }

    /// Pays for work: a unit is about an instruction, or a dozen bytes copied.
    pub fn fuel(&mut self, units: u64) -> Result<(), LuaError> {
        self.vm.charge(units)
    }

    /// Fails if so many bytes more would be over the limit. Strings and tables count themselves when they are made.
    pub fn memory(&mut self, bytes: usize) -> Result<(), LuaError> {
        self.vm.check_memory(bytes)
    }

    /// Notes that the outcome depends on more than the input: `os.time`.
    pub fn unreplayable(&mut self, what: &'static str) {
        self.vm.unreplayable.insert(what);
    }

    /// `{badarg,Where,Args}` with this call's arguments.
    #[cold]
    pub fn badarg(&self, place: impl Into<Cow<'static, str>>) -> LuaError {
        LuaError::triple("badarg", place, &self.args())
    }

    /// Erlang's failure of this name, which no `pcall` catches: `function_clause`, `badarg`, `undef`.
    #[cold]
    pub fn crash(&self, reason: &'static str) -> LuaError {
        LuaError::crash(Term::atom(reason))
    }

    /// A bound of this implementation.
    #[cold]
    pub fn unsupported(&self, sentence: &str) -> LuaError {
        LuaError::limit(ErrorKind::Unsupported, sentence)
    }
}
