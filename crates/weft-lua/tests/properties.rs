//! Properties over generated programs: what a snapshot keeps, what the parser does with any text, and what becomes of texts
//! that are built piece by piece.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use weft_lua::{ErrorKind, Limits, Profile, Vm, answer};

fn vm() -> Vm {
    Vm::new(Profile::Luerl, Limits { fuel: 2_000_000, memory: 16 << 20, ..Limits::default() })
}

fn run(vm: &mut Vm, program: &str) -> String {
    answer(vm, program.as_bytes()).unwrap_or_else(|error| error.code().to_owned())
}

/// An expression without free local variables.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|n| format!("({n})")),
        (-1e9..1e9f64).prop_map(|f| format!("({f:?})")),
        "[a-z ]{0,60}".prop_map(|text| format!("\"{text}\"")),
        Just("nil".to_owned()),
        Just("true".to_owned()),
        Just("(1 << 80)".to_owned()),
        "[abc]".prop_map(|name| name),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{a}, k = {b}, {a}}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(tostring({a}) .. tostring({b}))")),
            inner.clone().prop_map(|a| format!("function (...) c = {a} return ..., c end")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.prop_map(|a| format!("setmetatable({{{a}}}, {{__index = {{k = {a}}}}})")),
        ]
    })
}

/// Statements on three globals.
fn program() -> impl Strategy<Value = String> {
    let statement = (0..6, "[abc]", expression()).prop_map(|(kind, name, value)| match kind {
        0 | 1 => format!("{name} = {value}"),
        2 => format!("{name} = {{[1] = {value}, [3] = 1, x = {name}}}"),
        3 => format!("do local u = {value} {name} = function () u = {{u}} return #u end end"),
        4 => format!("for i = 1, 5 do {name} = {{i, {name}}} end"),
        _ => format!("pcall(function () {name}.y = {value} end)"),
    });
    prop::collection::vec(statement, 1..8).prop_map(|statements| statements.join("\n"))
}

const PROBE: &str = "
    local seen, out = {}, {}
    local function walk(v, depth)
        if type(v) ~= 'table' or seen[v] or depth > 5 then out[#out + 1] = tostring(v) return end
        seen[v] = true
        for k, w in pairs(v) do walk(k, depth + 1) walk(w, depth + 1) end
    end
    walk({a, b, c}, 0)
    for _, f in ipairs({a, b, c}) do out[#out + 1] = tostring(({pcall(f)})[2]) end
    return table.concat(out, ' '), tostring({})";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restored_state_has_the_same_bytes_and_goes_the_same_way(first in program(), second in program()) {
        let mut original = vm();
        run(&mut original, &first);
        original.collect(&[]);
        let bytes = original.snapshot().unwrap();
        let mut restored = vm();
        restored.restore(&bytes).unwrap();
        prop_assert!(restored.snapshot().unwrap() == bytes);
        for then in [second.as_str(), PROBE] {
            prop_assert_eq!(run(&mut restored, then), run(&mut original, then));
        }
        prop_assert!(restored.snapshot().unwrap() == original.snapshot().unwrap());
    }

    #[test]
    fn any_flipped_bit_of_a_snapshot_is_refused(first in program(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut original = vm();
        run(&mut original, &first);
        let mut bytes = original.snapshot().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(vm().restore(&bytes).unwrap_err().kind(), ErrorKind::Snapshot);
    }

    #[test]
    fn a_failed_call_leaves_nothing(first in program(), second in program()) {
        let mut machine = vm();
        run(&mut machine, &first);
        machine.collect(&[]);
        let before = machine.snapshot().unwrap();
        machine.begin();
        run(&mut machine, &second);
        machine.roll_back();
        prop_assert!(machine.snapshot().unwrap() == before);
    }

    #[test]
    fn any_text_is_a_program_or_an_error(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = vm().load(&text, "any");
    }

    #[test]
    fn any_tokens_are_a_program_or_an_error(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b", "1", "0x1p4", "'t'", "[[l]]", "(", ")", "{", "}", "[", "]", "=", "==", ",", ";", ".", "..", "...",
                ":", "+", "-", "*", "~", "#", "not", "and", "or", "function", "end", "local", "if", "then", "else", "for",
                "in", "do", "while", "repeat", "until", "return", "break", "goto", "::", "--", "\n",
            ]),
            0..60,
        )
    ) {
        let _ = vm().load(tokens.join(" ").as_bytes(), "any");
    }

    /// Each step continues one of the texts there are, most of which share their bytes with others.
    #[test]
    fn texts_that_share_their_bytes_stay_what_they_are(
        steps in prop::collection::vec((any::<prop::sample::Index>(), "[a-z]{0,30}", 0..20u8), 1..60)
    ) {
        let mut machine = vm();
        let mut texts = vec!["a text that is long enough not to be kept just once".to_owned()];
        run(&mut machine, &format!("t = {{\"{}\"}}", texts[0]));
        for (from, more, chance) in steps {
            let at = from.index(texts.len());
            let text = format!("{}{more}", texts[at]);
            texts.push(text);
            run(&mut machine, &format!("t[{}] = t[{}] .. \"{more}\"", texts.len(), at + 1));
            if chance == 0 {
                // The longest are gone: what is left of their bytes can be continued again.
                texts.truncate(at + 1);
                run(&mut machine, &format!("for i = {}, 100 do t[i] = nil end", at + 2));
                machine.collect(&[]);
            }
        }
        for (at, text) in texts.iter().enumerate() {
            let expected = format!("ok [<<\"{text}\">>,true]");
            let same = format!("return t[{0}], t[{0}] == \"{text}\" and ({{[t[{0}]] = true}})[\"{text}\"]", at + 1);
            prop_assert_eq!(run(&mut machine, &same), expected);
        }
    }
}
