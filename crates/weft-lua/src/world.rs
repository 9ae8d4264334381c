//! What lies outside of a script: time, chance, files, and who reads what it prints. A host gives it; a replay cannot know
//! it.

use crate::vm::Vm;

/// The world a script can ask about. Whatever it asks makes its outcome depend on more than its input, and is noted.
pub trait World {
    /// The time since 1970, in microseconds.
    fn now(&mut self) -> u64;

    /// The time since some beginning, in milliseconds: by the wall, or what the processor spent.
    fn clock(&mut self, processor: bool) -> u64;

    /// A number nobody can guess, to seed the generator of a script that did not.
    fn entropy(&mut self) -> u64;

    /// A file's content, if the script may read it.
    fn read(&mut self, path: &str) -> Option<Vec<u8>>;

    /// A variable of the environment, if the script may know it.
    fn variable(&mut self, name: &str) -> Option<Vec<u8>>;
}

/// No world: time stands still at its beginning, chance always falls the same way, and there is nothing to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl World for Nowhere {
    fn now(&mut self) -> u64 {
        0
    }

    fn clock(&mut self, _processor: bool) -> u64 {
        0
    }

    fn entropy(&mut self) -> u64 {
        0
    }

    fn read(&mut self, _path: &str) -> Option<Vec<u8>> {
        None
    }

    fn variable(&mut self, _name: &str) -> Option<Vec<u8>> {
        None
    }
}

impl Vm {
    /// Gives scripts a world to ask about.
    pub fn set_world(&mut self, world: impl World + 'static) {
        self.world = Box::new(world);
    }

    /// What scripts have printed since this was last asked.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Bytes of memory that may still be taken.
    pub(crate) fn memory_left(&self) -> usize {
        self.limits.memory.saturating_sub(self.memory())
    }
}
