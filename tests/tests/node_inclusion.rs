//! Inclusion proofs through gateways: one that is honest, and ones that lie at each joint.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../crates/weft-verify/tests/layer1/world.rs"]
#[allow(dead_code, unreachable_pub, reason = "another package's tests use the rest")]
mod chain;

use std::rc::Rc;

use chain::World;
use serde_json::{Value, json};
use weft_codec::{Code, Id, base64url};
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::seams::{Method, Request, Response};
use weft_node::{AgreedAt, Node, Options, Sources};
use weft_tests::world::{Log, Network, Site, json_answer, status};
use weft_verify::{DataProof, InclusionProof, Status, Untrusted};

const ONE: &str = "https://one.example";
const TWO: &str = "https://two.example";

/// A gateway over the chain (reference arweave.md §4, §7 and §8), whose answers go through `change`.
fn gateway(change: impl Fn(&str, &mut Value) + 'static) -> Site {
    Rc::new(move |request| {
        let path = request.url.split_once(".example/").unwrap().1.to_owned();
        let Some(mut answer) = answer(&path, request) else { return Ok(status(404)) };
        change(&path, &mut answer);
        Ok(json_answer(&answer))
    })
}

fn answer(path: &str, request: &Request) -> Option<Value> {
    let world = World::get();
    let place = world.tx_path();
    let carrier = world.carrier.id.to_string();
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["graphql"] => {
            assert_eq!(request.method, Method::Post);
            let asked: Value = serde_json::from_slice(&request.body).unwrap();
            let id = asked["variables"]["ids"][0].as_str()?.to_owned();
            let of =
                |items: &[weft_codec::item::DataItem]| items.iter().any(|item| item.id().to_string() == id);
            let bundle = match () {
                () if of(&world.inner) => json!({"id": world.outer[2].id()}),
                () if of(&world.outer) => json!({"id": carrier}),
                () if id == carrier => Value::Null,
                () => return Some(json!({"data": {"transactions": {"edges": []}}})),
            };
            let node = json!({"id": id, "bundledIn": bundle});
            Some(json!({"data": {"transactions": {"edges": [{"node": node}]}}}))
        }
        ["tx", id] if *id == carrier => Some(world.carrier.to_json()),
        ["tx", id, "status"] if *id == carrier => Some(json!({
            "block_height": world.blocks[0].height,
            "block_indep_hash": world.blocks[0].indep_hash,
            "number_of_confirmations": 3,
        })),
        ["tx", id, "offset"] if *id == carrier => {
            Some(json!({"offset": place.offset.to_string(), "size": world.carrier.data_size.to_string()}))
        }
        ["block", "hash", hash] => {
            let mut json = world.blocks.iter().find(|block| block.indep_hash.to_string() == *hash)?.to_json();
            json["poa"]["chunk"] = base64url::encode(&[9; 100]).into();
            Some(json)
        }
        ["block", "height", height] => {
            Some(world.blocks.iter().find(|block| block.height.to_string() == *height)?.to_json())
        }
        ["chunk", offset] => {
            let first = place.offset - world.carrier.data_size + 1;
            let chunk = world.chunk(offset.parse::<u64>().ok()?.checked_sub(first)?);
            Some(json!({
                "chunk": base64url::encode(&chunk.chunk),
                "data_path": base64url::encode(&chunk.data_path),
                "tx_path": base64url::encode(&place.path),
                "packing": "unpacked",
            }))
        }
        _ => None,
    }
}

type Asked = (Result<(InclusionProof, weft_verify::Verified<weft_verify::Included>), Code>, Log, Vec<String>);

async fn ask(sites: Vec<(&str, Site)>, id: Id, agreed: Option<&AgreedAt>) -> Asked {
    let network = Rc::new(Network::new());
    let gateways = sites.iter().map(|(origin, _)| (*origin).to_owned()).collect();
    sites.into_iter().for_each(|(origin, site)| network.at(origin, site));
    let node = Node::new(Rc::new(MemoryStore::new()), Rc::clone(&network), Rc::new(ManualClock::new(0, 1)));
    let sources = Sources { schedulers: vec![], gateways };
    let log = Log::default();
    let found = node.inclusion(id, &sources, &Options::default(), agreed, &log).await;
    (found.map_err(|error| error.code()), log, network.take_asked())
}

fn agreed() -> AgreedAt {
    let world = World::get();
    AgreedAt { header: world.agreed(), height: world.blocks.last().unwrap().height }
}

#[tokio::test]
async fn an_item_of_a_bundle_in_a_bundle() {
    let world = World::get();
    let id = world.inner[1].id();
    let (found, _, asked) = ask(vec![(ONE, gateway(|_, _| ()))], id, Some(&agreed())).await;
    let (proof, included) = found.unwrap();
    assert_eq!(
        (proof.path.clone(), included.transaction, included.height + 2),
        (vec![2, 1], world.carrier.id, included.head_height)
    );
    assert!(included.weave_start.is_some() && included.range.is_some());
    assert!(matches!(included.checks().last().unwrap().status, Status::Agreed { k: 2, n: 3, .. }));
    // Only the chunks that are needed: the header's, and the last.
    let DataProof::Chunks { chunks } = &proof.data else { panic!("{:?}", proof.data) };
    assert_eq!(chunks.len(), 2);
    assert_eq!(asked.iter().filter(|url| url.contains("/chunk/")).count(), 2);
    // It needs nobody any more, and holds no recalled chunk.
    let json = serde_json::to_string(&proof).unwrap();
    let again = InclusionProof::from_json(json.as_bytes()).unwrap();
    assert_eq!(again.blocks[0]["poa"]["chunk"], "");
    weft_verify::inclusion(Untrusted::new(again, "file"), id, Some(&world.agreed())).unwrap();
}

#[tokio::test]
async fn items_transactions_and_no_agreement() {
    let world = World::get();
    for (id, path) in [(world.outer[1].id(), vec![1]), (world.carrier.id, vec![])] {
        let (found, ..) = ask(vec![(ONE, gateway(|_, _| ()))], id, None).await;
        let (proof, included) = found.unwrap();
        assert_eq!(proof.path, path);
        assert_eq!(included.head, included.block);
        let last = included.checks().last().unwrap();
        assert_eq!(last.status, Status::Trusted { by: ONE.into() });
    }
    let (found, ..) = ask(vec![(ONE, gateway(|_, _| ()))], Id([5; 32]), None).await;
    assert_eq!(found.map(|_| ()), Err(Code::NotFound));
}

/// A gateway whose answers below a path have another value at a place.
fn liar(below: &'static str, place: &'static str, value: &Value) -> Site {
    let value = value.clone();
    gateway(move |path, json| {
        if path.starts_with(below)
            && let Some(at) = json.pointer_mut(place)
        {
            *at = value.clone();
        }
    })
}

/// Each lie is named by its code, and the next gateway is asked.
#[tokio::test]
async fn a_gateway_that_lies() {
    let world = World::get();
    let id = world.inner[1].id();
    let (zeros, bundled) = (json!("A".repeat(86)), "/data/transactions/edges/0/node/bundledIn");
    let lies: [(&str, &str, Value, Code); 10] = [
        ("chunk/", "/chunk", json!("AAAA"), Code::ChunkMismatch),
        ("chunk/", "/data_path", zeros.clone(), Code::ChunkPathInvalid),
        ("chunk/", "/tx_path", zeros, Code::TxPathInvalid),
        ("tx/", "/offset", json!("1"), Code::SourceGarbled),
        ("tx/", "/reward", json!("7"), Code::SignatureInvalid),
        ("tx/", "/block_indep_hash", json!(null), Code::NotFound),
        ("block/hash", "/timestamp", json!(7), Code::BlockHashMismatch),
        ("block/hash", "", world.blocks[1].to_json(), Code::BlockLinkBroken),
        ("block/height", "", chain::real().to_json(), Code::BlockLinkBroken),
        ("graphql", bundled, json!(null), Code::NotFound),
    ];
    for (below, place, value, code) in lies {
        let lie = || liar(below, place, &value);
        let (found, ..) = ask(vec![(ONE, lie())], id, Some(&agreed())).await;
        assert_eq!(found.map(|_| ()), Err(code), "{below} {place}");
        let (found, log, _) = ask(vec![(ONE, lie()), (TWO, gateway(|_, _| ()))], id, Some(&agreed())).await;
        assert_eq!(found.unwrap().1.item, id);
        assert_eq!(log.failures(), [(ONE.to_owned(), code.as_str().to_owned())]);
    }
    // The transaction directly around what is in a bundle of it.
    let (found, ..) = ask(
        vec![(
            ONE,
            liar("graphql", "/data/transactions/edges/0/node/bundledIn/id", &json!(world.carrier.id)),
        )],
        id,
        Some(&agreed()),
    )
    .await;
    assert_eq!(found.map(|_| ()), Err(Code::NotInBundle));
}

/// A block that is further from the agreed one than headers are fetched, or after it.
#[tokio::test]
async fn the_agreed_block_is_near() {
    let world = World::get();
    let id = world.outer[0].id();
    for height in [world.blocks[0].height - 1, world.blocks[0].height + 501] {
        let far = AgreedAt { height, ..agreed() };
        let (found, ..) = ask(vec![(ONE, gateway(|_, _| ()))], id, Some(&far)).await;
        assert_eq!(found.map(|_| ()), Err(Code::BlockNotAgreed));
    }
    let mut other = agreed();
    other.header.hash = world.blocks[1].indep_hash;
    let (found, ..) = ask(vec![(ONE, gateway(|_, _| ()))], id, Some(&other)).await;
    assert_eq!(found.map(|_| ()), Err(Code::BlockNotAgreed));
}

/// What is no answer: pages, nothing, too much.
#[tokio::test]
async fn other_answers() {
    let id = World::get().outer[0].id();
    let page: Site = Rc::new(|_| Ok(weft_tests::world::html()));
    let (found, ..) = ask(vec![(ONE, page)], id, None).await;
    assert_eq!(found.map(|_| ()), Err(Code::SourceGarbled));
    let long: Site = Rc::new(|_| Ok(Response::new(200, "application/json", vec![b' '; 1 << 20])));
    let (found, ..) = ask(vec![(ONE, long)], id, None).await;
    assert_eq!(found.map(|_| ()), Err(Code::TooLarge));
    let (found, ..) = ask(vec![], id, None).await;
    assert_eq!(found.map(|_| ()), Err(Code::NoSource));
}
