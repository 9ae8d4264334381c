//! What a unit of the local network answers.

use serde_json::{Value, json};
use weft_codec::{Code, Error};

use crate::seams::Response;

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status, headers and body.
    pub response: Response,
}

impl Reply {
    /// An answer of these bytes.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { response: Response::new(status, content_type, body) }
    }

    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string().into_bytes())
    }

    /// A text answer.
    #[must_use]
    pub fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain", text.as_bytes().to_vec())
    }

    /// `{"error": sentence}`: the form of every unit's errors
    /// (su `main.rs` `err_response`, cu and mu `withErrorHandler.js`).
    #[must_use]
    pub fn error(status: u16, sentence: &str) -> Self {
        Self::json(status, &json!({ "error": sentence }))
    }

    /// Adds a header, such as `Last-Timestamp` of `/state`.
    #[must_use]
    pub fn with_header(self, name: &str, value: String) -> Self {
        Self { response: self.response.with_header(name, value) }
    }
}

/// A refusal of one unit: a status, a sentence, and the stable code where an error of the house is behind it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The sentence in `{"error": …}`.
    pub sentence: String,
    /// The code in `{"code": …}`.
    pub code: Option<Code>,
}

impl Refusal {
    /// An error of the house with this status.
    pub(crate) fn of(status: u16, error: &Error) -> Self {
        Self { status, sentence: error.to_string(), code: Some(error.code()) }
    }

    /// A refusal with this status.
    pub fn new(status: u16, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into(), code: None }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let Some(code) = refusal.code else { return Self::error(refusal.status, &refusal.sentence) };
        Self::json(refusal.status, &json!({ "error": refusal.sentence, "code": code.as_str() }))
    }
}

/// The status of an error of the house, as a compute unit reports it: 404 for what is not there, 413 for limits, 422 for
/// modules and hash chains it does not accept, 500 for the rest (cu `domain/lib/*.js`, `effects/ao-su.js`).
pub(crate) fn status_of(code: Code) -> u16 {
    match code {
        Code::NotFound | Code::MessageMissing | Code::NotAProcess | Code::NotAModule => 404,
        Code::MemoryLimit | Code::GasLimit | Code::TooLarge => 413,
        Code::ModulesTooMany | Code::ModuleRepeated | Code::ModuleMismatch => 422,
        Code::ModuleFormatUnsupported | Code::HashChainBroken | Code::ModuleInvalid => 422,
        Code::RequestInvalid | Code::IdInvalid | Code::ItemMalformed | Code::ItemTruncated => 400,
        Code::TagsMalformed | Code::SignatureInvalid | Code::SignatureUnsupported => 400,
        Code::DeviceSilent => 504,
        _ => 500,
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::of(status_of(error.code()), &error)
    }
}

/// Shorthand for handlers.
pub(crate) type Handled<T = Reply> = Result<T, Refusal>;
