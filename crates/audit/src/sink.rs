//! Where sealed records are kept.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::chain::{Anchor, ChainKey};
use crate::entry::Entry;
use crate::error::Error;

/// Keeps sealed records.
///
/// A journal calls its sink from one task, one call at a time, and never drops a call midway. To keep records elsewhere
/// (a database, a log service), implement this.
pub trait Sink: Send + 'static {
    /// Opens the store, checks what it holds as far as it needs to go on from there, and tells where its chain ends.
    /// `key` is the journal's.
    ///
    /// # Errors
    /// What makes the store unfit to go on: the journal isn't opened then.
    fn open(&mut self, key: Option<&ChainKey>) -> impl Future<Output = Result<Tail, Error>> + Send;

    /// Makes a batch durable: all of it when `Ok`.
    ///
    /// # Errors
    /// The journal tries the same batch again until it succeeds, so a sink that had written a part of it puts that right.
    fn append(&mut self, batch: &Arc<Batch>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Puts down what [`append`](Self::append) may leave to later. Nothing is appended afterwards.
    ///
    /// # Errors
    /// When the store refuses; every record is durable all the same.
    fn close(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }
}

/// Where a store's chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The last record.
    pub anchor: Anchor,
    /// Bytes of an unfinished, never acknowledged record that were cut off.
    pub torn_bytes: u64,
}

/// Sealed records in the order of their numbers.
#[derive(Debug)]
pub struct Batch {
    pub(crate) text: Vec<u8>,
    pub(crate) records: Vec<(Entry, Range<usize>)>,
    pub(crate) anchor: Anchor,
    pub(crate) mac: Option<String>,
}

impl Batch {
    /// All lines, each with its newline.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Each record with its line, newline included.
    pub fn records(&self) -> impl Iterator<Item = (&Entry, &[u8])> {
        self.records
            .iter()
            .map(|(entry, range)| (entry, self.text.get(range.clone()).unwrap_or_default()))
    }

    /// How many records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The last record's place in the chain.
    #[must_use]
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }
}

/// Keeps records in memory, for tests. Clones share them.
#[derive(Clone, Default)]
pub struct MemorySink(Arc<Mutex<Vec<String>>>);

impl MemorySink {
    /// Creates an empty sink.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The lines so far, without newlines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Sink for MemorySink {
    async fn open(&mut self, _: Option<&ChainKey>) -> Result<Tail, Error> {
        Ok(Tail {
            anchor: Anchor::start(),
            torn_bytes: 0,
        })
    }

    async fn append(&mut self, batch: &Arc<Batch>) -> Result<(), Error> {
        let lines = batch
            .records()
            .map(|(_, line)| String::from_utf8_lossy(line).trim_end().to_owned());
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(lines);
        Ok(())
    }
}

impl fmt::Debug for MemorySink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySink")
            .field("records", &self.lines().len())
            .finish()
    }
}
