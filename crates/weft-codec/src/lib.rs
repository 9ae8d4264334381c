//! Bytes to values and back: ids, tags, data items, bundles, transactions, scheduler pages.
//!
//! Nothing here proves anything: that is `weft-verify`. Everything here bounds what it reads.
#![forbid(unsafe_code)]

pub mod base64url;
mod error;
mod id;

pub use error::{Code, Error, Result};
pub use id::Id;
