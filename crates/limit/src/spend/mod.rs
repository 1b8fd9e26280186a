//! What was spent, by whom, on what: a ledger of calls that outlives the process.
//!
//! [`Spend::record`] writes one entry for a call, when it ends, to a journal: a file in a folder, by one append of some hundred bytes, in a few
//! microseconds and without waiting for a disk. What was recorded outlives the process, killed however. A task moves it within a second to a
//! [`SpendStore`] in one transaction, with the place in the journal up to which it was moved: so each entry counts exactly once, also where the
//! process ends between the two, or where the store has done what it did not get to say.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan_core::Cost;
//! use bartizan_limit::spend::{MemorySpend, Spend, SpendEntry, SpendScope, SpendSpan};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let spend = Spend::open(folder.path(), MemorySpend::new())?;
//!
//! let mut entry = SpendEntry::new(Duration::from_secs(1_700_000_000), "key_1", "gpt-4o");
//! entry.team_id = Some("search".into());
//! entry.cost = Cost::from_femto_dollars(2_500_000_000_000);
//! spend.record(entry);
//!
//! let team = SpendScope { team: Some("search".into()), ..SpendScope::default() };
//! assert_eq!(spend.spent(team, SpendSpan::EVER).await?.to_string(), "0.0025");
//! # Ok(())
//! # }
//! ```
//!
//! # When things fail
//!
//! | what | then |
//! |---|---|
//! | the process is killed | its journal is taken over by the next process that opens the folder, or within half a minute by one that is alive; an entry that was half written is told and left out |
//! | the store is away | entries wait in the journal, up to [`SpendBuilder::bound`]; an error is logged every minute, `bartizan.spend.waiting_bytes` grows |
//! | the journal is at nine tenths of its bound, or its disk is full | [`Spend::takes`] says no, so that calls can be refused; what ends meanwhile has the last tenth and a mebibyte in memory, and what is beyond that is counted by `bartizan.spend.lost` |
//! | the machine loses power | what the operating system had not written yet is lost: some seconds at most |
//! | a journal's bytes were changed | all before the damage is moved, the file is set aside with the ending `.damaged`, and an error says so |
//!
//! # Sums
//!
//! Calls that are older than [`SpendBuilder::fold_after`] are summed up by quarter of an hour, and later by day: one row for all calls of one key,
//! user, team, organisation, model, provider, set of tags, end user and outcome. Days of every zone are made of quarters, so
//! reports and budgets stay exact to the last digit until days are made; from then on they are exact in [`SpendBuilder::zone`].
//!
//! # What is no part of it
//!
//! Prompts and answers are in no entry. End users are there by a keyed digest alone. [`Spend::erase`] takes a user or an end user out of all rows.

mod entry;
mod fold;
mod frame;
mod hook;
mod journal;
mod memory;
mod mover;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod zone;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bartizan_core::{Clock, Cost, SystemClock};
use metrics::counter;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use fold::Folding;
use journal::Journal;
use mover::{Mover, Told};

pub use entry::{ANONYMOUS, SpendEntry, SpendId, SpendOutcome};
pub use memory::MemorySpend;
#[cfg(feature = "postgres")]
pub use postgres::PostgresSpend;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteSpend;
pub use store::{
    Batch, Erase, Fold, JournalId, SpendError, SpendFilter, SpendGroup, SpendQuery, SpendRow,
    SpendScope, SpendSpan, SpendStore, SpendSum, SpendViewer, StoreFuture,
};
pub use zone::Zone;

const DAY: Duration = Duration::from_secs(86_400);

/// Settings of a [`Spend`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SpendBuilder {
    bound: u64,
    every: Duration,
    patience: Duration,
    fold_after: Duration,
    days_after: Duration,
    retention: Option<Duration>,
    zone: Zone,
    clock: Arc<dyn Clock>,
}

impl Default for SpendBuilder {
    /// A gibibyte of journal, moved every quarter of a second; calls summed up after a week, quarters after a hundred days, kept for good; UTC.
    fn default() -> Self {
        Self {
            bound: 1 << 30,
            every: Duration::from_millis(250),
            patience: Duration::from_secs(5),
            fold_after: 7 * DAY,
            days_after: 100 * DAY,
            retention: None,
            zone: Zone::default(),
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl SpendBuilder {
    /// Sets how many bytes may wait in the journal while the store is away; 1 GiB by default, which is some four million calls, 4 MiB at
    /// least.
    pub fn bound(mut self, bytes: u64) -> Self {
        self.bound = bytes.max(4 * 1024 * 1024);
        self
    }

    /// Sets how long entries gather before they are moved, at most a second; 250 ms by default.
    pub fn move_every(mut self, pause: Duration) -> Self {
        self.every = pause.clamp(Duration::from_millis(1), Duration::from_secs(1));
        self
    }

    /// Sets how long a question waits for what was recorded before it to be moved; 5 s by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how old single calls are when they are summed up by quarter of an hour; 7 days by default, an hour at least.
    pub fn fold_after(mut self, age: Duration) -> Self {
        self.fold_after = age.max(Duration::from_secs(3_600));
        self
    }

    /// Sets how old quarters of an hour are when they are summed up by day; 100 days by default, two at least. Make it longer than the longest
    /// period of a budget in another zone than [`zone`](Self::zone).
    pub fn days_after(mut self, age: Duration) -> Self {
        self.days_after = age.max(2 * DAY);
        self
    }

    /// Sets how long rows are kept; for good by default. A budget without a period counts what is kept.
    pub fn retention(mut self, age: Duration) -> Self {
        self.retention = Some(age.max(2 * DAY));
        self
    }

    /// Sets in which zone days are summed up; UTC by default.
    pub fn zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// Sets the clock; the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Begins a journal in that folder, which is made where there is none, and moves it to `store`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`SpendError::Journal`] when the folder can't be written.
    pub fn open(
        self,
        folder: impl AsRef<Path>,
        store: impl SpendStore,
    ) -> Result<Spend, SpendError> {
        let folder = folder.as_ref();
        let journal = Journal::open(folder, self.bound).map_err(SpendError::Journal)?;
        let (journal, store): (_, Arc<dyn SpendStore>) = (Arc::new(journal), Arc::new(store));
        let told = Arc::new(Told {
            wake: Notify::new(),
            moved: watch::Sender::new((0, 0)),
            reaches: watch::Sender::new(true),
        });
        let mover = Mover::new(
            Arc::clone(&journal),
            Arc::clone(&store),
            Arc::clone(&told),
            Arc::clone(&self.clock),
            self.every,
        );
        let folding = Folding {
            store: Arc::clone(&store),
            clock: Arc::clone(&self.clock),
            fold_after: self.fold_after,
            days_after: self.days_after,
            retention: self.retention,
            zone: self.zone,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(mover.run());
        tasks.spawn(folding.run());
        Ok(Spend(Arc::new(Inner {
            way: Way::Journal(journal, told),
            store,
            patience: self.patience,
            tasks: Mutex::new(tasks),
        })))
    }
}

/// The ledger. Clones share it. See the [module's documentation](self).
#[derive(Clone)]
pub struct Spend(Arc<Inner>);

struct Inner {
    way: Way,
    store: Arc<dyn SpendStore>,
    patience: Duration,
    /// End with the last clone.
    tasks: Mutex<JoinSet<()>>,
}

/// How entries come to the store.
enum Way {
    Journal(Arc<Journal>, Arc<Told>),
    Memory(Arc<MemorySpend>),
}

impl Spend {
    /// Creates a ledger in memory alone: without a folder, and nothing of it outlives the process. It sums nothing up.
    #[must_use]
    pub fn in_memory() -> Self {
        let store = Arc::new(MemorySpend::new());
        Self(Arc::new(Inner {
            way: Way::Memory(Arc::clone(&store)),
            store,
            patience: Duration::ZERO,
            tasks: Mutex::default(),
        }))
    }

    /// Starts settings from their defaults.
    pub fn builder() -> SpendBuilder {
        SpendBuilder::default()
    }

    /// Opens a ledger with the defaults of [`SpendBuilder`].
    ///
    /// # Errors
    /// As [`SpendBuilder::open`].
    pub fn open(folder: impl AsRef<Path>, store: impl SpendStore) -> Result<Self, SpendError> {
        SpendBuilder::default().open(folder, store)
    }

    /// Records a call. Neither waits nor fails; called from destructors.
    pub fn record(&self, mut entry: SpendEntry) {
        entry.tidy();
        counter!("bartizan.spend.recorded").increment(1);
        match &self.0.way {
            Way::Journal(journal, _) => journal.append(&entry),
            Way::Memory(store) => store.keep(entry),
        }
    }

    /// Whether there is room to record more calls. Where there isn't, new ones are better refused.
    #[must_use]
    pub fn takes(&self) -> bool {
        match &self.0.way {
            Way::Journal(journal, _) => journal.takes(),
            Way::Memory(_) => true,
        }
    }

    /// Whether the store took what it was given last.
    #[must_use]
    pub fn reaches_store(&self) -> bool {
        match &self.0.way {
            Way::Journal(_, told) => *told.reaches.borrow(),
            Way::Memory(_) => true,
        }
    }

    /// What was spent there and then, with all that this process has recorded.
    ///
    /// What other processes have recorded within the last second may not be in it. A day that was summed up counts if any of it lies in the span:
    /// never too little.
    ///
    /// # Errors
    /// [`SpendError::Unavailable`] when the store doesn't answer, or doesn't take what was recorded.
    pub async fn spent(&self, mut scope: SpendScope, span: SpendSpan) -> Result<Cost, SpendError> {
        scope.tidy();
        self.flush().await?;
        self.0.store.spent(scope, span).await
    }

    /// Adds up.
    ///
    /// # Errors
    /// [`SpendError::Unavailable`] when the store doesn't answer.
    pub async fn sums(&self, mut query: SpendQuery) -> Result<Vec<SpendSum>, SpendError> {
        query.filter.scope.tidy();
        self.0.store.sums(query).await
    }

    /// The rows of a filter, the latest first: `limit` of those before that one.
    ///
    /// # Errors
    /// As [`sums`](Self::sums).
    pub async fn rows(
        &self,
        mut filter: SpendFilter,
        before: Option<SpendId>,
        limit: u64,
    ) -> Result<Vec<SpendRow>, SpendError> {
        filter.scope.tidy();
        self.0.store.rows(filter, before, limit).await
    }

    /// Takes somebody out of all rows, also out of those that this process has yet to move. Gives of how many. Their cost stays, and is nobody's.
    ///
    /// # Errors
    /// [`SpendError::Unavailable`] when the store doesn't answer, or doesn't take what was recorded.
    pub async fn erase(&self, whom: Erase) -> Result<u64, SpendError> {
        self.flush().await?;
        self.0.store.erase(whom).await
    }

    /// Waits until all that this process has recorded, and what it has taken over, is in the store.
    ///
    /// # Errors
    /// [`SpendError::Unavailable`] when it isn't after [`SpendBuilder::patience`].
    pub async fn flush(&self) -> Result<(), SpendError> {
        let Way::Journal(journal, told) = &self.0.way else {
            return Ok(());
        };
        let segment = journal.snapshot();
        let place = (segment.turn, segment.end);
        let mut moved = told.moved.subscribe();
        told.wake.notify_one();
        let there = moved.wait_for(|moved| *moved >= place);
        match tokio::time::timeout(self.0.patience, there).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(SpendError::unavailable(error)),
            Err(_) => Err(SpendError::unavailable(
                "what was recorded can't be moved to the store",
            )),
        }
    }

    /// Moves what is left, and ends. Call it once no more calls are served; what isn't moved stays for the next process.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn shutdown(&self) -> Result<(), SpendError> {
        let flushed = self.flush().await;
        let tasks =
            std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tasks = tasks;
        tasks.shutdown().await;
        if let (Ok(()), Way::Journal(journal, _)) = (&flushed, &self.0.way) {
            journal.end();
        }
        flushed
    }
}

impl fmt::Debug for Spend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spend")
            .field("store", &self.0.store)
            .field("takes", &self.takes())
            .finish_non_exhaustive()
    }
}
