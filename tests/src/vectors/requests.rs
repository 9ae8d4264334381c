//! Requests: parsed, resolved, and the hashpaths of what came out.

use serde_json::{Map, Value as Json, json};
use weft_codec::Error;
use weft_codec::message::{Generation, Message, Value, structured};
use weft_core::aocore::device::Devices;
use weft_core::aocore::path::{self, Param, Params, Step};
use weft_core::aocore::{Core, hashpath};

use super::{Case, read};

const JUNE: Generation = Generation::June2025;

/// A request and the messages it is.
pub(super) fn singleton(case: &Json) -> Result<Vec<Case>, String> {
    let request = read::message(&case["request"])?;
    let name = case["request"].to_string();
    let of = |generation| path::parse(&request, generation).and_then(|steps| steps_json(&steps, generation));
    let mut cases = vec![Case::of(name.clone(), &case["messages"], of(JUNE))];
    if let Some(wanted) = case.get("messages_september") {
        cases.push(Case::of(format!("{name}, September"), wanted, of(Generation::September2025)));
    }
    Ok(cases)
}

fn steps_json(steps: &[Step], generation: Generation) -> Result<Json, Error> {
    let steps = steps.iter().map(|step| step_json(step, generation));
    steps.collect::<Result<Vec<_>, _>>().map(Json::Array)
}

fn step_json(step: &Step, generation: Generation) -> Result<Json, Error> {
    Ok(match step {
        Step::Id(id) => id.as_str().into(),
        Step::Message(params) => params_json(params, generation)?,
        Step::As { device, message } => {
            json!({ "$as": device, "msg": params_json(message, generation)? })
        }
        Step::Resolve(steps) => json!({ "$resolve": steps_json(steps, generation)? }),
    })
}

/// A node stores what is nested, and has a link to it.
fn params_json(params: &Params, generation: Generation) -> Result<Json, Error> {
    let mut json = Map::new();
    let mut values = Message::new();
    for (key, param) in params {
        match param {
            Param::Value(value) => {
                values.set(key.clone(), value.clone());
            }
            Param::Resolve(steps) => {
                json.insert(key.clone(), json!({ "$resolve": steps_json(steps, generation)? }));
            }
        }
    }
    let linked = structured::from_tabm(&structured::to_tabm(&values, generation)?.linked(generation)?)?;
    json.extend(linked.iter().map(|(key, value)| (key.clone(), read::of_value(value))));
    Ok(Json::Object(json))
}

/// A path and what a node answers.
pub(super) fn resolved(case: &Json) -> Result<Vec<Case>, String> {
    let path = read::text(case, "path")?;
    let devices = Devices::standard();
    let answer = Core::new(&devices, JUNE).request(&Message::new().with("path", path));
    let answer = answer.map(|answer| json!([answer.status.as_str(), read::of_value(&answer.value)]));
    Ok(vec![Case::of(path, &case["result"], answer)])
}

/// The steps of one file: `step1_key` and the like, or a list `steps` of `{key | request, hashpath}`, each with a `request_id` and
/// a `base` of its own if it says so.
pub(super) fn hashpaths(file: &Json) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    if let Some(base) = file.get("base_message") {
        let base = read::message(base)?;
        if let Some(wanted) = file.get("base_hashpath") {
            cases.push(Case::of("base", wanted, hashpath::of(&base, JUNE)));
        }
        chain(&base, &numbered_steps(file)?, &mut cases)?;
        if let Some(steps) = file.get("steps") {
            chain(&base, steps.as_array().ok_or("`steps` is no list")?, &mut cases)?;
        }
    } else {
        chain(&Message::new(), file["steps"].as_array().ok_or("`steps` is no list")?, &mut cases)?;
    }
    if let Some(signed) = file.get("signed_base") {
        let signed = read::message(signed)?;
        cases.push(Case::of("signed base", &file["signed_base_hashpath"], hashpath::of(&signed, JUNE)));
        let after = hashpath::after(&signed, &asked("k"), JUNE);
        cases.push(Case::of("signed base, key k", &file["signed_base_step_k"], after));
    }
    if let Some(wanted) = file.get("binary_hello_hashpath") {
        cases.push(Case::new("the bytes `hello`", wanted, hashpath::of_bytes(b"hello")));
    }
    Ok(cases)
}

/// `step1_key`, `step1_hashpath`, … as a list.
fn numbered_steps(file: &Json) -> Result<Vec<Json>, String> {
    let mut steps = Vec::new();
    for number in 1.. {
        let of = |what: &str| file.get(format!("step{number}_{what}")).cloned();
        let Some(hashpath) = of("hashpath") else { break };
        let step = [("key", of("key")), ("request", of("request")), ("request_id", of("request_id"))];
        let step = step.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        steps.push(Json::Object(step.chain([("hashpath".to_owned(), hashpath)]).collect()));
    }
    Ok(steps)
}

fn asked(key: &str) -> Message {
    Message::new().with("path", key)
}

/// Each step is asked of what the step before gave. A step may bring its own base, as a message or as the hashpath it came by.
fn chain(base: &Message, steps: &[Json], cases: &mut Vec<Case>) -> Result<(), String> {
    let mut at = base.clone();
    for (number, step) in (1..).zip(steps) {
        match step.get("base") {
            Some(Json::String(hashpath)) => at = came_by(hashpath),
            Some(base) => at = read::message(base)?,
            None => {}
        }
        let request = match (step.get("key"), step.get("request")) {
            (Some(Json::String(key)), _) => asked(key),
            (_, Some(Json::String(key))) => asked(key),
            (_, Some(request)) => read::message(request)?,
            _ => return Err(format!("step {number} has neither `key` nor `request`")),
        };
        if let Some(wanted) = step.get("request_id") {
            // Also where the request is a bare key, and so stands as itself in the path.
            let id = structured::to_tabm(&request, JUNE)
                .and_then(|tabm| weft_codec::message::id::id(&tabm, weft_codec::message::Ids::All, JUNE));
            cases.push(Case::of(
                format!("step {number}: id of the request"),
                wanted,
                id.map(|id| id.to_string()),
            ));
        }
        let after = hashpath::after(&at, &request, JUNE);
        let next = after.as_ref().map(|hashpath| came_by(hashpath)).unwrap_or_default();
        cases.push(Case::of(format!("step {number}"), &step["hashpath"], after));
        at = next;
    }
    Ok(())
}

/// A message that came by a hashpath.
fn came_by(hashpath: &str) -> Message {
    Message::new().with("priv", Value::Message(Message::new().with("hashpath", hashpath)))
}
