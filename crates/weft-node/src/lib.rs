//! Sync, replay, checkpoints and the local network, over the seams Store, Fetch, Clock and Signer.
#![forbid(unsafe_code)]
#![allow(async_fn_in_trait, reason = "the seams demand no Send: one thread per tab, one actor natively")]

mod archive;
mod bulk;
mod chain;
pub mod check;
mod checkpoint;
pub mod demo;
mod evaluate;
mod event;
mod export;
mod failures;
mod gateway;
pub mod hb;
mod heads;
mod history_file;
mod include;
mod inclusion;
mod listing;
mod location;
pub mod memory;
pub mod net;
mod node;
mod options;
mod quorum;
mod reach;
mod receipts;
mod retry_after;
mod rewritten;
mod scheduler;
mod scores;
pub mod seams;
pub mod signatures;
mod sources;
mod sync;

pub use bulk::{BundleBytes, ItemVerdict};
pub use chain::BlockName;
pub use event::{Event, Observer, Phase};
pub use export::{ReceiptRequest, ReceiptSlots};
pub use heads::{HeadSeen, SourceKind, Standing};
pub use history_file::{HistoryFile, MAX_HISTORY_BYTES};
pub use include::IncludedItem;
pub use inclusion::AgreedAt;
pub use node::Node;
pub use options::{Options, Summary};
pub use quorum::{Agreement, Dissent, Silent, Tally};
pub use scores::{BEST_SCORE, SourceHealth};
pub use sources::{MAX_SOURCES, MAX_URL_BYTES, Sources};
