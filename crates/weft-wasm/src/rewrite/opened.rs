//! What a module needs before it is rewritten, if HyperBEAM runs it as it is (`Format::Pure`).
//!
//! - **A memory**, of no pages, if it has none: functions of numbers alone are called like any other, and an instance has a memory.
//! - **Exports that call its table**, one for each signature of its `invoke_*` imports ([`CALL_PREFIX`]): a node calls what stands at a
//!   place of the table, and no engine here has to reach into one.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{Error, Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, MemorySection, MemoryType, Module,
    RawSection, SectionId, TypeSection, ValType,
};
use wasmparser::{BinaryReader, CodeSectionReader, CompositeInnerType, Parser, Payload, TypeRef};
use weft_codec::Result;

use super::{CUSTOM, invalid, unreadable};

/// Prefix of the exports that call the table; the letters of the signature follow. Their first parameter is a place in the table.
pub(crate) const CALL_PREFIX: &str = "weft:call:";

/// Most such exports. C++ needs some fifty.
const MOST: usize = 500;

/// A way to call the table.
struct Way {
    name: String,
    params: Vec<ValType>,
    results: Vec<ValType>,
}

/// What there is, and what is to be added.
#[derive(Default)]
struct Facts {
    types: u32,
    /// Imported ones and its own.
    functions: u32,
    tables: u32,
    /// The type of a place in the first table.
    wide: bool,
    memory: bool,
    ways: Vec<Way>,
}

type Encoded<T> = std::result::Result<T, Error>;

/// The valid module with what it needs.
///
/// # Errors
/// `module-invalid`.
pub(crate) fn opened(module: &[u8]) -> Result<Vec<u8>> {
    let facts = Facts::read(module)?;
    facts.write(module).map_err(|error| invalid(format!("the module cannot be read: {error}")))
}

/// Sections that may get something.
const ADDED: [SectionId; 5] =
    [SectionId::Type, SectionId::Function, SectionId::Memory, SectionId::Export, SectionId::Code];

impl Facts {
    fn read(module: &[u8]) -> Result<Self> {
        let (mut facts, mut types, mut invokes) = (Self::default(), Vec::new(), BTreeMap::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload.map_err(unreadable)? {
                Payload::TypeSection(reader) => {
                    for group in reader {
                        types.extend(
                            group.map_err(unreadable)?.into_types().map(|ty| ty.composite_type.inner),
                        );
                    }
                }
                Payload::ImportSection(reader) => {
                    for import in reader.into_imports() {
                        let import = import.map_err(unreadable)?;
                        let TypeRef::Func(ty) = import.ty else { continue };
                        facts.functions = facts.functions.saturating_add(1);
                        if let Some(letters) = import.name.strip_prefix("invoke_") {
                            invokes.entry(letters.to_owned()).or_insert(ty);
                        }
                    }
                }
                Payload::FunctionSection(reader) => {
                    facts.functions = facts.functions.saturating_add(reader.count());
                }
                Payload::TableSection(reader) => {
                    for table in reader {
                        let table = table.map_err(unreadable)?;
                        facts.wide |= facts.tables == 0 && table.ty.table64;
                        facts.tables = facts.tables.saturating_add(1);
                    }
                }
                Payload::MemorySection(_) => facts.memory = true,
                Payload::ExportSection(reader) => {
                    for export in reader {
                        if export.map_err(unreadable)?.name.starts_with(CALL_PREFIX) {
                            return Err(invalid("the module exports names that only Weft gives"));
                        }
                    }
                }
                Payload::CodeSectionStart { .. } => break,
                _ => (),
            }
        }
        facts.types = u32::try_from(types.len()).unwrap_or(u32::MAX);
        // Without a table there is nothing to call.
        invokes.retain(|_, _| facts.tables > 0);
        if invokes.len() > MOST {
            return Err(invalid("the module calls its table in too many ways"));
        }
        for (letters, ty) in invokes {
            let ty = usize::try_from(ty).ok().and_then(|ty| types.get(ty));
            let Some(CompositeInnerType::Func(ty)) = ty else { continue };
            let params = encoded(ty.params().get(1..).unwrap_or_default())?;
            let results = encoded(ty.results())?;
            facts.ways.push(Way { name: format!("{CALL_PREFIX}{letters}"), params, results });
        }
        Ok(facts)
    }

    fn write(&self, module: &[u8]) -> Encoded<Vec<u8>> {
        let (mut out, mut added) = (Module::new(), ADDED.iter().peekable());
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            let Some((id, range)) = payload.as_section().filter(|(id, _)| *id != CUSTOM) else { continue };
            while let Some(missing) = added.next_if(|next| place(**next as u8) < place(id)) {
                self.section(*missing, None, module, &mut out)?;
            }
            if let Some(own) = added.next_if(|next| **next as u8 == id) {
                self.section(*own, Some(payload), module, &mut out)?;
                continue;
            }
            let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
            let data = module.get(start..end).unwrap_or_default();
            out.section(&RawSection { id, data });
        }
        for missing in added {
            self.section(*missing, None, module, &mut out)?;
        }
        Ok(out.finish())
    }

    fn section(
        &self,
        id: SectionId,
        payload: Option<Payload<'_>>,
        module: &[u8],
        out: &mut Module,
    ) -> Encoded<()> {
        let mut copy = RoundtripReencoder;
        match id {
            SectionId::Type => {
                let mut types = TypeSection::new();
                if let Some(Payload::TypeSection(reader)) = payload {
                    copy.parse_type_section(&mut types, reader)?;
                }
                for way in &self.ways {
                    let results = way.results.iter().copied();
                    let params: Vec<ValType> =
                        std::iter::once(self.place()).chain(way.params.iter().copied()).collect();
                    types.ty().function(way.params.iter().copied(), results.clone());
                    types.ty().function(params, results);
                }
                out.section(&types);
            }
            SectionId::Function => {
                let mut functions = FunctionSection::new();
                if let Some(Payload::FunctionSection(reader)) = payload {
                    copy.parse_function_section(&mut functions, reader)?;
                }
                for (ty, _) in self.ways() {
                    functions.function(ty.saturating_add(1));
                }
                out.section(&functions);
            }
            SectionId::Memory => match payload {
                Some(Payload::MemorySection(reader)) => {
                    let mut memories = MemorySection::new();
                    copy.parse_memory_section(&mut memories, reader)?;
                    out.section(&memories);
                }
                _ => drop(out.section(&no_pages())),
            },
            SectionId::Export => drop(out.section(&self.exports(payload)?)),
            _ => drop(out.section(&self.code(payload, module)?)),
        }
        Ok(())
    }

    fn exports(&self, payload: Option<Payload<'_>>) -> Encoded<ExportSection> {
        let mut exports = ExportSection::new();
        if let Some(Payload::ExportSection(reader)) = payload {
            for export in reader {
                let export = export?;
                // Of a module without a memory, another thing may have the name.
                if self.memory || export.name != "memory" {
                    RoundtripReencoder.parse_export(&mut exports, export)?;
                }
            }
        }
        if !self.memory {
            exports.export("memory", ExportKind::Memory, 0);
        }
        for (way, index) in self.ways.iter().zip(self.functions..) {
            exports.export(&way.name, ExportKind::Func, index);
        }
        Ok(exports)
    }

    fn code(&self, payload: Option<Payload<'_>>, module: &[u8]) -> Encoded<CodeSection> {
        let mut code = CodeSection::new();
        if let Some(Payload::CodeSectionStart { unchecked_range, .. }) = payload {
            let range = [unchecked_range.start, unchecked_range.end];
            let [start, end] = range.map(|at| usize::try_from(at).unwrap_or(usize::MAX));
            let data = module.get(start..end).unwrap_or_default();
            for body in CodeSectionReader::new(BinaryReader::new(data, unchecked_range.start))? {
                code.raw(body?.as_bytes());
            }
        }
        for (ty, way) in self.ways() {
            code.function(&way.body(ty));
        }
        Ok(code)
    }

    /// The ways, each with the type of what it calls; its own type follows that.
    fn ways(&self) -> impl Iterator<Item = (u32, &Way)> {
        (self.types..).step_by(2).zip(&self.ways)
    }

    /// The type of a place in the table.
    fn place(&self) -> ValType {
        if self.wide { ValType::I64 } else { ValType::I32 }
    }
}

/// Where a section stands in a module.
fn place(id: u8) -> u8 {
    match id {
        TAG => 2 * SectionId::Memory as u8 + 1,
        id if id == SectionId::DataCount as u8 => 2 * SectionId::Element as u8 + 1,
        id => id.saturating_mul(2),
    }
}

/// The id of the section with the tags.
const TAG: u8 = SectionId::Tag as u8;

fn no_pages() -> MemorySection {
    let mut memories = MemorySection::new();
    let (minimum, maximum) = (0, Some(0));
    memories.memory(MemoryType { minimum, maximum, memory64: false, shared: false, page_size_log2: None });
    memories
}

fn encoded(types: &[wasmparser::ValType]) -> Result<Vec<ValType>> {
    let types = types.iter().map(|ty| RoundtripReencoder.val_type(*ty));
    types.collect::<Encoded<Vec<_>>>().map_err(|_| invalid("an import has an unknown type"))
}

impl Way {
    /// What it does: `ty` is the type of what it calls.
    fn body(&self, ty: u32) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        for (local, _) in (1_u32..).zip(&self.params) {
            code.local_get(local);
        }
        code.local_get(0).call_indirect(0, ty).end();
        function
    }
}
