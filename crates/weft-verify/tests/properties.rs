//! No bit of a signed thing can be changed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use weft_codec::item::DataItem;
use weft_codec::{Code, Id, bundle};
use weft_verify::Untrusted;

const ITEM: &[u8] = include_bytes!("../../../tests/fixtures/ans104/type1-ao-message.item");
const ENTRY: &[u8] = include_bytes!(
    "../../../tests/fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-003.item"
);

/// Parses and proves, knowing the id.
fn refusal(bytes: &[u8], id: Id) -> Option<Code> {
    let verdict =
        DataItem::parse(bytes).and_then(|item| weft_verify::item(Untrusted::new(item, "test"), Some(id)));
    verdict.err().map(|error| error.code())
}

/// Every bit, not a sample of them.
#[test]
fn any_flipped_bit_of_an_item_is_refused() {
    let id = DataItem::parse(ITEM).unwrap().id();
    assert_eq!(refusal(ITEM, id), None);
    let mut bytes = ITEM.to_vec();
    for bit in 0..8 * ITEM.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(refusal(&bytes, id).is_some(), "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Without an id to compare with, a changed signature is another item: the signature itself must refuse.
#[test]
fn any_flipped_byte_of_a_signature_is_refused() {
    let item = DataItem::parse(ITEM).unwrap();
    for index in 0..item.signature.len() {
        let mut changed = item.clone();
        changed.signature[index] ^= 0x80 >> (index % 8);
        let error = weft_verify::item(Untrusted::new(changed, "test"), None).unwrap_err();
        assert_eq!(error.code(), Code::SignatureInvalid, "byte {index}");
    }
}

/// Keys that are no RSA moduli: even, zero, one, all ones.
#[test]
fn impossible_keys_are_refused() {
    let item = DataItem::parse(ITEM).unwrap();
    let mut one = vec![0; 512];
    one[511] = 1;
    let mut even = item.owner.clone();
    even[511] &= 0xfe;
    for owner in [vec![0; 512], one, even, vec![0xff; 512]] {
        let error =
            weft_verify::item(Untrusted::new(DataItem { owner, ..item.clone() }, "test"), None).unwrap_err();
        assert_eq!(error.code(), Code::SignatureInvalid);
    }
    for signature in [vec![0; 512], vec![0xff; 512], item.owner.clone()] {
        let forged = DataItem { signature, ..item.clone() };
        let error = weft_verify::item(Untrusted::new(forged, "test"), None).unwrap_err();
        assert_eq!(error.code(), Code::SignatureInvalid);
    }
}

/// More keys than are kept prepared, coming back in another order: the answers stay right.
#[test]
fn many_keys_do_not_confuse_each_other() {
    let item = DataItem::parse(ITEM).unwrap();
    for round in 0..3_u8 {
        for n in 0..50_u8 {
            let mut other = item.clone();
            other.owner[100] ^= n ^ round;
            let verdict = weft_verify::item(Untrusted::new(other.clone(), "test"), None);
            assert_eq!(verdict.is_ok(), other == item, "round {round}, key {n}");
        }
    }
}

/// One reading of several verifies: the error is the first's, if none does.
#[test]
fn the_right_reading_is_found() {
    let item = DataItem::parse(ITEM).unwrap();
    let wrong = DataItem { anchor: None, ..item.clone() };
    let readings = |readings: Vec<DataItem>| weft_verify::item_among(Untrusted::new(readings, "test"), None);
    assert_eq!(readings(vec![wrong.clone(), item.clone()]).unwrap().value(), &item);
    assert_eq!(readings(vec![wrong]).unwrap_err().code(), Code::SignatureInvalid);
    assert_eq!(readings(vec![]).unwrap_err().code(), Code::ItemMalformed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any byte of a stored entry (an item that holds a bundle of two) changed to any other.
    #[test]
    fn any_changed_byte_of_a_stored_entry_is_refused(at in any::<prop::sample::Index>(), xor in 1..=255_u8) {
        let outer = DataItem::parse(ENTRY).unwrap();
        let mut bytes = ENTRY.to_vec();
        *at.get_mut(&mut bytes) ^= xor;
        prop_assert!(refusal(&bytes, outer.id()).is_some());
        let mut inner = outer.data;
        *at.get_mut(&mut inner) ^= xor;
        let verdict = bundle::parse(&inner).and_then(|items| weft_verify::bundle(Untrusted::new(items, "test")));
        prop_assert!(verdict.is_err());
    }
}
