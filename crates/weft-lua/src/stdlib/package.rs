//! The `package` library, and `require`.

use super::args::{owned_text, string};
use super::string::no_case;
use super::{Answer, fill};
use crate::error::{ErrorKind, LuaError, Term};
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns, Vm};

const MODULE: &str = "luerl_lib_package";

/// Installs `package` and `require`, and gives the table of loaded modules.
pub(super) fn install(vm: &mut Vm, globals: TableId) -> TableId {
    let function = vm.native(MODULE, "require", require);
    vm.set_field(globals, "require", function);
    let [searchers, loaded, preload, package] = [(); 4].map(|()| vm.table());
    let preloaded = vm.native(MODULE, "preload_searcher", preload_searcher);
    let found = vm.native(MODULE, "lua_searcher", lua_searcher);
    vm.set(searchers, Value::Int(1), preloaded);
    vm.set(searchers, Value::Int(2), found);
    let config = vm.string(b"/\n;\n?\n!\n-\n");
    vm.set_field(package, "config", config);
    let path = vm.string(b"./?.lua;./?/init.lua");
    vm.set_field(package, "path", path);
    vm.set_field(package, "loaded", Value::Table(loaded));
    vm.set_field(package, "preload", Value::Table(preload));
    vm.set_field(package, "searchers", Value::Table(searchers));
    fill(vm, package, MODULE, &[("searchpath", "searchpath", searchpath)]);
    vm.set_field(globals, "package", Value::Table(package));
    vm.set_field(loaded, "package", Value::Table(package));
    loaded
}

/// The first argument's text, as the functions here take it.
fn name(call: &mut Call<'_>, function: &'static str) -> Result<Vec<u8>, LuaError> {
    let Some(value) = call.arg(0) else { return Err(no_case(call)) };
    owned_text(call, value)?.ok_or_else(|| call.badarg(function))
}

/// A field of a value by its name, as a script sees it.
fn field(call: &mut Call<'_>, value: Value, name: &[u8]) -> Result<Value, LuaError> {
    let key = call.string(name);
    call.keep(key);
    let found = call.index(value, key)?;
    call.keep(found);
    Ok(found)
}

/// A field of the table of globals' field `package`.
fn package_field(call: &mut Call<'_>, name: &[u8]) -> Result<Value, LuaError> {
    let globals = Value::Table(call.vm.globals());
    let package = field(call, globals, b"package")?;
    field(call, package, name)
}

fn require(call: &mut Call<'_>) -> Answer {
    let module = name(call, "require")?;
    let key = string(call, &module)?;
    call.keep(key);
    let loaded = package_field(call, b"loaded")?;
    let known = call.index(loaded, key)?;
    if !known.is_nil() {
        return Ok(Returns::One(known));
    }
    let searchers = package_field(call, b"searchers")?;
    let Value::Table(searchers) = searchers else { return Err(call.crash("function_clause")) };
    let (loader, extra) = search(call, searchers, key)?;
    let mut args = vec![key];
    args.extend(extra);
    let value = match call.call(loader, &args)?.first() {
        None | Some(Value::Nil) => Value::Bool(true),
        Some(value) => *value,
    };
    call.keep(value);
    let loaded = package_field(call, b"loaded")?;
    call.set_index(loaded, key, value)?;
    Ok(Returns::One(value))
}

/// Asks the searchers for a module's loader, and what is to be given to it.
fn search(call: &mut Call<'_>, searchers: TableId, module: Value) -> Result<(Value, Vec<Value>), LuaError> {
    let mut tried = Vec::new();
    for at in 1..=call.sort_length(searchers) {
        call.fuel(1)?;
        let searcher = call.get(searchers, Value::Int(i64::try_from(at).unwrap_or(i64::MAX)));
        if searcher.is_nil() {
            continue;
        }
        let found = call.call(searcher, &[module])?;
        match found.as_slice() {
            [loader, extra @ ..] if loader.is_function() => {
                found.iter().for_each(|value| call.keep(*value));
                return Ok((*loader, extra.to_vec()));
            }
            [reason, ..] => tried.extend_from_slice(call.bytes(*reason).unwrap_or_default()),
            [] => {}
        }
    }
    let tried = string(call, &tried)?;
    Err(LuaError::lua(Term::tuple([Term::atom("no_module"), module.into(), tried.into()])))
}

fn preload_searcher(call: &mut Call<'_>) -> Answer {
    let module = name(call, "preload_searcher")?;
    let preload = package_field(call, b"preload")?;
    match field(call, preload, &module)? {
        Value::Nil => Ok(Returns::None),
        loader => Ok(Returns::One(loader)),
    }
}

fn lua_searcher(call: &mut Call<'_>) -> Answer {
    let module = name(call, "lua_searcher")?;
    let path = package_field(call, b"path")?;
    let Some(path) = call.bytes(path).map(<[u8]>::to_vec) else { return Err(call.crash("badarg")) };
    match find(call, &module, &path, b".", b"/")? {
        Ok((file, content)) => {
            let name = string(call, &file)?;
            call.keep(name);
            match call.vm.load(&content, &String::from_utf8_lossy(&file)) {
                Ok(function) => Ok(Returns::Two(function, name)),
                Err(error) if error.kind() == ErrorKind::Syntax => {
                    let text = call.vm.error_text(&error);
                    Ok(Returns::One(string(call, &text)?))
                }
                Err(error) => Err(error),
            }
        }
        Err(tried) => Ok(Returns::One(string(call, &tried)?)),
    }
}

/// A file found on a path, with its content; or the files that were tried.
type Found = Result<(Vec<u8>, Vec<u8>), Vec<u8>>;

fn find(
    call: &mut Call<'_>,
    name: &[u8],
    path: &[u8],
    separator: &[u8],
    with: &[u8],
) -> Result<Found, LuaError> {
    if separator.is_empty() {
        return Err(call.crash("badarg"));
    }
    let name = replace(name, separator, with);
    let mut tried = Vec::new();
    for template in path.split(|c| *c == b';') {
        let file = replace(template, b"?", &name);
        call.fuel(super::args::work(file.len()) + 1)?;
        call.memory(tried.len() + file.len())?;
        call.unreplayable("files");
        let content = std::str::from_utf8(&file).ok().and_then(|file| call.vm.world.read(file));
        match content {
            Some(content) => return Ok(Ok((file, content))),
            None => tried.extend([b"'", file.as_slice(), b"' "].concat()),
        }
    }
    Ok(Err(tried))
}

fn replace(text: &[u8], pattern: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut copied = 0;
    for at in memchr::memmem::find_iter(text, pattern) {
        out.extend_from_slice(text.get(copied..at).unwrap_or_default());
        out.extend_from_slice(with);
        copied = at + pattern.len();
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    out
}

fn searchpath(call: &mut Call<'_>) -> Answer {
    let mut texts: [Vec<u8>; 4] = [Vec::new(), Vec::new(), b".".to_vec(), b"/".to_vec()];
    if call.count() < 2 {
        return Err(call.badarg("searchpath"));
    }
    for (at, text) in texts.iter_mut().enumerate() {
        if let Some(value) = call.arg(at) {
            *text = owned_text(call, value)?.ok_or_else(|| call.badarg("searchpath"))?;
        }
    }
    let [name, path, separator, with] = texts;
    match find(call, &name, &path, &separator, &with)? {
        Ok((file, _)) => Ok(Returns::One(string(call, &file)?)),
        Err(tried) => {
            let tried = string(call, &tried)?;
            Ok(Returns::Two(Value::Nil, tried))
        }
    }
}
