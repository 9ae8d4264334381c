//! Processes of HyperBEAM nodes that a [`Node`] has synced, as a place that requests are resolved over: what it proved and replayed,
//! by the paths of the node it came from. It is read only.

use weft_codec::message::{Message, Value, structured};
use weft_codec::{Code, Error, Id, Result};
use weft_core::aocore::device::Devices;
use weft_core::aocore::{Answer, At, Need, json_iface};
use weft_core::{LuaRun, NodeLimits, ProcessMachine, SlotResult};

use super::home::Given;
use super::{Home, told};
use crate::archive::{Form, Record};
use crate::evaluate::{evaluate, run_script};
use crate::net::{Handled, Refusal, Reply};
use crate::node::Node;
use crate::seams::{Batch, Clock, Fetch, Request, Store};
use crate::sync::signed::{schedule_verifier, stored_assignment, stored_modules, stored_signed_process};

/// Assignments of one page.
const MAX_PAGE: u64 = 1_000;
/// Processes that are listed or looked through.
const MAX_LISTED: usize = 1_000;
/// Slots that are evaluated again to come to an older state.
const MAX_AGAIN: u64 = 5_000;

impl<S: Store, F: Fetch, C: Clock> Node<S, F, C> {
    /// Answers a path of AO-Core over the processes of HyperBEAM nodes that were synced, as such a node does (docs/http.md): states,
    /// results, schedules, functions over a state. Errors are statuses.
    pub async fn answer(&self, request: &Request) -> Reply {
        super::answer(self, request).await
    }

    async fn signed_record(&self, process: Id) -> Handled<Record> {
        let record = self.known(process).await?;
        match record.form {
            Form::Messages => Ok(record),
            Form::Items => Err(Refusal::new(
                422,
                "The history of this process is of data items: only those of HyperBEAM nodes are answered by path.",
            )),
        }
    }

    async fn slot_message(&self, process: Id, slot: u64) -> Handled<Message> {
        let found = self.archive().signed_slot(&Batch::default(), process, slot).await?;
        let tabm = found
            .ok_or_else(|| Refusal::new(404, format!("Slot {slot} of {process} is not in the store.")))?;
        Ok(structured::from_tabm(&tabm)?)
    }

    async fn signed_page(&self, process: Id, from: u64, to: Option<u64>, legacy: bool) -> Handled<Message> {
        let head = head_of(&self.signed_record(process).await?)?;
        let to = to.unwrap_or(head).min(head);
        let last = to.min(from.saturating_add(MAX_PAGE - 1));
        let mut entries = Vec::new();
        for slot in from..=last {
            entries.push((slot, self.slot_message(process, slot).await?));
        }
        let newest = self.slot_message(process, head).await?;
        Ok(told::signed_page(process, entries, to > last && from <= to, &newest, legacy)?)
    }

    async fn signed_state(&self, process: Id, slot: Option<u64>) -> Handled<Answer> {
        let record = self.signed_record(process).await?;
        let newest = record.replay.as_ref().map(|replay| replay.slot);
        let newest =
            newest.ok_or_else(|| Refusal::new(404, "The process was not replayed yet: sync it first."))?;
        let slot = slot.unwrap_or(newest);
        if slot > newest {
            return Ok(told::not_yet(newest));
        }
        let result = self.signed_result(process, slot).await?;
        let state = match self.answered.state(process, slot) {
            Some(state) => state,
            None => {
                let state = self.replayed_to(process, slot).await?;
                self.answered.keep_state(process, slot, state.clone());
                state
            }
        };
        Ok(told::lua_state(state, &result))
    }

    /// The state after a slot, from the beginning: each slot is proved again and shown to a machine of its own.
    async fn replayed_to(&self, process: Id, slot: u64) -> Handled<Message> {
        if slot >= MAX_AGAIN {
            let sentence = format!("More than {MAX_AGAIN} slots are not evaluated again for one request.");
            return Err(Refusal::new(413, sentence));
        }
        let archive = self.archive();
        let signed = stored_signed_process(&archive, process).await?;
        let modules = stored_modules(&archive, &signed).await?;
        let mut machine = ProcessMachine::of_signed(&signed, &modules, &NodeLimits::unbounded())?;
        let mut verifier = schedule_verifier(process);
        for slot in 0..=slot {
            let (assignment, _) = stored_assignment(&archive, &mut verifier, process, slot).await?;
            evaluate(machine.step_signed(&assignment)?, self.clock(), || Ok(())).await?;
            self.clock().breathe().await;
        }
        Ok(machine.state_message()?)
    }

    async fn signed_result(&self, process: Id, slot: u64) -> Handled<SlotResult> {
        let found = self.archive().result(process, slot).await?;
        found.ok_or_else(|| Refusal::new(404, format!("Slot {slot} of {process} was not replayed.")))
    }

    /// A message of a schedule, by its id: of any process that was synced.
    async fn scheduled(&self, id: Id) -> Result<Option<Message>> {
        let archive = self.archive();
        for record in archive.records(MAX_LISTED).await? {
            if record.form != Form::Messages {
                continue;
            }
            let slot = match id == record.process {
                true => Some(0),
                false => archive.slot_of(&Batch::default(), record.process, id).await?,
            };
            let Some(slot) = slot else { continue };
            let Some(tabm) = archive.signed_slot(&Batch::default(), record.process, slot).await? else {
                continue;
            };
            let holds = |tabm: &weft_codec::message::Tabm| {
                tabm.map("commitments").is_some_and(|commitments| commitments.has(&id.to_string()))
            };
            let found =
                tabm.map("body").filter(|body| holds(body)).or(Some(&tabm).filter(|tabm| holds(tabm)));
            if let Some(found) = found {
                return structured::from_tabm(found).map(Some);
            }
        }
        Ok(None)
    }
}

fn head_of(record: &Record) -> Handled<u64> {
    let head = record.head.as_ref().map(|head| head.slot);
    head.ok_or_else(|| Refusal::new(404, "Nothing of the schedule was verified yet: sync the process first."))
}

impl<S: Store, F: Fetch, C: Clock> Home for Node<S, F, C> {
    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn devices(&self) -> Devices {
        Devices::of_node()
    }

    async fn load(&self, id: Id) -> Handled<Option<Value>> {
        if let Some(held) = self.answered.get(id) {
            return Ok(Some(held));
        }
        if let Some(found) = self.scheduled(id).await? {
            return Ok(Some(found.into()));
        }
        let module = self.archive().message(id).await?;
        Ok(module.map(|tabm| structured::value_of(&tabm)).transpose()?)
    }

    async fn meet(&self, need: &Need, _: Given<'_>) -> Handled<Answer> {
        match need {
            Need::Node => {
                Ok(Answer::ok(Message::new().with("node", "Weft").with("version", env!("CARGO_PKG_VERSION"))))
            }
            Need::Processes => {
                let records = self.archive().records(MAX_LISTED).await?;
                let signed = records.into_iter().filter(|record| record.form == Form::Messages);
                Ok(Answer::ok(Value::List(signed.map(|record| record.process.to_string().into()).collect())))
            }
            Need::Slot(process) => {
                let record = self.signed_record(*process).await?;
                let head = head_of(&record)?;
                let newest = self.slot_message(*process, head).await?;
                Ok(Answer::ok(told::signed_slot(*process, head, &newest, record.scheduler.as_str())))
            }
            Need::Schedule { process, from, to, legacy } => {
                self.signed_page(*process, *from, *to, *legacy).await.map(Answer::ok)
            }
            Need::State { process, slot } => self.signed_state(*process, *slot).await,
            Need::Results { process, at } => {
                let slot = match at {
                    At::Slot(slot) => *slot,
                    At::Message(message) => {
                        let slot = self.archive().slot_of(&Batch::default(), *process, *message).await?;
                        slot.ok_or_else(|| Refusal::new(404, "The message is not in the schedule."))?
                    }
                };
                Ok(Answer::ok(told::results(&self.signed_result(*process, slot).await?, true)?))
            }
            Need::Script { state, code, function, request } => {
                let answer = run_script(LuaRun::over(state, code, function, request)?, self.clock()).await?;
                let value = json_iface::value(&answer.result)?;
                Ok(if answer.status == "ok" { Answer::ok(value) } else { Answer::error(value) })
            }
            Need::Outside { .. } => Err(Refusal::new(501, "Nothing runs this device.")),
            Need::DryRun { .. } => {
                Err(Refusal::new(501, "A process of another node is not tried by path here."))
            }
            Need::Append { .. } | Need::Push { .. } => {
                let sentence = "The schedule of this process is another node's: send the message there.";
                Err(Error::new(Code::RequestInvalid, sentence).into())
            }
        }
    }

    /// A node that only follows has no key.
    fn owner(&self) -> Option<Vec<u8>> {
        None
    }

    async fn sign(&self, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::new(Code::SignatureMissing, "This node has no key."))
    }

    fn keep(&self, linked: Vec<(Id, Value)>) {
        self.answered.keep(linked);
    }
}
