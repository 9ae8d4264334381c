//! `weft check`: other nodes' answers beside the one that this machine computed itself.

mod text;

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_node::check::{At, Comparison, NodeAddress, Question, Verdict};
use weft_node::memory::MemoryStore;
use weft_node::seams::Store;
use weft_node::{Event, Node, Observer, Options, Sources};

use crate::native::{FileStore, NativeClock, NativeFetch};

/// `weft check`
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The process: its id, 43 characters.
    #[arg(allow_hyphen_values = true)]
    process: Id,
    /// Checks the answer of this slot; without it and without `--message`, the newest.
    #[arg(long, value_name = "SLOT", conflicts_with = "message")]
    slot: Option<u64>,
    /// Checks the answer to this message.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    message: Option<Id>,
    /// A node to compare with: URL, or legacy:URL for a compute unit, hyperbeam:URL for a HyperBEAM node. Give it again
    /// for others.
    #[arg(long = "node", value_name = "URL", required = true)]
    nodes: Vec<NodeAddress>,
    /// Goes through the earlier answers even where the one asked for matches.
    #[arg(long)]
    all: bool,
    /// The most earlier slots that are compared per node.
    #[arg(long, value_name = "SLOTS", default_value_t = 10_000)]
    most_slots: u64,
    /// A scheduler unit. Give it again for others, in order of preference.
    #[arg(long = "scheduler", value_name = "URL")]
    schedulers: Vec<String>,
    /// An Arweave gateway. Give it again for others, in order of preference.
    #[arg(long = "gateway", value_name = "URL")]
    gateways: Vec<String>,
    /// Accepts assignments signed by this address beside the process's own scheduler.
    #[arg(long = "accept-scheduler", value_name = "ADDRESS", allow_hyphen_values = true)]
    accepted: Vec<Address>,
    /// Keeps what is proved and replayed in this folder, and goes on from there next time.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Replays a process that has cron messages without them.
    #[arg(long)]
    without_crons: bool,
    /// How long one answer may take, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    timeout: u32,
    /// Writes one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command: the comparison on stdout, progress and failures of sources on stderr. Exit codes: 0 all nodes gave
/// the same answer, 1 one gave another, 2 wrong usage, a node that gave none, or nothing to compare with.
///
/// # Errors
/// Only if stdout cannot be written.
pub async fn run(args: Args) -> Result<ExitCode> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let watch = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
        }
    });
    let show = Show { progress: std::io::stderr().is_terminal(), stop };
    let outcome = match &args.store {
        None => Box::pin(compare(&args, MemoryStore::new(), &show)).await,
        Some(folder) => match FileStore::open(folder) {
            Ok(store) => Box::pin(compare(&args, store, &show)).await,
            Err(error) => Err(error),
        },
    };
    watch.abort();
    show.clear_line();
    match outcome {
        Ok(comparison) => print(&args, &comparison),
        Err(error) => refuse(&args, &error),
    }
}

async fn compare<S: Store>(args: &Args, store: S, show: &Show) -> Result<Comparison> {
    let node = Node::new(store, NativeFetch::new(), NativeClock);
    let sources = Sources { schedulers: args.schedulers.clone(), gateways: args.gateways.clone() };
    let options = Options {
        accepted_schedulers: args.accepted.iter().cloned().collect(),
        without_crons: args.without_crons,
        timeout_ms: args.timeout,
        ..Options::default()
    };
    let at = match (args.slot, args.message) {
        (Some(slot), _) => At::Slot(slot),
        (None, Some(message)) => At::Message(message),
        (None, None) => At::Newest,
    };
    let question =
        Question { at, all: args.all, most_slots: args.most_slots, ..Question::new(args.nodes.clone()) };
    node.check(args.process, &sources, &options, &question, show).await
}

fn print(args: &Args, comparison: &Comparison) -> Result<ExitCode> {
    let text = match args.json {
        true => format!("{}\n", json!(comparison)),
        false => text::of(comparison),
    };
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(unwritable)?;
    let has = |wanted: fn(&Verdict) -> bool| comparison.nodes.iter().any(|node| wanted(&node.verdict));
    let exit = if has(|verdict| matches!(verdict, Verdict::Mismatch { .. })) {
        1
    } else if has(|verdict| matches!(verdict, Verdict::Silent { .. })) {
        2
    } else {
        0
    };
    Ok(ExitCode::from(exit))
}

/// There is no answer of ours: nothing was compared.
fn refuse(args: &Args, error: &Error) -> Result<ExitCode> {
    let code = error.code().as_str();
    if args.json {
        let (sentence, fields) = (error.sentence(), error.fields());
        let line = json!({ "error": { "code": code, "sentence": sentence, "fields": fields } });
        writeln!(std::io::stdout().lock(), "{line}").map_err(unwritable)?;
    }
    note(&format!("weft: {} [{code}]\n", error.sentence()));
    Ok(ExitCode::from(2))
}

fn unwritable(cause: std::io::Error) -> Error {
    Error::new(Code::Unreadable, "The comparison cannot be written.").because(cause)
}

/// What is told on stderr meanwhile.
struct Show {
    progress: bool,
    stop: Arc<AtomicBool>,
}

impl Show {
    fn clear_line(&self) {
        if self.progress {
            note("\r\u{1b}[K");
        }
    }
}

impl Observer for Show {
    fn event(&self, event: Event) {
        match event {
            Event::Source { url, code, sentence, .. } => {
                self.clear_line();
                note(&format!("weft: {url}: {sentence} [{code}]\n"));
            }
            Event::Progress { done, total, .. } if self.progress => {
                let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
                note(&format!("\r\u{1b}[K{done}{of} slots proved and replayed"));
            }
            Event::Comparing { node, done, total } if self.progress => {
                note(&format!("\r\u{1b}[K{node}: {done} of {total} earlier answers compared"));
            }
            _ => {}
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Writes to stderr; whoever closed it does not want to know.
fn note(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
