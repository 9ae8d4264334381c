//! What the signer of a data item signs, by signature type (reference ans104.md §2).

use sha3::{Digest as _, Keccak256};
use weft_codec::item::{self, DataItem};
use weft_codec::{Address, Code, Error, Result};

use crate::history::HistoryEntry;
use crate::keys::{Scheme, SignatureClaim};

/// Keys and signatures an Aptos multi-signature has room for.
const SLOTS: usize = 32;

/// Checks that the owner signed the item. Gives the scheme, as evidence names it. Errors: `signature-unsupported`,
/// `signature-invalid`.
pub(crate) fn verify(item: &DataItem) -> Result<String> {
    let claims = claims(item)?;
    for claim in &claims {
        claim.verify()?;
    }
    Ok(match item.signature_type {
        item::ARWEAVE => "RSA-PSS SHA-256, 4096 bits".to_owned(),
        item::ED25519 => "Ed25519".to_owned(),
        item::ETHEREUM => "ECDSA secp256k1, Ethereum message".to_owned(),
        item::SOLANA => "Ed25519, Solana text".to_owned(),
        item::APTOS => "Ed25519, Aptos text".to_owned(),
        item::MULTI_APTOS => format!("Ed25519, {} signatures of an Aptos multi-key", claims.len()),
        _ => "ECDSA secp256k1, EIP-712".to_owned(),
    })
}

/// The signatures that make an item's owner its signer: one, or several of an Aptos multi-key. They can be checked
/// elsewhere and vouched for ([`crate::Vouched`]). An item that cannot verify has none.
#[must_use]
pub fn claims_of_item(item: &DataItem) -> Vec<SignatureClaim> {
    claims(item).unwrap_or_default()
}

/// The same of an assignment and its message.
#[must_use]
pub fn claims_of_entry(entry: &HistoryEntry) -> Vec<SignatureClaim> {
    [Some(&entry.assignment), entry.message.as_ref()].into_iter().flatten().flat_map(claims_of_item).collect()
}

fn claims(item: &DataItem) -> Result<Vec<SignatureClaim>> {
    let payload = item.signing_payload();
    let claim = |scheme, message: Vec<u8>| SignatureClaim {
        scheme,
        key: item.owner.clone(),
        message,
        signature: item.signature.clone(),
    };
    Ok(match item.signature_type {
        item::ARWEAVE => vec![claim(Scheme::RsaPssSha256, payload.to_vec())],
        item::ED25519 => vec![claim(Scheme::Ed25519, payload.to_vec())],
        item::ETHEREUM => vec![ethereum(item, &payload)?],
        item::SOLANA => vec![claim(Scheme::Ed25519, hex(&payload).into_bytes())],
        item::APTOS => vec![claim(Scheme::Ed25519, aptos_text(&payload).into_bytes())],
        item::MULTI_APTOS => multi_aptos(item, &payload)?,
        item::TYPED_ETHEREUM => vec![SignatureClaim {
            key: typed_owner(&item.owner)?.to_vec(),
            ..claim(Scheme::EthereumAddress, typed_message(&item.owner, &payload)?)
        }],
        other => {
            let sentence = format!("No rule says how items of signature type {other} are signed.");
            return Err(Error::new(Code::SignatureUnsupported, sentence));
        }
    })
}

/// Type 3: the wallet's message prefix, and a byte v after r ‖ s that nobody reads.
fn ethereum(item: &DataItem, payload: &[u8; 48]) -> Result<SignatureClaim> {
    let (rs, _v) =
        item.signature.split_last_chunk::<1>().ok_or_else(|| invalid("The signature is empty."))?;
    let message = [b"\x19Ethereum Signed Message:\n48".as_slice(), payload].concat();
    Ok(SignatureClaim {
        scheme: Scheme::EcdsaSecp256k1Keccak,
        key: item.owner.clone(),
        message,
        signature: rs.to_vec(),
    })
}

/// Type 5: what an Aptos wallet shows and signs.
fn aptos_text(payload: &[u8; 48]) -> String {
    format!("APTOS\nmessage: {}\nnonce: bundlr", hex(payload))
}

/// Type 6: 32 keys and a threshold, 32 signatures and 32 bits that say which count, the most significant bit of the
/// first byte first. arbundles takes any number of bits, also none; here at least one and at least the threshold
/// must be there, or nobody signed.
fn multi_aptos(item: &DataItem, payload: &[u8; 48]) -> Result<Vec<SignatureClaim>> {
    let wrong = || invalid("A multi-key has 32 keys of 32 bytes and signatures of 64.");
    let (keys, [threshold]) = item.owner.split_last_chunk::<1>().ok_or_else(wrong)?;
    let (signatures, bits) = item.signature.split_last_chunk::<4>().ok_or_else(wrong)?;
    if keys.len() != SLOTS * 32 || signatures.len() != SLOTS * 64 {
        return Err(wrong());
    }
    let bits = u32::from_be_bytes(*bits);
    let wanted = u32::from(*threshold).max(1);
    if bits.count_ones() < wanted {
        let sentence = format!("{} keys signed, and it takes {wanted}.", bits.count_ones());
        return Err(invalid(sentence));
    }
    let slots = keys.chunks_exact(32).zip(signatures.chunks_exact(64)).enumerate();
    let used = slots.filter(|(slot, _)| bits & (1 << (SLOTS - 1 - slot)) != 0);
    let claim = |(_, (key, signature)): (usize, (&[u8], &[u8]))| SignatureClaim {
        scheme: Scheme::Ed25519,
        key: key.to_vec(),
        message: payload.to_vec(),
        signature: signature.to_vec(),
    };
    Ok(used.map(claim).collect())
}

/// Type 7's owner: the text of an address. As in ethers, capitals are a checksum if both cases occur.
fn typed_owner(owner: &[u8]) -> Result<[u8; 20]> {
    let wrong = || invalid("The owner is not an Ethereum address.");
    let digits = owner.strip_prefix(b"0x").ok_or_else(wrong)?;
    let mixed = digits.iter().any(u8::is_ascii_lowercase) && digits.iter().any(u8::is_ascii_uppercase);
    if mixed && Address::of_owner(owner).as_str().as_bytes() != owner {
        return Err(invalid("The capitals in the owner's Ethereum address are not its checksum."));
    }
    let mut address = [0; 20];
    if digits.len() != 2 * address.len() {
        return Err(wrong());
    }
    for (byte, pair) in address.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).ok_or_else(wrong);
        *byte = u8::try_from(16 * digit(0)? + digit(1)?).map_err(|_| wrong())?;
    }
    Ok(address)
}

/// Type 7's message (EIP-712): domain `Bundlr` version 1 without a chain, and a struct of the payload and the address.
/// The name of its first member has a blank in it.
fn typed_message(owner: &[u8], payload: &[u8; 48]) -> Result<Vec<u8>> {
    let keccak = |parts: &[&[u8]]| -> [u8; 32] { Keccak256::digest(parts.concat()).into() };
    let domain = keccak(&[
        &keccak(&[b"EIP712Domain(string name,string version)"]),
        &keccak(&[b"Bundlr"]),
        &keccak(&[b"1"]),
    ]);
    let message = keccak(&[
        &keccak(&[b"Bundlr(bytes Transaction hash,address address)"]),
        &keccak(&[payload]),
        &[0; 12],
        &typed_owner(owner)?,
    ]);
    Ok([&[0x19, 0x01][..], &domain, &message].concat())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn invalid(sentence: impl Into<String>) -> Error {
    Error::new(Code::SignatureInvalid, sentence)
}
