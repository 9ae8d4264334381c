//! The `os` library. There is no system underneath: no file is ever found, and what would change one fails.

use super::args::{is_text, owned_text, string, text};
use super::date::{DateError, DateTime};
use super::{Answer, Entry};
use crate::error::{LuaError, Term};
use crate::number::{BinOp, Num, binary};
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("clock", "clock", clock),
    ("date", "date", date),
    ("difftime", "difftime", difftime),
    ("execute", "execute", execute),
    ("exit", "lua_exit", exit),
    ("getenv", "getenv", getenv),
    ("remove", "remove", remove),
    ("rename", "rename", rename),
    ("time", "time", time),
    ("tmpname", "tmpname", tmpname),
];

fn clock(call: &mut Call<'_>) -> Answer {
    call.unreplayable("os.clock");
    let processor = call.arg(0).and_then(|kind| call.bytes(kind)) == Some(b"runtime");
    let milliseconds = call.vm.world.clock(processor);
    #[expect(clippy::cast_precision_loss, reason = "a float is what is asked for")]
    let seconds = milliseconds as f64 * 1.0e-3;
    Ok(Returns::One(Value::Float(seconds)))
}

/// The time in seconds, put together as Luerl does it.
fn now(call: &mut Call<'_>, what: &'static str) -> f64 {
    call.unreplayable(what);
    let micro = call.vm.world.now();
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let part = |n: u64| n as f64;
    1.0e6 * part(micro / 1_000_000_000_000)
        + part(micro / 1_000_000 % 1_000_000)
        + part(micro % 1_000_000) * 1.0e-6
}

/// With a table Luerl 1.3.0 calls a function that is not there.
fn time(call: &mut Call<'_>) -> Answer {
    if let (1, Value::Table(_)) = (call.count(), call.arg_or_nil(0)) {
        return Err(call.crash("undef"));
    }
    Ok(Returns::One(Value::Float(now(call, "os.time"))))
}

fn date(call: &mut Call<'_>) -> Answer {
    let args = call.args();
    let (format, seconds) = match args.as_slice() {
        [] => (None, None),
        [format @ Value::Str(_)] => (Some(*format), None),
        [format @ Value::Str(_), seconds] if seconds.is_number() => (Some(*format), Some(*seconds)),
        _ => return Err(call.badarg("date")),
    };
    let seconds = match seconds.and_then(|seconds| call.num(seconds)) {
        Some(seconds) => seconds,
        None => Num::Float(now(call, "os.date")),
    };
    let rounded = match &seconds {
        Num::Float(f) => crate::number::float_to_integer(f.round()),
        whole => whole.clone(),
    };
    let date = DateTime::new(rounded.to_clamped().unwrap_or(i64::MAX)).map_err(|error| match error {
        DateError::Range => call.crash("badarg"),
        DateError::Negative => call.crash("function_clause"),
    })?;
    let format = format.and_then(|format| call.bytes(format)).unwrap_or(b"%c").to_vec();
    if format == b"*t" {
        return Ok(Returns::One(fields(call, &date)));
    }
    call.fuel(u64::try_from(format.len()).unwrap_or(u64::MAX))?;
    call.memory(format.len().saturating_mul(16))?;
    let text = date.format(&format);
    Ok(Returns::One(string(call, &text)?))
}

fn fields(call: &mut Call<'_>, date: &DateTime) -> Value {
    let table = call.table();
    let fields = [
        ("year", date.year),
        ("month", date.month),
        ("day", date.day),
        ("hour", date.hour),
        ("min", date.minute),
        ("sec", date.second),
        ("wday", date.weekday() + 1),
    ];
    for (name, value) in fields {
        call.vm.set_field(table, name, Value::Int(value));
    }
    Value::Table(table)
}

fn difftime(call: &mut Call<'_>) -> Answer {
    let (Some(later), Some(earlier)) = (call.arg(0), call.arg(1)) else {
        return Err(call.badarg("difftime"));
    };
    let (Some(later), Some(earlier)) = (call.num(later), call.num(earlier)) else {
        return Err(call.crash("badarith"));
    };
    let difference = binary(BinOp::Sub, &later, &earlier);
    Ok(Returns::One(super::args::result(call, difference)?))
}

/// Without a command Luerl means to say that there is a shell, in a form it then refuses.
fn execute(call: &mut Call<'_>) -> Answer {
    match call.arg(0) {
        None => Err(LuaError::lua(Term::atom("illegal_return_value"))),
        Some(command) if is_text(command) => {
            Err(call.unsupported("os.execute: there is no system to run commands."))
        }
        Some(command) => Err(LuaError::triple("badarg", "execute", &[command])),
    }
}

fn exit(call: &mut Call<'_>) -> Answer {
    Err(call.unsupported("os.exit would have stopped the node."))
}

fn getenv(call: &mut Call<'_>) -> Answer {
    let Some(name) = call.arg(0).filter(|name| is_text(*name)) else { return Err(call.badarg("getenv")) };
    let name = text(call, name)?.map(|name| String::from_utf8_lossy(&name).into_owned()).unwrap_or_default();
    if name.is_empty() {
        return Ok(Returns::One(Value::Nil));
    }
    call.unreplayable("os.getenv");
    match call.vm.world.variable(&name) {
        Some(value) => Ok(Returns::One(string(call, &value)?)),
        None => Ok(Returns::One(Value::Nil)),
    }
}

/// The number and text of the error that there is no such file.
const NO_FILE: (&[u8], i64) = (b"no such file or directory", 2);

fn remove(call: &mut Call<'_>) -> Answer {
    let Some(path) = call.arg(0) else { return Err(call.badarg("remove")) };
    let Some(mut text) = owned_text(call, path)? else {
        return Err(LuaError::triple("badarg", "remove", &[path]));
    };
    call.unreplayable("os.remove");
    text.extend_from_slice(b": ");
    text.extend_from_slice(NO_FILE.0);
    let text = string(call, &text)?;
    Ok(Returns::Many(vec![Value::Nil, text, Value::Int(NO_FILE.1)]))
}

fn rename(call: &mut Call<'_>) -> Answer {
    let (Some(from), Some(to)) = (call.arg(0), call.arg(1)) else { return Err(call.badarg("rename")) };
    let bad = [from, to].iter().filter(|path| !is_text(**path)).count();
    if bad > 0 {
        // Luerl names what it could not convert, not what it was given.
        let args = Term::List(vec![Term::atom("error"); bad]);
        return Err(LuaError::lua(Term::tuple([Term::atom("badarg"), Term::atom("rename"), args])));
    }
    call.unreplayable("os.rename");
    let text = call.string(NO_FILE.0);
    Ok(Returns::Many(vec![Value::Nil, text, Value::Int(NO_FILE.1)]))
}

/// Where Luerl looks for a name that is free.
const TEMPORARY: &[u8] = b"/tmp";

fn tmpname(call: &mut Call<'_>) -> Answer {
    call.unreplayable("os.tmpname");
    let mut chance = call.vm.world.entropy();
    let mut name = [TEMPORARY, b"/lua_"].concat();
    for _ in 0..6 {
        name.push(u8::try_from(chance % 26).map_or(b'a', |letter| b'a' + letter));
        chance /= 26;
    }
    Ok(Returns::One(call.string(&name)))
}
