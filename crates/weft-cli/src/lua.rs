//! `weft lua`: runs a script, or the cases of a file, and prints what comes of it.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value as Json, json};
use weft_codec::{Code, Error, Result};
use weft_lua::{Limits, LuaError, Profile, Vm, answer};

/// The largest script or file of cases that is read, in bytes.
const MAX_INPUT: u64 = 256 << 20;

/// What to run.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    /// The script, or - for standard input.
    #[arg(required_unless_present = "cases", conflicts_with = "cases", value_name = "FILE|-")]
    pub script: Option<PathBuf>,
    /// Run each case of a JSON file, {"cases": [{"lua": …}, …]}, in a machine of its own, and print one JSON object for each.
    /// Where a case has an answer to compare with, under "luerl" (or "puc" in profile lua53), the object says whether ours is
    /// equal.
    #[arg(long, value_name = "FILE")]
    pub cases: Option<PathBuf>,
    /// Whose Lua.
    #[arg(long, value_enum, default_value_t = Whose::Luerl)]
    pub profile: Whose,
    /// Instructions at most, for each script.
    #[arg(long, value_name = "N", default_value_t = 10_000_000_000)]
    pub fuel: u64,
    /// Memory at most, for each script.
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub memory: usize,
    /// Print {"result": …}, written as Luerl's own answers are: ok [1,2.0,<<"x">>], or an error; in profile lua53 as Lua itself
    /// writes values: ok 1, 2.0, "x".
    #[arg(long)]
    pub json: bool,
}

/// The profiles, by their names on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Whose {
    /// Luerl 1.3.0, which HyperBEAM's lua@5.3a is.
    Luerl,
    /// Lua 5.3 as its manual has it.
    Lua53,
}

impl Whose {
    /// The profile, what its corpora call the answer to compare with, and the chunk's name in messages.
    const fn profile(self) -> (Profile, &'static str, &'static str) {
        match self {
            Self::Luerl => (Profile::Luerl, "luerl", "script"),
            Self::Lua53 => (Profile::Lua53, "puc", "=script"),
        }
    }
}

impl Args {
    fn machine(&self) -> Vm {
        let limits = Limits { fuel: self.fuel, memory: self.memory, ..Limits::default() };
        Vm::new(self.profile.profile().0, limits)
    }
}

/// Runs what was asked for. The exit code is 0 when every script ended without an error, 1 when one did not, 2 when nothing
/// could be run: `unreadable`, `json-invalid`, `too-large`.
///
/// # Errors
/// Only if `out` cannot be written.
#[expect(clippy::print_stderr, reason = "errors go to the user")]
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    match scripts(args, out) {
        Err(error) if error.code() != Code::StoreFailed => {
            eprintln!("weft: {error} [{}]", error.code().as_str());
            Ok(ExitCode::from(2))
        }
        outcome => outcome,
    }
}

fn scripts(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    if let Some(path) = &args.cases {
        return cases(args, &read(path)?, out);
    }
    let program = read(args.script.as_deref().unwrap_or(Path::new("-")))?;
    let mut vm = args.machine();
    if args.json {
        let (line, ok) = judged(&mut vm, &program);
        return print(out, &line.to_string()).map(|()| code(ok));
    }
    plain(&mut vm, args.profile.profile().2, &program, out)
}

fn code(ok: bool) -> ExitCode {
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the script printed, then what it returned, tabs between; an error goes to the user with its code.
#[expect(clippy::print_stderr, reason = "errors go to the user")]
fn plain(vm: &mut Vm, name: &str, program: &[u8], out: &mut dyn Write) -> Result<ExitCode> {
    let outcome = vm.load(program, name).and_then(|function| vm.call(function, &[]));
    write_all(out, &vm.take_output())?;
    match outcome {
        Ok(values) => {
            let texts: Vec<Vec<u8>> = values.iter().map(|value| vm.plain_text(*value)).collect();
            if !texts.is_empty() {
                write_all(out, &[texts.join(&b'\t'), b"\n".to_vec()].concat())?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("weft: {} [{}]", String::from_utf8_lossy(&vm.error_text(&error)), error.kind().code());
            Ok(ExitCode::FAILURE)
        }
    }
}

/// `{"result": …}`, and whether the script ended well. What Luerl has no words for is `{"error": …}`.
fn judged(vm: &mut Vm, program: &[u8]) -> (Json, bool) {
    match answer(vm, program) {
        Ok(text) => {
            let ok = text == "ok" || text.starts_with("ok ");
            (json!({ "result": text }), ok)
        }
        Err(error) => (json!({ "error": stopped(vm, &error) }), false),
    }
}

fn stopped(vm: &Vm, error: &LuaError) -> Json {
    json!({ "code": error.kind().code(), "message": String::from_utf8_lossy(&vm.error_text(error)) })
}

fn cases(args: &Args, file: &[u8], out: &mut dyn Write) -> Result<ExitCode> {
    let refuse = |sentence: &str| Error::new(Code::JsonInvalid, sentence);
    let file: Json = serde_json::from_slice(file)
        .map_err(|cause| refuse("The file of cases is not JSON.").because(cause))?;
    let list = file.get("cases").and_then(Json::as_array);
    let list = list.ok_or_else(|| refuse("The file has no list `cases`."))?;
    let mut all = true;
    for (at, case) in list.iter().enumerate() {
        let program = case.get("lua").and_then(Json::as_str);
        let program = program.ok_or_else(|| refuse(&format!("Case {at} has no text `lua`.")))?;
        let (mut line, ok) = judged(&mut args.machine(), program.as_bytes());
        line["lua"] = program.into();
        match case.get(args.profile.profile().1) {
            Some(expected) => {
                let equal = line.get("result") == Some(expected);
                line["equal"] = equal.into();
                all &= equal;
            }
            None => all &= ok,
        }
        print(out, &line.to_string())?;
    }
    Ok(code(all))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("`{}` cannot be read.", path.display())).because(cause)
    };
    let mut bytes = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(MAX_INPUT + 1).read_to_end(&mut bytes),
        false => std::fs::File::open(path).and_then(|file| file.take(MAX_INPUT + 1).read_to_end(&mut bytes)),
    };
    read.map_err(failed)?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(Error::new(Code::TooLarge, format!("At most {MAX_INPUT} bytes are read.")));
    }
    Ok(bytes)
}

fn print(out: &mut dyn Write, line: &str) -> Result<()> {
    write_all(out, format!("{line}\n").as_bytes())
}

fn write_all(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    out.write_all(bytes)
        .map_err(|cause| Error::new(Code::StoreFailed, "The output cannot be written.").because(cause))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn args(extra: &[&str]) -> Args {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            args: Args,
        }
        let line = ["lua"].iter().chain(extra).copied();
        <Only as clap::Parser>::try_parse_from(line).unwrap().args
    }

    fn json_of(program: &str, extra: &[&str]) -> Json {
        let line = [&["--json", "-"], extra].concat();
        judged(&mut args(&line).machine(), program.as_bytes()).0
    }

    #[test]
    fn results_are_written_as_luerl_s() {
        assert_eq!(json_of("return 1, 2.0, \"x\"", &[]), json!({ "result": "ok [1,2.0,<<\"x\">>]" }));
        assert_eq!(
            json_of("return 1 + {}", &[]),
            json!({ "result": "lua_error {badarith,'+',[1,{tref,14}]}" })
        );
        assert_eq!(json_of("goto x", &[]), json!({ "result": "error function_clause" }));
    }

    #[test]
    fn limits_are_errors_with_a_code() {
        assert_eq!(json_of("while true do end", &["--fuel", "1000"])["error"]["code"], "lua-out-of-fuel");
        let program = "local s = 'x' while true do s = s .. s end";
        assert_eq!(json_of(program, &["--memory", "1000000"])["error"]["code"], "lua-out-of-memory");
    }

    #[test]
    fn cases_answer_one_object_each() {
        let file = json!({ "cases": [{ "lua": "return 1", "luerl": "ok [1]" }, { "lua": "return 2", "luerl": "ok [3]" }, { "lua": "x" }] });
        let mut out = Vec::new();
        cases(&args(&["-"]), file.to_string().as_bytes(), &mut out).unwrap();
        let lines: Vec<Json> = std::str::from_utf8(&out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], json!({ "lua": "return 1", "result": "ok [1]", "equal": true }));
        assert_eq!(lines[1]["equal"], false);
        assert!(lines[2]["result"].as_str().unwrap().starts_with("compile_error [{1,"));
    }
}
