//! `push@1.0`: a message is given its slot and evaluated, and so is whatever it sends (reference devices.md §4; HyperBEAM
//! `dev_push.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `push` | the signed item of the request | `slot`, `process`, the keys of its results, and under `1`, `2`, … where its messages went |
//!
//! A process that is pushed is spawned, and answered with its assignment.

use weft_codec::Result;
use weft_codec::message::Message;

use super::super::{Answer, Need, Run};
use super::Device;
use super::scheduler::{signed_item, unsigned};

pub(super) struct Push;

impl Device for Push {
    fn name(&self) -> &str {
        "push@1.0"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        if key == "push" { push(base, request, run).map(Some) } else { Ok(None) }
    }
}

/// Pushes the signed item of a request.
pub(super) fn push(_: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    match signed_item(request) {
        Some(item) => run.ask(&Need::Push { item }),
        None if request.get("slot").is_some() => {
            Ok(Answer::refused(400, "A slot is pushed when its message is: there is nothing left to push."))
        }
        None => Ok(unsigned(request)),
    }
}
