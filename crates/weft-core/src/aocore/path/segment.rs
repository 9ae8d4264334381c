//! One segment: a key, its device, its parameters.

use weft_codec::Result;
use weft_codec::message::{Generation, Value, structured};

use super::{Param, Params, Parser, Step, is_id, malformed, shown, text};

impl Parser {
    /// An id, a path in parentheses, or a key with what hangs on it.
    pub(super) fn segment(&mut self, segment: &str, nested: usize) -> Result<Step> {
        if is_id(segment) {
            return Ok(Step::Id(segment.to_owned()));
        }
        if let Some(inside) = in_parentheses(segment) {
            return Ok(Step::Resolve(self.request(inside, Params::new(), nested + 1)?));
        }
        let separators: &[u8] = match self.generation {
            Generation::June2025 => b"&~+ ",
            Generation::September2025 => b"&~+ =",
        };
        let (separator, key, rest) = text::cut(segment, separators, self.generation)?;
        let mut params = Params::from([("path".to_owned(), Param::Value(key.into()))]);
        match separator {
            None => Ok(Step::Message(params)),
            Some(b'~') => {
                let (_, device, rest) = text::cut(rest, b"&", self.generation)?;
                self.params(rest, &mut params, nested)?;
                if in_parentheses(device).is_some() {
                    let what = format!("The device of `{}` is a path; it must be a name.", shown(segment));
                    return Err(malformed(what));
                }
                Ok(Step::As { device: device.to_owned(), message: params })
            }
            Some(b'&') => {
                self.params(rest, &mut params, nested)?;
                Ok(Step::Message(params))
            }
            // The key is a parameter too.
            Some(sign @ (b'=' | b'+')) if self.generation == Generation::September2025 => {
                let rest = format!("{key}{}{rest}", char::from(sign));
                self.params(&rest, &mut params, nested)?;
                Ok(Step::Message(params))
            }
            Some(_) => Err(malformed(format!("`{}` has a space or a `+` in its key.", shown(segment)))),
        }
    }

    fn params(&mut self, text: &str, params: &mut Params, nested: usize) -> Result<()> {
        for pair in text::pieces(text, b'&', self.generation)? {
            let (separator, name, value) = text::cut(pair, b"=&", self.generation)?;
            if separator.is_none() {
                params.insert(name.to_owned(), Param::Value(true.into()));
                continue;
            }
            let value = match self.generation {
                Generation::June2025 => value,
                Generation::September2025 => unquoted(value)?,
            };
            let value = match in_parentheses(value) {
                Some(inside) => Param::Resolve(self.request(inside, Params::new(), nested + 1)?),
                None => Param::Value(value.into()),
            };
            let (name, value) = self.typed(name, value, nested)?;
            params.insert(name, value);
        }
        Ok(())
    }

    /// A name with its type taken off, and the value of that type. A space stands for a `+`, which is what some clients make
    /// of one.
    pub(super) fn typed(&mut self, name: &str, value: Param, nested: usize) -> Result<(String, Param)> {
        let (separator, plain, kind) = text::cut(name, b"+ ", self.generation)?;
        if separator.is_none() {
            return Ok((plain.to_owned(), value));
        }
        let refuse = || malformed(format!("`{}` wants a text to make its value of.", shown(name)));
        let Param::Value(Value::Binary(bytes)) = value else { return Err(refuse()) };
        let value = if kind == "resolve" {
            let path = std::str::from_utf8(&bytes).map_err(|_| refuse())?;
            Param::Resolve(self.request(path, Params::new(), nested + 1)?)
        } else {
            let bytes =
                if self.generation == Generation::September2025 { without_quotes(&bytes) } else { bytes };
            let value = structured::decode_value(&kind.to_lowercase(), &bytes);
            let not_of = |cause| {
                malformed(format!("The value of `{}` is not of that type.", shown(name))).because(cause)
            };
            Param::Value(value.map_err(not_of)?)
        };
        Ok((plain.to_owned(), value))
    }
}

/// What is between the parentheses that a text begins and ends with.
fn in_parentheses(text: &str) -> Option<&str> {
    text.strip_prefix('(')?.strip_suffix(')')
}

/// The text without the quotation marks around it.
fn unquoted(text: &str) -> Result<&str> {
    match text.strip_prefix('"') {
        None => Ok(text),
        Some("") => Err(malformed("A quotation in the path does not end.")),
        Some(inner) => Ok(inner.strip_suffix('"').unwrap_or(inner)),
    }
}

/// A text without its quotation marks; one after a backslash stays, and the backslash goes.
fn without_quotes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [b'"', after @ ..]) => {
                out.push(b'"');
                after
            }
            (b'"', after) => after,
            (other, after) => {
                out.push(*other);
                after
            }
        };
    }
    out
}
