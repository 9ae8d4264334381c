//! The demo, called by the page: its processes, their road, and the ways of falsifying it.

use std::str::FromStr;

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use weft_codec::ao::{Carrier, Process};
use weft_codec::tags::Tag;
use weft_codec::{Id, Result};
use weft_core::{EngineKind, ModuleOptions, NodeLimits};
use weft_node::demo::{DemoArchive, DemoFetch};

use crate::api::{Answer, SyncOptions, WeftNode, answer};
use crate::boundary::from_js_value;
use crate::events::Emitter;
use crate::tamper;

/// `DemoCard` of web/js/types.ts.
#[derive(Serialize)]
struct Card {
    process: Id,
    slots: u64,
    engine: EngineKind,
    tags: Vec<Tag>,
}

#[wasm_bindgen]
impl WeftNode {
    /// Syncs a process of a demo archive, from its bytes alone; without an id the first one.
    pub async fn demo(
        &self,
        archive: Vec<u8>,
        process: Option<String>,
        options: JsValue,
        emit: Function,
    ) -> Answer {
        answer(
            async {
                let options = from_js_value::<SyncOptions>(options)?.options()?;
                let archive = DemoArchive::decode(&archive)?;
                let process = archive.process(named(process)?)?.id();
                let demo = DemoFetch::new(&archive).await?;
                let emitter = Emitter::new(emit, self.begin()?);
                self.roads().open_demo(demo);
                self.run(process, &DemoFetch::sources(), &options, &emitter).await
            }
            .await,
        )
    }

    /// The processes of a demo archive, in its order.
    #[wasm_bindgen(js_name = demoProcesses)]
    pub fn demo_processes(archive: Vec<u8>) -> Answer {
        answer(cards(&archive))
    }

    /// The ways of changing the demo's history.
    pub fn tamperings() -> Answer {
        answer(Ok(tamper::list()))
    }

    /// Lets a node that has proved the honest archive meet a changed one. Nothing touches the database.
    pub async fn tamper(archive: Vec<u8>, process: Option<String>, id: String) -> Answer {
        answer(async { tamper::run(&archive, named(process)?, &id).await }.await)
    }
}

fn named(process: Option<String>) -> Result<Option<Id>> {
    process.as_deref().map(Id::from_str).transpose()
}

fn cards(archive: &[u8]) -> Result<Vec<Card>> {
    let archive = DemoArchive::decode(archive)?;
    let card = |one: &weft_node::demo::DemoProcess| {
        let process = Process::read(Carrier::Item(Box::new(one.process.item()?)))?;
        let module = one.module.item()?;
        let engine = ModuleOptions::read(&process.tags, &module.tags, &NodeLimits::default())?.engine();
        Ok(Card { process: process.id, slots: one.slots(), engine, tags: process.tags })
    };
    archive.processes.iter().map(card).collect()
}
