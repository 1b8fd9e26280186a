//! Organizations.

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
        .change(Post, "/organization/new", "Makes an organization", create)
        .change(
            PostOrPatch,
            "/organization/update",
            "Changes an organization",
            update,
        )
        .change(
            PostOrDelete,
            "/organization/delete",
            "Deletes organizations, and revokes their keys",
            delete,
        )
        .change(
            Post,
            "/organization/block",
            "Blocks an organization, and every key in it",
            block,
        )
        .change(
            Post,
            "/organization/unblock",
            "Unblocks an organization",
            unblock,
        )
        .change(
            Post,
            "/organization/member_add",
            "Adds a member",
            member_add,
        )
        .change(
            PostOrPatch,
            "/organization/member_update",
            "Changes what a member may do",
            member_update,
        )
        .change(
            PostOrDelete,
            "/organization/member_delete",
            "Takes a member out, and revokes their keys in the organization",
            member_delete,
        )
        .see("/organization/info", "Shows an organization", info)
        .see("/organization/list", "Shows a page of organizations", list)
}

/// An organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct OrganizationShown {
    /// Its name.
    organization_id: String,
    organization_alias: Option<String>,
    members: Vec<MemberTold>,
    #[serde(flatten)]
    account: AccountShown,
}

account! {
    Organization, OrganizationShown,
    id organization_id, ids organization_ids, alias organization_alias, info organization_info, list organizations,
    needs [SeeOrganizations, CreateOrganization, UpdateOrganization, BoundOrganization, DeleteOrganization],
    new OrganizationNew {
        /// Its users, and what they may do there.
        #[schema(value_type = Option<Vec<MemberTold>>)]
        members: Option<Vec<Object<MemberTold>>>,
    }
    change OrganizationUpdate {}
    types [OrganizationNamed, OrganizationsNamed, OrganizationsAsked, OrganizationInfo, OrganizationPage]
}

members! {
    OrganizationShown, id organization_id, admin OrgAdmin, needs ManageOrganizationMembers,
    types [OrganizationMemberAdd, OrganizationMemberUpdate, OrganizationMemberDelete]
}

impl OrganizationShown {
    fn of(account: &Account) -> Self {
        Self {
            organization_id: account.id.id.clone(),
            organization_alias: account.alias.clone(),
            members: MemberTold::shown(&account.members),
            account: AccountShown::from(account),
        }
    }
}

impl OrganizationNew {
    fn extra(&mut self, request: &mut AccountRequest) -> Result<(), Refusal> {
        request.members = MemberTold::read_all(self.members.take(), Role::OrgAdmin)?;
        Ok(())
    }
}

impl OrganizationUpdate {
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "an organization has no field of its own here"
    )]
    fn extra(&mut self, _: &mut AccountChange) -> Result<(), Refusal> {
        Ok(())
    }
}
