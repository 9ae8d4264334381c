//! The browser's seams keep the contracts of the seams, in a dedicated worker as on the page.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use js_sys::Reflect;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use weft_codec::Code;
use weft_node::seams::{Batch, Fetch, Method, Request, Store, Table};
use weft_tests::contracts;
use weft_tests::contracts::fetch::Served;
use weft_web::{BrowserClock, BrowserFetch, Cancel, IndexedStore, Native};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

async fn fresh(name: &str) -> IndexedStore {
    IndexedStore::delete(name).await.unwrap();
    IndexedStore::open(name).await.unwrap()
}

#[wasm_bindgen_test]
async fn the_store_holds() {
    contracts::store::holds(&fresh("contract-holds").await).await;
}

#[wasm_bindgen_test]
async fn the_store_lasts() {
    drop(fresh("contract-lasts").await);
    contracts::store::lasts(async || IndexedStore::open("contract-lasts").await.unwrap()).await;
}

#[wasm_bindgen_test]
async fn a_commit_that_is_dropped_is_whole_or_nothing() {
    let store = fresh("contract-dropped").await;
    let mut batch = Batch::default();
    for slot in 0..500 {
        batch.put(Table::Slots, format!("p/{slot:04}"), vec![7; 100]);
    }
    batch.put(Table::Results, "p/0000", vec![1]);
    {
        // Polled once and let go, as a sync is when its future is dropped.
        let mut commit = Box::pin(store.commit(batch));
        let _ = std::future::poll_fn(|context| std::task::Poll::Ready(commit.as_mut().poll(context))).await;
    }
    let slots = store.scan(Table::Slots, "p/", "p0", 1_000).await.unwrap().len();
    let results = store.get(Table::Results, "p/0000").await.unwrap().is_some();
    assert!((slots, results) == (500, true) || (slots, results) == (0, false), "{slots} {results}");
}

#[wasm_bindgen_test]
fn native_webassembly_is_an_engine() {
    assert_eq!(contracts::engine::holds(&Native::WHOLE), 29);
}

#[wasm_bindgen_test]
fn a_message_that_keeps_others_waiting_is_left_to_wasmi() {
    contracts::engine::leaves_to_wasmi(
        [Native::WHOLE, Native::patient(3)]
            .map(|engine| -> std::rc::Rc<dyn weft_wasm::engine::Engine> { std::rc::Rc::new(engine) }),
    );
}

#[wasm_bindgen_test]
fn hostile_modules_are_met() {
    let engine: std::rc::Rc<dyn weft_wasm::engine::Engine> = std::rc::Rc::new(Native::WHOLE);
    assert!(contracts::hostile::are_met(&engine) > 50);
}

#[wasm_bindgen_test]
async fn the_clock_holds() {
    let clock = BrowserClock::new();
    contracts::clock::holds(&clock).await;
    contracts::clock::is_the_machines(&clock);
}

/// The origin of the runner's own server.
fn origin() -> String {
    let location = Reflect::get(&js_sys::global(), &"location".into()).unwrap();
    Reflect::get(&location, &"origin".into()).unwrap().as_string().unwrap()
}

fn get(url: String) -> Request {
    Request {
        method: Method::Get,
        url,
        content_type: None,
        headers: Vec::new(),
        body: Vec::new(),
        max_bytes: 1 << 24,
        timeout_ms: 20_000,
    }
}

#[wasm_bindgen_test]
async fn fetch_holds() {
    let fetch = BrowserFetch::new(Cancel::new().unwrap());
    // Something the runner serves; what it is does not matter, only that it comes whole, and not when it is too long.
    let path = "/wasm-bindgen-test".to_owned();
    let seen = fetch.fetch(get(format!("{}{path}", origin()))).await.unwrap();
    assert_eq!(seen.status, 200);
    assert!(seen.body.len() > 1 && seen.body.len() < 1 << 20, "{} bytes", seen.body.len());
    let typed = seen.headers.iter().find(|(name, _)| name == "content-type").cloned();
    let served = Served {
        origin: origin(),
        path,
        body: seen.body,
        content_type: seen.content_type,
        headers: typed.into_iter().collect(),
    };
    assert_eq!(served.headers.len(), 1);
    contracts::fetch::holds(&fetch, &served).await;
}

#[wasm_bindgen_test]
async fn fetch_ends_when_the_user_asks() {
    let cancel = Cancel::new().unwrap();
    let fetch = BrowserFetch::new(cancel.clone());
    cancel.ask();
    let error = fetch.fetch(get(format!("{}/", origin()))).await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
}
