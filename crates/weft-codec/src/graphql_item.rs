//! Data items known only by the fields an indexer prints: rebuilt in every way the signer may have written them
//! (reference ans104.md §5). One of the candidates verifies, or the item must be had as bytes.

use serde::Deserialize;

use crate::base64url;
use crate::error::{Code, Error, Result};
use crate::id::Id;
use crate::item::DataItem;
use crate::tags::{self, Tag};

/// A `node` of the GraphQL query `transactions`, with the fields a data item is rebuilt from.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeJson {
    /// The id the indexer prints.
    pub id: String,
    /// base64url of the 32 bytes, their text, or nothing.
    #[serde(default)]
    pub anchor: Option<String>,
    /// base64url.
    #[serde(default)]
    pub signature: Option<String>,
    /// base64url of 32 bytes, or nothing.
    #[serde(default)]
    pub recipient: Option<String>,
    /// Who signed.
    pub owner: OwnerJson,
    /// The tags as text.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// `owner` in GraphQL and in a scheduler's JSON.
#[derive(Clone, Debug, Deserialize)]
pub struct OwnerJson {
    /// The address, which is recomputed from the key and not used.
    #[serde(default)]
    pub address: String,
    /// base64url of the public key.
    pub key: String,
}

impl NodeJson {
    /// Reads one node. Error: `json-invalid`.
    pub fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json)
            .map_err(|cause| Error::new(Code::JsonInvalid, "This is not a GraphQL node.").because(cause))
    }
}

/// Every item that would print as this node and hold these data, the likeliest first, at most 18. Errors:
/// `base64-invalid`, `id-invalid`, `item-malformed` (no signature, or one that fits no type), `id-mismatch` (the
/// signature is that of another id), `tags-malformed`, `too-large`.
pub fn candidates(node: &NodeJson, data: &[u8]) -> Result<Vec<DataItem>> {
    let printed: Id = node.id.parse()?;
    let fields = Fields {
        signature: node.signature.as_deref().unwrap_or_default(),
        owner: &node.owner.key,
        target: node.recipient.as_deref().unwrap_or_default(),
        tags: &node.tags,
    };
    let mut anchors =
        anchor(node.anchor.as_deref().unwrap_or_default()).map(Some).into_iter().collect::<Vec<_>>();
    anchors.push(None);
    let first = fields.item(anchors[0], data)?;
    if first.id() != printed {
        let what = format!("The signature printed for {printed} is that of {}.", first.id());
        let error = Error::new(Code::IdMismatch, what);
        return Err(error.with("expected", printed).with("found", first.id()));
    }
    let mut out = Vec::new();
    for anchor in anchors {
        for form in tag_forms(&DataItem { anchor, ..first.clone() }) {
            for signature_type in same_sizes(form.signature_type) {
                out.push(DataItem { signature_type, ..form.clone() });
            }
        }
    }
    Ok(out)
}

/// The item itself, and the same with its tags in the other of the two forms writers use.
#[must_use]
pub fn tag_forms(item: &DataItem) -> Vec<DataItem> {
    let mut forms = vec![item.clone()];
    let other = tags::encode_sized(&item.tags);
    if other != item.raw_tags && other.len() <= tags::MAX_BYTES {
        forms.push(DataItem { raw_tags: other, ..item.clone() });
    }
    forms
}

/// The signature types whose sizes are the same, so that JSON cannot tell them apart.
fn same_sizes(signature_type: u16) -> Vec<u16> {
    if signature_type == 2 { vec![2, 4, 5] } else { vec![signature_type] }
}

/// The fields of an item that a scheduler's JSON and GraphQL have in common.
pub(crate) struct Fields<'a> {
    pub(crate) signature: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) target: &'a str,
    pub(crate) tags: &'a [Tag],
}

impl Fields<'_> {
    /// The item with its tags in the common form and its type by the sizes of key and signature.
    pub(crate) fn item(&self, anchor: Option<[u8; 32]>, data: &[u8]) -> Result<DataItem> {
        let signature = base64url::decode(self.signature).map_err(|error| error.at("signature"))?;
        let owner = base64url::decode(self.owner).map_err(|error| error.at("owner key"))?;
        let signature_type = type_by_sizes(signature.len(), owner.len()).ok_or_else(|| {
            let sizes = format!("{} and {}", signature.len(), owner.len());
            Error::new(
                Code::ItemMalformed,
                format!("No signature type has signatures and keys of {sizes} bytes."),
            )
        })?;
        let target = match self.target {
            "" => None,
            text => Some(text.parse::<Id>().map_err(|error| error.at("target"))?),
        };
        let raw_tags = tags::encode(self.tags);
        let tags = tags::decode(&raw_tags, self.tags.len() as u64)?;
        Ok(DataItem { signature_type, signature, owner, target, anchor, raw_tags, tags, data: data.to_vec() })
    }
}

/// An anchor's text is base64url of its 32 bytes (43 characters) or, if they are UTF-8, the bytes themselves.
/// Their lengths tell them apart. Anything else is no anchor.
pub(crate) fn anchor(text: &str) -> Option<[u8; 32]> {
    let raw = <[u8; 32]>::try_from(text.as_bytes()).ok();
    raw.or_else(|| base64url::decode(text).ok().and_then(|bytes| bytes.try_into().ok()))
}

const fn type_by_sizes(signature: usize, owner: usize) -> Option<u16> {
    match (signature, owner) {
        (512, 512) => Some(1),
        (64, 32) => Some(2),
        (65, 65) => Some(3),
        (65, 42) => Some(7),
        (2052, 1025) => Some(6),
        _ => None,
    }
}
