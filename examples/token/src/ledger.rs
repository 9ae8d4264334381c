//! Who holds how much.

use std::collections::BTreeMap;

/// Balances by address. None is ever negative, and their sum is always the supply.
#[derive(Default)]
pub(crate) struct Ledger {
    balances: BTreeMap<String, u128>,
    supply: u128,
}

impl Ledger {
    pub(crate) fn supply(&self) -> u128 {
        self.supply
    }

    pub(crate) fn balance(&self, account: &str) -> u128 {
        self.balances.get(account).copied().unwrap_or(0)
    }

    /// Makes new units. The supply stays below 2^128.
    pub(crate) fn mint(&mut self, to: &str, quantity: u128) -> Result<(), String> {
        let supply = self.supply.checked_add(quantity);
        self.supply = supply.ok_or("The supply would be larger than a token can have.")?;
        // No balance is above the supply, so this sum fits as well.
        *self.balances.entry(to.to_owned()).or_default() += quantity;
        Ok(())
    }

    /// Moves units from one holder to another.
    pub(crate) fn transfer(&mut self, from: &str, to: &str, quantity: u128) -> Result<(), String> {
        let balance = self.balance(from);
        let rest = balance
            .checked_sub(quantity)
            .ok_or_else(|| format!("The balance of {from} is {balance}, less than {quantity}."))?;
        if rest == 0 {
            self.balances.remove(from);
        } else {
            self.balances.insert(from.to_owned(), rest);
        }
        *self.balances.entry(to.to_owned()).or_default() += quantity;
        Ok(())
    }

    /// All balances as a JSON object of decimal texts, ordered by address.
    pub(crate) fn to_json(&self) -> String {
        let texts: BTreeMap<&str, String> =
            self.balances.iter().map(|(account, balance)| (account.as_str(), balance.to_string())).collect();
        serde_json::to_string(&texts).unwrap_or_default()
    }
}
