//! The committed fixtures, inside the binary so that a browser has them too. `tests/fixtures/README.md` says where
//! each is from.

use serde_json::Value;

/// `vectors/ans104.json`
pub const ANS104: &str = include_str!("../fixtures/vectors/ans104.json");
/// `ans104/edges.json`
pub const ANS104_EDGES: &str = include_str!("../fixtures/ans104/edges.json");
/// `ans104/verdicts.json`
pub const ANS104_VERDICTS: &str = include_str!("../fixtures/ans104/verdicts.json");
/// `vectors/arweave.json`
pub const ARWEAVE: &str = include_str!("../fixtures/vectors/arweave.json");
/// `vectors/ao.json`
pub const AO: &str = include_str!("../fixtures/vectors/ao.json");
/// `vectors/keys.json`
pub const KEYS: &str = include_str!("../fixtures/vectors/keys.json");

/// `vectors/hb-*.json`, with the number of cases that [`crate::vectors::run`] makes of each.
pub const HYPERBEAM: [(&str, &str, usize); 9] = [
    ("hb-ans104.json", include_str!("../fixtures/vectors/hb-ans104.json"), 27),
    ("hb-hashpath.json", include_str!("../fixtures/vectors/hb-hashpath.json"), 9),
    ("hb-json-iface.json", include_str!("../fixtures/vectors/hb-json-iface.json"), 5),
    ("hb-resolve.json", include_str!("../fixtures/vectors/hb-resolve.json"), 6),
    ("hb-scheduler.json", include_str!("../fixtures/vectors/hb-scheduler.json"), 13),
    ("hb-signed.json", include_str!("../fixtures/vectors/hb-signed.json"), 47),
    ("hb-singleton.json", include_str!("../fixtures/vectors/hb-singleton.json"), 30),
    ("hb-singleton-paths.json", include_str!("../fixtures/vectors/hb-singleton-paths.json"), 626),
    ("hb-unsigned-ids.json", include_str!("../fixtures/vectors/hb-unsigned-ids.json"), 260),
];

/// The process whose history is [`ENTRIES`].
pub const PROCESS: &str = "DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo";
/// The scheduler that process names.
pub const NAMED_SCHEDULER: &str = "_GQ33BkPtZrqxA84vM8Zk-N2aO0toNNu_C-l-rawrBA";
/// Who signed its assignments.
pub const ACTUAL_SCHEDULER: &str = "mx8zvkz0jWNwAiBnBqkGcZqqfcFYptbrL4RIKMd4anc";
/// Its page as a scheduler prints it by default.
pub const PAGE: &str =
    include_str!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/page-rendered.json");
/// Its page with `show-anchor`.
pub const PAGE_SHOW_ANCHOR: &str = include_str!(
    "../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/page-rendered-show-anchor.json"
);
/// One edge of a real page of April 2024.
pub const PAGE_2024: &str = include_str!("../fixtures/ao-su/real-page-first-edge-2024-04.json");
/// A message of March 2024, with `ao-type`.
pub const OLD_MESSAGE: &[u8] = include_bytes!("../fixtures/ao-su/json-rs-item-str.item");
/// An assignment of March 2024, without `Type`.
pub const OLD_ASSIGNMENT: &[u8] = include_bytes!("../fixtures/ao-su/json-rs-assignment-item-str.item");
/// An assignment and its message, August 2025.
pub const ENTRY_2025: &[u8] = include_bytes!("../fixtures/ao-su/single-assignment-plus-message.bundle");

/// The history of [`PROCESS`], by slot: items whose data is a bundle of assignment and message.
pub const ENTRIES: [&[u8]; 31] = [
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-000.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-001.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-002.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-003.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-004.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-005.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-006.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-007.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-008.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-009.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-010.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-011.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-012.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-013.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-014.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-015.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-016.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-017.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-018.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-019.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-020.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-021.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-022.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-023.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-024.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-025.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-026.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-027.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-028.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-029.item"),
    include_bytes!("../fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-030.item"),
];

/// A vector file as JSON.
///
/// # Panics
///
/// If it is not JSON.
#[must_use]
#[expect(clippy::expect_used, reason = "a broken fixture fails the test that reads it")]
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("a fixture is JSON")
}
