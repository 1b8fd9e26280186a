//! Entries in a SQLite file.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bartizan_core::Cost;
use bartizan_database::sqlite::{self, Worker};
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, named_params};

use super::entry::{SpendEntry, SpendId, milliseconds};
use super::row::{Columns, Folded, Unreadable, count, id_at, tags, time, usage, whole};
use super::store::{
    Batch, Erase, Fold, JournalId, SpendError, SpendFilter, SpendQuery, SpendRow, SpendScope,
    SpendSpan, SpendStore, SpendSum, StoreFuture,
};

mod asked;

use asked::Asked;

const STEPS: [&str; 1] = [include_str!("sqlite/schema_1.sql")];

const MOVED: &str = "SELECT moved FROM spend_journals WHERE journal = :journal";
const MOVE: &str = "INSERT INTO spend_journals (journal, moved) VALUES (:journal, :moved)
    ON CONFLICT (journal) DO UPDATE SET moved = excluded.moved";
const CLOSE: &str = "DELETE FROM spend_journals WHERE journal = :journal";
const INSERT: &str = include_str!("sqlite/insert.sql");
const FOLD: &str = include_str!("sqlite/fold.sql");
const FOLDED: &str = "DELETE FROM spend WHERE id >= :from_id AND id < :to_id AND span < :below";
const OLDEST: &str = "SELECT min(at) FROM spend WHERE span = 0";
const OLDEST_BELOW_DAY: &str = "SELECT min(at) FROM (
    SELECT (SELECT min(at) FROM spend WHERE span = 0) AS at UNION ALL SELECT (SELECT min(at) FROM spend WHERE span = 900))";
const ERASE_USER: &str = "UPDATE spend SET user_id = NULL WHERE user_id = :name";
const ERASE_END_USER: &str = "UPDATE spend SET end_user = NULL WHERE end_user = :name";
const FORGET: &str = "DELETE FROM spend WHERE id < :before_id AND at + span * 1000 < :before";

/// Keeps entries in a SQLite file of its own, in write-ahead mode, for the processes of one machine.
///
/// The file is readable by its owner alone (mode 0600 on Unix). Three threads do the work: one for budgets, one for reports and one for changes.
#[derive(Clone)]
pub struct SqliteSpend {
    /// For budgets, which calls wait for.
    seeder: Worker,
    reader: Worker,
    writer: Worker,
}

impl SqliteSpend {
    /// Opens the file, or creates it. Blocks while it does: open it before the service starts.
    ///
    /// # Errors
    /// [`SpendError::Unavailable`] when the file can't be opened or is no database, [`SpendError::Migration`] when it was written by a newer version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SpendError> {
        let path = path.as_ref();
        let writer = sqlite::open(path, &STEPS)?;
        let reader = sqlite::open_to_read(path)?;
        let seeder = sqlite::open_to_read(path)?;
        Ok(Self {
            seeder: Worker::start("bartizan-spend-s", seeder)?,
            reader: Worker::start("bartizan-spend-r", reader)?,
            writer: Worker::start("bartizan-spend-w", writer)?,
        })
    }
}

impl SpendStore for SqliteSpend {
    fn moved(&self, journal: JournalId) -> StoreFuture<'_, Option<u64>> {
        Box::pin(
            self.writer
                .run(move |connection| Ok(moved(connection, &journal)?.map(count))),
        )
    }

    fn append(&self, batch: Batch) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let appended = self
                .writer
                .run(move |connection| append(connection, &batch))
                .await;
            let in_place = appended.map_err(|error: SpendError| error)?;
            in_place.then_some(()).ok_or(SpendError::Misplaced)
        })
    }

    fn close(&self, journal: JournalId) -> StoreFuture<'_, ()> {
        Box::pin(self.writer.run(move |connection| {
            let mut statement = connection.prepare_cached(CLOSE)?;
            statement.execute(named_params! { ":journal": journal })?;
            Ok(())
        }))
    }

    fn spent(&self, scope: SpendScope, span: SpendSpan) -> StoreFuture<'_, Cost> {
        let mut filter = SpendFilter::within(span);
        filter.scope = scope;
        Box::pin(
            self.seeder
                .run(move |connection| Asked::new(&filter).spent(connection)),
        )
    }

    fn sums(&self, query: SpendQuery) -> StoreFuture<'_, Vec<SpendSum>> {
        Box::pin(
            self.reader
                .run(move |connection| Asked::new(&query.filter).sums(connection, &query)),
        )
    }

    fn rows(
        &self,
        filter: SpendFilter,
        before: Option<SpendId>,
        limit: u64,
    ) -> StoreFuture<'_, Vec<SpendRow>> {
        Box::pin(
            self.reader
                .run(move |connection| Asked::new(&filter).rows(connection, before, limit)),
        )
    }

    fn oldest(&self, days: bool) -> StoreFuture<'_, Option<Duration>> {
        let statement = if days { OLDEST_BELOW_DAY } else { OLDEST };
        Box::pin(self.reader.run(move |connection| {
            let at: Option<i64> = connection
                .prepare_cached(statement)?
                .query_row([], |row| row.get(0))?;
            Ok(at.map(|at| Duration::from_millis(count(at))))
        }))
    }

    fn fold(&self, fold: Fold) -> StoreFuture<'_, u64> {
        Box::pin(
            self.writer
                .run(move |connection| folded(connection, fold.into())),
        )
    }

    fn erase(&self, whom: Erase) -> StoreFuture<'_, u64> {
        let (statement, name) = match whom {
            Erase::User(name) => (ERASE_USER, name),
            Erase::EndUser(name) => (ERASE_END_USER, name),
        };
        Box::pin(self.writer.run(move |connection| {
            let mut statement = connection.prepare_cached(statement)?;
            Ok(statement.execute(named_params! { ":name": name })? as u64)
        }))
    }

    fn forget(&self, before: Duration) -> StoreFuture<'_, u64> {
        let before = time(before);
        Box::pin(self.writer.run(move |connection| {
            let mut statement = connection.prepare_cached(FORGET)?;
            let bound = named_params! { ":before_id": id_at(before), ":before": before };
            Ok(statement.execute(bound)? as u64)
        }))
    }
}

fn moved(connection: &Connection, journal: &JournalId) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(MOVED)?;
    statement
        .query_row(named_params! { ":journal": journal }, |row| row.get(0))
        .optional()
}

/// Gives whether the entries stand where those that were kept end, or were kept already.
fn append(connection: &mut Connection, batch: &Batch) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let kept = moved(&transaction, &batch.journal)?.unwrap_or(0);
    if kept == whole(batch.to) {
        return Ok(true);
    }
    if kept != whole(batch.from) {
        return Ok(false);
    }
    transaction.prepare_cached(MOVE)?.execute(named_params! {
        ":journal": batch.journal,
        ":moved": whole(batch.to),
    })?;
    {
        let mut statement = transaction.prepare_cached(INSERT)?;
        for entry in &batch.entries {
            insert(&mut statement, entry)?;
        }
    }
    transaction.commit()?;
    Ok(true)
}

fn insert(statement: &mut rusqlite::Statement<'_>, entry: &SpendEntry) -> rusqlite::Result<()> {
    let (nanos, rest) = money(entry.cost);
    statement.execute(named_params! {
        ":id": entry.id.as_bytes(),
        ":at": whole(milliseconds(entry.time())),
        ":key_id": entry.key_id,
        ":user_id": entry.user_id,
        ":team_id": entry.team_id,
        ":organization_id": entry.organization_id,
        ":end_user": entry.end_user,
        ":model": entry.model,
        ":provider": entry.provider,
        ":served_model": entry.served_model,
        ":tags": tags(entry),
        ":outcome": entry.outcome.as_str(),
        ":estimated": entry.estimated,
        ":priced": entry.priced,
        ":input": whole(entry.usage.input),
        ":cached_input": whole(entry.usage.cached_input),
        ":cache_write": whole(entry.usage.cache_write),
        ":output": whole(entry.usage.output),
        ":reasoning": whole(entry.usage.reasoning),
        ":audio_input": whole(entry.usage.audio_input),
        ":audio_output": whole(entry.usage.audio_output),
        ":cost_nanos": nanos,
        ":cost_rest": rest,
    })?;
    Ok(())
}

fn folded(connection: &mut Connection, fold: Folded) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (from_id, to_id) = (id_at(fold.within.from), id_at(fold.within.to));
    let sums = transaction.prepare_cached(FOLD)?.execute(named_params! {
        ":span": fold.span,
        ":day": fold.day,
        ":from": fold.within.from,
        ":from_id": from_id,
        ":to_id": to_id,
        ":below": fold.below,
    })?;
    let rows = transaction.prepare_cached(FOLDED)?.execute(named_params! {
        ":from_id": from_id,
        ":to_id": to_id,
        ":below": fold.below,
    })?;
    transaction.commit()?;
    Ok(rows.saturating_sub(sums) as u64)
}

const NANO: u128 = 1_000_000;

/// Money as two whole numbers, which SQLite adds up without a float.
fn money(cost: Cost) -> (i64, i64) {
    let femto = cost.femto_dollars();
    // An entry costs a million dollars at most.
    let part = |number: u128| i64::try_from(number).unwrap_or(i64::MAX);
    (part(femto / NANO), part(femto % NANO))
}

fn cost(nanos: i64, rest: i64) -> Cost {
    Cost::from_femto_dollars(u128::from(count(nanos)) * NANO + u128::from(count(rest)))
}

fn read(row: &Row<'_>) -> rusqlite::Result<SpendRow> {
    let written: String = row.get("tags")?;
    let columns = Columns {
        id: row.get("id")?,
        span: row.get("span")?,
        calls: row.get("calls")?,
        key_id: row.get("key_id")?,
        user_id: row.get("user_id")?,
        team_id: row.get("team_id")?,
        organization_id: row.get("organization_id")?,
        end_user: row.get("end_user")?,
        model: row.get("model")?,
        provider: row.get("provider")?,
        served_model: row.get("served_model")?,
        outcome: row.get("outcome")?,
        estimated: row.get("estimated")?,
        priced: row.get("priced")?,
        usage: counts(row)?,
        tags: serde_json::from_str(&written).map_err(|_| wrong(Unreadable("spend.tags")))?,
        cost: cost(row.get("cost_nanos")?, row.get("cost_rest")?),
    };
    columns.row().map_err(wrong)
}

fn counts(row: &Row<'_>) -> rusqlite::Result<[i64; 7]> {
    Ok([
        row.get("input")?,
        row.get("cached_input")?,
        row.get("cache_write")?,
        row.get("output")?,
        row.get("reasoning")?,
        row.get("audio_input")?,
        row.get("audio_output")?,
    ])
}

fn wrong(column: Unreadable) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(0, column.0.to_owned(), Type::Text)
}

impl fmt::Debug for SqliteSpend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSpend").finish_non_exhaustive()
    }
}
