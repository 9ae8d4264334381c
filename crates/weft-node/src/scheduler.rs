//! Pages of a history and what else a scheduler unit tells (scheduler-and-cu-api.md 1).

use serde::Deserialize;
use weft_codec::item::DataItem;
use weft_codec::scheduler_page::{self, Page};
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Id, Result};
use weft_verify::{Head, Untrusted, Verified};

use crate::event::Observer;
use crate::reach::{Reach, json_body};
use crate::seams::{Clock, Fetch};

/// The longest page that is read. A page that is longer is asked for again with half the slots.
const MAX_PAGE_BYTES: u64 = 64 << 20;
/// The longest answer about one entry.
const MAX_ENTRY_BYTES: u64 = 16 << 20;

/// The page after a head, its entries in the order of their slots.
///
/// By nonce, from the last verified slot rather than from the page's cursor: what was not proved is asked for
/// again. `from` (a time, exclusive) is for units without nonces; the others do not read it then.
pub(crate) async fn page<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    scheduler: &str,
    process: Id,
    head: Option<&Head>,
    to: Option<u64>,
    limit: u32,
) -> Result<Page> {
    let mut query = format!("process-id={process}");
    match head {
        Some(head) => {
            let before = head.timestamp.saturating_sub(1);
            query.push_str(&format!("&from-nonce={}&from={before}", head.slot));
        }
        None => query.push_str("&from-nonce=-1"),
    }
    if let Some(to) = to {
        query.push_str(&format!("&to-nonce={to}"));
    }
    let mut limit = limit.clamp(1, 5_000);
    loop {
        let path = format!("{process}?{query}&limit={limit}&show-anchor=1");
        match reach.get(scheduler, &path, MAX_PAGE_BYTES).await {
            Ok(response) => {
                let mut page = scheduler_page::parse(&json_body(response)?)?;
                // A scheduler sorts by time; entries of the same millisecond may come in any order.
                page.edges.sort_by_key(|edge| edge.entry.assignment.as_ref().map_or(0, slot_of));
                return Ok(page);
            }
            Err(error) if error.code() == Code::TooLarge && limit > 1 => limit /= 2,
            Err(error) => return Err(error),
        }
    }
}

/// The slot an assignment says it is for; the end of the page for one that says none.
pub(crate) fn slot_of(assignment: &DataItem) -> u64 {
    let text = assignment.tags.tag("Nonce").or_else(|| assignment.tags.tag("Slot"));
    text.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}

/// The process item, from the first entry of its history.
pub(crate) async fn process_item<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    scheduler: &str,
    process: Id,
) -> Result<Verified<DataItem>> {
    let page = page(reach, scheduler, process, None, None, 1).await?;
    let first = page.edges.into_iter().find_map(|edge| edge.entry.message);
    match first {
        Some(item) if item.id() == process => {
            weft_verify::item(Untrusted::new(item, scheduler), Some(process))
        }
        _ => Err(Error::new(Code::NotFound, "Its history of the process does not begin with the process.")),
    }
}

/// Where a scheduler says that a history ends. Nothing of it is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeadClaim {
    pub(crate) slot: u64,
    pub(crate) assignment: Id,
    pub(crate) timestamp: Option<u64>,
}

/// The newest message, unproved: good for a progress bar, and to compare.
pub(crate) async fn latest<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    scheduler: &str,
    process: Id,
) -> Result<HeadClaim> {
    let path = format!("{process}/latest?process-id={process}&show-anchor=1");
    let body = json_body(reach.question(scheduler, &path, MAX_ENTRY_BYTES).await?)?;
    let entry = scheduler_page::parse_entry(&body)?;
    let refuse = || Error::new(Code::PageMalformed, "Its latest message has no slot.");
    let assignment = entry.assignment.ok_or_else(refuse)?;
    let slot = slot_of(&assignment);
    if slot == u64::MAX {
        return Err(refuse());
    }
    let timestamp = assignment.tags.tag("Timestamp").and_then(|text| text.parse().ok());
    Ok(HeadClaim { slot, assignment: assignment.id(), timestamp })
}

/// The assignment a scheduler gives for one slot, unproved. Errors: `not-found`, `source-…`, those of the page.
pub(crate) async fn assignment_at<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    scheduler: &str,
    process: Id,
    slot: u64,
) -> Result<DataItem> {
    let from = slot.checked_sub(1).map_or_else(|| "-1".to_owned(), |before| before.to_string());
    let query = format!("process-id={process}&from-nonce={from}&to-nonce={slot}&limit=2&show-anchor=1");
    let body = json_body(reach.question(scheduler, &format!("{process}?{query}"), MAX_PAGE_BYTES).await?)?;
    let page = scheduler_page::parse(&body)?;
    let found = page.edges.into_iter().filter_map(|edge| edge.entry.assignment);
    found
        .into_iter()
        .find(|assignment| slot_of(assignment) == slot)
        .ok_or_else(|| Error::new(Code::NotFound, format!("It gives no assignment for slot {slot}.")))
}

#[derive(Deserialize)]
struct ProcessJson {
    block: String,
    timestamp: u64,
}

/// Height and time of the process, by the scheduler's word: `GET /processes/{id}`.
pub(crate) async fn origin<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    scheduler: &str,
    process: Id,
) -> Result<(u64, u64)> {
    let body = json_body(reach.get(scheduler, &format!("processes/{process}"), MAX_ENTRY_BYTES).await?)?;
    let refuse = || Error::new(Code::PageMalformed, "It does not tell when the process began.");
    let json: ProcessJson = serde_json::from_slice(&body).map_err(|cause| refuse().because(cause))?;
    let height = json.block.trim().parse().map_err(|cause| refuse().because(cause))?;
    Ok((height, json.timestamp))
}
