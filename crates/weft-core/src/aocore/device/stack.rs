//! `stack@1.0`: several devices one after the other (reference devices.md §5; HyperBEAM `dev_stack.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | any but `keys` and `set`; of those in `stack-keys`, if the base has it | base: `device-stack`, names under `1`, `2`, …; request or base: `mode` | `Fold`: the base after each device has answered the key in turn; `Map`: each device's answer under its number |
//!
//! In a fold each device sees the base with its own name under `device`, its number under `device-key`, and the prefixes that
//! `input-prefixes` and `output-prefixes` have for it. A device without an answer is passed over; `skip` ends the fold;
//! `pass` begins it again, with `pass` one higher. A refusal, and a key over which a device fails, is `device-failed`.
//!
//! Differences from HyperBEAM: `transform` is refused. A device that is made of functions has no name, and is
//! `device-unknown`.

use weft_codec::message::{Message, Value};
use weft_codec::{Code, Error, Result};

use super::super::{Answer, Run, Status, list_of, numbered};
use super::multipass::count;
use super::{Device, message};

pub(super) struct Stack;

impl Device for Stack {
    fn name(&self) -> &str {
        "stack@1.0"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        if ["keys", "set"].contains(&key) || !is_exported(key, base, run)? {
            return Ok(None);
        }
        if key == "transform" {
            return Err(failed("`transform` of a stack is not answered here."));
        }
        let mode = match run.get(request, "mode")? {
            None => run.own(base, "mode")?,
            found => found,
        };
        match mode.as_ref().map_or(Some("Fold"), Value::as_text) {
            Some("Fold") => fold(base, request, run).map(Some),
            Some("Map") => map(base, request, run).map(Some),
            _ => Err(failed("The `mode` of a stack is `Fold` or `Map`.")),
        }
    }
}

fn is_exported(key: &str, base: &Message, run: &Run<'_>) -> Result<bool> {
    let Some(keys) = run.own(base, "stack-keys")? else { return Ok(true) };
    let keys = list_of(&keys).ok_or_else(|| failed("`stack-keys` is no list."))?;
    Ok(keys.into_iter().filter_map(Value::as_text).any(|exported| exported.to_lowercase() == key))
}

fn devices(base: &Message, run: &Run<'_>) -> Result<Message> {
    match run.own(base, "device-stack")? {
        Some(Value::Message(devices)) => Ok(devices),
        Some(Value::List(devices)) => Ok(numbered(devices)),
        _ => Err(failed("The stack has no `device-stack`.")),
    }
}

fn fold(base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Answer> {
    let own_device = run.own(base, "device")?.unwrap_or_else(|| "stack@1.0".into());
    let first_pass = run.own(base, "pass")?.unwrap_or_else(|| Value::Atom("unset".to_owned()));
    let mut state = run.set(base, &Message::new().with("pass", 1))?;
    let mut number = 1_usize;
    loop {
        let Some(with_device) = under(&state, &number.to_string(), Value::Integer(number_of(number)), run)?
        else {
            break;
        };
        let answer = run.resolve(&with_device.clone().into(), request)?;
        match (answer.status, answer.value) {
            (Status::Ok, Value::Message(next)) => (state, number) = (next, number + 1),
            (Status::Ok, value) => return Ok(Answer::ok(value)),
            (Status::Error, value) if Answer::error(value.clone()) == Answer::not_found() => {
                (state, number) = (with_device, number + 1);
            }
            (Status::Skip, Value::Message(next)) => {
                state = next;
                break;
            }
            (Status::Pass, Value::Message(next)) => {
                let pass = count(&next, "pass", run)?.saturating_add(1);
                state = run.set(&next, &Message::new().with("pass", pass))?;
                number = 1;
            }
            (status, value) => return Err(device_failed(number, status, &value)),
        }
    }
    let mut restored = Message::new().with("device", own_device).with("pass", first_pass);
    for key in ["device-key", "device-stack-previous"] {
        restored.set(key, Value::Atom("unset".to_owned()));
    }
    for prefix in ["input-prefix", "output-prefix"] {
        if let Some(before) = run.own(&state, &format!("previous-{prefix}"))? {
            restored.set(prefix, before);
        }
    }
    message::set(&state, &restored, run)
}

/// The state with the device of this number in the stack's place; none after the last.
fn under(state: &Message, key: &str, shown: Value, run: &mut Run<'_>) -> Result<Option<Message>> {
    let Some(device) = run.own(&devices(state, run)?, key)? else { return Ok(None) };
    let mut values = Message::new().with("device", device).with("device-key", shown);
    if let Some(before) = run.own(state, "device")? {
        values.set("previous-device", before);
    }
    for prefix in ["input-prefix", "output-prefix"] {
        let prefixes = match run.own(state, &format!("{prefix}es"))? {
            Some(Value::Message(prefixes)) => prefixes,
            Some(Value::List(prefixes)) => numbered(prefixes),
            _ => Message::new(),
        };
        if let Some(value) = run.own(&prefixes, key)? {
            values.set(prefix, value);
        }
        if let Some(before) = run.own(state, prefix)? {
            values.set(format!("previous-{prefix}"), before);
        }
    }
    match message::set(state, &values, run)?.value {
        Value::Message(message) => Ok(Some(message)),
        _ => Ok(None),
    }
}

fn map(base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Answer> {
    let mut results = Message::new();
    for (key, _) in
        devices(base, run)?.iter().filter(|(key, _)| !["path", "hashpath", "priv"].contains(&key.as_str()))
    {
        let Some(with_device) = under(base, key, key.as_str().into(), run)? else { continue };
        let answer = run.resolve(&with_device.into(), request)?;
        if answer.is_ok() {
            results.set(key.clone(), answer.value);
        }
    }
    Ok(Answer::ok(results))
}

fn number_of(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn device_failed(number: usize, status: Status, value: &Value) -> Error {
    let reason = match value {
        Value::Atom(word) => word.clone(),
        Value::Message(message) => {
            message.get("body").and_then(Value::as_text).unwrap_or_default().to_owned()
        }
        value => value.as_text().unwrap_or_default().to_owned(),
    };
    let shown: String = reason.chars().take(200).collect();
    failed(&format!("Device {number} of the stack answered {}: {shown}", status.as_str()))
}

fn failed(sentence: &str) -> Error {
    Error::new(Code::DeviceFailed, sentence)
}
