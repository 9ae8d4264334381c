//! `ans104@1.0`: data items as messages, and back for what a commitment says of one (reference ao-core.md §9).
//!
//! Items that are bundles are not opened here.

use std::collections::BTreeMap;

use super::{COMMITMENTS, Commitment, Generation, Node, TYPES, Tabm, malformed, types, without_link};
use crate::address::Address;
use crate::base64url;
use crate::bundle;
use crate::error::Result;
use crate::item::{DataItem, Unsigned};
use crate::structured_fields::{BareItem, Member, serialise_list};
use crate::tags::Tag;

/// The device of commitments that are data items' signatures.
pub const DEVICE: &str = "ans104@1.0";
/// The kind of those made with an Arweave key.
pub const RSA: &str = "rsa-pss-sha256";
/// Tags that say how the item was made, not what is in it.
const META_TAGS: [&str; 4] = ["ao-data-key", "bundle-format", "bundle-version", "bundle-map"];
/// Keys the older generation lists as committed whether they are there or not.
const BASE: [&str; 5] = ["last_tx", "owner", "target", "signature", "data"];
/// Keys that the older generation drops: they are fields of its own.
const FIELDS: [&str; 8] =
    ["id", "unsigned_id", "owner", "owner_address", "tags", "data_size", "data_tree", "signature"];

/// A data item as a message with its one commitment. Nothing is proved. Errors: `message-malformed` (an item that is a
/// bundle, or whose tags say a field twice), `field-malformed`.
pub fn from_item(item: &DataItem, generation: Generation) -> Result<Tabm> {
    if bundle::is_bundle(item) {
        return Err(malformed("The item is a bundle: a message for each of its items."));
    }
    let mut message = tag_keys(&item.tags)?;
    let data_key = message.text("ao-data-key").unwrap_or("data").to_owned();
    for meta in META_TAGS {
        message.remove(meta);
    }
    let fields = match generation {
        Generation::June2025 => june_fields(item),
        Generation::September2025 => Tabm::new(),
    };
    for (key, node) in fields {
        if message.get(&key).is_some_and(|there| *there != node) {
            return Err(malformed("A tag of the item has the name of a field."));
        }
        message.set(key, node);
    }
    if generation == Generation::June2025 {
        for field in FIELDS {
            message.remove(field);
        }
    }
    let has_data = !item.data.is_empty();
    if has_data {
        message.set(data_key.clone(), item.data.clone());
    }
    if let (Generation::September2025, Some(target)) = (generation, item.target) {
        // Data before fields, fields before tags.
        if !(has_data && data_key == "target") {
            message.set("target", target.to_string());
        }
    }
    let committed = match generation {
        Generation::June2025 => june_committed(item, &message),
        Generation::September2025 => {
            september_committed(item, &message, has_data.then_some(data_key.as_str()))
        }
    };
    let commitment = commitment_of(item, committed, generation);
    message.set(COMMITMENTS, Tabm::new().with(item.id().to_string(), commitment.to_tabm()));
    Ok(message)
}

fn june_fields(item: &DataItem) -> Tabm {
    let target = item.target.map(|target| ("target".to_owned(), Node::Binary(target.0.to_vec())));
    let anchor = item.anchor.map(|anchor| ("last_tx".to_owned(), Node::Binary(anchor.to_vec())));
    target.into_iter().chain(anchor).collect()
}

/// Tags as keys in lower case. A name that comes again makes a list of strings.
fn tag_keys(tags: &[Tag]) -> Result<Tabm> {
    let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for tag in tags {
        values.entry(tag.name.to_lowercase()).or_default().push(&tag.value);
    }
    let mut keys = Tabm::new();
    for (key, values) in values {
        let text = match values.as_slice() {
            [one] => (*one).to_owned(),
            several => {
                let members: Vec<Member> =
                    several.iter().map(|text| BareItem::String((*text).to_owned()).into()).collect();
                serialise_list(&members)?
            }
        };
        keys.set(key, text);
    }
    if let Some(field) = keys.binary(TYPES) {
        let lower = types::decode(field)?.into_iter().map(|(key, kind)| (key.to_lowercase(), kind)).collect();
        keys.set(TYPES, types::encode(&lower)?);
    }
    Ok(keys)
}

/// Fields and data, tags, keys: of a key that comes again, the last place counts.
fn june_committed(item: &DataItem, message: &Tabm) -> Vec<String> {
    let base = BASE.iter().map(|key| (*key).to_owned());
    let tags = item.tags.iter().map(|tag| Generation::June2025.key(&tag.name));
    let all: Vec<String> = base.chain(tags).chain(message.iter().map(|(key, _)| key.clone())).collect();
    let is_last = |index: usize| !all[index + 1..].contains(&all[index]);
    all.iter().enumerate().filter(|(index, _)| is_last(*index)).map(|(_, key)| key.clone()).collect()
}

/// Data, tags, target: of a key that comes again, the first place counts.
fn september_committed(item: &DataItem, message: &Tabm, data_key: Option<&str>) -> Vec<String> {
    let tags =
        item.tags.iter().map(|tag| tag.name.to_lowercase()).filter(|key| !META_TAGS.contains(&key.as_str()));
    let target = message.has("target").then(|| "target".to_owned());
    let mut all: Vec<String> = Vec::new();
    for key in data_key.map(str::to_owned).into_iter().chain(tags).chain(target) {
        if !all.contains(&key) {
            all.push(key);
        }
    }
    all
}

fn commitment_of(item: &DataItem, committed: Vec<String>, generation: Generation) -> Commitment {
    let mut extra = Tabm::new();
    if generation == Generation::September2025 {
        extra.set("bundle", "false");
        if let Some(target) = item.target {
            extra.set("field-target", target.to_string());
        }
        if let Some(anchor) = item.anchor {
            extra.set("field-anchor", anchor.to_vec());
        }
    }
    if item.tags.iter().any(|tag| Generation::June2025.key(&tag.name) != tag.name) {
        let numbered = (1_usize..).zip(&item.tags).map(|(number, tag)| {
            let pair = Tabm::new().with("name", tag.name.as_str()).with("value", tag.value.as_str());
            (number.to_string(), Node::Map(pair))
        });
        extra.set("original-tags", numbered.collect::<Tabm>());
    }
    Commitment {
        device: DEVICE.to_owned(),
        kind: RSA.to_owned(),
        committer: Some(Address::of_owner(&item.owner).to_string()),
        keyid: format!("{}{}", generation.public_key_prefix(), base64url::encode(&item.owner)),
        signature: item.signature.clone(),
        committed,
        extra,
    }
}

/// The data item that a commitment of a message says it is the signature of. It is not proved to be one; and what the
/// message says is the item's only as far as [`from_item`] says the same. Errors: `message-malformed`, `item-malformed`,
/// `too-large`.
pub fn to_item(message: &Tabm, commitment: &Commitment, generation: Generation) -> Result<DataItem> {
    let original = commitment.extra.map("original-tags").map(original_tags).transpose()?;
    let data_key = data_key(message, original.as_deref());
    let data = message.binary(&data_key).unwrap_or_default().to_vec();
    let (target, anchor) = match generation {
        Generation::June2025 => (message.binary("target"), message.binary("last_tx")),
        Generation::September2025 => {
            (commitment.extra.binary("field-target"), commitment.extra.binary("field-anchor"))
        }
    };
    let (target, anchor) = (thirty_two(target), thirty_two(anchor));
    let tags = match original {
        Some(tags) => tags,
        None => {
            let mut tags = rest_as_tags(message, commitment, generation, &data_key, target.is_some())?;
            if data_key != "data" {
                tags.insert(0, Tag { name: "ao-data-key".to_owned(), value: data_key });
            }
            tags
        }
    };
    let unsigned =
        Unsigned { owner: commitment.public_key()?, target: target.map(crate::Id), anchor, tags, data };
    unsigned.sign_with(commitment.signature.clone())
}

fn original_tags(tags: &Tabm) -> Result<Vec<Tag>> {
    let refuse = || malformed("The tags of a commitment are not a list of names and values.");
    let tag = |node: &Node| {
        let map = node.as_map()?;
        Some(Tag { name: map.text("name")?.to_owned(), value: map.text("value")?.to_owned() })
    };
    tags.numbered().ok_or_else(refuse)?.into_iter().map(|node| tag(node).ok_or_else(refuse)).collect()
}

fn data_key(message: &Tabm, original: Option<&[Tag]>) -> String {
    let mut named =
        original.unwrap_or_default().iter().filter(|tag| tag.name.eq_ignore_ascii_case("ao-data-key"));
    if let Some(tag) = named.next() {
        return tag.value.clone();
    }
    let inline = !message.has("data") && message.binary("body").is_some() && original.is_none();
    if inline { "body" } else { "data" }.to_owned()
}

/// 32 bytes, as they are or in base64url.
fn thirty_two(bytes: Option<&[u8]>) -> Option<[u8; 32]> {
    let bytes = bytes?;
    let decoded = || std::str::from_utf8(bytes).ok().and_then(|text| base64url::decode(text).ok());
    <[u8; 32]>::try_from(bytes).ok().or_else(|| decoded()?.try_into().ok())
}

/// Without the original tags, the keys are the tags: those committed in their order, or all in byte order.
fn rest_as_tags(
    message: &Tabm,
    commitment: &Commitment,
    generation: Generation,
    data_key: &str,
    has_target: bool,
) -> Result<Vec<Tag>> {
    let keys: Vec<String> = match generation {
        Generation::September2025 => commitment.committed.clone(),
        Generation::June2025 => message.content().iter().map(|(key, _)| key.clone()).collect(),
    };
    let is_field = |key: &str| match generation {
        Generation::June2025 => key == "target" || key == "last_tx",
        Generation::September2025 => key == "target" && has_target,
    };
    let mut tags = Vec::new();
    for key in keys.iter().map(|key| without_link(key)).filter(|key| *key != data_key && !is_field(key)) {
        let name =
            message.key_or_link(key).ok_or_else(|| malformed("A committed key is not in the message."))?;
        let value = message.text(&name).ok_or_else(|| malformed("A tag's value is not text."))?;
        tags.push(Tag { value: value.to_owned(), name });
    }
    Ok(tags)
}

/// The id HyperBEAM has for an item that nobody signed: the SHA-256 of what an Arweave key whose bytes are all zero would
/// sign (reference ans104.md §4; `ar_bundles.erl`).
#[must_use]
pub fn unsigned_id(item: &DataItem) -> crate::Id {
    let DataItem { target, anchor, ref tags, ref data, .. } = *item;
    let unsigned = Unsigned { owner: vec![0; 512], target, anchor, tags: tags.clone(), data: data.clone() };
    crate::Id::sha256(&unsigned.payload())
}
