//! Linux system calls of musl that emscripten passes to its host: files by path, and what can be asked of a descriptor.

use super::Call;
use super::files::{EINVAL, ENOTTY, Stream};
use super::guest::{Args, read_i32, read_size, text, write, write_i32};
use super::wasi::{signed, tick};
use crate::engine::Stop;

/// `AT_FDCWD`: the path is relative to the working directory, which is `/`.
const AT_CWD: i32 = -100;

/// A path argument, relative to a directory's descriptor.
pub(crate) fn path_at(call: &Call<'_>, directory: i32, at: u64) -> Result<Result<String, i32>, Stop> {
    let path = text(call, at)?;
    if path.starts_with('/') || directory == AT_CWD {
        return Ok(Ok(path));
    }
    Ok(call.host(|host| host.files.stream(directory).map(|stream| format!("{}/{path}", stream.path))))
}

/// `__syscall_openat(directory, path, flags, varargs)`.
pub(crate) fn openat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let path = match path_at(call, args.int(0), args.size(1))? {
        Ok(path) => path,
        Err(errno) => return Ok(-i64::from(errno)),
    };
    let (flags, varargs) = (args.int(2), args.size(3));
    let mode = if varargs == 0 { 0 } else { read_i32(call, varargs)?.cast_unsigned() };
    let opened = call.host(|host| {
        let is_new = host.files.stat(&path).is_err();
        let (fd, ticks) = host.files.open(&path, flags)?;
        match (ticks, is_new) {
            (0, _) => (),
            (_, true) => host.files.created(fd, mode, host.clock),
            (_, false) => host.files.changed(fd, host.clock),
        }
        Ok((fd, ticks))
    });
    Ok(signed(opened.map(|(fd, ticks)| {
        tick(call, ticks);
        i64::from(fd)
    })))
}

/// `__syscall_unlinkat(directory, path, flags)`: flag 512 removes a directory.
pub(crate) fn unlinkat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let directory = match args.int(2) {
        0 => false,
        512 => true,
        _ => return Err(Stop::abort("it passed unknown flags to unlinkat")),
    };
    match path_at(call, args.int(0), args.size(1))? {
        Ok(path) => Ok(remove(call, &path, directory)),
        Err(errno) => Ok(-i64::from(errno)),
    }
}

/// `__syscall_rmdir(path)`.
pub(crate) fn rmdir(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let path = text(call, args.size(0))?;
    Ok(remove(call, &path, true))
}

fn remove(call: &mut Call<'_>, path: &str, directory: bool) -> i64 {
    let removed = call.host(|host| host.files.remove(path, directory));
    signed(removed.map(|((), ticks)| {
        tick(call, ticks);
        0
    }))
}

/// `__syscall_renameat(directory, from, directory, to)`.
pub(crate) fn renameat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let from = path_at(call, args.int(0), args.size(1))?;
    let to = path_at(call, args.int(2), args.size(3))?;
    let renamed = from.and_then(|from| to.and_then(|to| call.host(|host| host.files.rename(&from, &to))));
    Ok(signed(renamed.map(|((), ticks)| {
        tick(call, ticks);
        0
    })))
}

/// `__syscall_readlinkat(directory, path, buffer, size)`: no link can be read.
pub(crate) fn readlinkat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    Ok(match path_at(call, args.int(0), args.size(1))? {
        Ok(path) => -i64::from(call.host(|host| host.files.read_link(&path))),
        Err(errno) => -i64::from(errno),
    })
}

/// `__syscall_dup3(fd, new, flags)`.
pub(crate) fn dup3(call: &mut Call<'_>, args: &Args<'_>) -> i64 {
    let (fd, to) = (args.int(0), args.int(1));
    if fd == to {
        return -i64::from(EINVAL);
    }
    signed(call.host(|host| host.files.duplicate_to(fd, to)).map(i64::from))
}

/// `__syscall_fcntl64(fd, command, varargs)`.
pub(crate) fn fcntl(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let (fd, varargs) = (args.int(0), args.size(2));
    if let Err(errno) = call.host(|host| host.files.stream(fd).map(drop)) {
        return Ok(-i64::from(errno));
    }
    Ok(match args.int(1) {
        0 => {
            let at_least = read_i32(call, varargs)?;
            signed(call.host(|host| host.files.duplicate(fd, at_least)).map(i64::from))
        }
        1 | 2 | 6 | 7 => 0,
        3 => signed(call.host(|host| host.files.stream(fd).map(|stream| i64::from(stream.flags)))),
        4 => {
            let flags = read_i32(call, varargs)?;
            let set = |stream: &mut Stream| {
                stream.flags |= flags;
                0
            };
            signed(call.host(|host| host.files.stream_mut(fd).map(set)))
        }
        5 => {
            let lock = read_size(call, varargs)?;
            write(call, lock, &2_i16.to_le_bytes())?;
            0
        }
        _ => -i64::from(EINVAL),
    })
}

/// `__syscall_ioctl(fd, request, varargs)`: a terminal of 80 columns and 24 rows, or no terminal.
pub(crate) fn ioctl(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let (fd, varargs) = (args.int(0), args.size(2));
    let terminal = match call.host(|host| host.files.is_terminal(fd)) {
        Ok(terminal) => terminal,
        Err(errno) => return Ok(-i64::from(errno)),
    };
    let request = args.int(1);
    if !terminal && matches!(request, 21_505..=21_512 | 21_515 | 21_519 | 21_520 | 21_523 | 21_524 | 21_531) {
        return Ok(-i64::from(ENOTTY));
    }
    match request {
        21_505 => write_termios(call, varargs)?,
        21_506..=21_512 | 21_515 | 21_524 => (),
        21_519 => {
            let at = read_size(call, varargs)?;
            write_i32(call, at, 0)?;
        }
        21_523 => {
            let at = read_size(call, varargs)?;
            write(call, at, &[24, 0, 80, 0])?;
        }
        21_531 => return Ok(-i64::from(ENOTTY)),
        _ => return Ok(-i64::from(EINVAL)),
    }
    Ok(0)
}

/// The terminal's settings, as emscripten's `ioctl_tcgets` has them.
fn write_termios(call: &mut Call<'_>, varargs: u64) -> Result<(), Stop> {
    const CONTROL: [u8; 17] = [
        0x03, 0x1c, 0x7f, 0x15, 0x04, 0x00, 0x01, 0x00, 0x11, 0x13, 0x1a, 0x00, 0x12, 0x0f, 0x17, 0x16, 0x00,
    ];
    let at = read_size(call, varargs)?;
    for (offset, flags) in [(0, 25_856), (4, 5), (8, 191), (12, 35_387)] {
        write_i32(call, at.wrapping_add(offset), flags)?;
    }
    let mut control = [0; 32];
    for (to, from) in control.iter_mut().zip(CONTROL) {
        *to = from;
    }
    write(call, at.wrapping_add(17), &control)
}
