//! Keys in a SQLite file.

use std::fmt;
use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use bartizan_core::{Models, Role};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, named_params};

use crate::digest::KeyDigest;
use crate::key::KeyId;
use crate::record::KeyRecord;
use crate::store::{KeyQuery, KeyStore, KeyUpdate, StoreError};

mod worker;

use worker::Worker;

/// The schema that this code reads and writes, kept in SQLite's `user_version`.
const VERSION: i64 = 1;
const SCHEMA: &str = include_str!("sqlite/schema.sql");

const FIND: &str = "SELECT * FROM keys WHERE digest = :digest";
const GET: &str = "SELECT * FROM keys WHERE key_id = :key_id";
const INSERT: &str = include_str!("sqlite/insert.sql");
const UPDATE: &str = "UPDATE keys SET blocked = coalesce(:blocked, blocked), revoked_at = coalesce(revoked_at, :revoked_at)
    WHERE key_id = :key_id";
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
        restrict(path).map_err(StoreError::unavailable)?;
        let mut writer = connect(path)?;
        migrate(&mut writer)?;
        let reader = connect(path)?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(Self {
            reader: Worker::start("bartizan-keys-r", reader)?,
            writer: Worker::start("bartizan-keys-w", writer)?,
        })
    }
}

/// Creates the file for its owner alone, and takes an existing one away from everybody else. SQLite gives its side files the same mode.
fn restrict(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(file);
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    match transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? {
        0 => {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        VERSION => {}
        _ => {
            return Err(StoreError::unavailable(
                "the file was written by a newer version: open it with that one",
            ));
        }
    }
    Ok(transaction.commit()?)
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

    async fn get(&self, key_id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let key_id = key_id.clone();
        self.reader
            .run(move |connection| {
                let mut statement = connection.prepare_cached(GET)?;
                statement
                    .query_row(named_params! { ":key_id": key_id.as_str() }, read)
                    .optional()
            })
            .await
    }

    async fn insert(&self, record: KeyRecord) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| write(connection, &record))
            .await
    }

    async fn update(&self, key_id: &KeyId, update: KeyUpdate) -> Result<bool, StoreError> {
        let key_id = key_id.clone();
        self.writer
            .run(move |connection| {
                let changed = connection.prepare_cached(UPDATE)?.execute(named_params! {
                    ":key_id": key_id.as_str(),
                    ":blocked": update.blocked,
                    ":revoked_at": update.revoked_at.map(milliseconds),
                })?;
                Ok(changed > 0)
            })
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
                        ":alias": query.alias,
                        ":viewer_key": viewer.map(|viewer| &viewer.key_id),
                        ":viewer_user": viewer.and_then(|viewer| viewer.user_id.as_ref()),
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
}

fn write(connection: &Connection, record: &KeyRecord) -> rusqlite::Result<()> {
    let json = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
    let models = match &record.models {
        Models::All => None,
        Models::Only(names) => Some(serde_json::to_string(names).map_err(json)?),
    };
    connection.prepare_cached(INSERT)?.execute(named_params! {
        ":key_id": record.key_id.as_str(),
        ":digest": record.digest.as_bytes(),
        ":alias": record.alias,
        ":team_id": record.team_id,
        ":user_id": record.user_id,
        ":role": record.role.as_str(),
        ":models": models,
        ":rpm": record.limits.rpm,
        ":tpm": record.limits.tpm,
        ":metadata": serde_json::to_string(&record.metadata).map_err(json)?,
        ":tags": serde_json::to_string(&record.tags).map_err(json)?,
        ":created_by": record.created_by,
        ":created_at": milliseconds(record.created_at),
        ":expires_at": record.expires_at.map(milliseconds),
        ":blocked": record.blocked,
        ":revoked_at": record.revoked_at.map(milliseconds),
    })?;
    Ok(())
}

/// Reads a row, and fails on one that this code could not have written: a role that isn't known is no role. The failure names the column and
/// nothing that stands in it.
fn read(row: &Row<'_>) -> rusqlite::Result<KeyRecord> {
    let wrong = |name: &str| rusqlite::Error::InvalidColumnType(0, name.to_owned(), Type::Text);
    let key_id = KeyId::parse(&row.get::<_, String>("key_id")?).ok_or_else(|| wrong("key_id"))?;
    let digest = KeyDigest::from_bytes(row.get("digest")?);
    let mut record = KeyRecord::new(key_id, digest, time(row.get("created_at")?));
    record.alias = row.get("alias")?;
    record.team_id = row.get("team_id")?;
    record.user_id = row.get("user_id")?;
    record.role = [Role::ProxyAdmin, Role::InternalUser]
        .into_iter()
        .find(|role| {
            row.get_ref("role")
                .is_ok_and(|text| text.as_str() == Ok(role.as_str()))
        })
        .ok_or_else(|| wrong("role"))?;
    record.models = match row.get::<_, Option<String>>("models")? {
        None => Models::All,
        Some(names) => Models::Only(serde_json::from_str(&names).map_err(|_| wrong("models"))?),
    };
    record.limits.rpm = row.get("rpm")?;
    record.limits.tpm = row.get("tpm")?;
    record.metadata =
        serde_json::from_str(&row.get::<_, String>("metadata")?).map_err(|_| wrong("metadata"))?;
    record.tags =
        serde_json::from_str(&row.get::<_, String>("tags")?).map_err(|_| wrong("tags"))?;
    record.created_by = row.get("created_by")?;
    record.expires_at = row.get::<_, Option<i64>>("expires_at")?.map(time);
    record.blocked = row.get("blocked")?;
    record.revoked_at = row.get::<_, Option<i64>>("revoked_at")?.map(time);
    Ok(record)
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A time before 1970 reads as 1970: a key that ended then has ended.
fn time(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, message)
                if failure.code == ErrorCode::ConstraintViolation =>
            {
                let alias = message
                    .as_ref()
                    .is_some_and(|message| message.contains("keys.alias"));
                Self::Taken(if alias { "key_alias" } else { "key" })
            }
            rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::DiskFull => {
                Self::Full
            }
            _ => Self::unavailable(error),
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
