//! The seam `Clock` over the event loop.

use gloo::timers::callback::Timeout;
use js_sys::{Date, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, MessagePort};
use weft_node::seams::Clock;

/// The browser's clock and event loop.
pub struct BrowserClock {
    channel: Option<MessageChannel>,
}

impl BrowserClock {
    /// A clock with its own message channel, which `breathe` uses.
    #[must_use]
    pub fn new() -> Self {
        Self { channel: MessageChannel::new().ok() }
    }
}

impl Default for BrowserClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for BrowserClock {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole milliseconds; `as` saturates, so before 1970 is 0"
    )]
    fn now_ms(&self) -> u64 {
        Date::now() as u64
    }

    /// Ends the current task. A message to ourselves does it at once, where a timer of zero milliseconds is held back
    /// to four once it repeats, and to a second in a background tab.
    async fn breathe(&self) {
        let Some(channel) = &self.channel else {
            self.sleep(0).await;
            return;
        };
        let (sender, receiver) = (channel.port2(), channel.port1());
        wait(|done| post(&sender, &receiver, &done)).await;
    }

    async fn sleep(&self, ms: u32) {
        wait(|done| {
            Timeout::new(ms, move || {
                // A promise's own resolve function does not throw.
                let _ = done.call0(&JsValue::NULL);
            })
            .forget();
        })
        .await;
    }
}

/// A message to ourselves, whose arrival is `done`.
fn post(sender: &MessagePort, receiver: &MessagePort, done: &Function) {
    receiver.set_onmessage(Some(done));
    if sender.post_message(&JsValue::NULL).is_err() {
        // Nothing will arrive; go on without breathing rather than wait for it.
        let _ = done.call0(&JsValue::NULL);
    }
}

async fn wait(mut start: impl FnMut(Function)) {
    let promise = Promise::new(&mut |resolve, _reject| start(resolve));
    let _ = JsFuture::from(promise).await;
}
