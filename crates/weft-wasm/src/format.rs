//! The `Module-Format` tag: how a module expects to be called.

use std::fmt;
use std::str::FromStr;

use weft_codec::{Code, Error, Result};

/// A module format that this version runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `wasm32-unknown-emscripten4`: 32-bit memory, emscripten imports with asyncify.
    Emscripten4,
    /// `wasm64-unknown-emscripten-draft_2024_02_15`: the same with 64-bit memory; the usual aos 2 module.
    Wasm64,
    /// `wasm32-unknown-unknown`: no imports; `handle` and `malloc` exported. See the crate's ABI chapter.
    Plain,
}

impl Format {
    /// All formats, most used first.
    pub const ALL: [Self; 3] = [Self::Wasm64, Self::Emscripten4, Self::Plain];

    /// Reads the value of a `Module-Format` tag.
    ///
    /// # Errors
    /// `module-format-unsupported` for any other text, the metering and the older emscripten formats included.
    pub fn parse(module_format_tag: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == module_format_tag).ok_or_else(|| {
            let shown: String = module_format_tag.chars().take(80).collect();
            Error::new(
                Code::ModuleFormatUnsupported,
                format!(
                    "the module format “{shown}” is not run by this version; it runs {}, {} and {}",
                    Self::Wasm64,
                    Self::Emscripten4,
                    Self::Plain
                ),
            )
        })
    }

    /// The text of the tag.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Emscripten4 => "wasm32-unknown-emscripten4",
            Self::Wasm64 => "wasm64-unknown-emscripten-draft_2024_02_15",
            Self::Plain => "wasm32-unknown-unknown",
        }
    }

    /// The format that a module looks like: by the width of its memory, and whether it imports anything.
    ///
    /// # Errors
    /// `module-invalid` if it is not WebAssembly with a memory of its own; `module-format-unsupported` if it imports what
    /// only other formats have.
    pub fn guess(module: &[u8]) -> Result<Self> {
        crate::inspect::guess(module)
    }

    /// Bytes of a pointer.
    #[must_use]
    pub(crate) const fn pointer_bytes(self) -> u64 {
        match self {
            Self::Wasm64 => 8,
            Self::Emscripten4 | Self::Plain => 4,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}
