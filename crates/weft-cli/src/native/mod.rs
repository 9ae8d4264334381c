//! The native side of the seams: a store in a file, the network by HTTP, the machine's clock. Keys are in
//! [`crate::keys`].

mod clock;
mod fetch;
mod store;

pub use clock::NativeClock;
pub use fetch::NativeFetch;
pub use store::FileStore;
