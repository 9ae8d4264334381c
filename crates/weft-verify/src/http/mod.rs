//! Signed HTTP messages: any by RFC 9421, and AO-Core messages with HyperBEAM's commitments.

mod answer;
mod commitment;
mod coverage;
mod hyperbeam;
pub mod rfc9421;
mod schedule;
mod signed_process;

pub use answer::{Answer, answer};
pub use commitment::{Committed, Held, Refused, commitments, signed_message};
pub use schedule::{ScheduleVerifier, SignedAssignment, schedule_page, signed_assignment, signed_fraud};
pub use signed_process::{SignedModule, SignedProcess, module_of_item, signed_module, signed_process};
