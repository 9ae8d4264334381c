//! What the page asks of a copy of a process: a message nobody signed, a Lua function over its state.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::str::FromStr;
use std::task::Poll;

use serde::Deserialize;
use serde_json::Value;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use weft_codec::{Code, Error, Id, Result};
use weft_core::LocalScript;

use crate::api::{Answer, WeftNode, answer};
use crate::boundary::from_js_value;

/// `LuaCall` of web/js/types.ts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LuaCall {
    script: String,
    function: String,
    #[serde(default)]
    params: Value,
}

#[wasm_bindgen]
impl WeftNode {
    /// Evaluates a message on the stored state without changing it.
    #[wasm_bindgen(js_name = dryRun)]
    pub async fn dry_run(&self, process: String, message: JsValue) -> Answer {
        answer(
            async {
                let message: Value = from_js_value(message)?;
                let process = Id::from_str(&process)?;
                until(self.cancels(), Box::pin(self.node().dry_run(process, &message))).await
            }
            .await,
        )
    }

    /// Runs a Lua function over the state of a Lua process. Nothing is kept.
    #[wasm_bindgen(js_name = runLua)]
    pub async fn run_lua(&self, process: String, call: JsValue) -> Answer {
        answer(
            async {
                let call: LuaCall = from_js_value(call)?;
                let process = Id::from_str(&process)?;
                let road = self.node().run_lua(process, &call.script, &call.function, &call.params);
                until(self.cancels(), Box::pin(road)).await
            }
            .await,
        )
    }

    /// Runs a script of the reader's own, over the state of a Lua process if one is named. Nothing is kept.
    #[wasm_bindgen(js_name = runScript)]
    pub async fn run_script(&self, script: JsValue, over: Option<String>) -> Answer {
        answer(
            async {
                let script: LocalScript = from_js_value(script)?;
                let over = over.as_deref().map(Id::from_str).transpose()?;
                until(self.cancels(), Box::pin(self.node().run_script(script, over))).await
            }
            .await,
        )
    }
}

/// Does the work unless a cancel comes meanwhile. Work that breathes between its slices is left there, and never happened.
async fn until<T>(cancels: &Cell<u64>, work: impl Future<Output = Result<T>>) -> Result<T> {
    let before = cancels.get();
    let mut work = pin!(work);
    poll_fn(|context| match cancels.get() == before {
        true => work.as_mut().poll(context),
        false => Poll::Ready(Err(Error::new(Code::Cancelled, "Stopped. Nothing of it was kept."))),
    })
    .await
}
