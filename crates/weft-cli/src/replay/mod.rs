//! `weft replay`: runs a process's history again on this machine.

pub mod module;
pub mod process;
