//! Tags, and their Avro form inside a data item (reference ans104.md §3).

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::reader::Reader;

/// The most bytes the encoded tags of an item may have: the one limit that readers share (reference ans104.md §3).
pub const MAX_BYTES: usize = 4096;
/// The most tags a writer may give an item (ANS-104). Readers take as many as fit.
pub const MAX_COUNT: usize = 128;
/// The longest name a writer may give (ANS-104).
pub const MAX_NAME: usize = 1024;
/// The longest value a writer may give (ANS-104).
pub const MAX_VALUE: usize = 3072;

/// A name and a value, as text. Bytes that are not UTF-8 are replaced here; the item keeps the raw bytes, and
/// signatures are over those.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tag {
    /// The name, with its case.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Tag {
    /// A tag.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// Looking tags up by their exact name.
pub trait TagsExt {
    /// The value of the first tag of this name.
    fn tag(&self, name: &str) -> Option<&str>;

    /// The values of all tags of this name, in order.
    fn tag_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str>;
}

impl TagsExt for [Tag] {
    fn tag(&self, name: &str) -> Option<&str> {
        self.iter().find(|tag| tag.name == name).map(|tag| tag.value.as_str())
    }

    fn tag_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |tag| tag.name == name).map(|tag| tag.value.as_str())
    }
}

/// The form almost every writer uses: one block with a positive count. No tags are no bytes.
#[must_use]
pub fn encode(tags: &[Tag]) -> Vec<u8> {
    if tags.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    put_varint(&mut out, zigzag(tags.len()));
    put_tags(&mut out, tags);
    out.push(0);
    out
}

/// Whether a writer may make such tags: ANS-104 has limits that the reference readers do not enforce. Error:
/// `too-large`.
pub fn check_limits(tags: &[Tag]) -> Result<()> {
    let large = |what: String| Err(Error::new(Code::TooLarge, what));
    if tags.len() > MAX_COUNT {
        return large(format!("An item has at most {MAX_COUNT} tags, these are {}.", tags.len()));
    }
    match tags.iter().find(|tag| tag.name.len() > MAX_NAME || tag.value.len() > MAX_VALUE) {
        None => Ok(()),
        Some(_) => large(format!("A tag has at most {MAX_NAME} bytes of name and {MAX_VALUE} of value.")),
    }
}

/// The form goar writes: one block with a negative count and its size in bytes. Used to rebuild the signed
/// bytes of items known only by their text.
#[must_use]
pub fn encode_sized(tags: &[Tag]) -> Vec<u8> {
    if tags.is_empty() {
        return Vec::new();
    }
    let mut block = Vec::new();
    put_tags(&mut block, tags);
    let mut out = Vec::new();
    // −n is 2n − 1 in zigzag.
    put_varint(&mut out, zigzag(tags.len()) - 1);
    put_varint(&mut out, zigzag(block.len()));
    out.extend_from_slice(&block);
    out.push(0);
    out
}

fn put_tags(out: &mut Vec<u8>, tags: &[Tag]) {
    for part in tags.iter().flat_map(|tag| [&tag.name, &tag.value]) {
        put_varint(out, zigzag(part.len()));
        out.extend_from_slice(part.as_bytes());
    }
}

/// A length as Avro writes it: doubled.
fn zigzag(length: usize) -> u64 {
    (length as u64) << 1
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Reads the tag bytes of an item: blocks with positive or negative count, the end marker as the last byte, and
/// as many records as the item's header says, whatever their lengths. Errors: `tags-malformed`, `too-large`.
pub fn decode(raw: &[u8], expected_count: u64) -> Result<Vec<Tag>> {
    let pairs = decode_bytes(raw, expected_count)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(pairs.into_iter().map(|(name, value)| Tag { name: text(name), value: text(value) }).collect())
}

/// As [`decode`], but the bytes themselves.
pub fn decode_bytes(raw: &[u8], expected_count: u64) -> Result<Vec<(&[u8], &[u8])>> {
    if raw.len() > MAX_BYTES {
        let what = format!("Tags have at most {MAX_BYTES} bytes, these have {}.", raw.len());
        return Err(Error::new(Code::TooLarge, what));
    }
    if raw.is_empty() && expected_count == 0 {
        return Ok(Vec::new());
    }
    let mut pairs = Vec::new();
    let mut reader = Reader::new(raw);
    loop {
        let count = varint(&mut reader)?;
        if count == 0 {
            break;
        }
        block(&mut reader, count, expected_count, &mut pairs)?;
    }
    if !reader.rest().is_empty() {
        return Err(malformed("There are bytes after the end of the tags."));
    }
    if pairs.len() as u64 != expected_count {
        return Err(malformed(format!("The item says {expected_count} tags and has {}.", pairs.len())));
    }
    Ok(pairs)
}

/// One block: `count` is zigzag; a negative one is followed by the size of the block.
fn block<'a>(
    reader: &mut Reader<'a>,
    count: u64,
    expected_count: u64,
    pairs: &mut Vec<(&'a [u8], &'a [u8])>,
) -> Result<()> {
    let sized = count & 1 == 1;
    // zigzag: even 2n is n, odd 2n − 1 is −n.
    let records = (count >> 1) + (count & 1);
    let end = if sized {
        let size = length(reader)?;
        let rest = reader.rest().len();
        Some(rest.checked_sub(size).ok_or_else(|| malformed("A block of tags is longer than the tags."))?)
    } else {
        None
    };
    for _ in 0..records {
        if pairs.len() as u64 >= expected_count {
            return Err(malformed(format!("The item says {expected_count} tags and has more.")));
        }
        let name = text(reader)?;
        let value = text(reader)?;
        pairs.push((name, value));
    }
    if end.is_some_and(|end| end != reader.rest().len()) {
        return Err(malformed("A block of tags does not have the size it says."));
    }
    Ok(())
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    let length = length(reader)?;
    reader.take(length).ok_or_else(|| malformed("The tags end inside a name or a value."))
}

fn length(reader: &mut Reader<'_>) -> Result<usize> {
    let value = varint(reader)?;
    if value & 1 == 1 {
        return Err(malformed("A length in the tags is negative."));
    }
    match usize::try_from(value >> 1) {
        Ok(length) if length <= MAX_BYTES => Ok(length),
        _ => Err(Error::new(Code::TooLarge, format!("A length in the tags is over {MAX_BYTES} bytes."))),
    }
}

/// A raw (still zigzag) varint of at most 64 bits.
fn varint(reader: &mut Reader<'_>) -> Result<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = reader.byte().ok_or_else(|| malformed("The tags end inside a number."))?;
        let low = u64::from(byte & 0x7f);
        if shift == 63 && low > 1 {
            break;
        }
        value |= low << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed("A number in the tags has more than 64 bits."))
}

fn malformed(sentence: impl Into<String>) -> Error {
    Error::new(Code::TagsMalformed, sentence)
}
