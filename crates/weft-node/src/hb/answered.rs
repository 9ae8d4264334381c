//! What answers link to: nested messages of what was answered last, so that `/ID` finds what `key+link: ID` named.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use weft_codec::Id;
use weft_codec::message::Value;

/// The most that are held.
const MAX_HELD: usize = 2_000;

/// Values by id, the newest ones.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    held: RefCell<(BTreeMap<Id, Value>, VecDeque<Id>)>,
}

impl Answered {
    pub(crate) fn keep(&self, values: Vec<(Id, Value)>) {
        let (held, order) = &mut *self.held.borrow_mut();
        for (id, value) in values {
            if held.insert(id, value).is_none() {
                order.push_back(id);
            }
        }
        while order.len() > MAX_HELD {
            if let Some(oldest) = order.pop_front() {
                held.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, id: Id) -> Option<Value> {
        self.held.borrow().0.get(&id).cloned()
    }
}
