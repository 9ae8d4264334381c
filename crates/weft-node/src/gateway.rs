//! Items and transactions from gateways (arweave.md 7 and 8, ans104.md 5).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use weft_codec::ao::{Carrier, Module, Process};
use weft_codec::graphql_item::{self, NodeJson};
use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::transaction::Transaction;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_verify::{BootItem, Untrusted, Verified};

use crate::event::Observer;
use crate::reach::{Reach, json_body};
use crate::seams::{Clock, Fetch, Response};

/// The longest JSON of one item's fields: 4096 bytes of tags, keys, and room.
const MAX_NODE_BYTES: u64 = 1 << 20;
/// The longest JSON of a layer-1 transaction: 10 MiB of inline data in base64url (arweave.md 2.3).
const MAX_TRANSACTION_BYTES: u64 = 16 << 20;
/// The longest data of one item: no module or message seen comes near.
const MAX_DATA_BYTES: u64 = 256 << 20;

/// The fields a data item is rebuilt from.
const QUERY: &str = "query($ids:[ID!]!){transactions(ids:$ids){edges{node{\
    id anchor signature recipient owner{address key} data{size} tags{name value}}}}}";

/// A signed thing, proved, whichever way it is stored.
pub(crate) enum Found {
    Item(Verified<DataItem>),
    Transaction(Verified<Transaction>),
}

impl Found {
    /// What to store so that it can be proved again.
    pub(crate) fn carrier(&self) -> Carrier {
        match self {
            Self::Item(item) => item.value().clone().into(),
            Self::Transaction(transaction) => transaction.value().clone().into(),
        }
    }

    /// The owner, as far as the signature says.
    pub(crate) fn owner(&self) -> Address {
        match self {
            Self::Item(item) => item.owner_address(),
            Self::Transaction(transaction) => transaction.owner_address(),
        }
    }

    /// `owners` are those that the user names for ECDSA transactions.
    pub(crate) fn into_process(self, owners: &BTreeSet<Address>) -> Result<Verified<Process>> {
        match self {
            Self::Item(item) => weft_verify::process(item),
            Self::Transaction(transaction) => weft_verify::process_from_transaction(transaction, owners),
        }
    }

    /// `owners` as in [`Self::into_process`].
    pub(crate) fn into_boot(self, expected: Id, owners: &BTreeSet<Address>) -> Result<Verified<BootItem>> {
        match self {
            Self::Item(item) => weft_verify::boot_item(item, expected),
            Self::Transaction(transaction) => {
                weft_verify::boot_item_from_transaction(transaction, expected, owners)
            }
        }
    }

    /// `owners` as in [`Self::into_process`].
    pub(crate) fn into_module(self, expected: Id, owners: &BTreeSet<Address>) -> Result<Verified<Module>> {
        match self {
            Self::Item(item) => weft_verify::module(item, expected),
            Self::Transaction(transaction) => {
                weft_verify::module_from_transaction(transaction, expected, owners)
            }
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Option<AnswerData>,
}

#[derive(Deserialize)]
struct AnswerData {
    transactions: Connection,
}

/// A page of GraphQL's `transactions`.
#[derive(Deserialize)]
pub(crate) struct Connection {
    #[serde(default, rename = "pageInfo")]
    page_info: PageInfo,
    /// The transactions and items, in the order asked for.
    pub(crate) edges: Vec<Edge>,
}

impl Connection {
    /// Where the next page begins, if there is one.
    pub(crate) fn next(&self) -> Option<&str> {
        if !self.page_info.has_next_page {
            return None;
        }
        self.edges.last().and_then(|edge| edge.cursor.as_deref())
    }
}

#[derive(Default, Deserialize)]
struct PageInfo {
    #[serde(default, rename = "hasNextPage")]
    has_next_page: bool,
}

/// One of them.
#[derive(Deserialize)]
pub(crate) struct Edge {
    #[serde(default)]
    cursor: Option<String>,
    /// Its fields, as far as they were asked for.
    pub(crate) node: serde_json::Value,
}

/// The signed thing with this id, from one gateway: as a data item by GraphQL and its raw data; as a layer-1
/// transaction if it is none. Errors: `not-found`, `source-…`, and what fails to prove.
pub(crate) async fn fetch<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    id: Id,
) -> Result<Found> {
    let node = match node(reach, gateway, id).await {
        Ok(node) => node,
        // A plain Arweave node has no GraphQL, and an index may not know what the weave has.
        Err(error) if is_absent(error.code()) => {
            let header = header(reach, gateway, id).await.map_err(|other| more_telling(error, other))?;
            return transaction(reach, gateway, id, header, None).await;
        }
        Err(error) => return Err(error),
    };
    let raw = raw(reach, gateway, id).await?;
    let error = match item(gateway, id, &node, &raw) {
        Ok(item) => return Ok(Found::Item(item)),
        Err(error) => error,
    };
    // GraphQL does not say which kind it is. A bundled item has no `/tx`.
    match header(reach, gateway, id).await {
        Ok(header) => transaction(reach, gateway, id, header, Some(raw)).await,
        Err(other) if other.code() == Code::Cancelled => Err(other),
        Err(_) => Err(blame(error, &node, &raw)),
    }
}

async fn node<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    id: Id,
) -> Result<serde_json::Value> {
    let found = query(reach, gateway, QUERY, &json!({ "ids": [id] }), MAX_NODE_BYTES).await?;
    let edge = found.edges.into_iter().next();
    edge.map(|edge| edge.node)
        .ok_or_else(|| Error::new(Code::NotFound, format!("Its index does not know {id}.")))
}

/// Asks a gateway's index for `transactions`. Errors: `source-garbled`, also if it refuses the query; `source-…`.
pub(crate) async fn query<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    text: &str,
    variables: &serde_json::Value,
    max_bytes: u64,
) -> Result<Connection> {
    let query = json!({ "query": text, "variables": variables });
    let body = json_body(reach.post_json(gateway, "graphql", &query, max_bytes).await?)?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|cause| {
        Error::new(Code::SourceGarbled, "Its answer is not that of a GraphQL query.").because(cause)
    })?;
    let data =
        answer.data.ok_or_else(|| Error::new(Code::SourceGarbled, "Its GraphQL refused the query."))?;
    Ok(data.transactions)
}

fn item(gateway: &str, id: Id, node: &serde_json::Value, raw: &Response) -> Result<Verified<DataItem>> {
    let node = NodeJson::deserialize(node).map_err(|cause| {
        Error::new(Code::SourceGarbled, "Its index answers without the fields of an item.").because(cause)
    })?;
    let candidates = graphql_item::candidates(&node, &raw.body)?;
    weft_verify::item_among(Untrusted::new(candidates, gateway), Some(id))
}

async fn raw<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    id: Id,
) -> Result<Response> {
    reach.get(gateway, &format!("raw/{id}"), MAX_DATA_BYTES).await
}

async fn header<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    id: Id,
) -> Result<Transaction> {
    let body = json_body(reach.get(gateway, &format!("tx/{id}"), MAX_TRANSACTION_BYTES).await?)?;
    Transaction::from_json(&body)
}

async fn transaction<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    id: Id,
    header: Transaction,
    raw_data: Option<Response>,
) -> Result<Found> {
    let inline = header.data.len() as u64 == header.data_size;
    let raw_data = match raw_data {
        None if !inline => Some(raw(reach, gateway, id).await?),
        other => other,
    };
    let data = raw_data.filter(|_| !inline).map(|response| response.body);
    weft_verify::transaction(Untrusted::new(header, gateway), data.as_deref(), Some(id))
        .map(Found::Transaction)
}

/// Whether a gateway may still have it under another path.
fn is_absent(code: Code) -> bool {
    matches!(code, Code::NotFound | Code::SourceStatus | Code::SourceGarbled)
}

/// Of the failures of two paths at one gateway, the one that is not "not found".
fn more_telling(first: Error, second: Error) -> Error {
    match (first.code(), second.code()) {
        (_, Code::Cancelled) => second,
        (Code::NotFound, _) => second,
        (_, Code::NotFound) => first,
        _ => second,
    }
}

/// What a failed signature most likely comes from: data that were cut short, or a page in their place.
fn blame(error: Error, node: &serde_json::Value, raw: &Response) -> Error {
    if error.code() != Code::SignatureInvalid {
        return error;
    }
    let size = node.get("data").and_then(|data| data.get("size")).and_then(|size| match size {
        serde_json::Value::String(text) => text.parse::<u64>().ok(),
        other => other.as_u64(),
    });
    let length = raw.body.len() as u64;
    if let Some(size) = size
        && length < size
    {
        let what = format!("Its data are cut short: {length} of {size} bytes.");
        return Error::new(Code::ItemTruncated, what).because(error);
    }
    let said = NodeJson::deserialize(node).ok();
    let said = said.as_ref().and_then(|node| node.tags.tag("Content-Type")).unwrap_or_default();
    if raw.content_type == "text/html" && !said.starts_with("text/html") {
        return Error::new(Code::SourceGarbled, "It answered with an HTML page in place of the data.")
            .because(error);
    }
    error
}
