//! Every fixture of items and bundles that is at hand: the committed ones, and those of
//! `../shared/fixtures` where that folder stands beside the repository.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "which corpus was used is part of the result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weft_codec::item::DataItem;
use weft_codec::{Code, Error, Result, bundle};
use weft_verify::Untrusted;

/// The folders of one kind of fixture, with the name of their corpus printed.
fn corpora(kind: &str) -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![here.join("fixtures").join(kind)];
    let shared = here.join("../../shared/fixtures").join(kind);
    if shared.is_dir() {
        println!("{kind}: the committed corpus and ../shared/fixtures");
        folders.push(shared);
    } else {
        println!("{kind}: the committed corpus only, ../shared/fixtures is not there");
    }
    folders
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extensions));
        } else if path
            .extension()
            .is_some_and(|extension| extensions.iter().any(|wanted| *wanted == extension))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn parse(path: &Path) -> Result<Vec<DataItem>> {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().unwrap() == "item" {
        return Ok(vec![DataItem::parse(&bytes)?]);
    }
    let named = bundle::parse(&bytes)?;
    for (printed, item) in &named {
        if *printed != item.id() {
            return Err(Error::new(Code::IdMismatch, "The header's id is another."));
        }
    }
    Ok(named.into_iter().map(|(_, item)| item).collect())
}

fn prove(item: &DataItem) -> Option<Code> {
    weft_verify::item(Untrusted::new(item.clone(), "corpus"), None).err().map(|error| error.code())
}

/// What the fixtures' README says: all verify, but for the one named invalid and those in `invalid/`. (Bytes after a
/// bundle's last item are nobody's: readers pass over them.)
#[test]
fn items_and_bundles() {
    let (mut proved, mut refused) = (BTreeMap::<u16, usize>::new(), 0);
    for path in corpora("ans104").iter().flat_map(|folder| files(folder, &["item", "bundle"])) {
        let name = path.display().to_string();
        let trailing = name.ends_with("bundle-trailing-bytes.bundle");
        let must_fail =
            name.contains("/invalid/") && !trailing || name.ends_with("turbo-stubInvalidDataItem.item");
        let items = match parse(&path) {
            Ok(items) => items,
            Err(error) => {
                assert!(must_fail, "{name}: {error:?}");
                refused += 1;
                continue;
            }
        };
        let bytes = std::fs::read(&path).unwrap();
        let again = if name.ends_with(".item") { items[0].to_bytes() } else { bundle::encode(&items) };
        assert!(again == bytes || trailing, "{name}: written as it was read");
        let verdicts: Vec<Option<Code>> = items.iter().map(prove).collect();
        for (item, verdict) in items.iter().zip(&verdicts) {
            match (item.signature_type, verdict) {
                (kind, None) => *proved.entry(kind).or_default() += 1,
                (_, Some(Code::SignatureInvalid)) if must_fail => refused += 1,
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(!must_fail || verdicts.iter().any(Option::is_some), "{name} must be refused");
    }
    println!("items proved, by signature type: {proved:?}; {refused} files and items refused");
    assert!(proved.values().sum::<usize>() >= 8 && refused >= 20);
}
