//! The operators on numbers.

use num_bigint::BigInt;

use super::{MAX_BITS, Num, NumError, bits};

/// An operator on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `//`
    IDiv,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `&`
    Band,
    /// `|`
    Bor,
    /// `~`
    Bxor,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
}

/// An operator on one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnOp {
    /// `-`
    Neg,
    /// `~`
    Bnot,
}

impl BinOp {
    /// The sign a script writes, which is also how Luerl's errors name it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::IDiv => "//",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Band => "&",
            Self::Bor => "|",
            Self::Bxor => "~",
            Self::Shl => "<<",
            Self::Shr => ">>",
        }
    }

    /// The field of a metatable that stands in for it.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::Add => "__add",
            Self::Sub => "__sub",
            Self::Mul => "__mul",
            Self::Div => "__div",
            Self::IDiv => "__idiv",
            Self::Mod => "__mod",
            Self::Pow => "__pow",
            Self::Band => "__band",
            Self::Bor => "__bor",
            Self::Bxor => "__bxor",
            Self::Shl => "__shl",
            Self::Shr => "__shr",
        }
    }

    /// Whether it works on integers alone: Luerl then takes floats without a fraction for integers, and refuses others before
    /// it looks for a number.
    #[must_use]
    pub const fn is_bitwise(self) -> bool {
        matches!(self, Self::Band | Self::Bor | Self::Bxor | Self::Shl | Self::Shr)
    }
}

/// What an operation costs beyond an operator's usual price: the work on long integers, in steps of about a machine word.
/// Charge it before the operation.
#[must_use]
pub fn cost(op: BinOp, a: &Num, b: &Num) -> u64 {
    let (x, y) = (words(a), words(b));
    match op {
        BinOp::Shl => x.saturating_add(b.to_i64().map_or(0, |n| n.unsigned_abs().min(MAX_BITS) / 64)),
        _ if x == 0 && y == 0 => 0,
        BinOp::Mul | BinOp::IDiv | BinOp::Mod => (x + 1).saturating_mul(y + 1),
        _ => x + y,
    }
}

fn words(n: &Num) -> u64 {
    match n {
        Num::Big(n) => n.bits() / 64,
        _ => 0,
    }
}

/// `a op b`. The bitwise operators take integers and floats without a fraction; all others take any number.
#[inline]
pub fn binary(op: BinOp, a: &Num, b: &Num) -> Result<Num, NumError> {
    match (a, b) {
        (Num::Int(x), Num::Int(y)) => small(op, *x, *y),
        (Num::Float(x), Num::Float(y)) => floats(op, *x, *y),
        _ => mixed(op, a, b),
    }
}

/// `op a`. `~` takes an integer or a float without a fraction.
#[inline]
pub fn unary(op: UnOp, a: &Num) -> Result<Num, NumError> {
    match op {
        UnOp::Neg => match a {
            Num::Int(n) => {
                n.checked_neg().map_or_else(|| Num::bounded(-BigInt::from(*n)), |n| Ok(Num::Int(n)))
            }
            Num::Float(f) => Ok(Num::Float(-f)),
            Num::Big(n) => Num::bounded(-BigInt::clone(n)),
        },
        UnOp::Bnot => match a.to_integer().ok_or(NumError::Arith)? {
            Num::Int(n) => Ok(Num::Int(!n)),
            other => Num::bounded(!other.to_big().ok_or(NumError::Arith)?),
        },
    }
}

#[inline]
fn small(op: BinOp, a: i64, b: i64) -> Result<Num, NumError> {
    let fast = match op {
        BinOp::Add => a.checked_add(b),
        BinOp::Sub => a.checked_sub(b),
        BinOp::Mul => a.checked_mul(b),
        BinOp::IDiv => return idiv(a, b),
        BinOp::Mod => return modulo(a, b),
        BinOp::Band => Some(a & b),
        BinOp::Bor => Some(a | b),
        BinOp::Bxor => Some(a ^ b),
        _ => None,
    };
    match fast {
        Some(n) => Ok(Num::Int(n)),
        None => mixed(op, &Num::Int(a), &Num::Int(b)),
    }
}

/// Luerl's `//` on integers: it rounds down only when the quotient towards zero is already below zero, so `-1//2` is 0.
#[inline]
fn idiv(a: i64, b: i64) -> Result<Num, NumError> {
    if b == 0 {
        return Err(NumError::Arith);
    }
    match (a.checked_div(b), a.checked_rem(b)) {
        (Some(q), Some(r)) => Ok(Num::Int(if r != 0 && q < 0 { q - 1 } else { q })),
        _ => Num::bounded(-BigInt::from(a)),
    }
}

#[inline]
fn modulo(a: i64, b: i64) -> Result<Num, NumError> {
    if b == 0 {
        return Err(NumError::Arith);
    }
    let r = a.wrapping_rem(b);
    Ok(Num::Int(if (r < 0 && b > 0) || (r > 0 && b < 0) { r + b } else { r }))
}

#[inline]
fn floats(op: BinOp, a: f64, b: f64) -> Result<Num, NumError> {
    let f = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div => a / b,
        BinOp::Pow => crate::math::pow(a, b),
        BinOp::IDiv | BinOp::Mod => return floor_division(op, &Num::Float(a), &Num::Float(b)),
        _ => return mixed(op, &Num::Float(a), &Num::Float(b)),
    };
    Num::from_float(f)
}

/// What is not two small integers nor two floats, or did not fit.
#[cold]
fn mixed(op: BinOp, a: &Num, b: &Num) -> Result<Num, NumError> {
    if op.is_bitwise() {
        let a = a.to_integer().ok_or(NumError::Arith)?;
        let b = b.to_integer().ok_or(NumError::Arith)?;
        return bits::bitwise(op, &a, &b);
    }
    match op {
        BinOp::Div | BinOp::Pow => floats(op, a.to_float()?, b.to_float()?),
        BinOp::IDiv | BinOp::Mod if !(a.is_integer() && b.is_integer()) => floor_division(op, a, b),
        _ => match (a.to_big(), b.to_big()) {
            (Some(a), Some(b)) => long(op, &a, &b),
            _ => floats(op, a.to_float()?, b.to_float()?),
        },
    }
}

/// `//` and `%` where one side is a float: through the quotient's floor, which is an integer of any length.
fn floor_division(op: BinOp, a: &Num, b: &Num) -> Result<Num, NumError> {
    let floor = binary(BinOp::Div, a, b)?.floor();
    if op == BinOp::IDiv {
        return Num::from_float(0.0 + floor.to_float()?);
    }
    binary(BinOp::Sub, a, &binary(BinOp::Mul, &floor, b)?)
}

fn long(op: BinOp, a: &BigInt, b: &BigInt) -> Result<Num, NumError> {
    let zero = BigInt::ZERO;
    match op {
        BinOp::Add => Num::bounded(a + b),
        BinOp::Sub => Num::bounded(a - b),
        BinOp::Mul if a.bits() + b.bits() > MAX_BITS + 1 => Err(NumError::TooLong),
        BinOp::Mul => Num::bounded(a * b),
        BinOp::IDiv | BinOp::Mod if *b == zero => Err(NumError::Arith),
        BinOp::IDiv => {
            let (quotient, rest) = (a / b, a % b);
            Num::bounded(if rest != zero && quotient < zero { quotient - 1 } else { quotient })
        }
        BinOp::Mod => {
            let rest = a % b;
            let other_side = (rest < zero && *b > zero) || (rest > zero && *b < zero);
            Num::bounded(if other_side { rest + b } else { rest })
        }
        _ => Err(NumError::Arith),
    }
}
