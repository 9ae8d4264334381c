//! The Lua machine alone, for `cargo xtask bench lua`.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;
use weft_lua::{Limits, Profile, Vm};

/// A machine inside wasm32, with all its checks.
#[wasm_bindgen]
pub struct Lua {
    vm: Vm,
}

#[wasm_bindgen]
impl Lua {
    /// A machine with the library.
    #[wasm_bindgen(constructor)]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "JavaScript has no defaults")]
    pub fn new() -> Self {
        Self { vm: Vm::new(Profile::Luerl, Limits::default()) }
    }

    /// Runs a text and returns its first value as a text; throws its error.
    pub fn run(&mut self, text: &str) -> Result<String, String> {
        let outcome = self.vm.load(text.as_bytes(), "bench").and_then(|chunk| self.vm.call(chunk, &[]));
        match outcome {
            Ok(values) => Ok(values
                .first()
                .map(|value| String::from_utf8_lossy(&self.vm.plain_text(*value)).into_owned())
                .unwrap_or_default()),
            Err(error) => Err(String::from_utf8_lossy(&self.vm.error_text(&error)).into_owned()),
        }
    }

    /// As `run`, and what a text that failed changed is put back.
    pub fn step(&mut self, text: &str) -> Result<String, String> {
        self.vm.begin();
        let outcome = self.run(text);
        if outcome.is_ok() {
            self.vm.commit();
        } else {
            self.vm.roll_back();
        }
        outcome
    }
}
