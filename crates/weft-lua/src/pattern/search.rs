//! The matcher: a machine with a stack of choices.
//!
//! It tries what Luerl tries, in the same order, so it finds the same match. A repetition of single bytes is one entry on the
//! stack however many bytes it took.

use super::{Item, One, Pattern, Times};

/// The steps given are used up; the search can go on with more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfSteps;

/// What a capture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// From a place of the text to before another, counted from 0.
    Span(usize, usize),
    /// A place of the text, counted from 0.
    Position(usize),
}

/// A match: from where to before where, counted from 0, and its captures by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The first byte.
    pub start: usize,
    /// The place after the last byte.
    pub end: usize,
    /// The captures, the first of the pattern first.
    pub captures: Vec<Capture>,
}

impl Match {
    /// Where a replacement looks for the next match. At the end of the text it looks once more, so nothing comes after an
    /// empty match there.
    #[must_use]
    pub const fn next_start(&self, length: usize) -> Option<usize> {
        match self.end {
            end if end > self.start => Some(end),
            end if end < length => Some(end + 1),
            _ => None,
        }
    }
}

/// What to try when this way fails.
#[derive(Debug, Clone, Copy)]
enum Choice {
    /// Go on behind the item at the position.
    Behind { item: usize, position: usize },
    /// Go on behind the item one byte before the position, and so on down to the least.
    Fewer { item: usize, least: usize, position: usize },
    /// Take one more of the item at the position.
    More { item: usize, position: usize },
}

/// A search in a text for a pattern. The same pattern and text go into each call of [`Search::run`].
#[derive(Debug, Clone)]
pub struct Search {
    /// Where the match that is tried begins.
    start: usize,
    item: usize,
    position: usize,
    choices: Vec<Choice>,
    /// Captures by number. All are set on the way to a match, so none has to be undone on the way back.
    captures: Vec<Capture>,
    ended: bool,
}

impl Search {
    /// A search for the first match that begins at `start` or later, counted from 0. A pattern with `^` matches at `origin`
    /// alone.
    #[must_use]
    pub fn new(pattern: &Pattern, origin: usize, start: usize) -> Self {
        Self {
            start,
            item: 0,
            position: start,
            choices: Vec::new(),
            captures: vec![Capture::Position(0); pattern.captures],
            ended: pattern.anchored && start != origin,
        }
    }

    /// Goes on for so many steps, which are counted down: the match, or that there is none.
    pub fn run(
        &mut self,
        pattern: &Pattern,
        text: &[u8],
        steps: &mut u64,
    ) -> Result<Option<Match>, OutOfSteps> {
        while !self.ended {
            *steps = steps.checked_sub(1).ok_or(OutOfSteps)?;
            let Some(item) = pattern.items.get(self.item) else {
                self.ended = true;
                let captures = std::mem::take(&mut self.captures);
                return Ok(Some(Match { start: self.start, end: self.position, captures }));
            };
            if !self.step(pattern, text, *item, steps) {
                self.back(pattern, text, steps);
            }
        }
        Ok(None)
    }

    /// One item at this place: whether it matched.
    fn step(&mut self, pattern: &Pattern, text: &[u8], item: Item, steps: &mut u64) -> bool {
        match item {
            Item::Take(one, times) => return self.take(pattern, text, one, times, steps),
            Item::Open(number) => self.capture(number, Capture::Span(self.position, self.position)),
            Item::Close(number) => {
                if let Some(Capture::Span(start, _)) = self.captures.get(number).copied() {
                    self.capture(number, Capture::Span(start, self.position));
                }
            }
            Item::Position(number) => self.capture(number, Capture::Position(self.position)),
            Item::End if self.position == text.len() => {}
            Item::End => return false,
        }
        self.item += 1;
        true
    }

    fn take(&mut self, pattern: &Pattern, text: &[u8], one: One, times: Times, steps: &mut u64) -> bool {
        let (item, position) = (self.item, self.position);
        if matches!(times, Times::Many | Times::Plus) && !matches!(one, One::Balance(..)) {
            return self.take_run(pattern, text, one, times, steps);
        }
        if times == Times::Few {
            self.choices.push(Choice::More { item, position });
            self.item += 1;
            return true;
        }
        match pattern.one(one, text, position, steps) {
            Some(end) => {
                self.position = end;
                if times != Times::Once {
                    self.choices.push(Choice::Behind { item, position });
                }
                // A balanced stretch is taken as often as it goes; whoever wants it once or more has two items.
                if !matches!(times, Times::Many | Times::Plus) {
                    self.item += 1;
                }
                true
            }
            None => {
                self.item += 1;
                times != Times::Once
            }
        }
    }

    /// As many single bytes as there are.
    fn take_run(&mut self, pattern: &Pattern, text: &[u8], one: One, times: Times, steps: &mut u64) -> bool {
        let rest = text.get(self.position..).unwrap_or_default();
        let count = rest.iter().take_while(|c| pattern.has(one, **c)).count();
        *steps = steps.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        let least = self.position + usize::from(times == Times::Plus);
        let end = self.position + count;
        if end < least {
            return false;
        }
        if end > least {
            self.choices.push(Choice::Fewer { item: self.item, least, position: end });
        }
        self.position = end;
        self.item += 1;
        true
    }

    /// Back to the last choice; without one, to the next place of the text.
    fn back(&mut self, pattern: &Pattern, text: &[u8], steps: &mut u64) {
        while let Some(choice) = self.choices.pop() {
            match choice {
                Choice::Behind { item, position } => return self.go_on(item, position),
                Choice::Fewer { item, least, position } => {
                    let position = position.saturating_sub(1);
                    if position > least {
                        self.choices.push(Choice::Fewer { item, least, position });
                    }
                    return self.go_on(item, position);
                }
                Choice::More { item, position } => {
                    let Some(Item::Take(one, _)) = pattern.items.get(item) else { continue };
                    if let Some(end) = pattern.one(*one, text, position, steps) {
                        self.choices.push(Choice::More { item, position: end });
                        return self.go_on(item, end);
                    }
                }
            }
        }
        self.start += 1;
        self.item = 0;
        self.position = self.start;
        self.ended = pattern.anchored || self.start > text.len();
    }

    fn go_on(&mut self, item: usize, position: usize) {
        self.item = item + 1;
        self.position = position;
    }

    fn capture(&mut self, number: usize, value: Capture) {
        if let Some(place) = self.captures.get_mut(number) {
            *place = value;
        }
    }
}

impl Pattern {
    /// Whether a byte is what is asked for.
    #[inline]
    fn has(&self, one: One, c: u8) -> bool {
        match one {
            One::Any => true,
            One::Byte(byte) => byte == c,
            One::Class(class) => class.has(c),
            One::Set(set, complement) => self.sets.get(set).is_some_and(|set| set.has(c)) != complement,
            One::Balance(..) => false,
        }
    }

    /// The place behind one of what is asked for.
    fn one(&self, one: One, text: &[u8], position: usize, steps: &mut u64) -> Option<usize> {
        let c = *text.get(position)?;
        match one {
            One::Balance(left, right) if c == left => balance(text, position, left, right, steps),
            _ => self.has(one, c).then_some(position + 1),
        }
    }
}

/// The place behind the byte that closes the one at `position`.
fn balance(text: &[u8], position: usize, left: u8, right: u8, steps: &mut u64) -> Option<usize> {
    let mut depth = 1usize;
    for (at, c) in text.iter().enumerate().skip(position + 1) {
        *steps = steps.saturating_sub(1);
        if *c == right {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        } else if *c == left {
            depth += 1;
        }
    }
    None
}
