//! The records of saved pages, as both engines read them: see `rewrite/undo.rs`.

use crate::rewrite::undo::{BEYOND, RECORD};

/// Where the record of this number begins, from where the first one does.
#[must_use]
pub const fn place(number: u32) -> u64 {
    number as u64 * RECORD.cast_unsigned() as u64
}

/// The page that a record's first word names.
#[must_use]
pub const fn page(word: u32) -> u32 {
    word & !BEYOND.cast_unsigned()
}
