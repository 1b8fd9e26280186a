//! What waits for the store.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sighting::Sighting;

/// The most sightings that wait for a store.
pub(super) const MOST_WAITING: usize = 10_000;

/// Sightings that the store has not been told of.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<VecDeque<Sighting>>);

impl Waiting {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Sighting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, sighting: impl IntoIterator<Item = Sighting>) {
        let mut lost = 0;
        let mut sightings = sighting.into_iter().peekable();
        if sightings.peek().is_none() {
            return;
        }
        let mut queue = self.queue();
        for sighting in sightings {
            if queue.len() >= MOST_WAITING {
                queue.pop_front();
                lost += 1;
            }
            queue.push_back(sighting);
        }
        if lost > 0 {
            metrics::counter!("bartizan.auth.watch.lost_sightings").increment(lost);
        }
    }

    /// The oldest of them, which wait again unless they are [taken](Batch::taken).
    pub(super) fn batch(&self, most: usize) -> Option<Batch<'_>> {
        let mut queue = self.queue();
        let most = most.min(queue.len());
        let sightings: Vec<Sighting> = queue.drain(..most).collect();
        (!sightings.is_empty()).then_some(Batch {
            waiting: self,
            sightings,
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.queue().len()
    }
}

/// Sightings that a store is being told of. Whoever tells it may be cut off.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    waiting: &'a Waiting,
    sightings: Vec<Sighting>,
}

impl Batch<'_> {
    pub(super) fn sightings(&self) -> &[Sighting] {
        &self.sightings
    }

    /// The store knows them.
    pub(super) fn taken(mut self) {
        self.sightings.clear();
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.waiting.add(std::mem::take(&mut self.sightings));
    }
}
