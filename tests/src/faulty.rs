//! An engine that errs, to see that it is found out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::rc::Rc;

use weft_wasm::engine::{
    After, Compiled, Engine, Guest, Imports, Instance, OutOfBounds, Progress, Stop, Trap, Value, Wasmi,
};
use weft_wasm::interface::Interface;
use weft_wasm::{Code, Error};

/// What an engine does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It changes a byte of the memory that no answer shows.
    Memory,
    /// It counts one unit less.
    Gas,
    /// It changes the answer.
    Output,
    /// It changes a global.
    Global,
    /// It gives up.
    Fails,
    /// It does not take the module.
    Refuses,
    /// It traps.
    Traps,
}

/// wasmi, with a fault.
pub struct Faulty {
    fault: Fault,
    at: u32,
    calls: Rc<Cell<u32>>,
}

impl Faulty {
    /// Errs in the message of this number, counted from 1 over all its instances.
    #[must_use]
    pub fn engine(fault: Fault, at: u32) -> Rc<dyn Engine> {
        Rc::new(Self { fault, at, calls: Rc::default() })
    }

    /// Errs in nothing.
    #[must_use]
    pub fn sound() -> Rc<dyn Engine> {
        Self::engine(Fault::Traps, u32::MAX)
    }
}

struct FaultyModule(Rc<dyn Compiled>, Fault, u32, Rc<Cell<u32>>);
struct FaultyInstance(Box<dyn Instance>, Fault, bool, u32, Rc<Cell<u32>>);

impl Engine for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn compile(&self, module: &[u8], interface: &Rc<Interface>) -> Result<Rc<dyn Compiled>, Error> {
        if self.fault == Fault::Refuses {
            return Err(Error::new(Code::EngineFailed, "it does not take it"));
        }
        let compiled = Wasmi.compile(module, interface)?;
        Ok(Rc::new(FaultyModule(compiled, self.fault, self.at, Rc::clone(&self.calls))))
    }
}

impl Compiled for FaultyModule {
    fn instantiate(&self, imports: Rc<dyn Imports>) -> Result<Box<dyn Instance>, Stop> {
        let instance = self.0.instantiate(imports)?;
        Ok(Box::new(FaultyInstance(instance, self.1, false, self.2, Rc::clone(&self.3))))
    }
}

impl FaultyInstance {
    /// What it says where a call came to its end, or did not.
    fn err(&mut self, progress: Result<Progress, Stop>) -> Result<Progress, Stop> {
        if !self.2 || matches!(progress, Ok(Progress::Waiting)) {
            return progress;
        }
        self.2 = false;
        match self.1 {
            // Behind the back of what saves pages.
            Fault::Memory => {
                let mut page = [0; 4_096];
                self.0.read(14 * 4_096, &mut page).unwrap();
                page[7] = 1;
                self.0.put(14, &page).unwrap();
            }
            Fault::Gas => self.0.set_gas(self.0.gas() + 1),
            Fault::Output => self.0.write(1_057, b"x").unwrap(),
            Fault::Global => assert!(self.0.set_globals(&[Value::I64(99)])),
            Fault::Fails => return Err(Stop::Engine("it gave up".to_owned())),
            Fault::Traps => return Err(Trap::Other.into()),
            Fault::Refuses => {}
        }
        progress
    }
}

impl Guest for FaultyInstance {
    fn memory_bytes(&self) -> u64 {
        self.0.memory_bytes()
    }

    fn read(&self, at: u64, to: &mut [u8]) -> Result<(), OutOfBounds> {
        self.0.read(at, to)
    }

    fn write(&mut self, at: u64, from: &[u8]) -> Result<(), OutOfBounds> {
        self.0.write(at, from)
    }

    fn copy(&mut self, to: u64, from: u64, len: u64) -> Result<(), OutOfBounds> {
        self.0.copy(to, from, len)
    }

    fn grow(&mut self, pages: u64) -> bool {
        self.0.grow(pages)
    }

    fn gas(&self) -> i64 {
        self.0.gas()
    }

    fn set_gas(&mut self, gas: i64) {
        self.0.set_gas(gas);
    }

    fn call(&mut self, place: usize, args: &[Value], after: After) -> Result<Progress, Stop> {
        let progress = self.0.call(place, args, after);
        // `handle` alone has two arguments.
        if args.len() == 2 {
            self.4.set(self.4.get() + 1);
            self.2 = self.4.get() == self.3;
            return self.err(progress);
        }
        progress
    }

    fn can_wait(&self) -> bool {
        false
    }
}

impl Instance for FaultyInstance {
    fn go_on(&mut self) -> Result<Progress, Stop> {
        let progress = self.0.go_on();
        self.err(progress)
    }

    fn visit(&self, bytes: u64, see: &mut dyn FnMut(&[u8])) {
        self.0.visit(bytes, see);
    }

    fn put(&mut self, index: u64, page: &[u8]) -> Result<(), OutOfBounds> {
        self.0.put(index, page)
    }

    fn keep(&mut self) -> Result<Vec<u32>, Stop> {
        self.0.keep()
    }

    fn back(&mut self) -> Result<(), Stop> {
        self.0.back()
    }

    fn lost(&self) -> bool {
        self.0.lost()
    }

    fn globals(&self) -> Vec<Value> {
        self.0.globals()
    }

    fn set_globals(&mut self, values: &[Value]) -> bool {
        self.0.set_globals(values)
    }
}
