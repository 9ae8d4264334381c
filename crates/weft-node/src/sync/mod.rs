//! The road: fetch, verify, replay, commit.

mod ahead;
mod commit;
mod fork;
mod heads;
mod prove;
mod rebuild;
pub(crate) mod replay;
pub(crate) mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures_util::future::{Either, select};
use weft_codec::ao::{Carrier, Process};
use weft_codec::scheduler_page::{Edge, Page};
use weft_codec::{Code, Error, Id, Result};
use weft_verify::http::SignedProcess;
use weft_verify::{HistoryVerifier, Untrusted, Verified, Vouched};

use crate::archive::{Archive, Form, Record, corrupt, write};
use crate::event::{Event, Observer, Phase};
use crate::failures::is_ours;
use crate::gateway;
use crate::node::Node;
use crate::options::Summary;
use crate::reach::{Fault, Reach, Stop};
use crate::scheduler;
use crate::seams::{Clock, Fetch, Store, Table};
use crate::sources::Sources;

use ahead::Ahead;
use commit::{Pace, Pending};
use rebuild::Rebuilt;
use replay::Player;
use signed::{SignedRun, stored_signed_process};

/// Fetches, proves, replays and stores what is new of a process, whatever its history is made of.
pub(crate) async fn sync<S: Store, F: Fetch, C: Clock, O: Observer>(
    node: &Node<S, F, C>,
    reach: &Reach<'_, F, C, O>,
    sources: &Sources,
    id: Id,
) -> Result<Summary> {
    let archive = node.archive();
    let record = archive.record(id).await?;
    let process = match &record {
        Some(record) if record.form == Form::Messages => {
            Opened::Message(stored_signed_process(&archive, id).await?)
        }
        Some(_) => Opened::Item(stored_process(&archive, id).await?),
        None => {
            Pace::new(reach.clock.now_ms()).progress(reach, Phase::Process, 0, None);
            fetch_process(reach, sources, id).await?
        }
    };
    match process {
        Opened::Item(process) => {
            let mut run = Run::open(node, reach, sources, record, process).await?;
            let outcome = run.drive().await;
            run.close(outcome).await
        }
        Opened::Message(process) => {
            let mut run = SignedRun::open(node, reach, sources, record, process).await?;
            let outcome = run.drive().await;
            run.close(outcome).await
        }
    }
}

/// A process, and so what its history is made of.
enum Opened {
    Item(Verified<Process>),
    Message(Verified<SignedProcess>),
}

/// One sync of one process.
struct Run<'a, S, F, C, O> {
    node: &'a Node<S, F, C>,
    archive: Archive<'a, S>,
    reach: &'a Reach<'a, F, C, O>,
    sources: &'a Sources,
    /// The user's schedulers, or those that the scheduler's own records name.
    schedulers: Vec<String>,
    process: Verified<Process>,
    record: Record,
    verifier: HistoryVerifier,
    /// Signatures of the page at hand that the platform has checked.
    vouched: Vouched,
    /// The first slots of messages of the page at hand, as far as they were looked up.
    known: BTreeMap<Id, Option<u64>>,
    /// The page after the one at hand.
    ahead: Option<Ahead>,
    player: Option<Player>,
    pending: Pending,
    pace: Pace,
    /// The newest slot, by a scheduler's word; for progress alone.
    latest: Option<u64>,
}

/// What a page led to.
enum Step {
    /// There is more.
    More,
    /// The history ends here, or the wanted slot is reached.
    End,
}

impl<'a, S: Store, F: Fetch, C: Clock, O: Observer> Run<'a, S, F, C, O> {
    /// Makes ready to replay a process that is in the store, or was just fetched.
    async fn open(
        node: &'a Node<S, F, C>,
        reach: &'a Reach<'a, F, C, O>,
        sources: &'a Sources,
        record: Option<Record>,
        process: Verified<Process>,
    ) -> Result<Self> {
        let archive = node.archive();
        let (id, pace) = (process.id, Pace::new(reach.clock.now_ms()));
        let mut pending = Pending::default();
        if record.is_none() {
            write::carrier(&mut pending.batch, id, &process.carrier);
            pending.checks += process.checks().len() as u64;
        }
        reach.observer.event(Event::Process {
            process: id,
            module: process.module,
            scheduler: process.scheduler.to_string(),
        });
        let record = record.unwrap_or_else(|| Record::new(&process));
        let policy = reach.options.policy();
        let verifier = match &record.head {
            Some(head) => HistoryVerifier::resume(&process, policy, head.clone()),
            None => HistoryVerifier::new(&process, policy),
        };
        let mut run = Self {
            node,
            archive,
            reach,
            sources,
            schedulers: sources.schedulers.clone(),
            process,
            record,
            verifier,
            vouched: Vouched::new(),
            known: BTreeMap::new(),
            ahead: None,
            player: None,
            pending,
            pace,
            latest: None,
        };
        // A process this node cannot run is refused before its history is fetched.
        if run.reach.options.replay && run.record.replay.is_none() {
            run.ensure_player().await?;
        }
        Ok(run)
    }

    /// Replays what is stored and not replayed, then follows the schedulers, or what Arweave has of their work.
    async fn drive(&mut self) -> Result<()> {
        if self.reach.options.replay {
            self.catch_up().await?;
        }
        if self.is_reached() {
            return Ok(());
        }
        match self.follow_anyone().await {
            Ok(()) => Ok(()),
            Err(Stop::Ours(error)) => Err(error),
            Err(Stop::Sources(failures)) => {
                let next = self.next_slot();
                Err(failures.into_error(&format!("slot {next} of the history of {}", self.process.id)))
            }
        }
    }

    /// The user's schedulers; if none gives a history that proves, those that the scheduler's records name; if none of them
    /// does, the assignments on Arweave. A lie is passed over only for what proves: where nothing does, it is the answer.
    async fn follow_anyone(&mut self) -> Result<(), Stop> {
        if self.schedulers.is_empty() {
            self.locate().await.map_err(Stop::Ours)?;
        }
        let mut failures = match self.follow_schedulers().await {
            Err(Stop::Sources(failures)) => failures,
            other => return other,
        };
        if !self.sources.schedulers.is_empty() && self.locate().await.map_err(Stop::Ours)? {
            match self.follow_schedulers().await {
                Err(Stop::Sources(more)) => failures.merge(more),
                other => return other,
            }
        }
        let false_ones = failures.falsehoods();
        match self.rebuild().await {
            Ok(Rebuilt::Done) => self.keep_falsehoods(false_ones).await.map_err(Stop::Ours),
            Ok(Rebuilt::Nothing) => Err(Stop::Sources(failures)),
            // What Arweave does not have says less than what a scheduler made up.
            Err(Stop::Ours(error)) if error.code() == Code::SlotMissing && !false_ones.is_empty() => {
                self.keep_falsehoods(false_ones).await.map_err(Stop::Ours)?;
                Err(Stop::Sources(failures))
            }
            Err(Stop::Sources(more)) => {
                failures.merge(more);
                Err(Stop::Sources(failures))
            }
            Err(ours) => Err(ours),
        }
    }

    /// Commits what is left, whatever the outcome, and says where the process is.
    async fn close(mut self, outcome: Result<()>) -> Result<Summary> {
        let committed = self.commit(true).await;
        self.keep_divergence().await?;
        self.reach.report_health();
        let now = self.reach.clock.now_ms();
        self.pace.end(self.reach, now, &self.pending);
        if committed.is_ok() {
            self.keep_machine();
        }
        outcome.and(committed)?;
        let mut summary = Summary::of(&self.record);
        summary.verified_now = self.pending.verified;
        summary.replayed_now = self.pending.replayed;
        summary.bytes = self.reach.bytes();
        summary.requests = self.reach.requests();
        summary.elapsed_ms = now.saturating_sub(self.pace.started());
        Ok(summary)
    }

    /// Page after page, from the scheduler that served the last one, to the end or to the wanted slot. Answers with the
    /// scheduler that gave the last slot and said that it is the last. One that gave nothing may as well have less.
    async fn follow(&mut self, schedulers: &[String]) -> Result<Option<String>, Stop> {
        let mut served: Option<String> = None;
        let mut ended = None;
        while !self.is_reached() {
            let (reach, last, before) = (self.reach, served.clone(), self.head_slot());
            let page = async |url: &str| {
                let step = self.advance_or_explain(url).await?;
                Ok((url.to_owned(), step))
            };
            let (url, step) = reach.rounds(schedulers, last.as_deref(), page).await?;
            if self.head_slot() != before {
                ended = Some(url.clone());
            }
            served = Some(url);
            match step {
                Step::More => ended = None,
                Step::End => break,
            }
        }
        Ok(ended)
    }

    /// One page. A page that does not follow from the verified history may come from another one.
    async fn advance_or_explain(&mut self, url: &str) -> Result<Step, Fault> {
        match self.advance(url).await {
            Err(Fault::Source(error)) if fork::may_be_fork(error.code()) => {
                self.look_for_fork(url).await.map_err(Fault::Ours)?;
                Err(Fault::Source(error))
            }
            other => other,
        }
    }

    /// Takes the entries of the page after the head. Meanwhile the page after that is on its way.
    async fn advance(&mut self, url: &str) -> Result<Step, Fault> {
        let before = self.verifier.head().cloned();
        let ahead = match self.ahead.take().filter(|ahead| ahead.follows(url, before.as_ref())) {
            Some(ahead) => ahead,
            None => self.asking().page(url, before.as_ref()).await.map_err(Fault::of)?,
        };
        let Ahead { page, vouched, .. } = ahead;
        self.learn_length(url, &page).await?;
        self.vouched = vouched;
        let (asking, next) = (self.asking(), ahead::expected(&page, self.reach.options.to));
        // A page that does not come now is asked for when its turn is, and is an error then.
        let reading = async { asking.page(url, Some(next.as_ref()?)).await.ok() };
        let (step, ahead) = both(self.take_page(page, before.as_ref(), url), reading).await?;
        self.ahead = ahead;
        Ok(step)
    }

    /// Takes the entries of one page, after `before`.
    async fn take_page(
        &mut self,
        page: Page,
        before: Option<&weft_verify::Head>,
        url: &str,
    ) -> Result<Step, Fault> {
        let options = self.reach.options;
        let start = before.map(|head| head.slot);
        let has_next = page.has_next_page;
        self.look_up(&page).await.map_err(Fault::Ours)?;
        for edge in page.edges {
            if self.is_reached() {
                break;
            }
            match self.take_edge(edge, before, url).await {
                // Entries of one millisecond may stand on either side of a page's border: ask again from here.
                Err(Fault::Source(error))
                    if error.code() == Code::SlotMissing && self.head_slot() != start =>
                {
                    return Ok(Step::More);
                }
                other => other?,
            }
        }
        let now = self.reach.clock.now_ms();
        self.pace.page(self.reach, now, &self.pending, self.total());
        if self.is_reached() {
            return Ok(Step::End);
        }
        if has_next && self.head_slot() == start {
            let what = "It says that there is more, and its page brings nothing new.";
            return Err(Fault::Source(Error::new(Code::PageLoop, what)));
        }
        match options.to {
            _ if has_next => Ok(Step::More),
            None => Ok(Step::End),
            Some(to) => {
                let end =
                    self.head_slot().map_or("is empty".to_owned(), |slot| format!("ends at slot {slot}"));
                let what = format!("Its history {end}; slot {to} is not there.");
                Err(Fault::Source(Error::new(Code::NotFound, what)))
            }
        }
    }

    async fn take_edge(
        &mut self,
        edge: Edge,
        before: Option<&weft_verify::Head>,
        url: &str,
    ) -> Result<(), Fault> {
        let entry = edge.entry;
        let Some(assignment) = entry.assignment else {
            // Before the boot loader the process stood in no slot: it may be printed without an assignment.
            if entry.message.is_some_and(|message| message.id() == self.process.id) {
                return Ok(());
            }
            let what = "An entry of its page has no assignment.";
            return Err(Fault::Source(Error::new(Code::PageMalformed, what)));
        };
        // What the page repeats of the time before it is no news. Another assignment for the head's slot is.
        let slot = scheduler::slot_of(&assignment);
        let known = before.is_some_and(|head| {
            slot < head.slot || (slot == head.slot && assignment.id() == head.assignment_id)
        });
        if known {
            return self.compare(&assignment, url).await.map_err(Fault::Ours);
        }
        let verified = self.prove(assignment, entry.message, entry.lossy, url).await?;
        self.take(&verified).await.map_err(Fault::Ours)
    }

    /// Asks, once and for the progress alone, how long the history is.
    async fn learn_length(&mut self, url: &str, page: &Page) -> Result<(), Fault> {
        if self.latest.is_none() && self.reach.options.to.is_none() && page.has_next_page {
            match scheduler::latest(self.reach, url, self.process.id).await {
                Ok(head) => self.latest = Some(head.slot),
                Err(error) if is_ours(error.code()) => return Err(Fault::Ours(error)),
                // Not knowing the length is no failure of the history.
                Err(_) => self.latest = Some(0),
            }
        }
        Ok(())
    }

    /// Slots this sync will have taken at its end, if that is known.
    fn total(&self) -> Option<u64> {
        let last = self.reach.options.to.or(self.latest.filter(|latest| *latest > 0))?;
        Some(self.pending.verified + last.saturating_add(1).saturating_sub(self.next_slot()))
    }

    fn head_slot(&self) -> Option<u64> {
        self.verifier.head().map(|head| head.slot)
    }

    fn next_slot(&self) -> u64 {
        self.head_slot().map_or(0, |slot| slot.saturating_add(1))
    }

    fn is_reached(&self) -> bool {
        self.reach.options.to.is_some_and(|to| self.head_slot().is_some_and(|slot| slot >= to))
    }
}

impl Record {
    fn new(process: &Process) -> Self {
        Self {
            process: process.id,
            form: Form::Items,
            module: process.module,
            further_modules: Vec::new(),
            scheduler: process.scheduler.clone(),
            engine: None,
            revision: 0,
            head: None,
            replay: None,
            boot: None,
            crons_left_out: Vec::new(),
            tallies: BTreeMap::new(),
            heads: Vec::new(),
            heads_needed: 1,
            heads_to_slot: false,
            location: None,
            listing: None,
        }
    }
}

/// The process in the store, proved again: a store that was written to by others does not become state.
pub(crate) async fn stored_process<S: Store>(archive: &Archive<'_, S>, id: Id) -> Result<Verified<Process>> {
    let damaged = || corrupt(Table::Items, &id.to_string());
    let carrier = archive.carrier(id).await?.ok_or_else(damaged)?;
    prove_carrier(carrier, id)
        .and_then(|found| {
            // Whose it is was named when it came in.
            let owner = BTreeSet::from([found.owner()]);
            found.into_process(&owner)
        })
        .map_err(|cause| damaged().because(cause))
}

/// Proves what the store gives under an id.
pub(crate) fn prove_carrier(carrier: Carrier, id: Id) -> Result<gateway::Found> {
    match carrier {
        Carrier::Item(item) => {
            weft_verify::item(Untrusted::new(*item, "the store"), Some(id)).map(gateway::Found::Item)
        }
        Carrier::Transaction(transaction) => {
            weft_verify::transaction(Untrusted::new(*transaction, "the store"), None, Some(id))
                .map(gateway::Found::Transaction)
        }
    }
}

/// Both at a time. If the first fails, the second is left where it is.
async fn both<A, E, B>(
    first: impl Future<Output = Result<A, E>>,
    second: impl Future<Output = B>,
) -> Result<(A, B), E> {
    match select(pin!(first), pin!(second)).await {
        Either::Left((first, second)) => Ok((first?, second.await)),
        Either::Right((second, first)) => Ok((first.await?, second)),
    }
}

/// The process, from the first scheduler or gateway that can prove it. A scheduler is a scheduler unit or a HyperBEAM node.
async fn fetch_process<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    sources: &Sources,
    id: Id,
) -> Result<Opened> {
    let from_scheduler = async |url: &str| {
        let item = scheduler::process_item(reach, url, id).await.and_then(weft_verify::process);
        match item {
            Err(error) if signed::may_be_node(&error) => {
                let message = signed::first_assignment(reach, url, id).await;
                message.map(Opened::Message).map_err(|other| more_telling(error, other))
            }
            item => item.map(Opened::Item),
        }
    };
    let mut failures = match reach.first_of(&sources.schedulers, from_scheduler).await {
        Ok(process) => return Ok(process),
        Err(Stop::Ours(error)) => return Err(error),
        Err(Stop::Sources(failures)) => failures,
    };
    let from_gateway = async |url: &str| {
        gateway::fetch(reach, url, id).await?.into_process(&reach.options.accepted_owners).map(Opened::Item)
    };
    match reach.first_of(&sources.gateways, from_gateway).await {
        Ok(process) => Ok(process),
        Err(Stop::Ours(error)) => Err(error),
        Err(Stop::Sources(other)) => {
            failures.merge(other);
            Err(failures.into_error(&format!("the process {id}")).with("subject", "process").with("id", id))
        }
    }
}

/// Of the failures of a scheduler unit's path and of a node's at one address, the one that says more.
fn more_telling(unit: Error, node: Error) -> Error {
    if signed::may_be_node(&node) { unit } else { node }
}
