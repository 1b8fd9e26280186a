//! What a call costs, however it ends.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Context;

use bartizan_core::{Body, Trail, Usage};
use http::Request;
use http_body_util::BodyExt;
use support::{Answer, Then, chat, key, request, setup, stream, ten_tokens};
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test]
async fn tokens_are_settled_to_what_is_known_however_the_call_ends() {
    let anthropic = |events: &[&str]| {
        events
            .iter()
            .map(|data| {
                let name = serde_json::from_str::<serde_json::Value>(data).unwrap()["type"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                format!("event: {name}\ndata: {data}\n\n")
            })
            .collect::<Vec<_>>()
    };
    let start = r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"usage":{"input_tokens":25,"output_tokens":1}}}"#;
    let ten = ten_tokens();
    let delta = &format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{ten}"}}}}"#
    );
    let last = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    let cut = |count: usize, then| Answer::Events(stream(true)[..count].to_vec(), then);
    // (what comes back, the path, what it costs, whether that is an estimate). Input: 100 by estimate.
    let cases: Vec<(&str, Answer, &str, u64, Option<bool>)> = vec![
        (
            "usage told",
            Answer::usage(30, 12),
            "/v1/chat/completions",
            42,
            Some(false),
        ),
        (
            "more than reserved",
            Answer::usage(300, 400),
            "/v1/chat/completions",
            700,
            Some(false),
        ),
        (
            "no usage: input and the words",
            Answer::Json(
                200,
                format!(
                    r#"{{"choices":[{{"index":0,"message":{{"role":"assistant","content":"{ten}"}}}}]}}"#
                ),
            ),
            "/v1/chat/completions",
            110,
            Some(true),
        ),
        (
            "stream with usage",
            Answer::Events(stream(true), Then::End),
            "/v1/chat/completions",
            30,
            Some(false),
        ),
        (
            "stream without",
            Answer::Events(stream(false), Then::End),
            "/v1/chat/completions",
            150,
            Some(true),
        ),
        (
            "stream cut",
            cut(3, Then::End),
            "/v1/chat/completions",
            130,
            Some(true),
        ),
        (
            "stream broken",
            cut(2, Then::Break),
            "/v1/chat/completions",
            120,
            Some(true),
        ),
        (
            "anthropic",
            Answer::Events(anthropic(&[start, delta, last, stop]), Then::End),
            "/v1/messages",
            40,
            Some(false),
        ),
        (
            "anthropic cut",
            Answer::Events(anthropic(&[start, delta, delta]), Then::Break),
            "/v1/messages",
            45,
            Some(true),
        ),
        (
            "a provider's error",
            Answer::Json(500, r#"{"error":{"message":"no"}}"#.into()),
            "/v1/chat/completions",
            0,
            None,
        ),
        (
            "a refusal inside",
            Answer::Refused,
            "/v1/chat/completions",
            0,
            None,
        ),
        (
            "sound",
            Answer::Opaque("abc"),
            "/v1/chat/completions",
            150,
            Some(true),
        ),
    ];
    for (name, answer, path, cost, estimated) in cases {
        let setup = setup(|layer| layer);
        let key = key("k", None, Some(1_000));
        let trail = Trail::new();
        let mut sent = request(Some(&key), &chat(r#","max_tokens":50"#));
        *sent.uri_mut() = path.parse().unwrap();
        sent.extensions_mut().insert(trail.clone());
        let response = setup.send(sent, &answer).await.unwrap();
        let _ = response.into_body().collect().await;
        assert_eq!(setup.layer.under_way(), 0, "{name}");
        assert_eq!(setup.left(&key).await, 1_000 - cost, "{name}");
        assert_eq!(
            trail.usage().map(|(_, estimated)| estimated),
            estimated,
            "{name}"
        );
        assert_eq!(
            trail.usage().map_or(0, |(usage, _)| usage.total()),
            cost,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_call_that_fails_or_is_left_before_its_answer_costs_its_input() {
    let setup = setup(|layer| layer);
    let key = key("k", None, Some(1_000));
    let body = chat(r#","max_tokens":50"#);
    assert!(
        setup
            .send(request(Some(&key), &body), &Answer::Broken)
            .await
            .is_err()
    );
    assert_eq!(setup.layer.under_way(), 0);
    assert_eq!(setup.left(&key).await, 900);

    let mut left = Box::pin(setup.send(request(Some(&key), &body), &Answer::Never));
    let waker = std::task::Waker::noop();
    assert!(
        left.as_mut()
            .poll(&mut Context::from_waker(waker))
            .is_pending()
    );
    assert_eq!(setup.layer.under_way(), 1);
    drop(left);
    assert_eq!(setup.layer.under_way(), 0);
    assert_eq!(setup.left(&key).await, 800);
}

#[tokio::test]
async fn a_client_that_leaves_at_any_event_gives_its_reservation_back_and_pays_for_what_came() {
    let events = stream(true);
    for taken in 0..=events.len() {
        let setup = setup(|layer| layer);
        let key = key("k", None, Some(1_000));
        let answer = Answer::Events(events.clone(), Then::Hang);
        let response = setup
            .call(&key, &chat(r#","max_tokens":500"#), &answer)
            .await;
        let mut body = response.into_body();
        for _ in 0..taken {
            body.frame().await.unwrap().unwrap();
        }
        drop(body);
        assert_eq!(setup.layer.under_way(), 0, "after {taken}");
        let cost = match taken {
            // The provider has said what it used; before its last event that is the input, with what was seen of the output.
            6 => 21 + 50,
            7 => 30,
            pieces => 100 + 10 * pieces as u64,
        };
        assert_eq!(setup.left(&key).await, 1_000 - cost, "after {taken}");
    }
}

#[tokio::test]
async fn what_a_layer_inside_has_settled_is_believed_where_the_answer_does_not_say() {
    let setup = setup(|layer| layer);
    let key = key("k", None, Some(1_000));
    let trail = Trail::new();
    let mut sent = request(Some(&key), &chat(r#","max_tokens":50"#));
    sent.extensions_mut().insert(trail.clone());
    trail.settle(
        Usage {
            input: 70,
            output: 7,
            ..Usage::default()
        },
        false,
    );
    setup.send(sent, &Answer::Refused).await.unwrap();
    assert_eq!(setup.left(&key).await, 923);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once_use_no_more_than_the_limit() {
    let setup = setup(|layer| layer);
    let used = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&used);
    let service = setup.layer.layer(service_fn(move |_: Request<Body>| {
        let counted = Arc::clone(&counted);
        async move {
            tokio::task::yield_now().await;
            counted.fetch_add(10, Ordering::SeqCst);
            Ok::<_, Infallible>(Answer::usage(4, 6).respond().unwrap())
        }
    }));
    let key = key("k", None, Some(500));
    let calls: Vec<_> = (0..1_000)
        .map(|number| {
            let (service, key) = (service.clone(), key.clone());
            tokio::spawn(async move {
                let sent = request(Some(&key), r#"{"model":"m","messages":[],"max_tokens":19}"#);
                let mut call = Box::pin(service.oneshot(sent));
                if number % 7 == 0 {
                    // Leaves at once, if it was not refused at once.
                    let waker = std::task::Waker::noop();
                    let _ = call.as_mut().poll(&mut Context::from_waker(waker));
                    return false;
                }
                let response = call.await.unwrap();
                let passed = response.status() == 200;
                let _ = response.into_body().collect().await;
                passed
            })
        })
        .collect();
    let mut passed = 0;
    for call in calls {
        passed += u64::from(call.await.unwrap());
    }
    assert!(
        used.load(Ordering::SeqCst) <= 500 && passed >= 20,
        "{passed} calls used {used:?}"
    );
    assert_eq!(setup.layer.under_way(), 0);
}
