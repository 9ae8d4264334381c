//! The messenger (scheduler-and-cu-api.md §3, ao-messages.md §2.4; mu `routes/root.js`, `domain/api/*.js`,
//! `domain/lib/{build-tx,spawn-process,build-success-tx,pull-result}.js`).
//!
//! A request is answered once its item has a slot. What its evaluation sends goes into a queue in the store, and
//! [`LocalNet::pump`] works it off job by job, so that a restart goes on where it stopped.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weft_codec::Id;
use weft_codec::item::DataItem;
use weft_codec::tags::{Tag, TagsExt as _};

use super::ledger::{below, encode, padded};
use super::local::LocalNet;
use super::reply::{Handled, Refusal, Reply};
use super::schedule::sign;
use super::target::Target;
use super::write::proved;
use crate::seams::{Batch, Clock, Signer, Store, Table};

/// Messages that send messages that send messages: the longest such chain.
const MAX_DEPTH: u32 = 64;
/// The most messages, spawns and assignments one request causes, however they nest.
const MAX_PUSHED: u32 = 1_000;
/// Jobs read from the queue at a time.
const QUEUE_STEP: usize = 64;

/// What the queue holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    task: Task,
    /// The first item of the chain: `Pushed-For`.
    initial: Id,
    depth: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
enum Task {
    /// Evaluate, and queue what the result sends.
    Pull { process: Id, message: Id, assigns: Vec<String> },
    /// Sign and send an outbox message of `from`.
    Message { message: Value, from: Id },
    /// Spawn a process for `from`.
    Spawn { spawn: Value, from: Id },
    /// Tell `from` that its process is there.
    Spawned { spawn: Value, from: Id, process: Id },
    /// Give `message` a slot in `process`.
    Assign { process: String, message: String, base_layer: bool, exclude: Option<String> },
}

/// Whether the bytes of a job are of this chain.
pub(super) fn is_of_chain(job: &[u8], initial: Id) -> bool {
    serde_json::from_slice::<Job>(job).is_ok_and(|job| job.initial == initial)
}

/// A job that is under way, for as long as this is held.
#[derive(Debug)]
pub struct Claim<'a> {
    claimed: &'a RefCell<BTreeSet<String>>,
    key: String,
    job: Result<Job, String>,
}

impl Claim<'_> {
    /// Whether the job is of this chain.
    pub(super) fn is_of(&self, initial: Id) -> bool {
        self.job.as_ref().is_ok_and(|job| job.initial == initial)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claimed.borrow_mut().remove(&self.key);
    }
}

/// What [`LocalNet::pump`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Pumped {
    /// The queue is empty, or what is in it waits for jobs that are under way.
    Idle,
    /// One job is done.
    Done,
    /// One job failed and is given up, as the messenger gives up what a scheduler refuses: the sentence says why.
    Failed(String),
}

fn failed(sentence: impl Into<String>) -> Refusal {
    Refusal::new(500, sentence)
}

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    pub(super) async fn mu_post(&self, target: &Target, body: &[u8]) -> Handled {
        match target.path().as_slice() {
            [] => match (target.get("process-id"), target.get("assign")) {
                (Some(process), Some(id)) => self.send_assign(process, id, target).await,
                (None, None) => self.send_item(body).await,
                _ => {
                    let sentence =
                        "You must set both process-id and assign to send an assignment, not just one";
                    Err(Refusal::new(400, sentence))
                }
            },
            ["monitor", process] => self.monitor(process, body, true).await,
            _ => Err(super::reader::not_here()),
        }
    }

    async fn send_item(&self, body: &[u8]) -> Handled {
        let refuse = |cause: String| {
            failed(format!("'body': A valid and signed data item must be provided as the body. {cause}"))
        };
        let item = proved(body).map_err(|refusal| refuse(refusal.sentence))?;
        let id = item.id();
        let _turn = self.turn.lock().await;
        self.take_item(item).await?;
        Ok(Reply::json(202, &json!({"message": "Processing DataItem", "id": id})))
    }

    /// Gives a proved item its slot, and puts its evaluation into the queue; the process.
    pub(super) async fn take_item(&self, item: DataItem) -> Handled<Id> {
        check_tags(&item)?;
        let id = item.id();
        let is_process = item.tags.tag("Type") == Some("Process");
        let process = if is_process { Some(id) } else { item.target };
        let Some(process) = process else { return Err(failed("A message needs a target.")) };
        let mut assigns = Vec::new();
        if is_process {
            // A new process with a target is announced there by an Assign of itself.
            assigns.extend(item.target.map(|target| target.to_string()));
        }
        let task = Task::Pull { process, message: id, assigns };
        let batch = self.queued(Batch::default(), vec![Job { task, initial: id, depth: 0 }]).await?;
        // The scheduler's refusal is told as the messenger tells it: status 500, the inner status in the text.
        Ok(self.schedule_item(item, batch).await.map_err(relayed)?.process)
    }

    async fn send_assign(&self, process: &str, id: &str, target: &Target) -> Handled {
        let _turn = self.turn.lock().await;
        let scheduled = self.schedule_assign(process, id, target, Batch::default()).await.map_err(relayed)?;
        let task = Task::Pull { process: scheduled.process, message: scheduled.id, assigns: Vec::new() };
        let job = Job { task, initial: scheduled.id, depth: 0 };
        let batch = self.queued(Batch::default(), vec![job]).await?;
        self.reader.ledger().commit(batch).await?;
        Ok(Reply::json(202, &json!({"message": "Processing Assignment", "id": scheduled.id})))
    }

    /// Monitoring makes a messenger ask for cron results. Crons do not run here, so it is only remembered.
    async fn monitor(&self, process: &str, body: &[u8], on: bool) -> Handled {
        if body.is_empty() {
            return Ok(Reply::text(400, "Signed data item is required"));
        }
        let item = proved(body)?;
        let process: Id = process.parse().map_err(|_| Refusal::new(404, "This is no process id."))?;
        let mut batch = Batch::default();
        let key = format!("monitor/{process}");
        if on {
            batch.put(Table::Settings, key, encode(&item.owner_address())?);
        } else {
            batch.delete(Table::Settings, key);
        }
        self.reader.ledger().commit(batch).await?;
        Ok(Reply::text(200, if on { "Monitoring process" } else { "Process deleted" }))
    }

    pub(super) async fn mu_delete(&self, target: &Target, body: &[u8]) -> Handled {
        match target.path().as_slice() {
            ["monitor", process] => self.monitor(process, body, false).await,
            _ => Err(super::reader::not_here()),
        }
    }

    /// Adds jobs to a batch, at the end of the queue.
    async fn queued(&self, mut batch: Batch, jobs: Vec<Job>) -> Handled<Batch> {
        let ledger = self.reader.ledger();
        let mut number: u64 = ledger.read(Table::Settings, "jobs").await?.unwrap_or(0);
        for job in jobs {
            batch.put(Table::Settings, format!("job/{}", padded(number)), encode(&job)?);
            number += 1;
        }
        batch.put(Table::Settings, "jobs", encode(&number)?);
        Ok(batch)
    }

    /// Works off one job of the messenger's queue: [`Self::next_job`], then [`Self::work_off`].
    ///
    /// # Errors
    /// Those of the store only: the job stays in the queue then.
    pub async fn pump(&self) -> weft_codec::Result<Pumped> {
        match self.next_job().await? {
            Some(claim) => self.work_off(claim).await,
            None => Ok(Pumped::Idle),
        }
    }

    /// Takes the first job of the queue that waits for none before it. Jobs of one lane are done in their order; others
    /// may be under way at the same time, so that a message that runs for long holds up its own process alone.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next_job(&self) -> weft_codec::Result<Option<Claim<'_>>> {
        let (mut from, to) = below("job");
        let mut lanes = BTreeSet::new();
        loop {
            let found = self.reader.ledger().store().scan(Table::Settings, &from, &to, QUEUE_STEP).await?;
            let Some((last, _)) = found.last() else { return Ok(None) };
            from = format!("{last}\0");
            for (key, bytes) in found {
                let job = serde_json::from_slice::<Job>(&bytes).map_err(|cause| cause.to_string());
                let first = job.as_ref().map_or(true, |job| lanes.insert(job.task.lane()));
                if first && self.claimed.borrow_mut().insert(key.clone()) {
                    return Ok(Some(Claim { claimed: &self.claimed, key, job }));
                }
            }
        }
    }

    /// Does a job. Dropped on its way, it stays in the queue.
    ///
    /// # Errors
    /// Those of the store only: the job stays in the queue then.
    pub async fn work_off(&self, claim: Claim<'_>) -> weft_codec::Result<Pumped> {
        let mut done = Batch::default();
        done.delete(Table::Settings, claim.key.clone());
        let outcome = match &claim.job {
            Ok(job) => self.run(job, done.clone()).await,
            Err(cause) => Err(failed(format!("A job does not read back: {cause}"))),
        };
        match outcome {
            Ok(()) => Ok(Pumped::Done),
            Err(refusal) => {
                self.reader.ledger().commit(done).await?;
                Ok(Pumped::Failed(refusal.sentence))
            }
        }
    }

    /// Runs a job. `done` takes it from the queue, in the same transaction as what it writes.
    async fn run(&self, job: &Job, done: Batch) -> Handled<()> {
        if job.depth > MAX_DEPTH {
            return Err(failed(format!(
                "A chain of messages ends after {MAX_DEPTH} steps ({}).",
                job.initial
            )));
        }
        // Evaluating takes no turn, so it is taken late.
        let turn = self.turn.lock();
        match &job.task {
            Task::Pull { process, message, assigns } => {
                let jobs = self.pull(job, *process, *message, assigns).await?;
                if jobs.is_empty() {
                    // Nothing is put into the queue, so it is nobody's turn: those who schedule go on.
                    return Ok(self.reader.ledger().commit(done).await?);
                }
                let _turn = turn.await;
                let batch = self.queued(done, self.counted(job.initial, jobs).await?).await?;
                self.reader.ledger().commit(batch).await?;
            }
            Task::Message { message, from } => {
                let _turn = turn.await;
                self.push_message(job, message, *from, done).await?;
            }
            Task::Spawn { spawn, from } => {
                let _turn = turn.await;
                self.push_spawn(job, spawn, *from, done).await?;
            }
            Task::Spawned { spawn, from, process } => {
                let _turn = turn.await;
                self.push_spawned(job, spawn, *from, *process, done).await?;
            }
            Task::Assign { process, message, base_layer, exclude } => {
                let _turn = turn.await;
                let scheduled =
                    self.assign(process, message, *base_layer, exclude.as_deref(), Batch::default()).await?;
                let pull = job.next_pull(scheduled.process, scheduled.id, Vec::new());
                let batch = self.queued(done, vec![pull]).await?;
                self.reader.ledger().commit(batch).await?;
            }
        }
        Ok(())
    }

    /// Cuts jobs to what is left of the chain's allowance.
    async fn counted(&self, initial: Id, mut jobs: Vec<Job>) -> Handled<Vec<Job>> {
        if jobs.is_empty() {
            return Ok(jobs);
        }
        let key = format!("pushed/{initial}");
        let before: u32 = self.reader.ledger().read(Table::Settings, &key).await?.unwrap_or(0);
        let left = MAX_PUSHED.saturating_sub(before);
        if left == 0 {
            return Err(failed(format!("One message causes at most {MAX_PUSHED} others ({initial}).")));
        }
        jobs.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let after = before.saturating_add(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
        let mut batch = Batch::default();
        batch.put(Table::Settings, key, encode(&after)?);
        self.reader.ledger().commit(batch).await?;
        Ok(jobs)
    }

    /// The jobs a result gives: messages that have a target, an anchor and tags, spawns, and one Assign for
    /// each process of each assignment.
    async fn pull(&self, job: &Job, process: Id, message: Id, assigns: &[String]) -> Handled<Vec<Job>> {
        let result = self.result(process, message).await?;
        let whole =
            |value: &&Value| ["Target", "Anchor", "Tags"].iter().all(|field| value.get(field).is_some());
        let messages = result.messages.iter().filter(whole);
        let mut tasks: Vec<Task> =
            messages.map(|message| Task::Message { message: message.clone(), from: process }).collect();
        tasks.extend(result.spawns.iter().map(|spawn| Task::Spawn { spawn: spawn.clone(), from: process }));
        for process in assigns {
            let (process, message) = (process.clone(), message.to_string());
            tasks.push(Task::Assign { process, message, base_layer: false, exclude: None });
        }
        tasks.extend(result.assignments.iter().flat_map(assign_tasks));
        Ok(tasks.into_iter().map(|task| job.next(task)).collect())
    }

    /// mu `domain/lib/build-tx.js`.
    async fn push_message(&self, job: &Job, message: &Value, from: Id, done: Batch) -> Handled<()> {
        const DROPPED: [&str; 5] = ["Data-Protocol", "Type", "From-Process", "From-Module", "Assignments"];
        let mut tags = tags_of(message, &DROPPED)?;
        tags.push(Tag::new("Data-Protocol", "ao"));
        tags.push(Tag::new("Type", "Message"));
        tags.push(Tag::new("From-Process", from.to_string()));
        tags.push(Tag::new("From-Module", self.module_of(from).await?));
        tags.push(Tag::new("Pushed-For", job.initial.to_string()));
        let target: Id = text_of(message, "Target")?
            .parse()
            .map_err(|_| failed("A message is sent to an id: its Target is none."))?;
        let item = sign(&self.signer, Some(target), anchor_of(message)?, tags, data_of(message)?).await?;
        if self.reader.ledger().head(target).await?.is_none() {
            // To a wallet: the item goes to the gateway, and nothing is evaluated.
            self.upload(&item, done).await?;
            return Ok(());
        }
        let pull = job.next_pull(target, item.id(), assignments_tag(message));
        let batch = self.queued(done, vec![pull]).await?;
        self.schedule_item(item, batch).await?;
        Ok(())
    }

    /// mu `domain/lib/spawn-process.js`: the process, its boot, then a message to the process that asked for it.
    async fn push_spawn(&self, job: &Job, spawn: &Value, from: Id, done: Batch) -> Handled<()> {
        let mut tags = tags_of(spawn, &["Data-Protocol", "Type"])?;
        tags.push(Tag::new("Variant", "ao.TN.1"));
        tags.push(Tag::new("Data-Protocol", "ao"));
        tags.push(Tag::new("Type", "Process"));
        tags.push(Tag::new("From-Process", from.to_string()));
        tags.push(Tag::new("Pushed-For", job.initial.to_string()));
        if tags.tag("Scheduler").is_none() {
            tags.push(Tag::new("Scheduler", self.reader.address()));
        }
        if tags.tag("Module").is_none() {
            return Err(failed("No Module tag found on 'Process' DataItem"));
        }
        let module = self.module_of(from).await?;
        for tag in tags.iter_mut().filter(|tag| tag.name == "From-Module") {
            tag.value.clone_from(&module);
        }
        let process = sign(&self.signer, None, None, tags, data_of(spawn)?).await?;
        let id = process.id();
        let boot = job.next_pull(id, id, Vec::new());
        let tell = job.next(Task::Spawned { spawn: spawn.clone(), from, process: id });
        let batch = self.queued(done, vec![boot, tell]).await?;
        self.schedule_item(process, batch).await?;
        Ok(())
    }

    /// mu `domain/lib/build-success-tx.js`.
    async fn push_spawned(
        &self,
        job: &Job,
        spawn: &Value,
        from: Id,
        process: Id,
        done: Batch,
    ) -> Handled<()> {
        let mut tags = tags_of(spawn, &["Variant", "Type"])?;
        tags.retain(|tag| !(tag.name == "Data-Protocol" && tag.value == "ao"));
        tags.push(Tag::new("Data-Protocol", "ao"));
        tags.push(Tag::new("Type", "Message"));
        tags.push(Tag::new("Process", process.to_string()));
        tags.push(Tag::new("Action", "Spawned"));
        tags.push(Tag::new("Variant", "ao.TN.1"));
        let item = sign(&self.signer, Some(from), None, tags, b" ".to_vec()).await?;
        let pull = job.next_pull(from, item.id(), Vec::new());
        let batch = self.queued(done, vec![pull]).await?;
        self.schedule_item(item, batch).await?;
        Ok(())
    }

    /// The `Module` of a process on this scheduler.
    async fn module_of(&self, process: Id) -> Handled<String> {
        let row = self.reader.ledger().row(process).await?;
        Ok(row.and_then(|row| row.tags.tag("Module").map(str::to_owned)).unwrap_or_default())
    }
}

impl Task {
    /// Jobs of one lane wait for each other: the evaluations of a process, and what a process sends.
    fn lane(&self) -> String {
        match self {
            Self::Pull { process, .. } => format!("evaluate {process}"),
            Self::Message { from, .. } | Self::Spawn { from, .. } | Self::Spawned { from, .. } => {
                format!("send {from}")
            }
            Self::Assign { process, .. } => format!("assign {process}"),
        }
    }
}

impl Job {
    fn next(&self, task: Task) -> Self {
        Self { task, initial: self.initial, depth: self.depth + 1 }
    }

    fn next_pull(&self, process: Id, message: Id, assigns: Vec<String>) -> Self {
        self.next(Task::Pull { process, message, assigns })
    }
}

fn relayed(refusal: Refusal) -> Refusal {
    failed(format!("{}: {}", refusal.status, json!({ "error": refusal.sentence })))
}

/// mu `domain/lib/verify-parsed-data-item.js`.
fn check_tags(item: &DataItem) -> Handled<()> {
    if !item.tags.tag_all("Data-Protocol").any(|value| value == "ao") {
        return Err(failed("Tag 'Data-Protocol': must contain 'ao'"));
    }
    if !item.tags.tag_all("Type").any(|value| value == "Process" || value == "Message") {
        return Err(failed("Tag 'Type': must be either 'Process' or 'Message'"));
    }
    Ok(())
}

fn text_of<'a>(value: &'a Value, field: &str) -> Handled<&'a str> {
    value.get(field).and_then(Value::as_str).ok_or_else(|| failed(format!("{field} is not text.")))
}

/// The tags of an outbox entry without some names. A value that is no text cannot be signed.
fn tags_of(value: &Value, dropped: &[&str]) -> Handled<Vec<Tag>> {
    let tags = value.get("Tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let kept = tags.iter().filter(|tag| {
        let name = tag.get("name").and_then(Value::as_str);
        name.is_none_or(|name| !dropped.contains(&name))
    });
    kept.map(|tag| Ok(Tag::new(text_of(tag, "name")?, text_of(tag, "value")?))).collect()
}

/// Data as text; nothing is one space.
fn data_of(value: &Value) -> Handled<Vec<u8>> {
    match value.get("Data") {
        None | Some(Value::Null) => Ok(b" ".to_vec()),
        Some(Value::String(text)) if text.is_empty() => Ok(b" ".to_vec()),
        Some(Value::String(text)) => Ok(text.clone().into_bytes()),
        Some(_) => Err(failed("Data is not text.")),
    }
}

/// An anchor of 32 bytes, or none for empty text.
pub(super) fn anchor_of(value: &Value) -> Handled<Option<[u8; 32]>> {
    match value.get("Anchor").and_then(Value::as_str) {
        None | Some("") => Ok(None),
        Some(text) => {
            let bytes = text.as_bytes().try_into();
            bytes.map(Some).map_err(|_| failed("An Anchor is 32 bytes."))
        }
    }
}

/// The `Assignments` tag: a list of processes the message is assigned to as well.
fn assignments_tag(message: &Value) -> Vec<String> {
    let tags = message.get("Tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let tag = tags.iter().find(|tag| tag.get("name").and_then(Value::as_str) == Some("Assignments"));
    let list = tag.and_then(|tag| tag.get("value")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// `{Message, Processes, BaseLayer?, Exclude?}` → one task a process.
fn assign_tasks(assignment: &Value) -> Vec<Task> {
    let Some(message) = assignment.get("Message").and_then(Value::as_str) else { return Vec::new() };
    let texts = |field: &str| {
        let list = assignment.get(field).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let exclude = Some(texts("Exclude").join(",")).filter(|list| !list.is_empty());
    let base_layer = assignment.get("BaseLayer") == Some(&Value::Bool(true));
    let each = texts("Processes").into_iter().map(|process| Task::Assign {
        process,
        message: message.to_owned(),
        base_layer,
        exclude: exclude.clone(),
    });
    each.collect()
}
