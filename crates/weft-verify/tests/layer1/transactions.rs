//! Transactions with an ECDSA key, and what such an id does not say.

use std::collections::BTreeSet;

use k256::ecdsa::SigningKey;
use sha2::{Digest as _, Sha256};
use weft_codec::transaction::Transaction;
use weft_codec::{Address, Code, Id};
use weft_verify::{Status, Untrusted, Verified};

use super::world;

/// A transaction signed by a secp256k1 key, as a node of fork 2.9 signs it: no owner, recovery id behind r and s.
pub(crate) fn ecdsa(data: &[u8]) -> (Transaction, Address) {
    ecdsa_with(data, &world::BUNDLE)
}

fn ecdsa_with(data: &[u8], tags: &[(&str, &str)]) -> (Transaction, Address) {
    let key = SigningKey::from_slice(&[0x11; 32]).unwrap();
    let mut unsigned = world::transaction(2, data, tags);
    unsigned.owner.clear();
    let (signature, id) = key.sign_prehash_recoverable(&Sha256::digest(unsigned.signing_payload()));
    unsigned.signature = [signature.to_bytes().as_slice(), &[id.to_byte()]].concat();
    unsigned.id = unsigned.computed_id();
    let point = key.verifying_key().to_sec1_point(true);
    (unsigned, Address::from(Id::sha256(point.as_bytes())))
}

pub(crate) fn prove(transaction: Transaction) -> Result<Verified<Transaction>, Code> {
    weft_verify::transaction(Untrusted::new(transaction, "test"), None, None).map_err(|error| error.code())
}

#[test]
fn the_key_of_an_ecdsa_transaction_is_found() {
    let (signed, address) = ecdsa(b"data");
    let json = signed.to_json();
    assert_eq!((&json["owner"], signed.signature.len()), (&"".into(), 65));
    let proved = prove(Transaction::from_json(json.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!((proved.owner.len(), proved.owner_address()), (33, address));
    // Printed again, it is as it came, and proves again.
    assert_eq!(proved.to_json(), json);
    assert_eq!(prove(proved.value().clone()).unwrap().value(), proved.value());
    // The id does not bind the fields, so whose it is is not proved.
    let check = proved.checks().iter().find(|check| check.claim == "transaction-owner").unwrap();
    assert_eq!(check.status, Status::Trusted { by: "test".into() });
}

#[test]
fn an_ecdsa_transaction_with_other_fields_is_of_another_key() {
    let (signed, address) = ecdsa(b"data");
    let other = Transaction { reward: "1001".into(), ..signed.clone() };
    let proved = prove(other).unwrap();
    assert!(proved.id == signed.id && proved.owner_address() != address);
    // High s, recovery ids out of range, other lengths, zeros.
    let with =
        |signature: Vec<u8>| prove(Transaction { id: Id::sha256(&signature), signature, ..signed.clone() });
    let rs = k256::ecdsa::Signature::from_slice(&signed.signature[..64]).unwrap();
    let high = k256::ecdsa::Signature::from_scalars(rs.r(), -rs.s()).unwrap();
    let high = [high.to_bytes().as_slice(), &[signed.signature[64] ^ 1]].concat();
    let refused = Err(Code::SignatureInvalid);
    assert_eq!(with(high).map(|_| ()), refused);
    assert_eq!(with([&signed.signature[..64], &[4]].concat()).map(|_| ()), refused);
    assert_eq!(with([&signed.signature[..64], &[27]].concat()).map(|_| ()), refused);
    assert_eq!(with(signed.signature[..64].to_vec()).map(|_| ()), refused);
    assert_eq!(with(vec![0; 65]).map(|_| ()), refused);
    assert_eq!(with(vec![1; 512]).map(|_| ()), refused);
}

fn owners(named: &[&Address]) -> BTreeSet<Address> {
    named.iter().map(|owner| (*owner).clone()).collect()
}

/// Whoever serves an ECDSA carrier could give it another module, or another scheduler, under the same id.
#[test]
fn an_ecdsa_process_counts_for_a_named_owner_alone() {
    let module = Id([5; 32]).to_string();
    let scheduler = Id([6; 32]).to_string();
    let tags = |module: &str| -> Vec<(String, String)> {
        [("Data-Protocol", "ao"), ("Type", "Process"), ("Module", module), ("Scheduler", &scheduler)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    };
    let texts = |tags: &[(String, String)]| {
        let pairs: Vec<(&str, &str)> =
            tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        ecdsa_with(b"", &pairs)
    };
    let (signed, owner) = texts(&tags(&module));
    let read = |transaction: &Transaction, owners: &BTreeSet<Address>| {
        weft_verify::process_from_transaction(prove(transaction.clone()).unwrap(), owners)
    };
    let refused = read(&signed, &owners(&[])).unwrap_err();
    assert_eq!(refused.code(), Code::OwnerUnproved);
    assert_eq!(refused.field("owner"), Some(owner.as_str()));
    let stranger = Address::from(Id([9; 32]));
    assert_eq!(read(&signed, &owners(&[&stranger])).unwrap_err().code(), Code::OwnerUnproved);
    let process = read(&signed, &owners(&[&stranger, &owner])).unwrap();
    assert_eq!((process.module.to_string(), &process.owner), (module, &owner));
    let named = process.checks().iter().find(|check| check.claim == "transaction-owner").unwrap();
    assert_eq!(named.status, Status::Trusted { by: "you".into() });
    // The attack: another module, the same id, a signature that holds.
    let mut forged = signed.clone();
    let other = Id([7; 32]).to_string();
    forged.tags = texts(&tags(&other)).0.tags;
    assert_eq!(prove(forged.clone()).unwrap().id, signed.id);
    assert_eq!(read(&forged, &owners(&[&owner])).unwrap_err().code(), Code::OwnerUnproved);
    // An RSA transaction's id binds its key, and so its fields.
    let rsa: Vec<(String, String)> = tags(&other);
    let pairs: Vec<(&str, &str)> = rsa.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    read(&world::transaction(2, b"", &pairs), &owners(&[])).unwrap();
}

#[test]
fn an_ecdsa_module_counts_for_a_named_owner_alone() {
    let tags = [
        ("Data-Protocol", "ao"),
        ("Type", "Module"),
        ("Module-Format", "wasm32-unknown-unknown"),
        ("Input-Encoding", "JSON-V1"),
        ("Output-Encoding", "JSON-V1"),
        ("Memory-Limit", "1-gb"),
        ("Compute-Limit", "1"),
    ];
    let (mut signed, owner) = ecdsa_with(b"\0asm\x01\0\0\0", &tags);
    signed.data = b"\0asm\x01\0\0\0".to_vec();
    let read = |named: &BTreeSet<Address>| {
        weft_verify::module_from_transaction(prove(signed.clone()).unwrap(), signed.id, named)
    };
    assert_eq!(read(&owners(&[])).unwrap_err().code(), Code::OwnerUnproved);
    assert_eq!(read(&owners(&[&owner])).unwrap().id, signed.id);
}

#[test]
fn a_denomination_is_signed() {
    for format in [1, 2] {
        let mut signed = world::transaction(format, b"data", &[("a", "b")]);
        signed.denomination = 2;
        signed.signature = world::Key::get().sign(&signed.signing_payload());
        signed.id = signed.computed_id();
        let json = signed.to_json().to_string();
        assert!(prove(Transaction::from_json(json.as_bytes()).unwrap()).is_ok());
        assert_eq!(
            prove(Transaction { denomination: 0, ..signed.clone() }).map(|_| ()),
            Err(Code::SignatureInvalid)
        );
        assert_eq!(prove(Transaction { denomination: 3, ..signed }).map(|_| ()), Err(Code::SignatureInvalid));
    }
}
