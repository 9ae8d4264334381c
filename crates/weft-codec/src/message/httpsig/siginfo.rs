//! The headers `signature` and `signature-input`.

use std::collections::BTreeMap;

use super::Encoded;
use crate::error::{Code, Error, Result};
use crate::id::Id;
use crate::message::commitments::{committed_form, parameter};
use crate::message::{Commitment, Generation, Node, Tabm, malformed};
use crate::structured_fields::{
    BareItem, Dictionary, InnerList, Item, Keys, Member, Parameters, parse_dictionary, serialise_dictionary,
};

/// The most signatures of one message.
const MAX_SIGNATURES: usize = 256;
/// Parameters in the order of the wire; all others come after them, in byte order.
const FIRST: [&str; 4] = ["tag", "created", "expires", "nonce"];

/// A signature as it stands in the headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name that joins the two headers. It means nothing else.
    pub label: String,
    /// What it covers, in its order, as written.
    pub components: Vec<String>,
    /// The commitment it is; which keys are committed is not known from the headers alone, so it lists none.
    pub commitment: Commitment,
}

/// The headers of a message's commitments.
pub(super) fn write(message: &Tabm, commitments: &Tabm, generation: Generation) -> Result<(String, String)> {
    let mut sorted = BTreeMap::new();
    for (id, node) in commitments {
        let Node::Map(map) = node else { return Err(malformed("A commitment is not a message.")) };
        let place = |error: Error| error.at(format!("commitment {}", crate::message::shown(id)));
        let commitment = Commitment::from_tabm(map).map_err(place)?;
        let form = committed_form(message, &commitment.committed, commitment.is_bundle(), generation)
            .map_err(place)?;
        sorted.insert(label(&commitment, generation), (commitment, form.components.into_keys().collect()));
    }
    write_all(sorted)
}

/// The headers of a part that is itself a commitment: it covers nothing by its own header.
pub(super) fn write_part(part: &Tabm, generation: Generation) -> Result<(String, String)> {
    let mut commitment = Commitment::from_tabm(
        &part
            .iter()
            .filter(|(key, _)| *key != "committed")
            .map(|(key, node)| (key.clone(), node.clone()))
            .collect(),
    )?;
    commitment.device = Commitment::HTTPSIG.to_owned();
    commitment.extra = commitment.extra.into_iter().filter(|(key, _)| key == "bundle").collect();
    write_all(BTreeMap::from([(label(&commitment, generation), (commitment, Vec::new()))]))
}

fn label(commitment: &Commitment, generation: Generation) -> String {
    let hash = Id::sha256(&commitment.signature).to_string().to_lowercase();
    format!("{}{hash}", generation.label_prefix())
}

fn write_all(sorted: BTreeMap<String, (Commitment, Vec<String>)>) -> Result<(String, String)> {
    let (mut signatures, mut inputs) = (Dictionary::new(), Dictionary::new());
    for (label, (commitment, components)) in sorted {
        let items = components.into_iter().map(|name| Item::from(BareItem::String(name))).collect();
        let inner = InnerList { items, parameters: parameters(&commitment)? };
        inputs.push((label.clone(), Member::Inner(inner)));
        signatures.push((label, BareItem::Bytes(commitment.signature).into()));
    }
    Ok((serialise_dictionary(&signatures, Keys::Strict)?, serialise_dictionary(&inputs, Keys::Strict)?))
}

fn parameters(commitment: &Commitment) -> Result<Parameters> {
    let alg = match (commitment.device.as_str(), commitment.kind.as_str()) {
        (Commitment::HTTPSIG, kind) => kind.to_owned(),
        (device, "") => device.to_owned(),
        (device, kind) => format!("{device}/{kind}"),
    };
    let string = |text: &str| BareItem::String(text.to_owned());
    let mut parameters =
        vec![("alg".to_owned(), string(&alg)), ("keyid".to_owned(), string(&commitment.keyid))];
    let extra = &commitment.extra;
    let first = FIRST.into_iter().filter(|name| extra.has(name));
    let others = extra.iter().map(|(key, _)| key.as_str()).filter(|name| !FIRST.contains(name));
    for name in first.chain(others) {
        let value = match extra.get(name) {
            Some(Node::Map(tags)) => string(&numbered_pairs(tags)?),
            _ => parameter(name, extra)?,
        };
        parameters.push((name.to_owned(), value));
    }
    Ok(parameters)
}

/// `original-tags` of a data item: `1:Name:Value, 2:Name:Value`. Names and values with `:` or `, ` do not survive it.
fn numbered_pairs(tags: &Tabm) -> Result<String> {
    let pair = |(number, tag): (&String, &Node)| {
        let map = tag.as_map()?;
        Some(format!("{number}:{}:{}", map.text("name")?, map.text("value")?))
    };
    let pairs: Option<Vec<String>> = tags.iter().map(pair).collect();
    Ok(pairs.ok_or_else(|| malformed("The tags of a commitment are not name and value."))?.join(", "))
}

/// The signatures in a message's headers, by label; none if there are no such headers. Errors: `field-malformed`,
/// `message-malformed` (a signature without its input, or an input that covers something with parameters), `too-large`.
pub fn signatures(message: &Encoded) -> Result<Vec<Signature>> {
    let headers = (message.headers.get("signature"), message.headers.get("signature-input"));
    let (Some(signature), Some(input)) = headers else { return Ok(Vec::new()) };
    let inputs: BTreeMap<String, Member> = parse_dictionary(input, Keys::Strict)?.into_iter().collect();
    let signatures = parse_dictionary(signature, Keys::Strict)?;
    if signatures.len() > MAX_SIGNATURES {
        return Err(Error::new(
            Code::TooLarge,
            format!("More than {MAX_SIGNATURES} signatures of one message."),
        ));
    }
    let mut found = Vec::with_capacity(signatures.len());
    for (label, member) in signatures {
        let Member::Item(Item { value: BareItem::Bytes(bytes), .. }) = member else {
            return Err(malformed("A signature is not a byte sequence."));
        };
        let Some(Member::Inner(input)) = inputs.get(&label) else {
            return Err(malformed(format!(
                "The signature `{}` has no input.",
                crate::message::shown(&label)
            )));
        };
        found.push(one(label, bytes, input)?);
    }
    Ok(found)
}

fn one(label: String, signature: Vec<u8>, input: &InnerList) -> Result<Signature> {
    let mut components = Vec::with_capacity(input.items.len());
    for item in &input.items {
        match item {
            Item { value: BareItem::String(name), parameters } if parameters.is_empty() => {
                if components.contains(name) {
                    return Err(malformed("A signature covers something twice."));
                }
                components.push(name.clone());
            }
            _ => return Err(malformed("A commitment covers plain components only.")),
        }
    }
    let mut extra = Tabm::new();
    let (mut alg, mut keyid) = (None, String::new());
    for (name, value) in &input.parameters {
        let text = match value {
            BareItem::String(text) | BareItem::Token(text) => text.clone(),
            BareItem::Integer(number) => number.to_string(),
            BareItem::Bytes(bytes) => crate::base64url::encode(bytes),
            BareItem::Boolean(truth) => truth.to_string(),
            _ => return Err(malformed("A parameter of a commitment is of no type it can have.")),
        };
        match name.as_str() {
            "alg" => alg = Some(text),
            "keyid" => keyid = text,
            "original-tags" => {
                extra.set(name.clone(), tags_of(&text)?);
            }
            _ => {
                extra.set(name.clone(), text);
            }
        }
    }
    let alg = alg.ok_or_else(|| malformed("A signature does not name its algorithm."))?;
    let (device, kind) = device_and_kind(&alg);
    let mut commitment =
        Commitment { device, kind, committer: None, keyid, signature, committed: Vec::new(), extra };
    commitment.committer = commitment.committer_of_key();
    Ok(Signature { label, components, commitment })
}

/// `device@version/kind`, or the kind alone.
fn device_and_kind(alg: &str) -> (String, String) {
    match (alg.contains('@'), alg.split_once('/')) {
        (false, _) => (Commitment::HTTPSIG.to_owned(), alg.to_owned()),
        (true, Some((device, kind))) => (device.to_owned(), kind.to_owned()),
        (true, None) => (alg.to_owned(), String::new()),
    }
}

fn tags_of(text: &str) -> Result<Tabm> {
    let pair = |entry: &str| {
        let (number, rest) = entry.split_once(':')?;
        let (name, value) = rest.split_once(':')?;
        Some((number.to_owned(), Node::Map(Tabm::new().with("name", name).with("value", value))))
    };
    let tags: Option<Tabm> = text.split(", ").filter(|entry| !entry.is_empty()).map(pair).collect();
    tags.ok_or_else(|| malformed("The tags of a commitment are not `number:name:value`."))
}
