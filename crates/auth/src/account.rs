//! Organisations, teams and users: what keys belong to.

use std::fmt;
use std::time::Duration;

use bartizan_core::{Level, Role};

use crate::metadata::Metadata;
use crate::rights::Rights;

/// Which level of the hierarchy an account stands on: organisation over team over user over key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AccountKind {
    /// Holds teams and users.
    Organization,
    /// Holds keys, and has users as members.
    Team,
    /// A person or a service.
    User,
}

impl AccountKind {
    /// Every kind, the widest first.
    pub const ALL: [Self; 3] = [Self::Organization, Self::Team, Self::User];

    /// The kind's name in records and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.level().as_str()
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The field that names such an account.
    #[must_use]
    pub const fn id_field(self) -> &'static str {
        match self {
            Self::Organization => "organization_id",
            Self::Team => "team_id",
            Self::User => "user_id",
        }
    }

    /// The level of its bounds.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Organization => Level::Organization,
            Self::Team => Level::Team,
            Self::User => Level::User,
        }
    }
}

/// The name of an account: its kind, and its id within the kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId {
    /// The kind.
    pub kind: AccountKind,
    /// `organization_id`, `team_id` or `user_id`.
    pub id: String,
}

impl AccountId {
    /// Names an account.
    pub fn new(kind: AccountKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }
}

/// A user in an organisation or a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user_id: String,
    /// What it may do there: [`Role::OrgAdmin`], [`Role::TeamAdmin`], or a user's roles.
    pub role: Role,
}

/// An organisation, a team or a user. Times are counted from 1970-01-01 00:00 UTC, to the millisecond.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Its name, which never changes.
    pub id: AccountId,
    /// The name that people gave it (`organization_alias`, `team_alias`, `user_alias`).
    pub alias: Option<String>,
    /// A user's address (`user_email`).
    pub email: Option<String>,
    /// The organisation of a team or a user. It never changes.
    pub organization_id: Option<String>,
    /// The most that a user's keys may do (`user_role`). An internal user's by default; organisations and teams don't use it.
    pub role: Role,
    /// The users in an organisation or a team. A user has none.
    pub members: Vec<Member>,
    /// What binds every key in it.
    pub rights: Rights,
    /// Free-form pairs.
    pub metadata: Metadata,
    /// Whether an administrator has blocked it, and with it every key in it, for now.
    pub blocked: bool,
    /// The `key_id` of whoever made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Duration,
    /// When it was last changed.
    pub updated_at: Duration,
    /// When it was deleted. The record stays, so that no key in it opens anything and nobody takes its name.
    pub deleted_at: Option<Duration>,
    /// Counts the changes, from 1: whoever changes it says which version they saw.
    pub version: u64,
}

impl Account {
    /// Creates an account that binds nothing.
    #[must_use]
    pub fn new(id: AccountId, created_at: Duration) -> Self {
        Self {
            id,
            alias: None,
            email: None,
            organization_id: None,
            role: Role::InternalUser,
            members: Vec::new(),
            rights: Rights::default(),
            metadata: Metadata::new(),
            blocked: false,
            created_by: String::new(),
            created_at,
            updated_at: created_at,
            deleted_at: None,
            version: 1,
        }
    }
}

/// Names the account, and leaves out what may hold anything.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("blocked", &self.blocked)
            .field("deleted_at", &self.deleted_at)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
