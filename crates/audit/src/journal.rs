//! The journal: a bounded queue before a sink, and one writer behind it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bartizan_core::{Clock, SystemClock};
use metrics::{counter, gauge};
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::chain::{Anchor, Chain, ChainKey, hex};
use crate::entry::{Entry, Opened};
use crate::error::Error;
use crate::sink::Sink;
use crate::writer::{Item, Writer, failing};

/// What happens when the sink can't keep up, or fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// New calls are refused with 503: nothing happens that isn't recorded.
    #[default]
    Strict,
    /// Records are dropped and counted, and the journal says where and how many.
    Lossy,
}

impl Mode {
    /// The mode's name in records and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Lossy => "lossy",
        }
    }
}

/// Settings of a [`Journal`].
#[derive(Clone, Debug)]
#[must_use]
pub struct JournalBuilder {
    mode: Mode,
    queue: usize,
    patience: Duration,
    key: Option<ChainKey>,
    clock: Arc<dyn Clock>,
}

impl Default for JournalBuilder {
    /// Strict, 16,384 places, 5 s of patience, no key, the system's clock.
    fn default() -> Self {
        Self {
            mode: Mode::Strict,
            queue: 16_384,
            patience: Duration::from_secs(5),
            key: None,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl JournalBuilder {
    /// Sets what happens when the sink can't keep up or fails; strict by default.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets how many records may be waiting, calls that are under way included (each holds a place for its record from its
    /// start); 16,384 by default, at least 1.
    pub fn queue(mut self, places: usize) -> Self {
        self.queue = places.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Sets how long the sink may take over one batch before it counts as hung, and how long a call waits for its intent to
    /// be durable; 5 s by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Authenticates the chain with `key`; without one it only shows what careless hands did.
    pub fn key(mut self, key: ChainKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets the clock; the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the journal on `sink`, and makes a first record durable that says so.
    ///
    /// Must be called within a tokio runtime, where the writer then runs.
    ///
    /// # Errors
    /// What the sink says against going on from what it holds, or that it can't be written.
    pub async fn open(self, mut sink: impl Sink) -> Result<Journal, Error> {
        let Self {
            mode,
            queue,
            patience,
            key,
            clock,
        } = self;
        let tail = sink.open(key.as_ref()).await?;
        if tail.torn_bytes > 0 {
            tracing::warn!(
                bytes = tail.torn_bytes,
                seq = tail.anchor.seq,
                "cut off an unfinished audit record that a crash left behind"
            );
        }
        let opened = Entry::Open(Opened {
            time: clock.unix(),
            version: env!("CARGO_PKG_VERSION"),
            mode: mode.as_str(),
            torn_bytes: tail.torn_bytes,
        });
        let mut run = [0; 8];
        // Unreadable randomness costs call ids their uniqueness across restarts, which nothing but a reader's comfort rests on.
        let run = getrandom::fill(&mut run).map_or_else(
            |_| format!("{:016x}", clock.unix().as_nanos()),
            |()| hex(&run),
        );
        let (sender, receiver) = mpsc::channel(queue);
        let shared = Arc::new(Shared {
            healthy: AtomicBool::new(true),
            dropped: AtomicU64::new(0),
            anchor: Mutex::new(tail.anchor.clone()),
            closing: Notify::new(),
        });
        let mut writer = Writer::new(
            sink,
            Chain::new(tail.anchor, key),
            Arc::clone(&clock),
            Arc::clone(&shared),
            patience,
        );
        writer.first(opened).await?;
        let task = tokio::spawn(writer.run(receiver));
        let inner = Inner {
            mode,
            patience,
            clock,
            sender,
            shared,
            run,
            calls: AtomicU64::new(0),
            writer: Mutex::new(Some(task)),
        };
        Ok(Journal(Arc::new(inner)))
    }
}

/// A hash-chained journal over a [`Sink`]. Clones share it.
///
/// Everything that waits is written by one task: one batch after the other, each as large as what gathered while the last
/// was being made durable.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    mode: Mode,
    patience: Duration,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Item>,
    shared: Arc<Shared>,
    run: String,
    calls: AtomicU64,
    writer: Mutex<Option<JoinHandle<Result<(), Error>>>>,
}

/// What the writer tells the journal, and the journal the writer.
pub(crate) struct Shared {
    pub(crate) healthy: AtomicBool,
    pub(crate) dropped: AtomicU64,
    pub(crate) anchor: Mutex<Anchor>,
    pub(crate) closing: Notify,
}

impl Journal {
    /// Starts a journal's settings from their defaults.
    pub fn builder() -> JournalBuilder {
        JournalBuilder::default()
    }

    /// What happens when the sink can't keep up or fails.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.0.mode
    }

    /// Whether the sink takes records. What a strict journal refuses calls by, and what readiness should show.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.0.shared.healthy.load(Ordering::Acquire) && !self.0.sender.is_closed()
    }

    /// The end of what is durable. Keep one elsewhere now and then, for [`verify`](crate::verify).
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        self.0
            .shared
            .anchor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes a place in the queue, so that a record that comes later is sure of one.
    ///
    /// # Errors
    /// [`Error::QueueFull`], or [`Error::Unavailable`] while the sink fails or hangs, or after shutdown.
    pub fn reserve(&self) -> Result<Place, Error> {
        if !self.is_healthy() {
            return Err(Error::Unavailable);
        }
        let permit = self.0.sender.clone().try_reserve_owned();
        gauge!("bartizan.audit.queue").set(self.taken() as f64);
        permit.map(Place).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::QueueFull,
            mpsc::error::TrySendError::Closed(_) => Error::Unavailable,
        })
    }

    /// Appends `entry` and waits until it is durable.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve); [`Error::TimedOut`] past the journal's patience, when the record may become durable later.
    pub async fn record(&self, entry: Entry) -> Result<(), Error> {
        let place = self.reserve()?;
        let (done, durable) = oneshot::channel();
        place.0.send(Item {
            entry,
            durable: Some(done),
        });
        match tokio::time::timeout(self.0.patience, durable).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::Unavailable),
            Err(_) => {
                // Healthy again with the next batch; this record's own at the latest.
                failing(&self.0.shared, &Error::TimedOut);
                Err(Error::TimedOut)
            }
        }
    }

    /// Appends `entry` if there is a place, and otherwise drops and counts it. Never waits.
    pub fn offer(&self, entry: Entry) {
        let kind = entry.kind();
        if self
            .0
            .sender
            .try_send(Item {
                entry,
                durable: None,
            })
            .is_err()
        {
            self.0.shared.dropped.fetch_add(1, Ordering::AcqRel);
            counter!("bartizan.audit.dropped", "kind" => kind).increment(1);
        }
    }

    /// Takes no more records, waits for those under way, and makes all durable. Call it once no more requests are served.
    ///
    /// # Errors
    /// [`Error::Unflushed`] when some weren't durable after `grace`; what the sink says when it can't be closed.
    pub async fn shutdown(&self, grace: Duration) -> Result<(), Error> {
        let writer = self
            .0
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut writer) = writer else {
            return Ok(());
        };
        self.0.shared.closing.notify_one();
        match tokio::time::timeout(grace, &mut writer).await {
            Ok(Ok(closed)) => closed,
            Ok(Err(_)) => Err(Error::Unflushed),
            Err(_) => {
                writer.abort();
                Err(Error::Unflushed)
            }
        }
    }

    /// The clock by which records are dated.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// An id that no other call of this journal has.
    pub(crate) fn next_call(&self) -> String {
        format!(
            "{}-{}",
            self.0.run,
            self.0.calls.fetch_add(1, Ordering::Relaxed)
        )
    }

    fn taken(&self) -> usize {
        self.0.sender.max_capacity() - self.0.sender.capacity()
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("mode", &self.0.mode)
            .field("healthy", &self.is_healthy())
            .field("taken", &self.taken())
            .finish_non_exhaustive()
    }
}

/// A place in a journal's queue, to be filled without waiting. Dropping it frees it.
pub struct Place(OwnedPermit<Item>);

impl Place {
    /// Fills the place. Never waits, so it may be called while something is dropped.
    pub fn fill(self, entry: Entry) {
        self.0.send(Item {
            entry,
            durable: None,
        });
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}
