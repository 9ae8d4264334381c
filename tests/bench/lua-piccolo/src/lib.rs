//! `run(engine, program)`: 0 is piccolo, 1 piccolo with checked natives for operators, 2 Weft's own VM.

use piccolo::{Callback, CallbackReturn, Closure, Context, Executor, Fuel, IntoValue as _, Lua, String, Table, Value};
use weft_lua::{Limits, Profile, Vm};

const PLAIN: [&str; 3] =
    [include_str!("../../lua/fib.lua"), include_str!("../../lua/inserts.lua"), include_str!("../../lua/ledger.lua")];
const LOWERED: [&str; 3] = [
    include_str!("../programs/fib.lowered.lua"),
    include_str!("../programs/inserts.lowered.lua"),
    include_str!("../programs/ledger.lowered.lua"),
];

fn arithmetic<'gc>(ctx: Context<'gc>, operate: fn(i64, i64) -> Option<i64>) -> Callback<'gc> {
    Callback::from_fn(&ctx, move |ctx, _, mut stack| {
        let (a, b) = stack.consume::<(Value<'_>, Value<'_>)>(ctx)?;
        let result = match (a, b) {
            (Value::Integer(a), Value::Integer(b)) => operate(a, b),
            _ => None,
        };
        let Some(n) = result else { return Err("a long integer".into_value(ctx).into()) };
        stack.push_back(Value::Integer(n));
        Ok(CallbackReturn::Return)
    })
}

fn comparison<'gc>(ctx: Context<'gc>, compare: fn(i64, i64) -> bool) -> Callback<'gc> {
    Callback::from_fn(&ctx, move |ctx, _, mut stack| {
        let (a, b) = stack.consume::<(i64, i64)>(ctx)?;
        stack.push_back(Value::Boolean(compare(a, b)));
        Ok(CallbackReturn::Return)
    })
}

fn natives(ctx: Context<'_>) -> Result<(), piccolo::Error<'_>> {
    ctx.set_global("add", arithmetic(ctx, i64::checked_add))?;
    ctx.set_global("sub", arithmetic(ctx, i64::checked_sub))?;
    ctx.set_global("mul", arithmetic(ctx, i64::checked_mul))?;
    ctx.set_global("mod", arithmetic(ctx, i64::checked_rem_euclid))?;
    ctx.set_global("lt", comparison(ctx, |a, b| a < b))?;
    ctx.set_global("le", comparison(ctx, |a, b| a <= b))?;
    let set = Callback::from_fn(&ctx, |ctx, _, mut stack| {
        let (table, key, value) = stack.consume::<(Table<'_>, Value<'_>, Value<'_>)>(ctx)?;
        table.set(ctx, key, value)?;
        Ok(CallbackReturn::Return)
    });
    ctx.set_global("set", set)?;
    let concat = Callback::from_fn(&ctx, |ctx, _, mut stack| {
        let (a, b) = stack.consume::<(String<'_>, i64)>(ctx)?;
        let mut text = a.as_bytes().to_vec();
        text.extend_from_slice(b.to_string().as_bytes());
        stack.push_back(ctx.intern(&text).into());
        Ok(CallbackReturn::Return)
    });
    ctx.set_global("concat", concat)?;
    Ok(())
}

fn piccolo(source: &str) -> i64 {
    let mut lua = Lua::core();
    let executor = lua
        .try_enter(|ctx| {
            natives(ctx)?;
            let chunk = Closure::load(ctx, None, source.as_bytes())?;
            Ok(ctx.stash(Executor::start(ctx, chunk.into(), ())))
        })
        .expect("it compiles");
    loop {
        let mut fuel = Fuel::with(1 << 16);
        if lua.enter(|ctx| ctx.fetch(&executor).step(ctx, &mut fuel)) {
            break;
        }
    }
    lua.try_enter(|ctx| ctx.fetch(&executor).take_result::<i64>(ctx)?).expect("it ends")
}

fn ours(source: &str) -> i64 {
    let mut vm = Vm::new(Profile::Luerl, Limits::default());
    let chunk = vm.load(source.as_bytes(), "bench").expect("it compiles");
    match vm.call(chunk, &[]).expect("it ends").first() {
        Some(weft_lua::Value::Int(n)) => *n,
        _ => -1,
    }
}

/// Runs a program; its result is the same on every engine.
#[unsafe(no_mangle)]
pub extern "C" fn run(engine: usize, program: usize) -> i64 {
    match engine {
        0 => piccolo(PLAIN[program]),
        1 => piccolo(LOWERED[program]),
        _ => ours(PLAIN[program]),
    }
}

/// Nothing here is random: piccolo asks for seeds all the same.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(to: *mut u8, length: usize) -> Result<(), getrandom::Error> {
    unsafe { std::slice::from_raw_parts_mut(to, length).fill(7) };
    Ok(())
}

fn seven(to: &mut [u8]) -> Result<(), getrandom2::Error> {
    to.fill(7);
    Ok(())
}

getrandom2::register_custom_getrandom!(seven);
