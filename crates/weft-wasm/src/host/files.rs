//! The files that a module sees: emscripten's memory file system, as far as an AO module reaches it.
//!
//! Files live in the instance, not in the process's memory: a new instance starts with none. Error numbers are WASI's,
//! as in emscripten. Each change reads the clock once, as the loader does to stamp the file, so the clock a module sees
//! depends on it. What is not here: random devices (their bytes would differ from node to node) and permissions.

mod attributes;
mod drive;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use attributes::About;
pub(crate) use attributes::Stat;
use drive::Reading;
pub(crate) use drive::{BLOCK, DATA, TX};

/// An error number of WASI.
pub(crate) type Errno = i32;

pub(crate) const EBADF: Errno = 8;
pub(crate) const EBUSY: Errno = 10;
pub(crate) const EEXIST: Errno = 20;
pub(crate) const EINVAL: Errno = 28;
pub(crate) const EIO: Errno = 29;
pub(crate) const EISDIR: Errno = 31;
pub(crate) const EMFILE: Errno = 33;
pub(crate) const ENOENT: Errno = 44;
pub(crate) const ENOSPC: Errno = 51;
pub(crate) const ENOTDIR: Errno = 54;
pub(crate) const ENOTEMPTY: Errno = 55;
pub(crate) const ENOTTY: Errno = 59;
pub(crate) const ENXIO: Errno = 6;
pub(crate) const ESPIPE: Errno = 70;

const O_ACCESS: i32 = 0o3;
const O_CREAT: i32 = 0o100;
const O_EXCL: i32 = 0o200;
const O_TRUNC: i32 = 0o1000;
const O_APPEND: i32 = 0o2000;
const O_DIRECTORY: i32 = 0o200_000;

/// Most bytes in all files, most files, most open ones: ours, so that a module cannot fill the machine.
const MAX_BYTES: u64 = 16 << 20;
const MAX_NODES: usize = 4_096;
const MAX_OPEN: usize = 4_096;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Node {
    Directory,
    File(Vec<u8>),
    /// The terminal: swallows what is written, never has anything to read.
    Terminal,
    /// `/dev/null`.
    Null,
    /// The data of an item on Arweave, which is not kept here; and which bytes of it the reference would have at hand.
    Drive {
        size: u64,
        cached: (u64, u64),
    },
}

/// One open descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) path: String,
    node: u32,
    pub(crate) flags: i32,
    pub(crate) position: u64,
    /// Where the reader of a [`Node::Drive`] is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drive: Option<Reading>,
}

/// The file system of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Files {
    names: BTreeMap<String, u32>,
    nodes: BTreeMap<u32, Node>,
    next_node: u32,
    streams: Vec<Option<Stream>>,
    /// Of nodes that were made or changed since the beginning.
    #[serde(default)]
    about: BTreeMap<u32, About>,
}

/// What an operation did: its result and how often it read the clock.
pub(crate) type Done<T> = Result<(T, u64), Errno>;

impl Files {
    /// The file system as the loader sets it up.
    pub(crate) fn new() -> Self {
        let mut files = Self {
            names: BTreeMap::new(),
            nodes: BTreeMap::new(),
            next_node: 1,
            streams: Vec::new(),
            about: BTreeMap::new(),
        };
        // In emscripten's order, for the numbers of the nodes.
        for path in ["/", "/tmp", "/home", "/home/web_user", "/dev"] {
            files.add(path.to_owned(), Node::Directory);
        }
        files.add("/dev/null".to_owned(), Node::Null);
        files.add("/dev/tty".to_owned(), Node::Terminal);
        files.add("/dev/tty1".to_owned(), Node::Terminal);
        // Its random devices.
        files.next_node += 2;
        for path in ["/dev/shm", "/dev/shm/tmp", "/proc", "/proc/self", "/proc/self/fd"] {
            files.add(path.to_owned(), Node::Directory);
        }
        // What it mounts there.
        files.next_node += 1;
        for path in ["/dev/stdin", "/dev/stdout", "/dev/stderr"] {
            files.add(path.to_owned(), Node::Terminal);
        }
        files.add("/data".to_owned(), Node::Directory);
        for (path, flags) in [("/dev/stdin", 0), ("/dev/stdout", 1), ("/dev/stderr", 1)] {
            let node = files.names.get(path).copied().unwrap_or_default();
            files.streams.push(Some(Stream { path: path.to_owned(), node, flags, position: 0, drive: None }));
        }
        files
    }

    /// Whether nothing was changed since [`Files::new`].
    pub(crate) fn untouched(&self) -> bool {
        *self == Self::new()
    }

    fn add(&mut self, path: String, node: Node) -> u32 {
        let id = self.next_node;
        self.next_node = self.next_node.saturating_add(1);
        self.nodes.insert(id, node);
        self.names.insert(path, id);
        id
    }

    fn node(&self, path: &str) -> Option<&Node> {
        self.names.get(path).and_then(|id| self.nodes.get(id))
    }

    /// The stream of a descriptor.
    pub(crate) fn stream(&self, fd: i32) -> Result<&Stream, Errno> {
        usize::try_from(fd).ok().and_then(|fd| self.streams.get(fd)).and_then(Option::as_ref).ok_or(EBADF)
    }

    /// The stream of a descriptor, to be changed.
    pub(crate) fn stream_mut(&mut self, fd: i32) -> Result<&mut Stream, Errno> {
        usize::try_from(fd).ok().and_then(|fd| self.streams.get_mut(fd)).and_then(Option::as_mut).ok_or(EBADF)
    }

    /// Whether a descriptor is the terminal.
    pub(crate) fn is_terminal(&self, fd: i32) -> Result<bool, Errno> {
        let node = self.stream(fd)?.node;
        Ok(matches!(self.nodes.get(&node), Some(Node::Terminal)))
    }

    /// Whether a descriptor is a directory.
    pub(crate) fn is_directory(&self, fd: i32) -> Result<bool, Errno> {
        let node = self.stream(fd)?.node;
        Ok(matches!(self.nodes.get(&node), Some(Node::Directory)))
    }

    fn place(&mut self, stream: Stream, at_least: usize) -> Result<i32, Errno> {
        let free = self.streams.iter().skip(at_least).position(Option::is_none);
        let fd = free.map_or_else(|| self.streams.len().max(at_least), |offset| at_least + offset);
        if fd >= MAX_OPEN {
            return Err(EMFILE);
        }
        if self.streams.len() <= fd {
            self.streams.resize(fd + 1, None);
        }
        if let Some(slot) = self.streams.get_mut(fd) {
            *slot = Some(stream);
        }
        i32::try_from(fd).map_err(|_| EMFILE)
    }

    /// Opens a file; `path` is absolute or relative to `/`.
    pub(crate) fn open(&mut self, path: &str, flags: i32) -> Done<i32> {
        if path.is_empty() {
            return Err(ENOENT);
        }
        let path = normalize(path);
        let mut ticks = 0;
        match self.node(&path) {
            Some(_) if flags & O_CREAT != 0 && flags & O_EXCL != 0 => return Err(EEXIST),
            Some(Node::Directory) if flags & O_ACCESS != 0 || flags & O_TRUNC != 0 => return Err(EISDIR),
            Some(node) if flags & O_DIRECTORY != 0 && *node != Node::Directory => return Err(ENOTDIR),
            Some(Node::File(_)) if flags & O_TRUNC != 0 => ticks += 1,
            Some(_) => (),
            None if flags & O_CREAT != 0 => {
                self.parent(&path)?;
                if self.nodes.len() >= MAX_NODES {
                    return Err(ENOSPC);
                }
                self.add(path.clone(), Node::File(Vec::new()));
                ticks += 1;
            }
            None => return Err(ENOENT),
        }
        let node = self.names.get(&path).copied().ok_or(ENOENT)?;
        if let (true, Some(Node::File(bytes))) = (flags & O_TRUNC != 0, self.nodes.get_mut(&node)) {
            bytes.clear();
        }
        let flags = flags & !(O_EXCL | O_TRUNC | 0o400_000);
        Ok((self.place(Stream { path, node, flags, position: 0, drive: None }, 0)?, ticks))
    }

    fn parent(&self, path: &str) -> Result<(), Errno> {
        match self.node(parent(path)) {
            Some(Node::Directory) => Ok(()),
            Some(_) => Err(ENOTDIR),
            None => Err(ENOENT),
        }
    }

    /// Closes a descriptor.
    pub(crate) fn close(&mut self, fd: i32) -> Result<(), Errno> {
        self.stream(fd)?;
        if let Some(slot) = usize::try_from(fd).ok().and_then(|fd| self.streams.get_mut(fd)) {
            *slot = None;
        }
        self.collect();
        Ok(())
    }

    /// Drops files that have neither a name nor a stream.
    fn collect(&mut self) {
        let (names, streams) = (&self.names, &self.streams);
        self.nodes.retain(|id, node| {
            !matches!(node, Node::File(_) | Node::Drive { .. })
                || names.values().any(|named| named == id)
                || streams.iter().flatten().any(|stream| stream.node == *id)
        });
        self.about.retain(|id, _| self.nodes.contains_key(id));
    }

    /// Duplicates a descriptor to the lowest free one from `at_least`.
    pub(crate) fn duplicate(&mut self, fd: i32, at_least: i32) -> Result<i32, Errno> {
        let stream = self.stream(fd)?.clone();
        self.place(stream, usize::try_from(at_least).map_err(|_| EINVAL)?)
    }

    /// Duplicates a descriptor to exactly `to`, closing what was there.
    pub(crate) fn duplicate_to(&mut self, fd: i32, to: i32) -> Result<i32, Errno> {
        let stream = self.stream(fd)?.clone();
        let index = usize::try_from(to).map_err(|_| EINVAL)?;
        if index >= MAX_OPEN {
            return Err(EMFILE);
        }
        if let Some(slot) = self.streams.get_mut(index) {
            *slot = None;
        }
        self.place(stream, index)
    }

    /// Reads up to `len` bytes at the stream's position.
    pub(crate) fn read(&mut self, fd: i32, len: usize) -> Result<Vec<u8>, Errno> {
        let stream = self.stream(fd)?;
        if stream.flags & O_ACCESS == 1 {
            return Err(EBADF);
        }
        let position = usize::try_from(stream.position).map_err(|_| EINVAL)?;
        let bytes = match self.nodes.get(&stream.node) {
            Some(Node::Directory) => return Err(EISDIR),
            Some(Node::Terminal) => return Err(ENXIO),
            Some(Node::File(bytes)) => {
                let end = position.saturating_add(len).min(bytes.len());
                bytes.get(position..end).unwrap_or_default().to_vec()
            }
            // Its content is nobody's to read but by the drive.
            Some(Node::Drive { .. }) => return Err(EIO),
            Some(Node::Null) | None => Vec::new(),
        };
        let read = u64::try_from(bytes.len()).map_err(|_| EIO)?;
        self.stream_mut(fd)?.position += read;
        Ok(bytes)
    }

    /// Writes at the stream's position, or at the end of a stream opened to append.
    pub(crate) fn write(&mut self, fd: i32, data: &[u8]) -> Done<u64> {
        let total = self.total_bytes();
        let stream = self.stream(fd)?.clone();
        if stream.flags & O_ACCESS == 0 {
            return Err(EBADF);
        }
        let len = u64::try_from(data.len()).map_err(|_| EIO)?;
        let mut position = stream.position;
        let mut ticks = 0;
        match self.nodes.get_mut(&stream.node) {
            Some(Node::Directory) => return Err(EISDIR),
            Some(Node::Drive { .. }) => return Err(EIO),
            Some(Node::Terminal) => ticks = u64::from(len > 0),
            Some(Node::File(bytes)) if len > 0 => {
                let old = u64::try_from(bytes.len()).map_err(|_| EIO)?;
                if stream.flags & O_APPEND != 0 {
                    position = old;
                }
                let end = position.checked_add(len).ok_or(ENOSPC)?.max(old);
                if end - old + total > MAX_BYTES {
                    return Err(ENOSPC);
                }
                let start = usize::try_from(position).map_err(|_| ENOSPC)?;
                bytes.resize(usize::try_from(end).map_err(|_| ENOSPC)?, 0);
                if let Some(to) = bytes.get_mut(start..start + data.len()) {
                    to.copy_from_slice(data);
                }
                ticks = 1;
            }
            Some(Node::File(_) | Node::Null) | None => (),
        }
        self.stream_mut(fd)?.position = position + len;
        Ok((len, ticks))
    }

    fn total_bytes(&self) -> u64 {
        let sizes = self.nodes.values().map(|node| match node {
            Node::File(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            _ => 0,
        });
        sizes.fold(0, u64::saturating_add)
    }

    /// Moves the position of a stream; gives the new one.
    pub(crate) fn seek(&mut self, fd: i32, offset: i64, whence: i32) -> Result<u64, Errno> {
        let stream = self.stream(fd)?;
        if let Some(Node::Drive { size, .. }) = self.nodes.get(&stream.node) {
            let mut reading = stream.drive.clone().unwrap_or_default();
            let position = reading.seek(offset, whence, *size)?;
            self.stream_mut(fd)?.drive = Some(reading);
            return Ok(position);
        }
        let size = match self.nodes.get(&stream.node) {
            Some(Node::File(bytes)) => i64::try_from(bytes.len()).map_err(|_| EINVAL)?,
            Some(Node::Directory) => 0,
            _ => return Err(ESPIPE),
        };
        let from = match whence {
            0 => 0,
            1 => i64::try_from(stream.position).map_err(|_| EINVAL)?,
            2 => size,
            _ => return Err(EINVAL),
        };
        let position = from.checked_add(offset).and_then(|sum| u64::try_from(sum).ok()).ok_or(EINVAL)?;
        self.stream_mut(fd)?.position = position;
        Ok(position)
    }

    /// Removes a file, or with `directory` an empty directory.
    pub(crate) fn remove(&mut self, path: &str, directory: bool) -> Done<()> {
        let path = normalize(path);
        let node = self.node(&path).ok_or(ENOENT)?;
        let is_directory = *node == Node::Directory;
        match (directory, is_directory) {
            (true, false) => return Err(ENOTDIR),
            (false, true) => return Err(EISDIR),
            (true, true) if path == "/" || path == "/proc/self/fd" => return Err(EBUSY),
            (true, true) if self.names.keys().any(|name| parent(name) == path) => return Err(ENOTEMPTY),
            _ => (),
        }
        self.names.remove(&path);
        self.collect();
        Ok(((), 1))
    }

    /// Renames a file or directory.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Done<()> {
        let (from, to) = (normalize(from), normalize(to));
        let node = *self.names.get(&from).ok_or(ENOENT)?;
        self.parent(&to)?;
        if from == to {
            return Ok(((), 0));
        }
        if from == "/" || under(&to, &from) {
            return Err(EINVAL);
        }
        let is_directory = self.node(&from) == Some(&Node::Directory);
        match self.node(&to) {
            Some(Node::Directory) if !is_directory => return Err(EISDIR),
            Some(Node::Directory) if self.names.keys().any(|name| parent(name) == to) => {
                return Err(ENOTEMPTY);
            }
            Some(other) if is_directory && *other != Node::Directory => return Err(ENOTDIR),
            _ => (),
        }
        self.names.remove(&from);
        self.names.insert(to.clone(), node);
        let moved: Vec<String> = self.names.keys().filter(|name| under(name, &from)).cloned().collect();
        for name in moved {
            if let Some(id) = self.names.remove(&name) {
                self.names.insert(format!("{to}{}", name.get(from.len()..).unwrap_or_default()), id);
            }
        }
        self.collect();
        Ok(((), 1))
    }

    /// Reads a link; there are none that a module could read.
    pub(crate) fn read_link(&self, path: &str) -> Errno {
        if self.node(&normalize(path)).is_some() { EINVAL } else { ENOENT }
    }
}

fn under(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) if path.len() > 1 => "/",
        Some(0) | None => "",
        Some(at) => path.get(..at).unwrap_or_default(),
    }
}

/// An absolute path without `.`, `..` and doubled slashes.
fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => (),
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_read_and_removed() {
        let mut files = Files::new();
        assert_eq!(files.open("/tmp/x", 0), Err(ENOENT));
        let (fd, ticks) = files.open("/tmp/x", O_CREAT | O_EXCL | 2).unwrap();
        assert_eq!((fd, ticks), (3, 1));
        assert_eq!(files.write(fd, b"hello"), Ok((5, 1)));
        assert_eq!(files.seek(fd, -4, 1), Ok(1));
        assert_eq!(files.read(fd, 3), Ok(b"ell".to_vec()));
        assert_eq!(files.seek(fd, -1, 0), Err(EINVAL));
        assert_eq!(files.open("/tmp/x", O_CREAT | O_EXCL), Err(EEXIST));
        assert_eq!(files.remove("/tmp/../tmp/./x", false), Ok(((), 1)));
        assert_eq!(files.write(fd, b"still open"), Ok((10, 1)));
        assert_eq!(files.close(fd), Ok(()));
        assert_eq!(files.close(fd), Err(EBADF));
        assert!(files.open("/tmp/x", 0).is_err());
    }

    #[test]
    fn directories_are_kept_apart_from_files() {
        let mut files = Files::new();
        assert_eq!(files.remove("/tmp", false), Err(EISDIR));
        assert_eq!(files.remove("/home", true), Err(ENOTEMPTY));
        assert_eq!(files.remove("/tmp", true), Ok(((), 1)));
        assert_eq!(files.rename("/data", "/data/inside"), Err(EINVAL));
        assert_eq!(files.rename("/home", "/houses"), Ok(((), 1)));
        assert!(files.node("/houses/web_user").is_some() && files.node("/home/web_user").is_none());
    }

    #[test]
    fn space_is_bounded() {
        let mut files = Files::new();
        let (fd, _) = files.open("/tmp/x", O_CREAT | 2).unwrap();
        assert_eq!(files.seek(fd, 1 << 40, 0), Ok(1 << 40));
        assert_eq!(files.write(fd, b"x"), Err(ENOSPC));
        let opened = (0..2 * MAX_OPEN).filter(|_| files.open("/dev/null", 0).is_ok()).count();
        assert_eq!(opened, MAX_OPEN - 4);
    }

    #[test]
    fn the_terminal_swallows_and_gives_nothing() {
        let mut files = Files::new();
        assert_eq!(files.write(1, b"hi\n"), Ok((3, 1)));
        assert_eq!(files.write(1, b""), Ok((0, 0)));
        assert_eq!(files.write(0, b"hi"), Err(EBADF));
        assert_eq!(files.read(0, 1), Err(ENXIO));
        assert_eq!(files.seek(1, 0, 0), Err(ESPIPE));
        assert!(!files.untouched());
    }
}
