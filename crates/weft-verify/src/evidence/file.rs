//! The text of a receipt file: what is in it, and the one way it is written. docs/receipts.md describes it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use weft_codec::ao::Carrier;
use weft_codec::item::DataItem;
use weft_codec::transaction::Transaction;
use weft_codec::{Address, Code, Error, Id, Result, base64url};

use super::agreement::Agreement;
use crate::layer1::InclusionProof;
use crate::receipt::Check;

/// The `kind` of the file.
pub const RECEIPT_KIND: &str = "weft-receipt";
/// The version of the format.
pub const RECEIPT_VERSION: u32 = 1;
/// The most bytes of a receipt file that are read.
pub const MAX_RECEIPT_BYTES: usize = 1 << 30;

/// The longest name of who made a receipt, in bytes.
const MAX_MADE_BY: usize = 100;
/// The most checks. A history has one line for each kind of check, a slot two dozen; an inclusion proof has a few for
/// each block and chunk of its road.
const MAX_CHECKS: usize = 100_000;
/// The most inclusion proofs, and agreements.
const MAX_EXTRAS: usize = 1_000;
/// What stands around the digest at the end of the file.
const SEAL: (&str, &str) = ("\"sha256\":\"", "\"}\n");
/// Characters of an id.
const ID_CHARS: usize = 43;

/// What a receipt is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scope {
    /// A history from slot 0.
    History {
        /// Its last slot here.
        to: u64,
        /// Whether that was the last slot its maker knew.
        newest: bool,
    },
    /// One slot.
    Slot(u64),
}

/// When a process began whose slot 0 is a message: its scheduler's word, which the process was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The Arweave height.
    pub block_height: u64,
    /// Milliseconds since 1970.
    pub timestamp: u64,
    /// Who said so: a URL.
    pub source: String,
}

/// The signed thing that carries a process or a module.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum CarrierText<'a> {
    /// A data item's bytes.
    Item(&'a str),
    /// A layer-1 transaction.
    Transaction {
        /// Its JSON as gateways print it, without the data.
        #[serde(borrow)]
        header: &'a RawValue,
        data: &'a str,
    },
}

/// One slot.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlotText<'a> {
    pub(super) assignment: &'a str,
    /// Missing where it is the process, which is in the file already.
    pub(super) message: Option<&'a str>,
    /// As its maker printed it.
    #[serde(borrow)]
    pub(super) result: Option<&'a RawValue>,
}

/// What comes before the slots.
#[derive(Clone, Debug)]
pub(super) struct Head<'a> {
    pub(super) subject: String,
    pub(super) made_by: String,
    pub(super) scope: Scope,
    pub(super) process: CarrierText<'a>,
    pub(super) module: Option<CarrierText<'a>>,
    /// The modules after the first, where the process lists several.
    pub(super) further_modules: Vec<CarrierText<'a>>,
    /// The item that the process boots from.
    pub(super) boot: Option<CarrierText<'a>>,
    /// The assignment before the slot.
    pub(super) previous: Option<&'a str>,
}

/// What comes after them.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    pub(super) origin: Option<Origin>,
    pub(super) accepted_schedulers: BTreeSet<Address>,
    /// Of the process's memory after the last slot that has a result.
    pub(super) memory_sha256: Option<Id>,
    pub(super) inclusions: Vec<InclusionProof>,
    pub(super) agreements: Vec<Agreement>,
    pub(super) checks: Vec<Check>,
}

/// All of the file but its kind, version and digest.
#[derive(Clone, Debug)]
pub(super) struct Body<'a> {
    pub(super) head: Head<'a>,
    pub(super) slots: Vec<SlotText<'a>>,
    pub(super) tail: Tail,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flat<'a> {
    #[serde(rename = "kind")]
    _kind: &'a str,
    #[serde(rename = "version")]
    _version: u32,
    subject: String,
    made_by: String,
    scope: Scope,
    #[serde(borrow)]
    process: CarrierText<'a>,
    #[serde(borrow, default)]
    module: Option<CarrierText<'a>>,
    #[serde(borrow, default)]
    further_modules: Vec<CarrierText<'a>>,
    #[serde(borrow, default)]
    boot: Option<CarrierText<'a>>,
    #[serde(default)]
    previous: Option<&'a str>,
    #[serde(borrow)]
    slots: Vec<SlotText<'a>>,
    #[serde(default)]
    origin: Option<Origin>,
    #[serde(default)]
    accepted_schedulers: BTreeSet<Address>,
    #[serde(default)]
    memory_sha256: Option<Id>,
    #[serde(default)]
    inclusions: Vec<InclusionProof>,
    #[serde(default)]
    agreements: Vec<Agreement>,
    checks: Vec<Check>,
    #[serde(rename = "sha256")]
    _sha256: Id,
}

impl<'a> From<Flat<'a>> for Body<'a> {
    fn from(flat: Flat<'a>) -> Self {
        Self {
            head: Head {
                subject: flat.subject,
                made_by: flat.made_by,
                scope: flat.scope,
                process: flat.process,
                module: flat.module,
                further_modules: flat.further_modules,
                boot: flat.boot,
                previous: flat.previous,
            },
            slots: flat.slots,
            tail: Tail {
                origin: flat.origin,
                accepted_schedulers: flat.accepted_schedulers,
                memory_sha256: flat.memory_sha256,
                inclusions: flat.inclusions,
                agreements: flat.agreements,
                checks: flat.checks,
            },
        }
    }
}

/// What a text must begin with to be read as a receipt at all.
#[derive(Deserialize)]
struct Label<'a> {
    kind: &'a str,
    version: u32,
}

impl<'a> Body<'a> {
    /// Reads a text that must be exactly what is written here for its values. Errors: `receipt-malformed`,
    /// `receipt-mismatch`, `too-large`.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self> {
        if text.len() > MAX_RECEIPT_BYTES {
            let what = format!("A receipt has at most {MAX_RECEIPT_BYTES} bytes, this has {}.", text.len());
            return Err(Error::new(Code::TooLarge, what));
        }
        check_label(text)?;
        check_seal(text)?;
        let flat: Flat<'a> = serde_json::from_slice(text).map_err(|cause| {
            malformed("It lacks something, or has something that no receipt has.").because(cause)
        })?;
        let body = Self::from(flat);
        body.check_bounds()?;
        let mut rest = Same { rest: text };
        let same = body.write(&mut rest);
        if same.is_err() || rest.rest.len() != seal_len() {
            return Err(malformed("The same values are written in another way, or twice."));
        }
        Ok(body)
    }

    fn check_bounds(&self) -> Result<()> {
        if self.head.made_by.len() > MAX_MADE_BY {
            return Err(malformed("The name of who made it is too long."));
        }
        let tail = &self.tail;
        if tail.checks.len() > MAX_CHECKS || tail.inclusions.len().max(tail.agreements.len()) > MAX_EXTRAS {
            let what = format!(
                "A receipt has at most {MAX_CHECKS} checks, and {MAX_EXTRAS} inclusions and agreements."
            );
            return Err(Error::new(Code::TooLarge, what));
        }
        Ok(())
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.head.write(out)?;
        for (index, slot) in self.slots.iter().enumerate() {
            slot.write(out, index == 0)?;
        }
        self.tail.write(out)
    }
}

impl Head<'_> {
    /// Up to the first slot.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{{\"kind\":\"{RECEIPT_KIND}\",\"version\":{RECEIPT_VERSION},\n\"subject\":")?;
        json(out, &self.subject)?;
        member(out, "made_by", Some(&self.made_by))?;
        member(out, "scope", Some(&self.scope))?;
        member(out, "process", Some(&self.process))?;
        member(out, "module", self.module.as_ref())?;
        let further = Some(&self.further_modules).filter(|further| !further.is_empty());
        member(out, "further_modules", further)?;
        member(out, "boot", self.boot.as_ref())?;
        member(out, "previous", self.previous.as_ref())?;
        out.write_all(b",\n\"slots\":[\n")
    }
}

impl SlotText<'_> {
    /// A line of its own.
    pub(super) fn write(&self, out: &mut impl Write, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b",\n" })?;
        json(out, self)
    }
}

impl Tail {
    /// From after the last slot to before the digest.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"\n]")?;
        member(out, "origin", self.origin.as_ref())?;
        let accepted = Some(&self.accepted_schedulers).filter(|accepted| !accepted.is_empty());
        member(out, "accepted_schedulers", accepted)?;
        member(out, "memory_sha256", self.memory_sha256.as_ref())?;
        member(out, "inclusions", Some(&self.inclusions).filter(|list| !list.is_empty()))?;
        member(out, "agreements", Some(&self.agreements).filter(|list| !list.is_empty()))?;
        out.write_all(b",\n\"checks\":[")?;
        for (index, check) in self.checks.iter().enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            json(out, check)?;
        }
        out.write_all(b"\n],\n")
    }
}

/// The last member, over the digest of all text before it.
pub(super) fn write_seal(out: &mut impl Write, digest: Id) -> io::Result<()> {
    write!(out, "{}{digest}{}", SEAL.0, SEAL.1)
}

const fn seal_len() -> usize {
    SEAL.0.len() + ID_CHARS + SEAL.1.len()
}

fn member(out: &mut impl Write, name: &str, value: Option<&impl Serialize>) -> io::Result<()> {
    let Some(value) = value else { return Ok(()) };
    write!(out, ",\n\"{name}\":")?;
    json(out, value)
}

fn json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(out, value).map_err(io::Error::from)
}

/// Writes nothing: fails where what is written is not what is there.
struct Same<'a> {
    rest: &'a [u8],
}

impl Write for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let rest = self.rest.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        self.rest = rest;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn check_label(text: &[u8]) -> Result<()> {
    // The first line is short; a label behind other members is not how receipts are written.
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b",").unwrap_or(line);
    let label = [line, b"}"].concat();
    let label: Label<'_> = serde_json::from_slice(&label)
        .map_err(|cause| malformed("It does not begin as one.").because(cause))?;
    if label.kind != RECEIPT_KIND {
        return Err(malformed("Its kind is another."));
    }
    if label.version != RECEIPT_VERSION {
        let what = format!("Receipts of version {} are not read by this version of Weft.", label.version);
        return Err(Error::new(Code::ReceiptMalformed, what));
    }
    Ok(())
}

/// The digest keeps accidents out, and hurried hands. It is no signature: whoever changes a receipt on purpose makes
/// a new one, and then what is in it must prove.
fn check_seal(text: &[u8]) -> Result<()> {
    let cut = || malformed("It does not end as one: something is missing.");
    let (before, seal) =
        text.len().checked_sub(seal_len()).and_then(|at| text.split_at_checked(at)).ok_or_else(cut)?;
    let digest = std::str::from_utf8(seal)
        .ok()
        .and_then(|seal| seal.strip_prefix(SEAL.0)?.strip_suffix(SEAL.1)?.parse::<Id>().ok())
        .ok_or_else(cut)?;
    let found = Id::sha256(before);
    if digest != found {
        let what = "The receipt is not as it was written: it says another SHA-256 of itself than it has.";
        return Err(Error::new(Code::ReceiptMismatch, what).with("expected", digest).with("found", found));
    }
    Ok(())
}

/// The texts of a carrier.
pub(super) enum CarrierTexts {
    Item(String),
    Transaction { header: Box<RawValue>, data: String },
}

impl CarrierTexts {
    pub(super) fn of(carrier: &Carrier) -> Result<Self> {
        Ok(match carrier {
            Carrier::Item(item) => Self::Item(base64url::encode(&item.to_bytes())),
            Carrier::Transaction(transaction) => Self::Transaction {
                header: RawValue::from_string(header_text(transaction))
                    .map_err(|cause| malformed("A transaction cannot be printed.").because(cause))?,
                data: base64url::encode(&transaction.data),
            },
        })
    }

    pub(super) fn text(&self) -> CarrierText<'_> {
        match self {
            Self::Item(item) => CarrierText::Item(item),
            Self::Transaction { header, data } => CarrierText::Transaction { header, data },
        }
    }
}

impl CarrierText<'_> {
    pub(super) fn read(&self) -> Result<Carrier> {
        match self {
            Self::Item(text) => read_item(text).map(Carrier::from),
            Self::Transaction { header, data } => {
                let mut transaction = Transaction::from_json(header.get().as_bytes())?;
                if !transaction.data.is_empty() || header_text(&transaction) != header.get() {
                    return Err(malformed("A transaction is written in another way."));
                }
                transaction.data = base64url::decode(data)?;
                Ok(transaction.into())
            }
        }
    }
}

fn header_text(transaction: &Transaction) -> String {
    Transaction { data: Vec::new(), ..transaction.clone() }.to_json().to_string()
}

/// An item from its bytes as text. One value has one text: parsing and writing again gives the same bytes.
pub(super) fn read_item(text: &str) -> Result<DataItem> {
    let bytes = base64url::decode(text)?;
    let item = DataItem::parse(&bytes)?;
    if item.to_bytes() != bytes {
        return Err(malformed("The bytes of an item are written in another way."));
    }
    Ok(item)
}

pub(super) fn malformed(what: &str) -> Error {
    Error::new(Code::ReceiptMalformed, format!("This is not a receipt as Weft writes them. {what}"))
}
