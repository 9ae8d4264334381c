//! The store of the local network with what was last read or written in memory. The network alone writes to its store, so what is here is
//! what is there: a row that is being written is not here until it is written, and one whose writing failed is read again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::lock::Mutex;
use weft_codec::{Code, Error, Result};

use super::ledger::below;
use crate::seams::{Batch, Store, Table};

/// Bytes of rows that stay.
const MAX_BYTES: usize = 16 << 20;
/// A longer row does not stay: states of processes are read once.
const MAX_ROW: usize = 256 << 10;
/// What a row costs beside its bytes.
const OVERHEAD: usize = 128;

type Key = (Table, String);

/// A store, and rows of it.
#[derive(Debug)]
pub(crate) struct Near<S> {
    store: S,
    rows: RefCell<Rows>,
    /// The messenger's queue, all of it, once it was read: it is looked at after every job.
    queue: RefCell<Option<BTreeMap<String, Vec<u8>>>>,
    /// How many commits began, and how many of them are under way.
    begun: Cell<u64>,
    running: Cell<u32>,
    /// What waits to be written while something else is: it is written together.
    gathered: RefCell<Gathered>,
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Rows {
    rows: BTreeMap<Key, Row>,
    /// When each was used last.
    order: BTreeMap<u64, Key>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Row {
    /// `None`: there is no such row.
    value: Option<Vec<u8>>,
    used: u64,
}

impl Rows {
    fn get(&mut self, key: &Key) -> Option<Option<Vec<u8>>> {
        let row = self.rows.get_mut(key)?;
        self.uses += 1;
        let key = self.order.remove(&row.used)?;
        self.order.insert(self.uses, key);
        row.used = self.uses;
        Some(row.value.clone())
    }

    fn remove(&mut self, key: &Key) {
        if let Some(row) = self.rows.remove(key) {
            self.order.remove(&row.used);
            self.bytes = self.bytes.saturating_sub(size(key, row.value.as_deref()));
        }
    }

    fn put(&mut self, key: Key, value: Option<Vec<u8>>) {
        self.remove(&key);
        let size = size(&key, value.as_deref());
        if size > MAX_ROW {
            return;
        }
        self.uses += 1;
        self.bytes += size;
        self.order.insert(self.uses, key.clone());
        self.rows.insert(key, Row { value, used: self.uses });
        while self.bytes > MAX_BYTES {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            if let Some(row) = self.rows.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(self::size(&oldest, row.value.as_deref()));
            }
        }
    }
}

fn size(key: &Key, value: Option<&[u8]>) -> usize {
    OVERHEAD + 2 * key.1.len() + value.map_or(0, <[u8]>::len)
}

fn is_queue(table: Table, key: &str) -> bool {
    table == Table::Settings && key.starts_with("job/")
}

/// Batches that are written together, and who waits for that.
#[derive(Debug, Default)]
struct Gathered {
    batch: Batch,
    waiting: Vec<Rc<RefCell<Option<Told>>>>,
}

/// How writing ended: or the code and the sentence of the store's refusal.
type Told = Result<(), (Code, String)>;

/// A commit that is under way. Left on its way it may have been written or not: then it is written again, which is the same.
struct Running<'a, S> {
    near: &'a Near<S>,
    batch: Batch,
    waiting: Vec<Rc<RefCell<Option<Told>>>>,
    ended: bool,
    /// It writes to the queue, and what is here of that is not known to be right.
    queue: bool,
}

impl<S> Drop for Running<'_, S> {
    fn drop(&mut self) {
        self.near.running.set(self.near.running.get() - 1);
        if self.queue {
            *self.near.queue.borrow_mut() = None;
        }
        if !self.ended {
            let mut gathered = self.near.gathered.borrow_mut();
            for (key, value) in std::mem::take(&mut self.batch.writes) {
                gathered.batch.writes.entry(key).or_insert(value);
            }
            gathered.waiting.append(&mut self.waiting);
        }
    }
}

impl<S: Store> Near<S> {
    pub(crate) fn new(store: S) -> Self {
        Self {
            store,
            rows: RefCell::default(),
            queue: RefCell::default(),
            begun: Cell::new(0),
            running: Cell::new(0),
            gathered: RefCell::default(),
            writing: Mutex::new(()),
        }
    }

    /// Writes what was gathered.
    async fn write(&self) -> Result<()> {
        let Gathered { batch, waiting } = self.gathered.take();
        self.begun.set(self.begun.get() + 1);
        self.running.set(self.running.get() + 1);
        let queue = batch.writes.keys().any(|(table, key)| is_queue(*table, key));
        let mut running = Running { near: self, batch, waiting, ended: false, queue };
        {
            let mut rows = self.rows.borrow_mut();
            running.batch.writes.keys().for_each(|key| rows.remove(key));
        }
        let ended = self.store.commit(running.batch.clone()).await;
        running.ended = true;
        for told in &running.waiting {
            let refused = ended.as_ref().err().map(|error| (error.code(), error.sentence().to_owned()));
            *told.borrow_mut() = Some(refused.map_or(Ok(()), Err));
        }
        ended?;
        running.queue = false;
        let mut rows = self.rows.borrow_mut();
        for (key, value) in std::mem::take(&mut running.batch.writes) {
            if is_queue(key.0, &key.1)
                && let Some(queue) = &mut *self.queue.borrow_mut()
            {
                match &value {
                    Some(value) => queue.insert(key.1.clone(), value.clone()),
                    None => queue.remove(&key.1),
                };
            }
            rows.put(key, value);
        }
        Ok(())
    }

    /// Keeps what was read, unless something was written meanwhile.
    fn keep(&self, key: Key, value: Option<&Vec<u8>>, begun: Option<u64>) {
        if begun == Some(self.begun.get()) {
            self.rows.borrow_mut().put(key, value.cloned());
        }
    }

    /// What is to be the same after a read for its rows to be kept: `None` where they are not.
    fn quiet(&self) -> Option<u64> {
        (self.running.get() == 0).then(|| self.begun.get())
    }

    /// Reads the queue, if it is not here.
    async fn read_queue(&self) -> Result<bool> {
        if self.queue.borrow().is_some() {
            return Ok(true);
        }
        let quiet = self.quiet();
        let (from, to) = below("job");
        let found = self.store.scan(Table::Settings, &from, &to, usize::MAX).await?;
        if quiet != Some(self.begun.get()) {
            return Ok(false);
        }
        *self.queue.borrow_mut() = Some(found.into_iter().collect());
        Ok(true)
    }
}

impl<S: Store> Store for Near<S> {
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        let row = (table, key.to_owned());
        let known = self.rows.borrow_mut().get(&row);
        if let Some(value) = known {
            return Ok(value);
        }
        let quiet = self.quiet();
        let value = self.store.get(table, key).await?;
        self.keep(row, value.as_ref(), quiet);
        Ok(value)
    }

    async fn get_many(&self, table: Table, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        let known: Vec<Option<Option<Vec<u8>>>> = {
            let mut rows = self.rows.borrow_mut();
            keys.iter().map(|key| rows.get(&(table, key.clone()))).collect()
        };
        let missing: Vec<String> = keys
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none())
            .map(|(key, _)| key.clone())
            .collect();
        let quiet = self.quiet();
        let mut found = match missing.is_empty() {
            true => Vec::new(),
            false => self.store.get_many(table, &missing).await?,
        }
        .into_iter();
        let mut values = Vec::with_capacity(keys.len());
        for (key, known) in keys.iter().zip(known) {
            values.push(match known {
                Some(value) => value,
                None => {
                    let value = found.next().flatten();
                    self.keep((table, key.clone()), value.as_ref(), quiet);
                    value
                }
            });
        }
        Ok(values)
    }

    async fn scan(&self, table: Table, from: &str, to: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>> {
        let (first, end) = below("job");
        if table == Table::Settings
            && from >= first.as_str()
            && from < to
            && to <= end.as_str()
            && self.read_queue().await?
            && let Some(queue) = &*self.queue.borrow()
        {
            let found = queue.range(from.to_owned()..to.to_owned()).take(limit);
            return Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect());
        }
        self.store.scan(table, from, to, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<()> {
        let told = Rc::new(RefCell::new(None));
        {
            let mut gathered = self.gathered.borrow_mut();
            gathered.batch.writes.extend(batch.writes);
            gathered.waiting.push(Rc::clone(&told));
        }
        let _writing = self.writing.lock().await;
        let told = told.take();
        match told {
            None => self.write().await,
            Some(Ok(())) => Ok(()),
            Some(Err((code, sentence))) => Err(Error::new(code, sentence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::{Context, Poll};

    use futures_util::FutureExt as _;

    use super::*;
    use crate::memory::MemoryStore;

    fn batch(writes: &[(&str, Option<&str>)]) -> Batch {
        let mut batch = Batch::default();
        for (key, value) in writes {
            let value = value.map(|text| text.as_bytes().to_vec());
            batch.writes.insert((Table::Settings, (*key).to_owned()), value);
        }
        batch
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().expect("a memory store does not wait")
    }

    fn text(store: &impl Store, key: &str) -> Option<String> {
        now(store.get(Table::Settings, key)).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_was_read_and_written_is_not_read_again() {
        let store = Rc::new(MemoryStore::default());
        now(store.commit(batch(&[("a", Some("1"))]))).unwrap();
        let near = Near::new(Rc::clone(&store));
        assert_eq!(text(&near, "a").as_deref(), Some("1"));
        assert_eq!(text(&near, "b"), None);
        // Written behind its back, which nobody does: so it can be seen who is asked.
        now(store.commit(batch(&[("a", Some("2")), ("b", Some("2"))]))).unwrap();
        assert_eq!((text(&near, "a").as_deref(), text(&near, "b")), (Some("1"), None));
        now(near.commit(batch(&[("a", None), ("b", Some("3"))]))).unwrap();
        assert_eq!((text(&near, "a"), text(&near, "b").as_deref()), (None, Some("3")));
        assert_eq!((text(&store, "a"), text(&store, "b").as_deref()), (None, Some("3")));
        let keys = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        assert_eq!(now(near.get_many(Table::Settings, &keys)).unwrap(), [None, Some(b"3".to_vec()), None]);
    }

    #[test]
    fn the_queue_is_that_of_the_store() {
        let store = Rc::new(MemoryStore::default());
        now(store.commit(batch(&[("job/1", Some("a")), ("jobs", Some("2"))]))).unwrap();
        let near = Near::new(Rc::clone(&store));
        let keys = |near: &Near<Rc<MemoryStore>>| {
            let found = now(near.scan(Table::Settings, "job/", "job0", 8)).unwrap();
            found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(keys(&near), ["job/1"]);
        now(near.commit(batch(&[("job/2", Some("b")), ("job/1", None)]))).unwrap();
        assert_eq!(keys(&near), ["job/2"]);
        assert_eq!(now(near.scan(Table::Settings, "job/2\0", "job0", 8)).unwrap(), []);
    }

    /// A store that lets one commit through for each permission, and refuses where it is told to.
    #[derive(Default)]
    struct Slow {
        store: MemoryStore,
        open: Cell<bool>,
        refuses: Cell<bool>,
        commits: Cell<u32>,
    }

    impl Store for Slow {
        async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
            self.store.get(table, key).await
        }

        async fn scan(
            &self,
            table: Table,
            from: &str,
            to: &str,
            limit: usize,
        ) -> Result<Vec<(String, Vec<u8>)>> {
            self.store.scan(table, from, to, limit).await
        }

        async fn commit(&self, batch: Batch) -> Result<()> {
            self.commits.set(self.commits.get() + 1);
            let opened = |_: &mut Context<'_>| if self.open.get() { Poll::Ready(()) } else { Poll::Pending };
            poll_fn(opened).await;
            match self.refuses.get() {
                true => Err(Error::new(Code::StoreFailed, "The store refuses.")),
                false => self.store.commit(batch).await,
            }
        }
    }

    #[test]
    fn what_comes_while_one_writes_is_written_together() {
        let slow = Rc::new(Slow::default());
        let near = Near::new(Rc::clone(&slow));
        let mut commits = ["a", "b", "c"].map(|key| Box::pin(near.commit(batch(&[(key, Some("1"))]))));
        assert!(commits.iter_mut().all(|commit| commit.as_mut().now_or_never().is_none()));
        assert_eq!((slow.commits.get(), text(&near, "a")), (1, None));
        slow.open.set(true);
        for commit in &mut commits {
            commit.as_mut().now_or_never().expect("nothing is in its way").unwrap();
        }
        assert_eq!((slow.commits.get(), text(&slow, "c").as_deref()), (2, Some("1")));
    }

    #[test]
    fn who_writes_for_others_may_leave_and_all_are_told_of_a_refusal() {
        let slow = Rc::new(Slow::default());
        let near = Near::new(Rc::clone(&slow));
        let mut commits: Vec<_> =
            ["a", "b", "c"].map(|key| Box::pin(near.commit(batch(&[(key, Some("1"))])))).into();
        assert!(commits.iter_mut().all(|commit| commit.as_mut().now_or_never().is_none()));
        drop(commits.remove(0));
        slow.open.set(true);
        slow.refuses.set(true);
        for commit in &mut commits {
            let refused = commit.as_mut().now_or_never().expect("nothing is in its way").unwrap_err();
            assert_eq!(refused.code(), Code::StoreFailed);
        }
        slow.refuses.set(false);
        now(near.commit(batch(&[("d", Some("1"))]))).unwrap();
        assert_eq!((text(&near, "b"), text(&near, "d").as_deref()), (None, Some("1")));
    }

    #[test]
    fn rows_stay_within_their_bytes() {
        let mut rows = Rows::default();
        let long = vec![0; MAX_ROW / 2];
        for n in 0..200 {
            rows.put((Table::Items, n.to_string()), Some(long.clone()));
        }
        assert!(rows.bytes <= MAX_BYTES && rows.rows.len() == rows.order.len());
        assert!(rows.get(&(Table::Items, "0".to_owned())).is_none());
        assert!(rows.get(&(Table::Items, "199".to_owned())).is_some());
        rows.put((Table::Items, "long".to_owned()), Some(vec![0; MAX_ROW]));
        assert!(rows.get(&(Table::Items, "long".to_owned())).is_none());
    }
}
