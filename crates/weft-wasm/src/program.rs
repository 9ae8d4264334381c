//! A compiled module.

use std::rc::Rc;

use weft_codec::{Code, Error, Id, Result};

use crate::drive::Drive;
use crate::engine::{Compiled, Engine, Type, Wasmi};
use crate::format::{Convention, Format};
use crate::host::pure::Library;
use crate::host::{table, weavedrive};
use crate::interface::Interface;
use crate::limits::Limits;
use crate::prepared::Prepared;

/// A compiled module. Cloning is cheap.
#[derive(Clone)]
pub struct Program {
    inner: Rc<Inner>,
    library: Option<Rc<dyn Library>>,
    drive: Option<Drive>,
}

struct Inner {
    engine: &'static str,
    module: Rc<dyn Compiled>,
    /// What every engine gets.
    rewritten: Rc<[u8]>,
    interface: Rc<Interface>,
    format: Format,
    id: Id,
    memory_bytes: u64,
}

impl Program {
    /// Compiles a module, and checks that it has what its format promises.
    ///
    /// # Errors
    /// - `module-invalid` if it is not WebAssembly, imports what its format does not offer, or lacks an export;
    /// - `memory-limit` if it starts with more memory than `limits` allow;
    /// - `too-large` if the module, its table or its globals are.
    pub fn compile(module: &[u8], format: Format, limits: &Limits) -> Result<Self> {
        Self::compile_on(&Wasmi, module, format, limits)
    }

    /// As [`Program::compile`], on another engine. What is a module and what is none is the same on all of them.
    ///
    /// # Errors
    /// As [`Program::compile`], and what the engine says if it does not take a module that is valid.
    pub fn compile_on(engine: &dyn Engine, module: &[u8], format: Format, limits: &Limits) -> Result<Self> {
        Self::of(engine, &Prepared::of(module, format, limits)?, limits)
    }

    /// As [`Program::compile_on`], of a module that is ready.
    ///
    /// # Errors
    /// As [`Program::compile_on`].
    pub fn of(engine: &dyn Engine, prepared: &Prepared, limits: &Limits) -> Result<Self> {
        let Prepared { id, format, memory_bytes, ref rewritten } = *prepared;
        check_memory(memory_bytes, limits)?;
        let interface = Rc::new(Interface::read(rewritten)?);
        check_exports(&interface, format)?;
        interface.imports.iter().try_for_each(|import| table::check(import, format))?;
        let module = engine.compile(rewritten, &interface)?;
        let (engine, rewritten) = (engine.name(), Rc::clone(rewritten));
        let inner = Rc::new(Inner { engine, module, rewritten, interface, format, id, memory_bytes });
        Ok(Self { inner, library: None, drive: None })
    }

    /// The same program on another engine.
    ///
    /// # Errors
    /// What the engine says if it does not take it.
    pub fn on(&self, engine: &dyn Engine) -> Result<Self> {
        let Inner { rewritten, interface, format, id, memory_bytes, .. } = &*self.inner;
        let module = engine.compile(rewritten, interface)?;
        let (rewritten, interface) = (Rc::clone(rewritten), Rc::clone(interface));
        let (engine, format, id, memory_bytes) = (engine.name(), *format, *id, *memory_bytes);
        let inner = Rc::new(Inner { engine, module, rewritten, interface, format, id, memory_bytes });
        Ok(Self { inner, library: self.library(), drive: self.drive() })
    }

    /// The same program, with what answers imports of a module of the format `wasm-64@1.0`. It has to answer alike every time.
    #[must_use]
    pub fn with_library(self, library: Rc<dyn Library>) -> Self {
        Self { library: Some(library), ..self }
    }

    /// The same program with WeaveDrive: files of Arweave under `/data`, `/block` and `/tx`. Formats without it never ask.
    #[must_use]
    pub fn with_drive(self, drive: Drive) -> Self {
        Self { drive: Some(drive), ..self }
    }

    pub(crate) fn drive(&self) -> Option<Drive> {
        self.drive.clone().filter(|_| weavedrive::possible(self.format()))
    }

    pub(crate) fn library(&self) -> Option<Rc<dyn Library>> {
        self.library.clone()
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

    /// The name of the engine that runs it.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        self.inner.engine
    }

    pub(crate) fn module(&self) -> &dyn Compiled {
        &*self.inner.module
    }

    pub(crate) fn interface(&self) -> &Rc<Interface> {
        &self.inner.interface
    }

    /// The memory's size in a new instance, in bytes.
    pub(crate) fn initial_memory(&self) -> u64 {
        self.inner.memory_bytes
    }
}

/// Whether a new instance may have its memory.
pub(crate) fn check_memory(bytes: u64, limits: &Limits) -> Result<()> {
    if bytes <= limits.memory_bytes {
        return Ok(());
    }
    let allowed = limits.memory_bytes;
    let sentence = format!("the module starts with {bytes} bytes of memory; {allowed} are allowed");
    Err(Error::new(Code::MemoryLimit, sentence))
}

fn invalid(sentence: impl Into<String>) -> Error {
    Error::new(Code::ModuleInvalid, sentence)
}

/// The exports that each format promises.
fn check_exports(interface: &Interface, format: Format) -> Result<()> {
    let needed: &[&str] = match format.convention() {
        Convention::Plain => &["handle", "malloc"],
        // A module of functions has neither.
        Convention::Pure => &[],
        Convention::Asyncify => &[
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
    if !interface.memory {
        return Err(invalid("the module does not export its memory"));
    }
    for name in needed {
        let function = interface.place(name).and_then(|place| interface.functions.get(place));
        let Some(function) = function else {
            return Err(invalid(format!(
                "a module of the format {format} must export the function “{name}”"
            )));
        };
        let (params, results) = match *name {
            "handle" => (2, 1),
            "malloc" => (1, 1),
            _ => continue,
        };
        let pointer = if format.pointer_bytes() == 8 { Type::I64 } else { Type::I32 };
        let ty = &function.signature;
        let fits = ty.params.len() == params
            && ty.results.len() == results
            && ty.params.iter().chain(&ty.results).all(|ty| *ty == pointer);
        if !fits {
            return Err(invalid(format!(
                "the module's “{name}” does not have the type that {format} asks for"
            )));
        }
    }
    Ok(())
}
