//! The path grammar: a request as the messages that are resolved one after the other (reference ao-core.md §6; HyperBEAM
//! `hb_singleton.erl`, edge `3635c5e6` and `2b638f2b` of September 2025).
//!
//! ```text
//! path     = "/" segment *( "/" segment ) [ "?" query ]
//! segment  = id | [ key ] [ "~" device ] *( "&" param ) | "(" path ")"
//! param    = name [ "+" type ] "=" ( text | "(" path ")" ) | name
//! ```
//!
//! The two generations differ; each rule is tested against what HyperBEAM itself answers:
//!
//! | | June 2025 | September 2025 |
//! |---|---|---|
//! | escapes | the query found first; segments decoded twice | decoded, then the query found |
//! | a quotation `"…"` holds separators back | no | yes |
//! | `key=value` as a segment | a key of that name | key, and a parameter of that name |
//! | parameter of a segment against one of the query | the query counts | the segment counts |
//! | `~device` alone | has an empty `path` | has none |
//! | parameters of the query go into `key~device` | no | yes |
//! | letters of keys | become small | stay |
//!
//! Where HyperBEAM fails with an exception (500) the answer here is `path-malformed`. A quotation without an end is refused,
//! where HyperBEAM ends it itself.

mod build;
mod segment;
mod text;

use std::collections::BTreeMap;

use weft_codec::message::{Generation, Message, Value};
use weft_codec::{Code, Error, Result};

/// The longest path with its query, in bytes.
pub const MAX_PATH: usize = 16 * 1024;
/// The longest segment, in bytes: HyperBEAM's own limit.
pub const MAX_SEGMENT: usize = 512;
/// The most steps of a path, those of paths within it counted.
pub const MAX_STEPS: usize = 1024;
/// The deepest nesting of paths in paths.
pub const MAX_NESTED: usize = 16;
/// The most bytes that are copied when the parameters for all steps are put into each.
const MAX_COPIED: usize = 256 * 1024 * 1024;

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A message that is in the store, by its id: 32, 42 or 43 bytes.
    Id(String),
    /// A message. Its key `path` is what is asked of the result of the step before.
    Message(Params),
    /// A message under another device.
    As {
        /// The device's name.
        device: String,
        /// What is asked of it, or, without a path, what it is.
        message: Params,
    },
    /// A path in parentheses: its result stands here.
    Resolve(Vec<Self>),
}

/// The keys of a step.
pub type Params = BTreeMap<String, Param>;

/// A value of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// A value.
    Value(Value),
    /// A path whose result is the value.
    Resolve(Vec<Step>),
}

impl Param {
    /// The text of a value that is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Value(value) => value.as_text(),
            Self::Resolve(_) => None,
        }
    }
}

/// Whether a text is taken for the id of a message: by its length alone.
#[must_use]
pub fn is_id(text: &str) -> bool {
    matches!(text.len(), 32 | 42 | 43)
}

/// The steps of a request: its `path`, with its other keys as parameters of every step. None for the path `/`.
///
/// Errors: `path-malformed`, `too-large`.
pub fn parse(request: &Message, generation: Generation) -> Result<Vec<Step>> {
    let path = match request.get("path") {
        None => "",
        Some(value) => value.as_text().ok_or_else(|| malformed("The path of a request is no text."))?,
    };
    let others = request.iter().filter(|(key, _)| *key != "path");
    let others = others.map(|(key, value)| (key.clone(), Param::Value(value.clone()))).collect();
    Parser { generation, steps: 0 }.request(path, others, 0)
}

/// The steps of a path. Errors: those of [`parse`].
pub fn parse_path(path: &str, generation: Generation) -> Result<Vec<Step>> {
    Parser { generation, steps: 0 }.request(path, Params::new(), 0)
}

struct Parser {
    generation: Generation,
    /// How many steps there are so far.
    steps: usize,
}

impl Parser {
    fn request(&mut self, path: &str, mut others: Params, nested: usize) -> Result<Vec<Step>> {
        if path.len() > MAX_PATH {
            return Err(Error::new(Code::TooLarge, format!("A path has at most {MAX_PATH} bytes.")));
        }
        if nested > MAX_NESTED {
            let what = format!("Paths are in each other at most {MAX_NESTED} deep.");
            return Err(Error::new(Code::TooLarge, what));
        }
        let (segments, query) = self.segments_and_query(path)?;
        for (name, value) in text::query(&query)? {
            let value = value.map_or_else(|| true.into(), Value::Binary);
            others.insert(name, Param::Value(value));
        }
        let mut steps = Vec::new();
        for segment in &segments {
            steps.push(self.segment(segment, nested)?);
        }
        if matches!(steps.first(), Some(Step::Message(_))) {
            steps.insert(0, Step::Message(Params::new()));
        }
        self.steps += steps.len();
        if self.steps > MAX_STEPS {
            return Err(Error::new(Code::TooLarge, format!("A path has at most {MAX_STEPS} steps.")));
        }
        let mut typed = Params::new();
        for (name, value) in others {
            let (name, value) = self.typed(&name, value, nested)?;
            typed.insert(name, value);
        }
        build::build(steps, typed, self.generation)
    }

    /// The segments, decoded, and the query, not decoded.
    fn segments_and_query(&self, path: &str) -> Result<(Vec<String>, String)> {
        let generation = self.generation;
        let owned = |pieces: Vec<&str>| pieces.into_iter().map(str::to_owned).collect::<Vec<_>>();
        match generation {
            Generation::June2025 => {
                let (path, query) = path.split_once('?').unwrap_or((path, ""));
                let mut segments = Vec::new();
                for piece in text::pieces(path, b'/', generation)? {
                    let once = text::unescaped(piece)?;
                    // A slash that was escaped separates all the same.
                    segments.extend(owned(text::pieces(&text::unescaped(&once)?, b'/', generation)?));
                }
                Ok((segments, query.to_owned()))
            }
            Generation::September2025 => {
                let path = text::unescaped(path)?;
                let (_, path, query) = text::cut(&path, b"?", generation)?;
                Ok((owned(text::pieces(path, b'/', generation)?), query.to_owned()))
            }
        }
    }
}

fn malformed(sentence: impl Into<String>) -> Error {
    Error::new(Code::PathMalformed, sentence)
}

/// A piece of a path as a person may see it in a sentence.
fn shown(piece: &str) -> String {
    piece.chars().take(60).collect()
}
