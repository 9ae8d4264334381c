//! The tamper panel's work: a node that has proved the honest history meets a changed one.

use serde::Serialize;
use weft_codec::ao::Assignment;
use weft_codec::{Code, Error, Id, Result};
use weft_node::demo::tamper::{self, Tampering};
use weft_node::demo::{DemoArchive, DemoFetch};
use weft_node::memory::MemoryStore;
use weft_node::{Node, Options};

use crate::clock::BrowserClock;

/// `Tampering` of web/js/types.ts.
#[derive(Serialize)]
pub(crate) struct Listed {
    id: &'static str,
    sentence: &'static str,
    code: &'static str,
    subject: &'static str,
    slot: Option<u64>,
}

/// `Standing` of web/js/types.ts.
#[derive(Serialize, PartialEq, Eq)]
pub(crate) struct Standing {
    head: Option<u64>,
    replayed: Option<u64>,
    assignment: Option<Id>,
    memory_sha256: Option<Id>,
}

/// `TamperOutcome` of web/js/types.ts.
#[derive(Serialize)]
pub(crate) struct Outcome {
    id: &'static str,
    code: Option<&'static str>,
    sentence: String,
    expected: &'static str,
    subject: Option<String>,
    slot: Option<u64>,
    before: Standing,
    after: Standing,
}

pub(crate) fn list() -> Vec<Listed> {
    tamper::ALL
        .iter()
        .map(|t| Listed {
            id: t.id,
            sentence: t.sentence,
            code: t.code.as_str(),
            subject: t.subject,
            slot: t.slot,
        })
        .collect()
}

/// Two syncs over one store in memory. The first proves the honest history up to the slot that will be falsified: the
/// state before. The second lets that node meet the falsified history. Where the process or the module is falsified,
/// nothing is proved before it: a node that has them does not ask for them again.
pub(crate) async fn run(archive: &[u8], process: Option<Id>, id: &str) -> Result<Outcome> {
    let tampering: &Tampering = tamper::find(id)
        .ok_or_else(|| Error::new(Code::RequestInvalid, format!("There is no tampering called “{id}”.")))?;
    let honest = DemoArchive::decode(archive)?;
    let process = honest.process(process)?.id();
    let changed = tampering.apply(&honest, process)?;

    let store = MemoryStore::default();
    if let Some(last) = tampering.slot.and_then(|slot| slot.checked_sub(1)) {
        sync(&store, &honest, process, Some(last)).await?;
    }
    let before = standing(&store, process).await?;
    let outcome = sync(&store, &changed, process, None).await;
    let after = standing(&store, process).await?;

    let (code, sentence) = match &outcome {
        Ok(()) => (None, "The falsified history was taken for true.".to_owned()),
        Err(error) => (Some(error.code().as_str()), error.sentence().to_owned()),
    };
    let subject = outcome.as_ref().err().and_then(|error| error.field("subject")).map(str::to_owned);
    // The first slot that is not in the store is the one that was refused.
    let slot = after.head.map(|head| head + 1).filter(|_| code.is_some());
    let (id, expected) = (tampering.id, tampering.code.as_str());
    Ok(Outcome { id, code, sentence, expected, subject, slot, before, after })
}

async fn sync(store: &MemoryStore, archive: &DemoArchive, process: Id, to: Option<u64>) -> Result<()> {
    let node = Node::new(store, DemoFetch::new(archive).await?, BrowserClock::new());
    let options = Options { to, ..Options::default() };
    node.sync(process, &DemoFetch::sources(), &options, &()).await.map(drop)
}

async fn standing(store: &MemoryStore, process: Id) -> Result<Standing> {
    let node = Node::new(store, weft_node::memory::MemoryFetch::default(), BrowserClock::new());
    let Some(summary) = node.summary(process).await? else {
        return Ok(Standing { head: None, replayed: None, assignment: None, memory_sha256: None });
    };
    let assignment = match summary.head {
        Some(head) => node
            .entry(process, head)
            .await?
            .map(|e| Assignment::read(e.assignment))
            .transpose()?
            .map(|a| a.id),
        None => None,
    };
    Ok(Standing {
        head: summary.head,
        replayed: summary.replayed,
        assignment,
        memory_sha256: summary.memory_sha256,
    })
}
