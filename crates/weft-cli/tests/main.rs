//! All tests of this folder in one program: linked once, and run beside each other. `cargo xtask tidy` sees that no file is
//! left out; `cargo test -p weft-cli --test all verify::` runs those of one.

mod check;
mod lua;
mod lua_process;
mod replay;
mod replay_module;
mod replay_node;
mod verify;
mod verify_exchanges;
