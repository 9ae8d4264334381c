//! A history without its scheduler: from the assignments that it uploaded to Arweave, found in the index of gateways.
//!
//! Each assignment is proved as if the scheduler had given it: signature, signer, slot, hash chain, time. Its message is
//! fetched by id. That an index leaves nothing out it cannot prove, so all gateways are asked, and whatever any of them
//! has counts: the hash chain shows whether something is missing. Slots that none of them has are named.

use std::collections::BTreeMap;

use weft_codec::item::DataItem;
use weft_codec::{Address, Code, Error, Id, Result};

use super::Run;
use super::heads::silent;
use crate::event::{Event, Observer};
use crate::failures::Failures;
use crate::heads::{HeadSeen, SourceKind, Standing};
use crate::listing::{self, Listed, PAGE};
use crate::quorum::{Agreement, Silent, Tally, needed};
use crate::reach::{Fault, Stop};
use crate::scheduler::slot_of;
use crate::seams::{Clock, Fetch, Store};

/// Of a history with holes, how many pages are looked through for more of them.
const MAX_HOLE_PAGES: u64 = 50;
/// The most ranges of missing slots that are named.
const MAX_HOLES: usize = 100;

/// What came of it.
pub(super) enum Rebuilt {
    /// The history stands as far as Arweave has it, or as far as was wanted.
    Done,
    /// Arweave has nothing of it that is not known.
    Nothing,
}

/// What a gateway's index has as the newest assignment.
type Newest = (String, Result<Option<(u64, DataItem)>>);
/// The assignments of a page by slot and id, each with the gateways that list it.
type Page = BTreeMap<u64, BTreeMap<Id, Vec<(String, Listed)>>>;

impl<S: Store, F: Fetch, C: Clock, O: Observer> Run<'_, S, F, C, O> {
    /// Takes from Arweave what follows on the verified history.
    pub(super) async fn rebuild(&mut self) -> Result<Rebuilt, Stop> {
        let (reach, id, gateways) = (self.reach, self.process.id, self.sources.gateways.clone());
        if gateways.is_empty() {
            return Ok(Rebuilt::Nothing);
        }
        let owners = self.signers();
        let newest = async |url: &str| listing::newest(reach, url, &owners, id).await;
        let answers = Box::pin(reach.ask_all(&gateways, newest)).await.map_err(Stop::Ours)?;
        let last =
            answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()?.as_ref()).map(|(slot, _)| *slot);
        let Some(end) = last.max() else { return Ok(Rebuilt::Nothing) };
        if self.head_slot().is_some_and(|head| end < head) {
            return Ok(Rebuilt::Nothing);
        }
        let wanted = self.reach.options.to.map_or(end, |to| to.min(end));
        if self.next_slot() <= wanted {
            reach.observer.event(Event::Rebuild { from: self.next_slot(), to: wanted });
        }
        while self.next_slot() <= wanted {
            let from = self.next_slot();
            let to = wanted.min(from.saturating_add(PAGE - 1));
            let page = self.listed(&gateways, &owners, from, to).await?;
            for slot in from..=to {
                if !self.take_listed(page.get(&slot)).await? {
                    return Err(Stop::Ours(self.holes(&gateways, &owners, (slot, to, end), page).await?));
                }
            }
            let now = reach.clock.now_ms();
            self.pace.page(reach, now, &self.pending, self.total());
        }
        self.gateway_heads(answers).await?;
        match self.reach.options.to {
            Some(to) if to > end => Ok(Rebuilt::Nothing),
            _ => Ok(Rebuilt::Done),
        }
    }

    /// Whose assignments count.
    fn signers(&self) -> Vec<Address> {
        let accepted = self.reach.options.accepted_schedulers.iter().cloned();
        std::iter::once(self.process.scheduler.clone()).chain(accepted).collect()
    }

    /// What all gateways list for a range of slots, and how far they agree on it.
    async fn listed(
        &mut self,
        gateways: &[String],
        owners: &[Address],
        from: u64,
        to: u64,
    ) -> Result<Page, Stop> {
        let (reach, id) = (self.reach, self.process.id);
        let ask = async |url: &str| listing::assignments(reach, url, owners, id, from..=to).await;
        let answers = Box::pin(reach.ask_all(gateways, ask)).await.map_err(Stop::Ours)?;
        let mut page = Page::new();
        let mut said = Vec::with_capacity(answers.len());
        for (url, answer) in answers {
            let answer = answer.map(|listed| {
                let names: Vec<(u64, Id)> = listed.iter().map(|one| (one.slot, one.id)).collect();
                for one in listed {
                    let of_slot = page.entry(one.slot).or_default();
                    of_slot.entry(one.id).or_default().push((url.clone(), one));
                }
                names
            });
            said.push((url, answer));
        }
        let needed = needed(reach.options.quorum, gateways.len());
        let agreement = Agreement::of(said, needed).map_err(Stop::Sources)?;
        self.keep_listing(agreement.tally(|names| shown(names, from, to)));
        Ok(page)
    }

    /// Keeps, for the receipt, the listing that the fewest gateways agreed on.
    fn keep_listing(&mut self, tally: Tally) {
        if !tally.against.is_empty() || self.record.listing.is_none() {
            let claim = "assignment-listing".to_owned();
            self.reach.observer.event(Event::Quorum { claim, tally: Box::new(tally.clone()) });
        }
        if self.record.listing.as_ref().is_none_or(|known| tally.by.len() < known.by.len()) {
            self.record.listing = Some(tally);
        }
    }

    /// Proves the next slot from what is listed for it. `false` if nothing is, or nothing of it proves.
    async fn take_listed(
        &mut self,
        listed: Option<&BTreeMap<Id, Vec<(String, Listed)>>>,
    ) -> Result<bool, Stop> {
        let Some(listed) = listed else { return Ok(false) };
        let mut proved: Vec<(String, DataItem)> = Vec::new();
        for sources in listed.values() {
            for (url, one) in sources {
                match one.prove(url) {
                    Ok(item) => {
                        proved.push((url.clone(), item.into_parts().0));
                        break;
                    }
                    Err(error) => self.reach.report(url, &error),
                }
            }
        }
        let (mut taken, mut failures) = (None, Failures::default());
        for (url, assignment) in &proved {
            match self.prove(assignment.clone(), None, false, url).await {
                Ok(entry) => {
                    self.take(&entry).await.map_err(Stop::Ours)?;
                    taken = Some(assignment.id());
                    break;
                }
                Err(Fault::Ours(error)) => return Err(Stop::Ours(error)),
                Err(Fault::Source(error)) => {
                    self.reach.report(url, &error);
                    failures.push(url, error);
                }
            }
        }
        let Some(taken) = taken else {
            return if proved.is_empty() { Ok(false) } else { Err(Stop::Sources(failures)) };
        };
        // A second assignment that the scheduler uploaded for this slot is not a matter of taste.
        for (url, other) in proved.iter().filter(|(_, other)| other.id() != taken) {
            self.compare(other, url).await.map_err(Stop::Ours)?;
        }
        Ok(true)
    }

    /// The slots from `first` to `end` that no gateway has, told and as an error. `page` lists the slots to `to`; of
    /// `first` it has nothing that proves.
    async fn holes(
        &mut self,
        gateways: &[String],
        owners: &[Address],
        (first, mut to, end): (u64, u64, u64),
        page: Page,
    ) -> Result<Error, Stop> {
        let (mut missing, mut from, mut page) = (Vec::<(u64, u64)>::new(), first, Some(page));
        for _ in 0..MAX_HOLE_PAGES {
            let listed = match page.take() {
                Some(page) => page,
                None => self.listed(gateways, owners, from, to).await?,
            };
            for slot in (from..=to).filter(|slot| *slot == first || !listed.contains_key(slot)) {
                match missing.last_mut() {
                    Some((_, last)) if last.saturating_add(1) == slot => *last = slot,
                    _ => missing.push((slot, slot)),
                }
            }
            if to >= end {
                break;
            }
            from = to.saturating_add(1);
            to = end.min(from.saturating_add(PAGE - 1));
        }
        let more = to < end || missing.len() > MAX_HOLES;
        missing.truncate(MAX_HOLES);
        let named: Vec<String> = missing.iter().map(range).collect();
        let named = format!("{}{}", named.join(", "), if more { ", …" } else { "" });
        self.reach.observer.event(Event::Holes { slots: missing, more });
        let what = format!(
            "No scheduler answers, and Arweave has no assignment for slot {named}, though it has one for slot {end}. \
             The history stands up to there. Add a gateway that has them, or try again when the scheduler is back."
        );
        Ok(Error::new(Code::SlotMissing, what).with("slot", first).with("slots", named).with("newest", end))
    }

    /// How far each gateway's index is, in place of the schedulers' heads.
    async fn gateway_heads(&mut self, answers: Vec<Newest>) -> Result<(), Stop> {
        let Some(head) = self.verifier.head().cloned() else { return Ok(()) };
        let now = self.reach.clock.now_ms();
        let needed = needed(self.reach.options.quorum, answers.len());
        let mut seen = Vec::with_capacity(answers.len());
        for (url, answer) in answers {
            let newest = match answer {
                Ok(newest) => newest,
                Err(error) => {
                    let one = silent(&url, Silent::new(&url, &error), now);
                    seen.push(HeadSeen { of: SourceKind::Gateway, ..one });
                    continue;
                }
            };
            let (slot, item) = newest.map_or((None, None), |(slot, item)| (Some(slot), Some(item)));
            let at_ours = item.as_ref().filter(|item| slot_of(item) <= head.slot);
            let ours = match slot.filter(|slot| *slot <= head.slot) {
                Some(slot) => self.assignment_at(slot).await.map_err(Stop::Ours)?,
                None => None,
            };
            let same = at_ours.is_none_or(|item| ours.is_some_and(|ours| ours.id() == item.id()));
            if let Some(item) = at_ours.filter(|_| !same) {
                self.compare(item, &url).await.map_err(Stop::Ours)?;
            }
            let standing = match slot {
                _ if !same => Standing::Differs,
                Some(slot) if slot == head.slot => Standing::Agrees,
                Some(slot) if slot > head.slot => Standing::Ahead,
                _ => Standing::Behind,
            };
            let timestamp = item.as_ref().and_then(timestamp);
            seen.push(HeadSeen {
                url,
                of: SourceKind::Gateway,
                standing,
                slot,
                assignment: item.map(|item| item.id()),
                timestamp,
                asked_at_ms: now,
                age_ms: timestamp.map(|time| now.saturating_sub(time)),
                failure: None,
            });
        }
        self.keep_heads(seen, needed);
        Ok(())
    }
}

fn timestamp(assignment: &DataItem) -> Option<u64> {
    weft_codec::ao::Assignment::read(assignment.clone()).ok().map(|assignment| assignment.timestamp)
}

fn range((from, to): &(u64, u64)) -> String {
    if from == to { from.to_string() } else { format!("{from}–{to}") }
}

/// A listing in a few words: how many, and a hash to compare by.
fn shown(names: &[(u64, Id)], from: u64, to: u64) -> String {
    let text: String = names.iter().map(|(slot, id)| format!("{slot} {id}\n")).collect();
    let slots: Vec<String> = names.iter().take(MAX_HOLES).map(|(slot, _)| slot.to_string()).collect();
    let slots = if names.len() == 1 {
        format!("slot {}", slots.join(""))
    } else {
        format!("{} assignments", names.len())
    };
    format!("{slots} for slots {from}–{to}, hash {}", Id::sha256(text.as_bytes()))
}
