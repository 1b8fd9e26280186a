//! The service that answers as Presidio does.
#![cfg(feature = "presidio")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

mod analyze;
mod anonymize;
mod refuse;

use bartizan_core::Body;
use bartizan_pii::{
    Analyzing, ConfigError, Entity, Finding, Model, ModelError, PresidioService,
    PresidioServiceBuilder,
};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

pub(crate) fn service() -> PresidioService {
    PresidioService::builder().build().unwrap()
}

pub(crate) async fn send(service: &PresidioService, request: Request<Body>) -> (StatusCode, Value) {
    let answer = service.answer(request).await;
    let status = answer.status();
    let body = answer.into_body().into_bytes(1 << 24).await.unwrap();
    let body = match serde_json::from_slice(&body) {
        Ok(value) => value,
        Err(_) => Value::String(String::from_utf8(body.to_vec()).unwrap()),
    };
    (status, body)
}

pub(crate) fn request(path: &str, body: String) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap()
}

pub(crate) async fn post(path: &str, body: Value) -> (u16, Value) {
    let (status, value) = send(&service(), request(path, body.to_string())).await;
    (status.as_u16(), value)
}

pub(crate) async fn get(service: &PresidioService, path: &str) -> (StatusCode, Value) {
    send(service, Request::get(path).body(Body::empty()).unwrap()).await
}

pub(crate) fn found(start: usize, end: usize, entity: &str) -> Value {
    json!({"start": start, "end": end, "entity_type": entity, "score": 0.8})
}

#[tokio::test]
async fn a_caller_is_told_what_there_is_and_where() {
    let service = service();
    let (status, names) = get(&service, "/supportedentities?language=en").await;
    assert_eq!(status, 200);
    let names: Vec<&str> = names
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"IN_AADHAAR")
            && names.contains(&"CREDIT_CARD")
            && !names.contains(&"PERSON")
    );
    let (_, recognizers) = get(&service, "/recognizers").await;
    assert!(
        recognizers
            .as_array()
            .unwrap()
            .contains(&"CreditCardRecognizer".into())
    );
    assert_eq!(
        get(&service, "/anonymizers").await.1,
        json!(["encrypt", "hash", "keep", "mask", "redact", "replace"])
    );
    assert_eq!(
        get(&service, "/deanonymizers").await.1,
        json!(["deanonymize_keep", "decrypt"])
    );
    assert_eq!(get(&service, "/health").await.0, 200);
    assert_eq!(get(&service, "/nothing").await.0, 404);
    assert_eq!(get(&service, "/analyze").await.0, 405);
    let put = Request::builder()
        .method(Method::PUT)
        .uri("/health")
        .body(Body::empty())
        .unwrap();
    assert_eq!(send(&service, put).await.0, 405);
}

#[derive(Debug)]
struct OneName(bool);

impl Model for OneName {
    fn name(&self) -> &'static str {
        "one_name"
    }

    fn entities(&self) -> &[Entity] {
        &[Entity::Person]
    }

    fn analyze<'m>(&'m self, texts: &'m [&'m str]) -> Analyzing<'m> {
        Box::pin(async move {
            if !self.0 {
                return Err(ModelError::Unreachable);
            }
            let one = |text: &str| {
                let at = text.find("Ravi");
                at.map(|at| Finding::new(Entity::Person, at..at + 4, 0.85))
                    .into_iter()
                    .collect()
            };
            Ok(texts.iter().map(|text| one(text)).collect())
        })
    }
}

#[tokio::test]
async fn a_set_up_of_ones_own_is_looked_by() {
    let project = Entity::custom("SERVICE_PROJECT").unwrap();
    let service = PresidioService::builder()
        .analyzer([project], |builder| {
            builder
                .deny_list(project, ["Falcon"])
                .allow_list(None, ["info@example.in"])
        })
        .build()
        .unwrap();
    // The address holds a word of the list, and is found where only addresses are looked for.
    let text = "Falcon, info@example.in, ravi@example.in and\nfalcon@example.org";
    for (more, expected) in [
        (
            json!({}),
            vec!["EMAIL_ADDRESS", "SERVICE_PROJECT", "SERVICE_PROJECT"],
        ),
        (
            json!({"entities": ["SERVICE_PROJECT"]}),
            vec!["SERVICE_PROJECT", "SERVICE_PROJECT"],
        ),
        (
            json!({"entities": ["EMAIL_ADDRESS"]}),
            vec!["EMAIL_ADDRESS"; 2],
        ),
    ] {
        let mut body = json!({"text": text, "language": "en"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        // Twice: an analyzer that was kept finds the same.
        for _ in 0..2 {
            let (_, answer) = send(&service, request("/analyze", body.to_string())).await;
            let mut kinds: Vec<&str> = answer
                .as_array()
                .unwrap()
                .iter()
                .map(|hit| hit["entity_type"].as_str().unwrap())
                .collect();
            kinds.sort_unstable();
            assert_eq!(kinds, expected, "{answer}");
        }
    }
    let names = get(&service, "/supportedentities").await.1;
    assert!(
        names
            .as_array()
            .unwrap()
            .contains(&"SERVICE_PROJECT".into())
    );
}

#[tokio::test]
async fn a_model_finds_names_and_its_failure_fails_the_request_that_wants_them() {
    let with = |works: bool| {
        PresidioService::builder()
            .model(OneName(works))
            .build()
            .unwrap()
    };
    let ask = |more: Value| {
        let mut body = json!({"text": "é Ravi, ravi@example.in", "language": "en"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        request("/analyze", body.to_string())
    };
    let (_, answer) = send(&with(true), ask(json!({}))).await;
    assert_eq!(answer.as_array().unwrap().len(), 2, "{answer}");
    let (_, answer) = send(&with(true), ask(json!({"entities": ["PERSON"]}))).await;
    assert_eq!(
        answer,
        json!([{"analysis_explanation": null, "end": 6, "entity_type": "PERSON", "score": 0.85, "start": 2}])
    );
    let (status, answer) = send(&with(false), ask(json!({}))).await;
    assert_eq!(status, 503, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("one_name"));
    let (status, _) = send(&with(false), ask(json!({"entities": ["EMAIL_ADDRESS"]}))).await;
    assert_eq!(status, 200);
    assert!(
        get(&with(true), "/supportedentities")
            .await
            .1
            .as_array()
            .unwrap()
            .contains(&"PERSON".into())
    );
}

#[test]
fn a_service_that_could_find_nothing_isnt_built() {
    let built = |builder: PresidioServiceBuilder| builder.build().map(drop);
    let builder = PresidioService::builder;
    assert_eq!(
        built(builder().entities([])),
        Err(ConfigError::NothingToFind)
    );
    assert_eq!(
        built(builder().entities([Entity::Person])),
        Err(ConfigError::NeedsModel("PERSON"))
    );
    assert!(built(builder().score_threshold(1.5)).is_err());
}
