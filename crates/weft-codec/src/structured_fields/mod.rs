//! Structured field values for HTTP, RFC 9651: items, lists and dictionaries, with dates and display strings.
//!
//! Parsing is strict: where the RFC says "fail parsing", it fails. What is read is bounded by [`MAX_FIELD`] bytes, the
//! nesting by the grammar itself. HyperBEAM writes dictionaries whose keys have capitals and `%`, which no key of the
//! RFC has: [`Keys::HyperBeam`] reads and writes those (reference ao-core.md §2, §3).

mod decimal;
mod parse;
mod serialise;

pub use decimal::Decimal;
pub use parse::{parse_dictionary, parse_item, parse_list};
pub use serialise::{
    serialise_bare, serialise_dictionary, serialise_inner_list, serialise_item, serialise_list,
};

/// The longest field that is read, in bytes. A field of a HyperBEAM message can hold one entry for each of its keys.
pub const MAX_FIELD: usize = 4 * 1024 * 1024;
/// The largest integer of the RFC: fifteen digits.
pub const MAX_INTEGER: i64 = 999_999_999_999_999;

/// A value without parameters (§3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BareItem {
    /// At most fifteen digits.
    Integer(i64),
    /// At most twelve digits before the point, three after it.
    Decimal(Decimal),
    /// Printable ASCII.
    String(String),
    /// A word, `*/:` and the like included.
    Token(String),
    /// Bytes, in base64 between colons.
    Bytes(Vec<u8>),
    /// `?1` or `?0`.
    Boolean(bool),
    /// Seconds since 1970, leap seconds not counted.
    Date(i64),
    /// Any Unicode text.
    Display(String),
}

/// The parameters of an item or inner list, in order; a name stands once.
pub type Parameters = Vec<(String, BareItem)>;

/// A value and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The value.
    pub value: BareItem,
    /// Its parameters.
    pub parameters: Parameters,
}

impl From<BareItem> for Item {
    fn from(value: BareItem) -> Self {
        Self { value, parameters: Parameters::new() }
    }
}

/// Items in parentheses, with parameters of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InnerList {
    /// The items.
    pub items: Vec<Item>,
    /// The parameters of the whole.
    pub parameters: Parameters,
}

/// What a list or dictionary holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// One item.
    Item(Item),
    /// Several.
    Inner(InnerList),
}

impl From<BareItem> for Member {
    fn from(value: BareItem) -> Self {
        Self::Item(value.into())
    }
}

/// A list, in order.
pub type List = Vec<Member>;

/// A dictionary, in order; a key stands once.
pub type Dictionary = Vec<(String, Member)>;

/// Which keys a dictionary may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Those of the RFC (§3.1.2): lower-case letters, digits and `_-.*`, begun by a letter or `*`.
    Strict,
    /// Those of HyperBEAM: letters of both cases, digits and `_-.*%/?&`, in any place.
    HyperBeam,
}

impl Keys {
    /// Whether a key may begin with this byte.
    fn begins(self, byte: u8) -> bool {
        match self {
            Self::Strict => byte.is_ascii_lowercase() || byte == b'*',
            Self::HyperBeam => self.continues(byte),
        }
    }

    /// Whether a key may go on with this byte.
    fn continues(self, byte: u8) -> bool {
        match self {
            Self::Strict => byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte),
            Self::HyperBeam => byte.is_ascii_alphanumeric() || b"_-.*%/?&".contains(&byte),
        }
    }
}
