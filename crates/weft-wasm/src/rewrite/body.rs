//! One function, rewritten.
//!
//! Most functions hold the counter in a local while they run. It goes back into the global before whatever may look at it (a
//! call, a trap of the module's own making, the end), and is read again after a call. See [`Counter`] for the others. Where a
//! jump leads out of the function, the body becomes a block of its own, and all ways out lead through its end.

use wasm_encoder::{BlockType, Function, InstructionSink, ValType, reencode::Reencode};
use wasmparser::{FunctionBody, Operator};

use super::lanes;
use super::marks::{Mark, Marks};
use super::meter::{Counter, Plan, Point};
use super::nan::{self, Locals, Rule};
use super::undo::Helper;
use super::{Reencoded, Rewriter, invalid, user};

/// 2 to this many bytes are filled or copied for a unit of gas.
const BULK_SHIFT: i64 = 6;

/// Rewrites the function at this place among the module's own, of the type with this index.
pub(super) fn rewrite(
    rewriter: &mut Rewriter<'_>,
    at: usize,
    ty: u32,
    body: &FunctionBody<'_>,
) -> Reencoded<Function> {
    let plan = Plan::of(body, at, &rewriter.small).map_err(user)?;
    let marks = Marks::of(body, &rewriter.shape).map_err(user)?;
    let (locals, places) = places(rewriter, ty, body, &plan, &marks)?;
    let (counter, one_way_out) = (plan.counter, plan.counter == Counter::Local && plan.jumps_out);
    let function = Function::new(locals);
    let mut writer = Writer { rewriter, function, places, counter, one_way_out, depth: 0 };
    let mut points = plan.points.into_iter().peekable();
    writer.enter(points.next_if(|point| point.after == 0), ty);
    let mut operators = body.get_operators_reader()?;
    let (mut to_mark, mut to_keep) = (marks.marks.iter().peekable(), marks.kept.iter().peekable());
    let mut place = 0;
    while !operators.eof() {
        let start = operators.original_position();
        let operator = operators.read()?;
        place += 1;
        let bytes = writer.rewriter.slice(start..operators.original_position()).map_err(user)?;
        while let Some(mark) = to_mark.next_if(|mark| mark.before == place) {
            writer.mark(mark);
        }
        writer.operator(&operator, bytes);
        while let Some((_, local)) = to_keep.next_if(|(after, _)| *after == place) {
            writer.keep(*local);
        }
        if let Some(point) = points.next_if(|point| point.after == place) {
            writer.charge(point);
        }
    }
    Ok(writer.function)
}

/// Where our locals are.
struct Places {
    gas: u32,
    nan: Locals,
    /// The first of those for vectors.
    lanes: u32,
    /// A size of the memory's width.
    size: u32,
    /// A size of `memory.init`, which is 32 bits wide always.
    short: u32,
    /// What lies below a size: where from, by its width, and where to.
    from: u32,
    from_short: u32,
    to: u32,
    /// The first of the addresses that are kept for a mark, and the page of one.
    kept: u32,
    page: u32,
}

type Declared = Vec<(u32, ValType)>;

/// The function's locals with ours behind them.
fn places(
    rewriter: &mut Rewriter<'_>,
    ty: u32,
    body: &FunctionBody<'_>,
    plan: &Plan,
    marks: &Marks,
) -> Reencoded<(Declared, Places)> {
    let mut locals = Vec::new();
    let mut next = rewriter.shape.params(ty);
    let too_many = || user(invalid("a function has too many locals"));
    for local in body.get_locals_reader()? {
        let (count, ty) = local?;
        locals.push((count, rewriter.val_type(ty)?));
        next = next.checked_add(count).ok_or_else(too_many)?;
    }
    next.checked_add(marks.locals).and_then(|all| all.checked_add(24)).ok_or_else(too_many)?;
    let mut add = |count: u32, ty: ValType, wanted: bool| {
        let first = next;
        if wanted {
            locals.push((count, ty));
            next = next.saturating_add(count);
        }
        first
    };
    let width = if rewriter.shape.wide { ValType::I64 } else { ValType::I32 };
    let gas = add(1, ValType::I64, plan.counter != Counter::Free);
    let nan =
        Locals { floats: add(3, ValType::F32, plan.floats), doubles: add(3, ValType::F64, plan.doubles) };
    let lanes = add(lanes::LOCALS, ValType::V128, plan.lanes);
    let places = Places {
        gas,
        nan,
        lanes,
        size: add(1, width, plan.bulk),
        short: add(1, ValType::I32, plan.bulk),
        from: add(1, width, plan.bulk),
        from_short: add(1, ValType::I32, plan.bulk),
        to: add(1, width, plan.bulk),
        kept: add(marks.locals, width, marks.locals > 0),
        page: add(1, ValType::I32, !marks.marks.is_empty()),
    };
    Ok((locals, places))
}

struct Writer<'a, 'b> {
    rewriter: &'a Rewriter<'b>,
    function: Function,
    places: Places,
    counter: Counter,
    /// Whether the body is a block of its own.
    one_way_out: bool,
    /// Blocks of the function that are open.
    depth: u32,
}

impl Writer<'_, '_> {
    fn code(&mut self) -> InstructionSink<'_> {
        self.function.instructions()
    }

    /// The counter, back into the global.
    fn put(&mut self) {
        if self.counter == Counter::Local {
            let (local, global) = (self.places.gas, self.rewriter.gas());
            self.code().local_get(local).global_set(global);
        }
    }

    /// The counter, out of the global.
    fn take(&mut self) {
        if self.counter == Counter::Local {
            let (local, global) = (self.places.gas, self.rewriter.gas());
            self.code().global_get(global).local_set(local);
        }
    }

    fn enter(&mut self, entry: Option<Point>, ty: u32) {
        if self.counter == Counter::Local {
            let (local, global) = (self.places.gas, self.rewriter.gas());
            self.code().global_get(global);
            if let Some(point) = entry.filter(|point| point.cost > 0) {
                self.code().i64_const(point.cost).i64_sub();
            }
            self.code().local_set(local);
            if entry.is_some_and(|point| point.check) {
                self.check();
            }
        } else if let Some(point) = entry {
            self.charge(point);
        }
        if self.one_way_out {
            let results = self.rewriter.results(ty);
            self.code().block(results);
        }
    }

    fn charge(&mut self, point: Point) {
        if point.cost > 0 || (point.check && self.counter == Counter::Global) {
            self.spend(|writer| {
                writer.code().i64_const(point.cost);
            });
        }
        if point.check {
            self.check();
        }
    }

    /// Takes an amount from the counter, which is in the local afterwards.
    fn spend(&mut self, amount: impl FnOnce(&mut Self)) {
        let (local, global) = (self.places.gas, self.rewriter.gas());
        match self.counter {
            Counter::Global => self.code().global_get(global),
            _ => self.code().local_get(local),
        };
        amount(self);
        self.code().i64_sub();
        match self.counter {
            Counter::Global => self.code().local_tee(local).global_set(global),
            _ => self.code().local_set(local),
        };
    }

    /// Calls the host if there is no gas left.
    fn check(&mut self) {
        let (gas, host) = (self.places.gas, self.rewriter.out_of_gas());
        self.code().local_get(gas).i64_const(0).i64_lt_s().if_(BlockType::Empty);
        self.put();
        self.code().call(host);
        self.take();
        self.code().end();
    }

    fn operator(&mut self, operator: &Operator<'_>, bytes: &[u8]) {
        match operator {
            Operator::Call { function_index } => {
                let target = self.rewriter.function(*function_index);
                let counts = self.rewriter.small.cost(*function_index).is_none();
                if counts {
                    self.put();
                }
                self.code().call(target);
                if counts {
                    self.take();
                }
            }
            Operator::CallIndirect { .. } => {
                self.put();
                self.raw(bytes);
                self.take();
            }
            Operator::ReturnCall { function_index } => {
                let target = self.rewriter.function(*function_index);
                self.put();
                self.code().return_call(target);
            }
            Operator::ReturnCallIndirect { .. } | Operator::Unreachable => {
                self.put();
                self.raw(bytes);
            }
            Operator::RefFunc { function_index } => {
                let target = self.rewriter.function(*function_index);
                self.code().ref_func(target);
            }
            Operator::Return if self.one_way_out => {
                let depth = self.depth;
                self.code().br(depth);
            }
            Operator::Return => {
                self.put();
                self.raw(bytes);
            }
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.depth += 1;
                self.raw(bytes);
            }
            Operator::End => self.end(),
            Operator::MemoryFill { .. } => {
                self.bulk(self.places.size, self.places.from_short, self.rewriter.shape.wide, bytes);
            }
            Operator::MemoryCopy { .. } => {
                self.bulk(self.places.size, self.places.from, self.rewriter.shape.wide, bytes);
            }
            Operator::MemoryInit { .. } => {
                self.bulk(self.places.short, self.places.from_short, false, bytes);
            }
            Operator::MemoryGrow { .. } => self.grow(),
            _ => self.plain(operator, bytes),
        }
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.function.raw(bytes.iter().copied());
    }

    fn plain(&mut self, operator: &Operator<'_>, bytes: &[u8]) {
        let Some(rule) = Rule::of(operator) else { return self.vector(operator, bytes) };
        let (rewriter, locals) = (self.rewriter, self.places.nan);
        nan::before(&mut self.code(), rule, locals);
        self.raw(bytes);
        nan::after(&mut self.code(), rule, locals, |helper| rewriter.helper(helper));
    }

    fn vector(&mut self, operator: &Operator<'_>, bytes: &[u8]) {
        let Some(rule) = lanes::Rule::of(operator) else { return self.raw(bytes) };
        let (rewriter, first) = (self.rewriter, self.places.lanes);
        lanes::before(&mut self.code(), rule, first);
        self.raw(bytes);
        lanes::after(&mut self.code(), rule, first, |helper| rewriter.lanes_helper(helper));
    }

    fn end(&mut self) {
        if let Some(depth) = self.depth.checked_sub(1) {
            self.depth = depth;
        } else {
            if self.one_way_out {
                self.code().end();
            }
            self.put();
        }
        self.code().end();
    }

    /// Saves the page that is about to be written to.
    fn mark(&mut self, mark: &Mark) {
        let (undo, kept, page) = (self.rewriter.undo(), self.places.kept, self.places.page);
        undo.save(&mut self.code(), mark, kept, page);
    }

    /// Keeps an address that is on top of the stack.
    fn keep(&mut self, local: u32) {
        let local = self.places.kept.saturating_add(local);
        self.code().local_tee(local);
    }

    /// `memory.fill` and its like: the size is on top of the stack, below it what is written, and below that where to.
    fn bulk(&mut self, size: u32, from: u32, wide: bool, bytes: &[u8]) {
        self.code().local_set(size);
        self.spend(|writer| {
            writer.number(size, wide);
            writer.code().i64_const(BULK_SHIFT).i64_shr_u();
        });
        self.check();
        let (to, save) = (self.places.to, self.rewriter.undo().helper(Helper::Range));
        self.code().local_set(from).local_tee(to).local_get(to).local_get(size);
        if !wide && self.rewriter.shape.wide {
            self.code().i64_extend_i32_u();
        }
        self.code().call(save).local_get(from).local_get(size);
        self.raw(bytes);
    }

    /// The host grows the memory, and charges for it.
    fn grow(&mut self) {
        let host = self.rewriter.grow();
        self.put();
        self.code().call(host);
        self.take();
    }

    /// A size as 64 bits.
    fn number(&mut self, local: u32, wide: bool) {
        self.code().local_get(local);
        if !wide {
            self.code().i64_extend_i32_u();
        }
    }
}
