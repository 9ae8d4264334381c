//! A program's outcome in the notation in which Luerl's own are written down: `ok [1,2.0,<<"x">>]`, `lua_error {badarg,…}`.
//!
//! `tests/lua/README.md` says how it reads. It is what corpora are compared by.

use crate::error::{ErrorKind, LuaError, Term};
use crate::value::{TableId, Value};
use crate::vm::{Profile, Vm};

/// How deep results may nest.
const MAX_DEPTH: usize = 1000;

/// Runs a program and writes down what Luerl would say of it; in profile `lua53`, what comes of it in Lua's own notation.
///
/// # Errors
/// What Luerl does not have: the fuel or the memory ran out, or a bound of ours was met.
pub fn answer(vm: &mut Vm, program: &[u8]) -> Result<String, LuaError> {
    if vm.profile() == Profile::Lua53 {
        return crate::answer53::answer(vm, program);
    }
    let function = vm.load(program, "");
    let results = function.and_then(|function| vm.call(function, &[]));
    let outcome = results.and_then(|values| {
        let parts: Result<Vec<Term>, LuaError> =
            values.iter().map(|value| decoded(vm, *value, &mut Vec::new())).collect();
        parts.map(Term::List)
    });
    match outcome {
        Ok(term) => Ok(format!("ok {}", vm.term_text(&term))),
        Err(error) => described(vm, error),
    }
}

/// An error in the same notation.
///
/// # Errors
/// The error itself, where Luerl has none like it.
pub fn described(vm: &Vm, error: LuaError) -> Result<String, LuaError> {
    let kind = match error.kind() {
        ErrorKind::Lua => "lua_error",
        ErrorKind::Crash => "error",
        ErrorKind::Syntax => "compile_error",
        _ => return Err(error),
    };
    Ok(format!("{kind} {}", vm.term_text(error.term())))
}

/// A result as Luerl decodes it: a table is a list of pairs, in the order of `pairs`.
fn decoded(vm: &mut Vm, value: Value, within: &mut Vec<TableId>) -> Result<Term, LuaError> {
    match value {
        Value::Function(..) => Ok(Term::atom("#Fun<luerl>")),
        Value::Table(table) => {
            if within.contains(&table) {
                return Err(LuaError::crash(Term::tuple([Term::atom("recursive_table"), value.into()])));
            }
            if within.len() > MAX_DEPTH {
                return Err(LuaError::limit(
                    ErrorKind::TooDeep,
                    format!("Results nest more than {MAX_DEPTH} deep."),
                ));
            }
            within.push(table);
            let pairs = pairs(vm, table, within)?;
            within.pop();
            Ok(Term::List(pairs))
        }
        Value::Native(id) => {
            let name = vm.heap.native_name(id);
            // The one function of Luerl's library that has no name there.
            if name.function == "codes_next" {
                return Ok(Term::atom("#Fun<luerl>"));
            }
            let parts = [name.module.clone(), name.function.clone(), "undefined".to_owned()];
            Ok(Term::Tuple(parts.map(Term::atom).to_vec()))
        }
        other => Ok(Term::Value(other)),
    }
}

/// Luerl decodes from the last entry to the first: that decides which table that contains itself is found.
fn pairs(vm: &mut Vm, table: TableId, within: &mut Vec<TableId>) -> Result<Vec<Term>, LuaError> {
    let mut entries = Vec::new();
    let mut key = Value::Nil;
    while let Some((next, value)) = vm.next(table, key) {
        entries.push((next, value));
        if next.is_nil() {
            break;
        }
        key = next;
    }
    // Indices come first, but the other keys are decoded before them.
    let indices = entries.iter().take_while(|(key, _)| vm.heap.is_array_key(*key)).count();
    entries.rotate_left(indices);
    let others = entries.len() - indices;
    let mut terms = Vec::with_capacity(entries.len());
    for (key, value) in entries[..others].iter().rev().chain(entries[others..].iter().rev()) {
        terms.push(Term::tuple([decoded(vm, *key, within)?, decoded(vm, *value, within)?]));
    }
    terms.reverse();
    Ok(terms)
}
