//! Sources that answer from a [`World`], and a network of sites that a test can break one by one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use weft_codec::item::DataItem;
use weft_codec::scheduler_page::{Anchors, render, render_entry, render_process};
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Id, Result, base64url};
use weft_node::seams::{Fetch, Request, Response};

use super::{START_HEIGHT, START_MS, World};

/// What answers at one address.
pub type Site = Rc<dyn Fn(&Request) -> Result<Response>>;

/// A network: each address begins with the origin of one site. It counts what it is asked.
#[derive(Default)]
pub struct Network {
    sites: RefCell<BTreeMap<String, Site>>,
    asked: RefCell<Vec<String>>,
}

impl Network {
    /// Nobody answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a site at an origin such as `https://su.example`.
    pub fn at(&self, origin: &str, site: Site) {
        self.sites.borrow_mut().insert(origin.to_owned(), site);
    }

    /// The URLs asked since the last call.
    pub fn take_asked(&self) -> Vec<String> {
        self.asked.take()
    }
}

impl Fetch for Network {
    async fn fetch(&self, request: Request) -> Result<Response> {
        self.asked.borrow_mut().push(request.url.clone());
        let site = self
            .sites
            .borrow()
            .iter()
            .find(|(origin, _)| request.url.starts_with(origin.as_str()))
            .map(|(_, site)| site.clone());
        let site = site
            .ok_or_else(|| Error::new(Code::SourceUnreachable, format!("Nobody is at {}.", request.url)))?;
        let response = site(&request)?;
        if response.body.len() as u64 > request.max_bytes {
            return Err(Error::new(Code::TooLarge, "The answer is too long."));
        }
        Ok(response)
    }
}

/// An answer in JSON.
#[must_use]
pub fn json_answer(value: &Value) -> Response {
    Response::new(200, "application/json", value.to_string().into_bytes())
}

/// A status without more.
#[must_use]
pub fn status(status: u16) -> Response {
    Response::new(status, "text/plain", b"no".to_vec())
}

/// A web page, with status 200.
#[must_use]
pub fn html() -> Response {
    let body = b"<!doctype html><html><body>Just a moment...</body></html>".to_vec();
    Response::new(200, "text/html", body)
}

/// An honest scheduler unit (reference scheduler-and-cu-api.md §1).
#[must_use]
pub fn scheduler(world: &Rc<World>) -> Site {
    let world = Rc::clone(world);
    Rc::new(move |request| Ok(serve_scheduler(&world, request)))
}

/// An honest gateway (reference arweave.md §7 and §8).
#[must_use]
pub fn gateway(world: &Rc<World>) -> Site {
    let world = Rc::clone(world);
    Rc::new(move |request| Ok(serve_gateway(&world, request)))
}

fn serve_scheduler(world: &World, request: &Request) -> Response {
    let (path, query) = split(&request.url);
    let query: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let id = world.id().to_string();
    let entries = world.entries.borrow();
    let node = |index: usize| {
        let entry = &entries[index];
        render_entry(Some(&entry.assignment), entry.message.as_ref(), Anchors::Base64)
    };
    if path == format!("processes/{id}") {
        return json_answer(&render_process(&world.process, START_HEIGHT - 1, START_MS - 500));
    }
    if path == format!("{id}/latest") {
        return entries.len().checked_sub(1).map_or_else(|| status(404), |last| json_answer(&node(last)));
    }
    if path != id {
        let body = json!({"error": "Message or Process not found"});
        return Response { status: 400, ..json_answer(&body) };
    }
    let number =
        |name: &str, default: i64| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (from, to, limit) = (number("from-nonce", -1), number("to-nonce", i64::MAX), number("limit", 100));
    let wanted: Vec<usize> = (0..entries.len())
        .filter(|index| i64::try_from(*index).is_ok_and(|nonce| nonce > from && nonce <= to))
        .collect();
    let limit = usize::try_from(limit).unwrap_or(1);
    let edges: Vec<(String, Value)> =
        wanted.iter().take(limit).map(|index| (index.to_string(), node(*index))).collect();
    json_answer(&render(&edges, wanted.len() > limit))
}

fn serve_gateway(world: &World, request: &Request) -> Response {
    let (path, _) = split(&request.url);
    let item = |id: Id| {
        let known = [&world.module, &world.process].into_iter().find(|item| item.id() == id).cloned();
        known.or_else(|| world.items.borrow().get(&id).cloned())
    };
    let named = |prefix: &str| path.strip_prefix(prefix).and_then(|text| text.parse::<Id>().ok());
    if path == "graphql" {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if body["variables"]["owners"].is_array() {
            return json_answer(&list(world, &body["variables"]));
        }
        let id = body["variables"]["ids"][0].as_str().and_then(|text| text.parse().ok());
        let node = id.and_then(item).map(|item| json!({ "node": node(&item) }));
        let edges: Vec<Value> = node.into_iter().collect();
        return json_answer(&json!({"data": {"transactions": {"edges": edges}}}));
    }
    if let Some(id) = named("raw/") {
        let transaction = world.transactions.borrow().get(&id).map(|transaction| transaction.data.clone());
        let Some(body) = item(id).map(|item| item.data).or(transaction) else { return status(404) };
        let content_type = item(id).and_then(|item| item.tags.tag("Content-Type").map(str::to_owned));
        return Response::new(200, &content_type.unwrap_or_default(), body);
    }
    if path == "info" {
        return json_answer(&json!({"network": "arweave.N.1", "height": HEIGHT}));
    }
    if let Some(height) = path.strip_prefix("block/height/").and_then(|text| text.parse::<u64>().ok()) {
        if height > HEIGHT {
            return status(404);
        }
        return json_answer(&json!({"height": height, "indep_hash": format!("block-{height}"), "txs": []}));
    }
    match named("tx/").and_then(|id| world.transactions.borrow().get(&id).cloned()) {
        Some(mut transaction) => {
            transaction.data = Vec::new();
            json_answer(&transaction.to_json())
        }
        None => status(404),
    }
}

/// The height of the chain that gateways tell.
const HEIGHT: u64 = START_HEIGHT + 1_000;

/// The fields of an item in GraphQL.
fn node(item: &DataItem) -> Value {
    json!({
        "id": item.id(), "anchor": item.anchor.map(|anchor| base64url::encode(&anchor)).unwrap_or_default(),
        "signature": base64url::encode(&item.signature),
        "recipient": item.target.map(|target| target.to_string()).unwrap_or_default(),
        "owner": {"address": item.owner_address(), "key": base64url::encode(&item.owner)},
        "data": {"size": item.data.len().to_string()}, "tags": item.tags,
    })
}

/// `transactions(owners, tags, first, after, sort)`: what was published, in that order or the other way round.
fn list(world: &World, variables: &Value) -> Value {
    let has = |list: &Value, text: &str| {
        list.as_array().is_some_and(|list| list.iter().any(|one| one.as_str() == Some(text)))
    };
    let items = world.items.borrow();
    let mut found: Vec<&DataItem> = world.published.borrow().iter().filter_map(|id| items.get(id)).collect();
    if variables["sort"] == "HEIGHT_DESC" {
        found.reverse();
    }
    let filters = variables["tags"].as_array().cloned().unwrap_or_default();
    found.retain(|item| {
        has(&variables["owners"], item.owner_address().as_str())
            && filters.iter().all(|filter| {
                let value = filter["name"].as_str().and_then(|name| item.tags.tag(name));
                value.is_some_and(|value| has(&filter["values"], value))
            })
    });
    let after =
        variables["after"].as_str().and_then(|text| text.parse::<usize>().ok()).map_or(0, |at| at + 1);
    let first =
        variables["first"].as_u64().and_then(|first| usize::try_from(first).ok()).unwrap_or(10).min(100);
    let edges: Vec<Value> = found
        .iter()
        .enumerate()
        .skip(after)
        .take(first)
        .map(|(at, item)| json!({"cursor": at.to_string(), "node": node(item)}))
        .collect();
    let more = found.len() > after + edges.len();
    json!({"data": {"transactions": {"pageInfo": {"hasNextPage": more}, "edges": edges}}})
}

/// Path and query of a URL, without its origin.
fn split(url: &str) -> (String, String) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split_once('/').map_or("", |(_, rest)| rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (path.to_owned(), query.to_owned())
}
