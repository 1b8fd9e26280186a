//! Tokens of an identity provider that runs beside the gateway.

use std::time::Duration;

use bartizan_testkit::{MockProvider, Script};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http::{Answer, ask};
use crate::issuer::{Issuer, Signer, b64, now};
use crate::process::{Gateway, MASTER, Start, chat, config};

async fn call(gateway: &Gateway, token: &str, model: &str) -> Answer {
    let body = chat(model, "x", "");
    gateway
        .ask_as(token, "POST", "/v1/chat/completions", &body)
        .await
}

#[tokio::test]
async fn a_token_of_a_configured_issuer_calls_models_and_manages_what_its_claims_say() {
    let (mock, issuer, signer) = (
        MockProvider::start(Script::echo()).await.unwrap(),
        Issuer::start().await,
        Signer::new("one"),
    );
    issuer.publish(&[&signer]);
    let own = format!(
        "bartizan:\n  jwt:\n    issuers:\n    - issuer: '{}'\n      audience: gateway\n      algorithms: [ES256]\n      claims: {{team_ids_jwt_field: groups, user_roles_jwt_field: realm.roles, role_mappings: [{{role: operator, internal_role: proxy_admin}}], models_jwt_field: models, team_optional: true}}",
        issuer.url
    );
    let gateway = Start::with(config(&mock, &own)).run();
    let token = |more: Value| {
        let mut claims = json!({"models": ["gpt"]});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        issuer.token(&signer, &claims)
    };
    let robin = token(json!({"groups": ["search"]}));
    assert_eq!(call(&gateway, &robin, "gpt").await.status, 200);
    let refused = call(&gateway, &robin, "other").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "model_not_allowed")
    );
    // Roles are those that are mapped, for management as for models.
    let minted = gateway.ask_as(&robin, "POST", "/team/new", "{}").await;
    assert_eq!(minted.status, 403, "{minted:?}");
    let operator = token(json!({"sub": "op", "realm": {"roles": ["operator"]}}));
    let made = gateway
        .ask_as(&operator, "POST", "/team/new", r#"{"team_id":"search"}"#)
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let unmapped = token(json!({"sub": "x", "realm": {"roles": ["proxy_admin"]}}));
    assert_eq!(
        gateway
            .ask_as(&unmapped, "POST", "/team/new", "{}")
            .await
            .status,
        403
    );
    // A team that is blocked closes its tokens.
    let block = gateway
        .ask_as(&operator, "POST", "/team/block", r#"{"team_id":"search"}"#)
        .await;
    assert_eq!(block.status, 200, "{block:?}");
    assert_eq!(call(&gateway, &robin, "gpt").await.code(), "blocked_team");
    // Of several teams the request picks one.
    let both = token(json!({"groups": ["a", "b"]}));
    assert_eq!(call(&gateway, &both, "gpt").await.code(), "team_not_picked");
    let authorization = format!("Bearer {both}");
    for (team, status) in [("a", 200), ("c", 403)] {
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-litellm-team-id", team),
        ];
        let body = chat("gpt", "x", "");
        let answer = ask(
            gateway.address,
            "POST",
            "/v1/chat/completions",
            &headers,
            &body,
        )
        .await;
        assert_eq!(answer.status, status, "{team}: {answer:?}");
    }
    // Keys go on beside it, and no token reaches a provider.
    assert_eq!(gateway.chat("gpt", "x").await.status, 200);
    for received in mock.requests() {
        let sent = format!("{received:?}");
        assert!(
            !sent.contains(robin.split('.').next().unwrap()) && !sent.contains("x-litellm-team-id"),
            "{sent}"
        );
    }
}

#[tokio::test]
async fn every_token_that_is_not_wholly_right_is_refused() {
    let (mock, issuer, signer) = (
        MockProvider::start(Script::echo()).await.unwrap(),
        Issuer::start().await,
        Signer::new("one"),
    );
    issuer.publish(&[&signer]);
    // LiteLLM's own words and variables.
    let general = "enable_jwt_auth: true, litellm_jwtauth: {admin_jwt_scope: admin}";
    let file = config(&mock, "").replace(
        &format!("{{master_key: {MASTER}}}"),
        &format!("{{master_key: {MASTER}, {general}}}"),
    );
    let start = |file: &str| {
        Start::with(file)
            .env("JWT_ISSUER", &issuer.url)
            .env("JWT_AUDIENCE", "gateway")
            .env("JWT_PUBLIC_KEY_URL", &format!("{}/keys", issuer.url))
    };
    let gateway = start(&file).run();
    let good = issuer.token(&signer, &json!({}));
    assert_eq!(call(&gateway, &good, "gpt").await.status, 200);
    let admin = issuer.token(&signer, &json!({"scope": "x admin"}));
    assert_eq!(
        gateway
            .ask_as(&admin, "POST", "/key/generate", "{}")
            .await
            .status,
        200
    );
    let now = now();
    let forger = Signer::new("one");
    let (head, rest) = good.split_once('.').unwrap();
    let none = format!(
        "{}.{}.",
        b64(r#"{"alg":"none"}"#),
        rest.split('.').next().unwrap()
    );
    for (what, token) in [
        ("another's signature", issuer.token(&forger, &json!({}))),
        ("no signature", none),
        (
            "a changed head",
            format!(
                "{}.{rest}",
                b64(r#"{"alg":"ES256","kid":"one","typ":"JWT","x":1}"#)
            ),
        ),
        (
            "HMAC",
            format!("{}.{rest}", b64(r#"{"alg":"HS256","kid":"one"}"#)),
        ),
        (
            "another issuer",
            issuer.token(&signer, &json!({"iss": "https://idp.example"})),
        ),
        (
            "another audience",
            issuer.token(&signer, &json!({"aud": "mail"})),
        ),
        ("no audience", issuer.token(&signer, &json!({"aud": null}))),
        (
            "its time is over",
            issuer.token(&signer, &json!({"exp": now - 120})),
        ),
        ("no end", issuer.token(&signer, &json!({"exp": null}))),
        ("not yet", issuer.token(&signer, &json!({"nbf": now + 600}))),
        ("cut", good[..good.len() - 1].to_owned()),
        (
            "two parts",
            format!("{head}.{}", rest.split('.').next().unwrap()),
        ),
    ] {
        for (path, body) in [
            ("/v1/chat/completions", chat("gpt", "x", "")),
            ("/key/generate", "{}".to_owned()),
        ] {
            let answer = gateway.ask_as(&token, "POST", path, &body).await;
            let status = if what.starts_with("no ") && what != "no signature" {
                403
            } else {
                401
            };
            assert_eq!(answer.status, status, "{what}: {answer:?}");
        }
    }
    let asked = issuer.asked();
    assert!(
        asked
            .iter()
            .all(|head| !head.to_ascii_lowercase().contains("authorization")
                && !head.contains(&good)),
        "{asked:?}"
    );
    // A redirect is not followed, and a document without end is not read.
    for path in ["moved", "vast", "nowhere"] {
        let keys = format!("{}/{path}", issuer.url);
        let gateway = start(&file).env("JWT_PUBLIC_KEY_URL", &keys).run();
        let before = issuer.asked().len();
        let refused = call(&gateway, &good, "gpt").await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (503, "auth_unavailable"),
            "{path}: {refused:?}"
        );
        let asked = issuer.asked()[before..].join("");
        assert!(!asked.contains("GET /keys "), "{path}: {asked}");
    }
}

#[tokio::test]
async fn keys_are_had_before_anybody_asks_and_a_new_one_is_found() {
    let (mock, issuer) = (
        MockProvider::start(Script::echo()).await.unwrap(),
        Issuer::start().await,
    );
    let (one, two) = (Signer::new("one"), Signer::new("two"));
    issuer.publish(&[&one]);
    let own = format!(
        "bartizan: {{jwt: {{issuers: [{{issuer: '{}', audience: gateway, algorithms: [ES256]}}]}}}}",
        issuer.url
    );
    let gateway = Start::with(config(&mock, &own)).run();
    // Had before anybody asks.
    let began = Instant::now();
    while issuer.asked().len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(10), "nobody fetches");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        call(&gateway, &issuer.token(&one, &json!({})), "gpt")
            .await
            .status,
        200
    );
    issuer.publish(&[&one, &two]);
    // The issuer is asked again once in 30 seconds at most.
    let token = issuer.token(&two, &json!({}));
    let began = Instant::now();
    while call(&gateway, &token, "gpt").await.status != 200 {
        assert!(
            began.elapsed() < Duration::from_secs(45),
            "the new key is not found"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn keys_outlive_their_issuer_as_long_as_told_and_not_longer() {
    let (mock, issuer, signer) = (
        MockProvider::start(Script::echo()).await.unwrap(),
        Issuer::start().await,
        Signer::new("one"),
    );
    issuer.publish(&[&signer]);
    let own = format!(
        "bartizan: {{jwt: {{issuers: [{{issuer: '{}', audience: gateway, algorithms: [ES256], public_key_ttl: 30s, public_key_stale_ttl: 4s}}]}}}}",
        issuer.url
    );
    let gateway = Start::with(config(&mock, &own)).run();
    let token = issuer.token(&signer, &json!({}));
    assert_eq!(call(&gateway, &token, "gpt").await.status, 200);
    let (began, most) = (Instant::now(), Duration::from_secs(35));
    issuer.fails(true);
    let refused = loop {
        let answer = call(&gateway, &token, "gpt").await;
        if answer.status != 200 {
            break answer;
        }
        assert!(began.elapsed() < most, "they are believed for good");
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    assert!(
        began.elapsed() > Duration::from_secs(28),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "auth_unavailable")
    );
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    // Keys of the gateway's own go on, and so do tokens once the issuer is back.
    assert_eq!(gateway.chat("gpt", "x").await.status, 200);
    issuer.fails(false);
    let began = Instant::now();
    while call(&gateway, &token, "gpt").await.status != 200 {
        assert!(began.elapsed() < most, "tokens are refused for good");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn an_issuer_is_asked_over_tls_by_the_authorities_that_are_told_of_it() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let ((issuer, pem), signer) = (Issuer::start_tls().await, Signer::new("one"));
    issuer.publish(&[&signer]);
    let (_, another) = Issuer::start_tls().await;
    let files = tempfile::tempdir().unwrap();
    let token = issuer.token(&signer, &json!({}));
    for (ca, status) in [(Some(pem), 200), (Some(another), 503), (None, 503)] {
        let word = ca.map(|pem| {
            let path = files.path().join("ca.pem");
            std::fs::write(&path, pem).unwrap();
            format!(", ca: '{}'", path.display())
        });
        let own = format!(
            "bartizan: {{jwt: {{issuers: [{{issuer: '{}', audience: gateway, algorithms: [ES256]{}}}]}}}}",
            issuer.url,
            word.unwrap_or_default()
        );
        let gateway = Start::with(config(&mock, &own)).run();
        let answer = call(&gateway, &token, "gpt").await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

/// A name that is found at a private address is not gone to, unless it is named.
#[tokio::test]
async fn an_issuer_on_a_private_network_is_met_where_it_is_named_alone() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let issuers = "jwt: {issuers: [{issuer: 'http://idp.internal:8080', audience: a}]}";
    let (code, said) = Start::with(config(&mock, &format!("bartizan: {{{issuers}}}"))).fails();
    assert!(
        code == 2 && said.contains("allow_private_upstreams"),
        "{said}"
    );
    let named =
        format!("bartizan: {{allow_private_upstreams: ['http://idp.internal:8080'], {issuers}}}");
    drop(Start::with(config(&mock, &named)).run());
}
