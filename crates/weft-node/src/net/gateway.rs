//! The gateway's side of the local network (arweave.md §7–8).
//!
//! What is uploaded are data items: `/tx/{id}` and what is below it answer 404 for them, as Arweave does. Transactions and
//! blocks are those of the local chain (`layer1.rs`).

use serde_json::json;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Id};

use super::graphql;
use super::reader::Reader;
use super::reply::{Handled, Refusal, Reply};
use super::target::Target;
use crate::seams::{Clock, Store};

impl<S: Store, C: Clock> Reader<S, C> {
    /// Answers `GET` of the gateway.
    pub(super) async fn gateway_get(&self, target: &Target) -> Handled {
        match target.path().as_slice() {
            [] | ["info"] => self.info().await,
            ["height"] => self.of_tip(|tip| tip.block.height.to_string()).await,
            ["tx_anchor"] => self.of_tip(|tip| tip.block.id.to_string()).await,
            ["price", bytes] | ["price", bytes, _] if bytes.parse::<u64>().is_ok() => {
                Ok(Reply::text(200, "0"))
            }
            ["block", path @ ..] => self.block(path).await,
            ["tx", id] => self.transaction(id, None).await,
            ["tx", id, field] => self.transaction(id, Some(field)).await,
            ["chunk", offset] => self.chunk(offset).await,
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
        Ok(match graphql::resolve(self.ledger(), &fields).await? {
            Ok(data) => Reply::json(200, &json!({ "data": data })),
            Err(sentence) => refuse(sentence),
        })
    }

    /// An item's data with its own content type. Items are strangers' bytes on the origin that also serves the
    /// page, so a browser must neither guess their type nor run them as that origin.
    async fn data(&self, id: &str) -> Handled {
        let Ok(id) = id.parse::<Id>() else { return Ok(Reply::text(404, "Not Found")) };
        let item = match self.ledger().item(id).await {
            Ok(Some(item)) => item,
            Ok(None) => return self.bundle(id).await,
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

    /// The data of a transaction: a bundle.
    async fn bundle(&self, id: Id) -> Handled {
        let Some(carrier) = self.ledger().carrier(id).await? else {
            return Ok(Reply::text(404, "Not Found"));
        };
        Ok(Reply::new(200, "application/octet-stream", self.ledger().bundle(&carrier).await?))
    }
}
