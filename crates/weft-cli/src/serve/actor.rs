//! The network on a thread of its own: its seams are for one thread, and evaluating blocks it.

use std::path::PathBuf;
use std::rc::Rc;
use std::thread::JoinHandle;

use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use weft_codec::{Code, Error, Id, Result};
use weft_node::net::{LocalNet, ModuleTags, Pumped, Reply};
use weft_node::seams::Request;

use super::modules::ModuleBytes;
use crate::keys::{JwkSigner, random_bytes};
use crate::native::{FileStore, NativeClock};

/// Requests that may wait at a time.
const QUEUE: usize = 256;

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
}

impl Network {
    /// The answer; `None` while it stops.
    pub(super) async fn answer(&self, request: Request) -> Option<Reply> {
        let (reply, answer) = oneshot::channel();
        self.calls.send(Call { request, reply }).await.ok()?;
        answer.await.ok()
    }
}

type Handles = (Network, oneshot::Receiver<Result<Started>>, JoinHandle<Result<()>>);

/// Starts the thread. It tells once that it runs, or why not.
pub(super) fn start(plan: Plan) -> Result<Handles> {
    let (calls, queue) = mpsc::channel(QUEUE);
    let (tell, told) = oneshot::channel();
    let body = move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| {
            Error::new(Code::StoreFailed, "The network's thread has no runtime.").because(cause)
        })?;
        LocalSet::new().block_on(&runtime, work(plan, queue, tell))
    };
    let thread = std::thread::Builder::new().name("weft-network".to_owned()).spawn(body);
    let thread =
        thread.map_err(|cause| Error::new(Code::StoreFailed, "No thread for the network.").because(cause))?;
    Ok((Network { calls }, told, thread))
}

type Net = LocalNet<Rc<FileStore>, NativeClock, JwkSigner>;

async fn work(
    plan: Plan,
    mut queue: mpsc::Receiver<Call>,
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
    let mut idle = false;
    loop {
        let call = if idle { queue.recv().await } else { queue.try_recv().ok() };
        match call {
            Some(call) => {
                let reply = net.answer(&call.request).await;
                drop(call.reply.send(reply));
                idle = false;
            }
            None if idle || queue.is_closed() => break,
            None => idle = pump(&net).await?,
        }
    }
    net.save_states().await
}

/// One job of the messenger; whether there was none.
#[expect(clippy::print_stderr, reason = "a push that fails has nobody else to tell")]
async fn pump(net: &Net) -> Result<bool> {
    match net.pump().await? {
        Pumped::Idle => return Ok(true),
        Pumped::Done => {}
        Pumped::Failed(sentence) => eprintln!("weft: not pushed: {sentence}"),
    }
    Ok(false)
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
