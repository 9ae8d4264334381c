//! The page after the one that is being taken: fetched, and its signatures checked by the platform, while entries are
//! proved, replayed and stored. Nothing of it counts before its turn.

use weft_codec::ao::Assignment;
use weft_codec::scheduler_page::Page;
use weft_codec::{Id, Result};
use weft_verify::{Head, Vouched, claims_of_item};

use super::Run;
use crate::event::Observer;
use crate::reach::Reach;
use crate::scheduler;
use crate::seams::{Clock, Fetch, Store};
use crate::signatures::{Signatures, vouch};

/// A page, and the signatures of it that the platform found to hold.
pub(super) struct Ahead {
    url: String,
    after: Option<Head>,
    pub(super) page: Page,
    pub(super) vouched: Vouched,
}

impl Ahead {
    /// Whether it is the page that this source would be asked for now.
    pub(super) fn follows(&self, url: &str, head: Option<&Head>) -> bool {
        self.url == url && self.after.as_ref() == head
    }
}

/// The head after a page, if all of the page proves and there is more to ask for.
pub(super) fn expected(page: &Page, to: Option<u64>) -> Option<Head> {
    let last = page.edges.last()?.entry.assignment.as_ref()?;
    let head = Head::at(&Assignment::read(last.clone()).ok()?);
    (page.has_next_page && to.is_none_or(|to| head.slot < to)).then_some(head)
}

/// What asking for a page takes, apart from the run itself, which is busy with the page before.
pub(super) struct Asking<'a, F, C, O> {
    reach: &'a Reach<'a, F, C, O>,
    signatures: &'a dyn Signatures,
    process: Id,
}

impl<'a, S: Store, F: Fetch, C: Clock, O: Observer> Run<'a, S, F, C, O> {
    pub(super) fn asking(&self) -> Asking<'a, F, C, O> {
        Asking { reach: self.reach, signatures: &*self.node.signatures, process: self.process.id }
    }
}

impl<F: Fetch, C: Clock, O: Observer> Asking<'_, F, C, O> {
    /// Fetches the page after a head and has the platform check its signatures, many at a time.
    pub(super) async fn page(&self, url: &str, after: Option<&Head>) -> Result<Ahead> {
        let options = self.reach.options;
        let page =
            scheduler::page(self.reach, url, self.process, after, options.to, options.page_limit).await?;
        let items =
            page.edges.iter().flat_map(|edge| [&edge.entry.assignment, &edge.entry.message]).flatten();
        let claims: Vec<_> = items.flat_map(claims_of_item).collect();
        let vouched = vouch(self.signatures, &claims).await;
        Ok(Ahead { url: url.to_owned(), after: after.cloned(), page, vouched })
    }
}
