//! wasmi: the engine that is always there, the same everywhere, and the one that can stop a message on its way.
//!
//! When a slice of gas is used up, the import that says so ends with [`Stop::Waiting`]: the call stops at that import and can go
//! on from there. It may stand inside another import (`invoke_*`), which ends the same way, the call around it stops, and so on
//! outward. All stopped calls are kept, the innermost first. Going on resumes the innermost; what it gives becomes the answer
//! of the import that made it, with which the next call outward resumes.

use std::rc::Rc;

use wasmi::errors::HostError;
use wasmi::{
    AsContextMut, Caller, CompilationMode, Config, FuncType, Global, Linker, Memory, Module, ResumableCall,
    ResumableCallHostTrap, Store, StoreContextMut, TrapCode, Val, ValType,
};
use weft_codec::{Code, Error, Result};

use super::records;
use super::{
    After, Compiled, Engine, Guest, Imports, Instance, OutOfBounds, Progress, Stop, Trap, Type, Value,
};
use crate::interface::{Interface, Signature};
use crate::rewrite::{BACK, GAS, KEEP, LOST, RECORDS, SAVE, UNDO};

/// Deepest nesting of wasm calls. wasmi's own default of 1,000 is too low for aos.
const MAX_RECURSION: usize = 20_000;

/// Most bytes of wasmi's value stack, for each open `invoke_*` anew. wasmi's own default of 1,000,000 is too low for aos.
const MAX_STACK: usize = 4 << 20;

/// Bytes of a wasm page.
const PAGE: u64 = 65_536;

type Ended<T> = std::result::Result<T, Stop>;

/// wasmi.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wasmi;

impl Wasmi {
    /// wasmi counts no fuel: the module counts its gas itself. Compilation is eager: a message's time should not depend on
    /// which functions were used before.
    fn engine(memories: Memories) -> wasmi::Engine {
        let mut config = Config::default();
        config
            .set_max_recursion_depth(MAX_RECURSION)
            .set_max_stack_height(MAX_STACK)
            .ignore_custom_sections(true)
            .wasm_multi_memory(memories == Memories::WithUndo)
            .wasm_memory64(true)
            // What it gives is the machine's choice.
            .wasm_relaxed_simd(false)
            .compilation_mode(CompilationMode::Eager);
        wasmi::Engine::new(&config)
    }

    /// Whether a module is valid WebAssembly of the kinds that this version runs, on whichever engine.
    ///
    /// # Errors
    /// `module-invalid`.
    pub(crate) fn validate(module: &[u8]) -> Result<()> {
        Module::validate(&Self::engine(Memories::One), module).map_err(unsupported)
    }

    /// Whether a module is valid after the rewrite.
    ///
    /// # Errors
    /// `module-invalid`.
    pub(crate) fn validate_rewritten(module: &[u8]) -> Result<()> {
        Module::validate(&Self::engine(Memories::WithUndo), module).map_err(unsupported)
    }
}

/// How many memories a module may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memories {
    One,
    /// After the rewrite.
    WithUndo,
}

fn unsupported(cause: wasmi::Error) -> Error {
    let sentence = "the module is not valid WebAssembly of the kinds this version runs";
    Error::new(Code::ModuleInvalid, sentence).because(cause)
}

impl Engine for Wasmi {
    fn name(&self) -> &'static str {
        "wasmi"
    }

    fn compile(&self, module: &[u8], interface: &Rc<Interface>) -> Result<Rc<dyn Compiled>> {
        let engine = Self::engine(Memories::WithUndo);
        let module = Module::new(&engine, module).map_err(unsupported)?;
        let mut linker = Linker::new(&engine);
        let mut seen = std::collections::BTreeSet::new();
        for (place, import) in interface.imports.iter().enumerate() {
            if !seen.insert((&import.module, &import.name)) {
                continue;
            }
            let answer = move |caller: Caller<'_, Data>, args: &[Val], results: &mut [Val]| {
                answer(caller, place, args, results)
            };
            let defined = linker.func_new(&import.module, &import.name, func_type(&import.signature), answer);
            defined.map_err(|cause| {
                Error::new(Code::ModuleInvalid, "the module imports a function twice").because(cause)
            })?;
        }
        let interface = Rc::clone(interface);
        Ok(Rc::new(Ready { engine, module, linker, interface }))
    }
}

/// A module that wasmi compiled.
struct Ready {
    engine: wasmi::Engine,
    module: Module,
    linker: Linker<Data>,
    interface: Rc<Interface>,
}

impl Compiled for Ready {
    fn instantiate(&self, imports: Rc<dyn Imports>) -> Ended<Box<dyn Instance>> {
        let data = Data { imports, parts: None, functions: Vec::new(), waiting: Vec::new() };
        let mut store = Store::new(&self.engine, data);
        let instance =
            self.linker.instantiate_and_start(&mut store, &self.module).map_err(|error| stop(&error))?;
        let missing = || Stop::Engine("an export of the rewritten module is missing".to_owned());
        let memory = instance.get_memory(&store, "memory").ok_or_else(missing)?;
        let gas = instance.get_global(&store, GAS).ok_or_else(missing)?;
        let undo = Undo::of(&instance, &store, self.interface.records).ok_or_else(missing)?;
        let parts = Parts { memory, gas, undo };
        let mut functions = Vec::new();
        for function in &self.interface.functions {
            let func = instance.get_func(&store, &function.name).ok_or_else(missing)?;
            functions.push((func, function.signature.results.clone()));
        }
        let mut globals = Vec::new();
        for (name, _) in &self.interface.globals {
            globals.push(instance.get_global(&store, name).ok_or_else(missing)?);
        }
        store.data_mut().parts = Some(parts);
        store.data_mut().functions = functions;
        Ok(Box::new(Running { open: Open { context: store, parts }, globals }))
    }
}

/// What imports find.
struct Data {
    imports: Rc<dyn Imports>,
    /// Once the instance is made.
    parts: Option<Parts>,
    /// The exports, with the types of their results.
    functions: Vec<(wasmi::Func, Vec<Type>)>,
    /// Calls that wait, the innermost first.
    waiting: Vec<Waiting>,
}

#[derive(Clone, Copy)]
struct Parts {
    memory: Memory,
    gas: Global,
    undo: Undo,
}

/// The way back.
#[derive(Clone, Copy)]
struct Undo {
    memory: Memory,
    /// Where its records begin.
    first: u32,
    count: Global,
    lost: Global,
    save: wasmi::Func,
    back: wasmi::Func,
    keep: wasmi::Func,
    /// Whether addresses have 64 bits.
    wide: bool,
}

impl Undo {
    fn of(instance: &wasmi::Instance, store: &Store<Data>, first: u32) -> Option<Self> {
        let func = |name| instance.get_func(store, name);
        let save = func(SAVE)?;
        Some(Self {
            memory: instance.get_memory(store, UNDO)?,
            first,
            count: instance.get_global(store, RECORDS)?,
            lost: instance.get_global(store, LOST)?,
            wide: save.ty(store).params().first() == Some(&ValType::I64),
            save,
            back: func(BACK)?,
            keep: func(KEEP)?,
        })
    }
}

/// A call that waits.
struct Waiting {
    at: At,
    results: Vec<Val>,
    after: After,
}

/// Where a call waits.
enum At {
    /// In an import that waits.
    Import(ResumableCallHostTrap),
    /// In an import whose answer is its own result, since it was called at the very end.
    Tail,
}

/// The instance by whatever way into it is open.
struct Open<C> {
    context: C,
    parts: Parts,
}

struct Running {
    open: Open<Store<Data>>,
    globals: Vec<Global>,
}

fn range(at: u64, len: u64) -> std::result::Result<std::ops::Range<usize>, OutOfBounds> {
    let end = at.checked_add(len).and_then(|end| usize::try_from(end).ok());
    Ok(usize::try_from(at).map_err(|_| OutOfBounds)?..end.ok_or(OutOfBounds)?)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl<C: AsContextMut<Data = Data>> Open<C> {
    /// Saves what is about to be written to.
    fn save(&mut self, at: u64, len: u64) -> std::result::Result<(), OutOfBounds> {
        let Undo { save, wide, .. } = self.parts.undo;
        let size = |size: u64| match wide {
            true => Some(Val::I64(size.cast_signed())),
            false => u32::try_from(size).ok().map(|size| Val::I32(size.cast_signed())),
        };
        let (Some(at), Some(len)) = (size(at), size(len)) else { return Err(OutOfBounds) };
        save.call(self.context.as_context_mut(), &[at, len], &mut []).map_err(|_| OutOfBounds)
    }

    fn memory_mut(&mut self, range: std::ops::Range<usize>) -> std::result::Result<&mut [u8], OutOfBounds> {
        self.parts.memory.data_mut(self.context.as_context_mut()).get_mut(range).ok_or(OutOfBounds)
    }

    fn word(&self, global: Global) -> u32 {
        match global.get(&self.context) {
            Val::I32(value) => value.cast_unsigned(),
            _ => 0,
        }
    }
}

impl<C: AsContextMut<Data = Data>> Guest for Open<C> {
    fn memory_bytes(&self) -> u64 {
        self.parts.memory.size(&self.context).saturating_mul(PAGE)
    }

    fn read(&self, at: u64, to: &mut [u8]) -> std::result::Result<(), OutOfBounds> {
        let memory = self.parts.memory.data(self.context.as_context());
        to.copy_from_slice(memory.get(range(at, length(to))?).ok_or(OutOfBounds)?);
        Ok(())
    }

    fn write(&mut self, at: u64, from: &[u8]) -> std::result::Result<(), OutOfBounds> {
        let range = range(at, length(from))?;
        self.memory_mut(range.clone())?;
        self.save(at, length(from))?;
        self.memory_mut(range)?.copy_from_slice(from);
        Ok(())
    }

    fn copy(&mut self, to: u64, from: u64, len: u64) -> std::result::Result<(), OutOfBounds> {
        let (target, from) = (range(to, len)?, range(from, len)?);
        self.memory_mut(target.clone())?;
        self.memory_mut(from.clone())?;
        self.save(to, len)?;
        let memory = self.parts.memory.data_mut(self.context.as_context_mut());
        memory.copy_within(from, target.start);
        Ok(())
    }

    fn grow(&mut self, pages: u64) -> bool {
        self.parts.memory.grow(&mut self.context, pages).is_ok()
    }

    fn gas(&self) -> i64 {
        match self.parts.gas.get(&self.context) {
            Val::I64(gas) => gas,
            _ => 0,
        }
    }

    fn set_gas(&mut self, gas: i64) {
        // The rewrite made it a mutable i64.
        let _set = self.parts.gas.set(&mut self.context, Val::I64(gas));
    }

    fn call(&mut self, place: usize, args: &[Value], after: After) -> Ended<Progress> {
        let context = self.context.as_context();
        let Some((func, results)) = context.data().functions.get(place) else {
            return Err(Stop::Engine("a function that is not exported was called".to_owned()));
        };
        let (func, mut results) =
            (*func, results.iter().map(|ty| to_val(Value::of(*ty, 0))).collect::<Vec<_>>());
        let args: Vec<Val> = args.iter().map(|arg| to_val(*arg)).collect();
        let call = func.call_resumable(self.context.as_context_mut(), &args, &mut results);
        settle(self.context.as_context_mut(), call, results, after)
    }

    fn can_wait(&self) -> bool {
        true
    }
}

impl Guest for Running {
    fn memory_bytes(&self) -> u64 {
        self.open.memory_bytes()
    }

    fn read(&self, at: u64, to: &mut [u8]) -> std::result::Result<(), OutOfBounds> {
        self.open.read(at, to)
    }

    fn write(&mut self, at: u64, from: &[u8]) -> std::result::Result<(), OutOfBounds> {
        self.open.write(at, from)
    }

    fn copy(&mut self, to: u64, from: u64, len: u64) -> std::result::Result<(), OutOfBounds> {
        self.open.copy(to, from, len)
    }

    fn grow(&mut self, pages: u64) -> bool {
        self.open.grow(pages)
    }

    fn gas(&self) -> i64 {
        self.open.gas()
    }

    fn set_gas(&mut self, gas: i64) {
        self.open.set_gas(gas);
    }

    fn call(&mut self, place: usize, args: &[Value], after: After) -> Ended<Progress> {
        // Whatever waited belongs to a message that was left.
        self.open.context.data_mut().waiting.clear();
        self.open.call(place, args, after)
    }

    fn can_wait(&self) -> bool {
        true
    }
}

impl Instance for Running {
    fn go_on(&mut self) -> Ended<Progress> {
        let store = &mut self.open.context;
        let mut outer = std::mem::take(&mut store.data_mut().waiting);
        outer.reverse();
        let mut given = Ok(None);
        while let Some(Waiting { at, results, after }) = outer.pop() {
            let progress = match given {
                Ok(value) => resume(store.as_context_mut(), Waiting { at, results, after }, value),
                Err(error) => Err(error),
            };
            let ended = match progress {
                Ok(Progress::Ended(value)) => Ok(value),
                Ok(Progress::Waiting) => {
                    store.data_mut().waiting.extend(outer.into_iter().rev());
                    return Ok(Progress::Waiting);
                }
                Err(error) => Err(error),
            };
            given = match after {
                After::Nothing => ended,
                After::Invoke { .. } => {
                    let imports = Rc::clone(&store.data().imports);
                    let mut open = Open { context: store.as_context_mut(), parts: self.open.parts };
                    imports.ended(&mut open, after, ended)
                }
            };
        }
        given.map(Progress::Ended)
    }

    fn visit(&self, bytes: u64, see: &mut dyn FnMut(&[u8])) {
        let memory = self.open.parts.memory.data(&self.open.context);
        let len = usize::try_from(bytes).unwrap_or(usize::MAX).min(memory.len());
        see(memory.get(..len).unwrap_or_default());
    }

    fn put(&mut self, index: u64, page: &[u8]) -> std::result::Result<(), OutOfBounds> {
        let range = range(index.saturating_mul(length(page)), length(page))?;
        self.open.memory_mut(range)?.copy_from_slice(page);
        Ok(())
    }

    fn keep(&mut self) -> Ended<Vec<u32>> {
        let Undo { memory, first, count, keep, .. } = self.open.parts.undo;
        let data = memory.data(&self.open.context);
        let first = data.get(usize::try_from(first).unwrap_or(usize::MAX)..).unwrap_or_default();
        let page = |number| {
            let at = usize::try_from(records::place(number)).unwrap_or(usize::MAX);
            let word = first.get(at..).and_then(|rest| rest.first_chunk::<4>());
            word.map(|word| records::page(u32::from_le_bytes(*word)))
        };
        let pages = (0..self.open.word(count)).filter_map(page).collect();
        keep.call(&mut self.open.context, &[], &mut []).map_err(|error| stop(&error))?;
        Ok(pages)
    }

    fn back(&mut self) -> Ended<()> {
        self.open.context.data_mut().waiting.clear();
        let back = self.open.parts.undo.back;
        back.call(&mut self.open.context, &[], &mut []).map_err(|error| stop(&error))
    }

    fn lost(&self) -> bool {
        self.open.word(self.open.parts.undo.lost) != 0
    }

    fn globals(&self) -> Vec<Value> {
        let values = self.globals.iter().map(|global| global.get(&self.open.context));
        values.map(|value| from_val(&value)).collect()
    }

    fn set_globals(&mut self, values: &[Value]) -> bool {
        let pairs = self.globals.iter().zip(values);
        let mut set = pairs.map(|(global, value)| global.set(&mut self.open.context, to_val(*value)).is_ok());
        set.all(|set| set)
    }
}

/// Takes a call from where it came to: to its end, or among those that wait.
fn settle(
    mut context: StoreContextMut<'_, Data>,
    call: std::result::Result<ResumableCall, wasmi::Error>,
    results: Vec<Val>,
    after: After,
) -> Ended<Progress> {
    let at = match call {
        Ok(ResumableCall::Finished) => return Ok(Progress::Ended(results.first().map(from_val))),
        Ok(ResumableCall::HostTrap(trap)) if is_waiting(trap.host_error()) => At::Import(trap),
        Ok(ResumableCall::HostTrap(trap)) => return Err(stop(&trap.into_host_error())),
        // wasmi counts no fuel here.
        Ok(ResumableCall::OutOfFuel(_)) => return Err(Stop::OutOfGas),
        Err(error) if is_waiting(&error) => At::Tail,
        Err(error) => return Err(stop(&error)),
    };
    context.data_mut().waiting.push(Waiting { at, results, after });
    Ok(Progress::Waiting)
}

fn is_waiting(error: &wasmi::Error) -> bool {
    error.downcast_ref::<Stop>() == Some(&Stop::Waiting)
}

/// Resumes one call; `value` is the answer of the import it waits in.
fn resume(mut context: StoreContextMut<'_, Data>, waiting: Waiting, value: Option<Value>) -> Ended<Progress> {
    let Waiting { at, mut results, after } = waiting;
    let trap = match at {
        At::Import(trap) => trap,
        At::Tail => return Ok(Progress::Ended(value)),
    };
    let ty = trap.host_func().ty(&context);
    let answer = |ty: &ValType| value.map_or(Val::default_for_ty(*ty), to_val);
    let answer: Vec<Val> = ty.results().iter().map(answer).collect();
    let call = trap.resume(context.as_context_mut(), &answer, &mut results);
    settle(context, call, results, after)
}

/// The module calls an import.
fn answer(
    caller: Caller<'_, Data>,
    place: usize,
    args: &[Val],
    results: &mut [Val],
) -> std::result::Result<(), wasmi::Error> {
    let imports = Rc::clone(&caller.data().imports);
    let too_early = || wasmi::Error::host(Stop::abort("it called the host before it was ready"));
    let parts = caller.data().parts.ok_or_else(too_early)?;
    let mut values = [Value::I32(0); crate::host::table::MAX_PARAMS];
    let values = values.get_mut(..args.len()).ok_or_else(too_early)?;
    for (value, arg) in values.iter_mut().zip(args) {
        *value = from_val(arg);
    }
    let mut open = Open { context: caller, parts };
    let answer = imports.answer(&mut open, place, values).map_err(wasmi::Error::host)?;
    if let (Some(result), Some(answer)) = (results.first_mut(), answer) {
        *result = to_val(answer);
    }
    Ok(())
}

fn func_type(signature: &Signature) -> FuncType {
    let types = |types: &[Type]| -> Vec<ValType> {
        types
            .iter()
            .map(|ty| match ty {
                Type::I32 => ValType::I32,
                Type::I64 => ValType::I64,
                Type::F32 => ValType::F32,
                Type::F64 => ValType::F64,
            })
            .collect()
    };
    FuncType::new(types(&signature.params), types(&signature.results))
}

fn to_val(value: Value) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::I64(value) => Val::I64(value),
        Value::F32(bits) => Val::F32(wasmi::F32::from_bits(bits)),
        Value::F64(bits) => Val::F64(wasmi::F64::from_bits(bits)),
    }
}

/// Only numbers cross the seam: see `Interface`.
fn from_val(value: &Val) -> Value {
    match value {
        Val::I64(value) => Value::I64(*value),
        Val::F32(value) => Value::F32(value.to_bits()),
        Val::F64(value) => Value::F64(value.to_bits()),
        Val::I32(value) => Value::I32(*value),
        _ => Value::I32(0),
    }
}

impl HostError for Stop {}

/// What an error of wasmi means.
fn stop(error: &wasmi::Error) -> Stop {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stop.clone();
    }
    Stop::Trap(match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Trap::Memory,
        Some(TrapCode::TableOutOfBounds) => Trap::Table,
        Some(TrapCode::IndirectCallToNull | TrapCode::BadSignature) => Trap::IndirectCall,
        Some(TrapCode::IntegerDivisionByZero) => Trap::DivisionByZero,
        Some(TrapCode::IntegerOverflow | TrapCode::BadConversionToInteger) => Trap::Overflow,
        Some(TrapCode::StackOverflow) => Trap::Stack,
        Some(TrapCode::OutOfSystemMemory) => return Stop::HostMemory,
        _ => Trap::Other,
    })
}
