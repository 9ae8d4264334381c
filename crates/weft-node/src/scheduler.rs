//! Pages of a history and what else a scheduler unit tells (scheduler-and-cu-api.md 1).

use serde::Deserialize;
use weft_codec::item::DataItem;
use weft_codec::scheduler_page::{self, Page};
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Id, Result};
use weft_verify::{Head, Untrusted, Verified};

use crate::event::Observer;
use crate::seams::{Clock, Fetch};
use crate::sources::{Reach, json_body};

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

/// The slot of the newest message, unproved: good for a progress bar.
pub(crate) async fn latest_slot<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    scheduler: &str,
    process: Id,
) -> Result<u64> {
    let path = format!("{process}/latest?process-id={process}&show-anchor=1");
    let body = json_body(reach.get(scheduler, &path, MAX_ENTRY_BYTES).await?)?;
    let entry = scheduler_page::parse_entry(&body)?;
    let assignment = entry.assignment.as_ref().map_or(u64::MAX, slot_of);
    (assignment != u64::MAX)
        .then_some(assignment)
        .ok_or_else(|| Error::new(Code::PageMalformed, "Its latest message has no slot."))
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
