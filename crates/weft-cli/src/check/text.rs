//! A comparison for people.

use std::fmt::Write as _;

use serde_json::Value;
use weft_node::check::{Comparison, Difference, NodeCheck, NodeKind, Verdict};

/// How much of a value goes on a line.
const SHOWN_CHARS: usize = 300;

/// The whole comparison.
pub(super) fn of(comparison: &Comparison) -> String {
    let Comparison { process, slot, message, nodes, .. } = comparison;
    let mut text = format!("{process}: slot {slot}, message {message}, replayed here\n");
    for node in nodes {
        one(&mut text, *slot, node);
    }
    let count = |wanted: fn(&Verdict) -> bool| nodes.iter().filter(|node| wanted(&node.verdict)).count();
    let matches = count(|verdict| matches!(verdict, Verdict::Match));
    let silent = count(|verdict| matches!(verdict, Verdict::Silent { .. }));
    let differ = nodes.len() - matches - silent;
    line(&mut text, &format!("{} nodes: {matches} match, {differ} differ, {silent} silent", nodes.len()));
    text
}

fn one(text: &mut String, slot: u64, node: &NodeCheck) {
    let kind = match node.node_kind {
        Some(NodeKind::Legacy) => " (compute unit)",
        Some(NodeKind::HyperBeam) => " (HyperBEAM)",
        None => "",
    };
    let searched = node.searched.map(|searched| {
        let unanswered = match searched.unanswered {
            0 => String::new(),
            count => format!(", {count} not answered"),
        };
        let limit = if searched.complete { "" } else { ", not all" };
        format!("; {} earlier answers compared{unanswered}{limit}", searched.compared)
    });
    let searched = searched.unwrap_or_default();
    match &node.verdict {
        Verdict::Match => line(text, &format!("match     {}{kind}{searched}", node.node)),
        Verdict::Silent { code, sentence } => {
            line(text, &format!("silent    {}{kind}: {sentence} [{code}]", node.node));
        }
        Verdict::Mismatch { differences: here, first } => {
            let from = first.slot;
            line(text, &format!("mismatch  {}{kind}: first at slot {from}{searched}", node.node));
            differences(text, first.slot, &first.differences);
            if first.slot != slot && here.is_empty() {
                line(text, &format!("  at slot {slot} it gives the same answer again"));
            } else if first.slot != slot {
                differences(text, slot, here);
            }
        }
    }
}

fn differences(text: &mut String, slot: u64, all: &[Difference]) {
    line(text, &format!("  at slot {slot}"));
    for Difference { path, ours, theirs } in all {
        line(text, &format!("    {path}"));
        line(text, &format!("      - here   {}", shown(ours.as_ref())));
        line(text, &format!("      + there  {}", shown(theirs.as_ref())));
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a text does not fail. What others sent must not move the cursor.
    let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(text, "{plain}");
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "(nothing)".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
