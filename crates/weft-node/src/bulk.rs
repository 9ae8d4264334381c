//! Many data items at once: a whole bundle proved, with the platform's help.

use futures_util::future::join;
use serde::Serialize;
use weft_codec::item::DataItem;
use weft_codec::{Error, Id, Result, bundle};
use weft_verify::{SignatureClaim, Untrusted, claims_of_item};

use crate::node::Node;
use crate::seams::{Clock, Fetch, Store};
use crate::signatures::vouch;

/// Items and bytes taken at a time: enough for every thread of the platform, little beside the bundle itself.
const STEP_ITEMS: usize = 512;
const STEP_BYTES: usize = 4 << 20;

/// What was found about one item of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemVerdict {
    /// The id that the bundle's header prints.
    pub id: Id,
    /// Whether the item was proved: its id, and its owner's signature.
    pub ok: bool,
    /// Why it was not: a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Some items of a bundle, read, and the claims of their signatures.
struct Part {
    items: Vec<(Id, Result<DataItem>)>,
    claims: Vec<SignatureClaim>,
}

impl Part {
    /// The next items; `None` at the end.
    fn read(entries: &mut &[(Id, &[u8])]) -> Option<Self> {
        let mut bytes = 0_usize;
        let fits = |(_, item): &&(Id, &[u8])| {
            let before = bytes;
            bytes = bytes.saturating_add(item.len());
            before < STEP_BYTES
        };
        let count = entries.iter().take(STEP_ITEMS).take_while(fits).count();
        let (part, rest) = entries.split_at(count);
        *entries = rest;
        let items: Vec<_> = part.iter().map(|(id, bytes)| (*id, DataItem::parse(bytes))).collect();
        let claims =
            items.iter().filter_map(|(_, item)| item.as_ref().ok()).flat_map(claims_of_item).collect();
        (count > 0).then_some(Self { items, claims })
    }
}

impl<S: Store, F: Fetch, C: Clock> Node<S, F, C> {
    /// Proves every item of a bundle by itself, in order. Bundles inside are not opened. An item that is refused does
    /// not end it. `proceed` is told how many were done; false ends it there.
    ///
    /// Errors: `bundle-malformed`, `too-large` for a bundle whose items cannot be told apart.
    pub async fn verify_bundle(
        &self,
        bytes: &[u8],
        proceed: impl Fn(usize) -> bool,
    ) -> Result<Vec<ItemVerdict>> {
        let entries = bundle::entries(bytes)?;
        let mut rest = entries.as_slice();
        let mut verdicts = Vec::with_capacity(entries.len());
        let mut next = Part::read(&mut rest);
        while let Some(part) = next.take() {
            // The platform's threads check this part while the next one is read and hashed here.
            let reading = async { Part::read(&mut rest) };
            let (vouched, read) = join(vouch(&*self.signatures, &part.claims), reading).await;
            vouched.during(|| verdicts.extend(part.items.into_iter().map(verdict)));
            self.clock.breathe().await;
            if !proceed(verdicts.len()) {
                break;
            }
            next = read;
        }
        Ok(verdicts)
    }
}

fn verdict((id, item): (Id, Result<DataItem>)) -> ItemVerdict {
    let proved = item.and_then(|item| weft_verify::item(Untrusted::new(item, "the bundle"), Some(id)));
    let error: Option<Error> = proved.err();
    ItemVerdict {
        id,
        ok: error.is_none(),
        code: error.as_ref().map(|error| error.code().as_str()),
        message: error.map(|error| error.sentence().to_owned()),
    }
}
