//! Callers that are known by something other than a key.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::{
    AccountChange, AccountId, AccountKind, AccountRequest, AuthLayer, Claims, Denied, KeyRequest,
    Keys, Member, MemoryStore, Outside, StoreError,
};
use bartizan_core::{Body, Models, Principal, Role};
use http::Request;
use http::request::Parts;
use support::inside::{CHAT, Inside, code, mint, post};
use support::{Fault, FaultyStore, MASTER, admin, clock, keys, master};

/// Knows tokens that begin with its name: `NAME.user.team`, and writes down what it was asked.
#[derive(Clone)]
struct Issuer {
    name: &'static str,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Issuer {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Outside for Issuer {
    async fn claims(
        &self,
        parts: &Parts,
        credential: Option<&str>,
    ) -> Result<Option<Claims>, Denied> {
        assert!(!parts.headers.contains_key("authorization"));
        self.asked
            .lock()
            .unwrap()
            .push(credential.map(str::to_owned));
        let certificate = parts.headers.get("x-test-certificate");
        let text = certificate.map_or(credential, |value| value.to_str().ok());
        let Some(rest) = text.and_then(|text| text.strip_prefix(self.name)) else {
            return Ok(None);
        };
        let parts: Vec<&str> = rest.split('.').collect();
        match parts.as_slice() {
            ["", user, team] => {
                let mut claims = Claims::new(format!("{}:{user}", self.name));
                claims.user_id = Some((*user).to_owned());
                claims.team_id = (!team.is_empty()).then(|| (*team).to_owned());
                Ok(Some(claims))
            }
            ["", "late"] => Err(Denied::Unchecked(StoreError::unavailable(
                "no keys from the issuer",
            ))),
            ["", "old"] => Err(Denied::Expired),
            _ => Err(Denied::Unknown),
        }
    }
}

#[tokio::test]
async fn each_credential_is_known_by_one() {
    let keys = keys(MemoryStore::new(), &clock());
    let key = mint(&keys, |_| ()).await;
    let (one, two) = (Issuer::new("one"), Issuer::new("two"));
    let layer = AuthLayer::new(keys)
        .master_key(master())
        .master_key_may_call_models()
        .outside(one.clone())
        .outside(two.clone());
    let inside = Inside::default();
    for (bearer, status, name, asked) in [
        ("one.robin.search", 200, "one:robin", (1, 0)),
        ("two.robin.", 200, "two:robin", (1, 1)),
        (MASTER, 200, "master_key", (1, 1)),
        // Its own, and not good: nobody else is asked, though another would know it.
        ("one.old", 401, "expired_key", (1, 0)),
        ("one.late", 503, "auth_unavailable", (1, 0)),
        ("one.?", 401, "invalid_api_key", (1, 0)),
        ("nobody's", 401, "invalid_api_key", (1, 1)),
        // What claims to be a virtual key is shown to nobody else.
        (&key, 200, "", (0, 0)),
        ("sk-bz-one", 401, "invalid_api_key", (0, 0)),
    ] {
        let before = (one.asked(), two.asked());
        let calls = inside.calls();
        let response = inside.send(&layer, post(bearer.as_bytes(), CHAT)).await;
        assert_eq!(response.status().as_u16(), status, "{bearer}");
        assert_eq!(
            (one.asked() - before.0, two.asked() - before.1),
            asked,
            "{bearer}"
        );
        assert_eq!(inside.calls() - calls, usize::from(status == 200));
        if status != 200 {
            assert_eq!(code(&response), name);
        } else if !name.is_empty() {
            let parts = inside.last();
            assert_eq!(parts.extensions.get::<Principal>().unwrap().key_id(), name);
        }
    }
    // Something else than a header of keys may tell.
    let ask = |certificate: Option<&str>| {
        let mut request = Request::post("/v1/chat/completions");
        if let Some(certificate) = certificate {
            request = request.header("x-test-certificate", certificate);
        }
        request.body(Body::from(CHAT)).unwrap()
    };
    assert_eq!(
        inside
            .send(&layer, ask(Some("two.kim.search")))
            .await
            .status(),
        200
    );
    assert_eq!(one.asked.lock().unwrap().last().unwrap(), &None);
    let response = inside.send(&layer, ask(None)).await;
    assert_eq!(
        (response.status().as_u16(), code(&response)),
        (401, "invalid_api_key")
    );
    // A broken header is no missing one.
    let mut broken = ask(Some("two.kim.search"));
    broken
        .headers_mut()
        .insert("authorization", "Basic azpr".parse().unwrap());
    assert_eq!(inside.send(&layer, broken).await.status(), 401);
}

async fn world(keys: &Keys) {
    for (kind, id) in [
        (AccountKind::Organization, "acme"),
        (AccountKind::Team, "search"),
        (AccountKind::User, "robin"),
        (AccountKind::User, "kim"),
    ] {
        let mut request = AccountRequest::of(AccountId::new(kind, id));
        if kind == AccountKind::Team {
            request.organization_id = Some("acme".into());
            request.members = vec![Member {
                user_id: "robin".into(),
                role: Role::TeamAdmin,
            }];
            request.rights.bounds.limits.rpm = Some(9);
            request.rights.guardrails = ["pii".to_owned()].into();
        }
        if id == "kim" {
            request.role = Some(Role::InternalUserViewer);
        }
        keys.create_account(&admin(), request).await.unwrap();
    }
}

fn claims(user: &str, edit: impl FnOnce(&mut Claims)) -> Claims {
    let mut claims = Claims::new(format!("jwt:{user}"));
    claims.user_id = Some(user.to_owned());
    claims.team_id = Some("search".to_owned());
    edit(&mut claims);
    claims
}

#[tokio::test]
async fn its_accounts_bind_it_as_they_bind_a_key() {
    let keys = keys(MemoryStore::new(), &clock());
    world(&keys).await;
    let role = async |claims: Claims| keys.principal_of(claims).await.unwrap().role();
    for (claimed, robin, kim, stranger) in [
        (
            None,
            Role::TeamAdmin,
            Role::InternalUserViewer,
            Role::InternalUser,
        ),
        (
            Some(Role::ProxyAdmin),
            Role::TeamAdmin,
            Role::InternalUserViewer,
            Role::ProxyAdmin,
        ),
        (
            Some(Role::InternalUser),
            Role::InternalUser,
            Role::InternalUserViewer,
            Role::InternalUser,
        ),
    ] {
        assert_eq!(
            role(claims("robin", |claims| claims.role = claimed)).await,
            robin
        );
        assert_eq!(
            role(claims("kim", |claims| claims.role = claimed)).await,
            kim
        );
        assert_eq!(
            role(claims("nobody", |claims| claims.role = claimed)).await,
            stranger
        );
    }
    // An administrator of one team is none of another.
    let elsewhere = claims("robin", |claims| claims.team_id = Some("sales".into()));
    assert_eq!(role(elsewhere).await, Role::InternalUser);

    let principal = keys.principal_of(claims("robin", |_| ())).await.unwrap();
    assert_eq!(principal.organization_id(), Some("acme"));
    assert_eq!(principal.guardrails(), ["pii"]);
    let levels: Vec<(&str, &str)> = principal
        .scopes()
        .iter()
        .map(|scope| (scope.level.as_str(), scope.id.as_str()))
        .collect();
    assert_eq!(
        levels,
        [
            ("organization", "acme"),
            ("team", "search"),
            ("user", "robin"),
            ("key", "jwt:robin")
        ]
    );

    for (kind, id) in [
        (AccountKind::Organization, "acme"),
        (AccountKind::Team, "search"),
        (AccountKind::User, "robin"),
    ] {
        let id = AccountId::new(kind, id);
        keys.set_account_blocked(&admin(), &id, true).await.unwrap();
        let denied = keys.principal_of(claims("robin", |_| ())).await;
        assert!(
            matches!(denied, Err(Denied::BlockedAccount(found)) if found == kind),
            "{denied:?}"
        );
        keys.set_account_blocked(&admin(), &id, false)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn claims_are_remembered_for_a_while_and_never_taken_for_others() {
    let (store, clock) = (FaultyStore::new(MemoryStore::new()), clock());
    let keys = keys(store.clone(), &clock);
    world(&keys).await;
    let mine = || claims("robin", |_| ());
    let first = keys.principal_of(mine()).await.unwrap();
    store.fail(Fault::Accounts);
    assert_eq!(keys.principal_of(mine()).await.unwrap(), first);
    // Each differs in one field, and was never looked up.
    let only = |name: &str| Models::Only(vec![name.to_owned()]);
    let others = [
        claims("robin", |claims| claims.key_id.push('x')),
        claims("robin", |claims| claims.user_id = None),
        claims("robin", |claims| claims.team_id = None),
        claims("robin", |claims| {
            claims.organization_id = Some("acme".into())
        }),
        claims("robin", |claims| claims.key_alias = Some(String::new())),
        claims("robin", |claims| claims.role = Some(Role::InternalUser)),
        claims("robin", |claims| claims.models = only("o3")),
        claims("robin", |claims| claims.models = Models::Only(Vec::new())),
        claims("robin", |claims| claims.limits.rpm = Some(1)),
        claims("robin", |claims| claims.tags = vec!["x".into()]),
        claims("robin", |claims| {
            drop(claims.metadata.insert("x".into(), String::new()))
        }),
    ];
    for other in others {
        let shown = format!("{other:?}");
        let denied = keys.principal_of(other).await;
        assert!(matches!(denied, Err(Denied::Unchecked(_))), "{shown}");
    }
    clock.advance(Duration::from_secs(30));
    assert!(matches!(
        keys.principal_of(mine()).await,
        Err(Denied::Unchecked(_))
    ));
    store.fail(Fault::None);
    keys.principal_of(mine()).await.unwrap();

    // A change is seen at once.
    let mut change = AccountChange::default();
    change.rights.models = Some(only("o3"));
    let team = AccountId::new(AccountKind::Team, "search");
    keys.update_account(&admin(), &team, change, None)
        .await
        .unwrap();
    assert_eq!(
        keys.principal_of(mine()).await.unwrap().models(),
        &only("o3")
    );
}

#[tokio::test]
async fn whoever_is_known_otherwise_mints_within_its_accounts() {
    let keys = keys(MemoryStore::new(), &clock());
    world(&keys).await;
    let robin = keys.principal_of(claims("robin", |_| ())).await.unwrap();
    let mut wish = KeyRequest::default();
    wish.role = Some(Role::ProxyAdmin);
    wish.user_id = Some("robin".into());
    let minted = keys.generate(&robin, wish).await.unwrap().record;
    assert_eq!(minted.role, Role::TeamAdmin);
    assert_eq!(minted.created_by, "jwt:robin");
    assert_eq!(minted.rights.bounds.limits.rpm, Some(9));
    assert!(minted.rights.guardrails.contains("pii"));
    assert_eq!(
        (minted.team_id.as_deref(), minted.organization_id.as_deref()),
        (Some("search"), Some("acme"))
    );
    // A viewer mints nothing.
    let kim = keys.principal_of(claims("kim", |_| ())).await.unwrap();
    assert!(keys.generate(&kim, KeyRequest::default()).await.is_err());
}
