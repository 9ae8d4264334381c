//! All tests of this folder in one program: linked once, and run beside each other. `cargo xtask tidy` sees that no file is
//! left out; `cargo test -p weft-codec --test all messages::` runs those of one.

mod error_codes;
mod limits;
mod message_properties;
mod messages;
mod properties;
mod structured_fields;
