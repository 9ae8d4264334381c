//! A fraud proof on its way to the page: proved, with both assignments as a person compares them. The shape is
//! `FraudCard` of web/js/types.ts.

use serde::Serialize;
use weft_codec::ao::Assignment;
use weft_codec::{Address, Id, Result};
use weft_verify::{Difference, FraudProof, Untrusted};

#[derive(Serialize)]
pub(crate) struct FraudCard {
    scheduler: Address,
    process: Id,
    slot: u64,
    difference: Difference,
    sentence: &'static str,
    first: Side,
    second: Side,
    named: bool,
}

#[derive(Serialize)]
struct Side {
    assignment: Id,
    message: Id,
    timestamp: u64,
    block_height: u64,
    hash_chain: Id,
}

impl Side {
    fn of(assignment: &Assignment) -> Self {
        Self {
            assignment: assignment.id,
            // Slot 0 of a boot loader's process is the process itself.
            message: assignment.message.unwrap_or(assignment.process),
            timestamp: assignment.timestamp,
            block_height: assignment.block_height,
            hash_chain: Id(assignment.hash_chain),
        }
    }
}

/// Proves the file. Errors: those of [`FraudProof::from_json`] and of [`weft_verify::fraud`].
pub(crate) fn card(file: &[u8]) -> Result<FraudCard> {
    let proof = FraudProof::from_json(file)?;
    let fraud = weft_verify::fraud(Untrusted::new(proof, "the file"))?;
    Ok(FraudCard {
        scheduler: fraud.scheduler.clone(),
        process: fraud.process,
        slot: fraud.slot,
        difference: fraud.difference,
        sentence: fraud.difference.sentence(),
        first: Side::of(&fraud.first),
        second: Side::of(&fraud.second),
        named: fraud.named,
    })
}
