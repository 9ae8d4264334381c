//! Reading and writing fields as scripts do, with metatables.

use super::Vm;
use crate::error::LuaError;
use crate::heap::Event;
use crate::value::Value;

/// Tables that stand for each other in profile `lua53`, at most.
const MAX_ROUNDS: usize = 2000;

/// What reading or writing a field comes to.
pub(super) enum Access {
    /// Done; the value, when reading.
    Done(Value),
    /// This function answers, with the object as its first argument.
    Ask(Value, Value),
}

impl Vm {
    /// A field's value, or who is to be asked for it.
    pub(super) fn read(&mut self, object: Value, key: Value) -> Result<Access, LuaError> {
        let mut object = object;
        let mut rounds = 0;
        loop {
            let method = if let Value::Table(id) = object {
                let value = self.heap.get(id, key);
                if !value.is_nil() {
                    return Ok(Access::Done(value));
                }
                let method = self.heap.meta_field(self.heap.table(id).meta, Event::Index);
                if method.is_nil() {
                    return Ok(Access::Done(Value::Nil));
                }
                method
            } else {
                let method = self.heap.metamethod(object, Event::Index);
                if method.is_nil() {
                    if self.is_exact() {
                        return Err(self.index_fault(object, rounds == 0));
                    }
                    return Err(LuaError::illegal_index(object, key));
                }
                method
            };
            if method.is_function() {
                return Ok(Access::Ask(method, object));
            }
            rounds += 1;
            if rounds > MAX_ROUNDS && self.is_exact() {
                return Err(self.fault("'__index' chain too long; possible loop"));
            }
            // A table in the metatable's place; a ring of them ends when the fuel does.
            self.charge(1)?;
            object = method;
        }
    }

    /// Sets a field, or answers who is to do it.
    pub(super) fn write(&mut self, object: Value, key: Value, value: Value) -> Result<Access, LuaError> {
        let mut object = object;
        let mut rounds = 0;
        loop {
            if key.is_nil() && !self.is_exact() {
                return Err(LuaError::illegal_index(object, key));
            }
            let method = if let Value::Table(id) = object {
                let meta = self.heap.table(id).meta;
                let method = match meta {
                    None => Value::Nil,
                    Some(_) if !self.heap.get(id, key).is_nil() => Value::Nil,
                    meta => self.heap.meta_field(meta, Event::NewIndex),
                };
                if method.is_nil() {
                    if self.is_exact() {
                        self.check_key(key)?;
                    }
                    self.heap.set(id, key, value);
                    return Ok(Access::Done(Value::Nil));
                }
                method
            } else {
                let method = self.heap.metamethod(object, Event::NewIndex);
                if method.is_nil() {
                    if self.is_exact() {
                        return Err(self.index_fault(object, rounds == 0));
                    }
                    return Err(LuaError::illegal_index(object, key));
                }
                method
            };
            if method.is_function() {
                return Ok(Access::Ask(method, object));
            }
            rounds += 1;
            if rounds > MAX_ROUNDS && self.is_exact() {
                return Err(self.fault("'__newindex' chain too long; possible loop"));
            }
            self.charge(1)?;
            object = method;
        }
    }

    /// A field as a script sees it, for a native.
    pub(crate) fn index_nested(&mut self, object: Value, key: Value) -> Result<Value, LuaError> {
        match self.read(object, key)? {
            Access::Done(value) => Ok(value),
            Access::Ask(method, object) => {
                let values = self.call_nested(method, &[object, key])?;
                Ok(values.first().copied().unwrap_or(Value::Nil))
            }
        }
    }

    /// Sets a field as a script does, for a native.
    pub(crate) fn set_index_nested(
        &mut self,
        object: Value,
        key: Value,
        value: Value,
    ) -> Result<(), LuaError> {
        if let Access::Ask(method, object) = self.write(object, key, value)? {
            self.call_nested(method, &[object, key, value])?;
        }
        Ok(())
    }

    /// The field of a value's metatable.
    pub(crate) fn metamethod(&mut self, value: Value, event: &str) -> Value {
        match self.heap.meta(value) {
            Some(meta) => {
                let key = self.heap.string(event.as_bytes());
                self.heap.get(meta, key)
            }
            None => Value::Nil,
        }
    }
}
