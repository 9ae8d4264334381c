//! System calls about what a file is: its kind, size, times and permissions; directories.

use super::Call;
use super::files::{EINVAL, Errno, Stat};
use super::guest::{Args, read_i32, text, write};
use super::syscalls::path_at;
use super::wasi::{signed, tick};
use crate::engine::Stop;

/// What is asked for does not fit.
const ERANGE: Errno = 68;

/// The largest block of a file, as emscripten says.
const BLOCK: u64 = 4_096;

/// Writes a `struct stat`, of which the two widths differ.
fn write_stat(call: &mut Call<'_>, at: u64, stat: Stat) -> Result<(), Stop> {
    let (seconds, micros) = (stat.time / 1_000, stat.time % 1_000 * 1_000);
    let blocks = stat.size.div_ceil(BLOCK);
    let wide = call.format().pointer_bytes() == 8;
    let at = |offset: u64| at.wrapping_add(offset);
    for (offset, value) in [(0, stat.dev), (4, stat.mode)] {
        write(call, at(offset), &value.to_le_bytes())?;
    }
    let (links, owner, size, times) = if wide { (8, 16, 32, 48) } else { (8, 12, 24, 40) };
    let long = |value: u64| value.to_le_bytes();
    let pointer = |value: u64| value.to_le_bytes()[..if wide { 8 } else { 4 }].to_vec();
    write(call, at(links), &pointer(1))?;
    write(call, at(owner), &[0; 8])?;
    write(call, at(owner + 8), &stat.rdev.to_le_bytes())?;
    write(call, at(size), &long(stat.size))?;
    write(call, at(size + 8), &4_096_u32.to_le_bytes())?;
    write(call, at(size + 12), &u32::try_from(blocks).unwrap_or(u32::MAX).to_le_bytes())?;
    let mut offset = times;
    for _ in 0..3 {
        write(call, at(offset), &long(seconds))?;
        write(call, at(offset + 8), &pointer(micros))?;
        offset += 16;
    }
    write(call, at(offset), &long(u64::from(stat.ino)))
}

fn stated(call: &mut Call<'_>, at: u64, stat: Result<Stat, Errno>) -> Result<i64, Stop> {
    match stat {
        Ok(stat) => write_stat(call, at, stat).map(|()| 0),
        Err(errno) => Ok(-i64::from(errno)),
    }
}

/// `__syscall_fstat64(fd, out)`.
pub(crate) fn fstat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let stat = call.host(|host| host.files.stat_open(args.int(0)));
    stated(call, args.size(1), stat)
}

/// `__syscall_stat64(path, out)` and `__syscall_lstat64`: there are no links that a module could make.
pub(crate) fn stat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let path = text(call, args.size(0))?;
    let stat = call.host(|host| host.files.stat(&path));
    stated(call, args.size(1), stat)
}

/// `__syscall_newfstatat(directory, path, out, flags)`.
pub(crate) fn fstatat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    if args.int(3) & !6_400 != 0 {
        return Err(Stop::abort("it passed unknown flags to newfstatat"));
    }
    let stat = path_at(call, args.int(0), args.size(1))?;
    let stat = stat.and_then(|path| call.host(|host| host.files.stat(&path)));
    stated(call, args.size(2), stat)
}

/// `__syscall_faccessat(directory, path, mode, flags)`.
pub(crate) fn faccessat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    if args.int(3) != 0 {
        return Err(Stop::abort("it passed unknown flags to faccessat"));
    }
    let path = path_at(call, args.int(0), args.size(1))?;
    if args.int(2) & !7 != 0 {
        return Ok(-i64::from(EINVAL));
    }
    Ok(signed(path.and_then(|path| call.host(|host| host.files.access(&path, args.int(2)).map(|()| 0)))))
}

fn done(call: &mut Call<'_>, told: Result<((), u64), Errno>) -> i64 {
    if let Ok(((), ticks)) = told {
        tick(call, ticks);
    }
    signed(told.map(|_| 0))
}

/// `__syscall_chmod(path, mode)`.
pub(crate) fn chmod(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let path = text(call, args.size(0))?;
    let told = call.host(|host| host.files.set(&path, Some(args.int(1).cast_unsigned()), host.clock));
    Ok(done(call, told))
}

/// `__syscall_fchmod(fd, mode)`.
pub(crate) fn fchmod(call: &mut Call<'_>, args: &Args<'_>) -> i64 {
    let told =
        call.host(|host| host.files.set_open(args.int(0), Some(args.int(1).cast_unsigned()), host.clock));
    done(call, told)
}

/// `__syscall_fchown32(fd, owner, group)`: everything has one owner.
pub(crate) fn fchown(call: &mut Call<'_>, args: &Args<'_>) -> i64 {
    let told = call.host(|host| host.files.set_open(args.int(0), None, host.clock));
    done(call, told)
}

/// `__syscall_ftruncate64(fd, length)`.
pub(crate) fn ftruncate(call: &mut Call<'_>, args: &Args<'_>) -> i64 {
    let (length, _) = args.long(1);
    let told = call.host(|host| host.files.truncate(args.int(0), length, host.clock));
    done(call, told)
}

/// `__syscall_mkdirat(directory, path, mode)`.
pub(crate) fn mkdirat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let path = path_at(call, args.int(0), args.size(1))?;
    let mode = args.int(2).cast_unsigned();
    let told = path.and_then(|path| call.host(|host| host.files.make_directory(&path, mode, host.clock)));
    Ok(done(call, told))
}

/// `__syscall_getcwd(out, size)`: always `/`.
pub(crate) fn getcwd(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    match args.size(1) {
        0 => Ok(-i64::from(EINVAL)),
        1 => Ok(-i64::from(ERANGE)),
        _ => write(call, args.size(0), b"/\0").map(|()| 2),
    }
}

/// `__syscall_utimensat(directory, path, times, flags)`: the later of both times.
pub(crate) fn utimensat(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    if args.int(3) != 0 {
        return Err(Stop::abort("it passed unknown flags to utimensat"));
    }
    let (path, times) = (path_at(call, args.int(0), args.size(1))?, args.size(2));
    let mut given = 0;
    if times != 0 {
        for at in [times, times.wrapping_add(16)] {
            let mut seconds = [0; 8];
            call.guest.read(at, &mut seconds)?;
            let millis = i64::from(read_i32(call, at.wrapping_add(8))?) / 1_000_000;
            let millis = i64::from_le_bytes(seconds).saturating_mul(1_000).saturating_add(millis);
            given = given.max(u64::try_from(millis).unwrap_or(0));
        }
    }
    let ticks = u64::from(times == 0);
    let now = call.host(|host| if times == 0 { host.clock } else { given });
    let told = path.and_then(|path| call.host(|host| host.files.set(&path, None, now)));
    tick(call, ticks);
    Ok(signed(told.map(|_| 0)))
}

/// `_munmap_js(address, length, protection, flags, fd, offset)`: no module maps files.
pub(crate) fn munmap(call: &mut Call<'_>, args: &Args<'_>) -> i64 {
    signed(call.host(|host| host.files.stream(args.int(4)).map(|_| 0)))
}
