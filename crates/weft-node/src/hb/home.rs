//! Where processes, schedules and messages are.

use weft_codec::Id;
use weft_codec::item::DataItem;
use weft_codec::message::Value;
use weft_core::aocore::{Answer, Need};

use crate::net::Handled;

/// What a resolution asks of a node. Each thing is asked once for a request, however often it is resolved.
pub(crate) trait Home {
    /// The message under an id.
    async fn load(&self, id: Id) -> Handled<Option<Value>>;

    /// What was needed. `item` is the signed item that the request came as, proved.
    async fn meet(&self, need: &Need, item: Option<&DataItem>) -> Handled<Answer>;

    /// Holds what an answer links to.
    fn keep(&self, linked: Vec<(Id, Value)>);
}
