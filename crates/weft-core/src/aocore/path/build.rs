//! Which parameters go into which step.

use std::collections::BTreeMap;

use weft_codec::message::{Generation, Value};
use weft_codec::{Code, Error, Result};

use super::{MAX_COPIED, Param, Params, Step, is_id, malformed, shown};

/// What a step takes beside its parameters, about.
const STEP_BYTES: usize = 512;

/// The steps with the parameters that are for all of them, or, as `N.key`, for the one of that number.
pub(super) fn build(steps: Vec<Step>, params: Params, generation: Generation) -> Result<Vec<Step>> {
    let (global, mut scoped) = by_scope(params)?;
    let copied = size_of(&global).saturating_mul(steps.len());
    if copied > MAX_COPIED {
        let what = format!("The parameters of {} steps have more than {MAX_COPIED} bytes.", steps.len());
        return Err(Error::new(Code::TooLarge, what));
    }
    let with_scope = steps.into_iter().enumerate().map(|(number, step)| {
        let mut more = global.clone();
        more.extend(scoped.remove(&number).unwrap_or_default());
        one(step, more, generation)
    });
    Ok(with_scope.collect())
}

/// Parameters of all steps, and those of one.
fn by_scope(params: Params) -> Result<(Params, BTreeMap<usize, Params>)> {
    let (mut global, mut scoped) = (Params::new(), BTreeMap::<usize, Params>::new());
    for (name, value) in params {
        match name.split_once('.') {
            Some((number, rest)) if !rest.contains('.') => {
                let refuse =
                    || malformed(format!("`{}` does not begin with the number of a step.", shown(&name)));
                let digits = number.strip_prefix('+').unwrap_or(number);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(refuse());
                }
                // A number that is too long for any step is that of no step.
                if let Ok(number) = digits.parse() {
                    scoped.entry(number).or_default().insert(rest.to_owned(), value);
                }
            }
            _ => {
                global.insert(name, value);
            }
        }
    }
    Ok((global, scoped))
}

fn one(step: Step, more: Params, generation: Generation) -> Step {
    match (step, generation) {
        (Step::Message(own), Generation::June2025) => {
            Step::Message(normal(own.into_iter().chain(more), generation))
        }
        (Step::Message(own), Generation::September2025) => {
            Step::Message(normal(more.into_iter().chain(own), generation))
        }
        (Step::As { device, message }, Generation::June2025) if path_of(&message).is_empty() => {
            Step::As { device, message: normal(message.into_iter().chain(more), generation) }
        }
        (Step::As { device, message }, Generation::September2025) => {
            let message = match path_of(&message) {
                path if is_id(path) => normal(message.into_iter(), generation),
                "" => {
                    let all = more.into_iter().chain(message);
                    normal(all.filter(|(name, _)| name != "path"), generation)
                }
                _ => normal(more.into_iter().chain(message), generation),
            };
            Step::As { device, message }
        }
        (other, _) => other,
    }
}

fn path_of(message: &Params) -> &str {
    message.get("path").and_then(Param::text).unwrap_or_default()
}

/// Keys as messages of the generation have them; of two that are the same the later counts. What is private to a node, or
/// made anew by every codec, is no parameter.
fn normal(params: impl Iterator<Item = (String, Param)>, generation: Generation) -> Params {
    // The later of two replaces the earlier, under the name as it was written, before the names become alike.
    let all: Params = params.collect();
    let named = all.into_iter().map(|(name, value)| (generation.key(&name), value));
    named.filter(|(name, _)| !super::super::is_private(name) && !super::super::is_made_anew(name)).collect()
}

fn size_of(params: &Params) -> usize {
    params.iter().fold(0, |sum: usize, (name, param)| {
        let size = match param {
            Param::Value(value) => size_of_value(value),
            Param::Resolve(steps) => size_of_steps(steps),
        };
        sum.saturating_add(name.len()).saturating_add(size).saturating_add(64)
    })
}

/// Also what is in paths in paths: parameters for all steps are in each of these too. The recursion is bounded by how deep
/// paths are in each other.
fn size_of_steps(steps: &[Step]) -> usize {
    steps.iter().fold(0, |sum: usize, step| {
        let size = match step {
            Step::Id(_) => 0,
            Step::Message(params) | Step::As { message: params, .. } => size_of(params),
            Step::Resolve(steps) => size_of_steps(steps),
        };
        sum.saturating_add(size).saturating_add(STEP_BYTES)
    })
}

/// The recursion is bounded by the depth of the message that came in.
fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Binary(bytes) => bytes.len(),
        Value::Atom(word) => word.len(),
        Value::List(values) => values.iter().map(|value| 32 + size_of_value(value)).sum(),
        Value::Message(message) => {
            message.iter().map(|(key, value)| 64 + key.len() + size_of_value(value)).sum()
        }
        Value::Integer(_) | Value::Float(_) | Value::Link(_) => 32,
    }
}
