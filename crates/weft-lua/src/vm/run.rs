//! The outer loop: frames, calls, and the instructions that need the whole machine.

use super::call::WINDOW;
use super::execute::{Context, Exit, constant};
use super::frame::{Frame, Give};
use super::index::Access;
use super::operate::Outcome;
use super::{Vm, out_of_fuel};
use crate::compile::op::{MANY, Op};
use crate::error::{LuaError, Term};
use crate::number::{BinOp, UnOp};
use crate::value::Value;

impl Vm {
    /// Runs until the frames above the floor are done and their values are the host's, and answers `true`; or until the slice
    /// ends, and answers `false`: only the host's own call is ever left standing.
    pub(super) fn run(&mut self, floor: usize) -> Result<bool, LuaError> {
        let pause = if self.nested == 1 { self.pause_at } else { 0 };
        loop {
            match self.steps(pause) {
                Ok(over) => return Ok(over),
                Err(error) => {
                    if self.caught(error, floor)? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Runs until the host has its values, the slice ends, or an error.
    fn steps(&mut self, pause: u64) -> Result<bool, LuaError> {
        loop {
            if self.fuel <= pause && pause > 0 {
                return Ok(false);
            }
            let Some(frame) = self.frames.last_mut() else { return Ok(true) };
            let Some(proto) = frame.proto.clone() else { return Ok(true) };
            let base = frame.base;
            let Some(registers) =
                self.stack.get_mut(base..).and_then(|stack| stack.first_chunk_mut::<WINDOW>())
            else {
                return Err(super::call::too_deep());
            };
            let mut context = Context {
                heap: &mut self.heap,
                registers,
                code: &proto.code,
                constants: &proto.constants,
                pc: frame.pc,
                env: frame.env,
                fuel: self.fuel,
                floor: pause,
            };
            let exit = context.run();
            (frame.pc, frame.env, self.fuel) = (context.pc, context.env, context.fuel);
            if self.fuel == 0 {
                return Err(out_of_fuel());
            }
            match exit {
                Exit::Slow => {
                    let Some(op) = proto.code.get(frame.pc.wrapping_sub(1)).copied() else { return Ok(true) };
                    self.slow(op, base, &proto.constants)?;
                    if self.heap.has_work() {
                        self.charge_work()?;
                    }
                    self.collect_if_due()?;
                }
                Exit::Collect => self.collect_if_due()?,
                Exit::Fuel => self.collect_if_due()?,
                Exit::Call { f, count, results } => {
                    let at = base + usize::from(f);
                    let function = self.stack[at];
                    let count = self.many(count, at + 1);
                    self.enter(function, at + 1, count, Give::Values { to: f, count: results })?;
                }
                Exit::Return { from, count } => {
                    let at = base + usize::from(from);
                    let count = self.many(count, at);
                    let Some(frame) = self.frames.pop() else { return Ok(true) };
                    if let (Give::Values { to, count: 1 }, 1, Some(caller)) =
                        (frame.give, count, self.frames.last())
                    {
                        self.stack[caller.base + usize::from(to)] = self.stack[at];
                    } else if self.give(frame.give, at, count)? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// How many registers a count means.
    #[inline]
    fn many(&mut self, count: u8, from: usize) -> usize {
        if count != MANY {
            return usize::from(count);
        }
        match self.frames.last_mut() {
            Some(frame) => std::mem::take(&mut frame.top).saturating_sub(from),
            None => 0,
        }
    }

    fn frame(&mut self) -> Result<&mut Frame, LuaError> {
        self.frames.last_mut().ok_or_else(|| LuaError::crash(Term::atom("badarg")))
    }

    /// An instruction, the long way.
    fn slow(&mut self, op: Op, base: usize, constants: &[Value]) -> Result<(), LuaError> {
        let at = |register: u8| base + usize::from(register);
        match op {
            Op::GetGlobal { to, name } => {
                let globals = Value::Table(self.heap.globals);
                self.get_into(globals, constant(constants, name), to)
            }
            Op::GetField { to, table, name } => {
                self.get_into(self.stack[at(table)], constant(constants, name), to)
            }
            Op::GetIndex { to, table, key } => self.get_into(self.stack[at(table)], self.stack[at(key)], to),
            Op::SetGlobal { from, name } => {
                let globals = Value::Table(self.heap.globals);
                self.set_from(globals, constant(constants, name), self.stack[at(from)])
            }
            Op::SetField { table, value, name } => {
                self.set_from(self.stack[at(table)], constant(constants, name), self.stack[at(value)])
            }
            Op::SetIndex { table, key, value } => {
                self.set_from(self.stack[at(table)], self.stack[at(key)], self.stack[at(value)])
            }
            Op::NewTable { .. }
            | Op::InitIndex { .. }
            | Op::InitField { .. }
            | Op::InitItem { .. }
            | Op::InitItems { .. }
            | Op::Seal { .. } => self.construct(op, base, constants),
            Op::ForPrepare { .. } | Op::ForLoop { .. } | Op::ForEach { .. } | Op::ForList { .. } => {
                self.repeat(op, base)
            }
            Op::Closure { to, index } => {
                let frame = self.frame()?;
                let env = frame.env;
                let inner =
                    frame.proto.as_ref().and_then(|proto| proto.functions.get(index as usize)).copied();
                let Some(inner) = inner else { return Err(LuaError::crash(Term::atom("badarg"))) };
                self.stack[at(to)] = Value::Function(inner, env);
                Ok(())
            }
            Op::PushEnv { size } => {
                let env = self.frame()?.env;
                let env = self.heap.new_env(env, usize::from(size));
                self.frame()?.env = env;
                Ok(())
            }
            Op::TailCall { .. }
            | Op::Method { .. }
            | Op::Varargs { .. }
            | Op::AsList { .. }
            | Op::Spread { .. }
            | Op::Adjust { .. }
            | Op::IfFirst { .. } => self.listed(op, base, constants),
            Op::Lost => Err(LuaError::crash(Term::atom("function_clause"))),
            Op::StrayBreak => {
                Err(LuaError::lua(Term::tuple([Term::atom("illegal_op"), Term::atom("break")])))
            }
            Op::ConcatAll { to, from, count } => self.concat_all(base, to, from, count),
            _ => self.operator(op, base),
        }
    }

    fn get_into(&mut self, object: Value, key: Value, to: u8) -> Result<(), LuaError> {
        match self.read(object, key)? {
            Access::Done(value) => {
                let base = self.frame()?.base;
                self.stack[base + usize::from(to)] = value;
                Ok(())
            }
            Access::Ask(method, object) => self.ask(method, &[object, key], Give::One { to }),
        }
    }

    fn set_from(&mut self, object: Value, key: Value, value: Value) -> Result<(), LuaError> {
        match self.write(object, key, value)? {
            Access::Done(_) => Ok(()),
            Access::Ask(method, object) => self.ask(method, &[object, key, value], Give::Drop),
        }
    }

    fn construct(&mut self, op: Op, base: usize, constants: &[Value]) -> Result<(), LuaError> {
        let at = |register: u8| base + usize::from(register);
        let (table, key, value) = match op {
            Op::NewTable { to, array, fields } => {
                let table = self.heap.unnumbered_table();
                self.heap.reserve(table, usize::from(array), usize::from(fields));
                self.stack[at(to)] = Value::Table(table);
                return Ok(());
            }
            Op::Seal { table } => {
                if let Value::Table(table) = self.stack[at(table)] {
                    self.heap.number_table(table);
                }
                return Ok(());
            }
            Op::InitIndex { table, key, value } => (table, self.stack[at(key)], self.stack[at(value)]),
            Op::InitField { table, value, name } => (table, constant(constants, name), self.stack[at(value)]),
            Op::InitItem { table, value, at: index } => {
                (table, Value::Int(i64::from(index)), self.stack[at(value)])
            }
            Op::InitItems { table, from, at: index } => {
                let first = at(from);
                let count = self.many(MANY, first);
                self.charge(count as u64)?;
                if let Value::Table(table) = self.stack[at(table)] {
                    self.check_memory(count.saturating_mul(size_of::<Value>()))?;
                    for (key, place) in (i64::from(index)..).zip(first..first + count) {
                        let value = self.stack[place];
                        if !value.is_nil() {
                            self.heap.set_int(table, key, value);
                        } else if self.is_exact() {
                            self.heap.pad(table, key);
                        }
                    }
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        let Value::Table(table) = self.stack[at(table)] else { return Ok(()) };
        if self.is_exact() {
            return self.construct_exact(op, table, key, value);
        }
        if !value.is_nil() {
            self.heap.set(table, key, value);
        }
        Ok(())
    }

    fn operator(&mut self, op: Op, base: usize) -> Result<(), LuaError> {
        let value = |register: u8| self.stack[base + usize::from(register)];
        let number = |n: i32| Value::Int(i64::from(n));
        let small = |n: i16| Value::Int(i64::from(n));
        // Luerl's comparisons answer what the metamethod gave.
        let exact = self.is_exact();
        let truth = |to: u8| if exact { Give::Truth { to, negate: false } } else { Give::One { to } };
        let (outcome, give) = match op {
            Op::Add { to, a, b } => (self.arith(BinOp::Add, value(a), value(b))?, Give::One { to }),
            Op::Sub { to, a, b } => (self.arith(BinOp::Sub, value(a), value(b))?, Give::One { to }),
            Op::Mul { to, a, b } => (self.arith(BinOp::Mul, value(a), value(b))?, Give::One { to }),
            Op::Mod { to, a, b } => (self.arith(BinOp::Mod, value(a), value(b))?, Give::One { to }),
            Op::Div { to, a, b } => (self.arith(BinOp::Div, value(a), value(b))?, Give::One { to }),
            Op::IDiv { to, a, b } => (self.arith(BinOp::IDiv, value(a), value(b))?, Give::One { to }),
            Op::AddInt { to, a, value: n } => {
                (self.arith(BinOp::Add, value(a), number(n))?, Give::One { to })
            }
            Op::SubInt { to, a, value: n } => {
                (self.arith(BinOp::Sub, value(a), number(n))?, Give::One { to })
            }
            Op::Arith { op, to, a, b } => (self.arith(op, value(a), value(b))?, Give::One { to }),
            Op::Neg { to, a } => (self.unary(UnOp::Neg, value(a))?, Give::One { to }),
            Op::Bnot { to, a } => (self.unary(UnOp::Bnot, value(a))?, Give::One { to }),
            Op::Length { to, a } => (self.length_of(value(a))?, Give::One { to }),
            Op::Concat { to, a, b } => (self.concat(value(a), value(b))?, Give::One { to }),
            Op::Eq { to, a, b } => (self.equals(value(a), value(b)), Give::Truth { to, negate: false }),
            Op::Ne { to, a, b } => (self.equals(value(a), value(b)), Give::Truth { to, negate: true }),
            Op::Lt { to, a, b, swapped } => (self.compare(value(a), value(b), false, swapped)?, truth(to)),
            Op::Le { to, a, b, swapped } => (self.compare(value(a), value(b), true, swapped)?, truth(to)),
            Op::IfEq { a, b, to } => (self.equals(value(a), value(b)), Give::Condition { negate: false, to }),
            Op::IfNe { a, b, to } => (self.equals(value(a), value(b)), Give::Condition { negate: true, to }),
            Op::IfLt { a, b, swapped, to } => {
                (self.compare(value(a), value(b), false, swapped)?, Give::Condition { negate: false, to })
            }
            Op::IfLe { a, b, swapped, to } => {
                (self.compare(value(a), value(b), true, swapped)?, Give::Condition { negate: false, to })
            }
            Op::IfLtInt { a, value: n, to } => {
                (self.compare(value(a), small(n), false, false)?, Give::Condition { negate: false, to })
            }
            Op::IfLeInt { a, value: n, to } => {
                (self.compare(value(a), small(n), true, false)?, Give::Condition { negate: false, to })
            }
            Op::IfGtInt { a, value: n, to } => {
                (self.compare(small(n), value(a), false, true)?, Give::Condition { negate: false, to })
            }
            Op::IfGeInt { a, value: n, to } => {
                (self.compare(small(n), value(a), true, true)?, Give::Condition { negate: false, to })
            }
            _ => return Ok(()),
        };
        if let (Outcome::Value(value), Give::One { to }) = (&outcome, give) {
            self.stack[base + usize::from(to)] = *value;
            return Ok(());
        }
        self.settle(outcome, give)
    }

    /// Joins registers that are all strings or numbers, and skips the instructions that would do it two by two.
    fn concat_all(&mut self, base: usize, to: u8, from: u8, count: u8) -> Result<(), LuaError> {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let mut all = true;
        let long = match self.stack[base + usize::from(from)] {
            Value::Str(id) if id.is_long() => Some(id),
            _ => None,
        };
        for register in from + u8::from(long.is_some())..from.saturating_add(count) {
            let value = self.stack[base + usize::from(register)];
            all = all && self.append_text(&mut text, value)?;
        }
        if all {
            let value = if let Some(id) = long {
                self.continued(id, &text)?
            } else {
                self.charge(text.len() as u64 / 16)?;
                self.check_memory(text.len())?;
                self.heap.string(&text)
            };
            self.stack[base + usize::from(to)] = value;
            self.frame()?.pc += usize::from(count) - 1;
        }
        self.scratch = text;
        Ok(())
    }

    /// The instructions on lists of values.
    fn listed(&mut self, op: Op, base: usize, constants: &[Value]) -> Result<(), LuaError> {
        let at = |register: u8| base + usize::from(register);
        match op {
            Op::AsList { a } => self.frame()?.top = at(a) + 1,
            Op::Spread { table, count } => self.spread(at(table), count as usize)?,
            Op::Adjust { from, count } => {
                let given = self.many(MANY, at(from));
                let (from, wanted) = (at(from), usize::from(count));
                if given < wanted {
                    self.stack[from + given..from + wanted].fill(Value::Nil);
                }
            }
            Op::IfFirst { a, unless, to } => {
                let top = self.frame()?.top;
                let truth = top > at(a) && self.stack[at(a)].is_true();
                if truth == unless {
                    self.frame()?.pc = to as usize;
                }
            }
            Op::Varargs { to, count } => {
                let varargs = self.frame()?.varargs;
                let from = base - varargs;
                self.charge(varargs as u64 / 8)?;
                if count == MANY {
                    self.need_stack(at(to) + varargs)?;
                    self.stack.copy_within(from..base, at(to));
                    self.frame()?.top = at(to) + varargs;
                } else {
                    let (wanted, to) = (usize::from(count), at(to));
                    let given = wanted.min(varargs);
                    self.stack.copy_within(from..from + given, to);
                    self.stack[to + given..to + wanted].fill(Value::Nil);
                }
            }
            Op::Method { f, name } => {
                let (object, name) = (self.stack[at(f) + 1], constant(constants, name));
                match self.read(object, name) {
                    Ok(Access::Done(method)) => self.stack[at(f)] = method,
                    Ok(Access::Ask(method, asked)) => {
                        // A list of arguments may be pending: the call is made above it.
                        self.ask(method, &[asked, name], Give::One { to: f })?;
                    }
                    Err(error) if error.kind() == crate::error::ErrorKind::Lua && !self.is_exact() => {
                        let term = Term::tuple([Term::atom("undefined_method"), object.into(), name.into()]);
                        return Err(LuaError::lua(term));
                    }
                    Err(error) => return Err(error),
                }
            }
            Op::TailCall { f, count } => return self.tail_call(at(f), count),
            _ => {}
        }
        Ok(())
    }

    /// The first values of the table in a register, as a list from there on.
    fn spread(&mut self, at: usize, count: usize) -> Result<(), LuaError> {
        self.need_stack(at + count)?;
        self.charge(count as u64 / 8)?;
        if let Value::Table(table) = self.stack[at] {
            for (key, place) in (1i64..).zip(at..at + count) {
                self.stack[place] = self.heap.get_int(table, key);
            }
        }
        self.frame()?.top = at + count;
        Ok(())
    }

    /// A call whose values are the caller's: the frame makes room for it.
    fn tail_call(&mut self, at: usize, count: u8) -> Result<(), LuaError> {
        let count = self.many(count, at + 1);
        let function = self.stack[at];
        if !matches!(function, Value::Function(..)) {
            // Its values are returned by the instruction that follows.
            let base = self.frame()?.base;
            let to = u8::try_from(at - base).unwrap_or(MANY - 1);
            return self.enter(function, at + 1, count, Give::Values { to, count: MANY }).map(|_| ());
        }
        self.charge(1)?;
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let start = frame.base - frame.varargs;
        self.stack.copy_within(at + 1..at + 1 + count, start);
        self.enter(function, start, count, frame.give).map(|_| ())
    }
}
