//! What the layer promises on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::convert::Infallible;
use std::time::Duration;

use bartizan_auth::{AuthLayer, KeyRequest, Keys, MemoryStore, RequireRoleLayer, VirtualKey};
use bartizan_core::{Body, Dialect, Identity, Models, Principal, Refusal, Role, Trail};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use support::inside::{CHAT, Inside, code, mint, post};
use support::{Fault, FaultyStore, MASTER, admin, clock, keys, master};
use tower::{Layer, ServiceExt, service_fn};

async fn text(response: Response<Body>) -> String {
    String::from_utf8(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec(),
    )
    .unwrap()
}

#[tokio::test]
async fn who_is_let_in_is_known_inside_and_the_key_stays_outside() {
    let keys = keys(MemoryStore::new(), &clock());
    let key = mint(&keys, |request| request.team_id = Some("search".into())).await;
    let layer = AuthLayer::new(keys)
        .master_key(master())
        .master_key_may_call_models();
    let inside = Inside::default();
    let trail = Trail::new();
    let mut request = post(key.as_bytes(), CHAT);
    request
        .headers_mut()
        .insert("x-api-key", HeaderValue::from_str(&key).unwrap());
    request.extensions_mut().insert(trail.clone());
    assert_eq!(inside.send(&layer, request).await.status(), 200);
    let parts = inside.last();
    let principal = parts.extensions.get::<Principal>().unwrap();
    assert_eq!(
        (principal.team_id(), principal.role()),
        (Some("search"), Role::InternalUser)
    );
    assert_eq!(trail.principal().as_ref(), Some(principal));
    assert!(
        !format!("{:?}", parts.headers).contains(&key[10..30]),
        "the key goes on to the provider"
    );
    assert!(
        parts.headers.get("authorization").is_none() && parts.headers.get("x-api-key").is_none()
    );

    assert_eq!(
        inside
            .send(&layer, post(MASTER.as_bytes(), CHAT))
            .await
            .status(),
        200
    );
    assert_eq!(
        inside.last().extensions.get::<Principal>().unwrap().role(),
        Role::ProxyAdmin
    );
}

#[tokio::test]
async fn hostile_bearers_reach_neither_the_store_nor_the_service() {
    let store = FaultyStore::new(MemoryStore::new());
    let layer = AuthLayer::new(keys(store.clone(), &clock()))
        .master_key(master())
        .master_key_may_call_models();
    let inside = Inside::default();
    let good = VirtualKey::generate().unwrap().expose_secret().to_owned();
    let long = "A".repeat(100_000);
    // What lies in the store, however it is written.
    let minted = keys(store.inner.clone(), &clock())
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap();
    let digest = minted.record.digest.as_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let hostile: Vec<Vec<u8>> = [
        "' OR '1'='1' --",
        "sk-bz-'; DROP TABLE keys; --",
        "sk-1234",
        "null",
        "undefined",
        "*",
        "%",
        "../../etc/passwd",
        "${jndi:ldap://x}",
        "{{7*7}}",
        &long,
        &format!("sk-bz-{long}"),
        &format!("{good}' OR 1=1"),
        &format!("{good} {good}"),
        &format!("{good}\tx"),
        &good[..54],
        &hex,
        &hex.to_uppercase(),
        &format!("sk-{hex}"),
        &format!("sk-bz-{hex}"),
        &format!("sk-bz-{}", &hex[..49]),
        minted.record.key_id.as_str(),
        &good.replace("sk-bz-", "sk-bz-0"),
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        b"sk-bz-\xff\xfe".to_vec(),
        "sk-bz-ключ".as_bytes().to_vec(),
        b"\xc0\x80".to_vec(),
        digest.to_vec(),
        Vec::new(),
    ])
    // The digest's own bytes may hold some that no header can.
    .filter(|bearer| HeaderValue::from_bytes(bearer).is_ok())
    .collect();
    for bearer in hostile {
        let response = inside.send(&layer, post(&bearer, CHAT)).await;
        assert_eq!(
            response.status(),
            401,
            "{}",
            bearer[..bearer.len().min(60)].escape_ascii()
        );
        assert_eq!(code(&response), "invalid_api_key");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let body = text(response).await;
        assert!(
            bearer.len() < 8 || !body.contains(&*String::from_utf8_lossy(&bearer[..8])),
            "echoed: {body}"
        );
    }
    // A NUL, a line end and a folded line can't be in a header at all.
    for bearer in [&b"a\0b"[..], b"a\r\n b", b"a\nb"] {
        assert!(HeaderValue::from_bytes(bearer).is_err());
    }
    assert_eq!((inside.calls(), store.lookups()), (0, 0));
    // Well formed and unknown: the store is asked, by its digest.
    assert_eq!(
        inside
            .send(&layer, post(good.as_bytes(), CHAT))
            .await
            .status(),
        401
    );
    assert_eq!((inside.calls(), store.lookups()), (0, 1));
}

#[tokio::test]
async fn a_request_without_a_key_is_told_how_to_send_one() {
    let layer = AuthLayer::master_key_only(master());
    let inside = Inside::default();
    for path in [
        "/v1/chat/completions",
        "/v1/models",
        "/health",
        "/",
        "//v1/models",
        "/v1/%6dodels",
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = inside.send(&layer, request).await;
        assert_eq!(response.status(), 401, "{path}");
        assert!(
            text(response)
                .await
                .contains("Authorization: Bearer YOUR_KEY")
        );
    }
    let basic = Request::get("/v1/models")
        .header("authorization", "Basic azpr")
        .body(Body::empty())
        .unwrap();
    assert_eq!(inside.send(&layer, basic).await.status(), 401);
    assert_eq!(inside.calls(), 0);
}

#[tokio::test]
async fn two_keys_that_differ_are_refused_though_both_are_good() {
    let keys = keys(MemoryStore::new(), &clock());
    let (one, two) = (mint(&keys, |_| ()).await, mint(&keys, |_| ()).await);
    let layer = AuthLayer::new(keys);
    let inside = Inside::default();
    let mut request = post(one.as_bytes(), CHAT);
    request
        .headers_mut()
        .insert("api-key", HeaderValue::from_str(&two).unwrap());
    assert_eq!(inside.send(&layer, request).await.status(), 401);
    assert_eq!(inside.calls(), 0);
}

#[tokio::test]
async fn every_bad_standing_has_its_own_answer() {
    let clock = clock();
    let keys = keys(MemoryStore::new(), &clock);
    let (revoked, blocked) = (mint(&keys, |_| ()).await, mint(&keys, |_| ()).await);
    let expired = mint(&keys, |request| {
        request.duration = Some("1s".parse().unwrap())
    })
    .await;
    let layer = AuthLayer::new(keys.clone())
        .master_key(master())
        .master_key_may_call_models();
    let inside = Inside::default();
    for key in [&revoked, &blocked, &expired] {
        assert_eq!(
            inside
                .send(&layer, post(key.as_bytes(), CHAT))
                .await
                .status(),
            200
        );
    }
    keys.revoke(&admin(), &revoked).await.unwrap();
    keys.set_blocked(&admin(), &blocked, true).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let before = inside.calls();
    for (key, status, named) in [
        (&revoked, 401, "revoked_key"),
        (&blocked, 403, "blocked_key"),
        (&expired, 401, "expired_key"),
    ] {
        let trail = Trail::new();
        let mut request = post(key.as_bytes(), CHAT);
        request.extensions_mut().insert(trail.clone());
        let response = inside.send(&layer, request).await;
        assert_eq!(
            (response.status().as_u16(), code(&response)),
            (status, named)
        );
        assert_eq!(response.headers()["x-should-retry"], "false");
        assert_eq!(trail.notes().len(), 1);
        assert!(trail.principal().is_none());
    }
    assert_eq!(inside.calls(), before);
}

#[tokio::test]
async fn no_failure_of_the_store_ends_in_a_principal() {
    for fault in [
        Fault::Error,
        Fault::Hang,
        Fault::OthersKey,
        Fault::Accounts,
        Fault::Elders,
    ] {
        let memory = MemoryStore::new();
        let others = keys(memory.clone(), &clock())
            .generate(&admin(), KeyRequest::default())
            .await
            .unwrap()
            .record;
        let store = FaultyStore::new(memory).answering(others);
        let keys = keys(store.clone(), &clock());
        // One with all that there is to look up: an account, and a key that it was minted with.
        let elder = mint(&keys, |request| request.team_id = Some("search".into())).await;
        let elder = keys.verify(&elder).await.unwrap();
        let minted = keys.generate(&elder, KeyRequest::default()).await.unwrap();
        let key = minted.key.expose_secret().to_owned();
        let layer = AuthLayer::new(keys)
            .master_key(master())
            .master_key_may_call_models();
        let inside = Inside::default();
        store.fail(fault);
        let response = inside.send(&layer, post(key.as_bytes(), CHAT)).await;
        assert_eq!(
            (response.status().as_u16(), code(&response)),
            (503, "auth_unavailable"),
            "{fault:?}"
        );
        assert!(response.headers().contains_key("retry-after"));
        assert_eq!(inside.calls(), 0);
        // The master key needs no store.
        assert_eq!(
            inside
                .send(&layer, post(MASTER.as_bytes(), CHAT))
                .await
                .status(),
            200
        );
    }
}

#[tokio::test]
async fn an_identity_from_outside_is_not_believed() {
    let layer = AuthLayer::master_key_only(master());
    let inside = Inside::default();
    let forged = Principal::assume_verified(Identity::new("forged").role(Role::ProxyAdmin));
    let mut request = Request::get("/v1/models").body(Body::empty()).unwrap();
    request.extensions_mut().insert(forged);
    assert_eq!(inside.send(&layer, request).await.status(), 401);
}

#[tokio::test]
async fn a_key_calls_its_own_models_only() {
    let keys = keys(MemoryStore::new(), &clock());
    let only = |names: &[&str]| Models::Only(names.iter().map(|name| (*name).to_owned()).collect());
    let bound = mint(&keys, |request| {
        request.models = Some(only(&["gpt-4o", "claude-*"]))
    })
    .await;
    let none = mint(&keys, |request| request.models = Some(only(&[]))).await;
    let all = mint(&keys, |_| ()).await;
    let layer = AuthLayer::new(keys);
    let inside = Inside::default();
    let grpc = |request: &mut Request<Body>| {
        request
            .headers_mut()
            .insert("content-type", HeaderValue::from_static("application/grpc"));
    };
    type Edit<'a> = &'a dyn Fn(&mut Request<Body>);
    let nothing: Edit<'_> = &|_| ();
    let cases: Vec<(&str, &str, Edit<'_>, u16)> = vec![
        (&bound, CHAT, nothing, 200),
        (
            &bound,
            r#"{"model":"claude-haiku-4-5"}"#,
            &|request| *request.uri_mut() = "/v1/messages".parse().unwrap(),
            200,
        ),
        (
            &bound,
            r#"{"model":"gpt-4o-mini","messages":[]}"#,
            nothing,
            403,
        ),
        (&bound, r#"{"model":"GPT-4O","messages":[]}"#, nothing, 403),
        (&bound, r#"{"messages":[]}"#, nothing, 403),
        (&bound, r#"{"model":null,"messages":[]}"#, nothing, 403),
        (
            &bound,
            r#"{"model":["gpt-4o"],"messages":[]}"#,
            nothing,
            400,
        ),
        // Two readers, two models: refused before anybody asks which.
        (
            &bound,
            r#"{"model":"gpt-4o","model":"o3","messages":[]}"#,
            nothing,
            400,
        ),
        (
            &bound,
            r#"{"model":"gpt-4o","Model":"o3","messages":[]}"#,
            nothing,
            400,
        ),
        (&bound, "not json", nothing, 400),
        (&bound, CHAT, &grpc, 403),
        (
            &bound,
            CHAT,
            &|request| *request.uri_mut() = "/v1/files".parse().unwrap(),
            403,
        ),
        (
            &bound,
            CHAT,
            &|request| *request.method_mut() = http::Method::PUT,
            403,
        ),
        (
            &bound,
            "",
            &|request| *request.method_mut() = http::Method::DELETE,
            403,
        ),
        (
            &bound,
            "",
            &|request| *request.method_mut() = http::Method::GET,
            200,
        ),
        (&none, CHAT, nothing, 403),
        (&all, r#"{"model":"anything","messages":[]}"#, nothing, 200),
        (&all, "not json", nothing, 200),
        (&all, CHAT, &grpc, 200),
    ];
    for (number, (key, body, edit, status)) in cases.into_iter().enumerate() {
        let before = inside.calls();
        let mut request = post(key.as_bytes(), body);
        edit(&mut request);
        let is_grpc = request.headers().contains_key("content-type");
        let response = inside.send(&layer, request).await;
        let got = match response.extensions().get::<Refusal>() {
            Some(refusal) => refusal.kind().status(Dialect::OpenAiChat),
            None => response.status(),
        };
        assert_eq!(got.as_u16(), status, "case {number}: {body}");
        assert_eq!(
            inside.calls() - before,
            usize::from(status == 200),
            "case {number}"
        );
        if status == 403 {
            assert_eq!(code(&response), "model_not_allowed");
            if is_grpc {
                assert_eq!(response.headers()["grpc-status"], "7");
            } else {
                let body = text(response).await;
                assert!(
                    body.contains("key_model_access_denied") && !body.contains("mini"),
                    "{body}"
                );
            }
        }
    }
}

#[tokio::test]
async fn refusals_speak_the_callers_dialect() {
    let layer = AuthLayer::master_key_only(master());
    let inside = Inside::default();
    let anthropic = Request::post("/v1/messages")
        .header("x-api-key", "wrong")
        .body(Body::from("{}"))
        .unwrap();
    let response = inside.send(&layer, anthropic).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let body: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["error"]["type"], "authentication_error");
    let response = inside.send(&layer, post(b"wrong", CHAT)).await;
    let body: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["error"]["code"], "invalid_api_key");
}

#[tokio::test]
async fn only_the_role_that_is_required_passes() {
    let keys = keys(MemoryStore::new(), &clock());
    let member = mint(&keys, |_| ()).await;
    let layer = AuthLayer::new(keys)
        .master_key(master())
        .master_key_may_call_models();
    let echo = || {
        service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) })
    };
    for (role, key, status) in [
        (Role::ProxyAdmin, MASTER, 200),
        (Role::ProxyAdmin, member.as_str(), 403),
        (Role::InternalUser, MASTER, 200),
        (Role::InternalUser, member.as_str(), 200),
    ] {
        let service = layer.layer(RequireRoleLayer::new(role).layer(echo()));
        assert_eq!(
            service
                .oneshot(post(key.as_bytes(), CHAT))
                .await
                .unwrap()
                .status()
                .as_u16(),
            status
        );
    }
    let alone = RequireRoleLayer::new(Role::InternalUser).layer(echo());
    assert_eq!(
        alone
            .oneshot(post(MASTER.as_bytes(), CHAT))
            .await
            .unwrap()
            .status(),
        401
    );
}

#[test]
fn nothing_shows_a_secret() {
    let layer = AuthLayer::new(Keys::new(MemoryStore::new(), support::pepper()))
        .master_key(master())
        .master_key_may_call_models();
    let shown = format!("{layer:?}");
    assert!(
        !shown.contains(&MASTER[3..12]) && !shown.contains(&support::PEPPER[..8]),
        "{shown}"
    );
}
