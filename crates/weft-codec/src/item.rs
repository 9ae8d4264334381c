//! ANS-104 data items (reference ans104.md §1–2).

use std::cell::RefCell;

use crate::address::Address;
use crate::deep_hash::{Chunk, after, begun};
use crate::error::{Code, Error, Result};
use crate::id::Id;
use crate::reader::Reader;
use crate::tags::{self, Tag};

/// Signature type 1: RSA-PSS with SHA-256, 4096 bits.
pub const ARWEAVE: u16 = 1;
/// Signature type 2: Ed25519 over the payload.
pub const ED25519: u16 = 2;
/// Signature type 3: an Ethereum wallet's message.
pub const ETHEREUM: u16 = 3;
/// Signature type 4: Ed25519 over the payload as text, as Solana's wallets sign.
pub const SOLANA: u16 = 4;
/// Signature type 5: Ed25519 over an Aptos wallet's text.
pub const APTOS: u16 = 5;
/// Signature type 6: several Ed25519 signatures of an Aptos multi-key.
pub const MULTI_APTOS: u16 = 6;
/// Signature type 7: an Ethereum wallet's typed data (EIP-712); the owner is an address.
pub const TYPED_ETHEREUM: u16 = 7;

/// Bytes of signature and owner, by signature type (reference ans104.md §2).
#[must_use]
pub const fn signature_sizes(signature_type: u16) -> Option<(usize, usize)> {
    match signature_type {
        1 => Some((512, 512)),
        2 | 4 | 5 => Some((64, 32)),
        3 | 101 => Some((65, 65)),
        6 => Some((2052, 1025)),
        7 => Some((65, 42)),
        _ => None,
    }
}

/// A signed data item. [`Self::to_bytes`] gives back exactly the bytes it was parsed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataItem {
    /// The signature scheme, 1 to 7 or 101.
    pub signature_type: u16,
    /// The signature; its SHA-256 is the id.
    pub signature: Vec<u8>,
    /// The signer's public key.
    pub owner: Vec<u8>,
    /// Whom it is for: a process or a wallet.
    pub target: Option<Id>,
    /// 32 bytes of the signer's choice.
    pub anchor: Option<[u8; 32]>,
    /// The tags as they stand in the item: these bytes are signed.
    pub raw_tags: Vec<u8>,
    /// The tags, for reading.
    pub tags: Vec<Tag>,
    /// The data.
    pub data: Vec<u8>,
}

impl DataItem {
    /// Reads an item; the data is all that follows the tags. Errors: `item-truncated`, `item-malformed`,
    /// `tags-malformed`, `too-large`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let signature_type = u16::from_le_bytes(reader.array().ok_or_else(truncated)?);
        let (signature_size, owner_size) = signature_sizes(signature_type).ok_or_else(|| {
            malformed(format!("No rule gives the sizes of signature type {signature_type}."))
        })?;
        let signature = reader.take(signature_size).ok_or_else(truncated)?.to_vec();
        let owner = reader.take(owner_size).ok_or_else(truncated)?.to_vec();
        let target = optional(&mut reader, "target")?.map(Id);
        let anchor = optional(&mut reader, "anchor")?;
        let count = u64::from_le_bytes(reader.array().ok_or_else(truncated)?);
        let size = u64::from_le_bytes(reader.array().ok_or_else(truncated)?);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > tags::MAX_BYTES {
            let most = tags::MAX_BYTES;
            return Err(Error::new(
                Code::TooLarge,
                format!("Tags have at most {most} bytes, this item says {size}."),
            ));
        }
        let raw_tags = reader.take(size).ok_or_else(truncated)?.to_vec();
        let tags = tags::decode(&raw_tags, count)?;
        let data = reader.rest().to_vec();
        Ok(Self { signature_type, signature, owner, target, anchor, raw_tags, tags, data })
    }

    /// The item's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            2 + self.signature.len() + self.owner.len() + 82 + self.raw_tags.len() + self.data.len(),
        );
        out.extend_from_slice(&self.signature_type.to_le_bytes());
        out.extend_from_slice(&self.signature);
        out.extend_from_slice(&self.owner);
        for part in [self.target.map(|target| target.0), self.anchor] {
            out.push(u8::from(part.is_some()));
            out.extend_from_slice(part.as_ref().map_or(&[], |bytes| bytes.as_slice()));
        }
        out.extend_from_slice(&(self.tags.len() as u64).to_le_bytes());
        out.extend_from_slice(&(self.raw_tags.len() as u64).to_le_bytes());
        out.extend_from_slice(&self.raw_tags);
        out.extend_from_slice(&self.data);
        out
    }

    /// The SHA-256 of the signature.
    #[must_use]
    pub fn id(&self) -> Id {
        Id::sha256(&self.signature)
    }

    /// Who signed.
    #[must_use]
    pub fn owner_address(&self) -> Address {
        Address::of_owner(&self.owner)
    }

    /// The 48 bytes that the signature scheme signs.
    #[must_use]
    pub fn signing_payload(&self) -> [u8; 48] {
        let target = self.target.as_ref().map(Id::as_bytes);
        payload(self.signature_type, &self.owner, target, self.anchor.as_ref(), &self.raw_tags, &self.data)
    }
}

/// An Arweave (type 1) item before it is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsigned {
    /// The signer's public key: an RSA modulus of 512 bytes.
    pub owner: Vec<u8>,
    /// Whom it is for.
    pub target: Option<Id>,
    /// 32 bytes of the signer's choice.
    pub anchor: Option<[u8; 32]>,
    /// The tags.
    pub tags: Vec<Tag>,
    /// The data.
    pub data: Vec<u8>,
}

impl Unsigned {
    /// The 48 bytes to sign with RSA-PSS SHA-256.
    #[must_use]
    pub fn payload(&self) -> [u8; 48] {
        let target = self.target.as_ref().map(Id::as_bytes);
        payload(ARWEAVE, &self.owner, target, self.anchor.as_ref(), &tags::encode(&self.tags), &self.data)
    }

    /// The item with its signature, which is not checked here. Errors: `item-malformed` if the key or the
    /// signature does not have 512 bytes, `too-large` if ANS-104 does not allow the tags.
    pub fn sign_with(self, signature: Vec<u8>) -> Result<DataItem> {
        if self.owner.len() != 512 || signature.len() != 512 {
            return Err(malformed("An item of type 1 has a key and a signature of 512 bytes each."));
        }
        tags::check_limits(&self.tags)?;
        let raw_tags = tags::encode(&self.tags);
        let tags = tags::decode(&raw_tags, self.tags.len() as u64)?;
        let Self { owner, target, anchor, data, .. } = self;
        Ok(DataItem { signature_type: ARWEAVE, signature, owner, target, anchor, raw_tags, tags, data })
    }
}

fn payload(
    signature_type: u16,
    owner: &[u8],
    target: Option<&[u8; 32]>,
    anchor: Option<&[u8; 32]>,
    raw_tags: &[u8],
    data: &[u8],
) -> [u8; 48] {
    let optional =
        |part: Option<&'_ [u8; 32]>| -> Vec<u8> { part.map(|part| part.to_vec()).unwrap_or_default() };
    let (target, anchor) = (optional(target), optional(anchor));
    let rest = [Chunk::Blob(&target), Chunk::Blob(&anchor), Chunk::Blob(raw_tags), Chunk::Blob(data)];
    after(of_signer(signature_type, owner), &rest)
}

/// Signers remembered, per thread. A history has one scheduler and few frequent senders.
const SIGNERS: usize = 32;

/// A signature type, an owner, and the hash of a payload as far as they go.
type Signer = (u16, Vec<u8>, [u8; 48]);

thread_local! {
    /// The latest signers, the newest last. Their part is half of the work that a small item makes.
    static KNOWN: RefCell<Vec<Signer>> = const { RefCell::new(Vec::new()) };
}

/// The hash of a payload as far as it is the same for all items of a signer.
fn of_signer(signature_type: u16, owner: &[u8]) -> [u8; 48] {
    KNOWN.with_borrow_mut(|known| {
        let same = |(kind, key, _): &Signer| *kind == signature_type && key == owner;
        if let Some((_, _, hash)) = known.iter().rev().find(|signer| same(signer)) {
            return *hash;
        }
        let text = signature_type.to_string();
        let parts = [b"dataitem", b"1".as_slice(), text.as_bytes(), owner].map(Chunk::Blob);
        let hash = begun(parts.len() + 4, &parts);
        if known.len() == SIGNERS {
            known.remove(0);
        }
        known.push((signature_type, owner.to_vec(), hash));
        hash
    })
}

/// A presence byte, 0 or 1, and 32 bytes if it is 1.
fn optional(reader: &mut Reader<'_>, what: &str) -> Result<Option<[u8; 32]>> {
    match reader.byte().ok_or_else(truncated)? {
        0 => Ok(None),
        1 => reader.array().map(Some).ok_or_else(truncated),
        other => Err(malformed(format!("The presence byte of the {what} is {other}, not 0 or 1."))),
    }
}

fn truncated() -> Error {
    Error::new(Code::ItemTruncated, "This data item ends before its fields do.")
}

fn malformed(sentence: impl Into<String>) -> Error {
    Error::new(Code::ItemMalformed, sentence)
}
