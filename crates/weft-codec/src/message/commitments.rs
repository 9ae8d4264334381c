//! What exactly a commitment is over: the form of the message, and the bytes that are signed (reference ao-core.md §4.2).

use std::collections::BTreeMap;

use super::httpsig::{self, Encoded};
use super::{Commitment, Generation, LINK, Tabm, id, malformed, without_link};
use crate::error::{Code, Error, Result};
use crate::structured_fields::{BareItem, Parameters, serialise_bare};

/// Names that are written with an `@` in the last line of the base, and nowhere else.
const DERIVED: [&str; 8] =
    ["authority", "method", "path", "query", "query-param", "request-target", "scheme", "target-uri"];
/// Parameters that are signed, in the order of the base.
const SIGNED_PARAMETERS: [&str; 6] = ["bundle", "created", "expires", "keyid", "nonce", "tag"];

/// The part of a message that a commitment is over, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedForm {
    /// Components and their values: the headers, with `content-digest` in the body's place.
    pub components: BTreeMap<String, Vec<u8>>,
    /// The keys of the message that are covered, as a commitment lists them.
    pub committed: Vec<String>,
}

impl CommittedForm {
    /// The components in the order of a commitment's list, or none where the list does not tell. Above 32 keys
    /// HyperBEAM's order is that of Erlang's maps, and only such a list has it.
    #[must_use]
    pub fn order_of(&self, committed: &[String]) -> Option<Vec<String>> {
        let mut order: Vec<String> = Vec::with_capacity(self.components.len());
        for key in committed {
            let linked = format!("{key}{LINK}");
            let name = [key.as_str(), linked.as_str(), "content-digest"]
                .into_iter()
                .find(|name| self.components.contains_key(*name))?;
            if order.last().is_none_or(|last| last != name) {
                order.push(name.to_owned());
            }
        }
        let distinct: std::collections::BTreeSet<&String> = order.iter().collect();
        (distinct.len() == order.len() && order.len() == self.components.len()).then_some(order)
    }
}

/// The form of a message that a commitment over these keys signs. Nested messages are linked, or inline in a bundle.
///
/// Errors: `component-missing` (a bundle of a message whose nested ones are only links), `message-malformed`,
/// `too-large`.
pub fn committed_form(
    message: &Tabm,
    keys: &[String],
    bundle: bool,
    generation: Generation,
) -> Result<CommittedForm> {
    let mut only = Tabm::new();
    for key in keys {
        if key == "ao-ids" && !message.has(key) {
            // Keys that are like ids travel together under this name.
            only = only.into_iter().chain(message.id_like()).collect();
        }
        let key = generation.key(key);
        if let Some(present) = message.key_or_link(&key)
            && let Some(node) = message.get(&present)
        {
            only.set(present, node.clone());
        }
    }
    only.remove(super::COMMITMENTS);
    if bundle {
        if let Some((key, _)) = only.iter().find(|(key, _)| key.ends_with(LINK)) {
            let what = format!("The bundle needs what `{}` links to.", super::shown(without_link(key)));
            return Err(Error::new(Code::ComponentMissing, what));
        }
    } else {
        only = only.linked(generation)?;
    }
    let encoded = httpsig::encode_content(&only, generation)?;
    let committed = listed(keys, &encoded);
    Ok(CommittedForm { components: encoded.components(), committed })
}

/// The keys as a commitment lists them: in the order of the components, the keys that went into the body where the
/// digest stands, and nothing of what only the encoding added.
fn listed(keys: &[String], encoded: &Encoded) -> Vec<String> {
    let components = encoded.components();
    let has = |key: &str| components.contains_key(key) || components.contains_key(&format!("{key}{LINK}"));
    let in_body: Vec<&String> = keys.iter().filter(|key| !has(key)).collect();
    let inline = encoded.text("ao-body-key").unwrap_or("body");
    let multipart = encoded.text("content-type").is_some_and(|kind| kind.starts_with("multipart/"));
    let mut list = Vec::new();
    for component in components.keys() {
        match component.as_str() {
            "content-digest" => list.extend(in_body.iter().map(|key| (*key).clone())),
            "ao-body-key" => {}
            "content-type" if multipart => {}
            "body" => list.push(inline.to_owned()),
            other => list.push(without_link(other).to_owned()),
        }
    }
    list
}

/// The bytes that are signed: a line for each component in the given order, and the line of the parameters.
///
/// These are HyperBEAM's rules, which are not quite RFC 9421's: values are as they are, names of derived components have
/// their `@` in the last line only, and the parameters are sorted. Errors: `component-missing`, `field-malformed`.
pub fn signature_base<'a>(
    components: impl IntoIterator<Item = &'a str>,
    values: &BTreeMap<String, Vec<u8>>,
    commitment: &Commitment,
) -> Result<Vec<u8>> {
    let mut base = Vec::new();
    let mut line = b"(".to_vec();
    for (index, component) in components.into_iter().enumerate() {
        let name = component.strip_prefix('@').unwrap_or(component);
        let value = values.get(name).ok_or_else(|| {
            let what = format!("The signature covers `{}`, which is not here.", super::shown(name));
            Error::new(Code::ComponentMissing, what).with("component", name)
        })?;
        if index > 0 {
            base.push(b'\n');
            line.push(b' ');
        }
        base.extend([b"\"", name.as_bytes(), b"\": ", value].concat());
        line.extend(
            quoted(&if DERIVED.contains(&name) { format!("@{name}") } else { name.to_owned() }).into_bytes(),
        );
    }
    line.push(b')');
    for (name, value) in parameters(commitment)? {
        line.extend(format!(";{name}=").into_bytes());
        line.extend(match value {
            BareItem::String(text) => quoted(&text).into_bytes(),
            other => serialise_bare(&other)?.into_bytes(),
        });
    }
    base.extend(b"\n\"@signature-params\": ");
    base.extend(line);
    Ok(base)
}

/// A string between quotes. Unlike the RFC's it may hold any character: keys of messages do.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn parameters(commitment: &Commitment) -> Result<Parameters> {
    let mut parameters = vec![("alg".to_owned(), BareItem::String(commitment.kind.clone()))];
    for name in SIGNED_PARAMETERS {
        let value = match name {
            "keyid" => BareItem::String(commitment.keyid.clone()),
            _ => match commitment.extra.get(name) {
                Some(_) => parameter(name, &commitment.extra)?,
                None => continue,
            },
        };
        parameters.push((name.to_owned(), value));
    }
    Ok(parameters)
}

/// A parameter of a commitment's extra fields.
pub(super) fn parameter(name: &str, extra: &Tabm) -> Result<BareItem> {
    let refuse =
        || malformed(format!("The parameter `{}` of a commitment cannot be written.", super::shown(name)));
    let text = extra.text(name).ok_or_else(refuse)?;
    match name {
        "created" | "expires" => text.parse().map(BareItem::Integer).map_err(|_| refuse()),
        _ => Ok(BareItem::String(text.to_owned())),
    }
}

/// The commitment that anyone can make: the HMAC with the key that everybody knows, over the given keys or over all.
/// Its id is the unsigned id. Errors: those of [`committed_form`].
pub fn unsigned_commitment(
    message: &Tabm,
    keys: Option<&[String]>,
    bundle: bool,
    generation: Generation,
) -> Result<Commitment> {
    let key = generation.hmac_key();
    let (mut commitment, base) = to_sign(message, keys, Commitment::HMAC, key, bundle, generation)?;
    commitment.signature = id::hmac_sha256(key.as_bytes(), &base).to_vec();
    Ok(commitment)
}

/// A commitment without its signature, and the bytes to sign for it. Errors: those of [`committed_form`].
pub fn to_sign(
    message: &Tabm,
    keys: Option<&[String]>,
    kind: &str,
    keyid: &str,
    bundle: bool,
    generation: Generation,
) -> Result<(Commitment, Vec<u8>)> {
    let all: Vec<String> = message.content().iter().map(|(key, _)| without_link(key).to_owned()).collect();
    let form = committed_form(message, keys.unwrap_or(&all), bundle, generation)?;
    let mut commitment = Commitment {
        device: Commitment::HTTPSIG.to_owned(),
        kind: kind.to_owned(),
        committer: None,
        keyid: keyid.to_owned(),
        signature: Vec::new(),
        committed: form.committed,
        extra: Tabm::new(),
    };
    if bundle {
        commitment.extra.set("bundle", "true");
    }
    if kind != Commitment::HMAC {
        commitment.committer = commitment.committer_of_key();
    }
    let base = signature_base(form.components.keys().map(String::as_str), &form.components, &commitment)?;
    Ok((commitment, base))
}
