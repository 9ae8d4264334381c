//! A signed process, its modules and its schedule in the store; whatever is read from there is proved again.

use weft_codec::{Code, Error, Id, Result};
use weft_core::{NodeLimits, ProcessMachine, SignedModules};
use weft_verify::http::{
    ScheduleVerifier, SignedAssignment, SignedModule, SignedProcess, module_of_item, signed_assignment,
    signed_module, signed_process,
};
use weft_verify::{Check, Untrusted, Verified};

use crate::archive::{Archive, Record, corrupt};
use crate::gateway::Found;
use crate::seams::{Batch, Store, Table};
use crate::sync::prove_carrier;

/// The process of a record. Error: `store-corrupt`.
pub(crate) async fn stored_signed_process<S: Store>(
    archive: &Archive<'_, S>,
    id: Id,
) -> Result<Verified<SignedProcess>> {
    let damaged = || corrupt(Table::Slots, &format!("{id}/0"));
    let first = archive.signed_slot(&Batch::default(), id, 0).await?.ok_or_else(damaged)?;
    let first =
        signed_assignment(Untrusted::new(first, "the store")).map_err(|cause| damaged().because(cause))?;
    signed_process(id, &first).map_err(|cause| damaged().because(cause))
}

/// A module that was kept; none if it is not there. Error: `store-corrupt`.
pub(super) async fn stored_module<S: Store>(
    archive: &Archive<'_, S>,
    id: Id,
) -> Result<Option<Verified<SignedModule>>> {
    let damaged = |cause: Error| corrupt(Table::Items, &id.to_string()).because(cause);
    if let Some(message) = archive.message(id).await? {
        return signed_module(id, Untrusted::new(message, "the store")).map(Some).map_err(damaged);
    }
    let Some(carrier) = archive.carrier(id).await? else { return Ok(None) };
    module_of(prove_carrier(carrier, id).map_err(damaged)?).map(Some).map_err(damaged)
}

/// A proved item as a module. Error: `module-format-unsupported` for a layer-1 transaction.
pub(super) fn module_of(found: Found) -> Result<Verified<SignedModule>> {
    match found {
        Found::Item(item) => module_of_item(item),
        Found::Transaction(_) => Err(Error::new(
            Code::ModuleFormatUnsupported,
            "The module is a layer-1 transaction, which this version does not run with Lua.",
        )),
    }
}

/// Why the process and its modules are what they are, from the store.
pub(crate) async fn stored_checks<S: Store>(archive: &Archive<'_, S>, record: &Record) -> Result<Vec<Check>> {
    let process = stored_signed_process(archive, record.process).await?;
    let mut checks = process.checks().to_vec();
    for id in &process.modules {
        if let Some(module) = stored_module(archive, *id).await? {
            checks.extend_from_slice(module.checks());
        }
    }
    Ok(checks)
}

/// The machine as the record's snapshot left it, or before slot 0.
pub(crate) async fn stored_signed_machine<S: Store>(
    archive: &Archive<'_, S>,
    record: &Record,
    process: &Verified<SignedProcess>,
    modules: &SignedModules,
    limits: &NodeLimits,
) -> Result<ProcessMachine> {
    let Some(replay) = &record.replay else { return ProcessMachine::of_signed(process, modules, limits) };
    let damaged = || corrupt(Table::Snapshots, &format!("{}/{}", record.process, replay.slot));
    let snapshot = archive.snapshot(record.process, replay.slot).await?.ok_or_else(damaged)?;
    ProcessMachine::restore_signed(process, limits, &snapshot).map_err(|cause| damaged().because(cause))
}

/// A verifier that expects a slot of a stored schedule. Error: `store-corrupt`.
pub(crate) async fn schedule_verifier_at<S: Store>(
    archive: &Archive<'_, S>,
    process: &SignedProcess,
    slot: u64,
) -> Result<ScheduleVerifier> {
    let Some(before) = slot.checked_sub(1) else { return Ok(ScheduleVerifier::new(process.id)) };
    let damaged = || corrupt(Table::Slots, &format!("{}/{before}", process.id));
    let assignment = archive.signed_slot(&Batch::default(), process.id, before).await?.ok_or_else(damaged)?;
    let proved = signed_assignment(Untrusted::new(assignment, "the store"))
        .map_err(|cause| damaged().because(cause))?;
    Ok(ScheduleVerifier::resume(process.id, &process.scheduler, proved.head()))
}

/// A stored slot, proved again, with all its checks. Error: `store-corrupt`.
pub(crate) async fn stored_assignment<S: Store>(
    archive: &Archive<'_, S>,
    verifier: &mut ScheduleVerifier,
    process: Id,
    slot: u64,
) -> Result<(Verified<SignedAssignment>, Vec<Check>)> {
    let damaged = || corrupt(Table::Slots, &format!("{process}/{slot}"));
    let assignment = archive.signed_slot(&Batch::default(), process, slot).await?.ok_or_else(damaged)?;
    let proved = signed_assignment(Untrusted::new(assignment, "the store"))
        .map_err(|cause| damaged().because(cause))?;
    let order = verifier.next(&proved).map_err(|cause| damaged().because(cause))?;
    let checks = [proved.checks(), order.as_slice()].concat();
    Ok((proved, checks))
}

/// The modules of a stored process. Error: `store-corrupt` for one that is not there.
pub(crate) async fn stored_modules<S: Store>(
    archive: &Archive<'_, S>,
    process: &SignedProcess,
) -> Result<SignedModules> {
    let mut modules = SignedModules::default();
    for id in &process.modules {
        let module = stored_module(archive, *id).await?;
        let module = module.ok_or_else(|| corrupt(Table::Items, &id.to_string()))?;
        modules.add(*id, &module.message)?;
    }
    Ok(modules)
}

/// A verifier of a schedule from its first slot.
pub(crate) fn schedule_verifier(process: Id) -> ScheduleVerifier {
    ScheduleVerifier::new(process)
}
