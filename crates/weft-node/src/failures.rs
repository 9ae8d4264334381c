//! Why sources did not help, and what that is as one error.

use weft_codec::{Code, Error};

use crate::quorum::Silent;

/// Why one source did not help.
#[derive(Debug)]
pub(crate) struct Failure {
    url: String,
    error: Error,
}

/// Why no source helped so far.
#[derive(Debug, Default)]
pub(crate) struct Failures(Vec<Failure>);

impl Failures {
    /// Adds a failure; only the last of each source is kept.
    pub(crate) fn push(&mut self, url: &str, error: Error) {
        self.0.retain(|failure| failure.url != url || telling(failure.error.code()) > telling(error.code()));
        if !self.0.iter().any(|failure| failure.url == url) {
            self.0.push(Failure { url: url.to_owned(), error });
        }
    }

    /// Puts in what else failed.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Who gave something that does not prove, and what: not who was silent, down, or did not have it.
    pub(crate) fn falsehoods(&self) -> Vec<Silent> {
        let is_false = |code: Code| telling(code) > 3 && !is_page(code);
        let found = self.0.iter().filter(|failure| is_false(failure.error.code()));
        found.map(|failure| Silent::new(&failure.url, &failure.error)).collect()
    }

    /// One error for all: the code of the most telling failure, every source and its reason in the sentence.
    pub(crate) fn into_error(self, wanted: &str) -> Error {
        let Some(told) = self.0.iter().max_by_key(|failure| telling(failure.error.code())) else {
            return Error::new(Code::NoSource, format!("No source is configured that could have {wanted}."));
        };
        let code = told.error.code();
        let reasons: Vec<String> =
            self.0.iter().map(|failure| format!("{}: {}", failure.url, failure.error.sentence())).collect();
        let opening = match code {
            Code::NotFound => format!("No source has {wanted}."),
            _ => format!("No source gave {wanted}."),
        };
        Error::new(code, format!("{opening} {}", reasons.join(" ")))
            .with_fields_of(&told.error)
            .with("source", &told.url)
            .because(CauseList(reasons))
    }
}

/// Each source's reason, for a caller that walks the causes.
#[derive(Debug)]
struct CauseList(Vec<String>);

impl std::fmt::Display for CauseList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for CauseList {}

/// How much a failure tells: a proof that fails says more than silence. `not-found` stands last, so that it is
/// the answer only if every source says it.
fn telling(code: Code) -> u8 {
    match code {
        Code::NotFound => 0,
        Code::SourceUnreachable => 1,
        Code::SourceTimeout => 2,
        Code::SourceStatus => 3,
        Code::SourceGarbled | Code::PageMalformed | Code::PageLoop | Code::TooLarge | Code::ItemTruncated => {
            4
        }
        Code::JsonInvalid | Code::Base64Invalid | Code::IdInvalid => 4,
        // Not to have a message says less than to give another one.
        Code::MessageMissing => 4,
        _ => 5,
    }
}

/// A web page in place of an answer is how a gateway or proxy says that what is behind it is down.
fn is_page(code: Code) -> bool {
    code == Code::SourceGarbled
}

/// A failure that may be gone in a moment.
pub(crate) fn is_transient(code: Code) -> bool {
    matches!(code, Code::SourceUnreachable | Code::SourceTimeout | Code::SourceStatus)
}

/// A failure of ours, not of the source: asking another one does not help.
pub(crate) fn is_ours(code: Code) -> bool {
    matches!(code, Code::Cancelled | Code::StoreFailed | Code::StoreCorrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_failure_gives_the_code_and_all_give_the_sentence() {
        let error = |code| Error::new(code, format!("{}.", code.as_str()));
        let mut failures = Failures::default();
        failures.push("https://a.example", error(Code::NotFound));
        assert_eq!(Failures(Vec::new()).into_error("it").code(), Code::NoSource);
        failures.push("https://b.example", error(Code::SourceTimeout));
        failures.push("https://c.example", error(Code::SignatureInvalid).with("subject", "process"));
        let all = failures.into_error("the process");
        assert_eq!(all.code(), Code::SignatureInvalid);
        assert_eq!(all.field("subject"), Some("process"));
        assert_eq!(all.field("source"), Some("https://c.example"), "the one that the code is about");
        for part in ["https://a.example: not-found", "https://b.example: source-timeout", "https://c.example"]
        {
            assert!(all.sentence().contains(part), "{}", all.sentence());
        }
        let mut lie = Failures::default();
        lie.push("https://su.example", error(Code::MessageMismatch));
        lie.push("https://gateway.example", error(Code::MessageMissing));
        assert_eq!(lie.into_error("slot 1").code(), Code::MessageMismatch);
        let mut none = Failures::default();
        none.push("https://a.example", error(Code::NotFound));
        none.push("https://b.example", error(Code::NotFound));
        assert_eq!(none.into_error("it").code(), Code::NotFound);
    }
}
