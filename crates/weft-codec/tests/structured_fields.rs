//! The HTTP working group's suite for structured fields, and what it leaves out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many cases ran is part of the result")]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;
use weft_codec::structured_fields::{
    BareItem, Decimal, Dictionary, InnerList, Item, Keys, MAX_FIELD, Member, Parameters, parse_dictionary,
    parse_item, parse_list, serialise_bare, serialise_dictionary, serialise_item, serialise_list,
};
use weft_codec::{Code, Result};

/// The whole suite where `../shared/fixtures` is, the committed part of it otherwise.
fn suite() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = root.join("../shared/fixtures/standards/structured-fields");
    let (folder, name) = if shared.is_dir() {
        (shared, "../shared/fixtures/standards/structured-fields")
    } else {
        (root.join("tests/fixtures/structured-fields"), "the committed part of it")
    };
    println!("structured-field-tests: {name}");
    let mut files = Vec::new();
    for folder in [folder.clone(), folder.join("serialisation-tests")] {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")));
    }
    files.sort();
    files
}

/// A field of any of the three kinds.
#[derive(Debug, PartialEq)]
enum Field {
    Item(Item),
    List(Vec<Member>),
    Dictionary(Dictionary),
}

fn parse(kind: &str, raw: &[u8]) -> Result<Field> {
    match kind {
        "item" => parse_item(raw).map(Field::Item),
        "list" => parse_list(raw).map(Field::List),
        "dictionary" => parse_dictionary(raw, Keys::Strict).map(Field::Dictionary),
        other => panic!("{other} is no kind of field"),
    }
}

fn serialise(field: &Field) -> Result<String> {
    match field {
        Field::Item(item) => serialise_item(item),
        Field::List(list) => serialise_list(list),
        Field::Dictionary(dictionary) => serialise_dictionary(dictionary, Keys::Strict),
    }
}

/// None where a decimal is too large to be one.
fn bare(value: &Value) -> Option<BareItem> {
    Some(match value {
        Value::Bool(truth) => BareItem::Boolean(*truth),
        Value::String(text) => BareItem::String(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => BareItem::Integer(integer),
            None => BareItem::Decimal(Decimal::from_f64(number.as_f64().unwrap())?),
        },
        Value::Object(typed) => {
            let value = &typed["value"];
            match typed["__type"].as_str().unwrap() {
                "token" => BareItem::Token(value.as_str().unwrap().to_owned()),
                "binary" => BareItem::Bytes(base32(value.as_str().unwrap())),
                "date" => BareItem::Date(value.as_i64().unwrap()),
                "displaystring" => BareItem::Display(value.as_str().unwrap().to_owned()),
                other => panic!("{other} is no type"),
            }
        }
        other => panic!("{other} is no item"),
    })
}

fn base32(text: &str) -> Vec<u8> {
    let mut bits = String::new();
    for symbol in text.trim_end_matches('=').bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == symbol).unwrap();
        bits += &format!("{value:05b}");
    }
    let whole = bits.len() / 8 * 8;
    (0..whole).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap()).collect()
}

fn parameters(value: &Value) -> Option<Parameters> {
    let pairs = value.as_array().unwrap().iter();
    pairs.map(|pair| Some((pair[0].as_str().unwrap().to_owned(), bare(&pair[1])?))).collect()
}

fn item(value: &Value) -> Option<Item> {
    Some(Item { value: bare(&value[0])?, parameters: parameters(&value[1])? })
}

fn member(value: &Value) -> Option<Member> {
    let Some(items) = value[0].as_array() else { return item(value).map(Member::Item) };
    let items = items.iter().map(item).collect::<Option<_>>()?;
    Some(Member::Inner(InnerList { items, parameters: parameters(&value[1])? }))
}

fn expected(kind: &str, value: &Value) -> Option<Field> {
    let list = value.as_array().unwrap().iter();
    Some(match kind {
        "item" => Field::Item(item(value)?),
        "list" => Field::List(list.map(member).collect::<Option<_>>()?),
        _ => Field::Dictionary(
            list.map(|pair| Some((pair[0].as_str().unwrap().to_owned(), member(&pair[1])?)))
                .collect::<Option<_>>()?,
        ),
    })
}

#[derive(Default, Debug)]
struct Counts {
    parsed: usize,
    must_fail: usize,
    can_fail_refused: usize,
    can_fail_read: usize,
    written: usize,
    unwritable: usize,
}

fn run(case: &Value, counts: &mut Counts) {
    let name = case["name"].as_str().unwrap();
    let kind = case["header_type"].as_str().unwrap();
    let (must_fail, can_fail) = (case["must_fail"] == true, case["can_fail"] == true);
    let wanted = case.get("expected").filter(|_| !must_fail || case.get("raw").is_none());
    let wanted = wanted.and_then(|value| expected(kind, value));
    let Some(raw) = case.get("raw") else {
        match wanted.map(|field| serialise(&field)) {
            Some(Ok(text)) => {
                assert!(!must_fail, "{name}: {text}");
                assert_eq!(text, case["canonical"][0].as_str().unwrap(), "{name}");
                counts.written += 1;
            }
            Some(Err(_)) | None => {
                assert!(must_fail, "{name}");
                counts.unwritable += 1;
            }
        }
        return;
    };
    let raw: Vec<&str> = raw.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    match parse(kind, raw.join(", ").as_bytes()) {
        Err(error) => {
            assert!(must_fail || can_fail, "{name}: {error}");
            assert_eq!(error.code(), Code::FieldMalformed, "{name}");
            if must_fail { counts.must_fail += 1 } else { counts.can_fail_refused += 1 }
        }
        Ok(field) => {
            assert!(!must_fail, "{name}: {field:?}");
            assert_eq!(Some(&field), wanted.as_ref(), "{name}");
            if can_fail {
                counts.can_fail_read += 1;
            } else {
                counts.parsed += 1;
            }
            let canonical = case.get("canonical").map_or_else(
                || raw.join(", "),
                |lines| {
                    lines
                        .as_array()
                        .unwrap()
                        .first()
                        .map_or(String::new(), |line| line.as_str().unwrap().to_owned())
                },
            );
            assert_eq!(serialise(&field).unwrap(), canonical, "{name}");
        }
    }
}

#[test]
fn the_suite_of_the_http_working_group() {
    let mut counts = Counts::default();
    let mut cases = 0;
    for path in suite() {
        let list: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for case in list.as_array().unwrap() {
            run(case, &mut counts);
            cases += 1;
        }
    }
    println!("structured-field-tests: {cases} cases: {counts:?}");
    assert!(cases > 100);
}

/// RFC 9651 §3.3.8 and its examples; the suite at hand has no display strings.
#[test]
fn display_strings() {
    let raw = b"%\"This is intended for display to %c3%bcsers.\"";
    let item = parse_item(raw).unwrap();
    assert_eq!(item.value, BareItem::Display("This is intended for display to \u{fc}sers.".to_owned()));
    assert_eq!(serialise_item(&item).unwrap().as_bytes(), raw);
    for bad in ["%\"%C3%BC\"", "%\"%c3\"", "%\"\u{fc}\"", "%\"a", "%a\"", "%\"%4\"", "%\"\t\""] {
        assert_eq!(parse_item(bad.as_bytes()).unwrap_err().code(), Code::FieldMalformed, "{bad}");
    }
    let odd = BareItem::Display("100% \"\\\n\u{1f600}".to_owned());
    let text = serialise_bare(&odd).unwrap();
    assert_eq!(text, "%\"100%25 %22\\%0a%f0%9f%98%80\"");
    assert_eq!(parse_item(text.as_bytes()).unwrap().value, odd);
}

/// HyperBEAM's `ao-ids` and `ao-types` have keys that are none of the RFC's.
#[test]
fn keys_of_hyperbeam() {
    let raw =
        b"UnrxTK8mFxXzy2S0b2MuAEkQvcJYj6svHCzBNPPUi4E=\"4.7\", %55nrx=\"float\", .=\"list\", 1=\"integer\"";
    assert!(parse_dictionary(raw, Keys::Strict).is_err());
    let read = parse_dictionary(raw, Keys::HyperBeam).unwrap();
    assert_eq!(read.len(), 4);
    assert_eq!(serialise_dictionary(&read, Keys::HyperBeam).unwrap().as_bytes(), raw);
}

#[test]
fn a_field_is_bounded() {
    let long = vec![b'1'; MAX_FIELD + 1];
    assert_eq!(parse_list(&long).unwrap_err().code(), Code::TooLarge);
    // Many members with one key stay quick and small.
    let many = "a=1,".repeat(MAX_FIELD / 4 - 1) + "a=2";
    let read = parse_dictionary(many.as_bytes(), Keys::Strict).unwrap();
    assert_eq!(read, vec![("a".to_owned(), BareItem::Integer(2).into())]);
}

fn any_bare() -> impl Strategy<Value = BareItem> {
    let number = -999_999_999_999_999_i64..=999_999_999_999_999;
    prop_oneof![
        number.clone().prop_map(BareItem::Integer),
        number.clone().prop_map(|n| BareItem::Decimal(Decimal::from_thousandths(n).unwrap())),
        "[ -~]{0,12}".prop_map(BareItem::String),
        "[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]{0,8}".prop_map(BareItem::Token),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(BareItem::Bytes),
        any::<bool>().prop_map(BareItem::Boolean),
        number.prop_map(BareItem::Date),
        "\\PC{0,8}".prop_map(BareItem::Display),
    ]
}

fn any_parameters() -> impl Strategy<Value = Parameters> {
    prop::collection::btree_map("[a-z*][a-z0-9_.*-]{0,6}", any_bare(), 0..3)
        .prop_map(|map| map.into_iter().collect())
}

fn any_item() -> impl Strategy<Value = Item> {
    (any_bare(), any_parameters()).prop_map(|(value, parameters)| Item { value, parameters })
}

fn any_member() -> impl Strategy<Value = Member> {
    let inner = (prop::collection::vec(any_item(), 0..4), any_parameters())
        .prop_map(|(items, parameters)| Member::Inner(InnerList { items, parameters }));
    prop_oneof![any_item().prop_map(Member::Item), inner]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        list in prop::collection::vec(any_member(), 0..6),
        map in prop::collection::btree_map("[a-z*][a-z0-9_.*-]{0,6}", any_member(), 0..6),
    ) {
        prop_assert_eq!(&parse_list(serialise_list(&list).unwrap().as_bytes()).unwrap(), &list);
        let dictionary: Dictionary = map.into_iter().collect();
        let text = serialise_dictionary(&dictionary, Keys::Strict).unwrap();
        prop_assert_eq!(&parse_dictionary(text.as_bytes(), Keys::Strict).unwrap(), &dictionary);
        prop_assert_eq!(&parse_dictionary(text.as_bytes(), Keys::HyperBeam).unwrap(), &dictionary);
    }

    #[test]
    fn nothing_panics_and_what_reads_is_written_alike(raw in "[ -~\\t\u{e9}]{0,40}") {
        if let Ok(list) = parse_list(raw.as_bytes()) {
            let text = serialise_list(&list).unwrap();
            prop_assert_eq!(parse_list(text.as_bytes()).unwrap(), list);
        }
        if let Ok(item) = parse_item(raw.as_bytes()) {
            let text = serialise_item(&item).unwrap();
            prop_assert_eq!(parse_item(text.as_bytes()).unwrap(), item);
        }
        let _ = parse_dictionary(raw.as_bytes(), Keys::HyperBeam);
    }
}
