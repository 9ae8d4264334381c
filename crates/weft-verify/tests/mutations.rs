//! 100,000 changed data items of every signature type: bits flipped, fields swapped, bytes cut, put in and moved,
//! lengths that lie, signatures bent. None is accepted for the item it was made from.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many were refused, and why, is part of the result")]

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use weft_codec::item::{DataItem, MULTI_APTOS, signature_sizes};
use weft_codec::tags::{self, Tag};
use weft_codec::{Id, base64url};
use weft_verify::{Untrusted, claims_of_item};

const COUNT: u64 = 100_000;

/// SplitMix64: the same changes on every machine and in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Never 0.
    fn change(&mut self) -> u8 {
        self.byte().max(1)
    }
}

fn file(name: &str) -> DataItem {
    let path = format!("{}/../../tests/fixtures/ans104/{name}", env!("CARGO_MANIFEST_DIR"));
    DataItem::parse(&std::fs::read(path).unwrap()).unwrap()
}

fn edge(name: &str) -> DataItem {
    let table = include_str!("../../../tests/fixtures/ans104/edges.json");
    let table: serde_json::Value = serde_json::from_str(table).unwrap();
    let row = table.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    DataItem::parse(&base64url::decode(row["bytes"].as_str().unwrap()).unwrap()).unwrap()
}

/// An Ed25519 item (types 2, 4, 5, 6) with every field, signed here.
fn signed(signature_type: u16, data: &str) -> DataItem {
    let (signature, owner) = signature_sizes(signature_type).unwrap();
    let tags = vec![Tag::new("Data-Protocol", "ao"), Tag::new("Action", data)];
    let mut item = DataItem {
        signature_type,
        signature: vec![0; signature],
        owner: vec![0; owner],
        target: Some(Id([3; 32])),
        anchor: Some([4; 32]),
        raw_tags: tags::encode_sized(&tags),
        tags,
        data: data.as_bytes().to_vec(),
    };
    let keys = [5, 6, 7].map(|byte| SigningKey::from_bytes(&[byte; 32]));
    let used = if signature_type == MULTI_APTOS { 3 } else { 1 };
    for (key, slot) in keys[..used].iter().zip(item.owner.chunks_mut(32)) {
        slot.copy_from_slice(key.verifying_key().as_bytes());
    }
    if signature_type == MULTI_APTOS {
        item.owner[1024] = 3;
        item.signature[2048] = 0b1110_0000;
    }
    // The message does not depend on the signature.
    let message = claims_of_item(&item)[0].message.clone();
    for (key, slot) in keys[..used].iter().zip(item.signature.chunks_mut(64)) {
        slot.copy_from_slice(&key.sign(&message).to_bytes());
    }
    item
}

fn originals() -> Vec<DataItem> {
    let mut items: Vec<DataItem> = [1, 3, 7]
        .into_iter()
        .flat_map(|kind| ["ao-message", "unicode-tags"].map(|name| file(&format!("type{kind}-{name}.item"))))
        .collect();
    items.extend([2, 4, 5, 6].into_iter().flat_map(|kind| [signed(kind, "one"), signed(kind, "two")]));
    items.push(edge("type 6, two of three"));
    items.push(edge("type 7, high s"));
    items.push(edge("tags: two blocks, the second with its size"));
    items
}

type Change = fn(&mut Random, &DataItem, &DataItem) -> Vec<u8>;

const CHANGES: [(&str, Change); 11] = [
    ("bit flipped", |random, item, _| {
        let mut bytes = item.to_bytes();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        bytes
    }),
    ("bit flipped behind the key", |random, item, _| {
        let mut bytes = item.to_bytes();
        let start = 2 + item.signature.len() + item.owner.len();
        let at = start + random.below(bytes.len() - start);
        bytes[at] ^= 1 << random.below(8);
        bytes
    }),
    ("bytes changed", |random, item, _| {
        let mut bytes = item.to_bytes();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            bytes[at] ^= random.change();
        }
        bytes
    }),
    ("cut", |random, item, _| {
        let mut bytes = item.to_bytes();
        bytes.truncate(random.below(bytes.len()));
        bytes
    }),
    ("bytes put in", |random, item, _| {
        let mut bytes = item.to_bytes();
        let at = random.below(bytes.len() + 1);
        let new: Vec<u8> = (0..=random.below(40)).map(|_| random.byte()).collect();
        bytes.splice(at..at, new);
        bytes
    }),
    ("bytes taken out", |random, item, _| {
        let mut bytes = item.to_bytes();
        let at = random.below(bytes.len());
        let end = bytes.len().min(at + 1 + random.below(64));
        bytes.drain(at..end);
        bytes
    }),
    ("bytes moved", |random, item, _| {
        let mut bytes = item.to_bytes();
        let (from, to) = (random.below(bytes.len()), random.below(bytes.len() - 1));
        let byte = bytes.remove(from);
        bytes.insert(to, byte);
        bytes
    }),
    ("field of another item", |random, item, other| {
        let mut item = item.clone();
        match random.below(7) {
            0 => item.signature.clone_from(&other.signature),
            1 => item.owner.clone_from(&other.owner),
            2 => item.target = other.target,
            3 => item.anchor = other.anchor,
            4 => {
                item.raw_tags.clone_from(&other.raw_tags);
                item.tags.clone_from(&other.tags);
            }
            5 => item.data.clone_from(&other.data),
            _ => item.signature_type = other.signature_type,
        }
        item.to_bytes()
    }),
    ("field dropped or made up", |random, item, _| {
        let mut item = item.clone();
        match random.below(5) {
            0 => item.target = item.target.is_none().then_some(Id([9; 32])),
            1 => item.anchor = item.anchor.is_none().then_some([9; 32]),
            2 => {
                item.tags.pop();
                item.raw_tags = tags::encode(&item.tags);
            }
            3 => {
                // The same tags, in the other form: other bytes are not what was signed.
                let sized = tags::encode_sized(&item.tags);
                item.raw_tags = if item.raw_tags == sized { tags::encode(&item.tags) } else { sized };
            }
            _ => item.signature_type = u16::from(random.byte() % 10),
        }
        item.to_bytes()
    }),
    ("length that lies", |random, item, _| {
        let mut bytes = item.to_bytes();
        let start = 2 + item.signature.len() + item.owner.len();
        let presence = [start, start + 1 + 32 * usize::from(item.target.is_some())];
        let counts = presence[1] + 1 + 32 * usize::from(item.anchor.is_some());
        match random.below(4) {
            0 => bytes[presence[random.below(2)]] ^= random.change(),
            1 => bytes[counts + random.below(8)] ^= random.change(),
            2 => bytes[counts + 8 + random.below(8)] ^= random.change(),
            _ => {
                // One tag byte more or less, and one data byte less or more: all bytes stay where they are.
                let step = if random.below(2) == 0 { 1 } else { 0xff };
                bytes[counts + 8] = bytes[counts + 8].wrapping_add(step);
            }
        }
        bytes
    }),
    ("signature bent", |random, item, _| {
        let mut item = item.clone();
        bend(random, &mut item);
        item.to_bytes()
    }),
];

/// Another signature that is near a valid one: s plus the order of Ed25519, s on the other side of secp256k1's, a byte
/// v, a slot that does not count.
fn bend(random: &mut Random, item: &mut DataItem) {
    const ED25519_ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    match item.signature_type {
        3 | 7 if random.below(2) == 0 => {
            let parsed = k256::ecdsa::Signature::from_slice(&item.signature[..64]).unwrap();
            let bent = k256::ecdsa::Signature::from_scalars(parsed.r(), -parsed.s()).unwrap();
            item.signature[..64].copy_from_slice(&bent.to_bytes());
            item.signature[64] ^= u8::try_from(random.below(2)).unwrap() * 7;
        }
        3 | 7 => item.signature[64] ^= random.change(),
        6 if random.below(2) == 0 => {
            let at = random.below(item.signature.len());
            item.signature[at] ^= random.change();
        }
        2 | 4 | 5 | 6 => {
            let mut carry = 0;
            for (byte, order) in item.signature[32..64].iter_mut().zip(ED25519_ORDER) {
                let sum = u16::from(*byte) + u16::from(order) + carry;
                *byte = sum.to_le_bytes()[0];
                carry = sum >> 8;
            }
        }
        _ => {
            let at = random.below(item.signature.len());
            item.signature[at] ^= random.change();
        }
    }
}

/// Everything that was signed, and by whom: an item but for its signature.
fn content(item: &DataItem) -> DataItem {
    DataItem { signature: Vec::new(), ..item.clone() }
}

#[test]
fn no_changed_item_is_accepted() {
    let originals = originals();
    let bytes: Vec<Vec<u8>> = originals.iter().map(DataItem::to_bytes).collect();
    for item in &originals {
        weft_verify::item(Untrusted::new(item.clone(), "test"), Some(item.id())).unwrap();
    }
    let mut random = Random(104);
    let (mut made, mut same) = (0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let mut other_ids: BTreeMap<(u16, &str), usize> = BTreeMap::new();
    while made < COUNT {
        let item = &originals[random.below(originals.len())];
        let other = &originals[random.below(originals.len())];
        let (name, change) = CHANGES[random.below(CHANGES.len())];
        let changed = change(&mut random, item, other);
        if bytes.contains(&changed) {
            same += 1; // nothing changed, or it became another original
            continue;
        }
        made += 1;
        let verdict = |expected| {
            DataItem::parse(&changed)
                .and_then(|parsed| weft_verify::item(Untrusted::new(parsed, "test"), expected))
        };
        let code = verdict(Some(item.id())).expect_err(name).code();
        *refused.entry(code.as_str()).or_default() += 1;
        // Without an id to compare with, the same owner's same content may carry another signature, with another id.
        if let Ok(accepted) = verdict(None) {
            assert!(content(&accepted) == content(item) && accepted.id() != item.id(), "{name}");
            *other_ids.entry((item.signature_type, name)).or_default() += 1;
        }
    }
    println!("{made} changed items, {same} unchanged ones passed over; refused: {refused:?}");
    println!("the same content under another id, by signature type: {other_ids:?}");
    assert!(other_ids.keys().all(|(kind, _)| [3, 6, 7].contains(kind)), "{other_ids:?}");
    assert!(refused["signature-invalid"] > 10_000 && refused["id-mismatch"] > 10_000);
}
