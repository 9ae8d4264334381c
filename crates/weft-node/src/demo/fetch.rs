//! A network that has the demo's processes and nothing else: an archive behind the very routes of the local network.

use weft_codec::Result;
use weft_codec::ao::Assignment;
use weft_codec::block::Block;
use weft_codec::item::DataItem;
use weft_codec::transaction::Transaction;

use super::archive::{DemoArchive, DemoChain, DemoProcess, Kept};
use crate::Sources;
use crate::memory::{ManualClock, MemoryStore};
use crate::net::{EntryRow, Filed, Head, Mined, Reader};
use crate::seams::{Batch, Fetch, Request, Response};

/// A host that no name server knows (RFC 6761): what goes there is answered here or nowhere.
const ORIGIN: &str = "http://demo.invalid";

/// How a query for items by owner and tags begins, unlike one for items by id.
const LISTING: &[u8] = b"transactions(owners:";

/// Serves a [`DemoArchive`] to a sync. Requests to any other host are answered as well; nothing leaves the page.
#[derive(Debug)]
pub struct DemoFetch {
    reader: Reader<MemoryStore, ManualClock>,
    /// Whether its gateway lists items by their tags: one without blocks does not.
    indexed: bool,
}

impl DemoFetch {
    /// Loads an archive.
    ///
    /// # Errors
    /// Those of parsing its items; `bundle-malformed` for one without entries.
    pub async fn new(archive: &DemoArchive) -> Result<Self> {
        let clock = ManualClock::new(archive.now, 0);
        let reader = Reader::new(MemoryStore::new(), clock, archive.scheduler.to_string());
        let ledger = reader.ledger();
        let served = archive.processes.iter().flat_map(DemoProcess::served);
        let parsed: Vec<(&Kept, DataItem)> =
            served.map(|kept| Ok((kept, kept.item()?))).collect::<Result<_>>()?;
        let filed: Vec<Filed<'_>> = parsed
            .iter()
            .map(|(kept, item)| Filed { id: kept.id, item, size: kept.size, timestamp: archive.now })
            .collect();
        let mut batch = Batch::default();
        ledger.put_items(&mut batch, &filed).await?;
        for process in &archive.processes {
            for (slot, entry) in (0..).zip(&process.entries) {
                let assignment = Assignment::read(entry.assignment.item()?)?;
                let row = EntryRow {
                    assignment: entry.assignment.id,
                    message: entry.message.as_ref().map(|message| message.id),
                    timestamp: assignment.timestamp,
                };
                ledger.put_entry(&mut batch, process.id(), slot, &row)?;
                let head = Head {
                    slot,
                    assignment: row.assignment,
                    hash_chain: weft_codec::Id(assignment.hash_chain),
                    timestamp: row.timestamp,
                };
                ledger.put_head(&mut batch, process.id(), &head)?;
            }
        }
        ledger.commit(batch).await?;
        let demo = Self { reader, indexed: !archive.chain.blocks.is_empty() };
        demo.load_chain(&archive.chain).await?;
        Ok(demo)
    }

    /// The blocks; the second one has the items that are in the archive still.
    async fn load_chain(&self, chain: &DemoChain) -> Result<()> {
        let ledger = self.reader.ledger();
        let blocks: Vec<Block> =
            chain.blocks.iter().map(|json| Block::from_json(json.as_bytes())).collect::<Result<_>>()?;
        let Some(genesis) = blocks.first().map(|block| block.height) else { return Ok(()) };
        let carrier = Transaction::from_json(chain.carrier.as_bytes())?;
        let mut rows = Vec::new();
        for id in &chain.items {
            rows.extend(ledger.row(*id).await?);
        }
        for block in &blocks {
            let carrier = block.txs.contains(&carrier.id).then_some((&carrier, rows.as_slice()));
            let mut batch = Batch::default();
            ledger.put_block(&mut batch, &Mined { block, carrier, genesis, next_row: u64::MAX }).await?;
            ledger.commit(batch).await?;
        }
        Ok(())
    }

    /// Where to sync from over this fetch.
    #[must_use]
    pub fn sources() -> Sources {
        Sources { schedulers: vec![format!("{ORIGIN}/su")], gateways: vec![format!("{ORIGIN}/gateway")] }
    }
}

impl Fetch for DemoFetch {
    async fn fetch(&self, request: Request) -> Result<Response> {
        let lists = || contains(&request.body, LISTING);
        if !self.indexed && request.url.ends_with("/graphql") && lists() {
            return Ok(Response::new(404, "text/plain", b"There is no index here.".to_vec()));
        }
        self.reader.fetch(request).await
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
