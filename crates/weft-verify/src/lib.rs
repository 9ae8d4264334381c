//! TODO crate doc
#![forbid(unsafe_code)]
