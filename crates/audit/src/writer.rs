//! The task that writes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bartizan_core::Clock;
use metrics::{counter, gauge, histogram};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::chain::Chain;
use crate::entry::{Entry, Gap};
use crate::error::Error;
use crate::journal::Shared;
use crate::sink::{Batch, Sink};

/// Enough that one `fdatasync` serves everyone who waits, few enough that sealing them doesn't hold up the runtime for a millisecond.
const LARGEST_BATCH: usize = 256;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One record on its way, and who waits for it.
pub(crate) struct Item {
    pub(crate) entry: Entry,
    pub(crate) durable: Option<oneshot::Sender<()>>,
}

pub(crate) struct Writer<S> {
    sink: S,
    chain: Chain,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    patience: Duration,
}

impl<S: Sink> Writer<S> {
    pub(crate) fn new(
        sink: S,
        chain: Chain,
        clock: Arc<dyn Clock>,
        shared: Arc<Shared>,
        patience: Duration,
    ) -> Self {
        Self {
            sink,
            chain,
            clock,
            shared,
            patience,
        }
    }

    /// Writes the journal's opening record. Unlike all later ones it is tried once: a journal that can't be written isn't opened.
    pub(crate) async fn first(&mut self, entry: Entry) -> Result<(), Error> {
        let (batch, _) = self.seal(vec![Item {
            entry,
            durable: None,
        }]);
        timeout(self.patience, self.sink.append(&batch))
            .await
            .map_err(|_| Error::TimedOut)??;
        self.written(&batch);
        Ok(())
    }

    /// Writes until the queue is closed and empty, and every place in it is given back.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Item>) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let mut items = Vec::new();
        let mut open = true;
        loop {
            tokio::select! {
                () = shared.closing.notified(), if open => {
                    open = false;
                    queue.close();
                }
                count = queue.recv_many(&mut items, LARGEST_BATCH) => {
                    if count == 0 {
                        break;
                    }
                    let (batch, waiting) = self.seal(std::mem::take(&mut items));
                    self.commit(&batch).await;
                    for waits in waiting {
                        // Who gave up waiting doesn't want to know.
                        let _ = waits.send(());
                    }
                }
            }
        }
        // Drops that came after the last batch still have to be owned up to.
        let (batch, _) = self.seal(Vec::new());
        if !batch.is_empty() {
            self.commit(&batch).await;
        }
        self.sink.close().await
    }

    /// Links the records to the chain, behind one that tells of records dropped since the last batch.
    fn seal(&mut self, items: Vec<Item>) -> (Arc<Batch>, Vec<oneshot::Sender<()>>) {
        let dropped = self.shared.dropped.swap(0, Ordering::AcqRel);
        let gap = (dropped > 0).then(|| Item {
            entry: Entry::Gap(Gap::new(self.clock.unix(), dropped)),
            durable: None,
        });
        let mut text = Vec::with_capacity(items.len() * 1024);
        let mut records = Vec::with_capacity(items.len() + 1);
        let mut waiting = Vec::new();
        for Item { entry, durable } in gap.into_iter().chain(items) {
            match self.chain.seal(&entry, &mut text) {
                Ok(range) => {
                    records.push((entry, range));
                    waiting.extend(durable);
                }
                // Its waiter is dropped with it, and so hears of it. No entry of this crate can fail here.
                Err(error) => {
                    tracing::error!(kind = entry.kind(), %error, "an audit record can't be written as JSON");
                    counter!("bartizan.audit.dropped", "kind" => entry.kind()).increment(1);
                }
            }
        }
        let (anchor, mac) = (self.chain.at().clone(), self.chain.anchor_mac());
        (
            Arc::new(Batch {
                text,
                records,
                anchor,
                mac,
            }),
            waiting,
        )
    }

    /// Tries until the batch is durable.
    //
    // ## Healthy => Failing: an append failed, or takes longer than the patience. Strict journals refuse new calls.
    // ## Failing => Healthy: the same batch became durable.
    async fn commit(&mut self, batch: &Arc<Batch>) {
        let mut pause = FIRST_PAUSE;
        let start = self.clock.monotonic();
        loop {
            match self.append(batch).await {
                Ok(()) => break,
                Err(error) => {
                    failing(&self.shared, &error);
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        histogram!("bartizan.audit.commit.duration")
            .record(self.clock.monotonic().saturating_sub(start).as_secs_f64());
        self.written(batch);
    }

    /// Appends once. A sink that hangs is not given up on, since what it was given may yet be written; it counts as failing meanwhile.
    async fn append(&mut self, batch: &Arc<Batch>) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let mut append = std::pin::pin!(self.sink.append(batch));
        match timeout(self.patience, &mut append).await {
            Ok(done) => done,
            Err(_) => {
                failing(&shared, &Error::TimedOut);
                append.await
            }
        }
    }

    fn written(&self, batch: &Batch) {
        *self
            .shared
            .anchor
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = batch.anchor.clone();
        if !self.shared.healthy.swap(true, Ordering::AcqRel) {
            tracing::warn!(seq = batch.anchor.seq, "the audit sink takes records again");
        }
        gauge!("bartizan.audit.healthy").set(1.0);
        histogram!("bartizan.audit.batch.records").record(batch.len() as f64);
        for (entry, _) in batch.records() {
            counter!("bartizan.audit.records", "kind" => entry.kind()).increment(1);
        }
    }
}

/// Marks the sink as failing until a batch becomes durable.
pub(crate) fn failing(shared: &Shared, error: &Error) {
    counter!("bartizan.audit.failures").increment(1);
    gauge!("bartizan.audit.healthy").set(0.0);
    if shared.healthy.swap(false, Ordering::AcqRel) {
        tracing::error!(%error, "the audit sink fails: strict journals refuse calls until it recovers");
    } else {
        tracing::debug!(%error, "the audit sink still fails");
    }
}
