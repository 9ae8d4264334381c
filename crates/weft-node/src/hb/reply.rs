//! A result as an answer (reference scheduler-and-cu-api.md §5.2; HyperBEAM `hb_http.erl` `reply/4`, `encode_reply/4`).
//!
//! Nested messages are linked, unless `accept-bundle` asks for them; what is linked is held, so that `/ID` finds it. A refusal and
//! an error are messages too: `status`, `error` with the stable code, and a sentence as the body.
//!
//! What a process says is shown on the origin of the node, which may be that of an app: so an answer is sandboxed, and keys that
//! are headers of HTTP's own, or of a browser's security, are left out and named in `ao-left-out`.

use std::collections::BTreeSet;

use weft_codec::message::{Ids, Message, Node, Tabm, Value, httpsig, id, json, structured};
use weft_codec::{Code, Error, Id, Result};
use weft_core::aocore::{Answer, Status};

use super::request::{Codec, Wants};
use super::{GENERATION, page};
use crate::net::{Refusal, Reply};
use crate::seams::{MAX_HEADER_BYTES, MAX_HEADERS};

/// Header names that no key of a message becomes.
const RESERVED: [&str; 22] = [
    "alt-svc",
    "clear-site-data",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-security-policy-report-only",
    "date",
    "keep-alive",
    "link",
    "location",
    "nel",
    "proxy-authenticate",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "server",
    "service-worker-allowed",
    "set-cookie",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Beginnings of such names.
const RESERVED_FAMILIES: [&str; 4] = ["access-control-", "cross-origin-", "sec-", "x-content-type-options"];
/// Statuses that HTTP gives no body.
const BODILESS: [u16; 3] = [204, 205, 304];

/// An answer that is ready to be signed and written.
pub(super) struct Prepared {
    /// What it says, in the form that is signed.
    pub(super) tabm: Tabm,
    pub(super) codec: Codec,
    /// Nested messages are inline.
    pub(super) bundle: bool,
    /// The code of why there is no signature.
    pub(super) not_signed: Option<&'static str>,
    status: u16,
    /// Keys that the answer cannot have.
    left_out: BTreeSet<String>,
}

/// An answer, and the messages it links to.
pub(super) fn prepare(answer: Answer, wants: &Wants) -> Result<(Prepared, Vec<(Id, Value)>)> {
    let is_literal = !matches!(answer.value, Value::Message(_));
    let mut message = match answer.value {
        Value::Message(message) => message,
        literal => Message::new().with("body", literal),
    };
    let not_found = is_literal && message.get("body") == Some(&Value::Atom("not_found".to_owned()))
        || message.get("body") == Some(&Value::Atom("not_found".to_owned()))
            && answer.status == Status::Error;
    let status = status_of(&message, answer.status, not_found);
    message.set("status", i64::from(status));
    let codec = match wants.codec {
        Codec::JsonUnlessTyped if message.get("content-type").is_some() => Codec::Httpsig,
        Codec::JsonUnlessTyped => Codec::Json,
        codec => codec,
    };
    let tabm = structured::to_tabm(&without_private(message), GENERATION)?;
    let codec = match codec {
        Codec::Page if status < 400 && tabm.has("content-type") => Codec::Httpsig,
        codec => codec,
    };
    let (tabm, linked) = if wants.bundle { (tabm, Vec::new()) } else { linked(&tabm)? };
    let (tabm, left_out) = if codec == Codec::Httpsig { named(tabm)? } else { (tabm, BTreeSet::new()) };
    Ok((Prepared { tabm, codec, bundle: wants.bundle, not_signed: None, status, left_out }, linked))
}

/// What goes over the wire.
pub(super) fn write(prepared: &Prepared) -> Result<Reply> {
    let (tabm, status) = (&prepared.tabm, prepared.status);
    let reply = match prepared.codec {
        Codec::Json | Codec::JsonUnlessTyped => as_json(tabm, status)?,
        Codec::Page => as_page(tabm, status)?,
        Codec::Httpsig => as_headers(tabm, status, &prepared.left_out)?,
    };
    let reply = match prepared.not_signed {
        Some(code) => reply.with_header("ao-not-signed", code.to_owned()),
        None => reply,
    };
    Ok(guarded(reply))
}

/// An error of the house.
pub(super) fn failed(error: &Error) -> Answer {
    let status = match error.code() {
        Code::PathMalformed | Code::MessageMalformed | Code::FieldMalformed | Code::JsonInvalid => 400,
        Code::ComponentMissing | Code::SignatureMissing | Code::SignatureExpired | Code::RequestInvalid => {
            400
        }
        Code::DeviceUnknown => 404,
        Code::NotAcceptable => 406,
        Code::DeviceUnavailable => 501,
        Code::ResolveLimit => 508,
        code => crate::net::status_of(code),
    };
    refused(status, error.code().as_str(), &error.to_string())
}

/// A refusal of the network.
pub(super) fn of_refusal(refusal: &Refusal) -> Answer {
    let by_status = match refusal.status {
        404 | 504 => Code::NotFound,
        503 => Code::ResolveLimit,
        400..=499 => Code::RequestInvalid,
        501 => Code::DeviceUnavailable,
        _ => Code::StoreFailed,
    };
    let code = refusal.code.unwrap_or(by_status);
    refused(refusal.status, code.as_str(), &refusal.sentence)
}

/// A status, a stable code and a sentence.
pub(super) fn refused(status: u16, code: &str, sentence: &str) -> Answer {
    Answer::error(Message::new().with("status", i64::from(status)).with("error", code).with("body", sentence))
}

fn status_of(message: &Message, status: Status, not_found: bool) -> u16 {
    let own = match message.get("status") {
        Some(Value::Integer(number)) => u16::try_from(*number).ok(),
        Some(value) => value.as_text().and_then(|text| text.parse().ok()),
        None => None,
    };
    // What is no status of a final answer is none.
    let own = own.filter(|status| (200..600).contains(status) && !BODILESS.contains(status));
    own.unwrap_or(match status {
        Status::Error if not_found => 404,
        Status::Error => 400,
        Status::Failure => 500,
        Status::Ok | Status::Skip | Status::Pass => 200,
    })
}

/// The recursion is bounded by the depth of messages.
fn without_private(message: Message) -> Message {
    let public = message.into_iter().filter(|(key, _)| !key.starts_with("priv"));
    public.map(|(key, value)| (key, value_without_private(value))).collect()
}

fn value_without_private(value: Value) -> Value {
    match value {
        Value::Message(message) => Value::Message(without_private(message)),
        Value::List(values) => Value::List(values.into_iter().map(value_without_private).collect()),
        other => other,
    }
}

/// The message with links in the place of nested ones, and what they are.
fn linked(tabm: &Tabm) -> Result<(Tabm, Vec<(Id, Value)>)> {
    let mut nested = Vec::new();
    for (key, node) in tabm {
        if let (Node::Map(map), true) = (node, key != "commitments") {
            nested.push((id::id(map, Ids::Signed, GENERATION)?, structured::value_of(map)?));
        }
    }
    Ok((tabm.linked(GENERATION)?, nested))
}

/// The keys that names of headers can be, and those that are left out.
fn named(tabm: Tabm) -> Result<(Tabm, BTreeSet<String>)> {
    let mut named = Tabm::new();
    let mut left_out = BTreeSet::new();
    for (key, node) in tabm {
        match node {
            Node::Binary(_) if is_reserved(&key) => drop(left_out.insert(key)),
            Node::Binary(_) if key.len() != 43 && !is_token(&key) => {
                let shown: String = key.chars().take(60).collect();
                let what = format!(
                    "The key `{shown}` is no name of a header: ask with `require-codec: application/json`."
                );
                return Err(Error::new(Code::NotAcceptable, what));
            }
            node => drop(named.set(key, node)),
        }
    }
    Ok((named, left_out))
}

/// Keys as headers, the rest as the body.
fn as_headers(tabm: &Tabm, status: u16, left_out: &BTreeSet<String>) -> Result<Reply> {
    let mut content = tabm.clone();
    let commitments = content.remove("commitments");
    let mut encoded = httpsig::encode_to_send(&content, GENERATION)?;
    if commitments.is_some()
        // Signatures go along where they can be written; they are over the message itself.
        && let Ok(signed) = httpsig::encode(tabm, GENERATION)
    {
        let signatures = signed.headers.into_iter().filter(|(name, _)| name.starts_with("signature"));
        encoded.headers.extend(signatures);
    }
    let content_type = encoded.text("content-type").unwrap_or_default().to_owned();
    let mut reply = Reply::new(status, &content_type, encoded.body.unwrap_or_default());
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.iter().map(String::as_str).collect();
        reply = reply.with_header("ao-left-out", names.join(", "));
    }
    with_headers(reply, encoded.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())))
}

/// The whole message as the body, and what fits as headers too.
fn as_json(tabm: &Tabm, status: u16) -> Result<Reply> {
    let text = json::encode(&structured::from_tabm(tabm)?, GENERATION).map_err(|cause| {
        Error::new(Code::NotAcceptable, "The message has no JSON: ask without.").because(cause)
    })?;
    let reply = Reply::new(status, "application/json", text.into_bytes())
        .with_header("codec-device", "json@1.0".to_owned());
    let (mut headers, mut bytes) = (Vec::new(), 0_usize);
    for (key, node) in tabm {
        let skipped =
            ["body", "content-type", "ao-types", "codec-device", "content-digest"].contains(&key.as_str());
        if let (Node::Binary(value), false, true, false) = (node, skipped, is_token(key), is_reserved(key))
            && travels(value)
        {
            bytes += key.len() + value.len();
            // They are in the body as well: what is too much for the head is left to it.
            if headers.len() < MAX_HEADERS / 2 && bytes < MAX_HEADER_BYTES / 16 {
                headers.push((key.as_str(), value.as_slice()));
            }
        }
    }
    with_headers(reply, headers.into_iter())
}

/// A page for a person, with the status.
fn as_page(tabm: &Tabm, status: u16) -> Result<Reply> {
    let html = page::of_message(&structured::from_tabm(tabm)?, status);
    Ok(Reply::new(status, "text/html; charset=utf-8", html.into_bytes()))
}

fn with_headers<'a>(mut reply: Reply, headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Reply> {
    let (mut count, mut bytes) = (0_usize, 0_usize);
    for (name, value) in headers {
        let text = std::str::from_utf8(value).ok().filter(|_| travels(value));
        let text = text
            .ok_or_else(|| Error::new(Code::NotAcceptable, format!("The header `{name}` cannot be sent.")))?;
        (count, bytes) = (count + 1, bytes + name.len() + text.len());
        if count > MAX_HEADERS - 16 || bytes > MAX_HEADER_BYTES {
            let what = "The message has more keys than an answer has headers: ask with `require-codec: application/json`.";
            return Err(Error::new(Code::NotAcceptable, what));
        }
        if name != "content-type" {
            reply = reply.with_header(name, text.to_owned());
        }
    }
    Ok(reply)
}

fn travels(value: &[u8]) -> bool {
    value.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn is_reserved(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    RESERVED.contains(&key.as_str()) || RESERVED_FAMILIES.iter().any(|family| key.starts_with(family))
}

/// A name of a header (RFC 9110 §5.6.2).
fn is_token(key: &str) -> bool {
    !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Nothing that a process says runs as the origin it is shown on.
fn guarded(reply: Reply) -> Reply {
    reply
        .with_header("content-security-policy", "sandbox allow-scripts".to_owned())
        .with_header("x-content-type-options", "nosniff".to_owned())
}
