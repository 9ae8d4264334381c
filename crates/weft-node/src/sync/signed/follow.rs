//! Page after page of a node's schedule, and what the other nodes have.

use weft_codec::message::Tabm;
use weft_codec::{Code, Error, Id, Result};
use weft_verify::http::{signed_assignment, signed_fraud};
use weft_verify::{Untrusted, Verified};

use super::{SignedRun, source};
use crate::event::{Event, Observer};
use crate::failures::is_ours;
use crate::heads::{self, HeadSeen, SourceKind, Standing};
use crate::quorum::{Silent, needed};
use crate::reach::{Fault, Stop};
use crate::seams::{Clock, Fetch, Store};
use crate::sync::heads::silent;

/// What a node says of its head, and its assignment where the two histories can be compared.
struct Compared {
    slot: u64,
    at: u64,
    assignment: Verified<weft_verify::http::SignedAssignment>,
}

impl<S: Store, F: Fetch, C: Clock, O: Observer> SignedRun<'_, S, F, C, O> {
    /// Follows the nodes the user named to the end or to the wanted slot, and compares what they have.
    pub(super) async fn follow_all(&mut self) -> Result<(), Stop> {
        let nodes = self.sources.schedulers.clone();
        let mut served: Option<String> = None;
        while !self.is_reached() {
            let (reach, last) = (self.reach, served.clone());
            let page = async |url: &str| Ok((url.to_owned(), self.advance(url).await?));
            let (url, more) = reach.rounds(&nodes, last.as_deref(), page).await?;
            served = Some(url);
            if !more {
                break;
            }
        }
        self.ask_heads(&nodes, served.as_deref()).await.map_err(Stop::Ours)
    }

    /// Takes the assignments of the page after the head. Answers whether there is more.
    async fn advance(&mut self, url: &str) -> Result<bool, Fault> {
        let (options, id, from) = (self.reach.options, self.process.id, self.next_slot());
        self.learn_length(url).await?;
        let page = source::page(self.reach, url, id, from, options.to, options.page_limit).await;
        let page = page.map_err(Fault::of)?;
        for assignment in page.assignments {
            if self.is_reached() {
                break;
            }
            // What a page repeats is no news.
            if source::slot_of(&assignment) < self.next_slot() {
                continue;
            }
            self.take_assignment(assignment, url).await?;
        }
        let now = self.reach.clock.now_ms();
        let total = self.total();
        self.pace.page(self.reach, now, &self.pending, total);
        if self.is_reached() {
            return Ok(false);
        }
        if self.next_slot() > from {
            // The pages are ours to cut: a whole one may be followed by another.
            return Ok(true);
        }
        if page.continues {
            let what = "It says that there is more, and its page brings nothing new.";
            return Err(Fault::Source(Error::new(Code::PageLoop, what)));
        }
        match options.to {
            None => Ok(false),
            Some(to) => {
                let end =
                    self.head_slot().map_or("is empty".to_owned(), |slot| format!("ends at slot {slot}"));
                let what = format!("Its history {end}; slot {to} is not there.");
                Err(Fault::Source(Error::new(Code::NotFound, what)))
            }
        }
    }

    async fn take_assignment(&mut self, assignment: Tabm, url: &str) -> Result<(), Fault> {
        let proved = signed_assignment(Untrusted::new(assignment, url)).map_err(Fault::Source)?;
        let order = self.verifier.next(&proved).map_err(Fault::Source)?;
        self.take(&proved, &proved.shown, &order).await.map_err(Fault::Ours)
    }

    /// Asks, once and for the progress alone, how long the history is.
    async fn learn_length(&mut self, url: &str) -> Result<(), Fault> {
        if self.latest.is_none() && self.reach.options.to.is_none() {
            match source::current(self.reach, url, self.process.id).await {
                Ok(slot) => self.latest = Some(slot),
                Err(error) if is_ours(error.code()) => return Err(Fault::Ours(error)),
                // Not knowing the length is no failure of the history.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Asks every node but the one that served the end for its head, and for its assignment where the histories can be compared.
    async fn ask_heads(&mut self, nodes: &[String], served: Option<&str>) -> Result<()> {
        let Some(head) = self.verifier.head().cloned() else { return Ok(()) };
        let only = if let [only] = nodes { Some(only.as_str()) } else { None };
        let served = served.or(only);
        let now = self.reach.clock.now_ms();
        let others: Vec<String> = nodes.iter().filter(|url| Some(url.as_str()) != served).cloned().collect();
        let (reach, id) = (self.reach, self.process.id);
        let ask = async |url: &str| {
            let slot = source::current(reach, url, id).await?;
            let at = slot.min(head.slot);
            let assignment = source::assignment_at(reach, url, id, at).await?;
            Ok(Compared { slot, at, assignment })
        };
        let answers = Box::pin(reach.ask_all(&others, ask)).await?;
        let mut seen = Vec::with_capacity(nodes.len());
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
            seen.push(match answer {
                Ok(compared) => self.stand(url, &compared, head.slot, now).await?,
                Err(error) => silent(&url, Silent::new(&url, &error), now),
            });
        }
        seen.sort_by_key(|one| nodes.iter().position(|url| *url == one.url));
        self.keep_heads(seen, nodes.len(), head.slot, head.assignment_id);
        Ok(())
    }

    async fn stand(&mut self, url: String, compared: &Compared, head: u64, now: u64) -> Result<HeadSeen> {
        let kept = self.kept(compared.at).await?.ok_or_else(|| self.damaged(compared.at))?;
        let ours = signed_assignment(Untrusted::new(kept, "the store"))?;
        let theirs = &compared.assignment;
        let standing = if ours.id != theirs.id {
            Standing::Differs
        } else {
            match compared.slot.cmp(&head) {
                std::cmp::Ordering::Less => Standing::Behind,
                std::cmp::Ordering::Equal => Standing::Agrees,
                std::cmp::Ordering::Greater => Standing::Ahead,
            }
        };
        if standing == Standing::Differs
            && let Ok(check) = signed_fraud(&ours, theirs)
        {
            // Both are signed by one scheduler for one slot: the receipt says so.
            let tally = self.record.tallies.entry(check.claim.clone());
            let tally = tally.or_insert_with(|| crate::archive::Tally::saying(&check.sentence));
            tally.count(&check.status);
        }
        let timestamp = (compared.at == compared.slot).then_some(theirs.timestamp);
        Ok(HeadSeen {
            url,
            of: SourceKind::Scheduler,
            standing,
            slot: Some(compared.slot),
            assignment: Some(theirs.id),
            timestamp,
            asked_at_ms: now,
            age_ms: timestamp.map(|time| now.saturating_sub(time)),
            failure: None,
        })
    }

    /// Tells how far the nodes are, and keeps it for the receipt.
    fn keep_heads(&mut self, seen: Vec<HeadSeen>, asked: usize, slot: u64, assignment: Id) {
        let needed = needed(self.reach.options.quorum, asked);
        for one in &seen {
            self.reach.observer.event(Event::Head(Box::new(one.clone())));
        }
        let to_slot = self.reach.options.to.is_some();
        if seen.len() > 1 {
            let tally = heads::tally(&seen, needed, format!("ends at slot {slot} ({assignment})"), to_slot);
            let claim = "history-complete".to_owned();
            self.reach.observer.event(Event::Quorum { claim, tally: Box::new(tally) });
        }
        self.record.heads = seen;
        self.record.heads_needed = needed;
        self.record.heads_to_slot = to_slot;
        self.pending.record = true;
    }
}
