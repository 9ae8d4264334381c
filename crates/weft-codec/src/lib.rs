//! Bytes to values and back: ids, tags, data items, bundles, transactions, scheduler pages.
//!
//! Nothing here proves anything: that is `weft-verify`. Everything here bounds what it reads.
#![forbid(unsafe_code)]

mod address;
pub mod ao;
pub mod base64url;
pub mod block;
pub mod bundle;
pub mod deep_hash;
mod error;
pub mod graphql_item;
mod id;
pub mod item;
pub mod merkle;
pub mod message;
mod reader;
pub mod scheduler_page;
pub mod structured_fields;
pub mod tags;
pub mod transaction;

pub use address::Address;
pub use error::{Code, Error, Result};
pub use id::Id;
