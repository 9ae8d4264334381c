//! Calling functions, and what becomes of what they give and of their errors.

use std::rc::Rc;

use super::frame::{Frame, Give};
use super::{Call, MAX_NESTED, Returns, Vm};
use crate::compile::Proto;
use crate::compile::op::MANY;
use crate::error::{Callee, ErrorKind, Level, LuaError, Term};
use crate::heap::Event;
use crate::value::{EnvId, NativeId, ProtoId, Value};

/// Registers that stand above a frame's first, always: instructions name registers by a byte.
pub(super) const WINDOW: usize = 256;
/// The most values on the stack.
const MAX_STACK: usize = 1 << 24;
/// The most levels an error's trace keeps.
const MAX_TRACE: usize = 32;

/// A call to be made.
struct Next {
    function: Value,
    at: usize,
    count: usize,
    give: Give,
}

/// What a native comes to.
enum Step {
    /// Its values are given; whether to the host.
    Over(bool),
    /// This call, in its place. (Not made from here: natives that end in natives would pile up.)
    Call(Next),
}

impl Vm {
    /// Calls a function. On an error nothing of the call is left on the stack; what it changed in tables stands, unless
    /// [`Vm::roll_back`] undoes it.
    ///
    /// The values live until the next call.
    pub fn call(&mut self, function: Value, args: &[Value]) -> Result<Vec<Value>, LuaError> {
        self.call_nested(function, args)
    }

    pub(crate) fn call_nested(&mut self, function: Value, args: &[Value]) -> Result<Vec<Value>, LuaError> {
        if self.nested >= MAX_NESTED {
            return Err(too_deep());
        }
        let base = self.stack_top();
        self.need_stack(base + args.len())?;
        self.stack[base..base + args.len()].copy_from_slice(args);
        let (floor, kept, native_top) = (self.frames.len(), self.kept.len(), self.native_top);
        self.nested += 1;
        self.floors.push(floor);
        let within = std::mem::take(&mut self.in_native);
        let outcome = self.start(function, base, args.len(), floor);
        self.in_native = within;
        self.floors.pop();
        self.nested -= 1;
        self.frames.truncate(floor);
        self.kept.truncate(kept);
        self.native_top = native_top;
        outcome.map(|_| std::mem::take(&mut self.results))
    }

    /// Answers as [`Vm::run`] does.
    pub(super) fn start(
        &mut self,
        function: Value,
        base: usize,
        count: usize,
        floor: usize,
    ) -> Result<bool, LuaError> {
        match self.enter(function, base, count, Give::Host) {
            Ok(true) => Ok(true),
            Ok(false) => self.run(floor),
            Err(error) => {
                self.caught(error, floor).and_then(|done| if done { Ok(true) } else { self.run(floor) })
            }
        }
    }

    /// Where the stack in use ends.
    pub(crate) fn stack_top(&self) -> usize {
        let frame = self.frames.last().map_or(0, |frame| {
            let registers = frame.proto.as_ref().map_or(1, |proto| usize::from(proto.registers));
            frame.top.max(frame.base + registers)
        });
        frame.max(self.native_top)
    }

    /// Makes room on the stack up to an index, and a window above it.
    #[inline]
    pub(super) fn need_stack(&mut self, up_to: usize) -> Result<(), LuaError> {
        if up_to + WINDOW >= self.stack.len() { self.grow_stack(up_to) } else { Ok(()) }
    }

    #[cold]
    fn grow_stack(&mut self, up_to: usize) -> Result<(), LuaError> {
        if up_to > MAX_STACK {
            return Err(LuaError::limit(
                ErrorKind::OutOfMemory,
                "The script has too many values on its stack.",
            ));
        }
        let length = (up_to + WINDOW + 1).max(self.stack.len() * 2);
        self.check_memory((length - self.stack.len()) * size_of::<Value>())?;
        self.stack.resize(length, Value::Nil);
        Ok(())
    }

    /// Begins a call of a value whose arguments stand on the stack. Answers whether it is over and gave its values to the
    /// host already.
    pub(super) fn enter(
        &mut self,
        function: Value,
        at: usize,
        count: usize,
        give: Give,
    ) -> Result<bool, LuaError> {
        let (mut function, mut at, mut count, mut give) = (function, at, count, give);
        loop {
            match function {
                Value::Function(proto, env) => {
                    self.enter_lua(proto, env, at, count, give)?;
                    return Ok(false);
                }
                Value::Native(id) => match self.enter_native(id, at, count, give)? {
                    Step::Over(host) => return Ok(host),
                    Step::Call(next) => Next { function, at, count, give } = next,
                },
                other => {
                    let method = self.heap.metamethod(other, Event::Call);
                    if self.is_exact() && !method.is_function() {
                        return Err(self.call_fault(other));
                    }
                    if method.is_nil() {
                        let term = Term::tuple([Term::atom("undefined_function"), other.into()]);
                        return Err(LuaError::lua(term).raised_by(Callee::Other(other), at, count));
                    }
                    self.charge(1 + count as u64)?;
                    self.need_stack(at + count + 1)?;
                    self.stack.copy_within(at..at + count, at + 1);
                    self.stack[at] = other;
                    count += 1;
                    function = method;
                }
            }
        }
    }

    #[inline]
    pub(super) fn enter_lua(
        &mut self,
        id: ProtoId,
        env: EnvId,
        at: usize,
        count: usize,
        give: Give,
    ) -> Result<(), LuaError> {
        let Some(proto) = self.heap.proto(id) else {
            return Err(LuaError::crash(Term::atom("badarg")));
        };
        let proto = Rc::clone(proto);
        if self.frames.len() >= self.limits.depth {
            return Err(too_deep());
        }
        let fixed = usize::from(proto.parameters);
        let (base, varargs) =
            if proto.is_vararg { (at + count, count.saturating_sub(fixed)) } else { (at, 0) };
        self.need_stack(base + fixed)?;
        if proto.is_vararg {
            let given = fixed.min(count);
            self.stack.copy_within(at..at + given, base);
        }
        if count < fixed {
            self.stack[base + count..base + fixed].fill(Value::Nil);
        }
        let env = if proto.captured > 0 { self.heap.new_env(env, usize::from(proto.captured)) } else { env };
        self.frames.push(Frame {
            proto: Some(proto),
            function: Some(id),
            env,
            base,
            pc: 0,
            top: 0,
            varargs,
            given: u32::try_from(count).unwrap_or(u32::MAX),
            give,
        });
        Ok(())
    }

    fn enter_native(&mut self, id: NativeId, at: usize, count: usize, give: Give) -> Result<Step, LuaError> {
        let Some(body) = self.natives.get(id.index()).map(Rc::clone) else {
            return Err(LuaError::crash(Term::atom("undef")));
        };
        self.charge(4)?;
        let (native_top, kept, outer) = (self.native_top, self.kept.len(), self.native_now);
        self.native_top = at + count;
        self.native_now = id;
        let within = std::mem::replace(&mut self.in_native, true);
        let outcome = body(&mut Call { vm: self, base: at, count });
        self.in_native = within;
        self.native_top = native_top;
        self.native_now = outer;
        self.kept.truncate(kept);
        let over = match outcome.map_err(|error| error.raised_by(Callee::Native, at, count))? {
            Returns::None => self.give(give, at, 0),
            Returns::One(value) => self.give_one(give, at, value),
            Returns::Two(a, b) => {
                self.need_stack(at + 2)?;
                self.stack[at] = a;
                self.stack[at + 1] = b;
                self.give(give, at, 2)
            }
            Returns::Many(values) => {
                self.put(at, &values)?;
                self.give(give, at, values.len())
            }
            Returns::Tail(function, args) => {
                self.put(at, &args)?;
                self.charge(1)?;
                return Ok(Step::Call(Next { function, at, count: args.len(), give }));
            }
            Returns::Protected(function, args) => return self.protect(at, function, &args, None, give),
            Returns::Guarded(handler, function, args) => {
                return self.protect(at, function, &args, Some(handler), give);
            }
            Returns::Yield(values) => return Err(self.yield_values(values, give, at)),
        }?;
        if self.heap.has_work() {
            self.charge_work()?;
        }
        self.check_native_memory()?;
        Ok(Step::Over(over))
    }

    /// A call whose errors are caught here.
    fn protect(
        &mut self,
        at: usize,
        function: Value,
        args: &[Value],
        handler: Option<Value>,
        give: Give,
    ) -> Result<Step, LuaError> {
        self.put(at + 1, args)?;
        if self.frames.len() >= self.limits.depth {
            return Err(too_deep());
        }
        if let Some(handler) = handler {
            self.stack[at] = handler;
        }
        self.frames.push(Frame {
            proto: None,
            function: None,
            env: EnvId(0),
            base: at,
            pc: 0,
            top: 0,
            varargs: usize::from(handler.is_some()),
            given: 0,
            give,
        });
        Ok(Step::Call(Next { function, at: at + 1, count: args.len(), give: Give::Protected }))
    }

    /// A native may have made much: the limit is looked at before the next instruction.
    #[inline]
    fn check_native_memory(&mut self) -> Result<(), LuaError> {
        if self.heap.is_due() && self.heap.used() > self.heap.limit() {
            self.collect_if_due()
        } else {
            Ok(())
        }
    }

    fn put(&mut self, at: usize, values: &[Value]) -> Result<(), LuaError> {
        self.need_stack(at + values.len())?;
        self.stack[at..at + values.len()].copy_from_slice(values);
        Ok(())
    }

    #[inline]
    fn give_one(&mut self, give: Give, at: usize, value: Value) -> Result<bool, LuaError> {
        if let (Give::Values { to, count: 1 } | Give::One { to }, Some(frame)) = (give, self.frames.last()) {
            self.stack[frame.base + usize::from(to)] = value;
            return Ok(false);
        }
        self.need_stack(at + 1)?;
        self.stack[at] = value;
        self.give(give, at, 1)
    }

    /// Gives the values on the stack to whom they go. Answers whether that is the host.
    pub(super) fn give(&mut self, give: Give, at: usize, count: usize) -> Result<bool, LuaError> {
        let (mut give, mut at, mut count) = (give, at, count);
        loop {
            match give {
                Give::Host => {
                    self.results = self.stack[at..at + count].to_vec();
                    return Ok(true);
                }
                Give::Protected => {
                    let Some(frame) = self.frames.pop() else { return Ok(true) };
                    self.need_stack(frame.base + 1 + count)?;
                    self.stack.copy_within(at..at + count, frame.base + 1);
                    self.stack[frame.base] = Value::Bool(true);
                    (give, at, count) = (frame.give, frame.base, count + 1);
                }
                other => {
                    self.give_frame(other, at, count)?;
                    return Ok(false);
                }
            }
        }
    }

    /// Gives values to the frame on top.
    fn give_frame(&mut self, give: Give, at: usize, count: usize) -> Result<(), LuaError> {
        let Some(base) = self.frames.last().map(|frame| frame.base) else { return Ok(()) };
        let first = if count > 0 { self.stack[at] } else { Value::Nil };
        match give {
            Give::Values { to, count: MANY } => {
                let to = base + usize::from(to);
                self.need_stack(to + count)?;
                self.stack.copy_within(at..at + count, to);
                if let Some(frame) = self.frames.last_mut() {
                    frame.top = to + count;
                }
            }
            Give::Values { to, count: wanted } => {
                self.give_some(base + usize::from(to), usize::from(wanted), at, count);
            }
            Give::One { to } => self.stack[base + usize::from(to)] = first,
            Give::Truth { to, negate } => {
                self.stack[base + usize::from(to)] = Value::Bool(first.is_true() != negate);
            }
            Give::Condition { negate, to } => {
                if first.is_true() == negate {
                    self.jump(to);
                }
            }
            Give::Each { base: control, count: wanted, to } => {
                if first.is_true() || (self.is_exact() && !first.is_nil()) {
                    let control = base + usize::from(control);
                    self.stack[control + 2] = first;
                    self.give_some(control + 3, usize::from(wanted), at, count);
                } else {
                    self.jump(to);
                }
            }
            Give::Drop | Give::Host | Give::Protected => {}
        }
        Ok(())
    }

    fn give_some(&mut self, to: usize, wanted: usize, at: usize, count: usize) {
        let given = wanted.min(count);
        self.stack.copy_within(at..at + given, to);
        self.stack[to + given..to + wanted].fill(Value::Nil);
    }

    fn jump(&mut self, to: u32) {
        if let Some(frame) = self.frames.last_mut() {
            frame.pc = to as usize;
        }
    }

    /// An error goes to the innermost protected call above the floor, or out. Answers whether the protected call gave its
    /// values to the host.
    pub(super) fn caught(&mut self, mut error: LuaError, floor: usize) -> Result<bool, LuaError> {
        if self.is_exact() {
            return self.caught_exact(error, floor);
        }
        let protected = self.frames[floor..].iter().rposition(|frame| frame.proto.is_none());
        let (ErrorKind::Lua, Some(at)) = (error.kind(), protected) else {
            if error.trace().is_empty() {
                let trace = self.trace(error.raised());
                error.set_trace(trace);
            }
            return Err(error);
        };
        let text = self.error_value(&error)?;
        self.frames.truncate(floor + at + 1);
        let Some(frame) = self.frames.pop() else { return Err(error) };
        self.need_stack(frame.base + 2)?;
        self.stack[frame.base] = Value::Bool(false);
        self.stack[frame.base + 1] = text;
        self.give(frame.give, frame.base, 2)
    }

    /// The calls in progress, innermost first.
    pub(super) fn trace(&self, raised: Option<&(Callee, usize, usize)>) -> Vec<Level> {
        let frames =
            self.frames.iter().rev().filter_map(|frame| frame.proto.as_ref().map(|proto| (frame, proto)));
        let levels = frames.take(MAX_TRACE).map(|(frame, proto)| Level {
            callee: Callee::Lua(proto.name.clone()),
            args: self.arguments(frame, proto),
            chunk: Rc::clone(&proto.chunk.name),
            line: proto.line_at(frame.pc.saturating_sub(1)),
        });
        let mut levels: Vec<Level> = levels.collect();
        if self.begun > 0
            && self.frames.len() <= MAX_TRACE
            && let Some(outermost) = levels.last_mut()
        {
            outermost.args = self.kept.get(..self.begun).unwrap_or_default().to_vec();
        }
        let first = raised.map(|(callee, at, count)| Level {
            callee: callee.clone(),
            args: self.stack.get(*at..at + count).unwrap_or_default().to_vec(),
            chunk: levels.first().map_or_else(|| Rc::from(""), |level| Rc::clone(&level.chunk)),
            line: levels.first().map_or(1, |level| level.line),
        });
        first.into_iter().chain(levels).collect()
    }

    /// The parameters of a call in its registers, and its further arguments.
    fn arguments(&self, frame: &Frame, proto: &Proto) -> Vec<Value> {
        let given = usize::from(proto.parameters).min(frame.given as usize);
        let of = |from: usize, to: usize| self.stack.get(from..to).unwrap_or_default();
        let further = frame.base.saturating_sub(frame.varargs);
        [of(frame.base, frame.base + given), of(further, frame.base)].concat()
    }
}

#[cold]
pub(super) fn too_deep() -> LuaError {
    LuaError::limit(ErrorKind::TooDeep, "The script calls too deep.")
}
