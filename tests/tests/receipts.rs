//! Receipt files: what a node exports checks without a network, and nothing else does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::{Code, Id, Result, bundle};
use weft_node::{Event, Phase, ReceiptRequest, ReceiptSlots};
use weft_tests::fixtures::{self, ACTUAL_SCHEDULER, NAMED_SCHEDULER, PROCESS};
use weft_tests::history::{Draft, OwnHistory, next_link, own_message, own_process};
use weft_tests::receipts::{Mutator, check, meaning, sealed, write};
use weft_tests::signing::TestKey;
use weft_tests::world::{Log, Plan, Stage, StageNode};
use weft_verify::{
    Agreement, HistoryEntry, ReceiptEnding, ReceiptFile, SchedulerPolicy, Scope, SourceAnswer, Status,
};

type Change<'a> = &'a dyn Fn(&mut Value);

const HISTORY: ReceiptSlots = ReceiptSlots::History { to: None };

fn nobody() -> SchedulerPolicy {
    SchedulerPolicy::default()
}

async fn export(stage: &Stage, slots: ReceiptSlots, module: bool) -> Result<Vec<u8>> {
    export_from(&stage.node(), stage, slots, module, &Log::default()).await
}

async fn export_from(
    node: &StageNode,
    stage: &Stage,
    slots: ReceiptSlots,
    module: bool,
    log: &Log,
) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut sink = |piece: &[u8]| {
        text.extend_from_slice(piece);
        Ok(())
    };
    let request = ReceiptRequest { slots, module };
    let bytes = node.export_receipt(stage.world.id(), &request, log, &mut sink).await?;
    assert_eq!(bytes, text.len() as u64);
    Ok(text)
}

async fn synced(plan: &Plan, messages: u64) -> Stage {
    let stage = Stage::new(plan, messages);
    stage.honest().await.unwrap();
    stage
}

/// What the checks of a receipt are about, and how they came out: `claim`, or `claim (by whom)`.
fn lines(text: &[u8]) -> Vec<String> {
    let line = |check: &weft_verify::Check| match &check.status {
        Status::Proved => check.claim.clone(),
        Status::Trusted { by } => format!("{} ({by})", check.claim),
        other => panic!("{other:?}"),
    };
    ReceiptFile::parse(text).unwrap().receipt().checks.iter().map(line).collect()
}

#[weft_tests::both_async]
async fn a_history_checks_again_from_its_receipt_alone_and_replays() {
    let stage = synced(&Plan::default(), 3).await;
    stage.world.send("!e", &[]);
    stage.world.send("!t", &[]);
    stage.honest().await.unwrap();
    let log = Log::default();
    let text = export_from(&stage.node(), &stage, HISTORY, true, &log).await.unwrap();
    let proved = check(&text, &nobody(), true).unwrap();
    assert_eq!((proved.slots, proved.results), (6, 6));
    assert_eq!(proved.process, stage.world.id());
    assert_eq!(proved.scope, Scope::History { to: 5, newest: true });
    let scheduler = TestKey::get().address();
    let (complete, times) = (format!("history-complete ({scheduler})"), format!("slot-times ({scheduler})"));
    assert_eq!(
        lines(&text),
        [
            "item-id",
            "item-signature",
            "process",
            "item-id",
            "item-signature",
            "module-id",
            "assigned-message",
            "assigned-process",
            "hash-chain",
            "item-id",
            "item-signature",
            "scheduler",
            "slot-order",
            "time-order",
            complete.as_str(),
            times.as_str(),
            "arweave-inclusion (sources)",
            "replay (the maker of this receipt)",
        ]
    );
    let progress = |event: &Event| {
        matches!(event, Event::Progress { phase: Phase::Receipt, done: 6, total: Some(6), .. })
    };
    assert!(log.events.borrow().iter().any(progress));
    // Made again, by another node over the same store: the same bytes.
    assert_eq!(text, export(&stage, HISTORY, true).await.unwrap());
}

#[weft_tests::both_async]
async fn a_part_of_a_history_says_that_there_is_more() {
    let stage = synced(&Plan::default(), 3).await;
    let text = export(&stage, ReceiptSlots::History { to: Some(1) }, true).await.unwrap();
    let proved = check(&text, &nobody(), true).unwrap();
    assert_eq!((proved.slots, proved.scope.clone()), (2, Scope::History { to: 1, newest: false }));
    let complete = proved.checks().iter().find(|check| check.claim == "history-complete").unwrap();
    assert!(complete.sentence.contains("goes on after this slot"), "{}", complete.sentence);
    // The memory's hash is that of slot 3, which is not here.
    assert!(!String::from_utf8(text).unwrap().contains("memory_sha256"));
    let error = export(&stage, ReceiptSlots::History { to: Some(4) }, true).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[weft_tests::both_async]
async fn a_slot_links_to_the_assignment_before_it() {
    let stage = synced(&Plan::default(), 3).await;
    for slot in 0..4 {
        let text = export(&stage, ReceiptSlots::Slot(slot), false).await.unwrap();
        let proved = check(&text, &nobody(), true).unwrap();
        assert_eq!((proved.slots, proved.results, proved.scope.clone()), (1, 1, Scope::Slot(slot)));
        let claims = lines(&text);
        let count = |claim: &str| claims.iter().filter(|line| line.split(' ').next() == Some(claim)).count();
        assert_eq!(count("hash-chain"), if slot == 1 { 2 } else { 1 }, "slot {slot}");
        assert_eq!(count("scheduler"), if slot == 0 { 1 } else { 2 }, "slot {slot}");
        assert_eq!(count("earlier-slots"), usize::from(slot > 1), "slot {slot}");
        // What the page shows of the slot is in the file too.
        let shown = stage.node().slot_receipt(stage.world.id(), slot).await.unwrap();
        for check in shown.checks.iter().filter(|check| check.status == Status::Proved) {
            let same =
                |other: &&weft_verify::Check| other.claim == check.claim && other.subject == check.subject;
            assert!(proved.checks().iter().any(|other| same(&other)), "slot {slot}: {check:?}");
        }
    }
}

#[weft_tests::both_async]
async fn the_first_words_of_an_old_process_are_replayed_too() {
    let plan = Plan { boot_loader: false, ..Plan::default() };
    let stage = synced(&plan, 2).await;
    let text = export(&stage, HISTORY, true).await.unwrap();
    check(&text, &nobody(), true).unwrap();
    assert!(lines(&text).iter().any(|line| line.starts_with("process-origin (")));
    let without = edit(&text, |json| {
        json.as_object_mut().unwrap().shift_remove("origin");
    });
    assert_eq!(check(&without, &nobody(), false).unwrap_err().code(), Code::ReceiptMalformed);
}

#[weft_tests::both_async]
async fn duplicates_and_assigns_replay_as_the_node_did() {
    let stage = Stage::new(&Plan::default(), 1);
    let first = stage.world.send("pushed", &[("From-Process", &stage.world.id().to_string())]);
    stage.world.assign(first.id(), &[]);
    stage.world.publish(first.clone());
    let elsewhere = weft_tests::world::message_to(stage.world.module.id(), b"for somebody else", &[]);
    stage.world.publish(elsewhere.clone());
    stage.world.assign(elsewhere.id(), &[]);
    stage.world.assign(stage.world.id(), &[]);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    assert!(results.iter().any(|result| result.duplicate_of.is_some()));
    let text = export(&stage, HISTORY, true).await.unwrap();
    let proved = check(&text, &nobody(), true).unwrap();
    assert_eq!(proved.results, results.len() as u64);
}

/// The real history, whose assignments somebody else signed than the scheduler it names.
fn real() -> (DataItem, Vec<HistoryEntry>) {
    let open = |bytes: &&[u8]| {
        let outer = DataItem::parse(bytes).unwrap();
        let mut items = bundle::parse(&outer.data).unwrap().into_iter().map(|(_, item)| item);
        HistoryEntry { assignment: items.next().unwrap(), message: items.next() }
    };
    let entries: Vec<HistoryEntry> = fixtures::ENTRIES.iter().map(open).collect();
    (entries[0].message.clone().unwrap(), entries)
}

/// A history whose process names another scheduler than the one that signs.
fn foreign() -> (DataItem, Vec<HistoryEntry>) {
    let process = own_process(&NAMED_SCHEDULER.parse().unwrap());
    let (mut entries, mut hash_chain) = (Vec::new(), Id::sha256(process.id().as_bytes()).to_string());
    for (slot, draft) in OwnHistory::get().drafts.iter().enumerate() {
        let message = if slot == 0 { process.clone() } else { own_message(process.id(), "foreign") };
        let draft = Draft {
            process: process.id().to_string(),
            message: (slot > 0).then(|| message.id().to_string()),
            hash_chain: hash_chain.clone(),
            ..draft.clone()
        };
        let assignment = draft.sign();
        hash_chain = next_link(&assignment, &hash_chain);
        entries.push(HistoryEntry { assignment, message: Some(message) });
    }
    (process, entries)
}

#[weft_tests::both]
fn a_signer_that_its_maker_accepted_is_for_the_reader_to_accept() {
    let (process, entries) = foreign();
    let scope = Scope::History { to: 3, newest: true };
    let text = write(&scope, &process, None, &entries, |_| None, ReceiptEnding::default()).unwrap();
    let signer = TestKey::get().address();
    let error = check(&text, &nobody(), false).unwrap_err();
    assert_eq!((error.code(), error.field("signer")), (Code::SchedulerMismatch, Some(signer.as_str())));
    let accepting = SchedulerPolicy { accepted: BTreeSet::from([signer]), ..SchedulerPolicy::default() };
    let proved = check(&text, &accepting, false).unwrap();
    assert_eq!((proved.slots, proved.results), (4, 0));
    let scheduler = proved.checks().iter().find(|check| check.claim == "scheduler").unwrap();
    assert_eq!(scheduler.status, Status::Trusted { by: "you".into() });
    assert_eq!(scheduler.evidence.get("count").map(String::as_str), Some("4"));
    // Times and order are the word of who signed, not of who is named.
    let times = proved.checks().iter().find(|check| check.claim == "slot-times").unwrap();
    assert_eq!(times.status, Status::Trusted { by: TestKey::get().address().to_string() });
    // A receipt that forgets to name the signer is refused, whatever its reader accepts.
    let silent = edit(&text, |json| {
        json.as_object_mut().unwrap().shift_remove("accepted_schedulers");
    });
    assert_eq!(check(&silent, &accepting, false).unwrap_err().code(), Code::SchedulerMismatch);
    // One that names somebody who signed nothing, too.
    let more = SchedulerPolicy {
        accepted: [&accepting.accepted, &BTreeSet::from([PROCESS.parse().unwrap()])]
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        ..SchedulerPolicy::default()
    };
    let padded = edit(&text, |json| json["accepted_schedulers"] = json!(more.accepted));
    assert_eq!(check(&padded, &more, false).unwrap_err().code(), Code::ReceiptMismatch);
}

#[weft_tests::both]
fn real_slots_check_from_their_receipts() {
    let (process, entries) = real();
    let accepting = SchedulerPolicy {
        accepted: BTreeSet::from([ACTUAL_SCHEDULER.parse().unwrap()]),
        ..SchedulerPolicy::default()
    };
    let mut checked = 0;
    for slot in 0..31 {
        let text = write(&Scope::Slot(slot), &process, None, &entries, |_| None, ReceiptEnding::default());
        // Of an Assign the scheduler has only the id, and a receipt holds what it proves.
        if entries[usize::try_from(slot).unwrap()].message.is_none() && slot > 0 {
            assert_eq!(text.unwrap_err().code(), Code::MessageMissing);
            continue;
        }
        let text = text.unwrap();
        assert_eq!(check(&text, &nobody(), false).unwrap_err().code(), Code::SchedulerMismatch);
        assert_eq!(check(&text, &accepting, false).unwrap().slots, 1);
        checked += 1;
    }
    assert_eq!(checked, 16);
}

/// The text of changed JSON, written as receipts are and with the right digest.
fn edit(text: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(text).unwrap();
    change(&mut json);
    let object = json.as_object().unwrap();
    let mut out = String::from("{");
    for (index, (name, value)) in object.iter().filter(|(name, _)| *name != "sha256").enumerate() {
        let separator = match index {
            0 => "",
            1 => ",",
            _ => ",\n",
        };
        let value = match value.as_array() {
            Some(list) if name == "slots" || name == "checks" => {
                let lines: Vec<String> = list.iter().map(Value::to_string).collect();
                format!("[\n{}\n]", lines.join(",\n"))
            }
            _ => value.to_string(),
        };
        out.push_str(&format!("{separator}{}:{value}", json!(name)));
    }
    out.push_str(&format!(",\n\"sha256\":\"{}\"}}\n", "A".repeat(43)));
    sealed(out.into_bytes())
}

fn small() -> Vec<u8> {
    let own = OwnHistory::get();
    let result = |slot: u64| {
        let message = own.entries[usize::try_from(slot).unwrap()].message.as_ref().unwrap().id();
        Some(json!({"slot": slot, "message": message, "output": "1.5"}).to_string())
    };
    write(
        &Scope::History { to: 2, newest: true },
        &own.process,
        None,
        &own.entries,
        result,
        ReceiptEnding::default(),
    )
    .unwrap()
}

#[weft_tests::both]
fn an_edited_text_is_the_same_text_if_nothing_is_edited() {
    let text = small();
    assert_eq!(String::from_utf8(edit(&text, |_| {})).unwrap(), String::from_utf8(text).unwrap());
}

#[weft_tests::both]
fn a_receipt_claims_what_its_evidence_proves_and_nothing_more() {
    let text = small();
    let code =
        |change: &dyn Fn(&mut Value)| check(&edit(&text, change), &nobody(), false).unwrap_err().code();
    let own = OwnHistory::get();
    let later = weft_codec::base64url::encode(&own.entries[3].assignment.to_bytes());
    let mismatches: [Change<'_>; 12] = [
        &|json| json["subject"] = json!("DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo"),
        &|json| json["scope"]["history"]["newest"] = json!(false),
        &|json| json["checks"][0]["claim"] = json!("process"),
        &|json| json["checks"][0]["subject"] = json!("x"),
        &|json| json["checks"][0]["sentence"] = json!("Everything is proved."),
        &|json| json["checks"][0]["evidence"]["from"] = json!("https://arweave.net"),
        &|json| json["checks"][0]["status"] = json!({"kind": "trusted", "by": "you"}),
        &|json| {
            let last = json["checks"].as_array().unwrap().len() - 1;
            json["checks"][last]["status"] = json!({"kind": "proved"});
        },
        &|json| {
            json["checks"].as_array_mut().unwrap().pop();
        },
        &|json| {
            let again = json["checks"][0].clone();
            json["checks"].as_array_mut().unwrap().push(again);
        },
        &|json| json["memory_sha256"] = json!("DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo"),
        &|json| {
            let other = json["slots"][1]["result"].clone();
            json["slots"][2]["result"] = other;
        },
    ];
    for (index, change) in mismatches.iter().enumerate() {
        // A member that comes late stands at the end of the edited text, which is not how receipts are written.
        let wanted = if index == 10 { Code::ReceiptMalformed } else { Code::ReceiptMismatch };
        assert_eq!(code(change), wanted, "change {index}");
    }
    let refused: [(Change<'_>, Code); 9] = [
        (&|json| json["version"] = json!(2), Code::ReceiptMalformed),
        (&|json| json["kind"] = json!("weft-fraud-proof"), Code::ReceiptMalformed),
        (&|json| json["scope"]["history"]["to"] = json!(3), Code::ReceiptMalformed),
        (&|json| json["scope"]["history"]["to"] = json!(1), Code::ReceiptMalformed),
        (&|json| drop(json["slots"].as_array_mut().unwrap().remove(1)), Code::SlotMissing),
        (&|json| json["slots"][1]["message"] = Value::Null, Code::MessageMissing),
        (&|json| json["slots"][0]["result"] = Value::Null, Code::ReceiptMalformed),
        (&|json| json["slots"][1]["assignment"] = json!(later), Code::SlotMissing),
        (&|json| json["slots"][1]["message"] = json["slots"][2]["message"].clone(), Code::MessageMismatch),
    ];
    for (index, (change, wanted)) in refused.iter().enumerate() {
        assert_eq!(code(change), *wanted, "change {index}");
    }
}

#[weft_tests::both]
fn a_slot_needs_the_assignment_before_it_and_no_other() {
    let own = OwnHistory::get();
    let text =
        write(&Scope::Slot(3), &own.process, None, &own.entries, |_| None, ReceiptEnding::default()).unwrap();
    check(&text, &nobody(), false).unwrap();
    let with = |previous: Value| {
        let changed = edit(&text, |json| json["previous"] = previous);
        check(&changed, &nobody(), false).unwrap_err().code()
    };
    let item = |item: &DataItem| json!(weft_codec::base64url::encode(&item.to_bytes()));
    assert_eq!(with(item(&own.entries[1].assignment)), Code::SlotMissing);
    // The right slot, signed by the scheduler, and not the one that the chain commits to.
    let mut other = own.drafts[2].clone();
    other.timestamp = "1728412700001".into();
    assert_eq!(with(item(&other.sign())), Code::HashChainBroken);
    // The same assignment with another tag under the same signature: its id is the same, its bytes are not.
    let mut forged = own.entries[2].assignment.clone();
    let at = forged.raw_tags.windows(7).position(|window| window == b"1500002").unwrap();
    forged.raw_tags[at + 6] = b'1';
    assert_eq!(with(item(&forged)), Code::SignatureInvalid);
    // One of another process.
    let mut stray = own.drafts[2].clone();
    stray.process = "DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo".into();
    assert_eq!(with(item(&stray.sign())), Code::ProcessMismatch);
    let missing = edit(&text, |json| {
        json.as_object_mut().unwrap().shift_remove("previous");
    });
    assert_eq!(check(&missing, &nobody(), false).unwrap_err().code(), Code::ReceiptMalformed);
}

/// Three of four sources answered, one of them otherwise.
fn agreement(claim: &str) -> Agreement {
    let said = |source: &str, answer: &str| SourceAnswer { source: source.into(), answer: answer.into() };
    Agreement {
        claim: claim.into(),
        subject: OwnHistory::get().process.id().to_string(),
        asked: 4,
        needed: 2,
        answer: "3".into(),
        answers: vec![said("https://a", "3"), said("https://b", "2"), said("https://c", "3")],
    }
}

#[weft_tests::both]
fn an_agreement_has_its_answers_inside() {
    let own = OwnHistory::get();
    let with = |agreements: Vec<Agreement>| {
        let ending = ReceiptEnding { agreements, ..ReceiptEnding::default() };
        write(&Scope::Slot(3), &own.process, None, &own.entries, |_| None, ending)
    };
    let text = with(vec![agreement("history-head")]).unwrap();
    let proved = check(&text, &nobody(), false).unwrap();
    let agreed = proved.checks().iter().find(|check| check.claim == "history-head").unwrap();
    let (by, against) =
        (vec!["https://a".to_owned(), "https://c".to_owned()], vec!["https://b: 2".to_owned()]);
    assert_eq!(agreed.status, Status::Agreed { k: 2, n: 4, by, against });
    let refused: [Change<'_>; 7] = [
        &|json| json["agreements"][0]["needed"] = json!(1),
        &|json| json["agreements"][0]["needed"] = json!(3),
        &|json| json["agreements"][0]["answers"][1]["answer"] = json!("3"),
        &|json| json["agreements"][0]["asked"] = json!(3),
        &|json| json["agreements"][0]["answers"][2]["source"] = json!("https://d"),
        &|json| drop(json["agreements"][0]["answers"].as_array_mut().unwrap().pop()),
        &|json| drop(json.as_object_mut().unwrap().shift_remove("agreements")),
    ];
    for (index, change) in refused.iter().enumerate() {
        let code = check(&edit(&text, change), &nobody(), false).unwrap_err().code();
        assert_eq!(code, Code::ReceiptMismatch, "change {index}");
    }
    // What is proved here is not a matter of agreement; who said nothing, or twice, agrees to nothing.
    assert_eq!(with(vec![agreement("item-signature")]).unwrap_err().code(), Code::ReceiptMalformed);
    let mut twice = agreement("history-head");
    twice.answers[1] = twice.answers[0].clone();
    assert_eq!(with(vec![twice]).unwrap_err().code(), Code::ReceiptMalformed);
    let nobody_said = Agreement { answer: "4".into(), ..agreement("history-head") };
    assert_eq!(with(vec![nobody_said]).unwrap_err().code(), Code::ReceiptMalformed);
    let crowd = Agreement { asked: 2, ..agreement("history-head") };
    assert_eq!(with(vec![crowd]).unwrap_err().code(), Code::ReceiptMalformed);
    for needed in [0, 5] {
        let out_of_reach = Agreement { needed, ..agreement("history-head") };
        assert_eq!(with(vec![out_of_reach]).unwrap_err().code(), Code::ReceiptMalformed);
    }
    // A slot's receipt says nothing of where the history ends.
    assert_eq!(with(vec![agreement("history-complete")]).unwrap_err().code(), Code::ReceiptMalformed);
}

#[weft_tests::both]
fn too_few_who_agree_are_trusted_and_the_others_stay_named() {
    let own = OwnHistory::get();
    let few = Agreement { needed: 3, ..agreement("history-head") };
    let ending = ReceiptEnding { agreements: vec![few], ..ReceiptEnding::default() };
    let text = write(&Scope::Slot(3), &own.process, None, &own.entries, |_| None, ending).unwrap();
    let proved = check(&text, &nobody(), false).unwrap();
    let found = proved.checks().iter().find(|check| check.claim == "history-head").unwrap();
    assert_eq!(found.status, Status::Trusted { by: "https://a, https://c".into() });
    assert_eq!(found.evidence["otherwise-1"], "https://b: 2");
}

#[weft_tests::both]
fn an_agreed_end_is_the_end_of_this_history() {
    let own = OwnHistory::get();
    let to = own.entries.len() as u64 - 1;
    let ends = |slot: u64, id: Id| format!("ends at slot {slot} ({id})");
    let end = own.entries.last().unwrap().assignment.id();
    let with = |answer: String, newest: bool| {
        let mut agreement = agreement("history-complete");
        agreement.answers[0].answer.clone_from(&answer);
        agreement.answers[2].answer.clone_from(&answer);
        let ending =
            ReceiptEnding { agreements: vec![Agreement { answer, ..agreement }], ..ReceiptEnding::default() };
        write(&Scope::History { to, newest }, &own.process, None, &own.entries, |_| None, ending)
    };
    let text = with(ends(to, end), true).unwrap();
    let proved = check(&text, &nobody(), false).unwrap();
    let complete: Vec<_> = proved.checks().iter().filter(|check| check.claim == "history-complete").collect();
    assert!(matches!(complete[..], [check] if matches!(check.status, Status::Agreed { k: 2, n: 4, .. })));
    for (answer, newest, code) in [
        (ends(to + 1, end), true, Code::ReceiptMismatch),
        (ends(to, Id([1; 32])), true, Code::ReceiptMismatch),
        (ends(to, end), false, Code::ReceiptMalformed),
    ] {
        assert_eq!(with(answer.clone(), newest).unwrap_err().code(), code, "{answer}");
    }
}

#[weft_tests::both_async]
async fn results_that_are_not_the_modules_are_found_by_a_replay_alone() {
    let stage = synced(&Plan::default(), 2).await;
    let text = export(&stage, HISTORY, true).await.unwrap();
    let lied = edit(&text, |json| json["slots"][2]["result"]["output"] = json!("1000"));
    // Nobody signed a result: without a replay it is its maker's word, and the receipt says so.
    check(&lied, &nobody(), false).unwrap();
    let error = check(&lied, &nobody(), true).unwrap_err();
    assert_eq!((error.code(), error.field("slot")), (Code::ReceiptMismatch, Some("2")));
    // The memory's hash stands in the checks too: changed in both places, it takes a replay.
    let other = TestKey::get().address().to_string();
    let memory = edit(&text, |json| {
        json["memory_sha256"] = json!(other);
        let last = json["checks"].as_array().unwrap().len() - 1;
        json["checks"][last]["evidence"]["memory-sha256"] = json!(other);
    });
    check(&memory, &nobody(), false).unwrap();
    assert_eq!(check(&memory, &nobody(), true).unwrap_err().code(), Code::ReceiptMismatch);
    // Another module is not the one that the process names.
    let key = TestKey::get();
    let other = key.item(Unsigned {
        tags: stage.world.module.tags.clone(),
        data: b"\0asm\x01\0\0\0".to_vec(),
        ..Unsigned::default()
    });
    let item = weft_codec::base64url::encode(&other.to_bytes());
    let swapped = edit(&text, |json| json["module"]["item"] = json!(item));
    assert_eq!(check(&swapped, &nobody(), false).unwrap_err().code(), Code::ModuleMismatch);
}

#[weft_tests::both]
fn every_changed_byte_is_refused() {
    let text = small();
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1;
        let error = ReceiptFile::parse(&changed).unwrap_err();
        assert!(
            matches!(error.code(), Code::ReceiptMalformed | Code::ReceiptMismatch),
            "byte {at}: {error:?}"
        );
    }
    for end in 0..text.len() {
        assert!(ReceiptFile::parse(&text[..end]).is_err(), "{end} bytes");
    }
}

/// How many changed receipts are tried.
const CHANGES: usize = if cfg!(target_arch = "wasm32") { 4_000 } else { 20_000 };

/// Changed and given the digest that belongs to it, a receipt says the same as before, or is refused.
#[weft_tests::both]
fn of_changed_receipts_none_is_accepted() {
    let own = OwnHistory::get();
    let slot =
        write(&Scope::Slot(2), &own.process, None, &own.entries, |_| None, ReceiptEnding::default()).unwrap();
    let ending = ReceiptEnding { agreements: vec![agreement("history-head")], ..ReceiptEnding::default() };
    let agreed = write(&Scope::Slot(1), &own.process, None, &own.entries, |_| None, ending).unwrap();
    let texts = [small(), slot, agreed];
    let mut mutator = Mutator::new(3);
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    let mut same = 0;
    for round in 0..CHANGES {
        let text = &texts[round % texts.len()];
        let (kind, changed) = mutator.change(text);
        assert!(changed == *text || ReceiptFile::parse(&changed).is_err(), "round {round}: {kind}");
        let changed = sealed(changed);
        match check(&changed, &nobody(), false) {
            Ok(_) => {
                same += 1;
                assert_eq!(meaning(&changed, false), meaning(text, false), "round {round}: {kind}");
            }
            Err(error) => *codes.entry(error.code().as_str().to_owned()).or_default() += 1,
        }
    }
    // The changes reach what is behind the digest: every layer refused some.
    for code in
        ["receipt-malformed", "receipt-mismatch", "signature-invalid", "item-malformed", "tags-malformed"]
    {
        assert!(codes.contains_key(code), "{code} of {codes:?}");
    }
    assert!(same > 0 && same < CHANGES / 20, "{same} of {CHANGES} changed nothing that counts: {codes:?}");
}
