//! A pattern's text into its items, as Luerl reads it.

use super::class::{Set, is_word};
use super::{Class, Item, One, Pattern, Times};

/// The most items a pattern may have. Luerl has no bound; this one is far above what a pattern written by hand has.
pub const MAX_ITEMS: usize = 1 << 16;

/// Why a text is no pattern. The names are Luerl's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternError {
    /// `invalid_pattern`: it ends in `%`, or has `%f`.
    Pattern,
    /// `invalid_capture`: a parenthesis without the other.
    Capture,
    /// `invalid_char_set`: a `[` without `]`.
    Set,
    /// `{invalid_char_class,C}`: a letter or digit after `%` that names nothing.
    Class(u8),
    /// It has more than [`MAX_ITEMS`] items.
    TooLong,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &[u8]) -> Result<Self, PatternError> {
        let mut parser = Parser { text, items: Vec::new(), sets: Vec::new(), captures: 0, open: Vec::new() };
        let anchored = text.first() == Some(&b'^');
        if anchored {
            parser.text = text.get(1..).unwrap_or_default();
        }
        while let Some(c) = parser.next() {
            if parser.items.len() >= MAX_ITEMS {
                return Err(PatternError::TooLong);
            }
            parser.item(c)?;
        }
        if !parser.open.is_empty() {
            return Err(PatternError::Capture);
        }
        Ok(Self { items: parser.items, sets: parser.sets, captures: parser.captures, anchored })
    }
}

struct Parser<'a> {
    /// What is not read yet.
    text: &'a [u8],
    items: Vec<Item>,
    sets: Vec<Set>,
    captures: usize,
    /// The captures that have begun.
    open: Vec<usize>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.text.split_first()?;
        self.text = rest;
        Some(*first)
    }

    fn skip(&mut self, count: usize) {
        self.text = self.text.get(count..).unwrap_or_default();
    }

    fn item(&mut self, c: u8) -> Result<(), PatternError> {
        match c {
            b'(' => self.open(),
            b')' => {
                let number = self.open.pop().ok_or(PatternError::Capture)?;
                self.items.push(Item::Close(number));
            }
            b'[' => {
                let set = self.set()?;
                self.take(set);
            }
            b'.' => self.take(One::Any),
            b'%' => {
                let class = self.class()?;
                self.take(class);
            }
            b'$' if self.text.is_empty() => self.items.push(Item::End),
            _ => self.take(One::Byte(c)),
        }
        Ok(())
    }

    fn open(&mut self) {
        let number = self.captures;
        self.captures += 1;
        if self.text.first() == Some(&b')') {
            self.skip(1);
            self.items.push(Item::Position(number));
        } else {
            self.open.push(number);
            self.items.push(Item::Open(number));
        }
    }

    /// An item with the sign of how often, if one follows.
    fn take(&mut self, one: One) {
        let times = match self.text.first() {
            Some(b'*') => Times::Many,
            Some(b'+') => Times::Plus,
            Some(b'-') => Times::Few,
            Some(b'?') => Times::Optional,
            _ => Times::Once,
        };
        if times != Times::Once {
            self.skip(1);
        }
        if matches!(one, One::Balance(..)) && times == Times::Plus {
            self.items.push(Item::Take(one, Times::Once));
            return self.items.push(Item::Take(one, Times::Many));
        }
        self.items.push(Item::Take(one, times));
    }

    /// What follows a `%` outside of a set.
    fn class(&mut self) -> Result<One, PatternError> {
        match *self.text {
            [] | [b'f', ..] => Err(PatternError::Pattern),
            [b'b', left, right, ..] => {
                self.skip(3);
                Ok(One::Balance(left, right))
            }
            [c, ..] => {
                self.skip(1);
                named(c)
            }
        }
    }

    /// What follows a `[`.
    fn set(&mut self) -> Result<One, PatternError> {
        let complement = self.text.first() == Some(&b'^');
        if complement {
            self.skip(1);
        }
        let mut set = Set::default();
        if self.text.first() == Some(&b']') {
            self.skip(1);
            set.add(b']');
        }
        loop {
            match *self.text {
                [] => return Err(PatternError::Set),
                [b']', ..] => break,
                [b'%', c, ..] => {
                    self.skip(2);
                    match named(c)? {
                        One::Class(class) => set.add_class(class),
                        _ => set.add(c),
                    }
                }
                [from, b'-', to, ..] if to != b']' => {
                    self.skip(3);
                    set.add_range(from, to);
                }
                [c, ..] => {
                    self.skip(1);
                    set.add(c);
                }
            }
        }
        self.skip(1);
        self.sets.push(set);
        Ok(One::Set(self.sets.len() - 1, complement))
    }
}

/// What a byte after a `%` means: a class, or itself if it is no letter or digit.
fn named(c: u8) -> Result<One, PatternError> {
    match Class::named(c) {
        Some(class) => Ok(One::Class(class)),
        None if is_word(c) => Err(PatternError::Class(c)),
        None => Ok(One::Byte(c)),
    }
}
