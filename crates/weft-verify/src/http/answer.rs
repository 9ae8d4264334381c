//! Answers of HyperBEAM nodes.

use std::collections::BTreeSet;

use weft_codec::message::httpsig::Encoded;
use weft_codec::message::{Tabm, httpsig};
use weft_codec::{Address, Code, Error, Result};

use super::commitment::{Committed, signed_message};
use crate::trust::{Untrusted, Verified};

/// What a node answered, as far as somebody signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of the HTTP answer.
    pub status: u16,
    /// Whether a signer covers that status.
    pub status_is_signed: bool,
    /// The commitments.
    pub commitments: Committed,
    /// Top-level keys and headers that came and that nobody signed. Among them are those of the HTTP server itself.
    pub unsigned_keys: BTreeSet<String>,
}

impl Answer {
    /// What a signer said, and nothing else.
    #[must_use]
    pub fn said_by(&self, signer: &Address) -> Option<&Tabm> {
        let by = self.commitments.held.iter().find(|held| held.signer.as_ref() == Some(signer))?;
        Some(&by.message)
    }
}

/// Proves the answer of a HyperBEAM node: its status, headers and body as they came.
///
/// Errors: `signature-missing` (nobody signed it: a MAC that anyone can make is not enough), `signature-invalid` (also if
/// another status was signed than came), and those of [`signed_message`].
pub fn answer<N: AsRef<str>, V: AsRef<[u8]>>(
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
    body: Vec<u8>,
    source: &str,
) -> Result<Verified<Answer>> {
    let encoded = Encoded::received(headers, body)?;
    let present = httpsig::decode(&encoded)?;
    let (commitments, checks) = signed_message(Untrusted::new(encoded, source))?.into_parts();
    let signed: Vec<_> = commitments.held.iter().filter(|held| held.signer.is_some()).collect();
    if signed.is_empty() {
        // What was signed but does not hold says more than that the rest has no signer.
        let refused = commitments.refused.first();
        return Err(refused.map_or_else(
            || Error::new(Code::SignatureMissing, "Nobody signed this answer."),
            |refused| Error::new(refused.code, refused.sentence.clone()),
        ));
    }
    let said: Vec<&str> = signed.iter().filter_map(|held| held.message.text("status")).collect();
    if said.iter().any(|said| *said != status.to_string()) {
        return Err(Error::new(Code::SignatureInvalid, "The node signed another status than came."));
    }
    let status_is_signed = !said.is_empty();
    let keys = present.iter().map(|(key, _)| key.clone()).filter(|key| key != "commitments");
    let unsigned_keys = keys.filter(|key| signed.iter().all(|held| !held.message.has(key))).collect();
    let answer = Answer { status, status_is_signed, commitments, unsigned_keys };
    Ok(Verified::new(answer, checks))
}
