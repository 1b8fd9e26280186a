//! Brings the tables to the version that this code reads.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};

use super::settings::PostgresSettings;
use crate::store::StoreError;

/// What makes each version of the one before it, and what it is about.
const STEPS: [(&str, &str); 1] = [("keys and accounts", include_str!("schema_1.sql"))];

/// A number of ours alone: processes that start together take turns by it.
const LOCK: i64 = 0x6261_7274_697a_616e;
/// A large table may take its time to be changed.
const LONGEST: Duration = Duration::from_secs(600);

const IS_THERE: &str = "SELECT to_regclass('bartizan_migrations') IS NOT NULL";
const TABLE: &str = "CREATE TABLE bartizan_migrations (
    version bigint PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)";
const NEWEST: &str = "SELECT coalesce(max(version), 0) FROM bartizan_migrations";
const DONE: &str = "INSERT INTO bartizan_migrations (version, name) VALUES ($1, $2)";

/// In one transaction, so that a step that fails leaves nothing behind.
pub(super) async fn migrate(settings: &PostgresSettings) -> Result<(), StoreError> {
    let mut connection = settings.open(LONGEST).await?;
    let done = steps(&mut connection).await;
    // Whatever it says, the tables are as they were told to be.
    let _ = connection.close().await;
    done
}

async fn steps(connection: &mut PgConnection) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *transaction)
        .await?;
    // Asked before it is made: a role that may only use the tables may not make any.
    let there = sqlx::query(IS_THERE).fetch_one(&mut *transaction).await?;
    if !there.try_get::<bool, _>(0)? {
        sqlx::query(TABLE)
            .execute(&mut *transaction)
            .await
            .map_err(|error| failed(0, "the list of migrations", &error))?;
    }
    let newest = sqlx::query(NEWEST).fetch_one(&mut *transaction).await?;
    let newest: i64 = newest.try_get(0)?;
    let Some(made) = usize::try_from(newest)
        .ok()
        .filter(|made| *made <= STEPS.len())
    else {
        return Err(StoreError::Migration(format!(
            "they were brought to version {newest} by a newer program, and this one knows {} at most: run the newer one",
            STEPS.len()
        )));
    };
    for (version, (name, step)) in (1_i64..).zip(STEPS).skip(made) {
        sqlx::raw_sql(step)
            .execute(&mut *transaction)
            .await
            .map_err(|error| failed(version, name, &error))?;
        sqlx::query(DONE)
            .bind(version)
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(|error| failed(version, name, &error))?;
        tracing::info!(version, name, "migrated the key store's tables");
    }
    Ok(transaction.commit().await?)
}

fn failed(version: i64, name: &str, error: &sqlx::Error) -> StoreError {
    let said = match error {
        sqlx::Error::Database(said) => {
            format!("{} ({})", said.message(), said.code().unwrap_or_default())
        }
        other => other.to_string(),
    };
    StoreError::Migration(format!("migration {version} ({name}) failed: {said}"))
}
