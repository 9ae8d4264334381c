//! Files and folders, in a fixed order and with bounds.

use std::path::{Path, PathBuf};

use weft_codec::{Code, Error, Result};

/// The deepest folder that is entered.
const MAX_DEPTH: usize = 32;
/// The most files of one run.
const MAX_FILES: usize = 100_000;

/// Calls `visit` with every file at or below a path, sorted by name, and whether the user named it. What cannot be
/// read is visited too, with its error.
pub(super) fn files(path: &Path, visit: &mut dyn FnMut(Result<&Path>, bool)) {
    if !path.is_dir() {
        return visit(Ok(path), true);
    }
    let mut files = Vec::new();
    match collect(path, 0, &mut files) {
        Ok(()) => files.iter().for_each(|file| visit(Ok(file), false)),
        Err(error) => visit(Err(error), true),
    }
}

/// Links to folders are not followed, so the walk ends.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let shown = folder.display();
    if depth > MAX_DEPTH {
        return Err(Error::new(Code::TooLarge, format!("{shown}: folders are entered {MAX_DEPTH} deep.")));
    }
    let unreadable = |cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("{shown} cannot be read.")).because(cause)
    };
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        inside.push((entry.path(), entry.file_type().map_err(unreadable)?));
    }
    inside.sort_by(|(left, _), (right, _)| left.cmp(right));
    for (path, kind) in inside {
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if path.is_file() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(Error::new(Code::TooLarge, format!("There are more than {MAX_FILES} files.")));
        }
    }
    Ok(())
}
