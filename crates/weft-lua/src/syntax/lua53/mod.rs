//! From text to syntax, as PUC's Lua 5.3 reads it, with its sentences for what it does not.

mod expression;
mod parse;
mod scan;

use crate::error::{ErrorKind, LuaError, Term};

pub(crate) use parse::parse;

/// What a chunk is called in messages: `name` after `=` or `@`, else the text's beginning in quotes.
pub(crate) fn short_name(name: &str) -> String {
    const ROOM: usize = 59;
    if let Some(plain) = name.strip_prefix('=') {
        return cut(plain, ROOM).to_owned();
    }
    if let Some(file) = name.strip_prefix('@') {
        if file.len() <= ROOM {
            return file.to_owned();
        }
        let from = file.len() - (ROOM - 3);
        let from = (from..file.len()).find(|at| file.is_char_boundary(*at)).unwrap_or(file.len());
        return format!("...{}", file.get(from..).unwrap_or_default());
    }
    let room = ROOM - "[string \"...\"]".len();
    let line = name.split('\n').next().unwrap_or_default();
    if line.len() == name.len() && name.len() <= room {
        return format!("[string \"{name}\"]");
    }
    format!("[string \"{}...\"]", cut(line, room))
}

fn cut(text: &str, room: usize) -> &str {
    let end = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// `chunk:line: what`, followed by where it was found.
#[cold]
fn refused(chunk: &str, line: u32, what: &str, near: Option<&[u8]>) -> LuaError {
    let mut text = format!("{chunk}:{line}: {what}").into_bytes();
    if let Some(near) = near {
        text.extend_from_slice(b" near ");
        text.extend_from_slice(near);
    }
    LuaError::new(ErrorKind::Syntax, Term::Bytes(text))
}
