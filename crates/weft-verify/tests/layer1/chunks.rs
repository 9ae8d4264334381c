//! Data roots, paths and chunks, against arweave-js's and the node's vectors; the rules by place in the weave.

use serde_json::Value;
use weft_codec::merkle::{self, MAX_CHUNK, RootBuilder, Split, branch_id, leaf_id, note};
use weft_codec::{Code, Id, base64url};
use weft_verify::{Chunk, ChunkProof, Rules, Untrusted};

use super::world::{self, World};

const K256: u64 = MAX_CHUNK as u64;

fn prove(proof: ChunkProof, root: Id, size: u64, rules: Option<Rules>) -> Result<Chunk, Code> {
    let verdict = weft_verify::chunk(Untrusted::new(proof, "test"), root, size, rules);
    verdict.map(|proved| proved.into_parts().0).map_err(|error| error.code())
}

fn vectors(file: &str) -> Value {
    serde_json::from_str(file).unwrap()
}

/// The data of the vectors: byte i is i mod 251.
fn data(size: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(size).collect()
}

#[test]
fn the_proofs_of_arweave_js_hold() {
    let vectors = vectors(include_str!("../../../../tests/fixtures/vectors/arweave.json"));
    let mut proofs = 0;
    for case in vectors["data_roots"].as_array().unwrap() {
        let size = case["size"].as_u64().unwrap();
        let data = data(usize::try_from(size).unwrap());
        let root: Id = case["data_root"].as_str().unwrap().parse().unwrap();
        for proof in case["proofs"].as_array().unwrap() {
            let data_path = base64url::decode(proof["data_path_b64url"].as_str().unwrap()).unwrap();
            let offset = proof["offset"].as_u64().unwrap();
            let bounds = case["chunk_bounds"].as_array().unwrap();
            let bounds = bounds.iter().map(|pair| [pair[0].as_u64().unwrap(), pair[1].as_u64().unwrap()]);
            let [start, end] =
                bounds.into_iter().find(|[start, end]| (*start..*end).contains(&offset)).unwrap();
            let range = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
            let proof = ChunkProof { offset, data_path, chunk: data[range].to_vec() };
            for rules in [None, Some(Rules::StrictBorders), Some(Rules::StrictSplit), Some(Rules::Rebase)] {
                assert_eq!(prove(proof.clone(), root, size, rules).unwrap().start, start, "{size} {rules:?}");
            }
            // Any byte of the chunk leads there, and no other.
            for (offset, right) in
                [(start, true), (end - 1, true), (end, false), (start.wrapping_sub(1), false)]
            {
                let proof = ChunkProof { offset, ..proof.clone() };
                assert_eq!(prove(proof, root, size, None).is_ok(), right, "{size} {offset}");
            }
            proofs += 1;
        }
    }
    assert!(proofs >= 12, "{proofs}");
}

/// In whatever pieces data come, their root is the same, and it is that of the whole tree.
#[test]
fn roots_do_not_depend_on_the_pieces() {
    for size in
        [0, 1, 32_768, 262_143, 262_144, 262_145, 294_911, 294_912, 524_287, 524_288, 557_055, 1_900_000]
    {
        let data = data(size);
        for split in [Split::ArweaveJs, Split::Node] {
            let leaves = merkle::leaves(&data, split);
            let count = leaves.len() as u64;
            let root = merkle::Tree::new(leaves).unwrap().root();
            for piece in [1_000, 32_768, 262_144, 294_912, 700_001] {
                let mut builder = RootBuilder::new(split);
                data.chunks(piece).for_each(|piece| builder.push(piece));
                let found = builder.finish();
                assert_eq!(
                    (found.root, found.size, found.leaves),
                    (root, size as u64, count),
                    "{size} {piece}"
                );
            }
        }
    }
    assert_ne!(merkle::data_root(&data(262_145)), merkle::data_root_split(&data(262_145), Split::Node));
}

/// 2 GiB go through a builder that never holds more than a chunk and an eighth.
#[test]
fn a_root_needs_no_memory_for_the_data() {
    let piece = vec![0x5a; 1 << 20];
    let mut builder = RootBuilder::new(Split::ArweaveJs);
    let pieces = if cfg!(debug_assertions) { 256 } else { 2048 };
    for _ in 0..pieces {
        builder.push(&piece);
        assert!(builder.held() < MAX_CHUNK + 32_768);
    }
    let found = builder.finish();
    assert_eq!((found.size, found.leaves), (pieces << 20, 4 * pieces + 1));
    // The same by doubling: the tree over 2^n equal chunks, then the empty one at the end.
    assert_eq!(found.root, {
        let mut builder = RootBuilder::new(Split::Node);
        (0..pieces * 4).for_each(|_| builder.push(&piece[..MAX_CHUNK]));
        builder.finish().root
    });
}

#[test]
fn the_rules_by_place() {
    assert_eq!(Rules::at(0), Rules::StrictBorders);
    assert_eq!(Rules::at(30_607_159_107_829), Rules::StrictBorders);
    assert_eq!(Rules::at(30_607_159_107_830), Rules::StrictSplit);
    assert_eq!(Rules::at(151_066_495_197_429), Rules::StrictSplit);
    assert_eq!(Rules::at(151_066_495_197_430), Rules::Rebase);
}

/// A tree of chunks and of subtrees whose offsets begin again.
enum Part {
    Chunk(Vec<u8>),
    Again(Vec<Self>),
}

struct Node {
    id: [u8; 32],
    /// Where it ends, from where its offsets begin.
    end: u64,
    /// Whether its offsets begin again.
    again: bool,
    /// The chunks below: start from where its own offsets begin, path from here, bytes.
    chunks: Vec<(u64, Vec<u8>, Vec<u8>)>,
}

/// The tree as the node makes it (reference arweave.md §3.4).
fn tree(parts: &[Part]) -> Node {
    let mut end = 0;
    let mut layer: Vec<Node> = Vec::new();
    for part in parts {
        let node = match part {
            Part::Chunk(bytes) => {
                let (start, hash) = (end, Id::sha256(bytes).0);
                end += bytes.len() as u64;
                let path = [hash, note(end)].concat();
                let id = leaf_id(&hash, &note(end));
                Node { id, end, again: false, chunks: vec![(start, path, bytes.clone())] }
            }
            Part::Again(parts) => {
                let node = tree(parts);
                end += node.end;
                Node { again: true, ..node }
            }
        };
        layer.push(node);
    }
    while layer.len() > 1 {
        let mut shift = 0;
        let mut above: Vec<Node> = Vec::new();
        let mut nodes = layer.into_iter();
        while let Some(left) = nodes.next() {
            let Some(right) = nodes.next() else {
                above.push(left);
                break;
            };
            let middle = if left.again { shift + left.end } else { left.end };
            let end = if right.again { middle + right.end } else { right.end };
            let branch = [left.id, right.id, note(middle)].concat();
            let begin = shift;
            let join = |node: Node, begin: u64| {
                let again = node.again;
                let head = [if again { vec![0; 32] } else { Vec::new() }, branch.clone()].concat();
                let base = if again { begin } else { 0 };
                node.chunks
                    .into_iter()
                    .map(move |(start, path, bytes)| (base + start, [head.clone(), path].concat(), bytes))
                    .collect::<Vec<_>>()
            };
            let id = branch_id(&left.id, &right.id, &note(middle));
            let mut chunks = join(left, begin);
            chunks.extend(join(right, middle));
            above.push(Node { id, end, again: false, chunks });
            shift = end;
        }
        layer = above;
    }
    layer.pop().unwrap()
}

fn chunk(fill: u8, size: u64) -> Part {
    Part::Chunk(vec![fill; usize::try_from(size).unwrap()])
}

fn verdicts(tree: &Node, rules: Option<Rules>) -> Vec<Result<u64, Code>> {
    let verdict = |(start, data_path, chunk): &(u64, Vec<u8>, Vec<u8>)| {
        let proof = ChunkProof { offset: *start, data_path: data_path.clone(), chunk: chunk.clone() };
        prove(proof, Id(tree.id), tree.end, rules).map(|chunk| chunk.start)
    };
    tree.chunks.iter().map(verdict).collect()
}

/// Root3 and Root4 of the node's own tests, and the shallow ones.
#[test]
fn offsets_may_begin_again() {
    let shallow = vec![chunk(1, K256), Part::Again(vec![chunk(2, K256)])];
    let both = vec![Part::Again(vec![chunk(1, K256)]), Part::Again(vec![chunk(2, K256)])];
    let nested = vec![
        chunk(1, K256),
        chunk(2, K256),
        Part::Again(vec![chunk(3, K256), Part::Again(vec![chunk(4, K256)])]),
        chunk(5, K256),
        chunk(6, K256),
    ];
    let pairs = vec![
        chunk(1, K256),
        chunk(2, K256),
        Part::Again(vec![chunk(3, K256), chunk(4, K256)]),
        Part::Again(vec![chunk(5, K256), chunk(6, K256)]),
    ];
    let last = vec![chunk(1, K256), Part::Again(vec![chunk(2, K256), chunk(3, 100)])];
    for (parts, count) in [(shallow, 2), (both, 2), (nested, 6), (pairs, 6), (last, 3)] {
        let tree = tree(&parts);
        let wanted: Vec<Result<u64, Code>> = (0..count).map(|number| Ok(number * K256)).collect();
        assert_eq!(verdicts(&tree, Some(Rules::Rebase)), wanted);
        // A marker that changes nothing is refused where chunks are offered.
        let needless = |path: &[u8]| path.starts_with(&[0; 32]) && wanted.len() == 2;
        for ((verdict, wanted), (start, path, _)) in
            verdicts(&tree, None).iter().zip(&wanted).zip(&tree.chunks)
        {
            let refused = *start == 0 && needless(path);
            assert_eq!(*verdict, if refused { Err(Code::ChunkPathInvalid) } else { *wanted });
        }
        // Older places of the weave know no markers.
        for rules in [Rules::StrictBorders, Rules::StrictSplit] {
            for (verdict, (_, path, _)) in verdicts(&tree, Some(rules)).iter().zip(&tree.chunks) {
                let marked = path.chunks(32).next().unwrap() == [0; 32];
                assert!(!marked || *verdict == Err(Code::ChunkPathInvalid));
            }
        }
    }
}

/// Markers are not hashed. One that the path would hold without is refused where a chunk is offered, as nodes do; in a block
/// it counts if the chunk is where it is without it.
#[test]
fn needless_markers() {
    let tree = tree(&[chunk(1, K256), chunk(2, K256)]);
    let (start, path, bytes) = &tree.chunks[0];
    let marked =
        ChunkProof { offset: *start, data_path: [&[0; 32][..], path].concat(), chunk: bytes.clone() };
    assert_eq!(prove(marked.clone(), Id(tree.id), tree.end, None), Err(Code::ChunkPathInvalid));
    assert_eq!(prove(marked, Id(tree.id), tree.end, Some(Rules::Rebase)).unwrap().start, 0);
    // Nowhere else does one fit.
    let (start, path, bytes) = &tree.chunks[1];
    let marked =
        ChunkProof { offset: *start, data_path: [&[0; 32][..], path].concat(), chunk: bytes.clone() };
    for rules in [None, Some(Rules::Rebase)] {
        assert_eq!(prove(marked.clone(), Id(tree.id), tree.end, rules), Err(Code::ChunkPathInvalid));
    }
}

/// Which splits are taken, by the rules (reference arweave.md §3.4).
#[test]
fn splits() {
    let ok = |parts: &[Part], rules: Rules| {
        verdicts(&tree(parts), Some(rules)).iter().map(Result::is_ok).collect::<Vec<_>>()
    };
    let rules = [Rules::StrictBorders, Rules::StrictSplit, Rules::Rebase];
    // arweave-js's halves, and a whole chunk and its rest.
    let halves = [chunk(1, 131_073), chunk(2, 131_072)];
    assert_eq!(rules.map(|rules| ok(&halves, rules)), [vec![true; 2], vec![true; 2], vec![true; 2]]);
    let rest = [chunk(1, K256), chunk(2, 10)];
    assert_eq!(rules.map(|rules| ok(&rest, rules)), [vec![true; 2], vec![true; 2], vec![true; 2]]);
    // Small chunks: the second one does not begin a bucket.
    let small = [chunk(1, 10), chunk(2, 10), chunk(3, K256)];
    assert_eq!(
        rules.map(|rules| ok(&small, rules)),
        [vec![true; 3], vec![true, false, false], vec![true, false, true]]
    );
    // Larger than a chunk.
    let large = [chunk(1, K256 + 1), chunk(2, K256)];
    assert!(rules.iter().all(|rules| !ok(&large, *rules)[0]));
    // A last chunk that begins in the middle of a bucket and ends at its border: whole chunks have no other neighbour.
    let border = [chunk(1, 131_072), chunk(2, 131_072)];
    assert_eq!(rules.map(|rules| ok(&border, rules)[1]), [true, false, false]);
}

#[test]
fn what_is_wrong_with_a_chunk_is_said() {
    let world = World::get();
    let root = world.carrier.data_root.unwrap();
    let size = world.carrier.data_size;
    let whole = world.chunk(300_000);
    assert!(prove(whole.clone(), root, size, Some(Rules::Rebase)).is_ok());
    let with = |change: fn(&mut ChunkProof)| {
        let mut proof = whole.clone();
        change(&mut proof);
        prove(proof, root, size, None).unwrap_err()
    };
    assert_eq!(with(|proof| proof.chunk[7] ^= 1), Code::ChunkMismatch);
    assert_eq!(with(|proof| proof.chunk.truncate(1_000)), Code::ChunkMismatch);
    assert_eq!(with(|proof| proof.chunk.clear()), Code::ChunkMismatch);
    assert_eq!(with(|proof| proof.data_path[3] ^= 1), Code::ChunkPathInvalid);
    assert_eq!(with(|proof| *proof.data_path.last_mut().unwrap() ^= 1), Code::ChunkPathInvalid);
    assert_eq!(with(|proof| proof.data_path.truncate(96)), Code::ChunkPathInvalid);
    assert_eq!(with(|proof| proof.data_path.truncate(63)), Code::ChunkMalformed);
    assert_eq!(with(|proof| proof.data_path.resize(400_000, 0)), Code::ChunkMalformed);
    assert_eq!(with(|proof| proof.offset = u64::MAX), Code::ChunkMalformed);
    assert_eq!(prove(whole, Id([1; 32]), size, None).unwrap_err(), Code::ChunkPathInvalid);
}

/// The tree of a block with padding, by the node's own code (vectors/tx-root.json).
#[test]
fn a_blocks_tree_has_padding() {
    let vectors = vectors(include_str!("../../../../tests/fixtures/vectors/tx-root.json"));
    let hex = |value: &Value| -> Vec<u8> {
        let text = value.as_str().unwrap();
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    let leaf = |number: u8, root: Option<&str>, data_size| weft_codec::block::TxLeaf {
        format: 2,
        id: Id([number; 32]),
        data_root: root.map(|text| Id::sha256(text.as_bytes())),
        data_size,
    };
    let leaves = [
        leaf(3, None, 0),
        leaf(4, Some("root-3"), 262_144),
        leaf(1, Some("root-1"), 1_000),
        leaf(2, Some("root-2"), 300_000),
    ];
    let tree = weft_codec::block::TransactionTree::new(&leaves, 812_970).unwrap();
    assert_eq!(tree.tree.root().0.to_vec(), hex(&vectors["tx_root_hex"]));
    assert_eq!(Some(tree.size), vectors["block_size"].as_u64());
    for path in vectors["paths"].as_array().unwrap() {
        let root = Id::try_from(hex(&path["leaf_data_root_hex"]).as_slice()).unwrap();
        let id = leaves.iter().find(|leaf| leaf.data_root == Some(root)).unwrap().id;
        assert_eq!(tree.path(id).unwrap(), hex(&path["tx_path_hex"]));
    }
    let places: Vec<[u64; 2]> = tree.places.iter().map(|place| [place.start, place.end]).collect();
    assert_eq!(places, [[0, 1_000], [262_144, 562_144], [786_432, 786_432], [786_432, 1_048_576]]);
    // Below fork 2.5 there is none.
    assert_eq!(weft_codec::block::TransactionTree::new(&leaves, 812_969).unwrap().size, 563_144);
}

#[test]
fn a_path_leads_to_a_transactions_place_in_the_weave() {
    let world = World::get();
    let block = super::blocks::prove(world.blocks[0].clone()).unwrap();
    let path = world.tx_path();
    let place = weft_verify::transaction_path(&block, path.offset, &path.path).unwrap();
    assert_eq!(Some(place.data_root), world.carrier.data_root);
    assert_eq!((place.size, place.start + place.size), (world.carrier.data_size, path.offset));
    let refused = |offset: u64, path: &[u8]| {
        weft_verify::transaction_path(&block, offset, path).unwrap_err().code() == Code::TxPathInvalid
    };
    assert!(
        refused(block.start(), &path.path)
            && refused(block.weave_size + 1, &path.path)
            && refused(0, &path.path)
    );
    assert!(refused(path.offset, &path.path[96..]) && refused(path.offset, &[]));
    assert!(refused(place.start, &path.path), "the byte before");
    let parent = super::blocks::prove(world::real()).unwrap();
    assert!(weft_verify::transaction_path(&parent, parent.weave_size, &path.path).is_err());
}
