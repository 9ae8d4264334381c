//! What Luerl's compiler refuses: `...` outside a function that has it.

use crate::syntax::ast::{Block, Body, Expr, Field, Kind, Program};

/// The lines where `...` stands outside a vararg function, in the order in which Luerl finds them.
pub(super) fn stray_varargs(program: &Program) -> Vec<u32> {
    let mut lint = Lint { inside: true, lines: Vec::new() };
    lint.block(&program.body.block);
    lint.lines
}

struct Lint {
    inside: bool,
    lines: Vec<u32>,
}

impl Lint {
    fn body(&mut self, body: &Body) {
        let outer = std::mem::replace(&mut self.inside, body.is_vararg);
        self.block(&body.block);
        self.inside = outer;
    }

    fn block(&mut self, block: &Block) {
        for statement in &block.statements {
            match &statement.kind {
                Kind::Assign { targets, values } => {
                    self.exprs(targets);
                    self.exprs(values);
                }
                Kind::Call(call) => self.expr(call),
                Kind::Return(values) | Kind::Local { values, .. } => self.exprs(values),
                Kind::Break | Kind::Goto(_) | Kind::Label(_) => {}
                Kind::Block(block) => self.block(block),
                Kind::While { condition, block } => {
                    self.expr(condition);
                    self.block(block);
                }
                Kind::Repeat { block, until } => {
                    self.block(block);
                    self.expr(until);
                }
                Kind::If { tests, otherwise } => {
                    for (condition, block) in tests {
                        self.expr(condition);
                        self.block(block);
                    }
                    self.block(otherwise);
                }
                Kind::Count { from, limit, step, block, .. } => {
                    self.expr(from);
                    self.expr(limit);
                    step.iter().for_each(|step| self.expr(step));
                    self.block(block);
                }
                Kind::Each { values, block, .. } => {
                    self.exprs(values);
                    self.block(block);
                }
                Kind::LocalFunction { body, .. } => self.body(body),
            }
        }
    }

    fn exprs(&mut self, list: &[Expr]) {
        list.iter().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Varargs(line) if !self.inside => self.lines.push(*line),
            Expr::Nil
            | Expr::Bool(_)
            | Expr::Number(_)
            | Expr::Text(_)
            | Expr::Varargs(_)
            | Expr::Name(_) => {}
            Expr::Function(body) => self.body(body),
            Expr::Table(fields) => {
                for field in fields {
                    match field {
                        Field::Item(value) | Field::Named(_, value) => self.expr(value),
                        Field::Keyed(key, value) => {
                            self.expr(key);
                            self.expr(value);
                        }
                    }
                }
            }
            Expr::Index(a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            Expr::Call(function, args) | Expr::Method(function, _, args) => {
                self.expr(function);
                self.exprs(args);
            }
            Expr::One(inner)
            | Expr::At(_, inner)
            | Expr::Unary(_, inner)
            | Expr::Not(inner)
            | Expr::Length(inner) => {
                self.expr(inner);
            }
            Expr::Binary(first, steps) => {
                self.expr(first);
                steps.iter().for_each(|(_, step)| self.expr(step));
            }
            Expr::Concat(parts) => self.exprs(parts),
        }
    }
}
