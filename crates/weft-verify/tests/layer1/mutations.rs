//! A hundred thousand changed transactions, blocks and chunks, of which none is taken for the real one.

use serde_json::Value;
use weft_codec::block::Block;
use weft_codec::transaction::Transaction;
use weft_codec::{Address, base64url};
use weft_verify::{ChunkProof, Untrusted};

use super::transactions;
use super::world::{BLOCK_2_9, World};

const TRANSACTIONS: [&str; 2] = [
    include_str!("../../../../tests/fixtures/arweave-l1/tx-cqcmzP9MUXEA8a_FIHHjZU-QIgn7uoPv4D3qQL0OlFQ.json"),
    include_str!("../../../../tests/fixtures/arweave-l1/tx-cK9WF2XMwFj5TF1uhaCSdrA2mVoaxAz20HkDyQhq0i0.json"),
];
const BLOCK_2_6: &str = include_str!("../../../../tests/fixtures/arweave-l1/blocks/1132210.json");
const BLOCK_2_7: &str = include_str!("../../../../tests/fixtures/arweave-l1/blocks/1315910.json");

/// Numbers that are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap()
    }

    /// A flipped bit, a changed byte, bytes left out, doubled or put in: in whatever bytes.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(6) {
            0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            2 if !bytes.is_empty() => bytes[at] = self.next().to_le_bytes()[0],
            3 => bytes.truncate(at),
            4 => {
                let end = (at + 1 + self.below(40)).min(bytes.len());
                drop(bytes.drain(at..end));
            }
            _ => {
                let extra: Vec<u8> = (0..=self.below(8)).map(|_| self.next().to_le_bytes()[0]).collect();
                drop(bytes.splice(at..at, extra));
            }
        }
    }

    /// A place in JSON that is no object: a text, a number, an element of a list.
    fn leaf<'a>(&mut self, value: &'a mut Value) -> &'a mut Value {
        let count = match &*value {
            Value::Object(object) => object.len(),
            Value::Array(array) => array.len(),
            _ => 0,
        };
        if count == 0 {
            return value;
        }
        let at = self.below(count);
        let inside = match value {
            Value::Array(array) => &mut array[at],
            other => other.as_object_mut().unwrap().values_mut().nth(at).unwrap(),
        };
        self.leaf(inside)
    }

    /// A field changed as one who knows the format would: its bytes damaged, another number, another field's value,
    /// nothing, or two elements of a list changed with each other.
    fn change(&mut self, json: &mut Value) {
        let mut copy = json.clone();
        let other = self.leaf(&mut copy).clone();
        let kind = self.below(5);
        let turn = self.next();
        if kind == 4 {
            let object = json.as_object_mut().unwrap();
            let lists: Vec<&mut Vec<Value>> = object.values_mut().filter_map(Value::as_array_mut).collect();
            let mut long: Vec<&mut Vec<Value>> = lists.into_iter().filter(|list| list.len() > 1).collect();
            if !long.is_empty() {
                let list = self.below(long.len());
                let (one, two) = (self.below(long[list].len()), self.below(long[list].len()));
                return long[list].swap(one, two);
            }
        }
        let mut dice = Dice(turn);
        let leaf = self.leaf(json);
        *leaf = match (kind, &*leaf) {
            (0 | 1, Value::String(text)) => match base64url::decode(text) {
                Ok(mut bytes) => {
                    dice.damage(&mut bytes);
                    base64url::encode(&bytes).into()
                }
                Err(_) => "unclaimed".into(),
            },
            (0..=2, Value::Number(number)) => {
                number.as_u64().unwrap_or(0).wrapping_add(1 << dice.below(20)).into()
            }
            (2, Value::String(text)) if text.parse::<u64>().is_ok() => dice.next().to_string().into(),
            (3, _) => Value::Null,
            _ => other,
        };
    }
}

#[derive(Default)]
struct Counts {
    tried: usize,
    unread: usize,
    refused: usize,
    same: usize,
}

impl Counts {
    fn print(&self, what: &str) {
        let Self { tried, unread, refused, same } = self;
        println!(
            "{what}: {tried} changed, {unread} do not read, {refused} refused, {same} read as the real one, 0 accepted"
        );
    }
}

/// Text damaged as bytes half of the time, and by field otherwise.
fn changed(dice: &mut Dice, text: &str, json: &Value) -> Vec<u8> {
    if dice.below(2) == 0 {
        let mut bytes = text.as_bytes().to_vec();
        dice.damage(&mut bytes);
        return bytes;
    }
    let mut json = json.clone();
    dice.change(&mut json);
    json.to_string().into_bytes()
}

/// With the id that was asked for. An ECDSA id does not bind the fields: there the owner is what must not be taken for
/// the real one.
#[test]
fn forty_thousand_transactions() {
    let (ecdsa, _) = transactions::ecdsa(b"data");
    let texts = TRANSACTIONS.map(str::to_owned).into_iter().chain([ecdsa.to_json().to_string()]);
    let mut counts = Counts::default();
    for (number, text) in (0..).zip(texts) {
        let json: Value = serde_json::from_str(&text).unwrap();
        let real = Transaction::from_json(text.as_bytes()).unwrap();
        let proved = transactions::prove(real.clone()).unwrap();
        let owner: Address = proved.owner_address();
        let mut dice = Dice(number);
        for _ in 0..13_334 {
            let bytes = changed(&mut dice, &text, &json);
            counts.tried += 1;
            match Transaction::from_json(&bytes) {
                Err(_) => counts.unread += 1,
                Ok(read) if read == real => counts.same += 1,
                Ok(read) => {
                    let verdict = weft_verify::transaction(Untrusted::new(read, "test"), None, Some(real.id));
                    assert!(
                        !verdict.is_ok_and(|taken| taken.owner_address() == owner),
                        "{}",
                        String::from_utf8_lossy(&bytes)
                    );
                    counts.refused += 1;
                }
            }
        }
    }
    counts.print("transactions");
    assert!(counts.tried >= 40_000 && counts.refused > 10_000);
}

/// With the hash that was asked for; and, every other time, with the hash of what was changed, so that the signature
/// has to refuse. A recalled chunk, its option and unknown fields are not part of a hash: changed, the block is the same.
#[test]
fn forty_thousand_blocks() {
    let own = World::get().blocks[0].to_json().to_string();
    let mut counts = Counts::default();
    for (number, text) in (100..).zip([BLOCK_2_6, BLOCK_2_7, BLOCK_2_9, &own]) {
        let json: Value = serde_json::from_str(text).unwrap();
        let real = Block::from_json(text.as_bytes()).unwrap();
        let mut dice = Dice(number);
        for round in 0..10_000 {
            let bytes = changed(&mut dice, text, &json);
            counts.tried += 1;
            let Ok(mut read) = Block::from_json(&bytes) else {
                counts.unread += 1;
                continue;
            };
            let printed = round % 2 == 0;
            if printed && let Ok(hash) = read.computed_hash() {
                read.indep_hash = hash;
            }
            if hashed(&read) == hashed(&real) {
                counts.same += 1;
                continue;
            }
            let expected = (!printed).then_some(real.indep_hash);
            let verdict = weft_verify::block(Untrusted::new(read, "test"), expected);
            assert!(verdict.is_err(), "{}", String::from_utf8_lossy(&bytes));
            counts.refused += 1;
        }
    }
    counts.print("blocks");
    assert!(counts.tried >= 40_000 && counts.refused > 10_000);
}

/// A block without what its hash is not over. The nonce is a number.
fn hashed(block: &Block) -> Block {
    let mut block = block.clone();
    let mining = block.mining.as_mut().unwrap();
    for poa in [&mut block.poa, &mut mining.poa2].into_iter().flatten() {
        poa.chunk.clear();
        poa.option = 1;
    }
    if weft_codec::block::Fork::at(block.height) < weft_codec::block::Fork::F2_7 {
        (block.poa, mining.poa2) = (None, None);
    }
    let zeros = block.nonce.iter().take_while(|byte| **byte == 0).count();
    block.nonce.drain(..zeros);
    block
}

/// Chunks, their paths and places, and paths to transactions.
#[test]
fn twenty_thousand_chunks() {
    let world = World::get();
    let (root, size) = (world.carrier.data_root.unwrap(), world.carrier.data_size);
    let real = [world.chunk(10), world.chunk(300_000), world.chunk(size - 1)];
    let mut dice = Dice(7);
    let mut counts = Counts::default();
    for round in 0..10_000 {
        let whole = &real[round % 3];
        let mut proof: ChunkProof = whole.clone();
        match dice.below(4) {
            0 => dice.damage(&mut proof.chunk),
            1 | 2 => dice.damage(&mut proof.data_path),
            _ => proof.offset = dice.next() % (2 * size),
        }
        counts.tried += 1;
        let covers = |chunk: &weft_verify::Chunk| {
            let range = usize::try_from(chunk.start).unwrap()
                ..usize::try_from(chunk.start).unwrap() + chunk.bytes.len();
            world.data[range] == chunk.bytes
        };
        // Taken is only what is true: the bytes at their place. Another offset in the same chunk is.
        match weft_verify::chunk(Untrusted::new(proof.clone(), "test"), root, size, None) {
            Ok(taken) => {
                assert!(
                    covers(&taken) && (&proof.data_path, &proof.chunk) == (&whole.data_path, &whole.chunk)
                );
                counts.same += 1;
            }
            Err(_) => counts.refused += 1,
        }
    }
    let block = super::blocks::prove(world.blocks[0].clone()).unwrap();
    let real = world.tx_path();
    for _ in 0..10_000 {
        let mut path = real.clone();
        if dice.below(3) == 0 {
            path.offset = block.start() + dice.next() % (2 * block.block_size);
        } else {
            dice.damage(&mut path.path);
        }
        counts.tried += 1;
        match weft_verify::transaction_path(&block, path.offset, &path.path) {
            Ok(place) => {
                let true_place = Some(place.data_root) == world.carrier.data_root;
                assert!(true_place && place.size == size && path.path == real.path);
                counts.same += 1;
            }
            Err(_) => counts.refused += 1,
        }
    }
    counts.print("chunks and paths");
    assert!(counts.tried == 20_000 && counts.refused > 10_000);
}
