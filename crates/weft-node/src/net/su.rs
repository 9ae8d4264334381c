//! The scheduler's `GET` routes (scheduler-and-cu-api.md §1; su `main.rs`, `flows.rs`, `local_store/store.rs`).
//!
//! One thing is better than there: a page of `limit` 1 that holds the process says truly whether more follows.

use serde_json::{Value, json};
use weft_codec::ao::Assignment;
use weft_codec::item::DataItem;
use weft_codec::scheduler_page::{Anchors, render, render_entry, render_process};
use weft_codec::{Code, Error, Id};

use super::blocks;
use super::ledger::EntryRow;
use super::reader::{Reader, not_here};
use super::reply::{Handled, Refusal, Reply};
use super::target::Target;
use crate::seams::{Clock, Store};

/// `limit` if it is not given, and its largest value.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 5_000;
/// A page stops after this many bytes of items, however many entries were asked for.
const MAX_PAGE_BYTES: usize = 64 << 20;
/// Entries read at a time.
const CHUNK: usize = 256;

/// The range of a list: nonces or timestamps, `from` exclusive, `to` inclusive.
struct Range {
    by_nonce: bool,
    from: Option<u64>,
    to: Option<u64>,
    limit: usize,
    anchors: Anchors,
}

fn bad(sentence: impl Into<String>) -> Refusal {
    Refusal::new(400, sentence)
}

/// A number parameter; what is no number is refused as the scheduler's query parser does.
fn number(target: &Target, name: &str) -> Handled<Option<u64>> {
    match target.get(name) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| bad(format!("`{name}` is not a number."))),
    }
}

impl Range {
    fn parse(target: &Target) -> Handled<Self> {
        let by_nonce = target.get("from-nonce").is_some() || target.get("to-nonce").is_some();
        let (from, to) = if by_nonce { ("from-nonce", "to-nonce") } else { ("from", "to") };
        // -1 stands for the beginning, the process included.
        let from = if target.get(from) == Some("-1") { None } else { number(target, from)? };
        let limit = match number(target, "limit")?.map(usize::try_from) {
            None => DEFAULT_LIMIT,
            Some(Ok(0)) => return Err(bad("`limit` is at least 1.")),
            Some(limit) => limit.unwrap_or(MAX_LIMIT).min(MAX_LIMIT),
        };
        let anchors = if target.present("show-anchor").is_some() { Anchors::Base64 } else { Anchors::Text };
        Ok(Self { by_nonce, from, to: number(target, to)?, limit, anchors })
    }

    /// What an entry is counted by: its place, or its timestamp.
    fn position(&self, slot: u64, row: &EntryRow) -> u64 {
        if self.by_nonce { slot } else { row.timestamp }
    }
}

impl<S: Store, C: Clock> Reader<S, C> {
    /// Answers `GET` of the scheduler.
    pub(super) async fn su_get(&self, target: &Target) -> Handled {
        let now = self.clock().now_ms();
        match target.path().as_slice() {
            [] | ["health"] => Ok(Reply::json(200, &json!({"timestamp": now, "address": self.address()}))),
            ["timestamp"] => {
                let tip = self.ledger().tip().await?;
                let height = tip.map_or_else(|| blocks::height_at(now), |tip| tip.block.height);
                let height = format!("{height:012}");
                Ok(Reply::json(200, &json!({"timestamp": now.to_string(), "block_height": height})))
            }
            ["processes", process] => self.process(id(process)?).await,
            [process, "latest"] => self.latest(id(process)?).await,
            [text] => {
                let found = id(text)?;
                // aoconnect's getMessages leaves process-id out; the path's id is meant then.
                let process = target.get("process-id").map(id).transpose()?.unwrap_or(found);
                if found != process {
                    return self.one(process, found, target).await;
                }
                self.list(process, &Range::parse(target)?).await
            }
            _ => Err(not_here()),
        }
    }

    async fn list(&self, process: Id, range: &Range) -> Handled {
        if self.ledger().head(process).await?.is_none() {
            return Err(bad("Message or Process not found"));
        }
        let mut slot = match (range.by_nonce, range.from) {
            (true, Some(from)) => from.saturating_add(1),
            _ => 0,
        };
        let (mut edges, mut bytes, mut more) = (Vec::new(), 0, false);
        'pages: loop {
            let rows = self.ledger().entries(process, slot, CHUNK).await?;
            let Some((last, _)) = rows.last() else { break };
            slot = last.saturating_add(1);
            for (at, row) in &rows {
                let position = range.position(*at, row);
                // The process stands at the beginning of a list only, never in one that goes on from somewhere.
                if range.from.is_some_and(|from| position <= from || *at == 0) {
                    continue;
                }
                if range.to.is_some_and(|to| position > to) {
                    break 'pages;
                }
                if edges.len() == range.limit || bytes > MAX_PAGE_BYTES {
                    more = true;
                    break 'pages;
                }
                let (node, size) = self.node(row, range.anchors).await?;
                bytes += size;
                edges.push((position.to_string(), node));
            }
        }
        Ok(Reply::json(200, &render(&edges, more)))
    }

    async fn one(&self, process: Id, found: Id, target: &Target) -> Handled {
        let slot = self.ledger().slot_of(process, found).await?;
        let row = match slot {
            Some(slot) => self.ledger().entry(process, slot).await?,
            None => None,
        };
        let row = row.ok_or_else(|| bad("Message or Process not found"))?;
        let anchors = if target.present("show-anchor").is_some() { Anchors::Base64 } else { Anchors::Text };
        Ok(Reply::json(200, &self.node(&row, anchors).await?.0))
    }

    async fn latest(&self, process: Id) -> Handled {
        let head = self.ledger().head(process).await?;
        let row = match head {
            Some(head) => self.ledger().entry(process, head.slot).await?,
            None => None,
        };
        let row = row.ok_or_else(|| bad("Latest message not available"))?;
        Ok(Reply::json(200, &self.node(&row, Anchors::Text).await?.0))
    }

    async fn process(&self, process: Id) -> Handled {
        let row = self.ledger().entry(process, 0).await?.ok_or_else(|| bad("Process not found"))?;
        let assignment = Assignment::read(self.kept(row.assignment).await?)?;
        let item = self.kept(process).await?;
        let mut value = render_process(&item, assignment.block_height, assignment.timestamp);
        set_id(&mut value, "process_id", process);
        Ok(Reply::json(200, &value))
    }

    /// An entry's JSON and the size of its items.
    async fn node(&self, row: &EntryRow, anchors: Anchors) -> Handled<(Value, usize)> {
        let assignment = self.kept(row.assignment).await?;
        let message = match row.message {
            Some(message) => Some(self.kept(message).await?),
            None => None,
        };
        let size = assignment.raw_tags.len() + message.as_ref().map_or(0, |item| item.data.len());
        let mut value = render_entry(Some(&assignment), message.as_ref(), anchors);
        set_id(&mut value["assignment"], "id", row.assignment);
        if let Some(message) = row.message {
            set_id(&mut value["message"], "id", message);
        }
        Ok((value, size + 2_048))
    }

    async fn kept(&self, id: Id) -> Handled<DataItem> {
        let item = self.ledger().item(id).await?;
        item.ok_or_else(|| {
            Error::new(Code::StoreCorrupt, format!("The item {id} is not in the store.")).into()
        })
    }
}

/// A server prints the id it keeps an item under; what that proves is the reader's business.
fn set_id(value: &mut Value, field: &str, id: Id) {
    if let Some(object) = value.as_object_mut() {
        object.insert(field.to_owned(), Value::from(id.to_string()));
    }
}

fn id(text: &str) -> Handled<Id> {
    text.parse().map_err(|_| bad("Message or Process not found"))
}
