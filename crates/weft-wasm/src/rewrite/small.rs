//! Functions so small that whoever calls them pays for them.
//!
//! Getters, comparisons, hashes of one value: counting in each of these took longer than some of them take. A function is
//! small if it goes through at most [`MOST`] units whatever way it takes, without a loop: it calls small functions alone. A direct
//! call of it costs all of it, and the counter stays where it is. An indirect call cannot know whom it meets; its price is
//! between a small function's least and most.

use wasmparser::{FunctionBody, Operator, Parser, Payload};
use weft_codec::Result;

use super::lanes::Rule;
use super::meter;
use super::unreadable;

/// Most units of gas that a small function costs, with those that it calls.
const MOST: i64 = 32;

/// How deep small functions may call each other.
const DEEPEST: usize = 8;

/// What the small ones among a module's own functions cost.
#[derive(Default)]
pub(super) struct Small {
    imports: u32,
    costs: Vec<Option<i64>>,
    /// Whether the module has operations on vectors that may give NaN.
    pub(super) lanes: bool,
}

/// A function that may be small.
struct Candidate {
    /// Its place among the module's own.
    at: usize,
    /// What it costs without those that it calls.
    cost: i64,
    calls: Vec<u32>,
}

impl Small {
    /// Reads the functions of a module.
    ///
    /// # Errors
    /// `module-invalid`.
    pub(super) fn read(module: &[u8], imports: u32) -> Result<Self> {
        let (mut small, mut candidates) = (Self { imports, ..Self::default() }, Vec::new());
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::CodeSectionEntry(body) = payload.map_err(unreadable)? {
                candidates.extend(candidate(small.costs.len(), &body, &mut small.lanes)?);
                small.costs.push(None);
            }
        }
        for _ in 0..DEEPEST {
            let found: Vec<(usize, i64)> = candidates
                .iter()
                .filter_map(|candidate| Some((candidate.at, small.sum(candidate)?)))
                .collect();
            if found.is_empty() {
                break;
            }
            for (at, cost) in found {
                if let Some(place) = small.costs.get_mut(at) {
                    *place = Some(cost);
                }
            }
            candidates.retain(|candidate| small.own(candidate.at).is_none());
        }
        Ok(small)
    }

    /// What it costs with those that it calls, if they are small, and it too.
    fn sum(&self, candidate: &Candidate) -> Option<i64> {
        let sum =
            candidate.calls.iter().try_fold(candidate.cost, |sum, callee| Some(sum + self.cost(*callee)?));
        sum.filter(|sum| *sum <= MOST)
    }

    /// What the function at this place among the module's own costs, if it is small.
    pub(super) fn own(&self, at: usize) -> Option<i64> {
        self.costs.get(at).copied().flatten()
    }

    /// What a function of the original's index costs, if it is small.
    pub(super) fn cost(&self, function: u32) -> Option<i64> {
        self.own(usize::try_from(function.checked_sub(self.imports)?).ok()?)
    }
}

/// The function, if it may be small; notes on the way whether it has operations on vectors that may give NaN.
fn candidate(at: usize, body: &FunctionBody<'_>, lanes: &mut bool) -> Result<Option<Candidate>> {
    let (mut candidate, mut small) = (Candidate { at, cost: 0, calls: Vec::new() }, true);
    let mut operators = body.get_operators_reader().map_err(unreadable)?;
    while !operators.eof() {
        let operator = operators.read().map_err(unreadable)?;
        *lanes |= Rule::of(&operator).is_some();
        if !small {
            continue;
        }
        candidate.cost += meter::cost(&operator);
        match operator {
            Operator::Call { function_index } => candidate.calls.push(function_index),
            // What may take long, or has to put the counter back first.
            Operator::Loop { .. }
            | Operator::CallIndirect { .. }
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::Unreachable
            | Operator::MemoryGrow { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryInit { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. } => small = false,
            _ => (),
        }
        small &= candidate.cost <= MOST;
        if !small && *lanes {
            return Ok(None);
        }
    }
    Ok(small.then_some(candidate))
}
