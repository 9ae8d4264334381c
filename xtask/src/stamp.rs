//! Fingerprints of what a step reads, so that it can be skipped when nothing changed.
//!
//! Content is hashed, not dates: a fresh checkout or a switched branch does not make a step run again.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::ctx::Ctx;
use crate::files;

/// The fingerprint of one step's inputs, compared with the one of its last success.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: Sha256,
}

impl Stamp {
    pub(crate) fn new(ctx: &Ctx, step: &str) -> Self {
        Self { file: ctx.own().join("stamps").join(step), hash: Sha256::new() }
    }

    /// Adds a text: a command line, a version.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.add(text.as_bytes());
        self
    }

    /// Adds a file, or every file of a directory; what does not exist counts as such.
    pub(crate) fn path(mut self, path: &Path) -> Result<Self> {
        if path.is_dir() {
            for file in files::walk(path)? {
                self.one(&file)?;
            }
        } else {
            self.one(path)?;
        }
        Ok(self)
    }

    /// Adds several paths below a directory.
    pub(crate) fn paths(self, root: &Path, names: &[&str]) -> Result<Self> {
        names.iter().try_fold(self, |stamp, name| stamp.path(&root.join(name)))
    }

    /// True when nothing changed since the last success and the outputs are still there.
    pub(crate) fn fresh(&self, outputs: &[PathBuf]) -> bool {
        let saved = std::fs::read_to_string(&self.file).unwrap_or_default();
        saved == self.hex() && outputs.iter().all(|output| output.exists())
    }

    /// Remembers this success.
    pub(crate) fn save(&self) -> Result<()> {
        files::write(&self.file, self.hex().as_bytes())
    }

    fn one(&mut self, file: &Path) -> Result<()> {
        self.add(file.to_string_lossy().as_bytes());
        match std::fs::read(file) {
            Ok(bytes) => self.add(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.add(b"absent"),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    fn hex(&self) -> String {
        self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Scratch;

    fn stamp(dir: &Path, text: &str) -> Stamp {
        let stamp = Stamp { file: dir.join("stamp"), hash: Sha256::new() };
        stamp.text(text).path(&dir.join("in")).unwrap()
    }

    #[test]
    fn fresh_until_an_input_or_output_changes() {
        let dir = Scratch::new("stamp");
        let out = [dir.join("out")];
        files::write(&dir.join("in/a"), b"1").unwrap();
        files::write(&out[0], b"made").unwrap();
        assert!(!stamp(&dir, "v1").fresh(&out));
        stamp(&dir, "v1").save().unwrap();
        assert!(stamp(&dir, "v1").fresh(&out));
        assert!(!stamp(&dir, "v2").fresh(&out));
        files::write(&dir.join("in/a"), b"2").unwrap();
        assert!(!stamp(&dir, "v1").fresh(&out));
        files::write(&dir.join("in/a"), b"1").unwrap();
        assert!(stamp(&dir, "v1").fresh(&out));
        files::write(&dir.join("in/b"), b"").unwrap();
        assert!(!stamp(&dir, "v1").fresh(&out));
        std::fs::remove_file(dir.join("in/b")).unwrap();
        std::fs::remove_file(&out[0]).unwrap();
        assert!(!stamp(&dir, "v1").fresh(&out));
    }
}
