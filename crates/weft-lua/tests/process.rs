//! A process slot by slot: in slices, left, tried dry, as a snapshot; and scripts over its state.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use sha2::{Digest as _, Sha256};
use weft_lua::Limits;
use weft_lua::device::{Held, Map, Outcome, Process, Script, Store};

fn map(entries: &[(&str, Held)]) -> Map {
    entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect()
}

/// A process whose messages loop, fail, sort and count.
fn working() -> Process {
    let code = r#"
        total = 0
        function compute(base, req)
          local body = req.body
          if body.action == "count" then
            for i = 1, 2000 do total = total + (i % 7) end
            local t = {}
            for i = 1, 50 do t[i] = (i * 37) % 11 end
            table.sort(t, function(a, b) return a < b end)
            local ok, said = pcall(function() for i = 1, 300 do if i == 299 then error("late") end end end)
            local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
            base.results = { total = total, first = t[1], said = said, fib = fib(11), text = ("ab"):rep(3):gsub("b", function() return "c" end) }
            return base
          elseif body.action == "fail" then
            total = -1
            for i = 1, 500 do total = total - 1 end
            error("no")
          elseif body.action == "time" then
            base.results = { at = os.time() }
            return base
          end
          while true do end
        end"#;
    let message = map(&[(
        "module",
        Held::Map(map(&[("content-type", "application/lua".into()), ("body", code.into())])),
    )]);
    Process::new(&message, &Store::new(), Limits { fuel: 1_000_000, ..Limits::default() }).unwrap()
}

fn assigned(slot: i64, action: &str) -> Map {
    map(&[("slot", slot.into()), ("body", Held::Map(map(&[("action", action.into())])))])
}

#[test]
fn a_slot_does_not_depend_on_where_it_is_cut() {
    let mut whole = working();
    let expected: Vec<_> = ["count", "time", "count", "fail", "count"]
        .iter()
        .zip(0..)
        .map(|(action, slot)| whole.apply(&assigned(slot, action)).unwrap())
        .collect();
    assert_eq!(expected[1].unreplayable, ["os.time"]);
    let state = whole.snapshot().unwrap();
    for slice in [1, 7, 64, 1_000, 20_000] {
        let mut cut = working();
        let mut pauses = 0;
        for (expected, (action, slot)) in
            expected.iter().zip(["count", "time", "count", "fail", "count"].iter().zip(0..))
        {
            let mut found = cut.begin(&assigned(slot, action), true, slice).unwrap();
            while found.is_none() {
                pauses += 1;
                found = cut.go_on(slice).unwrap();
            }
            assert_eq!(found.as_ref(), Some(expected), "{action}, slices of {slice}");
        }
        assert!(pauses > 0 || slice > 10_000, "{slice}");
        assert_eq!(cut.snapshot().unwrap(), state, "slices of {slice}");
    }
}

#[test]
fn what_is_left_or_tried_dry_never_happened() {
    let mut process = working();
    process.apply(&assigned(0, "count")).unwrap();
    let before = process.snapshot().unwrap();
    for action in ["count", "forever", "fail"] {
        assert_eq!(process.begin(&assigned(1, action), true, 200).unwrap(), None, "{action}");
        assert_eq!(process.go_on(100).unwrap(), None, "{action}");
        process.cancel();
        assert_eq!(process.snapshot().unwrap(), before, "{action} was left");
    }
    let mut dry = process.begin(&assigned(1, "count"), false, 500).unwrap();
    while dry.is_none() {
        dry = process.go_on(500).unwrap();
    }
    assert_eq!(process.snapshot().unwrap(), before);
    // The real one gives the same.
    assert_eq!(process.apply(&assigned(1, "count")).unwrap(), dry.unwrap());
    assert_eq!(process.begin(&assigned(2, "forever"), true, u64::MAX).unwrap_err().code(), "lua-out-of-fuel");
    assert_eq!(process.apply(&assigned(2, "count")).unwrap().outcome, Outcome::Computed);
}

#[test]
fn a_snapshot_is_the_process_and_anything_else_is_refused() {
    let mut process = working();
    let message = process.state()[&"process".into()].map().unwrap().clone();
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    for (slot, action) in (0..).zip(["count", "time", "count", "fail"]) {
        process.apply(&assigned(slot, action)).unwrap();
        let bytes = process.snapshot().unwrap();
        assert!(Process::is_snapshot(&bytes));
        let mut again = Process::restore(&message, limits, &bytes).unwrap();
        assert_eq!(again.snapshot().unwrap(), bytes, "slot {slot}");
        assert_eq!(again.state(), process.state());
    }
    let bytes = process.snapshot().unwrap();
    let mut again = Process::restore(&message, limits, &bytes).unwrap();
    assert_eq!(again.apply(&assigned(4, "count")).unwrap(), process.apply(&assigned(4, "count")).unwrap());
    let code = |bytes: &[u8]| Process::restore(&message, limits, bytes).unwrap_err().code();
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        assert_eq!(code(&bytes[..length]), "lua-snapshot", "cut at {length}");
    }
    for at in (0..bytes.len()).step_by(53) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert_eq!(code(&changed), "lua-snapshot", "changed at {at}");
    }
    assert_eq!(code(&[&bytes[..], b"x"].concat()), "lua-snapshot");
    let other = map(&[("name", "other".into())]);
    assert_eq!(Process::restore(&other, limits, &bytes).unwrap_err().code(), "lua-snapshot");
    // With its checksum made right: whatever the bytes say, nothing panics.
    let mut refused = 0;
    for at in (40..bytes.len()).step_by(31) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let hash: [u8; 32] = Sha256::digest(&changed[40..]).into();
        changed[8..40].copy_from_slice(&hash);
        refused += usize::from(Process::restore(&message, limits, &changed).is_err());
    }
    assert!(refused > 0);
}

#[test]
fn a_script_over_a_state_sees_it_and_keeps_nothing() {
    let state = map(&[("balances", Held::Map(map(&[("a", 3.into()), ("b", 4.into())])))]);
    let limits = Limits { fuel: 1_000_000, ..Limits::default() };
    let run = |code: &str, function: &str, slice: u64| {
        let mut script = Script::new(&state, code.as_bytes(), function, &map(&[("by", 2.into())]), limits);
        loop {
            match script.go_on(slice) {
                Ok(None) => {}
                Ok(Some(answer)) => return Ok(answer),
                Err(error) => return Err((error.code(), script.error_text(&error))),
            }
        }
    };
    let sum = "function sum(base, req) local n = 0 for _, v in pairs(base.balances) do n = n + v end print('x') return n * req.by end";
    let whole = run(sum, "sum", u64::MAX).unwrap();
    assert_eq!(
        (whole.status.as_str(), &whole.result, whole.output.as_slice()),
        ("ok", &Held::from(14), &b"x \n"[..])
    );
    assert_eq!(run(sum, "sum", 3).unwrap(), whole);
    assert_eq!(run("while true do end", "sum", 1000).unwrap_err().0, "lua-out-of-fuel");
    assert_eq!(run("function f() error('no') end", "f", 1000).unwrap_err(), ("lua-error", "no".to_owned()));
    assert_eq!(run("function f(", "f", 1000).unwrap_err().0, "lua-syntax");
    assert_eq!(run("x = 1", "f", 1000).unwrap_err().0, "lua-error");
    // The sandbox comes after the script's own text.
    let answer = run("function f() return io end", "f", 1000).unwrap();
    assert_eq!(answer.result, "sandboxed".into());
    let answer = run("function f() return 'error', {status = 418} end", "f", 1000).unwrap();
    assert_eq!((answer.status.as_str(), answer.result.map().unwrap().len()), ("error", 1));
}
