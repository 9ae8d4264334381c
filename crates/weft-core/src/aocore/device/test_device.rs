//! `test-device@1.0`: what tests of other devices run on (reference devices.md §9; HyperBEAM `dev_test.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `compute` | request: `slot`; base: `already-seen` | the base with the slot in front of `already-seen` and as `results/assignment-slot`, and `random-key` |
//! | `init` | | the base with an empty `already-seen` |
//! | `restore` | base: `already-seen` | the base with it as `priv/test-key/started-state`; refused without it |
//! | `snapshot` | | an empty message |
//! | `mul` | base: `state`; request: `args`, two numbers | `state`, and their product in the list `results` |
//! | `load` | | the base with this device |
//! | `index` | base: `name` | a line of HTML |
//! | `test-func` | | `GOOD_FUNCTION` |
//!
//! Keys that reach into a running node (`increment-counter`, `update-state`, `delay`, `postprocess`) are not here.

use weft_codec::message::{Message, Value};
use weft_codec::{Code, Error, Result};

use super::super::{Answer, Run, list_of};
use super::Device;

const NAME: &str = "test-device@1.0";

pub(super) struct TestDevice;

impl Device for TestDevice {
    fn name(&self) -> &str {
        NAME
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        Ok(Some(match key.replace('_', "-").as_str() {
            "test-func" => Answer::ok("GOOD_FUNCTION"),
            "snapshot" => Answer::ok(Message::new()),
            "load" => Answer::ok(base.clone().with("device", NAME)),
            "index" => {
                let name = run.get(base, "name")?.unwrap_or_else(|| "turtles".into());
                let body = format!("i like {}!", name.as_text().unwrap_or_default());
                Answer::ok(Message::new().with("content-type", "text/html").with("body", body))
            }
            "init" => {
                Answer::ok(run.set(base, &Message::new().with("already-seen", Value::List(Vec::new())))?)
            }
            "compute" => compute(base, request, run)?,
            "restore" => restore(base, run)?,
            "mul" => mul(base, request, run)?,
            _ => return Ok(None),
        }))
    }
}

fn compute(base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Answer> {
    let slot = run.get(request, "slot")?.ok_or_else(|| failed("The request has no `slot`."))?;
    let seen =
        run.get(base, "already-seen")?.ok_or_else(|| failed("There is no `already-seen` to add to."))?;
    let seen = list_of(&seen).ok_or_else(|| failed("`already-seen` is no list."))?;
    let all: Vec<Value> = std::iter::once(slot.clone()).chain(seen.into_iter().cloned()).collect();
    let values = Message::new()
        .with("random-key", "random-value")
        .with("results", Message::new().with("assignment-slot", slot))
        .with("already-seen", Value::List(all));
    Ok(Answer::ok(run.set(base, &values)?))
}

fn restore(base: &Message, run: &mut Run<'_>) -> Result<Answer> {
    let Some(seen) = run.get(base, "already-seen")? else {
        return Ok(Answer::error("There is no state to restore."));
    };
    let mut private = base.get("priv").and_then(Value::as_message).cloned().unwrap_or_default();
    private.set("test-key", Message::new().with("started-state", seen));
    Ok(Answer::ok(base.clone().with("priv", private)))
}

fn mul(base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Answer> {
    let args = run.get(request, "args")?.ok_or_else(|| failed("The request has no `args`."))?;
    let (left, right) = match list_of(&args).as_deref() {
        Some([Value::Integer(left), Value::Integer(right)]) => (*left, *right),
        _ => return Err(failed("`args` is not two numbers.")),
    };
    let product = left.checked_mul(right).ok_or_else(|| failed("The product has more than 64 bits."))?;
    let state = run.get(base, "state")?.unwrap_or_else(|| Value::Atom("not_found".to_owned()));
    let results = Value::List(vec![Value::Integer(product)]);
    Ok(Answer::ok(Message::new().with("state", state).with("results", results)))
}

fn failed(sentence: &str) -> Error {
    Error::new(Code::DeviceFailed, sentence)
}
