//! Which claims mean what, in LiteLLM's words where it has one.

use bartizan::auth::jwt::{ClaimMap, ClaimPath, RoleMapping, ScopeMapping};
use bartizan::core::Role;

use crate::config::field::Field;
use crate::config::read::Section;

/// Reads a mapping of claims. `foreign` are words that are known and mean nothing here.
pub(super) fn read(mut section: Section<'_>, foreign: &[&str]) -> ClaimMap {
    let mut map = ClaimMap::default();
    if let Some(path) = path(&mut section, "user_id_jwt_field") {
        map.user_id_jwt_field = path;
    }
    map.user_email_jwt_field = path(&mut section, "user_email_jwt_field");
    map.user_allowed_email_domain = text(&mut section, "user_allowed_email_domain");
    map.team_id_jwt_field = path(&mut section, "team_id_jwt_field");
    map.team_ids_jwt_field = path(&mut section, "team_ids_jwt_field");
    map.team_optional = flag(&mut section, "team_optional");
    map.org_id_jwt_field = path(&mut section, "org_id_jwt_field");
    map.end_user_id_jwt_field = path(&mut section, "end_user_id_jwt_field");
    map.models_jwt_field = path(&mut section, "models_jwt_field");
    map.admin_jwt_scope = text(&mut section, "admin_jwt_scope");
    map.id_prefix = text(&mut section, "id_prefix").unwrap_or_default();
    map.roles_of_accounts = flag(&mut section, "roles_of_accounts");
    roles(&mut section, &mut map);
    scopes(&mut section, &mut map);
    let always = "what no role and no scope opens is closed here anyway";
    for (name, why) in [
        ("enforce_rbac", always),
        ("enforce_scope_based_access", always),
        ("user_id_upsert", "a user needs no record here"),
        ("team_id_upsert", "a team needs no record here"),
    ] {
        if let Some(field) = section.take(name)
            && field.boolean() == Some(false)
        {
            field.fail(format!("only true is possible: {why}"));
        }
    }
    section.finish(foreign);
    map
}

fn roles(section: &mut Section<'_>, map: &mut ClaimMap) {
    map.user_roles_jwt_field = path(section, "user_roles_jwt_field");
    // LiteLLM has two words for the place, and we one meaning.
    if let Some(field) = section.take("roles_jwt_field") {
        if map.user_roles_jwt_field.is_some() {
            field.fail("`user_roles_jwt_field` says it already: keep one");
        }
        map.user_roles_jwt_field = claim(&field);
    }
    let Some(field) = section.take("role_mappings") else {
        return;
    };
    if map.user_roles_jwt_field.is_none() {
        field.fail("in which claim are the roles? name it in `user_roles_jwt_field`");
    }
    let known = Role::ALL.map(|role| (role.as_str(), role));
    for item in field.list() {
        let Some(mut section) = item.section() else {
            continue;
        };
        let theirs = section.need("role").and_then(|field| named(&field));
        let ours = section
            .need("internal_role")
            .and_then(|field| field.one_of(&known));
        section.finish(&[]);
        if let (Some(theirs), Some(ours)) = (theirs, ours) {
            map.role_mappings.push(RoleMapping::new(theirs, ours));
        }
    }
}

fn scopes(section: &mut Section<'_>, map: &mut ClaimMap) {
    let Some(field) = section.take("scope_mappings") else {
        return;
    };
    for item in field.list() {
        let Some(mut section) = item.section() else {
            continue;
        };
        let scope = section.need("scope").and_then(|field| named(&field));
        let models = section.need("models").map(|field| field.texts());
        section.finish(&["routes"]);
        if let (Some(scope), Some(models)) = (scope, models) {
            let models = models.into_iter().map(|(_, model)| model);
            map.scope_mappings.push(ScopeMapping::new(scope, models));
        }
    }
}

fn path(section: &mut Section<'_>, name: &'static str) -> Option<ClaimPath> {
    claim(&section.take(name)?)
}

fn claim(field: &Field<'_>) -> Option<ClaimPath> {
    match field.text()?.parse() {
        Ok(path) => Some(path),
        Err(error) => {
            let error: bartizan::auth::ConfigError = error;
            field.fail(error.to_string());
            None
        }
    }
}

fn text(section: &mut Section<'_>, name: &'static str) -> Option<String> {
    named(&section.take(name)?)
}

/// A text that may not be empty: an empty scope or domain would be everybody's.
fn named(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    if text.is_empty() {
        field.fail("this can't be empty");
        return None;
    }
    Some(text)
}

fn flag(section: &mut Section<'_>, name: &'static str) -> bool {
    let field = section.take(name);
    field.and_then(|field| field.boolean()).unwrap_or(false)
}
