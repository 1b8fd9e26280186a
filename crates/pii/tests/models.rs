//! A layer with a model beside its patterns: what is joined, and what happens when the model fails.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{Body, Trail};
use bartizan_pii::{
    Analyzing, ConfigError, Entity, Finding, Model, ModelError, PiiLayer, PiiLayerBuilder,
};
use http::{Request, Response, StatusCode};
use tower::{Layer, ServiceExt, service_fn};

const CHAT: &str = "/v1/chat/completions";

/// Finds `Ravi Rao` and `Goa`, or fails in some way.
#[derive(Clone, Debug)]
enum Stub {
    Finds,
    Fails(ModelError),
    Hangs,
    /// So many lists too few.
    Short,
    Says(std::ops::Range<usize>, f32),
    /// Counts how many look at once.
    Counts(Arc<AtomicUsize>, Arc<AtomicUsize>),
}

impl Model for Stub {
    fn name(&self) -> &'static str {
        "stub"
    }

    fn entities(&self) -> &[Entity] {
        &[Entity::Person, Entity::Location]
    }

    fn analyze<'m>(&'m self, texts: &'m [&'m str]) -> Analyzing<'m> {
        Box::pin(async move {
            match self {
                Self::Finds => Ok(texts.iter().map(|text| names(text)).collect()),
                Self::Fails(error) => Err(*error),
                Self::Hangs => std::future::pending().await,
                Self::Short => Ok(Vec::new()),
                Self::Says(range, score) => Ok(texts
                    .iter()
                    .map(|_| vec![Finding::new(Entity::Person, range.clone(), *score)])
                    .collect()),
                Self::Counts(now, most) => {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(texts.iter().map(|_| Vec::new()).collect())
                }
            }
        })
    }
}

fn names(text: &str) -> Vec<Finding> {
    [
        ("Ravi Rao", Entity::Person, 0.85),
        ("Goa", Entity::Location, 0.6),
    ]
    .iter()
    .flat_map(|(name, entity, score)| {
        text.match_indices(name)
            .map(|(at, name)| Finding::new(*entity, at..at + name.len(), *score))
    })
    .collect()
}

struct Seen {
    provider: Option<String>,
    status: StatusCode,
    answer: String,
    notes: Vec<String>,
}

fn asks(text: &str) -> String {
    serde_json::json!({"model": "demo", "messages": [{"role": "user", "content": text}]})
        .to_string()
}

fn says(text: &str) -> String {
    serde_json::json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]})
        .to_string()
}

async fn call(layer: &PiiLayer, request: String, kind: &'static str, answer: String) -> Seen {
    let got = Arc::new(Mutex::new(None));
    let provider = {
        let got = Arc::clone(&got);
        service_fn(move |request: Request<Body>| {
            let (got, answer) = (Arc::clone(&got), answer.clone());
            async move {
                let body = request.into_body().into_bytes(1 << 20).await.unwrap();
                *got.lock().unwrap() = Some(String::from_utf8(body.to_vec()).unwrap());
                let response = Response::builder().header("content-type", kind);
                Ok::<_, Infallible>(response.body(Body::from(answer)).unwrap())
            }
        })
    };
    let trail = Trail::new();
    let mut request = Request::post(CHAT).body(Body::from(request)).unwrap();
    request.extensions_mut().insert(trail.clone());
    let response = layer.layer(provider).oneshot(request).await.unwrap();
    let status = response.status();
    let answer = response.into_body().into_bytes(1 << 20).await.unwrap();
    Seen {
        provider: got.lock().unwrap().take(),
        status,
        answer: String::from_utf8(answer.to_vec()).unwrap(),
        notes: trail.notes().iter().map(ToString::to_string).collect(),
    }
}

fn layer() -> PiiLayerBuilder {
    PiiLayer::builder().mask([Entity::Person, Entity::Email])
}

const JSON: &str = "application/json";

#[tokio::test]
async fn what_a_model_finds_is_masked_and_comes_back_with_the_rest() {
    let layer = layer().model(Stub::Finds).build().unwrap();
    let seen = call(
        &layer,
        asks("Ravi Rao, ravi@example.in, of Goa"),
        JSON,
        says("Dear <PERSON_1> (<EMAIL_ADDRESS_1>)"),
    )
    .await;
    let provider = seen.provider.unwrap();
    // Goa is no kind that this layer looks for.
    assert!(
        provider.contains("<PERSON_1>, <EMAIL_ADDRESS_1>, of Goa"),
        "{provider}"
    );
    assert!(
        seen.answer.contains("Dear Ravi Rao (ravi@example.in)"),
        "{}",
        seen.answer
    );
}

#[tokio::test]
async fn a_models_finding_and_a_patterns_are_joined_by_the_one_rule() {
    for (range, score, expected) in [
        // `ravi@example.in` stands from 5 to 20, and its pattern is surer.
        (5..9, 0.6, "mail <EMAIL_ADDRESS_1> now"),
        (0..24, 1.0, "<PERSON_1>"),
        // Under the threshold.
        (0..4, 0.4, "mail <EMAIL_ADDRESS_1> now"),
        (0..4, 0.6, "<PERSON_1> <EMAIL_ADDRESS_1> now"),
    ] {
        let layer = layer()
            .model(Stub::Says(range.clone(), score))
            .build()
            .unwrap();
        let seen = call(&layer, asks("mail ravi@example.in now"), JSON, says("")).await;
        let provider = seen.provider.unwrap();
        assert!(
            provider.contains(&format!("\"{expected}\"")),
            "{range:?}: {provider}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_closes_the_call_unless_told_and_the_record_says_so() {
    let failures = [
        (Stub::Fails(ModelError::Unreachable), "unreachable"),
        (Stub::Fails(ModelError::Refused), "refused"),
        (Stub::Fails(ModelError::Failed), "failed"),
        (Stub::Hangs, "timed_out"),
        (Stub::Short, "unreadable"),
        (Stub::Says(0..99, 0.9), "unreadable"),
        (Stub::Says(0..1, 0.9), "unreadable"),
        (Stub::Says(0..2, f32::NAN), "unreadable"),
        (Stub::Says(0..2, 7.0), "unreadable"),
    ];
    for (stub, reason) in failures {
        let closed = layer().model(stub.clone()).build().unwrap();
        let seen = call(&closed, asks("é canary ravi@example.in"), JSON, says("")).await;
        assert_eq!(seen.status, 503, "{stub:?}");
        assert_eq!(seen.provider, None);
        assert!(
            seen.answer.contains("pii_model_unavailable"),
            "{}",
            seen.answer
        );
        assert!(
            seen.answer.contains("`stub`") && !seen.answer.contains("canary"),
            "{}",
            seen.answer
        );
        let note = format!("pii failed model=stub reason={reason} direction=request");
        assert_eq!(seen.notes, [note]);

        let open = layer()
            .model(stub.clone())
            .allow_unmodelled_calls()
            .build()
            .unwrap();
        let seen = call(&open, asks("é canary ravi@example.in"), JSON, says("")).await;
        assert_eq!(seen.status, 200);
        assert!(
            seen.provider
                .unwrap()
                .contains("é canary <EMAIL_ADDRESS_1>")
        );
        let note = format!("pii unmodelled model=stub reason={reason} direction=request");
        assert_eq!(seen.notes[0], note);
    }
}

#[test]
fn a_kind_that_only_a_model_finds_wants_a_model_that_finds_it() {
    let organization = || PiiLayer::builder().mask([Entity::Organization]);
    for refused in [organization(), organization().model(Stub::Finds)] {
        assert_eq!(
            refused.build().unwrap_err(),
            ConfigError::NeedsModel("ORGANIZATION")
        );
    }
}

#[tokio::test]
async fn a_blocked_kind_that_a_model_finds_is_refused() {
    let layer = PiiLayer::builder()
        .block([Entity::Person])
        .model(Stub::Finds)
        .build()
        .unwrap();
    let seen = call(&layer, asks("I am Ravi Rao"), JSON, says("")).await;
    assert_eq!(seen.status, 403);
    assert!(
        seen.answer.contains("PERSON") && !seen.answer.contains("Ravi"),
        "{}",
        seen.answer
    );
}

#[tokio::test]
async fn an_unstreamed_answer_is_looked_at_too_and_what_was_masked_still_comes_back() {
    let layer = layer()
        .output(true)
        .model(Stub::Finds)
        .allow_unmodelled_streams()
        .build()
        .unwrap();
    let seen = call(
        &layer,
        asks("I am Ravi Rao"),
        JSON,
        says("<PERSON_1>, meet Ravi Rao: new@example.in"),
    )
    .await;
    assert!(
        seen.answer
            .contains("Ravi Rao, meet <PERSON>: <EMAIL_ADDRESS>"),
        "{}",
        seen.answer
    );
    assert!(
        seen.notes
            .iter()
            .any(|note| note.contains("PERSON=1") && note.contains("direction=answer")),
        "{:?}",
        seen.notes
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_no_model_could_look_at_is_stopped() {
    let layer = layer()
        .output(true)
        .model(Stub::Hangs)
        .allow_unmodelled_streams()
        .model_deadline(Duration::from_secs(1))
        .build()
        .unwrap();
    // Nothing to ask about in the request.
    let seen = call(&layer, asks(" "), JSON, says("Ravi Rao")).await;
    assert_eq!(seen.status, 503);
    assert!(!seen.answer.contains("Ravi"));
    assert_eq!(
        seen.notes,
        ["pii failed model=stub reason=timed_out direction=answer"]
    );
}

#[tokio::test]
async fn a_stream_is_looked_at_by_patterns_alone_and_only_where_told() {
    let refused = layer().output(true).model(Stub::Finds).build();
    assert_eq!(refused.unwrap_err(), ConfigError::UnmodelledStreams);
    let layer = layer()
        .output(true)
        .model(Stub::Finds)
        .allow_unmodelled_streams()
        .build()
        .unwrap();
    let chunk = serde_json::json!({"choices": [{"index": 0, "delta": {"content": "Ravi Rao new@example.in "}}]});
    let stream = format!("data: {chunk}\n\ndata: [DONE]\n\n");
    let seen = call(&layer, asks("hello"), "text/event-stream", stream).await;
    assert!(
        seen.answer.contains("Ravi Rao <EMAIL_ADDRESS>"),
        "{}",
        seen.answer
    );
    assert!(
        seen.notes
            .contains(&"pii unmodelled reason=stream direction=answer".to_owned()),
        "{:?}",
        seen.notes
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_messages_than_told_are_looked_at_at_a_time() {
    let (now, most) = (Arc::default(), Arc::default());
    let layer = layer()
        .model(Stub::Counts(now, Arc::clone(&most)))
        .models_at_a_time(2)
        .build()
        .unwrap();
    let one = || call(&layer, asks("hello"), JSON, says(""));
    let (a, b, c, d, e) = tokio::join!(one(), one(), one(), one(), one());
    for seen in [a, b, c, d, e] {
        assert_eq!(seen.status, 200);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}
