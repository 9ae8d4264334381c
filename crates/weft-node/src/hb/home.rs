//! Where processes, schedules and messages are.

use weft_codec::item::DataItem;
use weft_codec::message::Value;
use weft_codec::{Id, Result};
use weft_core::aocore::device::Devices;
use weft_core::aocore::{Answer, Need};

use crate::net::Handled;

/// What a request came with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    /// The signed item that it came as, proved.
    pub(crate) item: Option<&'a DataItem>,
    /// `cache-control: only-if-cached`: nothing is evaluated for it.
    pub(crate) only_cached: bool,
}

/// What a resolution asks of a node. Each thing is asked once for a request, however often it is resolved.
pub(crate) trait Home {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// What answers the keys of messages.
    fn devices(&self) -> Devices;

    /// The message under an id.
    async fn load(&self, id: Id) -> Handled<Option<Value>>;

    /// What was needed.
    async fn meet(&self, need: &Need, given: Given<'_>) -> Handled<Answer>;

    /// The public key that answers are signed with, if there is one.
    fn owner(&self) -> Option<Vec<u8>>;

    /// The RSA-PSS signature with SHA-512 by that key.
    async fn sign(&self, base: &[u8]) -> Result<Vec<u8>>;

    /// Holds what an answer links to.
    fn keep(&self, linked: Vec<(Id, Value)>);
}
