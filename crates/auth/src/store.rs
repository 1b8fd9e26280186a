//! Where keys are kept.
//!
//! A [`KeyStore`] is asked for a key by its digest, and by nothing that a caller sent: the presented text was parsed and hashed
//! before. Three stores are here: [`MemoryStore`], with the feature `sqlite` `SqliteStore`, and with the feature `postgres` `PostgresStore`.

use std::pin::Pin;
use std::time::Duration;

use crate::account::{Account, AccountId};
use crate::chain::accounts_of;
use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::record::KeyRecord;
use crate::sighting::{Sighting, Spread};

mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresSettings, PostgresStore};
pub use query::{AccountQuery, KeyQuery, SightingQuery, SpreadQuery, Viewer};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// Keeps keys, the accounts that they belong to, and from where they were used.
///
/// A store that can't tell says [`StoreError::Unavailable`]; it never answers `None` in doubt, nor a record in doubt. Every change is durable
/// when it is answered. A changed record is written back whole, and only over the version that it was read at, so nothing that somebody
/// else has changed meanwhile is undone.
pub trait KeyStore: Send + Sync + 'static {
    /// Gives the key of that digest, or of that previous digest, whatever its standing.
    fn find(
        &self,
        digest: &KeyDigest,
    ) -> impl Future<Output = Result<Option<KeyRecord>, StoreError>> + Send;

    /// Gives the key of that digest, as [`find`](Self::find) does, and the accounts that it names, as [`accounts`](Self::accounts) does. A
    /// store that can tell both at once spares a round trip.
    fn find_with_accounts(
        &self,
        digest: &KeyDigest,
    ) -> impl Future<Output = Result<Option<(KeyRecord, Vec<Account>)>, StoreError>> + Send {
        async move {
            let Some(record) = self.find(digest).await? else {
                return Ok(None);
            };
            let ids = accounts_of(&record);
            let accounts = match ids.as_slice() {
                [] => Vec::new(),
                ids => self.accounts(ids).await?,
            };
            Ok(Some((record, accounts)))
        }
    }

    /// Gives the keys of those public names that there are, in any order, whatever their standing.
    fn get(
        &self,
        key_ids: &[KeyId],
    ) -> impl Future<Output = Result<Vec<KeyRecord>, StoreError>> + Send;

    /// Adds a key. [`StoreError::Taken`] when its name, its digest or its alias is there already.
    fn insert(&self, record: KeyRecord) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts `record` in the place of the one of its name, if that has version `seen`. `false` when it has another, or is gone.
    /// A key that was revoked stays so, with its first date.
    fn replace(
        &self,
        record: KeyRecord,
        seen: u64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Forgets a key. Gives whether there was such a key.
    fn remove(&self, key_id: &KeyId) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives the keys that `query` asks for, in the order of their names.
    fn list(
        &self,
        query: &KeyQuery,
    ) -> impl Future<Output = Result<Vec<KeyRecord>, StoreError>> + Send;

    /// Gives the accounts of those names that there are or were, in any order.
    fn accounts(
        &self,
        ids: &[AccountId],
    ) -> impl Future<Output = Result<Vec<Account>, StoreError>> + Send;

    /// Adds an account. [`StoreError::Taken`] when its name is there already, deleted or not.
    fn insert_account(
        &self,
        account: Account,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts `account` in the place of the one of its name, if that has version `seen`. `false` when it has another, or is not there.
    /// An account that was deleted stays so, with its first date.
    fn replace_account(
        &self,
        account: Account,
        seen: u64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Gives the accounts that `query` asks for, in the order of their names.
    fn list_accounts(
        &self,
        query: &AccountQuery,
    ) -> impl Future<Output = Result<Vec<Account>, StoreError>> + Send;

    /// Adds sightings: those of one key at one address in one hour (of UTC) become one.
    fn see(&self, sightings: Vec<Sighting>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Gives the sightings that `query` asks for, the latest first.
    fn sightings(
        &self,
        query: &SightingQuery,
    ) -> impl Future<Output = Result<Vec<Sighting>, StoreError>> + Send;

    /// Gives the keys that `query` asks for, those of the most addresses first, 100 at most.
    fn spread(
        &self,
        query: &SpreadQuery,
    ) -> impl Future<Output = Result<Vec<Spread>, StoreError>> + Send;

    /// Forgets sightings last seen before then. Gives how many.
    fn forget_sightings(
        &self,
        before: Duration,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// Tells every process that something was changed, so that none goes on with what it remembers.
pub trait Changes: Send + Sync + 'static {
    /// Tells it. A feed that hears of changes from the store itself has nothing to do here.
    fn announce(&self, change: &Change) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Calls `on` with every change that is told from now on, by whatever process, until the feed breaks. First, once it listens, calls it
    /// with [`Change::Anything`], since what was told before was missed.
    fn follow<'a>(
        &'a self,
        on: &'a (dyn Fn(Change) + Send + Sync),
    ) -> impl Future<Output = StoreError> + Send + 'a;
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A key.
    Key(KeyId),
    /// An account.
    Account(AccountId),
    /// Nobody knows what.
    Anything,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It can't be reached, did not answer in time, or broke.
    #[error("the key store does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another key or account has it already.
    #[error("this {0} is taken: choose another")]
    Taken(&'static str),
    /// Its tables can't be brought to the version that this program reads. Nothing was changed.
    #[error("the key store's tables can't be used: {0}")]
    Migration(String),
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

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl From<bartizan_database::Error> for StoreError {
    fn from(error: bartizan_database::Error) -> Self {
        use bartizan_database::Error;
        match error {
            Error::Conflict(which) => {
                // PostgreSQL names the index, SQLite the column.
                let alias = which == "keys_alias" || which.contains("keys.alias");
                Self::Taken(if alias { "key_alias" } else { "key" })
            }
            Error::Migration(why) => Self::Migration(why),
            Error::Full => Self::Full,
            Error::Unavailable(source) => Self::Unavailable(source),
            other => Self::unavailable(other),
        }
    }
}

#[cfg(feature = "postgres")]
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        bartizan_database::Error::from(error).into()
    }
}

pub(crate) type StoreFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`KeyStore`] with its type forgotten, so that the layer and the service over it need no parameter. The box costs one allocation
/// a cache miss.
pub(crate) trait AnyStore: Send + Sync {
    fn find_with_accounts<'a>(
        &'a self,
        digest: &'a KeyDigest,
    ) -> StoreFuture<'a, Option<(KeyRecord, Vec<Account>)>>;
    fn get<'a>(&'a self, key_ids: &'a [KeyId]) -> StoreFuture<'a, Vec<KeyRecord>>;
    fn insert(&self, record: KeyRecord) -> StoreFuture<'_, ()>;
    fn replace(&self, record: KeyRecord, seen: u64) -> StoreFuture<'_, bool>;
    fn remove<'a>(&'a self, key_id: &'a KeyId) -> StoreFuture<'a, bool>;
    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>>;
    fn accounts<'a>(&'a self, ids: &'a [AccountId]) -> StoreFuture<'a, Vec<Account>>;
    fn insert_account(&self, account: Account) -> StoreFuture<'_, ()>;
    fn replace_account(&self, account: Account, seen: u64) -> StoreFuture<'_, bool>;
    fn list_accounts<'a>(&'a self, query: &'a AccountQuery) -> StoreFuture<'a, Vec<Account>>;
    fn see(&self, sightings: Vec<Sighting>) -> StoreFuture<'_, ()>;
    fn sightings<'a>(&'a self, query: &'a SightingQuery) -> StoreFuture<'a, Vec<Sighting>>;
    fn spread<'a>(&'a self, query: &'a SpreadQuery) -> StoreFuture<'a, Vec<Spread>>;
    fn forget_sightings(&self, before: Duration) -> StoreFuture<'_, u64>;
}

impl<S: KeyStore> AnyStore for S {
    fn find_with_accounts<'a>(
        &'a self,
        digest: &'a KeyDigest,
    ) -> StoreFuture<'a, Option<(KeyRecord, Vec<Account>)>> {
        Box::pin(KeyStore::find_with_accounts(self, digest))
    }

    fn get<'a>(&'a self, key_ids: &'a [KeyId]) -> StoreFuture<'a, Vec<KeyRecord>> {
        Box::pin(KeyStore::get(self, key_ids))
    }

    fn insert(&self, record: KeyRecord) -> StoreFuture<'_, ()> {
        Box::pin(KeyStore::insert(self, record))
    }

    fn replace(&self, record: KeyRecord, seen: u64) -> StoreFuture<'_, bool> {
        Box::pin(KeyStore::replace(self, record, seen))
    }

    fn remove<'a>(&'a self, key_id: &'a KeyId) -> StoreFuture<'a, bool> {
        Box::pin(KeyStore::remove(self, key_id))
    }

    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>> {
        Box::pin(KeyStore::list(self, query))
    }

    fn accounts<'a>(&'a self, ids: &'a [AccountId]) -> StoreFuture<'a, Vec<Account>> {
        Box::pin(KeyStore::accounts(self, ids))
    }

    fn insert_account(&self, account: Account) -> StoreFuture<'_, ()> {
        Box::pin(KeyStore::insert_account(self, account))
    }

    fn replace_account(&self, account: Account, seen: u64) -> StoreFuture<'_, bool> {
        Box::pin(KeyStore::replace_account(self, account, seen))
    }

    fn list_accounts<'a>(&'a self, query: &'a AccountQuery) -> StoreFuture<'a, Vec<Account>> {
        Box::pin(KeyStore::list_accounts(self, query))
    }

    fn see(&self, sightings: Vec<Sighting>) -> StoreFuture<'_, ()> {
        Box::pin(KeyStore::see(self, sightings))
    }

    fn sightings<'a>(&'a self, query: &'a SightingQuery) -> StoreFuture<'a, Vec<Sighting>> {
        Box::pin(KeyStore::sightings(self, query))
    }

    fn spread<'a>(&'a self, query: &'a SpreadQuery) -> StoreFuture<'a, Vec<Spread>> {
        Box::pin(KeyStore::spread(self, query))
    }

    fn forget_sightings(&self, before: Duration) -> StoreFuture<'_, u64> {
        Box::pin(KeyStore::forget_sightings(self, before))
    }
}

pub(crate) type Follow<'a> = Pin<Box<dyn Future<Output = StoreError> + Send + 'a>>;

/// [`Changes`] with its type forgotten.
pub(crate) trait AnyChanges: Send + Sync {
    fn announce<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, ()>;
    fn follow<'a>(&'a self, on: &'a (dyn Fn(Change) + Send + Sync)) -> Follow<'a>;
}

impl<C: Changes> AnyChanges for C {
    fn announce<'a>(&'a self, change: &'a Change) -> StoreFuture<'a, ()> {
        Box::pin(Changes::announce(self, change))
    }

    fn follow<'a>(&'a self, on: &'a (dyn Fn(Change) + Send + Sync)) -> Follow<'a> {
        Box::pin(Changes::follow(self, on))
    }
}
