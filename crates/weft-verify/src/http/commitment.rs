//! Commitments of AO-Core messages: over a message as it is held, and over one as it came by HTTP.

use std::collections::{BTreeMap, BTreeSet};

use weft_codec::message::httpsig::{self, Encoded, Signature};
use weft_codec::message::{Commitment, Node, Tabm, committed_form, signature_base};
use weft_codec::structured_fields::{Keys, parse_dictionary, serialise_dictionary};
use weft_codec::{Address, Code, Error, Id, Result};

use super::coverage::{self, Nested};
use super::hyperbeam::{self, Proof, generation_of};
use crate::receipt::Check;
use crate::trust::{Untrusted, Verified};

/// The component that stands for the body.
const DIGEST: &str = "content-digest";

/// A commitment that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: Id,
    /// The algorithm, for a person.
    pub algorithm: String,
    /// Who signed. None: a MAC that anyone can make, which shows the id and nothing about who said it.
    pub signer: Option<Address>,
    /// What of the message it covers, and nothing else of it. Under a nested key stands what the covered id of that
    /// message covers.
    pub message: Tabm,
    /// Nested messages that have signers of their own, by path. The outer signer said the id of such a message; what is
    /// in it was said by these.
    pub nested: BTreeMap<String, Vec<Address>>,
    /// Nested messages that came and are not proved to be of the covered id, by path, with the reason. They are links in
    /// `message`.
    pub unproved: BTreeMap<String, String>,
}

/// A commitment that does not hold, or cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its id.
    pub id: Id,
    /// Why, for programs.
    pub code: Code,
    /// Why, for a person.
    pub sentence: String,
}

/// A message's commitments, each checked. At least one holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Those that hold.
    pub held: Vec<Held>,
    /// Those that do not. Nothing is known from them.
    pub refused: Vec<Refused>,
}

impl Committed {
    /// Everyone who signed, each once.
    #[must_use]
    pub fn signers(&self) -> BTreeSet<&Address> {
        self.held.iter().filter_map(|held| held.signer.as_ref()).collect()
    }
}

/// Proves the commitments in a message's `commitments`. Errors: `signature-missing` (there are none), or that of the
/// first if none holds.
pub fn commitments(message: Untrusted<Tabm>) -> Result<Verified<Committed>> {
    let (message, source) = message.into_parts();
    let mut results = Vec::new();
    for (id, node) in message.map("commitments").unwrap_or(&Tabm::new()) {
        let id: Id = id.parse()?;
        let one = match node {
            Node::Map(map) => {
                Commitment::from_tabm(map).and_then(|commitment| held_message(&message, id, &commitment))
            }
            Node::Binary(_) => Err(Error::new(Code::MessageMalformed, "A commitment is not a message.")),
        };
        results.push((id, one));
    }
    judge(results, &source)
}

fn held_message(message: &Tabm, id: Id, commitment: &Commitment) -> Result<Held> {
    let proof = coverage::over_message(message, &id.to_string(), commitment)?;
    let mut nested = Nested::default();
    let generation = generation_of(commitment);
    let keys = proof.keys.as_ref().unwrap_or(&commitment.committed);
    let reading = proof.reading.as_ref().unwrap_or(message);
    let message = coverage::covered(reading, keys, commitment.is_bundle(), generation, &mut nested)?;
    Ok(held(id, proof, message, nested))
}

fn held(id: Id, proof: Proof, message: Tabm, nested: Nested) -> Held {
    Held {
        id,
        algorithm: proof.algorithm.to_owned(),
        signer: proof.signer,
        message,
        nested: nested.signers,
        unproved: nested.refused,
    }
}

/// Proves the commitments in the headers of a message that came by HTTP. Errors: `signature-missing`, those of reading
/// the headers, `signature-invalid` (also for a `content-digest` that is not the body's), or that of the first commitment if
/// none holds.
///
/// A commitment is over the headers it lists, as they came, and the digest of the body that came. Where that does not
/// hold it is over the message they make, nested ones linked: a node signs that form and sends the other when it was
/// asked for a bundle. In both, HyperBEAM may have noted the type of `status` after it signed; that note is taken out
/// where `status` is not signed (findings of the live node of September 2025).
pub fn signed_message(message: Untrusted<Encoded>) -> Result<Verified<Committed>> {
    let (encoded, source) = message.into_parts();
    check_digest(&encoded)?;
    let signatures = httpsig::signatures(&encoded)?;
    let variants = [Some(encoded.clone()), without_status_type(&encoded)];
    let mut results = Vec::new();
    for signature in signatures {
        let unsigned_status = !signature.components.iter().any(|name| name == "status");
        let mut failed = None;
        let mut found = None;
        for variant in variants.iter().flatten().take(if unsigned_status { 2 } else { 1 }) {
            for check in [over_headers, over_linked] {
                match check(variant, &signature) {
                    Ok(held) => found = found.or(Some(held)),
                    // That the bytes are others, or cannot be known, says more than that some are missing.
                    Err(error) if error.code() != Code::ComponentMissing => failed = Some(error),
                    Err(error) => failed = failed.or(Some(error)),
                }
                if found.is_some() {
                    break;
                }
            }
        }
        let missing = || Error::new(Code::SignatureInvalid, "The commitment is of other bytes.");
        results.push((signature.commitment.id(), found.ok_or_else(|| failed.unwrap_or_else(missing))));
    }
    judge(results, &source)
}

/// The body is the one whose SHA-256 came with it, if a digest came. Signatures are over the digest computed here all the
/// same.
fn check_digest(encoded: &Encoded) -> Result<()> {
    let (Some(body), Some(field)) = (&encoded.body, encoded.headers.get(DIGEST)) else { return Ok(()) };
    let sent = parse_dictionary(field, Keys::Strict)?.into_iter().find(|(name, _)| name == "sha-256");
    let own = parse_dictionary(httpsig::digest(body).as_bytes(), Keys::Strict)?.into_iter().next();
    if sent == own {
        return Ok(());
    }
    Err(Error::new(Code::SignatureInvalid, "The body is not the one whose digest came with it."))
}

/// Over the headers as they are.
fn over_headers(encoded: &Encoded, signature: &Signature) -> Result<Held> {
    let commitment = &signature.commitment;
    let names: Vec<&str> =
        signature.components.iter().map(|name| name.strip_prefix('@').unwrap_or(name)).collect();
    let mut encoded = encoded.clone();
    if names.contains(&DIGEST) {
        // An empty value is a body too.
        encoded.body.get_or_insert_default();
    }
    let values = encoded.components();
    let mut proof = Err(Error::new(Code::SignatureMissing, ""));
    let mut covered = Vec::new();
    for names in [Some(names.clone()), with_ao_ids(&names, &values)].into_iter().flatten() {
        let base = signature_base(names.iter().copied(), &values, commitment)?;
        proof = hyperbeam::check(commitment, &base);
        covered = names;
        if proof.is_ok() {
            break;
        }
    }
    let proof = proof?;
    encoded.headers.retain(|name, _| covered.contains(&name.as_str()));
    encoded.body = encoded.body.filter(|_| covered.contains(&DIGEST));
    Ok(held(commitment.id(), proof, httpsig::decode(&encoded)?, Nested::default()))
}

/// HyperBEAM signs `ao-ids` with the rest, and leaves it out of the list it sends.
fn with_ao_ids<'a>(names: &[&'a str], values: &BTreeMap<String, Vec<u8>>) -> Option<Vec<&'a str>> {
    const NAME: &str = "ao-ids";
    if names.contains(&NAME) || !values.contains_key(NAME) {
        return None;
    }
    let place = names.iter().position(|name| *name > NAME).unwrap_or(names.len());
    let mut more = names.to_vec();
    more.insert(place, NAME);
    Some(more)
}

/// Over the message that headers and body make, nested ones linked.
fn over_linked(encoded: &Encoded, signature: &Signature) -> Result<Held> {
    let commitment = &signature.commitment;
    // A bundle is signed as it is sent, and the form of a body that is signed is HyperBEAM's own.
    let kind = encoded.text("content-type").filter(|kind| kind.starts_with("multipart/"));
    let is_own =
        kind.is_none_or(|kind| kind.starts_with("multipart/form-data; boundary=\"") && kind.ends_with('"'));
    if commitment.is_bundle() || (!is_own && signature.components.iter().any(|name| name == "content-type")) {
        return Err(Error::new(
            Code::SignatureInvalid,
            "The signature is not of the headers and the body as they came.",
        ));
    }
    let message = httpsig::decode(encoded)?;
    let listed = message.map("commitments").and_then(|all| all.map(&commitment.id().to_string()));
    let keys = match listed {
        Some(listed) => Commitment::from_tabm(listed)?.committed,
        None => return Err(Error::new(Code::ComponentMissing, "The signature covers nothing that is here.")),
    };
    let whole = over_one_reading(&message, &keys, signature);
    if !matches!(&whole, Err(error) if error.code() == Code::SignatureInvalid) {
        return whole;
    }
    let mut others = coverage::with_one_commitment(&message).into_iter();
    others.find_map(|reading| over_one_reading(&reading, &keys, signature).ok()).map_or(whole, Ok)
}

fn over_one_reading(message: &Tabm, keys: &[String], signature: &Signature) -> Result<Held> {
    let commitment = &signature.commitment;
    let generation = generation_of(commitment);
    let form = committed_form(message, keys, commitment.is_bundle(), generation)?;
    let names: Vec<&str> =
        signature.components.iter().map(|name| name.strip_prefix('@').unwrap_or(name)).collect();
    if let Some(extra) = form.components.keys().find(|name| !names.contains(&name.as_str())) {
        let what = format!("The message has `{extra}`, which the signature does not cover.");
        return Err(Error::new(Code::ComponentMissing, what).with("component", extra));
    }
    let base = signature_base(names.iter().copied(), &form.components, commitment)?;
    let proof = hyperbeam::check(commitment, &base).map_err(|error| coverage::explain(message, error))?;
    let mut nested = Nested::default();
    let message = coverage::covered(message, keys, commitment.is_bundle(), generation, &mut nested)?;
    Ok(held(commitment.id(), proof, message, nested))
}

/// The message without the note that `status` is a number, if it has one.
fn without_status_type(encoded: &Encoded) -> Option<Encoded> {
    let types = parse_dictionary(encoded.headers.get("ao-types")?, Keys::HyperBeam).ok()?;
    let count = types.len();
    let kept = types.into_iter().filter(|(key, _)| key != "status").collect::<Vec<_>>();
    if kept.len() == count {
        return None;
    }
    let mut other = encoded.clone();
    if kept.is_empty() {
        other.headers.remove("ao-types");
    } else {
        let text = serialise_dictionary(&kept, Keys::HyperBeam).ok()?;
        other.headers.insert("ao-types".to_owned(), text.into_bytes());
    }
    Some(other)
}

fn judge(results: Vec<(Id, Result<Held>)>, source: &str) -> Result<Verified<Committed>> {
    let mut committed = Committed { held: Vec::new(), refused: Vec::new() };
    let mut checks = Vec::new();
    let mut first = None;
    for (id, result) in results {
        match result {
            Ok(held) => {
                checks.push(check_of(&held, source));
                committed.held.push(held);
            }
            Err(error) => {
                let sentence = error.sentence().to_owned();
                committed.refused.push(Refused { id, code: error.code(), sentence });
                first = first.or(Some(error));
            }
        }
    }
    match (committed.held.is_empty(), first) {
        (false, _) => Ok(Verified::new(committed, checks)),
        (true, Some(error)) => Err(error),
        (true, None) => Err(Error::new(Code::SignatureMissing, "The message has no commitments.")),
    }
}

fn check_of(held: &Held, source: &str) -> Check {
    let keys: Vec<&str> =
        held.message.iter().map(|(key, _)| key.as_str()).filter(|key| *key != "commitments").collect();
    let sentence = match &held.signer {
        Some(_) => "The signer committed to exactly these keys and values.",
        None => "The id is that of exactly these keys and values. Anyone could make it.",
    };
    let check = Check::proved("message-commitment", held.id, sentence)
        .with("algorithm", &held.algorithm)
        .with("keys", keys.join(" "))
        .with("from", source);
    match &held.signer {
        Some(signer) => check.with("signer", signer),
        None => check,
    }
}
