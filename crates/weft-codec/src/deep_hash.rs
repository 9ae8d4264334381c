//! Arweave's deep hash: SHA-384 over a tree of blobs and lists (reference arweave.md §1).

use sha2::{Digest, Sha384};

/// What is hashed. Its depth is the caller's: nothing read from the network becomes a deeper tree.
#[derive(Clone, Debug)]
pub enum Chunk<'a> {
    /// Bytes.
    Blob(&'a [u8]),
    /// A list of chunks.
    List(Vec<Self>),
}

/// Blob: `H(H("blob" ‖ length) ‖ H(bytes))`. List: start with `H("list" ‖ count)`, then for each element
/// `H(so far ‖ deep hash of it)`.
#[must_use]
pub fn deep_hash(chunk: &Chunk<'_>) -> [u8; 48] {
    match chunk {
        Chunk::Blob(bytes) => {
            let tag = hash(&[format!("blob{}", bytes.len()).as_bytes()]);
            hash(&[&tag, &hash(&[bytes])])
        }
        Chunk::List(chunks) => begun(chunks.len(), chunks),
    }
}

/// The hash of a list as far as it goes, and on over its next elements.
pub(crate) fn after(so_far: [u8; 48], chunks: &[Chunk<'_>]) -> [u8; 48] {
    chunks.iter().fold(so_far, |so_far, chunk| hash(&[&so_far, &deep_hash(chunk)]))
}

/// The hash of a list of `count` elements as far as its first ones, `chunks`, go.
pub(crate) fn begun(count: usize, chunks: &[Chunk<'_>]) -> [u8; 48] {
    after(hash(&[format!("list{count}").as_bytes()]), chunks)
}

fn hash(parts: &[&[u8]]) -> [u8; 48] {
    let mut hasher = Sha384::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
