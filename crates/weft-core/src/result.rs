//! What a process answers to one slot.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use weft_codec::Id;
use weft_wasm::RanOn;

/// The result of one slot: the legacy compute unit's result object (scheduler-and-cu-api.md 2.1) and what we
/// know beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotResult {
    /// The slot (`Nonce`).
    pub slot: u64,
    /// The message's id; of an Assign the assigned id.
    pub message: Id,
    /// The assignment's `Timestamp`, milliseconds since 1970.
    pub timestamp: u64,
    /// The assignment's `Block-Height`.
    pub block_height: u64,
    /// `Output`: text, object, or `""`.
    pub output: Value,
    /// `Messages`: the outbox.
    pub messages: Vec<Value>,
    /// `Spawns`.
    pub spawns: Vec<Value>,
    /// `Assignments`.
    pub assignments: Vec<Value>,
    /// `Error`, if the message failed.
    pub error: Option<Value>,
    /// Gas: units of our own meter for this message. Not comparable with `GasUsed` of other nodes.
    pub gas: u64,
    /// Of a wasm process: the version of the rewrite that counted the gas ([`weft_wasm::rewrite::VERSION`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_version: Option<u32>,
    /// Of a wasm process: which engine made it. `fast` is the browser's own WebAssembly, `reference` wasmi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_on: Option<RanOn>,
    /// The state is that of before the message.
    pub rolled_back: bool,
    /// The stable code of a failure below the program: `trap`, `gas-limit`, `memory-limit`, `result-malformed`; of a Lua process
    /// `lua-failed`, `lua-thrown`, `lua-unreadable`, `lua-stuck`.
    pub failure: Option<String>,
    /// A second copy of a message that was evaluated at this earlier slot: it was not evaluated again.
    pub duplicate_of: Option<u64>,
    /// Of a Lua process: the whole `results` of the state, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Value>,
    /// Of a Lua process: what made the result depend on more than the history, such as `os.time`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_replayable: Vec<String>,
    /// Of a Lua process: the first earlier slot with `not_replayable`. The state this one went on from is that slot's, so this
    /// result depends on more than the history as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows_not_replayable: Option<u64>,
    /// Of a Lua process: the earlier slot that stopped it for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<u64>,
}

impl SlotResult {
    /// The result object of a legacy compute unit, `Memory` removed (scheduler-and-cu-api.md 2.1).
    #[must_use]
    pub fn to_legacy(&self) -> Value {
        let mut object = Map::new();
        object.insert("Messages".into(), json!(self.messages));
        object.insert("Assignments".into(), json!(self.assignments));
        object.insert("Spawns".into(), json!(self.spawns));
        object.insert("Output".into(), self.output.clone());
        if let Some(error) = &self.error {
            object.insert("Error".into(), error.clone());
        }
        object.insert("GasUsed".into(), json!(self.gas));
        Value::Object(object)
    }
}
