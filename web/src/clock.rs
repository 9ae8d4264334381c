//! The seam `Clock` over the event loop.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use js_sys::{Date, Function, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, MessagePort};
use weft_node::seams::Clock;

/// The browser's clock and event loop.
pub struct BrowserClock {
    channel: Option<Channel>,
}

/// Messages to ourselves. Whoever breathes waits for one; they arrive in the order they were sent.
struct Channel {
    sender: MessagePort,
    waiting: Rc<RefCell<VecDeque<Function>>>,
    _arrived: Closure<dyn FnMut()>,
}

impl BrowserClock {
    /// A clock with its own message channel, which `breathe` uses.
    #[must_use]
    pub fn new() -> Self {
        Self { channel: Channel::open() }
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
        wait(|done| channel.post(done)).await;
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

impl Channel {
    fn open() -> Option<Self> {
        let channel = MessageChannel::new().ok()?;
        let waiting: Rc<RefCell<VecDeque<Function>>> = Rc::default();
        let first = Rc::clone(&waiting);
        let arrived = Closure::<dyn FnMut()>::new(move || {
            let done = first.borrow_mut().pop_front();
            if let Some(done) = done {
                // A promise's own resolve function does not throw.
                let _ = done.call0(&JsValue::NULL);
            }
        });
        channel.port1().set_onmessage(Some(arrived.as_ref().unchecked_ref()));
        Some(Self { sender: channel.port2(), waiting, _arrived: arrived })
    }

    /// A message to ourselves, whose arrival is `done`.
    fn post(&self, done: Function) {
        if self.sender.post_message(&JsValue::NULL).is_ok() {
            self.waiting.borrow_mut().push_back(done);
        } else {
            // Nothing will arrive; go on without breathing rather than wait for it.
            let _ = done.call0(&JsValue::NULL);
        }
    }
}

async fn wait(mut start: impl FnMut(Function)) {
    let promise = Promise::new(&mut |resolve, _reject| start(resolve));
    let _ = JsFuture::from(promise).await;
}
