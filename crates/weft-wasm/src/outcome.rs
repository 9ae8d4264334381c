//! What one message gave.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use weft_codec::{Code, Error, Result};

/// Deepest nesting of arrays and objects in an answer. `JSON.parse` of the reference has no limit; ours keeps the call
/// stack small in a browser.
const MAX_DEPTH: usize = 256;

/// What one message gave, whether it succeeded or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// `Output` as the module gave it; null if it gave none.
    pub output: Value,
    /// `Messages` to be pushed.
    pub messages: Vec<Value>,
    /// `Spawns` to be pushed.
    pub spawns: Vec<Value>,
    /// `Assignments` to be pushed.
    pub assignments: Vec<Value>,
    /// `Patches`, a HyperBEAM addition.
    pub patches: Vec<Value>,
    /// Why the message failed: the module's own `Error`, or our sentence when [`Outcome::failure`] is set.
    pub error: Option<Value>,
    /// Gas of this message, in units of [`crate::rewrite`].
    pub gas: u64,
    /// What stopped the module, if it did not answer by itself: trap, gas-limit, memory-limit, result-malformed.
    #[serde(serialize_with = "code_text")]
    pub failure: Option<Code>,
    /// Whether the memory is that of before the message.
    pub rolled_back: bool,
}

fn code_text<S: serde::Serializer>(code: &Option<Code>, serializer: S) -> Result<S::Ok, S::Error> {
    code.map(Code::as_str).serialize(serializer)
}

/// How the state goes on after a message, by the legacy CU's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The new memory stands.
    Advance,
    /// The previous memory stands and the instance is dropped.
    Drop,
    /// The previous memory is written over the instance, which lives on.
    Overwrite,
}

impl Outcome {
    /// An outcome for a module that did not answer.
    pub(crate) fn failed(code: Code, sentence: String) -> Self {
        Self { error: Some(Value::String(sentence)), failure: Some(code), ..Self::default() }
    }

    /// Reads the answer of `handle`: `{"ok": …, "response": {…}}` (wasm-modules §4.3).
    ///
    /// # Errors
    /// `result-malformed` with a sentence that says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        check_depth(text)?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.disable_recursion_limit();
        let value = Value::deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value))
            .map_err(|error| malformed(format!("it is not JSON: {error}")))?;
        let Value::Object(mut answer) = value else {
            return Err(malformed("it is not a JSON object".to_owned()));
        };
        let response = answer.remove("response").unwrap_or(Value::Null);
        if !answer.get("ok").is_some_and(truthy) {
            // The loader throws the response as it is.
            return Ok(Self { error: Some(response), ..Self::default() });
        }
        let mut response = match response {
            Value::Object(response) => response,
            Value::Null => return Err(malformed("it has no “response”".to_owned())),
            // The loader asks it for its parts, of which it has none.
            _ => Map::new(),
        };
        Ok(Self {
            output: response.remove("Output").unwrap_or(Value::Null),
            messages: list(&mut response, "Messages")?,
            spawns: list(&mut response, "Spawns")?,
            assignments: list(&mut response, "Assignments")?,
            patches: list(&mut response, "Patches")?,
            error: response.remove("Error").filter(|error| !error.is_null()),
            ..Self::default()
        })
    }

    /// The legacy CU's rule (permaweb/ao `servers/cu/src/effects/worker/evaluate.js`, `mergeOutput`): an `Error` that is
    /// true in JavaScript drops the instance; an output that ends in the buffer allocation text, and a thrown value that
    /// is false, leave the instance but not its memory.
    pub(crate) fn verdict(&self) -> Verdict {
        if self.failure.is_some() || self.error.as_ref().is_some_and(truthy) {
            return Verdict::Drop;
        }
        let thrown_but_false = self.error.is_some() && self.output.is_null();
        if thrown_but_false || self.output_text().ends_with("not enough memory for buffer allocation") {
            return Verdict::Overwrite;
        }
        Verdict::Advance
    }

    fn output_text(&self) -> &str {
        match &self.output {
            Value::String(text) => text,
            Value::Object(output) => output
                .get("data")
                .and_then(|data| data.get("output"))
                .and_then(Value::as_str)
                .unwrap_or_default(),
            _ => "",
        }
    }
}

/// What JavaScript takes for true.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// A list, or nothing. Lua's empty table may come out as an empty object.
fn list(response: &mut Map<String, Value>, name: &str) -> Result<Vec<Value>> {
    match response.remove(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(Value::Object(items)) if items.is_empty() => Ok(Vec::new()),
        Some(_) => Err(malformed(format!("its “{name}” is not a list"))),
    }
}

fn malformed(what: String) -> Error {
    Error::new(Code::ResultMalformed, format!("the module's answer cannot be used: {what}"))
}

/// Refuses an answer that nests too deeply, before anything recurses into it.
fn check_depth(text: &str) -> Result<()> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => (),
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => (),
        }
        if depth > MAX_DEPTH {
            return Err(malformed(format!("it nests deeper than {MAX_DEPTH} levels")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_a_full_answer() {
        let outcome = Outcome::parse(
            r#"{"ok":true,"response":{"Output":{"data":"2"},"Messages":[{"Target":"a"}],"Spawns":{},"Assignments":[]}}"#,
        )
        .unwrap();
        assert_eq!(outcome.output, json!({"data": "2"}));
        assert_eq!(outcome.messages, vec![json!({"Target": "a"})]);
        assert!(outcome.spawns.is_empty() && outcome.patches.is_empty() && outcome.error.is_none());
        assert_eq!(outcome.verdict(), Verdict::Advance);
    }

    #[test]
    fn follows_the_cu_on_errors() {
        let verdict = |text: &str| Outcome::parse(text).unwrap().verdict();
        assert_eq!(verdict(r#"{"ok":true,"response":{"Error":"no"}}"#), Verdict::Drop);
        assert_eq!(verdict(r#"{"ok":true,"response":{"Error":{}}}"#), Verdict::Drop);
        assert_eq!(verdict(r#"{"ok":false,"response":"no"}"#), Verdict::Drop);
        // false in JavaScript: not an error for the CU
        assert_eq!(verdict(r#"{"ok":true,"response":{"Error":"","Output":"x"}}"#), Verdict::Advance);
        assert_eq!(verdict(r#"{"ok":false}"#), Verdict::Overwrite);
        let text = "x: not enough memory for buffer allocation";
        for output in [json!(text), json!({"data": {"output": text}})] {
            let answer = json!({"ok": true, "response": {"Output": output}}).to_string();
            assert_eq!(verdict(&answer), Verdict::Overwrite, "{answer}");
        }
        let elsewhere = json!({"ok": true, "response": {"Output": {"data": text}}}).to_string();
        assert_eq!(verdict(&elsewhere), Verdict::Advance);
    }

    #[test]
    fn refuses_what_is_not_an_answer() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for text in [
            "",
            "1",
            "[]",
            "{\"ok\":true}",
            "{\"ok\":true,\"response\":{\"Messages\":3}}",
            "{} x",
            deep.as_str(),
        ] {
            let answer = Outcome::parse(text);
            let refused = answer.as_ref().is_err_and(|error| error.code() == Code::ResultMalformed);
            assert!(refused, "{:.40}: {answer:?}", text);
        }
        let nested =
            format!("{{\"ok\":true,\"response\":{{\"Output\":{}1{}}}}}", "[".repeat(200), "]".repeat(200));
        assert!(Outcome::parse(&nested).is_ok());
    }
}
