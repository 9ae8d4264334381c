//! The JSON of a legacy scheduler unit: reading its pages and writing them (reference scheduler-and-cu-api.md
//! §1).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base64url;
use crate::error::{Code, Error, Result};
use crate::graphql_item::{Fields, OwnerJson, anchor};
use crate::id::Id;
use crate::item::DataItem;
use crate::tags::Tag;

/// The most bytes of one page that are read.
pub const MAX_JSON: usize = 256 << 20;
/// The most edges of one page; a scheduler gives 5000 at most.
pub const MAX_EDGES: usize = 10_000;

/// `GET /{process}`: a piece of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Whether there is more after the last edge.
    pub has_next_page: bool,
    /// The entries, in the order of their slots.
    pub edges: Vec<Edge>,
}

/// One entry with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Give it as `from` (or `from-nonce`) to get what follows.
    pub cursor: String,
    /// The entry.
    pub entry: Entry,
}

/// An assignment and its message, rebuilt from text. Their ids are those of their signatures, and equal to the
/// printed ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The scheduler's assignment. A process of before the "aop 6" time stands there without one.
    pub assignment: Option<DataItem>,
    /// The message; `None` when the scheduler was only told its id (an Assign).
    pub message: Option<DataItem>,
    /// Whether the text may have lost bytes of the message (data or tags that are not UTF-8): its signature may
    /// then fail here and hold over the item's own bytes.
    pub lossy: bool,
}

#[derive(Deserialize)]
struct RawPage {
    page_info: RawPageInfo,
    edges: Vec<RawEdge>,
}

#[derive(Deserialize)]
struct RawPageInfo {
    has_next_page: bool,
}

#[derive(Deserialize)]
struct RawEdge {
    node: RawEntry,
    cursor: Value,
}

#[derive(Deserialize)]
struct RawEntry {
    #[serde(default)]
    message: Option<RawItem>,
    #[serde(default)]
    assignment: Option<RawItem>,
}

#[derive(Deserialize)]
struct RawItem {
    id: String,
    owner: OwnerJson,
    #[serde(default)]
    data: Option<String>,
    tags: Vec<Tag>,
    signature: String,
    #[serde(default)]
    anchor: Option<String>,
    #[serde(default)]
    target: Option<String>,
}

/// Reads a page, with anchors as text or (asked for by `show-anchor`) as base64url. Errors: `json-invalid`,
/// `page-malformed`, `too-large`, `id-mismatch` (a printed id that is not the signature's), and those of an
/// item's fields, with the edge's number in front.
pub fn parse(json: &[u8]) -> Result<Page> {
    bounded(json)?;
    let raw: RawPage = serde_json::from_slice(json).map_err(|cause| refuse(cause, "a page"))?;
    if raw.edges.len() > MAX_EDGES {
        return Err(Error::new(Code::TooLarge, format!("A page has at most {MAX_EDGES} entries.")));
    }
    let mut edges = Vec::with_capacity(raw.edges.len());
    for (index, raw) in raw.edges.into_iter().enumerate() {
        let cursor = match raw.cursor {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(Error::new(Code::PageMalformed, "A cursor is neither text nor a number.")),
        };
        let entry = entry(raw.node).map_err(|error| error.at(format!("edge {index}")))?;
        edges.push(Edge { cursor, entry });
    }
    Ok(Page { has_next_page: raw.page_info.has_next_page, edges })
}

/// Reads one entry: the answer of `GET /{message}?process-id=…` and `GET /{process}/latest`. Errors as
/// [`parse`].
pub fn parse_entry(json: &[u8]) -> Result<Entry> {
    bounded(json)?;
    entry(serde_json::from_slice(json).map_err(|cause| refuse(cause, "an entry"))?)
}

fn bounded(json: &[u8]) -> Result<()> {
    if json.len() > MAX_JSON {
        return Err(Error::new(Code::TooLarge, format!("A scheduler's page has at most {MAX_JSON} bytes.")));
    }
    Ok(())
}

fn refuse(cause: serde_json::Error, what: &str) -> Error {
    if cause.is_data() {
        Error::new(Code::PageMalformed, format!("This is not {what} of a scheduler.")).because(cause)
    } else {
        Error::new(Code::JsonInvalid, "The scheduler's answer is not JSON.").because(cause)
    }
}

fn entry(raw: RawEntry) -> Result<Entry> {
    if raw.message.is_none() && raw.assignment.is_none() {
        return Err(Error::new(Code::PageMalformed, "An entry has neither an assignment nor a message."));
    }
    let lossy = raw.message.as_ref().is_some_and(RawItem::is_lossy);
    let message = raw.message.map(|raw| raw.named_item("message")).transpose()?;
    let assignment = raw.assignment.map(|raw| raw.named_item("assignment")).transpose()?;
    Ok(Entry { assignment, message, lossy })
}

impl RawItem {
    /// U+FFFD stands where bytes were replaced (or, seldom, is meant); data that cannot be text are null.
    fn is_lossy(&self) -> bool {
        let replaced = |text: &str| text.contains('\u{fffd}');
        self.data.as_deref().is_none_or(replaced)
            || self.tags.iter().any(|tag| replaced(&tag.name) || replaced(&tag.value))
    }

    /// The item, `what` it is in an entry told to errors.
    fn named_item(self, what: &str) -> Result<DataItem> {
        let id = self.id.clone();
        self.item().map_err(|error| error.at(what).with("subject", what).with("id", id))
    }

    fn item(self) -> Result<DataItem> {
        let printed: Id = self.id.parse()?;
        let fields = Fields {
            signature: &self.signature,
            owner: &self.owner.key,
            target: self.target.as_deref().unwrap_or_default(),
            tags: &self.tags,
        };
        let anchor = match self.anchor.as_deref() {
            None | Some("") => None,
            Some(text) => Some(anchor(text).ok_or_else(|| {
                Error::new(Code::PageMalformed, "An anchor is neither 32 bytes of text nor their base64url.")
            })?),
        };
        let item = fields.item(anchor, self.data.as_deref().unwrap_or_default().as_bytes())?;
        if item.id() != printed {
            let what = format!("The signature printed for {printed} is that of {}.", item.id());
            let error = Error::new(Code::IdMismatch, what);
            return Err(error.with("expected", printed).with("found", item.id()));
        }
        Ok(item)
    }
}

/// How a scheduler prints anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchors {
    /// The default: as text, or null for bytes that are not UTF-8. Assignments cannot be verified then.
    Text,
    /// As asked for by `show-anchor`: base64url.
    Base64,
}

/// The page a scheduler answers with: cursors and nodes, the nodes made by [`render_entry`].
#[must_use]
pub fn render(edges: &[(String, Value)], has_next_page: bool) -> Value {
    let edges: Vec<Value> =
        edges.iter().map(|(cursor, node)| json!({"node": node, "cursor": cursor})).collect();
    json!({"page_info": {"has_next_page": has_next_page}, "edges": edges})
}

/// One entry as a scheduler prints it; without a message it is an Assign.
#[must_use]
pub fn render_entry(assignment: Option<&DataItem>, message: Option<&DataItem>, anchors: Anchors) -> Value {
    let message = message.map(|item| {
        let mut value = render_item(item, anchors);
        if let Some(object) = value.as_object_mut() {
            object.insert("data".into(), render_data(item));
        }
        value
    });
    json!({"message": message, "assignment": assignment.map(|item| render_item(item, anchors))})
}

/// What `GET /processes/{id}` answers. The height is padded text, the time a number of milliseconds, both from
/// the process's own assignment.
#[must_use]
pub fn render_process(process: &DataItem, block_height: u64, timestamp_ms: u64) -> Value {
    json!({
        "process_id": process.id().to_string(),
        "block": format!("{block_height:012}"),
        "owner": render_owner(process),
        "tags": process.tags,
        "timestamp": timestamp_ms,
        "data": String::from_utf8(process.data.clone()).ok(),
        "anchor": render_anchor(process, Anchors::Text),
        "signature": base64url::encode(&process.signature),
        "target": render_target(process),
    })
}

fn render_item(item: &DataItem, anchors: Anchors) -> Value {
    json!({
        "id": item.id().to_string(),
        "owner": render_owner(item),
        "tags": item.tags,
        "signature": base64url::encode(&item.signature),
        "anchor": render_anchor(item, anchors),
        "target": render_target(item),
    })
}

/// The address here is always the SHA-256 of the key, whatever the kind of key.
fn render_owner(item: &DataItem) -> Value {
    json!({"address": Id::sha256(&item.owner).to_string(), "key": base64url::encode(&item.owner)})
}

fn render_target(item: &DataItem) -> String {
    item.target.map(|target| target.to_string()).unwrap_or_default()
}

fn render_anchor(item: &DataItem, anchors: Anchors) -> Option<String> {
    let bytes = item.anchor?;
    match anchors {
        Anchors::Base64 => Some(base64url::encode(&bytes)),
        Anchors::Text => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// Text; bytes that are not UTF-8 are replaced in a message, and a process's binary data are null.
fn render_data(item: &DataItem) -> Value {
    match std::str::from_utf8(&item.data) {
        Ok(text) => text.into(),
        Err(_) if crate::ao::kind(&item.tags).is_some_and(|kind| kind == "Process") => Value::Null,
        Err(_) => String::from_utf8_lossy(&item.data).into(),
    }
}
