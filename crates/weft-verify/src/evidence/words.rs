//! What a receipt file says that its evidence does not prove. All of it follows from what is in the file, so that
//! none of it can be left out, softened or invented: a reader derives it again and compares.

use weft_codec::ao::Process;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Result};

use super::agreement::Agreement;
use super::file::{Origin, Scope, malformed};
use crate::history::Head;
use crate::receipt::{Check, Status};

/// The longest text of one cron interval.
const MAX_INTERVAL: usize = 60;

/// The evidence that decides what is left to believe.
pub(super) struct Rests<'a> {
    pub(super) process: &'a Process,
    pub(super) scope: &'a Scope,
    /// Who signed the assignments: whose word their order and times are.
    pub(super) signers: String,
    /// The last slot.
    pub(super) head: &'a Head,
    pub(super) results: u64,
    pub(super) origin: Option<&'a Origin>,
    pub(super) memory: Option<String>,
    /// Inclusion proofs.
    pub(super) included: usize,
    /// What sources say of where the history ends.
    pub(super) end: Option<&'a Agreement>,
}

impl Rests<'_> {
    /// Errors: `receipt-malformed`, `receipt-mismatch` for an agreement that is about something else.
    pub(super) fn checks(&self) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        checks.extend(match self.end {
            Some(agreement) => Some(self.agreed_end(agreement)?),
            None => self.order(),
        });
        let times = "Times and block heights of the slots are the scheduler's; they were only checked not to go back.";
        checks.push(self.word("slot-times", self.scheduler(), times));
        checks.push(self.inclusion());
        if self.results > 0 {
            checks.extend(self.replay());
        }
        Ok(checks)
    }

    /// Where the history ends, as several sources say. It must be this history that they speak of.
    fn agreed_end(&self, agreement: &Agreement) -> Result<Check> {
        let head = self.head;
        if !matches!(self.scope, Scope::History { newest: true, .. }) {
            return Err(malformed(
                "It says that sources agree on where the history ends, and goes not to the end.",
            ));
        }
        let answer = format!("ends at slot {} ({})", head.slot, head.assignment_id);
        if agreement.answer != answer || agreement.subject != self.process.id.to_string() {
            let what = "The sources agree on the end of another history than this receipt's.";
            return Err(Error::new(Code::ReceiptMismatch, what).with("wanted", answer));
        }
        let check = agreement.check()?;
        let sentence = format!("{} {WITHHELD}", check.sentence);
        Ok(self.at_head(Check { sentence, ..check }))
    }

    fn inclusion(&self) -> Check {
        if self.included == 0 {
            let stored =
                "That the items are stored on Arweave was not asked for: their signatures do not need it.";
            return self.word("arweave-inclusion", "sources", stored);
        }
        let stored = "Some of the items have a proof of their place in a block. Of the others it was not asked for: their \
                      signatures do not need it.";
        self.word("arweave-inclusion", "sources", stored).with("proofs", self.included)
    }

    /// What nobody can see in the slots that are here.
    fn order(&self) -> Option<Check> {
        let check = match self.scope {
            Scope::History { newest: true, .. } => {
                let sentence = "That this slot is the newest, that no message was withheld and that nobody was shown \
                                another order is the scheduler's word: a hash chain commits to what came before, not to \
                                what is kept back.";
                self.word("history-complete", self.scheduler(), sentence)
            }
            Scope::History { newest: false, .. } => {
                let sentence = "The history goes on after this slot. That no message was withheld and that nobody was \
                                shown another order is the scheduler's word.";
                self.word("history-complete", self.scheduler(), sentence)
            }
            // The previous slot is 0: the chain begins in this receipt.
            Scope::Slot(0 | 1) => return None,
            Scope::Slot(_) => {
                let sentence = "The slots before the previous one are not in this receipt. The hash chain commits to \
                                them; that the scheduler kept the rules there is its word.";
                self.word("earlier-slots", self.scheduler(), sentence)
            }
        };
        Some(self.at_head(check))
    }

    fn at_head(&self, check: Check) -> Check {
        let head = self.head;
        check
            .with("slot", head.slot)
            .with("assignment", head.assignment_id)
            .with("timestamp", head.timestamp)
            .with("block-height", head.block_height)
    }

    fn replay(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(origin) = self.origin {
            let sentence =
                "The process is older than the boot loader: when it began is the scheduler's word.";
            checks.push(
                self.word("process-origin", self.scheduler(), sentence)
                    .with("from", &origin.source)
                    .with("timestamp", origin.timestamp)
                    .with("block-height", origin.block_height),
            );
        }
        let crons: Vec<String> = self
            .process
            .tags
            .tag_all("Cron-Interval")
            .map(|text| text.chars().take(MAX_INTERVAL).collect())
            .collect();
        if !crons.is_empty() {
            let sentence = "The process has cron messages, which no scheduler signs. They were left out of the replay: \
                            its results may differ from the network's.";
            checks.push(self.word("crons-left-out", MAKER, sentence).with("intervals", crons.join(", ")));
        }
        let sentence = "The results were computed by the node that made this receipt, from the proved entries and the \
                        module that the process names. A replay checks them; nothing else does.";
        let mut replay = self.word("replay", MAKER, sentence).with("results", self.results);
        if let Some(memory) = &self.memory {
            replay = replay.with("memory-sha256", memory);
        }
        checks.push(replay);
        checks
    }

    fn scheduler(&self) -> &str {
        &self.signers
    }

    fn word(&self, claim: &str, by: &str, sentence: &str) -> Check {
        let check = Check::proved(claim, self.process.id, sentence);
        Check { status: Status::Trusted { by: by.to_owned() }, ..check }
    }
}

const WITHHELD: &str = "That no message was withheld and that nobody was shown another order is the scheduler's word: a hash \
                        chain commits to what came before, not to what is kept back.";

/// Whoever reads the file does not know more of who that is.
const MAKER: &str = "the maker of this receipt";
