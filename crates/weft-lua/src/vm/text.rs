//! Values and errors as texts: what `pcall` answers, and how Erlang prints a term.

use std::fmt::Write as _;

use super::Vm;
use crate::error::{ErrorKind, LuaError, Term};
use crate::value::Value;

impl Vm {
    /// The value `pcall` answers for an error.
    pub(super) fn error_value(&mut self, error: &LuaError) -> Result<Value, LuaError> {
        if let Some(args) = called_with(error.term()) {
            return Ok(match args.first() {
                None => self.heap.string(b"nil"),
                Some(Term::Value(value @ Value::Str(_))) => *value,
                Some(Term::Value(value)) => {
                    let text = self.plain_text(*value);
                    self.heap.string(&text)
                }
                Some(_) => self.heap.string(b"unknown"),
            });
        }
        let text = self.error_text(error);
        if std::str::from_utf8(&text).is_err() {
            return Err(LuaError::not_text(&text));
        }
        Ok(self.heap.string(&text))
    }

    /// What `tostring` answers without metamethods.
    #[must_use]
    pub fn plain_text(&self, value: Value) -> Vec<u8> {
        match value {
            Value::Float(f) if self.is_exact() => crate::number::lua53::float_text(f).into_bytes(),
            Value::Table(_) | Value::Function(..) | Value::Native(_) | Value::Thread(_)
                if self.is_exact() =>
            {
                self.identity(value).into_bytes()
            }
            Value::Thread(_) => Vec::new(),
            Value::Nil => b"nil".to_vec(),
            Value::Bool(truth) => truth.to_string().into_bytes(),
            Value::Str(id) => self.heap.bytes(id).to_vec(),
            Value::Table(id) => format!("table: {}", self.heap.table(id).number).into_bytes(),
            Value::Function(..) | Value::Native(_) => self.function_text(value).into_bytes(),
            Value::Int(_) | Value::Float(_) | Value::Big(_) => {
                self.heap.num(value).map(|num| num.to_string()).unwrap_or_default().into_bytes()
            }
        }
    }

    pub(super) fn function_text(&self, value: Value) -> String {
        match value {
            Value::Function(proto, _) => format!("function: {}", self.heap.function_number(proto)),
            Value::Native(id) => {
                let name = self.heap.native_name(id);
                format!("function: {}:{}", name.module, name.function)
            }
            _ => String::new(),
        }
    }

    /// Luerl's sentence for an error, as `pcall` answers it.
    #[must_use]
    pub fn error_text(&self, error: &LuaError) -> Vec<u8> {
        if self.is_exact() {
            return self.error_text_exact(error);
        }
        match error.kind() {
            ErrorKind::Lua => self.sentence(error.term()),
            ErrorKind::Syntax => self.syntax_text(error.term()),
            ErrorKind::Crash => self.term_text(error.term()).into_bytes(),
            _ => match error.term() {
                Term::Text(text) => text.clone().into_bytes(),
                other => self.term_text(other).into_bytes(),
            },
        }
    }

    fn sentence(&self, term: &Term) -> Vec<u8> {
        let parts = match term {
            Term::Tuple(parts) => parts.as_slice(),
            _ => &[],
        };
        match (tag(term), parts) {
            (Some("badarg"), [_, place, args]) => self.fill(&["bad argument ", " to ", ""], &[args, place]),
            (Some("badarith"), [_, op, args]) => self.fill(&["bad arithmetic ", " on ", ""], &[op, args]),
            (Some("illegal_index"), [_, place, key]) => {
                self.fill(&["invalid index in ", ": ", ""], &[place, key])
            }
            (Some("illegal_value"), [_, place, value]) => {
                self.fill(&["invalid value in ", ": ", ""], &[place, value])
            }
            (Some("illegal_value"), [_, value]) => self.fill(&["invalid value: ", ""], &[value]),
            (Some("illegal_comp"), [_, Term::Atom(place)]) => {
                format!("illegal comparison in {place}").into_bytes()
            }
            (Some("undefined_function"), [_, value]) => self.fill(&["undefined function ", ""], &[value]),
            (Some("undefined_method"), [_, object, name]) => {
                self.fill(&["undefined method ", " in ", ""], &[name, object])
            }
            (Some("illegal_return_value"), []) => b"illegal format of return value".to_vec(),
            (Some("invalid_pattern" | "invalid_capture"), []) => b"malformed pattern".to_vec(),
            (Some("invalid_char_class"), [_, Term::Value(Value::Int(c))]) => {
                let class =
                    u32::try_from(*c).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                format!("malformed pattern (class {class})").into_bytes()
            }
            (Some("invalid_char_set"), []) => b"malformed pattern (missing ']')".to_vec(),
            (Some("illegal_op"), [_, op]) => self.fill(&["illegal op: ", ""], &[op]),
            (Some("no_module"), [_, module]) => {
                let mut text = b"module '".to_vec();
                text.extend(self.raw(module));
                text.extend(b"' not found");
                text
            }
            (Some("assert_error"), [_, object]) => self.asserted(object),
            (Some("error_message"), [_, message]) => self.raw(message),
            (Some("error_call"), [_, Term::List(args)]) => self.called(args),
            _ => format!("{}!", self.written(term)).into_bytes(),
        }
    }

    fn asserted(&self, object: &Term) -> Vec<u8> {
        match object {
            Term::Value(Value::Str(id)) => [self.heap.bytes(*id), b"!"].concat(),
            Term::Bytes(bytes) => [bytes, b"!".as_slice()].concat(),
            Term::Value(value) => format!("error object is a {}!", value.type_name()).into_bytes(),
            _ => b"error object is a unknown!".to_vec(),
        }
    }

    fn called(&self, args: &[Term]) -> Vec<u8> {
        match args.first() {
            Some(Term::Value(Value::Str(id))) => self.heap.bytes(*id).to_vec(),
            Some(Term::Value(value)) if value.is_number() => self.plain_text(*value),
            Some(Term::Value(value)) => format!("error object is a {} value", value.type_name()).into_bytes(),
            None => b"error object is a nil value".to_vec(),
            Some(_) => b"error object is a unknown value".to_vec(),
        }
    }

    fn raw(&self, term: &Term) -> Vec<u8> {
        match term {
            Term::Value(value) => self.plain_text(*value),
            Term::Bytes(bytes) => bytes.clone(),
            Term::Atom(name) => name.as_bytes().to_vec(),
            Term::Text(text) => text.clone().into_bytes(),
            other => self.term_text(other).into_bytes(),
        }
    }

    fn fill(&self, fixed: &[&str], terms: &[&Term]) -> Vec<u8> {
        let mut text = Vec::new();
        for (at, part) in fixed.iter().enumerate() {
            text.extend(part.as_bytes());
            if let Some(term) = terms.get(at) {
                self.show(&mut text, term);
            }
        }
        text
    }

    /// A term within a sentence.
    fn show(&self, text: &mut Vec<u8>, term: &Term) {
        match term {
            Term::Value(Value::Str(id)) => {
                quote(text, self.heap.bytes(*id));
            }
            Term::Bytes(bytes) => {
                quote(text, bytes);
            }
            Term::Value(Value::Table(_)) => text.extend(b"table"),
            Term::Value(Value::Function(..)) => text.extend(b"function"),
            Term::Value(Value::Native(id)) => text.extend(self.heap.native_name(*id).function.as_bytes()),
            Term::Value(value) => text.extend(self.plain_text(*value)),
            Term::List(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    self.show(text, part);
                }
            }
            Term::Atom(name) => {
                text.push(b'\'');
                text.extend(name.as_bytes());
                text.push(b'\'');
            }
            Term::Text(_) | Term::Tuple(_) => text.extend(b"unknown stuff"),
        }
    }

    /// A term as Erlang writes it where it does not look for texts (`~w`).
    fn written(&self, term: &Term) -> String {
        let numbers = |bytes: &[u8]| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        let parts =
            |parts: &[Term]| parts.iter().map(|part| self.written(part)).collect::<Vec<_>>().join(",");
        match term {
            Term::Value(Value::Str(id)) => format!("<<{}>>", numbers(self.heap.bytes(*id))),
            Term::Bytes(bytes) => format!("<<{}>>", numbers(bytes)),
            Term::Text(text) => {
                let codes: Vec<String> = text.chars().map(|c| u32::from(c).to_string()).collect();
                format!("[{}]", codes.join(","))
            }
            Term::List(list) => format!("[{}]", parts(list)),
            Term::Tuple(tuple) => format!("{{{}}}", parts(tuple)),
            other => self.term_text(other),
        }
    }

    /// The sentence of the first of a program's errors.
    fn syntax_text(&self, term: &Term) -> Vec<u8> {
        let Term::List(errors) = term else { return self.term_text(term).into_bytes() };
        let Some(Term::Tuple(parts)) = errors.first() else { return Vec::new() };
        match parts.as_slice() {
            [_, Term::Atom(module), Term::Tuple(what)] if module == "luerl_scan" => match what.as_slice() {
                [_, Term::Text(text)] if tag(&parts[2]) == Some("illegal") => {
                    format!("illegal characters {}", quoted(text)).into_bytes()
                }
                [_, Term::Text(text)] => text.clone().into_bytes(),
                _ => self.term_text(&parts[2]).into_bytes(),
            },
            [_, _, Term::Atom(name)] if name == "illegal_varargs" => {
                b"cannot use '...' outside a vararg function".to_vec()
            }
            [_, _, Term::List(texts)] => texts.iter().flat_map(|text| self.raw_text(text)).collect(),
            [_, _, Term::Text(text)] => text.clone().into_bytes(),
            _ => self.term_text(term).into_bytes(),
        }
    }

    fn raw_text(&self, term: &Term) -> Vec<u8> {
        match term {
            Term::List(parts) => parts.iter().flat_map(|part| self.raw_text(part)).collect(),
            other => self.raw(other),
        }
    }

    /// Values as Erlang prints a list of them: `[1,2.0,<<"x">>]`.
    #[must_use]
    pub fn values_text(&self, values: &[Value]) -> String {
        let small = !values.is_empty()
            && values.iter().all(|value| matches!(value, Value::Int(8..=13 | 27 | 32..=126 | 160..=255)));
        if small {
            let text: String = values
                .iter()
                .filter_map(|v| if let Value::Int(n) = v { u8::try_from(*n).ok() } else { None })
                .map(char::from)
                .collect();
            return quoted(&text);
        }
        let parts: Vec<String> = values.iter().map(|value| self.value_term(*value)).collect();
        format!("[{}]", parts.join(","))
    }

    /// A term as Erlang prints it.
    #[must_use]
    pub fn term_text(&self, term: &Term) -> String {
        match term {
            Term::Atom(name) => atom_text(name),
            Term::Value(value) => self.value_term(*value),
            Term::Bytes(bytes) => binary_text(bytes),
            Term::Text(text) if text.is_empty() => "[]".to_owned(),
            Term::Text(text) => quoted(text),
            Term::List(parts) => {
                let values: Option<Vec<Value>> = parts
                    .iter()
                    .map(|part| if let Term::Value(value) = part { Some(*value) } else { None })
                    .collect();
                match values {
                    Some(values) => self.values_text(&values),
                    None => format!("[{}]", self.joined(parts)),
                }
            }
            Term::Tuple(parts) => format!("{{{}}}", self.joined(parts)),
        }
    }

    fn joined(&self, parts: &[Term]) -> String {
        parts.iter().map(|part| self.term_text(part)).collect::<Vec<_>>().join(",")
    }

    fn value_term(&self, value: Value) -> String {
        match value {
            Value::Str(id) => binary_text(self.heap.bytes(id)),
            Value::Table(id) => format!("{{tref,{}}}", self.heap.table(id).number),
            Value::Function(proto, _) => format!("{{funref,{}}}", self.heap.function_number(proto)),
            Value::Native(id) => {
                let name = self.heap.native_name(id);
                format!("{{erl_mfa,{},{},undefined}}", name.module, name.function)
            }
            other => String::from_utf8_lossy(&self.plain_text(other)).into_owned(),
        }
    }
}

/// Appends a string in quotes. One that is not UTF-8 is taken for Latin-1.
fn quote(text: &mut Vec<u8>, bytes: &[u8]) {
    text.push(b'\'');
    match std::str::from_utf8(bytes) {
        Ok(_) => text.extend(bytes),
        Err(_) => text.extend(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().bytes()),
    }
    text.push(b'\'');
}

/// The atom a term is or begins with.
fn tag(term: &Term) -> Option<&str> {
    match term {
        Term::Atom(name) => Some(name),
        Term::Tuple(parts) => match parts.first() {
            Some(Term::Atom(name)) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// The arguments `error` was called with, if it was.
fn called_with(term: &Term) -> Option<&[Term]> {
    match term {
        Term::Tuple(parts) => match parts.as_slice() {
            [Term::Atom(name), Term::List(args)] if name == "error_call" => Some(args),
            _ => None,
        },
        _ => None,
    }
}

fn atom_text(name: &str) -> String {
    const WORDS: &[&str] = &[
        "and", "or", "not", "end", "if", "of", "fun", "when", "case", "begin", "after", "try", "catch",
        "receive", "let", "div", "rem", "band", "bor", "bxor", "bnot", "bsl", "bsr", "xor", "cond", "orelse",
        "andalso", "maybe",
    ];
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '@')
        && !WORDS.contains(&name);
    if plain { name.to_owned() } else { format!("'{name}'") }
}

/// A text as Erlang quotes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    escape(&mut out, text.chars());
    out.push('"');
    out
}

fn escape(out: &mut String, chars: impl Iterator<Item = char>) {
    for c in chars {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{b}' => out.push_str("\\v"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{7f}' => out.push_str("\\d"),
            c if (c as u32) < 32 || (128..160).contains(&(c as u32)) => {
                let _ = write!(out, "\\{:03o}", c as u32);
            }
            c => out.push(c),
        }
    }
}

/// A binary as Erlang prints it: as a text if all its bytes are printable, else byte by byte.
fn binary_text(bytes: &[u8]) -> String {
    let printable = |b: &u8| matches!(b, 8..=13 | 27 | 32..=126 | 160..=255);
    if bytes.is_empty() {
        return "<<>>".to_owned();
    }
    if bytes.iter().all(printable) {
        let mut out = String::from("<<\"");
        escape(&mut out, bytes.iter().map(|b| char::from(*b)));
        out.push_str("\">>");
        return out;
    }
    let parts: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    format!("<<{}>>", parts.join(","))
}
