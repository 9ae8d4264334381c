//! Ids and hashpaths (reference ao-core.md §5, §8).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{
    COMMITMENTS, Commitment, Generation, LINK, Node, Tabm, malformed, shown, unsigned_commitment,
    without_link,
};
use crate::error::Result;
use crate::id::Id;

/// Which commitments an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Those nobody signed (`committers: none`): the id of the content.
    Unsigned,
    /// Those of all signers (`committers: all`); of a message without any, the unsigned id.
    Signed,
    /// All of them (`commitments: all`), as hashpaths take it.
    All,
}

/// The id of a message. Ids of several commitments are summed modulo 2^256. Where no commitment is of the asked kind,
/// it is computed: the HMAC over all of the content, nested messages linked.
///
/// Ids in a message's commitments are taken as they stand: `weft-verify` proves them. Errors: `message-malformed`,
/// `too-large`.
pub fn id(message: &Tabm, which: Ids, generation: Generation) -> Result<Id> {
    message.check_depth()?;
    id_within(message, which, generation)
}

/// The same, for a message whose depth is known to be bounded.
fn id_within(message: &Tabm, which: Ids, generation: Generation) -> Result<Id> {
    let empty = Tabm::new();
    let mut ids = Vec::new();
    for (id, commitment) in message.map(COMMITMENTS).unwrap_or(&empty) {
        let Node::Map(commitment) = commitment else {
            return Err(malformed("A commitment is not a message."));
        };
        let signed = commitment.has("committer");
        let wanted = match which {
            Ids::Unsigned => !signed && commitment.text("commitment-device") == Some(Commitment::HTTPSIG),
            Ids::Signed => signed,
            Ids::All => true,
        };
        if wanted {
            ids.push(
                id.parse::<Id>().map_err(|cause| malformed("A commitment's id is none.").because(cause))?,
            );
        }
    }
    match (ids.as_slice(), which) {
        ([], Ids::Unsigned) => {
            let linked = linked_within(&message.content(), generation)?;
            Ok(unsigned_commitment(&linked, None, false, generation)?.id())
        }
        ([], _) => id_within(message, Ids::Unsigned, generation),
        _ => Ok(ids.into_iter().fold(Id([0; 32]), sum)),
    }
}

impl Tabm {
    /// The message with each nested one replaced by a link to it: `key+link`, and its signed id. This is the form that
    /// is signed and hashed. Commitments stay. Errors: `message-malformed` (a key both there and linked), `too-large`.
    pub fn linked(&self, generation: Generation) -> Result<Self> {
        self.check_depth()?;
        linked_within(self, generation)
    }
}

fn linked_within(message: &Tabm, generation: Generation) -> Result<Tabm> {
    let mut linked = Tabm::new();
    for (key, node) in message {
        let before = match node {
            Node::Map(map) if key != COMMITMENTS => {
                let id = id_within(map, Ids::Signed, generation)?;
                linked.set(generation.nested_key(&format!("{key}{LINK}")), id.to_string())
            }
            _ => linked.set(key.clone(), node.clone()),
        };
        if before.is_some() || (key.ends_with(LINK) && message.has(without_link(key))) {
            return Err(malformed(format!(
                "The key `{}` is both there and linked.",
                shown(without_link(key))
            )));
        }
    }
    Ok(linked)
}

/// The sum of two ids, modulo 2^256.
#[must_use]
pub fn sum(Id(left): Id, Id(right): Id) -> Id {
    let mut out = [0; 32];
    let mut carry = 0;
    for (index, (left, right)) in left.iter().zip(right).enumerate().rev() {
        let digit = u16::from(*left) + u16::from(right) + carry;
        let [high, low] = digit.to_be_bytes();
        out[index] = low;
        carry = u16::from(high);
    }
    Id(out)
}

/// HMAC-SHA-256.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    // Every key length is one of HMAC's, so this always is the right one.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().into())
        .unwrap_or_default()
}

/// The hashpath after one more request: `base/request`. A base that is a path itself is hashed to a new base first:
/// SHA-256 of both its parts, a part of 43 characters counted as the 32 bytes it stands for (`sha-256-chain`).
///
/// `request` is the bare key of a request that says nothing else, and the request's id (with all its commitments)
/// otherwise: [`request_part`].
#[must_use]
pub fn hashpath(base: &str, request: &str) -> String {
    match base.split_once('/') {
        None => format!("{base}/{request}"),
        Some((first, second)) => {
            let native =
                |part: &str| part.parse::<Id>().map_or_else(|_| part.as_bytes().to_vec(), |id| id.0.to_vec());
            format!("{}/{request}", Id::sha256(&[native(first), native(second)].concat()))
        }
    }
}

/// How a request stands in a hashpath: the head of its path, if it has nothing but a path, or its id. Errors:
/// `message-malformed`, `too-large`.
pub fn request_part(request: &Tabm, generation: Generation) -> Result<String> {
    let bare = request.iter().all(|(key, _)| ["path", "hashpath", "priv"].contains(&key.as_str()));
    let head = request.text("path").and_then(|path| path.split('/').find(|step| !step.is_empty()));
    match head {
        Some(head) if bare => Ok(head.to_owned()),
        _ => id(request, Ids::All, generation).map(|id| id.to_string()),
    }
}
