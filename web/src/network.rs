//! A network in the page: `weft_node::net` over IndexedDB, with a key of WebCrypto. One tab of an origin has it at a time
//! (`web/js/page-node.ts`); all tabs, and the service worker, ask that one.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use js_sys::{Function, Promise, Uint8Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use weft_codec::item::DataItem;
use weft_codec::tags::Tag;
use weft_codec::{Code, Error, Result};
use weft_core::{Engine, Engines, Policy};
use weft_node::hb::{Outside, Said, Saying};
use weft_node::net::{Entropy, LocalNet, ModuleTags, Pumped, Refusal, Reply, sign};
use weft_node::seams::{Method, Request, Signer, ordered_headers};

use crate::api::{Answer, answer};
use crate::boundary::{from_js, from_js_value, to_js, to_js_value};
use crate::clock::BrowserClock;
use crate::engine::Native;
use crate::store::IndexedStore;

/// The longest request that is read.
const MAX_REQUEST_BYTES: u32 = 64 << 20;
/// The longest answer.
const MAX_ANSWER_BYTES: u64 = 256 << 20;
/// How long a request may take: a message may run for hours, and whoever asked may leave.
const TIMEOUT_MS: u32 = u32::MAX;
/// Slices of a message on the browser's own WebAssembly, after which wasmi has it: about two seconds.
const PATIENCE: u64 = 2_000;
/// Jobs of the messenger that may be under way at a time.
const MAX_JOBS: usize = 8;

type Net = LocalNet<Rc<IndexedStore>, BrowserClock, PageKey>;

/// The network of a worker.
#[wasm_bindgen]
pub struct WeftNetwork {
    net: Rc<Net>,
    /// Whether the messenger works.
    working: Rc<Cell<bool>>,
}

#[wasm_bindgen]
impl WeftNetwork {
    /// Opens the database of this name. `modulus` is the RSA key's, `sign` signs bytes with it (RSA-PSS with the hash it is told), `random` gives
    /// 32 bytes that nobody foresees.
    pub async fn open(
        database: String,
        modulus: Uint8Array,
        sign: Function,
        random: Function,
    ) -> std::result::Result<WeftNetwork, JsValue> {
        let open = async {
            let store = Rc::new(IndexedStore::open(&database).await?);
            let key = PageKey { modulus: modulus.to_vec(), sign };
            let net = LocalNet::new(store, BrowserClock::new(), key, Box::new(Random(random)));
            let fast = Some(Rc::new(Native::patient(PATIENCE)) as Rc<dyn Engine>);
            let net = Rc::new(net.with_engines(Engines { fast, policy: Policy::Referee }));
            net.claim().await?;
            let network = Self { net, working: Rc::default() };
            // What an earlier visit left in the messenger's queue goes on.
            network.work();
            Ok(network)
        };
        open.await.map_err(|error| to_js(&error))
    }

    /// The address of scheduler, messenger and node.
    pub fn address(&self) -> String {
        self.net.address().to_owned()
    }

    /// Answers a request: `{ method, url, headers: [[name, value]] }` and its body; with `{ status, headers, body }`.
    pub async fn answer(&self, request: JsValue, body: Uint8Array) -> std::result::Result<JsValue, JsValue> {
        let response = match read_request(request, &body) {
            Ok(request) => self.reply(&request).await,
            Err(refusal) => refusal.into(),
        }
        .response;
        let head = Head { status: response.status, headers: response.headers };
        let told = to_js_value(&head).map_err(|error| to_js(&error))?;
        let body = Uint8Array::from(response.body.as_slice());
        js_sys::Reflect::set(&told, &"body".into(), &body)?;
        Ok(told)
    }

    /// Puts in devices in JavaScript: `[{ name, keys }]`, and `ask(name, key, base, request)`, which gives what `devices.ts` calls `Told`,
    /// later.
    #[wasm_bindgen(js_name = addDevices)]
    pub fn add_devices(&self, devices: JsValue, ask: Function) -> std::result::Result<(), JsValue> {
        let devices: Vec<Named> = from_js_value(devices).map_err(|error| to_js(&error))?;
        let devices = devices.into_iter().map(|Named { name, keys }| (name, keys)).collect();
        self.net.add_outside(devices, Rc::new(Scripts(ask)));
        Ok(())
    }

    /// An item signed with a page's key, for whichever node it goes to: `{ target, anchor, tags: [{ name, value }] }`, where target and
    /// anchor may be missing, and its data; with its id and its bytes.
    #[wasm_bindgen(js_name = signItem)]
    pub async fn sign_item(
        modulus: Uint8Array,
        sign: Function,
        item: JsValue,
        data: Uint8Array,
    ) -> std::result::Result<JsValue, JsValue> {
        let key = PageKey { modulus: modulus.to_vec(), sign };
        let signed = signed(&key, item, data.to_vec()).await.map_err(|error| to_js(&error))?;
        let told = js_sys::Object::new();
        js_sys::Reflect::set(&told, &"id".into(), &signed.id().to_string().into())?;
        js_sys::Reflect::set(&told, &"raw".into(), &Uint8Array::from(signed.to_bytes().as_slice()))?;
        Ok(told.into())
    }

    /// The tags of a module of this format, as `[{ name, value }]`.
    #[wasm_bindgen(js_name = moduleTags)]
    pub fn module_tags(format: String) -> Answer {
        answer(Ok(ModuleTags::for_format(&format).tags()))
    }

    /// Stores the states in memory, so that the next tab need not evaluate again.
    pub async fn save(&self) -> Answer {
        answer(self.net.save_states().await)
    }
}

impl WeftNetwork {
    async fn reply(&self, request: &Request) -> Reply {
        let reply = self.net.answer(request).await;
        if request.method != Method::Get {
            self.work();
        }
        reply
    }

    /// Lets the messenger work until its queue is empty. One at a time does.
    fn work(&self) {
        if self.working.replace(true) {
            return;
        }
        let (net, working) = (Rc::clone(&self.net), Rc::clone(&self.working));
        spawn_local(async move {
            work_off(&net).await;
            working.set(false);
        });
    }
}

/// Works off the messenger's queue. A job whose chain failed is done; a store that fails ends it, and the next request
/// begins again.
async fn work_off(net: &Net) {
    let mut jobs = FuturesUnordered::new();
    loop {
        let claim = if jobs.len() < MAX_JOBS { net.next_job().await } else { Ok(None) };
        match claim {
            Ok(Some(claim)) => jobs.push(net.work_off(claim)),
            Ok(None) => match jobs.next().await {
                Some(Ok(Pumped::Failed(sentence))) => report(&format!("not pushed: {sentence}")),
                Some(Ok(_)) => {}
                Some(Err(error)) => return report(error.sentence()),
                None => return,
            },
            Err(error) => return report(error.sentence()),
        }
    }
}

/// Nobody waits for the messenger: what fails there is for the console.
fn report(sentence: &str) {
    web_sys::console::warn_1(&format!("weft: {sentence}").into());
}

#[derive(Deserialize)]
struct Wanted {
    target: Option<String>,
    /// 32 bytes as text, as clients give it.
    anchor: Option<String>,
    tags: Vec<Tag>,
}

async fn signed(key: &PageKey, item: JsValue, data: Vec<u8>) -> Result<DataItem> {
    let Wanted { target, anchor, tags } = from_js_value(item)?;
    let target = target.map(|id| id.parse()).transpose()?;
    let anchor = anchor.map(|text| {
        let wrong = |_| Error::new(Code::RequestInvalid, "An anchor has 32 bytes.");
        text.into_bytes().try_into().map_err(wrong)
    });
    sign(key, target, anchor.transpose()?, tags, data).await
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

fn read_request(request: JsValue, body: &Uint8Array) -> std::result::Result<Request, Refusal> {
    let Asked { method, url, headers } = from_js_value(request)?;
    if body.length() > MAX_REQUEST_BYTES {
        return Err(Refusal::new(413, format!("A request has at most {MAX_REQUEST_BYTES} bytes.")));
    }
    let method = match method.as_str() {
        "GET" | "HEAD" => Method::Get,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => return Err(Refusal::new(405, "The units know GET, POST and DELETE.")),
    };
    let headers = ordered_headers(headers)?;
    let content_type =
        headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.clone());
    Ok(Request {
        method,
        url,
        content_type,
        headers,
        body: body.to_vec(),
        max_bytes: MAX_ANSWER_BYTES,
        timeout_ms: TIMEOUT_MS,
    })
}

/// The node's key: WebCrypto keeps it, and signs.
struct PageKey {
    modulus: Vec<u8>,
    /// `(bytes: Uint8Array, hash: string) => Promise<Uint8Array>`
    sign: Function,
}

impl Signer for PageKey {
    fn owner(&self) -> Vec<u8> {
        self.modulus.clone()
    }

    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>> {
        self.pss(payload, "SHA-256").await
    }

    async fn sign_sha512(&self, base: &[u8]) -> Result<Vec<u8>> {
        self.pss(base, "SHA-512").await
    }
}

impl PageKey {
    async fn pss(&self, payload: &[u8], hash: &str) -> Result<Vec<u8>> {
        let failed =
            |thrown: JsValue| from_js(Code::SignatureInvalid, "The node's key does not sign.", &thrown);
        let payload = Uint8Array::from(payload);
        let promise = self.sign.call2(&JsValue::NULL, &payload, &hash.into()).map_err(failed)?;
        let promise: Promise = promise.dyn_into().map_err(failed)?;
        let signature: Uint8Array =
            JsFuture::from(promise).await.map_err(failed)?.dyn_into().map_err(failed)?;
        Ok(signature.to_vec())
    }
}

/// A device in JavaScript.
#[derive(Deserialize)]
struct Named {
    name: String,
    keys: Vec<String>,
}

/// What came of asking one.
#[derive(Deserialize)]
struct Told {
    value: Option<String>,
    sentence: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    silent: bool,
}

/// What runs them: `web/js/node/devices.ts`.
struct Scripts(Function);

impl Outside for Scripts {
    fn ask<'a>(&'a self, device: &'a str, key: &'a str, base: String, request: String) -> Saying<'a> {
        Box::pin(async move {
            let arguments: js_sys::Array =
                [device, key, &base, &request].into_iter().map(JsValue::from_str).collect();
            let failed = |thrown: JsValue| from_js(Code::DeviceFailed, "The device failed.", &thrown);
            let promise: Promise =
                self.0.apply(&JsValue::NULL, &arguments).map_err(failed)?.dyn_into().map_err(failed)?;
            let told: Told = from_js_value(JsFuture::from(promise).await.map_err(failed)?)?;
            let sentence = told.sentence.unwrap_or_default();
            match (told.value, told.status) {
                (Some(value), _) => Ok(Said::Value(value)),
                (None, Some(status @ 400..600)) => Ok(Said::Refused(status, sentence)),
                _ if told.silent => Err(Error::new(Code::DeviceSilent, sentence)),
                _ => Err(Error::new(Code::DeviceFailed, sentence)),
            }
        })
    }
}

/// Bytes that nobody foresees, from the browser.
struct Random(Function);

impl Entropy for Random {
    fn bytes32(&self) -> [u8; 32] {
        let bytes = self.0.call0(&JsValue::NULL).ok().and_then(|bytes| bytes.dyn_into::<Uint8Array>().ok());
        // `crypto.getRandomValues` of 32 bytes does not fail; without it the worker does not open a network.
        bytes.and_then(|bytes| bytes.to_vec().try_into().ok()).unwrap_or_default()
    }
}
