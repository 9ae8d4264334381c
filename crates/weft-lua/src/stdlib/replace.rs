//! `string.gsub`.

use super::Answer;
use super::args::{count, integer, is_text, owned_text, string, work};
use super::string::{capture, pattern_error, search};
use crate::error::{LuaError, Term};
use crate::number::Num;
use crate::pattern::{Capture, Match, Pattern};
use crate::value::Value;
use crate::vm::{Call, Returns};

/// What stands in the place of a match.
enum With {
    /// What a table has for it, or a function gives.
    Value(Value),
    /// A text with captures in it.
    Text(Vec<u8>),
    /// Luerl puts nothing in the place of what is replaced by any other value.
    Nothing,
}

pub(super) fn gsub(call: &mut Call<'_>) -> Answer {
    let (subject, pattern, with) = (call.arg_or_nil(0), call.arg_or_nil(1), call.arg_or_nil(2));
    if call.count() < 3 || !is_text(subject) || !is_text(pattern) {
        return Err(call.badarg("gsub"));
    }
    let most = match call.arg(3) {
        None => None,
        Some(most) => match integer(call, most)? {
            Some(most) if most.compare(&Num::Int(0)).is_gt() => {
                most.to_clamped().and_then(|n| usize::try_from(n).ok())
            }
            _ => return Err(call.badarg("gsub")),
        },
    };
    let (Some(subject), Some(pattern)) = (owned_text(call, subject)?, owned_text(call, pattern)?) else {
        return Err(call.badarg("gsub"));
    };
    let pattern = Pattern::new(&pattern).map_err(|error| pattern_error(call, error))?;
    let with = match with {
        Value::Table(_) => With::Value(with),
        _ if with.is_function() => With::Value(with),
        _ => owned_text(call, with)?.map_or(With::Nothing, With::Text),
    };
    let (out, replaced) = replace(call, &subject, &pattern, &with, most.unwrap_or(usize::MAX))?;
    let out = string(call, &out)?;
    Ok(Returns::Two(out, count(replaced)))
}

fn replace(
    call: &mut Call<'_>,
    subject: &[u8],
    pattern: &Pattern,
    with: &With,
    most: usize,
) -> Result<(Vec<u8>, usize), LuaError> {
    let (mut out, mut replaced, mut copied) = (Vec::new(), 0, 0);
    let mut from = Some(0);
    while let Some(start) = from.filter(|_| replaced < most) {
        let Some(found) = search(call, pattern, subject, 0, start)? else { break };
        let before = out.len();
        out.extend_from_slice(subject.get(copied..found.start).unwrap_or_default());
        match with {
            With::Value(with) => append_value(call, subject, &found, *with, &mut out)?,
            With::Text(with) => append_text(subject, &found, with, &mut out)?,
            With::Nothing => {}
        }
        call.fuel(work(out.len() - before) + 2)?;
        call.memory(out.len())?;
        (replaced, copied) = (replaced + 1, found.end);
        from = found.next_start(subject.len());
    }
    out.extend_from_slice(subject.get(copied..).unwrap_or_default());
    Ok((out, replaced))
}

/// What a table or a function has for a match; the match itself if that is no text.
fn append_value(
    call: &mut Call<'_>,
    subject: &[u8],
    found: &Match,
    with: Value,
    out: &mut Vec<u8>,
) -> Result<(), LuaError> {
    let whole = Capture::Span(found.start, found.end);
    let first = found.captures.first().copied().unwrap_or(whole);
    let value = if let Value::Table(_) = with {
        let key = capture(call, subject, first, 0)?;
        call.index(with, key)?
    } else {
        let captures = if found.captures.is_empty() { &[whole] } else { found.captures.as_slice() };
        let args =
            captures.iter().map(|one| capture(call, subject, *one, 0)).collect::<Result<Vec<_>, _>>()?;
        call.call(with, &args)?.first().copied().unwrap_or(Value::Nil)
    };
    match owned_text(call, value)? {
        Some(text) => out.extend_from_slice(&text),
        None => out.extend_from_slice(subject.get(found.start..found.end).unwrap_or_default()),
    }
    Ok(())
}

/// A text in which `%1` to `%9` are captures, `%0` the match and `%%` is `%`. Unlike in Lua, `%1` needs a capture.
fn append_text(subject: &[u8], found: &Match, with: &[u8], out: &mut Vec<u8>) -> Result<(), LuaError> {
    let mut rest = with;
    loop {
        rest = match *rest {
            [] => return Ok(()),
            [b'%', b'%', ref tail @ ..] => {
                out.push(b'%');
                tail
            }
            [b'%', b'0', ref tail @ ..] => {
                out.extend_from_slice(subject.get(found.start..found.end).unwrap_or_default());
                tail
            }
            [b'%', digit @ b'1'..=b'9', ref tail @ ..] => {
                match found.captures.get(usize::from(digit - b'1')) {
                    Some(Capture::Span(from, to)) => {
                        out.extend_from_slice(subject.get(*from..*to).unwrap_or_default());
                    }
                    Some(Capture::Position(at)) => out.extend_from_slice((at + 1).to_string().as_bytes()),
                    None => {
                        let number = Value::Int(i64::from(digit - b'0'));
                        let index = [Term::atom("illegal_index"), Term::atom("capture"), number.into()];
                        return Err(LuaError::lua(Term::tuple(index)));
                    }
                }
                tail
            }
            [c, ref tail @ ..] => {
                out.push(c);
                tail
            }
        };
    }
}
