//! Real blocks of forks 2.6, 2.7 and 2.9; what changes in one is refused.

use serde_json::Value;
use weft_codec::block::{Block, BlockHash, Fork, Number, TxLeaf};
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Id};
use weft_verify::{Untrusted, Verified};

use super::world::{self, BLOCK_2_9, World};

const BLOCK_2_6: &str = include_str!("../../../../tests/fixtures/arweave-l1/blocks/1132210.json");
/// The blocks of fork 2.7, two pairs of neighbours and one with a double signing proof.
const BLOCKS_2_7: [&str; 5] = [
    include_str!("../../../../tests/fixtures/arweave-l1/blocks/1315849.json"),
    include_str!("../../../../tests/fixtures/arweave-l1/blocks/1315850.json"),
    include_str!("../../../../tests/fixtures/arweave-l1/blocks/1315909.json"),
    include_str!("../../../../tests/fixtures/arweave-l1/blocks/1315910.json"),
    include_str!("../../../../tests/fixtures/arweave-l1/blocks/1374310.json"),
];
const TRANSACTION_2_9: &str =
    include_str!("../../../../tests/fixtures/arweave-l1/tx-cqcmzP9MUXEA8a_FIHHjZU-QIgn7uoPv4D3qQL0OlFQ.json");

pub(crate) fn parse(json: &str) -> Block {
    Block::from_json(json.as_bytes()).unwrap()
}

pub(crate) fn prove(block: Block) -> Result<Verified<Block>, Code> {
    weft_verify::block(Untrusted::new(block, "test"), None).map_err(|error| error.code())
}

#[test]
fn real_blocks_have_their_hash_and_their_miners_signature() {
    let forks: Vec<Fork> = [BLOCK_2_6, BLOCK_2_9]
        .into_iter()
        .chain(BLOCKS_2_7)
        .map(|json| {
            let block = parse(json);
            let proved = prove(block.clone()).unwrap();
            let claims: Vec<&str> = proved.checks().iter().map(|check| check.claim.as_str()).collect();
            assert_eq!(claims, ["block-hash", "block-signature"], "{}", block.height);
            // Written as it was read.
            assert_eq!(Block::from_value(&block.to_json()).unwrap(), block);
            block.fork()
        })
        .collect();
    assert_eq!(forks, [Fork::F2_6, Fork::F2_9, Fork::F2_7, Fork::F2_7, Fork::F2_7, Fork::F2_7, Fork::F2_7]);
    assert!(parse(BLOCKS_2_7[4]).mining.unwrap().double_signing_proof.is_some());
}

/// The values published with block 1132210 (reference vectors/block-1132210.json).
#[test]
fn the_parts_of_a_block_hash() {
    let block = parse(BLOCK_2_6);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(
        hex(&block.signed_hash().unwrap()),
        "45690cb6d9635b69bd3869e812544d9aea60512856c6ca0d3cb98bc716edfe88"
    );
    assert_eq!(
        hex(&block.signature_preimage().unwrap()),
        "00070f85ad5f88d86f00070f85ad5e1b7fd8fffffffff0f21755c3fe71ec9c487aa5dc9827ed281e7d03094caa378024931f4569\
         0cb6d9635b69bd3869e812544d9aea60512856c6ca0d3cb98bc716edfe88"
    );
}

#[test]
fn real_neighbours_follow_each_other() {
    for pair in [[0, 1], [2, 3]] {
        let [parent, child] = pair.map(|at| parse(BLOCKS_2_7[at]));
        weft_verify::follows(&parent, &child).unwrap();
        let broken = |parent: &Block, child: &Block| {
            weft_verify::follows(parent, child).unwrap_err().code() == Code::BlockLinkBroken
        };
        assert!(broken(&child, &parent) && broken(&parent, &parent));
        let change = |change: fn(&mut Block)| {
            let mut child = child.clone();
            change(&mut child);
            child
        };
        assert!(broken(&parent, &change(|block| block.previous_block[0] ^= 1)));
        assert!(broken(&parent, &change(|block| block.height += 1)));
        assert!(broken(&parent, &change(|block| block.hash_list_merkle[47] ^= 1)));
        assert!(broken(&parent, &change(|block| block.weave_size += 1)));
        assert!(broken(
            &parent,
            &change(|block| block.mining.as_mut().unwrap().previous_solution_hash[0] ^= 1)
        ));
        let work = Number::from(1);
        assert!(broken(
            &parent,
            &change(|block| block.mining.as_mut().unwrap().previous_cumulative_diff = Number::from(1))
        ));
        assert_ne!(parent.cumulative_diff, work);
    }
}

/// The one transaction of block 1974239, with its padding, gives the block's root.
#[test]
fn a_real_transaction_gives_its_blocks_root() {
    let block = prove(parse(BLOCK_2_9)).unwrap();
    let transaction = Transaction::from_json(TRANSACTION_2_9.as_bytes()).unwrap();
    let leaf = TxLeaf::of(&transaction);
    weft_verify::block_transactions(&block, &[leaf]).unwrap();
    let refused = |leaves: &[TxLeaf]| weft_verify::block_transactions(&block, leaves).unwrap_err().code();
    assert_eq!(refused(&[]), Code::TxRootMismatch);
    assert_eq!(refused(&[leaf, leaf]), Code::TxRootMismatch);
    assert_eq!(refused(&[TxLeaf { data_size: 22_353, ..leaf }]), Code::TxRootMismatch);
    assert_eq!(refused(&[TxLeaf { data_root: None, ..leaf }]), Code::TxRootMismatch);
    assert_eq!(refused(&[TxLeaf { id: Id([1; 32]), ..leaf }]), Code::TxRootMismatch);
}

/// Every field of the JSON that a hash of fork 2.9 covers: changed, it gives another hash. With that hash printed in it,
/// the signature is not over it.
#[test]
fn every_field_of_a_header_counts() {
    let real: Value = serde_json::from_str(BLOCK_2_9).unwrap();
    let mut counted = 0;
    let mut paths = Vec::new();
    leaves(&real, &mut Vec::new(), &mut paths);
    // The option of a proof of access, its chunk, and what a hash is not over: itself and the signature.
    let free = ["option", "chunk", "indep_hash"];
    for path in paths.iter().filter(|path| !free.contains(&path.last().unwrap().as_str())) {
        let mut changed = real.clone();
        change(path.iter().fold(&mut changed, |at, name| match name.parse::<usize>() {
            Ok(index) if at.is_array() => &mut at[index],
            _ => &mut at[name.as_str()],
        }));
        let Ok(block) = Block::from_value(&changed) else { continue };
        counted += 1;
        assert_eq!(prove(block.clone()).map(|_| ()), Err(Code::BlockHashMismatch), "{path:?}");
        let indep_hash = block.computed_hash().unwrap();
        let refused = prove(Block { indep_hash, ..block }).map(|_| ()).unwrap_err();
        let key = ["reward_key", "reward_addr"].contains(&path[0].as_str());
        let wanted = if key { Code::RewardAddressMismatch } else { Code::BlockSignatureInvalid };
        assert_eq!(refused, wanted, "{path:?}");
    }
    // 35 steps, 25 checkpoints, and the other fields.
    assert!(counted > 110, "{counted} fields");
    println!("{counted} fields of a block of fork 2.9, each changed");
}

fn leaves(value: &Value, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(array) => array.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => return out.push(path.clone()),
    };
    for (name, child) in children {
        path.push(name);
        leaves(child, path, out);
        path.pop();
    }
}

/// Another value of the same form.
fn change(value: &mut Value) {
    *value = match &*value {
        Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
        Value::String(text) if text.is_empty() => "AA".into(),
        Value::String(text) => {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let (first, rest) = text.split_at(1);
            let other = match (digits, first) {
                (true, "1") => "2",
                (true, _) => "1",
                (false, "A") => "B",
                (false, _) => "A",
            };
            format!("{other}{rest}").into()
        }
        other => other.clone(),
    };
}

/// Blocks of our own: the signature of fork 2.9, also by a secp256k1 key, which only fork 2.9 takes.
#[test]
fn blocks_are_signed_by_whom_they_pay() {
    let block = World::get().blocks[0].clone();
    assert!(prove(block.clone()).is_ok());
    // Another payee, signed by the same key.
    let mut other = block.clone();
    other.reward_addr = Some(Id([3; 32]));
    let preimage = other.signature_preimage().unwrap();
    other.mining.as_mut().unwrap().signature = world::Key::get().sign(&preimage);
    other.indep_hash = other.computed_hash().unwrap();
    assert_eq!(prove(other).map(|_| ()), Err(Code::RewardAddressMismatch));

    let key = k256::ecdsa::SigningKey::from_slice(&[0x22; 32]).unwrap();
    let sign = |height: u64, payee: &k256::ecdsa::SigningKey| {
        let mut block = block.clone();
        block.height = height;
        let point = payee.verifying_key().to_sec1_point(true).as_bytes().to_vec();
        block.reward_addr = Some(Id::sha256(&point));
        block.mining.as_mut().unwrap().reward_key = point;
        let hash = <sha2::Sha256 as sha2::Digest>::digest(block.signature_preimage().unwrap());
        let (signature, id) = key.sign_prehash_recoverable(&hash);
        let signature = [signature.to_bytes().as_slice(), &[id.to_byte()]].concat();
        block.mining.as_mut().unwrap().signature = signature;
        block.indep_hash = block.computed_hash().unwrap();
        block
    };
    let signed = sign(1_602_350, &key);
    let proved = prove(signed).unwrap();
    assert_eq!(proved.checks()[1].evidence["algorithm"], "ECDSA secp256k1 SHA-256");
    assert_eq!(prove(sign(1_602_349, &key)).map(|_| ()), Err(Code::BlockSignatureInvalid), "fork 2.8");
    let another = k256::ecdsa::SigningKey::from_slice(&[0x23; 32]).unwrap();
    assert_eq!(
        prove(sign(1_602_350, &another)).map(|_| ()),
        Err(Code::BlockSignatureInvalid),
        "another's key"
    );
}

/// No block of fork 2.8 is at hand: its segment is that of 2.7 and three fields, and 2.9's is one byte longer
/// (reference arweave.md §6.2). The signature's preimage gains 32 zeros with 2.9.
#[test]
fn the_segment_of_fork_2_8_lies_between_its_neighbours() {
    let at = |height: u64| {
        let mut block = parse(BLOCK_2_9);
        block.height = height;
        block
    };
    let lengths: Vec<usize> = [1_547_119, 1_547_120, 1_602_349, 1_602_350]
        .map(|height| at(height).signature_preimage().unwrap().len())
        .into();
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(lengths[2] + 32, lengths[3]);
    let hash = |block: &Block| block.signed_hash().unwrap();
    let with = |height: u64, change: fn(&mut weft_codec::block::Mining)| {
        let mut block = at(height);
        change(block.mining.as_mut().unwrap());
        hash(&block)
    };
    // Difficulty and unpacked hashes count from 2.8 on, the replica format from 2.9 on.
    type Change = fn(&mut weft_codec::block::Mining);
    let difficulty: Change = |mining| mining.packing.as_mut().unwrap().packing_difficulty = 11;
    let unpacked: Change = |mining| mining.packing.as_mut().unwrap().unpacked_chunk_hash = Some(vec![1; 32]);
    let second: Change = |mining| mining.packing.as_mut().unwrap().unpacked_chunk2_hash = None;
    let format: Change = |mining| mining.replica_format = Some(2);
    for (height, counts) in
        [(1_547_119, [false; 4]), (1_547_120, [true, true, true, false]), (1_602_350, [true; 4])]
    {
        for (change, counts) in [difficulty, unpacked, second, format].into_iter().zip(counts) {
            assert_eq!(with(height, change) != hash(&at(height)), counts, "{height}");
        }
    }
}

#[test]
fn what_cannot_be_hashed_says_so() {
    let mut early = parse(BLOCK_2_6);
    early.height = 422_249;
    assert_eq!(prove(early).map(|_| ()), Err(Code::BlockUnsupported));
    let mut bare = parse(BLOCK_2_9);
    bare.poa = None;
    assert_eq!(prove(bare).map(|_| ()), Err(Code::BlockUnsupported));
    let other = Some(BlockHash([0; 48]));
    let error = weft_verify::block(Untrusted::new(parse(BLOCK_2_9), "test"), other).unwrap_err();
    assert_eq!(error.code(), Code::BlockHashMismatch);
}

#[test]
fn impossible_blocks_are_malformed() {
    let refused = |change: fn(&mut Value)| {
        let mut json: Value = serde_json::from_str(BLOCK_2_9).unwrap();
        change(&mut json);
        Block::from_json(json.to_string().as_bytes()).unwrap_err().code()
    };
    let malformed = Code::BlockMalformed;
    assert_eq!(refused(|block| block["height"] = (-1).into()), malformed);
    assert_eq!(refused(|block| block["height"] = 1.5.into()), malformed);
    assert_eq!(refused(|block| block["diff"] = "9".repeat(79).into()), malformed);
    assert_eq!(refused(|block| block["weave_size"] = "99999999999999999999".into()), malformed);
    assert_eq!(refused(|block| block["block_size"] = "389365576278263".into()), malformed);
    assert_eq!(refused(|block| block["denomination"] = "16777216".into()), malformed);
    assert_eq!(refused(|block| block["replica_format"] = 256.into()), malformed);
    assert_eq!(refused(|block| block["replica_format"] = Value::Null), malformed);
    assert_eq!(refused(|block| block["nonce_limiter_info"]["seed"] = "AAAA".into()), malformed);
    assert_eq!(refused(|block| block["reward_key"] = "A".repeat(700).into()), malformed);
    assert_eq!(refused(|block| block["txs"] = "none".into()), malformed);
    assert_eq!(refused(|block| block["txs"] = vec!["A".repeat(43); 65_536].into()), malformed);
    assert_eq!(refused(|block| block["txs"] = vec!["AAAA"].into()), Code::IdInvalid);
    assert_eq!(refused(|block| block["tags"] = vec!["A".repeat(2732)].into()), malformed);
    assert_eq!(refused(|block| block["poa"] = "none".into()), malformed);
    assert_eq!(refused(|block| block["double_signing_proof"]["pub_key"] = "AA".into()), malformed);
    assert_eq!(refused(|block| block["hash"] = "?".into()), Code::Base64Invalid);
    assert_eq!(Block::from_json(b"<html>").unwrap_err().code(), Code::JsonInvalid);
    assert_eq!(Block::from_json(b"[]").unwrap_err().code(), malformed);
    assert_eq!(Block::from_json(&vec![b' '; (4 << 20) + 1]).unwrap_err().code(), Code::TooLarge);
}
