//! `weft serve`: the built page and a local AO network, on this machine only.

mod actor;
mod http;
mod modules;
mod page;
mod wallet;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::JoinHandle;

use serde_json::json;
use tokio::net::TcpListener;
use weft_codec::{Code, Error, Id, Result};

pub use modules::ModuleFile;

/// `weft serve`
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 8734)]
    pub port: u16,
    /// The folder of the network's state: its wallet, its items, its histories.
    #[arg(long, default_value = "weft-state")]
    pub state: PathBuf,
    /// The built page. Default: `dist` here, beside the program, or in the workspace it was built in.
    #[arg(long)]
    pub www: Option<PathBuf>,
    /// Publishes a module: FILE, or FILE:FORMAT with a Module-Format, or application/lua. Without one the format is found out.
    #[arg(long = "module", value_name = "FILE[:FORMAT]")]
    pub modules: Vec<ModuleFile>,
    /// The RSA key (JWK) of scheduler and messenger. Default: `wallet.json` in the state folder, made on first use.
    #[arg(long, value_name = "FILE")]
    pub wallet: Option<PathBuf>,
    /// Prints one line of JSON once it serves, and nothing else.
    #[arg(long)]
    pub json: bool,
}

/// A network that listens, and what it can be told.
pub struct Server {
    listener: TcpListener,
    network: actor::Network,
    thread: JoinHandle<Result<()>>,
    page: page::Page,
    url: String,
    started: actor::Started,
}

/// Opens the state, publishes the modules and listens.
///
/// # Errors
/// `unreadable` for files and for a port that is taken; those of the store and of the modules.
pub async fn start(args: Args) -> Result<Server> {
    let wallet = wallet::open(&args.state, args.wallet.as_deref(), args.json)?;
    let modules = modules::read(&args.modules)?;
    let listener = listen(args.port).await?;
    let address = listener.local_addr().map_err(|cause| port_error(args.port, cause))?;
    let url = format!("http://{address}");
    let plan = actor::Plan { state: args.state.clone(), wallet, modules, url: url.clone() };
    let (network, started, thread) = actor::start(plan)?;
    let started =
        started.await.map_err(|_| Error::new(Code::StoreFailed, "The network did not start."))??;
    Ok(Server { listener, network, thread, page: page::Page::find(args.www), url, started })
}

impl Server {
    /// Where it listens: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The ids of the modules of the command line, in their order.
    #[must_use]
    pub fn modules(&self) -> Vec<Id> {
        self.started.modules.iter().map(|module| module.id).collect()
    }

    /// Answers requests until `stop`, and writes down the states in memory. Requests that still wait for a result are
    /// answered with status 503.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let network = self.network.clone();
        let stop = async move {
            stop.await;
            network.stop();
        };
        http::serve(self.listener, self.network, self.page, stop).await?;
        self.thread.join().map_err(|_| Error::new(Code::StoreFailed, "The network's thread failed."))?
    }
}

/// Serves until Ctrl-C.
///
/// # Errors
/// Those of [`start`] and of [`Server::run`].
pub async fn run(args: Args) -> Result<ExitCode> {
    let json = args.json;
    let server = start(args).await?;
    tell(json, &server.url, &server.started, &server.page);
    let stop = async {
        // Without a signal handler there is no clean stop to wait for: serve on.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    server.run(stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// Loopback only: nothing here is meant for others.
async fn listen(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|cause| port_error(port, cause))
}

fn port_error(port: u16, cause: std::io::Error) -> Error {
    let sentence =
        format!("Port {port} of this machine cannot be listened on. Give another one with --port.");
    Error::new(Code::Unreadable, sentence).because(cause)
}

#[expect(clippy::print_stdout, reason = "this is what the command tells its user")]
fn tell(json: bool, url: &str, started: &actor::Started, page: &page::Page) {
    if json {
        let modules: Vec<_> = started
            .modules
            .iter()
            .map(|module| json!({"file": module.file, "format": module.format, "id": module.id}))
            .collect();
        let line = json!({
            "url": url,
            "gateway": format!("{url}/gateway"),
            "su": format!("{url}/su"),
            "mu": format!("{url}/mu"),
            "cu": format!("{url}/cu"),
            "address": started.address,
            "modules": modules,
            "page": page.root(),
        });
        println!("{line}");
        return;
    }
    match page.root() {
        Some(root) => println!("page       {url}/  (from {})", root.display()),
        None => println!("page       not built: run `cargo xtask build`, or give its folder with --www"),
    }
    println!("gateway    {url}/gateway");
    println!("scheduler  {url}/su");
    println!("messenger  {url}/mu");
    println!("compute    {url}/cu");
    println!("wallet     {}", started.address);
    for module in &started.modules {
        println!("module     {}  {}  {}", module.id, module.format, module.file);
    }
    println!("Ctrl-C stops it.");
}
