//! Writing, RFC 9651 §4.1.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{BareItem, Dictionary, InnerList, Item, Keys, MAX_INTEGER, Member, Parameters};
use crate::error::{Code, Error, Result};

fn unwritable(what: impl std::fmt::Display) -> Error {
    Error::new(Code::FieldMalformed, format!("RFC 9651 has no way to write {what}."))
}

/// Writes an item. Error: `field-malformed`, for a value that the RFC cannot write.
pub fn serialise_item(item: &Item) -> Result<String> {
    let mut out = String::new();
    write_item(&mut out, item)?;
    Ok(out)
}

/// Writes a value without parameters. Error: `field-malformed`.
pub fn serialise_bare(value: &BareItem) -> Result<String> {
    let mut out = String::new();
    write_bare(&mut out, value)?;
    Ok(out)
}

/// Writes an inner list with its parameters. Error: `field-malformed`.
pub fn serialise_inner_list(list: &InnerList) -> Result<String> {
    let mut out = String::new();
    write_inner_list(&mut out, list)?;
    Ok(out)
}

/// Writes a list. An empty list is an empty text: such a field is left out. Error: `field-malformed`.
pub fn serialise_list(list: &[Member]) -> Result<String> {
    let mut out = String::new();
    for (index, member) in list.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_member(&mut out, member)?;
    }
    Ok(out)
}

/// Writes a dictionary; its keys must differ and be of the kind. An empty one is an empty text: such a field is left
/// out. Error: `field-malformed`.
pub fn serialise_dictionary(dictionary: &Dictionary, keys: Keys) -> Result<String> {
    let mut out = String::new();
    for (index, (key, member)) in dictionary.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_key(&mut out, key, keys)?;
        match member {
            Member::Item(Item { value: BareItem::Boolean(true), parameters }) => {
                write_parameters(&mut out, parameters)?;
            }
            other => {
                out.push('=');
                write_member(&mut out, other)?;
            }
        }
    }
    Ok(out)
}

fn write_member(out: &mut String, member: &Member) -> Result<()> {
    match member {
        Member::Item(item) => write_item(out, item),
        Member::Inner(list) => write_inner_list(out, list),
    }
}

fn write_inner_list(out: &mut String, list: &InnerList) -> Result<()> {
    out.push('(');
    for (index, item) in list.items.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        write_item(out, item)?;
    }
    out.push(')');
    write_parameters(out, &list.parameters)
}

fn write_item(out: &mut String, item: &Item) -> Result<()> {
    write_bare(out, &item.value)?;
    write_parameters(out, &item.parameters)
}

fn write_parameters(out: &mut String, parameters: &Parameters) -> Result<()> {
    for (key, value) in parameters {
        out.push(';');
        write_key(out, key, Keys::Strict)?;
        if *value != BareItem::Boolean(true) {
            out.push('=');
            write_bare(out, value)?;
        }
    }
    Ok(())
}

fn write_key(out: &mut String, key: &str, keys: Keys) -> Result<()> {
    let begins = key.bytes().next().is_some_and(|byte| keys.begins(byte));
    if !begins || !key.bytes().all(|byte| keys.continues(byte)) {
        return Err(unwritable(format_args!("the key `{key}`")));
    }
    out.push_str(key);
    Ok(())
}

fn write_bare(out: &mut String, value: &BareItem) -> Result<()> {
    match value {
        BareItem::Integer(number) => write_integer(out, *number)?,
        BareItem::Decimal(number) => out.push_str(&number.to_string()),
        BareItem::String(text) => write_string(out, text)?,
        BareItem::Token(text) => write_token(out, text)?,
        BareItem::Bytes(bytes) => {
            out.push(':');
            out.push_str(&STANDARD.encode(bytes));
            out.push(':');
        }
        BareItem::Boolean(truth) => out.push_str(if *truth { "?1" } else { "?0" }),
        BareItem::Date(seconds) => {
            out.push('@');
            write_integer(out, *seconds)?;
        }
        BareItem::Display(text) => write_display(out, text),
    }
    Ok(())
}

fn write_integer(out: &mut String, number: i64) -> Result<()> {
    if !(-MAX_INTEGER..=MAX_INTEGER).contains(&number) {
        return Err(unwritable(format_args!("the integer {number}: it has more than 15 digits")));
    }
    out.push_str(&number.to_string());
    Ok(())
}

fn write_string(out: &mut String, text: &str) -> Result<()> {
    out.push('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => return Err(unwritable("a string that is not printable ASCII")),
        }
    }
    out.push('"');
    Ok(())
}

fn write_token(out: &mut String, text: &str) -> Result<()> {
    let begins = text.bytes().next().is_some_and(|byte| byte == b'*' || byte.is_ascii_alphabetic());
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte);
    if !begins || !text.bytes().all(fits) {
        return Err(unwritable(format_args!("the token `{text}`")));
    }
    out.push_str(text);
    Ok(())
}

fn write_display(out: &mut String, text: &str) {
    out.push_str("%\"");
    for byte in text.bytes() {
        match byte {
            b'%' | b'"' | 0..=0x1f | 0x7f..=0xff => {
                // Writing into a String cannot fail.
                let _ = write!(out, "%{byte:02x}");
            }
            _ => out.push(char::from(byte)),
        }
    }
    out.push('"');
}
