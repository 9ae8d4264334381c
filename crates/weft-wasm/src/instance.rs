//! One running instance: the module, its memory and the host's state beside it.

use std::rc::Rc;

use sha2::{Digest, Sha256};
use weft_codec::{Code, Error, Result};

use crate::engine::{self, After, Progress, Stop, Value};
use crate::format::Convention;
use crate::host::asyncify::State;
use crate::host::guest::{Args, integers, promised, text_bytes};
use crate::host::{Around, Call, Host, emscripten, guest, slices};
use crate::interface::Signature;
use crate::limits::Limits;
use crate::outcome::{Outcome, Verdict};
use crate::pages::{PAGE, Pages};
use crate::program::{Program, check_memory};
use crate::rewrite::START;
use crate::snapshot::{Outside, Snapshot};

/// Bytes of a wasm page.
pub(crate) const WASM_PAGE: u64 = 65_536;

/// Longest answer that is read from a module's memory.
const MAX_ANSWER: usize = 128 << 20;

/// Why a message ended that was out of gas.
const SPENT: &str = "the message used all the gas it was allowed";

/// One running instance.
pub(crate) struct Instance {
    program: Program,
    limits: Limits,
    around: Rc<Around>,
    running: Box<dyn engine::Instance>,
    /// The globals as a new instance has them.
    initial_globals: Vec<Value>,
    /// Where the message's texts are.
    texts: Texts,
}

/// Where a message and its environment are in the memory.
#[derive(Clone, Copy, Default)]
struct Texts {
    pointers: [u64; 2],
    /// The module's stack before them.
    stack: u64,
}

/// Why a call did not come to its end.
enum Fault {
    /// The module's fault: an outcome.
    Module(Code, String),
    /// This machine's fault: no outcome.
    Host(Error),
}

impl Instance {
    /// A new instance, its constructors run.
    pub(crate) fn new(program: &Program, limits: Limits) -> Result<Self> {
        check_memory(program.initial_memory(), &limits)?;
        let failed = |stop| match fault(stop) {
            Fault::Module(code, sentence) => Error::new(code, sentence).at("starting the module"),
            Fault::Host(error) => error,
        };
        let around = Rc::new(Around::new(program, limits.memory_bytes));
        let imports = Rc::clone(&around);
        let running = program.module().instantiate(imports).map_err(failed)?;
        let (program, initial_globals) = (program.clone(), Vec::new());
        let texts = Texts::default();
        let mut instance = Self { program, limits, around, running, initial_globals, texts };
        instance.start().map_err(failed)?;
        instance.initial_globals = instance.running.globals();
        Ok(instance)
    }

    /// The module, to be worked for.
    fn open(&mut self) -> Call<'_> {
        Call { guest: &mut *self.running, around: &self.around }
    }

    /// What the loader does before the first message: the stack and its cookies, then the constructors.
    fn start(&mut self) -> Result<(), Stop> {
        let gas = self.limits.gas;
        slices::fill(&mut self.open(), gas);
        slices::slice(&mut self.open(), u64::MAX);
        self.call_if_there(START, &[])?;
        if self.program.format().convention() != Convention::Asyncify {
            self.call_if_there("_initialize", &[])?;
            return Ok(());
        }
        self.call("emscripten_stack_init", &[])?;
        let end = match self.call("emscripten_stack_get_end", &[])? {
            0 => 4,
            end => end,
        };
        // "emsc" at address zero, and two words that stand at the end of the stack while nothing overruns it.
        for (at, word) in [(end, 0x0213_5467_u32), (end.wrapping_add(4), 0x89BA_CDFE), (0, 0x6373_6d65)] {
            self.running.write(at, &word.to_le_bytes())?;
        }
        self.call_if_there("__wasm_call_ctors", &[])?;
        Ok(())
    }

    /// Begins a message, and goes on with it for about this much gas. `None` if there is more to do. `Err` only if this
    /// machine is at fault.
    pub(crate) fn begin(&mut self, message: &str, env: &str, gas: u64) -> Result<Option<Outcome>> {
        self.fill(gas);
        let progress = self.enter(message, env);
        self.outcome(progress)
    }

    /// Goes on with the message that was begun.
    pub(crate) fn go_on(&mut self, gas: u64) -> Result<Option<Outcome>> {
        slices::slice(&mut self.open(), gas);
        let progress = self.running.go_on();
        self.outcome(progress)
    }

    /// What came of the message, if it has ended.
    fn outcome(&mut self, progress: Result<Progress, Stop>) -> Result<Option<Outcome>> {
        if self.running.lost() {
            return Err(host_exhausted());
        }
        let answer = match progress.and_then(|progress| self.leave(progress)) {
            Ok(None) => return Ok(None),
            Ok(Some(pointer)) => self.answer(pointer),
            Err(stop) => Err(fault(stop)),
        };
        let left = slices::left(&self.open());
        let mut outcome = match answer {
            Ok(text) => match Outcome::parse(&text) {
                Ok(outcome) => outcome,
                Err(error) => Outcome::failed(error.code(), error.sentence().to_owned()),
            },
            Err(Fault::Module(code, sentence)) => Outcome::failed(code, sentence),
            Err(Fault::Host(error)) => return Err(error),
        };
        // The end of a message is a place to look as well.
        if left.is_none() && outcome.failure != Some(Code::GasLimit) {
            outcome = Outcome::failed(Code::GasLimit, SPENT.to_owned());
        }
        let refused = self.around.host(|host| host.memory_refused);
        if refused
            && outcome.verdict() != Verdict::Advance
            && outcome.failure.is_none_or(|code| code == Code::Trap)
        {
            outcome.failure = Some(Code::MemoryLimit);
        }
        // Out of gas is a counter below zero, by how much depends on where it was looked at.
        let allowed = slices::allowed(self.limits.gas);
        let spent_all = outcome.failure == Some(Code::GasLimit);
        outcome.gas = if spent_all { allowed } else { allowed.saturating_sub(left.unwrap_or(0)) };
        Ok(Some(outcome))
    }

    /// Puts the texts into the memory and calls `handle`.
    fn enter(&mut self, message: &str, env: &str) -> Result<Progress, Stop> {
        self.texts = match self.program.format().convention() {
            Convention::Plain | Convention::Pure => self.place_plain(message, env)?,
            Convention::Asyncify => self.place_emscripten(message, env)?,
        };
        self.handle()
    }

    /// Texts go into blocks of the module's own allocator, which are freed when the answer is there.
    fn place_plain(&mut self, message: &str, env: &str) -> Result<Texts, Stop> {
        let mut texts = Texts::default();
        for (pointer, text) in texts.pointers.iter_mut().zip([message, env]) {
            *pointer = self.call("malloc", &[length(text)])?;
            if *pointer == 0 {
                return Err(Stop::abort("its malloc gave no room for the message"));
            }
            self.write_text(*pointer, text)?;
        }
        Ok(texts)
    }

    /// Texts go onto the module's stack.
    fn place_emscripten(&mut self, message: &str, env: &str) -> Result<Texts, Stop> {
        let stack = self.call("emscripten_stack_get_current", &[])?;
        let free = self.call("emscripten_stack_get_free", &[])?;
        // The loader would write over the module's data here.
        let spare = (free / 4).min(1 << 20);
        if length(message).saturating_add(length(env)).saturating_add(spare) > free {
            return Err(Stop::abort("the message is larger than its stack"));
        }
        let mut texts = Texts { stack, ..Texts::default() };
        for (pointer, text) in texts.pointers.iter_mut().zip([message, env]) {
            *pointer = self.call("_emscripten_stack_alloc", &[length(text)])?;
            self.write_text(*pointer, text)?;
        }
        Ok(texts)
    }

    fn handle(&mut self) -> Result<Progress, Stop> {
        let pointers = self.texts.pointers;
        let mut call = self.open();
        let handle = promised(&call, "handle")?;
        slices::call(&mut call, &handle, &integers(&handle.function, &pointers), After::Nothing)
    }

    /// What follows `handle`: it starts again for as long as the module waits (see `asyncify`). The address of the answer,
    /// or `None` if there is more to do.
    fn leave(&mut self, mut progress: Progress) -> Result<Option<u64>, Stop> {
        let answer = loop {
            let Progress::Ended(value) = progress else { return Ok(None) };
            if self.around.host(|host| host.asyncify.state) != State::Unwinding {
                break Args(value.as_slice()).size(0);
            }
            self.call("asyncify_stop_unwind", &[])?;
            let data = self.around.host(|host| {
                host.asyncify.state = State::Rewinding;
                host.asyncify.data
            });
            self.call("asyncify_start_rewind", &[data])?;
            progress = self.handle()?;
        };
        match self.program.format().convention() {
            Convention::Plain => {
                for pointer in self.texts.pointers {
                    self.call_if_there("free", &[pointer])?;
                }
            }
            Convention::Pure => (),
            Convention::Asyncify => {
                self.call("_emscripten_stack_restore", &[self.texts.stack])?;
            }
        }
        Ok(Some(answer))
    }

    fn answer(&mut self, pointer: u64) -> Result<String, Fault> {
        let malformed = |what: &str| {
            Fault::Module(Code::ResultMalformed, format!("the module's answer cannot be used: {what}"))
        };
        let bytes = text_bytes(&self.open(), pointer, MAX_ANSWER)
            .map_err(|_| malformed("it points outside of the memory"))?
            .ok_or_else(|| malformed("it has no end, or is too long"))?;
        let text = String::from_utf8_lossy(&bytes);
        // As JavaScript's TextDecoder does.
        Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    }

    /// Makes ready for a message or a call, with all the gas it is allowed.
    fn fill(&mut self, slice: u64) {
        let allowed = self.limits.gas;
        slices::fill(&mut self.open(), allowed);
        slices::slice(&mut self.open(), slice);
        self.around.host(|host| {
            host.memory_refused = false;
            host.asyncify.state = State::Normal;
            host.invocations = 0;
        });
    }

    /// The type of an exported function.
    pub(crate) fn signature(&self, name: &str) -> Option<Signature> {
        let interface = self.program.interface();
        interface.place(name).and_then(|place| interface.functions.get(place)).map(|it| it.signature.clone())
    }

    /// Calls an exported function to its end: its result, and its gas.
    pub(crate) fn call_function(&mut self, name: &str, args: &[Value]) -> Result<(Option<Value>, u64)> {
        let export = self.open().export(name).filter(|_| !name.starts_with("weft:"));
        let export = export.filter(|export| {
            let Signature { params, results } = &export.function.signature;
            results.len() <= 1 && params.iter().copied().eq(args.iter().map(|arg| arg.ty()))
        });
        let Some(export) = export else {
            let shown: String = name.chars().take(60).collect();
            let sentence =
                format!("the module has no function “{shown}” with such parameters and at most one result");
            return Err(Error::new(Code::DeviceFailed, sentence));
        };
        self.fill(u64::MAX);
        let ended = slices::call_unbroken(&mut self.open(), &export, args);
        let failed = |stop| match fault(stop) {
            Fault::Module(code, sentence) => {
                Error::new(code, sentence).at("calling a function of the module")
            }
            Fault::Host(error) => error,
        };
        let result = ended.map_err(failed)?;
        let left = slices::left(&self.open()).ok_or_else(|| failed(Stop::OutOfGas))?;
        Ok((result, slices::allowed(self.limits.gas).saturating_sub(left)))
    }

    /// Bytes of the memory.
    pub(crate) fn read(&self, at: u64, len: usize) -> Option<Vec<u8>> {
        let end = at.checked_add(u64::try_from(len).ok()?)?;
        let mut bytes = vec![0; if end <= self.memory_bytes() { len } else { return None }];
        self.running.read(at, &mut bytes).ok()?;
        Some(bytes)
    }

    /// Writes into the memory.
    pub(crate) fn write(&mut self, at: u64, bytes: &[u8]) -> bool {
        self.running.write(at, bytes).is_ok()
    }

    fn call(&mut self, name: &str, args: &[u64]) -> Result<u64, Stop> {
        guest::call_named(&mut self.open(), name, args)
    }

    fn call_if_there(&mut self, name: &str, args: &[u64]) -> Result<(), Stop> {
        if self.open().export(name).is_some() {
            self.call(name, args)?;
        }
        Ok(())
    }

    fn write_text(&mut self, at: u64, text: &str) -> Result<(), Stop> {
        self.running.write(at, text.as_bytes())?;
        Ok(self.running.write(at.saturating_add(length(text) - 1), &[0])?)
    }

    /// The memory's size in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.running.memory_bytes()
    }

    /// SHA-256 of the whole memory.
    pub(crate) fn memory_sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.running.visit(u64::MAX, &mut |piece| hash.update(piece));
        hash.finalize().into()
    }

    fn set_globals(&mut self, values: &[Value]) -> Result<()> {
        if self.running.set_globals(values) {
            return Ok(());
        }
        Err(Error::new(Code::SnapshotInvalid, "the snapshot's globals are not those of the module"))
    }

    /// The state outside of the memory.
    pub(crate) fn outside(&self) -> Outside {
        let (clock, files) = self.around.host(|host| {
            let files = (!host.files.untouched()).then(|| host.files.clone());
            (host.clock, files)
        });
        Outside { globals: self.running.globals(), clock, files }
    }

    pub(crate) fn set_outside(&mut self, outside: &Outside) -> Result<()> {
        self.set_globals(&outside.globals)?;
        let mut host = Host::new(self.limits.memory_bytes);
        host.clock = outside.clock;
        if let Some(files) = &outside.files {
            host.files = files.clone();
        }
        self.around.host(|now| *now = host);
        Ok(())
    }

    /// The whole state.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let pages = self.pages(self.memory_bytes());
        Snapshot::new(self.program.sha256(), self.outside(), pages)
    }

    /// The first so many bytes of the memory.
    pub(crate) fn pages(&self, bytes: u64) -> Pages {
        let mut pages = Pages::new(bytes);
        self.look_over(&mut pages);
        pages
    }

    /// Makes pages what the memory has; those that are as it has them stay shared.
    pub(crate) fn look_over(&self, pages: &mut Pages) {
        let mut index = 0_u64;
        self.running.visit(pages.bytes(), &mut |piece| {
            for page in piece.chunks_exact(PAGE) {
                pages.set(index, page);
                index = index.saturating_add(1);
            }
        });
    }

    /// A page of the memory.
    pub(crate) fn page(&self, index: u64) -> Option<[u8; PAGE]> {
        let mut page = [0; PAGE];
        self.running.read(index.saturating_mul(PAGE as u64), &mut page).is_ok().then_some(page)
    }

    /// A new instance in the state of a snapshot.
    pub(crate) fn restore(program: &Program, limits: Limits, snapshot: &Snapshot) -> Result<Self> {
        if snapshot.module() != program.sha256() {
            return Err(Error::new(Code::SnapshotInvalid, "the snapshot is of another module"));
        }
        let mut instance = Self::new(program, limits)?;
        let fits = snapshot.memory_bytes() >= instance.memory_bytes()
            && snapshot.outside().globals.len() == instance.initial_globals.len();
        if !fits {
            return Err(Error::new(Code::SnapshotInvalid, "the snapshot's memory does not fit the module"));
        }
        // What lies beyond the initial memory is zero still.
        let initial = program.initial_memory();
        instance.grow_to(snapshot.memory_bytes())?;
        let known = instance.pages(initial);
        instance.take_over(snapshot, &known)?;
        Ok(instance)
    }

    /// Goes to the state of a snapshot, from one whose pages are known and whose memory has the same size.
    pub(crate) fn take_over(&mut self, snapshot: &Snapshot, known: &Pages) -> Result<()> {
        let unwritten =
            |_| Error::new(Code::SnapshotInvalid, "the snapshot's memory does not fit the module");
        for index in known.differing(snapshot.pages()) {
            let page = snapshot.pages().get(index).unwrap_or(&[0; PAGE]);
            self.running.put(index, page).map_err(unwritten)?;
        }
        self.set_outside(snapshot.outside())
    }

    /// From here on is where [`Instance::back`] leads to. The pages that may have changed since the last time.
    pub(crate) fn keep(&mut self) -> Result<Vec<u32>> {
        self.running.keep().map_err(engine_failed)
    }

    /// Makes the memory what it was; what it grew by stays.
    pub(crate) fn back(&mut self) -> Result<()> {
        self.running.back().map_err(engine_failed)
    }

    /// Grows the memory to exactly this size, if it is smaller.
    fn grow_to(&mut self, bytes: u64) -> Result<()> {
        if bytes > self.limits.memory_bytes {
            return Err(Error::new(
                Code::MemoryLimit,
                format!("the state needs {bytes} bytes of memory; {} are allowed", self.limits.memory_bytes),
            ));
        }
        let pages = bytes.saturating_sub(self.memory_bytes()).div_ceil(WASM_PAGE);
        if pages > 0 && !self.running.grow(pages) {
            return Err(host_exhausted());
        }
        Ok(())
    }

    /// Makes this the new instance that the legacy CU puts the memory into after an error: clock, files and globals start
    /// anew, and the heap takes the size that the loader gives it.
    pub(crate) fn renew(&mut self) -> Result<()> {
        let initial = self.initial_globals.clone();
        self.set_globals(&initial)?;
        let fresh = Host::new(self.limits.memory_bytes);
        self.around.host(|host| *host = fresh);
        if self.program.format().convention() != Convention::Asyncify {
            return Ok(());
        }
        let (initial, now) = (self.program.initial_memory(), self.memory_bytes());
        self.grow_to(
            emscripten::restored_size(self.program.format(), initial, now).min(self.limits.memory_bytes),
        )
    }
}

fn engine_failed(stop: Stop) -> Error {
    Error::new(Code::EngineFailed, "the engine lost the way back").because(stop.to_string())
}

/// Bytes of a text and its NUL.
fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(1)
}

fn host_exhausted() -> Error {
    Error::new(Code::MemoryLimit, "this machine has not enough memory to run the process")
}

/// Not an outcome: the message is begun anew once the file is there.
fn wanted(path: &str) -> Error {
    let sentence = format!("the process reads the file {path} of Arweave, which is not here yet");
    Error::new(Code::FileWanted, sentence).with("path", path)
}

/// Not an outcome either: a compute unit has none, and the process goes no further there.
fn refused(path: &str) -> Error {
    let sentence =
        format!("the process reads {path}, which is not available to it; a compute unit stops there");
    Error::new(Code::FileRefused, sentence).with("path", path)
}

/// What it means that a call did not come to its end.
fn fault(stop: Stop) -> Fault {
    match stop {
        Stop::HostMemory => Fault::Host(host_exhausted()),
        Stop::Wants(path) => Fault::Host(wanted(&path)),
        Stop::Refused(path) => Fault::Host(refused(&path)),
        Stop::Engine(what) => Fault::Host(Error::new(Code::EngineFailed, what)),
        Stop::OutOfGas => Fault::Module(Code::GasLimit, SPENT.to_owned()),
        Stop::Uncaught => Fault::Module(Code::ExceptionUncaught, format!("the module stopped: {stop}")),
        Stop::Trap(trap) => Fault::Module(Code::Trap, format!("the module trapped: {trap}")),
        other => Fault::Module(Code::Trap, format!("the module stopped: {other}")),
    }
}
