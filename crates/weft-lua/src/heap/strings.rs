//! Strings. One of up to [`SHORT`] bytes is kept once, so that most comparisons are of indices.
//!
//! A long string made by `..` shares its bytes with the one it continues, where that ends where its buffer ends: so a text that
//! is built piece by piece is not copied at each step.

use std::cell::Cell;

use crate::value::StrId;

/// The longest string that is kept once.
const SHORT: usize = 40;
/// What a string costs beside its bytes.
pub(super) const OVERHEAD: usize = 48;
/// Places of the table of short strings that a lookup may visit without paying for it.
const FREE_PROBES: u64 = 8;

#[derive(Debug)]
struct Text {
    bytes: Bytes,
    /// Of a long string it is made when it is first asked for; 0 until then.
    hash: Cell<u32>,
    live: bool,
}

#[derive(Debug)]
enum Bytes {
    Own(Box<[u8]>),
    /// The first so many bytes of a buffer.
    Shared {
        buffer: u32,
        length: usize,
    },
}

/// A long string's bytes while they are lent; without [`Strings::take_back`] the string stays empty.
#[derive(Debug)]
pub(crate) struct Loan {
    id: StrId,
    bytes: Vec<u8>,
    length: usize,
}

impl std::ops::Deref for Loan {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// All strings of a VM.
#[derive(Debug)]
pub(crate) struct Strings {
    texts: Vec<Text>,
    free: Vec<u32>,
    /// Short strings by hash, open addressing; `EMPTY` or an index.
    table: Vec<u32>,
    in_table: usize,
    buffers: Vec<Vec<u8>>,
    free_buffers: Vec<u32>,
}

const EMPTY: u32 = u32::MAX;

impl Strings {
    pub(super) fn new() -> Self {
        Self {
            texts: Vec::new(),
            free: Vec::new(),
            table: vec![EMPTY; 256],
            in_table: 0,
            buffers: Vec::new(),
            free_buffers: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn bytes(&self, id: StrId) -> &[u8] {
        self.texts.get(id.index()).map_or(&[], |text| self.bytes_of(text))
    }

    #[inline]
    fn bytes_of<'a>(&'a self, text: &'a Text) -> &'a [u8] {
        match &text.bytes {
            Bytes::Own(bytes) => bytes,
            Bytes::Shared { buffer, length } => {
                self.buffers.get(*buffer as usize).and_then(|bytes| bytes.get(..*length)).unwrap_or_default()
            }
        }
    }

    pub(crate) fn hash(&self, id: StrId) -> u32 {
        let Some(text) = self.texts.get(id.index()) else { return 0 };
        if text.hash.get() == 0 {
            text.hash.set(hash_bytes(self.bytes_of(text)));
        }
        text.hash.get()
    }

    #[inline]
    pub(crate) fn same(&self, a: StrId, b: StrId) -> bool {
        a == b || (a.is_long() && b.is_long() && self.bytes(a) == self.bytes(b))
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The string with these bytes, how many bytes of memory it took, and how much work finding it was beyond the usual.
    pub(super) fn make(&mut self, bytes: &[u8]) -> (StrId, usize, u64) {
        if bytes.len() > SHORT {
            return (self.add(Bytes::Own(bytes.into()), 0, true), bytes.len() + OVERHEAD, 0);
        }
        let hash = hash_bytes(bytes);
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        let mut probes = 0u64;
        loop {
            match self.table.get(at) {
                Some(&EMPTY) | None => break,
                Some(&index) => {
                    let text = &self.texts[index as usize];
                    if text.hash.get() == hash && self.bytes_of(text) == bytes {
                        return (StrId::new(index, false), 0, probes.saturating_sub(FREE_PROBES));
                    }
                }
            }
            at = (at + 1) & mask;
            probes += 1;
        }
        let id = self.add(Bytes::Own(bytes.into()), hash, false);
        self.table[at] = id.0;
        self.in_table += 1;
        if self.in_table * 4 > self.table.len() * 3 {
            self.rebuild(self.table.len() * 2);
        }
        (id, bytes.len() + OVERHEAD, probes.saturating_sub(FREE_PROBES))
    }

    /// The short string with these bytes, if there is one.
    pub(super) fn short(&self, bytes: &[u8]) -> Option<StrId> {
        let hash = hash_bytes(bytes);
        let mask = self.table.len() - 1;
        let places =
            (0..self.table.len()).map(|step| self.table.get((hash as usize).wrapping_add(step) & mask));
        let taken = places.map_while(|place| place.copied().filter(|index| *index != EMPTY));
        let same = |text: &Text| text.hash.get() == hash && self.bytes_of(text) == bytes;
        let mut found = taken.filter(|index| self.texts.get(*index as usize).is_some_and(same));
        found.next().map(|index| StrId::new(index, false))
    }

    /// What continuing a string would take of memory beside [`OVERHEAD`]: little, where its buffer has room.
    pub(super) fn cost_of_more(&self, id: StrId, more: usize) -> usize {
        match self.texts.get(id.index()).map(|text| &text.bytes) {
            Some(Bytes::Shared { buffer, length }) if self.ends_at(*buffer, *length) => {
                let buffer = self.buffers.get(*buffer as usize);
                let room = buffer.map_or(0, Vec::capacity);
                capacity_for(room, length + more) - room
            }
            _ => self.bytes(id).len() + more,
        }
    }

    fn ends_at(&self, buffer: u32, length: usize) -> bool {
        self.buffers.get(buffer as usize).is_some_and(|bytes| bytes.len() == length)
    }

    /// A long string and what follows it, and the bytes of memory it took.
    pub(super) fn continued(&mut self, id: StrId, more: &[u8]) -> (StrId, usize) {
        let taken = self.cost_of_more(id, more.len()) + OVERHEAD;
        let shared = match self.texts.get(id.index()).map(|text| &text.bytes) {
            Some(Bytes::Shared { buffer, length }) if self.ends_at(*buffer, *length) => Some(*buffer),
            _ => None,
        };
        let buffer = shared.unwrap_or_else(|| self.new_buffer(id, more.len()));
        let length = match self.buffers.get_mut(buffer as usize) {
            Some(bytes) => {
                let wanted = capacity_for(bytes.capacity(), bytes.len() + more.len());
                bytes.reserve_exact(wanted - bytes.len());
                bytes.extend_from_slice(more);
                bytes.len()
            }
            None => 0,
        };
        (self.add(Bytes::Shared { buffer, length }, 0, true), taken)
    }

    /// A buffer with a string's bytes and room for exactly so many more: most texts are not continued.
    fn new_buffer(&mut self, id: StrId, more: usize) -> u32 {
        let old = self.bytes(id);
        let mut bytes = Vec::with_capacity(old.len() + more);
        bytes.extend_from_slice(old);
        match self.free_buffers.pop() {
            Some(index) => {
                self.buffers[index as usize] = bytes;
                index
            }
            None => {
                let index = u32::try_from(self.buffers.len()).unwrap_or(u32::MAX);
                self.buffers.push(bytes);
                index
            }
        }
    }

    /// A long string's bytes, out of here until they are given back: to be read while other strings are made.
    pub(crate) fn lend(&mut self, id: StrId) -> Loan {
        let Some(text) = self.texts.get_mut(id.index()) else {
            return Loan { id, bytes: Vec::new(), length: 0 };
        };
        match &mut text.bytes {
            Bytes::Own(bytes) => {
                let bytes = std::mem::take(bytes).into_vec();
                Loan { id, length: bytes.len(), bytes }
            }
            Bytes::Shared { buffer, length } => {
                let bytes = self.buffers.get_mut(*buffer as usize).map(std::mem::take).unwrap_or_default();
                Loan { id, bytes, length: *length }
            }
        }
    }

    /// Takes a string's bytes back.
    pub(crate) fn take_back(&mut self, loan: Loan) {
        let Some(text) = self.texts.get_mut(loan.id.index()) else { return };
        match &mut text.bytes {
            Bytes::Own(bytes) => *bytes = loan.bytes.into_boxed_slice(),
            Bytes::Shared { buffer, .. } => {
                if let Some(place) = self.buffers.get_mut(*buffer as usize) {
                    *place = loan.bytes;
                }
            }
        }
    }

    fn add(&mut self, bytes: Bytes, hash: u32, long: bool) -> StrId {
        let text = Text { bytes, hash: Cell::new(hash), live: true };
        match self.free.pop() {
            Some(index) => {
                self.texts[index as usize] = text;
                StrId::new(index, long)
            }
            None => {
                // The memory limit keeps this far below 2 to the power of 31.
                let index = u32::try_from(self.texts.len()).unwrap_or(u32::MAX >> 1);
                self.texts.push(text);
                StrId::new(index, long)
            }
        }
    }

    fn rebuild(&mut self, size: usize) {
        let mut table = vec![EMPTY; size];
        let mask = size - 1;
        let mut count = 0;
        for (index, text) in (0u32..).zip(&self.texts) {
            if text.is_short() {
                let mut at = text.hash.get() as usize & mask;
                while table[at] != EMPTY {
                    at = (at + 1) & mask;
                }
                table[at] = index;
                count += 1;
            }
        }
        self.table = table;
        self.in_table = count;
    }

    /// Frees what is not marked; answers the bytes freed.
    pub(super) fn sweep(&mut self, marks: &[bool]) -> usize {
        let mut freed = 0;
        let mut any = false;
        let mut longest = vec![0; self.buffers.len()];
        for (index, text) in (0u32..).zip(&mut self.texts) {
            let marked = marks.get(index as usize).copied().unwrap_or(false);
            if text.live && !marked {
                freed += OVERHEAD + if let Bytes::Own(bytes) = &text.bytes { bytes.len() } else { 0 };
                *text = Text { bytes: Bytes::Own(Box::default()), hash: Cell::new(0), live: false };
                self.free.push(index);
                any = true;
            } else if let Bytes::Shared { buffer, length } = text.bytes
                && let Some(most) = longest.get_mut(buffer as usize)
            {
                *most = length.max(*most);
            }
        }
        if any {
            let short = self.texts.iter().filter(|text| text.is_short()).count();
            self.rebuild((short * 2).next_power_of_two().max(256));
        }
        freed + self.trim(&longest)
    }

    /// Gives back what no string needs of the buffers; answers the bytes freed.
    fn trim(&mut self, longest: &[usize]) -> usize {
        let mut freed = 0;
        for ((index, buffer), length) in (0u32..).zip(&mut self.buffers).zip(longest) {
            let before = buffer.capacity();
            buffer.truncate(*length);
            if *length == 0 && before > 0 {
                *buffer = Vec::new();
                self.free_buffers.push(index);
            } else if before > length * 2 {
                buffer.shrink_to_fit();
            }
            freed += before - buffer.capacity();
        }
        freed
    }
}

impl Text {
    /// Whether it is kept once. (A shared one is long.)
    fn is_short(&self) -> bool {
        self.live && matches!(&self.bytes, Bytes::Own(bytes) if bytes.len() <= SHORT)
    }
}

/// The capacity of a buffer that is to hold so many bytes: one that was continued before grows by half and more.
fn capacity_for(capacity: usize, length: usize) -> usize {
    if length <= capacity { capacity } else { length.max(capacity + capacity / 2) }
}

/// A hash that is the same on every platform: 8 bytes a step.
fn hash_bytes(bytes: &[u8]) -> u32 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = (bytes.len() as u64).wrapping_mul(K);
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(*chunk)).wrapping_mul(K);
    }
    let mut last = [0u8; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    hash = (hash.rotate_left(23) ^ u64::from_le_bytes(last)).wrapping_mul(K);
    let folded = (hash >> 32) as u32;
    folded ^ (folded >> 15)
}
