//! What a module declares, read before anything is built from it.

use wasmparser::{Operator, Parser, Payload, TypeRef, ValType};
use weft_codec::{Code, Error, Result};

use crate::format::Format;
use crate::host::limiter::MAX_TABLE;

/// Most bytes of a module. The largest AO modules seen have 4 MB.
const MAX_MODULE: usize = 64 << 20;

/// Most mutable globals. aos has four.
const MAX_GLOBALS: usize = 256;

/// Prefix of the exports that we add, see [`with_exported_globals`].
pub(crate) const GLOBAL_PREFIX: &str = "weft:global:";

/// What matters of a module's declarations.
#[derive(Debug)]
pub(crate) struct Declared {
    /// Indices of the mutable globals.
    pub(crate) mutable_globals: Vec<u32>,
    /// The memory's initial size in bytes.
    pub(crate) memory_bytes: u64,
}

fn invalid(sentence: impl Into<String>) -> Error {
    Error::new(Code::ModuleInvalid, sentence)
}

/// Reads the declarations, and refuses what the format does not allow.
///
/// # Errors
/// `module-invalid` or `too-large`.
pub(crate) fn inspect(module: &[u8], format: Format) -> Result<Declared> {
    if module.len() > MAX_MODULE {
        return Err(Error::new(Code::TooLarge, format!("the module is larger than {MAX_MODULE} bytes")));
    }
    let mut declared = Declared { mutable_globals: Vec::new(), memory_bytes: 0 };
    let mut memories = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(unreadable)?;
        match payload {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import.map_err(unreadable)?;
                    if !matches!(import.ty, TypeRef::Func(_)) {
                        return Err(invalid("the module imports something other than functions"));
                    }
                    if format == Format::Plain {
                        return Err(invalid("a module of the format wasm32-unknown-unknown imports nothing"));
                    }
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader {
                    let memory = memory.map_err(unreadable)?;
                    memories += 1;
                    if memory.shared || memory.memory64 != (format.pointer_bytes() == 8) {
                        return Err(invalid(format!(
                            "the module's memory is not that of the format {format}"
                        )));
                    }
                    declared.memory_bytes = memory.initial.saturating_mul(65_536);
                }
            }
            Payload::TableSection(reader) => {
                for table in reader {
                    let initial = table.map_err(unreadable)?.ty.initial;
                    if usize::try_from(initial).is_ok_and(|initial| initial > MAX_TABLE) {
                        return Err(Error::new(Code::TooLarge, "the module's function table is too large"));
                    }
                }
            }
            Payload::GlobalSection(reader) => globals(reader, &mut declared)?,
            Payload::CodeSectionEntry(body) => {
                let mut operators = body.get_operators_reader().map_err(unreadable)?;
                while !operators.eof() {
                    stateless(&operators.read().map_err(unreadable)?)?;
                }
            }
            _ => (),
        }
    }
    if memories != 1 {
        return Err(invalid("the module does not have exactly one memory of its own"));
    }
    Ok(declared)
}

/// See [`Format::guess`].
pub(crate) fn guess(module: &[u8]) -> Result<Format> {
    if module.len() > MAX_MODULE {
        return Err(Error::new(Code::TooLarge, format!("the module is larger than {MAX_MODULE} bytes")));
    }
    let (mut imports, mut waits, mut wide) = (false, false, None);
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(unreadable)? {
            Payload::ImportSection(reader) => imports = reader.count() > 0,
            Payload::ExportSection(reader) => {
                for export in reader {
                    waits |= export.map_err(unreadable)?.name == "asyncify_start_unwind";
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader {
                    wide = Some(memory.map_err(unreadable)?.memory64);
                }
            }
            Payload::CodeSectionStart { .. } => break,
            _ => (),
        }
    }
    match (wide, imports, waits) {
        (None, ..) => Err(invalid("the module has no memory of its own")),
        (Some(true), true, true) => Ok(Format::Wasm64),
        (Some(false), true, true) => Ok(Format::Emscripten4),
        (Some(false), false, _) => Ok(Format::Plain),
        _ => Err(Error::new(
            Code::ModuleFormatUnsupported,
            "the module looks like none of the formats that this version runs; name its format to be sure",
        )),
    }
}

fn globals(reader: wasmparser::GlobalSectionReader<'_>, declared: &mut Declared) -> Result<()> {
    for (index, global) in (0_u32..).zip(reader) {
        let ty = global.map_err(unreadable)?.ty;
        if !ty.mutable {
            continue;
        }
        if !matches!(ty.content_type, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64) {
            return Err(invalid("the module has a mutable global that is not a number"));
        }
        declared.mutable_globals.push(index);
    }
    if declared.mutable_globals.len() > MAX_GLOBALS {
        return Err(Error::new(
            Code::TooLarge,
            format!("the module has more than {MAX_GLOBALS} mutable globals"),
        ));
    }
    Ok(())
}

/// A process's state is its memory and its mutable globals. Tables and dropped segments would be state as well, which no
/// snapshot holds: such modules are refused.
fn stateless(operator: &Operator<'_>) -> Result<()> {
    match operator {
        Operator::TableSet { .. }
        | Operator::TableGrow { .. }
        | Operator::TableFill { .. }
        | Operator::TableCopy { .. }
        | Operator::TableInit { .. }
        | Operator::ElemDrop { .. }
        | Operator::DataDrop { .. } => {
            Err(invalid("the module changes its tables or drops its segments while it runs"))
        }
        _ => Ok(()),
    }
}

fn unreadable(cause: wasmparser::BinaryReaderError) -> Error {
    invalid("the module is not WebAssembly that this version reads").because(cause)
}

/// The module with its mutable globals exported as well, so that a snapshot can hold them: the stack pointer of C, the
/// state of asyncify, and whatever a program keeps there.
///
/// # Errors
/// `module-invalid` if the module exports nothing.
pub(crate) fn with_exported_globals(module: &[u8], declared: &Declared) -> Result<Vec<u8>> {
    const EXPORT_SECTION: u8 = 7;
    const HEADER: usize = 8;
    let cut = || invalid("the module ends inside a section");
    let mut out = module.get(..HEADER).ok_or_else(cut)?.to_vec();
    let mut rest = module.get(HEADER..).unwrap_or_default();
    let mut found = false;
    while let Some((id, after)) = rest.split_first() {
        let (size, content) = leb(after).ok_or_else(cut)?;
        let size = usize::try_from(size).map_err(|_| cut())?;
        let (body, next) = content.split_at_checked(size).ok_or_else(cut)?;
        out.push(*id);
        if *id == EXPORT_SECTION {
            found = true;
            let section = extended(body, declared).ok_or_else(cut)?;
            push_leb(&mut out, section.len());
            out.extend(section);
        } else {
            push_leb(&mut out, size);
            out.extend(body);
        }
        rest = next;
    }
    if found { Ok(out) } else { Err(invalid("the module exports nothing")) }
}

fn extended(section: &[u8], declared: &Declared) -> Option<Vec<u8>> {
    const GLOBAL: u8 = 3;
    let (count, entries) = leb(section)?;
    let mut out = Vec::with_capacity(section.len() + 64);
    push_leb(&mut out, usize::try_from(count).ok()?.checked_add(declared.mutable_globals.len())?);
    out.extend(entries);
    for index in &declared.mutable_globals {
        let name = format!("{GLOBAL_PREFIX}{index}");
        push_leb(&mut out, name.len());
        out.extend(name.bytes());
        out.push(GLOBAL);
        push_leb(&mut out, usize::try_from(*index).ok()?);
    }
    Some(out)
}

/// Reads an unsigned LEB128 number of at most 32 bits.
fn leb(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

fn push_leb(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}
