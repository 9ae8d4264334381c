//! A local AO network on one origin: a gateway, a scheduler, a messenger and a compute unit, each usable as a base
//! URL.
//!
//! | path | unit |
//! |---|---|
//! | `/gateway` | Arweave gateway with GraphQL (`gateway.rs`, `graphql/`) and layer 1 (`layer1.rs`) |
//! | `/gateway/history` | histories as files, out and in (`history.rs`) |
//! | `/su` | legacy scheduler unit (`su.rs` reads, `write.rs` writes) |
//! | `/mu` | legacy messenger unit (`mu.rs`; `push.rs` answers when all is done) |
//! | `/cu` | legacy compute unit (`cu.rs`, `compute.rs`) |
//! | anything else | a path of AO-Core, as a HyperBEAM node answers it ([`crate::hb`]; `states.rs`) |
//!
//! What is uploaded is mined (`mine.rs`, `blocks.rs`, `chain.rs`): a chain of signed blocks from a genesis of its own.
//!
//! All state is in the store; a restart goes on where it stopped. One key signs for scheduler and messenger.

pub mod blocks;
mod chain;
mod compute;
mod cu;
mod gateway;
mod graphql;
mod history;
mod layer1;
mod ledger;
mod local;
mod mine;
mod mu;
mod near;
mod push;
mod reader;
mod reply;
mod schedule;
mod states;
mod su;
mod target;
mod write;

use weft_codec::ao::is_lua_text;
use weft_codec::tags::Tag;

pub use chain::{CarrierRow, Mined, Tip, WeaveChunk};
pub use history::HistoryFetch;
pub use ledger::{EntryRow, Filed, Head, IndexRow, Ledger};
pub use local::LocalNet;
pub use mu::{Claim, Pumped};
pub(crate) use push::Chain;
pub use reader::{MAX_BODY, Reader, max_body};
pub(crate) use reply::{Handled, status_of};
pub use reply::{Refusal, Reply};
pub use schedule::{Place, assign, sign};

/// Where anchors of assignments come from. The real scheduler takes random ones (su `bytes.rs` `DataItem::new`).
pub trait Entropy {
    /// 32 bytes nobody foresees.
    fn bytes32(&self) -> [u8; 32];
}

impl<F: Fn() -> [u8; 32]> Entropy for F {
    fn bytes32(&self) -> [u8; 32] {
        self()
    }
}

/// The tags of a module this node publishes.
#[derive(Clone, Debug)]
pub struct ModuleTags {
    /// `Module-Format`; or the content type of a Lua text, `application/lua`, which has no limits.
    pub format: String,
    /// `Memory-Limit`, as `1-gb`.
    pub memory_limit: String,
    /// `Compute-Limit`.
    pub compute_limit: String,
}

impl ModuleTags {
    /// The tags aos modules are published with, for a format.
    #[must_use]
    pub fn for_format(format: impl Into<String>) -> Self {
        Self {
            format: format.into(),
            memory_limit: "1-gb".to_owned(),
            compute_limit: "9000000000000".to_owned(),
        }
    }

    /// The tags of ao-messages.md §2.1.
    #[must_use]
    pub fn tags(&self) -> Vec<Tag> {
        if is_lua_text(&self.format) {
            // aoconnect spawns of modules alone that name a format and encodings (its `lib/spawn/verify-inputs.js`).
            return vec![
                Tag::new("Data-Protocol", "ao"),
                Tag::new("Variant", "ao.TN.1"),
                Tag::new("Type", "Module"),
                Tag::new("Module-Format", &self.format),
                Tag::new("Input-Encoding", "JSON-V1"),
                Tag::new("Output-Encoding", "JSON-V1"),
                Tag::new("Content-Type", &self.format),
            ];
        }
        vec![
            Tag::new("Data-Protocol", "ao"),
            Tag::new("Variant", "ao.TN.1"),
            Tag::new("Type", "Module"),
            Tag::new("Module-Format", &self.format),
            Tag::new("Input-Encoding", "JSON-V1"),
            Tag::new("Output-Encoding", "JSON-V1"),
            Tag::new("Memory-Limit", &self.memory_limit),
            Tag::new("Compute-Limit", &self.compute_limit),
            Tag::new("Content-Type", "application/wasm"),
        ]
    }
}
