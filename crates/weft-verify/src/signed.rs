//! Signed things: data items, and bundles of them.

use weft_codec::item::DataItem;
use weft_codec::{Code, Error, Id, Result, bundle as bundles};

use crate::item_signature;
use crate::receipt::Check;
use crate::trust::{Untrusted, Verified};

/// Proves a data item: its id is the SHA-256 of its signature (and the expected one), and the signature is its
/// owner's over its bytes. Errors: `id-mismatch`, `signature-unsupported`, `signature-invalid`.
pub fn item(item: Untrusted<DataItem>, expected: Option<Id>) -> Result<Verified<DataItem>> {
    let (item, source) = item.into_parts();
    let checks = item_checks(&item, &source, expected)?;
    Ok(Verified::new(item, checks))
}

/// The first of several readings of the same item that verifies (reference ans104.md §5). The error is that of the
/// first; with no reading at all it is `item-malformed`.
pub fn item_among(candidates: Untrusted<Vec<DataItem>>, expected: Option<Id>) -> Result<Verified<DataItem>> {
    let (candidates, source) = candidates.into_parts();
    let mut first = None;
    for candidate in candidates {
        match item(Untrusted::new(candidate, source.as_str()), expected) {
            Ok(verified) => return Ok(verified),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    Err(first.unwrap_or_else(|| Error::new(Code::ItemMalformed, "There is no reading of this item.")))
}

pub(crate) fn item_checks(item: &DataItem, source: &str, expected: Option<Id>) -> Result<Vec<Check>> {
    let id = item.id();
    same_id(expected, id)?;
    let algorithm = item_signature::verify(item)?;
    let id_check =
        Check::proved("item-id", id, "The id is the SHA-256 of the signature.").with("from", source);
    let signature_check = Check::proved("item-signature", id, "Its owner signed exactly these bytes.")
        .with("algorithm", algorithm)
        .with("owner", item.owner_address())
        .with("from", source);
    Ok(vec![id_check, signature_check])
}

/// Proves a bundle: the header's ids are the items' and every item verifies. Bundles inside are not opened.
/// Errors: those of [`item`], with the item's number in front.
pub fn bundle(parsed: Untrusted<Vec<(Id, DataItem)>>) -> Result<Verified<Vec<DataItem>>> {
    let (parsed, source) = parsed.into_parts();
    let mut checks = Vec::new();
    let mut items = Vec::with_capacity(parsed.len());
    for (index, (printed, item)) in parsed.into_iter().enumerate() {
        let found =
            item_checks(&item, &source, Some(printed)).map_err(|error| error.at(format!("item {index}")))?;
        checks.extend(found);
        let sentence = "The bundle's header prints this item's id.";
        checks.push(Check::proved("bundle-header", printed, sentence).with("from", source.as_str()));
        items.push(item);
    }
    Ok(Verified::new(items, checks))
}

/// The items of a verified item whose tags say that its data is a bundle; `None` for any other item. The depth is
/// the caller's to bound, by [`bundles::MAX_DEPTH`].
pub fn nested(outer: &Verified<DataItem>, source: &str) -> Result<Option<Verified<Vec<DataItem>>>> {
    if !bundles::is_bundle(outer) {
        return Ok(None);
    }
    bundle(Untrusted::new(bundles::parse(&outer.data)?, source)).map(Some)
}

pub(crate) fn same_id(expected: Option<Id>, found: Id) -> Result<()> {
    match expected {
        Some(expected) if expected != found => {
            let what = format!("{expected} was expected; these bytes are {found}.");
            Err(Error::new(Code::IdMismatch, what).with("expected", expected).with("found", found))
        }
        _ => Ok(()),
    }
}
