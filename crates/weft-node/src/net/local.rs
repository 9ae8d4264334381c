//! The network as one handler.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;

use futures_util::lock::Mutex;
use weft_codec::tags::Tag;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_core::Engines;
use weft_core::aocore::device::{self, Device, Devices};

use super::compute::Computer;
use super::near::Near;
use super::reader::{self, Reader};
use super::reply::{Handled, Refusal, Reply};
use super::schedule::sign;
use super::{Entropy, ModuleTags, layer1, ledger};
use crate::hb;
use crate::seams::{Batch, Clock, Fetch, Method, Request, Response, Signer, Store, Table};

/// The local network.
pub struct LocalNet<S, C, G> {
    pub(crate) reader: Reader<Near<S>, C>,
    pub(crate) signer: G,
    /// What it signed last of its answers.
    pub(crate) signatures: hb::Signatures,
    pub(super) entropy: Box<dyn Entropy>,
    pub(super) computer: Computer,
    /// Whoever writes histories, items or the messenger's queue takes turns. Evaluating takes none.
    pub(super) turn: Mutex<()>,
    /// The jobs of the messenger that are under way.
    pub(super) claimed: RefCell<BTreeSet<String>>,
    /// What runs wasm processes.
    pub(super) engines: Engines,
    /// What answers the keys of messages, and what runs those of them that are not in Rust.
    pub(crate) devices: RefCell<Devices>,
    pub(crate) outside: RefCell<Option<Rc<dyn hb::Outside>>>,
    /// What answers of [`crate::hb::Hb`] link to, and states of older slots.
    pub(crate) answered: hb::Answered,
}

/// Whether a URL is that of a unit. Everything else is a path of AO-Core ([`crate::hb`]).
fn is_of_a_unit(url: &str) -> bool {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    let first = path.split(['/', '?', '#']).find(|segment| !segment.is_empty()).unwrap_or_default();
    ["su", "mu", "cu", "gateway", "graphql", "gatewaygraphql"].contains(&first)
}

impl<S, C, G> fmt::Debug for LocalNet<S, C, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalNet").finish_non_exhaustive()
    }
}

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    /// A network over a store, which goes on with what the store holds. `signer` is the key of scheduler and
    /// messenger; a store belongs to one key.
    pub fn new(store: S, clock: C, signer: G, entropy: Box<dyn Entropy>) -> Self {
        let address = Address::of_owner(&signer.owner());
        Self {
            reader: Reader::new(Near::new(store), clock, address.to_string()),
            signer,
            signatures: hb::Signatures::default(),
            entropy,
            computer: Computer::default(),
            engines: Engines::default(),
            turn: Mutex::new(()),
            claimed: RefCell::default(),
            devices: RefCell::new(Devices::of_node()),
            outside: RefCell::default(),
            answered: hb::Answered::default(),
        }
    }

    /// The address of scheduler, messenger and compute unit.
    #[must_use]
    pub fn address(&self) -> &str {
        self.reader.address()
    }

    /// With a WebAssembly engine that is faster than wasmi. It has to give up messages that keep others waiting
    /// ([`weft_wasm::engine::Guest::patience`]).
    #[must_use]
    pub fn with_engines(self, engines: Engines) -> Self {
        Self { engines, ..self }
    }

    /// Puts a device in, in the place of one of the same name.
    pub fn add_device(&self, device: impl Device + 'static) {
        self.devices.borrow_mut().add(device);
    }

    /// Puts in devices that something else runs: their names, and the keys each answers.
    pub fn add_outside(&self, devices: Vec<(String, Vec<String>)>, runner: Rc<dyn hb::Outside>) {
        for (name, keys) in devices {
            self.add_device(device::Outside::new(&name, keys));
        }
        *self.outside.borrow_mut() = Some(runner);
    }

    /// Marks the store as this key's.
    ///
    /// # Errors
    /// `store-corrupt` if it is another key's: assignments of two signers in one history prove nothing. Those of
    /// the store.
    pub async fn claim(&self) -> Result<()> {
        let ledger = self.reader.ledger();
        match ledger.read::<String>(Table::Settings, "address").await? {
            Some(owner) if owner == self.address() => Ok(()),
            Some(owner) => {
                let sentence = format!("This state is of the wallet {owner}, not of {}.", self.address());
                Err(Error::new(Code::StoreCorrupt, sentence))
            }
            None => {
                let mut batch = Batch::default();
                batch.put(Table::Settings, "address", ledger::encode(&self.address())?);
                ledger.commit(batch).await
            }
        }
    }

    /// Answers a request. Errors are statuses.
    pub async fn handle(&self, request: Request) -> Response {
        self.answer(&request).await.response
    }

    /// As [`Self::handle`], with the headers of some routes.
    pub async fn answer(&self, request: &Request) -> Reply {
        if !is_of_a_unit(&request.url) {
            return Box::pin(hb::answer(self, request)).await;
        }
        let target = match reader::open(request) {
            Ok(target) => target,
            Err(refusal) => return refusal.into(),
        };
        let (path, below) = (target.path(), target.below());
        let handled: Handled = match (request.method, path.as_slice()) {
            (Method::Post, ["su"]) => Box::pin(self.su_post(&below, &request.body)).await,
            (Method::Post, ["mu", ..]) => Box::pin(self.mu_post(&below, &request.body)).await,
            (Method::Delete, ["mu", ..]) => {
                self.in_turn(Box::pin(self.mu_delete(&below, &request.body))).await
            }
            (Method::Get, ["mu"]) => Ok(Reply::text(200, "ao messenger unit")),
            (Method::Get, ["cu", ..]) => self.computing(Box::pin(self.cu_get(&below))).await,
            (Method::Post, ["cu", ..]) => self.computing(Box::pin(self.cu_post(&below, &request.body))).await,
            (Method::Post, ["gateway", "v1", "tx", ..]) => {
                self.in_turn(Box::pin(self.upload_post(&request.body))).await
            }
            (Method::Post, ["gateway", "history"]) => {
                self.in_turn(Box::pin(self.history_post(&request.body))).await
            }
            (Method::Get, ["gateway", "history", id]) => self.history_get(id).await,
            (Method::Get, ["gateway", "mine"]) => {
                self.mine().await.map(|tip| layer1::info(&tip)).map_err(Refusal::from)
            }
            (Method::Get, ["gateway" | "su", ..]) | (Method::Post, [.., "graphql"] | ["gatewaygraphql"]) => {
                match self.tick().await {
                    Ok(()) => return self.reader.answer(request).await,
                    Err(error) => Err(error.into()),
                }
            }
            (_, ["gateway" | "su" | "mu" | "cu", ..]) => {
                Err(Refusal::new(405, "This path has other methods."))
            }
            _ => Err(reader::not_here()),
        };
        handled.unwrap_or_else(Reply::from)
    }

    /// Boxed: their futures are large, and most requests are none of them.
    async fn in_turn(&self, work: Pin<Box<dyn Future<Output = Handled> + '_>>) -> Handled {
        let _turn = self.turn.lock().await;
        work.await
    }

    /// Evaluating may take long: others are answered meanwhile.
    async fn computing(&self, work: Pin<Box<dyn Future<Output = Handled> + '_>>) -> Handled {
        let _request = self.computer.request()?;
        work.await
    }

    /// Publishes a module as an item of the node's key. A module that is there already is not signed again.
    ///
    /// # Errors
    /// Those of the store and of the signer.
    pub async fn publish_module(&self, wasm: &[u8], tags: &ModuleTags) -> Result<Id> {
        let _turn = self.turn.lock().await;
        let key = format!("module/{}/{}", tags.format, Id::sha256(wasm));
        let ledger = self.reader.ledger();
        if let Some(id) = ledger.read(Table::Settings, &key).await? {
            return Ok(id);
        }
        let item = sign(&self.signer, None, None, tags.tags(), wasm.to_vec()).await?;
        let mut batch = Batch::default();
        batch.put(Table::Settings, key, ledger::encode(&item.id())?);
        self.upload(&item, batch).await.map_err(Refusal::into_error)
    }

    /// Announces where the scheduler is, unless that was the last place announced: an item of its own key
    /// (ao-messages.md §7), so that clients that look a scheduler up by its address find this one.
    ///
    /// # Errors
    /// Those of the store and of the signer.
    pub async fn publish_location(&self, url: &str) -> Result<()> {
        let _turn = self.turn.lock().await;
        if self.reader.ledger().read::<String>(Table::Settings, "location").await?.as_deref() == Some(url) {
            return Ok(());
        }
        let tags = vec![
            Tag::new("Data-Protocol", "ao"),
            Tag::new("Type", "Scheduler-Location"),
            Tag::new("Variant", "ao.TN.1"),
            Tag::new("Url", url),
            Tag::new("Time-To-Live", "3600000"),
        ];
        let item = sign(&self.signer, None, None, tags, b" ".to_vec()).await?;
        let mut batch = Batch::default();
        batch.put(Table::Settings, "location", ledger::encode(&url)?);
        self.upload(&item, batch).await.map(|_| ()).map_err(Refusal::into_error)
    }
}

impl<S: Store, C: Clock, G: Signer> Fetch for LocalNet<S, C, G> {
    async fn fetch(&self, request: Request) -> Result<Response> {
        let response = self.answer(&request).await.response;
        reader::bounded(&request, response)
    }
}
