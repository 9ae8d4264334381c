//! What a node answers to one slot: a legacy compute unit (scheduler-and-cu-api.md 2) or a HyperBEAM node (5.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use weft_codec::{Address, Code, Error, Id, Result};

use super::answer::Answer;
use super::{NodeAddress, NodeKind};
use crate::event::Observer;
use crate::seams::{Clock, Fetch, Method, Request, Response};

/// The longest answer to one slot, and the longest page of answers.
const MAX_ANSWER_BYTES: u64 = 16 << 20;
/// The longest answer to the question what a node is.
const MAX_GREETING_BYTES: u64 = 64 << 10;
/// Results asked for in one page: a compute unit's default is 25 (scheduler-and-cu-api.md 2.2).
const PAGE_LIMIT: usize = 100;
/// The longest cursor that is sent back.
const MAX_CURSOR_BYTES: usize = 1_024;
/// The first pause while a unit says that it still computes; it doubles.
const FIRST_PAUSE_MS: u32 = 250;
/// How much of an error answer goes into a sentence.
const SHOWN_CHARS: usize = 120;

/// One node, and how it is reached.
pub(crate) struct Asked<'a, F, C, O> {
    pub(crate) fetch: &'a F,
    pub(crate) clock: &'a C,
    pub(crate) observer: &'a O,
    pub(crate) timeout_ms: u32,
    /// How long a unit may go on saying that it computes.
    pub(crate) patience_ms: u32,
    pub(crate) process: Id,
    pub(crate) url: &'a str,
}

/// Results in the order of their slots, as one page of `/results` has them.
pub(crate) struct Page {
    /// Slot and result.
    pub(crate) results: Vec<(u64, Value)>,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
}

impl<F: Fetch, C: Clock, O: Observer> Asked<'_, F, C, O> {
    /// What kind of node it is: as given, or as it answers to `GET /` and `GET /~meta@1.0/info/address`
    /// (scheduler-and-cu-api.md 2 and 5.4). One that answers neither is asked as a compute unit.
    ///
    /// Errors: those of [`Fetch`], `cancelled`.
    pub(crate) async fn kind(&self, node: &NodeAddress) -> Result<NodeKind> {
        if let Some(kind) = node.kind {
            return Ok(kind);
        }
        let greeting: Option<Value> =
            self.greeting("").await?.and_then(|response| serde_json::from_slice(&response.body).ok());
        if greeting.is_some_and(|greeting| greeting.get("address").is_some()) {
            return Ok(NodeKind::Legacy);
        }
        let address = self.greeting("~meta@1.0/info/address").await?.filter(|answer| answer.status == 200);
        let address = address.and_then(|answer| String::from_utf8(answer.body).ok());
        let is_one = address.is_some_and(|address| address.trim().parse::<Address>().is_ok());
        Ok(if is_one { NodeKind::HyperBeam } else { NodeKind::Legacy })
    }

    /// A short answer; a page for people may be a long one, and says nothing.
    async fn greeting(&self, path: &str) -> Result<Option<Response>> {
        match self.get(path, &[], MAX_GREETING_BYTES).await {
            Ok(response) => Ok(Some(response)),
            Err(error) if error.code() == Code::TooLarge => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The node's answer to a slot.
    ///
    /// Errors: those of [`Fetch`], `not-found`, `source-status`, `source-garbled`, `cancelled`.
    pub(crate) async fn answer(&self, kind: NodeKind, slot: u64, message: Id) -> Result<Answer> {
        let process = self.process;
        match kind {
            NodeKind::Legacy => {
                let path = format!("result/{message}?process-id={process}");
                Answer::theirs(json(&self.computed(&path, &[]).await?)?)
            }
            NodeKind::HyperBeam => self.hyperbeam(slot).await,
        }
    }

    /// First what a delegated compute unit said, which is the body of both generations' answer; else all results as
    /// JSON, in which a node may keep the same under `raw` (scheduler-and-cu-api.md 6).
    async fn hyperbeam(&self, slot: u64) -> Result<Answer> {
        let results = format!("{}~process@1.0/compute&slot={slot}/results", self.process);
        let first = match self.computed(&format!("{results}/json/body"), &[]).await {
            Ok(response) => match json(&response).and_then(Answer::theirs) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            },
            Err(error) if matches!(error.code(), Code::NotFound | Code::SourceStatus) => error,
            Err(error) => return Err(error),
        };
        let wishes =
            [("accept-bundle", "true"), ("accept-codec", "json@1.0"), ("require-codec", "application/json")];
        let results = match self.computed(&results, &wishes).await {
            Ok(response) => json(&response),
            Err(error) if error.code() == Code::Cancelled => return Err(error),
            Err(error) => return Err(if error.code() == Code::NotFound { first } else { error }),
        }?;
        let inner = results.pointer("/json/body").and_then(Value::as_str);
        let inner = inner.and_then(|text| serde_json::from_str(text).ok());
        let legacy = inner.or_else(|| results.get("raw").cloned());
        legacy.map_or_else(|| Err(form()), Answer::theirs)
    }

    /// One page of a compute unit's results, from the beginning or after a cursor.
    ///
    /// Errors: as [`Self::answer`].
    pub(crate) async fn page(&self, after: Option<&str>) -> Result<Page> {
        let mut path = format!("results/{}?sort=ASC&limit={PAGE_LIMIT}", self.process);
        if let Some(cursor) = after {
            let cursor: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
            path.push_str(&format!("&from={cursor}"));
        }
        let page = json(&self.computed(&path, &[]).await?)?;
        read_page(page, after)
    }

    /// An answer with status 200. A unit that answers 202 still computes, and is asked again.
    async fn computed(&self, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
        let (mut pause, mut waited) = (FIRST_PAUSE_MS, 0_u32);
        loop {
            let response = self.get(path, headers, MAX_ANSWER_BYTES).await?;
            if response.status != 202 {
                return accept(response);
            }
            if waited >= self.patience_ms {
                let what = format!("It still computes after {waited} ms.");
                return Err(Error::new(Code::SourceTimeout, what));
            }
            self.clock.sleep(pause).await;
            waited = waited.saturating_add(pause);
            pause = pause.saturating_mul(2);
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)], max_bytes: u64) -> Result<Response> {
        if self.observer.cancelled() {
            return Err(Error::new(Code::Cancelled, "The comparison was stopped."));
        }
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.fetch
            .fetch(Request {
                method: Method::Get,
                url: format!("{}/{path}", self.url),
                content_type: None,
                headers: headers.collect(),
                body: Vec::new(),
                max_bytes,
                timeout_ms: self.timeout_ms,
            })
            .await
    }
}

fn accept(response: Response) -> Result<Response> {
    let status = response.status;
    let text = String::from_utf8_lossy(&response.body);
    let text: String = match response.content_type.as_str() {
        "text/html" => "an HTML page".into(),
        _ => text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_CHARS).collect(),
    };
    match status {
        200 => Ok(response),
        404 | 410 => {
            Err(Error::new(Code::NotFound, format!("It does not have it (status {status}): {text}")))
        }
        _ => Err(Error::new(Code::SourceStatus, format!("It answered with status {status}: {text}"))),
    }
}

fn json(response: &Response) -> Result<Value> {
    serde_json::from_slice(&response.body)
        .map_err(|cause| Error::new(Code::SourceGarbled, "Its answer is not JSON.").because(cause))
}

fn form() -> Error {
    let what = "Its results of this slot are in another form than a compute unit's, which is not compared.";
    Error::new(Code::SourceGarbled, what)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    page_info: PageInfo,
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}

#[derive(Deserialize)]
struct Edge {
    node: Value,
    cursor: String,
}

/// A cursor's own fields (scheduler-and-cu-api.md 2.2). `cron` marks a result that stands in no slot.
#[derive(Deserialize)]
struct Place {
    ordinate: Value,
    #[serde(default)]
    cron: Option<Value>,
}

fn read_page(page: Value, after: Option<&str>) -> Result<Page> {
    let garbled =
        |what: &str| Error::new(Code::SourceGarbled, format!("Its page of results is none: {what}."));
    let page: Connection =
        serde_json::from_value(page).map_err(|cause| garbled("it lacks pageInfo or edges").because(cause))?;
    let last = page.edges.last().map(|edge| edge.cursor.clone());
    let mut results = Vec::with_capacity(page.edges.len());
    for edge in page.edges {
        let place =
            STANDARD.decode(&edge.cursor).ok().and_then(|json| serde_json::from_slice::<Place>(&json).ok());
        let place = place.ok_or_else(|| garbled("a cursor does not read"))?;
        if place.cron.is_some_and(|cron| !cron.is_null()) {
            continue;
        }
        let slot = match &place.ordinate {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let slot = slot.ok_or_else(|| garbled("a cursor names no slot"))?;
        if results.last().is_some_and(|(before, _)| *before >= slot) {
            return Err(garbled("its results are not in order"));
        }
        results.push((slot, edge.node));
    }
    let next = last.filter(|cursor| {
        page.page_info.has_next_page && cursor.len() <= MAX_CURSOR_BYTES && Some(cursor.as_str()) != after
    });
    Ok(Page { results, next })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cursor(value: &Value) -> String {
        STANDARD.encode(value.to_string())
    }

    fn page(cursors: &[Value], more: bool) -> Value {
        let edges: Vec<Value> =
            cursors.iter().map(|at| json!({"node": {"Output": ""}, "cursor": cursor(at)})).collect();
        json!({"pageInfo": {"hasNextPage": more}, "edges": edges})
    }

    #[test]
    fn a_page_gives_slots_and_leaves_out_crons() {
        let one = json!({"timestamp": 1, "ordinate": "0", "sort": "ASC"});
        let cron = json!({"timestamp": 2, "ordinate": "0", "cron": "1-10-minutes", "sort": "ASC"});
        let two = json!({"timestamp": 3, "ordinate": 2, "sort": "ASC"});
        let read = read_page(page(&[one, cron, two.clone()], true), None).unwrap();
        assert_eq!(read.results.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(read.next, Some(cursor(&two)));
        assert!(read_page(page(std::slice::from_ref(&two), false), None).unwrap().next.is_none());
        assert!(
            read_page(page(std::slice::from_ref(&two), true), Some(&cursor(&two))).unwrap().next.is_none(),
            "a loop ends"
        );
    }

    #[test]
    fn pages_of_another_kind_are_garbled() {
        let (one, two) = (json!({"ordinate": "1"}), json!({"ordinate": "2"}));
        let odd = json!({"ordinate": "x"});
        let garbled =
            [json!({}), json!([]), page(&[two, one], false), page(&[odd], false), page(&[json!(1)], false)];
        for page in garbled {
            assert_eq!(read_page(page, None).err().map(|error| error.code()), Some(Code::SourceGarbled));
        }
    }
}
