//! Fraud proofs: two assignments of one scheduler for one slot.

use serde_json::Value;
use weft_codec::Id;
use weft_verify::{FRAUD_KIND, FraudProof, Untrusted};

use super::{Line, Report};

/// Whether a JSON value says that it is a fraud proof.
pub(super) fn is_one(value: &Value) -> bool {
    value.get("kind").is_some_and(|kind| kind == FRAUD_KIND)
}

/// One line: valid means that the signer is proved to have signed both; it says whether the process names that signer.
pub(super) fn verify(path: &str, json: &[u8], report: &mut Report<'_>) {
    let proof = match FraudProof::from_json(json) {
        Ok(proof) => proof,
        Err(error) => return report.push(&Line::refused(path, "fraud", error)),
    };
    let process: Id = proof.process;
    let result = weft_verify::fraud(Untrusted::new(proof, path));
    let said = result.as_ref().map_or_else(
        |_| String::new(),
        |fraud| {
            format!(
                "{} signed two assignments for slot {}: {}; {}",
                fraud.scheduler,
                fraud.slot,
                fraud.difference.sentence().trim_end_matches('.'),
                if fraud.named {
                    "the process names it as its scheduler"
                } else {
                    "that the process names it is not in the file"
                }
            )
        },
    );
    report.push(&Line::of(path, "fraud", Some(process), result, &said));
}
