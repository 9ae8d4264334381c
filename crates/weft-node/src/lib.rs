//! Sync, replay, checkpoints and the local network, over the seams Store, Fetch, Clock and Signer.
#![forbid(unsafe_code)]
#![allow(async_fn_in_trait, reason = "the seams demand no Send: one thread per tab, one actor natively")]

mod event;
pub mod memory;
pub mod net;
mod options;
pub mod seams;
mod sources;

pub use event::{Event, Observer, Phase};
pub use options::{Options, Summary};
pub use sources::{MAX_SOURCES, MAX_URL_BYTES, Sources};
