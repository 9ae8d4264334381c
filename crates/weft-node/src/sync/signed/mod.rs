//! The road of a process that a HyperBEAM node schedules: its assignments are signed AO-Core messages. Fetch, verify, replay,
//! commit, as for a scheduler unit's history; what differs is what a page is, how it is proved, and what the process sees.

mod follow;
mod source;
mod stored;

use std::collections::BTreeMap;

use weft_codec::message::Tabm;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_core::{EngineKind, ProcessMachine, SignedModules, SlotResult, check_signed};
use weft_verify::http::{
    ScheduleVerifier, SignedAssignment, SignedModule, SignedProcess, signed_module, signed_process,
};
use weft_verify::{Check, Untrusted, Verified};

use super::commit::{Pace, Pending};
use crate::archive::{Archive, Form, Record, ReplayHead, Tally, corrupt, write};
use crate::evaluate::evaluate;
use crate::event::{Event, Observer, Phase};
use crate::gateway;
use crate::node::{Live, Node};
use crate::options::Summary;
use crate::reach::{Reach, Stop};
use crate::seams::{Batch, Clock, Fetch, Store, Table};
use crate::sources::Sources;

use stored::{module_of, schedule_verifier_at, stored_module};
pub(crate) use stored::{
    schedule_verifier, stored_assignment, stored_checks, stored_modules, stored_signed_machine,
    stored_signed_process,
};

/// One sync of one such process.
pub(super) struct SignedRun<'a, S, F, C, O> {
    node: &'a Node<S, F, C>,
    archive: Archive<'a, S>,
    reach: &'a Reach<'a, F, C, O>,
    sources: &'a Sources,
    process: Verified<SignedProcess>,
    record: Record,
    verifier: ScheduleVerifier,
    machine: Option<ProcessMachine>,
    /// How far the replay is, in memory.
    replay: Option<ReplayHead>,
    pending: Pending,
    pace: Pace,
    /// The newest slot, by a node's word; for progress alone.
    latest: Option<u64>,
}

/// Slot 0 of a process's schedule from a node, proved. Errors: `source-…`, those of the proof.
pub(super) async fn first_assignment<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    url: &str,
    id: Id,
) -> Result<Verified<SignedProcess>> {
    signed_process(id, &source::assignment_at(reach, url, id, 0).await?)
}

/// Why the process of such a record is what it is, and the checks of a slot of it.
pub(crate) async fn slot_checks<S: Store>(
    archive: &Archive<'_, S>,
    record: &Record,
    slot: u64,
) -> Result<Vec<Check>> {
    let process = stored_signed_process(archive, record.process).await?;
    let mut verifier = schedule_verifier_at(archive, &process, slot).await?;
    Ok(stored_assignment(archive, &mut verifier, record.process, slot).await?.1)
}

/// The machine of a stored process, for what is asked of it.
pub(crate) async fn standing_machine<S: Store>(
    archive: &Archive<'_, S>,
    record: &Record,
    limits: &weft_core::NodeLimits,
) -> Result<ProcessMachine> {
    let process = stored_signed_process(archive, record.process).await?;
    // The snapshot has the modules in it.
    stored_signed_machine(archive, record, &process, &SignedModules::default(), limits).await
}

fn new_record(process: &SignedProcess) -> Result<Record> {
    let scheduler: Address = process.signer.clone();
    let mut modules = process.modules.iter().copied();
    Ok(Record {
        process: process.id,
        form: Form::Messages,
        // A process that carries its module is its own module.
        module: modules.next().unwrap_or(process.id),
        further_modules: modules.collect(),
        scheduler,
        engine: None,
        revision: 0,
        head: None,
        replay: None,
        boot: None,
        crons_left_out: Vec::new(),
        tallies: BTreeMap::new(),
        heads: Vec::new(),
        heads_needed: 1,
        heads_to_slot: false,
        location: None,
        listing: None,
    })
}

impl<'a, S: Store, F: Fetch, C: Clock, O: Observer> SignedRun<'a, S, F, C, O> {
    /// Makes ready to go on where the record says, or at slot 0 of a process that a node just gave.
    pub(super) async fn open(
        node: &'a Node<S, F, C>,
        reach: &'a Reach<'a, F, C, O>,
        sources: &'a Sources,
        record: Option<Record>,
        process: Verified<SignedProcess>,
    ) -> Result<Self> {
        let archive = node.archive();
        let scheduler = process.scheduler.clone();
        let module = process.modules.first().copied().unwrap_or(process.id);
        reach.observer.event(Event::Process { process: process.id, module, scheduler: scheduler.clone() });
        let record = match record {
            Some(record) => record,
            None => new_record(&process)?,
        };
        let verifier = match &record.head {
            Some(head) => ScheduleVerifier::resume(process.id, &scheduler, head.clone()),
            None => ScheduleVerifier::new(process.id),
        };
        let mut run = Self {
            node,
            archive,
            reach,
            sources,
            replay: record.replay.clone(),
            process,
            record,
            verifier,
            machine: None,
            pending: Pending::default(),
            pace: Pace::new(reach.clock.now_ms()),
            latest: None,
        };
        // A process this node cannot run is refused before its history is fetched.
        if run.reach.options.replay && run.record.replay.is_none() {
            run.ensure_machine().await?;
        }
        Ok(run)
    }

    /// Replays what is stored and not replayed, then follows the nodes.
    pub(super) async fn drive(&mut self) -> Result<()> {
        if self.reach.options.replay {
            self.catch_up().await?;
        }
        if self.is_reached() {
            return Ok(());
        }
        match self.follow_all().await {
            Ok(()) => Ok(()),
            Err(Stop::Ours(error)) => Err(error),
            Err(Stop::Sources(failures)) => {
                let next = self.next_slot();
                Err(failures.into_error(&format!("slot {next} of the history of {}", self.process.id)))
            }
        }
    }

    /// Commits what is left, whatever the outcome, and says where the process is.
    pub(super) async fn close(mut self, outcome: Result<()>) -> Result<Summary> {
        let committed = self.commit(true).await;
        self.reach.report_health();
        let now = self.reach.clock.now_ms();
        self.pace.end(self.reach, now, &self.pending);
        if committed.is_ok() {
            self.keep_machine();
        }
        outcome.and(committed)?;
        let mut summary = Summary::of(&self.record);
        summary.verified_now = self.pending.verified;
        summary.replayed_now = self.pending.replayed;
        summary.bytes = self.reach.bytes();
        summary.requests = self.reach.requests();
        summary.elapsed_ms = now.saturating_sub(self.pace.started());
        Ok(summary)
    }

    /// The machine, restored or new, once.
    async fn ensure_machine(&mut self) -> Result<()> {
        if self.machine.is_some() {
            return Ok(());
        }
        check_signed(&self.process)?;
        self.record.engine = Some(EngineKind::Lua);
        if let Some(machine) = self.node.cache.take_live(&self.record) {
            self.machine = Some(machine);
            return Ok(());
        }
        let mut modules = SignedModules::default();
        if self.record.replay.is_none() {
            for id in self.process.modules.clone() {
                let module = self.module(id).await?;
                modules.add(id, &module.message)?;
            }
        }
        self.reach.clock.breathe().await;
        let limits = &self.reach.options.limits;
        let machine = stored_signed_machine(&self.archive, &self.record, &self.process, &modules, limits);
        self.machine = Some(machine.await?);
        Ok(())
    }

    /// A module by its id: from the store; from a node, as a message; from a gateway, as an item.
    async fn module(&mut self, id: Id) -> Result<Verified<SignedModule>> {
        if let Some(module) = stored_module(&self.archive, id).await? {
            return Ok(module);
        }
        self.pace.progress(self.reach, Phase::Module, 0, None);
        let from_node = async |url: &str| {
            let message = source::message(self.reach, url, id).await?;
            let proved = signed_module(id, Untrusted::new(message.clone(), url))?;
            Ok((proved, Some(message), None))
        };
        let from_gateway = async |url: &str| {
            let found = gateway::fetch(self.reach, url, id).await?;
            let carrier = found.carrier();
            Ok((module_of(found)?, None, Some(carrier)))
        };
        let found = match self.reach.first_of(&self.sources.schedulers, from_node).await {
            Err(Stop::Sources(mut failures)) => {
                match self.reach.first_of(&self.sources.gateways, from_gateway).await {
                    Err(Stop::Sources(more)) => {
                        failures.merge(more);
                        Err(Stop::Sources(failures))
                    }
                    other => other,
                }
            }
            other => other,
        };
        let (module, message, carrier) = match found {
            Ok(found) => found,
            Err(Stop::Ours(error)) => return Err(error),
            Err(Stop::Sources(failures)) => {
                let error = failures.into_error(&format!("the module {id}"));
                return Err(error.with("subject", "module").with("id", id));
            }
        };
        if let Some(message) = &message {
            write::message(&mut self.pending.batch, id, message)?;
        }
        if let Some(carrier) = &carrier {
            write::carrier(&mut self.pending.batch, id, carrier);
        }
        self.pending.checks += module.checks().len() as u64;
        Ok(module)
    }

    /// Replays what is in the store already and was only verified when it came.
    async fn catch_up(&mut self) -> Result<()> {
        let Some(head) = self.head_slot() else { return Ok(()) };
        let last = self.reach.options.to.map_or(head, |to| to.min(head));
        let mut next = self.replay.as_ref().map_or(0, |replay| replay.slot.saturating_add(1));
        if next > last {
            return Ok(());
        }
        let mut verifier = schedule_verifier_at(&self.archive, &self.process, next).await?;
        while next <= last {
            let (assignment, checks) =
                stored_assignment(&self.archive, &mut verifier, self.process.id, next).await?;
            self.pending.checks += checks.len() as u64;
            self.replay(&assignment).await?;
            self.keep_pace().await?;
            next += 1;
        }
        Ok(())
    }

    /// Takes a proved assignment into the history and, if asked to, replays it.
    async fn take(
        &mut self,
        assignment: &Verified<SignedAssignment>,
        shown: &Tabm,
        order: &[Check],
    ) -> Result<()> {
        let (process, slot) = (self.process.id, assignment.slot);
        for id in &assignment.message_ids {
            if self.archive.slot_of(&self.pending.batch, process, *id).await?.is_none() {
                write::slot_of(&mut self.pending.batch, process, *id, slot);
            }
        }
        self.pending.bytes += write::signed_slot(&mut self.pending.batch, process, slot, shown)?;
        self.pending.verified += 1;
        for check in assignment.checks().iter().chain(order) {
            self.pending.checks += 1;
            let tally = self.record.tallies.entry(check.claim.clone());
            tally.or_insert_with(|| Tally::saying(&check.sentence)).count(&check.status);
        }
        self.record.head = self.verifier.head().cloned();
        if self.reach.options.replay {
            self.replay(assignment).await?;
        }
        self.keep_pace().await
    }

    /// Shows one slot to the process.
    async fn replay(&mut self, assignment: &Verified<SignedAssignment>) -> Result<()> {
        self.ensure_machine().await?;
        let total = self.total();
        let Some(machine) = self.machine.as_mut() else { return Ok(()) };
        let (reach, pace, pending) = (self.reach, &mut self.pace, &self.pending);
        let between = || {
            pace.moving(reach, pending, total);
            reach.check_cancelled()
        };
        let result = evaluate(machine.step_signed(assignment)?, reach.clock, between).await?;
        let replay = self.replay.get_or_insert_with(|| ReplayHead { gas: Some(0), ..ReplayHead::default() });
        replay.slot = assignment.slot;
        replay.memory_sha256 = None;
        replay.evaluated += 1;
        replay.failed += u64::from(result.error.is_some());
        replay.not_replayable += u64::from(!result.not_replayable.is_empty());
        replay.gas = replay.gas.map(|gas| gas.saturating_add(result.gas));
        self.put_result(result)
    }

    fn put_result(&mut self, result: SlotResult) -> Result<()> {
        self.pending.bytes += write::result(&mut self.pending.batch, self.process.id, &result)?;
        self.pending.replayed += 1;
        self.reach.observer.event(Event::Slot(Box::new(result)));
        Ok(())
    }

    /// Between two slots: breathe, tell, commit, each when it is time; stop if the user asked for it.
    async fn keep_pace(&mut self) -> Result<()> {
        let now = self.reach.clock.now_ms();
        self.pace.breathe(self.reach.clock, now).await;
        let total = self.total();
        self.pace.moving(self.reach, &self.pending, total);
        if self.pace.is_due(now, &self.pending, self.reach.options.commit_every_ms) {
            self.commit(false).await?;
        }
        self.reach.check_cancelled()
    }

    /// Writes all that is pending, with the state's snapshot, in one batch. Error: `store-failed`, also if another sync wrote to
    /// the same process meanwhile.
    async fn commit(&mut self, last: bool) -> Result<()> {
        let hash_wanted = last && self.replay.as_ref().is_some_and(|replay| replay.memory_sha256.is_none());
        let nothing = self.pending.batch.writes.is_empty() && !self.pending.record && !hash_wanted;
        if self.pending.void || nothing {
            return Ok(());
        }
        let before = self.reach.clock.now_ms();
        let written = self.write_pending(last).await;
        self.pending.void = written.is_err();
        written?;
        self.pace.committed(before, self.reach.clock.now_ms());
        if let Some(slot) = self.head_slot() {
            self.reach.observer.event(Event::Committed { slot });
        }
        Ok(())
    }

    async fn write_pending(&mut self, last: bool) -> Result<()> {
        self.archive.check_revision(&self.record).await?;
        self.record.revision += 1;
        let mut batch: Batch = std::mem::take(&mut self.pending.batch);
        self.pending.bytes = 0;
        self.pending.record = false;
        if let (Some(replay), Some(machine)) = (self.replay.as_mut(), self.machine.as_mut()) {
            if last {
                replay.memory_sha256 = Some(machine.memory_sha256()?);
            }
            let (process, old) = (self.process.id, self.record.replay.as_ref().map(|replay| replay.slot));
            if old != Some(replay.slot) {
                if let Some(old) = old {
                    write::drop_snapshot(&mut batch, process, old);
                }
                let snapshot = machine.snapshot()?;
                self.archive.put_snapshot(&mut batch, process, replay.slot, &snapshot).await?;
            }
            self.record.replay = Some(replay.clone());
        }
        write::record(&mut batch, &self.record)?;
        self.archive.commit(batch).await
    }

    /// Leaves the machine to the next sync or dry run, if it stands where the store says.
    fn keep_machine(&mut self) {
        if let (Some(machine), Some(replay)) = (self.machine.take(), &self.replay)
            && self.record.replay.as_ref().is_some_and(|stored| stored.slot == replay.slot)
        {
            self.node.cache.keep_live(Live {
                process: self.process.id,
                slot: replay.slot,
                revision: self.record.revision,
                policy: self.reach.options.engine,
                machine,
            });
        }
    }

    /// Slots this sync will have taken at its end, if that is known.
    fn total(&self) -> Option<u64> {
        let last = self.reach.options.to.or(self.latest)?;
        Some(self.pending.verified + last.saturating_add(1).saturating_sub(self.next_slot()))
    }

    fn head_slot(&self) -> Option<u64> {
        self.verifier.slot()
    }

    fn next_slot(&self) -> u64 {
        self.head_slot().map_or(0, |slot| slot.saturating_add(1))
    }

    fn is_reached(&self) -> bool {
        self.reach.options.to.is_some_and(|to| self.head_slot().is_some_and(|slot| slot >= to))
    }

    /// The stored assignment of a slot, or the one that waits for a commit.
    async fn kept(&self, slot: u64) -> Result<Option<Tabm>> {
        self.archive.signed_slot(&self.pending.batch, self.process.id, slot).await
    }

    fn damaged(&self, slot: u64) -> Error {
        corrupt(Table::Slots, &format!("{}/{slot}", self.process.id))
    }
}

/// Whether a failure at a scheduler unit's path may mean that a HyperBEAM node is there: it answered, and neither with a proof that
/// fails nor with what passes.
pub(super) fn may_be_node(error: &Error) -> bool {
    let status = || error.fields().get("status").is_some_and(|status| status == "400" || status == "500");
    match error.code() {
        Code::NotFound | Code::SourceGarbled | Code::PageMalformed => true,
        Code::SourceStatus => status(),
        _ => false,
    }
}
