//! The `io` library: what it writes is collected for the host.

use super::args::owned_text;
use super::{Answer, Entry};
use crate::error::LuaError;
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[("flush", "flush", flush), ("write", "write", write)];

/// Adds to what a script has printed.
pub(super) fn print(call: &mut Call<'_>, bytes: &[u8]) -> Result<(), LuaError> {
    call.fuel(super::args::work(bytes.len()))?;
    call.memory(call.vm.output.len().saturating_add(bytes.len()))?;
    call.vm.output.extend_from_slice(bytes);
    Ok(())
}

fn flush(_: &mut Call<'_>) -> Answer {
    Ok(Returns::One(Value::Bool(true)))
}

/// Luerl returns something that is no Lua value here; `nil` stands for it.
fn write(call: &mut Call<'_>) -> Answer {
    let mut out = Vec::new();
    for value in call.args() {
        match owned_text(call, value)? {
            Some(text) => out.extend_from_slice(&text),
            None => return Err(call.badarg("write")),
        }
    }
    print(call, &out)?;
    Ok(Returns::One(Value::Nil))
}
