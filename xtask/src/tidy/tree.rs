//! The sources as the rules see them.

use std::fmt;
use std::path::Path;

use anyhow::Result;

use super::code;
use crate::cmd::Run;

/// Every file of the project: what git tracks, and what it would track.
pub(super) struct Tree {
    pub(super) files: Vec<Source>,
}

/// One text file.
pub(super) struct Source {
    /// Path from the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// The text with comments and string contents blanked, if it is Rust; the same lines and columns.
    pub(super) code: String,
}

/// Something that breaks a rule.
#[derive(Debug)]
pub(super) struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    message: String,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let list = Run::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .dir(root)
            .read()?;
        let mut files = Vec::new();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            // Absent: deleted and not committed yet. Not UTF-8: binary.
            let Ok(text) = std::fs::read_to_string(root.join(path)) else { continue };
            files.push(Source::new(path, text));
        }
        Ok(Self { files })
    }

    /// A tree of made-up files.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| Source::new(path, (*text).to_owned())).collect() }
    }

    pub(super) fn get(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Cargo.toml files of packages, each with its directory (`""` or ending in `/`).
    pub(super) fn packages(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.files.iter().filter_map(|file| {
            let dir = file.path.strip_suffix("Cargo.toml")?;
            file.text.contains("[package]").then_some((dir, file))
        })
    }
}

impl Source {
    fn new(path: &str, text: String) -> Self {
        let code = if path.ends_with(".rs") { code::blank(&text) } else { text.clone() };
        Self { path: path.to_owned(), text, code }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Something a person wrote as program text.
    pub(super) fn is_program(&self) -> bool {
        let ends = [".rs", ".ts", ".js", ".mjs", ".css", ".html"];
        ends.iter().any(|end| self.path.ends_with(end))
    }

    pub(super) fn within(&self, dirs: &[&str]) -> bool {
        dirs.iter().any(|dir| self.path.starts_with(dir))
    }

    /// A finding at a line counted from 0.
    pub(super) fn at(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line: line + 1, message: message.into() }
    }

    /// A finding about the whole file.
    pub(super) fn whole(&self, message: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line: 0, message: message.into() }
    }
}

impl Finding {
    /// A finding about a file that should be there.
    pub(super) fn missing(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: 0, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.path, self.message),
            line => write!(out, "{}:{line}: {}", self.path, self.message),
        }
    }
}
