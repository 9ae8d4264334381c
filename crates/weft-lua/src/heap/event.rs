//! The names of metamethods, made once.

use super::Heap;
use crate::value::{StrId, TableId, Value};

macro_rules! events {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// An event a metatable can answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Event {
            $(
                #[doc = $text]
                $name,
            )*
        }

        impl Event {
            pub(crate) const ALL: &[(Self, &str)] = &[$((Self::$name, $text)),*];
        }
    };
}

events! {
    Index = "__index",
    NewIndex = "__newindex",
    Call = "__call",
    Concat = "__concat",
    Len = "__len",
    Eq = "__eq",
    Lt = "__lt",
    Le = "__le",
    Unm = "__unm",
    Bnot = "__bnot",
    Add = "__add",
    Sub = "__sub",
    Mul = "__mul",
    Div = "__div",
    IDiv = "__idiv",
    Mod = "__mod",
    Pow = "__pow",
    Band = "__band",
    Bor = "__bor",
    Bxor = "__bxor",
    Shl = "__shl",
    Shr = "__shr",
}

impl Event {
    /// The event of an operator of two numbers.
    pub(crate) const fn of(op: crate::number::BinOp) -> Self {
        use crate::number::BinOp;
        match op {
            BinOp::Add => Self::Add,
            BinOp::Sub => Self::Sub,
            BinOp::Mul => Self::Mul,
            BinOp::Div => Self::Div,
            BinOp::IDiv => Self::IDiv,
            BinOp::Mod => Self::Mod,
            BinOp::Pow => Self::Pow,
            BinOp::Band => Self::Band,
            BinOp::Bor => Self::Bor,
            BinOp::Bxor => Self::Bxor,
            BinOp::Shl => Self::Shl,
            BinOp::Shr => Self::Shr,
        }
    }
}

impl Heap {
    /// Makes the names; they live as long as the heap.
    pub(super) fn name_events(&mut self) {
        self.events = Event::ALL.iter().map(|(_, text)| self.str_id(text.as_bytes())).collect();
    }

    fn event_name(&self, event: Event) -> Option<StrId> {
        self.events.get(event as usize).copied()
    }

    /// What a metatable has for an event; `nil` if nothing.
    #[inline]
    pub(crate) fn meta_field(&self, meta: Option<TableId>, event: Event) -> Value {
        match (meta, self.event_name(event)) {
            (Some(meta), Some(name)) => self.table(meta).short(name),
            _ => Value::Nil,
        }
    }

    /// What a value's metatable has for an event.
    #[inline]
    pub(crate) fn metamethod(&self, value: Value, event: Event) -> Value {
        self.meta_field(self.meta(value), event)
    }

    /// What the first of two values, or else the second, has for an event.
    pub(crate) fn metamethod_of(&self, a: Value, b: Value, event: Event) -> Value {
        match self.metamethod(a, event) {
            Value::Nil => self.metamethod(b, event),
            found => found,
        }
    }
}
