//! A module that counts and echoes, in the plain format.

use weft_codec::Id;

/// The module's text. It counts its messages in memory, and answers with the count as `Output`, the message it was
/// given as its one of `Messages` and the environment as its one of `Spawns`. Three marks in a message make it
/// fail: `!t` traps, `!l` loops for ever, `!e` answers with an `Error` after it has counted.
const TEXT: &str = r#"(module
  (memory (export "memory") 2 4096)
  (global $top (mut i32) (i32.const 65536))
  (data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"\00")
  (data (i32.const 1088) "\",\"Assignments\":[],\"Messages\":[\00")
  (data (i32.const 1152) "],\"Spawns\":[\00")
  (data (i32.const 1216) "]}}\00")
  (data (i32.const 1280) "{\"ok\":true,\"response\":{\"Error\":\"asked for\"}}\00")
  (func $room (param $bytes i32)
    (loop $more
      (if (i32.lt_u (i32.mul (memory.size) (i32.const 65536)) (i32.add (global.get $top) (local.get $bytes)))
        (then
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
          (br $more)))))
  (func $malloc (export "malloc") (param $bytes i32) (result i32)
    (local $at i32)
    (call $room (local.get $bytes))
    (local.set $at (global.get $top))
    (global.set $top (i32.add (local.get $at) (local.get $bytes)))
    (local.get $at))
  (func $copy (param $to i32) (param $from i32) (result i32)
    (local $byte i32)
    (loop $next
      (local.set $byte (i32.load8_u (local.get $from)))
      (i32.store8 (local.get $to) (local.get $byte))
      (if (local.get $byte)
        (then
          (local.set $to (i32.add (local.get $to) (i32.const 1)))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (br $next))))
    (local.get $to))
  (func $marked (param $at i32) (param $mark i32) (result i32)
    (local $byte i32)
    (loop $next
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.eqz (local.get $byte)) (then (return (i32.const 0))))
      (if (i32.and (i32.eq (local.get $byte) (i32.const 33))
                   (i32.eq (i32.load8_u offset=1 (local.get $at)) (local.get $mark)))
        (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next))
    unreachable)
  (func $number (param $to i32) (param $value i32) (result i32)
    (if (i32.ge_u (local.get $value) (i32.const 10))
      (then (local.set $to (call $number (local.get $to) (i32.div_u (local.get $value) (i32.const 10))))))
    (i32.store8 (local.get $to) (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10))))
    (i32.add (local.get $to) (i32.const 1)))
  (func (export "handle") (param $message i32) (param $env i32) (result i32)
    (local $out i32) (local $at i32)
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
    (if (call $marked (local.get $message) (i32.const 116)) (then unreachable))
    (if (call $marked (local.get $message) (i32.const 108)) (then (loop $ever (br $ever))))
    (local.set $out (global.get $top))
    (call $room (i32.add (i32.const 512) (i32.sub (global.get $top) (i32.const 65536))))
    (global.set $top (i32.const 65536))
    (if (call $marked (local.get $message) (i32.const 101)) (then (return (i32.const 1280))))
    (local.set $at (call $copy (local.get $out) (i32.const 1024)))
    (local.set $at (call $number (local.get $at) (i32.load (i32.const 8))))
    (local.set $at (call $copy (local.get $at) (i32.const 1088)))
    (local.set $at (call $copy (local.get $at) (local.get $message)))
    (local.set $at (call $copy (local.get $at) (i32.const 1152)))
    (local.set $at (call $copy (local.get $at) (local.get $env)))
    (drop (call $copy (local.get $at) (i32.const 1216)))
    (local.get $out)))"#;

/// The module's bytes.
///
/// # Panics
///
/// If the text above is not WebAssembly.
#[must_use]
#[expect(clippy::expect_used, reason = "a broken fixture fails the test that reads it")]
pub fn wasm() -> Vec<u8> {
    wat::parse_str(TEXT).expect("the module's text")
}

/// The SHA-256 of the module's bytes.
#[must_use]
pub fn program() -> Id {
    Id::sha256(&wasm())
}
