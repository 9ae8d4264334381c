//! Schedules of a HyperBEAM process, as a real node served them: every assignment proves by itself and follows on the one
//! before; a changed one does neither.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::Value;
use weft_codec::message::httpsig::Encoded;
use weft_codec::message::{Generation, Tabm};
use weft_codec::{Code, Id, Result};
use weft_verify::http::{ScheduleVerifier, SignedAssignment, schedule_page, signed_assignment, signed_fraud};
use weft_verify::{Status, Untrusted, Verified};

use crate::http_commitments::signed;

/// What a node answered for the processes `token`, `a` and `b`.
const TOKEN: [&str; 4] = [
    include_str!("../../../tests/fixtures/hyperbeam-schedules/token-000-009.json"),
    include_str!("../../../tests/fixtures/hyperbeam-schedules/token-010-019.json"),
    include_str!("../../../tests/fixtures/hyperbeam-schedules/token-020-029.json"),
    include_str!("../../../tests/fixtures/hyperbeam-schedules/token-030-030.json"),
];
const PUSH: [&str; 2] = [
    include_str!("../../../tests/fixtures/hyperbeam-schedules/push-a.json"),
    include_str!("../../../tests/fixtures/hyperbeam-schedules/push-b.json"),
];

fn encoded(text: &str) -> Encoded {
    let value: Value = serde_json::from_str(text).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = value["response"]["headers"].as_array().unwrap();
    let headers = headers.iter().map(|one| (text(&one[0]), text(&one[1])));
    let body = text(&value["response"]["body"]["text"]).into_bytes();
    Encoded::received(headers, body).unwrap()
}

/// The assignments of some answers, by slot.
fn assignments(answers: &[&str]) -> Vec<Tabm> {
    let mut all: Vec<Tabm> =
        answers.iter().flat_map(|answer| schedule_page(&encoded(answer)).unwrap()).collect();
    all.sort_by_key(|one| one.text("slot").unwrap().parse::<u64>().unwrap());
    all
}

fn prove(assignment: Tabm) -> Result<Verified<SignedAssignment>> {
    signed_assignment(Untrusted::new(assignment, "the node"))
}

fn proved(answers: &[&str]) -> Vec<Verified<SignedAssignment>> {
    assignments(answers).into_iter().map(|one| prove(one).unwrap()).collect()
}

#[test]
fn every_assignment_proves_and_follows() {
    for (answers, slots) in [(&TOKEN[..], 31), (&PUSH[..1], 13), (&PUSH[1..], 12)] {
        let all = proved(answers);
        assert_eq!(all.len(), slots);
        let mut verifier = ScheduleVerifier::new(all[0].process);
        for one in &all {
            let checks = verifier.next(one).unwrap_or_else(|error| panic!("slot {}: {error}", one.slot));
            assert!(checks.iter().chain(one.checks()).all(|check| check.status == Status::Proved));
        }
        assert_eq!(verifier.slot(), Some(slots as u64 - 1));
    }
}

#[test]
fn the_process_is_the_message_of_slot_0_and_names_the_signer() {
    let all = proved(&TOKEN);
    assert_eq!(all[0].process.to_string(), "eBx69GteoL6hmsiYfK-69_YOfQralrjMPBPKHeGVuMc");
    assert_eq!(all[0].message_id, all[0].process);
    let said = all[0].message.as_ref().unwrap();
    assert_eq!(said.text("scheduler"), Some(all[0].signer.as_str()));
    assert_eq!(all[0].signer.to_string(), "VURJyoouFg4afMmitXRKx5BVUmw8x6AeyIUW8DTO2KU");
}

#[test]
fn what_does_not_follow_is_refused_and_changes_nothing() {
    let all = proved(&TOKEN);
    let other = proved(&PUSH[..1]);
    let mut verifier = ScheduleVerifier::new(all[0].process);
    let code = |verifier: &mut ScheduleVerifier, one| verifier.next(one).unwrap_err().code();
    assert_eq!(code(&mut verifier, &all[1]), Code::SlotMissing);
    verifier.next(&all[0]).unwrap();
    assert_eq!(code(&mut verifier, &all[0]), Code::SlotRepeated);
    assert_eq!(code(&mut verifier, &all[2]), Code::SlotMissing);
    assert_eq!(code(&mut verifier, &other[1]), Code::ProcessMismatch);
    assert_eq!(verifier.slot(), Some(0));
    for one in &all[1..] {
        verifier.next(one).unwrap();
    }
    // Slot 0 of another process under this one's id.
    assert_eq!(code(&mut ScheduleVerifier::new(Id([1; 32])), &all[0]), Code::ProcessMismatch);
}

#[test]
fn a_changed_assignment_is_refused() {
    let honest = assignments(&TOKEN)[3].clone();
    prove(honest.clone()).unwrap();
    for key in ["slot", "process", "hash-chain", "timestamp", "epoch", "block-height"] {
        let changed = honest.clone().with(key, b"1".to_vec());
        assert_eq!(prove(changed).unwrap_err().code(), Code::SignatureInvalid, "{key}");
        let mut without = honest.clone();
        without.remove(key);
        assert!(prove(without).is_err(), "{key}");
    }
    // The message: changed, another slot's, none.
    let mut body = honest.map("body").unwrap().clone();
    body.set("quantity", b"999999".to_vec());
    assert!(prove(honest.clone().with("body", body)).is_err());
    let other = assignments(&TOKEN)[4].map("body").unwrap().clone();
    assert!(prove(honest.clone().with("body", other)).is_err());
    let mut bodiless = honest.clone();
    bodiless.remove("body");
    assert!(prove(bodiless).is_err());
    let mut unsigned = honest;
    unsigned.remove("commitments");
    assert_eq!(prove(unsigned).unwrap_err().code(), Code::SignatureMissing);
}

#[test]
fn an_answer_that_is_no_schedule_is_none() {
    let live = include_str!("../../../tests/fixtures/hyperbeam-live/token-results-httpsig-003.json");
    let refused = schedule_page(&encoded(live)).unwrap_err().code();
    assert_eq!(refused, Code::PageMalformed);
}

#[test]
fn one_statement_is_no_contradiction() {
    let all = proved(&TOKEN);
    for (one, other, code) in [
        (&all[3], &all[3], Code::FraudUnfounded),
        (&all[3], &all[4], Code::FraudUnfounded),
        (&all[3], &proved(&PUSH[..1])[3], Code::ProcessMismatch),
    ] {
        assert_eq!(signed_fraud(one, other).unwrap_err().code(), code);
    }
}

/// The real assignment of slot 3, signed by the test key with one key changed.
fn signed_with(key: &str, value: &[u8]) -> Verified<SignedAssignment> {
    let mut assignment = assignments(&TOKEN)[3].clone().with(key, value.to_vec());
    assignment.remove("commitments");
    prove(signed(&assignment, None, false, Generation::September2025)).unwrap()
}

#[test]
fn two_assignments_of_one_signer_for_one_slot_are_fraud() {
    let one = signed_with("timestamp", b"1795371352500");
    for (key, value) in
        [("timestamp", &b"1795371352501"[..]), ("hash-chain", &[b'A'; 43]), ("block-height", b"7")]
    {
        let other = signed_with(key, value);
        let check = signed_fraud(&one, &other).unwrap();
        assert_eq!(
            (check.claim.as_str(), &check.status),
            ("scheduler-equivocation", &Status::Proved),
            "{key}"
        );
        assert!(check.sentence.contains("the same message"), "{key}");
    }
    let slot_4 = assignments(&TOKEN)[4].map("body").unwrap().clone();
    let mut other = assignments(&TOKEN)[3].clone().with("body", slot_4);
    other.remove("commitments");
    let other = prove(signed(&other, None, false, Generation::September2025)).unwrap();
    assert!(signed_fraud(&one, &other).unwrap().sentence.contains("different messages"));
    // Another signer's word, another epoch's, another slot's, and the same again.
    let real = prove(assignments(&TOKEN)[3].clone()).unwrap();
    for (other, code) in [
        (real, Code::SchedulerMismatch),
        (signed_with("epoch", b"1"), Code::EpochChanged),
        (signed_with("slot", b"9"), Code::FraudUnfounded),
        (signed_with("timestamp", b"1795371352500"), Code::FraudUnfounded),
    ] {
        assert_eq!(signed_fraud(&one, &other).unwrap_err().code(), code);
    }
}
