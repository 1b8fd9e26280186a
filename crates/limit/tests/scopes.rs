//! Every scope binds, and a refusal says no more of it than the caller may know.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use bartizan_core::{
    Bounds, Budget, Identity, Level, Limits, Prices, Principal, Refusal, RefusalKind, Scope,
};
use bartizan_limit::{Allowance, EndUsers, LimitLayer, TokenKind, UnknownPrices};
use http_body_util::BodyExt;
use support::{Answer, Setup, Then, request, setup, stream, told};

fn rpm(most: u32) -> Bounds {
    Bounds {
        limits: Limits {
            rpm: Some(most),
            ..Limits::default()
        },
        ..Bounds::default()
    }
}

fn scope(level: Level, id: &str, bounds: Bounds) -> Scope {
    Scope {
        level,
        id: id.to_owned(),
        tier: None,
        bounds,
        model_bounds: BTreeMap::new(),
    }
}

/// A key with these scopes, and a team, an organisation and a user of its own.
fn caller(key: &str, scopes: impl IntoIterator<Item = Scope>) -> Principal {
    let identity = Identity::new(key).tag("batch");
    Principal::assume_verified(
        scopes
            .into_iter()
            .fold(identity, |identity, scope| identity.scope(scope)),
    )
}

fn body(rest: &str) -> String {
    format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hello"}}]{rest}}}"#)
}

async fn passes(setup: &Setup, who: Option<&Principal>, rest: &str) -> Result<(), Refusal> {
    let response = setup
        .send(request(who, &body(rest)), &Answer::usage(5, 7))
        .await
        .unwrap();
    let refusal = response.extensions().get::<Refusal>().cloned();
    let _ = response.into_body().collect().await;
    refusal.map_or(Ok(()), Err)
}

#[tokio::test]
async fn every_scope_in_the_chain_binds_and_is_named_without_its_numbers() {
    let one = || Allowance::new().rpm(1);
    let plain = |layer: LimitLayer| layer;
    let secret = "0123456789abcdef0123456789abcdef";
    type Edit = Box<dyn Fn(LimitLayer) -> LimitLayer>;
    // (the layer, two callers who share the scope, what the refusal names, its numbers)
    let shared = |level, id: &str| {
        ["k1", "k2"].map(|key| {
            Some(caller(
                key,
                [scope(level, id, rpm(1)), scope(Level::Key, key, rpm(50))],
            ))
        })
    };
    let apart = || ["k1", "k2"].map(|key| Some(caller(key, [])));
    let same = || ["k1", "k1"].map(|key| Some(caller(key, [])));
    let elder = ["k1", "k2"].map(|key| Some(caller(key, [scope(Level::Key, "elder", rpm(1))])));
    let of_model = |level, id: &str| {
        ["k1", "k2"].map(|key| {
            let mut scope = scope(level, id, Bounds::default());
            scope.model_bounds.insert("m".to_owned(), rpm(1));
            Some(caller(key, [scope]))
        })
    };
    let cases: Vec<(Edit, [Option<Principal>; 2], &str, bool)> = vec![
        (
            Box::new(plain),
            shared(Level::Organization, "acme"),
            "this key's organization",
            false,
        ),
        (
            Box::new(plain),
            shared(Level::Team, "alpha"),
            "this key's team",
            false,
        ),
        (
            Box::new(plain),
            shared(Level::User, "ada"),
            "this key's user",
            false,
        ),
        (
            Box::new(plain),
            elder,
            "the key that this one was minted with",
            false,
        ),
        (
            Box::new(plain),
            of_model(Level::Team, "alpha"),
            "this key's team and model m",
            false,
        ),
        (
            Box::new(move |layer| layer.global(one())),
            apart(),
            "this gateway",
            false,
        ),
        (
            Box::new(move |layer| layer.model("m", one())),
            apart(),
            "model m",
            false,
        ),
        (
            Box::new(move |layer| layer.tag("batch", one())),
            apart(),
            "a tag of this key",
            false,
        ),
        (
            Box::new(move |layer| layer.default_limits(Level::Key, one())),
            same(),
            "this key",
            true,
        ),
        (
            Box::new(move |layer| layer.model_per_key("m", one())),
            same(),
            "this key and model m",
            true,
        ),
        (
            Box::new(move |layer| layer.default_rpm(1)),
            [None, None],
            "calls without a key",
            true,
        ),
        (
            Box::new(move |layer| {
                layer.end_users(EndUsers::new(secret.into()).unwrap().each(one()))
            }),
            same(),
            "this end user",
            false,
        ),
    ];
    for (edit, [first, second], name, numbers) in cases {
        let setup = setup(edit);
        let user = r#","user":"ada","max_tokens":9"#;
        passes(&setup, first.as_ref(), user).await.unwrap();
        let refusal = passes(&setup, second.as_ref(), user).await.unwrap_err();
        assert_eq!(refusal.code(), "rate_limit_exceeded", "{name}");
        let expected = format!("Rate limit reached for {name} on requests per min (RPM)");
        let rest = refusal
            .message()
            .strip_prefix(&expected)
            .unwrap_or_else(|| {
                panic!("{name}: {}", refusal.message());
            });
        assert_eq!(
            rest.starts_with(": Limit 1, Used 1"),
            numbers,
            "{name}: {rest}"
        );
        for secret in ["alpha", "acme", "ada", "elder", "batch"] {
            assert!(!refusal.message().contains(secret), "{}", refusal.message());
        }
        setup.clock.advance(Duration::from_secs(62));
        passes(&setup, second.as_ref(), user).await.unwrap();
    }
}

#[tokio::test]
async fn only_the_own_keys_numbers_stand_in_headers() {
    let setup = setup(|layer| {
        layer
            .model("m", Allowance::new().rpm(3))
            .global(Allowance::new().tpm(90))
    });
    let scopes = [
        scope(Level::Team, "alpha", rpm(2)),
        scope(Level::Key, "k", rpm(10)),
    ];
    let response = setup
        .call(
            &caller("k", scopes),
            &body(r#","max_tokens":9"#),
            &Answer::usage(5, 7),
        )
        .await;
    assert_eq!(
        told(response.headers(), "x-ratelimit-limit-requests"),
        Some("10")
    );
    assert_eq!(
        told(response.headers(), "x-ratelimit-remaining-requests"),
        Some("9")
    );
    assert_eq!(told(response.headers(), "x-ratelimit-limit-tokens"), None);
}

#[tokio::test]
async fn the_tightest_window_of_several_is_told_and_each_binds() {
    let setup =
        setup(|layer| layer.default_limits(Level::Key, Allowance::new().rpm(3).rph(4).rpd(100)));
    let key = caller("k", []);
    for left in ["2", "1", "0"] {
        let response = setup.call(&key, &body(""), &Answer::usage(1, 1)).await;
        assert_eq!(
            told(response.headers(), "x-ratelimit-remaining-requests"),
            Some(left)
        );
    }
    setup.clock.advance(Duration::from_secs(61));
    let response = setup.call(&key, &body(""), &Answer::usage(1, 1)).await;
    assert_eq!(
        told(response.headers(), "x-ratelimit-limit-requests"),
        Some("4")
    );
    let refusal = passes(&setup, Some(&key), "").await.unwrap_err();
    assert!(
        refusal.message().contains("per hour (RPH)"),
        "{}",
        refusal.message()
    );
}

#[tokio::test]
async fn tokens_are_counted_by_their_kind() {
    let answer = r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110,"prompt_tokens_details":{"cached_tokens":60}}}"#;
    for (kind, weight, used) in [
        (TokenKind::Input, 1_000, 100),
        (TokenKind::Input, 250, 55),
        (TokenKind::Output, 1_000, 10),
        (TokenKind::Total, 0, 50),
    ] {
        let setup = setup(|layer| {
            layer
                .default_tpm(1_000)
                .cached_input_weight(weight)
                .token_kind(kind)
        });
        let key = caller("k", []);
        let rest = r#","max_tokens":20"#;
        let response = setup
            .call(&key, &body(rest), &Answer::Json(200, answer.to_owned()))
            .await;
        let _ = response.into_body().collect().await;
        let response = setup
            .call(&key, &body(rest), &Answer::Json(500, "{}".into()))
            .await;
        let held = match kind {
            TokenKind::Input => support::input(&body(rest)),
            TokenKind::Output => 20,
            TokenKind::Total => support::input(&body(rest)) + 20,
        };
        assert_eq!(
            told(response.headers(), "x-ratelimit-remaining-tokens"),
            Some(&*(1_000 - used - held).to_string()),
            "{kind:?} {weight}"
        );
    }
}

#[tokio::test]
async fn a_tier_binds_who_names_it_and_an_unknown_one_lets_nobody_pass() {
    let with_tier = |key: &str, tier: &str, bounds| {
        let mut scope = scope(Level::Key, key, bounds);
        scope.tier = Some(tier.to_owned());
        caller(key, [scope])
    };
    let setup = setup(|layer| layer.tier("gold", Allowance::new().rpm(2)));
    for (key, own, most) in [
        ("a", Bounds::default(), 2),
        ("b", rpm(1), 1),
        ("c", rpm(9), 2),
    ] {
        let key = with_tier(key, "gold", own);
        for call in 0..3 {
            let passed = passes(&setup, Some(&key), "").await.is_ok();
            assert_eq!(passed, call < most, "{key:?} {call}");
        }
    }
    let refusal = passes(
        &setup,
        Some(&with_tier("d", "silver", Bounds::default())),
        "",
    )
    .await
    .unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.code()),
        (RefusalKind::Forbidden, "unknown_tier")
    );
}

#[tokio::test]
async fn end_users_of_different_teams_are_different_even_by_one_name() {
    let secret = "0123456789abcdef0123456789abcdef";
    let users = EndUsers::new(secret.into()).unwrap();
    let setup = setup(|layer| {
        layer.end_users(
            users
                .each(Allowance::new().rpm(1))
                .named("vip", Allowance::new().rpm(2)),
        )
    });
    let of = |key: &str, team: &str| Principal::assume_verified(Identity::new(key).team_id(team));
    let (one, other) = (of("k1", "a"), of("k2", "b"));
    let user = |name: &str| format!(r#","user":"{name}""#);
    passes(&setup, Some(&one), &user("ada")).await.unwrap();
    passes(&setup, Some(&other), &user("ada")).await.unwrap();
    passes(&setup, Some(&one), &user("grace")).await.unwrap();
    passes(&setup, Some(&one), &user("ada")).await.unwrap_err();
    passes(&setup, Some(&one), &user("vip")).await.unwrap();
    passes(&setup, Some(&one), &user("vip")).await.unwrap();
    passes(&setup, Some(&one), &user("vip")).await.unwrap_err();
    passes(&setup, Some(&one), "").await.unwrap();
}

#[tokio::test]
async fn calls_and_streams_at_once_are_free_again_wherever_a_client_leaves() {
    let events = stream(true);
    let streamed = r#","stream":true"#;
    let key = caller("k", []);
    for (allowance, what) in [
        (
            Allowance::new().parallel_requests(1),
            "requests under way at once",
        ),
        (
            Allowance::new().parallel_streams(1),
            "streams under way at once",
        ),
    ] {
        for taken in 0..=events.len() {
            let setup = setup(|layer| layer.default_limits(Level::Key, allowance.clone()));
            let answer = Answer::Events(events.clone(), Then::Hang);
            let response = setup.call(&key, &body(streamed), &answer).await;
            let refusal = passes(&setup, Some(&key), streamed).await.unwrap_err();
            assert!(refusal.message().contains(what), "{}", refusal.message());
            assert_eq!(
                refusal.render(bartizan_core::Dialect::OpenAiChat).headers()["retry-after"],
                "1"
            );
            let mut reply = response.into_body();
            for _ in 0..taken {
                reply.frame().await.unwrap().unwrap();
            }
            drop(reply);
            assert_eq!(setup.layer.under_way(), 0, "{what} after {taken}");
            passes(&setup, Some(&key), streamed).await.unwrap();
        }
    }
    // What isn't streamed is no stream.
    let setup =
        setup(|layer| layer.default_limits(Level::Key, Allowance::new().parallel_streams(0)));
    passes(&setup, Some(&key), "").await.unwrap();
    passes(&setup, Some(&key), streamed).await.unwrap_err();
}

#[tokio::test]
async fn unknown_prices_refuse_where_a_budget_binds_and_nowhere_else() {
    let budget = Budget {
        max_budget: Some("1".parse().unwrap()),
        ..Budget::default()
    };
    let paying = caller(
        "k",
        [scope(
            Level::Key,
            "k",
            Bounds {
                budget,
                ..Bounds::default()
            },
        )],
    );
    let priced = BTreeMap::from([("other".to_owned(), Prices::default())]);
    let plain = setup(|layer| layer.prices(priced.clone()));
    let refusal = passes(&plain, Some(&paying), "").await.unwrap_err();
    assert_eq!(
        (refusal.kind(), refusal.code()),
        (RefusalKind::Forbidden, "unknown_price")
    );
    passes(&plain, Some(&caller("free", [])), "").await.unwrap();
    let zero = setup(|layer| layer.unknown_prices(UnknownPrices::Zero));
    passes(&zero, Some(&paying), "").await.unwrap();
}
