//! One commitment: who vouches for which keys (reference ao-core.md §4.1, §4.4).

use super::{Generation, Node, TYPES, Tabm, malformed};
use crate::base64url;
use crate::error::Result;
use crate::id::Id;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Keys and signatures are written in either alphabet, with and without padding.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A commitment, as it stands in a message's `commitments` or in its signature headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// `httpsig@1.0`, `ans104@1.0`, ….
    pub device: String,
    /// `hmac-sha256`, `rsa-pss-sha512`, ….
    pub kind: String,
    /// The address it says it is of. Not proved here.
    pub committer: Option<String>,
    /// The key, or the name of one.
    pub keyid: String,
    /// The signature or MAC.
    pub signature: Vec<u8>,
    /// The keys it is over, `+link` left off.
    pub committed: Vec<String>,
    /// What else it holds: `bundle`, `tag`, `nonce`, `created`, `expires`, and what other devices put there.
    pub extra: Tabm,
}

impl Commitment {
    /// The device of commitments over HTTP messages.
    pub const HTTPSIG: &'static str = "httpsig@1.0";
    /// The kind anyone can make: a MAC whose key is known to all.
    pub const HMAC: &'static str = "hmac-sha256";
    /// The kind a wallet makes.
    pub const RSA: &'static str = "rsa-pss-sha512";
    /// The fields that are not in `extra`.
    const KNOWN: [&'static str; 6] =
        ["commitment-device", "type", "committer", "keyid", "signature", "committed"];

    /// The commitment's id: a MAC of 32 bytes itself, the SHA-256 of any other signature.
    #[must_use]
    pub fn id(&self) -> Id {
        <[u8; 32]>::try_from(self.signature.as_slice()).map_or_else(|_| Id::sha256(&self.signature), Id)
    }

    /// Whether it is over the message with nested ones inline.
    #[must_use]
    pub fn is_bundle(&self) -> bool {
        self.extra.text("bundle") == Some("true")
    }

    /// The bytes of the public key in its `keyid`, whichever way it is written. Error: `message-malformed`.
    pub fn public_key(&self) -> Result<Vec<u8>> {
        decode_base64(self.keyid.strip_prefix("publickey:").unwrap_or(&self.keyid))
    }

    /// The `keyid` of an RSA key.
    #[must_use]
    pub fn keyid_of(owner: &[u8], generation: Generation) -> String {
        format!("{}{}", generation.public_key_prefix(), STANDARD.encode(owner))
    }

    /// The address its key has, if it is a key: what `committer` must be. Keys of commitments that anyone can make have
    /// none (reference ao-core.md §4.3, both generations).
    #[must_use]
    pub fn committer_of_key(&self) -> Option<String> {
        if let Some(hash) = self.keyid.strip_prefix("secret:") {
            return Some(hash.to_owned());
        }
        let is_key =
            self.keyid.starts_with("publickey:") || (!self.keyid.contains(':') && self.keyid.len() > 43);
        let key = self.public_key().ok().filter(|_| is_key)?;
        Some(Id::sha256(&key).to_string())
    }

    /// Reads a commitment from a message's `commitments`. Error: `message-malformed`.
    pub fn from_tabm(tabm: &Tabm) -> Result<Self> {
        let text = |key: &str| tabm.text(key).map(str::to_owned);
        let committed = match tabm.get("committed") {
            None => Vec::new(),
            Some(Node::Map(list)) => texts(list)?,
            Some(Node::Binary(_)) => return Err(malformed("The keys of a commitment are not a list.")),
        };
        let signature = tabm.text("signature").ok_or_else(|| malformed("A commitment has no signature."))?;
        let extra = tabm.iter().filter(|(key, _)| !Self::KNOWN.contains(&key.as_str()) && *key != TYPES);
        Ok(Self {
            device: text("commitment-device").unwrap_or_else(|| Self::HTTPSIG.to_owned()),
            kind: text("type").unwrap_or_default(),
            committer: text("committer"),
            keyid: text("keyid").unwrap_or_default(),
            signature: decode_base64(signature)?,
            committed,
            extra: extra.map(|(key, node)| (key.clone(), node.clone())).collect(),
        })
    }

    /// As it stands in a message's `commitments`.
    #[must_use]
    pub fn to_tabm(&self) -> Tabm {
        let mut tabm = self.extra.clone();
        tabm.set("commitment-device", self.device.as_str());
        if !self.kind.is_empty() {
            tabm.set("type", self.kind.as_str());
        }
        if let Some(committer) = &self.committer {
            tabm.set("committer", committer.as_str());
        }
        if !self.keyid.is_empty() {
            tabm.set("keyid", self.keyid.as_str());
        }
        tabm.set("signature", base64url::encode(&self.signature));
        tabm.set("committed", Tabm::of_texts(self.committed.iter().cloned()));
        tabm
    }
}

/// A numbered map of texts as a list.
fn texts(list: &Tabm) -> Result<Vec<String>> {
    let refuse = || malformed("The keys of a commitment are not a list of texts.");
    let nodes = list.numbered().ok_or_else(refuse)?;
    let text = |node: &Node| match node {
        Node::Binary(bytes) => String::from_utf8(bytes.clone()).map_err(|_| refuse()),
        Node::Map(_) => Err(refuse()),
    };
    nodes.into_iter().map(text).collect()
}

/// Bytes of base64 in either alphabet.
fn decode_base64(text: &str) -> Result<Vec<u8>> {
    let engine = if text.contains(['+', '/']) { &STANDARD } else { &URL_SAFE };
    engine.decode(text).map_err(|cause| malformed("A key or signature is not base64.").because(cause))
}
