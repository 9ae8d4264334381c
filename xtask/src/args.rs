//! The command line, read by hand: an argument parser would be the largest crate xtask compiles.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Serve,
    Build,
    Test,
    Bench,
    Tidy,
    Dist,
    Vectors,
}

/// Which compiler makes wasm32 (`--toolchain`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    /// rustup's target if it is there or can be added, otherwise Debian's packages.
    #[default]
    Auto,
    Rustup,
    Debian,
}

/// The whole command line.
#[derive(Clone, Debug)]
pub(crate) struct Args {
    pub(crate) task: Task,
    pub(crate) toolchain: Choice,
    /// `--loop-dispatch`: without the tail calls that not every compiler makes.
    pub(crate) loop_dispatch: bool,
    /// `build --into DIR`: where the page goes instead of dist/.
    pub(crate) into: Option<PathBuf>,
    /// `build --for-trunk`: into Trunk's staging directory, index.html left to Trunk.
    pub(crate) for_trunk: bool,
    /// `serve --open`: open a browser if there is one.
    pub(crate) open: bool,
    /// `serve --port N`.
    pub(crate) port: Option<u16>,
    /// `test --only STEP`.
    pub(crate) only: Option<String>,
    /// `test --all`: also what has not changed since it last succeeded.
    pub(crate) all: bool,
    /// `bench core`: what a node answers, not the runtime.
    pub(crate) core: bool,
    /// `bench verify`: verification in a browser, not the runtime.
    pub(crate) verify: bool,
    /// `bench wasm`: wasm processes in a browser.
    pub(crate) wasm: bool,
    /// `bench lua`: Lua programs, not the runtime.
    pub(crate) lua: bool,
    /// `bench --json`.
    pub(crate) json: bool,
    /// `vectors FILE…`.
    pub(crate) files: Vec<PathBuf>,
}

impl Args {
    /// Reads the words after `cargo xtask`.
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut words = words;
        let task = task(words.next().as_deref())?;
        let mut args = Self {
            task,
            toolchain: Choice::Auto,
            loop_dispatch: false,
            into: None,
            for_trunk: false,
            open: false,
            port: None,
            only: None,
            all: false,
            core: false,
            verify: false,
            wasm: false,
            lua: false,
            json: false,
            files: Vec::new(),
        };
        while let Some(word) = words.next() {
            args.option(&word, &mut words)?;
        }
        Ok(args)
    }

    fn option(&mut self, word: &str, rest: &mut impl Iterator<Item = String>) -> Result<()> {
        let mut value = || rest.next().with_context(|| format!("{word} wants a value"));
        match (self.task, word) {
            (_, "--help" | "-h") => self.task = Task::Help,
            (_, "--toolchain") => self.toolchain = choice(&value()?)?,
            (_, "--loop-dispatch") => self.loop_dispatch = true,
            (Task::Build, "--into") => self.into = Some(PathBuf::from(value()?)),
            (Task::Build, "--for-trunk") => self.for_trunk = true,
            (Task::Serve, "--open") => self.open = true,
            (Task::Serve, "--port") => self.port = Some(value()?.parse().context("--port wants a number")?),
            (Task::Test, "--only") => self.only = Some(value()?),
            (Task::Test, "--all") => self.all = true,
            (Task::Bench, "--json") => self.json = true,
            (Task::Bench, "core") => self.core = true,
            (Task::Bench, "verify") => self.verify = true,
            (Task::Bench, "wasm") => self.wasm = true,
            (Task::Bench, "lua") => self.lua = true,
            (Task::Vectors, file) if !file.starts_with('-') => self.files.push(PathBuf::from(file)),
            (_, other) => bail!("unknown option {other}; `cargo xtask help` lists them"),
        }
        Ok(())
    }
}

fn task(word: Option<&str>) -> Result<Task> {
    Ok(match word {
        None | Some("help" | "--help" | "-h") => Task::Help,
        Some("serve") => Task::Serve,
        Some("build") => Task::Build,
        Some("test") => Task::Test,
        Some("bench") => Task::Bench,
        Some("tidy") => Task::Tidy,
        Some("dist") => Task::Dist,
        Some("vectors") => Task::Vectors,
        Some(other) => bail!("unknown task {other}; `cargo xtask help` lists them"),
    })
}

fn choice(word: &str) -> Result<Choice> {
    Ok(match word {
        "auto" => Choice::Auto,
        "rustup" => Choice::Rustup,
        "debian" => Choice::Debian,
        other => bail!("--toolchain is auto, rustup or debian, not {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_belong_to_their_task() {
        assert!(parse("serve --open --port 80").unwrap().open);
        assert_eq!(parse("serve --port 8080").unwrap().port, Some(8080));
        assert_eq!(parse("build --into out").unwrap().into, Some(PathBuf::from("out")));
        assert_eq!(parse("test --only e2e").unwrap().only.as_deref(), Some("e2e"));
        assert!(parse("test --all").unwrap().all);
        assert_eq!(parse("test --toolchain debian").unwrap().toolchain, Choice::Debian);
        assert!(parse("bench verify --json").unwrap().verify);
        assert!(parse("bench core").unwrap().core);
        assert!(parse("bench lua").unwrap().lua);
        assert!(parse("bench wasm").unwrap().wasm);
        assert_eq!(parse("vectors a.json b.json").unwrap().files.len(), 2);
        assert!(parse("vectors --json").is_err());
        assert!(parse("test verify").is_err());
        assert!(parse("tidy --open").is_err());
        assert!(parse("test --only").is_err());
    }

    #[test]
    fn unknown_words_are_refused() {
        assert!(parse("biuld").is_err());
        assert!(parse("test --toolchain nightly").is_err());
        assert_eq!(parse("").unwrap().task, Task::Help);
        assert_eq!(parse("serve --help").unwrap().task, Task::Help);
    }
}
