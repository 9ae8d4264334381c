//! A history of our own making, with a scheduler whose key we hold: what a real one would never sign can be signed
//! here.

use std::sync::OnceLock;

use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::Tag;
use weft_codec::{Address, Id};
use weft_verify::HistoryEntry;

use crate::signing::TestKey;

/// What an assignment says, as text, before it is signed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// `Process`
    pub process: String,
    /// `Message`, if it names one.
    pub message: Option<String>,
    /// `Epoch`
    pub epoch: String,
    /// `Nonce`
    pub slot: String,
    /// `Hash-Chain`
    pub hash_chain: String,
    /// `Block-Height`
    pub block_height: String,
    /// `Timestamp`
    pub timestamp: String,
    /// `Type`
    pub kind: String,
}

impl Draft {
    /// The assignment with the tags a scheduler unit writes, in its order, signed by the test key.
    #[must_use]
    pub fn sign(&self) -> DataItem {
        let mut tags = vec![
            Tag::new("Process", &self.process),
            Tag::new("Epoch", &self.epoch),
            Tag::new("Nonce", &self.slot),
            Tag::new("Hash-Chain", &self.hash_chain),
            Tag::new("Block-Height", &self.block_height),
            Tag::new("Timestamp", &self.timestamp),
            Tag::new("Data-Protocol", "ao"),
            Tag::new("Type", &self.kind),
            Tag::new("Variant", "ao.TN.1"),
        ];
        tags.extend(self.message.as_ref().map(|id| Tag::new("Message", id)));
        TestKey::get().item(Unsigned { anchor: Some([0xa7; 32]), tags, ..Unsigned::default() })
    }
}

/// A process, its entries from slot 0, and what was signed for each.
#[derive(Clone, Debug)]
pub struct OwnHistory {
    /// The process, whose scheduler is the test key.
    pub process: DataItem,
    /// The entries by slot; slot 0 is the process.
    pub entries: Vec<HistoryEntry>,
    /// What the assignments say, by slot.
    pub drafts: Vec<Draft>,
}

/// The process, naming a scheduler.
#[must_use]
pub fn own_process(scheduler: &Address) -> DataItem {
    let tags = vec![
        Tag::new("Data-Protocol", "ao"),
        Tag::new("Variant", "ao.TN.1"),
        Tag::new("Type", "Process"),
        Tag::new("Module", "Isk_GYo30Tyf5nLbVI6zEJIfFpiXQJd58IKcIkTu4no"),
        Tag::new("Scheduler", scheduler.as_str()),
    ];
    TestKey::get().item(Unsigned { tags, data: b" ".to_vec(), ..Unsigned::default() })
}

/// A message to a process.
#[must_use]
pub fn own_message(target: Id, data: &str) -> DataItem {
    let tags = vec![Tag::new("Data-Protocol", "ao"), Tag::new("Type", "Message"), Tag::new("Action", "Eval")];
    let data = data.as_bytes().to_vec();
    TestKey::get().item(Unsigned { target: Some(target), tags, data, ..Unsigned::default() })
}

/// The hash chain after an assignment (reference ao-messages.md §4).
#[must_use]
pub fn next_link(assignment: &DataItem, link: &str) -> String {
    let link: Vec<u8> = link.parse::<Id>().map(|id| id.0.to_vec()).unwrap_or_default();
    Id::sha256(&[assignment.id().0.to_vec(), link].concat()).to_string()
}

impl OwnHistory {
    /// Four slots: the process and three messages. Made once.
    pub fn get() -> &'static Self {
        static HISTORY: OnceLock<OwnHistory> = OnceLock::new();
        HISTORY.get_or_init(Self::make)
    }

    fn make() -> Self {
        let process = own_process(&TestKey::get().address());
        let id = process.id();
        let mut history = Self { process: process.clone(), entries: Vec::new(), drafts: Vec::new() };
        let mut hash_chain = Id::sha256(id.as_bytes()).to_string();
        for slot in 0..4_u64 {
            let message =
                if slot == 0 { process.clone() } else { own_message(id, &format!("return {slot}")) };
            let draft = Draft {
                process: id.to_string(),
                message: (slot > 0).then(|| message.id().to_string()),
                epoch: "0".into(),
                slot: slot.to_string(),
                hash_chain: hash_chain.clone(),
                block_height: format!("{:012}", 1_500_000 + slot),
                timestamp: (1_728_412_700_000 + 1000 * slot).to_string(),
                kind: "Assignment".into(),
            };
            let assignment = draft.sign();
            hash_chain = next_link(&assignment, &hash_chain);
            history.entries.push(HistoryEntry { assignment, message: Some(message) });
            history.drafts.push(draft);
        }
        history
    }
}
