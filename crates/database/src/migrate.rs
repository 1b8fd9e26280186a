//! Brings the tables to the version that this code reads.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::{Error, PostgresSettings};

/// A large table may take its time to be changed.
const LONGEST: Duration = Duration::from_secs(600);

/// The tables of one layer, and how they came to be.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// The table that lists what was done.
    pub list: &'static str,
    /// A number of theirs alone: processes that start together take turns by it.
    pub lock: i64,
    /// What each version is about, and what makes it of the one before.
    pub steps: &'static [(&'static str, &'static str)],
}

impl Migrations {
    /// Brings the tables to the last version, in one transaction, so that a step that fails leaves nothing behind.
    ///
    /// # Errors
    /// [`Error::Migration`] when a step fails, or a newer program was there; [`Error::Unavailable`] when the database can't be reached.
    pub async fn run(&self, settings: &PostgresSettings) -> Result<(), Error> {
        let mut connection = settings.open(LONGEST).await?;
        let done = self.steps(&mut connection).await;
        // Whatever it says, the tables are as they were told to be.
        let _ = connection.close().await;
        done
    }

    async fn steps(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let (list, known) = (self.list, self.steps.len());
        let mut transaction = connection.begin().await?;
        // No statement stays on the connection: behind a pooler it is another's next.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .persistent(false)
            .bind(self.lock)
            .execute(&mut *transaction)
            .await?;
        // Asked before it is made: a role that may only use the tables may not make any.
        let there = sqlx::query("SELECT to_regclass($1) IS NOT NULL")
            .persistent(false)
            .bind(list)
            .fetch_one(&mut *transaction)
            .await?;
        if !there.try_get::<bool, _>(0)? {
            let table = format!(
                "CREATE TABLE {list} (
    version bigint PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"
            );
            sqlx::query(AssertSqlSafe(table))
                .persistent(false)
                .execute(&mut *transaction)
                .await
                .map_err(|error| failed(0, "the list of migrations", &error))?;
        }
        let newest = format!("SELECT coalesce(max(version), 0) FROM {list}");
        let newest = sqlx::query(AssertSqlSafe(newest))
            .persistent(false)
            .fetch_one(&mut *transaction)
            .await?;
        let newest: i64 = newest.try_get(0)?;
        let Some(made) = usize::try_from(newest).ok().filter(|made| *made <= known) else {
            return Err(Error::Migration(format!(
                "they were brought to version {newest} by a newer program, and this one knows {known} at most: run the newer one"
            )));
        };
        for (version, (name, step)) in (1_i64..).zip(self.steps).skip(made) {
            sqlx::raw_sql(*step)
                .execute(&mut *transaction)
                .await
                .map_err(|error| failed(version, name, &error))?;
            let done = format!("INSERT INTO {list} (version, name) VALUES ($1, $2)");
            sqlx::query(AssertSqlSafe(done))
                .persistent(false)
                .bind(version)
                .bind(*name)
                .execute(&mut *transaction)
                .await
                .map_err(|error| failed(version, name, &error))?;
            tracing::info!(list, version, name, "migrated tables");
        }
        Ok(transaction.commit().await?)
    }
}

fn failed(version: i64, name: &str, error: &sqlx::Error) -> Error {
    let said = match error {
        sqlx::Error::Database(said) => {
            format!("{} ({})", said.message(), said.code().unwrap_or_default())
        }
        other => other.to_string(),
    };
    Error::Migration(format!("migration {version} ({name}) failed: {said}"))
}
