//! Strings. One of up to [`SHORT`] bytes is kept once, so that most comparisons are of indices.

use crate::value::StrId;

/// The longest string that is kept once.
const SHORT: usize = 40;
/// What a string costs beside its bytes.
pub(super) const OVERHEAD: usize = 48;
/// Places of the table of short strings that a lookup may visit without paying for it.
const FREE_PROBES: u64 = 8;

#[derive(Debug)]
struct Text {
    bytes: Box<[u8]>,
    hash: u32,
    live: bool,
}

/// All strings of a VM.
#[derive(Debug)]
pub(crate) struct Strings {
    texts: Vec<Text>,
    free: Vec<u32>,
    /// Short strings by hash, open addressing; `EMPTY` or an index.
    table: Vec<u32>,
    in_table: usize,
}

const EMPTY: u32 = u32::MAX;

impl Strings {
    pub(super) fn new() -> Self {
        Self { texts: Vec::new(), free: Vec::new(), table: vec![EMPTY; 256], in_table: 0 }
    }

    #[inline]
    pub(crate) fn bytes(&self, id: StrId) -> &[u8] {
        self.texts.get(id.index()).map_or(&[], |text| &text.bytes)
    }

    #[inline]
    pub(crate) fn hash(&self, id: StrId) -> u32 {
        self.texts.get(id.index()).map_or(0, |text| text.hash)
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
        let hash = hash_bytes(bytes);
        if bytes.len() > SHORT {
            return (self.add(bytes, hash, true), bytes.len() + OVERHEAD, 0);
        }
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        let mut probes = 0u64;
        loop {
            match self.table.get(at) {
                Some(&EMPTY) | None => break,
                Some(&index) => {
                    let text = &self.texts[index as usize];
                    if text.hash == hash && &*text.bytes == bytes {
                        return (StrId::new(index, false), 0, probes.saturating_sub(FREE_PROBES));
                    }
                }
            }
            at = (at + 1) & mask;
            probes += 1;
        }
        let id = self.add(bytes, hash, false);
        self.table[at] = id.0;
        self.in_table += 1;
        if self.in_table * 4 > self.table.len() * 3 {
            self.rebuild(self.table.len() * 2);
        }
        (id, bytes.len() + OVERHEAD, probes.saturating_sub(FREE_PROBES))
    }

    fn add(&mut self, bytes: &[u8], hash: u32, long: bool) -> StrId {
        let text = Text { bytes: bytes.into(), hash, live: true };
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
            if text.live && text.bytes.len() <= SHORT {
                let mut at = text.hash as usize & mask;
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
        for (index, text) in (0u32..).zip(&mut self.texts) {
            if text.live && !marks.get(index as usize).copied().unwrap_or(false) {
                freed += text.bytes.len() + OVERHEAD;
                *text = Text { bytes: Box::default(), hash: 0, live: false };
                self.free.push(index);
            }
        }
        if freed > 0 {
            let short = self.texts.iter().filter(|text| text.live && text.bytes.len() <= SHORT).count();
            self.rebuild((short * 2).next_power_of_two().max(256));
        }
        freed
    }
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
