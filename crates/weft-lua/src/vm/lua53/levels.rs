//! Who called whom, as `error` and messages count it: the natives that wait for Lua are levels too.

use super::super::Vm;
use crate::syntax::lua53::short_name;

/// A level of the calls in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A function of Lua: the place of its frame.
    Lua(usize),
    /// A native.
    Native,
}

/// The name of the library's own chunk, whose functions count as natives.
pub(crate) const OWN_CHUNK: &str = "=[C]";

impl Vm {
    /// The function so many levels up; 1 called the native that runs.
    pub(crate) fn caller(&self, level: usize) -> Option<Caller> {
        let (mut floors, mut frames) = (self.floors.len(), self.frames.len());
        let mut at = 0;
        loop {
            let waits = floors.checked_sub(1).filter(|last| self.floors.get(*last) == Some(&frames));
            let found = if let Some(last) = waits {
                floors = last;
                Caller::Native
            } else {
                frames = frames.checked_sub(1)?;
                match self.frames.get(frames).and_then(|frame| frame.proto.as_ref()) {
                    None => Caller::Native,
                    Some(proto) if &*proto.chunk.name == OWN_CHUNK => continue,
                    Some(_) => Caller::Lua(frames),
                }
            };
            at += 1;
            if at >= level {
                return Some(found);
            }
        }
    }

    /// `chunk:line: ` of the function so many levels up; nothing for a native.
    pub(crate) fn position(&self, level: usize) -> String {
        match self.caller(level) {
            Some(Caller::Lua(frame)) => self.position_of(frame),
            _ => String::new(),
        }
    }

    pub(super) fn position_of(&self, frame: usize) -> String {
        match self.frames.get(frame).and_then(|frame| frame.proto.as_ref().map(|proto| (frame, proto))) {
            Some((frame, proto)) => {
                let line = proto.line_at(frame.pc.saturating_sub(1));
                format!("{}:{line}: ", short_name(&proto.chunk.name))
            }
            None => String::new(),
        }
    }

    /// What `debug.getinfo` tells of a level: the name of its chunk, the line it is on and the line it begins.
    pub(crate) fn frame_lines(&self, frame: usize) -> Option<(String, u32, u32)> {
        let frame = self.frames.get(frame)?;
        let proto = frame.proto.as_ref()?;
        let line = proto.line_at(frame.pc.saturating_sub(1));
        Some((proto.chunk.name.to_string(), line, proto.line))
    }
}
