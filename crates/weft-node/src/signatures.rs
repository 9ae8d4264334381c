//! The seam a node can do without: signatures checked by the platform, many at a time.
//!
//! A browser checks RSA several times faster than this program does, on several threads. What it finds to hold is
//! vouched for and not computed again; what it does not find to hold, it may not know (a salt of another length, a key
//! it does not take), so Rust decides. Both ways give the same verdict.

use futures_util::future::LocalBoxFuture;
use weft_verify::{SignatureClaim, Vouched};

/// Checks signatures beside `weft-verify`. An object, not a type parameter as the other seams are: it is asked once for
/// many claims, and a node has one whether or not it helps.
pub trait Signatures {
    /// For each claim, in order, whether the platform found it to hold.
    ///
    /// `true` must mean what [`SignatureClaim::verify`] means. `false` means nothing: a platform that is missing
    /// altogether answers so. An answer of another length is none.
    fn check<'a>(&'a self, claims: &'a [SignatureClaim]) -> LocalBoxFuture<'a, Vec<bool>>;
}

/// A platform that helps with nothing: every signature is checked in Rust.
#[derive(Clone, Copy, Debug, Default)]
pub struct InRust;

impl Signatures for InRust {
    fn check<'a>(&'a self, claims: &'a [SignatureClaim]) -> LocalBoxFuture<'a, Vec<bool>> {
        Box::pin(std::future::ready(vec![false; claims.len()]))
    }
}

/// What the platform finds to hold of some claims.
pub(crate) async fn vouch(signatures: &dyn Signatures, claims: &[SignatureClaim]) -> Vouched {
    let mut vouched = Vouched::new();
    let verdicts = signatures.check(claims).await;
    if verdicts.len() == claims.len() {
        for (claim, _) in claims.iter().zip(verdicts).filter(|(_, holds)| *holds) {
            vouched.add(claim);
        }
    }
    vouched
}
