//! The properties of the fuzz targets, over the committed seeds: bytes that parse, and bytes that once broke something.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a property that does not hold fails by panicking"
)]
#![allow(clippy::print_stdout, reason = "how many seeds were run is part of the result")]
#![allow(unreachable_pub, reason = "the properties are a module of another package")]

#[path = "../../fuzz/src/properties.rs"]
mod properties;

use std::path::Path;

/// Runs one target over its seeds, each also cut and with a bit flipped.
fn seeds(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        property(&bytes);
        for step in 1..40 {
            let at = bytes.len() * step / 40;
            property(&bytes[..at]);
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (step % 8);
            property(&flipped);
        }
        count += 1;
    }
    println!("{target}: {count} seeds");
    assert!(count > 0);
}

#[test]
fn items() {
    seeds("item", properties::item);
}

#[test]
fn modules_with_exceptions() {
    seeds("rewrite_exceptions", properties::rewrite_exceptions);
}

#[test]
fn bundles() {
    seeds("bundle", properties::bundle);
}

#[test]
fn tags() {
    seeds("tags", properties::tags);
}

#[test]
fn transactions() {
    seeds("transaction", properties::transaction);
}

#[test]
fn scheduler_pages() {
    seeds("su_page", properties::su_page);
}

#[test]
fn graphql_answers() {
    seeds("graphql_answer", properties::graphql_answer);
}

#[test]
fn blocks() {
    seeds("block", properties::block);
}

#[test]
fn chunk_paths() {
    seeds("chunk_path", properties::chunk_path);
}

#[test]
fn receipts() {
    seeds("receipt", properties::receipt);
}

#[test]
fn signed_http_messages() {
    seeds("httpsig", properties::httpsig);
}

#[test]
fn structured_fields() {
    seeds("structured_fields", properties::structured_fields);
}

#[test]
fn request_paths() {
    seeds("request_path", properties::request_path);
}

#[test]
fn lua_patterns() {
    seeds("lua_pattern", properties::lua_pattern);
}

#[test]
fn lua_formats() {
    seeds("lua_format", properties::lua_format);
}

#[test]
fn lua_numbers() {
    seeds("lua_number", properties::lua_number);
}

#[test]
fn lua_programs() {
    seeds("lua_program", properties::lua_program);
}

#[test]
fn lua53_programs() {
    seeds("lua53_program", properties::lua53_program);
}

#[test]
fn lua_snapshots() {
    seeds("lua_snapshot", properties::lua_snapshot);
}
