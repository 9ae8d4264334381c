//! A world with a node in front of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use weft_codec::Result;
use weft_core::SlotResult;
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::{Event, HeadSeen, Node, Observer, Options, Sources, Summary, Tally};

use super::network::{Network, gateway, scheduler};
use super::{Plan, World};

/// Where the honest scheduler is.
pub const SU: &str = "https://su.example";
/// Where the honest gateway is.
pub const GATEWAY: &str = "https://gateway.example";

/// A world, its network with one honest scheduler and one honest gateway, a store and a clock that outlive nodes.
pub struct Stage {
    /// The world.
    pub world: Rc<World>,
    /// The network.
    pub network: Rc<Network>,
    /// The store.
    pub store: Rc<MemoryStore>,
    /// The clock.
    pub clock: Rc<ManualClock>,
}

/// A node on a stage.
pub type StageNode = Node<Rc<MemoryStore>, Rc<Network>, Rc<ManualClock>>;

impl Stage {
    /// A stage for a process of this plan with some messages.
    #[must_use]
    pub fn new(plan: &Plan, messages: u64) -> Self {
        let world = Rc::new(World::new(plan, messages));
        let network = Rc::new(Network::new());
        network.at(SU, scheduler(&world));
        network.at(GATEWAY, gateway(&world));
        Self { world, network, store: Rc::default(), clock: Rc::new(ManualClock::new(1_000_000, 1)) }
    }

    /// A node that knows only what the store knows.
    #[must_use]
    pub fn node(&self) -> StageNode {
        Node::new(Rc::clone(&self.store), Rc::clone(&self.network), Rc::clone(&self.clock))
    }

    /// Syncs with a new node.
    ///
    /// # Errors
    ///
    /// Those of [`Node::sync`].
    pub async fn sync(&self, sources: &Sources, options: &Options, log: &Log) -> Result<Summary> {
        self.node().sync(self.world.id(), sources, options, log).await
    }

    /// Syncs with a new node from the honest sources.
    ///
    /// # Errors
    ///
    /// Those of [`Node::sync`].
    pub async fn honest(&self) -> Result<Summary> {
        self.sync(&sources(&[SU]), &Options::default(), &Log::default()).await
    }

    /// All results in the store.
    ///
    /// # Panics
    ///
    /// If the store cannot be read.
    #[expect(clippy::expect_used, reason = "a memory store that fails fails the test")]
    pub async fn results(&self) -> Vec<SlotResult> {
        self.node().results(self.world.id(), 0, 10_000).await.expect("results")
    }
}

/// These schedulers, and the honest gateway.
#[must_use]
pub fn sources(schedulers: &[&str]) -> Sources {
    Sources {
        schedulers: schedulers.iter().map(|&url| url.to_owned()).collect(),
        gateways: vec![GATEWAY.to_owned()],
    }
}

/// These schedulers and these gateways.
#[must_use]
pub fn sources_of(schedulers: &[&str], gateways: &[&str]) -> Sources {
    let texts = |urls: &[&str]| urls.iter().map(|&url| url.to_owned()).collect();
    Sources { schedulers: texts(schedulers), gateways: texts(gateways) }
}

/// Keeps every event, and cancels after a number of slots.
#[derive(Default)]
pub struct Log {
    /// The events.
    pub events: RefCell<Vec<Event>>,
    /// Slots after which to cancel; 0 for never.
    pub cancel_after: Cell<usize>,
}

impl Log {
    /// Cancels after some slots.
    #[must_use]
    pub fn cancelling(after: usize) -> Self {
        Self { events: RefCell::default(), cancel_after: Cell::new(after) }
    }

    /// The slots that were replayed, in order.
    #[must_use]
    pub fn slots(&self) -> Vec<u64> {
        let slot = |event: &Event| match event {
            Event::Slot(result) => Some(result.slot),
            _ => None,
        };
        self.events.borrow().iter().filter_map(slot).collect()
    }

    /// The sources that failed, with their codes, in order.
    #[must_use]
    pub fn failures(&self) -> Vec<(String, String)> {
        let failure = |event: &Event| match event {
            Event::Source { url, code, .. } => Some((url.clone(), code.clone())),
            _ => None,
        };
        self.events.borrow().iter().filter_map(failure).collect()
    }
}

impl Log {
    /// What sources said about a claim, in order.
    #[must_use]
    pub fn tallies(&self, about: &str) -> Vec<Tally> {
        let tally = |event: &Event| match event {
            Event::Quorum { claim, tally } if claim == about => Some((**tally).clone()),
            _ => None,
        };
        self.events.borrow().iter().filter_map(tally).collect()
    }

    /// How far each source was when it was asked last.
    #[must_use]
    pub fn heads(&self) -> BTreeMap<String, HeadSeen> {
        let head = |event: &Event| match event {
            Event::Head(head) => Some((head.url.clone(), (**head).clone())),
            _ => None,
        };
        self.events.borrow().iter().filter_map(head).collect()
    }
}

impl Observer for Log {
    fn event(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    fn cancelled(&self) -> bool {
        let after = self.cancel_after.get();
        after > 0 && self.slots().len() >= after
    }
}
