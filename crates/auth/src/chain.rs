//! A key with all that binds it: its accounts, and the keys that it was minted with.

use bartizan_core::{Identity, Level, Principal, Scope};

use crate::account::{Account, AccountId, AccountKind};
use crate::narrow;
use crate::record::KeyRecord;
use crate::rights::Rights;

/// What binds a caller, the widest first. Every part of it binds, at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Organisation, team, user, as far as they have records.
    pub(crate) accounts: Vec<Account>,
    /// The keys that the key was minted with, the eldest first, as far as they are still kept.
    pub(crate) lineage: Vec<KeyRecord>,
}

/// The accounts that a record names.
pub(crate) fn accounts_of(record: &KeyRecord) -> Vec<AccountId> {
    [
        (AccountKind::Organization, &record.organization_id),
        (AccountKind::Team, &record.team_id),
        (AccountKind::User, &record.user_id),
    ]
    .into_iter()
    .filter_map(|(kind, id)| Some(AccountId::new(kind, id.as_ref()?)))
    .collect()
}

impl Chain {
    /// Whether an account that binds it is blocked or deleted.
    pub(crate) fn blocked(&self) -> bool {
        self.accounts
            .iter()
            .any(|account| account.blocked || account.deleted_at.is_some())
    }

    /// The principal that the holder of `record` is. Whoever calls it has checked the key, and its standing.
    pub(crate) fn principal(&self, record: &KeyRecord) -> Principal {
        let mut role = record.role;
        let mut models = record.rights.models.clone();
        let mut limits = record.rights.bounds.limits;
        let mut identity = Identity::new(record.key_id.as_str()).key_type(record.key_type);
        for account in &self.accounts {
            models = narrow::models(&account.rights.models, &models);
            if account.id.kind == AccountKind::User {
                role = account.role.meet(role);
            }
            identity = identity.scope(scope(
                account.id.kind.level(),
                &account.id.id,
                &account.rights,
            ));
        }
        for elder in &self.lineage {
            models = narrow::models(&elder.rights.models, &models);
            role = elder.role.meet(role);
            limits = narrow::limits(elder.rights.bounds.limits, limits);
            identity = identity.scope(scope(Level::Key, elder.key_id.as_str(), &elder.rights));
        }
        let own = scope(Level::Key, record.key_id.as_str(), &record.rights);
        identity = identity.scope(own).role(role).models(models).limits(limits);
        if let Some(alias) = &record.alias {
            identity = identity.key_alias(alias);
        }
        if let Some(organization) = &record.organization_id {
            identity = identity.organization_id(organization);
        }
        if let Some(team) = &record.team_id {
            identity = identity.team_id(team);
        }
        if let Some(user) = &record.user_id {
            identity = identity.user_id(user);
        }
        for (name, value) in &record.metadata {
            identity = identity.metadata(name, value);
        }
        for tag in &record.tags {
            identity = identity.tag(tag);
        }
        for name in self.rights(record).flat_map(|rights| &rights.guardrails) {
            identity = identity.guardrail(name);
        }
        Principal::assume_verified(identity)
    }

    /// All the rights that bind the holder of `record`.
    pub(crate) fn rights<'a>(&'a self, record: &'a KeyRecord) -> impl Iterator<Item = &'a Rights> {
        self.accounts
            .iter()
            .map(|account| &account.rights)
            .chain(self.lineage.iter().map(|elder| &elder.rights))
            .chain([&record.rights])
    }
}

fn scope(level: Level, id: &str, rights: &Rights) -> Scope {
    Scope {
        level,
        id: id.to_owned(),
        bounds: rights.bounds,
        model_bounds: rights.model_bounds.clone(),
    }
}
