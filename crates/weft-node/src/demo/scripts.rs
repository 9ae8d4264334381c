//! What is sent to the demo's tokens. At [`super::FORGED_SLOT`] both have a transfer of 60, which the tampering speaks of.

/// Who sends a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    Alice,
    Bob,
}

use Who::{Alice, Bob};

/// What is sent: `(tag, value)`; `@NAME` stands for an address.
pub(super) type Script = &'static [(Who, &'static [(&'static str, &'static str)])];

/// The history of the token in Rust, after the process. Slots are one more than the place in this list.
pub(super) const RUST: Script = &[
    (Alice, &[("Action", "Info")]),
    (Alice, &[("Action", "Mint"), ("Quantity", "1000000")]),
    (Alice, &[("Action", "Balance")]),
    (Bob, &[("Action", "Balance")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "2500")]),
    (Bob, &[("Action", "Balance")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "125")]),
    // Fails: only the owner mints.
    (Bob, &[("Action", "Mint"), ("Quantity", "999999")]),
    (Alice, &[("Action", "Balances")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "40000")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "375")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "60")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "1000")]),
    // Fails: more than Bob has.
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "5000000")]),
    (Bob, &[("Action", "Balance")]),
    (Alice, &[("Action", "Mint"), ("Quantity", "500000")]),
    (Alice, &[("Action", "Info")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "7")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "1")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "2")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "4")]),
    // Fails: no number.
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "many")]),
    (Alice, &[("Action", "Balance"), ("Recipient", "@bob")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "250000")]),
    (Bob, &[("Action", "Balance")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "99999")]),
    (Alice, &[("Action", "Balances")]),
    // Fails: it names nobody to receive it.
    (Alice, &[("Action", "Transfer"), ("Quantity", "10")]),
    (Alice, &[("Action", "Balance")]),
    (Bob, &[("Action", "Info")]),
];

/// The history of the token in Lua.
pub(super) const LUA: Script = &[
    (Alice, &[("Action", "Mint"), ("Quantity", "21000000000000000000")]),
    (Alice, &[("Action", "Info")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "5000000000000000000")]),
    (Bob, &[("Action", "Balance")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@carol"), ("Quantity", "1250000000000000000")]),
    // Fails: only the owner mints.
    (Bob, &[("Action", "Mint"), ("Quantity", "1")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@dave"), ("Quantity", "3141592653589793238")]),
    (Alice, &[("Action", "Balances")]),
    // Fails: more than Bob has, by one.
    (Bob, &[("Action", "Transfer"), ("Recipient", "@carol"), ("Quantity", "3750000000000000001")]),
    // Asks the clock of whoever computes it: not replayable.
    (Bob, &[("Action", "Time")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "1")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@bob"), ("Quantity", "60")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@dave"), ("Quantity", "999")]),
    // Fails: no whole number.
    (Bob, &[("Action", "Transfer"), ("Recipient", "@alice"), ("Quantity", "1.5")]),
    (Alice, &[("Action", "Balance"), ("Recipient", "@carol")]),
    (Alice, &[("Action", "Mint"), ("Quantity", "9007199254740993")]),
    (Alice, &[("Action", "Transfer"), ("Recipient", "@carol"), ("Quantity", "9007199254740993")]),
    // Fails: nothing answers to it.
    (Bob, &[("Action", "Burn"), ("Quantity", "1")]),
    // Fails: it names nobody to receive it.
    (Alice, &[("Action", "Transfer"), ("Quantity", "10")]),
    (Bob, &[("Action", "Transfer"), ("Recipient", "@erin"), ("Quantity", "250000000000000000")]),
    (Alice, &[("Action", "Balances")]),
    (Bob, &[("Action", "Info")]),
];
