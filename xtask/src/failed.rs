//! What failed, found in what a test runner printed: a run prints thousands of lines, and whoever reads its end should see why
//! it failed.

/// How many lines of one step are said again.
const LINES: usize = 60;
/// How many lines of one test are said again.
const LINES_OF_A_TEST: usize = 16;

/// The lines about tests that failed: what `cargo test` and wasm-bindgen-test-runner print below `---- name stdout ----` and
/// `failures:`, and what node's runner prints after `not ok`.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut left = 0;
    for line in text.lines() {
        let begins = begins(line);
        if begins {
            left = LINES_OF_A_TEST;
        } else if ends(line) {
            left = 0;
        }
        if left > 0 && (begins || !line.trim().is_empty()) {
            found.push(line);
            left -= 1;
        }
        if found.len() == LINES {
            break;
        }
    }
    found
}

/// Whether a line is the first about a test that failed.
fn begins(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("not ok ")
        || (line.starts_with("---- ") && line.ends_with(" ----"))
        || line == "failures:"
}

/// Whether a line ends what is said about it.
fn ends(line: &str) -> bool {
    let line = line.trim();
    line == "..."
        || line.starts_with("test result: ")
        || line.starts_with("ok ")
        || line.starts_with("# Subtest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_of_a_failure_is_found() {
        let text = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\nthread 'b' panicked at 'x'\n\n\
            failures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\nrunning 1 test\n";
        let said = ["failures:", "---- b stdout ----", "thread 'b' panicked at 'x'", "failures:", "    b"];
        assert_eq!(lines(text), said);
    }

    #[test]
    fn what_node_says_of_a_failure_is_found() {
        let text = "# Subtest: a\nok 1 - a\n# Subtest: b\nnot ok 2 - b\n  ---\n  error: 'no'\n  ...\n# pass 1\n# fail 1\n";
        assert_eq!(lines(text), ["not ok 2 - b", "  ---", "  error: 'no'"]);
    }

    #[test]
    fn little_is_said_of_much() {
        let text = "not ok 1 - a\n".repeat(1_000);
        assert_eq!(lines(&text).len(), LINES);
        let long = format!("not ok 1 - a\n{}", "line\n".repeat(1_000));
        assert_eq!(lines(&long).len(), LINES_OF_A_TEST);
        assert!(lines("# pass 3\nok 1 - a\n").is_empty());
    }
}
