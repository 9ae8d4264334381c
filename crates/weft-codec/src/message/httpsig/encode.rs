//! Writing.

use std::collections::BTreeMap;

use super::{DIGEST, Encoded, MAX_HEADER, digest, parts, siginfo};
use crate::error::Result;
use crate::message::generation::is_id_like;
use crate::message::{COMMITMENTS, Generation, Node, PRIVATE, Tabm, malformed, shown};

/// Keys that are no content of an encoded message: they come from the commitments.
const SIGNATURE_HEADERS: [&str; 3] = [COMMITMENTS, "signature", "signature-input"];

/// A message with its commitments as headers and a body. What is nested goes inline; [`Tabm::linked`] comes before, if
/// links are wanted. Errors: `message-malformed` (two keys that become one header, a commitment that is none),
/// `component-missing` (a commitment over what is not there), `too-large`.
pub fn encode(message: &Tabm, generation: Generation) -> Result<Encoded> {
    let mut encoded = encode_content(message, generation)?;
    if let Some(commitments) = message.map(COMMITMENTS).filter(|map| !map.is_empty()) {
        let (signature, input) = siginfo::write(message, commitments, generation)?;
        encoded.headers.insert("signature".to_owned(), signature.into_bytes());
        encoded.headers.insert("signature-input".to_owned(), input.into_bytes());
    }
    Ok(encoded)
}

/// A message without its commitments as headers and a body; those of nested messages are parts. Errors: those of
/// [`encode`].
pub fn encode_content(message: &Tabm, generation: Generation) -> Result<Encoded> {
    message.check_depth()?;
    encode_one(message, generation, fits)
}

/// The same for HTTP: a value whose bytes no header may hold is a part of the body, as one is that is too long. Its reader has
/// the same message; a signature that is over it as a header is not over this form. Errors: those of [`encode`].
pub fn encode_to_send(message: &Tabm, generation: Generation) -> Result<Encoded> {
    message.check_depth()?;
    encode_one(message, generation, travels)
}

/// Whether a value is a header or a line of a part.
pub(super) type Fits = fn(&[u8]) -> bool;

pub(super) fn fits(value: &[u8]) -> bool {
    value.len() <= MAX_HEADER
}

/// Printable ASCII, without spaces at its ends, which are no part of a header's value (RFC 9110 §5.5).
fn travels(value: &[u8]) -> bool {
    let edge = |byte: Option<&u8>| byte == Some(&b' ');
    fits(value)
        && value.iter().all(|byte| (b' '..=b'~').contains(byte))
        && !edge(value.first())
        && !edge(value.last())
}

/// The same, for a message whose depth is known to be bounded.
pub(super) fn encode_one(message: &Tabm, generation: Generation, fits: Fits) -> Result<Encoded> {
    let grouped = group_ids(message);
    let (inline, named) = inline_key(&grouped);
    let mut encoded = Encoded::default();
    if named {
        put_header(&mut encoded, "ao-body-key".to_owned(), b"data".to_vec())?;
    }
    let mut body = Tabm::new();
    for (key, node) in grouped {
        match node {
            node if key == "body" || key == inline => {
                body.set(key, node);
            }
            Node::Binary(bytes) if fits(&bytes) => {
                put_header(&mut encoded, generation.key(&key), bytes)?;
            }
            node => {
                body.set(generation.key(&key), node);
            }
        }
    }
    put_body(&mut encoded, &body, &inline, generation, fits)?;
    if let Some(body) = encoded.body.as_ref().filter(|body| !body.is_empty()) {
        encoded.headers.insert(DIGEST.to_owned(), digest(body).into_bytes());
    }
    Ok(encoded)
}

fn put_header(encoded: &mut Encoded, name: String, value: Vec<u8>) -> Result<()> {
    let name_shown = shown(&name);
    match encoded.headers.insert(name, value) {
        None => Ok(()),
        Some(_) => Err(malformed(format!("Two keys of a message are the header `{name_shown}`."))),
    }
}

/// The body's value alone, or a multipart body of all that is no header.
fn put_body(
    encoded: &mut Encoded,
    body: &Tabm,
    inline: &str,
    generation: Generation,
    fits: Fits,
) -> Result<()> {
    let groups = parts::group(body, generation, fits);
    let mut only = groups.iter();
    match (only.next(), only.next()) {
        (None, _) => {}
        (Some((key, parts::Group::Binary(bytes))), None) if key == inline => {
            encoded.body = Some(bytes.clone());
        }
        _ => {
            let (boundary, bytes) = parts::write(&groups, inline, generation)?;
            let kind = format!("multipart/form-data; boundary=\"{boundary}\"");
            encoded.headers.insert("content-type".to_owned(), kind.into_bytes());
            encoded.body = Some(bytes);
        }
    }
    Ok(())
}

/// The content of a message, its keys that are like ids gathered in `ao-ids`: as header names they would lose their
/// capitals.
fn group_ids(message: &Tabm) -> BTreeMap<String, Node> {
    let mut rest = BTreeMap::new();
    let mut ids: Vec<Vec<u8>> = Vec::new();
    for (key, node) in message {
        if SIGNATURE_HEADERS.contains(&key.as_str()) || key.starts_with(PRIVATE) || key == DIGEST {
            continue;
        }
        match node {
            Node::Binary(bytes) if is_id_like(key) => {
                ids.push([key.as_bytes(), b"=\"", &escaped(bytes), b"\""].concat());
            }
            node => {
                rest.insert(key.clone(), node.clone());
            }
        }
    }
    if !ids.is_empty() {
        rest.insert("ao-ids".to_owned(), ids.join(b", ".as_slice()).into());
    }
    rest
}

/// A value between quotes. Unlike a string of RFC 9651 it may hold any byte: it then has an id, but no way to travel.
fn escaped(value: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| matches!(byte, b'"' | b'\\').then_some(b'\\');
    value.iter().flat_map(|byte| escape(byte).into_iter().chain([*byte])).collect()
}

/// The key whose value is the body, and whether `ao-body-key` must be added to say so.
fn inline_key(message: &BTreeMap<String, Node>) -> (String, bool) {
    if let Some(Node::Binary(named)) = message.get("ao-body-key")
        && let Ok(named) = std::str::from_utf8(named)
    {
        return (named.to_owned(), false);
    }
    if message.contains_key("body") || !message.contains_key("data") {
        return ("body".to_owned(), false);
    }
    ("data".to_owned(), true)
}
