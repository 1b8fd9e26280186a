//! Keys in a PostgreSQL database.

use std::fmt;
use std::time::Duration;

use bartizan_database::{Error, Migrations, Pool, Values};

use crate::account::{Account, AccountId};
use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::record::KeyRecord;
use crate::sighting::{Sighting, Spread};
use crate::store::row::milliseconds;
use crate::store::{AccountQuery, KeyQuery, KeyStore, SightingQuery, SpreadQuery, StoreError};

mod rows;
mod sightings;

use rows::{bind_account, bind_key};

pub use bartizan_database::PostgresSettings;

/// The number spells a name.
const MIGRATIONS: Migrations = Migrations {
    list: "bartizan_migrations",
    lock: 0x6261_7274_697a_616e,
    steps: &[("keys and accounts", include_str!("postgres/schema_1.sql"))],
};

const FIND: &str = include_str!("postgres/find.sql");
const FIND_WITH_ACCOUNTS: &str = include_str!("postgres/find_with_accounts.sql");
const GET: &str = include_str!("postgres/get.sql");
const INSERT: &str = include_str!("postgres/insert.sql");
const REPLACE: &str = include_str!("postgres/replace.sql");
const REMOVE: &str = "DELETE FROM keys WHERE key_id = $1 RETURNING key_id";
const LIST: &str = include_str!("postgres/list.sql");
const ACCOUNTS: &str = include_str!("postgres/accounts.sql");
const INSERT_ACCOUNT: &str = include_str!("postgres/insert_account.sql");
const REPLACE_ACCOUNT: &str = include_str!("postgres/replace_account.sql");
const LIST_ACCOUNTS: &str = include_str!("postgres/list_accounts.sql");

/// Keeps keys in a PostgreSQL database (13 or later), which many processes share.
///
/// Every question is one prepared statement, one round trip (three behind a pooler), and every value in it is a bound parameter. Clones share one set of
/// connections. Its tables are made, and brought to the version that this code reads, when it connects; what they hold is documented in
/// `docs/databases.md`. Every change, by whomever, is told on a channel of the database that [`PostgresChanges`](crate::PostgresChanges)
/// follows.
///
/// ```no_run
/// use bartizan_auth::{Keys, Pepper, PostgresSettings, PostgresStore};
/// use secrecy::SecretString;
///
/// # async fn start(url: SecretString, pepper: Pepper) -> Result<(), Box<dyn std::error::Error>> {
/// let settings = PostgresSettings::from_url(url)?;
/// let store = PostgresStore::connect(settings.clone()).await?;
/// let keys = Keys::new(store, pepper);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Pool);

impl PostgresStore {
    /// Connects, and migrates the tables: processes that start together take turns.
    ///
    /// # Errors
    /// [`StoreError::Migration`] when the tables can't be brought to this version, or were brought to a newer one; [`StoreError::Unavailable`]
    /// when the database can't be reached or doesn't let us in.
    pub async fn connect(settings: PostgresSettings) -> Result<Self, StoreError> {
        MIGRATIONS.run(&settings).await?;
        Ok(Self(Pool::new(settings)))
    }
}

/// No text of PostgreSQL holds it: nothing has such a name.
fn unheard_of<'a>(texts: impl IntoIterator<Item = &'a Option<String>>) -> bool {
    texts.into_iter().flatten().any(|text| text.contains('\0'))
}

impl KeyStore for PostgresStore {
    async fn find(&self, digest: &KeyDigest) -> Result<Option<KeyRecord>, StoreError> {
        let bound = Values::default().with(digest.as_bytes().to_vec())?;
        let rows = self.0.read(FIND, bound.done()).await?;
        rows.first().map(rows::key).transpose()
    }

    async fn find_with_accounts(
        &self,
        digest: &KeyDigest,
    ) -> Result<Option<(KeyRecord, Vec<Account>)>, StoreError> {
        let bound = Values::default().with(digest.as_bytes().to_vec())?;
        let rows = self.0.read(FIND_WITH_ACCOUNTS, bound.done()).await?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let record = rows::key(first)?;
        let accounts = rows
            .iter()
            .filter_map(|row| rows::account_beside(row).transpose())
            .collect::<Result<_, _>>()?;
        Ok(Some((record, accounts)))
    }

    async fn get(&self, key_ids: &[KeyId]) -> Result<Vec<KeyRecord>, StoreError> {
        let key_ids: Vec<String> = key_ids.iter().map(ToString::to_string).collect();
        let bound = Values::default().with(key_ids)?;
        let rows = self.0.read(GET, bound.done()).await?;
        rows.iter().map(rows::key).collect()
    }

    async fn insert(&self, record: KeyRecord) -> Result<(), StoreError> {
        let bound = bind_key(&record, record.version)?;
        self.0.change(INSERT, bound).await?;
        Ok(())
    }

    async fn replace(&self, record: KeyRecord, seen: u64) -> Result<bool, StoreError> {
        let rows = self.0.change(REPLACE, bind_key(&record, seen)?).await?;
        Ok(!rows.is_empty())
    }

    async fn remove(&self, key_id: &KeyId) -> Result<bool, StoreError> {
        let bound = Values::default().with(key_id.to_string())?;
        Ok(!self.0.change(REMOVE, bound.done()).await?.is_empty())
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        if unheard_of([
            &query.team_id,
            &query.user_id,
            &query.organization_id,
            &query.alias,
        ]) {
            return Ok(Vec::new());
        }
        let viewer = query.visible_to.clone();
        let bound = Values::default()
            .with(
                query
                    .after
                    .as_ref()
                    .map_or(String::new(), ToString::to_string),
            )?
            .with(query.team_id.clone())?
            .with(query.user_id.clone())?
            .with(query.organization_id.clone())?
            .with(query.alias.clone())?
            .with(query.rotates_by.map(milliseconds))?
            .with(query.revoked)?
            .with(viewer.as_ref().map(|viewer| viewer.key_id.clone()))?
            .with(viewer.as_ref().and_then(|viewer| viewer.user_id.clone()))?
            .with(viewer.as_ref().and_then(|viewer| viewer.team_id.clone()))?
            .with(viewer.and_then(|viewer| viewer.organization_id))?
            .with(i64::try_from(query.page()).unwrap_or(i64::MAX))?;
        let rows = self.0.read(LIST, bound.done()).await?;
        rows.iter().map(rows::key).collect()
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let (kinds, ids): (Vec<String>, Vec<String>) = ids
            .iter()
            .filter(|id| !id.id.contains('\0'))
            .map(|id| (id.kind.as_str().to_owned(), id.id.clone()))
            .unzip();
        let bound = Values::default().with(kinds)?.with(ids)?;
        let rows = self.0.read(ACCOUNTS, bound.done()).await?;
        rows.iter().map(rows::account).collect()
    }

    async fn insert_account(&self, account: Account) -> Result<(), StoreError> {
        let bound = bind_account(&account, account.version)?;
        match self.0.change(INSERT_ACCOUNT, bound).await {
            Err(Error::Conflict(_)) => Err(StoreError::Taken(account.id.kind.id_field())),
            other => Ok(other.map(drop)?),
        }
    }

    async fn replace_account(&self, account: Account, seen: u64) -> Result<bool, StoreError> {
        let bound = bind_account(&account, seen)?;
        Ok(!self.0.change(REPLACE_ACCOUNT, bound).await?.is_empty())
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        if unheard_of([
            &query.organization_id,
            &query.alias,
            &query.member,
            &query.after,
        ]) {
            return Ok(Vec::new());
        }
        let bound = Values::default()
            .with(query.kind.as_str().to_owned())?
            .with(query.after.clone().unwrap_or_default())?
            .with(query.organization_id.clone())?
            .with(query.alias.clone())?
            .with(query.deleted)?
            .with(query.member.clone())?
            .with(i64::try_from(query.page()).unwrap_or(i64::MAX))?;
        let rows = self.0.read(LIST_ACCOUNTS, bound.done()).await?;
        rows.iter().map(rows::account).collect()
    }

    async fn see(&self, sightings: Vec<Sighting>) -> Result<(), StoreError> {
        sightings::see(&self.0, sightings).await
    }

    async fn sightings(&self, query: &SightingQuery) -> Result<Vec<Sighting>, StoreError> {
        sightings::list(&self.0, query).await
    }

    async fn spread(&self, query: &SpreadQuery) -> Result<Vec<Spread>, StoreError> {
        sightings::spread(&self.0, query).await
    }

    async fn forget_sightings(&self, before: Duration) -> Result<u64, StoreError> {
        sightings::forget(&self.0, before).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
