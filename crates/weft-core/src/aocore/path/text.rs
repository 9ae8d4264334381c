//! Cutting the text of a path: separators that count only outside of parentheses and quotations, and escapes.

use weft_codec::message::Generation;
use weft_codec::{Code, Error, Result};

use super::{MAX_SEGMENT, malformed};

/// The text up to the first of the separators that stands by itself, which one that was, and the rest.
///
/// Parentheses hold a separator back; in the newer generation so do quotations, in which a backslash takes the next
/// character with it. Error: `path-malformed`, for a quotation without an end.
pub(super) fn cut<'t>(
    text: &'t str,
    separators: &[u8],
    generation: Generation,
) -> Result<(Option<u8>, &'t str, &'t str)> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' if generation == Generation::September2025 => at = end_of_quotation(bytes, at)?,
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            // All separators are ASCII, so both sides are text.
            byte if depth == 0 && separators.contains(byte) => {
                return Ok((Some(*byte), &text[..at], &text[at + 1..]));
            }
            _ => {}
        }
        at += 1;
    }
    Ok((None, text, ""))
}

/// Where the quotation that begins here ends.
fn end_of_quotation(bytes: &[u8], start: usize) -> Result<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            None => return Err(malformed("A quotation in the path does not end.")),
            Some(b'"') => return Ok(at),
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// The pieces between separators, empty ones left out. Errors: `path-malformed`, `too-large` (a piece of more than 512
/// bytes).
pub(super) fn pieces(text: &str, separator: u8, generation: Generation) -> Result<Vec<&str>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (_, piece, after) = cut(rest, &[separator], generation)?;
        if piece.len() > MAX_SEGMENT {
            let what = format!("A segment of a path has at most {MAX_SEGMENT} bytes.");
            return Err(Error::new(Code::TooLarge, what));
        }
        if !piece.is_empty() {
            pieces.push(piece);
        }
        rest = after;
    }
    Ok(pieces)
}

/// The text with its escapes resolved, as Erlang's `uri_string:unquote` does it: a `%` near the end stays. Error:
/// `path-malformed`.
pub(super) fn unescaped(text: &str) -> Result<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                out.push(escaped_byte(*high, *low)?);
                after
            }
            _ => {
                out.push(*first);
                after
            }
        };
    }
    String::from_utf8(out).map_err(|cause| malformed("An escape in the path makes no text.").because(cause))
}

fn escaped_byte(high: u8, low: u8) -> Result<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match (digit(high), digit(low)) {
        (Some(high), Some(low)) => Ok(high << 4 | low),
        _ => Err(malformed("An escape in the path is not two hexadecimal digits.")),
    }
}

/// Names and values of a query; none for a name that stands alone. A space may be written `+`. Error: `path-malformed`
/// (a value without a name, a broken escape, a name that is no text).
pub(super) fn query(text: &str) -> Result<Vec<(String, Option<Vec<u8>>)>> {
    let mut pairs = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (name, Some(form_bytes(value)?)),
            None => (pair, None),
        };
        let name = String::from_utf8(form_bytes(name)?)
            .map_err(|cause| malformed("A name in the query is no text.").because(cause))?;
        if name.is_empty() {
            return Err(malformed("A value in the query has no name."));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn form_bytes(text: &str) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                out.push(escaped_byte(*high, *low)?);
                after
            }
            (b'%', _) => return Err(malformed("An escape in the query is cut off.")),
            (b'+', _) => {
                out.push(b' ');
                after
            }
            _ => {
                out.push(*first);
                after
            }
        };
    }
    Ok(out)
}
