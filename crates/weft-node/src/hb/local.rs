//! The local network as a place that requests are resolved over.

use weft_codec::item::DataItem;
use weft_codec::message::{Message, Value};
use weft_codec::{Id, Result};
use weft_core::LuaRun;
use weft_core::aocore::device::Devices;
use weft_core::aocore::{Answer, At, Need};

use super::home::Given;
use super::{Home, outside, told};
use crate::evaluate::run_script;
use crate::net::{Chain, Handled, LocalNet, Refusal};
use crate::seams::{Clock, Signer, Store};

/// Steps of a push that are told of: messages nest only so deep.
const MAX_TOLD_DEPTH: usize = 16;
/// Assignments of one page (HyperBEAM `dev_scheduler.erl`).
const MAX_PAGE: u64 = 1_000;

impl<S: Store, C: Clock, G: Signer> Home for LocalNet<S, C, G> {
    fn now_ms(&self) -> u64 {
        self.reader.clock().now_ms()
    }

    fn devices(&self) -> Devices {
        self.devices.borrow().clone()
    }

    async fn load(&self, id: Id) -> Handled<Option<Value>> {
        if let Some(held) = self.answered.get(id) {
            return Ok(Some(held));
        }
        match self.reader.ledger().item(id).await? {
            Some(item) => Ok(Some(told::item(&item)?.into())),
            None => Ok(None),
        }
    }

    async fn meet(&self, need: &Need, given: Given<'_>) -> Handled<Answer> {
        let item =
            || given.item.cloned().ok_or_else(|| Refusal::new(400, "The message is no signed data item."));
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
            Need::State { process, slot } => {
                if given.only_cached {
                    self.check_there(*process, *slot).await?;
                }
                self.state_at(*process, *slot).await
            }
            Need::Results { process, at } => {
                let slot = match at {
                    At::Slot(slot) => *slot,
                    At::Message(message) => self.slot_of_message(*process, *message).await?,
                };
                if given.only_cached {
                    self.check_there(*process, Some(slot)).await?;
                }
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
            Need::Outside { device, key, base, request } => {
                let runner = self.outside.borrow().clone();
                let runner = runner.ok_or_else(|| Refusal::new(501, "Nothing runs this device."))?;
                outside::ask(&*runner, device, key, base, request).await
            }
            Need::Script { state, code, function, request } => {
                let run = LuaRun::over(state, code, function, request)?;
                let answer = run_script(run, self.reader.clock()).await?;
                let value = weft_core::aocore::json_iface::value(&answer.result)?;
                Ok(if answer.status == "ok" { Answer::ok(value) } else { Answer::error(value) })
            }
        }
    }

    fn owner(&self) -> Option<Vec<u8>> {
        Some(self.signer.owner())
    }

    async fn sign(&self, base: &[u8]) -> Result<Vec<u8>> {
        self.signatures.sign(&self.signer, base).await
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

    /// Refuses what would have to be evaluated first.
    async fn check_there(&self, process: Id, slot: Option<u64>) -> Handled<()> {
        let newest = self.last(process).await?.0.slot;
        match self.result_there(process, slot.unwrap_or(newest).min(newest)).await? {
            Some(_) => Ok(()),
            None => Err(Refusal::new(
                504,
                "The slot was not evaluated yet, and the request is for what is there only.",
            )),
        }
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
        let mut settled = self.push_item(item).await?;
        let (process, slot) = (settled.process, settled.slot);
        if process == id {
            let assignment = self.assignment(process, slot).await?;
            return Ok(Answer::ok(assignment.with("process", process.to_string())));
        }
        let mut told = match self.result_there(process, slot).await? {
            Some(result) => told::results(&result, true)?,
            None => Message::new(),
        };
        for (key, value) in self.resulted(process, slot, &mut settled.chain).await? {
            told.set(key, value);
        }
        told.set("id", id.to_string());
        if !settled.failures.is_empty() {
            let failures = settled.failures.into_iter().map(Value::from).collect();
            told.set("not-pushed", Value::List(failures));
        }
        Ok(Answer::ok(told))
    }

    /// A process, its slot, and under `1`, `2`, … where the messages of the slot went and what came of them, to a depth.
    async fn resulted(&self, process: Id, slot: u64, chain: &mut Chain) -> Handled<Message> {
        let mut steps = vec![Step { process, slot, depth: 0, told: Message::new() }];
        // Under which step and key a message stands, what is told of it, and the step it led to.
        let mut hung: Vec<(usize, String, Message, usize)> = Vec::new();
        let mut at = 0;
        while let Some((from, slot, depth)) = steps.get(at).map(|step| (step.process, step.slot, step.depth))
        {
            let messages = match self.result_there(from, slot).await? {
                Some(result) if depth < MAX_TOLD_DEPTH => result.messages,
                _ => Vec::new(),
            };
            for (number, message) in (1_usize..).zip(&messages) {
                let mut sent = told::not_sent(message);
                if let Some((id, target)) = chain.take(from, message) {
                    sent = Message::new().with("id", id.to_string()).with("target", target.to_string());
                    // To a wallet, or to a process elsewhere, it is on the gateway and has no slot.
                    if let Some(slot) = self.slot_there(target, id).await? {
                        sent = told::at_slot(sent, slot);
                        hung.push((at, number.to_string(), sent, steps.len()));
                        steps.push(Step { process: target, slot, depth: depth + 1, told: Message::new() });
                        continue;
                    }
                }
                if let Some(step) = steps.get_mut(at) {
                    step.told.set(number.to_string(), sent);
                }
            }
            at += 1;
        }
        let whole =
            |step: Step| told::at_slot(step.told, step.slot).with("process", step.process.to_string());
        let mut whole: Vec<Message> = steps.into_iter().map(whole).collect();
        // What hangs lowest comes last, and is hung first.
        for (above, key, sent, below) in hung.into_iter().rev() {
            let resulted = whole.get_mut(below).map(std::mem::take).unwrap_or_default();
            if let Some(above) = whole.get_mut(above) {
                above.set(key, sent.with("resulted-in", resulted));
            }
        }
        Ok(whole.into_iter().next().unwrap_or_default())
    }
}

/// A slot that a push came to.
struct Step {
    process: Id,
    slot: u64,
    depth: usize,
    told: Message,
}
