//! The local network's blocks: one every two minutes, as on Arweave, computed from the time alone.
//!
//! No block is mined here and none is signed; the numbers exist because clients read a height, a timestamp and
//! confirmations. An item is in the block whose two minutes it arrived in.

use serde_json::{Value, json};
use weft_codec::Id;

/// The time between blocks, in milliseconds: Arweave's target.
const BLOCK_MS: u64 = 120_000;

/// The height of the block that has this moment, in milliseconds since 1970. Height 0 is 1970, which puts our
/// time above the height from which the legacy compute unit checks hash chains (1 440 000: ao-messages.md §4).
#[must_use]
pub fn height_at(ms: u64) -> u64 {
    ms / BLOCK_MS
}

/// A block as GraphQL shows it; its timestamp is in **seconds** (arweave.md §8).
#[must_use]
pub fn block(height: u64) -> Value {
    json!({
        "id": id(height).to_string(),
        "timestamp": height.saturating_mul(BLOCK_MS / 1000),
        "height": height,
        "previous": previous(height),
    })
}

/// The block's id. Real ones have 48 bytes; ours are the hash of the height and say so by their length.
#[must_use]
pub fn id(height: u64) -> Id {
    Id::sha256(format!("weft local block {height}").as_bytes())
}

/// The id of the block before, empty at height 0.
#[must_use]
pub fn previous(height: u64) -> String {
    height.checked_sub(1).map_or_else(String::new, |before| id(before).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_starts_in_the_second_its_height_says() {
        let now = 1_795_365_914_961;
        let block = block(height_at(now));
        let start = block["timestamp"].as_u64().unwrap() * 1000;
        assert!(start <= now && now < start + BLOCK_MS);
        assert_eq!(block["previous"], super::block(height_at(now) - 1)["id"]);
    }

    #[test]
    fn heights_of_our_time_are_above_the_hash_chain_threshold() {
        assert!(height_at(1_700_000_000_000) > 1_440_000);
    }
}
