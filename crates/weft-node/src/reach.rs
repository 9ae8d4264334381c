//! The network as one sync sees it: requests with limits, counted and scored; failover; questions to all sources.
//!
//! A source that fails is told to the observer and the next one is asked. When all have failed, one error names each of
//! them and why. A source that answers 429 or 503 with `Retry-After` is not asked before that time is over.

use std::cell::{Cell, RefCell};

use futures_util::future::join_all;
use weft_codec::{Code, Error, Result};

use crate::event::{Event, Observer};
use crate::failures::{Failures, is_ours, is_transient};
use crate::options::Options;
use crate::retry_after::retry_after;
use crate::scores::{Outcome, Scores};
use crate::seams::{Clock, Fetch, Method, Request, Response};

/// Wait before the second round over all sources; it doubles with every round after.
const FIRST_PAUSE_MS: u64 = 500;
/// The longest pause between two rounds, unless a source asked for a longer one.
const LONGEST_PAUSE_MS: u64 = 8_000;
/// The longest time a sync waits because every source asked for it. A source that asks for more has failed.
const LONGEST_HOLD_MS: u64 = 120_000;
/// A pause is slept in pieces, so that a Cancel is heeded.
const PAUSE_PIECE_MS: u64 = 250;
/// The longest a question to all sources waits for one of them: the others have answered.
const QUESTION_TIMEOUT_MS: u32 = 10_000;
/// How much of an error answer goes into a sentence.
const SHOWN_CHARS: usize = 120;

/// Whose fault it is that a step of the road failed.
pub(crate) enum Fault {
    /// The source's: another one may do better.
    Source(Error),
    /// Ours, or the user's wish: the sync ends.
    Ours(Error),
}

impl Fault {
    /// What came of asking a source.
    pub(crate) fn of(error: Error) -> Self {
        if is_ours(error.code()) { Self::Ours(error) } else { Self::Source(error) }
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

/// The network as one sync sees it.
pub(crate) struct Reach<'a, F, C, O> {
    pub(crate) fetch: &'a F,
    pub(crate) clock: &'a C,
    pub(crate) observer: &'a O,
    pub(crate) options: &'a Options,
    scores: &'a RefCell<Scores>,
    bytes: Cell<u64>,
    requests: Cell<u64>,
}

impl<'a, F: Fetch, C: Clock, O: Observer> Reach<'a, F, C, O> {
    pub(crate) fn new(
        fetch: &'a F,
        clock: &'a C,
        observer: &'a O,
        options: &'a Options,
        scores: &'a RefCell<Scores>,
    ) -> Self {
        Self { fetch, clock, observer, options, scores, bytes: Cell::new(0), requests: Cell::new(0) }
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
        let request = Self::get_request(format!("{base}/{path}"), max_bytes, self.options.timeout_ms);
        accept_status(self.answer(base, request).await?)
    }

    /// As [`Self::get`], of a HyperBEAM node: with messages in the answer in their place, not as links.
    pub(crate) async fn get_message(&self, base: &str, path: &str, max_bytes: u64) -> Result<Response> {
        let request = Request {
            headers: vec![("accept-bundle".to_owned(), "true".to_owned())],
            ..Self::get_request(format!("{base}/{path}"), max_bytes, self.options.timeout_ms)
        };
        accept_status(self.answer(base, request).await?)
    }

    /// As [`Self::get`], for one of several sources that are asked the same.
    pub(crate) async fn question(&self, base: &str, path: &str, max_bytes: u64) -> Result<Response> {
        accept_status(self.probe(base, path, max_bytes).await?)
    }

    /// `GET base/path`, with any status an answer.
    pub(crate) async fn probe(&self, base: &str, path: &str, max_bytes: u64) -> Result<Response> {
        self.answer(base, Self::get_request(format!("{base}/{path}"), max_bytes, self.question_timeout()))
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
        let request = Request {
            method: Method::Post,
            content_type: Some("application/json".to_owned()),
            body: body.to_string().into_bytes(),
            ..Self::get_request(format!("{base}/{path}"), max_bytes, self.options.timeout_ms)
        };
        accept_status(self.answer(base, request).await?)
    }

    fn question_timeout(&self) -> u32 {
        self.options.timeout_ms.min(QUESTION_TIMEOUT_MS)
    }

    fn get_request(url: String, max_bytes: u64, timeout_ms: u32) -> Request {
        let (content_type, headers, body) = (None, Vec::new(), Vec::new());
        Request { method: Method::Get, url, content_type, headers, body, max_bytes, timeout_ms }
    }

    async fn answer(&self, base: &str, request: Request) -> Result<Response> {
        self.check_cancelled()?;
        let wait = self.scores.borrow().wait_ms(base, self.clock.now_ms());
        if wait > 0 {
            let seconds = wait.div_ceil(1_000);
            let what = format!("It asked to be left alone for {seconds} more seconds.");
            return Err(Error::new(Code::SourceStatus, what).with("retry-after", seconds));
        }
        self.requests.set(self.requests.get() + 1);
        let answer = self.fetch.fetch(request).await;
        let now = self.clock.now_ms();
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                if let Some(outcome) = Outcome::of_transport(error.code()) {
                    self.scores.borrow_mut().note(base, outcome, now);
                }
                return Err(error);
            }
        };
        self.bytes.set(self.bytes.get().saturating_add(response.body.len() as u64));
        self.score_status(base, &response, now);
        Ok(response)
    }

    fn score_status(&self, base: &str, response: &Response, now: u64) {
        let mut scores = self.scores.borrow_mut();
        let wait = response.header("retry-after").and_then(|value| retry_after(value, now));
        let wait = wait.filter(|_| matches!(response.status, 429 | 503));
        let outcome = if wait.is_some() { Outcome::Busy } else { Outcome::of_status(response.status) };
        scores.note(base, outcome, now);
        if let Some(wait) = wait {
            scores.hold(base, wait, now);
        }
    }

    /// The sources in the order in which to ask them, best first.
    pub(crate) fn order(&self, sources: &[String], served: Option<&str>) -> Vec<String> {
        self.scores.borrow().order(sources, served, self.clock.now_ms())
    }

    /// Asks one source after the other until one gives what `attempt` makes of it.
    pub(crate) async fn first_of<T>(
        &self,
        sources: &[String],
        attempt: impl AsyncFn(&str) -> Result<T>,
    ) -> Result<T, Stop> {
        self.rounds(sources, None, async |url: &str| attempt(url).await.map_err(Fault::of)).await
    }

    /// As [`Self::first_of`], for steps that can fail by our own fault. Rounds over the sources are repeated, with
    /// pauses, while a failure may be passing.
    pub(crate) async fn rounds<T>(
        &self,
        sources: &[String],
        served: Option<&str>,
        mut attempt: impl AsyncFnMut(&str) -> Result<T, Fault>,
    ) -> Result<T, Stop> {
        let mut failures = Failures::default();
        for round in 0..self.options.attempts.max(1) {
            if round > 0 {
                self.pause(round, sources).await.map_err(Stop::Ours)?;
            }
            let mut again = false;
            for url in self.order(sources, served) {
                match attempt(&url).await {
                    Ok(found) => return Ok(found),
                    Err(Fault::Ours(error)) => return Err(Stop::Ours(error)),
                    Err(Fault::Source(error)) => {
                        again |= is_transient(error.code()) && self.may_return(&url);
                        self.report(&url, &error);
                        failures.push(&url, error);
                    }
                }
            }
            if !again {
                break;
            }
        }
        Err(Stop::Sources(failures))
    }

    /// Asks all sources at once. Answers are in the order of the sources; what failed is told to the observer.
    /// Errors: ours alone, such as `cancelled`.
    pub(crate) async fn ask_all<T>(
        &self,
        sources: &[String],
        attempt: impl AsyncFn(&str) -> Result<T>,
    ) -> Result<Vec<(String, Result<T>)>> {
        let answers = join_all(sources.iter().map(|url| attempt(url))).await;
        let mut said = Vec::with_capacity(sources.len());
        for (url, answer) in sources.iter().zip(answers) {
            match &answer {
                Err(error) if is_ours(error.code()) => return answer.map(|_| Vec::new()),
                Err(error) => self.report(url, error),
                Ok(_) => {}
            }
            said.push((url.clone(), answer));
        }
        Ok(said)
    }

    /// Whether a source may be asked again in this sync.
    fn may_return(&self, url: &str) -> bool {
        self.scores.borrow().wait_ms(url, self.clock.now_ms()) <= LONGEST_HOLD_MS
    }

    /// The pause before a further round over the sources: as long as it takes until one of them may be asked.
    async fn pause(&self, round: u32, sources: &[String]) -> Result<()> {
        let backoff = FIRST_PAUSE_MS << round.saturating_sub(1).min(8);
        let now = self.clock.now_ms();
        let held = sources.iter().map(|url| self.scores.borrow().wait_ms(url, now)).min().unwrap_or(0);
        let mut left = backoff.min(LONGEST_PAUSE_MS).max(held.min(LONGEST_HOLD_MS));
        while left > 0 {
            let piece = left.min(PAUSE_PIECE_MS);
            self.clock.sleep(u32::try_from(piece).unwrap_or(u32::MAX)).await;
            left -= piece;
            self.check_cancelled()?;
        }
        Ok(())
    }

    /// Tells the observer that a source failed, and how it is doing since.
    pub(crate) fn report(&self, url: &str, error: &Error) {
        let now = self.clock.now_ms();
        let mut scores = self.scores.borrow_mut();
        if let Some(outcome) = Outcome::of_content(error.code()) {
            scores.note(url, outcome, now);
        }
        scores.failed(url, error);
        let health = scores.health(url, now);
        drop(scores);
        self.observer.event(Event::Source {
            url: url.to_owned(),
            code: error.code().as_str().to_owned(),
            sentence: error.sentence().to_owned(),
        });
        self.observer.event(Event::Health { sources: vec![health] });
    }

    /// Tells the observer how all sources are doing.
    pub(crate) fn report_health(&self) {
        let sources = self.scores.borrow().all(self.clock.now_ms());
        if !sources.is_empty() {
            self.observer.event(Event::Health { sources });
        }
    }
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
    let what = format!("It answered with status {}: {shown}.", response.status);
    Err(Error::new(Code::SourceStatus, what).with("status", response.status))
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
