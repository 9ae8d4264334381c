//! Block headers of layer 1, as nodes and gateways print them in JSON, and their hashes (reference arweave.md §6).

mod hash;
mod json;
mod number;
mod transactions;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base64url;
use crate::error::{Code, Error, Result};
use crate::id::Id;

pub use number::Number;
pub use transactions::{Place, TransactionTree, TxLeaf};

/// The most bytes of a block's JSON: two proofs of access with a packed and an unpacked chunk each, a thousand
/// transactions and the steps of the VDF stay well below it.
pub const MAX_JSON: usize = 4 << 20;
/// The most transactions of a block (1,000 by the network's rule) and steps of its VDF: their count has 16 bits.
pub const MAX_LIST: usize = 65_535;

/// The hash that names a block: 48 bytes, written as 64 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockHash(pub [u8; 48]);

impl BlockHash {
    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 48] {
        &self.0
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BlockHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::new(Code::IdInvalid, "A block's hash has 64 characters of base64url.");
        let bytes = base64url::decode(text).map_err(|cause| refuse().because(cause))?;
        bytes.try_into().map(Self).map_err(|_| refuse())
    }
}

impl Serialize for BlockHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlockHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: Error| serde::de::Error::custom(error))
    }
}

/// What decides how a block is hashed and signed (reference arweave.md §6.1). Forks that change neither are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fork {
    /// Below 422,250: the hash covers the list of all accounts.
    Early,
    /// From 422,250: a deep hash.
    F2_0,
    /// From 633,720: a deep hash that covers the recalled chunk.
    F2_4,
    /// From 812,970: exchange rates and thresholds.
    F2_5,
    /// From 1,132,210: a hash of the signed segment and the signature.
    F2_6,
    /// From 1,275,480: the paths of the recalled chunks, VDF difficulty.
    F2_7,
    /// From 1,547,120: packing difficulty.
    F2_8,
    /// From 1,602,350: replica format, secp256k1 keys.
    F2_9,
}

impl Fork {
    /// The height of fork 2.0.
    pub const HEIGHT_2_0: u64 = 422_250;
    /// The height of fork 2.5.
    pub const HEIGHT_2_5: u64 = 812_970;
    /// The height of fork 1.6.
    pub const HEIGHT_1_6: u64 = 95_000;
    /// The height of fork 2.9.
    pub const HEIGHT_2_9: u64 = 1_602_350;

    /// The fork a block of this height is of.
    #[must_use]
    pub const fn at(height: u64) -> Self {
        match height {
            0..Self::HEIGHT_2_0 => Self::Early,
            Self::HEIGHT_2_0..633_720 => Self::F2_0,
            633_720..Self::HEIGHT_2_5 => Self::F2_4,
            Self::HEIGHT_2_5..1_132_210 => Self::F2_5,
            1_132_210..1_275_480 => Self::F2_6,
            1_275_480..1_547_120 => Self::F2_7,
            1_547_120..Self::HEIGHT_2_9 => Self::F2_8,
            _ => Self::F2_9,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Early => "before 2.0",
            Self::F2_0 => "2.0",
            Self::F2_4 => "2.4",
            Self::F2_5 => "2.5",
            Self::F2_6 => "2.6",
            Self::F2_7 => "2.7",
            Self::F2_8 => "2.8",
            Self::F2_9 => "2.9",
        }
    }
}

/// A block's header. The `indep_hash` is what its source prints; [`Self::computed_hash`] is what its fields say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The height.
    pub height: u64,
    /// When it was mined, in seconds since 1970.
    pub timestamp: u64,
    /// When the difficulty was last changed, in seconds since 1970.
    pub last_retarget: u64,
    /// The difficulty.
    pub diff: Number,
    /// The work of the chain up to here. Zero below height 95,000.
    pub cumulative_diff: Number,
    /// What the miner varied.
    pub nonce: Vec<u8>,
    /// The hash of the block before: 48 bytes; 32 or none in the first blocks.
    pub previous_block: Vec<u8>,
    /// The hash that fulfils the difficulty.
    pub hash: Vec<u8>,
    /// The hash the source prints.
    pub indep_hash: BlockHash,
    /// The ids of its transactions.
    pub txs: Vec<Id>,
    /// The root of its transactions' data.
    pub tx_root: Option<Id>,
    /// The root of the accounts.
    pub wallet_list: Vec<u8>,
    /// The commitment to all blocks before. Empty below height 95,000.
    pub hash_list_merkle: Vec<u8>,
    /// Who is paid; `None` is the text `unclaimed`.
    pub reward_addr: Option<Id>,
    /// Tags. Below fork 2.5 only the empty list is read.
    pub tags: Vec<Vec<u8>>,
    /// The endowment, in winston.
    pub reward_pool: Number,
    /// Bytes of the weave, with this block.
    pub weave_size: u64,
    /// Bytes of this block, padding included.
    pub block_size: u64,
    /// The proof of access, if the source prints it.
    pub poa: Option<Poa>,
    /// What fork 2.5 added.
    pub pricing: Option<Pricing>,
    /// What fork 2.6 added.
    pub mining: Option<Box<Mining>>,
}

/// A recalled chunk with its paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Poa {
    /// Which of the recalled bytes it is, from 1.
    pub option: u64,
    /// From the recalled block's root to the transaction.
    pub tx_path: Vec<u8>,
    /// From the transaction's data root to the chunk.
    pub data_path: Vec<u8>,
    /// The chunk, packed as the block says.
    pub chunk: Vec<u8>,
}

/// Fork 2.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pricing {
    /// Dividend and divisor.
    pub usd_to_ar_rate: [Number; 2],
    /// Dividend and divisor.
    pub scheduled_usd_to_ar_rate: [Number; 2],
    /// Where packed data begin.
    pub packing_2_5_threshold: Number,
    /// Where chunks begin to be in buckets of their own.
    pub strict_data_split_threshold: Number,
}

/// Fork 2.6 and later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mining {
    /// What the hash is of.
    pub hash_preimage: Vec<u8>,
    /// The first recalled byte.
    pub recall_byte: Number,
    /// The second one, if two chunks were recalled.
    pub recall_byte2: Option<Number>,
    /// What the miner is paid, in winston.
    pub reward: Number,
    /// The `hash` of the block before.
    pub previous_solution_hash: Vec<u8>,
    /// The partition that was mined.
    pub partition_number: u64,
    /// The VDF.
    pub vdf: Vdf,
    /// The second proof of access; empty if there was one chunk.
    pub poa2: Option<Poa>,
    /// The miner's signature.
    pub signature: Vec<u8>,
    /// The miner's key: an RSA modulus of 512 bytes, or a compressed point of 33.
    pub reward_key: Vec<u8>,
    /// Price of storage.
    pub price_per_gib_minute: Number,
    /// Price of storage from the next change on.
    pub scheduled_price_per_gib_minute: Number,
    /// The commitment to earlier rewards.
    pub reward_history_hash: [u8; 32],
    /// Winston owed to the endowment.
    pub debt_supply: Number,
    /// 24 bits.
    pub kryder_plus_rate_multiplier: u32,
    /// 8 bits.
    pub kryder_plus_rate_multiplier_latch: u8,
    /// The denomination of amounts: 24 bits.
    pub denomination: u32,
    /// Where the denomination last changed.
    pub redenomination_height: u64,
    /// A proof that some miner signed twice.
    pub double_signing_proof: Option<Box<DoubleSigning>>,
    /// The `cumulative_diff` of the block before.
    pub previous_cumulative_diff: Number,
    /// What fork 2.7 added.
    pub recalled: Option<Recalled>,
    /// What fork 2.8 added.
    pub packing: Option<Packing>,
    /// What fork 2.9 added.
    pub replica_format: Option<u8>,
}

/// The VDF of a block (`nonce_limiter_info`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vdf {
    /// Its output.
    pub output: [u8; 32],
    /// The number of its last step.
    pub global_step_number: u64,
    /// The seed.
    pub seed: [u8; 48],
    /// The next seed.
    pub next_seed: [u8; 48],
    /// How much of the weave is mined.
    pub zone_upper_bound: u64,
    /// How much is, from the next seed on.
    pub next_zone_upper_bound: u64,
    /// The output before.
    pub prev_output: Vec<u8>,
    /// The checkpoints inside the last step.
    pub last_step_checkpoints: Vec<[u8; 32]>,
    /// The outputs since the block before; the JSON calls them `checkpoints`.
    pub steps: Vec<[u8; 32]>,
}

/// Fork 2.7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// Where offsets in data trees may begin again.
    pub merkle_rebase_support_threshold: Number,
    /// The hash of the first recalled chunk.
    pub chunk_hash: [u8; 32],
    /// The hash of the second one.
    pub chunk2_hash: Option<Vec<u8>>,
    /// The commitment to earlier block times.
    pub block_time_history_hash: [u8; 32],
    /// The VDF's difficulty.
    pub vdf_difficulty: Number,
    /// The VDF's next difficulty.
    pub next_vdf_difficulty: Number,
}

/// Fork 2.8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packing {
    /// The packing difficulty.
    pub packing_difficulty: u8,
    /// The hash of the first recalled chunk, unpacked.
    pub unpacked_chunk_hash: Option<Vec<u8>>,
    /// The hash of the second one, unpacked.
    pub unpacked_chunk2_hash: Option<Vec<u8>>,
}

/// Two signatures of one key over two solutions (reference arweave.md §6.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubleSigning {
    /// The key.
    pub pub_key: Vec<u8>,
    /// The first signature and what it is over.
    pub first: SignedSolution,
    /// The second one.
    pub second: SignedSolution,
}

/// One signature of a [`DoubleSigning`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedSolution {
    /// The signature.
    pub signature: Vec<u8>,
    /// The work of that chain.
    pub cumulative_diff: Number,
    /// The work before that block.
    pub previous_cumulative_diff: Number,
    /// What was signed with them.
    pub preimage: [u8; 64],
}

impl Block {
    /// The fork it is of, by its height.
    #[must_use]
    pub const fn fork(&self) -> Fork {
        Fork::at(self.height)
    }

    /// Where its data begin in the weave.
    #[must_use]
    pub const fn start(&self) -> u64 {
        self.weave_size.saturating_sub(self.block_size)
    }
}

fn malformed(sentence: impl Into<String>) -> Error {
    Error::new(Code::BlockMalformed, sentence)
}
