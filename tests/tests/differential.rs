//! weft-wasm against npm `@permaweb/ao-loader`: the same messages, the same answers, the same memory.
//!
//! The loader's answers are made by node once and kept under target/, by the hash of everything they depend on.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the report of each comparison is worth reading")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use weft_tests::differential::{How, Report, compare};
use weft_wasm::engine::Wasmi;
use weft_wasm::{Code, Format, Limits, Program};

pub(crate) const WASM64: (&str, &str) = ("aos2_0_6.wasm", "wasm64-unknown-emscripten-draft_2024_02_15");
/// Gas of a slice where messages are cut: several cuts in most messages of aos, most of them within a `pcall`.
const SLICE: u64 = 100_003;
/// What HyperBEAM runs without a loader.
pub(crate) const PURE: &str = "wasm-64@1.0";
const WASM32: (&str, &str) = ("aos2_0_4_32.wasm", "wasm32-unknown-emscripten4");

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| {
        panic!("{}: {error}. Run `cargo xtask test`: it installs what the tests need.", path.display())
    })
}

/// A module that `cargo xtask test` fetched; it says where by `WEFT_MODULES`.
#[expect(clippy::disallowed_methods, reason = "the modules are not ours to keep in the repository")]
pub(crate) fn module(file: &str) -> PathBuf {
    let folder =
        std::env::var("WEFT_MODULES").expect("WEFT_MODULES is not set. Run `cargo xtask test`: it sets it.");
    PathBuf::from(folder).join(file)
}

/// What is in the folder that `WEFT_OTHER_MODULES` names: modules that no package carries (docs/wasm.md says where they are from). They are
/// nobody's to ship, so where they are missing the test says so.
pub(crate) fn other_modules(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("WEFT_OTHER_MODULES").unwrap_or_default()).join(file);
    if path.is_absolute() && path.exists() {
        return Some(path);
    }
    println!("{file} is not in WEFT_OTHER_MODULES: nothing was compared");
    None
}

pub(crate) fn node(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("node").args(arguments).current_dir(here()).env("TZ", "UTC").output();
    let output = output.expect("node cannot be started. Run `cargo xtask test`: it says what is missing.");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "node {arguments:?}: {complaint}");
    output.stdout
}

/// Two tests may ask for the same answers at the same time.
static MAKING: Mutex<()> = Mutex::new(());

/// The reference's answers, made now or kept from an earlier run: the loader's, or V8's where HyperBEAM runs a module as it is.
pub(crate) fn reference(module: &Path, format: &str, mode: &str, workload: &[u8]) -> String {
    let runner = if format == PURE { "hyperbeam.mjs" } else { "reference.mjs" };
    let runner = here().join("differential").join(runner);
    let mut hash = Sha256::new();
    for part in [
        workload,
        &read(&runner),
        &read(&here().join("node_modules/@permaweb/ao-loader/package.json")),
        &read(&here().join("node_modules/@permaweb/weavedrive/package.json")),
        &read(module),
        format!("{format} {mode}").as_bytes(),
    ] {
        hash.update(Sha256::digest(part));
    }
    let key = hex::encode(hash.finalize());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("differential");
    std::fs::create_dir_all(&folder).unwrap();
    let kept = folder.join(format!("{key}.json"));
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if !kept.exists() {
        let messages = folder.join(format!("{key}.messages.json"));
        let written = folder.join(format!("{key}.part"));
        std::fs::write(&messages, workload).unwrap();
        let [runner, module, messages, out] =
            [runner.as_path(), module, messages.as_path(), written.as_path()]
                .map(|path| path.to_str().unwrap());
        node(&["--experimental-wasm-memory64", runner, module, format, messages, out, mode]);
        std::fs::rename(&written, &kept).unwrap();
    }
    String::from_utf8(read(&kept)).unwrap()
}

/// How a module is compared.
struct Compared<'a> {
    module: PathBuf,
    format: &'a str,
    /// What makes the messages.
    workload: &'a str,
    mode: &'a str,
    slice: u64,
    /// How many messages, the first ones; all if there are fewer.
    most: usize,
}

impl Compared<'_> {
    /// Compares, and says how much. The expected numbers are for the caller to ask for.
    fn run(&self) -> Report {
        let Self { module, format, mode, slice, .. } = self;
        let bytes = read(module);
        let mut workload: serde_json::Value = serde_json::from_slice(&node(&[self.workload])).unwrap();
        let messages = workload["messages"].as_array_mut().unwrap();
        messages.truncate(self.most);
        if self.most < MANY {
            // What takes longest, and is no matter of this module's.
            messages.retain(|message| !long(message["Data"].as_str()));
        }
        let text = workload.to_string();
        let reference = reference(module, format, mode, text.as_bytes());
        let how = How { engine: &Wasmi, limit: usize::MAX, slice: *slice };
        let name = module.file_name().unwrap().to_string_lossy().into_owned();
        let report = compare(&bytes, format, &text, &reference, how)
            .unwrap_or_else(|difference| panic!("{name}, {format}, {mode}, slices of {slice}: {difference}"));
        println!("{name}, {format}, {mode}, slices of {slice}: {report:?}");
        report
    }
}

/// Fewer messages than this are asked for where a module is one of many: without those that take longest.
const MANY: usize = 1_000;

/// Also what nests until the host's own stack ends: metered modules of the loader end sooner.
fn long(data: Option<&str>) -> bool {
    const LONG: [&str; 4] = ["900000000", "20000000", "return g() + 1", "return pcall(f)"];
    data.is_some_and(|data| LONG.iter().any(|long| data.contains(long)))
}

const WORKLOAD: &str = "differential/workload.mjs";

fn all_equal((file, format): (&str, &str), mode: &str, slice: u64) {
    let report =
        Compared { module: module(file), format, workload: WORKLOAD, mode, slice, most: usize::MAX }.run();
    assert!(report.messages >= 200 && report.memories >= 18 && report.roots > 0, "{report:?}");
    assert_eq!(report.rolled_back > 0, mode == "roll-back");
}

/// Other modules of the package: those with a 64-bit memory, and the one with SQL.
#[test]
fn other_modules_in_place() {
    for (file, workload) in
        [("sqlite.wasm", "differential/sqlite.mjs"), ("aos2_0_1.wasm", WORKLOAD), ("aos2_0_3.wasm", WORKLOAD)]
    {
        let (format, slice) = (WASM64.1, u64::MAX);
        let report =
            Compared { module: module(file), format, workload, mode: "keep", slice, most: MANY - 1 }.run();
        assert!(report.messages >= 200 && report.memories >= 18 && report.roots > 0, "{report:?}");
    }
}

/// llama starts with 1.2 GB: more than a compute unit gives, unless it is told to. Without a model, it answers as aos does.
#[test]
fn llama_is_refused_and_runs_where_it_may() {
    let bytes = read(&module("llama.wasm"));
    let (format, limits) = (Format::parse(WASM64.1).unwrap(), Limits::default());
    let refused = Program::compile(&bytes, format, &limits).map(drop).unwrap_err();
    assert_eq!(refused.code(), Code::MemoryLimit);
    let said = "the module starts with 1258291200 bytes of memory; 1073741824 are allowed";
    assert_eq!(refused.sentence(), said);
    let mut workload: serde_json::Value = serde_json::from_slice(&node(&[WORKLOAD])).unwrap();
    workload["messages"].as_array_mut().unwrap().truncate(4);
    workload["memory_limit"] = (2_u64 << 30).into();
    let text = workload.to_string();
    let reference = reference(&module("llama.wasm"), WASM64.1, "keep", text.as_bytes());
    let how = How { engine: &Wasmi, limit: usize::MAX, slice: u64::MAX };
    let report = compare(&bytes, WASM64.1, &text, &reference, how).unwrap();
    println!("llama.wasm: {report:?}");
    assert!(report.messages == 4 && report.memories == 1, "{report:?}");
}

/// Files of Arweave, read through npm `@permaweb/weavedrive` in the loader and from a drive here.
#[test]
fn weavedrive_in_place() {
    // The other format has the same host functions: some messages.
    for ((file, format), most) in [(WASM64, usize::MAX), (WASM32, 80)] {
        let (mode, slice, workload) = ("keep", u64::MAX, "differential/weavedrive.mjs");
        let report = Compared { module: module(file), format, workload, mode, slice, most }.run();
        assert!(report.messages >= most.min(200) && report.memories >= 8, "{report:?}");
    }
}

/// The loader counts its own gas there.
#[test]
fn metering_formats_in_place() {
    for (file, format) in [
        (WASM64.0, "wasm64-unknown-emscripten-draft_2024_10_16-metering"),
        (WASM32.0, "wasm32-unknown-emscripten-metering"),
    ] {
        let (workload, mode, slice) = (WORKLOAD, "keep", u64::MAX);
        let report = Compared { module: module(file), format, workload, mode, slice, most: MANY - 1 }.run();
        assert!(report.messages >= 200 && report.memories >= 18 && report.roots > 0, "{report:?}");
    }
}

/// Modules that no package carries: their place in the folder, and the formats they are run in.
const OTHERS: [(&str, &str); 10] = [
    ("hyperbeam/test-aos.wasm", WASM64.1),
    ("ao/wasm64-emscripten.wasm", WASM64.1),
    ("ao/wasm64-emscripten.wasm", "wasm64-unknown-emscripten-draft_2024_10_16-metering"),
    ("ao/emscripten4.wasm", WASM32.1),
    ("ao/emscripten4.wasm", "wasm32-unknown-emscripten-metering"),
    ("npm/aos.wasm", WASM64.1),
    ("hyperbeam/aos-2-pure-xs.wasm", PURE),
    ("hyperbeam/test-standalone-wex-aos.wasm", PURE),
    ("hyperbeam/test-standalone-ex-aos.wasm", PURE),
    ("hyperbeam/test-wasi-aos.wasm", PURE),
];

#[test]
fn modules_of_other_repositories_in_place() {
    for (file, format) in OTHERS {
        let Some(module) = other_modules(file) else { continue };
        let (workload, mode, slice) = (WORKLOAD, "keep", u64::MAX);
        let report = Compared { module, format, workload, mode, slice, most: MANY - 1 }.run();
        assert!(report.messages >= 200 && report.memories >= 18 && report.roots > 0, "{report:?}");
    }
}

#[test]
fn wasm64_in_place() {
    all_equal(WASM64, "keep", u64::MAX);
}

#[test]
fn wasm64_rolled_back_as_the_legacy_cu_does() {
    all_equal(WASM64, "roll-back", SLICE);
}

#[test]
fn wasm32_in_place() {
    all_equal(WASM32, "keep", u64::MAX);
}

#[test]
fn wasm32_rolled_back_as_the_legacy_cu_does() {
    all_equal(WASM32, "roll-back", SLICE);
}

#[test]
fn a_difference_is_found() {
    let (file, format) = WASM32;
    let module = module(file);
    let workload = node(&["differential/workload.mjs"]);
    let reference =
        reference(&module, format, "keep", &workload).replacen("\"data\":\"42\"", "\"data\":\"43\"", 1);
    let text = std::str::from_utf8(&workload).unwrap();
    let difference =
        compare(&read(&module), format, text, &reference, How { engine: &Wasmi, limit: 10, slice: u64::MAX })
            .unwrap_err();
    assert!(difference.starts_with("message 3 "), "{difference}");
}
