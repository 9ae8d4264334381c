//! Who made a commitment over which bytes (reference ao-core.md §4.3).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use weft_codec::message::{Commitment, Generation, Tabm, ans104};
use weft_codec::{Address, Code, Error, Id, Result};

use crate::keys::{self, Scheme};
use crate::signed::item_checks;

/// What a commitment that holds shows.
pub(super) struct Proof {
    pub(super) algorithm: &'static str,
    /// Who signed; nobody, where everybody knows the key.
    pub(super) signer: Option<Address>,
    /// The keys it covers, where they are not those the commitment lists.
    pub(super) keys: Option<Vec<String>>,
    /// The reading of the message that it covers, where it is not the message as it came.
    pub(super) reading: Option<Tabm>,
}

/// The rules a commitment follows, by how it names its key.
pub(super) fn generation_of(commitment: &Commitment) -> Generation {
    if commitment.keyid.contains(':') { Generation::September2025 } else { Generation::June2025 }
}

/// Checks a commitment of `httpsig@1.0` over its signature base. Errors: `signature-invalid`, `signature-unsupported`,
/// `id-mismatch` (it names another committer than its key's).
pub(super) fn check(commitment: &Commitment, base: &[u8]) -> Result<Proof> {
    match (commitment.device.as_str(), commitment.kind.as_str()) {
        (Commitment::HTTPSIG, Commitment::RSA) => check_rsa(commitment, base),
        (Commitment::HTTPSIG, Commitment::HMAC) => check_hmac(commitment, base),
        (device, kind) => {
            let what = format!("Commitments `{kind}` of `{device}` are not checked over HTTP messages.");
            Err(Error::new(Code::SignatureUnsupported, what))
        }
    }
}

fn check_rsa(commitment: &Commitment, base: &[u8]) -> Result<Proof> {
    let modulus = commitment.public_key()?;
    keys::verify(Scheme::RsaPssSha512, &modulus, base, &commitment.signature)?;
    let signer = Address::from(Id::sha256(&modulus));
    match &commitment.committer {
        Some(named) if named != signer.as_str() => {
            Err(Error::new(Code::IdMismatch, "The commitment names another committer than its key's."))
        }
        _ => Ok(Proof { algorithm: "RSA-PSS SHA-512", signer: Some(signer), keys: None, reading: None }),
    }
}

/// Checks a commitment that is a data item's signature over the message it stands in: the item it says it is of is rebuilt,
/// proved, and must say what the message says. Errors: those of a data item, `id-mismatch` (a key with another value).
pub(super) fn check_item(message: &Tabm, commitment: &Commitment) -> Result<Proof> {
    let generation = generation_of(commitment);
    let item = ans104::to_item(message, commitment, generation)?;
    item_checks(&item, "", Some(commitment.id()))?;
    let signer = item.owner_address();
    if commitment.committer.as_deref().is_some_and(|named| named != signer.as_str()) {
        return Err(Error::new(
            Code::IdMismatch,
            "The commitment names another committer than the item's owner.",
        ));
    }
    let said = ans104::from_item(&item, generation)?.content();
    if let Some((key, _)) = said.iter().find(|(key, node)| message.get(key) != Some(node)) {
        let key: String = key.chars().take(60).collect();
        return Err(Error::new(
            Code::IdMismatch,
            format!("The item says something else of `{key}` than the message."),
        ));
    }
    let keys = said.into_iter().map(|(key, _)| key).collect();
    Ok(Proof {
        algorithm: "RSA-PSS SHA-256, data item",
        signer: Some(signer),
        keys: Some(keys),
        reading: None,
    })
}

/// A MAC whose key is its `keyid`: it shows that the bytes are those of the id, and nothing about who made them.
fn check_hmac(commitment: &Commitment, base: &[u8]) -> Result<Proof> {
    let constant = commitment.keyid.starts_with("constant:") || !commitment.keyid.contains(':');
    if !constant || commitment.keyid.is_empty() {
        let what = "The MAC's key is a secret, so only who has it can check it.";
        return Err(Error::new(Code::SignatureUnsupported, what));
    }
    // Whoever knows the key can name any committer.
    if commitment.committer.is_some() {
        let what = "A MAC whose key everybody knows names a committer.";
        return Err(Error::new(Code::SignatureInvalid, what));
    }
    let holds = Hmac::<Sha256>::new_from_slice(commitment.keyid.as_bytes())
        .is_ok_and(|mac| mac.chain_update(base).verify_slice(&commitment.signature).is_ok());
    if holds {
        return Ok(Proof {
            algorithm: "HMAC SHA-256, key known to all",
            signer: None,
            keys: None,
            reading: None,
        });
    }
    Err(Error::new(Code::SignatureInvalid, "The MAC is of other bytes."))
}
