//! What the machine does otherwise in profile `lua53`: operators, loops, errors and coroutines. The rest of `vm` asks for it
//! where an instruction has taken the long way already.

mod coroutine;
mod explain;
mod levels;
mod operate;
mod repeat;

pub(crate) use coroutine::{Status, Thread};
pub(crate) use levels::{Caller, OWN_CHUNK};

use super::{Profile, Vm};
use crate::error::{ErrorKind, LuaError, Term};
use crate::value::{EnvId, Value};

impl Vm {
    /// Whether it is Lua 5.3 and not Luerl.
    #[inline]
    pub(crate) fn is_exact(&self) -> bool {
        self.profile == Profile::Lua53
    }

    /// Compiles a chunk of Lua 5.3; its globals are fields of `environment`, or of the machine's own table.
    pub(crate) fn load_exact(
        &mut self,
        source: &[u8],
        name: &str,
        environment: Option<Value>,
    ) -> Result<Value, LuaError> {
        self.check_memory(source.len().saturating_mul(24))?;
        self.charge(source.len() as u64)?;
        let (proto, own) =
            crate::compile::compile_exact(&mut self.heap, source, name, environment.is_some())?;
        let Some(proto) = proto else { return Ok(Value::Nil) };
        if !own {
            return Ok(Value::Function(proto, EnvId(0)));
        }
        let env = self.heap.new_env(EnvId(0), 1);
        let table = environment.unwrap_or(Value::Table(self.heap.globals));
        self.heap.env_set(env, 0, table);
        Ok(Value::Function(proto, env))
    }

    /// What an error is to the script that catches it.
    pub(crate) fn caught_value(&mut self, error: &LuaError) -> Value {
        match (error.kind(), error.term()) {
            (ErrorKind::TooDeep, _) => {
                let top = self.frames.len().saturating_sub(1);
                let place = self.position_of(top);
                self.heap.string(format!("{place}stack overflow").as_bytes())
            }
            (_, Term::Value(value)) => *value,
            (_, Term::Bytes(bytes)) => self.heap.string(bytes),
            _ => {
                let text = self.error_text(error);
                self.heap.string(&text)
            }
        }
    }

    /// The sentence of an error.
    pub(in crate::vm) fn error_text_exact(&self, error: &LuaError) -> Vec<u8> {
        match error.term() {
            Term::Value(value @ (Value::Str(_) | Value::Int(_) | Value::Float(_))) => self.plain_text(*value),
            Term::Value(value) => format!("(error object is a {} value)", value.type_name()).into_bytes(),
            Term::Bytes(bytes) => bytes.clone(),
            Term::Text(text) => text.clone().into_bytes(),
            other => self.term_text(other).into_bytes(),
        }
    }

    /// The address-like number `tostring` shows.
    pub(in crate::vm) fn identity(&self, value: Value) -> String {
        match value {
            Value::Table(id) => format!("table: 0x{:08x}", self.heap.table(id).number),
            Value::Function(proto, env) => {
                format!(
                    "function: 0x{:08x}{:08x}",
                    self.heap.function_number(proto),
                    self.heap.env(env).number
                )
            }
            Value::Native(id) => format!("function: builtin: 0x{:08x}", id.index()),
            Value::Thread(id) => format!("thread: 0x{:08x}", id.index()),
            _ => String::new(),
        }
    }
}
