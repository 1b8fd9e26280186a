//! Anthropic's dialect, and others, as Amazon Bedrock and Vertex AI take it: what goes out, and what comes back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bartizan_core::{Body, Dialect, Event};
use bartizan_translate::catalogue::Envelope;
use bartizan_translate::{Target, TranslateLayer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use support::{Got, chat, exchange, post};

fn bedrock() -> TranslateLayer {
    let model = "eu.anthropic.claude-haiku-4-5-20251001-v1:0";
    let target = Target::new(Dialect::AnthropicMessages, model)
        .path("/model/{model}/invoke")
        .unwrap()
        .stream_path("/model/{model}/invoke-with-response-stream")
        .unwrap()
        .envelope(Envelope::Bedrock);
    support::layer().to(target)
}

fn vertex() -> TranslateLayer {
    let models = "/v1/projects/p/locations/global/publishers/anthropic/models/{model}";
    let target = Target::new(Dialect::AnthropicMessages, "claude-haiku-4-5@20251001")
        .path(&format!("{models}:rawPredict"))
        .unwrap()
        .stream_path(&format!("{models}:streamRawPredict"))
        .unwrap()
        .envelope(Envelope::Vertex);
    support::layer().to(target)
}

fn request(stream: bool) -> String {
    format!(
        r#"{{"model":"house","max_tokens":9, "messages":[{{"role":"user","content":"h\u0069"}}],"stream":{stream}}}"#
    )
}

fn frame(kind: &str, of: &str, name: &str, payload: &str) -> Vec<u8> {
    let headers = [(":message-type", kind), (of, name)].map(|(name, value)| {
        Header::new(
            name.to_owned(),
            HeaderValue::String(value.to_owned().into()),
        )
    });
    let mut bytes = Vec::new();
    let message = Message::new_from_parts(headers.to_vec(), payload.to_owned());
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn chunk(data: &str) -> Vec<u8> {
    let payload = json!({"bytes": STANDARD.encode(data), "p": "abc"}).to_string();
    frame("event", ":event-type", "chunk", &payload)
}

fn aws(bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = support::sse(bytes);
    let form = "application/vnd.amazon.eventstream".parse().unwrap();
    response.headers_mut().insert("content-type", form);
    response
}

/// The data of each event of a recorded stream.
fn datas(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect()
}

/// The streams that were recorded of Anthropic's own API.
fn recorded() -> Vec<String> {
    let all = support::recorded("anthropic.messages");
    let streams = all.iter().filter(|exchange| exchange["stream"] == true);
    streams
        .filter_map(|exchange| support::body(&exchange["response"]))
        .collect()
}

fn as_anthropic_sends(datas: &[&str]) -> String {
    let event = |data: &&str| {
        let json: Value = serde_json::from_str(data).unwrap();
        Event::new(json["type"].as_str(), data).to_bytes()
    };
    String::from_utf8(datas.iter().flat_map(event).collect()).unwrap()
}

#[tokio::test]
async fn an_anthropic_clients_request_changes_its_envelope_alone() {
    const REST: &str = r#""max_tokens":9,"messages":[{"role":"user","content":"h\u0069"}]"#;
    let models =
        "/v1/projects/p/locations/global/publishers/anthropic/models/claude-haiku-4-5%4020251001";
    let model = "/model/eu.anthropic.claude-haiku-4-5-20251001-v1%3A0";
    for (layer, stream, uri, body, kept) in [
        (
            bedrock(),
            false,
            format!("{model}/invoke"),
            format!(
                r#"{{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1","b"],{REST}}}"#
            ),
            false,
        ),
        (
            bedrock(),
            true,
            format!("{model}/invoke-with-response-stream"),
            format!(
                r#"{{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1","b"],{REST}}}"#
            ),
            false,
        ),
        (
            vertex(),
            false,
            format!("{models}:rawPredict"),
            format!(r#"{{"anthropic_version":"vertex-2023-10-16",{REST},"stream":false}}"#),
            true,
        ),
        (
            vertex(),
            true,
            format!("{models}:streamRawPredict"),
            format!(r#"{{"anthropic_version":"vertex-2023-10-16",{REST},"stream":true}}"#),
            true,
        ),
    ] {
        let mut asked = post("/v1/messages", request(stream));
        let headers = asked.headers_mut();
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
        headers.insert("anthropic-beta", "a-1, b".parse().unwrap());
        let got = exchange(&layer, asked, support::json(200, support::REPLY)).await;
        let sent = got.sent.unwrap();
        assert_eq!(sent.uri.to_string(), uri);
        assert_eq!(sent.text, body);
        assert!(!sent.headers.contains_key("anthropic-version"));
        assert_eq!(sent.headers.contains_key("anthropic-beta"), kept);
        assert_eq!(got.text, support::REPLY, "the answer's bytes pass");
    }
}

#[tokio::test]
async fn another_clients_request_goes_out_in_the_same_envelope() {
    let body = json!({"model": "house", "max_tokens": 9, "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let got = exchange(&bedrock(), chat(body.to_string()), aws("")).await;
    let sent = got.sent.unwrap();
    assert_eq!(
        sent.text,
        r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#
    );
    assert!(sent.uri.path().ends_with("/invoke-with-response-stream"));
    assert!(!sent.headers.contains_key("anthropic-version"));
}

#[tokio::test]
async fn an_anthropic_client_gets_the_events_in_the_frames_byte_for_byte() {
    for text in recorded() {
        let datas = datas(&text);
        let frames: Vec<u8> = datas.iter().flat_map(|data| chunk(data)).collect();
        let got = exchange(&bedrock(), post("/v1/messages", request(true)), aws(frames)).await;
        assert_eq!(got.headers["content-type"], "text/event-stream");
        assert_eq!(got.text, as_anthropic_sends(&datas));
    }
}

#[tokio::test]
async fn another_client_gets_what_it_would_of_anthropic_itself() {
    let ask =
        json!({"model": "house", "stream": true, "messages": [{"role": "user", "content": "hi"}]})
            .to_string();
    for text in recorded() {
        let datas = datas(&text);
        let frames: Vec<u8> = datas.iter().flat_map(|data| chunk(data)).collect();
        let through_bedrock = exchange(&bedrock(), chat(ask.clone()), aws(frames)).await;
        let events = as_anthropic_sends(&datas);
        let straight = exchange(
            &support::layer(),
            chat(ask.clone()),
            support::sse(events.clone()),
        )
        .await;
        let through_vertex = exchange(&vertex(), chat(ask.clone()), support::sse(events)).await;
        assert_eq!(through_bedrock.text, straight.text);
        assert_eq!(through_vertex.text, straight.text);
        assert!(straight.is_done());
    }
}

const EVENTS: [&str; 4] = [
    r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"hi"}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}"#,
];
const STOP: &str =
    r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}"#;

async fn both(bytes: &[u8]) -> [Got; 2] {
    let ask =
        json!({"model": "house", "stream": true, "messages": [{"role": "user", "content": "hi"}]})
            .to_string();
    let (own, other) = (post("/v1/messages", request(true)), chat(ask));
    let answer = || aws(bytes.to_vec());
    [
        exchange(&bedrock(), own, answer()).await,
        exchange(&bedrock(), other, answer()).await,
    ]
}

#[tokio::test]
async fn exceptions_are_failures_of_their_class() {
    for (name, code, kind) in [
        (
            "throttlingException",
            "upstream_rate_limit",
            "rate_limit_error",
        ),
        ("modelTimeoutException", "upstream_timeout", "timeout_error"),
        (
            "validationException",
            "upstream_invalid_request",
            "invalid_request_error",
        ),
        (
            "serviceUnavailableException",
            "upstream_overloaded",
            "api_error",
        ),
        ("internalServerException", "upstream_error", "api_error"),
    ] {
        let mut bytes: Vec<u8> = EVENTS[..2].iter().flat_map(|data| chunk(data)).collect();
        bytes.extend(frame(
            "exception",
            ":exception-type",
            name,
            r#"{"message":"so"}"#,
        ));
        let [own, other] = both(&bytes).await;
        let last: Value = serde_json::from_str(datas(&own.text).last().unwrap()).unwrap();
        assert_eq!(
            (&last["type"], &last["error"]["type"]),
            (&json!("error"), &json!(kind)),
            "{name}"
        );
        assert!(own.text.contains("event: error\n"));
        assert_eq!(
            other.chunks().last().unwrap()["error"]["code"],
            code,
            "{name}"
        );
        assert!(!other.is_done());
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_or_broken_never_ends_well() {
    let mut frames: Vec<Vec<u8>> = EVENTS.iter().map(|data| chunk(data)).collect();
    frames.push(chunk(STOP));
    let [own, other] = both(&frames.concat()).await;
    assert!(own.text.ends_with("\n\n") && own.text.contains("message_stop") && other.is_done());
    for count in 0..frames.len() {
        let whole = frames[..count].concat();
        let mut within = whole.clone();
        within.extend(&frames[count][..20]);
        let mut broken = frames[..=count].concat();
        let last = broken.len() - 1;
        broken[last] ^= 1;
        for bytes in [whole, within, broken] {
            let [own, other] = both(&bytes).await;
            assert!(
                own.text.contains("event: error") && !own.text.contains("message_stop"),
                "{count}: {}",
                own.text
            );
            assert!(
                other.text.contains("\"error\"") && !other.is_done(),
                "{count}: {}",
                other.text
            );
        }
    }
}

#[tokio::test]
async fn failures_before_the_answer_are_told_anew() {
    for layer in [bedrock(), vertex()] {
        let error = support::json(429, json!({"message": "canary"}).to_string());
        let got = exchange(&layer, post("/v1/messages", request(true)), error).await;
        assert_eq!(
            (got.status, &got.json()["error"]["type"]),
            (429, &json!("rate_limit_error"))
        );
        assert!(!got.text.contains("canary"));
    }
}

#[tokio::test]
async fn vertex_counts_at_a_path_of_its_own_and_bedrock_does_not_in_this_dialect() {
    let ask = r#"{"model":"house","messages":[{"role":"user","content":"hi"}]}"#;
    let count = || post("/v1/messages/count_tokens", ask);
    let got = exchange(
        &vertex(),
        count(),
        support::json(200, r#"{"input_tokens":8}"#),
    )
    .await;
    let sent = got.sent.unwrap();
    assert_eq!(
        sent.uri,
        "/v1/projects/p/locations/global/publishers/anthropic/models/count-tokens:rawPredict"
    );
    assert_eq!(
        sent.text,
        r#"{"anthropic_version":"vertex-2023-10-16","model":"claude-haiku-4-5@20251001","messages":[{"role":"user","content":"hi"}]}"#
    );
    assert_eq!(got.text, r#"{"input_tokens":8}"#);
    let got = exchange(&bedrock(), count(), support::json(500, "{}")).await;
    assert!(got.sent.is_none());
    assert_eq!(got.headers[bartizan_translate::ESTIMATED], "tokens");
}

#[tokio::test]
async fn coheres_models_on_bedrock_are_named_in_the_path() {
    for (dialect, path, ask, sent) in [
        (
            Dialect::CohereRerank,
            "/v2/rerank",
            r#"{"model":"house","query":"q","documents":["a"]}"#,
            r#"{"api_version":2,"query":"q","documents":["a"]}"#,
        ),
        (
            Dialect::CohereEmbed,
            "/v2/embed",
            r#"{"model":"house","texts":["a"],"input_type":"search_query"}"#,
            r#"{"texts":["a"],"input_type":"search_query","embedding_types":["float"]}"#,
        ),
    ] {
        let target = Target::new(dialect, "cohere.model-v1:0")
            .path("/model/{model}/invoke")
            .unwrap()
            .envelope(Envelope::Bedrock);
        let got = exchange(
            &support::layer().to(target),
            post(path, ask),
            support::json(200, "{}"),
        )
        .await;
        let out = got.sent.unwrap();
        assert_eq!(
            (out.uri.path(), out.text.as_str()),
            ("/model/cohere.model-v1%3A0/invoke", sent)
        );
    }
}
