//! Asks for the inclusion of a slot: its message and its assignment, each proved to be in a block of Arweave, up to a header
//! that several gateways name alike. What was proved is kept, and stands in the receipts from then on.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weft_codec::block::BlockHash;
use weft_codec::{Code, Error, Id, Result};
use weft_verify::{AgreedHeader, Check, Status, Untrusted};

use crate::archive::{Archive, KeptInclusion, Record, write};
use crate::chain;
use crate::event::Observer;
use crate::inclusion::{Last, prove};
use crate::node::Node;
use crate::options::Options;
use crate::quorum::Tally;
use crate::reach::{Reach, Stop};
use crate::seams::{Batch, Clock, Fetch, Store};
use crate::sources::Sources;

/// Headers after the one that has the item, where there are so many. More make the proof larger and say the same: whoever
/// agrees on the last one agrees on all before it.
const LINKS: u64 = 10;
/// Checks that a proof makes once for every block or chunk. A person reads how often.
const REPEATED: [&str; 4] = ["block-hash", "block-signature", "block-link", "chunk"];

/// An item that was found in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncludedItem {
    /// The item.
    pub item: Id,
    /// The transaction whose data it is in.
    pub transaction: Id,
    /// The height of the block that has the transaction.
    pub height: u64,
    /// The height of the last header of the proof.
    pub head_height: u64,
    /// Whether sources agree on that header. If not, it is the word of the gateway that gave the proof.
    pub agreed: bool,
}

/// What gateways say of headers, asked once for each height.
struct Headers<'a, 'b, F, C, O> {
    reach: &'a Reach<'b, F, C, O>,
    gateways: &'a [String],
    tip: u64,
    known: RefCell<BTreeMap<u64, Tally>>,
}

impl<F: Fetch, C: Clock, O: Observer> Headers<'_, '_, F, C, O> {
    /// The header with which a proof shall end whose item is in the block at this height.
    async fn after(&self, height: u64) -> Result<Last> {
        let last = height.saturating_add(LINKS).min(self.tip).max(height);
        if !self.known.borrow().contains_key(&last) {
            let agreement = chain::block(self.reach, self.gateways, last).await?;
            self.known.borrow_mut().insert(last, agreement.tally(|block| block.hash.clone()));
        }
        let agreed = self.known.borrow().get(&last).map(header).transpose()?.flatten();
        Ok(Last { height: last, agreed })
    }
}

/// The header, if enough of several sources name it. Error: `source-garbled` if what they name is no hash.
fn header(said: &Tally) -> Result<Option<AgreedHeader>> {
    if said.asked < 2 || !said.is_reached() {
        return Ok(None);
    }
    let hash: BlockHash = said.value.parse().map_err(|cause| {
        Error::new(Code::SourceGarbled, "The gateways name a block by something that is no hash.")
            .because(cause)
    })?;
    let against = said.against.iter().map(|one| format!("{}: {}", one.url, one.says)).collect();
    Ok(Some(AgreedHeader { hash, asked: said.asked, by: said.by.clone(), against }))
}

impl<S: Store, F: Fetch, C: Clock> Node<S, F, C> {
    /// Proves that the message and the assignment of a stored slot are in blocks, and keeps the proofs: the receipts of the
    /// slot and of the history have them from then on. The headers of a proof go to the tenth after the item's block, or to
    /// the newest that enough gateways have; all gateways are asked which block that is.
    ///
    /// Errors: `not-found` for a slot that is not stored and for an item that no gateway has in a block; `block-not-agreed`
    /// for gateways whose headers lead elsewhere; those of [`Self::inclusion`] and of the store.
    pub async fn include<O: Observer>(
        &self,
        process: Id,
        slot: u64,
        sources: &Sources,
        options: &Options,
        observer: &O,
    ) -> Result<Vec<IncludedItem>> {
        let record = self.known_items(process, "proofs of inclusion").await?;
        let sources = sources.checked()?;
        let reach = self.reach(observer, options);
        let tip = Box::pin(chain::tip(&reach, &sources.gateways)).await?.value.height;
        let headers = Headers { reach: &reach, gateways: &sources.gateways, tip, known: RefCell::default() };
        let mut found = Vec::new();
        let mut batch = Batch::default();
        for item in items(&self.archive(), &record, slot).await? {
            let (kept, included) = Box::pin(self.include_item(&headers, item)).await?;
            write::inclusion(&mut batch, process, slot, &kept)?;
            found.push(included);
        }
        self.archive().commit(batch).await?;
        Ok(found)
    }

    async fn include_item<O: Observer>(
        &self,
        headers: &Headers<'_, '_, F, C, O>,
        item: Id,
    ) -> Result<(KeptInclusion, IncludedItem)> {
        let wanted = async |height: u64| headers.after(height).await;
        let attempt = async |gateway: &str| {
            let (proof, checked) = Box::pin(prove(headers.reach, gateway, item, &wanted)).await?;
            Ok((proof, checked, gateway.to_owned()))
        };
        let found = headers.reach.first_of(headers.gateways, attempt).await;
        let (proof, included, source) = found.map_err(|stop| match stop {
            Stop::Ours(error) => error,
            Stop::Sources(failures) => failures.into_error(&format!("the inclusion of {item}")),
        })?;
        let height = included.head_height;
        let said = headers.known.borrow().get(&height).cloned();
        let said =
            said.ok_or_else(|| Error::new(Code::BlockNotAgreed, "Nobody was asked for the last header."))?;
        let agreed = header(&said)?.is_some();
        let item = IncludedItem {
            item,
            transaction: included.transaction,
            height: included.height,
            head_height: height,
            agreed,
        };
        Ok((KeptInclusion { proof, source, height, said }, item))
    }
}

/// What of a slot can be in a block: its message, and its assignment.
async fn items<S: Store>(archive: &Archive<'_, S>, record: &Record, slot: u64) -> Result<Vec<Id>> {
    let entry = archive.slot(&Batch::default(), record.process, slot).await?;
    let entry = entry.filter(|_| record.head.as_ref().is_some_and(|head| slot <= head.slot));
    let entry =
        entry.ok_or_else(|| Error::new(Code::NotFound, format!("Slot {slot} is not in the store.")))?;
    let message = entry.message.map_or(record.process, |message| message.id());
    Ok(vec![message, entry.assignment.id()])
}

/// The checks of kept proofs, made again: those that repeat are counted.
pub(crate) fn checks(kept: &[KeptInclusion]) -> Result<Vec<Check>> {
    let mut all: Vec<Check> = Vec::new();
    let mut said: Vec<(u64, &Tally)> = Vec::new();
    for one in kept {
        let proof = Untrusted::new(one.proof.clone(), one.source.as_str());
        let proved = weft_verify::inclusion(proof, one.proof.item, header(&one.said)?.as_ref())?;
        let mut counted: BTreeMap<String, (u64, Check)> = BTreeMap::new();
        for check in proved.into_parts().1 {
            if REPEATED.contains(&check.claim.as_str()) && check.status == Status::Proved {
                counted.entry(check.claim.clone()).or_insert_with(|| (0, check)).0 += 1;
            } else {
                all.push(check);
            }
        }
        all.extend(counted.into_values().map(|(count, check)| match count {
            1 => check,
            count => Check { evidence: BTreeMap::new(), ..check }.with("count", count),
        }));
        if !said.iter().any(|(height, _)| *height == one.height) {
            said.push((one.height, &one.said));
        }
    }
    for (height, said) in said {
        let sentence = "Which block is at this height is what gateways say: neither RandomX nor the VDF is checked here.";
        all.push(said.check("block", height, sentence));
    }
    Ok(all)
}
