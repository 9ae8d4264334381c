//! JSON to Lua: objects and arrays become tables (arrays from 1), null becomes nil.

use piccolo::{Context, IntoValue as _, Table, Value};

/// How deep a value may nest.
const MAX_DEPTH: usize = 64;

pub(crate) fn to_lua<'gc>(
    ctx: Context<'gc>,
    value: &serde_json::Value,
    depth: usize,
) -> Result<Value<'gc>, piccolo::Error<'gc>> {
    if depth > MAX_DEPTH {
        return Err("the value nests too deep".into_value(ctx).into());
    }
    Ok(match value {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(truth) => Value::Boolean(*truth),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(float)) => Value::Number(float),
            (None, None) => Value::Nil,
        },
        serde_json::Value::String(text) => ctx.intern(text.as_bytes()).into(),
        serde_json::Value::Array(items) => {
            let table = Table::new(&ctx);
            for (index, item) in (1_i64..).zip(items) {
                table.set(ctx, index, to_lua(ctx, item, depth + 1)?)?;
            }
            table.into()
        }
        serde_json::Value::Object(fields) => {
            let table = Table::new(&ctx);
            for (name, field) in fields {
                table.set(ctx, ctx.intern(name.as_bytes()), to_lua(ctx, field, depth + 1)?)?;
            }
            table.into()
        }
    })
}
