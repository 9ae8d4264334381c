//! A module whose functions are called by their names, with numbers: what HyperBEAM's device `wasm-64@1.0` does with `function` and
//! `parameters`.

use weft_codec::Result;

use crate::engine::Value;
use crate::instance::Instance;
use crate::interface::Signature;
use crate::limits::Limits;
use crate::program::Program;
use crate::snapshot::Snapshot;

/// A module to be called by the names of its functions. Its state stays in place from call to call, as in a node; a call that fails
/// leaves it as it was when it failed.
pub struct Functions {
    instance: Instance,
}

/// What a call gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Called {
    /// Its result, if it has one.
    pub result: Option<Value>,
    /// Its gas, in units of [`crate::rewrite`].
    pub gas: u64,
}

impl Functions {
    /// A new instance.
    ///
    /// # Errors
    /// `module-invalid`, `trap`, `gas-limit` or `memory-limit` if the module does not start.
    pub fn new(program: &Program, limits: Limits) -> Result<Self> {
        Ok(Self { instance: Instance::new(program, limits)? })
    }

    /// An instance in the state of a snapshot.
    ///
    /// # Errors
    /// `snapshot-invalid` if the snapshot is of another module; `memory-limit`.
    pub fn restore(program: &Program, limits: Limits, snapshot: &Snapshot) -> Result<Self> {
        Ok(Self { instance: Instance::restore(program, limits, snapshot)? })
    }

    /// The type of an exported function; `None` if there is none of that name that takes and gives numbers.
    #[must_use]
    pub fn signature(&self, name: &str) -> Option<Signature> {
        self.instance.signature(name)
    }

    /// Calls an exported function.
    ///
    /// # Errors
    /// `device-failed` if there is none of that name, with that many parameters of those types and at most one result; `trap`,
    /// `gas-limit`, `memory-limit` or `exception-uncaught` if it does not come to its end; `engine-failed` if this machine is at fault.
    pub fn call(&mut self, name: &str, args: &[Value]) -> Result<Called> {
        // Nobody goes back from here.
        self.instance.keep()?;
        let (result, gas) = self.instance.call_function(name, args)?;
        Ok(Called { result, gas })
    }

    /// Bytes of the memory; `None` if they are not all in it.
    #[must_use]
    pub fn read(&self, at: u64, len: usize) -> Option<Vec<u8>> {
        self.instance.read(at, len)
    }

    /// Writes bytes into the memory, if they fit.
    pub fn write(&mut self, at: u64, bytes: &[u8]) -> bool {
        self.instance.write(at, bytes)
    }

    /// The memory's size in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.instance.memory_bytes()
    }

    /// SHA-256 of the whole memory.
    #[must_use]
    pub fn memory_sha256(&self) -> [u8; 32] {
        self.instance.memory_sha256()
    }

    /// The whole state.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.instance.snapshot()
    }
}
