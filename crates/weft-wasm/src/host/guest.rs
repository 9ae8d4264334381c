//! Reading and writing the module's memory, and calling the module from an import.

use std::rc::Rc;

use super::{Call, Export, slices};
use crate::engine::{Stop, Trap, Type, Value};
use crate::instance::WASM_PAGE;
use crate::interface::Function;

/// Longest path and pattern that an import reads, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// Texts are read in pieces of this many bytes.
const PIECE: usize = 4_096;

/// Bytes that the host moves for the module for one unit of gas, as many as by `memory.copy`.
const BYTES_PER_GAS: u64 = 64;

/// The arguments of an import.
pub(crate) struct Args<'a>(pub(crate) &'a [Value]);

impl Args<'_> {
    /// A 32-bit argument; the low half of a 64-bit one.
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what C passes as an int")]
    pub(crate) fn int(&self, index: usize) -> i32 {
        match self.0.get(index) {
            Some(Value::I32(value)) => *value,
            Some(Value::I64(value)) => *value as i32,
            _ => 0,
        }
    }

    /// A pointer or size, whatever its width.
    #[expect(clippy::cast_sign_loss, reason = "pointers and sizes are unsigned in C")]
    pub(crate) fn size(&self, index: usize) -> u64 {
        match self.0.get(index) {
            Some(Value::I32(value)) => u64::from(*value as u32),
            Some(Value::I64(value)) => *value as u64,
            _ => 0,
        }
    }

    /// A 64-bit argument, and the index after it: one argument, or two halves where the module was built for
    /// JavaScript without 64-bit integers.
    #[expect(clippy::cast_sign_loss, reason = "the low half carries no sign")]
    pub(crate) fn long(&self, index: usize) -> (i64, usize) {
        match self.0.get(index) {
            Some(Value::I64(value)) => (*value, index + 1),
            _ => {
                let (low, high) = (self.int(index) as u32, self.int(index + 1));
                ((i64::from(high) << 32) | i64::from(low), index + 2)
            }
        }
    }
}

/// Checks that a range is inside the memory, before room for it is made.
pub(crate) fn within(call: &Call<'_>, start: u64, len: u64) -> Result<(), Stop> {
    match start.checked_add(len) {
        Some(end) if end <= call.guest.memory_bytes() => Ok(()),
        _ => Err(Trap::Memory.into()),
    }
}

/// Bytes of the module's memory.
pub(crate) fn bytes(call: &Call<'_>, start: u64, len: u64) -> Result<Vec<u8>, Stop> {
    within(call, start, len)?;
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| Trap::Memory)?];
    call.guest.read(start, &mut bytes)?;
    Ok(bytes)
}

/// Writes bytes into the module's memory.
pub(crate) fn write(call: &mut Call<'_>, at: u64, bytes: &[u8]) -> Result<(), Stop> {
    Ok(call.guest.write(at, bytes)?)
}

/// Reads a little-endian 32-bit number.
pub(crate) fn read_i32(call: &Call<'_>, at: u64) -> Result<i32, Stop> {
    let mut buffer = [0; 4];
    call.guest.read(at, &mut buffer)?;
    Ok(i32::from_le_bytes(buffer))
}

/// Reads a pointer or size of the module's width.
pub(crate) fn read_size(call: &Call<'_>, at: u64) -> Result<u64, Stop> {
    let mut buffer = [0; 8];
    let (low, _) = buffer.split_at_mut(pointer_bytes(call));
    call.guest.read(at, low)?;
    Ok(u64::from_le_bytes(buffer))
}

/// Writes a little-endian 32-bit number.
pub(crate) fn write_i32(call: &mut Call<'_>, at: u64, value: i32) -> Result<(), Stop> {
    write(call, at, &value.to_le_bytes())
}

/// Writes a pointer or size of the module's width.
pub(crate) fn write_size(call: &mut Call<'_>, at: u64, value: u64) -> Result<(), Stop> {
    let bytes = value.to_le_bytes();
    let (low, _) = bytes.split_at(pointer_bytes(call));
    write(call, at, low)
}

fn pointer_bytes(call: &Call<'_>) -> usize {
    if call.format().pointer_bytes() == 8 { 8 } else { 4 }
}

/// A NUL-terminated text that the module passes to an import: a path, a pattern.
pub(crate) fn text(call: &Call<'_>, at: u64) -> Result<String, Stop> {
    match text_bytes(call, at, MAX_TEXT)? {
        Some(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        None => Err(Trap::Memory.into()),
    }
}

/// The bytes up to a NUL; `None` if there is none among the first `most`, or before the memory's end.
pub(crate) fn text_bytes(call: &Call<'_>, at: u64, most: usize) -> Result<Option<Vec<u8>>, Stop> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; PIECE];
    while bytes.len() < most {
        let next = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let left = call.guest.memory_bytes().checked_sub(next).ok_or(Trap::Memory)?;
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE).min(most - bytes.len());
        let Some(piece) = piece.get_mut(..len).filter(|piece| !piece.is_empty()) else { return Ok(None) };
        call.guest.read(next, piece)?;
        if let Some((text, _)) = piece.iter().position(|byte| *byte == 0).map(|end| piece.split_at(end)) {
            bytes.extend_from_slice(text);
            return Ok(Some(bytes));
        }
        bytes.extend_from_slice(piece);
    }
    Ok(None)
}

/// Charges for bytes that the host moves on behalf of the module.
pub(crate) fn charge(call: &mut Call<'_>, moved: u64) -> Result<(), Stop> {
    slices::charge(call, moved / BYTES_PER_GAS)
}

/// Grows the memory by whole pages, and charges for it: its pages before. `None` if it may not grow so far.
pub(crate) fn grow(call: &mut Call<'_>, pages: u64) -> Result<Option<u64>, Stop> {
    let before = call.guest.memory_bytes() / WASM_PAGE;
    let after = before.saturating_add(pages);
    // The module's own maximum is its own business; only the node's limit is reported as one.
    if after > call.around.interface.max_pages {
        return Ok(None);
    }
    if after.saturating_mul(WASM_PAGE) > call.host(|host| host.memory_limit) {
        call.host(|host| host.memory_refused = true);
        return Ok(None);
    }
    if !call.guest.grow(pages) {
        return Err(Stop::HostMemory);
    }
    charge(call, pages.saturating_mul(WASM_PAGE))?;
    Ok(Some(before))
}

/// Integer arguments as an export takes them; 0 for what it takes beyond them.
pub(crate) fn integers(function: &Function, args: &[u64]) -> Vec<Value> {
    let args = args.iter().copied().chain(std::iter::repeat(0));
    function.signature.params.iter().zip(args).map(|(ty, arg)| integer(*ty, arg)).collect()
}

/// An integer as the type asks for it.
pub(crate) fn integer(ty: Type, value: u64) -> Value {
    match ty {
        Type::I32 | Type::I64 => Value::of(ty, value),
        Type::F32 | Type::F64 => Value::of(ty, 0),
    }
}

/// Calls an export with integer arguments to its end; its result as an unsigned number, 0 if it has none.
pub(crate) fn call_export(call: &mut Call<'_>, export: &Export, args: &[u64]) -> Result<u64, Stop> {
    let result = slices::call_unbroken(call, export, &integers(&export.function, args))?;
    Ok(Args(result.as_slice()).size(0))
}

/// Looks an export up that the format promises.
pub(crate) fn promised(call: &Call<'_>, name: &str) -> Result<Rc<Export>, Stop> {
    call.export(name).ok_or_else(|| Stop::abort(format!("it does not export “{name}”")))
}

/// Calls an export that the format promises.
pub(crate) fn call_named(call: &mut Call<'_>, name: &str, args: &[u64]) -> Result<u64, Stop> {
    let export = promised(call, name)?;
    call_export(call, &export, args)
}
