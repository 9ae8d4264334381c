//! `weft verify`: proves files of data items, bundles, layer-1 transactions, blocks and chunks, inclusion proofs,
//! scheduler pages, receipts and recorded exchanges with HyperBEAM nodes, without a network.

mod content;
mod entries;
mod exchange;
mod fraud;
mod layer1;
mod receipt;
mod schedule;
mod walk;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_verify::SchedulerPolicy;

/// What to verify.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// Files, or folders of them: data items, bundles, layer-1 transactions, blocks and chunks (JSON), inclusion proofs,
    /// scheduler pages (JSON), receipts, recorded exchanges with HyperBEAM nodes (JSON).
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Accept assignments signed by this address in place of the process's scheduler. Can be repeated.
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub accept_scheduler: Vec<Address>,
    /// Names the owner of a process or module whose id does not bind its fields (an ECDSA transaction of layer 1).
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub accept_owner: Vec<Address>,
    /// The module of a receipt that does not hold it, to replay its results: a data item, or a transaction (JSON) with data.
    /// Again for each of those after it, in their order, where a Lua process lists several.
    #[arg(long, value_name = "FILE")]
    pub module: Vec<PathBuf>,
    /// Check the evidence of receipts and leave their results alone. A replay runs the module, and takes as long as it takes.
    #[arg(long, conflicts_with = "module")]
    pub no_replay: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// Everything was proved.
pub const VALID: u8 = 0;
/// Something was refused.
pub const REFUSED: u8 = 1;
/// Something could not be read, or there was nothing to verify.
pub const UNREADABLE: u8 = 2;

/// Verifies, and prints a line for each thing found: path, kind, id, verdict, code, message. Returns the exit code:
/// [`VALID`], [`REFUSED`] or [`UNREADABLE`].
pub fn run(args: &VerifyArgs, out: &mut dyn Write) -> u8 {
    let policy = SchedulerPolicy {
        accepted: args.accept_scheduler.iter().cloned().collect(),
        owners: args.accept_owner.iter().cloned().collect(),
    };
    let asked = Asked { policy: &policy, modules: &args.module, no_replay: args.no_replay };
    let mut report = Report { out, json: args.json, found: 0, refused: false, unreadable: false };
    let mut entries = entries::Collected::default();
    for path in &args.paths {
        walk::files(path, &mut |file, named| {
            content::verify(file, named, &asked, &mut report, &mut entries);
        });
    }
    entries.layer1.verify(&mut report);
    std::mem::take(&mut entries.schedules).verify(&mut report);
    entries.verify_histories(&policy, &mut report);
    report.exit_code()
}

/// What the user chose.
pub(crate) struct Asked<'a> {
    policy: &'a SchedulerPolicy,
    modules: &'a [PathBuf],
    no_replay: bool,
}

/// One thing and what was found about it.
pub(crate) struct Line {
    /// The file, and after `#` or `:` the place in it.
    path: String,
    /// `item`, `bundle`, `transaction`, `block`, `block-link`, `block-txs`, `chunk`, `inclusion`, `page`, `assignment`,
    /// `message`, `history`, `receipt`, `results`, `trusted`, `agreed`, `request`, `answer`, `other`.
    kind: &'static str,
    /// Of 32 bytes, or a block's hash of 48.
    id: Option<String>,
    verdict: Verdict,
}

enum Verdict {
    /// Proved; a sentence.
    Valid(String),
    Refused(Error),
    /// Not proved; who answers for it, and for what.
    Claimed(String),
    /// Nothing signed, or not enough of it to say anything.
    Skipped(String),
}

impl Line {
    /// The line of a result whose success needs no more words than `valid`.
    fn of<T>(path: &str, kind: &'static str, id: Option<Id>, result: Result<T>, valid: &str) -> Self {
        let verdict = match result {
            Ok(_) => Verdict::Valid(valid.to_owned()),
            Err(error) => Verdict::Refused(error),
        };
        Self { path: path.to_owned(), kind, id: text(id), verdict }
    }

    fn valid(path: &str, kind: &'static str, id: Option<Id>, said: String) -> Self {
        Self { path: path.to_owned(), kind, id: text(id), verdict: Verdict::Valid(said) }
    }

    fn claimed(path: &str, kind: &'static str, id: Id, said: String) -> Self {
        Self { path: path.to_owned(), kind, id: text(Some(id)), verdict: Verdict::Claimed(said) }
    }

    fn refused(path: &str, kind: &'static str, error: Error) -> Self {
        Self { path: path.to_owned(), kind, id: None, verdict: Verdict::Refused(error) }
    }

    fn skipped(path: &str, kind: &'static str, why: &str) -> Self {
        Self { path: path.to_owned(), kind, id: None, verdict: Verdict::Skipped(why.to_owned()) }
    }
}

fn text(id: Option<Id>) -> Option<String> {
    id.map(|id| id.to_string())
}

/// Where lines go, and what they add up to.
pub(crate) struct Report<'a> {
    out: &'a mut dyn Write,
    json: bool,
    found: usize,
    refused: bool,
    unreadable: bool,
}

impl Report<'_> {
    fn push(&mut self, line: &Line) {
        let (ok, code, message) = match &line.verdict {
            Verdict::Valid(sentence) => (Some(true), None, sentence.as_str()),
            Verdict::Refused(error) => (Some(false), Some(error.code()), error.sentence()),
            Verdict::Claimed(sentence) | Verdict::Skipped(sentence) => (None, None, sentence.as_str()),
        };
        self.found += usize::from(ok.is_some());
        match code {
            Some(Code::Unreadable) => self.unreadable = true,
            Some(_) => self.refused = true,
            None => {}
        }
        let code = code.map(Code::as_str);
        let text = if self.json {
            let (path, kind) = (&line.path, line.kind);
            let mut text = json!({
                "path": path, "kind": kind, "id": line.id, "ok": ok, "code": code, "message": message,
            });
            if let Verdict::Refused(error) = &line.verdict {
                text["fields"] = json!(error.fields());
            }
            text.to_string()
        } else {
            let verdict = match line.verdict {
                Verdict::Valid(_) => "valid  ",
                Verdict::Refused(_) => "REFUSED",
                Verdict::Claimed(_) => "claimed",
                Verdict::Skipped(_) => "skipped",
            };
            let id = line.id.as_deref().unwrap_or("-");
            let code = code.map(|code| format!("{code}: ")).unwrap_or_default();
            format!("{verdict} {:<11} {id:<43} {} {code}{message}", line.kind, line.path)
        };
        // A reader that goes away (`| head`) must not look like a success.
        self.unreadable |= writeln!(self.out, "{text}").is_err();
    }

    fn exit_code(&self) -> u8 {
        if self.unreadable || self.found == 0 {
            UNREADABLE
        } else if self.refused {
            REFUSED
        } else {
            VALID
        }
    }
}
