//! The bitwise operators, on integers of any length in two's complement.

use num_bigint::{BigInt, Sign};

use super::{BinOp, MAX_BITS, Num, NumError};

/// `a op b` for two integers.
pub(super) fn bitwise(op: BinOp, a: &Num, b: &Num) -> Result<Num, NumError> {
    match op {
        BinOp::Shl => return shift(a, b, true),
        BinOp::Shr => return shift(a, b, false),
        _ => {}
    }
    if let (Num::Int(a), Num::Int(b)) = (a, b) {
        return match op {
            BinOp::Band => Ok(Num::Int(a & b)),
            BinOp::Bor => Ok(Num::Int(a | b)),
            BinOp::Bxor => Ok(Num::Int(a ^ b)),
            _ => Err(NumError::Arith),
        };
    }
    let (Some(a), Some(b)) = (a.to_big(), b.to_big()) else { return Err(NumError::Arith) };
    match op {
        BinOp::Band => Num::bounded(a & b),
        BinOp::Bor => Num::bounded(a | b),
        BinOp::Bxor => Num::bounded(a ^ b),
        _ => Err(NumError::Arith),
    }
}

/// Bits beyond which Erlang, too, has no integer: it fails then, in a way that Luerl makes an error of the operator.
const ERLANGS_BITS: u64 = 1 << 32;

/// A shift to the left by `by`, or to the right; by less than nothing it goes the other way. To the right it is arithmetic.
fn shift(a: &Num, by: &Num, left: bool) -> Result<Num, NumError> {
    let (left, by) = match by {
        Num::Int(n) => (left == (*n >= 0), Some(n.unsigned_abs())),
        Num::Big(n) => (left == (n.sign() == Sign::Plus), None),
        Num::Float(_) => return Err(NumError::Arith),
    };
    if left { shift_left(a, by) } else { Ok(shift_right(a, by)) }
}

fn shift_left(a: &Num, by: Option<u64>) -> Result<Num, NumError> {
    if matches!(a, Num::Int(0)) {
        return Ok(Num::Int(0));
    }
    let by = by.filter(|by| *by < ERLANGS_BITS).ok_or(NumError::Arith)?;
    if by > MAX_BITS {
        return Err(NumError::TooLong);
    }
    let a = a.to_big().ok_or(NumError::Arith)?;
    if a.bits() + by > MAX_BITS { Err(NumError::TooLong) } else { Num::bounded(a << by) }
}

fn shift_right(a: &Num, by: Option<u64>) -> Num {
    match a {
        Num::Int(n) => Num::Int(n >> by.unwrap_or(63).min(63)),
        Num::Big(n) => {
            let by = by.unwrap_or(MAX_BITS).min(MAX_BITS);
            Num::from_big(BigInt::clone(n) >> by)
        }
        Num::Float(_) => a.clone(),
    }
}
