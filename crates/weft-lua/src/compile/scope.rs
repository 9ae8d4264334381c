//! Which variables functions inside a block capture, the way Luerl works it out.
//!
//! It goes by names: all variables of a block with one name are captured together, and a method's name counts as a variable
//! that is used. A function sees only its own registers and captured variables; where Luerl takes a captured variable for a
//! plain one, because a block in between declares the name later on, it fails when the variable is used, and so do we.

use std::collections::BTreeSet;

use crate::syntax::ast::{self, Expr, Field, Kind, Name, Program, Statement};

type Names = BTreeSet<Name>;

/// Variables of one block that stand in registers.
const MAX_LOCALS: usize = 120;

#[derive(Debug, Default, Clone)]
pub(super) struct Block {
    /// Names that functions inside use.
    pub(super) names: Names,
    /// Whether one of them is declared in this block.
    pub(super) any: bool,
    /// Whether it declares more variables than there are registers for: all of them are kept like captured ones.
    pub(super) is_large: bool,
    /// Whether a jump may come back into the middle of it.
    pub(super) has_labels: bool,
}

/// What is captured in each block of a program. `exact`: what a block uses of what is around it goes by where its own
/// variables begin, and none is lost; Luerl's way otherwise.
pub(super) fn captured(program: &Program, exact: bool) -> Vec<Block> {
    let mut analysis = Analysis { blocks: vec![Block::default(); program.blocks], exact };
    analysis.function(&program.body);
    analysis.blocks
}

/// What an expression or statement uses itself, and what functions in it use.
#[derive(Default)]
struct Uses {
    own: Names,
    inner: Names,
}

impl Uses {
    fn add(&mut self, other: Self) {
        self.own.extend(other.own);
        self.inner.extend(other.inner);
    }

    fn without(mut self, names: &Names) -> Self {
        self.own.retain(|name| !names.contains(name));
        self.inner.retain(|name| !names.contains(name));
        self
    }
}

struct Analysis {
    blocks: Vec<Block>,
    exact: bool,
}

/// A block as it is gone through.
#[derive(Default)]
struct Open {
    local: Names,
    free: Names,
    uses: Uses,
    /// What was used while it was not yet a variable of the block.
    outside: Uses,
    declared: usize,
    has_labels: bool,
}

impl Open {
    fn statement(&mut self, new: &[Name], uses: Uses) {
        self.outside.own.extend(uses.own.iter().filter(|name| !self.local.contains(name)));
        self.outside.inner.extend(uses.inner.iter().filter(|name| !self.local.contains(name)));
        self.free.extend(uses.own.iter().chain(&uses.inner).filter(|name| !self.local.contains(name)));
        self.local.extend(new);
        self.declared += new.len();
        self.uses.add(uses);
    }
}

impl Analysis {
    /// What a function's free variables are.
    fn function(&mut self, body: &ast::Body) -> Names {
        let locals = body.parameters.iter().copied().collect();
        self.open(&body.block, None, locals).free
    }

    fn open(&mut self, block: &ast::Block, until: Option<&Expr>, local: Names) -> Open {
        let mut open = Open { local, ..Open::default() };
        for statement in &block.statements {
            let (new, uses) = self.statement(statement);
            if let (true, Kind::LocalFunction { name, .. }) = (self.exact, &statement.kind) {
                // It sees itself.
                open.local.insert(*name);
            }
            open.statement(&new, uses);
            open.has_labels |= matches!(statement.kind, Kind::Label(_));
        }
        if let Some(until) = until {
            let mut uses = Uses::default();
            self.expr(until, &mut uses);
            open.statement(&[], uses);
        }
        if let Some(block) = self.blocks.get_mut(block.id) {
            block.is_large = open.declared > MAX_LOCALS;
            block.any = block.is_large || open.uses.inner.iter().any(|name| open.local.contains(name));
            block.names.clone_from(&open.uses.inner);
            block.has_labels = open.has_labels;
        }
        open
    }

    /// What a block uses of what is around it.
    fn block(&mut self, block: &ast::Block, until: Option<&Expr>, local: Names) -> Uses {
        let open = self.open(block, until, local);
        if self.exact {
            return open.outside;
        }
        let local = open.local;
        open.uses.without(&local)
    }

    /// The variables a statement declares, and what it uses.
    fn statement(&mut self, statement: &Statement) -> (Vec<Name>, Uses) {
        let mut uses = Uses::default();
        let mut new = Vec::new();
        match &statement.kind {
            Kind::Assign { targets, values } => {
                self.exprs(targets, &mut uses);
                self.exprs(values, &mut uses);
            }
            Kind::Call(call) => self.expr(call, &mut uses),
            Kind::Return(values) => self.exprs(values, &mut uses),
            Kind::Break | Kind::Goto(_) | Kind::Label(_) => {}
            Kind::Block(block) => uses = self.block(block, None, Names::new()),
            Kind::While { condition, block } => {
                self.expr(condition, &mut uses);
                uses.add(self.block(block, None, Names::new()));
            }
            Kind::Repeat { block, until } => uses = self.block(block, Some(until), Names::new()),
            Kind::If { tests, otherwise } => {
                for (condition, block) in tests {
                    self.expr(condition, &mut uses);
                    uses.add(self.block(block, None, Names::new()));
                }
                uses.add(self.block(otherwise, None, Names::new()));
            }
            Kind::Count { name, from, limit, step, block } => {
                for part in [Some(from), Some(limit), step.as_ref()].into_iter().flatten() {
                    self.expr(part, &mut uses);
                }
                uses.add(self.block(block, None, Names::from([*name])));
            }
            Kind::Each { names, values, block } => {
                self.exprs(values, &mut uses);
                uses.add(self.block(block, None, names.iter().copied().collect()));
            }
            Kind::Local { names, values } => {
                self.exprs(values, &mut uses);
                new.clone_from(names);
            }
            Kind::LocalFunction { name, body } => {
                uses.inner = self.function(body);
                new.push(*name);
            }
        }
        (new, uses)
    }

    fn exprs(&mut self, list: &[Expr], uses: &mut Uses) {
        for expr in list {
            self.expr(expr, uses);
        }
    }

    fn expr(&mut self, expr: &Expr, uses: &mut Uses) {
        match expr {
            Expr::Nil | Expr::Bool(_) | Expr::Number(_) | Expr::Text(_) | Expr::Varargs(_) => {}
            Expr::Function(body) => uses.inner.extend(self.function(body)),
            Expr::Name(name) => {
                uses.own.insert(*name);
            }
            Expr::Table(fields) => {
                for field in fields {
                    match field {
                        Field::Item(value) | Field::Named(_, value) => self.expr(value, uses),
                        Field::Keyed(key, value) => {
                            self.expr(key, uses);
                            self.expr(value, uses);
                        }
                    }
                }
            }
            Expr::Index(a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) => {
                self.expr(a, uses);
                self.expr(b, uses);
            }
            Expr::Call(function, args) => {
                self.expr(function, uses);
                self.exprs(args, uses);
            }
            Expr::Method(object, name, args) => {
                self.expr(object, uses);
                self.exprs(args, uses);
                uses.own.insert(*name);
            }
            Expr::One(inner)
            | Expr::At(_, inner)
            | Expr::Unary(_, inner)
            | Expr::Not(inner)
            | Expr::Length(inner) => {
                self.expr(inner, uses);
            }
            Expr::Binary(first, steps) => {
                self.expr(first, uses);
                for (_, step) in steps {
                    self.expr(step, uses);
                }
            }
            Expr::Concat(parts) => self.exprs(parts, uses),
        }
    }
}
