//! Shows keys and takes them back.

use bartizan_core::{Principal, Role};

use super::Keys;
use super::mint::whole_milliseconds;
use crate::key::{KeyId, VirtualKey};
use crate::narrow;
use crate::record::KeyRecord;
use crate::store::{KeyQuery, KeyUpdate, Viewer};
use crate::{Error, StoreError};

impl Keys {
    /// Shows one key. `which` is its public name, or the key itself.
    ///
    /// A proxy admin sees every key; anybody else their own, their user's, and those that they minted.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the viewer may not see it; [`Error::Store`] when the store fails.
    pub async fn info(&self, viewer: &Principal, which: &str) -> Result<KeyRecord, Error> {
        let found = if let Some(key) = VirtualKey::parse(which) {
            let digest = self.pepper.digest(key);
            self.ask(self.store.find(&digest)).await?
        } else if let Some(key_id) = KeyId::parse(which) {
            self.ask(self.store.get(&key_id)).await?
        } else {
            None
        };
        found
            .filter(|record| is_admin(viewer) || as_viewer(viewer).sees(record))
            .ok_or(Error::NotFound)
    }

    /// Shows a page of keys, in the order of their names, as far as the viewer may see them (as [`info`](Self::info) says).
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn list(
        &self,
        viewer: &Principal,
        mut query: KeyQuery,
    ) -> Result<Vec<KeyRecord>, Error> {
        if !is_admin(viewer) {
            query.visible_to = Some(as_viewer(viewer));
        }
        Ok(self.ask(self.store.list(&query)).await?)
    }

    /// Takes a key back for good, at once in this process. Its record stays, for the books. `which` is its public name, or the key itself.
    ///
    /// Once begun, it is carried through even when the caller stops waiting.
    ///
    /// # Errors
    /// As [`info`](Self::info): who may see a key may revoke it.
    pub async fn revoke(&self, by: &Principal, which: &str) -> Result<KeyRecord, Error> {
        let mut record = self.info(by, which).await?;
        if record.revoked_at.is_none() {
            let update = KeyUpdate {
                revoked_at: Some(whole_milliseconds(self.clock.unix())),
                ..KeyUpdate::default()
            };
            record.revoked_at = update.revoked_at;
            self.change(&record.key_id, Change::Update(update)).await?;
            tracing::debug!(key_id = %record.key_id, by = by.key_id(), "revoked a key");
        }
        Ok(record)
    }

    /// Blocks a key for now, or unblocks it, at once in this process. `which` is its public name, or the key itself.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless `by` is a proxy admin; else as [`info`](Self::info).
    pub async fn set_blocked(
        &self,
        by: &Principal,
        which: &str,
        blocked: bool,
    ) -> Result<KeyRecord, Error> {
        if !is_admin(by) {
            return Err(Error::Forbidden(
                "only a proxy admin blocks and unblocks keys",
            ));
        }
        let mut record = self.info(by, which).await?;
        let update = KeyUpdate {
            blocked: Some(blocked),
            ..KeyUpdate::default()
        };
        self.change(&record.key_id, Change::Update(update)).await?;
        tracing::debug!(key_id = %record.key_id, by = by.key_id(), blocked, "blocked or unblocked a key");
        record.blocked = blocked;
        Ok(record)
    }

    /// Forgets a key and its record, at once in this process. `which` is its public name, or the key itself.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless `by` is a proxy admin; else as [`info`](Self::info).
    pub async fn purge(&self, by: &Principal, which: &str) -> Result<KeyRecord, Error> {
        if !is_admin(by) {
            return Err(Error::Forbidden(
                "only a proxy admin purges keys: revoke it instead",
            ));
        }
        let record = self.info(by, which).await?;
        self.change(&record.key_id, Change::Remove).await?;
        tracing::debug!(key_id = %record.key_id, by = by.key_id(), "purged a key");
        Ok(record)
    }

    /// Changes the store, then forgets what is cached. On a task of its own, which nothing cuts short: neither a caller that leaves nor a
    /// store that is late may end with the change on disk and the old key in the cache.
    async fn change(&self, key_id: &KeyId, change: Change) -> Result<(), Error> {
        let (keys, key_id) = (self.clone(), key_id.clone());
        let changing = tokio::spawn(async move {
            let changed = match change {
                Change::Update(update) => keys.store.update(&key_id, update).await,
                Change::Remove => keys.store.remove(&key_id).await,
            };
            // Even a failed change may have reached the disk.
            keys.cache.forget(&key_id);
            changed
        });
        let changed = self
            .ask(Box::pin(async {
                changing.await.map_err(StoreError::unavailable)?
            }))
            .await?;
        if changed {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }
}

enum Change {
    Update(KeyUpdate),
    Remove,
}

fn is_admin(principal: &Principal) -> bool {
    narrow::covers(principal.role(), Role::ProxyAdmin)
}

fn as_viewer(principal: &Principal) -> Viewer {
    Viewer {
        key_id: principal.key_id().to_owned(),
        user_id: principal.user_id().map(str::to_owned),
    }
}
