//! Stores that fail as told, and the secrets that tests use.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod inside;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use bartizan_auth::{
    Account, AccountId, AccountQuery, KeyDigest, KeyId, KeyQuery, KeyRecord, KeyStore, Keys,
    MasterKey, MemoryStore, Pepper, Sighting, SightingQuery, Spread, SpreadQuery, StoreError,
};
use bartizan_core::{ManualClock, Principal};
use secrecy::SecretString;

pub(crate) const MASTER: &str = "sk-5a0d83f7c2164be99e7b20f1d86c4a3e";
pub(crate) const PEPPER: &str = "9f1c6bd2a07e43f58b3d6e2c914a7f05";

pub(crate) fn pepper() -> Pepper {
    Pepper::new(&SecretString::from(PEPPER)).unwrap()
}

pub(crate) fn master() -> MasterKey {
    MasterKey::new(SecretString::from(MASTER)).unwrap()
}

pub(crate) fn admin() -> Principal {
    master().verify(MASTER).unwrap()
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(Duration::from_secs(1_700_000_000))
}

pub(crate) fn keys(store: impl KeyStore, clock: &ManualClock) -> Keys {
    Keys::builder(store, pepper())
        .clock(clock.clone())
        .store_timeout(Duration::from_millis(400))
        .build()
}

/// How a [`FaultyStore`] answers lookups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    None,
    Error,
    Hang,
    OthersKey,
    /// Only the accounts can't be told.
    Accounts,
    /// Only keys by their names can't be told.
    Elders,
    /// Only changes can't be made.
    Writes,
}

/// A store in memory that fails as told, and counts what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    fault: Arc<AtomicU8>,
    lookups: Arc<AtomicU64>,
    others: Option<KeyRecord>,
}

impl FaultyStore {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            fault: Arc::default(),
            lookups: Arc::default(),
            others: None,
        }
    }

    pub(crate) fn answering(mut self, others: KeyRecord) -> Self {
        self.others = Some(others);
        self
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    pub(crate) fn lookups(&self) -> u64 {
        self.lookups.load(Ordering::SeqCst)
    }

    async fn fault_at(&self, place: Fault) -> Result<(), StoreError> {
        if self.fault.load(Ordering::SeqCst) == place as u8 {
            return Err(StoreError::unavailable("disk I/O error"));
        }
        self.fault().await
    }

    async fn fault(&self) -> Result<(), StoreError> {
        match self.fault.load(Ordering::SeqCst) {
            fault if fault == Fault::Error as u8 => Err(StoreError::unavailable("disk I/O error")),
            fault if fault == Fault::Hang as u8 => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

impl KeyStore for FaultyStore {
    async fn find(&self, digest: &KeyDigest) -> Result<Option<KeyRecord>, StoreError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.fault().await?;
        if self.fault.load(Ordering::SeqCst) == Fault::OthersKey as u8 {
            return Ok(self.others.clone());
        }
        self.inner.find(digest).await
    }

    async fn get(&self, key_ids: &[KeyId]) -> Result<Vec<KeyRecord>, StoreError> {
        self.fault_at(Fault::Elders).await?;
        self.inner.get(key_ids).await
    }

    async fn insert(&self, record: KeyRecord) -> Result<(), StoreError> {
        self.fault().await?;
        self.inner.insert(record).await
    }

    async fn replace(&self, record: KeyRecord, seen: u64) -> Result<bool, StoreError> {
        self.fault_at(Fault::Writes).await?;
        self.inner.replace(record, seen).await
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        self.fault_at(Fault::Accounts).await?;
        self.inner.accounts(ids).await
    }

    async fn insert_account(&self, account: Account) -> Result<(), StoreError> {
        self.fault().await?;
        self.inner.insert_account(account).await
    }

    async fn replace_account(&self, account: Account, seen: u64) -> Result<bool, StoreError> {
        self.fault().await?;
        self.inner.replace_account(account, seen).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        self.fault().await?;
        self.inner.list_accounts(query).await
    }

    async fn see(&self, sightings: Vec<Sighting>) -> Result<(), StoreError> {
        self.fault().await?;
        self.inner.see(sightings).await
    }

    async fn sightings(&self, query: &SightingQuery) -> Result<Vec<Sighting>, StoreError> {
        self.fault().await?;
        self.inner.sightings(query).await
    }

    async fn spread(&self, query: &SpreadQuery) -> Result<Vec<Spread>, StoreError> {
        self.fault().await?;
        self.inner.spread(query).await
    }

    async fn forget_sightings(&self, before: Duration) -> Result<u64, StoreError> {
        self.fault().await?;
        self.inner.forget_sightings(before).await
    }

    async fn remove(&self, key_id: &KeyId) -> Result<bool, StoreError> {
        self.fault().await?;
        self.inner.remove(key_id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        self.fault().await?;
        self.inner.list(query).await
    }
}
