//! Keys that were looked up a moment ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::account::{AccountId, AccountKind};
use crate::chain::{Admitted, Caller, Chain};
use crate::digest::KeyDigest;
use crate::narrow::Groups;
use crate::record::KeyRecord;
use crate::store::Change;

/// A caller with what binds it, and who is let in once its standing is checked.
#[derive(Debug)]
pub(crate) struct Known {
    /// What it is found again by.
    pub(crate) digest: KeyDigest,
    /// The key, where a key is what it is known by.
    pub(crate) record: Option<KeyRecord>,
    /// Until when its text is good, where that is the key's text of before.
    pub(crate) until: Option<Duration>,
    /// Which account of it is blocked or deleted.
    pub(crate) closed: Option<AccountKind>,
    pub(crate) admitted: Admitted,
    /// The accounts that it hangs on, those that have no record included: they may get one.
    accounts: Vec<AccountId>,
}

impl Known {
    pub(crate) fn of_key(
        digest: KeyDigest,
        record: KeyRecord,
        until: Option<Duration>,
        chain: &Chain,
        accounts: Vec<AccountId>,
        groups: &Groups,
    ) -> Self {
        let caller = Caller::from(&record);
        let (admitted, closed) = (chain.admit(&caller, groups), chain.closed(&caller));
        Self {
            digest,
            record: Some(record),
            until,
            closed,
            admitted,
            accounts,
        }
    }

    pub(crate) fn of_claims(
        digest: KeyDigest,
        closed: Option<AccountKind>,
        admitted: Admitted,
        accounts: Vec<AccountId>,
    ) -> Self {
        Self {
            digest,
            record: None,
            until: None,
            closed,
            admitted,
            accounts,
        }
    }

    /// Whether the change may have changed it.
    fn hangs_on(&self, change: &Change) -> bool {
        match change {
            Change::Key(key_id) => self
                .record
                .as_ref()
                .is_some_and(|record| record.key_id == *key_id || record.lineage.contains(key_id)),
            Change::Account(id) => self.accounts.contains(id),
            Change::Anything => true,
        }
    }
}

/// Remembers looked-up keys for a while, and forgets at once those that are changed through it.
///
/// Bounded by two generations: when the young one is full it becomes the old one, and the old one is forgotten; a key that is
/// used moves back to the young one. So nothing is ever searched for what to evict.
pub(crate) struct Cache {
    generations: Mutex<Generations>,
    ttl: Duration,
    half: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<KeyDigest, Entry>,
    old: HashMap<KeyDigest, Entry>,
    /// Counts what was forgotten. A record read from the store before a change must not enter after it.
    changes: u64,
}

#[derive(Clone)]
struct Entry {
    known: Arc<Known>,
    read_at: Duration,
}

/// Taken before the store is asked, and given back with its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    changes: u64,
    taken_at: Duration,
}

impl Cache {
    pub(crate) fn new(ttl: Duration, capacity: usize) -> Self {
        Self {
            generations: Mutex::default(),
            ttl,
            half: (capacity / 2).max(1),
        }
    }

    /// Gives the key when it was read from the store less than the time to live before `now`.
    pub(crate) fn get(&self, digest: &KeyDigest, now: Duration) -> Option<Arc<Known>> {
        let mut generations = self.generations();
        if let Some(entry) = generations.young.get(digest) {
            return self.fresh(entry, now);
        }
        let entry = generations.old.remove(digest)?;
        let known = self.fresh(&entry, now)?;
        self.put(&mut generations, *digest, entry);
        Some(known)
    }

    pub(crate) fn ticket(&self, now: Duration) -> Ticket {
        Ticket {
            changes: self.generations().changes,
            taken_at: now,
        }
    }

    /// Remembers what the store said, unless some key was changed since the ticket was taken.
    pub(crate) fn insert(&self, known: Arc<Known>, ticket: Ticket) {
        let mut generations = self.generations();
        if generations.changes == ticket.changes {
            let digest = known.digest;
            generations.old.remove(&digest);
            self.put(
                &mut generations,
                digest,
                Entry {
                    known,
                    read_at: ticket.taken_at,
                },
            );
        }
    }

    /// Forgets at once what hangs on what was changed.
    pub(crate) fn forget(&self, change: &Change) {
        let mut generations = self.generations();
        generations.changes += 1;
        generations
            .young
            .retain(|_, entry| !entry.known.hangs_on(change));
        generations
            .old
            .retain(|_, entry| !entry.known.hangs_on(change));
    }

    pub(crate) fn len(&self) -> usize {
        let generations = self.generations();
        generations.young.len() + generations.old.len()
    }

    fn fresh(&self, entry: &Entry, now: Duration) -> Option<Arc<Known>> {
        (now.saturating_sub(entry.read_at) < self.ttl).then(|| Arc::clone(&entry.known))
    }

    fn put(&self, generations: &mut Generations, digest: KeyDigest, entry: Entry) {
        if generations.young.len() >= self.half && !generations.young.contains_key(&digest) {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(digest, entry);
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyId;

    const TTL: Duration = Duration::from_secs(30);

    fn known(number: u8) -> Arc<Known> {
        let digest = KeyDigest::from_bytes([number; 32]);
        let record = KeyRecord::new(KeyId::generate().unwrap(), digest, Duration::ZERO);
        let chain = Chain::default();
        Arc::new(Known::of_key(
            digest,
            record,
            None,
            &chain,
            Vec::new(),
            &Groups::new(),
        ))
    }

    fn put(cache: &Cache, known: &Arc<Known>, now: Duration) {
        cache.insert(Arc::clone(known), cache.ticket(now));
    }

    #[test]
    fn a_key_serves_until_its_ttl_and_not_a_nanosecond_longer() {
        let (cache, key) = (Cache::new(TTL, 10), known(1));
        put(&cache, &key, Duration::ZERO);
        assert!(
            cache
                .get(&key.digest, TTL - Duration::from_nanos(1))
                .is_some()
        );
        assert!(cache.get(&key.digest, TTL).is_none());
    }

    #[test]
    fn use_does_not_prolong_a_life() {
        let (cache, key) = (Cache::new(TTL, 2), known(1));
        put(&cache, &key, Duration::ZERO);
        for second in 0..30 {
            put(&cache, &known(2 + second), Duration::ZERO);
            assert!(
                cache
                    .get(&key.digest, Duration::from_secs(u64::from(second)))
                    .is_some(),
                "evicted while in use"
            );
        }
        assert!(cache.get(&key.digest, TTL).is_none());
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::new(TTL, 10);
        for number in 0..=255 {
            put(&cache, &known(number), Duration::ZERO);
            assert!(cache.len() <= 10);
        }
    }

    #[test]
    fn a_forgotten_key_is_gone_from_both_generations() {
        let (cache, key) = (Cache::new(TTL, 4), known(1));
        put(&cache, &key, Duration::ZERO);
        put(&cache, &known(2), Duration::ZERO);
        put(&cache, &known(3), Duration::ZERO);
        cache.forget(&Change::Key(key.record.clone().unwrap().key_id));
        assert!(cache.get(&key.digest, Duration::ZERO).is_none());
    }

    #[test]
    fn an_answer_from_before_a_change_does_not_come_back() {
        let (cache, key) = (Cache::new(TTL, 10), known(1));
        let ticket = cache.ticket(Duration::ZERO);
        cache.forget(&Change::Key(key.record.clone().unwrap().key_id));
        cache.insert(Arc::clone(&key), ticket);
        assert!(cache.get(&key.digest, Duration::ZERO).is_none());
    }
}
