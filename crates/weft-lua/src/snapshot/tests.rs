#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::vm::Limits;

fn vm() -> Vm {
    Vm::new(Profile::Luerl, Limits { fuel: 50_000_000, ..Limits::default() })
}

fn run(vm: &mut Vm, source: &str) -> String {
    let values = vm.load(source.as_bytes(), "test").and_then(|chunk| vm.call(chunk, &[])).unwrap();
    vm.values_text(&values)
}

/// A state with a bit of everything.
const STATE: &str = "
    balances = {alice = 10, bob = 2^70, [1] = 'one', [2] = true, [4] = 1.5, [-1] = false, [true] = {}}
    big = 1 << 100
    ring = {} ring.self = ring
    local count = 0
    local function up(n) count = count + n return count end
    counter = {up = up, same = up, get = function() return count end}
    handlers = {}
    for i = 1, 5 do handlers[i] = function(x) i = i + x return i end end
    class = setmetatable({}, {__index = function(t, k) return k .. '?' end, __call = function(self, a) return a * 2 end})
    text = string.rep('long ', 40)
    queue = {1, 2, 3} queue[3] = nil
    constructor = {[nil] = 'nothing', 5}
    gone = {} for i = 1, 100 do gone[i] = {i} end for i = 1, 100 do gone[i] = nil end
    loaded = load('local a = ... return function() a = a + 1 return a end')(41)
    math.randomseed(7) math.random()
";

const PROBES: &[&str] = &[
    "return counter.up(5), counter.same(1), counter.get()",
    "return handlers[1](1), handlers[1](1), handlers[2](10)",
    "return class.x, class(21), text:sub(1, 5), #text, big + 1, ring.self == ring, ring.self.self",
    "local s = '' for k, v in pairs(balances) do s = s .. tostring(k) .. ' ' end return s",
    "return pcall(table.sort, queue)",
    "return constructor[nil], constructor[1], next(gone), loaded(), loaded()",
    "return math.random(1000), tostring({}), tostring(counter.up), tostring(function() end), tostring(print)",
];

#[test]
fn a_state_comes_back_equal() {
    let mut original = vm();
    run(&mut original, STATE);
    let bytes = original.snapshot().unwrap();
    let mut restored = vm();
    restored.restore(&bytes).unwrap();
    assert!(restored.snapshot().unwrap() == bytes, "a restored state has the same bytes");
    for probe in PROBES {
        assert_eq!(run(&mut restored, probe), run(&mut original, probe), "{probe}");
    }
    assert!(restored.snapshot().unwrap() == original.snapshot().unwrap(), "and goes the same way");
}

#[test]
fn equal_states_have_equal_bytes() {
    let mut direct = vm();
    run(&mut direct, "t = {a = 1, b = 2, 10, 20}");
    let mut detour = vm();
    run(&mut detour, "t = {b = 2, x = 5, a = 0, [2] = 20, 10} t.x = nil t.a = 1");
    detour.collect(&[]);
    // The chunks are garbage in both, and their functions have the same numbers.
    assert!(direct.snapshot().unwrap() == detour.snapshot().unwrap());
}

#[test]
fn altered_and_cut_off_bytes_are_refused() {
    let mut original = vm();
    run(&mut original, STATE);
    let bytes = original.snapshot().unwrap();
    let mut other = vm();
    run(&mut other, "kept = 1");
    for at in (0..bytes.len()).step_by(7) {
        let mut altered = bytes.clone();
        altered[at] ^= 0x10;
        assert_eq!(other.restore(&altered).unwrap_err().code(), "lua-snapshot", "byte {at}");
        assert_eq!(other.restore(&bytes[..at]).unwrap_err().code(), "lua-snapshot", "cut at {at}");
    }
    assert_eq!(run(&mut other, "return kept + 0.5"), "[1.5]");
}

/// What lies behind a right hash may still be anything.
#[test]
fn a_body_that_lies_is_refused_or_taken_without_a_panic() {
    let mut original = vm();
    run(&mut original, STATE);
    let bytes = original.snapshot().unwrap();
    for at in (HEADER..bytes.len()).step_by(5) {
        for change in [0x01u8, 0x80] {
            let mut altered = bytes.clone();
            altered[at] ^= change;
            let hash = Sha256::digest(&altered[HEADER..]);
            altered[MAGIC.len() + 1..HEADER].copy_from_slice(&hash);
            let mut other = vm();
            if other.restore(&altered).is_ok() {
                other.set_fuel(100_000);
                for probe in PROBES {
                    let _ = other.load(probe.as_bytes(), "test").and_then(|chunk| other.call(chunk, &[]));
                }
                let _ = other.snapshot();
            }
        }
    }
}
