//! `table.sort`: a merge sort that begins with the runs it finds, up or down, as Erlang's `lists:sort/2` does. A script's
//! comparison function sees in which order it is asked, and sorts wrongly in its own way if it contradicts itself.

use super::Answer;
use super::args::work;
use crate::error::{LuaError, Term};
use crate::value::Value;
use crate::vm::{Call, Returns};

/// A list whose first element is the last of the vector, so that putting one in front is cheap.
type List = Vec<Value>;

pub(super) fn sort(call: &mut Call<'_>) -> Answer {
    let Some(Value::Table(table)) = call.arg(0) else { return Err(call.badarg("sort")) };
    let length = call.sort_length(table);
    call.fuel(length)?;
    call.memory(usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(2 * size_of::<Value>()))?;
    let keys = 1..=i64::try_from(length).unwrap_or(i64::MAX);
    let values: Vec<Value> = keys.map(|key| call.get(table, Value::Int(key))).collect();
    let function = call.arg(1);
    // The function may take them out of the table.
    values.iter().for_each(|value| call.keep(*value));
    let sorted = Sorter { call, function }.sort(values)?;
    for (key, value) in (1..).zip(sorted) {
        call.set_raw(table, Value::Int(key), value);
    }
    Ok(Returns::None)
}

struct Sorter<'a, 'c> {
    call: &'a mut Call<'c>,
    function: Option<Value>,
}

/// The run that is being built: its last element, the one before it, and the others.
struct Run {
    last: Value,
    other: Value,
    rest: List,
}

impl Run {
    fn into_list(self) -> List {
        let mut list = self.rest;
        list.extend([self.other, self.last]);
        list
    }

    /// `last` goes on as the one before the new last.
    fn extend(&mut self, last: Value) {
        self.rest.push(std::mem::replace(&mut self.other, std::mem::replace(&mut self.last, last)));
    }

    /// The new one goes between the last and the one before.
    fn put_between(&mut self, value: Value) {
        self.rest.push(std::mem::replace(&mut self.other, value));
    }
}

impl Sorter<'_, '_> {
    /// Whether one value comes before another.
    fn is_before(&mut self, a: Value, b: Value) -> Result<bool, LuaError> {
        self.call.fuel(2)?;
        let values = match self.function {
            Some(function) => self.call.call(function, &[a, b])?,
            None => {
                if let (Some(a), Some(b)) = (self.call.num(a), self.call.num(b)) {
                    return Ok(a.compare(&b).is_le());
                }
                if let (Some(a), Some(b)) = (self.call.bytes(a), self.call.bytes(b)) {
                    let (shorter, order) = (a.len().min(b.len()), a.cmp(b));
                    self.call.fuel(work(shorter))?;
                    return Ok(order.is_le());
                }
                let method = match self.call.metamethod(a, "__lt") {
                    Value::Nil => self.call.metamethod(b, "__lt"),
                    method => method,
                };
                if method.is_nil() {
                    return Err(LuaError::lua(Term::tuple([Term::atom("illegal_comp"), Term::atom("sort")])));
                }
                self.call.call(method, &[a, b])?
            }
        };
        Ok(values.first().is_some_and(|value| value.is_true()))
    }

    fn sort(mut self, values: Vec<Value>) -> Result<Vec<Value>, LuaError> {
        let &[first, second, ref rest @ ..] = values.as_slice() else { return Ok(values) };
        let up = self.is_before(first, second)?;
        let mut run = Run { last: second, other: first, rest: List::new() };
        let mut runs: Vec<List> = Vec::new();
        // A value that fits neither end of the run, and begins the next.
        let mut odd: Option<Value> = None;
        for value in rest.iter().copied() {
            if self.is_before(run.last, value)? == up {
                run.extend(value);
            } else if self.is_before(run.other, value)? == up {
                run.put_between(value);
            } else if let Some(first) = odd {
                let (other, last) =
                    if self.is_before(first, value)? == up { (first, value) } else { (value, first) };
                runs.push(std::mem::replace(&mut run, Run { last, other, rest: List::new() }).into_list());
                odd = None;
            } else if run.rest.is_empty() {
                run.rest.push(value);
            } else {
                odd = Some(value);
            }
        }
        runs.push(run.into_list());
        runs.extend(odd.map(|odd| vec![odd]));
        self.merge_all(runs, up)
    }

    /// Merges the runs, two by two, until there is one. Each pass turns the order of the lists and of what is in them.
    fn merge_all(mut self, mut runs: Vec<List>, up: bool) -> Result<Vec<Value>, LuaError> {
        let mut turned = up;
        loop {
            if !turned && runs.len() == 1 {
                let mut list = runs.pop().unwrap_or_default();
                list.reverse();
                return Ok(list);
            }
            let mut merged = Vec::with_capacity(runs.len() / 2 + 1);
            while let Some(first) = runs.pop() {
                let Some(second) = runs.pop() else {
                    merged.push(first.into_iter().rev().collect());
                    break;
                };
                // Which of two equal elements comes first must not change.
                let (first, second) = if turned == up { (second, first) } else { (first, second) };
                merged.push(self.merge(first, second, turned)?);
            }
            runs = merged;
            turned = !turned;
        }
    }

    /// Merges two lists into one in the opposite order.
    fn merge(&mut self, mut first: List, mut second: List, turned: bool) -> Result<List, LuaError> {
        let mut out = List::with_capacity(first.len() + second.len());
        while let (Some(a), Some(b)) = (first.last().copied(), second.last().copied()) {
            if self.is_before(a, b)? == turned {
                out.push(b);
                second.pop();
            } else {
                out.push(a);
                first.pop();
            }
        }
        out.extend(first.into_iter().rev());
        out.extend(second.into_iter().rev());
        Ok(out)
    }
}
