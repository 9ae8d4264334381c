//! `weft replay --module FILE --messages FILE.json`: runs messages through a module, without any network.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Value, json};
use weft_codec::{Code, Error, Result};
use weft_wasm::{Format, Limits, Machine, OnError, Outcome, Program};

use super::Lines;
use super::drive;

/// How much of an output goes on a line.
const SHOWN_CHARS: usize = 100;

/// `weft replay --module FILE --messages FILE`
#[derive(Clone, Debug)]
pub struct ModuleReplay {
    /// The module, as the bytes of its data item.
    pub module: PathBuf,
    /// `{"env": {"Process": …, "Module": …}, "messages": [ … ]}`, in the form that ao-loader takes.
    pub messages: PathBuf,
    /// The module's format; without it the tag `Module-Format` of the environment's module, or what the module looks like.
    pub format: Option<String>,
    /// Keeps the memory that a failed message left, as ao-loader alone does; without it the memory is rolled back.
    pub keep_memory: bool,
    /// Files of Arweave that the module may read.
    pub drive: Option<PathBuf>,
    /// Most gas of one message, most bytes of memory.
    pub limits: Limits,
}

#[derive(Deserialize)]
struct Messages {
    env: Value,
    messages: Vec<Value>,
}

/// Runs the command: one line a message on `out`. Exit codes: 0 all messages were run, whether they failed or not; 1 the
/// module or this machine refused; 2 a file or an argument that cannot be read.
///
/// # Errors
/// Only if `out` or `complaints` cannot be written.
pub fn run(
    args: &ModuleReplay,
    lines: Lines,
    out: &mut impl Write,
    complaints: &mut impl Write,
) -> Result<ExitCode> {
    match replay(args, lines, out) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.code() == Code::StoreFailed => Err(error),
        Err(error) => {
            let usage = matches!(
                error.code(),
                Code::Unreadable | Code::JsonInvalid | Code::RequestInvalid | Code::LuaInvalid
            );
            writeln!(complaints, "weft: {error} [{}]", error.code().as_str()).map_err(unwritable)?;
            Ok(ExitCode::from(if usage { 2 } else { 1 }))
        }
    }
}

fn replay(args: &ModuleReplay, mut lines: Lines, out: &mut impl Write) -> Result<()> {
    let module = read(&args.module)?;
    let given: Messages = serde_json::from_slice(&read(&args.messages)?).map_err(|cause| {
        let sentence = format!(
            "{} does not hold {{\"env\": {{\"Process\": …, \"Module\": …}}, \"messages\": [ … ]}}",
            args.messages.display()
        );
        Error::new(Code::JsonInvalid, sentence).because(cause)
    })?;
    let limits = args.limits;
    let mut program = Program::compile(&module, format(args, &given.env, &module)?, &limits)?;
    if let Some(folder) = &args.drive {
        program = program.with_drive(drive::read(folder)?);
    }
    let on_error = if args.keep_memory { OnError::Keep } else { OnError::RollBack };
    let mut machine = Machine::new(&program, limits, on_error)?;
    let env = given.env.to_string();
    for (slot, message) in given.messages.iter().enumerate() {
        let outcome =
            machine.step(&message.to_string(), &env).map_err(|error| error.at(format!("slot {slot}")))?;
        let hash: String = machine.memory_sha256().iter().map(|byte| format!("{byte:02x}")).collect();
        let json = json_line(slot, &outcome, &hash);
        if !lines.wants(&json)? {
            continue;
        }
        let line = if lines.json { json.to_string() } else { text_line(slot, &outcome, &hash) };
        writeln!(out, "{line}").map_err(unwritable)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| {
        Error::new(Code::Unreadable, format!("{} cannot be read", path.display())).because(cause)
    })
}

fn unwritable(cause: std::io::Error) -> Error {
    Error::new(Code::StoreFailed, "the output cannot be written").because(cause)
}

/// The format: as named, as the environment's module says, or as the module looks.
fn format(args: &ModuleReplay, env: &Value, module: &[u8]) -> Result<Format> {
    if let Some(named) = &args.format {
        return Format::parse(named);
    }
    let tags = env.pointer("/Module/Tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tag = tags.iter().find(|tag| tag.get("name").and_then(Value::as_str) == Some("Module-Format"));
    match tag.and_then(|tag| tag.get("value")).and_then(Value::as_str) {
        Some(tagged) => Format::parse(tagged),
        None => Format::guess(module),
    }
}

fn json_line(slot: usize, outcome: &Outcome, hash: &str) -> Value {
    json!({
        "slot": slot,
        "output": outcome.output,
        "messages": outcome.messages,
        "spawns": outcome.spawns,
        "assignments": outcome.assignments,
        "error": outcome.error,
        "failure": outcome.failure.map(Code::as_str),
        "rolled_back": outcome.rolled_back,
        "gas": outcome.gas,
        "memory_sha256": hash,
    })
}

fn text_line(slot: usize, outcome: &Outcome, hash: &str) -> String {
    let (word, shown) = match &outcome.error {
        Some(error) => ("error", text(error)),
        None => ("output", text(outcome.output.get("data").unwrap_or(&outcome.output))),
    };
    let shown: String =
        shown.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_CHARS).collect();
    let hash = hash.get(..16).unwrap_or(hash);
    format!(
        "{slot}: {word} “{shown}”, {} messages, {} spawns, {} assignments, gas {}, memory {hash}{}",
        outcome.messages.len(),
        outcome.spawns.len(),
        outcome.assignments.len(),
        outcome.gas,
        if outcome.rolled_back { ", rolled back" } else { "" }
    )
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with nothing in it.
    const EMPTY: &str = "\0asm\u{1}\0\0\0";

    fn arguments(dir: &Path) -> ModuleReplay {
        ModuleReplay {
            module: dir.join("module.wasm"),
            messages: dir.join("messages.json"),
            format: None,
            keep_memory: false,
            drive: None,
            limits: Limits::default(),
        }
    }

    fn exit(args: &ModuleReplay) -> (String, String) {
        let (mut out, mut complaints) = (Vec::new(), Vec::new());
        let code = run(args, Lines::new(true, None).unwrap(), &mut out, &mut complaints).unwrap();
        (format!("{code:?}"), String::from_utf8(complaints).unwrap())
    }

    #[test]
    fn what_cannot_be_read_is_told_from_what_is_refused() {
        let dir = std::env::temp_dir().join(format!("weft-replay-module-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let mut args = arguments(&dir);
        let two = format!("{:?}", ExitCode::from(2));
        let one = format!("{:?}", ExitCode::from(1));
        let (code, complaint) = exit(&args);
        assert_eq!(code, two);
        assert!(complaint.contains("[unreadable]"), "{complaint}");
        std::fs::write(&args.module, EMPTY).unwrap();
        std::fs::write(&args.messages, "[]").unwrap();
        assert_eq!(exit(&args).0, two);
        std::fs::write(&args.messages, r#"{"env": {}, "messages": []}"#).unwrap();
        let (code, complaint) = exit(&args);
        assert_eq!(code, one);
        assert!(complaint.contains("[module-invalid]"), "{complaint}");
        args.format = Some("wasm32-unknown-emscripten".to_owned());
        let (code, complaint) = exit(&args);
        assert_eq!(code, one);
        assert!(complaint.contains("[module-format-unsupported]"), "{complaint}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
