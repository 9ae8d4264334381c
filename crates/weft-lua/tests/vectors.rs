//! The parts of the Lua library that need no VM, beside what Luerl 1.3.0 answered (tests/luerl).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use weft_lua::format::{Arg, FormatError, Want, format};
use weft_lua::math;
use weft_lua::number::{
    BinOp, Num, NumError, Numeral, UnOp, binary, float_text, integer_in_base, numeral, to_number, unary,
};
use weft_lua::pattern::{Capture, Match, Pattern, PatternError, Search};
use weft_lua::random::Random;

const NUMBERS: &str = include_str!("luerl/numbers.json");
const PATTERNS: &str = include_str!("luerl/patterns.json");
const FORMAT: &str = include_str!("luerl/format.json");
const MATH: &str = include_str!("luerl/math.json");
const RANDOM: &str = include_str!("luerl/random.json");

fn rows(file: &str, key: &str) -> Vec<Vec<Value>> {
    let file: Value = serde_json::from_str(file).unwrap();
    let rows: Vec<Vec<Value>> = serde_json::from_value(file[key].clone()).unwrap();
    assert!(!rows.is_empty());
    rows
}

/// A text of the data: its characters are bytes.
fn bytes(value: &Value) -> Vec<u8> {
    value.as_str().unwrap().chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// A number as the data writes it.
fn number(text: &str) -> Num {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (length, number) = numeral(digits.as_bytes());
    assert_eq!(length, digits.len(), "{text}");
    let number = number.unwrap();
    if digits == text { number } else { unary(UnOp::Neg, &number).unwrap() }
}

fn show(value: &Value) -> String {
    match value {
        Value::Object(number) => number["n"].as_str().unwrap().to_owned(),
        other => other.to_string(),
    }
}

fn check(kind: &str, rows: &[Vec<Value>], answer: impl Fn(&[Value]) -> (usize, Vec<String>)) {
    let mut wrong = Vec::new();
    for row in rows {
        let (inputs, got) = answer(row);
        let expected: Vec<String> = row[inputs..].iter().map(show).collect();
        if got != expected {
            wrong.push(format!("{:?}: expected {expected:?}, got {got:?}", &row[..inputs]));
        }
    }
    assert!(wrong.is_empty(), "{kind}: {} of {} differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn word(text: &str) -> String {
    Value::from(text).to_string()
}

fn ok(results: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(word("ok")).chain(results).collect()
}

fn arithmetic(op: &str, a: &Num, b: &Num) -> Vec<String> {
    let op = match op {
        "<" => return ok([a.compare(b).is_lt().to_string()].map(|b| word(&b))),
        "<=" => return ok([a.compare(b).is_le().to_string()].map(|b| word(&b))),
        "==" => return ok([a.same_value(b).to_string()].map(|b| word(&b))),
        "+" => BinOp::Add,
        "-" => BinOp::Sub,
        "*" => BinOp::Mul,
        "/" => BinOp::Div,
        "//" => BinOp::IDiv,
        "%" => BinOp::Mod,
        "^" => BinOp::Pow,
        "&" => BinOp::Band,
        "|" => BinOp::Bor,
        "~" => BinOp::Bxor,
        "<<" => BinOp::Shl,
        _ => BinOp::Shr,
    };
    match binary(op, a, b) {
        Ok(n) => ok([n.to_string()]),
        Err(NumError::Arith) => vec![word("error"), word("badarith")],
        Err(NumError::TooLong) => vec![word("too long")],
    }
}

#[test]
fn arithmetic_is_luerls() {
    check("arithmetic", &rows(NUMBERS, "arithmetic"), |row| {
        let (a, b) = (number(row[1].as_str().unwrap()), number(row[2].as_str().unwrap()));
        (3, arithmetic(row[0].as_str().unwrap(), &a, &b))
    });
}

#[test]
fn floats_have_erlangs_text() {
    for row in rows(NUMBERS, "text") {
        let bits = u64::from_str_radix(row[0].as_str().unwrap(), 16).unwrap();
        assert_eq!(float_text(f64::from_bits(bits)), row[1].as_str().unwrap());
    }
}

fn crash(reason: &str) -> Vec<String> {
    vec![word("crash"), word(reason)]
}

fn read(result: Result<Num, Numeral>, malformed: Vec<String>) -> Vec<String> {
    match result {
        Ok(n) => ok([n.to_string()]),
        Err(Numeral::Malformed) => malformed,
        Err(Numeral::Badarg) => crash("badarg"),
        Err(Numeral::Badarith) => crash("badarith"),
        Err(Numeral::TooLong) => vec![word("too long")],
    }
}

#[test]
fn numerals_are_the_scanners() {
    check("numeral", &rows(NUMBERS, "numeral"), |row| {
        let text = bytes(&row[0]);
        let (length, value) = numeral(&text);
        let value = if length == text.len() { value } else { Err(Numeral::Malformed) };
        (1, read(value, vec![word("scan")]))
    });
}

#[test]
fn texts_become_numbers_as_in_luerl() {
    let nil = || ok(["null".to_owned()]);
    check("tonumber", &rows(NUMBERS, "tonumber"), |row| (1, read(to_number(&bytes(&row[0])), nil())));
    check("base", &rows(NUMBERS, "base"), |row| {
        let base = number(row[1].as_str().unwrap());
        (2, read(integer_in_base(&bytes(&row[0]), &base), nil()))
    });
}

fn pattern_error(error: PatternError) -> Vec<String> {
    let name = match error {
        PatternError::Pattern => "invalid_pattern".to_owned(),
        PatternError::Capture => "invalid_capture".to_owned(),
        PatternError::Set => "invalid_char_set".to_owned(),
        PatternError::Class(c) => format!("{{invalid_char_class,{c}}}"),
        PatternError::TooLong => "too long".to_owned(),
    };
    vec![word("error"), word(&name)]
}

fn text(bytes: &[u8]) -> String {
    Value::from(bytes.iter().map(|c| char::from(*c)).collect::<String>()).to_string()
}

fn capture(subject: &[u8], capture: Capture, origin: usize) -> String {
    match capture {
        Capture::Span(start, end) => text(&subject[start..end]),
        Capture::Position(at) => (at + 1 - origin).to_string(),
    }
}

/// One search from a place on, in small helpings of steps: it must not matter where it is stopped.
fn search(pattern: &Pattern, subject: &[u8], origin: usize, start: usize) -> Option<Match> {
    let mut search = Search::new(pattern, origin, start);
    loop {
        if let Ok(found) = search.run(pattern, subject, &mut 3) {
            return found;
        }
    }
}

fn replaced(pattern: &Pattern, subject: &[u8], with: &[u8]) -> Vec<String> {
    let (mut out, mut count, mut at, mut from) = (Vec::new(), 0, 0, Some(0));
    while let Some(start) = from {
        let Some(found) = search(pattern, subject, 0, start) else { break };
        out.extend_from_slice(&subject[at..found.start]);
        let mut rest = with.iter();
        while let Some(c) = rest.next() {
            match (c, rest.as_slice().first()) {
                (b'%', Some(b'%')) => out.push(b'%'),
                (b'%', Some(b'0')) => out.extend_from_slice(&subject[found.start..found.end]),
                (b'%', Some(digit @ b'1'..=b'9')) => match found.captures.get(usize::from(digit - b'1')) {
                    Some(Capture::Span(start, end)) => out.extend_from_slice(&subject[*start..*end]),
                    Some(Capture::Position(at)) => out.extend_from_slice((at + 1).to_string().as_bytes()),
                    None => {
                        let index = format!("{{illegal_index,capture,{}}}", digit - b'0');
                        return vec![word("error"), word(&index)];
                    }
                },
                _ => {
                    out.push(*c);
                    continue;
                }
            }
            rest.next();
        }
        (count, at) = (count + 1, found.end);
        from = found.next_start(subject.len());
    }
    out.extend_from_slice(&subject[at..]);
    ok([text(&out), count.to_string()])
}

#[test]
fn patterns_match_as_in_luerl() {
    check("patterns", &rows(PATTERNS, "patterns"), |row| {
        let (name, subject, pattern) = (row[0].as_str().unwrap(), bytes(&row[1]), bytes(&row[2]));
        let init = || row[3]["n"].as_str().unwrap().parse::<i64>().unwrap();
        let length = i64::try_from(subject.len()).unwrap();
        let nil = || ok(["null".to_owned()]);
        let last = if name == "match" { length } else { length + 1 };
        let first = |init: i64| (if init < 0 { length + init + 1 } else { init }).max(1);
        if name != "gsub" && (init() > last || first(init()) > last) {
            return (4, nil());
        }
        let pattern = match Pattern::new(&pattern) {
            Ok(pattern) => pattern,
            Err(error) => return (4, pattern_error(error)),
        };
        if name == "gsub" {
            return (4, replaced(&pattern, &subject, &bytes(&row[3])));
        }
        let origin = usize::try_from(first(init()) - 1).unwrap();
        let Some(found) = search(&pattern, &subject, origin, origin) else { return (4, nil()) };
        let captures = |from| found.captures.iter().map(move |c| (*c, from));
        let results = match name {
            "find" => {
                let place = [(found.start + 1).to_string(), found.end.to_string()];
                ok(place.into_iter().chain(captures(0).map(|(c, from)| capture(&subject, c, from))))
            }
            _ if found.captures.is_empty() => ok([text(&subject[found.start..found.end])]),
            _ => ok(captures(origin).map(|(c, from)| capture(&subject, c, from))),
        };
        (4, results)
    });
}

/// What Luerl makes of an argument.
fn argument(value: &Value, want: Want) -> Result<Arg, FormatError> {
    let as_number = || match value {
        Value::Object(n) => Ok(number(n["n"].as_str().unwrap())),
        Value::String(_) => to_number(&bytes(value)).map_err(|_| FormatError::Bad),
        _ => Err(FormatError::Bad),
    };
    match want {
        Want::Text => Ok(Arg::Text(match value {
            Value::Null => b"nil".to_vec(),
            Value::String(_) => bytes(value),
            Value::Object(n) => n["n"].as_str().unwrap().as_bytes().to_vec(),
            other => other.to_string().into_bytes(),
        })),
        Want::Integer => as_number()?.to_integer().map(Arg::Number).ok_or(FormatError::Bad),
        Want::Float => {
            as_number()?.to_float().map(|f| Arg::Number(Num::Float(f))).map_err(|_| FormatError::Bad)
        }
    }
}

#[test]
fn formats_are_luerls() {
    check("format", &rows(FORMAT, "format"), |row| {
        let mut arguments = row[1].as_array().unwrap().iter();
        let result = format(&bytes(&row[0]), 1 << 20, &mut |want| {
            arguments.next().ok_or(FormatError::Bad).and_then(|value| argument(value, want))
        });
        let got = match result {
            Ok(out) => ok([text(&out)]),
            Err(FormatError::Bad) => vec![word("error"), word("badarg")],
            Err(FormatError::NotText(_)) => vec![word("none")],
            Err(FormatError::TooLong) => vec![word("too long")],
        };
        (2, got)
    });
}

#[test]
fn random_numbers_are_erlangs() {
    check("random", &rows(RANDOM, "random"), |row| {
        let mut random = Random::seeded(&number(row[0].as_str().unwrap())).unwrap();
        let arguments: Vec<Num> =
            row[1].as_str().unwrap().split(',').filter(|a| !a.is_empty()).map(number).collect();
        let numbers = (0..20).map(|_| match arguments.as_slice() {
            [] => float_text(random.float()),
            [high] => random.up_to(high).unwrap().to_string(),
            [low, high, ..] => random.between(low, high).unwrap().to_string(),
        });
        (2, ok(numbers))
    });
}

fn function(name: &str, x: f64, y: f64) -> f64 {
    match name {
        "acos" => math::acos(x),
        "asin" => math::asin(x),
        "atan" => math::atan(x),
        "atan2" => math::atan2(x, y),
        "cos" => math::cos(x),
        "cosh" => math::cosh(x),
        "exp" => math::exp(x),
        "log" => math::log(x),
        "log10" => math::log10(x),
        "pow" => math::pow(x, y),
        "sin" => math::sin(x),
        "sinh" => math::sinh(x),
        "sqrt" => x.sqrt(),
        "tan" => math::tan(x),
        _ => math::tanh(x),
    }
}

#[test]
fn math_functions_round_as_the_c_library() {
    let float = |value: &Value| number(value.as_str().unwrap()).to_float().unwrap();
    for (key, inputs) in [("one", 2), ("two", 3)] {
        check(key, &rows(MATH, key), |row| {
            // Luerl's own answer for a logarithm that is not there.
            if row[0] == "log10" && row[1] == "0" {
                return (inputs, ok(["-500.0".to_owned()]));
            }
            let y = if inputs == 3 { float(&row[2]) } else { 0.0 };
            let result = Num::from_float(function(row[0].as_str().unwrap(), float(&row[1]), y));
            (inputs, result.map_or_else(|_| crash("badarith"), |n| ok([n.to_string()])))
        });
    }
}
