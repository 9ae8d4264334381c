//! The imports of `wasi_snapshot_preview1`: descriptors and an empty environment.

use super::files::Errno;
use super::guest::{Args, bytes, charge, read_size, within, write, write_size};
use super::{Call, Host};
use crate::engine::Stop;

/// Most buffers in one read or write.
const MAX_BUFFERS: u64 = 1_024;

/// `environ_sizes_get(count, bytes)`: none, none.
pub(crate) fn environ_sizes_get(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    write_size(call, args.size(0), 0)?;
    write_size(call, args.size(1), 0)?;
    Ok(0)
}

/// `fd_close(fd)`.
pub(crate) fn fd_close(call: &mut Call<'_>, args: &Args<'_>) -> i64 {
    call.host(|host| host.files.close(args.int(0))).err().map_or(0, i64::from)
}

fn buffers(call: &Call<'_>, args: &Args<'_>) -> Result<Vec<(u64, u64)>, Stop> {
    let width = call.format().pointer_bytes();
    let (list, count) = (args.size(1), args.size(2));
    if count > MAX_BUFFERS {
        return Err(Stop::abort("it passed more buffers than the host takes"));
    }
    let mut buffers = Vec::new();
    for index in 0..count {
        let at = list.wrapping_add(index * 2 * width);
        buffers.push((read_size(call, at)?, read_size(call, at.wrapping_add(width))?));
    }
    Ok(buffers)
}

/// `fd_write(fd, buffers, count, written)`.
pub(crate) fn fd_write(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let mut written = 0;
    for (start, len) in buffers(call, args)? {
        charge(call, len)?;
        let data = bytes(call, start, len)?;
        match call.host(|host| host.files.write(args.int(0), &data)) {
            Ok((count, ticks)) => {
                written += count;
                if ticks > 0 {
                    call.host(|host| host.files.changed(args.int(0), host.clock));
                }
                tick(call, ticks);
            }
            Err(errno) => return Ok(i64::from(errno)),
        }
    }
    // The loader looks the stream up even when there is nothing to write.
    if let Err(errno) = call.host(|host| host.files.stream(args.int(0)).map(drop)) {
        return Ok(i64::from(errno));
    }
    write_size(call, args.size(3), written)?;
    Ok(0)
}

/// `fd_read(fd, buffers, count, read)`.
pub(crate) fn fd_read(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let mut total = 0;
    if let Err(errno) = call.host(|host| host.files.stream(args.int(0)).map(drop)) {
        return Ok(i64::from(errno));
    }
    if call.host(|host| host.files.is_drive(args.int(0))) {
        return Err(Stop::abort("it read an item of WeaveDrive past its drive, which the loader cannot do"));
    }
    for (start, len) in buffers(call, args)? {
        charge(call, len)?;
        within(call, start, len)?;
        let wanted = usize::try_from(len).unwrap_or(usize::MAX);
        let data = match call.host(|host| host.files.read(args.int(0), wanted)) {
            Ok(data) => data,
            Err(errno) => return Ok(i64::from(errno)),
        };
        let count = u64::try_from(data.len()).unwrap_or(0);
        write(call, start, &data)?;
        total += count;
        if count < len {
            break;
        }
    }
    write_size(call, args.size(3), total)?;
    Ok(0)
}

/// `fd_seek(fd, offset, whence, position)`.
pub(crate) fn fd_seek(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let (offset, next) = args.long(1);
    match call.host(|host| host.files.seek(args.int(0), offset, args.int(next))) {
        Ok(position) => {
            write(call, args.size(next + 1), &position.to_le_bytes())?;
            Ok(0)
        }
        Err(errno) => Ok(i64::from(errno)),
    }
}

/// `fd_sync(fd)`: there is nothing to wait for.
pub(crate) fn fd_sync(call: &mut Call<'_>, args: &Args<'_>) -> i64 {
    call.host(|host| host.files.stream(args.int(0)).map(drop)).err().map_or(0, i64::from)
}

/// `fd_fdstat_get(fd, out)`: what kind of file it is; no flags, no rights.
pub(crate) fn fd_fdstat_get(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let kinds = call.host(|host| {
        host.files
            .is_terminal(args.int(0))
            .and_then(|terminal| Ok((terminal, host.files.is_directory(args.int(0))?)))
    });
    let kind = match kinds {
        Ok((true, _)) => 2,
        Ok((_, true)) => 3,
        Ok(_) => 4,
        Err(errno) => return Ok(i64::from(errno)),
    };
    let at = args.size(1);
    write(call, at, &[kind])?;
    write(call, at.wrapping_add(2), &[0; 2])?;
    write(call, at.wrapping_add(8), &[0; 16])?;
    Ok(0)
}

/// Reads the clock as often as the loader does to stamp files.
pub(crate) fn tick(call: &mut Call<'_>, ticks: u64) {
    for _ in 0..ticks {
        call.host(Host::tick);
    }
}

/// The result of a system call: what it gives, or the error number below zero.
pub(crate) fn signed(result: Result<i64, Errno>) -> i64 {
    result.unwrap_or_else(|errno| -i64::from(errno))
}
