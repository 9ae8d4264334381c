//! The whole state of an instance between two messages.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use weft_codec::{Code, Error, Id, Result};

use crate::engine::{Type, Value};
use crate::host::files::Files;
use crate::pages::{PAGE, Pages};

const MAGIC: &[u8; 8] = b"weftsnap";
/// Of a head, whose pages are kept beside it.
const HEAD_MAGIC: &[u8; 8] = b"weftstat";
const VERSION: u8 = 1;

/// Most bytes of memory that a snapshot may describe: what a 64-bit heap may have in the loader.
const MAX_MEMORY: u64 = 17_179_869_184;

/// Most globals of a snapshot, and most bytes of its files.
const MAX_GLOBALS: u32 = 4_096;
const MAX_FILES: u32 = 256 << 20;

/// The whole state of an instance between two messages: memory, mutable globals, clock and files. Cloning is cheap; snapshots of one
/// process share the pages in which they do not differ.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    inner: Arc<Inner>,
}

#[derive(PartialEq, Eq)]
struct Inner {
    module: Id,
    outside: Outside,
    pages: Pages,
}

/// The state outside of the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) globals: Vec<Value>,
    pub(crate) clock: u64,
    /// `None` if untouched.
    pub(crate) files: Option<Files>,
}

impl Snapshot {
    pub(crate) fn new(module: Id, outside: Outside, pages: Pages) -> Self {
        Self { inner: Arc::new(Inner { module, outside, pages }) }
    }

    /// SHA-256 of the module's bytes.
    #[must_use]
    pub fn module(&self) -> Id {
        self.inner.module
    }

    /// The memory's size in bytes, zeros included.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.inner.pages.bytes()
    }

    /// SHA-256 of the whole memory, zeros included. Costs as much as hashing all of it.
    #[must_use]
    pub fn memory_sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let zeros = [0; PAGE];
        let mut next = 0_u64;
        for (index, page) in self.pages().iter() {
            for _ in next..index {
                hash.update(zeros);
            }
            hash.update(page);
            next = index.saturating_add(1);
        }
        for _ in next..self.memory_bytes() / PAGE as u64 {
            hash.update(zeros);
        }
        hash.finalize().into()
    }

    /// The root over the memory: docs/wasm.md, "The root of a memory". It costs what changed since it was asked of a snapshot that this
    /// one shares pages with.
    #[must_use]
    pub fn memory_root(&self) -> Id {
        self.inner.pages.root()
    }

    /// The first page of 4,096 bytes in which two memories differ, or by which one is longer.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<u64> {
        let (one, two) = (self.pages(), other.pages());
        let longer = (one.bytes() != two.bytes()).then(|| one.bytes().min(two.bytes()) / PAGE as u64);
        one.differing(two).first().copied().into_iter().chain(longer).min()
    }

    /// In how many pages of 4,096 bytes it differs from an earlier one. What both share is not looked at.
    #[must_use]
    pub fn changed_since(&self, earlier: &Self) -> usize {
        self.pages().differing(earlier.pages()).len()
    }

    pub(crate) fn pages(&self) -> &Pages {
        &self.inner.pages
    }

    pub(crate) fn outside(&self) -> &Outside {
        &self.inner.outside
    }

    /// Writes the pages that are not zero.
    fn write_pages(&self, memory: &mut [u8]) {
        for (index, page) in self.pages().iter() {
            let start = usize::try_from(index).unwrap_or(usize::MAX).saturating_mul(PAGE);
            if let Some(to) = memory.get_mut(start..start.saturating_add(PAGE)) {
                to.copy_from_slice(page);
            }
        }
    }

    /// The whole linear memory, zeros included: what a compute unit's `GET /state` answers.
    #[must_use]
    pub fn to_memory(&self) -> Vec<u8> {
        let mut memory = vec![0; usize::try_from(self.memory_bytes()).unwrap_or_default()];
        self.write_pages(&mut memory);
        memory
    }

    /// The pages that are not zero, ascending: index, hash as docs/wasm.md has it, bytes.
    pub fn page_hashes(&self) -> impl Iterator<Item = (u64, Id, &[u8])> {
        self.pages().hashed()
    }

    /// Writes the snapshot out. The same state always gives the same bytes.
    ///
    /// Numbers are little-endian: `weftsnap`, version, SHA-256 of the module, memory size, clock, globals (count; type
    /// byte and bits of each), files (length; JSON, empty if untouched), page count, page indices, pages, and SHA-256 of
    /// all that.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.outside_bytes(MAGIC);
        let indices: Vec<u32> =
            self.pages().iter().filter_map(|(index, _)| u32::try_from(index).ok()).collect();
        out.reserve(indices.len() * (PAGE + 4) + 64);
        out.extend(count(indices.len()));
        for index in &indices {
            out.extend(index.to_le_bytes());
        }
        for (_, page) in self.pages().iter() {
            out.extend_from_slice(page);
        }
        checked(out)
    }

    /// All but the pages: `weftstat` and the fields of [`Snapshot::to_bytes`] up to the files, the root over the memory, and SHA-256 of all
    /// that. [`Snapshot::from_parts`] reads it.
    #[must_use]
    pub fn head_bytes(&self) -> Vec<u8> {
        let mut out = self.outside_bytes(HEAD_MAGIC);
        out.extend(self.memory_root().0);
        checked(out)
    }

    /// Whether these are the bytes of a head.
    #[must_use]
    pub fn is_head(bytes: &[u8]) -> bool {
        bytes.starts_with(HEAD_MAGIC)
    }

    fn outside_bytes(&self, magic: &[u8]) -> Vec<u8> {
        let Inner { module, outside, .. } = &*self.inner;
        let files =
            outside.files.as_ref().and_then(|files| serde_json::to_vec(files).ok()).unwrap_or_default();
        let mut out = Vec::with_capacity(files.len() + 256);
        out.extend(magic);
        out.push(VERSION);
        out.extend(module.0);
        out.extend(self.memory_bytes().to_le_bytes());
        out.extend(outside.clock.to_le_bytes());
        out.extend(count(outside.globals.len()));
        for (ty, bits) in outside.globals.iter().map(|value| to_bits(*value)) {
            out.push(ty);
            out.extend(bits.to_le_bytes());
        }
        out.extend(count(files.len()));
        out.extend(files);
        out
    }

    /// Reads a snapshot back.
    ///
    /// # Errors
    /// `snapshot-invalid` if it is truncated, altered or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::checked(bytes, MAGIC)?;
        let (module, memory_bytes, outside) = read_outside(&mut reader)?;
        let count = reader.count(u32::MAX)?;
        let indices: Vec<u64> = reader
            .take(count.checked_mul(4).ok_or_else(truncated)?)?
            .chunks_exact(4)
            .map(|index| index.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
            .collect();
        let bytes = reader.take(count.checked_mul(PAGE).ok_or_else(truncated)?)?;
        reader.end()?;
        let (pages, _) = bytes.as_chunks::<PAGE>();
        let pages = read_pages(memory_bytes, indices.into_iter().zip(pages))?;
        Ok(Self::new(module, outside, pages))
    }

    /// Puts a snapshot together from its head and its pages, ascending by their indices.
    ///
    /// # Errors
    /// `snapshot-invalid` for a head that is truncated, altered or of another version, or where the pages have another root.
    pub fn from_parts<'a>(
        head: &[u8],
        pages: impl IntoIterator<Item = (u64, &'a [u8; PAGE])>,
    ) -> Result<Self> {
        let mut reader = Reader::checked(head, HEAD_MAGIC)?;
        let (module, memory_bytes, outside) = read_outside(&mut reader)?;
        let root = Id(reader.array()?);
        reader.end()?;
        let pages = read_pages(memory_bytes, pages)?;
        if pages.root() != root {
            return Err(invalid("the snapshot was altered: its pages have another root"));
        }
        Ok(Self::new(module, outside, pages))
    }
}

/// Behind what was written, its SHA-256.
fn checked(mut out: Vec<u8>) -> Vec<u8> {
    let checksum = Sha256::digest(&out);
    out.extend_from_slice(&checksum);
    out
}

fn count(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

fn read_outside(reader: &mut Reader<'_>) -> Result<(Id, u64, Outside)> {
    let module = Id(reader.array()?);
    let memory_bytes = u64::from_le_bytes(reader.array()?);
    if memory_bytes > MAX_MEMORY || memory_bytes % 65_536 != 0 {
        return Err(invalid("the snapshot's memory size is impossible"));
    }
    let clock = u64::from_le_bytes(reader.array()?);
    let globals = read_globals(reader)?;
    let files = match reader.count(MAX_FILES)? {
        0 => None,
        len => Some(
            serde_json::from_slice(reader.take(len)?)
                .map_err(|cause| invalid("the snapshot's files do not read").because(cause))?,
        ),
    };
    Ok((module, memory_bytes, Outside { globals, clock, files }))
}

fn read_pages<'a>(memory_bytes: u64, list: impl IntoIterator<Item = (u64, &'a [u8; PAGE])>) -> Result<Pages> {
    let (mut pages, mut next) = (Pages::new(memory_bytes), 0);
    for (index, page) in list {
        if index < next || index >= memory_bytes / PAGE as u64 {
            return Err(invalid("the snapshot's pages are out of order"));
        }
        pages.set(index, page);
        next = index + 1;
    }
    Ok(pages)
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("module", &self.inner.module)
            .field("memory_bytes", &self.memory_bytes())
            .finish_non_exhaustive()
    }
}

fn read_globals(reader: &mut Reader<'_>) -> Result<Vec<Value>> {
    let mut globals = Vec::new();
    for _ in 0..reader.count(MAX_GLOBALS)? {
        let [ty] = reader.array()?;
        if !(0x7c..=0x7f).contains(&ty) {
            return Err(invalid("the snapshot has a global of an unknown type"));
        }
        globals.push(from_bits(ty, u64::from_le_bytes(reader.array()?)));
    }
    Ok(globals)
}

fn to_bits(value: Value) -> (u8, u64) {
    let ty = match value.ty() {
        Type::F64 => 0x7c,
        Type::F32 => 0x7d,
        Type::I64 => 0x7e,
        Type::I32 => 0x7f,
    };
    (ty, value.bits())
}

fn from_bits(ty: u8, bits: u64) -> Value {
    let ty = match ty {
        0x7c => Type::F64,
        0x7d => Type::F32,
        0x7e => Type::I64,
        _ => Type::I32,
    };
    Value::of(ty, bits)
}

fn invalid(sentence: &str) -> Error {
    Error::new(Code::SnapshotInvalid, sentence)
}

fn truncated() -> Error {
    invalid("the snapshot is truncated")
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// What stands between the magic and version, and the checksum.
    fn checked(bytes: &'a [u8], magic: &[u8; 8]) -> Result<Self> {
        let at = bytes.len().checked_sub(32).ok_or_else(truncated)?;
        let (body, checksum) = bytes.split_at_checked(at).ok_or_else(truncated)?;
        let mut reader = Reader(body);
        if reader.take(8)? != magic {
            return Err(invalid("these bytes are not a snapshot"));
        }
        if reader.take(1)? != [VERSION] {
            return Err(invalid("the snapshot is of another version"));
        }
        if Sha256::digest(body).as_slice() != checksum {
            return Err(invalid("the snapshot was altered: its checksum does not match"));
        }
        Ok(reader)
    }

    fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(invalid("the snapshot is longer than it says")) }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len).ok_or_else(truncated)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| truncated())
    }

    fn count(&mut self, max: u32) -> Result<usize> {
        let count = u32::from_le_bytes(self.array()?);
        if count > max {
            return Err(invalid("the snapshot holds more than it may"));
        }
        usize::try_from(count).map_err(|_| truncated())
    }
}
