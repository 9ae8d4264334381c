//! The first slot at which a node's answers part from ours.

use std::collections::VecDeque;

use serde_json::Value;
use weft_codec::{Code, Error, Id, Result};
use weft_core::SlotResult;

use super::answer::Answer;
use super::ask::Asked;
use super::{Divergence, NodeKind, Searched};
use crate::archive::Archive;
use crate::event::{Event, Observer};
use crate::seams::{Clock, Fetch, Store};

/// Results read from the store at a time.
const STEP: usize = 128;
/// Requests for single slots that may fail one after the other before the search is given up.
const MAX_FAILURES: u32 = 3;
/// The most pages asked for: a page may have nothing but cron results.
const MAX_PAGES: u32 = 10_000;
/// Time between two events of progress.
const PROGRESS_MS: u64 = 100;

/// A node's answers, one slot after the other: from its pages as far as they go, else slot by slot.
pub(super) struct Search<'a, F, C, O> {
    asked: &'a Asked<'a, F, C, O>,
    kind: NodeKind,
    /// Results of pages that are ahead of the slot looked at.
    ahead: VecDeque<(u64, Value)>,
    pages: Pages,
    /// The last slot the pages have; what they have not up to there, they have left out.
    reached: Option<u64>,
    asked_pages: u32,
    failures: u32,
    told_ms: u64,
    pub(super) searched: Searched,
}

enum Pages {
    /// More can be asked for, after this cursor.
    More(Option<String>),
    /// There are no more, or none at all.
    End,
}

impl<'a, F: Fetch, C: Clock, O: Observer> Search<'a, F, C, O> {
    pub(super) fn new(asked: &'a Asked<'a, F, C, O>, kind: NodeKind) -> Self {
        let pages = match kind {
            NodeKind::Legacy => Pages::More(None),
            NodeKind::HyperBeam => Pages::End,
        };
        let searched = Searched { compared: 0, unanswered: 0, complete: true };
        Self {
            asked,
            kind,
            ahead: VecDeque::new(),
            pages,
            reached: None,
            asked_pages: 0,
            failures: 0,
            told_ms: 0,
            searched,
        }
    }

    /// Compares the slots before `end`, at most `most`, and ends at the first that differs.
    ///
    /// Errors: `cancelled`, those of the store. A node that fails leaves the search incomplete.
    pub(super) async fn run<S: Store>(
        &mut self,
        archive: &Archive<'_, S>,
        end: u64,
        most: u64,
    ) -> Result<Option<Divergence>> {
        let (process, last) = (self.asked.process, end.min(most));
        self.searched.complete = last == end;
        let mut next = 0;
        while next < last {
            let results = archive.results(process, next, STEP).await?;
            if results.is_empty() {
                break;
            }
            for ours in results.into_iter().take_while(|ours| ours.slot < last) {
                next = ours.slot.saturating_add(1);
                self.tell(ours.slot, last);
                if let Some(found) = self.compare(&ours).await? {
                    return Ok(Some(found));
                }
                if self.failures >= MAX_FAILURES {
                    self.searched.complete = false;
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    async fn compare(&mut self, ours: &SlotResult) -> Result<Option<Divergence>> {
        // Nobody evaluates a second copy; a unit answers with whatever it evaluated last.
        if ours.duplicate_of.is_some() {
            return Ok(None);
        }
        let theirs = match self.theirs(ours.slot, ours.message).await {
            Ok(theirs) => theirs,
            Err(error) if error.code() == Code::Cancelled => return Err(error),
            Err(error) => {
                // That it does not have one slot says nothing about the next.
                self.failures = if error.code() == Code::NotFound { 0 } else { self.failures + 1 };
                self.searched.unanswered += 1;
                return Ok(None);
            }
        };
        self.failures = 0;
        self.searched.compared += 1;
        let differences = Answer::ours(ours).differences(&theirs);
        let found = Divergence { slot: ours.slot, message: ours.message, differences };
        Ok(Some(found).filter(|found| !found.differences.is_empty()))
    }

    /// The node's answer to a slot. Pages leave out what failed (scheduler-and-cu-api.md 2.2): that is asked for
    /// by its message.
    async fn theirs(&mut self, slot: u64, message: Id) -> Result<Answer> {
        while self.reached.is_none_or(|reached| reached < slot) && self.more_pages().await? {}
        while self.ahead.front().is_some_and(|(known, _)| *known < slot) {
            self.ahead.pop_front();
        }
        match self.ahead.front() {
            Some((known, _)) if *known == slot => {
                let value = self.ahead.pop_front().map(|(_, value)| value);
                value.map_or_else(|| Err(Error::new(Code::NotFound, "It has no result.")), Answer::theirs)
            }
            _ => self.asked.answer(self.kind, slot, message).await,
        }
    }

    /// Asks for one more page; whether it may be worth to ask for another. A page that fails, or goes back, is the
    /// last one: slots are asked for one by one from there.
    async fn more_pages(&mut self) -> Result<bool> {
        let Pages::More(cursor) = &self.pages else { return Ok(false) };
        let page = match self.asked.page(cursor.as_deref()).await {
            Err(error) if error.code() == Code::Cancelled => return Err(error),
            page => page.ok(),
        };
        self.asked_pages += 1;
        self.pages = Pages::End;
        let Some(page) = page else { return Ok(false) };
        let first = page.results.first().map(|(slot, _)| *slot);
        if first.is_some_and(|first| self.reached.is_some_and(|reached| first <= reached)) {
            return Ok(false);
        }
        self.reached = page.results.last().map(|(slot, _)| *slot).or(self.reached);
        self.ahead.extend(page.results);
        if let Some(next) = page.next.filter(|_| self.asked_pages < MAX_PAGES) {
            self.pages = Pages::More(next.into());
        }
        Ok(true)
    }

    fn tell(&mut self, slot: u64, end: u64) {
        let now = self.asked.clock.now_ms();
        if slot > 0 && now.saturating_sub(self.told_ms) < PROGRESS_MS {
            return;
        }
        self.told_ms = now;
        let node = self.asked.url.to_owned();
        self.asked.observer.event(Event::Comparing { node, done: slot, total: end });
    }
}
