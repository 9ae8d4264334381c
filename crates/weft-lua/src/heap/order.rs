//! The order of a table's keys: whole numbers from 1, then Erlang's order of terms.
//!
//! Terms are ordered by kind: numbers, then atoms (`false`, `nil`, `true`), then tuples (which tables and functions are), then
//! strings. Tuples are ordered by their length, then part by part: `{tref,N}`, then `{funref,N,Env}`, then
//! `{erl_mfa,Module,Function,_}`.

use std::cmp::Ordering;

use super::Heap;
use crate::value::{EnvId, Value};

/// The keys of a table's hash part in order; keys that are gone may still be in it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Order {
    pub(crate) keys: Vec<Value>,
    /// Keys that came since.
    pub(crate) new: Vec<Value>,
    /// The place after the key that was asked for last.
    pub(crate) hint: usize,
}

impl Heap {
    /// The order in which `next` answers keys.
    pub(crate) fn key_order(&self, a: Value, b: Value) -> Ordering {
        self.is_array_key(b).cmp(&self.is_array_key(a)).then_with(|| self.term_order(a, b))
    }

    /// Whether a key is a whole number from 1 on: those come first.
    pub(crate) fn is_array_key(&self, key: Value) -> bool {
        match key {
            Value::Int(n) => n >= 1,
            Value::Big(big) => self.big(big).sign() == num_bigint::Sign::Plus,
            _ => false,
        }
    }

    /// Erlang's order of terms.
    pub(crate) fn term_order(&self, a: Value, b: Value) -> Ordering {
        match (a, b) {
            (Value::Str(a), Value::Str(b)) => self.strings.bytes(a).cmp(self.strings.bytes(b)),
            (Value::Int(a), Value::Int(b)) => a.cmp(&b),
            (Value::Table(a), Value::Table(b)) => self.table(a).number.cmp(&self.table(b).number),
            (Value::Function(p, e), Value::Function(q, f)) => {
                self.function_number(p).cmp(&self.function_number(q)).then_with(|| self.env_order(e, f))
            }
            (Value::Native(a), Value::Native(b)) => self.native_name(a).cmp(self.native_name(b)),
            _ => match (self.num(a), self.num(b)) {
                (Some(a), Some(b)) => a.compare(&b),
                _ => rank(a).cmp(&rank(b)),
            },
        }
    }

    /// The lists of frames around two closures of one function: they have the same shape, so their numbers decide.
    fn env_order(&self, mut a: EnvId, mut b: EnvId) -> Ordering {
        loop {
            if a == b {
                return Ordering::Equal;
            }
            let (x, y) = (self.env(a), self.env(b));
            match x.number.cmp(&y.number) {
                Ordering::Equal => (a, b) = (x.parent, y.parent),
                other => return other,
            }
        }
    }
}

const fn rank(value: Value) -> u8 {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Big(_) => 0,
        Value::Bool(false) => 1,
        Value::Nil => 2,
        Value::Bool(true) => 3,
        Value::Table(_) => 4,
        Value::Function(..) => 5,
        Value::Native(_) => 6,
        Value::Thread(_) => 7,
        Value::Str(_) => 8,
    }
}
