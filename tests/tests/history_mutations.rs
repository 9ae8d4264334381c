//! 100,000 changed entries of a real history: none is accepted, and none moves the verifier.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many were refused, and why, is part of the result")]

use std::collections::{BTreeMap, BTreeSet};

use weft_codec::item::DataItem;
use weft_codec::{Code, bundle};
use weft_tests::fixtures::{self, ACTUAL_SCHEDULER};
use weft_verify::{HistoryEntry, HistoryVerifier, SchedulerPolicy, Untrusted};

const COUNT: u64 = 100_000;

/// SplitMix64: the same changes in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

/// The bytes of an item with some changed, cut, put in or moved across a boundary.
fn change(random: &mut Random, item: &DataItem) -> Vec<u8> {
    let mut bytes = item.to_bytes();
    let at = random.below(bytes.len());
    match random.below(6) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        2 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
        3 => drop(bytes.remove(at)),
        4 => {
            let start = 2 + item.signature.len() + item.owner.len();
            let head = start + random.below(bytes.len() - start);
            bytes[head] = bytes[head].wrapping_add(u8::try_from(1 + random.below(255)).unwrap());
        }
        _ => {
            let other = random.below(bytes.len());
            bytes.swap(at, other);
        }
    }
    bytes
}

#[test]
fn no_changed_entry_is_accepted() {
    let open = |bytes: &&[u8]| -> Vec<DataItem> {
        let outer = DataItem::parse(bytes).unwrap();
        bundle::parse(&outer.data).unwrap().into_iter().map(|(_, item)| item).collect()
    };
    let entries: Vec<Vec<DataItem>> = fixtures::ENTRIES.iter().map(open).collect();
    let process = weft_verify::item(Untrusted::new(entries[0][1].clone(), "file"), None).unwrap();
    let process = weft_verify::process(process).unwrap();
    let policy = SchedulerPolicy {
        accepted: BTreeSet::from([ACTUAL_SCHEDULER.parse().unwrap()]),
        ..SchedulerPolicy::default()
    };
    // The verifier before each slot.
    let mut verifier = HistoryVerifier::new(&process, policy);
    let mut before = Vec::new();
    for entry in &entries {
        before.push(verifier.clone());
        verifier.next_assignment(Untrusted::new(entry[0].clone(), "file")).unwrap();
    }

    let whole: Vec<usize> = (0..entries.len()).filter(|slot| entries[*slot].len() == 2).collect();
    let mut random = Random(7);
    let (mut made, mut same) = (0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    while made < COUNT {
        let slot = whole[random.below(whole.len())];
        let other = whole[random.below(whole.len())];
        let [assignment, message] = &entries[slot][..] else { continue };
        let changed = match random.below(4) {
            0 => DataItem::parse(&change(&mut random, assignment)).map(|item| (item, message.clone())),
            1 => DataItem::parse(&change(&mut random, message)).map(|item| (assignment.clone(), item)),
            2 => Ok((entries[other][0].clone(), entries[random.below(2) * other][1].clone())),
            _ => Ok((assignment.clone(), entries[other][1].clone())),
        };
        let code = match changed {
            Ok((changed, other)) if changed == *assignment && other == *message => {
                same += 1;
                continue;
            }
            Ok((assignment, message)) => {
                let mut verifier = before[slot].clone();
                let entry = HistoryEntry { assignment, message: Some(message) };
                let error = verifier.next(Untrusted::new(entry, "test")).unwrap_err();
                assert_eq!(verifier.head(), before[slot].head(), "a refusal moves nothing");
                error.code()
            }
            Err(error) => error.code(),
        };
        made += 1;
        *refused.entry(code.as_str()).or_default() += 1;
    }
    println!("{made} changed entries, {same} unchanged ones passed over; refused: {refused:?}");
    assert!(refused[Code::SignatureInvalid.as_str()] > 10_000);
}
