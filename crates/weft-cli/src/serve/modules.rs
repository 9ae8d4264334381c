//! Modules named on the command line.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use weft_codec::ao::is_lua_text;
use weft_codec::{Code, Error, Result};
use weft_wasm::{Format, Limits, Program};

/// The format of files that end in `.lua`.
const LUA: &str = "application/lua";
/// The largest module that is published.
const MAX_MODULE: u64 = 64 << 20;
/// The formats a module may turn out to have, in the order they are tried.
const FORMATS: [&str; 3] =
    ["wasm64-unknown-emscripten-draft_2024_02_15", "wasm32-unknown-unknown", "wasm32-unknown-emscripten4"];

/// `FILE` or `FILE:FORMAT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleFile {
    file: PathBuf,
    format: Option<String>,
}

impl FromStr for ModuleFile {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        Ok(match text.rsplit_once(':') {
            // A colon may belong to the file's name: only what is a format is one.
            Some((file, format)) if is_lua_text(format) || Format::parse(format).is_ok() => {
                Self { file: file.into(), format: Some(format.to_owned()) }
            }
            _ => Self { file: text.into(), format: None },
        })
    }
}

/// A module that was read.
pub(super) struct ModuleBytes {
    pub(super) file: String,
    pub(super) format: String,
    pub(super) bytes: Vec<u8>,
}

/// Reads the modules and finds out their formats.
pub(super) fn read(files: &[ModuleFile]) -> Result<Vec<ModuleBytes>> {
    files.iter().map(read_one).collect()
}

fn read_one(module: &ModuleFile) -> Result<ModuleBytes> {
    let file = module.file.display().to_string();
    let unreadable = |cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("The module {file} cannot be read.")).because(cause)
    };
    if std::fs::metadata(&module.file).map_err(unreadable)?.len() > MAX_MODULE {
        return Err(Error::new(
            Code::TooLarge,
            format!("The module {file} has more than {MAX_MODULE} bytes."),
        ));
    }
    let bytes = std::fs::read(&module.file).map_err(unreadable)?;
    let format = match &module.format {
        Some(format) => format.clone(),
        None if module.file.extension().is_some_and(|end| end == "lua") => LUA.to_owned(),
        None => found_format(&bytes).map_err(|error| error.at(&file))?,
    };
    Ok(ModuleBytes { file, format, bytes })
}

/// The first format the module compiles in.
fn found_format(bytes: &[u8]) -> Result<String> {
    let mut last = Error::new(Code::ModuleFormatUnsupported, "No format fits.");
    for format in FORMATS {
        match Format::parse(format).and_then(|format| Program::compile(bytes, format, &Limits::default())) {
            Ok(_) => return Ok(format.to_owned()),
            Err(error) => last = error,
        }
    }
    let sentence = "The module fits no format this version runs. Name one with FILE:FORMAT.";
    Err(Error::new(Code::ModuleFormatUnsupported, sentence).because(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_format_is_cut_from_the_name() {
        let parse = |text: &str| text.parse::<ModuleFile>().unwrap();
        let named = parse("a/b.wasm:wasm32-unknown-unknown");
        assert_eq!(
            (named.file, named.format),
            ("a/b.wasm".into(), Some("wasm32-unknown-unknown".to_owned()))
        );
        assert_eq!(parse("C:/b.wasm"), ModuleFile { file: "C:/b.wasm".into(), format: None });
    }
}
