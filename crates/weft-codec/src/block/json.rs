//! A block's JSON (reference arweave.md §6.7).

use serde_json::{Map, Value, json};

use super::{
    Block, BlockHash, DoubleSigning, Fork, MAX_JSON, MAX_LIST, Mining, Number, Packing, Poa, Pricing,
    Recalled, SignedSolution, Vdf, malformed,
};
use crate::base64url;
use crate::error::{Code, Error, Result};
use crate::id::Id;
use crate::merkle::MAX_CHUNK;

/// The longest hash, root or address: their lengths are hashed as one byte.
const SHORT: usize = 64;
/// The longest key or signature.
const KEY: usize = 512;
/// The longest nonce: blocks below fork 2.6 have text or hundreds of bytes there.
const NONCE: usize = 1024;
/// The longest `data_path`: what a node takes.
const MAX_DATA_PATH: usize = 349_504;
/// The longest `tx_path`. Nodes take 2,176 bytes.
const MAX_TX_PATH: usize = 16_384;
/// The most tags, and the most bytes of them.
const MAX_TAGS: usize = 2048;

impl Block {
    /// Reads the JSON of `GET /block/hash/{hash}` or `/block/height/{height}`. Which fields must be there follows from
    /// the height. Errors: `json-invalid`, `block-malformed`, `too-large`.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        if json.len() > MAX_JSON {
            let what = format!("A block's JSON has at most {MAX_JSON} bytes.");
            return Err(Error::new(Code::TooLarge, what));
        }
        let value: Value = serde_json::from_slice(json).map_err(|cause| {
            Error::new(Code::JsonInvalid, "This is not the JSON of a block.").because(cause)
        })?;
        Self::from_value(&value)
    }

    /// Reads the same from JSON that is parsed already; its size is the caller's to bound. Errors: `block-malformed`.
    pub fn from_value(value: &Value) -> Result<Self> {
        let fields = Fields::of(value, "block")?;
        let height = fields.int("height")?;
        let fork = Fork::at(height);
        let block = Self {
            height,
            timestamp: fields.int("timestamp")?,
            last_retarget: fields.int("last_retarget")?,
            diff: fields.number("diff")?,
            cumulative_diff: fields.number_or_zero("cumulative_diff")?,
            nonce: fields.bytes("nonce", NONCE)?,
            previous_block: fields.bytes("previous_block", 48)?,
            hash: fields.bytes("hash", SHORT)?,
            indep_hash: BlockHash(fields.exactly("indep_hash")?),
            txs: fields.each("txs", MAX_LIST, |text| text.parse())?,
            tx_root: fields.id_or_none("tx_root")?,
            wallet_list: fields.bytes("wallet_list", SHORT)?,
            hash_list_merkle: fields.bytes_or_none("hash_list_merkle", SHORT)?.unwrap_or_default(),
            reward_addr: match fields.text("reward_addr")? {
                "unclaimed" => None,
                address => Some(address.parse()?),
            },
            tags: fields.each("tags", MAX_TAGS, base64url::decode)?,
            reward_pool: fields.number("reward_pool")?,
            weave_size: fields.int("weave_size")?,
            block_size: fields.int("block_size")?,
            poa: fields.poa("poa")?,
            pricing: if fork >= Fork::F2_5 { Some(pricing(&fields)?) } else { None },
            mining: if fork >= Fork::F2_6 { Some(Box::new(mining(&fields, fork)?)) } else { None },
        };
        block.check_shape(fork)?;
        Ok(block)
    }

    fn check_shape(&self, fork: Fork) -> Result<()> {
        if self.tags.iter().map(Vec::len).sum::<usize>() > MAX_TAGS {
            return Err(malformed("The tags of a block have at most 2048 bytes."));
        }
        if fork < Fork::F2_5 && !self.tags.is_empty() {
            return Err(malformed("Tags of blocks below fork 2.5 are not read: none are known."));
        }
        if self.block_size > self.weave_size {
            return Err(malformed("The block is larger than the weave."));
        }
        Ok(())
    }

    /// The JSON a node prints. What `indep_hash` it has is the source's.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let encode = base64url::encode;
        let mut json = json!({
            "nonce": encode(&self.nonce),
            "previous_block": encode(&self.previous_block),
            "timestamp": self.timestamp,
            "last_retarget": self.last_retarget,
            "diff": self.diff.as_str(),
            "height": self.height,
            "hash": encode(&self.hash),
            "indep_hash": self.indep_hash,
            "txs": self.txs,
            "tx_root": self.tx_root.map(|id| id.to_string()).unwrap_or_default(),
            "wallet_list": encode(&self.wallet_list),
            "reward_addr": self.reward_addr.map_or_else(|| "unclaimed".to_owned(), |id| id.to_string()),
            "tags": self.tags.iter().map(|tag| encode(tag)).collect::<Vec<_>>(),
            "reward_pool": self.reward_pool.as_str(),
            "weave_size": self.weave_size.to_string(),
            "block_size": self.block_size.to_string(),
            "cumulative_diff": self.cumulative_diff.as_str(),
            "hash_list_merkle": encode(&self.hash_list_merkle),
        });
        put(&mut json, "poa", self.poa.as_ref().map(poa_json));
        if let Some(pricing) = &self.pricing {
            let pair = |[dividend, divisor]: &[Number; 2]| json!([dividend.as_str(), divisor.as_str()]);
            put(&mut json, "usd_to_ar_rate", Some(pair(&pricing.usd_to_ar_rate)));
            put(&mut json, "scheduled_usd_to_ar_rate", Some(pair(&pricing.scheduled_usd_to_ar_rate)));
            put(&mut json, "packing_2_5_threshold", decimal(&pricing.packing_2_5_threshold));
            put(&mut json, "strict_data_split_threshold", decimal(&pricing.strict_data_split_threshold));
        }
        if let Some(mining) = &self.mining {
            mining_json(mining, &mut json);
        }
        json
    }
}

fn pricing(fields: &Fields<'_>) -> Result<Pricing> {
    Ok(Pricing {
        usd_to_ar_rate: fields.pair("usd_to_ar_rate")?,
        scheduled_usd_to_ar_rate: fields.pair("scheduled_usd_to_ar_rate")?,
        packing_2_5_threshold: fields.number("packing_2_5_threshold")?,
        strict_data_split_threshold: fields.number("strict_data_split_threshold")?,
    })
}

fn mining(fields: &Fields<'_>, fork: Fork) -> Result<Mining> {
    Ok(Mining {
        hash_preimage: fields.bytes("hash_preimage", SHORT)?,
        recall_byte: fields.number("recall_byte")?,
        recall_byte2: fields.get("recall_byte2").map(Number::from_json).transpose()?,
        reward: fields.number("reward")?,
        previous_solution_hash: fields.bytes("previous_solution_hash", SHORT)?,
        partition_number: fields.int("partition_number")?,
        vdf: vdf(&Fields::of(fields.required("nonce_limiter_info")?, "nonce_limiter_info")?)?,
        poa2: fields.poa("poa2")?,
        signature: fields.bytes("signature", KEY)?,
        reward_key: fields.bytes("reward_key", KEY)?,
        price_per_gib_minute: fields.number("price_per_gib_minute")?,
        scheduled_price_per_gib_minute: fields.number("scheduled_price_per_gib_minute")?,
        reward_history_hash: fields.exactly("reward_history_hash")?,
        debt_supply: fields.number("debt_supply")?,
        kryder_plus_rate_multiplier: fields.at_most("kryder_plus_rate_multiplier", 0xff_ffff)?,
        kryder_plus_rate_multiplier_latch: fields.byte("kryder_plus_rate_multiplier_latch")?,
        denomination: fields.at_most("denomination", 0xff_ffff)?,
        redenomination_height: fields.int("redenomination_height")?,
        double_signing_proof: match fields.get("double_signing_proof") {
            Some(Value::Object(object)) if !object.is_empty() => {
                Some(Box::new(double_signing(&Fields { object, what: "double_signing_proof" }, fork)?))
            }
            _ => None,
        },
        previous_cumulative_diff: fields.number("previous_cumulative_diff")?,
        recalled: if fork >= Fork::F2_7 { Some(recalled(fields)?) } else { None },
        packing: if fork >= Fork::F2_8 { Some(packing(fields)?) } else { None },
        replica_format: if fork >= Fork::F2_9 { Some(fields.byte("replica_format")?) } else { None },
    })
}

fn vdf(fields: &Fields<'_>) -> Result<Vdf> {
    let hash = |text: &str| -> Result<[u8; 32]> { text.parse::<Id>().map(|id| id.0) };
    Ok(Vdf {
        output: fields.exactly("output")?,
        global_step_number: fields.int("global_step_number")?,
        seed: fields.exactly("seed")?,
        next_seed: fields.exactly("next_seed")?,
        zone_upper_bound: fields.int("zone_upper_bound")?,
        next_zone_upper_bound: fields.int("next_zone_upper_bound")?,
        prev_output: fields.bytes("prev_output", SHORT)?,
        last_step_checkpoints: fields.each("last_step_checkpoints", MAX_LIST, hash)?,
        steps: fields.each("checkpoints", MAX_LIST, hash)?,
    })
}

fn recalled(fields: &Fields<'_>) -> Result<Recalled> {
    let vdf = Fields::of(fields.required("nonce_limiter_info")?, "nonce_limiter_info")?;
    Ok(Recalled {
        merkle_rebase_support_threshold: fields.number("merkle_rebase_support_threshold")?,
        chunk_hash: fields.exactly("chunk_hash")?,
        chunk2_hash: fields.bytes_or_none("chunk2_hash", SHORT)?,
        block_time_history_hash: fields.exactly("block_time_history_hash")?,
        vdf_difficulty: vdf.number("vdf_difficulty")?,
        next_vdf_difficulty: vdf.number("next_vdf_difficulty")?,
    })
}

fn packing(fields: &Fields<'_>) -> Result<Packing> {
    Ok(Packing {
        packing_difficulty: fields.byte("packing_difficulty")?,
        unpacked_chunk_hash: fields.bytes_or_none("unpacked_chunk_hash", SHORT)?,
        unpacked_chunk2_hash: fields.bytes_or_none("unpacked_chunk2_hash", SHORT)?,
    })
}

/// Below fork 2.9 key and signatures have no length in the hash: they have 512 bytes each.
fn double_signing(fields: &Fields<'_>, fork: Fork) -> Result<DoubleSigning> {
    let sized = |name: &str| {
        let bytes = fields.bytes(name, KEY)?;
        if fork < Fork::F2_9 && bytes.len() != KEY {
            return Err(malformed(format!("The {name} of a double signing proof has 512 bytes.")));
        }
        Ok(bytes)
    };
    let solution = |number: u8| {
        Ok(SignedSolution {
            signature: sized(&format!("sig{number}"))?,
            cumulative_diff: fields.number(&format!("cdiff{number}"))?,
            previous_cumulative_diff: fields.number(&format!("prev_cdiff{number}"))?,
            preimage: fields.exactly(&format!("preimage{number}"))?,
        })
    };
    Ok(DoubleSigning { pub_key: sized("pub_key")?, first: solution(1)?, second: solution(2)? })
}

/// The fields of a JSON object, with their names in errors.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    what: &'static str,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, what: &'static str) -> Result<Self> {
        let object = value.as_object().ok_or_else(|| malformed(format!("The {what} is not an object.")))?;
        Ok(Self { object, what })
    }

    /// A field that is there and is not null.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn required(&self, name: &str) -> Result<&'a Value> {
        self.get(name).ok_or_else(|| malformed(format!("The {} has no {name}.", self.what)))
    }

    fn text(&self, name: &str) -> Result<&'a str> {
        self.required(name)?.as_str().ok_or_else(|| malformed(format!("The {name} is not text.")))
    }

    fn number(&self, name: &str) -> Result<Number> {
        Number::from_json(self.required(name)?).map_err(|error| error.at(name))
    }

    fn number_or_zero(&self, name: &str) -> Result<Number> {
        if self.get(name).is_some() { self.number(name) } else { Ok(Number::from(0)) }
    }

    fn int(&self, name: &str) -> Result<u64> {
        self.number(name)?.as_u64().ok_or_else(|| malformed(format!("The {name} is too large.")))
    }

    fn at_most(&self, name: &str, most: u32) -> Result<u32> {
        let fits = u32::try_from(self.int(name)?).ok().filter(|value| *value <= most);
        fits.ok_or_else(|| malformed(format!("The {name} is at most {most}.")))
    }

    fn byte(&self, name: &str) -> Result<u8> {
        self.at_most(name, 255)?.try_into().map_err(|_| malformed(format!("The {name} is too large.")))
    }

    fn pair(&self, name: &str) -> Result<[Number; 2]> {
        match self.required(name)?.as_array().map(Vec::as_slice) {
            Some([dividend, divisor]) => Ok([Number::from_json(dividend)?, Number::from_json(divisor)?]),
            _ => Err(malformed(format!("The {name} is not two numbers."))),
        }
    }

    fn bytes(&self, name: &str, most: usize) -> Result<Vec<u8>> {
        let text = self.text(name)?;
        if text.len() > most.saturating_mul(4).div_ceil(3) {
            return Err(malformed(format!("The {name} has at most {most} bytes.")));
        }
        base64url::decode(text).map_err(|error| error.at(name))
    }

    /// `None` if it is not there or empty.
    fn bytes_or_none(&self, name: &str, most: usize) -> Result<Option<Vec<u8>>> {
        let bytes = if self.get(name).is_some() { self.bytes(name, most)? } else { Vec::new() };
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    fn exactly<const N: usize>(&self, name: &str) -> Result<[u8; N]> {
        let bytes = self.bytes(name, N)?;
        bytes.try_into().map_err(|_| malformed(format!("The {name} does not have {N} bytes.")))
    }

    fn id_or_none(&self, name: &str) -> Result<Option<Id>> {
        match self.bytes_or_none(name, 32)? {
            Some(bytes) => Id::try_from(bytes.as_slice()).map(Some).map_err(|error| error.at(name)),
            None => Ok(None),
        }
    }

    /// A list of texts.
    fn each<T>(&self, name: &str, most: usize, read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
        let list = self.required(name)?.as_array().filter(|list| list.len() <= most);
        let list = list.ok_or_else(|| malformed(format!("The {name} are not a list of at most {most}.")))?;
        let one = |value: &Value| {
            let text = value.as_str().ok_or_else(|| malformed("An element is not text."))?;
            read(text)
        };
        list.iter().map(|value| one(value).map_err(|error| error.at(name))).collect()
    }

    fn poa(&self, name: &str) -> Result<Option<Poa>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let fields = Fields::of(value, "proof of access")?;
        Ok(Some(Poa {
            option: fields.int("option")?,
            tx_path: fields.bytes("tx_path", MAX_TX_PATH)?,
            data_path: fields.bytes("data_path", MAX_DATA_PATH)?,
            chunk: fields.bytes("chunk", MAX_CHUNK)?,
        }))
    }
}

fn put(json: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (json.as_object_mut(), value) {
        object.insert(name.to_owned(), value);
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what `put` takes")]
fn decimal(number: &Number) -> Option<Value> {
    Some(number.as_str().into())
}

fn poa_json(poa: &Poa) -> Value {
    json!({
        "option": poa.option.to_string(),
        "tx_path": base64url::encode(&poa.tx_path),
        "data_path": base64url::encode(&poa.data_path),
        "chunk": base64url::encode(&poa.chunk),
    })
}

fn mining_json(mining: &Mining, json: &mut Value) {
    let encode = |bytes: &[u8]| Some(Value::from(base64url::encode(bytes)));
    put(json, "hash_preimage", encode(&mining.hash_preimage));
    put(json, "recall_byte", decimal(&mining.recall_byte));
    put(json, "recall_byte2", mining.recall_byte2.as_ref().and_then(decimal));
    put(json, "reward", decimal(&mining.reward));
    put(json, "previous_solution_hash", encode(&mining.previous_solution_hash));
    put(json, "partition_number", Some(mining.partition_number.into()));
    put(json, "nonce_limiter_info", Some(vdf_json(&mining.vdf, mining.recalled.as_ref())));
    put(json, "poa2", mining.poa2.as_ref().map(poa_json));
    put(json, "signature", encode(&mining.signature));
    put(json, "reward_key", encode(&mining.reward_key));
    put(json, "price_per_gib_minute", decimal(&mining.price_per_gib_minute));
    put(json, "scheduled_price_per_gib_minute", decimal(&mining.scheduled_price_per_gib_minute));
    put(json, "reward_history_hash", encode(&mining.reward_history_hash));
    put(json, "debt_supply", decimal(&mining.debt_supply));
    let multiplier = mining.kryder_plus_rate_multiplier.to_string();
    put(json, "kryder_plus_rate_multiplier", Some(multiplier.into()));
    let latch = mining.kryder_plus_rate_multiplier_latch.to_string();
    put(json, "kryder_plus_rate_multiplier_latch", Some(latch.into()));
    put(json, "denomination", Some(mining.denomination.to_string().into()));
    put(json, "redenomination_height", Some(mining.redenomination_height.into()));
    let proof = mining.double_signing_proof.as_deref().map_or_else(|| json!({}), double_signing_json);
    put(json, "double_signing_proof", Some(proof));
    put(json, "previous_cumulative_diff", decimal(&mining.previous_cumulative_diff));
    if let Some(recalled) = &mining.recalled {
        let threshold = decimal(&recalled.merkle_rebase_support_threshold);
        put(json, "merkle_rebase_support_threshold", threshold);
        put(json, "chunk_hash", encode(&recalled.chunk_hash));
        put(json, "chunk2_hash", recalled.chunk2_hash.as_deref().and_then(encode));
        put(json, "block_time_history_hash", encode(&recalled.block_time_history_hash));
    }
    if let Some(packing) = &mining.packing {
        put(json, "packing_difficulty", Some(packing.packing_difficulty.into()));
        put(json, "unpacked_chunk_hash", packing.unpacked_chunk_hash.as_deref().and_then(encode));
        put(json, "unpacked_chunk2_hash", packing.unpacked_chunk2_hash.as_deref().and_then(encode));
    }
    put(json, "replica_format", mining.replica_format.map(Value::from));
}

fn vdf_json(vdf: &Vdf, recalled: Option<&Recalled>) -> Value {
    let list = |steps: &[[u8; 32]]| steps.iter().map(|step| Id(*step).to_string()).collect::<Vec<_>>();
    let mut json = json!({
        "output": base64url::encode(&vdf.output),
        "global_step_number": vdf.global_step_number,
        "seed": base64url::encode(&vdf.seed),
        "next_seed": base64url::encode(&vdf.next_seed),
        "zone_upper_bound": vdf.zone_upper_bound,
        "next_zone_upper_bound": vdf.next_zone_upper_bound,
        "prev_output": base64url::encode(&vdf.prev_output),
        "last_step_checkpoints": list(&vdf.last_step_checkpoints),
        "checkpoints": list(&vdf.steps),
    });
    put(&mut json, "vdf_difficulty", recalled.and_then(|recalled| decimal(&recalled.vdf_difficulty)));
    put(
        &mut json,
        "next_vdf_difficulty",
        recalled.and_then(|recalled| decimal(&recalled.next_vdf_difficulty)),
    );
    json
}

fn double_signing_json(proof: &DoubleSigning) -> Value {
    let mut json = json!({ "pub_key": base64url::encode(&proof.pub_key) });
    for (number, solution) in [(1, &proof.first), (2, &proof.second)] {
        put(&mut json, &format!("sig{number}"), Some(base64url::encode(&solution.signature).into()));
        put(&mut json, &format!("cdiff{number}"), decimal(&solution.cumulative_diff));
        put(&mut json, &format!("prev_cdiff{number}"), decimal(&solution.previous_cumulative_diff));
        put(&mut json, &format!("preimage{number}"), Some(base64url::encode(&solution.preimage).into()));
    }
    json
}
