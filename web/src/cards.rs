//! What the page shows of a stored process and of a stored message. The shapes are `ProcessCard` and `MessageCard` of
//! web/js/types.ts.

use serde::Serialize;
use weft_codec::ao::{Assignment, Process};
use weft_codec::message::{Node, Tabm};
use weft_codec::tags::Tag;
use weft_codec::{Address, Id, Result};
use weft_verify::Untrusted;
use weft_verify::http::{signed_assignment, signed_process};

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
    let Some(carrier) = node.carrier(process).await? else { return signed_process_card(node, process).await };
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
    let Some(entry) = node.entry(process, slot).await? else {
        return signed_message_card(node, process, slot).await;
    };
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

/// A process that a HyperBEAM node schedules, of its slot 0.
async fn signed_process_card(node: &Reader, process: Id) -> Result<Option<ProcessCard>> {
    let Some(first) = node.signed_entry(process, 0).await? else { return Ok(None) };
    let proved = signed_process(process, &signed_assignment(Untrusted::new(first, "the store"))?)?;
    Ok(Some(ProcessCard {
        process,
        owner: proved.owner.clone(),
        module: proved.modules.first().copied().unwrap_or(process),
        scheduler: proved.signer.clone(),
        tags: keys(&proved.message),
    }))
}

async fn signed_message_card(node: &Reader, process: Id, slot: u64) -> Result<Option<MessageCard>> {
    let Some(entry) = node.signed_entry(process, slot).await? else { return Ok(None) };
    let proved = signed_assignment(Untrusted::new(entry, "the store"))?;
    let body = proved.shown.map("body");
    let data = body.and_then(|body| body.binary("data").or_else(|| body.binary("body"))).unwrap_or_default();
    Ok(Some(MessageCard {
        slot,
        message: proved.message_id,
        assignment: proved.id,
        owner: proved.authors.first().unwrap_or(&proved.signer).clone(),
        target: body.and_then(|body| body.text("target")).and_then(|target| target.parse().ok()),
        tags: body.map(keys).unwrap_or_default(),
        data: String::from_utf8_lossy(&data[..data.len().min(SHOWN_BYTES)]).into_owned(),
        data_bytes: data.len(),
    }))
}

/// The keys of a message that are text, but for its data.
fn keys(message: &Tabm) -> Vec<Tag> {
    let text = |(name, node): (&String, &Node)| match node {
        Node::Binary(value) if name != "data" && name != "body" => {
            let shown = &value[..value.len().min(SHOWN_BYTES)];
            Some(Tag { name: name.clone(), value: String::from_utf8_lossy(shown).into_owned() })
        }
        _ => None,
    };
    message.content().iter().filter_map(text).collect()
}
