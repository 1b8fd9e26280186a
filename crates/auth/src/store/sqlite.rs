//! Keys in a SQLite file.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bartizan_database::sqlite::{self, Worker};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::account::{Account, AccountId};
use crate::chain::accounts_of;
use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::record::KeyRecord;
use crate::sighting::{Sighting, Spread};
use crate::store::row::{KeyRow, Unreadable, milliseconds};
use crate::store::{AccountQuery, KeyQuery, KeyStore, SightingQuery, SpreadQuery, StoreError};

mod accounts;
mod sightings;

/// What makes each version of the tables of the one before it.
const STEPS: [&str; 2] = [
    include_str!("sqlite/schema_1.sql"),
    include_str!("sqlite/schema_2.sql"),
];

const FIND: &str = "SELECT * FROM keys WHERE digest = :digest OR previous_digest = :digest";
const GET: &str = "SELECT * FROM keys WHERE key_id = :key_id";
const INSERT: &str = include_str!("sqlite/insert.sql");
const REPLACE: &str = include_str!("sqlite/replace.sql");
const REMOVE: &str = "DELETE FROM keys WHERE key_id = :key_id";
const LIST: &str = include_str!("sqlite/list.sql");

/// Keeps keys in a SQLite file, in write-ahead mode, each change on disk before it is answered.
///
/// The file is readable by its owner alone (mode 0600 on Unix). Every value is a bound parameter. Two threads do the work, one for lookups and
/// one for changes, so that no lookup waits for a disk flush; each has a queue of 1,024, and who finds it full waits.
#[derive(Clone)]
pub struct SqliteStore {
    reader: Worker,
    writer: Worker,
}

impl SqliteStore {
    /// Opens the file, or creates it. Blocks while it does: open it before the service starts.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file can't be opened, is no database, or was written by a newer version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let writer = sqlite::open(path, &STEPS)?;
        let reader = sqlite::open_to_read(path)?;
        Ok(Self {
            reader: Worker::start("bartizan-keys-r", reader)?,
            writer: Worker::start("bartizan-keys-w", writer)?,
        })
    }
}

impl KeyStore for SqliteStore {
    async fn find(&self, digest: &KeyDigest) -> Result<Option<KeyRecord>, StoreError> {
        let digest = *digest;
        self.reader
            .run(move |connection| {
                let mut statement = connection.prepare_cached(FIND)?;
                statement
                    .query_row(named_params! { ":digest": digest.as_bytes() }, read)
                    .optional()
            })
            .await
    }

    async fn find_with_accounts(
        &self,
        digest: &KeyDigest,
    ) -> Result<Option<(KeyRecord, Vec<Account>)>, StoreError> {
        let digest = *digest;
        self.reader
            .run(move |connection| {
                let mut statement = connection.prepare_cached(FIND)?;
                let found = statement
                    .query_row(named_params! { ":digest": digest.as_bytes() }, read)
                    .optional()?;
                let Some(record) = found else {
                    return Ok(None);
                };
                let accounts = accounts::get(connection, &accounts_of(&record))?;
                Ok(Some((record, accounts)))
            })
            .await
    }

    async fn get(&self, key_ids: &[KeyId]) -> Result<Vec<KeyRecord>, StoreError> {
        let key_ids = key_ids.to_vec();
        self.reader
            .run(move |connection| {
                let mut statement = connection.prepare_cached(GET)?;
                let mut found = Vec::with_capacity(key_ids.len());
                for key_id in &key_ids {
                    let bound = named_params! { ":key_id": key_id.as_str() };
                    found.extend(statement.query_row(bound, read).optional()?);
                }
                Ok(found)
            })
            .await
    }

    async fn insert(&self, record: KeyRecord) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| write(connection, INSERT, &record, record.version).map(drop))
            .await
    }

    async fn replace(&self, record: KeyRecord, seen: u64) -> Result<bool, StoreError> {
        self.writer
            .run(move |connection| write(connection, REPLACE, &record, seen))
            .await
    }

    async fn remove(&self, key_id: &KeyId) -> Result<bool, StoreError> {
        let key_id = key_id.clone();
        self.writer
            .run(move |connection| {
                let removed = connection
                    .prepare_cached(REMOVE)?
                    .execute(named_params! { ":key_id": key_id.as_str() })?;
                Ok(removed > 0)
            })
            .await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        let query = query.clone();
        self.reader
            .run(move |connection| {
                let viewer = query.visible_to.as_ref();
                let mut statement = connection.prepare_cached(LIST)?;
                let rows = statement.query_map(
                    named_params! {
                        ":team_id": query.team_id,
                        ":user_id": query.user_id,
                        ":organization_id": query.organization_id,
                        ":alias": query.alias,
                        ":rotates_by": query.rotates_by.map(milliseconds),
                        ":viewer_key": viewer.map(|viewer| &viewer.key_id),
                        ":viewer_user": viewer.and_then(|viewer| viewer.user_id.as_ref()),
                        ":viewer_team": viewer.and_then(|viewer| viewer.team_id.as_ref()),
                        ":viewer_organization": viewer.and_then(|viewer| viewer.organization_id.as_ref()),
                        ":revoked": query.revoked,
                        ":after": query.after.as_ref().map_or("", KeyId::as_str),
                        ":limit": i64::try_from(query.page()).unwrap_or(i64::MAX),
                    },
                    read,
                )?;
                rows.collect()
            })
            .await
    }

    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let ids = ids.to_vec();
        self.reader
            .run(move |connection| accounts::get(connection, &ids))
            .await
    }

    async fn insert_account(&self, account: Account) -> Result<(), StoreError> {
        let field = account.id.kind.id_field();
        let inserted = self
            .writer
            .run(move |connection| {
                accounts::write(connection, accounts::INSERT, &account, account.version).map(drop)
            })
            .await;
        match inserted {
            Err(StoreError::Taken(_)) => Err(StoreError::Taken(field)),
            other => other,
        }
    }

    async fn replace_account(&self, account: Account, seen: u64) -> Result<bool, StoreError> {
        self.writer
            .run(move |connection| accounts::write(connection, accounts::REPLACE, &account, seen))
            .await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        let query = query.clone();
        self.reader
            .run(move |connection| accounts::list(connection, &query))
            .await
    }

    async fn see(&self, sightings: Vec<Sighting>) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| sightings::see(connection, &sightings))
            .await
    }

    async fn sightings(&self, query: &SightingQuery) -> Result<Vec<Sighting>, StoreError> {
        let query = query.clone();
        self.reader
            .run(move |connection| sightings::list(connection, &query))
            .await
    }

    async fn spread(&self, query: &SpreadQuery) -> Result<Vec<Spread>, StoreError> {
        let query = query.clone();
        self.reader
            .run(move |connection| sightings::spread(connection, &query))
            .await
    }

    async fn forget_sightings(&self, before: Duration) -> Result<u64, StoreError> {
        self.writer
            .run(move |connection| sightings::forget(connection, before))
            .await
    }
}

/// Inserts a record, or puts it over the one of that version. Gives whether there was one.
fn write(
    connection: &Connection,
    statement: &str,
    record: &KeyRecord,
    version: u64,
) -> rusqlite::Result<bool> {
    let row = KeyRow::of(record).map_err(unwritable)?;
    let written = connection
        .prepare_cached(statement)?
        .execute(named_params! {
            ":key_id": row.key_id,
            ":digest": row.digest,
            ":previous_digest": row.previous_digest,
            ":alias": row.alias,
            ":team_id": row.team_id,
            ":user_id": row.user_id,
            ":organization_id": row.organization_id,
            ":created_by": row.created_by,
            ":created_at": row.created_at,
            ":expires_at": row.expires_at,
            ":rotates_at": row.rotates_at,
            ":blocked": row.blocked,
            ":revoked_at": row.revoked_at,
            ":updated_at": row.updated_at,
            ":version": i64::try_from(version).unwrap_or(i64::MAX),
            ":body": row.body,
        })?;
    Ok(written > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeyRecord> {
    let row = KeyRow {
        key_id: row.get("key_id")?,
        digest: row.get("digest")?,
        previous_digest: row.get("previous_digest")?,
        alias: row.get("alias")?,
        team_id: row.get("team_id")?,
        user_id: row.get("user_id")?,
        organization_id: row.get("organization_id")?,
        created_by: row.get("created_by")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        rotates_at: row.get("rotates_at")?,
        blocked: row.get("blocked")?,
        revoked_at: row.get("revoked_at")?,
        updated_at: row.get("updated_at")?,
        version: row.get("version")?,
        body: row.get("body")?,
    };
    row.record().map_err(wrong)
}

fn wrong(column: Unreadable) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(0, column.0.to_owned(), Type::Text)
}

fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
