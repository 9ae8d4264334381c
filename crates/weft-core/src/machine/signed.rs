//! Processes that were spawned with a signed AO-Core message, and whose schedule is of such messages: `process@1.0` over
//! `lua@5.3a`, as a HyperBEAM node has it.

use std::collections::BTreeSet;

use weft_codec::message::{Tabm, structured};
use weft_codec::{Code, Error, Result};
use weft_lua::device::{Map, Store, read_message};
use weft_verify::Verified;
use weft_verify::http::{SignedAssignment, SignedProcess};

use super::{Engine, Evaluation, Place, ProcessMachine, Snapshot, lua};
use crate::limits::NodeLimits;
use crate::modules::MAX_MODULES;
use crate::options::unsupported;

/// The devices that such a process may name, and what it has to say to be run here. HyperBEAM takes these where it names none.
const DEVICES: [(&str, &str); 3] =
    [("device", "process@1.0"), ("scheduler-device", "scheduler@1.0"), ("execution-device", "lua@5.3a")];

/// The modules of a signed process that are not in its own message: what their items or messages hold, by id.
#[derive(Clone, Default)]
pub struct SignedModules {
    store: Store,
}

impl SignedModules {
    /// Adds the message of a module, whoever proved it. Errors: those of reading a message.
    pub fn add(&mut self, id: weft_codec::Id, message: &Tabm) -> Result<()> {
        self.store.insert(id.to_string(), map_of(message)?);
        Ok(())
    }
}

fn map_of(message: &Tabm) -> Result<Map> {
    read_message(&structured::from_tabm(message)?)
}

fn limits(node: &NodeLimits) -> weft_lua::Limits {
    let most = weft_lua::Limits::default();
    let memory = usize::try_from(node.memory_bytes).unwrap_or(usize::MAX);
    weft_lua::Limits { fuel: most.fuel.min(node.gas), memory: most.memory.min(memory), ..most }
}

/// Whether this version runs the process. Errors: `module-format-unsupported`, `modules-too-many`, `module-repeated`.
pub fn check_signed(process: &SignedProcess) -> Result<()> {
    for (key, known) in DEVICES {
        match process.message.text(key) {
            Some(device) if device != known => {
                let device: String = device.chars().take(60).collect();
                let what = format!("The process's {key} is `{device}`; this version runs {known} alone.");
                return Err(unsupported(what).with("device", device));
            }
            None if key == "execution-device" => {
                return Err(unsupported("The process names no execution-device."));
            }
            _ => {}
        }
    }
    if process.modules.len() > MAX_MODULES {
        let count = process.modules.len();
        let what = format!("The process lists {count} modules; this version runs at most {MAX_MODULES}.");
        return Err(Error::new(Code::ModulesTooMany, what).with("modules", count));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = process.modules.iter().find(|id| !seen.insert(**id)) {
        let what = format!("The process lists the module {twice} twice, which this version does not run.");
        return Err(Error::new(Code::ModuleRepeated, what).with("module", twice));
    }
    Ok(())
}

impl ProcessMachine {
    /// A signed process before its first slot. Errors: those of [`check_signed`]; `module-invalid` for Lua that does not run.
    pub fn of_signed(
        process: &Verified<SignedProcess>,
        modules: &SignedModules,
        node: &NodeLimits,
    ) -> Result<Self> {
        check_signed(process)?;
        let (id, message) = (process.id.to_string(), map_of(&process.message)?);
        let machine = lua::Lua::of_message(id, &message, &modules.store, limits(node))?;
        Ok(Self { engine: Engine::Lua(Box::new(machine)) })
    }

    /// A signed process as a [`Self::snapshot`] left it. Errors: `snapshot-invalid`.
    pub fn restore_signed(
        process: &Verified<SignedProcess>,
        node: &NodeLimits,
        snapshot: &Snapshot,
    ) -> Result<Self> {
        let Snapshot::Lua(bytes) = snapshot else {
            return Err(Error::new(Code::SnapshotInvalid, "The snapshot is of another kind of process."));
        };
        let (id, message) = (process.id.to_string(), map_of(&process.message)?);
        let machine = lua::Lua::restore_message(id, &message, limits(node), bytes)?;
        Ok(Self { engine: Engine::Lua(Box::new(machine)) })
    }

    /// Evaluates one slot of a signed schedule. Errors: as [`Self::step`]; `request-invalid` for a machine of another kind.
    pub fn step_signed(&mut self, assignment: &Verified<SignedAssignment>) -> Result<Evaluation<'_>> {
        let place = Place {
            slot: assignment.slot,
            message: assignment.message_id,
            timestamp: assignment.timestamp,
            block_height: assignment.block_height,
        };
        match &mut self.engine {
            Engine::Lua(lua) => Ok(lua.apply(place, map_of(&assignment.shown)?)),
            Engine::Wasm(_) => {
                Err(Error::new(Code::RequestInvalid, "A wasm process has no schedule of such messages here."))
            }
        }
    }
}
