//! Coroutines, while they do not run.

use super::Heap;
use crate::value::{ThreadId, Value};
use crate::vm::{Status, Thread};

impl Heap {
    pub(crate) fn new_thread(&mut self, thread: Thread) -> ThreadId {
        self.used += thread.size();
        match self.free_threads.pop() {
            Some(index) => {
                self.threads[index as usize] = Some(thread);
                ThreadId(index)
            }
            None => {
                self.threads.push(Some(thread));
                ThreadId(u32::try_from(self.threads.len() - 1).unwrap_or(u32::MAX))
            }
        }
    }

    pub(crate) fn thread(&self, id: ThreadId) -> Option<&Thread> {
        self.threads.get(id.index()).and_then(Option::as_ref)
    }

    /// The thread's parts go to the machine; something is left in their place, which the thread is counted by.
    pub(crate) fn take_thread(&mut self, id: ThreadId) -> Thread {
        let blank = Thread::new(Value::Nil, Status::Running);
        match self.threads.get_mut(id.index()) {
            Some(Some(thread)) => {
                let thread = std::mem::replace(thread, blank);
                self.used = self.used.saturating_sub(thread.size());
                self.used += self.thread(id).map_or(0, Thread::size);
                thread
            }
            _ => blank,
        }
    }

    /// The thread's parts come back from the machine.
    pub(crate) fn put_thread(&mut self, id: ThreadId, thread: Thread) {
        if let Some(Some(place)) = self.threads.get_mut(id.index()) {
            let (before, after) = (place.size(), thread.size());
            *place = thread;
            self.used = self.used.saturating_sub(before) + after;
        }
    }
}
