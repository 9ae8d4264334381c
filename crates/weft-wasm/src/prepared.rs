//! A module made ready for every engine: checked and rewritten. It depends on the module, its format and the version of the rewrite
//! alone, so a node keeps it, and starts the same module again without that work.

use std::rc::Rc;

use weft_codec::{Code, Error, Id, Result};

use crate::engine::Wasmi;
use crate::format::{Convention, Format};
use crate::inspect::inspect;
use crate::limits::Limits;
use crate::program::check_memory;
use crate::rewrite::{self, VERSION};

/// Version, hash of the module, bytes of memory.
const HEAD: usize = 4 + 32 + 8;

/// A module, checked and rewritten.
#[derive(Clone)]
pub struct Prepared {
    /// SHA-256 of the module's bytes.
    pub(crate) id: Id,
    pub(crate) format: Format,
    /// With how much memory it starts.
    pub(crate) memory_bytes: u64,
    /// What every engine gets.
    pub(crate) rewritten: Rc<[u8]>,
}

impl Prepared {
    /// Checks and rewrites a module.
    ///
    /// # Errors
    /// `memory-limit` if it starts with more memory than `limits` allow; `module-invalid` if it is not WebAssembly, or imports something other than functions; `too-large` if the module, its table or its
    /// globals are.
    pub fn of(module: &[u8], format: Format, limits: &Limits) -> Result<Self> {
        let memory_bytes = inspect(module, format)?.memory_bytes;
        check_memory(memory_bytes, limits)?;
        // Before the rewrite: a module that names what it does not have could reach what the rewrite adds.
        if rewrite::has_exceptions(module)? {
            rewrite::validate_exceptions(module)?;
        } else {
            Wasmi::validate(module)?;
        }
        let rewritten = match format.convention() {
            Convention::Pure => rewrite::rewrite(&rewrite::opened(module)?)?,
            _ => rewrite::rewrite(module)?,
        };
        // What both made has the same names twice, for example.
        Wasmi::validate_rewritten(&rewritten)?;
        Ok(Self { id: Id::sha256(module), format, memory_bytes, rewritten: rewritten.into() })
    }

    /// Under which name it is kept: another for every module, format and version of the rewrite.
    #[must_use]
    pub fn key(module: &[u8], format: Format) -> String {
        format!("{}/{format}/{VERSION}", Id::sha256(module))
    }

    /// The name it is kept under.
    #[must_use]
    pub fn own_key(&self) -> String {
        format!("{}/{}/{VERSION}", self.id, self.format)
    }

    /// What is to be kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + self.rewritten.len());
        out.extend(VERSION.to_le_bytes());
        out.extend(self.id.0);
        out.extend(self.memory_bytes.to_le_bytes());
        out.extend(&*self.rewritten);
        out
    }

    /// What was kept under a name. That the bytes are those that were kept is for the store to see to.
    ///
    /// # Errors
    /// `module-invalid` for what is of another version, module or format.
    pub fn from_bytes(bytes: &[u8], key: &str, format: Format) -> Result<Self> {
        let other = || Error::new(Code::ModuleInvalid, "what was kept is of another module or version");
        let (version, rest) = bytes.split_first_chunk::<4>().ok_or_else(other)?;
        let (id, rest) = rest.split_first_chunk::<32>().ok_or_else(other)?;
        let (memory, rewritten) = rest.split_first_chunk::<8>().ok_or_else(other)?;
        let kept = Self {
            id: Id(*id),
            format,
            memory_bytes: u64::from_le_bytes(*memory),
            rewritten: rewritten.into(),
        };
        let fits = u32::from_le_bytes(*version) == VERSION && kept.own_key() == key;
        if fits { Ok(kept) } else { Err(other()) }
    }
}
