//! What several sources say about one thing that none of them can prove.
//!
//! All are asked. Their answers are compared in a canonical form. A value counts as agreed when `needed` of the asked
//! say it; whoever says otherwise is kept with the answer, and whoever says nothing with the reason. One source alone
//! is not agreement: it is trusted, and named.

use serde::{Deserialize, Serialize};
use weft_codec::{Error, Result};
use weft_verify::{Check, SourceAnswer, Status};

use crate::failures::Failures;

/// How many of `asked` sources must say the same: `k`, but never more than there are; without it a majority.
#[must_use]
pub(crate) fn needed(k: Option<u32>, asked: usize) -> u32 {
    let asked = u32::try_from(asked).unwrap_or(u32::MAX);
    k.unwrap_or(asked / 2 + 1).clamp(1, asked.max(1))
}

/// A source that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silent {
    /// Its address.
    pub url: String,
    /// The stable code of its failure.
    pub code: String,
    /// What happened.
    pub sentence: String,
}

/// A source that says otherwise, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dissent<T> {
    /// Its address.
    pub url: String,
    /// Its answer.
    pub says: T,
}

/// What came of asking all sources the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement<T> {
    /// What most say; of equally many, what the source says that stands first.
    pub value: T,
    /// How many were asked.
    pub asked: u32,
    /// How many must say the same.
    pub needed: u32,
    /// Who says it.
    pub by: Vec<String>,
    /// Who says otherwise.
    pub against: Vec<Dissent<T>>,
    /// Who said nothing.
    pub silent: Vec<Silent>,
}

/// An [`Agreement`] with its answers as text, for events and receipts.
pub type Tally = Agreement<String>;

impl<T: PartialEq + Clone> Agreement<T> {
    /// Counts answers. The error has every source's failure, if none answered.
    pub(crate) fn of(answers: Vec<(String, Result<T>)>, needed: u32) -> Result<Self, Failures> {
        let asked = u32::try_from(answers.len()).unwrap_or(u32::MAX);
        let mut groups: Vec<(T, Vec<String>)> = Vec::new();
        let (mut silent, mut failures) = (Vec::new(), Failures::default());
        for (url, answer) in answers {
            match answer {
                Ok(value) => match groups.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, by)) => by.push(url),
                    None => groups.push((value, vec![url])),
                },
                Err(error) => {
                    silent.push(Silent::new(&url, &error));
                    failures.push(&url, error);
                }
            }
        }
        // The first of the largest: `max_by_key` would take the last.
        let most = groups.iter().map(|(_, by)| by.len()).max();
        let Some(at) = groups.iter().position(|(_, by)| Some(by.len()) == most) else {
            return Err(failures);
        };
        let (value, by) = groups.remove(at);
        let against = groups
            .into_iter()
            .flat_map(|(says, by)| by.into_iter().map(move |url| Dissent { url, says: says.clone() }));
        Ok(Self { value, asked, needed, by, against: against.collect(), silent })
    }
}

impl<T> Agreement<T> {
    /// Whether enough sources say it.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.by.len() as u64 >= u64::from(self.needed)
    }

    /// The same with answers as text.
    pub(crate) fn tally(&self, text: impl Fn(&T) -> String) -> Tally {
        let against =
            self.against.iter().map(|one| Dissent { url: one.url.clone(), says: text(&one.says) }).collect();
        Agreement {
            value: text(&self.value),
            asked: self.asked,
            needed: self.needed,
            by: self.by.clone(),
            against,
            silent: self.silent.clone(),
        }
    }
}

impl Tally {
    /// The tally as a receipt file has it. Who said nothing is only counted there.
    pub(crate) fn evidence(&self, claim: &str, subject: impl ToString) -> weft_verify::Agreement {
        let by = self.by.iter().map(|url| SourceAnswer { source: url.clone(), answer: self.value.clone() });
        let against = self.against.iter();
        let against = against.map(|one| SourceAnswer { source: one.url.clone(), answer: one.says.clone() });
        weft_verify::Agreement {
            claim: claim.to_owned(),
            subject: subject.to_string(),
            asked: self.asked,
            needed: self.needed,
            answer: self.value.clone(),
            answers: by.chain(against).collect(),
        }
    }

    /// The tally as a check: agreed if enough say it, else trusted in those who do. All answers are kept either way.
    pub(crate) fn check(&self, claim: &str, subject: impl ToString, sentence: &str) -> Check {
        let against: Vec<String> =
            self.against.iter().map(|one| format!("{}: {}", one.url, one.says)).collect();
        let mut check = Check::agreed(claim, subject, self.asked, self.by.clone(), against.clone(), sentence);
        check = check.with("answer", &self.value).with("needed", self.needed).with("asked", self.asked);
        if self.asked < 2 || !self.is_reached() {
            check.status = Status::Trusted { by: self.by.join(", ") };
            for (number, said) in (1..).zip(against) {
                check = check.with(&format!("otherwise-{number}"), said);
            }
        }
        for (number, silent) in (1..).zip(&self.silent) {
            check = check.with(&format!("silent-{number}"), format!("{}: {}", silent.url, silent.sentence));
        }
        check
    }
}

impl Silent {
    pub(crate) fn new(url: &str, error: &Error) -> Self {
        let (code, sentence) = (error.code().as_str().to_owned(), error.sentence().to_owned());
        Self { url: url.to_owned(), code, sentence }
    }
}

#[cfg(test)]
mod tests {
    use weft_codec::Code;

    use super::*;

    fn answers(said: &[(&str, Option<u8>)]) -> Vec<(String, Result<u8>)> {
        let answer = |said: &Option<u8>| said.ok_or_else(|| Error::new(Code::SourceTimeout, "Late."));
        said.iter().map(|(url, said)| ((*url).to_owned(), answer(said))).collect()
    }

    #[test]
    fn a_majority_is_needed_unless_the_user_says_how_many() {
        assert_eq!([1, 2, 3, 4, 5].map(|asked| needed(None, asked)), [1, 2, 2, 3, 3]);
        assert_eq!([0, 1, 2, 9].map(|k| needed(Some(k), 3)), [1, 1, 2, 3]);
        assert_eq!(needed(None, 0), 1);
    }

    #[test]
    fn what_most_say_counts_and_the_others_are_kept() {
        let said = answers(&[("a", Some(1)), ("b", Some(2)), ("c", None), ("d", Some(2))]);
        let agreement = Agreement::of(said, 2).unwrap();
        assert_eq!((agreement.value, agreement.is_reached(), agreement.asked), (2, true, 4));
        assert_eq!(agreement.by, ["b", "d"]);
        assert_eq!(agreement.against, [Dissent { url: "a".into(), says: 1 }]);
        assert_eq!(agreement.silent[0].code, "source-timeout");
        let check = agreement.tally(u8::to_string).check("tip", "block", "So they say.");
        let by = vec!["b".to_owned(), "d".to_owned()];
        assert_eq!(check.status, Status::Agreed { k: 2, n: 4, by, against: vec!["a: 1".into()] });
        assert_eq!(check.evidence["silent-1"], "c: Late.");
    }

    #[test]
    fn a_tie_goes_to_the_first_and_is_no_agreement() {
        let agreement = Agreement::of(answers(&[("a", Some(1)), ("b", Some(2))]), 2).unwrap();
        assert_eq!((agreement.value, agreement.is_reached()), (1, false));
        let check = agreement.tally(u8::to_string).check("tip", "block", "So they say.");
        assert_eq!(check.status, Status::Trusted { by: "a".into() });
        assert_eq!(check.evidence["otherwise-1"], "b: 2");
    }

    #[test]
    fn one_source_is_trusted_not_agreed() {
        let agreement = Agreement::of(answers(&[("a", Some(1))]), 1).unwrap();
        assert!(agreement.is_reached());
        let check = agreement.tally(u8::to_string).check("tip", "block", "So it says.");
        assert_eq!(check.status, Status::Trusted { by: "a".into() });
    }

    #[test]
    fn silence_is_no_answer() {
        let failures = Agreement::of(answers(&[("a", None), ("b", None)]), 2).unwrap_err();
        assert_eq!(failures.into_error("it").code(), Code::SourceTimeout);
        let nobody: Agreement<u8> = match Agreement::of(Vec::new(), 1) {
            Ok(agreement) => agreement,
            Err(failures) => return assert_eq!(failures.into_error("it").code(), Code::NoSource),
        };
        panic!("{nobody:?}");
    }
}
