//! What `crate::hb` asks of the network: processes at a slot, pages of schedules, slots for items.

use weft_codec::item::DataItem;
use weft_codec::message::Message;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Id, Result};
use weft_core::{EngineKind, SlotResult};

use super::ledger::Head;
use super::local::LocalNet;
use super::reply::{Handled, Refusal};
use crate::seams::{Batch, Clock, Signer, Store, Table};

/// Slots that are evaluated again to come to an older state.
const MAX_AGAIN: u64 = 5_000;
/// Processes that are listed.
const MAX_LISTED: usize = 10_000;

/// A process after a slot.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) slot: u64,
    /// Of a Lua process: its state.
    pub(crate) state: Option<Message>,
    /// What the slot gave.
    pub(crate) result: Option<SlotResult>,
}

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    /// A process after a slot, or after the newest. A Lua process is evaluated again from its beginning for a slot that it has
    /// left behind; of a wasm process the result is kept, and its state is what [`Self::results_until`] tells.
    pub(crate) async fn reach(&self, process: Id, slot: Option<u64>) -> Handled<Reached> {
        let _request = self.computer.request()?;
        let newest = self.wanted(process, None).await?;
        let wanted = slot.unwrap_or(newest);
        if wanted > newest {
            return Err(Refusal::new(404, "Requested slot not yet available in schedule."));
        }
        let look = async |live: &mut super::compute::Live| {
            let is_lua = live.machine.engine() == EngineKind::Lua;
            let there = live.next_slot().checked_sub(1) == Some(wanted);
            let state = (is_lua && there).then(|| live.machine.state_message()).transpose();
            (is_lua && !there, state)
        };
        let (again, state) = self.evaluated(process, wanted, look).await?;
        let state = match (again, self.answered.state(process, wanted)) {
            (false, _) => state?,
            (true, Some(state)) => Some(state),
            (true, None) => {
                let state = self.again(process, wanted).await?;
                self.answered.keep_state(process, wanted, state.clone());
                Some(state)
            }
        };
        Ok(Reached { slot: wanted, state, result: self.kept(process, wanted).await? })
    }

    /// The state of a Lua process after a slot that it has left behind.
    async fn again(&self, process: Id, slot: u64) -> Handled<Message> {
        if slot >= MAX_AGAIN {
            let sentence = format!(
                "The state after slot {slot} is no longer held, and more than {MAX_AGAIN} slots are not evaluated again for one request."
            );
            return Err(Refusal::new(413, sentence));
        }
        let mut live = self.load(process, false).await?;
        self.evaluate_until(&mut live, slot).await?;
        Ok(live.machine.state_message()?)
    }

    /// The results of a process up to a slot, evaluated now where they were not.
    pub(crate) async fn results_until(&self, process: Id, slot: u64) -> Handled<Vec<SlotResult>> {
        let mut results = self.results_from(process, 0).await?;
        results.retain(|result| result.slot <= slot);
        Ok(results)
    }

    /// The result of a slot, if it was evaluated.
    pub(crate) async fn result_there(&self, process: Id, slot: u64) -> Handled<Option<SlotResult>> {
        Ok(self.kept(process, slot).await?)
    }

    /// The result of a slot.
    pub(crate) async fn result_at(&self, process: Id, slot: u64) -> Handled<SlotResult> {
        if let Some(kept) = self.kept(process, slot).await? {
            return Ok(kept);
        }
        let reached = self.reach(process, Some(slot)).await?;
        reached.result.ok_or_else(|| Refusal::new(404, format!("Slot {slot} has no result.")))
    }

    /// What a message that nobody signed would give, on the newest state.
    pub(crate) async fn tried(&self, process: Id, message: &serde_json::Value) -> Handled<SlotResult> {
        let _request = self.computer.request()?;
        self.dry_run(process, message, None).await
    }

    /// The slot of a message or an assignment.
    pub(crate) async fn slot_of_message(&self, process: Id, message: Id) -> Handled<u64> {
        let slot = self.reader.ledger().slot_of(process, message).await?;
        slot.ok_or_else(|| {
            Refusal::new(404, format!("Message {message} is not in the schedule of {process}."))
        })
    }

    /// The same, where it has one.
    pub(crate) async fn slot_there(&self, process: Id, message: Id) -> Result<Option<u64>> {
        self.reader.ledger().slot_of(process, message).await
    }

    /// The end of a schedule, and its last assignment.
    pub(crate) async fn last(&self, process: Id) -> Handled<(Head, DataItem)> {
        let ledger = self.reader.ledger();
        let head = ledger.head(process).await?;
        let head =
            head.ok_or_else(|| Refusal::new(404, format!("Process {process} is not on the scheduler.")))?;
        let item = ledger.item(head.assignment).await?;
        let item = item.ok_or_else(|| Refusal::new(500, "The last assignment is not in the store."))?;
        Ok((head, item))
    }

    /// Assignments from a slot on, each with its message where that is here.
    pub(crate) async fn assignments(
        &self,
        process: Id,
        from: u64,
        limit: usize,
    ) -> Handled<Vec<(u64, DataItem, Option<DataItem>)>> {
        let mut page = Vec::new();
        for (slot, row) in self.reader.ledger().entries(process, from, limit).await? {
            let entry = self.history_entry(&row).await?;
            page.push((slot, entry.assignment, entry.message));
        }
        Ok(page)
    }

    /// The processes whose schedules are here.
    pub(crate) async fn processes(&self) -> Result<Vec<String>> {
        let store = self.reader.ledger().store();
        let found = store.scan(Table::Processes, "", "\u{7f}", MAX_LISTED).await?;
        Ok(found.into_iter().map(|(id, _)| id).filter(|id| id.parse::<Id>().is_ok()).collect())
    }

    /// Gives a proved item its slot. One that has a slot keeps it.
    pub(crate) async fn append_item(&self, item: DataItem) -> Handled<(Id, u64)> {
        let _turn = self.turn.lock().await;
        let (id, target) = (item.id(), item.target);
        let is_process = item.tags.tag("Type") == Some("Process");
        let process = target.filter(|_| !is_process).unwrap_or(id);
        let ledger = self.reader.ledger();
        if let Some(slot) = ledger.slot_of(process, id).await? {
            return Ok((process, slot));
        }
        let scheduled = self.schedule_item(item, Batch::default()).await?;
        Ok((scheduled.process, self.slot_of_message(scheduled.process, id).await?))
    }
}
