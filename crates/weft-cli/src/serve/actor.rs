//! The network on a thread of its own, since its seams are for one thread. Requests and the messenger's jobs are under way
//! at the same time there: evaluating breathes between two slices of a message, and another one goes on.

use std::path::PathBuf;
use std::rc::Rc;
use std::thread::JoinHandle;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::LocalSet;
use weft_codec::{Code, Error, Id, Result};
use weft_node::net::{LocalNet, ModuleTags, Pumped, Reply};
use weft_node::seams::Request;

use super::modules::ModuleBytes;
use crate::keys::{JwkSigner, random_bytes};
use crate::native::{FileStore, NativeClock};

/// Requests that may wait at a time.
const QUEUE: usize = 256;
/// Jobs of the messenger that may be under way at a time.
const MAX_JOBS: usize = 32;

/// What the network is started with.
pub(super) struct Plan {
    pub(super) state: PathBuf,
    pub(super) wallet: JwkSigner,
    pub(super) modules: Vec<ModuleBytes>,
    pub(super) url: String,
}

/// What is known once it runs.
pub(super) struct Started {
    pub(super) address: String,
    pub(super) modules: Vec<Published>,
}

/// A module on the gateway.
pub(super) struct Published {
    pub(super) file: String,
    pub(super) format: String,
    pub(super) id: Id,
}

/// A request on its way to the network.
struct Call {
    request: Request,
    reply: oneshot::Sender<Reply>,
}

/// The way to the network, for any thread. When the last one is dropped, the network stops.
#[derive(Clone)]
pub(super) struct Network {
    calls: mpsc::Sender<Call>,
    stop: watch::Sender<bool>,
}

impl Network {
    /// The answer; `None` once it stops.
    pub(super) async fn answer(&self, request: Request) -> Option<Reply> {
        let (reply, answer) = oneshot::channel();
        self.calls.send(Call { request, reply }).await.ok()?;
        answer.await.ok()
    }

    /// Stops it: what is under way is left, and nothing more is answered.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }
}

type Handles = (Network, oneshot::Receiver<Result<Started>>, JoinHandle<Result<()>>);

/// Starts the thread. It tells once that it runs, or why not.
pub(super) fn start(plan: Plan) -> Result<Handles> {
    let (calls, queue) = mpsc::channel(QUEUE);
    let (stop, stopped) = watch::channel(false);
    let (tell, told) = oneshot::channel();
    let body = move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| {
            Error::new(Code::StoreFailed, "The network's thread has no runtime.").because(cause)
        })?;
        LocalSet::new().block_on(&runtime, work(plan, queue, stopped, tell))
    };
    let thread = std::thread::Builder::new().name("weft-network".to_owned()).spawn(body);
    let thread =
        thread.map_err(|cause| Error::new(Code::StoreFailed, "No thread for the network.").because(cause))?;
    Ok((Network { calls, stop }, told, thread))
}

type Net = LocalNet<Rc<FileStore>, NativeClock, JwkSigner>;

async fn work(
    plan: Plan,
    queue: mpsc::Receiver<Call>,
    stopped: watch::Receiver<bool>,
    tell: oneshot::Sender<Result<Started>>,
) -> Result<()> {
    let net = match open(plan).await {
        Ok((net, started)) => {
            // Nobody waits for it if the program stops meanwhile; the queue is closed then too.
            drop(tell.send(Ok(started)));
            net
        }
        Err(error) => {
            drop(tell.send(Err(error)));
            return Ok(());
        }
    };
    answer_all(&net, queue, stopped).await?;
    net.save_states().await
}

/// Answers until it is stopped or nobody is left who could ask. What is under way then is dropped.
async fn answer_all(
    net: &Net,
    mut queue: mpsc::Receiver<Call>,
    mut stopped: watch::Receiver<bool>,
) -> Result<()> {
    let (mut answers, mut jobs) = (FuturesUnordered::new(), FuturesUnordered::new());
    let mut idle = false;
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            call = queue.recv() => match call {
                Some(call) => answers.push(answer(net, call)),
                None => return Ok(()),
            },
            Some(()) = answers.next() => idle = false,
            Some(done) = jobs.next() => {
                idle = false;
                tell_failure(done?);
            }
            claim = net.next_job(), if !idle && jobs.len() < MAX_JOBS => match claim? {
                Some(claim) => jobs.push(net.work_off(claim)),
                None => idle = true,
            },
        }
    }
}

/// Answers one request, unless whoever asked leaves before.
async fn answer(net: &Net, call: Call) {
    let Call { request, mut reply } = call;
    let answer = tokio::select! {
        answer = net.answer(&request) => answer,
        () = reply.closed() => return,
    };
    drop(reply.send(answer));
}

#[expect(clippy::print_stderr, reason = "a push that fails has nobody else to tell")]
fn tell_failure(done: Pumped) {
    if let Pumped::Failed(sentence) = done {
        eprintln!("weft: not pushed: {sentence}");
    }
}

async fn open(plan: Plan) -> Result<(Net, Started)> {
    let store = Rc::new(FileStore::open(&plan.state)?);
    let net = LocalNet::new(store, NativeClock, plan.wallet, Box::new(random_bytes));
    net.claim().await?;
    let mut modules = Vec::new();
    for module in plan.modules {
        let id = net.publish_module(&module.bytes, &ModuleTags::for_format(&module.format)).await?;
        modules.push(Published { file: module.file, format: module.format, id });
    }
    net.publish_location(&format!("{}/su", plan.url)).await?;
    let started = Started { address: net.address().to_owned(), modules };
    Ok((net, started))
}
