//! From syntax to instructions.

mod assign;
mod condition;
mod expr;
mod lint;
mod lua53;
pub(crate) mod op;
mod scope;
mod state;
mod statement;

use std::rc::Rc;

use crate::error::{LuaError, Term};
use crate::heap::Heap;
use crate::syntax;
use crate::value::{ProtoId, Value};
pub(crate) use lua53::Note;
pub(crate) use op::Op;
use state::Compiler;

/// A program that was loaded. Its text is kept: a snapshot holds it instead of instructions.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) name: Rc<str>,
    pub(crate) source: Box<[u8]>,
}

/// A function's code.
#[derive(Debug)]
pub(crate) struct Proto {
    pub(crate) code: Box<[Op]>,
    pub(crate) constants: Box<[Value]>,
    /// The functions defined in it.
    pub(crate) functions: Box<[ProtoId]>,
    /// From which instruction on a line is the current one.
    pub(crate) lines: Box<[(u32, u32)]>,
    /// What messages call the registers of instructions, by instruction; profile `lua53` alone.
    pub(crate) notes: Box<[Note]>,
    /// The line where it begins; profile `lua53` alone.
    pub(crate) line: u32,
    pub(crate) parameters: u8,
    pub(crate) is_vararg: bool,
    /// Registers it uses.
    pub(crate) registers: u8,
    /// Variables that functions inside capture; 0 means no frame is made for them.
    pub(crate) captured: u16,
    pub(crate) name: Option<String>,
    /// Its place among the functions of its chunk.
    pub(crate) index: usize,
    pub(crate) chunk: Rc<Chunk>,
}

impl Proto {
    /// Bytes it takes, about.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + self.code.len() * size_of::<Op>()
            + self.constants.len() * size_of::<Value>()
            + self.functions.len() * size_of::<ProtoId>()
            + self.lines.len() * size_of::<(u32, u32)>()
            + self.notes.len() * size_of::<Note>()
    }

    /// The line of an instruction.
    pub(crate) fn line_at(&self, pc: usize) -> u32 {
        let after = self.lines.partition_point(|(from, _)| *from as usize <= pc);
        after.checked_sub(1).and_then(|at| self.lines.get(at)).map_or(0, |(_, line)| *line)
    }
}

/// Compiles a chunk; its functions are in the heap then, the chunk's own last. They get the next numbers, or these.
pub(crate) fn compile(
    heap: &mut Heap,
    source: &[u8],
    name: &str,
    numbers: Option<&[u64]>,
) -> Result<Vec<ProtoId>, LuaError> {
    let program = syntax::parse(source)?;
    if program.has_labels {
        // Luerl's parser takes labels; its compiler has no clause for them.
        return Err(LuaError::crash(Term::atom("function_clause")));
    }
    let strays = lint::stray_varargs(&program);
    if !strays.is_empty() {
        let what = || Term::atom("illegal_varargs");
        return Err(syntax::refused(
            strays.into_iter().map(|line| (line, "luerl_comp_lint", what())).collect(),
        ));
    }
    let chunk = Rc::new(Chunk { name: name.into(), source: source.into() });
    Compiler::new(heap, &program, chunk, numbers).chunk(&program.body)
}

/// Compiles a chunk of Lua 5.3, and answers whether it finds its globals in a frame around it and not in the machine's table:
/// because it names `_ENV`, or because `own` asks for it.
pub(crate) fn compile_exact(
    heap: &mut Heap,
    source: &[u8],
    name: &str,
    own: bool,
) -> Result<(Option<ProtoId>, bool), LuaError> {
    let mut program = syntax::lua53::parse(source, name)?;
    let known = program.names.iter().position(|name| **name == *b"_ENV");
    let at = match known {
        None if own => {
            program.names.push(b"_ENV".as_slice().into());
            Some(program.names.len() - 1)
        }
        known => known,
    };
    let environment = at.and_then(|at| u32::try_from(at).ok());
    let chunk = Rc::new(Chunk { name: name.into(), source: Box::default() });
    let functions = Compiler::exact(heap, &program, chunk, environment).chunk(&program.body)?;
    Ok((functions.last().copied(), environment.is_some()))
}
