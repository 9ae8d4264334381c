//! Receipt files on their way to JavaScript, piece by piece: the text never stands in the wasm memory as a whole.

use std::str::FromStr;

use js_sys::{Function, Uint8Array};
use serde::Deserialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use weft_codec::{Code, Id, Result};
use weft_node::{ReceiptRequest, ReceiptSlots};

use crate::api::{Answer, WeftNode, answer, slot};
use crate::boundary::{from_js, from_js_value};
use crate::events::Emitter;
use crate::fetch::Cancel;

/// `ReceiptFileOptions` of web/js/types.ts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptFileOptions {
    slot: Option<f64>,
    to: Option<f64>,
    module: Option<bool>,
}

impl ReceiptFileOptions {
    fn request(&self) -> Result<ReceiptRequest> {
        let slots = match self.slot {
            Some(at) => ReceiptSlots::Slot(slot(at)?),
            None => ReceiptSlots::History { to: self.to.map(slot).transpose()? },
        };
        // One slot after the first cannot be replayed alone.
        let module = self.module.unwrap_or(matches!(slots, ReceiptSlots::History { .. }));
        Ok(ReceiptRequest { slots, module })
    }
}

#[wasm_bindgen]
impl WeftNode {
    /// Writes a receipt file to `sink`, in pieces; answers with its size. `emit` is called with each event.
    #[wasm_bindgen(js_name = receiptFile)]
    pub async fn receipt_file(
        &self,
        process: String,
        options: JsValue,
        emit: Function,
        sink: Function,
    ) -> Answer {
        answer(
            async {
                let request = from_js_value::<ReceiptFileOptions>(options)?.request()?;
                let mut pass = |piece: &[u8]| {
                    let passed = sink.call1(&JsValue::NULL, &Uint8Array::from(piece));
                    passed
                        .map(|_| ())
                        .map_err(|e| from_js(Code::Unreadable, "The receipt cannot be taken.", &e))
                };
                // A cancel is for syncs: this ends when the worker does.
                let emitter = Emitter::new(emit, Cancel::new()?);
                self.node().export_receipt(Id::from_str(&process)?, &request, &emitter, &mut pass).await
            }
            .await,
        )
    }
}
