//! Resolves a request. The resolver never waits: it ends where something is needed that is not there yet, which is obtained
//! and remembered, and then it starts again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use weft_codec::message::Value;
use weft_codec::{Code, Error, Id, Result};
use weft_core::aocore::{Answer, Core, Host, Need, Store};

use super::home::Given;
use super::request::Asked;
use super::{GENERATION, Home};
use crate::net::{Handled, Refusal};

/// The most things a request may need.
const MAX_ROUNDS: usize = 256;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Ended {
    /// The resolver's error.
    Error(Error),
    /// The place refused what was needed.
    Refused(Refusal),
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What is missing.
#[derive(Clone, Debug)]
enum Missing {
    Message(Id),
    Need(Need),
}

/// What was obtained so far, and what was found missing first.
#[derive(Default)]
struct Memo {
    messages: RefCell<BTreeMap<Id, Option<Value>>>,
    needs: RefCell<Vec<(Need, Answer)>>,
    missing: RefCell<Option<Missing>>,
}

impl Memo {
    fn miss(&self, what: Missing) -> Error {
        self.missing.borrow_mut().get_or_insert(what);
        Error::new(Code::NotFound, "What the request needs is not here yet.")
    }

    async fn obtain<H: Home>(&self, home: &H, what: Missing, given: Given<'_>) -> Handled<()> {
        match what {
            Missing::Message(id) => {
                let value = home.load(id).await?;
                self.messages.borrow_mut().insert(id, value);
            }
            Missing::Need(need) => {
                let answer = home.meet(&need, given).await?;
                self.needs.borrow_mut().push((need, answer));
            }
        }
        Ok(())
    }
}

impl Store for Memo {
    fn load(&self, id: Id) -> Result<Option<Value>> {
        let known = self.messages.borrow().get(&id).cloned();
        known.ok_or_else(|| self.miss(Missing::Message(id)))
    }
}

impl Host for Memo {
    fn ask(&self, need: &Need) -> Result<Answer> {
        let known =
            self.needs.borrow().iter().find(|(known, _)| known == need).map(|(_, answer)| answer.clone());
        known.ok_or_else(|| self.miss(Missing::Need(need.clone())))
    }
}

/// The result of a request.
pub(super) async fn resolve<H: Home>(home: &H, asked: &Asked) -> std::result::Result<Answer, Ended> {
    let given = Given { item: asked.item.as_ref(), only_cached: asked.only_cached };
    let (memo, devices) = (Memo::default(), home.devices());
    for _ in 0..MAX_ROUNDS {
        let core = Core::new(&devices, GENERATION).with_store(&memo).with_host(&memo);
        let result = core.request(&asked.message);
        let Some(missing) = memo.missing.borrow_mut().take() else { return result.map_err(Ended::Error) };
        memo.obtain(home, missing, given).await?;
    }
    let what = format!("The request needs more than {MAX_ROUNDS} messages and states.");
    Err(Ended::Error(Error::new(Code::ResolveLimit, what)))
}
