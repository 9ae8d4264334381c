//! What of a message a commitment covers. A key that is nested is covered by an id: what is under it counts as covered
//! only as far as that id follows from it.

use std::collections::BTreeMap;

use weft_codec::message::{
    Commitment, Generation, Ids, Node, Tabm, ans104, committed_form, id, signature_base,
};
use weft_codec::{Address, Code, Error, Id, Result};

use super::hyperbeam::{self, Proof, generation_of};

/// The most commitments whose ids may be summed to the id of a nested message. With many, somebody could search for ones
/// that give a wanted sum; with four that takes 2^85 steps.
const MAX_SUMMED: usize = 4;

/// The most readings of one message that are tried beside the first.
const MAX_READINGS: usize = 8;

/// What became of the nested messages.
#[derive(Debug, Default)]
pub(super) struct Nested {
    /// Signers of their own, by path.
    pub(super) signers: BTreeMap<String, Vec<Address>>,
    /// Why one is not proved, by path.
    pub(super) refused: BTreeMap<String, String>,
}

/// The part of a message that a commitment over these keys covers. A nested message that is not proved to be of the
/// covered id is left as the link that was signed.
pub(super) fn covered(
    message: &Tabm,
    keys: &[String],
    bundle: bool,
    generation: Generation,
    nested: &mut Nested,
) -> Result<Tabm> {
    part(message, keys, bundle, generation, "", nested)
}

/// The recursion is bounded by the depth of the message, which was decoded or checked before.
fn part(
    message: &Tabm,
    keys: &[String],
    bundle: bool,
    generation: Generation,
    path: &str,
    nested: &mut Nested,
) -> Result<Tabm> {
    let mut out = Tabm::new();
    for key in keys {
        let key = generation.key(key);
        // The name that keys which are like ids travel under.
        if key == "ao-ids" && !message.has(&key) {
            out = out.into_iter().chain(message.id_like()).collect();
            continue;
        }
        let Some(present) = message.key_or_link(&key) else { continue };
        match message.get(&present) {
            Some(Node::Map(map)) if !bundle => {
                let path = if path.is_empty() { present.clone() } else { format!("{path}/{present}") };
                match covered_by_id(map, generation, &path, nested) {
                    Ok(proved) => {
                        out.set(present, proved);
                    }
                    Err(error) => {
                        nested.refused.insert(path, error.sentence().to_owned());
                        let id = id::id(map, Ids::Signed, generation)?;
                        out.set(format!("{present}+link"), id.to_string());
                    }
                }
            }
            Some(node) => {
                out.set(present, node.clone());
            }
            None => {}
        }
    }
    Ok(out)
}

/// What the id of a nested message covers of it: all of it if it has no commitments, and otherwise what those of its
/// signers cover, each of them checked.
fn covered_by_id(map: &Tabm, generation: Generation, path: &str, nested: &mut Nested) -> Result<Tabm> {
    let empty = Tabm::new();
    let commitments = map.map("commitments").unwrap_or(&empty);
    let is_signed = |node: &Node| node.as_map().is_some_and(|map| map.has("committer"));
    let is_own = |node: &Node| {
        node.as_map().and_then(|map| map.text("commitment-device")) == Some(Commitment::HTTPSIG)
    };
    let signed: Vec<_> = commitments.iter().filter(|(_, node)| is_signed(node)).collect();
    let counted = if signed.is_empty() {
        commitments.iter().filter(|(_, node)| is_own(node)).collect()
    } else {
        signed
    };
    if counted.is_empty() {
        let all: Vec<String> = map.content().iter().map(|(key, _)| key.clone()).collect();
        return part(map, &all, false, generation, path, nested);
    }
    if counted.len() > MAX_SUMMED {
        let what = format!("It has {} commitments; at most {MAX_SUMMED} make an id.", counted.len());
        return Err(Error::new(Code::SignatureUnsupported, what));
    }
    let mut out = Tabm::new();
    let mut kept = Tabm::new();
    let mut signers = Vec::new();
    for (id, node) in counted {
        let Node::Map(commitment) = node else { continue };
        let commitment = Commitment::from_tabm(commitment)?;
        let proof = over_message(map, id, &commitment)?;
        let keys = proof.keys.unwrap_or_else(|| commitment.committed.clone());
        let reading = proof.reading.as_ref().unwrap_or(map);
        let own = part(reading, &keys, commitment.is_bundle(), generation_of(&commitment), path, nested)?;
        kept.set(id.clone(), proved(commitment, keys, &own).to_tabm());
        out = out.into_iter().chain(own).collect();
        signers.extend(proof.signer);
    }
    if !signers.is_empty() {
        nested.signers.insert(path.to_owned(), signers);
    }
    out.set("commitments", kept);
    Ok(out)
}

/// Erlang keeps maps of up to this many keys sorted; larger ones have an order that only it knows.
const SORTED_KEYS: usize = 32;

/// The reason why a commitment does not hold, where it may be one of ours: an id of a nested message without commitments
/// is over its keys in Erlang's order (reference ao-core.md §4.2).
pub(super) fn explain(message: &Tabm, error: Error) -> Error {
    let mut level: Vec<&Tabm> = message.content_maps().collect();
    while error.code() == Code::SignatureInvalid && !level.is_empty() {
        if level.iter().any(|map| map.len() > SORTED_KEYS && !map.has("commitments")) {
            let what = "A nested message has more than 32 keys: its id cannot be computed here, and so not be checked.";
            return Error::new(Code::SignatureUnsupported, what).because(error);
        }
        level = level.into_iter().flat_map(Tabm::content_maps).collect();
    }
    error
}

/// A commitment without what nothing proves: other keys, and fields that are not signed.
fn proved(mut commitment: Commitment, keys: Vec<String>, own: &Tabm) -> Commitment {
    commitment.committed = keys;
    commitment.committed.retain(|key| own.key_or_link(key).is_some());
    let signed = |key: &str| ["bundle", "created", "expires", "nonce", "tag"].contains(&key);
    let is_signed = commitment.device == Commitment::HTTPSIG;
    commitment.extra = commitment.extra.into_iter().filter(|(key, _)| is_signed && signed(key)).collect();
    commitment
}

/// Checks a commitment over the message it stands in. Errors: `id-mismatch`, `component-missing`, `signature-invalid`,
/// `signature-unsupported`, `message-malformed`.
pub(super) fn over_message(message: &Tabm, id: &str, commitment: &Commitment) -> Result<Proof> {
    if id.parse::<Id>().ok() != Some(commitment.id()) {
        return Err(Error::new(
            Code::IdMismatch,
            "A commitment stands under another id than its signature's.",
        ));
    }
    if (commitment.device.as_str(), commitment.kind.as_str()) == (ans104::DEVICE, ans104::RSA) {
        return hyperbeam::check_item(message, commitment);
    }
    let whole = over_reading(message, commitment);
    if !matches!(&whole, Err(error) if error.code() == Code::SignatureInvalid) {
        return whole;
    }
    let held = with_one_commitment(message).into_iter().find_map(|reading| {
        let proof = over_reading(&reading, commitment).ok()?;
        Some(Proof { reading: Some(reading), ..proof })
    });
    held.map_or(whole, Ok)
}

fn over_reading(message: &Tabm, commitment: &Commitment) -> Result<Proof> {
    let generation = generation_of(commitment);
    let form = committed_form(message, &commitment.committed, commitment.is_bundle(), generation)?;
    let sorted: Vec<String> = form.components.keys().cloned().collect();
    let mut failed = None;
    for order in [Some(sorted), form.order_of(&commitment.committed)].into_iter().flatten() {
        let base = signature_base(order.iter().map(String::as_str), &form.components, commitment)?;
        match hyperbeam::check(commitment, &base) {
            Ok(proof) => return Ok(proof),
            Err(error) => failed = failed.or_else(|| Some(explain(message, error))),
        }
    }
    Err(failed.unwrap_or_else(|| Error::new(Code::SignatureInvalid, "The commitment is of other bytes.")))
}

/// Readings of a message in which a nested one that was signed several times has one of those commitments: a node that
/// gets the same content signed again merges the commitments, and so sends more of them than it linked to when it signed.
pub(super) fn with_one_commitment(message: &Tabm) -> Vec<Tabm> {
    let mut readings = Vec::new();
    for (key, node) in message {
        let Some((map, all)) = node.as_map().and_then(|map| Some((map, map.map("commitments")?))) else {
            continue;
        };
        let signed: Vec<_> =
            all.iter().filter(|(_, node)| node.as_map().is_some_and(|map| map.has("committer"))).collect();
        if signed.len() < 2 || readings.len() + signed.len() > MAX_READINGS {
            continue;
        }
        for (id, commitment) in signed {
            let only = Tabm::new().with(id.as_str(), commitment.clone());
            readings.push(message.clone().with(key.as_str(), map.clone().with("commitments", only)));
        }
    }
    readings
}
