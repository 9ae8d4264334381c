//! The seam `Signatures` over WebCrypto. The worker's JavaScript (`web/js/signatures.ts`) spreads the work over threads;
//! here claims become bytes and its answer becomes verdicts.

use futures_util::future::LocalBoxFuture;
use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use weft_node::signatures::Signatures;
use weft_verify::{Scheme, SignatureClaim};

/// Keys WebCrypto is asked about, in bytes. Of smaller and larger ones browsers think differently.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 128..=1024;

#[wasm_bindgen]
extern "C" {
    /// A function that is lent bytes: it has to have copied what it keeps of them when it returns.
    type Check;

    #[wasm_bindgen(method, catch)]
    fn call(this: &Check, receiver: &JsValue, packed: &[u8]) -> Result<JsValue, JsValue>;
}

/// WebCrypto, as the worker's JavaScript reaches it.
pub struct WebCrypto {
    /// `(packed: Uint8Array) => Promise<Uint8Array>`: one byte a claim, 1 if it holds. The packed bytes are a view of this
    /// memory, good until the function returns.
    check: Function,
}

impl WebCrypto {
    /// Over a function of the worker.
    #[must_use]
    pub fn new(check: Function) -> Self {
        Self { check }
    }

    /// The verdicts on claims that are packed.
    async fn ask(&self, packed: &[u8]) -> Result<Vec<u8>, JsValue> {
        let promise: Promise =
            self.check.unchecked_ref::<Check>().call(&JsValue::NULL, packed)?.dyn_into()?;
        let verdicts: Uint8Array = JsFuture::from(promise).await?.dyn_into()?;
        Ok(verdicts.to_vec())
    }
}

impl Signatures for WebCrypto {
    fn check<'a>(&'a self, claims: &'a [SignatureClaim]) -> LocalBoxFuture<'a, Vec<bool>> {
        Box::pin(async move {
            let asked: Vec<bool> = claims.iter().map(is_for_webcrypto).collect();
            let mut packed = Vec::new();
            for claim in claims.iter().filter(|claim| is_for_webcrypto(claim)) {
                pack(claim, &mut packed);
            }
            if packed.is_empty() {
                return vec![false; claims.len()];
            }
            // A browser that fails here has found nothing to hold.
            let mut verdicts = self.ask(&packed).await.unwrap_or_default().into_iter();
            asked.into_iter().map(|asked| asked && verdicts.next() == Some(1)).collect()
        })
    }
}

/// RSA alone: of Ed25519, browsers take different rules at its edges.
///
/// The key fills its bytes and the signature has its length, as Rust demands: so what the browser finds to hold, Rust
/// would too.
fn is_for_webcrypto(claim: &SignatureClaim) -> bool {
    matches!(claim.scheme, Scheme::RsaPssSha256 | Scheme::RsaPssSha512)
        && KEY_BYTES.contains(&claim.key.len())
        && claim.key.first().is_some_and(|first| *first != 0)
        && claim.signature.len() == claim.key.len()
}

/// One claim: its hash (0: SHA-256, 1: SHA-512), the lengths of key and message (32 bits, little-endian), key, message,
/// signature (as long as the key).
fn pack(claim: &SignatureClaim, packed: &mut Vec<u8>) {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    packed.push(u8::from(claim.scheme == Scheme::RsaPssSha512));
    packed.extend_from_slice(&length(&claim.key));
    packed.extend_from_slice(&length(&claim.message));
    packed.extend_from_slice(&claim.key);
    packed.extend_from_slice(&claim.message);
    packed.extend_from_slice(&claim.signature);
}
