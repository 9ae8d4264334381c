//! What several sources were asked, and what each of them said.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use weft_codec::Result;

use super::file::malformed;
use crate::receipt::Check;

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
    /// The check that follows from the answers. Error: `receipt-malformed`.
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
        let said = |one: &&SourceAnswer| one.answer == self.answer;
        let by: Vec<String> = self.answers.iter().filter(said).map(|one| one.source.clone()).collect();
        let others = self.answers.iter().filter(|one| !said(one));
        let against: Vec<String> = others.map(|one| format!("{}: {}", one.source, one.answer)).collect();
        if by.is_empty() || self.answers.len() as u64 > u64::from(self.asked) {
            return Err(malformed("An agreement that no source said, or that more said than were asked."));
        }
        let sentence =
            "So many of the sources that were asked gave this answer, says the maker of this receipt.";
        let check = Check::agreed(&self.claim, &self.subject, self.asked, by, against, sentence);
        Ok(check.with("answer", &self.answer))
    }
}
