//! The gateway's side of the local network (arweave.md §7–8).
//!
//! Everything here is a data item: `/tx/{id}` and what is below it answer 404, as Arweave does for items.

use serde_json::json;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Id};

use super::blocks;
use super::graphql;
use super::reader::Reader;
use super::reply::{Handled, Refusal, Reply};
use super::target::Target;
use crate::seams::{Clock, Store};

impl<S: Store, C: Clock> Reader<S, C> {
    /// Answers `GET` of the gateway.
    pub(super) async fn gateway_get(&self, target: &Target) -> Handled {
        let tip = blocks::height_at(self.clock().now_ms());
        match target.path().as_slice() {
            [] | ["info"] => Ok(self.info(tip).await?),
            ["height"] => Ok(Reply::text(200, &tip.to_string())),
            ["tx_anchor"] => Ok(Reply::text(200, &blocks::id(tip).to_string())),
            ["price", bytes] | ["price", bytes, _] if bytes.parse::<u64>().is_ok() => {
                Ok(Reply::text(200, "0"))
            }
            ["block", "current"] => Ok(block(tip)),
            ["block", "height", height] => match height.parse::<u64>() {
                Ok(height) if height <= tip => Ok(block(height)),
                _ => Ok(Reply::text(404, "Block not found.")),
            },
            ["tx", id] | ["tx", id, _] => match id.parse::<Id>() {
                Ok(_) => Ok(Reply::text(404, "Not Found.")),
                Err(_) => Ok(Reply::text(400, "Invalid hash.")),
            },
            ["raw", id] | [id] => self.data(id).await,
            _ => Ok(Reply::text(404, "Not Found")),
        }
    }

    /// Answers `POST /graphql`. Errors are GraphQL's: `{"errors":[{"message"}]}` with status 400.
    pub(super) async fn graphql(&self, body: &[u8]) -> Handled {
        let refuse = |sentence: String| Reply::json(400, &json!({"errors": [{ "message": sentence }]}));
        let request: graphql::Request = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(cause) => return Ok(refuse(format!("The body is not a GraphQL request: {cause}"))),
        };
        let fields = match graphql::parse(&request) {
            Ok(fields) => fields,
            Err(sentence) => return Ok(refuse(sentence)),
        };
        let tip = blocks::height_at(self.clock().now_ms());
        Ok(match graphql::resolve(self.ledger(), tip, &fields).await? {
            Ok(data) => Reply::json(200, &json!({ "data": data })),
            Err(sentence) => refuse(sentence),
        })
    }

    async fn info(&self, tip: u64) -> Handled {
        Ok(Reply::json(
            200,
            &json!({
                "network": "weft.local",
                "version": 1,
                "release": 1,
                "height": tip,
                "current": blocks::id(tip),
                "blocks": tip + 1,
                "peers": 0,
                "queue_length": 0,
                "node_state_latency": 0,
            }),
        ))
    }

    /// An item's data with its own content type. Items are strangers' bytes on the origin that also serves the
    /// page, so a browser must neither guess their type nor run them as that origin.
    async fn data(&self, id: &str) -> Handled {
        let Ok(id) = id.parse::<Id>() else { return Ok(Reply::text(404, "Not Found")) };
        let item = match self.ledger().item(id).await {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(Reply::text(404, "Not Found")),
            Err(error) if error.code() == Code::StoreFailed => return Err(error.into()),
            Err(error) => return Err(Refusal::new(500, error.to_string())),
        };
        let content_type = item.tags.tag("Content-Type").unwrap_or("application/octet-stream");
        let printable = content_type.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let content_type = if printable { content_type } else { "application/octet-stream" };
        Ok(Reply::new(200, content_type, item.data.clone())
            .with_header("content-security-policy", "sandbox".to_owned())
            .with_header("x-content-type-options", "nosniff".to_owned()))
    }
}

/// The fields of a block's JSON that clients of AO read (arweave.md §6.7).
fn block(height: u64) -> Reply {
    let block = blocks::block(height);
    Reply::json(
        200,
        &json!({
            "indep_hash": block["id"],
            "previous_block": block["previous"],
            "height": height,
            "timestamp": block["timestamp"],
            "txs": [],
        }),
    )
}
