//! Keys in memory, gone with the process.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::record::KeyRecord;
use crate::store::{KeyQuery, KeyStore, KeyUpdate, StoreError};

const MOST_KEYS: usize = 100_000;

/// Keeps keys in memory, at most 100,000, for tests and for services that mint their keys at every start. Clones share one memory.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Keys>>);

#[derive(Default)]
struct Keys {
    records: BTreeMap<KeyId, KeyRecord>,
    digests: HashMap<KeyDigest, KeyId>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        // Nothing between two writes of one change can panic, so a poisoned lock guards whole data.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryStore {
    async fn find(&self, digest: &KeyDigest) -> Result<Option<KeyRecord>, StoreError> {
        let keys = self.keys();
        Ok(keys
            .digests
            .get(digest)
            .and_then(|key_id| keys.records.get(key_id))
            .cloned())
    }

    async fn get(&self, key_id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.keys().records.get(key_id).cloned())
    }

    async fn insert(&self, record: KeyRecord) -> Result<(), StoreError> {
        let mut keys = self.keys();
        if keys.records.len() >= MOST_KEYS {
            return Err(StoreError::Full);
        }
        if keys.records.contains_key(&record.key_id) || keys.digests.contains_key(&record.digest) {
            return Err(StoreError::Taken("key"));
        }
        let live = |other: &KeyRecord| other.revoked_at.is_none() && other.alias == record.alias;
        if record.alias.is_some() && record.revoked_at.is_none() && keys.records.values().any(live)
        {
            return Err(StoreError::Taken("key_alias"));
        }
        keys.digests.insert(record.digest, record.key_id.clone());
        keys.records.insert(record.key_id.clone(), record);
        Ok(())
    }

    async fn update(&self, key_id: &KeyId, update: KeyUpdate) -> Result<bool, StoreError> {
        let mut keys = self.keys();
        let Some(record) = keys.records.get_mut(key_id) else {
            return Ok(false);
        };
        record.blocked = update.blocked.unwrap_or(record.blocked);
        record.revoked_at = record.revoked_at.or(update.revoked_at);
        Ok(true)
    }

    async fn remove(&self, key_id: &KeyId) -> Result<bool, StoreError> {
        let mut keys = self.keys();
        let Some(record) = keys.records.remove(key_id) else {
            return Ok(false);
        };
        keys.digests.remove(&record.digest);
        Ok(true)
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        let start = query
            .after
            .as_ref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let wanted = |asked: &Option<String>, has: &Option<String>| asked.is_none() || asked == has;
        let keys = self.keys();
        let found = keys
            .records
            .range::<KeyId, _>((start, Bound::Unbounded))
            .map(|(_, record)| record)
            .filter(|record| {
                wanted(&query.team_id, &record.team_id)
                    && wanted(&query.user_id, &record.user_id)
                    && wanted(&query.alias, &record.alias)
                    && (query.revoked || record.revoked_at.is_none())
                    && query
                        .visible_to
                        .as_ref()
                        .is_none_or(|viewer| viewer.sees(record))
            });
        Ok(found.take(query.page()).cloned().collect())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("keys", &self.keys().records.len())
            .finish()
    }
}
