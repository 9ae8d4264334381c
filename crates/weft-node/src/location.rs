//! Where a scheduler is, by the record it published on Arweave (ao-messages.md 7): an item of the scheduler's own key
//! with `Type` `Scheduler-Location`, `Url` and `Time-To-Live`.
//!
//! The record is proved by its signature. That it is the newest one is what gateways say: all are asked, and where they
//! disagree each record's address is tried. A scheduler decides where its record points, so it must not make a node ask
//! around in its user's own network: an address there counts only if the user's sources are there too.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Address, Code, Error, Id, Result, ao};

use crate::event::{Event, Observer};
use crate::gateway::{self, Found};
use crate::listing;
use crate::quorum::{Agreement, Tally, needed};
use crate::reach::{Reach, Stop};
use crate::seams::{Clock, Fetch, Response};
use crate::sources::check_url;

/// How long a record without `Time-To-Live` holds, and the longest one holds: a day.
const LONGEST_TTL_MS: u64 = 86_400_000;
/// The shortest.
const SHORTEST_TTL_MS: u64 = 60_000;
/// The longest answer of a scheduler's root.
const MAX_ROOT_BYTES: u64 = 1 << 16;

/// A scheduler's address on the network, and why it is taken for that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Location {
    /// Where it is: what the record says, or where that redirects to.
    pub(crate) url: String,
    /// The record, whose signature is the scheduler's.
    pub(crate) record: Id,
    /// How long it holds, in milliseconds.
    pub(crate) ttl_ms: u64,
    /// What gateways said that the newest record is.
    pub(crate) tally: Tally,
}

/// The addresses in the newest records that gateways know, the one most agree on first. What cannot be used is told to
/// the observer. Errors: ours alone.
pub(crate) async fn locate<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    gateways: &[String],
    process: Id,
    scheduler: &Address,
) -> Result<Vec<Location>> {
    let newest = async |url: &str| listing::newest_location(reach, url, scheduler).await;
    let answers = reach.ask_all(gateways, newest).await?;
    let Ok(agreement) = Agreement::of(answers, needed(reach.options.quorum, gateways.len())) else {
        return Ok(Vec::new());
    };
    let tally = agreement.tally(|record| record.map_or_else(|| "none".to_owned(), |id| id.to_string()));
    let claim = "scheduler-location".to_owned();
    reach.observer.event(Event::Quorum { claim, tally: Box::new(tally.clone()) });
    let mut records: Vec<Id> = Vec::new();
    let all = std::iter::once(agreement.value).chain(agreement.against.iter().map(|other| other.says));
    for record in all.flatten() {
        if !records.contains(&record) {
            records.push(record);
        }
    }
    let mut found = Vec::new();
    for record in records {
        let read = async |url: &str| read(&gateway::fetch(reach, url, record).await?, scheduler, gateways);
        match reach.first_of(gateways, read).await {
            Ok((url, ttl_ms)) => {
                let url = redirected(reach, &url, process, gateways).await?;
                let scheduler = scheduler.to_string();
                reach.observer.event(Event::Located { scheduler, url: url.clone(), record, ttl_ms });
                found.push(Location { url, record, ttl_ms, tally: tally.clone() });
            }
            Err(Stop::Ours(error)) => return Err(error),
            Err(Stop::Sources(_)) => {}
        }
    }
    Ok(found)
}

/// The address and its time to live. Errors: `scheduler-mismatch` for a record of another key, `source-invalid` for an
/// address that is none or that this node does not follow.
fn read(found: &Found, scheduler: &Address, gateways: &[String]) -> Result<(String, u64)> {
    let Found::Item(item) = found else {
        return Err(Error::new(Code::SourceInvalid, "The scheduler's record is not a data item."));
    };
    let item: &DataItem = item;
    let signer = item.owner_address();
    if signer != *scheduler {
        let what = format!("The record of where {scheduler} is was signed by {signer}.");
        return Err(Error::new(Code::SchedulerMismatch, what));
    }
    if ao::kind(&item.tags) != Some("Scheduler-Location") {
        return Err(Error::new(Code::SourceInvalid, "The item is not a record of where a scheduler is."));
    }
    let url = item.tags.tag("Url").or_else(|| item.tags.tag("url")).unwrap_or_default();
    let url = followed(check_url(url)?, gateways)?;
    let ttl = item.tags.tag("Time-To-Live").and_then(|text| text.parse::<u64>().ok());
    Ok((url, ttl.unwrap_or(LONGEST_TTL_MS).clamp(SHORTEST_TTL_MS, LONGEST_TTL_MS)))
}

fn followed(url: String, gateways: &[String]) -> Result<String> {
    if is_private(host(&url)) && !gateways.iter().any(|gateway| is_private(host(gateway))) {
        let what = format!("The scheduler says that it is at `{url}`, in a network of your own.");
        return Err(Error::new(Code::SourceInvalid, what));
    }
    Ok(url)
}

/// A scheduler that is a router sends on to the unit that has the process: the origin of that address replaces the
/// router's (ao-messages.md 7). One that cannot be asked stays as it is, and is asked later.
async fn redirected<F: Fetch, C: Clock, O: Observer>(
    reach: &Reach<'_, F, C, O>,
    url: &str,
    process: Id,
    gateways: &[String],
) -> Result<String> {
    let answer = reach.probe(url, &format!("?process-id={process}"), MAX_ROOT_BYTES).await;
    let target = match &answer {
        Ok(response) => target(response),
        Err(error) if error.code() == Code::Cancelled => return answer.map(|_| String::new()),
        Err(_) => None,
    };
    let origin = target.and_then(origin).and_then(|origin| check_url(&origin).ok());
    // To another path of the same origin is no other unit.
    let origin = origin.filter(|found| self::origin(url).as_ref() != Some(found));
    Ok(origin.and_then(|origin| followed(origin, gateways).ok()).unwrap_or_else(|| url.to_owned()))
}

/// Where an answer comes from or sends to, if that is elsewhere. A browser follows by itself and says where it got.
fn target(response: &Response) -> Option<&str> {
    match response.status {
        301 | 302 | 307 | 308 => response.header("location"),
        _ => Some(response.url.as_str()).filter(|url| !url.is_empty()),
    }
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{host}"))
}

/// The host without port; an IPv6 address without brackets.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Whether a host is the machine itself or in a network of one's own.
fn is_private(host: &str) -> bool {
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return address.is_loopback()
            || address.is_private()
            || address.is_link_local()
            || address.is_unspecified();
    }
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        let first = address.segments()[0];
        let mapped = address.to_ipv4_mapped().is_some_and(|address| is_private(&address.to_string()));
        return address.is_loopback()
            || address.is_unspecified()
            || first & 0xfe00 == 0xfc00
            || first & 0xffc0 == 0xfe80
            || mapped;
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let local = [".localhost", ".local", ".internal", ".home.arpa"];
    // A name without a dot is looked up in one's own network; a number is an IPv4 address in disguise.
    let in_disguise =
        host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    !host.contains('.') || local.iter().any(|end| host.ends_with(end)) || in_disguise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_networks_are_known() {
        let own = [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer",
            "nas.local",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.9.9",
            "169.254.169.254",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:127.0.0.1",
        ];
        for host in own {
            assert!(is_private(host), "{host}");
        }
        for host in ["su.example", "172.32.0.1", "8.8.8.8", "2001:db8::1", "local.example"] {
            assert!(!is_private(host), "{host}");
        }
    }

    #[test]
    fn hosts_and_origins_are_cut_out() {
        assert_eq!(host("http://[fd00::1]:80/x"), "fd00::1");
        assert_eq!(host("https://su.example:8080/su"), "su.example");
        assert_eq!(origin("https://su.example:8080/a?b").as_deref(), Some("https://su.example:8080"));
        assert_eq!(origin("/a"), None);
    }

    #[test]
    fn an_address_in_ones_own_network_needs_a_source_there() {
        let (own, public) =
            (vec!["http://127.0.0.1:1/gateway".to_owned()], vec!["https://gw.example".to_owned()]);
        let url = || "http://localhost:2/su".to_owned();
        assert_eq!(followed(url(), &own).unwrap(), url());
        assert_eq!(followed(url(), &public).unwrap_err().code(), Code::SourceInvalid);
        assert!(followed("https://su.example".to_owned(), &public).is_ok());
    }
}
