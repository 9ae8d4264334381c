//! An AO-Core node over HTTP: a request becomes a message, the message is resolved, the result becomes an answer (reference
//! scheduler-and-cu-api.md §5; HyperBEAM `hb_http.erl`, `dev_meta.erl`, as of September 2025).
//!
//! | file | what |
//! |---|---|
//! | `request.rs` | headers, query and body of a request as a message; what is signed is verified |
//! | `drive.rs` | resolves, obtains what the resolution needed, resolves again |
//! | `reply.rs`, `page.rs` | a result as headers and body: httpsig, JSON, or a page for a person |
//! | `sign.rs` | signs results with the node's key |
//! | `home.rs` | [`Home`]: where processes, schedules and messages are |
//! | `local.rs`, `synced.rs` | such places: the local network; what a node synced from HyperBEAM nodes |
//! | `outside.rs` | devices that something else runs, such as a page's JavaScript |
//! | `told.rs` | what they say as messages |
//! | `answered.rs` | what answers link to |
//!
//! docs/http.md shows it with curl; docs/devices.md lists what differs from HyperBEAM.

mod answered;
mod drive;
mod home;
mod local;
mod outside;
mod page;
mod reply;
mod request;
mod sign;
mod synced;
mod told;

use request::Wants;
use weft_codec::Result;
use weft_codec::message::Generation;
use weft_core::aocore::Answer;

pub(crate) use answered::Answered;
pub(crate) use home::Home;
pub use outside::{Outside, Said, Saying};
pub(crate) use sign::Signatures;

use crate::net::Reply;
use crate::seams::{Method, Request};

/// The rules that requests are answered by.
const GENERATION: Generation = Generation::September2025;

/// Answers a request by what a place has. Errors are statuses, with their code under `error`.
pub(crate) async fn answer<H: Home>(home: &H, request: &Request) -> Reply {
    let (answer, wants) = answered(home, request).await;
    match written(home, answer, &wants).await {
        Ok(reply) => reply,
        Err(error) => {
            let told = written(home, reply::failed(&error), &wants).await;
            // An error is a message of three texts, which can be written; were it not so, the sentence is still told.
            told.unwrap_or_else(|_| Reply::text(500, &error.to_string()))
        }
    }
}

/// What comes of a request, and how to say it.
async fn answered<H: Home>(home: &H, request: &Request) -> (Answer, Wants) {
    if request.method == Method::Delete {
        let refused = reply::refused(405, "request-invalid", "A node knows GET and POST.");
        return (refused, Wants::of_headers(request));
    }
    let asked = match request::read(request, home.now_ms()) {
        Ok(asked) => asked,
        Err(error) => return (reply::failed(&error), Wants::of_headers(request)),
    };
    let answer = match drive::resolve(home, &asked).await {
        Ok(answer) => answer,
        Err(drive::Ended::Error(error)) => reply::failed(&error),
        Err(drive::Ended::Refused(refusal)) => reply::of_refusal(&refusal),
    };
    (answer, asked.wants)
}

/// Signs and writes an answer.
async fn written<H: Home>(home: &H, answer: Answer, wants: &Wants) -> Result<Reply> {
    let (mut prepared, linked) = reply::prepare(answer, wants)?;
    sign::sign(home, &mut prepared).await?;
    let reply = reply::write(&prepared)?;
    home.keep(linked);
    Ok(reply)
}

/// Whether a path is a node's, where it shares an origin with a page's files: it begins with an id, a device or a path in
/// parentheses, or is one of the two places that take messages for anyone.
#[must_use]
pub fn is_node_path(path: &str) -> bool {
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let Some(first) = path.split('/').find(|segment| !segment.is_empty()) else { return false };
    let name = first.split(['&', '?']).next().unwrap_or_default();
    let id = name.split('~').next().unwrap_or_default();
    let is_id =
        id.len() == 43 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_id || name.contains('~') || first.starts_with('(') || ["push", "schedule"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_node_s_and_what_a_page_s() {
        let id = "eBx69GteoL6hmsiYfK-69_YOfQralrjMPBPKHeGVuMc";
        let node =
            ["/~meta@1.0/info", "/%7Emeta@1.0/info", "/push", "//schedule", "/name~message@1.0", "/(~a)/b"];
        for path in
            node.map(str::to_owned).into_iter().chain([format!("/{id}"), format!("/{id}~process@1.0/now")])
        {
            assert!(is_node_path(&path), "{path}");
        }
        for path in
            ["/", "", "/index.html", "/assets/eBx69GteoL6hmsiYfK-69_YOfQralrjMPBPKHeGVuMc.js", "/pushed"]
        {
            assert!(!is_node_path(path), "{path}");
        }
    }
}
