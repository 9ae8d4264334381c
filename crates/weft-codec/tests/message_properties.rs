//! Messages: what is written reads back, ids do not depend on the form, and nothing makes a reader panic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use weft_codec::Code;
use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{
    Generation, Ids, MAX_DEPTH, Message, Node, Tabm, Value, flat, id, json, structured,
};

fn generation() -> impl Strategy<Value = Generation> {
    prop::sample::select(Generation::ALL.to_vec())
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "k[a-z0-9 _.&?-]{0,6}",
        1 => Just("body".to_owned()),
        1 => Just("data".to_owned()),
        1 => Just("path".to_owned()),
        1 => "[A-Za-z0-9_-]{43}",
    ]
}

/// Text that a header line can carry, now and then too long for one.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[ -~]{1,20}".prop_map(String::into_bytes),
        1 => "[ -~]{1,4}".prop_map(|text| text.repeat(5000).into_bytes()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::Binary),
        1 => (-999_999_999_999_999_i64..=999_999_999_999_999).prop_map(Value::Integer),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
        1 => "[a-z][a-z_]{0,6}".prop_map(Value::Atom),
        1 => any::<[u8; 32]>().prop_map(|bytes| Value::Link(weft_codec::Id(bytes))),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::List),
            btree_map(key(), inner, 0..5).prop_map(|map| Value::Message(map.into_iter().collect())),
        ]
    })
}

fn message() -> impl Strategy<Value = Message> {
    btree_map(key(), value(), 0..7).prop_map(|map| map.into_iter().collect())
}

/// What the older generation does not keep: capitals of keys whose values are nested.
fn keeps_its_keys(value: &Value, generation: Generation) -> bool {
    match value {
        Value::List(values) => values.iter().all(|value| keeps_its_keys(value, generation)),
        Value::Message(message) => message.iter().all(|(key, value)| {
            let nested = matches!(value, Value::List(_) | Value::Message(_) | Value::Link(_));
            let kept = generation == Generation::September2025 || !nested || key.to_lowercase() == *key;
            kept && keeps_its_keys(value, generation)
        }),
        _ => true,
    }
}

/// Whether a word is in it that JSON has not.
fn has_words(value: &Value) -> bool {
    match value {
        Value::Atom(word) => !["true", "false", "null"].contains(&word.as_str()),
        Value::List(values) => values.iter().any(has_words),
        Value::Message(message) => message.iter().any(|(_, value)| has_words(value)),
        _ => false,
    }
}

proptest! {
    #[test]
    fn rich_messages_read_back(message in message(), generation in generation()) {
        prop_assume!(keeps_its_keys(&Value::Message(message.clone()), generation));
        let tabm = structured::to_tabm(&message, generation).unwrap();
        prop_assert_eq!(structured::from_tabm(&tabm).unwrap(), message);
    }

    #[test]
    fn headers_and_bodies_read_back(message in message(), generation in generation()) {
        let tabm = structured::to_tabm(&message, generation).unwrap();
        let encoded = httpsig::encode(&tabm, generation).unwrap();
        prop_assert_eq!(&httpsig::decode(&encoded).unwrap(), &tabm);
        let linked = tabm.linked(generation).unwrap();
        let sent = httpsig::encode(&linked, generation).unwrap();
        prop_assert_eq!(&httpsig::decode(&sent).unwrap(), &linked);
        // Once more over the wire.
        let body = sent.body.clone().unwrap_or_default();
        let received = Encoded::received(sent.headers.iter().map(|(name, value)| (name.clone(), value.clone())), body);
        if sent.headers.keys().all(|name| name.to_lowercase() == *name) {
            prop_assert_eq!(&httpsig::decode(&received.unwrap()).unwrap(), &linked);
        }
    }

    #[test]
    fn an_id_is_that_of_the_linked_form(message in message(), generation in generation()) {
        let tabm = structured::to_tabm(&message, generation).unwrap();
        let linked = tabm.linked(generation).unwrap();
        for which in [Ids::Unsigned, Ids::Signed, Ids::All] {
            prop_assert_eq!(id::id(&tabm, which, generation).unwrap(), id::id(&linked, which, generation).unwrap());
        }
        prop_assert_eq!(&linked.linked(generation).unwrap(), &linked);
    }

    #[test]
    fn paths_read_back(message in message()) {
        let tabm = structured::to_tabm(&message, Generation::September2025).unwrap();
        let flat = flat::to_flat(&tabm).unwrap();
        let back = flat::from_flat(flat.iter().map(|(path, bytes)| (path.clone(), Node::Binary(bytes.clone()))));
        prop_assert_eq!(flat::to_flat(&back.unwrap()).unwrap(), flat);
    }

    #[test]
    fn lines_read_back(entries in btree_map("[a-z]{1,3}(/[a-z]{4,6}){0,2}", "[a-z ]{0,8}", 0..6)) {
        let flat = entries.iter().map(|(path, text)| (path.clone(), Node::from(text.as_str())));
        // A path that leads through a value is refused.
        if let Ok(tabm) = flat::from_flat(flat) {
            let text = flat::to_text(&tabm).unwrap();
            let lines: String = entries.iter().map(|(path, text)| format!("{path}: {text}\n")).collect();
            prop_assert_eq!(&text, lines.as_bytes());
            prop_assert_eq!(flat::from_text(&text).unwrap(), tabm);
        }
    }

    #[test]
    fn json_reads_back(message in message(), generation in generation()) {
        // Words other than true, false and null are texts in the older generation's JSON.
        let plain = generation == Generation::September2025 || !has_words(&Value::Message(message.clone()));
        prop_assume!(plain && keeps_its_keys(&Value::Message(message.clone()), generation));
        let text = json::encode(&message, generation).unwrap();
        prop_assert_eq!(&json::decode(text.as_bytes()).unwrap(), &message);
        let tabm = structured::to_tabm(&message, generation).unwrap();
        let text = json::encode_tabm(&tabm).unwrap();
        prop_assert_eq!(json::decode(text.as_bytes()).unwrap(), structured::from_tabm(&tabm).unwrap());
    }

    #[test]
    fn no_json_panics(text in "(\\{|\\}|\\[|\\]|,|:|\"a\"|\"ao-types\"|\"a\\+link\"|\"x=\\\\\"list\\\\\"\"|1e999|-?[0-9]{1,30}|true|null){0,24}") {
        if let Ok(message) = json::decode(text.as_bytes()) {
            for generation in Generation::ALL {
                prop_assert!(json::encode(&message, generation).is_ok());
            }
        }
    }

    #[test]
    fn nothing_panics(
        headers in btree_map("[a-z+-]{1,8}|ao-ids|ao-types|ao-body-key|signature|signature-input", "[ -~]{0,40}", 0..6),
        body in "(--b\r\n|\r\n--b|content-disposition: form-data;name=\"|inline|\"|/|a|: |\r\n|--|signature: |ao-types: ){0,24}",
        multipart in any::<bool>(),
    ) {
        let mut headers: Vec<(String, String)> = headers.into_iter().collect();
        if multipart {
            headers.push(("content-type".to_owned(), "multipart/form-data; boundary=\"b\"".to_owned()));
        }
        let encoded = Encoded::received(headers, body.into_bytes()).unwrap();
        if let Ok(message) = httpsig::decode(&encoded) {
            for generation in Generation::ALL {
                let _ = structured::from_tabm(&message);
                let _ = id::id(&message, Ids::All, generation);
                let _ = httpsig::encode(&message, generation);
            }
        }
    }
}

fn deep(levels: usize) -> Tabm {
    (0..levels).fold(Tabm::new().with("x", "y"), |inner, _| Tabm::new().with("a", inner))
}

#[test]
fn depth_and_number_are_bounded() {
    let generation = Generation::September2025;
    for form in [deep(MAX_DEPTH + 2), deep(10_000)] {
        assert_eq!(id::id(&form, Ids::Unsigned, generation).unwrap_err().code(), Code::TooLarge);
        assert_eq!(httpsig::encode(&form, generation).unwrap_err().code(), Code::TooLarge);
        assert_eq!(flat::to_flat(&form).unwrap_err().code(), Code::TooLarge);
        assert_eq!(structured::from_tabm(&form).unwrap_err().code(), Code::TooLarge);
        // It is taken apart level by level, so that dropping it does not recurse.
        let mut rest = Some(form);
        while let Some(mut map) = rest {
            rest = match map.remove("a") {
                Some(Node::Map(inner)) => Some(inner),
                _ => None,
            };
        }
    }
    assert!(id::id(&deep(MAX_DEPTH - 1), Ids::Unsigned, generation).is_ok());
    let path = "a/".repeat(MAX_DEPTH + 1);
    let deep_path = flat::from_flat([(path, Node::from("x"))]).unwrap_err();
    assert_eq!(deep_path.code(), Code::TooLarge);
    let headers = (0..70_000).map(|number| (number.to_string(), "x"));
    assert_eq!(Encoded::received(headers, Vec::new()).unwrap_err().code(), Code::TooLarge);
}

/// Lines that are no `path: value` are passed over, as HyperBEAM's `dev_codec_flat` does.
#[test]
fn lines_that_say_nothing_are_passed_over() {
    let read = flat::from_text(b"a/b: c\n\nno colon\nx: y: z\na/b: d").unwrap();
    assert_eq!(read, Tabm::new().with("a", Tabm::new().with("b", "d")));
    assert_eq!(flat::from_text(b"a: 1\na/b: 2").unwrap_err().code(), Code::MessageMalformed);
    assert_eq!(flat::from_text(b"\xff: 1").unwrap_err().code(), Code::MessageMalformed);
}

#[test]
fn what_has_two_meanings_is_refused() {
    let generation = Generation::September2025;
    let both = Tabm::new().with("a", "x").with("a+link", "FVQT_45fIhz-kV0bEN4bBnpi6GUJ9-BI7uSm6DJHB6w");
    assert_eq!(both.linked(generation).unwrap_err().code(), Code::MessageMalformed);
    let two = Message::new().with("A", "x").with("a", "y");
    assert_eq!(structured::to_tabm(&two, Generation::June2025).unwrap_err().code(), Code::MessageMalformed);
    assert_eq!(structured::to_tabm(&two, generation).unwrap().len(), 2);
    for (types, value) in [
        ("a=\"integer\"", "1.5"),
        ("a=\"integer\"", "1000000000000000"),
        ("a=\"float\"", "5"),
        ("a=\"float\"", "1e400"),
        ("a=\"atom\"", "1"),
        ("a=\"odd\"", "x"),
        (".=\"list\"", "x"),
        ("a", "x, y"),
    ] {
        let message = Tabm::new().with("ao-types", types).with("a", value);
        let result = structured::value_of(&message);
        let fine = types == "a";
        assert_eq!(result.is_ok(), fine, "{types} {value}: {result:?}");
    }
    let infinite = Message::new().with("a", Value::Float(f64::INFINITY));
    assert_eq!(structured::to_tabm(&infinite, generation).unwrap_err().code(), Code::MessageMalformed);
    let older = Tabm::new().with("ao-types", "l=\"list\"").with("l", "\"(ao-type-integer) 1\", \"two\"");
    let list = Value::List(vec![Value::Integer(1), "two".into()]);
    assert_eq!(structured::from_tabm(&older).unwrap().get("l"), Some(&list));
}
