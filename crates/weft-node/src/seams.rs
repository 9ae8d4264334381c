//! The seams: where the node touches a platform. Plain `async fn`, no `Send` demanded of the browser.
//! Each has a memory implementation here and one contract test that every implementation passes.

use std::collections::BTreeMap;
use std::rc::Rc;

use weft_codec::Result;

/// The tables of a store. Keys are text, ordered by their UTF-8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Verified data items and transactions, by id.
    Items,
    /// What is known of a process: head of its history, head of its replay.
    Processes,
    /// Verified history entries, by `process/slot`.
    Slots,
    /// Results of replay, by `process/slot`.
    Results,
    /// Snapshots of a process's state, by `process/slot`.
    Snapshots,
    /// Where a message is in a history, by `process/message id`, and by what a second copy of it is recognised.
    Messages,
    /// What the user chose: sources, accepted signers.
    Settings,
}

impl Table {
    /// Every table, for implementations that create them up front.
    pub const ALL: [Self; 7] = [
        Self::Items,
        Self::Processes,
        Self::Slots,
        Self::Results,
        Self::Snapshots,
        Self::Messages,
        Self::Settings,
    ];

    /// The table's name in a database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Processes => "processes",
            Self::Slots => "slots",
            Self::Results => "results",
            Self::Snapshots => "snapshots",
            Self::Messages => "messages",
            Self::Settings => "settings",
        }
    }
}

/// Writes that happen together or not at all. A later write to the same key wins.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// `Some` puts, `None` deletes.
    pub writes: BTreeMap<(Table, String), Option<Vec<u8>>>,
}

impl Batch {
    /// Adds a put.
    pub fn put(&mut self, table: Table, key: impl Into<String>, value: Vec<u8>) {
        self.writes.insert((table, key.into()), Some(value));
    }

    /// Adds a delete; deleting what is not there is no error.
    pub fn delete(&mut self, table: Table, key: impl Into<String>) {
        self.writes.insert((table, key.into()), None);
    }
}

/// An ordered, transactional map per [`Table`].
pub trait Store {
    /// The value at a key.
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>>;

    /// Up to `limit` entries with `from <= key < to`, in key order.
    async fn scan(&self, table: Table, from: &str, to: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>>;

    /// Writes a batch in one transaction.
    async fn commit(&self, batch: Batch) -> Result<()>;
}

/// The methods the node uses and serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

/// An HTTP request, as a client sends it or as the local network receives it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Absolute URL for a client; the local network looks at path and query only.
    pub url: String,
    /// `content-type` of the body, if there is one.
    pub content_type: Option<String>,
    /// The body, empty for none.
    pub body: Vec<u8>,
    /// An answer longer than this is refused with `too-large`, without being read to its end.
    pub max_bytes: u64,
    /// An answer that takes longer than this is refused with `source-timeout`.
    pub timeout_ms: u32,
}

/// An HTTP answer. Every status is an answer; only a transport failure is an error.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// `content-type`, lower-case, without parameters; empty if absent.
    pub content_type: String,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Reaches the network.
pub trait Fetch {
    /// Sends a request. Errors: `source-unreachable`, `source-timeout`, `too-large`, `source-invalid`.
    async fn fetch(&self, request: Request) -> Result<Response>;
}

/// Time, and the place to breathe.
pub trait Clock {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// Lets other work of this thread run, such as a Cancel that has arrived.
    async fn breathe(&self);

    /// Waits.
    async fn sleep(&self, ms: u32);
}

/// Signs with the node's own key: RSA-PSS SHA-256, as Arweave owners do.
pub trait Signer {
    /// The public key: the RSA modulus, 512 bytes.
    fn owner(&self) -> Vec<u8>;

    /// The signature over a payload.
    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>>;
}

impl<T: Store + ?Sized> Store for &T {
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        (**self).get(table, key).await
    }

    async fn scan(&self, table: Table, from: &str, to: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>> {
        (**self).scan(table, from, to, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<()> {
        (**self).commit(batch).await
    }
}

impl<T: Store + ?Sized> Store for Rc<T> {
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        (**self).get(table, key).await
    }

    async fn scan(&self, table: Table, from: &str, to: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>> {
        (**self).scan(table, from, to, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<()> {
        (**self).commit(batch).await
    }
}

impl<T: Fetch + ?Sized> Fetch for &T {
    async fn fetch(&self, request: Request) -> Result<Response> {
        (**self).fetch(request).await
    }
}

impl<T: Fetch + ?Sized> Fetch for Rc<T> {
    async fn fetch(&self, request: Request) -> Result<Response> {
        (**self).fetch(request).await
    }
}

impl<T: Clock + ?Sized> Clock for &T {
    fn now_ms(&self) -> u64 {
        (**self).now_ms()
    }

    async fn breathe(&self) {
        (**self).breathe().await;
    }

    async fn sleep(&self, ms: u32) {
        (**self).sleep(ms).await;
    }
}

impl<T: Clock + ?Sized> Clock for Rc<T> {
    fn now_ms(&self) -> u64 {
        (**self).now_ms()
    }

    async fn breathe(&self) {
        (**self).breathe().await;
    }

    async fn sleep(&self, ms: u32) {
        (**self).sleep(ms).await;
    }
}
