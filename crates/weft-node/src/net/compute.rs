//! The compute unit's engine: it proves and evaluates the histories this network has itself ordered, in order and
//! each slot once, and keeps the results.
//!
//! | table | key | value |
//! |---|---|---|
//! | `results` | `{process}/{slot}` | a [`SlotResult`] |
//! | `messages` | `{process}/seen/{key}` | the slot a message of that key was evaluated at |
//! | `snapshots` | `{process}` | the state after some slot, from which a restart goes on |
//! | `settings` | `snapshot/{process}` | the verified head at that slot |

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use futures_util::lock::Mutex;
use serde_json::Value;
use weft_codec::ao::{Module, Process};
use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Id, Result};
use weft_core::{
    Evaluated, ModuleOptions, NodeLimits, ProcessMachine, Program, SlotResult, Snapshot, boot_item,
    cron_intervals, dedup, module_ids,
};
use weft_verify::{
    EntryKind, Head, HistoryEntry, HistoryVerifier, Modules, SchedulerPolicy, Untrusted, Verified, Vouched,
    claims_of_item,
};

use super::ledger::{EntryRow, encode, padded};
use super::local::LocalNet;
use super::reply::{Handled, Refusal};
use crate::evaluate::{begin, evaluate};
use crate::rewritten;
use crate::seams::{Batch, Clock, Signer, Store, Table};

/// Processes whose machines stay in memory when nobody uses them; each may hold its whole linear memory.
const MAX_LIVE: usize = 4;
/// Requests that may wait for a result at a time.
const MAX_REQUESTS: usize = 64;
/// Compiled modules that stay in memory.
const MAX_PROGRAMS: usize = 4;
/// Slots after which a state is stored again.
const SNAPSHOT_EVERY: u64 = 64;
/// Results that are written together, and after how many milliseconds at the latest.
const WRITTEN_TOGETHER: u64 = 128;
const WRITTEN_AFTER: u64 = 100;
/// Slots that are read together.
const READ_TOGETHER: u64 = 16;
/// Items that are known to be proved.
const MAX_PROVED: usize = 16_384;
/// Where proved things came from, in receipts nobody asks for here.
const SOURCE: &str = "the local network";

/// A process in memory.
pub(super) struct Live {
    process: Id,
    pub(super) machine: ProcessMachine,
    verifier: HistoryVerifier,
    last: Option<SlotResult>,
    unsaved: u64,
    /// What was evaluated and is not in the store yet: of how many slots, and since when.
    unwritten: Batch,
    unwritten_slots: u64,
    unwritten_since: u64,
    /// The next slots, read.
    ahead: VecDeque<Ahead>,
    /// The machine is not where the verifier is: load it again.
    torn: bool,
}

/// A slot that was read, and not evaluated yet.
struct Ahead {
    slot: u64,
    row: EntryRow,
    entry: HistoryEntry,
}

/// A process's place: whoever evaluates holds its lock, and others of the same process wait. `None` until it is loaded.
type Seat = Rc<Mutex<Option<Live>>>;

/// What is kept in memory between requests: the latest last.
#[derive(Default)]
pub(super) struct Computer {
    seats: RefCell<Vec<(Id, Seat)>>,
    programs: RefCell<Vec<(Vec<Id>, Program)>>,
    /// Held by each request that waits for a result.
    requests: Rc<()>,
    /// Signatures that this network made or found to hold: a slot that it evaluates after it scheduled it is not proved twice.
    proved: RefCell<Vouched>,
    proved_items: Cell<usize>,
}

impl Computer {
    /// Room for one more request, for as long as it is held.
    pub(super) fn request(&self) -> Handled<Rc<()>> {
        if Rc::strong_count(&self.requests) > MAX_REQUESTS {
            let sentence = format!("{MAX_REQUESTS} requests wait for results already. Try again.");
            return Err(Refusal::new(503, sentence));
        }
        Ok(Rc::clone(&self.requests))
    }

    /// Remembers that items were proved, or signed here.
    pub(super) fn vouch<'a>(&self, items: impl Iterator<Item = &'a DataItem>) {
        let mut proved = self.proved.borrow_mut();
        for item in items {
            if self.proved_items.replace(self.proved_items.get() + 1) >= MAX_PROVED {
                *proved = Vouched::new();
                self.proved_items.set(1);
            }
            claims_of_item(item).iter().for_each(|claim| proved.add(claim));
        }
    }

    fn seat(&self, process: Id) -> Seat {
        let mut seats = self.seats.borrow_mut();
        let seat = match seats.iter().position(|(id, _)| *id == process) {
            Some(at) => seats.remove(at).1,
            None => Seat::default(),
        };
        seats.push((process, Rc::clone(&seat)));
        seat
    }

    /// Takes out the seat that was free for longest, if there are more than stay.
    fn too_many(&self) -> Option<Seat> {
        let mut seats = self.seats.borrow_mut();
        let at = seats.iter().position(|(_, seat)| Rc::strong_count(seat) == 1)?;
        (seats.len() > MAX_LIVE).then(|| seats.remove(at).1)
    }
}

impl Live {
    pub(super) fn next_slot(&self) -> u64 {
        self.verifier.head().map_or(0, |head| head.slot.saturating_add(1))
    }
}

/// The state of a process.
pub(super) enum State {
    /// Of a wasm process: its linear memory.
    Memory(Vec<u8>),
    /// Of a Lua process: its message, as JSON.
    Message(Value),
}

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    /// The result of a message, evaluated now if it was not before. An assignment's id is as good as a message's.
    pub(super) async fn result(&self, process: Id, message: Id) -> Handled<SlotResult> {
        let slot = self.reader.ledger().slot_of(process, message).await?;
        let slot = slot.ok_or_else(|| {
            Refusal::new(404, format!("Message {message} of process {process} is not on the scheduler."))
        })?;
        if let Some(kept) = self.kept(process, slot).await? {
            return Ok(kept);
        }
        // Others may have taken the process further meanwhile; its result is kept all the same.
        self.evaluated(process, slot, async |_| ()).await?;
        let result = self.kept(process, slot).await?;
        result.ok_or_else(|| Refusal::new(425, format!("message at nonce {slot} not found cached")))
    }

    pub(super) async fn kept(&self, process: Id, slot: u64) -> Result<Option<SlotResult>> {
        self.reader.ledger().read(Table::Results, &format!("{process}/{}", padded(slot))).await
    }

    /// Results from a slot on, in order.
    pub(super) async fn results_from(&self, process: Id, slot: u64) -> Result<Vec<SlotResult>> {
        let (_, to) = super::ledger::below(&process.to_string());
        let from = format!("{process}/{}", padded(slot));
        let store = self.reader.ledger().store();
        let found = store.scan(Table::Results, &from, &to, usize::MAX).await?;
        let each = found.iter().map(|(key, bytes)| {
            serde_json::from_slice(bytes).map_err(|cause| {
                Error::new(Code::StoreCorrupt, format!("The result `{key}` does not read back."))
                    .because(cause)
            })
        });
        each.collect()
    }

    /// A message nobody signed, on the newest state; nothing changes (cu `domain/api/dryRun.js`). With `to`, on the state
    /// after that message: 425 if the process went further, as where a compute unit has no memory of that point.
    pub(super) async fn dry_run(&self, process: Id, body: &Value, to: Option<Id>) -> Handled<SlotResult> {
        let slot = self.wanted(process, to).await?;
        let dry_run = async |live: &mut Live| {
            let latest = live.next_slot().saturating_sub(1);
            if to.is_some() && latest != slot {
                let sentence = format!(
                    "message at nonce {slot} not found cached, and earlier than latest known nonce {latest}"
                );
                return Err(Refusal::new(425, sentence));
            }
            let result = match live.machine.dry_run(body, live.last.as_ref()) {
                Ok(evaluation) => evaluate(evaluation, self.reader.clock(), || Ok(())).await,
                Err(error) => Err(error),
            };
            live.torn = result.is_err();
            Ok(result?)
        };
        self.evaluated(process, slot, dry_run).await?
    }

    /// The state after the newest slot, and the result of that slot: linear memory, or the message of a Lua process as JSON.
    pub(super) async fn state(&self, process: Id) -> Handled<(State, Option<SlotResult>)> {
        let slot = self.wanted(process, None).await?;
        let state = async |live: &mut Live| {
            let state = match live.machine.state_json() {
                Ok(message) => State::Message(message),
                Err(_) => State::Memory(live.machine.snapshot()?.to_memory().unwrap_or_default()),
            };
            Ok((state, live.last.clone()))
        };
        self.evaluated(process, slot, state).await?
    }

    /// Evaluates everything that has a slot.
    pub(super) async fn catch_up(&self, process: Id) -> Handled<()> {
        let slot = self.wanted(process, None).await?;
        self.evaluated(process, slot, async |_| ()).await
    }

    pub(super) async fn wanted(&self, process: Id, to: Option<Id>) -> Handled<u64> {
        let ledger = self.reader.ledger();
        let head = ledger.head(process).await?;
        let head =
            head.ok_or_else(|| Refusal::new(404, format!("Process {process} is not on the scheduler.")))?;
        match to {
            None => Ok(head.slot),
            Some(message) => ledger
                .slot_of(process, message)
                .await?
                .ok_or_else(|| Refusal::new(404, format!("Message {message} is not on the scheduler."))),
        }
    }

    /// Brings a process to a slot, if it is not there or further already, and looks at it. Dropped on its way, it leaves the
    /// process at a slot before.
    pub(super) async fn evaluated<T>(
        &self,
        process: Id,
        slot: u64,
        look: impl AsyncFnOnce(&mut Live) -> T,
    ) -> Handled<T> {
        let seen = {
            let seat = self.computer.seat(process);
            let mut live = seat.lock().await;
            if let Some(torn) = live.as_mut().filter(|live| live.torn) {
                // What came before the message that was left on its way.
                self.write(torn).await?;
                *live = None;
            }
            let live = match live.as_mut() {
                Some(live) => live,
                None => live.insert(self.load(process, true).await?),
            };
            self.advance(live, slot).await?;
            look(live).await
        };
        while let Some(seat) = self.computer.too_many() {
            self.save(&seat).await?;
        }
        Ok(seen)
    }

    /// Stores the states in memory, so that a restart need not evaluate again. One that is in the middle of a message is
    /// stored as it was before.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn save_states(&self) -> Result<()> {
        let seats: Vec<Seat> = self.computer.seats.borrow().iter().map(|(_, seat)| Rc::clone(seat)).collect();
        for seat in seats {
            self.save(&seat).await?;
        }
        Ok(())
    }

    async fn save(&self, seat: &Seat) -> Result<()> {
        match seat.lock().await.as_mut() {
            Some(live) if live.unsaved > 0 && !live.torn => self.save_live(live).await,
            _ => Ok(()),
        }
    }

    async fn save_live(&self, live: &mut Live) -> Result<()> {
        // The referee looks at what a checkpoint rests on. Left on its way, the last message is taken back and not done again.
        live.torn = true;
        if let Some(evaluation) = live.machine.check_last()? {
            evaluate(evaluation, self.reader.clock(), || Ok(())).await?;
        }
        live.torn = false;
        let Some(head) = live.verifier.head() else { return Ok(()) };
        let mut batch = Batch::default();
        batch.put(Table::Settings, format!("snapshot/{}", live.process), encode(head)?);
        batch.put(Table::Snapshots, live.process.to_string(), live.machine.snapshot()?.to_bytes());
        batch.writes.append(&mut live.unwritten.writes);
        live.unwritten_slots = 0;
        self.commit_of(live, batch).await?;
        live.unsaved = 0;
        Ok(())
    }

    /// Writes the results that are not in the store yet.
    async fn write(&self, live: &mut Live) -> Result<()> {
        let batch = std::mem::take(&mut live.unwritten);
        live.unwritten_slots = 0;
        if batch.writes.is_empty() { Ok(()) } else { self.commit_of(live, batch).await }
    }

    async fn commit_of(&self, live: &mut Live, batch: Batch) -> Result<()> {
        let written = self.reader.ledger().commit(batch).await;
        // The machine is ahead of the store then: it begins again where the store is.
        live.torn |= written.is_err();
        written
    }

    async fn advance(&self, live: &mut Live, slot: u64) -> Result<()> {
        self.evaluate_until(live, slot).await?;
        if live.unsaved >= SNAPSHOT_EVERY { self.save_live(live).await } else { Ok(()) }
    }

    /// Evaluates up to a slot. Results are written together, so that a browser's database is asked once for many of them; what is
    /// evaluated when this ends, well or not, is in the store.
    pub(super) async fn evaluate_until(&self, live: &mut Live, slot: u64) -> Result<()> {
        while live.next_slot() <= slot {
            let stepped = self.step(live, slot).await;
            let since = self.reader.clock().now_ms().saturating_sub(live.unwritten_since);
            if stepped.is_err() || live.unwritten_slots >= WRITTEN_TOGETHER || since >= WRITTEN_AFTER {
                self.write(live).await?;
            }
            stepped?;
            self.reader.clock().breathe().await;
        }
        self.write(live).await
    }

    /// The slots from one on, as far as they are read together and are there: at least one.
    async fn read_ahead(&self, process: Id, from: u64, to: u64) -> Result<VecDeque<Ahead>> {
        let ledger = self.reader.ledger();
        let to = to.min(from.saturating_add(READ_TOGETHER - 1));
        let rows: Vec<EntryRow> =
            ledger.entries_at(process, from, to).await?.into_iter().map_while(|row| row).collect();
        let ids: Vec<Id> =
            rows.iter().flat_map(|row| [Some(row.assignment), row.message].into_iter().flatten()).collect();
        let items: BTreeMap<Id, DataItem> = ids
            .iter()
            .copied()
            .zip(ledger.items(&ids).await?)
            .filter_map(|(id, item)| Some((id, item?)))
            .collect();
        let mut ahead = VecDeque::new();
        for (slot, row) in (from..).zip(rows) {
            let (assignment, message) =
                (items.get(&row.assignment), row.message.and_then(|id| items.get(&id)));
            let entry = match (assignment, message) {
                (Some(assignment), Some(message)) => {
                    HistoryEntry { assignment: assignment.clone(), message: Some(message.clone()) }
                }
                // An Assign, or one whose items are gone: that ends a list that has others before it.
                _ if ahead.is_empty() => self.history_entry(&row).await?,
                _ => break,
            };
            ahead.push_back(Ahead { slot, row, entry });
        }
        if ahead.is_empty() { Err(missing("slot", from)) } else { Ok(ahead) }
    }

    /// Proves and evaluates the next slot; its result is written with those of other slots.
    async fn step(&self, live: &mut Live, until: u64) -> Result<()> {
        let (process, slot) = (live.process, live.next_slot());
        if live.ahead.front().is_none_or(|ahead| ahead.slot != slot) {
            live.ahead = self.read_ahead(process, slot, until).await?;
        }
        let Some(Ahead { row, entry, .. }) = live.ahead.pop_front() else {
            return Err(missing("slot", slot));
        };
        // A refused entry leaves the verifier as it was, and so does a host fault below: step a copy.
        let mut verifier = live.verifier.clone();
        let proved = self.computer.proved.borrow().clone();
        let entry = proved.during(|| verifier.next(Untrusted::new(entry, SOURCE)))?;
        drop(proved);
        // What the scheduler printed without its message is an Assign (cu `effects/ao-su.js`).
        let form = if row.message.is_some() { entry.kind } else { EntryKind::Assign };
        let key = dedup::key(&entry, form);
        let seen = format!("{process}/seen/{}", key.text);
        let earlier: Option<u64> = if key.guarded && live.machine.leaves_out_copies() {
            match live.unwritten.writes.get(&(Table::Messages, seen.clone())) {
                Some(Some(bytes)) => serde_json::from_slice(bytes).ok(),
                _ => self.reader.ledger().read(Table::Messages, &seen).await?,
            }
        } else {
            None
        };
        // A slot that was evaluated before a state was lost is no copy of itself.
        let earlier = earlier.filter(|earlier| *earlier < slot);
        let result = match earlier {
            Some(earlier) => SlotResult::duplicate(&entry, earlier),
            None => {
                let result = match live.machine.step(&entry, form).and_then(begin) {
                    Ok(Evaluated::Ended(result)) => Ok(*result),
                    Ok(Evaluated::More(rest)) => {
                        // It may take hours: whoever waits for a slot before it is answered first.
                        let before = std::mem::take(&mut live.unwritten);
                        live.unwritten_slots = 0;
                        match self.reader.ledger().commit(before).await {
                            Ok(()) => evaluate(rest, self.reader.clock(), || Ok(())).await,
                            Err(error) => Err(error),
                        }
                    }
                    Err(error) => Err(error),
                };
                live.torn = true;
                let result = result?;
                live.unwritten.put(Table::Messages, seen, encode(&slot)?);
                result
            }
        };
        if live.unwritten_slots == 0 {
            live.unwritten_since = self.reader.clock().now_ms();
        }
        live.unwritten.put(Table::Results, format!("{process}/{}", padded(slot)), encode(&result)?);
        live.unwritten_slots += 1;
        live.verifier = verifier;
        live.last = Some(result);
        live.unsaved += 1;
        live.torn = false;
        Ok(())
    }

    pub(super) async fn history_entry(&self, row: &EntryRow) -> Result<HistoryEntry> {
        let assignment = self.item(row.assignment).await?;
        let message = match row.message {
            Some(message) => Some(message),
            None => assignment.tags.tag("Message").and_then(|id| id.parse().ok()),
        };
        let message = match message {
            Some(message) => Some(self.item(message).await?),
            None => None,
        };
        Ok(HistoryEntry { assignment, message })
    }

    async fn item(&self, id: Id) -> Result<DataItem> {
        self.reader.ledger().item(id).await?.ok_or_else(|| missing("item", id))
    }

    /// A process from its snapshot, where that is wanted and there, else from its beginning.
    pub(super) async fn load(&self, id: Id, resume: bool) -> Handled<Live> {
        let item = self.reader.ledger().item(id).await?;
        let item = item.ok_or_else(|| Refusal::new(404, format!("Process {id} is not on the scheduler.")))?;
        let process = weft_verify::process(weft_verify::item(Untrusted::new(item, SOURCE), Some(id))?)?;
        if !cron_intervals(&process.tags).is_empty() {
            return Err(Refusal::new(
                422,
                "The process has cron messages, which this network does not make.",
            ));
        }
        let modules = self.modules(&process).await?;
        let module = modules.first();
        let options = ModuleOptions::read(&process.tags, &module.tags, &NodeLimits::default())?;
        let program = self.program(&process, &modules, &options).await?;
        let policy = SchedulerPolicy::default();
        let ledger = self.reader.ledger();
        let head: Option<Head> = ledger.read(Table::Settings, &format!("snapshot/{id}")).await?;
        let bytes = ledger.store().get(Table::Snapshots, &id.to_string()).await?;
        let (machine, verifier) = match (head, bytes) {
            (Some(head), Some(bytes)) if resume => {
                let snapshot = Snapshot::from_bytes(&bytes)?;
                let machine = ProcessMachine::restore(&process, module, &program, &options, &snapshot)?;
                (machine, HistoryVerifier::resume(&process, policy, head))
            }
            _ => (
                ProcessMachine::new(&process, module, &program, &options)?,
                HistoryVerifier::new(&process, policy),
            ),
        };
        let last = match verifier.head() {
            Some(head) => ledger.read(Table::Results, &format!("{id}/{}", padded(head.slot))).await?,
            None => None,
        };
        Ok(Live {
            process: id,
            machine,
            verifier,
            last,
            unsaved: 0,
            unwritten: Batch::default(),
            unwritten_slots: 0,
            unwritten_since: 0,
            ahead: VecDeque::new(),
            torn: false,
        })
    }

    async fn modules(&self, process: &Verified<Process>) -> Handled<Modules> {
        let first = self.module(process.module).await?;
        let mut further = Vec::new();
        for id in module_ids(process, &first)?.into_iter().skip(1) {
            further.push(self.module(id).await?);
        }
        let boot = match boot_item(process, &first)? {
            Some(id) => Some(weft_verify::boot_item(self.proved(id, "item").await?, id)?),
            None => None,
        };
        Ok(Modules::new(first, further).with_boot(boot))
    }

    async fn module(&self, id: Id) -> Handled<Verified<Module>> {
        Ok(weft_verify::module(self.proved(id, "module").await?, id)?)
    }

    async fn proved(&self, id: Id, what: &str) -> Handled<Verified<DataItem>> {
        let item = self.reader.ledger().item(id).await?;
        let item =
            item.ok_or_else(|| Refusal::new(404, format!("The {what} {id} is not on the gateway.")))?;
        Ok(weft_verify::item(Untrusted::new(item, SOURCE), Some(id))?)
    }

    async fn program(
        &self,
        process: &Process,
        modules: &Modules,
        options: &ModuleOptions,
    ) -> Result<Program> {
        let ids = modules.all_ids();
        let known = self.computer.programs.borrow().iter().find(|(known, _)| *known == ids).cloned();
        if let Some((_, program)) = known {
            return Ok(program);
        }
        let store = self.reader.ledger().store();
        let program = rewritten::program(store, process, modules, options, &self.engines).await?;
        let mut programs = self.computer.programs.borrow_mut();
        programs.push((ids, program.clone()));
        if programs.len() > MAX_PROGRAMS {
            programs.remove(0);
        }
        Ok(program)
    }
}

fn missing(what: &str, which: impl std::fmt::Display) -> Error {
    Error::new(Code::NotFound, format!("The {what} {which} is not in the store."))
}
