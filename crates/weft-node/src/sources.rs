//! Where the node asks. No source is built in: all are the user's, or named by a scheduler in a record it signed.

use serde::{Deserialize, Serialize};
use weft_codec::{Code, Error, Result};

/// The most sources of one kind.
pub const MAX_SOURCES: usize = 16;
/// The longest source address.
pub const MAX_URL_BYTES: usize = 2_048;

/// How much of an address goes into a sentence.
const SHOWN_CHARS: usize = 120;

/// The user's schedulers and gateways, each in order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// Scheduler units (scheduler-and-cu-api.md 1).
    #[serde(default)]
    pub schedulers: Vec<String>,
    /// Arweave gateways (arweave.md 7).
    #[serde(default)]
    pub gateways: Vec<String>,
}

impl Sources {
    /// Checks every address and brings it to the form requests are built on: no slash at the end, no
    /// `/graphql`, no address twice.
    ///
    /// Errors: `source-invalid` for an address that is not an http or https URL, `too-large` for too many.
    pub fn checked(&self) -> Result<Self> {
        Ok(Self { schedulers: checked(&self.schedulers)?, gateways: checked(&self.gateways)? })
    }
}

fn checked(urls: &[String]) -> Result<Vec<String>> {
    if urls.len() > MAX_SOURCES {
        return Err(Error::new(
            Code::TooLarge,
            format!("{} sources of one kind are too many; the most is {MAX_SOURCES}.", urls.len()),
        ));
    }
    let mut clean: Vec<String> = Vec::new();
    for url in urls {
        let url = check_url(url)?;
        if !clean.contains(&url) {
            clean.push(url);
        }
    }
    Ok(clean)
}

/// One address: scheme, host, perhaps a path; nothing a request line could be broken with.
pub(crate) fn check_url(url: &str) -> Result<String> {
    let shown: String = url.chars().take(SHOWN_CHARS).collect();
    let refuse = |why: &str| {
        Error::new(
            Code::SourceInvalid,
            format!("`{shown}` is not a source: {why}. Give an http or https URL."),
        )
    };
    let trimmed = url.trim().trim_end_matches('/');
    let trimmed = trimmed.strip_suffix("/graphql").unwrap_or(trimmed).trim_end_matches('/');
    if trimmed.len() > MAX_URL_BYTES {
        return Err(refuse("it is too long"));
    }
    let rest = trimmed
        .strip_prefix("https://")
        .or_else(|| trimmed.strip_prefix("http://"))
        .ok_or_else(|| refuse("it does not begin with http:// or https://"))?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err(refuse("it names no host"));
    }
    if host.contains('@') {
        return Err(refuse("it carries a user name"));
    }
    if !trimmed.chars().all(|c| c.is_ascii_graphic() && !"?#\\\"<>`{}|^".contains(c)) {
        return Err(refuse("it has characters an address cannot have"));
    }
    Ok(trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(schedulers: &[&str]) -> Sources {
        Sources { schedulers: schedulers.iter().map(|&url| url.to_owned()).collect(), gateways: Vec::new() }
    }

    #[test]
    fn addresses_are_brought_to_one_form() {
        let checked = sources(&[
            "https://su.example/",
            " https://su.example ",
            "http://127.0.0.1:8734/su",
            "https://gw.example/graphql",
        ])
        .checked()
        .unwrap();
        assert_eq!(
            checked.schedulers,
            ["https://su.example", "http://127.0.0.1:8734/su", "https://gw.example"]
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("https://{}", "a".repeat(3_000));
        for url in [
            "",
            "su.example",
            "ftp://su.example",
            "javascript:alert(1)",
            "https://",
            "https:///path",
            "https://:80",
            "https://user:secret@su.example",
            "https://su.example/?q",
            "https://su.example/a b",
            "https://su.example\r\nX: y",
            &long,
        ] {
            assert_eq!(sources(&[url]).checked().unwrap_err().code(), Code::SourceInvalid, "{url}");
        }
        let many = Sources { schedulers: vec!["https://a.example".into(); 17], gateways: Vec::new() };
        assert_eq!(many.checked().unwrap_err().code(), Code::TooLarge);
    }
}
