//! Signs answers with the node's key, as a HyperBEAM node does (HyperBEAM `dev_meta.erl` `maybe_sign/2`; reference ao-core.md §4.2): who
//! got one can show what this node said. What somebody else signed already is left as it is, and pages for a person are not signed.
//!
//! The same answer has the same base, and is signed once: a signature takes longer than most reads.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use weft_codec::message::{Commitment, Node, Tabm, to_sign};
use weft_codec::{Id, Result};

use super::reply::Prepared;
use super::request::Codec;
use super::{GENERATION, Home};
use crate::seams::Signer;

/// Signatures that are held; each has 512 bytes.
const MAX_HELD: usize = 2_000;

/// The signatures that were made last, by what they are over.
#[derive(Debug, Default)]
pub(crate) struct Signatures(RefCell<Held>);

#[derive(Debug, Default)]
struct Held {
    by_base: BTreeMap<Id, Vec<u8>>,
    order: VecDeque<Id>,
}

impl Signatures {
    /// The signature over a base: that of before, or a new one.
    pub(crate) async fn sign<G: Signer>(&self, signer: &G, base: &[u8]) -> Result<Vec<u8>> {
        let id = Id::sha256(base);
        let known = self.0.borrow().by_base.get(&id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let signature = signer.sign_sha512(base).await?;
        let held = &mut *self.0.borrow_mut();
        if held.by_base.insert(id, signature.clone()).is_none() {
            held.order.push_back(id);
        }
        if held.order.len() > MAX_HELD
            && let Some(oldest) = held.order.pop_front()
        {
            held.by_base.remove(&oldest);
        }
        Ok(signature)
    }
}

/// Signs an answer, if the place has a key. One that it cannot sign says so in `ao-not-signed`.
pub(super) async fn sign<H: Home>(home: &H, prepared: &mut Prepared) -> Result<()> {
    if prepared.codec == Codec::Page || is_signed(&prepared.tabm)? {
        return Ok(());
    }
    let Some(owner) = home.owner() else { return Ok(()) };
    let keyid = Commitment::keyid_of(&owner, GENERATION);
    let (mut commitment, base) =
        to_sign(&prepared.tabm, None, Commitment::RSA, &keyid, prepared.bundle, GENERATION)?;
    match home.sign(&base).await {
        Ok(signature) => commitment.signature = signature,
        Err(error) => {
            prepared.not_signed = Some(error.code().as_str());
            return Ok(());
        }
    }
    let mut commitments = match prepared.tabm.remove("commitments") {
        Some(Node::Map(commitments)) => commitments,
        _ => Tabm::new(),
    };
    commitments.set(commitment.id().to_string(), commitment.to_tabm());
    prepared.tabm.set("commitments", commitments);
    Ok(())
}

/// Whether somebody signed it.
fn is_signed(tabm: &Tabm) -> Result<bool> {
    let Some(Node::Map(commitments)) = tabm.get("commitments") else { return Ok(false) };
    for (_, commitment) in commitments {
        if let Some(map) = commitment.as_map()
            && Commitment::from_tabm(map)?.committer.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt as _;

    use super::*;

    #[derive(Default)]
    struct Counting(Cell<u8>);

    impl Signer for Counting {
        fn owner(&self) -> Vec<u8> {
            vec![1; 512]
        }

        async fn sign(&self, _: &[u8]) -> Result<Vec<u8>> {
            unreachable!("answers are signed with SHA-512")
        }

        async fn sign_sha512(&self, _: &[u8]) -> Result<Vec<u8>> {
            self.0.set(self.0.get().wrapping_add(1));
            Ok(vec![self.0.get(); 512])
        }
    }

    #[test]
    fn the_same_base_is_signed_once_until_it_is_forgotten() {
        let (signatures, signer) = (Signatures::default(), Counting::default());
        let sign =
            |base: &[u8]| signatures.sign(&signer, base).now_or_never().expect("it does not wait").unwrap();
        assert_eq!((sign(b"a"), sign(b"b"), sign(b"a")), (vec![1; 512], vec![2; 512], vec![1; 512]));
        for other in 0..MAX_HELD {
            sign(&other.to_be_bytes());
        }
        assert_eq!(signatures.0.borrow().by_base.len(), MAX_HELD);
        assert_ne!(sign(b"a"), vec![1; 512]);
    }
}
