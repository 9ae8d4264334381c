//! A small chain of our own: a bundle with a bundle in it, in a transaction, in a block, with blocks after it, all signed
//! with the published test key. The blocks are real ones of fork 2.9 but for what is needed.

use std::sync::OnceLock;

use rsa::pss::Pss;
use rsa::traits::SignatureScheme as _;
use rsa::{BoxedUint, RsaPrivateKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use weft_codec::block::{Block, TransactionTree, TxLeaf};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::merkle::{self, MAX_CHUNK, Split, Tree};
use weft_codec::tags::Tag;
use weft_codec::transaction::{TagBytes, Transaction};
use weft_codec::{Id, base64url, bundle};
use weft_verify::{AgreedHeader, ChunkProof, DataProof, InclusionProof, TransactionPath};

/// A real block of fork 2.9.
pub(crate) const BLOCK_2_9: &str = include_str!("../../../../tests/fixtures/arweave-l1/blocks/1974239.json");

pub(crate) struct Key {
    key: RsaPrivateKey,
    pub(crate) owner: Vec<u8>,
}

impl Key {
    /// A key of `vectors/keys.json`.
    pub(crate) fn get() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(|| {
            let keys = include_str!("../../../../tests/fixtures/vectors/keys.json");
            let keys: Value = serde_json::from_str(keys).unwrap();
            let bytes =
                |name: &str| base64url::decode(keys["rsa4096"]["jwk"][name].as_str().unwrap()).unwrap();
            let number = |name: &str| BoxedUint::from_be_slice_vartime(&bytes(name));
            let primes = vec![number("p"), number("q")];
            let key = RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes);
            Self { key: key.unwrap(), owner: bytes("n") }
        })
    }

    pub(crate) fn sign(&self, payload: &[u8]) -> Vec<u8> {
        let scheme = Pss { blinded: false, digest: Sha256::new(), salt_len: Some(0) };
        scheme.sign(Some(&mut NoRandomness), &self.key, &Sha256::digest(payload)).unwrap()
    }
}

struct NoRandomness;

impl rsa::rand_core::TryRng for NoRandomness {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for NoRandomness {}

pub(crate) fn item(data: Vec<u8>, tags: &[(&str, &str)]) -> DataItem {
    let tags = tags.iter().map(|(name, value)| Tag::new(*name, *value)).collect();
    let unsigned = Unsigned { owner: Key::get().owner.clone(), data, tags, ..Unsigned::default() };
    let signature = Key::get().sign(&unsigned.payload());
    unsigned.sign_with(signature).unwrap()
}

pub(crate) const BUNDLE: [(&str, &str); 2] = [("Bundle-Format", "binary"), ("Bundle-Version", "2.0.0")];

/// A signed transaction; format 1 has its data in it.
pub(crate) fn transaction(format: u8, data: &[u8], tags: &[(&str, &str)]) -> Transaction {
    let tag = |(name, value): &(&str, &str)| TagBytes {
        name: name.as_bytes().into(),
        value: value.as_bytes().into(),
    };
    let mut unsigned = Transaction {
        format,
        id: Id([0; 32]),
        last_tx: vec![7; 48],
        owner: Key::get().owner.clone(),
        tags: tags.iter().map(tag).collect(),
        target: None,
        quantity: "0".into(),
        reward: "1000".into(),
        data_size: data.len() as u64,
        data_root: (format == 2 && !data.is_empty()).then(|| merkle::data_root(data)),
        data: if format == 1 { data.to_vec() } else { Vec::new() },
        signature: Vec::new(),
        denomination: 0,
    };
    unsigned.signature = Key::get().sign(&unsigned.signing_payload());
    unsigned.id = unsigned.computed_id();
    unsigned
}

/// Signs a block with the test key, and prints its hash in it.
pub(crate) fn sign(block: &mut Block) {
    let mining = block.mining.as_mut().unwrap();
    mining.reward_key.clone_from(&Key::get().owner);
    block.reward_addr = Some(Id::sha256(&Key::get().owner));
    let preimage = block.signature_preimage().unwrap();
    block.mining.as_mut().unwrap().signature = Key::get().sign(&preimage);
    block.indep_hash = block.computed_hash().unwrap();
}

pub(crate) fn real() -> Block {
    Block::from_json(BLOCK_2_9.as_bytes()).unwrap()
}

/// A block after another, with these transactions.
pub(crate) fn after(parent: &Block, transactions: &[Transaction]) -> Block {
    let mut block = parent.clone();
    let leaves: Vec<TxLeaf> = transactions.iter().map(TxLeaf::of).collect();
    block.height += 1;
    block.timestamp += 120;
    block.previous_block = parent.indep_hash.as_bytes().to_vec();
    block.hash_list_merkle = parent.next_hash_list_merkle().unwrap().to_vec();
    block.txs = transactions.iter().map(|one| one.id).collect();
    let tree = TransactionTree::new(&leaves, block.height);
    block.tx_root = tree.as_ref().map(|tree| tree.tree.root());
    block.block_size = tree.map_or(0, |tree| tree.size);
    block.weave_size += block.block_size;
    let mining = block.mining.as_mut().unwrap();
    mining.previous_solution_hash.clone_from(&parent.hash);
    mining.previous_cumulative_diff = parent.cumulative_diff.clone();
    block.hash = Sha256::digest(&parent.hash).to_vec();
    sign(&mut block);
    block
}

/// The chain, and what is in it.
pub(crate) struct World {
    /// Items of the outer bundle: a message, a bundle, something larger than a chunk.
    pub(crate) outer: Vec<DataItem>,
    /// Items of the inner bundle.
    pub(crate) inner: Vec<DataItem>,
    /// The outer bundle.
    pub(crate) data: Vec<u8>,
    /// The transaction that carries it, and others of its block.
    pub(crate) carrier: Transaction,
    pub(crate) others: Vec<Transaction>,
    /// The block with them, and two after it.
    pub(crate) blocks: Vec<Block>,
}

impl World {
    pub(crate) fn get() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(Self::new)
    }

    fn new() -> Self {
        let inner = vec![item(b"first".to_vec(), &[]), item(b"second".to_vec(), &[("Data-Protocol", "ao")])];
        let large = (0..600_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        let outer = vec![
            item(b"message".to_vec(), &[("Data-Protocol", "ao"), ("Type", "Message")]),
            item(large, &[]),
            item(bundle::encode(&inner), &BUNDLE),
        ];
        let data = bundle::encode(&outer);
        let carrier = transaction(2, &data, &BUNDLE);
        let others = vec![
            transaction(2, b"", &[]),
            transaction(1, b"old", &[]),
            transaction(1, b"", &[("a", "b")]),
            transaction(2, &vec![9; 300_000], &[]),
        ];
        let all: Vec<Transaction> = others.iter().chain([&carrier]).cloned().collect();
        let first = after(&real(), &all);
        let second = after(&first, &[]);
        let third = after(&second, &[transaction(2, b"later", &[])]);
        Self { outer, inner, data, carrier, others, blocks: vec![first, second, third] }
    }

    /// The chunk with a byte of the data.
    pub(crate) fn chunk(&self, offset: u64) -> ChunkProof {
        let leaves = merkle::leaves(&self.data, Split::ArweaveJs);
        let number = leaves.iter().position(|leaf| offset < leaf.end).unwrap();
        let start = if number == 0 { 0 } else { leaves[number - 1].end };
        let chunk =
            self.data[usize::try_from(start).unwrap()..usize::try_from(leaves[number].end).unwrap()].to_vec();
        let data_path = Tree::new(leaves).unwrap().path(number).unwrap();
        ChunkProof { offset, data_path, chunk }
    }

    /// All chunks.
    pub(crate) fn chunks(&self) -> Vec<ChunkProof> {
        (0..self.data.len()).step_by(MAX_CHUNK).map(|offset| self.chunk(offset as u64)).collect()
    }

    pub(crate) fn tx_path(&self) -> TransactionPath {
        self.tx_path_of(self.carrier.id)
    }

    pub(crate) fn tx_path_of(&self, id: Id) -> TransactionPath {
        let all: Vec<TxLeaf> = self.others.iter().chain([&self.carrier]).map(TxLeaf::of).collect();
        let tree = TransactionTree::new(&all, self.blocks[0].height).unwrap();
        let place = tree.places.iter().find(|place| place.id == id).unwrap();
        let offset = self.blocks[0].start() + place.end;
        TransactionPath { offset, path: tree.path(id).unwrap() }
    }

    /// A proof by chunks, with all there is.
    pub(crate) fn proof(&self, path: &[u64]) -> InclusionProof {
        let item = match path {
            [] => self.carrier.id,
            [number] => self.outer[usize::try_from(*number).unwrap()].id(),
            [_, number, ..] => self.inner[usize::try_from(*number).unwrap()].id(),
        };
        InclusionProof {
            item,
            path: path.to_vec(),
            data: DataProof::Chunks { chunks: self.chunks() },
            transaction: self.carrier.to_json(),
            tx_path: Some(self.tx_path()),
            blocks: self.blocks.iter().map(Block::to_json).collect(),
        }
    }

    pub(crate) fn agreed(&self) -> AgreedHeader {
        AgreedHeader {
            hash: self.blocks.last().unwrap().indep_hash,
            asked: 3,
            by: vec!["https://one".into(), "https://two".into()],
            against: vec![],
        }
    }
}
