//! Expressions.

use super::op::{MANY, Op, Reg};
use super::state::{Compiler, Place, too_large};
use crate::error::LuaError;
use crate::number::{BinOp, Num, UnOp};
use crate::syntax::ast::{Expr, Field, Name, Relation};

/// Values of a list that stand in registers; more go through a table.
const MANY_PARTS: usize = 100;

/// Whether an expression may have any number of values.
pub(super) fn is_list(expr: &Expr) -> bool {
    match expr {
        Expr::Call(..) | Expr::Method(..) | Expr::Varargs(_) => true,
        // In Luerl, `and` and `or` pass on all values of a side where all are wanted.
        Expr::And(a, b) | Expr::Or(a, b) => is_list(a) || is_list(b),
        Expr::At(_, inner) => is_list(inner),
        _ => false,
    }
}

impl Compiler<'_> {
    /// An expression's value in some register: a variable's own, or a fresh one.
    pub(super) fn any(&mut self, expr: &Expr) -> Result<Reg, LuaError> {
        if let Expr::Name(name) = expr
            && let Place::Register(register) = self.place(*name)
        {
            return Ok(register);
        }
        self.fresh(expr)
    }

    /// An expression's value in a fresh register.
    pub(super) fn fresh(&mut self, expr: &Expr) -> Result<Reg, LuaError> {
        let to = self.temporary()?;
        self.into(expr, to)?;
        Ok(to)
    }

    /// An expression's value in a register that none of its parts reads, or that is written last.
    pub(super) fn into(&mut self, expr: &Expr, to: Reg) -> Result<(), LuaError> {
        let free = self.free();
        match expr {
            Expr::At(line, inner) => self.on_line(*line, |compiler| compiler.into(inner, to))?,
            Expr::Name(name) => self.variable(*name, to)?,
            Expr::Table(fields) => self.table(fields, to)?,
            Expr::Index(object, key) => self.index(object, key, to)?,
            Expr::Call(..) | Expr::Method(..) => self.call_one(expr, to)?,
            Expr::One(inner) => self.into(inner, to)?,
            Expr::Binary(first, steps) => {
                let mut a = self.any(first)?;
                for (op, right) in steps {
                    // What is not the last step goes through a register of its own.
                    let is_last = std::ptr::eq(right, steps.last().map_or(right, |(_, last)| last));
                    let target = if is_last {
                        to
                    } else if a >= free {
                        a
                    } else {
                        self.temporary()?
                    };
                    let inner = self.free();
                    self.binary(*op, (a, first), right, target)?;
                    self.release(inner);
                    a = target;
                }
            }
            Expr::Unary(..) | Expr::Not(_) | Expr::Length(_) => self.unary(expr, to)?,
            Expr::Concat(parts) => self.concat(parts, to)?,
            Expr::Compare(relation, a, b) => self.compare(*relation, a, b, to)?,
            Expr::And(a, b) => {
                self.into(a, to)?;
                let end = self.emit(Op::IfTrue { a: to, to: 0 });
                self.into(b, to)?;
                self.land(vec![end]);
            }
            Expr::Or(a, b) => {
                self.into(a, to)?;
                let end = self.emit(Op::IfFalse { a: to, to: 0 });
                self.into(b, to)?;
                self.land(vec![end]);
            }
            literal => self.literal(literal, to)?,
        }
        self.release(free);
        Ok(())
    }

    fn literal(&mut self, expr: &Expr, to: Reg) -> Result<(), LuaError> {
        match expr {
            Expr::Nil => {
                self.emit(Op::Nil { to, count: 1 });
            }
            Expr::Bool(value) => {
                self.emit(Op::Bool { to, value: *value });
            }
            Expr::Number(number) => self.load_number(number, to),
            Expr::Text(bytes) => {
                let index = self.text(bytes);
                self.emit(Op::Constant { to, index });
            }
            Expr::Varargs(_) => {
                self.emit(Op::Varargs { to, count: 1 });
            }
            Expr::Function(body) => {
                let proto = self.function(body)?;
                let functions = &mut self.now().functions;
                functions.push(proto);
                let index = u32::try_from(functions.len() - 1).map_err(|_| too_large())?;
                self.emit(Op::Closure { to, index });
            }
            _ => {}
        }
        Ok(())
    }

    fn variable(&mut self, name: Name, to: Reg) -> Result<(), LuaError> {
        match self.place(name) {
            Place::Register(from) if from == to => {}
            Place::Register(from) => {
                self.emit(Op::Move { to, from });
            }
            Place::Captured { depth, slot } => {
                self.emit(Op::GetEnv { to, depth, slot });
            }
            Place::Global => {
                if let Some((table, key)) = self.environment_field(name) {
                    return self.index(&table, &key, to);
                }
                let name = self.name_text(name);
                self.emit(Op::GetGlobal { to, name });
            }
            Place::Lost => {
                self.emit(Op::Lost);
            }
        }
        Ok(())
    }

    fn unary(&mut self, expr: &Expr, to: Reg) -> Result<(), LuaError> {
        let op = match expr {
            Expr::Unary(UnOp::Neg, a) => Op::Neg { to, a: self.any(a)? },
            Expr::Unary(UnOp::Bnot, a) => Op::Bnot { to, a: self.any(a)? },
            Expr::Not(a) => Op::Not { to, a: self.any(a)? },
            Expr::Length(a) => Op::Length { to, a: self.any(a)? },
            _ => return Ok(()),
        };
        if let (
            Op::Neg { a, .. } | Op::Bnot { a, .. } | Op::Length { a, .. },
            Expr::Unary(_, operand) | Expr::Length(operand),
        ) = (op, expr)
        {
            self.note(a, operand)?;
        }
        self.emit(op);
        Ok(())
    }

    fn load_number(&mut self, number: &Num, to: Reg) {
        match number {
            Num::Int(n) if i32::try_from(*n).is_ok() => {
                let value = i32::try_from(*n).unwrap_or(0);
                self.emit(Op::Int { to, value });
            }
            number => {
                let index = self.number(number);
                self.emit(Op::Constant { to, index });
            }
        }
    }

    fn index(&mut self, object: &Expr, key: &Expr, to: Reg) -> Result<(), LuaError> {
        let table = self.any(object)?;
        if let Expr::Text(bytes) = key {
            let name = self.text(bytes);
            self.note(table, object)?;
            self.emit(Op::GetField { to, table, name });
        } else {
            let key = self.any(key)?;
            self.note(table, object)?;
            self.emit(Op::GetIndex { to, table, key });
        }
        Ok(())
    }

    /// `a` is the left side's register, and the expression it came from, if it is that of no step between.
    fn binary(&mut self, op: BinOp, (a, left): (Reg, &Expr), right: &Expr, to: Reg) -> Result<(), LuaError> {
        if let Expr::Number(Num::Int(n)) = right
            && let Ok(value) = i32::try_from(*n)
        {
            let short = match op {
                BinOp::Add => Some(Op::AddInt { to, a, value }),
                BinOp::Sub => Some(Op::SubInt { to, a, value }),
                _ => None,
            };
            if let Some(op) = short {
                self.note(a, left)?;
                self.emit(op);
                return Ok(());
            }
        }
        let b = self.any(right)?;
        // A number is no operand to complain of, and PUC has no name for a constant one.
        if !matches!(left, Expr::Text(_)) {
            self.note(a, left)?;
        }
        if !matches!(right, Expr::Text(_)) {
            self.note(b, right)?;
        }
        self.emit(match op {
            BinOp::Add => Op::Add { to, a, b },
            BinOp::Sub => Op::Sub { to, a, b },
            BinOp::Mul => Op::Mul { to, a, b },
            BinOp::Mod => Op::Mod { to, a, b },
            BinOp::Div => Op::Div { to, a, b },
            BinOp::IDiv => Op::IDiv { to, a, b },
            op => Op::Arith { op, to, a, b },
        });
        Ok(())
    }

    fn compare(&mut self, relation: Relation, left: &Expr, right: &Expr, to: Reg) -> Result<(), LuaError> {
        let (a, b) = (self.any(left)?, self.any(right)?);
        self.emit(match relation {
            Relation::Eq => Op::Eq { to, a, b },
            Relation::Ne => Op::Ne { to, a, b },
            Relation::Lt => Op::Lt { to, a, b, swapped: false },
            Relation::Le => Op::Le { to, a, b, swapped: false },
            Relation::Gt => Op::Lt { to, a: b, b: a, swapped: true },
            Relation::Ge => Op::Le { to, a: b, b: a, swapped: true },
        });
        Ok(())
    }

    fn concat(&mut self, parts: &[Expr], to: Reg) -> Result<(), LuaError> {
        if let [a, b] = parts {
            let (left, right) = (self.any(a)?, self.any(b)?);
            self.note(left, a)?;
            self.note(right, b)?;
            self.emit(Op::Concat { to, a: left, b: right });
            return Ok(());
        }
        let from = self.free();
        for part in parts {
            self.fresh(part)?;
        }
        let count = self.free() - from;
        self.emit(Op::ConcatAll { to, from, count });
        for (at, part) in (from..from + count - 1).zip(parts).rev() {
            self.note(at, part)?;
            if at + 2 == from + count
                && let Some(last) = parts.last()
            {
                self.note(at + 1, last)?;
            }
            self.emit(Op::Concat { to: if at == from { to } else { at }, a: at, b: at + 1 });
        }
        Ok(())
    }

    fn table(&mut self, fields: &[Field], to: Reg) -> Result<(), LuaError> {
        // It may be read by its own fields: the register is written when it is whole.
        let table = self.temporary()?;
        let items = fields.iter().filter(|field| matches!(field, Field::Item(_))).count();
        let array = u16::try_from(items).unwrap_or(u16::MAX);
        let named = u16::try_from(fields.len() - items).unwrap_or(u16::MAX);
        self.emit(Op::NewTable { to: table, array, fields: named });
        let mut at = 0u32;
        // In Lua 5.3 items are set after the keys that stand before them, fifty at a time.
        let late = self.exact && fields.iter().any(|field| matches!(field, Field::Keyed(..)));
        if late {
            let is_open = matches!(fields.last(), Some(Field::Item(value)) if is_list(value));
            if items <= 50 && !is_open {
                return self.table_late(fields, table, to);
            }
        }
        for (place, field) in fields.iter().enumerate() {
            let free = self.free();
            match field {
                Field::Item(value) => {
                    at += 1;
                    if place + 1 == fields.len() && is_list(value) {
                        let from = self.free();
                        self.list(value, from)?;
                        self.emit(Op::InitItems { table, from, at });
                    } else {
                        let value = self.any(value)?;
                        self.emit(Op::InitItem { table, value, at });
                    }
                }
                Field::Named(name, value) => {
                    let name = self.name_text(*name);
                    let value = self.any(value)?;
                    self.emit(Op::InitField { table, value, name });
                }
                Field::Keyed(key, value) => {
                    let (key, value) = (self.any(key)?, self.any(value)?);
                    self.emit(Op::InitIndex { table, key, value });
                }
            }
            self.release(free);
        }
        self.emit(Op::Seal { table });
        self.emit(Op::Move { to, from: table });
        Ok(())
    }

    /// A table whose items are set when everything is evaluated.
    fn table_late(&mut self, fields: &[Field], table: Reg, to: Reg) -> Result<(), LuaError> {
        let mut items = Vec::new();
        for field in fields {
            match field {
                Field::Item(value) => items.push(self.fresh(value)?),
                Field::Named(name, value) => {
                    let free = self.free();
                    let name = self.name_text(*name);
                    let value = self.any(value)?;
                    self.emit(Op::InitField { table, value, name });
                    self.release(free);
                }
                Field::Keyed(key, value) => {
                    let free = self.free();
                    let (key, value) = (self.any(key)?, self.any(value)?);
                    self.emit(Op::InitIndex { table, key, value });
                    self.release(free);
                }
            }
        }
        for (at, value) in (1u32..).zip(items) {
            self.emit(Op::InitItem { table, value, at });
        }
        self.emit(Op::Seal { table });
        self.emit(Op::Move { to, from: table });
        Ok(())
    }

    /// All values of an expression, from a register on, which is the first that is free.
    pub(super) fn list(&mut self, expr: &Expr, at: Reg) -> Result<(), LuaError> {
        let free = self.free();
        match expr {
            Expr::At(line, inner) => self.on_line(*line, |compiler| compiler.list(inner, at))?,
            Expr::Call(..) | Expr::Method(..) => self.call(expr, at, MANY)?,
            Expr::Varargs(_) => {
                self.emit(Op::Varargs { to: at, count: MANY });
            }
            Expr::And(a, b) if is_list(expr) => {
                self.list(a, at)?;
                let end = self.emit(Op::IfFirst { a: at, unless: false, to: 0 });
                self.list(b, at)?;
                self.land(vec![end]);
            }
            Expr::Or(a, b) if is_list(expr) => {
                self.list(a, at)?;
                let end = self.emit(Op::IfFirst { a: at, unless: true, to: 0 });
                self.list(b, at)?;
                self.land(vec![end]);
            }
            single => {
                let register = self.temporary()?;
                self.into(single, register)?;
                self.emit(Op::AsList { a: register });
            }
        }
        self.release(free);
        Ok(())
    }

    /// Expressions in consecutive fresh registers; how many, or `MANY` if the last one's values are a list.
    pub(super) fn arguments(&mut self, exprs: &[Expr]) -> Result<u8, LuaError> {
        let from = self.free();
        if exprs.len() > MANY_PARTS && !exprs.last().is_some_and(is_list) {
            return self.long_list(exprs);
        }
        for (place, expr) in exprs.iter().enumerate() {
            if place + 1 == exprs.len() && is_list(expr) {
                let at = self.free();
                self.list(expr, at)?;
                return Ok(MANY);
            }
            self.fresh(expr)?;
        }
        Ok(self.free() - from)
    }

    /// More values than there are registers for: they are gathered in a table that no script sees.
    fn long_list(&mut self, exprs: &[Expr]) -> Result<u8, LuaError> {
        let table = self.temporary()?;
        self.emit(Op::NewTable {
            to: table,
            array: u16::try_from(exprs.len()).unwrap_or(u16::MAX),
            fields: 0,
        });
        for (at, expr) in (1u32..).zip(exprs) {
            let free = self.free();
            let value = self.any(expr)?;
            self.emit(Op::InitItem { table, value, at });
            self.release(free);
        }
        let count = u32::try_from(exprs.len()).map_err(|_| too_large())?;
        self.emit(Op::Spread { table, count });
        Ok(MANY)
    }

    fn call_one(&mut self, expr: &Expr, to: Reg) -> Result<(), LuaError> {
        // The register just taken for the value serves the call itself.
        let at = if to + 1 == self.free() && !self.holds(to) { to } else { self.free() };
        let free = self.free();
        self.release(at);
        self.call(expr, at, 1)?;
        self.release(free.max(at));
        if at != to {
            self.emit(Op::Move { to, from: at });
        }
        Ok(())
    }

    /// A call whose values go to a register and those after it; the register is the first that is free.
    pub(super) fn call(&mut self, expr: &Expr, at: Reg, results: u8) -> Result<(), LuaError> {
        if let Expr::At(line, inner) = expr {
            return self.on_line(*line, |compiler| compiler.call(inner, at, results));
        }
        let free = self.free();
        let count = self.prepare_call(expr)?;
        self.emit(Op::Call { f: at, count, results });
        self.release(free);
        Ok(())
    }

    /// A function and its arguments in consecutive fresh registers; how many arguments.
    pub(super) fn prepare_call(&mut self, expr: &Expr) -> Result<u8, LuaError> {
        match expr {
            Expr::Call(function, args) => {
                let f = self.fresh(function)?;
                let count = self.arguments(args)?;
                self.note(f, function)?;
                Ok(count)
            }
            Expr::Method(object, name, args) if self.exact => {
                let f = self.temporary()?;
                let from = self.fresh(object)?;
                let text = self.name_text(*name);
                self.note(from, object)?;
                self.emit(Op::Method { f, name: text });
                let count = self.arguments(args)?;
                self.note_as(f, "method", Some(text))?;
                Ok(if count == MANY { MANY } else { count + 1 })
            }
            Expr::Method(object, name, args) => {
                let f = self.temporary()?;
                self.fresh(object)?;
                let count = self.arguments(args)?;
                let name = self.name_text(*name);
                self.emit(Op::Method { f, name });
                Ok(if count == MANY { MANY } else { count + 1 })
            }
            _ => Ok(0),
        }
    }
}
