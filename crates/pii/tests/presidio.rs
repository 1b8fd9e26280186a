//! The service that answers as Presidio does.
#![cfg(feature = "presidio")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use std::time::Duration;

use bartizan_core::Body;
use bartizan_pii::{
    Analyzing, ConfigError, Entity, Finding, Model, ModelError, PresidioService,
    PresidioServiceBuilder,
};
use http::{Method, Request, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

fn service() -> PresidioService {
    PresidioService::builder().build().unwrap()
}

async fn send(service: &PresidioService, request: Request<Body>) -> (StatusCode, Value) {
    let answer = service.answer(request).await;
    let status = answer.status();
    let body = answer.into_body().into_bytes(1 << 24).await.unwrap();
    let body = match serde_json::from_slice(&body) {
        Ok(value) => value,
        Err(_) => Value::String(String::from_utf8(body.to_vec()).unwrap()),
    };
    (status, body)
}

fn request(path: &str, body: String) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap()
}

async fn post(path: &str, body: Value) -> (u16, Value) {
    let (status, value) = send(&service(), request(path, body.to_string())).await;
    (status.as_u16(), value)
}

async fn get(service: &PresidioService, path: &str) -> (StatusCode, Value) {
    send(service, Request::get(path).body(Body::empty()).unwrap()).await
}

fn found(start: usize, end: usize, entity: &str) -> Value {
    json!({"start": start, "end": end, "entity_type": entity, "score": 0.8})
}

#[tokio::test]
async fn positions_count_characters_and_a_list_gets_a_list() {
    let texts = [
        "mail ravi@example.in",
        "\u{1f600}\u{1f600} é mail ravi@example.in",
        "nothing",
    ];
    let (status, answer) = post("/analyze", json!({"text": texts, "language": "en"})).await;
    assert_eq!(status, 200);
    let places: Vec<Vec<(u64, u64)>> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|list| {
            let list = list.as_array().unwrap();
            let place =
                |hit: &Value| (hit["start"].as_u64().unwrap(), hit["end"].as_u64().unwrap());
            list.iter().map(place).collect()
        })
        .collect();
    assert_eq!(places, [vec![(5, 20)], vec![(10, 25)], vec![]]);
    let (_, one) = post("/analyze", json!({"text": texts[0], "language": "hi"})).await;
    assert_eq!(one, answer[0]);
    let members: Vec<&String> = one[0].as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "analysis_explanation",
            "end",
            "entity_type",
            "score",
            "start"
        ]
    );
    assert!(one[0]["analysis_explanation"].is_null());
}

#[tokio::test]
async fn the_decision_is_explained_where_asked() {
    let body = json!({"text": "card 4111 1111 1111 1111", "language": "en", "return_decision_process": true});
    let (_, answer) = post("/analyze", body).await;
    let told = &answer[0]["analysis_explanation"];
    assert_eq!(told["recognizer"], "CreditCardRecognizer");
    assert_eq!(told["validation_result"], true);
    assert_eq!(told["score"], answer[0]["score"]);
    assert!(
        told["textual_explanation"]
            .as_str()
            .unwrap()
            .contains("luhn")
    );
}

#[tokio::test]
async fn kinds_and_scores_are_chosen_by_the_request() {
    let text = "ravi@example.in, 192.0.2.7, https://example.in/a";
    for (more, expected) in [
        (json!({}), vec!["EMAIL_ADDRESS", "IP_ADDRESS"]),
        (
            json!({"entities": ["IP_ADDRESS", "PERSON"]}),
            vec!["IP_ADDRESS"],
        ),
        (json!({"entities": []}), vec!["EMAIL_ADDRESS", "IP_ADDRESS"]),
        (
            json!({"score_threshold": 1.0, "entities": ["PHONE_NUMBER"]}),
            vec![],
        ),
        (json!({"allow_list": ["192.0.2.7"]}), vec!["EMAIL_ADDRESS"]),
        (
            json!({"allow_list": [".*@EXAMPLE.in"], "allow_list_match": "regex"}),
            vec!["IP_ADDRESS"],
        ),
        (
            json!({"allow_list": [".*@EXAMPLE.in"], "allow_list_match": "regex", "regex_flags": 0}),
            vec!["EMAIL_ADDRESS", "IP_ADDRESS"],
        ),
        (
            json!({"allow_list": [".*@example.in"]}),
            vec!["EMAIL_ADDRESS", "IP_ADDRESS"],
        ),
    ] {
        let mut body = json!({"text": text, "language": "en"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (status, answer) = post("/analyze", body).await;
        assert_eq!(status, 200, "{more}: {answer}");
        let mut kinds: Vec<&str> = answer
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["entity_type"].as_str().unwrap())
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, expected, "{more}");
    }
}

#[tokio::test]
async fn a_request_brings_recognizers_of_its_own() {
    let zip = |more: Value| {
        let mut zip = json!({
            "name": "Zip", "supported_language": "en", "supported_entity": "ZIP",
            "patterns": [{"name": "five digits", "regex": r"\b\d{5}\b", "score": 0.01}],
        });
        zip.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        zip
    };
    let titles = json!({"name": "Titles", "supported_entity": "TITLE", "deny_list": ["Mr.", "Dr"]});
    for (recognizers, text, more, expected) in [
        (
            json!([zip(json!({}))]),
            "at 10023 é",
            json!({}),
            json!([["ZIP", 3, 8, 0.01]]),
        ),
        (
            json!([zip(json!({"context": ["zip"]}))]),
            "é Zip code: 10023",
            json!({}),
            json!([["ZIP", 12, 17, 0.4]]),
        ),
        (
            json!([zip(json!({"context": ["zip"]}))]),
            "at 10023",
            json!({"context": ["ZIPCODE"]}),
            json!([["ZIP", 3, 8, 0.4]]),
        ),
        (
            json!([zip(json!({"context": ["zip"]}))]),
            "at 10023",
            json!({"context": ["street"]}),
            json!([["ZIP", 3, 8, 0.01]]),
        ),
        (
            json!([zip(json!({}))]),
            "at 10023",
            json!({"score_threshold": 0.5}),
            json!([]),
        ),
        (
            json!([zip(json!({"supported_language": "de"}))]),
            "at 10023",
            json!({}),
            json!([]),
        ),
        (
            json!([zip(json!({}))]),
            "at 10023",
            json!({"entities": ["EMAIL_ADDRESS"]}),
            json!([]),
        ),
        (
            json!([zip(json!({}))]),
            "at 10023",
            json!({"entities": ["ZIP"]}),
            json!([["ZIP", 3, 8, 0.01]]),
        ),
        (
            json!([titles]),
            "mr. Drew, dr Who",
            json!({}),
            json!([["TITLE", 0, 3, 1.0], ["TITLE", 10, 12, 1.0]]),
        ),
    ] {
        let mut body = json!({"text": text, "language": "en", "ad_hoc_recognizers": recognizers});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (status, answer) = post("/analyze", body).await;
        assert_eq!(status, 200, "{answer}");
        let told: Vec<Value> = answer
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| json!([hit["entity_type"], hit["start"], hit["end"], hit["score"]]))
            .collect();
        assert_eq!(Value::Array(told), expected, "{text} {more}");
    }
}

#[tokio::test]
async fn a_word_of_the_requests_context_raises_what_is_faint() {
    let text = "it is 2341 2341 2346 or 234123412346";
    let body = |context: Value| json!({"text": text, "language": "en", "entities": ["IN_AADHAAR"], "context": context, "score_threshold": 0.95, "return_decision_process": true});
    let (_, without) = post("/analyze", body(json!(["weather"]))).await;
    let (_, with) = post("/analyze", body(json!(["weather", "aadhaar"]))).await;
    assert_eq!(without, json!([]));
    assert!(!with.as_array().unwrap().is_empty());
    let told = &with[0]["analysis_explanation"];
    assert_eq!(told["supportive_context_word"], "aadhaar");
    assert!(told["score_context_improvement"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn what_cant_be_done_is_told_as_presidio_does() {
    let recognizer = |pattern: Value| json!({"text": "a", "language": "en", "ad_hoc_recognizers": [{"supported_entity": "X", "patterns": [pattern]}]});
    let anonymize = |more: Value| {
        let mut body = json!({"text": "hello", "analyzer_results": [found(0, 2, "X")]});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let by = |operator: Value| anonymize(json!({"anonymizers": {"X": operator}}));
    for (path, body, status, says) in [
        (
            "/analyze",
            json!({"language": "en"}),
            500,
            "No text provided",
        ),
        (
            "/analyze",
            json!({"text": "", "language": "en"}),
            500,
            "No text provided",
        ),
        (
            "/analyze",
            json!({"text": "canary"}),
            500,
            "No language provided",
        ),
        (
            "/analyze",
            json!({"text": "canary", "language": "not a language"}),
            500,
            "No matching recognizers were found to serve the request.",
        ),
        (
            "/analyze",
            json!({"text": "canary", "language": "en", "entities": ["PERSON"]}),
            500,
            "No matching recognizers were found to serve the request.",
        ),
        (
            "/analyze",
            json!({"text": 7, "language": "en"}),
            400,
            "text must be a string or a list of strings, not number",
        ),
        ("/analyze", json!([]), 400, "the body must be a JSON object"),
        (
            "/analyze",
            json!({"text": "canary", "language": "en", "allow_list": ["a"], "allow_list_match": "canary"}),
            500,
            "allow_list_match must either be set to 'exact' or 'regex'.",
        ),
        (
            "/analyze",
            recognizer(json!({"type": "weak", "bebex": "a", "confidence": 0.1})),
            400,
            "Failed to parse /analyze request for AnalyzerEngine.analyze().",
        ),
        (
            "/analyze",
            recognizer(json!({"name": "n", "regex": r"(?<!\d)canary", "score": 0.1})),
            400,
            "Invalid regex pattern: look-around",
        ),
        (
            "/analyze",
            recognizer(json!({"name": "n", "regex": "(canary", "score": 0.1})),
            400,
            "Invalid regex pattern",
        ),
        (
            "/analyze",
            recognizer(json!({"name": "n", "regex": "a", "score": 1.1})),
            500,
            "Invalid score",
        ),
        ("/anonymize", json!({}), 400, "Invalid request json"),
        ("/deanonymize", json!({}), 400, "Invalid request json"),
        (
            "/anonymize",
            json!({"text": "hello"}),
            422,
            "Invalid input, request must contain analyzer results",
        ),
        (
            "/anonymize",
            by(json!({"type": "custom"})),
            400,
            "Custom type anonymizer is not supported",
        ),
        (
            "/anonymize",
            by(json!({"type": "nope"})),
            422,
            "Invalid operator class 'nope'.",
        ),
        (
            "/anonymize",
            by(json!({"type": "decrypt", "key": "k"})),
            422,
            "Invalid operator class 'decrypt'.",
        ),
        (
            "/anonymize",
            by(json!({})),
            422,
            "Invalid input, operator config must contain operator_name",
        ),
        (
            "/anonymize",
            by(
                json!({"type": "mask", "masking_char": "**", "chars_to_mask": 1, "from_end": false}),
            ),
            422,
            "Invalid input, masking_char must be a character",
        ),
        (
            "/anonymize",
            by(json!({"type": "mask", "masking_char": "*", "chars_to_mask": 1})),
            422,
            "Expected parameter from_end",
        ),
        (
            "/anonymize",
            by(json!({"type": "replace", "new_value": 7})),
            422,
            "Invalid parameter value for new_value. Expecting 'string', but got 'number'.",
        ),
        (
            "/anonymize",
            by(json!({"type": "encrypt", "key": "short"})),
            422,
            "Invalid input, key must be of length 128, 192 or 256 bits",
        ),
        (
            "/anonymize",
            by(json!({"type": "encrypt"})),
            422,
            "Expected parameter key",
        ),
        (
            "/anonymize",
            by(json!({"type": "hash", "salt": "short"})),
            422,
            "Salt must be at least 16 bytes",
        ),
        (
            "/anonymize",
            anonymize(json!({"analyzer_results": [found(0, 9, "X")]})),
            422,
            "Invalid analyzer result, start: 0 and end: 9, while text length is only 5.",
        ),
        (
            "/anonymize",
            anonymize(json!({"analyzer_results": [found(2, 1, "X")]})),
            422,
            "Invalid input, start index '2' must be smaller than end index '1'",
        ),
        (
            "/anonymize",
            anonymize(
                json!({"analyzer_results": [{"start": -1, "end": 2, "entity_type": "X", "score": 1}]}),
            ),
            422,
            "Invalid input, result start and end must be positive",
        ),
        (
            "/anonymize",
            anonymize(json!({"analyzer_results": [{"start": 0, "end": 2, "entity_type": "X"}]})),
            422,
            "Invalid input, analyzer result must contain score",
        ),
        (
            "/deanonymize",
            json!({"text": "canary", "anonymizer_results": [found(0, 2, "X")]}),
            500,
            "Internal server error",
        ),
        (
            "/deanonymize",
            json!({"text": "canary", "anonymizer_results": [found(0, 6, "X")], "deanonymizers": {"X": {"type": "decrypt", "key": "1111111111111111"}}}),
            422,
            "Invalid input, the text can't be decrypted with this key",
        ),
    ] {
        let (code, answer) = post(path, body.clone()).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert_eq!(code, status, "{path} {body}: {answer}");
        assert!(error.starts_with(says), "{path} {body}: {error}");
        assert!(!error.contains("canary"), "{error}");
        assert_eq!(answer.as_object().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn operators_do_what_presidios_do() {
    let text = "I am Jane Doe, 034453334 é";
    let results = json!([
        found(5, 13, "NAME"),
        found(5, 9, "FIRST_NAME"),
        found(10, 13, "LAST_NAME"),
        found(15, 24, "PHONE_NUMBER"),
    ]);
    for (anonymizers, expected) in [
        (json!({}), "I am <NAME>, <PHONE_NUMBER> é"),
        (Value::Null, "I am <NAME>, <PHONE_NUMBER> é"),
        (
            json!({"DEFAULT": {"type": "replace", "new_value": "ANON"}}),
            "I am ANON, ANON é",
        ),
        (
            json!({"NAME": {"type": "redact"}}),
            "I am , <PHONE_NUMBER> é",
        ),
        (
            json!({"NAME": {"type": "keep"}, "PHONE_NUMBER": {"type": "mask", "masking_char": "*", "chars_to_mask": 4, "from_end": true}}),
            "I am Jane Doe, 03445**** é",
        ),
        (
            json!({"NAME": {"type": "mask", "masking_char": "é", "chars_to_mask": 99, "from_end": false}}),
            "I am éééééééé, <PHONE_NUMBER> é",
        ),
        // sha256("Jane Doe" + sixteen times "s"), by coreutils.
        (
            json!({"NAME": {"type": "hash", "salt": "ssssssssssssssss"}}),
            "I am c3e07651190497bd83dbc61b9a7bb194145ed35823d9c738bf0380e3316b4729, <PHONE_NUMBER> é",
        ),
    ] {
        let (status, answer) = post(
            "/anonymize",
            json!({"text": text, "anonymizers": anonymizers, "analyzer_results": results}),
        )
        .await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["text"], expected, "{anonymizers}");
        let changed: Vec<char> = expected.chars().collect();
        let items = answer["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        for item in items {
            let place =
                item["start"].as_u64().unwrap() as usize..item["end"].as_u64().unwrap() as usize;
            let there: String = changed[place].iter().collect();
            assert_eq!(item["text"], there);
        }
    }
    let (status, nothing) = post("/anonymize", json!({"text": "", "analyzer_results": []})).await;
    assert_eq!((status, nothing), (200, json!({"text": "", "items": []})));
}

#[tokio::test]
async fn what_was_encrypted_comes_back() {
    let text = "आधार of Jane, and Ravi";
    let operators = |kind: &str| json!({"DEFAULT": {"type": kind, "key": "1111111111111111"}, "B": {"type": kind, "key": "2222222222222222"}});
    let (_, sealed) = post("/anonymize", json!({
        "text": text, "anonymizers": operators("encrypt"), "analyzer_results": [found(8, 12, "A"), found(18, 22, "B")],
    }))
    .await;
    assert!(!sealed["text"].as_str().unwrap().contains("Jane"));
    let (status, back) = post("/deanonymize", json!({
        "text": sealed["text"], "deanonymizers": operators("decrypt"), "anonymizer_results": sealed["items"],
    }))
    .await;
    assert_eq!((status, &back["text"]), (200, &text.into()));
    // Written by Presidio's own library.
    let theirs = "e6HnOMnIxbd4a8Qea44LshQDnjvxwzBIaAz+YqHNnMW2mC5r3AWoay8Spsoajyyy";
    let (_, back) = post(
        "/deanonymize",
        json!({
            "text": theirs, "deanonymizers": {"N": {"type": "decrypt", "key": "1111111111111111"}},
            "anonymizer_results": [{"start": 0, "end": theirs.len(), "entity_type": "N"}],
        }),
    )
    .await;
    assert_eq!(back["text"], "text_for_encryption");
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

#[tokio::test]
async fn a_body_that_isnt_taken_is_refused_before_it_costs_anything() {
    let service = PresidioService::builder()
        .body_limit(200)
        .max_texts(2)
        .max_results(1)
        .build()
        .unwrap();
    let plain = |kind: &str| {
        Request::post("/analyze")
            .header("content-type", kind)
            .body(Body::from("{}"))
            .unwrap()
    };
    assert_eq!(send(&service, plain("text/plain")).await.0, 415);
    assert_eq!(
        send(&service, plain("application/json; charset=utf-8"))
            .await
            .0,
        500
    );
    let mut packed = request("/analyze", "{}".to_owned());
    packed
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(send(&service, packed).await.0, 415);
    for (path, body, status) in [
        (
            "/analyze",
            json!({"text": "a".repeat(300), "language": "en"}),
            413,
        ),
        (
            "/analyze",
            json!({"text": ["a", "b", "c"], "language": "en"}),
            413,
        ),
        (
            "/anonymize",
            json!({"text": "ab", "analyzer_results": [found(0, 1, "X"), found(1, 2, "X")]}),
            413,
        ),
        ("/analyze", json!("canary"), 400),
    ] {
        let (code, answer) = send(&service, request(path, body.to_string())).await;
        assert_eq!(code, status, "{answer}");
        assert!(!answer.to_string().contains("canary"));
    }
    let (status, answer) = send(
        &service,
        request("/analyze", r#"{"text": "canary"#.to_owned()),
    )
    .await;
    assert_eq!(
        (status.as_u16(), answer),
        (
            400,
            json!({"error": "the body is no JSON: line 1, column 16"})
        )
    );
}

#[tokio::test]
async fn a_key_is_asked_for_where_there_is_one() {
    let service = PresidioService::builder()
        .bearer("the-key".into())
        .build()
        .unwrap();
    for (given, status) in [
        (None, 401),
        (Some("Bearer the-key"), 200),
        (Some("bearer the-key"), 200),
        (Some("Bearer the-kex"), 401),
        (Some("Bearer "), 401),
        (Some("the-key"), 401),
    ] {
        let mut request = Request::get("/anonymizers").body(Body::empty()).unwrap();
        if let Some(given) = given {
            request
                .headers_mut()
                .insert("authorization", given.parse().unwrap());
        }
        assert_eq!(send(&service, request).await.0, status, "{given:?}");
    }
    assert_eq!(get(&service, "/health").await.0, 200);
}

#[tokio::test]
async fn a_request_whose_patterns_take_too_long_ends() {
    let service = PresidioService::builder()
        .timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    // Each search runs to the text's end before it settles for one letter.
    let body = json!({
        "text": "A".repeat(1 << 20), "language": "en",
        "ad_hoc_recognizers": [{"supported_entity": "X", "patterns": [{"name": "n", "regex": ".*[^A-Z]|[A-Z]", "score": 0.5}]}],
    });
    let (status, answer) = send(&service, request("/analyze", body.to_string())).await;
    assert_eq!(
        (status.as_u16(), answer),
        (503, json!({"error": "the request took too long"}))
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_ends() {
    let request = Request::post("/analyze")
        .header("content-type", "application/json")
        .body(Body::new(Never))
        .unwrap();
    assert_eq!(send(&service(), request).await.0, 503);
}

struct Never;

impl http_body::Body for Never {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>> {
        std::task::Poll::Pending
    }
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

proptest! {
    #[test]
    fn whatever_spans_come_the_answer_tells_where_each_change_is(
        text in "[a-d\u{e9}\u{1f600} ]{0,24}",
        spans in prop::collection::vec((0_usize..26, 0_usize..9, 0_usize..3, 0_u8..4), 0..8),
    ) {
        let count = text.chars().count();
        let results: Vec<Value> = spans
            .iter()
            .map(|(start, length, kind, score)| {
                let (kind, score) = (["A", "B", "C"][*kind], f64::from(*score) / 4.0);
                json!({"start": start, "end": start + length, "entity_type": kind, "score": score})
            })
            .collect();
        let outside = spans.iter().any(|(start, length, ..)| start + length > count);
        let body = json!({"text": text, "analyzer_results": results, "anonymizers": {"A": {"type": "keep"}, "B": {"type": "redact"}}});
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (status, answer) = runtime.block_on(post("/anonymize", body));
        prop_assert_eq!(status, if outside { 422 } else { 200 }, "{}", answer);
        if !outside {
            let changed: Vec<char> = answer["text"].as_str().unwrap().chars().collect();
            for item in answer["items"].as_array().unwrap() {
                let place = item["start"].as_u64().unwrap() as usize..item["end"].as_u64().unwrap() as usize;
                let there: String = changed[place].iter().collect();
                prop_assert_eq!(item["text"].as_str().unwrap(), there);
            }
        }
    }
}
