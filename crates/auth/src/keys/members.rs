//! The users in an organisation or a team.

use bartizan_core::{Principal, Role};

use super::Keys;
use super::accounts::may_give;
use super::hand::Hand;
use super::wish::Changed;
use crate::Error;
use crate::account::{Account, AccountId, AccountKind, Member};
use crate::matrix::Action;
use crate::store::KeyQuery;

impl Keys {
    /// Adds a member to an organisation or a team. With `seen`, only to the version that the caller saw.
    ///
    /// # Errors
    /// As [`update_account`](Self::update_account), by [`Action::ManageTeamMembers`] and its like; [`Error::Invalid`] when it is a member, or its
    /// role means nothing there; [`Error::Forbidden`] for a user of another organisation.
    pub async fn add_member(
        &self,
        by: &Principal,
        id: &AccountId,
        member: Member,
        seen: Option<u64>,
    ) -> Result<Changed<Account>, Error> {
        let hand = self.hand(by).await?;
        let action = manage(id)?;
        hand.reach(action)?;
        check_role(&hand, id, member.role)?;
        let mut probe = self.account(&hand.principal, id).await?;
        probe.members = vec![member.clone()];
        self.check_members(&probe).await?;
        self.edit_account(&hand, id, &[action], seen, |account| {
            let mut members = account.members.iter();
            if members.any(|other| other.user_id == member.user_id) {
                return Err(Error::Invalid {
                    field: "user_id",
                    mend: "it is a member already: change its role instead",
                });
            }
            account.members.push(member.clone());
            Ok(())
        })
        .await
    }

    /// Changes what a member may do. With `seen`, only in the version that the caller saw.
    ///
    /// # Errors
    /// As [`add_member`](Self::add_member); [`Error::Invalid`] when it is no member.
    pub async fn update_member(
        &self,
        by: &Principal,
        id: &AccountId,
        member: Member,
        seen: Option<u64>,
    ) -> Result<Changed<Account>, Error> {
        let hand = self.hand(by).await?;
        let action = manage(id)?;
        check_role(&hand, id, member.role)?;
        self.edit_account(&hand, id, &[action], seen, |account| {
            let old = find(account, &member.user_id)?;
            may_give(&hand, old.role)?;
            old.role = member.role;
            Ok(())
        })
        .await
    }

    /// Takes a member out of an organisation or a team, and revokes the member's keys there.
    ///
    /// # Errors
    /// As [`update_member`](Self::update_member).
    pub async fn remove_member(
        &self,
        by: &Principal,
        id: &AccountId,
        user_id: &str,
    ) -> Result<Changed<Account>, Error> {
        let hand = self.hand(by).await?;
        let action = manage(id)?;
        let changed = self
            .edit_account(&hand, id, &[action], None, |account| {
                let old = find(account, user_id)?.clone();
                may_give(&hand, old.role)?;
                account.members.retain(|member| *member != old);
                Ok(())
            })
            .await?;
        let mut query = KeyQuery {
            user_id: Some(user_id.to_owned()),
            ..KeyQuery::default()
        };
        match id.kind {
            AccountKind::Organization => query.organization_id = Some(id.id.clone()),
            _ => query.team_id = Some(id.id.clone()),
        }
        self.revoke_all(query).await?;
        Ok(changed)
    }

    /// Fails when a member is another organisation's.
    pub(super) async fn check_members(&self, account: &Account) -> Result<(), Error> {
        let organization = match account.id.kind {
            AccountKind::Organization => Some(account.id.id.as_str()),
            _ => account.organization_id.as_deref(),
        };
        let ids: Vec<AccountId> = account
            .members
            .iter()
            .map(|member| AccountId::new(AccountKind::User, member.user_id.clone()))
            .collect();
        let foreign = |user: &Account| {
            let theirs = user.organization_id.as_deref();
            theirs.is_some() && theirs != organization
        };
        if self.accounts(&ids).await?.iter().any(foreign) {
            return Err(Error::Forbidden("a user of another organization"));
        }
        Ok(())
    }
}

fn manage(id: &AccountId) -> Result<Action, Error> {
    match id.kind {
        AccountKind::Organization => Ok(Action::ManageOrganizationMembers),
        AccountKind::Team => Ok(Action::ManageTeamMembers),
        AccountKind::User => Err(Error::Invalid {
            field: "user_id",
            mend: "a user has no members: name an organization or a team",
        }),
    }
}

pub(super) fn check_role(hand: &Hand, id: &AccountId, role: Role) -> Result<(), Error> {
    let most = match id.kind {
        AccountKind::Organization => Role::OrgAdmin,
        _ => Role::TeamAdmin,
    };
    if !most.covers(role) {
        return Err(Error::Invalid {
            field: "role",
            mend: "give org_admin in an organization, team_admin in a team, or a user's role",
        });
    }
    may_give(hand, role)
}

fn find<'a>(account: &'a mut Account, user_id: &str) -> Result<&'a mut Member, Error> {
    let mut members = account.members.iter_mut();
    members
        .find(|member| member.user_id == user_id)
        .ok_or(Error::Invalid {
            field: "user_id",
            mend: "it is no member",
        })
}
