//! Conditions: jumps instead of values.

use super::op::Op;
use super::state::Compiler;
use crate::error::LuaError;
use crate::number::Num;
use crate::syntax::ast::{Expr, Relation};

impl Compiler<'_> {
    /// Goes on if the condition is true; the jumps are taken if not.
    pub(super) fn unless(&mut self, condition: &Expr, jumps: &mut Vec<usize>) -> Result<(), LuaError> {
        let free = self.free();
        match condition {
            Expr::Bool(true) => {}
            Expr::Not(inner) => self.when(inner, jumps)?,
            Expr::And(a, b) => {
                self.unless(a, jumps)?;
                self.unless(b, jumps)?;
            }
            Expr::Or(a, b) => {
                let mut yes = Vec::new();
                self.when(a, &mut yes)?;
                self.unless(b, jumps)?;
                self.land(yes);
            }
            Expr::Compare(relation, a, b) => {
                let op = self.comparison(*relation, a, b)?;
                jumps.push(self.emit(op));
            }
            other => {
                let a = self.any(other)?;
                jumps.push(self.emit(Op::IfTrue { a, to: 0 }));
            }
        }
        self.release(free);
        Ok(())
    }

    /// Goes on if the condition is false; the jumps are taken if it is true.
    pub(super) fn when(&mut self, condition: &Expr, jumps: &mut Vec<usize>) -> Result<(), LuaError> {
        let free = self.free();
        match condition {
            Expr::Not(inner) => self.unless(inner, jumps)?,
            Expr::Or(a, b) => {
                self.when(a, jumps)?;
                self.when(b, jumps)?;
            }
            Expr::And(a, b) => {
                let mut no = Vec::new();
                self.unless(a, &mut no)?;
                self.when(b, jumps)?;
                self.land(no);
            }
            Expr::Compare(Relation::Eq, a, b) => {
                let op = self.comparison(Relation::Ne, a, b)?;
                jumps.push(self.emit(op));
            }
            Expr::Compare(Relation::Ne, a, b) => {
                let op = self.comparison(Relation::Eq, a, b)?;
                jumps.push(self.emit(op));
            }
            Expr::Compare(relation, a, b) => {
                let op = self.comparison(*relation, a, b)?;
                let no = self.emit(op);
                jumps.push(self.emit(Op::Jump { to: 0 }));
                self.land(vec![no]);
            }
            other => {
                let a = self.any(other)?;
                jumps.push(self.emit(Op::IfFalse { a, to: 0 }));
            }
        }
        self.release(free);
        Ok(())
    }

    /// The jump that is taken if a comparison is false.
    fn comparison(&mut self, relation: Relation, left: &Expr, right: &Expr) -> Result<Op, LuaError> {
        let a = self.any(left)?;
        if let Expr::Number(Num::Int(n)) = right
            && let Ok(value) = i16::try_from(*n)
        {
            return Ok(match relation {
                Relation::Eq => Op::IfEqInt { a, value, to: 0 },
                Relation::Ne => Op::IfNeInt { a, value, to: 0 },
                Relation::Lt => Op::IfLtInt { a, value, to: 0 },
                Relation::Le => Op::IfLeInt { a, value, to: 0 },
                Relation::Gt => Op::IfGtInt { a, value, to: 0 },
                Relation::Ge => Op::IfGeInt { a, value, to: 0 },
            });
        }
        if let Expr::Text(bytes) = right
            && matches!(relation, Relation::Eq | Relation::Ne)
            && let Some(index) = self.short_text(bytes)
        {
            let equal = relation == Relation::Eq;
            return Ok(if equal {
                Op::IfEqShort { a, index, to: 0 }
            } else {
                Op::IfNeShort { a, index, to: 0 }
            });
        }
        let b = self.any(right)?;
        Ok(match relation {
            Relation::Eq => Op::IfEq { a, b, to: 0 },
            Relation::Ne => Op::IfNe { a, b, to: 0 },
            Relation::Lt => Op::IfLt { a, b, swapped: false, to: 0 },
            Relation::Le => Op::IfLe { a, b, swapped: false, to: 0 },
            Relation::Gt => Op::IfLt { a: b, b: a, swapped: true, to: 0 },
            Relation::Ge => Op::IfLe { a: b, b: a, swapped: true, to: 0 },
        })
    }
}
