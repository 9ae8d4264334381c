//! Lua processes that list several modules: their order, their proofs, what is refused, receipts, and the store.
//!
//! What they answer follows from HyperBEAM's `dev_lua.erl`: `find_modules`, `load_modules` keep the list's order, and `initialize`
//! runs each text in the state that the one before it left (reference devices.md §6).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use serde_json::{Value, json};
use weft_codec::ao::{Module, Process};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::Tag;
use weft_codec::{Code, base64url};
use weft_core::{MAX_MODULES, MAX_MODULES_BYTES, module_ids};
use weft_node::{Event, Options, ReceiptRequest, ReceiptSlots};
use weft_tests::receipts::{check, sealed};
use weft_tests::signing::TestKey;
use weft_tests::world::{Log, Plan, SU, Stage, sources};
use weft_verify::SchedulerPolicy;

const FIRST: &str = r#"
order = (order or "") .. "1"
double = function(n) return 2 * n end
function name() return "first" end
"#;
const SECOND: &str = r#"
order = (order or "") .. "2"
local before = name and name() or "nobody"
function name() return "second after " .. before end
"#;
const THIRD: &str = r#"
order = (order or "") .. "3"
function compute(base, req)
  calls = (calls or 0) + 1
  base.results = { output = order .. ", " .. name() .. ", " .. double(20 + calls) }
  return base
end
"#;

fn lua(text: &str) -> DataItem {
    module(text, &[("Content-Type", "application/lua")])
}

fn module(text: &str, more: &[(&str, &str)]) -> DataItem {
    let mut tags = vec![Tag::new("Data-Protocol", "ao"), Tag::new("Type", "Module")];
    tags.extend(more.iter().map(|(name, value)| Tag::new(*name, *value)));
    TestKey::get().item(Unsigned { tags, data: text.as_bytes().to_vec(), ..Unsigned::default() })
}

/// A process that lists these after its first module. Gateways have them.
fn listing(first: &str, further: &[DataItem], types: &str, messages: u64) -> Stage {
    let mut process_tags = vec![Tag::new("Execution-Device", "lua@5.3a")];
    process_tags.extend(further.iter().map(|module| Tag::new("Module", module.id().to_string())));
    if !types.is_empty() {
        process_tags.push(Tag::new("ao-types", types));
    }
    let plan = Plan {
        process_tags,
        content_type: Some("application/lua"),
        wasm: first.as_bytes().to_vec(),
        ..Plan::default()
    };
    let stage = Stage::new(&plan, messages);
    for module in further {
        stage.world.publish(module.clone());
    }
    stage
}

const LIST: &str = "module=\"list\"";
const WASM: [(&str, &str); 3] = [
    ("Module-Format", "wasm32-unknown-unknown"),
    ("Input-Encoding", "JSON-1"),
    ("Output-Encoding", "JSON-1"),
];

fn three() -> Stage {
    listing(FIRST, &[lua(SECOND), lua(THIRD)], LIST, 2)
}

async fn outputs(stage: &Stage) -> Vec<Value> {
    stage.results().await.into_iter().map(|result| result.output).collect()
}

#[weft_tests::both_async]
async fn modules_run_in_the_order_of_the_list() {
    let stage = three();
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    let expected =
        ["123, second after first, 42", "123, second after first, 44", "123, second after first, 46"];
    assert_eq!(outputs(&stage).await, expected.map(|text| json!(text)));
    let (second, third) = (lua(SECOND).id(), lua(THIRD).id());
    assert_eq!((summary.module, summary.further_modules), (stage.world.module.id(), vec![second, third]));
    let read: Vec<_> = log
        .events
        .borrow()
        .iter()
        .filter_map(|event| match event {
            Event::Module { module, .. } => Some(*module),
            _ => None,
        })
        .collect();
    assert_eq!(read, [stage.world.module.id(), second, third]);
    // Each has its own proof in the receipt.
    let receipt = stage.node().receipt(stage.world.id()).await.unwrap();
    let proved = receipt.checks.iter().filter(|check| check.claim == "module-id");
    let subjects: Vec<_> = read.iter().map(ToString::to_string).collect();
    assert_eq!(proved.map(|check| check.subject.clone()).collect::<Vec<_>>(), subjects);
    let replay = receipt.checks.iter().find(|check| check.claim == "replay").unwrap();
    assert_eq!(replay.evidence.get("engine").map(String::as_str), Some("lua"));
    // The other order gives the other answer.
    let other = listing(SECOND, &[lua(FIRST), lua(THIRD)], LIST, 0);
    other.honest().await.unwrap();
    assert_eq!(outputs(&other).await, [json!("213, first, 42")]);
}

/// One tag with the text of the list, as HyperBEAM writes it: `dev_codec_ans104.erl`, `dev_codec_structured.erl`.
#[weft_tests::both_async]
async fn a_list_in_one_tag_is_read() {
    let tags = |list: &str, types: &str| {
        let (key, scheduler) = (TestKey::get(), TestKey::get().address());
        let tags = [
            ("Data-Protocol", "ao"),
            ("Type", "Process"),
            ("Module", list),
            ("Scheduler", scheduler.as_str()),
            ("ao-types", types),
        ];
        let tags = tags.map(|(name, value)| Tag::new(name, value)).to_vec();
        Process::read(key.item(Unsigned { tags, data: Vec::new(), ..Unsigned::default() }))
    };
    let (first, second) = (lua(FIRST).id(), lua(SECOND).id());
    let read = tags(&format!("\"{first}\", \"{second}\""), LIST).unwrap();
    assert_eq!((read.module, read.listed_modules().unwrap()), (first, Some(vec![first, second])));
    assert_eq!(
        tags(&format!("\"{first}\", \"{second}\""), "x=\"list\"").unwrap_err().code(),
        Code::NotAProcess
    );
    assert_eq!(tags(&format!("\"{first}\", 7"), LIST).unwrap_err().code(), Code::NotAProcess);
    assert_eq!(tags(&first.to_string(), "x=\"list\"").unwrap().listed_modules().unwrap(), None);
    // Of something else than Lua no such list is read: its first is not taken for all.
    let list = tags(&format!("\"{first}\", \"{second}\""), LIST).unwrap();
    let refused = module_ids(&list, &Module::read(module("\0asm", &WASM)).unwrap()).unwrap_err();
    assert_eq!(refused.code(), Code::ModuleFormatUnsupported);
    assert_eq!(module_ids(&list, &Module::read(lua(FIRST)).unwrap()).unwrap(), [first, second]);
}

async fn code(stage: &Stage) -> Code {
    stage.honest().await.unwrap_err().code()
}

#[weft_tests::both_async]
async fn what_cannot_run_together_is_refused_by_its_code() {
    // Without the type the tags are one text, which is no module of any node.
    assert_eq!(code(&listing(FIRST, &[lua(THIRD)], "", 1)).await, Code::ModuleFormatUnsupported);
    let most: Vec<DataItem> = (1..=MAX_MODULES).map(|number| lua(&format!("x = {number}"))).collect();
    assert_eq!(code(&listing(THIRD, &most, LIST, 0)).await, Code::ModulesTooMany);
    assert_eq!(code(&listing(FIRST, &[lua(THIRD), lua(THIRD)], LIST, 0)).await, Code::ModuleRepeated);
    let wasm = listing(FIRST, &[module("\0asm", &WASM), lua(THIRD)], LIST, 0);
    assert_eq!(code(&wasm).await, Code::ModuleFormatUnsupported);
    let long = lua(&"-".repeat(MAX_MODULES_BYTES));
    assert_eq!(code(&listing(FIRST, &[long, lua(THIRD)], LIST, 0)).await, Code::TooLarge);
    let text = TestKey::get().item(Unsigned { data: THIRD.as_bytes().to_vec(), ..Unsigned::default() });
    assert_eq!(code(&listing(FIRST, &[text], LIST, 0)).await, Code::NotAModule);
    // Amid the list a text that is no program, or fails over what is not there yet.
    assert_eq!(code(&listing(FIRST, &[lua("function ("), lua(THIRD)], LIST, 0)).await, Code::ModuleInvalid);
    assert_eq!(code(&listing("x = double(2)", &[lua(FIRST)], LIST, 0)).await, Code::ModuleInvalid);
    // As many as there may be run.
    assert!(listing(THIRD, &most[1..], LIST, 0).honest().await.is_ok());
}

#[weft_tests::both_async]
async fn a_module_that_is_missing_or_changed_is_refused() {
    let missing = three();
    missing.world.items.borrow_mut().remove(&lua(SECOND).id());
    assert_eq!(code(&missing).await, Code::NotFound);
    let tampered = three();
    let mut changed = lua(SECOND);
    changed.data.push(b' ');
    assert_eq!(changed.id(), lua(SECOND).id());
    tampered.world.publish(changed);
    assert_eq!(code(&tampered).await, Code::SignatureInvalid);
    // The history is there to be verified all the same.
    let options = Options { replay: false, ..Options::default() };
    let verified = missing.sync(&sources(&[SU]), &options, &Log::default()).await.unwrap();
    assert_eq!((verified.head, verified.replayed), (Some(2), None));
}

#[weft_tests::both_async]
async fn a_replay_of_several_modules_goes_on_from_the_store() {
    let stage = three();
    let options = Options { to: Some(1), ..Options::default() };
    stage.sync(&sources(&[SU]), &options, &Log::default()).await.unwrap();
    // The modules are in the store: gateways are not asked again.
    stage.world.items.borrow_mut().clear();
    let answer = stage.node().dry_run(stage.world.id(), &json!({"Data": "x"})).await.unwrap();
    assert_eq!(answer.output, json!("123, second after first, 46"));
    stage.honest().await.unwrap();
    assert_eq!(outputs(&stage).await[2], json!("123, second after first, 46"));
}

async fn export(stage: &Stage) -> Vec<u8> {
    let mut text = Vec::new();
    let mut sink = |piece: &[u8]| {
        text.extend_from_slice(piece);
        Ok(())
    };
    let request = ReceiptRequest { slots: ReceiptSlots::History { to: None }, module: true };
    stage.node().export_receipt(stage.world.id(), &request, &Log::default(), &mut sink).await.unwrap();
    text
}

#[weft_tests::both_async]
async fn a_receipt_with_several_modules_replays_and_with_others_it_does_not() {
    let stage = three();
    stage.honest().await.unwrap();
    let text = export(&stage).await;
    let policy = SchedulerPolicy::default();
    check(&text, &policy, true).unwrap();
    let text = String::from_utf8(text).unwrap();
    let json_of = |module: &DataItem| format!("{{\"item\":\"{}\"}}", base64url::encode(&module.to_bytes()));
    let (second, third) = (json_of(&lua(SECOND)), json_of(&lua(THIRD)));
    let listed = format!(",\n\"further_modules\":[{second},{third}]");
    assert!(text.contains(&listed));
    let refused = |other: &str, replay: bool| {
        check(&sealed(text.replace(&listed, other).into_bytes()), &policy, replay).unwrap_err().code()
    };
    let swapped = format!(",\n\"further_modules\":[{third},{second}]");
    assert_eq!(refused(&swapped, false), Code::ModuleMismatch);
    assert_eq!(refused(&format!(",\n\"further_modules\":[{second}]"), false), Code::ModuleMismatch);
    assert_eq!(
        refused(&format!(",\n\"further_modules\":[{second},{third},{third}]"), false),
        Code::ModuleMismatch
    );
    // Without them it does not say what it did, and cannot be replayed.
    assert_eq!(refused("", false), Code::ReceiptMismatch);
    assert_eq!(refused("", true), Code::ModuleMismatch);
    let mut changed = lua(SECOND);
    changed.data.push(b' ');
    assert_eq!(
        refused(&format!(",\n\"further_modules\":[{},{third}]", json_of(&changed)), false),
        Code::SignatureInvalid
    );
    // A process with one module has no such member.
    let one = Stage::new(&Plan::default(), 0);
    one.honest().await.unwrap();
    assert!(!String::from_utf8(export(&one).await).unwrap().contains("further_modules"));
    let summary = one.node().summary(one.world.id()).await.unwrap().unwrap();
    assert!(!serde_json::to_string(&summary).unwrap().contains("further_modules"));
}
