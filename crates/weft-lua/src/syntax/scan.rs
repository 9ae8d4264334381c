//! The scanner: the longest token at each place, by Luerl's rules.
//!
//! Its oddities are meant. There are long strings of levels 0 to 3 only; a comment that ends the text without a line break is
//! none if it is just `--`; a string may not contain a line break, escaped or not; bytes from 128 on become two of UTF-8.

use super::refused;
use crate::error::{LuaError, Term};
use crate::number::{self, Num, Numeral};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    End,
    Name,
    Number,
    Text,
    /// A keyword or a sign.
    Fixed(&'static str),
}

/// A token with what it stands for.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub(super) token: Token,
    pub(super) line: u32,
    /// A name, or a string's bytes.
    pub(super) bytes: Box<[u8]>,
    pub(super) number: Num,
}

const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// Signs; a longer one comes before those it begins with.
const SIGNS: &[&str] = &[
    "...", "..", "//", ">>", "<<", "==", "~=", "<=", ">=", "::", "+", "-", "*", "/", "%", "^", "&", "|", "~",
    "#", "<", ">", "=", "(", ")", "{", "}", "[", "]", ";", ":", ",", ".",
];

pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, line: 1 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes on by so many bytes, counting lines.
    fn take(&mut self, length: usize) -> &'a [u8] {
        let taken = self.rest().get(..length).unwrap_or_default();
        for c in taken {
            self.line = self.line.saturating_add(u32::from(*c == b'\n'));
        }
        self.at += length;
        taken
    }

    /// The next token; at the end, [`Token::End`] at the line of the last one.
    pub(super) fn next(&mut self, last: u32) -> Result<Scanned, LuaError> {
        self.skip()?;
        let line = self.line;
        let rest = self.rest();
        let Some(first) = rest.first() else { return Ok(fixed(Token::End, last)) };
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Ok(self.name(line)),
            b'0'..=b'9' => self.number(line),
            b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => self.number(line),
            b'"' | b'\'' => self.quoted(line, *first),
            b'[' => match long_bracket(rest) {
                Some((level, length)) => self.long(line, level, length),
                None => Ok(self.sign(line, "[")),
            },
            _ => match SIGNS.iter().find(|sign| rest.starts_with(sign.as_bytes())) {
                Some(sign) => Ok(self.sign(line, sign)),
                None => Err(illegal(line, rest.get(..1).unwrap_or_default())),
            },
        }
    }

    fn sign(&mut self, line: u32, sign: &'static str) -> Scanned {
        self.take(sign.len());
        fixed(Token::Fixed(sign), line)
    }

    /// Blanks and comments.
    fn skip(&mut self) -> Result<(), LuaError> {
        loop {
            let rest = self.rest();
            let blanks = rest.iter().take_while(|c| matches!(c, 9..=13 | 32 | 160)).count();
            self.take(blanks);
            let Some(comment) = self.rest().strip_prefix(b"--") else { return Ok(()) };
            match comment {
                [] | [b'['] => return Ok(()),
                [b'\n', ..] => {
                    self.take(3);
                }
                [b'[', b'\n', ..] => {
                    self.take(4);
                }
                [b'[', b'[', ..] => match long_bracket(comment) {
                    Some((_, length)) => {
                        self.take(2 + length);
                    }
                    None => {
                        // Luerl takes what could still have become a comment.
                        let body = unfinished(comment.get(2..).unwrap_or_default());
                        self.take(4 + body);
                        return Err(said(self.line, "unfinished long comment"));
                    }
                },
                _ => {
                    let length = comment.iter().position(|c| *c == b'\n').unwrap_or(comment.len());
                    self.take(2 + length);
                }
            }
        }
    }

    fn name(&mut self, line: u32) -> Scanned {
        let length = self.rest().iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count();
        let bytes = self.take(length);
        // Keywords have two to eight small letters.
        let may_be = (2..=8).contains(&length) && bytes.first().is_some_and(u8::is_ascii_lowercase);
        let word = if may_be { KEYWORDS.iter().find(|word| word.as_bytes() == bytes) } else { None };
        match word {
            Some(word) => fixed(Token::Fixed(word), line),
            None => Scanned { token: Token::Name, line, bytes: bytes.into(), number: Num::Int(0) },
        }
    }

    fn number(&mut self, line: u32) -> Result<Scanned, LuaError> {
        let rest = self.rest();
        let is_hex = matches!(rest, [b'0', b'x' | b'X', ..]);
        let (length, number) = number::numeral(rest);
        self.take(length.max(1));
        match number {
            Ok(number) => Ok(Scanned { token: Token::Number, line, bytes: Box::default(), number }),
            Err(Numeral::Malformed) if is_hex => Err(said(self.line, "malformed number")),
            Err(Numeral::Malformed) => Err(said(self.line, "illegal number")),
            Err(Numeral::Badarg) => Err(LuaError::crash(Term::atom("badarg"))),
            Err(Numeral::Badarith) => Err(LuaError::crash(Term::atom("badarith"))),
            Err(Numeral::TooLong) => {
                Err(LuaError::limit(crate::ErrorKind::Unsupported, "A number has more than a million bits."))
            }
        }
    }

    fn quoted(&mut self, line: u32, quote: u8) -> Result<Scanned, LuaError> {
        let rest = self.rest();
        let mut at = 1;
        loop {
            match rest.get(at) {
                Some(c) if *c == quote => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err(illegal(line, rest)),
            }
        }
        let bytes = self.take(at + 1).get(1..at).unwrap_or_default();
        match unescape(bytes) {
            Some(bytes) => Ok(Scanned { token: Token::Text, line, bytes: bytes.into(), number: Num::Int(0) }),
            None => Err(said(self.line, "illegal string")),
        }
    }

    fn long(&mut self, line: u32, level: usize, length: usize) -> Result<Scanned, LuaError> {
        let bracket = level + 2;
        let bytes = self.take(length).get(bracket..length - bracket).unwrap_or_default();
        let bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        let mut text = Vec::with_capacity(bytes.len());
        bytes.iter().for_each(|c| latin1(&mut text, *c));
        Ok(Scanned { token: Token::Text, line, bytes: text.into(), number: Num::Int(0) })
    }
}

fn fixed(token: Token, line: u32) -> Scanned {
    Scanned { token, line, bytes: Box::default(), number: Num::Int(0) }
}

/// The level and the length of the long string a text begins with, up to level 3.
///
/// Between the brackets, a `]` takes what follows it along, as far as that is no end; so `[=[a]]=]` does not end there.
fn long_bracket(text: &[u8]) -> Option<(usize, usize)> {
    let level = text.iter().skip(1).take_while(|c| **c == b'=').count();
    if level > 3 || text.get(level + 1) != Some(&b'[') {
        return None;
    }
    let mut at = level + 2;
    while let Some(c) = text.get(at) {
        at += 1;
        if *c != b']' {
            continue;
        }
        let equals = text.get(at..)?.iter().take(level).take_while(|c| **c == b'=').count();
        at += equals;
        let next = *text.get(at)?;
        at += 1;
        if equals == level && next == b']' {
            return Some((level, at));
        }
    }
    None
}

/// How much of an unfinished comment could still be one: all but a `]` at the very end.
fn unfinished(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match text.get(at) {
            None => return at,
            Some(b']') if text.get(at + 1).is_none() => return at,
            Some(b']') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// A character of Latin-1 in UTF-8.
fn latin1(out: &mut Vec<u8>, c: u8) {
    let mut buffer = [0; 4];
    out.extend_from_slice(char::from(c).encode_utf8(&mut buffer).as_bytes());
}

/// A string's bytes; nothing if an escape is none, or there is a line break.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        match rest {
            [] => return Some(out),
            [b'\n', ..] => return None,
            [b'\\'] => return Some(out),
            [b'\\', escaped @ ..] => rest = escape(escaped, &mut out)?,
            [c, others @ ..] => {
                latin1(&mut out, *c);
                rest = others;
            }
        }
    }
}

/// What follows a backslash; the rest after it.
fn escape<'a>(text: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let digits = text.iter().take(3).take_while(|c| c.is_ascii_digit()).count();
    if digits > 0 {
        let (number, rest) = text.split_at_checked(digits)?;
        let byte = number.iter().fold(0u16, |sum, c| sum * 10 + u16::from(c - b'0'));
        out.push(u8::try_from(byte).ok()?);
        return Some(rest);
    }
    match text {
        [b'x', a, b, rest @ ..] => {
            let (a, b) = (char::from(*a).to_digit(16)?, char::from(*b).to_digit(16)?);
            out.push(u8::try_from(a * 16 + b).ok()?);
            Some(rest)
        }
        [b'z', rest @ ..] => {
            let blanks = rest.iter().take_while(|c| **c <= b' ').count();
            rest.get(blanks..)
        }
        [c, rest @ ..] => {
            out.push(match c {
                b'a' => 7,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 11,
                b'\\' | b'"' | b'\'' => *c,
                _ => return None,
            });
            Some(rest)
        }
        [] => None,
    }
}

/// The scanner says what is wrong, at the line it has come to.
fn said(line: u32, what: &str) -> LuaError {
    let what = Term::tuple([Term::atom("user"), Term::Text(what.to_owned())]);
    refused(vec![(line, "luerl_scan", what)])
}

/// No token begins like this.
fn illegal(line: u32, text: &[u8]) -> LuaError {
    let text: String = text.iter().copied().map(char::from).collect();
    let what = Term::tuple([Term::atom("illegal"), Term::Text(text)]);
    refused(vec![(line, "luerl_scan", what)])
}
