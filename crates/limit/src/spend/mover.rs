//! Moves entries from journals to the store, behind everybody's back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::Clock;
use metrics::{counter, gauge};
use tokio::sync::{Notify, watch};

use super::frame::HEADER;
use super::journal::{Journal, Rest, Segment, read, set_aside};
use super::store::{Batch, SpendError, SpendStore};

/// The most entries of one transaction.
const MOST: usize = 2_000;
/// A file that is longer is ended, so that it can be removed.
const ROTATE: u64 = 4 * 1024 * 1024;
/// How often it is looked for what dead processes have left.
const LOOK: Duration = Duration::from_secs(30);
/// How often a store that is away is asked again, at most.
const SLOWEST: Duration = Duration::from_secs(5);
/// How often it is told that it is away.
const TELL: Duration = Duration::from_secs(60);

/// A place in the journals of this process: which file, and how far.
pub(crate) type Place = (u64, u64);

/// What the mover and those who wait for it share.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) wake: Notify,
    /// Up to where all is in the store.
    pub(crate) moved: watch::Sender<Place>,
    /// Whether the store took what it was given last.
    pub(crate) reaches: watch::Sender<bool>,
}

pub(crate) struct Mover {
    pub(crate) journal: Arc<Journal>,
    pub(crate) store: Arc<dyn SpendStore>,
    pub(crate) told: Arc<Told>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) every: Duration,
    /// Files that nobody writes any more, the oldest first.
    old: VecDeque<Segment>,
    /// Up to where the file that is being written was moved.
    active: Place,
    looked: Option<Duration>,
    complained: Option<Duration>,
    failures: u32,
}

impl Mover {
    pub(crate) fn new(
        journal: Arc<Journal>,
        store: Arc<dyn SpendStore>,
        told: Arc<Told>,
        clock: Arc<dyn Clock>,
        every: Duration,
    ) -> Self {
        Self {
            journal,
            store,
            told,
            clock,
            every,
            old: VecDeque::new(),
            active: (0, HEADER),
            looked: None,
            complained: None,
            failures: 0,
        }
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            self.pass().await;
            let pause = self.every.saturating_mul(1 << self.failures.min(5));
            let pause = pause.min(SLOWEST.max(self.every));
            // Who waits is told of a failure by the pass that they wake.
            let _woken = tokio::time::timeout(pause, self.told.wake.notified()).await;
        }
    }

    /// Moves all that is there.
    async fn pass(&mut self) {
        self.look().await;
        self.journal.retry();
        gauge!("bartizan.spend.waiting_bytes").set(self.journal.waiting() as f64);
        match self.all().await {
            Ok(()) => {
                if std::mem::take(&mut self.failures) > 0 {
                    tracing::info!("the store of spending is back");
                }
                self.told.reaches.send_replace(true);
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                counter!("bartizan.spend.store_failures").increment(1);
                self.complain(&error);
                self.told.reaches.send_replace(false);
            }
        }
    }

    fn complain(&mut self, error: &SpendError) {
        let now = self.clock.monotonic();
        if self
            .complained
            .is_none_or(|then| now.saturating_sub(then) >= TELL)
        {
            self.complained = Some(now);
            let beneath = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(
                %error,
                beneath,
                waiting_bytes = self.journal.waiting(),
                lost = self.journal.lost(),
                takes = self.journal.takes(),
                "spending waits in the journal: the store takes none"
            );
        }
    }

    /// Looks for what others have left behind, at first and now and then.
    async fn look(&mut self) {
        let now = self.clock.monotonic();
        if self
            .looked
            .is_some_and(|then| now.saturating_sub(then) < LOOK)
        {
            return;
        }
        self.looked = Some(now);
        let journal = Arc::clone(&self.journal);
        let found = tokio::task::spawn_blocking(move || journal.take_over()).await;
        match found {
            Ok(Ok(found)) => {
                for segment in &found {
                    tracing::info!(
                        path = %segment.path.display(),
                        bytes = segment.end.saturating_sub(HEADER),
                        "took over a journal of spending that another process has left behind"
                    );
                }
                self.old.extend(found);
            }
            Ok(Err(error)) => tracing::error!(%error, "the folder of journals can't be read"),
            Err(_cancelled) => {}
        }
    }

    async fn all(&mut self) -> Result<(), SpendError> {
        for mut broken in self.journal.broken() {
            if broken.turn == self.active.0 {
                broken.moved = Some(self.active.1);
            }
            self.old.push_back(broken);
        }
        while let Some(mut segment) = self.old.pop_front() {
            match self.end(&mut segment).await {
                Ok(()) => {}
                Err(error) => {
                    self.old.push_front(segment);
                    return Err(error);
                }
            }
        }
        let mut segment = self.journal.snapshot();
        if self.active.0 != segment.turn {
            self.active = (segment.turn, HEADER);
        }
        segment.moved = Some(self.active.1);
        let rest = self.file(&mut segment).await;
        self.active.1 = segment.moved.unwrap_or(HEADER);
        let damaged = rest? != Rest::Nothing;
        self.told.moved.send_replace(self.active);
        if damaged || segment.end >= ROTATE {
            let mut ended = self.journal.rotate().map_err(SpendError::Journal)?;
            ended.moved = Some(self.active.1);
            self.old.push_back(ended);
        }
        Ok(())
    }

    /// Moves the rest of a file that nobody writes any more, and removes it.
    async fn end(&mut self, segment: &mut Segment) -> Result<(), SpendError> {
        if segment.moved.is_none() {
            let moved = self.store.moved(segment.name).await?;
            segment.moved = Some(moved.unwrap_or(HEADER).max(HEADER));
            let before = moved.unwrap_or(HEADER).saturating_sub(HEADER);
            self.journal
                .moved(before.min(segment.end.saturating_sub(HEADER)));
        }
        let rest = self.file(segment).await?;
        let left = segment.end.saturating_sub(segment.moved.unwrap_or(HEADER));
        match rest {
            Rest::Damaged => set_aside(&segment.path, "an entry in it can't be read"),
            Rest::Torn(bytes) => {
                counter!("bartizan.spend.torn").increment(1);
                tracing::warn!(
                    path = %segment.path.display(),
                    bytes,
                    "a process ended while it wrote an entry into its journal of spending: that one is in no report"
                );
                remove(segment);
            }
            Rest::Nothing | Rest::More => remove(segment),
        }
        self.journal.moved(left);
        // Where this fails, a row of the store names a file that is no more, and no harm is done.
        let _forgotten = self.store.close(segment.name).await;
        Ok(())
    }

    /// Moves what is in a file as far as it can be read.
    async fn file(&mut self, segment: &mut Segment) -> Result<Rest, SpendError> {
        loop {
            let from = segment.moved.unwrap_or(HEADER);
            if from >= segment.end {
                return Ok(Rest::Nothing);
            }
            let (file, end) = (Arc::clone(&segment.file), segment.end);
            let piece = tokio::task::spawn_blocking(move || read(&file, from, end, MOST)).await;
            let piece = piece
                .map_err(SpendError::unavailable)?
                .map_err(SpendError::Journal)?;
            if !piece.entries.is_empty() {
                let entries = piece.entries.len() as u64;
                let batch = Batch {
                    journal: segment.name,
                    from: if from == HEADER { 0 } else { from },
                    to: piece.to,
                    entries: piece.entries,
                };
                self.append(segment, batch).await?;
                self.journal.moved(piece.to - from);
                segment.moved = Some(piece.to);
                counter!("bartizan.spend.moved").increment(entries);
            }
            if piece.rest != Rest::More {
                return Ok(piece.rest);
            }
        }
    }

    async fn append(&self, segment: &mut Segment, batch: Batch) -> Result<(), SpendError> {
        let done = self.store.append(batch).await;
        if matches!(done, Err(SpendError::Misplaced)) {
            // What is kept is known better where it is kept.
            segment.moved = self.store.moved(segment.name).await?;
        }
        done
    }
}

fn remove(segment: &Segment) {
    if let Err(error) = std::fs::remove_file(&segment.path) {
        tracing::error!(path = %segment.path.display(), %error, "a journal of spending that was moved can't be removed");
    }
}
