//! What claims mean.

#![cfg(feature = "jwt")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod idp;

use bartizan_auth::Claims;
use bartizan_auth::jwt::{Algorithm, ClaimMap, JwtDenied, RoleMapping, ScopeMapping};
use bartizan_core::{Models, Role};
use idp::{Idp, Signer, clock, issuer, with};
use serde_json::{Value, json};

/// What a token with these claims says under this map.
async fn said(map: &ClaimMap, changes: Value, team: Option<&str>) -> Result<Claims, JwtDenied> {
    let signer = Signer::new("k", Algorithm::EdDsa);
    let issuer = issuer(&[Algorithm::EdDsa]).claims(map.clone());
    let jwt = Idp::new(&[signer.jwk()])
        .with(issuer, &clock())
        .build()
        .unwrap();
    jwt.verify(&signer.token(&with(changes)), team).await
}

fn map(edit: impl FnOnce(&mut ClaimMap)) -> ClaimMap {
    let mut map = ClaimMap::default();
    edit(&mut map);
    map
}

fn lacks(path: &str) -> JwtDenied {
    JwtDenied::Claim(path.into())
}

#[tokio::test]
async fn by_default_a_token_makes_an_internal_user_whatever_it_claims() {
    let claims = json!({
        "role": "proxy_admin", "roles": ["proxy_admin", "admin"], "user_role": "proxy_admin", "scope": "litellm_proxy_admin proxy_admin",
        "groups": ["admins"], "team_id": "t", "organization_id": "o", "models": ["*"], "key_id": "master_key",
    });
    let said = said(&ClaimMap::default(), claims, None).await.unwrap();
    assert_eq!(said.role, Some(Role::InternalUser));
    assert_eq!(said.user_id.as_deref(), Some("u-1"));
    assert_eq!((said.team_id, said.organization_id), (None, None));
    assert!(said.key_id.starts_with("jwt:"));
}

#[tokio::test]
async fn a_role_is_what_the_configuration_makes_of_it() {
    let map = map(|map| {
        map.user_roles_jwt_field = Some("resource_access.bartizan.roles".parse().unwrap());
        map.role_mappings = vec![
            RoleMapping::new("auditor", Role::ProxyAdminViewer),
            RoleMapping::new("root", Role::ProxyAdmin),
        ];
        map.admin_jwt_scope = Some("llm:admin".to_owned());
    });
    let roles = |roles: Value| json!({"resource_access": {"bartizan": {"roles": roles}}});
    let internal = Role::InternalUser;
    for (claims, role) in [
        (json!({}), internal),
        (roles(json!([])), internal),
        (roles(json!(["proxy_admin"])), internal),
        (roles(json!(["ROOT"])), internal),
        (roles(json!("root")), Role::ProxyAdmin),
        (roles(json!(["x", "root"])), Role::ProxyAdmin),
        // The order is the configuration's, not the token's.
        (roles(json!(["root", "auditor"])), Role::ProxyAdminViewer),
        (roles(json!([["root"]])), internal),
        (roles(json!({"root": true})), internal),
        (
            json!({"resource_access.bartizan.roles": ["root"]}),
            internal,
        ),
        (json!({"scope": "openid llm:admin"}), Role::ProxyAdmin),
        (json!({"scp": ["llm:admin"]}), Role::ProxyAdmin),
        (
            json!({"scope": "llm:admins xllm:admin llm:Admin"}),
            internal,
        ),
        (json!({"scope": {"llm:admin": 1}}), internal),
    ] {
        assert_eq!(
            said(&map, claims.clone(), None).await.unwrap().role,
            Some(role),
            "{claims}"
        );
    }
    let mut of_accounts = map;
    of_accounts.roles_of_accounts = true;
    assert_eq!(
        said(&of_accounts, json!({}), None).await.unwrap().role,
        None
    );
}

#[tokio::test]
async fn a_team_is_one_that_the_token_names() {
    let several = map(|map| map.team_ids_jwt_field = Some("groups".parse().unwrap()));
    let one = map(|map| map.team_id_jwt_field = Some("team".parse().unwrap()));
    let both = map(|map| {
        map.team_id_jwt_field = Some("team".parse().unwrap());
        map.team_ids_jwt_field = Some("groups".parse().unwrap());
    });
    let optional = map(|map| {
        map.team_ids_jwt_field = Some("groups".parse().unwrap());
        map.team_optional = true;
    });
    let ab = || json!({"groups": ["a", "b"]});
    let team = |id: &str| Ok(Some(id.to_owned()));
    let table = [
        (&several, ab(), Some("b"), team("b")),
        (&several, ab(), Some("c"), Err(JwtDenied::Team)),
        (&several, ab(), Some(""), Err(JwtDenied::Team)),
        (&several, ab(), Some("A"), Err(JwtDenied::Team)),
        (&several, ab(), None, Err(JwtDenied::Teams)),
        (&several, json!({"groups": ["a"]}), None, team("a")),
        (&several, json!({"groups": ["a", "a"]}), None, team("a")),
        (&several, json!({"groups": "a"}), None, team("a")),
        (&several, json!({"groups": []}), None, Err(lacks("groups"))),
        (&several, json!({}), None, Err(lacks("groups"))),
        (&several, json!({}), Some("a"), Err(lacks("groups"))),
        (
            &several,
            json!({"groups": ["a", ""]}),
            None,
            Err(lacks("groups")),
        ),
        (
            &several,
            json!({"groups": ["a", {"b": 1}]}),
            None,
            Err(lacks("groups")),
        ),
        (
            &several,
            json!({"groups": null}),
            None,
            Err(lacks("groups")),
        ),
        (&one, json!({"team": "a"}), None, team("a")),
        (&one, json!({"team": "a"}), Some("b"), Err(JwtDenied::Team)),
        (&one, json!({"team": ["a"]}), None, Err(lacks("team"))),
        (&one, json!({}), None, Err(lacks("team"))),
        (
            &both,
            json!({"team": "a", "groups": ["b", "c"]}),
            None,
            team("a"),
        ),
        (
            &both,
            json!({"team": "a", "groups": ["b", "c"]}),
            Some("c"),
            team("c"),
        ),
        (&both, ab(), None, Err(JwtDenied::Teams)),
        (&optional, json!({}), None, Ok(None)),
        (&optional, json!({}), Some("a"), Err(JwtDenied::Team)),
        // Without a field for teams, no header gives one.
        (&ClaimMap::default(), ab(), Some("a"), Err(JwtDenied::Team)),
    ];
    for (map, claims, picked, expected) in table {
        let team = said(map, claims.clone(), picked)
            .await
            .map(|said| said.team_id);
        assert_eq!(team, expected, "{claims} {picked:?}");
    }
    let many: Vec<String> = (0..513).map(|number| format!("g{number}")).collect();
    let fits = said(&several, json!({"groups": many[..512]}), Some("g7")).await;
    assert_eq!(fits.unwrap().team_id.as_deref(), Some("g7"));
    assert_eq!(
        said(&several, json!({"groups": many}), Some("g7")).await,
        Err(lacks("groups"))
    );
}

#[tokio::test]
async fn models_are_those_of_scopes_and_claims_that_both_open() {
    let scoped = map(|map| {
        map.scope_mappings = vec![
            ScopeMapping::new("chat", ["gpt-4o".to_owned(), "claude-*".to_owned()]),
            ScopeMapping::new("cheap", ["gpt-4o-mini".to_owned()]),
        ];
    });
    let mut scoped_and_named = scoped.clone();
    scoped_and_named.models_jwt_field = Some("models".parse().unwrap());
    let named = map(|map| map.models_jwt_field = Some("models".parse().unwrap()));
    let only = |names: &[&str]| {
        Ok(Models::Only(
            names.iter().map(|&name| name.to_owned()).collect(),
        ))
    };
    let table = [
        (
            &scoped,
            json!({"scope": "openid chat"}),
            only(&["gpt-4o", "claude-*"]),
        ),
        (
            &scoped,
            json!({"scp": ["cheap", "chat"]}),
            only(&["gpt-4o", "claude-*", "gpt-4o-mini"]),
        ),
        (&scoped, json!({"scope": "openid"}), only(&[])),
        (&scoped, json!({}), only(&[])),
        (&named, json!({"models": ["gpt-4o"]}), only(&["gpt-4o"])),
        (&named, json!({"models": []}), only(&[])),
        (&named, json!({}), Err(lacks("models"))),
        (&named, json!({"models": 5}), Err(lacks("models"))),
        (
            &scoped_and_named,
            json!({"scope": "chat", "models": ["claude-haiku", "o3"]}),
            only(&["claude-haiku"]),
        ),
        (&scoped_and_named, json!({"models": ["gpt-4o"]}), only(&[])),
        (
            &ClaimMap::default(),
            json!({"models": ["gpt-4o"]}),
            Ok(Models::All),
        ),
    ];
    for (map, claims, expected) in table {
        let models = said(map, claims.clone(), None)
            .await
            .map(|said| said.models);
        assert_eq!(models, expected, "{claims}");
    }
}

#[tokio::test]
async fn an_email_domain_is_the_whole_domain_of_a_verified_address() {
    let map = map(|map| map.user_allowed_email_domain = Some("example.com".to_owned()));
    for (claims, expected) in [
        (json!({"email": "a@example.com"}), Ok(())),
        (
            json!({"email": "a@EXAMPLE.com", "email_verified": true}),
            Ok(()),
        ),
        (
            json!({"email": "a@example.com", "email_verified": "true"}),
            Ok(()),
        ),
        (
            json!({"email": "a@example.com", "email_verified": false}),
            Err(JwtDenied::Domain),
        ),
        (
            json!({"email": "a@example.com", "email_verified": "false"}),
            Err(JwtDenied::Domain),
        ),
        (
            json!({"email": "a@example.com", "email_verified": null}),
            Err(JwtDenied::Domain),
        ),
        (
            json!({"email": "a@evil-example.com"}),
            Err(JwtDenied::Domain),
        ),
        (
            json!({"email": "a@example.com.evil.org"}),
            Err(JwtDenied::Domain),
        ),
        (
            json!({"email": "a@example.com@evil.org"}),
            Err(JwtDenied::Domain),
        ),
        (json!({"email": "example.com"}), Err(JwtDenied::Domain)),
        (json!({"email": ["a@example.com"]}), Err(lacks("email"))),
        (json!({}), Err(lacks("email"))),
    ] {
        assert_eq!(
            said(&map, claims.clone(), None).await.map(|_| ()),
            expected,
            "{claims}"
        );
    }
}

#[tokio::test]
async fn organisations_users_and_end_users_come_from_the_paths_configured() {
    let map = map(|map| {
        map.user_id_jwt_field = r"https://example\.com/user.id".parse().unwrap();
        map.org_id_jwt_field = Some("tenant.id".parse().unwrap());
        map.team_ids_jwt_field = Some("groups".parse().unwrap());
        map.end_user_id_jwt_field = Some("act.sub".parse().unwrap());
        map.id_prefix = "okta:".to_owned();
    });
    let whole = json!({
        "https://example.com/user": {"id": "zoë"}, "tenant": {"id": "acme"}, "groups": ["a", "b"], "act": {"sub": "customer-7"},
    });
    let claims = said(&map, whole.clone(), Some("b")).await.unwrap();
    assert_eq!(claims.user_id.as_deref(), Some("okta:zoë"));
    assert_eq!(claims.organization_id.as_deref(), Some("okta:acme"));
    assert_eq!(claims.team_id.as_deref(), Some("okta:b"));
    assert_eq!(
        claims.metadata.get("end_user_id").map(String::as_str),
        Some("customer-7")
    );
    let known = said(&map, whole.clone(), Some("okta:a")).await.unwrap();
    assert_eq!(known.team_id.as_deref(), Some("okta:a"));

    for (name, path) in [
        ("https://example.com/user", r"https://example\.com/user.id"),
        ("tenant", "tenant.id"),
    ] {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(said(&map, without, Some("a")).await, Err(lacks(path)));
    }
    let mut without = whole;
    without.as_object_mut().unwrap().remove("act");
    assert!(
        said(&map, without, Some("a"))
            .await
            .unwrap()
            .metadata
            .is_empty()
    );
}

#[tokio::test]
async fn the_public_name_of_a_bearer_is_one_a_subject() {
    let map = ClaimMap::default();
    let name = async |claims| said(&map, claims, None).await.unwrap().key_id;
    let (one, again) = (name(json!({})).await, name(json!({"jti": "other"})).await);
    assert_eq!(one, again);
    assert_ne!(one, name(json!({"sub": "u-2"})).await);
    assert_eq!(one.len(), "jwt:".len() + 32);
}

#[test]
fn paths_of_claims_are_read_or_refused() {
    use bartizan_auth::jwt::ClaimPath;
    for wrong in ["", ".", "a.", ".a", "a..b", "\\"] {
        assert!(wrong.parse::<ClaimPath>().is_err(), "{wrong}");
    }
    for right in ["a", "a.b.c", r"a\.b", r"\\", "cognito:groups"] {
        assert_eq!(right.parse::<ClaimPath>().unwrap().to_string(), right);
    }
}
