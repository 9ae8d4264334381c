//! When two answers are equal, and where they differ. docs/compare.md tells the same to users.
//!
//! What is compared is the legacy compute unit's result object (scheduler-and-cu-api.md 2.1), in the form in which
//! that unit keeps it (`effects/worker/evaluate.js` `mergeOutput`): `Output`, `Messages`, `Spawns`, `Assignments`
//! and `Error`. What is not there is empty, an `Output` that is a number is its text. `GasUsed` is left out, since
//! units count it differently (wasm-modules.md 5), and so is everything a unit adds beside these.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use weft_codec::{Code, Error, Result};
use weft_core::SlotResult;

/// The most differences that are listed of one slot.
pub const MAX_DIFFERENCES: usize = 64;
/// How much of a value is shown, in characters.
const SHOWN_CHARS: usize = 2_000;
/// How much that is equal is shown before the place where two texts part.
const LEAD_CHARS: usize = 80;

/// One place where two answers differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Where: `Output`, `Messages[0].Tags[2].value`, ….
    pub path: String,
    /// What this node computed; absent where it has nothing there. Long values are cut around the place where
    /// they part, marked with `…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Value>,
    /// What the other node answered, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Value>,
}

/// An answer, in the form in which it is compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    output: Value,
    messages: Vec<Value>,
    spawns: Vec<Value>,
    assignments: Vec<Value>,
    error: Option<Value>,
    /// The failure lies below the program: what it is called is each node's own affair.
    below: bool,
}

impl Answer {
    /// What this node computed.
    pub(crate) fn ours(result: &SlotResult) -> Self {
        Self {
            output: printed(Some(&result.output)),
            messages: result.messages.clone(),
            spawns: result.spawns.clone(),
            assignments: result.assignments.clone(),
            error: result.error.clone().filter(|error| !error.is_null()),
            below: result.failure.is_some(),
        }
    }

    /// What another node answered. Error: `source-garbled` for what is no result object.
    pub(crate) fn theirs(value: Value) -> Result<Self> {
        let garbled =
            |what: &str| Error::new(Code::SourceGarbled, format!("Its answer is no result: {what}."));
        let Value::Object(mut object) = value else { return Err(garbled("it is no JSON object")) };
        // A unit that refuses says so with a status; one that does it with 200 has none of these either.
        if !["Output", "Messages", "Error"].iter().any(|key| object.contains_key(*key)) {
            return Err(garbled("it has none of Output, Messages, Error"));
        }
        let mut list = |key: &str| match object.remove(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(garbled(&format!("{key} is no list"))),
        };
        let (messages, spawns, assignments) = (list("Messages")?, list("Spawns")?, list("Assignments")?);
        Ok(Self {
            output: printed(object.get("Output")),
            messages,
            spawns,
            assignments,
            error: object.remove("Error").filter(|error| !error.is_null()),
            below: false,
        })
    }

    /// Where the other answer differs from this one, which is ours: at most [`MAX_DIFFERENCES`] places.
    pub(crate) fn differences(&self, theirs: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        walk("Output", Some(&self.output), Some(&theirs.output), &mut found);
        for (name, ours, theirs) in [
            ("Messages", &self.messages, &theirs.messages),
            ("Spawns", &self.spawns, &theirs.spawns),
            ("Assignments", &self.assignments, &theirs.assignments),
        ] {
            walk_list(name, ours, theirs, &mut found);
        }
        match (&self.error, &theirs.error) {
            (Some(Value::String(_)), Some(Value::String(_))) if !self.below => {
                walk("Error", self.error.as_ref(), theirs.error.as_ref(), &mut found);
            }
            // That the message failed is all two engines say in the same words.
            (Some(_), Some(_)) | (None, None) => {}
            (ours, theirs) => walk("Error", ours.as_ref(), theirs.as_ref(), &mut found),
        }
        found
    }
}

/// An `Output` as a compute unit keeps it. Nothing, in whichever way it is written, is empty text.
fn printed(output: Option<&Value>) -> Value {
    match output {
        None | Some(Value::Null) => Value::String(String::new()),
        Some(Value::Object(object)) if object.is_empty() => Value::String(String::new()),
        Some(Value::Number(number)) => Value::String(number.to_string()),
        Some(other) => other.clone(),
    }
}

fn walk(path: &str, ours: Option<&Value>, theirs: Option<&Value>, found: &mut Vec<Difference>) {
    if found.len() >= MAX_DIFFERENCES {
        return;
    }
    match (ours, theirs) {
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) => walk_object(path, ours, theirs, found),
        (Some(Value::Array(ours)), Some(Value::Array(theirs))) => walk_list(path, ours, theirs, found),
        (Some(ours), Some(theirs)) if same(ours, theirs) => {}
        (Some(Value::String(ours)), Some(Value::String(theirs))) => {
            let (ours, theirs) = excerpts(ours, theirs);
            found.push(Difference { path: path.to_owned(), ours: Some(ours), theirs: Some(theirs) });
        }
        (ours, theirs) => {
            let (ours, theirs) = (ours.map(shown), theirs.map(shown));
            found.push(Difference { path: path.to_owned(), ours, theirs });
        }
    }
}

/// The order of keys says nothing.
fn walk_object(
    path: &str,
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
    found: &mut Vec<Difference>,
) {
    let keys = ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key)));
    for key in keys {
        let name: String = key.chars().take(LEAD_CHARS).collect();
        walk(&format!("{path}.{name}"), ours.get(key), theirs.get(key), found);
    }
}

/// The order of a list is part of the answer.
fn walk_list(path: &str, ours: &[Value], theirs: &[Value], found: &mut Vec<Difference>) {
    for index in 0..ours.len().max(theirs.len()) {
        if found.len() >= MAX_DIFFERENCES {
            return;
        }
        walk(&format!("{path}[{index}]"), ours.get(index), theirs.get(index), found);
    }
}

/// Whether two values that are not both lists or both objects are the same. Numbers are compared as the doubles
/// that a compute unit, written in JavaScript, reads them into: it prints `1.0` as `1`.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a == b)
        }
        _ => ours == theirs,
    }
}

/// A value short enough to show.
fn shown(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().nth(SHOWN_CHARS).is_none() { value.clone() } else { Value::String(cut(&text, 0)) }
}

/// Two texts, cut to where they part.
fn excerpts(ours: &str, theirs: &str) -> (Value, Value) {
    let short = |text: &str| text.chars().nth(SHOWN_CHARS).is_none();
    if short(ours) && short(theirs) {
        return (ours.into(), theirs.into());
    }
    let equal = ours.chars().zip(theirs.chars()).take_while(|(a, b)| a == b).count();
    let from = equal.saturating_sub(LEAD_CHARS);
    (cut(ours, from).into(), cut(theirs, from).into())
}

fn cut(text: &str, from: usize) -> String {
    let mut rest = text.chars().skip(from);
    let mut part: String = rest.by_ref().take(SHOWN_CHARS).collect();
    if from > 0 {
        part.insert(0, '…');
    }
    if rest.next().is_some() {
        part.push('…');
    }
    part
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(value: Value) -> Answer {
        Answer::theirs(value).unwrap()
    }

    fn paths(ours: Value, theirs: Value) -> Vec<String> {
        let (ours, theirs) = (answer(ours), answer(theirs));
        ours.differences(&theirs).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn what_a_unit_adds_or_leaves_out_is_no_difference() {
        let ours = json!({"Output": "", "Messages": [], "Spawns": [], "Assignments": [], "GasUsed": 5});
        for theirs in [
            json!({"Messages": []}),
            json!({"Output": null, "Messages": null, "GasUsed": 9}),
            json!({"Output": {}, "Spawns": [], "Error": null, "Extra": 1}),
        ] {
            assert_eq!(paths(ours.clone(), theirs), [""; 0]);
        }
        assert_eq!(paths(json!({"Output": 12}), json!({"Output": "12"})), [""; 0]);
    }

    #[test]
    fn the_order_of_keys_says_nothing_and_that_of_messages_is_compared() {
        let a = json!({"Target": "a", "Data": "1", "Tags": [{"name": "X", "value": "1"}]});
        let b = json!({"Tags": [{"value": "1", "name": "X"}], "Data": "1", "Target": "a"});
        assert_eq!(paths(json!({"Messages": [a]}), json!({"Messages": [b]})), [""; 0]);
        let c = json!({"Target": "c"});
        let both =
            paths(json!({"Messages": [{"Target": "a"}, c]}), json!({"Messages": [c, {"Target": "a"}]}));
        assert_eq!(both, ["Messages[0].Target", "Messages[1].Target"]);
    }

    #[test]
    fn every_field_is_compared_and_named() {
        let ours = json!({"Output": {"data": "1"}, "Messages": [{"Data": "1", "Tags": [{"name": "A", "value": "1"}]}]});
        let theirs = json!({"Output": {"data": "2"}, "Messages": [{"Data": "1", "Tags": [{"name": "A", "value": "2"}]}, {}],
            "Spawns": [{}], "Assignments": [{"Message": "m"}], "Error": "no"});
        assert_eq!(
            paths(ours, theirs),
            [
                "Output.data",
                "Messages[0].Tags[0].value",
                "Messages[1]",
                "Spawns[0]",
                "Assignments[0]",
                "Error"
            ]
        );
    }

    #[test]
    fn numbers_are_doubles() {
        assert_eq!(paths(json!({"Output": {"n": 1.0}}), json!({"Output": {"n": 1}})), [""; 0]);
        assert_eq!(paths(json!({"Output": {"n": 1.5}}), json!({"Output": {"n": 1}})), ["Output.n"]);
    }

    #[test]
    fn a_trap_has_no_words_that_two_engines_share() {
        let mut ours = answer(json!({"Error": "unreachable"}));
        let theirs = answer(json!({"Error": "RuntimeError: unreachable"}));
        assert_eq!(ours.differences(&theirs).len(), 1);
        ours.below = true;
        assert!(ours.differences(&theirs).is_empty());
        assert_eq!(
            ours.differences(&answer(json!({"Output": ""}))).len(),
            1,
            "but that it failed is compared"
        );
    }

    #[test]
    fn what_is_no_result_is_garbled() {
        for value in [json!([]), json!({}), json!({"error": "no"}), json!({"Messages": {}}), json!("x")] {
            assert_eq!(Answer::theirs(value).unwrap_err().code(), Code::SourceGarbled);
        }
    }

    #[test]
    fn differences_and_their_values_are_bounded() {
        let many: Vec<Value> = (0..1_000).map(|number| json!({"Data": number})).collect();
        assert_eq!(paths(json!({"Messages": []}), json!({"Messages": many})).len(), MAX_DIFFERENCES);
        let (ours, theirs) = ("x".repeat(50_000) + "1", "x".repeat(50_000) + "2" + &"y".repeat(50_000));
        let (ours, theirs) = (answer(json!({"Output": ours})), answer(json!({"Output": theirs})));
        let all = ours.differences(&theirs);
        let (ours, theirs) = (all[0].ours.as_ref().unwrap(), all[0].theirs.as_ref().unwrap());
        assert_eq!(ours.as_str().unwrap(), format!("…{}1", "x".repeat(LEAD_CHARS)));
        assert!(theirs.as_str().unwrap().chars().count() <= SHOWN_CHARS + 2);
    }
}
