//! One running instance: the module, its memory and the host's state beside it.

use sha2::{Digest, Sha256};
use wasmi::{AsContext, AsContextMut, Global, Memory, Store, TrapCode, Val};
use weft_codec::{Code, Error, Result};

use crate::format::Format;
use crate::host::asyncify::State;
use crate::host::guest::{Args, integers, promised};
use crate::host::halt::Halt;
use crate::host::limiter::Limiter;
use crate::host::slices::{self, After, Progress};
use crate::host::{Export, Host, emscripten, guest};
use crate::inspect::GLOBAL_PREFIX;
use crate::limits::Limits;
use crate::outcome::{Outcome, Verdict};
use crate::program::Program;
use crate::snapshot::{PAGE, Snapshot, is_zero};

/// Bytes of a wasm page.
pub(crate) const WASM_PAGE: u64 = 65_536;

/// Longest answer that is read from a module's memory.
const MAX_ANSWER: usize = 128 << 20;

/// One running instance.
pub(crate) struct Instance {
    program: Program,
    limits: Limits,
    store: Store<Host>,
    memory: Memory,
    globals: Vec<Global>,
    /// The globals as a new instance has them.
    initial_globals: Vec<Val>,
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
        let host = Host::new(program.format(), Limiter::new(limits.memory_bytes));
        let mut store = Store::new(program.engine(), host);
        store.limiter(|host| &mut host.limiter);
        refuel(&mut store, limits.gas)?;
        let failed = |store: &Store<Host>, error: wasmi::Error| match fault(store, error) {
            Fault::Module(code, sentence) => Error::new(code, sentence).at("starting the module"),
            Fault::Host(error) => error,
        };
        let instance = match program.linker().instantiate_and_start(&mut store, program.module()) {
            Ok(instance) => instance,
            Err(error) => return Err(failed(&store, error)),
        };
        let missing = || Error::new(Code::ModuleInvalid, "the module does not export its memory");
        let memory = instance.get_memory(&store, "memory").ok_or_else(missing)?;
        let mut functions = Vec::new();
        for export in instance.exports(&store) {
            let name = export.name().to_owned();
            if let Some(func) = export.into_func() {
                let ty = func.ty(&store);
                let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
                functions.push(Export { name, func, params, results });
            }
        }
        let globals: Vec<Global> = program
            .globals()
            .iter()
            .filter_map(|index| instance.get_global(&store, &format!("{GLOBAL_PREFIX}{index}")))
            .collect();
        store.data_mut().set_exports(memory, functions);
        let (program, initial_globals) = (program.clone(), Vec::new());
        let texts = Texts::default();
        let mut instance = Self { program, limits, store, memory, globals, initial_globals, texts };
        if let Err(error) = instance.start() {
            return Err(failed(&instance.store, error));
        }
        instance.initial_globals = instance.global_values();
        Ok(instance)
    }

    /// What the loader does before the first message: the stack and its cookies, then the constructors.
    fn start(&mut self) -> Result<(), wasmi::Error> {
        if self.program.format() == Format::Plain {
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
            self.write(at, &word.to_le_bytes())?;
        }
        self.call_if_there("__wasm_call_ctors", &[])?;
        Ok(())
    }

    /// Runs one message. `Err` only if this machine is at fault.
    pub(crate) fn run(&mut self, message: &str, env: &str) -> Result<Outcome> {
        let mut outcome = self.begin(message, env, u64::MAX)?;
        loop {
            match outcome {
                Some(outcome) => return Ok(outcome),
                None => outcome = self.go_on(u64::MAX)?,
            }
        }
    }

    /// Begins a message, and goes on with it for about this much gas. `None` if there is more to do. `Err` only if this
    /// machine is at fault.
    pub(crate) fn begin(&mut self, message: &str, env: &str, gas: u64) -> Result<Option<Outcome>> {
        slices::fill(&mut self.store, self.limits.gas).map_err(unmetered)?;
        slices::slice(&mut self.store, gas).map_err(unmetered)?;
        let host = self.store.data_mut();
        host.limiter.begin();
        host.asyncify.state = State::Normal;
        host.invocations = 0;
        let progress = self.enter(message, env);
        self.outcome(progress)
    }

    /// Goes on with the message that was begun.
    pub(crate) fn go_on(&mut self, gas: u64) -> Result<Option<Outcome>> {
        slices::slice(&mut self.store, gas).map_err(unmetered)?;
        let progress = slices::go_on(&mut self.store);
        self.outcome(progress)
    }

    /// What came of the message, if it has ended.
    fn outcome(&mut self, progress: Result<Progress, wasmi::Error>) -> Result<Option<Outcome>> {
        let answer = match progress.and_then(|progress| self.leave(progress)) {
            Ok(None) => return Ok(None),
            Ok(Some(pointer)) => self.answer(pointer),
            Err(error) => Err(fault(&self.store, error)),
        };
        let left = slices::left(&self.store);
        if self.store.data().limiter.host_exhausted {
            return Err(host_exhausted());
        }
        let mut outcome = match answer {
            Ok(text) => match Outcome::parse(&text) {
                Ok(outcome) => outcome,
                Err(error) => Outcome::failed(error.code(), error.sentence().to_owned()),
            },
            Err(Fault::Module(code, sentence)) => Outcome::failed(code, sentence),
            Err(Fault::Host(error)) => return Err(error),
        };
        let refused = self.store.data().limiter.refused;
        if refused
            && outcome.verdict() != Verdict::Advance
            && outcome.failure.is_none_or(|code| code == Code::Trap)
        {
            outcome.failure = Some(Code::MemoryLimit);
        }
        // wasmi leaves what did not suffice for the next block.
        let spent_all = outcome.failure == Some(Code::GasLimit);
        outcome.gas = if spent_all { self.limits.gas } else { self.limits.gas.saturating_sub(left) };
        Ok(Some(outcome))
    }

    /// Puts the texts into the memory and calls `handle`.
    fn enter(&mut self, message: &str, env: &str) -> Result<Progress, wasmi::Error> {
        self.texts = match self.program.format() {
            Format::Plain => self.place_plain(message, env)?,
            Format::Emscripten4 | Format::Wasm64 => self.place_emscripten(message, env)?,
        };
        self.handle()
    }

    /// Texts go into blocks of the module's own allocator, which are freed when the answer is there.
    fn place_plain(&mut self, message: &str, env: &str) -> Result<Texts, wasmi::Error> {
        let mut texts = Texts::default();
        for (pointer, text) in texts.pointers.iter_mut().zip([message, env]) {
            *pointer = self.call("malloc", &[length(text)])?;
            if *pointer == 0 {
                return Err(Halt::abort("its malloc gave no room for the message"));
            }
            self.write_text(*pointer, text)?;
        }
        Ok(texts)
    }

    /// Texts go onto the module's stack.
    fn place_emscripten(&mut self, message: &str, env: &str) -> Result<Texts, wasmi::Error> {
        let stack = self.call("emscripten_stack_get_current", &[])?;
        let free = self.call("emscripten_stack_get_free", &[])?;
        // The loader would write over the module's data here.
        if length(message).saturating_add(length(env)).saturating_add(1 << 20) > free {
            return Err(Halt::abort("the message is larger than its stack"));
        }
        let mut texts = Texts { stack, ..Texts::default() };
        for (pointer, text) in texts.pointers.iter_mut().zip([message, env]) {
            *pointer = self.call("_emscripten_stack_alloc", &[length(text)])?;
            self.write_text(*pointer, text)?;
        }
        Ok(texts)
    }

    fn handle(&mut self) -> Result<Progress, wasmi::Error> {
        let handle = promised(&self.store, "handle")?;
        let args = integers(&handle, &self.texts.pointers);
        slices::call(&mut self.store, &handle, &args, After::Nothing)
    }

    /// What follows `handle`: it starts again for as long as the module waits (see `asyncify`). The address of the answer,
    /// or `None` if there is more to do.
    fn leave(&mut self, mut progress: Progress) -> Result<Option<u64>, wasmi::Error> {
        let answer = loop {
            let Progress::Ended(value) = progress else { return Ok(None) };
            if self.store.data().asyncify.state != State::Unwinding {
                break Args(value.as_slice()).size(0);
            }
            self.call("asyncify_stop_unwind", &[])?;
            self.store.data_mut().asyncify.state = State::Rewinding;
            let data = self.store.data().asyncify.data;
            self.call("asyncify_start_rewind", &[data])?;
            progress = self.handle()?;
        };
        match self.program.format() {
            Format::Plain => {
                for pointer in self.texts.pointers {
                    self.call_if_there("free", &[pointer])?;
                }
            }
            Format::Emscripten4 | Format::Wasm64 => {
                self.call("_emscripten_stack_restore", &[self.texts.stack])?;
            }
        }
        Ok(Some(answer))
    }

    fn answer(&self, pointer: u64) -> Result<String, Fault> {
        let malformed = |what: &str| {
            Fault::Module(Code::ResultMalformed, format!("the module's answer cannot be used: {what}"))
        };
        let memory = self.data();
        let start = usize::try_from(pointer).map_err(|_| malformed("it points outside of the memory"))?;
        let rest = memory.get(start..).ok_or_else(|| malformed("it points outside of the memory"))?;
        let len = rest
            .iter()
            .take(MAX_ANSWER)
            .position(|byte| *byte == 0)
            .ok_or_else(|| malformed("it has no end, or is too long"))?;
        let text = String::from_utf8_lossy(rest.get(..len).unwrap_or_default());
        // As JavaScript's TextDecoder does.
        Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    }

    fn call(&mut self, name: &str, args: &[u64]) -> Result<u64, wasmi::Error> {
        guest::call_named(&mut self.store, name, args)
    }

    fn call_if_there(&mut self, name: &str, args: &[u64]) -> Result<(), wasmi::Error> {
        if self.store.data().export(name).is_some() {
            self.call(name, args)?;
        }
        Ok(())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), wasmi::Error> {
        let at = usize::try_from(at).map_err(|_| TrapCode::MemoryOutOfBounds)?;
        let written = self.memory.write(&mut self.store, at, bytes);
        written.map_err(|_| TrapCode::MemoryOutOfBounds.into())
    }

    fn write_text(&mut self, at: u64, text: &str) -> Result<(), wasmi::Error> {
        self.write(at, text.as_bytes())?;
        self.write(at.saturating_add(length(text) - 1), &[0])
    }

    /// The whole memory.
    pub(crate) fn data(&self) -> &[u8] {
        self.memory.data(self.store.as_context())
    }

    /// The memory's size in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory.size(&self.store).saturating_mul(WASM_PAGE)
    }

    /// SHA-256 of the whole memory.
    pub(crate) fn memory_sha256(&self) -> [u8; 32] {
        Sha256::digest(self.data()).into()
    }

    fn global_values(&self) -> Vec<Val> {
        self.globals.iter().map(|global| global.get(&self.store)).collect()
    }

    fn set_globals(&mut self, values: &[Val]) -> Result<()> {
        for (global, value) in self.globals.iter().zip(values) {
            global.set(&mut self.store, value.clone()).map_err(|cause| {
                Error::new(Code::SnapshotInvalid, "the snapshot's globals are not those of the module")
                    .because(cause)
            })?;
        }
        Ok(())
    }

    /// The whole state.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let host = self.store.data();
        let files = (!host.files.untouched()).then(|| host.files.clone());
        Snapshot::take(self.program.sha256(), self.data(), &self.global_values(), host.clock, files)
    }

    /// A new instance in the state of a snapshot.
    pub(crate) fn restore(program: &Program, limits: Limits, snapshot: &Snapshot) -> Result<Self> {
        if snapshot.module() != program.sha256() {
            return Err(Error::new(Code::SnapshotInvalid, "the snapshot is of another module"));
        }
        let mut instance = Self::new(program, limits)?;
        let fits = snapshot.memory_bytes() >= instance.memory_bytes()
            && snapshot.globals().len() == instance.globals.len();
        if !fits {
            return Err(Error::new(Code::SnapshotInvalid, "the snapshot's memory does not fit the module"));
        }
        // What lies beyond the initial memory is zero still.
        let initial = usize::try_from(program.initial_memory()).unwrap_or(usize::MAX);
        instance.grow_to(snapshot.memory_bytes())?;
        instance.take_over(snapshot, initial)?;
        Ok(instance)
    }

    /// Goes to the state of a snapshot in place, if the memory has the snapshot's size: much faster than a new instance,
    /// whose memory the system has to provide anew. A module's state is its memory and its mutable globals, so the result
    /// is the same.
    pub(crate) fn return_to(&mut self, snapshot: &Snapshot) -> Result<bool> {
        if self.memory_bytes() != snapshot.memory_bytes() {
            return Ok(false);
        }
        self.take_over(snapshot, usize::MAX)?;
        Ok(true)
    }

    /// Writes a snapshot over the memory, of which only the first `dirty` bytes may be other than zero, and over the rest
    /// of the state.
    fn take_over(&mut self, snapshot: &Snapshot, dirty: usize) -> Result<()> {
        let memory = self.memory.data_mut(self.store.as_context_mut());
        let mut kept = snapshot.indices().iter().copied().peekable();
        for (index, page) in (0_u32..).zip(memory.chunks_mut(PAGE)).take(dirty.div_ceil(PAGE)) {
            if kept.next_if_eq(&index).is_none() && !is_zero(page) {
                page.fill(0);
            }
        }
        snapshot.write_pages(memory);
        self.set_globals(&snapshot.globals())?;
        let mut host = Host::new(self.program.format(), Limiter::new(self.limits.memory_bytes));
        host.clock = snapshot.clock();
        if let Some(files) = snapshot.files() {
            host.files = files.clone();
        }
        self.store.data_mut().become_like(host);
        Ok(())
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
        if pages > 0 {
            refuel(&mut self.store, self.limits.gas)?;
            self.memory.grow(&mut self.store, pages).map_err(|cause| host_exhausted().because(cause))?;
        }
        Ok(())
    }

    /// Makes this the new instance that the legacy CU puts the memory into after an error: clock, files and globals start
    /// anew, and the heap takes the size that the loader gives it.
    pub(crate) fn renew(&mut self) -> Result<()> {
        let initial = self.initial_globals.clone();
        self.set_globals(&initial)?;
        let fresh = Host::new(self.program.format(), Limiter::new(self.limits.memory_bytes));
        self.store.data_mut().become_like(fresh);
        if self.program.format() == Format::Plain {
            return Ok(());
        }
        let (initial, now) = (self.program.initial_memory(), self.memory_bytes());
        self.grow_to(
            emscripten::restored_size(self.program.format(), initial, now).min(self.limits.memory_bytes),
        )
    }

    /// Writes another instance's memory over this one's. What is beyond stays.
    pub(crate) fn overwrite(&mut self, other: &Self) {
        let from = other.data();
        if let Some(to) = self.memory.data_mut(self.store.as_context_mut()).get_mut(..from.len()) {
            to.copy_from_slice(from);
        }
    }
}

/// Bytes of a text and its NUL.
fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(1)
}

fn refuel(store: &mut Store<Host>, gas: u64) -> Result<()> {
    store.set_fuel(gas).map_err(unmetered)
}

fn unmetered(cause: wasmi::Error) -> Error {
    Error::new(Code::GasLimit, "this build does not count gas").because(cause)
}

fn host_exhausted() -> Error {
    Error::new(Code::MemoryLimit, "this machine has not enough memory to run the process")
}

/// What an error of wasmi means.
fn fault(store: &Store<Host>, error: wasmi::Error) -> Fault {
    if let Some(halt) = Halt::of(&error) {
        return match halt {
            Halt::HostMemory => Fault::Host(host_exhausted()),
            other => Fault::Module(Code::Trap, format!("the module stopped: {other}")),
        };
    }
    if store.data().limiter.host_exhausted {
        return Fault::Host(host_exhausted().because(error));
    }
    match error.as_trap_code() {
        Some(TrapCode::OutOfFuel) => {
            Fault::Module(Code::GasLimit, "the message used all the gas it was allowed".to_owned())
        }
        Some(code) => Fault::Module(Code::Trap, format!("the module trapped: {code}")),
        None => Fault::Module(Code::Trap, format!("the module stopped: {error}")),
    }
}
