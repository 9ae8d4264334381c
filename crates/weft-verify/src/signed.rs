//! Signed things: data items, bundles of them, layer-1 transactions.

use weft_codec::item::DataItem;
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Error, Id, Result, bundle as bundles, merkle};

use crate::item_signature;
use crate::keys::{self, Scheme};
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

/// Proves a layer-1 transaction: id, signature and, where the data are at hand (in the transaction or beside it),
/// their size and root. The verified transaction holds the data then. Errors: `id-mismatch`,
/// `signature-unsupported`, `signature-invalid`, `data-root-mismatch`.
///
/// The root is arweave-js's. An uploader that splits otherwise is refused, though its data may be right (reference
/// arweave.md §3.1).
pub fn transaction(
    transaction: Untrusted<Transaction>,
    data: Option<&[u8]>,
    expected: Option<Id>,
) -> Result<Verified<Transaction>> {
    let (mut transaction, source) = transaction.into_parts();
    let id = transaction.computed_id();
    same_id(Some(transaction.id), id)?;
    same_id(expected, id)?;
    if let Some(data) = data {
        transaction.data = data.to_vec();
    }
    if transaction.owner.is_empty() {
        return Err(unsupported("ECDSA transactions are not checked here yet.".to_owned()));
    }
    let data_check = data_check(&transaction, id)?;
    keys::verify(
        Scheme::RsaPssSha256,
        &transaction.owner,
        &transaction.signing_payload(),
        &transaction.signature,
    )?;
    let mut checks = vec![
        Check::proved("transaction-id", id, "The id is the SHA-256 of the signature.")
            .with("from", source.as_str()),
        Check::proved("transaction-signature", id, "Its owner signed exactly these fields.")
            .with("algorithm", "RSA-PSS SHA-256")
            .with("owner", transaction.owner_address())
            .with("from", source.as_str()),
    ];
    checks.extend(data_check.map(|check| check.with("from", source.as_str())));
    Ok(Verified::new(transaction, checks))
}

/// In format 1 the data are signed as they are, so they must be there. In format 2 their root is signed, and the
/// data may be missing.
fn data_check(transaction: &Transaction, id: Id) -> Result<Option<Check>> {
    let size = transaction.data.len() as u64;
    if transaction.format == 2 && size == 0 {
        return Ok(None);
    }
    let mismatch = |sentence: String| Error::new(Code::DataRootMismatch, sentence);
    if size != transaction.data_size {
        let signed = transaction.data_size;
        return Err(mismatch(format!("The transaction has {signed} bytes of data, at hand are {size}.")));
    }
    let check = Check::proved("data-root", id, "The data are the ones that were signed.").with("bytes", size);
    if transaction.format == 1 {
        return Ok(Some(check));
    }
    let root = merkle::data_root(&transaction.data);
    if transaction.data_root != Some(root) {
        return Err(mismatch(format!("The data give the root {root}, which is not the signed one.")));
    }
    Ok(Some(check.with("root", root)))
}

fn same_id(expected: Option<Id>, found: Id) -> Result<()> {
    match expected {
        Some(expected) if expected != found => {
            let what = format!("{expected} was expected; these bytes are {found}.");
            Err(Error::new(Code::IdMismatch, what).with("expected", expected).with("found", found))
        }
        _ => Ok(()),
    }
}

fn unsupported(sentence: String) -> Error {
    Error::new(Code::SignatureUnsupported, sentence)
}
