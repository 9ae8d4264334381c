//! `genesis-wasm@1.0` and `delegated-compute@1.0`: processes of the legacy network, which a compute unit evaluates (reference
//! devices.md §8; HyperBEAM `dev_genesis_wasm.erl`, `dev_delegated_compute.erl`). Here that is this node's own.
//!
//! | key | in | out |
//! |---|---|---|
//! | `compute` | base: a process under `process`; keys of the request | a dry run of them: results, and `raw` as a legacy compute unit has it |
//! | `init`, `normalize`, `snapshot` | | the base |

use weft_codec::Result;
use weft_codec::message::Message;

use super::super::{Answer, Need, Run};
use super::Device;
use super::process::process_id;

/// Which of the two.
#[derive(Clone, Copy)]
pub(super) enum Legacy {
    Delegated,
    GenesisWasm,
}

impl Device for Legacy {
    fn name(&self) -> &str {
        match self {
            Self::Delegated => "delegated-compute@1.0",
            Self::GenesisWasm => "genesis-wasm@1.0",
        }
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        Ok(Some(match key {
            "compute" => dry_run(base, request, run)?,
            "init" | "normalize" | "snapshot" => Answer::ok(base.clone()),
            _ => return Ok(None),
        }))
    }
}

/// What the keys of a request would give as a message to the process under `process`.
pub(super) fn dry_run(base: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    run.ask(&Need::DryRun { process: process_id(base, run)?, message: request.clone() })
}
