//! `weft replay --history`: a history from a file, instead of a scheduler and a gateway.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use weft_codec::{Code, Error, Id, Result};
use weft_node::{HistoryFile, MAX_HISTORY_BYTES};

/// Reads and proves a file. `wanted` is the process that the user names, if any.
///
/// # Errors
/// `unreadable`; `process-mismatch` for the history of another process; those of [`HistoryFile::read`].
pub(super) fn read(path: &Path, wanted: Option<Id>) -> Result<HistoryFile> {
    let unreadable = |cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("{} cannot be read.", path.display())).because(cause)
    };
    let mut bytes = Vec::new();
    // One byte more than is allowed shows that a file is too long.
    let most = MAX_HISTORY_BYTES as u64 + 1;
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(unreadable)?;
    let file = HistoryFile::read(&bytes).map_err(|error| error.at(path.display().to_string()))?;
    let found = file.process().id;
    match wanted {
        Some(wanted) if wanted != found => {
            let sentence = format!("{} is the history of process {found}, not of {wanted}.", path.display());
            Err(Error::new(Code::ProcessMismatch, sentence))
        }
        _ => Ok(file),
    }
}
