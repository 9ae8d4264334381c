//! Modules, rewritten.

use arbitrary::Unstructured;
use wasm_smith::{Config, Module as Smith};
use wasmi::{
    Caller, Engine, Error, Extern, Func, Instance, Linker, Memory, Module, Store, StoreLimits,
    StoreLimitsBuilder, Val,
};
use weft_wasm::rewrite::{self, GAS, GAS_MODULE, GAS_NAME, GLOBAL_PREFIX, GROW_NAME, START, UNDO};
use weft_wasm::rewrite::{BACK, KEEP, LOST, RECORDS};

/// What the original may burn of wasmi's fuel, and the rewritten module of its own gas.
const FUEL: u64 = 200_000;

/// Modules made of the bytes, valid ones: the original and the rewritten one answer alike, trap alike, and leave the same
/// memory and globals. NaN is left out (the modules make theirs alike), which `crates/weft-wasm/tests/rewrite.rs` looks at.
/// Returns how many calls were compared.
pub fn rewrite_module(bytes: &[u8]) -> usize {
    compared(bytes).map_or(0, |traced| traced.calls.len())
}

/// A module, and what wasmi made of it: for another engine to be compared with.
#[derive(Debug)]
pub struct Traced {
    /// As it was made.
    pub original: Vec<u8>,
    /// As it runs.
    pub rewritten: Vec<u8>,
    /// Its functions, called one after the other with zeros, as far as they came to an end.
    pub calls: Vec<Called>,
}

/// One call.
#[derive(Debug)]
pub struct Called {
    /// Under which name the function is exported.
    pub name: String,
    /// The types of its parameters, and then of its results, as wasmi writes them.
    pub types: [Vec<String>; 2],
    /// Its results, each with its type; or how it trapped.
    pub answer: Result<String, String>,
    /// What gas was left.
    pub gas: i64,
    /// The globals and the memory afterwards.
    pub state: (Vec<String>, Vec<u8>),
}

/// What a call begins with.
pub const GAS_OF_A_CALL: i64 = 100 * FUEL.cast_signed();

/// As [`rewrite_module`], with what was compared; `None` where the bytes make no module that wasmi runs.
pub fn compared(bytes: &[u8]) -> Option<Traced> {
    let (first, rest) = bytes.split_first()?;
    let module = Smith::new(config(*first), &mut Unstructured::new(rest)).ok()?.to_bytes();
    // What wasmi does not run is no matter of the rewrite.
    let mut original = Run::new(&module, true)?;
    let rewritten_bytes = match rewrite::rewrite(&module) {
        Ok(rewritten) => rewritten,
        // A fuzzer finds them.
        Err(error) if error.sentence().contains("names that only Weft gives") => return None,
        Err(error) => panic!("a valid module: {error}"),
    };
    assert_eq!(rewritten_bytes, rewrite::rewrite(&module).expect("the same"), "the same bytes each time");
    let mut rewritten = Run::new(&rewritten_bytes, false).expect("valid as well");
    let names: Vec<String> = original.instance.as_ref().map_or_else(Vec::new, |instance| {
        let exports = instance.exports(&original.store);
        exports
            .filter(|export| export.ty(&original.store).func().is_some())
            .map(|e| e.name().to_owned())
            .collect()
    });
    assert_eq!(original.instance.is_some(), rewritten.instance.is_some(), "both start, or none");
    let mut calls = Vec::new();
    for name in names {
        let Some(one) = original.call(&name) else { break };
        let before = rewritten.keep();
        let Some(two) = rewritten.call(&name) else {
            assert!(rewritten.goes_back(&before), "{name}: another memory after the way back");
            break;
        };
        assert!(rewritten.goes_back(&before), "{name}: another memory after the way back");
        assert_eq!(one, two, "{name}");
        let state = rewritten.state();
        assert!(original.state() == state, "{name}: the state");
        let (types, gas) = (rewritten.types(&name), rewritten.gas());
        calls.push(Called { name, types, answer: one, gas, state });
    }
    Some(Traced { original: module, rewritten: rewritten_bytes, calls })
}

/// What modules are made of; `first` chooses.
fn config(first: u8) -> Config {
    Config {
        canonicalize_nans: true,
        memory64_enabled: first & 1 == 1,
        allow_floats: first & 2 == 2,
        max_imports: 0,
        max_memories: 1,
        max_memory32_bytes: 4 << 20,
        max_memory64_bytes: 4 << 20,
        memory_max_size_required: true,
        max_tables: 2,
        max_table_elements: 1_000,
        table_max_size_required: true,
        min_types: 4,
        min_funcs: 4,
        max_instructions: 300,
        export_everything: true,
        custom_page_sizes_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        relaxed_simd_enabled: false,
        simd_enabled: first & 4 == 4,
        shared_everything_threads_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        tail_call_enabled: true,
        ..Config::default()
    }
}

/// A module that runs.
struct Run {
    store: Store<StoreLimits>,
    instance: Option<Instance>,
    original: bool,
}

impl Run {
    /// `None` if wasmi does not take it, or its start is cut short. It may be without an instance, if it does not start.
    fn new(module: &[u8], original: bool) -> Option<Self> {
        let mut config = wasmi::Config::default();
        config.consume_fuel(original).wasm_multi_memory(!original);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, module).ok()?;
        let limits = StoreLimitsBuilder::new().memory_size(32 << 20).table_elements(10_000).build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        let mut linker = Linker::new(&engine);
        if !original {
            let out = || -> Result<(), Error> { Err(Error::new("out of gas")) };
            linker.func_wrap(GAS_MODULE, GAS_NAME, out).expect("the first import");
            let grow = grow(&module, &mut store)?;
            linker.define(GAS_MODULE, GROW_NAME, grow).expect("the second");
        }
        let mut run = Self { store, instance: None, original };
        run.refill();
        run.instance = match linker.instantiate_and_start(&mut run.store, &module) {
            Ok(instance) => Some(instance),
            // A start that was cut short says nothing.
            Err(error) if cut_short(&error) => return None,
            Err(_) => None,
        };
        run.refill();
        if !original && let Some(start) = run.instance.and_then(|it| it.get_func(&run.store, START)) {
            let started = start.call(&mut run.store, &[], &mut []);
            run.instance = run.instance.filter(|_| started.is_ok());
        }
        Some(run)
    }

    fn refill(&mut self) {
        if self.original {
            self.store.set_fuel(FUEL).expect("it counts fuel");
        } else if let Some(instance) = self.instance {
            let gas = instance.get_global(&self.store, GAS).expect("it counts gas");
            // Units differ: enough that the original ends first.
            gas.set(&mut self.store, Val::I64(GAS_OF_A_CALL)).expect("a mutable i64");
        }
    }

    /// What a function gives, or how it traps; `None` if it ran out of fuel or of stack, whose sizes differ.
    fn call(&mut self, name: &str) -> Option<Result<String, String>> {
        self.refill();
        let func = self.instance?.get_func(&self.store, name)?;
        let ty = func.ty(&self.store);
        let default = |types: &[wasmi::ValType]| -> Vec<Val> {
            types.iter().map(|ty| Val::default_for_ty(*ty)).collect()
        };
        let (args, mut results) = (default(ty.params()), default(ty.results()));
        match func.call(&mut self.store, &args, &mut results) {
            Ok(()) => Some(Ok(results.iter().map(text).collect::<Vec<_>>().join(" "))),
            Err(error) if cut_short(&error) => None,
            Err(error) => error.as_trap_code().map(|code| Err(code.to_string())),
        }
    }

    fn gas(&self) -> i64 {
        let gas = self.instance.and_then(|instance| instance.get_global(&self.store, GAS));
        gas.and_then(|gas| gas.get(&self.store).i64()).unwrap_or_default()
    }

    fn types(&self, name: &str) -> [Vec<String>; 2] {
        let func = self.instance.and_then(|instance| instance.get_func(&self.store, name));
        let Some(ty) = func.map(|func| func.ty(&self.store)) else { return Default::default() };
        [ty.params(), ty.results()].map(|types| types.iter().map(|ty| format!("{ty:?}")).collect())
    }

    fn act(&mut self, name: &str) {
        if let Some(func) = self.instance.and_then(|instance| instance.get_func(&self.store, name)) {
            func.call(&mut self.store, &[], &mut []).expect("it neither traps nor counts");
        }
    }

    /// Forgets what was saved; the memory.
    fn keep(&mut self) -> Vec<u8> {
        self.act(KEEP);
        self.state().1
    }

    /// Goes back, looks whether the memory is as it was, and returns.
    fn goes_back(&mut self, before: &[u8]) -> bool {
        let after = self.state().1;
        self.act(BACK);
        let back = self.state().1;
        if let Some(memory) = self.memory() {
            memory.data_mut(&mut self.store).copy_from_slice(&after);
        }
        back.get(..before.len()) == Some(before)
    }

    fn memory(&self) -> Option<Memory> {
        let instance = self.instance?;
        let mut found = instance.exports(&self.store).filter(|export| export.name() != UNDO);
        found.find_map(|export| export.into_extern().into_memory())
    }

    /// The memory and the globals that the original exports.
    fn state(&self) -> (Vec<String>, Vec<u8>) {
        let Some(instance) = self.instance else { return Default::default() };
        let (mut globals, mut memory) = (Vec::new(), Vec::new());
        for export in instance.exports(&self.store) {
            let of_undo = export.name() == UNDO;
            let ours =
                [GAS, RECORDS, LOST].contains(&export.name()) || export.name().starts_with(GLOBAL_PREFIX);
            match export.into_extern() {
                Extern::Global(global) if !ours => globals.push(text(&global.get(&self.store))),
                Extern::Memory(found) if !of_undo => memory = Memory::data(&found, &self.store).to_vec(),
                _ => (),
            }
        }
        (globals, memory)
    }
}

/// Whether fuel or stack came to an end, whose sizes differ.
fn cut_short(error: &Error) -> bool {
    matches!(error.as_trap_code(), Some(wasmi::TrapCode::OutOfFuel | wasmi::TrapCode::StackOverflow))
}

/// The import that grows the memory, as `memory.grow` does.
fn grow(module: &Module, store: &mut Store<StoreLimits>) -> Option<Func> {
    let ty = module.imports().find(|import| import.name() == GROW_NAME)?.ty().func()?.clone();
    let theirs = |export: &wasmi::ExportType<'_>| export.ty().memory().is_some() && export.name() != UNDO;
    let name = module.exports().find(theirs).map(|e| e.name().to_owned());
    Some(Func::new(store, ty, move |mut caller: Caller<'_, StoreLimits>, args, results| {
        let memory = name.as_ref().and_then(|name| caller.get_export(name)?.into_memory());
        let mut grown = |pages| memory?.grow(&mut caller, pages).ok();
        match (args, results) {
            ([Val::I32(pages)], [result]) => {
                let before =
                    grown(u64::from(pages.cast_unsigned())).and_then(|pages| i32::try_from(pages).ok());
                *result = Val::I32(before.unwrap_or(-1));
            }
            ([Val::I64(pages)], [result]) => {
                let before = grown(pages.cast_unsigned()).and_then(|pages| i64::try_from(pages).ok());
                *result = Val::I64(before.unwrap_or(-1));
            }
            _ => return Err(Error::new("a growth of another type")),
        }
        Ok(())
    }))
}

/// A value's bits; of a reference, whether there is one.
fn text(value: &Val) -> String {
    match value {
        Val::I32(value) => format!("{value}i32"),
        Val::I64(value) => format!("{value}i64"),
        Val::F32(value) => format!("{:x}f32", value.to_bits()),
        Val::F64(value) => format!("{:x}f64", value.to_bits()),
        other => format!("{}", format!("{other:?}").contains("Null")),
    }
}
