//! The local network's blocks: what was uploaded is in one, and every joint to it holds for the verifier of real ones.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::rc::Rc;

use crate::stage::{NOW, Stage, open};
use serde_json::{Value, json};
use weft_codec::Id;
use weft_codec::block::Block;
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::net::Reader;
use weft_node::seams::Method;
use weft_node::{Node, Options, Sources};
use weft_verify::{DataProof, Untrusted, Verified, block, follows};

fn sources() -> Sources {
    Sources { schedulers: vec![], gateways: vec!["http://local.example/gateway".into()] }
}

/// A node that reads what the network put into its store.
fn node(stage: &Stage) -> Node<Rc<MemoryStore>, Reader<Rc<MemoryStore>, ManualClock>, ManualClock> {
    let reader = Reader::new(Rc::clone(&stage.store), ManualClock::new(NOW, 1), stage.net.address());
    Node::new(Rc::new(MemoryStore::new()), reader, ManualClock::new(NOW, 1))
}

async fn block_at(stage: &Stage, path: &str) -> Verified<Block> {
    let (status, json) = stage.get(&format!("/gateway/block/{path}")).await;
    assert_eq!(status, 200, "{path}: {json}");
    block(Untrusted::new(Block::from_value(&json).unwrap(), "local"), None).unwrap()
}

#[tokio::test]
async fn headers_are_signed_and_linked_from_the_genesis() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let (_, first) = stage.get("/gateway/mine").await;
    stage.send(process, "in the second").await;
    let (_, second) = stage.get("/gateway/mine").await;
    let (_, empty) = stage.get("/gateway/mine").await;
    let height = empty["height"].as_u64().unwrap();
    assert_eq!(
        (first["height"].as_u64(), second["height"].as_u64(), empty["blocks"].as_u64()),
        (Some(height - 2), Some(height - 1), Some(4))
    );
    let mut before: Option<Verified<Block>> = None;
    for at in height - 3..=height {
        let next = block_at(&stage, &format!("height/{at}")).await;
        if let Some(before) = &before {
            follows(before, &next).unwrap();
        }
        assert_eq!(next.txs.len(), usize::from(at == height - 2 || at == height - 1), "{at}");
        before = Some(next);
    }
    let tip = block_at(&stage, "current").await;
    assert_eq!(tip.indep_hash.to_string(), empty["current"].as_str().unwrap());
    assert_eq!(block_at(&stage, &format!("hash/{}", tip.indep_hash)).await.height, height);
    for path in [format!("height/{}", height + 1), format!("height/{}", height - 4), "hash/x".into()] {
        assert_eq!(stage.get(&format!("/gateway/block/{path}")).await.0, 404, "{path}");
    }
    // The chain goes on after a restart, from the same store.
    let again = open(&stage.store);
    again.get("/gateway/mine").await;
    let next = block_at(&again, &format!("height/{}", height + 1)).await;
    follows(&tip, &next).unwrap();
}

#[tokio::test]
async fn a_message_its_assignment_and_the_module_have_inclusion_proofs() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let message = stage.send(process, "prove me").await;
    stage.get("/gateway/mine").await;
    let (_, entry) = stage.get(&format!("/su/{message}?process-id={process}")).await;
    let assignment: Id = entry["assignment"]["id"].as_str().unwrap().parse().unwrap();
    for id in [message, assignment, process] {
        let (proof, included) =
            node(&stage).inclusion(id, &sources(), &Options::default(), None, &()).await.unwrap();
        assert!(matches!(proof.data, DataProof::Chunks { .. }) && proof.path.len() == 1);
        assert!(included.weave_start.is_some() && included.range.is_some(), "{included:?}");
        let carrier = stage.get(&format!("/gateway/tx/{}", included.transaction)).await;
        assert_eq!(carrier.0, 200);
        let claims: Vec<&str> = included.checks().iter().map(|check| check.claim.as_str()).collect();
        for claim in ["block-hash", "block-signature", "transaction-in-block", "tx-path", "item-in-bundle"] {
            assert!(claims.contains(&claim), "{claim} is not in {claims:?}");
        }
    }
}

#[tokio::test]
async fn data_larger_than_a_chunk_come_by_chunks_and_whole() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    stage.get("/gateway/mine").await;
    let long: String = (0..90_000_u32).map(|number| format!("{number:x} ")).collect();
    let message = stage.send(process, &long).await;
    stage.get("/gateway/mine").await;
    let (proof, included) =
        node(&stage).inclusion(message, &sources(), &Options::default(), None, &()).await.unwrap();
    let DataProof::Chunks { chunks } = &proof.data else { panic!("{:?}", proof.data) };
    assert_eq!(chunks.len(), long.len().div_ceil(262_144).max(2));
    // The block's data begin behind the padding of the one before.
    assert_eq!(included.weave_start.map(|start| start % 262_144), Some(0));
    let (_, offset) = stage.get(&format!("/gateway/tx/{}/offset", included.transaction)).await;
    let size: u64 = offset["size"].as_str().unwrap().parse().unwrap();
    let raw = format!("/gateway/raw/{}", included.transaction);
    let data = stage.ask(Method::Get, &raw, Vec::new()).await.response.body;
    assert_eq!(data.len() as u64, size);
    let items = weft_codec::bundle::parse(&data).unwrap();
    assert_eq!(items[usize::try_from(proof.path[0]).unwrap()].0, message);
    // Behind the last byte is padding, and then nothing.
    let last: u64 = offset["offset"].as_str().unwrap().parse().unwrap();
    assert_eq!(stage.get(&format!("/gateway/chunk/{last}")).await.0, 200);
    assert_eq!(stage.get(&format!("/gateway/chunk/{}", last + 1)).await.0, 404);
    assert_eq!(stage.get("/gateway/chunk/0").await.0, 404);
    assert_eq!(stage.get("/gateway/chunk/x").await.0, 400);
}

#[tokio::test]
async fn what_waits_has_no_block_and_two_minutes_bring_one() {
    let store = Rc::default();
    let stage = open(&store);
    let process = stage.process().await;
    let query = "query($ids: [ID!]!) { transactions(ids: $ids) { edges { node { id block { height id } bundledIn { id } } } } }";
    let seen = async |stage: &Stage, id: Id| -> Value {
        let answer = stage.graphql(query, json!({ "ids": [id] })).await;
        answer["data"]["transactions"]["edges"][0]["node"].clone()
    };
    let waiting = seen(&stage, process).await;
    assert_eq!((&waiting["block"], &waiting["bundledIn"]), (&Value::Null, &Value::Null));
    let height = stage.get("/gateway/info").await.1["height"].as_u64().unwrap();
    stage.clock.advance(120_000);
    let mined = seen(&stage, process).await;
    assert_eq!(mined["block"]["height"], json!(height + 1));
    let carrier: Id = mined["bundledIn"]["id"].as_str().unwrap().parse().unwrap();
    // The transaction is in the index too, and in nothing but the block.
    let outer = seen(&stage, carrier).await;
    assert_eq!((&outer["block"], &outer["bundledIn"]), (&mined["block"], &Value::Null));
    let (_, status) = stage.get(&format!("/gateway/tx/{carrier}/status")).await;
    assert_eq!(status["number_of_confirmations"], json!(1));
    assert_eq!(status["block_indep_hash"], mined["block"]["id"]);
    // Nothing waits: no block is made of nothing.
    stage.clock.advance(1_000_000);
    assert_eq!(stage.get("/gateway/info").await.1["height"], json!(height + 1));
}
