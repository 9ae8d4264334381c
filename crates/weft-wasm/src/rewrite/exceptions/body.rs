//! One function without exceptions.
//!
//! ```text
//! try T                      block T                              ;; the label of the try
//!   body                       block                              ;; its handler
//! catch $a                       body, br 1
//!   one                        end
//! catch_all                    block                              ;; is it $a?
//!   other                        global.get tag, i32.const $a, i32.ne, br_if 0
//! end                            nothing on its way any more; what it carries onto the stack
//!                                one, br 1
//!                              end
//!                              nothing on its way any more
//!                              other
//!                            end
//! ```
//!
//! Without `catch_all`, what no clause takes goes on to the handler around the `try`. With `delegate`, all goes to the handler that it
//! names. The outermost handler is the function's own: its body is a block, behind which any results leave the function.
//!
//! A clause that is thrown again from inside of itself keeps what it caught in locals: by then the globals may hold another.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Function, InstructionSink, ValType};
use wasmparser::{FunctionBody, Operator};

use super::super::{Reencoded, invalid, user};
use super::Lowering;
use super::facts::Facts;

/// Deepest nesting of blocks in a function.
const MAX_NESTING: usize = 50_000;

/// Lowers the function with this index.
pub(super) fn lower(lowering: &mut Lowering<'_>, index: u32, body: &FunctionBody<'_>) -> Reencoded<Function> {
    let ty = lowering.facts.type_of(index).map_err(user)?;
    let scan = Scan::of(body).map_err(user)?;
    let (mut locals, mut next) =
        (Vec::new(), u32::try_from(lowering.facts.params(ty).len()).unwrap_or(u32::MAX));
    for local in body.get_locals_reader()? {
        let (count, ty) = local?;
        locals.push((count, lowering.val_type(ty)?));
        next = next.saturating_add(count);
    }
    let kept = u32::try_from(scan.thrown_again.iter().filter(|again| **again).count()).unwrap_or(u32::MAX);
    for _ in 0..kept {
        locals.push((1, ValType::I32));
        for slot in lowering.facts.slots.clone() {
            locals.push((1, lowering.val_type(slot)?));
        }
    }
    let leaves = scan.tries || lowering.facts.throws(index);
    let mut writer = Writer {
        lowering,
        function: Function::new(locals),
        frames: vec![Frame { kind: Kind::Block, label: 0, kept: None }],
        level: 0,
        leaves,
        tries: scan.thrown_again.into_iter(),
        next_kept: next,
    };
    if leaves {
        writer.code().block(BlockType::Empty);
        writer.level = 1;
    }
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let start = operators.original_position();
        let operator = operators.read()?;
        let bytes = writer.lowering.slice(start..operators.original_position()).map_err(user)?;
        writer.operator(ty, &operator, bytes)?;
    }
    Ok(writer.function)
}

/// What has to be known of a function before it is written.
#[derive(Default)]
struct Scan {
    tries: bool,
    /// Of each `try` in the order of the function, whether what it catches is thrown again.
    thrown_again: Vec<bool>,
}

impl Scan {
    fn of(body: &FunctionBody<'_>) -> weft_codec::Result<Self> {
        let mut scan = Self::default();
        // Of each open block, which `try` it is.
        let mut open: Vec<Option<usize>> = vec![None];
        let mut operators = body.get_operators_reader().map_err(super::unreadable)?;
        while !operators.eof() {
            match operators.read().map_err(super::unreadable)? {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(None),
                Operator::Try { .. } => {
                    scan.tries = true;
                    open.push(Some(scan.thrown_again.len()));
                    scan.thrown_again.push(false);
                }
                Operator::End | Operator::Delegate { .. } => {
                    open.pop();
                }
                Operator::Rethrow { relative_depth } => {
                    let again = at_depth(&open, relative_depth).copied().flatten();
                    if let Some(again) = again.and_then(|again| scan.thrown_again.get_mut(again)) {
                        *again = true;
                    }
                }
                Operator::TryTable { .. } | Operator::ThrowRef => {
                    return Err(invalid(
                        "the module uses exceptions with references; this version runs those of the legacy proposal",
                    ));
                }
                _ => (),
            }
            if open.len() > MAX_NESTING {
                return Err(invalid("a function's blocks nest too deeply"));
            }
        }
        Ok(scan)
    }
}

/// What stands so deep in a list of what is open.
fn at_depth<T>(open: &[T], depth: u32) -> Option<&T> {
    let depth = usize::try_from(depth).ok()?;
    open.get(open.len().checked_sub(depth)?.checked_sub(1)?)
}

/// What an open block of the original is.
#[derive(Clone, Copy)]
enum Kind {
    /// A block, loop or `if`, or the function.
    Block,
    /// The body of a `try`, with the level of its handler.
    Body(u32),
    /// A clause of a `try`.
    Catch,
    /// The last clause.
    CatchAll,
}

/// A block of the original that is open.
struct Frame {
    kind: Kind,
    /// The level of what a jump to it goes to. The function is at level 0.
    label: u32,
    /// The first of the locals that keep what it caught.
    kept: Option<u32>,
}

struct Writer<'a, 'b> {
    lowering: &'a Lowering<'b>,
    function: Function,
    frames: Vec<Frame>,
    /// The level of the innermost block that is open in the output.
    level: u32,
    /// Whether exceptions may leave the function: its body is a block.
    leaves: bool,
    /// Of each `try` still to come, whether what it catches is thrown again.
    tries: std::vec::IntoIter<bool>,
    /// Where the next one keeps what it caught.
    next_kept: u32,
}

impl Writer<'_, '_> {
    fn code(&mut self) -> InstructionSink<'_> {
        self.function.instructions()
    }

    fn facts(&self) -> &Facts {
        &self.lowering.facts
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.function.raw(bytes.iter().copied());
    }

    /// How far out a level is.
    fn depth(&self, level: u32) -> u32 {
        self.level.saturating_sub(level)
    }

    /// How far out the label of a jump is.
    fn label(&self, depth: u32) -> Reencoded<u32> {
        let frame = at_depth(&self.frames, depth);
        let frame = frame.ok_or_else(|| user(invalid("the module jumps out of a function")))?;
        Ok(self.depth(frame.label))
    }

    /// The level of the handler for what is thrown inside of the first so many open blocks.
    fn handler(&self, frames: usize) -> u32 {
        let within = self.frames.get(..frames).unwrap_or_default();
        let handlers = within.iter().rev().filter_map(|frame| match frame.kind {
            Kind::Body(handler) => Some(handler),
            _ => None,
        });
        // The block around the function's body.
        handlers.into_iter().next().unwrap_or(1)
    }

    /// Goes on to the handler for what is thrown inside of the first so many open blocks.
    fn go_to_handler(&mut self, frames: usize) {
        let depth = self.depth(self.handler(frames));
        self.code().br(depth);
    }

    /// Behind a call: what is on its way goes on to its handler.
    fn look(&mut self) {
        let (exception, depth) = (self.lowering.exception(), self.depth(self.handler(self.frames.len())));
        self.code().global_get(exception).br_if(depth);
    }

    fn operator(&mut self, ty: u32, operator: &Operator<'_>, bytes: &[u8]) -> Reencoded<()> {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.raw(bytes);
                self.open(Kind::Block, None);
            }
            Operator::Br { relative_depth } => {
                let depth = self.label(*relative_depth)?;
                self.code().br(depth);
            }
            Operator::BrIf { relative_depth } => {
                let depth = self.label(*relative_depth)?;
                self.code().br_if(depth);
            }
            Operator::BrTable { targets } => {
                let depths =
                    targets.targets().map(|depth| self.label(depth?)).collect::<Reencoded<Vec<_>>>()?;
                let default = self.label(targets.default())?;
                self.code().br_table(depths, default);
            }
            Operator::Call { function_index } => {
                let target = self.lowering.function(*function_index);
                self.code().call(target);
                if self.facts().throws(*function_index) {
                    self.look();
                }
            }
            Operator::CallIndirect { type_index, .. } => {
                self.raw(bytes);
                if self.facts().indirect_throws(*type_index) {
                    self.look();
                }
            }
            Operator::ReturnCall { function_index } => {
                let target = self.lowering.function(*function_index);
                self.code().return_call(target);
            }
            Operator::RefFunc { function_index } => {
                let target = self.lowering.function(*function_index);
                self.code().ref_func(target);
            }
            Operator::Try { blockty } => self.begin_try(*blockty)?,
            Operator::Catch { tag_index } => self.catch(Some(*tag_index)),
            Operator::CatchAll => self.catch(None),
            Operator::Delegate { relative_depth } => self.delegate(*relative_depth),
            Operator::Throw { tag_index } => self.throw(*tag_index),
            Operator::Rethrow { relative_depth } => self.throw_again(*relative_depth)?,
            Operator::End => self.end(ty)?,
            _ => self.raw(bytes),
        }
        Ok(())
    }

    /// A block was opened, in the original and in the output.
    fn open(&mut self, kind: Kind, kept: Option<u32>) {
        self.level = self.level.saturating_add(1);
        self.frames.push(Frame { kind, label: self.level, kept });
    }

    /// Closes a block of the output.
    fn close(&mut self) {
        self.code().end();
        self.level = self.level.saturating_sub(1);
    }

    fn begin_try(&mut self, ty: wasmparser::BlockType) -> Reencoded<()> {
        let again = self.tries.next().unwrap_or_default();
        let kept = again.then_some(self.next_kept);
        if again {
            let slots = u32::try_from(self.facts().slots.len()).unwrap_or(u32::MAX);
            self.next_kept = self.next_kept.saturating_add(1).saturating_add(slots);
        }
        let around = self.lowering.around(ty);
        let ty = wasm_encoder::reencode::RoundtripReencoder.block_type(ty);
        let ty = ty.map_err(|_| user(invalid("a block has a type that this version does not know")))?;
        self.code().block(ty).block(around);
        let handler = self.level.saturating_add(2);
        self.open(Kind::Body(handler), kept);
        self.level = handler;
        Ok(())
    }

    /// Ends what is open of a `try`: its body, or a clause that does not take everything. What it gives goes to the label.
    fn end_part(&mut self, label: u32) {
        let depth = self.depth(label);
        self.code().br(depth);
        self.close();
    }

    /// Begins a clause.
    fn catch(&mut self, tag: Option<u32>) {
        let Some(Frame { label, kept, .. }) = self.frames.pop() else { return };
        self.end_part(label);
        let exception = self.lowering.exception();
        if let Some(tag) = tag {
            self.code().block(BlockType::Empty);
            self.level = self.level.saturating_add(1);
            self.code().global_get(exception).i32_const(number(tag)).i32_ne().br_if(0);
        }
        if let Some(kept) = kept {
            self.keep(kept);
        }
        self.code().i32_const(0).global_set(exception);
        if let Some(tag) = tag {
            for slot in self.facts().tag_slots(tag).to_vec() {
                let global = self.lowering.slot(slot);
                self.code().global_get(global);
            }
        }
        let kind = if tag.is_some() { Kind::Catch } else { Kind::CatchAll };
        self.frames.push(Frame { kind, label, kept });
    }

    /// What was caught, into locals.
    fn keep(&mut self, kept: u32) {
        let exception = self.lowering.exception();
        self.code().global_get(exception).local_set(kept);
        for (slot, _) in (0_u32..).zip(self.facts().slots.clone()) {
            let (global, local) = (self.lowering.slot(slot), kept.saturating_add(1).saturating_add(slot));
            self.code().global_get(global).local_set(local);
        }
    }

    fn throw(&mut self, tag: u32) {
        for slot in self.facts().tag_slots(tag).to_vec().into_iter().rev() {
            let global = self.lowering.slot(slot);
            self.code().global_set(global);
        }
        let exception = self.lowering.exception();
        self.code().i32_const(number(tag)).global_set(exception);
        self.go_to_handler(self.frames.len());
    }

    fn throw_again(&mut self, depth: u32) -> Reencoded<()> {
        let kept = at_depth(&self.frames, depth).and_then(|frame| frame.kept);
        let kept = kept.ok_or_else(|| user(invalid("the module throws again what was not caught")))?;
        for (slot, _) in (0_u32..).zip(self.facts().slots.clone()) {
            let (global, local) = (self.lowering.slot(slot), kept.saturating_add(1).saturating_add(slot));
            self.code().local_get(local).global_set(global);
        }
        let exception = self.lowering.exception();
        self.code().local_get(kept).global_set(exception);
        self.go_to_handler(self.frames.len());
        Ok(())
    }

    fn delegate(&mut self, depth: u32) {
        let Some(Frame { label, .. }) = self.frames.pop() else { return };
        self.end_part(label);
        // The label is counted from around the `try`; what it names is inside of so many blocks.
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        self.go_to_handler(self.frames.len().saturating_sub(depth));
        self.close();
    }

    fn end(&mut self, ty: u32) -> Reencoded<()> {
        let Some(Frame { kind, label, .. }) = self.frames.pop() else { return Ok(()) };
        if self.frames.is_empty() {
            return self.end_function(ty);
        }
        if let Kind::Body(_) | Kind::Catch = kind {
            self.end_part(label);
            self.go_to_handler(self.frames.len());
        }
        self.close();
        Ok(())
    }

    /// Behind the body: any results, if an exception is on its way.
    fn end_function(&mut self, ty: u32) -> Reencoded<()> {
        if self.leaves {
            self.code().return_();
            self.close();
            for result in self.facts().results(ty).to_vec() {
                let mut code = self.code();
                match result {
                    wasmparser::ValType::I32 => code.i32_const(0),
                    wasmparser::ValType::I64 => code.i64_const(0),
                    wasmparser::ValType::F32 => code.f32_const(0.0_f32.into()),
                    wasmparser::ValType::F64 => code.f64_const(0.0_f64.into()),
                    wasmparser::ValType::V128 => code.v128_const(0),
                    wasmparser::ValType::Ref(ty) => {
                        let heap = wasm_encoder::reencode::RoundtripReencoder.heap_type(ty.heap_type());
                        let unknown = |_| user(invalid("a function gives a reference of an unknown type"));
                        let heap = heap.map_err(unknown)?;
                        code.ref_null(heap)
                    }
                };
            }
        }
        self.code().end();
        Ok(())
    }
}

/// What the global says when an exception of this tag is on its way.
fn number(tag: u32) -> i32 {
    i32::try_from(tag).unwrap_or(i32::MAX).saturating_add(1)
}
