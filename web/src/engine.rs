//! The browser's own WebAssembly as an engine (`weft_wasm::engine`): the same rewritten bytes that wasmi gets, at the browser's
//! speed.
//!
//! What it does not do: stop a call on its way. A slice that is used up is followed by the next one at once; a message is
//! cancelled with its worker.
//!
//! What is neither an answer nor a trap is no outcome: where the browser's stack ends, or a fault of ours tears a host function
//! down, the call gives [`Stop::Engine`], and wasmi can say what the message gives.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use js_sys::WebAssembly::{Global, Memory};
use js_sys::{Array, BigInt, Function, Object, Proxy, Reflect, Uint8Array, Uint32Array, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use weft_codec::{Code, Error, Result};
use weft_wasm::engine::records;
use weft_wasm::engine::{
    After, Compiled, Engine, Guest, Imports, Instance, OutOfBounds, Progress, Stop, Trap, Type, Value,
};
use weft_wasm::interface::{Import, Interface};
use weft_wasm::rewrite::{BACK, GAS, KEEP, LOST, RECORDS, SAVE, UNDO};

/// The memory is shown in pieces of this many bytes.
const PIECE: u32 = 1 << 20;

type Ended<T> = std::result::Result<T, Stop>;
type Bounded = std::result::Result<(), OutOfBounds>;

/// The browser's own WebAssembly.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    patience: u64,
}

impl Native {
    /// It brings every message to its end: whoever cancels one ends the worker.
    pub const WHOLE: Self = Self { patience: u64::MAX };

    /// It gives a message up that takes more slices, since nothing else is done in the worker meanwhile; wasmi evaluates it then.
    #[must_use]
    pub const fn patient(slices: u64) -> Self {
        Self { patience: slices }
    }
}

impl Engine for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn compile(&self, module: &[u8], interface: &Rc<Interface>) -> Result<Rc<dyn Compiled>> {
        let bytes = Uint8Array::from(module);
        let module = WebAssembly::Module::new(bytes.as_ref()).map_err(|cause| {
            Error::new(Code::EngineFailed, "this browser's WebAssembly does not take the module")
                .because(message(&cause))
        })?;
        Ok(Rc::new(Ready { module, interface: Rc::clone(interface), patience: self.patience }))
    }
}

/// A module that the browser compiled.
struct Ready {
    module: WebAssembly::Module,
    interface: Rc<Interface>,
    patience: u64,
}

impl Compiled for Ready {
    fn instantiate(&self, imports: Rc<dyn Imports>) -> Ended<Box<dyn Instance>> {
        let shared = Rc::new(Shared {
            imports,
            interface: Rc::clone(&self.interface),
            patience: self.patience,
            parts: OnceCell::new(),
            view: RefCell::new(Uint8Array::new_with_length(0)),
            stopped: RefCell::new(None),
            inside: Cell::new(0),
        });
        let (given, closures) = given(&shared)?;
        let instance =
            WebAssembly::Instance::new(&self.module, &given).map_err(|error| shared.stop(&error))?;
        let parts = Parts::of(&instance, &self.interface)?;
        // Nothing of the module ran, so nobody set them before.
        let _set = shared.parts.set(parts);
        let open = Open { shared };
        open.look_again()?;
        Ok(Box::new(Running { open, _closures: closures }))
    }
}

/// The exports that the host uses.
struct Parts {
    memory: Memory,
    gas: Global,
    globals: Vec<(Global, Type)>,
    functions: Vec<Function>,
    undo: Undo,
}

/// The way back.
struct Undo {
    memory: Memory,
    count: Global,
    lost: Global,
    save: Function,
    back: Function,
    keep: Function,
}

fn missing<T>(_: T) -> Stop {
    Stop::Engine("an export of the rewritten module is missing".to_owned())
}

impl Parts {
    fn of(instance: &WebAssembly::Instance, interface: &Interface) -> Ended<Self> {
        let exports = instance.exports();
        let export = |name: &str| Reflect::get(&exports, &name.into()).map_err(missing);
        let mut functions = Vec::new();
        for function in &interface.functions {
            functions.push(export(&function.name)?.dyn_into().map_err(missing)?);
        }
        let mut globals = Vec::new();
        for (name, ty) in &interface.globals {
            globals.push((export(name)?.dyn_into().map_err(missing)?, *ty));
        }
        let memory = export("memory")?.dyn_into().map_err(missing)?;
        let gas = export(GAS)?.dyn_into().map_err(missing)?;
        let undo = Undo {
            memory: export(UNDO)?.dyn_into().map_err(missing)?,
            count: export(RECORDS)?.dyn_into().map_err(missing)?,
            lost: export(LOST)?.dyn_into().map_err(missing)?,
            save: export(SAVE)?.dyn_into().map_err(missing)?,
            back: export(BACK)?.dyn_into().map_err(missing)?,
            keep: export(KEEP)?.dyn_into().map_err(missing)?,
        };
        Ok(Self { memory, gas, globals, functions, undo })
    }
}

/// One instance, as its imports and its owner see it.
struct Shared {
    imports: Rc<dyn Imports>,
    interface: Rc<Interface>,
    patience: u64,
    /// Once the instance is made.
    parts: OnceCell<Parts>,
    /// All of the memory. A memory that grew has another buffer.
    view: RefCell<Uint8Array>,
    /// Why an import ended the call: what it throws only says that it did.
    stopped: RefCell<Option<Stop>>,
    /// Imports that are being answered.
    inside: Cell<u32>,
}

impl Shared {
    fn parts(&self) -> Ended<&Parts> {
        self.parts.get().ok_or_else(|| Stop::abort("it called the host before it was ready"))
    }

    /// What it means that the module threw.
    fn stop(&self, error: &JsValue) -> Stop {
        if let Some(stop) = self.stopped.take() {
            return stop;
        }
        let text = message(error);
        match error.dyn_ref::<WebAssembly::RuntimeError>() {
            Some(_) => Stop::Trap(trap(&text)),
            // The stack's end, and memory that is not to be had.
            None => Stop::Engine(text),
        }
    }

    /// Answers an import.
    fn answer(self: &Rc<Self>, place: usize, args: &[JsValue]) -> std::result::Result<JsValue, JsValue> {
        self.inside.set(self.inside.get().saturating_add(1));
        let answer = self.ask(place, args);
        self.inside.set(self.inside.get().saturating_sub(1));
        answer.map_err(|stop| {
            *self.stopped.borrow_mut() = Some(stop);
            JsValue::from_str("the host ended the call")
        })
    }

    fn ask(self: &Rc<Self>, place: usize, args: &[JsValue]) -> Ended<JsValue> {
        self.parts()?;
        let import = self.interface.imports.get(place);
        let import = import.ok_or_else(|| Stop::Engine("an import that is none was called".to_owned()))?;
        let args = import.signature.params.iter().zip(args).map(|(ty, arg)| from_js(*ty, arg));
        let args: Vec<Value> = args.collect::<Ended<_>>()?;
        let mut open = Open { shared: Rc::clone(self) };
        let answer = self.imports.answer(&mut open, place, &args)?;
        Ok(answer.map_or(JsValue::UNDEFINED, to_js))
    }
}

/// A function that a module calls: what has fewer parameters leaves the rest undefined.
type Eight = dyn Fn(
    JsValue,
    JsValue,
    JsValue,
    JsValue,
    JsValue,
    JsValue,
    JsValue,
    JsValue,
) -> std::result::Result<JsValue, JsValue>;

/// The handler of a proxy, which gets all arguments as a list.
type Many = dyn Fn(JsValue, JsValue, Array) -> std::result::Result<JsValue, JsValue>;

/// What keeps the functions alive that a module calls.
enum Kept {
    Eight { _closure: Closure<Eight> },
    Many { _closure: Closure<Many> },
}

/// The imports, as JavaScript gives them to an instance.
fn given(shared: &Rc<Shared>) -> Ended<(Object, Vec<Kept>)> {
    let unset = |_| Stop::Engine("the imports cannot be given to the module".to_owned());
    let (given, mut closures) = (Object::new(), Vec::new());
    for (place, import) in shared.interface.imports.iter().enumerate() {
        let name = import.module.as_str().into();
        let mut module = Reflect::get(&given, &name).map_err(unset)?;
        if module.is_undefined() {
            module = Object::new().into();
            Reflect::set(&given, &name, &module).map_err(unset)?;
        }
        let (function, closure) = function(shared, place, import).map_err(unset)?;
        Reflect::set(&module, &import.name.as_str().into(), &function).map_err(unset)?;
        closures.push(closure);
    }
    Ok((given, closures))
}

fn function(
    shared: &Rc<Shared>,
    place: usize,
    import: &Import,
) -> std::result::Result<(JsValue, Kept), JsValue> {
    let shared = Rc::clone(shared);
    let params = import.signature.params.len();
    if params <= 8 {
        let closure = Closure::<Eight>::new(move |a, b, c, d, e, f, g, h| {
            let args = [a, b, c, d, e, f, g, h];
            shared.answer(place, args.get(..params).unwrap_or_default())
        });
        return Ok((closure.as_ref().clone(), Kept::Eight { _closure: closure }));
    }
    let closure = Closure::<Many>::new(move |_function, _this, args: Array| {
        let args: Vec<JsValue> = args.iter().collect();
        shared.answer(place, &args)
    });
    let handler = Object::new();
    Reflect::set(&handler, &"apply".into(), closure.as_ref())?;
    let proxy = Proxy::new(closure.as_ref(), &handler);
    Ok((proxy.into(), Kept::Many { _closure: closure }))
}

/// The instance by whatever way into it is open.
struct Open {
    shared: Rc<Shared>,
}

struct Running {
    open: Open,
    _closures: Vec<Kept>,
}

impl Open {
    /// Looks at the memory anew: it has another buffer now.
    fn look_again(&self) -> Ended<()> {
        let memory = &self.shared.parts()?.memory;
        *self.shared.view.borrow_mut() = Uint8Array::new(&memory.buffer());
        Ok(())
    }

    /// Bytes of the memory, as a view.
    fn bytes(&self, at: u64, len: u64) -> std::result::Result<Uint8Array, OutOfBounds> {
        let view = self.shared.view.borrow();
        let end = at.checked_add(len).and_then(|end| u32::try_from(end).ok()).ok_or(OutOfBounds)?;
        let at = u32::try_from(at).map_err(|_| OutOfBounds)?;
        if end > view.length() { Err(OutOfBounds) } else { Ok(view.subarray(at, end)) }
    }

    /// Saves what is about to be written to.
    fn save(&self, at: u64, len: u64) -> Bounded {
        let parts = self.shared.parts().map_err(|_| OutOfBounds)?;
        let size = |size: u64| match self.shared.interface.wide {
            true => Ok(BigInt::from(size).into()),
            false => u32::try_from(size).map(JsValue::from).map_err(|_| OutOfBounds),
        };
        let saved = parts.undo.save.call2(&JsValue::UNDEFINED, &size(at)?, &size(len)?);
        saved.map(|_| ()).map_err(|_| OutOfBounds)
    }

    fn call_js(&self, place: usize, args: &[Value]) -> Ended<Progress> {
        let shared = &self.shared;
        let function = shared.parts()?.functions.get(place);
        let ty = shared.interface.functions.get(place);
        let Some((function, ty)) = function.zip(ty) else {
            return Err(Stop::Engine("a function that is not exported was called".to_owned()));
        };
        let args: Array = args.iter().map(|arg| to_js(*arg)).collect();
        let inside = shared.inside.get();
        let called = function.apply(&JsValue::UNDEFINED, &args);
        // An import that began and did not end was torn down with what it held: nothing that follows can be trusted.
        if shared.inside.replace(inside) != inside {
            shared.stopped.take();
            return Err(Stop::Engine("the browser ended a call in the middle of the host".to_owned()));
        }
        let value = called.map_err(|error| shared.stop(&error))?;
        let result = ty.signature.results.first().map(|ty| from_js(*ty, &value)).transpose()?;
        Ok(Progress::Ended(result))
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Guest for Open {
    fn memory_bytes(&self) -> u64 {
        self.shared.view.borrow().length().into()
    }

    fn read(&self, at: u64, to: &mut [u8]) -> Bounded {
        self.bytes(at, length(to))?.copy_to(to);
        Ok(())
    }

    fn write(&mut self, at: u64, from: &[u8]) -> Bounded {
        let to = self.bytes(at, length(from))?;
        self.save(at, length(from))?;
        to.copy_from(from);
        Ok(())
    }

    fn copy(&mut self, to: u64, from: u64, len: u64) -> Bounded {
        let (target, from) = (self.bytes(to, len)?, self.bytes(from, len)?);
        self.save(to, len)?;
        // Overlapping ranges of one buffer are copied as if through another.
        target.set(&from, 0);
        Ok(())
    }

    fn grow(&mut self, pages: u64) -> bool {
        let Ok(parts) = self.shared.parts() else { return false };
        let grow = Reflect::get(&parts.memory, &"grow".into()).ok();
        let Some(grow) = grow.and_then(|grow| grow.dyn_into::<Function>().ok()) else { return false };
        let number = u32::try_from(pages).ok().map(JsValue::from);
        // Before 64-bit memories were settled, they took a number as well.
        let wide = self.shared.interface.wide.then(|| BigInt::from(pages).into());
        let mut grown = wide.into_iter().chain(number).map(|pages| grow.call1(&parts.memory, &pages).is_ok());
        grown.any(|grown| grown) && self.look_again().is_ok()
    }

    fn gas(&self) -> i64 {
        let value = self.shared.parts().ok().map(|parts| parts.gas.value());
        value.and_then(|value| i64::try_from(value).ok()).unwrap_or(0)
    }

    fn set_gas(&mut self, gas: i64) {
        if let Ok(parts) = self.shared.parts() {
            parts.gas.set_value(&gas.into());
        }
    }

    fn call(&mut self, place: usize, args: &[Value], _after: After) -> Ended<Progress> {
        self.call_js(place, args)
    }

    fn can_wait(&self) -> bool {
        false
    }

    fn patience(&self) -> u64 {
        self.shared.patience
    }
}

impl Guest for Running {
    fn memory_bytes(&self) -> u64 {
        self.open.memory_bytes()
    }

    fn read(&self, at: u64, to: &mut [u8]) -> Bounded {
        self.open.read(at, to)
    }

    fn write(&mut self, at: u64, from: &[u8]) -> Bounded {
        self.open.write(at, from)
    }

    fn copy(&mut self, to: u64, from: u64, len: u64) -> Bounded {
        self.open.copy(to, from, len)
    }

    fn grow(&mut self, pages: u64) -> bool {
        self.open.grow(pages)
    }

    fn gas(&self) -> i64 {
        self.open.gas()
    }

    fn set_gas(&mut self, gas: i64) {
        self.open.set_gas(gas);
    }

    fn call(&mut self, place: usize, args: &[Value], after: After) -> Ended<Progress> {
        self.open.call(place, args, after)
    }

    fn can_wait(&self) -> bool {
        false
    }

    fn patience(&self) -> u64 {
        self.open.patience()
    }
}

impl Instance for Running {
    fn go_on(&mut self) -> Ended<Progress> {
        Err(Stop::Engine("nothing waits in this engine".to_owned()))
    }

    fn visit(&self, bytes: u64, see: &mut dyn FnMut(&[u8])) {
        let view = self.open.shared.view.borrow();
        let end = u32::try_from(bytes).unwrap_or(u32::MAX).min(view.length());
        let mut piece = vec![0; usize::try_from(PIECE.min(end)).unwrap_or(0)];
        let mut at = 0;
        while at < end {
            let next = at.saturating_add(PIECE).min(end);
            let Some(to) = piece.get_mut(..usize::try_from(next - at).unwrap_or(0)) else { return };
            view.subarray(at, next).copy_to(to);
            see(to);
            at = next;
        }
    }

    fn put(&mut self, index: u64, page: &[u8]) -> Bounded {
        self.open.bytes(index.saturating_mul(length(page)), length(page))?.copy_from(page);
        Ok(())
    }

    fn keep(&mut self) -> Ended<Vec<u32>> {
        let shared = &self.open.shared;
        let undo = &shared.parts()?.undo;
        let count = word(&undo.count);
        // Looked at anew each time: it has another buffer when it grew.
        let words = Uint32Array::new(&undo.memory.buffer());
        let first = u64::from(shared.interface.records);
        let at = |number| u32::try_from((first + records::place(number)) / 4).unwrap_or(u32::MAX);
        let pages = (0..count).map(|number| records::page(words.get_index(at(number)))).collect();
        if count > 0 {
            undo.keep.call0(&JsValue::UNDEFINED).map_err(|error| shared.stop(&error))?;
        }
        Ok(pages)
    }

    fn back(&mut self) -> Ended<()> {
        let shared = &self.open.shared;
        let back = &shared.parts()?.undo.back;
        back.call0(&JsValue::UNDEFINED).map(|_| ()).map_err(|error| shared.stop(&error))
    }

    fn lost(&self) -> bool {
        self.open.shared.parts().is_ok_and(|parts| word(&parts.undo.lost) != 0)
    }

    fn globals(&self) -> Vec<Value> {
        let globals = self.open.shared.parts().map_or(&[][..], |parts| &parts.globals);
        let value =
            |(global, ty): &(Global, Type)| from_js(*ty, &global.value()).unwrap_or(Value::of(*ty, 0));
        globals.iter().map(value).collect()
    }

    fn set_globals(&mut self, values: &[Value]) -> bool {
        let globals = self.open.shared.parts().map_or(&[][..], |parts| &parts.globals);
        let mut set = globals.iter().zip(values).map(|((global, ty), value)| {
            if value.ty() == *ty {
                global.set_value(&to_js(*value));
            }
            value.ty() == *ty
        });
        set.all(|set| set)
    }
}

/// The value of an i32 as bits.
#[expect(clippy::cast_possible_truncation, reason = "JavaScript holds it as a double without loss")]
fn word(global: &Global) -> u32 {
    global.value().as_f64().map_or(0, |value| (value as i32).cast_unsigned())
}

fn to_js(value: Value) -> JsValue {
    match value {
        Value::I32(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::F32(bits) => f32::from_bits(bits).into(),
        Value::F64(bits) => f64::from_bits(bits).into(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "JavaScript holds these as doubles without loss")]
fn from_js(ty: Type, value: &JsValue) -> Ended<Value> {
    let wrong = || Stop::Engine("a number of another type crossed the seam".to_owned());
    let number = || value.as_f64().ok_or_else(wrong);
    Ok(match ty {
        Type::I32 => Value::I32(number()? as i32),
        Type::I64 => Value::I64(i64::try_from(value.clone()).map_err(|_| wrong())?),
        Type::F32 => Value::F32((number()? as f32).to_bits()),
        Type::F64 => Value::F64(number()?.to_bits()),
    })
}

/// What an error says.
fn message(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => error.as_string().unwrap_or_default(),
    }
}

/// Which trap it was, by the words of V8, SpiderMonkey and JavaScriptCore.
fn trap(message: &str) -> Trap {
    let message = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["unreachable"]) {
        Trap::Unreachable
    } else if has(&["signature", "null function", "indirect call to null", "null table entry"]) {
        Trap::IndirectCall
    } else if has(&["unrepresentable", "integer overflow", "conversion to integer", "trunc"]) {
        Trap::Overflow
    } else if has(&["table", "call_indirect"]) {
        Trap::Table
    } else if has(&["by zero"]) {
        Trap::DivisionByZero
    } else if has(&["out of bounds"]) {
        Trap::Memory
    } else {
        Trap::Other
    }
}
