//! What a file holds, seen by its bytes and not by its name, and whether that proves.

use std::path::Path;

use serde_json::Value;
use weft_codec::item::DataItem;
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Error, Id, Result, ao, bundle, scheduler_page};
use weft_verify::{RECEIPT_KIND, Untrusted};

use super::entries::{Collected, Entry, history};
use super::layer1::Layer1;
use super::schedule::Schedules;
use super::{Asked, Line, Report, exchange, fraud, receipt};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// Verifies one file. `named` is whether the user asked for it by name: then it must be something we know.
pub(super) fn verify(
    file: Result<&Path>,
    named: bool,
    asked: &Asked<'_>,
    report: &mut Report<'_>,
    entries: &mut Collected,
) {
    let path = match file {
        Ok(path) => path,
        Err(error) => return report.push(&Line::refused("", "other", error)),
    };
    let shown = path.display().to_string();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => return report.push(&Line::refused(&shown, "other", error)),
    };
    let mut found = Found {
        report,
        asked,
        entries: Vec::new(),
        layer1: &mut entries.layer1,
        schedules: &mut entries.schedules,
    };
    found.bytes(&shown, &bytes, named);
    let stored = found.entries;
    let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    entries.add(&folder, stored);
}

/// Reads a file of bounded size. Errors: `unreadable`, `too-large`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let unreadable = |cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("{} cannot be read.", path.display())).because(cause)
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_FILE {
        return Err(Error::new(
            Code::TooLarge,
            format!("Files have at most {MAX_FILE} bytes, this has {size}."),
        ));
    }
    std::fs::read(path).map_err(unreadable)
}

struct Found<'a, 'b> {
    report: &'a mut Report<'b>,
    asked: &'a Asked<'a>,
    schedules: &'a mut Schedules,
    /// Stored history entries: bundles that begin with an assignment.
    entries: Vec<Entry>,
    layer1: &'a mut Layer1,
}

impl Found<'_, '_> {
    fn bytes(&mut self, path: &str, bytes: &[u8], named: bool) {
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') && !text.is_empty() => self.text(path, text, named),
            _ if is_bundle(bytes) => self.bundle(path, bytes, 1),
            _ => self.item_bytes(path, bytes),
        }
    }

    /// JSON, or one JSON value a line; other text is not ours.
    fn text(&mut self, path: &str, text: &str, named: bool) {
        if !text.trim_start().starts_with(['{', '[']) {
            return self.not_ours(path, named);
        }
        if receipt::begins(text) {
            return receipt::verify(path, text, self.asked, self.report);
        }
        match serde_json::from_str::<Value>(text) {
            Ok(value) => self.json(path, &value, text, named),
            Err(cause) => {
                let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
                let values: Result<Vec<Value>, _> =
                    lines.iter().map(|line| serde_json::from_str(line)).collect();
                if let Ok(values) = values
                    && values.len() > 1
                {
                    for (index, (value, line)) in values.iter().zip(&lines).enumerate() {
                        self.json(&format!("{path}:{}", index + 1), value, line, named);
                    }
                    return;
                }
                let error =
                    Error::new(Code::JsonInvalid, "This is neither JSON nor JSON by line.").because(cause);
                self.report.push(&Line::refused(path, "other", error));
            }
        }
    }

    fn json(&mut self, path: &str, value: &Value, text: &str, named: bool) {
        let has = |name: &str| value.get(name).is_some();
        if value.get("kind").is_some_and(|kind| kind == RECEIPT_KIND) {
            receipt::verify(path, text, self.asked, self.report);
        } else if fraud::is_one(value) {
            fraud::verify(path, text.as_bytes(), self.report);
        } else if exchange::is_one(value) {
            exchange::verify(path, value, self.schedules, self.report);
        } else if has("edges") {
            self.page(path, text.as_bytes());
        } else if has("assignment") && has("message") {
            match scheduler_page::parse_entry(text.as_bytes()) {
                Ok(entry) => self.entry(path, &entry),
                Err(error) => self.report.push(&Line::refused(path, "page", error)),
            }
        } else if has("indep_hash") && has("previous_block") {
            self.layer1.block(path, text.as_bytes(), self.report);
        } else if has("signature") && (has("quantity") || has("reward") || has("last_tx")) {
            self.transaction(path, text.as_bytes());
        } else if has("chunk") && has("data_path") {
            self.layer1.chunk(path, value, self.report);
        } else if has("transaction") && has("blocks") && has("path") {
            self.layer1.inclusion(path, text.as_bytes(), self.report);
        } else {
            self.not_ours(path, named);
        }
    }

    fn not_ours(&mut self, path: &str, named: bool) {
        let what = "This is no data item, bundle, transaction, block, chunk, scheduler page, proof, fraud proof, receipt or recorded exchange.";
        let line = if named {
            Line::refused(path, "other", Error::new(Code::RequestInvalid, what))
        } else {
            Line::skipped(path, "other", what)
        };
        self.report.push(&line);
    }

    fn transaction(&mut self, path: &str, json: &[u8]) {
        let line = match Transaction::from_json(json) {
            Ok(transaction) => {
                let id = transaction.computed_id();
                let result = weft_verify::transaction(Untrusted::new(transaction, path), None, None);
                result.iter().for_each(|proved| self.layer1.transaction(proved));
                let data = result
                    .as_ref()
                    .is_ok_and(|proved| proved.checks().iter().any(|c| c.claim == "data-root"));
                let said =
                    if data { "id, signature and data" } else { "id and signature; the data are not here" };
                Line::of(path, "transaction", Some(id), result, said)
            }
            Err(error) => Line::refused(path, "transaction", error),
        };
        self.report.push(&line);
    }

    fn page(&mut self, path: &str, json: &[u8]) {
        let page = match scheduler_page::parse(json) {
            Ok(page) => page,
            Err(error) => return self.report.push(&Line::refused(path, "page", error)),
        };
        let mut entries = Vec::new();
        for (index, edge) in page.edges.into_iter().enumerate() {
            self.entry(&format!("{path}#{index}"), &edge.entry);
            if let Some(assignment) = edge.entry.assignment {
                entries.push(Entry { assignment, message: edge.entry.message });
            }
        }
        let line = history(path, entries, self.asked.policy);
        self.report.push(&line.unwrap_or_else(|| {
            let why = "The process is not in the page, so the order of its entries was not verified.";
            Line::skipped(path, "history", why)
        }));
    }

    fn entry(&mut self, path: &str, entry: &scheduler_page::Entry) {
        if let Some(item) = &entry.assignment {
            self.assignment(&format!("{path}/assignment"), item);
        }
        if let Some(item) = &entry.message {
            self.item(&format!("{path}/message"), "message", item, None);
        }
    }

    fn assignment(&mut self, path: &str, item: &DataItem) {
        let result = weft_verify::assignment(Untrusted::new(item.clone(), path));
        self.report.push(&Line::of(path, "assignment", Some(item.id()), result, "id and signature"));
    }

    fn item_bytes(&mut self, path: &str, bytes: &[u8]) {
        match DataItem::parse(bytes) {
            Ok(item) => {
                self.item(path, "item", &item, None);
                self.inside(path, &item, 1);
            }
            Err(error) => self.report.push(&Line::refused(path, "item", error)),
        }
    }

    fn item(&mut self, path: &str, kind: &'static str, item: &DataItem, expected: Option<Id>) {
        let result = weft_verify::item(Untrusted::new(item.clone(), path), expected);
        self.report.push(&Line::of(path, kind, Some(item.id()), result, "id and signature"));
    }

    fn inside(&mut self, path: &str, item: &DataItem, depth: usize) {
        if bundle::is_bundle(item) {
            self.bundle(path, &item.data, depth);
        }
    }

    fn bundle(&mut self, path: &str, bytes: &[u8], depth: usize) {
        let bounded = if depth > bundle::MAX_DEPTH {
            let what = format!("Bundles are opened {} deep.", bundle::MAX_DEPTH);
            Err(Error::new(Code::TooLarge, what))
        } else {
            bundle::parse(bytes)
        };
        let items = match bounded {
            Ok(items) => items,
            Err(error) => return self.report.push(&Line::refused(path, "bundle", error)),
        };
        self.collect(&items);
        for (index, (printed, item)) in items.iter().enumerate() {
            let path = format!("{path}#{index}");
            self.item(&path, "item", item, Some(*printed));
            self.inside(&path, item, depth + 1);
        }
    }

    /// A scheduler stores an entry as a bundle of its assignment and, unless it is an Assign, the message.
    fn collect(&mut self, items: &[(Id, DataItem)]) {
        if let [(_, assignment), rest @ ..] = items
            && rest.len() <= 1
            && ao::Assignment::read(assignment.clone()).is_ok()
        {
            let message = rest.first().map(|(_, message)| message.clone());
            self.entries.push(Entry { assignment: assignment.clone(), message });
        }
    }
}

/// A bundle begins with a count of 32 bytes, little-endian, whose upper 24 are zero; an item with two bytes of type
/// and then its signature.
fn is_bundle(bytes: &[u8]) -> bool {
    bytes.get(8..32).is_some_and(|high| high.iter().all(|byte| *byte == 0))
}
