//! A process that was spawned with a signed AO-Core message, as slot 0 of its schedule has it (reference devices.md §2).

use weft_codec::item::DataItem;
use weft_codec::message::{Generation, Tabm, Value, ans104, structured};
use weft_codec::{Address, Code, Error, Id, Result};

use super::commitment::commitments;
use super::schedule::{SignedAssignment, named_scheduler};
use crate::receipt::Check;
use crate::trust::{Untrusted, Verified};

/// A process, by the message that spawned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedProcess {
    /// Its id.
    pub id: Id,
    /// Who spawned it.
    pub owner: Address,
    /// `scheduler`, as its author wrote it: an address, or several with commas between them.
    pub scheduler: String,
    /// Who signed slot 0, one of those.
    pub signer: Address,
    /// The message, with its commitments.
    pub message: Tabm,
    /// The modules that it names by their ids, in order; none where it carries them.
    pub modules: Vec<Id>,
}

/// The process that slot 0 of a schedule has. Errors: `not-a-process` where the message is none, or says no scheduler;
/// `message-mismatch` for another slot; `module-format-unsupported` for modules that are neither ids nor messages.
pub fn signed_process(id: Id, first: &Verified<SignedAssignment>) -> Result<Verified<SignedProcess>> {
    if first.slot != 0 || !first.message_ids.contains(&id) {
        let what =
            format!("Slot {} has the message {} and not the process {id}.", first.slot, first.message_id);
        return Err(Error::new(Code::MessageMismatch, what));
    }
    let refuse = |what: &str| Error::new(Code::NotAProcess, format!("This is not a process: {what}."));
    let scheduler = named_scheduler(first)?;
    let message = first.shown.map("body").cloned().ok_or_else(|| refuse("there is no message"))?;
    if message.text("type") != Some("Process") {
        return Err(refuse("its type is not Process"));
    }
    let owner = first.authors.first().cloned().ok_or_else(|| refuse("nobody signed it"))?;
    let modules = named_modules(&message)?;
    let mut checks = first.checks().to_vec();
    checks.push(
        Check::proved("process", id, "The process is the message of slot 0, and names who schedules it.")
            .with("owner", &owner)
            .with("scheduler", &scheduler),
    );
    let signer = first.signer.clone();
    Ok(Verified::new(SignedProcess { id, owner, scheduler, signer, message, modules }, checks))
}

/// The ids under `module`: one, or those in a list.
fn named_modules(process: &Tabm) -> Result<Vec<Id>> {
    let unsupported = || {
        let what = "The process's module is neither an id, nor a message, nor a list of them.";
        Error::new(Code::ModuleFormatUnsupported, what)
    };
    let message = structured::from_tabm(process)?;
    let id = |value: &Value| match value {
        Value::Message(_) => Ok(None),
        Value::Link(id) => Ok(Some(*id)),
        other => {
            let id = other.as_text().and_then(|text| text.parse::<Id>().ok());
            id.map(Some).ok_or_else(unsupported)
        }
    };
    match message.get("module") {
        None => Ok(Vec::new()),
        Some(Value::List(values)) => {
            Ok(values.iter().map(id).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
        }
        Some(value) => Ok(id(value)?.into_iter().collect()),
    }
}

/// A module that a process names by its id: what the message of that id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedModule {
    /// Its id.
    pub id: Id,
    /// What is signed of it.
    pub message: Tabm,
}

/// Proves that a message is the one of an id, by a commitment of that id. Errors: `signature-missing`, `signature-invalid`;
/// `id-mismatch` for a message of other ids.
pub fn signed_module(id: Id, message: Untrusted<Tabm>) -> Result<Verified<SignedModule>> {
    let source = message.source().to_owned();
    let (committed, mut checks) = commitments(message)?.into_parts();
    let held = committed.held.into_iter().find(|held| held.id == id).ok_or_else(|| {
        Error::new(Code::IdMismatch, format!("The message that came for {id} has no commitment of that id."))
    })?;
    checks.push(module_check(id).with("from", source));
    Ok(Verified::new(SignedModule { id, message: held.message }, checks))
}

/// A proved item as a module. Errors: those of reading a message.
pub fn module_of_item(item: Verified<DataItem>) -> Result<Verified<SignedModule>> {
    let (item, mut checks) = item.into_parts();
    let message = ans104::from_item(&item, Generation::September2025)?;
    checks.push(module_check(item.id()));
    Ok(Verified::new(SignedModule { id: item.id(), message }, checks))
}

fn module_check(id: Id) -> Check {
    let sentence = "The module is the message that the process names: its id covers all that is used of it.";
    Check::proved("module", id, sentence)
}
