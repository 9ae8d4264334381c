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
const MAX_COPIED: usize = 64 * 1024 * 1024;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn refused(path: &str) -> Code {
        let codes = Generation::ALL.map(|generation| parse_path(path, generation).unwrap_err().code());
        assert_eq!(codes[0], codes[1], "{path}");
        codes[0]
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert_eq!(refused(&"/a".repeat(MAX_PATH)), Code::TooLarge);
        assert_eq!(refused(&"/a".repeat(MAX_STEPS)), Code::TooLarge);
        assert_eq!(refused(&format!("/{}", "a".repeat(MAX_SEGMENT + 1))), Code::TooLarge);
        assert!(parse_path(&"a".repeat(MAX_SEGMENT), Generation::June2025).is_ok());
        let nested = |depth: usize| format!("/{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(refused(&nested(MAX_NESTED + 1)), Code::TooLarge);
        assert!(parse_path(&nested(MAX_NESTED), Generation::September2025).is_ok());
        // Each level puts the one below into all its steps.
        let copies = "/a/b/c/d?k+resolve=".repeat(MAX_NESTED) + "/a";
        assert_eq!(refused(&copies), Code::TooLarge);
        let body = Message::new().with("path", "/a".repeat(1000)).with("body", vec![0; 1 << 20]);
        assert_eq!(parse(&body, Generation::June2025).unwrap_err().code(), Code::TooLarge);
    }

    #[test]
    fn what_a_node_fails_over_is_refused() {
        for path in [
            "/a b/c",
            "/a?x.k=v",
            "/a?=v",
            "/a%zz",
            "/a?k=%z",
            "/a&k+integer=x",
            "/a?k+integer",
            "/a&k+odd=1",
        ] {
            assert_eq!(refused(path), Code::PathMalformed, "{path}");
        }
        assert_eq!(refused("/a~(b/c)"), Code::PathMalformed);
        let open = parse_path("/a&k=\"b", Generation::September2025);
        assert_eq!(open.unwrap_err().code(), Code::PathMalformed);
        let number = Message::new().with("path", 5);
        assert_eq!(parse(&number, Generation::June2025).unwrap_err().code(), Code::PathMalformed);
        assert_eq!(parse(&Message::new(), Generation::June2025).unwrap(), []);
    }

    #[test]
    fn keys_of_the_request_go_into_every_step() {
        let request =
            Message::new().with("path", "/a/b").with("1.k", "v").with("g+integer", "7").with("priv", "x");
        for generation in Generation::ALL {
            let steps = parse(&request, generation).unwrap();
            let keys = |step: &Step| match step {
                Step::Message(params) => params.keys().cloned().collect::<Vec<_>>().join(" "),
                other => panic!("{other:?}"),
            };
            assert_eq!(steps.iter().map(keys).collect::<Vec<_>>(), ["g", "g k path", "g path"]);
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "(/|a|k|~d@1\\.0|&|=|\\?|\\+|\\(|\\)|\"|%|%2|%26|\\.|1\\.| |integer|resolve|é|.){0,24}") {
            for generation in Generation::ALL {
                let steps = parse_path(&path, generation);
                prop_assert_eq!(steps.is_ok(), parse_path(&path, generation).is_ok());
            }
        }

        #[test]
        fn no_request_panics(
            device in "message|stack|dedup|patch|json|lookup|multipass|test-device|odd",
            keys in proptest::collection::vec(
                "set|keys|id|commit|verify|compute|all|serialize|deserialize|read|init|mul|append|remove|device|a|[a-z]{1,3}",
                0..4,
            ),
            params in "(&(a|body|from|patch-from|item|items|target|slot|args|passes|committers|type|mode|device)(=|\\+list=|\\+integer=|\\+map=)(1|a|/a/b|unsigned|Map|all|1,2|a=1|PATCH)){0,4}",
        ) {
            let path = format!("/~{device}@1.0{params}/{}{params}", keys.join("/"));
            let devices = super::super::device::Devices::standard();
            let limits = super::super::Limits { steps: 2000, depth: 24 };
            for generation in Generation::ALL {
                let core = super::super::Core::new(&devices, generation).with_limits(limits);
                let _ = core.request(&Message::new().with("path", path.as_str()));
            }
        }
    }
}
