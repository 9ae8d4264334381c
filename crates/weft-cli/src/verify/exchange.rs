//! Recorded HTTP exchanges with a HyperBEAM node: what of the request and of the answer was signed, and by whom.
//!
//! The form is that of the recordings in `tests/fixtures/hyperbeam-live`: `request` and `response` with `headers` (a map,
//! or pairs of name and value) and `body` (`text` or `base64`; `cut` where it is not whole); `status` in the response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use weft_codec::message::httpsig::Encoded;
use weft_codec::{Code, Error, Result};
use weft_verify::Untrusted;
use weft_verify::http::{self, Committed};

use super::schedule::Schedules;
use super::{Line, Report};

/// Whether a JSON value is such a recording.
pub(super) fn is_one(value: &Value) -> bool {
    value["request"]["headers"] != Value::Null && value["response"]["headers"] != Value::Null
}

/// Verifies both halves, as far as they carry signatures.
pub(super) fn verify(path: &str, value: &Value, schedules: &mut Schedules, report: &mut Report<'_>) {
    let mut signed = false;
    for (half, kind) in [("request", "request"), ("response", "answer")] {
        let message = &value[half];
        let path = format!("{path}#{half}");
        let headers = match headers(&message["headers"]) {
            Ok(headers) => headers,
            Err(error) => return report.push(&Line::refused(&path, kind, error)),
        };
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("signature")) {
            continue;
        }
        signed = true;
        if message["body"]["cut"] != Value::Null {
            let why = "Its body was not recorded whole, so its signatures cannot be checked.";
            report.push(&Line::skipped(&path, kind, why));
            continue;
        }
        report.push(&match said(message, headers, kind, &path) {
            Ok((id, said)) => Line::valid(&path, kind, Some(id), said),
            Err(error) => Line::refused(&path, kind, error),
        });
    }
    if let Some(answer) = received(&value["response"]) {
        schedules.add(path, &answer, report);
    }
    if !signed {
        report.push(&Line::skipped(path, "answer", "Nothing in this exchange is signed."));
    }
}

/// The answer as an AO-Core message, whatever of it is signed; nothing where it was not recorded whole, or is none.
fn received(answer: &Value) -> Option<Encoded> {
    let whole = answer["body"]["cut"] == Value::Null;
    let (headers, body) = (headers(&answer["headers"]).ok()?, body(&answer["body"]).ok()?);
    Encoded::received(headers, body).ok().filter(|_| whole)
}

/// The id of the first signer's commitment, and what is known.
fn said(
    message: &Value,
    headers: Vec<(String, String)>,
    kind: &str,
    source: &str,
) -> Result<(weft_codec::Id, String)> {
    let body = body(&message["body"])?;
    let committed = if kind == "answer" {
        let status = message["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let status = status.ok_or_else(|| unreadable("An answer has no status."))?;
        http::answer(status, headers, body, source)?.into_parts().0.commitments
    } else {
        let encoded = Encoded::received(headers, body)?;
        http::signed_message(Untrusted::new(encoded, source))?.into_parts().0
    };
    let held = committed.held.iter().find(|held| held.signer.is_some()).or(committed.held.first());
    let held = held.ok_or_else(|| unreadable("There are no commitments."))?;
    Ok((held.id, sentence(&committed)))
}

fn sentence(committed: &Committed) -> String {
    let signers: Vec<&str> = committed.signers().into_iter().map(|signer| signer.as_str()).collect();
    let by = if signers.is_empty() { "nobody; only its id is known".to_owned() } else { signers.join(", ") };
    let mut said = format!("signed by {by}");
    let nested: usize = committed.held.iter().map(|held| held.nested.len()).max().unwrap_or_default();
    if nested > 0 {
        said += &format!("; {nested} nested with signers of their own");
    }
    let unproved: usize = committed.held.iter().map(|held| held.unproved.len()).max().unwrap_or_default();
    if unproved > 0 {
        said += &format!("; {unproved} nested of which only the id is known");
    }
    if !committed.refused.is_empty() {
        said += &format!("; {} that do not hold", committed.refused.len());
    }
    said
}

fn unreadable(what: &str) -> Error {
    Error::new(Code::JsonInvalid, what)
}

fn headers(value: &Value) -> Result<Vec<(String, String)>> {
    let refuse = || unreadable("The headers of an exchange are a map, or pairs of name and value.");
    let pair = |name: Option<&str>, value: Option<&str>| Some((name?.to_owned(), value?.to_owned()));
    let pairs: Option<Vec<_>> = match value {
        Value::Array(list) => list.iter().map(|one| pair(one[0].as_str(), one[1].as_str())).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| pair(Some(name), value.as_str())).collect(),
        _ => None,
    };
    pairs.ok_or_else(refuse)
}

fn body(value: &Value) -> Result<Vec<u8>> {
    match (&value["text"], &value["base64"]) {
        (Value::String(text), _) => Ok(text.as_bytes().to_vec()),
        (_, Value::String(text)) => {
            STANDARD.decode(text).map_err(|cause| unreadable("A body is not base64.").because(cause))
        }
        // A page for people, of which the recording has the hash; it is no part of the message.
        _ => Ok(Vec::new()),
    }
}
