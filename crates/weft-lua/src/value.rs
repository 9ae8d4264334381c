//! Values: small, copied freely, and meaningless without the heap they index.

/// Declares an index into one of the heap's arenas.
macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            pub(crate) const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// An integer that does not fit 64 bits.
    BigId
);
index!(
    /// A table.
    TableId
);
index!(
    /// A frame of captured variables; 0 is the empty one, under all others.
    EnvId
);
index!(
    /// A function's code.
    ProtoId
);
index!(
    /// A coroutine; 0 is the main line of calls. Profile `lua53` alone.
    ThreadId
);
index!(
    /// A function of the host.
    NativeId
);

/// A string. Short ones are kept once, so that two equal short strings have one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrId(pub(crate) u32);

impl StrId {
    /// Set in the index of a string too long to be kept once.
    const LONG: u32 = 1 << 31;

    pub(crate) const fn new(index: u32, long: bool) -> Self {
        Self(if long { index | Self::LONG } else { index })
    }

    pub(crate) const fn index(self) -> usize {
        (self.0 & !Self::LONG) as usize
    }

    pub(crate) const fn is_long(self) -> bool {
        self.0 & Self::LONG != 0
    }
}

/// A Lua value.
///
/// It stays valid while something the heap knows refers to it: a table, a variable, the arguments of a call in progress, or
/// [`crate::Call::keep`]. A host that holds one across a call into Lua without that may find another value in its place.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A float: finite in profile `luerl`.
    Float(f64),
    /// An integer that does not fit 64 bits.
    Big(BigId),
    /// A string of bytes.
    Str(StrId),
    /// A table.
    Table(TableId),
    /// A function written in Lua: its code, and the variables around it.
    Function(ProtoId, EnvId),
    /// A function of the host.
    Native(NativeId),
    /// A coroutine. Profile `lua53` alone.
    Thread(ThreadId),
}

impl Value {
    /// Lua's truth: everything but `nil` and `false`.
    #[inline]
    #[must_use]
    pub const fn is_true(self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    /// Whether it is `nil`.
    #[inline]
    #[must_use]
    pub const fn is_nil(self) -> bool {
        matches!(self, Self::Nil)
    }

    /// Whether it can be called without a metamethod.
    #[inline]
    #[must_use]
    pub const fn is_function(self) -> bool {
        matches!(self, Self::Function(..) | Self::Native(_))
    }

    /// Whether it is a number.
    #[inline]
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_) | Self::Big(_))
    }

    /// What `type` answers.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::Float(_) | Self::Big(_) => "number",
            Self::Str(_) => "string",
            Self::Table(_) => "table",
            Self::Function(..) | Self::Native(_) => "function",
            Self::Thread(_) => "thread",
        }
    }
}
