//! What a gateway's index lists (arweave.md 8). A listing proves nothing by itself: each item in it is proved by its
//! signature, and that none is left out is what several gateways are asked for.

use serde::Deserialize;
use serde_json::{Value, json};
use weft_codec::graphql_item::{self, NodeJson};
use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_verify::{Untrusted, Verified};

use crate::event::Observer;
use crate::gateway;
use crate::reach::Reach;
use crate::seams::{Clock, Fetch};

/// The most items of one page, the largest that gateways give.
pub(crate) const PAGE: u64 = 100;
/// The most pages of one listing. A page is asked for 100 slots, and a slot has one assignment or, in a fork, few.
const MAX_PAGES: usize = 20;
/// The longest page: 100 items of 4 KiB of tags with their keys and signatures in base64url.
const MAX_PAGE_BYTES: u64 = 16 << 20;
/// Of the newest items of a scheduler, how many are looked at for one that proves.
const MAX_TRIED: usize = 8;

const QUERY: &str = "query($owners:[String!],$tags:[TagFilter!],$first:Int,$after:String,$sort:SortOrder){\
    transactions(owners:$owners,tags:$tags,first:$first,after:$after,sort:$sort){pageInfo{hasNextPage}\
    edges{cursor node{id anchor signature recipient owner{address key} data{size} tags{name value}}}}}";

/// An assignment as an index prints it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) slot: u64,
    pub(crate) id: Id,
    node: NodeJson,
}

impl Listed {
    fn read(node: &Value, owners: &[Address], process: Id) -> Option<Self> {
        let node = NodeJson::deserialize(node).ok()?;
        let id = node.id.parse().ok()?;
        let of_process = node.tags.tag("Process") == Some(process.to_string().as_str());
        let slot = node.tags.tag("Nonce").and_then(|text| text.parse().ok())?;
        let owner = weft_codec::base64url::decode(&node.owner.key).ok()?;
        (of_process && owners.contains(&Address::of_owner(&owner))).then_some(Self { slot, id, node })
    }

    /// The assignment, proved by itself: its id and its signature. An assignment has no data. Errors: those of
    /// [`graphql_item::candidates`] and of [`weft_verify::item`].
    pub(crate) fn prove(&self, source: &str) -> Result<Verified<DataItem>> {
        let candidates = graphql_item::candidates(&self.node, &[])?;
        let anchored = self.node.anchor.as_deref().is_some_and(|anchor| !anchor.is_empty());
        weft_verify::item_among(Untrusted::new(candidates, source), Some(self.id)).map_err(|error| {
            if anchored || error.code() != Code::SignatureInvalid {
                return error;
            }
            let what = "Its index leaves out anchors, so that assignments cannot be proved from it.";
            Error::new(Code::AnchorMissing, what).because(error)
        })
    }
}

/// All assignments that an index has for a range of slots, by slot and id. What the index gives beside them is left
/// out. Errors: `source-…`, `page-loop`.
pub(crate) async fn assignments<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    owners: &[Address],
    process: Id,
    slots: std::ops::RangeInclusive<u64>,
) -> Result<Vec<Listed>> {
    let nonces: Vec<String> = slots.clone().map(|slot| slot.to_string()).collect();
    let tags = json!([
        { "name": "Process", "values": [process] },
        { "name": "Nonce", "values": nonces },
    ]);
    let (mut listed, mut after) = (Vec::<Listed>::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let variables = json!({
            "owners": owners, "tags": tags, "first": PAGE, "after": after, "sort": "HEIGHT_ASC",
        });
        let page = gateway::query(reach, gateway, QUERY, &variables, MAX_PAGE_BYTES).await?;
        let found = page.edges.iter().filter_map(|edge| Listed::read(&edge.node, owners, process));
        listed.extend(found.filter(|one| slots.contains(&one.slot)));
        match page.next() {
            None => {
                listed.sort_by_key(|one| (one.slot, one.id));
                listed.dedup_by_key(|one| (one.slot, one.id));
                return Ok(listed);
            }
            Some(cursor) if after.as_deref() == Some(cursor) => break,
            Some(cursor) => after = Some(cursor.to_owned()),
        }
    }
    Err(Error::new(Code::PageLoop, "Its listing of assignments does not end."))
}

/// The newest assignment of a process that an index has and that proves; `None` if it has none.
pub(crate) async fn newest<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    owners: &[Address],
    process: Id,
) -> Result<Option<(u64, DataItem)>> {
    let tags = json!([{ "name": "Process", "values": [process] }]);
    let variables = json!({ "owners": owners, "tags": tags, "first": PAGE, "sort": "HEIGHT_DESC" });
    let page = gateway::query(reach, gateway, QUERY, &variables, MAX_PAGE_BYTES).await?;
    let mut listed: Vec<Listed> =
        page.edges.iter().filter_map(|edge| Listed::read(&edge.node, owners, process)).collect();
    // Within a block an index has no order, and the uploads of many slots may share one.
    listed.sort_by_key(|one| std::cmp::Reverse((one.slot, one.id)));
    let mut refused = None;
    for one in listed.iter().take(MAX_TRIED) {
        match one.prove(gateway) {
            Ok(item) => return Ok(Some((one.slot, item.into_parts().0))),
            Err(error) => refused = Some(error),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// The id of the newest record of where a scheduler is (ao-messages.md 7); `None` if the index has none.
pub(crate) async fn newest_location<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateway: &str,
    scheduler: &Address,
) -> Result<Option<Id>> {
    let tags = json!([
        { "name": "Data-Protocol", "values": ["ao"] },
        { "name": "Type", "values": ["Scheduler-Location"] },
    ]);
    let variables = json!({ "owners": [scheduler], "tags": tags, "first": 1, "sort": "HEIGHT_DESC" });
    let page = gateway::query(reach, gateway, QUERY, &variables, MAX_PAGE_BYTES).await?;
    let Some(edge) = page.edges.first() else { return Ok(None) };
    let id = edge.node.get("id").and_then(Value::as_str).unwrap_or_default();
    id.parse().map(Some).map_err(|cause| {
        Error::new(Code::SourceGarbled, "Its index names something that is no id.").because(cause)
    })
}
