//! Modules with exceptions of the legacy proposal.

use wasmi::{Caller, Engine, Error, Linker, Module, Store, Val};
use weft_codec::Code;
use weft_wasm::rewrite::{self, GAS, GAS_MODULE, GAS_NAME, GROW_NAME, UNCAUGHT_NAME};

/// What each call may burn.
const GAS_OF_CALL: i64 = 100_000;

/// A module: what is valid with exceptions is refused with a code, or lowered and rewritten into the same bytes each time, which wasmi
/// takes; and its functions come to an end.
pub fn rewrite_exceptions(bytes: &[u8]) {
    if !rewrite::has_exceptions(bytes).is_ok_and(|has| has) || rewrite::validate_exceptions(bytes).is_err() {
        return;
    }
    let rewritten = match rewrite::rewrite(bytes) {
        Ok(rewritten) => rewritten,
        Err(error) => {
            assert!(matches!(error.code(), Code::ModuleInvalid | Code::TooLarge), "{error}");
            return;
        }
    };
    assert_eq!(Ok(&rewritten), rewrite::rewrite(bytes).as_ref().map_err(|_| ()), "the same bytes each time");
    let mut config = wasmi::Config::default();
    config.wasm_multi_memory(true).wasm_memory64(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, &rewritten).expect("valid as well");
    run(&engine, &module);
}

fn run(engine: &Engine, module: &Module) {
    // What asks for much memory or large tables is no matter of this.
    let limits = wasmi::StoreLimitsBuilder::new().memory_size(32 << 20).table_elements(10_000).build();
    let (mut store, mut linker) = (Store::new(engine, limits), Linker::new(engine));
    store.limiter(|limits| limits);
    let ends = |name: &'static str| move || -> Result<(), Error> { Err(Error::new(name)) };
    let defined = linker.func_wrap(GAS_MODULE, GAS_NAME, ends("out of gas"));
    defined.expect("the first of ours");
    linker.func_wrap(GAS_MODULE, UNCAUGHT_NAME, ends("uncaught")).expect("the second");
    let wide = module
        .imports()
        .any(|import| import.name() == GROW_NAME && format!("{:?}", import.ty()).contains("I64"));
    if wide {
        let grow = |_: Caller<'_, _>, _: i64| -> i64 { -1 };
        linker.func_wrap(GAS_MODULE, GROW_NAME, grow).expect("the third");
    } else {
        let grow = |_: Caller<'_, _>, _: i32| -> i32 { -1 };
        linker.func_wrap(GAS_MODULE, GROW_NAME, grow).expect("the third");
    }
    let Ok(instance) = linker.instantiate_and_start(&mut store, module) else { return };
    let functions: Vec<_> = instance.exports(&store).filter_map(wasmi::Export::into_func).collect();
    let gas = instance.get_global(&store, GAS).expect("it counts gas");
    for function in functions {
        gas.set(&mut store, Val::I64(GAS_OF_CALL)).expect("a mutable i64");
        let ty = function.ty(&store);
        let default = |types: &[wasmi::ValType]| -> Vec<Val> {
            types.iter().map(|ty| Val::default_for_ty(*ty)).collect()
        };
        let (args, mut results) = (default(ty.params()), default(ty.results()));
        let _ended = function.call(&mut store, &args, &mut results);
    }
}
