//! A HyperBEAM node, as far as its schedules go: it answers from schedules that a real one served, slot by slot.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;
use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{Generation, Tabm};
use weft_node::seams::{Request, Response};

use super::network::{Site, status};

/// The process `token` of `tests/fixtures/hyperbeam-schedules`.
pub const TOKEN: &str = "eBx69GteoL6hmsiYfK-69_YOfQralrjMPBPKHeGVuMc";
/// Its schedule as the node served it: slots 0 to 30.
pub const TOKEN_PAGES: [&str; 4] = [
    include_str!("../../fixtures/hyperbeam-schedules/token-000-009.json"),
    include_str!("../../fixtures/hyperbeam-schedules/token-010-019.json"),
    include_str!("../../fixtures/hyperbeam-schedules/token-020-029.json"),
    include_str!("../../fixtures/hyperbeam-schedules/token-030-030.json"),
];

/// A schedule by slot.
pub type Schedule = BTreeMap<u64, Tabm>;

/// The schedule in recorded answers.
///
/// # Panics
/// If one of them is no such answer.
#[must_use]
#[expect(clippy::unwrap_used, reason = "fixtures")]
pub fn recorded_schedule(answers: &[&str]) -> Schedule {
    let page = |text: &&str| {
        let exchange: Value = serde_json::from_str(text).unwrap();
        let response = &exchange["response"];
        let headers = response["headers"].as_array().unwrap().iter();
        let headers = headers.map(|one| (one[0].as_str().unwrap(), one[1].as_str().unwrap()));
        let body = response["body"]["text"].as_str().unwrap().as_bytes().to_vec();
        weft_verify::http::schedule_page(&Encoded::received(headers, body).unwrap()).unwrap()
    };
    let all = answers.iter().flat_map(page);
    all.map(|assignment| (assignment.text("slot").unwrap().parse().unwrap(), assignment)).collect()
}

/// A node that has this schedule of a process, and says so as HyperBEAM does. Anything else is not there.
#[must_use]
pub fn node(process: &str, schedule: Schedule) -> Site {
    let (base, schedule) = (format!("/{process}~process@1.0/"), Rc::new(schedule));
    Rc::new(move |request| Ok(answer(&base, &schedule, request)))
}

fn answer(base: &str, schedule: &Schedule, request: &Request) -> Response {
    let path = request.url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    let Some(key) = path.strip_prefix(base) else { return status(404) };
    if key == "slot/current" {
        let last = schedule.keys().last().copied().unwrap_or_default();
        return Response::new(200, "text/plain", last.to_string().into_bytes());
    }
    let Some(query) = key.strip_prefix("schedule?") else { return status(404) };
    let query: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let (from, to) = (number("from").unwrap_or(0), number("to").unwrap_or(u64::MAX));
    let wanted = request.headers.iter().any(|(name, value)| name == "accept-bundle" && value == "true");
    if !wanted {
        return status(500);
    }
    page(schedule, from, to)
}

#[expect(clippy::unwrap_used, reason = "what was decoded can be encoded")]
fn page(schedule: &Schedule, from: u64, to: u64) -> Response {
    let assignments: Tabm = match from <= to {
        true => schedule.range(from..=to).map(|(slot, one)| (slot.to_string(), one.clone().into())).collect(),
        false => Tabm::new(),
    };
    let more = schedule.keys().last().is_some_and(|last| *last > to);
    let message = Tabm::new()
        .with("type", "schedule")
        .with("continues", if more { "true" } else { "false" })
        .with("assignments", assignments);
    let encoded = httpsig::encode(&message, Generation::September2025).unwrap();
    let mut response = Response::new(200, "", encoded.body.unwrap_or_default());
    for (name, value) in encoded.headers {
        response = response.with_header(&name, String::from_utf8(value).unwrap());
    }
    response
}
