//! The classes of bytes.

/// A class: `%a` and its like, or what such a class leaves out (`%A`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    letter: u8,
    complement: bool,
}

impl Class {
    /// The class a letter names.
    #[must_use]
    pub fn named(c: u8) -> Option<Self> {
        let letter = c.to_ascii_lowercase();
        b"acdglpsuwxz".contains(&letter).then_some(Self { letter, complement: c.is_ascii_uppercase() })
    }

    /// Whether a byte is of it.
    #[inline]
    #[must_use]
    pub fn has(self, c: u8) -> bool {
        let is = match self.letter {
            b'a' => is_lower(c) || is_upper(c),
            b'c' => matches!(c, 0..=31 | 128..=159),
            b'd' => c.is_ascii_digit(),
            b'g' => matches!(c, 33..=126 | 161..=255),
            b'l' => is_lower(c),
            b'p' => is_punctuation(c),
            b's' => matches!(c, 9..=13 | 32 | 160),
            b'u' => is_upper(c),
            b'w' => is_word(c),
            b'x' => c.is_ascii_hexdigit(),
            _ => c == 0,
        };
        is != self.complement
    }
}

fn is_lower(c: u8) -> bool {
    matches!(c, b'a'..=b'z' | 224..=246 | 248..=255)
}

fn is_upper(c: u8) -> bool {
    matches!(c, b'A'..=b'Z' | 192..=214 | 216..=223)
}

/// A letter of Latin-1 or a digit: what `%w` means, and what may not follow a `%` unless it names a class.
pub(super) fn is_word(c: u8) -> bool {
    is_lower(c) || is_upper(c) || c.is_ascii_digit()
}

/// Not all punctuation: `@` and `{|}` are none in Luerl.
fn is_punctuation(c: u8) -> bool {
    matches!(c, 33..=47 | 58..=63 | 91..=96 | 126 | 161..=191 | 215 | 247)
}

/// A set of bytes: `[…]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set([u64; 4]);

impl Set {
    pub(super) fn add(&mut self, c: u8) {
        if let Some(word) = self.0.get_mut(usize::from(c >> 6)) {
            *word |= 1 << (c & 63);
        }
    }

    pub(super) fn add_range(&mut self, from: u8, to: u8) {
        for c in from..=to {
            self.add(c);
        }
    }

    pub(super) fn add_class(&mut self, class: Class) {
        for c in 0..=255 {
            if class.has(c) {
                self.add(c);
            }
        }
    }

    #[inline]
    pub(super) fn has(&self, c: u8) -> bool {
        self.0.get(usize::from(c >> 6)).is_some_and(|word| word >> (c & 63) & 1 == 1)
    }
}
