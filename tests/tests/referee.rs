//! The referee: an engine that errs is found out, whatever it errs in; one that gives up is stood in for.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use weft_tests::faulty::{Fault, Faulty};
use weft_wasm::{
    Code, Engines, Error, Format, Limits, OnError, Outcome, Policy, RanOn, Runner, Setup, Snapshot, Turned,
};

/// Counts its messages in its memory and in a global, and says the last digit; a `t` traps.
const GUEST: &str = r#"(module
  (memory (export "memory") 1 2)
  (global $count (mut i64) (i64.const 0))
  (data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"0\"}}\00")
  (func (export "malloc") (param i32) (result i32) (i32.const 4096))
  (func $work (loop $again
    (i32.store (i32.const 516) (i32.add (i32.load (i32.const 516)) (i32.const 1)))
    (br_if $again (i32.rem_u (i32.load (i32.const 516)) (i32.const 1000)))))
  (func (export "handle") (param i32 i32) (result i32)
    (global.set $count (i64.add (global.get $count) (i64.const 1)))
    (i32.store (i32.const 512) (i32.add (i32.load (i32.const 512)) (i32.const 1)))
    (call $work)
    (if (i32.eq (i32.load8_u offset=6 (local.get 1)) (i32.const 0x74)) (then (unreachable)))
    (i32.store8 (i32.const 1057) (i32.add (i32.const 48) (i32.rem_u (i32.load (i32.const 512)) (i32.const 10))))
    (i32.const 1024)))"#;

fn setup(engines: &Engines) -> Setup {
    let wasm = wat::parse_str(GUEST).unwrap();
    Setup::compile(&wasm, Format::Plain, &Limits::default(), engines).unwrap()
}

/// A process whose fast engine errs in its third message.
fn process(policy: Policy, fault: Fault) -> Runner {
    let setup = setup(&Engines { fast: Some(Faulty::engine(fault, 3)), policy });
    Runner::new(&setup, Limits::default(), OnError::RollBack).unwrap()
}

fn sound() -> Setup {
    setup(&Engines { fast: Some(Faulty::sound()), policy: Policy::Referee })
}

fn turn(runner: &mut Runner, letter: &str) -> Result<(Outcome, RanOn), Error> {
    let mut turn = runner.begin(format!("{{\"a\":\"{letter}\"}}"), "{\"a\":\"b\"}".to_owned())?;
    loop {
        match turn.go_on(100)? {
            Turned::Ended(outcome, on) => return Ok((outcome, on)),
            Turned::More(rest) => turn = rest,
        }
    }
}

/// The state and the answers after this many messages, on wasmi alone.
fn right(messages: usize) -> (Vec<Outcome>, Snapshot) {
    let mut runner = process(Policy::Reference, Fault::Memory);
    let outcomes = (0..messages).map(|_| turn(&mut runner, "m").unwrap().0).collect();
    (outcomes, runner.snapshot().unwrap())
}

#[weft_tests::both]
fn whatever_an_engine_errs_in_is_found_and_no_result_is_made() {
    for (fault, part) in [
        (Fault::Memory, "memory"),
        (Fault::Gas, "gas"),
        (Fault::Output, "output, memory"),
        (Fault::Global, "state"),
        (Fault::Traps, "output, error, rolled-back"),
    ] {
        let mut runner = process(Policy::Referee, fault);
        for _ in 0..2 {
            assert_eq!(turn(&mut runner, "m").unwrap().1, RanOn::Fast);
        }
        assert!(!runner.is_checked());
        let before = runner.snapshot().unwrap();
        runner.check_next();
        let error = turn(&mut runner, "m").unwrap_err();
        assert_eq!(error.code(), Code::EnginesDiffer);
        assert!(error.field("parts").unwrap().starts_with(part), "{part}: {error:?}");
        let divergence = runner.divergence().unwrap();
        assert_eq!(divergence.before, before);
        let (outcomes, after) = right(3);
        assert_eq!((&divergence.outcomes[1], &divergence.after[1]), (&outcomes[2], &after));
        assert_ne!((&divergence.outcomes[0], &divergence.after[0]), (&outcomes[2], &after));
        if fault == Fault::Memory {
            assert_eq!(divergence.page(), Some(60_000 / 4_096));
        }
        assert!(divergence.to_bytes().starts_with(b"weftdiff"));
        // It stands still, and nothing rests on it.
        assert_eq!(turn(&mut runner, "m").unwrap_err().code(), Code::EnginesDiffer);
        assert_eq!(runner.snapshot().unwrap_err().code(), Code::EnginesDiffer);
    }
}

#[weft_tests::both]
fn a_message_that_an_engine_gives_up_is_the_references() {
    for policy in [Policy::Referee, Policy::Fast] {
        let mut runner = process(policy, Fault::Fails);
        let given: Vec<_> = (0..4).map(|_| turn(&mut runner, "m").unwrap()).collect();
        let (outcomes, after) = right(4);
        assert_eq!(given.iter().map(|(outcome, _)| outcome.clone()).collect::<Vec<_>>(), outcomes);
        let on: Vec<RanOn> = given.iter().map(|(_, on)| *on).collect();
        assert_eq!(on, [RanOn::Fast, RanOn::Fast, RanOn::Reference, RanOn::Fast]);
        assert_eq!(runner.snapshot().unwrap(), after);
    }
}

#[weft_tests::both]
fn a_module_that_an_engine_refuses_runs_on_the_reference_and_says_why() {
    let mut runner = process(Policy::Referee, Fault::Refuses);
    assert!(runner.setup().refused().unwrap().contains("does not take it"));
    assert_eq!((runner.setup().engine(), runner.is_checked()), ("wasmi", true));
    assert_eq!(turn(&mut runner, "m").unwrap().1, RanOn::Reference);
}

#[weft_tests::both]
fn the_referee_looks_when_it_is_asked_to_and_now_and_then() {
    let mut runner = Runner::new(&sound(), Limits::default(), OnError::RollBack).unwrap();
    let on: Vec<RanOn> = (0..600).map(|_| turn(&mut runner, "m").unwrap().1).collect();
    let both: Vec<usize> = (0..600).filter(|at| on[*at] == RanOn::Both).collect();
    assert_eq!(both, [249, 499]);
    assert!(!runner.is_checked());
    runner.check_next();
    assert_eq!(turn(&mut runner, "m").unwrap().1, RanOn::Both);
    assert!(runner.is_checked());
    // A message that fails is looked at as well, with the state it leaves; and so is each dry run.
    runner.check_next();
    let mut turned = runner.begin_dry_run("{\"a\":\"m\"}".to_owned(), "{}".to_owned()).unwrap();
    let state = loop {
        match turned.go_on(100).unwrap() {
            Turned::Ended(_, on) => break on,
            Turned::More(rest) => turned = rest,
        }
    };
    assert_eq!(state, RanOn::Both);
    assert_eq!(turn(&mut runner, "t").unwrap().1, RanOn::Both);
    assert_eq!(turn(&mut runner, "m").unwrap().1, RanOn::Fast);
}

#[weft_tests::both]
fn a_message_left_while_the_referee_looks_never_happened() {
    let (_, state) = right(1);
    let mut runner = Runner::restore(&sound(), Limits::default(), OnError::RollBack, &state).unwrap();
    let before = runner.snapshot().unwrap();
    for slices in 1..6 {
        runner.check_next();
        let mut turn = runner.begin("{\"a\":\"m\"}".to_owned(), "{}".to_owned()).unwrap();
        for _ in 0..slices {
            let Turned::More(rest) = turn.go_on(50).unwrap() else { unreachable!("it has more to do") };
            turn = rest;
        }
        drop(turn);
        assert_eq!(runner.snapshot().unwrap(), before, "after {slices}");
    }
}

/// Has the referee look at the last message.
fn look(runner: &mut Runner) -> Result<Option<RanOn>, Error> {
    let Some(mut turn) = runner.begin_check()? else { return Ok(None) };
    loop {
        match turn.go_on(100)? {
            Turned::Ended(_, on) => return Ok(Some(on)),
            Turned::More(rest) => turn = rest,
        }
    }
}

#[weft_tests::both]
fn the_last_message_is_looked_at_afterwards() {
    // The engine gives up in its third message, be that the look.
    let (reference, both) = (Some(RanOn::Reference), Some(RanOn::Both));
    for (letters, by) in [
        ("m", None),
        ("mm", reference),
        ("mt", reference),
        ("tt", reference),
        ("mtm", None),
        ("mmttmtt", both),
        ("mmtmtm", both),
    ] {
        let mut runner = process(Policy::Referee, Fault::Fails);
        let mut right = process(Policy::Reference, Fault::Fails);
        runner.check_next();
        for letter in letters.chars().map(String::from) {
            let (ours, theirs) = (turn(&mut runner, &letter).unwrap(), turn(&mut right, &letter).unwrap());
            assert_eq!(ours.0, theirs.0);
        }
        // What wasmi made needs no second look.
        assert_eq!(look(&mut runner).unwrap(), by, "{letters}");
        assert_eq!((runner.is_checked(), look(&mut runner).unwrap()), (true, None));
        assert_eq!(runner.snapshot().unwrap(), right.snapshot().unwrap(), "{letters}");
        assert_eq!(turn(&mut runner, "m").unwrap().0, turn(&mut right, "m").unwrap().0);
    }
}

#[weft_tests::both]
fn what_was_wrong_then_is_found_afterwards() {
    for fault in [Fault::Gas, Fault::Output, Fault::Traps] {
        let mut runner = process(Policy::Referee, fault);
        for _ in 0..3 {
            turn(&mut runner, "m").unwrap();
        }
        assert_eq!(look(&mut runner).unwrap_err().code(), Code::EnginesDiffer);
    }
}
