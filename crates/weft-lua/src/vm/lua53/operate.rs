//! Operators of Lua 5.3, where one instruction's short way does not do.

use super::super::Vm;
use super::super::operate::Outcome;
use crate::compile::Op;
use crate::error::LuaError;
use crate::heap::Event;
use crate::number::lua53::{self, Fault, Number};
use crate::number::{BinOp, UnOp};
use crate::value::{TableId, Value};

impl Vm {
    /// A number, or a text that stands for one.
    pub(crate) fn number(&self, value: Value) -> Option<Number> {
        match value {
            Value::Int(n) => Some(Number::Int(n)),
            Value::Float(f) => Some(Number::Float(f)),
            Value::Str(id) => lua53::string_to_number(self.heap.bytes(id)),
            _ => None,
        }
    }

    fn wrap(number: Number) -> Value {
        match number {
            Number::Int(n) => Value::Int(n),
            Number::Float(f) => Value::Float(f),
        }
    }

    pub(in crate::vm) fn arith_exact(&mut self, op: BinOp, a: Value, b: Value) -> Result<Outcome, LuaError> {
        let (mut x, mut y) = (self.number(a), self.number(b));
        if !op.is_bitwise() && matches!((a, b), (Value::Str(_), _) | (_, Value::Str(_))) {
            // A string in arithmetic is a float.
            let float = |number: Number| Number::Float(number.float());
            (x, y) = (x.map(float), y.map(float));
        }
        if let (Some(x), Some(y)) = (x, y) {
            match lua53::binary(op, x, y) {
                Ok(number) => return Ok(Outcome::Value(Self::wrap(number))),
                Err(Fault::Quotient) => return Err(self.fault("attempt to divide by zero")),
                Err(Fault::Remainder) => return Err(self.fault("attempt to perform 'n%0'")),
                Err(Fault::NoInteger) => {}
            }
        }
        let method = self.heap.metamethod_of(a, b, Event::of(op));
        if !method.is_nil() {
            return Ok(Outcome::Ask(method, [a, b], 2));
        }
        match (x, y) {
            (Some(x), Some(_)) => Err(self.integer_fault(x.int().is_some())),
            // Strings that stand for numbers are no operands of bitwise operators to complain of, either.
            (x, _) if op.is_bitwise() => {
                Err(self.operand_fault("perform bitwise operation on", (a, x.is_some()), b))
            }
            (x, _) => Err(self.operand_fault("perform arithmetic on", (a, x.is_some()), b)),
        }
    }

    pub(in crate::vm) fn unary_exact(&mut self, op: UnOp, a: Value) -> Result<Outcome, LuaError> {
        let mut number = self.number(a);
        if let (Some(from_text), Value::Str(_), UnOp::Neg) = (number, a, op) {
            number = Some(Number::Float(from_text.float()));
        }
        if let Some(number) = number
            && let Ok(number) = lua53::unary(op, number)
        {
            return Ok(Outcome::Value(Self::wrap(number)));
        }
        let event = if op == UnOp::Neg { Event::Unm } else { Event::Bnot };
        match self.heap.metamethod(a, event) {
            Value::Nil if number.is_some() => Err(self.integer_fault(false)),
            Value::Nil if op == UnOp::Neg => Err(self.operand_fault("perform arithmetic on", (a, false), a)),
            Value::Nil => Err(self.operand_fault("perform bitwise operation on", (a, false), a)),
            method => Ok(Outcome::Ask(method, [a, a], 2)),
        }
    }

    pub(in crate::vm) fn length_exact(&mut self, a: Value) -> Result<Outcome, LuaError> {
        if let Value::Str(id) = a {
            let length = self.heap.bytes(id).len();
            return Ok(Outcome::Value(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))));
        }
        match (self.heap.metamethod(a, Event::Len), a) {
            (Value::Nil, Value::Table(id)) => Ok(Outcome::Value(Value::Int(self.heap.border(id)))),
            (Value::Nil, _) => Err(self.operand_fault("get length of", (a, false), a)),
            (method, _) => Ok(Outcome::Ask(method, [a, a], 2)),
        }
    }

    /// `nil` and NaN are no keys.
    pub(crate) fn check_key(&mut self, key: Value) -> Result<(), LuaError> {
        match key {
            Value::Nil => Err(self.fault("table index is nil")),
            Value::Float(f) if f.is_nan() => Err(self.fault("table index is NaN")),
            _ => Ok(()),
        }
    }

    /// An entry of a constructor. Items that are `nil` count for the length, as far as PUC's do.
    pub(in crate::vm) fn construct_exact(
        &mut self,
        op: Op,
        table: TableId,
        key: Value,
        value: Value,
    ) -> Result<(), LuaError> {
        self.check_key(key)?;
        match (op, key) {
            (Op::InitItem { .. }, Value::Int(at)) if value.is_nil() => self.heap.pad(table, at),
            _ => self.heap.set(table, key, value),
        }
        Ok(())
    }

    /// What `..` cannot join.
    #[cold]
    pub(in crate::vm) fn concat_fault(&mut self, a: Value, b: Value) -> LuaError {
        let is_text = matches!(a, Value::Str(_) | Value::Int(_) | Value::Float(_));
        self.operand_fault("concatenate", (a, is_text), b)
    }

    /// `a < b`, or `a <= b`.
    pub(in crate::vm) fn compare_exact(
        &mut self,
        a: Value,
        b: Value,
        or_equal: bool,
    ) -> Result<Outcome, LuaError> {
        let order = match (a, b) {
            (Value::Str(a), Value::Str(b)) => Some(self.heap.bytes(a).cmp(self.heap.bytes(b))),
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                let order = self.number(a).zip(self.number(b)).and_then(|(a, b)| a.compare(b));
                if order.is_none() {
                    return Ok(Outcome::Value(Value::Bool(false)));
                }
                order
            }
            _ => None,
        };
        if let Some(order) = order {
            return Ok(Outcome::Value(Value::Bool(if or_equal { order.is_le() } else { order.is_lt() })));
        }
        let event = if or_equal { Event::Le } else { Event::Lt };
        let method = self.heap.metamethod_of(a, b, event);
        if !method.is_nil() {
            return Ok(Outcome::Ask(method, [a, b], 2));
        }
        if or_equal {
            let method = self.heap.metamethod_of(b, a, Event::Lt);
            if !method.is_nil() {
                return Ok(Outcome::Deny(method, [b, a]));
            }
        }
        Err(self.compare_fault(a, b))
    }

    #[cold]
    fn compare_fault(&mut self, a: Value, b: Value) -> LuaError {
        let (x, y) = (self.type_of(a), self.type_of(b));
        if x == y {
            self.fault(&format!("attempt to compare two {x} values"))
        } else {
            self.fault(&format!("attempt to compare {x} with {y}"))
        }
    }

    /// Whether `a < b` as a script sees it, for a native.
    pub(crate) fn is_less(&mut self, a: Value, b: Value) -> Result<bool, LuaError> {
        match self.compare_exact(a, b, false)? {
            Outcome::Value(value) => Ok(value.is_true()),
            Outcome::Ask(method, args, count) => {
                let values = self.call_nested(method, &args[..count])?;
                Ok(values.first().is_some_and(|value| value.is_true()))
            }
            Outcome::Deny(..) => Ok(false),
        }
    }

    /// A length as a script sees it, for a native.
    pub(crate) fn length_nested(&mut self, value: Value) -> Result<Value, LuaError> {
        match self.length_exact(value)? {
            Outcome::Value(value) => Ok(value),
            Outcome::Ask(method, args, count) => {
                let values = self.call_nested(method, &args[..count])?;
                Ok(values.first().copied().unwrap_or(Value::Nil))
            }
            Outcome::Deny(..) => Ok(Value::Nil),
        }
    }
}
