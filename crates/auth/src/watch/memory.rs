//! What is remembered of all callers: bounded, and cut into pieces that are locked apart.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_core::Principal;

use super::place::Place;
use super::seen::{Seen, Use};
use super::waiting::Waiting;

const SHARDS: usize = 64;

type Shard = HashMap<Box<str>, Seen>;

/// All callers' use.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    /// Of keys in a shard, and of addresses of a key.
    most_keys: usize,
    most_addresses: usize,
    pub(super) waiting: Waiting,
}

impl Memory {
    pub(super) fn new(keys: usize, most_addresses: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            most_keys: keys.div_ceil(SHARDS).max(1),
            most_addresses,
            waiting: Waiting::default(),
        }
    }

    /// Takes a use in, and lets `judge` see what is remembered of the key. `None` where the caller's name can't be kept.
    pub(super) fn used<T>(
        &self,
        who: &Principal,
        address: IpAddr,
        now: Duration,
        place: impl FnOnce() -> Option<Place>,
        judge: impl FnOnce(&mut Seen, Use) -> T,
    ) -> Option<T> {
        let mut shard = self.shard(who.key_id())?;
        let taken = |seen: &mut Seen| {
            let used = seen.used(address, now, self.most_addresses, place, &self.waiting);
            if used == Use::New {
                seen.who = who.clone();
            }
            judge(seen, used)
        };
        if let Some(seen) = shard.get_mut(who.key_id()) {
            return Some(taken(seen));
        }
        let seen = Seen::of(who, now)?;
        self.make_room_for_key(&mut shard);
        let seen = shard.entry(who.key_id().into()).or_insert(seen);
        Some(taken(seen))
    }

    /// What is remembered of a key, if anything.
    pub(super) fn with<T>(&self, name: &str, look: impl FnOnce(&mut Seen) -> T) -> Option<T> {
        self.shard(name)?.get_mut(name).map(look)
    }

    pub(super) const fn most_addresses(&self) -> usize {
        self.most_addresses
    }

    /// Looks at each key, a shard at a time.
    pub(super) fn each(&self, mut look: impl FnMut(&mut Seen)) -> usize {
        let mut keys = 0;
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            keys += shard.len();
            shard.values_mut().for_each(&mut look);
        }
        keys
    }

    /// Lets what the store has not been told of wait for it.
    pub(super) fn send(&self) -> usize {
        self.each(|seen| seen.send(&self.waiting))
    }

    fn make_room_for_key(&self, shard: &mut Shard) {
        if shard.len() < self.most_keys {
            return;
        }
        // One that is still to be blocked is not forgotten for one that is not.
        let oldest = shard
            .iter()
            .min_by_key(|(_, seen)| (seen.blocking, seen.last))
            .map(|(key, _)| key.clone());
        if let Some(mut seen) = oldest.and_then(|key| shard.remove(&key)) {
            seen.send(&self.waiting);
        }
    }

    /// By a hash that nobody outside knows: who may choose names must not choose whom they drive out of memory.
    fn shard(&self, name: &str) -> Option<MutexGuard<'_, Shard>> {
        let [place, ..] = self.hasher.hash_one(name).to_le_bytes();
        let shard = self.shards.get(usize::from(place) % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use bartizan_core::Identity;

    use super::super::seen::HOUR;
    use super::super::waiting::MOST_WAITING;
    use super::*;

    #[test]
    fn a_million_uses_stay_within_the_bounds() {
        let memory = Memory::new(1_000, 8);
        let keys: Vec<Principal> = (0..10_000)
            .map(|number| Principal::assume_verified(Identity::new(format!("key_{number:022}"))))
            .collect();
        let mut now = HOUR;
        for round in 0..100_u32 {
            for who in &keys {
                now += Duration::from_millis(1);
                let address = IpAddr::V4(Ipv4Addr::from_bits(round % 20));
                let _ = memory.used(who, address, now, || None, |_, _| ());
            }
        }
        let mut most = 0;
        let remembered = memory.each(|seen| most = most.max(seen.at.len()));
        assert!(remembered <= 1_000 + SHARDS, "{remembered}");
        assert!(most <= 8, "{most}");
        assert_eq!(memory.waiting.len(), MOST_WAITING);

        let who = keys.last().unwrap();
        for last in 0..100 {
            let address = IpAddr::V4(Ipv4Addr::from_bits(last));
            let _ = memory.used(who, address, now, || None, |_, _| ());
        }
        let _ = memory.each(|seen| most = most.max(seen.at.len()));
        assert_eq!(most, 8);
    }

    #[test]
    fn a_name_that_no_store_takes_is_not_kept() {
        let memory = Memory::new(1_000, 8);
        let long = "n".repeat(257);
        for (name, is_kept) in [
            ("a", true),
            ("jwt:9f1c6bd2a07e43f58b3d6e2c914a7f05", true),
            ("", false),
            ("a\0b", false),
            ("a\nb", false),
            (&long, false),
        ] {
            let who = Principal::assume_verified(Identity::new(name));
            let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let kept = memory.used(&who, address, HOUR, || None, |_, _| ());
            assert_eq!(kept.is_some(), is_kept, "{name:?}");
        }
    }
}
