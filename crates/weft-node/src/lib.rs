//! Sync, replay, checkpoints and the local network, over the seams Store, Fetch, Clock and Signer.
#![forbid(unsafe_code)]
#![allow(async_fn_in_trait, reason = "the seams demand no Send: one thread per tab, one actor natively")]

mod archive;
mod bulk;
pub mod check;
pub mod demo;
mod evaluate;
mod event;
mod export;
mod gateway;
mod inclusion;
pub mod memory;
pub mod net;
mod node;
mod options;
mod receipts;
mod scheduler;
pub mod seams;
pub mod signatures;
mod sources;
mod sync;

pub use bulk::ItemVerdict;
pub use event::{Event, Observer, Phase};
pub use export::{ReceiptRequest, ReceiptSlots};
pub use inclusion::AgreedAt;
pub use node::Node;
pub use options::{Options, Summary};
pub use sources::{MAX_SOURCES, MAX_URL_BYTES, Sources};
