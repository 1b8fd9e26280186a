//! Teams.

use bartizan_auth::{Account, AccountChange, AccountRequest, Keys};
use bartizan_core::{Refusal, Role};
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{AccountShown, Extra, account};
use crate::capability::Permitted;
use crate::done::Done;
use crate::member::{MemberTold, members};
use crate::object::Object;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    member_routes(account_routes(routes))
}

/// A team.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct TeamShown {
    /// Its name.
    team_id: String,
    team_alias: Option<String>,
    organization_id: Option<String>,
    members_with_roles: Vec<MemberTold>,
    #[serde(flatten)]
    account: AccountShown,
}

account! {
    Team, TeamShown, at "team", one "a team", all "teams",
    id team_id, ids team_ids, alias team_alias, info team_info, list teams,
    needs [SeeTeams, CreateTeam, UpdateTeam, BoundTeam, DeleteTeam],
    new TeamNew {
        /// Its organization, which never changes.
        organization_id: Option<String>,
        /// Its users, and what they may do there.
        #[schema(value_type = Option<Vec<MemberTold>>)]
        members_with_roles: Option<Vec<Object<MemberTold>>>,
    }
    change TeamUpdate {}
    types [TeamNamed, TeamsNamed, TeamsAsked, TeamInfo, TeamPage]
}

members! {
    TeamShown, at "team", id team_id, admin TeamAdmin, needs ManageTeamMembers,
    types [TeamMemberAdd, TeamMemberUpdate, TeamMemberDelete]
}

impl TeamShown {
    fn of(account: &Account) -> Self {
        Self {
            team_id: account.id.id.clone(),
            team_alias: account.alias.clone(),
            organization_id: account.organization_id.clone(),
            members_with_roles: MemberTold::shown(&account.members),
            account: AccountShown::from(account),
        }
    }
}

impl Extra<AccountRequest> for TeamNew {
    fn extra(&mut self, request: &mut AccountRequest) -> Result<(), Refusal> {
        request.organization_id = self.organization_id.take();
        request.members = MemberTold::read_all(self.members_with_roles.take(), Role::TeamAdmin)?;
        Ok(())
    }
}

impl Extra<AccountChange> for TeamUpdate {}
