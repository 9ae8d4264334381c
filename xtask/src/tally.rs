//! Counting tests from what their runners print.

use std::fmt;

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// Adds up every summary in a text: those of `cargo test` and wasm-bindgen-test-runner
    /// (`test result: ok. 3 passed; 0 failed; 1 ignored; …`), of node's test runner (`# pass 3` or `ℹ pass 3`), and of our own
    /// scripts (`3 passed, 0 failed, 1 skipped` alone on a line).
    pub(crate) fn read(text: &str) -> Self {
        text.lines().filter_map(|line| line_tally(line.trim())).sum()
    }

    /// All tests, whatever became of them.
    pub(crate) fn total(&self) -> u64 {
        self.passed + self.failed + self.skipped
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, one| Self {
            passed: sum.passed + one.passed,
            failed: sum.failed + one.failed,
            skipped: sum.skipped + one.skipped,
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(out, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

fn line_tally(line: &str) -> Option<Tally> {
    if let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) {
        return counted(counts, "; ");
    }
    if let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) {
        let (word, count) = rest.split_once(' ')?;
        return one(count.parse().ok()?, word);
    }
    line.starts_with(|first: char| first.is_ascii_digit()).then(|| counted(line, ", ")).flatten()
}

/// `3 passed; 0 failed; 1 ignored; 0 measured`. Anything else in the line makes it no summary.
fn counted(text: &str, separator: &str) -> Option<Tally> {
    let tallies: Vec<Tally> = text.split(separator).map(part).collect::<Option<_>>()?;
    Some(tallies.into_iter().sum())
}

fn part(text: &str) -> Option<Tally> {
    // Parts of cargo's summary that say nothing about success.
    if ["measured", "filtered out", "finished in"].iter().any(|word| text.contains(word)) {
        return Some(Tally::default());
    }
    let (count, word) = text.split_once(' ')?;
    one(count.parse().ok()?, word)
}

fn one(count: u64, word: &str) -> Option<Tally> {
    let none = Tally::default();
    match word {
        "passed" | "pass" => Some(Tally { passed: count, ..none }),
        "failed" | "fail" | "cancelled" => Some(Tally { failed: count, ..none }),
        "ignored" | "skipped" | "todo" => Some(Tally { skipped: count, ..none }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn summaries_of_cargo_are_added_up() {
        let text = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
            test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.02s\n";
        assert_eq!(Tally::read(text), tally(5, 1, 1));
    }

    #[test]
    fn summaries_of_the_wasm_runner_count() {
        assert_eq!(
            Tally::read("test result: ok. 7 passed; 0 failed; 0 ignored; 0 filtered out\n"),
            tally(7, 0, 0)
        );
    }

    #[test]
    fn summaries_of_node_count_in_both_styles() {
        let text =
            "# tests 5\n# suites 1\n# pass 3\n# fail 1\n# cancelled 0\n# skipped 1\n# duration_ms 12.5\n";
        assert_eq!(Tally::read(text), tally(3, 1, 1));
        assert_eq!(Tally::read("ℹ tests 2\nℹ pass 2\nℹ fail 0\nℹ todo 0\n"), tally(2, 0, 0));
    }

    #[test]
    fn our_own_line_counts_and_other_lines_do_not() {
        assert_eq!(Tally::read("4 passed, 1 failed, 2 skipped\n"), tally(4, 1, 2));
        assert_eq!(
            Tally::read("in all 4 passed, 1 failed\n2 slots, 1 failed to load\n# pass a\n"),
            tally(0, 0, 0)
        );
    }

    #[test]
    fn the_line_a_person_reads() {
        assert_eq!(tally(3, 0, 0).to_string(), "3 passed, 0 failed");
        assert_eq!(tally(3, 1, 2).to_string(), "3 passed, 1 failed, 2 skipped");
        assert_eq!(Tally::read(&tally(3, 1, 2).to_string()), tally(3, 1, 2));
    }
}
