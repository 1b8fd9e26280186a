//! Who is calling.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{KeyType, Limits, Role, Scope};

/// The models that a caller may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Models {
    /// Whatever the gateway serves.
    All,
    /// These names only; `*` at the end of a name stands for any rest. An empty list allows none.
    Only(Vec<String>),
}

impl Models {
    /// Whether `model` may be called.
    ///
    /// ```
    /// use bartizan_core::Models;
    ///
    /// let models = Models::Only(vec!["gpt-4o".into(), "claude-*".into()]);
    /// assert!(models.allow("gpt-4o") && models.allow("claude-haiku-4-5"));
    /// assert!(!models.allow("gpt-4o-mini"));
    /// ```
    #[must_use]
    pub fn allow(&self, model: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| match name.strip_suffix('*') {
                Some(prefix) => model.starts_with(prefix),
                None => name == model,
            }),
        }
    }
}

/// The claims from which a [`Principal`] is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    key_id: String,
    key_alias: Option<String>,
    team_id: Option<String>,
    user_id: Option<String>,
    organization_id: Option<String>,
    role: Role,
    key_type: KeyType,
    models: Models,
    limits: Limits,
    scopes: Vec<Scope>,
    guardrails: Vec<String>,
    metadata: BTreeMap<String, String>,
    tags: Vec<String>,
}

impl Identity {
    /// Creates the claims of an internal user who may call every model, known by `key_id`: a public name, never the key.
    pub fn new(key_id: impl Into<String>) -> Self {
        Self {
            key_id: key_id.into(),
            key_alias: None,
            team_id: None,
            user_id: None,
            organization_id: None,
            role: Role::InternalUser,
            key_type: KeyType::Default,
            models: Models::All,
            limits: Limits::default(),
            scopes: Vec::new(),
            guardrails: Vec::new(),
            metadata: BTreeMap::new(),
            tags: Vec::new(),
        }
    }

    /// Sets the name that people gave the key.
    #[must_use]
    pub fn key_alias(mut self, alias: impl Into<String>) -> Self {
        self.key_alias = Some(alias.into());
        self
    }

    /// Sets the team that pays.
    #[must_use]
    pub fn team_id(mut self, team: impl Into<String>) -> Self {
        self.team_id = Some(team.into());
        self
    }

    /// Sets the person or service that calls.
    #[must_use]
    pub fn user_id(mut self, user: impl Into<String>) -> Self {
        self.user_id = Some(user.into());
        self
    }

    /// Sets the organisation that the team or the user belongs to.
    #[must_use]
    pub fn organization_id(mut self, organization: impl Into<String>) -> Self {
        self.organization_id = Some(organization.into());
        self
    }

    /// Sets what the key is for. Everything by default.
    #[must_use]
    pub fn key_type(mut self, key_type: KeyType) -> Self {
        self.key_type = key_type;
        self
    }

    /// Adds a scope whose bounds bind this caller.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scopes.push(scope);
        self
    }

    /// Adds a guardrail that this caller's calls must pass.
    #[must_use]
    pub fn guardrail(mut self, name: impl Into<String>) -> Self {
        self.guardrails.push(name.into());
        self
    }

    /// Sets the role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Sets the models that may be called.
    #[must_use]
    pub fn models(mut self, models: Models) -> Self {
        self.models = models;
        self
    }

    /// Sets the caller's own limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds one pair of metadata.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }
}

/// A verified caller.
///
/// Lies in the request's extensions once a layer has verified who calls. It has no `Default` and no public constructor
/// but [`assume_verified`](Self::assume_verified), so that a failed check can't end in an empty identity. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Principal(Arc<Identity>);

impl Principal {
    /// Creates a principal from claims that the caller of this function has verified.
    ///
    /// Call it from code that has just checked a credential, in place of `AuthLayer`, and nowhere else.
    ///
    /// ```
    /// use bartizan_core::{Identity, Principal};
    ///
    /// let principal = Principal::assume_verified(Identity::new("mtls:payments").team_id("payments"));
    /// assert_eq!(principal.team_id(), Some("payments"));
    /// ```
    #[must_use]
    pub fn assume_verified(identity: Identity) -> Self {
        Self(Arc::new(identity))
    }

    /// The public name of the key, safe to log.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.0.key_id
    }

    /// The name that people gave the key.
    #[must_use]
    pub fn key_alias(&self) -> Option<&str> {
        self.0.key_alias.as_deref()
    }

    /// The team that pays.
    #[must_use]
    pub fn team_id(&self) -> Option<&str> {
        self.0.team_id.as_deref()
    }

    /// The person or service that calls.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.0.user_id.as_deref()
    }

    /// The organisation that the team or the user belongs to.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.0.organization_id.as_deref()
    }

    /// What the key is for.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.0.key_type
    }

    /// Every scope whose bounds bind this caller, the widest first: organisation, team, user, the keys that its key was minted with, its key.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        &self.0.scopes
    }

    /// Guardrails that this caller's calls must pass, besides those of all.
    #[must_use]
    pub fn guardrails(&self) -> &[String] {
        &self.0.guardrails
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.0.role
    }

    /// The models that may be called.
    #[must_use]
    pub fn models(&self) -> &Models {
        &self.0.models
    }

    /// The caller's own limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Free-form pairs that came with the key.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// Free-form words that came with the key.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.0.tags
    }
}

/// Names who calls, and leaves out metadata, which may hold anything.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("key_id", &self.key_id())
            .field("team_id", &self.team_id())
            .field("organization_id", &self.organization_id())
            .field("role", &self.role())
            .finish_non_exhaustive()
    }
}
