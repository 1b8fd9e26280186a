//! Shows keys and takes them back.

use std::sync::Arc;

use bartizan_core::{Principal, Role};

use super::Keys;
use super::mint::whole_milliseconds;
use crate::key::{KeyId, VirtualKey};
use crate::record::KeyRecord;
use crate::store::{AnyStore, Change, KeyQuery, Viewer};
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
            self.ask(self.store.get(&[key_id])).await?.pop()
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
            let now = whole_milliseconds(self.clock.unix());
            record = self
                .edit(record, move |record| record.revoked_at = Some(now))
                .await?;
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
        let record = self.info(by, which).await?;
        let record = self
            .edit(record, move |record| record.blocked = blocked)
            .await?;
        tracing::debug!(key_id = %record.key_id, by = by.key_id(), blocked, "blocked or unblocked a key");
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
        let key_id = record.key_id.clone();
        let removed = self
            .carry_through(Change::Key(key_id.clone()), move |store| async move {
                store.remove(&key_id).await
            })
            .await?;
        if !removed {
            return Err(Error::NotFound);
        }
        tracing::debug!(key_id = %record.key_id, by = by.key_id(), "purged a key");
        Ok(record)
    }

    /// Makes `edit` on the record as it is now, however often somebody else changes it meanwhile.
    async fn edit(
        &self,
        mut record: KeyRecord,
        edit: impl Fn(&mut KeyRecord),
    ) -> Result<KeyRecord, Error> {
        for _ in 0..MOST_TRIES {
            let seen = record.version;
            edit(&mut record);
            record.updated_at = whole_milliseconds(self.clock.unix());
            let new = record.clone();
            let replaced = self
                .carry_through(
                    Change::Key(record.key_id.clone()),
                    move |store| async move { store.replace(new, seen).await },
                )
                .await?;
            if replaced {
                record.version = seen + 1;
                return Ok(record);
            }
            let now = self.ask(self.store.get(&[record.key_id])).await?.pop();
            record = now.ok_or(Error::NotFound)?;
        }
        Err(Error::Conflict)
    }

    /// Changes the store, then forgets what is cached, here and everywhere. On a task of its own, which nothing cuts short: neither a caller
    /// that leaves nor a store that is late may end with the change on disk and the old key in the cache.
    pub(super) async fn carry_through<T, F>(
        &self,
        change: Change,
        act: impl FnOnce(Arc<dyn AnyStore>) -> F + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let keys = self.clone();
        let changing = tokio::spawn(async move {
            let changed = act(Arc::clone(&keys.store)).await;
            // Even a failed change may have reached the disk.
            keys.cache.forget(&change);
            if let Some(changes) = &keys.changes
                && let Err(error) = changes.announce(&change).await
            {
                tracing::warn!(%error, "other processes could not be told of a change: they see it when their cached copy ends");
            }
            changed
        });
        let changed = self
            .ask(Box::pin(async {
                changing.await.map_err(StoreError::unavailable)?
            }))
            .await?;
        Ok(changed)
    }
}

/// A record that is changed more often than this while one change waits is under attack or in a loop.
const MOST_TRIES: usize = 8;

fn is_admin(principal: &Principal) -> bool {
    principal.role() == Role::ProxyAdmin
}

fn as_viewer(principal: &Principal) -> Viewer {
    Viewer {
        key_id: principal.key_id().to_owned(),
        user_id: principal.user_id().map(str::to_owned),
        ..Viewer::default()
    }
}
