//! What translation costs, pair by pair: a 4 KB request with its answer, and an event of a stream.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that fails panics"
)]

use std::convert::Infallible;
use std::hint::black_box;

use bartizan::core::{Body, Dialect};
use bartizan::translate::{Target, TranslateLayer};
use bartizan_benches::{Chunks, Provider, chat_chunk, chat_request};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::runtime::Runtime;
use tower::{Layer, Service, ServiceExt};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SAYS: &str = "The reading room will face the river, and the committee meets again in May.";
const EVENTS: usize = 1_000;

/// A client's API: its name, its path unstreamed and streamed, and how a text is asked.
struct Client {
    name: &'static str,
    paths: [&'static str; 2],
    body: fn(text: &str, stream: bool) -> String,
}

const CLIENTS: [Client; 4] = [
    Client {
        name: "chat",
        paths: ["/v1/chat/completions"; 2],
        body: |text, stream| {
            let system = "You are a careful assistant.";
            format!(
                r#"{{"model":"m","messages":[{{"role":"system","content":"{system}"}},{{"role":"user","content":"{text}"}}],"temperature":0.2,"max_tokens":256,"stream":{stream}}}"#
            )
        },
    },
    Client {
        name: "responses",
        paths: ["/v1/responses"; 2],
        body: |text, stream| {
            format!(
                r#"{{"model":"m","instructions":"You are a careful assistant.","input":"{text}","temperature":0.2,"max_output_tokens":256,"store":false,"stream":{stream}}}"#
            )
        },
    },
    Client {
        name: "anthropic",
        paths: ["/v1/messages"; 2],
        body: |text, stream| {
            format!(
                r#"{{"model":"m","system":"You are a careful assistant.","messages":[{{"role":"user","content":"{text}"}}],"temperature":0.2,"max_tokens":256,"stream":{stream}}}"#
            )
        },
    },
    Client {
        name: "gemini",
        paths: [
            "/v1beta/models/m:generateContent",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
        ],
        body: |text, _| {
            format!(
                r#"{{"systemInstruction":{{"parts":[{{"text":"You are a careful assistant."}}]}},"contents":[{{"role":"user","parts":[{{"text":"{text}"}}]}}],"generationConfig":{{"temperature":0.2,"maxOutputTokens":256}}}}"#
            )
        },
    },
];

/// A provider's API: its name, a whole answer, and a stream that says the words one by one.
struct Served {
    name: &'static str,
    dialect: Dialect,
    whole: fn() -> String,
    content_type: &'static str,
    stream: fn() -> Vec<Bytes>,
}

fn named(name: &str, data: &str) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

fn words() -> impl Iterator<Item = String> {
    (0..EVENTS).map(|at| format!(" word{at}"))
}

const SERVED: [Served; 7] = [
    Served {
        name: "chat",
        dialect: Dialect::OpenAiChat,
        whole: || {
            format!(
                r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1730000000,"model":"gpt-4o-mini","choices":[{{"index":0,"message":{{"role":"assistant","content":"{SAYS}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":900,"completion_tokens":20,"total_tokens":920}}}}"#
            )
        },
        content_type: "text/event-stream",
        stream: || {
            let end = r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
            words()
                .map(|word| chat_chunk(&word).into())
                .chain([format!("{end}\n\n").into(), Bytes::from("data: [DONE]\n\n")])
                .collect()
        },
    },
    Served {
        name: "responses",
        dialect: Dialect::OpenAiResponses,
        whole: || {
            format!(
                r#"{{"id":"resp_1","object":"response","created_at":1730000000,"status":"completed","model":"gpt-4o-mini","output":[{{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{{"type":"output_text","text":"{SAYS}","annotations":[]}}]}}],"usage":{{"input_tokens":900,"input_tokens_details":{{"cached_tokens":0}},"output_tokens":20,"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":920}}}}"#
            )
        },
        content_type: "text/event-stream",
        stream: || {
            let created = r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"m","output":[]}}"#;
            let item = r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}"#;
            let part = r#"{"type":"response.content_part.added","sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}"#;
            let end = r#"{"type":"response.completed","sequence_number":9999,"response":{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"m","output":[],"usage":{"input_tokens":9,"output_tokens":9,"total_tokens":18}}}"#;
            let mut events = vec![
                named("response.created", created),
                named("response.output_item.added", item),
                named("response.content_part.added", part),
            ];
            events.extend(words().map(|word| {
                let data = format!(r#"{{"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"{word}"}}"#);
                named("response.output_text.delta", &data)
            }));
            events.push(named("response.completed", end));
            events
        },
    },
    Served {
        name: "anthropic",
        dialect: Dialect::AnthropicMessages,
        whole: || {
            format!(
                r#"{{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[{{"type":"text","text":"{SAYS}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":900,"output_tokens":20}}}}"#
            )
        },
        content_type: "text/event-stream",
        stream: || {
            let start = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"#;
            let block = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
            let mut events = vec![
                named("message_start", start),
                named("content_block_start", block),
            ];
            events.extend(words().map(|word| {
                let data = format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{word}"}}}}"#);
                named("content_block_delta", &data)
            }));
            events.extend([
                named("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
                named("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#),
                named("message_stop", r#"{"type":"message_stop"}"#),
            ]);
            events
        },
    },
    Served {
        name: "gemini",
        dialect: Dialect::Gemini,
        whole: || {
            format!(
                r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"text":"{SAYS}"}}]}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":900,"candidatesTokenCount":20,"totalTokenCount":920}},"modelVersion":"gemini-2.5-flash","responseId":"r1"}}"#
            )
        },
        content_type: "text/event-stream",
        stream: || {
            let chunk = |word: &str, end: &str| {
                Bytes::from(format!(
                    "data: {{\"candidates\":[{{\"content\":{{\"role\":\"model\",\"parts\":[{{\"text\":\"{word}\"}}]}}{end},\"index\":0}}],\"usageMetadata\":{{\"promptTokenCount\":9,\"candidatesTokenCount\":9,\"totalTokenCount\":18}},\"modelVersion\":\"gemini-2.5-flash\",\"responseId\":\"r1\"}}\n\n"
                ))
            };
            words()
                .map(|word| chunk(&word, ""))
                .chain([chunk("", r#","finishReason":"STOP""#)])
                .collect()
        },
    },
    Served {
        name: "bedrock",
        dialect: Dialect::BedrockConverse,
        whole: || {
            format!(
                r#"{{"output":{{"message":{{"role":"assistant","content":[{{"text":"{SAYS}"}}]}}}},"stopReason":"end_turn","usage":{{"inputTokens":900,"outputTokens":20,"totalTokens":920}},"metrics":{{"latencyMs":300}}}}"#
            )
        },
        content_type: "application/vnd.amazon.eventstream",
        stream: || {
            let mut events = vec![aws("messageStart", r#"{"role":"assistant"}"#)];
            events.extend(words().map(|word| {
                let data = format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{word}"}}}}"#);
                aws("contentBlockDelta", &data)
            }));
            events.extend([
                aws("contentBlockStop", r#"{"contentBlockIndex":0}"#),
                aws("messageStop", r#"{"stopReason":"end_turn"}"#),
                aws("metadata", r#"{"usage":{"inputTokens":9,"outputTokens":9,"totalTokens":18},"metrics":{"latencyMs":300}}"#),
            ]);
            events
        },
    },
    Served {
        name: "cohere",
        dialect: Dialect::CohereChat,
        whole: || {
            format!(
                r#"{{"id":"c1","finish_reason":"COMPLETE","message":{{"role":"assistant","content":[{{"type":"text","text":"{SAYS}"}}]}},"usage":{{"tokens":{{"input_tokens":900,"output_tokens":20}}}}}}"#
            )
        },
        content_type: "text/event-stream",
        stream: || {
            let mut events = vec![
                named(
                    "message-start",
                    r#"{"id":"c1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
                ),
                named(
                    "content-start",
                    r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
                ),
            ];
            events.extend(words().map(|word| {
                let data = format!(r#"{{"type":"content-delta","index":0,"delta":{{"message":{{"content":{{"text":"{word}"}}}}}}}}"#);
                named("content-delta", &data)
            }));
            events.extend([
                named("content-end", r#"{"type":"content-end","index":0}"#),
                named("message-end", r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":9,"output_tokens":9}}}}"#),
            ]);
            events
        },
    },
    Served {
        name: "ollama",
        dialect: Dialect::OllamaChat,
        whole: || {
            format!(
                r#"{{"model":"llama3.2","created_at":"2026-01-01T00:00:00Z","message":{{"role":"assistant","content":"{SAYS}"}},"done":true,"done_reason":"stop","prompt_eval_count":900,"eval_count":20}}"#
            )
        },
        content_type: "application/x-ndjson",
        stream: || {
            let line = |word: &str, end: &str| {
                Bytes::from(format!(
                    "{{\"model\":\"llama3.2\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{{\"role\":\"assistant\",\"content\":\"{word}\"}},\"done\":{end}}}\n"
                ))
            };
            words()
                .map(|word| line(&word, "false"))
                .chain([line(
                    "",
                    r#"true,"done_reason":"stop","prompt_eval_count":9,"eval_count":9"#,
                )])
                .collect()
        },
    },
];

/// One frame of AWS's event stream.
fn aws(name: &str, payload: &str) -> Bytes {
    let mut headers = Vec::new();
    for (key, value) in [
        (":message-type", "event"),
        (":event-type", name),
        (":content-type", "application/json"),
    ] {
        headers.push(u8::try_from(key.len()).unwrap());
        headers.extend_from_slice(key.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let be = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let mut frame = Vec::new();
    frame.extend_from_slice(&be(headers.len() + payload.len() + 16));
    frame.extend_from_slice(&be(headers.len()));
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(payload.as_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.into()
}

/// Every pair of two dialects.
fn pairs() -> impl Iterator<Item = (&'static Client, &'static Served)> {
    let pairs = CLIENTS
        .iter()
        .flat_map(|client| SERVED.iter().map(move |served| (client, served)));
    pairs.filter(|(client, served)| client.name != served.name)
}

fn layer(served: &Served) -> TranslateLayer {
    let model = match served.dialect {
        Dialect::AnthropicMessages => "claude-haiku-4-5",
        _ => "m",
    };
    TranslateLayer::new().to(Target::new(served.dialect, model))
}

fn request(client: &Client, text: &str, stream: bool) -> Request<Body> {
    let path = client.paths[usize::from(stream)];
    Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from((client.body)(text, stream)))
        .unwrap()
}

/// About 4 KB of prose, escaped as JSON has it.
fn prose() -> String {
    let request = chat_request(4_096, 1);
    let start = request.find("The committee").unwrap();
    let end = request.rfind(r"\n").unwrap();
    request[start..end].to_owned()
}

fn whole(criterion: &mut Criterion) {
    let runtime = runtime();
    let text = prose();
    let mut group = criterion.benchmark_group("request_4KB");
    for (client, served) in pairs() {
        let reply = (served.whole)();
        let provider = Provider::new(move || {
            Response::builder()
                .header("content-type", "application/json")
                .body(Body::from(reply.clone()))
                .unwrap()
        });
        let stack = layer(served).layer(provider);
        group.bench_function(format!("{} to {}", client.name, served.name), |bench| {
            bench.iter_batched(
                || (stack.clone(), request(client, &text, false)),
                |(stack, request)| black_box(runtime.block_on(collect(stack, request))),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

async fn collect<S>(stack: S, request: Request<Body>) -> Bytes
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let response = stack.oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{response:?}");
    response.into_body().collect().await.unwrap().to_bytes()
}

fn events(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("stream_event");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for (client, served) in pairs() {
        let events = (served.stream)();
        let content_type = served.content_type;
        let provider = Provider::new(move || {
            Response::builder()
                .header("content-type", content_type)
                .body(Body::new(Chunks::new(events.clone())))
                .unwrap()
        });
        let stack = layer(served).layer(provider);
        // Every word must have come, and the end.
        let said = runtime.block_on(collect(stack.clone(), request(client, "hi", true)));
        let said = String::from_utf8(said.to_vec()).unwrap();
        assert!(
            said.contains("word999") && !said.contains("\"error\":{"),
            "{said}"
        );
        group.bench_function(format!("{} to {}", served.name, client.name), |bench| {
            bench.iter(|| {
                let request = request(client, "hi", true);
                runtime.block_on(async {
                    let mut body = stack.clone().oneshot(request).await.unwrap().into_body();
                    while let Some(frame) = body.frame().await {
                        black_box(frame.unwrap());
                    }
                });
            });
        });
    }
    group.finish();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

criterion_group!(benches, whole, events);
criterion_main!(benches);
