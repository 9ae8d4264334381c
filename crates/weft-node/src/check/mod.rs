//! "Check this answer": what other nodes answer to a slot, beside what this node computed for it.
//!
//! The history is synced, proved and replayed first, or taken from the store. Then each node is asked for the slot's
//! result. Where one differs, its earlier answers are gone through to the first that does. docs/compare.md says what
//! counts as equal and what a match is worth.

mod answer;
mod ask;
mod search;

use std::fmt;
use std::str::FromStr;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use weft_codec::{Code, Error, Id, Result};
use weft_core::SlotResult;

pub use answer::{Difference, MAX_DIFFERENCES};

use crate::archive::Archive;
use crate::event::{Event, Observer};
use crate::node::Node;
use crate::options::Options;
use crate::seams::{Clock, Fetch, Store};
use crate::sources::{MAX_SOURCES, Sources};

use answer::Answer;
use ask::Asked;
use search::Search;

/// What a node is, and so how it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A compute unit of the legacy network: `GET /result/{message}`.
    Legacy,
    /// A HyperBEAM node: `GET /{process}~process@1.0/compute&slot=N/results`.
    HyperBeam,
}

/// A node to compare with. As text `legacy:URL`, `hyperbeam:URL`, or `URL` alone for one whose kind is found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress {
    /// Its kind, if it was given.
    pub kind: Option<NodeKind>,
    /// Its URL, without a slash at the end.
    pub url: String,
}

impl FromStr for NodeAddress {
    type Err = Error;

    /// Error: `source-invalid` for what is no http or https URL.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let (kind, url) = match text.split_once(':') {
            Some(("legacy", url)) => (Some(NodeKind::Legacy), url),
            Some(("hyperbeam", url)) => (Some(NodeKind::HyperBeam), url),
            _ => (None, text),
        };
        let sources = Sources { schedulers: vec![url.to_owned()], gateways: Vec::new() }.checked()?;
        let url = sources.schedulers.into_iter().next().unwrap_or_default();
        Ok(Self { kind, url })
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(NodeKind::Legacy) => write!(f, "legacy:{}", self.url),
            Some(NodeKind::HyperBeam) => write!(f, "hyperbeam:{}", self.url),
            None => f.write_str(&self.url),
        }
    }
}

/// Which answer is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// That of the newest slot.
    #[default]
    Newest,
    /// That of this slot.
    Slot(u64),
    /// That of this message, at the first slot it has.
    Message(Id),
}

/// What is asked of whom.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which answer.
    pub at: At,
    /// The nodes, 1 to 16.
    pub nodes: Vec<NodeAddress>,
    /// Goes through the answers before it even where this one matches.
    pub all: bool,
    /// The most earlier slots that are compared per node.
    pub most_slots: u64,
    /// How long a node may go on saying that it still computes, in milliseconds.
    pub patience_ms: u32,
}

impl Question {
    /// The newest answer, asked of these nodes.
    #[must_use]
    pub fn new(nodes: Vec<NodeAddress>) -> Self {
        Self { at: At::Newest, nodes, all: false, most_slots: 10_000, patience_ms: 60_000 }
    }
}

/// Our answer, and what each node makes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The process.
    pub process: Id,
    /// The slot whose answer was checked.
    pub slot: u64,
    /// Its message.
    pub message: Id,
    /// What this node computed.
    pub result: SlotResult,
    /// The nodes, in the order given.
    pub nodes: Vec<NodeCheck>,
}

/// What came of one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeCheck {
    /// Its URL.
    pub node: String,
    /// Its kind; `None` if it was not given and could not be found out.
    pub node_kind: Option<NodeKind>,
    /// What came of it.
    pub verdict: Verdict,
    /// The search for the first slot that differs, if there was one.
    pub searched: Option<Searched>,
}

/// What came of asking a node. As JSON an object with a `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// It gives the same answer.
    Match,
    /// It gives another one.
    Mismatch {
        /// Where its answer to the slot differs; empty if only earlier answers do.
        differences: Vec<Difference>,
        /// The first slot, of those that were compared, at which its answers differ.
        first: Divergence,
    },
    /// It gave no answer that could be compared.
    Silent {
        /// The stable code.
        code: String,
        /// What happened.
        sentence: String,
    },
}

/// A slot at which two nodes differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// The slot.
    pub slot: u64,
    /// Its message.
    pub message: Id,
    /// Where the answers differ.
    pub differences: Vec<Difference>,
}

/// How far a search went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// Earlier slots that were compared.
    pub compared: u64,
    /// Earlier slots that the node did not answer to.
    pub unanswered: u64,
    /// Whether it went on to a difference, or to the slot asked for; otherwise a limit or the node ended it.
    pub complete: bool,
}

impl<S: Store, F: Fetch, C: Clock> Node<S, F, C> {
    /// Compares this node's answer with those of others. What is not in the store is synced first, as by
    /// [`Node::sync`] with the same sources and options (`options.to` is not looked at).
    ///
    /// Errors: those of a sync; `no-source` without nodes, `too-large` for too many; `not-found` for a slot or a
    /// message that the history does not have; `request-invalid` for a slot nobody evaluates; `cancelled`. A node that
    /// fails is a [`Verdict::Silent`].
    pub async fn check<O: Observer>(
        &self,
        process: Id,
        sources: &Sources,
        options: &Options,
        question: &Question,
        observer: &O,
    ) -> Result<Comparison> {
        if question.nodes.is_empty() {
            return Err(Error::new(Code::NoSource, "No node is named whose answer could be compared."));
        }
        if question.nodes.len() > MAX_SOURCES {
            return Err(Error::new(
                Code::TooLarge,
                format!("At most {MAX_SOURCES} nodes are compared at once."),
            ));
        }
        let result = self.answer_at(process, sources, options, question.at, observer).await?;
        if let Some(earlier) = result.duplicate_of {
            let what = format!(
                "Slot {} is a second copy of slot {earlier}, which no node evaluates again. Check slot {earlier}.",
                result.slot
            );
            return Err(Error::new(Code::RequestInvalid, what));
        }
        // All at once: one that still computes, or does not answer, holds up nobody.
        let archive = self.archive();
        let compare = async |node: &NodeAddress| {
            let asked = Asked {
                fetch: &self.fetch,
                clock: &self.clock,
                observer,
                timeout_ms: options.timeout_ms,
                patience_ms: question.patience_ms,
                process,
                url: &node.url,
            };
            let check = Box::pin(check_node(&asked, &archive, node, question, &result)).await?;
            observer.event(Event::Compared(Box::new(check.clone())));
            Ok(check)
        };
        let nodes = join_all(question.nodes.iter().map(compare)).await;
        let nodes = nodes.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(Comparison { process, slot: result.slot, message: result.message, result, nodes })
    }

    /// Our own answer, from the store, or after a sync.
    async fn answer_at<O: Observer>(
        &self,
        process: Id,
        sources: &Sources,
        options: &Options,
        at: At,
        observer: &O,
    ) -> Result<SlotResult> {
        let stored = match at {
            At::Slot(slot) => self.result(process, slot).await?,
            At::Message(message) => self.result_of(process, message).await?,
            At::Newest => None,
        };
        if let Some(result) = stored {
            return Ok(result);
        }
        let to = if let At::Slot(slot) = at { Some(slot) } else { None };
        let options = Options { to, replay: true, ..options.clone() };
        let summary = self.sync(process, sources, &options, observer).await?;
        let found = match at {
            At::Slot(slot) => self.result(process, slot).await?,
            At::Message(message) => self.result_of(process, message).await?,
            At::Newest => match summary.replayed {
                Some(slot) => self.result(process, slot).await?,
                None => None,
            },
        };
        found.ok_or_else(|| {
            let what = match at {
                At::Slot(slot) => format!("Slot {slot} is not in the history of {process}."),
                At::Message(message) => format!("The message {message} is not in the history of {process}."),
                At::Newest => format!("The history of {process} is empty."),
            };
            Error::new(Code::NotFound, what)
        })
    }

    async fn result_of(&self, process: Id, message: Id) -> Result<Option<SlotResult>> {
        match self.slot_of(process, message).await? {
            Some(slot) => self.result(process, slot).await,
            None => Ok(None),
        }
    }
}

async fn check_node<S: Store, F: Fetch, C: Clock, O: Observer>(
    asked: &Asked<'_, F, C, O>,
    archive: &Archive<'_, S>,
    node: &NodeAddress,
    question: &Question,
    ours: &SlotResult,
) -> Result<NodeCheck> {
    let of =
        |node_kind, verdict, searched| NodeCheck { node: node.url.clone(), node_kind, verdict, searched };
    let kind = match asked.kind(node).await {
        Ok(kind) => kind,
        Err(error) => return Ok(of(node.kind, silent(error)?, None)),
    };
    let theirs = match asked.answer(kind, ours.slot, ours.message).await {
        Ok(theirs) => theirs,
        Err(error) => return Ok(of(Some(kind), silent(error)?, None)),
    };
    let differences = Answer::ours(ours).differences(&theirs);
    if differences.is_empty() && !question.all {
        return Ok(of(Some(kind), Verdict::Match, None));
    }
    let mut search = Search::new(asked, kind);
    let earlier = search.run(archive, ours.slot, question.most_slots).await?;
    let here = Divergence { slot: ours.slot, message: ours.message, differences: differences.clone() };
    let first = earlier.or_else(|| Some(here).filter(|here| !here.differences.is_empty()));
    let verdict = first.map_or(Verdict::Match, |first| Verdict::Mismatch { differences, first });
    Ok(of(Some(kind), verdict, Some(search.searched)))
}

/// A node's failure; a cancel is none of its.
fn silent(error: Error) -> Result<Verdict> {
    if error.code() == Code::Cancelled {
        return Err(error);
    }
    Ok(Verdict::Silent { code: error.code().as_str().to_owned(), sentence: error.sentence().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_print() {
        let legacy: NodeAddress = "legacy:https://cu.example/".parse().unwrap();
        assert_eq!((legacy.kind, legacy.url.as_str()), (Some(NodeKind::Legacy), "https://cu.example"));
        for text in
            ["legacy:https://cu.example", "hyperbeam:http://hb.example:8734", "https://any.example/cu"]
        {
            assert_eq!(text.parse::<NodeAddress>().unwrap().to_string(), text);
        }
        for text in ["", "cu.example", "legacy:", "hyperbeam:ftp://hb.example", "lua:https://hb.example"] {
            assert_eq!(text.parse::<NodeAddress>().unwrap_err().code(), Code::SourceInvalid, "{text}");
        }
    }
}
