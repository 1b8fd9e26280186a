//! Who may do what: every management action, by role and by what a key is for.
//!
//! [`reach`] is the table, written out; [`allowed`] reads it for a caller. docs/roles.md shows it.

use bartizan_core::{Principal, Role};

/// Something that an administration API does for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Lists keys and shows them.
    SeeKeys,
    /// Mints a key.
    GenerateKey,
    /// Changes a key.
    UpdateKey,
    /// Gives a key another text under the same name.
    RegenerateKey,
    /// Takes a key back for good.
    RevokeKey,
    /// Blocks and unblocks a key.
    BlockKey,
    /// Forgets a key and its record.
    PurgeKey,
    /// Lists organisations and shows them.
    SeeOrganizations,
    /// Makes an organisation.
    CreateOrganization,
    /// Changes an organisation's name and metadata.
    UpdateOrganization,
    /// Changes what binds an organisation, blocks and unblocks it.
    BoundOrganization,
    /// Adds, changes and removes the members of an organisation.
    ManageOrganizationMembers,
    /// Deletes an organisation.
    DeleteOrganization,
    /// Lists teams and shows them.
    SeeTeams,
    /// Makes a team.
    CreateTeam,
    /// Changes a team's name and metadata.
    UpdateTeam,
    /// Changes what binds a team, blocks and unblocks it.
    BoundTeam,
    /// Adds, changes and removes the members of a team.
    ManageTeamMembers,
    /// Deletes a team.
    DeleteTeam,
    /// Lists users and shows them.
    SeeUsers,
    /// Makes a user.
    CreateUser,
    /// Changes a user's name, address and metadata.
    UpdateUser,
    /// Changes what binds a user, and its role; blocks and unblocks it.
    BoundUser,
    /// Deletes a user.
    DeleteUser,
    /// Shows what was spent.
    SeeSpend,
    /// Sets what was spent back to nothing.
    ResetSpend,
    /// Takes a person's name out of what was spent.
    EraseSpend,
    /// Shows from where keys were used.
    SeeSightings,
    /// Shows the audit's records.
    SeeAudit,
    /// Shows how the gateway is set up: deployments, guardrails, limits.
    SeeSettings,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 30] = [
        Self::SeeKeys,
        Self::GenerateKey,
        Self::UpdateKey,
        Self::RegenerateKey,
        Self::RevokeKey,
        Self::BlockKey,
        Self::PurgeKey,
        Self::SeeOrganizations,
        Self::CreateOrganization,
        Self::UpdateOrganization,
        Self::BoundOrganization,
        Self::ManageOrganizationMembers,
        Self::DeleteOrganization,
        Self::SeeTeams,
        Self::CreateTeam,
        Self::UpdateTeam,
        Self::BoundTeam,
        Self::ManageTeamMembers,
        Self::DeleteTeam,
        Self::SeeUsers,
        Self::CreateUser,
        Self::UpdateUser,
        Self::BoundUser,
        Self::DeleteUser,
        Self::SeeSpend,
        Self::ResetSpend,
        Self::EraseSpend,
        Self::SeeSightings,
        Self::SeeAudit,
        Self::SeeSettings,
    ];

    /// The action's name in documents, logs and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeeKeys => "see_keys",
            Self::GenerateKey => "generate_key",
            Self::UpdateKey => "update_key",
            Self::RegenerateKey => "regenerate_key",
            Self::RevokeKey => "revoke_key",
            Self::BlockKey => "block_key",
            Self::PurgeKey => "purge_key",
            Self::SeeOrganizations => "see_organizations",
            Self::CreateOrganization => "create_organization",
            Self::UpdateOrganization => "update_organization",
            Self::BoundOrganization => "bound_organization",
            Self::ManageOrganizationMembers => "manage_organization_members",
            Self::DeleteOrganization => "delete_organization",
            Self::SeeTeams => "see_teams",
            Self::CreateTeam => "create_team",
            Self::UpdateTeam => "update_team",
            Self::BoundTeam => "bound_team",
            Self::ManageTeamMembers => "manage_team_members",
            Self::DeleteTeam => "delete_team",
            Self::SeeUsers => "see_users",
            Self::CreateUser => "create_user",
            Self::UpdateUser => "update_user",
            Self::BoundUser => "bound_user",
            Self::DeleteUser => "delete_user",
            Self::SeeSpend => "see_spend",
            Self::ResetSpend => "reset_spend",
            Self::EraseSpend => "erase_spend",
            Self::SeeSightings => "see_sightings",
            Self::SeeAudit => "see_audit",
            Self::SeeSettings => "see_settings",
        }
    }

    /// Whether it changes anything.
    #[must_use]
    pub const fn changes(self) -> bool {
        !matches!(
            self,
            Self::SeeKeys
                | Self::SeeOrganizations
                | Self::SeeTeams
                | Self::SeeUsers
                | Self::SeeSpend
                | Self::SeeSightings
                | Self::SeeAudit
                | Self::SeeSettings
        )
    }
}

/// To whose things an action reaches. Each reach holds those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// To nobody's: it is not allowed.
    None,
    /// To the caller's own: its user and that user's keys, its own key and those that it minted; to see, the teams that it is in.
    Own,
    /// To those of the caller's team: its keys and members.
    Team,
    /// To those of the caller's organisation: its teams, users and keys.
    Organization,
    /// To everybody's.
    All,
}

impl Reach {
    /// The reach's name in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Own => "own",
            Self::Team => "team",
            Self::Organization => "organization",
            Self::All => "all",
        }
    }
}

/// How far `action` reaches for `role`.
#[must_use]
pub const fn reach(role: Role, action: Action) -> Reach {
    use Action as A;
    use Reach::{All, None, Organization, Own, Team};
    // proxy_admin, proxy_admin_viewer, org_admin, team_admin, internal_user, internal_user_viewer
    let row = match action {
        A::SeeKeys => [All, All, Organization, Team, Own, Own],
        A::GenerateKey | A::UpdateKey | A::RegenerateKey | A::RevokeKey => {
            [All, None, Organization, Team, Own, None]
        }
        A::BlockKey => [All, None, Organization, Team, None, None],
        A::PurgeKey => [All, None, None, None, None, None],
        A::SeeOrganizations => [All, All, Organization, None, None, None],
        A::CreateOrganization | A::BoundOrganization | A::DeleteOrganization => {
            [All, None, None, None, None, None]
        }
        A::UpdateOrganization | A::ManageOrganizationMembers => {
            [All, None, Organization, None, None, None]
        }
        A::SeeTeams => [All, All, Organization, Team, Own, Own],
        A::CreateTeam | A::BoundTeam | A::DeleteTeam => [All, None, Organization, None, None, None],
        A::UpdateTeam | A::ManageTeamMembers => [All, None, Organization, Team, None, None],
        A::SeeUsers => [All, All, Organization, Team, Own, Own],
        A::CreateUser | A::BoundUser | A::DeleteUser => [All, None, Organization, None, None, None],
        A::UpdateUser => [All, None, Organization, Own, Own, None],
        A::SeeSpend | A::SeeSightings => [All, All, Organization, Team, Own, Own],
        A::ResetSpend | A::EraseSpend => [All, None, None, None, None, None],
        A::SeeAudit | A::SeeSettings => [All, All, None, None, None, None],
    };
    let [
        proxy_admin,
        proxy_viewer,
        org_admin,
        team_admin,
        user,
        user_viewer,
    ] = row;
    match role {
        Role::ProxyAdmin => proxy_admin,
        Role::ProxyAdminViewer => proxy_viewer,
        Role::OrgAdmin => org_admin,
        Role::TeamAdmin => team_admin,
        Role::InternalUser => user,
        Role::InternalUserViewer => user_viewer,
        // A role that this table does not know may do nothing.
        _ => None,
    }
}

/// How far `action` reaches for a caller: by its role, and no further than what its key is for.
///
/// An administrator of an organisation or a team that its key doesn't name reaches as far as one of what the key names.
///
/// ```
/// use bartizan_auth::{Action, Reach, allowed};
/// use bartizan_core::{Identity, KeyType, Principal, Role};
///
/// let robin = Identity::new("key_robin").role(Role::TeamAdmin).team_id("search").user_id("robin");
/// let robin = |key_type| Principal::assume_verified(robin.clone().key_type(key_type));
/// assert_eq!(allowed(&robin(KeyType::Default), Action::GenerateKey), Reach::Team);
/// assert_eq!(allowed(&robin(KeyType::ReadOnly), Action::GenerateKey), Reach::None);
/// assert_eq!(allowed(&robin(KeyType::ReadOnly), Action::SeeSpend), Reach::Team);
/// assert_eq!(allowed(&robin(KeyType::LlmApi), Action::SeeSpend), Reach::None);
/// ```
#[must_use]
pub fn allowed(caller: &Principal, action: Action) -> Reach {
    let key_type = caller.key_type();
    if !key_type.sees() || (action.changes() && !key_type.manages()) {
        return Reach::None;
    }
    let mut reach = reach(caller.role(), action);
    if reach == Reach::Organization && caller.organization_id().is_none() {
        // What one may do in a whole organisation and not in a team is nothing outside of one.
        reach = self::reach(caller.role().meet(Role::TeamAdmin), action);
    }
    if reach == Reach::Team && caller.team_id().is_none() {
        reach = self::reach(caller.role().meet(Role::InternalUser), action);
    }
    reach
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use bartizan_core::{Identity, KeyType};

    use super::*;

    fn table() -> String {
        let mut table = String::from("| action |");
        for role in Role::ALL {
            write!(table, " `{}` |", role.as_str()).unwrap();
        }
        table.push_str("\n|---|---|---|---|---|---|---|\n");
        for action in Action::ALL {
            write!(table, "| `{}` |", action.as_str()).unwrap();
            for role in Role::ALL {
                let reach = match reach(role, action) {
                    Reach::None => "-",
                    reach => reach.as_str(),
                };
                write!(table, " {reach} |").unwrap();
            }
            table.push('\n');
        }
        table
    }

    #[test]
    fn the_page_shows_the_matrix() {
        const BETWEEN: (&str, &str) = ("<!-- the table -->\n", "<!-- its end -->");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/roles.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, rest) = page.split_once(BETWEEN.0).unwrap();
        let (shown, after) = rest.split_once(BETWEEN.1).unwrap();
        let table = table();
        if std::env::var_os("BARTIZAN_WRITE_DOCS").is_some() {
            let page = format!("{before}{}{table}{}{after}", BETWEEN.0, BETWEEN.1);
            std::fs::write(path, page).unwrap();
            return;
        }
        assert!(
            shown == table,
            "docs/roles.md is old: run this test with BARTIZAN_WRITE_DOCS=1"
        );
    }

    #[test]
    fn a_greater_role_reaches_as_far_as_a_lesser_one() {
        for one in Role::ALL {
            for two in Role::ALL.into_iter().filter(|two| one.covers(*two)) {
                for action in Action::ALL {
                    assert!(
                        reach(one, action) >= reach(two, action),
                        "{one:?} {two:?} {action:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn only_a_proxy_admin_reaches_beyond_an_organization_and_viewers_change_nothing() {
        for action in Action::ALL {
            for role in Role::ALL {
                let all = match role {
                    Role::ProxyAdmin => true,
                    Role::ProxyAdminViewer => !action.changes(),
                    _ => false,
                };
                assert_eq!(
                    reach(role, action) == Reach::All,
                    all,
                    "{role:?} {action:?}"
                );
            }
            let viewer = reach(Role::InternalUserViewer, action);
            assert!(!action.changes() || viewer == Reach::None, "{action:?}");
        }
    }

    #[test]
    fn a_key_does_no_more_than_it_is_for() {
        for role in Role::ALL {
            for key_type in KeyType::ALL {
                let identity = Identity::new("k").role(role).key_type(key_type);
                let identity = identity.team_id("t").organization_id("o").user_id("u");
                let caller = Principal::assume_verified(identity);
                for action in Action::ALL {
                    let may = match key_type {
                        KeyType::LlmApi => false,
                        KeyType::ReadOnly => !action.changes(),
                        _ => true,
                    };
                    let expected = if may {
                        reach(role, action)
                    } else {
                        Reach::None
                    };
                    assert_eq!(
                        allowed(&caller, action),
                        expected,
                        "{role:?} {key_type:?} {action:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_administrator_of_nothing_reaches_no_further_than_its_own() {
        for (role, team, expected) in [
            (Role::OrgAdmin, Some("t"), [Reach::Team, Reach::None]),
            (Role::OrgAdmin, None, [Reach::Own, Reach::None]),
            (Role::TeamAdmin, None, [Reach::Own, Reach::None]),
        ] {
            let mut identity = Identity::new("k").role(role);
            if let Some(team) = team {
                identity = identity.team_id(team);
            }
            let caller = Principal::assume_verified(identity);
            let reached =
                [Action::GenerateKey, Action::CreateTeam].map(|action| allowed(&caller, action));
            assert_eq!(reached, expected, "{role:?} {team:?}");
        }
    }
}
