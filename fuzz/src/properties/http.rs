//! Signed HTTP messages and the fields they are made of.

use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{Generation, Ids, Tabm, id, structured};
use weft_codec::structured_fields::{
    Dictionary, Keys, parse_dictionary, parse_item, parse_list, serialise_dictionary, serialise_item,
    serialise_list,
};
use weft_verify::{Untrusted, http};

/// Any structured field: what reads is written so that it reads alike, and what was written once stays as it is.
pub fn structured_fields(bytes: &[u8]) {
    if let Ok(item) = parse_item(bytes) {
        let text = serialise_item(&item).unwrap();
        assert_eq!(parse_item(text.as_bytes()).unwrap(), item);
    }
    if let Ok(list) = parse_list(bytes) {
        let text = serialise_list(&list).unwrap();
        assert_eq!(parse_list(text.as_bytes()).unwrap(), list);
    }
    for keys in [Keys::Strict, Keys::HyperBeam] {
        if let Ok(dictionary) = parse_dictionary(bytes, keys) {
            let text = serialise_dictionary(&dictionary, keys).unwrap();
            assert_eq!(parse_dictionary(text.as_bytes(), keys).unwrap(), dictionary);
            assert!(keys_once(&dictionary));
        }
    }
}

fn keys_once(dictionary: &Dictionary) -> bool {
    let keys: std::collections::BTreeSet<&String> = dictionary.iter().map(|(key, _)| key).collect();
    keys.len() == dictionary.len()
}

/// Header lines, an empty line, a body: it reads or is refused; an id does not depend on the form; what a signer said is
/// in what came, and is covered again when it is sent alone.
pub fn httpsig(bytes: &[u8]) {
    let (head, body) = split(bytes);
    let lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let headers = lines.filter_map(|line| {
        let colon = line.windows(2).position(|pair| pair == b": ")?;
        Some((std::str::from_utf8(&line[..colon]).ok()?, &line[colon + 2..]))
    });
    let Ok(encoded) = Encoded::received(headers, body.to_vec()) else { return };
    let Ok(message) = httpsig::decode(&encoded) else { return };
    drop(structured::from_tabm(&message));
    for generation in Generation::ALL {
        let own = id::id(&message, Ids::All, generation);
        if let (Ok(own), Ok(linked)) = (own, message.linked(generation)) {
            assert_eq!(id::id(&linked, Ids::All, generation).unwrap(), own);
        }
        drop(httpsig::encode(&message, generation));
    }
    let Ok(proved) = http::signed_message(Untrusted::new(encoded, "fuzz")) else { return };
    for held in &proved.held {
        let keys = held.message.iter().map(|(key, _)| key).filter(|key| *key != "commitments");
        for key in keys {
            let plain = key.strip_suffix("+link").unwrap_or(key);
            assert!(has(&message, key) || has(&message, plain), "{key} did not come");
        }
    }
}

fn has(message: &Tabm, key: &str) -> bool {
    // A body without a value is one all the same.
    message.has(key) || key == "body" || key == "data"
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(at) => (&bytes[..at], &bytes[at + 4..]),
        None => (bytes, &[]),
    }
}
