//! NaN with the bits that x86 gives it.
//!
//! WebAssembly leaves open which NaN an operation gives, and machines differ: `0/0` is negative on x86 and positive on ARM,
//! and `tostring(0/0)` in Lua shows it. So where an operation gave NaN, a function of ours says which one: the first operand
//! that is NaN, made quiet; else the negative quiet NaN. `min` and `max` give the latter whatever they got, as V8's do on x86.
//! An operation that gave a number pays one comparison.

use wasm_encoder::{BlockType, Function, InstructionSink, ValType};
use wasmparser::Operator;

/// Sign, exponent and the bit that says quiet: the NaN of an invalid operation.
const DEFAULT_32: i32 = -0x0040_0000;
const DEFAULT_64: i64 = -0x0008_0000_0000_0000;
const QUIET_32: i32 = 0x0040_0000;
const QUIET_64: i64 = 0x0008_0000_0000_0000;

/// Bits by which a double's fraction is longer.
const LONGER: i64 = 29;

/// A function of ours that says which NaN it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Helper {
    /// Of two floats.
    Of32,
    /// Of two doubles.
    Of64,
    /// Of a float as a double.
    Promoted,
    /// Of a double as a float.
    Demoted,
}

impl Helper {
    pub(super) const ALL: [Self; 4] = [Self::Of32, Self::Of64, Self::Promoted, Self::Demoted];

    pub(super) fn signature(self) -> (&'static [ValType], ValType) {
        match self {
            Self::Of32 => (&[ValType::F32, ValType::F32], ValType::F32),
            Self::Of64 => (&[ValType::F64, ValType::F64], ValType::F64),
            Self::Promoted => (&[ValType::F32], ValType::F64),
            Self::Demoted => (&[ValType::F64], ValType::F32),
        }
    }

    pub(super) fn body(self) -> Function {
        match self {
            Self::Of32 => of_32(),
            Self::Of64 => of_64(),
            Self::Promoted => promoted(),
            Self::Demoted => demoted(),
        }
    }
}

fn of_32() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for operand in [0, 1] {
        code.local_get(operand).local_get(operand).f32_ne().if_(BlockType::Empty);
        code.local_get(operand).i32_reinterpret_f32().i32_const(QUIET_32).i32_or();
        code.f32_reinterpret_i32().return_().end();
    }
    code.i32_const(DEFAULT_32).f32_reinterpret_i32().end();
    function
}

fn of_64() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for operand in [0, 1] {
        code.local_get(operand).local_get(operand).f64_ne().if_(BlockType::Empty);
        code.local_get(operand).i64_reinterpret_f64().i64_const(QUIET_64).i64_or();
        code.f64_reinterpret_i64().return_().end();
    }
    code.i64_const(DEFAULT_64).f64_reinterpret_i64().end();
    function
}

/// The sign and the fraction, as far as it goes.
fn promoted() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    code.local_get(0).i32_reinterpret_f32().i64_extend_i32_u().i64_const(0x007F_FFFF).i64_and();
    code.i64_const(LONGER).i64_shl();
    code.local_get(0).i32_reinterpret_f32().i64_extend_i32_s().i64_const(i64::MIN).i64_and();
    code.i64_or().i64_const(i64::MAX ^ 0x0007_FFFF_FFFF_FFFF).i64_or();
    code.f64_reinterpret_i64().end();
    function
}

/// The sign and the upper bits of the fraction.
fn demoted() -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    code.local_get(0).i64_reinterpret_f64().i64_const(LONGER).i64_shr_u().i32_wrap_i64();
    code.i32_const(0x007F_FFFF).i32_and();
    code.local_get(0).i64_reinterpret_f64().i64_const(32).i64_shr_u().i32_wrap_i64();
    code.i32_const(i32::MIN).i32_and();
    code.i32_or().i32_const(i32::MAX ^ 0x003F_FFFF).i32_or();
    code.f32_reinterpret_i32().end();
    function
}

/// The width of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    W32,
    W64,
}

/// How an operation comes to a NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// From one operand, or anew.
    Unary(Width),
    /// From either operand, or anew.
    Binary(Width),
    /// Anew.
    Extreme(Width),
    /// From a float.
    Promotion,
    /// From a double.
    Demotion,
}

impl Rule {
    /// The rule of an instruction that may give a NaN of the machine's choice.
    pub(super) fn of(operator: &Operator<'_>) -> Option<Self> {
        use Operator as O;
        use Width::{W32, W64};
        Some(match operator {
            O::F32Add | O::F32Sub | O::F32Mul | O::F32Div => Self::Binary(W32),
            O::F64Add | O::F64Sub | O::F64Mul | O::F64Div => Self::Binary(W64),
            O::F32Min | O::F32Max => Self::Extreme(W32),
            O::F64Min | O::F64Max => Self::Extreme(W64),
            O::F32Sqrt | O::F32Ceil | O::F32Floor | O::F32Trunc | O::F32Nearest => Self::Unary(W32),
            O::F64Sqrt | O::F64Ceil | O::F64Floor | O::F64Trunc | O::F64Nearest => Self::Unary(W64),
            O::F64PromoteF32 => Self::Promotion,
            O::F32DemoteF64 => Self::Demotion,
            _ => return None,
        })
    }

    /// Whether it needs the locals for floats and for doubles.
    pub(super) fn needs(self) -> (bool, bool) {
        match self {
            Self::Unary(width) | Self::Binary(width) | Self::Extreme(width) => {
                (width == Width::W32, width == Width::W64)
            }
            Self::Promotion | Self::Demotion => (true, true),
        }
    }

    /// The width of the result.
    fn result(self) -> Width {
        match self {
            Self::Unary(width) | Self::Binary(width) | Self::Extreme(width) => width,
            Self::Promotion => Width::W64,
            Self::Demotion => Width::W32,
        }
    }
}

/// Three locals of a width: both operands and the result, or where the first of them is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Locals {
    pub(super) floats: u32,
    pub(super) doubles: u32,
}

impl Locals {
    fn first(self, width: Width) -> u32 {
        match width {
            Width::W32 => self.floats,
            Width::W64 => self.doubles,
        }
    }
}

/// Writes what comes before the operation: its operands stay in locals.
pub(super) fn before(code: &mut InstructionSink<'_>, rule: Rule, locals: Locals) {
    match rule {
        Rule::Unary(width) => {
            code.local_tee(locals.first(width));
        }
        Rule::Binary(width) => {
            let first = locals.first(width);
            code.local_set(first + 1).local_tee(first).local_get(first + 1);
        }
        Rule::Extreme(_) => (),
        Rule::Promotion => {
            code.local_tee(locals.floats);
        }
        Rule::Demotion => {
            code.local_tee(locals.doubles);
        }
    }
}

/// Writes what comes after it; `helper` gives the index of a function of ours.
pub(super) fn after(
    code: &mut InstructionSink<'_>,
    rule: Rule,
    locals: Locals,
    helper: impl Fn(Helper) -> u32,
) {
    let width = rule.result();
    let result = locals.first(width) + 2;
    code.local_tee(result).local_get(result);
    match width {
        Width::W32 => code.f32_ne(),
        Width::W64 => code.f64_ne(),
    };
    code.if_(BlockType::Empty);
    let of_two = |width| match width {
        Width::W32 => Helper::Of32,
        Width::W64 => Helper::Of64,
    };
    match rule {
        Rule::Unary(width) => {
            let first = locals.first(width);
            code.local_get(first).local_get(first).call(helper(of_two(width)));
        }
        Rule::Binary(width) => {
            let first = locals.first(width);
            code.local_get(first).local_get(first + 1).call(helper(of_two(width)));
        }
        Rule::Extreme(Width::W32) => {
            code.i32_const(DEFAULT_32).f32_reinterpret_i32();
        }
        Rule::Extreme(Width::W64) => {
            code.i64_const(DEFAULT_64).f64_reinterpret_i64();
        }
        Rule::Promotion => {
            code.local_get(locals.floats).call(helper(Helper::Promoted));
        }
        Rule::Demotion => {
            code.local_get(locals.doubles).call(helper(Helper::Demoted));
        }
    }
    code.local_set(result).end().local_get(result);
}
