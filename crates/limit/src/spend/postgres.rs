//! Entries in a PostgreSQL database.

use std::fmt;
use std::time::Duration;

use bartizan_core::Cost;
use bartizan_database::{Migrations, Pool, PostgresSettings, Values};
use sqlx::Row as _;
use sqlx::postgres::{PgArguments, PgRow};

use super::entry::{SpendEntry, SpendId, milliseconds};
use super::row::{Columns, Folded, Unreadable, count, tags, time, usage, whole};
use super::store::{
    Batch, Erase, Fold, JournalId, SpendError, SpendFilter, SpendQuery, SpendRow, SpendScope,
    SpendSpan, SpendStore, SpendSum, StoreFuture,
};

mod asked;

/// The number spells a name.
const MIGRATIONS: Migrations = Migrations {
    list: "bartizan_spend_migrations",
    lock: 0x627a_2073_7065_6e64,
    steps: &[("spending", include_str!("postgres/schema_1.sql"))],
};

const MOVED: &str = "SELECT moved FROM spend_journals WHERE journal = $1";
const APPEND: &str = include_str!("postgres/append.sql");
// Those of machines that never came back too: no journal lies about for years.
const CLOSE: &str = "DELETE FROM spend_journals WHERE journal = $1 OR moved_at < now() - interval '3 years' RETURNING 1";
const OLDEST: &str = "SELECT min(at) FROM spend WHERE span = 0";
const OLDEST_BELOW_DAY: &str = "SELECT least((SELECT min(at) FROM spend WHERE span = 0), (SELECT min(at) FROM spend WHERE span = 900))";
const FOLD: &str = include_str!("postgres/fold.sql");
const ERASE_USER: &str = "WITH erased AS (UPDATE spend SET user_id = NULL WHERE user_id = $1 RETURNING 1) SELECT count(*) FROM erased";
const ERASE_END_USER: &str = "WITH erased AS (UPDATE spend SET end_user = NULL WHERE end_user = $1 RETURNING 1) SELECT count(*) FROM erased";
const FORGET: &str = "WITH gone AS (DELETE FROM spend WHERE at < $1 AND at + span * 1000::bigint < $1 RETURNING 1) SELECT count(*) FROM gone";

/// Keeps entries in a PostgreSQL database (13 or later), which many processes share: the one that keys are in, or another.
///
/// Every question and every change is one prepared statement and so one transaction; every value in it is bound. Its tables are made, and brought to
/// the version that this code reads, when it connects; `docs/databases.md` tells what they hold.
#[derive(Clone)]
pub struct PostgresSpend {
    /// For what journals hold.
    pool: Pool,
    /// For budgets, which calls wait for.
    seeds: Pool,
    /// For what may take its time.
    slow: Pool,
}

impl PostgresSpend {
    /// Connects, and migrates the tables: processes that start together take turns.
    ///
    /// # Errors
    /// [`SpendError::Migration`] when the tables can't be brought to this version, or were brought to a newer one; [`SpendError::Unavailable`]
    /// when the database can't be reached or doesn't let us in.
    pub async fn connect(settings: PostgresSettings) -> Result<Self, SpendError> {
        MIGRATIONS.run(&settings).await?;
        let slow = settings
            .clone()
            .connections(2)
            .statement_timeout(Duration::from_secs(300));
        Ok(Self {
            pool: Pool::new(settings.clone().connections(2)),
            seeds: Pool::new(settings.connections(4)),
            slow: Pool::new(slow),
        })
    }
}

impl SpendStore for PostgresSpend {
    fn moved(&self, journal: JournalId) -> StoreFuture<'_, Option<u64>> {
        Box::pin(async move {
            let bound = Values::default().with(journal.to_vec())?;
            let rows = self.pool.read(MOVED, bound.done()).await?;
            let moved = rows.first().map(|row| row.try_get::<i64, _>(0));
            Ok(moved.transpose().map_err(broken)?.map(count))
        })
    }

    fn append(&self, batch: Batch) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let to = whole(batch.to);
            let rows = self.pool.change(APPEND, bind(&batch)?).await?;
            let moved = rows.first().map(|row| row.try_get::<i64, _>(0));
            let moved = moved.transpose().map_err(broken)?;
            (moved == Some(to))
                .then_some(())
                .ok_or(SpendError::Misplaced)
        })
    }

    fn close(&self, journal: JournalId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let bound = Values::default().with(journal.to_vec())?;
            self.pool.change(CLOSE, bound.done()).await?;
            Ok(())
        })
    }

    fn spent(&self, scope: SpendScope, span: SpendSpan) -> StoreFuture<'_, Cost> {
        let mut filter = SpendFilter::within(span);
        filter.scope = scope;
        Box::pin(async move { asked::spent(&self.seeds, &filter).await })
    }

    fn sums(&self, query: SpendQuery) -> StoreFuture<'_, Vec<SpendSum>> {
        Box::pin(async move { asked::sums(&self.slow, &query).await })
    }

    fn rows(
        &self,
        filter: SpendFilter,
        before: Option<SpendId>,
        limit: u64,
    ) -> StoreFuture<'_, Vec<SpendRow>> {
        Box::pin(async move { asked::rows(&self.slow, &filter, before, limit).await })
    }

    fn oldest(&self, days: bool) -> StoreFuture<'_, Option<Duration>> {
        let statement = if days { OLDEST_BELOW_DAY } else { OLDEST };
        Box::pin(async move {
            let rows = self.slow.read(statement, Values::default().done()).await?;
            let at = rows.first().map(|row| row.try_get::<Option<i64>, _>(0));
            let at = at.transpose().map_err(broken)?.flatten();
            Ok(at.map(|at| Duration::from_millis(count(at))))
        })
    }

    fn fold(&self, fold: Fold) -> StoreFuture<'_, u64> {
        let fold = Folded::from(fold);
        Box::pin(async move {
            let bound = Values::default()
                .with(fold.within.from)?
                .with(fold.within.to)?
                .with(fold.below)?
                .with(fold.day)?
                .with(i32::try_from(fold.span).unwrap_or(i32::MAX))?;
            self.counted(FOLD, bound).await
        })
    }

    fn erase(&self, whom: Erase) -> StoreFuture<'_, u64> {
        let (statement, name) = match whom {
            Erase::User(name) => (ERASE_USER, name),
            Erase::EndUser(name) => (ERASE_END_USER, name),
        };
        Box::pin(async move { self.counted(statement, Values::default().with(name)?).await })
    }

    fn forget(&self, before: Duration) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            self.counted(FORGET, Values::default().with(time(before))?)
                .await
        })
    }
}

impl PostgresSpend {
    async fn counted(&self, statement: &'static str, bound: Values) -> Result<u64, SpendError> {
        let rows = self.slow.change(statement, bound.done()).await?;
        let counted = rows.first().map(|row| row.try_get::<i64, _>(0));
        Ok(counted.transpose().map_err(broken)?.map_or(0, count))
    }
}

fn broken(error: sqlx::Error) -> SpendError {
    bartizan_database::Error::from(error).into()
}

/// As `append.sql` numbers them.
fn bind(batch: &Batch) -> Result<PgArguments, SpendError> {
    let entries = &batch.entries;
    let texts = |of: fn(&SpendEntry) -> &String| {
        entries
            .iter()
            .map(|entry| of(entry).clone())
            .collect::<Vec<_>>()
    };
    let told = |of: fn(&SpendEntry) -> &Option<String>| {
        entries
            .iter()
            .map(|entry| of(entry).clone())
            .collect::<Vec<_>>()
    };
    let numbers = |of: fn(&SpendEntry) -> u64| {
        entries
            .iter()
            .map(|entry| whole(of(entry)))
            .collect::<Vec<_>>()
    };
    let flags = |of: fn(&SpendEntry) -> bool| entries.iter().map(of).collect::<Vec<_>>();
    let values = Values::default()
        .with(batch.journal.to_vec())?
        .with(whole(batch.from))?
        .with(whole(batch.to))?
        .with(
            entries
                .iter()
                .map(|entry| entry.id.as_bytes().to_vec())
                .collect::<Vec<_>>(),
        )?
        .with(numbers(|entry| milliseconds(entry.time())))?
        .with(texts(|entry| &entry.key_id))?
        .with(told(|entry| &entry.user_id))?
        .with(told(|entry| &entry.team_id))?
        .with(told(|entry| &entry.organization_id))?
        .with(told(|entry| &entry.end_user))?
        .with(texts(|entry| &entry.model))?
        .with(told(|entry| &entry.provider))?
        .with(told(|entry| &entry.served_model))?
        .with(entries.iter().map(tags).collect::<Vec<_>>())?
        .with(
            entries
                .iter()
                .map(|entry| entry.outcome.as_str().to_owned())
                .collect::<Vec<_>>(),
        )?
        .with(flags(|entry| entry.estimated))?
        .with(flags(|entry| entry.priced))?
        .with(numbers(|entry| entry.usage.input))?
        .with(numbers(|entry| entry.usage.cached_input))?
        .with(numbers(|entry| entry.usage.cache_write))?
        .with(numbers(|entry| entry.usage.output))?
        .with(numbers(|entry| entry.usage.reasoning))?
        .with(numbers(|entry| entry.usage.audio_input))?
        .with(numbers(|entry| entry.usage.audio_output))?
        .with(
            entries
                .iter()
                .map(|entry| entry.cost.to_string())
                .collect::<Vec<_>>(),
        )?;
    Ok(values.done())
}

fn read(row: &PgRow) -> Result<SpendRow, SpendError> {
    let columns = || -> Result<Columns, sqlx::Error> {
        Ok(Columns {
            id: row.try_get("id")?,
            span: i64::from(row.try_get::<i32, _>("span")?),
            calls: row.try_get("calls")?,
            key_id: row.try_get("key_id")?,
            user_id: row.try_get("user_id")?,
            team_id: row.try_get("team_id")?,
            organization_id: row.try_get("organization_id")?,
            end_user: row.try_get("end_user")?,
            model: row.try_get("model")?,
            provider: row.try_get("provider")?,
            served_model: row.try_get("served_model")?,
            outcome: row.try_get("outcome")?,
            estimated: row.try_get("estimated")?,
            priced: row.try_get("priced")?,
            usage: counts(row)?,
            tags: row.try_get("tags")?,
            cost: Cost::ZERO,
        })
    };
    let mut columns = columns().map_err(broken)?;
    columns.cost = cost(row)?;
    Ok(columns.row()?)
}

fn counts(row: &PgRow) -> Result<[i64; 7], sqlx::Error> {
    Ok([
        row.try_get("input")?,
        row.try_get("cached_input")?,
        row.try_get("cache_write")?,
        row.try_get("output")?,
        row.try_get("reasoning")?,
        row.try_get("audio_input")?,
        row.try_get("audio_output")?,
    ])
}

/// Money is asked for in 10⁻¹⁵ dollars, as a text: no float lies between, and no digit is lost.
fn cost(row: &PgRow) -> Result<Cost, SpendError> {
    let text: String = row.try_get("femto").map_err(broken)?;
    let femto = text.parse().map_err(|_| Unreadable("spend.cost"))?;
    Ok(Cost::from_femto_dollars(femto))
}

impl fmt::Debug for PostgresSpend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSpend").finish_non_exhaustive()
    }
}
