//! The seams: where the node touches a platform. Plain `async fn`, no `Send` demanded of the browser.
//! Each has a memory implementation here and one contract test that every implementation passes.

use std::collections::BTreeMap;
use std::rc::Rc;

use weft_codec::{Code, Error, Result};

/// The most headers of one answer. A HyperBEAM node writes each key of a message as one.
pub const MAX_HEADERS: usize = 512;
/// The most bytes of all their names and values.
pub const MAX_HEADER_BYTES: usize = 512 << 10;

/// The tables of a store. Keys are text, ordered by their UTF-8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Verified data items and transactions, by id.
    Items,
    /// What is known of a process: head of its history, head of its replay.
    Processes,
    /// Verified history entries, by `process/slot`, and proofs of a second assignment, by `process/fraud/slot`.
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

    /// The values at several keys, in the order of the keys. A database that is far away is asked once.
    async fn get_many(&self, table: Table, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.push(self.get(table, key).await?);
        }
        Ok(values)
    }

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
    /// Further headers, names in lower case. A browser does not send the ones it keeps for itself.
    pub headers: Vec<(String, String)>,
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
    /// The headers as [`ordered_headers`] gives them, `content-type` as it was sent among them. A browser shows
    /// a page only those that the other origin lets it read (CORS), and never `set-cookie`.
    pub headers: Vec<(String, String)>,
    /// The address that answered, where redirects led elsewhere than to the one asked; else empty.
    pub url: String,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with this content type and no other header.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let header = ("content-type".to_owned(), content_type.to_owned());
        let headers = if content_type.is_empty() { Vec::new() } else { vec![header] };
        Self { status, content_type: media_type(content_type), headers, url: String::new(), body }
    }

    /// With one more header; it replaces one of the same name.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self.headers.sort();
        self
    }

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The media type of a `content-type`: lower-case, without parameters.
#[must_use]
pub fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Headers in the one form all platforms give them in, which is that of the browser's `Headers`: names in lower
/// case, in order, each once; the values of a repeated one joined by `, ` (the Fetch standard, "sort and combine").
///
/// # Errors
/// `too-large` for more than [`MAX_HEADERS`] or [`MAX_HEADER_BYTES`].
pub fn ordered_headers(
    headers: impl IntoIterator<Item = (impl AsRef<str>, impl Into<String>)>,
) -> Result<Vec<(String, String)>> {
    let (mut ordered, mut bytes) = (BTreeMap::<String, String>::new(), 0_usize);
    for (count, (name, value)) in headers.into_iter().enumerate() {
        let (name, value) = (name.as_ref().to_ascii_lowercase(), value.into());
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if count >= MAX_HEADERS || bytes > MAX_HEADER_BYTES {
            let what =
                format!("An answer has at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes together.");
            return Err(Error::new(Code::TooLarge, what));
        }
        match ordered.get_mut(&name) {
            Some(known) => {
                known.push_str(", ");
                known.push_str(&value);
            }
            None => {
                ordered.insert(name, value);
            }
        }
    }
    Ok(ordered.into_iter().collect())
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

    /// The RSA-PSS signature with SHA-256 over a payload, as data items have it (reference ans104.md).
    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>>;

    /// That with SHA-512, as messages over HTTP have it (reference ao-core.md §4.2).
    async fn sign_sha512(&self, base: &[u8]) -> Result<Vec<u8>>;
}

impl<T: Store + ?Sized> Store for &T {
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        (**self).get(table, key).await
    }

    async fn get_many(&self, table: Table, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        (**self).get_many(table, keys).await
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

    async fn get_many(&self, table: Table, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        (**self).get_many(table, keys).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_ordered_and_joined_as_a_browser_does() {
        let headers = [("X-B", "1"), ("x-a", "2"), ("x-b", "3")];
        let expected =
            [("x-a", "2"), ("x-b", "1, 3")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(ordered_headers(headers).unwrap(), expected);
    }

    #[test]
    fn headers_are_bounded() {
        let many = (0..=MAX_HEADERS).map(|number| (format!("x-{number}"), ""));
        assert_eq!(ordered_headers(many).unwrap_err().code(), Code::TooLarge);
        let long = [("x", "v".repeat(MAX_HEADER_BYTES))];
        assert_eq!(ordered_headers(long).unwrap_err().code(), Code::TooLarge);
    }

    #[test]
    fn an_answer_knows_its_headers() {
        let answer =
            Response::new(200, "Text/HTML; charset=utf-8", Vec::new()).with_header("Retry-After", "3");
        assert_eq!(answer.content_type, "text/html");
        assert_eq!(answer.header("content-type"), Some("Text/HTML; charset=utf-8"));
        assert_eq!((answer.header("retry-after"), answer.header("age")), (Some("3"), None));
    }
}
