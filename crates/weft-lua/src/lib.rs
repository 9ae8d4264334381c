//! Lua on piccolo.
//!
//! This crate will run Lua processes. What it does today is small and whole: a [`Filter`], one Lua expression that is
//! true or false of a JSON value, metered, with a memory cap, without input, output, clock or randomness.
#![forbid(unsafe_code)]

mod filter;
mod json;

pub mod format;
pub mod math;
pub mod number;
pub mod pattern;
pub mod random;

pub use filter::Filter;
