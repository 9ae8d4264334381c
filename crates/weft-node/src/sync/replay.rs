//! Replay: the process's machine, from its module or from its last snapshot, and one slot after the other.

use std::collections::BTreeSet;

use weft_codec::ao::{Assignment, Module, Process};
use weft_codec::{Code, Error, Id, Result};
use weft_core::{
    MAX_MODULES_BYTES, ModuleOptions, NodeLimits, ProcessMachine, Program, SlotResult, boot_item,
    cron_intervals, dedup, module_ids, view,
};
use weft_verify::{
    BootItem, Check, Entry, EntryKind, Head, HistoryVerifier, Modules, SchedulerPolicy, Untrusted, Verified,
};

use super::{Run, prove_carrier, stored_process};
use crate::archive::{Archive, Boot, Record, ReplayHead, corrupt, write};
use crate::evaluate::evaluate;
use crate::event::{Event, Observer, Phase};
use crate::gateway;
use crate::node::{Live, Node};
use crate::reach::Stop;
use crate::rewritten;
use crate::scheduler;
use crate::seams::{Batch, Clock, Fetch, Store, Table};

/// A process that is being replayed.
pub(super) struct Player {
    machine: ProcessMachine,
    /// The last slot it was shown.
    slot: Option<u64>,
    evaluated: u64,
    duplicates: u64,
    failed: u64,
    not_replayable: u64,
    gas: Option<u64>,
}

/// The process and its module, as the store has them, proved again.
pub(crate) struct Proofs {
    pub(crate) process: Verified<Process>,
    pub(crate) modules: Option<Modules>,
}

impl Proofs {
    /// Why they are what they are.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let mut checks = self.process.checks().to_vec();
        checks.extend(self.modules.iter().flat_map(Modules::checks).cloned());
        checks
    }
}

/// Proves process and module of a record from the store. A module that was never needed is not there.
pub(crate) async fn stored_proofs<S: Store>(archive: &Archive<'_, S>, record: &Record) -> Result<Proofs> {
    let process = stored_process(archive, record.process).await?;
    let modules = match stored_module(archive, process.module).await? {
        Some(first) => {
            let boot = match boot_item(&process, &first)? {
                Some(id) => stored_boot(archive, id).await?,
                None => None,
            };
            Some(stored_modules(archive, record, first).await?.with_boot(boot))
        }
        None => None,
    };
    Ok(Proofs { process, modules })
}

/// A module and those after it that the record names.
async fn stored_modules<S: Store>(
    archive: &Archive<'_, S>,
    record: &Record,
    first: Verified<Module>,
) -> Result<Modules> {
    let mut further = Vec::new();
    for id in &record.further_modules {
        let module = stored_module(archive, *id).await?;
        further.push(module.ok_or_else(|| corrupt(Table::Items, &id.to_string()))?);
    }
    Ok(Modules::new(first, further))
}

async fn stored_boot<S: Store>(archive: &Archive<'_, S>, id: Id) -> Result<Option<Verified<BootItem>>> {
    let Some(carrier) = archive.carrier(id).await? else { return Ok(None) };
    let proved = prove_carrier(carrier, id).and_then(|found| {
        let owner = BTreeSet::from([found.owner()]);
        found.into_boot(id, &owner)
    });
    proved.map(Some).map_err(|cause| corrupt(Table::Items, &id.to_string()).because(cause))
}

async fn stored_module<S: Store>(archive: &Archive<'_, S>, id: Id) -> Result<Option<Verified<Module>>> {
    let Some(carrier) = archive.carrier(id).await? else { return Ok(None) };
    prove_carrier(carrier, id)
        .and_then(|found| {
            let owner = BTreeSet::from([found.owner()]);
            found.into_module(id, &owner)
        })
        .map(Some)
        .map_err(|cause| corrupt(Table::Items, &id.to_string()).because(cause))
}

/// The machine as the record's snapshot left it.
pub(crate) async fn stored_machine<S: Store, F: Fetch, C: Clock>(
    node: &Node<S, F, C>,
    archive: &Archive<'_, S>,
    record: &Record,
    limits: &NodeLimits,
) -> Result<ProcessMachine> {
    let Proofs { process, modules } = stored_proofs(archive, record).await?;
    let modules = modules.ok_or_else(|| corrupt(Table::Items, &record.module.to_string()))?;
    Ok(restore(node, archive, record, &process, &modules, limits).await?.0)
}

/// The machine, and its program.
async fn restore<S: Store, F: Fetch, C: Clock>(
    node: &Node<S, F, C>,
    archive: &Archive<'_, S>,
    record: &Record,
    process: &Verified<Process>,
    modules: &Modules,
    limits: &NodeLimits,
) -> Result<(ProcessMachine, Program)> {
    let module = modules.first();
    let options = ModuleOptions::read(&process.tags, &module.tags, limits)?;
    let policy = node.cache.policy();
    let engines = node.engines(policy);
    let compile = async || rewritten::program(node.store(), process, modules, &options, &engines).await;
    let program = node.cache.program(modules.all_ids(), &options, policy, compile).await?;
    let Some(replay) = &record.replay else {
        return Ok((ProcessMachine::new(process, module, &program, &options)?, program));
    };
    let key = format!("{}/{}", record.process, replay.slot);
    let snapshot = archive.snapshot(record.process, replay.slot).await?;
    let snapshot = snapshot.ok_or_else(|| corrupt(Table::Snapshots, &key))?;
    let machine = ProcessMachine::restore(process, module, &program, &options, &snapshot)
        .map_err(|cause| corrupt(Table::Snapshots, &key).because(cause))?;
    Ok((machine, program))
}

impl<'a, S: Store, F: Fetch, C: Clock, O: Observer> Run<'a, S, F, C, O> {
    /// Makes the machine ready, once. A process that cannot be run here is refused.
    pub(super) async fn ensure_player(&mut self) -> Result<()> {
        if self.player.is_some() {
            return Ok(());
        }
        self.check_crons()?;
        let machine = match self.node.cache.take_live(&self.record) {
            Some(machine) => machine,
            None => self.make_machine().await?,
        };
        self.record.engine = Some(machine.engine());
        let replay = self.record.replay.as_ref();
        self.player = Some(Player {
            machine,
            slot: replay.map(|replay| replay.slot),
            evaluated: replay.map_or(0, |replay| replay.evaluated),
            duplicates: replay.map_or(0, |replay| replay.duplicates),
            failed: replay.map_or(0, |replay| replay.failed),
            not_replayable: replay.map_or(0, |replay| replay.not_replayable),
            gas: replay.map_or(Some(0), |replay| replay.gas),
        });
        Ok(())
    }

    fn check_crons(&mut self) -> Result<()> {
        let crons: Vec<String> = cron_intervals(&self.process.tags)
            .into_iter()
            .map(|text| text.chars().take(60).collect())
            .collect();
        if !crons.is_empty() && !self.reach.options.without_crons {
            let intervals = crons.join(", ");
            let what = format!(
                "The process has cron messages ({intervals}), which no scheduler signs and this version does not make. \
                 Replaying without them gives other results than the network's; allow it if that is what you want."
            );
            return Err(Error::new(Code::CronUnsupported, what).with("intervals", intervals));
        }
        self.record.crons_left_out = crons;
        Ok(())
    }

    async fn make_machine(&mut self) -> Result<ProcessMachine> {
        let id = self.process.module;
        let first = self.ensure_module(id).await?;
        let ids = module_ids(&self.process, &first)?;
        let mut further = Vec::new();
        let mut bytes = first.data.len();
        for id in ids.iter().skip(1) {
            let module = self.ensure_module(*id).await?;
            bytes = bytes.saturating_add(module.data.len());
            further.push(module);
            if bytes > MAX_MODULES_BYTES {
                // What has them all says the same; no more are fetched.
                let what =
                    format!("The process's modules have more than {MAX_MODULES_BYTES} bytes together.");
                return Err(Error::new(Code::TooLarge, what));
            }
        }
        self.record.further_modules = ids.get(1..).unwrap_or_default().to_vec();
        let boot = match boot_item(&self.process, &first)? {
            Some(id) => Some(self.ensure_boot(id).await?),
            None => None,
        };
        let modules = Modules::new(first, further).with_boot(boot);
        self.reach.clock.breathe().await;
        let limits = &self.reach.options.limits;
        let restored = restore(self.node, &self.archive, &self.record, &self.process, &modules, limits);
        let (machine, program) = restored.await?;
        for module in modules.iter() {
            self.reach.observer.event(Event::Module {
                module: module.id,
                format: module.format.clone(),
                bytes: module.data.len() as u64,
                engine: program.engine().to_owned(),
                refused: program.refused().map(str::to_owned),
            });
        }
        Ok(machine)
    }

    async fn ensure_module(&mut self, id: Id) -> Result<Verified<Module>> {
        match stored_module(&self.archive, id).await? {
            Some(module) => Ok(module),
            None => self.fetch_module(id).await,
        }
    }

    /// The item that the process boots from: part of its state, signed by whoever wrote it, and by no scheduler.
    async fn ensure_boot(&mut self, id: Id) -> Result<Verified<BootItem>> {
        if let Some(boot) = stored_boot(&self.archive, id).await? {
            return Ok(boot);
        }
        self.pace.progress(self.reach, Phase::Module, 0, None);
        let from_gateway = async |url: &str| {
            let found = gateway::fetch(self.reach, url, id).await?;
            let carrier = found.carrier();
            Ok((carrier, found.into_boot(id, &self.reach.options.accepted_owners)?))
        };
        let found = self.reach.first_of(&self.sources.gateways, from_gateway).await;
        let (carrier, boot) = match found {
            Ok(found) => found,
            Err(Stop::Ours(error)) => return Err(error),
            Err(Stop::Sources(failures)) => {
                let error = failures.into_error(&format!("the item {id} that the process boots from"));
                return Err(error.with("subject", "boot").with("id", id));
            }
        };
        write::carrier(&mut self.pending.batch, id, &carrier);
        self.pending.checks += boot.checks().len() as u64;
        Ok(boot)
    }

    async fn fetch_module(&mut self, id: Id) -> Result<Verified<Module>> {
        self.pace.progress(self.reach, Phase::Module, 0, None);
        let from_gateway = async |url: &str| {
            let found = gateway::fetch(self.reach, url, id).await?;
            let carrier = found.carrier();
            Ok((carrier, found.into_module(id, &self.reach.options.accepted_owners)?))
        };
        let found = self.reach.first_of(&self.sources.gateways, from_gateway).await;
        let (carrier, module) = match found {
            Ok(found) => found,
            Err(Stop::Ours(error)) => return Err(error),
            Err(Stop::Sources(failures)) => {
                let error = failures.into_error(&format!("the module {id}"));
                return Err(error.with("subject", "module").with("id", id));
            }
        };
        write::carrier(&mut self.pending.batch, id, &carrier);
        self.pending.checks += module.checks().len() as u64;
        let size = module.data.len() as u64;
        self.pace.progress(self.reach, Phase::Module, size, Some(size));
        Ok(module)
    }

    /// Replays what is in the store already and was only verified when it came.
    pub(super) async fn catch_up(&mut self) -> Result<()> {
        let Some(head) = self.record.head.as_ref().map(|head| head.slot) else { return Ok(()) };
        let last = self.reach.options.to.map_or(head, |to| to.min(head));
        let mut next = self.record.replay.as_ref().map_or(0, |replay| replay.slot.saturating_add(1));
        if next > last {
            return Ok(());
        }
        let policy = self.reach.options.policy();
        let mut verifier = verifier_at(&self.archive, &self.process, policy, next).await?;
        while next <= last {
            let entry = stored_entry(&self.archive, &mut verifier, self.process.id, next).await?;
            let earlier =
                self.archive.slot_of(&self.pending.batch, self.process.id, entry.message.id()).await?;
            self.pending.checks += entry.checks().len() as u64;
            self.replay(&entry, earlier).await?;
            self.keep_pace().await?;
            next += 1;
        }
        Ok(())
    }

    /// Shows one slot to the process. `earlier` is the first slot its message has in this history.
    pub(super) async fn replay(&mut self, entry: &Verified<Entry>, earlier: Option<u64>) -> Result<()> {
        self.ensure_player().await?;
        let itself = self.player.as_ref().is_some_and(|player| player.machine.begins_with_itself());
        if entry.slot == 0 && entry.kind != EntryKind::Process && itself {
            self.boot().await?;
        }
        let (process, total) = (self.process.id, self.total());
        let form = view::form(entry, earlier.is_some_and(|slot| slot < entry.slot));
        let key = dedup::key(entry, form);
        let guarded =
            key.guarded && self.player.as_ref().is_some_and(|player| player.machine.leaves_out_copies());
        let evaluated = match guarded {
            true => self.archive.evaluated_at(&self.pending.batch, process, &key.text).await?,
            false => None,
        };
        let Some(player) = self.player.as_mut() else { return Ok(()) };
        let result = match evaluated {
            Some(first) => {
                player.duplicates += 1;
                SlotResult::duplicate(entry, first)
            }
            None => {
                let evaluation = player.machine.step(entry, form)?;
                let (reach, pace, pending) = (self.reach, &mut self.pace, &self.pending);
                let between = || {
                    pace.moving(reach, pending, total);
                    reach.check_cancelled()
                };
                let result = evaluate(evaluation, reach.clock, between).await;
                // What is not committed is done again where that is faster than to put it down; else the slots before one that is
                // beyond this node are kept.
                self.pending.void |= result.is_err() && !player.machine.saves_at_once();
                let result = result?;
                write::evaluated_at(&mut self.pending.batch, process, &key.text, entry.slot);
                player.evaluated += 1;
                result
            }
        };
        player.failed += u64::from(result.error.is_some());
        player.not_replayable += u64::from(!result.not_replayable.is_empty());
        player.gas = player.gas.map(|gas| gas.saturating_add(result.gas));
        player.slot = Some(entry.slot);
        self.put_result(result)
    }

    /// Shows a process older than the boot loader its own item first.
    async fn boot(&mut self) -> Result<()> {
        let id = self.process.id;
        let origin = async |url: &str| {
            let (block_height, timestamp) = scheduler::origin(self.reach, url, id).await?;
            Ok(Boot { block_height, timestamp, source: url.to_owned() })
        };
        let boot = match self.reach.first_of(&self.schedulers, origin).await {
            Ok(boot) => boot,
            Err(Stop::Ours(error)) => return Err(error),
            Err(Stop::Sources(failures)) => {
                return Err(failures.into_error(&format!("when the process {id} began")));
            }
        };
        if let Some(player) = self.player.as_mut() {
            let evaluation = player.machine.boot(&self.process, boot.block_height, boot.timestamp)?;
            evaluate(evaluation, self.reach.clock, || self.reach.check_cancelled()).await?;
        }
        self.record.boot = Some(boot);
        Ok(())
    }

    /// Has the referee look at the last message, if it did not: a checkpoint rests on it.
    pub(super) async fn check_last(&mut self) -> Result<()> {
        let Some(player) = self.player.as_mut() else { return Ok(()) };
        if let Some(evaluation) = player.machine.check_last()? {
            evaluate(evaluation, self.reach.clock, || Ok(())).await?;
        }
        Ok(())
    }

    /// Whether a checkpoint may rest on the last message. If not, the referee will look at the next one.
    pub(super) fn may_commit(&mut self) -> bool {
        let Some(player) = self.player.as_mut() else { return true };
        if !player.machine.is_checked() {
            player.machine.check_next();
        }
        player.machine.is_checked()
    }

    /// Keeps what two engines made of a message at which they differed.
    pub(super) async fn keep_divergence(&self) -> Result<()> {
        let report = self.player.as_ref().and_then(|player| player.machine.divergence());
        let Some(report) = report else { return Ok(()) };
        let mut batch = Batch::default();
        write::divergence(&mut batch, self.process.id, report);
        self.archive.commit(batch).await
    }

    /// Whether the record lacks the memory hash that the end of a sync adds.
    pub(super) fn wants_memory_hash(&self) -> bool {
        let at = self.player.as_ref().and_then(|player| player.slot);
        let hashed = self
            .record
            .replay
            .as_ref()
            .is_some_and(|replay| Some(replay.slot) == at && replay.memory_sha256.is_some());
        at.is_some() && !hashed
    }

    /// Adds the state after the last replayed slot to a batch, in place of the older one. `last` adds the hash of
    /// its memory to the record.
    pub(super) async fn write_snapshot(&mut self, batch: &mut Batch, last: bool) -> Result<()> {
        let Some(player) = self.player.as_mut() else { return Ok(()) };
        let Some(slot) = player.slot else { return Ok(()) };
        let memory_sha256 = if last { Some(player.machine.memory_sha256()?) } else { None };
        let old = self.record.replay.as_ref().map(|replay| replay.slot);
        if old != Some(slot) {
            let process = self.process.id;
            let snapshot = player.machine.snapshot()?;
            if let Some(old) = old {
                write::drop_snapshot(batch, process, old);
            }
            self.archive.put_snapshot(batch, process, slot, &snapshot).await?;
        } else if memory_sha256.is_none() {
            return Ok(());
        }
        self.record.replay = Some(ReplayHead {
            slot,
            memory_sha256,
            evaluated: player.evaluated,
            duplicates: player.duplicates,
            failed: player.failed,
            not_replayable: player.not_replayable,
            gas: player.gas,
        });
        Ok(())
    }

    /// Leaves the machine to the next sync or dry run, if it stands where the store says.
    pub(super) fn keep_machine(&mut self) {
        if let (Some(player), Some(replay)) = (self.player.take(), &self.record.replay)
            && player.slot == Some(replay.slot)
        {
            self.node.cache.keep_live(Live {
                process: self.process.id,
                slot: replay.slot,
                revision: self.record.revision,
                policy: self.reach.options.engine,
                machine: player.machine,
            });
        }
    }
}

/// A verifier that expects a slot of a stored history.
pub(crate) async fn verifier_at<S: Store>(
    archive: &Archive<'_, S>,
    process: &Verified<Process>,
    policy: SchedulerPolicy,
    slot: u64,
) -> Result<HistoryVerifier> {
    let Some(before) = slot.checked_sub(1) else { return Ok(HistoryVerifier::new(process, policy)) };
    let damaged = || corrupt(Table::Slots, &format!("{}/{before}", process.id));
    let entry = archive.slot(&Batch::default(), process.id, before).await?.ok_or_else(damaged)?;
    let assignment = Assignment::read(entry.assignment).map_err(|cause| damaged().because(cause))?;
    let head = Head::at(&assignment);
    Ok(HistoryVerifier::resume(process, policy, head))
}

/// A stored slot, proved again. A scheduler that the user accepted then and does not accept now is refused as
/// such; anything else that fails is the store's damage.
pub(crate) async fn stored_entry<S: Store>(
    archive: &Archive<'_, S>,
    verifier: &mut HistoryVerifier,
    process: Id,
    slot: u64,
) -> Result<Verified<Entry>> {
    let damaged = || corrupt(Table::Slots, &format!("{process}/{slot}"));
    let entry = archive.slot(&Batch::default(), process, slot).await?.ok_or_else(damaged)?;
    verifier.next(Untrusted::new(entry, "the store")).map_err(|error| match error.code() {
        Code::SchedulerMismatch => error,
        _ => damaged().because(error),
    })
}
