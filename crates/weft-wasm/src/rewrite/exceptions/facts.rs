//! What the lowering has to know of a module: its tags, and which functions an exception may leave.
//!
//! A function may be left by an exception if it throws, or calls what may be, whatever it catches: that is asked of the whole
//! module at once, over the graph of calls. An indirect call may be left by an exception if that holds of a function of its type that
//! is in a table or may come into one. Imports throw nothing.

use std::collections::BTreeMap;

use wasmparser::{
    BlockType, CompositeInnerType, ElementItems, FunctionBody, Operator, Parser, Payload, TypeRef, ValType,
};
use weft_codec::{Code, Error, Result};

use super::super::{invalid, unreadable};

/// Most numbers that exceptions may carry, all types together. C and C++ need one.
const MAX_SLOTS: usize = 64;

/// Most tags.
const MAX_TAGS: usize = 1_000;

/// Parameters and results.
type Signature = (Vec<ValType>, Vec<ValType>);

/// See the module.
#[derive(Default)]
pub(super) struct Facts {
    types: Vec<Signature>,
    /// Of each type, the first one equal to it.
    canonical: Vec<usize>,
    /// Imported functions.
    pub(super) imports: u32,
    /// Types of all functions, imported ones first.
    functions: Vec<u32>,
    /// Globals of its own.
    pub(super) globals: u32,
    /// Of each tag, where its numbers are among the slots.
    tags: Vec<Vec<u32>>,
    /// The types of the slots: each holds a number of the exception that is on its way.
    pub(super) slots: Vec<ValType>,
    /// Of all functions, whether an exception may leave them; then the same of the canonical types.
    throws: Vec<bool>,
    /// The exported functions that an exception may leave, and the start function if it is one: ascending.
    pub(super) wrapped: Vec<u32>,
    /// The types of blocks that begin a `try` and take something: ascending.
    pub(super) taking: Vec<u32>,
}

/// What calls what.
#[derive(Default)]
struct Graph {
    /// Of each function and type, those that an exception reaches out of it.
    outward: Vec<Vec<usize>>,
    /// Those known to throw, whose callers are still to be told.
    told: Vec<usize>,
    /// Functions that may be called indirectly.
    indirect: Vec<u32>,
    exported: Vec<u32>,
}

fn index<T>(list: &[T], at: u32) -> Option<&T> {
    list.get(usize::try_from(at).ok()?)
}

fn place(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl Facts {
    /// Reads a valid module.
    ///
    /// # Errors
    /// `module-invalid` if its exceptions carry other than numbers, or are those of the later proposal; `too-large`.
    pub(super) fn read(module: &[u8]) -> Result<Self> {
        let (mut facts, mut graph) = (Self::default(), Graph::default());
        let mut at = 0_u32;
        for payload in Parser::new(0).parse_all(module) {
            match payload.map_err(unreadable)? {
                Payload::CodeSectionStart { .. } => {
                    at = facts.imports;
                    graph.outward.resize(facts.functions.len().saturating_add(facts.types.len()), Vec::new());
                }
                Payload::CodeSectionEntry(body) => {
                    facts.function(&mut graph, place(at), &body)?;
                    at = at.saturating_add(1);
                }
                payload => facts.declaration(&mut graph, payload)?,
            }
        }
        facts.spread(graph);
        Ok(facts)
    }

    fn declaration(&mut self, graph: &mut Graph, payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::TypeSection(reader) => {
                for group in reader {
                    for ty in group.map_err(unreadable)?.into_types() {
                        self.function_type(ty.composite_type.inner)?;
                    }
                }
                self.compare_types();
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let TypeRef::Func(ty) = import.map_err(unreadable)?.ty else {
                        return Err(invalid("the module imports something other than functions"));
                    };
                    self.functions.push(ty);
                    self.imports = self.imports.saturating_add(1);
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    self.functions.push(ty.map_err(unreadable)?);
                }
            }
            Payload::TagSection(reader) => {
                for tag in reader {
                    self.tag(tag.map_err(unreadable)?.func_type_idx)?;
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader {
                    self.globals = self.globals.saturating_add(1);
                    graph.constant(&global.map_err(unreadable)?.init_expr)?;
                }
            }
            Payload::TableSection(reader) => {
                for table in reader {
                    if let wasmparser::TableInit::Expr(init) = table.map_err(unreadable)?.init {
                        graph.constant(&init)?;
                    }
                }
            }
            Payload::ElementSection(reader) => {
                for element in reader {
                    graph.elements(element.map_err(unreadable)?.items)?;
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export.map_err(unreadable)?;
                    if matches!(export.kind, wasmparser::ExternalKind::Func) {
                        graph.exported.push(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => graph.exported.push(func),
            _ => (),
        }
        Ok(())
    }

    fn function_type(&mut self, ty: CompositeInnerType) -> Result<()> {
        let CompositeInnerType::Func(ty) = ty else {
            return Err(invalid("the module has types other than those of functions"));
        };
        self.types.push((ty.params().to_vec(), ty.results().to_vec()));
        Ok(())
    }

    fn compare_types(&mut self) {
        let mut first: BTreeMap<&Signature, usize> = BTreeMap::new();
        let canonical = self.types.iter().enumerate().map(|(at, ty)| *first.entry(ty).or_insert(at));
        self.canonical = canonical.collect();
    }

    fn tag(&mut self, ty: u32) -> Result<()> {
        let (params, _) = index(&self.types, ty).ok_or_else(|| invalid("a tag has no type"))?;
        let (mut slots, mut used) = (Vec::new(), vec![false; self.slots.len()]);
        for param in params {
            if !matches!(param, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64) {
                return Err(invalid("the module throws exceptions that carry something other than numbers"));
            }
            let free = self.slots.iter().zip(&used).position(|(slot, used)| slot == param && !used);
            let slot = free.unwrap_or(self.slots.len());
            if free.is_none() {
                self.slots.push(*param);
                used.push(false);
            }
            if let Some(used) = used.get_mut(slot) {
                *used = true;
            }
            slots.push(u32::try_from(slot).unwrap_or(u32::MAX));
        }
        self.tags.push(slots);
        if self.slots.len() > MAX_SLOTS || self.tags.len() > MAX_TAGS {
            return Err(Error::new(Code::TooLarge, "the module's exceptions carry too much"));
        }
        Ok(())
    }

    fn function(&mut self, graph: &mut Graph, at: usize, body: &FunctionBody<'_>) -> Result<()> {
        let mut operators = body.get_operators_reader().map_err(unreadable)?;
        while !operators.eof() {
            match operators.read().map_err(unreadable)? {
                Operator::Throw { .. } | Operator::Rethrow { .. } => graph.told.push(at),
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    graph.reaches(place(function_index), at);
                }
                Operator::CallIndirect { type_index, .. }
                | Operator::ReturnCallIndirect { type_index, .. } => {
                    graph.reaches(self.of_type(type_index), at);
                }
                Operator::RefFunc { function_index } => graph.indirect.push(function_index),
                Operator::Try { blockty: BlockType::FuncType(ty) } if !self.params(ty).is_empty() => {
                    self.taking.push(ty);
                }
                _ => (),
            }
        }
        Ok(())
    }

    /// The place of a type among those that may throw: behind the functions.
    fn of_type(&self, ty: u32) -> usize {
        self.functions.len().saturating_add(index(&self.canonical, ty).copied().unwrap_or(usize::MAX))
    }

    /// Tells whoever an exception reaches.
    fn spread(&mut self, mut graph: Graph) {
        for function in std::mem::take(&mut graph.indirect) {
            if let Some(ty) = index(&self.functions, function) {
                graph.reaches(place(function), self.of_type(*ty));
            }
        }
        self.throws = vec![false; self.functions.len().saturating_add(self.types.len())];
        while let Some(thrower) = graph.told.pop() {
            let Some(throws) = self.throws.get_mut(thrower).filter(|throws| !**throws) else { continue };
            *throws = true;
            graph.told.extend(graph.outward.get(thrower).into_iter().flatten());
        }
        let mut exported = graph.exported;
        exported.retain(|function| self.throws(*function));
        exported.sort_unstable();
        exported.dedup();
        self.wrapped = exported;
        self.taking.sort_unstable();
        self.taking.dedup();
    }

    /// Whether an exception may leave a function.
    pub(super) fn throws(&self, function: u32) -> bool {
        index(&self.throws, function).copied().unwrap_or_default()
    }

    /// Whether an exception may leave an indirect call of this type.
    pub(super) fn indirect_throws(&self, ty: u32) -> bool {
        self.throws.get(self.of_type(ty)).copied().unwrap_or_default()
    }

    /// Where a tag's numbers are among the slots.
    pub(super) fn tag_slots(&self, tag: u32) -> &[u32] {
        index(&self.tags, tag).map_or(&[], Vec::as_slice)
    }

    pub(super) fn params(&self, ty: u32) -> &[ValType] {
        index(&self.types, ty).map_or(&[], |(params, _)| params)
    }

    pub(super) fn results(&self, ty: u32) -> &[ValType] {
        index(&self.types, ty).map_or(&[], |(_, results)| results)
    }

    /// The type of a function.
    pub(super) fn type_of(&self, function: u32) -> Result<u32> {
        index(&self.functions, function).copied().ok_or_else(|| invalid("a function has no type"))
    }

    /// How many functions there are, imported ones included.
    pub(super) fn functions(&self) -> u32 {
        u32::try_from(self.functions.len()).unwrap_or(u32::MAX)
    }

    /// How many types there are.
    pub(super) fn types(&self) -> u32 {
        u32::try_from(self.types.len()).unwrap_or(u32::MAX)
    }
}

impl Graph {
    /// An exception out of the one reaches the other.
    fn reaches(&mut self, from: usize, to: usize) {
        if let Some(outward) = self.outward.get_mut(from).filter(|outward| outward.last() != Some(&to)) {
            outward.push(to);
        }
    }

    /// Functions that a constant expression names.
    fn constant(&mut self, expression: &wasmparser::ConstExpr<'_>) -> Result<()> {
        for operator in expression.get_operators_reader() {
            if let Operator::RefFunc { function_index } = operator.map_err(unreadable)? {
                self.indirect.push(function_index);
            }
        }
        Ok(())
    }

    fn elements(&mut self, items: ElementItems<'_>) -> Result<()> {
        match items {
            ElementItems::Functions(reader) => {
                for function in reader {
                    self.indirect.push(function.map_err(unreadable)?);
                }
            }
            ElementItems::Expressions(_, reader) => {
                for expression in reader {
                    self.constant(&expression.map_err(unreadable)?)?;
                }
            }
        }
        Ok(())
    }
}
