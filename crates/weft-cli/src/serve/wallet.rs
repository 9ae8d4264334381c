//! The key of the local network.

use std::io::Write as _;
use std::path::Path;

use weft_codec::{Code, Error, Result};

use crate::keys::JwkSigner;

/// The wallet given, else that of the state folder, made on first use.
pub(super) fn open(state: &Path, given: Option<&Path>, quiet: bool) -> Result<JwkSigner> {
    if let Some(file) = given {
        return JwkSigner::from_file(file);
    }
    let file = state.join("wallet.json");
    if file.exists() {
        return JwkSigner::from_file(&file);
    }
    let unwritable = |cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("The wallet {} cannot be written.", file.display()))
            .because(cause)
    };
    std::fs::create_dir_all(state).map_err(unwritable)?;
    say(quiet, "Making an RSA-4096 key, once; this takes up to a minute …");
    let key = JwkSigner::generate()?;
    write_private(&file, key.to_jwk()?.as_bytes()).map_err(unwritable)?;
    say(quiet, &format!("The key is in {}.", file.display()));
    Ok(key)
}

/// A file only its owner reads. It appears whole or not at all.
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = file.with_extension("json.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut open = options.open(&draft)?;
    open.write_all(bytes)?;
    open.sync_all()?;
    std::fs::rename(&draft, file)
}

#[expect(clippy::print_stderr, reason = "making a key takes long enough to say so")]
fn say(quiet: bool, sentence: &str) {
    if !quiet {
        eprintln!("weft: {sentence}");
    }
}
