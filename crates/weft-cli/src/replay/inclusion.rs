//! `weft replay --inclusion`: the places of items in blocks, asked for after the history is proved.

use weft_codec::{Code, Error, Result};
use weft_node::seams::{Fetch, Store};
use weft_node::{IncludedItem, Node, Observer, Options, Sources, Summary};

use super::Inclusion;
use super::process::ProcessReplay;
use crate::native::NativeClock;

/// The most slots of one call: a receipt holds a thousand proofs, and a slot has two.
const MAX_SLOTS: u64 = 500;

/// Proves what was asked for, slot by slot; `tell` hears of each.
pub(super) async fn prove<S: Store, F: Fetch>(
    node: &Node<S, F, NativeClock>,
    args: &ProcessReplay,
    sources: &Sources,
    options: &Options,
    observer: &impl Observer,
    summary: &Summary,
    mut tell: impl FnMut(u64, &[IncludedItem]) -> Result<()>,
) -> Result<()> {
    for slot in slots(&args.inclusion, summary.head)? {
        let found = node.include(args.process, slot, sources, options, observer).await;
        tell(slot, &found.map_err(|error| error.at(format!("inclusion of slot {slot}")))?)?;
    }
    Ok(())
}

fn slots(wanted: &[Inclusion], head: Option<u64>) -> Result<Vec<u64>> {
    let all = wanted.contains(&Inclusion::All);
    let slots: Vec<u64> = match head {
        Some(head) if all && head >= MAX_SLOTS => {
            let what =
                format!("A receipt has proofs for at most {MAX_SLOTS} slots. Name slots: --inclusion=SLOT.");
            return Err(Error::new(Code::TooLarge, what));
        }
        Some(head) if all => (0..=head).collect(),
        _ => {
            let named = wanted.iter().filter_map(|one| match one {
                Inclusion::Slot(slot) => Some(*slot),
                Inclusion::All => None,
            });
            named.collect()
        }
    };
    Ok(slots)
}
