//! `cargo xtask serve`: from a fresh checkout to the page.

use std::net::TcpStream;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::browser;
use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::lanes;

/// The port unless the person says otherwise.
const PORT: u16 = 8734;
/// How long the server may take to answer before a browser is opened.
const PATIENCE: Duration = Duration::from_secs(20);

/// Builds the page and serves it with a local network until interrupted.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    if !lanes::build(ctx)? {
        return Ok(false);
    }
    let port = ctx.args.port.unwrap_or(PORT);
    let serve = Run::new(ctx.weft()).args(["serve", "--port", &port.to_string(), "--www"]).arg(&ctx.out);
    // It says itself where it serves.
    let mut server = serve.arg("--state").arg(ctx.own().join("network")).start()?;
    if ctx.args.open {
        wait(&mut server, port)?;
        if let Err(error) = browser::open(&format!("http://127.0.0.1:{port}/")) {
            println!("{error:#}");
        }
    }
    Ok(server.wait()?.success())
}

/// Waits until the server listens.
fn wait(server: &mut Child, port: u16) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        if let Some(status) = server.try_wait()? {
            bail!("the server stopped ({status})");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("the server does not answer on port {port}")
}
