//! A local network in memory, and what a client asks of it.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test uses its part")]

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};
use weft_cli::demo_archive;
use weft_cli::keys::JwkSigner;
use weft_codec::Id;
use weft_codec::item::DataItem;
use weft_codec::tags::Tag;
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::net::{LocalNet, ModuleTags, Pumped, Reply, sign};
use weft_node::seams::{Method, Request};

pub(crate) type Net = LocalNet<Rc<MemoryStore>, Rc<ManualClock>, JwkSigner>;

/// 2026-06-01, in milliseconds.
pub(crate) const NOW: u64 = 1_780_272_000_000;

pub(crate) struct Stage {
    pub(crate) store: Rc<MemoryStore>,
    pub(crate) clock: Rc<ManualClock>,
    pub(crate) net: Net,
    pub(crate) user: JwkSigner,
}

/// Keys are slow to read: these signers are the demo's.
pub(crate) fn open(store: &Rc<MemoryStore>) -> Stage {
    let keys = demo_archive::keys().unwrap();
    let drawn = Cell::new(0_u64);
    let entropy = move || {
        drawn.set(drawn.get() + 1);
        Id::sha256(format!("entropy {}", drawn.get()).as_bytes()).0
    };
    let clock = Rc::new(ManualClock::new(NOW, 1));
    let net = LocalNet::new(Rc::clone(store), Rc::clone(&clock), keys.scheduler, Box::new(entropy));
    Stage { store: Rc::clone(store), clock, net, user: keys.alice }
}

impl Stage {
    pub(crate) async fn ask(&self, method: Method, url: &str, body: Vec<u8>) -> Reply {
        let request = Request {
            method,
            url: url.to_owned(),
            content_type: None,
            headers: Vec::new(),
            body,
            max_bytes: u64::MAX,
            timeout_ms: 1_000,
        };
        self.net.answer(&request).await
    }

    pub(crate) async fn get(&self, url: &str) -> (u16, Value) {
        let reply = self.ask(Method::Get, url, Vec::new()).await.response;
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }

    pub(crate) async fn post(&self, url: &str, body: Vec<u8>) -> (u16, Value) {
        let reply = self.ask(Method::Post, url, body).await.response;
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }

    pub(crate) async fn graphql(&self, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables}).to_string().into_bytes();
        self.post("/gateway/graphql", body).await.1
    }

    pub(crate) async fn item(&self, target: Option<Id>, tags: &[(&str, &str)], data: &str) -> DataItem {
        let tags = tags.iter().map(|(name, value)| Tag::new(*name, *value)).collect();
        sign(&self.user, target, None, tags, data.as_bytes().to_vec()).await.unwrap()
    }

    pub(crate) async fn message(&self, process: Id, data: &str) -> DataItem {
        let tags = [("Data-Protocol", "ao"), ("Type", "Message"), ("Variant", "ao.TN.1")];
        self.item(Some(process), &tags, data).await
    }

    /// A process of the counting and echoing module.
    pub(crate) async fn process(&self) -> Id {
        self.process_named("boot").await
    }

    pub(crate) async fn process_named(&self, data: &str) -> Id {
        let tags = ModuleTags {
            format: "wasm32-unknown-unknown".to_owned(),
            memory_limit: "16-mb".to_owned(),
            compute_limit: "200000000".to_owned(),
        };
        let module = self.net.publish_module(&weft_tests::world::wasm(), &tags).await.unwrap().to_string();
        let tags = [
            ("Data-Protocol", "ao"),
            ("Type", "Process"),
            ("Module", module.as_str()),
            ("Scheduler", self.net.address()),
        ];
        let process = self.item(None, &tags, data).await;
        let (status, answer) = self.post("/su/", process.to_bytes()).await;
        assert_eq!((status, &answer["id"]), (200, &json!(process.id())), "{answer}");
        assert!(answer["timestamp"].is_u64());
        process.id()
    }

    pub(crate) async fn send(&self, process: Id, data: &str) -> Id {
        let message = self.message(process, data).await;
        let (status, answer) = self.post("/su", message.to_bytes()).await;
        assert_eq!(status, 200, "{answer}");
        message.id()
    }
}

/// Works the messenger's queue off; how many jobs were done and which failed.
pub(crate) async fn pumped(net: &Net) -> (usize, Vec<String>) {
    let (mut done, mut failed) = (0, Vec::new());
    loop {
        match net.pump().await.unwrap() {
            Pumped::Idle => return (done, failed),
            Pumped::Done => done += 1,
            Pumped::Failed(sentence) => failed.push(sentence),
        }
    }
}
