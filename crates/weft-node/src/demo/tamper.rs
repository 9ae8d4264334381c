//! Ways to falsify the demo's history. A sync of a falsified archive is refused with the code given here, and what
//! was proved before it stands.
//!
//! Each follows from a rule: the item's signature and id (ans104.md §1), the assignment's fields and its scheduler
//! (ao-messages.md §2.5), the hash chain (§4).

use weft_codec::item::DataItem;
use weft_codec::tags::{self, Tag};
use weft_codec::{Code, Error, Id, Result};

use super::archive::{DemoArchive, DemoChain, DemoProcess, Kept};
use super::build::{FORGED_SLOT, spare};

/// One way.
#[derive(Debug)]
pub struct Tampering {
    /// A name that stays.
    pub id: &'static str,
    /// What is done, in a sentence.
    pub sentence: &'static str,
    /// What a sync answers.
    pub code: Code,
    /// What it refuses: the error's field `subject`.
    pub subject: &'static str,
    /// The slot that is refused. `None`: the process or its module is, so nothing is replayed at all.
    pub slot: Option<u64>,
    change: fn(&mut DemoProcess) -> Result<()>,
}

impl Tampering {
    /// The archive with one process falsified.
    ///
    /// # Errors
    /// `not-found` for an archive that has no such process, slot or spare, such as one falsified before.
    pub fn apply(&self, archive: &DemoArchive, process: Id) -> Result<DemoArchive> {
        let mut archive = archive.clone();
        let mut all = archive.processes.iter_mut();
        let one = all.find(|one| one.id() == process).ok_or_else(|| absent("such process"))?;
        (self.change)(one)?;
        // Who falsifies a history keeps no index of Arweave, from which a sync would take the true one.
        archive.chain = DemoChain::default();
        Ok(archive)
    }
}

/// The tampering with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Tampering> {
    ALL.iter().find(|tampering| tampering.id == id)
}

const SLOT: usize = 12;
const AT: Option<u64> = Some(FORGED_SLOT);

/// All ways, in the order a page lists them.
pub const ALL: &[Tampering] = &[
    Tampering {
        id: "flip-message-byte",
        sentence: "One bit of a message's data is flipped.",
        code: Code::SignatureInvalid,
        subject: "message",
        slot: AT,
        change: |demo| edit(message(demo, SLOT)?, |item| flip(&mut item.data)),
    },
    Tampering {
        id: "raise-quantity",
        sentence: "A transfer of 60 is made one of 60000.",
        code: Code::SignatureInvalid,
        subject: "message",
        slot: AT,
        change: |demo| edit(message(demo, SLOT)?, |item| set_tag(item, "Quantity", "60000")),
    },
    Tampering {
        id: "cut-message",
        sentence: "A message's last bytes are cut off.",
        code: Code::SignatureInvalid,
        subject: "message",
        slot: AT,
        change: |demo| edit(message(demo, SLOT)?, cut),
    },
    Tampering {
        id: "replace-message",
        sentence: "A message is replaced by another one that is validly signed, but was never assigned.",
        code: Code::MessageMismatch,
        subject: "message",
        slot: AT,
        change: |demo| {
            let other = take_spare(demo, spare::OTHER_MESSAGE)?;
            *message(demo, SLOT)? = other;
            Ok(())
        },
    },
    Tampering {
        id: "hide-message",
        sentence: "A message is left out; its assignment stays.",
        code: Code::MessageMissing,
        subject: "message",
        slot: AT,
        change: |demo| {
            entry(demo, SLOT)?.message = None;
            Ok(())
        },
    },
    Tampering {
        id: "swap-messages",
        sentence: "Two messages change places.",
        code: Code::MessageMismatch,
        subject: "message",
        slot: AT,
        change: |demo| {
            let first = message(demo, SLOT)?.clone();
            let second = std::mem::replace(message(demo, SLOT + 1)?, first);
            *message(demo, SLOT)? = second;
            Ok(())
        },
    },
    Tampering {
        id: "change-slot",
        sentence: "An assignment says another slot than was signed.",
        code: Code::SignatureInvalid,
        subject: "assignment",
        slot: AT,
        change: |demo| edit(assignment(demo, SLOT)?, |item| set_tag(item, "Nonce", "13")),
    },
    Tampering {
        id: "drop-slot",
        sentence: "One slot is missing.",
        code: Code::SlotMissing,
        subject: "assignment",
        slot: AT,
        change: |demo| {
            entry(demo, SLOT)?;
            demo.entries.remove(SLOT);
            Ok(())
        },
    },
    Tampering {
        id: "break-hash-chain",
        sentence: "The scheduler signs a hash chain that does not follow from the slots before.",
        code: Code::HashChainBroken,
        subject: "assignment",
        slot: AT,
        change: |demo| replace_assignment(demo, spare::BROKEN_CHAIN),
    },
    Tampering {
        id: "forge-signer",
        sentence: "An assignment is signed by somebody else than the process's scheduler.",
        code: Code::SchedulerMismatch,
        subject: "assignment",
        slot: AT,
        change: |demo| replace_assignment(demo, spare::FORGED_SIGNER),
    },
    Tampering {
        id: "forge-signature",
        sentence: "One bit of an assignment's signature is flipped; its old id stays.",
        code: Code::IdMismatch,
        subject: "assignment",
        slot: AT,
        change: |demo| edit(assignment(demo, SLOT)?, |item| flip(&mut item.signature)),
    },
    Tampering {
        id: "other-process-assignment",
        sentence: "The scheduler's assignment is for another process.",
        code: Code::ProcessMismatch,
        subject: "assignment",
        slot: AT,
        change: |demo| replace_assignment(demo, spare::ELSEWHERE),
    },
    Tampering {
        id: "turn-back-time",
        sentence: "The scheduler signs a time before that of the slot before.",
        code: Code::TimestampBackwards,
        subject: "assignment",
        slot: AT,
        change: |demo| replace_assignment(demo, spare::EARLIER),
    },
    Tampering {
        id: "lower-height",
        sentence: "The scheduler signs a block height below that of the slot before.",
        code: Code::BlockHeightBackwards,
        subject: "assignment",
        slot: AT,
        change: |demo| replace_assignment(demo, spare::LOWER),
    },
    Tampering {
        id: "hide-anchor",
        sentence: "The source leaves out an assignment's anchor, without which its signature cannot be checked.",
        code: Code::AnchorMissing,
        subject: "assignment",
        slot: AT,
        change: |demo| {
            edit(assignment(demo, SLOT)?, |item| {
                item.anchor = None;
                Ok(())
            })
        },
    },
    Tampering {
        id: "flip-module-byte",
        sentence: "One bit of the module's program is flipped.",
        code: Code::SignatureInvalid,
        subject: "module",
        slot: None,
        change: |demo| edit(&mut demo.module, |item| flip(&mut item.data)),
    },
    Tampering {
        id: "cut-module",
        sentence: "The module's last bytes are cut off.",
        code: Code::ItemTruncated,
        subject: "module",
        slot: None,
        change: |demo| edit(&mut demo.module, cut),
    },
    Tampering {
        id: "replace-module",
        sentence: "Another validly signed module is given out as the one the process names.",
        code: Code::IdMismatch,
        subject: "module",
        slot: None,
        change: |demo| {
            let other = take_spare(demo, spare::OTHER_MODULE)?;
            demo.module = Kept { id: demo.module.id, ..other };
            Ok(())
        },
    },
    Tampering {
        id: "other-scheduler",
        sentence: "The process is made to name another scheduler.",
        code: Code::SignatureInvalid,
        subject: "process",
        slot: None,
        change: |demo| {
            let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
            edit_process(demo, |item| set_tag(item, "Scheduler", other))
        },
    },
    Tampering {
        id: "replace-process",
        sentence: "Another validly signed process is given out as this one.",
        code: Code::IdMismatch,
        subject: "process",
        slot: None,
        change: |demo| {
            let other = take_spare(demo, spare::OTHER_PROCESS)?;
            put_process(demo, Kept { id: demo.process.id, ..other })
        },
    },
];

fn absent(what: &str) -> Error {
    Error::new(Code::NotFound, format!("The archive has no {what} to falsify."))
}

fn entry(demo: &mut DemoProcess, slot: usize) -> Result<&mut super::archive::DemoEntry> {
    demo.entries.get_mut(slot).ok_or_else(|| absent("such slot"))
}

fn message(demo: &mut DemoProcess, slot: usize) -> Result<&mut Kept> {
    entry(demo, slot)?.message.as_mut().ok_or_else(|| absent("such message"))
}

fn assignment(demo: &mut DemoProcess, slot: usize) -> Result<&mut Kept> {
    Ok(&mut entry(demo, slot)?.assignment)
}

fn take_spare(demo: &mut DemoProcess, name: &str) -> Result<Kept> {
    demo.spares.remove(name).ok_or_else(|| absent(name))
}

fn replace_assignment(demo: &mut DemoProcess, name: &str) -> Result<()> {
    let other = take_spare(demo, name)?;
    *assignment(demo, SLOT)? = other;
    Ok(())
}

/// Changes an item; what is said of it stays.
fn edit(kept: &mut Kept, change: impl FnOnce(&mut DataItem) -> Result<()>) -> Result<()> {
    let mut item = kept.item()?;
    change(&mut item)?;
    kept.bytes = item.to_bytes();
    Ok(())
}

/// The process stands in two places: by itself, and as the message of slot 0.
fn put_process(demo: &mut DemoProcess, process: Kept) -> Result<()> {
    *message(demo, 0)? = process.clone();
    demo.process = process;
    Ok(())
}

fn edit_process(demo: &mut DemoProcess, change: impl FnOnce(&mut DataItem) -> Result<()>) -> Result<()> {
    let mut process = demo.process.clone();
    edit(&mut process, change)?;
    put_process(demo, process)
}

fn flip(bytes: &mut [u8]) -> Result<()> {
    let middle = bytes.len() / 2;
    let byte = bytes.get_mut(middle).ok_or_else(|| absent("such byte"))?;
    *byte ^= 1;
    Ok(())
}

fn cut(item: &mut DataItem) -> Result<()> {
    let left = item.data.len().checked_sub(4).ok_or_else(|| absent("such bytes"))?;
    item.data.truncate(left);
    Ok(())
}

fn set_tag(item: &mut DataItem, name: &str, value: &str) -> Result<()> {
    let tag = item.tags.iter_mut().find(|tag| tag.name == name).ok_or_else(|| absent(name))?;
    *tag = Tag::new(name, value);
    item.raw_tags = tags::encode(&item.tags);
    Ok(())
}
