//! The local network without its scheduler: what is left on its gateway is enough. And without the scheduler's address:
//! the record on the gateway is enough.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::cell::Cell;
use std::rc::Rc;

use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::Tag;
use weft_codec::{Code, Error, Id, Result};
use weft_core::SlotResult;
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::net::{LocalNet, ModuleTags};
use weft_node::seams::{Fetch, Method, Request, Response, Signer};
use weft_node::{Event, Node, Options, Sources};
use weft_tests::signing::TestKey;
use weft_tests::world::{Log, wasm};

const ORIGIN: &str = "http://127.0.0.1:8734";

struct Key;

impl Signer for Key {
    fn owner(&self) -> Vec<u8> {
        TestKey::get().owner()
    }

    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>> {
        Ok(TestKey::get().sign(payload))
    }

    async fn sign_sha512(&self, base: &[u8]) -> Result<Vec<u8>> {
        Ok(TestKey::get().sign_sha512(base))
    }
}

/// A local network whose scheduler can be shut down.
struct Network {
    net: LocalNet<Rc<MemoryStore>, ManualClock, Key>,
    down: Cell<bool>,
}

impl Fetch for Network {
    async fn fetch(&self, request: Request) -> Result<Response> {
        if self.down.get() && request.url.starts_with(&format!("{ORIGIN}/su")) {
            return Err(Error::new(Code::SourceUnreachable, "The scheduler is shut down."));
        }
        self.net.fetch(request).await
    }
}

impl Network {
    fn open() -> Self {
        let drawn = Cell::new(0_u64);
        let entropy = move || {
            drawn.set(drawn.get() + 1);
            Id::sha256(format!("entropy {}", drawn.get()).as_bytes()).0
        };
        let clock = ManualClock::new(1_780_272_000_000, 1);
        Self { net: LocalNet::new(Rc::default(), clock, Key, Box::new(entropy)), down: Cell::new(false) }
    }

    async fn schedule(&self, item: &DataItem) -> Id {
        let request = Request {
            method: Method::Post,
            url: format!("{ORIGIN}/su"),
            content_type: Some("application/octet-stream".into()),
            headers: Vec::new(),
            body: item.to_bytes(),
            max_bytes: u64::MAX,
            timeout_ms: 1_000,
        };
        let answer = self.fetch(request).await.unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        item.id()
    }

    /// A process with messages after it.
    async fn process(&self, messages: u32) -> Id {
        let module =
            self.net.publish_module(&wasm(), &ModuleTags::for_format("wasm32-unknown-unknown")).await;
        let (module, scheduler) = (module.unwrap().to_string(), TestKey::get().address().to_string());
        let process = item(None, &[("Type", "Process"), ("Module", &module), ("Scheduler", &scheduler)], 0);
        let id = self.schedule(&process).await;
        for number in 1..=messages {
            self.schedule(&item(Some(id), &[("Type", "Message")], number)).await;
        }
        id
    }
}

fn item(target: Option<Id>, tags: &[(&str, &str)], number: u32) -> DataItem {
    let mut all = vec![Tag::new("Data-Protocol", "ao"), Tag::new("Variant", "ao.TN.1")];
    all.extend(tags.iter().map(|(name, value)| Tag::new(*name, *value)));
    let anchor = format!("{number:032}").into_bytes().try_into().ok();
    TestKey::get().item(Unsigned {
        target,
        anchor,
        tags: all,
        data: b"hello".to_vec(),
        ..Unsigned::default()
    })
}

fn sources(schedulers: &[&str]) -> Sources {
    Sources {
        schedulers: schedulers.iter().map(|path| format!("{ORIGIN}{path}")).collect(),
        gateways: vec![format!("{ORIGIN}/gateway")],
    }
}

async fn synced(network: &Network, process: Id, schedulers: &[&str], log: &Log) -> Vec<SlotResult> {
    let node = Node::new(MemoryStore::new(), network, ManualClock::new(1_780_272_100_000, 1));
    let options = Options { attempts: 1, ..Options::default() };
    node.sync(process, &sources(schedulers), &options, log).await.unwrap();
    node.results(process, 0, 1_000).await.unwrap()
}

#[weft_tests::both_async]
async fn a_history_outlives_its_scheduler() {
    let network = Network::open();
    let process = network.process(120).await;
    let expected = synced(&network, process, &["/su"], &Log::default()).await;
    assert_eq!(expected.len(), 121);
    network.down.set(true);
    let log = Log::default();
    assert_eq!(synced(&network, process, &["/su"], &log).await, expected);
    let rebuilt = |event: &Event| matches!(event, Event::Rebuild { from: 0, to: 120 });
    assert!(log.events.borrow().iter().any(rebuilt));
}

#[weft_tests::both_async]
async fn the_scheduler_is_found_by_its_record() {
    let network = Network::open();
    let process = network.process(3).await;
    network.net.publish_location(&format!("{ORIGIN}/su")).await.unwrap();
    let log = Log::default();
    assert_eq!(synced(&network, process, &[], &log).await.len(), 4);
    let located =
        |event: &Event| matches!(event, Event::Located { url, .. } if *url == format!("{ORIGIN}/su"));
    assert!(log.events.borrow().iter().any(located));
    assert!(log.failures().is_empty(), "{:?}", log.failures());
}
