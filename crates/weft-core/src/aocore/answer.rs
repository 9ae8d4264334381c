//! What a device answers.

use weft_codec::message::{Message, Value};

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was answered, and what comes next can go on.
    Ok,
    /// It was refused. The request ends.
    Error,
    /// It failed. The request ends.
    Failure,
    /// To a stack: leave the devices after this one.
    Skip,
    /// To a stack: begin again at the first device.
    Pass,
}

impl Status {
    /// The word HyperBEAM has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Skip => "skip",
            Self::Pass => "pass",
        }
    }
}

/// A status and a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How it went.
    pub status: Status,
    /// The result, or the reason.
    pub value: Value,
}

impl Answer {
    /// A result.
    #[must_use]
    pub fn ok(value: impl Into<Value>) -> Self {
        Self { status: Status::Ok, value: value.into() }
    }

    /// A refusal with its reason.
    #[must_use]
    pub fn error(reason: impl Into<Value>) -> Self {
        Self { status: Status::Error, value: reason.into() }
    }

    /// What stands for a key or a message that is not there.
    #[must_use]
    pub fn not_found() -> Self {
        Self::error(Value::Atom("not_found".to_owned()))
    }

    /// A refusal with an HTTP status and a sentence.
    #[must_use]
    pub fn refused(status: i64, sentence: &str) -> Self {
        Self::error(Message::new().with("status", status).with("body", sentence))
    }

    /// Whether it is a result.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }
}
