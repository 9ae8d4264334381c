//! The runtime alone, for `cargo xtask bench`: one machine, one message at a time, timed by its caller.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;
use weft_wasm::{Error, Format, Limits, Machine, OnError, Program};

/// A process on wasmi inside wasm32.
#[wasm_bindgen]
pub struct Bench {
    machine: Machine,
    env: String,
}

#[wasm_bindgen]
impl Bench {
    /// Compiles a module, as the node does it.
    #[wasm_bindgen(constructor)]
    pub fn new(module: &[u8], format: &str, env: String) -> Result<Self, String> {
        Self::start(module, format, env).map_err(|error| error.to_string())
    }

    fn start(module: &[u8], format: &str, env: String) -> Result<Self, Error> {
        let limits = Limits::default();
        let program = Program::compile(module, Format::parse(format)?, &limits)?;
        Ok(Self { machine: Machine::new(&program, limits, OnError::RollBack)?, env })
    }

    /// Runs one message and returns its output as JSON.
    pub fn step(&mut self, message: &str) -> Result<String, String> {
        let outcome = self.machine.step(message, &self.env).map_err(|error| error.to_string())?;
        match outcome.error {
            Some(error) => Err(error.to_string()),
            None => Ok(outcome.output.to_string()),
        }
    }
}
