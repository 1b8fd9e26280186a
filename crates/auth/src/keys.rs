//! Looks keys up, mints them and takes them back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Clock, Principal, SystemClock};

use crate::account::Account;
use crate::cache::{Cache, Known};
use crate::chain::Chain;
use crate::digest::Pepper;
use crate::key::VirtualKey;
use crate::record::{KeyRecord, Previous, Standing};
use crate::store::{AnyChanges, AnyStore, Changes, KeyStore, StoreError, StoreFuture};

mod manage;
mod mint;

pub use mint::{KeyRequest, MintedKey};

/// The service that knows virtual keys: the layer asks it who calls, and an administration API mints, lists and revokes through it.
///
/// Clones share one cache of looked-up keys, so a key that is revoked through any clone opens nothing from that moment on in this
/// process. Other processes on the same store see it when their cached copy ends (30 seconds unless told otherwise).
///
/// ```
/// use bartizan_auth::{KeyRequest, Keys, MasterKey, MemoryStore, Pepper};
/// use secrecy::{ExposeSecret, SecretString};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pepper = Pepper::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05"))?;
/// let master = MasterKey::new(SecretString::from("sk-5a0d83f7c2164be99e7b20f1d86c4a3e"))?;
/// let keys = Keys::new(MemoryStore::new(), pepper);
///
/// let admin = master.verify("sk-5a0d83f7c2164be99e7b20f1d86c4a3e").ok_or("wrong master key")?;
/// let mut request = KeyRequest::default();
/// request.team_id = Some("search".to_owned());
/// let minted = keys.generate(&admin, request).await?;
///
/// // Shown once; only its keyed hash was kept.
/// let principal = keys.verify(minted.key.expose_secret()).await?;
/// assert_eq!(principal.team_id(), Some("search"));
///
/// keys.revoke(&admin, minted.record.key_id.as_str()).await?;
/// assert!(keys.verify(minted.key.expose_secret()).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keys {
    store: Arc<dyn AnyStore>,
    pepper: Pepper,
    cache: Arc<Cache>,
    changes: Option<Arc<dyn AnyChanges>>,
    clock: Arc<dyn Clock>,
    patience: Duration,
}

/// How long a broken feed of changes rests.
const REST: Duration = Duration::from_millis(500);

/// Sets up [`Keys`].
#[derive(Clone)]
#[must_use]
pub struct KeysBuilder {
    store: Arc<dyn AnyStore>,
    pepper: Pepper,
    changes: Option<Arc<dyn AnyChanges>>,
    clock: Arc<dyn Clock>,
    ttl: Duration,
    capacity: usize,
    patience: Duration,
}

/// Why a presented credential opens nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// It is no key, or no key that is known.
    #[error("the key is not known")]
    Unknown,
    /// Its time is over.
    #[error("the key has expired")]
    Expired,
    /// An administrator has blocked it for now.
    #[error("the key is blocked")]
    Blocked,
    /// It was revoked for good.
    #[error("the key is revoked")]
    Revoked,
    /// The store can't tell, so nobody is let in.
    #[error("the key can't be checked: {0}")]
    Unchecked(#[source] StoreError),
}

impl Keys {
    /// Creates the service over `store`, with what [`KeysBuilder`] documents as defaults.
    pub fn new(store: impl KeyStore, pepper: Pepper) -> Self {
        Self::builder(store, pepper).build()
    }

    /// Sets up the service over `store`.
    pub fn builder(store: impl KeyStore, pepper: Pepper) -> KeysBuilder {
        KeysBuilder {
            store: Arc::new(store),
            pepper,
            changes: None,
            clock: Arc::new(SystemClock::new()),
            ttl: Duration::from_secs(30),
            capacity: 10_000,
            patience: Duration::from_secs(1),
        }
    }

    /// Gives the principal that the holder of `presented` is.
    ///
    /// # Errors
    /// [`Denied`], for every text that is not a key of good standing, and whenever the store can't tell.
    pub async fn verify(&self, presented: &str) -> Result<Principal, Denied> {
        let key = VirtualKey::parse(presented).ok_or(Denied::Unknown)?;
        let known = self
            .look_up(key)
            .await
            .map_err(Denied::Unchecked)?
            .ok_or(Denied::Unknown)?;
        let now = self.clock.unix();
        let over = |previous: Previous| known.digest == previous.digest && previous.until <= now;
        if known.record.previous.is_some_and(over) {
            return Err(Denied::Unknown);
        }
        match known.record.standing(now) {
            Standing::Live if known.chain.blocked() => Err(Denied::Blocked),
            Standing::Live => Ok(known.principal.clone()),
            Standing::Expired => Err(Denied::Expired),
            Standing::Blocked => Err(Denied::Blocked),
            Standing::Revoked => Err(Denied::Revoked),
        }
    }

    async fn look_up(&self, key: VirtualKey<'_>) -> Result<Option<Arc<Known>>, StoreError> {
        let digest = self.pepper.digest(key);
        let now = self.clock.monotonic();
        if let Some(known) = self.cache.get(&digest, now) {
            metrics::counter!("bartizan.auth.key_lookups", "outcome" => "cached").increment(1);
            return Ok(Some(known));
        }
        let ticket = self.cache.ticket(now);
        let found = self.ask(self.store.find_with_accounts(&digest)).await;
        let outcome = match &found {
            Ok(Some(_)) => "found",
            Ok(None) => "absent",
            Err(_) => "failed",
        };
        metrics::counter!("bartizan.auth.key_lookups", "outcome" => outcome).increment(1);
        let Some((record, accounts)) = found? else {
            return Ok(None);
        };
        let before = record
            .previous
            .is_some_and(|previous| previous.digest == digest);
        if record.digest != digest && !before {
            // A store that mixes up its rows must not hand one caller another's rights.
            return Err(StoreError::unavailable(
                "the store gave another key than was asked for",
            ));
        }
        let chain = self.chain(&record, accounts).await?;
        let known = Arc::new(Known::new(digest, record, chain));
        self.cache.insert(Arc::clone(&known), ticket);
        metrics::gauge!("bartizan.auth.cached_keys").set(self.cache.len() as f64);
        Ok(Some(known))
    }

    /// Forgets what other processes change, as soon as they tell. It never ends: spawn it, and abort the task at the end. Where the feed breaks, it
    /// is taken up again after a second at most; until then, what is cached serves no longer than its time to live.
    pub async fn follow(&self) {
        let Some(changes) = &self.changes else {
            return std::future::pending().await;
        };
        loop {
            let broken = changes.follow(&|change| self.cache.forget(&change)).await;
            metrics::counter!("bartizan.auth.broken_feeds").increment(1);
            tracing::warn!(error = %broken, "the feed of changes broke: taking it up again");
            tokio::time::sleep(REST).await;
        }
    }

    /// What binds the holder of `record`, as the store has it now.
    async fn chain(
        &self,
        record: &KeyRecord,
        mut accounts: Vec<Account>,
    ) -> Result<Chain, StoreError> {
        accounts.sort_by(|one, two| one.id.kind.cmp(&two.id.kind));
        let mut lineage = if record.lineage.is_empty() {
            Vec::new()
        } else {
            self.ask(self.store.get(&record.lineage)).await?
        };
        let age = |elder: &KeyRecord| record.lineage.iter().position(|id| *id == elder.key_id);
        lineage.sort_by_key(age);
        Ok(Chain { accounts, lineage })
    }

    /// Waits for the store, but not for ever: one that hangs must not hang every caller.
    async fn ask<T>(&self, answer: StoreFuture<'_, T>) -> Result<T, StoreError> {
        let answer = match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer,
            Err(late) => Err(StoreError::unavailable(late)),
        };
        if let Err(StoreError::Unavailable(source)) = &answer {
            tracing::warn!(%source, "the key store does not answer");
        }
        answer
    }
}

impl KeysBuilder {
    /// How long a looked-up key serves without asking the store again, and so how long keys go on working when the store is away.
    /// 30 seconds by default; zero asks every time.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How many looked-up keys are remembered at most. 10,000 by default.
    pub fn cache_capacity(mut self, keys: usize) -> Self {
        self.capacity = keys;
        self
    }

    /// How long the store may take to answer; later counts as a failure. One second by default.
    pub fn store_timeout(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Through what other processes on the same store are told of changes, and tell of theirs. None by default: they see a change when their
    /// cached copy ends. [`Keys::follow`] has to run for it.
    pub fn changes(mut self, changes: impl Changes) -> Self {
        self.changes = Some(Arc::new(changes));
        self
    }

    /// Where expiry and the cache take the time from. The machine's clocks by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Creates the service.
    #[must_use]
    pub fn build(self) -> Keys {
        Keys {
            store: self.store,
            pepper: self.pepper,
            cache: Arc::new(Cache::new(self.ttl, self.capacity)),
            changes: self.changes,
            clock: self.clock,
            patience: self.patience,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("cached", &self.cache.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for KeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysBuilder")
            .field("ttl", &self.ttl)
            .field("capacity", &self.capacity)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
