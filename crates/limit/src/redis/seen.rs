//! Where counts stood when Redis was last asked.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::words::width;
use crate::store::{Counter, Kind, SLOTS};

const SHARDS: usize = 64;
/// A quarter of a million in all.
const MOST: usize = 4_096;
const SWEEP_PAUSE: u64 = 1_000;

/// Counts by name: what was taken, and when that was seen. Of what doesn't fit nothing is known: a period is seeded then, and of a window only the
/// limit binds.
#[derive(Debug)]
pub(super) struct Seen {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    /// A shard's most.
    most: usize,
}

#[derive(Debug, Default)]
struct Shard {
    counts: HashMap<Counter, (u64, u64)>,
    /// When it may be looked through again for what no longer counts.
    sweep_after: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Seen {
    fn of(most: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            most,
        }
    }

    pub(super) fn learn(&self, counter: &Counter, taken: u64, now: u64) {
        // Calls at once are over when they end, which may be long before Redis is back.
        if matches!(counter.kind(), Kind::Gauge) {
            return;
        }
        let Some(mut shard) = self.shard(counter) else {
            return;
        };
        if let Some(known) = shard.counts.get_mut(counter) {
            *known = (taken, now);
            return;
        }
        if shard.counts.len() >= self.most && now >= shard.sweep_after {
            shard.sweep_after = now + SWEEP_PAUSE;
            shard
                .counts
                .retain(|counter, (_, at)| counts(counter, *at, now));
        }
        if shard.counts.len() < self.most {
            shard.counts.insert(counter.clone(), (taken, now));
        }
    }

    /// What was taken, if that still counts.
    pub(super) fn taken(&self, counter: &Counter, now: u64) -> Option<u64> {
        let (taken, at) = *self.shard(counter)?.counts.get(counter)?;
        counts(counter, at, now).then_some(taken)
    }

    fn shard(&self, counter: &Counter) -> Option<MutexGuard<'_, Shard>> {
        let shards = u64::try_from(self.shards.len()).unwrap_or(1).max(1);
        let shard = usize::try_from(self.hasher.hash_one(counter) % shards).unwrap_or_default();
        let shard = self.shards.get(shard)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether what was seen at `at` still counts.
fn counts(counter: &Counter, at: u64, now: u64) -> bool {
    match counter.kind() {
        Kind::Sliding(window) => {
            let width = width(window);
            at / width + SLOTS >= now / width
        }
        Kind::Gauge => false,
        Kind::Period { end, .. } => end.is_none_or(|end| now < end.saturating_mul(1_000)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_no_longer_counts_makes_room_and_what_does_stays() {
        const MOST: usize = 8;
        let seen = Seen::of(MOST);
        let name = |number: usize| {
            Counter::new(
                format!("count {number}"),
                Kind::Sliding(Duration::from_mins(1)),
            )
        };
        for number in 0..SHARDS * MOST * 2 {
            seen.learn(&name(number), 1, 1_000);
        }
        let held = || {
            seen.shards
                .iter()
                .map(|shard| shard.lock().unwrap().counts.len())
        };
        assert_eq!(held().max(), Some(MOST));
        assert_eq!(seen.taken(&name(0), 2_000), Some(1));
        assert_eq!(seen.taken(&name(SHARDS * MOST * 2 - 1), 2_000), None);
        seen.learn(&name(usize::MAX), 2, 100_000);
        assert_eq!(seen.taken(&name(usize::MAX), 100_000), Some(2));
        assert_eq!(seen.taken(&name(0), 100_000), None);
    }
}
