//! A process as a fold: its engine, and the rules around each step.

mod lua;
mod signed;
mod wasm;

use serde_json::Value;
use weft_codec::ao::{Module, Process};
use weft_codec::message::Message;
use weft_codec::{Code, Error, Id, Result};
use weft_lua::device::Store;
use weft_verify::{Entry, EntryKind, Modules, Verified};
use weft_wasm::{Drive, Engines, Prepared, Setup};

use crate::options::{EngineKind, ModuleFormat, ModuleOptions};
use crate::result::SlotResult;

pub(crate) use lua::code as lua_code;
pub use lua::{LuaAnswer, LuaRun};
pub use signed::{SignedModules, check_signed};

/// A process that runs. Only verified entries move it.
pub struct ProcessMachine {
    engine: Engine,
}

/// What runs a process.
enum Engine {
    Wasm(Box<wasm::Wasm>),
    Lua(Box<lua::Lua>),
}

/// A module made ready for a process.
#[derive(Clone)]
pub enum Program {
    /// Compiled, for the engines that were asked for.
    Wasm(Setup),
    /// The modules as messages, by id: their texts are compiled by each machine.
    Lua(Store),
}

/// The whole state of a process between two slots.
#[derive(Clone, PartialEq, Eq)]
pub enum Snapshot {
    /// Of a wasm process.
    Wasm(weft_wasm::Snapshot),
    /// Of a Lua process, as bytes that carry their own checksum.
    Lua(Vec<u8>),
}

impl Snapshot {
    /// As bytes, with a checksum in them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Wasm(snapshot) => snapshot.to_bytes(),
            Self::Lua(bytes) => bytes.clone(),
        }
    }

    /// Errors: `snapshot-invalid`. Bytes of a Lua process are checked when they are restored.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if weft_lua::device::Process::is_snapshot(bytes) {
            return Ok(Self::Lua(bytes.to_vec()));
        }
        weft_wasm::Snapshot::from_bytes(bytes).map(Self::Wasm)
    }

    /// The linear memory, which only a wasm process has.
    #[must_use]
    pub fn to_memory(&self) -> Option<Vec<u8>> {
        match self {
            Self::Wasm(snapshot) => Some(snapshot.to_memory()),
            Self::Lua(_) => None,
        }
    }
}

impl Program {
    /// The name of what runs it.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Wasm(setup) => setup.engine(),
            Self::Lua(_) => "weft-lua",
        }
    }

    /// Why the fast engine does not run it, where it was asked to.
    #[must_use]
    pub fn refused(&self) -> Option<&str> {
        match self {
            Self::Wasm(setup) => setup.refused(),
            Self::Lua(_) => None,
        }
    }
}

/// Compiles the proved modules of a process for its options. Errors: `module-invalid`,
/// `module-format-unsupported`, `memory-limit`; those of [`crate::module_ids`], `module-mismatch` and `too-large` where the
/// modules are not those that the process runs on.
pub fn compile(
    process: &Process,
    modules: &Modules,
    options: &ModuleOptions,
    engines: &Engines,
) -> Result<Program> {
    compile_kept(process, modules, options, engines, &mut None)
}

/// As [`compile`], with what was kept of a wasm module that was made ready before. Without it, what is to be kept is put there.
pub fn compile_kept(
    process: &Process,
    modules: &Modules,
    options: &ModuleOptions,
    engines: &Engines,
    kept: &mut Option<Prepared>,
) -> Result<Program> {
    crate::modules::check(process, modules)?;
    let module = modules.first();
    match options.format {
        ModuleFormat::Wasm(format) => {
            let prepared = match kept {
                Some(prepared) => prepared,
                None => kept.insert(Prepared::of(&module.data, format, &options.limits())?),
            };
            let drive = modules.boot().map(|boot| {
                let drive = Drive::new();
                drive.put(format!("/data/{}", boot.id), boot.data.as_slice());
                drive
            });
            Setup::of(prepared, drive, &options.limits(), engines).map(Program::Wasm)
        }
        ModuleFormat::Lua => {
            let messages = modules.iter().map(|one| (one.id.to_string(), crate::lua::module_message(one)));
            Ok(Program::Lua(messages.collect()))
        }
    }
}

impl ProcessMachine {
    /// A process before its first slot. `module` is its first, `program` [`compile`]'s of all. Errors: those of the engine;
    /// `module-invalid` for Lua modules that do not run, `module-format-unsupported` for a process that cannot be a Lua one.
    pub fn new(
        process: &Verified<Process>,
        module: &Verified<Module>,
        program: &Program,
        options: &ModuleOptions,
    ) -> Result<Self> {
        let engine = match program {
            Program::Wasm(program) => {
                Engine::Wasm(Box::new(wasm::Wasm::new(process, module, program, options)?))
            }
            Program::Lua(store) => Engine::Lua(Box::new(lua::Lua::new(process, store, options)?)),
        };
        Ok(Self { engine })
    }

    /// A process as a [`Self::snapshot`] left it. Errors: `snapshot-invalid`.
    pub fn restore(
        process: &Verified<Process>,
        module: &Verified<Module>,
        program: &Program,
        options: &ModuleOptions,
        snapshot: &Snapshot,
    ) -> Result<Self> {
        let engine = match (program, snapshot) {
            (Program::Wasm(program), Snapshot::Wasm(snapshot)) => {
                Engine::Wasm(Box::new(wasm::Wasm::restore(process, module, program, options, snapshot)?))
            }
            (Program::Lua(_), Snapshot::Lua(bytes)) => {
                Engine::Lua(Box::new(lua::Lua::restore(process, options, bytes)?))
            }
            _ => {
                return Err(Error::new(Code::SnapshotInvalid, "The snapshot is of another kind of process."));
            }
        };
        Ok(Self { engine })
    }

    /// What runs it.
    #[must_use]
    pub const fn engine(&self) -> EngineKind {
        match self.engine {
            Engine::Wasm(_) => EngineKind::Wasm,
            Engine::Lua(_) => EngineKind::Lua,
        }
    }

    /// Shows the process its own item before slot 0, for histories whose slot 0 is a message. Its result is
    /// nobody's: the compute unit does not keep it either. A Lua process is not shown it: HyperBEAM begins at slot 0.
    ///
    /// Errors: those of this host, as of all that is begun here.
    pub fn boot(
        &mut self,
        process: &Verified<Process>,
        block_height: u64,
        timestamp: u64,
    ) -> Result<Evaluation<'_>> {
        let place = Place { slot: 0, message: process.id, timestamp, block_height };
        match &mut self.engine {
            Engine::Wasm(wasm) => wasm.boot(process, place),
            Engine::Lua(_) => Ok(Evaluation::ended(SlotResult::empty(place))),
        }
    }

    /// Whether a second copy of a message is left out, as compute units do it. HyperBEAM evaluates whatever has a slot.
    #[must_use]
    pub fn leaves_out_copies(&self) -> bool {
        matches!(self.engine, Engine::Wasm(_))
    }

    /// Whether the process sees its own item first where that has no slot, by [`Self::boot`]. HyperBEAM begins at slot 0.
    #[must_use]
    pub fn begins_with_itself(&self) -> bool {
        matches!(self.engine, Engine::Wasm(_))
    }

    /// Whether its state is put down at once. That of a wasm process costs a pass over its memory, for which whoever cancels does not
    /// wait.
    #[must_use]
    pub fn saves_at_once(&self) -> bool {
        matches!(self.engine, Engine::Lua(_))
    }

    /// Whether a checkpoint may rest on the state: the referee looked at the last message, or there is none to look.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        match &self.engine {
            Engine::Wasm(wasm) => wasm.is_checked(),
            Engine::Lua(_) => true,
        }
    }

    /// Has the referee look at the next message.
    pub fn check_next(&mut self) {
        if let Engine::Wasm(wasm) = &mut self.engine {
            wasm.check_next();
        }
    }

    /// Evaluates the last message once more, for the referee to look at it; what it gives is what it gave. `None` if it did look,
    /// or if there is none to look. Errors: as [`Self::step`].
    pub fn check_last(&mut self) -> Result<Option<Evaluation<'_>>> {
        match &mut self.engine {
            Engine::Wasm(wasm) => wasm.check_last(),
            Engine::Lua(_) => Ok(None),
        }
    }

    /// What two engines made of a message, where they differ: a file, as `weft_wasm::Divergence::to_bytes` has it.
    #[must_use]
    pub fn divergence(&self) -> Option<Vec<u8>> {
        match &self.engine {
            Engine::Wasm(wasm) => wasm.divergence(),
            Engine::Lua(_) => None,
        }
    }

    /// Evaluates one slot. A message that fails is a result with `error`, and leaves the state as it was.
    /// `form` is [`crate::view::form`]'s.
    ///
    /// Errors: those of this host; `engines-differ` where the referee sees something else, see [`Self::divergence`]. Of a Lua process also `lua-out-of-fuel`, `lua-out-of-memory`, `lua-too-deep` and
    /// `lua-unsupported`: no node has those limits, so what it would have computed is not known here.
    pub fn step(&mut self, entry: &Verified<Entry>, form: EntryKind) -> Result<Evaluation<'_>> {
        match &mut self.engine {
            Engine::Wasm(wasm) => wasm.step(entry, form),
            Engine::Lua(lua) => lua.step(entry, form),
        }
    }

    /// Evaluates a message nobody signed on a copy of the state, which stays as it is. `body` is that of
    /// `POST /dry-run` (scheduler-and-cu-api.md 2.3); `last` gives time and height where the body does not.
    pub fn dry_run(&mut self, body: &Value, last: Option<&SlotResult>) -> Result<Evaluation<'_>> {
        let (slot, block_height, timestamp) =
            last.map_or((0, 0, 0), |last| (last.slot, last.block_height, last.timestamp));
        let id = body.get("Id").and_then(Value::as_str).and_then(|id| id.parse().ok()).unwrap_or(Id([0; 32]));
        let place = Place { slot, message: id, timestamp, block_height };
        match &mut self.engine {
            Engine::Wasm(wasm) => wasm.dry_run(body, place),
            Engine::Lua(lua) => lua.dry_run(body, place),
        }
    }

    /// Makes a Lua function of `script` ready to run over the state of a Lua process, which stays as it is: HyperBEAM's
    /// `PID~process@1.0/now/~lua@5.3a&module=SCRIPT/FUNCTION`, sandboxed. `params` are the keys of the request.
    ///
    /// Errors: `request-invalid` for a process that is no Lua process, and for params that are no object.
    pub fn run_lua(&self, script: &str, function: &str, params: &Value) -> Result<LuaRun> {
        match &self.engine {
            Engine::Lua(lua) => lua.run(script, function, params),
            Engine::Wasm(_) => Err(no_state()),
        }
    }

    /// The state of a Lua process, the message that `PID~process@1.0/now` gives on a node, as JSON.
    ///
    /// Errors: `request-invalid` for a wasm process, which has none.
    pub fn state_json(&self) -> Result<Value> {
        match &self.engine {
            Engine::Wasm(_) => Err(no_state()),
            Engine::Lua(lua) => Ok(lua.state()),
        }
    }

    /// The state of a Lua process as a message. Errors: as [`Self::state_json`]; `message-malformed` for one that no message can
    /// hold.
    pub fn state_message(&self) -> Result<Message> {
        match &self.engine {
            Engine::Wasm(_) => Err(no_state()),
            Engine::Lua(lua) => lua.state_message(),
        }
    }

    /// The state, to go on from later. Fails only after [`Self::step`] did.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        match &mut self.engine {
            Engine::Wasm(wasm) => wasm.snapshot().map(Snapshot::Wasm),
            Engine::Lua(lua) => lua.snapshot().map(Snapshot::Lua),
        }
    }

    /// SHA-256 of the linear memory; of a Lua process, of its snapshot.
    pub fn memory_sha256(&mut self) -> Result<Id> {
        match &mut self.engine {
            Engine::Wasm(wasm) => Ok(wasm.memory_sha256()),
            Engine::Lua(lua) => lua.snapshot().map(|bytes| Id::sha256(&bytes)),
        }
    }

    /// Bytes of memory.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        match &self.engine {
            Engine::Wasm(wasm) => wasm.memory_bytes(),
            Engine::Lua(lua) => lua.memory_bytes(),
        }
    }
}

fn no_state() -> Error {
    Error::new(
        Code::RequestInvalid,
        "The state of a wasm process is memory, and no message that a script could read.",
    )
}

/// Where a result belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) slot: u64,
    pub(crate) message: Id,
    pub(crate) timestamp: u64,
    pub(crate) block_height: u64,
}

impl Place {
    pub(crate) fn of(entry: &Entry) -> Self {
        let assignment = &entry.assignment;
        Self {
            slot: entry.slot,
            message: entry.message.id(),
            timestamp: assignment.timestamp,
            block_height: assignment.block_height,
        }
    }
}

/// A message on its way, one slice of gas after the other. Dropped before its end, it never happened.
#[must_use]
pub struct Evaluation<'a> {
    step: Step<'a>,
}

enum Step<'a> {
    Wasm(wasm::WasmStep<'a>),
    Lua(lua::LuaStep<'a>),
    /// There was nothing to do.
    Ended(Box<SlotResult>),
}

/// How far an [`Evaluation`] came.
pub enum Evaluated<'a> {
    /// To its end.
    Ended(Box<SlotResult>),
    /// There is more to do.
    More(Evaluation<'a>),
}

impl<'a> Evaluation<'a> {
    fn wasm(step: wasm::WasmStep<'a>) -> Self {
        Self { step: Step::Wasm(step) }
    }

    fn lua(step: lua::LuaStep<'a>) -> Self {
        Self { step: Step::Lua(step) }
    }

    fn ended(result: SlotResult) -> Self {
        Self { step: Step::Ended(Box::new(result)) }
    }

    /// Goes on for about this much gas. Errors: those of [`ProcessMachine::step`].
    pub fn go_on(self, gas: u64) -> Result<Evaluated<'a>> {
        match self.step {
            Step::Wasm(step) => step.go_on(gas),
            Step::Lua(step) => step.go_on(gas),
            Step::Ended(result) => Ok(Evaluated::Ended(result)),
        }
    }

    /// Goes on to the end. Errors: those of [`ProcessMachine::step`].
    pub fn finish(mut self) -> Result<SlotResult> {
        loop {
            match self.go_on(u64::MAX)? {
                Evaluated::Ended(result) => return Ok(*result),
                Evaluated::More(rest) => self = rest,
            }
        }
    }
}

impl SlotResult {
    /// The result of a slot that repeats an earlier one: nothing ran, nothing changed.
    #[must_use]
    pub fn duplicate(entry: &Entry, earlier: u64) -> Self {
        Self { duplicate_of: Some(earlier), ..Self::empty(Place::of(entry)) }
    }

    /// A result that says nothing.
    pub(crate) fn empty(place: Place) -> Self {
        let Place { slot, message, timestamp, block_height } = place;
        Self {
            slot,
            message,
            timestamp,
            block_height,
            output: Value::String(String::new()),
            messages: Vec::new(),
            spawns: Vec::new(),
            assignments: Vec::new(),
            error: None,
            gas: 0,
            gas_version: None,
            ran_on: None,
            rolled_back: false,
            failure: None,
            duplicate_of: None,
            results: None,
            not_replayable: Vec::new(),
            follows_not_replayable: None,
            stopped_at: None,
        }
    }
}
