//! Schedules that a HyperBEAM node answered: each assignment by itself, and the history they make together.

use std::collections::BTreeMap;

use weft_codec::message::Tabm;
use weft_codec::message::httpsig::Encoded;
use weft_codec::{Id, Result};
use weft_verify::http::{self, ScheduleVerifier, SignedAssignment};
use weft_verify::{Untrusted, Verified};

use super::{Line, Report};

/// The assignments of a process, by slot and id.
type Slots = BTreeMap<u64, BTreeMap<Id, Verified<SignedAssignment>>>;

/// What files of a folder have of schedules, by folder and process.
#[derive(Debug, Default)]
pub(super) struct Schedules(BTreeMap<(String, Id), Slots>);

impl Schedules {
    /// Looks for assignments in an answer, and says something of each. An answer without any is none of these.
    pub(super) fn add(&mut self, path: &str, answer: &Encoded, report: &mut Report<'_>) {
        let Ok(assignments) = http::schedule_page(answer) else { return };
        for (number, assignment) in assignments.into_iter().enumerate() {
            let place = format!("{path}#assignments/{}", slot_text(&assignment, number));
            match http::signed_assignment(Untrusted::new(assignment, place.as_str())) {
                Ok(proved) => {
                    report.push(&Line::valid(&place, "assignment", Some(proved.id), said(&proved)));
                    let slots = self.0.entry((folder(path), proved.process)).or_default();
                    slots.entry(proved.slot).or_default().insert(proved.id, proved);
                }
                Err(error) => report.push(&Line::refused(&place, "assignment", error)),
            }
        }
    }

    /// A line for each process whose slot 0 is there, and for each slot that a scheduler gave twice.
    pub(super) fn verify(self, report: &mut Report<'_>) {
        for ((folder, process), slots) in self.0 {
            for (slot, assignments) in &slots {
                let all: Vec<_> = assignments.values().collect();
                for pair in all.windows(2) {
                    if let [one, other] = pair
                        && let Ok(check) = http::signed_fraud(one, other)
                    {
                        let said = format!(
                            "{} signed two assignments for slot {slot}. {}",
                            one.signer, check.sentence
                        );
                        report.push(&Line::valid(&folder, "fraud", Some(process), said));
                    }
                }
            }
            if slots.contains_key(&0) {
                report.push(&match follow(process, slots) {
                    Ok(said) => Line::valid(&folder, "history", Some(process), said),
                    Err(error) => Line::refused(&folder, "history", error),
                });
            }
        }
    }
}

fn follow(process: Id, slots: Slots) -> Result<String> {
    let mut verifier = ScheduleVerifier::new(process);
    for assignment in slots.into_values().flat_map(BTreeMap::into_values) {
        verifier.next(&assignment)?;
    }
    let last = verifier.slot().unwrap_or_default();
    Ok(format!(
        "slots 0 to {last} follow each other, signed as HTTP messages by the scheduler that the process names"
    ))
}

fn said(proved: &SignedAssignment) -> String {
    let authors: Vec<&str> = proved.authors.iter().map(|author| author.as_str()).collect();
    let by = if authors.is_empty() { "nobody".to_owned() } else { authors.join(", ") };
    let SignedAssignment { slot, process, signer, message_id, .. } = proved;
    format!("slot {slot} of {process}, signed by {signer}; message {message_id} signed by {by}")
}

fn slot_text(assignment: &Tabm, number: usize) -> String {
    let slot = assignment.text("slot").and_then(|text| text.parse::<u64>().ok());
    slot.map_or_else(|| format!("no slot, {number}"), |slot| slot.to_string())
}

fn folder(path: &str) -> String {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned()
}
