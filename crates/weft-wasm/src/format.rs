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
    /// `wasm32-unknown-emscripten-metering`: as [`Format::Emscripten4`]. What the loader adds to count gas is not seen by the
    /// module; ours counts instead.
    Emscripten4Metering,
    /// `wasm64-unknown-emscripten-draft_2024_10_16-metering`: as [`Format::Wasm64`], likewise.
    Wasm64Metering,
    /// `wasm-64@1.0`: what HyperBEAM's device of that name runs, called as that device calls it; no loader around it. See the
    /// crate's chapter on it.
    Pure,
    /// `wasm32-unknown-unknown`: no imports; `handle` and `malloc` exported. See the crate's ABI chapter.
    Plain,
}

/// How a module is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Convention {
    /// As emscripten's glue with asyncify does it.
    Asyncify,
    /// See [`Format::Pure`].
    Pure,
    /// See [`Format::Plain`].
    Plain,
}

impl Format {
    /// All formats, most used first.
    pub const ALL: [Self; 6] = [
        Self::Wasm64,
        Self::Emscripten4,
        Self::Wasm64Metering,
        Self::Emscripten4Metering,
        Self::Pure,
        Self::Plain,
    ];

    /// Reads the value of a `Module-Format` tag.
    ///
    /// # Errors
    /// `module-format-unsupported` for any other text, the older emscripten formats included.
    pub fn parse(module_format_tag: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == module_format_tag).ok_or_else(|| {
            let shown: String = module_format_tag.chars().take(80).collect();
            Error::new(
                Code::ModuleFormatUnsupported,
                format!(
                    "the module format “{shown}” is not run by this version; it runs {}",
                    Self::ALL.map(Self::as_str).join(", ")
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
            Self::Emscripten4Metering => "wasm32-unknown-emscripten-metering",
            Self::Wasm64Metering => "wasm64-unknown-emscripten-draft_2024_10_16-metering",
            Self::Pure => "wasm-64@1.0",
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
            Self::Wasm64 | Self::Wasm64Metering | Self::Pure => 8,
            Self::Emscripten4 | Self::Emscripten4Metering | Self::Plain => 4,
        }
    }

    pub(crate) const fn convention(self) -> Convention {
        match self {
            Self::Wasm64 | Self::Wasm64Metering | Self::Emscripten4 | Self::Emscripten4Metering => {
                Convention::Asyncify
            }
            Self::Pure => Convention::Pure,
            Self::Plain => Convention::Plain,
        }
    }

    /// Most bytes that a heap may have, by the loader's `getHeapMax`.
    pub(crate) const fn heap_max(self) -> u64 {
        if self.pointer_bytes() == 8 { 17_179_869_184 } else { 4_294_901_760 }
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
