//! Shows keys, blocks them and takes them back.

use std::sync::Arc;

use bartizan_core::Principal;

use super::Keys;
use super::check::{self, whole_milliseconds};
use super::hand::{permitted, touches, viewer};
use super::wish::Changed;
use crate::key::{KeyId, VirtualKey};
use crate::matrix::{Action, Reach};
use crate::record::KeyRecord;
use crate::store::{AnyStore, Change, KeyQuery};
use crate::{Error, StoreError};

impl Keys {
    /// Shows one key. `which` is its public name, or the key itself.
    ///
    /// How far one sees is [`Action::SeeKeys`]: everybody their own, their user's, and those that they minted; an administrator those of the
    /// team or the organisation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the viewer may not see it; [`Error::Forbidden`] when the viewer's key sees nothing;
    /// [`Error::Store`] when the store fails.
    pub async fn info(&self, viewer: &Principal, which: &str) -> Result<KeyRecord, Error> {
        let reach = permitted(viewer, Action::SeeKeys)?;
        let found = if let Some(key) = VirtualKey::parse(which) {
            self.find(key).await?.map(|found| found.record)
        } else if let Some(key_id) = KeyId::parse(which) {
            self.ask(self.store.get(&[key_id])).await?.pop()
        } else {
            None
        };
        found
            .filter(|record| touches(viewer, reach, record))
            .ok_or(Error::NotFound)
    }

    /// Shows a page of keys, in the order of their names, as far as the viewer may see them (as [`info`](Self::info) says).
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the viewer's key sees nothing; [`Error::Invalid`] for a filter that no record can have; [`Error::Store`] when the
    /// store fails.
    pub async fn list(&self, by: &Principal, mut query: KeyQuery) -> Result<Vec<KeyRecord>, Error> {
        let reach = permitted(by, Action::SeeKeys)?;
        check::filters(&[
            ("team_id", &query.team_id),
            ("user_id", &query.user_id),
            ("organization_id", &query.organization_id),
            ("key_alias", &query.alias),
        ])?;
        if reach != Reach::All {
            query.visible_to = viewer(by, reach);
        }
        Ok(self.ask(self.store.list(&query)).await?)
    }

    /// Takes a key back for good, at once in this process. Its record stays, for the books. `which` is its public name, or the key itself. A key
    /// that was revoked before stays as it is.
    ///
    /// Once begun, it is carried through even when the caller stops waiting.
    ///
    /// # Errors
    /// As [`info`](Self::info); [`Error::Forbidden`] beyond the reach of [`Action::RevokeKey`].
    pub async fn revoke(&self, by: &Principal, which: &str) -> Result<Changed<KeyRecord>, Error> {
        let hand = self.hand(by).await?;
        hand.reach(Action::RevokeKey)?;
        let record = self.info(&hand.principal, which).await?;
        hand.may(Action::RevokeKey, &record)?;
        let changed = self.revoked(record).await?;
        tracing::debug!(key_id = %changed.after.key_id, by = by.key_id(), "revoked a key");
        Ok(changed)
    }

    /// Revokes a key, whoever asks for it.
    pub(super) async fn revoked(&self, record: KeyRecord) -> Result<Changed<KeyRecord>, Error> {
        if record.revoked_at.is_some() {
            return Ok(Changed {
                before: record.clone(),
                after: record,
            });
        }
        let now = whole_milliseconds(self.clock.unix());
        self.edit(record, None, |record| {
            record.revoked_at = record.revoked_at.or(Some(now));
            Ok(())
        })
        .await
    }

    /// Blocks a key for now, or unblocks it, at once in this process. `which` is its public name, or the key itself.
    ///
    /// # Errors
    /// As [`info`](Self::info); [`Error::Forbidden`] beyond the reach of [`Action::BlockKey`].
    pub async fn set_blocked(
        &self,
        by: &Principal,
        which: &str,
        blocked: bool,
    ) -> Result<Changed<KeyRecord>, Error> {
        let hand = self.hand(by).await?;
        hand.reach(Action::BlockKey)?;
        let record = self.info(&hand.principal, which).await?;
        let changed = self
            .edit(record, None, |record| {
                hand.may(Action::BlockKey, record)?;
                record.blocked = blocked;
                Ok(())
            })
            .await?;
        tracing::debug!(key_id = %changed.after.key_id, by = by.key_id(), blocked, "blocked or unblocked a key");
        Ok(changed)
    }

    /// Forgets a key and its record, at once in this process. `which` is its public name, or the key itself. Gives what was known of it.
    ///
    /// # Errors
    /// [`Error::Forbidden`] beyond the reach of [`Action::PurgeKey`]; else as [`info`](Self::info).
    pub async fn purge(&self, by: &Principal, which: &str) -> Result<KeyRecord, Error> {
        let hand = self.hand(by).await?;
        hand.may_all(Action::PurgeKey)?;
        let record = self.info(&hand.principal, which).await?;
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

    /// Makes `edit` on the record as it is now, however often somebody else changes it meanwhile; or on version `seen` alone.
    pub(super) async fn edit(
        &self,
        mut record: KeyRecord,
        seen: Option<u64>,
        edit: impl Fn(&mut KeyRecord) -> Result<(), Error>,
    ) -> Result<Changed<KeyRecord>, Error> {
        for _ in 0..MOST_TRIES {
            is_seen(&record, seen)?;
            let mut after = record.clone();
            edit(&mut after)?;
            match self.write(record, after).await? {
                Written::As(changed) => return Ok(changed),
                Written::Not(now) => record = now,
            }
        }
        Err(Error::Conflict)
    }

    /// Writes `after` over `before`, if that is still there.
    pub(super) async fn write(
        &self,
        before: KeyRecord,
        mut after: KeyRecord,
    ) -> Result<Written, Error> {
        let version = before.version;
        after.updated_at = whole_milliseconds(self.clock.unix());
        let new = after.clone();
        let replaced = self
            .carry_through(
                Change::Key(before.key_id.clone()),
                move |store| async move { store.replace(new, version).await },
            )
            .await?;
        if replaced {
            after.version = version + 1;
            return Ok(Written::As(Changed { before, after }));
        }
        let now = self.ask(self.store.get(&[before.key_id])).await?.pop();
        now.map(Written::Not).ok_or(Error::NotFound)
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
            keys.forget(&change);
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

/// What became of a change.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made, and most often holds the larger"
)]
pub(super) enum Written {
    /// It was made.
    As(Changed<KeyRecord>),
    /// Somebody else was first: the record as it is now.
    Not(KeyRecord),
}

/// Fails unless the record has the version that the caller saw, where it said one.
pub(super) fn is_seen(record: &KeyRecord, seen: Option<u64>) -> Result<(), Error> {
    match seen {
        Some(seen) if seen != record.version => Err(Error::Conflict),
        _ => Ok(()),
    }
}

/// A record that is changed more often than this while one change waits is under attack or in a loop.
pub(super) const MOST_TRIES: usize = 8;
