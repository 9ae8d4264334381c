//! The side of the local network that only reads: the gateway and the scheduler's `GET` routes. It needs no key.

use weft_codec::{Code, Error, Result};

use super::ledger::Ledger;
use super::reply::{Handled, Refusal, Reply};
use super::target::Target;
use crate::history_file::MAX_HISTORY_BYTES;
use crate::seams::{Clock, Fetch, Method, Request, Response, Store};

/// The largest body a unit reads: 10 MiB, as the scheduler's (su `main.rs`).
pub const MAX_BODY: usize = 10_485_760;

/// The largest body that is read for a URL: a history may be longer than what else is written.
#[must_use]
pub fn max_body(url: &str) -> usize {
    let history = Target::parse(url).is_some_and(|target| target.path() == ["gateway", "history"]);
    if history { MAX_HISTORY_BYTES } else { MAX_BODY }
}

/// The read side over a store.
#[derive(Debug)]
pub struct Reader<S, C> {
    ledger: Ledger<S>,
    clock: C,
    address: String,
}

impl<S: Store, C: Clock> Reader<S, C> {
    /// A reader of what a [`super::LocalNet`] or a demo archive put into the store. `address` is the scheduler's,
    /// as `GET /su` tells it.
    pub fn new(store: S, clock: C, address: impl Into<String>) -> Self {
        Self { ledger: Ledger::new(store), clock, address: address.into() }
    }

    /// The ledger underneath.
    pub fn ledger(&self) -> &Ledger<S> {
        &self.ledger
    }

    pub(crate) fn clock(&self) -> &C {
        &self.clock
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Answers a request to `/gateway` or `/su`. Whatever writes or computes is 405.
    pub async fn answer(&self, request: &Request) -> Reply {
        let reply = match open(request) {
            Ok(target) => self.route(request, &target).await,
            Err(refusal) => Err(refusal),
        };
        reply.unwrap_or_else(Reply::from)
    }

    async fn route(&self, request: &Request, target: &Target) -> Handled {
        let (path, below) = (target.path(), target.below());
        match (request.method, path.as_slice()) {
            (Method::Post, ["gateway", "graphql"] | ["gatewaygraphql"] | ["graphql"]) => {
                self.graphql(&request.body).await
            }
            (Method::Get, ["gateway", ..]) => self.gateway_get(&below).await,
            (Method::Get, ["su", ..]) => self.su_get(&below).await,
            (_, ["gateway" | "su" | "mu" | "cu", ..]) => Err(Refusal::new(405, "This network is read only.")),
            _ => Err(not_here()),
        }
    }
}

/// The request's target, once its size is known to be allowed.
pub(super) fn open(request: &Request) -> Handled<Target> {
    let most = max_body(&request.url);
    if request.body.len() > most {
        return Err(Refusal::new(413, format!("A request has at most {most} bytes here.")));
    }
    Target::parse(&request.url).ok_or_else(|| Refusal::new(414, "The URL is too long."))
}

pub(super) fn not_here() -> Refusal {
    Refusal::new(404, "There is nothing here: the units are at /gateway, /su, /mu and /cu.")
}

/// Holds an answer to the limit of the request, as a fetch over the network does.
pub(super) fn bounded(request: &Request, response: Response) -> Result<Response> {
    if response.body.len() as u64 > request.max_bytes {
        let sentence = format!("The answer of `{}` is longer than {} bytes.", request.url, request.max_bytes);
        return Err(Error::new(Code::TooLarge, sentence));
    }
    Ok(response)
}

impl<S: Store, C: Clock> Fetch for Reader<S, C> {
    async fn fetch(&self, request: Request) -> Result<Response> {
        let response = self.answer(&request).await.response;
        bounded(&request, response)
    }
}
