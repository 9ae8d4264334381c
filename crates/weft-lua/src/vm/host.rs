//! Values outside of a machine: what a host gives and gets.

use num_bigint::BigInt;

use super::Vm;
use crate::error::{ErrorKind, LuaError};
use crate::number::Num;
use crate::value::Value;

/// A value without a machine.
#[derive(Debug, Clone, PartialEq)]
pub enum Host {
    /// `nil`
    Nil,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(BigInt),
    /// A float.
    Float(f64),
    /// A string.
    Bytes(Vec<u8>),
    /// A table's entries, in Luerl's order.
    Table(Vec<(Host, Host)>),
    /// A function; it cannot be given back.
    Function(String),
}

/// How deep tables may nest on their way in or out.
const MAX_DEPTH: usize = 128;

impl Vm {
    /// Makes a value of what the host gives.
    pub fn from_host(&mut self, host: &Host) -> Result<Value, LuaError> {
        self.inside(host, 0)
    }

    fn inside(&mut self, host: &Host, depth: usize) -> Result<Value, LuaError> {
        if depth > MAX_DEPTH {
            return Err(LuaError::limit(ErrorKind::TooDeep, "The value nests too deep."));
        }
        Ok(match host {
            Host::Nil | Host::Function(_) => Value::Nil,
            Host::Bool(truth) => Value::Bool(*truth),
            Host::Int(n) => self.heap.value(Num::from_big(n.clone())),
            Host::Float(f) => Value::Float(*f),
            Host::Bytes(bytes) => {
                self.check_memory(bytes.len())?;
                self.heap.string(bytes)
            }
            Host::Table(entries) => {
                self.check_memory(entries.len().saturating_mul(32))?;
                let table = self.heap.new_table();
                for (key, value) in entries {
                    let (key, value) = (self.inside(key, depth + 1)?, self.inside(value, depth + 1)?);
                    self.heap.set(table, key, value);
                }
                Value::Table(table)
            }
        })
    }

    /// The value for the host, of no more bytes than the memory limit. Tables that contain themselves are too deep.
    pub fn to_host(&mut self, value: Value) -> Result<Host, LuaError> {
        self.outside(value, 0, &mut self.limits.memory.clone())
    }

    fn outside(&mut self, value: Value, depth: usize, left: &mut usize) -> Result<Host, LuaError> {
        if depth > MAX_DEPTH {
            return Err(LuaError::limit(ErrorKind::TooDeep, "The value nests too deep."));
        }
        self.charge(1)?;
        let size = size_of::<Host>() + if let Value::Str(id) = value { self.heap.bytes(id).len() } else { 0 };
        // A table in many places is written in each of them.
        *left = left.checked_sub(size).ok_or_else(|| {
            LuaError::limit(ErrorKind::OutOfMemory, "The value is larger than the memory limit.")
        })?;
        Ok(match value {
            Value::Nil => Host::Nil,
            Value::Bool(truth) => Host::Bool(truth),
            Value::Int(n) => Host::Int(n.into()),
            Value::Big(id) => Host::Int(self.heap.big(id).clone()),
            Value::Float(f) => Host::Float(f),
            Value::Str(id) => Host::Bytes(self.heap.bytes(id).to_vec()),
            Value::Function(..) | Value::Native(_) => Host::Function(self.function_text(value)),
            Value::Thread(_) => Host::Function(self.identity(value)),
            Value::Table(id) => {
                let mut entries = Vec::new();
                let mut key = Value::Nil;
                while let Some((next, value)) = self.heap.next(id, key) {
                    entries
                        .push((self.outside(next, depth + 1, left)?, self.outside(value, depth + 1, left)?));
                    if next.is_nil() {
                        break;
                    }
                    key = next;
                }
                Host::Table(entries)
            }
        })
    }
}
