//! The resolvers: which items and blocks a query is answered with.

use serde_json::{Map, Value, json};
use weft_codec::tags::Tag;
use weft_codec::{Code, Error, Id, Result};

use super::{Field, project};
use crate::net::blocks::BlockRow;
use crate::net::ledger::{IndexRow, Ledger};
use crate::seams::Store;

/// `first` when it is not given, and its largest value (arweave.md §8).
const DEFAULT_FIRST: u64 = 10;
const MAX_FIRST: u64 = 100;
/// Ids, owners, recipients or values in one list.
const MAX_LIST: usize = 1_000;
/// Index rows read at a time.
const CHUNK: u64 = 512;

/// Answers the root fields. The outer error is the store's; the inner one a sentence for `errors[].message`.
///
/// # Errors
/// Those of the store.
pub(crate) async fn resolve<S: Store>(ledger: &Ledger<S>, fields: &[Field]) -> Result<Result<Value, String>> {
    let mut data = Map::new();
    for field in fields {
        let value = match field.name.as_str() {
            "transactions" => transactions(ledger, &field.arguments).await,
            "transaction" => transaction(ledger, &field.arguments).await,
            "blocks" => blocks_page(ledger, &field.arguments).await,
            "__typename" => Ok(Value::from("Query")),
            name => Err(invalid(format!("Cannot query field \"{name}\" on type \"Query\"."))),
        };
        let value = match value {
            Ok(value) => value,
            Err(error) if error.code() == Code::RequestInvalid => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
        match project(&value, &field.fields) {
            Ok(value) => data.insert(field.key.clone(), value),
            Err(sentence) => return Ok(Err(sentence)),
        };
    }
    Ok(Ok(Value::Object(data)))
}

fn invalid(sentence: impl Into<String>) -> Error {
    Error::new(Code::RequestInvalid, sentence)
}

async fn transaction<S: Store>(ledger: &Ledger<S>, arguments: &Map<String, Value>) -> Result<Value> {
    let id =
        arguments.get("id").and_then(Value::as_str).ok_or_else(|| invalid("Argument \"id\" is required."))?;
    let row = match id.parse::<Id>() {
        Ok(id) => ledger.row(id).await?,
        Err(_) => None,
    };
    Ok(row.map_or(Value::Null, |row| row.node()))
}

/// What `transactions` filters by. An absent list passes everything; an empty one too, as on gateways.
struct Filter {
    ids: Option<Vec<String>>,
    owners: Option<Vec<String>>,
    recipients: Option<Vec<String>>,
    tags: Vec<TagFilter>,
    height: (u64, u64),
}

struct TagFilter {
    name: String,
    values: Vec<String>,
    equal: bool,
}

impl TagFilter {
    fn parse(value: &Value) -> Result<Self> {
        let name = value.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| invalid("A tag filter needs a \"name\"."))?.to_owned();
        let values = texts(value.get("values"))?.ok_or_else(|| invalid("A tag filter needs \"values\"."))?;
        match value.get("op").and_then(Value::as_str) {
            None | Some("EQ") => Ok(Self { name, values, equal: true }),
            Some("NEQ") => Ok(Self { name, values, equal: false }),
            Some(op) => Err(invalid(format!("A tag filter knows EQ and NEQ, not \"{op}\"."))),
        }
    }

    /// `EQ`: some tag of that name has one of the values. `NEQ`: none has. Exact text, case and all.
    fn passes(&self, tags: &[Tag]) -> bool {
        tags.iter().any(|tag| tag.name == self.name && self.values.contains(&tag.value)) == self.equal
    }
}

impl Filter {
    fn parse(arguments: &Map<String, Value>) -> Result<Self> {
        let tags = match arguments.get("tags") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(tags)) if tags.len() <= MAX_LIST => {
                tags.iter().map(TagFilter::parse).collect::<Result<_>>()?
            }
            Some(Value::Array(_)) => return Err(invalid(format!("At most {MAX_LIST} tag filters."))),
            Some(one) => vec![TagFilter::parse(one)?],
        };
        let list = |name: &str| Ok::<_, Error>(texts(arguments.get(name))?.filter(|list| !list.is_empty()));
        Ok(Self {
            ids: list("ids")?,
            owners: list("owners")?,
            recipients: list("recipients")?,
            tags,
            height: range(arguments.get("block")),
        })
    }

    fn passes(&self, row: &IndexRow) -> bool {
        let within = |list: &Option<Vec<String>>, text: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|one| one == text))
        };
        self.passes_height(row.block.as_ref().map(|block| block.height))
            && within(&self.owners, &row.address)
            && within(&self.recipients, &row.recipient)
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&row.id.to_string()))
            && self.tags.iter().all(|tag| tag.passes(&row.tags))
    }
}

impl Filter {
    /// What waits for a block has no height: it passes only where none is asked for.
    fn passes_height(&self, height: Option<u64>) -> bool {
        height
            .map_or(self.height == (0, u64::MAX), |height| (self.height.0..=self.height.1).contains(&height))
    }
}

/// A list of texts; a single text stands for a list of one (GraphQL's input coercion).
fn texts(value: Option<&Value>) -> Result<Option<Vec<String>>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(one)) => Ok(Some(vec![one.clone()])),
        Some(Value::Array(items)) if items.len() <= MAX_LIST => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            texts.map(Some).ok_or_else(|| invalid("A list of texts is needed."))
        }
        Some(_) => Err(invalid(format!("A list of at most {MAX_LIST} texts is needed."))),
    }
}

/// `{min, max}`, both inclusive.
fn range(value: Option<&Value>) -> (u64, u64) {
    let bound = |name: &str| value.and_then(|range| range.get(name)).and_then(Value::as_u64);
    (bound("min").unwrap_or(0), bound("max").unwrap_or(u64::MAX))
}

fn first(arguments: &Map<String, Value>) -> Result<usize> {
    match arguments.get("first") {
        None | Some(Value::Null) => Ok(usize::try_from(DEFAULT_FIRST).unwrap_or(usize::MAX)),
        Some(value) => match value.as_u64() {
            Some(first) => Ok(usize::try_from(first.clamp(1, MAX_FIRST)).unwrap_or(usize::MAX)),
            None => Err(invalid("Argument \"first\" is a number above 0.")),
        },
    }
}

/// Newest first unless told otherwise.
fn ascending(arguments: &Map<String, Value>) -> Result<bool> {
    match arguments.get("sort").and_then(Value::as_str) {
        None | Some("HEIGHT_DESC" | "INGESTED_AT_DESC") => Ok(false),
        Some("HEIGHT_ASC" | "INGESTED_AT_ASC") => Ok(true),
        Some(sort) => Err(invalid(format!("Value \"{sort}\" does not exist in \"SortOrder\"."))),
    }
}

/// The cursor of the last page: our cursors are the number of a row (or a height, for blocks).
fn after(arguments: &Map<String, Value>) -> Result<Option<u64>> {
    match arguments.get("after") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(value) => {
            let cursor = value.as_str().and_then(|text| text.parse().ok());
            cursor.map(Some).ok_or_else(|| invalid("Argument \"after\" is not a cursor of ours."))
        }
    }
}

async fn transactions<S: Store>(ledger: &Ledger<S>, arguments: &Map<String, Value>) -> Result<Value> {
    let (filter, first) = (Filter::parse(arguments)?, first(arguments)?);
    let (ascending, after) = (ascending(arguments)?, after(arguments)?);
    let mut found = match &filter.ids {
        Some(ids) => by_ids(ledger, &filter, ids, ascending, after).await?,
        None => by_scan(ledger, &filter, first, ascending, after).await?,
    };
    let more = found.len() > first;
    found.truncate(first);
    let edges: Vec<Value> =
        found.iter().map(|row| json!({"cursor": row.number.to_string(), "node": row.node()})).collect();
    Ok(json!({"pageInfo": {"hasNextPage": more}, "edges": edges}))
}

/// The rows of these ids, in the order asked for.
async fn by_ids<S: Store>(
    ledger: &Ledger<S>,
    filter: &Filter,
    ids: &[String],
    ascending: bool,
    after: Option<u64>,
) -> Result<Vec<IndexRow>> {
    let mut found = Vec::new();
    for id in ids.iter().filter_map(|id| id.parse::<Id>().ok()) {
        found.extend(ledger.row(id).await?.filter(|row| filter.passes(row)));
    }
    found.sort_by_key(|row| row.number);
    found.dedup_by_key(|row| row.number);
    found.retain(|row| {
        after.is_none_or(|after| if ascending { row.number > after } else { row.number < after })
    });
    if !ascending {
        found.reverse();
    }
    Ok(found)
}

/// All rows that pass, in the order asked for, until there is one more than a page has.
async fn by_scan<S: Store>(
    ledger: &Ledger<S>,
    filter: &Filter,
    first: usize,
    ascending: bool,
    after: Option<u64>,
) -> Result<Vec<IndexRow>> {
    let end = ledger.next_number().await?;
    let (mut low, mut high) = match (ascending, after) {
        (true, after) => (after.map_or(0, |after| after.saturating_add(1)), end),
        (false, after) => (0, after.unwrap_or(end).min(end)),
    };
    let mut found = Vec::new();
    while low < high && found.len() <= first {
        let (from, to) = if ascending {
            (low, high.min(low + CHUNK))
        } else {
            (low.max(high.saturating_sub(CHUNK)), high)
        };
        let mut rows = ledger.rows(from, to).await?;
        if ascending {
            low = to;
        } else {
            high = from;
            rows.reverse();
        }
        found.extend(rows.into_iter().filter(|row| filter.passes(row)));
    }
    Ok(found)
}

async fn blocks_page<S: Store>(ledger: &Ledger<S>, arguments: &Map<String, Value>) -> Result<Value> {
    let (first, ascending, after) = (first(arguments)?, ascending(arguments)?, after(arguments)?);
    let (min, max) = range(arguments.get("height"));
    let Some(tip) = ledger.tip().await? else {
        return Ok(json!({"pageInfo": {"hasNextPage": false}, "edges": []}));
    };
    let (min, max) = (min.max(tip.genesis), max.min(tip.block.height));
    let heights: Vec<u64> = if ascending {
        (after.map_or(min, |after| after.saturating_add(1).max(min))..=max).take(first + 1).collect()
    } else {
        let top = after.map_or(Some(max), |after| after.checked_sub(1).map(|top| top.min(max)));
        top.map(|top| (min..=top).rev().take(first + 1).collect()).unwrap_or_default()
    };
    let mut edges = Vec::new();
    for height in heights.iter().take(first) {
        let block = ledger.block(*height).await?.as_ref().map(BlockRow::from);
        edges.push(json!({ "cursor": height.to_string(), "node": block }));
    }
    Ok(json!({"pageInfo": {"hasNextPage": heights.len() > first}, "edges": edges}))
}
