//! Finds the key that somebody presents: among those that are remembered, or in the store, by either pepper.

use std::sync::Arc;
use std::time::Duration;

use super::Keys;
use crate::account::Account;
use crate::cache::Known;
use crate::chain::Caller;
use crate::digest::KeyDigest;
use crate::key::VirtualKey;
use crate::record::{KeyRecord, Previous};
use crate::store::StoreError;

impl Keys {
    pub(super) async fn look_up(
        &self,
        key: VirtualKey<'_>,
    ) -> Result<Option<Arc<Known>>, StoreError> {
        let digest = self.pepper.digest(key);
        let now = self.clock.monotonic();
        if let Some(known) = self.cache.get(&digest, now) {
            metrics::counter!("bartizan.auth.key_lookups", "outcome" => "cached").increment(1);
            return Ok(Some(known));
        }
        let ticket = self.cache.ticket(now);
        let found = self.find(key).await;
        let outcome = match &found {
            Ok(Some(_)) => "found",
            Ok(None) => "absent",
            Err(_) => "failed",
        };
        metrics::counter!("bartizan.auth.key_lookups", "outcome" => outcome).increment(1);
        let Some(Found {
            record,
            accounts,
            until,
        }) = found?
        else {
            return Ok(None);
        };
        let caller = Caller::from(&record);
        let (chain, accounts) = self.chain(&caller, &record.lineage, Some(accounts)).await?;
        let known = Known::of_key(digest, record, until, &chain, accounts, &self.groups);
        let known = Arc::new(known);
        self.cache.insert(Arc::clone(&known), ticket);
        metrics::gauge!("bartizan.auth.cached_keys").set(self.cache.len() as f64);
        Ok(Some(known))
    }

    /// The key of that text, whatever its standing.
    pub(super) async fn find(&self, key: VirtualKey<'_>) -> Result<Option<Found>, StoreError> {
        let digest = self.pepper.digest(key);
        if let Some(found) = self.ask(self.store.find_with_accounts(&digest)).await? {
            return Found::of(found, &digest).map(Some);
        }
        let Some(previous) = &self.previous else {
            return Ok(None);
        };
        let old = previous.digest(key);
        let Some(found) = self.ask(self.store.find_with_accounts(&old)).await? else {
            return Ok(None);
        };
        let found = Found::of(found, &old)?;
        self.rewrite(found.record.clone(), old, digest);
        Ok(Some(found))
    }

    /// Writes a key that was found by the pepper of before back under the pepper of now. On a task of its own: nobody waits for it, and where it
    /// fails the key is found by the old one once more.
    fn rewrite(&self, mut record: KeyRecord, old: KeyDigest, digest: KeyDigest) {
        if record.digest == old {
            record.digest = digest;
        } else if let Some(previous) = &mut record.previous {
            previous.digest = digest;
        }
        let keys = self.clone();
        let seen = record.version;
        tokio::spawn(async move {
            let key_id = record.key_id.clone();
            let outcome = match keys.ask(keys.store.replace(record, seen)).await {
                Ok(true) => "rewritten",
                Ok(false) => "overtaken",
                Err(_) => "failed",
            };
            metrics::counter!("bartizan.auth.rewritten_digests", "outcome" => outcome).increment(1);
            tracing::debug!(%key_id, outcome, "a key was known by the previous pepper");
        });
    }
}

/// A key as the store has it.
pub(super) struct Found {
    pub(super) record: KeyRecord,
    /// Those that the key names, as far as they have records.
    accounts: Vec<Account>,
    /// Until when the text is good that it was found by, where that is the key's text of before.
    until: Option<Duration>,
}

impl Found {
    fn of(
        (record, accounts): (KeyRecord, Vec<Account>),
        digest: &KeyDigest,
    ) -> Result<Self, StoreError> {
        let until = match record.previous {
            _ if record.digest == *digest => None,
            Some(Previous { digest: old, until }) if old == *digest => Some(until),
            // A store that mixes up its rows must not hand one caller another's rights.
            _ => {
                return Err(StoreError::unavailable(
                    "the store gave another key than was asked for",
                ));
            }
        };
        Ok(Self {
            record,
            accounts,
            until,
        })
    }
}
