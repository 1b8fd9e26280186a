//! Shows organisations, teams and users, as far as one may see them.

use bartizan_core::Principal;

use super::Keys;
use super::check;
use super::hand::{Hand, permitted};
use crate::Error;
use crate::account::{Account, AccountId, AccountKind};
use crate::matrix::{Action, Reach};
use crate::store::AccountQuery;

impl AccountKind {
    const fn to_see(self) -> Action {
        match self {
            Self::Organization => Action::SeeOrganizations,
            Self::Team => Action::SeeTeams,
            Self::User => Action::SeeUsers,
        }
    }
}

impl Keys {
    /// Shows an account, a deleted one too.
    ///
    /// # Errors
    /// [`Error::NoAccount`] when there is none or the viewer may not see it; [`Error::Forbidden`] where one may see none of its kind;
    /// [`Error::Store`].
    pub async fn account(&self, by: &Principal, id: &AccountId) -> Result<Account, Error> {
        let reach = permitted(by, id.kind.to_see())?;
        check::filters(&[(id.kind.id_field(), &Some(id.id.clone()))])?;
        let account = self.known_account(id).await?;
        if self.is_within(by, reach, &account).await? {
            Ok(account)
        } else {
            Err(Error::NoAccount(id.kind))
        }
    }

    /// Shows a page of accounts, in the order of their names, as far as the viewer may see them.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where one may see none of the kind; [`Error::Invalid`] for a filter that no record can have; [`Error::Store`].
    pub async fn list_accounts(
        &self,
        by: &Principal,
        mut query: AccountQuery,
    ) -> Result<Vec<Account>, Error> {
        let reach = permitted(by, query.kind.to_see())?;
        check::filters(&[
            ("organization_id", &query.organization_id),
            ("user_id", &query.member),
            ("alias", &query.alias),
            ("after", &query.after),
        ])?;
        match (reach, query.kind) {
            (Reach::All, _) => {}
            (Reach::Organization, AccountKind::Team | AccountKind::User) => {
                let own = by.organization_id().map(str::to_owned);
                if query.organization_id.is_some() && query.organization_id != own {
                    return Ok(Vec::new());
                }
                query.organization_id = own;
            }
            _ => return self.few(by, reach, &query).await,
        }
        Ok(self.ask(self.store.list_accounts(&query)).await?)
    }

    /// The account, if the caller sees it and may do all of `actions` to it.
    pub(super) async fn seen_account(
        &self,
        hand: &Hand,
        id: &AccountId,
        actions: &[Action],
    ) -> Result<Account, Error> {
        for action in actions {
            hand.reach(*action)?;
        }
        let account = self.account(&hand.principal, id).await?;
        let by = &hand.principal;
        let is_self = id.kind == AccountKind::User && by.user_id() == Some(id.id.as_str());
        if !is_self && !hand.role().covers(account.role) {
            return Err(Error::Forbidden("a user whose role is over your own"));
        }
        for action in actions {
            let reach = hand.reach(*action)?;
            if !self.is_within(&hand.principal, reach, &account).await? {
                return Err(Error::Forbidden(
                    "this account is beyond the reach of your role",
                ));
            }
        }
        Ok(account)
    }

    pub(super) async fn known_account(&self, id: &AccountId) -> Result<Account, Error> {
        self.accounts(std::slice::from_ref(id))
            .await?
            .pop()
            .ok_or(Error::NoAccount(id.kind))
    }

    /// Whether `account` is within `reach` of the caller.
    async fn is_within(
        &self,
        by: &Principal,
        reach: Reach,
        account: &Account,
    ) -> Result<bool, Error> {
        let is = |own: Option<&str>| own == Some(account.id.id.as_str());
        let ours = reach == Reach::Organization
            && account.organization_id.is_some()
            && account.organization_id.as_deref() == by.organization_id();
        if reach == Reach::All || ours {
            return Ok(true);
        }
        let within = match account.id.kind {
            AccountKind::Organization => reach == Reach::Organization && is(by.organization_id()),
            AccountKind::Team if reach >= Reach::Team => is(by.team_id()),
            // One sees the teams that one is in.
            AccountKind::Team => {
                let mut members = account.members.iter();
                is(by.team_id())
                    || members.any(|member| Some(member.user_id.as_str()) == by.user_id())
            }
            AccountKind::User if is(by.user_id()) => true,
            AccountKind::User if reach == Reach::Team => {
                self.team_of(by).await?.is_some_and(|team| {
                    let mut members = team.members.iter();
                    members.any(|member| member.user_id == account.id.id)
                })
            }
            AccountKind::User => false,
        };
        Ok(within)
    }

    async fn team_of(&self, by: &Principal) -> Result<Option<Account>, Error> {
        let Some(team) = by.team_id() else {
            return Ok(None);
        };
        let id = AccountId::new(AccountKind::Team, team);
        Ok(self.accounts(&[id]).await?.pop())
    }

    /// A list for whom sees a few accounts only: its own organisation, its own team and those that it is in, itself and its team's members.
    async fn few(
        &self,
        by: &Principal,
        reach: Reach,
        query: &AccountQuery,
    ) -> Result<Vec<Account>, Error> {
        let own = |kind: AccountKind, id: Option<&str>| id.map(|id| AccountId::new(kind, id));
        let mut ids: Vec<AccountId> = Vec::new();
        let mut found = Vec::new();
        match query.kind {
            AccountKind::Organization => ids.extend(own(query.kind, by.organization_id())),
            AccountKind::Team => {
                ids.extend(own(query.kind, by.team_id()));
                if let (Some(user), true) = (by.user_id(), reach == Reach::Own) {
                    let mut mine = AccountQuery::new(query.kind);
                    mine.member = Some(user.to_owned());
                    mine.limit = usize::MAX;
                    found = self.ask(self.store.list_accounts(&mine)).await?;
                }
            }
            AccountKind::User => {
                ids.extend(own(query.kind, by.user_id()));
                if reach == Reach::Team
                    && let Some(team) = self.team_of(by).await?
                {
                    let members = team.members.into_iter();
                    ids.extend(members.map(|member| AccountId::new(query.kind, member.user_id)));
                }
            }
        }
        ids.retain(|id| !found.iter().any(|account: &Account| account.id == *id));
        ids.sort();
        ids.dedup();
        found.extend(self.accounts(&ids).await?);
        found.sort_by(|one, two| one.id.cmp(&two.id));
        found.retain(|account| {
            let same =
                |asked: &Option<String>, has: &Option<String>| asked.is_none() || asked == has;
            let is_member = |user: &String| {
                let mut members = account.members.iter();
                members.any(|member| member.user_id == *user)
            };
            same(&query.organization_id, &account.organization_id)
                && same(&query.alias, &account.alias)
                && query.member.as_ref().is_none_or(is_member)
                && (query.deleted || account.deleted_at.is_none())
                && query
                    .after
                    .as_ref()
                    .is_none_or(|after| account.id.id > *after)
        });
        found.truncate(query.page());
        Ok(found)
    }
}
