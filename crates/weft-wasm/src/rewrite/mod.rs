//! The one rewrite of a module before it runs: what comes out is what every engine gets, byte by byte.
//!
//! - **Gas** is counted by the module itself. Each basic block takes its cost from a counter: an exported global between
//!   functions ([`GAS`]), mostly a local within one. Where the counter is below zero at a function's entry or at a loop's head, the
//!   module calls the host ([`GAS_MODULE`], [`GAS_NAME`]), which gives more or ends the message. See [`meter`] for the costs.
//! - **Growth** of the memory is the host's: `memory.grow` becomes a call of [`GROW_NAME`], so that one limit holds for every
//!   engine. (wasmi's own instruction also leaves a frame on the host's stack each time, in an optimised build.)
//! - **The way back**: a page of the memory is saved before it is written to for the first time ([`undo`], [`marks`]). It costs no gas.
//! - **NaN** has the bits that x86 gives it, on every machine ([`nan`], [`lanes`]).
//! - **State** outside of the memory is exported: the mutable globals ([`GLOBAL_PREFIX`]), so that a snapshot can hold them.
//! - **Start**: a start function becomes an export ([`START`]), which the host calls once it can count gas.
//! - **Exceptions** of the legacy proposal are lowered to globals and jumps before all that ([`exceptions`]).
//!
//! The input must be valid WebAssembly; whoever calls this validates it first. Invalid input gives an error, or a module
//! that is invalid too.

mod body;
mod exceptions;
mod lanes;
mod marks;
mod meter;
mod nan;
mod opened;
mod shape;
mod small;
pub(crate) mod undo;

use std::ops::Range;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, EntityType, ExportKind, ExportSection,
    FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection, Module, RawSection, SectionId,
    TableSection, TypeSection, ValType,
};
use wasmparser::{BinaryReader, CodeSectionReader, Parser, Payload};
use weft_codec::{Code, Error, Result};

pub use exceptions::{used as has_exceptions, validate as validate_exceptions};
pub(crate) use opened::{CALL_PREFIX, opened};
use shape::Shape;
use small::Small;
use undo::{Helper, Undo};

/// Changes whenever the same module is rewritten into other bytes. It names the units of gas in receipts, and is part of
/// the key under which a rewritten module may be kept: the hash of the original, and this.
pub const VERSION: u32 = 2;

/// What all our names begin with.
const PREFIX: &str = "weft:";

/// The global that holds the gas which is left of what the host gave: an exported, mutable i64.
pub const GAS: &str = "weft:gas";

/// The module that our imports are in. Modules that import from it themselves are refused.
pub const GAS_MODULE: &str = "weft";

/// What a module calls when its gas is below zero.
pub const GAS_NAME: &str = "gas";

/// What a module calls to grow its memory, as `memory.grow` is: pages in, the size before it or -1 out.
pub const GROW_NAME: &str = "grow";

/// What a module with exceptions calls when one would leave it for the host.
pub const UNCAUGHT_NAME: &str = "uncaught";

/// The memory in which pages are saved: see [`undo`].
pub const UNDO: &str = "weft:undo";

/// How many records there are, and whether there was no room for another: exported, mutable i32.
pub const RECORDS: &str = "weft:records";
/// See [`RECORDS`].
pub const LOST: &str = "weft:lost";

/// Saves the pages of a range, before the host writes there: address and length by the memory's width.
pub const SAVE: &str = "weft:save";

/// Makes all saved pages what they were, and forgets the records.
pub const BACK: &str = "weft:back";

/// Forgets the records.
pub const KEEP: &str = "weft:keep";

/// The start function, as an export.
pub const START: &str = "weft:start";

/// Prefix of the exports of the module's own mutable globals; their index follows.
pub const GLOBAL_PREFIX: &str = "weft:global:";

type Reencoded<T> = std::result::Result<T, reencode::Error<Error>>;

/// Rewrites a valid module.
///
/// # Errors
/// `module-invalid` if it cannot be read, imports something other than functions, or uses names that are ours.
pub fn rewrite(module: &[u8]) -> Result<Vec<u8>> {
    refuse_ours(module)?;
    let lowered = if has_exceptions(module)? { Some(exceptions::lower(module)?) } else { None };
    let module = lowered.as_deref().unwrap_or(module);
    let shape = Shape::read(module)?;
    let small = Small::read(module, shape.imports)?;
    let pages = undo::pages(&shape)?;
    let mut rewriter = Rewriter { bytes: module, shape, small, pages, bodies: 0, written: 0 };
    let mut out = Module::new();
    rewriter.sections(&mut out).map_err(refused)?;
    Ok(out.finish())
}

/// A module that has what only Weft gives would be mistaken for one that is rewritten, or have a name twice.
fn refuse_ours(module: &[u8]) -> Result<()> {
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(unreadable)? {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    if import.map_err(unreadable)?.module == GAS_MODULE {
                        return Err(invalid("the module imports what only Weft gives"));
                    }
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let name = export.map_err(unreadable)?.name;
                    if name.starts_with(PREFIX) && !name.starts_with(CALL_PREFIX) {
                        return Err(invalid("the module exports names that only Weft gives"));
                    }
                }
            }
            Payload::CodeSectionStart { .. } => break,
            _ => (),
        }
    }
    Ok(())
}

fn invalid(sentence: impl Into<String>) -> Error {
    Error::new(Code::ModuleInvalid, sentence)
}

fn unreadable(cause: wasmparser::BinaryReaderError) -> Error {
    invalid("the module is not WebAssembly that this version reads").because(cause)
}

fn refused(error: reencode::Error<Error>) -> Error {
    match error {
        reencode::Error::UserError(error) => error,
        reencode::Error::ParseError(cause) => unreadable(cause),
        other => invalid(format!("the module cannot be rewritten: {other}")),
    }
}

fn user(error: Error) -> reencode::Error<Error> {
    reencode::Error::UserError(error)
}

/// Sections that the output always has, in the order of a module.
const SECTIONS: [SectionId; 6] = [
    SectionId::Type,
    SectionId::Import,
    SectionId::Function,
    SectionId::Global,
    SectionId::Export,
    SectionId::Code,
];

/// Types of ours: those of both imports, those for NaN, and two for the way back. Those of blocks with many results follow, and that for NaN
/// in vectors.
const OWN_TYPES: u32 = 8;

/// Functions that the rewritten module imports beyond those of the original.
const OWN_IMPORTS: u32 = 2;

/// The id of sections with names and the like.
const CUSTOM: u8 = SectionId::Custom as u8;

struct Rewriter<'a> {
    bytes: &'a [u8],
    shape: Shape,
    small: Small,
    /// How many pages can be saved.
    pages: i32,
    /// Functions written so far.
    bodies: usize,
    /// How many of [`SECTIONS`] are written.
    written: usize,
}

impl<'a> Rewriter<'a> {
    /// Writes all sections, ours where the module has none of that kind. Names and other custom sections are left out, and
    /// so is the start section.
    fn sections(&mut self, out: &mut Module) -> Reencoded<()> {
        for payload in Parser::new(0).parse_all(self.bytes) {
            let payload = payload?;
            let own = match payload.as_section() {
                Some((id, range)) if id != CUSTOM => (id, range),
                _ => continue,
            };
            self.fill(out, own.0)?;
            match payload {
                Payload::TypeSection(reader) => {
                    let mut types = TypeSection::new();
                    self.parse_type_section(&mut types, reader)?;
                    out.section(&self.types(types)?);
                }
                Payload::ImportSection(reader) => {
                    let mut imports = ImportSection::new();
                    self.parse_import_section(&mut imports, reader)?;
                    out.section(&self.imports(imports));
                }
                Payload::FunctionSection(reader) => {
                    let mut functions = FunctionSection::new();
                    self.parse_function_section(&mut functions, reader)?;
                    out.section(&self.functions(functions));
                }
                Payload::GlobalSection(reader) => {
                    let mut globals = GlobalSection::new();
                    self.parse_global_section(&mut globals, reader)?;
                    out.section(&self.globals(globals));
                }
                Payload::MemorySection(reader) => {
                    let mut memories = MemorySection::new();
                    self.parse_memory_section(&mut memories, reader)?;
                    memories.memory(self.undo().memory());
                    out.section(&memories);
                }
                Payload::ExportSection(reader) => {
                    let mut exports = ExportSection::new();
                    self.parse_export_section(&mut exports, reader)?;
                    out.section(&self.exports(exports));
                }
                Payload::ElementSection(_) | Payload::TableSection(_) => self.of_tables(out, payload)?,
                Payload::CodeSectionStart { unchecked_range, .. } => {
                    let data = self.slice(unchecked_range.clone()).map_err(user)?;
                    let reader = BinaryReader::new(data, unchecked_range.start);
                    let mut code = CodeSection::new();
                    self.parse_code_section(&mut code, CodeSectionReader::new(reader)?)?;
                    out.section(&self.code(code));
                }
                Payload::StartSection { .. } => (),
                // Names no function: as it is.
                _ => {
                    let data = self.slice(own.1).map_err(user)?;
                    out.section(&RawSection { id: own.0, data });
                }
            }
        }
        self.fill(out, u8::MAX)
    }

    fn of_tables(&mut self, out: &mut Module, payload: Payload<'_>) -> Reencoded<()> {
        match payload {
            Payload::ElementSection(reader) => {
                let mut elements = ElementSection::new();
                self.parse_element_section(&mut elements, reader)?;
                out.section(&elements);
            }
            Payload::TableSection(reader) => {
                let mut tables = TableSection::new();
                self.parse_table_section(&mut tables, reader)?;
                out.section(&tables);
            }
            _ => (),
        }
        Ok(())
    }

    /// Bytes of the original.
    fn slice(&self, range: Range<u64>) -> Result<&'a [u8]> {
        let [start, end] = [range.start, range.end].map(usize::try_from);
        let range = start.ok().zip(end.ok()).map(|(start, end)| start..end);
        range
            .and_then(|range| self.bytes.get(range))
            .ok_or_else(|| invalid("the module ends inside a section"))
    }

    /// The new index of a function: our imports stand before those that the module defines.
    fn function(&self, index: u32) -> u32 {
        if index < self.shape.imports { index } else { index.saturating_add(OWN_IMPORTS) }
    }

    /// The index of the gas import.
    fn out_of_gas(&self) -> u32 {
        self.shape.imports
    }

    /// The index of the import that grows the memory.
    fn grow(&self) -> u32 {
        self.shape.imports.saturating_add(1)
    }

    /// The index of one of our own functions.
    fn helper(&self, helper: nan::Helper) -> u32 {
        let before = self.shape.imports.saturating_add(OWN_IMPORTS).saturating_add(self.shape.defined());
        before.saturating_add(helper as u32)
    }

    /// The index of one of our own functions of vectors, which stand behind those.
    fn lanes_helper(&self, helper: lanes::Helper) -> u32 {
        let last = self.helper(nan::Helper::Demoted);
        last.saturating_add(1).saturating_add(helper as u32)
    }

    /// The functions of vectors that the module needs.
    fn lanes_helpers(&self) -> &'static [lanes::Helper] {
        if self.small.lanes { &lanes::Helper::ALL } else { &[] }
    }

    /// Where the way back is: behind those functions.
    fn undo(&self) -> Undo {
        let lanes = u32::try_from(self.lanes_helpers().len()).unwrap_or(u32::MAX);
        let first = self.helper(nan::Helper::Demoted).saturating_add(1).saturating_add(lanes);
        let (count, lost) = (self.gas().saturating_add(1), self.gas().saturating_add(2));
        Undo { wide: self.shape.wide, pages: self.pages, count, lost, first }
    }

    /// The index of the global that holds the gas.
    fn gas(&self) -> u32 {
        self.shape.globals
    }

    /// The type of a block that gives what a function of this type gives.
    fn results(&self, ty: u32) -> BlockType {
        match self.shape.results(ty) {
            [] => BlockType::Empty,
            [one] => reencode::RoundtripReencoder.val_type(*one).map_or(BlockType::Empty, BlockType::Result),
            _ => BlockType::FunctionType(self.shape.many(ty)),
        }
    }

    /// Ours of the sections that the module lacks, up to the one with the id `before`.
    fn fill(&mut self, module: &mut Module, before: u8) -> Reencoded<()> {
        while let Some(next) = SECTIONS.get(self.written) {
            if rank(before) <= rank(*next as u8) {
                return Ok(());
            }
            match next {
                SectionId::Type => module.section(&self.types(TypeSection::new())?),
                SectionId::Import => module.section(&self.imports(ImportSection::new())),
                SectionId::Function => module.section(&self.functions(FunctionSection::new())),
                SectionId::Global => module.section(&self.globals(GlobalSection::new())),
                SectionId::Export => module.section(&self.exports(ExportSection::new())),
                _ => module.section(&self.code(CodeSection::new())),
            };
        }
        Ok(())
    }

    fn types(&mut self, mut types: TypeSection) -> Reencoded<TypeSection> {
        self.written += 1;
        types.ty().function([], []);
        let size = if self.shape.wide { ValType::I64 } else { ValType::I32 };
        types.ty().function([size], [size]);
        for helper in nan::Helper::ALL {
            let (params, result) = helper.signature();
            types.ty().function(params.iter().copied(), [result]);
        }
        types.ty().function([ValType::I32], []);
        types.ty().function([size, size], []);
        for results in self.shape.many_results() {
            let results: Vec<ValType> =
                results.iter().map(|ty| self.val_type(*ty)).collect::<Reencoded<_>>()?;
            types.ty().function([], results);
        }
        if self.small.lanes {
            types.ty().function(lanes::Helper::PARAMS, [ValType::V128]);
        }
        Ok(types)
    }

    fn imports(&mut self, mut imports: ImportSection) -> ImportSection {
        self.written += 1;
        let ours = self.shape.own_types();
        imports.import(GAS_MODULE, GAS_NAME, EntityType::Function(ours));
        imports.import(GAS_MODULE, GROW_NAME, EntityType::Function(ours.saturating_add(1)));
        imports
    }

    fn functions(&mut self, mut functions: FunctionSection) -> FunctionSection {
        self.written += 1;
        for helper in nan::Helper::ALL {
            functions.function(self.shape.own_types().saturating_add(2).saturating_add(helper as u32));
        }
        for _ in self.lanes_helpers() {
            functions.function(self.shape.all_types());
        }
        if self.shape.memory.is_some() {
            let ours = self.shape.own_types();
            let [page, range] = [OWN_TYPES - 2, OWN_TYPES - 1].map(|ty| ours.saturating_add(ty));
            // In the order of `undo::Helper`.
            for ty in [page, page, range, ours, ours, ours] {
                functions.function(ty);
            }
        }
        functions
    }

    fn globals(&mut self, mut globals: GlobalSection) -> GlobalSection {
        self.written += 1;
        let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i64_const(0));
        if self.shape.memory.is_some() {
            for _ in [RECORDS, LOST] {
                globals.global(GlobalType { val_type: ValType::I32, ..ty }, &ConstExpr::i32_const(0));
            }
        }
        globals
    }

    fn exports(&mut self, mut exports: ExportSection) -> ExportSection {
        self.written += 1;
        for index in &self.shape.mutable_globals {
            exports.export(&format!("{GLOBAL_PREFIX}{index}"), ExportKind::Global, *index);
        }
        exports.export(GAS, ExportKind::Global, self.gas());
        if self.shape.memory.is_some() {
            let undo = self.undo();
            exports.export(UNDO, ExportKind::Memory, undo::MEMORY);
            exports.export(RECORDS, ExportKind::Global, undo.count).export(
                LOST,
                ExportKind::Global,
                undo.lost,
            );
            for (name, helper) in [(SAVE, Helper::Range), (BACK, Helper::Back), (KEEP, Helper::Keep)] {
                exports.export(name, ExportKind::Func, undo.helper(helper));
            }
        }
        if let Some(start) = self.shape.start {
            exports.export(START, ExportKind::Func, self.function(start));
        }
        exports
    }

    fn code(&mut self, mut code: CodeSection) -> CodeSection {
        self.written += 1;
        for helper in nan::Helper::ALL {
            code.function(&helper.body());
        }
        for helper in self.lanes_helpers() {
            code.function(&helper.body());
        }
        if self.shape.memory.is_some() {
            for body in self.undo().bodies() {
                code.function(&body);
            }
        }
        code
    }
}

impl Reencode for Rewriter<'_> {
    type Error = Error;

    fn function_index(&mut self, index: u32) -> Reencoded<u32> {
        Ok(self.function(index))
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        function: wasmparser::FunctionBody<'_>,
    ) -> Reencoded<()> {
        let at = self.bodies;
        let ty = self.shape.type_of(at).map_err(user)?;
        self.bodies += 1;
        let body = body::rewrite(self, at, ty, &function)?;
        code.function(&body);
        Ok(())
    }
}

/// The place of a section in a module: in the order of the ids, but for the count of data segments, which comes before the
/// code. (Tags are gone by then.)
fn rank(id: u8) -> u8 {
    if id == SectionId::DataCount as u8 { SectionId::Element as u8 } else { id }
}
