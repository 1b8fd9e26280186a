//! What a key is let in for: what it is for, from where, whereto, for which models, and in which accounts.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use bartizan_auth::{
    AccountChange, AccountId, AccountKind, AccountRequest, Addresses, AuthLayer, Error, KeyChange,
    KeyRequest, Keys, MemoryStore, Routes,
};
use bartizan_core::{Body, ClientIp, KeyType, MatchedRoute, Models, Principal, Refusal};
use http::{Method, Request};
use secrecy::ExposeSecret;
use support::inside::{CHAT, Inside, code, mint, post};
use support::{MASTER, admin, clock, keys, master};

fn only(names: &[&str]) -> Models {
    Models::Only(names.iter().map(|name| (*name).to_owned()).collect())
}

async fn account(keys: &Keys, kind: AccountKind, id: &str, edit: impl FnOnce(&mut AccountRequest)) {
    let mut request = AccountRequest::of(AccountId::new(kind, id));
    edit(&mut request);
    keys.create_account(&admin(), request).await.unwrap();
}

/// Sends it, and gives the code of the refusal, or `200`.
async fn said(inside: &Inside, layer: &AuthLayer, request: Request<Body>) -> &'static str {
    let before = inside.calls();
    let response = inside.send(layer, request).await;
    match response.extensions().get::<Refusal>() {
        Some(refusal) => {
            assert_eq!(inside.calls(), before, "refused, and called all the same");
            refusal.code()
        }
        None => "200",
    }
}

#[tokio::test]
async fn a_guardrail_that_nobody_runs_is_refused_when_asked_for_and_when_met() {
    let store = MemoryStore::new();
    let with = |names: &[&str]| {
        Keys::builder(store.clone(), support::pepper())
            .clock(clock())
            .guardrails(names.iter().map(|name| (*name).to_owned()))
            .build()
    };
    let named = |name: &str| -> std::collections::BTreeSet<String> { [name.to_owned()].into() };
    let keys = with(&["pii"]);
    let unknown = |refused: Result<(), Error>| {
        let field = matches!(refused, Err(Error::Invalid { field, .. }) if field == "guardrails");
        assert!(field, "{refused:?}");
    };

    let mut wish = KeyRequest::default();
    wish.guardrails = named("pij");
    unknown(keys.generate(&admin(), wish).await.map(drop));
    let mut request = AccountRequest::of(AccountId::new(AccountKind::Team, "t"));
    request.rights.guardrails = named("pij");
    unknown(keys.create_account(&admin(), request).await.map(drop));

    let mut wish = KeyRequest::default();
    wish.guardrails = named("pii");
    let minted = keys.generate(&admin(), wish).await.unwrap();
    account(&keys, AccountKind::Team, "t", |_| ()).await;
    let mut change = KeyChange::default();
    change.rights.guardrails = Some(named("pij"));
    let key_id = minted.record.key_id.as_str();
    unknown(keys.update(&admin(), key_id, change, None).await.map(drop));
    let mut change = AccountChange::default();
    change.rights.guardrails = Some(named("pij"));
    let team = AccountId::new(AccountKind::Team, "t");
    unknown(
        keys.update_account(&admin(), &team, change, None)
            .await
            .map(drop),
    );

    // The guardrail was taken out of the configuration since.
    let inside = Inside::default();
    let call = || post(minted.key.expose_secret().as_bytes(), CHAT);
    assert_eq!(said(&inside, &AuthLayer::new(keys), call()).await, "200");
    let without = AuthLayer::new(with(&[]));
    assert_eq!(
        said(&inside, &without, call()).await,
        "guardrail_not_configured"
    );
}

#[tokio::test]
async fn a_key_opens_what_it_is_for() {
    let keys = keys(MemoryStore::new(), &clock());
    let mut of_type = Vec::new();
    for key_type in KeyType::ALL {
        of_type.push(mint(&keys, |request| request.key_type = Some(key_type)).await);
    }
    let master_key = MASTER.to_owned();
    let (refused, no) = ("key_type_not_allowed", "invalid_api_key");
    let new = || AuthLayer::new(keys.clone());
    // default, llm_api, management, read_only, the master key
    for (layer, expected) in [
        (new(), ["200", "200", refused, refused, no]),
        (
            new().for_models().master_key(master()),
            ["200", "200", refused, refused, refused],
        ),
        (
            new().master_key(master()).master_key_may_call_models(),
            ["200", "200", refused, refused, "200"],
        ),
        (
            new().for_management().master_key(master()),
            ["200", refused, "200", "200", "200"],
        ),
        (new().for_any().master_key(master()), ["200"; 5]),
        (new().for_any(), ["200", "200", "200", "200", no]),
    ] {
        let inside = Inside::default();
        for (key, expected) in of_type.iter().chain([&master_key]).zip(expected) {
            assert_eq!(
                said(&inside, &layer, post(key.as_bytes(), CHAT)).await,
                expected,
                "{layer:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_key_bound_to_paths_is_let_in_by_no_other_spelling_of_one() {
    let keys = keys(MemoryStore::new(), &clock());
    let bound = mint(&keys, |request| {
        request.routes = Routes::Only(vec![
            "/v1/chat/completions".to_owned(),
            "/v1/models*".to_owned(),
        ]);
    })
    .await;
    let everything = mint(&keys, |request| {
        request.routes = Routes::Only(vec!["*".to_owned()])
    })
    .await;
    let none = mint(&keys, |request| request.routes = Routes::Only(Vec::new())).await;
    let layer = AuthLayer::new(keys);
    let inside = Inside::default();
    let ask = |key: &str, path: &str, matched: Option<&str>| {
        let mut request = post(key.as_bytes(), CHAT);
        *request.uri_mut() = path.parse().unwrap();
        if let Some(pattern) = matched {
            request
                .extensions_mut()
                .insert(MatchedRoute(pattern.into()));
        }
        request
    };
    for path in [
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/gpt-4o",
        "/v1/models?x=/v1/embeddings",
    ] {
        assert_eq!(
            said(&inside, &layer, ask(&bound, path, None)).await,
            "200",
            "{path}"
        );
    }
    for path in [
        "/v1/embeddings",
        "/v1/chat/completions/",
        "/V1/chat/completions",
        "/v1/chat/completions/../../embeddings",
        "/v1/models/../embeddings",
        "/v1/models/./x",
        "/v1/models/%2e%2e/embeddings",
        "/v1/%6dodels",
        "/v1/models%2f..%2fembeddings",
        "/v1//models",
        "//v1/models",
        "/v1/models;x=1",
        "/v1/models//x",
        "/",
    ] {
        assert_eq!(
            said(&inside, &layer, ask(&bound, path, None)).await,
            "route_not_allowed",
            "{path}"
        );
    }
    for path in ["/v1/%6dodels", "/v1//models", "/v1/../x"] {
        // Not even by a pattern that any path fits.
        assert_eq!(
            said(&inside, &layer, ask(&everything, path, None)).await,
            "route_not_allowed",
            "{path}"
        );
    }
    assert_eq!(
        said(&inside, &layer, ask(&none, "/v1/models", None)).await,
        "route_not_allowed"
    );

    // Where somebody routed, the route counts and the path does not.
    let (pattern, other) = (Some("/v1/chat/completions"), Some("/v1/embeddings"));
    assert_eq!(
        said(&inside, &layer, ask(&bound, "/elsewhere/%2e", pattern)).await,
        "200"
    );
    assert_eq!(
        said(&inside, &layer, ask(&bound, "/v1/models", other)).await,
        "route_not_allowed"
    );
}

#[tokio::test]
async fn a_key_bound_to_addresses_is_used_from_nowhere_else() {
    let keys = keys(MemoryStore::new(), &clock());
    let ranges = ["192.0.2.0/24", "2001:db8::/32"];
    let bound = mint(&keys, |request| {
        request.addresses =
            Addresses::Only(ranges.iter().map(|range| range.parse().unwrap()).collect());
    })
    .await;
    let none = mint(&keys, |request| {
        request.addresses = Addresses::Only(Vec::new())
    })
    .await;
    let free = mint(&keys, |_| ()).await;
    let layer = AuthLayer::new(keys);
    let inside = Inside::default();
    let ask = |key: &str, from: Option<&str>| {
        let mut request = post(key.as_bytes(), CHAT);
        if let Some(from) = from {
            request
                .extensions_mut()
                .insert(ClientIp(from.parse().unwrap()));
        }
        // What anybody can write counts for nothing.
        request
            .headers_mut()
            .insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
        request
            .headers_mut()
            .insert("forwarded", "for=192.0.2.1".parse().unwrap());
        request
    };
    let refused = "address_not_allowed";
    for (key, from, expected) in [
        (&bound, Some("192.0.2.1"), "200"),
        (&bound, Some("::ffff:192.0.2.1"), "200"),
        (&bound, Some("2001:db8::1"), "200"),
        (&bound, Some("192.0.3.1"), refused),
        (&bound, Some("::1"), refused),
        (&bound, Some("127.0.0.1"), refused),
        (&bound, None, refused),
        (&none, Some("192.0.2.1"), refused),
        (&none, None, refused),
        (&free, Some("203.0.113.9"), "200"),
        (&free, None, "200"),
    ] {
        assert_eq!(
            said(&inside, &layer, ask(key, from)).await,
            expected,
            "{from:?}"
        );
    }
}

#[tokio::test]
async fn an_alias_is_another_name_and_no_way_around_the_models() {
    let keys = keys(MemoryStore::new(), &clock());
    let aliases = [
        ("fast", "gpt-4o-mini"),
        ("best", "o3"),
        ("gpt-4o-mini", "gpt-4o"),
    ];
    let edit = |request: &mut KeyRequest| {
        request.aliases = aliases
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .into();
    };
    let bound = mint(&keys, |request| {
        edit(request);
        request.models = Some(only(&["gpt-4o", "gpt-4o-mini", "fast", "best"]));
    })
    .await;
    let free = mint(&keys, edit).await;
    let layer = AuthLayer::new(keys);
    let inside = Inside::default();
    let ask = |key: &str, model: &str| {
        post(
            key.as_bytes(),
            &format!(r#"{{ "model" : "{model}" ,"messages":[]}}"#),
        )
    };
    for (key, model, expected, named) in [
        (&bound, "fast", "200", "gpt-4o-mini"),
        // One step, never two.
        (&bound, "gpt-4o-mini", "200", "gpt-4o"),
        (&bound, "gpt-4o", "200", "gpt-4o"),
        // The list names the alias; the model counts.
        (&bound, "best", "model_not_allowed", ""),
        (&bound, "o3", "model_not_allowed", ""),
        (&free, "best", "200", "o3"),
        (&free, "anything", "200", "anything"),
    ] {
        assert_eq!(
            said(&inside, &layer, ask(key, model)).await,
            expected,
            "{model}"
        );
        if expected == "200" {
            assert_eq!(
                inside.said(),
                format!(r#"{{ "model" : "{named}" ,"messages":[]}}"#)
            );
        }
    }
    // Where the path names the model, the path is what is changed.
    for (path, expected, changed) in [
        (
            "/v1beta/models/fast:generateContent?alt=sse",
            "200",
            "/v1beta/models/gpt-4o-mini:generateContent?alt=sse",
        ),
        (
            "/model/fast/converse-stream",
            "200",
            "/model/gpt-4o-mini/converse-stream",
        ),
        (
            "/v1beta/models/best:generateContent",
            "model_not_allowed",
            "",
        ),
        (
            "/v1beta/models/f%61st:generateContent",
            "alias_not_possible",
            "",
        ),
    ] {
        let mut request = post(bound.as_bytes(), r#"{"contents":[],"messages":[]}"#);
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(said(&inside, &layer, request).await, expected, "{path}");
        if expected == "200" {
            assert_eq!(inside.last().uri, changed);
        }
    }
}

#[tokio::test]
async fn a_blocked_account_closes_every_key_in_it_and_says_so() {
    let keys = keys(MemoryStore::new(), &clock());
    account(&keys, AccountKind::Organization, "acme", |_| ()).await;
    account(&keys, AccountKind::Team, "search", |request| {
        request.organization_id = Some("acme".into())
    })
    .await;
    account(&keys, AccountKind::User, "robin", |_| ()).await;
    let key = mint(&keys, |request| {
        request.team_id = Some("search".into());
        request.user_id = Some("robin".into());
    })
    .await;
    let layer = AuthLayer::new(keys.clone());
    let inside = Inside::default();
    for (kind, id, expected) in [
        (AccountKind::Organization, "acme", "blocked_organization"),
        (AccountKind::Team, "search", "blocked_team"),
        (AccountKind::User, "robin", "blocked_user"),
    ] {
        let id = AccountId::new(kind, id);
        assert_eq!(
            said(&inside, &layer, post(key.as_bytes(), CHAT)).await,
            "200"
        );
        keys.set_account_blocked(&admin(), &id, true).await.unwrap();
        let response = inside.send(&layer, post(key.as_bytes(), CHAT)).await;
        assert_eq!(
            (response.status().as_u16(), code(&response)),
            (403, expected)
        );
        keys.set_account_blocked(&admin(), &id, false)
            .await
            .unwrap();
    }
    let team = AccountId::new(AccountKind::Team, "search");
    keys.delete_account(&admin(), &team).await.unwrap();
    assert_eq!(
        said(&inside, &layer, post(key.as_bytes(), CHAT)).await,
        "revoked_key"
    );
    // Nobody takes the name, and nothing is minted under it.
    let again = keys
        .create_account(&admin(), AccountRequest::of(team))
        .await;
    assert!(matches!(again, Err(Error::Store(_))), "{again:?}");
    let mut request = KeyRequest::default();
    request.team_id = Some("search".into());
    let minted = keys.generate(&admin(), request).await;
    assert!(
        matches!(
            minted,
            Err(Error::Invalid {
                field: "team_id",
                ..
            })
        ),
        "{minted:?}"
    );
}

#[tokio::test]
async fn what_an_account_lays_down_binds_its_keys_at_once_and_whenever_it_was_made() {
    let keys = keys(MemoryStore::new(), &clock());
    let key = mint(&keys, |request| {
        request.team_id = Some("search".into());
        request.models = Some(only(&["gpt-*", "o3"]));
    })
    .await;
    let layer = AuthLayer::new(keys.clone());
    let inside = Inside::default();
    assert_eq!(
        said(&inside, &layer, post(key.as_bytes(), CHAT)).await,
        "200"
    );
    // The key is cached; its organisation and its team get records afterwards.
    account(&keys, AccountKind::Organization, "acme", |request| {
        request.rights.models = only(&["gpt-4o", "o3"])
    })
    .await;
    account(&keys, AccountKind::Team, "search", |request| {
        request.organization_id = Some("acme".into());
        request.rights.routes = Routes::Only(vec!["/v1/chat/*".to_owned()]);
        request.rights.bounds.limits.rpm = Some(7);
    })
    .await;
    assert_eq!(
        said(&inside, &layer, post(key.as_bytes(), CHAT)).await,
        "200"
    );
    let principal = inside.last().extensions.get::<Principal>().unwrap().clone();
    assert_eq!(principal.models(), &only(&["gpt-4o", "o3"]));
    assert_eq!(principal.organization_id(), Some("acme"));
    let levels: Vec<&str> = principal
        .scopes()
        .iter()
        .map(|scope| scope.level.as_str())
        .collect();
    assert_eq!(levels, ["organization", "team", "key"]);
    assert_eq!(principal.scopes()[1].bounds.limits.rpm, Some(7));
    let mini = r#"{"model":"gpt-4o-mini","messages":[]}"#;
    assert_eq!(
        said(&inside, &layer, post(key.as_bytes(), mini)).await,
        "model_not_allowed"
    );
    let mut elsewhere = post(key.as_bytes(), CHAT);
    *elsewhere.uri_mut() = "/v1/responses".parse().unwrap();
    assert_eq!(said(&inside, &layer, elsewhere).await, "route_not_allowed");

    let mut change = AccountChange::default();
    change.rights.models = Some(only(&["o3"]));
    let acme = AccountId::new(AccountKind::Organization, "acme");
    keys.update_account(&admin(), &acme, change, None)
        .await
        .unwrap();
    assert_eq!(
        said(&inside, &layer, post(key.as_bytes(), CHAT)).await,
        "model_not_allowed"
    );
    // What generates nothing needs no model, as before.
    let mut looks = post(key.as_bytes(), "");
    *looks.method_mut() = Method::GET;
    assert_eq!(said(&inside, &layer, looks).await, "200");
}
