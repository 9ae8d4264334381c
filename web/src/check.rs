//! What the page asks in `weft.check`. The shape is `CheckQuestion` of web/js/types.ts.

use std::str::FromStr;

use serde::Deserialize;
use weft_codec::{Code, Error, Id, Result};
use weft_node::check::{At, NodeAddress, Question};
use weft_node::{Options, Sources};

use crate::api::SyncOptions;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CheckQuestion {
    slot: Option<u64>,
    message: Option<String>,
    nodes: Vec<String>,
    #[serde(default)]
    all: bool,
    most_slots: Option<u64>,
    patience_ms: Option<u32>,
    #[serde(default)]
    sources: Sources,
    options: Option<SyncOptions>,
}

/// The question, read.
pub(crate) struct CheckAsked {
    pub(crate) question: Question,
    pub(crate) sources: Sources,
    pub(crate) options: Options,
}

impl CheckQuestion {
    pub(crate) fn read(self) -> Result<CheckAsked> {
        let at = match (self.slot, self.message) {
            (Some(_), Some(_)) => {
                let what = "Ask for a slot or for a message, not for both.";
                return Err(Error::new(Code::RequestInvalid, what));
            }
            (Some(slot), None) => At::Slot(slot),
            (None, Some(message)) => At::Message(Id::from_str(&message)?),
            (None, None) => At::Newest,
        };
        let nodes = self.nodes.iter().map(|node| NodeAddress::from_str(node)).collect::<Result<Vec<_>>>()?;
        let defaults = Question::new(nodes);
        let question = Question {
            at,
            all: self.all,
            most_slots: self.most_slots.unwrap_or(defaults.most_slots),
            patience_ms: self.patience_ms.unwrap_or(defaults.patience_ms),
            ..defaults
        };
        let options = self.options.map_or_else(|| Ok(Options::default()), SyncOptions::options)?;
        Ok(CheckAsked { question, sources: self.sources, options })
    }
}
