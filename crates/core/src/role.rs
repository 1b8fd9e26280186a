//! What a caller may do beyond calling models, and what a key is for.

/// What a caller may do beyond calling models, in LiteLLM's words.
///
/// `org_admin` and `team_admin` reach as far as the caller's own organisation and team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Everything: the holder of the master key.
    ProxyAdmin,
    /// Sees everything, changes nothing.
    ProxyAdminViewer,
    /// Manages the teams, users and keys of its own organisation, and not the bounds of the organisation itself.
    OrgAdmin,
    /// Manages the members and keys of its own team, and not the bounds of the team itself.
    TeamAdmin,
    /// Calls models, sees and manages nothing but its own keys.
    InternalUser,
    /// Sees its own keys, changes nothing.
    InternalUserViewer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::ProxyAdmin,
        Self::ProxyAdminViewer,
        Self::OrgAdmin,
        Self::TeamAdmin,
        Self::InternalUser,
        Self::InternalUserViewer,
    ];

    /// The role's name in configuration, records and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProxyAdmin => "proxy_admin",
            Self::ProxyAdminViewer => "proxy_admin_viewer",
            Self::OrgAdmin => "org_admin",
            Self::TeamAdmin => "team_admin",
            Self::InternalUser => "internal_user",
            Self::InternalUserViewer => "internal_user_viewer",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether whoever has this role may do all that `other` may.
    ///
    /// ```
    /// use bartizan_core::Role;
    ///
    /// assert!(Role::OrgAdmin.covers(Role::TeamAdmin));
    /// // Neither sees what the other may change.
    /// assert!(!Role::ProxyAdminViewer.covers(Role::InternalUser) && !Role::InternalUser.covers(Role::ProxyAdminViewer));
    /// ```
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        use Role::{InternalUserViewer, ProxyAdmin, ProxyAdminViewer};
        let rank = |role| match role {
            Self::OrgAdmin => 3,
            Self::TeamAdmin => 2,
            Self::InternalUser => 1,
            _ => 0,
        };
        match (self, other) {
            (ProxyAdmin, _) | (_, InternalUserViewer) => true,
            (_, ProxyAdmin) => false,
            (ProxyAdminViewer, other) => other == ProxyAdminViewer,
            (_, ProxyAdminViewer) => false,
            (one, two) => rank(one) >= rank(two),
        }
    }

    /// The greatest role that both cover.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        if self.covers(other) {
            other
        } else if other.covers(self) {
            self
        } else {
            Self::InternalUserViewer
        }
    }
}

/// What a key is for (LiteLLM's `key_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// Calls models, and manages what its role may.
    #[default]
    Default,
    /// Calls models, manages nothing.
    LlmApi,
    /// Manages what its role may, calls no model.
    Management,
    /// Sees what its role may, changes nothing and calls no model.
    ReadOnly,
}

impl KeyType {
    /// Every type.
    pub const ALL: [Self; 4] = [
        Self::Default,
        Self::LlmApi,
        Self::Management,
        Self::ReadOnly,
    ];

    /// The type's name in configuration, records and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::LlmApi => "llm_api",
            Self::Management => "management",
            Self::ReadOnly => "read_only",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|found| found.as_str() == name)
    }

    /// Whether it calls models.
    #[must_use]
    pub const fn calls_models(self) -> bool {
        matches!(self, Self::Default | Self::LlmApi)
    }

    /// Whether it sees what its role may see.
    #[must_use]
    pub const fn sees(self) -> bool {
        !matches!(self, Self::LlmApi)
    }

    /// Whether it changes what its role may change.
    #[must_use]
    pub const fn manages(self) -> bool {
        matches!(self, Self::Default | Self::Management)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meet_of_two_roles_is_the_greatest_that_both_cover() {
        for one in Role::ALL {
            for two in Role::ALL {
                let met = one.meet(two);
                assert!(one.covers(met) && two.covers(met), "{one:?} {two:?}");
                for other in Role::ALL {
                    let below = one.covers(other) && two.covers(other);
                    assert!(!below || met.covers(other), "{one:?} {two:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn names_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        for found in KeyType::ALL {
            assert_eq!(KeyType::parse(found.as_str()), Some(found));
        }
        assert_eq!(Role::parse("Proxy_Admin"), None);
    }
}
