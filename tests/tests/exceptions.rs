//! Exceptions of the legacy proposal: the original on V8, which has them, against the lowered module on V8 and on wasmi.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use weft_wasm::rewrite::rewrite;

use crate::engines::{Calls, on_v8, on_wasmi};

mod random;
pub(crate) mod unfold;

/// Runs calls of the original on V8 and of the rewritten module on both engines. How many ended with an exception.
fn equal(name: &str, text: &str, calls: &Calls) -> usize {
    let original = wat::parse_str(unfold::unfold(text)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let rewritten = rewrite(&original).unwrap();
    let plain = on_v8(&format!("{name}-original"), &original, calls);
    let (v8, wasmi) = (on_v8(name, &rewritten, calls), on_wasmi(&rewritten, calls));
    assert_eq!(plain.len(), calls.len());
    for (((call, (original, _)), v8), wasmi) in calls.iter().zip(&plain).zip(&v8).zip(&wasmi) {
        assert_eq!(original, &v8.0, "{name}: {call:?} on V8");
        assert_eq!(v8, wasmi, "{name}: {call:?} on wasmi");
    }
    plain.iter().filter(|(answer, _)| answer == "uncaught").count()
}

#[test]
fn every_form_gives_what_v8_gives() {
    let text = include_str!("exceptions/cases.wat");
    let names: Vec<&str> =
        text.split("(export \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut calls = Vec::new();
    for name in names.iter().filter(|name| **name != "memory") {
        for argument in (0..9).chain(20..27) {
            calls.push(((*name).to_owned(), vec![argument]));
            calls.push(("seen".to_owned(), vec![0]));
        }
    }
    let uncaught = equal("exceptions", text, &calls);
    println!("{} forms, {} calls, {uncaught} left by an exception", names.len() - 1, calls.len());
    assert!(names.len() > 25 && uncaught >= 10, "{}, {uncaught}", names.len());
}

#[test]
fn random_modules_throw_as_on_v8() {
    let (mut calls_in_all, mut uncaught, mut caught) = (0, 0, 0);
    for seed in 0..12 {
        let (text, functions) = random::module(seed);
        let mut calls: Calls = Vec::new();
        for function in 0..functions {
            for argument in [0, 1, 5, u64::MAX] {
                calls.push(("reset".to_owned(), vec![0]));
                calls.push((format!("f{function}"), vec![argument]));
                calls.push(("log".to_owned(), vec![0]));
            }
        }
        uncaught += equal(&format!("exceptions-{seed}"), &text, &calls);
        calls_in_all += calls.len() / 3;
        caught += text.matches("(catch").count();
    }
    println!(
        "{calls_in_all} calls of random functions with {caught} clauses, {uncaught} left by an exception"
    );
    assert!(calls_in_all > 1_000 && caught > 1_000 && uncaught > 100);
}

/// What a module with this inside is refused with.
fn refused(inside: &str) -> String {
    let module = wat::parse_str(format!("(module (tag $e) (tag $ref (param externref)) {inside})")).unwrap();
    rewrite(&module).unwrap_err().sentence().to_owned()
}

#[test]
fn what_is_not_lowered_is_refused() {
    assert!(refused("(func (throw $e))").contains("something other than numbers"));
    let module =
        wat::parse_str("(module (tag $e) (func (block $b (try_table (catch $e $b) (throw $e)))))").unwrap();
    assert!(rewrite(&module).unwrap_err().sentence().contains("legacy proposal"));
}
