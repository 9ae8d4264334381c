//! Inclusion, asked for by the page: whether the items of a slot are in blocks.

use std::str::FromStr;

use js_sys::Function;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use weft_codec::{Id, Result};
use weft_node::demo::DemoFetch;
use weft_node::{IncludedItem, Options, Sources};

use crate::api::{Answer, SyncOptions, WeftNode, answer, slot};
use crate::boundary::from_js_value;
use crate::events::Emitter;

#[wasm_bindgen]
impl WeftNode {
    /// Proves that message and assignment of a stored slot are in blocks. Without sources (`null`) the demo's are asked.
    pub async fn include(
        &self,
        process: String,
        at: f64,
        sources: JsValue,
        options: JsValue,
        emit: Function,
    ) -> Answer {
        answer(
            async {
                let (process, at) = (Id::from_str(&process)?, slot(at)?);
                let sources: Option<Sources> = from_js_value(sources)?;
                let sources = sources.unwrap_or_else(DemoFetch::sources);
                let options = from_js_value::<SyncOptions>(options)?.options()?;
                let emitter = Emitter::new(emit, self.begin()?);
                self.included(process, at, &sources, &options, &emitter).await
            }
            .await,
        )
    }
}

impl WeftNode {
    async fn included(
        &self,
        process: Id,
        at: u64,
        sources: &Sources,
        options: &Options,
        emitter: &Emitter,
    ) -> Result<Vec<IncludedItem>> {
        let found = Box::pin(self.node().include(process, at, sources, options, emitter)).await;
        emitter.flush();
        self.end();
        found
    }
}
