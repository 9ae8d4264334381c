//! Fraud proofs by themselves: what counts, what does not, and the file. Scheduler: the test key.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::Tag;
use weft_codec::{Code, Error, Id};
use weft_tests::history::{Draft, OwnHistory};
use weft_tests::signing::TestKey;
use weft_verify::{
    Difference, Fraud, FraudProof, HistoryVerifier, MAX_FRAUD_BYTES, SchedulerPolicy, Status, Untrusted,
    Verified,
};

fn drafted() -> Draft {
    OwnHistory::get().drafts[2].clone()
}

/// The proof that the honest assignment of slot 2 and another one make.
fn against(other: &DataItem) -> weft_codec::Result<Verified<Fraud>> {
    proof_of(&OwnHistory::get().entries[2].assignment, other)
}

fn proof_of(one: &DataItem, other: &DataItem) -> weft_codec::Result<Verified<Fraud>> {
    weft_verify::fraud(Untrusted::new(FraudProof::of(one, other)?, "a test"))
}

fn changed(change: impl FnOnce(&mut Draft)) -> DataItem {
    let mut draft = drafted();
    change(&mut draft);
    draft.sign()
}

fn difference(other: &DataItem) -> Difference {
    against(other).unwrap().difference
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> Code {
    result.unwrap_err().code()
}

#[weft_tests::both]
fn two_messages_for_one_slot_are_fraud() {
    let other = changed(|draft| draft.message = Some(Id([7; 32]).to_string()));
    let fraud = against(&other).unwrap();
    assert_eq!((fraud.slot, fraud.difference), (2, Difference::Message));
    assert_eq!(fraud.scheduler, TestKey::get().address());
    assert_eq!(fraud.process, OwnHistory::get().process.id());
    let check = fraud.checks().last().unwrap();
    assert_eq!((check.claim.as_str(), &check.status), ("scheduler-equivocation", &Status::Proved));
    // Whichever comes first, it is the same proof.
    let honest = &OwnHistory::get().entries[2].assignment;
    assert_eq!(FraudProof::of(honest, &other).unwrap(), FraudProof::of(&other, honest).unwrap());
}

#[weft_tests::both]
fn the_same_message_with_another_time_past_or_anchor_is_fraud_too() {
    assert_eq!(difference(&changed(|draft| draft.timestamp.push('0'))), Difference::Context);
    assert_eq!(difference(&changed(|draft| draft.block_height = "000001500009".into())), Difference::Context);
    assert_eq!(difference(&changed(|draft| draft.hash_chain = Id([3; 32]).to_string())), Difference::Past);
    let tags = drafted().sign().tags;
    let sign = |tags: Vec<Tag>, anchor| {
        TestKey::get().item(Unsigned { anchor: Some(anchor), tags, ..Unsigned::default() })
    };
    assert_eq!(difference(&sign(tags.clone(), [0xb8; 32])), Difference::Id);
    let excluded = [tags, vec![Tag::new("Exclude", "Data")]].concat();
    assert_eq!(difference(&sign(excluded, [0xa7; 32])), Difference::Context);
}

#[weft_tests::both]
fn what_is_no_contradiction_is_refused() {
    let honest = &OwnHistory::get().entries[2].assignment;
    // Twice the same.
    assert_eq!(code(against(honest)), Code::FraudUnfounded);
    // Another slot, another epoch, another process.
    assert_eq!(code(against(&OwnHistory::get().entries[1].assignment)), Code::FraudUnfounded);
    assert_eq!(code(against(&changed(|draft| draft.epoch = "1".into()))), Code::EpochChanged);
    let other = changed(|draft| draft.process = Id([9; 32]).to_string());
    assert_eq!(code(against(&other)), Code::ProcessMismatch);
    // Not an assignment at all.
    let message = OwnHistory::get().entries[2].message.clone().unwrap();
    assert_eq!(code(against(&message)), Code::NotAnAssignment);
}

#[weft_tests::both]
fn what_does_not_verify_is_refused() {
    let mut other = changed(|draft| draft.message = Some(Id([7; 32]).to_string()));
    other.anchor = Some([1; 32]);
    assert_eq!(code(against(&other)), Code::SignatureInvalid);
    other.anchor = None;
    assert_eq!(code(against(&other)), Code::AnchorMissing);
    let other = changed(|draft| draft.message = Some(Id([7; 32]).to_string()));
    let proof = FraudProof::of(&OwnHistory::get().entries[2].assignment, &other).unwrap();
    let refused = |proof: FraudProof| code(weft_verify::fraud(Untrusted::new(proof, "a test")));
    // The file says who, what and where; all of it must be what is signed.
    let someone = FraudProof { scheduler: weft_codec::Address::from(Id([5; 32])), ..proof.clone() };
    assert_eq!(refused(someone), Code::SchedulerMismatch);
    assert_eq!(refused(FraudProof { process: Id([5; 32]), ..proof.clone() }), Code::ProcessMismatch);
    assert_eq!(refused(FraudProof { slot: 3, ..proof.clone() }), Code::FraudUnfounded);
    // No byte of either item can be another one.
    for at in (0..proof.first.len()).step_by(97) {
        let mut proof = proof.clone();
        proof.first[at] ^= 4;
        assert!(weft_verify::fraud(Untrusted::new(proof, "a test")).is_err(), "byte {at}");
    }
}

#[weft_tests::both]
fn the_file_reads_back_and_nothing_else_does() {
    let other = changed(|draft| draft.message = Some(Id([7; 32]).to_string()));
    let proof = FraudProof::of(&OwnHistory::get().entries[2].assignment, &other).unwrap();
    let json = proof.to_json();
    assert_eq!(FraudProof::from_json(json.to_string().as_bytes()).unwrap(), proof);
    for (name, value, expected) in [
        ("kind", "weft-receipt".into(), Code::RequestInvalid),
        ("version", 2.into(), Code::RequestInvalid),
        ("first", "&".into(), Code::Base64Invalid),
        ("slot", "2".into(), Code::JsonInvalid),
        ("process", "short".into(), Code::JsonInvalid),
    ] {
        let mut json = json.clone();
        json[name] = value;
        assert_eq!(code(FraudProof::from_json(json.to_string().as_bytes())), expected, "{name}");
    }
    assert_eq!(code(FraudProof::from_json(b"[]")), Code::JsonInvalid);
    assert_eq!(code(FraudProof::from_json(&vec![b' '; MAX_FRAUD_BYTES + 1])), Code::TooLarge);
}

/// An assignment as HyperBEAM writes it (reference ao-messages.md §3.1), as a data item.
fn hyperbeam(process: Id, slot: u64, message: &str, hash_chain: &str) -> DataItem {
    let tags = [
        ("path", "compute"),
        ("data-protocol", "ao"),
        ("variant", "ao.N.1"),
        ("process", &process.to_string()),
        ("epoch", "0"),
        ("slot", &slot.to_string()),
        ("block-height", "1700000"),
        ("block-hash", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("block-timestamp", "1750000000"),
        ("timestamp", "1750000000123"),
        ("hash-chain", hash_chain),
        ("body+link", message),
        ("type", "assignment"),
    ];
    let tags = tags.map(|(name, value)| Tag::new(name, value)).to_vec();
    TestKey::get().item(Unsigned { anchor: Some([0xa7; 32]), tags, ..Unsigned::default() })
}

/// The messages and links of `vectors/hb-scheduler.json`.
const MESSAGES: [&str; 2] =
    ["Bb_ywOjoereNRG0hfl1Lb0XKukWAoFeTUiNSMWNEoYU", "Bk09j97XAMpXATeumwjClslfWASR9GvSp3GouU-KOTU"];
const LINKS: [&str; 2] =
    ["iUS6el4LF6niOGX8YquNydMbxijJEbJhDBKmkCTqDCU", "ElNiv4FgDtG97sRD6KxoMiEr2md_jB4jNtjvGnO_QNM"];

fn verifier() -> HistoryVerifier {
    let item = weft_verify::item(Untrusted::new(OwnHistory::get().process.clone(), "a test"), None).unwrap();
    HistoryVerifier::new(&weft_verify::process(item).unwrap(), SchedulerPolicy::default())
}

#[weft_tests::both]
fn the_hash_chain_of_hyperbeam_is_followed() {
    let process = OwnHistory::get().process.id();
    let mut verifier = verifier();
    for (slot, (message, link)) in (0..).zip(MESSAGES.into_iter().zip(LINKS)) {
        let assignment = hyperbeam(process, slot, message, link);
        let verified = verifier.next_assignment(Untrusted::new(assignment, "a test")).unwrap();
        assert_eq!(verified.message.unwrap().to_string(), message);
    }
    assert_eq!(verifier.head().unwrap().slot, 1);
    // After a restart the scheduler takes the text of the link before for its bytes.
    let third = "Isk_GYo30Tyf5nLbVI6zEJIfFpiXQJd58IKcIkTu4no";
    let bytes: Id = LINKS[1].parse().unwrap();
    for before in [LINKS[1].as_bytes(), &bytes.0[..]] {
        let link = Id::sha256(&[before, third.as_bytes()].concat()).to_string();
        let next = hyperbeam(process, 2, third, &link);
        verifier.clone().next_assignment(Untrusted::new(next, "a test")).unwrap();
    }
}

#[weft_tests::both]
fn each_generation_has_its_own_hash_chain() {
    let process = OwnHistory::get().process.id();
    let next = |verifier: &mut HistoryVerifier, item: DataItem| {
        verifier.next_assignment(Untrusted::new(item, "a test")).map(|_| ())
    };
    // The link of the other rule is none.
    let legacy = Id::sha256(process.as_bytes()).to_string();
    let wrong = hyperbeam(process, 0, MESSAGES[0], &legacy);
    assert_eq!(code(next(&mut verifier(), wrong)), Code::HashChainBroken);
    let first = hyperbeam(process, 0, MESSAGES[0], LINKS[0]);
    let second = |message: &str, link: &str| hyperbeam(process, 1, message, link);
    let mut verifier = verifier();
    next(&mut verifier, first.clone()).unwrap();
    // Another message under the same link, and the link of a scheduler unit.
    assert_eq!(code(next(&mut verifier, second(MESSAGES[0], LINKS[1]))), Code::HashChainBroken);
    let link: Id = LINKS[0].parse().unwrap();
    let of_unit = Id::sha256(&[first.id().0, link.0].concat()).to_string();
    assert_eq!(code(next(&mut verifier, second(MESSAGES[1], &of_unit))), Code::HashChainBroken);
    next(&mut verifier, second(MESSAGES[1], LINKS[1])).unwrap();
    // Two messages for one slot are fraud in this generation too.
    let other = second(MESSAGES[0], LINKS[1]);
    let fraud = proof_of(&second(MESSAGES[1], LINKS[1]), &other).unwrap();
    assert_eq!(fraud.difference, Difference::Message);
}

#[weft_tests::both]
fn with_the_process_in_it_the_file_says_whose_scheduler_signed() {
    let own = OwnHistory::get();
    let other = changed(|draft| draft.message = Some(Id([7; 32]).to_string()));
    let proof = FraudProof::of(&own.entries[2].assignment, &other).unwrap();
    let prove = |proof: &FraudProof| {
        let read = FraudProof::from_json(proof.to_json().to_string().as_bytes()).unwrap();
        weft_verify::fraud(Untrusted::new(read, "a file"))
    };
    let of = |fraud: &Verified<Fraud>| {
        let check = fraud.checks().iter().find(|check| check.claim == "scheduler").unwrap();
        (fraud.named, check.status.clone())
    };
    let without = prove(&proof).unwrap();
    assert_eq!(of(&without), (false, Status::Trusted { by: "a file".into() }));
    let named = proof.clone().naming(&own.process.clone().into());
    assert!(named.process_item.is_some());
    assert_eq!(of(&prove(&named).unwrap()), (true, Status::Proved));
    // Another item under the process's id, a process of another scheduler, a changed one, no item.
    let with = |bytes: Vec<u8>| code(prove(&FraudProof { process_item: Some(bytes), ..proof.clone() }));
    assert_eq!(with(own.entries[1].assignment.to_bytes()), Code::IdMismatch);
    let mut changed = own.process.to_bytes();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(with(changed), Code::SignatureInvalid);
    assert_eq!(with(b"no item".to_vec()), Code::ItemMalformed);
    let mut stranger = own.process.clone();
    let tag = stranger.tags.iter_mut().find(|tag| tag.name == "Scheduler").unwrap();
    tag.value = Id([8; 32]).to_string();
    assert!(proof.clone().naming(&stranger.clone().into()).process_item.is_none());
    let tags = stranger.tags.clone();
    let signed = TestKey::get().item(Unsigned { tags, data: b" ".to_vec(), ..Unsigned::default() });
    let proof = FraudProof::of(&assigned(&signed, [1; 32]), &assigned(&signed, [2; 32])).unwrap();
    let proof = FraudProof { process_item: Some(signed.to_bytes()), ..proof };
    assert_eq!(code(prove(&proof)), Code::SchedulerMismatch);
}

/// The test key's assignment of slot 2 in the history of another process.
fn assigned(process: &DataItem, message: [u8; 32]) -> DataItem {
    changed(|draft| {
        draft.process = process.id().to_string();
        draft.message = Some(Id(message).to_string());
    })
}
