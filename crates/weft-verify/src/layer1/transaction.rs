//! Transactions: id, signature, data.

use sha2::{Digest as _, Sha256};
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Error, Id, Result, merkle};

use crate::keys::{self, Scheme};
use crate::receipt::Check;
use crate::signed::same_id;
use crate::trust::{Untrusted, Verified};

/// Proves a layer-1 transaction: id, signature and, where the data are at hand (in the transaction or beside it),
/// their size and root. The verified transaction holds the data then. If its key is ECDSA, its owner is the key that the
/// signature gives. Errors: `id-mismatch`, `signature-invalid`, `data-root-mismatch`.
///
/// The root is arweave-js's or the node's. An uploader that splits otherwise is refused, though its data may be right:
/// its chunks can be proved one by one (reference arweave.md §3.1).
///
/// The id of an ECDSA transaction does not bind its fields: with other fields, the same signature is another key's. So its
/// receipt has the owner as trusted, and only a block's root ([`super::inclusion`]) proves its data.
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
    let data_check = data_check(&transaction, id)?;
    let algorithm = signature(&mut transaction)?;
    let found = transaction.is_ecdsa();
    let mut checks = vec![
        Check::proved("transaction-id", id, "The id is the SHA-256 of the signature.")
            .with("from", source.as_str()),
        Check::proved("transaction-signature", id, "Its owner signed exactly these fields.")
            .with("algorithm", algorithm)
            .with("owner", transaction.owner_address())
            .with("from", source.as_str()),
    ];
    checks.extend(data_check.map(|check| check.with("from", source.as_str())));
    if found {
        let sentence = "The signature gives this key for these fields, and another key for others: that it was signed by \
                        this one is the source's word.";
        let check =
            Check::proved("transaction-owner", id, sentence).with("owner", transaction.owner_address());
        checks.push(check.trusted(&source));
    }
    Ok(Verified::new(transaction, checks))
}

/// An RSA key is printed and signed. An ECDSA key is found from the signature, over the SHA-256 of the payload without
/// an owner; its address is the SHA-256 of the compressed point (the node's `ar_wallet` and `secp256k1_nif`).
fn signature(transaction: &mut Transaction) -> Result<&'static str> {
    let payload = transaction.signing_payload();
    if !transaction.is_ecdsa() {
        keys::verify(Scheme::RsaPssSha256, &transaction.owner, &payload, &transaction.signature)?;
        return Ok("RSA-PSS SHA-256");
    }
    let key = keys::recover_secp256k1(&Sha256::digest(&payload).into(), &transaction.signature)?;
    transaction.owner = key.compressed.to_vec();
    Ok("ECDSA secp256k1 SHA-256, key found from the signature")
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
    let fits = |root: Id| transaction.data_root == Some(root);
    if fits(root) || fits(merkle::data_root_split(&transaction.data, merkle::Split::Node)) {
        return Ok(transaction.data_root.map(|root| check.with("root", root)));
    }
    Err(mismatch(format!("The data give the root {root}, which is not the signed one.")))
}
