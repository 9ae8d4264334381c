//! What loads, runs and stops programs: `load` and its like, `pcall`, `error`.

use super::args::{owned_text, string};
use super::string::no_case;
use super::{Answer, Entry};
use crate::error::{ErrorKind, LuaError, Term};
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("dofile", "dofile", dofile),
    ("error", "error_call", error),
    ("load", "load", |call| load(call, "load", 3)),
    ("loadfile", "loadfile", loadfile),
    ("loadstring", "loadstring", |call| load(call, "loadstring", 1)),
    ("pcall", "pcall", pcall),
];

/// The text of the error that there is no such file.
const NO_FILE: &[u8] = b"no such file or directory";

fn error(call: &mut Call<'_>) -> Answer {
    let object = call.arg_or_nil(0);
    let args = match (object, call.metamethod(object, "__tostring")) {
        (Value::Table(_), method) if !method.is_nil() => call.call(method, &[object])?,
        _ => call.args(),
    };
    Err(LuaError::lua(Term::tuple([Term::atom("error_call"), Term::values(&args)])))
}

fn pcall(call: &mut Call<'_>) -> Answer {
    match call.arg(0) {
        Some(function) => Ok(Returns::Protected(function, call.args_from(1))),
        None => Err(call.crash("function_clause")),
    }
}

/// The first argument's text; so many arguments must be texts if they are there.
fn texts(call: &mut Call<'_>, name: &'static str, count: usize) -> Result<Vec<u8>, LuaError> {
    let Some(first) = call.arg(0) else { return Err(no_case(call)) };
    let text = owned_text(call, first)?.ok_or_else(|| call.badarg(name))?;
    if (1..call.count().min(count)).any(|at| !super::args::is_text(call.arg_or_nil(at))) {
        return Err(call.badarg(name));
    }
    Ok(text)
}

fn load(call: &mut Call<'_>, name: &'static str, count: usize) -> Answer {
    let source = texts(call, name, count)?;
    let loaded = call.vm.load(&source, name);
    loaded_or_text(call, loaded)
}

/// The function, or `nil` and what is wrong with the program.
fn loaded_or_text(call: &mut Call<'_>, loaded: Result<Value, LuaError>) -> Answer {
    match loaded {
        Ok(function) => Ok(Returns::One(function)),
        Err(error) if error.kind() == ErrorKind::Syntax => {
            let text = call.vm.error_text(&error);
            let text = string(call, &text)?;
            Ok(Returns::Two(Value::Nil, text))
        }
        Err(error) => Err(error),
    }
}

/// A file's content, if there is one and the script may read it.
fn file(call: &mut Call<'_>, name: &[u8]) -> Option<(Vec<u8>, String)> {
    call.unreplayable("files");
    let name = String::from_utf8(name.to_vec()).ok()?;
    Some((call.vm.world.read(&name)?, name))
}

fn loadfile(call: &mut Call<'_>) -> Answer {
    let name = texts(call, "loadfile", 2)?;
    match file(call, &name) {
        Some((content, name)) => {
            let loaded = call.vm.load(&content, &name);
            loaded_or_text(call, loaded)
        }
        None => {
            let text = call.string(NO_FILE);
            Ok(Returns::Two(Value::Nil, text))
        }
    }
}

fn dofile(call: &mut Call<'_>) -> Answer {
    let name = match call.arg(0) {
        None => return Err(call.badarg("dofile")),
        Some(_) => texts(call, "dofile", 1)?,
    };
    let text = match file(call, &name).map(|(content, name)| call.vm.load(&content, &name)) {
        Some(Ok(function)) => return Ok(Returns::Tail(function, Vec::new())),
        Some(Err(error)) if error.kind() != ErrorKind::Syntax => return Err(error),
        Some(Err(error)) => call.vm.error_text(&error),
        None => NO_FILE.to_vec(),
    };
    Err(LuaError::lua(Term::tuple([Term::atom("error_message"), Term::Bytes(text)])))
}
