//! Bytes as base64url in evidence.

use serde::{Deserialize, Deserializer, Serializer};
use weft_codec::base64url;

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64url::encode(bytes))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    base64url::decode(&text).map_err(serde::de::Error::custom)
}
