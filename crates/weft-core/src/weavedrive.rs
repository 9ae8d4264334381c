//! WeaveDrive: which items on Arweave a process may read, and what it finds under their paths.
//!
//! The rules are those of npm `@permaweb/weavedrive` 0.0.18, which the network's compute units hand to their loader. A process may read the
//! item that its `On-Boot` tag names. It may read another one if it or its module has the tag `Extension: WeaveDrive`, and an index has
//! an attestation of the item by the process's scheduler or an `Attestor` of it, no later than the block of the message. Blocks and
//! transactions need nothing.
//!
//! What an index lists is its word; nothing here is proved by it.

use serde_json::Value;
use weft_codec::tags::Tag;
use weft_codec::{Code, Error, Id, Result, base64url};

/// How an item becomes available: `Availability-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The scheduler or an attestor attests.
    Assignments,
    /// Or one of them says that it is available.
    Individual,
    /// Not in the reference.
    Library,
}

/// What a process may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    boot: Option<String>,
    extension: bool,
    /// `Err`: a mode that is none.
    mode: std::result::Result<Mode, String>,
    attestors: Vec<String>,
}

/// Whether an item may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Open,
    /// It may not: no compute unit has a result of the message.
    Closed,
    /// It may if an index has a result for one of these, asked in this order.
    Ask {
        /// The questions.
        questions: Vec<Question>,
        /// What it means that there is none: it may not be read, or (`false`) the reference cannot say.
        else_closed: bool,
    },
}

/// A question to an index: is there a transaction of these owners with these tags, up to this block?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Addresses.
    pub owners: Vec<String>,
    /// The height of the last block that counts.
    pub last_block: u64,
    /// Names and values.
    pub tags: [(&'static str, String); 3],
}

/// The last value of a tag.
fn last<'a>(tags: &'a [Tag], name: &str) -> Option<&'a str> {
    tags.iter().rfind(|tag| tag.name == name).map(|tag| tag.value.as_str()).filter(|value| !value.is_empty())
}

impl Availability {
    /// Reads the tags of a process and of its module.
    #[must_use]
    pub fn of(process: &[Tag], module: &[Tag]) -> Self {
        let extends = |tag: &Tag| tag.name == "Extension" && tag.value == "WeaveDrive";
        let mode = last(process, "Availability-Type").or_else(|| last(module, "Availability-Type"));
        let mode = match mode {
            None | Some("Assignments") => Ok(Mode::Assignments),
            Some("Individual") => Ok(Mode::Individual),
            Some("Library") => Ok(Mode::Library),
            Some(other) => Err(other.to_owned()),
        };
        let scheduler = last(process, "Scheduler").into_iter();
        let attestors = process.iter().filter(|tag| tag.name == "Attestor").map(|tag| tag.value.as_str());
        Self {
            boot: last(process, "On-Boot").map(str::to_owned),
            extension: module.iter().chain(process).any(extends),
            mode,
            attestors: scheduler
                .chain(attestors.filter(|value| !value.is_empty()))
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Whether the process may read an item, in a message of this block.
    ///
    /// # Errors
    /// `extension-unsupported` for an `Availability-Type` that there is none of; the reference throws as well.
    pub fn of_item(&self, id: &str, block_height: u64) -> Result<Admission> {
        if self.boot.as_deref() == Some(id) {
            return Ok(Admission::Open);
        }
        if !self.extension {
            return Ok(Admission::Closed);
        }
        let mode = *self.mode.as_ref().map_err(|other| {
            let shown: String = other.chars().take(60).collect();
            Error::new(
                Code::ExtensionUnsupported,
                format!("The process's Availability-Type “{shown}” is none of WeaveDrive's."),
            )
        })?;
        let ask = |kind: &str, key: &'static str, protocol: &str| Question {
            owners: self.attestors.clone(),
            last_block: block_height,
            tags: [("Type", kind.to_owned()), (key, id.to_owned()), ("Data-Protocol", protocol.to_owned())],
        };
        let mut questions = vec![ask("Attestation", "Message", "ao")];
        if mode == Mode::Individual {
            questions.push(ask("Available", "ID", "WeaveDrive"));
        }
        Ok(Admission::Ask { questions, else_closed: mode != Mode::Library })
    }
}

/// The file of a transaction: what a gateway says of it, with the address of its owner at the end.
///
/// # Errors
/// `json-invalid` if it is no transaction's JSON.
pub fn transaction_file(json: &str) -> Result<String> {
    let invalid = |what: &str| Error::new(Code::JsonInvalid, format!("the transaction {what}"));
    let value: Value = serde_json::from_str(json).map_err(|cause| invalid("is not JSON").because(cause))?;
    let Value::Object(mut transaction) = value else { return Err(invalid("is not an object")) };
    let owner = transaction.get("owner").and_then(Value::as_str).ok_or_else(|| invalid("has no owner"))?;
    let owner = base64url::decode(owner)?;
    transaction.shift_remove("ownerAddress");
    transaction.insert("ownerAddress".to_owned(), Value::String(Id::sha256(&owner).to_string()));
    Ok(Value::Object(transaction).to_string())
}
