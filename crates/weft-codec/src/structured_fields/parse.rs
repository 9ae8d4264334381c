//! Parsing, RFC 9651 §4.2.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::decimal::Decimal;
use super::{BareItem, Dictionary, InnerList, Item, Keys, List, MAX_FIELD, Member, Parameters};
use crate::error::{Code, Error, Result};

/// Base64 as §4.2.7 takes it: padding may be left out. Bits after the last byte must be zero, so that one value has
/// one text.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a field that is one item. Errors: `field-malformed`, `too-large`.
pub fn parse_item(field: &[u8]) -> Result<Item> {
    whole(field, |parser| parser.item())
}

/// Reads a field that is a list; an empty field is the empty list. Errors: `field-malformed`, `too-large`.
pub fn parse_list(field: &[u8]) -> Result<List> {
    whole(field, |parser| {
        let mut list = List::new();
        parser.members(|parser| {
            list.push(parser.member()?);
            Ok(())
        })?;
        Ok(list)
    })
}

/// Reads a field that is a dictionary; an empty field is the empty dictionary. A key that comes again keeps its place
/// and takes the later value (§4.2.2). Errors: `field-malformed`, `too-large`.
pub fn parse_dictionary(field: &[u8], keys: Keys) -> Result<Dictionary> {
    whole(field, |parser| {
        let mut entries = Entries::default();
        parser.members(|parser| {
            let key = parser.key(keys)?;
            let member = if parser.eat(b'=') {
                parser.member()?
            } else {
                Member::Item(Item { value: BareItem::Boolean(true), parameters: parser.parameters()? })
            };
            entries.put(key, member);
            Ok(())
        })?;
        Ok(entries.list)
    })
}

fn whole<T>(field: &[u8], parse: impl FnOnce(&mut Parser<'_>) -> Result<T>) -> Result<T> {
    if field.len() > MAX_FIELD {
        return Err(Error::new(
            Code::TooLarge,
            format!("A structured field of {} bytes; at most {MAX_FIELD} are read.", field.len()),
        ));
    }
    let mut parser = Parser { rest: field };
    parser.skip(b" ");
    let value = parse(&mut parser)?;
    parser.skip(b" ");
    if parser.rest.is_empty() { Ok(value) } else { Err(malformed("something follows the value")) }
}

fn malformed(what: &str) -> Error {
    Error::new(Code::FieldMalformed, format!("This is not a structured field of RFC 9651: {what}."))
}

/// Entries in order, found by key without a walk over all of them.
struct Entries<T> {
    list: Vec<(String, T)>,
    places: BTreeMap<String, usize>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { list: Vec::new(), places: BTreeMap::new() }
    }
}

impl<T> Entries<T> {
    fn put(&mut self, key: String, value: T) {
        if let Some(place) = self.places.get(&key) {
            self.list[*place].1 = value;
            return;
        }
        self.places.insert(key.clone(), self.list.len());
        self.list.push((key, value));
    }
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.next();
        }
        there
    }

    fn skip(&mut self, blanks: &[u8]) {
        while self.peek().is_some_and(|byte| blanks.contains(&byte)) {
            self.next();
        }
    }

    /// The bytes for which the test holds.
    fn take_while(&mut self, holds: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|byte| holds(**byte)).count();
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Members and the commas between them (§4.2.1, §4.2.2).
    fn members(&mut self, mut one: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        while !self.rest.is_empty() {
            one(self)?;
            self.skip(b" \t");
            if self.rest.is_empty() {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(malformed("a comma is missing between two members"));
            }
            self.skip(b" \t");
            if self.rest.is_empty() {
                return Err(malformed("a comma has nothing after it"));
            }
        }
        Ok(())
    }

    fn member(&mut self) -> Result<Member> {
        if self.peek() == Some(b'(') {
            self.inner_list().map(Member::Inner)
        } else {
            self.item().map(Member::Item)
        }
    }

    fn inner_list(&mut self) -> Result<InnerList> {
        self.next();
        let mut items = Vec::new();
        loop {
            self.skip(b" ");
            if self.eat(b')') {
                return Ok(InnerList { items, parameters: self.parameters()? });
            }
            items.push(self.item()?);
            if !matches!(self.peek(), Some(b' ' | b')')) {
                return Err(malformed("an inner list does not end, or lacks a blank"));
            }
        }
    }

    fn item(&mut self) -> Result<Item> {
        Ok(Item { value: self.bare_item()?, parameters: self.parameters()? })
    }

    fn parameters(&mut self) -> Result<Parameters> {
        let mut entries = Entries::default();
        while self.eat(b';') {
            self.skip(b" ");
            let key = self.key(Keys::Strict)?;
            let value = if self.eat(b'=') { self.bare_item()? } else { BareItem::Boolean(true) };
            entries.put(key, value);
        }
        Ok(entries.list)
    }

    fn key(&mut self, keys: Keys) -> Result<String> {
        if !self.peek().is_some_and(|byte| keys.begins(byte)) {
            return Err(malformed("a key does not begin as a key"));
        }
        Ok(ascii(self.take_while(|byte| keys.continues(byte))))
    }

    fn bare_item(&mut self) -> Result<BareItem> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'"') => self.string(),
            Some(b':') => self.bytes(),
            Some(b'?') => self.boolean(),
            Some(b'@') => self.date(),
            Some(b'%') => self.display(),
            Some(byte) if byte == b'*' || byte.is_ascii_alphabetic() => {
                let extra = b"!#$%&'*+-.^_`|~:/";
                let token = self.take_while(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte));
                Ok(BareItem::Token(ascii(token)))
            }
            _ => Err(malformed("an item begins as none does")),
        }
    }

    fn number(&mut self) -> Result<BareItem> {
        let sign = if self.eat(b'-') { -1 } else { 1 };
        let whole = self.take_while(|byte| byte.is_ascii_digit());
        if whole.is_empty() {
            return Err(malformed("a number has no digits"));
        }
        if !self.eat(b'.') {
            return match whole.len() {
                0..=15 => Ok(BareItem::Integer(sign * digits(whole))),
                _ => Err(malformed("an integer has more than 15 digits")),
            };
        }
        let fraction = self.take_while(|byte| byte.is_ascii_digit());
        if whole.len() > 12 || !(1..=3).contains(&fraction.len()) {
            return Err(malformed("a decimal has more than 12 digits, or not 1 to 3 after its point"));
        }
        let scale = [100, 10, 1][fraction.len() - 1];
        Decimal::from_thousandths(sign * (digits(whole) * 1000 + digits(fraction) * scale))
            .map(BareItem::Decimal)
            .ok_or_else(|| malformed("a decimal is too large"))
    }

    fn string(&mut self) -> Result<BareItem> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some(b'"') => return Ok(BareItem::String(text)),
                Some(b'\\') => match self.next() {
                    Some(byte @ (b'"' | b'\\')) => text.push(char::from(byte)),
                    _ => return Err(malformed("a string escapes what needs none")),
                },
                Some(byte @ 0x20..=0x7e) => text.push(char::from(byte)),
                Some(_) => return Err(malformed("a string has a byte that is not printable ASCII")),
                None => return Err(malformed("a string does not end")),
            }
        }
    }

    fn bytes(&mut self) -> Result<BareItem> {
        self.next();
        let text = self.take_while(|byte| byte != b':');
        if !self.eat(b':') {
            return Err(malformed("a byte sequence does not end"));
        }
        let bytes =
            BASE64.decode(text).map_err(|cause| malformed("a byte sequence is not base64").because(cause))?;
        Ok(BareItem::Bytes(bytes))
    }

    fn boolean(&mut self) -> Result<BareItem> {
        self.next();
        match self.next() {
            Some(b'1') => Ok(BareItem::Boolean(true)),
            Some(b'0') => Ok(BareItem::Boolean(false)),
            _ => Err(malformed("a boolean is neither ?0 nor ?1")),
        }
    }

    fn date(&mut self) -> Result<BareItem> {
        self.next();
        match self.number()? {
            BareItem::Integer(seconds) => Ok(BareItem::Date(seconds)),
            _ => Err(malformed("a date has a fraction")),
        }
    }

    fn display(&mut self) -> Result<BareItem> {
        self.next();
        if !self.eat(b'"') {
            return Err(malformed("a display string has no quote"));
        }
        let mut bytes = Vec::new();
        loop {
            match self.next() {
                Some(b'"') => break,
                Some(b'%') => {
                    let (high, low) = (self.hex()?, self.hex()?);
                    bytes.push(high << 4 | low);
                }
                Some(byte @ 0x20..=0x7e) => bytes.push(byte),
                Some(_) => return Err(malformed("a display string has a byte that is not printable ASCII")),
                None => return Err(malformed("a display string does not end")),
            }
        }
        let text = String::from_utf8(bytes)
            .map_err(|cause| malformed("a display string is not UTF-8").because(cause))?;
        Ok(BareItem::Display(text))
    }

    /// A hexadecimal digit, lower-case (§4.2.10).
    fn hex(&mut self) -> Result<u8> {
        match self.next() {
            Some(byte @ b'0'..=b'9') => Ok(byte - b'0'),
            Some(byte @ b'a'..=b'f') => Ok(byte - b'a' + 10),
            _ => Err(malformed("a display string has a broken escape")),
        }
    }
}

/// At most fifteen digits as a number.
fn digits(text: &[u8]) -> i64 {
    text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
}

/// ASCII bytes as text.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
