//! The multipart body.

use std::collections::BTreeMap;

use super::encode::{Fits, encode_one, fits as fits_header};
use super::{Encoded, siginfo};
use crate::base64url;
use crate::error::Result;
use crate::id::Id;
use crate::message::id::id as id_of;
use crate::message::{Generation, Ids, LINK, Node, Tabm};

const CRLF: &[u8] = b"\r\n";

/// A part of a body.
pub(super) enum Group {
    /// A value of its own.
    Binary(Vec<u8>),
    /// A message, without what became parts of their own.
    Map(BTreeMap<String, Vec<u8>>),
}

/// A message flattened to parts, by path: each inner map is one, a long value is one, a map with only maps in it is none.
pub(super) fn group(body: &Tabm, generation: Generation, fits: Fits) -> BTreeMap<String, Group> {
    let mut groups = BTreeMap::new();
    group_map(body, "", generation, fits, &mut groups);
    groups
}

/// The recursion is bounded by the depth of the message.
fn group_map(
    map: &Tabm,
    parent: &str,
    generation: Generation,
    fits: Fits,
    groups: &mut BTreeMap<String, Group>,
) {
    let mut here = BTreeMap::new();
    for (key, node) in map {
        let key = generation.key(key);
        let path = if parent.is_empty() { key.clone() } else { format!("{parent}/{key}") };
        match node {
            Node::Map(inner) if inner.is_empty() => {
                let empty = BTreeMap::from([("ao-types".to_owned(), b"empty-message".to_vec())]);
                groups.insert(path, Group::Map(empty));
            }
            Node::Map(inner) => group_map(inner, &path, generation, fits, groups),
            Node::Binary(bytes) if !fits(bytes) || parent.is_empty() => {
                groups.insert(path, Group::Binary(bytes.clone()));
            }
            Node::Binary(bytes) => {
                here.insert(key, bytes.clone());
            }
        }
    }
    if !here.is_empty() {
        groups.insert(parent.to_owned(), Group::Map(here));
    }
}

/// The boundary and the whole body.
pub(super) fn write(
    groups: &BTreeMap<String, Group>,
    inline: &str,
    generation: Generation,
) -> Result<(String, Vec<u8>)> {
    let mut parts = Vec::with_capacity(groups.len());
    for (path, group) in groups {
        parts.push(part(path, group, groups, inline, generation)?);
    }
    let boundary = base64url::encode(&Id::sha256(&parts.join(CRLF)).0);
    let mut body = Vec::new();
    for part in parts {
        for piece in [b"--", boundary.as_bytes(), CRLF, &part, CRLF] {
            body.extend_from_slice(piece);
        }
    }
    for piece in [b"--", boundary.as_bytes(), b"--"] {
        body.extend_from_slice(piece);
    }
    Ok((boundary, body))
}

fn part(
    path: &str,
    group: &Group,
    groups: &BTreeMap<String, Group>,
    inline: &str,
    generation: Generation,
) -> Result<Vec<u8>> {
    let form_data = |name: &str| format!("form-data;name=\"{name}\"").into_bytes();
    let disposition = if path == inline { b"inline".to_vec() } else { form_data(path) };
    match group {
        Group::Binary(bytes) => {
            let head = BTreeMap::from([(DISPOSITION.to_owned(), disposition)]);
            Ok(with_head(&head, Some(bytes)))
        }
        // A part whose only content is a body would read back as that body, not as a message: its name says more.
        Group::Map(map) if map.len() == 1 && map.contains_key("body") => {
            message_part(map, form_data(&format!("{path}/body")), None, generation)
        }
        Group::Map(map) => {
            let committed = match (generation, groups.get(&format!("{path}/committed"))) {
                (Generation::June2025, Some(Group::Map(committed))) => Some(committed),
                _ => None,
            };
            message_part(map, disposition, committed, generation)
        }
    }
}

const DISPOSITION: &str = "content-disposition";

fn message_part(
    map: &BTreeMap<String, Vec<u8>>,
    disposition: Vec<u8>,
    committed: Option<&BTreeMap<String, Vec<u8>>>,
    generation: Generation,
) -> Result<Vec<u8>> {
    let mut encoded = match generation {
        Generation::September2025 => {
            let mut headers = map.clone();
            let body = headers.remove("body");
            Encoded { headers, body }
        }
        Generation::June2025 => june_part(map, committed)?,
    };
    encoded.headers.insert(DISPOSITION.to_owned(), disposition);
    Ok(with_head(&encoded.headers, encoded.body.as_deref().filter(|body| !body.is_empty())))
}

/// The older generation encodes a part as a message of its own, signature headers included where it is a commitment; the
/// list of committed keys, a part of its own, stands linked in it too.
fn june_part(
    map: &BTreeMap<String, Vec<u8>>,
    committed: Option<&BTreeMap<String, Vec<u8>>>,
) -> Result<Encoded> {
    let generation = Generation::June2025;
    let tabm = |map: &BTreeMap<String, Vec<u8>>| -> Tabm {
        map.iter().map(|(key, value)| (key.clone(), Node::Binary(value.clone()))).collect()
    };
    let mut message = tabm(map);
    if let Some(committed) = committed {
        message
            .set(format!("committed{LINK}"), id_of(&tabm(committed), Ids::Signed, generation)?.to_string());
    }
    let mut encoded = encode_one(&message, generation, fits_header)?;
    if message.has("signature") {
        let (signature, input) = siginfo::write_part(&message, generation)?;
        encoded.headers.insert("signature".to_owned(), signature.into_bytes());
        encoded.headers.insert("signature-input".to_owned(), input.into_bytes());
    }
    Ok(encoded)
}

/// Header lines, and after an empty line the body if there is one.
fn with_head(headers: &BTreeMap<String, Vec<u8>>, body: Option<&[u8]>) -> Vec<u8> {
    let lines: Vec<Vec<u8>> =
        headers.iter().map(|(name, value)| [name.as_bytes(), b": ", value].concat()).collect();
    let mut part = lines.join(CRLF);
    if let Some(body) = body {
        for piece in [CRLF, CRLF, body] {
            part.extend_from_slice(piece);
        }
    }
    part
}
