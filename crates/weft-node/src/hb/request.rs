//! A request as a message (reference scheduler-and-cu-api.md §5.1; HyperBEAM `hb_http.erl` `req_to_tabm_singleton/3`).
//!
//! | the body is | by |
//! |---|---|
//! | a data item, whose signature must hold | `codec-device: ans104@1.0`, or the content type `application/ans104` |
//! | a message in JSON | `codec-device: json@1.0`, or the content type `application/json` |
//! | a body, or the parts of a message; headers are keys | everything else |
//!
//! Of a message with signatures in its headers, one of which must hold, the covered keys are left, and those that say how to answer.
//! A `path` of the message itself comes before that of the URL.

use std::collections::BTreeSet;

use weft_codec::item::DataItem;
use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{Commitment, Message, Node, Tabm, Value, ans104, json, structured};
use weft_codec::{Code, Error, Result};
use weft_verify::Untrusted;

use super::GENERATION;
use crate::net::MAX_BODY;
use crate::seams::{Method, Request, media_type};

/// Where a request came from, in errors.
const SOURCE: &str = "the request";
/// Headers that belong to the connection, or to the browser alone.
const NOT_KEYS: [&str; 7] =
    ["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "cookie", "authorization"];
/// Keys that stay without being signed: they say where to and how to answer.
const UNSIGNED: [&str; 9] = [
    "path",
    "method",
    "host",
    "accept",
    "accept-bundle",
    "accept-codec",
    "require-codec",
    "codec-device",
    "cache-control",
];

/// A request that was read.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) message: Message,
    /// The data item that it came as, proved.
    pub(super) item: Option<DataItem>,
    pub(super) wants: Wants,
    /// Nothing is evaluated for it.
    pub(super) only_cached: bool,
}

/// What the answer shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wants {
    pub(super) codec: Codec,
    /// Nested messages in the answer, not links to them.
    pub(super) bundle: bool,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Codec {
    /// Keys as headers.
    #[default]
    Httpsig,
    /// JSON, whatever the result is.
    Json,
    /// JSON, unless the result has a content type of its own.
    JsonUnlessTyped,
    /// A page for a person, unless the result has a content type of its own.
    Page,
}

impl Wants {
    /// By the headers and the query alone.
    pub(super) fn of_headers(request: &Request) -> Self {
        Self::of(request, |_| None)
    }

    /// `require-codec` counts before `accept`; the query before the message and the headers (reference §5.2).
    fn of(request: &Request, message: impl Fn(&str) -> Option<String>) -> Self {
        let query = request.url.split_once('?').map_or("", |(_, query)| query);
        let queried = |key: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
        };
        let header =
            |key: &str| request.headers.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        let get = |key: &str| queried(key).or_else(|| message(key)).or_else(|| header(key));
        let bundle = get("accept-bundle").is_some_and(|word| word == "true");
        let is_json = |kind: &str| ["application/json", "json@1.0"].contains(&media_type(kind).as_str());
        let required = get("require-codec");
        let accept = get("accept").unwrap_or_default();
        let codec = match required.as_deref() {
            Some(codec) if is_json(codec) => Codec::Json,
            Some(_) => Codec::Httpsig,
            None if accept.split(',').map(media_type).any(|kind| kind == "text/html") && !bundle => {
                Codec::Page
            }
            None if accept.split(',').next().is_some_and(is_json) => Codec::JsonUnlessTyped,
            None => Codec::Httpsig,
        };
        Self { codec, bundle }
    }
}

/// Reads a request, at a time in milliseconds since 1970. Errors: `too-large`, `item-malformed` and the like, `message-malformed`,
/// `json-invalid`, `signature-invalid`, `signature-expired`.
pub(super) fn read(request: &Request, now_ms: u64) -> Result<Asked> {
    if request.body.len() > MAX_BODY {
        return Err(Error::new(Code::TooLarge, format!("A request has at most {MAX_BODY} bytes.")));
    }
    let (mut message, item) = match body_codec(request) {
        Body::Item => {
            let (message, item) = of_item(&request.body)?;
            (message, Some(item))
        }
        Body::Json => (json::decode(&request.body)?, None),
        Body::Httpsig => (of_headers_and_body(request, now_ms)?, None),
    };
    if message.get("path").is_none() {
        message.set("path", path_of(&request.url));
    }
    message.set("method", if request.method == Method::Get { "GET" } else { "POST" });
    let told = |key: &str| match message.get(key)? {
        Value::Atom(word) => Some(word.clone()),
        value => value.as_text().map(str::to_owned),
    };
    let wants = Wants::of(request, told);
    let cache = told("cache-control").unwrap_or_default();
    let only_cached = cache.split(',').any(|word| word.trim() == "only-if-cached");
    Ok(Asked { message, item, wants, only_cached })
}

enum Body {
    Item,
    Json,
    Httpsig,
}

fn body_codec(request: &Request) -> Body {
    let header =
        |key: &str| request.headers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let kind = request.content_type.as_deref().map(media_type).unwrap_or_default();
    match header("codec-device") {
        _ if request.body.is_empty() => Body::Httpsig,
        Some("ans104@1.0") => Body::Item,
        Some("json@1.0") => Body::Json,
        Some(_) => Body::Httpsig,
        None if kind == "application/ans104" => Body::Item,
        None if kind == "application/json" => Body::Json,
        None => Body::Httpsig,
    }
}

/// Path and query of a URL, as they were sent.
fn path_of(url: &str) -> &str {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.find(['/', '?', '#']).map_or("", |at| &rest[at..]),
        None => url,
    };
    rest.split('#').next().unwrap_or_default()
}

fn of_item(body: &[u8]) -> Result<(Message, DataItem)> {
    let item = DataItem::parse(body)?;
    let (item, _) = weft_verify::item(Untrusted::new(item, SOURCE), None)?.into_parts();
    let tabm = ans104::from_item(&item, GENERATION)?;
    Ok((structured::from_tabm(&tabm)?, item))
}

fn of_headers_and_body(request: &Request, now_ms: u64) -> Result<Message> {
    let kept = request.headers.iter().filter(|(name, _)| !NOT_KEYS.contains(&name.as_str()));
    let mut headers: Vec<(&str, &str)> = kept.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if let (Some(kind), false) =
        (&request.content_type, headers.iter().any(|(name, _)| *name == "content-type"))
    {
        headers.push(("content-type", kind));
    }
    if !headers.iter().any(|(name, _)| *name == "accept") {
        headers.push(("accept", "*/*"));
    }
    let encoded = Encoded::received(headers, request.body.clone())?;
    let signed = encoded.headers.contains_key("signature");
    let tabm = httpsig::decode(&encoded)?;
    let tabm = if signed { signed_keys(tabm, encoded, now_ms)? } else { tabm };
    structured::from_tabm(&tabm)
}

/// What the commitments that hold cover, with them.
fn signed_keys(mut tabm: Tabm, encoded: Encoded, now_ms: u64) -> Result<Tabm> {
    let (proved, _) = weft_verify::http::signed_message(Untrusted::new(encoded, SOURCE))?.into_parts();
    let held: BTreeSet<String> = proved.held.iter().map(|held| held.id.to_string()).collect();
    let commitments = match tabm.remove("commitments") {
        Some(Node::Map(all)) => all.into_iter().filter(|(id, _)| held.contains(id)).collect(),
        _ => Tabm::new(),
    };
    let mut covered: BTreeSet<String> = UNSIGNED.map(str::to_owned).into();
    covered.insert("ao-types".to_owned());
    for (_, commitment) in &commitments {
        if let Some(map) = commitment.as_map() {
            let commitment = Commitment::from_tabm(map)?;
            not_expired(&commitment, now_ms)?;
            covered.extend(commitment.committed);
        }
    }
    let is_covered = |key: &str| {
        covered.contains(key) || key.strip_suffix("+link").is_some_and(|key| covered.contains(key))
    };
    let mut kept: Tabm = tabm.into_iter().filter(|(key, _)| is_covered(key)).collect();
    kept.set("commitments", commitments);
    Ok(kept)
}

/// Whether the time of a commitment is not over (RFC 9421 §2.3, `expires`).
fn not_expired(commitment: &Commitment, now_ms: u64) -> Result<()> {
    let Some(text) = commitment.extra.text("expires") else { return Ok(()) };
    let expires: i64 = text.parse().map_err(|_| {
        Error::new(Code::FieldMalformed, "`expires` of a signature is a number of seconds since 1970.")
    })?;
    if i128::from(expires) * 1_000 > i128::from(now_ms) {
        return Ok(());
    }
    Err(Error::new(
        Code::SignatureExpired,
        "The signature of the request was to be taken until a time that is over.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: if body.is_empty() { Method::Get } else { Method::Post },
            url: url.to_owned(),
            content_type: headers
                .iter()
                .find(|(name, _)| *name == "content-type")
                .map(|(_, kind)| (*kind).to_owned()),
            headers: headers.iter().map(owned).collect(),
            body: body.to_vec(),
            max_bytes: u64::MAX,
            timeout_ms: 0,
        }
    }

    fn read_now(request: &Request) -> Result<Asked> {
        read(request, 1_780_272_000_000)
    }

    #[test]
    fn a_signature_is_taken_until_it_expires() {
        let until = |expires: &str| {
            let tabm = Tabm::new().with("signature", "AAAA").with("expires", expires);
            not_expired(&Commitment::from_tabm(&tabm).unwrap(), 1_780_272_000_999)
                .map_err(|error| error.code())
        };
        assert_eq!(until("1780272001"), Ok(()));
        assert_eq!(until("1780272000"), Err(Code::SignatureExpired));
        assert_eq!(until("-9223372036854775808"), Err(Code::SignatureExpired));
        assert_eq!(until("9223372036854775807"), Ok(()));
        assert_eq!(until("soon"), Err(Code::FieldMalformed));
    }

    #[test]
    fn headers_are_keys_and_the_url_is_the_path() {
        let asked =
            read_now(&request("http://x/~a@1.0/b?c=d#e", &[("x-key", "v"), ("cookie", "secret")], b""))
                .unwrap();
        assert_eq!(asked.message.get("path"), Some(&"/~a@1.0/b?c=d".into()));
        assert_eq!(asked.message.get("x-key"), Some(&"v".into()));
        assert_eq!(asked.message.get("method"), Some(&"GET".into()));
        assert_eq!(asked.message.get("cookie"), None);
    }

    #[test]
    fn a_body_is_read_by_its_type() {
        let json =
            read_now(&request("/x", &[("content-type", "application/json")], br#"{"n":1,"path":"/y"}"#))
                .unwrap();
        assert_eq!(json.message.get("n"), Some(&Value::Integer(1)));
        assert_eq!(json.message.get("path"), Some(&"/y".into()));
        let plain = read_now(&request("/x", &[("content-type", "text/plain")], b"hello")).unwrap();
        assert_eq!(plain.message.get("body"), Some(&"hello".into()));
        let broken = read_now(&request("/x", &[("codec-device", "ans104@1.0")], b"hello")).unwrap_err();
        assert!([Code::ItemTruncated, Code::ItemMalformed].contains(&broken.code()));
    }

    #[test]
    fn how_to_answer_is_said_by_query_then_message_then_header() {
        let of = |url: &str, headers: &[(&str, &str)]| Wants::of_headers(&request(url, headers, b""));
        assert_eq!(of("/x", &[]), Wants::default());
        assert_eq!(of("/x?require-codec=json@1.0", &[]).codec, Codec::Json);
        assert_eq!(of("/x", &[("accept", "application/json")]).codec, Codec::JsonUnlessTyped);
        assert_eq!(of("/x", &[("accept", "text/html, */*")]).codec, Codec::Page);
        assert_eq!(
            of("/x?require-codec=application/nothing", &[("accept", "text/html")]).codec,
            Codec::Httpsig
        );
        assert!(of("/x?accept-bundle=true", &[]).bundle);
    }
}
