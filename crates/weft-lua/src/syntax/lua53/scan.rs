//! The scanner of Lua 5.3.

use super::refused;
use crate::error::LuaError;
use crate::number::lua53::{Number, read_number};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    End,
    Name,
    Number,
    Text,
    /// A keyword or a sign.
    Fixed(&'static str),
    /// A byte that begins no token.
    Byte(u8),
}

/// A token with what it stands for.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub(super) token: Token,
    pub(super) line: u32,
    /// A name, or a string's bytes.
    pub(super) bytes: Box<[u8]>,
    pub(super) number: Number,
    /// How messages show it.
    near: Box<[u8]>,
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

impl Scanned {
    /// The token as messages show it.
    pub(super) fn near(&self) -> Vec<u8> {
        match self.token {
            Token::End => b"<eof>".to_vec(),
            Token::Fixed(sign) => quoted(sign.as_bytes()),
            Token::Byte(c) if c.is_ascii_graphic() || c == b' ' => quoted(&[c]),
            Token::Byte(c) => quoted(format!("<\\{c}>").as_bytes()),
            Token::Name => quoted(&self.bytes),
            Token::Number | Token::Text => quoted(&self.near),
        }
    }
}

fn quoted(text: &[u8]) -> Vec<u8> {
    [b"'", text, b"'"].concat()
}

pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    pub(super) line: u32,
    pub(super) chunk: String,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8], chunk: String) -> Self {
        Self { text, at: 0, line: 1, chunk }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn now(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn refuse(&self, what: &str, near: &[u8]) -> LuaError {
        refused(&self.chunk, self.line, what, Some(near))
    }

    /// A line break of one or two bytes.
    fn line_break(&mut self) {
        let first = self.now();
        self.at += 1;
        if let (Some(first), Some(second @ (b'\n' | b'\r'))) = (first, self.now())
            && first != second
        {
            self.at += 1;
        }
        self.line = self.line.saturating_add(1);
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Scanned, LuaError> {
        loop {
            match self.rest() {
                [] => return Ok(self.fixed(Token::End)),
                [b'\n' | b'\r', ..] => self.line_break(),
                [b' ' | b'\t' | 11 | 12, ..] => self.at += 1,
                [b'-', b'-', ..] => self.comment()?,
                [b'[', b'[' | b'=', ..] => {
                    if let Some(token) = self.bracket()? {
                        return Ok(token);
                    }
                }
                [b'"' | b'\'', ..] => return self.quoted(),
                [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => return self.number(),
                [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => return Ok(self.name()),
                [c, ..] => return Ok(self.sign(*c)),
            }
        }
    }

    fn fixed(&self, token: Token) -> Scanned {
        Scanned {
            token,
            line: self.line,
            bytes: Box::default(),
            number: Number::Int(0),
            near: Box::default(),
        }
    }

    fn sign(&mut self, c: u8) -> Scanned {
        match SIGNS.iter().find(|sign| self.rest().starts_with(sign.as_bytes())) {
            Some(sign) => {
                self.at += sign.len();
                self.fixed(Token::Fixed(sign))
            }
            None => {
                self.at += 1;
                self.fixed(Token::Byte(c))
            }
        }
    }

    fn comment(&mut self) -> Result<(), LuaError> {
        self.at += 2;
        if self.now() == Some(b'[') {
            let level = level_of(self.rest());
            if self.rest().get(level + 1) == Some(&b'[') {
                return self.long(level, "comment").map(|_| ());
            }
        }
        let length = self.rest().iter().position(|c| matches!(c, b'\n' | b'\r'));
        self.at = length.map_or(self.text.len(), |length| self.at + length);
        Ok(())
    }

    /// A long string, if what begins like one is one; `[` alone is a sign.
    fn bracket(&mut self) -> Result<Option<Scanned>, LuaError> {
        let level = level_of(self.rest());
        if self.rest().get(level + 1) == Some(&b'[') {
            let bytes = self.long(level, "string")?;
            let near = bytes.clone();
            return Ok(Some(Scanned { bytes, near, ..self.fixed(Token::Text) }));
        }
        if level > 0 {
            let near = quoted(self.rest().get(..=level).unwrap_or_default());
            return Err(self.refuse("invalid long string delimiter", &near));
        }
        self.at += 1;
        Ok(Some(self.fixed(Token::Fixed("["))))
    }

    fn long(&mut self, level: usize, what: &str) -> Result<Box<[u8]>, LuaError> {
        let began = self.line;
        self.at += level + 2;
        if matches!(self.now(), Some(b'\n' | b'\r')) {
            self.line_break();
        }
        let mut out = Vec::new();
        loop {
            match self.rest() {
                [] => {
                    let what = format!("unfinished long {what} (starting at line {began})");
                    return Err(self.refuse(&what, b"<eof>"));
                }
                [b']', rest @ ..] if level_of(self.rest()) == level && rest.get(level) == Some(&b']') => {
                    self.at += level + 2;
                    return Ok(out.into());
                }
                [b'\n' | b'\r', ..] => {
                    self.line_break();
                    out.push(b'\n');
                }
                [c, ..] => {
                    out.push(*c);
                    self.at += 1;
                }
            }
        }
    }

    fn name(&mut self) -> Scanned {
        let length = self.rest().iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count();
        let bytes = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        match KEYWORDS.iter().find(|word| word.as_bytes() == bytes) {
            Some(word) => self.fixed(Token::Fixed(word)),
            None => Scanned { bytes: bytes.into(), ..self.fixed(Token::Name) },
        }
    }

    fn number(&mut self) -> Result<Scanned, LuaError> {
        let rest = self.rest();
        let is_hex = matches!(rest, [b'0', b'x' | b'X', ..]);
        let mut length = if is_hex { 2 } else { 0 };
        while let Some(c) = rest.get(length) {
            let marks = if is_hex { b"pP" } else { b"eE" };
            if marks.contains(c) {
                length += 1;
                length += usize::from(matches!(rest.get(length), Some(b'+' | b'-')));
            } else if c.is_ascii_hexdigit() || *c == b'.' {
                length += 1;
            } else {
                break;
            }
        }
        let text = rest.get(..length).unwrap_or_default();
        self.at += length;
        match read_number(text) {
            Some(number) => Ok(Scanned { number, near: text.into(), ..self.fixed(Token::Number) }),
            None => Err(self.refuse("malformed number", &quoted(text))),
        }
    }

    fn quoted(&mut self) -> Result<Scanned, LuaError> {
        let quote = self.now().unwrap_or_default();
        self.at += 1;
        // With the quote before it, as messages show it.
        let mut out = vec![quote];
        loop {
            match self.rest() {
                [] => return Err(self.refuse("unfinished string", b"<eof>")),
                [b'\n' | b'\r', ..] => return Err(self.refuse("unfinished string", &quoted(&out))),
                [b'\\', ..] => self.escape(&mut out)?,
                [c, ..] => {
                    self.at += 1;
                    out.push(*c);
                    if *c == quote {
                        break;
                    }
                }
            }
        }
        let bytes = out.get(1..out.len() - 1).unwrap_or_default().into();
        Ok(Scanned { bytes, near: out.into(), ..self.fixed(Token::Text) })
    }

    /// What is wrong with an escape; the text so far and what was read of the escape are shown.
    fn bad_escape(&self, what: &str, out: &[u8], read: usize) -> LuaError {
        let shown = self.rest().get(..read.min(self.rest().len())).unwrap_or_default();
        self.refuse(what, &quoted(&[out, shown].concat()))
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), LuaError> {
        let Some(c) = self.rest().get(1).copied() else {
            self.at += 1;
            return Ok(());
        };
        let plain = match c {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' | b'"' | b'\'' => c,
            b'\n' | b'\r' => {
                self.at += 1;
                self.line_break();
                out.push(b'\n');
                return Ok(());
            }
            b'x' => return self.hexadecimal(out),
            b'u' => return self.unicode(out),
            b'z' => {
                self.at += 2;
                loop {
                    match self.now() {
                        Some(b'\n' | b'\r') => self.line_break(),
                        Some(b' ' | b'\t' | 11 | 12) => self.at += 1,
                        _ => return Ok(()),
                    }
                }
            }
            b'0'..=b'9' => return self.decimal(out),
            _ => return Err(self.bad_escape("invalid escape sequence", out, 2)),
        };
        self.at += 2;
        out.push(plain);
        Ok(())
    }

    fn hexadecimal(&mut self, out: &mut Vec<u8>) -> Result<(), LuaError> {
        let mut value = 0;
        for place in 2..4 {
            match self.rest().get(place).and_then(|c| char::from(*c).to_digit(16)) {
                Some(digit) => value = value * 16 + digit,
                None => return Err(self.bad_escape("hexadecimal digit expected", out, place + 1)),
            }
        }
        out.push(u8::try_from(value).unwrap_or_default());
        self.at += 4;
        Ok(())
    }

    fn decimal(&mut self, out: &mut Vec<u8>) -> Result<(), LuaError> {
        let digits = self.rest().iter().skip(1).take(3).take_while(|c| c.is_ascii_digit()).count();
        let text = self.rest().get(1..=digits).unwrap_or_default();
        let value = text.iter().fold(0u32, |sum, c| sum * 10 + u32::from(c - b'0'));
        match u8::try_from(value) {
            Ok(byte) => out.push(byte),
            Err(_) => return Err(self.bad_escape("decimal escape too large", out, digits + 2)),
        }
        self.at += 1 + digits;
        Ok(())
    }

    fn unicode(&mut self, out: &mut Vec<u8>) -> Result<(), LuaError> {
        if self.rest().get(2) != Some(&b'{') {
            return Err(self.bad_escape("missing '{' in \\u{xxxx}", out, 3));
        }
        let mut value = 0u32;
        let mut place = 3;
        while let Some(digit) = self.rest().get(place).and_then(|c| char::from(*c).to_digit(16)) {
            value = value * 16 + digit;
            if value > 0x10_ffff {
                return Err(self.bad_escape("UTF-8 value too large", out, place + 1));
            }
            place += 1;
        }
        if place == 3 {
            return Err(self.bad_escape("hexadecimal digit expected", out, place + 1));
        }
        if self.rest().get(place) != Some(&b'}') {
            return Err(self.bad_escape("missing '}' in \\u{xxxx}", out, place + 1));
        }
        crate::stdlib::lua53::utf8::encode(value, out);
        self.at += place + 1;
        Ok(())
    }
}

/// How many `=` follow the first byte.
fn level_of(text: &[u8]) -> usize {
    text.iter().skip(1).take_while(|c| **c == b'=').count()
}
