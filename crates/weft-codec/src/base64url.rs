//! base64url without padding, the text form of every id, key, signature and hash on Arweave.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Code, Error, Result};

/// Bytes to text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Text to bytes. Padding, standard-alphabet characters and stray trailing bits are refused, so that one
/// value has one text.
pub fn decode(text: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|cause| Error::new(Code::Base64Invalid, "This text is not base64url.").because(cause))
}
