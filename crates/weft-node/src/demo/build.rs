//! Makes the demo's histories: fixed keys, fixed times, anchors from a hash. With signatures that draw no salt the
//! same program gives the same bytes, and so the same ids, everywhere.

use std::collections::{BTreeMap, BTreeSet};

use weft_codec::item::DataItem;
use weft_codec::tags::Tag;
use weft_codec::{Address, Id, Result};

use super::archive::{DemoArchive, DemoChain, DemoEntry, DemoProcess, Kept};
use super::scripts::{self, Script, Who};
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

/// What sets one token apart from the other.
struct Token<'a> {
    /// Goes into its anchors, so that no two items are the same.
    anchor: &'static str,
    /// The module's tags and program, and a program that is another one.
    module: Vec<Tag>,
    program: &'a [u8],
    other: &'static [u8],
    /// The process's own tags.
    tags: &'static [(&'static str, &'static str)],
    script: Script,
}

/// The programs of the tokens.
#[derive(Clone, Copy, Debug)]
pub struct DemoPrograms<'a> {
    /// The one in Rust, as wasm.
    pub wasm: &'a [u8],
    /// The one in Lua, as text.
    pub lua: &'a [u8],
}

impl<'a> DemoPrograms<'a> {
    fn tokens(self) -> [Token<'a>; 2] {
        let wasm = ModuleTags {
            format: "wasm32-unknown-unknown".to_owned(),
            memory_limit: "16-mb".to_owned(),
            compute_limit: "1000000000".to_owned(),
        };
        let lua = [
            ("Data-Protocol", "ao"),
            ("Variant", "ao.N.1"),
            ("Type", "Module"),
            ("Content-Type", "application/lua"),
        ];
        [
            Token {
                anchor: "",
                module: wasm.tags(),
                program: self.wasm,
                other: EMPTY_WASM,
                tags: &[("Name", "Weft demo token"), ("Ticker", "WEFT"), ("Denomination", "3")],
                script: scripts::RUST,
            },
            Token {
                anchor: "lua ",
                module: lua.map(|(name, value)| Tag::new(name, value)).to_vec(),
                program: self.lua,
                other: b"function compute(state) return state end",
                tags: &[
                    ("Name", "Weft demo token in Lua"),
                    ("Ticker", "LUNA"),
                    ("Denomination", "12"),
                    ("Device", "process@1.0"),
                    ("Execution-Device", "lua@5.3a"),
                    ("Scheduler-Device", "scheduler@1.0"),
                ],
                script: scripts::LUA,
            },
        ]
    }
}

struct Builder<'a, G> {
    keys: &'a DemoKeys<G>,
    anchor: &'static str,
    process: Id,
    head: Option<Head>,
    entries: Vec<DemoEntry>,
    spares: BTreeMap<String, Kept>,
}

/// Signs the modules, the processes and their histories.
///
/// # Errors
/// Those of the signers, and of items that break a limit.
pub async fn build_demo<G: Signer>(programs: DemoPrograms<'_>, keys: &DemoKeys<G>) -> Result<DemoArchive> {
    let mut processes = Vec::new();
    for token in programs.tokens() {
        processes.push(history(&token, keys).await?);
    }
    let now = time(processes.iter().map(DemoProcess::slots).max().unwrap_or(0));
    let chain = chain(&keys.scheduler, &processes, now).await?;
    Ok(DemoArchive { now, scheduler: Address::of_owner(&keys.scheduler.owner()), processes, chain })
}

/// One token, from its module to the last message.
async fn history<G: Signer>(token: &Token<'_>, keys: &DemoKeys<G>) -> Result<DemoProcess> {
    let module = sign(&keys.alice, None, None, token.module.clone(), token.program.to_vec()).await?;
    let other_module = sign(&keys.bob, None, None, token.module.clone(), token.other.to_vec()).await?;
    let scheduler = Address::of_owner(&keys.scheduler.owner());
    let process = process(&keys.alice, token, module.id(), &scheduler).await?;
    let bob = Address::of_owner(&keys.bob.owner());
    let other_process = self::process(&keys.bob, token, module.id(), &bob).await?;
    let mut builder = Builder {
        keys,
        anchor: token.anchor,
        process: process.id(),
        head: None,
        entries: Vec::new(),
        spares: BTreeMap::from([
            (spare::OTHER_MODULE.to_owned(), Kept::honest(&other_module)),
            (spare::OTHER_PROCESS.to_owned(), Kept::honest(&other_process)),
        ]),
    };
    builder.append(&process).await?;
    for (who, tags) in token.script {
        let message = builder.message(*who, tags).await?;
        if builder.slot() == FORGED_SLOT {
            builder.forge(&message).await?;
        }
        builder.append(&message).await?;
    }
    let (process, module) = (Kept::honest(&process), Kept::honest(&module));
    Ok(DemoProcess { process, module, entries: builder.entries, spares: builder.spares })
}

/// The demo's blocks: a genesis, one with everything that is served, and two after it.
async fn chain<G: Signer>(miner: &G, processes: &[DemoProcess], now: u64) -> Result<DemoChain> {
    let (mut items, mut seen): (Vec<DataItem>, BTreeSet<Id>) = (Vec::new(), BTreeSet::new());
    for kept in processes.iter().flat_map(DemoProcess::served) {
        // A process is served by itself, and is the message of its slot 0.
        if seen.insert(kept.id) {
            items.push(kept.item()?);
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

fn anchor(token: &str, what: &str, slot: u64) -> [u8; 32] {
    Id::sha256(format!("weft demo {token}{what} {slot}").as_bytes()).0
}

async fn process<G: Signer>(
    owner: &G,
    token: &Token<'_>,
    module: Id,
    scheduler: &Address,
) -> Result<DataItem> {
    let address = Address::of_owner(&owner.owner());
    let mut tags: Vec<Tag> = token.tags.iter().map(|(name, value)| Tag::new(*name, *value)).collect();
    tags.extend([
        Tag::new("Authority", address.to_string()),
        Tag::new("Data-Protocol", "ao"),
        Tag::new("Variant", "ao.TN.1"),
        Tag::new("Type", "Process"),
        Tag::new("Module", module.to_string()),
        Tag::new("Scheduler", scheduler.to_string()),
        Tag::new("Timestamp", START.to_string()),
    ]);
    sign(owner, None, Some(anchor(token.anchor, "process", 0)), tags, b" ".to_vec()).await
}

impl<G: Signer> Builder<'_, G> {
    /// The slot the next entry gets.
    fn slot(&self) -> u64 {
        self.entries.len() as u64
    }

    fn key(&self, who: Who) -> &G {
        match who {
            Who::Alice => &self.keys.alice,
            Who::Bob => &self.keys.bob,
        }
    }

    async fn message(&self, who: Who, tags: &[(&str, &str)]) -> Result<DataItem> {
        let value = |text: &str| match text.strip_prefix('@') {
            Some("alice") => Address::of_owner(&self.keys.alice.owner()).to_string(),
            Some("bob") => Address::of_owner(&self.keys.bob.owner()).to_string(),
            // Receives, and never signs.
            Some(name) => Id::sha256(format!("weft demo {name}").as_bytes()).to_string(),
            None => text.to_owned(),
        };
        let mut tags: Vec<Tag> = tags.iter().map(|(name, text)| Tag::new(*name, value(text))).collect();
        tags.push(Tag::new("Data-Protocol", "ao"));
        tags.push(Tag::new("Variant", "ao.TN.1"));
        tags.push(Tag::new("Type", "Message"));
        let data = format!("Message {} of the demo.", self.slot()).into_bytes();
        sign(self.key(who), Some(self.process), Some(anchor(self.anchor, "message", self.slot())), tags, data)
            .await
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
        let (assignment, head) =
            assign(&self.keys.scheduler, anchor(self.anchor, "assignment", slot), &place).await?;
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
            made.push((
                name,
                assign(&self.keys.scheduler, anchor(self.anchor, name, FORGED_SLOT), &place).await?.0,
            ));
        }
        let forged =
            assign(&self.keys.alice, anchor(self.anchor, spare::FORGED_SIGNER, FORGED_SLOT), &honest)
                .await?
                .0;
        made.push((spare::FORGED_SIGNER, forged));
        let all = [("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "1000000")];
        made.push((spare::OTHER_MESSAGE, self.message(Who::Alice, &all).await?));
        self.spares.extend(made.iter().map(|(name, item)| ((*name).to_owned(), Kept::honest(item))));
        Ok(())
    }
}
