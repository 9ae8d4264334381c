//! The memory implementations of the seams: for tests, for demos, and for a page that stores nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;

use weft_codec::{Code, Error, Result};

use crate::seams::{Batch, Clock, Fetch, Request, Response, Store, Table};

/// A [`Store`] that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    entries: RefCell<BTreeMap<(Table, String), Vec<u8>>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for MemoryStore {
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.entries.borrow().get(&(table, key.to_owned())).cloned())
    }

    async fn scan(&self, table: Table, from: &str, to: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>> {
        if from >= to {
            return Ok(Vec::new());
        }
        let entries = self.entries.borrow();
        let range = entries.range((table, from.to_owned())..(table, to.to_owned()));
        Ok(range.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    async fn commit(&self, batch: Batch) -> Result<()> {
        let mut entries = self.entries.borrow_mut();
        for (place, value) in batch.writes {
            match value {
                Some(value) => entries.insert(place, value),
                None => entries.remove(&place),
            };
        }
        Ok(())
    }
}

/// A [`Fetch`] that answers from a map, and counts what it was asked.
///
/// A route is looked up by the whole URL first, then by the URL without its query.
#[derive(Debug, Default)]
pub struct MemoryFetch {
    routes: RefCell<BTreeMap<String, Response>>,
    asked: RefCell<Vec<String>>,
}

impl MemoryFetch {
    /// No routes: every request is `source-unreachable`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces an answer.
    pub fn route(&self, url: impl Into<String>, response: Response) {
        self.routes.borrow_mut().insert(url.into(), response);
    }

    /// The URLs asked so far, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

impl Fetch for MemoryFetch {
    async fn fetch(&self, request: Request) -> Result<Response> {
        self.asked.borrow_mut().push(request.url.clone());
        if !request.url.starts_with("http://") && !request.url.starts_with("https://") {
            return Err(Error::new(Code::SourceInvalid, format!("`{}` is not an http URL.", request.url)));
        }
        let routes = self.routes.borrow();
        let bare = request.url.split('?').next().unwrap_or_default();
        let response = routes.get(&request.url).or_else(|| routes.get(bare)).cloned().ok_or_else(|| {
            Error::new(Code::SourceUnreachable, format!("There is no route to `{}`.", request.url))
        })?;
        if response.body.len() as u64 > request.max_bytes {
            return Err(Error::new(
                Code::TooLarge,
                format!("The answer of `{}` is longer than {} bytes.", request.url, request.max_bytes),
            ));
        }
        Ok(response)
    }
}

/// A [`Clock`] that moves only when told: [`Clock::sleep`] moves it by the time asked and returns at once.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: Cell<u64>,
    tick: Cell<u64>,
    breaths: Cell<u64>,
}

impl ManualClock {
    /// A clock that starts at some millisecond and moves by `tick` ms whenever it is read.
    #[must_use]
    pub fn new(now: u64, tick: u64) -> Self {
        Self { now: Cell::new(now), tick: Cell::new(tick), breaths: Cell::new(0) }
    }

    /// Moves the clock.
    pub fn advance(&self, ms: u64) {
        self.now.set(self.now.get().saturating_add(ms));
    }

    /// How often [`Clock::breathe`] was called.
    #[must_use]
    pub fn breaths(&self) -> u64 {
        self.breaths.get()
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.advance(self.tick.get());
        self.now.get()
    }

    async fn breathe(&self) {
        self.breaths.set(self.breaths.get() + 1);
        let mut yielded = false;
        poll_fn(|context| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    async fn sleep(&self, ms: u32) {
        self.advance(u64::from(ms));
    }
}
