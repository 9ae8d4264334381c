//! What the compiler knows of the functions it is in.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::lua53::{Goto, Label, Note};
use super::op::{Op, Reg};
use super::scope::{self, Block};
use super::{Chunk, Proto};
use crate::error::{ErrorKind, LuaError};
use crate::heap::{Heap, Loaded};
use crate::number::Num;
use crate::syntax::ast::{self, Name, Program};
use crate::value::{ProtoId, Value};

/// Registers a function may have; the rest of the window is for lists on their way.
const MAX_REGISTERS: u8 = 250;

/// Where a variable is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Register(Reg),
    /// A captured variable, so many frames further out.
    Captured {
        depth: u16,
        slot: u16,
    },
    Global,
    /// Another function's register: Luerl's compiler lost it.
    Lost,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Home {
    Register(Reg),
    Slot(u16),
}

/// A block that is open.
pub(super) struct Scope {
    pub(super) block: usize,
    pub(super) variables: Vec<(Name, Home)>,
    /// Whether it has a frame of captured variables, and where that is made.
    frame: Option<Option<usize>>,
    slots: u16,
    /// Registers in use before it.
    registers: Reg,
    /// Labels in it so far; profile `lua53` alone, as what follows.
    pub(super) labels: Vec<Label>,
    /// Not a block's own: made for one captured variable of a block that has labels, so that each pass by its declaration
    /// makes a new variable.
    extra: bool,
}

/// A loop that is open.
pub(super) struct Loop {
    pub(super) breaks: Vec<usize>,
    /// Frames of captured variables around its body.
    pub(super) frames: u16,
}

/// A function that is being compiled.
#[derive(Default)]
pub(super) struct Function {
    pub(super) code: Vec<Op>,
    constants: Vec<Value>,
    known: BTreeMap<Constant, u32>,
    pub(super) functions: Vec<ProtoId>,
    lines: Vec<(u32, u32)>,
    pub(super) notes: Vec<Note>,
    pub(super) gotos: Vec<Goto>,
    pub(super) scopes: Vec<Scope>,
    pub(super) loops: Vec<Loop>,
    pub(super) free: Reg,
    most: Reg,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Constant {
    Text(Box<[u8]>),
    Int(i64),
    Float(u64),
}

pub(super) struct Compiler<'a> {
    heap: &'a mut Heap,
    pub(super) names: &'a [Box<[u8]>],
    blocks: Vec<Block>,
    functions: Vec<Function>,
    pub(super) chunk: Rc<Chunk>,
    /// Whether it is Lua 5.3's way and not Luerl's.
    pub(super) exact: bool,
    /// The name `_ENV`, if the program has it.
    pub(super) environment: Option<Name>,
    numbers: Option<&'a [u64]>,
    /// The functions that are done.
    done: Vec<ProtoId>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(
        heap: &'a mut Heap,
        program: &'a Program,
        chunk: Rc<Chunk>,
        numbers: Option<&'a [u64]>,
    ) -> Self {
        let blocks = scope::captured(program, false);
        Self {
            heap,
            names: &program.names,
            blocks,
            functions: Vec::new(),
            chunk,
            exact: false,
            environment: None,
            numbers,
            done: Vec::new(),
        }
    }

    /// For a program of Lua 5.3. With `environment`, the chunk finds `_ENV` in the one variable of the frame around it.
    pub(super) fn exact(
        heap: &'a mut Heap,
        program: &'a Program,
        chunk: Rc<Chunk>,
        environment: Option<Name>,
    ) -> Self {
        let blocks = scope::captured(program, true);
        let mut compiler = Self::new(heap, program, chunk, None);
        (compiler.blocks, compiler.exact, compiler.environment) = (blocks, true, environment);
        if let Some(name) = environment {
            let scope = Scope {
                block: usize::MAX,
                variables: vec![(name, Home::Slot(0))],
                frame: Some(None),
                slots: 1,
                registers: 0,
                labels: Vec::new(),
                extra: false,
            };
            compiler.functions.push(Function { scopes: vec![scope], ..Function::default() });
        }
        compiler
    }

    /// Compiles a chunk; all its functions, the chunk's own last.
    pub(super) fn chunk(mut self, body: &ast::Body) -> Result<Vec<ProtoId>, LuaError> {
        self.function(body)?;
        Ok(self.done)
    }

    /// Compiles a function; those inside come first.
    pub(super) fn function(&mut self, body: &ast::Body) -> Result<ProtoId, LuaError> {
        self.functions.push(Function::default());
        self.open(body.block.id, false);
        for name in &body.parameters {
            let register = self.temporary()?;
            self.declare(*name, register)?;
        }
        self.statements(&body.block)?;
        if self.exact {
            self.check_gotos()?;
        }
        self.emit(Op::ReturnNone);
        let captured = self.close_function();
        let Some(function) = self.functions.pop() else { return Err(too_large()) };
        let proto = Proto {
            code: function.code.into(),
            constants: function.constants.into(),
            functions: function.functions.into(),
            lines: function.lines.into(),
            notes: function.notes.into(),
            line: body.line,
            parameters: u8::try_from(body.parameters.len()).map_err(|_| too_large())?,
            is_vararg: body.is_vararg,
            registers: function.most,
            captured,
            name: body.name.clone(),
            index: self.done.len(),
            chunk: Rc::clone(&self.chunk),
        };
        let proto = Rc::new(proto);
        let id = match self.numbers {
            None => self.heap.new_proto(proto),
            Some(numbers) => {
                let number = numbers.get(self.done.len()).copied().unwrap_or(0);
                self.heap.put_proto(Loaded { proto, number })
            }
        };
        self.done.push(id);
        Ok(id)
    }

    /// The function being compiled. There always is one.
    pub(super) fn now(&mut self) -> &mut Function {
        if self.functions.is_empty() {
            self.functions.push(Function::default());
        }
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }

    pub(super) fn emit(&mut self, op: Op) -> usize {
        let function = self.now();
        function.code.push(op);
        function.code.len() - 1
    }

    /// The index of the next instruction.
    pub(super) fn here(&mut self) -> usize {
        self.now().code.len()
    }

    pub(super) fn line(&mut self, line: u32) {
        let at = u32::try_from(self.here()).unwrap_or(u32::MAX);
        let lines = &mut self.now().lines;
        if lines.last().is_none_or(|(_, last)| *last != line) {
            lines.push((at, line));
        }
    }

    pub(super) fn line_of_now(&mut self) -> u32 {
        self.now().lines.last().map_or(0, |(_, line)| *line)
    }

    /// Makes jumps lead to the next instruction.
    pub(super) fn land(&mut self, jumps: Vec<usize>) {
        let here = self.here();
        for jump in jumps {
            self.aim(jump, here);
        }
    }

    /// Makes a jump lead somewhere.
    pub(super) fn aim(&mut self, jump: usize, target: usize) {
        let target = u32::try_from(target).unwrap_or(u32::MAX);
        let Some(op) = self.now().code.get_mut(jump) else { return };
        match op {
            Op::Jump { to }
            | Op::Loop { to }
            | Op::IfTrue { to, .. }
            | Op::IfFalse { to, .. }
            | Op::IfEq { to, .. }
            | Op::IfNe { to, .. }
            | Op::IfLt { to, .. }
            | Op::IfLe { to, .. }
            | Op::IfEqInt { to, .. }
            | Op::IfNeInt { to, .. }
            | Op::IfEqShort { to, .. }
            | Op::IfNeShort { to, .. }
            | Op::IfLtInt { to, .. }
            | Op::IfLeInt { to, .. }
            | Op::IfGtInt { to, .. }
            | Op::IfGeInt { to, .. }
            | Op::IfFirst { to, .. }
            | Op::ForPrepare { to, .. }
            | Op::ForLoop { to, .. }
            | Op::ForEach { to, .. } => *to = target,
            _ => {}
        }
    }

    /// A jump back.
    pub(super) fn back(&mut self, target: usize) {
        let to = u32::try_from(target).unwrap_or(u32::MAX);
        self.emit(Op::Loop { to });
    }

    /// A fresh register.
    pub(super) fn temporary(&mut self) -> Result<Reg, LuaError> {
        let function = self.now();
        if function.free >= MAX_REGISTERS {
            return Err(too_large());
        }
        let register = function.free;
        function.free += 1;
        function.most = function.most.max(function.free);
        Ok(register)
    }

    pub(super) fn free(&mut self) -> Reg {
        self.now().free
    }

    /// Gives back all registers from one on.
    pub(super) fn release(&mut self, register: Reg) {
        self.now().free = register;
    }

    pub(super) fn text(&mut self, bytes: &[u8]) -> u32 {
        self.constant(Constant::Text(bytes.into()))
    }

    pub(super) fn name_text(&mut self, name: Name) -> u32 {
        let names = self.names;
        let bytes = names.get(name as usize).map_or(&[][..], |name| name);
        self.text(bytes)
    }

    pub(super) fn number(&mut self, number: &Num) -> u32 {
        match number {
            Num::Int(n) => self.constant(Constant::Int(*n)),
            Num::Float(f) => self.constant(Constant::Float(f.to_bits())),
            Num::Big(big) => {
                let value = self.heap.new_big(Rc::clone(big));
                let constants = &mut self.now().constants;
                constants.push(value);
                u32::try_from(constants.len() - 1).unwrap_or(u32::MAX)
            }
        }
    }

    fn constant(&mut self, constant: Constant) -> u32 {
        if let Some(known) = self.now().known.get(&constant) {
            return *known;
        }
        let value = match &constant {
            Constant::Text(bytes) => self.heap.string(bytes),
            Constant::Int(n) => Value::Int(*n),
            Constant::Float(bits) => Value::Float(f64::from_bits(*bits)),
        };
        let function = self.now();
        let index = u32::try_from(function.constants.len()).unwrap_or(u32::MAX);
        function.constants.push(value);
        function.known.insert(constant, index);
        index
    }

    /// The constant, if it is a string short enough to be compared by its index.
    pub(super) fn short_text(&mut self, bytes: &[u8]) -> Option<u16> {
        let index = self.text(bytes);
        let is_short =
            matches!(self.now().constants.get(index as usize), Some(Value::Str(id)) if !id.is_long());
        if is_short { u16::try_from(index).ok() } else { None }
    }

    /// Opens a block; with `made`, its frame of captured variables is made by an instruction here.
    pub(super) fn open(&mut self, block: usize, made: bool) {
        // With labels, each captured variable has a frame of its own.
        let exact = self.exact;
        let has_frame = self.blocks.get(block).is_some_and(|block| block.any && !(exact && block.has_labels));
        let at = (has_frame && made).then(|| self.emit(Op::PushEnv { size: 0 }));
        let function = self.now();
        let scope = Scope {
            block,
            variables: Vec::new(),
            frame: has_frame.then_some(at),
            slots: 0,
            registers: function.free,
            labels: Vec::new(),
            extra: false,
        };
        function.scopes.push(scope);
    }

    /// Closes a block.
    pub(super) fn close(&mut self) {
        self.close_extra();
        self.close_one();
        if self.exact {
            self.lower_gotos();
        }
    }

    /// Closes what was opened for single variables of the block.
    pub(super) fn close_extra(&mut self) {
        while self.now().scopes.last().is_some_and(|scope| scope.extra) {
            self.close_one();
        }
    }

    fn close_one(&mut self) {
        let Some(scope) = self.now().scopes.pop() else { return };
        self.release(scope.registers);
        if let Some(Some(at)) = scope.frame {
            if let Some(op) = self.now().code.get_mut(at) {
                *op = Op::PushEnv { size: scope.slots };
            }
            self.emit(Op::PopEnv { count: 1 });
        }
    }

    fn close_function(&mut self) -> u16 {
        while self.now().scopes.len() > 1 {
            self.now().scopes.pop();
        }
        self.now().scopes.pop().map_or(0, |scope| scope.slots)
    }

    /// Whether the block that is open last has a frame of captured variables.
    pub(super) fn has_frame(&mut self) -> bool {
        self.now().scopes.last().is_some_and(|scope| scope.frame.is_some())
    }

    /// How many frames of captured variables are open in this function.
    pub(super) fn frames(&mut self) -> u16 {
        let count = self.now().scopes.iter().filter(|scope| scope.frame.is_some()).count();
        u16::try_from(count).unwrap_or(u16::MAX)
    }

    /// Whether a variable of this name would be captured in the block that is open last.
    pub(super) fn is_captured(&mut self, name: Name) -> bool {
        let block = self.now().scopes.last().map_or(usize::MAX, |scope| scope.block);
        self.blocks.get(block).is_some_and(|block| block.is_large || block.names.contains(&name))
    }

    /// Declares a variable whose value is in a register; if it is captured, the value goes to its frame. Answers whether it
    /// stays in the register.
    pub(super) fn declare(&mut self, name: Name, register: Reg) -> Result<bool, LuaError> {
        let captured = self.is_captured(name);
        if captured && self.exact {
            self.open_extra();
        }
        let Some(scope) = self.now().scopes.last_mut() else { return Ok(true) };
        if !captured {
            scope.variables.push((name, Home::Register(register)));
            return Ok(true);
        }
        let slot = scope.slots;
        scope.slots = slot.checked_add(1).ok_or_else(too_large)?;
        scope.variables.push((name, Home::Slot(slot)));
        self.emit(Op::SetEnv { from: register, depth: 0, slot });
        Ok(false)
    }

    /// A frame for the variable that is declared next, if its block has labels.
    fn open_extra(&mut self) {
        let Some((block, registers)) = self.now().scopes.last().map(|scope| (scope.block, scope.registers))
        else {
            return;
        };
        if !self.blocks.get(block).is_some_and(|block| block.has_labels) {
            return;
        }
        let at = self.emit(Op::PushEnv { size: 1 });
        self.now().scopes.push(Scope {
            block,
            variables: Vec::new(),
            frame: Some(Some(at)),
            slots: 0,
            registers,
            labels: Vec::new(),
            extra: true,
        });
    }

    /// Whether a name's variable is one of the function that is compiled.
    pub(super) fn is_own(&self, name: Name) -> bool {
        let mut scopes = self.functions.last().into_iter().flat_map(|function| &function.scopes);
        scopes.any(|scope| scope.variables.iter().any(|(known, _)| *known == name))
    }

    /// Whether a register is a variable's.
    pub(super) fn holds(&mut self, register: Reg) -> bool {
        let mut variables = self.now().scopes.iter().flat_map(|scope| &scope.variables);
        variables.any(|(_, home)| matches!(home, Home::Register(known) if *known == register))
    }

    /// Where a name's variable is.
    pub(super) fn place(&self, name: Name) -> Place {
        let mut depth = 0u16;
        for (outward, function) in self.functions.iter().rev().enumerate() {
            for scope in function.scopes.iter().rev() {
                let found = scope.variables.iter().rev().find(|(known, _)| *known == name);
                match found {
                    Some((_, Home::Register(register))) if outward == 0 => return Place::Register(*register),
                    Some((_, Home::Register(_))) => return Place::Lost,
                    Some((_, Home::Slot(slot))) => return Place::Captured { depth, slot: *slot },
                    None => {}
                }
                depth = depth.saturating_add(u16::from(scope.frame.is_some()));
            }
        }
        Place::Global
    }
}

#[cold]
pub(super) fn too_large() -> LuaError {
    LuaError::limit(
        ErrorKind::Unsupported,
        "A function has too many variables or an expression too many parts.",
    )
}
