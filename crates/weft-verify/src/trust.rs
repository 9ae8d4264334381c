//! The two states of knowledge.

use std::ops::Deref;

use crate::receipt::{Check, Receipt};

/// A value as some source gave it. It can be looked at, but nothing takes it for state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untrusted<T> {
    value: T,
    source: String,
}

impl<T> Untrusted<T> {
    /// A value and where it is from: a URL, a file's name.
    pub fn new(value: T, source: impl Into<String>) -> Self {
        Self { value, source: source.into() }
    }

    /// Where it is from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value, to look at.
    #[must_use]
    pub fn peek(&self) -> &T {
        &self.value
    }

    pub(crate) fn into_parts(self) -> (T, String) {
        (self.value, self.source)
    }
}

/// A value that was checked here, and the checks. It derefs to the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
    checks: Vec<Check>,
}

impl<T> Verified<T> {
    pub(crate) fn new(value: T, checks: Vec<Check>) -> Self {
        Self { value, checks }
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &T {
        &self.value
    }

    /// What was checked, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The checks as a receipt about `subject`.
    pub fn receipt(&self, subject: impl Into<String>) -> Receipt {
        Receipt::new(subject, self.checks.clone())
    }

    /// The value and its checks. The value is an ordinary one from here on.
    #[must_use]
    pub fn into_parts(self) -> (T, Vec<Check>) {
        (self.value, self.checks)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
