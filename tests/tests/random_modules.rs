//! Random modules, as they are and rewritten, on both engines: what `crates/weft-wasm/tests/rewrite.rs` looks at on wasmi is put to V8.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use serde::Deserialize;
use serde_json::{Value, json};

use crate::differential::node;

#[expect(clippy::panic, dead_code, unreachable_pub, reason = "the property is shared with the fuzzer")]
#[path = "../../fuzz/src/properties/rewrite.rs"]
mod property;

use property::{Called, GAS_OF_A_CALL, Traced};

/// How many are made; not all are modules that wasmi runs.
const SEEDS: u64 = 400;
/// Modules of one page of the browser.
const BATCH: usize = 40;

/// What a call came to on V8.
#[derive(Debug, Deserialize, PartialEq)]
struct Found {
    answer: Option<String>,
    gas: Option<String>,
    memory: u32,
}

#[derive(Debug, Deserialize)]
struct Pair {
    original: Found,
    rewritten: Found,
}

/// Bytes without a pattern, the same on every machine.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// What JavaScript can call: it has no vectors.
fn callable(call: &Called) -> bool {
    call.types.iter().flatten().all(|ty| ty != "V128")
}

/// As `random-calls.mjs` has it.
fn digest(memory: &[u8]) -> u32 {
    let words = memory.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    if memory.is_empty() {
        return 0;
    }
    words.fold(0x811c_9dc5, |hash, word| (hash ^ word).wrapping_mul(0x0100_0193) ^ (hash >> 15))
}

fn traced() -> Vec<Traced> {
    let mut all: Vec<Traced> =
        (0..SEEDS).filter_map(|seed| property::compared(&noise(seed, 3_000))).collect();
    for traced in &mut all {
        // What is left out may change what comes after it.
        let most = traced.calls.iter().position(|call| !callable(call)).unwrap_or(traced.calls.len());
        traced.calls.truncate(most);
    }
    all.retain(|traced| !traced.calls.is_empty());
    all
}

fn input(traced: &Traced) -> Value {
    let calls: Vec<Value> =
        traced.calls.iter().map(|call| json!({"name": call.name, "types": call.types})).collect();
    json!({
        "original": hex::encode(&traced.original),
        "rewritten": hex::encode(&traced.rewritten),
        "calls": calls,
        "gas": GAS_OF_A_CALL.to_string(),
    })
}

#[test]
fn random_modules_are_the_same_on_v8() {
    // The originals grow memories and tables, which costs wasmi a frame of the host's stack each time.
    let all = std::thread::Builder::new().stack_size(256 << 20).spawn(traced).unwrap().join().unwrap();
    let batches: Vec<Vec<Value>> = all.chunks(BATCH).map(|batch| batch.iter().map(input).collect()).collect();
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("random-modules.json");
    std::fs::write(&file, serde_json::to_vec(&batches).unwrap()).unwrap();
    let output = node(&["differential/random.mjs", file.to_str().unwrap()]);
    let found: Vec<Vec<Vec<Pair>>> = serde_json::from_slice(&output).expect("what random.mjs prints");
    let mut compared = 0;
    for (traced, pairs) in all.iter().zip(found.iter().flatten()) {
        assert_eq!(traced.calls.len(), pairs.len());
        for (call, pair) in traced.calls.iter().zip(pairs) {
            let memory = digest(&call.state.1);
            let original = Found { answer: call.answer.clone().ok(), gas: None, memory };
            let rewritten = Found {
                gas: Some(call.gas.to_string()),
                ..Found { answer: call.answer.clone().ok(), gas: None, memory }
            };
            assert_eq!((&pair.original, &pair.rewritten), (&original, &rewritten), "{call:?}");
            compared += 1;
        }
    }
    println!(
        "{compared} calls of {} random modules, as they are and rewritten, on wasmi and on V8",
        all.len()
    );
    assert!(all.len() > 100 && compared > 300, "{compared} of {}", all.len());
}
