//! Teams.

use bartizan_auth::{Account, AccountChange, AccountRequest, Keys};
use bartizan_core::{Refusal, Role};
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{AccountShown, MemberTold, account, members};
use crate::capability::Permitted;
use crate::done::Done;
use crate::object::Object;
use crate::routes::{Routes, Verbs};

pub(crate) fn routes(routes: Routes) -> Routes {
    use Verbs::{Post, PostOrDelete, PostOrPatch};
    routes
        .change(Post, "/team/new", "Makes a team", create)
        .change(PostOrPatch, "/team/update", "Changes a team", update)
        .change(
            PostOrDelete,
            "/team/delete",
            "Deletes teams, and revokes their keys",
            delete,
        )
        .change(
            Post,
            "/team/block",
            "Blocks a team, and every key in it",
            block,
        )
        .change(Post, "/team/unblock", "Unblocks a team", unblock)
        .change(Post, "/team/member_add", "Adds a member", member_add)
        .change(
            PostOrPatch,
            "/team/member_update",
            "Changes what a member may do",
            member_update,
        )
        .change(
            PostOrDelete,
            "/team/member_delete",
            "Takes a member out, and revokes their keys in the team",
            member_delete,
        )
        .see("/team/info", "Shows a team", info)
        .see("/team/list", "Shows a page of teams", list)
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
    Team, TeamShown, id team_id, ids team_ids, alias team_alias, info team_info, list teams,
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
    TeamShown, id team_id, admin TeamAdmin, needs ManageTeamMembers,
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

impl TeamNew {
    fn extra(&mut self, request: &mut AccountRequest) -> Result<(), Refusal> {
        request.organization_id = self.organization_id.take();
        request.members = MemberTold::read_all(self.members_with_roles.take(), Role::TeamAdmin)?;
        Ok(())
    }
}

impl TeamUpdate {
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "a team has no field of its own here"
    )]
    fn extra(&mut self, _: &mut AccountChange) -> Result<(), Refusal> {
        Ok(())
    }
}
