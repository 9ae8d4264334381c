//! The `string` library.

use super::args::{
    case_clause, count, integer, integers, is_text, number, owned_text, position, string, text, work,
};
use super::replace::gsub;
use super::{Answer, Entry, basic};
use crate::error::{ErrorKind, LuaError, Term};
use crate::format::{Arg, FormatError, Want, format as formatted};
use crate::heap::Loan;
use crate::pattern::{Capture, Match, OutOfSteps, Pattern, PatternError, Search};
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("byte", "byte", byte),
    ("char", "char", char),
    ("dump", "dump", dump),
    ("find", "find", find),
    ("format", "format", format),
    ("gmatch", "gmatch", gmatch),
    ("gsub", "gsub", gsub),
    ("len", "len", len),
    ("lower", "lower", lower),
    ("match", "match", match_),
    ("rep", "rep", rep),
    ("reverse", "reverse", reverse),
    ("sub", "sub", sub),
    ("upper", "upper", upper),
];

/// The arguments behind a text as positions: two at most. Nothing if the first is no text or one is no position.
fn positions(call: &Call<'_>, from: usize, most: usize) -> Result<Option<Vec<i64>>, LuaError> {
    let mut positions = Vec::new();
    for at in from..call.count().min(from + most) {
        match position(call, call.arg_or_nil(at))? {
            Some(position) => positions.push(position),
            None => return Ok(None),
        }
    }
    Ok(Some(positions))
}

/// A position that may count from the end.
fn from_end(length: i64, at: i64) -> i64 {
    if at < 0 { length.saturating_add(at).saturating_add(1) } else { at }
}

fn length_of(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

/// The stretch of a text between two positions, both included.
fn stretch(text: &[u8], from: i64, to: i64) -> &[u8] {
    let length = length_of(text);
    let from = from_end(length, from).max(1);
    let to = from_end(length, to).min(length);
    if from > to {
        return &[];
    }
    let place = |at: i64| usize::try_from(at).unwrap_or(0);
    text.get(place(from) - 1..place(to)).unwrap_or_default()
}

fn byte(call: &mut Call<'_>) -> Answer {
    let subject = call.arg_or_nil(0);
    if !is_text(subject) {
        return Err(call.badarg("byte"));
    }
    let Some(positions) = positions(call, 1, 2)? else { return Err(call.badarg("byte")) };
    let from = positions.first().copied().unwrap_or(1);
    let to = positions.get(1).copied().unwrap_or(from);
    let text = text(call, subject)?.unwrap_or_default();
    let bytes = match stretch(&text, from, to) {
        [] => return Ok(Returns::One(Value::Nil)),
        [one] => return Ok(Returns::One(Value::Int(i64::from(*one)))),
        many => many.to_vec(),
    };
    call.fuel(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    call.memory(bytes.len().saturating_mul(2 * size_of::<Value>()))?;
    Ok(Returns::Many(bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect()))
}

fn char(call: &mut Call<'_>) -> Answer {
    if let (1, Value::Nil) = (call.count(), call.arg_or_nil(0)) {
        return Ok(Returns::One(call.string(b"")));
    }
    let Some(codes) = integers(call)? else { return Err(call.badarg("char")) };
    let bytes = codes.iter().map(|code| code.to_i64().and_then(|code| u8::try_from(code).ok()));
    match bytes.collect::<Option<Vec<u8>>>() {
        Some(bytes) => Ok(Returns::One(string(call, &bytes)?)),
        None => Err(call.crash("badarg")),
    }
}

fn dump(call: &mut Call<'_>) -> Answer {
    Err(call.badarg("dump"))
}

fn gmatch(call: &mut Call<'_>) -> Answer {
    Err(call.badarg("gmatch"))
}

fn len(call: &mut Call<'_>) -> Answer {
    let subject = call.arg_or_nil(0);
    match text(call, subject)?.map(|text| text.len()) {
        Some(length) => Ok(Returns::One(count(length))),
        None => Err(call.badarg("len")),
    }
}

/// A text, changed as a whole.
fn changed(call: &mut Call<'_>, name: &'static str, change: impl FnOnce(&mut Vec<u8>)) -> Answer {
    let subject = call.arg_or_nil(0);
    let Some(mut text) = owned_text(call, subject)? else { return Err(call.badarg(name)) };
    change(&mut text);
    Ok(Returns::One(string(call, &text)?))
}

fn reverse(call: &mut Call<'_>) -> Answer {
    changed(call, "reverse", |text| text.reverse())
}

/// Letters are Latin-1's, as in Erlang's lists of characters.
fn lower(call: &mut Call<'_>) -> Answer {
    changed(call, "lower", |text| {
        for c in text {
            if matches!(c, b'A'..=b'Z' | 0xc0..=0xd6 | 0xd8..=0xde) {
                *c += 32;
            }
        }
    })
}

fn upper(call: &mut Call<'_>) -> Answer {
    changed(call, "upper", |text| {
        for c in text {
            if matches!(c, b'a'..=b'z' | 0xe0..=0xf6 | 0xf8..=0xfe) {
                *c -= 32;
            }
        }
    })
}

fn rep(call: &mut Call<'_>) -> Answer {
    let mut args = call.args();
    if let [_, _] = args.as_slice() {
        args.push(call.string(b""));
    }
    let bad = |args: &[Value]| LuaError::triple("badarg", "rep", args);
    let &[subject, times, separator, ..] = args.as_slice() else { return Err(bad(&args)) };
    let Some(text) = owned_text(call, subject)? else { return Err(bad(&args)) };
    let Some(times) = position(call, times)? else { return Err(bad(&args)) };
    let Some(separator) = owned_text(call, separator)? else { return Err(bad(&args)) };
    let Some(more) = usize::try_from(times).ok().and_then(|times| times.checked_sub(1)) else {
        return Ok(Returns::One(call.string(b"")));
    };
    let length = more.saturating_mul(text.len().saturating_add(separator.len())).saturating_add(text.len());
    call.memory(length.saturating_mul(2))?;
    call.fuel(work(length))?;
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(&text);
    // Nothing many times over is nothing, and must not take as long as something.
    for _ in 0..if separator.is_empty() && text.is_empty() { 0 } else { more } {
        out.extend_from_slice(&separator);
        out.extend_from_slice(&text);
    }
    Ok(Returns::One(string(call, &out)?))
}

fn sub(call: &mut Call<'_>) -> Answer {
    let subject = call.arg_or_nil(0);
    if call.count() < 2 || !is_text(subject) {
        return Err(call.badarg("sub"));
    }
    let Some(positions) = positions(call, 1, 2)? else { return Err(call.badarg("sub")) };
    let from = positions.first().copied().unwrap_or(1);
    // From 0 without an end is the whole text, as from 1 is.
    let to = positions.get(1).copied().unwrap_or(-1);
    let text = text(call, subject)?.unwrap_or_default();
    let part = stretch(&text, from, to).to_vec();
    Ok(Returns::One(string(call, &part)?))
}

/// The text that is looked through. A long one is not copied: it comes from the heap and goes back.
enum Subject {
    Own(Vec<u8>),
    Lent(Loan),
}

impl Subject {
    fn new(call: &mut Call<'_>, value: Value) -> Result<Option<Self>, LuaError> {
        match value {
            Value::Str(id) if id.is_long() => {
                call.fuel(work(call.bytes(value).map_or(0, <[u8]>::len)))?;
                Ok(Some(Self::Lent(call.vm.heap.lend(id))))
            }
            _ => Ok(owned_text(call, value)?.map(Self::Own)),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Lent(loan) => loan,
        }
    }

    fn give_back(self, call: &mut Call<'_>) {
        if let Self::Lent(loan) = self {
            call.vm.heap.take_back(loan);
        }
    }
}

/// A text and a pattern, and where to look from: `None` behind the end of the text.
struct Place {
    subject: Subject,
    pattern: Vec<u8>,
    from: Option<usize>,
}

/// What Luerl says about bad arguments of `find` and `match`: it has filled in those that were left out by then.
fn bad_place(call: &Call<'_>, name: &'static str) -> LuaError {
    let mut args = call.args();
    if args.len() == 2 {
        args.push(Value::Float(1.0));
    }
    if name == "find" && args.len() == 3 {
        args.push(Value::Nil);
    }
    LuaError::triple("badarg", name, &args)
}

/// The arguments `find` and `match` have in common. `beyond` is how far behind the last byte a search may begin.
fn place(call: &mut Call<'_>, name: &'static str, beyond: i64) -> Result<Place, LuaError> {
    let (subject, pattern) = (call.arg_or_nil(0), call.arg_or_nil(1));
    if call.count() < 2 || !is_text(subject) || !is_text(pattern) {
        return Err(bad_place(call, name));
    }
    let init = match call.arg(2) {
        Some(init) => position(call, init)?,
        None => Some(1),
    };
    let Some(init) = init else { return Err(bad_place(call, name)) };
    // The pattern may be the subject, which is gone from the heap for a while.
    let Some(pattern) = owned_text(call, pattern)? else { return Err(bad_place(call, name)) };
    let Some(subject) = Subject::new(call, subject)? else { return Err(bad_place(call, name)) };
    let length = length_of(subject.bytes());
    let last = length.saturating_add(beyond);
    let from = from_end(length, init).max(1);
    let from = if init > last || from > last { None } else { usize::try_from(from - 1).ok() };
    Ok(Place { subject, pattern, from })
}

/// Luerl's error for a text that is no pattern.
pub(super) fn pattern_error(call: &Call<'_>, error: PatternError) -> LuaError {
    LuaError::lua(match error {
        PatternError::Pattern => Term::atom("invalid_pattern"),
        PatternError::Capture => Term::atom("invalid_capture"),
        PatternError::Set => Term::atom("invalid_char_set"),
        PatternError::Class(c) => {
            Term::tuple([Term::atom("invalid_char_class"), Value::Int(i64::from(c)).into()])
        }
        PatternError::TooLong => return call.unsupported("A pattern has more than 65536 parts."),
    })
}

/// The next match, paid for step by step.
pub(super) fn search(
    call: &mut Call<'_>,
    pattern: &Pattern,
    subject: &[u8],
    origin: usize,
    start: usize,
) -> Result<Option<Match>, LuaError> {
    let mut steps = call.vm.fuel().saturating_mul(STEPS);
    let given = steps;
    let found = Search::new(pattern, origin, start).run(pattern, subject, &mut steps);
    match found {
        Ok(found) => {
            call.fuel((given - steps) / STEPS)?;
            Ok(found)
        }
        Err(OutOfSteps) => Err(call.fuel(u64::MAX).err().unwrap_or_else(|| call.crash("badarg"))),
    }
}

/// Steps of the matcher that cost one unit of fuel.
const STEPS: u64 = 4;

/// A capture as a value; positions count from `origin`.
pub(super) fn capture(
    call: &mut Call<'_>,
    subject: &[u8],
    capture: Capture,
    origin: usize,
) -> Result<Value, LuaError> {
    match capture {
        Capture::Position(at) => Ok(count(at.saturating_sub(origin) + 1)),
        Capture::Span(from, to) => {
            let value = string(call, subject.get(from..to).unwrap_or_default())?;
            call.keep(value);
            Ok(value)
        }
    }
}

fn captures(
    call: &mut Call<'_>,
    subject: &[u8],
    found: &Match,
    origin: usize,
) -> Result<Vec<Value>, LuaError> {
    found.captures.iter().map(|one| capture(call, subject, *one, origin)).collect()
}

fn find(call: &mut Call<'_>) -> Answer {
    let plain = call.arg_or_nil(3).is_true();
    let Place { subject, pattern, from } = place(call, "find", 1)?;
    let answer = match from {
        None => Ok(Returns::One(Value::Nil)),
        Some(from) if plain => find_plain(call, subject.bytes(), &pattern, from),
        Some(from) => find_pattern(call, subject.bytes(), &pattern, from),
    };
    subject.give_back(call);
    answer
}

fn find_pattern(call: &mut Call<'_>, subject: &[u8], pattern: &[u8], from: usize) -> Answer {
    let pattern = Pattern::new(pattern).map_err(|error| pattern_error(call, error))?;
    let Some(found) = search(call, &pattern, subject, from, from)? else {
        return Ok(Returns::One(Value::Nil));
    };
    if found.captures.is_empty() {
        return Ok(Returns::Two(count(found.start + 1), count(found.end)));
    }
    let mut values = vec![count(found.start + 1), count(found.end)];
    values.extend(captures(call, subject, &found, 0)?);
    Ok(Returns::Many(values))
}

fn find_plain(call: &mut Call<'_>, subject: &[u8], wanted: &[u8], from: usize) -> Answer {
    if wanted.is_empty() {
        return Err(call.crash("badarg"));
    }
    let rest = subject.get(from..).unwrap_or_default();
    call.fuel(work(rest.len()))?;
    Ok(match memchr::memmem::find(rest, wanted) {
        Some(at) => Returns::Two(count(from + at + 1), count(from + at + wanted.len())),
        None => Returns::One(Value::Nil),
    })
}

fn match_(call: &mut Call<'_>) -> Answer {
    let Place { subject, pattern, from } = place(call, "match", 0)?;
    let answer = match from {
        None => Ok(Returns::One(Value::Nil)),
        Some(from) => match_pattern(call, subject.bytes(), &pattern, from),
    };
    subject.give_back(call);
    answer
}

fn match_pattern(call: &mut Call<'_>, subject: &[u8], pattern: &[u8], from: usize) -> Answer {
    let pattern = Pattern::new(pattern).map_err(|error| pattern_error(call, error))?;
    let Some(found) = search(call, &pattern, subject, from, from)? else {
        return Ok(Returns::One(Value::Nil));
    };
    if found.captures.is_empty() {
        let whole = subject.get(found.start..found.end).unwrap_or_default();
        return Ok(Returns::One(string(call, whole)?));
    }
    // Luerl counts the positions that `match` captures from where the search began.
    Ok(Returns::Many(captures(call, subject, &found, from)?))
}

fn format(call: &mut Call<'_>) -> Answer {
    let template = call.arg_or_nil(0);
    let Some(template) = owned_text(call, template)? else { return Err(call.badarg("format")) };
    let (mut at, mut stopped) = (0, None);
    let limit = call.vm.memory_left();
    let out = formatted(&template, limit, &mut |want| {
        at += 1;
        let value = call.arg(at).ok_or(FormatError::Bad)?;
        argument(call, value, want).map_err(|error| {
            // All that goes wrong with an argument is one error of the format's; only limits are limits.
            if !matches!(error.kind(), ErrorKind::Lua | ErrorKind::Crash) {
                stopped = Some(error);
            }
            FormatError::Bad
        })
    });
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    match out {
        Ok(out) => Ok(Returns::One(string(call, &out)?)),
        Err(FormatError::Bad) => Err(call.badarg("format")),
        Err(FormatError::NotText(bytes)) => Err(LuaError::not_text(&bytes)),
        Err(FormatError::TooLong) => {
            Err(LuaError::limit(ErrorKind::OutOfMemory, "string.format made more than there is memory for."))
        }
    }
}

fn argument(call: &mut Call<'_>, value: Value, want: Want) -> Result<Arg, LuaError> {
    let bad = |call: &Call<'_>| call.badarg("format");
    match want {
        Want::Text => {
            let text = basic::to_text(call, value)?;
            call.bytes(text).map(|text| Arg::Text(text.to_vec())).ok_or_else(|| bad(call))
        }
        Want::Integer => {
            let n = integer(call, value)?.ok_or_else(|| bad(call))?;
            call.fuel(n.text_cost())?;
            Ok(Arg::Number(n))
        }
        Want::Float => {
            let float = number(call, value)?.and_then(|n| n.to_float().ok()).ok_or_else(|| bad(call))?;
            Ok(Arg::Number(crate::number::Num::Float(float)))
        }
    }
}

/// Luerl fails in Erlang where its table of cases has none for a list of arguments.
pub(super) fn no_case(call: &Call<'_>) -> LuaError {
    case_clause(Term::values(&call.args()))
}
