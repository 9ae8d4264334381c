//! A push that is answered when all it caused is done: what `push@1.0` of HyperBEAM does, with the messenger's queue.

use std::pin::pin;
use std::task::Poll;

use futures_util::future::poll_fn;
use serde_json::Value;
use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Id, Result, base64url};

use super::ledger::{IndexRow, below};
use super::local::LocalNet;
use super::mu::{Pumped, anchor_of, is_of_chain};
use super::reply::{Handled, Refusal};
use crate::seams::{Clock, Signer, Store, Table};

/// Milliseconds after which a push is answered with work left over.
const SETTLED_AFTER: u64 = 30_000;
/// The most items of a chain that are told of.
const MAX_TOLD: u64 = 4_000;

/// What became of a pushed item.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) process: Id,
    pub(crate) slot: u64,
    /// What of its chain failed, in sentences.
    pub(crate) failures: Vec<String>,
    /// The messages of its chain.
    pub(crate) chain: Chain,
}

/// The items that a push caused, in their order, each told of once.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    rows: Vec<Option<IndexRow>>,
}

impl Chain {
    /// The item that a message of an outbox became: by who sent it, to whom, and its anchor.
    pub(crate) fn take(&mut self, from: Id, message: &Value) -> Option<(Id, Id)> {
        let target: Id = message.get("Target")?.as_str()?.parse().ok()?;
        let anchor = anchor_of(message).ok()?.map_or_else(String::new, |anchor| base64url::encode(&anchor));
        let (sender, recipient) = (from.to_string(), target.to_string());
        let is_it = |row: &IndexRow| {
            row.recipient == recipient
                && row.anchor == anchor
                && row.tags.tag("From-Process") == Some(&sender)
        };
        let row = self.rows.iter_mut().find(|row| row.as_ref().is_some_and(is_it))?.take()?;
        Some((row.id, target))
    }
}

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    /// As `POST /mu`, for a proved item; then works the queue off until nothing of what the item caused is left, or until
    /// [`SETTLED_AFTER`]. An item that has a slot keeps it.
    pub(crate) async fn push_item(&self, item: DataItem) -> Handled<Settled> {
        let (id, ledger) = (item.id(), self.reader.ledger());
        let is_process = item.tags.tag("Type") == Some("Process");
        let process = item.target.filter(|_| !is_process).unwrap_or(id);
        let before = ledger.next_number().await?;
        let slot = match ledger.slot_of(process, id).await? {
            Some(slot) => slot,
            None => {
                {
                    let _turn = self.turn.lock().await;
                    self.take_item(item).await?;
                }
                let slot = ledger.slot_of(process, id).await?;
                slot.ok_or_else(|| Refusal::new(500, "The message has no slot."))?
            }
        };
        let failures = self.settle(id).await?;
        let after = ledger.next_number().await?.min(before.saturating_add(MAX_TOLD));
        let mut rows = ledger.rows(before, after).await?;
        rows.retain(|row| row.tags.tag("Pushed-For") == Some(&id.to_string()));
        Ok(Settled { process, slot, failures, chain: Chain { rows: rows.into_iter().map(Some).collect() } })
    }

    /// Works the queue off until it has nothing of a chain, or until it takes too long; what failed of it.
    async fn settle(&self, initial: Id) -> Handled<Vec<String>> {
        let clock = self.reader.clock();
        let until = clock.now_ms().saturating_add(SETTLED_AFTER);
        let mut failures = Vec::new();
        while self.has_jobs(initial).await? {
            if clock.now_ms() > until {
                failures.push("What the message sends takes long: it goes on after this answer.".to_owned());
                break;
            }
            let Some(claim) = self.next_job().await? else {
                clock.sleep(5).await;
                continue;
            };
            let own = claim.is_of(initial);
            let mut work = pin!(self.work_off(claim));
            // A job that is left on its way stays in the queue, and is done after the answer.
            let done = poll_fn(|context| match work.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if clock.now_ms() > until => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            if let (Some(Pumped::Failed(sentence)), true) = (done.await.transpose()?, own) {
                failures.push(sentence);
            }
        }
        Ok(failures)
    }

    /// Whether the queue has jobs of a chain.
    async fn has_jobs(&self, initial: Id) -> Result<bool> {
        let (from, to) = below("job");
        let found = self.reader.ledger().store().scan(Table::Settings, &from, &to, usize::MAX).await?;
        Ok(found.iter().any(|(_, bytes)| is_of_chain(bytes, initial)))
    }
}
