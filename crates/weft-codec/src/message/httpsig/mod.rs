//! `httpsig@1.0`: a message as headers and a body (reference ao-core.md §3, §4.4).
//!
//! Short values are headers; nested messages and values over [`MAX_HEADER`] bytes are parts of a multipart body; one
//! value, `body` or `data`, is the body itself. Commitments are the headers `signature` and `signature-input`.
//!
//! The two generations differ in what a part of the body holds: the older encodes each part as a message of its own, the
//! newer writes its keys as they are. Reading takes both. Where HyperBEAM's reader loses what its writer wrote, ours
//! keeps it: an empty value beside parts stays a value, a part's `content-type` stays, and the body of a part that has a
//! key `data` too is its `body`.

mod decode;
mod encode;
mod parts;
mod siginfo;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::MAX_PARTS;
use crate::error::{Code, Error, Result};
use crate::structured_fields::{BareItem, Keys, serialise_dictionary};

pub use decode::decode;
pub use encode::{encode, encode_content, encode_to_send};
pub use siginfo::{Signature, signatures};

/// The longest value that is a header, in bytes.
pub const MAX_HEADER: usize = 4096;
/// The most bytes of all headers together that are read.
const MAX_HEADERS_BYTES: usize = 64 * 1024 * 1024;

/// A message as headers and a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// By name, in lower case on the wire. Values may hold bytes that HTTP forbids: such a message has an id, but cannot
    /// travel as headers.
    pub headers: BTreeMap<String, Vec<u8>>,
    /// The body; none is not the same as an empty one.
    pub body: Option<Vec<u8>>,
}

impl Encoded {
    /// A message as it came: names in any case, a name that comes again joined by `, ` (RFC 9110 §5.3), an empty body
    /// taken for none. Errors: `too-large`.
    pub fn received<N: AsRef<str>, V: AsRef<[u8]>>(
        headers: impl IntoIterator<Item = (N, V)>,
        body: Vec<u8>,
    ) -> Result<Self> {
        let mut all = BTreeMap::new();
        let mut bytes = 0_usize;
        for (count, (name, value)) in headers.into_iter().enumerate() {
            let (name, value) = (name.as_ref(), value.as_ref());
            bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
            if count >= MAX_PARTS || bytes > MAX_HEADERS_BYTES {
                return Err(Error::new(
                    Code::TooLarge,
                    format!("At most {MAX_PARTS} headers and {MAX_HEADERS_BYTES} bytes of them are read."),
                ));
            }
            let joined = all.entry(name.to_lowercase()).and_modify(|before: &mut Vec<u8>| {
                before.extend_from_slice(b", ");
                before.extend_from_slice(value);
            });
            joined.or_insert_with(|| value.to_vec());
        }
        Ok(Self { headers: all, body: Some(body).filter(|body| !body.is_empty()) })
    }

    /// A header that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?).ok()
    }

    /// What a signature can cover, by name: the headers, and the digest of the body that is here. A digest that came as a
    /// header is not looked at.
    #[must_use]
    pub fn components(&self) -> BTreeMap<String, Vec<u8>> {
        let mut components = self.headers.clone();
        components.remove(DIGEST);
        if let Some(body) = &self.body {
            components.insert(DIGEST.to_owned(), digest(body).into_bytes());
        }
        components
    }
}

/// The header that stands for the body.
const DIGEST: &str = "content-digest";

/// `sha-256=:…:` (RFC 9530).
#[must_use]
pub fn digest(body: &[u8]) -> String {
    let entry = ("sha-256".to_owned(), BareItem::Bytes(Sha256::digest(body).to_vec()).into());
    // A dictionary of one byte sequence can always be written.
    serialise_dictionary(&vec![entry], Keys::Strict).unwrap_or_default()
}
