//! Makes the demo's history: fixed keys, fixed times, anchors from a hash. With signatures that draw no salt the
//! same program gives the same bytes, and so the same ids, everywhere.

use std::collections::BTreeMap;

use weft_codec::item::DataItem;
use weft_codec::tags::Tag;
use weft_codec::{Address, Id, Result};

use super::archive::{DemoArchive, DemoChain, DemoEntry, Kept};
use crate::net::blocks::{self, BLOCK_MS};
use crate::net::{Head, ModuleTags, Place, assign, sign};
use crate::seams::Signer;

/// The slot the forged spares are made for.
pub const FORGED_SLOT: u64 = 12;
/// 2026-01-01, in milliseconds since 1970.
const START: u64 = 1_767_225_600_000;
/// Between two slots: long enough that the block height moves too.
const STEP: u64 = 97_000;

/// The keys of the demo (examples/demo-keys).
#[derive(Debug)]
pub struct DemoKeys<G> {
    /// Signs the assignments.
    pub scheduler: G,
    /// Owns the process.
    pub alice: G,
    /// Somebody else.
    pub bob: G,
}

/// Who sends a message.
#[derive(Clone, Copy)]
enum Who {
    Alice,
    Bob,
}

use Who::{Alice, Bob};

/// What is sent: `(tag, value)`; `@alice` and `@bob` stand for their addresses.
type Script = &'static [(Who, &'static [(&'static str, &'static str)])];

/// The history after the process. Slots are one more than the place in this list.
const SCRIPT: Script = &[
    (Alice, &[("Action", "Info")]),
    (Alice, &[("Action", "Mint"), ("Quantity", "1000000")]),
    (Alice, &[("Action", "Balance")]),
    (Bob, &[("Action", "Balance")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "2500")]),
    (Bob, &[("Action", "Balance")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "125")]),
    // Fails: only the owner mints.
    (Bob, &[("Action", "Mint"), ("Quantity", "999999")]),
    (Alice, &[("Action", "Balances")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "40000")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "375")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "60")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "1000")]),
    // Fails: more than Bob has.
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "5000000")]),
    (Bob, &[("Action", "Balance")]),
    (Alice, &[("Action", "Mint"), ("Quantity", "500000")]),
    (Alice, &[("Action", "Info")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "7")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "1")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "2")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "4")]),
    // Fails: no number.
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "many")]),
    (Alice, &[("Action", "Balance"), ("Recipient", "@bob")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "250000")]),
    (Bob, &[("Action", "Balance")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "99999")]),
    (Alice, &[("Action", "Balances")]),
    // Fails: it names nobody to receive it.
    (Alice, &[("Action", "Transfer"), ("Quantity", "10")]),
    (Alice, &[("Action", "Balance")]),
    (Bob, &[("Action", "Info")]),
];

/// The spares: names of items that belong to no honest history.
pub(super) mod spare {
    pub(crate) const FORGED_SIGNER: &str = "forged-signer";
    pub(crate) const BROKEN_CHAIN: &str = "broken-chain";
    pub(crate) const EARLIER: &str = "earlier";
    pub(crate) const LOWER: &str = "lower";
    pub(crate) const ELSEWHERE: &str = "elsewhere";
    pub(crate) const OTHER_MESSAGE: &str = "other-message";
    pub(crate) const OTHER_MODULE: &str = "other-module";
    pub(crate) const OTHER_PROCESS: &str = "other-process";
}

/// A module with nothing in it: enough to be signed and to be another one.
const EMPTY_WASM: &[u8] = b"\0asm\x01\0\0\0";

struct Builder<'a, G> {
    keys: &'a DemoKeys<G>,
    process: Id,
    head: Option<Head>,
    entries: Vec<DemoEntry>,
    spares: BTreeMap<String, Kept>,
}

/// Signs the module, the process and its history.
///
/// # Errors
/// Those of the signers, and of items that break a limit.
pub async fn build_demo<G: Signer>(module_wasm: &[u8], keys: &DemoKeys<G>) -> Result<DemoArchive> {
    let tags = ModuleTags {
        format: "wasm32-unknown-unknown".to_owned(),
        memory_limit: "16-mb".to_owned(),
        compute_limit: "1000000000".to_owned(),
    };
    let module = sign(&keys.alice, None, None, tags.tags(), module_wasm.to_vec()).await?;
    let other_module = sign(&keys.bob, None, None, tags.tags(), EMPTY_WASM.to_vec()).await?;
    let scheduler = Address::of_owner(&keys.scheduler.owner());
    let process = process(&keys.alice, module.id(), &scheduler).await?;
    let bob = Address::of_owner(&keys.bob.owner());
    let other_process = self::process(&keys.bob, module.id(), &bob).await?;
    let mut builder = Builder {
        keys,
        process: process.id(),
        head: None,
        entries: Vec::new(),
        spares: BTreeMap::from([
            (spare::OTHER_MODULE.to_owned(), Kept::honest(&other_module)),
            (spare::OTHER_PROCESS.to_owned(), Kept::honest(&other_process)),
        ]),
    };
    builder.append(&process).await?;
    for (who, tags) in SCRIPT {
        let message = builder.message(*who, tags).await?;
        if builder.slot() == FORGED_SLOT {
            builder.forge(&message).await?;
        }
        builder.append(&message).await?;
    }
    let now = time(builder.slot());
    let chain = chain(&keys.scheduler, &[&module, &process], &builder.entries, now).await?;
    Ok(DemoArchive {
        now,
        scheduler,
        process: Kept::honest(&process),
        module: Kept::honest(&module),
        entries: builder.entries,
        spares: builder.spares,
        chain,
    })
}

/// The demo's blocks: a genesis, one with everything that is served, and two after it.
async fn chain<G: Signer>(
    miner: &G,
    first: &[&DataItem],
    entries: &[DemoEntry],
    now: u64,
) -> Result<DemoChain> {
    let mut items: Vec<DataItem> = first.iter().map(|item| (*item).clone()).collect();
    let of_entries = entries.iter().flat_map(|entry| [Some(&entry.assignment), entry.message.as_ref()]);
    for kept in of_entries.flatten() {
        let item = kept.item()?;
        if item.id() != first.last().map_or(Id([0; 32]), |process| process.id()) {
            items.push(item);
        }
    }
    let genesis = blocks::genesis(miner, START).await?;
    let (carrier, _) = blocks::carrier(miner, genesis.indep_hash, &items).await?;
    let mut all = vec![genesis];
    for carried in [std::slice::from_ref(&carrier), &[], &[]] {
        let Some(parent) = all.last() else { break };
        let at = now.saturating_add(BLOCK_MS.saturating_mul(all.len() as u64));
        all.push(blocks::next(miner, parent, carried, at).await?);
    }
    Ok(DemoChain {
        blocks: all.iter().map(|block| block.to_json().to_string()).collect(),
        carrier: carrier.to_json().to_string(),
        items: items.iter().map(DataItem::id).collect(),
    })
}

fn time(slot: u64) -> u64 {
    START + slot * STEP
}

fn anchor(what: &str, slot: u64) -> [u8; 32] {
    Id::sha256(format!("weft demo {what} {slot}").as_bytes()).0
}

async fn process<G: Signer>(owner: &G, module: Id, scheduler: &Address) -> Result<DataItem> {
    let address = Address::of_owner(&owner.owner());
    let tags = vec![
        Tag::new("Name", "Weft demo token"),
        Tag::new("Ticker", "WEFT"),
        Tag::new("Denomination", "3"),
        Tag::new("Authority", address.to_string()),
        Tag::new("Data-Protocol", "ao"),
        Tag::new("Variant", "ao.TN.1"),
        Tag::new("Type", "Process"),
        Tag::new("Module", module.to_string()),
        Tag::new("Scheduler", scheduler.to_string()),
        Tag::new("Timestamp", START.to_string()),
    ];
    sign(owner, None, Some(anchor("process", 0)), tags, b" ".to_vec()).await
}

impl<G: Signer> Builder<'_, G> {
    /// The slot the next entry gets.
    fn slot(&self) -> u64 {
        self.entries.len() as u64
    }

    fn key(&self, who: Who) -> &G {
        match who {
            Alice => &self.keys.alice,
            Bob => &self.keys.bob,
        }
    }

    async fn message(&self, who: Who, tags: &[(&str, &str)]) -> Result<DataItem> {
        let value = |text: &str| match text {
            "@alice" => Address::of_owner(&self.keys.alice.owner()).to_string(),
            "@bob" => Address::of_owner(&self.keys.bob.owner()).to_string(),
            text => text.to_owned(),
        };
        let mut tags: Vec<Tag> = tags.iter().map(|(name, text)| Tag::new(*name, value(text))).collect();
        tags.push(Tag::new("Data-Protocol", "ao"));
        tags.push(Tag::new("Variant", "ao.TN.1"));
        tags.push(Tag::new("Type", "Message"));
        let data = format!("Message {} of the demo.", self.slot()).into_bytes();
        sign(self.key(who), Some(self.process), Some(anchor("message", self.slot())), tags, data).await
    }

    fn place<'a>(&'a self, message: &DataItem) -> Place<'a> {
        let timestamp = time(self.slot());
        Place {
            process: self.process,
            previous: self.head.as_ref(),
            message: self.head.is_some().then(|| message.id()),
            exclude: None,
            block_height: blocks::height_at(timestamp),
            timestamp,
        }
    }

    async fn append(&mut self, message: &DataItem) -> Result<()> {
        let (slot, place) = (self.slot(), self.place(message));
        let (assignment, head) = assign(&self.keys.scheduler, anchor("assignment", slot), &place).await?;
        self.head = Some(head);
        let (assignment, message) = (Kept::honest(&assignment), Some(Kept::honest(message)));
        self.entries.push(DemoEntry { assignment, message });
        Ok(())
    }

    /// Other assignments of this slot, each wrong in one point and signed all the same, and a message nobody
    /// assigned.
    async fn forge(&mut self, message: &DataItem) -> Result<()> {
        let honest = self.place(message);
        let broken = self.head.as_ref().map(|head| Head { hash_chain: Id([0; 32]), ..head.clone() });
        let start = honest.previous.map_or(0, |head| head.timestamp);
        let places = [
            (spare::BROKEN_CHAIN, Place { previous: broken.as_ref(), ..honest }),
            (spare::EARLIER, Place { timestamp: start.saturating_sub(1), ..honest }),
            (spare::LOWER, Place { block_height: honest.block_height.saturating_sub(1_000), ..honest }),
            (spare::ELSEWHERE, Place { process: Id::sha256(b"weft demo elsewhere"), ..honest }),
        ];
        let mut made = Vec::new();
        for (name, place) in places {
            made.push((name, assign(&self.keys.scheduler, anchor(name, FORGED_SLOT), &place).await?.0));
        }
        let forged = assign(&self.keys.alice, anchor(spare::FORGED_SIGNER, FORGED_SLOT), &honest).await?.0;
        made.push((spare::FORGED_SIGNER, forged));
        let all = [("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "1000000")];
        made.push((spare::OTHER_MESSAGE, self.message(Alice, &all).await?));
        self.spares.extend(made.iter().map(|(name, item)| ((*name).to_owned(), Kept::honest(item))));
        Ok(())
    }
}
