//! What a function costs, and where it is charged.
//!
//! A unit of gas is one instruction, but for those that only give structure (`block`, `loop`, `else`, `end`, `nop`, `drop`) or
//! name a value (constants, `local.get`, `local.set`, `local.tee`): they cost nothing. A loop costs one unit each time
//! around, and an indirect call eight. `memory.fill`, `memory.copy` and `memory.init` cost one more for each 64 bytes, a growth of the memory 1,024 for each
//! page.
//!
//! A basic block is charged where it begins, all of it, even if it traps on its way. A small one is charged ahead, with a block
//! that always comes before it, even if it is not come to then: most blocks are a few instructions between two branches, and
//! to charge each by itself is what counting costs. [`AHEAD`] bounds what is charged so. A small function is charged by who
//! calls it ([`super::small`]). What a message costs depends on the way it takes through the module and on nothing else.

use wasmparser::{FunctionBody, Operator};
use weft_codec::Result;

use super::lanes;
use super::nan::Rule;
use super::small::Small;
use super::{invalid, unreadable};

/// Deepest nesting of blocks in a function.
const MAX_NESTING: usize = 50_000;

/// Most gas that a block pays ahead for others.
const AHEAD: i64 = 16;

/// What an indirect call costs: it may call a small function, which counts nothing itself.
const INDIRECT: i64 = 8;

/// How a function counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Counter {
    /// Not at all: it is small.
    Free,
    /// In a local, which is the global's when it is entered, when it is left, and around calls.
    #[default]
    Local,
    /// In the global, where that takes fewer instructions.
    Global,
}

/// A place where gas is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// After which instruction, counted from 1; 0 is the function's entry.
    pub(super) after: usize,
    pub(super) cost: i64,
    /// Whether it is looked at here if there is any left.
    pub(super) check: bool,
    /// How often it may be come to: more for each loop around it.
    weight: u64,
}

/// What the rewrite of a function needs to know before it begins.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// In the order of the instructions.
    pub(super) points: Vec<Point>,
    /// Where the counter is.
    pub(super) counter: Counter,
    /// A jump leads out of the function, beside its `return`s.
    pub(super) jumps_out: bool,
    /// It has operations on floats.
    pub(super) floats: bool,
    /// It has operations on doubles.
    pub(super) doubles: bool,
    /// It has operations on vectors of them.
    pub(super) lanes: bool,
    /// It fills or copies memory.
    pub(super) bulk: bool,
}

/// A block that is open.
struct Label {
    is_loop: bool,
    /// Whether something jumps to it.
    target: bool,
    /// Whether it is one of many that a `br_table` chooses from.
    chosen: bool,
    /// Which point paid for what came before it. What follows the block's end comes after that, and no more often.
    before: Option<usize>,
}

impl Label {
    fn new(is_loop: bool, before: Option<usize>) -> Self {
        Self { is_loop, target: false, chosen: false, before }
    }

    /// Who may pay for what follows its end.
    fn parent(&self) -> Option<usize> {
        self.before.filter(|_| !self.chosen)
    }
}

/// The points as they are found: each with the one that may pay for it as well.
#[derive(Default)]
struct Found {
    points: Vec<(Point, Option<usize>)>,
}

impl Found {
    /// Begins a basic block, and returns its place in the list.
    fn begin(&mut self, after: usize, weight: u64, parent: Option<usize>) -> Option<usize> {
        self.points.push((Point { after, cost: 0, check: false, weight }, parent));
        self.points.len().checked_sub(1)
    }

    fn charge(&mut self, payer: Option<usize>, cost: i64) {
        if let Some((point, _)) = payer.and_then(|at| self.points.get_mut(at)) {
            point.cost += cost;
        }
    }

    fn check(&mut self, at: Option<usize>) {
        if let Some((point, _)) = at.and_then(|at| self.points.get_mut(at)) {
            point.check = true;
        }
    }

    /// Lets points pay for small ones that come after them.
    fn merged(self) -> Vec<Point> {
        let mut merged: Vec<Point> = Vec::with_capacity(self.points.len());
        // Of each point: who pays for it, and how much it pays ahead.
        let mut payers: Vec<(usize, i64)> = Vec::with_capacity(self.points.len());
        for (at, (point, parent)) in self.points.into_iter().enumerate() {
            merged.push(point);
            payers.push((at, 0));
            // A parent stands before its children, so that it is settled who pays for it.
            let Some(payer) = parent.and_then(|parent| payers.get(parent)).map(|(payer, _)| *payer) else {
                continue;
            };
            let (Some(first), Some((_, ahead))) = (merged.get_mut(payer), payers.get_mut(payer)) else {
                continue;
            };
            if point.check || payer == at || *ahead + point.cost > AHEAD {
                continue;
            }
            *ahead += point.cost;
            first.cost += point.cost;
            if let (Some(own), Some(paid)) = (merged.get_mut(at), payers.get_mut(at)) {
                own.cost = 0;
                paid.0 = payer;
            }
        }
        merged.retain(|point| point.after == 0 || point.check || point.cost > 0);
        merged
    }
}

impl Plan {
    /// Reads the function at this place among the module's own.
    ///
    /// # Errors
    /// `module-invalid`.
    pub(super) fn of(body: &FunctionBody<'_>, at: usize, small: &Small) -> Result<Self> {
        let mut reading = Reading::new(small);
        let mut operators = body.get_operators_reader().map_err(unreadable)?;
        while !operators.eof() {
            reading.next(&operators.read().map_err(unreadable)?)?;
        }
        let Reading { mut plan, found, calls, .. } = reading;
        if small.own(at).is_some() {
            plan.counter = Counter::Free;
            return Ok(plan);
        }
        plan.points = found.merged();
        // In instructions of an interpreter that holds the top of its stack in a register.
        let charged = plan.points.iter().filter(|point| point.cost > 0);
        let points = charged.fold(0, |sum: u64, point| sum.saturating_add(point.weight));
        let local = calls.saturating_mul(3).saturating_add(points).saturating_add(2);
        if points.saturating_mul(3) < local {
            plan.counter = Counter::Global;
        }
        Ok(plan)
    }

    /// What an instruction asks of the whole function.
    fn note(&mut self, operator: &Operator<'_>) {
        if let Some(rule) = Rule::of(operator) {
            let (floats, doubles) = rule.needs();
            self.floats |= floats;
            self.doubles |= doubles;
        }
        self.lanes |= lanes::Rule::of(operator).is_some();
        self.bulk |= matches!(
            operator,
            Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } | Operator::MemoryInit { .. }
        );
    }
}

/// A function as it is read.
struct Reading<'a> {
    small: &'a Small,
    plan: Plan,
    found: Found,
    /// Blocks that are open; the first is the function.
    labels: Vec<Label>,
    /// Which point pays for the instruction; none for one that nothing reaches.
    payer: Option<usize>,
    /// Instructions so far.
    place: usize,
    /// Loops among them.
    loops: u32,
    /// The weights of all calls of functions that count themselves.
    calls: u64,
}

/// How many times a loop is taken to go around.
const AROUND: u32 = 3;

/// Most loops within each other that are weighed.
const LOOPS: u32 = 6;

impl<'a> Reading<'a> {
    fn new(small: &'a Small) -> Self {
        let mut found = Found::default();
        let payer = found.begin(0, 1, None);
        let labels = vec![Label::new(false, None)];
        Self { small, plan: Plan::default(), found, labels, payer, place: 0, loops: 0, calls: 0 }
    }

    fn next(&mut self, operator: &Operator<'_>) -> Result<()> {
        self.place += 1;
        self.plan.note(operator);
        self.pay(operator);
        match operator {
            Operator::Block { .. } => self.labels.push(Label::new(false, self.payer)),
            Operator::Loop { .. } => {
                self.labels.push(Label::new(true, self.payer));
                self.loops += 1;
                self.begin(None);
                self.found.charge(self.payer, 1);
                self.found.check(self.payer);
            }
            Operator::If { .. } => {
                let mut label = Label::new(false, self.payer);
                label.target = true;
                self.labels.push(label);
                self.begin(self.payer);
            }
            Operator::Else => self.begin(self.labels.last().and_then(|label| label.before)),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                self.jump(*relative_depth)?;
                self.payer = None;
            }
            Operator::BrIf { relative_depth } => {
                // What follows a jump back may come again and again, and what pays for it with it.
                let back = self.jump(*relative_depth)?.is_loop;
                self.begin(self.payer.filter(|_| !back));
            }
            Operator::BrTable { targets } => {
                let all = targets.targets().chain(std::iter::once(Ok(targets.default())));
                for depth in all {
                    self.jump(depth.map_err(unreadable)?)?.chosen = true;
                }
                self.payer = None;
            }
            Operator::Return
            | Operator::Unreachable
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => self.payer = None,
            _ => (),
        }
        if self.labels.len() > MAX_NESTING {
            return Err(invalid("a function's blocks nest too deeply"));
        }
        Ok(())
    }

    /// Begins a basic block behind the instruction that is read.
    fn begin(&mut self, parent: Option<usize>) {
        self.payer = self.found.begin(self.place, self.weight(), parent);
    }

    /// Charges the instruction. Who calls a function that counts is checked when it is entered, else recursion would go on for
    /// ever.
    fn pay(&mut self, operator: &Operator<'_>) {
        self.found.charge(self.payer, cost(operator));
        let callee = match operator {
            Operator::Call { function_index } => self.small.cost(*function_index),
            Operator::CallIndirect { .. } => None,
            Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => {
                return self.found.check(Some(0));
            }
            _ => return,
        };
        match callee {
            Some(cost) => self.found.charge(self.payer, cost),
            None => {
                self.found.check(Some(0));
                self.calls = self.calls.saturating_add(self.weight());
            }
        }
    }

    fn end(&mut self) {
        let Some(label) = self.labels.pop() else { return };
        self.loops -= u32::from(label.is_loop);
        // A loop's end is come to from inside alone.
        if label.target && (!label.is_loop || self.payer.is_some()) {
            self.begin(label.parent());
        }
    }

    /// How often what is read now may be come to.
    fn weight(&self) -> u64 {
        u64::from(AROUND).pow(self.loops.min(LOOPS))
    }

    /// The label of a jump.
    fn jump(&mut self, depth: u32) -> Result<&mut Label> {
        let place = usize::try_from(depth)
            .ok()
            .and_then(|depth| self.labels.len().checked_sub(depth)?.checked_sub(1));
        self.plan.jumps_out |= place == Some(0);
        match place.and_then(|place| self.labels.get_mut(place)) {
            Some(label) => {
                label.target = true;
                Ok(label)
            }
            None => Err(invalid("the module jumps out of a function")),
        }
    }
}

/// What one instruction costs.
pub(super) fn cost(operator: &Operator<'_>) -> i64 {
    match operator {
        Operator::Nop
        | Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::Else
        | Operator::End
        | Operator::Drop
        | Operator::LocalGet { .. }
        | Operator::LocalSet { .. }
        | Operator::LocalTee { .. }
        | Operator::I32Const { .. }
        | Operator::I64Const { .. }
        | Operator::F32Const { .. }
        | Operator::F64Const { .. }
        | Operator::V128Const { .. } => 0,
        Operator::CallIndirect { .. } | Operator::ReturnCallIndirect { .. } => INDIRECT,
        _ => 1,
    }
}
