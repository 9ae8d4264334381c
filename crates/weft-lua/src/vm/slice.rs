//! A call in slices: for some fuel, and then again, until it is over.
//!
//! A slice ends between two instructions of the host's own call, where a loop begins anew or a function is entered. A native that
//! waits for Lua (`table.sort`, `string.gsub` with a function) is not left in between. What a call does, and the fuel it takes, do
//! not depend on where it was cut.

use super::Vm;
use crate::error::{ErrorKind, LuaError};
use crate::value::Value;

impl Vm {
    /// Begins a call and runs it for about this much fuel. `None`: it is not over; [`Self::go_on`] goes on with it, and
    /// [`Self::abandon`] leaves it. No other call may be begun meanwhile.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub fn begin_call(
        &mut self,
        function: Value,
        args: &[Value],
        fuel: u64,
    ) -> Result<Option<Vec<Value>>, LuaError> {
        if !self.frames.is_empty() || self.nested > 0 {
            return Err(LuaError::limit(ErrorKind::Unsupported, "Another call is on its way."));
        }
        let base = self.stack_top();
        self.need_stack(base + args.len())?;
        self.stack[base..base + args.len()].copy_from_slice(args);
        self.kept.extend_from_slice(args);
        self.begun = args.len();
        self.slice(fuel, |vm| vm.start(function, base, args.len(), 0))
    }

    /// Goes on with the call that [`Self::begin_call`] began.
    ///
    /// # Errors
    /// Those of [`Self::call`].
    pub fn go_on(&mut self, fuel: u64) -> Result<Option<Vec<Value>>, LuaError> {
        self.slice(fuel, |vm| vm.run(0))
    }

    /// Leaves the call on its way, if there is one. What it changed in tables stands, unless [`Self::roll_back`] undoes it.
    pub fn abandon(&mut self) {
        self.frames.clear();
        self.floors.clear();
        self.kept.clear();
        self.begun = 0;
        self.native_top = 0;
    }

    fn slice(
        &mut self,
        fuel: u64,
        run: impl FnOnce(&mut Self) -> Result<bool, LuaError>,
    ) -> Result<Option<Vec<Value>>, LuaError> {
        self.pause_at = self.fuel.saturating_sub(fuel.max(1));
        self.nested = 1;
        let outcome = run(self);
        self.nested = 0;
        self.pause_at = 0;
        match outcome {
            Ok(false) => Ok(None),
            over => {
                self.abandon();
                over.map(|_| Some(std::mem::take(&mut self.results)))
            }
        }
    }
}
