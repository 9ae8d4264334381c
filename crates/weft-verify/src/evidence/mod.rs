//! Receipt files: a receipt with everything that is needed to check it again without a network. The format is in
//! docs/receipts.md.
//!
//! The same walk over the evidence makes a receipt and reads one, so a reader can demand that the claims are exactly
//! what the evidence gives: a check that is *proved* was proved again, and what is only believed can neither be left out
//! nor softened.

mod agreement;
mod file;
mod make;
mod prove;
mod read;
mod words;

pub use agreement::{Agreement, SourceAnswer};
pub use file::{MAX_RECEIPT_BYTES, Origin, RECEIPT_KIND, RECEIPT_VERSION, Scope};
pub use make::{ReceiptEnding, ReceiptOpening, ReceiptWriter};
pub use read::{ProvedReceipt, ProvedSlot, ReceiptFile, ReceiptProof};
