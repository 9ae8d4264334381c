//! A machine's state as bytes.
//!
//! A snapshot holds what the globals reach, in the order in which a walk from them comes to it, each table's keys in their
//! order; so equal states have equal bytes, whatever the arenas look like. Functions are kept as the text of their chunk,
//! which is compiled again: that is smaller than instructions, and bytes from outside cannot make instructions the compiler
//! would not. Natives are kept by their names.
//!
//! Layout: 8 bytes `WEFTLUA` and the version, the profile's byte, the SHA-256 of the rest, and the rest, in variable-length
//! numbers and strings with their lengths.

mod read;
mod write;

use sha2::{Digest as _, Sha256};

use crate::error::{ErrorKind, LuaError};
use crate::vm::{Profile, Vm};

const MAGIC: &[u8; 8] = b"WEFTLUA\x01";
const HEADER: usize = MAGIC.len() + 1 + 32;

/// Kinds of values.
mod tag {
    pub(super) const NIL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const BIG: u8 = 5;
    pub(super) const STRING: u8 = 6;
    pub(super) const TABLE: u8 = 7;
    pub(super) const FUNCTION: u8 = 8;
    pub(super) const NATIVE: u8 = 9;
}

impl Vm {
    /// The state as bytes. No call may be in progress.
    pub fn snapshot(&mut self) -> Result<Vec<u8>, LuaError> {
        if self.is_exact() {
            return Err(refused("There are no snapshots in profile lua53."));
        }
        if !self.is_quiet() {
            return Err(refused("A snapshot is possible between calls only."));
        }
        let body = write::body(self)?;
        Ok(Self::snapshot_of_body(self.profile, &body))
    }

    /// A snapshot's bytes from what follows its header.
    #[must_use]
    pub fn snapshot_of_body(profile: Profile, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.push(profile_byte(profile));
        bytes.extend_from_slice(&Sha256::digest(body));
        bytes.extend_from_slice(body);
        bytes
    }

    /// Replaces the state by a snapshot's. The natives it names must be known; on an error the state is as it was.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), LuaError> {
        if self.is_exact() {
            return Err(refused("There are no snapshots in profile lua53."));
        }
        if !self.is_quiet() {
            return Err(refused("A state can be restored between calls only."));
        }
        let (header, body) =
            bytes.split_at_checked(HEADER).ok_or_else(|| refused("The snapshot is cut off."))?;
        let (magic, rest) = header.split_at_checked(MAGIC.len()).unwrap_or_default();
        if magic != MAGIC {
            return Err(refused("These bytes are no snapshot of this version."));
        }
        let (profile, hash) = rest.split_first().ok_or_else(|| refused("The snapshot is cut off."))?;
        if *profile != profile_byte(self.profile) {
            return Err(refused("The snapshot is of another profile."));
        }
        if hash != Sha256::digest(body).as_slice() {
            return Err(refused("The snapshot is not what it was when it was made."));
        }
        let (heap, random) = read::state(self, body)?;
        self.heap = heap;
        self.random = random;
        Ok(())
    }
}

const fn profile_byte(profile: Profile) -> u8 {
    match profile {
        Profile::Luerl => 0,
        Profile::Lua53 => 1,
    }
}

#[cold]
fn refused(sentence: &str) -> LuaError {
    LuaError::limit(ErrorKind::Snapshot, sentence)
}

#[cfg(test)]
mod tests;
