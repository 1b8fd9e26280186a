//! The layer around a service, in each API's language, whole and streamed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bartizan_core::{Dialect, Refusal, Trail};
use bartizan_pii::{Entity, Operator, PiiLayer, PiiLayerBuilder};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";

/// What the provider got and what the caller got.
struct Seen {
    provider: Option<String>,
    status: StatusCode,
    answer: String,
    refusal: Option<Refusal>,
    notes: Vec<String>,
}

async fn gather(body: bartizan_core::Body) -> Bytes {
    BodyExt::collect(body).await.unwrap().to_bytes()
}

fn all() -> PiiLayerBuilder {
    PiiLayer::builder().mask(Entity::usual())
}

async fn call(
    layer: PiiLayerBuilder,
    path: &str,
    body: &str,
    kind: &'static str,
    answer: &str,
) -> Seen {
    let request = Request::post(path).header("content-type", "application/json");
    call_with(
        layer,
        request.body(Full::from(body.to_owned())).unwrap(),
        kind,
        answer,
    )
    .await
}

async fn call_with(
    layer: PiiLayerBuilder,
    request: Request<Full<Bytes>>,
    kind: &'static str,
    answer: &str,
) -> Seen {
    let got = Arc::new(Mutex::new(None));
    let answer = Bytes::from(answer.to_owned());
    let provider = {
        let got = Arc::clone(&got);
        service_fn(move |request: Request<bartizan_core::Body>| {
            let (got, answer) = (Arc::clone(&got), answer.clone());
            async move {
                let length = request
                    .headers()
                    .get("content-length")
                    .map(|length| length.to_str().unwrap().parse().unwrap());
                let body = gather(request.into_body()).await;
                assert!(length.is_none_or(|length: usize| length == body.len()));
                *got.lock().unwrap() = Some(String::from_utf8(body.to_vec()).unwrap());
                Ok::<_, Infallible>(
                    Response::builder()
                        .header("content-type", kind)
                        .body(Full::from(answer))
                        .unwrap(),
                )
            }
        })
    };
    let trail = Trail::new();
    let mut request = request;
    request.extensions_mut().insert(trail.clone());
    let response = layer
        .build()
        .unwrap()
        .layer(provider)
        .oneshot(request)
        .await
        .unwrap();
    let status = response.status();
    let refusal = response.extensions().get::<Refusal>().cloned();
    let answer = gather(response.into_body()).await;
    Seen {
        provider: got.lock().unwrap().take(),
        status,
        answer: String::from_utf8(answer.to_vec()).unwrap(),
        refusal,
        notes: trail.notes().iter().map(ToString::to_string).collect(),
    }
}

/// The data of an event stream's events, in order.
fn events(stream: &str) -> Vec<Value> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn joined(stream: &str, path: &[&str]) -> String {
    let text = |event: &Value| {
        path.iter()
            .try_fold(event, |value, name| match name.parse::<usize>() {
                Ok(index) => value.get(index),
                Err(_) => value.get(name),
            })?
            .as_str()
            .map(ToOwned::to_owned)
    };
    events(stream).iter().filter_map(text).collect()
}

/// Every way to cut `text` in three.
fn cuts(text: &str) -> impl Iterator<Item = [&str; 3]> {
    let places: Vec<usize> = text
        .char_indices()
        .map(|(place, _)| place)
        .chain([text.len()])
        .collect();
    let pairs: Vec<(usize, usize)> = places
        .iter()
        .enumerate()
        .flat_map(|(at, first)| places[at..].iter().map(|second| (*first, *second)))
        .collect();
    pairs
        .into_iter()
        .map(move |(first, second)| [&text[..first], &text[first..second], &text[second..]])
}

#[tokio::test]
async fn every_part_of_a_chat_request_is_masked_and_the_answer_is_restored() {
    let tool = json!({"to": "ravi@example.in", "note": "IP 203.0.113.9", "n": 1}).to_string();
    let request = json!({
        "model": "demo",
        "user": "ravi@example.in",
        "messages": [
            {"role": "system", "content": "The customer is ravi@example.in"},
            {"role": "user", "content": [
                {"type": "text", "text": "My Aadhaar is 2341 2341 2346"},
                {"type": "file", "file": {"filename": "ravi@example.in.pdf", "file_data": "data:,x"}},
            ]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "send", "arguments": tool}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sent to ravi@example.in, call +91 98765 43210"},
        ],
    })
    .to_string();
    let answer = json!({"choices": [{"index": 0, "message": {
        "role": "assistant",
        "content": "Mail <EMAIL_ADDRESS_1>, Aadhaar <IN_AADHAAR_1>",
        "tool_calls": [{"id": "call_2", "type": "function", "function": {
            "name": "send", "arguments": "{\"to\": \"<EMAIL_ADDRESS_1>\", \"n\": 2}",
        }}],
    }, "finish_reason": "tool_calls"}]})
    .to_string();
    let seen = call(all(), CHAT, &request, "application/json", &answer).await;

    let sent = seen.provider.unwrap();
    for secret in ["ravi", "2341", "203.0", "98765"] {
        assert!(!sent.contains(secret), "{secret} in {sent}");
    }
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(sent["user"], "<EMAIL_ADDRESS_1>");
    assert_eq!(
        sent["messages"][2]["tool_calls"][0]["function"]["arguments"],
        r#"{"n":1,"note":"IP <IP_ADDRESS_1>","to":"<EMAIL_ADDRESS_1>"}"#
    );
    let got: Value = serde_json::from_str(&seen.answer).unwrap();
    let message = &got["choices"][0]["message"];
    assert_eq!(
        message["content"],
        "Mail ravi@example.in, Aadhaar 2341 2341 2346"
    );
    assert_eq!(
        message["tool_calls"][0]["function"]["arguments"],
        r#"{"to": "ravi@example.in", "n": 2}"#
    );
    assert_eq!(
        seen.notes,
        [
            "pii masked IN_AADHAAR=1 PHONE_NUMBER=1 EMAIL_ADDRESS=5 IP_ADDRESS=1 direction=request",
            "pii restored placeholders=3",
        ]
    );
}

#[tokio::test]
async fn what_holds_no_personal_data_passes_byte_for_byte() {
    let request = "{ \"model\":\"demo\",\n \"messages\":[{\"role\":\"user\",\"content\":\"caf\\u00e9 at 1.50e0\"}], \"temperature\": 1.0 }";
    let answer = "{ \"choices\":[ ] }";
    let seen = call(all(), CHAT, request, "application/json", answer).await;
    assert_eq!(
        (seen.provider.as_deref(), seen.answer.as_str()),
        (Some(request), answer)
    );
    assert!(seen.notes.is_empty());
}

#[tokio::test]
async fn a_placeholder_in_a_chat_stream_is_restored_wherever_it_is_cut() {
    let request = json!({"model": "demo", "stream": true, "messages": [{"role": "user", "content": "I am ravi@example.in"}]});
    for pieces in cuts("Hi <EMAIL_ADDRESS_1>!") {
        let chunk = |content: &str| {
            let chunk = json!({"id": "1", "choices": [{"index": 0, "delta": {"content": content}, "finish_reason": null}]});
            format!("data: {chunk}\n\n")
        };
        let end = "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        let stream = pieces.map(chunk).concat() + end;
        let seen = call(
            all(),
            CHAT,
            &request.to_string(),
            "text/event-stream",
            &stream,
        )
        .await;
        let text = joined(&seen.answer, &["choices", "0", "delta", "content"]);
        assert_eq!(text, "Hi ravi@example.in!", "{pieces:?}");
        assert!(seen.answer.ends_with(end), "{pieces:?}: {}", seen.answer);
    }
}

#[tokio::test]
async fn what_comes_back_inside_streamed_tool_arguments_leaves_them_json() {
    let secret = r#"o'neil@example.in"#;
    let quoted = r#"C:\users\ravi@example.in"#;
    let request = json!({"model": "demo", "stream": true, "messages": [
        {"role": "user", "content": format!("{secret} and \"{quoted}\"")},
    ]});
    let arguments = r#"{"to":"<EMAIL_ADDRESS_1>","path":"\"C:\\users\\<EMAIL_ADDRESS_2>\""}"#;
    for pieces in cuts(arguments).step_by(7) {
        let chunk = |(place, piece): (usize, &&str)| {
            let mut function = json!({"index": 0, "function": {"arguments": piece}});
            if place == 0 {
                function["id"] = json!("call_1");
                function["function"]["name"] = json!("send");
            }
            let chunk = json!({"id": "1", "choices": [{"index": 0, "delta": {"tool_calls": [function]}, "finish_reason": null}]});
            format!("data: {chunk}\n\n")
        };
        let stream: String = pieces.iter().enumerate().map(chunk).collect::<String>()
            + "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n";
        let seen = call(
            all(),
            CHAT,
            &request.to_string(),
            "text/event-stream",
            &stream,
        )
        .await;
        let text = joined(
            &seen.answer,
            &[
                "choices",
                "0",
                "delta",
                "tool_calls",
                "0",
                "function",
                "arguments",
            ],
        );
        let parsed: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text} of {pieces:?}"));
        assert_eq!(
            parsed,
            json!({"to": secret, "path": format!("\"{quoted}\"")}),
            "{pieces:?}"
        );
        assert_eq!(
            joined(
                &seen.answer,
                &["choices", "0", "delta", "tool_calls", "0", "id"]
            ),
            "call_1"
        );
    }
}

#[tokio::test]
async fn anthropic_messages_are_masked_and_restored_whole_and_streamed() {
    let request = json!({"model": "demo", "max_tokens": 10, "system": "For ravi@example.in", "messages": [
        {"role": "user", "content": [{"type": "text", "text": "PAN ABCPE1234F"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"pan": "ABCPE1234F"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok ravi@example.in"}]},
    ], "metadata": {"user_id": "ravi@example.in"}});
    let answer = json!({"type": "message", "role": "assistant", "content": [
        {"type": "text", "text": "<IN_PAN_1> of <EMAIL_ADDRESS_1>"},
        {"type": "tool_use", "id": "t2", "name": "f", "input": {"pan": "<IN_PAN_1>"}},
    ], "stop_reason": "end_turn"});
    let seen = call(
        all(),
        MESSAGES,
        &request.to_string(),
        "application/json",
        &answer.to_string(),
    )
    .await;
    let sent = seen.provider.unwrap();
    assert!(!sent.contains("ravi") && !sent.contains("ABCPE"), "{sent}");
    let got: Value = serde_json::from_str(&seen.answer).unwrap();
    assert_eq!(got["content"][0]["text"], "ABCPE1234F of ravi@example.in");
    assert_eq!(got["content"][1]["input"]["pan"], "ABCPE1234F");

    let event = |name: &str, data: Value| format!("event: {name}\ndata: {data}\n\n");
    for pieces in cuts("a <IN_PAN_1> b").step_by(3) {
        let delta = |piece: &str| {
            let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}});
            event("content_block_delta", delta)
        };
        let tool = |piece: &str| {
            let delta = json!({"type": "input_json_delta", "partial_json": piece});
            event(
                "content_block_delta",
                json!({"type": "content_block_delta", "index": 1, "delta": delta}),
            )
        };
        let stream = [
            event("message_start", json!({"type": "message_start", "message": {"type": "message", "role": "assistant", "content": []}})),
            event("content_block_start", json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
            pieces.map(delta).concat(),
            event("content_block_stop", json!({"type": "content_block_stop", "index": 0})),
            event("content_block_start", json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}})),
            ["{\"pan\": \"", "<IN_", "PAN", "_1", ">\"}"].map(tool).concat(),
            event("content_block_stop", json!({"type": "content_block_stop", "index": 1})),
            event("message_delta", json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}})),
            event("message_stop", json!({"type": "message_stop"})),
        ]
        .concat();
        let seen = call(
            all(),
            MESSAGES,
            &request.to_string(),
            "text/event-stream",
            &stream,
        )
        .await;
        assert_eq!(
            joined(&seen.answer, &["delta", "text"]),
            "a ABCPE1234F b",
            "{pieces:?}"
        );
        assert_eq!(
            joined(&seen.answer, &["delta", "partial_json"]),
            r#"{"pan": "ABCPE1234F"}"#
        );
        let stop = events(&seen.answer)
            .iter()
            .position(|event| event["type"] == "content_block_stop")
            .unwrap();
        let last = events(&seen.answer)
            .iter()
            .rposition(|event| event["delta"]["type"] == "text_delta")
            .unwrap();
        assert!(last < stop, "a flush must come before the block ends");
    }
}

#[tokio::test]
async fn responses_are_masked_and_restored_whole_and_streamed() {
    let request = json!({"model": "demo", "instructions": "For ravi@example.in", "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "card 4111 1111 1111 1111"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"card\":\"4111 1111 1111 1111\"}"},
        {"type": "function_call_output", "call_id": "c", "output": "ravi@example.in"},
    ]});
    let message = |text: &str| {
        json!({"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": text, "annotations": []},
        ]})
    };
    let answer = json!({"id": "r", "object": "response", "status": "completed", "output": [message("<CREDIT_CARD_1>")]});
    let seen = call(
        all(),
        RESPONSES,
        &request.to_string(),
        "application/json",
        &answer.to_string(),
    )
    .await;
    let sent = seen.provider.unwrap();
    assert!(!sent.contains("ravi") && !sent.contains("4111"), "{sent}");
    assert!(
        seen.answer.contains("\"4111 1111 1111 1111\""),
        "{}",
        seen.answer
    );

    for pieces in cuts("to <EMAIL_ADDRESS_1>").step_by(5) {
        let mut number = 0;
        let mut event = |name: &str, mut data: Value| {
            data["type"] = json!(name);
            data["sequence_number"] = json!(number);
            number += 1;
            format!("event: {name}\ndata: {data}\n\n")
        };
        let mut stream = String::new();
        for piece in pieces {
            stream += &event(
                "response.output_text.delta",
                json!({"item_id": "m", "output_index": 0, "content_index": 0, "delta": piece}),
            );
        }
        let whole = "to <EMAIL_ADDRESS_1>";
        stream += &event(
            "response.output_text.done",
            json!({"item_id": "m", "output_index": 0, "content_index": 0, "text": whole}),
        );
        stream += &event(
            "response.output_item.done",
            json!({"output_index": 0, "item": message(whole)}),
        );
        stream += &event(
            "response.completed",
            json!({"response": {"id": "r", "object": "response", "status": "completed", "output": [message(whole)]}}),
        );
        let seen = call(
            all(),
            RESPONSES,
            &request.to_string(),
            "text/event-stream",
            &stream,
        )
        .await;
        assert_eq!(
            joined(&seen.answer, &["delta"]),
            "to ravi@example.in",
            "{pieces:?}"
        );
        assert_eq!(joined(&seen.answer, &["text"]), "to ravi@example.in");
        assert!(!seen.answer.contains("EMAIL_ADDRESS"), "{}", seen.answer);
        let numbers: Vec<u64> = events(&seen.answer)
            .iter()
            .map(|event| event["sequence_number"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_placeholder_that_the_caller_typed_stays_and_is_given_to_nobody() {
    let request = json!({"model": "demo", "messages": [
        {"role": "user", "content": "Explain <EMAIL_ADDRESS_1> to ravi@example.in"},
    ]});
    let answer = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_2>"}}]});
    let seen = call(
        all(),
        CHAT,
        &request.to_string(),
        "application/json",
        &answer.to_string(),
    )
    .await;
    assert!(
        seen.provider
            .unwrap()
            .contains("Explain <EMAIL_ADDRESS_1> to <EMAIL_ADDRESS_2>")
    );
    assert!(
        seen.answer
            .contains("\"<EMAIL_ADDRESS_1> ravi@example.in\""),
        "{}",
        seen.answer
    );
}

#[tokio::test]
async fn a_placeholder_of_an_earlier_exchange_that_the_provider_kept_is_not_taken_for_one_of_this()
{
    for member in ["previous_response_id", "conversation"] {
        let request = json!({"model": "demo", member: "id_1", "input": "now ravi@example.in"});
        let answer = json!({"id": "r", "object": "response", "status": "completed", "output": [
            {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "<EMAIL_ADDRESS_1>", "annotations": []},
            ]},
        ]});
        let seen = call(
            all(),
            RESPONSES,
            &request.to_string(),
            "application/json",
            &answer.to_string(),
        )
        .await;
        let sent = seen.provider.unwrap();
        let number = sent
            .split("<EMAIL_ADDRESS_")
            .nth(1)
            .and_then(|rest| rest.split('>').next())
            .unwrap();
        assert!(number.parse::<u64>().unwrap() > 100_000, "{sent}");
        assert!(seen.answer.contains("<EMAIL_ADDRESS_1>"), "{}", seen.answer);
    }
}

#[tokio::test]
async fn exchanges_that_interleave_do_not_share_a_vault() {
    let people: Vec<String> = (0..16)
        .map(|place| format!("user{place}@example.in"))
        .collect();
    let answer = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "<EMAIL_ADDRESS_1>"}}]}).to_string();
    let echo = service_fn(move |request: Request<bartizan_core::Body>| {
        let answer = answer.clone();
        async move {
            gather(request.into_body()).await;
            tokio::task::yield_now().await;
            let response = Response::builder().header("content-type", "application/json");
            Ok::<_, Infallible>(response.body(Full::<Bytes>::from(answer)).unwrap())
        }
    });
    let service = all().build().unwrap().layer(echo);
    let calls: Vec<_> = people
        .into_iter()
        .map(|person| {
            let body = json!({"model": "demo", "messages": [{"role": "user", "content": person}]})
                .to_string();
            let call = service
                .clone()
                .oneshot(Request::post(CHAT).body(Full::<Bytes>::from(body)).unwrap());
            (person, tokio::spawn(call))
        })
        .collect();
    for (person, call) in calls {
        let answer = gather(call.await.unwrap().unwrap().into_body()).await;
        let got: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(got["choices"][0]["message"]["content"], person);
    }
}

#[tokio::test]
async fn a_blocked_kind_is_refused_without_its_content() {
    for (path, body) in [
        (
            CHAT,
            json!({"model": "demo", "messages": [{"role": "user", "content": "card 4111 1111 1111 1111"}]}),
        ),
        (
            MESSAGES,
            json!({"model": "demo", "max_tokens": 1, "messages": [{"role": "user", "content": "card 4111 1111 1111 1111"}]}),
        ),
        (
            RESPONSES,
            json!({"model": "demo", "input": "card 4111 1111 1111 1111"}),
        ),
    ] {
        let seen = call(
            all().block([Entity::Card]),
            path,
            &body.to_string(),
            "application/json",
            "{}",
        )
        .await;
        assert_eq!(
            (seen.provider, seen.status),
            (None, StatusCode::FORBIDDEN),
            "{path}"
        );
        assert_eq!(seen.refusal.unwrap().code(), "pii_blocked");
        assert!(
            seen.answer.contains("CREDIT_CARD") && !seen.answer.contains("4111"),
            "{}",
            seen.answer
        );
        assert_eq!(seen.notes, ["pii blocked CREDIT_CARD=1 direction=request"]);
    }
}

#[tokio::test]
async fn a_replaced_kind_does_not_come_back_and_nothing_does_with_restoring_off() {
    let request = json!({"model": "demo", "messages": [{"role": "user", "content": "ravi@example.in 203.0.113.9"}]}).to_string();
    let answer = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "<EMAIL_ADDRESS_1> <IP_ADDRESS>"}}]}).to_string();
    let layer = all().operator(Entity::Ip, Operator::Replace);
    let seen = call(layer.clone(), CHAT, &request, "application/json", &answer).await;
    assert!(
        seen.provider
            .unwrap()
            .contains("<EMAIL_ADDRESS_1> <IP_ADDRESS>")
    );
    assert!(seen.answer.contains("ravi@example.in <IP_ADDRESS>"));
    let seen = call(
        layer.restore(false),
        CHAT,
        &request,
        "application/json",
        &answer,
    )
    .await;
    assert_eq!(seen.answer, answer);
}

#[tokio::test]
async fn bodies_that_cannot_be_looked_into_are_refused_unless_told() {
    let other = || {
        Request::post("/v1/audio/speech")
            .body(Full::from("ravi@example.in"))
            .unwrap()
    };
    let grpc = || {
        let request = Request::post("/llm.Chat/Ask").header("content-type", "application/grpc");
        request.body(Full::from("ravi@example.in")).unwrap()
    };
    let seen = call_with(all(), other(), "application/json", "{}").await;
    assert_eq!(
        (seen.provider, seen.status),
        (None, StatusCode::BAD_REQUEST)
    );
    assert_eq!(seen.refusal.unwrap().code(), "pii_unknown_body");
    let seen = call_with(all(), grpc(), "application/grpc", "").await;
    assert_eq!(seen.provider, None);
    assert_eq!(seen.refusal.unwrap().code(), "pii_unknown_body");

    for request in [other(), grpc()] {
        let seen = call_with(
            all().allow_unknown_bodies(),
            request,
            "application/json",
            "{}",
        )
        .await;
        assert_eq!(seen.provider.as_deref(), Some("ravi@example.in"));
    }
    let empty = Request::get("/v1/models").body(Full::default()).unwrap();
    let seen = call_with(all(), empty, "application/json", "{\"data\":[]}").await;
    assert_eq!(
        (seen.status, seen.answer.as_str()),
        (StatusCode::OK, "{\"data\":[]}")
    );
    let smuggled = Request::get(CHAT)
        .body(Full::from("ravi@example.in"))
        .unwrap();
    assert_eq!(
        call_with(all(), smuggled, "application/json", "{}")
            .await
            .provider,
        None
    );
}

#[tokio::test]
async fn parts_that_the_dialect_does_not_know_are_refused_unless_told() {
    let request = json!({"model": "demo", "messages": [
        {"role": "user", "content": [{"type": "hologram", "words": "ravi@example.in"}]},
    ]})
    .to_string();
    let seen = call(all(), CHAT, &request, "application/json", "{}").await;
    assert_eq!(
        (seen.provider, seen.status),
        (None, StatusCode::BAD_REQUEST)
    );
    assert_eq!(seen.refusal.unwrap().code(), "pii_unseen_part");
    let seen = call(
        all().allow_unseen_parts(),
        CHAT,
        &request,
        "application/json",
        "{}",
    )
    .await;
    assert!(seen.provider.unwrap().contains("<EMAIL_ADDRESS_1>"));
}

#[tokio::test]
async fn an_answer_that_must_be_read_is_asked_for_without_compression() {
    let asked = service_fn(|request: Request<bartizan_core::Body>| async move {
        let encoding = request.headers()["accept-encoding"].clone();
        Ok::<_, Infallible>(
            Response::builder()
                .header("x-asked", encoding)
                .body(Full::<Bytes>::default())
                .unwrap(),
        )
    });
    let service = all().build().unwrap().layer(asked);
    for (content, expected) in [("ravi@example.in", "identity"), ("nothing", "gzip")] {
        let body = json!({"model": "demo", "messages": [{"role": "user", "content": content}]})
            .to_string();
        let request = Request::post(CHAT)
            .header("accept-encoding", "gzip")
            .body(Full::<Bytes>::from(body))
            .unwrap();
        assert_eq!(
            service.clone().oneshot(request).await.unwrap().headers()["x-asked"],
            expected
        );
    }
}

#[tokio::test]
async fn any_json_service_is_guarded_by_choice() {
    let seen = call(
        all().dialect(Dialect::Json),
        "/orders",
        r#"{"customer": {"mail": "ravi@example.in", "age": 30}}"#,
        "application/json",
        r#"{"sent": ["<EMAIL_ADDRESS_1>"]}"#,
    )
    .await;
    assert_eq!(
        seen.provider.unwrap(),
        r#"{"customer": {"mail": "<EMAIL_ADDRESS_1>", "age": 30}}"#
    );
    assert_eq!(seen.answer, r#"{"sent": ["ravi@example.in"]}"#);
}

#[tokio::test]
async fn what_the_model_writes_is_taken_out_where_asked_and_what_was_masked_still_comes_back() {
    let request =
        json!({"model": "demo", "messages": [{"role": "user", "content": "I am ravi@example.in"}]})
            .to_string();
    let text = "<EMAIL_ADDRESS_1>, write to asha@example.in or call +91 98765 43210";
    let expected = "ravi@example.in, write to <EMAIL_ADDRESS> or call <PHONE_NUMBER>";
    let answer =
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]})
            .to_string();
    let seen = call(
        all().output(true),
        CHAT,
        &request,
        "application/json",
        &answer,
    )
    .await;
    let got: Value = serde_json::from_str(&seen.answer).unwrap();
    assert_eq!(got["choices"][0]["message"]["content"], expected);
    assert_eq!(
        seen.notes[1..],
        [
            "pii restored placeholders=1".to_owned(),
            "pii replaced PHONE_NUMBER=1 EMAIL_ADDRESS=1 direction=answer".to_owned(),
        ]
    );
    for pieces in cuts(text).step_by(11) {
        let chunk = |content: &str| {
            format!(
                "data: {}\n\n",
                json!({"id": "1", "choices": [{"index": 0, "delta": {"content": content}}]})
            )
        };
        let stream = pieces.map(chunk).concat() + "data: [DONE]\n\n";
        let seen = call(
            all().output(true),
            CHAT,
            &request,
            "text/event-stream",
            &stream,
        )
        .await;
        assert_eq!(
            joined(&seen.answer, &["choices", "0", "delta", "content"]),
            expected,
            "{pieces:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_with_a_blocked_kind_stops() {
    let request =
        json!({"model": "demo", "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let text = "the card is 4111 1111 1111 1111 thanks";
    let layer = || all().block([Entity::Card]).output(true);
    let answer =
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]})
            .to_string();
    let seen = call(layer(), CHAT, &request, "application/json", &answer).await;
    assert_eq!(seen.refusal.unwrap().code(), "pii_blocked");
    assert!(!seen.answer.contains("4111"));
    let chunk = |content: &str| {
        format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": {"content": content}}]})
        )
    };
    let stream = text.split_inclusive(' ').map(chunk).collect::<String>() + "data: [DONE]\n\n";
    let seen = call(layer(), CHAT, &request, "text/event-stream", &stream).await;
    assert!(
        seen.answer.contains("pii_blocked")
            && !seen.answer.contains("4111")
            && !seen.answer.contains("[DONE]"),
        "{}",
        seen.answer
    );
    assert_eq!(seen.notes, ["pii blocked CREDIT_CARD=1 direction=answer"]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_looked_into_is_refused_where_the_output_is_looked_at() {
    let request =
        json!({"model": "demo", "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let seen = call(
        all().output(true),
        CHAT,
        &request,
        "text/plain",
        "asha@example.in",
    )
    .await;
    assert_eq!(seen.refusal.unwrap().code(), "pii_unknown_answer");
    assert!(!seen.answer.contains("asha"));
    let seen = call(
        all().output(true).allow_unknown_bodies(),
        CHAT,
        &request,
        "text/plain",
        "asha@example.in",
    )
    .await;
    assert_eq!(seen.answer, "asha@example.in");
    let tokens = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "logprobs": {"content": [{"token": "a"}]}}]});
    let seen = call(
        all().output(true),
        CHAT,
        &request,
        "application/json",
        &tokens.to_string(),
    )
    .await;
    assert_eq!(seen.refusal.unwrap().code(), "pii_unseen_part");
}
