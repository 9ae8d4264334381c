//! The scheduler's `POST /` (scheduler-and-cu-api.md §1; su `flows.rs` `write_item`).

use serde_json::json;
use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Id};
use weft_verify::Untrusted;

use super::ledger::{EntryRow, Filed, Head};
use super::local::LocalNet;
use super::reply::{Handled, Refusal, Reply};
use super::schedule::{Place, assign, pushed_hash};
use super::target::Target;
use crate::seams::{Batch, Clock, Signer, Store};

/// What was scheduled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scheduled {
    /// The id the scheduler answers with: the item's, or an Assign's assignment's.
    pub(super) id: Id,
    /// The process.
    pub(super) process: Id,
}

fn bad(sentence: impl Into<String>) -> Refusal {
    Refusal::new(400, sentence)
}

/// Parses an item and proves its signature: nothing unproved is scheduled.
pub(super) fn proved(body: &[u8]) -> Handled<DataItem> {
    let item = DataItem::parse(body).map_err(|error| bad(error.to_string()))?;
    let proved = weft_verify::item(Untrusted::new(item, "the request"), None);
    Ok(proved.map_err(|error| bad(error.to_string()))?.into_parts().0)
}

/// Of a process that was taken in from a file.
fn foreign(process: Id) -> Refusal {
    bad(format!("Process {process} belongs to another scheduler: it can be read here, not written to"))
}

fn type_of(item: &DataItem) -> Option<&str> {
    item.tags.tag("Type").or_else(|| item.tags.tag("type"))
}

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    /// Answers `POST /su`: an item as body, or an Assign by query.
    pub(super) async fn su_post(&self, target: &Target, body: &[u8]) -> Handled {
        let scheduled = match (target.get("process-id"), target.get("assign")) {
            (Some(process), Some(id)) => {
                let _turn = self.turn.lock().await;
                self.schedule_assign(process, id, target, Batch::default()).await?
            }
            (None, None) => {
                // Proved before its turn, while another one is signed.
                let item = proved(body)?;
                let _turn = self.turn.lock().await;
                self.schedule_item(item, Batch::default()).await?
            }
            _ => return Err(bad("If sending assign or process-id, you must send both.")),
        };
        let timestamp = self.reader.clock().now_ms();
        Ok(Reply::json(200, &json!({"timestamp": timestamp, "id": scheduled.id})))
    }

    /// Gives a proved item its slot. What else is in `batch` is written with it.
    pub(super) async fn schedule_item(&self, item: DataItem, batch: Batch) -> Handled<Scheduled> {
        let kind = type_of(&item).ok_or_else(|| bad("Type tag not present"))?.to_owned();
        let process = match (kind.as_str(), item.target) {
            ("Process", _) => item.id(),
            ("Message", Some(target)) => target,
            ("Message", None) => return Err(bad("A message needs a target")),
            _ => return Err(bad("Unsupported Type tag value")),
        };
        let (ledger, id) = (self.reader.ledger(), item.id());
        let head = ledger.head(process).await?;
        if ledger.slot_of(process, id).await?.is_some() {
            return Err(bad("Message already exists"));
        }
        if item.tags.tag("Data-Protocol").or_else(|| item.tags.tag("data-protocol")).is_none() {
            return Err(bad("Data-Protocol tag not present"));
        }
        let link = |text: &str| text.ends_with("+link");
        if let Some(tag) = item.tags.iter().find(|tag| link(&tag.name) || link(&tag.value)) {
            return Err(bad(format!("Tag {} cannot contain +link", tag.name)));
        }
        let mut batch = batch;
        if kind == "Process" {
            self.check_process(&item).await?;
        } else if head.is_none() {
            return Err(bad(format!("Process {process} is not on this scheduler")));
        } else if !self.orders(process).await? {
            return Err(foreign(process));
        } else if item.tags.tag("From-Process").is_some() {
            let hash = pushed_hash(&item);
            if ledger.was_pushed(process, &hash).await? {
                return Err(bad("Deep hash already exists"));
            }
            ledger.put_pushed(&mut batch, process, &hash);
        }
        let message = (kind == "Message").then_some(id);
        self.append(process, head.as_ref(), message, Some(&item), None, batch).await?;
        Ok(Scheduled { id, process })
    }

    async fn check_process(&self, item: &DataItem) -> Handled<()> {
        let (Some(_), Some(scheduler)) = (item.tags.tag("Module"), item.tags.tag("Scheduler")) else {
            return Err(bad("Required Module and Scheduler tags for Process type not present"));
        };
        if scheduler != self.reader.address() {
            return Err(bad(format!("Process does not belong on this scheduler: it names {scheduler}")));
        }
        match item.tags.tag("On-Boot") {
            None | Some("Data") => Ok(()),
            Some(source) => match source.parse() {
                Ok(source) if self.reader.ledger().row(source).await?.is_some() => Ok(()),
                _ => Err(bad("Invalid tx id for On-Boot tag")),
            },
        }
    }

    /// Gives an item that is on the gateway a slot in another process's history (ao-messages.md §8).
    pub(super) async fn schedule_assign(
        &self,
        process: &str,
        id: &str,
        target: &Target,
        batch: Batch,
    ) -> Handled<Scheduled> {
        let base_layer = target.present("base-layer").is_some();
        self.assign(process, id, base_layer, target.get("exclude"), batch).await
    }

    /// As [`Self::schedule_assign`], from values.
    pub(super) async fn assign(
        &self,
        process: &str,
        id: &str,
        base_layer: bool,
        exclude: Option<&str>,
        batch: Batch,
    ) -> Handled<Scheduled> {
        let id: Id = id.parse().map_err(|_| bad("assign param must be 43 characters"))?;
        let process: Id = process.parse().map_err(|_| bad("Process not found"))?;
        if base_layer {
            // Nothing here is a base layer transaction; the real scheduler refuses all of them too.
            return Err(bad("Not enough confirmations to assign"));
        }
        let ledger = self.reader.ledger();
        let head = ledger.head(process).await?.ok_or_else(|| bad("Process not found"))?;
        if !self.orders(process).await? {
            return Err(foreign(process));
        }
        let item = ledger.item(id).await?.ok_or_else(|| bad(format!("Item {id} is not on the gateway")))?;
        let hash = pushed_hash(&item);
        if ledger.was_pushed(process, &hash).await? {
            return Err(bad("Deep hash already exists"));
        }
        let mut batch = batch;
        ledger.put_pushed(&mut batch, process, &hash);
        let head = self.append(process, Some(&head), Some(id), None, exclude, batch).await?;
        Ok(Scheduled { id: head.assignment, process })
    }

    /// Signs the next assignment and writes everything in one transaction.
    async fn append(
        &self,
        process: Id,
        previous: Option<&Head>,
        message: Option<Id>,
        item: Option<&DataItem>,
        exclude: Option<&str>,
        mut batch: Batch,
    ) -> Handled<Head> {
        // The wall clock, but never the same millisecond twice: a list by timestamps would lose an entry.
        let now = self.reader.clock().now_ms();
        let timestamp = previous.map_or(now, |head| now.max(head.timestamp.saturating_add(1)));
        let block_height = self.tip_in_turn().await?.block.height;
        let place = Place { process, previous, message, exclude, block_height, timestamp };
        let (assignment, head) = assign(&self.signer, self.entropy.bytes32(), &place).await?;
        let ledger = self.reader.ledger();
        let mut items: Vec<Filed<'_>> = item.iter().map(|item| Filed::honest(item, timestamp)).collect();
        items.push(Filed::honest(&assignment, timestamp));
        ledger.put_items(&mut batch, &items).await?;
        let row = EntryRow { assignment: head.assignment, message: item.map(DataItem::id), timestamp };
        ledger.put_entry(&mut batch, process, head.slot, &row)?;
        ledger.put_head(&mut batch, process, &head)?;
        ledger.commit(batch).await?;
        self.computer.vouch(item.into_iter().chain([&assignment]));
        Ok(head)
    }

    /// Answers `POST /gateway/v1/tx`: a signed item for the gateway alone, such as a module, as bundlers take it
    /// (Turbo's upload service).
    pub(super) async fn upload_post(&self, body: &[u8]) -> Handled {
        let item = proved(body)?;
        let id = item.id();
        if self.reader.ledger().row(id).await?.is_none() {
            self.upload(&item, Batch::default()).await?;
        }
        let owner = item.owner_address().to_string();
        Ok(Reply::json(200, &json!({"id": id, "owner": owner, "dataCaches": [], "fastFinalityIndexes": []})))
    }

    /// An item that is proved, put on the gateway without a slot.
    pub(super) async fn upload(&self, item: &DataItem, mut batch: Batch) -> Handled<Id> {
        let ledger = self.reader.ledger();
        let timestamp = self.reader.clock().now_ms();
        ledger.put_items(&mut batch, &[Filed::honest(item, timestamp)]).await?;
        ledger.commit(batch).await?;
        Ok(item.id())
    }
}

impl Refusal {
    /// The refusal as an error of the house, for callers that are no HTTP clients.
    pub(super) fn into_error(self) -> Error {
        let by_status = match self.status {
            404 => Code::NotFound,
            400..500 => Code::RequestInvalid,
            _ => Code::StoreFailed,
        };
        Error::new(self.code.unwrap_or(by_status), self.sentence)
    }
}
