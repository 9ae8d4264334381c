//! The resolver (reference ao-core.md §7; HyperBEAM `hb_ao.erl` `resolve_many/2`, `resolve_stage`, `subresolve/4`).
//!
//! A request is a list of steps. The first is the base; each further one is asked of what came before. The order of rules for
//! one of them:
//!
//! 1. What is elsewhere is loaded: an id, a link. A path in parentheses is resolved, a list is taken as the message `1`, `2`, ….
//! 2. A base that is no message has no keys: `not_found`.
//! 3. The device is the one that the base names under `device`, or `message@1.0`.
//! 4. The device answers the key, the first part of the request's `path`, or has no answer for it; then `message@1.0` does.
//! 5. A result that is a message gets its hashpath; a refusal loses it and ends the request.

use weft_codec::message::{Generation, Message, Value};
use weft_codec::{Code, Error, Id, Result};

use super::device::{self, Devices};
use super::path::{self, Param, Params, Step};
use super::{Answer, Host, Need, NoHost, NoStore, Signer, Store, hashpath, normal_keys, numbered};

/// What a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most keys that are asked of messages, those that devices ask counted.
    pub steps: u64,
    /// The deepest nesting of such questions in each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 100_000, depth: 48 }
    }
}

/// A resolver: devices, a store, a key, and the generation of rules.
#[derive(Clone, Copy)]
pub struct Core<'a> {
    devices: &'a Devices,
    store: &'a dyn Store,
    host: &'a dyn Host,
    signer: Option<&'a dyn Signer>,
    generation: Generation,
    limits: Limits,
}

impl<'a> Core<'a> {
    /// A resolver over these devices, with no store and no key.
    #[must_use]
    pub fn new(devices: &'a Devices, generation: Generation) -> Self {
        Self { devices, store: &NoStore, host: &NoHost, signer: None, generation, limits: Limits::default() }
    }

    /// With a store.
    #[must_use]
    pub fn with_store(self, store: &'a dyn Store) -> Self {
        Self { store, ..self }
    }

    /// With a node.
    #[must_use]
    pub fn with_host(self, host: &'a dyn Host) -> Self {
        Self { host, ..self }
    }

    /// With a key.
    #[must_use]
    pub fn with_signer(self, signer: &'a dyn Signer) -> Self {
        Self { signer: Some(signer), ..self }
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Answers a request as it comes by HTTP: a message with a `path`, its other keys for all steps. Every result is a
    /// message: a value by itself stands under `body`, and `ao-result` says so.
    ///
    /// Errors: those of [`path::parse`], `device-unknown`, `device-unavailable`, `device-failed`, `resolve-limit`, those of
    /// devices and of the store. A refusal of a device is an [`Answer`].
    pub fn request(&self, request: &Message) -> Result<Answer> {
        let steps = path::parse(request, self.generation)?;
        let mut run = self.run();
        run.force_message = true;
        run.many(&steps)
    }

    /// Answers a request to a message: each part of its `path` is asked of what the part before gave. Errors: those of
    /// [`Core::request`].
    pub fn resolve(&self, base: &Message, request: &Message) -> Result<Answer> {
        self.run().resolve(&Value::Message(base.clone()), request)
    }

    /// Answers a path to a message. Errors: those of [`Core::request`].
    pub fn get(&self, base: &Message, path: &str) -> Result<Answer> {
        self.resolve(base, &Message::new().with("path", path))
    }

    fn run(&self) -> Run<'a> {
        Run { core: *self, left: self.limits.steps, depth: 0, force_message: false, hashpaths: true }
    }
}

/// One request on its way: what a device may ask for.
pub struct Run<'a> {
    core: Core<'a>,
    left: u64,
    depth: usize,
    /// Whether every result is made a message.
    force_message: bool,
    /// Whether results get a hashpath.
    pub(super) hashpaths: bool,
}

impl Run<'_> {
    /// The generation of rules.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.core.generation
    }

    /// The key that messages are committed with, if there is one.
    #[must_use]
    pub fn signer(&self) -> Option<&dyn Signer> {
        self.core.signer
    }

    /// What the node has for a need. Errors are the host's own, or `device-unavailable` where there is no node.
    pub fn ask(&self, need: &Need) -> Result<Answer> {
        self.core.host.ask(need)
    }

    /// What the store has under an id. Errors are the store's own.
    pub fn load(&self, id: &str) -> Result<Option<Value>> {
        match id.parse::<Id>() {
            Ok(id) => self.core.store.load(id),
            Err(_) => Ok(None),
        }
    }

    /// Asks a message for each part of a request's `path`, one after the other. Errors: those of [`Core::request`].
    pub fn resolve(&mut self, base: &Value, request: &Message) -> Result<Answer> {
        let parts = match request.get("path") {
            Some(path) => path_parts(path)?,
            None => return Err(Error::new(Code::PathMalformed, "The request has no path.")),
        };
        self.deeper(|run| {
            let mut answer = Answer::ok(base.clone());
            for part in parts {
                answer = run.step(answer.value, request.clone().with("path", part))?;
                if !answer.is_ok() {
                    return Ok(answer);
                }
            }
            run.loaded(answer)
        })
    }

    /// Asks a message for a path, through its device; none if it is refused. No hashpath is made. Errors: those of
    /// [`Core::request`].
    pub fn get(&mut self, base: &Message, path: &str) -> Result<Option<Value>> {
        self.internal(|run| {
            let answer = run.resolve(&Value::Message(base.clone()), &Message::new().with("path", path))?;
            Ok(Some(answer).filter(Answer::is_ok).map(|answer| answer.value))
        })
    }

    /// What a message itself has under a key, whatever its device is, loaded. Errors are the store's own, or `not-found`.
    pub fn own(&self, message: &Message, key: &str) -> Result<Option<Value>> {
        message.get(key).map(|value| self.unlinked(value.clone())).transpose()
    }

    /// The value a link stands for. Errors: `not-found`, and the store's own.
    pub fn unlinked(&self, value: Value) -> Result<Value> {
        let Value::Link(id) = value else { return Ok(value) };
        self.core.store.load(id)?.ok_or_else(|| missing(&id.to_string()))
    }

    /// Without hashpaths, and with values as they are.
    pub(super) fn internal<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = (self.hashpaths, self.force_message);
        (self.hashpaths, self.force_message) = (false, false);
        let result = inner(self);
        (self.hashpaths, self.force_message) = before;
        result
    }

    /// With values as they are.
    fn plain<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = std::mem::replace(&mut self.force_message, false);
        let result = inner(self);
        self.force_message = before;
        result
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= self.core.limits.depth {
            let what = format!("The request asks more than {} deep.", self.core.limits.depth);
            return Err(Error::new(Code::ResolveLimit, what));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// The steps of a path, one after the other.
    pub(super) fn many(&mut self, steps: &[Step]) -> Result<Answer> {
        self.deeper(|run| {
            let Some((first, rest)) = steps.split_first() else {
                return Err(Error::new(Code::PathMalformed, "The path asks for nothing."));
            };
            let mut answer = run.base(first)?;
            for step in rest {
                if !answer.is_ok() {
                    return Ok(answer);
                }
                answer = run.next(answer.value, step)?;
            }
            run.loaded(answer)
        })
    }

    fn base(&mut self, step: &Step) -> Result<Answer> {
        match step {
            Step::Id(id) => Ok(self.load(id)?.map_or_else(Answer::not_found, Answer::ok)),
            Step::Message(params) => Ok(self.settled(params)?.map_or_else(|refused| refused, Answer::ok)),
            Step::Resolve(steps) => self.many(steps),
            Step::As { device, message } => {
                let message = match self.settled(message)? {
                    Ok(message) => message,
                    Err(refused) => return Ok(refused),
                };
                let stored = message.get("path").and_then(Value::as_text).filter(|path| path::is_id(path));
                match stored.map(str::to_owned) {
                    Some(id) => self.stored_as(&id, device, message),
                    None => self.under(Message::new(), device, message),
                }
            }
        }
    }

    /// A stored message under a device, with the step's other keys.
    fn stored_as(&mut self, id: &str, device: &str, mut more: Message) -> Result<Answer> {
        more.remove("path");
        let Some(value) = self.load(id)? else { return Ok(Answer::not_found()) };
        let Value::Message(stored) = value else { return Ok(Answer::not_found()) };
        let whole = stored.into_iter().chain(more).collect();
        Ok(Answer::ok(self.with_device(whole, device)?))
    }

    /// The message under another device. Its own lets the key be set; where that one is not here, as those that need a node are
    /// not, the key is set all the same.
    fn with_device(&mut self, message: Message, device: &str) -> Result<Message> {
        let own = message.get("device").and_then(Value::as_text);
        if own.is_some_and(|own| self.core.devices.find(own).is_err()) {
            let values = Message::new().with("device", device);
            return match device::message::set(&message, &values, self)?.value {
                Value::Message(message) => Ok(message),
                _ => Ok(message),
            };
        }
        self.set(&message, &Message::new().with("device", device))
    }

    /// A request to a message under another device; without a path, the message with the request's keys.
    fn under(&mut self, base: Message, device: &str, mut request: Message) -> Result<Answer> {
        let base = self.with_device(base, device)?;
        if request.get("path").is_none_or(|path| path.as_text() == Some("")) {
            request.remove("path");
            return Ok(Answer::ok(self.set(&base, &request)?));
        }
        self.resolve(&Value::Message(base), &request)
    }

    fn next(&mut self, base: Value, step: &Step) -> Result<Answer> {
        match step {
            Step::Id(id) => self.step(base, Message::new().with("path", id.as_str())),
            Step::Message(params) => match self.settled(params)? {
                Ok(request) => self.step(base, request),
                Err(refused) => Ok(refused),
            },
            Step::As { device, message } => match (self.settled(message)?, self.unlinked(base)?) {
                (Err(refused), _) => Ok(refused),
                (Ok(request), Value::Message(base)) => self.under(base, device, request),
                (Ok(_), _) => Ok(Answer::not_found()),
            },
            Step::Resolve(steps) => {
                let answer = self.plain(|run| run.many(steps))?;
                match answer.value {
                    _ if answer.status != super::Status::Ok => Ok(answer),
                    Value::Message(request) => self.step(base, request),
                    path => self.step(base, Message::new().with("path", path)),
                }
            }
        }
    }

    /// A step's parameters, the paths among them resolved; the inner error is the refusal of one.
    fn settled(&mut self, params: &Params) -> Result<std::result::Result<Message, Answer>> {
        let mut message = Message::new();
        for (key, param) in params {
            let value = match param {
                Param::Value(value) => value.clone(),
                Param::Resolve(steps) => {
                    let answer = self.plain(|run| run.many(steps))?;
                    if !answer.is_ok() {
                        return Ok(Err(answer));
                    }
                    answer.value
                }
            };
            message.set(key.clone(), value);
        }
        Ok(Ok(message))
    }

    fn loaded(&self, answer: Answer) -> Result<Answer> {
        Ok(Answer { value: self.unlinked(answer.value)?, ..answer })
    }

    /// One request to one base.
    fn step(&mut self, base: Value, request: Message) -> Result<Answer> {
        let Some(left) = self.left.checked_sub(1) else {
            let what = format!("The request asks more than {} keys of messages.", self.core.limits.steps);
            return Err(Error::new(Code::ResolveLimit, what));
        };
        self.left = left;
        let generation = self.core.generation;
        let base = match self.unlinked(base)? {
            Value::Message(message) => normal_keys(message, generation),
            Value::List(values) => numbered(values),
            _ => return Ok(self.finished(Answer::not_found())),
        };
        let request = normal_keys(request, generation);
        let parts = request.get("path").map(path_parts).transpose()?.unwrap_or_default();
        let Some(key) = parts.first() else {
            return Err(Error::new(Code::PathMalformed, "The request has no path."));
        };
        let (hashpaths, forced) = (self.hashpaths, self.force_message);
        let answer = self.deeper(|run| {
            run.force_message = false;
            let answer = run.answered(key, &base, &request);
            run.force_message = forced;
            answer
        })?;
        let mut answer = self.finished(answer);
        if let Value::Message(message) = &mut answer.value {
            match answer.status {
                super::Status::Ok if hashpaths => {
                    hashpath::put(message, hashpath::after(&base, &request, generation)?);
                }
                super::Status::Ok => {}
                _ => hashpath::drop(message),
            }
        }
        Ok(answer)
    }

    /// The device's answer, or that of `message@1.0`.
    fn answered(&mut self, key: &str, base: &Message, request: &Message) -> Result<Answer> {
        let name = self.own(base, "device")?;
        if let Some(name) = name {
            let name = name.as_text().ok_or_else(|| {
                Error::new(
                    Code::DeviceUnknown,
                    "A device is named by a text; one made of functions is not run here.",
                )
            })?;
            let device = self.core.devices.find(name)?;
            let lower = if path::is_id(key) { key.to_owned() } else { key.to_lowercase() };
            if let Some(answer) = device.call(&lower, base, request, self)? {
                return Ok(answer);
            }
        }
        device::message::answer(key, base, request, self)
    }

    /// A list is the message of its numbers; where every result is to be a message, a value by itself becomes one.
    fn finished(&self, answer: Answer) -> Answer {
        if !self.force_message {
            return answer;
        }
        let value = match answer.value {
            Value::Message(message) => message,
            Value::List(values) => numbered(values),
            literal => Message::new().with("ao-result", "body").with("body", literal),
        };
        Answer { status: answer.status, value: Value::Message(value) }
    }
}

fn missing(id: &str) -> Error {
    Error::new(Code::NotFound, format!("The message {id} is not in the store."))
}

/// The parts of a path: a text with `/` between them, a number, or a list of such.
pub(super) fn path_parts(path: &Value) -> Result<Vec<String>> {
    let refuse = || Error::new(Code::PathMalformed, "The path of a request is no path.");
    match path {
        Value::Binary(_) => {
            let text = path.as_text().filter(|text| !text.is_empty()).ok_or_else(refuse)?;
            Ok(text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect())
        }
        Value::Integer(number) => Ok(vec![number.to_string()]),
        Value::Atom(word) => Ok(vec![word.clone()]),
        Value::List(parts) => {
            let mut all = Vec::new();
            for part in parts {
                match part {
                    Value::List(_) | Value::Message(_) => return Err(refuse()),
                    part => all.extend(path_parts(part)?),
                }
            }
            Ok(all)
        }
        _ => Err(refuse()),
    }
}
