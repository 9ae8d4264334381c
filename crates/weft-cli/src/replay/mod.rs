//! `weft replay`: runs a history again on this machine, in two forms. With `--module` it takes messages from a file;
//! without, it takes a process from its scheduler and gateway, or from a history file, and proves it first.

use std::num::ParseIntError;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use serde_json::Value;
use weft_codec::{Address, Id, Result};
use weft_lua::Filter;
use weft_wasm::Limits;

mod drive;
mod history;
mod inclusion;
pub mod module;
pub mod process;

/// `weft replay`
#[derive(Debug, clap::Args)]
#[command(override_usage = "weft replay PROCESS --scheduler URL --gateway URL [OPTIONS]\n       \
                            weft replay --history FILE [OPTIONS]\n       \
                            weft replay --module FILE --messages FILE [OPTIONS]")]
pub struct Args {
    /// The process: its id, 43 characters.
    #[arg(required_unless_present_any = ["module", "history"], allow_hyphen_values = true)]
    process: Option<Id>,
    /// A scheduler unit. Give it again for others, in order of preference. Without any, the scheduler is looked for by the
    /// record it published, and then by its assignments on Arweave.
    #[arg(long = "scheduler", value_name = "URL")]
    schedulers: Vec<String>,
    /// An Arweave gateway. Give it again for others, in order of preference.
    #[arg(long = "gateway", value_name = "URL")]
    gateways: Vec<String>,
    /// Takes process, module and history from this file, as a node exports it (`GET /gateway/history/PROCESS`), and asks nobody.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["schedulers", "gateways", "inclusion"])]
    history: Option<PathBuf>,
    /// The last slot wanted; without it all there are.
    #[arg(long, value_name = "SLOT")]
    to: Option<u64>,
    /// Accepts assignments signed by this address beside the process's own scheduler.
    #[arg(long = "accept-scheduler", value_name = "ADDRESS", allow_hyphen_values = true)]
    accepted: Vec<Address>,
    /// Names the owner of a process or module whose id does not bind its fields (an ECDSA transaction of layer 1).
    #[arg(long = "accept-owner", value_name = "ADDRESS", allow_hyphen_values = true)]
    accepted_owners: Vec<Address>,
    /// How many sources of one kind must say the same of what cannot be proved; without it a majority.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    quorum: Option<u32>,
    /// Writes the proofs that the scheduler signed two histories to this folder, for `weft verify`.
    #[arg(long, value_name = "DIR")]
    frauds: Option<PathBuf>,
    /// Keeps what is proved and replayed in this folder, and goes on from there next time.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Replays a process that has cron messages without them.
    #[arg(long)]
    without_crons: bool,
    /// Only fetches and verifies.
    #[arg(long)]
    verify_only: bool,
    /// Proves that message and assignment of this slot are in a block of Arweave, whose header the gateways agree on; without
    /// a slot, of every slot. Give it again for other slots. The receipt has the proofs.
    #[arg(long, value_name = "SLOT", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    inclusion: Vec<Inclusion>,
    /// Writes the receipt of the history to this file: all evidence, results and the module, for `weft verify`.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,

    /// Runs messages from a file through this module, as the bytes of its data item.
    #[arg(
        long,
        value_name = "FILE",
        requires = "messages",
        conflicts_with_all = ["process", "history", "schedulers", "gateways", "to", "accepted", "accepted_owners", "quorum", "frauds", "inclusion", "store", "without_crons", "verify_only", "receipt"]
    )]
    module: Option<PathBuf>,
    /// `{"env": {"Process": …, "Module": …}, "messages": [ … ]}`, in the form that ao-loader takes.
    #[arg(long, value_name = "FILE", requires = "module")]
    messages: Option<PathBuf>,
    /// The module's format; without it the environment's tag `Module-Format`, or what the module looks like.
    #[arg(long, value_name = "FORMAT", requires = "module")]
    format: Option<String>,
    /// Keeps the memory that a failed message left, as ao-loader alone does; without it the memory is rolled back.
    #[arg(long, requires = "module")]
    keep_memory: bool,
    /// Files of Arweave for a module with WeaveDrive: `DIR/data/ID`, `DIR/block/HEIGHT` and `DIR/tx/ID`, the latter two as a gateway's JSON
    /// has them.
    #[arg(long, value_name = "DIR", requires = "module")]
    drive: Option<PathBuf>,
    /// Most gas of one message.
    #[arg(long, value_name = "GAS", requires = "module", default_value_t = Limits::default().gas)]
    gas_limit: u64,
    /// Most bytes of memory.
    #[arg(long, value_name = "BYTES", requires = "module", default_value_t = Limits::default().memory_bytes)]
    memory_limit: u64,

    /// Prints only the slots of which this Lua expression is true, such as `slot.error` or `slot.gas > 1e9`. `slot` has the
    /// fields of `--json`.
    #[arg(long = "where", value_name = "LUA")]
    only: Option<String>,
    /// Writes one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Which slots `--inclusion` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inclusion {
    /// Every one.
    All,
    /// This one.
    Slot(u64),
}

impl FromStr for Inclusion {
    type Err = ParseIntError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::Slot) }
    }
}

/// Runs the command. Exit codes: 0 replayed (messages that fail are results), 1 refused, 2 wrong usage, a file that cannot
/// be read, or no source reached.
///
/// # Errors
/// Only if the output cannot be written.
pub async fn run(args: Args) -> Result<ExitCode> {
    let lines = match Lines::new(args.json, args.only.as_deref()) {
        Ok(lines) => lines,
        Err(error) => return process::refuse(args.json, &error),
    };
    match (args.process, args.module, args.messages) {
        (None, Some(module), Some(messages)) => {
            let replay = module::ModuleReplay {
                module,
                messages,
                format: args.format,
                keep_memory: args.keep_memory,
                drive: args.drive,
                limits: Limits { memory_bytes: args.memory_limit, gas: args.gas_limit },
            };
            module::run(&replay, lines, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())
        }
        (process, ..) => {
            let history = args.history.as_deref().map(|path| history::read(path, process)).transpose();
            let history = match history {
                Ok(history) => history,
                Err(error) => return process::refuse(args.json, &error),
            };
            // clap asks for one of the forms.
            let Some(process) = process.or_else(|| history.as_ref().map(|file| file.process().id)) else {
                return Ok(ExitCode::from(2));
            };
            let replay = process::ProcessReplay {
                process,
                history,
                schedulers: args.schedulers,
                gateways: args.gateways,
                to: args.to,
                accepted: args.accepted,
                accepted_owners: args.accepted_owners,
                store: args.store,
                without_crons: args.without_crons,
                verify_only: args.verify_only,
                receipt: args.receipt,
                quorum: args.quorum,
                frauds: args.frauds,
                inclusion: args.inclusion,
            };
            process::run(replay, lines).await
        }
    }
}

/// Which slots are printed, and how.
pub struct Lines {
    /// One JSON object a line.
    pub json: bool,
    only: Option<Filter>,
}

impl Lines {
    /// Errors: `lua-invalid`, `too-large`.
    pub fn new(json: bool, only: Option<&str>) -> Result<Self> {
        Ok(Self { json, only: only.map(|expression| Filter::compile("slot", expression)).transpose()? })
    }

    /// Whether a slot is wanted. Errors: `lua-invalid`, `gas-limit`, `memory-limit`.
    pub fn wants(&mut self, slot: &Value) -> Result<bool> {
        self.only.as_mut().map_or(Ok(true), |only| only.matches(slot).map_err(|error| error.at("--where")))
    }
}
