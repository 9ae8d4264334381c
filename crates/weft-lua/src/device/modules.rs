//! The modules of a process, in the order they run, and what the sandbox takes away.

use super::held::{Held, Map};
use crate::{LuaError, Term, Value, Vm};

/// Messages by id that a process may name as modules: their keys, such as `body`.
pub type Store = std::collections::BTreeMap<String, Map>;

/// One module.
pub(super) struct Module {
    /// For places in errors.
    pub(super) name: String,
    pub(super) code: Vec<u8>,
}

/// What `sandbox: true` takes away: the path, below the globals.
const SANDBOX: [&[&str]; 14] = [
    &["io"],
    &["file"],
    &["os", "execute"],
    &["os", "exit"],
    &["os", "getenv"],
    &["os", "remove"],
    &["os", "rename"],
    &["os", "tmpname"],
    &["package"],
    &["loadfile"],
    &["require"],
    &["dofile"],
    &["load"],
    &["loadstring"],
];
/// What stands there instead.
const SANDBOXED: &str = "sandboxed";
/// Lists of modules in maps of modules may nest so deep.
const MAX_DEPTH: usize = 8;

/// The modules a state names. The error is the node's.
pub(super) fn find(base: &Map, store: &Store) -> Result<Vec<Module>, Map> {
    match base.get(&"module".into()) {
        None => Err(refusal(404, "no-modules-found")),
        Some(value) => list_of(value, store, 0),
    }
}

fn list_of(value: &Held, store: &Store, depth: usize) -> Result<Vec<Module>, Map> {
    if depth > MAX_DEPTH {
        return Err(refusal(500, "Modules nest too deep."));
    }
    match value {
        Held::Map(map) if is_module(map) => Ok(vec![one_of(value, store)?]),
        Held::Map(map) => list_of(&Held::List(map.values().cloned().collect()), store, depth + 1),
        Held::List(values) => values.iter().map(|value| one_of(value, store)).collect(),
        _ => Ok(vec![one_of(value, store)?]),
    }
}

fn is_module(map: &Map) -> bool {
    map.get(&"content-type".into()).and_then(Held::text).is_some_and(weft_codec::ao::is_lua_text)
}

fn one_of(value: &Held, store: &Store) -> Result<Module, Map> {
    match value {
        Held::Map(map) => from_message(map, None),
        Held::Binary(id) => {
            let id = String::from_utf8_lossy(id);
            let missing = || refusal(404, &format!("Lua module '{id}' not found."));
            from_message(store.get(id.as_ref()).ok_or_else(missing)?, Some(&id))
        }
        _ => Err(refusal(500, "A module is neither an id nor a message.")),
    }
}

fn from_message(map: &Map, id: Option<&str>) -> Result<Module, Map> {
    let code = ["body", "data"].into_iter().find_map(|key| match map.get(&key.into()) {
        Some(Held::Binary(code)) => Some(code.clone()),
        _ => None,
    });
    let code = code.ok_or_else(|| {
        let sentence = "Lua module not loadable. Lua modules must have a\n`body' element set to a binary of the code to load.";
        refusal(404, sentence)
    })?;
    let name = map.get(&"name".into()).and_then(Held::text).or(id).unwrap_or_default();
    Ok(Module { name: name.to_owned(), code })
}

pub(super) fn refusal(status: i64, body: &str) -> Map {
    Map::from([("status".into(), status.into()), ("body".into(), body.into())])
}

/// Takes away what the state's `sandbox` says. A form that a node cannot read fails there too.
pub(super) fn sandbox(vm: &mut Vm, base: &Map) -> Result<(), LuaError> {
    match base.get(&"sandbox".into()) {
        None => Ok(()),
        Some(Held::Atom(word)) if word == "false" => Ok(()),
        Some(Held::Atom(word)) if word == "true" => SANDBOX.iter().try_for_each(|path| take_away(vm, path)),
        Some(Held::List(paths)) => paths.iter().try_for_each(|path| {
            let path: Option<Vec<&str>> = match path {
                Held::List(parts) => parts.iter().map(Held::text).collect(),
                _ => None,
            };
            take_away(vm, &path.ok_or_else(|| LuaError::crash(Term::atom("function_clause")))?)
        }),
        Some(_) => Err(LuaError::crash(Term::atom("function_clause"))),
    }
}

fn take_away(vm: &mut Vm, path: &[&str]) -> Result<(), LuaError> {
    let path = path.strip_prefix(&["_G"]).unwrap_or(path);
    let Some((last, before)) = path.split_last() else { return Ok(()) };
    let mut table = vm.globals();
    for name in before {
        let at = vm.get_field(table, name);
        let Value::Table(inner) = at else {
            let key = vm.string(name);
            return Err(LuaError::illegal_index(at, key));
        };
        table = inner;
    }
    let text = vm.string(SANDBOXED);
    vm.set_field(table, last, text);
    Ok(())
}
