//! Operators, where one instruction's short way does not do.

use super::Vm;
use super::frame::Give;
use crate::error::{ErrorKind, LuaError, Term};
use crate::heap::Event;
use crate::number::{self, BinOp, Num, NumError, Numeral, UnOp};
use crate::value::{StrId, Value};

/// What an operator comes to.
pub(super) enum Outcome {
    /// This value.
    Value(Value),
    /// What this metamethod gives for these operands.
    Ask(Value, [Value; 2], usize),
    /// Whether what this metamethod gives for these operands is false: `a <= b` as `not (b < a)`.
    Deny(Value, [Value; 2]),
}

impl Vm {
    /// A number, or a text that stands for one; nothing for other values.
    pub(super) fn to_num(&self, value: Value) -> Result<Option<Num>, LuaError> {
        let Value::Str(id) = value else { return Ok(self.heap.num(value)) };
        match number::to_number(self.heap.bytes(id)) {
            Ok(num) => Ok(Some(num)),
            Err(Numeral::Malformed) => Ok(None),
            Err(Numeral::Badarg) => Err(LuaError::crash(Term::atom("badarg"))),
            Err(Numeral::Badarith) => Err(LuaError::crash(Term::atom("badarith"))),
            Err(Numeral::TooLong) => Err(too_long()),
        }
    }

    fn to_operand(&self, value: Value, bitwise: bool) -> Result<Option<Num>, LuaError> {
        let num = self.to_num(value)?;
        Ok(if bitwise { num.and_then(|num| num.to_integer()) } else { num })
    }

    pub(super) fn arith(&mut self, op: BinOp, a: Value, b: Value) -> Result<Outcome, LuaError> {
        if self.is_exact() {
            return self.arith_exact(op, a, b);
        }
        let bitwise = op.is_bitwise();
        if let Some(x) = self.to_operand(a, bitwise)?
            && let Some(y) = self.to_operand(b, bitwise)?
        {
            let cost = number::cost(op, &x, &y);
            self.charge(cost)?;
            return match number::binary(op, &x, &y) {
                Ok(num) => Ok(Outcome::Value(self.heap.value(num))),
                Err(NumError::TooLong) => Err(too_long()),
                Err(NumError::Arith) => {
                    let (x, y) = (self.heap.value(x), self.heap.value(y));
                    Err(LuaError::triple("badarith", op.symbol(), &[x, y]))
                }
            };
        }
        match self.heap.metamethod_of(a, b, Event::of(op)) {
            Value::Nil => Err(LuaError::triple("badarith", op.symbol(), &[a, b])),
            method => Ok(Outcome::Ask(method, [a, b], 2)),
        }
    }

    pub(super) fn unary(&mut self, op: UnOp, a: Value) -> Result<Outcome, LuaError> {
        if self.is_exact() {
            return self.unary_exact(op, a);
        }
        let (symbol, event) = match op {
            UnOp::Neg => ("-", Event::Unm),
            UnOp::Bnot => ("~", Event::Bnot),
        };
        if let Some(num) = self.to_operand(a, op == UnOp::Bnot)? {
            return match number::unary(op, &num) {
                Ok(num) => Ok(Outcome::Value(self.heap.value(num))),
                Err(NumError::TooLong) => Err(too_long()),
                Err(NumError::Arith) => {
                    let num = self.heap.value(num);
                    Err(LuaError::triple("badarith", symbol, &[num]))
                }
            };
        }
        match self.heap.metamethod(a, event) {
            Value::Nil => Err(LuaError::triple("badarith", symbol, &[a])),
            method => Ok(Outcome::Ask(method, [a, Value::Nil], 1)),
        }
    }

    pub(super) fn length_of(&mut self, a: Value) -> Result<Outcome, LuaError> {
        if self.is_exact() {
            return self.length_exact(a);
        }
        if let Value::Str(id) = a {
            let length = self.heap.bytes(id).len();
            return Ok(Outcome::Value(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))));
        }
        match (self.heap.metamethod(a, Event::Len), a) {
            (Value::Nil, Value::Table(id)) => {
                let length = self.heap.length(id);
                Ok(Outcome::Value(Value::Int(length)))
            }
            (Value::Nil, _) => Err(LuaError::triple("badarg", "#", &[a])),
            (method, _) => Ok(Outcome::Ask(method, [a, Value::Nil], 1)),
        }
    }

    /// The bytes of a string or of a number's text, appended; false for other values.
    pub(super) fn append_text(&mut self, out: &mut Vec<u8>, value: Value) -> Result<bool, LuaError> {
        match value {
            Value::Str(id) => out.extend_from_slice(self.heap.bytes(id)),
            Value::Int(n) => out.extend_from_slice(n.to_string().as_bytes()),
            Value::Float(f) if self.is_exact() => {
                out.extend_from_slice(number::lua53::float_text(f).as_bytes());
            }
            _ => match self.heap.num(value) {
                Some(num) => {
                    self.charge(num.text_cost())?;
                    out.extend_from_slice(num.to_string().as_bytes());
                }
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// A long string and, in the scratch text, what follows it. The price is that of making it anew.
    pub(super) fn continued(&mut self, id: StrId, more: &[u8]) -> Result<Value, LuaError> {
        let length = self.heap.bytes(id).len().saturating_add(more.len());
        self.charge(length as u64 / 16)?;
        self.check_memory(self.heap.cost_of_more(id, more.len()))?;
        Ok(self.heap.continued(id, more))
    }

    pub(super) fn concat(&mut self, a: Value, b: Value) -> Result<Outcome, LuaError> {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        if let Value::Str(id) = a
            && id.is_long()
            && self.append_text(&mut text, b)?
        {
            let value = self.continued(id, &text);
            self.scratch = text;
            return value.map(Outcome::Value);
        }
        let both = self.append_text(&mut text, a)? && self.append_text(&mut text, b)?;
        if both {
            self.charge(text.len() as u64 / 16)?;
            self.check_memory(text.len())?;
            let value = self.heap.string(&text);
            self.scratch = text;
            return Ok(Outcome::Value(value));
        }
        self.scratch = text;
        match self.heap.metamethod_of(a, b, Event::Concat) {
            Value::Nil if self.is_exact() => Err(self.concat_fault(a, b)),
            Value::Nil => Err(LuaError::triple("badarg", "..", &[a, b])),
            method => Ok(Outcome::Ask(method, [a, b], 2)),
        }
    }

    /// Whether two values are equal; the metamethod's answer counts as true or false.
    pub(super) fn equals(&self, a: Value, b: Value) -> Outcome {
        if self.heap.equal(a, b) {
            return Outcome::Value(Value::Bool(true));
        }
        if let (Value::Table(_), Value::Table(_)) = (a, b) {
            if self.is_exact() {
                return match self.heap.metamethod_of(a, b, Event::Eq) {
                    Value::Nil => Outcome::Value(Value::Bool(false)),
                    method => Outcome::Ask(method, [a, b], 2),
                };
            }
            let method = self.heap.metamethod(a, Event::Eq);
            if !method.is_nil() && self.heap.identical(method, self.heap.metamethod(b, Event::Eq)) {
                return Outcome::Ask(method, [a, b], 2);
            }
        }
        Outcome::Value(Value::Bool(false))
    }

    /// `a < b`, or `a <= b`; with `swapped` it stands for `b > a`, or `b >= a`.
    pub(super) fn compare(
        &mut self,
        a: Value,
        b: Value,
        or_equal: bool,
        swapped: bool,
    ) -> Result<Outcome, LuaError> {
        if self.is_exact() {
            return self.compare_exact(a, b, or_equal);
        }
        let order = match (a, b) {
            (Value::Str(a), Value::Str(b)) => Some(self.heap.bytes(a).cmp(self.heap.bytes(b))),
            _ => match (self.heap.num(a), self.heap.num(b)) {
                (Some(a), Some(b)) => Some(a.compare(&b)),
                _ => None,
            },
        };
        if let Some(order) = order {
            return Ok(Outcome::Value(Value::Bool(if or_equal { order.is_le() } else { order.is_lt() })));
        }
        let symbol = match (or_equal, swapped) {
            (false, false) => "<",
            (true, false) => "<=",
            (false, true) => ">",
            (true, true) => ">=",
        };
        if or_equal {
            let method = self.heap.metamethod_of(a, b, Event::Le);
            if !method.is_nil() {
                return Ok(Outcome::Ask(method, [a, b], 2));
            }
        }
        match self.heap.metamethod_of(a, b, Event::Lt) {
            Value::Nil => Err(LuaError::triple("badarg", symbol, &[a, b])),
            // Luerl asks whether b < a and takes the answer as it is.
            method if or_equal => Ok(Outcome::Ask(method, [b, a], 2)),
            method => Ok(Outcome::Ask(method, [a, b], 2)),
        }
    }

    /// Gives an operator's outcome, or calls the metamethod that will.
    pub(super) fn settle(&mut self, outcome: Outcome, give: Give) -> Result<(), LuaError> {
        match outcome {
            Outcome::Value(value) => self.settle_value(value, give),
            Outcome::Ask(method, args, count) => self.ask(method, &args[..count], give),
            Outcome::Deny(method, args) => {
                let give = match give {
                    Give::Truth { to, negate } => Give::Truth { to, negate: !negate },
                    Give::Condition { negate, to } => Give::Condition { negate: !negate, to },
                    other => other,
                };
                self.ask(method, &args, give)
            }
        }
    }

    fn settle_value(&mut self, value: Value, give: Give) -> Result<(), LuaError> {
        let top = self.stack_top();
        self.need_stack(top + 1)?;
        self.stack[top] = value;
        self.give(give, top, 1).map(|_| ())
    }

    /// Calls a function above the registers of the frame on top.
    pub(super) fn ask(&mut self, function: Value, args: &[Value], give: Give) -> Result<(), LuaError> {
        let top = self.stack_top();
        self.need_stack(top + args.len())?;
        self.stack[top..top + args.len()].copy_from_slice(args);
        self.charge(1)?;
        self.enter(function, top, args.len(), give).map(|_| ())
    }
}

#[cold]
pub(super) fn too_long() -> LuaError {
    LuaError::limit(ErrorKind::Unsupported, "An integer became longer than a million bits.")
}
