//! The contract of [`Fetch`].

use weft_codec::{Code, Error};
use weft_node::seams::{Fetch, Method, Request, Response};

/// An origin and what is at one of its addresses.
#[derive(Clone, Debug)]
pub struct Served {
    /// Such as `http://127.0.0.1:8000`, with anything else at it answered by 404.
    pub origin: String,
    /// A path that is there.
    pub path: String,
    /// What is there: more than one byte.
    pub body: Vec<u8>,
    /// Its type, in lower case, without parameters.
    pub content_type: String,
    /// Headers it comes with, among others.
    pub headers: Vec<(String, String)>,
}

/// What holds at any origin.
///
/// # Panics
///
/// If the fetch breaks the contract.
pub async fn holds(fetch: &impl Fetch, served: &Served) {
    let url = format!("{}{}", served.origin, served.path);
    let response = answer(fetch, get(&url)).await;
    assert_eq!((response.status, &response.content_type), (200, &served.content_type));
    assert_eq!(response.body, served.body);
    for (name, value) in &served.headers {
        assert_eq!(response.header(name), Some(value.as_str()), "{name}");
    }
    // In lower case, in order, each once.
    let names: Vec<&String> = response.headers.iter().map(|(name, _)| name).collect();
    assert!(names.is_sorted_by(|left, right| left < right), "{names:?}");
    assert!(names.iter().all(|name| **name == name.to_ascii_lowercase()), "{names:?}");
    // Every status is an answer.
    let response = answer(fetch, get(&format!("{}/there/is/nothing", served.origin))).await;
    assert_eq!(response.status, 404);
    // The longest answer allowed is one, a byte more is none.
    let size = served.body.len() as u64;
    let response = answer(fetch, Request { max_bytes: size, ..get(&url) }).await;
    assert_eq!(response.body, served.body);
    let error = refusal(fetch, Request { max_bytes: size - 1, ..get(&url) }).await;
    assert_eq!(error.code(), Code::TooLarge);
    for url in ["ftp://weft.example/", "file:///etc/hosts", "weft", ""] {
        assert_eq!(refusal(fetch, get(url)).await.code(), Code::SourceInvalid, "{url}");
    }
    // Names below `invalid` never resolve (RFC 6761).
    let error = refusal(fetch, get("http://weft.invalid/")).await;
    assert_eq!(error.code(), Code::SourceUnreachable, "{error:?}");
}

/// `url` takes a `POST` and answers with the body it was given.
///
/// # Panics
///
/// If the fetch breaks the contract.
pub async fn posts(fetch: &impl Fetch, url: &str) {
    let body: Vec<u8> = (0..=255).collect();
    let content_type = Some("application/octet-stream".to_owned());
    let request = Request { method: Method::Post, content_type, body: body.clone(), ..get(url) };
    let response = answer(fetch, request).await;
    assert_eq!((response.status, response.body), (200, body));
}

/// `url` answers with the header `x-weft` it was sent.
///
/// # Panics
///
/// If the fetch breaks the contract.
pub async fn sends_headers(fetch: &impl Fetch, url: &str) {
    let headers = vec![("x-weft".to_owned(), "a value".to_owned())];
    let response = answer(fetch, Request { headers, ..get(url) }).await;
    assert_eq!((response.status, response.body.as_slice()), (200, &b"a value"[..]));
}

/// `url` redirects to `target`, which answers with the body `there`.
///
/// # Panics
///
/// If the fetch breaks the contract.
pub async fn follows(fetch: &impl Fetch, url: &str, target: &str) {
    let response = answer(fetch, get(url)).await;
    assert_eq!(
        (response.status, response.body.as_slice(), response.url.as_str()),
        (200, &b"there"[..], target)
    );
}

/// `url` takes a connection and never answers.
///
/// # Panics
///
/// If the fetch breaks the contract.
pub async fn gives_up(fetch: &impl Fetch, url: &str) {
    let error = refusal(fetch, Request { timeout_ms: 200, ..get(url) }).await;
    assert_eq!(error.code(), Code::SourceTimeout, "{error:?}");
}

fn get(url: &str) -> Request {
    Request {
        method: Method::Get,
        url: url.to_owned(),
        content_type: None,
        headers: Vec::new(),
        body: Vec::new(),
        max_bytes: 1 << 20,
        timeout_ms: 20_000,
    }
}

#[expect(clippy::expect_used, reason = "a fetch that fails fails the contract")]
async fn answer(fetch: &impl Fetch, request: Request) -> Response {
    fetch.fetch(request).await.expect("an answer")
}

#[expect(clippy::expect_used, reason = "a fetch that does not fail fails the contract")]
async fn refusal(fetch: &impl Fetch, request: Request) -> Error {
    fetch.fetch(request).await.expect_err("a refusal")
}
