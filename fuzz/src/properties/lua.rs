//! The parts of Lua's library that take texts apart: patterns, formats, numerals.

use weft_lua::format::{Arg, FormatError, Want, format};
use weft_lua::number::{Num, float_text, integer_in_base, numeral, to_number};
use weft_lua::pattern::{Capture, Match, Pattern, Search};

/// Steps an input may take: enough for any that ends in reason.
const STEPS: u64 = 200_000;

/// A pattern, a zero byte, a text: a match lies in the text and its captures in the match; it does not depend on where the
/// search was stopped; and what was found is found again from where it is.
pub fn lua_pattern(bytes: &[u8]) {
    let (pattern, text) = halves(bytes, 0);
    let Ok(pattern) = Pattern::new(pattern) else { return };
    let Some(found) = search(&pattern, text, 0, STEPS) else { return };
    if let Some(in_pieces) = search(&pattern, text, 0, 3) {
        assert_eq!(found, in_pieces, "where it is stopped does not matter");
    }
    let Some(found) = found else { return };
    assert!(found.start <= found.end && found.end <= text.len());
    assert_eq!(found.captures.len(), pattern.captures());
    for capture in &found.captures {
        let (from, to) = match *capture {
            Capture::Span(from, to) => (from, to),
            Capture::Position(at) => (at, at),
        };
        assert!(found.start <= from && from <= to && to <= found.end, "a capture is part of its match");
    }
    assert!(found.next_start(text.len()).is_none_or(|next| next > found.start && next <= text.len()));
    assert_eq!(search(&pattern, text, found.start, STEPS), Some(Some(found)));
}

/// A search by so many steps at a time; nothing if it takes too many.
fn search(pattern: &Pattern, text: &[u8], start: usize, at_a_time: u64) -> Option<Option<Match>> {
    let mut search = Search::new(pattern, 0, start);
    for _ in 0..STEPS.div_ceil(at_a_time) {
        if let Ok(found) = search.run(pattern, text, &mut at_a_time.clone()) {
            return Some(found);
        }
    }
    None
}

/// A format, a line feed, arguments by lines: the outcome is text of no more bytes than allowed, always the same, and takes
/// its arguments one after the other.
pub fn lua_format(bytes: &[u8]) {
    let (template, rest) = halves(bytes, b'\n');
    let whole = formatted(template, rest, 1 << 16);
    assert_eq!(whole, formatted(template, rest, 1 << 16));
    if let Ok(text) = &whole {
        assert!(text.len() <= 1 << 16 && std::str::from_utf8(text).is_ok());
        if !text.is_empty() {
            assert_eq!(formatted(template, rest, text.len() - 1), Err(FormatError::TooLong));
        }
    }
}

fn formatted(template: &[u8], arguments: &[u8], limit: usize) -> Result<Vec<u8>, FormatError> {
    let mut lines = arguments.split(|c| *c == b'\n');
    format(template, limit, &mut |want| {
        let line = lines.next().ok_or(FormatError::Bad)?;
        let number = || to_number(line).map_err(|_| FormatError::Bad);
        match want {
            Want::Text => Ok(Arg::Text(line.to_vec())),
            Want::Integer => number()?.to_integer().map(Arg::Number).ok_or(FormatError::Bad),
            Want::Float => {
                number()?.to_float().map(|f| Arg::Number(Num::Float(f))).map_err(|_| FormatError::Bad)
            }
        }
    })
}

/// Any text as a number: what reads is finite, is written so that it reads alike, and takes no more than there is.
pub fn lua_number(bytes: &[u8]) {
    if let Ok(number) = to_number(bytes) {
        let Num::Float(f) = number else { panic!("a text is a float") };
        assert!(f.is_finite());
        let again = to_number(float_text(f).as_bytes());
        assert!(matches!(again, Ok(Num::Float(g)) if g.to_bits() == f.to_bits()), "{f:?} {again:?}");
    }
    let (length, number) = numeral(bytes);
    assert!(length <= bytes.len());
    if let Ok(number) = number {
        let text = number.to_string();
        let (again, same) = numeral(text.as_bytes());
        assert!(again == text.len() && same.is_ok_and(|same| same.identical(&number)), "{text}");
    }
    for base in [2, 10, 16, 36] {
        if let Ok(number) = integer_in_base(bytes, &Num::Int(base)) {
            assert!(matches!(number, Num::Float(f) if f.is_finite() && f.fract() == 0.0));
        }
    }
}

/// What stands before the first such byte, and after it.
fn halves(bytes: &[u8], mark: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|c| *c == mark) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}
