//! Many data items at once: a whole bundle proved, with the platform's help.

use std::ops::Range;

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
const STEP_BYTES: usize = 1 << 20;

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

/// A bundle, wherever it is: it is read piece by piece, so that it need not be copied as a whole.
pub trait BundleBytes {
    /// Its length.
    fn size(&self) -> usize;

    /// Some of its bytes, all of them in it.
    fn read(&self, range: Range<usize>) -> Vec<u8>;
}

impl BundleBytes for [u8] {
    fn size(&self) -> usize {
        self.len()
    }

    fn read(&self, range: Range<usize>) -> Vec<u8> {
        self.get(range).unwrap_or_default().to_vec()
    }
}

/// Where the items of a bundle are.
fn places(bundle: &(impl BundleBytes + ?Sized)) -> Result<Vec<(Id, Range<usize>)>> {
    let size = bundle.size();
    let header = bundle::header_bytes(&bundle.read(0..size.min(32)))?;
    bundle::places(&bundle.read(0..header.min(size)), size)
}

/// Some items of a bundle, read, and the claims of their signatures.
struct Part {
    items: Vec<(Id, Result<DataItem>)>,
    claims: Vec<SignatureClaim>,
}

impl Part {
    /// The next items; `None` at the end.
    fn read(bundle: &(impl BundleBytes + ?Sized), places: &mut &[(Id, Range<usize>)]) -> Option<Self> {
        let start = places.first()?.1.start;
        // One at least, however long it is.
        let fits = |(index, (_, place)): &(usize, &(Id, Range<usize>))| {
            *index == 0 || (*index < STEP_ITEMS && place.end - start <= STEP_BYTES)
        };
        let count = places.iter().enumerate().take_while(fits).count();
        let (part, rest) = places.split_at(count);
        *places = rest;
        let bytes = bundle.read(start..part.last()?.1.end);
        let item =
            |place: &Range<usize>| bytes.get(place.start - start..place.end - start).unwrap_or_default();
        let items: Vec<_> = part.iter().map(|(id, place)| (*id, DataItem::parse(item(place)))).collect();
        let claims =
            items.iter().filter_map(|(_, item)| item.as_ref().ok()).flat_map(claims_of_item).collect();
        Some(Self { items, claims })
    }
}

impl<S: Store, F: Fetch, C: Clock> Node<S, F, C> {
    /// Proves every item of a bundle by itself, in order. Bundles inside are not opened. An item that is refused does
    /// not end it. `proceed` is told how many were done; false ends it there.
    ///
    /// Errors: `bundle-malformed`, `too-large` for a bundle whose items cannot be told apart.
    pub async fn verify_bundle(
        &self,
        bundle: &(impl BundleBytes + ?Sized),
        proceed: impl Fn(usize) -> bool,
    ) -> Result<Vec<ItemVerdict>> {
        let places = places(bundle)?;
        let mut rest = places.as_slice();
        let mut verdicts = Vec::with_capacity(places.len());
        let mut next = Part::read(bundle, &mut rest);
        while let Some(part) = next.take() {
            // The platform's threads check this part while the next one is read and hashed here.
            let reading = async { Part::read(bundle, &mut rest) };
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
