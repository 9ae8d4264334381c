//! Loops of Lua 5.3.

use super::super::Vm;
use crate::error::LuaError;
use crate::number::lua53::{Number, float_to_int};
use crate::value::Value;

impl Vm {
    /// Puts counter, limit and step in order, and answers whether there is a first round.
    pub(in crate::vm) fn prepare_exact(&mut self, first: usize) -> Result<bool, LuaError> {
        let (from, limit, step) = (self.stack[first], self.stack[first + 1], self.stack[first + 2]);
        if let (Value::Int(from), Value::Int(step)) = (from, step) {
            let Some(limit) = self.number(limit) else {
                return Err(self.fault("'for' limit must be a number"));
            };
            let Some(limit) = whole_limit(limit, step) else { return Ok(false) };
            self.stack[first + 1] = Value::Int(limit);
            self.stack[first + 3] = Value::Int(from);
            return Ok(if step > 0 { from <= limit } else { from >= limit });
        }
        let parts = [(first + 1, limit, "limit"), (first + 2, step, "step"), (first, from, "initial value")];
        for (at, value, what) in parts {
            match self.number(value) {
                Some(number) => self.stack[at] = Value::Float(number.float()),
                None => return Err(self.fault(&format!("'for' {what} must be a number"))),
            }
        }
        Ok(self.is_within(first))
    }

    /// The next round of a loop over floats.
    pub(in crate::vm) fn next_exact(&mut self, first: usize) -> bool {
        if let (Value::Float(counter), Value::Float(step)) = (self.stack[first], self.stack[first + 2]) {
            self.stack[first] = Value::Float(counter + step);
        }
        self.is_within(first)
    }

    fn is_within(&mut self, first: usize) -> bool {
        let (Value::Float(counter), Value::Float(limit), Value::Float(step)) =
            (self.stack[first], self.stack[first + 1], self.stack[first + 2])
        else {
            return false;
        };
        self.stack[first + 3] = Value::Float(counter);
        if step > 0.0 { counter <= limit } else { limit <= counter }
    }
}

/// The limit of a loop over integers; nothing if there is no round at all.
fn whole_limit(limit: Number, step: i64) -> Option<i64> {
    match limit {
        Number::Int(n) => Some(n),
        Number::Float(f) => {
            let rounded = if step < 0 { f.ceil() } else { f.floor() };
            match float_to_int(rounded) {
                Some(n) => Some(n),
                None if f > 0.0 => (step >= 0).then_some(i64::MAX),
                None => (step < 0).then_some(i64::MIN),
            }
        }
    }
}
