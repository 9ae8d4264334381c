//! A script over a state, as `PID~process@1.0/now/~lua@5.3a&module=SCRIPT/FUNCTION` runs one: the state is the base, the script
//! its module, and nothing of either is kept.

use super::ao;
use super::call::{Called, Device, returned};
use super::held::{Held, Map};
use super::modules;
use super::process::DEVICE;
use crate::{ErrorKind, Limits, LuaError, Profile, Term, Value, Vm};

/// A script on its way.
#[derive(Debug)]
pub struct Script {
    device: Device,
    code: Vec<u8>,
    base: Map,
    request: Map,
    function: String,
    phase: Phase,
    /// Fuel of the phase before.
    used: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing ran yet.
    New,
    /// The script's own text runs.
    Loading,
    /// The function runs.
    Calling,
}

/// What a function of a script gave.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptAnswer {
    /// `ok`, or what the function gave first of two values.
    pub status: String,
    /// The value.
    pub result: Held,
    /// What it printed.
    pub output: Vec<u8>,
    /// What made the answer depend on more than the state.
    pub unreplayable: Vec<&'static str>,
    /// The fuel it took.
    pub fuel: u64,
}

impl Script {
    /// A script over a state. It is sandboxed, and `fuel` bounds its text and its function, each.
    #[must_use]
    pub fn new(state: &Map, code: &[u8], function: &str, params: &Map, limits: Limits) -> Self {
        let mut base = state.clone();
        base.insert("device".into(), DEVICE.into());
        let module = [("content-type", "application/lua".into()), ("body", Held::Binary(code.to_vec()))];
        let module = module.into_iter().map(|(key, value)| (key.into(), value)).collect();
        base.insert("module".into(), Held::Map(module));
        base.insert("sandbox".into(), Held::Atom("true".to_owned()));
        let mut request = params.clone();
        request.insert("path".into(), function.into());
        Self {
            device: Device::around(Vm::new(Profile::Luerl, limits), limits),
            code: code.to_vec(),
            base,
            request,
            function: function.to_owned(),
            phase: Phase::New,
            used: 0,
        }
    }

    /// Goes on for about this much fuel. `None`: it is not over.
    ///
    /// # Errors
    /// What the script fails with.
    pub fn go_on(&mut self, fuel: u64) -> Result<Option<ScriptAnswer>, LuaError> {
        let vm = &mut self.device.vm;
        let over = match self.phase {
            Phase::New => {
                self.phase = Phase::Loading;
                let chunk = vm.load(&self.code, "")?;
                vm.begin_call(chunk, &[], fuel)?
            }
            Phase::Loading | Phase::Calling => vm.go_on(fuel)?,
        };
        let Some(values) = over else { return Ok(None) };
        if self.phase == Phase::Calling {
            return self.answer(&values).map(Some);
        }
        modules::sandbox(vm, &self.base)?;
        ao::install(vm, &self.base)?;
        self.used = self.device.fuel_used();
        self.device.refuel();
        self.phase = Phase::Calling;
        let (function, args) = self
            .device
            .prepared(&self.function, &self.base, &self.request)?
            .ok_or_else(|| LuaError::crash(Term::atom("function_clause")))?;
        match self.device.vm.begin_call(function, &args, fuel)? {
            Some(values) => self.answer(&values).map(Some),
            None => Ok(None),
        }
    }

    /// An error's text, as the script's own `pcall` would have it.
    #[must_use]
    pub fn error_text(&self, error: &LuaError) -> String {
        String::from_utf8_lossy(&self.device.vm.error_text(error)).into_owned()
    }

    /// What was printed since the last time: after an error, all that came before it.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.device.take_output()
    }

    fn answer(&mut self, values: &[Value]) -> Result<ScriptAnswer, LuaError> {
        let called = returned(&mut self.device.vm, values)?;
        let fuel = self.used.saturating_add(self.device.fuel_used());
        match called {
            Called::Returned(status, result) => {
                let (output, unreplayable) = (self.device.take_output(), self.device.take_unreplayable());
                Ok(ScriptAnswer { status, result, output, unreplayable, fuel })
            }
            Called::Thrown(reason) => Err(LuaError::new(ErrorKind::Crash, Term::Text(reason))),
            Called::Failed(message) => {
                let said = message.get(&"body".into()).and_then(Held::text).unwrap_or("error");
                Err(LuaError::new(ErrorKind::Crash, Term::Text(said.to_owned())))
            }
        }
    }
}
