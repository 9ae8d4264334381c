//! The schedulers of a sync: where they are, which of them has most, and whether they have the same.

use std::collections::BTreeSet;

use weft_codec::{Id, Result};

use super::Run;
use crate::event::{Event, Observer};
use crate::heads::{self, HeadSeen, SourceKind, Standing};
use crate::location;
use crate::quorum::{Silent, needed};
use crate::reach::Stop;
use crate::scheduler::{self, HeadClaim};
use crate::seams::{Clock, Fetch, Store};

/// What a scheduler says of its head, and its assignment at the slot where the two histories can be compared.
struct Compared {
    claim: HeadClaim,
    at: u64,
    assignment: Id,
}

impl<S: Store, F: Fetch, C: Clock, O: Observer> Run<'_, S, F, C, O> {
    /// Adds the schedulers that the process's scheduler says are its own. Answers whether there are new ones.
    /// Errors: ours.
    pub(super) async fn locate(&mut self) -> Result<bool> {
        let (scheduler, gateways) = (self.process.scheduler.clone(), &self.sources.gateways);
        if gateways.is_empty() {
            return Ok(false);
        }
        let found = match self.node.cache.location(&scheduler, self.reach.clock.now_ms()) {
            Some(found) => found,
            None => {
                let id = self.process.id;
                let found = Box::pin(location::locate(self.reach, gateways, id, &scheduler)).await?;
                let now = self.reach.clock.now_ms();
                self.node.cache.keep_location(&scheduler, found.clone(), now);
                found
            }
        };
        let known = self.schedulers.len();
        for location in &found {
            if !self.schedulers.contains(&location.url) {
                self.schedulers.push(location.url.clone());
            }
        }
        let new = self.schedulers.len() > known;
        if new {
            self.record.location = found.into_iter().next();
            self.pending.record = true;
        }
        Ok(new)
    }

    /// Follows the schedulers to the end that the furthest of them can prove, and compares what they have.
    pub(super) async fn follow_schedulers(&mut self) -> Result<(), Stop> {
        let schedulers = self.schedulers.clone();
        let mut served = self.follow(&schedulers).await?;
        let mut tried = BTreeSet::new();
        loop {
            let ahead = self.ask_heads(&schedulers, served.as_deref()).await.map_err(Stop::Ours)?;
            let further = ahead.into_iter().find(|url| tried.insert(url.clone()));
            let Some(url) = further.filter(|_| self.reach.options.to.is_none()) else { return Ok(()) };
            match self.follow(std::slice::from_ref(&url)).await {
                Ok(by) => served = by.or(served),
                Err(Stop::Ours(error)) => return Err(Stop::Ours(error)),
                // What it says to have beyond our head it could not prove; that stands in its head.
                Err(Stop::Sources(_)) => {}
            }
        }
    }

    /// Asks every scheduler but the one that just served the end for its head. Answers with those that say they have
    /// more. Errors: ours.
    async fn ask_heads(&mut self, schedulers: &[String], served: Option<&str>) -> Result<Vec<String>> {
        let Some(head) = self.verifier.head().cloned() else { return Ok(Vec::new()) };
        // The only scheduler had nothing after our head. There is nobody to compare it with, and no more to ask.
        let only = if let [only] = schedulers { Some(only.as_str()) } else { None };
        let served = served.or(only);
        let now = self.reach.clock.now_ms();
        let to_slot = self.reach.options.to.is_some();
        // Whoever ended a sync at a wanted slot did not say where its history ends.
        let served = served.filter(|_| !to_slot || schedulers.len() == 1);
        let others: Vec<String> =
            schedulers.iter().filter(|url| Some(url.as_str()) != served).cloned().collect();
        let (reach, id) = (self.reach, self.process.id);
        let ask = async |url: &str| {
            let claim = scheduler::latest(reach, url, id).await?;
            let at = claim.slot.min(head.slot);
            let assignment = if at == claim.slot {
                claim.assignment
            } else {
                scheduler::assignment_at(reach, url, id, at).await?.id()
            };
            Ok(Compared { claim, at, assignment })
        };
        let answers = Box::pin(reach.ask_all(&others, ask)).await?;
        let mut seen = Vec::with_capacity(schedulers.len());
        if let Some(url) = served {
            seen.push(HeadSeen {
                url: url.to_owned(),
                of: SourceKind::Scheduler,
                standing: Standing::Agrees,
                slot: Some(head.slot),
                assignment: Some(head.assignment_id),
                timestamp: Some(head.timestamp),
                asked_at_ms: now,
                age_ms: Some(now.saturating_sub(head.timestamp)),
                failure: None,
            });
        }
        for (url, answer) in answers {
            let one = match answer {
                Ok(compared) => self.stand(url, &compared, head.slot, now).await?,
                Err(error) => silent(&url, Silent::new(&url, &error), now),
            };
            if one.standing == Standing::Differs {
                self.look_for_fork(&one.url).await?;
            }
            seen.push(one);
        }
        seen.sort_by_key(|one| schedulers.iter().position(|url| *url == one.url));
        let needed = needed(self.reach.options.quorum, schedulers.len());
        self.keep_heads(seen, needed);
        let ahead = self.record.heads.iter().filter(|one| one.standing == Standing::Ahead);
        Ok(ahead.map(|one| one.url.clone()).collect())
    }

    async fn stand(&self, url: String, compared: &Compared, head: u64, now: u64) -> Result<HeadSeen> {
        let ours = self.assignment_at(compared.at).await?.map(|item| item.id());
        let standing = if ours != Some(compared.assignment) {
            Standing::Differs
        } else {
            match compared.claim.slot.cmp(&head) {
                std::cmp::Ordering::Less => Standing::Behind,
                std::cmp::Ordering::Equal => Standing::Agrees,
                std::cmp::Ordering::Greater => Standing::Ahead,
            }
        };
        Ok(HeadSeen {
            url,
            of: SourceKind::Scheduler,
            standing,
            slot: Some(compared.claim.slot),
            assignment: Some(compared.claim.assignment),
            timestamp: compared.claim.timestamp,
            asked_at_ms: now,
            age_ms: compared.claim.timestamp.map(|time| now.saturating_sub(time)),
            failure: None,
        })
    }

    /// Tells how far the sources are, and keeps it for the receipt.
    pub(super) fn keep_heads(&mut self, seen: Vec<HeadSeen>, needed: u32) {
        for one in &seen {
            self.reach.observer.event(Event::Head(Box::new(one.clone())));
        }
        if let Some(head) = self.record.head.as_ref().filter(|_| seen.len() > 1) {
            let value = format!("ends at slot {} ({})", head.slot, head.assignment_id);
            let tally = heads::tally(&seen, needed, value, self.reach.options.to.is_some());
            let claim = "history-complete".to_owned();
            self.reach.observer.event(Event::Quorum { claim, tally: Box::new(tally) });
        }
        self.record.heads = seen;
        self.record.heads_needed = needed;
        self.record.heads_to_slot = self.reach.options.to.is_some();
        self.pending.record = true;
    }
}

/// A source that did not say where its history ends.
pub(super) fn silent(url: &str, failure: Silent, now: u64) -> HeadSeen {
    HeadSeen {
        url: url.to_owned(),
        of: SourceKind::Scheduler,
        standing: Standing::Silent,
        slot: None,
        assignment: None,
        timestamp: None,
        asked_at_ms: now,
        age_ms: None,
        failure: Some(failure),
    }
}
