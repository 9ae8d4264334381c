//! Receipts: what was checked with which evidence, and what is only somebody's word.

use std::collections::{BTreeMap, BTreeSet};

use weft_codec::{Address, Code, Error, Result};
use weft_verify::{Check, FraudProof, Head, Receipt, SchedulerPolicy, Status, Untrusted};

use crate::archive::{Archive, Form, Record, corrupt};
use crate::heads::{self, HeadSeen, Standing};
use crate::include;
use crate::quorum::Tally;
use crate::seams::{Batch, Store, Table};
use crate::sync::replay::{stored_entry, verifier_at};
use crate::sync::{signed, stored_process};

/// The receipt of a whole history: `checks` of process and module, one line for each kind of check over all
/// slots with its count, and every assumption that is left.
pub(crate) fn of_history(
    record: &Record,
    mut checks: Vec<Check>,
    frauds: &[FraudProof],
    included: usize,
) -> Receipt {
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
    checks.extend(frauds.iter().map(|proof| fraud(record, proof)));
    checks.extend(assumptions(record, included));
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
    let mut checks = match record.form {
        Form::Items => item_checks(archive, record, slot).await?,
        Form::Messages => signed::slot_checks(archive, record, slot).await?,
    };
    if let Some(result) = archive.result(record.process, slot).await? {
        let mut evidence =
            vec![("gas", result.gas.to_string()), ("rolled-back", result.rolled_back.to_string())];
        if let Some(engine) = record.engine {
            evidence.push(("engine", engine.name().to_owned()));
        }
        if let Some(on) = result.ran_on {
            evidence.push(("ran-on", on.name().to_owned()));
        }
        if let Some(version) = result.gas_version {
            evidence.push(("gas-version", version.to_string()));
        }
        if let Some(earlier) = result.duplicate_of {
            evidence.push(("duplicate-of", earlier.to_string()));
        }
        if let Some(failure) = &result.failure {
            evidence.push(("failure", failure.clone()));
        }
        checks.push(check(record, "replay", trusted("this node"), &evidence, REPLAY));
        if !result.not_replayable.is_empty() {
            let evidence = [("used", result.not_replayable.join(", "))];
            checks.push(check(record, "not-replayable", trusted("this node"), &evidence, NOT_REPLAYABLE));
        }
        if let Some(earlier) = result.follows_not_replayable {
            let evidence = [("slot", earlier.to_string())];
            checks.push(check(
                record,
                "follows-not-replayable",
                trusted("this node"),
                &evidence,
                FOLLOWS_NOT_REPLAYABLE,
            ));
        }
    }
    let kept = archive.inclusions(record.process, slot).await?;
    let found = include::checks(&kept);
    checks.extend(
        found.map_err(|cause| corrupt(Table::Slots, &format!("{}/{slot}", record.process)).because(cause))?,
    );
    Ok(Receipt::new(format!("{}/{slot}", record.process), checks))
}

/// The checks of a slot's items, made anew.
async fn item_checks<S: Store>(archive: &Archive<'_, S>, record: &Record, slot: u64) -> Result<Vec<Check>> {
    let process = stored_process(archive, record.process).await?;
    // The signers were accepted when the slot came in; the receipt says which one this slot rests on.
    let policy =
        SchedulerPolicy { accepted: accepted(archive, record, slot).await?, ..SchedulerPolicy::default() };
    let mut verifier = verifier_at(archive, &process, policy, slot).await?;
    Ok(stored_entry(archive, &mut verifier, record.process, slot).await?.checks().to_vec())
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

const NOT_REPLAYABLE: &str = "A script asked for the time or for chance, which are not in the history. Another machine has others: this \
                              result, and all that follows from it, may be another there.";

const FOLLOWS_NOT_REPLAYABLE: &str = "This slot went on from the state of an earlier one whose result depended on the time or on chance. What came of \
                                      it may be another elsewhere.";

/// What no check covers.
fn assumptions(record: &Record, included: usize) -> Vec<Check> {
    let scheduler = record.scheduler.to_string();
    let mut checks = Vec::new();
    if let Some(head) = &record.head {
        checks.push(complete(record, head));
        let times = "Times and block heights of the slots are the scheduler's; they were only checked not to go back.";
        checks.push(check(record, "slot-times", trusted(&scheduler), &[], times));
    }
    if let Some(location) = &record.location {
        let sentence = "The scheduler's own signed record says where it is. That it is the newest record is what gateways say.";
        let found = location.tally.check("scheduler-location", &record.scheduler, sentence);
        checks.push(found.with("record", location.record).with("url", &location.url));
    }
    if let Some(listing) = &record.listing {
        let sentence = "The history, or a part of it, was rebuilt from the assignments on Arweave, as gateways list them. \
                        Each is proved; of all pages this is the one that the fewest gateways list alike.";
        checks.push(listing.check("assignment-listing", record.process, sentence));
    }
    checks.push(stored(record, included));
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
        if let Some(engine) = record.engine {
            evidence.push(("engine", engine.name().to_owned()));
        }
        checks.push(check(record, "replay", trusted("this node"), &evidence, REPLAY));
        if replay.not_replayable > 0 {
            let evidence = [("slots", replay.not_replayable.to_string())];
            checks.push(check(record, "not-replayable", trusted("this node"), &evidence, NOT_REPLAYABLE));
        }
    }
    checks
}

/// Whether items are on Arweave.
fn stored(record: &Record, included: usize) -> Check {
    let (sentence, evidence) = if included == 0 {
        ("That the items are stored on Arweave was not asked for: their signatures do not need it.", vec![])
    } else {
        let sentence = "Some of the items have a proof of their place in a block; the receipts of their slots have it. Of the \
                        others it was not asked for: their signatures do not need it.";
        (sentence, vec![("proofs", included.to_string())])
    };
    check(record, "arweave-inclusion", trusted("sources"), &evidence, sentence)
}

/// Where the history ends: by one scheduler's word, or as several sources say.
fn complete(record: &Record, head: &Head) -> Check {
    let scheduler = record.scheduler.to_string();
    let withheld = "That no message was withheld and that nobody was shown another order is the scheduler's word: a hash \
                    chain commits to what came before, not to what is kept back.";
    let tally = end_of(record, head);
    let mut found = if record.heads.len() > 1 && !tally.by.is_empty() {
        let (k, n) = (tally.by.len(), tally.asked);
        let until = if record.heads_to_slot { "has this assignment at" } else { "ends at" };
        let mut sentence = format!("{k} of {n} sources say that the history {until} slot {}.", head.slot);
        if !tally.is_reached() {
            sentence.push_str(&format!(" That is fewer than the {} asked for.", tally.needed));
        }
        tally.check("history-complete", record.process, &format!("{sentence} {withheld}"))
    } else {
        let sentence = format!("That this slot is the newest is the scheduler's word. {withheld}");
        check(record, "history-complete", trusted(&scheduler), &[], &sentence)
    };
    found = found
        .with("slot", head.slot)
        .with("assignment", head.assignment_id)
        .with("timestamp", head.timestamp)
        .with("block-height", head.block_height);
    for (number, seen) in (1..).zip(&record.heads) {
        found = found.with(&format!("head-{number}"), head_text(seen));
    }
    found
}

/// What the sources of the last sync said of where the history ends.
pub(crate) fn end_of(record: &Record, head: &Head) -> Tally {
    let value = format!("ends at slot {} ({})", head.slot, head.assignment_id);
    heads::tally(&record.heads, record.heads_needed, value, record.heads_to_slot)
}

/// What a source said of its head, and how fresh that is.
fn head_text(seen: &HeadSeen) -> String {
    let standing = match seen.standing {
        Standing::Agrees => "agrees",
        Standing::Ahead => "ahead",
        Standing::Behind => "behind",
        Standing::Differs => "differs",
        Standing::Silent => "silent",
    };
    let age = seen.age_ms.map(|age| format!(", {age} ms old")).unwrap_or_default();
    format!("{} ({standing}): {}{age}, asked at {}", seen.url, seen.says(), seen.asked_at_ms)
}

/// A stored fraud proof, proved again.
fn fraud(record: &Record, proof: &FraudProof) -> Check {
    let proved = weft_verify::fraud(Untrusted::new(proof.clone(), "the store"));
    let of_fraud = proved.ok().and_then(|fraud| {
        fraud.into_parts().1.into_iter().find(|check| check.claim == "scheduler-equivocation")
    });
    // The store gives only what reads back as it was written; what does not prove any more is said to be so.
    of_fraud.unwrap_or_else(|| {
        let evidence = [("slot", proof.slot.to_string())];
        let sentence = "The store has a fraud proof that does not prove.";
        check(record, "scheduler-equivocation", trusted("the store"), &evidence, sentence)
    })
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
