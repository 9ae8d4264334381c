//! Whole numbers as layer 1 writes them: decimal text, or a JSON number.

use std::fmt;

use serde_json::Value;

use crate::error::{Code, Error, Result};

/// The most digits: what 256 bits can hold.
const MAX_DIGITS: usize = 78;

/// A whole number of at most 78 digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    /// Reads plain decimal digits without leading zeros. Error: `block-malformed`.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
        if text.is_empty() || text.len() > MAX_DIGITS || !plain {
            let shown: String = text.chars().take(90).collect();
            return Err(Error::new(Code::BlockMalformed, format!("`{shown}` is not a plain whole number.")));
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn from_json(value: &Value) -> Result<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            other => Self::parse(&other.to_string()),
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, if it fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The fewest bytes that hold it, big-endian; zero is one byte.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Little-endian while it grows.
        let mut bytes = vec![0_u8];
        for digit in self.0.bytes() {
            let mut carry = u16::from(digit.wrapping_sub(b'0'));
            for byte in &mut bytes {
                let [low, high] = (u16::from(*byte) * 10 + carry).to_le_bytes();
                *byte = low;
                carry = u16::from(high);
            }
            if let Ok(carry @ 1..) = u8::try_from(carry) {
                bytes.push(carry);
            }
        }
        bytes.reverse();
        bytes
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(value.to_string())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_bytes() {
        let bytes = |text: &str| Number::parse(text).unwrap().to_bytes();
        assert_eq!(bytes("0"), [0]);
        assert_eq!(bytes("255"), [255]);
        assert_eq!(bytes("256"), [1, 0]);
        assert_eq!(bytes("18446744073709551616"), [1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(bytes(most), [255; 32]);
        for value in [1, 9, 10, 65_535, 65_536, 393_217, u64::MAX] {
            let wanted = value.to_be_bytes();
            let zeros = wanted.iter().take_while(|byte| **byte == 0).count();
            assert_eq!(Number::from(value).to_bytes(), wanted[zeros..]);
        }
        for wrong in ["", "00", "01", "-1", "+1", "1.0", "1e3", " 1", "x", &"1".repeat(79)] {
            assert!(Number::parse(wrong).is_err(), "{wrong}");
        }
    }
}
