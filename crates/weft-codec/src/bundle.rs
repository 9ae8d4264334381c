//! ANS-104 bundles: several items in one (reference ans104.md §4).

use std::ops::Range;

use crate::error::{Code, Error, Result};
use crate::id::Id;
use crate::item::DataItem;
use crate::reader::Reader;
use crate::tags::TagsExt as _;

/// The most items of one bundle.
pub const MAX_ITEMS: u64 = 262_144;
/// The deepest nesting of bundles that is followed. An item of a plain bundle is at depth 1.
pub const MAX_DEPTH: usize = 8;

/// Reads a bundle: the ids as its header prints them, and the items. Whether each id is the item's is for
/// `weft_verify::bundle` to say. Bytes after the last item are nobody's, and are passed over as the reference readers
/// do. Errors: `bundle-malformed`, `too-large`, and those of an item, with the item's number in front.
pub fn parse(bytes: &[u8]) -> Result<Vec<(Id, DataItem)>> {
    let read = |(index, (id, bytes)): (usize, (Id, &[u8]))| {
        Ok((id, DataItem::parse(bytes).map_err(|error| error.at(format!("item {index}")))?))
    };
    entries(bytes)?.into_iter().enumerate().map(read).collect()
}

/// The ids as a bundle's header prints them, and each item's bytes, not read. Errors: `bundle-malformed`, `too-large`.
pub fn entries(bytes: &[u8]) -> Result<Vec<(Id, &[u8])>> {
    let places = places(bytes, bytes.len())?.into_iter();
    Ok(places.map(|(id, place)| (id, bytes.get(place).unwrap_or_default())).collect())
}

/// How long the header of a bundle is whose first bytes, 32 if there are so many, are these. Errors as [`places`].
pub fn header_bytes(first: &[u8]) -> Result<usize> {
    let count = count(&mut Reader::new(first))?;
    Ok(32 + 64 * usize::try_from(count).map_err(|_| malformed("The bundle's header is too long."))?)
}

/// The ids as a bundle's header prints them, and where each item is in the bundle, which has `total` bytes. Of these,
/// only the header need be at hand. Errors: `bundle-malformed`, `too-large`.
pub fn places(header: &[u8], total: usize) -> Result<Vec<(Id, Range<usize>)>> {
    let mut reader = Reader::new(header);
    let count = count(&mut reader)?;
    if count.saturating_mul(64) > reader.rest().len() as u64 {
        return Err(malformed(format!("The bundle says {count} items and is too short for their header.")));
    }
    let mut heads = Vec::new();
    for _ in 0..count {
        let size = number(&mut reader)?;
        let id = reader.array().map(Id).ok_or_else(|| malformed("The bundle ends inside its header."))?;
        heads.push((size, id));
    }
    let mut start = header.len() - reader.rest().len();
    let mut places = Vec::with_capacity(heads.len());
    for (index, (size, id)) in heads.into_iter().enumerate() {
        let end = usize::try_from(size).ok().and_then(|size| start.checked_add(size));
        let end = end
            .filter(|end| *end <= total)
            .ok_or_else(|| malformed(format!("Item {index} of the bundle runs past its end.")))?;
        places.push((id, start..end));
        start = end;
    }
    Ok(places)
}

fn count(reader: &mut Reader<'_>) -> Result<u64> {
    let count = number(reader)?;
    if count > MAX_ITEMS {
        return Err(Error::new(
            Code::TooLarge,
            format!("A bundle has at most {MAX_ITEMS} items here, this says {count}."),
        ));
    }
    Ok(count)
}

/// The bytes of a bundle of these items, with their ids in the header.
#[must_use]
pub fn encode(items: &[DataItem]) -> Vec<u8> {
    let mut head = wide(items.len()).to_vec();
    let mut body = Vec::new();
    for item in items {
        let bytes = item.to_bytes();
        head.extend_from_slice(&wide(bytes.len()));
        head.extend_from_slice(item.id().as_bytes());
        body.extend_from_slice(&bytes);
    }
    head.extend_from_slice(&body);
    head
}

/// Whether an item's tags say that its data is a bundle in this format.
#[must_use]
pub fn is_bundle(item: &DataItem) -> bool {
    item.tags.tag("Bundle-Format") == Some("binary") && item.tags.tag("Bundle-Version") == Some("2.0.0")
}

/// 32 bytes, little-endian, that must fit 64 bits.
fn number(reader: &mut Reader<'_>) -> Result<u64> {
    let (Some(low), Some(high)) = (reader.array::<8>(), reader.array::<24>()) else {
        return Err(malformed("The bundle ends inside its header."));
    };
    if high != [0; 24] {
        return Err(malformed("A number in the bundle's header has more than 64 bits."));
    }
    Ok(u64::from_le_bytes(low))
}

fn wide(value: usize) -> [u8; 32] {
    let mut out = [0; 32];
    out[..8].copy_from_slice(&(value as u64).to_le_bytes());
    out
}

fn malformed(sentence: impl Into<String>) -> Error {
    Error::new(Code::BundleMalformed, sentence)
}
