//! What a script may know of the world around it: the time, and that it has an output.

use super::{Answer, Entry};
use crate::error::LuaError;
use crate::stdlib::date::DateTime;
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns, Vm};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("clock", "clock", clock),
    ("date", "date", date),
    ("difftime", "difftime", difftime),
    ("getenv", "getenv", getenv),
    ("time", "time", time),
];

pub(super) const IO: &[Entry] = &[("write", "write", io_write)];

/// Makes `io.stdout`, which can write.
pub(super) fn output(vm: &mut Vm, io: TableId) {
    let file = vm.table();
    let write = vm.native("io", "stdout:write", |call| {
        let file = call.arg_or_nil(0);
        write_from(call, 1)?;
        Ok(Returns::One(file))
    });
    vm.set_field(file, "write", write);
    vm.set_field(io, "stdout", Value::Table(file));
}

/// Appends to what the script has printed.
pub(super) fn write(call: &mut Call<'_>, bytes: &[u8]) -> Result<(), LuaError> {
    call.fuel(super::args::work(bytes.len()))?;
    let length = call.vm.output.len().saturating_add(bytes.len());
    call.memory(length)?;
    call.vm.output.extend_from_slice(bytes);
    Ok(())
}

fn write_from(call: &mut Call<'_>, from: usize) -> Result<(), LuaError> {
    for at in from..call.count() {
        let text = call.text_arg(at)?;
        write(call, &text)?;
    }
    Ok(())
}

fn io_write(call: &mut Call<'_>) -> Answer {
    write_from(call, 0)?;
    let globals = call.vm.globals();
    Ok(Returns::One(match call.vm.get_field(globals, "io") {
        Value::Table(io) => call.vm.get_field(io, "stdout"),
        _ => Value::Nil,
    }))
}

fn clock(call: &mut Call<'_>) -> Answer {
    call.unreplayable("os.clock");
    let milliseconds = call.vm.world.clock(true);
    #[expect(clippy::cast_precision_loss, reason = "a float is what is asked for")]
    let seconds = milliseconds as f64 / 1000.0;
    Ok(Returns::One(Value::Float(seconds)))
}

fn now(call: &mut Call<'_>, what: &'static str) -> i64 {
    call.unreplayable(what);
    i64::try_from(call.vm.world.now() / 1_000_000).unwrap_or(i64::MAX)
}

fn getenv(call: &mut Call<'_>) -> Answer {
    let name = call.text_arg(0)?;
    call.unreplayable("os.getenv");
    match call.vm.world.variable(&String::from_utf8_lossy(&name)) {
        Some(text) => Ok(Returns::One(call.made(&text)?)),
        None => Ok(Returns::One(Value::Nil)),
    }
}

fn difftime(call: &mut Call<'_>) -> Answer {
    let (a, b) = (call.int_arg(0)?, call.int_arg(1)?);
    Ok(Returns::One(Value::Float(crate::number::lua53::to_float(a.wrapping_sub(b)))))
}

/// A field of the table `os.time` is given.
fn field(call: &mut Call<'_>, table: TableId, name: &str, default: Option<i64>) -> Result<i64, LuaError> {
    let key = call.string(name);
    let value = call.index(Value::Table(table), key)?;
    match call.vm.number(value).and_then(crate::number::lua53::Number::int) {
        Some(n) if i32::try_from(n).is_ok() => Ok(n),
        Some(_) => Err(call.error(format!("field '{name}' is out-of-bound"))),
        None if !value.is_nil() => Err(call.error(format!("field '{name}' is not an integer"))),
        None => default.ok_or_else(|| call.error(format!("field '{name}' missing in date table"))),
    }
}

/// The days from 1970 to a day of the calendar; months and days out of range count on.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12));
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let (century, rest) = (year.div_euclid(400), year.rem_euclid(400));
    let in_year = (153 * month + 2) / 5 + day - 1;
    century * 146_097 + rest * 365 + rest / 4 - rest / 100 + in_year - 719_468
}

fn time(call: &mut Call<'_>) -> Answer {
    if call.arg_or_nil(0).is_nil() {
        return Ok(Returns::One(Value::Int(now(call, "os.time"))));
    }
    let table = call.table_arg(0)?;
    let year = field(call, table, "year", None)?;
    let month = field(call, table, "month", None)?;
    let day = field(call, table, "day", None)?;
    let hour = field(call, table, "hour", Some(12))?;
    let minute = field(call, table, "min", Some(0))?;
    let second = field(call, table, "sec", Some(0))?;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    if let Ok(date) = DateTime::new(seconds) {
        fields(call, table, &date);
    }
    Ok(Returns::One(Value::Int(seconds)))
}

fn fields(call: &mut Call<'_>, table: TableId, date: &DateTime) {
    let in_year = date.days - days(date.year, 1, 1) + 1;
    let fields = [
        ("year", date.year),
        ("month", date.month),
        ("day", date.day),
        ("hour", date.hour),
        ("min", date.minute),
        ("sec", date.second),
        ("wday", date.weekday() + 1),
        ("yday", in_year),
    ];
    for (name, value) in fields {
        call.vm.set_field(table, name, Value::Int(value));
    }
    call.vm.set_field(table, "isdst", Value::Bool(false));
}

/// Local time is that of Greenwich.
fn date(call: &mut Call<'_>) -> Answer {
    let format = call.text_or(0)?.unwrap_or_else(|| b"%c".to_vec());
    let seconds = if call.arg_or_nil(1).is_nil() { now(call, "os.date") } else { call.int_arg(1)? };
    let Ok(date) = DateTime::new(seconds) else {
        return Err(call.error("time result cannot be represented in this installation"));
    };
    let format = format.strip_prefix(b"!").unwrap_or(&format);
    if format.starts_with(b"*t") {
        let table = call.table();
        call.keep(Value::Table(table));
        fields(call, table, &date);
        return Ok(Returns::One(Value::Table(table)));
    }
    call.fuel(format.len() as u64)?;
    call.memory(format.len().saturating_mul(16))?;
    let mut out = Vec::new();
    let mut rest = format;
    while let Some((c, tail)) = rest.split_first() {
        rest = tail;
        if *c != b'%' {
            out.push(*c);
            continue;
        }
        match tail.split_first() {
            Some((letter, tail)) if b"aAbBcdDeFHIjmMnpSTtuVwxXyY%".contains(letter) => {
                rest = tail;
                out.extend(part(&date, *letter));
            }
            other => {
                let shown = other.map(|(letter, _)| char::from(*letter).to_string()).unwrap_or_default();
                return Err(call.bad(0, &format!("invalid conversion specifier '%{shown}'")));
            }
        }
    }
    Ok(Returns::One(call.made(&out)?))
}

/// What a conversion stands for, in C's locale.
fn part(date: &DateTime, letter: u8) -> Vec<u8> {
    match letter {
        b'j' => format!("{:03}", date.days - days(date.year, 1, 1) + 1).into_bytes(),
        b'c' => date.format(b"%a %b %e %H:%M:%S %Y"),
        b'x' | b'D' => date.format(b"%m/%d/%y"),
        b'X' => date.format(b"%H:%M:%S"),
        letter => date.format(&[b'%', letter]),
    }
}
