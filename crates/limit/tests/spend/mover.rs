//! From the journal to the store: each entry once, whatever fails between.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bartizan_core::Cost;
use bartizan_limit::spend::{
    Batch, Erase, Fold, JournalId, MemorySpend, Spend, SpendError, SpendFilter, SpendId,
    SpendQuery, SpendRow, SpendScope, SpendSpan, SpendStore, SpendSum, StoreFuture,
};

use super::{NOW, calls, entry};

const WELL: u8 = 0;
const AWAY: u8 = 1;
/// Does what it is told, and never gets to say so.
const MUTE: u8 = 2;

/// A store that fails when it is told to.
#[derive(Clone, Debug, Default)]
struct Flaky {
    inner: Arc<MemorySpend>,
    how: Arc<AtomicU8>,
}

impl Flaky {
    fn be(&self, how: u8) {
        self.how.store(how, Ordering::SeqCst);
    }

    fn fails(&self, how: u8) -> Result<(), SpendError> {
        if self.how.load(Ordering::SeqCst) == how {
            return Err(SpendError::unavailable("away"));
        }
        Ok(())
    }
}

impl SpendStore for Flaky {
    fn moved(&self, journal: JournalId) -> StoreFuture<'_, Option<u64>> {
        Box::pin(async move {
            self.fails(AWAY)?;
            self.inner.moved(journal).await
        })
    }

    fn append(&self, batch: Batch) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.fails(AWAY)?;
            self.inner.append(batch).await?;
            self.fails(MUTE)
        })
    }

    fn close(&self, journal: JournalId) -> StoreFuture<'_, ()> {
        self.inner.close(journal)
    }

    fn spent(&self, scope: SpendScope, span: SpendSpan) -> StoreFuture<'_, Cost> {
        self.inner.spent(scope, span)
    }

    fn sums(&self, query: SpendQuery) -> StoreFuture<'_, Vec<SpendSum>> {
        self.inner.sums(query)
    }

    fn rows(
        &self,
        filter: SpendFilter,
        before: Option<SpendId>,
        limit: u64,
    ) -> StoreFuture<'_, Vec<SpendRow>> {
        self.inner.rows(filter, before, limit)
    }

    fn oldest(&self, days: bool) -> StoreFuture<'_, Option<Duration>> {
        self.inner.oldest(days)
    }

    fn fold(&self, fold: Fold) -> StoreFuture<'_, u64> {
        self.inner.fold(fold)
    }

    fn erase(&self, whom: Erase) -> StoreFuture<'_, u64> {
        self.inner.erase(whom)
    }

    fn forget(&self, before: Duration) -> StoreFuture<'_, u64> {
        self.inner.forget(before)
    }
}

fn open(folder: &Path, store: &Flaky) -> Spend {
    let builder = Spend::builder().patience(Duration::from_millis(300));
    // Nothing of these tests' times is to be summed up by itself.
    let clock = bartizan_core::ManualClock::at(Duration::from_secs(NOW));
    builder.clock(clock).open(folder, store.clone()).unwrap()
}

fn record(spend: &Spend, count: u64) {
    for n in 0..count {
        let mut entry = entry(NOW + n, "key");
        entry.cost = Cost::from_femto_dollars(1);
        spend.record(entry);
    }
}

async fn spent(spend: &Spend) -> Result<u128, SpendError> {
    let cost = spend.spent(SpendScope::default(), SpendSpan::EVER).await?;
    Ok(cost.femto_dollars())
}

/// Ends a process that can't say good-bye. Its lock goes with its file, once its tasks are gone.
async fn kill(spend: Spend) {
    drop(spend);
    tokio::time::sleep(Duration::from_millis(50)).await;
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn what_was_recorded_is_in_the_next_answer_and_in_the_store_within_a_second() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Flaky::default());
    let spend = open(folder.path(), &store);
    record(&spend, 3);
    assert_eq!(spent(&spend).await.unwrap(), 3);
    record(&spend, 2);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(calls(&*store.inner).await, 5);
}

#[tokio::test]
async fn a_store_that_is_away_loses_nothing_and_is_not_hidden() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Flaky::default());
    store.be(AWAY);
    let spend = open(folder.path(), &store);
    record(&spend, 3);
    assert!(
        spent(&spend).await.is_err(),
        "what is not known is not told"
    );
    assert!(!spend.reaches_store() && spend.takes());
    record(&spend, 3);
    store.be(WELL);
    spend.flush().await.unwrap();
    assert!(spend.reaches_store());
    assert_eq!(spent(&spend).await.unwrap(), 6);
}

#[tokio::test]
async fn a_store_that_does_not_get_to_say_what_it_did_counts_nothing_twice() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Flaky::default());
    let spend = open(folder.path(), &store);
    record(&spend, 3);
    store.be(MUTE);
    assert!(spend.flush().await.is_err());
    record(&spend, 2);
    assert!(spend.flush().await.is_err());
    store.be(WELL);
    assert_eq!(spent(&spend).await.unwrap(), 5);
}

#[tokio::test]
async fn a_process_that_dies_between_store_and_journal_counts_nothing_twice_even_after_sums() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Flaky::default());
    let first = open(folder.path(), &store);
    record(&first, 3);
    store.be(MUTE);
    assert!(first.flush().await.is_err());
    record(&first, 2);
    store.be(AWAY);
    kill(first).await;
    let day = SpendSpan {
        from: Duration::from_secs(NOW - 86_400),
        to: Duration::from_secs(NOW + 86_400),
    };
    store.inner.fold(Fold::Day(day)).await.unwrap();
    store.be(WELL);
    let second = open(folder.path(), &store);
    assert_eq!(spent(&second).await.unwrap(), 5);
    assert_eq!(calls(&*store.inner).await, 5);
    assert_eq!(files(folder.path()), 1, "what was taken over is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_share_a_folder_take_over_from_those_that_end_and_from_no_other() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Flaky::default());
    let mut alive = Vec::new();
    for round in 0..12 {
        let spend = open(folder.path(), &store);
        record(&spend, 10);
        if round % 3 == 0 {
            alive.push(spend);
        } else {
            kill(spend).await;
        }
    }
    let last = open(folder.path(), &store);
    last.flush().await.unwrap();
    for spend in &alive {
        spend.flush().await.unwrap();
    }
    assert_eq!(calls(&*store.inner).await, 120);
    assert_eq!(files(folder.path()), alive.len() + 1);
}

#[tokio::test]
async fn files_are_ended_and_removed_and_a_shutdown_leaves_none() {
    let (folder, store) = (tempfile::tempdir().unwrap(), Flaky::default());
    let spend = open(folder.path(), &store);
    for _ in 0..4 {
        record(&spend, 10_000);
        // A slow machine may not manage it in the short patience of these tests.
        while spend.flush().await.is_err() {}
    }
    assert_eq!(spent(&spend).await.unwrap(), 40_000);
    let bytes: u64 = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes < 6 * 1024 * 1024, "{bytes}");
    record(&spend, 1);
    while spend.shutdown().await.is_err() {}
    assert_eq!(calls(&*store.inner).await, 40_001);
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn a_torn_tail_costs_one_entry_and_damage_what_is_behind_it() {
    for (ending, left) in [(&b"\x50\x00\x00\x00half"[..], 1), (&[0xff; 64][..], 2)] {
        let (folder, store) = (tempfile::tempdir().unwrap(), Flaky::default());
        store.be(AWAY);
        let first = open(folder.path(), &store);
        record(&first, 3);
        kill(first).await;
        let file = std::fs::read_dir(folder.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let mut file = OpenOptions::new().append(true).open(file.path()).unwrap();
        file.write_all(ending).unwrap();
        drop(file);
        store.be(WELL);
        let second = open(folder.path(), &store);
        assert_eq!(spent(&second).await.unwrap(), 3, "{ending:?}");
        assert_eq!(files(folder.path()), left);
    }
}
