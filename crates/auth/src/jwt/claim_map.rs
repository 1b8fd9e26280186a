//! What the claims of a token mean here.

use std::collections::BTreeSet;
use std::fmt;

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Models, Role};
use sha2::{Digest, Sha256};

use super::claim_path::ClaimPath;
use super::denied::JwtDenied;
use crate::keys::Claims;
use crate::narrow;

const LONGEST_ID: usize = 256;
const MOST_TEAMS: usize = 512;

/// The one purpose of this digest: a public name for a bearer, out of which nothing can be read.
const LABEL: &[u8] = b"bartizan/jwt-subject/v1\0";

/// Which claim of an issuer's tokens means what, in LiteLLM's words.
///
/// What is set here has to stand in the token, or it is refused: a caller whose organisation can't be told would be bound by no budget of it. Only
/// the role, the end user and, with [`team_optional`](Self::team_optional), the team may be absent. By default a token says who the user is (`sub`)
/// and nothing else, and its bearer is an internal user.
///
/// ```
/// use bartizan_auth::jwt::{ClaimMap, RoleMapping};
/// use bartizan_core::Role;
///
/// let mut keycloak = ClaimMap::default();
/// keycloak.team_ids_jwt_field = Some("groups".parse()?);
/// keycloak.user_roles_jwt_field = Some("resource_access.bartizan.roles".parse()?);
/// keycloak.role_mappings = vec![RoleMapping::new("llm-auditor", Role::ProxyAdminViewer)];
/// # Ok::<(), bartizan_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimMap {
    /// Who calls. `sub` by default.
    pub user_id_jwt_field: ClaimPath,
    /// The bearer's address of e-mail. Read only for [`user_allowed_email_domain`](Self::user_allowed_email_domain).
    pub user_email_jwt_field: Option<ClaimPath>,
    /// The only domain of e-mail that is let in. The address is taken from [`user_email_jwt_field`](Self::user_email_jwt_field), or `email`; where the
    /// token says by `email_verified` that it is not verified, it is none.
    pub user_allowed_email_domain: Option<String>,
    /// The one team that pays, unless the request picks another of the token's.
    pub team_id_jwt_field: Option<ClaimPath>,
    /// The teams of which a request may pick one (an array, or one name).
    pub team_ids_jwt_field: Option<ClaimPath>,
    /// Whether a token may name no team although a field for it is set. No by default.
    pub team_optional: bool,
    /// The organisation.
    pub org_id_jwt_field: Option<ClaimPath>,
    /// Names of roles (an array, or one name). They mean what [`role_mappings`](Self::role_mappings) says, and nothing by themselves.
    pub user_roles_jwt_field: Option<ClaimPath>,
    /// Which role here is meant by the issuer's. The first that the token has counts.
    pub role_mappings: Vec<RoleMapping>,
    /// Whether a bearer without a mapped role has the one of its user's account here, which may be an administrator's. No by default: it is an
    /// internal user.
    pub roles_of_accounts: bool,
    /// The scope (`scope`, `scp`) whose bearers are proxy admins. None by default.
    pub admin_jwt_scope: Option<String>,
    /// The models that scopes (`scope`, `scp`) open. Where there is one mapping, a token without any of the scopes may call no model.
    pub scope_mappings: Vec<ScopeMapping>,
    /// The models that may be called (an array, or one name), within those of the scopes.
    pub models_jwt_field: Option<ClaimPath>,
    /// The end user on whose behalf the bearer calls; kept as `end_user_id` in the principal's metadata.
    pub end_user_id_jwt_field: Option<ClaimPath>,
    /// What is put before the ids of users, teams and organisations of this issuer. Nothing by default: two issuers that both know an `alice` then speak of
    /// the same user.
    pub id_prefix: String,
}

/// Which role here is meant by one of the issuer's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleMapping {
    /// The name in the token.
    pub role: String,
    /// The role here.
    pub internal_role: Role,
}

/// The models that a scope opens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeMapping {
    /// The scope.
    pub scope: String,
    /// Names of models; `*` at the end of a name stands for any rest.
    pub models: Vec<String>,
}

impl RoleMapping {
    /// Maps the issuer's `role`.
    pub fn new(role: impl Into<String>, internal_role: Role) -> Self {
        Self {
            role: role.into(),
            internal_role,
        }
    }
}

impl ScopeMapping {
    /// Lets bearers of `scope` call `models`.
    pub fn new(scope: impl Into<String>, models: impl IntoIterator<Item = String>) -> Self {
        Self {
            scope: scope.into(),
            models: models.into_iter().collect(),
        }
    }
}

impl Default for ClaimMap {
    fn default() -> Self {
        Self {
            user_id_jwt_field: ClaimPath::named("sub"),
            user_email_jwt_field: None,
            user_allowed_email_domain: None,
            team_id_jwt_field: None,
            team_ids_jwt_field: None,
            team_optional: false,
            org_id_jwt_field: None,
            user_roles_jwt_field: None,
            role_mappings: Vec::new(),
            roles_of_accounts: false,
            admin_jwt_scope: None,
            scope_mappings: Vec::new(),
            models_jwt_field: None,
            end_user_id_jwt_field: None,
            id_prefix: String::new(),
        }
    }
}

/// What a verified token says, but for the choice of a team.
pub(super) struct Said {
    claims: Claims,
    teams: BTreeSet<String>,
    prefix: String,
}

impl ClaimMap {
    /// Reads the claims of a token that is verified.
    pub(super) fn read(&self, issuer: &str, claims: Value<'_>) -> Result<Said, JwtDenied> {
        self.check_domain(claims)?;
        let user = required(&self.user_id_jwt_field, claims)?;
        let subject = match claims.get("sub").and_then(id) {
            Some(subject) => subject,
            None => user.clone(),
        };
        let mut said = Claims::new(name_of(issuer, &subject));
        said.user_id = Some(self.own(&user));
        if let Some(path) = &self.org_id_jwt_field {
            said.organization_id = Some(self.own(&required(path, claims)?));
        }
        let teams = self.teams(claims, &mut said)?;
        let scopes = self.scopes(claims);
        said.role = self.role(claims, &scopes);
        said.models = self.models(claims, &scopes)?;
        if let Some(path) = &self.end_user_id_jwt_field
            && let Some(end_user) = path.find(claims)
        {
            let end_user = id(end_user).ok_or_else(|| lacks(path))?;
            said.metadata.insert("end_user_id".to_owned(), end_user);
        }
        Ok(Said {
            claims: said,
            teams,
            prefix: self.id_prefix.clone(),
        })
    }

    fn own(&self, id: &str) -> String {
        format!("{}{id}", self.id_prefix)
    }

    fn check_domain(&self, claims: Value<'_>) -> Result<(), JwtDenied> {
        let Some(allowed) = &self.user_allowed_email_domain else {
            return Ok(());
        };
        let email = ClaimPath::named("email");
        let path = self.user_email_jwt_field.as_ref().unwrap_or(&email);
        let address = required(path, claims)?;
        let verified = match claims.get("email_verified") {
            None => true,
            // Some issuers write booleans as strings.
            Some(said) => said.as_bool() == Some(true) || said.is("true"),
        };
        match address.rsplit_once('@') {
            Some((_, domain)) if verified && domain.eq_ignore_ascii_case(allowed) => Ok(()),
            _ => Err(JwtDenied::Domain),
        }
    }

    fn teams(&self, claims: Value<'_>, said: &mut Claims) -> Result<BTreeSet<String>, JwtDenied> {
        let mut teams = BTreeSet::new();
        if let Some(path) = &self.team_id_jwt_field
            && let Some(team) = path.find(claims)
        {
            let team = id(team).ok_or_else(|| lacks(path))?;
            said.team_id = Some(self.own(&team));
            teams.insert(self.own(&team));
        }
        if let Some(path) = &self.team_ids_jwt_field
            && let Some(several) = path.find(claims)
        {
            let several = ids(several)
                .filter(|several| several.len() <= MOST_TEAMS)
                .ok_or_else(|| lacks(path))?;
            teams.extend(several.iter().map(|team| self.own(team)));
        }
        let fields = [&self.team_id_jwt_field, &self.team_ids_jwt_field];
        match fields.into_iter().flatten().next() {
            Some(path) if teams.is_empty() && !self.team_optional => Err(lacks(path)),
            _ => Ok(teams),
        }
    }

    /// The scopes, where they mean anything.
    fn scopes(&self, claims: Value<'_>) -> BTreeSet<String> {
        if self.admin_jwt_scope.is_none() && self.scope_mappings.is_empty() {
            return BTreeSet::new();
        }
        scopes(claims)
    }

    fn role(&self, claims: Value<'_>, scopes: &BTreeSet<String>) -> Option<Role> {
        let administers = |admin: &String| scopes.contains(admin);
        if self.admin_jwt_scope.as_ref().is_some_and(administers) {
            return Some(Role::ProxyAdmin);
        }
        let roles = self
            .user_roles_jwt_field
            .as_ref()
            .and_then(|path| ids(path.find(claims)?))
            .unwrap_or_default();
        let mapped = self
            .role_mappings
            .iter()
            .find(|mapping| roles.contains(&mapping.role))
            .map(|mapping| mapping.internal_role);
        if self.roles_of_accounts {
            mapped
        } else {
            mapped.or(Some(Role::InternalUser))
        }
    }

    fn models(&self, claims: Value<'_>, scopes: &BTreeSet<String>) -> Result<Models, JwtDenied> {
        let mut models = Models::All;
        if !self.scope_mappings.is_empty() {
            let held = self
                .scope_mappings
                .iter()
                .filter(|mapping| scopes.contains(&mapping.scope));
            models = Models::Only(held.flat_map(|mapping| mapping.models.clone()).collect());
        }
        if let Some(path) = &self.models_jwt_field {
            let named = path.find(claims).and_then(ids).ok_or_else(|| lacks(path))?;
            models = narrow::models(&models, &Models::Only(named));
        }
        Ok(models)
    }
}

impl Said {
    /// Who calls, for the team that the request picks.
    pub(super) fn claims(&self, picked: Option<&str>) -> Result<Claims, JwtDenied> {
        let mut claims = self.claims.clone();
        match picked {
            Some(picked) => {
                // As the token names it, or as it is known here.
                let known = format!("{}{picked}", self.prefix);
                let team = [picked, known.as_str()]
                    .into_iter()
                    .find(|team| self.teams.contains(*team));
                claims.team_id = Some(team.ok_or(JwtDenied::Team)?.to_owned());
            }
            None if claims.team_id.is_none() => {
                if self.teams.len() > 1 {
                    return Err(JwtDenied::Teams);
                }
                claims.team_id = self.teams.first().cloned();
            }
            None => {}
        }
        Ok(claims)
    }
}

/// The public name of a bearer: the same for the same subject of the same issuer, and nothing of either.
fn name_of(issuer: &str, subject: &str) -> String {
    let digest = Sha256::new_with_prefix(LABEL)
        .chain_update(issuer)
        .chain_update([0])
        .chain_update(subject)
        .finalize();
    // At every token: half of what the formatting of numbers would take.
    let digits = digest
        .iter()
        .take(16)
        .flat_map(|byte| [byte >> 4, byte & 15]);
    let hex = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
    "jwt:".chars().chain(hex).collect()
}

fn required(path: &ClaimPath, claims: Value<'_>) -> Result<String, JwtDenied> {
    path.find(claims).and_then(id).ok_or_else(|| lacks(path))
}

fn lacks(path: &ClaimPath) -> JwtDenied {
    JwtDenied::Claim(path.as_str().into())
}

/// A text that may name something.
fn id(value: Value<'_>) -> Option<String> {
    let text = value.text()?;
    let fits = !text.is_empty() && text.len() <= LONGEST_ID && !text.chars().any(char::is_control);
    fits.then(|| text.into_owned())
}

/// One name, or an array of nothing but names.
fn ids(value: Value<'_>) -> Option<Vec<String>> {
    match value.kind() {
        Kind::String => Some(vec![id(value)?]),
        Kind::Array => value.items().map(id).collect(),
        _ => None,
    }
}

/// RFC 8693, 4.2: names with spaces between. Some issuers write an array, or `scp`.
fn scopes(claims: Value<'_>) -> BTreeSet<String> {
    let mut scopes = BTreeSet::new();
    for claim in ["scope", "scp"] {
        let Some(value) = claims.get(claim) else {
            continue;
        };
        match value.kind() {
            Kind::String => {
                let text = value.text().unwrap_or_default();
                scopes.extend(text.split_ascii_whitespace().map(str::to_owned));
            }
            _ => scopes.extend(value.items().filter_map(id)),
        }
    }
    scopes
}

/// Leaves out every value.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said").finish_non_exhaustive()
    }
}
