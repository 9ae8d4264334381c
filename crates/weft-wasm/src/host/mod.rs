//! What a module finds around it: the imports of emscripten's loader, without the outside world.
//!
//! Behaviour follows npm `@permaweb/ao-loader` 0.0.49 (permaweb/ao `loader/src/formats/emscripten4.cjs` and
//! `wasm64-emscripten.cjs`) closely enough that output and memory come out equal, byte by byte.

pub(crate) mod asyncify;
pub(crate) mod emscripten;
pub(crate) mod files;
pub(crate) mod guest;
pub(crate) mod invoke;
pub(crate) mod pure;
pub(crate) mod slices;
pub(crate) mod stat;
pub(crate) mod strftime;
pub(crate) mod syscalls;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod wasi;
pub(crate) mod weavedrive;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::drive::Drive;
use crate::engine::{After, Guest, Imports, Stop, Value};
use crate::format::Format;
use crate::interface::{Function, Interface};
use crate::program::Program;
use files::Files;

/// The loader's clock starts at 10,000 (`TIME = 1e4`) and is read four times while it sets up its files: for the three
/// standard streams and for `/data`.
const CLOCK_START: u64 = 10_004;

/// State of one instance outside its memory.
pub(crate) struct Host {
    pub(crate) asyncify: asyncify::Asyncify,
    pub(crate) files: Files,
    /// Milliseconds that the module reads next; grows by one with each reading.
    pub(crate) clock: u64,
    /// How many `invoke_*` calls are open.
    pub(crate) invocations: u32,
    pub(crate) meter: slices::Meter,
    /// Most bytes that the memory may have.
    pub(crate) memory_limit: u64,
    /// Whether the message was refused more memory than that.
    pub(crate) memory_refused: bool,
}

impl Host {
    /// The state of a new instance.
    pub(crate) fn new(memory_limit: u64) -> Self {
        Self {
            asyncify: asyncify::Asyncify::default(),
            files: Files::new(),
            clock: CLOCK_START,
            invocations: 0,
            meter: slices::Meter::default(),
            memory_limit,
            memory_refused: false,
        }
    }

    /// Reads the clock, as `Date.now` and `emscripten_get_now` do.
    pub(crate) fn tick(&mut self) -> u64 {
        let now = self.clock;
        self.clock = self.clock.saturating_add(1);
        now
    }
}

/// An exported function and its place among the exports.
pub(crate) struct Export {
    pub(crate) place: usize,
    pub(crate) function: Function,
}

/// What is around one instance: it answers the imports, whichever engine asks.
pub(crate) struct Around {
    format: Format,
    interface: Rc<Interface>,
    exports: BTreeMap<String, Rc<Export>>,
    host: RefCell<Host>,
    pub(crate) library: Option<Rc<dyn pure::Library>>,
    pub(crate) drive: Option<Drive>,
}

impl Around {
    pub(crate) fn new(program: &Program, memory_limit: u64) -> Self {
        let (format, interface) = (program.format(), program.interface());
        let mut exports = BTreeMap::new();
        for (place, function) in interface.functions.iter().enumerate() {
            let function = function.clone();
            exports.insert(function.name.clone(), Rc::new(Export { place, function }));
        }
        let (interface, host) = (Rc::clone(interface), RefCell::new(Host::new(memory_limit)));
        Self { format, interface, exports, host, library: program.library(), drive: program.drive() }
    }

    /// Reads or changes the host's state. Nothing that runs the module can be reached from inside of `on`.
    pub(crate) fn host<T>(&self, on: impl FnOnce(&mut Host) -> T) -> T {
        on(&mut self.host.borrow_mut())
    }
}

/// The module and what is around it, while the host works for it.
pub(crate) struct Call<'a> {
    pub(crate) guest: &'a mut dyn Guest,
    pub(crate) around: &'a Around,
}

impl Call<'_> {
    /// See [`Around::host`].
    pub(crate) fn host<T>(&self, on: impl FnOnce(&mut Host) -> T) -> T {
        self.around.host(on)
    }

    pub(crate) fn format(&self) -> Format {
        self.around.format
    }

    /// An exported function, if the module has it.
    pub(crate) fn export(&self, name: &str) -> Option<Rc<Export>> {
        self.around.exports.get(name).cloned()
    }
}

impl Imports for Around {
    fn answer(&self, guest: &mut dyn Guest, place: usize, args: &[Value]) -> Result<Option<Value>, Stop> {
        let import = self.interface.imports.get(place);
        let import = import.ok_or_else(|| Stop::Engine("an import that is none was called".to_owned()))?;
        table::answer(&mut Call { guest, around: self }, import, args)
    }

    fn ended(
        &self,
        guest: &mut dyn Guest,
        after: After,
        ended: Result<Option<Value>, Stop>,
    ) -> Result<Option<Value>, Stop> {
        match after {
            After::Nothing => ended,
            After::Invoke { stack } => invoke::end(&mut Call { guest, around: self }, stack, ended),
        }
    }
}
