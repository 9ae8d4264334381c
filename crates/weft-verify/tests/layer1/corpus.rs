//! Every transaction, block and chunk at hand: the committed ones, and those of `../shared/fixtures/arweave-l1` where that
//! folder stands beside the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use weft_codec::block::{Block, TxLeaf};
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Id, base64url, merkle};
use weft_verify::{ChunkProof, Untrusted};

fn corpora() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = here.join("../../../shared/fixtures/arweave-l1");
    let there = shared.is_dir();
    println!("the committed corpus{}", if there { " and ../shared/fixtures" } else { " only" });
    let committed = here.join("../../tests/fixtures/arweave-l1");
    if there { vec![committed, shared] } else { vec![committed] }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json" || extension == "ndjson") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// One JSON value a file or a line, with where it is from.
fn values() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for path in corpora().iter().flat_map(|folder| files(folder)) {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.display().to_string();
        match serde_json::from_str(&text) {
            Ok(value) => all.push((name, value)),
            Err(_) => {
                all.extend(text.lines().map(|line| (name.clone(), serde_json::from_str(line).unwrap())));
            }
        }
    }
    all
}

fn transactions() -> Vec<(String, Value)> {
    values()
        .into_iter()
        .filter(|(_, json)| json["quantity"].is_string() && json["signature"].is_string())
        .collect()
}

fn blocks() -> Vec<(String, Block)> {
    let is_block = |(_, json): &(String, Value)| json["indep_hash"].is_string();
    let read = |(name, json): (String, Value)| {
        let block =
            Block::from_json(json.to_string().as_bytes()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        (name, block)
    };
    values().into_iter().filter(is_block).map(read).collect()
}

/// The verdicts of npm arweave are in `verdicts.json`; `tests/arweave-l1/verdicts.mjs` asks it.
#[test]
fn transactions_get_the_verdict_of_arweave_js() {
    let table = include_str!("../../../../tests/fixtures/arweave-l1/verdicts.json");
    let table: Value = serde_json::from_str(table).unwrap();
    let listed = |verdict: &str| -> BTreeSet<&str> {
        table[verdict].as_array().unwrap().iter().map(|hash| hash.as_str().unwrap()).collect()
    };
    let [valid, invalid, throws] = ["valid", "invalid", "throws"].map(listed);
    assert_eq!(valid.len() + invalid.len() + throws.len(), 1_033);
    let mut seen = BTreeMap::new();
    for (name, json) in transactions() {
        let hash = Sha256::digest(json.to_string());
        let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let transaction = Transaction::from_json(json.to_string().as_bytes()).unwrap();
        let verdict = weft_verify::transaction(Untrusted::new(transaction, name.as_str()), None, None);
        let (theirs, fits) = match verdict.map_err(|error| error.code()) {
            Ok(_) => ("valid", valid.contains(hash.as_str())),
            // The collection left the data out, which format 1 signs.
            Err(Code::SignatureInvalid | Code::DataRootMismatch) => {
                ("invalid", invalid.contains(hash.as_str()))
            }
            Err(Code::IdMismatch) => ("throws", throws.contains(hash.as_str())),
            Err(other) => panic!("{name} {}: {other:?}", json["id"]),
        };
        assert!(fits, "{name} {}: not {theirs} in arweave-js", json["id"]);
        seen.insert(hash, theirs);
    }
    let count = |verdict: &str| seen.values().filter(|theirs| **theirs == verdict).count();
    println!(
        "{} transactions as in arweave-js: {} valid, {} invalid, {} refused by their id",
        seen.len(),
        count("valid"),
        count("invalid"),
        count("throws")
    );
    assert!(seen.len() == 1_033 || seen.len() == 4, "{}", seen.len());
}

/// Every hash that can be computed is the published one; every two neighbours are linked.
#[test]
fn blocks_have_their_hashes_and_are_linked() {
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut by_height: BTreeMap<u64, Block> = BTreeMap::new();
    for (name, block) in blocks() {
        let count = counts.entry(block.fork().as_str()).or_default();
        match weft_verify::block(Untrusted::new(block.clone(), name.as_str()), None) {
            Ok(proved) => {
                count[0] += 1;
                assert_eq!(proved.checks().len(), if block.mining.is_some() { 2 } else { 1 });
            }
            Err(error) => {
                assert_eq!(error.code(), Code::BlockUnsupported, "{name} {}", block.height);
                assert!(block.height < 422_250 || block.poa.is_none(), "{name}");
                count[1] += 1;
            }
        }
        if let Some(same) = by_height.insert(block.height, block.clone()) {
            assert_eq!(same.indep_hash, block.indep_hash, "two of one height");
        }
    }
    let mut links = 0;
    for (height, block) in &by_height {
        if let Some(parent) = height.checked_sub(1).and_then(|below| by_height.get(&below)) {
            weft_verify::follows(parent, block).unwrap();
            links += 1;
        }
    }
    for (fork, [hashed, other]) in &counts {
        println!("blocks of fork {fork}: {hashed} with their hash, {other} whose hash cannot be computed");
    }
    println!("{} heights, {links} links", by_height.len());
    assert!(links >= 2 && counts["2.7"][0] == 5 && counts["2.9"][0] == 1 && counts["2.6"][0] == 1);
    if by_height.len() > 10 {
        assert_eq!(links, 138);
    }
}

/// Blocks all of whose transactions are there: they give the root and the size.
#[test]
fn transactions_give_the_roots_of_their_blocks() {
    let mut leaves: BTreeMap<Id, TxLeaf> = BTreeMap::new();
    for (_, json) in transactions() {
        let transaction = Transaction::from_json(json.to_string().as_bytes()).unwrap();
        let mut leaf = TxLeaf::of(&transaction);
        // The root that the data would have, where the collection left them out; the two rules split them alike.
        if let Some(root) = json["_omitted_data"]["data_root_if_v2_chunked"].as_str() {
            leaf.data_root = Some(root.parse().unwrap());
        }
        leaves.insert(leaf.id, leaf);
    }
    let mut heights = BTreeSet::new();
    for (name, block) in blocks() {
        let known: Option<Vec<TxLeaf>> = block.txs.iter().map(|id| leaves.get(id).copied()).collect();
        let Some(known) = known.filter(|known| !known.is_empty()) else { continue };
        let height = block.height;
        let Ok(proved) = weft_verify::block(Untrusted::new(block, name), None) else { continue };
        weft_verify::block_transactions(&proved, &known).unwrap();
        heights.insert((height, known.len()));
    }
    println!("blocks whose transactions give their root (height, transactions): {heights:?}");
    assert!(heights.contains(&(1_974_239, 1)));
}

/// Chunks that gateways served, with the roots they belong to.
#[test]
fn chunks_lead_from_their_roots() {
    let Some(shared) = corpora().into_iter().nth(1) else { return };
    let read = |name: &str| std::fs::read(shared.join(name)).unwrap();
    let json = |name: &str| -> Value { serde_json::from_slice(&read(name)).unwrap() };
    let bytes = |value: &Value| base64url::decode(value.as_str().unwrap()).unwrap();
    let prove = |answer: &Value, offset: u64, root: Id, size: u64| {
        let proof =
            ChunkProof { offset, data_path: bytes(&answer["data_path"]), chunk: bytes(&answer["chunk"]) };
        weft_verify::chunk(Untrusted::new(proof, "corpus"), root, size, None).map(|chunk| chunk.start)
    };
    // The whole data of a signed transaction.
    let transaction = json("txs/ar-io/tx-----LT69qUmuIeC4qb0MZHlxVp7UxLu_14rEkA_9n6w.json");
    let transaction = Transaction::from_json(transaction.to_string().as_bytes()).unwrap();
    let (root, size) = (transaction.data_root.unwrap(), transaction.data_size);
    let answer = json("chunks/51530681327863.json");
    assert_eq!(prove(&answer, 0, root, size).unwrap(), 0);
    assert_eq!(prove(&answer, size - 1, root, size).unwrap(), 0);
    assert!(prove(&answer, size, root, size).is_err());
    assert_eq!(bytes(&answer["chunk"]), read("chunks/data-of-wRq6f05o.bin"));
    assert_eq!(merkle::data_root(&read("chunks/data-of-wRq6f05o.bin")), root);
    // The first chunk of larger data.
    let of = json("chunks/chunk-test-data.json");
    let root: Id = of["transaction"]["data_root"].as_str().unwrap().parse().unwrap();
    let size = of["transaction"]["data_size"].as_str().unwrap().parse().unwrap();
    let answer = json("chunks/351531360100599.json");
    let last = of["chunks"]["first"]["offset"].as_u64().unwrap();
    assert_eq!(prove(&answer, last, root, size).unwrap(), 0);
    assert!(prove(&answer, last + 1, root, size).is_err());
    // One that says itself where it belongs.
    let answer = json("chunks/random-chunk.json");
    let number = |name: &str| answer[name].as_str().unwrap().parse::<u64>().unwrap();
    let root: Id = answer["data_root"].as_str().unwrap().parse().unwrap();
    assert_eq!(prove(&answer, number("offset"), root, number("data_size")).unwrap(), 0);
    // Eleven chunks.
    let json = json("txs/arweave-js/v2_tx_data_root_only.json");
    let data = read("txs/arweave-js/v2_tx_data_root_only.data.bin");
    assert_eq!(merkle::data_root(&data).to_string(), json["data_root"].as_str().unwrap());
    println!("3 chunks lead from their roots; 2 roots of whole data");
}
