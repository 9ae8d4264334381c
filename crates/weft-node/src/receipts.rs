//! Receipts: what was checked with which evidence, and what is only somebody's word.

use std::collections::{BTreeMap, BTreeSet};

use weft_codec::{Address, Code, Error, Result};
use weft_verify::{Check, Receipt, SchedulerPolicy, Status};

use crate::archive::{Archive, Record};
use crate::seams::{Batch, Store};
use crate::sync::replay::{Proofs, stored_entry, verifier_at};
use crate::sync::stored_process;

/// The receipt of a whole history: the proofs of process and module, one line for each kind of check over all
/// slots with its count, and every assumption that is left.
pub(crate) fn of_history(record: &Record, proofs: &Proofs) -> Receipt {
    let mut checks = proofs.process.checks().to_vec();
    if let Some(module) = &proofs.module {
        checks.extend_from_slice(module.checks());
    }
    for (claim, tally) in &record.tallies {
        if tally.proved > 0 {
            let evidence = [("count", tally.proved.to_string())];
            checks.push(check(record, claim, Status::Proved, &evidence, &tally.sentence));
        }
        for (by, count) in &tally.trusted {
            let evidence = [("count", count.to_string())];
            checks.push(check(record, claim, trusted(by), &evidence, &tally.sentence));
        }
    }
    checks.extend(assumptions(record));
    Receipt::new(record.process.to_string(), checks)
}

/// The receipt of one slot, from its stored bytes.
pub(crate) async fn of_slot<S: Store>(
    archive: &Archive<'_, S>,
    record: &Record,
    slot: u64,
) -> Result<Receipt> {
    let head = record.head.as_ref().map(|head| head.slot);
    if head.is_none_or(|head| slot > head) {
        return Err(Error::new(Code::NotFound, format!("Slot {slot} is not in the store.")));
    }
    let process = stored_process(archive, record.process).await?;
    // The signers were accepted when the slot came in; the receipt says which one this slot rests on.
    let policy = SchedulerPolicy { accepted: accepted(archive, record, slot).await? };
    let mut verifier = verifier_at(archive, &process, policy, slot).await?;
    let entry = stored_entry(archive, &mut verifier, record.process, slot).await?;
    let mut checks = entry.checks().to_vec();
    if let Some(result) = archive.result(record.process, slot).await? {
        let mut evidence =
            vec![("gas", result.gas.to_string()), ("rolled-back", result.rolled_back.to_string())];
        if let Some(earlier) = result.duplicate_of {
            evidence.push(("duplicate-of", earlier.to_string()));
        }
        if let Some(failure) = &result.failure {
            evidence.push(("failure", failure.clone()));
        }
        checks.push(check(record, "replay", trusted("this node"), &evidence, REPLAY));
    }
    Ok(Receipt::new(format!("{}/{slot}", record.process), checks))
}

async fn accepted<S: Store>(
    archive: &Archive<'_, S>,
    record: &Record,
    slot: u64,
) -> Result<BTreeSet<Address>> {
    let entry = archive.slot(&Batch::default(), record.process, slot).await?;
    let signer = entry.map(|entry| entry.assignment.owner_address());
    Ok(signer.filter(|signer| *signer != record.scheduler).into_iter().collect())
}

const REPLAY: &str = "The results were computed on this device, from the proved entries and the proved module. That the \
                      interpreter computes as the network's compute units do is tested, not proved.";

/// What no check covers.
fn assumptions(record: &Record) -> Vec<Check> {
    let scheduler = record.scheduler.to_string();
    let mut checks = Vec::new();
    if let Some(head) = &record.head {
        let evidence = [
            ("slot", head.slot.to_string()),
            ("assignment", head.assignment_id.to_string()),
            ("timestamp", head.timestamp.to_string()),
            ("block-height", head.block_height.to_string()),
        ];
        let complete = "That this slot is the newest, that no message was withheld and that nobody was shown another \
                        order is the scheduler's word: a hash chain commits to what came before, not to what is kept back.";
        checks.push(check(record, "history-complete", trusted(&scheduler), &evidence, complete));
        let times = "Times and block heights of the slots are the scheduler's; they were only checked not to go back.";
        checks.push(check(record, "slot-times", trusted(&scheduler), &[], times));
    }
    let stored = "That the items are stored on Arweave was not asked for: their signatures do not need it.";
    checks.push(check(record, "arweave-inclusion", trusted("sources"), &[], stored));
    if let Some(boot) = &record.boot {
        let evidence = [
            ("from", boot.source.clone()),
            ("timestamp", boot.timestamp.to_string()),
            ("block-height", boot.block_height.to_string()),
        ];
        let sentence = "The process is older than the boot loader: when it began is the scheduler's word.";
        checks.push(check(record, "process-origin", trusted(&scheduler), &evidence, sentence));
    }
    if !record.crons_left_out.is_empty() {
        let evidence = [("intervals", record.crons_left_out.join(", "))];
        let sentence = "The process has cron messages. They were left out because you allowed it: the results may \
                        differ from the network's.";
        checks.push(check(record, "crons-left-out", trusted("you"), &evidence, sentence));
    }
    if let Some(replay) = &record.replay {
        let mut evidence = vec![
            ("slot", replay.slot.to_string()),
            ("evaluated", replay.evaluated.to_string()),
            ("duplicates", replay.duplicates.to_string()),
            ("failed", replay.failed.to_string()),
        ];
        if let Some(memory) = replay.memory_sha256 {
            evidence.push(("memory-sha256", memory.to_string()));
        }
        checks.push(check(record, "replay", trusted("this node"), &evidence, REPLAY));
    }
    checks
}

fn trusted(by: &str) -> Status {
    Status::Trusted { by: by.to_owned() }
}

fn check(record: &Record, claim: &str, status: Status, evidence: &[(&str, String)], sentence: &str) -> Check {
    let evidence: BTreeMap<String, String> =
        evidence.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Check {
        claim: claim.to_owned(),
        subject: record.process.to_string(),
        status,
        evidence,
        sentence: sentence.to_owned(),
    }
}
