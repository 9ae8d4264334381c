//! The table `ao`: AO-Core from inside of a script.
//!
//! `message@1.0` is here: keys, paths over nested messages, `keys`, `set`. Any other device a script asks for is an error of
//! ours, `lua-unsupported`, which no `pcall` catches: a result that a node would have computed otherwise is none.

use weft_codec::message::{Generation, Ids, id, structured};

use super::call::taken;
use super::held::{Held, Key, Map, write_message};
use crate::{Call, LuaError, Returns, TableId, Term, Value, Vm};

/// The generation of HyperBEAM whose ids scripts see.
const GENERATION: Generation = Generation::September2025;
/// The library's name, as natives have one.
const MODULE: &str = "dev_lua_lib";

/// What a name of the library does with its arguments.
type Function = fn(&mut Call<'_>, Vec<Held>) -> Result<Vec<Held>, LuaError>;

const FUNCTIONS: [(&str, Function); 4] = [("event", event), ("get", get), ("resolve", resolve), ("set", set)];

/// Adds the table. What the modules made under that name stays beside it. Luerl makes a new table for it.
pub(super) fn install(vm: &mut Vm, base: &Map) -> Result<(), LuaError> {
    if base.contains_key(&"device-sandbox".into()) {
        return Err(LuaError::limit(
            crate::ErrorKind::Unsupported,
            "A `device-sandbox` is not applied here.",
        ));
    }
    let globals = vm.globals();
    let table = match vm.get_field(globals, "ao") {
        Value::Nil => vm.table(),
        Value::Table(table) => copied(vm, table, &mut Vec::new())?,
        other => return Err(LuaError::illegal_index(other, other)),
    };
    vm.set_field(globals, "ao", Value::Table(table));
    for (name, function) in FUNCTIONS {
        let native = vm.native(MODULE, name, move |call| {
            let mut args = Vec::new();
            for value in call.args() {
                args.push(taken(call.vm, value)?);
            }
            let results = function(call, args)?;
            let mut values = Vec::with_capacity(results.len());
            for result in &results {
                let value = result.given(call.vm)?;
                call.keep(value);
                values.push(value);
            }
            Ok(Returns::Many(values))
        });
        vm.set_field(table, name, native);
    }
    Ok(())
}

/// A table that modules left under the name `ao` goes out and in again as a value: what its functions captured stays the old
/// one, and metatables are lost. Functions stay themselves.
fn copied(vm: &mut Vm, table: TableId, within: &mut Vec<TableId>) -> Result<TableId, LuaError> {
    if within.contains(&table) {
        let parts = [Term::atom("recursive_table"), Value::Table(table).into()];
        return Err(LuaError::crash(Term::tuple(parts)));
    }
    within.push(table);
    let (mut entries, mut key) = (Vec::new(), Value::Nil);
    while let Some((next, value)) = vm.next(table, key) {
        let value = match value {
            Value::Table(inner) => Value::Table(copied(vm, inner, within)?),
            other => other,
        };
        entries.push((next, value));
        key = next;
    }
    within.pop();
    let made = vm.table();
    for (key, value) in entries {
        vm.set(made, key, value);
    }
    Ok(made)
}

fn clause(call: &Call<'_>) -> LuaError {
    call.crash("function_clause")
}

fn event(call: &mut Call<'_>, args: Vec<Held>) -> Result<Vec<Held>, LuaError> {
    if args.is_empty() || args.len() > 2 { Err(clause(call)) } else { Ok(vec!["ok".into()]) }
}

fn get(call: &mut Call<'_>, args: Vec<Held>) -> Result<Vec<Held>, LuaError> {
    let [key, base] = args.as_slice() else { return Err(clause(call)) };
    let (path, base) = (path_of(call, key)?, as_device(call, base)?);
    let found = walk(call, &base, &path)?;
    Ok(vec![found.unwrap_or_else(not_found)])
}

fn not_found() -> Held {
    Held::Atom("not_found".to_owned())
}

/// One message with a `path`; a message and a path; or messages one after the other.
fn resolve(call: &mut Call<'_>, args: Vec<Held>) -> Result<Vec<Held>, LuaError> {
    let (base, path) = match args.as_slice() {
        [Held::Map(message)] => {
            let mut base = message.clone();
            let path = base.remove(&"path".into()).ok_or_else(|| clause(call))?;
            let path = path_of(call, &path)?;
            (Held::Map(base), path)
        }
        [base, requests @ ..] if !requests.is_empty() => {
            let mut path = Vec::new();
            for request in requests {
                path.extend(path_of(call, request)?);
            }
            (as_device(call, base)?, path)
        }
        _ => return Err(clause(call)),
    };
    Ok(match walk(call, &base, &path)? {
        Some(found) => vec!["ok".into(), found],
        None => vec!["error".into(), not_found()],
    })
}

/// `{"as", DEVICE, message}` is the message under another device: its own, whatever that is, has no part in it.
fn as_device(call: &Call<'_>, base: &Held) -> Result<Held, LuaError> {
    let Held::List(values) = base else { return Ok(base.clone()) };
    match values.as_slice() {
        [word, device, Held::Map(message)] if word.text() == Some("as") && device.text().is_some() => {
            if message.contains_key(&"path".into()) {
                return Err(call.unsupported("A path under `as` is not resolved here."));
            }
            let mut message = message.clone();
            message.insert("device".into(), device.clone());
            plain_device(call, &message)?;
            Ok(Held::Map(message))
        }
        _ => Ok(base.clone()),
    }
}

fn set(call: &mut Call<'_>, args: Vec<Held>) -> Result<Vec<Held>, LuaError> {
    let (base, path, value) = match args.as_slice() {
        [Held::Map(base), Held::Map(values)] => return Ok(vec![Held::Map(merged(base, values))]),
        [Held::Map(base), key, value] => (base, path_of(call, key)?, value),
        _ => return Err(clause(call)),
    };
    let nested = path
        .iter()
        .rev()
        .fold(value.clone(), |inner, key| Held::Map(Map::from([(key.as_str().into(), inner)])));
    match nested {
        Held::Map(values) => Ok(vec![Held::Map(merged(base, &values))]),
        _ => Err(clause(call)),
    }
}

/// Values replace what is there; maps go into maps. Keys are texts from then on.
fn merged(base: &Map, values: &Map) -> Map {
    let mut all: Map = base.iter().map(|(key, value)| (Key::Text(key.normal()), value.clone())).collect();
    for (key, value) in values {
        let key = Key::Text(key.normal());
        let value = match (all.get(&key), value) {
            (Some(Held::Map(old)), Held::Map(new)) => Held::Map(merged(old, new)),
            _ => value.clone(),
        };
        all.insert(key, value);
    }
    all
}

/// The keys of a path: a text with `/` between them, a list of keys, or a message that has a path and nothing else.
fn path_of(call: &Call<'_>, request: &Held) -> Result<Vec<String>, LuaError> {
    let unsupported = || call.unsupported("A request of more than a path is not resolved here.");
    match request {
        Held::Binary(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| clause(call))?;
            if text.contains(['~', '&', '?', '(', '=']) {
                return Err(unsupported());
            }
            Ok(text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect())
        }
        Held::Int(number) => Ok(vec![number.to_string()]),
        Held::Map(map) if map.len() == 1 => match map.get(&"path".into()) {
            Some(path @ Held::Binary(_)) => path_of(call, path),
            _ => Err(unsupported()),
        },
        _ => Err(unsupported()),
    }
}

fn walk(call: &mut Call<'_>, base: &Held, path: &[String]) -> Result<Option<Held>, LuaError> {
    let mut at = base.clone();
    for key in path {
        let next = match &at {
            Held::Map(map) => {
                plain_device(call, map)?;
                key_of(call, map, key)?
            }
            Held::List(values) => {
                let place = key.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
                place.and_then(|place| values.get(place)).cloned()
            }
            _ => return Err(call.unsupported("A key of a value that is no message is not resolved here.")),
        };
        match next {
            Some(value) => at = value,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// Keys that `message@1.0` computes, and that are not computed here.
const COMPUTED: [&str; 10] =
    ["commit", "committed", "verify", "set", "set_path", "remove", "get", "index", "info", "path"];

fn key_of(call: &mut Call<'_>, map: &Map, key: &str) -> Result<Option<Held>, LuaError> {
    if key == "keys" {
        let public =
            map.keys().map(Key::normal).filter(|key| key != b"commitments" && !key.starts_with(b"priv"));
        return Ok(Some(Held::List(public.map(Held::Binary).collect())));
    }
    match key {
        "id" => return unsigned_id(call, map).map(Some),
        "committers" => return committers(call, map).map(Some),
        _ => {}
    }
    if COMPUTED.contains(&key) {
        return Err(call.unsupported("This key of message@1.0 is not resolved here."));
    }
    if key.starts_with("priv") {
        return Ok(None);
    }
    let lower = key.to_lowercase();
    let wanted = |name: &str| {
        map.iter().find(|(key, _)| key.normal() == name.as_bytes()).map(|(_, value)| value.clone())
    };
    Ok(wanted(key).or_else(|| wanted(&lower)))
}

/// More keys than this are in the order of Erlang's hash maps, and ids depend on it.
const ORDERED_KEYS: usize = 32;

/// The id that `message@1.0` gives where nothing more is asked: of the content, or of the commitments nobody signed.
fn unsigned_id(call: &mut Call<'_>, map: &Map) -> Result<Held, LuaError> {
    if !is_plain(map) {
        let sentence =
            "The id of a message with private keys, or with more than 32 keys, is not computed here.";
        return Err(call.unsupported(sentence));
    }
    // It hashes the message, level by level.
    call.fuel(map.iter().map(|(key, value)| 1 + key.normal().len() as u64 + size_of(value)).sum())?;
    let made = write_message(map)
        .and_then(|message| structured::to_tabm(&message, GENERATION))
        .and_then(|tabm| id::id(&tabm, Ids::Unsigned, GENERATION));
    let made = made.map_err(|error| call.unsupported(&format!("The message has no id here: {error}")))?;
    Ok(made.to_string().as_str().into())
}

/// Whether all messages of it are in the order of their keys, and none is private.
fn is_plain(map: &Map) -> bool {
    let inner = |value: &Held| match value {
        Held::Map(map) => is_plain(map),
        Held::List(values) => values.iter().all(|value| value.map().is_none_or(is_plain)),
        _ => true,
    };
    map.len() <= ORDERED_KEYS
        && map.iter().all(|(key, value)| !key.normal().starts_with(b"priv") && inner(value))
}

fn size_of(value: &Held) -> u64 {
    match value {
        Held::Binary(bytes) => bytes.len() as u64,
        Held::Map(map) => map.iter().map(|(key, value)| 1 + key.normal().len() as u64 + size_of(value)).sum(),
        Held::List(values) => values.iter().map(|value| 1 + size_of(value)).sum(),
        _ => 1,
    }
}

/// Who committed to a message, in the order of the commitments.
fn committers(call: &Call<'_>, map: &Map) -> Result<Held, LuaError> {
    let Some(commitments) = map.get(&"commitments".into()) else { return Ok(Held::List(Vec::new())) };
    let commitments = commitments.map().filter(|map| map.len() <= ORDERED_KEYS);
    let of = |commitment: &Held| commitment.map().map(|map| map.get(&"committer".into()).cloned());
    let found: Option<Vec<Option<Held>>> = commitments.and_then(|map| map.values().map(of).collect());
    let found = found.ok_or_else(|| call.unsupported("These commitments are not read here."))?;
    Ok(Held::List(found.into_iter().flatten().collect()))
}

fn plain_device(call: &Call<'_>, map: &Map) -> Result<(), LuaError> {
    match map.get(&"device".into()).map(Held::text) {
        None | Some(Some("message@1.0")) => Ok(()),
        _ => Err(call.unsupported("Only message@1.0 is resolved here.")),
    }
}
