//! Changes as a PostgreSQL database tells them.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::time::timeout;

use super::{KEEP_ALIVE, PATIENCE, read};
use crate::random;
use crate::store::{Change, Changes, PostgresSettings, StoreError};

/// Where the triggers of `store/postgres/schema_1.sql` tell of changes.
const CHANNEL: &str = "bartizan_changes";

/// Hears of every change of keys and accounts in a PostgreSQL database that [`PostgresStore`](crate::PostgresStore) has migrated, whoever makes
/// it: the database's own triggers tell it.
///
/// It keeps one connection beside the store's, by `LISTEN`. A pooler that gives each transaction another connection (PgBouncer's
/// `transaction` mode) carries no notifications: give the feed a URL that goes past it. Over such a one the feed breaks, and says so.
///
/// ```no_run
/// use bartizan_auth::{Keys, Pepper, PostgresChanges, PostgresSettings, PostgresStore};
///
/// # async fn start(settings: PostgresSettings, pepper: Pepper) -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect(settings.clone()).await?;
/// let keys = Keys::builder(store, pepper).changes(PostgresChanges::new(settings)).build();
/// let following = keys.clone();
/// tokio::spawn(async move { following.follow().await });
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresChanges {
    settings: PostgresSettings,
    keep_alive: Duration,
}

impl PostgresChanges {
    /// Creates a feed of that database.
    #[must_use]
    pub fn new(settings: PostgresSettings) -> Self {
        Self {
            settings,
            keep_alive: KEEP_ALIVE,
        }
    }

    /// How long the database may be silent before it is asked whether it is still there. Five seconds by default.
    #[must_use]
    pub fn keep_alive(mut self, silence: Duration) -> Self {
        self.keep_alive = silence;
        self
    }

    async fn listen(&self) -> Result<PgListener, StoreError> {
        // With the password that is good now.
        let options = timeout(PATIENCE, self.settings.options()).await;
        let options = options.map_err(StoreError::unavailable)??;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_with(options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        // What was told between two connections is lost, so the loss itself has to be told.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        let name = random::draw(16).map_err(StoreError::unavailable)?;
        let channel = format!("bartizan_probe_{name}");
        timeout(PATIENCE, probe(&mut listener, &channel, options))
            .await
            .map_err(|_| StoreError::unavailable(DEAF))?
            .map_err(|error| match error {
                // It was told on the connection of another.
                sqlx::Error::Protocol(_) => StoreError::unavailable(DEAF),
                error => error.into(),
            })?;
        Ok(listener)
    }

    async fn hear(&self, on: &(dyn Fn(Change) + Send + Sync)) -> Result<(), StoreError> {
        let mut listener = self.listen().await?;
        on(Change::Anything);
        loop {
            match timeout(self.keep_alive, listener.try_recv()).await {
                Ok(Ok(Some(told))) => on(read(told.payload())),
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error.into()),
                Err(_silence) => {
                    let alive = sqlx::query("SELECT 1").execute(&mut listener);
                    let alive = timeout(PATIENCE.min(self.keep_alive), alive).await;
                    alive.map_err(StoreError::unavailable)??;
                }
            }
        }
    }
}

const DEAF: &str = "what the database tells does not arrive here: a pooler is between that gives each transaction another connection; give the feed a \
    URL that goes past it";

/// Lets another connection tell something, and waits for it. A pooler takes `LISTEN` and carries nothing of what is told then, and without this a
/// process would wait for changes that it never hears of.
async fn probe(
    listener: &mut PgListener,
    channel: &str,
    options: PgConnectOptions,
) -> Result<(), sqlx::Error> {
    listener.listen(channel).await?;
    let mut other = options.connect().await?;
    // One message, so that no pooler comes between; the name is letters and digits.
    sqlx::raw_sql(AssertSqlSafe(format!("NOTIFY \"{channel}\"")))
        .execute(&mut other)
        .await?;
    // Changes that are told meanwhile are among what is forgotten next.
    while listener.recv().await?.channel() != channel {}
    listener.unlisten(channel).await?;
    let _closed = other.close().await;
    Ok(())
}

impl Changes for PostgresChanges {
    /// The database tells it by itself.
    async fn announce(&self, _change: &Change) -> Result<(), StoreError> {
        Ok(())
    }

    async fn follow(&self, on: &(dyn Fn(Change) + Send + Sync)) -> StoreError {
        match self.hear(on).await {
            Ok(()) => StoreError::unavailable("the connection that changes are told on was lost"),
            Err(error) => error,
        }
    }
}

impl fmt::Debug for PostgresChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresChanges")
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}
