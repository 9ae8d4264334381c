//! `weft replay PROCESS`: fetch, verify, replay, and say what came of it.

use std::cell::RefCell;
use std::fs::File;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use weft_codec::{Address, Code, Error, Id, Result};
use weft_core::SlotResult;
use weft_node::memory::MemoryStore;
use weft_node::net::HistoryFetch;
use weft_node::seams::{Fetch, Store};
use weft_node::{
    Event, HistoryFile, IncludedItem, Node, Observer, Options, Phase, ReceiptRequest, ReceiptSlots, Sources,
    Summary,
};
use weft_verify::{Receipt, Status};

use super::{Inclusion, Lines, inclusion};
use crate::native::{FileStore, NativeClock, NativeFetch};

/// How much of an output goes on a line.
const SHOWN_CHARS: usize = 100;
/// Results read from the store at a time.
const RESULTS_STEP: usize = 256;

/// `weft replay PROCESS`
#[derive(Debug)]
pub struct ProcessReplay {
    /// The process.
    pub process: Id,
    /// Its history from a file; nobody is asked then.
    pub history: Option<HistoryFile>,
    /// Scheduler units, in order of preference.
    pub schedulers: Vec<String>,
    /// Arweave gateways, in order of preference.
    pub gateways: Vec<String>,
    /// The last slot wanted; without it all there are.
    pub to: Option<u64>,
    /// Addresses accepted beside the process's own scheduler.
    pub accepted: Vec<Address>,
    /// Owners named for ECDSA carriers.
    pub accepted_owners: Vec<Address>,
    /// Where what is proved and replayed is kept.
    pub store: Option<PathBuf>,
    /// Replays a process that has cron messages without them.
    pub without_crons: bool,
    /// Only fetches and verifies.
    pub verify_only: bool,
    /// Where the receipt of the history goes.
    pub receipt: Option<PathBuf>,
    /// How many sources of one kind must say the same; without it a majority.
    pub quorum: Option<u32>,
    /// Where fraud proofs go.
    pub frauds: Option<PathBuf>,
    /// The slots whose items shall be proved to be in a block.
    pub inclusion: Vec<Inclusion>,
}

/// Runs the command: results on stdout, progress and failures of sources on stderr. Exit codes: 0 proved and
/// replayed, 1 refused, 2 wrong usage or no source reached.
///
/// # Errors
///
/// Only if stdout cannot be written.
pub async fn run(args: ProcessReplay, lines: Lines) -> Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let watch = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
        }
    });
    let outcome = match &args.store {
        None => Box::pin(replay_into(MemoryStore::new(), &args, lines, stop)).await,
        Some(folder) => match FileStore::open(folder) {
            Ok(store) => Box::pin(replay_into(store, &args, lines, stop)).await,
            Err(error) => refuse(lines.json, &error),
        },
    };
    watch.abort();
    outcome
}

async fn replay_into<S: Store>(
    store: S,
    args: &ProcessReplay,
    lines: Lines,
    stop: Arc<AtomicBool>,
) -> Result<ExitCode> {
    let Some(file) = &args.history else {
        let sources = Sources { schedulers: args.schedulers.clone(), gateways: args.gateways.clone() };
        let node = Node::new(store, NativeFetch::new(), NativeClock);
        return Box::pin(replay(&node, &sources, args, lines, stop)).await;
    };
    let unit = |name: &str| vec![format!("{}/{name}", HistoryFetch::ORIGIN)];
    let sources = Sources { schedulers: unit("su"), gateways: unit("gateway") };
    match HistoryFetch::new(file).await {
        Ok(fetch) => {
            Box::pin(replay(&Node::new(store, fetch, NativeClock), &sources, args, lines, stop)).await
        }
        Err(error) => refuse(lines.json, &error),
    }
}

async fn replay<S: Store, F: Fetch>(
    node: &Node<S, F, NativeClock>,
    sources: &Sources,
    args: &ProcessReplay,
    lines: Lines,
    stop: Arc<AtomicBool>,
) -> Result<ExitCode> {
    let json = lines.json;
    let options = Options {
        to: args.to,
        accepted_schedulers: args.accepted.iter().cloned().collect(),
        accepted_owners: args.accepted_owners.iter().cloned().collect(),
        replay: !args.verify_only,
        without_crons: args.without_crons,
        quorum: args.quorum,
        ..Options::default()
    };
    let before = match node.summary(args.process).await {
        Ok(known) => known.and_then(|summary| summary.replayed),
        Err(error) => return refuse(json, &error),
    };
    let show = Show::new(lines, stop);
    // What earlier runs replayed stands in the store; it is printed from there.
    if let Err(error) = print_stored(node, args, before, &show).await {
        return refuse(json, &error);
    }
    let synced = node.sync(args.process, sources, &options, &show).await;
    show.end_progress();
    if let Some(folder) = &args.frauds
        && let Err(error) = write_frauds(node, args.process, folder).await
    {
        return refuse(json, &error);
    }
    if let Err(error) = show.check_written() {
        return refuse(json, &error);
    }
    let summary = match synced {
        Ok(summary) => summary,
        Err(error) => return refuse(json, &error),
    };
    let tell = |slot: u64, found: &[IncludedItem]| print_included(json, slot, found);
    let included = inclusion::prove(node, args, sources, &options, &show, &summary, tell).await;
    show.end_progress();
    if let Err(error) = included {
        return refuse(json, &error);
    }
    if let Some(path) = &args.receipt
        && let Err(error) = write_receipt(node, args, path, &show).await
    {
        return refuse(json, &error);
    }
    match node.receipt(args.process).await {
        Ok(receipt) => {
            print_summary(json, &summary, &receipt)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => refuse(json, &error),
    }
}

/// Writes each fraud proof that the store has, whether the sync ended well or not.
async fn write_frauds<S: Store, F: Fetch>(
    node: &Node<S, F, NativeClock>,
    process: Id,
    folder: &Path,
) -> Result<()> {
    let unwritable = |cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("{} cannot be written to.", folder.display())).because(cause)
    };
    for proof in node.frauds(process).await? {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        let path = folder.join(format!("{process}-{}.fraud.json", proof.slot));
        std::fs::write(path, format!("{:#}\n", proof.to_json())).map_err(unwritable)?;
    }
    Ok(())
}

/// Writes the receipt beside its place and moves it there when it is whole.
async fn write_receipt<S: Store, F: Fetch>(
    node: &Node<S, F, NativeClock>,
    args: &ProcessReplay,
    path: &Path,
    show: &Show,
) -> Result<()> {
    let unwritable = |cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("{} cannot be written.", path.display())).because(cause)
    };
    let part = path.with_extension("part");
    let mut file = File::create(&part).map_err(unwritable)?;
    let mut sink = |piece: &[u8]| file.write_all(piece).map_err(unwritable);
    let request = ReceiptRequest { slots: ReceiptSlots::History { to: args.to }, module: true };
    let written = node.export_receipt(args.process, &request, show, &mut sink).await;
    show.end_progress();
    let placed = written.and_then(|_| std::fs::rename(&part, path).map_err(unwritable));
    if placed.is_err() {
        // What is there of it is no receipt. That it cannot be removed is not worth another error.
        let _ = std::fs::remove_file(&part);
    }
    placed
}

async fn print_stored<S: Store, F: Fetch>(
    node: &Node<S, F, NativeClock>,
    args: &ProcessReplay,
    replayed: Option<u64>,
    show: &Show,
) -> Result<()> {
    let Some(replayed) = replayed.filter(|_| !args.verify_only) else { return Ok(()) };
    let last = args.to.map_or(replayed, |to| to.min(replayed));
    let mut from = 0;
    while from <= last {
        let results = node.results(args.process, from, RESULTS_STEP).await?;
        let Some(next) = results.last().map(|result| result.slot.saturating_add(1)) else { break };
        for result in results.into_iter().filter(|result| result.slot <= last) {
            show.slot(&result);
        }
        from = next;
    }
    Ok(())
}

/// Prints while the sync runs.
struct Show {
    lines: RefCell<Lines>,
    progress: bool,
    stop: Arc<AtomicBool>,
    /// The first failure to choose or write a line; a pipe that is closed ends the sync.
    broken: RefCell<Option<Error>>,
}

impl Show {
    fn new(lines: Lines, stop: Arc<AtomicBool>) -> Self {
        Self {
            lines: RefCell::new(lines),
            progress: std::io::stderr().is_terminal(),
            stop,
            broken: RefCell::default(),
        }
    }

    fn slot(&self, result: &SlotResult) {
        if let Err(error) = self.print(result) {
            self.broken.borrow_mut().get_or_insert(error);
        }
    }

    fn print(&self, result: &SlotResult) -> Result<()> {
        let json = slot_json(result);
        let mut lines = self.lines.borrow_mut();
        if !lines.wants(&json)? {
            return Ok(());
        }
        let line = if lines.json { json.to_string() } else { slot_line(result) };
        self.clear_line();
        writeln!(std::io::stdout().lock(), "{line}").map_err(unwritable)
    }

    fn clear_line(&self) {
        if self.progress {
            note("\r\u{1b}[K");
        }
    }

    fn end_progress(&self) {
        self.clear_line();
    }

    fn check_written(&self) -> Result<()> {
        self.broken.take().map_or(Ok(()), Err)
    }
}

impl Observer for Show {
    fn event(&self, event: Event) {
        match event {
            Event::Slot(result) => self.slot(&result),
            Event::Source { url, code, sentence } => {
                self.clear_line();
                note(&format!("weft: {url}: {sentence} [{code}]\n"));
            }
            Event::Quorum { claim, tally } if !tally.against.is_empty() => {
                self.clear_line();
                let others: Vec<String> =
                    tally.against.iter().map(|one| format!("{}: {}", one.url, one.says)).collect();
                let (k, n) = (tally.by.len(), tally.asked);
                note(&format!("weft: {claim}: {k} of {n} say: {}; {}\n", tally.value, others.join("; ")));
            }
            Event::Fraud { slot, scheduler, url, difference, .. } => {
                self.clear_line();
                let what = difference.sentence();
                note(&format!("weft: {scheduler} signed two assignments for slot {slot}: {what} ({url})\n"));
            }
            Event::Located { scheduler, url, .. } => {
                self.clear_line();
                note(&format!("weft: the scheduler {scheduler} says that it is at {url}\n"));
            }
            Event::Rebuild { from, to } => {
                self.clear_line();
                note(&format!(
                    "weft: no scheduler gave what proves; slots {from} to {to} are taken from Arweave\n"
                ));
            }
            Event::Progress { phase, done, total, bytes, per_second } if self.progress => {
                let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
                let what = match phase {
                    Phase::Process => "process".to_owned(),
                    Phase::Module => format!("module {done}{of} bytes"),
                    Phase::History => format!("history {done}{of} slots"),
                    Phase::Verify => format!("made {done} checks, {per_second}/s"),
                    Phase::Replay => format!("replayed {done}{of} slots, {per_second}/s"),
                    Phase::Store => "storing".to_owned(),
                    Phase::Receipt => format!("receipt {done}{of} slots"),
                };
                note(&format!("\r\u{1b}[K{what}, {bytes} bytes received"));
            }
            _ => {}
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.broken.borrow().is_some()
    }
}

/// Writes to stderr; whoever closed it does not want to know.
fn note(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn unwritable(cause: std::io::Error) -> Error {
    Error::new(Code::Unreadable, "The results cannot be written.").because(cause)
}

/// One slot as one JSON object.
fn slot_json(result: &SlotResult) -> Value {
    let mut line = json!({
        "slot": result.slot,
        "message": result.message,
        "output": result.output,
        "messages": result.messages,
        "spawns": result.spawns,
        "assignments": result.assignments,
        "error": result.error,
        "gas": result.gas,
        "rolled_back": result.rolled_back,
        "failure": result.failure,
        "duplicate_of": result.duplicate_of,
    });
    // What only Lua processes have.
    let more = [
        ("results", result.results.clone()),
        ("not_replayable", Some(json!(result.not_replayable)).filter(|_| !result.not_replayable.is_empty())),
        ("follows_not_replayable", result.follows_not_replayable.map(Value::from)),
        ("stopped_at", result.stopped_at.map(Value::from)),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            line[name] = value;
        }
    }
    line
}

/// One slot as one line for a person.
fn slot_line(result: &SlotResult) -> String {
    let head = format!("{:>8}  {}", result.slot, result.message);
    if let Some(earlier) = result.duplicate_of {
        return format!("{head}  a second copy of slot {earlier}, not evaluated");
    }
    let doubt = if !result.not_replayable.is_empty() {
        format!("  (not replayable: {})", result.not_replayable.join(", "))
    } else if let Some(earlier) = result.follows_not_replayable {
        format!("  (follows slot {earlier}, which is not replayable)")
    } else {
        String::new()
    };
    if let Some(error) = &result.error {
        return format!("{head}  error: {}{doubt}", one_line(error));
    }
    let outbox = result.messages.len() + result.spawns.len() + result.assignments.len();
    let sent = if outbox > 0 { format!("  (sends {outbox})") } else { String::new() };
    format!("{head}  {}{sent}{doubt}", one_line(output_text(&result.output)))
}

/// The part of an `Output` that a person reads.
fn output_text(output: &Value) -> &Value {
    let data = output.get("data").unwrap_or(output);
    data.get("output").unwrap_or(data)
}

fn one_line(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let plain: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_CHARS + 1).collect();
    match plain.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

fn print_summary(json: bool, summary: &Summary, receipt: &Receipt) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        let line = json!({ "summary": summary, "receipt": receipt });
        return writeln!(out, "{line}").map_err(unwritable);
    }
    let slot = |slot: Option<u64>| slot.map_or_else(|| "no slot".to_owned(), |slot| format!("slot {slot}"));
    let memory = summary.memory_sha256.map(|memory| format!(", memory {memory}")).unwrap_or_default();
    let (head, replayed) = (slot(summary.head), slot(summary.replayed));
    writeln!(out, "{}: verified to {head}, replayed to {replayed}{memory}", summary.process)
        .map_err(unwritable)?;
    if !summary.further_modules.is_empty() {
        let all = std::iter::once(&summary.module).chain(&summary.further_modules);
        let ids: Vec<String> = all.map(ToString::to_string).collect();
        writeln!(out, "  runs the modules {}, in this order", ids.join(", ")).map_err(unwritable)?;
    }
    for check in &receipt.checks {
        let count = check.evidence.get("count").map(|count| format!(" ×{count}")).unwrap_or_default();
        let status = match &check.status {
            Status::Proved => "proved".to_owned(),
            Status::Agreed { k, n, .. } => format!("{k} of {n} agree"),
            Status::Trusted { by } => format!("trusted: {by}"),
            _ => "other".to_owned(),
        };
        writeln!(out, "  {status:<12} {}{count}  {}", check.claim, check.sentence).map_err(unwritable)?;
    }
    Ok(())
}

/// Where the items of a slot are.
fn print_included(json: bool, slot: u64, found: &[IncludedItem]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for one in found {
        let line = if json {
            json!({ "slot": slot, "included": one }).to_string()
        } else {
            let IncludedItem { item, transaction, height, head_height, agreed } = one;
            let by = if *agreed { "agreed" } else { "not agreed" };
            format!("{slot:>8}  {item}  in {transaction}, block {height}; header {head_height} {by}")
        };
        writeln!(out, "{line}").map_err(unwritable)?;
    }
    Ok(())
}

/// Says why, and with which exit code: 2 for what another call or another hour may mend, 1 for what is refused.
pub(super) fn refuse(json: bool, error: &Error) -> Result<ExitCode> {
    let code = error.code();
    if json {
        let (sentence, fields) = (error.sentence(), error.fields());
        let line = json!({ "error": { "code": code.as_str(), "sentence": sentence, "fields": fields } });
        writeln!(std::io::stdout().lock(), "{line}").map_err(unwritable)?;
    }
    note(&format!("weft: {} [{}]\n", error.sentence(), code.as_str()));
    let exit = match code {
        Code::NoSource
        | Code::SourceInvalid
        | Code::SourceUnreachable
        | Code::SourceTimeout
        | Code::SourceStatus
        | Code::RequestInvalid
        | Code::LuaInvalid
        | Code::Unreadable => 2,
        _ => 1,
    };
    Ok(ExitCode::from(exit))
}
