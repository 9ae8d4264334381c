//! Where the node asks, in which order, and what it makes of answers that are none.
//!
//! No source is built in: all are the user's. A source that fails is told to the observer and the next one is
//! asked. When all have failed, one error names each of them and why.

use std::cell::Cell;

use serde::{Deserialize, Serialize};
use weft_codec::{Code, Error, Result};

use crate::event::{Event, Observer};
use crate::options::Options;
use crate::seams::{Clock, Fetch, Method, Request, Response};

/// The most sources of one kind.
pub const MAX_SOURCES: usize = 16;
/// The longest source address.
pub const MAX_URL_BYTES: usize = 2_048;

/// Wait before the second round over all sources; it doubles with every round after.
const FIRST_PAUSE_MS: u32 = 500;
/// The longest pause between two rounds.
const LONGEST_PAUSE_MS: u32 = 8_000;
/// How much of an error answer goes into a sentence.
const SHOWN_CHARS: usize = 120;

/// The user's schedulers and gateways, each in order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// Scheduler units (scheduler-and-cu-api.md 1).
    #[serde(default)]
    pub schedulers: Vec<String>,
    /// Arweave gateways (arweave.md 7).
    #[serde(default)]
    pub gateways: Vec<String>,
}

impl Sources {
    /// Checks every address and brings it to the form requests are built on: no slash at the end, no
    /// `/graphql`, no address twice.
    ///
    /// Errors: `source-invalid` for an address that is not an http or https URL, `too-large` for too many.
    pub fn checked(&self) -> Result<Self> {
        Ok(Self { schedulers: checked(&self.schedulers)?, gateways: checked(&self.gateways)? })
    }
}

fn checked(urls: &[String]) -> Result<Vec<String>> {
    if urls.len() > MAX_SOURCES {
        return Err(Error::new(
            Code::TooLarge,
            format!("{} sources of one kind are too many; the most is {MAX_SOURCES}.", urls.len()),
        ));
    }
    let mut clean: Vec<String> = Vec::new();
    for url in urls {
        let url = check_url(url)?;
        if !clean.contains(&url) {
            clean.push(url);
        }
    }
    Ok(clean)
}

/// One address: scheme, host, perhaps a path; nothing a request line could be broken with.
fn check_url(url: &str) -> Result<String> {
    let shown: String = url.chars().take(SHOWN_CHARS).collect();
    let refuse = |why: &str| {
        Error::new(
            Code::SourceInvalid,
            format!("`{shown}` is not a source: {why}. Give an http or https URL."),
        )
    };
    let trimmed = url.trim().trim_end_matches('/');
    let trimmed = trimmed.strip_suffix("/graphql").unwrap_or(trimmed).trim_end_matches('/');
    if trimmed.len() > MAX_URL_BYTES {
        return Err(refuse("it is too long"));
    }
    let rest = trimmed
        .strip_prefix("https://")
        .or_else(|| trimmed.strip_prefix("http://"))
        .ok_or_else(|| refuse("it does not begin with http:// or https://"))?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err(refuse("it names no host"));
    }
    if host.contains('@') {
        return Err(refuse("it carries a user name"));
    }
    if !trimmed.chars().all(|c| c.is_ascii_graphic() && !"?#\\\"<>`{}|^".contains(c)) {
        return Err(refuse("it has characters an address cannot have"));
    }
    Ok(trimmed.to_owned())
}

/// Why one source did not help.
#[derive(Debug)]
pub(crate) struct Failure {
    url: String,
    error: Error,
}

/// Why no source helped so far.
#[derive(Debug, Default)]
pub(crate) struct Failures(Vec<Failure>);

impl Failures {
    /// Adds a failure; only the last of each source is kept.
    pub(crate) fn push(&mut self, url: &str, error: Error) {
        self.0.retain(|failure| failure.url != url || telling(failure.error.code()) > telling(error.code()));
        if !self.0.iter().any(|failure| failure.url == url) {
            self.0.push(Failure { url: url.to_owned(), error });
        }
    }

    /// Puts in what else failed.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// One error for all: the code of the most telling failure, every source and its reason in the sentence.
    pub(crate) fn into_error(self, wanted: &str) -> Error {
        let Some(told) = self.0.iter().max_by_key(|failure| telling(failure.error.code())) else {
            return Error::new(Code::NoSource, format!("No source is configured that could have {wanted}."));
        };
        let code = told.error.code();
        let reasons: Vec<String> =
            self.0.iter().map(|failure| format!("{}: {}", failure.url, failure.error.sentence())).collect();
        let opening = match code {
            Code::NotFound => format!("No source has {wanted}."),
            _ => format!("No source gave {wanted}."),
        };
        Error::new(code, format!("{opening} {}", reasons.join(" ")))
            .with_fields_of(&told.error)
            .with("source", &told.url)
            .because(CauseList(reasons))
    }
}

/// Each source's reason, for a caller that walks the causes.
#[derive(Debug)]
struct CauseList(Vec<String>);

impl std::fmt::Display for CauseList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for CauseList {}

/// How much a failure tells: a proof that fails says more than silence. `not-found` stands last, so that it is
/// the answer only if every source says it.
fn telling(code: Code) -> u8 {
    match code {
        Code::NotFound => 0,
        Code::SourceUnreachable => 1,
        Code::SourceTimeout => 2,
        Code::SourceStatus => 3,
        Code::SourceGarbled | Code::PageMalformed | Code::PageLoop | Code::TooLarge | Code::ItemTruncated => {
            4
        }
        Code::JsonInvalid | Code::Base64Invalid | Code::IdInvalid => 4,
        _ => 5,
    }
}

/// A failure that may be gone in a moment.
pub(crate) fn is_transient(code: Code) -> bool {
    matches!(code, Code::SourceUnreachable | Code::SourceTimeout | Code::SourceStatus)
}

/// A failure of ours, not of the source: asking another one does not help.
pub(crate) fn is_ours(code: Code) -> bool {
    matches!(code, Code::Cancelled | Code::StoreFailed | Code::StoreCorrupt)
}

/// The network as one sync sees it: requests with limits, counted, and failover.
pub(crate) struct Reach<'a, F, C, O> {
    pub(crate) fetch: &'a F,
    pub(crate) clock: &'a C,
    pub(crate) observer: &'a O,
    pub(crate) options: &'a Options,
    bytes: Cell<u64>,
    requests: Cell<u64>,
}

impl<'a, F: Fetch, C: Clock, O: Observer> Reach<'a, F, C, O> {
    pub(crate) fn new(fetch: &'a F, clock: &'a C, observer: &'a O, options: &'a Options) -> Self {
        Self { fetch, clock, observer, options, bytes: Cell::new(0), requests: Cell::new(0) }
    }

    /// Bytes of all answers so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Requests sent so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// `cancelled` if the user asked to stop.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        if self.observer.cancelled() {
            return Err(Error::new(Code::Cancelled, "The sync was stopped. What is in the store stays."));
        }
        Ok(())
    }

    /// `GET base/path`. Errors: those of [`Fetch`], `not-found`, `source-status`.
    pub(crate) async fn get(&self, base: &str, path: &str, max_bytes: u64) -> Result<Response> {
        self.send(Request {
            method: Method::Get,
            url: format!("{base}/{path}"),
            content_type: None,
            headers: Vec::new(),
            body: Vec::new(),
            max_bytes,
            timeout_ms: self.options.timeout_ms,
        })
        .await
    }

    /// `POST base/path` with a JSON body.
    pub(crate) async fn post_json(
        &self,
        base: &str,
        path: &str,
        body: &serde_json::Value,
        max_bytes: u64,
    ) -> Result<Response> {
        self.send(Request {
            method: Method::Post,
            url: format!("{base}/{path}"),
            content_type: Some("application/json".to_owned()),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
            max_bytes,
            timeout_ms: self.options.timeout_ms,
        })
        .await
    }

    async fn send(&self, request: Request) -> Result<Response> {
        self.check_cancelled()?;
        self.requests.set(self.requests.get() + 1);
        let response = self.fetch.fetch(request).await?;
        self.bytes.set(self.bytes.get().saturating_add(response.body.len() as u64));
        accept_status(response)
    }

    /// Asks one source after the other until one gives what `attempt` makes of it. Rounds are repeated, with
    /// pauses, while a failure may be passing.
    pub(crate) async fn first_of<T>(
        &self,
        sources: &[String],
        attempt: impl AsyncFn(&str) -> Result<T>,
    ) -> Result<T, Stop> {
        let mut failures = Failures::default();
        for round in 0..self.options.attempts.max(1) {
            if round > 0 {
                self.pause(round).await;
            }
            let mut again = false;
            for url in sources {
                match attempt(url).await {
                    Ok(found) => return Ok(found),
                    Err(error) if is_ours(error.code()) => return Err(Stop::Ours(error)),
                    Err(error) => {
                        again |= is_transient(error.code());
                        self.report(url, &error);
                        failures.push(url, error);
                    }
                }
            }
            if !again {
                break;
            }
        }
        Err(Stop::Sources(failures))
    }

    /// The pause before a further round over the sources.
    pub(crate) async fn pause(&self, round: u32) {
        let pause =
            FIRST_PAUSE_MS.saturating_mul(1 << (round.saturating_sub(1)).min(8)).min(LONGEST_PAUSE_MS);
        self.clock.sleep(pause).await;
    }

    /// Tells the observer that a source failed.
    pub(crate) fn report(&self, url: &str, error: &Error) {
        self.observer.event(Event::Source {
            url: url.to_owned(),
            code: error.code().as_str().to_owned(),
            sentence: error.sentence().to_owned(),
        });
    }
}

/// Why [`Reach::first_of`] found nothing.
#[derive(Debug)]
pub(crate) enum Stop {
    /// No source had it.
    Sources(Failures),
    /// The sync itself cannot go on.
    Ours(Error),
}

fn accept_status(response: Response) -> Result<Response> {
    if response.status == 200 {
        return Ok(response);
    }
    let text: String = String::from_utf8_lossy(&response.body).chars().take(SHOWN_CHARS).collect();
    // A scheduler unit answers 400 with a sentence when it does not know an id (servers/su/src/main.rs).
    let unknown = response.status == 400 && text.to_ascii_lowercase().contains("not found");
    if matches!(response.status, 404 | 410) || unknown {
        return Err(Error::new(Code::NotFound, format!("It is not there (status {}).", response.status)));
    }
    let shown = if looks_like_html(&response) { "an HTML page".to_owned() } else { format!("`{text}`") };
    Err(Error::new(Code::SourceStatus, format!("It answered with status {}: {shown}.", response.status)))
}

/// Whether an answer is a web page: gateways and proxies send one in place of JSON when something is wrong.
pub(crate) fn looks_like_html(response: &Response) -> bool {
    let start = response.body.iter().find(|byte| !byte.is_ascii_whitespace());
    response.content_type == "text/html" || start == Some(&b'<')
}

/// The body of an answer that must be JSON. Errors: `source-garbled`.
pub(crate) fn json_body(response: Response) -> Result<Vec<u8>> {
    if looks_like_html(&response) {
        return Err(Error::new(
            Code::SourceGarbled,
            "It answered with an HTML page where JSON was asked for.",
        ));
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_err() {
        return Err(Error::new(Code::SourceGarbled, "Its answer is not JSON, or is cut short."));
    }
    Ok(response.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(schedulers: &[&str]) -> Sources {
        Sources { schedulers: schedulers.iter().map(|&url| url.to_owned()).collect(), gateways: Vec::new() }
    }

    #[test]
    fn addresses_are_brought_to_one_form() {
        let checked = sources(&[
            "https://su.example/",
            " https://su.example ",
            "http://127.0.0.1:8734/su",
            "https://gw.example/graphql",
        ])
        .checked()
        .unwrap();
        assert_eq!(
            checked.schedulers,
            ["https://su.example", "http://127.0.0.1:8734/su", "https://gw.example"]
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("https://{}", "a".repeat(3_000));
        for url in [
            "",
            "su.example",
            "ftp://su.example",
            "javascript:alert(1)",
            "https://",
            "https:///path",
            "https://:80",
            "https://user:secret@su.example",
            "https://su.example/?q",
            "https://su.example/a b",
            "https://su.example\r\nX: y",
            &long,
        ] {
            assert_eq!(sources(&[url]).checked().unwrap_err().code(), Code::SourceInvalid, "{url}");
        }
        let many = Sources { schedulers: vec!["https://a.example".into(); 17], gateways: Vec::new() };
        assert_eq!(many.checked().unwrap_err().code(), Code::TooLarge);
    }

    #[test]
    fn the_most_telling_failure_gives_the_code_and_all_give_the_sentence() {
        let error = |code| Error::new(code, format!("{}.", code.as_str()));
        let mut failures = Failures::default();
        failures.push("https://a.example", error(Code::NotFound));
        assert_eq!(Failures(Vec::new()).into_error("it").code(), Code::NoSource);
        failures.push("https://b.example", error(Code::SourceTimeout));
        failures.push("https://c.example", error(Code::SignatureInvalid).with("subject", "process"));
        let all = failures.into_error("the process");
        assert_eq!(all.code(), Code::SignatureInvalid);
        assert_eq!(all.field("subject"), Some("process"));
        assert_eq!(all.field("source"), Some("https://c.example"), "the one that the code is about");
        for part in ["https://a.example: not-found", "https://b.example: source-timeout", "https://c.example"]
        {
            assert!(all.sentence().contains(part), "{}", all.sentence());
        }
        let mut none = Failures::default();
        none.push("https://a.example", error(Code::NotFound));
        none.push("https://b.example", error(Code::NotFound));
        assert_eq!(none.into_error("it").code(), Code::NotFound);
    }
}
