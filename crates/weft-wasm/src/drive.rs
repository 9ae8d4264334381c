//! What a module with WeaveDrive finds on Arweave: bytes under the paths that it opens.
//!
//! A module asks for a path in the middle of a message. What is not here yet ends that message with `file-wanted`, as if it had never
//! begun: whoever runs the module gets the bytes, proves what can be proved, puts them here, and begins the message anew. So a message
//! has all it reads before it comes to its end, and what it gives depends on nothing else.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Files by the paths that a module names, kept for as long as the process may go back to a message that read them: `/data/ID` the data of an item, `/block/HEIGHT` the JSON of a block, `/tx/ID` that of a
/// transaction with its `ownerAddress`, each as the gateways of the network's compute units give it. Cloning gives the same drive.
#[derive(Clone, Debug, Default)]
pub struct Drive {
    files: Rc<RefCell<BTreeMap<String, Entry>>>,
}

/// Bytes; none of what may not be read.
type Entry = Option<Rc<[u8]>>;

/// What a drive says of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    File(Rc<[u8]>),
    /// It may not be read.
    Refused,
    /// Nobody said.
    Unknown,
}

impl Drive {
    /// A drive that knows of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file here.
    pub fn put(&self, path: impl Into<String>, bytes: impl Into<Rc<[u8]>>) {
        self.files.borrow_mut().insert(path.into(), Some(bytes.into()));
    }

    /// Says that a path of `/data` is not available to the process: a message that opens it ends with `file-refused`, without a result.
    pub fn refuse(&self, path: impl Into<String>) {
        self.files.borrow_mut().insert(path.into(), None);
    }

    pub(crate) fn find(&self, path: &str) -> Found {
        match self.files.borrow().get(path) {
            Some(Some(bytes)) => Found::File(Rc::clone(bytes)),
            Some(None) => Found::Refused,
            None => Found::Unknown,
        }
    }
}
