//! Receipt files for tests: real and our own, checked as a reader does, and changed as an attacker does.

use weft_codec::ao::Carrier;
use weft_codec::item::DataItem;
use weft_codec::{Id, Result, base64url};
use weft_core::{NodeLimits, ResultCheck};
use weft_verify::{
    HistoryEntry, ProvedReceipt, ReceiptEnding, ReceiptFile, ReceiptOpening, ReceiptProof, ReceiptWriter,
    SchedulerPolicy, Scope, Verified,
};

/// What stands before and after the digest, and how long both are with it.
const SEAL: (&str, &str) = ("\"sha256\":\"", "\"}\n");
const SEAL_LEN: usize = SEAL.0.len() + 43 + SEAL.1.len();

/// A receipt over entries, with results by slot.
///
/// # Errors
///
/// Those of [`ReceiptWriter`].
pub fn write(
    scope: &Scope,
    process: &DataItem,
    module: Option<&DataItem>,
    entries: &[HistoryEntry],
    result: impl Fn(u64) -> Option<String>,
    ending: ReceiptEnding,
) -> Result<Vec<u8>> {
    let (first, last) = match scope {
        Scope::History { to, .. } => (0, *to),
        Scope::Slot(slot) => (*slot, *slot),
    };
    let at = |slot: u64| entries.get(usize::try_from(slot).unwrap_or(usize::MAX)).cloned();
    let opening = ReceiptOpening {
        made_by: "weft test".into(),
        scope: scope.clone(),
        process: Carrier::from(process.clone()),
        module: module.cloned().map(Carrier::from),
        further_modules: Vec::new(),
        boot: None,
        previous: first.checked_sub(1).and_then(at).map(|entry| entry.assignment),
    };
    let mut writer = ReceiptWriter::begin(opening)?;
    let mut text = Vec::new();
    for slot in first..=last {
        if let Some(entry) = at(slot) {
            writer.slot(entry, result(slot).as_deref())?;
        }
        text.extend(writer.take());
    }
    text.extend(writer.finish(ending)?);
    Ok(text)
}

/// Checks as a reader does who has no network. `replay` computes the results again, with the module of the receipt.
///
/// # Errors
///
/// Those of [`ReceiptProof`] and [`ResultCheck`].
pub fn check(text: &[u8], policy: &SchedulerPolicy, replay: bool) -> Result<Verified<ProvedReceipt>> {
    let file = ReceiptFile::parse(text)?;
    let mut proof = ReceiptProof::open(&file, policy)?;
    let mut results = match proof.modules() {
        Some(modules) if replay => {
            Some(ResultCheck::new(proof.process(), modules, proof.origin(), &NodeLimits::default())?)
        }
        _ => None,
    };
    while let Some(slot) = proof.next()? {
        if let Some(results) = results.as_mut() {
            results.slot(&slot)?;
        }
    }
    if let Some(results) = results {
        results.finish(proof.memory_sha256())?;
    }
    proof.finish()
}

/// The text with the digest that belongs to it: what an attacker would do last.
#[must_use]
pub fn sealed(mut text: Vec<u8>) -> Vec<u8> {
    text.truncate(text.len().saturating_sub(SEAL_LEN));
    let digest = Id::sha256(&text);
    text.extend(format!("{}{digest}{}", SEAL.0, SEAL.1).into_bytes());
    text
}

/// The text without what is its maker's word alone: who made it, and results where they are not replayed.
#[must_use]
pub fn meaning(text: &[u8], replayed: bool) -> String {
    let text = String::from_utf8_lossy(text);
    let body = text.get(..text.len().saturating_sub(SEAL_LEN)).unwrap_or_default();
    let mut out = String::new();
    for line in body.lines() {
        if line.starts_with("\"made_by\":") {
            continue;
        }
        match line.find(",\"result\":{") {
            Some(at) if !replayed => out.push_str(&line[..at]),
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Changes of a text, always the same from the same seed.
#[derive(Clone, Debug)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// A row of changes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(2).wrapping_add(1) }
    }

    /// splitmix64
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.draw() % (end.max(1) as u64)).unwrap_or(0)
    }

    /// The text with one change; the name of its kind beside it.
    pub fn change(&mut self, text: &[u8]) -> (&'static str, Vec<u8>) {
        match self.draw() % 12 {
            0 => ("a bit of the text", self.bit(text.to_vec(), 0)),
            1 | 2 => ("a bit of a value", self.in_value(text, |this, bytes| this.bit(bytes, 0))),
            3 => ("a length", self.in_value(text, Self::length)),
            4 => ("a cut value", self.in_value(text, Self::cut)),
            5 => ("a longer value", self.in_value(text, Self::longer)),
            6 => ("two values swapped", self.swap_values(text)),
            7 => ("a status", self.status(text)),
            8 => ("lines", self.lines(text)),
            9 => ("a number", self.number(text)),
            10 => ("a cut text", text[..self.below(text.len())].to_vec()),
            _ => ("a byte too many", self.insert(text)),
        }
    }

    fn bit(&mut self, mut bytes: Vec<u8>, from: usize) -> Vec<u8> {
        let at = from + self.below(bytes.len().saturating_sub(from));
        let bit = self.below(8);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
        bytes
    }

    /// The places of the strings of a text, without their quotes. Nothing in a receipt has an escaped quote but results.
    fn strings(text: &[u8]) -> Vec<(usize, usize)> {
        let quotes: Vec<usize> = text
            .iter()
            .enumerate()
            .filter(|(at, byte)| **byte == b'"' && (*at == 0 || text[at - 1] != b'\\'))
            .map(|(at, _)| at)
            .collect();
        quotes.chunks_exact(2).map(|pair| (pair[0] + 1, pair[1])).collect()
    }

    /// Changes the bytes of a long base64url string, or the text of a short one.
    fn in_value(&mut self, text: &[u8], change: impl FnOnce(&mut Self, Vec<u8>) -> Vec<u8>) -> Vec<u8> {
        let long: Vec<_> = Self::strings(text).into_iter().filter(|(from, to)| to - from >= 43).collect();
        let Some((from, to)) = long.get(self.below(long.len())).copied() else { return text.to_vec() };
        let value = &text[from..to];
        let decoded = std::str::from_utf8(value).ok().and_then(|value| base64url::decode(value).ok());
        let changed = match decoded {
            Some(bytes) => base64url::encode(&change(self, bytes)).into_bytes(),
            None => change(self, value.to_vec()),
        };
        [&text[..from], &changed, &text[to..]].concat()
    }

    /// Overwrites a few bytes with what a length could be: 0, 1, very much.
    fn length(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let values: [&[u8]; 4] = [&[0; 8], &[1, 0, 0, 0, 0, 0, 0, 0], &[0xff; 8], &[0xff, 0xff, 0xff, 0x7f]];
        let value = values[self.below(values.len())];
        let at = self.below(bytes.len().saturating_sub(value.len()));
        let end = bytes.len().min(at + value.len());
        bytes.splice(at..end, value.iter().copied());
        bytes
    }

    fn cut(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.truncate(self.below(bytes.len()));
        bytes
    }

    fn longer(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let at = self.below(bytes.len() + 1);
        let byte = self.draw().to_le_bytes()[0];
        bytes.insert(at, byte);
        bytes
    }

    fn swap_values(&mut self, text: &[u8]) -> Vec<u8> {
        let strings = Self::strings(text);
        let (one, other) = (self.below(strings.len()), self.below(strings.len()));
        let (Some(first), Some(second)) = (strings.get(one.min(other)), strings.get(one.max(other))) else {
            return text.to_vec();
        };
        if first == second {
            return self.insert(text);
        }
        let value = |place: &(usize, usize)| &text[place.0..place.1];
        [&text[..first.0], value(second), &text[first.1..second.0], value(first), &text[second.1..]].concat()
    }

    fn status(&mut self, text: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(text).into_owned();
        let marks: Vec<usize> = text.match_indices("\"status\":{").map(|(at, _)| at + 9).collect();
        let at = marks.get(self.below(marks.len())).copied().unwrap_or(0);
        let end = text[at..].find('}').map_or(text.len(), |end| at + end + 1);
        let others = [
            r#"{"kind":"proved"}"#,
            r#"{"kind":"trusted","by":"you"}"#,
            r#"{"kind":"trusted","by":""}"#,
            r#"{"kind":"agreed","k":3,"n":3,"by":["https://a","https://b","https://c"],"against":[]}"#,
        ];
        let other =
            others.iter().cycle().skip(self.below(others.len())).find(|other| **other != &text[at..end]);
        format!("{}{}{}", &text[..at], other.unwrap_or(&""), &text[end..]).into_bytes()
    }

    /// A line left out, twice there, or in another's place.
    fn lines(&mut self, text: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(text).into_owned();
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (one, other) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(3) {
            0 => drop(lines.remove(one)),
            1 => lines.insert(one, lines[other]),
            _ if lines[one] == lines[other] => drop(lines.remove(one)),
            _ => lines.swap(one, other),
        }
        lines.concat().into_bytes()
    }

    fn number(&mut self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        let digits: Vec<usize> = (1..text.len())
            .filter(|at| text[*at].is_ascii_digit() && b":[,0123456789".contains(&text[at - 1]))
            .collect();
        let at = digits.get(self.below(digits.len())).copied().unwrap_or(0);
        let by = 1 + self.below(9);
        let digit = usize::from(text[at].wrapping_sub(b'0'));
        text[at] = b"0123456789"[(digit + by) % 10];
        text
    }

    fn insert(&mut self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        let at = self.below(text.len() + 1);
        let extra: [&[u8]; 5] = [b" ", b"\n", b",", b"\"more\":1,", b"null"];
        let extra = extra[self.below(extra.len())];
        text.splice(at..at, extra.iter().copied());
        text
    }
}
