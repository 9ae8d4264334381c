//! `lua@5.3a`: a machine with the modules of a process, and calls into it.

use super::ao;
use super::held::{Held, Key, Map};
use super::modules::{self, Store};
use crate::{Callee, ErrorKind, Host, Level, Limits, LuaError, Profile, Term, Value, Vm};

/// The most values of all arguments in a trace together: those beyond are left out.
const TRACE_VALUES: u64 = 1 << 20;
/// So many bytes of texts in arguments, and no argument after them.
const TRACE_BYTES: usize = 16 << 20;

/// A machine that has run the modules of a process.
#[derive(Debug)]
pub struct Device {
    pub(super) vm: Vm,
    /// The fuel of each call.
    fuel: u64,
    /// Whether the call on its way changes the machine if it gives a message.
    keeps: bool,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Called {
    /// A status and a result. The machine keeps its new state only where the result is a map.
    Returned(String, Held),
    /// An error of Lua, or of Erlang below it: the message a node answers.
    Failed(Map),
    /// The node itself fails, with this reason: what the function returned has no form.
    Thrown(String),
}

impl Device {
    /// Runs the modules that a state names, then takes away what its `sandbox` says, then adds the table `ao`. The code of
    /// modules runs before the sandbox: it sees everything.
    ///
    /// # Errors
    /// The message that a node answers, or the reason it fails for.
    pub fn new(base: &Map, store: &Store, limits: Limits) -> Result<Self, Called> {
        let modules = modules::find(base, store).map_err(Called::Failed)?;
        let mut vm = Vm::new(Profile::Luerl, limits);
        for module in modules {
            let outcome = vm.load(&module.code, &module.name).and_then(|function| vm.call(function, &[]));
            outcome.map_err(|error| Called::Thrown(unmatched(&vm, &error)))?;
        }
        let prepared = modules::sandbox(&mut vm, base).and_then(|()| ao::install(&mut vm, base));
        prepared.map_err(|error| Called::Thrown(reason(&vm, &error)))?;
        Ok(Self::around(vm, limits))
    }

    /// A machine that is ready.
    pub(super) fn around(vm: Vm, limits: Limits) -> Self {
        Self { vm, fuel: limits.fuel, keeps: true }
    }

    /// Gives the fuel of a call.
    pub(super) fn refuel(&mut self) {
        self.vm.set_fuel(self.fuel);
    }

    /// Calls the function that the request, else the state, else the key names, with the parameters of the request, else of
    /// the state, else the state, the request and an empty table.
    ///
    /// # Errors
    /// A limit was reached: no node knows that outcome. The machine is as it was.
    pub fn compute(&mut self, key: &str, base: &Map, request: &Map) -> Result<Called, LuaError> {
        let mut called = self.begin(key, base, request, true, u64::MAX)?;
        loop {
            match called {
                Some(called) => return Ok(called),
                None => called = self.go_on(u64::MAX)?,
            }
        }
    }

    /// As [`Self::compute`], for about this much fuel. `None`: it is not over; [`Self::go_on`] goes on with it, [`Self::cancel`]
    /// leaves it. Where it is not to be kept, the machine is as before whatever it gives.
    ///
    /// # Errors
    /// As [`Self::compute`].
    pub fn begin(
        &mut self,
        key: &str,
        base: &Map,
        request: &Map,
        keep: bool,
        fuel: u64,
    ) -> Result<Option<Called>, LuaError> {
        self.vm.set_fuel(self.fuel);
        self.vm.begin();
        self.keeps = keep;
        let begun = match self.prepared(key, base, request) {
            Ok(Some((function, args))) => self.vm.begin_call(function, &args, fuel),
            Ok(None) => {
                self.vm.roll_back();
                return Ok(Some(Called::Thrown("function_clause".to_owned())));
            }
            Err(error) => Err(error),
        };
        self.settle(begun)
    }

    /// Goes on with what [`Self::begin`] began.
    ///
    /// # Errors
    /// As [`Self::compute`].
    pub fn go_on(&mut self, fuel: u64) -> Result<Option<Called>, LuaError> {
        let outcome = self.vm.go_on(fuel);
        self.settle(outcome)
    }

    /// Leaves what is on its way: it never happened.
    pub fn cancel(&mut self) {
        self.vm.abandon();
        self.vm.roll_back();
        self.vm.unreplayable.clear();
        self.vm.output.clear();
    }

    /// The fuel that the last call took: the same wherever it runs, after whatever.
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        self.fuel.saturating_sub(self.vm.fuel()).saturating_sub(self.vm.worked())
    }

    /// What was printed since the last time, by modules and by calls.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.vm.take_output()
    }

    fn settle(&mut self, outcome: Result<Option<Vec<Value>>, LuaError>) -> Result<Option<Called>, LuaError> {
        let called = match outcome {
            Ok(None) => return Ok(None),
            Ok(Some(values)) => returned(&mut self.vm, &values),
            Err(error) => failed(&mut self.vm, error),
        };
        match &called {
            Ok(Called::Returned(_, Held::Map(_))) if self.keeps => self.vm.commit(),
            _ => self.vm.roll_back(),
        }
        called.map(Some)
    }

    /// What since the last time made an outcome depend on more than the history: `os.time`, `os.clock`, unseeded randomness. The
    /// first time it speaks for the modules too.
    pub fn take_unreplayable(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.vm.unreplayable).into_iter().collect()
    }

    /// The function and its arguments; `None` where a node has no clause for the parameters.
    pub(super) fn prepared(
        &mut self,
        key: &str,
        base: &Map,
        request: &Map,
    ) -> Result<Option<(Value, Vec<Value>)>, LuaError> {
        let vm = &mut self.vm;
        let name = named("function", base, request).and_then(Held::text).unwrap_or(key).to_owned();
        let mut args = Vec::new();
        match named("parameters", base, request) {
            Some(Held::List(given)) => {
                for value in given {
                    args.push(value.given(vm)?);
                }
            }
            Some(_) => return Ok(None),
            None => {
                let last = Held::Map(Map::new());
                for value in [&public(base), &Held::Map(request.clone()), &last] {
                    args.push(value.given(vm)?);
                }
            }
        }
        let globals = vm.globals();
        Ok(Some((vm.get_field(globals, &name), args)))
    }
}

/// What a request says for its message, else for itself, else what the state says.
fn named<'a>(key: &str, base: &'a Map, request: &'a Map) -> Option<&'a Held> {
    let key = Key::from(key);
    let body = request.get(&"body".into()).and_then(Held::map);
    body.and_then(|body| body.get(&key)).or_else(|| request.get(&key)).or_else(|| base.get(&key))
}

/// A state without what is a node's own business.
fn public(base: &Map) -> Held {
    let kept = base.iter().filter(|(key, _)| !key.normal().starts_with(b"priv"));
    Held::Map(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// One value is a result with status `ok`, two are a status and a result; a node cannot take anything else.
pub(super) fn returned(vm: &mut Vm, values: &[Value]) -> Result<Called, LuaError> {
    let mut taken = Vec::with_capacity(values.len());
    for value in values {
        match vm.to_host(*value) {
            Ok(host) => taken.push(Held::taken(&host)),
            Err(error) if error.kind() == ErrorKind::TooDeep => {
                // Luerl refuses a table that contains itself; a node tells of it as of any failure of Erlang.
                let term = Term::tuple([Term::atom("recursive_table"), (*value).into()]);
                return failed(vm, LuaError::crash(term));
            }
            Err(error) => return Err(error),
        }
    }
    let formless = || Called::Thrown("The result holds a function, or a key that is no text.".to_owned());
    let mut taken = taken.into_iter();
    Ok(match (taken.next(), taken.next(), taken.next()) {
        (Some(result), None, _) => {
            result.map_or_else(formless, |result| Called::Returned("ok".to_owned(), result))
        }
        (Some(Some(Held::Binary(status))), Some(Some(result)), None) => {
            Called::Returned(String::from_utf8_lossy(&status).into_owned(), result)
        }
        (Some(_), Some(None), None) => formless(),
        _ => Called::Thrown("function_clause".to_owned()),
    })
}

/// What a node answers for an error. Of an error of Lua it cannot write the term down, so there is no body; the trace is the
/// calls that stood in each other, innermost first.
fn failed(vm: &mut Vm, error: LuaError) -> Result<Called, LuaError> {
    let mut message = Map::from([("status".into(), 500.into())]);
    match error.kind() {
        ErrorKind::Lua => {
            // What the trace costs is no part of what the call took.
            let left = vm.fuel().saturating_add(vm.worked());
            vm.set_fuel(TRACE_VALUES);
            let mut levels = Vec::with_capacity(error.trace().len());
            let mut room = TRACE_BYTES;
            for level in error.trace() {
                levels.push(Held::Map(traced(vm, level, &mut room)));
            }
            vm.set_fuel(left);
            message.insert("trace".into(), Held::Map(numbered(levels)));
        }
        ErrorKind::Crash => {
            let body = format!("Erlang error while running Lua: {}", vm.term_text(error.term()));
            message.insert("body".into(), body.as_str().into());
        }
        _ => return Err(error),
    }
    Ok(Called::Failed(message))
}

/// One call. The name of a function of the library is a tuple, which a node does not write down.
fn traced(vm: &mut Vm, level: &Level, room: &mut usize) -> Map {
    let mut entry = Map::new();
    let (function, line) = match &level.callee {
        Callee::Lua(name) => {
            let name = name.as_deref().unwrap_or("-no-name-");
            (Some(name.into()), Some(place(&level.chunk, level.line)))
        }
        Callee::Native => (None, None),
        Callee::Other(value) => (argument(vm, *value, room), Some(place("-no-file-", level.line))),
    };
    entry.extend(function.map(|function| ("function".into(), function)));
    entry.extend(line.map(|line| ("line".into(), line)));
    let args = (1_usize..).zip(&level.args).filter_map(|(at, value)| Some((at, argument(vm, *value, room)?)));
    let args = args.map(|(at, value)| (at.to_string().as_str().into(), value)).collect();
    entry.insert("parameters".into(), Held::Map(args));
    entry
}

/// An argument in a trace, without functions: a node leaves out what it cannot write.
fn argument(vm: &mut Vm, value: Value, room: &mut usize) -> Option<Held> {
    if *room == 0 {
        return None;
    }
    let host = vm.to_host(value).ok()?;
    *room = room.saturating_sub(texts(&host));
    Held::taken(&writable(host)?)
}

fn texts(host: &Host) -> usize {
    match host {
        Host::Bytes(bytes) => bytes.len(),
        Host::Table(entries) => entries.iter().map(|(key, value)| texts(key) + texts(value)).sum(),
        _ => 0,
    }
}

fn writable(host: Host) -> Option<Host> {
    match host {
        Host::Function(_) => None,
        Host::Table(entries) => {
            let kept = entries.into_iter().filter_map(|(key, value)| Some((key, writable(value)?)));
            Some(Host::Table(kept.collect()))
        }
        other => Some(other),
    }
}

fn numbered(values: Vec<Held>) -> Map {
    (1_usize..).zip(values).map(|(at, value)| (at.to_string().as_str().into(), value)).collect()
}

fn place(chunk: &str, line: u32) -> Held {
    if chunk.is_empty() { i64::from(line).into() } else { format!("{chunk}:{line}").as_str().into() }
}

/// A node expects every module to run; of one that does not compile it is told no more than that.
fn unmatched(vm: &Vm, error: &LuaError) -> String {
    match error.kind() {
        ErrorKind::Syntax => "{badmatch,error}".to_owned(),
        ErrorKind::Lua => format!("{{badmatch,{{lua_error,{},…}}}}", vm.term_text(error.term())),
        ErrorKind::Crash => vm.term_text(error.term()),
        _ => reason(vm, error),
    }
}

fn reason(vm: &Vm, error: &LuaError) -> String {
    String::from_utf8_lossy(&vm.error_text(error)).into_owned()
}

/// A value of a call's arguments as HyperBEAM sees it.
pub(super) fn taken(vm: &mut Vm, value: Value) -> Result<Held, LuaError> {
    let host: Host = vm.to_host(value)?;
    Held::taken(&host).ok_or_else(|| LuaError::crash(Term::atom("function_clause")))
}
