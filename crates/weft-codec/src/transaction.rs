//! Layer-1 transactions, formats 1 and 2, as gateways print them in JSON (reference arweave.md §2).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::address::Address;
use crate::base64url;
use crate::deep_hash::{Chunk, deep_hash};
use crate::error::{Code, Error, Result};
use crate::id::Id;
use crate::tags::Tag;

/// The most bytes of JSON that are read: 10 MiB of data (the network's limit) in base64url, and the rest.
pub const MAX_JSON: usize = 16 << 20;
/// The most tags (reference arweave.md §2.3).
const MAX_TAGS: usize = 2048;
/// The most bytes of names and values together (reference arweave.md §2.3).
const MAX_TAG_BYTES: usize = 2048;
/// The longest amount: the supply is below 10^20 winston, and its JSON has decimal digits only.
const MAX_DIGITS: usize = 39;
/// The most bytes of an anchor, and of a key or signature (reference arweave.md §2.1; the node's field limits).
const MAX_ANCHOR: usize = 48;
const MAX_KEY: usize = 512;
/// The most bytes of data inside a transaction (reference arweave.md §2.3).
const MAX_DATA: usize = 10 << 20;
/// Bytes of a compressed point.
const POINT: usize = 33;

/// A tag of layer 1: bytes, not text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagBytes {
    /// The name.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// A layer-1 transaction. The `id` is what its source prints; [`Self::computed_id`] is what its signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// 1 or 2.
    pub format: u8,
    /// The id the source prints.
    pub id: Id,
    /// The anchor: a recent block, an earlier transaction, or nothing.
    pub last_tx: Vec<u8>,
    /// The RSA modulus. For an ECDSA key (format 2, fork 2.9) it is empty in JSON, since the signature gives the key;
    /// where that was done, these are its 33 bytes.
    pub owner: Vec<u8>,
    /// The tags, in order.
    pub tags: Vec<TagBytes>,
    /// The wallet that receives, if any.
    pub target: Option<Id>,
    /// Winston sent, in decimal.
    pub quantity: String,
    /// Winston paid to the network, in decimal.
    pub reward: String,
    /// Bytes of data.
    pub data_size: u64,
    /// The root of the data's chunks (format 2).
    pub data_root: Option<Id>,
    /// The data, if the source printed it. Gateways leave it out in format 2.
    pub data: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The denomination of the amounts; 0 is not part of what is signed.
    pub denomination: u64,
}

#[derive(Deserialize)]
struct RawTag {
    name: String,
    value: String,
}

/// A number that is text in most places, and a number in some.
#[derive(Deserialize)]
#[serde(untagged)]
enum Decimal {
    Text(String),
    Number(u64),
}

impl Decimal {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    format: Option<u8>,
    id: String,
    #[serde(default)]
    last_tx: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    tags: Vec<RawTag>,
    #[serde(default)]
    target: String,
    quantity: Decimal,
    reward: Decimal,
    #[serde(default)]
    data_size: Option<Decimal>,
    #[serde(default)]
    data_root: String,
    #[serde(default)]
    data: String,
    signature: String,
    #[serde(default)]
    denomination: Option<Decimal>,
}

impl Transaction {
    /// Reads the JSON of `GET /tx/{id}`. Errors: `json-invalid`, `transaction-malformed`, `base64-invalid`,
    /// `id-invalid`, `too-large`.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        if json.len() > MAX_JSON {
            return Err(Error::new(
                Code::TooLarge,
                format!("A transaction's JSON has at most {MAX_JSON} bytes."),
            ));
        }
        let raw: Raw = serde_json::from_slice(json).map_err(|cause| {
            let what = "This is not the JSON of a layer-1 transaction.";
            let syntax = cause.is_syntax() || cause.is_eof();
            Error::new(if syntax { Code::JsonInvalid } else { Code::TransactionMalformed }, what)
                .because(cause)
        })?;
        let transaction = Self::from_raw(raw)?;
        transaction.check_shape()?;
        Ok(transaction)
    }

    fn from_raw(raw: Raw) -> Result<Self> {
        let data = field("data", &raw.data)?;
        let data_size = match raw.data_size {
            Some(size) => number("data_size", size)?,
            None => data.len() as u64,
        };
        Ok(Self {
            format: raw.format.unwrap_or(1),
            id: raw.id.parse()?,
            last_tx: field("last_tx", &raw.last_tx)?,
            owner: field("owner", &raw.owner)?,
            tags: tag_bytes(&raw.tags)?,
            target: optional_id("target", &raw.target)?,
            quantity: amount("quantity", raw.quantity)?,
            reward: amount("reward", raw.reward)?,
            data_size,
            data_root: optional_id("data_root", &raw.data_root)?,
            data,
            signature: field("signature", &raw.signature)?,
            denomination: raw.denomination.map_or(Ok(0), |text| number("denomination", text))?,
        })
    }

    fn check_shape(&self) -> Result<()> {
        if !matches!(self.format, 1 | 2) {
            return Err(malformed("The format is neither 1 nor 2."));
        }
        if self.signature.is_empty() {
            return Err(malformed("There is no signature."));
        }
        if self.last_tx.len() > MAX_ANCHOR || self.owner.len() > MAX_KEY || self.signature.len() > MAX_KEY {
            return Err(malformed("A key, signature or anchor is longer than any rule allows."));
        }
        if self.owner.len() == POINT || (self.format == 1 && self.owner.is_empty()) {
            return Err(malformed("The owner is an RSA key, or in format 2 nothing."));
        }
        if self.data.len() > MAX_DATA {
            return Err(Error::new(
                Code::TooLarge,
                format!("A transaction holds at most {MAX_DATA} bytes of data."),
            ));
        }
        if self.format == 2 && (self.data_size == 0) != self.data_root.is_none() {
            return Err(malformed("There is a data root if and only if there is data."));
        }
        Ok(())
    }

    /// The JSON of `GET /tx/{id}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let text = |id: Option<Id>| id.map(|id| id.to_string()).unwrap_or_default();
        let tags: Vec<Value> = self
            .tags
            .iter()
            .map(|tag| json!({"name": base64url::encode(&tag.name), "value": base64url::encode(&tag.value)}))
            .collect();
        let mut json = json!({
            "format": self.format,
            "id": self.id.to_string(),
            "last_tx": base64url::encode(&self.last_tx),
            "owner": base64url::encode(self.printed_owner()),
            "tags": tags,
            "target": text(self.target),
            "quantity": self.quantity,
            "data": base64url::encode(&self.data),
            "data_size": self.data_size.to_string(),
            "data_root": text(self.data_root),
            "reward": self.reward,
            "signature": base64url::encode(&self.signature),
        });
        if let Some(object) = json.as_object_mut()
            && self.denomination > 0
        {
            object.insert("denomination".into(), self.denomination.to_string().into());
        }
        json
    }

    /// The SHA-256 of the signature: the id this transaction has, whatever its source prints.
    #[must_use]
    pub fn computed_id(&self) -> Id {
        Id::sha256(&self.signature)
    }

    /// Whether the signature is ECDSA on secp256k1, from which the key is found.
    #[must_use]
    pub fn is_ecdsa(&self) -> bool {
        matches!(self.owner.len(), 0 | POINT)
    }

    /// The owner as it is printed and signed: a key that was found from the signature is neither.
    fn printed_owner(&self) -> &[u8] {
        if self.is_ecdsa() { &[] } else { &self.owner }
    }

    /// Whose key signed. For an ECDSA key only once verification has found it.
    #[must_use]
    pub fn owner_address(&self) -> Address {
        Address::of_owner(&self.owner)
    }

    /// The tags as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn tags_text(&self) -> Vec<Tag> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.tags.iter().map(|tag| Tag { name: text(&tag.name), value: text(&tag.value) }).collect()
    }

    /// The bytes given to the signature scheme (reference arweave.md §2.2): a deep hash, but for format 1
    /// without denomination the fields one after another.
    #[must_use]
    pub fn signing_payload(&self) -> Vec<u8> {
        let target = self.target.as_ref().map_or(&[][..], |id| id.as_bytes());
        let data_root = self.data_root.as_ref().map_or(&[][..], |id| id.as_bytes());
        let (quantity, reward) = (self.quantity.as_bytes(), self.reward.as_bytes());
        if self.format == 1 && self.denomination == 0 {
            let mut out = [&self.owner, target, &self.data, quantity, reward, &self.last_tx].concat();
            for tag in &self.tags {
                out.extend_from_slice(&tag.name);
                out.extend_from_slice(&tag.value);
            }
            return out;
        }
        let denomination = self.denomination.to_string();
        let data_size = self.data_size.to_string();
        let tags = Chunk::List(self.tags.iter().map(tag_chunk).collect());
        let mut list = Vec::new();
        if self.denomination > 0 {
            list.push(Chunk::Blob(denomination.as_bytes()));
        }
        let blobs: &[&[u8]] = match (self.format, self.is_ecdsa()) {
            (1, _) => &[&self.owner, target, &self.data, quantity, reward, &self.last_tx],
            (_, false) => &[b"2", &self.owner, target, quantity, reward, &self.last_tx],
            (_, true) => &[b"2", target, quantity, reward, &self.last_tx],
        };
        list.extend(blobs.iter().map(|blob| Chunk::Blob(blob)));
        list.push(tags);
        if self.format == 2 {
            list.push(Chunk::Blob(data_size.as_bytes()));
            list.push(Chunk::Blob(data_root));
        }
        deep_hash(&Chunk::List(list)).to_vec()
    }
}

fn tag_chunk(tag: &TagBytes) -> Chunk<'_> {
    Chunk::List(vec![Chunk::Blob(&tag.name), Chunk::Blob(&tag.value)])
}

fn tag_bytes(raw: &[RawTag]) -> Result<Vec<TagBytes>> {
    if raw.len() > MAX_TAGS {
        return Err(Error::new(Code::TooLarge, format!("A transaction has at most {MAX_TAGS} tags.")));
    }
    let mut tags = Vec::with_capacity(raw.len());
    let mut bytes = 0_usize;
    for tag in raw {
        let tag = TagBytes { name: field("tag", &tag.name)?, value: field("tag", &tag.value)? };
        bytes = bytes.saturating_add(tag.name.len()).saturating_add(tag.value.len());
        tags.push(tag);
    }
    if bytes > MAX_TAG_BYTES {
        let what =
            format!("The tags of a transaction have at most {MAX_TAG_BYTES} bytes, these have {bytes}.");
        return Err(Error::new(Code::TooLarge, what));
    }
    Ok(tags)
}

fn field(name: &str, text: &str) -> Result<Vec<u8>> {
    base64url::decode(text).map_err(|error| error.at(name))
}

fn optional_id(name: &str, text: &str) -> Result<Option<Id>> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|error: Error| error.at(name)) }
}

/// Decimal digits without leading zeros, as they are signed.
fn amount(name: &str, value: Decimal) -> Result<String> {
    let text = value.text();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if text.is_empty() || text.len() > MAX_DIGITS || !plain {
        return Err(malformed(format!("The {name} is not a plain decimal number.")));
    }
    Ok(text)
}

fn number(name: &str, value: Decimal) -> Result<u64> {
    amount(name, value)?
        .parse()
        .map_err(|cause| malformed(format!("The {name} is too large.")).because(cause))
}

fn malformed(sentence: impl Into<String>) -> Error {
    Error::new(Code::TransactionMalformed, sentence)
}
