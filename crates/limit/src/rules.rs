//! Which allowances a caller's calls fall under: its own, and the layer's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Bounds, Level, Principal, Role};

use crate::allowance::Allowance;
use crate::calendar::Calendar;
use crate::end_user::EndUsers;
use crate::measure::Counting;
use crate::plan::Plan;
use crate::scope::{Who, Whose};

/// What the layer was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) global: Allowance,
    /// For keys and other accounts, where they say nothing of their own; that of keys for callers without one, together.
    pub(crate) defaults: BTreeMap<Level, Allowance>,
    pub(crate) models: BTreeMap<String, Allowance>,
    pub(crate) models_per_key: BTreeMap<String, Allowance>,
    pub(crate) tags: BTreeMap<String, Allowance>,
    pub(crate) tiers: BTreeMap<String, Allowance>,
    pub(crate) end_users: Option<EndUsers>,
    pub(crate) admins: bool,
    pub(crate) counting: Counting,
    pub(crate) calendar: Calendar,
}

/// A scope names a tier that nobody has described: its limits aren't known, so that none may pass for them.
#[derive(Debug)]
pub(crate) struct UnknownTier;

impl Rules {
    /// Whether calls to `model` fall under other counts than those to another.
    pub(crate) fn knows(&self, principal: Option<&Principal>, model: &str) -> bool {
        self.models.contains_key(model)
            || self.models_per_key.contains_key(model)
            || principal.is_some_and(|principal| {
                let mut scopes = principal.scopes().iter();
                scopes.any(|scope| scope.model_bounds.contains_key(model))
            })
    }

    /// Whether any count depends on the model.
    pub(crate) fn by_model(&self, principal: Option<&Principal>) -> bool {
        !self.models.is_empty()
            || !self.models_per_key.is_empty()
            || principal.is_some_and(|principal| {
                let mut scopes = principal.scopes().iter();
                scopes.any(|scope| !scope.model_bounds.is_empty())
            })
    }

    pub(crate) fn plan(
        &self,
        principal: Option<&Principal>,
        model: Option<&Arc<str>>,
        now: Duration,
    ) -> Result<Plan, UnknownTier> {
        let mut all = vec![(Whose::all(Who::Everybody), self.global.clone())];
        let exempt = self.exempt(principal);
        let caller = match principal {
            None => {
                let defaults = self.default_of(Level::Key);
                all.push((Whose::all(Who::Anonymous), defaults));
                Who::Anonymous
            }
            Some(principal) => {
                self.scopes(principal, model, exempt, &mut all)?;
                Who::OwnKey(principal.key_id().to_owned())
            }
        };
        if let Some(model) = model {
            if let Some(allowance) = self.models.get(&**model) {
                all.push((Whose::model(Who::Everybody, model), allowance.clone()));
            }
            if let Some(allowance) = self.models_per_key.get(&**model)
                && !exempt
            {
                all.push((Whose::model(caller, model), allowance.clone()));
            }
        }
        for tag in principal.map(Principal::tags).unwrap_or_default() {
            if let Some(allowance) = self.tags.get(tag) {
                let whose = Whose::all(Who::Tag(tag.clone()));
                all.push((whose, allowance.clone()));
            }
        }
        all.retain(|(_, allowance)| !allowance.is_empty());
        Ok(Plan::new(all, self.counting, &self.calendar, now))
    }

    /// The counts of an end user, by its digest.
    pub(crate) fn end_user(&self, digest: &str, allowance: &Allowance, now: Duration) -> Plan {
        let whose = Whose::all(Who::EndUser(digest.to_owned()));
        let all = vec![(whose, allowance.clone())];
        Plan::new(all, self.counting, &self.calendar, now)
    }

    /// The scopes that the caller came with, and its key.
    fn scopes(
        &self,
        principal: &Principal,
        model: Option<&Arc<str>>,
        exempt: bool,
        all: &mut Vec<(Whose, Allowance)>,
    ) -> Result<(), UnknownTier> {
        let mut own = None;
        for scope in principal.scopes() {
            let who = Who::of(scope.level, &scope.id, principal.key_id());
            let mut allowance = Allowance::from(scope.bounds);
            if let Some(tier) = &scope.tier {
                allowance = allowance.and(self.tiers.get(tier).ok_or(UnknownTier)?);
            }
            if let Some((model, bounds)) =
                model.and_then(|model| Some((model, scope.model_bounds.get(&**model)?)))
            {
                all.push((Whose::model(who.clone(), model), Allowance::from(*bounds)));
            }
            if matches!(who, Who::OwnKey(_)) {
                own = Some(allowance);
            } else {
                if !exempt {
                    allowance = allowance.or(&self.default_of(scope.level));
                }
                all.push((Whose::all(who), allowance));
            }
        }
        let mut own = own.unwrap_or_else(|| {
            Allowance::from(Bounds {
                limits: principal.limits(),
                ..Bounds::default()
            })
        });
        if !exempt {
            own = own.or(&self.default_of(Level::Key));
        }
        let key = Who::OwnKey(principal.key_id().to_owned());
        all.push((Whose::all(key), own));
        Ok(())
    }

    fn default_of(&self, level: Level) -> Allowance {
        self.defaults.get(&level).cloned().unwrap_or_default()
    }

    fn exempt(&self, principal: Option<&Principal>) -> bool {
        !self.admins && principal.is_some_and(|principal| principal.role() == Role::ProxyAdmin)
    }
}
