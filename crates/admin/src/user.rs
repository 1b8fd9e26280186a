//! Users.

use bartizan_auth::{Account, AccountChange, AccountRequest, Keys};
use bartizan_core::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{AccountShown, Extra, account};
use crate::capability::Permitted;
use crate::done::Done;
use crate::rights::Told;
use crate::role::role;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    account_routes(routes)
}

/// A user.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct UserShown {
    /// Its name.
    user_id: String,
    user_alias: Option<String>,
    user_email: Option<String>,
    /// The most that its keys may do.
    user_role: &'static str,
    organization_id: Option<String>,
    #[serde(flatten)]
    account: AccountShown,
}

account! {
    User, UserShown, at "user", one "a user", all "users",
    id user_id, ids user_ids, alias user_alias, info user_info, list users,
    needs [SeeUsers, CreateUser, UpdateUser, BoundUser, DeleteUser],
    new UserNew {
        /// Its address.
        user_email: Option<String>,
        /// The most that its keys may do: `internal_user` by default.
        user_role: Option<String>,
        /// Its organization, which never changes.
        organization_id: Option<String>,
    }
    change UserUpdate {
        /// Its address.
        #[serde(deserialize_with = "crate::rights::told")]
        #[schema(value_type = Option<String>)]
        user_email: Told<String>,
        /// The most that its keys may do.
        user_role: Option<String>,
    }
    types [UserNamed, UsersNamed, UsersAsked, UserInfo, UserPage]
}

impl UserShown {
    fn of(account: &Account) -> Self {
        Self {
            user_id: account.id.id.clone(),
            user_alias: account.alias.clone(),
            user_email: account.email.clone(),
            user_role: account.role.as_str(),
            organization_id: account.organization_id.clone(),
            account: AccountShown::from(account),
        }
    }
}

impl Extra<AccountRequest> for UserNew {
    fn extra(&mut self, request: &mut AccountRequest) -> Result<(), Refusal> {
        request.email = self.user_email.take();
        request.role = self.user_role.take().map(|word| role(&word)).transpose()?;
        request.organization_id = self.organization_id.take();
        Ok(())
    }
}

impl Extra<AccountChange> for UserUpdate {
    fn extra(&mut self, change: &mut AccountChange) -> Result<(), Refusal> {
        change.email = self.user_email.take();
        change.role = self.user_role.take().map(|word| role(&word)).transpose()?;
        Ok(())
    }
}
