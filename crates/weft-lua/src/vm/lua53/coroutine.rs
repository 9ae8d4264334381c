//! Coroutines. A call in progress is a list of frames and a stack of values: a coroutine is another such pair, and who resumes
//! it sets his own aside. A native that waits for Lua cannot be left, so nothing is yielded across it.

use super::super::frame::{Frame, Give};
use super::super::{MAX_NESTED, Vm};
use crate::error::{ErrorKind, LuaError, Term};
use crate::value::{ThreadId, Value};

/// Bytes a coroutine is counted for beside its stack.
const OVERHEAD: usize = 512;

/// What a coroutine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Suspended,
    Running,
    /// It has resumed another.
    Normal,
    Dead,
}

/// A coroutine, or the main line of calls while a coroutine runs. The one that runs has its parts in the machine.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) status: Status,
    pub(crate) stack: Vec<Value>,
    pub(crate) frames: Vec<Frame>,
    floors: Vec<usize>,
    native_top: usize,
    /// The nesting of natives its calls began at.
    base: usize,
    /// To whom the values go with which it is resumed, and where on the stack they may be put; its function before that.
    waiting: Option<(Give, usize)>,
    pub(crate) function: Value,
}

impl Thread {
    pub(crate) fn new(function: Value, status: Status) -> Self {
        Self {
            status,
            stack: Vec::new(),
            frames: Vec::new(),
            floors: Vec::new(),
            native_top: 0,
            base: 0,
            waiting: None,
            function,
        }
    }

    /// Bytes it takes.
    pub(crate) fn size(&self) -> usize {
        OVERHEAD
            + self.stack.capacity() * size_of::<Value>()
            + self.frames.capacity() * size_of::<Frame>()
            + self.floors.capacity() * size_of::<usize>()
    }
}

impl Vm {
    /// A new coroutine of a function.
    pub(crate) fn new_thread(&mut self, function: Value) -> Value {
        Value::Thread(self.heap.new_thread(Thread::new(function, Status::Suspended)))
    }

    /// The coroutine that runs, and whether that is the main line.
    pub(crate) fn running(&self) -> (ThreadId, bool) {
        (self.thread, self.thread == ThreadId(0))
    }

    pub(crate) fn status(&self, id: ThreadId) -> Status {
        if id == self.thread {
            return Status::Running;
        }
        self.heap.thread(id).map_or(Status::Dead, |thread| thread.status)
    }

    /// Whether the native that runs may yield.
    pub(crate) fn is_yieldable(&self) -> bool {
        self.thread != ThreadId(0) && self.nested == self.thread_base
    }

    /// The machine's parts go to the thread that ran, and those of another come in.
    fn switch(&mut self, to: ThreadId, status: Status) {
        let own = Thread {
            status,
            stack: std::mem::take(&mut self.stack),
            frames: std::mem::take(&mut self.frames),
            floors: std::mem::take(&mut self.floors),
            native_top: self.native_top,
            base: self.thread_base,
            waiting: self.waiting.take(),
            function: Value::Nil,
        };
        self.heap.put_thread(self.thread, own);
        let thread = self.heap.take_thread(to);
        (self.stack, self.frames, self.floors) = (thread.stack, thread.frames, thread.floors);
        (self.native_top, self.thread_base, self.waiting) = (thread.native_top, thread.base, thread.waiting);
        self.thread = to;
    }

    /// Runs a coroutine until it yields or ends. An error of its own is the inner one; the outer ones end the whole call.
    pub(crate) fn resume(
        &mut self,
        id: ThreadId,
        args: &[Value],
    ) -> Result<Result<Vec<Value>, Value>, LuaError> {
        if self.nested >= MAX_NESTED {
            let text = self.heap.string(b"C stack overflow");
            return Ok(Err(text));
        }
        self.check_memory(args.len().saturating_mul(size_of::<Value>()))?;
        let (function, before) =
            (self.heap.thread(id).map_or(Value::Nil, |thread| thread.function), self.thread);
        self.switch(id, Status::Normal);
        self.resumers.push(before);
        self.nested += 1;
        let within = std::mem::take(&mut self.in_native);
        self.thread_base = self.nested;
        let outcome = self.run_thread(function, args);
        self.nested -= 1;
        self.in_native = within;
        self.resumers.pop();
        let yielded = self.yielded.take();
        let status = if yielded.is_some() { Status::Suspended } else { Status::Dead };
        let value = match &outcome {
            Err(error) if yielded.is_none() && is_catchable(error) => Some(self.caught_value(error)),
            _ => None,
        };
        self.leave_thread(status);
        self.switch(before, status);
        match (yielded, value, outcome) {
            (Some(values), _, _) => Ok(Ok(values)),
            (_, Some(value), _) => Ok(Err(value)),
            (_, _, outcome) => outcome.map(|_| Ok(std::mem::take(&mut self.results))),
        }
    }

    fn run_thread(&mut self, function: Value, args: &[Value]) -> Result<bool, LuaError> {
        match self.waiting.take() {
            None => {
                self.need_stack(args.len())?;
                self.stack[..args.len()].copy_from_slice(args);
                self.start(function, 0, args.len(), 0)
            }
            Some((give, at)) => {
                self.need_stack(at + args.len())?;
                self.stack[at..at + args.len()].copy_from_slice(args);
                match self.give(give, at, args.len()) {
                    Ok(true) => Ok(true),
                    Ok(false) => self.run(0),
                    Err(error) => {
                        self.caught(error, 0).and_then(|done| if done { Ok(true) } else { self.run(0) })
                    }
                }
            }
        }
    }

    /// What of the stack is not in use need not be kept.
    fn leave_thread(&mut self, status: Status) {
        if status == Status::Dead {
            self.frames = Vec::new();
            self.stack = Vec::new();
            self.floors = Vec::new();
            return;
        }
        let top = self.stack_top().max(self.waiting.map_or(0, |(_, at)| at));
        self.stack.truncate(top);
        self.stack.shrink_to(top + top / 2 + 16);
    }

    /// The native that runs gives these values to who resumed the coroutine, and what it is resumed with to who called it.
    pub(in crate::vm) fn yield_values(&mut self, values: Vec<Value>, give: Give, at: usize) -> LuaError {
        if self.thread == ThreadId(0) {
            return self.raise("attempt to yield from outside a coroutine");
        }
        if !self.is_yieldable() {
            return self.raise("attempt to yield across a C-call boundary");
        }
        self.waiting = Some((give, at));
        self.yielded = Some(values);
        // It only leaves the calls on its way out; nothing catches it.
        LuaError::new(ErrorKind::Unsupported, Term::Text("The coroutine yields.".to_owned()))
    }

    /// An error goes to the innermost protected call above the floor, or out: as [`Self::caught`], with message handlers.
    pub(in crate::vm) fn caught_exact(
        &mut self,
        mut error: LuaError,
        floor: usize,
    ) -> Result<bool, LuaError> {
        let protected = self.frames[floor..].iter().rposition(|frame| frame.proto.is_none());
        let (true, Some(at)) = (self.yielded.is_none() && is_catchable(&error), protected) else {
            if error.trace().is_empty() && self.yielded.is_none() {
                error.set_trace(self.trace(None));
            }
            return Err(error);
        };
        let at = floor + at;
        let mut value = self.caught_value(&error);
        if let Some(frame) = self.frames.get(at).filter(|frame| frame.varargs > 0) {
            value = self.handled(self.stack[frame.base], value)?;
        }
        self.frames.truncate(at + 1);
        let Some(frame) = self.frames.pop() else { return Err(error) };
        self.need_stack(frame.base + 2)?;
        self.stack[frame.base] = Value::Bool(false);
        self.stack[frame.base + 1] = value;
        self.give(frame.give, frame.base, 2)
    }

    /// What a message handler makes of an error; what it makes of its own errors, if it has any.
    fn handled(&mut self, handler: Value, value: Value) -> Result<Value, LuaError> {
        // It has room to run even where the calls were too deep.
        let depth = self.limits.depth;
        self.limits.depth = depth.max(self.frames.len() + 200);
        let value = self.handled_in(handler, value);
        self.limits.depth = depth;
        value
    }

    fn handled_in(&mut self, handler: Value, value: Value) -> Result<Value, LuaError> {
        let mut value = value;
        for _ in 0..10 {
            match self.call_nested(handler, &[value]) {
                Ok(values) => return Ok(values.first().copied().unwrap_or(Value::Nil)),
                Err(error) if is_catchable(&error) => value = self.caught_value(&error),
                Err(error) => return Err(error),
            }
        }
        Ok(self.heap.string(b"C stack overflow"))
    }
}

/// Whether `pcall` catches it: errors of scripts, and calls too deep.
pub(super) fn is_catchable(error: &LuaError) -> bool {
    matches!(error.kind(), ErrorKind::Lua | ErrorKind::TooDeep)
}
