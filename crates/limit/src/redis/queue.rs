//! Settlements on their way to Redis.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::Cmd;
use tokio::sync::Notify;

use super::words::{Space, width};
use crate::store::{Claim, Counter, Kind, SLOTS};

/// How many entries one script settles: a few hundred microseconds of the server's time.
const BATCH: usize = 128;
/// How many entries there are before those that no window counts any more are looked for.
const FIRST_SWEEP: usize = 16_384;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    /// Given back to a slot, by the server's time.
    Back(u64),
    /// Taken in a slot, by this process's time.
    Taken(u64),
    /// Held by a holder no more, and spent.
    Spent(u64),
}

#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    amount: u64,
    /// Spent in a period.
    spent: u64,
    /// When something was last taken, by this process's time.
    at: u64,
}

/// What is to be settled, added up: so it is bounded by the counts and their slots, however long the server is away.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: Mutex<Entries>,
    filled: Notify,
}

#[derive(Debug)]
struct Entries {
    all: HashMap<(Counter, Act), Amount>,
    sweep_at: usize,
}

impl Default for Entries {
    fn default() -> Self {
        Self {
            all: HashMap::new(),
            sweep_at: FIRST_SWEEP,
        }
    }
}

/// When the counts of a call were charged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Charged {
    /// In Redis, by a holder, at the server's time.
    There { holder: u64, at: u64 },
    /// In this process, at its own time.
    Here { at: u64 },
}

impl Queue {
    /// Adds what became of a call's `claims`. `now` is this process's time.
    pub(super) fn settle(&self, claims: &[Claim], charged: Charged, used: &[u64], now: u64) {
        let mut entries = self.entries();
        for (claim, used) in claims.iter().zip(used) {
            entries.settle(&claim.counter, claim.amount, *used, charged, now);
            if let Some(share) = &claim.share {
                entries.settle(&share.own, claim.amount, *used, charged, now);
            }
        }
        if entries.all.len() > entries.sweep_at {
            entries.sweep(now);
        }
        let some = !entries.all.is_empty();
        drop(entries);
        if some {
            self.filled.notify_one();
        }
    }

    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries().all.is_empty()
    }

    /// Takes out all that there is.
    pub(super) fn take(&self) -> Vec<Batch> {
        let all = std::mem::take(&mut *self.entries()).all;
        let mut batches = Vec::with_capacity(all.len().div_ceil(BATCH));
        let mut all = all.into_iter().peekable();
        while all.peek().is_some() {
            batches.push(Batch(all.by_ref().take(BATCH).collect()));
        }
        batches
    }

    /// Leaves out what was spent: whoever keeps the ledger tells it to a store that has lost its counts.
    pub(super) fn forget_spent(&self) {
        self.entries()
            .all
            .retain(|(_, act), _| !matches!(act, Act::Spent(_)));
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn settle(&mut self, counter: &Counter, amount: u64, used: u64, charged: Charged, now: u64) {
        match (counter.kind(), charged) {
            (Kind::Sliding(window), Charged::There { at, .. }) => {
                let width = width(window);
                self.add(
                    counter,
                    Act::Back(at / width),
                    amount.saturating_sub(used),
                    0,
                    0,
                );
                self.add(
                    counter,
                    Act::Taken(now / width),
                    used.saturating_sub(amount),
                    0,
                    now,
                );
            }
            (Kind::Sliding(window), Charged::Here { at }) => {
                self.add(counter, Act::Taken(at / width(window)), used, 0, at);
            }
            (Kind::Gauge, Charged::There { holder, .. }) => {
                self.add(counter, Act::Spent(holder), amount, 0, 0);
            }
            (Kind::Period { .. }, Charged::There { holder, .. }) => {
                self.add(counter, Act::Spent(holder), amount, used, 0);
            }
            (Kind::Period { .. }, Charged::Here { .. }) => {
                self.add(counter, Act::Spent(0), 0, used, 0);
            }
            (Kind::Gauge, Charged::Here { .. }) => {}
        }
    }

    fn add(&mut self, counter: &Counter, act: Act, amount: u64, spent: u64, at: u64) {
        if amount == 0 && spent == 0 {
            return;
        }
        let known = match self.all.entry((counter.clone(), act)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Amount::default()),
        };
        known.amount = known.amount.saturating_add(amount);
        known.spent = known.spent.saturating_add(spent);
        known.at = known.at.max(at);
    }

    /// Drops what no window counts any more.
    fn sweep(&mut self, now: u64) {
        self.all
            .retain(|(counter, act), amount| match counter.kind() {
                Kind::Sliding(window) => {
                    let slot = match act {
                        // The server's clock may be another: within a window it is forgiven.
                        Act::Back(slot) => slot + 2 * SLOTS,
                        _ => amount.at / width(window) + SLOTS,
                    };
                    slot >= now / width(window)
                }
                Kind::Gauge | Kind::Period { .. } => true,
            });
        self.sweep_at = (2 * self.all.len()).max(FIRST_SWEEP);
    }
}

/// What one script settles, at once and once.
#[derive(Debug)]
pub(super) struct Batch(Vec<((Counter, Act), Amount)>);

impl Batch {
    pub(super) fn forget_spent(&mut self) {
        self.0.retain(|((_, act), _)| !matches!(act, Act::Spent(_)));
    }

    /// `number` is the batch's own, by which the server knows it from one that it has settled. `now` is this process's time.
    pub(super) fn words(
        &self,
        script: &str,
        space: &Space,
        process: u64,
        number: u64,
        life: u64,
        now: u64,
    ) -> Cmd {
        let mut places: HashMap<&Counter, usize> = HashMap::with_capacity(self.0.len());
        let mut keys = Vec::with_capacity(self.0.len());
        for ((counter, _), _) in &self.0 {
            places.entry(counter).or_insert_with(|| {
                keys.push(space.key(counter));
                keys.len()
            });
        }
        let mut words = redis::cmd("EVALSHA");
        words.arg(script).arg(keys.len() + 2);
        words.arg(space.live()).arg(space.done(process)).arg(&keys);
        words.arg(number).arg(life);
        for ((counter, act), amount) in &self.0 {
            words.arg(places.get(counter).copied().unwrap_or_default());
            match (counter.kind(), act) {
                (Kind::Sliding(window), Act::Back(slot)) => {
                    words.arg(0).arg(width(window)).arg(slot).arg(amount.amount);
                }
                (Kind::Sliding(window), _) => {
                    let age = now.saturating_sub(amount.at);
                    words.arg(1).arg(width(window)).arg(age).arg(amount.amount);
                }
                (kind, Act::Spent(holder)) => {
                    let act = if kind == Kind::Gauge { 2 } else { 3 };
                    words
                        .arg(act)
                        .arg(holder)
                        .arg(amount.amount)
                        .arg(amount.spent);
                }
                // Made by nobody.
                (_, Act::Back(_) | Act::Taken(_)) => {
                    words.arg(2).arg(0).arg(0).arg(0);
                }
            }
        }
        words
    }
}
