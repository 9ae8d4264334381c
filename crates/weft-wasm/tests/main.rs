//! All tests of this folder in one program: linked once, and run beside each other. `cargo xtask tidy` sees that no file is
//! left out; `cargo test -p weft-wasm --test all slices::` runs those of one.

mod emscripten;
mod plain;
mod pure;
mod rewrite;
mod slices;
