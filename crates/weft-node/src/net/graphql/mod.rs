//! GraphQL as far as AO's clients use it on a gateway: `transactions`, `transaction` and `blocks`, with
//! variables, inline arguments, aliases, fragments, `@skip` and `@include`.
//!
//! Source: the schema of arweave.md §8 (ar.io gateways), the queries of aoconnect `client/gateway.js`,
//! scheduler-utils `client/gateway.js` and cu `effects/arweave.js`, `effects/ao-block.js`.

mod document;
mod gateway;
mod select;

pub(super) use document::{Field, Request, parse};
pub(super) use gateway::resolve;
pub(super) use select::project;
