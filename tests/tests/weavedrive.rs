//! WeaveDrive: what a process may read is what npm `@permaweb/weavedrive` lets it read, and a message that lacks a file never happened.
#![cfg(not(target_arch = "wasm32"))]

use serde::Deserialize;
use weft_codec::tags::Tag;
use weft_core::weavedrive::{Admission, Availability};
use weft_wasm::{Code, Drive, Format, Limits, Machine, OnError, Program};

use crate::differential::{WASM64, module, node, read};

#[derive(Deserialize)]
struct Case {
    process: Vec<Named>,
    module: Vec<Named>,
    id: String,
    height: u64,
    has: [bool; 2],
    verdict: String,
    asked: Vec<Asked>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    value: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Asked {
    owners: Vec<String>,
    last: u64,
    tags: Vec<(String, String)>,
}

fn tags(named: &[Named]) -> Vec<Tag> {
    named.iter().map(|Named { name, value }| Tag { name: name.clone(), value: value.clone() }).collect()
}

/// What the rules say where an index answers so, and what was asked.
fn ours(case: &Case) -> (&'static str, Vec<Asked>) {
    let availability = Availability::of(&tags(&case.process), &tags(&case.module));
    let (questions, else_closed) = match availability.of_item(&case.id, case.height) {
        Err(_) => return ("throws", Vec::new()),
        Ok(Admission::Open) => return ("open", Vec::new()),
        Ok(Admission::Closed) => return ("closed", Vec::new()),
        Ok(Admission::Ask { questions, else_closed }) => (questions, else_closed),
    };
    let mut asked = Vec::new();
    for (question, has) in questions.into_iter().zip(case.has) {
        let tags = question.tags.map(|(name, value)| (name.to_owned(), value)).to_vec();
        asked.push(Asked { owners: question.owners, last: question.last_block, tags });
        if has {
            return ("open", asked);
        }
    }
    (if else_closed { "closed" } else { "throws" }, asked)
}

#[test]
fn availability_is_that_of_the_reference() {
    let cases: Vec<Case> = serde_json::from_slice(&node(&["differential/availability.mjs"])).unwrap();
    let mut verdicts = std::collections::BTreeMap::new();
    for case in &cases {
        let (verdict, asked) = ours(case);
        assert_eq!((verdict, &asked), (case.verdict.as_str(), &case.asked), "{:?}", case.id);
        *verdicts.entry(verdict).or_insert(0) += 1;
    }
    println!("{} cases: {verdicts:?}", cases.len());
    assert!(cases.len() > 800 && verdicts.len() == 3, "{verdicts:?}");
}

/// A message that opens what is not there ends as if it had never begun, and begins anew with the file.
#[test]
fn a_message_waits_for_its_files() {
    let workload: serde_json::Value =
        serde_json::from_slice(&node(&["differential/weavedrive.mjs"])).unwrap();
    let env = workload["env"].to_string();
    let messages = workload["messages"].as_array().unwrap();
    let eval = |code: &str| {
        let mut message = messages[1].clone();
        message["Data"] = code.into();
        message.to_string()
    };
    let drive = Drive::new();
    let program =
        Program::compile(&read(&module(WASM64.0)), Format::parse(WASM64.1).unwrap(), &Limits::default());
    let program = program.unwrap().with_drive(drive.clone());
    let mut machine = Machine::new(&program, Limits::default(), OnError::RollBack).unwrap();
    machine.step(&messages[0].to_string(), &env).unwrap();
    machine.step(&eval("N = 1 return N"), &env).unwrap();
    let before = machine.memory_sha256();
    let two = eval(
        r#"N = N + 1 local o = {} for _, p in ipairs({"/data/one", "/block/7"}) do
          local f = io.open(p) o[#o+1] = f:read(f:seek("end")) f:close() end return N .. table.concat(o)"#,
    );
    for (path, text) in [("/data/one", "first"), ("/block/7", "second")] {
        let wanted = machine.step(&two, &env).unwrap_err();
        assert_eq!((wanted.code(), wanted.field("path")), (Code::FileWanted, Some(path)));
        assert_eq!(machine.memory_sha256(), before, "as if it had never begun");
        drive.put(path, text.as_bytes());
    }
    let outcome = machine.step(&two, &env).unwrap();
    assert!(outcome.output.to_string().contains("2firstsecond"), "{}", outcome.output);
    // What may not be read is no result at all.
    drive.refuse("/data/two");
    let refused = machine.step(&eval("N = N + 1 return io.open('/data/two')"), &env).unwrap_err();
    assert_eq!((refused.code(), refused.field("path")), (Code::FileRefused, Some("/data/two")));
    let outcome = machine.step(&eval("return N"), &env).unwrap();
    assert!(outcome.output.to_string().contains('2'), "{}", outcome.output);
    // Another process from its state reads on.
    let mut other =
        Machine::restore(&program, Limits::default(), OnError::RollBack, &machine.snapshot().unwrap())
            .unwrap();
    let three = eval(r#"local f = io.open("/data/one") return f:read(3)"#);
    assert_eq!(machine.step(&three, &env).unwrap(), other.step(&three, &env).unwrap());
    for path in ["/data/a/b", "/data/", "/data/..", "/tx/../data"] {
        let failed = machine.step(&eval(&format!("return io.open('{path}')")), &env).unwrap();
        assert_eq!(failed.failure, Some(Code::Trap), "{path}");
    }
}
