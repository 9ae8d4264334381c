//! A real process's history proves as far as it can, and no further.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::collections::BTreeSet;

use weft_codec::ao::{Assignment, Process};
use weft_codec::item::DataItem;
use weft_codec::scheduler_page::{self, Anchors, Page};
use weft_codec::{Code, Id, bundle};
use weft_tests::fixtures::{self, ACTUAL_SCHEDULER, NAMED_SCHEDULER, PROCESS};
use weft_tests::history::OwnHistory;
use weft_verify::{
    EntryKind, Head, HistoryEntry, HistoryVerifier, SchedulerPolicy, Status, Untrusted, Verified,
};

fn accepting() -> SchedulerPolicy {
    SchedulerPolicy {
        accepted: BTreeSet::from([ACTUAL_SCHEDULER.parse().unwrap()]),
        ..SchedulerPolicy::default()
    }
}

fn verified_process(item: DataItem) -> Verified<Process> {
    weft_verify::process(weft_verify::item(Untrusted::new(item, "test"), None).unwrap()).unwrap()
}

/// The entries as the scheduler uploaded them: the outer items verify, their bundles too.
fn entries() -> Vec<(DataItem, Option<DataItem>)> {
    let open = |bytes: &[u8]| {
        let outer = weft_verify::item(Untrusted::new(DataItem::parse(bytes).unwrap(), "file"), None).unwrap();
        let mut items = weft_verify::nested(&outer, "file").unwrap().unwrap().into_parts().0.into_iter();
        (items.next().unwrap(), items.next())
    };
    fixtures::ENTRIES.iter().map(|bytes| open(bytes)).collect()
}

fn page(text: &str) -> Page {
    scheduler_page::parse(text.as_bytes()).unwrap()
}

#[weft_tests::both]
fn the_page_is_the_items() {
    let page = page(fixtures::PAGE_SHOW_ANCHOR);
    assert!(!page.has_next_page);
    let from_page = page.edges.into_iter().map(|edge| (edge.entry.assignment.unwrap(), edge.entry.message));
    assert_eq!(from_page.collect::<Vec<_>>(), entries());
}

#[weft_tests::both]
fn our_pages_are_the_schedulers() {
    for (anchors, wanted) in [(Anchors::Text, fixtures::PAGE), (Anchors::Base64, fixtures::PAGE_SHOW_ANCHOR)]
    {
        let render = |(assignment, message): &(DataItem, Option<DataItem>)| {
            let cursor = Assignment::read(assignment.clone()).unwrap().timestamp.to_string();
            (cursor, scheduler_page::render_entry(Some(assignment), message.as_ref(), anchors))
        };
        let edges: Vec<_> = entries().iter().map(render).collect();
        // Compared as text: the order of the fields is part of what clients see.
        assert_eq!(scheduler_page::render(&edges, false).to_string(), fixtures::json(wanted).to_string());
    }
}

#[weft_tests::both]
fn all_31_assignments_follow_each_other() {
    let entries = entries();
    let process = verified_process(entries[0].1.clone().unwrap());
    assert_eq!((process.id.to_string().as_str(), process.scheduler.as_str()), (PROCESS, NAMED_SCHEDULER));
    let mut verifier = HistoryVerifier::new(&process, accepting());
    for (slot, (assignment, _)) in entries.into_iter().enumerate() {
        let verified = verifier.next_assignment(Untrusted::new(assignment, "file")).unwrap();
        assert_eq!(verified.slot, slot as u64);
        let scheduler = verified.checks().iter().find(|check| check.claim == "scheduler").unwrap();
        assert_eq!(scheduler.status, Status::Trusted { by: "you".into() });
        assert_eq!(scheduler.evidence["signer"], ACTUAL_SCHEDULER);
        assert_eq!(verified.checks().iter().filter(|check| check.status == Status::Proved).count(), 6);
    }
    assert_eq!(verifier.head().unwrap().slot, 30);
}

#[weft_tests::both]
fn a_message_that_is_only_named_must_be_supplied() {
    let entries = entries();
    let process = verified_process(entries[0].1.clone().unwrap());
    let mut verifier = HistoryVerifier::new(&process, accepting());
    let mut kinds = Vec::new();
    for (assignment, message) in entries {
        let entry = HistoryEntry { assignment: assignment.clone(), message: message.clone() };
        match verifier.next(Untrusted::new(entry, "file")) {
            Ok(verified) => kinds.push(verified.kind),
            Err(error) => {
                assert_eq!((error.code(), message), (Code::MessageMissing, None));
                verifier.next_assignment(Untrusted::new(assignment, "file")).unwrap();
            }
        }
    }
    assert_eq!((kinds.len(), kinds[0], kinds[1]), (16, EntryKind::Process, EntryKind::Message));
}

#[weft_tests::both]
fn another_signer_is_refused_unless_accepted_by_name() {
    let (assignment, message) = entries().swap_remove(0);
    let process = verified_process(message.unwrap());
    for accepted in [BTreeSet::new(), BTreeSet::from([NAMED_SCHEDULER.parse().unwrap()])] {
        let mut verifier =
            HistoryVerifier::new(&process, SchedulerPolicy { accepted, ..SchedulerPolicy::default() });
        let entry = HistoryEntry { assignment: assignment.clone(), message: None };
        let error = verifier.next(Untrusted::new(entry, "file")).unwrap_err();
        assert_eq!(error.code(), Code::SchedulerMismatch);
        assert!(error.sentence().contains(ACTUAL_SCHEDULER), "{error}");
        assert!(verifier.head().is_none());
    }
}

#[weft_tests::both]
fn a_page_without_anchors_proves_messages_only() {
    let page = page(fixtures::PAGE);
    let process = verified_process(page.edges[0].entry.message.clone().unwrap());
    let mut messages = 0;
    for edge in page.edges {
        let mut verifier = HistoryVerifier::new(&process, accepting());
        let assignment = edge.entry.assignment.unwrap();
        let error = verifier.next_assignment(Untrusted::new(assignment, "page")).unwrap_err();
        assert_eq!(error.code(), Code::AnchorMissing);
        if let Some(message) = edge.entry.message {
            weft_verify::item(Untrusted::new(message, "page"), None).unwrap();
            messages += 1;
        }
    }
    assert_eq!(messages, 16);
}

/// April 2024: the first message, not the process, has slot 0. The page left the anchor out, so only the message and
/// the link of the chain can be checked.
#[weft_tests::both]
fn a_page_of_2024() {
    let entry = page(fixtures::PAGE_2024).edges.remove(0).entry;
    let message = weft_verify::item(Untrusted::new(entry.message.unwrap(), "page"), None).unwrap();
    let assignment = Assignment::read(entry.assignment.unwrap()).unwrap();
    assert_eq!((assignment.slot, assignment.message), (0, Some(message.id())));
    assert_eq!(Id(assignment.hash_chain), Id::sha256(assignment.process.as_bytes()));
}

#[weft_tests::both]
fn our_own_history_is_proved_throughout() {
    let history = OwnHistory::get();
    let process = verified_process(history.process.clone());
    let mut verifier = HistoryVerifier::new(&process, SchedulerPolicy::default());
    for entry in &history.entries {
        let verified = verifier.next(Untrusted::new(entry.clone(), "own")).unwrap();
        assert!(verified.receipt("slot").is_proved());
        let json = serde_json::to_string(&verified.receipt("slot")).unwrap();
        let back: weft_verify::Receipt = serde_json::from_str(&json).unwrap();
        assert_eq!(back.checks, verified.checks());
    }
}

/// A node stops after any slot, stores the head as JSON, and goes on.
#[weft_tests::both]
fn a_history_resumes_from_a_stored_head() {
    let history = OwnHistory::get();
    let process = verified_process(history.process.clone());
    let mut head: Option<String> = None;
    for entry in &history.entries {
        let policy = SchedulerPolicy::default();
        let mut verifier = match &head {
            None => HistoryVerifier::new(&process, policy),
            Some(json) => {
                HistoryVerifier::resume(&process, policy, serde_json::from_str::<Head>(json).unwrap())
            }
        };
        verifier.next(Untrusted::new(entry.clone(), "own")).unwrap();
        head = Some(serde_json::to_string(verifier.head().unwrap()).unwrap());
    }
    assert!(head.unwrap().contains("\"slot\":3"));
}

/// A message for somebody else can be assigned to the process.
#[weft_tests::both]
fn an_assigned_message_need_not_be_for_the_process() {
    let history = OwnHistory::get();
    let process = verified_process(history.process.clone());
    let mut verifier = HistoryVerifier::new(&process, SchedulerPolicy::default());
    verifier.next(Untrusted::new(history.entries[0].clone(), "own")).unwrap();
    let message = weft_tests::history::own_message(Id([1; 32]), "for somebody else");
    let mut draft = history.drafts[1].clone();
    draft.message = Some(message.id().to_string());
    let entry = HistoryEntry { assignment: draft.sign(), message: Some(message) };
    assert_eq!(verifier.next(Untrusted::new(entry, "own")).unwrap().kind, EntryKind::Assign);
}

/// The process's own slot needs no message beside it, and a bundle of two items is how it is stored.
#[weft_tests::both]
fn slot_0_is_the_process() {
    let history = OwnHistory::get();
    let process = verified_process(history.process.clone());
    let mut verifier = HistoryVerifier::new(&process, SchedulerPolicy::default());
    let alone = HistoryEntry { message: None, ..history.entries[0].clone() };
    let verified = verifier.next(Untrusted::new(alone, "own")).unwrap();
    assert_eq!((verified.kind, &verified.message), (EntryKind::Process, &history.process));
    let stored = bundle::encode(&[verified.assignment.item.clone(), verified.message.clone()]);
    assert_eq!(bundle::parse(&stored).unwrap().len(), 2);
}
