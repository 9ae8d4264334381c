//! What a rewritten module asks for and offers: the names and types of its imports and exports.

use std::collections::BTreeMap;

use wasmparser::{CompositeInnerType, ExternalKind, Parser, Payload, TypeRef, ValType};
use weft_codec::{Code, Error, Result};

use crate::engine::Type;
use crate::rewrite::{GLOBAL_PREFIX, undo};

/// A function's parameters and results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// Types of the parameters.
    pub params: Vec<Type>,
    /// Types of the results.
    pub results: Vec<Type>,
}

/// A function that a module imports.
#[derive(Clone, Debug)]
pub struct Import {
    /// The module it is imported from.
    pub module: String,
    /// Its name there.
    pub name: String,
    /// Its type.
    pub signature: Signature,
}

/// A function that a module exports.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its type.
    pub signature: Signature,
}

/// The names and types of a rewritten module.
#[derive(Debug, Default)]
pub struct Interface {
    /// The imports, in their order. The same function may stand here twice.
    pub imports: Vec<Import>,
    /// The exported functions, in their order. Functions of other than numbers are left out: nobody calls them.
    pub functions: Vec<Function>,
    /// The exports that are the module's own mutable globals, in the order of their indices, by name and type.
    pub globals: Vec<(String, Type)>,
    /// Whether it exports its memory as `memory`.
    pub memory: bool,
    /// Whether the memory has 64-bit addresses.
    pub wide: bool,
    /// Most pages that the memory allows itself.
    pub max_pages: u64,
    /// Where the records of saved pages begin in the memory of the way back.
    pub records: u32,
}

fn invalid(sentence: &str) -> Error {
    Error::new(Code::ModuleInvalid, sentence)
}

fn unreadable(cause: wasmparser::BinaryReaderError) -> Error {
    invalid("the module is not WebAssembly that this version reads").because(cause)
}

/// What is numbered in a module.
#[derive(Default)]
struct Indices {
    /// `None` for what is no function of numbers.
    types: Vec<Option<Signature>>,
    /// The types of the functions, imported ones first.
    functions: Vec<u32>,
    /// The globals; of those that can change and are numbers, the type.
    globals: Vec<Option<Type>>,
}

impl Indices {
    /// The type of a global that the rewrite exports.
    fn global(&self, export: &wasmparser::Export<'_>) -> Option<Type> {
        let ty = *self.globals.get(usize::try_from(export.index).ok()?)?;
        ty.filter(|_| export.name == format!("{GLOBAL_PREFIX}{}", export.index))
    }

    fn signature(&self, ty: u32) -> Option<&Signature> {
        self.types.get(usize::try_from(ty).ok()?)?.as_ref()
    }

    fn of_function(&self, index: u32) -> Option<&Signature> {
        self.signature(*self.functions.get(usize::try_from(index).ok()?)?)
    }
}

impl Interface {
    /// Reads a valid module.
    ///
    /// # Errors
    /// `module-invalid`.
    pub(crate) fn read(module: &[u8]) -> Result<Self> {
        let (mut interface, mut indices) = (Self::default(), Indices::default());
        let mut globals = BTreeMap::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload.map_err(unreadable)? {
                Payload::TypeSection(reader) => {
                    for group in reader {
                        let types = group.map_err(unreadable)?.into_types();
                        indices.types.extend(types.map(|ty| signature(&ty.composite_type.inner)));
                    }
                }
                Payload::ImportSection(reader) => {
                    for import in reader.into_imports() {
                        interface.import(&mut indices, &import.map_err(unreadable)?)?;
                    }
                }
                Payload::FunctionSection(reader) => {
                    for ty in reader {
                        indices.functions.push(ty.map_err(unreadable)?);
                    }
                }
                Payload::MemorySection(reader) => {
                    let mut memories = reader.into_iter();
                    if let Some(memory) = memories.next() {
                        let memory = memory.map_err(unreadable)?;
                        let most = undo::most_pages(memory.memory64);
                        interface.wide = memory.memory64;
                        interface.max_pages = memory.maximum.unwrap_or(most).min(most);
                    }
                    if let Some(undo) = memories.next() {
                        let bytes = undo.map_err(unreadable)?.initial.saturating_mul(1 << 16);
                        interface.records = u32::try_from(bytes).unwrap_or(u32::MAX);
                    }
                }
                Payload::GlobalSection(reader) => {
                    for global in reader {
                        let ty = global.map_err(unreadable)?.ty;
                        indices.globals.push(number(&ty.content_type).filter(|_| ty.mutable));
                    }
                }
                Payload::ExportSection(reader) => {
                    for export in reader {
                        interface.export(&indices, &mut globals, &export.map_err(unreadable)?);
                    }
                }
                Payload::CodeSectionStart { .. } => break,
                _ => (),
            }
        }
        interface.globals = globals.into_values().collect();
        Ok(interface)
    }

    fn import(&mut self, indices: &mut Indices, import: &wasmparser::Import<'_>) -> Result<()> {
        let TypeRef::Func(ty) = import.ty else {
            return Err(invalid("the module imports something other than functions"));
        };
        indices.functions.push(ty);
        let signature = indices.signature(ty).cloned();
        let signature =
            signature.ok_or_else(|| invalid("the module imports a function of other than numbers"))?;
        let (module, name) = (import.module.to_owned(), import.name.to_owned());
        self.imports.push(Import { module, name, signature });
        Ok(())
    }

    fn export(
        &mut self,
        indices: &Indices,
        globals: &mut BTreeMap<u32, (String, Type)>,
        export: &wasmparser::Export<'_>,
    ) {
        match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => {
                if let Some(signature) = indices.of_function(export.index) {
                    let (name, signature) = (export.name.to_owned(), signature.clone());
                    self.functions.push(Function { name, signature });
                }
            }
            ExternalKind::Memory => self.memory |= export.name == "memory",
            ExternalKind::Global => {
                if let Some(ty) = indices.global(export) {
                    globals.insert(export.index, (export.name.to_owned(), ty));
                }
            }
            _ => (),
        }
    }

    /// The place of an exported function.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.functions.iter().position(|function| function.name == name)
    }
}

fn signature(ty: &CompositeInnerType) -> Option<Signature> {
    let CompositeInnerType::Func(ty) = ty else { return None };
    let numbers = |types: &[ValType]| types.iter().map(number).collect::<Option<Vec<Type>>>();
    Some(Signature { params: numbers(ty.params())?, results: numbers(ty.results())? })
}

fn number(ty: &ValType) -> Option<Type> {
    Some(match ty {
        ValType::I32 => Type::I32,
        ValType::I64 => Type::I64,
        ValType::F32 => Type::F32,
        ValType::F64 => Type::F64,
        ValType::V128 | ValType::Ref(_) => return None,
    })
}
