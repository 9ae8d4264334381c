//! Reading and writing the module's memory, and calling the module from an import.

use std::ops::Range;
use std::sync::Arc;

use wasmi::{AsContext, AsContextMut, TrapCode, Val, ValType};

use super::halt::Halt;
use super::{Call, Export, Host, slices};

/// Longest path and pattern that an import reads, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// Fuel for each 64 bytes that the host moves for the module, as wasmi charges for `memory.copy`.
const BYTES_PER_FUEL: u64 = 64;

/// The arguments of an import.
pub(crate) struct Args<'a>(pub(crate) &'a [Val]);

impl Args<'_> {
    /// A 32-bit argument; the low half of a 64-bit one.
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what C passes as an int")]
    pub(crate) fn int(&self, index: usize) -> i32 {
        match self.0.get(index) {
            Some(Val::I32(value)) => *value,
            Some(Val::I64(value)) => *value as i32,
            _ => 0,
        }
    }

    /// A pointer or size, whatever its width.
    #[expect(clippy::cast_sign_loss, reason = "pointers and sizes are unsigned in C")]
    pub(crate) fn size(&self, index: usize) -> u64 {
        match self.0.get(index) {
            Some(Val::I32(value)) => u64::from(*value as u32),
            Some(Val::I64(value)) => *value as u64,
            _ => 0,
        }
    }

    /// A 64-bit argument, and the index after it: one argument, or two halves where the module was built for
    /// JavaScript without 64-bit integers.
    #[expect(clippy::cast_sign_loss, reason = "the low half carries no sign")]
    pub(crate) fn long(&self, index: usize) -> (i64, usize) {
        match self.0.get(index) {
            Some(Val::I64(value)) => (*value, index + 1),
            _ => {
                let (low, high) = (self.int(index) as u32, self.int(index + 1));
                ((i64::from(high) << 32) | i64::from(low), index + 2)
            }
        }
    }
}

fn range(start: u64, len: u64) -> Result<Range<usize>, wasmi::Error> {
    let end = start.checked_add(len).ok_or(TrapCode::MemoryOutOfBounds)?;
    let convert = |value: u64| usize::try_from(value).map_err(|_| TrapCode::MemoryOutOfBounds);
    Ok(convert(start)?..convert(end)?)
}

/// Bytes of the module's memory.
pub(crate) fn bytes<'a>(call: &'a Call<'_>, start: u64, len: u64) -> Result<&'a [u8], wasmi::Error> {
    let memory = call.data().memory().ok_or_else(too_early)?;
    let range = range(start, len)?;
    Ok(memory.data(call.as_context()).get(range).ok_or(TrapCode::MemoryOutOfBounds)?)
}

/// Bytes of the module's memory, to be written.
pub(crate) fn bytes_mut<'a>(
    call: &'a mut Call<'_>,
    start: u64,
    len: u64,
) -> Result<&'a mut [u8], wasmi::Error> {
    let memory = call.data().memory().ok_or_else(too_early)?;
    let range = range(start, len)?;
    Ok(memory.data_mut(call.as_context_mut()).get_mut(range).ok_or(TrapCode::MemoryOutOfBounds)?)
}

fn too_early() -> wasmi::Error {
    Halt::abort("it called the host before it was ready")
}

/// Reads a little-endian 32-bit number.
pub(crate) fn read_i32(call: &Call<'_>, at: u64) -> Result<i32, wasmi::Error> {
    let mut buffer = [0; 4];
    buffer.copy_from_slice(bytes(call, at, 4)?);
    Ok(i32::from_le_bytes(buffer))
}

/// Reads a pointer or size of the module's width.
pub(crate) fn read_size(call: &Call<'_>, at: u64) -> Result<u64, wasmi::Error> {
    let width = call.data().format.pointer_bytes();
    let mut buffer = [0; 8];
    for (to, from) in buffer.iter_mut().zip(bytes(call, at, width)?) {
        *to = *from;
    }
    Ok(u64::from_le_bytes(buffer))
}

/// Writes a little-endian 32-bit number.
pub(crate) fn write_i32(call: &mut Call<'_>, at: u64, value: i32) -> Result<(), wasmi::Error> {
    bytes_mut(call, at, 4)?.copy_from_slice(&value.to_le_bytes());
    Ok(())
}

/// Writes a pointer or size of the module's width.
pub(crate) fn write_size(call: &mut Call<'_>, at: u64, value: u64) -> Result<(), wasmi::Error> {
    let width = call.data().format.pointer_bytes();
    for (to, from) in bytes_mut(call, at, width)?.iter_mut().zip(value.to_le_bytes()) {
        *to = from;
    }
    Ok(())
}

/// A NUL-terminated text that the module passes to an import: a path, a pattern.
pub(crate) fn text(call: &Call<'_>, at: u64) -> Result<String, wasmi::Error> {
    let memory = call.data().memory().ok_or_else(too_early)?;
    let start = usize::try_from(at).map_err(|_| TrapCode::MemoryOutOfBounds)?;
    let rest = memory.data(call.as_context()).get(start..).ok_or(TrapCode::MemoryOutOfBounds)?;
    let len = rest.iter().take(MAX_TEXT).position(|byte| *byte == 0).ok_or(TrapCode::MemoryOutOfBounds)?;
    Ok(String::from_utf8_lossy(rest.get(..len).unwrap_or_default()).into_owned())
}

/// Charges for bytes that the host moves on behalf of the module.
pub(crate) fn charge(call: &mut Call<'_>, moved: u64) -> Result<(), wasmi::Error> {
    slices::charge(call.as_context_mut(), moved / BYTES_PER_FUEL)
}

/// A number as the type asks for it.
#[expect(clippy::cast_possible_truncation, reason = "a 32-bit parameter takes the low half")]
#[expect(clippy::cast_possible_wrap, reason = "wasm integers have no sign")]
pub(crate) fn val(ty: ValType, value: u64) -> Val {
    match ty {
        ValType::I32 => Val::I32(value as i32),
        ValType::I64 => Val::I64(value as i64),
        other => Val::default_for_ty(other),
    }
}

/// Integer arguments as an export takes them.
pub(crate) fn integers(export: &Export, args: &[u64]) -> Vec<Val> {
    export.params.iter().zip(args).map(|(ty, arg)| val(*ty, *arg)).collect()
}

/// Calls an export with integer arguments to its end; its result as an unsigned number, 0 if it has none.
pub(crate) fn call_export(
    context: impl AsContextMut<Data = Host>,
    export: &Export,
    args: &[u64],
) -> Result<u64, wasmi::Error> {
    let result = slices::call_unbroken(context, export, &integers(export, args))?;
    Ok(Args(result.as_slice()).size(0))
}

/// Looks an export up that the format promises.
pub(crate) fn promised(
    context: &impl AsContext<Data = Host>,
    name: &str,
) -> Result<Arc<Export>, wasmi::Error> {
    let export = context.as_context().data().export(name);
    export.ok_or_else(|| Halt::abort(format!("it does not export “{name}”")))
}

/// Calls an export that the format promises.
pub(crate) fn call_named(
    context: &mut impl AsContextMut<Data = Host>,
    name: &str,
    args: &[u64],
) -> Result<u64, wasmi::Error> {
    let export = promised(context, name)?;
    call_export(context, &export, args)
}
