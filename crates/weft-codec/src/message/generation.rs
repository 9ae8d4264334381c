//! The two sets of rules that are in use.

use serde::{Deserialize, Serialize};

/// Whose rules a message follows. The same message has another unsigned id in each, because the key of its HMAC
/// differs (reference ao-core.md §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// HyperBEAM `edge` of June 2025.
    June2025,
    /// HyperBEAM of September 2025 and after: what live nodes run.
    September2025,
}

impl Generation {
    /// Both, the newer first.
    pub const ALL: [Self; 2] = [Self::September2025, Self::June2025];

    /// The key of the HMAC that everybody knows, and its `keyid`.
    #[must_use]
    pub fn hmac_key(self) -> &'static str {
        match self {
            Self::June2025 => "ao",
            Self::September2025 => "constant:ao",
        }
    }

    /// What stands before an RSA key in a `keyid`.
    #[must_use]
    pub fn public_key_prefix(self) -> &'static str {
        match self {
            Self::June2025 => "",
            Self::September2025 => "publickey:",
        }
    }

    /// What the labels of signature headers begin with.
    #[must_use]
    pub fn label_prefix(self) -> &'static str {
        match self {
            Self::June2025 => "sig-",
            Self::September2025 => "comm-",
        }
    }

    /// A key as messages of this generation have it: the older puts it into lower case unless it is
    /// [like an id](is_id_like), the newer leaves it.
    #[must_use]
    pub fn key(self, key: &str) -> String {
        match self {
            Self::June2025 if !is_id_like(key) => key.to_lowercase(),
            _ => key.to_owned(),
        }
    }

    /// The key of a value that is nested and so may be linked: the older makes it a link before it looks at the length.
    pub(super) fn nested_key(self, key: &str) -> String {
        match self {
            Self::June2025 => key.to_lowercase(),
            Self::September2025 => key.to_owned(),
        }
    }
}

/// Whether a key is taken for an id: by its length alone.
#[must_use]
pub(super) fn is_id_like(key: &str) -> bool {
    matches!(key.len(), 32 | 42 | 43)
}
