//! One function for each fuzz target, which panics if a property does not hold.

#[path = "properties/aocore.rs"] // the tests read this file from their own place
mod aocore;
#[path = "properties/exceptions.rs"]
mod exceptions;
#[path = "properties/http.rs"]
mod http;
#[path = "properties/lua.rs"]
mod lua;
#[path = "properties/lua_program.rs"]
mod lua_program;

pub use aocore::request_path;
pub use exceptions::rewrite_exceptions;
pub use http::{httpsig, structured_fields};
pub use lua::{lua_format, lua_number, lua_pattern};
pub use lua_program::{lua_program, lua_snapshot, lua53_program};

use serde_json::Value;
use weft_codec::block::{Block, BlockHash};
use weft_codec::graphql_item::{self, NodeJson};
use weft_codec::item::DataItem;
use weft_codec::scheduler_page::{self, Anchors, Entry};
use weft_codec::tags::{self, Tag};
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Id, ao, bundle, merkle};
use weft_verify::{ChunkProof, Rules, Untrusted};

/// A data item: what parses is written as it was read and holds no more bytes than it came in; verifying never panics,
/// agrees with its own claims, and takes no other id.
pub fn item(bytes: &[u8]) {
    let Ok(item) = DataItem::parse(bytes) else { return };
    assert!(item.to_bytes() == bytes, "written as it was read");
    check_item(&item);
}

fn check_item(item: &DataItem) {
    assert_eq!(item.id(), Id::sha256(&item.signature));
    assert!(tag_bytes(&item.tags) <= 3 * item.raw_tags.len(), "a byte becomes one replacement at most");
    let claims = weft_verify::claims_of_item(item);
    let by_claims = !claims.is_empty() && claims.iter().all(|claim| claim.verify().is_ok());
    let prove = |expected| weft_verify::item(Untrusted::new(item.clone(), "fuzz"), expected);
    let proved = prove(None);
    assert_eq!(proved.is_ok(), by_claims);
    if let Err(error) = proved {
        assert!([Code::SignatureInvalid, Code::SignatureUnsupported].contains(&error.code()));
    }
    assert_eq!(prove(Some(Id([0; 32]))).unwrap_err().code(), Code::IdMismatch);
    // Views of it: no panic, and they keep the item's id.
    if let Ok(process) = ao::Process::read(item.clone()) {
        assert_eq!(process.id, item.id());
    }
    if let Ok(assignment) = ao::Assignment::read(item.clone()) {
        assert_eq!(assignment.id, item.id());
    }
    drop(ao::Module::read(item.clone()));
    for form in graphql_item::tag_forms(item) {
        let back = tags::decode(&form.raw_tags, form.tags.len() as u64);
        // Replacements of bytes that are not text are longer, so the other form need not fit.
        assert!(back.map_or_else(|error| error.code() == Code::TooLarge, |back| back == form.tags));
    }
}

fn tag_bytes(tags: &[Tag]) -> usize {
    tags.iter().map(|tag| tag.name.len() + tag.value.len()).sum()
}

/// A bundle: its items are pieces of it, in order; bundles inside bundles end at the depth that is allowed.
pub fn bundle(bytes: &[u8]) {
    nested(bytes, 1);
}

fn nested(bytes: &[u8], depth: usize) {
    let Ok(named) = bundle::parse(bytes) else { return };
    let items: Vec<DataItem> = named.iter().map(|(_, item)| item.clone()).collect();
    let again = bundle::encode(&items);
    assert!(again.len() <= bytes.len(), "no more than came in");
    let printed = named.iter().all(|(id, item)| *id == item.id());
    let head = 32 + 64 * items.len();
    assert!(again[head..] == bytes[head..again.len()], "the items as they were read");
    assert_eq!(again[..head] == bytes[..head], printed, "the header, where its ids are right");
    if !printed {
        assert!(weft_verify::bundle(Untrusted::new(named, "fuzz")).is_err());
    }
    for item in items.iter().filter(|item| bundle::is_bundle(item)) {
        if depth < bundle::MAX_DEPTH {
            nested(&item.data, depth + 1);
        }
    }
}

/// Tags, after a byte that is their number in the item's header: what reads is written alike, and no number but the
/// right one reads.
pub fn tags(bytes: &[u8]) {
    let Some((count, raw)) = bytes.split_first() else { return };
    let count = u64::from(*count);
    let Ok(pairs) = tags::decode_bytes(raw, count) else { return };
    assert_eq!(pairs.len() as u64, count);
    assert!(pairs.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= raw.len());
    assert!(tags::decode_bytes(raw, count + 1).is_err());
    assert!(count == 0 || tags::decode_bytes(raw, count - 1).is_err());
    let text = tags::decode(raw, count).unwrap();
    let is_text = pairs
        .iter()
        .all(|(name, value)| std::str::from_utf8(name).is_ok() && std::str::from_utf8(value).is_ok());
    for again in [tags::encode(&text), tags::encode_sized(&text)] {
        // Replacements of bytes that are not text may not fit.
        if is_text || again.len() <= tags::MAX_BYTES {
            match tags::decode(&again, count) {
                Ok(back) => assert_eq!(back, text),
                Err(error) => assert!(error.code() == Code::TooLarge && again.len() > tags::MAX_BYTES),
            }
        }
    }
}

/// A layer-1 transaction in JSON: what reads is written alike; verifying never panics and takes no other id.
pub fn transaction(bytes: &[u8]) {
    let Ok(transaction) = Transaction::from_json(bytes) else { return };
    let json = transaction.to_json().to_string();
    assert!(Transaction::from_json(json.as_bytes()).is_ok_and(|again| again == transaction));
    assert!(transaction.data.len() <= bytes.len() && transaction.owner.len() <= bytes.len());
    assert_eq!(transaction.signing_payload(), transaction.signing_payload());
    let id = transaction.computed_id();
    let prove =
        |expected| weft_verify::transaction(Untrusted::new(transaction.clone(), "fuzz"), None, expected);
    if let Ok(proved) = prove(None) {
        assert_eq!((proved.id, proved.computed_id()), (id, id));
    }
    assert_eq!(prove(Some(Id([0; 32]))).unwrap_err().code(), Code::IdMismatch);
}

/// A layer-1 block in JSON: what reads is written alike; verifying never panics and takes no other hash.
pub fn block(bytes: &[u8]) {
    let Ok(block) = Block::from_json(bytes) else { return };
    assert!(Block::from_value(&block.to_json()).is_ok_and(|again| again == block));
    assert!(block.txs.len() <= bytes.len() && block.start() <= block.weave_size);
    let prove = |expected| weft_verify::block(Untrusted::new(block.clone(), "fuzz"), expected);
    if let Ok(proved) = prove(None) {
        assert_eq!(block.computed_hash().unwrap(), proved.indep_hash);
        assert_eq!(prove(Some(BlockHash([0; 48]))).unwrap_err().code(), Code::BlockHashMismatch);
    }
    assert!(weft_verify::follows(&block, &block).is_err(), "no block follows itself");
    drop(block.signature_preimage());
}

/// A chunk: offset and size in 8 bytes each, the length of its path in 2, the path, the chunk. The root is the one that
/// the path itself gives. What is taken is inside the data, and is what came in.
pub fn chunk_path(bytes: &[u8]) {
    let Some((offset, rest)) = bytes.split_first_chunk::<8>() else { return };
    let Some((size, rest)) = rest.split_first_chunk::<8>() else { return };
    let Some((length, rest)) = rest.split_first_chunk::<2>() else { return };
    let Some((path, chunk)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else { return };
    let [offset, size] = [offset, size].map(|number| u64::from_be_bytes(*number));
    let marked = path.strip_prefix(&[0; 32][..]).unwrap_or(path);
    let part = |at: usize| path_part(marked, at);
    let root = match (part(0), part(32), part(64)) {
        (Some(left), Some(right), Some(end)) => merkle::branch_id(&left, &right, &end),
        (Some(data), Some(end), None) => merkle::leaf_id(&data, &end),
        _ => return,
    };
    for rules in [None, Some(Rules::StrictBorders), Some(Rules::StrictSplit), Some(Rules::Rebase)] {
        let proof = ChunkProof { offset, data_path: path.to_vec(), chunk: chunk.to_vec() };
        match weft_verify::chunk(Untrusted::new(proof, "fuzz"), Id(root), size, rules) {
            Ok(taken) => {
                assert!(taken.bytes == chunk && !chunk.is_empty() && chunk.len() <= merkle::MAX_CHUNK);
                assert!(taken.start <= offset && taken.start + chunk.len() as u64 <= size);
            }
            Err(error) => {
                let codes = [Code::ChunkMalformed, Code::ChunkPathInvalid, Code::ChunkMismatch];
                assert!(codes.contains(&error.code()));
            }
        }
    }
}

fn path_part(path: &[u8], at: usize) -> Option<[u8; 32]> {
    path.get(at..)?.first_chunk().copied()
}

/// A scheduler's page: what reads is written alike; every item has the id of its signature, and verifying never
/// panics.
pub fn su_page(bytes: &[u8]) {
    let Ok(page) = scheduler_page::parse(bytes) else { return };
    for edge in &page.edges {
        let Entry { assignment, message, .. } = &edge.entry;
        assert!(assignment.is_some() || message.is_some());
        let node = scheduler_page::render_entry(assignment.as_ref(), message.as_ref(), Anchors::Base64);
        let again = scheduler_page::parse_entry(node.to_string().as_bytes()).unwrap();
        assert_eq!((&again.assignment, &again.message), (assignment, message));
        for item in [assignment, message].into_iter().flatten() {
            check_item(item);
        }
    }
}

/// A GraphQL answer: JSON, and after a line feed the data of its first node. Every reading prints as that node, and at
/// most one verifies.
pub fn graphql_answer(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (json, data) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let Ok(answer) = serde_json::from_slice::<Value>(json) else { return };
    let node = answer.pointer("/data/transactions/edges/0/node").unwrap_or(&answer);
    let Ok(node) = NodeJson::parse(node.to_string().as_bytes()) else { return };
    let Ok(candidates) = graphql_item::candidates(&node, data) else { return };
    assert!((1..=18).contains(&candidates.len()));
    let mut proved = 0;
    for candidate in &candidates {
        assert_eq!(candidate.id().to_string(), node.id);
        assert_eq!(candidate.data, data);
        assert!(DataItem::parse(&candidate.to_bytes()).is_ok_and(|back| back == *candidate));
        let verdict = weft_verify::item(Untrusted::new(candidate.clone(), "fuzz"), Some(candidate.id()));
        proved += usize::from(verdict.is_ok());
    }
    assert!(proved <= 1, "two readings of the same signature");
    let among = weft_verify::item_among(Untrusted::new(candidates, "fuzz"), None);
    assert_eq!(among.is_ok(), proved == 1);
}

/// A receipt file, given the digest that belongs to it, so that changes reach what is behind it: what proves has the checks
/// that it claims, whoever its reader accepts; without its digest, or cut, it is refused.
pub fn receipt(bytes: &[u8]) {
    use weft_verify::{ReceiptFile, ReceiptProof, SchedulerPolicy};
    let seal = |digest: Id| format!("\"sha256\":\"{digest}\"}}\n").into_bytes();
    let Some(at) = bytes.len().checked_sub(seal(Id([0; 32])).len()) else { return };
    let body = &bytes[..at];
    let text = [body, seal(Id::sha256(body)).as_slice()].concat();
    let Ok(file) = ReceiptFile::parse(&text) else { return };
    assert!(
        ReceiptFile::parse(&[body, seal(Id([0; 32])).as_slice()].concat()).is_err(),
        "a digest of its own"
    );
    assert!(ReceiptFile::parse(&text[..text.len() - 1]).is_err(), "no byte less");
    let policy =
        SchedulerPolicy { accepted: file.accepted_schedulers().clone(), ..SchedulerPolicy::default() };
    if let Ok(proved) = ReceiptProof::open(&file, &policy).and_then(ReceiptProof::finish) {
        assert_eq!(file.receipt().checks, proved.checks());
        assert_eq!(file.slots() as u64, proved.slots);
        if !policy.accepted.is_empty() {
            assert!(
                ReceiptProof::open(&file, &SchedulerPolicy::default()).is_err(),
                "nobody accepted that signer"
            );
        }
    }
}
