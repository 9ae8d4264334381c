//! `string.gsub`.

use super::Answer;
use super::args::{count, work};
use super::string::{capture, captures, matched};
use crate::error::LuaError;
use crate::pattern::{Capture, Match};
use crate::value::Value;
use crate::vm::{Call, Returns};

/// What stands in the place of a match.
enum With {
    Text(Vec<u8>),
    Table(Value),
    Function(Value),
}

pub(super) fn gsub(call: &mut Call<'_>) -> Answer {
    let (text, pattern) = (call.text_arg(0)?, call.text_arg(1)?);
    let with = match call.arg(2) {
        Some(Value::Str(_) | Value::Int(_) | Value::Float(_)) => With::Text(call.text_arg(2)?),
        Some(table @ Value::Table(_)) => With::Table(table),
        Some(function) if function.is_function() => With::Function(function),
        _ => return Err(call.bad_type(2, "string/function/table")),
    };
    let most = call.int_or(3, i64::try_from(text.len()).unwrap_or(i64::MAX - 1) + 1)?;
    let most = usize::try_from(most).unwrap_or(0);
    let anchored = pattern.first() == Some(&b'^');
    let (mut out, mut replaced, mut from, mut last) = (Vec::new(), 0, 0, None);
    while replaced < most && from <= text.len() {
        let Some(found) = matched(call, &text, &pattern, from, (true, last))? else { break };
        out.extend_from_slice(text.get(from..found.start).unwrap_or_default());
        let before = out.len();
        append(call, &text, &found, &with, &mut out)?;
        call.fuel(work(out.len() - before) + 2)?;
        call.memory(out.len())?;
        replaced += 1;
        (from, last) = (found.end, Some(found.end));
        if anchored {
            break;
        }
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    let out = call.made(&out)?;
    Ok(Returns::Two(out, count(replaced)))
}

fn append(
    call: &mut Call<'_>,
    text: &[u8],
    found: &Match,
    with: &With,
    out: &mut Vec<u8>,
) -> Result<(), LuaError> {
    let whole = text.get(found.start..found.end).unwrap_or_default();
    let value = match with {
        With::Text(with) => return append_text(call, text, found, with, out),
        With::Table(table) => {
            let first = found.captures.first().copied().unwrap_or(Capture::Span(found.start, found.end));
            let key = capture(call, text, first)?;
            call.index(*table, key)?
        }
        With::Function(function) => {
            let args = captures(call, text, found)?;
            call.call(*function, &args)?.first().copied().unwrap_or(Value::Nil)
        }
    };
    match value {
        Value::Nil | Value::Bool(false) => out.extend_from_slice(whole),
        Value::Str(id) => out.extend_from_slice(call.vm.heap.bytes(id)),
        Value::Int(_) | Value::Float(_) => out.extend_from_slice(&call.vm.plain_text(value)),
        other => {
            let kind = call.vm.type_of(other);
            return Err(call.error(format!("invalid replacement value (a {kind})")));
        }
    }
    Ok(())
}

/// A text in which `%1` to `%9` are captures, `%0` the match and `%%` is `%`.
fn append_text(
    call: &mut Call<'_>,
    text: &[u8],
    found: &Match,
    with: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), LuaError> {
    let span = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let mut rest = with;
    loop {
        rest = match *rest {
            [] => return Ok(()),
            [b'%', b'%', ref tail @ ..] => {
                out.push(b'%');
                tail
            }
            [b'%', b'0', ref tail @ ..] => {
                out.extend_from_slice(span(found.start, found.end));
                tail
            }
            [b'%', digit @ b'1'..=b'9', ref tail @ ..] => {
                let number = usize::from(digit - b'1');
                match found.captures.get(number) {
                    Some(Capture::Span(from, to)) => out.extend_from_slice(span(*from, *to)),
                    Some(Capture::Position(at)) => out.extend_from_slice((at + 1).to_string().as_bytes()),
                    None if number == 0 => out.extend_from_slice(span(found.start, found.end)),
                    None => {
                        return Err(call
                            .error(format!("invalid capture index %{} in replacement string", number + 1)));
                    }
                }
                tail
            }
            [b'%', ..] => return Err(call.error("invalid use of '%' in replacement string")),
            [c, ref tail @ ..] => {
                out.push(c);
                tail
            }
        };
    }
}
