//! Functions that load programs.

use super::{Answer, Entry};
use crate::error::{ErrorKind, LuaError, Term};
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] =
    &[("load", "load", load), ("loadfile", "loadfile", loadfile), ("dofile", "dofile", dofile)];

/// `nil` and what is wrong; limits stay errors.
fn or_text(call: &mut Call<'_>, loaded: Result<Value, LuaError>) -> Answer {
    match loaded {
        Ok(function) => Ok(Returns::One(function)),
        Err(error) if matches!(error.kind(), ErrorKind::Syntax | ErrorKind::Lua | ErrorKind::Unsupported) => {
            let text = call.vm.caught_value(&error);
            Ok(Returns::Two(Value::Nil, text))
        }
        Err(error) => Err(error),
    }
}

/// Compiles a text if the mode allows texts.
fn compiled(
    call: &mut Call<'_>,
    text: &[u8],
    name: &str,
    mode: &[u8],
    environment: Option<Value>,
) -> Result<Value, LuaError> {
    let is_binary = text.first() == Some(&0x1b);
    let (kind, letter) = if is_binary { ("binary", b'b') } else { ("text", b't') };
    if !mode.contains(&letter) {
        let mode = String::from_utf8_lossy(mode).into_owned();
        return Err(call.vm.raise(format!("attempt to load a {kind} chunk (mode is '{mode}')")));
    }
    if is_binary {
        let name = crate::syntax::lua53::short_name(name);
        return Err(call.vm.raise(format!("{name}: version mismatch in precompiled chunk")));
    }
    call.vm.load_exact(text, name, environment)
}

fn load(call: &mut Call<'_>) -> Answer {
    let environment = call.arg(3);
    let mode = call.text_or(2)?.unwrap_or_else(|| b"bt".to_vec());
    let is_text = matches!(call.arg_or_nil(0), Value::Str(_) | Value::Int(_) | Value::Float(_));
    let name = call.text_or(1)?;
    let (text, default) = if is_text {
        let text = call.text_arg(0)?;
        (Ok(text.clone()), text)
    } else {
        let reader = call.function_arg(0)?;
        (pieces(call, reader), b"=(load)".to_vec())
    };
    let name = String::from_utf8_lossy(&name.unwrap_or(default)).into_owned();
    let loaded = text.and_then(|text| compiled(call, &text, &name, &mode, environment));
    or_text(call, loaded)
}

/// What a reader gives, piece by piece, until it gives nothing.
fn pieces(call: &mut Call<'_>, reader: Value) -> Result<Vec<u8>, LuaError> {
    let mut text = Vec::new();
    loop {
        let piece = call.call(reader, &[])?.first().copied().unwrap_or(Value::Nil);
        match call.bytes(piece) {
            Some([]) => return Ok(text),
            Some(bytes) => text.extend_from_slice(bytes),
            None if piece.is_nil() => return Ok(text),
            None => return Err(call.vm.raise("reader function must return a string")),
        }
        call.fuel(super::args::work(text.len()) + 1)?;
        call.memory(text.len())?;
    }
}

/// A file of the world's, without a first line that begins with `#`.
fn file(call: &mut Call<'_>, path: &[u8]) -> Result<Vec<u8>, LuaError> {
    let shown = String::from_utf8_lossy(path).into_owned();
    call.unreplayable("loadfile");
    match call.vm.world.read(&shown) {
        Some(text) if text.first() == Some(&b'#') => {
            let line = text.iter().position(|c| *c == b'\n').unwrap_or(text.len());
            Ok(text.get(line..).unwrap_or_default().to_vec())
        }
        Some(text) => Ok(text),
        None => Err(call.vm.raise(format!("cannot open {shown}"))),
    }
}

fn from_file(call: &mut Call<'_>) -> Result<Value, LuaError> {
    let path = call.text_arg(0)?;
    let (mode, environment) = (call.text_or(1)?.unwrap_or_else(|| b"bt".to_vec()), call.arg(2));
    let name = format!("@{}", String::from_utf8_lossy(&path));
    let text = file(call, &path)?;
    compiled(call, &text, &name, &mode, environment)
}

fn loadfile(call: &mut Call<'_>) -> Answer {
    let loaded = from_file(call);
    or_text(call, loaded)
}

fn dofile(call: &mut Call<'_>) -> Answer {
    match from_file(call) {
        Ok(function) => Ok(Returns::Tail(function, Vec::new())),
        Err(error) if error.kind() == ErrorKind::Syntax => {
            let text = call.vm.caught_value(&error);
            Err(LuaError::lua(Term::Value(text)))
        }
        Err(error) => Err(error),
    }
}
