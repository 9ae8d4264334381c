//! The gateway's layer 1: blocks, transactions and chunks as an Arweave node serves them (arweave.md §4, §6.7 and §7).

use serde_json::{Value, json};
use weft_codec::{Id, base64url};

use super::chain::{CarrierRow, Tip};
use super::reader::Reader;
use super::reply::{Handled, Reply};
use crate::seams::{Clock, Store};

fn no_block() -> Reply {
    Reply::text(404, "Block not found.")
}

fn no_transaction() -> Reply {
    Reply::text(404, "Not Found.")
}

impl<S: Store, C: Clock> Reader<S, C> {
    /// `GET /info`.
    pub(super) async fn info(&self) -> Handled {
        let tip = self.ledger().tip().await?;
        Ok(tip.map_or_else(|| Reply::text(503, "There is no block yet."), |tip| info(&tip)))
    }

    /// `GET /height` and `GET /tx_anchor`.
    pub(super) async fn of_tip(&self, text: impl Fn(&Tip) -> String) -> Handled {
        let tip = self.ledger().tip().await?;
        Ok(tip.map_or_else(no_block, |tip| Reply::text(200, &text(&tip))))
    }

    /// `GET /block/…`, by what follows.
    pub(super) async fn block(&self, path: &[&str]) -> Handled {
        let height = match path {
            ["current"] => self.ledger().tip().await?.map(|tip| tip.block.height),
            ["height", height] => height.parse::<u64>().ok(),
            ["hash", hash] => self.ledger().height_of(hash).await?,
            _ => None,
        };
        let Some(height) = height else { return Ok(no_block()) };
        let block = self.ledger().block(height).await?;
        Ok(block.map_or_else(no_block, |block| Reply::json(200, &block.to_json())))
    }

    /// `GET /tx/…`, by what follows. A data item is no transaction: 404.
    pub(super) async fn transaction(&self, id: &str, field: Option<&str>) -> Handled {
        let Ok(id) = id.parse::<Id>() else { return Ok(Reply::text(400, "Invalid hash.")) };
        let Some(carrier) = self.ledger().carrier(id).await? else { return Ok(no_transaction()) };
        match field {
            None => Ok(Reply::json(200, &carrier.header)),
            Some("status") => self.status(&carrier).await,
            Some("offset") => {
                let (offset, size) = (carrier.offset.to_string(), carrier.size.to_string());
                Ok(Reply::json(200, &json!({ "offset": offset, "size": size })))
            }
            Some("data") => {
                let data = self.ledger().bundle(&carrier).await?;
                Ok(Reply::text(200, &base64url::encode(&data)))
            }
            Some(name) => Ok(match carrier.header.get(name) {
                Some(Value::String(text)) => Reply::text(200, text),
                Some(value) => Reply::json(200, value),
                None => no_transaction(),
            }),
        }
    }

    async fn status(&self, carrier: &CarrierRow) -> Handled {
        let ledger = self.ledger();
        let (Some(tip), Some(block)) = (ledger.tip().await?, ledger.block(carrier.height).await?) else {
            return Ok(no_transaction());
        };
        let confirmations = tip.block.height.saturating_sub(carrier.height).saturating_add(1);
        Ok(Reply::json(
            200,
            &json!({
                "block_height": carrier.height,
                "block_indep_hash": block.indep_hash,
                "number_of_confirmations": confirmations,
            }),
        ))
    }

    /// `GET /chunk/{offset}`.
    pub(super) async fn chunk(&self, offset: &str) -> Handled {
        let Ok(offset) = offset.parse::<u64>() else {
            return Ok(Reply::json(400, &json!({"error": "invalid_offset"})));
        };
        let Some(found) = self.ledger().chunk(offset).await? else {
            return Ok(Reply::json(404, &json!({"error": "chunk_not_found"})));
        };
        Ok(Reply::json(
            200,
            &json!({
                "chunk": base64url::encode(&found.chunk),
                "data_path": base64url::encode(&found.data_path),
                "tx_path": base64url::encode(&found.tx_path),
                "packing": "unpacked",
            }),
        ))
    }
}

/// The answer of `GET /info`.
pub(super) fn info(tip: &Tip) -> Reply {
    Reply::json(
        200,
        &json!({
            "network": "weft.local",
            "version": 1,
            "release": 1,
            "height": tip.block.height,
            "current": tip.block.id,
            "blocks": tip.block.height.saturating_sub(tip.genesis).saturating_add(1),
            "peers": 0,
            "queue_length": 0,
            "node_state_latency": 0,
        }),
    )
}
