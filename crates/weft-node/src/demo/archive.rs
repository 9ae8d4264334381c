//! The archive's bytes.
//!
//! ```text
//! "weftdemo" version:u8
//! now:u64 (milliseconds since 1970)  scheduler:text
//! processes:u32 × (
//!   process:kept  module:kept
//!   entries:u32 × ( assignment:kept  0 | 1 message:kept )
//!   spares:u32  × ( name:text  kept ) )
//! blocks:u32   × json  carrier:json  items:u32 × id:32
//! json = length:u32  UTF-8
//! kept = id:32  size:u64 (of the data, as an index tells it)  length:u32  item
//! text = length:u32  UTF-8
//! ```
//! Numbers are little-endian; nothing follows the last item's id.

use std::collections::BTreeMap;

use weft_codec::item::DataItem;
use weft_codec::{Address, Code, Error, Id, Result};

const MAGIC: &[u8; 8] = b"weftdemo";
const VERSION: u8 = 3;
/// The longest archive, item and text, and the most processes, and entries and spares of each.
const MAX_BYTES: usize = 64 << 20;
const MAX_TEXT: usize = 128;
const MAX_PROCESSES: usize = 8;
const MAX_ENTRIES: usize = 10_000;
const MAX_SPARES: usize = 64;
const MAX_BLOCKS: usize = 64;
const MAX_JSON: usize = 1 << 20;

/// An item and what a source says of it: the two agree in an honest archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The id the item is served under.
    pub id: Id,
    /// The bytes of data an index tells.
    pub size: u64,
    /// The item's bytes.
    pub bytes: Vec<u8>,
}

impl Kept {
    /// An item as it is.
    #[must_use]
    pub fn honest(item: &DataItem) -> Self {
        Self { id: item.id(), size: item.data.len() as u64, bytes: item.to_bytes() }
    }

    /// The item.
    ///
    /// # Errors
    /// Those of [`DataItem::parse`].
    pub fn item(&self) -> Result<DataItem> {
        DataItem::parse(&self.bytes)
    }
}

/// One slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoEntry {
    /// The assignment.
    pub assignment: Kept,
    /// The message; at slot 0 the process.
    pub message: Option<Kept>,
}

/// The blocks of the demo's network: JSON as a gateway prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DemoChain {
    /// From the genesis on.
    pub blocks: Vec<String>,
    /// The transaction in the second one.
    pub carrier: String,
    /// The items of its bundle, in order.
    pub items: Vec<Id>,
}

/// A process with its whole history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoProcess {
    /// The process; its id is [`Kept::id`].
    pub process: Kept,
    /// The module.
    pub module: Kept,
    /// The history, slot by slot.
    pub entries: Vec<DemoEntry>,
    /// Signed items that belong to no honest history, for tampering, by name.
    pub spares: BTreeMap<String, Kept>,
}

impl DemoProcess {
    /// The process's id.
    #[must_use]
    pub fn id(&self) -> Id {
        self.process.id
    }

    /// Slots of the history: the last one is one less.
    #[must_use]
    pub fn slots(&self) -> u64 {
        self.entries.len() as u64
    }

    /// All that is served of it: its module, itself, and its history.
    pub(super) fn served(&self) -> impl Iterator<Item = &Kept> {
        let of_entries =
            self.entries.iter().flat_map(|entry| [Some(&entry.assignment), entry.message.as_ref()]);
        [&self.module, &self.process].into_iter().chain(of_entries.flatten())
    }
}

/// The demo's processes with their histories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoArchive {
    /// The clock of the archive's network: just after the last entry.
    pub now: u64,
    /// The scheduler's address.
    pub scheduler: Address,
    /// The processes. A page opens on the first.
    pub processes: Vec<DemoProcess>,
    /// The blocks that the items are in.
    pub chain: DemoChain,
}

impl DemoArchive {
    /// The process with this id, or the first one.
    ///
    /// # Errors
    /// `not-found` if there is none.
    pub fn process(&self, id: Option<Id>) -> Result<&DemoProcess> {
        let mut all = self.processes.iter();
        all.find(|one| id.is_none_or(|id| one.id() == id))
            .ok_or_else(|| Error::new(Code::NotFound, "The demo has no such process."))
    }

    /// The archive as bytes.
    ///
    /// # Errors
    /// `too-large` beyond the bounds of the format.
    pub fn encode(&self) -> Result<Vec<u8>> {
        if self.processes.len() > MAX_PROCESSES {
            return Err(Error::new(Code::TooLarge, "The archive has too many processes."));
        }
        let mut out = MAGIC.to_vec();
        out.push(VERSION);
        out.extend(self.now.to_le_bytes());
        put(&mut out, self.scheduler.as_str().as_bytes())?;
        put_count(&mut out, self.processes.len())?;
        for process in &self.processes {
            put_process(&mut out, process)?;
        }
        put_count(&mut out, self.chain.blocks.len())?;
        for json in self.chain.blocks.iter().chain([&self.chain.carrier]) {
            put(&mut out, json.as_bytes())?;
        }
        put_count(&mut out, self.chain.items.len())?;
        out.extend(self.chain.items.iter().flat_map(|id| id.0));
        if out.len() > MAX_BYTES {
            return Err(Error::new(Code::TooLarge, format!("An archive has at most {MAX_BYTES} bytes.")));
        }
        Ok(out)
    }

    /// Reads an archive.
    ///
    /// # Errors
    /// `too-large`; `bundle-malformed` for anything that is no archive of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::new(Code::TooLarge, format!("An archive has at most {MAX_BYTES} bytes.")));
        }
        let mut cursor = Cursor(bytes);
        if cursor.take(MAGIC.len())? != MAGIC || cursor.take(1)? != [VERSION] {
            return Err(malformed("it does not begin as one of this version"));
        }
        let now = cursor.number()?;
        let scheduler = cursor.text()?.parse()?;
        let mut processes = Vec::new();
        for _ in 0..cursor.count(MAX_PROCESSES)? {
            processes.push(cursor.process()?);
        }
        let chain = cursor.chain()?;
        if !cursor.0.is_empty() {
            return Err(malformed("something follows its end"));
        }
        Ok(Self { now, scheduler, processes, chain })
    }
}

fn malformed(why: &str) -> Error {
    Error::new(Code::BundleMalformed, format!("This is no demo archive: {why}."))
}

fn put_count(out: &mut Vec<u8>, count: usize) -> Result<()> {
    let count = u32::try_from(count).map_err(|_| Error::new(Code::TooLarge, "The archive is too long."))?;
    out.extend(count.to_le_bytes());
    Ok(())
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    put_count(out, bytes.len())?;
    out.extend(bytes);
    Ok(())
}

fn put_kept(out: &mut Vec<u8>, kept: &Kept) -> Result<()> {
    out.extend(kept.id.0);
    out.extend(kept.size.to_le_bytes());
    put(out, &kept.bytes)
}

fn put_process(out: &mut Vec<u8>, process: &DemoProcess) -> Result<()> {
    if process.entries.len() > MAX_ENTRIES || process.spares.len() > MAX_SPARES {
        return Err(Error::new(Code::TooLarge, "The archive has too many entries."));
    }
    put_kept(out, &process.process)?;
    put_kept(out, &process.module)?;
    put_count(out, process.entries.len())?;
    for entry in &process.entries {
        put_kept(out, &entry.assignment)?;
        out.push(u8::from(entry.message.is_some()));
        if let Some(message) = &entry.message {
            put_kept(out, message)?;
        }
    }
    put_count(out, process.spares.len())?;
    for (name, kept) in &process.spares {
        put(out, name.as_bytes())?;
        put_kept(out, kept)?;
    }
    Ok(())
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count).ok_or_else(|| malformed("it is cut short"))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| malformed("it is cut short"))
    }

    fn number(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn count(&mut self, most: usize) -> Result<usize> {
        let count = usize::try_from(self.array().map(u32::from_le_bytes)?).unwrap_or(usize::MAX);
        if count > most { Err(malformed("a count is too high")) } else { Ok(count) }
    }

    fn text(&mut self) -> Result<String> {
        self.utf8(MAX_TEXT)
    }

    fn utf8(&mut self, most: usize) -> Result<String> {
        let length = self.count(most)?;
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| malformed("a text is not UTF-8"))?;
        Ok(text.to_owned())
    }

    fn process(&mut self) -> Result<DemoProcess> {
        let (process, module) = (self.kept()?, self.kept()?);
        let mut entries = Vec::new();
        for _ in 0..self.count(MAX_ENTRIES)? {
            let assignment = self.kept()?;
            let message = match self.take(1)? {
                [0] => None,
                [1] => Some(self.kept()?),
                _ => return Err(malformed("a flag is neither 0 nor 1")),
            };
            entries.push(DemoEntry { assignment, message });
        }
        let mut spares = BTreeMap::new();
        for _ in 0..self.count(MAX_SPARES)? {
            spares.insert(self.text()?, self.kept()?);
        }
        Ok(DemoProcess { process, module, entries, spares })
    }

    fn chain(&mut self) -> Result<DemoChain> {
        let mut blocks = Vec::new();
        for _ in 0..self.count(MAX_BLOCKS)? {
            blocks.push(self.utf8(MAX_JSON)?);
        }
        let carrier = self.utf8(MAX_JSON)?;
        let mut items = Vec::new();
        for _ in 0..self.count(MAX_PROCESSES * (2 * MAX_ENTRIES + 2))? {
            items.push(Id(self.array()?));
        }
        Ok(DemoChain { blocks, carrier, items })
    }

    fn kept(&mut self) -> Result<Kept> {
        let (id, size) = (Id(self.array()?), self.number()?);
        let length = self.count(MAX_BYTES)?;
        Ok(Kept { id, size, bytes: self.take(length)?.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(byte: u8) -> Kept {
        Kept { id: Id([byte; 32]), size: 3, bytes: vec![byte; usize::from(byte)] }
    }

    fn archive() -> DemoArchive {
        DemoArchive {
            now: 5,
            scheduler: Address::from(Id([9; 32])),
            processes: vec![
                DemoProcess {
                    process: kept(1),
                    module: kept(2),
                    entries: vec![
                        DemoEntry { assignment: kept(3), message: Some(kept(1)) },
                        DemoEntry { assignment: kept(4), message: None },
                    ],
                    spares: BTreeMap::from([("forged".to_owned(), kept(5))]),
                },
                DemoProcess {
                    process: kept(6),
                    module: kept(7),
                    entries: vec![DemoEntry { assignment: kept(8), message: Some(kept(6)) }],
                    spares: BTreeMap::new(),
                },
            ],
            chain: DemoChain {
                blocks: vec!["{}".to_owned()],
                carrier: "{\"format\":2}".to_owned(),
                items: vec![Id([1; 32]), Id([2; 32])],
            },
        }
    }

    #[test]
    fn an_archive_reads_back() {
        let bytes = archive().encode().unwrap();
        assert_eq!(DemoArchive::decode(&bytes).unwrap(), archive());
    }

    #[test]
    fn a_process_is_found_by_its_id_and_the_first_without() {
        let archive = archive();
        assert_eq!(archive.process(None).unwrap().id(), Id([1; 32]));
        assert_eq!(archive.process(Some(Id([6; 32]))).unwrap().slots(), 1);
        assert_eq!(archive.process(Some(Id([7; 32]))).unwrap_err().code(), Code::NotFound);
    }

    #[test]
    fn no_prefix_and_no_suffix_is_an_archive() {
        let bytes = archive().encode().unwrap();
        for length in 0..bytes.len() {
            assert!(DemoArchive::decode(&bytes[..length]).is_err(), "the first {length} bytes");
        }
        assert!(DemoArchive::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn counts_are_bounded_before_anything_is_taken() {
        let mut bytes = archive().encode().unwrap();
        let entries_at = 9 + 8 + 4 + 43 + 4 + 2 * (32 + 8 + 4) + 1 + 2;
        assert_eq!(bytes[entries_at..entries_at + 4], 2_u32.to_le_bytes());
        bytes[entries_at..entries_at + 4].fill(0xff);
        assert!(DemoArchive::decode(&bytes).is_err());
    }
}
