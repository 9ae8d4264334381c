//! All tests of this folder in one program: linked once, and run beside each other. `cargo xtask tidy` sees that no file is
//! left out; `cargo test -p weft-verify --test all layer1::` runs those of one.

mod http_commitments;
mod http_live;
mod http_schedule;
mod layer1;
mod mutations;
mod padding;
mod properties;
mod rfc9421;
mod wycheproof;
