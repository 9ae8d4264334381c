//! Items as `ao` means them: processes, modules, assignments (reference ao-messages.md §2). Tags are found by
//! name, never by position: the order changed over the years.

use crate::address::Address;
use crate::error::{Code, Error, Result};
use crate::id::Id;
use crate::item::DataItem;
use crate::message::{self, Value, ans104, structured};
use crate::tags::{Tag, TagsExt as _};
use crate::transaction::Transaction;

/// Whether a content type is that of a Lua module (HyperBEAM's `dev_lua.erl`).
#[must_use]
pub fn is_lua_text(content_type: &str) -> bool {
    matches!(content_type, "application/lua" | "text/x-lua")
}

/// The most authorities of one process.
const MAX_AUTHORITIES: usize = 256;

/// The kind an item says it is: `Type`, or `ao-type` as in March 2024.
#[must_use]
pub fn kind(tags: &[Tag]) -> Option<&str> {
    tags.tag("Type").or_else(|| tags.tag("ao-type")).or_else(|| tags.tag("type"))
}

/// The signed thing that carries a process or a module: an item, or a layer-1 transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A data item.
    Item(Box<DataItem>),
    /// A layer-1 transaction; its data came beside it.
    Transaction(Box<Transaction>),
}

impl Carrier {
    /// The data item, if it is one.
    #[must_use]
    pub fn item(&self) -> Option<&DataItem> {
        match self {
            Self::Item(item) => Some(item),
            Self::Transaction(_) => None,
        }
    }

    /// The id its signature gives it.
    #[must_use]
    pub fn id(&self) -> Id {
        match self {
            Self::Item(item) => item.id(),
            Self::Transaction(transaction) => transaction.computed_id(),
        }
    }

    /// Who signed.
    #[must_use]
    pub fn owner_address(&self) -> Address {
        match self {
            Self::Item(item) => item.owner_address(),
            Self::Transaction(transaction) => transaction.owner_address(),
        }
    }

    /// The tags as text.
    #[must_use]
    pub fn tags(&self) -> Vec<Tag> {
        match self {
            Self::Item(item) => item.tags.clone(),
            Self::Transaction(transaction) => transaction.tags_text(),
        }
    }

    /// The data, as far as they are at hand.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match self {
            Self::Item(item) => &item.data,
            Self::Transaction(transaction) => &transaction.data,
        }
    }
}

impl From<DataItem> for Carrier {
    fn from(item: DataItem) -> Self {
        Self::Item(Box::new(item))
    }
}

impl From<Transaction> for Carrier {
    fn from(transaction: Transaction) -> Self {
        Self::Transaction(Box::new(transaction))
    }
}

/// A process: what runs, who orders its messages, whom it believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The process's id.
    pub id: Id,
    /// Who spawned it.
    pub owner: Address,
    /// The signed thing itself.
    pub carrier: Carrier,
    /// Its tags, in order.
    pub tags: Vec<Tag>,
    /// The module it runs; of several, the first.
    pub module: Id,
    /// The only address whose assignments count.
    pub scheduler: Address,
    /// The addresses whose `From-Process` messages it believes, in order.
    pub authorities: Vec<Address>,
}

impl Process {
    /// Reads a process. Errors: `not-a-process` if the type, the protocol, the module or the scheduler is missing
    /// or cannot be read; `too-large`.
    pub fn read(carrier: impl Into<Carrier>) -> Result<Self> {
        let carrier = carrier.into();
        let tags = carrier.tags();
        let refuse = |what: &str| Error::new(Code::NotAProcess, format!("This is not a process: {what}."));
        if !is_kind(&tags, "Process") {
            return Err(refuse("its Type is not Process"));
        }
        if !tags.tag_all("Data-Protocol").any(|value| value == "ao") {
            return Err(refuse("no Data-Protocol tag says ao"));
        }
        let module = tags.tag("Module").ok_or_else(|| refuse("it names no Module"))?;
        let module = match module.parse() {
            Ok(module) => module,
            Err(cause) => {
                let first = listed(&carrier).ok().flatten().and_then(|list| list.first().copied());
                first.ok_or_else(|| refuse("its Module is not an id").because(cause))?
            }
        };
        let scheduler = tags.tag("Scheduler").ok_or_else(|| refuse("it names no Scheduler"))?;
        let scheduler = scheduler
            .parse()
            .map_err(|cause: Error| refuse("its Scheduler is not an address").because(cause))?;
        let authorities = authorities(&tags)?;
        Ok(Self {
            id: carrier.id(),
            owner: carrier.owner_address(),
            carrier,
            tags,
            module,
            scheduler,
            authorities,
        })
    }

    /// The item that a compute unit lets the process read when it starts: `On-Boot`, where that is an id. The last of several tags counts,
    /// as for npm `@permaweb/weavedrive`.
    #[must_use]
    pub fn boot_item(&self) -> Option<Id> {
        let last = self.tags.iter().rfind(|tag| tag.name == "On-Boot")?;
        last.value.parse().ok()
    }

    /// The modules of a process whose `ao-types` say that its `module` is a list, in order. `None` where they do not say so.
    ///
    /// Errors: `module-format-unsupported` for a list of something else than ids; `message-malformed` and the like where the
    /// item is no message.
    pub fn listed_modules(&self) -> Result<Option<Vec<Id>>> {
        listed(&self.carrier)
    }
}

/// As HyperBEAM reads an item: tags of one name are a list's text, and `ao-types` makes it a list.
fn listed(carrier: &Carrier) -> Result<Option<Vec<Id>>> {
    let Some(item) = carrier.item() else { return Ok(None) };
    if !item.tags.iter().any(|tag| tag.name.eq_ignore_ascii_case("ao-types")) {
        return Ok(None);
    }
    let tabm = ans104::from_item(item, message::Generation::September2025)?;
    let message = structured::from_tabm(&tabm)?;
    let Some(Value::List(values)) = message.get("module") else { return Ok(None) };
    let id = |value: &Value| value.as_text().and_then(|text| text.parse::<Id>().ok());
    let ids: Option<Vec<Id>> = values.iter().map(id).collect();
    let what = "The process lists something else than ids as its modules.";
    ids.map(Some).ok_or_else(|| Error::new(Code::ModuleFormatUnsupported, what))
}

/// Repeated `Authority` tags or comma-separated lists of them. What is no address is left out: nobody has it.
fn authorities(tags: &[Tag]) -> Result<Vec<Address>> {
    let texts = tags.tag_all("Authority").flat_map(|value| value.split(',')).map(str::trim);
    let authorities: Vec<Address> = texts.filter_map(|text| text.parse().ok()).collect();
    if authorities.len() > MAX_AUTHORITIES {
        return Err(Error::new(
            Code::TooLarge,
            format!("A process has at most {MAX_AUTHORITIES} authorities."),
        ));
    }
    Ok(authorities)
}

/// A module: the program of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The module's id.
    pub id: Id,
    /// Who published it.
    pub owner: Address,
    /// Its tags, in order.
    pub tags: Vec<Tag>,
    /// `Module-Format`; of a Lua module without one, its content type.
    pub format: String,
    /// The program: WebAssembly, or Lua text.
    pub data: Vec<u8>,
}

impl Module {
    /// Reads a module. Error: `not-a-module`.
    pub fn read(carrier: impl Into<Carrier>) -> Result<Self> {
        let carrier = carrier.into();
        let tags = carrier.tags();
        let refuse = |what: &str| Error::new(Code::NotAModule, format!("This is not a module: {what}."));
        // HyperBEAM knows a Lua module by its content type alone.
        let content = tags.iter().find(|tag| tag.name.eq_ignore_ascii_case("Content-Type"));
        let lua = content.map(|tag| tag.value.as_str()).filter(|kind| is_lua_text(kind));
        if !is_kind(&tags, "Module") && lua.is_none() {
            return Err(refuse("its Type is not Module"));
        }
        let format = tags.tag("Module-Format").or(lua);
        let format = format.ok_or_else(|| refuse("it names no Module-Format"))?.to_owned();
        let (id, owner) = (carrier.id(), carrier.owner_address());
        let data = match carrier {
            Carrier::Item(item) => item.data,
            Carrier::Transaction(transaction) => transaction.data,
        };
        Ok(Self { id, owner, tags, format, data })
    }
}

/// A scheduler's word that a message has a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The assignment's id.
    pub id: Id,
    /// The signed item itself.
    pub item: DataItem,
    /// The process it orders.
    pub process: Id,
    /// The message that gets the slot. Absent on a process's own assignment.
    pub message: Option<Id>,
    /// `Nonce`, or `Slot`.
    pub slot: u64,
    /// Always 0 so far.
    pub epoch: u64,
    /// The commitment to all assignments before this one.
    pub hash_chain: [u8; 32],
    /// The Arweave height the scheduler saw.
    pub block_height: u64,
    /// The scheduler's clock, in milliseconds.
    pub timestamp: u64,
    /// By which rule its hash chain is made.
    pub generation: Generation,
    /// Its tags, in order.
    pub tags: Vec<Tag>,
}

/// The two rules for hash chains (reference ao-messages.md §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Scheduler units: each link commits to the assignment before and to its link.
    Legacy,
    /// HyperBEAM (`Variant` `ao.N.1`): each link commits to the link before and to this message.
    HyperBeam,
}

impl Assignment {
    /// Reads an assignment, of any year and of both generations: HyperBEAM writes its keys in lower case, and names the
    /// message by `body+link` (reference ao-messages.md §3.1). Error: `not-an-assignment`.
    pub fn read(item: DataItem) -> Result<Self> {
        let refuse =
            |what: String| Error::new(Code::NotAnAssignment, format!("This is not an assignment: {what}."));
        let tags = item.tags.clone();
        let hyperbeam = tags.tag("Variant").or_else(|| tags.tag("variant")) == Some("ao.N.1");
        let generation = if hyperbeam { Generation::HyperBeam } else { Generation::Legacy };
        let of_type = is_kind(&tags, "Assignment") || (hyperbeam && is_kind(&tags, "assignment"));
        if kind(&tags).is_some() && !of_type {
            return Err(refuse("its Type is another".into()));
        }
        let tag = |name: &str| {
            tags.tag(name).or_else(|| if hyperbeam { tags.tag(&name.to_ascii_lowercase()) } else { None })
        };
        let text = |name: &str| tag(name).ok_or_else(|| refuse(format!("it has no {name}")));
        let id = |name: &str, text: &str| {
            text.parse::<Id>().map_err(|cause| refuse(format!("its {name} is not 32 bytes")).because(cause))
        };
        let number = |name: &str, text: &str| {
            let digits = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
            let value = if digits { text.parse::<u64>().ok() } else { None };
            value.ok_or_else(|| refuse(format!("its {name} is not a number")))
        };
        let slot = tag("Nonce").or_else(|| tag("Slot"));
        let message = tag("Message").or_else(|| if hyperbeam { tags.tag("body+link") } else { None });
        let slot = slot.ok_or_else(|| refuse("it has no Nonce".into()))?;
        Ok(Self {
            id: item.id(),
            process: id("Process", text("Process")?)?,
            message: message.map(|text| id("Message", text)).transpose()?,
            slot: number("Nonce", slot)?,
            epoch: tag("Epoch").map_or(Ok(0), |text| number("Epoch", text))?,
            hash_chain: id("Hash-Chain", text("Hash-Chain")?)?.0,
            block_height: number("Block-Height", text("Block-Height")?)?,
            timestamp: number("Timestamp", text("Timestamp")?)?,
            generation,
            item,
            tags,
        })
    }
}

/// The old tag `ao-type` has its values in lower case.
fn is_kind(tags: &[Tag], wanted: &str) -> bool {
    kind(tags).is_some_and(|kind| kind == wanted)
        || (tags.tag("Type").is_none()
            && tags.tag("ao-type").is_some_and(|kind| kind.eq_ignore_ascii_case(wanted)))
}
