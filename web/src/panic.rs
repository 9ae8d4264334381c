//! No silent death: a panic is told to the worker before the trap that ends the node.

use std::panic;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// The function of the worker's global scope that is told; web/js/worker.ts sets it.
const LISTENER: &str = "weftPanicked";

/// Runs when the wasm is loaded.
#[wasm_bindgen(start)]
fn watch_panics() {
    panic::set_hook(Box::new(|info| {
        let global = js_sys::global();
        let listener =
            Reflect::get(&global, &LISTENER.into()).ok().and_then(|f| f.dyn_into::<Function>().ok());
        if let Some(listener) = listener {
            // Whatever it throws, the trap follows.
            let _ = listener.call1(&JsValue::NULL, &info.to_string().into());
        }
    }));
}
