//! Counts kept in Redis, which many processes share.

mod answer;
mod away;
mod core;
mod link;
mod place;
mod queue;
mod seen;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Clock, SystemClock};
use redis::ConnectionInfo;
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use self::answer::Answer;
pub use self::away::Fallback;
use self::away::Outage;
use self::core::{Core, Settings};
pub use self::place::RedisConfigError;
use self::place::{Place, Places};
use self::queue::Charged;
use self::words::{CLOCK, Space, Texts};
use crate::store::{Away, Charge, Claim, Counter, Decision, LimitStore};

/// How long a connection may take until it can be asked.
const CONNECTING: Duration = Duration::from_secs(1);
/// A holder that shows no sign of life for so long is dead: less than the ten seconds that are promised.
const LIFE: Duration = Duration::from_secs(9);

/// Keeps counts in Redis, for all processes that name the same namespace.
///
/// A script decides on all counts of a call at once, in one round trip, by the server's own time. What became of a call is told by a task in the
/// background, which runs on the runtime that first asks for a decision. Clones count together; when the last one is dropped, the task tells what is
/// left and ends.
///
/// All counts of a namespace share one hash tag: in a cluster they are on one node.
///
/// No decision waits longer than its deadline, and while Redis is away none waits at all: then the [`Fallback`] decides. The whole of it is told in
/// `docs/limits-redis.md`.
///
/// ```no_run
/// use bartizan_limit::{Fallback, RedisStore};
/// use secrecy::SecretString;
///
/// # fn start() -> Result<(), bartizan_limit::RedisConfigError> {
/// let store = RedisStore::builder(SecretString::from("rediss://limits:a-password@redis.example.com/0"))
///     .namespace("production")
///     .away(Fallback::Local { replicas: 3 })
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Owner>);

struct Owner(Arc<Core>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Makes a [`RedisStore`].
#[derive(Debug)]
pub struct RedisBuilder {
    url: SecretString,
    sentinels: Vec<SecretString>,
    cluster: Option<Vec<SecretString>>,
    root: Option<Vec<u8>>,
    namespace: String,
    fallback: Fallback,
    settings: Settings,
    /// Of the server, as scripts ask for it.
    time: String,
    /// Of this process.
    clock: Arc<dyn Clock>,
    /// Beyond what a deadline may be: what a test shows is not to depend on how busy its machine is.
    #[cfg(test)]
    patience: Option<Duration>,
}

impl RedisStore {
    /// Begins with `redis://USER:PASSWORD@HOST:PORT/DATABASE`; `rediss://` is the same over TLS, with a certificate that Mozilla's or the machine's
    /// roots vouch for.
    #[must_use]
    pub fn builder(url: SecretString) -> RedisBuilder {
        RedisBuilder {
            url,
            sentinels: Vec::new(),
            cluster: None,
            root: None,
            namespace: "bartizan".to_owned(),
            fallback: Fallback::Closed,
            settings: Settings {
                deadline: Duration::from_millis(50),
                life: LIFE,
                connections: 2,
            },
            time: CLOCK.to_owned(),
            clock: Arc::new(SystemClock::new()),
            #[cfg(test)]
            patience: None,
        }
    }

    /// Waits until all that was settled has been told to Redis, for `patience` at the most. Says whether it has.
    pub async fn flush(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            let core = &self.0.0;
            let unsettled = core.unsettled.load(std::sync::atomic::Ordering::Relaxed);
            if unsettled == 0 && core.queue.is_empty() {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl RedisBuilder {
    /// Asks these sentinels where the server is, by their URLs and with their own credentials. The store's URL then has the name of the master for its host,
    /// and the servers' credentials: `redis://USER:PASSWORD@MASTER/DATABASE`.
    #[must_use]
    pub fn sentinels(mut self, urls: impl IntoIterator<Item = SecretString>) -> Self {
        self.sentinels = urls.into_iter().collect();
        self
    }

    /// The store's URL, and these, are of nodes of a cluster; the rest are found. All counts of a namespace are on one of them.
    #[must_use]
    pub fn cluster(mut self, more: impl IntoIterator<Item = SecretString>) -> Self {
        self.cluster = Some(more.into_iter().collect());
        self
    }

    /// Trusts these certificates, in PEM, and no others, to vouch for servers over TLS.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root = Some(pem.into());
        self
    }

    /// Under what the counts are kept: stores of one namespace count together. `bartizan` by default.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// What decides while Redis is away. [`Fallback::Closed`] by default: it alone needs to know of nothing.
    #[must_use]
    pub const fn away(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// How long a decision may take, connecting included, before Redis is taken to be away. 50 ms by default, at most 100 ms.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// How many connections decisions are spread over, each of which carries many at a time; one more carries settlements. Two by default.
    #[must_use]
    pub const fn connections(mut self, count: usize) -> Self {
        self.settings.connections = count;
        self
    }

    /// Scripts that are told the time in another way, and how long a holder lives by it.
    #[cfg(test)]
    fn clocked(mut self, time: &str, clock: impl Clock, life: Duration) -> Self {
        time.clone_into(&mut self.time);
        self.clock = Arc::new(clock);
        self.settings.life = life;
        self
    }

    /// Makes the store. Nothing is connected to yet.
    ///
    /// # Errors
    /// [`RedisConfigError`], where a URL or a setting doesn't go.
    #[cfg_attr(not(test), expect(unused_mut, reason = "tests are patient"))]
    pub fn build(mut self) -> Result<RedisStore, RedisConfigError> {
        let setting = |problem| Err(RedisConfigError::Setting(problem));
        if self.namespace.is_empty() || self.namespace.contains(['{', '}']) {
            return setting("give its namespace at least one character, and no braces");
        }
        if self.settings.deadline.is_zero() || self.settings.deadline > Duration::from_millis(100) {
            return setting("give a decision more than nothing and at most 100 ms");
        }
        if !(1..=64).contains(&self.settings.connections) {
            return setting("give it 1 to 64 connections");
        }
        #[cfg(test)]
        if let Some(patience) = self.patience {
            self.settings.deadline = patience;
        }
        let url = place::read(&self.url)?;
        let many = |urls: &[SecretString]| {
            urls.iter()
                .map(place::read)
                .collect::<Result<Vec<ConnectionInfo>, _>>()
        };
        let place = match &self.cluster {
            Some(_) if !self.sentinels.is_empty() => {
                return setting("a server is found by sentinels or in a cluster, not by both");
            }
            Some(_) if url.redis_settings().db() != 0 => {
                return setting("a cluster has only the database 0");
            }
            Some(more) => {
                let more = many(more)?;
                Place::Cluster([url].into_iter().chain(more).collect())
            }
            None if self.sentinels.is_empty() => Place::One(url),
            None => {
                let name = place::host(&url).unwrap_or_default().to_owned();
                Place::Sentinels(url, name, many(&self.sentinels)?)
            }
        };
        let Some(process) = link::name() else {
            return setting("the machine gives no random numbers");
        };
        let core = Core::new(
            Places {
                place,
                root: self.root,
            },
            Space::new(&self.namespace),
            Texts::new(&self.time),
            self.settings,
            process,
            Outage::new(self.fallback),
            self.clock,
        );
        let core = Arc::new(core);
        core.start();
        Ok(RedisStore(Arc::new(Owner(core))))
    }
}

impl LimitStore for RedisStore {
    async fn decide(&self, claims: &[Claim]) -> Result<Decision, Away> {
        let core = &self.0.0;
        core.start();
        let until = Instant::now() + core.settings.deadline;
        // Twice, where this process was taken for dead and has to begin anew.
        for _ in 0..2 {
            let Some(link) = core.link(until).await else {
                break;
            };
            match core.ask(&link, claims, until).await {
                Ok(Answer::Decided(decision)) => {
                    core.outage.learn(claims, &decision, core.now());
                    return Ok(decision);
                }
                Ok(Answer::Gone) => core.renew(&link),
                Err(trouble) => {
                    core.fall(&link, &trouble);
                    break;
                }
            }
        }
        core.outage.decide(claims, core.now()).await
    }

    fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]) {
        let core = &self.0.0;
        if Outage::is_here(charge) {
            core.outage.settle(claims, charge, used);
            let charged = Charged::Here { at: charge.at };
            core.queue.settle(claims, charged, used, core.now());
        } else {
            core.settle(claims, charge, used);
        }
    }

    async fn seed(&self, counter: &Counter, spent: u64) -> Result<(), Away> {
        let core = &self.0.0;
        core.start();
        let until = Instant::now() + core.settings.deadline;
        if let Some(link) = core.link(until).await {
            match core.seed(&link, counter, spent, until).await {
                Ok(()) => return Ok(()),
                Err(trouble) => core.fall(&link, &trouble),
            }
        }
        core.outage.seed(counter, spent, core.now())
    }

    fn degraded(&self) -> bool {
        !self.0.0.is_up()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = &self.0.0;
        f.debug_struct("RedisStore")
            .field("place", &core.places)
            .field("space", &core.space)
            .field("settings", &core.settings)
            .field("up", &core.is_up())
            .finish_non_exhaustive()
    }
}
