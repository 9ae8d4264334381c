//! A small network of our own: a module, a process, a history signed with the test key, and the scheduler and
//! gateway that serve them, honest or not.

pub mod hyperbeam;
mod network;
mod program;
mod stage;

use std::cell::RefCell;
use std::collections::BTreeMap;

use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::Tag;
use weft_codec::transaction::Transaction;
use weft_codec::{Id, base64url};
use weft_verify::HistoryEntry;

use crate::history::{Draft, next_link};
use crate::signing::TestKey;

pub use network::{Network, Site, gateway, html, json_answer, scheduler, status};
pub use program::{program, wasm};
pub use stage::{GATEWAY, Log, SU, Stage, StageNode, sources, sources_of};

/// The time of slot 0, in milliseconds.
pub const START_MS: u64 = 1_728_412_700_000;
/// The block height of slot 0.
pub const START_HEIGHT: u64 = 1_500_000;

/// What a process of ours is like.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Tags of the process beside the required ones.
    pub process_tags: Vec<Tag>,
    /// `Type` of the process item.
    pub process_type: &'static str,
    /// `Module-Format`.
    pub format: &'static str,
    /// `Content-Type` of the module item, in place of `Module-Format` and what belongs to it.
    pub content_type: Option<&'static str>,
    /// `Type` of the module item.
    pub module_type: &'static str,
    /// The module's bytes.
    pub wasm: Vec<u8>,
    /// Whether the process stands at slot 0, as since the boot loader.
    pub boot_loader: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            process_tags: Vec::new(),
            process_type: "Process",
            format: "wasm32-unknown-unknown",
            content_type: None,
            module_type: "Module",
            wasm: wasm(),
            boot_loader: true,
        }
    }
}

/// A process, its module, its history, and what else a gateway has.
#[derive(Debug)]
pub struct World {
    /// The module.
    pub module: DataItem,
    /// The process, whose scheduler is the test key.
    pub process: DataItem,
    /// The entries, as a scheduler prints them: without a message for an Assign.
    pub entries: RefCell<Vec<HistoryEntry>>,
    /// What gateways serve beside module and process.
    pub items: RefCell<BTreeMap<Id, DataItem>>,
    /// Their ids in the order in which they were published.
    pub published: RefCell<Vec<Id>>,
    /// Layer-1 transactions that gateways serve.
    pub transactions: RefCell<BTreeMap<Id, Transaction>>,
}

impl World {
    /// A process with `messages` plain messages after it, whose data are `0`, `1`, ….
    #[must_use]
    pub fn new(plan: &Plan, messages: u64) -> Self {
        let key = TestKey::get();
        let mut tags = vec![Tag::new("Data-Protocol", "ao"), Tag::new("Type", plan.module_type)];
        match plan.content_type {
            Some(kind) => tags.push(Tag::new("Content-Type", kind)),
            None => tags.extend([
                Tag::new("Module-Format", plan.format),
                Tag::new("Input-Encoding", "JSON-1"),
                Tag::new("Output-Encoding", "JSON-1"),
                Tag::new("Memory-Limit", "16-mb"),
                Tag::new("Compute-Limit", "50000000"),
            ]),
        }
        let module = key.item(Unsigned { tags, data: plan.wasm.clone(), ..Unsigned::default() });
        let mut tags = vec![
            Tag::new("Data-Protocol", "ao"),
            Tag::new("Variant", "ao.TN.1"),
            Tag::new("Type", plan.process_type),
            Tag::new("Module", module.id().to_string()),
            Tag::new("Scheduler", key.address().as_str()),
        ];
        tags.extend(plan.process_tags.iter().cloned());
        let process = key.item(Unsigned { tags, data: b"boot".to_vec(), ..Unsigned::default() });
        let world = Self {
            module,
            process,
            entries: RefCell::default(),
            items: RefCell::default(),
            published: RefCell::default(),
            transactions: RefCell::default(),
        };
        if plan.boot_loader {
            world.schedule(Some(world.process.clone()), None, &[]);
        }
        for number in 0..messages {
            world.send(&number.to_string(), &[]);
        }
        world
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> Id {
        self.process.id()
    }

    /// A signed message to the process that is not scheduled.
    #[must_use]
    pub fn message(&self, data: &[u8], tags: &[(&str, &str)]) -> DataItem {
        message_to(self.id(), data, tags)
    }

    /// Schedules a new message to the process.
    pub fn send(&self, data: &str, tags: &[(&str, &str)]) -> DataItem {
        let message = self.message(data.as_bytes(), tags);
        self.schedule(Some(message.clone()), Some(message.id()), &[]);
        message
    }

    /// Schedules an item that exists: an Assign, printed without its message.
    pub fn assign(&self, id: Id, tags: &[(&str, &str)]) {
        self.schedule(None, Some(id), tags);
    }

    /// Schedules what a scheduler may schedule.
    pub fn schedule(&self, message: Option<DataItem>, id: Option<Id>, more: &[(&str, &str)]) {
        let mut entries = self.entries.borrow_mut();
        let slot = entries.len() as u64;
        let hash_chain = match entries.last() {
            None => Id::sha256(self.process.id().as_bytes()).to_string(),
            Some(last) => {
                let link = last.assignment.tags.iter().find(|tag| tag.name == "Hash-Chain");
                next_link(&last.assignment, link.map_or("", |tag| &tag.value))
            }
        };
        let draft = Draft {
            process: self.process.id().to_string(),
            message: id.map(|id| id.to_string()),
            epoch: "0".into(),
            slot: slot.to_string(),
            hash_chain,
            block_height: format!("{:012}", START_HEIGHT + slot),
            timestamp: (START_MS + 1_000 * slot).to_string(),
            kind: "Assignment".into(),
        };
        entries.push(HistoryEntry { assignment: sign_with(&draft, more), message });
    }

    /// Gives gateways an item.
    pub fn publish(&self, item: DataItem) -> Id {
        let id = item.id();
        if self.items.borrow_mut().insert(id, item).is_none() {
            self.published.borrow_mut().push(id);
        }
        id
    }

    /// Puts slots on Arweave, as a scheduler uploads them: the assignment and, unless it is an Assign, the message.
    pub fn upload(&self, slots: std::ops::RangeInclusive<u64>) {
        let entries = self.entries.borrow();
        for (slot, entry) in (0_u64..).zip(entries.iter()) {
            if slots.contains(&slot) {
                for item in entry.message.iter().chain([&entry.assignment]) {
                    self.publish(item.clone());
                }
            }
        }
    }

    /// The same process with the same history before a slot. What is scheduled from there on, this scheduler shows to
    /// others.
    #[must_use]
    pub fn fork(&self, slot: usize) -> Self {
        let entries = self.entries.borrow().iter().take(slot).cloned().collect();
        Self {
            module: self.module.clone(),
            process: self.process.clone(),
            entries: RefCell::new(entries),
            items: self.items.clone(),
            published: self.published.clone(),
            transactions: self.transactions.clone(),
        }
    }

    /// Publishes a record of where the scheduler is, signed by its key (reference ao-messages.md §7).
    pub fn announce(&self, url: &str) -> Id {
        let tags = [
            ("Data-Protocol", "ao"),
            ("Type", "Scheduler-Location"),
            ("Variant", "ao.TN.1"),
            ("Url", url),
            ("Time-To-Live", "3600000"),
        ];
        let tags = tags.map(|(name, value)| Tag::new(name, value)).to_vec();
        self.publish(TestKey::get().item(Unsigned { tags, data: b"1984".to_vec(), ..Unsigned::default() }))
    }

    /// Slots in the history.
    #[must_use]
    pub fn slots(&self) -> u64 {
        self.entries.borrow().len() as u64
    }
}

/// A signed message to somebody.
#[must_use]
pub fn message_to(target: Id, data: &[u8], tags: &[(&str, &str)]) -> DataItem {
    let mut all = vec![Tag::new("Data-Protocol", "ao"), Tag::new("Type", "Message")];
    all.extend(tags.iter().map(|(name, value)| Tag::new(*name, *value)));
    // The anchor makes equal messages different items, as a client's random anchor does.
    static COUNTER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let anchor = format!("{count:032}").into_bytes().try_into().ok();
    TestKey::get().item(Unsigned {
        target: Some(target),
        anchor,
        tags: all,
        data: data.to_vec(),
        ..Unsigned::default()
    })
}

/// A layer-1 transaction, format 2, signed by the test key; the data are in it.
///
/// # Panics
///
/// If its JSON does not read back.
#[must_use]
#[expect(clippy::expect_used, reason = "a broken fixture fails the test that reads it")]
pub fn transaction(tags: &[(&str, &str)], data: &[u8]) -> Transaction {
    let key = TestKey::get();
    let tags: Vec<_> = tags
        .iter()
        .map(|(name, value)| {
            serde_json::json!({"name": base64url::encode(name.as_bytes()), "value": base64url::encode(value.as_bytes())})
        })
        .collect();
    let mut json = serde_json::json!({
        "format": 2, "id": base64url::encode(&[0; 32]), "last_tx": "", "owner": base64url::encode(&key.owner()),
        "tags": tags, "target": "", "quantity": "0", "data": "", "data_size": data.len().to_string(),
        "data_root": weft_codec::merkle::data_root(data).to_string(), "reward": "0",
        "signature": base64url::encode(&[1]),
    });
    let unsigned = Transaction::from_json(json.to_string().as_bytes()).expect("a transaction");
    let signature = key.sign(&unsigned.signing_payload());
    json["id"] = Id::sha256(&signature).to_string().into();
    json["signature"] = base64url::encode(&signature).into();
    let mut transaction = Transaction::from_json(json.to_string().as_bytes()).expect("a transaction");
    transaction.data = data.to_vec();
    transaction
}

fn sign_with(draft: &Draft, more: &[(&str, &str)]) -> DataItem {
    if more.is_empty() {
        return draft.sign();
    }
    let mut tags = draft.sign().tags;
    tags.extend(more.iter().map(|(name, value)| Tag::new(*name, *value)));
    TestKey::get().item(Unsigned { anchor: Some([0xa7; 32]), tags, ..Unsigned::default() })
}
