//! Where keys are kept.
//!
//! A [`KeyStore`] is asked for a key by its digest, and by nothing that a caller sent: the presented text was parsed and hashed
//! before. Two stores are here, [`MemoryStore`] and, with the feature `sqlite`, [`SqliteStore`].

use std::pin::Pin;
use std::time::Duration;

use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::record::KeyRecord;

mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// Keeps keys.
///
/// A store that can't tell says [`StoreError::Unavailable`]; it never answers `None` in doubt, nor a record in doubt.
pub trait KeyStore: Send + Sync + 'static {
    /// Gives the key of that digest, whatever its standing.
    fn find(
        &self,
        digest: &KeyDigest,
    ) -> impl Future<Output = Result<Option<KeyRecord>, StoreError>> + Send;

    /// Gives the key of that public name, whatever its standing.
    fn get(
        &self,
        key_id: &KeyId,
    ) -> impl Future<Output = Result<Option<KeyRecord>, StoreError>> + Send;

    /// Adds a key, durably. [`StoreError::Taken`] when its name, its digest or its alias is there already.
    fn insert(&self, record: KeyRecord) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Changes what `update` names and nothing else, durably. Gives whether there is such a key.
    fn update(
        &self,
        key_id: &KeyId,
        update: KeyUpdate,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Forgets a key, durably. Gives whether there was such a key.
    fn remove(&self, key_id: &KeyId) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives the keys that `query` asks for, in the order of their names.
    fn list(
        &self,
        query: &KeyQuery,
    ) -> impl Future<Output = Result<Vec<KeyRecord>, StoreError>> + Send;
}

/// What to change of a key. It names single fields, so that a record read earlier is never written back whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUpdate {
    /// Blocks or unblocks it.
    pub blocked: Option<bool>,
    /// Revokes it as of then. A key that is revoked stays so, with its first date.
    pub revoked_at: Option<Duration>,
}

/// Which keys to list. What is `None` doesn't narrow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyQuery {
    /// Keys of this team.
    pub team_id: Option<String>,
    /// Keys of this user.
    pub user_id: Option<String>,
    /// Keys with this very alias.
    pub alias: Option<String>,
    /// Keys that this caller holds, owns or has minted.
    pub visible_to: Option<Viewer>,
    /// Revoked keys too. `false` by default.
    pub revoked: bool,
    /// Keys whose name comes after this one: the last of the page before.
    pub after: Option<KeyId>,
    /// The most keys to give, 100 by default, at most 1,000.
    pub limit: usize,
}

/// Who looks, where not every key may be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The viewer's own key.
    pub key_id: String,
    /// The viewer's user.
    pub user_id: Option<String>,
}

impl Viewer {
    /// Whether `record` is the viewer's own key, belongs to the viewer's user, or was minted with the viewer's key.
    #[must_use]
    pub fn sees(&self, record: &KeyRecord) -> bool {
        record.key_id.as_str() == self.key_id
            || record.created_by == self.key_id
            || (self.user_id.is_some() && record.user_id == self.user_id)
    }
}

impl KeyQuery {
    const MOST: usize = 1_000;

    /// The most keys to give, as a store is to understand it.
    #[must_use]
    pub fn page(&self) -> usize {
        self.limit.clamp(1, Self::MOST)
    }
}

impl Default for KeyQuery {
    fn default() -> Self {
        Self {
            team_id: None,
            user_id: None,
            alias: None,
            visible_to: None,
            revoked: false,
            after: None,
            limit: 100,
        }
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It can't be reached, did not answer in time, or broke.
    #[error("the key store does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another key has it already.
    #[error("another key has this {0}: choose another")]
    Taken(&'static str),
    /// It holds as many keys as it may.
    #[error("the key store is full: remove keys that are no longer used")]
    Full,
}

impl StoreError {
    /// Wraps what went wrong beneath.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

pub(crate) type StoreFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`KeyStore`] with its type forgotten, so that the layer and the service over it need no parameter. The box costs one allocation
/// a cache miss.
pub(crate) trait AnyStore: Send + Sync {
    fn find<'a>(&'a self, digest: &'a KeyDigest) -> StoreFuture<'a, Option<KeyRecord>>;
    fn get<'a>(&'a self, key_id: &'a KeyId) -> StoreFuture<'a, Option<KeyRecord>>;
    fn insert(&self, record: KeyRecord) -> StoreFuture<'_, ()>;
    fn update<'a>(&'a self, key_id: &'a KeyId, update: KeyUpdate) -> StoreFuture<'a, bool>;
    fn remove<'a>(&'a self, key_id: &'a KeyId) -> StoreFuture<'a, bool>;
    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>>;
}

impl<S: KeyStore> AnyStore for S {
    fn find<'a>(&'a self, digest: &'a KeyDigest) -> StoreFuture<'a, Option<KeyRecord>> {
        Box::pin(KeyStore::find(self, digest))
    }

    fn get<'a>(&'a self, key_id: &'a KeyId) -> StoreFuture<'a, Option<KeyRecord>> {
        Box::pin(KeyStore::get(self, key_id))
    }

    fn insert(&self, record: KeyRecord) -> StoreFuture<'_, ()> {
        Box::pin(KeyStore::insert(self, record))
    }

    fn update<'a>(&'a self, key_id: &'a KeyId, update: KeyUpdate) -> StoreFuture<'a, bool> {
        Box::pin(KeyStore::update(self, key_id, update))
    }

    fn remove<'a>(&'a self, key_id: &'a KeyId) -> StoreFuture<'a, bool> {
        Box::pin(KeyStore::remove(self, key_id))
    }

    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>> {
        Box::pin(KeyStore::list(self, query))
    }
}
