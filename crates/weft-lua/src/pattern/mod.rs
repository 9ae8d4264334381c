//! Luerl's string patterns.
//!
//! They are Lua's, with less: no `%f`, no back-references (`%1` is an error), and with other corners: the letters are
//! Latin-1's, `%p` leaves some signs out, `%c` takes the upper control codes, a capture may stand anywhere.
//!
//! A pattern is compiled once ([`Pattern::new`]) and matched by a machine with its own stack ([`Search`]), which counts its
//! steps and can be stopped and resumed. So a pattern that would need for ever costs what it is given and no more, and no
//! text is deep enough to overflow the stack.

mod class;
mod compile;
pub mod lua53;
mod search;

pub use class::Class;
pub use compile::{MAX_ITEMS, PatternError};
pub use search::{Capture, Match, OutOfSteps, Search};

use class::Set;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    items: Vec<Item>,
    sets: Vec<Set>,
    captures: usize,
    anchored: bool,
}

/// What one place of a pattern asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    /// A byte of the text (or a balanced stretch), so many times.
    Take(One, Times),
    /// A capture begins. Captures count from 0 here.
    Open(usize),
    /// A capture ends.
    Close(usize),
    /// A capture of a position.
    Position(usize),
    /// The end of the text.
    End,
}

/// What one byte must be, or a stretch of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum One {
    Any,
    Byte(u8),
    Class(Class),
    /// In the set of this number, or not in it.
    Set(usize, bool),
    /// From the first byte to the second that closes it.
    Balance(u8, u8),
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    /// `*`
    Many,
    /// `+`
    Plus,
    /// `-`
    Few,
    /// `?`
    Optional,
}

impl Pattern {
    /// How many captures it has.
    #[must_use]
    pub const fn captures(&self) -> usize {
        self.captures
    }

    /// Whether it begins with `^`: it matches at the place where a search starts, and nowhere else.
    #[must_use]
    pub const fn anchored(&self) -> bool {
        self.anchored
    }
}
