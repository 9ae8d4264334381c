//! `multipass@1.0`: lets a stack run again (reference devices.md §9; HyperBEAM `dev_multipass.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | any but `keys` and `set` | base: `passes`, `pass` (1 each, if they are not there) | `pass` while `pass` is less than `passes`, then ok; the base either way |

use weft_codec::message::{Message, Value};
use weft_codec::{Code, Error, Result};

use super::super::{Answer, Run, Status};
use super::Device;

pub(super) struct Multipass;

impl Device for Multipass {
    fn name(&self) -> &str {
        "multipass@1.0"
    }

    fn call(&self, key: &str, base: &Message, _: &Message, run: &mut Run<'_>) -> Result<Option<Answer>> {
        if ["keys", "set"].contains(&key) {
            return Ok(None);
        }
        let status =
            if count(base, "pass", run)? < count(base, "passes", run)? { Status::Pass } else { Status::Ok };
        Ok(Some(Answer { status, value: base.clone().into() }))
    }
}

/// A number of the base, or 1. A text is refused: a node never ends over one.
pub(super) fn count(base: &Message, key: &str, run: &Run<'_>) -> Result<i64> {
    match run.own(base, key)? {
        None => Ok(1),
        Some(Value::Integer(number)) => Ok(number),
        Some(_) => Err(Error::new(Code::DeviceFailed, format!("`{key}` of a stack is no number."))),
    }
}
