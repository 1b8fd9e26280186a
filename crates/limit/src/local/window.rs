//! What was taken in a sliding window.

use std::time::Duration;

use crate::store::SLOTS;

/// The amounts of the slots that still count, the oldest first. Most windows are touched in few of their slots, so only those are kept.
#[derive(Debug)]
pub(super) struct Window {
    /// A slot's length in milliseconds.
    width: u64,
    taken: Vec<(u64, u64)>,
    sum: u64,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        Self {
            width: (length / SLOTS).max(1),
            taken: Vec::new(),
            sum: 0,
        }
    }

    pub(super) fn is_of(&self, length: Duration) -> bool {
        self.width == Self::new(length).width
    }

    /// Forgets what has left by `now`.
    pub(super) fn advance(&mut self, now: u64) {
        let Some(oldest) = (now / self.width).checked_sub(SLOTS) else {
            return;
        };
        if self.taken.first().is_none_or(|(slot, _)| *slot >= oldest) {
            return;
        }
        let gone = self.taken.partition_point(|(slot, _)| *slot < oldest);
        for (_, amount) in self.taken.drain(..gone) {
            self.sum = self.sum.saturating_sub(amount);
        }
    }

    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }

    pub(super) fn take(&mut self, amount: u64, now: u64) {
        if amount == 0 {
            return;
        }
        let slot = now / self.width;
        match self.taken.last_mut() {
            Some((last, taken)) if *last >= slot => *taken = taken.saturating_add(amount),
            _ => self.taken.push((slot, amount)),
        }
        self.sum = self.sum.saturating_add(amount);
    }

    /// Takes back from the slot of `at`, if that still counts.
    pub(super) fn give_back(&mut self, amount: u64, at: u64) {
        let slot = at / self.width;
        let Ok(place) = self.taken.binary_search_by_key(&slot, |(slot, _)| *slot) else {
            return;
        };
        let Some((_, taken)) = self.taken.get_mut(place) else {
            return;
        };
        let amount = amount.min(*taken);
        *taken -= amount;
        self.sum = self.sum.saturating_sub(amount);
        if *taken == 0 {
            self.taken.remove(place);
        }
    }

    /// When what was taken leaves, the oldest first: the moment, and how much.
    pub(super) fn departures(&self) -> impl Iterator<Item = (u64, u64)> {
        self.taken
            .iter()
            .map(|(slot, amount)| ((slot + SLOTS + 1) * self.width, *amount))
    }

    /// The moment at which no more than `room` is left in it, if nothing more comes.
    pub(super) fn down_to(&self, room: u64) -> Option<u64> {
        let mut left = self.sum;
        self.departures().find_map(|(moment, amount)| {
            left = left.saturating_sub(amount);
            (left <= room).then_some(moment)
        })
    }

    /// The moment at which nothing is left.
    pub(super) fn empty_at(&self) -> Option<u64> {
        self.taken
            .last()
            .map(|(slot, _)| (slot + SLOTS + 1) * self.width)
    }
}
