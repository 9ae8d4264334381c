//! A Lua expression over one JSON value.

use std::fmt;

use piccolo::{Closure, Executor, Fuel, Lua, StashedClosure, StaticError, Value};
use weft_codec::{Code, Error, Result};

use crate::json;

/// Longest expression accepted, in bytes. It also bounds how deep the parser can recurse.
const MAX_SOURCE: usize = 1000;
/// Fuel of one evaluation, in piccolo's units (about one an instruction).
const FUEL: u32 = 1_000_000;
/// Fuel of one step, after which memory is looked at.
const SLICE: i32 = 4096;
/// Memory that one evaluation may hold, in bytes.
const MAX_MEMORY: usize = 16 << 20;

/// A compiled expression, such as `slot.error ~= nil` or `slot.gas > 1e6 and #slot.messages > 0`.
pub struct Filter {
    lua: Lua,
    chunk: StashedClosure,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

impl Filter {
    /// Compiles an expression in which `name` stands for the value. Errors: `lua-invalid`, `too-large`.
    pub fn compile(name: &str, expression: &str) -> Result<Self> {
        if expression.len() > MAX_SOURCE {
            let sentence = format!(
                "The Lua expression has {} bytes; at most {MAX_SOURCE} are accepted.",
                expression.len()
            );
            return Err(Error::new(Code::TooLarge, sentence));
        }
        let source = format!("local {name} = ...\nreturn ({expression}\n)");
        let mut lua = Lua::core();
        let chunk = lua
            .try_enter(|ctx| {
                // What would make two evaluations differ, or reach outside, is not there.
                for absent in ["print", "collectgarbage", "load"] {
                    ctx.set_global(absent, Value::Nil)?;
                }
                if let Value::Table(math) = ctx.get_global("math") {
                    math.set(ctx, "random", Value::Nil)?;
                    math.set(ctx, "randomseed", Value::Nil)?;
                }
                Ok(ctx.stash(Closure::load(ctx, Some("expression"), source.as_bytes())?))
            })
            .map_err(refused)?;
        Ok(Self { lua, chunk })
    }

    /// Whether the expression is true of a value, by Lua's rule: everything but `nil` and `false` is.
    ///
    /// Errors: `lua-invalid` if it fails, `gas-limit`, `memory-limit`. The next call starts afresh all the same.
    pub fn matches(&mut self, value: &serde_json::Value) -> Result<bool> {
        let chunk = &self.chunk;
        let executor = self
            .lua
            .try_enter(|ctx| {
                let argument = json::to_lua(ctx, value, 0)?;
                Ok(ctx.stash(Executor::start(ctx, ctx.fetch(chunk).into(), argument)))
            })
            .map_err(refused)?;
        let mut left = FUEL;
        loop {
            let mut fuel = Fuel::with(SLICE);
            if self.lua.enter(|ctx| ctx.fetch(&executor).step(ctx, &mut fuel)) {
                break;
            }
            left = left
                .saturating_sub(u32::try_from(SLICE.saturating_sub(fuel.remaining())).unwrap_or(u32::MAX));
            if left == 0 {
                return Err(Error::new(Code::GasLimit, "The Lua expression ran out of fuel."));
            }
            if self.lua.total_memory() > MAX_MEMORY {
                return Err(Error::new(Code::MemoryLimit, "The Lua expression ran out of memory."));
            }
        }
        let truth = self
            .lua
            .try_enter(|ctx| Ok(ctx.fetch(&executor).take_result::<Value<'_>>(ctx)??.to_bool()))
            .map_err(refused);
        self.lua.gc_collect();
        truth
    }
}

fn refused(cause: StaticError) -> Error {
    Error::new(Code::LuaInvalid, format!("The Lua expression failed: {cause}."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(expression: &str, value: &serde_json::Value) -> Result<bool> {
        Filter::compile("slot", expression)?.matches(value)
    }

    #[test]
    fn sees_the_fields_of_a_value() -> Result<()> {
        let slot = json!({"slot": 7, "gas": 12.5, "error": null, "messages": [{"Target": "a"}, {"Target": "b"}], "ok": true});
        for (expression, expected) in [
            ("slot.slot == 7", true),
            ("slot.gas > 12 and slot.gas < 13", true),
            ("slot.error", false),
            ("slot.error == nil", true),
            ("#slot.messages == 2 and slot.messages[2].Target == 'b'", true),
            ("slot.ok and false", false),
            ("math.floor(slot.gas) == 12", true),
            ("math.random == nil and print == nil and io == nil", true),
        ] {
            assert_eq!(ask(expression, &slot)?, expected, "{expression}");
        }
        Ok(())
    }

    #[test]
    fn one_filter_serves_many_values() -> Result<()> {
        let mut filter = Filter::compile("slot", "slot.n % 2 == 0")?;
        for n in 0..50 {
            assert_eq!(filter.matches(&json!({"n": n}))?, n % 2 == 0);
        }
        Ok(())
    }

    #[test]
    fn refuses_with_a_code_and_goes_on() -> Result<()> {
        let endless = "(function() while true do end end)()";
        let greedy = "(function() local t = {} for i = 1, 1e9 do t[i] = {} end end)()";
        for (expression, code) in [
            ("slot +", Code::LuaInvalid),
            ("slot.a.b", Code::LuaInvalid),
            ("slot) os.exit(", Code::LuaInvalid),
            (endless, Code::GasLimit),
            (greedy, Code::MemoryLimit),
        ] {
            let error = ask(expression, &json!({})).expect_err(expression);
            assert_eq!(error.code(), code, "{expression}: {error:?}");
        }
        let long = "x".repeat(MAX_SOURCE + 1);
        assert_eq!(ask(&long, &json!({})).expect_err("too long").code(), Code::TooLarge);
        let mut filter = Filter::compile("slot", "slot.a.b == 1")?;
        assert_eq!(filter.matches(&json!({})).expect_err("no a").code(), Code::LuaInvalid);
        assert!(filter.matches(&json!({"a": {"b": 1}}))?);
        Ok(())
    }

    #[test]
    fn refuses_values_nested_too_deep() {
        let mut value = json!(1);
        for _ in 0..200 {
            value = json!([value]);
        }
        assert_eq!(ask("true", &value).expect_err("too deep").code(), Code::LuaInvalid);
    }
}
