//! `lua@5.3a` over a state: functions of a script of the reader's own (reference devices.md §6; HyperBEAM `dev_lua.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `compute`, where the base has `process` and no script of its own | as `genesis-wasm@1.0` | a dry run |
//! | any other that is no key of the base | base or request: `module`, a script's id, a message with it, its text, or several; `function` | what the function gave for the base and the request |
//!
//! `/PID~process@1.0/now/~lua@5.3a&module=ID/balance` calls `balance(state, request)`. A script can be the body of the request as
//! well, with the content type `application/lua` or `text/x-lua`. The state stays as it is; scripts are sandboxed and metered.

use weft_codec::message::{Message, Value};
use weft_codec::{Code, Error, Id, Result};

use super::super::{Answer, Need, Run};
use super::{Device, legacy};

/// Keys that a node keeps from scripts too.
const EXCLUDED: [&str; 8] = ["keys", "set", "remove", "id", "commit", "verify", "committed", "committers"];

pub(super) struct Lua;

impl Device for Lua {
    fn name(&self) -> &str {
        "lua@5.3a"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        if EXCLUDED.contains(&key) {
            return Ok(None);
        }
        if key == "compute" && base.get("input-prefix").is_some() && base.get("process").is_some() {
            return legacy::dry_run(base, request, run).map(Some);
        }
        if base.get(key).is_some() {
            return Ok(None);
        }
        let Some(code) = script(base, request, run)? else { return Ok(None) };
        let function = match run.own(request, "function")? {
            Some(name) => name.as_text().unwrap_or_default().to_owned(),
            None => key.to_owned(),
        };
        let (mut state, mut request) = (base.clone(), request.clone());
        for message in [&mut state, &mut request] {
            for key in ["module", "function", "body", "commitments"] {
                message.remove(key);
            }
        }
        run.ask(&Need::Script { state, code, function, request }).map(Some)
    }
}

/// The most modules of a process.
const MAX_MODULES: usize = 64;

/// The text of the script that a request names, or of the base's own modules.
fn script(base: &Message, request: &Message, run: &Run<'_>) -> Result<Option<String>> {
    let kind = run.own(request, "content-type")?;
    let is_lua = kind.as_ref().and_then(Value::as_text).is_some_and(weft_codec::ao::is_lua_text);
    let module = match run.own(request, "module")? {
        None if is_lua => run.own(request, "body")?,
        None => run.own(base, "module")?,
        some => some,
    };
    let modules = match module {
        None => return Ok(None),
        Some(Value::List(modules)) if modules.len() <= MAX_MODULES => modules,
        Some(one) => vec![one],
    };
    let several = modules.len() > 1;
    let mut code = String::new();
    for module in modules {
        let text = text_of(run.unlinked(module)?, run)?;
        // Each is a chunk: what it calls local is its own, and what it returns is nobody's.
        code.push_str(&if several { format!("(function(...) {text}\nend)();\n") } else { text });
    }
    Ok(Some(code))
}

/// The text of a module: a message with it, the id of one, or the text itself.
fn text_of(module: Value, run: &Run<'_>) -> Result<String> {
    let refuse = || Error::new(Code::RequestInvalid, "`module` is neither a script nor the id of one.");
    let message = match module {
        Value::Message(message) => message,
        other => {
            let text = other.as_text().ok_or_else(refuse)?.to_owned();
            if text.parse::<Id>().is_err() {
                return Ok(text);
            }
            match run.load(&text)? {
                Some(Value::Message(message)) => message,
                _ => return Err(Error::new(Code::NotFound, format!("The script {text} is not here."))),
            }
        }
    };
    let code = match run.own(&message, "body")? {
        Some(body) => Some(body),
        None => run.own(&message, "data")?,
    };
    code.as_ref().and_then(Value::as_text).map(str::to_owned).ok_or_else(refuse)
}
