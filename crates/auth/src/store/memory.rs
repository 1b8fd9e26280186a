//! Keys in memory, gone with the process.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::account::{Account, AccountId};
use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::record::KeyRecord;
use crate::sighting::{Sighting, Spread};
use crate::store::{AccountQuery, KeyQuery, KeyStore, SightingQuery, SpreadQuery, StoreError};

const MOST_RECORDS: usize = 100_000;
const HOUR: u64 = 3_600;

/// Keeps keys in memory, at most 100,000 keys, accounts and sightings each, for tests and for services that mint their keys at every
/// start. Clones share one memory. The sightings that were seen last longest ago make room for new ones.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    keys: BTreeMap<KeyId, KeyRecord>,
    digests: HashMap<KeyDigest, KeyId>,
    accounts: BTreeMap<AccountId, Account>,
    /// By caller, address and hour.
    sightings: BTreeMap<(String, std::net::IpAddr, u64), Sighting>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing between two writes of one change can panic, so a poisoned lock guards whole data.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn check_alias(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let rival = |other: &KeyRecord| {
            other.key_id != record.key_id
                && other.revoked_at.is_none()
                && other.alias == record.alias
        };
        if record.alias.is_some() && record.revoked_at.is_none() && self.keys.values().any(rival) {
            return Err(StoreError::Taken("key_alias"));
        }
        Ok(())
    }

    fn check_digests(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let taken = |digest| {
            self.digests
                .get(&digest)
                .is_some_and(|holder| *holder != record.key_id)
        };
        if digests(record).into_iter().flatten().any(taken) {
            return Err(StoreError::Taken("key"));
        }
        Ok(())
    }

    fn put(&mut self, record: KeyRecord) {
        for digest in digests(&record).into_iter().flatten() {
            self.digests.insert(digest, record.key_id.clone());
        }
        self.keys.insert(record.key_id.clone(), record);
    }

    fn take(&mut self, key_id: &KeyId) -> Option<KeyRecord> {
        let record = self.keys.remove(key_id)?;
        for digest in digests(&record).into_iter().flatten() {
            self.digests.remove(&digest);
        }
        Some(record)
    }
}

fn digests(record: &KeyRecord) -> [Option<KeyDigest>; 2] {
    [
        Some(record.digest),
        record.previous.map(|previous| previous.digest),
    ]
}

fn wanted(asked: &Option<String>, has: &Option<String>) -> bool {
    asked.is_none() || asked == has
}

impl KeyStore for MemoryStore {
    async fn find(&self, digest: &KeyDigest) -> Result<Option<KeyRecord>, StoreError> {
        let memory = self.memory();
        Ok(memory
            .digests
            .get(digest)
            .and_then(|key_id| memory.keys.get(key_id))
            .cloned())
    }

    async fn get(&self, key_ids: &[KeyId]) -> Result<Vec<KeyRecord>, StoreError> {
        let memory = self.memory();
        Ok(key_ids
            .iter()
            .filter_map(|key_id| memory.keys.get(key_id).cloned())
            .collect())
    }

    async fn insert(&self, record: KeyRecord) -> Result<(), StoreError> {
        let mut memory = self.memory();
        if memory.keys.len() >= MOST_RECORDS {
            return Err(StoreError::Full);
        }
        if memory.keys.contains_key(&record.key_id) {
            return Err(StoreError::Taken("key"));
        }
        memory.check_digests(&record)?;
        memory.check_alias(&record)?;
        memory.put(record);
        Ok(())
    }

    async fn replace(&self, mut record: KeyRecord, seen: u64) -> Result<bool, StoreError> {
        let mut memory = self.memory();
        let Some(old) = memory.keys.get(&record.key_id) else {
            return Ok(false);
        };
        if old.version != seen {
            return Ok(false);
        }
        record.revoked_at = old.revoked_at.or(record.revoked_at);
        record.version = seen + 1;
        memory.check_digests(&record)?;
        memory.check_alias(&record)?;
        memory.take(&record.key_id);
        memory.put(record);
        Ok(true)
    }

    async fn remove(&self, key_id: &KeyId) -> Result<bool, StoreError> {
        Ok(self.memory().take(key_id).is_some())
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        let start = query
            .after
            .as_ref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let memory = self.memory();
        let found = memory
            .keys
            .range::<KeyId, _>((start, Bound::Unbounded))
            .map(|(_, record)| record)
            .filter(|record| {
                let due = |by| {
                    record
                        .rotation
                        .is_some_and(|rotation| rotation.next_at <= by)
                };
                wanted(&query.team_id, &record.team_id)
                    && wanted(&query.user_id, &record.user_id)
                    && wanted(&query.organization_id, &record.organization_id)
                    && wanted(&query.alias, &record.alias)
                    && query.rotates_by.is_none_or(due)
                    && (query.revoked || record.revoked_at.is_none())
                    && query
                        .visible_to
                        .as_ref()
                        .is_none_or(|viewer| viewer.sees(record))
            });
        Ok(found.take(query.page()).cloned().collect())
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let memory = self.memory();
        Ok(ids
            .iter()
            .filter_map(|id| memory.accounts.get(id).cloned())
            .collect())
    }

    async fn insert_account(&self, account: Account) -> Result<(), StoreError> {
        let mut memory = self.memory();
        if memory.accounts.len() >= MOST_RECORDS {
            return Err(StoreError::Full);
        }
        if memory.accounts.contains_key(&account.id) {
            return Err(StoreError::Taken(account.id.kind.id_field()));
        }
        memory.accounts.insert(account.id.clone(), account);
        Ok(())
    }

    async fn replace_account(&self, mut account: Account, seen: u64) -> Result<bool, StoreError> {
        let mut memory = self.memory();
        let Some(old) = memory.accounts.get_mut(&account.id) else {
            return Ok(false);
        };
        if old.version != seen {
            return Ok(false);
        }
        account.deleted_at = old.deleted_at.or(account.deleted_at);
        account.version = seen + 1;
        *old = account;
        Ok(true)
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        let memory = self.memory();
        let has = |account: &Account, user: &String| {
            account.members.iter().any(|member| member.user_id == *user)
        };
        let found = memory.accounts.values().filter(|account| {
            account.id.kind == query.kind
                && query
                    .after
                    .as_ref()
                    .is_none_or(|after| account.id.id > *after)
                && wanted(&query.organization_id, &account.organization_id)
                && wanted(&query.alias, &account.alias)
                && query.member.as_ref().is_none_or(|user| has(account, user))
                && (query.deleted || account.deleted_at.is_none())
        });
        Ok(found.take(query.page()).cloned().collect())
    }

    async fn see(&self, sightings: Vec<Sighting>) -> Result<(), StoreError> {
        let mut memory = self.memory();
        for new in sightings {
            let place = (
                new.key_id.clone(),
                new.address,
                new.last_seen.as_secs() / HOUR,
            );
            if let Some(old) = memory.sightings.get_mut(&place) {
                old.first_seen = old.first_seen.min(new.first_seen);
                old.last_seen = old.last_seen.max(new.last_seen);
                old.uses = old.uses.saturating_add(new.uses);
                old.country = new.country.or(old.country.take());
                continue;
            }
            if memory.sightings.len() >= MOST_RECORDS {
                let oldest = memory
                    .sightings
                    .iter()
                    .min_by_key(|(_, seen)| seen.last_seen);
                if let Some(oldest) = oldest.map(|(place, _)| place.clone()) {
                    memory.sightings.remove(&oldest);
                }
            }
            memory.sightings.insert(place, new);
        }
        Ok(())
    }

    async fn sightings(&self, query: &SightingQuery) -> Result<Vec<Sighting>, StoreError> {
        let memory = self.memory();
        let mut found: Vec<Sighting> = memory
            .sightings
            .values()
            .filter(|seen| {
                seen.last_seen >= query.since
                    && query
                        .key_id
                        .as_ref()
                        .is_none_or(|key_id| seen.key_id == *key_id)
            })
            .cloned()
            .collect();
        found.sort_by_key(|seen| Reverse(seen.last_seen));
        found.truncate(query.page());
        Ok(found)
    }

    async fn spread(&self, query: &SpreadQuery) -> Result<Vec<Spread>, StoreError> {
        let memory = self.memory();
        let sees = |name: &str| {
            query.visible_to.as_ref().is_none_or(|viewer| {
                let record = KeyId::parse(name).and_then(|key_id| memory.keys.get(&key_id));
                name == viewer.key_id || record.is_some_and(|record| viewer.sees(record))
            })
        };
        let mut by_key: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
        let late = memory.sightings.values();
        for seen in late.filter(|seen| seen.last_seen >= query.since && sees(&seen.key_id)) {
            by_key
                .entry(seen.key_id.clone())
                .or_default()
                .push(seen.clone());
        }
        drop(memory);
        Ok(Spread::rank(by_key, query.least))
    }

    async fn forget_sightings(&self, before: Duration) -> Result<u64, StoreError> {
        let mut memory = self.memory();
        let had = memory.sightings.len();
        memory.sightings.retain(|_, seen| seen.last_seen >= before);
        Ok(u64::try_from(had - memory.sightings.len()).unwrap_or(u64::MAX))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("keys", &self.memory().keys.len())
            .finish_non_exhaustive()
    }
}
