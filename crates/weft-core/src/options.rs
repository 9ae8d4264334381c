//! The options of a process: what its tags and its module's tags ask of the node that runs it.
//!
//! The rules are those of the legacy compute unit (`servers/cu/src/domain/lib/loadModule.js`): a tag of the
//! process comes first, then the module's.

use serde::{Deserialize, Serialize};
use weft_codec::ao::is_lua_text;
use weft_codec::tags::{Tag, TagsExt as _};
use weft_codec::{Code, Error, Result};
use weft_wasm::{Format, Limits};

use crate::limits::NodeLimits;

/// What runs a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleFormat {
    /// A compute unit's wasm.
    Wasm(Format),
    /// `lua@5.3a` under `process@1.0`.
    Lua,
}

/// What a process runs on, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// A compute unit's wasm.
    Wasm,
    /// `lua@5.3a`, on `weft-lua`.
    Lua,
}

impl EngineKind {
    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Lua => "lua",
        }
    }
}

/// The device of Lua processes.
const LUA: &str = "lua@5.3a";

/// What a process and its module ask for, checked against the node's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleOptions {
    /// How the module is run.
    pub format: ModuleFormat,
    /// `Module-Format` as written.
    pub format_text: String,
    /// `Input-Encoding` of the module; any value, it must be there.
    pub input_encoding: String,
    /// `Output-Encoding` of the module; any value, it must be there.
    pub output_encoding: String,
    /// `Memory-Limit` in bytes.
    pub memory_limit: u64,
    /// `Compute-Limit` in gas per message.
    pub compute_limit: u64,
}

impl ModuleOptions {
    /// Reads the tags.
    ///
    /// Errors: `module-format-unsupported` for a missing or unknown `Module-Format` or a missing encoding;
    /// `extension-unsupported` for what [`needs_weavedrive`] finds; `memory-limit` and `gas-limit` for a limit that is missing, not a size or number, zero, or
    /// above the node's.
    pub fn read(process: &[Tag], module: &[Tag], node: &NodeLimits) -> Result<Self> {
        if is_lua(process, module)? {
            return Self::lua(module, node);
        }
        let format_text = module.tag("Module-Format").ok_or_else(|| {
            unsupported("The module has no Module-Format tag, so it is not known how to run it.")
        })?;
        let format = Format::parse(format_text)?;
        if let Some(extension) = needs_weavedrive(process, module) {
            return Err(Error::new(
                Code::ExtensionUnsupported,
                format!("The process needs {extension}, which this version does not have."),
            ));
        }
        let asked = |name: &str| process.tag(name).or_else(|| module.tag(name));
        Ok(Self {
            format: ModuleFormat::Wasm(format),
            format_text: format_text.to_owned(),
            input_encoding: encoding(module, "Input-Encoding")?,
            output_encoding: encoding(module, "Output-Encoding")?,
            memory_limit: memory_limit(asked("Memory-Limit"), node)?,
            compute_limit: compute_limit(asked("Compute-Limit"), node)?,
        })
    }

    /// A Lua process asks for nothing: no node meters it. It gets what the node gives, and no more than a machine's own limits.
    fn lua(module: &[Tag], node: &NodeLimits) -> Result<Self> {
        let most = weft_lua::Limits::default();
        let memory = u64::try_from(most.memory).unwrap_or(u64::MAX);
        Ok(Self {
            format: ModuleFormat::Lua,
            format_text: any_case(module, "Content-Type").unwrap_or(LUA).to_owned(),
            input_encoding: String::new(),
            output_encoding: String::new(),
            memory_limit: memory.min(node.memory_bytes),
            compute_limit: most.fuel.min(node.gas),
        })
    }

    /// What runs it.
    #[must_use]
    pub const fn engine(&self) -> EngineKind {
        match self.format {
            ModuleFormat::Wasm(_) => EngineKind::Wasm,
            ModuleFormat::Lua => EngineKind::Lua,
        }
    }

    /// The limits a Lua machine keeps.
    #[must_use]
    pub fn lua_limits(&self) -> weft_lua::Limits {
        let memory = usize::try_from(self.memory_limit).unwrap_or(usize::MAX);
        weft_lua::Limits { fuel: self.compute_limit, memory, ..weft_lua::Limits::default() }
    }

    /// The limits the wasm runtime keeps.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { memory_bytes: self.memory_limit, gas: self.compute_limit }
    }
}

/// Whether a process is one of Lua: its `Execution-Device` says so, or it names none and its module is a Lua text. HyperBEAM
/// reads tags in lower case, so any case counts.
///
/// Errors: `module-format-unsupported` where process and module do not fit together, and for devices around Lua that are not
/// here.
pub(crate) fn is_lua(process: &[Tag], module: &[Tag]) -> Result<bool> {
    let text = any_case(module, "Content-Type").is_some_and(is_lua_text);
    let wasm = module.tag("Module-Format").is_some_and(|format| Format::parse(format).is_ok());
    match any_case(process, "Execution-Device") {
        Some(LUA) if wasm && !text => Err(unsupported("The process runs Lua, and its module is wasm.")),
        Some(LUA) => check_devices(process).map(|()| true),
        Some(other) if text => Err(unsupported(format!(
            "The module is Lua, and the process runs it with `{}`, which this version does not have.",
            shorten(other)
        ))),
        None if text => check_devices(process).map(|()| true),
        _ => Ok(false),
    }
}

/// The devices around a Lua process, where it names some: those HyperBEAM takes by itself.
fn check_devices(process: &[Tag]) -> Result<()> {
    for (name, known) in [("Device", "process@1.0"), ("Scheduler-Device", "scheduler@1.0")] {
        match any_case(process, name) {
            Some(device) if device != known => {
                let device = shorten(device);
                return Err(unsupported(format!(
                    "The process's {name} is `{device}`; this version knows {known} alone."
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

fn any_case<'a>(tags: &'a [Tag], name: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.name.eq_ignore_ascii_case(name)).map(|tag| tag.value.as_str())
}

/// The values of the process's `Cron-Interval` tags (ao-messages.md 6). A process that has any gets messages
/// no scheduler signs, made by each compute unit from the list of blocks.
#[must_use]
pub fn cron_intervals(process: &[Tag]) -> Vec<&str> {
    process.iter().filter(|tag| tag.name == "Cron-Interval").map(|tag| tag.value.as_str()).collect()
}

/// What the process would read from outside its history, if anything: an `Extension` of the module or of the process
/// (wasm-modules.md 7). It is no part of what the scheduler signs, and a replay without it would give other results.
#[must_use]
pub fn needs_weavedrive(process: &[Tag], module: &[Tag]) -> Option<String> {
    let extension = module.tag("Extension").or_else(|| process.tag("Extension"))?;
    Some(format!("the extension `{}`", shorten(extension)))
}

/// Parses a size such as `500-mb`, `1-gb` or `1024`, as the compute unit does: the first `-` is dropped, units
/// are powers of 1024, a text without a known unit is bytes up to its first character that is not a digit.
/// `None` if there is no number.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.replacen('-', "", 1);
    let trimmed = text.trim_start_matches('+');
    let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(split);
    let scale = match unit.trim_start_matches(' ').to_ascii_lowercase().as_str() {
        "kb" => Some(1_u64 << 10),
        "mb" => Some(1 << 20),
        "gb" => Some(1 << 30),
        "tb" => Some(1 << 40),
        "pb" => Some(1 << 50),
        _ => None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    match scale {
        // A fraction of a unit is rounded down to a byte.
        Some(scale) if !whole.is_empty() && !fraction.contains('.') && !number.ends_with('.') => {
            let bytes = whole.parse::<u64>().ok()?.checked_mul(scale)?;
            bytes.checked_add(fraction_of(fraction, scale)?)
        }
        _ => whole.parse().ok(),
    }
}

/// `scale · 0.fraction`, rounded down.
fn fraction_of(fraction: &str, scale: u64) -> Option<u64> {
    let digits: String = fraction.chars().take(15).collect();
    if digits.is_empty() {
        return Some(0);
    }
    let ten = 10_u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    u64::try_from(u128::from(scale) * digits.parse::<u128>().ok()? / ten).ok()
}

fn memory_limit(text: Option<&str>, node: &NodeLimits) -> Result<u64> {
    let refuse = |sentence: String| Error::new(Code::MemoryLimit, sentence);
    let text =
        text.ok_or_else(|| refuse("Neither the process nor its module has a Memory-Limit tag.".into()))?;
    match parse_size(text) {
        None | Some(0) => Err(refuse(format!("The Memory-Limit `{}` is not a size.", shorten(text)))),
        Some(bytes) if bytes > node.memory_bytes => Err(refuse(format!(
            "The process asks for {bytes} bytes of memory; this node gives at most {}.",
            node.memory_bytes
        ))),
        Some(bytes) => Ok(bytes),
    }
}

fn compute_limit(text: Option<&str>, node: &NodeLimits) -> Result<u64> {
    let refuse = |sentence: String| Error::new(Code::GasLimit, sentence);
    let text =
        text.ok_or_else(|| refuse("Neither the process nor its module has a Compute-Limit tag.".into()))?;
    // Digits at the start count, what follows does not: JavaScript's parseInt.
    let digits: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
    match digits.parse::<u64>().ok() {
        None | Some(0) => Err(refuse(format!("The Compute-Limit `{}` is not a number.", shorten(text)))),
        Some(gas) if gas > node.gas => Err(refuse(format!(
            "The process asks for {gas} gas per message; this node gives at most {}.",
            node.gas
        ))),
        Some(gas) => Ok(gas),
    }
}

fn encoding(module: &[Tag], name: &str) -> Result<String> {
    match module.tag(name) {
        Some(value) => Ok(value.to_owned()),
        None => Err(unsupported(format!("The module has no {name} tag."))),
    }
}

pub(crate) fn unsupported(sentence: impl Into<String>) -> Error {
    Error::new(Code::ModuleFormatUnsupported, sentence)
}

/// A hostile tag value, short enough for a sentence.
fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str, value: &str) -> Tag {
        Tag { name: name.into(), value: value.into() }
    }

    fn module() -> Vec<Tag> {
        vec![
            tag("Module-Format", "wasm64-unknown-emscripten-draft_2024_02_15"),
            tag("Input-Encoding", "JSON-V1"),
            tag("Output-Encoding", "JSON-V1"),
            tag("Memory-Limit", "1-gb"),
            tag("Compute-Limit", "9000000000000"),
        ]
    }

    fn without(name: &str) -> Vec<Tag> {
        module().into_iter().filter(|tag| tag.name != name).collect()
    }

    fn code(process: &[Tag], module: &[Tag]) -> Code {
        ModuleOptions::read(process, module, &NodeLimits::default()).unwrap_err().code()
    }

    #[test]
    fn sizes_are_read_as_the_npm_package_bytes_reads_them() {
        // Left: text; right: what `bytes.parse(text.replace('-', ''))` of bytes 3.1.2 answers.
        for (text, bytes) in [
            ("1-gb", Some(1 << 30)),
            ("500-mb", Some(500 << 20)),
            ("16-MB", Some(16 << 20)),
            ("1.5-gb", Some(1_610_612_736)),
            ("1024", Some(1024)),
            ("1 gb", Some(1 << 30)),
            ("7-zb", Some(7)),
            ("gb", None),
            ("", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }

    #[test]
    fn a_process_tag_comes_before_the_modules() {
        let process = [tag("Memory-Limit", "256-mb"), tag("Compute-Limit", "77")];
        let options = ModuleOptions::read(&process, &module(), &NodeLimits::default()).unwrap();
        assert_eq!((options.memory_limit, options.compute_limit), (256 << 20, 77));
        let options = ModuleOptions::read(&[], &module(), &NodeLimits::default()).unwrap();
        assert_eq!((options.memory_limit, options.compute_limit), (1 << 30, 9_000_000_000_000));
    }

    #[test]
    fn what_is_missing_or_too_much_is_refused_with_its_code() {
        assert_eq!(code(&[], &without("Memory-Limit")), Code::MemoryLimit);
        assert_eq!(code(&[tag("Memory-Limit", "2-gb")], &module()), Code::MemoryLimit);
        assert_eq!(code(&[tag("Memory-Limit", "lots")], &module()), Code::MemoryLimit);
        assert_eq!(code(&[tag("Memory-Limit", "99999999999999999999-pb")], &module()), Code::MemoryLimit);
        assert_eq!(code(&[], &without("Compute-Limit")), Code::GasLimit);
        assert_eq!(code(&[tag("Compute-Limit", "9000000000001")], &module()), Code::GasLimit);
        assert_eq!(code(&[tag("Compute-Limit", "99999999999999999999999")], &module()), Code::GasLimit);
        assert_eq!(code(&[tag("Compute-Limit", "-1")], &module()), Code::GasLimit);
        assert_eq!(code(&[], &without("Module-Format")), Code::ModuleFormatUnsupported);
        assert_eq!(code(&[], &without("Input-Encoding")), Code::ModuleFormatUnsupported);
        assert_eq!(code(&[], &without("Output-Encoding")), Code::ModuleFormatUnsupported);
        let mut other = without("Module-Format");
        other.push(tag("Module-Format", "wasm32-unknown-emscripten9"));
        assert_eq!(code(&[], &other), Code::ModuleFormatUnsupported);
        let mut extended = module();
        extended.push(tag("Extension", "WeaveDrive"));
        assert_eq!(code(&[], &extended), Code::ExtensionUnsupported);
        assert_eq!(code(&[tag("Extension", "WeaveDrive")], &module()), Code::ExtensionUnsupported);
        for boot in ["qEJzlXx1NFC47kAAbv5ZVItnVxERu8Dh-mhwWFFbDF4", "Data"] {
            assert!(ModuleOptions::read(&[tag("On-Boot", boot)], &module(), &NodeLimits::default()).is_ok());
        }
    }
}
