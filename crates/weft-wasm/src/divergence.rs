//! What two engines made of one message, where they differ.

use serde_json::{Value, json};
use weft_codec::{Code, Error};

use crate::outcome::Outcome;
use crate::pages::PAGE;
use crate::snapshot::Snapshot;

/// Begins a report.
const MAGIC: &[u8; 8] = b"weftdiff";

/// What two engines made of one message. Of each pair the first is the fast engine's, the second wasmi's.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// The name of the fast engine.
    pub engine: &'static str,
    /// The message.
    pub message: String,
    /// Its environment.
    pub env: String,
    /// The state before it.
    pub before: Snapshot,
    /// The outcomes.
    pub outcomes: [Outcome; 2],
    /// The states after it.
    pub after: [Snapshot; 2],
}

impl Divergence {
    /// The first page of the memory that differs.
    #[must_use]
    pub fn page(&self) -> Option<u64> {
        let [fast, reference] = &self.after;
        fast.first_difference(reference)
    }

    /// What differs, in a word each.
    fn parts(&self) -> Vec<&'static str> {
        let [ours, theirs] = &self.outcomes;
        let differs = [
            ("output", ours.output != theirs.output),
            ("messages", ours.messages != theirs.messages),
            ("spawns", ours.spawns != theirs.spawns),
            ("assignments", ours.assignments != theirs.assignments),
            ("patches", ours.patches != theirs.patches),
            ("error", ours.error != theirs.error || ours.failure != theirs.failure),
            ("rolled-back", ours.rolled_back != theirs.rolled_back),
            ("gas", ours.gas != theirs.gas),
            ("memory", self.page().is_some()),
        ];
        let mut parts: Vec<_> =
            differs.into_iter().filter_map(|(part, differs)| differs.then_some(part)).collect();
        if parts.is_empty() {
            parts.push("state");
        }
        parts
    }

    /// `engines-differ`.
    #[must_use]
    pub fn error(&self) -> Error {
        let parts = self.parts().join(", ");
        let sentence = format!(
            "The WebAssembly engine {} and the reference wasmi differ in a message ({parts}). No result is made of it.",
            self.engine
        );
        let error =
            Error::new(Code::EnginesDiffer, sentence).with("engine", self.engine).with("parts", parts);
        match self.page() {
            Some(page) => error.with("address", page.saturating_mul(PAGE as u64)),
            None => error,
        }
    }

    /// All of it as a file: `weftdiff`; the length of a JSON text in 4 bytes, little-endian, and the text, with `module`,
    /// `engine`, `differs`, `address`, `message`, `env` and `outcomes`; then the states before the message, after it on
    /// the fast engine, and after it on wasmi, each as a snapshot's bytes behind their length in 8 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let json: Value = json!({
            "module": self.before.module(),
            "engine": self.engine,
            "differs": self.parts(),
            "address": self.page().map(|page| page.saturating_mul(PAGE as u64)),
            "message": self.message,
            "env": self.env,
            "outcomes": self.outcomes,
        });
        let text = json.to_string().into_bytes();
        let mut out = MAGIC.to_vec();
        out.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend(text);
        let [fast, reference] = &self.after;
        for snapshot in [&self.before, fast, reference] {
            let bytes = snapshot.to_bytes();
            out.extend(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
            out.extend(bytes);
        }
        out
    }
}
