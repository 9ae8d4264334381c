//! Receipt files: everything is proved again from what is in them, and the results are computed again where the module
//! is at hand.

use std::collections::BTreeSet;
use std::path::Path;

use weft_codec::ao::{Carrier, Module, Process};
use weft_codec::item::DataItem;
use weft_codec::transaction::Transaction;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_core::{NodeLimits, ResultCheck};
use weft_verify::{
    Modules, ProvedReceipt, RECEIPT_KIND, ReceiptFile, ReceiptProof, Scope, Status, Untrusted, Verified,
};

use super::{Asked, Line, Report};

/// Whether a file begins as a receipt. It may be large: nothing else should try to read it.
pub(super) fn begins(text: &str) -> bool {
    text.strip_prefix("{\"kind\":\"").is_some_and(|rest| rest.starts_with(RECEIPT_KIND))
}

/// Verifies a receipt: a line for its evidence, one for each claim that is not proved, one for the results.
pub(super) fn verify(path: &str, text: &str, asked: &Asked<'_>, report: &mut Report<'_>) {
    match walk(text.as_bytes(), asked) {
        Ok((proved, made_by, results)) => {
            report.push(&evidence_line(path, &made_by, &proved));
            for line in claim_lines(path, &proved) {
                report.push(&line);
            }
            report.push(&results_line(path, &proved, results));
        }
        Err(error) => report.push(&Line::refused(path, "receipt", error)),
    }
}

/// What came of the results.
enum Results {
    /// So many are the same, here and in the receipt.
    Same {
        compared: u64,
        memory: Option<Id>,
    },
    Differ(Error),
    /// Why nothing can be said.
    NotReplayed(String),
}

fn walk(text: &[u8], asked: &Asked<'_>) -> Result<(Verified<ProvedReceipt>, String, Results)> {
    let file = ReceiptFile::parse(text)?;
    let mut proof = ReceiptProof::open(&file, asked.policy)?;
    let mut check = open_check(&proof, file.scope(), asked);
    let mut fault = None;
    while let Some(slot) = proof.next()? {
        if let (Ok(check), None) = (&mut check, &fault) {
            fault = check.slot(&slot).err();
        }
    }
    let memory = proof.memory_sha256();
    let proved = proof.finish()?;
    let results = match (check, fault) {
        (Err(why), _) => Results::NotReplayed(why),
        (_, Some(error)) => Results::Differ(error),
        (Ok(check), None) => match check.finish(memory) {
            Ok(compared) => Results::Same { compared, memory },
            Err(error) => Results::Differ(error),
        },
    };
    Ok((proved, file.made_by().to_owned(), results))
}

/// Makes ready to replay, or says why not.
fn open_check(proof: &ReceiptProof<'_, '_>, scope: &Scope, asked: &Asked<'_>) -> Result<ResultCheck, String> {
    if asked.no_replay {
        return Err("you asked for none".into());
    }
    if !matches!(scope, Scope::History { .. } | Scope::Slot(0)) {
        return Err(
            "one slot cannot be replayed without those before it; the receipt of the history can".into()
        );
    }
    let process = proof.process();
    let said = |error: Error| format!("{} [{}]", error.sentence(), error.code().as_str());
    let given = given_modules(asked, process, proof.modules()).map_err(said)?;
    let Some(modules) = given.as_ref().or(proof.modules()) else {
        return Err(format!("the module {} is not in the receipt; --module FILE gives it", process.module));
    };
    ResultCheck::new(process, modules, proof.origin(), &NodeLimits::default()).map_err(said)
}

/// The modules from the files the user named, if any. Of one file alone, those after the first are `held`'s.
fn given_modules(
    asked: &Asked<'_>,
    process: &Verified<Process>,
    held: Option<&Modules>,
) -> Result<Option<Modules>> {
    let Some((first, further)) = asked.modules.split_first() else { return Ok(None) };
    let owners = &asked.policy.owners;
    let first = read_module(first, process.module, owners)?;
    let boot = held.and_then(|modules| modules.boot().cloned());
    if further.is_empty() {
        let held = held.map(|modules| modules.further().to_vec());
        return Ok(Some(Modules::new(first, held.unwrap_or_default()).with_boot(boot)));
    }
    let listed = process.listed_modules()?.unwrap_or_default();
    let read = further.iter().enumerate().map(|(index, path)| {
        let more = || Error::new(Code::ModuleMismatch, "More modules are given than the process names.");
        read_module(path, *listed.get(index + 1).ok_or_else(more)?, owners)
    });
    Ok(Some(Modules::new(first, read.collect::<Result<_>>()?).with_boot(boot)))
}

/// A module the process names, from a file: a data item, or a layer-1 transaction's JSON with its data.
fn read_module(path: &Path, expected: Id, owners: &BTreeSet<Address>) -> Result<Verified<Module>> {
    let shown = path.display().to_string();
    let bytes = super::content::read(path)?;
    let carrier = match bytes.first() {
        Some(b'{') => Carrier::from(Transaction::from_json(&bytes)?),
        _ => Carrier::from(DataItem::parse(&bytes)?),
    };
    match carrier {
        Carrier::Item(item) => {
            let item = weft_verify::item(Untrusted::new(*item, shown), Some(expected))?;
            weft_verify::module(item, expected)
        }
        Carrier::Transaction(transaction) => {
            let transaction = Untrusted::new(*transaction, shown);
            let transaction = weft_verify::transaction(transaction, None, Some(expected))?;
            weft_verify::module_from_transaction(transaction, expected, owners)
        }
    }
}

fn evidence_line(path: &str, made_by: &str, proved: &Verified<ProvedReceipt>) -> Line {
    let what = match &proved.scope {
        Scope::History { to, newest } => {
            let newest = if *newest { ", the newest its maker knew" } else { "" };
            format!("slots 0 to {to} follow each other{newest}")
        }
        Scope::Slot(0) => "slot 0 begins the history".to_owned(),
        Scope::Slot(slot) => format!("slot {slot} follows slot {}", slot - 1),
    };
    let count = proved.checks().iter().filter(|check| check.status == Status::Proved).count();
    let said =
        format!("{what}; {count} of {} kinds of check proved again; by {made_by}", proved.checks().len());
    Line::valid(path, "receipt", Some(proved.process), said)
}

/// What is claimed and not proved. It is what follows from the evidence, but it takes belief in whom it names.
fn claim_lines(path: &str, proved: &Verified<ProvedReceipt>) -> Vec<Line> {
    let line = |check: &weft_verify::Check| {
        let place = format!("{path}#{}", check.claim);
        match &check.status {
            Status::Proved => None,
            Status::Trusted { by } => {
                Some(Line::claimed(&place, "trusted", proved.process, format!("by {by}: {}", check.sentence)))
            }
            Status::Agreed { k, n, .. } => {
                let said = format!("{k} of {n} agree: {}", check.sentence);
                Some(Line::claimed(&place, "agreed", proved.process, said))
            }
            _ => Some(Line::claimed(&place, "other", proved.process, check.sentence.clone())),
        }
    };
    proved.checks().iter().filter_map(line).collect()
}

fn results_line(path: &str, proved: &Verified<ProvedReceipt>, results: Results) -> Line {
    let id = Some(proved.process);
    match results {
        _ if proved.results == 0 => Line::skipped(path, "results", "The receipt has no results."),
        Results::Same { compared, memory } => {
            let memory = memory.map_or_else(String::new, |memory| format!(", and the memory is {memory}"));
            Line::valid(path, "results", id, format!("{compared} results are those of a replay here{memory}"))
        }
        Results::Differ(error) => Line::refused(path, "results", error),
        Results::NotReplayed(why) => {
            let count = proved.results;
            Line::skipped(path, "results", &format!("{count} results were not replayed: {why}."))
        }
    }
}
