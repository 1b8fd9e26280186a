//! Looks keys up, mints them and takes them back.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Clock, Principal};

use crate::Error;
use crate::account::{Account, AccountId, AccountKind};
use crate::cache::{Cache, Known};
use crate::chain::{Caller, Chain};
use crate::digest::Pepper;
use crate::key::{KeyId, VirtualKey};
use crate::narrow::Groups;
use crate::record::Standing;
use crate::store::{AnyChanges, AnyStore, Change, KeyStore, StoreError, StoreFuture};

mod accounts;
mod builder;
mod check;
mod claims;
mod find;
mod hand;
mod manage;
mod members;
mod mint;
mod named;
mod rotate;
mod seen;
mod update;
mod visible;
mod wish;

pub use builder::KeysBuilder;
pub use claims::Claims;
pub use rotate::Deliver;
pub use wish::{
    AccountChange, AccountRequest, Changed, KeyChange, KeyRequest, MintedKey, RightsChange,
};

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
    previous: Option<Pepper>,
    cache: Arc<Cache>,
    /// Callers that are known by claims. Apart from the keys, so that none is found in the place of the other.
    claimed: Arc<Cache>,
    /// Keys that are named and not presented. Apart from both.
    named: Arc<Cache>,
    changes: Option<Arc<dyn AnyChanges>>,
    clock: Arc<dyn Clock>,
    patience: Duration,
    groups: Arc<Groups>,
    /// Those that there are, where that is known.
    guardrails: Option<Arc<BTreeSet<String>>>,
    grace: Duration,
    /// Why no key rotates by itself, where none does.
    unrotated: Option<&'static str>,
}

/// How long a broken feed of changes rests.
const REST: Duration = Duration::from_millis(500);

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
    /// An account that it belongs to is blocked for now, or deleted.
    #[error("the {} of the key is blocked", .0.as_str())]
    BlockedAccount(AccountKind),
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
        KeysBuilder::new(store, pepper)
    }

    /// Gives the principal that the holder of `presented` is.
    ///
    /// # Errors
    /// [`Denied`], for every text that is not a key of good standing, and whenever the store can't tell.
    pub async fn verify(&self, presented: &str) -> Result<Principal, Denied> {
        let known = self.known_by_key(presented).await?;
        Ok(known.admitted.principal.clone())
    }

    /// Who the holder of `presented` is.
    pub(crate) async fn known_by_key(&self, presented: &str) -> Result<Arc<Known>, Denied> {
        let key = VirtualKey::parse(presented).ok_or(Denied::Unknown)?;
        let known = self
            .look_up(key)
            .await
            .map_err(Denied::Unchecked)?
            .ok_or(Denied::Unknown)?;
        self.standing(known)
    }

    /// Gives the key back, if it opens anything at this moment.
    fn standing(&self, known: Arc<Known>) -> Result<Arc<Known>, Denied> {
        let now = self.clock.unix();
        if known.until.is_some_and(|until| until <= now) {
            return Err(Denied::Unknown);
        }
        let standing = known.record.as_ref().map(|record| record.standing(now));
        match (standing, known.closed) {
            (Some(Standing::Live), None) => Ok(known),
            (Some(Standing::Live), Some(kind)) => Err(Denied::BlockedAccount(kind)),
            (Some(Standing::Expired), _) => Err(Denied::Expired),
            (Some(Standing::Blocked), _) => Err(Denied::Blocked),
            (Some(Standing::Revoked), _) => Err(Denied::Revoked),
            (None, _) => Err(Denied::Unknown),
        }
    }

    /// Forgets what other processes change, as soon as they tell. It never ends: spawn it, and abort the task at the end. Where the feed breaks, it
    /// is taken up again after a second at most; until then, what is cached serves no longer than its time to live.
    pub async fn follow(&self) {
        let Some(changes) = &self.changes else {
            return std::future::pending().await;
        };
        loop {
            let broken = changes.follow(&|change| self.forget(&change)).await;
            metrics::counter!("bartizan.auth.broken_feeds").increment(1);
            tracing::warn!(error = %broken, "the feed of changes broke: taking it up again");
            tokio::time::sleep(REST).await;
        }
    }

    /// Forgets at once what hangs on what was changed.
    fn forget(&self, change: &Change) {
        self.cache.forget(change);
        self.claimed.forget(change);
        self.named.forget(change);
    }

    /// What binds a caller, as the store has it now, and all accounts whose records would. `found`: the records of those that it names, where the
    /// store told them already.
    async fn chain(
        &self,
        caller: &Caller<'_>,
        lineage: &[KeyId],
        found: Option<Vec<Account>>,
    ) -> Result<(Chain, Vec<AccountId>), StoreError> {
        let mut elders = if lineage.is_empty() {
            Vec::new()
        } else {
            self.ask(self.store.get(lineage)).await?
        };
        elders.sort_by_key(|elder| lineage.iter().position(|id| *id == elder.key_id));
        let mut own = caller.place.accounts();
        let mut all = own.clone();
        let elder_callers = elders.iter().map(Caller::from);
        for Caller { place, minter, .. } in elder_callers.chain([*caller]) {
            add(&mut all, place.accounts());
            add(&mut all, minter.unwrap_or_default().accounts());
        }
        let mut found = match found {
            None => self.accounts(&all).await?,
            Some(mut found) => {
                let rest: Vec<AccountId> =
                    all.iter().filter(|id| !own.contains(id)).cloned().collect();
                found.extend(self.accounts(&rest).await?);
                found
            }
        };
        // The organisations of teams and users bind too, whether or not the key names them.
        let above = |accounts: &[Account], ids: &[AccountId]| -> Vec<AccountId> {
            accounts
                .iter()
                .filter(|account| ids.contains(&account.id))
                .filter_map(|account| account.organization_id.as_deref())
                .map(|id| AccountId::new(AccountKind::Organization, id))
                .collect()
        };
        let theirs = above(&found, &all);
        let ours = above(&found, &own);
        add(&mut own, ours);
        let mut missing = Vec::new();
        add(&mut missing, theirs);
        missing.retain(|id| !all.contains(id));
        if !missing.is_empty() {
            found.extend(self.accounts(&missing).await?);
            all.extend(missing);
        }
        found.sort_by(|one, two| one.id.cmp(&two.id));
        let (accounts, above) = found
            .into_iter()
            .partition(|account| own.contains(&account.id));
        let chain = Chain {
            accounts,
            above,
            lineage: elders,
        };
        Ok((chain, all))
    }

    /// The accounts of those names that there are.
    async fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(self.store.accounts(ids)).await
    }

    /// Whether all those guardrails run, as far as it is known which do.
    pub(crate) fn runs<'n>(&self, mut guardrails: impl Iterator<Item = &'n String>) -> bool {
        match &self.guardrails {
            Some(known) => guardrails.all(|name| known.contains(name)),
            None => true,
        }
    }

    fn check_guardrails(&self, asked: &BTreeSet<String>) -> Result<(), Error> {
        if self.runs(asked.iter()) {
            return Ok(());
        }
        Err(Error::Invalid {
            field: "guardrails",
            mend: "there is none of such a name: name those that are configured",
        })
    }

    /// Fails for a schedule that nobody keeps.
    fn check_schedule(&self, wished: bool) -> Result<(), Error> {
        match self.unrotated {
            Some(mend) if wished => Err(Error::Invalid {
                field: "rotation_interval",
                mend,
            }),
            _ => Ok(()),
        }
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

fn add(ids: &mut Vec<AccountId>, more: Vec<AccountId>) {
    for id in more {
        if !ids.contains(&id) {
            ids.push(id);
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
