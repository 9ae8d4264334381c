//! `flat@1.0`: a message as paths (reference ao-core.md §9).

use std::collections::BTreeMap;

use super::{MAX_DEPTH, MAX_PARTS, Node, Tabm, malformed, shown, too_deep};
use crate::error::{Code, Error, Result};

/// Every binary of a message under its path, `a/b`. An empty map leaves no trace. Error: `too-large`.
pub fn to_flat(tabm: &Tabm) -> Result<BTreeMap<String, Vec<u8>>> {
    tabm.check_depth()?;
    let mut flat = BTreeMap::new();
    flatten(tabm, "", &mut flat);
    Ok(flat)
}

/// The recursion is bounded by the check before it.
fn flatten(tabm: &Tabm, parent: &str, flat: &mut BTreeMap<String, Vec<u8>>) {
    for (key, node) in tabm {
        let path = if parent.is_empty() { key.clone() } else { format!("{parent}/{key}") };
        match node {
            Node::Binary(bytes) => {
                flat.insert(path, bytes.clone());
            }
            Node::Map(map) => flatten(map, &path, flat),
        }
    }
}

/// The message as lines, `path: value`, in the order of the paths. Nested messages are paths; [`Tabm::linked`] comes before, as a
/// node does it, if they shall be links. A value with a line feed in it is not the same when it is read. Error: `too-large`.
pub fn to_text(tabm: &Tabm) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for (path, value) in to_flat(tabm)? {
        for piece in [path.as_bytes(), b": ", &value, b"\n"] {
            text.extend_from_slice(piece);
        }
    }
    Ok(text)
}

/// The message of such lines. A line that `: ` does not cut into exactly two is passed over; of two with one path the later counts.
/// Errors: those of [`from_flat`], `message-malformed` (a path that is no text).
pub fn from_text(text: &[u8]) -> Result<Tabm> {
    let mut flat = BTreeMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        let cuts: Vec<usize> = (0..line.len()).filter(|at| line[*at..].starts_with(b": ")).collect();
        let [cut] = cuts.as_slice() else { continue };
        let path = std::str::from_utf8(&line[..*cut])
            .map_err(|cause| malformed("A path of a message is no text.").because(cause))?;
        if flat.len() >= MAX_PARTS {
            return Err(Error::new(Code::TooLarge, format!("A message has more than {MAX_PARTS} paths.")));
        }
        flat.insert(path.to_owned(), Node::Binary(line[cut + 2..].to_vec()));
    }
    from_flat(flat)
}

/// A message of the values under their paths; a value may be a message itself. Errors: `message-malformed` (a path that
/// leads through a binary, or to two values), `too-large`.
pub fn from_flat(flat: impl IntoIterator<Item = (String, Node)>) -> Result<Tabm> {
    let mut tabm = Tabm::new();
    for (count, (path, node)) in flat.into_iter().enumerate() {
        if count >= MAX_PARTS {
            return Err(Error::new(Code::TooLarge, format!("A message has more than {MAX_PARTS} paths.")));
        }
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        if steps.len() > MAX_DEPTH {
            return Err(too_deep());
        }
        put(&mut tabm, &steps, node).map_err(|error| error.at(format!("path `{}`", shown(&path))))?;
    }
    Ok(tabm)
}

fn put(tabm: &mut Tabm, steps: &[&str], node: Node) -> Result<()> {
    let collision = || malformed("Two values of a message are in each other's place.");
    let Some((first, rest)) = steps.split_first() else {
        return Err(malformed("A path of a message is empty."));
    };
    let here = tabm.remove(first);
    let new = match (here, rest.is_empty()) {
        (None, true) => node,
        (None, false) => {
            let mut map = Tabm::new();
            put(&mut map, rest, node)?;
            map.into()
        }
        (Some(Node::Map(mut map)), false) => {
            put(&mut map, rest, node)?;
            map.into()
        }
        (Some(Node::Map(mut map)), true) => {
            let Node::Map(more) = node else { return Err(collision()) };
            for (key, node) in more {
                if map.set(key, node).is_some() {
                    return Err(collision());
                }
            }
            map.into()
        }
        (Some(Node::Binary(_)), _) => return Err(collision()),
    };
    tabm.set(*first, new);
    Ok(())
}
