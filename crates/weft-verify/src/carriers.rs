//! Processes and modules, from the items or transactions that carry them.

use std::collections::BTreeSet;

use weft_codec::ao::{Carrier, Module, Process};
use weft_codec::item::DataItem;
use weft_codec::transaction::Transaction;
use weft_codec::{Address, Code, Error, Id, Result};

use crate::receipt::{Check, Status};
use crate::trust::Verified;

/// The modules a process runs on, each proved, in the order they run: one, or those that a Lua process lists.
#[derive(Clone, Debug)]
pub struct Modules {
    first: Verified<Module>,
    further: Vec<Verified<Module>>,
    boot: Option<Verified<BootItem>>,
}

/// The item that a process boots from (`On-Boot`): what it reads of Arweave, and no scheduler signs.
#[derive(Clone, Debug)]
pub struct BootItem {
    /// Its id.
    pub id: Id,
    /// Its data.
    pub data: Vec<u8>,
}

impl Modules {
    /// These, in this order. Whether it is the process's is for who runs them to see.
    #[must_use]
    pub const fn new(first: Verified<Module>, further: Vec<Verified<Module>>) -> Self {
        Self { first, further, boot: None }
    }

    /// With the item that the process boots from.
    #[must_use]
    pub fn with_boot(self, boot: Option<Verified<BootItem>>) -> Self {
        Self { boot, ..self }
    }

    /// The item that the process boots from.
    #[must_use]
    pub const fn boot(&self) -> Option<&Verified<BootItem>> {
        self.boot.as_ref()
    }

    /// The ids of all that a process's state depends on beside its history.
    #[must_use]
    pub fn all_ids(&self) -> Vec<Id> {
        self.ids().into_iter().chain(self.boot.as_ref().map(|boot| boot.id)).collect()
    }

    /// Why all of it is what it is.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        let boot = self.boot.iter().flat_map(|boot| boot.checks());
        self.iter().flat_map(|module| module.checks()).chain(boot)
    }

    /// The one that the process names first, or alone.
    #[must_use]
    pub const fn first(&self) -> &Verified<Module> {
        &self.first
    }

    /// Those after the first.
    #[must_use]
    pub fn further(&self) -> &[Verified<Module>] {
        &self.further
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Verified<Module>> {
        std::iter::once(&self.first).chain(&self.further)
    }

    /// Their ids.
    #[must_use]
    pub fn ids(&self) -> Vec<Id> {
        self.iter().map(|module| module.id).collect()
    }
}

impl From<Verified<Module>> for Modules {
    fn from(first: Verified<Module>) -> Self {
        Self::new(first, Vec::new())
    }
}

/// Reads a process from a verified item. Errors: `not-a-process`, `too-large`.
pub fn process(item: Verified<DataItem>) -> Result<Verified<Process>> {
    let (item, checks) = item.into_parts();
    read_process(item.into(), checks)
}

/// Reads a process from a verified layer-1 transaction. `owners` are those that the user names: an ECDSA transaction
/// counts only if it is one of theirs. Its id is the hash of its signature, and the same signature over other fields
/// verifies as another key's: whoever serves it could choose the fields, and with them the module and the scheduler.
/// Errors as [`process`], and `owner-unproved`.
pub fn process_from_transaction(
    transaction: Verified<Transaction>,
    owners: &BTreeSet<Address>,
) -> Result<Verified<Process>> {
    let (transaction, checks) = owned(transaction, owners)?;
    read_process(transaction.into(), checks)
}

/// A transaction whose id binds its fields, or whose owner the user named.
fn owned(
    transaction: Verified<Transaction>,
    owners: &BTreeSet<Address>,
) -> Result<(Transaction, Vec<Check>)> {
    let (transaction, mut checks) = transaction.into_parts();
    if !transaction.is_ecdsa() {
        return Ok((transaction, checks));
    }
    let owner = transaction.owner_address();
    if !owners.contains(&owner) {
        let what = format!(
            "The key of {} is found from its signature: with these fields it is that of {owner}, with others another's. \
             It counts if you know from elsewhere that this is the owner, and name it.",
            transaction.id
        );
        return Err(Error::new(Code::OwnerUnproved, what).with("owner", owner).with("id", transaction.id));
    }
    for check in checks.iter_mut().filter(|check| check.claim == "transaction-owner") {
        check.status = Status::Trusted { by: "you".to_owned() };
        check.sentence = "You named this owner. The signature over these fields is that owner's.".to_owned();
    }
    Ok((transaction, checks))
}

fn read_process(carrier: Carrier, mut checks: Vec<Check>) -> Result<Verified<Process>> {
    let process = Process::read(carrier)?;
    checks.push(
        Check::proved("process", process.id, "Its signed tags make it a process.")
            .with("owner", &process.owner)
            .with("module", process.module)
            .with("scheduler", &process.scheduler),
    );
    Ok(Verified::new(process, checks))
}

/// Reads a module from a verified item; `expected` is the process's `Module` tag. Errors: `module-mismatch`,
/// `not-a-module`.
pub fn module(item: Verified<DataItem>, expected: Id) -> Result<Verified<Module>> {
    let (item, checks) = item.into_parts();
    read_module(item.into(), checks, expected)
}

/// Reads a module from a verified layer-1 transaction; `owners` as in [`process_from_transaction`]. Errors as [`module`],
/// `owner-unproved`, and `data-root-mismatch` if the transaction was verified without its data.
pub fn module_from_transaction(
    transaction: Verified<Transaction>,
    expected: Id,
    owners: &BTreeSet<Address>,
) -> Result<Verified<Module>> {
    let (transaction, checks) = owned(transaction, owners)?;
    if transaction.data.len() as u64 != transaction.data_size {
        return Err(Error::new(Code::DataRootMismatch, "The module's data were not there to be checked."));
    }
    read_module(transaction.into(), checks, expected)
}

/// Reads the item that a process boots from; `expected` is its `On-Boot` tag. Error: `module-mismatch`.
pub fn boot_item(item: Verified<DataItem>, expected: Id) -> Result<Verified<BootItem>> {
    let (item, checks) = item.into_parts();
    read_boot(&item.into(), checks, expected)
}

/// As [`boot_item`], of a layer-1 transaction; `owners` as in [`process_from_transaction`]. Errors as [`boot_item`], `owner-unproved`, and
/// `data-root-mismatch` if the transaction was verified without its data.
pub fn boot_item_from_transaction(
    transaction: Verified<Transaction>,
    expected: Id,
    owners: &BTreeSet<Address>,
) -> Result<Verified<BootItem>> {
    let (transaction, checks) = owned(transaction, owners)?;
    if transaction.data.len() as u64 != transaction.data_size {
        return Err(Error::new(Code::DataRootMismatch, "The item's data were not there to be checked."));
    }
    read_boot(&transaction.into(), checks, expected)
}

fn read_boot(carrier: &Carrier, mut checks: Vec<Check>, expected: Id) -> Result<Verified<BootItem>> {
    let id = carrier.id();
    if id != expected {
        let what = format!("The process boots from {expected}; this is {id}.");
        return Err(Error::new(Code::ModuleMismatch, what).with("expected", expected).with("found", id));
    }
    let data = carrier.data().to_vec();
    checks.push(
        Check::proved("boot-item", id, "It is the item that the process boots from.")
            .with("data-sha256", Id::sha256(&data))
            .with("bytes", data.len()),
    );
    Ok(Verified::new(BootItem { id, data }, checks))
}

fn read_module(carrier: Carrier, mut checks: Vec<Check>, expected: Id) -> Result<Verified<Module>> {
    let id = carrier.id();
    if id != expected {
        let what = format!("The process names the module {expected}; this is {id}.");
        return Err(Error::new(Code::ModuleMismatch, what).with("expected", expected).with("found", id));
    }
    let module = Module::read(carrier)?;
    checks.push(
        Check::proved("module-id", id, "It is the module that the process names.")
            .with("format", &module.format)
            .with("data-sha256", Id::sha256(&module.data))
            .with("bytes", module.data.len()),
    );
    Ok(Verified::new(module, checks))
}
