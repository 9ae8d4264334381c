//! What a sync tells, on its way to the page: as it is, but for slots, which go in bundles of a few words each.

use std::cell::{Cell, RefCell};

use js_sys::{Date, Function};
use serde::Serialize;
use wasm_bindgen::JsValue;
use weft_core::SlotResult;
use weft_node::{Event, Observer};

use crate::boundary::to_js_value;
use crate::fetch::Cancel;

/// How long slots are gathered before they are sent, milliseconds.
const BUNDLE_MS: f64 = 50.0;

/// A slot in a few words. `SlotMark` in web/js/types.ts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mark {
    slot: u64,
    state: &'static str,
    gas: u64,
    messages: usize,
    spawns: usize,
    assignments: usize,
    not_replayable: bool,
    follows_not_replayable: bool,
}

impl Mark {
    pub(crate) fn of(result: &SlotResult) -> Self {
        let state = if result.duplicate_of.is_some() {
            "duplicate"
        } else if result.failure.is_some() {
            "failed"
        } else if result.error.is_some() {
            "error"
        } else {
            "ok"
        };
        Self {
            slot: result.slot,
            state,
            gas: result.gas,
            messages: result.messages.len(),
            spawns: result.spawns.len(),
            assignments: result.assignments.len(),
            not_replayable: !result.not_replayable.is_empty(),
            follows_not_replayable: result.follows_not_replayable.is_some(),
        }
    }
}

#[derive(Serialize)]
struct Bundle {
    kind: &'static str,
    slots: Vec<Mark>,
}

/// Passes events to a JavaScript function, and the user's wish to stop to the sync.
pub(crate) struct Emitter {
    listener: Function,
    cancel: Cancel,
    slots: RefCell<Vec<Mark>>,
    sent_ms: Cell<f64>,
}

impl Emitter {
    pub(crate) fn new(listener: Function, cancel: Cancel) -> Self {
        Self { listener, cancel, slots: RefCell::default(), sent_ms: Cell::new(Date::now()) }
    }

    /// Sends the slots that are still gathered.
    pub(crate) fn flush(&self) {
        let slots = self.slots.take();
        self.sent_ms.set(Date::now());
        if !slots.is_empty() {
            self.send(&Bundle { kind: "slots", slots });
        }
    }

    fn send(&self, event: &impl Serialize) {
        // A listener that throws, or an event that does not convert, must not stop a sync.
        if let Ok(value) = to_js_value(event) {
            let _ = self.listener.call1(&JsValue::NULL, &value);
        }
    }
}

impl Observer for Emitter {
    fn event(&self, event: Event) {
        if let Event::Slot(result) = event {
            self.slots.borrow_mut().push(Mark::of(&result));
            if Date::now() - self.sent_ms.get() >= BUNDLE_MS {
                self.flush();
            }
        } else {
            self.flush();
            self.send(&event);
        }
    }

    fn cancelled(&self) -> bool {
        self.cancel.asked()
    }
}
