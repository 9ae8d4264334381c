//! Loops.

use super::Vm;
use super::frame::Give;
use crate::compile::Op;
use crate::error::{LuaError, Term};
use crate::number::{self, BinOp, Num, NumError};
use crate::value::Value;

impl Vm {
    pub(super) fn repeat(&mut self, op: Op, base: usize) -> Result<(), LuaError> {
        match op {
            Op::ForPrepare { base: first, to } => self.prepare_loop(base + usize::from(first), to),
            Op::ForLoop { base: first, to } => self.next_round(base + usize::from(first), to),
            Op::ForList { base: first } => self.loop_values(base + usize::from(first)),
            Op::ForEach { base: first, count, to } => self.each(base, first, count, to),
            _ => Ok(()),
        }
    }

    fn prepare_loop(&mut self, first: usize, to: u32) -> Result<(), LuaError> {
        if self.is_exact() {
            if !self.prepare_exact(first)? {
                self.leave(to);
            }
            return Ok(());
        }
        let values = [self.stack[first], self.stack[first + 1], self.stack[first + 2]];
        for (at, value) in (first..).zip(values) {
            match self.to_num(value)? {
                Some(num) => self.stack[at] = self.heap.value(num),
                None => return Err(LuaError::triple("badarg", "loop", &values)),
            }
        }
        if !self.round(first)? {
            self.leave(to);
        }
        Ok(())
    }

    fn next_round(&mut self, first: usize, to: u32) -> Result<(), LuaError> {
        self.charge(4)?;
        if self.is_exact() {
            if self.next_exact(first) {
                self.leave(to);
            }
            return Ok(());
        }
        let next = self.counted(first)?;
        self.stack[first] = self.heap.value(next);
        if self.round(first)? {
            self.leave(to);
        }
        Ok(())
    }

    fn loop_number(&self, at: usize) -> Num {
        self.heap.num(self.stack[at]).unwrap_or(Num::Int(0))
    }

    /// The counter one step on.
    fn counted(&self, first: usize) -> Result<Num, LuaError> {
        let (counter, step) = (self.loop_number(first), self.loop_number(first + 2));
        number::binary(BinOp::Add, &counter, &step).map_err(|error| match error {
            NumError::Arith => LuaError::crash(Term::atom("badarith")),
            NumError::TooLong => super::operate::too_long(),
        })
    }

    /// Whether there is another round; then the variable is set. Luerl counts on before the round, and fails there.
    fn round(&mut self, first: usize) -> Result<bool, LuaError> {
        let (counter, limit, step) =
            (self.loop_number(first), self.loop_number(first + 1), self.loop_number(first + 2));
        let direction = step.compare(&Num::Int(0));
        let within = match direction {
            std::cmp::Ordering::Greater => counter.compare(&limit).is_le(),
            std::cmp::Ordering::Less => counter.compare(&limit).is_ge(),
            std::cmp::Ordering::Equal => false,
        };
        if within {
            self.counted(first)?;
            self.stack[first + 3] = self.stack[first];
        }
        Ok(within)
    }

    fn leave(&mut self, to: u32) {
        if let Some(frame) = self.frames.last_mut() {
            frame.pc = to as usize;
        }
    }

    /// What follows `in` is a list: its first three values count.
    fn loop_values(&mut self, first: usize) -> Result<(), LuaError> {
        let top = self.frames.last_mut().map_or(first, |frame| std::mem::take(&mut frame.top));
        if top <= first && !self.is_exact() {
            // No iterator at all: Luerl calls the empty list.
            return Err(LuaError::lua(Term::tuple([
                Term::atom("undefined_function"),
                Term::List(Vec::new()),
            ])));
        }
        let top = top.max(first);
        if top < first + 3 {
            self.stack[top..first + 3].fill(Value::Nil);
        }
        Ok(())
    }

    fn each(&mut self, base: usize, first: u8, count: u8, to: u32) -> Result<(), LuaError> {
        let at = base + usize::from(first);
        let (function, data, control) = (self.stack[at], self.stack[at + 1], self.stack[at + 2]);
        if let (Value::Native(id), Value::Table(table)) = (function, data)
            && self.next_native == Some(id)
        {
            self.charge(2)?;
            return self.each_entry(at, count, to, table, control);
        }
        self.ask(function, &[data, control], Give::Each { base: first, count, to })
    }

    /// The commonest loop, over a table's entries, without a call.
    fn each_entry(
        &mut self,
        at: usize,
        count: u8,
        to: u32,
        table: crate::value::TableId,
        control: Value,
    ) -> Result<(), LuaError> {
        match self.heap.next(table, control) {
            Some((key, value)) if key.is_true() || self.is_exact() => {
                self.stack[at + 2] = key;
                let values = [key, value];
                for (offset, place) in (0..usize::from(count)).zip(at + 3..) {
                    self.stack[place] = values.get(offset).copied().unwrap_or(Value::Nil);
                }
            }
            _ => self.leave(to),
        }
        Ok(())
    }
}
