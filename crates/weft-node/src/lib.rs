//! Sync, replay, checkpoints and the local network, over the seams Store, Fetch, Clock and Signer.
#![forbid(unsafe_code)]
#![allow(async_fn_in_trait, reason = "the seams demand no Send: one thread per tab, one actor natively")]

pub mod seams;
