//! Our verdict on data items and bundles against that of npm arbundles and @dha-team/arbundles, which `ans104/*.mjs`
//! write into the tables. docs/trust.md says where we refuse what they take, and why.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many were compared is part of the result")]

use serde_json::Value;
use weft_codec::graphql_item::{self, NodeJson};
use weft_codec::item::DataItem;
use weft_codec::{Result, base64url, bundle};
use weft_tests::fixtures;
use weft_verify::{Untrusted, Vouched};

/// What both libraries take and we refuse. docs/trust.md, "Data items: where the libraries differ", has the reasons.
const STRICTER: [&str; 21] = [
    // Anybody can sign for such a key, or readers without the cofactor refuse the signature.
    "type 2, the key is the neutral point",
    "type 2, the key has order 8",
    "type 2, the key has a part of order 8",
    "type 2, R has a part of order 8",
    "type 2, R is the neutral point",
    // Fewer signatures than the keys' owners asked for.
    "type 6, fewer than the threshold",
    "type 6, nobody",
    "type 6, threshold 0, nobody",
    "type 6, threshold 33",
    "type 6, forged for empty slots",
    // No wallet writes it.
    "type 7, v is 29 or 30",
    // Not Avro, or not one reading.
    "tags: a size that is wrong",
    "tags: no end",
    "tags: bytes after the end",
    "tags: none, but bytes",
    "tags: none, but one",
    "target flag of 2",
    "anchor flag of 2",
    // Refused by the same libraries when they read a stream.
    "bundle, an id of something else",
    "bundle, an item that is too long",
    "bundle-header-id-mismatch.bundle",
];

fn prove(kind: &str, bytes: &[u8]) -> Result<()> {
    if kind == "bundle" {
        return weft_verify::bundle(Untrusted::new(bundle::parse(bytes)?, "table")).map(|_| ());
    }
    let item = DataItem::parse(bytes)?;
    assert_eq!(item.to_bytes(), bytes, "written as it was read");
    weft_verify::item(Untrusted::new(item, "table"), None).map(|_| ())
}

/// Compares one row and says whether we took the bytes.
fn compare(row: &Value, name: &str, bytes: &[u8]) -> bool {
    let text = |field: &str| row[field].as_str().unwrap();
    let theirs = [text("arbundles") == "valid", text("dha") == "valid"];
    assert_eq!(theirs[0], theirs[1], "{name}: the libraries differ, docs/trust.md must say so");
    let ours = prove(text("kind"), bytes);
    let wanted = theirs[0] && !STRICTER.contains(&name);
    assert_eq!(ours.is_ok(), wanted, "{name}: {ours:?}");
    assert!(theirs[0] || !STRICTER.contains(&name), "{name}: they refuse it too");
    ours.is_ok()
}

#[weft_tests::both]
fn at_the_edges_of_the_rules() {
    let (mut taken, mut refused) = (0, 0);
    for row in fixtures::json(fixtures::ANS104_EDGES).as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        let bytes = base64url::decode(row["bytes"].as_str().unwrap()).unwrap();
        let count = if compare(row, name, &bytes) { &mut taken } else { &mut refused };
        *count += 1;
    }
    println!("edges: {taken} taken, {refused} refused, {} of these by us alone", STRICTER.len() - 1);
    assert_eq!(taken + refused, 100);
}

fn edge(name: &str) -> Vec<u8> {
    let table = fixtures::json(fixtures::ANS104_EDGES);
    let row = table.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    base64url::decode(row["bytes"].as_str().unwrap()).unwrap()
}

#[weft_tests::both]
fn bundles_in_bundles() {
    let outer = bundle::parse(&edge("bundle in a bundle")).unwrap();
    let outer = weft_verify::bundle(Untrusted::new(outer, "table")).unwrap().into_parts().0;
    let outer = weft_verify::item(Untrusted::new(outer[0].clone(), "table"), None).unwrap();
    let inner = weft_verify::nested(&outer, "table").unwrap().unwrap();
    let types: Vec<u16> = inner.iter().map(|item| item.signature_type).collect();
    assert_eq!(types, [2, 3]);
    let plain = weft_verify::item(Untrusted::new(inner[0].clone(), "table"), None).unwrap();
    assert!(weft_verify::nested(&plain, "table").unwrap().is_none());
}

/// What an indexer prints of an item and its data give the item back: its type by the sizes, the anchor in any of its
/// texts or left out by the signer, the tags in either form (reference ans104.md §5).
#[weft_tests::both]
fn items_are_rebuilt_from_an_index() {
    let vectors = fixtures::json(fixtures::ANS104);
    let vectors = vectors["items"].as_array().unwrap();
    let mut items: Vec<DataItem> = vectors
        .iter()
        .map(|vector| DataItem::parse(&hex::decode(vector["bytes_hex"].as_str().unwrap()).unwrap()).unwrap())
        .collect();
    let edges = ["type 6, two of three", "type 7, high s", "tags: one block with its size"];
    items.extend(edges.map(|name| DataItem::parse(&edge(name)).unwrap()));
    for item in &items {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let anchors = item.anchor.map_or(vec![String::new()], |anchor| {
            // Text that is not UTF-8 is not an anchor anybody prints.
            [base64url::encode(&anchor), text(&anchor)].into_iter().filter(|text| text.len() <= 43).collect()
        });
        for anchor in anchors {
            let node = serde_json::json!({
                "id": item.id(), "anchor": anchor, "signature": base64url::encode(&item.signature),
                "recipient": item.target.map(|id| id.to_string()).unwrap_or_default(),
                "owner": {"address": item.owner_address(), "key": base64url::encode(&item.owner)},
                "tags": item.tags,
            });
            let node = NodeJson::parse(node.to_string().as_bytes()).unwrap();
            let readings = graphql_item::candidates(&node, &item.data).unwrap();
            let found = weft_verify::item_among(Untrusted::new(readings, "index"), Some(item.id())).unwrap();
            assert_eq!(found.value(), item);
            // With other data, no reading verifies.
            let readings = graphql_item::candidates(&node, b"other").unwrap();
            assert!(weft_verify::item_among(Untrusted::new(readings, "index"), None).is_err());
        }
    }
    let mut types: Vec<u16> = items.iter().map(|item| item.signature_type).collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types, [1, 2, 3, 4, 5, 6, 7]);
}

/// What the platform vouched for is not computed again; what it did not is, and everything is once it is over.
#[weft_tests::both]
fn the_platform_vouches_for_signatures() {
    for name in ["type 1, salt of 32 bytes", "type 2, plain", "type 3, plain", "type 6, two of three"] {
        let item = DataItem::parse(&edge(name)).unwrap();
        let mut forged = item.clone();
        forged.data.push(b'!');
        let holds = |item: &DataItem| weft_verify::item(Untrusted::new(item.clone(), "table"), None).is_ok();
        let claims = weft_verify::claims_of_item(&forged);
        assert!(claims.iter().all(|claim| claim.verify().is_err()), "{name}");
        assert!(weft_verify::claims_of_item(&item).iter().all(|claim| claim.verify().is_ok()), "{name}");
        // A platform that is wrong, to see that it is believed, and for how long.
        let mut vouched = Vouched::new();
        claims.iter().for_each(|claim| vouched.add(claim));
        assert!(vouched.during(|| holds(&forged) && holds(&item)), "{name}");
        assert!(!Vouched::new().during(|| holds(&forged)), "{name}");
        assert!(!vouched.during(|| Vouched::new().during(|| holds(&forged))), "{name}");
        let mut other = forged.clone();
        other.data.push(b'!');
        assert!(!vouched.during(|| holds(&other)), "{name}");
        assert!(!holds(&forged) && holds(&item), "{name}");
    }
}

/// Platforms differ on keys of small order, so they are not asked.
#[weft_tests::both]
fn nobody_vouches_for_a_weak_key() {
    for name in ["type 2, the key is the neutral point", "type 2, R is the neutral point"] {
        let item = DataItem::parse(&edge(name)).unwrap();
        let mut vouched = Vouched::new();
        weft_verify::claims_of_item(&item).iter().for_each(|claim| vouched.add(claim));
        assert!(vouched.during(|| weft_verify::item(Untrusted::new(item, "table"), None)).is_err(), "{name}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod files {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use weft_codec::Id;

    use super::*;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else if path.extension().is_some_and(|kind| kind == "item" || kind == "bundle") {
                found.push(path);
            }
        }
        found.sort();
        found
    }

    /// Every file of the committed corpus and, where it stands beside the repository, of `../shared/fixtures`.
    #[test]
    fn every_file_of_the_corpora() {
        let table = fixtures::json(fixtures::ANS104_VERDICTS);
        let row = |row: &Value| (row["sha256"].as_str().unwrap().to_owned(), row.clone());
        let table: BTreeMap<String, Value> = table.as_array().unwrap().iter().map(row).collect();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (corpus, least) in [("fixtures/ans104", 51), ("../../shared/fixtures/ans104", 67)] {
            let folder = here.join(corpus);
            if !folder.is_dir() {
                println!("{corpus}: not there");
                continue;
            }
            let (mut taken, mut refused) = (0, 0);
            for path in files(&folder) {
                let bytes = std::fs::read(&path).unwrap();
                let name = path.file_name().unwrap().to_str().unwrap();
                let row = table
                    .get(&hex::encode(Id::sha256(&bytes).0))
                    .unwrap_or_else(|| panic!("{name} is not in the table: run `node ans104/verdicts.mjs`"));
                let count = if compare(row, name, &bytes) { &mut taken } else { &mut refused };
                *count += 1;
            }
            println!("{corpus}: {taken} taken, {refused} refused, as both libraries do but for one bundle");
            assert!(taken + refused >= least, "{corpus}: {taken} and {refused}");
        }
    }
}
