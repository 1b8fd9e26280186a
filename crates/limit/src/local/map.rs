//! Where the meters are found by their names.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::meter::{Meter, Now};
use crate::store::{Away, Counter};

const SHARDS: usize = 64;
const FIRST_SWEEP: usize = 64;
/// How long a sweep of all that has found no room keeps the next from trying.
const SWEEP_PAUSE: u64 = 1_000;

pub(super) type Cell = Arc<Mutex<Meter>>;

/// Meters by name. A shard is locked only to find or to place one, never while a decision is made.
#[derive(Debug)]
pub(super) struct Map {
    shards: Box<[Mutex<Shard>]>,
    census: Mutex<Census>,
    most: usize,
}

#[derive(Debug, Default)]
struct Shard {
    // A counter brings its hash with it.
    meters: HashMap<Counter, Cell, BuildHasherDefault<Brought>>,
    /// Idle meters are looked for when there are as many as this.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Census {
    meters: usize,
    sweep_after: u64,
}

impl Map {
    pub(super) fn new(most: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            census: Mutex::default(),
            most,
        }
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.census).meters
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The meter of `counter`, if there is one.
    pub(super) fn find(&self, counter: &Counter) -> Option<Cell> {
        let shard = lock(self.shard(counter)?);
        shard.meters.get(counter).map(Arc::clone)
    }

    /// The meter of `counter`, new if there is none. Who holds it keeps it from being forgotten.
    pub(super) fn open(&self, counter: &Counter, now: impl Fn() -> Now) -> Result<Cell, Away> {
        if let Some(cell) = self.find(counter) {
            return Ok(cell);
        }
        if !self.count_in() {
            self.make_room(now().slid, &now);
            if !self.count_in() {
                return Err(Away::Full);
            }
        }
        Ok(self.place(counter, &now))
    }

    /// The meter of `counter`, new even where there are as many as there may be: what is settled must not be lost.
    pub(super) fn open_beyond(&self, counter: &Counter, now: impl Fn() -> Now) -> Cell {
        if let Some(cell) = self.find(counter) {
            return cell;
        }
        lock(&self.census).meters += 1;
        self.place(counter, &now)
    }

    /// Calls `look` with every meter.
    pub(super) fn each(&self, mut look: impl FnMut(&Counter, &Meter)) {
        for shard in &self.shards {
            for (counter, cell) in &lock(shard).meters {
                look(counter, &lock(cell));
            }
        }
    }

    /// Places a meter that the census has counted already.
    fn place(&self, counter: &Counter, now: &impl Fn() -> Now) -> Cell {
        let new = || Arc::new(Mutex::new(Meter::new(counter.kind())));
        let Some(shard) = self.shard(counter) else {
            return new();
        };
        let mut shard = lock(shard);
        if let Some(cell) = shard.meters.get(counter) {
            // Another call was faster.
            lock(&self.census).meters -= 1;
            return Arc::clone(cell);
        }
        if shard.meters.len() >= shard.sweep_at.max(FIRST_SWEEP) {
            let gone = shard.sweep(now());
            lock(&self.census).meters -= gone;
        }
        Arc::clone(shard.meters.entry(counter.clone()).or_insert_with(new))
    }

    fn count_in(&self) -> bool {
        let mut census = lock(&self.census);
        let room = census.meters < self.most;
        if room {
            census.meters += 1;
        }
        room
    }

    fn make_room(&self, now_slid: u64, now: &impl Fn() -> Now) {
        {
            let mut census = lock(&self.census);
            if now_slid < census.sweep_after {
                return;
            }
            census.sweep_after = now_slid + SWEEP_PAUSE;
        }
        for shard in &self.shards {
            let mut shard = lock(shard);
            let gone = shard.sweep(now());
            lock(&self.census).meters -= gone;
        }
    }

    fn shard(&self, counter: &Counter) -> Option<&Mutex<Shard>> {
        // The table picks its bucket by the low bits, and its tag by the highest.
        self.shards
            .get((counter.hash_value() >> 40) as usize % SHARDS)
    }
}

impl Shard {
    /// Forgets meters that stand as new ones would: doubling the mark each time keeps the cost of a call constant.
    fn sweep(&mut self, now: Now) -> usize {
        let before = self.meters.len();
        self.meters.retain(|_, cell| {
            // Nobody can take one of it while the shard is locked.
            !Arc::get_mut(cell).is_some_and(|meter| {
                meter
                    .get_mut()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_idle(now)
            })
        });
        self.sweep_at = (self.meters.len() * 2).max(FIRST_SWEEP);
        self.meters.shrink_to(self.sweep_at);
        before - self.meters.len()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks panics; were it to, refusing every call from then on would be worse than one lost reservation.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default)]
struct Brought(u64);

impl Hasher for Brought {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
