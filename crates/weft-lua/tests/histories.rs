//! Histories of a real HyperBEAM node, recorded with its answers: their schedules are applied to `lua@5.3a` processes here, and
//! every slot's result and every recorded state must be the node's, byte for byte.
//!
//! They are in `../shared/fixtures/hyperbeam/live`, beside the repository; without that folder nothing is compared, and the
//! test says so. The hyper-aos history needs the module it names, `hyper-aos.lua`, in the folder `WEFT_MODULES`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use weft_codec::base64url;
use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{Generation, Message, Value, ans104, structured};
use weft_lua::Limits;
use weft_lua::device::{Held, Map, Outcome, Process, Store, read_message, write_message};

const GENERATION: Generation = Generation::September2025;
/// The module of the hyper-aos history, `test/hyper-aos.lua` of samcamwilliams/HyperBEAM @ 2b638f2b. Published packages carry
/// other versions of it, with other results.
const HYPER_AOS: &str = "sha-256=:G1rqSTGphiSGpQo9nVpUll2VHo/FkpxPiOUfAcjwpxU=:";
/// What the transport adds, and what signs: not the message.
const TRANSPORT: [&str; 9] = [
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "connection",
    "date",
    "server",
    "transfer-encoding",
    "signature",
    "signature-input",
];

/// Past the capture of the test runner: what was compared is part of the result.
fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").unwrap();
}

fn live() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/hyperbeam/live");
    if !path.is_dir() {
        say("histories: ../shared/fixtures/hyperbeam/live is not there");
        return None;
    }
    Some(path)
}

/// The message of an answer: its headers without the transport's, and its body.
fn answer(path: &Path) -> (u64, Encoded) {
    let exchange: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let response = &exchange["response"];
    let body = match &response["body"] {
        Json::Object(body) if body.contains_key("text") => body["text"].as_str().unwrap().as_bytes().to_vec(),
        Json::Object(body) if body.contains_key("base64") => {
            standard_base64(body["base64"].as_str().unwrap())
        }
        _ => Vec::new(),
    };
    let headers = response["headers"].as_array().unwrap().iter().map(|header| {
        (header[0].as_str().unwrap().to_owned(), header[1].as_str().unwrap().as_bytes().to_vec())
    });
    let headers: Vec<_> = headers.filter(|(name, _)| !TRANSPORT.contains(&name.as_str())).collect();
    (response["status"].as_u64().unwrap(), Encoded::received(headers, body).unwrap())
}

fn standard_base64(text: &str) -> Vec<u8> {
    let url: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| {
            if c == '+' {
                '-'
            } else if c == '/' {
                '_'
            } else {
                c
            }
        })
        .collect();
    base64url::decode(&url).unwrap()
}

fn message(encoded: &Encoded) -> Message {
    structured::from_tabm(&httpsig::decode(encoded).unwrap()).unwrap()
}

/// The assignments of a process, by slot.
fn schedule(files: &[PathBuf]) -> BTreeMap<u64, Map> {
    let mut all = BTreeMap::new();
    for file in files {
        let page = message(&answer(file).1);
        let Some(Value::Message(assignments)) = page.get("assignments") else { panic!("{}", file.display()) };
        for (slot, assignment) in assignments {
            all.insert(slot.parse().unwrap(), read_message(assignment.as_message().unwrap()).unwrap());
        }
    }
    all
}

fn files(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with(begin));
    found.sort();
    found
}

/// The slot in a file's name, `httpsig-012.json`.
fn slot_of(path: &Path) -> u64 {
    path.file_stem().unwrap().to_string_lossy().rsplit('-').next().unwrap().parse().unwrap()
}

/// A message as the node writes it: `status` is added to what it answers.
fn written(map: &Map) -> Encoded {
    let status = Value::Integer(200);
    let tabm = structured::to_tabm(&write_message(map).unwrap().with("status", status), GENERATION).unwrap();
    httpsig::encode_content(&tabm, GENERATION).unwrap()
}

/// What differs between the node's message and ours, in words.
fn difference(node: &Encoded, ours: &Encoded) -> Option<String> {
    let mut out = Vec::new();
    let names: std::collections::BTreeSet<&String> = node.headers.keys().chain(ours.headers.keys()).collect();
    let show = |bytes: Option<&Vec<u8>>| {
        bytes.map_or("-".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    for name in names {
        if node.headers.get(name) != ours.headers.get(name) {
            let (theirs, own) = (show(node.headers.get(name)), show(ours.headers.get(name)));
            out.push(format!("{name}: node {theirs}, ours {own}"));
        }
    }
    if node.body != ours.body {
        let (theirs, own) = (show(node.body.as_ref()), show(ours.body.as_ref()));
        let lines: Vec<String> = theirs
            .lines()
            .zip(own.lines().chain(std::iter::repeat("")))
            .filter(|(a, b)| a != b && !a.starts_with("--"))
            .take(6)
            .map(|(a, b)| format!("body: node {a}, ours {b}"))
            .collect();
        out.push(if lines.is_empty() {
            format!("body: node {theirs}\nours {own}")
        } else {
            lines.join("\n")
        });
    }
    (!out.is_empty()).then(|| out.join("\n"))
}

/// The same for an answer as JSON, where there are no types but those of words.
fn json_difference(node: &Encoded, ours: &Map) -> Option<String> {
    let mut theirs: Json = serde_json::from_slice(node.body.as_ref().unwrap()).unwrap();
    let theirs_too = theirs.as_object_mut().unwrap();
    theirs_too.remove("commitments");
    theirs_too.remove("status");
    let own = json_of(&Held::Map(ours.clone()));
    (theirs != own).then(|| format!("node {theirs}\nours {own}"))
}

fn json_of(value: &Held) -> Json {
    match value {
        Held::Atom(word) => word.as_str().into(),
        Held::Int(number) => i64::try_from(number).unwrap().into(),
        Held::Float(number) => (*number).into(),
        Held::Binary(bytes) => std::str::from_utf8(bytes).unwrap().into(),
        Held::List(values) => values.iter().map(json_of).collect(),
        Held::Map(map) => {
            let mut object = serde_json::Map::new();
            let mut words = Vec::new();
            for (key, value) in map {
                let key = String::from_utf8(key.normal()).unwrap();
                if matches!(value, Held::Atom(_)) {
                    words.push(format!("{key}=\"atom\""));
                }
                object.insert(key, json_of(value));
            }
            if !words.is_empty() {
                object.insert("ao-types".to_owned(), words.join(", ").into());
            }
            Json::Object(object)
        }
    }
}

struct History {
    folder: PathBuf,
    process: Process,
    schedule: BTreeMap<u64, Map>,
    results: BTreeMap<u64, PathBuf>,
    states: BTreeMap<u64, PathBuf>,
}

/// What a history's replay came to.
#[derive(Default)]
struct Report {
    results: usize,
    states: usize,
    wrong: Vec<String>,
    outcomes: Vec<(u64, Outcome)>,
}

impl History {
    fn new(folder: PathBuf, schedule: BTreeMap<u64, Map>, results: &str, store: &Store) -> Self {
        let by_slot = |files: Vec<PathBuf>| files.into_iter().map(|file| (slot_of(&file), file)).collect();
        let own = |begin: &str, folder: &str| by_slot(files(&folder_of(results, folder), begin));
        fn folder_of(results: &str, folder: &str) -> PathBuf {
            Path::new(results).parent().unwrap().join(folder)
        }
        let named = Path::new(results).file_name().unwrap().to_string_lossy().into_owned();
        let recorded = match named.as_str() {
            "results" => own("httpsig-", "results"),
            other => by_slot(files(&folder_of(results, other), "")),
        };
        let states = own("httpsig-", "state");
        let body = schedule[&0][&"body".into()].map().unwrap().clone();
        let process = Process::new(&body, store, Limits::default()).unwrap();
        Self { folder, process, schedule, results: recorded, states }
    }

    fn replay(mut self) -> Report {
        let mut report = Report::default();
        for (slot, assignment) in &self.schedule {
            let applied = self.process.apply(assignment).unwrap();
            assert!(applied.unreplayable.is_empty(), "slot {slot}: {:?}", applied.unreplayable);
            let computed = applied.outcome == Outcome::Computed;
            report.outcomes.push((*slot, applied.outcome));
            if !computed {
                continue;
            }
            let results = self.process.results().and_then(Held::map).cloned();
            for (kind, recorded, ours) in [
                ("results", self.results.get(slot), results),
                ("state", self.states.get(slot), Some(self.process.state().clone())),
            ] {
                let (Some(path), Some(ours)) = (recorded, ours) else { continue };
                let (status, node) = answer(path);
                if status != 200 {
                    report
                        .wrong
                        .push(format!("slot {slot}, {kind}: computed here, the node answered {status}"));
                    continue;
                }
                let json = node.text("codec-device") == Some("json@1.0");
                let words =
                    if json { json_difference(&node, &ours) } else { difference(&node, &written(&ours)) };
                match words {
                    Some(words) => report.wrong.push(format!("slot {slot}, {kind}:\n{words}")),
                    None if kind == "results" => report.results += 1,
                    None => report.states += 1,
                }
            }
        }
        let name = self.folder.file_name().unwrap().to_string_lossy().into_owned();
        let line =
            format!("history {name}: {} results and {} states as the node's", report.results, report.states);
        say(&format!("{line}, of {} slots", report.outcomes.len()));
        report
    }
}

fn history(live: &Path, name: &str, store: &Store) -> History {
    let folder = live.join(name);
    let schedule = schedule(&files(&folder.join("schedule"), "httpsig-"));
    let results = folder.join("results").to_string_lossy().into_owned();
    History::new(folder, schedule, &results, store)
}

#[test]
fn the_token_is_replayed_to_the_node_s_bytes() {
    let Some(live) = live() else { return };
    let report = history(&live, "token", &Store::new()).replay();
    // The node answered results/httpsig-000 with an error of its own: it had not written what it had to read.
    let wrong: Vec<&String> =
        report.wrong.iter().filter(|words| !words.starts_with("slot 0, results: computed here")).collect();
    assert!(wrong.is_empty(), "{}", report.wrong.join("\n\n"));
    assert_eq!((report.results, report.states), (30, 6));
}

#[test]
fn hyper_aos_is_replayed_to_the_node_s_bytes() {
    let Some(live) = live() else { return };
    let module = std::env::var_os("WEFT_MODULES").map(|folder| Path::new(&folder).join("hyper-aos.lua"));
    let code =
        module.and_then(|path| std::fs::read(path).ok()).filter(|code| httpsig::digest(code) == HYPER_AOS);
    let Some(code) = code else {
        say("history hyper-aos: the hyper-aos.lua that the node ran is not in WEFT_MODULES");
        return;
    };
    let assignments = schedule(&files(&live.join("hyper-aos/schedule"), "httpsig-"));
    let id = assignments[&0][&"body".into()].map().unwrap()[&"module".into()].text().unwrap().to_owned();
    let keys = [
        ("content-type", "application/lua".into()),
        ("name", "hyper-aos".into()),
        ("body", Held::Binary(code)),
    ];
    let store =
        Store::from([(id, keys.map(|(key, value)| (key.into(), value)).into_iter().collect::<Map>())]);
    let report = history(&live, "hyper-aos", &store).replay();
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n\n"));
    for (slot, outcome) in &report.outcomes {
        match slot {
            0..25 => assert_eq!(*outcome, Outcome::Computed, "slot {slot}"),
            25 => {
                let Outcome::Failed(said) = outcome else { panic!("{outcome:?}") };
                assert_eq!(failure_difference(&live.join("hyper-aos/results/httpsig-025.json"), said), None);
            }
            _ => assert!(matches!(outcome, Outcome::Stuck(25, _)), "{outcome:?}"),
        }
    }
}

#[test]
fn pushed_messages_are_replayed_to_the_node_s_bytes() {
    let Some(live) = live() else { return };
    for which in ["a", "b"] {
        let folder = live.join("push");
        let assignments = schedule(&[folder.join(format!("{which}-schedule-httpsig.json"))]);
        let results = folder.join(format!("{which}-results")).to_string_lossy().into_owned();
        let report = History::new(folder.join(which), assignments, &results, &Store::new()).replay();
        assert!(report.wrong.is_empty(), "{which}: {}", report.wrong.join("\n\n"));
    }
}

#[test]
fn an_integer_too_long_stops_the_process_where_it_stopped_the_node() {
    let Some(live) = live() else { return };
    let report = history(&live, "integer-limit", &Store::new()).replay();
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n\n"));
    let (slot, outcome) = report.outcomes.iter().find(|(_, outcome)| *outcome != Outcome::Computed).unwrap();
    assert_eq!((*slot, outcome), (5, &Outcome::Unreadable("results/value".to_owned())));
    assert!(matches!(report.outcomes.last().unwrap().1, Outcome::Stuck(5, _)));
}

#[test]
fn an_error_stops_the_process_where_it_stopped_the_node() {
    let Some(live) = live() else { return };
    let report = history(&live, "lua-error-stuck", &Store::new()).replay();
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n\n"));
    let Outcome::Failed(said) = &report.outcomes[2].1 else { panic!("{:?}", report.outcomes) };
    // The recording cuts the body, which is the trace; the headers are whole, and there is no `body` among them.
    let (status, node) = answer(&live.join("lua-error-stuck/results/httpsig-002.json"));
    assert_eq!(status, 500);
    assert_eq!(node.text("phase"), said[&"phase".into()].text());
    assert_eq!(node.text("attempted-slot"), Some("2"));
    assert_eq!(
        (&said[&"attempted-slot".into()], &said[&"status".into()]),
        (&Held::from(2), &Held::from(500))
    );
    assert_eq!((node.text("body"), said.get(&"body".into())), (None, None));
    assert_eq!(failure_difference(&live.join("lua-error-stuck/results/httpsig-002.json"), said), None);
    assert!(matches!(report.outcomes[3].1, Outcome::Stuck(2, _)));
}

fn failure(said: &Map) -> Encoded {
    let tabm = structured::to_tabm(&write_message(said).unwrap(), GENERATION).unwrap();
    httpsig::encode_content(&tabm, GENERATION).unwrap()
}

/// What a node answers for an error: the recording has the beginning of the body, its length, and its digest among the headers.
fn failure_difference(path: &Path, said: &Map) -> Option<String> {
    let (node, own) = (answer(path).1, failure(said));
    let digest = |one: &Encoded| one.headers.get("content-digest").cloned();
    if digest(&own).is_some() && digest(&own) == digest(&node) {
        return None;
    }
    let show = |one: &Encoded| String::from_utf8_lossy(one.body.as_deref().unwrap_or_default()).into_owned();
    Some(format!("node {:?}\n{}\n\nours {:?}\n{}", node.headers, show(&node), own.headers, show(&own)))
}

/// A process that fails at once: what its message and one more came to.
fn kind(live: &Path, name: &str) -> (Process, Map, PathBuf) {
    let folder = live.join("lua-error-stuck/kinds").join(name);
    // A node answers a message with its assignment.
    let assignment = |file: &str| read_message(&message(&answer(&folder.join(file)).1)).unwrap();
    let spawn = assignment("00-spawn.json");
    let body = spawn[&"body".into()].map().unwrap();
    let mut process = Process::new(body, &Store::new(), Limits::default()).unwrap();
    let first = process.apply(&spawn).unwrap().outcome;
    assert_eq!(first == Outcome::Computed, name != "missing-function", "{first:?}");
    (process, assignment("01-message.json"), folder.join("result-1-httpsig.json"))
}

#[test]
fn kinds_of_errors_are_the_node_s() {
    let Some(live) = live() else { return };
    let (mut process, next, recorded) = kind(&live, "status");
    let Outcome::Failed(said) = process.apply(&next).unwrap().outcome else { panic!("status") };
    let own = httpsig::encode_content(
        &structured::to_tabm(&write_message(&said).unwrap(), GENERATION).unwrap(),
        GENERATION,
    );
    assert_eq!(difference(&answer(&recorded).1, &own.unwrap()), None);

    let (mut process, next, recorded) = kind(&live, "number");
    let details = answer(&recorded).1.text("details").unwrap().to_owned();
    assert_eq!(process.apply(&next).unwrap().outcome, Outcome::Thrown(details));

    let (mut process, next, recorded) = kind(&live, "index");
    let Outcome::Failed(said) = process.apply(&next).unwrap().outcome else { panic!("index") };
    // The assignment is known here from the node's answer to the message, without its signatures: not all of the trace is the same.
    let lines = |body: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(body).into_owned();
        text.lines().filter(|line| !line.starts_with("--")).map(str::to_owned).collect()
    };
    let (theirs, own) = (lines(&answer(&recorded).1.body.unwrap()), lines(&failure(&said).body.unwrap()));
    let (cut, whole) = theirs.split_last().unwrap();
    assert!(whole.len() > 20 && own.starts_with(whole) && own[whole.len()].starts_with(cut), "{own:?}");
    assert_eq!(answer(&recorded).1.text("attempted-slot"), Some("1"));

    let (mut process, next, recorded) = kind(&live, "missing-function");
    assert!(matches!(process.apply(&next).unwrap().outcome, Outcome::Stuck(0, _)));
    assert_eq!(answer(&recorded).1.text("attempted-slot"), Some("0"));
}

#[test]
fn a_module_that_does_not_compile_fails_as_in_the_node() {
    let Some(live) = live() else { return };
    let folder = live.join("lua-error-stuck/kinds/syntax-error");
    let spawn = read_message(&message(&answer(&folder.join("00-spawn.json")).1)).unwrap();
    let body = spawn[&"body".into()].map().unwrap();
    let refused = Process::new(body, &Store::new(), Limits::default()).unwrap_err();
    let (status, node) = answer(&folder.join("result-0-json.json"));
    assert_eq!(status, 500);
    let node: Json = serde_json::from_slice(&node.body.unwrap()).unwrap();
    assert_eq!(refused, weft_lua::device::Called::Thrown(node["details"].as_str().unwrap().to_owned()));
}

/// Without the mark that a list in a commitment has on the wire, where it is a message of numbered keys.
fn without_list_marks(value: &Held) -> Held {
    let Held::Map(map) = value else { return value.clone() };
    let mark = |value: &Held| value.text() == Some(".=\"list\"");
    let kept = map.iter().filter(|(key, value)| key.normal() != b"ao-types" || !mark(value));
    Held::Map(kept.map(|(key, value)| (key.clone(), without_list_marks(value))).collect())
}

/// Signed items that were sent to the node, and the messages it made of them.
#[test]
fn data_items_are_the_messages_the_node_made_of_them() {
    let Some(live) = live() else { return };
    let mut compared = 0;
    for history in ["token", "hyper-aos"] {
        let bodies: Vec<Map> = schedule(&files(&live.join(history).join("schedule"), "httpsig-"))
            .values()
            .map(|assignment| assignment[&"body".into()].map().unwrap().clone())
            .collect();
        for file in files(&live.join(history).join("requests"), "") {
            let exchange: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            if exchange["signed-as"]["form"] != "ans104" {
                continue;
            }
            let bytes = standard_base64(exchange["request"]["body"]["base64"].as_str().unwrap());
            let item = weft_codec::item::DataItem::parse(&bytes).unwrap();
            let tabm = ans104::from_item(&item, GENERATION).unwrap();
            let ours = read_message(&structured::from_tabm(&tabm).unwrap()).unwrap();
            let id = weft_lua::device::Key::from(item.id().to_string().as_str());
            let theirs = bodies.iter().find(|body| {
                body.get(&"commitments".into()).and_then(Held::map).is_some_and(|all| all.contains_key(&id))
            });
            let theirs = theirs.map(|body| without_list_marks(&Held::Map(body.clone())));
            assert_eq!(Some(Held::Map(ours)), theirs, "{}", file.display());
            compared += 1;
        }
    }
    say(&format!("data items: {compared} as the node's messages"));
    assert!(compared >= 2, "{compared}");
}
