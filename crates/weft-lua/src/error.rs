//! What stops a script, and the terms Luerl's errors are.

use std::borrow::Cow;
use std::rc::Rc;

use crate::value::Value;

/// An Erlang term, as Luerl's errors are made of: `{badarg,format,[<<"%d">>,3.5]}`.
#[derive(Debug, Clone)]
pub enum Term {
    /// An atom.
    Atom(Cow<'static, str>),
    /// A Lua value. (Integers, floats, strings, and `nil`, `true`, `false`, which are atoms there.)
    Value(Value),
    /// Bytes that need not be a Lua string.
    Bytes(Vec<u8>),
    /// A text as a list of characters, Latin-1: Erlang prints it as `"text"`.
    Text(String),
    /// A list.
    List(Vec<Term>),
    /// A tuple.
    Tuple(Vec<Term>),
}

impl Term {
    /// An atom.
    #[must_use]
    pub fn atom(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Atom(name.into())
    }

    /// A tuple.
    #[must_use]
    pub fn tuple(parts: impl Into<Vec<Self>>) -> Self {
        Self::Tuple(parts.into())
    }

    /// A list of values, such as a call's arguments.
    #[must_use]
    pub fn values(values: &[Value]) -> Self {
        Self::List(values.iter().copied().map(Self::Value).collect())
    }
}

impl From<Value> for Term {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// What kind of end a script came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An error of Lua, which `pcall` catches: Luerl's `{lua_error,Term,State}`.
    Lua,
    /// Luerl itself failed in Erlang, for instance with `function_clause`: no `pcall` catches that.
    Crash,
    /// The text is no program: Luerl's `{error,[{Line,Module,Term}],[]}`.
    Syntax,
    /// The fuel is spent.
    OutOfFuel,
    /// More memory than the limit.
    OutOfMemory,
    /// More calls inside each other than the limit.
    TooDeep,
    /// A bound of this implementation that Luerl does not have.
    Unsupported,
    /// A snapshot that is none, or that this machine cannot take.
    Snapshot,
}

impl ErrorKind {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lua => "lua-error",
            Self::Crash => "lua-crash",
            Self::Syntax => "lua-syntax",
            Self::OutOfFuel => "lua-out-of-fuel",
            Self::OutOfMemory => "lua-out-of-memory",
            Self::TooDeep => "lua-too-deep",
            Self::Unsupported => "lua-unsupported",
            Self::Snapshot => "lua-snapshot",
        }
    }
}

/// What was called at a level.
#[derive(Debug, Clone)]
pub enum Callee {
    /// A function of Lua, with its name where its definition has one.
    Lua(Option<String>),
    /// A function of the library.
    Native,
    /// What is no function.
    Other(Value),
}

/// One level of the calls an error came from, innermost first.
#[derive(Debug, Clone)]
pub struct Level {
    /// What was called.
    pub callee: Callee,
    /// With what, as far as it is known: the parameters as they are now, of those that were given. Tables are as they are now.
    pub args: Vec<Value>,
    /// The name of its chunk.
    pub chunk: Rc<str>,
    /// The line of the statement.
    pub line: u32,
}

/// Why a script stopped. Values in its term live as long as the values a call returns do.
#[derive(Debug, Clone)]
pub struct LuaError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    term: Term,
    trace: Vec<Level>,
    /// The call that raised it, if that is no function of Lua, and where on the stack its arguments are.
    raised: Option<(Callee, usize, usize)>,
}

impl LuaError {
    /// An error of a kind, with its term.
    #[must_use]
    pub fn new(kind: ErrorKind, term: Term) -> Self {
        Self(Box::new(Inner { kind, term, trace: Vec::new(), raised: None }))
    }

    /// An error `pcall` catches.
    #[must_use]
    #[cold]
    pub fn lua(term: Term) -> Self {
        Self::new(ErrorKind::Lua, term)
    }

    /// Erlang's own failure, which `pcall` does not catch.
    #[must_use]
    #[cold]
    pub fn crash(term: Term) -> Self {
        Self::new(ErrorKind::Crash, term)
    }

    /// `{Name,Where,Args}`, the commonest form.
    #[must_use]
    #[cold]
    pub fn triple(name: &'static str, place: impl Into<Cow<'static, str>>, args: &[Value]) -> Self {
        Self::lua(Term::tuple([Term::atom(name), Term::atom(place), Term::values(args)]))
    }

    /// What becomes of bytes that are not UTF-8 where Luerl makes a text of them: it goes on with a tuple for a value, which
    /// is none of Lua's, and fails as soon as a host wants to know it. We fail at once.
    #[must_use]
    #[cold]
    pub(crate) fn not_text(bytes: &[u8]) -> Self {
        let Err(error) = std::str::from_utf8(bytes) else { return Self::crash(Term::atom("badarg")) };
        let name = if error.error_len().is_some() { "error" } else { "incomplete" };
        let (good, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or((bytes, &[]));
        let value = [Term::atom(name), Term::Bytes(good.to_vec()), Term::Bytes(rest.to_vec())];
        Self::crash(Term::tuple([Term::atom("badarg"), Term::tuple(value)]))
    }

    /// `{illegal_index,Where,Key}`.
    #[must_use]
    #[cold]
    pub fn illegal_index(place: Value, key: Value) -> Self {
        Self::lua(Term::tuple([Term::atom("illegal_index"), place.into(), key.into()]))
    }

    /// A limit was reached, or a bound of this implementation; with a sentence.
    #[must_use]
    #[cold]
    pub fn limit(kind: ErrorKind, sentence: impl Into<String>) -> Self {
        Self::new(kind, Term::Text(sentence.into()))
    }

    /// What kind of end it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code of its kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// The term.
    #[must_use]
    pub fn term(&self) -> &Term {
        &self.0.term
    }

    /// Where it came from, innermost first; at most 32 levels.
    #[must_use]
    pub fn trace(&self) -> &[Level] {
        &self.0.trace
    }

    /// Notes the call that raised it.
    #[cold]
    pub(crate) fn raised_by(mut self, callee: Callee, at: usize, count: usize) -> Self {
        if self.0.raised.is_none() && self.0.trace.is_empty() {
            self.0.raised = Some((callee, at, count));
        }
        self
    }

    pub(crate) fn raised(&self) -> Option<&(Callee, usize, usize)> {
        self.0.raised.as_ref()
    }

    pub(crate) fn set_trace(&mut self, trace: Vec<Level>) {
        self.0.trace = trace;
    }
}
