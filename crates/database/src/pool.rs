//! Open connections, few and kept.
//!
//! Beside what sqlx's own pool does, this one asks for a password at every new connection, spares the question whether a connection still
//! lives where an answer can be asked for twice, and ends opening a connection though its caller has left: a database that is slow to let
//! anybody in would else never be got into.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use crate::{Error, PostgresSettings};

/// Firewalls and proxies on the way forget connections that are silent for longer.
const MOST_IDLE: Duration = Duration::from_secs(300);
/// So that connections move on after a failover, and end some time after their password did.
const MOST_AGE: Duration = Duration::from_secs(1_800);
/// The database gives up by itself first, where it is alive.
const GRACE: Duration = Duration::from_millis(500);

/// Connections to one database. Clones share them.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    settings: PostgresSettings,
    places: Arc<Semaphore>,
    /// The one used last is the last.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

/// A connection in use. Dropped, it is closed: what was asked on it may still be under way.
struct Lease {
    connection: PgConnection,
    opened: Instant,
    /// Whether it has lain idle, and may be dead by now.
    kept: bool,
    place: OwnedSemaphorePermit,
}

impl Pool {
    /// Creates it. A connection is opened when one is needed.
    #[must_use]
    pub fn new(settings: PostgresSettings) -> Self {
        let places = usize::try_from(settings.connections).unwrap_or(usize::MAX);
        Self(Arc::new(Inner {
            settings,
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            idle: Mutex::default(),
        }))
    }

    /// Asks what changes nothing: where the connection turns out to be dead, once more on a fresh one.
    ///
    /// # Errors
    /// What the database says; [`Error::Unavailable`] when it does not answer in time.
    pub async fn read(
        &self,
        statement: &'static str,
        bound: PgArguments,
    ) -> Result<Vec<PgRow>, Error> {
        let lease = self.lease().await?;
        if !lease.kept {
            return Ok(self.ask(lease, statement, bound).await?);
        }
        match self.ask(lease, statement, bound.clone()).await {
            Err(Failure::Broken(_)) => {
                let lease = self.lease().await?;
                Ok(self.ask(lease, statement, bound).await?)
            }
            answer => Ok(answer?),
        }
    }

    /// Asks what may change something, and is asked once.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn change(
        &self,
        statement: &'static str,
        bound: PgArguments,
    ) -> Result<Vec<PgRow>, Error> {
        let mut lease = self.lease().await?;
        if lease.kept {
            let ping = timeout(self.0.settings.statement, lease.connection.ping()).await;
            if !matches!(ping, Ok(Ok(()))) {
                drop(lease);
                self.idle().clear();
                lease = self.lease().await?;
            }
        }
        Ok(self.ask(lease, statement, bound).await?)
    }

    async fn ask(
        &self,
        mut lease: Lease,
        statement: &'static str,
        bound: PgArguments,
    ) -> Result<Vec<PgRow>, Failure> {
        let settings = &self.0.settings;
        let asked = async {
            let query = sqlx::query_with(statement, bound);
            if !settings.shared {
                return query.fetch_all(&mut lease.connection).await;
            }
            // Preparing and asking are two messages, and another's statement must not come between them.
            let begin = format!(
                "BEGIN; SET LOCAL statement_timeout = {}",
                settings.statement.as_millis()
            );
            let mut transaction = lease.connection.begin_with(AssertSqlSafe(begin)).await?;
            match query.persistent(false).fetch_all(&mut *transaction).await {
                Ok(rows) => transaction.commit().await.map(|()| rows),
                Err(error) => {
                    // At once: until then the pooler keeps a connection for it.
                    let _undone = transaction.rollback().await;
                    Err(error)
                }
            }
        };
        match timeout(self.0.settings.statement + GRACE, asked).await {
            Ok(Ok(rows)) => {
                self.give_back(lease);
                Ok(rows)
            }
            Ok(Err(error)) if is_broken(&error) => {
                // The others were opened to the same server.
                self.idle().clear();
                Err(Failure::Broken(error.into()))
            }
            Ok(Err(error)) => {
                self.give_back(lease);
                Err(Failure::Refused(error.into()))
            }
            Err(late) => Err(Failure::Refused(Error::unavailable(late))),
        }
    }

    async fn lease(&self) -> Result<Lease, Error> {
        let place = timeout(
            self.0.settings.acquire,
            Arc::clone(&self.0.places).acquire_owned(),
        );
        let place = place
            .await
            .map_err(|_| Error::unavailable("every connection to the database is busy"))?
            .map_err(Error::unavailable)?;
        if let Some(idle) = self.take_idle() {
            return Ok(Lease {
                connection: idle.connection,
                opened: idle.opened,
                kept: true,
                place,
            });
        }
        let (give, given) = oneshot::channel();
        let pool = self.clone();
        tokio::spawn(async move {
            let settings = &pool.0.settings;
            let opened = settings.open(settings.statement).await;
            let opened = opened.map(|connection| Lease {
                connection,
                opened: Instant::now(),
                kept: false,
                place,
            });
            if let Err(Ok(unwanted)) = give.send(opened) {
                pool.give_back(unwanted);
            }
        });
        given.await.map_err(Error::unavailable)?
    }

    fn take_idle(&self) -> Option<Idle> {
        let mut idle = self.idle();
        let last = idle.pop()?;
        if last.since.elapsed() > MOST_IDLE {
            // The rest have been idle for longer.
            idle.clear();
            return None;
        }
        Some(last)
    }

    fn give_back(&self, lease: Lease) {
        if lease.opened.elapsed() < MOST_AGE {
            self.idle().push(Idle {
                connection: lease.connection,
                opened: lease.opened,
                since: Instant::now(),
            });
        }
        drop(lease.place);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Failure {
    /// The connection is of no use.
    Broken(Error),
    Refused(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(error) | Failure::Refused(error) => error,
        }
    }
}

/// Besides what breaks the connection itself: a server that shuts down (57P) or was made a replica meanwhile (25006).
fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(said) => said.code().is_some_and(|code| {
            code.starts_with("57P") || code.starts_with("08") || code == "25006"
        }),
        _ => false,
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
