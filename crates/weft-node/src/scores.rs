//! How each source has done in this session, and which one to ask first.
//!
//! A source begins with the best score. What goes wrong takes points, more for what is worse; time gives them back, and
//! good answers faster. Bytes that do not prove are forgiven slowest. All of it is whole numbers: same events at same
//! times, same scores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weft_codec::{Code, Error};

/// The best score, which a source begins with. The worst is 0.
pub const BEST_SCORE: u32 = 1_000;

/// In this time half of the points come back.
const HALF_LIFE_MS: u64 = 60_000;
/// The same for bytes that did not prove: 30 minutes.
const WRONG_HALF_LIFE_MS: u64 = 1_800_000;
/// Scores within one step count as equal, so that the user's order decides.
const STEP: u32 = 50;
/// The longest time a source can ask to be left alone, one day.
const LONGEST_WAIT_MS: u64 = 86_400_000;
/// The most sources remembered.
const MAX_KNOWN: usize = 256;

/// What came of one request to a source, or of looking at its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer.
    Answered,
    /// 404 or 410: perhaps it is right.
    Absent,
    /// 429, or 503 with `Retry-After`.
    Busy,
    /// Another 5xx.
    Broken,
    /// Another status.
    Refused,
    /// No connection.
    Unreachable,
    /// No answer in time.
    Late,
    /// Something else than was asked for: a web page, JSON that is cut, pages without end.
    Garbled,
    /// Bytes that do not prove.
    Wrong,
}

impl Outcome {
    /// The points it takes, and whether they are of the kind that is forgiven slowly.
    const fn price(self) -> (u32, bool) {
        match self {
            Self::Answered => (0, false),
            Self::Absent => (20, false),
            Self::Refused => (60, false),
            Self::Broken => (100, false),
            Self::Unreachable | Self::Late => (150, false),
            Self::Busy => (200, false),
            Self::Garbled => (250, false),
            Self::Wrong => (600, true),
        }
    }

    /// What an error of the transport says.
    pub(crate) fn of_transport(code: Code) -> Option<Self> {
        match code {
            Code::SourceTimeout => Some(Self::Late),
            Code::SourceUnreachable | Code::SourceInvalid => Some(Self::Unreachable),
            _ => None,
        }
    }

    /// What a status says.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            200..400 => Self::Answered,
            404 | 410 => Self::Absent,
            429 => Self::Busy,
            500..600 => Self::Broken,
            _ => Self::Refused,
        }
    }

    /// What the failure to use an answer says; `None` for what was counted when the answer came.
    pub(crate) fn of_content(code: Code) -> Option<Self> {
        match code {
            Code::SourceUnreachable | Code::SourceTimeout | Code::SourceStatus | Code::SourceInvalid => None,
            Code::NotFound | Code::NoSource | Code::MessageMissing | Code::TooLarge => None,
            Code::SourceGarbled
            | Code::PageMalformed
            | Code::PageLoop
            | Code::ItemTruncated
            | Code::JsonInvalid
            | Code::Base64Invalid
            | Code::AnchorMissing
            | Code::IdInvalid => Some(Self::Garbled),
            _ => Some(Self::Wrong),
        }
    }
}

/// How a source is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceHealth {
    /// Its address.
    pub url: String,
    /// From 0 to 1000.
    pub score: u32,
    /// Answers it gave in this session.
    pub answers: u64,
    /// Failures in this session: no answer, an error status, an answer that was of no use.
    pub failures: u64,
    /// The code of the last failure.
    pub last_failure: Option<String>,
    /// For how much longer it asked to be left alone, in milliseconds; 0 for not.
    pub wait_ms: u64,
}

#[derive(Clone, Debug, Default)]
struct Known {
    /// Points lost at a time, one pair for each kind.
    passing: (u32, u64),
    wrong: (u32, u64),
    wait_until: u64,
    answers: u64,
    failures: u64,
    last_failure: Option<Code>,
}

impl Known {
    fn score(&self, now: u64) -> u32 {
        let lost = faded(self.passing, now, HALF_LIFE_MS) + faded(self.wrong, now, WRONG_HALF_LIFE_MS);
        BEST_SCORE.saturating_sub(lost)
    }
}

/// What is left of lost points: half after each half-life, a straight line between.
fn faded((points, at): (u32, u64), now: u64, half_life: u64) -> u32 {
    let elapsed = now.saturating_sub(at);
    let Ok(halvings) = u32::try_from(elapsed / half_life) else { return 0 };
    let points = u64::from(points.checked_shr(halvings).unwrap_or(0));
    let left = points - points * (elapsed % half_life) / (2 * half_life);
    u32::try_from(left).unwrap_or(BEST_SCORE)
}

/// The scores of a session.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    known: BTreeMap<String, Known>,
}

impl Scores {
    fn entry(&mut self, url: &str) -> Option<&mut Known> {
        if !self.known.contains_key(url) && self.known.len() >= MAX_KNOWN {
            return None;
        }
        Some(self.known.entry(url.to_owned()).or_default())
    }

    /// Takes down what came of asking a source.
    pub(crate) fn note(&mut self, url: &str, outcome: Outcome, now: u64) {
        let Some(known) = self.entry(url) else { return };
        let (price, wrong) = outcome.price();
        if wrong {
            let left = faded(known.wrong, now, WRONG_HALF_LIFE_MS);
            known.wrong = ((left + price).min(BEST_SCORE), now);
            return;
        }
        let left = faded(known.passing, now, HALF_LIFE_MS);
        if outcome == Outcome::Answered {
            known.answers += 1;
            known.passing = (left / 2, now);
        } else {
            known.passing = ((left + price).min(BEST_SCORE), now);
        }
    }

    /// Counts a failure as the user is told of it.
    pub(crate) fn failed(&mut self, url: &str, error: &Error) {
        if let Some(known) = self.entry(url) {
            known.failures += 1;
            known.last_failure = Some(error.code());
        }
    }

    /// A source asks to be left alone for a while.
    pub(crate) fn hold(&mut self, url: &str, wait_ms: u64, now: u64) {
        if let Some(known) = self.entry(url) {
            known.wait_until = known.wait_until.max(now.saturating_add(wait_ms.min(LONGEST_WAIT_MS)));
        }
    }

    /// For how much longer a source asked to be left alone; 0 for not.
    pub(crate) fn wait_ms(&self, url: &str, now: u64) -> u64 {
        self.known.get(url).map_or(0, |known| known.wait_until.saturating_sub(now))
    }

    /// From 0 to [`BEST_SCORE`].
    pub(crate) fn score(&self, url: &str, now: u64) -> u32 {
        self.known.get(url).map_or(BEST_SCORE, |known| known.score(now))
    }

    /// The sources, best first. Those that asked to be left alone come last, in the order in which that ends. Of equal
    /// scores `served`, which served the last page, goes first, then the user's order counts.
    pub(crate) fn order(&self, urls: &[String], served: Option<&str>, now: u64) -> Vec<String> {
        let mut order: Vec<(u64, u32, bool, &String)> = urls
            .iter()
            .map(|url| {
                let lost = BEST_SCORE.saturating_sub(self.score(url, now)) / STEP;
                (self.wait_ms(url, now), lost, Some(url.as_str()) != served, url)
            })
            .collect();
        order.sort_by_key(|(wait, lost, other, _)| (*wait, *lost, *other));
        order.into_iter().map(|(.., url)| url.clone()).collect()
    }

    /// How one source is doing.
    pub(crate) fn health(&self, url: &str, now: u64) -> SourceHealth {
        let known = self.known.get(url).cloned().unwrap_or_default();
        SourceHealth {
            url: url.to_owned(),
            score: known.score(now),
            answers: known.answers,
            failures: known.failures,
            last_failure: known.last_failure.map(|code| code.as_str().to_owned()),
            wait_ms: known.wait_until.saturating_sub(now),
        }
    }

    /// How every source of this session is doing, by address.
    pub(crate) fn all(&self, now: u64) -> Vec<SourceHealth> {
        self.known.keys().map(|url| self.health(url, now)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "https://a.example";
    const B: &str = "https://b.example";

    fn urls() -> Vec<String> {
        vec![A.into(), B.into()]
    }

    #[test]
    fn worse_things_cost_more_and_the_worst_is_bytes_that_do_not_prove() {
        let after = |outcome| {
            let mut scores = Scores::default();
            scores.note(A, outcome, 0);
            scores.score(A, 0)
        };
        let order = [
            Outcome::Answered,
            Outcome::Absent,
            Outcome::Refused,
            Outcome::Broken,
            Outcome::Late,
            Outcome::Busy,
            Outcome::Garbled,
            Outcome::Wrong,
        ];
        assert!(order.map(after).is_sorted_by(|left, right| left > right), "{:?}", order.map(after));
        assert_eq!(after(Outcome::Unreachable), after(Outcome::Late));
    }

    #[test]
    fn time_and_good_answers_give_points_back() {
        let mut scores = Scores::default();
        scores.note(A, Outcome::Late, 0);
        assert_eq!(scores.score(A, 0), 850);
        assert_eq!(scores.score(A, HALF_LIFE_MS / 2), 887);
        assert_eq!(scores.score(A, HALF_LIFE_MS), 925);
        assert_eq!(scores.score(A, 20 * HALF_LIFE_MS), BEST_SCORE);
        assert_eq!(scores.score(A, u64::MAX), BEST_SCORE);
        scores.note(A, Outcome::Answered, 0);
        assert_eq!(scores.score(A, 0), 925);
        // A lie is not made good by answers, and slowly by time.
        scores.note(B, Outcome::Wrong, 0);
        for _ in 0..100 {
            scores.note(B, Outcome::Answered, 1);
        }
        assert!(scores.score(B, 1) < 410);
        assert_eq!(scores.score(B, WRONG_HALF_LIFE_MS), 700);
        // It never falls below nothing.
        for _ in 0..10 {
            scores.note(B, Outcome::Wrong, 2);
            scores.note(B, Outcome::Garbled, 2);
        }
        assert_eq!(scores.score(B, 2), 0);
    }

    #[test]
    fn answers_in_quick_succession_do_not_stop_the_forgiving() {
        let mut scores = Scores::default();
        scores.note(A, Outcome::Wrong, 0);
        for at in 0..10_000 {
            scores.note(A, Outcome::Answered, at * 360);
        }
        assert_eq!(scores.score(A, 2 * WRONG_HALF_LIFE_MS), 850);
    }

    #[test]
    fn the_users_order_breaks_ties() {
        let mut scores = Scores::default();
        assert_eq!(scores.order(&urls(), None, 0), [A, B]);
        assert_eq!(scores.order(&urls(), Some(B), 0), [B, A]);
        // A little is no difference.
        scores.note(A, Outcome::Absent, 0);
        assert_eq!(scores.order(&urls(), None, 0), [A, B]);
        scores.note(A, Outcome::Broken, 0);
        assert_eq!(scores.order(&urls(), None, 0), [B, A]);
        assert_eq!(scores.order(&urls(), Some(A), 0), [B, A]);
        assert_eq!(scores.order(&urls(), None, 10 * HALF_LIFE_MS), [A, B]);
    }

    #[test]
    fn who_asks_to_be_left_alone_comes_last_until_then() {
        let mut scores = Scores::default();
        scores.hold(A, 3_000, 100);
        scores.hold(A, 1_000, 100);
        assert_eq!((scores.wait_ms(A, 100), scores.wait_ms(A, 3_100)), (3_000, 0));
        assert_eq!(scores.order(&urls(), Some(A), 100), [B, A]);
        assert_eq!(scores.order(&urls(), None, 3_100), [A, B]);
        scores.hold(B, u64::MAX, 0);
        assert_eq!(scores.wait_ms(B, 0), LONGEST_WAIT_MS);
    }

    #[test]
    fn health_says_what_happened() {
        let mut scores = Scores::default();
        scores.note(A, Outcome::Answered, 0);
        scores.note(A, Outcome::Busy, 0);
        scores.failed(A, &Error::new(Code::SourceStatus, "No."));
        scores.hold(A, 2_000, 0);
        let expected = SourceHealth {
            url: A.into(),
            score: 800,
            answers: 1,
            failures: 1,
            last_failure: Some("source-status".into()),
            wait_ms: 2_000,
        };
        assert_eq!(scores.all(0), [expected]);
        for number in 0..1_000 {
            scores.note(&format!("https://{number}.example"), Outcome::Answered, 0);
        }
        assert_eq!(scores.all(0).len(), MAX_KNOWN);
    }
}
