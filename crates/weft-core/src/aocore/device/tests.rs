//! The devices beside what HyperBEAM's own tests of them want (`dev_stack.erl`, `dev_dedup.erl`, `dev_multipass.erl`,
//! `dev_patch.erl`, `dev_message.erl`, edge `3635c5e6`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use weft_codec::message::{Generation, Message, Value};
use weft_codec::{Code, Id, Result};

use super::super::{Answer, Core, Limits, Run, Status, Store};
use super::{Device, Devices};

/// Adds a text of its own and the request's `bin` to `result`; in the third pass it only lets the message through.
struct Append(&'static str, &'static str, Status);

impl Device for Append {
    fn name(&self) -> &str {
        self.0
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        if key != "append" {
            return Ok(None);
        }
        if run.own(base, "pass")? == Some(Value::Integer(3)) {
            return Ok(Some(Answer::ok(base.clone())));
        }
        let text = |message: &Message, key: &str| message.get(key).unwrap().as_text().unwrap().to_owned();
        let result = format!("{}{}{}", text(base, "result"), self.1, text(request, "bin"));
        Ok(Some(Answer { status: self.2, value: base.clone().with("result", result).into() }))
    }
}

/// Asks itself without end.
struct Loop;

impl Device for Loop {
    fn name(&self) -> &str {
        "loop@1.0"
    }

    fn call(&self, _: &str, base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Option<Answer>> {
        run.resolve(&base.clone().into(), request).map(Some)
    }
}

fn devices() -> Devices {
    let mut devices = Devices::standard();
    devices.add(Append("d1@1.0", "+D1", Status::Ok));
    devices.add(Append("d2@1.0", "+D2", Status::Ok));
    devices.add(Append("d3@1.0", "+D3", Status::Ok));
    devices.add(Append("skip@1.0", "+D1", Status::Skip));
    devices.add(Append("pass@1.0", "+D1", Status::Pass));
    devices.add(Loop);
    devices
}

fn stack(names: &[&str]) -> Message {
    let names = Value::List(names.iter().map(|name| (*name).into()).collect());
    Message::new().with("device", "Stack@1.0").with("device-stack", names).with("result", "INIT")
}

fn append(bin: &str) -> Message {
    Message::new().with("path", "append").with("bin", bin)
}

fn resolved(base: &Message, request: &Message) -> Answer {
    Core::new(&devices(), Generation::June2025).resolve(base, request).unwrap()
}

fn message(answer: Answer) -> Message {
    match (answer.status, answer.value) {
        (Status::Ok, Value::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn text<'a>(message: &'a Message, key: &str) -> &'a str {
    message.get(key).unwrap().as_text().unwrap()
}

fn at(message: &Message, path: &str) -> Answer {
    Core::new(&Devices::new(), Generation::June2025)
        .get(&message.clone().with("device", "message@1.0"), path)
        .unwrap()
}

#[test]
fn a_stack_folds_skips_and_passes() {
    for (names, bin, wanted) in [
        (vec!["d1@1.0", "d2@1.0"], "2", "INIT+D12+D22"),
        (vec!["skip@1.0", "d2@1.0"], "2", "INIT+D12"),
        (vec!["pass@1.0"], "_", "INIT+D1_+D1_"),
        (vec!["d1@1.0", "test-device@1.0", "d2@1.0"], "2", "INIT+D12+D22"),
    ] {
        let after = message(resolved(&stack(&names), &append(bin)));
        assert_eq!(text(&after, "result"), wanted);
        assert_eq!(text(&after, "device"), "Stack@1.0", "it is a stack again");
        assert!(after.get("pass").is_none() && after.get("device-key").is_none(), "{after:?}");
    }
    let once = message(resolved(&stack(&["d1@1.0", "d2@1.0"]), &append("2")));
    assert_eq!(text(&message(resolved(&once, &append("3"))), "result"), "INIT+D12+D22+D13+D23");
}

#[test]
fn a_stack_maps_and_keeps_to_its_keys() {
    let both = stack(&["d1@1.0", "d2@1.0"]).with("mode", "Map");
    let mapped = message(resolved(&both, &append("2")));
    let of = |key: &str| text(mapped.get(key).unwrap().as_message().unwrap(), "result").to_owned();
    assert_eq!((of("1"), of("2")), ("INIT+D12".to_owned(), "INIT+D22".to_owned()));
    let limited = stack(&["d1@1.0"]).with("stack-keys", Value::List(vec!["compute".into()]));
    assert_eq!(resolved(&limited, &append("2")), Answer::not_found());
    let core = |base: &Message, key: &str| Core::new(&devices(), Generation::June2025).get(base, key);
    assert_eq!(core(&stack(&[]), "transform").unwrap_err().code(), Code::DeviceFailed);
    let none = Message::new().with("device", "stack@1.0");
    assert_eq!(core(&none, "compute").unwrap_err().code(), Code::DeviceFailed);
    assert_eq!(core(&stack(&["no@1.0"]), "compute").unwrap_err().code(), Code::DeviceUnknown);
    assert_eq!(core(&stack(&["snp@1.0"]), "compute").unwrap_err().code(), Code::DeviceUnavailable);
}

#[test]
fn a_stack_gives_prefixes() {
    let numbered = |first: &str, second: &str| Message::new().with("1", first).with("2", second);
    let base = stack(&["d1@1.0", "d2@1.0"])
        .with("output-prefixes", numbered("out1", "out2"))
        .with("output-prefix", "own");
    let mapped = message(resolved(&base.with("mode", "Map"), &append("2")));
    let second = mapped.get("2").unwrap().as_message().unwrap();
    assert_eq!((text(second, "output-prefix"), text(second, "previous-output-prefix")), ("out2", "own"));
    assert_eq!((text(second, "device"), text(second, "previous-device")), ("d2@1.0", "Stack@1.0"));
}

#[test]
fn a_message_is_let_through_once_in_every_pass() {
    let sent = |base: Message| {
        ["_", "_", "/", "/"].iter().fold(base, |state, bin| message(resolved(&state, &append(bin))))
    };
    let once = stack(&["Dedup@1.0", "d2@1.0", "d3@1.0"]).with("dedup-subject", "request");
    assert_eq!(text(&sent(once), "result"), "INIT+D2_+D3_+D2/+D3/");
    let twice = stack(&["dedup@1.0", "d2@1.0", "d3@1.0", "multipass@1.0"]);
    let twice = twice.with("dedup-subject", "request").with("passes", 2);
    assert_eq!(text(&sent(twice), "result"), "INIT+D2_+D3_+D2_+D3_+D2/+D3/+D2/+D3/");
}

#[test]
fn multipass_counts() {
    let base =
        |pass: i64| Message::new().with("device", "Multipass@1.0").with("passes", 2).with("pass", pass);
    let compute = Message::new().with("path", "Compute");
    assert_eq!(resolved(&base(1), &compute).status, Status::Pass);
    assert_eq!(resolved(&base(2), &compute).status, Status::Ok);
    let texts = base(1).with("passes", "2");
    let error = Core::new(&devices(), Generation::June2025).resolve(&texts, &compute).unwrap_err();
    assert_eq!(error.code(), Code::DeviceFailed);
}

fn prices(apple: i64) -> Message {
    Message::new().with("apple", apple).with("banana", 200)
}

fn entry(method: &str, apple: i64) -> Message {
    Message::new().with("method", method).with("prices", prices(apple))
}

#[test]
fn patches_move_and_leave_the_rest() {
    let outbox = Message::new().with("1", entry("PATCH", 100)).with("2", entry("GET", 1000));
    let base = Message::new()
        .with("device", "patch@1.0")
        .with("results", Message::new().with("outbox", outbox))
        .with("patch-to", "/")
        .with("patch-from", "/results/outbox");
    let compute = Message::new().with("path", "compute");
    let after = message(resolved(&base, &compute));
    assert_eq!(at(&after, "prices/apple"), Answer::ok(100));
    assert_eq!(at(&after, "results/outbox/1"), Answer::not_found());
    assert_eq!(at(&after, "results/outbox/2/prices/apple"), Answer::ok(1000));
    let state = Message::new().with("prices", Message::new().with("apple", 1000));
    let inner = message(resolved(&base.with("state", state).with("patch-to", "/state"), &compute));
    assert_eq!(at(&inner, "state/prices/apple"), Answer::ok(100));
    let nowhere = Message::new().with("device", "patch@1.0").with("patch-from", "/no/where");
    assert_eq!(resolved(&nowhere, &compute), Answer::not_found());
    let itself = Message::new().with("device", "patch@1.0");
    let error = Core::new(&devices(), Generation::June2025).resolve(&itself, &compute).unwrap_err();
    assert_eq!(error.code(), Code::DeviceFailed);
}

#[test]
fn all_moves_everything_also_from_the_request() {
    let zones = Message::new().with("1", entry("PATCH", 100)).with("2", entry("GET", 300));
    let base = Message::new().with("device", "patch@1.0").with("input", Message::new().with("zones", zones));
    let request =
        Message::new().with("path", "all").with("patch-to", "/state").with("patch-from", "/input/zones");
    let after = message(resolved(&base, &request));
    assert_eq!(at(&after, "state/1/prices/apple"), Answer::ok(100));
    assert_eq!(at(&after, "state/2/prices/apple"), Answer::ok(300));
    assert_eq!(at(&after, "input/zones"), Answer::not_found());
    let request = Message::new()
        .with("path", "all")
        .with("patch-from", "req:/results/outbox/1")
        .with("patch-to", "/state")
        .with("results", Message::new().with("outbox", Message::new().with("1", entry("PATCH", 100))));
    let after = message(resolved(&Message::new().with("device", "patch@1.0"), &request));
    assert_eq!(at(&after, "state/prices/banana"), Answer::ok(200));
    assert_eq!(at(&after, "results/outbox/1"), Answer::not_found());
}

#[test]
fn a_message_answers_for_itself() {
    let unset = || Value::Atom("unset".to_owned());
    let base =
        Message::new().with("Key1", "Value1").with("key2", "Value2").with("priv_foo", 4).with("private", 2);
    let ask = |request: Message| resolved(&base, &request);
    assert_eq!(ask(Message::new().with("path", "KEY1")), Answer::ok("Value1"));
    assert_eq!(ask(Message::new().with("path", "private")), Answer::not_found());
    assert_eq!(
        ask(Message::new().with("path", "keys")).value,
        Value::List(vec!["key1".into(), "key2".into()])
    );
    let both = Value::List(vec!["key1".into(), "key2".into()]);
    let left = message(ask(Message::new().with("path", "remove").with("items", both)));
    assert!(left.get("key1").is_none() && left.get("key2").is_none());
    let set = message(ask(Message::new().with("path", "set").with("key1", "other").with("key2", unset())));
    assert_eq!((text(&set, "key1"), set.get("key2")), ("other", None));
    assert_eq!(ask(Message::new().with("path", "index")).status, Status::Error);
    let path = message(ask(Message::new().with("path", "set-path").with("value", "x")));
    assert_eq!(text(&path, "path"), "x");
}

#[test]
fn nested_values_are_set_through_paths() {
    let deep = Message::new().with("deep", Message::new().with("a", "1").with("b", "2"));
    let devices = Devices::new();
    let core = Core::new(&devices, Generation::June2025);
    let set = |values: Message| message(core.resolve(&deep, &values.with("path", "set")).unwrap());
    let merged = set(Message::new().with("deep", Message::new().with("b", "3")));
    assert_eq!((at(&merged, "deep/a"), at(&merged, "deep/b")), (Answer::ok("1"), Answer::ok("3")));
    let explicit = Message::new().with("deep", Message::new().with("b", "3")).with("set-mode", "explicit");
    assert_eq!(at(&set(explicit), "deep/a"), Answer::not_found());
}

#[test]
fn json_goes_there_and_back() {
    let base =
        Message::new().with("device", "json@1.0").with("n", 1).with("t", true).with("priv", Message::new());
    let written = message(resolved(&base, &Message::new().with("path", "serialize")));
    assert_eq!(text(&written, "body"), r#"{"device":"json@1.0","n":1,"t":true}"#);
    assert_eq!(text(&written, "content-type"), "application/json");
    let read = Message::new()
        .with("device", "json@1.0")
        .with("body", r#"{"ao-types":"a=\"atom\"","a":"x","n":1.5}"#);
    let read = message(resolved(&read, &Message::new().with("path", "deserialize")));
    assert_eq!(read.get("a"), Some(&Value::Atom("x".to_owned())));
    assert_eq!(read.get("n"), Some(&Value::Float(1.5)));
    let none = Message::new().with("device", "json@1.0");
    let refused = resolved(&none, &Message::new().with("path", "deserialize"));
    assert_eq!(refused.value.as_message().unwrap().get("status"), Some(&Value::Integer(404)));
}

struct One(Id, Message);

impl Store for One {
    fn load(&self, id: Id) -> Result<Option<Value>> {
        Ok((id == self.0).then(|| self.1.clone().into()))
    }
}

#[test]
fn what_is_stored_is_looked_up_and_asked() {
    let id = Id([7; 32]);
    let store = One(id, Message::new().with("a", "b").with("data", "d"));
    let devices = Devices::standard();
    let core = Core::new(&devices, Generation::September2025).with_store(&store);
    let ask = |path: String| core.request(&Message::new().with("path", path)).unwrap();
    let body = |answer: Answer| answer.value.as_message().unwrap().get("body").cloned();
    assert_eq!(body(ask(format!("/{id}/a"))), Some("b".into()));
    assert_eq!(body(ask(format!("/{id}~message@1.0/device"))), Some("message@1.0".into()));
    assert_eq!(text(ask(format!("/{id}")).value.as_message().unwrap(), "a"), "b");
    assert_eq!(text(ask(format!("/~lookup@1.0/read&target={id}")).value.as_message().unwrap(), "a"), "b");
    let aos = ask(format!("/~lookup@1.0/read&target={id}?accept=application/aos-2"));
    assert!(text(aos.value.as_message().unwrap(), "body").contains(r#""Data":"d""#));
    let other = Id([8; 32]);
    assert_eq!(ask(format!("/{other}/a")).status, Status::Error);
    assert_eq!(
        body(ask(format!("/~lookup@1.0/read&target={other}"))),
        Some(Value::Atom("not_found".to_owned()))
    );
    // A stored message whose own device is not here is read as a plain one.
    let process = One(id, Message::new().with("device", "process@1.0").with("a", "b"));
    let of = |path: String| core.with_store(&process).request(&Message::new().with("path", path));
    assert_eq!(body(of(format!("/{id}~message@1.0/a")).unwrap()), Some("b".into()));
    assert_eq!(of(format!("/{id}/a")).unwrap_err().code(), Code::DeviceUnknown);
    let linked = Message::new().with("l", Value::Link(id));
    assert_eq!(core.get(&linked, "l/a").unwrap(), Answer::ok("b"));
    let lost = Message::new().with("l", Value::Link(other));
    assert_eq!(core.get(&lost, "l/a").unwrap_err().code(), Code::NotFound);
}

#[test]
fn a_manifest_leads_to_what_is_stored() {
    let id = Id([7; 32]);
    let store = One(id, Message::new().with("body", "Page 1"));
    let devices = Devices::standard();
    let core = Core::new(&devices, Generation::September2025).with_store(&store);
    let json = format!(
        r#"{{"index":{{"path":"Page1"}},"paths":{{"Page1":{{"id":"{id}"}},"nested":{{"page2":{{"id":"{id}"}}}},"a/b":{{"id":"{id}"}}}}}}"#
    );
    let base = Message::new().with("device", "manifest@1.0").with("data", json.as_str());
    for path in ["index", "Page1", "nested/page2"] {
        assert_eq!(text(&message(core.get(&base, path).unwrap()), "body"), "Page 1", "{path}");
    }
    assert_eq!(core.get(&base, "page1").unwrap(), Answer::not_found());
    let whole = base.clone().with("data", json.replace("{\"path\":\"Page1\"}", "{\"path\":\"a/b\"}"));
    assert_eq!(text(&message(core.get(&whole, "index").unwrap()), "body"), "Page 1");
    let broken = core.get(&base.with("data", "<html>"), "index").unwrap_err();
    assert_eq!(broken.code(), Code::JsonInvalid);
    let none = Message::new().with("device", "manifest@1.0");
    assert_eq!(core.get(&none, "index").unwrap_err().code(), Code::DeviceFailed);
}

#[test]
fn the_test_device_counts_slots() {
    let base = Message::new().with("device", "test-device@1.0");
    let init = message(resolved(&base, &Message::new().with("path", "init")));
    let compute = |state: &Message, slot: i64| {
        message(resolved(state, &Message::new().with("path", "compute").with("slot", slot)))
    };
    let after = compute(&compute(&init, 0), 1);
    assert_eq!(after.get("already-seen"), Some(&Value::List(vec![1.into(), 0.into()])));
    assert_eq!(at(&after, "results/assignment-slot"), Answer::ok(1));
    let args = Value::List(vec![6.into(), 7.into()]);
    let product = message(resolved(&base, &Message::new().with("path", "mul").with("args", args)));
    assert_eq!(product.get("results"), Some(&Value::List(vec![42.into()])));
    assert_eq!(resolved(&base, &Message::new().with("path", "restore")).status, Status::Error);
}

#[test]
fn what_never_ends_is_cut_off() {
    let endless = Message::new().with("device", "loop@1.0");
    let devices = devices();
    let core = Core::new(&devices, Generation::September2025);
    assert_eq!(core.get(&endless, "x").unwrap_err().code(), Code::ResolveLimit);
    let passes = stack(&["multipass@1.0"]).with("passes", i64::MAX);
    let few = core.with_limits(Limits { steps: 200, depth: 40 });
    assert_eq!(few.get(&passes, "compute").unwrap_err().code(), Code::ResolveLimit);
    let itself = Message::new().with("path", "/a&k=(/b&k=(/c))/d");
    assert_eq!(core.request(&itself).unwrap().status, Status::Error);
}

#[test]
fn names_are_found_in_any_case_and_replaced() {
    let mut devices = Devices::new();
    assert_eq!(devices.names().collect::<Vec<_>>(), ["message@1.0"]);
    assert_eq!(devices.find("Stack@1.0").err().map(|error| error.code()), Some(Code::DeviceUnknown));
    devices.add(Append("Stack@1.0", "", Status::Ok));
    assert!(devices.find("STACK@1.0").is_ok());
}
