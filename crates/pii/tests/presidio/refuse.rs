//! What is refused, and how.

use std::time::Duration;

use bartizan_core::Body;
use bartizan_pii::PresidioService;
use http::Request;
use serde_json::{Value, json};

use super::{found, get, post, request, send, service};

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
async fn a_body_that_would_grow_in_memory_is_refused() {
    let many = |inside: &str| {
        let body = format!(r#"{{"text": "a", "language": "en", "more": {inside}}}"#);
        async move { send(&service(), request("/analyze", body)).await.0.as_u16() }
    };
    assert_eq!(many(&format!("[{}0]", "[],".repeat(100_000))).await, 413);
    // Text is no value, whatever it says.
    let text = format!(r#""\"{}""#, "[{,".repeat(100_000));
    assert_eq!(many(&text).await, 200);
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
