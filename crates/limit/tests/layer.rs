//! What the layer promises on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::time::Duration;

use bartizan_core::{Identity, Limits, Principal, Refusal, RefusalKind, Role, Trail};
use support::{Answer, Setup, chat, key, request, setup, text, told};

#[tokio::test]
async fn every_answer_tells_where_the_limits_stand_in_openais_words() {
    let setup = setup(|layer| layer);
    let key = key("k", Some(3), Some(1_000));
    let response = setup
        .call(&key, &chat(r#","max_tokens":50"#), &Answer::usage(100, 20))
        .await;
    let headers = response.headers();
    let expected = [
        ("x-ratelimit-limit-requests", "3"),
        ("x-ratelimit-remaining-requests", "2"),
        ("x-ratelimit-reset-requests", "1m1s"),
        ("x-ratelimit-limit-tokens", "1000"),
        ("x-ratelimit-remaining-tokens", "850"),
        ("x-ratelimit-reset-tokens", "1m1s"),
    ];
    for (name, value) in expected {
        assert_eq!(told(headers, name), Some(value), "{name}");
        assert_eq!(
            headers.get_all(name).iter().count(),
            1,
            "the provider's {name} stays"
        );
    }
    assert!(text(response).await.contains(r#""completion_tokens":20"#));
    assert_eq!(setup.left(&key).await, 880, "settled to what was used");
}

#[tokio::test]
async fn where_no_limit_applies_the_answer_is_left_alone() {
    let setup = setup(|layer| layer);
    let body = chat("");
    let response = setup
        .call(&key("k", None, None), &body, &Answer::usage(1, 1))
        .await;
    assert_eq!(
        told(response.headers(), "x-ratelimit-limit-tokens"),
        Some("999999")
    );
    assert_eq!(
        told(response.headers(), "x-ratelimit-remaining-requests"),
        None
    );
    // Where only requests are limited, the provider's word on tokens goes all the same: it is the gateway's, not the caller's.
    let response = setup
        .call(&key("r", Some(9), None), &body, &Answer::usage(1, 1))
        .await;
    assert_eq!(told(response.headers(), "x-ratelimit-limit-tokens"), None);
    assert_eq!(
        told(response.headers(), "x-ratelimit-reset-requests"),
        Some("1m1s")
    );
}

#[tokio::test]
async fn the_request_over_the_limit_is_refused_and_told_when_to_come_back() {
    let setup = setup(|layer| layer);
    let key = key("k", Some(2), None);
    let body = chat("");
    for _ in 0..2 {
        assert_eq!(
            setup.call(&key, &body, &Answer::usage(1, 1)).await.status(),
            200
        );
    }
    setup.clock.advance(Duration::from_millis(500));
    let trail = Trail::new();
    let mut over = request(Some(&key), &body);
    over.extensions_mut().insert(trail.clone());
    let response = setup.send(over, &Answer::Never).await.unwrap();
    assert_eq!(response.status(), 429);
    let headers = response.headers();
    assert_eq!(told(headers, "retry-after"), Some("61"));
    assert_eq!(told(headers, "retry-after-ms"), Some("60500"));
    assert_eq!(told(headers, "x-should-retry"), None);
    assert_eq!(told(headers, "x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(
        trail.notes()[0].to_string(),
        "limit refused scope=key measure=requests"
    );
    let refusal = response.extensions().get::<Refusal>().unwrap().clone();
    assert_eq!(
        (refusal.kind(), refusal.code()),
        (RefusalKind::RateLimited, "rate_limit_exceeded")
    );
    assert_eq!(
        refusal.message(),
        "Rate limit reached for this key on requests per min (RPM): Limit 2, Used 2, Requested 1. Please try again in 1m0.5s."
    );
    setup.clock.advance(Duration::from_millis(60_500));
    assert_eq!(
        setup.call(&key, &body, &Answer::usage(1, 1)).await.status(),
        200
    );
}

#[tokio::test]
async fn a_request_that_can_never_pass_is_not_to_be_retried() {
    let setup = setup(|layer| layer);
    let key = key("k", None, Some(150));
    let response = setup
        .call(&key, &chat(r#","max_tokens":51"#), &Answer::Never)
        .await;
    assert_eq!(response.status(), 429);
    assert_eq!(told(response.headers(), "x-should-retry"), Some("false"));
    assert_eq!(told(response.headers(), "retry-after"), None);
    let body = text(response).await;
    assert!(
        body.contains("Request too large") && body.contains("Limit 150, Requested 151"),
        "{body}"
    );
    assert_eq!(
        setup
            .call(&key, &chat(r#","max_tokens":50"#), &Answer::usage(1, 1))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn keys_count_apart_and_callers_without_one_count_together() {
    let setup = setup(|layer| layer.default_rpm(2));
    let (one, two) = (key("one", None, None), key("two", Some(1), None));
    let body = chat("");
    let status = async |who: Option<&Principal>| {
        setup
            .send(request(who, &body), &Answer::usage(1, 1))
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for (who, expected) in [
        (Some(&one), 200),
        (Some(&one), 200),
        (Some(&one), 429),
        (Some(&two), 200),
        (Some(&two), 429),
        (None, 200),
        (None, 200),
        (None, 429),
    ] {
        assert_eq!(status(who).await, expected, "{who:?}");
    }
    // A key by the name of nobody is somebody.
    assert_eq!(status(Some(&key("", None, None))).await, 200);
}

#[tokio::test]
async fn admins_are_bound_by_models_and_by_their_own_limits_alone() {
    let admin = |limits: Limits| {
        Principal::assume_verified(Identity::new("admin").role(Role::ProxyAdmin).limits(limits))
    };
    let count = async |setup: &Setup, who: &Principal| {
        let mut passed = 0;
        for _ in 0..20 {
            passed += u32::from(
                setup
                    .call(who, &chat(""), &Answer::usage(1, 1))
                    .await
                    .status()
                    == 200,
            );
        }
        passed
    };
    let free = admin(Limits::default());
    assert_eq!(count(&setup(|layer| layer.default_rpm(2)), &free).await, 20);
    assert_eq!(
        count(
            &setup(|layer| layer.default_rpm(2).limit_admins(true)),
            &free
        )
        .await,
        2
    );
    assert_eq!(
        count(
            &setup(|layer| layer),
            &admin(Limits {
                rpm: Some(3),
                tpm: None,
                ..Limits::default()
            })
        )
        .await,
        3
    );
    let of_model = Limits {
        rpm: Some(4),
        tpm: None,
        ..Limits::default()
    };
    assert_eq!(
        count(&setup(|layer| layer.model("m", of_model)), &free).await,
        4
    );
    assert_eq!(
        count(&setup(|layer| layer.model_per_key("m", of_model)), &free).await,
        20
    );
}

#[tokio::test]
async fn a_models_limit_is_shared_and_a_models_limit_per_key_is_not() {
    let limits = Limits {
        rpm: Some(2),
        tpm: None,
        ..Limits::default()
    };
    let count = async |setup: &Setup, model: &str| {
        let mut passed = 0;
        for number in 0..6 {
            let key = key(&format!("k{}", number % 3), None, None);
            let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
            passed +=
                u32::from(setup.call(&key, &body, &Answer::usage(1, 1)).await.status() == 200);
        }
        passed
    };
    assert_eq!(
        count(&setup(|layer| layer.model("m", limits)), "m").await,
        2
    );
    assert_eq!(
        count(&setup(|layer| layer.model_per_key("m", limits)), "m").await,
        6
    );
    assert_eq!(
        count(
            &setup(|layer| layer.model_per_key(
                "m",
                Limits {
                    rpm: Some(1),
                    tpm: None,
                    ..Limits::default()
                }
            )),
            "m"
        )
        .await,
        3
    );
    assert_eq!(
        count(&setup(|layer| layer.model("m", limits)), "n").await,
        6
    );
    let tokens = Limits {
        rpm: None,
        tpm: Some(20),
        ..Limits::default()
    };
    let setup = setup(|layer| layer.model("m", tokens));
    let body = r#"{"model":"m","messages":[],"max_tokens":15}"#;
    assert_eq!(
        setup
            .call(&key("k", None, None), body, &Answer::usage(1, 19))
            .await
            .status(),
        200
    );
    let refused = setup
        .call(
            &key("j", None, None),
            r#"{"model":"m","messages":[],"max_tokens":20}"#,
            &Answer::Never,
        )
        .await;
    assert!(
        text(refused).await.contains("for model m on tokens"),
        "the scope is named"
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_read_counts_as_a_request() {
    let setup = setup(|layer| layer);
    let key = key("k", Some(2), Some(1_000));
    for status in [400, 400, 429] {
        assert_eq!(
            setup
                .call(&key, "{", &Answer::Never)
                .await
                .status()
                .as_u16(),
            status
        );
    }
    assert_eq!(setup.layer.under_way(), 0);
}

#[tokio::test]
async fn a_look_around_costs_a_request_and_no_tokens() {
    let setup = setup(|layer| layer);
    let key = key("k", Some(5), Some(10));
    for _ in 0..5 {
        let mut look = request(Some(&key), "");
        (*look.method_mut(), *look.uri_mut()) = (http::Method::GET, "/v1/models".parse().unwrap());
        let response = setup
            .send(look, &Answer::Json(200, "{}".into()))
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            told(response.headers(), "x-ratelimit-remaining-tokens"),
            None
        );
    }
    assert_eq!(setup.layer.under_way(), 0);
}

#[tokio::test]
async fn a_body_that_nobody_needs_to_read_is_not_read() {
    let setup = setup(|layer| layer.default_rpm(10));
    assert_eq!(
        setup
            .call(
                &key("k", None, None),
                "this is not json",
                &Answer::usage(1, 1)
            )
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn clones_and_services_count_together() {
    let setup = setup(|layer| layer.default_rpm(2));
    let other = Setup {
        layer: setup.layer.clone().default_output_tokens(7),
        clock: setup.clock.clone(),
    };
    let key = key("k", None, None);
    assert_eq!(
        setup.call(&key, "{}", &Answer::usage(1, 1)).await.status(),
        200
    );
    assert_eq!(
        other.call(&key, "{}", &Answer::usage(1, 1)).await.status(),
        200
    );
    assert_eq!(
        setup.call(&key, "{}", &Answer::usage(1, 1)).await.status(),
        429
    );
}

#[tokio::test]
async fn refusals_speak_the_callers_dialect() {
    let setup = setup(|layer| layer.default_rpm(0));
    let mut grpc = request(None, "");
    grpc.headers_mut()
        .insert("content-type", "application/grpc".parse().unwrap());
    let response = setup.send(grpc, &Answer::Never).await.unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            told(response.headers(), "grpc-status")
        ),
        (200, Some("8"))
    );
    let mut messages = request(None, "{}");
    *messages.uri_mut() = "/v1/messages".parse().unwrap();
    let response = setup.send(messages, &Answer::Never).await.unwrap();
    assert!(
        text(response)
            .await
            .contains(r#""type":"rate_limit_error""#)
    );
}
