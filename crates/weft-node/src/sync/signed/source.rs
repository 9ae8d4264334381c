//! What a HyperBEAM node answers about a process it schedules (reference scheduler-and-cu-api.md, devices.md `scheduler@1.0`).

use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{Node, Tabm};
use weft_codec::{Code, Error, Id, Result};
use weft_verify::http::{SignedAssignment, schedule_page, signed_assignment};
use weft_verify::{Untrusted, Verified};

use crate::event::Observer;
use crate::reach::Reach;
use crate::seams::{Clock, Fetch, Response};

/// The longest answer with assignments.
const MAX_PAGE_BYTES: u64 = 64 << 20;
/// The longest answer with one message.
const MAX_MESSAGE_BYTES: u64 = 32 << 20;
/// The longest number that is read.
const MAX_NUMBER_BYTES: u64 = 1 << 20;
/// The most slots of a page: each has all its commitments and nested messages in it.
const MAX_SLOTS: u32 = 100;

/// What a node gave of a schedule.
pub(super) struct SchedulePage {
    /// In the order of their slots, unproved.
    pub(super) assignments: Vec<Tabm>,
    /// Whether it says that there is more.
    pub(super) continues: bool,
}

/// The slots from one on, as many as a page may have. With nested messages in their place: a link would have to be followed, and
/// what is signed covers what it leads to.
pub(super) async fn page<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    url: &str,
    process: Id,
    from: u64,
    to: Option<u64>,
    slots: u32,
) -> Result<SchedulePage> {
    let mut slots = slots.clamp(1, MAX_SLOTS);
    loop {
        let last = from.saturating_add(u64::from(slots) - 1);
        let last = to.map_or(last, |to| last.min(to));
        let path = format!("{process}~process@1.0/schedule?from={from}&to={last}");
        match reach.get_message(url, &path, MAX_PAGE_BYTES).await {
            Ok(response) => return read_page(response),
            Err(error) if error.code() == Code::TooLarge && slots > 1 => slots /= 2,
            Err(error) => return Err(error),
        }
    }
}

fn read_page(response: Response) -> Result<SchedulePage> {
    let encoded = encoded(response)?;
    let mut assignments = schedule_page(&encoded)?;
    assignments.sort_by_key(slot_of);
    let continues = encoded.text("continues").is_some_and(|word| word == "true");
    Ok(SchedulePage { assignments, continues })
}

/// The slot that an assignment says it is for; the end of the page for one that says none.
pub(super) fn slot_of(assignment: &Tabm) -> u64 {
    assignment.text("slot").and_then(|slot| slot.parse().ok()).unwrap_or(u64::MAX)
}

/// The assignment of one slot, proved by itself. Errors: `not-found`, `source-…`, those of the proof.
pub(super) async fn assignment_at<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    url: &str,
    process: Id,
    slot: u64,
) -> Result<Verified<SignedAssignment>> {
    let page = page(reach, url, process, slot, Some(slot), 1).await?;
    let found = page.assignments.into_iter().find(|assignment| slot_of(assignment) == slot);
    let found = found
        .ok_or_else(|| Error::new(Code::NotFound, format!("It gives no assignment for slot {slot}.")))?;
    signed_assignment(Untrusted::new(found, url))
}

/// Where a node says that a history ends; nothing of it is proved.
pub(super) async fn current<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    url: &str,
    process: Id,
) -> Result<u64> {
    let path = format!("{process}~process@1.0/slot/current");
    let response = reach.get_message(url, &path, MAX_NUMBER_BYTES).await?;
    let number = std::str::from_utf8(&response.body).ok().and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| Error::new(Code::PageMalformed, "It does not say a slot."))
}

/// The message under an id, with its commitments.
pub(super) async fn message<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    url: &str,
    id: Id,
) -> Result<Tabm> {
    let encoded = encoded(reach.get_message(url, &id.to_string(), MAX_MESSAGE_BYTES).await?)?;
    let mut message = httpsig::decode(&encoded)?;
    // A node says the status of its answer among the keys.
    message.remove("status");
    match message.get("commitments") {
        Some(Node::Map(_)) => Ok(message),
        _ => Err(Error::new(Code::SignatureMissing, "The message came without its commitments.")),
    }
}

fn encoded(response: Response) -> Result<Encoded> {
    Encoded::received(response.headers, response.body)
}
