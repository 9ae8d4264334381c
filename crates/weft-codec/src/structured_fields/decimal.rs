//! Decimals of structured fields.

use std::fmt;

/// A number with three digits after the point, kept as thousandths: exact, and the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    thousandths: i64,
}

impl Decimal {
    /// The largest decimal: twelve digits before the point.
    const MAX: i64 = 999_999_999_999_999;

    /// A decimal of so many thousandths, unless its whole part has more than twelve digits.
    #[must_use]
    pub fn from_thousandths(thousandths: i64) -> Option<Self> {
        (-Self::MAX..=Self::MAX).contains(&thousandths).then_some(Self { thousandths })
    }

    /// The nearest decimal, the even one of two equally near (RFC 9651 §4.1.5); none if it is too large.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        // Seventeen digits tell one f64 from every other, so this is the number a person wrote.
        let text = format!("{number:?}");
        let text = if text.contains('e') { format!("{number:.20}") } else { text };
        let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |digits| (-1, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole: i64 = whole.parse().ok().filter(|whole| *whole < 1_000_000_000_000)?;
        let digit = |at: usize| fraction.as_bytes().get(at).map_or(0, |digit| i64::from(digit - b'0'));
        let mut thousandths = whole * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2);
        let rest = fraction.as_bytes().get(4..).unwrap_or_default().iter().any(|digit| *digit != b'0');
        let up = match digit(3) {
            5 => rest || thousandths % 2 == 1,
            next => next > 5,
        };
        if up {
            thousandths += 1;
        }
        Self::from_thousandths(sign * thousandths)
    }

    /// The number times 1000.
    #[must_use]
    pub fn thousandths(self) -> i64 {
        self.thousandths
    }
}

impl fmt::Display for Decimal {
    /// At least one digit after the point, no needless zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.thousandths.abs() / 1000, self.thousandths.abs() % 1000);
        let sign = if self.thousandths < 0 { "-" } else { "" };
        let digits = format!("{fraction:03}");
        let digits = digits.trim_end_matches('0');
        write!(f, "{sign}{whole}.{}", if digits.is_empty() { "0" } else { digits })
    }
}
