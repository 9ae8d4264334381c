//! The whole state of an instance between two messages.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use weft_codec::{Code, Error, Id, Result};

use crate::engine::{Instance, Type, Value};
use crate::host::files::Files;

/// Memory is kept in pieces of this many bytes; those of zeros are left out.
pub(crate) const PAGE: usize = 4_096;

const MAGIC: &[u8; 8] = b"weftsnap";
const VERSION: u8 = 1;

/// Most bytes of memory that a snapshot may describe: what a 64-bit heap may have in the loader.
const MAX_MEMORY: u64 = 17_179_869_184;

/// Most globals of a snapshot, and most bytes of its files.
const MAX_GLOBALS: u32 = 4_096;
const MAX_FILES: u32 = 256 << 20;

/// The whole state of an instance between two messages: memory, mutable globals, clock and files. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    inner: Arc<Inner>,
}

#[derive(PartialEq, Eq)]
struct Inner {
    module: Id,
    memory_bytes: u64,
    /// Type byte of wasm and bits.
    globals: Vec<(u8, u64)>,
    clock: u64,
    files: Option<Files>,
    /// Indices of the pages that are not zero, ascending.
    indices: Vec<u32>,
    /// Their bytes, one page after the other.
    pages: Vec<u8>,
}

impl Snapshot {
    /// Takes the state of an instance.
    pub(crate) fn take(module: Id, instance: &dyn Instance, clock: u64, files: Option<Files>) -> Self {
        let (mut indices, mut pages) = (Vec::new(), Vec::new());
        let mut index = 0_u32;
        instance.visit(u64::MAX, &mut |piece| {
            for page in piece.chunks_exact(PAGE) {
                if !is_zero(page) {
                    indices.push(index);
                    pages.extend_from_slice(page);
                }
                index = index.saturating_add(1);
            }
        });
        let memory_bytes = instance.memory_bytes();
        let globals = instance.globals().into_iter().map(to_bits).collect();
        Self { inner: Arc::new(Inner { module, memory_bytes, globals, clock, files, indices, pages }) }
    }

    /// SHA-256 of the module's bytes.
    #[must_use]
    pub fn module(&self) -> Id {
        self.inner.module
    }

    /// The memory's size in bytes, zeros included.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.inner.memory_bytes
    }

    /// SHA-256 of the whole memory, zeros included. Costs as much as hashing all of it.
    #[must_use]
    pub fn memory_sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let zeros = [0; PAGE];
        let mut next = 0_u64;
        let total = self.inner.memory_bytes / PAGE as u64;
        for (index, page) in self.pages() {
            for _ in next..u64::from(index) {
                hash.update(zeros);
            }
            hash.update(page);
            next = u64::from(index) + 1;
        }
        for _ in next..total {
            hash.update(zeros);
        }
        hash.finalize().into()
    }

    /// The pages that are not zero, ascending.
    pub(crate) fn pages(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.inner.indices.iter().copied().zip(self.inner.pages.chunks_exact(PAGE))
    }

    pub(crate) fn globals(&self) -> Vec<Value> {
        self.inner.globals.iter().map(|(ty, bits)| from_bits(*ty, *bits)).collect()
    }

    pub(crate) fn clock(&self) -> u64 {
        self.inner.clock
    }

    pub(crate) fn files(&self) -> Option<&Files> {
        self.inner.files.as_ref()
    }

    /// Writes the pages that are not zero.
    fn write_pages(&self, memory: &mut [u8]) {
        for (index, page) in self.pages() {
            let start = usize::try_from(index).unwrap_or(usize::MAX).saturating_mul(PAGE);
            if let Some(to) = memory.get_mut(start..start.saturating_add(PAGE)) {
                to.copy_from_slice(page);
            }
        }
    }

    /// The whole linear memory, zeros included: what a compute unit's `GET /state` answers.
    #[must_use]
    pub fn to_memory(&self) -> Vec<u8> {
        let mut memory = vec![0; usize::try_from(self.inner.memory_bytes).unwrap_or_default()];
        self.write_pages(&mut memory);
        memory
    }

    /// Writes the snapshot out. The same state always gives the same bytes.
    ///
    /// Numbers are little-endian: `weftsnap`, version, SHA-256 of the module, memory size, clock, globals (count; type
    /// byte and bits of each), files (length; JSON, empty if untouched), page count, page indices, pages, and SHA-256 of
    /// all that.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let inner = &self.inner;
        let files = inner.files.as_ref().and_then(|files| serde_json::to_vec(files).ok()).unwrap_or_default();
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        let mut out = Vec::with_capacity(inner.pages.len() + inner.indices.len() * 4 + files.len() + 256);
        out.extend(MAGIC);
        out.push(VERSION);
        out.extend(inner.module.0);
        out.extend(inner.memory_bytes.to_le_bytes());
        out.extend(inner.clock.to_le_bytes());
        out.extend(count(inner.globals.len()));
        for (ty, bits) in &inner.globals {
            out.push(*ty);
            out.extend(bits.to_le_bytes());
        }
        out.extend(count(files.len()));
        out.extend(files);
        out.extend(count(inner.indices.len()));
        for index in &inner.indices {
            out.extend(index.to_le_bytes());
        }
        out.extend_from_slice(&inner.pages);
        let checksum = Sha256::digest(&out);
        out.extend_from_slice(&checksum);
        out
    }

    /// Reads a snapshot back.
    ///
    /// # Errors
    /// `snapshot-invalid` if it is truncated, altered or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let at = bytes.len().checked_sub(32).ok_or_else(truncated)?;
        let (body, checksum) = bytes.split_at_checked(at).ok_or_else(truncated)?;
        let mut reader = Reader(body);
        if reader.take(8)? != MAGIC {
            return Err(invalid("these bytes are not a snapshot"));
        }
        if reader.take(1)? != [VERSION] {
            return Err(invalid("the snapshot is of another version"));
        }
        if Sha256::digest(body).as_slice() != checksum {
            return Err(invalid("the snapshot was altered: its checksum does not match"));
        }
        let module = Id(reader.array()?);
        let memory_bytes = u64::from_le_bytes(reader.array()?);
        if memory_bytes > MAX_MEMORY || memory_bytes % 65_536 != 0 {
            return Err(invalid("the snapshot's memory size is impossible"));
        }
        let clock = u64::from_le_bytes(reader.array()?);
        let globals = read_globals(&mut reader)?;
        let files = match reader.count(MAX_FILES)? {
            0 => None,
            len => Some(
                serde_json::from_slice(reader.take(len)?)
                    .map_err(|cause| invalid("the snapshot's files do not read").because(cause))?,
            ),
        };
        let count = reader.count(u32::MAX)?;
        let indices: Vec<u32> = reader
            .take(count.checked_mul(4).ok_or_else(truncated)?)?
            .chunks_exact(4)
            .map(|index| index.iter().rev().fold(0, |value, byte| (value << 8) | u32::from(*byte)))
            .collect();
        let ascending = indices.windows(2).all(|pair| pair.first() < pair.last());
        let within = indices.last().is_none_or(|last| (u64::from(*last) + 1) * PAGE as u64 <= memory_bytes);
        if !ascending || !within {
            return Err(invalid("the snapshot's pages are out of order"));
        }
        let pages = reader.take(count.checked_mul(PAGE).ok_or_else(truncated)?)?.to_vec();
        if !reader.0.is_empty() {
            return Err(invalid("the snapshot is longer than it says"));
        }
        Ok(Self { inner: Arc::new(Inner { module, memory_bytes, globals, clock, files, indices, pages }) })
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("module", &self.inner.module)
            .field("memory_bytes", &self.inner.memory_bytes)
            .field("pages", &self.inner.indices.len())
            .finish_non_exhaustive()
    }
}

fn read_globals(reader: &mut Reader<'_>) -> Result<Vec<(u8, u64)>> {
    let mut globals = Vec::new();
    for _ in 0..reader.count(MAX_GLOBALS)? {
        let [ty] = reader.array()?;
        if !(0x7c..=0x7f).contains(&ty) {
            return Err(invalid("the snapshot has a global of an unknown type"));
        }
        globals.push((ty, u64::from_le_bytes(reader.array()?)));
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

/// Whether a page holds only zeros. Reads eight bytes at a time: in wasm32 a comparison with a slice of zeros reads one.
pub(crate) fn is_zero(page: &[u8]) -> bool {
    let (words, rest) = page.as_chunks::<8>();
    let (blocks, words) = words.as_chunks::<16>();
    blocks.iter().all(|block| block.iter().fold(0, |sum, word| sum | u64::from_le_bytes(*word)) == 0)
        && words.iter().all(|word| u64::from_le_bytes(*word) == 0)
        && rest.iter().all(|byte| *byte == 0)
}

fn invalid(sentence: &str) -> Error {
    Error::new(Code::SnapshotInvalid, sentence)
}

fn truncated() -> Error {
    invalid("the snapshot is truncated")
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
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
