//! `ao-types`: which keys hold something other than bytes (reference ao-core.md §2).

use std::collections::BTreeMap;

use super::malformed;
use crate::error::Result;
use crate::structured_fields::{BareItem, Item, Keys, Member, parse_dictionary, serialise_dictionary};

/// Type names by key, the keys as they are in the message.
pub(super) type Types = BTreeMap<String, String>;

/// The field's text, its keys in byte order.
pub(super) fn encode(types: &Types) -> Result<String> {
    let entries =
        types.iter().map(|(key, kind)| (escape(key), BareItem::String(kind.clone()).into())).collect();
    serialise_dictionary(&entries, Keys::HyperBeam)
}

/// Reads the field. Errors: `field-malformed`, `message-malformed`, `too-large`.
pub(super) fn decode(field: &[u8]) -> Result<Types> {
    let mut types = Types::new();
    for (key, member) in parse_dictionary(field, Keys::HyperBeam)? {
        match member {
            Member::Item(Item { value: BareItem::String(kind) | BareItem::Token(kind), .. }) => {
                types.insert(unescape(&key)?, kind.to_ascii_lowercase());
            }
            // `empty-message` and the like stand alone: there is no key whose type they would be.
            Member::Item(Item { value: BareItem::Boolean(true), .. }) => {}
            _ => return Err(malformed("A type in `ao-types` is not a word.")),
        }
    }
    Ok(types)
}

/// Everything but lower-case letters, digits and `.-_/?&` as `%` and two lower-case digits.
fn escape(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_/?&".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(
                [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
            );
        }
    }
    out
}

fn unescape(key: &str) -> Result<String> {
    let broken = || malformed("A key in `ao-types` has a broken escape.");
    let mut out = Vec::with_capacity(key.len());
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(broken()) };
        out.push(u8::try_from(high << 4 | low).map_err(|_| broken())?);
    }
    String::from_utf8(out).map_err(|_| broken())
}
