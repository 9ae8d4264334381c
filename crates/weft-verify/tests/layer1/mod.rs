//! Layer 1: trees, chunks, blocks, and the road from an item to a block.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many were tried is part of the result")]

mod blocks;
mod chunks;
mod corpus;
mod inclusion;
mod mutations;
mod transactions;
mod world;
