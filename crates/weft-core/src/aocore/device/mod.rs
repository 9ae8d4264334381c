//! Devices: what answers the keys of messages. docs/devices.md lists them.
//!
//! A device is a value of a type that has [`Device`], put into [`Devices`] under its name:
//!
//! ```
//! use weft_codec::message::{Generation, Message, Value};
//! use weft_core::aocore::device::{Device, Devices};
//! use weft_core::aocore::{Answer, Core, Run};
//!
//! struct Greeter;
//!
//! impl Device for Greeter {
//!     fn name(&self) -> &str {
//!         "greeter@1.0"
//!     }
//!
//!     fn call(
//!         &self,
//!         key: &str,
//!         base: &Message,
//!         _: &Message,
//!         run: &mut Run<'_>,
//!     ) -> weft_codec::Result<Option<Answer>> {
//!         match key {
//!             "greet" => {
//!                 let name = run.get(base, "whom")?.unwrap_or_else(|| "you".into());
//!                 Ok(Some(Answer::ok(format!("hello {}", name.as_text().unwrap_or_default()))))
//!             }
//!             _ => Ok(None), // message@1.0 answers
//!         }
//!     }
//! }
//!
//! let mut devices = Devices::standard();
//! devices.add(Greeter);
//! let core = Core::new(&devices, Generation::September2025);
//! let request = Message::new().with("path", "/~greeter@1.0&whom=World/greet");
//! let answer = core.request(&request)?;
//! assert_eq!(answer.value.as_message().unwrap().get("body"), Some(&Value::from("hello World")));
//! # Ok::<(), weft_codec::Error>(())
//! ```

mod absent;
mod cache;
mod commitments;
mod dedup;
mod json;
mod legacy;
mod lookup;
mod lua;
mod manifest;
pub(super) mod message;
mod meta;
mod multipass;
mod outside;
mod patch;
mod process;
mod push;
mod scheduler;
mod stack;
mod test_device;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use weft_codec::message::Message;
use weft_codec::{Code, Error, Result};

pub use absent::ABSENT;
pub use outside::Outside;

use super::{Answer, Run};

/// What answers the keys of the messages that name it under `device`. It is synchronous, and what it answers depends on its
/// arguments and on what it asks of the run alone.
pub trait Device {
    /// The name with its version, in small letters.
    fn name(&self) -> &str;

    /// Answers a key of `base`, or says by none that `message@1.0` shall. The key is in small letters, unless it has the length
    /// of an id; `request` has it under `path` as it was written, and the other keys of the request.
    ///
    /// Errors are what is wrong with the request or what a node fails over; a refusal is an [`Answer`].
    fn call(&self, key: &str, base: &Message, request: &Message, run: &mut Run<'_>)
    -> Result<Option<Answer>>;
}

/// Devices by name.
#[derive(Clone, Default)]
pub struct Devices {
    by_name: BTreeMap<String, Rc<dyn Device>>,
}

impl Devices {
    /// None but `message@1.0`, which is always there.
    #[must_use]
    pub fn new() -> Self {
        let mut devices = Self::default();
        devices.add(message::MessageDevice);
        devices
    }

    /// All that need no node.
    #[must_use]
    pub fn standard() -> Self {
        let mut devices = Self::new();
        devices.add(dedup::Dedup);
        devices.add(json::Json);
        devices.add(lookup::Lookup);
        devices.add(manifest::Manifest);
        devices.add(multipass::Multipass);
        devices.add(patch::Patch);
        devices.add(stack::Stack);
        devices.add(test_device::TestDevice);
        devices
    }

    /// All: those that need no node, and those that ask one by [`Run::ask`].
    #[must_use]
    pub fn of_node() -> Self {
        let mut devices = Self::standard();
        devices.add(cache::Cache);
        devices.add(legacy::Legacy::Delegated);
        devices.add(legacy::Legacy::GenesisWasm);
        devices.add(lua::Lua);
        devices.add(meta::Meta);
        devices.add(process::Process);
        devices.add(push::Push);
        devices.add(scheduler::Scheduler);
        devices
    }

    /// Puts a device in, in the place of one of the same name.
    pub fn add(&mut self, device: impl Device + 'static) {
        self.by_name.insert(device.name().to_lowercase(), Rc::new(device));
    }

    /// The names, in byte order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The device of a name, in any case of letters. Errors: `device-unavailable` for one that has no place in a browser,
    /// `device-unknown` for any other.
    pub fn find(&self, name: &str) -> Result<Rc<dyn Device>> {
        let name = name.to_lowercase();
        if let Some(device) = self.by_name.get(&name) {
            return Ok(Rc::clone(device));
        }
        let shown: String = name.chars().take(60).collect();
        let error = match absent::reason(&name) {
            Some(reason) => {
                Error::new(Code::DeviceUnavailable, format!("`{shown}` is not in a browser: {reason}."))
            }
            None => Error::new(Code::DeviceUnknown, format!("There is no device `{shown}` here.")),
        };
        Err(error.with("device", shown))
    }
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}
