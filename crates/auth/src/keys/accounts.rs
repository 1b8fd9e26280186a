//! Organisations, teams and users: makes them, changes them, deletes them.

use bartizan_core::{Principal, Role};

use super::Keys;
use super::check::{self, whole_milliseconds};
use super::hand::Hand;
use super::manage::MOST_TRIES;
use super::members::check_role;
use super::wish::{AccountChange, AccountRequest, Changed};
use crate::Error;
use crate::account::{Account, AccountId, AccountKind};
use crate::matrix::{Action, Reach};
use crate::random;
use crate::store::{Change, KeyQuery};

/// 22 characters of base62 hold 130 random bits.
const ID_RANDOM: usize = 22;

impl AccountKind {
    const fn to_create(self) -> Action {
        match self {
            Self::Organization => Action::CreateOrganization,
            Self::Team => Action::CreateTeam,
            Self::User => Action::CreateUser,
        }
    }

    const fn to_update(self) -> Action {
        match self {
            Self::Organization => Action::UpdateOrganization,
            Self::Team => Action::UpdateTeam,
            Self::User => Action::UpdateUser,
        }
    }

    const fn to_bound(self) -> Action {
        match self {
            Self::Organization => Action::BoundOrganization,
            Self::Team => Action::BoundTeam,
            Self::User => Action::BoundUser,
        }
    }

    const fn to_delete(self) -> Action {
        match self {
            Self::Organization => Action::DeleteOrganization,
            Self::Team => Action::DeleteTeam,
            Self::User => Action::DeleteUser,
        }
    }
}

impl Keys {
    /// Makes an organisation, a team or a user. What an administrator of an organisation makes is the organisation's.
    ///
    /// # Errors
    /// [`Error::Forbidden`] beyond the reach of [`Action::CreateOrganization`] and its like, for a role over the caller's own, and for a name that
    /// keys outside of the caller's organisation bear; [`Error::Invalid`] for a field out of range; [`Error::Store`] when the name is taken, now or by
    /// an account that was deleted, or the store fails.
    pub async fn create_account(
        &self,
        by: &Principal,
        request: AccountRequest,
    ) -> Result<Account, Error> {
        let kind = request.kind;
        let hand = self.hand(by).await?;
        let reach = hand.reach(kind.to_create())?;
        self.check_guardrails(&request.rights.guardrails)?;
        let id = match request.id {
            Some(id) => id,
            None => format!("{}_{}", kind.as_str(), random::draw(ID_RANDOM)?),
        };
        let now = whole_milliseconds(self.clock.unix());
        let mut account = Account::new(AccountId::new(kind, id), now);
        account.alias = request.alias;
        account.email = request.email;
        account.organization_id = request.organization_id;
        account.members = request.members;
        account.rights = request.rights;
        account.metadata = request.metadata;
        account.blocked = request.blocked;
        if let Some(role) = request.role {
            account.role = role;
        }
        by.key_id().clone_into(&mut account.created_by);
        check::account(&account)?;
        fits(&account)?;
        may_give(&hand, account.role)?;
        for member in &account.members {
            check_role(&hand, &account.id, member.role)?;
        }
        self.place_account(&hand, reach, &mut account).await?;
        self.check_members(&account).await?;
        let (new, id) = (account.clone(), account.id.clone());
        // Keys may name it already: from now on it binds them.
        self.carry_through(Change::Account(id), move |store| async move {
            store.insert_account(new).await
        })
        .await?;
        tracing::debug!(kind = kind.as_str(), by = by.key_id(), "made an account");
        Ok(account)
    }

    /// Changes an account, at once in this process. With `seen`, only the version that the caller saw.
    ///
    /// # Errors
    /// As [`account`](Self::account); [`Error::Forbidden`] beyond the reach of [`Action::UpdateTeam`] and its like, for bounds, roles and `blocked`
    /// of [`Action::BoundTeam`] and its like, for a role over the caller's own, and for an account that was deleted; [`Error::Conflict`] when it has
    /// another version than `seen`.
    pub async fn update_account(
        &self,
        by: &Principal,
        id: &AccountId,
        change: AccountChange,
        seen: Option<u64>,
    ) -> Result<Changed<Account>, Error> {
        let hand = self.hand(by).await?;
        if let Some(guardrails) = &change.rights.guardrails {
            self.check_guardrails(guardrails)?;
        }
        let named = change.alias.is_some() || change.email.is_some() || change.metadata.is_some();
        let bound = !change.rights.is_empty() || change.blocked.is_some() || change.role.is_some();
        let mut actions = Vec::new();
        actions.extend((named || !bound).then_some(id.kind.to_update()));
        actions.extend(bound.then_some(id.kind.to_bound()));
        let changed = self
            .edit_account(&hand, id, &actions, seen, |account| {
                let change = change.clone();
                if let Some(role) = change.role {
                    may_give(&hand, role)?;
                    // Nor is a greater one than oneself made less.
                    may_give(&hand, account.role)?;
                    account.role = role;
                }
                if let Some(alias) = change.alias {
                    account.alias = alias;
                }
                if let Some(email) = change.email {
                    account.email = email;
                }
                if let Some(metadata) = change.metadata {
                    account.metadata = metadata;
                }
                if let Some(blocked) = change.blocked {
                    account.blocked = blocked;
                }
                change.rights.apply(&mut account.rights);
                fits(account)
            })
            .await?;
        tracing::debug!(
            kind = id.kind.as_str(),
            by = by.key_id(),
            "changed an account"
        );
        Ok(changed)
    }

    /// Blocks an account for now, and with it every key in it, or unblocks it, at once in this process.
    ///
    /// # Errors
    /// As [`update_account`](Self::update_account).
    pub async fn set_account_blocked(
        &self,
        by: &Principal,
        id: &AccountId,
        blocked: bool,
    ) -> Result<Changed<Account>, Error> {
        let change = AccountChange {
            blocked: Some(blocked),
            ..AccountChange::default()
        };
        self.update_account(by, id, change, None).await
    }

    /// Deletes an account and revokes the keys in it. Its record stays, so that nobody takes its name, and no key in it opens anything, from this
    /// moment on in this process, whether or not it is revoked yet.
    ///
    /// # Errors
    /// As [`update_account`](Self::update_account), by [`Action::DeleteTeam`] and its like. When the store fails on the way, the keys that are not
    /// revoked open nothing all the same; call it again.
    pub async fn delete_account(
        &self,
        by: &Principal,
        id: &AccountId,
    ) -> Result<Changed<Account>, Error> {
        let hand = self.hand(by).await?;
        let now = whole_milliseconds(self.clock.unix());
        let account = self.seen_account(&hand, id, &[id.kind.to_delete()]).await?;
        let changed = if account.deleted_at.is_some() {
            Changed {
                before: account.clone(),
                after: account,
            }
        } else {
            let delete = [id.kind.to_delete()];
            self.edit_account(&hand, id, &delete, None, |account| {
                account.deleted_at = account.deleted_at.or(Some(now));
                Ok(())
            })
            .await?
        };
        let mut query = KeyQuery::default();
        match id.kind {
            AccountKind::Organization => query.organization_id = Some(id.id.clone()),
            AccountKind::Team => query.team_id = Some(id.id.clone()),
            AccountKind::User => query.user_id = Some(id.id.clone()),
        }
        self.revoke_all(query).await?;
        tracing::debug!(
            kind = id.kind.as_str(),
            by = by.key_id(),
            "deleted an account"
        );
        Ok(changed)
    }

    /// Revokes all keys that the query finds.
    pub(super) async fn revoke_all(&self, mut query: KeyQuery) -> Result<(), Error> {
        query.limit = usize::MAX;
        loop {
            let page = self.ask(self.store.list(&query)).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            query.after = Some(last.key_id.clone());
            for record in page {
                match self.revoked(record).await {
                    Ok(_) | Err(Error::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Makes `edit` on the account as it is now, however often somebody else changes it meanwhile; or on version `seen` alone.
    pub(super) async fn edit_account(
        &self,
        hand: &Hand,
        id: &AccountId,
        actions: &[Action],
        seen: Option<u64>,
        edit: impl Fn(&mut Account) -> Result<(), Error>,
    ) -> Result<Changed<Account>, Error> {
        for _ in 0..MOST_TRIES {
            let before = self.seen_account(hand, id, actions).await?;
            if before.deleted_at.is_some() {
                return Err(Error::Forbidden("the account was deleted"));
            }
            if seen.is_some_and(|seen| seen != before.version) {
                return Err(Error::Conflict);
            }
            let mut after = before.clone();
            edit(&mut after)?;
            check::account(&after)?;
            after.updated_at = whole_milliseconds(self.clock.unix());
            let (new, version) = (after.clone(), before.version);
            let replaced = self
                .carry_through(Change::Account(id.clone()), move |store| async move {
                    store.replace_account(new, version).await
                })
                .await?;
            if replaced {
                after.version = version + 1;
                return Ok(Changed { before, after });
            }
        }
        Err(Error::Conflict)
    }

    /// Puts a new account into the organisation that it is to be in.
    async fn place_account(
        &self,
        hand: &Hand,
        reach: Reach,
        account: &mut Account,
    ) -> Result<(), Error> {
        if reach != Reach::All {
            let own = hand.principal.organization_id();
            if account.organization_id.is_some() && account.organization_id.as_deref() != own {
                return Err(Error::Forbidden("in another organization"));
            }
            account.organization_id = own.map(str::to_owned);
            self.check_free(account).await?;
        }
        if let Some(id) = &account.organization_id {
            let id = AccountId::new(AccountKind::Organization, id.clone());
            let organization = self.accounts(&[id]).await?.pop();
            if organization.is_none_or(|organization| organization.deleted_at.is_some()) {
                return Err(Error::Invalid {
                    field: "organization_id",
                    mend: "name one that there is",
                });
            }
        }
        Ok(())
    }

    /// Keys may bear a name that has no record yet. Whoever makes the record rules over them, so the name must not be others'.
    async fn check_free(&self, account: &Account) -> Result<(), Error> {
        let mut query = KeyQuery::default();
        match account.id.kind {
            AccountKind::Organization => query.organization_id = Some(account.id.id.clone()),
            AccountKind::Team => query.team_id = Some(account.id.id.clone()),
            AccountKind::User => query.user_id = Some(account.id.id.clone()),
        }
        query.limit = usize::MAX;
        loop {
            let page = self.ask(self.store.list(&query)).await?;
            let ours = |id: &Option<String>| *id == account.organization_id;
            if !page.iter().all(|record| ours(&record.organization_id)) {
                return Err(Error::Forbidden(
                    "keys outside of your organization bear this name: choose another",
                ));
            }
            let Some(last) = page.last() else {
                return Ok(());
            };
            query.after = Some(last.key_id.clone());
        }
    }
}

/// Nobody gives a role that is over their own.
pub(super) fn may_give(hand: &Hand, role: Role) -> Result<(), Error> {
    if hand.role().covers(role) {
        Ok(())
    } else {
        Err(Error::Forbidden("a role over your own"))
    }
}

/// What stands in a record must mean something in an account of its kind.
fn fits(account: &Account) -> Result<(), Error> {
    let is_user = account.id.kind == AccountKind::User;
    let wrong = if account.email.is_some() && !is_user {
        Some(("user_email", "only a user has one"))
    } else if account.role != Role::InternalUser && !is_user {
        Some(("user_role", "only a user has one"))
    } else if !account.members.is_empty() && is_user {
        Some(("members", "a user has none"))
    } else if account.organization_id.is_some() && account.id.kind == AccountKind::Organization {
        Some(("organization_id", "an organization is in no other"))
    } else {
        None
    };
    match wrong {
        Some((field, mend)) => Err(Error::Invalid { field, mend }),
        None => Ok(()),
    }
}
