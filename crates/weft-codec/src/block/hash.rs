//! What a block's hash and signature are over (reference arweave.md §6.2 to §6.5).

use sha2::{Digest, Sha256, Sha384};

use super::{Block, BlockHash, DoubleSigning, Fork, Mining, Number, Poa, Pricing, SignedSolution};
use crate::deep_hash::{Chunk, deep_hash};
use crate::error::{Code, Error, Result};

impl Block {
    /// The hash its fields give. Error: `block-unsupported` below fork 2.0, and if a part that the hash covers was not
    /// printed.
    pub fn computed_hash(&self) -> Result<BlockHash> {
        match (self.fork(), &self.mining) {
            (Fork::Early, _) => Err(unsupported("below fork 2.0 a block's hash covers the list of accounts")),
            (_, Some(mining)) => {
                let mut hasher = Sha384::new();
                hasher.update(self.signed_hash()?);
                hasher.update(&mining.signature);
                Ok(BlockHash(hasher.finalize().into()))
            }
            (_, None) => self.deep_hashed().map(BlockHash),
        }
    }

    /// The SHA-256 of the segment that the miner signs. Error: `block-unsupported`, also below fork 2.6.
    pub fn signed_hash(&self) -> Result<[u8; 32]> {
        Ok(Sha256::digest(self.segment()?).into())
    }

    /// What the miner's signature is over. Error: `block-unsupported`, also below fork 2.6.
    pub fn signature_preimage(&self) -> Result<Vec<u8>> {
        let (Some(mining), hash) = (&self.mining, self.signed_hash()?) else { return Err(unsigned()) };
        let mut out = Encoder::default();
        if self.fork() >= Fork::F2_9 {
            out.0.extend_from_slice(&[0; 32]);
        }
        out.number(16, &self.cumulative_diff);
        out.number(16, &mining.previous_cumulative_diff);
        out.0.extend_from_slice(&mining.previous_solution_hash);
        out.0.extend_from_slice(&hash);
        Ok(out.0)
    }

    /// The `hash_list_merkle` of the next block, if it follows from this one alone: not below height 95,000, and not
    /// at the two forks where it was built anew.
    #[must_use]
    pub fn next_hash_list_merkle(&self) -> Option<[u8; 48]> {
        let next = self.height + 1;
        let mut hasher = Sha384::new();
        hasher.update(&self.hash_list_merkle);
        if next > Fork::HEIGHT_2_0 {
            let root = self.tx_root.as_ref().map_or(&[][..], |id| id.as_bytes());
            hasher.update(deep_hash(&Chunk::List(vec![
                Chunk::Blob(self.indep_hash.as_bytes()),
                Chunk::Blob(self.weave_size.to_string().as_bytes()),
                Chunk::Blob(root),
            ])));
        } else if next > Fork::HEIGHT_1_6 && next < Fork::HEIGHT_2_0 {
            hasher.update(self.indep_hash.as_bytes());
        } else {
            return None;
        }
        Some(hasher.finalize().into())
    }

    /// The segment of fork 2.6 and later, field by field in the order of reference arweave.md §6.2. Lists are written
    /// last element first, as the network's encoder does.
    fn segment(&self) -> Result<Vec<u8>> {
        let (Some(mining), Some(pricing)) = (&self.mining, &self.pricing) else { return Err(unsigned()) };
        let mut out = Encoder::default();
        self.chain_fields(&mut out);
        pricing_fields(pricing, &mut out);
        out.list(16, self.tags.iter().map(Vec::as_slice));
        out.list(8, self.txs.iter().map(|id| id.as_bytes().as_slice()));
        self.solution_fields(mining, &mut out);
        economy_fields(mining, &mut out);
        match &mining.double_signing_proof {
            None => out.0.push(0),
            Some(proof) => double_signing(proof, self.fork(), &mut out),
        }
        out.number(16, &mining.previous_cumulative_diff);
        self.later_fields(mining, &mut out)?;
        Ok(out.0)
    }

    /// Fields 1 to 15. The nonce is a number: its leading zeros do not count.
    fn chain_fields(&self, out: &mut Encoder) {
        let nonce = self.nonce.iter().position(|byte| *byte != 0).and_then(|at| self.nonce.get(at..));
        out.bytes(8, &self.previous_block);
        out.int(8, self.timestamp);
        out.bytes(16, nonce.unwrap_or(&[0]));
        out.int(8, self.height);
        out.number(16, &self.diff);
        out.number(16, &self.cumulative_diff);
        out.int(8, self.last_retarget);
        out.bytes(8, &self.hash);
        out.int(16, self.block_size);
        out.int(16, self.weave_size);
        out.bytes(8, self.reward_addr.as_ref().map_or(&[], |id| id.as_bytes()));
        out.bytes(8, self.tx_root.as_ref().map_or(&[], |id| id.as_bytes()));
        out.bytes(8, &self.wallet_list);
        out.bytes(8, &self.hash_list_merkle);
        out.number(8, &self.reward_pool);
    }

    /// Fields 24 to 42.
    fn solution_fields(&self, mining: &Mining, out: &mut Encoder) {
        let vdf = &mining.vdf;
        out.number(8, &mining.reward);
        out.number(16, &mining.recall_byte);
        out.bytes(8, &mining.hash_preimage);
        out.bytes(16, &mining.recall_byte2.as_ref().map(Number::to_bytes).unwrap_or_default());
        out.bytes(16, &mining.reward_key);
        out.int(8, mining.partition_number);
        out.0.extend_from_slice(&vdf.output);
        out.0.extend_from_slice(&vdf.global_step_number.to_be_bytes());
        out.0.extend_from_slice(&vdf.seed);
        out.0.extend_from_slice(&vdf.next_seed);
        for bound in [vdf.zone_upper_bound, vdf.next_zone_upper_bound] {
            out.0.extend_from_slice(&[0; 24]);
            out.0.extend_from_slice(&bound.to_be_bytes());
        }
        out.bytes(8, &vdf.prev_output);
        for steps in [&vdf.steps, &vdf.last_step_checkpoints] {
            out.count(16, steps.len());
            out.0.extend(steps.iter().flatten());
        }
        out.bytes(8, &mining.previous_solution_hash);
    }

    /// Fields 53 to 66, by fork.
    fn later_fields(&self, mining: &Mining, out: &mut Encoder) -> Result<()> {
        if self.fork() >= Fork::F2_7 {
            let (Some(recalled), Some(first), Some(second)) = (&mining.recalled, &self.poa, &mining.poa2)
            else {
                return Err(unsupported("from fork 2.7 its hash covers the paths of its proofs of access"));
            };
            out.number(16, &recalled.merkle_rebase_support_threshold);
            for path in [&first.data_path, &first.tx_path, &second.data_path, &second.tx_path] {
                out.bytes(24, path);
            }
            out.0.extend_from_slice(&recalled.chunk_hash);
            out.bytes(8, recalled.chunk2_hash.as_deref().unwrap_or_default());
            out.0.extend_from_slice(&recalled.block_time_history_hash);
            out.number(8, &recalled.vdf_difficulty);
            out.number(8, &recalled.next_vdf_difficulty);
        }
        if self.fork() >= Fork::F2_8 {
            let packing = mining.packing.as_ref().ok_or_else(unsigned)?;
            out.0.push(packing.packing_difficulty);
            out.bytes(8, packing.unpacked_chunk_hash.as_deref().unwrap_or_default());
            out.bytes(8, packing.unpacked_chunk2_hash.as_deref().unwrap_or_default());
        }
        if self.fork() >= Fork::F2_9 {
            out.0.push(mining.replica_format.ok_or_else(unsigned)?);
        }
        Ok(())
    }

    /// Forks 2.0 to 2.5.
    fn deep_hashed(&self) -> Result<[u8; 48]> {
        let Some(poa) = &self.poa else {
            return Err(unsupported("below fork 2.6 its hash covers its proof of access, which is not here"));
        };
        let texts: Vec<String> = [self.timestamp, self.last_retarget].map(|number| number.to_string()).into();
        let base = self.deep_base(poa);
        let segment = deep_hash(&Chunk::List(vec![
            Chunk::Blob(&base),
            Chunk::Blob(texts[0].as_bytes()),
            Chunk::Blob(texts[1].as_bytes()),
            Chunk::Blob(self.diff.as_str().as_bytes()),
            Chunk::Blob(self.cumulative_diff.as_str().as_bytes()),
            Chunk::Blob(self.reward_pool.as_str().as_bytes()),
            Chunk::Blob(&self.wallet_list),
            Chunk::Blob(&self.hash_list_merkle),
        ]));
        let option = poa.option.to_string();
        let mut parts = vec![Chunk::Blob(&segment), Chunk::Blob(&self.hash), Chunk::Blob(&self.nonce)];
        if self.fork() >= Fork::F2_4 {
            parts.push(poa_list(poa, &option));
        }
        Ok(deep_hash(&Chunk::List(parts)))
    }

    fn deep_base(&self, poa: &Poa) -> [u8; 48] {
        let mut parts = Vec::new();
        if let Some(pricing) = &self.pricing {
            let Pricing { usd_to_ar_rate: now, scheduled_usd_to_ar_rate: next, .. } = pricing;
            let numbers = now.iter().chain(next);
            let thresholds = [&pricing.packing_2_5_threshold, &pricing.strict_data_split_threshold];
            parts.extend(numbers.chain(thresholds).map(|number| Chunk::Blob(number.as_str().as_bytes())));
        }
        let [height, block_size, weave_size] =
            [self.height, self.block_size, self.weave_size].map(|number| number.to_string());
        let blob = |id: &'_ Option<crate::Id>| id.map(|id| id.0.to_vec());
        let (root, payee) = (blob(&self.tx_root).unwrap_or_default(), blob(&self.reward_addr));
        let option = poa.option.to_string();
        parts.extend([
            Chunk::Blob(height.as_bytes()),
            Chunk::Blob(&self.previous_block),
            Chunk::Blob(&root),
            Chunk::List(self.txs.iter().map(|id| Chunk::Blob(id.as_bytes())).collect()),
            Chunk::Blob(block_size.as_bytes()),
            Chunk::Blob(weave_size.as_bytes()),
            Chunk::Blob(payee.as_deref().unwrap_or(b"unclaimed")),
            Chunk::List(self.tags.iter().map(|tag| Chunk::Blob(tag)).collect()),
        ]);
        if self.fork() < Fork::F2_4 {
            parts.push(poa_list(poa, &option));
        }
        deep_hash(&Chunk::List(parts))
    }
}

fn poa_list<'a>(poa: &'a Poa, option: &'a str) -> Chunk<'a> {
    let parts = [option.as_bytes(), &poa.tx_path, &poa.data_path, &poa.chunk];
    Chunk::List(parts.map(Chunk::Blob).into())
}

/// Fields 16 to 21.
fn pricing_fields(pricing: &Pricing, out: &mut Encoder) {
    out.number(8, &pricing.packing_2_5_threshold);
    out.number(8, &pricing.strict_data_split_threshold);
    for number in pricing.usd_to_ar_rate.iter().chain(&pricing.scheduled_usd_to_ar_rate) {
        out.number(8, number);
    }
}

/// Fields 43 to 50.
fn economy_fields(mining: &Mining, out: &mut Encoder) {
    out.number(8, &mining.price_per_gib_minute);
    out.number(8, &mining.scheduled_price_per_gib_minute);
    out.0.extend_from_slice(&mining.reward_history_hash);
    out.number(8, &mining.debt_supply);
    out.count(24, mining.kryder_plus_rate_multiplier as usize);
    out.0.push(mining.kryder_plus_rate_multiplier_latch);
    out.count(24, mining.denomination as usize);
    out.int(8, mining.redenomination_height);
}

/// Reference arweave.md §6.3: from fork 2.9 key and signatures have their lengths before them.
fn double_signing(proof: &DoubleSigning, fork: Fork, out: &mut Encoder) {
    let sized = |bytes: &[u8], out: &mut Encoder| {
        if fork >= Fork::F2_9 {
            out.bytes(16, bytes);
        } else {
            out.0.extend_from_slice(bytes);
        }
    };
    out.0.push(1);
    sized(&proof.pub_key, out);
    for SignedSolution { signature, cumulative_diff, previous_cumulative_diff, preimage } in
        [&proof.first, &proof.second]
    {
        sized(signature, out);
        out.number(16, cumulative_diff);
        out.number(16, previous_cumulative_diff);
        out.0.extend_from_slice(preimage);
    }
}

/// The network's encoding: a length of so many bits, big-endian, and the bytes. What is read from outside is bounded so
/// that every length fits.
#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn count(&mut self, bits: usize, count: usize) {
        let bytes = (count as u64).to_be_bytes();
        self.0.extend_from_slice(&bytes[8 - bits / 8..]);
    }

    fn bytes(&mut self, bits: usize, bytes: &[u8]) {
        self.count(bits, bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, bits: usize, number: &Number) {
        self.bytes(bits, &number.to_bytes());
    }

    fn int(&mut self, bits: usize, number: u64) {
        self.number(bits, &Number::from(number));
    }

    /// 16 bits of count, then the elements from the last to the first.
    fn list<'a>(
        &mut self,
        bits: usize,
        elements: impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator,
    ) {
        self.count(16, elements.len());
        for element in elements.rev() {
            self.bytes(bits, element);
        }
    }
}

fn unsupported(why: &str) -> Error {
    Error::new(Code::BlockUnsupported, format!("The hash of this block cannot be computed: {why}."))
}

fn unsigned() -> Error {
    unsupported("it is not signed, or fields of its fork are not here")
}
