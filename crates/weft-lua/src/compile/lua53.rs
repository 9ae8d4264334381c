//! What only profile `lua53` compiles: `_ENV`, jumps and labels, assignments whose targets come first, and the notes that let
//! messages name what was wrong.

use super::op::{Op, Reg};
use super::state::{Compiler, Place, too_large};
use crate::error::{ErrorKind, LuaError, Term};
use crate::syntax::ast::{Expr, Name};
use crate::syntax::lua53::short_name;

/// What a register of an instruction stood for in the text, as messages name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) pc: u32,
    pub(crate) register: Reg,
    pub(crate) kind: &'static str,
    /// The constant that is its name; `?` if there is none.
    pub(crate) name: Option<u32>,
}

/// A label that can be jumped to from here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label {
    name: Name,
    line: u32,
    at: usize,
    frames: u16,
}

/// A jump to a label that did not come yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goto {
    name: Name,
    line: u32,
    /// The instruction that leaves frames; the jump follows it.
    at: usize,
    frames: u16,
    /// Scopes around it that are still open, and variables in them.
    pub(super) scopes: usize,
    pub(super) variables: usize,
}

/// Where a value goes; what leads there is in registers already.
enum Target {
    Name,
    Field { table: Reg, name: u32 },
    Index { table: Reg, key: Reg },
}

impl Compiler<'_> {
    /// An error of the compiler, in PUC's words.
    #[cold]
    fn refuse(&self, line: u32, what: &str) -> LuaError {
        let text = format!("{}:{line}: {what}", short_name(&self.chunk.name));
        LuaError::new(ErrorKind::Syntax, Term::Bytes(text.into_bytes()))
    }

    fn lossy(&self, name: Name) -> String {
        self.names
            .get(name as usize)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .unwrap_or_default()
    }

    /// Something on a line of its own.
    pub(super) fn on_line(
        &mut self,
        line: u32,
        make: impl FnOnce(&mut Self) -> Result<(), LuaError>,
    ) -> Result<(), LuaError> {
        let before = self.line_of_now();
        self.line(line);
        make(self)?;
        self.line(before);
        Ok(())
    }

    /// The field of `_ENV` a name is, where a variable of that name is in sight.
    pub(super) fn environment_field(&mut self, name: Name) -> Option<(Expr, Expr)> {
        let environment = self.environment?;
        if matches!(self.place(environment), Place::Global) {
            return None;
        }
        let bytes = self.names.get(name as usize).cloned().unwrap_or_default();
        Some((Expr::Name(environment), Expr::Text(bytes)))
    }

    /// Notes what a register of the instruction that comes next stands for.
    pub(super) fn note(&mut self, register: Reg, expr: &Expr) -> Result<(), LuaError> {
        if !self.exact {
            return Ok(());
        }
        let Some((kind, name)) = self.described(expr) else { return Ok(()) };
        self.note_as(register, kind, name)
    }

    pub(super) fn note_as(
        &mut self,
        register: Reg,
        kind: &'static str,
        name: Option<u32>,
    ) -> Result<(), LuaError> {
        let pc = u32::try_from(self.here()).map_err(|_| too_large())?;
        self.now().notes.push(Note { pc, register, kind, name });
        Ok(())
    }

    fn described(&mut self, expr: &Expr) -> Option<(&'static str, Option<u32>)> {
        match expr {
            Expr::At(_, inner) => self.described(inner),
            Expr::One(inner) if !matches!(**inner, Expr::And(..) | Expr::Or(..)) => self.described(inner),
            Expr::Name(name) => {
                let kind = match self.place(*name) {
                    Place::Register(_) => "local",
                    Place::Captured { .. } if self.is_own(*name) => "local",
                    Place::Captured { .. } => "upvalue",
                    Place::Global | Place::Lost => "global",
                };
                Some((kind, Some(self.name_text(*name))))
            }
            Expr::Index(object, key) => {
                let is_environment = matches!(**object, Expr::Name(name) if Some(name) == self.environment);
                let kind = if is_environment { "global" } else { "field" };
                match &**key {
                    Expr::Text(bytes) => Some((kind, Some(self.text(bytes)))),
                    _ => Some((kind, None)),
                }
            }
            Expr::Method(_, name, _) => Some(("method", Some(self.name_text(*name)))),
            Expr::Text(bytes) => Some(("constant", Some(self.text(bytes)))),
            _ => None,
        }
    }

    /// Tables and keys of the targets come before the values; the last target is assigned first.
    pub(super) fn assign_in_order(&mut self, targets: &[Expr], values: &[Expr]) -> Result<(), LuaError> {
        let free = self.free();
        if let ([target], [value]) = (targets, values)
            && let Expr::Name(name) = target
        {
            let name = *name;
            if let Place::Register(to) = self.place(name)
                && super::assign::writes_last(value)
            {
                return self.into(value, to);
            }
            let from = self.any(value)?;
            self.store_to(&Target::Name, target, from)?;
            self.release(free);
            return Ok(());
        }
        let copied = targets.len() > 1;
        let places =
            targets.iter().map(|target| self.target(target, copied)).collect::<Result<Vec<_>, _>>()?;
        if let ([place], [value]) = (places.as_slice(), values) {
            let from = self.any(value)?;
            self.store_to(place, targets.first().unwrap_or(value), from)?;
        } else {
            let base = self.free();
            self.values(values, targets.len())?;
            for (at, (place, target)) in places.iter().zip(targets).enumerate().rev() {
                let offset = Reg::try_from(at).map_err(|_| too_large())?;
                self.store_to(place, target, base.checked_add(offset).ok_or_else(too_large)?)?;
            }
        }
        self.release(free);
        Ok(())
    }

    fn target(&mut self, target: &Expr, copied: bool) -> Result<Target, LuaError> {
        match target {
            Expr::At(_, inner) => self.target(inner, copied),
            Expr::Index(object, key) => {
                let table = if copied { self.fresh(object)? } else { self.any(object)? };
                if let Expr::Text(bytes) = &**key {
                    return Ok(Target::Field { table, name: self.text(bytes) });
                }
                let key = if copied { self.fresh(key)? } else { self.any(key)? };
                Ok(Target::Index { table, key })
            }
            Expr::Name(_) => Ok(Target::Name),
            _ => Err(too_large()),
        }
    }

    fn store_to(&mut self, place: &Target, target: &Expr, from: Reg) -> Result<(), LuaError> {
        match *place {
            Target::Name => return self.store(target, from),
            Target::Field { table, name } => {
                self.note_object(table, target)?;
                self.emit(Op::SetField { table, value: from, name });
            }
            Target::Index { table, key } => {
                self.note_object(table, target)?;
                self.emit(Op::SetIndex { table, key, value: from });
            }
        }
        Ok(())
    }

    fn note_object(&mut self, table: Reg, target: &Expr) -> Result<(), LuaError> {
        match target {
            Expr::At(_, inner) => self.note_object(table, inner),
            Expr::Index(object, _) => self.note(table, object),
            _ => Ok(()),
        }
    }

    /// A jump to a label: back to one that is known, or to one that is to come.
    pub(super) fn jump_to(&mut self, name: Name, line: u32) -> Result<(), LuaError> {
        let frames = self.frames();
        let known =
            self.now().scopes.iter().rev().flat_map(|scope| &scope.labels).find(|label| label.name == name);
        if let Some(label) = known.copied() {
            self.emit(Op::PopEnv { count: frames.saturating_sub(label.frames) });
            self.back(label.at);
            return Ok(());
        }
        let at = self.emit(Op::PopEnv { count: 0 });
        self.emit(Op::Jump { to: 0 });
        let (scopes, variables) = (self.now().scopes.len(), self.variables_in_sight());
        self.now().gotos.push(Goto { name, line, at, frames, scopes, variables });
        Ok(())
    }

    fn variables_in_sight(&mut self) -> usize {
        self.now().scopes.iter().map(|scope| scope.variables.len()).sum()
    }

    /// A label; `last` if nothing but labels comes after it in its block: then no variable is in its sight.
    pub(super) fn label(&mut self, name: Name, line: u32, last: bool) -> Result<(), LuaError> {
        let block = self.now().scopes.last().map_or(usize::MAX, |scope| scope.block);
        let mut known =
            self.now().scopes.iter().filter(|scope| scope.block == block).flat_map(|scope| &scope.labels);
        if let Some(label) = known.find(|label| label.name == name).copied() {
            let what = format!("label '{}' already defined on line {}", self.lossy(name), label.line);
            return Err(self.refuse(line, &what));
        }
        if last {
            self.close_extra();
        }
        let (at, frames) = (self.here(), self.frames());
        let base = self.now().scopes.iter().position(|scope| scope.block == block).unwrap_or(0);
        let mut variables = self.variables_in_sight();
        if last {
            variables = self.now().scopes.iter().take(base).map(|scope| scope.variables.len()).sum();
        }
        if let Some(scope) = self.now().scopes.last_mut() {
            scope.labels.push(Label { name, line, at, frames });
        }
        let gotos = std::mem::take(&mut self.now().gotos);
        for goto in gotos {
            if goto.name != name || goto.scopes <= base {
                self.now().gotos.push(goto);
                continue;
            }
            if goto.variables < variables {
                let local = self.variable_after(goto.variables);
                let what = format!(
                    "<goto {}> at line {} jumps into the scope of local '{local}'",
                    self.lossy(name),
                    goto.line
                );
                return Err(self.refuse(line, &what));
            }
            if let Some(op) = self.now().code.get_mut(goto.at) {
                *op = Op::PopEnv { count: goto.frames.saturating_sub(frames) };
            }
            self.aim(goto.at + 1, at);
        }
        Ok(())
    }

    fn variable_after(&mut self, count: usize) -> String {
        let name =
            self.now().scopes.iter().flat_map(|scope| &scope.variables).nth(count).map(|(name, _)| *name);
        name.map(|name| self.lossy(name)).unwrap_or_default()
    }

    /// Jumps that left a block count as made where it ended.
    pub(super) fn lower_gotos(&mut self) {
        let (scopes, variables) = (self.now().scopes.len(), self.variables_in_sight());
        for goto in &mut self.now().gotos {
            if goto.scopes > scopes {
                goto.scopes = scopes;
                goto.variables = goto.variables.min(variables);
            }
        }
    }

    /// All jumps of a function must have found their label.
    pub(super) fn check_gotos(&mut self) -> Result<(), LuaError> {
        let Some(goto) = self.now().gotos.first().copied() else { return Ok(()) };
        let what = format!("no visible label '{}' for <goto> at line {}", self.lossy(goto.name), goto.line);
        Err(self.refuse(goto.line, &what))
    }
}
