//! The entries of a history: those of a page, or the stored ones of a folder.

use std::collections::BTreeMap;

use weft_codec::ao::{Assignment, Process};
use weft_codec::item::DataItem;
use weft_codec::{Code, Id, Result};
use weft_verify::{HistoryEntry, HistoryVerifier, SchedulerPolicy, Status, Untrusted, Verified};

use super::layer1::Layer1;
use super::schedule::Schedules;
use super::{Line, Report, Verdict};

/// An assignment and, unless it is an Assign, its message.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) assignment: DataItem,
    pub(super) message: Option<DataItem>,
}

/// What belongs together across files: stored entries by folder and process, and layer 1.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Blocks, chunks and transactions, which are looked at together at the end.
    pub(super) layer1: Layer1,
    /// Schedules of HyperBEAM nodes.
    pub(super) schedules: Schedules,
    entries: BTreeMap<(String, Id), Vec<(u64, Entry)>>,
}

impl Collected {
    pub(super) fn add(&mut self, folder: &str, entries: Vec<Entry>) {
        for entry in entries {
            if let Ok(assignment) = Assignment::read(entry.assignment.clone()) {
                let key = (folder.to_owned(), assignment.process);
                self.entries.entry(key).or_default().push((assignment.slot, entry));
            }
        }
    }

    /// One line for each process whose slot 0 is there.
    pub(super) fn verify_histories(self, policy: &SchedulerPolicy, report: &mut Report<'_>) {
        for ((folder, _), mut entries) in self.entries {
            entries.sort_by_key(|(slot, _)| *slot);
            let entries = entries.into_iter().map(|(_, entry)| entry).collect();
            if let Some(line) = history(&folder, entries, policy) {
                report.push(&line);
            }
        }
    }
}

/// Proves the entries of the process that is the first one's message. `None` if it is not there, as in a page that
/// begins later, or in those of before the process had a slot.
pub(super) fn history(path: &str, entries: Vec<Entry>, policy: &SchedulerPolicy) -> Option<Line> {
    let first = entries.first()?;
    let process = first.message.clone()?;
    let id = process.id();
    if Assignment::read(first.assignment.clone()).ok()?.process != id {
        return None;
    }
    let verdict = match follow(path, process, entries, policy) {
        Ok(said) => Verdict::Valid(said),
        Err(error) => Verdict::Refused(error),
    };
    Some(Line { path: path.to_owned(), kind: "history", id: Some(id.to_string()), verdict })
}

fn follow(path: &str, process: DataItem, entries: Vec<Entry>, policy: &SchedulerPolicy) -> Result<String> {
    let process: Verified<Process> =
        weft_verify::process(weft_verify::item(Untrusted::new(process, path), None)?)?;
    let mut verifier = HistoryVerifier::new(&process, policy.clone());
    let (mut named_only, mut by_you) = (0_usize, false);
    for Entry { assignment, message } in entries {
        let entry = HistoryEntry { assignment: assignment.clone(), message };
        let checks = match verifier.next(Untrusted::new(entry, path)) {
            Ok(entry) => entry.into_parts().1,
            // An Assign: its order is proved, its message is elsewhere.
            Err(error) if error.code() == Code::MessageMissing => {
                named_only += 1;
                verifier.next_assignment(Untrusted::new(assignment, path))?.into_parts().1
            }
            Err(error) => return Err(error),
        };
        by_you |= checks.iter().any(|check| check.status != Status::Proved);
    }
    let last = verifier.head().map_or(0, |head| head.slot);
    let mut said = format!("slots 0 to {last} follow each other");
    if named_only > 0 {
        said.push_str(&format!("; {named_only} messages are only named"));
    }
    if by_you {
        said.push_str("; the signer of assignments is trusted by you");
    }
    Ok(said)
}
