//! `--drive DIR`: the files of Arweave that a module with WeaveDrive reads, from a folder.

use std::path::Path;

use weft_codec::{Code, Error, Result};
use weft_core::weavedrive::transaction_file;
use weft_wasm::Drive;

/// Most bytes of all files.
const MAX_BYTES: u64 = 1 << 30;

/// Reads `DIR/data/ID`, `DIR/block/HEIGHT` and `DIR/tx/ID`; any of the three folders may be missing. A transaction gets the address
/// of its owner, as on a compute unit.
///
/// # Errors
/// `unreadable`; `too-large`; `json-invalid` for a transaction that is none.
pub(super) fn read(folder: &Path) -> Result<Drive> {
    let (drive, mut total) = (Drive::new(), 0_u64);
    if !folder.is_dir() {
        return Err(Error::new(Code::Unreadable, format!("{} is no folder", folder.display())));
    }
    for kind in ["data", "block", "tx"] {
        let inside = folder.join(kind);
        if !inside.exists() {
            continue;
        }
        for entry in std::fs::read_dir(&inside).map_err(|cause| unreadable(&inside, cause))? {
            let file = entry.map_err(|cause| unreadable(&inside, cause))?.path();
            let Some(name) = file.file_name().and_then(|name| name.to_str()).filter(|_| file.is_file())
            else {
                continue;
            };
            let size = file.metadata().map_err(|cause| unreadable(&file, cause))?.len();
            total = total.saturating_add(size);
            if total > MAX_BYTES {
                return Err(Error::new(
                    Code::TooLarge,
                    format!("{} has more than a gigabyte", folder.display()),
                ));
            }
            let bytes = std::fs::read(&file).map_err(|cause| unreadable(&file, cause))?;
            let bytes = match kind {
                "tx" => {
                    let text = String::from_utf8_lossy(&bytes);
                    transaction_file(&text).map_err(|error| error.at(file.display()))?.into_bytes()
                }
                _ => bytes,
            };
            drive.put(format!("/{kind}/{name}"), bytes);
        }
    }
    Ok(drive)
}

fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    Error::new(Code::Unreadable, format!("{} cannot be read", path.display())).because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_drive_is_refused() {
        let dir = std::env::temp_dir().join(format!("weft-drive-{}", std::process::id()));
        assert_eq!(read(&dir).unwrap_err().code(), Code::Unreadable);
        std::fs::create_dir_all(dir.join("tx")).unwrap();
        std::fs::create_dir_all(dir.join("data")).unwrap();
        std::fs::write(dir.join("data/a"), "text").unwrap();
        std::fs::write(dir.join("tx/b"), r#"{"owner":"AQAB"}"#).unwrap();
        assert!(read(&dir).is_ok());
        for text in ["", "[]", "{}", r#"{"owner":"!"}"#] {
            std::fs::write(dir.join("tx/b"), text).unwrap();
            assert!(read(&dir).is_err(), "{text}");
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
