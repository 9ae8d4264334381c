//! Ways to falsify the demo's history. A sync of a falsified archive is refused with the code given here, and what
//! was proved before it stands.
//!
//! Each follows from a rule: the item's signature and id (ans104.md §1), the assignment's fields and its scheduler
//! (ao-messages.md §2.5), the hash chain (§4).

use weft_codec::item::DataItem;
use weft_codec::tags::{self, Tag};
use weft_codec::{Code, Error, Result};

use super::archive::{DemoArchive, DemoChain, Kept};
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
    change: fn(&mut DemoArchive) -> Result<()>,
}

impl Tampering {
    /// The falsified archive.
    ///
    /// # Errors
    /// `not-found` for an archive that has no such slot or spare, such as one falsified before.
    pub fn apply(&self, archive: &DemoArchive) -> Result<DemoArchive> {
        let mut archive = archive.clone();
        (self.change)(&mut archive)?;
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
        change: |archive| edit(message(archive, SLOT)?, |item| flip(&mut item.data)),
    },
    Tampering {
        id: "raise-quantity",
        sentence: "A transfer of 60 is made one of 60000.",
        code: Code::SignatureInvalid,
        subject: "message",
        slot: AT,
        change: |archive| edit(message(archive, SLOT)?, |item| set_tag(item, "Quantity", "60000")),
    },
    Tampering {
        id: "cut-message",
        sentence: "A message's last bytes are cut off.",
        code: Code::SignatureInvalid,
        subject: "message",
        slot: AT,
        change: |archive| edit(message(archive, SLOT)?, cut),
    },
    Tampering {
        id: "replace-message",
        sentence: "A message is replaced by another one that is validly signed, but was never assigned.",
        code: Code::MessageMismatch,
        subject: "message",
        slot: AT,
        change: |archive| {
            let other = take_spare(archive, spare::OTHER_MESSAGE)?;
            *message(archive, SLOT)? = other;
            Ok(())
        },
    },
    Tampering {
        id: "hide-message",
        sentence: "A message is left out; its assignment stays.",
        code: Code::MessageMissing,
        subject: "message",
        slot: AT,
        change: |archive| {
            entry(archive, SLOT)?.message = None;
            Ok(())
        },
    },
    Tampering {
        id: "swap-messages",
        sentence: "Two messages change places.",
        code: Code::MessageMismatch,
        subject: "message",
        slot: AT,
        change: |archive| {
            let first = message(archive, SLOT)?.clone();
            let second = std::mem::replace(message(archive, SLOT + 1)?, first);
            *message(archive, SLOT)? = second;
            Ok(())
        },
    },
    Tampering {
        id: "change-slot",
        sentence: "An assignment says another slot than was signed.",
        code: Code::SignatureInvalid,
        subject: "assignment",
        slot: AT,
        change: |archive| edit(assignment(archive, SLOT)?, |item| set_tag(item, "Nonce", "13")),
    },
    Tampering {
        id: "drop-slot",
        sentence: "One slot is missing.",
        code: Code::SlotMissing,
        subject: "assignment",
        slot: AT,
        change: |archive| {
            entry(archive, SLOT)?;
            archive.entries.remove(SLOT);
            Ok(())
        },
    },
    Tampering {
        id: "break-hash-chain",
        sentence: "The scheduler signs a hash chain that does not follow from the slots before.",
        code: Code::HashChainBroken,
        subject: "assignment",
        slot: AT,
        change: |archive| replace_assignment(archive, spare::BROKEN_CHAIN),
    },
    Tampering {
        id: "forge-signer",
        sentence: "An assignment is signed by somebody else than the process's scheduler.",
        code: Code::SchedulerMismatch,
        subject: "assignment",
        slot: AT,
        change: |archive| replace_assignment(archive, spare::FORGED_SIGNER),
    },
    Tampering {
        id: "forge-signature",
        sentence: "One bit of an assignment's signature is flipped; its old id stays.",
        code: Code::IdMismatch,
        subject: "assignment",
        slot: AT,
        change: |archive| edit(assignment(archive, SLOT)?, |item| flip(&mut item.signature)),
    },
    Tampering {
        id: "other-process-assignment",
        sentence: "The scheduler's assignment is for another process.",
        code: Code::ProcessMismatch,
        subject: "assignment",
        slot: AT,
        change: |archive| replace_assignment(archive, spare::ELSEWHERE),
    },
    Tampering {
        id: "turn-back-time",
        sentence: "The scheduler signs a time before that of the slot before.",
        code: Code::TimestampBackwards,
        subject: "assignment",
        slot: AT,
        change: |archive| replace_assignment(archive, spare::EARLIER),
    },
    Tampering {
        id: "lower-height",
        sentence: "The scheduler signs a block height below that of the slot before.",
        code: Code::BlockHeightBackwards,
        subject: "assignment",
        slot: AT,
        change: |archive| replace_assignment(archive, spare::LOWER),
    },
    Tampering {
        id: "hide-anchor",
        sentence: "The source leaves out an assignment's anchor, without which its signature cannot be checked.",
        code: Code::AnchorMissing,
        subject: "assignment",
        slot: AT,
        change: |archive| {
            edit(assignment(archive, SLOT)?, |item| {
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
        change: |archive| edit(&mut archive.module, |item| flip(&mut item.data)),
    },
    Tampering {
        id: "cut-module",
        sentence: "The module's last bytes are cut off.",
        code: Code::ItemTruncated,
        subject: "module",
        slot: None,
        change: |archive| edit(&mut archive.module, cut),
    },
    Tampering {
        id: "replace-module",
        sentence: "Another validly signed module is given out as the one the process names.",
        code: Code::IdMismatch,
        subject: "module",
        slot: None,
        change: |archive| {
            let other = take_spare(archive, spare::OTHER_MODULE)?;
            archive.module = Kept { id: archive.module.id, ..other };
            Ok(())
        },
    },
    Tampering {
        id: "other-scheduler",
        sentence: "The process is made to name another scheduler.",
        code: Code::SignatureInvalid,
        subject: "process",
        slot: None,
        change: |archive| {
            let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
            edit_process(archive, |item| set_tag(item, "Scheduler", other))
        },
    },
    Tampering {
        id: "replace-process",
        sentence: "Another validly signed process is given out as this one.",
        code: Code::IdMismatch,
        subject: "process",
        slot: None,
        change: |archive| {
            let other = take_spare(archive, spare::OTHER_PROCESS)?;
            put_process(archive, Kept { id: archive.process.id, ..other })
        },
    },
];

fn absent(what: &str) -> Error {
    Error::new(Code::NotFound, format!("The archive has no {what} to falsify."))
}

fn entry(archive: &mut DemoArchive, slot: usize) -> Result<&mut super::archive::DemoEntry> {
    archive.entries.get_mut(slot).ok_or_else(|| absent("such slot"))
}

fn message(archive: &mut DemoArchive, slot: usize) -> Result<&mut Kept> {
    entry(archive, slot)?.message.as_mut().ok_or_else(|| absent("such message"))
}

fn assignment(archive: &mut DemoArchive, slot: usize) -> Result<&mut Kept> {
    Ok(&mut entry(archive, slot)?.assignment)
}

fn take_spare(archive: &mut DemoArchive, name: &str) -> Result<Kept> {
    archive.spares.remove(name).ok_or_else(|| absent(name))
}

fn replace_assignment(archive: &mut DemoArchive, name: &str) -> Result<()> {
    let other = take_spare(archive, name)?;
    *assignment(archive, SLOT)? = other;
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
fn put_process(archive: &mut DemoArchive, process: Kept) -> Result<()> {
    *message(archive, 0)? = process.clone();
    archive.process = process;
    Ok(())
}

fn edit_process(archive: &mut DemoArchive, change: impl FnOnce(&mut DataItem) -> Result<()>) -> Result<()> {
    let mut process = archive.process.clone();
    edit(&mut process, change)?;
    put_process(archive, process)
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
