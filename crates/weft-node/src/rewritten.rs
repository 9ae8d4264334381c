//! What the rewrite made of modules, kept: a process that is opened again starts without that work.
//!
//! | key in `snapshots` | value |
//! |---|---|
//! | `rewritten/{SHA-256 of the module}/{format}/{version of the rewrite}` | [`Prepared`], sealed |
//! | `rewritten` | the keys of those, the latest last |
//!
//! What does not read back as it was written is made anew. The oldest go.

use weft_codec::ao::Process;
use weft_codec::{Code, Error, Result};
use weft_core::{Engines, ModuleFormat, ModuleOptions, Program, compile_kept};
use weft_verify::Modules;
use weft_wasm::Prepared;

use crate::archive::{open, seal};
use crate::seams::{Batch, Store, Table};

/// How many are kept.
const MOST: usize = 8;
const INDEX: &str = "rewritten";

/// The program of a process's modules; of a wasm module what was kept of it is used, and kept if it was not.
///
/// Errors: those of [`weft_core::compile`], and those of the store.
pub(crate) async fn program(
    store: &impl Store,
    process: &Process,
    modules: &Modules,
    options: &ModuleOptions,
    engines: &Engines,
) -> Result<Program> {
    let mut kept = read(store, modules, options).await?;
    let was_kept = kept.is_some();
    let program = compile_kept(process, modules, options, engines, &mut kept)?;
    if let Some(prepared) = kept.filter(|_| !was_kept) {
        keep(store, &prepared).await?;
    }
    Ok(program)
}

/// The module of a wasm process as it was kept; `None` for a Lua process, and if it was not. Errors: those of the store.
async fn read(store: &impl Store, modules: &Modules, options: &ModuleOptions) -> Result<Option<Prepared>> {
    let ModuleFormat::Wasm(format) = options.format else { return Ok(None) };
    let key = Prepared::key(&modules.first().data, format);
    let value = store.get(Table::Snapshots, &format!("{INDEX}/{key}")).await?;
    Ok(value.and_then(|value| Prepared::from_bytes(open(&value)?, &key, format).ok()))
}

/// Keeps one. Errors: those of the store.
async fn keep(store: &impl Store, prepared: &Prepared) -> Result<()> {
    let key = prepared.own_key();
    let index = store.get(Table::Snapshots, INDEX).await?;
    let mut keys: Vec<String> =
        index.and_then(|index| serde_json::from_slice(&index).ok()).unwrap_or_default();
    keys.retain(|kept| *kept != key);
    keys.push(key.clone());
    let mut batch = Batch::default();
    let gone = keys.len().saturating_sub(MOST);
    for old in keys.drain(..gone) {
        batch.delete(Table::Snapshots, format!("{INDEX}/{old}"));
    }
    batch.put(Table::Snapshots, format!("{INDEX}/{key}"), seal(&prepared.to_bytes()));
    let index = serde_json::to_vec(&keys)
        .map_err(|cause| Error::new(Code::StoreFailed, "A list does not become JSON.").because(cause))?;
    batch.put(Table::Snapshots, INDEX, index);
    store.commit(batch).await
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use weft_wasm::{Format, Limits};

    use super::*;
    use crate::memory::MemoryStore;

    /// A module like any other but for one byte of its data.
    fn made(number: u8) -> Prepared {
        let module = wat::parse_str(format!(
            r#"(module (memory (export "memory") 1) (data (i32.const 0) "\{number:02x}"))"#
        ));
        Prepared::of(&module.unwrap(), Format::Plain, &Limits::default()).unwrap()
    }

    /// A store in memory never waits.
    fn now<T>(work: impl Future<Output = Result<T>>) -> T {
        work.now_or_never().unwrap().unwrap()
    }

    #[test]
    fn the_oldest_go_and_what_was_changed_is_not_read() {
        let store = MemoryStore::new();
        for number in 0..10 {
            now(keep(&store, &made(number)));
        }
        let rows = now(store.scan(Table::Snapshots, "rewritten/", "rewritten0", 100));
        assert_eq!(rows.len(), MOST);
        let key = |number| format!("rewritten/{}", made(number).own_key());
        assert!(rows.iter().all(|(row, _)| *row != key(0) && *row != key(1)));
        let value = now(store.get(Table::Snapshots, &key(9))).unwrap();
        let kept = |value: &[u8]| Prepared::from_bytes(open(value)?, &made(9).own_key(), Format::Plain).ok();
        assert_eq!(kept(&value).unwrap().to_bytes(), made(9).to_bytes());
        for at in [0, 9, 13, value.len() - 1] {
            let mut changed = value.clone();
            changed[at] ^= 1;
            assert!(kept(&changed).is_none(), "byte {at}");
        }
        assert!(Prepared::from_bytes(open(&value).unwrap(), &made(8).own_key(), Format::Plain).is_err());
    }
}
