//! `require` and the `package` table.

use super::Answer;
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns, Vm};

/// Makes the table; answers `package.loaded`.
pub(super) fn install(vm: &mut Vm, globals: TableId) -> TableId {
    let (package, loaded, preload) = (vm.table(), vm.table(), vm.table());
    vm.set_field(package, "loaded", Value::Table(loaded));
    vm.set_field(package, "preload", Value::Table(preload));
    for (name, text) in [("path", "./?.lua;./?/init.lua"), ("cpath", ""), ("config", "/\n;\n?\n!\n-\n")] {
        let text = vm.string(text);
        vm.set_field(package, name, text);
    }
    vm.set_field(globals, "package", Value::Table(package));
    vm.set_field(loaded, "package", Value::Table(package));
    let require = vm.native("_G", "require", move |call| require(call, package));
    vm.set_field(globals, "require", require);
    loaded
}

fn require(call: &mut Call<'_>, package: TableId) -> Answer {
    let name = call.text_arg(0)?;
    let key = call.made(&name)?;
    call.keep(key);
    let Value::Table(loaded) = call.vm.get_field(package, "loaded") else {
        return Err(call.error("'package.loaded' must be a table"));
    };
    let known = call.get(loaded, key);
    if known.is_true() {
        return Ok(Returns::One(known));
    }
    let (loader, extra) = found(call, package, key, &name)?;
    call.keep(loader);
    call.keep(extra);
    let value = call.call(loader, &[key, extra])?.first().copied().unwrap_or(Value::Nil);
    if !value.is_nil() {
        call.set(loaded, key, value);
    } else if call.get(loaded, key).is_nil() {
        call.set(loaded, key, Value::Bool(true));
    }
    Ok(Returns::One(call.get(loaded, key)))
}

/// Who makes a module, and what it is told of where it was found.
fn found(
    call: &mut Call<'_>,
    package: TableId,
    key: Value,
    name: &[u8],
) -> Result<(Value, Value), crate::error::LuaError> {
    let shown = String::from_utf8_lossy(name).into_owned();
    let mut tried = format!("\n\tno field package.preload['{shown}']");
    if let Value::Table(preload) = call.vm.get_field(package, "preload") {
        let loader = call.get(preload, key);
        if !loader.is_nil() {
            return Ok((loader, Value::Nil));
        }
    }
    let path = call.vm.get_field(package, "path");
    let Some(path) = call.bytes(path).map(|path| String::from_utf8_lossy(path).into_owned()) else {
        return Err(call.error("'package.path' must be a string"));
    };
    for place in path.split(';').filter(|place| !place.is_empty()).take(64) {
        let file = place.replace('?', &shown.replace('.', "/"));
        if let Some(text) = call.vm.world.read(&file) {
            call.unreplayable("require");
            let loader = call.vm.load_exact(&text, &format!("@{file}"), None)?;
            let file = call.string(file);
            return Ok((loader, file));
        }
        tried.push_str(&format!("\n\tno file '{file}'"));
    }
    Err(call.error(format!("module '{shown}' not found:{tried}")))
}
