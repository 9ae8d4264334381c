//! The network, by ureq on threads beside the runtime.

use std::time::Duration;

use ureq::{ResponseExt as _, http};
use weft_codec::{Code, Error, Result};
use weft_node::seams::{Fetch, Method, Request, Response, media_type, ordered_headers};

/// Redirects followed in one request; a scheduler's router sends one.
const MAX_REDIRECTS: u32 = 5;

/// Sends requests over HTTP and HTTPS. It needs a tokio runtime around it.
#[derive(Clone, Debug)]
pub struct NativeFetch {
    agent: ureq::Agent,
}

impl Default for NativeFetch {
    fn default() -> Self {
        Self::new()
    }
}

impl NativeFetch {
    /// A client that keeps connections open between requests.
    #[must_use]
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(MAX_REDIRECTS)
            .user_agent(concat!("weft/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent() }
    }
}

impl Fetch for NativeFetch {
    async fn fetch(&self, request: Request) -> Result<Response> {
        let agent = self.agent.clone();
        let url = request.url.clone();
        let answer = tokio::task::spawn_blocking(move || send(&agent, &request)).await;
        answer.unwrap_or_else(|cause| {
            Err(Error::new(Code::SourceUnreachable, format!("The request to {url} was given up."))
                .because(cause))
        })
    }
}

fn send(agent: &ureq::Agent, request: &Request) -> Result<Response> {
    let fail = |cause: ureq::Error| failure(request, cause);
    if !request.url.starts_with("http://") && !request.url.starts_with("https://") {
        return Err(Error::new(
            Code::SourceInvalid,
            format!("`{}` is not an http or https URL.", request.url),
        ));
    }
    let method = match request.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Delete => http::Method::DELETE,
    };
    let mut builder = http::Request::builder().method(method).uri(&request.url);
    if let Some(content_type) = &request.content_type {
        builder = builder.header("content-type", content_type);
    }
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let message = builder.body(request.body.clone()).map_err(|cause| {
        Error::new(Code::SourceInvalid, format!("`{}` cannot be asked.", request.url)).because(cause)
    })?;
    let timeout = Duration::from_millis(u64::from(request.timeout_ms));
    let message = agent
        .configure_request(message)
        .timeout_global(Some(timeout))
        // A DELETE with a body is what a messenger unit takes.
        .allow_non_standard_methods(true)
        .build();
    let mut response = agent.run(message).map_err(fail)?;
    let headers = ordered_headers(
        response.headers().iter().map(|(name, value)| (name.as_str(), isomorphic(value.as_bytes()))),
    )?;
    let content_type = headers.iter().find(|(name, _)| name == "content-type");
    let content_type = content_type.map_or_else(String::new, |(_, value)| media_type(value));
    // The limit is one byte above the most: an answer of exactly that size is within it.
    let limit = request.max_bytes.saturating_add(1);
    let body = response.body_mut().with_config().limit(limit).read_to_vec().map_err(fail)?;
    if body.len() as u64 > request.max_bytes {
        return Err(too_large(request));
    }
    let (asked, answered) = (request.url.parse::<http::Uri>().ok(), response.get_uri());
    let url = if asked.as_ref() == Some(answered) { String::new() } else { answered.to_string() };
    Ok(Response { status: response.status().as_u16(), content_type, headers, url, body })
}

/// A header's bytes as text, each byte one character: what the Fetch standard makes of them.
fn isomorphic(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn failure(request: &Request, cause: ureq::Error) -> Error {
    let url = &request.url;
    match cause {
        ureq::Error::BodyExceedsLimit(_) => too_large(request),
        ureq::Error::Timeout(_) => {
            Error::new(Code::SourceTimeout, format!("{url} did not answer within {} ms.", request.timeout_ms))
                .because(cause)
        }
        ureq::Error::BadUri(_) => {
            Error::new(Code::SourceInvalid, format!("`{url}` cannot be asked.")).because(cause)
        }
        _ => Error::new(Code::SourceUnreachable, format!("{url} cannot be reached.")).because(cause),
    }
}

fn too_large(request: &Request) -> Error {
    let what = format!("The answer of {} is longer than {} bytes.", request.url, request.max_bytes);
    Error::new(Code::TooLarge, what)
}
