//! [`Untrusted`] to [`Verified`], with a [`Receipt`] that says what was proved and how: signatures, ids, data
//! roots, and the order of a process's history.
//!
//! This is the only crate that can make a [`Verified`]. It is pure: no clock, no network.
#![forbid(unsafe_code)]

mod carriers;
mod evidence;
mod fraud;
mod history;
pub mod http;
mod item_signature;
mod keys;
mod layer1;
mod receipt;
mod signed;
mod trust;

pub use carriers::{
    BootItem, Modules, boot_item, boot_item_from_transaction, module, module_from_transaction, process,
    process_from_transaction,
};
pub use evidence::{
    Agreement, MAX_RECEIPT_BYTES, Origin, ProvedReceipt, ProvedSlot, RECEIPT_KIND, RECEIPT_VERSION,
    ReceiptEnding, ReceiptFile, ReceiptOpening, ReceiptProof, ReceiptWriter, Scope, SourceAnswer,
};
pub use fraud::{Difference, FRAUD_KIND, FRAUD_VERSION, Fraud, FraudProof, MAX_FRAUD_BYTES, fraud};
pub use history::{Entry, EntryKind, Head, HistoryEntry, HistoryVerifier, SchedulerPolicy, assignment};
pub use item_signature::{claims_of_entry, claims_of_item};
pub use keys::{Scheme, SignatureClaim, Vouched};
pub use layer1::{
    AgreedHeader, Chunk, ChunkProof, DataProof, Included, InclusionProof, Rules, TransactionPath,
    TransactionPlace, block, block_transactions, chunk, follows, inclusion, transaction, transaction_path,
};
pub use receipt::{Check, Receipt, Status};
pub use signed::{bundle, item, item_among, nested};
pub use trust::{Untrusted, Verified};
