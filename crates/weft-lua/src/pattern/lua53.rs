//! Patterns of Lua 5.3: back-references and frontiers too, classes of ASCII.
//!
//! A pattern is read as it is matched, so a fault of it is found where PUC finds it. Single items repeat in loops; captures and
//! what can be tried again nest, at most [`MAX_DEPTH`] deep, and every step is counted.

use super::{Capture, Match, OutOfSteps};

/// Captures of a pattern, at most.
const MAX_CAPTURES: usize = 32;
/// Attempts inside each other, at most: PUC's bound.
const MAX_DEPTH: usize = 200;

/// Why a match ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The text is no pattern, or one too complex; with PUC's sentence.
    Pattern(String),
    /// The steps given are used up.
    OutOfSteps,
}

impl From<OutOfSteps> for Fault {
    fn from(_: OutOfSteps) -> Self {
        Self::OutOfSteps
    }
}

fn fault<T>(sentence: &str) -> Result<T, Fault> {
    Err(Fault::Pattern(sentence.to_owned()))
}

/// How long a capture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Open,
    Position,
    Closed(usize),
}

struct Matcher<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<(usize, Length)>,
    depth: usize,
    steps: &'a mut u64,
}

/// The first match from a place of the text on that does not end at `last`; a pattern with `^` matches there alone, if that is
/// an anchor.
///
/// # Errors
/// See [`Fault`].
pub fn find(
    text: &[u8],
    pattern: &[u8],
    start: usize,
    (anchors, last): (bool, Option<usize>),
    steps: &mut u64,
) -> Result<Option<Match>, Fault> {
    let anchored = anchors && pattern.first() == Some(&b'^');
    let mut start = start;
    let mut matcher = Matcher { text, pattern, captures: Vec::new(), depth: 0, steps };
    loop {
        matcher.captures.clear();
        if let Some(end) = matcher.go(start, usize::from(anchored))?
            && Some(end) != last
        {
            return Ok(Some(Match { start, end, captures: matcher.closed()? }));
        }
        start += 1;
        if anchored || start > text.len() {
            return Ok(None);
        }
    }
}

impl Matcher<'_> {
    fn closed(&self) -> Result<Vec<Capture>, Fault> {
        let closed = self.captures.iter().map(|(start, length)| match length {
            Length::Open => fault("unfinished capture"),
            Length::Position => Ok(Capture::Position(*start)),
            Length::Closed(length) => Ok(Capture::Span(*start, start + length)),
        });
        closed.collect()
    }

    fn step(&mut self) -> Result<(), Fault> {
        *self.steps = self.steps.checked_sub(1).ok_or(Fault::OutOfSteps)?;
        Ok(())
    }

    fn at(&self, place: usize) -> Option<u8> {
        self.pattern.get(place).copied()
    }

    /// Where the rest of the pattern, from `p` on, matches the text at `s` up to.
    fn go(&mut self, s: usize, p: usize) -> Result<Option<usize>, Fault> {
        if self.depth >= MAX_DEPTH {
            return fault("pattern too complex");
        }
        self.depth += 1;
        let end = self.rest(s, p);
        self.depth -= 1;
        end
    }

    fn rest(&mut self, mut s: usize, mut p: usize) -> Result<Option<usize>, Fault> {
        loop {
            self.step()?;
            let Some(c) = self.at(p) else { return Ok(Some(s)) };
            match (c, self.at(p + 1)) {
                (b'(', Some(b')')) => return self.open(s, p + 2, Length::Position),
                (b'(', _) => return self.open(s, p + 1, Length::Open),
                (b')', _) => return self.close(s, p + 1),
                (b'$', None) => return Ok((s == self.text.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.balance(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => match self.frontier(s, p + 2)? {
                    Some(after) => p = after,
                    None => return Ok(None),
                },
                (b'%', Some(digit @ b'0'..=b'9')) => match self.again(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let after = self.item_end(p)?;
                    let matches = self.single(s, p, after);
                    match self.at(after) {
                        Some(b'?') => {
                            if matches && let Some(end) = self.go(s + 1, after + 1)? {
                                return Ok(Some(end));
                            }
                            p = after + 1;
                        }
                        Some(b'+') if !matches => return Ok(None),
                        Some(b'+') => return self.most(s + 1, p, after),
                        Some(b'*') => return self.most(s, p, after),
                        Some(b'-') => return self.least(s, p, after),
                        _ if matches => (s, p) = (s + 1, after),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    /// The place behind the item at `p`.
    fn item_end(&self, p: usize) -> Result<usize, Fault> {
        match self.at(p) {
            Some(b'%') if p + 1 >= self.pattern.len() => fault("malformed pattern (ends with '%')"),
            Some(b'%') => Ok(p + 2),
            Some(b'[') => self.set_end(p),
            _ => Ok(p + 1),
        }
    }

    fn set_end(&self, p: usize) -> Result<usize, Fault> {
        let mut at = p + 1;
        if self.at(at) == Some(b'^') {
            at += 1;
        }
        // A `]` at the beginning is one of the set.
        loop {
            match self.at(at) {
                None => return fault("malformed pattern (missing ']')"),
                Some(b'%') if at + 1 >= self.pattern.len() => {
                    return fault("malformed pattern (missing ']')");
                }
                Some(b'%') => at += 2,
                Some(_) => at += 1,
            }
            if self.at(at) == Some(b']') {
                return Ok(at + 1);
            }
        }
    }

    fn single(&self, s: usize, p: usize, after: usize) -> bool {
        let Some(c) = self.text.get(s).copied() else { return false };
        match (self.at(p), self.at(p + 1)) {
            (Some(b'.'), _) => true,
            (Some(b'%'), Some(class)) => in_class(c, class),
            (Some(b'['), _) => self.in_set(c, p, after - 1),
            (Some(byte), _) => byte == c,
            (None, _) => false,
        }
    }

    /// Whether a byte is in the set from `[` at `p` to `]` at `end`.
    fn in_set(&self, c: u8, p: usize, end: usize) -> bool {
        let complement = self.at(p + 1) == Some(b'^');
        let mut at = p + 1 + usize::from(complement);
        while at < end {
            match (self.at(at), self.at(at + 1)) {
                (Some(b'%'), Some(class)) => {
                    if in_class(c, class) {
                        return !complement;
                    }
                    at += 2;
                }
                (Some(low), Some(b'-')) if at + 2 < end => {
                    if self.at(at + 2).is_some_and(|high| (low..=high).contains(&c)) {
                        return !complement;
                    }
                    at += 3;
                }
                (byte, _) => {
                    if byte == Some(c) {
                        return !complement;
                    }
                    at += 1;
                }
            }
        }
        complement
    }

    fn balance(&mut self, s: usize, p: usize) -> Result<Option<usize>, Fault> {
        let (Some(left), Some(right)) = (self.at(p), self.at(p + 1)) else {
            return fault("malformed pattern (missing arguments to '%b')");
        };
        if self.text.get(s) != Some(&left) {
            return Ok(None);
        }
        let mut depth = 1usize;
        for (at, c) in self.text.iter().enumerate().skip(s + 1) {
            *self.steps = self.steps.checked_sub(1).ok_or(Fault::OutOfSteps)?;
            if *c == right {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if *c == left {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// The place of the pattern behind a frontier that is here.
    fn frontier(&mut self, s: usize, p: usize) -> Result<Option<usize>, Fault> {
        if self.at(p) != Some(b'[') {
            return fault("missing '[' after '%f' in pattern");
        }
        let after = self.set_end(p)?;
        let before = s.checked_sub(1).and_then(|before| self.text.get(before)).copied().unwrap_or(0);
        let here = self.text.get(s).copied().unwrap_or(0);
        let is = !self.in_set(before, p, after - 1) && self.in_set(here, p, after - 1);
        Ok(is.then_some(after))
    }

    /// A capture's text once more.
    fn again(&mut self, s: usize, digit: u8) -> Result<Option<usize>, Fault> {
        let number = usize::from(digit.wrapping_sub(b'1'));
        let Some((start, Length::Closed(length))) = self.captures.get(number).copied() else {
            let number = number.wrapping_add(1) & 0xff;
            return Err(Fault::Pattern(format!("invalid capture index %{number}")));
        };
        let wanted = self.text.get(start..start + length).unwrap_or_default();
        *self.steps = self.steps.saturating_sub(length as u64);
        Ok(self.text.get(s..).unwrap_or_default().starts_with(wanted).then_some(s + length))
    }

    fn open(&mut self, s: usize, p: usize, length: Length) -> Result<Option<usize>, Fault> {
        if self.captures.len() >= MAX_CAPTURES {
            return fault("too many captures");
        }
        let level = self.captures.len();
        self.captures.push((s, length));
        let end = self.go(s, p)?;
        if end.is_none() {
            self.captures.truncate(level);
        }
        Ok(end)
    }

    fn close(&mut self, s: usize, p: usize) -> Result<Option<usize>, Fault> {
        let Some(level) = self.captures.iter().rposition(|(_, length)| *length == Length::Open) else {
            return fault("invalid pattern capture");
        };
        if let Some((start, length)) = self.captures.get_mut(level) {
            *length = Length::Closed(s - *start);
        }
        let end = self.go(s, p)?;
        if end.is_none()
            && let Some((_, length)) = self.captures.get_mut(level)
        {
            *length = Length::Open;
        }
        Ok(end)
    }

    /// As many as there are, then fewer.
    fn most(&mut self, s: usize, p: usize, after: usize) -> Result<Option<usize>, Fault> {
        let mut count = 0;
        while self.single(s + count, p, after) {
            self.step()?;
            count += 1;
        }
        loop {
            if let Some(end) = self.go(s + count, after + 1)? {
                return Ok(Some(end));
            }
            if count == 0 {
                return Ok(None);
            }
            count -= 1;
        }
    }

    /// None, then one more each time.
    fn least(&mut self, mut s: usize, p: usize, after: usize) -> Result<Option<usize>, Fault> {
        loop {
            if let Some(end) = self.go(s, after + 1)? {
                return Ok(Some(end));
            }
            if !self.single(s, p, after) {
                return Ok(None);
            }
            s += 1;
        }
    }
}

/// Whether a byte is of the class a letter names; other bytes name themselves.
fn in_class(c: u8, class: u8) -> bool {
    let is = match class.to_ascii_lowercase() {
        b'a' => c.is_ascii_alphabetic(),
        b'c' => c.is_ascii_control(),
        b'd' => c.is_ascii_digit(),
        b'g' => c.is_ascii_graphic(),
        b'l' => c.is_ascii_lowercase(),
        b'p' => c.is_ascii_punctuation(),
        b's' => matches!(c, 9..=13 | b' '),
        b'u' => c.is_ascii_uppercase(),
        b'w' => c.is_ascii_alphanumeric(),
        b'x' => c.is_ascii_hexdigit(),
        b'z' => c == 0,
        _ => return class == c,
    };
    is != class.is_ascii_uppercase()
}
