//! `meta@1.0`: what a node says of itself (reference scheduler-and-cu-api.md §5.4; HyperBEAM `dev_meta.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `info` | | the node's message: `address`, `generation`, … |
//! | `build` | | `node`, `version` |
//!
//! `POST …/info` is refused: nobody changes a node of the reader's own from afar.

use weft_codec::Result;
use weft_codec::message::Message;

use super::super::{Answer, Need, Run};
use super::Device;
use super::process::is_post;

pub(super) struct Meta;

impl Device for Meta {
    fn name(&self) -> &str {
        "meta@1.0"
    }

    fn call(&self, key: &str, _: &Message, request: &Message, run: &mut Run<'_>) -> Result<Option<Answer>> {
        Ok(Some(match key {
            "info" if is_post(request) => {
                Answer::refused(403, "The node's message cannot be changed from afar.")
            }
            "info" => run.ask(&Need::Node)?,
            "build" => {
                let build = Message::new().with("node", "Weft").with("version", env!("CARGO_PKG_VERSION"));
                Answer::ok(build)
            }
            _ => return Ok(None),
        }))
    }
}
