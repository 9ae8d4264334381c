//! A token as an AO process.
//!
//! [`Token::answer`] is the whole program: a message comes in as JSON, an answer goes out as JSON. The state is the
//! [`Token`] itself, which lives in the module's memory between messages.

#[cfg(target_arch = "wasm32")]
mod abi;
mod ledger;
mod message;

use ledger::Ledger;
use message::{Answer, Env, Message, Outgoing};

/// The state of the process.
#[derive(Default)]
pub struct Token {
    ledger: Ledger,
    /// Number of the last message that was sent.
    reference: u64,
}

/// What a handler gives: text to show, and messages to send.
type Handled = Result<(String, Vec<Outgoing>), String>;

impl Token {
    /// Evaluates one message; both texts are the JSON that ao-loader gives a module.
    pub fn answer(&mut self, message: &str, env: &str) -> String {
        let handled = serde_json::from_str::<Message>(message)
            .map_err(|error| format!("The message is not one of AO: {error}."))
            .and_then(|message| {
                let env: Env = serde_json::from_str(env)
                    .map_err(|error| format!("The environment is not one of AO: {error}."))?;
                self.handle(&message, &env)
            });
        Answer::of(handled, &mut self.reference).to_json()
    }

    fn handle(&mut self, message: &Message, env: &Env) -> Handled {
        if message.tag("Type") == Some("Process") {
            return self.spawn(message, env);
        }
        match message.tag("Action").unwrap_or_default() {
            "Info" => Ok(self.info(message, env)),
            "Balance" => Ok(self.balance(message)),
            "Balances" => Ok(self.balances(message)),
            "Total-Supply" => Ok(self.total_supply(message)),
            "Transfer" => self.transfer(message),
            "Mint" => self.mint(message, env),
            other => {
                Ok((format!("The action “{other}” is not one of a token; nothing was done."), Vec::new()))
            }
        }
    }

    /// The process's own message. Its tag `Initial-Supply`, if there is one, goes to the owner.
    fn spawn(&mut self, message: &Message, env: &Env) -> Handled {
        let Some(supply) = message.tag("Initial-Supply") else {
            return Ok(("The token has no supply yet; its owner can mint.".to_owned(), Vec::new()));
        };
        let supply = amount(supply)?;
        self.ledger.mint(&env.process.owner, supply)?;
        Ok((format!("The token begins with {supply} units, held by its owner."), Vec::new()))
    }

    fn info(&self, message: &Message, env: &Env) -> (String, Vec<Outgoing>) {
        let reply = Outgoing::to(message.sender(), "Info")
            .tag("Name", env.process.tag("Name").unwrap_or("Token"))
            .tag("Ticker", env.process.tag("Ticker").unwrap_or("TKN"))
            .tag("Denomination", env.process.tag("Denomination").unwrap_or("0"))
            .tag("Total-Supply", &self.ledger.supply().to_string());
        (String::new(), vec![reply])
    }

    fn balance(&self, message: &Message) -> (String, Vec<Outgoing>) {
        let account = message.tag("Recipient").or(message.tag("Target")).unwrap_or(message.sender());
        let balance = self.ledger.balance(account).to_string();
        let reply = Outgoing::to(message.sender(), "Balance")
            .tag("Account", account)
            .tag("Balance", &balance)
            .data(&balance);
        (balance, vec![reply])
    }

    fn balances(&self, message: &Message) -> (String, Vec<Outgoing>) {
        let all = self.ledger.to_json();
        let reply = Outgoing::to(message.sender(), "Balances").data(&all);
        (all, vec![reply])
    }

    fn total_supply(&self, message: &Message) -> (String, Vec<Outgoing>) {
        let supply = self.ledger.supply().to_string();
        let reply = Outgoing::to(message.sender(), "Total-Supply").data(&supply);
        (supply, vec![reply])
    }

    fn transfer(&mut self, message: &Message) -> Handled {
        let from = message.sender();
        let to = message.tag("Recipient").unwrap_or_default();
        if to.is_empty() {
            return Err("A transfer needs the tag Recipient.".to_owned());
        }
        let quantity = amount(message.tag("Quantity").unwrap_or_default())?;
        if quantity == 0 {
            return Err("A transfer of nothing is not a transfer.".to_owned());
        }
        self.ledger.transfer(from, to, quantity)?;
        let text = quantity.to_string();
        let debit = Outgoing::to(from, "Debit-Notice").tag("Recipient", to).tag("Quantity", &text);
        let credit = Outgoing::to(to, "Credit-Notice").tag("Sender", from).tag("Quantity", &text);
        let shown = format!("{from} sent {quantity} to {to}.");
        // With `Cast`, nobody is told.
        Ok((shown, if message.tag("Cast").is_some() { Vec::new() } else { vec![debit, credit] }))
    }

    fn mint(&mut self, message: &Message, env: &Env) -> Handled {
        if message.sender() != env.process.owner {
            return Err("Only the owner of the process may mint.".to_owned());
        }
        let to = message.tag("Recipient").unwrap_or(message.sender()).to_owned();
        let quantity = amount(message.tag("Quantity").unwrap_or_default())?;
        self.ledger.mint(&to, quantity)?;
        let text = quantity.to_string();
        let notice = Outgoing::to(&to, "Credit-Notice").tag("Sender", &env.process.id).tag("Quantity", &text);
        Ok((format!("{quantity} units were minted for {to}."), vec![notice]))
    }
}

/// An amount: decimal digits, no sign, no point.
fn amount(text: &str) -> Result<u128, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number.ok_or_else(|| "An amount is a whole number below 2^128, in decimal digits.".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ENV: &str = r#"{"Process":{"Id":"PID","Owner":"ALICE","Tags":[{"name":"Name","value":"Points"},{"name":"Ticker","value":"PNT"}]}}"#;

    fn send(token: &mut Token, from: &str, tags: &[(&str, &str)]) -> Value {
        let tags: Vec<Value> =
            tags.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let message =
            json!({"Id": "M", "From": from, "Owner": from, "Target": "PID", "Data": "", "Tags": tags});
        let answer: Value = serde_json::from_str(&token.answer(&message.to_string(), ENV)).unwrap();
        assert_eq!(answer["ok"], true);
        answer["response"].clone()
    }

    fn spawned() -> Token {
        let mut token = Token::default();
        let answer = send(&mut token, "ALICE", &[("Type", "Process"), ("Initial-Supply", "1000")]);
        assert_eq!(answer["Error"], Value::Null);
        token
    }

    fn tag<'a>(message: &'a Value, name: &str) -> Option<&'a str> {
        let tags = message["Tags"].as_array()?;
        tags.iter().find(|tag| tag["name"] == name).and_then(|tag| tag["value"].as_str())
    }

    #[test]
    fn a_transfer_moves_the_amount_and_tells_both() {
        let mut token = spawned();
        let answer =
            send(&mut token, "ALICE", &[("Action", "Transfer"), ("Recipient", "BOB"), ("Quantity", "300")]);
        let messages = answer["Messages"].as_array().unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(
            (messages[0]["Target"].as_str(), tag(&messages[0], "Action")),
            (Some("ALICE"), Some("Debit-Notice"))
        );
        assert_eq!(
            (messages[1]["Target"].as_str(), tag(&messages[1], "Action")),
            (Some("BOB"), Some("Credit-Notice"))
        );
        assert_eq!(tag(&messages[1], "Quantity"), Some("300"));
        assert_eq!((tag(&messages[0], "Reference"), tag(&messages[1], "Reference")), (Some("1"), Some("2")));
        let balances = send(&mut token, "EVE", &[("Action", "Balances")]);
        assert_eq!(balances["Messages"][0]["Data"], r#"{"ALICE":"700","BOB":"300"}"#);
    }

    #[test]
    fn what_cannot_be_paid_is_an_error_and_changes_nothing() {
        let mut token = spawned();
        let cases = [
            (vec![("Action", "Transfer"), ("Recipient", "BOB"), ("Quantity", "1001")], "balance"),
            (vec![("Action", "Transfer"), ("Recipient", "BOB"), ("Quantity", "0")], "nothing"),
            (vec![("Action", "Transfer"), ("Recipient", "BOB"), ("Quantity", "-1")], "amount"),
            (vec![("Action", "Transfer"), ("Recipient", "BOB"), ("Quantity", "1.5")], "amount"),
            (vec![("Action", "Transfer"), ("Recipient", "BOB")], "amount"),
            (vec![("Action", "Transfer"), ("Quantity", "1")], "Recipient"),
            (vec![("Action", "Mint"), ("Quantity", "340282366920938463463374607431768211455")], "supply"),
            (vec![("Action", "Mint"), ("Quantity", "340282366920938463463374607431768211456")], "amount"),
        ];
        for (tags, word) in cases {
            let answer = send(&mut token, "ALICE", &tags);
            let error = answer["Error"].as_str().unwrap_or_default();
            assert!(error.contains(word), "{tags:?}: {error}");
            assert_eq!(answer["Messages"], json!([]));
        }
        assert_eq!(send(&mut token, "ALICE", &[("Action", "Balance")])["Output"]["data"], "1000");
    }

    #[test]
    fn only_the_owner_mints() {
        let mut token = spawned();
        assert!(send(&mut token, "EVE", &[("Action", "Mint"), ("Quantity", "5")])["Error"].is_string());
        let minted =
            send(&mut token, "ALICE", &[("Action", "Mint"), ("Quantity", "5"), ("Recipient", "BOB")]);
        assert_eq!(minted["Messages"][0]["Target"], "BOB");
        assert_eq!(send(&mut token, "EVE", &[("Action", "Total-Supply")])["Output"]["data"], "1005");
    }

    #[test]
    fn a_transfer_to_oneself_keeps_the_balance() {
        let mut token = spawned();
        let tags = [("Action", "Transfer"), ("Recipient", "ALICE"), ("Quantity", "1000")];
        assert_eq!(send(&mut token, "ALICE", &tags)["Error"], Value::Null);
        assert_eq!(send(&mut token, "ALICE", &[("Action", "Balance")])["Output"]["data"], "1000");
    }

    #[test]
    fn info_names_the_token() {
        let mut token = spawned();
        let answer = send(&mut token, "EVE", &[("Action", "Info")]);
        let info = &answer["Messages"][0];
        assert_eq!((tag(info, "Name"), tag(info, "Ticker")), (Some("Points"), Some("PNT")));
        assert_eq!((tag(info, "Denomination"), tag(info, "Total-Supply")), (Some("0"), Some("1000")));
    }

    #[test]
    fn what_is_not_a_message_is_an_error() {
        let mut token = spawned();
        for (message, env) in [("", ENV), ("5", ENV), ("{}", "{}"), ("{\"Tags\": 5}", ENV)] {
            let answer: Value = serde_json::from_str(&token.answer(message, env)).unwrap();
            assert!(answer["response"]["Error"].is_string(), "{message}: {answer}");
        }
        assert_eq!(send(&mut token, "EVE", &[("Action", "Dance")])["Error"], Value::Null);
    }
}
