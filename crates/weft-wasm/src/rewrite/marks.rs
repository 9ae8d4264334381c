//! Where a function looks whether the pages that it is about to write to are saved (see [`super::undo`]).
//!
//! Before a store, the byte of the page of its **last** byte is looked at; it answers for that page and the one before it. That is what
//! makes marks few: all stores relative to one local within 4,096 bytes need one, at their farthest end, and none where one was made on
//! every way there and the local kept its value since.
//!
//! What cannot be seen here (an address that a block with many results left) saves everything.

use std::collections::BTreeMap;

use wasmparser::{BlockType, FrameKind, FunctionBody, MemArg, ModuleArity, Operator, SubType};
use weft_codec::Result;

use super::shape::Shape;
use super::unreadable;

/// Bytes that one mark answers for at least, up to the last byte written.
const SPAN: u64 = 4_096;

/// The base of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// A local, which still has the value.
    Local(u32),
    /// A constant.
    Constant(u64),
    /// One of our own locals, into which it was put where it was made.
    Kept(u32),
    /// It cannot be seen.
    Unknown,
}

/// A mark that comes before an instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The instruction, counted from 1.
    pub(super) before: usize,
    pub(super) base: Base,
    /// How far beyond the base the last byte is.
    pub(super) last: u64,
}

/// What a function does for its marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// In the order of the instructions.
    pub(super) marks: Vec<Mark>,
    /// After which instruction its result is kept, and in which of our locals. In the order of the instructions.
    pub(super) kept: Vec<(usize, u32)>,
    /// How many locals that takes.
    pub(super) locals: u32,
}

impl Marks {
    /// Reads a function.
    ///
    /// # Errors
    /// `module-invalid`.
    pub(super) fn of(body: &FunctionBody<'_>, shape: &Shape) -> Result<Self> {
        let mut reading = Reading::new(shape);
        let mut operators = body.get_operators_reader().map_err(unreadable)?;
        while !operators.eof() {
            reading.next(&operators.read().map_err(unreadable)?);
        }
        Ok(reading.finish())
    }
}

/// A value on the stack.
#[derive(Clone, Copy, Debug)]
struct Origin {
    /// The instruction that made it.
    place: usize,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// The local as it was after so many assignments.
    Local(u32, u32),
    Constant(u64),
    Made,
    /// One of several results: it cannot be kept where it is made.
    Unseen,
}

/// A store as it was found.
struct Store {
    place: usize,
    origin: Option<Origin>,
    /// Whether the origin is a local that still has the value.
    current: bool,
    start: u64,
    last: u64,
}

/// What happens to marks, in the order of the instructions.
enum Event {
    Store(Store),
    Assign(u32),
    /// A block begins, with the locals that it assigns if it is a loop.
    Open(Option<usize>),
    Else,
    End,
}

/// Some of the first locals.
#[derive(Clone, Copy, Default)]
struct Set([u64; 4]);

impl Set {
    fn bit(local: u32) -> Option<(usize, u64)> {
        let place = usize::try_from(local / 64).ok().filter(|place| *place < 4)?;
        Some((place, 1 << (local % 64)))
    }

    fn has(&self, local: u32) -> bool {
        Self::bit(local).is_some_and(|(place, bit)| self.0.get(place).is_some_and(|word| word & bit != 0))
    }

    fn add(&mut self, local: u32) {
        if let Some((word, bit)) = Self::bit(local).and_then(|(at, bit)| Some((self.0.get_mut(at)?, bit))) {
            *word |= bit;
        }
    }

    fn add_all(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }

    fn remove_all(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= !other);
    }
}

/// A block that is open.
struct Label {
    /// Values below it.
    height: usize,
    /// Whether it is come to.
    dead: bool,
    ty: BlockType,
    /// Its place among the loops.
    loop_at: Option<usize>,
    assigned: Set,
}

/// A function as it is read.
struct Reading<'a> {
    shape: &'a Shape,
    place: usize,
    stack: Vec<Origin>,
    /// Whether what follows is not come to, up to the end of the block.
    dead: bool,
    /// Whether an instruction was met of which nothing is known: from there on all stores save everything.
    blind: bool,
    labels: Vec<Label>,
    /// How often each local was assigned so far.
    versions: Vec<u32>,
    events: Vec<Event>,
    /// What each loop assigns.
    loops: Vec<Set>,
}

/// What has the same arity in every module.
struct Fixed;

impl ModuleArity for Fixed {
    fn sub_type_at(&self, _: u32) -> Option<&SubType> {
        None
    }
    fn tag_type_arity(&self, _: u32) -> Option<(u32, u32)> {
        None
    }
    fn type_index_of_function(&self, _: u32) -> Option<u32> {
        None
    }
    fn func_type_of_cont_type(&self, _: &wasmparser::ContType) -> Option<&wasmparser::FuncType> {
        None
    }
    fn sub_type_of_ref_type(&self, _: &wasmparser::RefType) -> Option<&SubType> {
        None
    }
    fn control_stack_height(&self) -> u32 {
        0
    }
    fn label_block(&self, _: u32) -> Option<(BlockType, FrameKind)> {
        None
    }
}

impl<'a> Reading<'a> {
    fn new(shape: &'a Shape) -> Self {
        let (stack, labels, versions) = (Vec::new(), Vec::new(), Vec::new());
        let (events, loops) = (Vec::new(), Vec::new());
        Self { shape, place: 0, stack, dead: false, blind: false, labels, versions, events, loops }
    }

    fn next(&mut self, operator: &Operator<'_>) {
        self.place += 1;
        match operator {
            Operator::Block { blockty } => self.open(*blockty, false),
            Operator::Loop { blockty } => self.open(*blockty, true),
            Operator::If { blockty } => {
                self.pop(1);
                self.open(*blockty, false);
            }
            Operator::Else => self.turn(),
            Operator::End => self.end(),
            _ if self.dead => (),
            _ => match stored(operator) {
                Some((memarg, bytes)) => self.store(operator, memarg, bytes),
                None => self.step(operator),
            },
        }
    }

    fn step(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::LocalGet { local_index } => {
                self.push(What::Local(*local_index, self.version(*local_index)));
            }
            Operator::LocalSet { local_index } => {
                self.pop(1);
                self.assign(*local_index);
            }
            Operator::LocalTee { local_index } => {
                self.pop(1);
                self.assign(*local_index);
                self.push(What::Local(*local_index, self.version(*local_index)));
            }
            Operator::I32Const { value } => self.push(What::Constant(u64::from(value.cast_unsigned()))),
            Operator::I64Const { value } => self.push(What::Constant(value.cast_unsigned())),
            Operator::Call { function_index } => self.call(self.shape.type_of_function(*function_index)),
            Operator::CallIndirect { type_index, .. } => {
                self.pop(1);
                self.call(Some(*type_index));
            }
            Operator::BrIf { .. } => self.pop(1),
            Operator::Br { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::Unreachable => {
                self.dead = true;
                self.stack.truncate(self.labels.last().map_or(0, |label| label.height));
            }
            _ => self.plain(operator),
        }
    }

    fn plain(&mut self, operator: &Operator<'_>) {
        match operator.operator_arity(&Fixed) {
            Some((pops, pushes)) => {
                self.pop(usize::try_from(pops).unwrap_or(usize::MAX));
                self.push_made(usize::try_from(pushes).unwrap_or(0));
            }
            None => self.blind = true,
        }
    }

    fn push(&mut self, what: What) {
        self.stack.push(Origin { place: self.place, what });
    }

    /// Results of an instruction: the last of them can be kept behind it.
    fn push_made(&mut self, count: usize) {
        if let Some(others) = count.checked_sub(1) {
            self.push_unseen(others);
            self.push(What::Made);
        }
    }

    fn push_unseen(&mut self, count: usize) {
        for _ in 0..count {
            self.push(What::Unseen);
        }
    }

    fn pop(&mut self, count: usize) {
        // Where it is not come to, blocks may take what is not there.
        let least = self.labels.last().map_or(0, |label| label.height);
        self.stack.truncate(self.stack.len().saturating_sub(count).max(least));
    }

    fn version(&self, local: u32) -> u32 {
        let version = usize::try_from(local).ok().and_then(|local| self.versions.get(local));
        version.copied().unwrap_or(0)
    }

    fn assign(&mut self, local: u32) {
        let Ok(at) = usize::try_from(local) else { return };
        if at >= self.versions.len() {
            self.versions.resize(at + 1, 0);
        }
        if let Some(version) = self.versions.get_mut(at) {
            *version += 1;
        }
        if let Some(label) = self.labels.last_mut() {
            label.assigned.add(local);
        }
        self.events.push(Event::Assign(local));
    }

    /// Parameters and results of a block.
    fn arity(&self, ty: BlockType) -> (usize, usize) {
        match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(ty) => self.shape.arity(ty),
        }
    }

    fn open(&mut self, ty: BlockType, is_loop: bool) {
        let (params, _) = self.arity(ty);
        self.pop(params);
        let loop_at = is_loop.then(|| {
            self.loops.push(Set::default());
            self.loops.len() - 1
        });
        let (height, dead) = (self.stack.len(), self.dead);
        self.labels.push(Label { height, dead, ty, loop_at, assigned: Set::default() });
        self.push_unseen(params);
        self.events.push(Event::Open(loop_at));
    }

    /// Between the arms of an `if`.
    fn turn(&mut self) {
        let Some(label) = self.labels.last() else { return };
        let (height, params) = (label.height, self.arity(label.ty).0);
        self.dead = label.dead;
        self.stack.truncate(height);
        self.push_unseen(params);
        self.events.push(Event::Else);
    }

    fn end(&mut self) {
        let Some(label) = self.labels.pop() else { return };
        if let Some(outer) = self.labels.last_mut() {
            outer.assigned.add_all(label.assigned);
        }
        if let Some(set) = label.loop_at.and_then(|at| self.loops.get_mut(at)) {
            *set = label.assigned;
        }
        self.dead = label.dead;
        self.stack.truncate(label.height);
        self.push_made(self.arity(label.ty).1);
        self.events.push(Event::End);
    }

    fn call(&mut self, ty: Option<u32>) {
        match ty.map(|ty| self.shape.arity(ty)) {
            Some((params, results)) => {
                self.pop(params);
                self.push_made(results);
            }
            None => self.blind = true,
        }
    }

    /// A store: its address lies below its values.
    fn store(&mut self, operator: &Operator<'_>, memarg: &MemArg, bytes: u64) {
        let Some((pops, pushes)) = operator.operator_arity(&Fixed) else {
            self.blind = true;
            return self.events.push(Event::Store(Store {
                place: self.place,
                origin: None,
                current: false,
                start: 0,
                last: 0,
            }));
        };
        let below = usize::try_from(pops).unwrap_or(usize::MAX);
        let origin = self.stack.len().checked_sub(below).and_then(|at| self.stack.get(at)).copied();
        let origin = origin.filter(|origin| !self.blind && !matches!(origin.what, What::Unseen));
        let current = match origin.map(|origin| origin.what) {
            Some(What::Local(local, version)) => self.version(local) == version,
            _ => false,
        };
        let (start, last) = (memarg.offset, memarg.offset.saturating_add(bytes - 1));
        self.events.push(Event::Store(Store { place: self.place, origin, current, start, last }));
        self.pop(below);
        self.push_made(usize::try_from(pushes).unwrap_or(0));
    }

    fn finish(self) -> Marks {
        let near = near(&self.events);
        let mut marks = Marks::default();
        // The locals whose mark is made on every way here, and those that each open block assigned.
        let (mut made, mut open) = (Set::default(), Vec::<(Set, Set)>::new());
        let mut kept = Kept::default();
        for event in self.events {
            match event {
                Event::Store(store) => {
                    let (base, last) = match store.origin.map(|origin| origin.what) {
                        Some(What::Local(local, _)) if store.current => {
                            if made.has(local) {
                                continue;
                            }
                            let all = near.get(&local);
                            if all.is_some() {
                                made.add(local);
                            }
                            (Base::Local(local), all.copied().unwrap_or(store.last))
                        }
                        Some(What::Constant(value)) => (Base::Constant(value), store.last),
                        Some(_) => (Base::Kept(kept.keep(&store)), store.last),
                        None => (Base::Unknown, 0),
                    };
                    marks.marks.push(Mark { before: store.place, base, last });
                }
                Event::Assign(local) => {
                    let mut one = Set::default();
                    one.add(local);
                    made.remove_all(one);
                    if let Some((_, assigned)) = open.last_mut() {
                        assigned.add(local);
                    }
                }
                Event::Open(loop_at) => {
                    if let Some(assigned) = loop_at.and_then(|at| self.loops.get(at)) {
                        made.remove_all(*assigned);
                    }
                    open.push((made, Set::default()));
                }
                Event::Else => made = open.last().map_or(made, |(before, _)| *before),
                Event::End => {
                    let Some((before, assigned)) = open.pop() else { continue };
                    made = before;
                    made.remove_all(assigned);
                    if let Some((_, outer)) = open.last_mut() {
                        outer.add_all(assigned);
                    }
                }
            }
        }
        marks.locals = kept.locals;
        marks.kept = kept.list;
        marks.kept.sort_unstable();
        marks
    }
}

impl Store {
    fn local(&self) -> Option<u32> {
        match self.origin?.what {
            What::Local(local, _) => Some(local),
            _ => None,
        }
    }
}

/// How far the stores relative to one local reach.
struct Reach {
    start: u64,
    last: u64,
}

/// The locals of which one mark does for all stores, with the farthest byte.
fn near(events: &[Event]) -> BTreeMap<u32, u64> {
    let mut reaches: BTreeMap<u32, Reach> = BTreeMap::new();
    for event in events {
        let Event::Store(store) = event else { continue };
        let Some(local) = store.local().filter(|local| store.current && Set::bit(*local).is_some()) else {
            continue;
        };
        let reach = reaches.entry(local).or_insert(Reach { start: store.start, last: store.last });
        reach.start = reach.start.min(store.start);
        reach.last = reach.last.max(store.last);
    }
    let near = reaches.into_iter().filter(|(_, reach)| reach.last - reach.start < SPAN);
    near.map(|(local, reach)| (local, reach.last)).collect()
}

/// The addresses that are kept from where they are made to their store. As on the stack, what is kept later is used sooner.
#[derive(Default)]
struct Kept {
    list: Vec<(usize, u32)>,
    /// Those that a later store may still lie around.
    recent: Vec<(usize, u32)>,
    locals: u32,
}

impl Kept {
    /// Keeps the address of a store; stores come in their order.
    fn keep(&mut self, store: &Store) -> u32 {
        let made = store.origin.map_or(0, |origin| origin.place);
        // Those made after this one were used while it waited.
        let mut local = 0;
        while let Some((_, inner)) = self.recent.pop_if(|(place, _)| *place > made) {
            local = local.max(inner + 1);
        }
        self.locals = self.locals.max(local + 1);
        self.recent.push((made, local));
        self.list.push((made, local));
        local
    }
}

/// What an instruction stores: where, and how many bytes.
fn stored<'a>(operator: &'a Operator<'_>) -> Option<(&'a MemArg, u64)> {
    Some(match operator {
        Operator::I32Store8 { memarg }
        | Operator::I64Store8 { memarg }
        | Operator::V128Store8Lane { memarg, .. } => (memarg, 1),
        Operator::I32Store16 { memarg }
        | Operator::I64Store16 { memarg }
        | Operator::V128Store16Lane { memarg, .. } => (memarg, 2),
        Operator::I32Store { memarg }
        | Operator::F32Store { memarg }
        | Operator::I64Store32 { memarg }
        | Operator::V128Store32Lane { memarg, .. } => (memarg, 4),
        Operator::I64Store { memarg }
        | Operator::F64Store { memarg }
        | Operator::V128Store64Lane { memarg, .. } => (memarg, 8),
        Operator::V128Store { memarg } => (memarg, 16),
        _ => return None,
    })
}
