//! The inner loop: instructions of one frame, until something needs the whole machine.

use super::call::WINDOW;
use crate::compile::Op;
use crate::heap::Heap;
use crate::value::{EnvId, Value};

/// Why the inner loop was left. The frame's place is after the instruction.
#[derive(Debug, Clone, Copy)]
pub(super) enum Exit {
    /// The instruction before needs the long way.
    Slow,
    /// Garbage may have to be collected; the instruction before is done.
    Collect,
    /// The fuel of this slice is spent.
    Fuel,
    /// A function of Lua or anything else is called.
    Call { f: u8, count: u8, results: u8 },
    /// A call returns so many registers.
    Return { from: u8, count: u8 },
}

/// What the inner loop works on.
pub(super) struct Context<'a> {
    pub(super) heap: &'a mut Heap,
    pub(super) registers: &'a mut [Value; WINDOW],
    pub(super) code: &'a [Op],
    pub(super) constants: &'a [Value],
    pub(super) pc: usize,
    pub(super) env: EnvId,
    pub(super) fuel: u64,
    /// No loop goes on with this much fuel or less.
    pub(super) floor: u64,
}

macro_rules! int_arith {
    ($cx:ident, $r:ident, $to:ident, $a:expr, $b:expr, $int:ident, $float:tt) => {
        match ($a, $b) {
            (Value::Int(x), Value::Int(y)) => match x.$int(y) {
                Some(n) => $r[usize::from($to)] = Value::Int(n),
                None => break Exit::Slow,
            },
            (Value::Float(x), Value::Float(y)) => {
                let f = x $float y;
                if !f.is_finite() {
                    break Exit::Slow;
                }
                $r[usize::from($to)] = Value::Float(f);
            }
            _ => break Exit::Slow,
        }
    };
}

macro_rules! ordered {
    ($r:ident, $a:expr, $b:expr, $compare:tt) => {
        match ($a, $b) {
            (Value::Int(x), Value::Int(y)) => x $compare y,
            (Value::Float(x), Value::Float(y)) => x $compare y,
            _ => break Exit::Slow,
        }
    };
}

impl Context<'_> {
    /// Runs until something needs the whole machine.
    #[allow(clippy::too_many_lines, clippy::cognitive_complexity, reason = "one arm for each instruction")]
    pub(super) fn run(&mut self) -> Exit {
        let (code, constants) = (self.code, self.constants);
        let r = &mut *self.registers;
        let mut pc = self.pc;
        // Instructions are paid for when control goes elsewhere.
        let mut from = pc;
        let (mut fuel, floor) = (self.fuel, self.floor);
        macro_rules! jump {
            ($to:expr) => {{
                fuel = fuel.saturating_sub((pc - from) as u64);
                pc = $to as usize;
                from = pc;
            }};
        }
        let exit = loop {
            let Some(op) = code.get(pc).copied() else { break Exit::Return { from: 0, count: 0 } };
            pc += 1;
            match op {
                Op::Move { to, from } => r[usize::from(to)] = r[usize::from(from)],
                Op::Constant { to, index } => r[usize::from(to)] = constant(constants, index),
                Op::Int { to, value } => r[usize::from(to)] = Value::Int(i64::from(value)),
                Op::Nil { to, count } => {
                    for at in to..to.saturating_add(count) {
                        r[usize::from(at)] = Value::Nil;
                    }
                }
                Op::Bool { to, value } => r[usize::from(to)] = Value::Bool(value),
                Op::GetEnv { to, depth, slot } => {
                    let env = self.heap.env_at(self.env, depth);
                    r[usize::from(to)] = self.heap.env_get(env, slot);
                }
                Op::SetEnv { from, depth, slot } => {
                    let env = self.heap.env_at(self.env, depth);
                    self.heap.env_set(env, slot, r[usize::from(from)]);
                }
                Op::GetGlobal { to, name } => {
                    let globals = self.heap.globals;
                    let value = self.heap.get(globals, constant(constants, name));
                    if value.is_nil() && self.heap.table(globals).meta.is_some() {
                        break Exit::Slow;
                    }
                    r[usize::from(to)] = value;
                }
                Op::SetGlobal { from, name } => {
                    let globals = self.heap.globals;
                    if !set_field(self.heap, globals, constant(constants, name), r[usize::from(from)]) {
                        break Exit::Slow;
                    }
                    if self.heap.is_due() {
                        break Exit::Collect;
                    }
                }
                Op::GetField { to, table, name } => {
                    let Value::Table(table) = r[usize::from(table)] else { break Exit::Slow };
                    let value = match constant(constants, name) {
                        Value::Str(id) if !id.is_long() => self.heap.table(table).short(id),
                        other => self.heap.get(table, other),
                    };
                    if value.is_nil() && self.heap.table(table).meta.is_some() {
                        break Exit::Slow;
                    }
                    r[usize::from(to)] = value;
                }
                Op::GetIndex { to, table, key } => {
                    let Value::Table(table) = r[usize::from(table)] else { break Exit::Slow };
                    let value = match r[usize::from(key)] {
                        Value::Int(n) => match self.heap.table(table).array_at(n) {
                            Some(value) => value,
                            None => self.heap.get_hashed(table, Value::Int(n)),
                        },
                        other => self.heap.get(table, other),
                    };
                    if value.is_nil() && self.heap.table(table).meta.is_some() {
                        break Exit::Slow;
                    }
                    r[usize::from(to)] = value;
                }
                Op::SetField { table, value, name } => {
                    let Value::Table(table) = r[usize::from(table)] else { break Exit::Slow };
                    if !set_field(self.heap, table, constant(constants, name), r[usize::from(value)]) {
                        break Exit::Slow;
                    }
                    if self.heap.is_due() {
                        break Exit::Collect;
                    }
                }
                Op::SetIndex { table, key, value } => {
                    let Value::Table(table) = r[usize::from(table)] else { break Exit::Slow };
                    let (key, value) = (r[usize::from(key)], r[usize::from(value)]);
                    let plain = match key {
                        Value::Int(n) if n >= 1 => set_int(self.heap, table, n, value),
                        Value::Nil => false,
                        Value::Str(_) => set_field(self.heap, table, key, value),
                        _ => false,
                    };
                    if !plain {
                        break Exit::Slow;
                    }
                    if self.heap.is_due() {
                        break Exit::Collect;
                    }
                }
                Op::Add { to, a, b } => {
                    int_arith!(self, r, to, r[usize::from(a)], r[usize::from(b)], checked_add, +);
                }
                Op::Sub { to, a, b } => {
                    int_arith!(self, r, to, r[usize::from(a)], r[usize::from(b)], checked_sub, -);
                }
                Op::Mul { to, a, b } => {
                    int_arith!(self, r, to, r[usize::from(a)], r[usize::from(b)], checked_mul, *);
                }
                Op::AddInt { to, a, value } => match r[usize::from(a)] {
                    Value::Int(x) => match x.checked_add(i64::from(value)) {
                        Some(n) => r[usize::from(to)] = Value::Int(n),
                        None => break Exit::Slow,
                    },
                    _ => break Exit::Slow,
                },
                Op::SubInt { to, a, value } => match r[usize::from(a)] {
                    Value::Int(x) => match x.checked_sub(i64::from(value)) {
                        Some(n) => r[usize::from(to)] = Value::Int(n),
                        None => break Exit::Slow,
                    },
                    _ => break Exit::Slow,
                },
                Op::Mod { to, a, b } => match (r[usize::from(a)], r[usize::from(b)]) {
                    (Value::Int(x), Value::Int(y)) if y > 0 => {
                        r[usize::from(to)] = Value::Int(x.rem_euclid(y));
                    }
                    _ => break Exit::Slow,
                },
                Op::Div { to, a, b } => match (r[usize::from(a)], r[usize::from(b)]) {
                    (Value::Float(x), Value::Float(y)) if y != 0.0 && (x / y).is_finite() => {
                        r[usize::from(to)] = Value::Float(x / y);
                    }
                    _ => break Exit::Slow,
                },
                Op::Not { to, a } => r[usize::from(to)] = Value::Bool(!r[usize::from(a)].is_true()),
                Op::Eq { to, a, b } | Op::Ne { to, a, b } => {
                    let (x, y) = (r[usize::from(a)], r[usize::from(b)]);
                    let equal = self.heap.equal(x, y);
                    if !equal && matches!((x, y), (Value::Table(_), Value::Table(_))) {
                        break Exit::Slow;
                    }
                    r[usize::from(to)] = Value::Bool(equal == matches!(op, Op::Eq { .. }));
                }
                Op::Lt { to, a, b, .. } => {
                    r[usize::from(to)] = Value::Bool(ordered!(r, r[usize::from(a)], r[usize::from(b)], <));
                }
                Op::Le { to, a, b, .. } => {
                    r[usize::from(to)] = Value::Bool(ordered!(r, r[usize::from(a)], r[usize::from(b)], <=));
                }
                Op::Jump { to } => jump!(to),
                Op::Loop { to } => {
                    jump!(to);
                    if fuel <= floor {
                        break Exit::Fuel;
                    }
                    if self.heap.is_due() {
                        break Exit::Collect;
                    }
                }
                Op::IfTrue { a, to } => {
                    if !r[usize::from(a)].is_true() {
                        jump!(to);
                    }
                }
                Op::IfFalse { a, to } => {
                    if r[usize::from(a)].is_true() {
                        jump!(to);
                    }
                }
                Op::IfEq { a, b, to } => {
                    let (x, y) = (r[usize::from(a)], r[usize::from(b)]);
                    if !self.heap.equal(x, y) {
                        if matches!((x, y), (Value::Table(_), Value::Table(_))) {
                            break Exit::Slow;
                        }
                        jump!(to);
                    }
                }
                Op::IfNe { a, b, to } => {
                    let (x, y) = (r[usize::from(a)], r[usize::from(b)]);
                    if self.heap.equal(x, y) {
                        jump!(to);
                    } else if matches!((x, y), (Value::Table(_), Value::Table(_))) {
                        break Exit::Slow;
                    }
                }
                Op::IfLt { a, b, to, .. } => {
                    if !ordered!(r, r[usize::from(a)], r[usize::from(b)], <) {
                        jump!(to);
                    }
                }
                Op::IfLe { a, b, to, .. } => {
                    if !ordered!(r, r[usize::from(a)], r[usize::from(b)], <=) {
                        jump!(to);
                    }
                }
                Op::IfEqInt { a, value, to } => {
                    if !equals_int(r[usize::from(a)], value) {
                        jump!(to);
                    }
                }
                Op::IfNeInt { a, value, to } => {
                    if equals_int(r[usize::from(a)], value) {
                        jump!(to);
                    }
                }
                Op::IfEqShort { a, index, to } => {
                    if !equals_short(r[usize::from(a)], constant(constants, u32::from(index))) {
                        jump!(to);
                    }
                }
                Op::IfNeShort { a, index, to } => {
                    if equals_short(r[usize::from(a)], constant(constants, u32::from(index))) {
                        jump!(to);
                    }
                }
                Op::IfLtInt { a, value, to } => match r[usize::from(a)] {
                    Value::Int(n) if n < i64::from(value) => {}
                    Value::Int(_) => jump!(to),
                    _ => break Exit::Slow,
                },
                Op::IfLeInt { a, value, to } => match r[usize::from(a)] {
                    Value::Int(n) if n <= i64::from(value) => {}
                    Value::Int(_) => jump!(to),
                    _ => break Exit::Slow,
                },
                Op::IfGtInt { a, value, to } => match r[usize::from(a)] {
                    Value::Int(n) if n > i64::from(value) => {}
                    Value::Int(_) => jump!(to),
                    _ => break Exit::Slow,
                },
                Op::IfGeInt { a, value, to } => match r[usize::from(a)] {
                    Value::Int(n) if n >= i64::from(value) => {}
                    Value::Int(_) => jump!(to),
                    _ => break Exit::Slow,
                },
                Op::ForLoop { base, to } => {
                    let base = usize::from(base);
                    let (Value::Int(n), Value::Int(limit), Value::Int(step)) =
                        (r[base & 255], r[(base + 1) & 255], r[(base + 2) & 255])
                    else {
                        break Exit::Slow;
                    };
                    // Beyond 64 bits is beyond the limit, which is not.
                    if let Some(n) = n.checked_add(step)
                        && (if step > 0 { n <= limit } else { n >= limit })
                    {
                        r[base & 255] = Value::Int(n);
                        r[(base + 3) & 255] = Value::Int(n);
                        jump!(to);
                        if fuel <= floor {
                            break Exit::Fuel;
                        }
                        if self.heap.is_due() {
                            break Exit::Collect;
                        }
                    }
                }
                Op::Closure { .. } | Op::NewTable { .. } => break Exit::Slow,
                Op::PopEnv { count } => self.env = self.heap.env_at(self.env, count),
                Op::Call { f, count, results } => break Exit::Call { f, count, results },
                Op::ReturnOne { from } => break Exit::Return { from, count: 1 },
                Op::ReturnNone => break Exit::Return { from: 0, count: 0 },
                Op::Return { from, count } => break Exit::Return { from, count },
                _ => break Exit::Slow,
            }
        };
        self.fuel = fuel.saturating_sub((pc - from) as u64);
        self.pc = pc;
        exit
    }
}

#[inline]
pub(super) fn constant(constants: &[Value], index: u32) -> Value {
    constants.get(index as usize).copied().unwrap_or(Value::Nil)
}

#[inline]
fn equals_int(value: Value, wanted: i16) -> bool {
    match value {
        Value::Int(n) => n == i64::from(wanted),
        Value::Float(f) => f == f64::from(wanted),
        _ => false,
    }
}

/// Whether a value is a short string: they are kept once.
#[inline]
fn equals_short(value: Value, wanted: Value) -> bool {
    matches!((value, wanted), (Value::Str(a), Value::Str(b)) if a == b)
}

/// Sets a string's field if no metatable has a say; answers whether it was set.
#[inline]
fn set_field(heap: &mut Heap, table: crate::value::TableId, name: Value, value: Value) -> bool {
    let now = heap.journal.now();
    let object = heap.table_mut(table);
    if let Value::Str(id) = name
        && !id.is_long()
        && object.born >= now
        && object.replace_short(id, value)
    {
        return true;
    }
    if object.meta.is_some() {
        return false;
    }
    heap.set_hashed(table, name, value);
    true
}

/// Sets a whole number's field if no metatable has a say; answers whether it was set.
#[inline]
fn set_int(heap: &mut Heap, table: crate::value::TableId, key: i64, value: Value) -> bool {
    let now = heap.journal.now();
    let object = heap.table_mut(table);
    if object.born >= now
        && !value.is_nil()
        && let Ok(at) = usize::try_from(key - 1)
        && let Some(place) = object.array.get_mut(at)
        && !place.is_nil()
    {
        *place = value;
        return true;
    }
    if object.meta.is_some() {
        return false;
    }
    heap.set_int(table, key, value);
    true
}
