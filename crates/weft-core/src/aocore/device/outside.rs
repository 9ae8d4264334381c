//! A device that something else runs than this program, such as a page's JavaScript: the node asks it, and holds the answer while
//! the request is resolved.

use std::collections::BTreeMap;

use weft_codec::Result;
use weft_codec::message::Message;

use super::super::{Answer, Need, Run};
use super::Device;

/// The name of such a device, and the keys that it answers.
#[derive(Clone, Debug)]
pub struct Outside {
    name: String,
    /// As a request has them in small letters, and as they were written.
    keys: BTreeMap<String, String>,
}

impl Outside {
    /// A device of these keys. `message@1.0` answers all others.
    #[must_use]
    pub fn new(name: &str, keys: impl IntoIterator<Item = String>) -> Self {
        let keys = keys.into_iter().map(|key| (key.to_lowercase(), key)).collect();
        Self { name: name.to_lowercase(), keys }
    }
}

impl Device for Outside {
    fn name(&self) -> &str {
        &self.name
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        let Some(key) = self.keys.get(key) else { return Ok(None) };
        let need = Need::Outside {
            device: self.name.clone(),
            key: key.clone(),
            base: base.clone(),
            request: request.clone(),
        };
        run.ask(&need).map(Some)
    }
}
