//! The contract of the seam `Signatures` over WebCrypto, for the end-to-end test in Chromium, which has the page's own
//! JavaScript at hand.
#![cfg(target_arch = "wasm32")]

use js_sys::Function;
use wasm_bindgen::prelude::wasm_bindgen;
use weft_tests::contracts;
use weft_web::WebCrypto;

/// Runs the contract over `check`, which takes packed claims. Returns how many claims there were, how many of them hold,
/// and how many of those `check` found. Panics if the contract is broken.
#[wasm_bindgen(js_name = keepsContract)]
pub async fn keeps_contract(check: Function, knows_rsa: bool) -> Vec<usize> {
    let signatures = WebCrypto::new(check);
    if knows_rsa {
        contracts::signatures::finds_rsa(&signatures).await;
    }
    let verdicts = contracts::signatures::holds(&signatures).await;
    vec![verdicts.claims, verdicts.hold, verdicts.found]
}
