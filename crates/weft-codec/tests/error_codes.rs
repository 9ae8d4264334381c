//! docs/errors.md explains every code, in the order of the source, and no other.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use weft_codec::Code;

#[test]
fn the_documentation_and_the_codes_agree() {
    let rows = include_str!("../../../docs/errors.md").lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: Vec<&str> = rows
        .map(|row| {
            let (code, rest) = row.split_once("` | ").unwrap();
            let cells: Vec<&str> = rest.split(" | ").collect();
            assert_eq!(cells.len(), 2, "{code}: meaning and advice");
            assert!(
                cells.iter().all(|cell| cell.trim_matches(['|', ' ']).ends_with('.')),
                "{code}: sentences"
            );
            code
        })
        .collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(documented, codes);
    let plain = |text: &&str| {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    assert!(codes.iter().all(plain));
}
