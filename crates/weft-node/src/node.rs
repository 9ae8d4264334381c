//! The node: one store, one network, one clock, and what it can be asked.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;
use weft_codec::ao::Carrier;
use weft_codec::message::Tabm;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_core::{
    Engine, Engines, LocalAnswer, LocalScript, LuaAnswer, ModuleOptions, NodeLimits, Policy, ProcessMachine,
    Program, SlotResult,
};
use weft_verify::{FraudProof, HistoryEntry, Receipt};

use crate::archive::{Archive, Form, Record};
use crate::chain::{self, BlockName};
use crate::evaluate::{evaluate, run_local, run_script};
use crate::event::Observer;
use crate::location::Location;
use crate::options::{Options, Summary};
use crate::quorum::Agreement;
use crate::reach::Reach;
use crate::receipts;
use crate::scores::{Scores, SourceHealth};
use crate::seams::{Batch, Clock, Fetch, Store};
use crate::signatures::{InRust, Signatures};
use crate::sources::Sources;
use crate::sync::replay::{stored_machine, stored_proofs};
use crate::sync::{self, signed};

/// The most schedulers whose address is remembered.
const MAX_LOCATIONS: usize = 64;
/// The most processes [`Node::processes`] lists.
const MAX_LISTED: usize = 1_000;

/// A node for AO. It keeps what it has proved in its store and never fetches or replays that again.
pub struct Node<S, F, C> {
    pub(crate) store: S,
    pub(crate) fetch: F,
    pub(crate) clock: C,
    pub(crate) signatures: Rc<dyn Signatures>,
    /// A WebAssembly engine that is faster than wasmi.
    fast: Option<Rc<dyn Engine>>,
    /// Processes that a sync of this node is at.
    busy: RefCell<BTreeSet<Id>>,
    /// How sources have done in this session.
    scores: RefCell<Scores>,
    pub(crate) cache: Cache,
    /// What answers to paths link to.
    pub(crate) answered: crate::hb::Answered,
}

/// A program, and what it was made of: the modules in their order, their options, and the engines.
type Compiled = (Vec<Id>, ModuleOptions, Policy, Program);

/// What is costly to make anew: the program compiled last, and the machine that ran last.
#[derive(Default)]
pub(crate) struct Cache {
    program: RefCell<Option<Compiled>>,
    /// The policy of the last sync, for what is asked of a process afterwards.
    policy: Cell<Policy>,
    live: RefCell<Option<Live>>,
    /// Where schedulers are, until when.
    locations: RefCell<BTreeMap<Address, (Vec<Location>, u64)>>,
}

/// A machine that stands where the store's record says the replay is.
pub(crate) struct Live {
    pub(crate) process: Id,
    pub(crate) slot: u64,
    /// The record's revision then: any later write may have another state.
    pub(crate) revision: u64,
    /// How it was made to run.
    pub(crate) policy: Policy,
    pub(crate) machine: ProcessMachine,
}

impl Cache {
    /// The program of these modules in this order, compiled now or before.
    pub(crate) async fn program(
        &self,
        modules: Vec<Id>,
        options: &ModuleOptions,
        policy: Policy,
        compile: impl AsyncFnOnce() -> Result<Program>,
    ) -> Result<Program> {
        if let Some((ids, of, by, program)) = self.program.borrow().as_ref()
            && *ids == modules
            && of == options
            && *by == policy
        {
            return Ok(program.clone());
        }
        let program = compile().await?;
        *self.program.borrow_mut() = Some((modules, options.clone(), policy, program.clone()));
        Ok(program)
    }

    /// Where a scheduler is, if that was found in this session and still holds.
    pub(crate) fn location(&self, scheduler: &Address, now: u64) -> Option<Vec<Location>> {
        let known = self.locations.borrow();
        known.get(scheduler).filter(|(_, until)| now < *until).map(|(found, _)| found.clone())
    }

    pub(crate) fn keep_location(&self, scheduler: &Address, found: Vec<Location>, now: u64) {
        let Some(ttl) = found.iter().map(|location| location.ttl_ms).min() else { return };
        let mut known = self.locations.borrow_mut();
        if known.len() >= MAX_LOCATIONS {
            known.clear();
        }
        known.insert(scheduler.clone(), (found, now.saturating_add(ttl)));
    }

    /// The policy of the last sync.
    pub(crate) fn policy(&self) -> Policy {
        self.policy.get()
    }

    /// The policy of the sync that begins.
    pub(crate) fn set_policy(&self, policy: Policy) {
        self.policy.set(policy);
    }

    /// Takes the machine out if it stands exactly where the record says, and runs by the policy.
    pub(crate) fn take_live(&self, record: &Record) -> Option<ProcessMachine> {
        let replay = record.replay.as_ref()?;
        let live = self.live.borrow_mut().take()?;
        let fits =
            live.process == record.process && live.slot == replay.slot && live.revision == record.revision;
        if fits && live.policy == self.policy() {
            return Some(live.machine);
        }
        if live.process != record.process {
            *self.live.borrow_mut() = Some(live);
        }
        None
    }

    pub(crate) fn keep_live(&self, live: Live) {
        *self.live.borrow_mut() = Some(live);
    }
}

/// Leaves a process when the sync ends, however it ends.
pub(crate) struct Busy<'a> {
    all: &'a RefCell<BTreeSet<Id>>,
    process: Id,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.all.borrow_mut().remove(&self.process);
    }
}

impl<S: Store, F: Fetch, C: Clock> Node<S, F, C> {
    /// A node over its three seams.
    #[must_use]
    pub fn new(store: S, fetch: F, clock: C) -> Self {
        Self {
            store,
            fetch,
            clock,
            signatures: Rc::new(InRust),
            fast: None,
            busy: RefCell::default(),
            scores: RefCell::default(),
            cache: Cache::default(),
            answered: crate::hb::Answered::default(),
        }
    }

    /// The node with a platform that checks signatures faster than Rust.
    #[must_use]
    pub fn with_signatures(self, signatures: Rc<dyn Signatures>) -> Self {
        Self { signatures, ..self }
    }

    /// The node with a WebAssembly engine that is faster than wasmi. Which processes run on it, [`Options::engine`] says.
    #[must_use]
    pub fn with_engine(self, engine: Rc<dyn Engine>) -> Self {
        Self { fast: Some(engine), ..self }
    }

    /// The engines of a policy.
    pub(crate) fn engines(&self, policy: Policy) -> Engines {
        Engines { fast: self.fast.clone(), policy }
    }

    /// What two WebAssembly engines made of a message at which a sync of this process stopped with `engines-differ`: a file, as
    /// docs/wasm.md describes it. `None` if none did.
    pub async fn divergence(&self, process: Id) -> Result<Option<Vec<u8>>> {
        self.archive().divergence(process).await
    }

    /// The node's store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The node's clock.
    #[must_use]
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Fetches, proves and replays what is new of a process, and stores it.
    ///
    /// It ends at `options.to`, or where the scheduler says the history ends. Whatever ends it early, what was
    /// committed stays, and the next call goes on from there. Errors: `cancelled` after a commit; `source-…`,
    /// `not-found` and `no-source` when no source helped; the code of what failed to prove when every source
    /// lies; `memory-limit`, `gas-limit`, `module-format-unsupported`, `extension-unsupported`,
    /// `cron-unsupported`, `module-invalid` for a process this node does not run; `store-failed`,
    /// `store-corrupt`; `request-invalid` while another sync of the same process runs.
    pub async fn sync<O: Observer>(
        &self,
        process: Id,
        sources: &Sources,
        options: &Options,
        observer: &O,
    ) -> Result<Summary> {
        let sources = sources.checked()?;
        let busy = self.enter(process)?;
        let reach = self.reach(observer, options);
        // On the heap: callers hold this future in theirs, and a browser's stack is small.
        let road = Box::pin(async {
            self.cache.set_policy(options.engine);
            sync::sync(self, &reach, &sources, process).await
        });
        let summary = road.await;
        drop(busy);
        summary
    }

    /// What is known of a process, `None` if nothing is.
    pub async fn summary(&self, process: Id) -> Result<Option<Summary>> {
        Ok(self.archive().record(process).await?.as_ref().map(Summary::of))
    }

    /// The processes in the store, by id, at most 1000.
    pub async fn processes(&self) -> Result<Vec<Summary>> {
        Ok(self.archive().records(MAX_LISTED).await?.iter().map(Summary::of).collect())
    }

    /// Up to `limit` results from a slot on.
    pub async fn results(&self, process: Id, from_slot: u64, limit: usize) -> Result<Vec<SlotResult>> {
        self.archive().results(process, from_slot, limit).await
    }

    /// The result of one slot, `None` if it was not replayed.
    pub async fn result(&self, process: Id, slot: u64) -> Result<Option<SlotResult>> {
        self.archive().result(process, slot).await
    }

    /// The first slot of a message in a process's history.
    pub async fn slot_of(&self, process: Id, message: Id) -> Result<Option<u64>> {
        self.archive().slot_of(&Batch::default(), process, message).await
    }

    /// The process, module or other item stored under an id, as it was when it was proved.
    pub async fn carrier(&self, id: Id) -> Result<Option<Carrier>> {
        self.archive().carrier(id).await
    }

    /// The assignment and the message of one slot, as they were when they were proved.
    /// [`Self::slot_receipt`] proves them anew.
    pub async fn entry(&self, process: Id, slot: u64) -> Result<Option<HistoryEntry>> {
        if self.form(process).await? == Form::Messages {
            return Ok(None);
        }
        self.archive().slot(&Batch::default(), process, slot).await
    }

    /// Why the history is believed, and what of it is only trusted. Error: `not-found`.
    pub async fn receipt(&self, process: Id) -> Result<Receipt> {
        let archive = self.archive();
        let record = self.known(process).await?;
        let checks = match record.form {
            Form::Items => stored_proofs(&archive, &record).await?.checks(),
            Form::Messages => signed::stored_checks(&archive, &record).await?,
        };
        let frauds = archive.frauds(process).await?;
        let included = archive.included(process, MAX_LISTED).await?.len();
        Ok(receipts::of_history(&record, checks, &frauds, included))
    }

    /// The proofs that the scheduler of a process signed two assignments for one slot, in the order of the slots.
    /// [`FraudProof::to_json`] is the file that `weft verify` checks.
    pub async fn frauds(&self, process: Id) -> Result<Vec<FraudProof>> {
        self.archive().frauds(process).await
    }

    /// How the sources of this session are doing, by address.
    pub fn health(&self) -> Vec<SourceHealth> {
        self.scores.borrow().all(self.clock.now_ms())
    }

    /// The newest block that enough of the gateways name, and who names another. No work is checked. Errors: those of
    /// the gateways, if none answers; `no-source`, `cancelled`.
    pub async fn tip<O: Observer>(
        &self,
        sources: &Sources,
        options: &Options,
        observer: &O,
    ) -> Result<Agreement<BlockName>> {
        let sources = sources.checked()?;
        Box::pin(chain::tip(&self.reach(observer, options), &sources.gateways)).await
    }

    /// The block that gateways name at a height. Errors as [`Self::tip`].
    pub async fn block<O: Observer>(
        &self,
        height: u64,
        sources: &Sources,
        options: &Options,
        observer: &O,
    ) -> Result<Agreement<BlockName>> {
        let sources = sources.checked()?;
        Box::pin(chain::block(&self.reach(observer, options), &sources.gateways, height)).await
    }

    pub(crate) fn reach<'a, O: Observer>(
        &'a self,
        observer: &'a O,
        options: &'a Options,
    ) -> Reach<'a, F, C, O> {
        Reach::new(&self.fetch, &self.clock, observer, options, &self.scores)
    }

    /// Why one slot is believed: its checks made anew from the stored bytes. Error: `not-found`.
    pub async fn slot_receipt(&self, process: Id, slot: u64) -> Result<Receipt> {
        let record = self.known(process).await?;
        Box::pin(receipts::of_slot(&self.archive(), &record, slot)).await
    }

    /// Evaluates a message nobody signed on a copy of the state after the last replayed slot. `body` is that of
    /// `POST /dry-run` (scheduler-and-cu-api.md 2.3). Nothing is stored. Error: `not-found` before the first
    /// replay.
    pub async fn dry_run(&self, process: Id, body: &Value) -> Result<SlotResult> {
        let (record, slot, mut machine) = self.standing(process).await?;
        let last = self.archive().result(process, slot).await?;
        let result = match machine.dry_run(body, last.as_ref()) {
            Ok(evaluation) => evaluate(evaluation, &self.clock, || Ok(())).await,
            Err(error) => Err(error),
        };
        if result.is_ok() {
            self.cache.keep_live(Live {
                process,
                slot,
                revision: record.revision,
                policy: self.cache.policy(),
                machine,
            });
        }
        result
    }

    /// Runs a function of a Lua script over the state of a Lua process after the last replayed slot, sandboxed and metered:
    /// HyperBEAM's `PID~process@1.0/now/~lua@5.3a&module=SCRIPT/FUNCTION`. The function sees the state, a request with the keys of
    /// `params` (an object, or null), and an empty table. Nothing is stored.
    ///
    /// Errors: `not-found` before the first replay; `request-invalid` for a wasm process; what the script fails with:
    /// `lua-error`, `lua-crash`, `lua-syntax`, `lua-out-of-fuel`, `lua-out-of-memory`, `lua-too-deep`, `lua-unsupported`.
    pub async fn run_lua(
        &self,
        process: Id,
        script: &str,
        function: &str,
        params: &Value,
    ) -> Result<LuaAnswer> {
        let (record, slot, machine) = self.standing(process).await?;
        let run = machine.run_lua(script, function, params);
        // The script has a copy of the state: the machine is free.
        self.cache.keep_live(Live {
            process,
            slot,
            revision: record.revision,
            policy: self.cache.policy(),
            machine,
        });
        run_script(run?, &self.clock).await
    }

    /// Runs a script of the reader's own, metered, in the profile it asks for. With `over`, a Lua process, its first argument is
    /// the state after that process's last replayed slot, as JSON. Nothing is stored.
    ///
    /// Errors: those of [`LocalRun::go_on`](weft_core::LocalRun::go_on); for `over` `not-found` before the first replay and
    /// `request-invalid` for a wasm process.
    pub async fn run_script(&self, mut script: LocalScript, over: Option<Id>) -> Result<LocalAnswer> {
        if let Some(process) = over {
            let (record, slot, machine) = self.standing(process).await?;
            let state = machine.state_json();
            self.cache.keep_live(Live {
                process,
                slot,
                revision: record.revision,
                policy: self.cache.policy(),
                machine,
            });
            script.args.insert(0, state?);
        }
        run_local(script.start(), &self.clock).await
    }

    /// The machine as it stands after the last replayed slot.
    async fn standing(&self, process: Id) -> Result<(Record, u64, ProcessMachine)> {
        let record = self.known(process).await?;
        let Some(slot) = record.replay.as_ref().map(|replay| replay.slot) else {
            return Err(Error::new(Code::NotFound, "The process was not replayed yet: sync it first."));
        };
        let machine = match self.cache.take_live(&record) {
            Some(machine) => machine,
            None => {
                let (archive, limits) = (self.archive(), NodeLimits::unbounded());
                match record.form {
                    Form::Items => Box::pin(stored_machine(self, &archive, &record, &limits)).await?,
                    Form::Messages => Box::pin(signed::standing_machine(&archive, &record, &limits)).await?,
                }
            }
        };
        Ok((record, slot, machine))
    }

    /// Deletes all that is stored of a process, but for modules, which other processes share.
    pub async fn forget(&self, process: Id) -> Result<()> {
        let _busy = self.enter(process)?;
        self.archive().forget(process).await
    }

    pub(crate) fn archive(&self) -> Archive<'_, S> {
        Archive::new(&self.store)
    }

    pub(crate) async fn known(&self, process: Id) -> Result<Record> {
        self.archive().record(process).await?.ok_or_else(|| {
            Error::new(Code::NotFound, format!("Nothing is stored of the process {process}: sync it first."))
        })
    }

    /// What is known of a process whose history is of data items. Errors: `not-found`; `request-invalid` for one of a HyperBEAM
    /// node.
    pub(crate) async fn known_items(&self, process: Id, wanted: &str) -> Result<Record> {
        let record = self.known(process).await?;
        if record.form == Form::Messages {
            let what = format!(
                "The history of {process} is of signed HTTP messages: this version makes no {wanted} of it."
            );
            return Err(Error::new(Code::RequestInvalid, what));
        }
        Ok(record)
    }

    async fn form(&self, process: Id) -> Result<Form> {
        Ok(self.archive().record(process).await?.map(|record| record.form).unwrap_or_default())
    }

    /// The assignment of one slot of a process that a HyperBEAM node schedules, with its message and all commitments, as it was
    /// when it was proved. `None` for any other process, and for a slot that is not stored.
    pub async fn signed_entry(&self, process: Id, slot: u64) -> Result<Option<Tabm>> {
        match self.form(process).await? {
            Form::Messages => self.archive().signed_slot(&Batch::default(), process, slot).await,
            Form::Items => Ok(None),
        }
    }

    fn enter(&self, process: Id) -> Result<Busy<'_>> {
        if !self.busy.borrow_mut().insert(process) {
            return Err(Error::new(
                Code::RequestInvalid,
                format!("A sync of {process} is running already. Wait for it or stop it first."),
            ));
        }
        Ok(Busy { all: &self.busy, process })
    }
}

impl Summary {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            process: record.process,
            module: record.module,
            further_modules: record.further_modules.clone(),
            scheduler: record.scheduler.clone(),
            engine: record.engine,
            head: record.head.as_ref().map(|head| head.slot),
            replayed: record.replay.as_ref().map(|replay| replay.slot),
            memory_sha256: record.replay.as_ref().and_then(|replay| replay.memory_sha256),
            gas: record.replay.as_ref().and_then(|replay| replay.gas),
            verified_now: 0,
            replayed_now: 0,
            bytes: 0,
            requests: 0,
            elapsed_ms: 0,
        }
    }
}
