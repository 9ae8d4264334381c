//! What a module declares, read before anything is built from it.

use wasmparser::{Operator, Parser, Payload, TypeRef, ValType};
use weft_codec::{Code, Error, Result};

use crate::format::Format;

/// Most bytes of a module. The largest AO modules seen have 4 MB.
const MAX_MODULE: usize = 64 << 20;

/// Most elements of a table. aos has some hundred. A module may not grow it (see `allowed`).
const MAX_TABLE: usize = 1 << 20;

/// Most tables.
const MAX_TABLES: usize = 16;

/// Most mutable globals. aos has four.
const MAX_GLOBALS: usize = 256;

/// What matters of a module's declarations.
#[derive(Debug)]
pub(crate) struct Declared {
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
    let mut declared = Declared { memory_bytes: 0 };
    let (mut memories, mut tables) = (0, 0);
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
                    let fits = format == Format::Pure || memory.memory64 == (format.pointer_bytes() == 8);
                    if memory.shared || !fits {
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
                    tables += 1;
                    if tables > MAX_TABLES
                        || usize::try_from(initial).map_or(true, |initial| initial > MAX_TABLE)
                    {
                        return Err(Error::new(Code::TooLarge, "the module's tables are too large"));
                    }
                }
            }
            Payload::GlobalSection(reader) => globals(reader)?,
            Payload::CodeSectionEntry(body) => {
                let mut operators = body.get_operators_reader().map_err(unreadable)?;
                while !operators.eof() {
                    allowed(&operators.read().map_err(unreadable)?)?;
                }
            }
            _ => (),
        }
    }
    if memories != 1 && !(memories == 0 && format == Format::Pure) {
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

fn globals(reader: wasmparser::GlobalSectionReader<'_>) -> Result<()> {
    let mut mutable = 0;
    for global in reader {
        let ty = global.map_err(unreadable)?.ty;
        if !ty.mutable {
            continue;
        }
        if !matches!(ty.content_type, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64) {
            return Err(invalid("the module has a mutable global that is not a number"));
        }
        mutable += 1;
    }
    if mutable > MAX_GLOBALS {
        return Err(Error::new(
            Code::TooLarge,
            format!("the module has more than {MAX_GLOBALS} mutable globals"),
        ));
    }
    Ok(())
}

/// A process's state is its memory and its mutable globals. Tables and dropped segments would be state as well, which no
/// snapshot holds: such modules are refused. So are those with operations that say different things on different machines.
fn allowed(operator: &Operator<'_>) -> Result<()> {
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
        Operator::I8x16RelaxedSwizzle
        | Operator::I32x4RelaxedTruncF32x4S
        | Operator::I32x4RelaxedTruncF32x4U
        | Operator::I32x4RelaxedTruncF64x2SZero
        | Operator::I32x4RelaxedTruncF64x2UZero
        | Operator::F32x4RelaxedMadd
        | Operator::F32x4RelaxedNmadd
        | Operator::F64x2RelaxedMadd
        | Operator::F64x2RelaxedNmadd
        | Operator::I8x16RelaxedLaneselect
        | Operator::I16x8RelaxedLaneselect
        | Operator::I32x4RelaxedLaneselect
        | Operator::I64x2RelaxedLaneselect
        | Operator::F32x4RelaxedMin
        | Operator::F32x4RelaxedMax
        | Operator::F64x2RelaxedMin
        | Operator::F64x2RelaxedMax
        | Operator::I16x8RelaxedQ15mulrS
        | Operator::I16x8RelaxedDotI8x16I7x16S
        | Operator::I32x4RelaxedDotI8x16I7x16AddS => {
            Err(invalid("the module uses relaxed SIMD, whose results differ from machine to machine"))
        }
        _ => Ok(()),
    }
}

fn unreadable(cause: wasmparser::BinaryReaderError) -> Error {
    invalid("the module is not WebAssembly that this version reads").because(cause)
}
