//! The rules of the house that neither rustc nor clippy knows.
//!
//! Each rule is a function from the tree of sources to findings, so that its test is a few lines of source that break it.

mod arrows;
mod code;
mod rules;
mod tree;

use anyhow::Result;

use crate::ctx::Ctx;
use crate::say::say;
use tree::{Finding, Tree};

/// A rule: its name and its function.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

const RULES: [Rule; 11] = [
    ("arrows", arrows::arrows),
    ("platform", rules::platform),
    ("tests-named", rules::tests_named),
    ("length", rules::length),
    ("unfinished", rules::unfinished),
    ("crate-head", rules::crate_head),
    ("machine", rules::machine),
    ("lock", rules::lock),
    ("licence", rules::licence),
    ("changelog", rules::changelog),
    ("lints", rules::lints),
];

/// `cargo xtask tidy`.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    Ok(check(ctx)? == 0)
}

/// Prints what breaks a rule and returns how many times.
pub(crate) fn check(ctx: &Ctx) -> Result<usize> {
    let tree = Tree::read(&ctx.root)?;
    let mut count = 0;
    for (name, rule) in RULES {
        for finding in rule(&tree) {
            say!("{name}: {finding}");
            count += 1;
        }
    }
    match count {
        0 => say!("{} rules, {} files: nothing to tidy", RULES.len(), tree.files.len()),
        count => say!("{count} findings"),
    }
    Ok(count)
}
