//! What runs a module: the seam between this crate and its engines.
//!
//! An engine gets the bytes that [`crate::rewrite`] made, the same whichever it is, and an [`Imports`] that answers what the
//! module asks. All that decides what a message gives is on this side of the seam: imports, gas, limits, files, the clock.
//! Behind it are a memory, a counter, a few globals, and calls. [`Wasmi`] is the engine that is always there;
//! others may be faster, and must not differ.

pub mod records;
mod stop;
mod wasmi;

use std::rc::Rc;

use weft_codec::Result;

use crate::interface::Interface;
pub use stop::{Stop, Trap};
pub use wasmi::Wasmi;

/// The type of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
    /// A float.
    F32,
    /// A double.
    F64,
}

/// A number; floats by their bits, so that a NaN keeps its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// 32 bits.
    I32(i32),
    /// 64 bits.
    I64(i64),
    /// The bits of a float.
    F32(u32),
    /// The bits of a double.
    F64(u64),
}

impl Value {
    /// The type.
    #[must_use]
    pub fn ty(self) -> Type {
        match self {
            Self::I32(_) => Type::I32,
            Self::I64(_) => Type::I64,
            Self::F32(_) => Type::F32,
            Self::F64(_) => Type::F64,
        }
    }

    /// A number of this type of the low bits.
    #[expect(clippy::cast_possible_truncation, reason = "a 32-bit type takes the low half")]
    #[must_use]
    pub fn of(ty: Type, bits: u64) -> Self {
        match ty {
            Type::I32 => Self::I32((bits as u32).cast_signed()),
            Type::I64 => Self::I64(bits.cast_signed()),
            Type::F32 => Self::F32(bits as u32),
            Type::F64 => Self::F64(bits),
        }
    }

    /// Its bits.
    #[must_use]
    pub fn bits(self) -> u64 {
        match self {
            Self::I32(value) => u64::from(value.cast_unsigned()),
            Self::I64(value) => value.cast_unsigned(),
            Self::F32(bits) => u64::from(bits),
            Self::F64(bits) => bits,
        }
    }
}

/// What the host does once a call has ended.
#[derive(Clone, Copy, Debug)]
pub enum After {
    /// Nothing.
    Nothing,
    /// The rest of an `invoke_*`, which began with the module's stack here.
    Invoke {
        /// Where the stack was.
        stack: u64,
    },
}

/// How far a call came.
#[derive(Debug)]
pub enum Progress {
    /// To its end, with its result if it has one.
    Ended(Option<Value>),
    /// It waits for the next slice of gas.
    Waiting,
}

/// An engine.
pub trait Engine {
    /// Its name, as receipts have it.
    fn name(&self) -> &'static str;

    /// Compiles a rewritten module.
    ///
    /// # Errors
    /// `module-invalid` if the engine does not take it.
    fn compile(&self, module: &[u8], interface: &Rc<Interface>) -> Result<Rc<dyn Compiled>>;
}

/// A compiled module.
pub trait Compiled {
    /// A new instance. Nothing of the module runs here: a start function is an export.
    ///
    /// # Errors
    /// [`Stop::Trap`] if a segment does not fit, [`Stop::HostMemory`] if this machine has no memory for it.
    fn instantiate(&self, imports: Rc<dyn Imports>) -> std::result::Result<Box<dyn Instance>, Stop>;
}

/// A range outside of the memory.
#[derive(Clone, Copy, Debug)]
pub struct OutOfBounds;

/// A module as the host sees it, from an import or between two calls.
pub trait Guest {
    /// The memory's size in bytes.
    fn memory_bytes(&self) -> u64;

    /// Reads bytes.
    ///
    /// # Errors
    /// [`OutOfBounds`], and nothing is read.
    fn read(&self, at: u64, to: &mut [u8]) -> std::result::Result<(), OutOfBounds>;

    /// Writes bytes. The pages they are in are saved first.
    ///
    /// # Errors
    /// [`OutOfBounds`], and nothing is written: also where there is no room to save a page, of which [`Instance::lost`] tells.
    fn write(&mut self, at: u64, from: &[u8]) -> std::result::Result<(), OutOfBounds>;

    /// Copies bytes within the memory; the ranges may overlap.
    ///
    /// # Errors
    /// [`OutOfBounds`], and nothing is written.
    fn copy(&mut self, to: u64, from: u64, len: u64) -> std::result::Result<(), OutOfBounds>;

    /// Grows the memory by whole pages of wasm, within what the module allows itself. Whether this machine had them.
    fn grow(&mut self, pages: u64) -> bool;

    /// The counter of gas.
    fn gas(&self) -> i64;

    /// Sets the counter.
    fn set_gas(&mut self, gas: i64);

    /// Calls an export, by its place in [`Interface::functions`]. Where an engine can stop a call on its way
    /// ([`Guest::can_wait`]), it may come back [`Progress::Waiting`]: an import that called must end with [`Stop::Waiting`]
    /// then, and `after` is what is left to do when the call has ended ([`Imports::ended`]).
    ///
    /// # Errors
    /// Why the call did not end.
    fn call(&mut self, place: usize, args: &[Value], after: After) -> std::result::Result<Progress, Stop>;

    /// Whether a call that meets [`Stop::Waiting`] can go on later.
    fn can_wait(&self) -> bool;

    /// Where it cannot: how many slices of a message follow each other at once before it gives up ([`Stop::Engine`]), so that wasmi,
    /// which can, evaluates it.
    fn patience(&self) -> u64 {
        u64::MAX
    }
}

/// A module between two calls.
pub trait Instance: Guest {
    /// Lets what waits go on.
    ///
    /// # Errors
    /// Why the call did not end.
    fn go_on(&mut self) -> std::result::Result<Progress, Stop>;

    /// Shows the first `bytes` of the memory, or as many as there are, in pieces of whole pages of 4,096 bytes, in order.
    fn visit(&self, bytes: u64, see: &mut dyn FnMut(&[u8]));

    /// Writes a page of 4,096 bytes, when a state is taken over: it is not saved.
    ///
    /// # Errors
    /// [`OutOfBounds`], and nothing is written.
    fn put(&mut self, index: u64, page: &[u8]) -> std::result::Result<(), OutOfBounds>;

    /// Forgets what is saved, so that this is where [`Instance::back`] leads to. The pages that were saved: only those may have changed
    /// since the last time.
    ///
    /// # Errors
    /// [`Stop::Engine`].
    fn keep(&mut self) -> std::result::Result<Vec<u32>, Stop>;

    /// Writes the saved pages back. What the memory grew by keeps what is in it.
    ///
    /// # Errors
    /// [`Stop::Engine`].
    fn back(&mut self) -> std::result::Result<(), Stop>;

    /// Whether this machine had no room to save a page, so that the message was stopped.
    fn lost(&self) -> bool;

    /// The module's own mutable globals, in the order of [`Interface::globals`].
    fn globals(&self) -> Vec<Value>;

    /// Sets them all. Whether they had those types.
    fn set_globals(&mut self, values: &[Value]) -> bool;
}

/// What answers a module.
pub trait Imports {
    /// Answers the import at this place in [`Interface::imports`].
    ///
    /// # Errors
    /// Why the module may not go on: the engine ends the call with it, whatever the module would catch.
    fn answer(
        &self,
        guest: &mut dyn Guest,
        place: usize,
        args: &[Value],
    ) -> std::result::Result<Option<Value>, Stop>;

    /// What is left to do when a call that waited has ended.
    ///
    /// # Errors
    /// As [`Imports::answer`].
    fn ended(
        &self,
        guest: &mut dyn Guest,
        after: After,
        ended: std::result::Result<Option<Value>, Stop>,
    ) -> std::result::Result<Option<Value>, Stop>;
}
