//! Addresses: who signed, in the text form the network uses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha3::{Digest, Keccak256};

use crate::error::{Code, Error, Result};
use crate::id::Id;

/// The longest address text we keep. Arweave's have 43 characters, Ethereum's 42; other networks' may come.
const MAX_TEXT: usize = 128;

/// A wallet, as text: 43 characters of base64url for an Arweave key, `0x…` with EIP-55 capitals for an
/// Ethereum key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// The address of a public key. The rule is `ao`'s (reference ao-messages.md §5, ans104.md §1): a 65-byte
    /// key is Ethereum's, 42 bytes of `0x…` text are an Ethereum address already, everything else is the
    /// SHA-256 of the key.
    #[must_use]
    pub fn of_owner(owner: &[u8]) -> Self {
        if let [_, point @ ..] = owner
            && point.len() == 64
        {
            let hash: [u8; 32] = Keccak256::digest(point).into();
            return Self(eip55(&hash[12..]));
        }
        if owner.len() == 42
            && let Some(bytes) = std::str::from_utf8(owner).ok().and_then(ethereum_bytes)
        {
            return Self(eip55(&bytes));
        }
        Self(Id::sha256(owner).to_string())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The 20 bytes of `0x` and 40 hexadecimal digits, in any case.
fn ethereum_bytes(text: &str) -> Option<[u8; 20]> {
    let digits = text.strip_prefix("0x")?;
    if digits.len() != 40 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 20];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// EIP-55: the case of each letter is a bit of the Keccak-256 of the lower-case text.
fn eip55(bytes: &[u8]) -> String {
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash: [u8; 32] = Keccak256::digest(lower.as_bytes()).into();
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let text = lower.chars().zip(nibbles);
    let cased = text.map(|(digit, nibble)| if nibble >= 8 { digit.to_ascii_uppercase() } else { digit });
    format!("0x{}", cased.collect::<String>())
}

impl FromStr for Address {
    type Err = Error;

    /// Any text without blanks of 1 to 128 bytes; an Ethereum address is put into EIP-55 form, so that equal
    /// addresses have equal texts. Error: `id-invalid`.
    fn from_str(text: &str) -> Result<Self> {
        let odd = |char: char| char.is_whitespace() || char.is_control();
        if text.is_empty() || text.len() > MAX_TEXT || text.contains(odd) {
            return Err(Error::new(
                Code::IdInvalid,
                format!("An address has 1 to {MAX_TEXT} characters and no blanks; this is none."),
            ));
        }
        Ok(Self(ethereum_bytes(text).map_or_else(|| text.to_owned(), |bytes| eip55(&bytes))))
    }
}

impl From<Id> for Address {
    fn from(id: Id) -> Self {
        Self(id.to_string())
    }
}

impl AsRef<str> for Address {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: Error| serde::de::Error::custom(error.sentence()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of EIP-55 itself.
    #[test]
    fn ethereum_addresses_get_their_capitals() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(text.to_lowercase().parse::<Address>().unwrap().as_str(), text);
            assert_eq!(Address::of_owner(text.to_lowercase().as_bytes()).as_str(), text);
        }
    }

    #[test]
    fn an_address_is_bounded_text() {
        for text in ["", " ", "a b", "a\n", &"a".repeat(MAX_TEXT + 1)] {
            assert_eq!(text.parse::<Address>().unwrap_err().code(), Code::IdInvalid);
        }
    }
}
