//! What `stat` and its like say of a file.
//!
//! Nodes have the numbers that emscripten gives them, since a program may keep them (SQLite does). The times of what was there before
//! the program began are 0: in the loader they are the host's.

use serde::{Deserialize, Serialize};

use super::{
    Done, EBADF, EEXIST, EINVAL, EISDIR, ENOENT, ENOSPC, Errno, Files, MAX_BYTES, MAX_NODES, Node, O_ACCESS,
    normalize,
};

/// Kinds of files in a mode.
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const DEVICE: u32 = 0o020_000;

/// What is kept of a node beside its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// Permissions.
    pub(super) mode: u32,
    /// When it was changed, by the module's clock.
    pub(super) time: u64,
}

/// The answer of `stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) dev: u32,
    pub(crate) mode: u32,
    pub(crate) rdev: u32,
    pub(crate) size: u64,
    pub(crate) time: u64,
    pub(crate) ino: u32,
}

impl Files {
    fn id(&self, path: &str) -> Result<u32, Errno> {
        if path.is_empty() {
            return Err(ENOENT);
        }
        self.names.get(&normalize(path)).copied().ok_or(ENOENT)
    }

    fn about(&self, id: u32) -> About {
        let usual = match self.nodes.get(&id) {
            Some(Node::Directory) => 0o777,
            Some(Node::File(_)) => 0o666,
            _ => 0o666,
        };
        self.about.get(&id).copied().unwrap_or(About { mode: usual, time: 0 })
    }

    /// What is known of a path.
    pub(crate) fn stat(&self, path: &str) -> Result<Stat, Errno> {
        let ino = self.id(path)?;
        let About { mode, time } = self.about(ino);
        let (kind, size) = match self.nodes.get(&ino) {
            Some(Node::Directory) => (DIRECTORY, 4_096),
            Some(Node::File(bytes)) => (REGULAR, u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Some(Node::Drive { size, .. }) => (REGULAR, *size),
            _ => (DEVICE, 0),
        };
        // As emscripten numbers its devices: null, tty, and tty1 where standard error goes.
        let rdev = match (kind == DEVICE, self.nodes.get(&ino)) {
            (true, Some(Node::Null)) => 0x103,
            (true, _) if matches!(normalize(path).as_str(), "/dev/tty1" | "/dev/stderr") => 0x600,
            (true, _) => 0x500,
            (false, _) => 0,
        };
        let dev = if kind == DEVICE { ino } else { 1 };
        Ok(Stat { dev, mode: kind | mode, rdev, size, time, ino })
    }

    /// What is known of what a descriptor was opened by.
    pub(crate) fn stat_open(&self, fd: i32) -> Result<Stat, Errno> {
        self.stat(&self.stream(fd)?.path)
    }

    /// Whether a path may be read (4), written (2) and run (1).
    pub(crate) fn access(&self, path: &str, asked: i32) -> Result<(), Errno> {
        const NO: Errno = 2;
        let mode = self.about(self.id(path)?).mode;
        let lacks = |bit: i32, any: u32| asked & bit != 0 && mode & any == 0;
        if lacks(4, 0o444) || lacks(2, 0o222) || lacks(1, 0o111) { Err(NO) } else { Ok(()) }
    }

    /// A file was created with these permissions, or changed.
    pub(crate) fn created(&mut self, fd: i32, mode: u32, now: u64) {
        if let Ok(node) = self.stream(fd).map(|stream| stream.node)
            && let Some(Node::File(_)) = self.nodes.get(&node)
        {
            self.about.insert(node, About { mode: mode & 0o7777, time: now });
        }
    }

    /// What a descriptor is of was changed.
    pub(crate) fn changed(&mut self, fd: i32, now: u64) {
        if let Ok(node) = self.stream(fd).map(|stream| stream.node)
            && let Some(Node::File(_)) = self.nodes.get(&node)
        {
            let about = self.about(node);
            self.about.insert(node, About { time: now, ..about });
        }
    }

    /// Sets permissions, or the time alone.
    pub(crate) fn set(&mut self, path: &str, mode: Option<u32>, now: u64) -> Done<()> {
        let id = self.id(path)?;
        let about = self.about(id);
        let mode = mode.map_or(about.mode, |mode| mode & 0o7777);
        self.about.insert(id, About { mode, time: now });
        Ok(((), 1))
    }

    /// The same of what a descriptor is of.
    pub(crate) fn set_open(&mut self, fd: i32, mode: Option<u32>, now: u64) -> Done<()> {
        let path = self.stream(fd)?.path.clone();
        self.set(&path, mode, now)
    }

    /// Makes a directory.
    pub(crate) fn make_directory(&mut self, path: &str, mode: u32, now: u64) -> Done<()> {
        let path = normalize(path);
        if self.names.contains_key(&path) {
            return Err(EEXIST);
        }
        self.parent(&path)?;
        if self.nodes.len() >= MAX_NODES {
            return Err(ENOSPC);
        }
        let id = self.add(path, Node::Directory);
        self.about.insert(id, About { mode: mode & 0o1777, time: now });
        Ok(((), 1))
    }

    /// Cuts or extends a file.
    pub(crate) fn truncate(&mut self, fd: i32, len: i64, now: u64) -> Done<()> {
        let others = self.total_bytes();
        let stream = self.stream(fd)?;
        let (node, writes) = (stream.node, stream.flags & O_ACCESS != 0);
        if !writes {
            return Err(EINVAL);
        }
        let len = u64::try_from(len).map_err(|_| EINVAL)?;
        match self.nodes.get_mut(&node) {
            Some(Node::Directory) => Err(EISDIR),
            Some(Node::File(bytes)) => {
                let old = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                if others.saturating_sub(old).saturating_add(len) > MAX_BYTES {
                    return Err(ENOSPC);
                }
                bytes.resize(usize::try_from(len).map_err(|_| ENOSPC)?, 0);
                self.changed(fd, now);
                Ok(((), 1))
            }
            Some(_) => Err(EINVAL),
            None => Err(EBADF),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_is() {
        let mut files = Files::new();
        let (fd, _) = files.open("/tmp/x", 0o102).unwrap();
        files.created(fd, 0o640, 10_004);
        files.write(fd, b"hello").unwrap();
        // The first node that a program makes has the number 21 in emscripten.
        let stat = Stat { dev: 1, mode: 0o100_640, rdev: 0, size: 5, time: 10_004, ino: 21 };
        assert_eq!((files.stat("/tmp/x"), files.stat_open(fd)), (Ok(stat), Ok(stat)));
        assert_eq!(files.truncate(fd, 2, 10_006), Ok(((), 1)));
        assert_eq!(files.stat("/tmp/x"), Ok(Stat { size: 2, time: 10_006, ..stat }));
        assert_eq!(files.truncate(fd, i64::MAX, 0), Err(ENOSPC));
        assert_eq!((files.access("/tmp/x", 6), files.access("/tmp/x", 1)), (Ok(()), Err(2)));
        assert_eq!(files.make_directory("/tmp/d", 0o755, 0), Ok(((), 1)));
        assert_eq!(files.make_directory("/tmp/d", 0o755, 0), Err(EEXIST));
        assert_eq!(files.stat("/dev/null").map(|stat| stat.mode), Ok(0o020_666));
        assert_eq!(files.stat("/nowhere"), Err(ENOENT));
    }
}
