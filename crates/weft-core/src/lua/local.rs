//! Scripts of the reader's own: a text of Lua with arguments, no process and no device around it.

use num_bigint::BigInt;
use serde::{Deserialize, Serialize};
use serde_json::{Map as Object, Value};
use weft_codec::{Code, Error, Result};
use weft_lua::{Host, Limits, LuaError, Profile, Value as Given, Vm};

use super::said::{json_of_bytes, json_of_integer};
use crate::machine::lua_code;

/// The deepest nesting of an argument.
const MAX_DEPTH: usize = 64;
/// The most memory a script may ask for.
const MAX_MEMORY: u64 = 1 << 30;

/// A script to run, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LocalScript {
    /// The text of a chunk.
    pub script: String,
    /// Whose Lua.
    #[serde(default)]
    pub profile: LocalProfile,
    /// What the chunk gets as `...`.
    #[serde(default)]
    pub args: Vec<Value>,
    /// Instructions at most.
    #[serde(default)]
    pub fuel: Option<u64>,
    /// Bytes at most; never more than 1 GiB.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
}

/// The Lua of a local script. A device has its own: `lua@5.3a` is always Luerl.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocalProfile {
    /// Lua 5.3 as its manual has it.
    #[default]
    Lua53,
    /// Luerl 1.3.0, as in a process.
    Luerl,
}

/// What a script gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LocalAnswer {
    /// What the chunk returned.
    pub values: Vec<Value>,
    /// The same as its Lua prints them, without metamethods.
    pub texts: Vec<String>,
    /// What it printed.
    pub output: String,
    /// Units of the meter.
    pub gas: u64,
    /// What made the answer depend on more than the script and its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_replayable: Vec<String>,
}

/// A script on its way, slice after slice.
#[must_use]
pub struct LocalRun {
    vm: Vm,
    script: LocalScript,
    fuel: u64,
    begun: bool,
}

impl LocalScript {
    /// Makes the script ready. Nothing runs yet.
    pub fn start(self) -> LocalRun {
        let most = Limits::default();
        let fuel = self.fuel.unwrap_or(most.fuel);
        let memory = self
            .memory_bytes
            .map_or(most.memory, |bytes| usize::try_from(bytes.min(MAX_MEMORY)).unwrap_or(most.memory));
        let profile = match self.profile {
            LocalProfile::Lua53 => Profile::Lua53,
            LocalProfile::Luerl => Profile::Luerl,
        };
        let vm = Vm::new(profile, Limits { fuel, memory, ..most });
        LocalRun { vm, script: self, fuel, begun: false }
    }
}

impl LocalRun {
    /// Goes on for about this much gas. `None`: there is more to do.
    ///
    /// Errors: `lua-syntax`, `lua-error`, `lua-crash` (Luerl alone), `lua-out-of-fuel`, `lua-out-of-memory`, `lua-too-deep`,
    /// `lua-unsupported`, with what was printed before as their field `output`; `too-large` for arguments that nest too deep.
    pub fn go_on(&mut self, gas: u64) -> Result<Option<LocalAnswer>> {
        let over = match std::mem::replace(&mut self.begun, true) {
            true => self.vm.go_on(gas),
            false => self.begin(gas)?,
        };
        match over {
            Ok(None) => Ok(None),
            Ok(Some(values)) => self.answer(&values).map(Some),
            Err(error) => Err(self.refusal(&error)),
        }
    }

    fn begin(&mut self, gas: u64) -> Result<std::result::Result<Option<Vec<Given>>, LuaError>> {
        let name = match self.vm.profile() {
            Profile::Lua53 => "=script",
            Profile::Luerl => "script",
        };
        let args: Vec<Host> = self
            .script
            .args
            .iter()
            .map(|value| host_of(value, self.script.profile, 0))
            .collect::<Result<_>>()?;
        let vm = &mut self.vm;
        let begun = vm.load(self.script.script.as_bytes(), name).and_then(|chunk| {
            let args =
                args.iter().map(|arg| vm.from_host(arg)).collect::<std::result::Result<Vec<_>, _>>()?;
            vm.begin_call(chunk, &args, gas)
        });
        Ok(begun)
    }

    fn answer(&mut self, values: &[Given]) -> Result<LocalAnswer> {
        let texts = values.iter().map(|value| text_of(&self.vm.plain_text(*value))).collect();
        let gas = self.fuel.saturating_sub(self.vm.fuel()).saturating_sub(self.vm.worked());
        let hosts: std::result::Result<Vec<Host>, LuaError> =
            values.iter().map(|value| self.vm.to_host(*value)).collect();
        let hosts = hosts.map_err(|error| self.refusal(&error))?;
        Ok(LocalAnswer {
            values: hosts.iter().map(json_of_host).collect(),
            texts,
            output: text_of(&self.vm.take_output()),
            gas,
            not_replayable: self.vm.unreplayable().iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    fn refusal(&mut self, error: &LuaError) -> Error {
        let printed = self.vm.take_output();
        Error::new(lua_code(error.kind()), text_of(&self.vm.error_text(error)))
            .with_output(&text_of(&printed))
    }
}

/// A JSON value for a script. An integer beyond 64 bits is a float in Lua 5.3, as it is in a text of it.
fn host_of(value: &Value, profile: LocalProfile, depth: usize) -> Result<Host> {
    if depth > MAX_DEPTH {
        return Err(Error::new(Code::TooLarge, format!("An argument nests at most {MAX_DEPTH} deep.")));
    }
    let float = |number: &serde_json::Number| Host::Float(number.as_f64().unwrap_or_default());
    Ok(match value {
        Value::Null => Host::Nil,
        Value::Bool(truth) => Host::Bool(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(small), _) => Host::Int(small.into()),
            (None, Some(large)) if profile == LocalProfile::Luerl => Host::Int(large.into()),
            _ => float(number),
        },
        Value::String(text) => Host::Bytes(text.clone().into_bytes()),
        Value::Array(values) => {
            let entries = (1_i64..).zip(values);
            let entries =
                entries.map(|(at, value)| Ok((Host::Int(at.into()), host_of(value, profile, depth + 1)?)));
            Host::Table(entries.collect::<Result<_>>()?)
        }
        Value::Object(object) => {
            let entries = object.iter().map(|(key, value)| {
                Ok((Host::Bytes(key.clone().into_bytes()), host_of(value, profile, depth + 1)?))
            });
            Host::Table(entries.collect::<Result<_>>()?)
        }
    })
}

/// A script's value as JSON: a table with the keys 1 to n is a list, another an object, keys as texts; what JSON has no form for
/// (functions, coroutines, infinities) is its text.
fn json_of_host(host: &Host) -> Value {
    match host {
        Host::Nil => Value::Null,
        Host::Bool(truth) => (*truth).into(),
        Host::Int(number) => json_of_integer(number),
        Host::Float(number) => float_of(*number),
        Host::Bytes(bytes) => json_of_bytes(bytes),
        Host::Function(text) => text.as_str().into(),
        Host::Table(entries) => match list_of(entries) {
            Some(values) => Value::Array(values),
            None => {
                let entries = entries.iter().map(|(key, value)| (key_text(key), json_of_host(value)));
                Value::Object(entries.collect::<Object<_, _>>())
            }
        },
    }
}

fn float_of(number: f64) -> Value {
    match number {
        number if number.is_nan() => "nan".into(),
        number if number.is_infinite() => if number > 0.0 { "inf" } else { "-inf" }.into(),
        number => number.into(),
    }
}

/// The values of a table whose keys are 1 to n; not of an empty one.
fn list_of(entries: &[(Host, Host)]) -> Option<Vec<Value>> {
    let mut values = vec![None; entries.len()];
    for (key, value) in entries {
        let Host::Int(number) = key else { return None };
        let at = usize::try_from(number - BigInt::from(1)).ok()?;
        *values.get_mut(at)? = Some(json_of_host(value));
    }
    values.into_iter().collect::<Option<Vec<_>>>().filter(|values| !values.is_empty())
}

fn key_text(key: &Host) -> String {
    match key {
        Host::Bytes(bytes) => text_of(bytes),
        Host::Int(number) => number.to_string(),
        other => match json_of_host(other) {
            Value::String(text) => text,
            value => value.to_string(),
        },
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(call: Value) -> Result<LocalAnswer> {
        let mut run = serde_json::from_value::<LocalScript>(call).unwrap().start();
        loop {
            if let Some(answer) = run.go_on(1000)? {
                return Ok(answer);
            }
        }
    }

    fn values(script: &str, profile: &str) -> Vec<Value> {
        run(json!({ "script": script, "profile": profile })).unwrap().values
    }

    #[test]
    fn the_profile_is_the_callers_choice() {
        // The manual of Lua 5.3, 3.4.1 and 6.4.1; the same lines in Luerl 1.3.0 (reference vectors).
        assert_eq!(
            values("return 2^53, math.maxinteger + 1 == math.mininteger, 1 // 0.0", "lua53"),
            [json!(9_007_199_254_740_992.0), json!(true), json!("inf")]
        );
        assert_eq!(values("return math.maxinteger + 1", "luerl"), [json!("9223372036854775808")]);
        assert_eq!(values("goto done; ::done:: return 1", "lua53"), [json!(1)]);
        assert_eq!(
            run(json!({ "script": "goto done; ::done::", "profile": "luerl" })).unwrap_err().code(),
            Code::LuaCrash
        );
        assert_eq!(run(json!({ "script": "return 3 / 2" })).unwrap().texts, ["1.5"]);
        assert!(serde_json::from_value::<LocalScript>(json!({ "script": "", "profile": "lua54" })).is_err());
    }

    #[test]
    fn arguments_go_in_and_values_come_out_as_json() {
        let script = "local a, b = ... print(#a, b.name) return a, b, {}, {1, nil, 3}, print ~= nil, '\\255'";
        // Luerl's print puts a space after each value.
        for (profile, printed) in [("lua53", "3\tn\n"), ("luerl", "3 n \n")] {
            let answer = run(
                json!({ "script": script, "profile": profile, "args": [[1, 2.5, "x"], { "name": "n", "no": null }] }),
            );
            let answer = answer.unwrap();
            let sparse = json!({ "1": 1, "3": 3 });
            let bytes = json!({ "base64url": "_w" });
            assert_eq!(
                answer.values,
                [json!([1, 2.5, "x"]), json!({ "name": "n" }), json!({}), sparse, json!(true), bytes]
            );
            assert_eq!(answer.output, printed);
            assert!(answer.gas > 0 && answer.not_replayable.is_empty());
        }
        // Beyond 64 bits Lua 5.3 has floats alone (manual 3.1), and Luerl has integers.
        let huge = json!([18_446_744_073_709_551_615_u64]);
        let kind =
            |profile| run(json!({ "script": "return math.type(...)", "profile": profile, "args": huge }));
        assert_eq!(kind("lua53").unwrap().values, [json!("float")]);
        assert_eq!(values("return os.time() > -1", "lua53"), [json!(true)]);
        assert_eq!(run(json!({ "script": "return os.time()" })).unwrap().not_replayable, ["os.time"]);
    }

    #[test]
    fn what_fails_has_its_code_and_limits_hold() {
        let code = |script: &str, more: Value| {
            let mut call = json!({ "script": script });
            call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            run(call).unwrap_err().code()
        };
        assert_eq!(code("return return", json!({})), Code::LuaSyntax);
        assert_eq!(code("error('no')", json!({})), Code::LuaError);
        assert_eq!(code("while true do end", json!({ "fuel": 10_000 })), Code::LuaOutOfFuel);
        let bomb = "local t = {} while true do t[#t + 1] = string.rep('x', 100000) end";
        assert_eq!(code(bomb, json!({ "memoryBytes": 4_000_000 })), Code::LuaOutOfMemory);
        let cycle = "local t = {} t.t = t return t";
        assert_eq!(code(cycle, json!({})), Code::LuaTooDeep);
        let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(code("", json!({ "args": [deep] })), Code::TooLarge);
        let error = run(json!({ "script": "local x = nil\nreturn x.y" })).unwrap_err();
        assert_eq!(error.sentence(), "script:2: attempt to index a nil value (local 'x')");
        assert_eq!(error.field("output"), None);
        // What was printed before an error comes with it, whatever the error is.
        for end in
            ["error('no')", "while true do end", "local t = {} t.t = t return t", "print(coroutine.wrap(1))"]
        {
            let script = format!("print('a', 1) print('b') {end}");
            let error = run(json!({ "script": script, "fuel": 10_000 })).unwrap_err();
            assert_eq!(error.field("output"), Some("a\t1\nb\n"), "{end}: {error:?}");
        }
    }
}
