//! NaN in the lanes of vectors, with the bits that x86 gives it: as [`super::nan`], lane by lane.
//!
//! `min` gives the negative quiet NaN, and `max` a quiet one without a payload that is negative if either operand has the sign: what
//! V8's instructions for them leave on x86. `pmin`, `pmax`, `abs`, `neg` and whatever moves lanes say which bits come out. Relaxed
//! operations do not, and are refused before this.
//!
//! Functions of ours say which NaN it is; they are added to modules that have such operations alone.

use wasm_encoder::{BlockType, Function, InstructionSink, ValType};
use wasmparser::Operator;

/// How lanes are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lanes {
    Floats,
    Doubles,
}

use Lanes::{Doubles, Floats};

impl Lanes {
    /// A vector of these bits in every lane.
    fn splat(self, float: u32, double: u64) -> i128 {
        let lanes = match self {
            Floats => (0..4).fold(0, |all, lane| all | u128::from(float) << (32 * lane)),
            Doubles => (0..2).fold(0, |all, lane| all | u128::from(double) << (64 * lane)),
        };
        lanes.cast_signed()
    }

    /// The NaN of an invalid operation.
    fn invalid(self) -> i128 {
        self.splat(0xFFC0_0000, 0xFFF8_0000_0000_0000)
    }

    /// What a quiet NaN has, but for the sign.
    fn quiet(self) -> i128 {
        self.splat(0x7FC0_0000, 0x7FF8_0000_0000_0000)
    }

    fn sign(self) -> i128 {
        self.splat(0x8000_0000, 0x8000_0000_0000_0000)
    }

    /// The lanes of a local that are NaN.
    fn which(self, code: &mut InstructionSink<'_>, local: u32) {
        code.local_get(local).local_get(local);
        match self {
            Floats => code.f32x4_ne(),
            Doubles => code.f64x2_ne(),
        };
    }
}

/// A function of ours: of both operands (or one, twice) and the result, the result with its NaN as they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Helper {
    Floats,
    Doubles,
    MostFloats,
    MostDoubles,
    Promoted,
    Demoted,
}

impl Helper {
    pub(super) const ALL: [Self; 6] =
        [Self::Floats, Self::Doubles, Self::MostFloats, Self::MostDoubles, Self::Promoted, Self::Demoted];

    /// The parameters; the result is one more.
    pub(super) const PARAMS: [ValType; 3] = [ValType::V128; 3];

    pub(super) fn body(self) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        let lanes = match self {
            Self::Floats | Self::MostFloats | Self::Demoted => Floats,
            Self::Doubles | Self::MostDoubles | Self::Promoted => Doubles,
        };
        match self {
            Self::Floats | Self::Doubles => of_operands(&mut code, lanes),
            Self::MostFloats | Self::MostDoubles => {
                code.local_get(0).local_get(1).v128_or().v128_const(lanes.sign()).v128_and();
                code.v128_const(lanes.quiet()).v128_or();
            }
            Self::Promoted => promoted(&mut code),
            Self::Demoted => demoted(&mut code),
        }
        code.local_get(2);
        lanes.which(&mut code, 2);
        code.v128_bitselect().end();
        function
    }
}

/// The first operand that is NaN, made quiet; else that of an invalid operation.
fn of_operands(code: &mut InstructionSink<'_>, lanes: Lanes) {
    let quiet = |code: &mut InstructionSink<'_>, operand| {
        code.local_get(operand).v128_const(lanes.quiet()).v128_or();
    };
    quiet(code, 0);
    quiet(code, 1);
    code.v128_const(lanes.invalid());
    lanes.which(code, 1);
    code.v128_bitselect();
    lanes.which(code, 0);
    code.v128_bitselect();
}

/// Of the two lower floats: the sign and the fraction, as far as it goes.
fn promoted(code: &mut InstructionSink<'_>) {
    code.local_get(0).i64x2_extend_low_i32x4_u().v128_const(Doubles.splat(0, 0x007F_FFFF)).v128_and();
    code.i32_const(LONGER).i64x2_shl();
    code.local_get(0).i64x2_extend_low_i32x4_s().v128_const(Doubles.sign()).v128_and();
    code.v128_or().v128_const(Doubles.quiet()).v128_or();
}

/// Into the two lower floats: the sign and the upper bits of the fraction.
fn demoted(code: &mut InstructionSink<'_>) {
    code.local_get(0).i32_const(LONGER).i64x2_shr_u().v128_const(Doubles.splat(0, 0x007F_FFFF)).v128_and();
    code.local_get(0).i32_const(32).i64x2_shr_u().v128_const(Doubles.splat(0, 0x8000_0000)).v128_and();
    code.v128_or().v128_const(Doubles.splat(0, 0x7FC0_0000)).v128_or();
    code.v128_const(0).i8x16_shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]);
}

/// Bits by which a double's fraction is longer.
const LONGER: i32 = 29;

/// How an operation comes to a NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// From one operand, or anew.
    Unary(Lanes),
    /// From either operand, or anew.
    Binary(Lanes),
    /// Anew.
    Least(Lanes),
    /// Anew, with a sign of the operands'.
    Most(Lanes),
    Promotion,
    Demotion,
}

impl Rule {
    /// The rule of an instruction that may give a NaN of the machine's choice.
    pub(super) fn of(operator: &Operator<'_>) -> Option<Self> {
        use Operator as O;
        Some(match operator {
            O::F32x4Add | O::F32x4Sub | O::F32x4Mul | O::F32x4Div => Self::Binary(Floats),
            O::F64x2Add | O::F64x2Sub | O::F64x2Mul | O::F64x2Div => Self::Binary(Doubles),
            O::F32x4Min => Self::Least(Floats),
            O::F64x2Min => Self::Least(Doubles),
            O::F32x4Max => Self::Most(Floats),
            O::F64x2Max => Self::Most(Doubles),
            O::F32x4Sqrt | O::F32x4Ceil | O::F32x4Floor | O::F32x4Trunc | O::F32x4Nearest => {
                Self::Unary(Floats)
            }
            O::F64x2Sqrt | O::F64x2Ceil | O::F64x2Floor | O::F64x2Trunc | O::F64x2Nearest => {
                Self::Unary(Doubles)
            }
            O::F64x2PromoteLowF32x4 => Self::Promotion,
            O::F32x4DemoteF64x2Zero => Self::Demotion,
            _ => return None,
        })
    }

    /// The lanes of the result.
    fn result(self) -> Lanes {
        match self {
            Self::Unary(lanes) | Self::Binary(lanes) | Self::Least(lanes) | Self::Most(lanes) => lanes,
            Self::Promotion => Doubles,
            Self::Demotion => Floats,
        }
    }

    fn helper(self) -> Option<Helper> {
        Some(match self {
            Self::Unary(Floats) | Self::Binary(Floats) => Helper::Floats,
            Self::Unary(Doubles) | Self::Binary(Doubles) => Helper::Doubles,
            Self::Most(Floats) => Helper::MostFloats,
            Self::Most(Doubles) => Helper::MostDoubles,
            Self::Promotion => Helper::Promoted,
            Self::Demotion => Helper::Demoted,
            Self::Least(_) => return None,
        })
    }
}

/// Locals for vectors, of which the first is here: both operands and the result.
pub(super) const LOCALS: u32 = 3;

/// Writes what comes before the operation: its operands stay in locals.
pub(super) fn before(code: &mut InstructionSink<'_>, rule: Rule, first: u32) {
    match rule {
        Rule::Unary(_) | Rule::Promotion | Rule::Demotion => {
            code.local_tee(first);
        }
        Rule::Binary(_) | Rule::Most(_) => {
            code.local_set(first + 1).local_tee(first).local_get(first + 1);
        }
        Rule::Least(_) => (),
    }
}

/// Writes what comes after it; `helper` gives the index of a function of ours.
pub(super) fn after(code: &mut InstructionSink<'_>, rule: Rule, first: u32, helper: impl Fn(Helper) -> u32) {
    let (lanes, result) = (rule.result(), first + 2);
    code.local_set(result);
    lanes.which(code, result);
    code.v128_any_true().if_(BlockType::Empty);
    match rule.helper() {
        Some(which) => {
            let second = if matches!(rule, Rule::Binary(_) | Rule::Most(_)) { first + 1 } else { first };
            code.local_get(first).local_get(second).local_get(result).call(helper(which));
        }
        None => {
            code.v128_const(lanes.invalid()).local_get(result);
            lanes.which(code, result);
            code.v128_bitselect();
        }
    }
    code.local_set(result).end().local_get(result);
}
