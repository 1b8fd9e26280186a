//! Presidio's analyzer as a model: what is asked, what is heard, and every way in which it can fail.
#![cfg(all(feature = "presidio", feature = "presidio-client"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_core::{Body, BoxError, Refusal, RefusalKind};
use bartizan_pii::{
    Analyzing, ConfigError, Entity, Finding, Model, ModelError, Presidio, PresidioService,
};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

/// Finds a name wherever `Ravi` stands.
#[derive(Debug)]
struct Names;

impl Model for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn entities(&self) -> &[Entity] {
        &[Entity::Person]
    }

    fn analyze<'m>(&'m self, texts: &'m [&'m str]) -> Analyzing<'m> {
        Box::pin(async move {
            let one = |text: &str| {
                let found = text.match_indices("Ravi");
                found
                    .map(|(at, name)| Finding::new(Entity::Person, at..at + name.len(), 0.85))
                    .collect()
            };
            Ok(texts.iter().map(|text| one(text)).collect())
        })
    }
}

#[tokio::test]
async fn it_understands_this_crates_own_service_and_places_come_back_in_bytes() {
    let service = PresidioService::builder().model(Names).build().unwrap();
    let texts = [
        "Ravi",
        "\u{1f600}\u{1f600} é Ravi and Ravi",
        "nobody",
        "आधार Ravi",
    ];
    for at_once in [1, 3, 9] {
        let service = service.clone();
        let model = Presidio::at("http://presidio:3000/", move |request: Request<Body>| {
            let service = service.clone();
            async move {
                assert_eq!(request.uri(), "http://presidio:3000/analyze");
                Ok(service.answer(request).await)
            }
        })
        .unwrap()
        .texts_a_request(at_once);
        let found = model.analyze(&texts).await.unwrap();
        let names: Vec<Vec<&str>> = texts
            .iter()
            .zip(&found)
            .map(|(text, found)| {
                found
                    .iter()
                    .map(|finding| &text[finding.range.clone()])
                    .collect()
            })
            .collect();
        assert_eq!(
            names,
            [vec!["Ravi"], vec!["Ravi", "Ravi"], vec![], vec!["Ravi"]]
        );
        assert!(
            found
                .iter()
                .flatten()
                .all(|finding| finding.entity == Entity::Person && finding.score == 0.85)
        );
    }
}

#[tokio::test]
async fn what_is_asked_is_what_was_set_up() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let model = Presidio::at(
        "https://presidio.example/base",
        move |request: Request<Body>| {
            let heard = Arc::clone(&heard);
            async move {
                let (parts, body) = request.into_parts();
                let body: Value = serde_json::from_slice(&body.into_bytes(1 << 16).await?).unwrap();
                heard.lock().unwrap().push((parts, body));
                Ok(Response::new(Body::from("[]")))
            }
        },
    )
    .unwrap()
    .entities([Entity::Person, Entity::Nrp])
    .language("de")
    .score_threshold(0.25)
    .bearer(&"the-key".into())
    .unwrap();
    model.analyze(&["Grüße"]).await.unwrap();
    let asked = asked.lock().unwrap();
    let (parts, body) = &asked[0];
    assert_eq!(parts.uri, "https://presidio.example/base/analyze");
    assert_eq!(parts.headers["authorization"], "Bearer the-key");
    assert_eq!(
        *body,
        json!({"text": "Grüße", "language": "de", "entities": ["PERSON", "NRP"], "score_threshold": 0.25})
    );
    assert!(!format!("{model:?}").contains("the-key"));
}

#[tokio::test]
async fn what_presidio_says_is_taken_with_care() {
    let hit = |kind: &str, start: i64, end: i64| json!({"entity_type": kind, "start": start, "end": end, "score": 0.85, "analysis_explanation": null, "new": {"member": 1}});
    for (says, expected) in [
        (json!([hit("PERSON", 0, 2)]), Ok(1)),
        // Kinds that were not asked for, and nothing at all, are no mistakes.
        (
            json!([
                hit("EMAIL_ADDRESS", 0, 2),
                hit("UNHEARD_OF", 0, 2),
                hit("PERSON", 1, 1)
            ]),
            Ok(0),
        ),
        (json!([]), Ok(0)),
        (json!([hit("PERSON", 0, 9)]), Err(ModelError::Unreadable)),
        (json!([hit("PERSON", -1, 2)]), Err(ModelError::Unreadable)),
        (json!([[hit("PERSON", 0, 2)]]), Err(ModelError::Unreadable)),
        (json!({"error": "canary"}), Err(ModelError::Unreadable)),
        (
            json!([{"entity_type": "PERSON"}]),
            Err(ModelError::Unreadable),
        ),
        (json!("canary"), Err(ModelError::Unreadable)),
    ] {
        let answer = says.to_string();
        let found = ask(move || Ok(Response::new(Body::from(answer.clone())))).await;
        assert_eq!(found.map(|found| found[0].len()), expected, "{says}");
    }
}

async fn ask(
    answer: impl Fn() -> Result<Response<Body>, Refusal> + Send + Sync + 'static,
) -> Result<Vec<Vec<Finding>>, ModelError> {
    let model = Presidio::at("http://presidio", move |_: Request<Body>| {
        std::future::ready(answer())
    });
    model.unwrap().analyze(&["é Ravi"]).await
}

/// A body that breaks after its first piece.
struct Broken(bool);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        let first = std::mem::replace(&mut self.0, false);
        std::task::Poll::Ready(Some(if first {
            Ok(http_body::Frame::data(Bytes::from_static(b"[")))
        } else {
            Err("closed".into())
        }))
    }
}

#[tokio::test]
async fn each_failure_is_told_apart() {
    let refused = |kind| move || Err(Refusal::new(kind, "code", "words"));
    let answers = |status: u16, body: &'static str| {
        move || {
            Ok(Response::builder()
                .status(status)
                .body(Body::from(body))
                .unwrap())
        }
    };
    assert_eq!(
        ask(refused(RefusalKind::UpstreamTimeout)).await,
        Err(ModelError::TimedOut)
    );
    assert_eq!(
        ask(refused(RefusalKind::Upstream)).await,
        Err(ModelError::Unreachable)
    );
    assert_eq!(
        ask(answers(500, r#"{"error": "x"}"#)).await,
        Err(ModelError::Refused)
    );
    assert_eq!(ask(answers(302, "")).await, Err(ModelError::Refused));
    assert_eq!(ask(answers(204, "")).await, Err(ModelError::Refused));
    assert_eq!(
        ask(answers(200, "<html>")).await,
        Err(ModelError::Unreadable)
    );
    assert_eq!(ask(answers(200, "")).await, Err(ModelError::Unreadable));
    let broken = ask(|| Ok(Response::new(Body::new(Broken(true))))).await;
    assert_eq!(broken, Err(ModelError::Unreachable));
}

#[tokio::test(start_paused = true)]
async fn one_failure_of_many_requests_fails_all_of_them() {
    let model = Presidio::at("http://presidio", |request: Request<Body>| async move {
        let body = request.into_body().into_bytes(1 << 16).await?;
        if String::from_utf8_lossy(&body).contains("bad") {
            return Err(Refusal::new(RefusalKind::Upstream, "code", "words"));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Response::new(Body::from("[]")))
    })
    .unwrap();
    assert_eq!(
        model.analyze(&["a"; 9]).await.map(|lists| lists.len()),
        Ok(9)
    );
    let mut texts = vec!["a"; 9];
    texts[7] = "bad";
    assert_eq!(model.analyze(&texts).await, Err(ModelError::Unreachable));
}

#[test]
fn an_address_that_cant_be_asked_is_a_mistake_of_configuration() {
    let at = |url: &str| {
        Presidio::at(url, |_: Request<Body>| {
            std::future::ready(Ok(Response::new(Body::empty())))
        })
        .map(drop)
    };
    for url in ["http://presidio", "https://presidio:3000/base/"] {
        assert_eq!(at(url), Ok(()));
    }
    for url in [
        "",
        "presidio:3000",
        "/analyze",
        "ftp://presidio",
        "http://",
        "http://presidio?a=b",
        "http://pre sidio",
    ] {
        assert_eq!(at(url), Err(ConfigError::ModelUrl), "{url}");
    }
}
