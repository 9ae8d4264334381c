//! Starting other programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::say::{self, speaker};

/// A program about to be run. Standard input is always closed: no step may wait for a person.
pub(crate) struct Run {
    command: Command,
}

/// What a captured run said, and whether it succeeded.
pub(crate) struct Said {
    pub(crate) ok: bool,
    /// Standard output and standard error, line by line as they came.
    pub(crate) text: String,
}

impl Run {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self { command }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The command line, for messages and fingerprints.
    pub(crate) fn line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    /// Runs it in the open; an error unless it succeeds.
    pub(crate) fn go(mut self) -> Result<()> {
        if speaker().is_some() {
            let line = self.line();
            return if self.tee()?.ok { Ok(()) } else { bail!("`{line}` failed") };
        }
        let status = self.command.status().with_context(|| format!("cannot start {}", self.line()))?;
        if !status.success() {
            bail!("`{}` failed ({status})", self.line());
        }
        Ok(())
    }

    /// Runs it silently and returns its trimmed standard output; an error, with what it said, unless it succeeds.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self.command.output().with_context(|| format!("cannot start {}", self.line()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` failed ({}): {}", self.line(), output.status, said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs it silently; whether it succeeded. False as well when there is no such program.
    pub(crate) fn works(mut self) -> bool {
        self.command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// Runs it in the open and keeps what it says, to be counted.
    pub(crate) fn tee(mut self) -> Result<Said> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().with_context(|| format!("cannot start {}", self.line()))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let speaker = speaker();
        let text = std::thread::scope(|scope| {
            let out = scope.spawn(|| out.map(|out| copy(out, speaker)).unwrap_or_default());
            let err = scope.spawn(|| err.map(|err| copy(err, speaker)).unwrap_or_default());
            let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
            format!("{out}{err}")
        });
        let ok = child.wait()?.success();
        Ok(Said { ok, text })
    }

    /// Starts it in the open and returns at once.
    pub(crate) fn start(mut self) -> Result<Child> {
        self.command.spawn().with_context(|| format!("cannot start {}", self.line()))
    }
}

/// Prints lines as they come and returns them all.
fn copy(from: impl Read, speaker: Option<&'static str>) -> String {
    let mut text = String::new();
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(count) if count > 0) {
        let said = String::from_utf8_lossy(&line);
        say::line(speaker, said.trim_end());
        text.push_str(&said);
        line.clear();
    }
    text
}

/// The first program of that name on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|dir| dir.join(&name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tee_keeps_both_streams_and_the_exit_code() {
        let said = Run::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]).tee().unwrap();
        assert!(!said.ok);
        assert!(said.text.contains("out\n") && said.text.contains("err\n"));
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = Run::new("sh").args(["-c", "echo why >&2; exit 1"]).read().unwrap_err().to_string();
        assert!(error.contains("sh -c") && error.contains("why"), "{error}");
        assert!(!Run::new("no-such-program-anywhere").works());
    }
}
