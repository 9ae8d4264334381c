//! What is not in the store yet, and when it goes there: slots, results, index, snapshot and record in one
//! batch, or nothing.

use weft_codec::item::DataItem;
use weft_codec::scheduler_page::Page;
use weft_codec::{Id, Result};
use weft_core::SlotResult;
use weft_verify::{Entry, Verified};

use super::Run;
use crate::archive::{Tally, write};
use crate::event::{Event, Observer, Phase};
use crate::reach::Reach;
use crate::seams::{Batch, Clock, Fetch, Store};

/// Uncommitted bytes that call for a commit before its time.
const MAX_PENDING_BYTES: usize = 32 << 20;
/// Work between two breaths, in milliseconds.
const BREATH_MS: u64 = 25;
/// Between two progress events, in milliseconds.
const PROGRESS_MS: u64 = 100;
/// A commit's cost times this is the least time to the next one.
const COMMIT_SPACING: u64 = 9;

/// What waits for a commit, and what this sync has done.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) batch: Batch,
    pub(super) bytes: usize,
    pub(super) verified: u64,
    pub(super) replayed: u64,
    /// The record has news that are in no other write.
    pub(super) record: bool,
    /// The checks that were made.
    pub(super) checks: u64,
    /// Nothing of this may be written: a commit failed, or a message was left on its way.
    pub(super) void: bool,
}

/// When the sync last did what it does from time to time.
pub(super) struct Pace {
    started: u64,
    breath: u64,
    progress: u64,
    commit: u64,
    commit_cost: u64,
}

impl Pace {
    pub(super) fn new(now: u64) -> Self {
        Self { started: now, breath: now, progress: now, commit: now, commit_cost: 0 }
    }

    pub(super) fn started(&self) -> u64 {
        self.started
    }

    /// Lets others run, when it is time.
    pub(super) async fn breathe<C: Clock>(&mut self, clock: &C, now: u64) {
        if now.saturating_sub(self.breath) >= BREATH_MS {
            clock.breathe().await;
            self.breath = clock.now_ms();
        }
    }

    /// Whether it is time for a commit.
    pub(super) fn is_due(&self, now: u64, pending: &Pending, every_ms: u64) -> bool {
        let spacing = every_ms.max(self.commit_cost.saturating_mul(COMMIT_SPACING));
        now.saturating_sub(self.commit) >= spacing || pending.bytes >= MAX_PENDING_BYTES
    }

    /// A commit was made, from then to now.
    pub(super) fn committed(&mut self, from: u64, now: u64) {
        self.commit = now;
        self.commit_cost = now.saturating_sub(from);
    }

    pub(super) fn progress<F: Fetch, C: Clock, O: Observer>(
        &mut self,
        reach: &Reach<'_, F, C, O>,
        phase: Phase,
        done: u64,
        total: Option<u64>,
    ) {
        let now = reach.clock.now_ms();
        self.tell(reach, now, phase, done, total);
    }

    /// After a page.
    pub(super) fn page<F: Fetch, C: Clock, O: Observer>(
        &mut self,
        reach: &Reach<'_, F, C, O>,
        now: u64,
        pending: &Pending,
        total: Option<u64>,
    ) {
        self.tell(reach, now, Phase::History, pending.verified, total);
    }

    /// While slots are proved and replayed, from time to time. `total` are all slots of this sync.
    pub(super) fn moving<F: Fetch, C: Clock, O: Observer>(
        &mut self,
        reach: &Reach<'_, F, C, O>,
        pending: &Pending,
        total: Option<u64>,
    ) {
        let now = reach.clock.now_ms();
        if now.saturating_sub(self.progress) >= PROGRESS_MS {
            self.tell(reach, now, Phase::Verify, pending.checks, None);
            if reach.options.replay {
                self.tell(reach, now, Phase::Replay, pending.replayed, total);
            }
        }
    }

    /// At the end of the sync.
    pub(super) fn end<F: Fetch, C: Clock, O: Observer>(
        &mut self,
        reach: &Reach<'_, F, C, O>,
        now: u64,
        pending: &Pending,
    ) {
        self.tell(reach, now, Phase::Verify, pending.checks, Some(pending.checks));
        if reach.options.replay {
            self.tell(reach, now, Phase::Replay, pending.replayed, Some(pending.replayed));
        }
    }

    fn tell<F: Fetch, C: Clock, O: Observer>(
        &mut self,
        reach: &Reach<'_, F, C, O>,
        now: u64,
        phase: Phase,
        done: u64,
        total: Option<u64>,
    ) {
        self.progress = now;
        let elapsed = now.saturating_sub(self.started).max(1);
        let per_second = done.saturating_mul(1_000) / elapsed;
        reach.observer.event(Event::Progress { phase, done, total, bytes: reach.bytes(), per_second });
    }
}

impl<'a, S: Store, F: Fetch, C: Clock, O: Observer> Run<'a, S, F, C, O> {
    /// Takes a verified entry into the history and, if asked to, replays it.
    pub(super) async fn take(&mut self, entry: &Verified<Entry>) -> Result<()> {
        let (process, id) = (self.process.id, entry.message.id());
        let earlier = self.first_slot(id).await?;
        if earlier.is_none() {
            write::slot_of(&mut self.pending.batch, process, id, entry.slot);
            if let Some(known) = self.known.get_mut(&id) {
                *known = Some(entry.slot);
            }
        }
        let size =
            write::slot(&mut self.pending.batch, process, entry.slot, &entry.assignment.item, &entry.message);
        self.pending.bytes += size;
        self.pending.verified += 1;
        self.pending.checks += entry.checks().len() as u64;
        self.tally(entry);
        self.record.head = self.verifier.head().cloned();
        if self.reach.options.replay {
            self.replay(entry, earlier).await?;
        }
        self.keep_pace().await
    }

    /// The slot at which this message came first, if it came before.
    async fn first_slot(&self, message: Id) -> Result<Option<u64>> {
        match self.known.get(&message) {
            Some(known) => Ok(*known),
            None => self.archive.slot_of(&self.pending.batch, self.process.id, message).await,
        }
    }

    /// Looks up where the messages of a page came before, all at once.
    pub(super) async fn look_up(&mut self, page: &Page) -> Result<()> {
        let (process, pending) = (self.process.id, &self.pending.batch);
        let messages = page.edges.iter().filter_map(|edge| edge.entry.message.as_ref());
        // What waits for a commit is not in the store, and found without it.
        let ids: Vec<Id> =
            messages.map(DataItem::id).filter(|id| !write::holds_slot_of(pending, process, *id)).collect();
        let slots = self.archive.slots_of(process, &ids).await?;
        self.known = ids.into_iter().zip(slots).collect();
        Ok(())
    }

    /// Counts an entry's checks for the receipt of the history.
    fn tally(&mut self, entry: &Verified<Entry>) {
        for check in entry.checks() {
            let tally = self.record.tallies.entry(check.claim.clone());
            tally.or_insert_with(|| Tally::saying(&check.sentence)).count(&check.status);
        }
    }

    /// Puts a result with the rest of the slot.
    pub(super) fn put_result(&mut self, result: SlotResult) -> Result<()> {
        self.pending.bytes += write::result(&mut self.pending.batch, self.process.id, &result)?;
        self.pending.replayed += 1;
        self.reach.observer.event(Event::Slot(Box::new(result)));
        Ok(())
    }

    /// Between two slots: breathe, tell, commit, each when it is time; stop if the user asked for it.
    pub(super) async fn keep_pace(&mut self) -> Result<()> {
        let now = self.reach.clock.now_ms();
        self.pace.breathe(self.reach.clock, now).await;
        let total = self.total();
        self.pace.moving(self.reach, &self.pending, total);
        if self.pace.is_due(now, &self.pending, self.reach.options.commit_every_ms) && self.may_commit() {
            self.commit(false).await?;
        }
        self.reach.check_cancelled()
    }

    /// Writes all that is pending, with the state's snapshot, in one batch.
    ///
    /// Errors: `store-failed`, also if another sync wrote to the same process meanwhile; nothing is written then.
    ///
    /// `last` is the commit at the end of the sync, which also puts down the hash of the memory.
    pub(super) async fn commit(&mut self, last: bool) -> Result<()> {
        let nothing = self.pending.batch.writes.is_empty()
            && !self.pending.record
            && !(last && self.wants_memory_hash());
        if self.pending.void || nothing {
            return Ok(());
        }
        let before = self.reach.clock.now_ms();
        let written = match self.check_last().await {
            Ok(()) => self.write_pending(last).await,
            Err(error) => Err(error),
        };
        self.pending.void = written.is_err();
        written?;
        self.pace.committed(before, self.reach.clock.now_ms());
        if let Some(slot) = self.record.head.as_ref().map(|head| head.slot) {
            self.reach.observer.event(Event::Committed { slot });
        }
        Ok(())
    }

    async fn write_pending(&mut self, last: bool) -> Result<()> {
        self.archive.check_revision(&self.record).await?;
        self.record.revision += 1;
        let mut batch = std::mem::take(&mut self.pending.batch);
        self.pending.bytes = 0;
        self.pending.record = false;
        self.write_snapshot(&mut batch, last).await?;
        write::record(&mut batch, &self.record)?;
        self.archive.commit(batch).await
    }
}
