//! Organizations.

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
    Organization, OrganizationShown, at "organization", one "an organization", all "organizations",
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
    OrganizationShown, at "organization", id organization_id, admin OrgAdmin, needs ManageOrganizationMembers,
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

impl Extra<AccountRequest> for OrganizationNew {
    fn extra(&mut self, request: &mut AccountRequest) -> Result<(), Refusal> {
        request.members = MemberTold::read_all(self.members.take(), Role::OrgAdmin)?;
        Ok(())
    }
}

impl Extra<AccountChange> for OrganizationUpdate {}
