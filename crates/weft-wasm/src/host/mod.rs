//! What a module finds around it: the imports of emscripten's loader, without the outside world.
//!
//! Behaviour follows npm `@permaweb/ao-loader` 0.0.49 (permaweb/ao `loader/src/formats/emscripten4.cjs` and
//! `wasm64-emscripten.cjs`) closely enough that output and memory come out equal, byte by byte.

pub(crate) mod asyncify;
pub(crate) mod emscripten;
pub(crate) mod files;
pub(crate) mod guest;
pub(crate) mod halt;
pub(crate) mod invoke;
pub(crate) mod limiter;
pub(crate) mod slices;
pub(crate) mod strftime;
pub(crate) mod syscalls;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod wasi;

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmi::{Caller, Func, Memory, ValType};

use crate::format::Format;
use files::Files;
use limiter::Limiter;

/// The loader's clock starts at 10,000 (`TIME = 1e4`) and is read four times while it sets up its files: for the three
/// standard streams and for `/data`.
const CLOCK_START: u64 = 10_004;

/// A call from the module into the host.
pub(crate) type Call<'a> = Caller<'a, Host>;

/// State of one instance outside its memory.
pub(crate) struct Host {
    pub(crate) format: Format,
    pub(crate) limiter: Limiter,
    pub(crate) asyncify: asyncify::Asyncify,
    pub(crate) files: Files,
    /// Milliseconds that the module reads next; grows by one with each reading.
    pub(crate) clock: u64,
    /// How many `invoke_*` calls are open.
    pub(crate) invocations: u32,
    pub(crate) meter: slices::Meter,
    exports: Option<Exports>,
}

/// What the host calls in the module.
pub(crate) struct Exports {
    pub(crate) memory: Memory,
    functions: BTreeMap<String, Arc<Export>>,
}

/// An exported function and its type, looked up once.
pub(crate) struct Export {
    pub(crate) name: String,
    pub(crate) func: Func,
    pub(crate) params: Vec<ValType>,
    pub(crate) results: Vec<ValType>,
}

impl Host {
    /// The state of a new instance.
    pub(crate) fn new(format: Format, limiter: Limiter) -> Self {
        Self {
            format,
            limiter,
            asyncify: asyncify::Asyncify::default(),
            files: Files::new(),
            clock: CLOCK_START,
            invocations: 0,
            meter: slices::Meter::default(),
            exports: None,
        }
    }

    /// Takes over another state, but not the exports, which belong to the instance.
    pub(crate) fn become_like(&mut self, other: Self) {
        *self = Self { exports: self.exports.take(), ..other };
    }

    /// Reads the clock, as `Date.now` and `emscripten_get_now` do.
    pub(crate) fn tick(&mut self) -> u64 {
        let now = self.clock;
        self.clock = self.clock.saturating_add(1);
        now
    }

    /// Makes the module's exports known to the imports.
    pub(crate) fn set_exports(&mut self, memory: Memory, functions: Vec<Export>) {
        let functions = functions.into_iter().map(|export| (export.name.clone(), Arc::new(export))).collect();
        self.exports = Some(Exports { memory, functions });
    }

    /// The memory, once the instance is made.
    pub(crate) fn memory(&self) -> Option<Memory> {
        self.exports.as_ref().map(|exports| exports.memory)
    }

    /// An exported function, if the module has it.
    pub(crate) fn export(&self, name: &str) -> Option<Arc<Export>> {
        self.exports.as_ref().and_then(|exports| exports.functions.get(name).cloned())
    }
}
