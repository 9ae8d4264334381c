//! Values as they stand between a message and a Lua machine: what HyperBEAM holds in memory from one slot to the next.
//!
//! A codec's [`Message`] has texts as keys and integers that fit; a state in memory may have whole numbers and truths as keys,
//! and integers of any length. Only what is written down becomes a [`Message`].

use std::collections::BTreeMap;

use num_bigint::BigInt;
use weft_codec::message::{Message, Value as Written};
use weft_codec::{Code, Error, Result};

use crate::{Host, LuaError, Value, Vm};

/// The deepest nesting of a state.
const MAX_DEPTH: usize = 64;
/// The most digits of an integer that a node can read again once it is written (findings of a live node).
const READABLE: u64 = 999_999_999_999_999;

/// A key of a map in memory, in Erlang's order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A whole number.
    Int(BigInt),
    /// `false` or `true`.
    Truth(bool),
    /// A text, or other bytes.
    Text(Vec<u8>),
}

impl Key {
    /// The key as AO-Core writes it: digits, a word, or the bytes.
    #[must_use]
    pub fn normal(&self) -> Vec<u8> {
        match self {
            Self::Int(number) => number.to_string().into_bytes(),
            Self::Truth(truth) => truth.to_string().into_bytes(),
            Self::Text(bytes) => bytes.clone(),
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }
}

/// A map of a state.
pub type Map = BTreeMap<Key, Held>;

/// A value of a state.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// A word: `true`, `false`, `null`, …
    Atom(String),
    /// An integer of any length.
    Int(BigInt),
    /// A float; finite.
    Float(f64),
    /// Bytes, text more often than not.
    Binary(Vec<u8>),
    /// Values in order.
    List(Vec<Held>),
    /// A message.
    Map(Map),
}

impl From<&str> for Held {
    fn from(text: &str) -> Self {
        Self::Binary(text.as_bytes().to_vec())
    }
}

impl From<i64> for Held {
    fn from(number: i64) -> Self {
        Self::Int(number.into())
    }
}

impl Held {
    /// The text of a binary that is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Binary(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The map.
    #[must_use]
    pub fn map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// What a codec's value is in memory. Errors: `message-malformed`, for a link, which must be loaded first.
    pub fn read(value: &Written) -> Result<Self> {
        Ok(match value {
            Written::Binary(bytes) => Self::Binary(bytes.clone()),
            Written::Integer(number) => Self::Int((*number).into()),
            Written::Float(number) => Self::Float(*number),
            Written::Atom(word) => Self::Atom(word.clone()),
            Written::List(values) => Self::List(values.iter().map(Self::read).collect::<Result<_>>()?),
            Written::Message(message) => Self::Map(read_message(message)?),
            Written::Link(id) => {
                return Err(Error::new(
                    Code::MessageMalformed,
                    format!("The message links to {id}, which is not here."),
                ));
            }
        })
    }

    /// The value as a codec writes it. Errors: `message-malformed` (a key that is no text, an integer of more than 64 bits),
    /// `too-large`.
    pub fn written(&self) -> Result<Written> {
        self.write(0)
    }

    fn write(&self, depth: usize) -> Result<Written> {
        if depth > MAX_DEPTH {
            return Err(Error::new(Code::TooLarge, format!("A state nests more than {MAX_DEPTH} deep.")));
        }
        Ok(match self {
            Self::Atom(word) => Written::Atom(word.clone()),
            Self::Int(number) => Written::Integer(i64::try_from(number).map_err(|_| {
                Error::new(Code::MessageMalformed, "An integer of more than 64 bits cannot be written.")
            })?),
            Self::Float(number) => Written::Float(*number),
            Self::Binary(bytes) => Written::Binary(bytes.clone()),
            Self::List(values) => {
                Written::List(values.iter().map(|value| value.write(depth + 1)).collect::<Result<_>>()?)
            }
            Self::Map(map) => Written::Message(write_map(map, depth + 1)?),
        })
    }

    /// Whether an integer in it is too long to be read again by a node that wrote it, and where the first one is.
    #[must_use]
    pub fn unreadable(&self) -> Option<String> {
        match self {
            Self::Int(number) => (number.magnitude() > &READABLE.into()).then(String::new),
            Self::List(values) => {
                let found = (1_usize..)
                    .zip(values)
                    .find_map(|(at, value)| Some((at.to_string(), value.unreadable()?)));
                found.map(|(key, rest)| joined(&key, &rest))
            }
            Self::Map(map) => map.iter().find_map(|(key, value)| {
                let rest = value.unreadable()?;
                Some(joined(&String::from_utf8_lossy(&key.normal()), &rest))
            }),
            _ => None,
        }
    }

    /// The value in a machine. Inner tables are made before outer ones, as Luerl makes them.
    ///
    /// # Errors
    /// Out of memory.
    pub fn given(&self, vm: &mut Vm) -> Result<Value, LuaError> {
        Ok(match self {
            Self::Atom(word) if word == "true" => Value::Bool(true),
            Self::Atom(word) if word == "false" => Value::Bool(false),
            Self::Atom(word) => vm.string(word),
            Self::Int(number) => vm.from_host(&Host::Int(number.clone()))?,
            Self::Float(number) => Value::Float(*number),
            Self::Binary(bytes) => vm.from_host(&Host::Bytes(bytes.clone()))?,
            Self::List(values) => {
                let entries: Vec<Value> =
                    values.iter().map(|value| value.given(vm)).collect::<Result<_, _>>()?;
                list_table(vm, &entries)
            }
            Self::Map(map) => match ordered(map) {
                Some(values) => {
                    let entries: Vec<Value> =
                        values.into_iter().map(|value| value.given(vm)).collect::<Result<_, _>>()?;
                    list_table(vm, &entries)
                }
                None => {
                    let mut entries = Vec::with_capacity(map.len());
                    for (key, value) in map {
                        entries.push((key_given(vm, key)?, value.given(vm)?));
                    }
                    let table = vm.table();
                    for (key, value) in entries {
                        vm.set(table, key, value);
                    }
                    Value::Table(table)
                }
            },
        })
    }

    /// What a machine's value is to HyperBEAM: an empty table is an empty map, one with the keys 1 to n, numbers or texts, a
    /// list. Functions and keys that are floats, tables or functions have no form.
    #[must_use]
    pub fn taken(host: &Host) -> Option<Self> {
        Some(match host {
            Host::Nil => Self::Atom("nil".to_owned()),
            Host::Bool(truth) => Self::Atom(truth.to_string()),
            Host::Int(number) => Self::Int(number.clone()),
            Host::Float(number) => Self::Float(*number),
            Host::Bytes(bytes) => Self::Binary(bytes.clone()),
            Host::Function(_) => return None,
            Host::Table(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    map.insert(key_taken(key)?, Self::taken(value)?);
                }
                match ordered(&map) {
                    Some(values) if !values.is_empty() => Self::List(values.into_iter().cloned().collect()),
                    _ => Self::Map(map),
                }
            }
        })
    }
}

/// A message in memory. Errors: `message-malformed`, for a link, which must be loaded first.
pub fn read_message(message: &Message) -> Result<Map> {
    message.iter().map(|(key, value)| Ok((Key::from(key.as_str()), Held::read(value)?))).collect()
}

/// A map as a message. Errors: those of [`Held::written`].
pub fn write_message(map: &Map) -> Result<Message> {
    write_map(map, 0)
}

fn write_map(map: &Map, depth: usize) -> Result<Message> {
    let entries = map.iter().map(|(key, value)| {
        let key = String::from_utf8(key.normal()).map_err(|cause| {
            Error::new(Code::MessageMalformed, "A key of the state is no text.").because(cause)
        })?;
        Ok((key, value.write(depth)?))
    });
    entries.collect()
}

/// The values of a map whose keys are 1 to n, as numbers or as texts. An empty one has none.
fn ordered(map: &Map) -> Option<Vec<&Held>> {
    let normal: BTreeMap<Vec<u8>, &Held> = map.iter().map(|(key, value)| (key.normal(), value)).collect();
    (1..=normal.len()).map(|at| normal.get(at.to_string().as_bytes()).copied()).collect()
}

fn joined(key: &str, rest: &str) -> String {
    if rest.is_empty() { key.to_owned() } else { format!("{key}/{rest}") }
}

fn list_table(vm: &mut Vm, entries: &[Value]) -> Value {
    let table = vm.table();
    for (at, value) in (1_i64..).zip(entries) {
        vm.set(table, Value::Int(at), *value);
    }
    Value::Table(table)
}

fn key_given(vm: &mut Vm, key: &Key) -> Result<Value, LuaError> {
    match key {
        Key::Int(number) => vm.from_host(&Host::Int(number.clone())),
        Key::Truth(truth) => Ok(Value::Bool(*truth)),
        Key::Text(bytes) => vm.from_host(&Host::Bytes(bytes.clone())),
    }
}

fn key_taken(key: &Host) -> Option<Key> {
    match key {
        Host::Int(number) => Some(Key::Int(number.clone())),
        Host::Bool(truth) => Some(Key::Truth(*truth)),
        Host::Bytes(bytes) => Some(Key::Text(bytes.clone())),
        _ => None,
    }
}
