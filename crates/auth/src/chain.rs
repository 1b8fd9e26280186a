//! A key with all that binds it: its accounts, and the keys that it was minted with.

use std::collections::BTreeMap;

use bartizan_core::{Identity, KeyType, Level, Principal, Role, Scope};

use crate::account::{Account, AccountId, AccountKind};
use crate::metadata::{self, Metadata};
use crate::narrow::{self, Groups};
use crate::record::KeyRecord;
use crate::rights::{Addresses, Rights, Routes};

/// What binds a caller. Every part of it binds, at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Organisation, team, user, as far as they have records, the widest first.
    pub(crate) accounts: Vec<Account>,
    /// Those of whoever minted the key, and of the keys that it was minted with, where they are others. Whoever belongs to them does not fall
    /// with them.
    pub(crate) above: Vec<Account>,
    /// The keys that the key was minted with, the eldest first, as far as they are still kept.
    pub(crate) lineage: Vec<KeyRecord>,
}

/// Who calls, before anything binds it.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) name: &'a str,
    pub(crate) alias: Option<&'a str>,
    pub(crate) place: Place<'a>,
    /// Who minted it, where that was no virtual key.
    pub(crate) minter: Option<Place<'a>>,
    pub(crate) role: Role,
    pub(crate) key_type: KeyType,
    pub(crate) rights: &'a Rights,
    pub(crate) aliases: &'a BTreeMap<String, String>,
    pub(crate) metadata: &'a Metadata,
    pub(crate) tags: &'a [String],
}

/// Where somebody stands in the hierarchy.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place<'a> {
    pub(crate) team_id: Option<&'a str>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) organization_id: Option<&'a str>,
}

/// Who is let in, and what its calls are checked against.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) principal: Principal,
    /// Each of them must allow the path.
    pub(crate) routes: Vec<Routes>,
    /// Each of them must allow the address.
    pub(crate) addresses: Vec<Addresses>,
    pub(crate) aliases: BTreeMap<String, String>,
}

impl Admitted {
    /// One that nothing binds but what the principal says.
    pub(crate) const fn unbound(principal: Principal) -> Self {
        Self {
            principal,
            routes: Vec::new(),
            addresses: Vec::new(),
            aliases: BTreeMap::new(),
        }
    }
}

impl<'a> From<&'a KeyRecord> for Caller<'a> {
    fn from(record: &'a KeyRecord) -> Self {
        Self {
            name: record.key_id.as_str(),
            alias: record.alias.as_deref(),
            place: Place::of(record),
            minter: record.minter.as_ref().map(|minter| Place {
                team_id: minter.team_id.as_deref(),
                user_id: minter.user_id.as_deref(),
                organization_id: minter.organization_id.as_deref(),
            }),
            role: record.role,
            key_type: record.key_type,
            rights: &record.rights,
            aliases: &record.aliases,
            metadata: &record.metadata,
            tags: &record.tags,
        }
    }
}

/// The accounts that a record names.
pub(crate) fn accounts_of(record: &KeyRecord) -> Vec<AccountId> {
    Place::of(record).accounts()
}

impl<'a> Place<'a> {
    pub(crate) fn of(record: &'a KeyRecord) -> Self {
        Self {
            team_id: record.team_id.as_deref(),
            user_id: record.user_id.as_deref(),
            organization_id: record.organization_id.as_deref(),
        }
    }

    pub(crate) fn of_principal(principal: &'a Principal) -> Self {
        Self {
            team_id: principal.team_id(),
            user_id: principal.user_id(),
            organization_id: principal.organization_id(),
        }
    }

    /// The accounts that it names.
    pub(crate) fn accounts(self) -> Vec<AccountId> {
        [
            (AccountKind::Organization, self.organization_id),
            (AccountKind::Team, self.team_id),
            (AccountKind::User, self.user_id),
        ]
        .into_iter()
        .filter_map(|(kind, id)| Some(AccountId::new(kind, id?)))
        .collect()
    }

    const fn is_nowhere(self) -> bool {
        self.team_id.is_none() && self.user_id.is_none() && self.organization_id.is_none()
    }
}

impl Chain {
    /// Which of the caller's accounts is blocked or deleted, the widest first. A key that belongs to nobody is its minter's own, and falls with
    /// the minter's user.
    pub(crate) fn closed(&self, caller: &Caller<'_>) -> Option<AccountKind> {
        let is_closed = |account: &&Account| account.blocked || account.deleted_at.is_some();
        if let Some(account) = self.accounts.iter().find(is_closed) {
            return Some(account.id.kind);
        }
        let minter = self.minters(caller).next_back()?;
        let user = self.find(AccountKind::User, minter.user_id?)?;
        (caller.place.is_nowhere() && is_closed(&user)).then_some(AccountKind::User)
    }

    /// Who handed on what the caller has: the eldest first, and its own minter last.
    fn minters<'a>(&'a self, caller: &Caller<'a>) -> impl DoubleEndedIterator<Item = Place<'a>> {
        let elders = self.lineage.iter().flat_map(|elder| {
            let elder = Caller::from(elder);
            elder.minter.into_iter().chain([elder.place])
        });
        elders.chain(caller.minter)
    }

    /// Lets `caller` in. Whoever calls it has checked the credential, and its standing.
    pub(crate) fn admit(&self, caller: &Caller<'_>, groups: &Groups) -> Admitted {
        let mut role = caller.role.meet(self.ceiling(caller.place));
        let mut limits = caller.rights.bounds.limits;
        for elder in &self.lineage {
            role = elder.role.meet(role);
            limits = narrow::limits(elder.rights.bounds.limits, limits);
        }
        for minter in self.minters(caller) {
            role = self.ceiling(minter).meet(role);
        }
        let mut models = narrow::expand(&caller.rights.models, groups);
        for rights in self.laid_down() {
            models = narrow::models(&narrow::expand(&rights.models, groups), &models);
        }
        let mut identity = Identity::new(caller.name)
            .key_type(caller.key_type)
            .role(role)
            .models(models)
            .limits(limits);
        for scope in self.scopes() {
            identity = identity.scope(scope);
        }
        identity = identity.scope(scope(Level::Key, caller.name, caller.rights));
        if let Some(alias) = caller.alias {
            identity = identity.key_alias(alias);
        }
        if let Some(organization) = self.organization(caller) {
            identity = identity.organization_id(organization);
        }
        if let Some(team) = caller.place.team_id {
            identity = identity.team_id(team);
        }
        if let Some(user) = caller.place.user_id {
            identity = identity.user_id(user);
        }
        for (name, value) in caller.metadata {
            identity = identity.metadata(name, metadata::told(value));
        }
        for tag in caller.tags {
            identity = identity.tag(tag);
        }
        let all = || self.laid_down().chain([caller.rights]);
        let guardrails: std::collections::BTreeSet<&String> =
            all().flat_map(|rights| &rights.guardrails).collect();
        for name in guardrails {
            identity = identity.guardrail(name);
        }
        Admitted {
            principal: Principal::assume_verified(identity),
            routes: all()
                .map(|rights| &rights.routes)
                .filter(|routes| **routes != Routes::All)
                .cloned()
                .collect(),
            addresses: all()
                .map(|rights| &rights.addresses)
                .filter(|addresses| **addresses != Addresses::All)
                .cloned()
                .collect(),
            aliases: caller.aliases.clone(),
        }
    }

    /// All that `caller` may do, in one.
    pub(crate) fn rights(&self, caller: &Caller<'_>, groups: &Groups) -> Rights {
        self.laid_down().fold(caller.rights.clone(), |met, rights| {
            narrow::rights(rights, &met, groups)
        })
    }

    /// The organisation that the caller acts in: its own, or else that of its team or its user.
    pub(crate) fn organization<'a>(&'a self, caller: &Caller<'a>) -> Option<&'a str> {
        let of = |account: &'a Account| account.organization_id.as_deref();
        caller
            .place
            .organization_id
            .or_else(|| self.accounts.iter().find_map(of))
    }

    /// What somebody is where nothing says their role: what their user's account and its memberships make of it.
    pub(crate) fn role_of(&self, place: Place<'_>) -> Role {
        match self.user(place) {
            Some(_) => self.ceiling(place),
            None => self.membership(place).unwrap_or(Role::InternalUser),
        }
    }

    /// The most that the user there may be: the user's role, and what it was made in this very team or organisation.
    fn ceiling(&self, place: Place<'_>) -> Role {
        let Some(user) = self.user(place) else {
            return Role::ProxyAdmin;
        };
        match self.membership(place) {
            // A viewer manages nothing, whatever it is a member of.
            Some(admin) if user.role.covers(Role::InternalUser) && admin.covers(user.role) => admin,
            _ => user.role,
        }
    }

    /// Of what the user there was made an administrator.
    fn membership(&self, place: Place<'_>) -> Option<Role> {
        let user_id = place.user_id?;
        let team = place
            .team_id
            .and_then(|id| self.find(AccountKind::Team, id));
        let of = |account: &Account| {
            let id = account.organization_id.as_deref()?;
            self.find(AccountKind::Organization, id)
        };
        let organizations = [
            place
                .organization_id
                .and_then(|id| self.find(AccountKind::Organization, id)),
            team.and_then(of),
            self.user(place).and_then(of),
        ];
        let administers = |account: Option<&Account>, admin: Role| {
            account.is_some_and(|account| {
                let mut members = account.members.iter();
                members.any(|member| member.user_id == user_id && member.role == admin)
            })
        };
        if organizations
            .into_iter()
            .any(|organization| administers(organization, Role::OrgAdmin))
        {
            Some(Role::OrgAdmin)
        } else {
            administers(team, Role::TeamAdmin).then_some(Role::TeamAdmin)
        }
    }

    fn user(&self, place: Place<'_>) -> Option<&Account> {
        self.find(AccountKind::User, place.user_id?)
    }

    /// An account, whosever it is.
    fn find(&self, kind: AccountKind, id: &str) -> Option<&Account> {
        let mut all = self.accounts.iter().chain(&self.above);
        all.find(|account| account.id.kind == kind && account.id.id == id)
    }

    /// What the accounts and the elders lay down.
    fn laid_down(&self) -> impl Iterator<Item = &Rights> {
        self.accounts
            .iter()
            .chain(&self.above)
            .map(|account| &account.rights)
            .chain(self.lineage.iter().map(|elder| &elder.rights))
    }

    /// The scopes above the caller's own, the widest first.
    fn scopes(&self) -> Vec<Scope> {
        let mut accounts: Vec<&Account> = self.accounts.iter().chain(&self.above).collect();
        accounts.sort_by_key(|account| account.id.kind);
        let of =
            |account: &Account| scope(account.id.kind.level(), &account.id.id, &account.rights);
        let elders = self
            .lineage
            .iter()
            .map(|elder| scope(Level::Key, elder.key_id.as_str(), &elder.rights));
        accounts.into_iter().map(of).chain(elders).collect()
    }
}

fn scope(level: Level, id: &str, rights: &Rights) -> Scope {
    Scope {
        level,
        id: id.to_owned(),
        tier: None,
        bounds: rights.bounds,
        model_bounds: rights.model_bounds.clone(),
    }
}
