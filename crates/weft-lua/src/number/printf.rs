//! C's `%e`, `%f`, `%g` and `%a` of finite floats, exactly rounded; signs and padding are the caller's, but for `-`.

/// `%.*e`.
#[must_use]
pub fn scientific(f: f64, precision: usize, point: bool) -> String {
    let text = format!("{f:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    let dot = if point && precision == 0 { "." } else { "" };
    format!("{mantissa}{dot}e{sign}{:02}", exponent.unsigned_abs())
}

/// `%.*f`.
#[must_use]
pub fn fixed(f: f64, precision: usize, point: bool) -> String {
    let dot = if point && precision == 0 { "." } else { "" };
    format!("{f:.precision$}{dot}")
}

/// `%.*g`; with `point` as `%#.*g`.
#[must_use]
pub fn general(f: f64, precision: usize, point: bool) -> String {
    let precision = precision.max(1);
    let text = format!("{f:.*e}", precision - 1);
    let exponent: i32 = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let fits = usize::try_from(exponent).is_ok_and(|exponent| exponent < precision);
    if exponent >= -4 && (exponent < 0 || fits) {
        let before = i64::from(exponent) + 1;
        let behind = i64::try_from(precision).unwrap_or(i64::MAX).saturating_sub(before);
        let text = fixed(f, usize::try_from(behind).unwrap_or(0), point);
        return if point { text } else { trimmed(&text).to_owned() };
    }
    let text = scientific(f, precision - 1, point);
    if point {
        return text;
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
    format!("{}e{exponent}", trimmed(mantissa))
}

/// Without zeros at the end of a fraction.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// `%.*a`, as glibc has it; without a precision, all digits that are there.
#[must_use]
pub fn hexadecimal(f: f64, precision: Option<usize>, point: bool) -> String {
    let sign = if f.is_sign_negative() { "-" } else { "" };
    let bits = f.to_bits();
    let raw = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    let mut fraction = bits & ((1 << 52) - 1);
    let mut whole = u64::from(raw != 0);
    let exponent = match raw {
        0 if fraction == 0 => 0,
        0 => -1022,
        raw => raw - 1023,
    };
    let mut digits = format!("{fraction:013x}");
    match precision {
        None => digits = digits.trim_end_matches('0').to_owned(),
        Some(precision) if precision < 13 => {
            let cut = u32::try_from((13 - precision) * 4).unwrap_or(52);
            let (unit, half) = (1u64 << cut, 1u64 << (cut - 1));
            let all = (whole << 52) | fraction;
            let rest = all & (unit - 1);
            let mut kept = all >> cut;
            if rest > half || (rest == half && kept & 1 == 1) {
                kept += 1;
            }
            let all = kept << cut;
            (whole, fraction) = (all >> 52, all & ((1 << 52) - 1));
            digits = format!("{fraction:013x}").chars().take(precision).collect();
        }
        Some(precision) => digits.push_str(&"0".repeat(precision - 13)),
    }
    let dot = if digits.is_empty() && !point { "" } else { "." };
    let mark = if exponent < 0 { '-' } else { '+' };
    format!("{sign}0x{whole}{dot}{digits}p{mark}{}", exponent.unsigned_abs())
}
