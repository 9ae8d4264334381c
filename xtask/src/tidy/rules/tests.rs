use super::*;

/// How often a rule is broken by one file.
fn count(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> usize {
    rule(&Tree::of(&[(path, text)])).len()
}

#[test]
fn platform_code_is_found_outside_web_only() {
    let code = "#[cfg(target_arch = \"wasm32\")]\nuse web_sys::Window;\nunsafe { x() }\n";
    assert_eq!(count(platform, "crates/weft-node/src/lib.rs", code), 3);
    assert_eq!(count(platform, "web/src/lib.rs", code), 0);
    assert_eq!(count(platform, "tests/src/lib.rs", code), 2);
    assert_eq!(count(platform, "crates/weft-node/Cargo.toml", "[target.'cfg(target_arch = \"wasm32\")']"), 1);
    let speech = "#![forbid(unsafe_code)]\n// unsafe\nlet text = \"js_sys\";\n";
    assert_eq!(count(platform, "crates/weft-node/src/lib.rs", speech), 0);
}

#[test]
fn a_test_file_that_nothing_runs_is_found() {
    let findings = |main| {
        let files = [
            ("tests/tests/main.rs", main),
            ("tests/tests/one.rs", ""),
            ("tests/tests/two/mod.rs", ""),
            ("tests/tests/two/part.rs", ""),
            ("crates/weft-x/tests/alone.rs", ""),
        ];
        tests_named(&Tree::of(&files)).len()
    };
    assert_eq!(findings("mod one;\nmod two;\n"), 0);
    assert_eq!(findings("mod one;\n// mod two;\n"), 1);
    assert_eq!(findings(""), 2);
}

#[test]
fn long_files_are_found() {
    assert_eq!(count(length, "web/js/a.ts", &"x\n".repeat(601)), 1);
    assert_eq!(count(length, "web/js/a.ts", &"x\n".repeat(600)), 0);
    assert_eq!(count(length, "tests/fixtures/a.json", &"x\n".repeat(900)), 0);
}

#[test]
fn unfinished_work_is_found() {
    for text in [
        "// TODO later",
        "// FIXME",
        "todo!()",
        "unimplemented!()",
        "#[ignore = \"slow\"]",
        "test.only(\"x\")",
        "it.skip(\"x\")",
    ] {
        let marked = count(unfinished, "crates/a/src/lib.rs", text);
        assert_eq!(marked, 1, "{text}");
    }
    assert_eq!(count(unfinished, "crates/a/src/lib.rs", "let todos = iter.skip(1);"), 0);
}

#[test]
fn a_crate_has_a_head() {
    let manifest = ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n");
    let head = |text| crate_head(&Tree::of(&[manifest, ("crates/a/src/lib.rs", text)])).len();
    assert_eq!(head("//! What it is.\n#![forbid(unsafe_code)]\n"), 0);
    assert_eq!(head("#![forbid(unsafe_code)]\n"), 1);
    assert_eq!(head("//! What it is.\n// #![forbid(unsafe_code)]\n"), 1);
    assert_eq!(crate_head(&Tree::of(&[manifest])).len(), 1);
}

#[test]
fn machines_and_registries_are_found() {
    assert_eq!(count(machine, "README.md", &format!("https://{}.npmjs.org/", "registry")), 1);
    assert_eq!(count(machine, "a.sh", "cd /tmp/x"), 1);
    assert_eq!(count(machine, "a.rs", "\"/work/x\""), 1);
    assert_eq!(count(machine, "a.ts", "fetch(`${base}/work/1`)"), 0);
    assert_eq!(count(machine, "a.md", "target/tmp/x"), 0);
}

#[test]
fn lock_files_name_no_server() {
    assert_eq!(count(lock, "www/package-lock.json", "  \"resolved\": \"https://x/y.tgz\",\n"), 1);
    assert_eq!(count(lock, "www/package-lock.json", "  \"integrity\": \"sha512-x\"\n"), 0);
}

#[test]
fn licences_are_there_and_named() {
    let texts = [("LICENSE-MIT", ""), ("LICENSE-APACHE", "")];
    let with = |path, text| licence(&Tree::of(&[texts[0], texts[1], (path, text)])).len();
    assert_eq!(with("a/Cargo.toml", "[package]\nlicense.workspace = true\n"), 0);
    assert_eq!(with("a/Cargo.toml", "[package]\nname = \"a\"\n"), 1);
    assert_eq!(with("www/package.json", "{}"), 1);
    assert_eq!(licence(&Tree::of(&[])).len(), 2);
}

#[test]
fn the_changelog_is_open() {
    assert_eq!(count(changelog, "CHANGELOG.md", "# Changelog\n\n## Unreleased\n"), 0);
    assert_eq!(count(changelog, "CHANGELOG.md", "# Changelog\n\n## 0.1.0\n"), 1);
    assert_eq!(changelog(&Tree::of(&[])).len(), 1);
}

#[test]
fn lints_are_silenced_with_a_reason() {
    assert_eq!(count(lints, "a.rs", "#[allow(dead_code)]\nfn f() {}\n"), 1);
    assert_eq!(count(lints, "a.rs", "#[expect(\n    dead_code,\n    reason = \"shown\"\n)]\nfn f() {}\n"), 0);
    assert_eq!(count(lints, "a/Cargo.toml", "[package]\nname = \"a\"\n"), 1);
    assert_eq!(count(lints, "a/Cargo.toml", "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"), 0);
}
