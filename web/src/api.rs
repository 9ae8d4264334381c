//! What the worker calls. One `WeftNode` a worker; every method answers with a promise that rejects with an `Error` that
//! has `.code`, `.message`, `.fields` and `.cause`. web/js/client.ts documents the same methods for their users.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::str::FromStr;

use js_sys::{Function, Uint8Array};
use serde::Deserialize;
use serde_json::Value;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use weft_codec::{Address, Code, Error, Id, Result};
use weft_core::Policy;
use weft_node::seams::{Batch, Store, Table};
use weft_node::{BundleBytes, Node, Options, Sources, Summary};
use weft_verify::FraudProof;

use crate::boundary::{from_js_value, to_js, to_js_value};
use crate::cards::{message_card, process_card};
use crate::check::{CheckAsked, CheckQuestion};
use crate::clock::BrowserClock;
use crate::engine::Native;
use crate::events::{Emitter, Mark};
use crate::fetch::Cancel;
use crate::fraud;
use crate::road::Roads;
use crate::signatures::WebCrypto;
use crate::store::IndexedStore;

pub(crate) type Answer = std::result::Result<JsValue, JsValue>;

/// Most results in one answer.
const MOST_RESULTS: u32 = 1_000;
/// Most marks in one answer, and how many results are read at a time for them.
const MOST_MARKS: u32 = 100_000;
const MARKS_STEP: usize = 1_000;

/// The node of a worker.
#[wasm_bindgen]
pub struct WeftNode {
    node: Reader,
    roads: Roads,
    /// The sync that runs, if one does.
    running: RefCell<Option<Cancel>>,
    /// How often a stop was asked for.
    cancels: Cell<u64>,
}

/// The node over the browser's seams.
pub(crate) type Reader = Node<IndexedStore, Roads, BrowserClock>;

#[wasm_bindgen]
impl WeftNode {
    /// Opens the database of this name. `check` checks packed signatures (`web/src/signatures.rs`).
    pub async fn open(database: String, check: Function) -> std::result::Result<WeftNode, JsValue> {
        let store = IndexedStore::open(&database).await.map_err(|e| to_js(&e))?;
        let roads = Roads::default();
        let node = Node::new(store, roads.clone(), BrowserClock::new());
        let node = node.with_signatures(Rc::new(WebCrypto::new(check))).with_engine(Rc::new(Native::WHOLE));
        Ok(Self { node, roads, running: RefCell::new(None), cancels: Cell::new(0) })
    }

    /// Syncs a process from sources. `emit` is called with each event.
    pub async fn sync(&self, process: String, sources: JsValue, options: JsValue, emit: Function) -> Answer {
        answer(
            async {
                let process = Id::from_str(&process)?;
                let sources: Sources = from_js_value(sources)?;
                let options = from_js_value::<SyncOptions>(options)?.options()?;
                let cancel = self.begin()?;
                self.run(process, &sources, &options, &Emitter::new(emit, cancel)).await
            }
            .await,
        )
    }

    /// Compares the answer to a slot with those of other nodes. `emit` is called with each event.
    pub async fn check(&self, process: String, question: JsValue, emit: Function) -> Answer {
        answer(
            async {
                let process = Id::from_str(&process)?;
                let asked = from_js_value::<CheckQuestion>(question)?.read()?;
                let emitter = Emitter::new(emit, self.begin()?);
                let CheckAsked { question, sources, options } = asked;
                let road = self.node.check(process, &sources, &options, &question, &emitter);
                let comparison = Box::pin(road).await;
                emitter.flush();
                self.end();
                comparison
            }
            .await,
        )
    }

    /// Asks what runs to stop.
    pub fn cancel(&self) {
        self.cancels.set(self.cancels.get().wrapping_add(1));
        if let Some(cancel) = self.running.borrow().as_ref() {
            cancel.ask();
        }
    }

    /// Proves every item of a bundle by itself.
    #[wasm_bindgen(js_name = verifyBundle)]
    pub async fn verify_bundle(&self, bundle: Uint8Array) -> Answer {
        answer(self.node.verify_bundle(&Given(bundle), |_| true).await)
    }

    /// Every process in the store.
    pub async fn processes(&self) -> Answer {
        answer(async { self.node.processes().await }.await)
    }

    /// The process item, as proved; `null` if it is not stored.
    pub async fn process(&self, process: String) -> Answer {
        answer(async { process_card(&self.node, Id::from_str(&process)?).await }.await)
    }

    /// Stored results in a few words each.
    pub async fn marks(&self, process: String, from: f64, limit: u32) -> Answer {
        answer(
            async {
                let (node, process, mut from) = (&self.node, Id::from_str(&process)?, slot(from)?);
                let limit = limit.min(MOST_MARKS) as usize;
                let mut marks: Vec<Mark> = Vec::new();
                while marks.len() < limit {
                    let step = MARKS_STEP.min(limit - marks.len());
                    let results = node.results(process, from, step).await?;
                    let Some(last) = results.last() else { break };
                    from = last.slot.saturating_add(1);
                    marks.extend(results.iter().map(Mark::of));
                }
                Ok(marks)
            }
            .await,
        )
    }

    /// Stored results from a slot on.
    pub async fn results(&self, process: String, from: f64, limit: u32) -> Answer {
        answer(
            async {
                let limit = limit.min(MOST_RESULTS) as usize;
                self.node.results(Id::from_str(&process)?, slot(from)?, limit).await
            }
            .await,
        )
    }

    /// The message at a slot, as proved; `null` if it is not stored.
    pub async fn message(&self, process: String, at: f64) -> Answer {
        answer(async { message_card(&self.node, Id::from_str(&process)?, slot(at)?).await }.await)
    }

    /// What was proved of a process and its history.
    pub async fn receipt(&self, process: String) -> Answer {
        answer(async { self.node.receipt(Id::from_str(&process)?).await }.await)
    }

    /// The proofs that the scheduler of a process signed two assignments for one slot, as the files `weft verify` checks.
    pub async fn frauds(&self, process: String) -> Answer {
        answer(
            async {
                let proofs = self.node.frauds(Id::from_str(&process)?).await?;
                Ok(proofs.iter().map(FraudProof::to_json).collect::<Vec<_>>())
            }
            .await,
        )
    }

    /// What two engines made of the message at which a sync stopped with `engines-differ`; `null` if none did.
    pub async fn divergence(&self, process: String) -> std::result::Result<JsValue, JsValue> {
        let found =
            async { self.node.divergence(Id::from_str(&process)?).await }.await.map_err(|e| to_js(&e))?;
        Ok(found.map_or(JsValue::NULL, |bytes| Uint8Array::from(bytes.as_slice()).into()))
    }

    /// How the sources of this session are doing.
    pub fn health(&self) -> Answer {
        answer(Ok(self.node.health()))
    }

    /// What was proved of one slot.
    #[wasm_bindgen(js_name = slotReceipt)]
    pub async fn slot_receipt(&self, process: String, at: f64) -> Answer {
        answer(async { self.node.slot_receipt(Id::from_str(&process)?, slot(at)?).await }.await)
    }

    /// Deletes what the store holds of a process.
    pub async fn forget(&self, process: String) -> Answer {
        answer(
            async {
                if self.running.borrow().is_some() {
                    return Err(Error::new(Code::RequestInvalid, "A sync is running; cancel it first."));
                }
                self.node.forget(Id::from_str(&process)?).await
            }
            .await,
        )
    }

    /// A value the page keeps; `null` if there is none.
    pub async fn setting(&self, name: String) -> Answer {
        answer(
            async {
                let Some(bytes) = self.node.store().get(Table::Settings, &name).await? else {
                    return Ok(Value::Null);
                };
                serde_json::from_slice(&bytes)
                    .map_err(|e| Error::new(Code::StoreCorrupt, "A setting does not read back.").because(e))
            }
            .await,
        )
    }

    /// Keeps a value; `null` deletes it.
    #[wasm_bindgen(js_name = setSetting)]
    pub async fn set_setting(&self, name: String, value: JsValue) -> Answer {
        answer(
            async {
                let value: Value = from_js_value(value)?;
                let mut batch = Batch::default();
                if value.is_null() {
                    batch.delete(Table::Settings, name);
                } else {
                    batch.put(Table::Settings, name, value.to_string().into_bytes());
                }
                self.node.store().commit(batch).await
            }
            .await,
        )
    }

    /// Proves a fraud proof's file and shows both assignments.
    #[wasm_bindgen(js_name = fraudCard)]
    pub fn fraud_card(file: String) -> Answer {
        answer(fraud::card(file.as_bytes()))
    }
}

impl WeftNode {
    pub(crate) fn node(&self) -> &Reader {
        &self.node
    }

    pub(crate) fn roads(&self) -> &Roads {
        &self.roads
    }

    pub(crate) fn cancels(&self) -> &Cell<u64> {
        &self.cancels
    }

    pub(crate) fn end(&self) {
        *self.running.borrow_mut() = None;
    }

    pub(crate) fn begin(&self) -> Result<Cancel> {
        if self.running.borrow().is_some() {
            return Err(Error::new(Code::RequestInvalid, "A sync is running already; cancel it first."));
        }
        let cancel = Cancel::new()?;
        self.roads.obey(&cancel);
        *self.running.borrow_mut() = Some(cancel.clone());
        Ok(cancel)
    }

    pub(crate) async fn run(
        &self,
        process: Id,
        sources: &Sources,
        options: &Options,
        emitter: &Emitter,
    ) -> Result<Summary> {
        let summary = self.node.sync(process, sources, options, emitter).await;
        emitter.flush();
        self.end();
        summary
    }
}

/// A bundle in JavaScript's memory.
struct Given(Uint8Array);

impl BundleBytes for Given {
    fn size(&self) -> usize {
        self.0.length() as usize
    }

    #[expect(clippy::cast_possible_truncation, reason = "an index in an array whose length is a u32")]
    fn read(&self, range: Range<usize>) -> Vec<u8> {
        self.0.subarray(range.start as u32, range.end as u32).to_vec()
    }
}

/// `SyncOptions` of web/js/types.ts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SyncOptions {
    to: Option<u64>,
    #[serde(default)]
    accepted_schedulers: Vec<String>,
    #[serde(default)]
    accepted_owners: Vec<String>,
    memory_bytes: Option<u64>,
    gas: Option<u64>,
    #[serde(default)]
    without_crons: bool,
    commit_every_ms: Option<u64>,
    timeout_ms: Option<u32>,
    attempts: Option<u32>,
    quorum: Option<u32>,
    #[serde(default)]
    engine: Policy,
    #[serde(default = "yes")]
    replay: bool,
}

fn yes() -> bool {
    true
}

impl SyncOptions {
    pub(crate) fn options(self) -> Result<Options> {
        let (to, without_crons, replay) = (self.to, self.without_crons, self.replay);
        let mut options = Options { to, without_crons, replay, ..Options::default() };
        for address in &self.accepted_schedulers {
            options.accepted_schedulers.insert(Address::from_str(address)?);
        }
        for address in &self.accepted_owners {
            options.accepted_owners.insert(Address::from_str(address)?);
        }
        options.limits.memory_bytes = self.memory_bytes.unwrap_or(options.limits.memory_bytes);
        options.limits.gas = self.gas.unwrap_or(options.limits.gas);
        options.commit_every_ms = self.commit_every_ms.unwrap_or(options.commit_every_ms);
        options.timeout_ms = self.timeout_ms.unwrap_or(options.timeout_ms);
        options.attempts = self.attempts.unwrap_or(options.attempts);
        options.quorum = self.quorum;
        options.engine = self.engine;
        Ok(options)
    }
}

/// A slot number from JavaScript, where every number is a double.
#[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53, as checked")]
pub(crate) fn slot(number: f64) -> Result<u64> {
    if number.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&number) {
        return Ok(number as u64);
    }
    Err(Error::new(Code::RequestInvalid, "A slot is a whole number from 0."))
}

pub(crate) fn answer<T: serde::Serialize>(result: Result<T>) -> Answer {
    result.and_then(|value| to_js_value(&value)).map_err(|error| to_js(&error))
}
