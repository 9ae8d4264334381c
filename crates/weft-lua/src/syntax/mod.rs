//! From text to syntax, as Luerl reads it: byte by byte, each byte a Latin-1 character.

pub(crate) mod ast;
pub(crate) mod lua53;
mod parse;
mod scan;

use std::borrow::Cow;

use crate::error::{ErrorKind, LuaError, Term};

pub(crate) use parse::parse;

/// `{error,[{Line,Module,What}],[]}`.
#[cold]
pub(crate) fn refused(errors: Vec<(u32, &'static str, Term)>) -> LuaError {
    let errors = errors.into_iter().map(|(line, module, what)| {
        let line = Term::Value(crate::value::Value::Int(i64::from(line)));
        Term::tuple([line, Term::Atom(Cow::Borrowed(module)), what])
    });
    LuaError::new(ErrorKind::Syntax, Term::List(errors.collect()))
}
