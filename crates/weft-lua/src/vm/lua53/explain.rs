//! Errors with what PUC's messages say: where, and what the value was in the text.

use super::super::Vm;
use super::levels::Caller;
use crate::compile::Op;
use crate::compile::op::Reg;
use crate::error::{LuaError, Term};
use crate::heap::Event;
use crate::value::Value;

impl Vm {
    /// An error with this text.
    #[cold]
    pub(crate) fn raise(&mut self, text: impl AsRef<[u8]>) -> LuaError {
        let value = self.heap.string(text.as_ref());
        LuaError::lua(Term::Value(value))
    }

    /// An error of the instruction that runs: the text, after its place.
    #[cold]
    pub(crate) fn fault(&mut self, text: &str) -> LuaError {
        let top = self.frames.len().checked_sub(1).filter(|_| !self.in_native);
        let place = top.map(|top| self.position_of(top)).unwrap_or_default();
        self.raise(format!("{place}{text}"))
    }

    /// The type of a value as messages name it.
    pub(crate) fn type_of(&mut self, value: Value) -> String {
        if let Value::Table(_) = value
            && let Value::Str(name) = self.metamethod(value, "__name")
        {
            return String::from_utf8_lossy(self.heap.bytes(name)).into_owned();
        }
        value.type_name().to_owned()
    }

    /// The instruction that runs, and where it stands.
    fn now(&self) -> Option<(Op, usize)> {
        let frame = self.frames.last()?;
        let at = frame.pc.checked_sub(1)?;
        Some((frame.proto.as_ref()?.code.get(at).copied()?, at))
    }

    /// What a register of the instruction that runs is called: `(local 'x')`.
    fn naming(&self, register: Option<Reg>) -> String {
        let named = register.and_then(|register| self.name_of(register));
        named.map(|(kind, name)| format!(" ({kind} '{name}')")).unwrap_or_default()
    }

    fn name_of(&self, register: Reg) -> Option<(&'static str, String)> {
        let (_, at) = self.now()?;
        let proto = self.frames.last()?.proto.as_ref()?;
        let at = u32::try_from(at).ok()?;
        let first = proto.notes.partition_point(|note| note.pc < at);
        let mut notes = proto.notes.iter().skip(first).take_while(|note| note.pc == at);
        let note = notes.find(|note| note.register == register)?;
        let name = match note.name.and_then(|name| proto.constants.get(name as usize)) {
            Some(Value::Str(id)) => String::from_utf8_lossy(self.heap.bytes(*id)).into_owned(),
            _ => "?".to_owned(),
        };
        Some((note.kind, name))
    }

    /// `attempt to … a … value`, of a register's value.
    #[cold]
    pub(super) fn type_fault(&mut self, what: &str, value: Value, register: Option<Reg>) -> LuaError {
        let (kind, name) = (self.type_of(value), self.naming(register));
        self.fault(&format!("attempt to {what} a {kind} value{name}"))
    }

    /// The registers of the instruction's two sides.
    fn sides(&self) -> (Option<Reg>, Option<Reg>) {
        match self.now() {
            Some((
                Op::Add { a, b, .. }
                | Op::Sub { a, b, .. }
                | Op::Mul { a, b, .. }
                | Op::Mod { a, b, .. }
                | Op::Div { a, b, .. }
                | Op::IDiv { a, b, .. }
                | Op::Arith { a, b, .. }
                | Op::Concat { a, b, .. },
                _,
            )) => (Some(a), Some(b)),
            Some((
                Op::AddInt { a, .. }
                | Op::SubInt { a, .. }
                | Op::Neg { a, .. }
                | Op::Bnot { a, .. }
                | Op::Length { a, .. },
                _,
            )) => (Some(a), None),
            _ => (None, None),
        }
    }

    /// Of two operands, the one to complain of: the first that is not right.
    #[cold]
    pub(super) fn operand_fault(&mut self, what: &str, a: (Value, bool), b: Value) -> LuaError {
        let (left, right) = self.sides();
        let (value, register) = if a.1 { (b, right) } else { (a.0, left) };
        self.type_fault(what, value, register)
    }

    /// `number has no integer representation`.
    #[cold]
    pub(super) fn integer_fault(&mut self, left_is_right: bool) -> LuaError {
        let (left, right) = self.sides();
        let name = self.naming(if left_is_right { right } else { left });
        self.fault(&format!("number{name} has no integer representation"))
    }

    /// A value has no fields.
    #[cold]
    pub(in crate::vm) fn index_fault(&mut self, object: Value, itself: bool) -> LuaError {
        let register = match self.now() {
            Some((
                Op::GetField { table, .. }
                | Op::GetIndex { table, .. }
                | Op::SetField { table, .. }
                | Op::SetIndex { table, .. },
                _,
            )) => Some(table),
            Some((Op::Method { f, .. }, _)) => f.checked_add(1),
            _ => None,
        };
        self.type_fault("index", object, register.filter(|_| itself))
    }

    /// A value is no function.
    #[cold]
    pub(in crate::vm) fn call_fault(&mut self, value: Value) -> LuaError {
        let register = match self.now() {
            Some((Op::Call { f, .. } | Op::TailCall { f, .. }, _)) => Some(f),
            _ => None,
        };
        self.type_fault("call", value, register)
    }

    /// How the native that runs was called: the kind of the name, and the name.
    pub(crate) fn name_of_call(&self) -> Option<(&'static str, String)> {
        if !matches!(self.caller(1), Some(Caller::Lua(frame)) if frame + 1 == self.frames.len()) {
            return None;
        }
        let event = |event: Event| {
            let text = Event::ALL.iter().find(|(known, _)| *known == event).map_or("?", |(_, text)| *text);
            Some(("metamethod", text.to_owned()))
        };
        match self.now()?.0 {
            Op::Call { f, .. } | Op::TailCall { f, .. } => self.name_of(f),
            Op::ForEach { .. } => Some(("for iterator", "for iterator".to_owned())),
            Op::GetField { .. } | Op::GetIndex { .. } | Op::GetGlobal { .. } | Op::Method { .. } => {
                event(Event::Index)
            }
            Op::SetField { .. } | Op::SetIndex { .. } | Op::SetGlobal { .. } => event(Event::NewIndex),
            Op::Add { .. } | Op::AddInt { .. } => event(Event::Add),
            Op::Sub { .. } | Op::SubInt { .. } => event(Event::Sub),
            Op::Mul { .. } => event(Event::Mul),
            Op::Mod { .. } => event(Event::Mod),
            Op::Div { .. } => event(Event::Div),
            Op::IDiv { .. } => event(Event::IDiv),
            Op::Arith { op, .. } => event(Event::of(op)),
            Op::Neg { .. } => event(Event::Unm),
            Op::Bnot { .. } => event(Event::Bnot),
            Op::Length { .. } => event(Event::Len),
            Op::Concat { .. } => event(Event::Concat),
            Op::Eq { .. } | Op::Ne { .. } | Op::IfEq { .. } | Op::IfNe { .. } => event(Event::Eq),
            Op::Lt { .. } | Op::IfLt { .. } | Op::IfLtInt { .. } | Op::IfGtInt { .. } => event(Event::Lt),
            Op::Le { .. } | Op::IfLe { .. } | Op::IfLeInt { .. } | Op::IfGeInt { .. } => event(Event::Le),
            _ => None,
        }
    }
}
