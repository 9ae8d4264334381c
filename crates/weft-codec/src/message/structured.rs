//! `structured@1.0`: rich messages to and from [`Tabm`] (reference ao-core.md §2).

use super::types::{self, Types};
use super::{
    COMMITMENTS, Generation, LINK, MAX_DEPTH, Message, Node, PRIVATE, TYPES, Tabm, Value, malformed, shown,
    too_deep,
};
use crate::error::{Code, Error, Result};
use crate::id::Id;
use crate::structured_fields::{
    BareItem, Item, Keys, Member, parse_dictionary, parse_item, parse_list, serialise_bare,
};

/// Keys that are made anew whenever a message is encoded, and so are no content.
const REGENERATED: [&str; 2] = ["content-digest", "unsigned_id"];

/// A rich message as a [`Tabm`], nested messages inline; [`Tabm::linked`] replaces them by links. Private keys are
/// dropped.
///
/// Errors: `message-malformed` (a float that is not finite, a word that is none, two keys that become one),
/// `too-large`.
pub fn to_tabm(message: &Message, generation: Generation) -> Result<Tabm> {
    encode_entries(message.iter().map(|(key, value)| (key.as_str(), value)), generation, 0, None)
}

/// A [`Tabm`] as a rich message. Links stay links.
///
/// Errors: `message-malformed` (a value that is not of its type, an integer of more than fifteen digits), `too-large`.
pub fn from_tabm(tabm: &Tabm) -> Result<Message> {
    tabm.check_depth()?;
    match decode_map(tabm)? {
        Value::Message(message) => Ok(message),
        _ => Err(malformed("This is a list, not a message.")),
    }
}

/// A [`Tabm`] as a rich value: a list where its types say so. Errors: those of [`from_tabm`].
pub fn value_of(tabm: &Tabm) -> Result<Value> {
    tabm.check_depth()?;
    decode_map(tabm)
}

fn encode_entries<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
    generation: Generation,
    depth: usize,
    own_type: Option<&str>,
) -> Result<Tabm> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let mut tabm = Tabm::new();
    let mut types = Types::new();
    types.extend(own_type.map(|kind| (".".to_owned(), kind.to_owned())));
    for (name, value) in entries {
        let key = match value {
            Value::List(_) | Value::Message(_) => generation.nested_key(name),
            Value::Link(_) => generation.nested_key(&format!("{name}{LINK}")),
            _ => generation.key(name),
        };
        if key.starts_with(PRIVATE) || REGENERATED.contains(&key.as_str()) {
            continue;
        }
        if name == COMMITMENTS {
            tabm.set(COMMITMENTS, unannotated(value, depth)?);
            continue;
        }
        let (node, kind) = encode_value(value, generation, depth)?;
        if let Some(kind) = kind {
            types.insert(key.clone(), kind.to_owned());
        }
        if tabm.set(key, node).is_some() {
            return Err(malformed(format!("Two keys of a message are `{}`.", shown(&generation.key(name)))));
        }
    }
    if !types.is_empty() {
        tabm.set(TYPES, types::encode(&types)?);
    }
    Ok(tabm)
}

fn encode_value(value: &Value, generation: Generation, depth: usize) -> Result<(Node, Option<&'static str>)> {
    Ok(match value {
        Value::Binary(bytes) => (Node::Binary(bytes.clone()), None),
        Value::Integer(number) => (number.to_string().into(), Some("integer")),
        Value::Float(number) => (float_text(*number)?.into(), Some("float")),
        Value::Atom(word) => {
            let text = serialise_bare(&BareItem::Token(word.clone()))
                .map_err(|cause| malformed(format!("`{}` is no word.", shown(word))).because(cause))?;
            (text.into(), Some("atom"))
        }
        Value::List(values) => {
            let keys: Vec<String> = (1..=values.len()).map(|number| number.to_string()).collect();
            let entries = keys.iter().map(String::as_str).zip(values);
            (encode_entries(entries, generation, depth + 1, Some("list"))?.into(), None)
        }
        Value::Message(message) => {
            let entries = message.iter().map(|(key, value)| (key.as_str(), value));
            (encode_entries(entries, generation, depth + 1, None)?.into(), None)
        }
        Value::Link(id) => (id.to_string().into(), None),
    })
}

/// Commitments: keys as they are, no types noted. Their lists are numbered maps; one that is a list has been elsewhere, in a
/// script for instance, and is written as any other.
fn unannotated(value: &Value, depth: usize) -> Result<Node> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let map = |pairs: Vec<(String, &Value)>| -> Result<Node> {
        let entries = pairs.into_iter().map(|(key, value)| Ok((key, unannotated(value, depth + 1)?)));
        entries.collect::<Result<Tabm>>().map(Node::Map)
    };
    match value {
        Value::Message(message) => map(message.iter().map(|(key, value)| (key.clone(), value)).collect()),
        other => encode_value(other, Generation::September2025, depth).map(|(node, _)| node),
    }
}

/// Erlang's text: twenty digits after the point and an exponent of at least two.
fn float_text(number: f64) -> Result<String> {
    if !number.is_finite() {
        return Err(malformed("A float of a message is infinite, or not a number."));
    }
    let text = format!("{number:.20e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    Ok(format!("{digits}e{sign}{exponent:0>2}"))
}

/// The recursion is bounded by the check before it.
fn decode_map(tabm: &Tabm) -> Result<Value> {
    let mut types = match tabm.get(TYPES) {
        Some(Node::Binary(field)) => types::decode(field)?,
        Some(Node::Map(_)) => return Err(malformed("The types of a message are a message.")),
        None => Types::new(),
    };
    let is_list = types.remove(".").is_some_and(|kind| kind == "list");
    let mut entries = Vec::new();
    for (key, node) in tabm.iter().filter(|(key, _)| *key != TYPES) {
        entries.push(decode_entry(key, node, &types)?);
    }
    let message: Message = entries.into_iter().collect();
    if is_list { list_of(message) } else { Ok(Value::Message(message)) }
}

fn decode_entry(key: &str, node: &Node, types: &Types) -> Result<(String, Value)> {
    let place = |error: Error| error.at(format!("key `{}`", shown(key)));
    let value = match node {
        Node::Binary(bytes) => {
            if let Some(name) = key.strip_suffix(LINK) {
                let id = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<Id>().ok());
                let id = id.ok_or_else(|| place(malformed("A link is not an id.")))?;
                return Ok((name.to_owned(), Value::Link(id)));
            }
            match types.get(key) {
                Some(kind) => decode_value(kind, bytes).map_err(place)?,
                None => Value::Binary(bytes.clone()),
            }
        }
        // Commitments are not annotated: their lists are numbered maps.
        Node::Map(map) if key == COMMITMENTS => Value::Message(plain(map)),
        Node::Map(map) => decode_map(map)?,
    };
    Ok((key.to_owned(), value))
}

/// A map as it is, no types looked at.
fn plain(map: &Tabm) -> Message {
    let entries = map.iter().map(|(key, node)| match node {
        Node::Binary(bytes) => (key.clone(), Value::Binary(bytes.clone())),
        Node::Map(map) => (key.clone(), Value::Message(plain(map))),
    });
    entries.collect()
}

/// The values of keys `1`, `2`, …, or from another number on.
pub(super) fn list_of(message: Message) -> Result<Value> {
    let mut numbered = std::collections::BTreeMap::new();
    for (key, value) in message {
        let number: u64 = key.parse().map_err(|_| malformed("A list has a key that is no number."))?;
        numbered.insert(number, value);
    }
    let first = numbered.keys().next().copied().unwrap_or(1);
    if (first..).zip(numbered.keys()).any(|(wanted, there)| wanted != *there) {
        return Err(malformed("A list has a gap."));
    }
    Ok(Value::List(numbered.into_values().collect()))
}

/// A typed value from its text. Errors: `message-malformed`.
pub fn decode_value(kind: &str, text: &[u8]) -> Result<Value> {
    let not_of =
        |cause: Error| malformed(format!("A value is not of its type, `{}`.", shown(kind))).because(cause);
    match kind {
        "integer" => match parse_item(text).map_err(not_of)?.value {
            BareItem::Integer(number) => Ok(Value::Integer(number)),
            _ => Err(malformed("An integer is none.")),
        },
        "float" => float_of(text).map(Value::Float),
        "atom" => match parse_item(text).map_err(not_of)?.value {
            BareItem::Token(word) | BareItem::String(word) => Ok(Value::Atom(word)),
            _ => Err(malformed("A word is none.")),
        },
        "list" => {
            let list = parse_list(text).map_err(not_of)?;
            list.into_iter().map(list_member).collect::<Result<_>>().map(Value::List)
        }
        "map" => {
            let dictionary = parse_dictionary(text, Keys::HyperBeam).map_err(not_of)?;
            let entries = dictionary.into_iter().map(|(key, member)| Ok((key, plain_member(member)?)));
            entries.collect::<Result<_>>().map(Value::Message)
        }
        _ => Err(malformed(format!("`{}` is no type of a value.", shown(kind)))),
    }
}

/// What Erlang reads as a float: digits on both sides of a point, and perhaps an exponent.
fn float_of(text: &[u8]) -> Result<f64> {
    let refuse = || malformed("A float is none: it needs digits on both sides of a point.");
    let text = std::str::from_utf8(text).map_err(|_| refuse())?;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = digits.split_once('.').ok_or_else(refuse)?;
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if ![whole, fraction, exponent].into_iter().all(all_digits) {
        return Err(refuse());
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(refuse)
}

/// A member of the older form of a list, `"(ao-type-integer) 1", "two"`.
fn list_member(member: Member) -> Result<Value> {
    if let Member::Item(Item { value: BareItem::String(text), .. }) = &member
        && let Some((kind, rest)) = text.strip_prefix("(ao-type-").and_then(|text| text.split_once(") "))
    {
        // A list in such a list would nest without a bound.
        return match kind {
            "list" | "map" => Err(malformed("A list in the text of a list is not read.")),
            _ => decode_value(kind, rest.as_bytes()),
        };
    }
    plain_member(member)
}

fn plain_member(member: Member) -> Result<Value> {
    let Member::Item(item) = member else {
        return Err(malformed("A list in the text of a list is not read."));
    };
    Ok(match item.value {
        BareItem::Integer(number) => Value::Integer(number),
        BareItem::Decimal(number) => float_of(number.to_string().as_bytes()).map(Value::Float)?,
        BareItem::String(text) => text.into(),
        BareItem::Token(word) => Value::Atom(word),
        BareItem::Bytes(bytes) => bytes.into(),
        BareItem::Boolean(truth) => truth.into(),
        BareItem::Date(_) | BareItem::Display(_) => {
            return Err(Error::new(Code::MessageMalformed, "A message has no dates and no display strings."));
        }
    })
}
