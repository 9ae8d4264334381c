//! What the rewrite has to know of a module before it writes the first section.

use wasmparser::{CompositeInnerType, Parser, Payload, TypeRef, ValType};
use weft_codec::Result;

use super::{invalid, unreadable};

/// Types, counts and indices of a module.
#[derive(Default)]
pub(super) struct Shape {
    /// Imported functions.
    pub(super) imports: u32,
    /// Globals of its own.
    pub(super) globals: u32,
    /// Indices of those that can change.
    pub(super) mutable_globals: Vec<u32>,
    /// The function that runs first.
    pub(super) start: Option<u32>,
    /// Whether its memory has 64-bit addresses.
    pub(super) wide: bool,
    /// The function types: the number of parameters, and the results.
    types: Vec<(u32, Vec<ValType>)>,
    /// The types of its own functions.
    functions: Vec<u32>,
    /// The types of those that it imports.
    imported: Vec<u32>,
    /// Its memory's pages, at first and at most.
    pub(super) memory: Option<(u64, u64)>,
    /// The types of more than one result that a function has, in their order.
    many: Vec<u32>,
}

impl Shape {
    /// Reads the declarations.
    ///
    /// # Errors
    /// `module-invalid`.
    pub(super) fn read(module: &[u8]) -> Result<Self> {
        let mut shape = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload.map_err(unreadable)? {
                Payload::TypeSection(reader) => {
                    for group in reader {
                        for ty in group.map_err(unreadable)?.into_types() {
                            shape.push_type(ty.composite_type.inner)?;
                        }
                    }
                }
                Payload::ImportSection(reader) => {
                    for import in reader.into_imports() {
                        let import = import.map_err(unreadable)?;
                        let TypeRef::Func(ty) = import.ty else {
                            return Err(invalid("the module imports something other than functions"));
                        };
                        shape.imported.push(ty);
                        shape.imports = shape.imports.saturating_add(1);
                    }
                }
                Payload::FunctionSection(reader) => {
                    for ty in reader {
                        shape.functions.push(ty.map_err(unreadable)?);
                    }
                }
                Payload::MemorySection(reader) => {
                    for memory in reader {
                        let memory = memory.map_err(unreadable)?;
                        shape.wide |= memory.memory64;
                        shape.memory = Some((memory.initial, memory.maximum.unwrap_or(u64::MAX)));
                    }
                }
                Payload::GlobalSection(reader) => {
                    for global in reader {
                        if global.map_err(unreadable)?.ty.mutable {
                            shape.mutable_globals.push(shape.globals);
                        }
                        shape.globals = shape.globals.saturating_add(1);
                    }
                }
                Payload::StartSection { func, .. } => shape.start = Some(func),
                Payload::CodeSectionStart { .. } => break,
                _ => (),
            }
        }
        shape.many = shape.functions.clone();
        shape.many.sort_unstable();
        shape.many.dedup();
        let types = &shape.types;
        shape.many.retain(|ty| index(types, *ty).is_some_and(|(_, results)| results.len() > 1));
        Ok(shape)
    }

    fn push_type(&mut self, ty: CompositeInnerType) -> Result<()> {
        let CompositeInnerType::Func(ty) = ty else {
            return Err(invalid("the module has types other than those of functions"));
        };
        let params =
            u32::try_from(ty.params().len()).map_err(|_| invalid("a function has too many parameters"))?;
        self.types.push((params, ty.results().to_vec()));
        Ok(())
    }

    /// How many functions are its own.
    pub(super) fn defined(&self) -> u32 {
        u32::try_from(self.functions.len()).unwrap_or(u32::MAX)
    }

    /// How many types are its own: where ours begin.
    pub(super) fn own_types(&self) -> u32 {
        u32::try_from(self.types.len()).unwrap_or(u32::MAX)
    }

    /// The type of the `at`th of its own functions.
    pub(super) fn type_of(&self, at: usize) -> Result<u32> {
        self.functions.get(at).copied().ok_or_else(|| invalid("the module has more code than functions"))
    }

    /// The type of a function, imported ones first.
    pub(super) fn type_of_function(&self, index: u32) -> Option<u32> {
        match index.checked_sub(self.imports) {
            Some(own) => self.functions.get(usize::try_from(own).ok()?).copied(),
            None => self.imported.get(usize::try_from(index).ok()?).copied(),
        }
    }

    /// How many parameters and results a type has.
    pub(super) fn arity(&self, ty: u32) -> (usize, usize) {
        let params = usize::try_from(self.params(ty)).unwrap_or(usize::MAX);
        (params, self.results(ty).len())
    }

    /// How many parameters a type has.
    pub(super) fn params(&self, ty: u32) -> u32 {
        index(&self.types, ty).map_or(0, |(params, _)| *params)
    }

    /// The results of a type.
    pub(super) fn results(&self, ty: u32) -> &[ValType] {
        index(&self.types, ty).map_or(&[], |(_, results)| results.as_slice())
    }

    /// The results of each type that has more than one and that a function has.
    pub(super) fn many_results(&self) -> Vec<Vec<ValType>> {
        self.many.iter().map(|ty| self.results(*ty).to_vec()).collect()
    }

    /// How many types there are with ours, but for the one for NaN in vectors: that is the next.
    pub(super) fn all_types(&self) -> u32 {
        let many = u32::try_from(self.many.len()).unwrap_or(u32::MAX);
        self.own_types().saturating_add(super::OWN_TYPES).saturating_add(many)
    }

    /// Where the type of a block stands that gives what a function of this type gives: after ours for gas and NaN.
    pub(super) fn many(&self, ty: u32) -> u32 {
        let place = self.many.binary_search(&ty).unwrap_or_default();
        let ours = super::OWN_TYPES.saturating_add(u32::try_from(place).unwrap_or(u32::MAX));
        self.own_types().saturating_add(ours)
    }
}

fn index<T>(list: &[T], at: u32) -> Option<&T> {
    list.get(usize::try_from(at).ok()?)
}
