//! Which modules a process runs on, and in which order.
//!
//! A compute unit's process has one. HyperBEAM's `dev_lua.erl` takes a list too (`find_modules`, `load_modules`) and runs each in
//! turn in one machine.

use std::collections::BTreeSet;

use weft_codec::ao::{Module, Process};
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Id, Result};
use weft_verify::Modules;

use crate::options::{is_lua, unsupported};

/// The most modules of one process. HyperBEAM has no such bound.
pub const MAX_MODULES: usize = 16;
/// The most bytes of the modules of a process that lists several.
pub const MAX_MODULES_BYTES: usize = 16 << 20;

/// The ids of the modules a process runs on, in order; `first` is the one it names first, which says by its tags what runs it.
///
/// Errors: `modules-too-many`, `module-repeated`; `module-format-unsupported` for several `Module` tags that no `ao-types` makes
/// a list, which no node reads, for a list that is not of Lua, and where process and module do not fit together.
pub fn module_ids(process: &Process, first: &Module) -> Result<Vec<Id>> {
    if !is_lua(&process.tags, &first.tags)? {
        // A compute unit reads no lists.
        let id = process.tags.tag("Module").and_then(|module| module.parse::<Id>().ok());
        return id.map(|id| vec![id]).ok_or_else(|| {
            unsupported("The process lists modules in one tag, and runs something else than Lua.")
        });
    }
    let Some(ids) = process.listed_modules()? else {
        let names = process.tags.iter().filter(|tag| tag.name.eq_ignore_ascii_case("Module")).count();
        return match names {
            1 => Ok(vec![process.module]),
            _ => Err(unsupported(
                "The process has several Module tags, and no ao-types says that they are a list: no node reads that.",
            )),
        };
    };
    if ids.first() != Some(&process.module) {
        return Err(unsupported("The process's list of modules does not begin with its Module."));
    }
    if ids.len() > MAX_MODULES {
        let what =
            format!("The process lists {} modules; this version runs at most {MAX_MODULES}.", ids.len());
        return Err(Error::new(Code::ModulesTooMany, what).with("modules", ids.len()));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = ids.iter().find(|id| !seen.insert(**id)) {
        let what = format!("The process lists the module {twice} twice, which this version does not run.");
        return Err(Error::new(Code::ModuleRepeated, what).with("module", twice));
    }
    Ok(ids)
}

/// The item that a process boots from, if it runs on something that reads one: a compute unit's wasm. Errors: as [`module_ids`].
pub fn boot_item(process: &Process, first: &Module) -> Result<Option<Id>> {
    Ok(if is_lua(&process.tags, &first.tags)? { None } else { process.boot_item() })
}

fn check_boot(process: &Process, modules: &Modules) -> Result<()> {
    let (wanted, found) = (boot_item(process, modules.first())?, modules.boot().map(|boot| boot.id));
    match wanted {
        Some(id) if found != wanted => {
            let what = format!("The process boots from the item {id}, which is not here.");
            Err(Error::new(Code::ModuleMismatch, what).with("expected", id))
        }
        _ => Ok(()),
    }
}

/// Whether these are the process's modules, in its order, and can run together. Errors: as [`module_ids`]; `module-mismatch`,
/// `too-large`.
pub(crate) fn check(process: &Process, modules: &Modules) -> Result<()> {
    let (wanted, found) = (module_ids(process, modules.first())?, modules.ids());
    if wanted != found {
        let text = |ids: &[Id]| ids.iter().map(Id::to_string).collect::<Vec<_>>().join(", ");
        let what = format!("The process names the modules {}; these are {}.", text(&wanted), text(&found));
        return Err(Error::new(Code::ModuleMismatch, what));
    }
    for module in modules.further() {
        if !is_lua(&process.tags, &module.tags)? {
            let what = format!("The module {} in the process's list is not Lua.", module.id);
            return Err(unsupported(what).with("module", module.id));
        }
    }
    check_boot(process, modules)?;
    let bytes: usize = modules.iter().map(|module| module.data.len()).sum();
    if !modules.further().is_empty() && bytes > MAX_MODULES_BYTES {
        let what =
            format!("The process's modules have {bytes} bytes, more than {MAX_MODULES_BYTES} together.");
        return Err(Error::new(Code::TooLarge, what));
    }
    Ok(())
}
