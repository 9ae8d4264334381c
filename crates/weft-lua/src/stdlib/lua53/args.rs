//! What the library's functions ask of their arguments, and what they say if it is not so.

use crate::error::LuaError;
use crate::number::lua53::Number;
use crate::value::{TableId, Value};
use crate::vm::Call;

/// Work on so many bytes, in fuel.
pub(super) fn work(bytes: usize) -> u64 {
    u64::try_from(bytes / 16).unwrap_or(u64::MAX)
}

/// A length or a place as a value.
pub(super) fn count(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

impl Call<'_> {
    /// An error with the place of who called.
    #[cold]
    pub(super) fn error(&mut self, text: impl AsRef<str>) -> LuaError {
        let place = self.vm.position(1);
        self.vm.raise(format!("{place}{}", text.as_ref()))
    }

    /// `bad argument #1 to 'f' (…)`; arguments count from 0 here.
    #[cold]
    pub(super) fn bad(&mut self, at: usize, what: &str) -> LuaError {
        let mut number = at + 1;
        let called = self.vm.name_of_call();
        if let Some(("method", name)) = &called {
            number -= 1;
            if number == 0 {
                return self.error(format!("calling '{name}' on bad self ({what})"));
            }
        }
        let name = called.map_or_else(|| self.own_name(), |(_, name)| name);
        self.error(format!("bad argument #{number} to '{name}' ({what})"))
    }

    /// The native's name among the globals.
    fn own_name(&self) -> String {
        let name = self.vm.heap.native_name(self.vm.native_now);
        match name.module.as_str() {
            "_G" => name.function.clone(),
            module => format!("{module}.{}", name.function),
        }
    }

    #[cold]
    pub(super) fn bad_type(&mut self, at: usize, expected: &str) -> LuaError {
        let given = match self.arg(at) {
            None => "no value".to_owned(),
            Some(value) => self.vm.type_of(value),
        };
        self.bad(at, &format!("{expected} expected, got {given}"))
    }

    pub(super) fn any(&mut self, at: usize) -> Result<Value, LuaError> {
        match self.arg(at) {
            Some(value) => Ok(value),
            None => Err(self.bad(at, "value expected")),
        }
    }

    pub(super) fn table_arg(&mut self, at: usize) -> Result<TableId, LuaError> {
        match self.arg(at) {
            Some(Value::Table(id)) => Ok(id),
            _ => Err(self.bad_type(at, "table")),
        }
    }

    pub(super) fn function_arg(&mut self, at: usize) -> Result<Value, LuaError> {
        match self.arg(at) {
            Some(value) if value.is_function() => Ok(value),
            _ => Err(self.bad_type(at, "function")),
        }
    }

    pub(super) fn number_arg(&mut self, at: usize) -> Result<Number, LuaError> {
        let value = self.arg_or_nil(at);
        match self.vm.number(value) {
            // What is written as a text counts as a float.
            Some(number) if matches!(value, Value::Str(_)) => Ok(Number::Float(number.float())),
            Some(number) => Ok(number),
            None => Err(self.bad_type(at, "number")),
        }
    }

    pub(super) fn float_arg(&mut self, at: usize) -> Result<f64, LuaError> {
        self.number_arg(at).map(Number::float)
    }

    pub(super) fn int_arg(&mut self, at: usize) -> Result<i64, LuaError> {
        if let Some(Value::Int(n)) = self.arg(at) {
            return Ok(n);
        }
        let value = self.arg_or_nil(at);
        let Some(number) = self.vm.number(value) else { return Err(self.bad_type(at, "number")) };
        number.int().ok_or_else(|| self.bad(at, "number has no integer representation"))
    }

    /// An integer, or this if the argument is `nil` or not there.
    pub(super) fn int_or(&mut self, at: usize, default: i64) -> Result<i64, LuaError> {
        if self.arg_or_nil(at).is_nil() { Ok(default) } else { self.int_arg(at) }
    }

    /// The bytes of a string, or of a number's text.
    pub(super) fn text_arg(&mut self, at: usize) -> Result<Vec<u8>, LuaError> {
        let value = self.arg_or_nil(at);
        match value {
            Value::Str(id) => {
                let length = self.vm.heap.bytes(id).len();
                self.fuel(work(length))?;
                self.memory(length)?;
                Ok(self.vm.heap.bytes(id).to_vec())
            }
            Value::Int(_) | Value::Float(_) => Ok(self.vm.plain_text(value)),
            _ => Err(self.bad_type(at, "string")),
        }
    }

    /// A text, or nothing if the argument is `nil` or not there.
    pub(super) fn text_or(&mut self, at: usize) -> Result<Option<Vec<u8>>, LuaError> {
        if self.arg_or_nil(at).is_nil() { Ok(None) } else { self.text_arg(at).map(Some) }
    }

    /// A string, paid for.
    pub(super) fn made(&mut self, bytes: &[u8]) -> Result<Value, LuaError> {
        self.fuel(work(bytes.len()))?;
        self.memory(bytes.len())?;
        Ok(self.string(bytes))
    }

    /// What `tostring` gives, metamethods included.
    pub(super) fn shown(&mut self, value: Value) -> Result<Value, LuaError> {
        let method = self.metamethod(value, "__tostring");
        if !method.is_nil() {
            let text = self.call(method, &[value])?.first().copied().unwrap_or(Value::Nil);
            return match text {
                Value::Str(_) => Ok(text),
                Value::Int(_) | Value::Float(_) => {
                    let text = self.vm.plain_text(text);
                    self.made(&text)
                }
                _ => Err(self.error("'__tostring' must return a string")),
            };
        }
        if matches!(value, Value::Str(_)) {
            return Ok(value);
        }
        let mut text = self.vm.plain_text(value);
        if let (Value::Table(_), Value::Str(name)) = (value, self.metamethod(value, "__name")) {
            let rest = text.split_off("table".len());
            text = [self.vm.heap.bytes(name), &rest].concat();
        }
        self.made(&text)
    }
}
