//! Files of WeaveDrive among the others.
//!
//! The reference reads the data of an item from a gateway, by ranges, and keeps what came beyond what was asked for. Its bookkeeping
//! shows: the length of such a file is a text in JavaScript, so a position at its end is one too, and adding to it appends digits. A
//! range that begins behind its end is ignored by a server (RFC 9110, 14.2), which then sends the whole; that is how `seek("end")`
//! followed by a read gives the file from its beginning. Blocks and transactions are small files, and are read from their beginning
//! whatever the position.

use serde::{Deserialize, Serialize};

use super::attributes::About;
use super::{Done, EINVAL, EIO, EMFILE, ENOSPC, Errno, Files, MAX_BYTES, MAX_NODES, Node, Stream};

/// Folders of a drive.
pub(crate) const DATA: &str = "/data";
pub(crate) const BLOCK: &str = "/block";
pub(crate) const TX: &str = "/tx";

/// Most bytes that are kept beyond what was asked for; also the least that is asked for.
const CACHE: u64 = 32 << 10;

/// Most digits of a position.
const MAX_DIGITS: usize = 18;

/// Permissions of a file that is read.
const MODE: u32 = 0o555;

/// A number or, after a look for the end, a text of digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Position {
    Number(u64),
    Text(String),
}

/// Where a reader of an item is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    position: Position,
    /// Where the last read ended.
    last: Option<Position>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { position: Position::Number(0), last: None }
    }
}

impl Position {
    fn value(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) if text.len() <= MAX_DIGITS => text.parse().ok(),
            Self::Text(_) => None,
        }
    }

    /// `position += count` of JavaScript.
    fn add(&mut self, count: u64) {
        match self {
            Self::Number(number) => *number = number.saturating_add(count),
            Self::Text(text) if text.len() <= MAX_DIGITS => text.push_str(&count.to_string()),
            Self::Text(_) => (),
        }
    }
}

impl Reading {
    /// As `llseek` of the reference's memory files, where the length is a text.
    pub(super) fn seek(&mut self, offset: i64, whence: i32, size: u64) -> Result<u64, Errno> {
        let position = match (whence, &self.position) {
            (0, _) => Position::Number(u64::try_from(offset).map_err(|_| EINVAL)?),
            (1, Position::Number(from)) => Position::Number(from.checked_add_signed(offset).ok_or(EINVAL)?),
            (1, Position::Text(text)) => {
                Position::Text(format!("{}{text}", u64::try_from(offset).map_err(|_| EINVAL)?))
            }
            (2, _) => Position::Text(format!("{}{size}", u64::try_from(offset).map_err(|_| EINVAL)?)),
            _ => return Err(EINVAL),
        };
        let value = position.value().ok_or(EIO)?;
        self.position = position;
        Ok(value)
    }
}

impl Files {
    /// Whether a descriptor is the data of an item.
    pub(crate) fn is_drive(&self, fd: i32) -> bool {
        let node = self.stream(fd).ok().and_then(|stream| self.nodes.get(&stream.node));
        matches!(node, Some(Node::Drive { .. }))
    }

    /// Opens a file of a drive, which is made if it is not there. How often the clock is read.
    pub(crate) fn open_drive(&mut self, folder: &str, path: &str, bytes: &[u8], now: u64) -> Done<i32> {
        let mut ticks = 0;
        if self.node(folder).is_none() {
            self.room()?;
            self.add(folder.to_owned(), Node::Directory);
            ticks += 1;
        }
        if self.node(path).is_none() {
            self.room()?;
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let (node, stamps) = match folder {
                DATA => (Node::Drive { size, cached: (0, 0) }, 1),
                // Made, let be written, emptied, written, let be read alone.
                _ if self.total_bytes().saturating_add(size) <= MAX_BYTES => {
                    (Node::File(bytes.to_vec()), if bytes.is_empty() { 4 } else { 5 })
                }
                _ => return Err(ENOSPC),
            };
            ticks += stamps;
            let id = self.add(path.to_owned(), node);
            let time = now.saturating_add(ticks).saturating_sub(1);
            self.about.insert(id, About { mode: MODE, time });
        }
        let (fd, _) = self.open(path, 0)?;
        // The reference takes this descriptor for none.
        if fd == 0 { Err(EMFILE) } else { Ok((fd, ticks)) }
    }

    fn room(&self) -> Result<(), Errno> {
        if self.nodes.len() >= MAX_NODES { Err(ENOSPC) } else { Ok(()) }
    }

    /// Reads: the pieces that are written one after the other, and what the module is told. `bytes` is the whole item. `None` if this is no
    /// file.
    pub(crate) fn read_drive(
        &mut self,
        fd: i32,
        length: u64,
        bytes: Option<&[u8]>,
    ) -> Option<(Vec<Vec<u8>>, u64)> {
        let Stream { node, drive, .. } = self.stream(fd).ok()?.clone();
        if let Node::File(content) = self.nodes.get(&node)? {
            let end = usize::try_from(length).unwrap_or(usize::MAX).min(content.len());
            return Some((vec![content.get(..end)?.to_vec()], length));
        }
        let (bytes, mut reading) = (bytes?, drive.unwrap_or_default());
        let Some(Node::Drive { cached, .. }) = self.nodes.get_mut(&node) else { return None };
        let (mut pieces, mut wanted) = (Vec::new(), length);
        // What is kept of another place is of no use.
        if reading.last.as_ref() != Some(&reading.position) {
            *cached = (0, 0);
        }
        let kept = wanted.min(cached.1.saturating_sub(cached.0));
        pieces.push(piece(bytes, cached.0, cached.0.saturating_add(kept)));
        cached.0 = cached.0.saturating_add(kept);
        wanted -= kept;
        reading.position.add(kept);
        if wanted > 0 {
            let (start, end) = range(&reading.position, wanted, bytes);
            let taken = wanted.min(end.saturating_sub(start));
            let at = start.saturating_add(taken);
            pieces.push(piece(bytes, start, at));
            if taken > 0 {
                reading.position.add(taken);
            }
            wanted -= taken;
            *cached = if wanted == 0 { (at, end.min(at.saturating_add(CACHE))) } else { (0, 0) };
        }
        reading.last = Some(reading.position.clone());
        self.stream_mut(fd).ok()?.drive = Some(reading);
        Some((pieces, length - wanted))
    }
}

fn piece(bytes: &[u8], start: u64, end: u64) -> Vec<u8> {
    let [start, end] = [start, end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
    bytes.get(start..end).unwrap_or_default().to_vec()
}

/// What a server sends for the range that the reference asks for.
fn range(position: &Position, wanted: u64, bytes: &[u8]) -> (u64, u64) {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let more = wanted.max(CACHE);
    let last = match position {
        Position::Number(number) => number.saturating_add(more).min(size),
        // A sum of a text and a number is longer than any file.
        Position::Text(text) => format!("{text}{more}").parse().unwrap_or(u64::MAX).min(size),
    };
    match position.value() {
        Some(first) if first >= size && first <= last => (0, 0),
        Some(first) if first <= last => (first, last.saturating_add(1).min(size)),
        _ => (0, size),
    }
}
