//! The files of WeaveDrive, as npm `@permaweb/weavedrive` 0.0.18 gives them to a module through the loader.

use super::files::{BLOCK, DATA, TX};
use super::guest::{Args, charge, text, within, write};
use super::wasi::tick;
use super::{Call, asyncify};
use crate::drive::{Drive, Found};
use crate::engine::Stop;
use crate::format::{Convention, Format};

/// Longest path that is asked for; an id has 43 letters.
const MAX_PATH: usize = 256;

fn drive(call: &Call<'_>) -> Option<Drive> {
    call.around.drive.clone()
}

/// Lets the module wait for what an operation gives; it is done once, when the module begins to wait.
fn waiting(
    call: &mut Call<'_>,
    operation: impl FnOnce(&mut Call<'_>) -> Result<i64, Stop>,
) -> Result<i64, Stop> {
    if call.host(|host| host.asyncify.state) == asyncify::State::Normal {
        let answer = operation(call)?;
        call.host(|host| host.asyncify.answer = answer);
    }
    let answer = call.host(|host| host.asyncify.answer);
    asyncify::sleep(call, answer)
}

/// `__asyncjs__weavedrive_open(path, mode)`: a descriptor; 0 if there is no such file, or no drive.
pub(crate) fn open(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    waiting(call, |call| {
        let path = text(call, args.size(0))?;
        match drive(call) {
            Some(drive) => open_on(call, &drive, &path),
            None => Ok(0),
        }
    })
}

fn open_on(call: &mut Call<'_>, drive: &Drive, path: &str) -> Result<i64, Stop> {
    let folder = match path.split('/').nth(1) {
        Some("data") => DATA,
        Some("block") => BLOCK,
        Some("tx") => TX,
        _ => return Ok(0),
    };
    let id = path.split('/').nth(2).unwrap_or_default();
    if path.len() > MAX_PATH || path != format!("{folder}/{id}") || id.is_empty() || id.starts_with('.') {
        return Err(Stop::abort("it opened a path of WeaveDrive that names no item, block or transaction"));
    }
    let bytes = match drive.find(path) {
        Found::Unknown => return Err(Stop::Wants(path.to_owned())),
        // The reference's own process ends there: no compute unit has a result.
        Found::Refused => return Err(Stop::Refused(path.to_owned())),
        Found::File(bytes) => bytes,
    };
    charge(call, if folder == DATA { 0 } else { u64::try_from(bytes.len()).unwrap_or(u64::MAX) })?;
    let opened = call.host(|host| host.files.open_drive(folder, path, &bytes, host.clock));
    let (fd, ticks) = opened
        .map_err(|errno| Stop::abort(format!("a file of WeaveDrive cannot be opened: errno {errno}")))?;
    tick(call, ticks);
    Ok(i64::from(fd))
}

/// `__asyncjs__weavedrive_read(descriptor, to, length)`: how many bytes were read.
pub(crate) fn read(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let (fd, to, length) = (args.int(0), args.size(1), args.size(2));
    waiting(call, |call| {
        let drive = drive(call).ok_or_else(no_drive)?;
        let path = call.host(|host| host.files.stream(fd).map(|stream| stream.path.clone()));
        let path = path.map_err(|_| no_drive())?;
        let is_data = call.host(|host| host.files.is_drive(fd));
        let bytes = match (is_data, drive.find(&path)) {
            (true, Found::File(bytes)) => Some(bytes),
            (true, _) => return Err(Stop::Wants(path)),
            (false, _) => None,
        };
        let read = call.host(|host| host.files.read_drive(fd, length, bytes.as_deref()));
        let (pieces, read) = read.ok_or_else(no_drive)?;
        let mut at = to;
        for piece in pieces {
            let len = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            charge(call, len)?;
            within(call, at, len)?;
            write(call, at, &piece)?;
            at = at.wrapping_add(len);
        }
        i64::try_from(read).map_err(|_| no_drive())
    })
}

/// `__asyncjs__weavedrive_close(descriptor)`.
pub(crate) fn close(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let fd = args.int(0);
    waiting(call, |call| {
        drive(call).ok_or_else(no_drive)?;
        call.host(|host| host.files.close(fd)).map_err(|_| no_drive())?;
        Ok(0)
    })
}

/// Where there is no drive nothing can be open, and the loader throws.
fn no_drive() -> Stop {
    Stop::abort("it used a file of WeaveDrive that is not open")
}

/// Whether modules of this format may have a drive.
pub(crate) fn possible(format: Format) -> bool {
    format.convention() == Convention::Asyncify
}
