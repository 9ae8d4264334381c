//! Assignments and local variables.
//!
//! Luerl evaluates all values first, then assigns from the last target to the first, and finds each target's table and key
//! only when it comes to it.

use super::expr::is_list;
use super::op::{MANY, Op, Reg};
use super::state::{Compiler, Place};
use crate::error::LuaError;
use crate::syntax::ast::{Expr, Name};

impl Compiler<'_> {
    pub(super) fn assign(&mut self, targets: &[Expr], values: &[Expr]) -> Result<(), LuaError> {
        if self.exact {
            return self.assign_in_order(targets, values);
        }
        let free = self.free();
        if let ([target], [value]) = (targets, values) {
            self.assign_one(target, value)?;
        } else {
            self.values(values, targets.len())?;
            for (at, target) in targets.iter().enumerate().rev() {
                let offset = Reg::try_from(at).map_err(|_| super::state::too_large())?;
                self.store(target, free + offset)?;
            }
        }
        self.release(free);
        Ok(())
    }

    fn assign_one(&mut self, target: &Expr, value: &Expr) -> Result<(), LuaError> {
        if let Expr::Name(name) = target
            && let Place::Register(to) = self.place(*name)
            && writes_last(value)
        {
            return self.into(value, to);
        }
        let from = self.any(value)?;
        self.store(target, from)
    }

    pub(super) fn store(&mut self, target: &Expr, from: Reg) -> Result<(), LuaError> {
        let free = self.free();
        match target {
            Expr::Name(name) => match self.place(*name) {
                Place::Register(to) if to == from => {}
                Place::Register(to) => {
                    self.emit(Op::Move { to, from });
                }
                Place::Captured { depth, slot } => {
                    self.emit(Op::SetEnv { from, depth, slot });
                }
                Place::Global => {
                    if let Some((table, key)) = self.environment_field(*name) {
                        return self.store(&Expr::Index(Box::new(table), Box::new(key)), from);
                    }
                    let name = self.name_text(*name);
                    self.emit(Op::SetGlobal { from, name });
                }
                Place::Lost => {
                    self.emit(Op::Lost);
                }
            },
            Expr::Index(object, key) => {
                let table = self.any(object)?;
                if let Expr::Text(bytes) = &**key {
                    let name = self.text(bytes);
                    self.note(table, object)?;
                    self.emit(Op::SetField { table, value: from, name });
                } else {
                    let key = self.any(key)?;
                    self.emit(Op::SetIndex { table, key, value: from });
                }
            }
            _ => {}
        }
        self.release(free);
        Ok(())
    }

    /// Expressions in so many consecutive fresh registers: what is too much is evaluated all the same, what is missing is
    /// `nil`.
    pub(super) fn values(&mut self, exprs: &[Expr], wanted: usize) -> Result<(), LuaError> {
        let base = self.free();
        for (place, expr) in exprs.iter().enumerate() {
            let is_last = place + 1 == exprs.len();
            if place >= wanted {
                let free = self.free();
                self.fresh(expr)?;
                self.release(free);
            } else if is_last && wanted > exprs.len() && is_list(expr) {
                let missing = wanted - place;
                self.some(expr, missing)?;
            } else {
                self.fresh(expr)?;
            }
        }
        let given = usize::from(self.free() - base);
        if given < wanted {
            let to = self.free();
            for _ in given..wanted {
                self.temporary()?;
            }
            let count = self.free() - to;
            self.emit(Op::Nil { to, count });
        }
        Ok(())
    }

    /// So many values of an expression in fresh registers.
    fn some(&mut self, expr: &Expr, wanted: usize) -> Result<(), LuaError> {
        let at = self.free();
        let count =
            u8::try_from(wanted).ok().filter(|count| *count < MANY).ok_or_else(super::state::too_large)?;
        match expr {
            Expr::Call(..) | Expr::Method(..) => self.call(expr, at, count)?,
            Expr::At(line, inner) => {
                return self.on_line(*line, |compiler| compiler.some(inner, wanted));
            }
            Expr::Varargs(_) => {
                self.emit(Op::Varargs { to: at, count });
            }
            other => {
                self.list(other, at)?;
                self.emit(Op::Adjust { from: at, count });
            }
        }
        for _ in 0..count {
            self.temporary()?;
        }
        Ok(())
    }

    pub(super) fn local(&mut self, names: &[Name], exprs: &[Expr]) -> Result<(), LuaError> {
        let base = self.free();
        self.values(exprs, names.len())?;
        let mut to = base;
        for (from, name) in (base..).zip(names) {
            if self.is_captured(*name) {
                self.declare(*name, from)?;
                continue;
            }
            if to != from {
                self.emit(Op::Move { to, from });
            }
            self.declare(*name, to)?;
            to += 1;
        }
        self.release(to);
        Ok(())
    }
}

/// Whether an expression's code writes its register only when it has read all it reads.
pub(super) fn writes_last(expr: &Expr) -> bool {
    match expr {
        Expr::And(..) | Expr::Or(..) => false,
        Expr::One(inner) | Expr::At(_, inner) => writes_last(inner),
        _ => true,
    }
}
