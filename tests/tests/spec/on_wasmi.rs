//! The steps on wasmi.

use std::collections::BTreeMap;

use wasmi::{
    Caller, Config, Engine, Error, Extern, Func, FuncType, Instance, Linker, Module, Store, TrapCode, Val,
    ValType,
};
use weft_wasm::rewrite::{GAS, GAS_MODULE, GAS_NAME, GROW_NAME, START, UNCAUGHT_NAME};

use super::{Ends, Expected, MEMORY, Report, Step, Value};

/// More than any test takes.
const MUCH: i64 = i64::MAX / 2;

/// Runs all steps.
pub(super) fn run(steps: &[Step]) -> Report {
    let mut wasmi = Wasmi::new();
    let mut report = Report::default();
    for step in steps {
        match wasmi.step(step) {
            Ok(()) => report.held += usize::from(!matches!(step, Step::Register { .. })),
            Err(why) => report.failed.push(why),
        }
    }
    report
}

struct Wasmi {
    engine: Engine,
    store: Store<()>,
    linker: Linker<()>,
    instances: BTreeMap<usize, Instance>,
}

impl Wasmi {
    fn new() -> Self {
        let mut config = Config::default();
        config.wasm_multi_memory(true).wasm_memory64(true);
        let engine = Engine::new(&config);
        let (mut store, mut linker) = (Store::new(&engine, ()), Linker::new(&engine));
        linker.allow_shadowing(true);
        let (i32, i64, f32, f64) = (ValType::I32, ValType::I64, ValType::F32, ValType::F64);
        for (name, params) in [
            ("print", vec![]),
            ("print_i32", vec![i32]),
            ("print_i64", vec![i64]),
            ("print_f32", vec![f32]),
            ("print_f64", vec![f64]),
            ("print_i32_f32", vec![i32, f32]),
            ("print_f64_f64", vec![f64, f64]),
        ] {
            let func = Func::new(&mut store, FuncType::new(params, []), |_, _, _| Ok(()));
            linker.define("spectest", name, func).unwrap();
        }
        let out = || -> Result<(), Error> { Err(Error::new("out of gas")) };
        linker.func_wrap(GAS_MODULE, GAS_NAME, out).unwrap();
        let uncaught = || -> Result<(), Error> { Err(Error::new("uncaught")) };
        linker.func_wrap(GAS_MODULE, UNCAUGHT_NAME, uncaught).unwrap();
        Self { engine, store, linker, instances: BTreeMap::new() }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Module { number, hex, starts, line } => {
                let started = self.start(&hex::decode(hex).unwrap());
                match (started, starts) {
                    (Ok(instance), true) => {
                        self.instances.insert(*number, instance);
                        Ok(())
                    }
                    (Ok(_), false) => Err(format!("{line}: it starts")),
                    (Err(why), true) => Err(format!("{line}: it does not start: {why}")),
                    (Err(_), false) => Ok(()),
                }
            }
            Step::Register { number, name } => {
                let Some(instance) = self.instances.get(number) else { return Ok(()) };
                self.linker
                    .instance(&mut self.store, name, *instance)
                    .map_err(|error| error.to_string())
                    .map(|_| ())
            }
            Step::Call { number, name, args, ends, line } => {
                self.call(*number, name, args, ends).map_err(|why| format!("{line}: {name}: {why}"))
            }
            Step::Get { number, name, expected, line } => {
                let global = self.instance(*number)?.get_global(&self.store, name);
                let found = global.ok_or_else(|| format!("{line}: no global"))?.get(&self.store);
                fits(&found, expected).map_err(|why| format!("{line}: {name}: {why}"))
            }
        }
    }

    fn instance(&self, number: usize) -> Result<Instance, String> {
        self.instances.get(&number).copied().ok_or_else(|| "its module did not start".to_owned())
    }

    fn start(&mut self, module: &[u8]) -> Result<Instance, Error> {
        let module = Module::new(&self.engine, module)?;
        let grow =
            module.imports().find(|import| (import.module(), import.name()) == (GAS_MODULE, GROW_NAME));
        let ty = grow.unwrap().ty().func().unwrap().clone();
        let mut linker = self.linker.clone();
        linker.define(GAS_MODULE, GROW_NAME, Func::new(&mut self.store, ty, grow_memory)).unwrap();
        let instance = linker.instantiate_and_start(&mut self.store, &module)?;
        instance.get_global(&self.store, GAS).unwrap().set(&mut self.store, Val::I64(MUCH)).unwrap();
        if let Some(start) = instance.get_func(&self.store, START) {
            start.call(&mut self.store, &[], &mut [])?;
        }
        Ok(instance)
    }

    fn call(&mut self, number: usize, name: &str, args: &[Value], ends: &Ends) -> Result<(), String> {
        let instance = self.instance(number)?;
        let func = instance.get_func(&self.store, name).ok_or("there is no such function")?;
        let ty = func.ty(&self.store);
        let args: Vec<Val> = args.iter().zip(ty.params()).map(|(arg, ty)| argument(arg, *ty)).collect();
        let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
        let ended = func.call(&mut self.store, &args, &mut results);
        match (ended, ends) {
            (Ok(()), Ends::Returns(expected)) => {
                // An action without an assertion says nothing of its results.
                results.iter().zip(expected).try_for_each(|(found, expected)| fits(found, expected))
            }
            (Err(error), Ends::Traps(message)) => match error.as_trap_code() {
                Some(code) if traps_as(code, message) => Ok(()),
                _ => Err(format!("it traps with “{error}”, not “{message}”")),
            },
            (Err(error), Ends::Throws) if error.to_string() == "uncaught" => Ok(()),
            (Err(error), Ends::Exhausts) if error.as_trap_code() == Some(TrapCode::StackOverflow) => Ok(()),
            (ended, _) => Err(format!("it ends with {ended:?}, not {ends:?}")),
        }
    }
}

fn argument(value: &Value, ty: ValType) -> Val {
    match value {
        Value::I32(bits) => Val::I32(bits.parse::<u32>().unwrap().cast_signed()),
        Value::I64(bits) => Val::I64(bits.parse::<u64>().unwrap().cast_signed()),
        Value::F32(bits) => Val::F32(wasmi::F32::from_bits(bits.parse().unwrap())),
        Value::F64(bits) => Val::F64(wasmi::F64::from_bits(bits.parse().unwrap())),
        Value::Null => Val::default_for_ty(ty),
    }
}

fn fits(found: &Val, expected: &Expected) -> Result<(), String> {
    let null = format!("{found:?}").contains("Null");
    let fits = match (found, expected) {
        (Val::F32(value), Expected::Nan(_)) => f32::from_bits(value.to_bits()).is_nan(),
        (Val::F64(value), Expected::Nan(_)) => f64::from_bits(value.to_bits()).is_nan(),
        (Val::FuncRef(_) | Val::ExternRef(_), Expected::Exactly(Value::Null)) => null,
        (Val::FuncRef(_) | Val::ExternRef(_), Expected::Reference) => !null,
        (found, Expected::Exactly(value)) => bits(found).as_ref() == Some(value),
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("{found:?} is not {expected:?}")) }
}

fn bits(value: &Val) -> Option<Value> {
    Some(match value {
        Val::I32(value) => Value::I32(value.cast_unsigned().to_string()),
        Val::I64(value) => Value::I64(value.cast_unsigned().to_string()),
        Val::F32(value) => Value::F32(value.to_bits().to_string()),
        Val::F64(value) => Value::F64(value.to_bits().to_string()),
        _ => return None,
    })
}

/// Whether a trap is the one that the specification's tests call so.
fn traps_as(code: TrapCode, message: &str) -> bool {
    let words: &[&str] = match code {
        TrapCode::UnreachableCodeReached => &["unreachable"],
        TrapCode::MemoryOutOfBounds => &["out of bounds memory access"],
        TrapCode::TableOutOfBounds => &["undefined element", "out of bounds table access"],
        TrapCode::IndirectCallToNull => &["uninitialized element", "undefined element"],
        TrapCode::BadSignature => &["indirect call type mismatch"],
        TrapCode::IntegerDivisionByZero => &["integer divide by zero"],
        TrapCode::IntegerOverflow => &["integer overflow"],
        TrapCode::BadConversionToInteger => &["invalid conversion to integer", "integer overflow"],
        TrapCode::StackOverflow => &["call stack exhausted"],
        _ => &[],
    };
    words.iter().any(|word| message.starts_with(word))
}

/// The import that grows the memory of whoever calls it.
fn grow_memory(mut caller: Caller<'_, ()>, args: &[Val], results: &mut [Val]) -> Result<(), Error> {
    let memory = caller.get_export(MEMORY).and_then(Extern::into_memory);
    let mut grown = |pages| memory.and_then(|memory| memory.grow(&mut caller, pages).ok());
    results[0] = match args {
        [Val::I64(pages)] => Val::I64(grown(pages.cast_unsigned()).map_or(-1, |before| before.cast_signed())),
        [Val::I32(pages)] => {
            let before = grown(u64::from(pages.cast_unsigned()));
            Val::I32(before.and_then(|before| i32::try_from(before).ok()).unwrap_or(-1))
        }
        _ => return Err(Error::new("a growth of another type")),
    };
    Ok(())
}
