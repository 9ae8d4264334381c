//! `lua@5.3a` by its rules (reference devices.md §6): modules, sandbox, functions and parameters, result forms, the table `ao`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use weft_lua::device::{Called, Device, Held, Map, Store};
use weft_lua::{ErrorKind, Limits};

fn map<const N: usize>(entries: [(&str, Held); N]) -> Held {
    Held::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn module(code: &str) -> Held {
    map([("content-type", "application/lua".into()), ("body", code.into())])
}

fn truth(word: bool) -> Held {
    Held::Atom(word.to_string())
}

fn base<const N: usize>(entries: [(&str, Held); N]) -> Map {
    map(entries).map().unwrap().clone()
}

fn device(base: &Map) -> Device {
    Device::new(base, &Store::new(), Limits::default()).unwrap()
}

fn call(code: &str, request: &Map) -> Called {
    let base = base([("module", module(code))]);
    device(&base).compute("compute", &base, request).unwrap()
}

fn ok(value: Held) -> Called {
    Called::Returned("ok".to_owned(), value)
}

#[test]
fn modules_are_a_message_a_list_or_a_map_of_them_and_run_in_order() {
    let (first, second) = (module("x = 'a'"), module("x = x .. 'b' function compute() return x end"));
    for modules in [Held::List(vec![first.clone(), second.clone()]), map([("1", first), ("2", second)])] {
        let base = base([("module", modules)]);
        assert_eq!(device(&base).compute("compute", &base, &Map::new()).unwrap(), ok("ab".into()));
    }
    let by_id = base([("module", "an-id".into())]);
    let store = Store::from([("an-id".to_owned(), base_of_data())]);
    let mut found = Device::new(&by_id, &store, Limits::default()).unwrap();
    assert_eq!(found.compute("compute", &by_id, &Map::new()).unwrap(), ok(7.into()));
    let Err(Called::Failed(refused)) = Device::new(&by_id, &Store::new(), Limits::default()) else {
        panic!()
    };
    assert_eq!(refused[&"status".into()], 404.into());
    assert!(Device::new(&Map::new(), &Store::new(), Limits::default()).is_err());
}

fn base_of_data() -> Map {
    base([("data", "function compute() return 7 end".into())])
}

#[test]
fn the_sandbox_stands_after_the_modules_ran() {
    let code = "seen = type(os.getenv) function compute() return seen .. ' ' .. os.getenv .. ' ' .. load .. ' ' .. type(os.time) end";
    let sandboxed = base([("module", module(code)), ("sandbox", truth(true))]);
    let called = device(&sandboxed).compute("compute", &sandboxed, &Map::new()).unwrap();
    assert_eq!(called, ok("function sandboxed sandboxed function".into()));
    let paths = Held::List(vec![Held::List(vec!["_G".into(), "string".into(), "rep".into()])]);
    let listed = base([("module", module("function compute() return string.rep end")), ("sandbox", paths)]);
    assert_eq!(device(&listed).compute("compute", &listed, &Map::new()).unwrap(), ok("sandboxed".into()));
}

#[test]
fn the_request_names_function_and_parameters_before_the_state_does() {
    let code =
        "function f(a, b) return a + (b or 0) end function g() return 'g' end function h() return 'h' end";
    let state = base([
        ("module", module(code)),
        ("function", "h".into()),
        ("parameters", Held::List(vec![1.into()])),
    ]);
    let mut device = device(&state);
    assert_eq!(device.compute("g", &state, &Map::new()).unwrap(), ok("h".into()));
    let body = map([("function", "f".into()), ("parameters", Held::List(vec![2.into(), 3.into()]))]);
    let request = base([("function", "g".into()), ("body", body)]);
    assert_eq!(device.compute("h", &state, &request).unwrap(), ok(5.into()));
    let request = base([("function", "g".into())]);
    assert_eq!(device.compute("h", &state, &request).unwrap(), ok("g".into()));
}

#[test]
fn without_parameters_a_function_gets_the_state_the_request_and_an_empty_table() {
    let code =
        "function compute(base, req, opts) return base.private == nil and base.k .. req.q .. #opts end";
    let state = base([("module", module(code)), ("k", "k".into()), ("private", "p".into())]);
    let called = device(&state).compute("compute", &state, &base([("q", "q".into())])).unwrap();
    assert_eq!(called, ok("kq0".into()));
}

#[test]
fn tables_are_lists_if_their_keys_are_one_to_n_and_messages_else() {
    let list = Held::List(vec!["a".into(), "b".into()]);
    assert_eq!(call("function compute() return {'a', 'b'} end", &Map::new()), ok(list.clone()));
    assert_eq!(call("function compute() return {['1'] = 'a', ['2'] = 'b'} end", &Map::new()), ok(list));
    assert_eq!(call("function compute() return {} end", &Map::new()), ok(map([])));
    assert_eq!(
        call("function compute() return {['2'] = 'b'} end", &Map::new()),
        ok(map([("2", "b".into())]))
    );
    let numbered = base([
        ("l", map([("1", "a".into()), ("2", "b".into())])),
        ("t", truth(true)),
        ("n", Held::Atom("null".into())),
    ]);
    let code = "function compute(b, r) return #r.l .. r.l[2] .. tostring(r.t) .. r.n end";
    assert_eq!(call(code, &numbered), ok("2btruenull".into()));
}

#[test]
fn two_results_are_a_status_and_a_result_and_other_numbers_of_them_fail_the_node() {
    let called = call("function compute() return 'error', {status = 418} end", &Map::new());
    assert_eq!(called, Called::Returned("error".to_owned(), map([("status", 418.into())])));
    for code in ["return", "return 1, 2, 3"] {
        assert!(
            matches!(call(&format!("function compute() {code} end"), &Map::new()), Called::Thrown(_)),
            "{code}"
        );
    }
}

#[test]
fn the_machine_keeps_its_state_only_if_the_result_is_a_message() {
    let code = "n = 0 function compute(b, r) n = n + 1 if r.as == 'map' then return {n = n} end \
        if r.as == 'error' then error('e') end return n end";
    let state = base([("module", module(code))]);
    let mut device = device(&state);
    let mut run = |how: &str| device.compute("compute", &state, &base([("as", how.into())])).unwrap();
    assert_eq!(run("number"), ok(1.into()));
    assert_eq!(run("number"), ok(1.into()));
    assert!(matches!(run("error"), Called::Failed(_)));
    assert_eq!(run("map"), ok(map([("n", 1.into())])));
    assert_eq!(run("number"), ok(2.into()));
}

#[test]
fn errors_are_the_node_s_messages_and_limits_are_errors_of_ours() {
    let Called::Failed(said) = call("function compute() return nil + 1 end", &Map::new()) else { panic!() };
    assert_eq!((said.get(&"status".into()), said.get(&"body".into())), (Some(&500.into()), None));
    let Called::Failed(said) = call("function compute() return math.sqrt(-1) end", &Map::new()) else {
        panic!()
    };
    assert_eq!(said[&"body".into()].text(), Some("Erlang error while running Lua: badarith"));
    let state = base([("module", module("n = 0 function compute() n = n + 1 while true do end end"))]);
    let limits = Limits { fuel: 100_000, ..Limits::default() };
    let mut device = Device::new(&state, &Store::new(), limits).unwrap();
    let error = device.compute("compute", &state, &Map::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfFuel);
}

/// A table that contains another twice, forty deep, would be a million million values.
#[test]
fn a_trace_is_bounded_whatever_its_arguments_are() {
    let code = "function compute(base, req) local t = {} for i = 1, 40 do t = {t, t} end return fail(t) end \
        function fail(t) error(t) end";
    let Called::Failed(said) = call(code, &Map::new()) else { panic!() };
    let trace = said[&"trace".into()].map().unwrap();
    assert!(trace.values().all(|call| call.map().unwrap()[&"parameters".into()] != map([("1", map([]))])));
    assert_eq!(trace[&"1".into()].map().unwrap()[&"parameters".into()], map([]));
}

#[test]
fn ao_reads_paths_and_sets_keys_of_messages() {
    let code = "function compute() local s, r = ao.resolve({path = '/a/b', a = {b = 'deep'}}) local t, u = ao.resolve({a = 1}, 'x') \
        local v = ao.set({a = {b = 1}}, {a = {c = 2}}) local w = ao.set({}, 'p/q', 3) \
        return s .. r .. t .. u .. v.a.b .. v.a.c .. w.p.q .. ao.get('a/2', {a = {5, 6}}) .. ao.event('e') end";
    assert_eq!(call(code, &Map::new()), ok("okdeeperrornot_found1236ok".into()));
    let state =
        base([("module", module("function compute() return ao.resolve({device = 'json@1.0'}, 'x') end"))]);
    let error = device(&state).compute("compute", &state, &Map::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// What `message@1.0` answers: each key of docs/lua.md's list, and what is refused.
#[test]
fn ao_answers_what_message_1_0_does_and_refuses_the_rest() {
    let answer = |expression: &str| {
        let code = format!(
            "function compute(base, req) local s, r = {expression} return tostring(s) .. ' ' .. tostring(r) end"
        );
        let state = base([("module", module(&code))]);
        device(&state).compute("compute", &state, &Map::new())
    };
    let message = "{results = {outbox = {{data = 'one'}, {data = 'two'}}}, n = 5, yes = true, ['X-Key'] = 'x', ['private-a'] = 'p'}";
    for (expression, expected) in [
        (format!("ao.resolve({message}, 'results/outbox/2/data')"), "ok two"),
        (format!("ao.resolve({message}, '/results/outbox/1/data')"), "ok one"),
        (format!("ao.resolve({message}, 'results/outbox/3')"), "error not_found"),
        (format!("ao.resolve({message}, 'results', 'outbox/1', 'data')"), "ok one"),
        (format!("ao.get('n', {message})"), "5 nil"),
        (format!("ao.get('yes', {message})"), "true nil"),
        (format!("ao.get('X-Key', {message})"), "x nil"),
        (format!("ao.get('private-a', {message})"), "not_found nil"),
        (format!("ao.get('results/outbox/keys', {message}) and #ao.get('keys', {message})"), "4 nil"),
        ("ao.get('x', {'as', 'message@1.0', {device = 'json@1.0', x = 'seen'}})".to_owned(), "seen nil"),
        ("ao.set({a = {b = 1}}, 'a/c', 2).a.b".to_owned(), "1 nil"),
        ("ao.event('group', {'an', 'event'})".to_owned(), "ok nil"),
    ] {
        assert_eq!(answer(&expression).unwrap(), ok(expected.into()), "{expression}");
    }
    for expression in [
        "ao.get('id', {a = 1, private = 2})",
        "ao.get('id', {device = 'x@1.0'})",
        "ao.get('id', (function() local t = {} for n = 1, 33 do t['k' .. n] = n end return t end)())",
        "ao.get('committed', {a = 1})",
        "ao.get('commit', {a = 1})",
        "ao.get('index', {a = 1})",
        "ao.get('info', {a = 1})",
        "ao.get('remove', {a = 1})",
        "ao.get('path', {a = 1})",
        "ao.get('committers', {commitments = {a = 1}})",
        "ao.resolve({a = 1}, 'a?b=c')",
        "ao.resolve({a = 1}, {method = 'GET'})",
        "ao.get('x', {'as', 'message@1.0', {path = 'x', x = 1}})",
        "ao.get('length', 'a text')",
        "ao.get('commitments/committers', {commitments = {}, device = 'x@1.0'})",
        "ao.resolve({a = 1}, '~json@1.0/serialize')",
        "ao.resolve({a = 1}, {path = 'a', more = 1})",
        "ao.get('x', {'as', 'json@1.0', {x = 1}})",
        "ao.resolve({device = 'patch@1.0', x = 1}, 'x')",
        "pcall(ao.get, 'verify', {a = 1})",
    ] {
        assert_eq!(answer(expression).unwrap_err().kind(), ErrorKind::Unsupported, "{expression}");
    }
}

#[test]
fn what_asked_the_clock_or_chance_is_not_replayable() {
    let state = base([(
        "module",
        module("function compute() return os.time() end function c() return math.random(5) end"),
    )]);
    let mut device = device(&state);
    assert!(device.take_unreplayable().is_empty());
    for function in ["compute", "c"] {
        device.compute(function, &state, &Map::new()).unwrap();
        assert!(!device.take_unreplayable().is_empty(), "{function}");
        assert!(device.take_unreplayable().is_empty());
    }
}

/// The ids that HyperBEAM of September 2025 computed (`hb-unsigned-ids.json`), and who committed.
#[test]
fn ao_computes_ids_and_committers() {
    let answer = |expression: &str| call(&format!("function compute() return {expression} end"), &Map::new());
    for (expression, expected) in [
        ("ao.get('id', {a = 'b'})", "qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk"),
        ("ao.get('id', {})", "TWaabU6nSWpn7zPaiWSd9gQkfNwa1t3onrDRNB-bFiI"),
        ("ao.get('x/id', {x = {a = 'b'}})", "qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk"),
        // A commitment of a signer is no part of it, nor is its order.
        (
            "ao.get('id', {a = 'b', commitments = {x = {committer = 'me'}}})",
            "qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk",
        ),
        (
            "table.concat(ao.get('committers', {commitments = {b = {committer = 'two'}, a = {committer = 'one'}, c = {}}}), ' ')",
            "one two",
        ),
        ("'none:' .. #ao.get('committers', {a = 1})", "none:0"),
    ] {
        assert_eq!(answer(expression), ok(expected.into()), "{expression}");
    }
}

/// A sandbox of devices would change what the table answers: it is refused before anything runs.
#[test]
fn a_device_sandbox_is_refused() {
    let state = base([
        ("module", module("function compute() return 1 end")),
        ("device-sandbox", Held::List(vec!["message@1.0".into()])),
    ]);
    let Err(Called::Thrown(reason)) = Device::new(&state, &Store::new(), Limits::default()) else { panic!() };
    assert!(reason.contains("device-sandbox"), "{reason}");
}
