//! What several sources were asked, and what each of them said.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use weft_codec::Result;

use super::file::malformed;
use crate::layer1::{AgreedHeader, InclusionProof};
use crate::receipt::Check;

/// The claim about where a history ends. Its answer must be the receipt's own last slot.
pub(super) const HISTORY_COMPLETE: &str = "history-complete";
/// The claim about the block at a height: the subject is the height, the answer the hash.
pub(super) const BLOCK: &str = "block";

/// The most sources of one agreement, and the longest text of each part, in bytes.
const MAX_ANSWERS: usize = 100;
const MAX_TEXT: usize = 4_096;

/// One question to several sources. That they were asked, and said so, is the word of who made the receipt: answers are
/// not signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The claim that follows, by its stable name; the checks of the receipt have no other of this name.
    pub claim: String,
    /// What it is about: an id.
    pub subject: String,
    /// How many sources were asked. Who is not among the answers gave none.
    pub asked: u32,
    /// How many must say the same for it to count as agreed, by the maker's choice.
    pub needed: u32,
    /// The answer that is claimed.
    pub answer: String,
    /// Who answered what.
    pub answers: Vec<SourceAnswer>,
}

/// What one source said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceAnswer {
    /// Its URL.
    pub source: String,
    /// The answer, in the words of the claim: a slot, a hash, a list of ids.
    pub answer: String,
}

impl Agreement {
    /// Whether enough of several sources say it.
    fn is_reached(&self) -> bool {
        let by = self.answers.iter().filter(|one| one.answer == self.answer).count();
        self.asked > 1 && by as u64 >= u64::from(self.needed)
    }

    /// Who says it, and who says otherwise with what.
    fn sides(&self) -> (Vec<String>, Vec<String>) {
        let (by, others): (Vec<_>, Vec<_>) = self.answers.iter().partition(|one| one.answer == self.answer);
        let against = others.iter().map(|one| format!("{}: {}", one.source, one.answer));
        (by.iter().map(|one| one.source.clone()).collect(), against.collect())
    }

    /// The header that this agreement names as the last one of a proof, if it does and enough sources say so.
    pub(super) fn header(&self, proof: &InclusionProof) -> Option<AgreedHeader> {
        let head = proof.blocks.last()?;
        let (hash, height) = (head.get("indep_hash")?.as_str()?, head.get("height")?.as_u64()?);
        let same = self.claim == BLOCK && self.subject == height.to_string() && self.answer == hash;
        let (by, against) = self.sides();
        let hash = hash.parse().ok().filter(|_| same && self.is_reached())?;
        Some(AgreedHeader { hash, asked: self.asked, by, against })
    }

    /// The check that follows from the answers: agreed, or trusted in who says it where that are too few. Error:
    /// `receipt-malformed`.
    pub(super) fn check(&self) -> Result<Check> {
        let texts = [&self.claim, &self.subject, &self.answer];
        let answers = self.answers.iter().flat_map(|one| [&one.source, &one.answer]);
        if self.answers.len() > MAX_ANSWERS
            || texts.into_iter().chain(answers).any(|text| text.len() > MAX_TEXT)
        {
            return Err(malformed("An agreement has too many answers, or too long ones."));
        }
        let sources: BTreeSet<&str> = self.answers.iter().map(|one| one.source.as_str()).collect();
        if sources.len() != self.answers.len() || sources.contains("") {
            return Err(malformed("A source answered twice, or has no name."));
        }
        let (by, against) = self.sides();
        if by.is_empty() || self.answers.len() as u64 > u64::from(self.asked) {
            return Err(malformed("An agreement that no source said, or that more said than were asked."));
        }
        if !(1..=self.asked).contains(&self.needed) {
            return Err(malformed("An agreement that nobody can reach, or that needs nobody."));
        }
        let named = |check: Check| {
            check.with("answer", &self.answer).with("asked", self.asked).with("needed", self.needed)
        };
        if self.is_reached() {
            let sentence =
                "So many of the sources that were asked gave this answer, says the maker of this receipt.";
            let check = Check::agreed(&self.claim, &self.subject, self.asked, by, against, sentence);
            return Ok(named(check));
        }
        let sentence =
            "These sources gave this answer, says the maker of this receipt. They are too few to agree.";
        let check = Check::proved(&self.claim, &self.subject, sentence).trusted(&by.join(", "));
        let others = (1..).zip(against);
        Ok(others
            .fold(named(check), |check, (number, said)| check.with(&format!("otherwise-{number}"), said)))
    }
}
