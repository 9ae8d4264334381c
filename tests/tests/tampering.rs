//! Every way we know of to tamper with a history, and the code each is refused with.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::collections::BTreeSet;

use serde_json::Value;
use weft_codec::item::DataItem;
use weft_codec::{Code, Error, Id, Result, bundle, scheduler_page};
use weft_tests::fixtures;
use weft_tests::history::{Draft, OwnHistory, own_message, own_process};
use weft_tests::signing::TestKey;
use weft_verify::{HistoryEntry, HistoryVerifier, SchedulerPolicy, Untrusted};

/// Proves the entries in their order; after a refusal, the untouched entry of that slot must still be accepted.
fn follow(process: &DataItem, entries: Vec<HistoryEntry>) -> Result<()> {
    let process = weft_verify::item(Untrusted::new(process.clone(), "tampered"), None)?;
    let process = weft_verify::process(process)?;
    let mut verifier = HistoryVerifier::new(&process, SchedulerPolicy::default());
    for entry in entries {
        let before = verifier.head().cloned();
        if let Err(error) = verifier.next(Untrusted::new(entry, "tampered")) {
            assert_eq!(verifier.head().cloned(), before, "a refused entry changes nothing");
            let next = before.map_or(0, |head| usize::try_from(head.slot).unwrap() + 1);
            if let Some(genuine) = OwnHistory::get().entries.get(next).filter(|_| process.id == own_id()) {
                let again = verifier.next(Untrusted::new(genuine.clone(), "own"));
                assert!(again.is_ok() || error.code() == Code::HashChainBroken, "{again:?} after {error:?}");
            }
            return Err(error);
        }
    }
    Ok(())
}

fn own_id() -> Id {
    OwnHistory::get().process.id()
}

/// Our history with a change to its list of entries.
fn entries(change: impl FnOnce(&mut Vec<HistoryEntry>)) -> Result<()> {
    let history = OwnHistory::get();
    let mut entries = history.entries.clone();
    change(&mut entries);
    follow(&history.process, entries)
}

/// Our history with slot 2 assigned otherwise by the scheduler itself.
fn assigned(change: impl FnOnce(&mut Draft)) -> Result<()> {
    entries(|entries| {
        let mut draft = OwnHistory::get().drafts[2].clone();
        change(&mut draft);
        entries[2].assignment = draft.sign();
    })
}

/// The real page with a change to its JSON, its signers accepted.
fn page(change: impl FnOnce(&mut Value)) -> Result<()> {
    let mut json = fixtures::json(fixtures::PAGE_SHOW_ANCHOR);
    json["edges"].as_array_mut().unwrap().truncate(2);
    change(&mut json);
    page_text(&json.to_string())
}

fn page_text(text: &str) -> Result<()> {
    let page = scheduler_page::parse(text.as_bytes())?;
    let item = page.edges[0].entry.message.clone().unwrap();
    let process = weft_verify::process(weft_verify::item(Untrusted::new(item, "page"), None)?)?;
    let accepted = BTreeSet::from([fixtures::ACTUAL_SCHEDULER.parse()?]);
    let mut verifier =
        HistoryVerifier::new(&process, SchedulerPolicy { accepted, ..SchedulerPolicy::default() });
    for edge in page.edges {
        verifier.next_assignment(Untrusted::new(edge.entry.assignment.unwrap(), "page"))?;
    }
    Ok(())
}

/// A stored entry (an item that holds a bundle) with a change to the bytes of the bundle inside.
fn stored(change: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let outer = DataItem::parse(fixtures::ENTRIES[3])?;
    let mut bytes = outer.data;
    change(&mut bytes);
    weft_verify::bundle(Untrusted::new(bundle::parse(&bytes)?, "stored"))?;
    Ok(())
}

fn flip(bytes: &mut [u8]) {
    bytes[0] ^= 1;
}

/// Where the first item of a bundle of two begins.
const ITEM: usize = 32 + 2 * 64;
/// Where its presence bytes begin: after type, signature and key.
const PRESENCE: usize = ITEM + 2 + 512 + 512;

type Tampering = (&'static str, fn() -> Result<()>, Code);

/// Names, changes and codes. Lines with the same code differ in what is changed.
const TAMPERINGS: &[Tampering] = &[
    (
        "a bit of an assignment's signature",
        || entries(|e| flip(&mut e[2].assignment.signature)),
        Code::SignatureInvalid,
    ),
    (
        "a bit of a message's signature",
        || entries(|e| flip(&mut e[2].message.as_mut().unwrap().signature)),
        Code::MessageMismatch,
    ),
    (
        "a byte of a message's data",
        || entries(|e| flip(&mut e[2].message.as_mut().unwrap().data)),
        Code::SignatureInvalid,
    ),
    (
        "a message for another process",
        || entries(|e| e[2].message.as_mut().unwrap().target = None),
        Code::SignatureInvalid,
    ),
    (
        "a message's key replaced",
        || entries(|e| flip(&mut e[2].message.as_mut().unwrap().owner)),
        Code::SignatureInvalid,
    ),
    (
        "a message in the name of another scheme",
        || entries(|e| e[2].message.as_mut().unwrap().signature_type = 4),
        Code::SignatureInvalid,
    ),
    (
        "a message in the name of a scheme there is no rule for",
        || entries(|e| e[2].message.as_mut().unwrap().signature_type = 8),
        Code::SignatureUnsupported,
    ),
    ("an anchor taken away", || entries(|e| e[2].assignment.anchor = None), Code::AnchorMissing),
    ("an anchor changed", || entries(|e| e[2].assignment.anchor = Some([1; 32])), Code::SignatureInvalid),
    ("a slot's message left out", || entries(|e| e[2].message = None), Code::MessageMissing),
    (
        "a slot's message exchanged",
        || entries(|e| e[2].message = e[1].message.clone()),
        Code::MessageMismatch,
    ),
    (
        "the process exchanged at slot 0",
        || entries(|e| e[0].message = Some(own_process(&"another".parse().unwrap()))),
        Code::MessageMismatch,
    ),
    ("an entry dropped", || entries(|e| drop(e.remove(1))), Code::SlotMissing),
    ("the first entry dropped", || entries(|e| drop(e.remove(0))), Code::SlotMissing),
    ("two entries exchanged", || entries(|e| e.swap(1, 2)), Code::SlotMissing),
    ("an entry repeated", || entries(|e| e.insert(2, e[1].clone())), Code::SlotRepeated),
    ("a second assignment of a slot", fork, Code::SlotRepeated),
    ("an assignment left unnamed", || assigned(|d| d.message = None), Code::NotAnAssignment),
    ("an assignment of another type", || assigned(|d| d.kind = "Message".into()), Code::NotAnAssignment),
    ("a slot that is no number", || assigned(|d| d.slot = "-2".into()), Code::NotAnAssignment),
    (
        "an assignment for another process",
        || assigned(|d| d.process = Id([9; 32]).to_string()),
        Code::ProcessMismatch,
    ),
    ("an assignment of another epoch", || assigned(|d| d.epoch = "1".into()), Code::EpochChanged),
    ("another hash chain", || assigned(|d| d.hash_chain = Id([9; 32]).to_string()), Code::HashChainBroken),
    (
        "the past rewritten by its scheduler",
        || assigned(|d| d.message = Some(rewritten().id().to_string())),
        Code::MessageMismatch,
    ),
    ("the past rewritten, message and all", rewrite, Code::HashChainBroken),
    ("a clock set back", || assigned(|d| d.timestamp = "1728412700999".into()), Code::TimestampBackwards),
    (
        "a height set back",
        || assigned(|d| d.block_height = "000001500000".into()),
        Code::BlockHeightBackwards,
    ),
    ("a scheduler the process does not name", || another_scheduler(), Code::SchedulerMismatch),
    ("a message in the process's place", || follow(&own_message(Id([9; 32]), ""), vec![]), Code::NotAProcess),
    (
        "a page's printed id",
        || page(|p| p["edges"][0]["node"]["assignment"]["id"] = Id([9; 32]).to_string().into()),
        Code::IdMismatch,
    ),
    (
        "a page's process taken for another",
        || page(|p| p["edges"][0]["node"]["message"]["tags"][3]["value"] = "x".into()),
        Code::SignatureInvalid,
    ),
    (
        "a page's signature that is no base64url",
        || page(|p| p["edges"][0]["node"]["assignment"]["signature"] = "+/==".into()),
        Code::Base64Invalid,
    ),
    (
        "a page's target that is no id",
        || page(|p| p["edges"][0]["node"]["assignment"]["target"] = "x".into()),
        Code::IdInvalid,
    ),
    (
        "a page's key of another size",
        || page(|p| p["edges"][0]["node"]["assignment"]["owner"]["key"] = "AQAB".into()),
        Code::ItemMalformed,
    ),
    (
        "a page's signature left out",
        || page(|p| drop(p["edges"][1]["node"]["assignment"].as_object_mut().unwrap().remove("signature"))),
        Code::PageMalformed,
    ),
    (
        "a page's anchor that is none",
        || page(|p| p["edges"][1]["node"]["assignment"]["anchor"] = "x".into()),
        Code::PageMalformed,
    ),
    ("a page's anchors left out", || page_text(fixtures::PAGE), Code::AnchorMissing),
    ("a page cut short", || page_text(&fixtures::PAGE[..5000]), Code::JsonInvalid),
    ("a stored entry's presence byte", || stored(|b| b[PRESENCE] = 2), Code::ItemMalformed),
    ("a stored entry's tag count", || stored(|b| b[PRESENCE + 34] += 1), Code::TagsMalformed),
    ("a stored entry's tag size", || stored(|b| b[PRESENCE + 34 + 8 + 2] = 1), Code::TooLarge),
    (
        "a stored entry's item cut short",
        || {
            stored(|b| {
                b[32] = 16;
                b[33] = 0;
            })
        },
        Code::ItemTruncated,
    ),
    ("a stored entry's bundle cut short", || stored(|b| b.truncate(b.len() - 1)), Code::BundleMalformed),
    ("a stored entry that says one item more", || stored(|b| b[0] += 1), Code::BundleMalformed),
    ("a stored entry's printed id", || stored(|b| b[64] ^= 1), Code::IdMismatch),
    ("a stored entry's tag byte", || stored(|b| b[PRESENCE + 34 + 16 + 3] ^= 1), Code::SignatureInvalid),
];

/// The scheduler assigns slot 1 twice.
fn fork() -> Result<()> {
    entries(|entries| {
        let message = rewritten();
        let mut draft = OwnHistory::get().drafts[1].clone();
        draft.message = Some(message.id().to_string());
        entries.insert(2, HistoryEntry { assignment: draft.sign(), message: Some(message) });
    })
}

fn rewritten() -> DataItem {
    own_message(own_id(), "what was never said")
}

/// The scheduler rewrites slot 1, message and assignment: what it signed after that does not follow.
fn rewrite() -> Result<()> {
    entries(|entries| {
        let message = rewritten();
        let mut draft = OwnHistory::get().drafts[1].clone();
        draft.message = Some(message.id().to_string());
        entries[1] = HistoryEntry { assignment: draft.sign(), message: Some(message) };
    })
}

/// A process that names another scheduler, with assignments made out for it by ours.
fn another_scheduler() -> Result<()> {
    let process = own_process(&fixtures::NAMED_SCHEDULER.parse()?);
    let mut draft = OwnHistory::get().drafts[0].clone();
    draft.process = process.id().to_string();
    draft.hash_chain = Id::sha256(process.id().as_bytes()).to_string();
    follow(&process, vec![HistoryEntry { assignment: draft.sign(), message: None }])
}

#[weft_tests::both]
fn every_tampering_is_refused_with_its_code() {
    let mut wrong = Vec::new();
    let mut codes = BTreeSet::new();
    for (name, tamper, code) in TAMPERINGS {
        codes.insert(code);
        match tamper() {
            Err(error) if error.code() == *code => {}
            other => wrong.push(format!("{name}: wanted {}, got {other:?}", code.as_str())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(codes.len() >= 20, "{} different codes", codes.len());
}

/// The values that docs/errors.md promises: programs read these, not the sentence.
#[weft_tests::both]
fn refusals_carry_what_a_program_wants() {
    let field = |error: &Error, name: &str| error.field(name).map(str::to_owned);
    let dropped = entries(|e| drop(e.remove(1))).unwrap_err();
    assert_eq!(
        [field(&dropped, "slot"), field(&dropped, "wanted")].map(Option::unwrap),
        ["2", "1"],
        "{dropped:?}"
    );
    assert_eq!(dropped.field("subject"), Some("assignment"));

    let forged = another_scheduler().unwrap_err();
    assert_eq!(forged.field("signer"), Some(TestKey::get().address().as_str()), "{forged:?}");
    assert_eq!(forged.field("scheduler"), Some(fixtures::NAMED_SCHEDULER));
    assert_eq!(forged.field("slot"), Some("0"));

    let message = OwnHistory::get().entries[2].message.as_ref().unwrap().id().to_string();
    let flipped = entries(|e| flip(&mut e[2].message.as_mut().unwrap().data)).unwrap_err();
    assert_eq!((flipped.field("subject"), field(&flipped, "id")), (Some("message"), Some(message.clone())));
    let missing = entries(|e| e[2].message = None).unwrap_err();
    assert_eq!((missing.field("subject"), field(&missing, "id")), (Some("message"), Some(message)));

    let chain = assigned(|d| d.hash_chain = Id([9; 32]).to_string()).unwrap_err();
    assert_eq!(field(&chain, "found"), Some(Id([9; 32]).to_string()));
    assert_eq!(field(&chain, "expected"), Some(OwnHistory::get().drafts[2].hash_chain.clone()));
}

#[weft_tests::both]
fn untouched_they_are_accepted() {
    entries(|_| {}).unwrap();
    assigned(|_| {}).unwrap();
    page(|_| {}).unwrap();
    page_text(fixtures::PAGE_SHOW_ANCHOR).unwrap();
    stored(|_| {}).unwrap();
}
