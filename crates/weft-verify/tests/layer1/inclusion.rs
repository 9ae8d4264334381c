//! The whole road, and what is refused at each joint.

use serde_json::{Value, json};
use weft_codec::block::Block;
use weft_codec::{Code, Id, bundle};
use weft_verify::{AgreedHeader, DataProof, Included, InclusionProof, Status, Untrusted, Verified};

use super::world::{self, World};

fn prove(
    proof: InclusionProof,
    expected: Id,
    agreed: Option<&AgreedHeader>,
) -> Result<Verified<Included>, Code> {
    weft_verify::inclusion(Untrusted::new(proof, "https://gateway"), expected, agreed)
        .map_err(|error| error.code())
}

/// The code of a proof of the item in the inner bundle, changed.
fn refused(change: impl FnOnce(&mut InclusionProof)) -> Code {
    let world = World::get();
    let mut proof = world.proof(&[2, 1]);
    change(&mut proof);
    prove(proof, world.inner[1].id(), Some(&world.agreed())).unwrap_err()
}

fn chunks(proof: &mut InclusionProof) -> &mut Vec<weft_verify::ChunkProof> {
    match &mut proof.data {
        DataProof::Chunks { chunks } => chunks,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_item_of_a_bundle_in_a_bundle_is_in_an_agreed_block() {
    let world = World::get();
    let id = world.inner[1].id();
    // As it is stored in a receipt.
    let json = serde_json::to_vec(&world.proof(&[2, 1])).unwrap();
    let proof = InclusionProof::from_json(&json).unwrap();
    assert_eq!(proof, world.proof(&[2, 1]));
    let included = prove(proof, id, Some(&world.agreed())).unwrap();
    let item = world.inner[1].to_bytes();
    let range = included.range.clone().unwrap();
    let [from, to] = [range.start, range.end].map(|offset| usize::try_from(offset).unwrap());
    assert_eq!(world.data[from..to], item);
    let last = world.blocks.last().unwrap();
    assert_eq!((included.transaction, included.block), (world.carrier.id, world.blocks[0].indep_hash));
    assert_eq!((included.head, included.head_height), (last.indep_hash, included.height + 2));
    assert_eq!(included.weave_start, Some(world.tx_path().offset - world.carrier.data_size));

    let claims: Vec<&str> = included.checks().iter().map(|check| check.claim.as_str()).collect();
    for claim in [
        "block-hash",
        "block-signature",
        "block-link",
        "transaction-id",
        "transaction-signature",
        "transaction-in-block",
        "tx-path",
        "chunk",
        "item-in-bundle",
        "item-id",
        "item-signature",
        "inclusion",
    ] {
        assert!(claims.contains(&claim), "{claim}");
    }
    assert!(claims.iter().filter(|claim| **claim == "block-link").count() == 2);
    // All is proved but the last, which is what sources agree on.
    let (last, others) = included.checks().split_last().unwrap();
    assert!(others.iter().all(|check| check.status == Status::Proved));
    let by = vec!["https://one".to_owned(), "https://two".to_owned()];
    assert_eq!(last.status, Status::Agreed { k: 2, n: 3, by, against: vec![] });
    assert!(last.sentence.contains("RandomX"), "{}", last.sentence);
}

#[test]
fn without_agreement_the_block_is_the_sources_word() {
    let world = World::get();
    let included = prove(world.proof(&[0]), world.outer[0].id(), None).unwrap();
    let last = included.checks().last().unwrap();
    assert_eq!(last.status, Status::Trusted { by: "https://gateway".into() });
}

#[test]
fn other_forms_of_the_same_proof() {
    let world = World::get();
    let agreed = world.agreed();
    for (path, id) in [
        (vec![0], world.outer[0].id()),
        (vec![1], world.outer[1].id()),
        (vec![2], world.outer[2].id()),
        (vec![2, 0], world.inner[0].id()),
    ] {
        // Whole data, or no path in the block's tree.
        let whole = DataProof::Whole { bytes: world.data.clone() };
        for (data, tx_path) in [(whole, world.proof(&[]).tx_path), (world.proof(&[]).data, None)] {
            let proof = InclusionProof { item: id, path: path.clone(), data, tx_path, ..world.proof(&[]) };
            prove(proof, id, Some(&agreed)).unwrap();
        }
    }
    // Only the chunks that are needed: the first for the bundle's header, those with the item.
    let mut few = world.proof(&[0]);
    chunks(&mut few).truncate(1);
    prove(few, world.outer[0].id(), Some(&agreed)).unwrap();
    let mut few = world.proof(&[2, 1]);
    chunks(&mut few).remove(1);
    prove(few, world.inner[1].id(), Some(&agreed)).unwrap();
    // The transaction itself, of either format, with data or without.
    for transaction in world.others.iter().chain([&world.carrier]) {
        let proof = InclusionProof {
            item: transaction.id,
            data: DataProof::Inline,
            transaction: transaction.to_json(),
            tx_path: None,
            ..world.proof(&[])
        };
        let included = prove(proof, transaction.id, Some(&agreed)).unwrap();
        assert_eq!(included.range, None);
    }
    // One block alone, if it is the one agreed on.
    let mut one = world.proof(&[0]);
    one.blocks.truncate(1);
    let here = AgreedHeader { hash: world.blocks[0].indep_hash, ..agreed };
    prove(one, world.outer[0].id(), Some(&here)).unwrap();
}

#[test]
fn items() {
    let world = World::get();
    // Another place, a place that is none, a bundle that is none.
    assert_eq!(refused(|proof| proof.path = vec![2, 0]), Code::NotInBundle);
    assert_eq!(refused(|proof| proof.path = vec![2, 2]), Code::NotInBundle);
    assert_eq!(refused(|proof| proof.path = vec![2, u64::MAX]), Code::NotInBundle);
    assert_eq!(refused(|proof| proof.path = vec![0, 1]), Code::NotInBundle);
    assert_eq!(refused(|proof| proof.path = vec![2, 1, 0]), Code::NotInBundle);
    assert_eq!(refused(|proof| proof.path = vec![]), Code::IdMismatch);
    assert_eq!(refused(|proof| proof.path = vec![0; 9]), Code::TooLarge);
    let other = prove(world.proof(&[2, 1]), world.inner[0].id(), None);
    assert_eq!(other.map(|_| ()), Err(Code::IdMismatch));
}

/// Bundles that lie, in transactions that are signed and in a block: the item itself is looked at.
#[test]
fn bundles_that_lie() {
    let verdict = |data: Vec<u8>, tags: &[(&str, &str)], path: &[u64], expected: Id| {
        let carrier = world::transaction(2, &data, tags);
        let block = world::after(&world::real(), std::slice::from_ref(&carrier));
        let proof = InclusionProof {
            item: expected,
            path: path.to_vec(),
            data: DataProof::Whole { bytes: data },
            transaction: carrier.to_json(),
            tx_path: None,
            blocks: vec![block.to_json()],
        };
        prove(proof, expected, None).map(|_| ()).unwrap_err()
    };
    let items = [world::item(b"one".to_vec(), &[]), world::item(b"two".to_vec(), &[])];
    let honest = bundle::encode(&items);
    let with = |change: fn(&mut Vec<u8>)| {
        let mut data = honest.clone();
        change(&mut data);
        verdict(data, &world::BUNDLE, &[1], items[1].id())
    };
    // The header's id, a byte of the item's signature, key and data; sizes and counts.
    assert_eq!(with(|data| data[32 + 64 + 40] ^= 1), Code::IdMismatch);
    assert_eq!(with(|data| *data.iter_mut().rev().nth(600).unwrap() ^= 1), Code::IdMismatch);
    assert_eq!(with(|data| *data.iter_mut().rev().nth(300).unwrap() ^= 1), Code::SignatureInvalid);
    assert_eq!(with(|data| *data.last_mut().unwrap() ^= 1), Code::SignatureInvalid);
    assert_eq!(with(|data| data[32] ^= 1), Code::ItemMalformed);
    assert_eq!(with(|data| data[32 + 7] = 0xff), Code::NotInBundle);
    assert_eq!(with(|data| data[32 + 8] = 1), Code::BundleMalformed);
    assert_eq!(with(|data| data[0] = 1), Code::NotInBundle);
    assert_eq!(with(|data| data[4] = 1), Code::NotInBundle);
    assert_eq!(with(|data| data[9] = 1), Code::BundleMalformed);
    assert_eq!(with(|data| data.truncate(20)), Code::InclusionIncomplete);
    assert_eq!(with(|data| data.truncate(data.len() - 1)), Code::NotInBundle);
    // No bundle by its tags; nor is an item of it one.
    assert_eq!(verdict(honest.clone(), &[("a", "b")], &[1], items[1].id()), Code::NotInBundle);
    let plain = bundle::encode(&[world::item(honest, &[])]);
    assert_eq!(verdict(plain, &world::BUNDLE, &[0, 1], items[1].id()), Code::NotInBundle);
}

#[test]
fn data() {
    assert_eq!(refused(|proof| chunks(proof)[2].chunk[9_000] ^= 1), Code::ChunkMismatch);
    assert_eq!(refused(|proof| chunks(proof)[0].data_path[40] ^= 1), Code::ChunkPathInvalid);
    assert_eq!(refused(|proof| chunks(proof)[0].data_path.clear()), Code::ChunkMalformed);
    assert_eq!(refused(|proof| drop(chunks(proof).pop())), Code::InclusionIncomplete);
    assert_eq!(refused(|proof| drop(chunks(proof).remove(0))), Code::InclusionIncomplete);
    assert_eq!(refused(|proof| chunks(proof).clear()), Code::InclusionIncomplete);
    assert_eq!(refused(|proof| proof.data = DataProof::Inline), Code::InclusionIncomplete);
    let twice = |proof: &mut InclusionProof| {
        let again = chunks(proof)[0].clone();
        chunks(proof).push(again);
    };
    assert_eq!(refused(twice), Code::ChunkPathInvalid);
    let many = |proof: &mut InclusionProof| {
        let again = chunks(proof)[0].clone();
        chunks(proof).extend(vec![again; 1024]);
    };
    assert_eq!(refused(many), Code::TooLarge);
    let whole = |change: fn(&mut Vec<u8>)| {
        refused(|proof| {
            let mut bytes = World::get().data.clone();
            change(&mut bytes);
            proof.data = DataProof::Whole { bytes };
        })
    };
    assert_eq!(whole(|bytes| bytes[5_000] ^= 1), Code::DataRootMismatch);
    assert_eq!(whole(|bytes| bytes.truncate(5_000)), Code::DataRootMismatch);
}

#[test]
fn transactions() {
    let world = World::get();
    let set = |name: &'static str, value: Value| refused(move |proof| proof.transaction[name] = value);
    assert_eq!(set("reward", json!("1001")), Code::SignatureInvalid);
    assert_eq!(set("data_root", json!(Id([1; 32]))), Code::SignatureInvalid);
    assert_eq!(set("id", json!(Id([1; 32]))), Code::IdMismatch);
    assert_eq!(set("signature", json!("AAAA")), Code::IdMismatch);
    assert_eq!(set("quantity", json!(null)), Code::TransactionMalformed);
    // Another one, with the same data, that no block lists.
    let other = world::transaction(
        2,
        &world.data,
        &[("Bundle-Format", "binary"), ("Bundle-Version", "2.0.0"), ("n", "2")],
    );
    assert_eq!(refused(|proof| proof.transaction = other.to_json()), Code::NotInBlock);
    // Its place in the weave.
    let path = |change: fn(&mut weft_verify::TransactionPath)| {
        refused(|proof| change(proof.tx_path.as_mut().unwrap()))
    };
    assert_eq!(path(|place| place.path[2] ^= 1), Code::TxPathInvalid);
    assert_eq!(path(|place| place.path.clear()), Code::TxPathInvalid);
    assert_eq!(path(|place| place.offset = 1), Code::TxPathInvalid);
    assert_eq!(path(|place| place.offset += 262_144), Code::TxPathInvalid);
    let of_another = world.tx_path_of(world.others[3].id);
    assert_eq!(refused(|proof| proof.tx_path = Some(of_another)), Code::TxPathInvalid);
}

/// An ECDSA transaction's id does not bind its data: only a path in the block's tree does.
#[test]
fn ecdsa_transactions_need_a_path() {
    let item = world::item(b"item".to_vec(), &[]);
    let data = bundle::encode(std::slice::from_ref(&item));
    let (carrier, _) = super::transactions::ecdsa(&data);
    let block = world::after(&world::real(), std::slice::from_ref(&carrier));
    let leaf = weft_codec::block::TxLeaf::of(&carrier);
    let tree = weft_codec::block::TransactionTree::new(&[leaf], block.height).unwrap();
    let path =
        weft_verify::TransactionPath { offset: block.start() + 1, path: tree.path(carrier.id).unwrap() };
    let proof = InclusionProof {
        item: item.id(),
        path: vec![0],
        data: DataProof::Whole { bytes: data },
        transaction: carrier.to_json(),
        tx_path: Some(path),
        blocks: vec![block.to_json()],
    };
    assert_eq!(prove(proof.clone(), item.id(), None).unwrap().transaction, carrier.id);
    let without = InclusionProof { tx_path: None, ..proof.clone() };
    assert_eq!(prove(without, item.id(), None).map(|_| ()), Err(Code::TxPathInvalid));
    // Other data under the same id and signature.
    let forged = bundle::encode(&[world::item(b"other".to_vec(), &[])]);
    let mut other = carrier;
    other.data_root = Some(weft_codec::merkle::data_root(&forged));
    other.data_size = forged.len() as u64;
    let forged = InclusionProof {
        item: world::item(b"other".to_vec(), &[]).id(),
        data: DataProof::Whole { bytes: forged },
        transaction: other.to_json(),
        ..proof
    };
    let refused = prove(forged, world::item(b"other".to_vec(), &[]).id(), None).map(|_| ());
    assert_eq!(refused, Err(Code::TxPathInvalid));
}

#[test]
fn blocks() {
    let world = World::get();
    let set =
        |at: usize, name: &'static str, value: Value| refused(move |proof| proof.blocks[at][name] = value);
    for at in [0, 1, 2] {
        assert_eq!(set(at, "timestamp", json!(1)), Code::BlockHashMismatch);
        assert_eq!(set(at, "height", json!("x")), Code::BlockMalformed);
        assert_eq!(set(at, "height", json!(1)), Code::BlockUnsupported);
        let forged = |change: fn(&mut Block)| {
            let mut block = world.blocks[at].clone();
            change(&mut block);
            block.indep_hash = block.computed_hash().unwrap();
            refused(|proof| proof.blocks[at] = block.to_json())
        };
        assert_eq!(forged(|block| block.timestamp += 1), Code::BlockSignatureInvalid);
        assert_eq!(forged(|block| block.reward_addr = Some(Id([1; 32]))), Code::RewardAddressMismatch);
        assert_eq!(forged(|block| block.txs.push(Id([1; 32]))), Code::BlockSignatureInvalid);
    }
    // One left out; in another order; none; of another fork of the chain, though it verifies.
    assert_eq!(refused(|proof| drop(proof.blocks.remove(1))), Code::BlockLinkBroken);
    assert_eq!(refused(|proof| proof.blocks.swap(1, 2)), Code::BlockLinkBroken);
    assert_eq!(refused(|proof| drop(proof.blocks.remove(0))), Code::NotInBlock);
    assert_eq!(refused(|proof| proof.blocks.clear()), Code::InclusionIncomplete);
    let mut other = world.blocks[2].clone();
    other.timestamp += 1;
    world::sign(&mut other);
    assert_eq!(refused(|proof| proof.blocks[2] = other.to_json()), Code::BlockNotAgreed);
    assert_eq!(refused(|proof| drop(proof.blocks.pop())), Code::BlockNotAgreed);
    assert_eq!(refused(|proof| proof.blocks.extend(vec![json!({}); 510])), Code::TooLarge);
}
