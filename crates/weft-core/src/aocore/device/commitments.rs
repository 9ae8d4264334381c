//! What `message@1.0` does with commitments (reference ao-core.md §4, §5; HyperBEAM `dev_message.erl`
//! `commitment_ids_from_request/3`, `dev_codec_httpsig.erl` `commit/3`).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use weft_codec::message::{
    Commitment, Generation, Ids, Message, Node, Tabm, Value, id as ids, structured, to_sign,
    unsigned_commitment,
};
use weft_codec::{Code, Error, Result};
use weft_verify::Untrusted;

use super::super::{Answer, Run, list_of};

/// Which commitments a request means.
#[derive(Default)]
struct Asked {
    committers: Which,
    commitments: Which,
}

#[derive(Default)]
enum Which {
    #[default]
    None,
    All,
    These(Vec<String>),
}

fn asked(request: &Message) -> Result<Asked> {
    let which = |key: &str| -> Result<Which> {
        let refuse = || Error::new(Code::DeviceFailed, format!("`{key}` names no commitments."));
        let Some(value) = request.get(key) else { return Ok(Which::None) };
        let word = match value {
            Value::Atom(word) => Some(word.as_str()),
            value => value.as_text(),
        };
        match word.map(str::to_lowercase).as_deref() {
            Some("none") => Ok(Which::None),
            Some("all") => Ok(Which::All),
            Some(_) => Ok(Which::These(vec![word.unwrap_or_default().to_owned()])),
            None => {
                let texts = list_of(value).ok_or_else(refuse)?.into_iter().map(Value::as_text);
                let texts: Option<Vec<String>> = texts.map(|text| text.map(str::to_owned)).collect();
                texts.map(Which::These).ok_or_else(refuse)
            }
        }
    };
    Ok(Asked { committers: which("committers")?, commitments: which("commitments")? })
}

impl Asked {
    /// The ids of those meant: of the committers and of the ids that were named, or, if that is nobody, of the commitments
    /// over HTTP messages that nobody signed. Error: `device-failed` for one who is not there.
    fn ids(&self, commitments: &Tabm) -> Result<Vec<String>> {
        let absent = |what: &str| {
            let shown: String = what.chars().take(60).collect();
            Error::new(Code::DeviceFailed, format!("The message has no commitment of `{shown}`."))
        };
        let by = |committer: &str| -> Vec<String> {
            let of = |node: &Node| node.as_map().and_then(|map| map.text("committer")) == Some(committer);
            commitments.iter().filter(|(_, node)| of(node)).map(|(id, _)| id.clone()).collect()
        };
        let mut ids = BTreeSet::new();
        match &self.committers {
            Which::None => {}
            Which::All => {
                let signed = |node: &Node| node.as_map().is_some_and(|map| map.has("committer"));
                ids.extend(commitments.iter().filter(|(_, node)| signed(node)).map(|(id, _)| id.clone()));
            }
            Which::These(names) => {
                for name in names {
                    let found = by(name);
                    if found.is_empty() {
                        return Err(absent(name));
                    }
                    ids.extend(found);
                }
            }
        }
        match &self.commitments {
            Which::None => {}
            Which::All => ids.extend(commitments.iter().map(|(id, _)| id.clone())),
            Which::These(names) => {
                for name in names {
                    if !commitments.has(name) {
                        return Err(absent(name));
                    }
                    ids.insert(name.clone());
                }
            }
        }
        if ids.is_empty() {
            let plain = |node: &Node| {
                node.as_map().is_some_and(|map| {
                    !map.has("committer") && map.text("commitment-device") == Some(Commitment::HTTPSIG)
                })
            };
            ids.extend(commitments.iter().filter(|(_, node)| plain(node)).map(|(id, _)| id.clone()));
        }
        Ok(ids.into_iter().collect())
    }
}

fn commitments_of(tabm: &Tabm) -> Tabm {
    tabm.map("commitments").cloned().unwrap_or_default()
}

/// The message a request is about: the base, or what is under the key of the request that `target` names.
fn target(base: &Message, request: &Message, run: &Run<'_>) -> Result<Message> {
    let value = match request.get("target").and_then(Value::as_text) {
        None | Some("self") => return Ok(base.clone()),
        Some(key) => request.get(key).or_else(|| request.get("body")).cloned(),
    };
    match value.map(|value| run.unlinked(value)).transpose()? {
        Some(Value::Message(message)) => Ok(message),
        _ => Err(Error::new(Code::DeviceFailed, "`target` names no message.")),
    }
}

pub(super) fn id(base: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    let generation = run.generation();
    let mut tabm = structured::to_tabm(base, generation)?;
    let commitments = commitments_of(&tabm);
    let wanted = asked(request)?.ids(&commitments)?;
    let kept: Tabm = commitments.into_iter().filter(|(id, _)| wanted.contains(id)).collect();
    tabm.remove("commitments");
    if !kept.is_empty() {
        tabm.set("commitments", kept);
    }
    Ok(Answer::ok(ids::id(&tabm, Ids::All, generation)?.to_string()))
}

pub(super) fn committers(base: &Message) -> Answer {
    let commitments = base.get("commitments").and_then(Value::as_message);
    let of = |(_, value): (&String, &Value)| value.as_message().and_then(|map| map.get("committer")).cloned();
    let committers = commitments.map(|all| all.iter().filter_map(of).collect());
    Answer::ok(Value::List(committers.unwrap_or_default()))
}

/// The keys that all of these commitments are over, in the order of the first one that has them.
fn common_keys(commitments: &Tabm, wanted: &[String]) -> Result<Vec<String>> {
    let mut lists = Vec::new();
    for id in wanted {
        let map = commitments.map(id).ok_or_else(|| malformed("A commitment is not a message."))?;
        lists.push(Commitment::from_tabm(map)?.committed);
    }
    let mut keys: Vec<String> = Vec::new();
    for key in lists.iter().flatten() {
        if !keys.contains(key) && lists.iter().all(|list| list.contains(key)) {
            keys.push(key.clone());
        }
    }
    Ok(keys)
}

pub(super) fn committed(base: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    let tabm = structured::to_tabm(&target(base, request, run)?, run.generation())?;
    let commitments = commitments_of(&tabm);
    let raw = matches!(request.get("raw"), Some(Value::Atom(word)) if word == "true");
    let keys = common_keys(&commitments, &asked(request)?.ids(&commitments)?)?;
    let plain = |key: String| if raw { key } else { key.strip_suffix("+link").unwrap_or(&key).to_owned() };
    Ok(Answer::ok(Value::List(keys.into_iter().map(|key| plain(key).into()).collect())))
}

/// The keys that all signers committed to.
pub(super) fn committed_by_all(base: &Message, run: &Run<'_>) -> Result<Vec<String>> {
    let Some(value) = base.get("commitments") else { return Ok(Vec::new()) };
    let only = Message::new().with("commitments", value.clone());
    let commitments = commitments_of(&structured::to_tabm(&only, run.generation())?);
    let asked = Asked { committers: Which::All, ..Asked::default() };
    common_keys(&commitments, &asked.ids(&commitments)?)
}

/// Whether the commitments that are asked for hold. One of them that cannot be checked does not.
pub(super) fn verify(base: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    let tabm = structured::to_tabm(&target(base, request, run)?, run.generation())?;
    let wanted = asked(request)?.ids(&commitments_of(&tabm))?;
    if wanted.is_empty() {
        return Ok(Answer::ok(true));
    }
    let held = match weft_verify::http::commitments(Untrusted::new(tabm, "message@1.0")) {
        Ok(proved) => proved.value().held.iter().map(|held| held.id.to_string()).collect(),
        Err(_) => Vec::new(),
    };
    Ok(Answer::ok(wanted.iter().all(|id| held.contains(id))))
}

pub(super) fn commit(base: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    let device = request.get("commitment-device").and_then(Value::as_text).unwrap_or(Commitment::HTTPSIG);
    if device != Commitment::HTTPSIG {
        let shown: String = device.chars().take(60).collect();
        let what = format!("Commitments of `{shown}` are not made here; those of httpsig@1.0 are.");
        return Err(Error::new(Code::SignatureUnsupported, what));
    }
    let generation = run.generation();
    let mut tabm = structured::to_tabm(&target(base, request, run)?, generation)?;
    let mut commitments = commitments_of(&tabm);
    let bundle = matches!(request.get("bundle"), Some(Value::Atom(word)) if word == "true");
    let keys = keys_to_commit(request, &commitments)?;
    tabm.remove("commitments");
    let form = if bundle { tabm.clone() } else { tabm.linked(generation)? };
    if request.get("type").and_then(Value::as_text) != Some("unsigned") {
        let commitment = signed(&form, keys.as_deref(), bundle, run, generation)?;
        commitments.set(commitment.id().to_string(), commitment.to_tabm());
    }
    // There is one that nobody signed, over what is committed now.
    let outdated = |node: &Node| node.as_map().is_some_and(|map| map.text("type") == Some(Commitment::HMAC));
    commitments = commitments.into_iter().filter(|(_, node)| !outdated(node)).collect();
    let commitment = unsigned_commitment(&form, keys.as_deref(), bundle, generation)?;
    commitments.set(commitment.id().to_string(), commitment.to_tabm());
    tabm.set("commitments", commitments);
    Ok(Answer::ok(structured::from_tabm(&tabm)?))
}

/// The keys that the request names; or those all signers have committed to; or all, which is none here.
fn keys_to_commit(request: &Message, commitments: &Tabm) -> Result<Option<Vec<String>>> {
    if let Some(value) = request.get("committed") {
        let texts = list_of(value).map(|values| values.into_iter().map(Value::as_text).collect());
        let texts: Option<Vec<&str>> = texts.flatten();
        let texts = texts.ok_or_else(|| Error::new(Code::DeviceFailed, "`committed` is no list of keys."))?;
        return Ok(Some(texts.into_iter().map(str::to_owned).collect()));
    }
    let is_signed = |node: &Node| node.as_map().is_some_and(|map| map.has("committer"));
    if !commitments.iter().any(|(_, node)| is_signed(node)) {
        return Ok(None);
    }
    let asked = Asked { committers: Which::All, ..Asked::default() };
    common_keys(commitments, &asked.ids(commitments)?).map(Some)
}

fn signed(
    form: &Tabm,
    keys: Option<&[String]>,
    bundle: bool,
    run: &Run<'_>,
    generation: Generation,
) -> Result<Commitment> {
    let signer =
        run.signer().ok_or_else(|| Error::new(Code::DeviceFailed, "There is no key here to commit with."))?;
    let keyid = format!("{}{}", generation.public_key_prefix(), STANDARD.encode(signer.public_key()));
    let (mut commitment, base) = to_sign(form, keys, Commitment::RSA, &keyid, bundle, generation)?;
    commitment.signature = signer.sign(&base)?;
    Ok(commitment)
}

fn malformed(sentence: &str) -> Error {
    Error::new(Code::MessageMalformed, sentence)
}
