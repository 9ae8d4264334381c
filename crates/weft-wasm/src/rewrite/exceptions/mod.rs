//! Exceptions of the legacy proposal (`try`, `catch`, `catch_all`, `delegate`, `throw`, `rethrow`), lowered within the module: what comes
//! out has none, and any engine runs it. HyperBEAM's own modules need them; wasmi has none, and browsers are to drop them.
//!
//! No frame of the host is involved. A `throw` puts what it throws into globals (a number for the tag, 0 when nothing is on its
//! way, and the numbers it carries) and jumps to the handler around it, or leaves the function with any result. After each call
//! of what may throw ([`facts`]) the first global is looked at, and a jump leads on. `br_if` drops what else is on the stack, so
//! nothing is spilled. See [`body`] for the shape of a `try`.
//!
//! Between two calls of the host nothing is on its way: an exported function that an exception may leave is one of ours around it,
//! which calls [`UNCAUGHT_NAME`] then. So an exception ends at the host, also where the host was called by the module: `catch_all`
//! around an import sees nothing of it.
//!
//! This comes before gas is counted: the looks are charged like any instruction.

mod body;
mod facts;

use std::ops::Range;

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, EntityType, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, Module, RawSection, SectionId, StartSection, TableSection,
    TypeSection, ValType,
};
use wasmparser::{BinaryReader, CodeSectionReader, Export, ExternalKind, Parser, Payload};
use wasmparser_of_wasmi::{Validator, WasmFeatures};
use weft_codec::{Error, Result};

use super::{CUSTOM, GAS_MODULE, Reencoded, UNCAUGHT_NAME, invalid, rank, refused, unreadable, user};
use facts::Facts;

/// Whether a module has exceptions. One that has `try` and not a single tag is none that this version runs.
///
/// # Errors
/// `module-invalid`.
pub fn used(module: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(unreadable)? {
            Payload::TagSection(_) => return Ok(true),
            Payload::CodeSectionStart { .. } => break,
            _ => (),
        }
    }
    Ok(false)
}

/// Whether a module is valid with exceptions of the legacy proposal, and else of the kinds that wasmi takes.
///
/// # Errors
/// `module-invalid`.
pub fn validate(module: &[u8]) -> Result<()> {
    let features = WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::GC_TYPES
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::FLOATS
        | WasmFeatures::MEMORY64
        | WasmFeatures::SIMD
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::LEGACY_EXCEPTIONS;
    let told = Validator::new_with_features(features).validate_all(module);
    told.map(drop).map_err(|cause| {
        invalid("the module is not valid WebAssembly of the kinds this version runs").because(cause)
    })
}

/// The module without exceptions.
///
/// # Errors
/// `module-invalid` if it uses those of the later proposal, or they carry something other than numbers; `too-large`.
pub(super) fn lower(module: &[u8]) -> Result<Vec<u8>> {
    let facts = Facts::read(module)?;
    let mut lowering = Lowering { bytes: module, facts, bodies: 0, written: 0 };
    let mut out = Module::new();
    lowering.sections(&mut out).map_err(refused)?;
    Ok(out.finish())
}

/// Sections that the output always has.
const SECTIONS: [SectionId; 2] = [SectionId::Import, SectionId::Global];

struct Lowering<'a> {
    bytes: &'a [u8],
    facts: Facts,
    /// Functions written so far.
    bodies: u32,
    /// How many of [`SECTIONS`] are written.
    written: usize,
}

impl<'a> Lowering<'a> {
    /// Writes all sections but that of the tags; names and other custom sections are left out.
    fn sections(&mut self, out: &mut Module) -> Reencoded<()> {
        for payload in Parser::new(0).parse_all(self.bytes) {
            let payload = payload?;
            let (id, range) = match payload.as_section() {
                Some((id, range)) if id != CUSTOM && id != SectionId::Tag as u8 => (id, range),
                _ => continue,
            };
            self.fill(out, id);
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
                    for function in &self.facts.wrapped {
                        functions.function(self.facts.type_of(*function).map_err(user)?);
                    }
                    out.section(&functions);
                }
                Payload::GlobalSection(reader) => {
                    let mut globals = GlobalSection::new();
                    self.parse_global_section(&mut globals, reader)?;
                    out.section(&self.globals(globals));
                }
                Payload::CodeSectionStart { unchecked_range, .. } => self.code(out, unchecked_range)?,
                payload => self.others(out, payload, id, range)?,
            }
        }
        self.fill(out, u8::MAX);
        Ok(())
    }

    /// Sections that nothing is added to.
    fn others(&mut self, out: &mut Module, payload: Payload<'_>, id: u8, range: Range<u64>) -> Reencoded<()> {
        match payload {
            Payload::ExportSection(reader) => {
                let mut exports = ExportSection::new();
                self.parse_export_section(&mut exports, reader)?;
                out.section(&exports);
            }
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
            Payload::StartSection { func, .. } => {
                out.section(&StartSection { function_index: self.outside(func) });
            }
            // Names no function: as it is.
            _ => {
                let data = self.slice(range).map_err(user)?;
                out.section(&RawSection { id, data });
            }
        }
        Ok(())
    }

    fn code(&mut self, out: &mut Module, range: Range<u64>) -> Reencoded<()> {
        let data = self.slice(range.clone()).map_err(user)?;
        let mut code = CodeSection::new();
        self.parse_code_section(&mut code, CodeSectionReader::new(BinaryReader::new(data, range.start))?)?;
        for function in &self.facts.wrapped {
            code.function(&self.wrapper(*function).map_err(user)?);
        }
        out.section(&code);
        Ok(())
    }

    /// Ours of the sections that the module lacks, up to the one with the id `before`.
    fn fill(&mut self, out: &mut Module, before: u8) {
        while let Some(next) = SECTIONS.get(self.written).filter(|next| rank(before) > rank(**next as u8)) {
            match next {
                SectionId::Import => out.section(&self.imports(ImportSection::new())),
                _ => out.section(&self.globals(GlobalSection::new())),
            };
        }
    }

    /// Bytes of the original.
    fn slice(&self, range: Range<u64>) -> Result<&'a [u8]> {
        let [start, end] = [range.start, range.end].map(usize::try_from);
        let range = start.ok().zip(end.ok()).map(|(start, end)| start..end);
        range
            .and_then(|range| self.bytes.get(range))
            .ok_or_else(|| invalid("the module ends inside a section"))
    }

    /// Ours behind those of the module: that of the import, and of what is around the body of a `try` that takes something.
    fn types(&mut self, mut types: TypeSection) -> Reencoded<TypeSection> {
        types.ty().function([], []);
        for ty in self.facts.taking.clone() {
            let params = self.facts.params(ty).to_vec();
            let params: Vec<ValType> =
                params.into_iter().map(|ty| self.val_type(ty)).collect::<Reencoded<_>>()?;
            types.ty().function(params, []);
        }
        Ok(types)
    }

    fn imports(&mut self, mut imports: ImportSection) -> ImportSection {
        self.written += 1;
        imports.import(GAS_MODULE, UNCAUGHT_NAME, EntityType::Function(self.facts.types()));
        imports
    }

    fn globals(&mut self, mut globals: GlobalSection) -> GlobalSection {
        self.written += 1;
        let mut add = |val_type, zero: &ConstExpr| {
            globals.global(GlobalType { val_type, mutable: true, shared: false }, zero);
        };
        add(ValType::I32, &ConstExpr::i32_const(0));
        for slot in &self.facts.slots {
            match slot {
                wasmparser::ValType::I64 => add(ValType::I64, &ConstExpr::i64_const(0)),
                wasmparser::ValType::F32 => add(ValType::F32, &ConstExpr::f32_const(0.0_f32.into())),
                wasmparser::ValType::F64 => add(ValType::F64, &ConstExpr::f64_const(0.0_f64.into())),
                _ => add(ValType::I32, &ConstExpr::i32_const(0)),
            }
        }
        globals
    }

    /// The new index of a function: our import stands before those that the module defines.
    fn function(&self, index: u32) -> u32 {
        index.saturating_add(u32::from(index >= self.facts.imports))
    }

    /// The same, as the host sees it.
    fn outside(&self, index: u32) -> u32 {
        match self.facts.wrapped.binary_search(&index) {
            Ok(place) => {
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                self.function(self.facts.functions()).saturating_add(place)
            }
            Err(_) => self.function(index),
        }
    }

    /// The global that says what is on its way: 0, or a tag's index and one.
    fn exception(&self) -> u32 {
        self.facts.globals
    }

    /// The global of a slot.
    fn slot(&self, slot: u32) -> u32 {
        self.facts.globals.saturating_add(1).saturating_add(slot)
    }

    /// The type of the block around the body of a `try`.
    fn around(&self, ty: wasmparser::BlockType) -> BlockType {
        let wasmparser::BlockType::FuncType(ty) = ty else { return BlockType::Empty };
        match self.facts.taking.binary_search(&ty) {
            Ok(place) => {
                let ours = self.facts.types().saturating_add(1);
                BlockType::FunctionType(ours.saturating_add(u32::try_from(place).unwrap_or(u32::MAX)))
            }
            Err(_) => BlockType::Empty,
        }
    }

    /// What the host calls in place of a function that an exception may leave.
    fn wrapper(&self, function: u32) -> Result<Function> {
        let ty = self.facts.type_of(function)?;
        let mut out = Function::new([]);
        let mut code = out.instructions();
        for param in (0_u32..).zip(self.facts.params(ty)) {
            code.local_get(param.0);
        }
        code.call(self.function(function));
        code.global_get(self.exception()).if_(BlockType::Empty);
        code.i32_const(0).global_set(self.exception()).call(self.facts.imports);
        code.end().end();
        Ok(out)
    }
}

impl Reencode for Lowering<'_> {
    type Error = Error;

    fn function_index(&mut self, index: u32) -> Reencoded<u32> {
        Ok(self.function(index))
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: Export<'_>) -> Reencoded<()> {
        match export.kind {
            // Nobody can name it.
            ExternalKind::Tag => {}
            ExternalKind::Func => {
                exports.export(export.name, wasm_encoder::ExportKind::Func, self.outside(export.index));
            }
            _ => wasm_encoder::reencode::utils::parse_export(self, exports, export)?,
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        function: wasmparser::FunctionBody<'_>,
    ) -> Reencoded<()> {
        let index = self.facts.imports.saturating_add(self.bodies);
        self.bodies = self.bodies.saturating_add(1);
        code.function(&body::lower(self, index, &function)?);
        Ok(())
    }
}
