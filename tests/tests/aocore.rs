//! Messages that are committed with a key, through `message@1.0`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use weft_codec::message::{Generation, Message, Value};
use weft_core::aocore::device::Devices;
use weft_core::aocore::{Answer, Core};
use weft_tests::signing::TestKey;

fn asked(base: &Message, request: Message, generation: Generation) -> Answer {
    let devices = Devices::standard();
    Core::new(&devices, generation).with_signer(TestKey::get()).resolve(base, &request).unwrap()
}

fn key(path: &str) -> Message {
    Message::new().with("path", path)
}

fn committed(base: &Message, request: Message, generation: Generation) -> Message {
    match asked(base, request.with("path", "commit"), generation).value {
        Value::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

/// `{a: b}` has the unsigned ids of HyperBEAM, and its signed id is that of its one signature.
#[weft_tests::both]
fn a_message_is_committed_and_its_ids_are_those_of_its_commitments() {
    let base = Message::new().with("a", "b");
    for (generation, unsigned) in [
        (Generation::June2025, "UfSqKA58Hwk99Jg5fsYGY4iKDfnnUAW9MQdMv2-Fw40"),
        (Generation::September2025, "qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk"),
    ] {
        let message = committed(&base, Message::new(), generation);
        let ids: Vec<&String> =
            message.get("commitments").unwrap().as_message().unwrap().iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(asked(&message, key("id"), generation), Answer::ok(unsigned));
        let signed = ids.iter().find(|id| id.as_str() != unsigned).unwrap().as_str();
        assert_eq!(asked(&message, key("id").with("committers", "all"), generation), Answer::ok(signed));
        let address = TestKey::get().address().to_string();
        let by = Value::List(vec![address.as_str().into()]);
        assert_eq!(asked(&message, key("id").with("committers", by.clone()), generation), Answer::ok(signed));
        assert_eq!(asked(&message, key("committers"), generation), Answer::ok(by));
        assert_eq!(asked(&message, key("committed"), generation).value, Value::List(vec!["a".into()]));
        let everyone = key("verify").with("commitments", "all");
        assert_eq!(asked(&message, everyone, generation), Answer::ok(true));
        let only = committed(&base, Message::new().with("type", "unsigned"), generation);
        assert_eq!(asked(&only, key("committers"), generation).value, Value::List(Vec::new()));
        assert_eq!(asked(&only, key("id").with("committers", "all"), generation), Answer::ok(unsigned));
    }
}

/// Any bit of a committed value, flipped: the commitments do not hold. A key that is not committed may be anything.
#[weft_tests::both]
fn a_flipped_bit_is_refused() {
    let generation = Generation::September2025;
    let base = Message::new()
        .with("data", "hello")
        .with("n", 7)
        .with("sub", Message::new().with("x", "y"))
        .with("free", "1");
    let keys = Value::List(vec!["data".into(), "n".into(), "sub".into(), "ao-types".into()]);
    let message = committed(&base, Message::new().with("committed", keys), generation);
    let verify = || key("verify").with("commitments", "all");
    assert_eq!(asked(&message, verify(), generation), Answer::ok(true));
    assert_eq!(asked(&message.clone().with("free", "2"), verify(), generation), Answer::ok(true));
    for bit in 0..40 {
        let mut data = b"hello".to_vec();
        data[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            asked(&message.clone().with("data", data), verify(), generation),
            Answer::ok(false),
            "bit {bit}"
        );
    }
    let others: [(&str, Value); 3] =
        [("n", 8.into()), ("n", "7".into()), ("sub", Message::new().with("x", "z").into())];
    for (name, value) in others {
        assert_eq!(
            asked(&message.clone().with(name, value), verify(), generation),
            Answer::ok(false),
            "{name}"
        );
    }
}

/// Another value of a committed key drops the commitments; the same one, and a key nobody committed to, do not.
#[weft_tests::both]
fn set_drops_commitments_that_no_longer_hold() {
    let generation = Generation::September2025;
    let base = Message::new().with("a", "1").with("b", "2");
    let keys = Value::List(vec!["a".into()]);
    let message = committed(&base, Message::new().with("committed", keys), generation);
    let has = |values: Message| match asked(&message, values.with("path", "set"), generation).value {
        Value::Message(message) => message.get("commitments").is_some(),
        other => panic!("{other:?}"),
    };
    assert!(has(Message::new().with("a", "1")));
    assert!(has(Message::new().with("b", "3")));
    assert!(!has(Message::new().with("a", "3")));
    assert!(!has(Message::new().with("a", Value::Atom("unset".to_owned()))));
}
