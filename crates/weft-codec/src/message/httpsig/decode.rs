//! Reading.

use std::collections::BTreeMap;

use super::siginfo::{Signature, signatures};
use super::{DIGEST, Encoded};
use crate::error::{Code, Error, Result};
use crate::message::flat::from_flat;
use crate::message::{COMMITMENTS, MAX_BODY, MAX_PARTS, Node, PRIVATE, Tabm, malformed, without_link};
use crate::structured_fields::{BareItem, Item, Keys, Member, parse_dictionary, parse_item};

const CRLF: &[u8] = b"\r\n";
/// The longest boundary (RFC 2046 §5.1.1), so that looking for it costs little.
const MAX_BOUNDARY: usize = 70;

/// Headers and a body as a message, of either generation. Commitments are under `commitments`, none of them proved.
///
/// Errors: `message-malformed`, `field-malformed` (an `ao-ids`, `content-type` or signature header that is none),
/// `too-large`.
pub fn decode(encoded: &Encoded) -> Result<Tabm> {
    let mut message = Tabm::new();
    for (name, value) in &encoded.headers {
        if !name.starts_with(PRIVATE) {
            message.set(name.clone(), value.clone());
        }
    }
    let inline = inline_key(encoded);
    let mut body_keys = Vec::new();
    if let Some(body) = &encoded.body {
        let parts = match boundary(encoded)? {
            Some(boundary) => read_parts(body, &boundary, &inline)?,
            None => Tabm::new().with(inline.as_str(), body.clone()),
        };
        for (key, node) in parts {
            body_keys.push(key.clone());
            message.set(key, node);
        }
    }
    ungroup_ids(&mut message)?;
    let multipart = encoded.text("content-type").is_some_and(|kind| kind.starts_with("multipart/"));
    let mut commitments = Tabm::new();
    for signature in signatures(encoded)? {
        let id = signature.commitment.id();
        let committed = committed_keys(&signature, &body_keys, &inline, multipart);
        let mut commitment = signature.commitment;
        commitment.committed = committed;
        commitments.set(id.to_string(), commitment.to_tabm());
    }
    for name in ["signature", "signature-input", COMMITMENTS, DIGEST, "ao-body-key"] {
        message.remove(name);
    }
    if multipart {
        message.remove("content-type");
    }
    if !commitments.is_empty() {
        message.set(COMMITMENTS, commitments);
    }
    Ok(message)
}

/// The key whose value is the body.
fn inline_key(encoded: &Encoded) -> String {
    encoded.text("ao-body-key").unwrap_or("body").to_owned()
}

/// The keys of the message that a signature covers.
fn committed_keys(signature: &Signature, body_keys: &[String], inline: &str, multipart: bool) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for component in &signature.components {
        let name = component.strip_prefix('@').unwrap_or(component);
        match name {
            DIGEST => keys.extend_from_slice(body_keys),
            "content-type" if multipart => {}
            "ao-body-key" => {}
            "body" => keys.push(inline.to_owned()),
            other => keys.push(without_link(other).to_owned()),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    keys
}

/// The boundary of a multipart body.
fn boundary(encoded: &Encoded) -> Result<Option<String>> {
    let Some(kind) = encoded.headers.get("content-type").filter(|kind| kind.starts_with(b"multipart/"))
    else {
        return Ok(None);
    };
    let item = parse_item(kind)?;
    let boundary = item.parameters.into_iter().find(|(name, _)| name == "boundary").map(|(_, value)| value);
    match boundary {
        Some(BareItem::String(text) | BareItem::Token(text)) if (1..=MAX_BOUNDARY).contains(&text.len()) => {
            Ok(Some(text))
        }
        _ => Err(malformed("A multipart body has no boundary of 1 to 70 characters.")),
    }
}

fn ungroup_ids(message: &mut Tabm) -> Result<()> {
    let Some(Node::Binary(field)) = message.remove("ao-ids") else { return Ok(()) };
    for (key, member) in parse_dictionary(&field, Keys::HyperBeam)? {
        let Member::Item(Item { value: BareItem::String(text), .. }) = member else {
            return Err(malformed("A value in `ao-ids` is not text."));
        };
        message.set(key, text);
    }
    Ok(())
}

/// The keys that a multipart body holds.
fn read_parts(body: &[u8], boundary: &str, inline: &str) -> Result<Tabm> {
    if body.len() > MAX_BODY {
        return Err(Error::new(Code::TooLarge, format!("At most {MAX_BODY} bytes of parts are read.")));
    }
    let open = [b"--", boundary.as_bytes(), CRLF].concat();
    let between = [CRLF, b"--", boundary.as_bytes()].concat();
    let close = [&between, b"--".as_slice()].concat();
    let broken = || malformed("A multipart body does not begin or does not end.");
    let start = find(body, &open).ok_or_else(broken)? + open.len();
    let inside = body.get(start..).unwrap_or_default();
    let inside = &inside[..find(inside, &close).ok_or_else(broken)?];
    let mut flat = BTreeMap::new();
    for (index, part) in (Split { rest: Some(inside), separator: &between }).enumerate() {
        if index >= MAX_PARTS {
            return Err(Error::new(Code::TooLarge, format!("A body has more than {MAX_PARTS} parts.")));
        }
        let part = if index == 0 { part } else { part.strip_prefix(CRLF).unwrap_or(part) };
        let (name, node) =
            read_part(part, inline).map_err(|error| error.at(format!("part {}", index + 1)))?;
        if flat.insert(name, node).is_some() {
            return Err(malformed("Two parts of a body have one name."));
        }
    }
    from_flat(flat)
}

/// A part's path and what it holds.
fn read_part(part: &[u8], inline: &str) -> Result<(String, Node)> {
    let empty_line = [CRLF, CRLF].concat();
    let (head, body) = match find(part, &empty_line) {
        Some(at) => (&part[..at], Some(part[at + empty_line.len()..].to_vec())),
        None => (part, None),
    };
    let mut headers = read_head(head)?;
    let disposition =
        headers.remove("content-disposition").ok_or_else(|| malformed("It does not say what it is."))?;
    let name = part_name(&disposition, inline)?;
    headers.remove(DIGEST);
    let empty = headers.len() == 1 && headers.get("ao-types").is_some_and(|kind| kind == b"empty-message");
    match (headers.is_empty(), body) {
        (_, None) if empty => Ok((name, Tabm::new().into())),
        (true, Some(body)) => Ok((name, body.into())),
        (_, body) => Ok((name, part_message(headers, body)?.into())),
    }
}

/// The lines of a part's head. A line that names nothing goes on with the value before it, which had a line break in it.
fn read_head(head: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut lines: Vec<(&[u8], Vec<u8>)> = Vec::new();
    for line in (Split { rest: Some(head), separator: CRLF }) {
        match (find(line, b": "), lines.last_mut()) {
            (Some(colon), _) => lines.push((&line[..colon], line[colon + 2..].to_vec())),
            (None, Some((_, value))) => {
                value.extend_from_slice(CRLF);
                value.extend_from_slice(line);
            }
            (None, None) if line.is_empty() => {}
            (None, None) => return Err(malformed("It begins with a line that names nothing.")),
        }
    }
    let named = lines.into_iter().map(|(name, value)| {
        let name = std::str::from_utf8(name).map_err(|_| malformed("A key is not UTF-8."))?;
        Ok((name.to_owned(), value))
    });
    named.collect()
}

/// The path in the disposition.
fn part_name(disposition: &[u8], inline: &str) -> Result<String> {
    let broken = || malformed("A part of a body has no name.");
    // The name is text of any kind between quotes: HyperBEAM does not escape it.
    let text = std::str::from_utf8(disposition).map_err(|_| broken())?;
    if text == "inline" || text.starts_with("inline;") {
        return Ok(inline.to_owned());
    }
    let (_, after) = text.split_once("name=\"").ok_or_else(broken)?;
    let name = after.strip_suffix('"').ok_or_else(broken)?;
    if name.is_empty() { Err(broken()) } else { Ok(name.to_owned()) }
}

/// A part that is a message. In the older generation it can have an inline key of its own, and a commitment has
/// signature headers.
fn part_message(headers: BTreeMap<String, Vec<u8>>, body: Option<Vec<u8>>) -> Result<Tabm> {
    let encoded = Encoded { headers, body: None };
    let commitment = if encoded.headers.contains_key("signature-input") {
        signatures(&encoded)?.into_iter().next().map(|signature| signature.commitment)
    } else {
        None
    };
    let inline = inline_key(&encoded);
    let mut message: Tabm = encoded.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    if let Some(body) = body {
        message.remove("ao-body-key");
        message.set(inline, body);
    }
    message = message.into_iter().filter(|(key, _)| !key.starts_with(PRIVATE)).collect();
    ungroup_ids(&mut message)?;
    if let Some(commitment) = commitment {
        message.remove("signature-input");
        // Its keys are a part of their own, to which this is a link.
        message.remove("committed+link");
        message.set("signature", crate::base64url::encode(&commitment.signature));
    }
    Ok(message)
}

/// Where a piece begins.
fn find(bytes: &[u8], piece: &[u8]) -> Option<usize> {
    let first = *piece.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(piece) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The pieces between separators.
struct Split<'a> {
    rest: Option<&'a [u8]>,
    separator: &'a [u8],
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        match find(rest, self.separator) {
            Some(at) => {
                self.rest = Some(&rest[at + self.separator.len()..]);
                Some(&rest[..at])
            }
            None => self.rest.take(),
        }
    }
}
