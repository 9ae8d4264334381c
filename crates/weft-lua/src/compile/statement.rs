//! Statements.

use super::expr::is_list;
use super::op::{MANY, Op};
use super::state::{Compiler, Loop};
use crate::error::LuaError;
use crate::syntax::ast::{Block, Expr, Kind, Name, Statement};

impl Compiler<'_> {
    pub(super) fn statements(&mut self, block: &Block) -> Result<(), LuaError> {
        self.statements_of(block, true)
    }

    /// With `is_closed`, nothing that can see the block's variables follows its statements.
    fn statements_of(&mut self, block: &Block, is_closed: bool) -> Result<(), LuaError> {
        for (at, statement) in block.statements.iter().enumerate() {
            self.line(statement.line);
            if let Kind::Label(name) = statement.kind {
                let rest = block.statements.get(at + 1..).unwrap_or_default();
                let last = is_closed && rest.iter().all(|next| matches!(next.kind, Kind::Label(_)));
                self.label(name, statement.line, last)?;
            } else {
                self.statement(statement)?;
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), LuaError> {
        self.open(block.id, true);
        self.statements(block)?;
        self.close();
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), LuaError> {
        match &statement.kind {
            Kind::Assign { targets, values } => self.assign(targets, values),
            Kind::Call(call) => {
                let at = self.free();
                self.call(call, at, 0)
            }
            Kind::Return(values) => self.give_back(values),
            Kind::Break => {
                self.leave_loop();
                Ok(())
            }
            Kind::Block(block) => self.block(block),
            Kind::While { condition, block } => self.while_loop(condition, block),
            Kind::Repeat { block, until } => self.repeat_loop(block, until),
            Kind::If { tests, otherwise } => self.if_else(tests, otherwise),
            Kind::Count { name, from, limit, step, block } => {
                self.count_loop(*name, [Some(from), Some(limit), step.as_ref()], block)
            }
            Kind::Each { names, values, block } => self.each_loop(names, values, block),
            Kind::Local { names, values } => self.local(names, values),
            Kind::LocalFunction { name, body } => self.local_function(*name, body),
            Kind::Goto(name) => self.jump_to(*name, statement.line),
            Kind::Label(name) => self.label(*name, statement.line, false),
        }
    }

    fn local_function(&mut self, name: Name, body: &crate::syntax::ast::Body) -> Result<(), LuaError> {
        let free = self.free();
        let register = self.temporary()?;
        // The variable is there before its value, so that the function can call itself.
        let stays = if self.is_captured(name) {
            self.emit(Op::Nil { to: register, count: 1 });
            self.declare(name, register)?
        } else {
            self.declare(name, register)?
        };
        let place = self.place(name);
        let proto = self.function(body)?;
        let functions = &mut self.now().functions;
        functions.push(proto);
        let index = u32::try_from(functions.len() - 1).map_err(|_| super::state::too_large())?;
        self.emit(Op::Closure { to: register, index });
        if !stays {
            if let super::state::Place::Captured { depth, slot } = place {
                self.emit(Op::SetEnv { from: register, depth, slot });
            }
            self.release(free);
        }
        Ok(())
    }

    fn give_back(&mut self, values: &[Expr]) -> Result<(), LuaError> {
        let free = self.free();
        match values {
            [] => {
                self.emit(Op::ReturnNone);
            }
            [Expr::At(line, inner)] if is_list(inner) && self.exact => {
                let line = *line;
                return self.on_line(line, |compiler| compiler.give_back(std::slice::from_ref(inner)));
            }
            [call @ (Expr::Call(..) | Expr::Method(..))] => {
                let count = self.prepare_call(call)?;
                self.emit(Op::TailCall { f: free, count });
                self.emit(Op::Return { from: free, count: MANY });
            }
            [value] if !is_list(value) => {
                let from = self.any(value)?;
                self.emit(Op::ReturnOne { from });
            }
            values => {
                let count = self.arguments(values)?;
                self.emit(Op::Return { from: free, count });
            }
        }
        self.release(free);
        Ok(())
    }

    fn leave_loop(&mut self) {
        let inside = self.frames();
        let Some(outside) = self.now().loops.last().map(|open| open.frames) else {
            self.emit(Op::StrayBreak);
            return;
        };
        if inside > outside {
            self.emit(Op::PopEnv { count: inside - outside });
        }
        let jump = self.emit(Op::Jump { to: 0 });
        if let Some(open) = self.now().loops.last_mut() {
            open.breaks.push(jump);
        }
    }

    fn open_loop(&mut self) {
        let frames = self.frames();
        self.now().loops.push(Loop { breaks: Vec::new(), frames });
    }

    fn close_loop(&mut self) {
        if let Some(open) = self.now().loops.pop() {
            self.land(open.breaks);
        }
    }

    fn while_loop(&mut self, condition: &Expr, block: &Block) -> Result<(), LuaError> {
        let start = self.here();
        let mut exits = Vec::new();
        self.unless(condition, &mut exits)?;
        self.open_loop();
        self.block(block)?;
        self.back(start);
        self.land(exits);
        self.close_loop();
        Ok(())
    }

    fn repeat_loop(&mut self, block: &Block, until: &Expr) -> Result<(), LuaError> {
        let start = self.here();
        self.open_loop();
        self.open(block.id, true);
        self.statements_of(block, false)?;
        let mut exits = Vec::new();
        if self.has_frame() {
            let a = self.any(until)?;
            self.close();
            exits.push(self.emit(Op::IfFalse { a, to: 0 }));
        } else {
            self.when(until, &mut exits)?;
            self.close();
        }
        self.back(start);
        self.land(exits);
        self.close_loop();
        Ok(())
    }

    fn if_else(&mut self, tests: &[(Expr, Block)], otherwise: &Block) -> Result<(), LuaError> {
        let mut ends = Vec::new();
        for (place, (condition, block)) in tests.iter().enumerate() {
            let mut next = Vec::new();
            self.unless(condition, &mut next)?;
            self.block(block)?;
            if place + 1 < tests.len() || !otherwise.statements.is_empty() {
                ends.push(self.emit(Op::Jump { to: 0 }));
            }
            self.land(next);
        }
        self.block(otherwise)?;
        self.land(ends);
        Ok(())
    }

    fn count_loop(&mut self, name: Name, parts: [Option<&Expr>; 3], block: &Block) -> Result<(), LuaError> {
        let free = self.free();
        for part in parts {
            match part {
                Some(expr) => {
                    self.fresh(expr)?;
                }
                None => {
                    let to = self.temporary()?;
                    self.emit(Op::Int { to, value: 1 });
                }
            }
        }
        let variable = self.temporary()?;
        let prepare = self.emit(Op::ForPrepare { base: free, to: 0 });
        let start = self.here();
        self.open_loop();
        self.open(block.id, true);
        self.declare(name, variable)?;
        self.statements(block)?;
        self.close();
        let again = self.emit(Op::ForLoop { base: free, to: 0 });
        self.aim(again, start);
        self.land(vec![prepare]);
        self.close_loop();
        self.release(free);
        Ok(())
    }

    fn each_loop(&mut self, names: &[Name], values: &[Expr], block: &Block) -> Result<(), LuaError> {
        let base = self.free();
        self.loop_control(values)?;
        for _ in names {
            self.temporary()?;
        }
        let count = self.free() - base - 3;
        let start = self.here();
        let step = self.emit(Op::ForEach { base, count, to: 0 });
        self.open_loop();
        self.open(block.id, true);
        for (register, name) in (base + 3..).zip(names) {
            self.declare(*name, register)?;
        }
        self.statements(block)?;
        self.close();
        self.back(start);
        self.land(vec![step]);
        self.close_loop();
        self.release(base);
        Ok(())
    }

    /// The iterator, its data and the first control value, in three fresh registers.
    fn loop_control(&mut self, values: &[Expr]) -> Result<(), LuaError> {
        let base = self.free();
        let is_open = values.last().is_some_and(is_list);
        if is_open && values.len() <= 3 {
            self.arguments(values)?;
            self.emit(Op::ForList { base });
            self.release(base);
            for _ in 0..3 {
                self.temporary()?;
            }
            return Ok(());
        }
        self.values(values, 3)
    }
}
