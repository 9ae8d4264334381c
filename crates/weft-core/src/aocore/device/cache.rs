//! `cache@1.0`: reads the store (reference devices.md §10; HyperBEAM `dev_cache.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `read` | request: `target`, an id; `accept` | as `lookup@1.0` |
//! | `write`, `link` | | refused: no writers are known to the node |

use weft_codec::Result;
use weft_codec::message::Message;

use super::super::{Answer, Run};
use super::{Device, lookup};

pub(super) struct Cache;

impl Device for Cache {
    fn name(&self) -> &str {
        "cache@1.0"
    }

    fn call(&self, key: &str, _: &Message, request: &Message, run: &mut Run<'_>) -> Result<Option<Answer>> {
        match key {
            "read" => lookup::read(request, run).map(Some),
            "write" | "link" => Ok(Some(Answer::refused(403, "Nobody may write to the cache of this node."))),
            _ => Ok(None),
        }
    }
}
