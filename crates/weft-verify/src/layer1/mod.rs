//! Layer 1: transactions, chunks, blocks, and the road from an item to a block (reference arweave.md).

mod block;
mod bytes;
mod chunk;
mod inclusion;
mod transaction;

pub use block::{block, block_transactions, follows};
pub use chunk::{Chunk, ChunkProof, Rules, TransactionPlace, chunk, transaction_path};
pub use inclusion::{AgreedHeader, DataProof, Included, InclusionProof, TransactionPath, inclusion};
pub use transaction::transaction;
