//! A source shows another history than the one that was verified. If its assignments carry the same signer's signatures,
//! the scheduler signed two histories, and two assignments prove it (weft-verify `fraud`).

use weft_codec::item::DataItem;
use weft_codec::{Code, Error, Result};
use weft_verify::{FraudProof, Untrusted};

use super::Run;
use super::heads::silent;
use crate::archive::write;
use crate::event::{Event, Observer};
use crate::failures::is_ours;
use crate::quorum::Silent;
use crate::scheduler;
use crate::seams::{Clock, Fetch, Store};

/// Whether an entry that is refused for this may belong to another history of the same scheduler.
pub(super) fn may_be_fork(code: Code) -> bool {
    matches!(
        code,
        Code::HashChainBroken
            | Code::SlotRepeated
            | Code::EpochChanged
            | Code::TimestampBackwards
            | Code::BlockHeightBackwards
    )
}

impl<S: Store, F: Fetch, C: Clock, O: Observer> Run<'_, S, F, C, O> {
    /// Looks for the first slot at which a scheduler's history differs from the verified one, and keeps the proof if
    /// the two assignments there make one. The scheduler is asked about as many slots as halving takes. Errors: ours.
    pub(super) async fn look_for_fork(&mut self, url: &str) -> Result<()> {
        let Some(head) = self.head_slot() else { return Ok(()) };
        match self.search(url, head).await {
            Err(error) if is_ours(error.code()) => Err(error),
            Err(error) => {
                // It cannot be shown then that the scheduler is at fault.
                self.reach.report(url, &error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Beside a history that proves, each scheduler that gave one that does not: it stands among the heads, and if it signed
    /// both histories that is proved. Errors: ours.
    pub(super) async fn keep_falsehoods(&mut self, false_ones: Vec<Silent>) -> Result<()> {
        let now = self.reach.clock.now_ms();
        for failure in false_ones {
            let url = failure.url.clone();
            if self.schedulers.contains(&url) {
                self.look_for_fork(&url).await?;
            }
            let seen = silent(&url, failure, now);
            self.reach.observer.event(Event::Head(Box::new(seen.clone())));
            self.record.heads.retain(|head| head.url != url);
            self.record.heads.push(seen);
            self.pending.record = true;
        }
        Ok(())
    }

    async fn search(&mut self, url: &str, head: u64) -> Result<()> {
        let claim = scheduler::latest(self.reach, url, self.process.id).await?;
        let top = head.min(claim.slot);
        if self.other_at(url, top).await?.is_none() {
            return Ok(());
        }
        // Below `same` the histories are one, since a hash chain commits to what came before; at `other` they differ.
        let (mut same, mut other) = (None, top);
        while same.map_or(0, |same: u64| same + 1) < other {
            let from = same.map_or(0, |same| same + 1);
            let middle = from + (other - from) / 2;
            match self.other_at(url, middle).await? {
                Some(_) => other = middle,
                None => same = Some(middle),
            }
        }
        // One assignment signed twice is no contradiction, but then the next slot has one.
        for slot in other..=top.min(other.saturating_add(1)) {
            let Some((ours, theirs)) = self.other_at(url, slot).await? else { continue };
            match self.keep_fraud(&ours, &theirs, url).await {
                Err(error) if error.code() == Code::FraudUnfounded => {}
                outcome => return outcome,
            }
        }
        Ok(())
    }

    /// Our assignment at a slot and the source's, if they differ.
    async fn other_at(&self, url: &str, slot: u64) -> Result<Option<(DataItem, DataItem)>> {
        let ours = self.assignment_at(slot).await?;
        let theirs = scheduler::assignment_at(self.reach, url, self.process.id, slot).await?;
        Ok(ours.filter(|ours| ours.id() != theirs.id()).map(|ours| (ours, theirs)))
    }

    /// The verified assignment of a slot.
    pub(super) async fn assignment_at(&self, slot: u64) -> Result<Option<DataItem>> {
        let entry = self.archive.slot(&self.pending.batch, self.process.id, slot).await?;
        Ok(entry.map(|entry| entry.assignment))
    }

    /// Compares an assignment that is at hand with the verified one of its slot. Errors: ours.
    pub(super) async fn compare(&mut self, theirs: &DataItem, url: &str) -> Result<()> {
        let Some(ours) = self.assignment_at(scheduler::slot_of(theirs)).await? else { return Ok(()) };
        if ours.id() == theirs.id() {
            return Ok(());
        }
        match self.keep_fraud(&ours, theirs, url).await {
            Err(error) if is_ours(error.code()) => Err(error),
            Err(error) => {
                self.reach.report(url, &error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Proves that two assignments contradict each other, tells it, and puts the proof with the process. Errors: those
    /// of [`weft_verify::fraud`].
    pub(super) async fn keep_fraud(&mut self, ours: &DataItem, theirs: &DataItem, url: &str) -> Result<()> {
        let proof = FraudProof::of(ours, theirs)?.naming(&self.process.carrier);
        let fraud = weft_verify::fraud(Untrusted::new(proof.clone(), url))?;
        let process = self.process.id;
        if fraud.process != process {
            let what = format!("The assignments are for process {}, not for {process}.", fraud.process);
            return Err(Error::new(Code::ProcessMismatch, what));
        }
        if !self.archive.has_fraud(&self.pending.batch, process, fraud.slot).await? {
            write::fraud(&mut self.pending.batch, &proof);
        }
        self.reach.observer.event(Event::Fraud {
            process,
            slot: fraud.slot,
            scheduler: fraud.scheduler.to_string(),
            url: url.to_owned(),
            difference: fraud.difference,
            proof: proof.to_json(),
        });
        Ok(())
    }
}
