//! What the page shows of a stored process and of a stored message. The shapes are `ProcessCard` and `MessageCard` of
//! web/js/types.ts.

use serde::Serialize;
use weft_codec::ao::{Assignment, Process};
use weft_codec::tags::Tag;
use weft_codec::{Address, Id, Result};

use crate::api::Reader;

/// How much of a message's data is shown.
const SHOWN_BYTES: usize = 4 * 1024;

#[derive(Serialize)]
pub(crate) struct ProcessCard {
    process: Id,
    owner: Address,
    module: Id,
    scheduler: Address,
    tags: Vec<Tag>,
}

#[derive(Serialize)]
pub(crate) struct MessageCard {
    slot: u64,
    message: Id,
    assignment: Id,
    owner: Address,
    target: Option<Id>,
    tags: Vec<Tag>,
    data: String,
    data_bytes: usize,
}

pub(crate) async fn process_card(node: &Reader, process: Id) -> Result<Option<ProcessCard>> {
    let Some(carrier) = node.carrier(process).await? else { return Ok(None) };
    let process = Process::read(carrier)?;
    Ok(Some(ProcessCard {
        process: process.id,
        owner: process.owner,
        module: process.module,
        scheduler: process.scheduler,
        tags: process.tags,
    }))
}

pub(crate) async fn message_card(node: &Reader, process: Id, slot: u64) -> Result<Option<MessageCard>> {
    let Some(entry) = node.entry(process, slot).await? else { return Ok(None) };
    let assignment = Assignment::read(entry.assignment)?;
    let Some(message) = entry.message else { return Ok(None) };
    let shown = &message.data[..message.data.len().min(SHOWN_BYTES)];
    Ok(Some(MessageCard {
        slot,
        message: message.id(),
        assignment: assignment.id,
        owner: message.owner_address(),
        target: message.target,
        data: String::from_utf8_lossy(shown).into_owned(),
        data_bytes: message.data.len(),
        tags: message.tags,
    }))
}
