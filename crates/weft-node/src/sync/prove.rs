//! From an entry as a scheduler prints it to a verified one, with the help of gateways where its page cannot
//! prove it.

use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Id, Result, graphql_item};
use weft_verify::{Entry, HistoryEntry, Untrusted, Verified};

use super::{Fault, Run};
use crate::event::Observer;
use crate::gateway::{self, Found};
use crate::reach::Stop;
use crate::scheduler;
use crate::seams::{Clock, Fetch, Store};

impl<'a, S: Store, F: Fetch, C: Clock, O: Observer> Run<'a, S, F, C, O> {
    /// Proves the next entry. A page prints text: of a message that is not UTF-8 something is lost, and of an
    /// Assign only the id is there. Both are made whole from a gateway.
    pub(super) async fn prove(
        &mut self,
        assignment: DataItem,
        message: Option<DataItem>,
        lossy: bool,
        url: &str,
    ) -> Result<Verified<Entry>, Fault> {
        let message = match message {
            Some(message) => Some(message),
            None => self.assigned_message(&assignment).await?,
        };
        let entry = HistoryEntry { assignment, message };
        let Some(message) = entry.message.clone() else {
            return self.next(Untrusted::new(entry, url)).map_err(Fault::Source);
        };
        let error = match self.next(Untrusted::new(entry.clone(), url)) {
            Ok(verified) => return Ok(verified),
            Err(error) => error,
        };
        let order = self.verifier.clone().next_assignment(Untrusted::new(entry.assignment.clone(), url));
        if error.code() != Code::SignatureInvalid || order.is_err() {
            return Err(Fault::Source(error));
        }
        // The assignment stands, the message does not: it was printed lossily, or falsely.
        self.mended(entry.assignment, &message, error, lossy, url).await
    }

    /// Proves the next entry; what the platform has vouched for is not computed again.
    fn next(&mut self, entry: Untrusted<HistoryEntry>) -> Result<Verified<Entry>> {
        let (vouched, verifier) = (&self.vouched, &mut self.verifier);
        vouched.during(|| verifier.next(entry))
    }

    /// The same entry with its message in the other form writers use, or as a gateway has it.
    async fn mended(
        &mut self,
        assignment: DataItem,
        message: &DataItem,
        error: Error,
        lossy: bool,
        url: &str,
    ) -> Result<Verified<Entry>, Fault> {
        for form in graphql_item::tag_forms(message).into_iter().skip(1) {
            let entry = HistoryEntry { assignment: assignment.clone(), message: Some(form) };
            if let Ok(verified) = self.verifier.next(Untrusted::new(entry, url)) {
                return Ok(verified);
            }
        }
        match self.message_from_gateways(message.id()).await {
            Ok((gateway, message)) => {
                if !lossy {
                    self.reach.report(url, &error);
                }
                let entry = HistoryEntry { assignment, message: Some(message) };
                let source = format!("{url} and {gateway}");
                self.verifier.next(Untrusted::new(entry, source)).map_err(Fault::Source)
            }
            Err(Stop::Ours(error)) => Err(Fault::Ours(error)),
            Err(Stop::Sources(_)) => Err(Fault::Source(error)),
        }
    }

    /// The message that an assignment names, for an entry printed without it: the process itself, a message of
    /// this history, or one from a gateway.
    async fn assigned_message(&self, assignment: &DataItem) -> Result<Option<DataItem>, Fault> {
        let id = match assignment.tags.tag("Message").map(str::parse::<Id>) {
            Some(Ok(id)) if id != self.process.id => id,
            // Nothing to fetch: the process is at hand, and a name that is none is refused by the verifier.
            _ => return Ok(None),
        };
        if let Some(message) = self.message_at_hand(id).await.map_err(Fault::Ours)? {
            return Ok(Some(message));
        }
        let slot = scheduler::slot_of(assignment);
        match self.message_from_gateways(id).await {
            Ok((_, message)) => Ok(Some(message)),
            Err(Stop::Ours(error)) => Err(Fault::Ours(error)),
            Err(Stop::Sources(failures)) => {
                let error = failures.into_error(&format!("the message {id} assigned at slot {slot}"));
                let code = match error.code() {
                    Code::NotFound | Code::NoSource => Code::MessageMissing,
                    other => other,
                };
                let missing = Error::new(code, error.sentence()).with_fields_of(&error);
                let missing = missing.with("subject", "message").with("id", id).with("slot", slot);
                Err(Fault::Source(missing.because(error)))
            }
        }
    }

    async fn message_at_hand(&self, id: Id) -> Result<Option<DataItem>> {
        let process = self.process.id;
        let Some(slot) = self.archive.slot_of(&self.pending.batch, process, id).await? else {
            return Ok(None);
        };
        Ok(self.archive.slot(&self.pending.batch, process, slot).await?.and_then(|entry| entry.message))
    }

    async fn message_from_gateways(&self, id: Id) -> Result<(String, DataItem), Stop> {
        let from_gateway = async |url: &str| match gateway::fetch(self.reach, url, id).await? {
            Found::Item(item) => Ok((url.to_owned(), item.into_parts().0)),
            Found::Transaction(_) => Err(Error::new(
                Code::MessageMissing,
                format!("{id} is a layer-1 transaction; assigned transactions are not replayed yet."),
            )),
        };
        self.reach.first_of(&self.sources.gateways, from_gateway).await
    }
}
