//! All tests of this folder in one program: linked once, and run beside each other. `cargo xtask tidy` sees that no file is
//! left out; `cargo test -p weft-tests --test all history::` runs those of one.

weft_tests::in_browser!();

mod aocore;
mod check;
mod contracts;
mod corpus;
mod demo;
mod differential;
mod engines;
mod exceptions;
mod fraud;
mod functions;
mod fuzz_seeds;
mod history;
mod history_mutations;
mod inclusion;
mod lua_demo;
mod lua_modules;
mod lua_network;
mod lua_processes;
mod network;
mod network_blocks;
mod network_rebuild;
mod network_upload;
mod node_ahead;
mod node_fraud;
mod node_heads;
mod node_inclusion;
mod node_location;
mod node_processes;
mod node_rebuild;
mod node_referee;
mod node_scores;
mod node_signed;
mod node_sources;
mod node_sync;
mod receipts;
mod referee;
mod spec;
mod stage;
mod tampering;
mod units;
mod units_long;
mod vectors;
mod vectors_hyperbeam;
mod verdicts;
