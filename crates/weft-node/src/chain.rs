//! The newest blocks of Arweave, as gateways say. No work is checked here: a header counts because enough gateways
//! name the same one. What the header itself proves is `weft-verify`'s to check.

use serde::{Deserialize, Serialize};
use weft_codec::{Code, Error, Result};

use crate::event::{Event, Observer};
use crate::failures::Failures;
use crate::quorum::{Agreement, needed};
use crate::reach::{Reach, json_body};
use crate::seams::{Clock, Fetch};

/// The longest `/info`.
const MAX_INFO_BYTES: u64 = 1 << 16;
/// The longest header as JSON: a thousand transaction ids and the proofs of a block (arweave.md 6).
const MAX_BLOCK_BYTES: u64 = 8 << 20;
/// The longest hash of a block, as text: 48 bytes are 64 characters.
const MAX_HASH_CHARS: usize = 64;

/// A block by its place and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockName {
    /// The height.
    pub height: u64,
    /// `indep_hash`, base64url.
    pub hash: String,
}

#[derive(Deserialize)]
struct Info {
    height: u64,
}

#[derive(Deserialize)]
struct Header {
    indep_hash: String,
    height: u64,
}

/// The newest block that enough gateways have: the highest height that `needed` of them reach, and the hash that they
/// give there. Errors: that of the gateways, if none answered.
pub(crate) async fn tip<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateways: &[String],
) -> Result<Agreement<BlockName>> {
    let height = async |url: &str| {
        let body = json_body(reach.question(url, "info", MAX_INFO_BYTES).await?)?;
        let info: Info = serde_json::from_slice(&body).map_err(|cause| garbled().because(cause))?;
        Ok(info.height)
    };
    let answers = reach.ask_all(gateways, height).await?;
    let (mut heights, mut failures) = (Vec::new(), Failures::default());
    for (url, answer) in answers {
        match answer {
            Ok(height) => heights.push(height),
            Err(error) => failures.push(&url, error),
        }
    }
    heights.sort_unstable_by_key(|height| std::cmp::Reverse(*height));
    let enough = usize::try_from(needed(reach.options.quorum, gateways.len())).unwrap_or(usize::MAX);
    // Of fewer answers than are needed, the lowest: then no quorum is reached, and it is said.
    let Some(height) = heights.get(enough - 1).or(heights.last()) else {
        return Err(failures.into_error("the height of the newest block"));
    };
    named(reach, gateways, *height, "tip").await
}

/// The block at a height, as gateways name it. Errors: those of the gateways, if none answered.
pub(crate) async fn block<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateways: &[String],
    height: u64,
) -> Result<Agreement<BlockName>> {
    named(reach, gateways, height, "block").await
}

async fn named<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateways: &[String],
    height: u64,
    claim: &str,
) -> Result<Agreement<BlockName>> {
    let name = async |url: &str| {
        let body = json_body(reach.question(url, &format!("block/height/{height}"), MAX_BLOCK_BYTES).await?)?;
        let header: Header = serde_json::from_slice(&body).map_err(|cause| garbled().because(cause))?;
        if header.height != height || header.indep_hash.len() > MAX_HASH_CHARS {
            return Err(garbled());
        }
        Ok(BlockName { height, hash: header.indep_hash })
    };
    let answers = reach.ask_all(gateways, name).await?;
    let agreement = Agreement::of(answers, needed(reach.options.quorum, gateways.len()))
        .map_err(|failures| failures.into_error(&format!("the block at height {height}")))?;
    let tally = agreement.tally(|block| format!("{} at height {}", block.hash, block.height));
    reach.observer.event(Event::Quorum { claim: claim.to_owned(), tally: Box::new(tally) });
    Ok(agreement)
}

fn garbled() -> Error {
    Error::new(Code::SourceGarbled, "Its answer is not that of an Arweave node.")
}
