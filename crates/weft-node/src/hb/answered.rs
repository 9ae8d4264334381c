//! What answers link to: nested messages of what was answered last, so that `/ID` finds what `key+link: ID` named. And states of
//! older slots, which are dear.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use weft_codec::Id;
use weft_codec::message::{Message, Value};

/// The most that are held.
const MAX_HELD: usize = 2_000;

/// The most states of older slots.
const MAX_STATES: usize = 32;

/// Values by id, the newest ones.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    held: RefCell<(BTreeMap<Id, Value>, VecDeque<Id>)>,
    states: RefCell<VecDeque<(Id, u64, Message)>>,
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

    pub(crate) fn keep_state(&self, process: Id, slot: u64, state: Message) {
        let states = &mut *self.states.borrow_mut();
        states.push_back((process, slot, state));
        if states.len() > MAX_STATES {
            states.pop_front();
        }
    }

    pub(crate) fn state(&self, process: Id, slot: u64) -> Option<Message> {
        let states = self.states.borrow();
        states.iter().find(|(of, at, _)| (*of, *at) == (process, slot)).map(|(_, _, state)| state.clone())
    }
}
