//! Messages in the JSON that aos and legacy clients read, and results in it as messages (reference wasm-modules.md §4,
//! scheduler-and-cu-api.md §5.3; HyperBEAM `dev_json_iface.erl`, `dev_scheduler_formats.erl`).

use serde_json::{Map, Value as Json, json};
use weft_codec::message::{Generation, Ids, Message, Node, Tabm, Value, id as ids, structured};
use weft_codec::{Code, Error, Result, base64url};

use super::{is_private, numbered};

/// Keys that are fields of the JSON and no tags.
const FIELDS: [&str; 7] = ["id", "anchor", "owner", "data", "target", "signature", "commitments"];
/// The bytes of an RSA signature, which are written in base64url.
const SIGNATURE_BYTES: usize = 512;

/// A message as a compute unit's JSON has it: `Id`, `Anchor`, `Owner`, `From`, `Tags`, `Target`, `Data`, `Signature`. The owner
/// is the address of the first who signed. Nothing is proved. Errors: `message-malformed` (bytes that are no text),
/// `too-large`.
pub fn message(message: &Message, generation: Generation) -> Result<Json> {
    let tabm = structured::to_tabm(message, generation)?;
    let id = ids::id(&tabm, Ids::Signed, generation)?.to_string();
    let tabm = with_data(tabm.linked(generation)?);
    let owner = signer(&tabm).map(|(address, _)| address).unwrap_or_default();
    let field = |key: &str| tabm.binary(key).unwrap_or_default();
    let from = match field("from-process") {
        [] => owner.clone(),
        from => id_text(from)?,
    };
    let signature = match field("signature") {
        signature if signature.len() == SIGNATURE_BYTES => base64url::encode(signature),
        signature => text(signature)?,
    };
    Ok(json!({
        "Id": id,
        "Anchor": text(field("anchor"))?,
        "Owner": owner,
        "From": from,
        "Tags": tags(&tabm)?,
        "Target": id_text(field("target"))?,
        "Data": text(field("data"))?,
        "Signature": signature,
    }))
}

/// A message as it is handed to aos: with the signature of the first who signed. Errors: those of [`message`].
pub fn evaluated(message: &Message, generation: Generation) -> Result<Json> {
    let tabm = structured::to_tabm(message, generation)?;
    let mut whole = message.clone();
    if let Some((owner, signature)) = signer(&tabm) {
        whole.set("owner", owner);
        whole.set("signature", signature);
    }
    whole.set("id", ids::id(&tabm, Ids::Signed, generation)?.to_string());
    self::message(&whole, generation)
}

/// An assignment with its message, as a schedule in JSON has them: `assignment`, without what it assigns, and `message`.
/// Errors: those of [`message`], `message-malformed` (it has no message under `body`).
pub fn assignment(assignment: &Message, generation: Generation) -> Result<Json> {
    let mut assignment = assignment.clone();
    let Some(Value::Message(body)) = assignment.remove("body") else {
        return Err(Error::new(Code::MessageMalformed, "The assignment has no message under `body`."));
    };
    Ok(json!({
        "message": message(&body, generation)?,
        "assignment": message(&assignment, generation)?,
    }))
}

/// What is under `body` goes under `data`, if nothing is there.
fn with_data(mut tabm: Tabm) -> Tabm {
    let has_data = tabm.binary("data").is_some_and(|data| !data.is_empty());
    if tabm.has("ao-data-key") || has_data || tabm.binary("body").is_none() {
        return tabm;
    }
    if let Some(body) = tabm.remove("body") {
        tabm.set("data", body);
        tabm.set("ao-data-key", "body");
    }
    tabm
}

/// The first committer, and the signature as it is written there.
fn signer(tabm: &Tabm) -> Option<(String, String)> {
    let commitments = tabm.map("commitments")?;
    commitments.iter().find_map(|(_, node)| {
        let map = node.as_map()?;
        Some((map.text("committer")?.to_owned(), map.text("signature").unwrap_or_default().to_owned()))
    })
}

/// The tags an item was signed with; of any other message its keys, written as in headers.
fn tags(tabm: &Tabm) -> Result<Json> {
    let commitments = tabm.map("commitments");
    let item = commitments.and_then(|all| {
        let of_item = |node: &&Node| {
            node.as_map().is_some_and(|map| map.text("commitment-device") == Some("ans104@1.0"))
        };
        all.iter().map(|(_, node)| node).find(of_item)?.as_map()
    });
    if let Some(original) = item.and_then(|item| item.map("original-tags")) {
        let refuse =
            || Error::new(Code::MessageMalformed, "The tags of a commitment are no names and values.");
        let tag = |node: &Node| {
            let map = node.as_map()?;
            Some(json!({ "name": map.text("name")?, "value": map.text("value")? }))
        };
        let tags: Option<Vec<Json>> = original.numbered().ok_or_else(refuse)?.into_iter().map(tag).collect();
        return tags.map(Json::Array).ok_or_else(refuse);
    }
    let keys = tabm.iter().filter(|(key, _)| !FIELDS.contains(&key.as_str()) && !is_private(key));
    let tags = keys.filter_map(|(key, node)| match node {
        Node::Binary(bytes) => {
            Some(text(bytes).map(|text| json!({ "name": header_case(key), "value": text })))
        }
        Node::Map(_) => None,
    });
    tags.collect::<Result<Vec<_>>>().map(Json::Array)
}

/// `from-process` as `From-Process`.
#[must_use]
pub fn header_case(key: &str) -> String {
    let words = key.split('-').filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<String>>().join("-")
}

/// 32 bytes as the id they are, anything else as it is.
fn id_text(bytes: &[u8]) -> Result<String> {
    if bytes.len() == 32 { Ok(base64url::encode(bytes)) } else { text(bytes) }
}

fn text(bytes: &[u8]) -> Result<String> {
    let refuse =
        |cause| Error::new(Code::MessageMalformed, "Bytes that are no text have no JSON.").because(cause);
    String::from_utf8(bytes.to_vec()).map_err(refuse)
}

/// The result of an evaluation as the message `results`: `outbox`, messages under `1`, `2`, … whose tags are keys; `patches`;
/// `data`. A result with an `Error` has that as its data. Errors: `message-malformed` (a message of it is no object, a tag
/// no name and value, a number of more than 64 bits).
pub fn results(result: &Map<String, Json>) -> Result<Message> {
    let none = Vec::new();
    let list = |name: &str| match result.get(name) {
        Some(Json::Array(list)) => list,
        _ => &none,
    };
    if let Some(error) = result.get("Error") {
        return Ok(outcome(plain(error)?, Vec::new(), Vec::new()));
    }
    let data = match result.get("Output") {
        None => Value::from(""),
        Some(Json::Object(output)) => output.get("data").map_or_else(|| Ok("".into()), plain)?,
        // An output that is no object makes a result of nothing.
        Some(_) => return Ok(outcome("".into(), Vec::new(), Vec::new())),
    };
    let outbox = list("Messages").iter().map(sent).collect::<Result<_>>()?;
    let patches =
        list("patches").iter().map(|patch| tag_keys(patch).map(Value::Message)).collect::<Result<_>>()?;
    Ok(outcome(data, outbox, patches))
}

fn outcome(data: Value, outbox: Vec<Value>, patches: Vec<Value>) -> Message {
    Message::new().with("data", data).with("outbox", numbered(outbox)).with("patches", Value::List(patches))
}

/// A message of an outbox: its fields in small letters, and its tags as they are.
fn sent(json: &Json) -> Result<Value> {
    let fields = json.as_object().ok_or_else(|| malformed("A message of a result is no object."))?;
    let mut message = Message::new();
    for (key, value) in fields {
        if !["from-process", "from-image", "anchor", "tags"].contains(&key.as_str()) {
            message.set(key.to_lowercase(), plain(value)?);
        }
    }
    Ok(message.into_iter().chain(tag_keys(json)?).collect::<Message>().into())
}

fn tag_keys(json: &Json) -> Result<Message> {
    let fields = json.as_object().ok_or_else(|| malformed("A message of a result is no object."))?;
    let tags = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case("tags")).map(|(_, tags)| tags);
    let Some(tags) = tags else { return Ok(Message::new()) };
    let refuse = || malformed("The tags of a message of a result are no names and values.");
    let tag = |tag: &Json| {
        let name = tag.get("name").and_then(Json::as_str).ok_or_else(refuse)?;
        Ok((name.to_owned(), plain(tag.get("value").ok_or_else(refuse)?)?))
    };
    tags.as_array().ok_or_else(refuse)?.iter().map(tag).collect()
}

/// JSON as a value, as it is. Errors: `message-malformed` (a number of more than 64 bits).
pub fn value(json: &Json) -> Result<Value> {
    plain(json)
}

/// The recursion is bounded by the reader of the JSON.
fn plain(json: &Json) -> Result<Value> {
    Ok(match json {
        Json::Null => Value::Atom("null".to_owned()),
        Json::Bool(truth) => (*truth).into(),
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Integer(number),
            (None, Some(float)) if number.is_f64() => Value::Float(float),
            _ => return Err(malformed("A number of a result has more than 64 bits.")),
        },
        Json::Array(values) => Value::List(values.iter().map(plain).collect::<Result<_>>()?),
        Json::Object(object) => {
            let entries = object.iter().map(|(key, value)| Ok((key.clone(), plain(value)?)));
            Value::Message(entries.collect::<Result<_>>()?)
        }
    })
}

fn malformed(sentence: &str) -> Error {
    Error::new(Code::MessageMalformed, sentence)
}
