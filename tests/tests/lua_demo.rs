//! The demo's token in Lua, its whole history, beside what Luerl 1.3.0 makes of the same contract and the same messages.
//!
//! `fixtures/lua-steps/demo-token.txt` begins with the SHA-256 of the program that Luerl was given: the contract, the process and its
//! assignments as HyperBEAM shows them, written as Lua. Its answers are made anew as tests/lua/README.md says.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::rc::Rc;

use serde_json::Value;
use weft_cli::demo_archive;
use weft_codec::Id;
use weft_codec::item::DataItem;
use weft_lua::device::{Held, Key, Map, Process, Store};
use weft_lua::{Host, Limits, Profile, Vm};
use weft_node::demo::DemoFetch;
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::{Node, Options};

use crate::lua_processes::{assigned, message};

/// The demo's histories: the second is the one in Lua.
const IN_LUA: usize = 1;
/// What `os.time` is here; Luerl's would be another each time.
const CLOCK: &str = "0.0";

const STEP: &str = r#"
os.time = function() return CLOCK end
local function text(value)
  if type(value) ~= "table" then return tostring(value) end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  for at, key in ipairs(keys) do parts[at] = key .. "=" .. text(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end
function step(n)
  local request = assignments[n]
  process = compute(process, request)
  local said = text(process.results)
  process.results = nil
  return said
end
"#;

/// A value as Lua.
fn literal(value: &Held, out: &mut String) {
    let quoted = |bytes: &[u8], out: &mut String| {
        out.push('"');
        for byte in bytes {
            match byte {
                b' '..=b'~' if !b"\"\\".contains(byte) => out.push(char::from(*byte)),
                _ => write!(out, "\\{byte:03}").unwrap(),
            }
        }
        out.push('"');
    };
    match value {
        Held::Atom(word) if word == "true" || word == "false" => out.push_str(word),
        Held::Atom(word) => quoted(word.as_bytes(), out),
        Held::Int(number) => write!(out, "{number}").unwrap(),
        Held::Float(number) => write!(out, "{number:?}").unwrap(),
        Held::Binary(bytes) => quoted(bytes, out),
        Held::List(values) => {
            out.push('{');
            for value in values {
                literal(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Held::Map(map) => {
            out.push('{');
            for (key, value) in map {
                out.push('[');
                match key {
                    Key::Int(number) => write!(out, "{number}").unwrap(),
                    Key::Truth(truth) => write!(out, "{truth}").unwrap(),
                    Key::Text(bytes) => quoted(bytes, out),
                }
                out.push_str("]=");
                literal(value, out);
                out.push(',');
            }
            out.push_str("}\n");
        }
    }
}

/// As `text` of the program, of a result as JSON.
fn text(value: &Value) -> String {
    let inner = |parts: Vec<String>| format!("{{{}}}", parts.join(","));
    match value {
        Value::Array(values) => {
            inner((1..).zip(values).map(|(at, value)| format!("{at}={}", text(value))).collect())
        }
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            inner(keys.into_iter().map(|(key, value)| format!("{key}={}", text(value))).collect())
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn program(process: &DataItem, module: &DataItem, assignments: &[Map]) -> String {
    let contract = std::str::from_utf8(&module.data).unwrap();
    let code = Map::from([(Key::from("data"), Held::Binary(module.data.clone()))]);
    let store = Store::from([(module.id().to_string(), code)]);
    let made = Process::new(&message(process), &store, Limits::default()).unwrap();
    let mut program = format!("{contract}\nprocess = ");
    literal(&Held::Map(made.state().clone()), &mut program);
    program.push_str("assignments = {\n");
    for assignment in assignments {
        literal(&Held::Map(assignment.clone()), &mut program);
        program.push(',');
    }
    program + "}\n" + &STEP.replace("CLOCK", CLOCK)
}

#[tokio::test]
async fn the_demo_s_lua_history_ends_as_on_luerl() {
    let archive = demo_archive::build(&weft_tests::world::wasm()).await.unwrap();
    let demo = &archive.processes[IN_LUA];
    let node: Node<Rc<MemoryStore>, _, _> =
        Node::new(Rc::default(), DemoFetch::new(&archive).await.unwrap(), ManualClock::new(archive.now, 1));
    node.sync(demo.id(), &DemoFetch::sources(), &Options::default(), &()).await.unwrap();
    let results = node.results(demo.id(), 0, 1_000).await.unwrap();

    let entry = |kept: &weft_node::demo::Kept| kept.item().unwrap();
    let assignments: Vec<Map> = demo
        .entries
        .iter()
        .map(|one| assigned(&entry(&one.assignment), &entry(one.message.as_ref().unwrap())))
        .collect();
    let program = program(&entry(&demo.process), &entry(&demo.module), &assignments);
    let written = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo-token.lua");
    std::fs::write(&written, &program).unwrap();

    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/lua-steps/demo-token.txt");
    let expected = std::fs::read_to_string(fixture).unwrap();
    let (digest, answers) = expected.split_once("\n--\n").unwrap();
    let found = Id::sha256(program.as_bytes()).to_string();
    assert_eq!(digest, found, "Luerl's answers are to another program than {}", written.display());
    let answers: Vec<&str> = answers.split("\n--\n").filter(|answer| !answer.is_empty()).collect();
    assert_eq!(answers.len(), results.len());

    let mut vm = Vm::new(Profile::Luerl, Limits::default());
    let chunk = vm.load(program.as_bytes(), "").unwrap();
    vm.call(chunk, &[]).unwrap();
    for (result, luerl) in results.iter().zip(answers) {
        let said = text(result.results.as_ref().unwrap());
        let made = vm.load(format!("said = step({}) return said", result.slot + 1).as_bytes(), "").unwrap();
        let values = vm.call(made, &[]).unwrap();
        // The contract and its messages on our machine as on Luerl, and the slot as the node replayed it.
        assert_eq!(vm.to_host(values[0]).unwrap(), Host::Bytes(said.into_bytes()), "slot {}", result.slot);
        let ours = weft_lua::answer(&mut vm, b"return said").unwrap();
        assert_eq!(ours, luerl, "slot {}", result.slot);
    }
}
