//! What is written reads back as it was, and nothing makes a parser panic.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use weft_codec::graphql_item::{self, NodeJson};
use weft_codec::item::{DataItem, signature_sizes};
use weft_codec::scheduler_page::{self, Anchors};
use weft_codec::tags::{self, Tag};
use weft_codec::transaction::{TagBytes, Transaction};
use weft_codec::{Address, Id, ao, base64url, bundle};

/// A real history entry, for bytes that are nearly right.
const REAL: &[u8] = include_bytes!(
    "../../../tests/fixtures/ao-su/DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo/nonce-003.item"
);
const PAGE: &str = include_str!("../../../tests/fixtures/ao-su/real-page-first-edge-2024-04.json");

fn tag() -> impl Strategy<Value = Tag> {
    ("\\PC{0,12}", "\\PC{0,24}").prop_map(|(name, value)| Tag { name, value })
}

fn tag_list() -> impl Strategy<Value = Vec<Tag>> {
    vec(tag(), 0..12)
}

fn item() -> impl Strategy<Value = DataItem> {
    let kind = prop::sample::select(vec![1_u16, 2, 3, 4, 5, 6, 7, 101]);
    let fields =
        (any::<u8>(), any::<Option<[u8; 32]>>(), any::<Option<[u8; 32]>>(), tag_list(), any::<bool>());
    (kind, fields, vec(any::<u8>(), 0..64)).prop_map(
        |(signature_type, (fill, target, anchor, tags, sized), data)| {
            let (signature, owner) = signature_sizes(signature_type).unwrap();
            let raw_tags = if sized { tags::encode_sized(&tags) } else { tags::encode(&tags) };
            let (signature, owner) = (vec![fill; signature], vec![fill; owner]);
            DataItem {
                signature_type,
                signature,
                owner,
                target: target.map(Id),
                anchor,
                raw_tags,
                tags,
                data,
            }
        },
    )
}

prop_compose! {
    fn transaction()(
        format in 1..=2_u8,
        signature in vec(any::<u8>(), 1..=512),
        blobs in (vec(any::<u8>(), 0..=48), vec(any::<u8>(), 34..=512), vec(any::<u8>(), 0..200), any::<bool>()),
        tags in vec((vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..40)), 0..8),
        target in any::<Option<[u8; 32]>>(),
        amounts in (any::<u64>(), any::<u64>(), any::<u64>()),
        root in any::<[u8; 32]>(),
        denomination in 0..3_u64,
    ) -> Transaction {
        let (last_tx, owner, data, ecdsa) = blobs;
        let owner = if ecdsa && format == 2 { Vec::new() } else { owner };
        Transaction {
            format,
            id: Id::sha256(&signature),
            last_tx,
            owner,
            tags: tags.into_iter().map(|(name, value)| TagBytes { name, value }).collect(),
            target: target.map(Id),
            quantity: amounts.0.to_string(),
            reward: amounts.1.to_string(),
            data_size: amounts.2,
            data_root: (amounts.2 > 0).then_some(Id(root)),
            data,
            signature,
            denomination,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn tags_read_back(tags in tag_list()) {
        let count = tags.len() as u64;
        for raw in [tags::encode(&tags), tags::encode_sized(&tags)] {
            prop_assert_eq!(&tags::decode(&raw, count).unwrap(), &tags);
            prop_assert!(tags::decode(&raw, count + 1).is_err());
        }
    }

    /// Several blocks, each in either form, are one list.
    #[test]
    fn blocks_of_tags_join(parts in vec((vec(tag(), 1..4), any::<bool>()), 1..4)) {
        let mut raw = Vec::new();
        for (tags, sized) in &parts {
            let block = if *sized { tags::encode_sized(tags) } else { tags::encode(tags) };
            raw.extend_from_slice(&block[..block.len() - 1]);
        }
        raw.push(0);
        let all: Vec<Tag> = parts.into_iter().flat_map(|(tags, _)| tags).collect();
        prop_assert_eq!(tags::decode(&raw, all.len() as u64).unwrap(), all);
    }

    #[test]
    fn items_read_back(item in item()) {
        let bytes = item.to_bytes();
        prop_assert_eq!(&DataItem::parse(&bytes).unwrap(), &item);
        // Every shorter piece of the header is refused; the data may be any length.
        let head = bytes.len() - item.data.len();
        for cut in [0, 1, 2, head / 2, head - 1] {
            prop_assert!(DataItem::parse(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn bundles_read_back(items in vec(item(), 0..5), extra in 1..40_usize) {
        let mut bytes = bundle::encode(&items);
        let back: Vec<DataItem> = bundle::parse(&bytes).unwrap().into_iter().map(|(_, item)| item).collect();
        prop_assert_eq!(&back, &items);
        prop_assert!(bundle::parse(&bytes[..bytes.len() - 1]).is_err());
        // Bytes after the last item belong to nobody.
        bytes.extend(vec![0; extra]);
        prop_assert_eq!(bundle::parse(&bytes).unwrap().len(), items.len());
    }

    #[test]
    fn transactions_read_back(transaction in transaction()) {
        let json = transaction.to_json().to_string();
        prop_assert_eq!(Transaction::from_json(json.as_bytes()).unwrap(), transaction);
    }

    /// A scheduler's JSON gives back the item, as long as its text loses nothing.
    #[test]
    fn pages_read_back(item in item(), text in "\\PC{0,40}", assign in any::<bool>()) {
        prop_assume!(!matches!(item.signature_type, 4 | 5 | 101));
        let plain = DataItem { raw_tags: tags::encode(&item.tags), ..item };
        let assignment = DataItem { data: Vec::new(), ..plain.clone() };
        let message = (!assign).then(|| DataItem { data: text.clone().into_bytes(), ..plain });
        let node = scheduler_page::render_entry(Some(&assignment), message.as_ref(), Anchors::Base64);
        let page = scheduler_page::render(&[("7".into(), node)], true).to_string();
        let entry = scheduler_page::parse(page.as_bytes()).unwrap().edges.remove(0).entry;
        prop_assert_eq!(entry.assignment, Some(assignment));
        prop_assert_eq!(entry.message, message);
    }

    /// GraphQL's fields give back the item among the candidates, whichever way its tags were written.
    #[test]
    fn graphql_nodes_read_back(item in item(), anchored in any::<bool>()) {
        prop_assume!(item.signature_type != 101);
        let anchor = if anchored { item.anchor.map(|anchor| base64url::encode(&anchor)) } else { None };
        let wanted = DataItem { anchor: item.anchor.filter(|_| anchored), ..item };
        let node = json!({
            "id": wanted.id(), "anchor": anchor, "signature": base64url::encode(&wanted.signature),
            "recipient": wanted.target.map(|id| id.to_string()).unwrap_or_default(),
            "owner": {"address": "", "key": base64url::encode(&wanted.owner)}, "tags": wanted.tags,
        });
        let node = NodeJson::parse(node.to_string().as_bytes()).unwrap();
        let candidates = graphql_item::candidates(&node, &wanted.data).unwrap();
        prop_assert!(candidates.len() <= 18 && candidates.contains(&wanted));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..300), count in any::<u64>()) {
        parse_everything(&bytes, count);
    }

    /// Bytes that are nearly an item, a bundle or a page.
    #[test]
    fn damaged_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        for real in [REAL, &DataItem::parse(REAL).unwrap().data, PAGE.as_bytes()] {
            let mut bytes = real.to_vec();
            *at.get_mut(&mut bytes) = byte;
            parse_everything(&bytes, u64::from(byte));
            bytes.truncate(cut.index(bytes.len()));
            parse_everything(&bytes, u64::from(byte));
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,60}") {
        drop(text.parse::<Id>());
        drop(text.parse::<Address>());
        drop(base64url::decode(&text));
    }
}

fn parse_everything(bytes: &[u8], count: u64) {
    drop(tags::decode(bytes, count));
    drop(bundle::parse(bytes));
    drop(Transaction::from_json(bytes));
    drop(scheduler_page::parse(bytes));
    drop(scheduler_page::parse_entry(bytes));
    drop(NodeJson::parse(bytes));
    drop(Address::of_owner(bytes));
    if let Ok(item) = DataItem::parse(bytes) {
        assert_eq!(item.signing_payload(), item.signing_payload());
        assert_eq!(item.id(), Id::sha256(&item.signature));
        drop(ao::Process::read(item.clone()));
        drop(ao::Module::read(item.clone()));
        drop(ao::Assignment::read(item));
    }
}
