//! A compiled module.

use std::sync::Arc;

use wasmi::{CompilationMode, Config, Engine, ExternType, Linker, Module};
use weft_codec::{Code, Error, Id, Result};

use crate::format::Format;
use crate::host::{Host, table};
use crate::inspect::{inspect, with_exported_globals};
use crate::limits::Limits;

/// Deepest nesting of wasm calls. wasmi's own default of 1,000 is too low for aos.
const MAX_RECURSION: usize = 20_000;

/// Most bytes of wasmi's value stack, for each open `invoke_*` anew. wasmi's own default of 1,000,000 is too low for aos.
const MAX_STACK: usize = 4 << 20;

/// A compiled module. Cloning is cheap.
#[derive(Clone)]
pub struct Program {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    module: Module,
    linker: Linker<Host>,
    format: Format,
    id: Id,
    memory_bytes: u64,
    globals: Vec<u32>,
}

impl Program {
    /// Compiles a module, and checks that it has what its format promises.
    ///
    /// # Errors
    /// - `module-invalid` if it is not WebAssembly, imports what its format does not offer, or lacks an export;
    /// - `memory-limit` if it starts with more memory than `limits` allow;
    /// - `too-large` if the module, its table or its globals are.
    pub fn compile(module: &[u8], format: Format, limits: &Limits) -> Result<Self> {
        let declared = inspect(module, format)?;
        if declared.memory_bytes > limits.memory_bytes {
            return Err(Error::new(
                Code::MemoryLimit,
                format!(
                    "the module starts with {} bytes of memory; {} are allowed",
                    declared.memory_bytes, limits.memory_bytes
                ),
            ));
        }
        let id = Id::sha256(module);
        let prepared = with_exported_globals(module, &declared)?;
        let engine = engine();
        let compiled = Module::new(&engine, &prepared).map_err(|cause| {
            invalid("the module is not valid WebAssembly of the kinds this version runs").because(cause)
        })?;
        check_exports(&compiled, format)?;
        let linker = linker(&engine, &compiled)?;
        let (memory_bytes, globals) = (declared.memory_bytes, declared.mutable_globals);
        let inner = Inner { engine, module: compiled, linker, format, id, memory_bytes, globals };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The format it was compiled for.
    #[must_use]
    pub fn format(&self) -> Format {
        self.inner.format
    }

    /// SHA-256 of the module's bytes.
    #[must_use]
    pub fn sha256(&self) -> Id {
        self.inner.id
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn module(&self) -> &Module {
        &self.inner.module
    }

    pub(crate) fn linker(&self) -> &Linker<Host> {
        &self.inner.linker
    }

    /// The memory's size in a new instance, in bytes.
    pub(crate) fn initial_memory(&self) -> u64 {
        self.inner.memory_bytes
    }

    /// Indices of the mutable globals.
    pub(crate) fn globals(&self) -> &[u32] {
        &self.inner.globals
    }
}

fn invalid(sentence: impl Into<String>) -> Error {
    Error::new(Code::ModuleInvalid, sentence)
}

/// Eager compilation: lazy compilation would charge gas at the first use of a function.
fn engine() -> Engine {
    let mut config = Config::default();
    config
        .set_max_recursion_depth(MAX_RECURSION)
        .set_max_stack_height(MAX_STACK)
        .consume_fuel(true)
        .ignore_custom_sections(true)
        .wasm_multi_memory(false)
        .wasm_memory64(true)
        .compilation_mode(CompilationMode::Eager);
    Engine::new(&config)
}

/// The exports that each format promises.
fn check_exports(module: &Module, format: Format) -> Result<()> {
    let needed: &[&str] = match format {
        Format::Plain => &["handle", "malloc"],
        Format::Emscripten4 | Format::Wasm64 => &[
            "handle",
            "malloc",
            "free",
            "setThrew",
            "emscripten_stack_init",
            "emscripten_stack_get_end",
            "emscripten_stack_get_free",
            "emscripten_stack_get_current",
            "_emscripten_stack_restore",
            "_emscripten_stack_alloc",
            "asyncify_start_unwind",
            "asyncify_stop_unwind",
            "asyncify_start_rewind",
            "asyncify_stop_rewind",
        ],
    };
    if !matches!(module.get_export("memory"), Some(ExternType::Memory(_))) {
        return Err(invalid("the module does not export its memory"));
    }
    for name in needed {
        let Some(ExternType::Func(ty)) = module.get_export(name) else {
            return Err(invalid(format!(
                "a module of the format {format} must export the function “{name}”"
            )));
        };
        let (params, results) = match *name {
            "handle" => (2, 1),
            "malloc" => (1, 1),
            _ => continue,
        };
        let pointer = if format.pointer_bytes() == 8 { wasmi::ValType::I64 } else { wasmi::ValType::I32 };
        let fits = ty.params().len() == params
            && ty.results().len() == results
            && ty.params().iter().chain(ty.results()).all(|ty| *ty == pointer);
        if !fits {
            return Err(invalid(format!(
                "the module's “{name}” does not have the type that {format} asks for"
            )));
        }
    }
    Ok(())
}

fn linker(engine: &Engine, module: &Module) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    let mut seen = std::collections::BTreeSet::new();
    for import in module.imports() {
        let ExternType::Func(ty) = import.ty() else {
            return Err(invalid("the module imports something other than functions"));
        };
        if seen.insert((import.module().to_owned(), import.name().to_owned())) {
            table::define(&mut linker, import.module(), import.name(), ty)?;
        }
    }
    Ok(linker)
}
