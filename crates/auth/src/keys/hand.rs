//! What a caller has in hand when it manages keys: its role, and what it may hand on.

use bartizan_core::{Principal, Role};
use std::time::Duration;

use super::Keys;
use crate::Error;
use crate::chain::{Caller, Place};
use crate::key::KeyId;
use crate::matrix::{Action, Reach, allowed};
use crate::metadata;
use crate::narrow;
use crate::record::{KeyRecord, Standing};
use crate::rights::Rights;
use crate::store::Viewer;

/// A caller as it is now. A principal was true when the call came in; for what it changes, the records are true.
pub(super) struct Hand {
    pub(super) principal: Principal,
    /// What it may hand on.
    pub(super) rights: Rights,
    /// When its own key ends, and so what it hands on at the latest.
    pub(super) expires_at: Option<Duration>,
    /// The keys that a key minted by it descends from: its own elders, and its own key.
    pub(super) lineage: Vec<KeyId>,
}

impl Hand {
    /// How far it may do `action`.
    pub(super) fn reach(&self, action: Action) -> Result<Reach, Error> {
        permitted(&self.principal, action)
    }

    /// Fails unless it may do `action` to `record`, which it sees.
    pub(super) fn may(&self, action: Action, record: &KeyRecord) -> Result<(), Error> {
        let reach = self.reach(action)?;
        if !touches(&self.principal, reach, record) {
            return Err(Error::Forbidden(
                "this key is beyond the reach of your role",
            ));
        }
        let is_self = record.key_id.as_str() == self.principal.key_id();
        if !is_self && !self.role().covers(record.role) {
            return Err(Error::Forbidden("a key whose role is over your own"));
        }
        Ok(())
    }

    /// Fails unless it may do `action` to everybody's.
    pub(super) fn may_all(&self, action: Action) -> Result<(), Error> {
        match self.reach(action)? {
            Reach::All => Ok(()),
            _ => Err(Error::Forbidden(BEYOND)),
        }
    }

    pub(super) fn role(&self) -> Role {
        self.principal.role()
    }
}

const BEYOND: &str = "your role, or what your key is for, does not allow it";

/// How far the caller may do `action`, if at all.
pub(super) fn permitted(by: &Principal, action: Action) -> Result<Reach, Error> {
    match allowed(by, action) {
        Reach::None => Err(Error::Forbidden(BEYOND)),
        reach => Ok(reach),
    }
}

/// Whether `record` is within `reach` of the caller.
pub(super) fn touches(by: &Principal, reach: Reach, record: &KeyRecord) -> bool {
    reach == Reach::All || viewer(by, reach).is_some_and(|viewer| viewer.sees(record))
}

/// Who looks. `None` for one who sees all, or nothing.
pub(super) fn viewer(by: &Principal, reach: Reach) -> Option<Viewer> {
    let within = |least: Reach, id: Option<&str>| id.filter(|_| reach >= least).map(str::to_owned);
    (reach != Reach::All && reach != Reach::None).then(|| Viewer {
        key_id: by.key_id().to_owned(),
        user_id: by.user_id().map(str::to_owned),
        team_id: within(Reach::Team, by.team_id()),
        organization_id: within(Reach::Organization, by.organization_id()),
    })
}

impl Keys {
    /// What `by` has in hand now.
    pub(super) async fn hand(&self, by: &Principal) -> Result<Hand, Error> {
        let Some(key_id) = KeyId::parse(by.key_id()) else {
            return self.outside(by).await;
        };
        let record = self.ask(self.store.get(&[key_id])).await?.pop();
        let now = self.clock.unix();
        let record = record
            .filter(|record| record.standing(now) == Standing::Live)
            .ok_or(Error::Forbidden("your own key opens nothing"))?;
        let caller = Caller::from(&record);
        let (chain, _) = self.chain(&caller, &record.lineage, None).await?;
        if chain.closed(&caller).is_some() {
            return Err(Error::Forbidden("an account of your own key is blocked"));
        }
        let principal = chain.admit(&caller, &self.groups).principal;
        let rights = chain.rights(&caller, &self.groups);
        let mut lineage = record.lineage.clone();
        lineage.push(record.key_id.clone());
        Ok(Hand {
            principal,
            rights,
            expires_at: record.expires_at,
            lineage,
        })
    }

    /// What somebody has in hand who is known by something other than a virtual key: what the principal says, within its accounts.
    async fn outside(&self, by: &Principal) -> Result<Hand, Error> {
        let mut own = Rights {
            models: by.models().clone(),
            guardrails: by.guardrails().iter().cloned().collect(),
            ..Rights::default()
        };
        own.bounds.limits = by.limits();
        for scope in by.scopes() {
            let bounds = Rights {
                bounds: scope.bounds,
                model_bounds: scope.model_bounds.clone(),
                ..Rights::default()
            };
            own = narrow::rights(&bounds, &own, &self.groups);
        }
        let caller = Caller {
            name: by.key_id(),
            alias: None,
            place: Place::of_principal(by),
            minter: None,
            role: by.role(),
            key_type: by.key_type(),
            rights: &own,
            aliases: &std::collections::BTreeMap::new(),
            metadata: &metadata::of_texts(by.metadata()),
            tags: by.tags(),
        };
        let (chain, _) = self.chain(&caller, &[], None).await?;
        if chain.closed(&caller).is_some() {
            return Err(Error::Forbidden("an account of yours is blocked"));
        }
        Ok(Hand {
            principal: chain.admit(&caller, &self.groups).principal,
            rights: chain.rights(&caller, &self.groups),
            expires_at: None,
            lineage: Vec::new(),
        })
    }
}
