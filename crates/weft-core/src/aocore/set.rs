//! Setting keys of messages, through their devices (HyperBEAM `hb_ao.erl` `set/3,4`, `deep_set/4`, `device_set/5`).

use weft_codec::message::{Message, Value};
use weft_codec::{Code, Error, Result};

use super::{Run, Status, numbered};

impl Run<'_> {
    /// The message with these keys set, one after the other; a key may be a path. Error: `device-failed`, if the device does not
    /// let it be set; and those of the device.
    pub fn set(&mut self, message: &Message, values: &Message) -> Result<Message> {
        let mut message = message.clone();
        for (key, value) in values.iter().filter(|(key, _)| !["hashpath", "priv"].contains(&key.as_str())) {
            message = self.set_at(&message, key, value.clone())?;
        }
        Ok(message)
    }

    /// The message with one value set at a path. At `/` the keys of a message are set. Errors: those of [`Run::set`].
    pub fn set_at(&mut self, message: &Message, path: &str, value: Value) -> Result<Message> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        self.internal(|run| run.deep_set(message, &parts, value))
    }

    fn deep_set(&mut self, message: &Message, path: &[&str], value: Value) -> Result<Message> {
        match path {
            [] => match value {
                Value::Message(values) => self.device_set(message, values),
                _ => Err(Error::new(Code::DeviceFailed, "Only the keys of a message can be set at `/`.")),
            },
            ["path"] => {
                let request = Message::new().with("path", "set_path").with("value", value);
                self.device_answer(message, &request)
            }
            [key] => self.device_set(message, Message::new().with(*key, value)),
            [key, rest @ ..] => match self.get(message, key)? {
                Some(inner) => {
                    let inner = match self.unlinked(inner)? {
                        Value::Message(inner) => inner,
                        Value::List(values) => numbered(values),
                        _ => {
                            let what =
                                format!("`{}` is no message, so nothing can be set in it.", shown(key));
                            return Err(Error::new(Code::DeviceFailed, what));
                        }
                    };
                    let inner = self.deep_set(&inner, rest, value)?;
                    let values = Message::new().with(*key, inner).with("set-mode", "explicit");
                    self.device_set(message, values)
                }
                None => {
                    let inner = self.deep_set(&Message::new(), rest, value)?;
                    Ok(message.clone().with(*key, inner))
                }
            },
        }
    }

    fn device_set(&mut self, message: &Message, values: Message) -> Result<Message> {
        self.device_answer(message, &values.with("path", "set"))
    }

    fn device_answer(&mut self, message: &Message, request: &Message) -> Result<Message> {
        let answer = self.resolve(&Value::Message(message.clone()), request)?;
        match (answer.status, answer.value) {
            (Status::Ok, Value::Message(message)) => Ok(message),
            _ => Err(Error::new(Code::DeviceFailed, "The message's device does not let the key be set.")),
        }
    }
}

fn shown(key: &str) -> String {
    key.chars().take(60).collect()
}
