//! The local network as a place that requests are resolved over.

use weft_codec::Id;
use weft_codec::item::DataItem;
use weft_codec::message::{Message, Value, structured};
use weft_core::LuaRun;
use weft_core::aocore::{Answer, At, Need};

use super::{Home, told};
use crate::evaluate::run_script;
use crate::net::{Handled, LocalNet, Refusal};
use crate::seams::{Clock, Signer, Store};

/// Assignments of one page (HyperBEAM `dev_scheduler.erl`).
const MAX_PAGE: u64 = 1_000;

impl<S: Store, C: Clock, G: Signer> Home for LocalNet<S, C, G> {
    async fn load(&self, id: Id) -> Handled<Option<Value>> {
        if let Some(held) = self.answered.get(id) {
            return Ok(Some(held));
        }
        match self.reader.ledger().item(id).await? {
            Some(item) => Ok(Some(told::item(&item)?.into())),
            None => Ok(None),
        }
    }

    async fn meet(&self, need: &Need, item: Option<&DataItem>) -> Handled<Answer> {
        let item = || item.cloned().ok_or_else(|| Refusal::new(400, "The message is no signed data item."));
        match need {
            Need::Node => Ok(Answer::ok(told::node(self.address()))),
            Need::Processes => {
                let ids = self.processes().await?.into_iter().map(Value::from);
                Ok(Answer::ok(Value::List(ids.collect())))
            }
            Need::Slot(process) => {
                let (head, assignment) = self.last(*process).await?;
                Ok(Answer::ok(told::slot(*process, head.slot, &assignment, self.address())?))
            }
            Need::Schedule { process, from, to, legacy } => {
                self.page(*process, *from, *to, *legacy).await.map(Answer::ok)
            }
            Need::State { process, slot } => self.state_at(*process, *slot).await,
            Need::Results { process, at } => {
                let slot = match at {
                    At::Slot(slot) => *slot,
                    At::Message(message) => self.slot_of_message(*process, *message).await?,
                };
                let result = self.result_at(*process, slot).await?;
                Ok(Answer::ok(told::results(&result, true)?))
            }
            Need::Append { .. } => {
                let (process, slot) = self.append_item(item()?).await?;
                Ok(Answer::ok(self.assignment(process, slot).await?))
            }
            Need::Push { .. } => self.pushed(item()?).await,
            Need::DryRun { process, message } => {
                let result = self.tried(*process, &told::dry_run(*process, message)?).await?;
                Ok(Answer::ok(told::results(&result, true)?))
            }
            Need::Script { state, code, function, request } => {
                let run = LuaRun::over(state, code, function, request)?;
                let answer = run_script(run, self.reader.clock()).await?;
                let value = weft_core::aocore::json_iface::value(&answer.result)?;
                Ok(if answer.status == "ok" { Answer::ok(value) } else { Answer::error(value) })
            }
        }
    }

    fn keep(&self, linked: Vec<(Id, Value)>) {
        self.answered.keep(linked);
    }
}

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    /// A page of a schedule.
    async fn page(&self, process: Id, from: u64, to: Option<u64>, legacy: bool) -> Handled<Message> {
        let (head, last) = self.last(process).await?;
        let to = to.unwrap_or(head.slot).min(head.slot);
        let wanted = to.saturating_add(1).saturating_sub(from);
        let limit = usize::try_from(wanted.min(MAX_PAGE)).unwrap_or_default();
        let entries = if limit == 0 { Vec::new() } else { self.assignments(process, from, limit).await? };
        let more = wanted > MAX_PAGE;
        if legacy {
            return Ok(told::legacy_page(process, &entries, more, &last)?);
        }
        Ok(told::page(process, &entries, more, &last)?)
    }

    async fn assignment(&self, process: Id, slot: u64) -> Handled<Message> {
        let found = self.assignments(process, slot, 1).await?;
        let (slot, assignment, message) = found
            .into_iter()
            .next()
            .ok_or_else(|| Refusal::new(500, "The assignment is not in the store."))?;
        Ok(told::assignment(slot, &assignment, message.as_ref())?)
    }

    async fn state_at(&self, process: Id, slot: Option<u64>) -> Handled<Answer> {
        let (newest, _) = self.last(process).await?;
        if slot.is_some_and(|slot| slot > newest.slot) {
            return Ok(told::not_yet(newest.slot));
        }
        let reached = self.reach(process, slot).await?;
        let Some(result) = &reached.result else {
            return Err(Refusal::new(404, format!("Slot {} has no result.", reached.slot)));
        };
        if let Some(state) = reached.state {
            return Ok(told::lua_state(state, result));
        }
        let item = self.reader.ledger().item(process).await?;
        let item =
            item.ok_or_else(|| Refusal::new(404, format!("Process {process} is not on the scheduler.")))?;
        let patched = self.results_until(process, reached.slot).await?;
        Ok(Answer::ok(told::wasm_state(&told::item(&item)?, reached.slot, &patched)?))
    }

    /// Schedules an item, evaluates it and what it sends, and tells what came of it.
    async fn pushed(&self, item: DataItem) -> Handled<Answer> {
        let id = item.id();
        let settled = self.push_item(item).await?;
        let (process, slot) = (settled.process, settled.slot);
        if process == id {
            let assignment = self.assignment(process, slot).await?;
            return Ok(Answer::ok(assignment.with("process", process.to_string())));
        }
        let result = self.result_at(process, slot).await?;
        let mut told = told::results(&result, true)?
            .with("process", process.to_string())
            .with("slot", Value::Integer(i64::try_from(slot).unwrap_or(i64::MAX)))
            .with("id", id.to_string());
        if !settled.failures.is_empty() {
            let failures = settled.failures.into_iter().map(Value::from).collect();
            told.set("not-pushed", Value::List(failures));
        }
        Ok(Answer::ok(structured::from_tabm(&structured::to_tabm(&told, super::GENERATION)?)?))
    }
}
