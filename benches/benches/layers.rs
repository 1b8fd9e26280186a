//! Each layer alone around a provider that costs nothing, then all of them: a 4 KB request with its answer, and an event of a stream.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::convert::Infallible;
use std::hint::black_box;

use bartizan::audit::{AuditLayer, CountLayer, Journal, MemorySink};
use bartizan::auth::{AuthLayer, KeyRequest, Keys, MasterKey, MemoryStore, Pepper};
use bartizan::core::{Body, Dialect};
use bartizan::guard::GuardLayer;
use bartizan::limit::LimitLayer;
use bartizan::pii::PiiLayer;
use bartizan::translate::{Target, TranslateLayer};
use bartizan_benches::{Chunks, DONE, Provider, chat_chunk, chat_request};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use http::{Request, Response};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MASTER: &str = "sk-6f0d2b9c4e8a71f3d5b60c9e82a4f71d";
const REPLY: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1730000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"The reading room will face the river, and the committee meets again in May."},"finish_reason":"stop"}],"usage":{"prompt_tokens":900,"completion_tokens":20,"total_tokens":920}}"#;
const CLAUDE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[{"type":"text","text":"The reading room will face the river, and the committee meets again in May."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":900,"output_tokens":20}}"#;

/// What all stacks stand on.
struct Ground {
    runtime: Runtime,
    auth: AuthLayer,
    journal: Journal,
    key: String,
}

impl Ground {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let pepper = Pepper::new(&"b04d8f7e2c6a4915a3e87d50c1f962ab".into()).unwrap();
        let master = MasterKey::new(MASTER.into()).unwrap();
        let keys = Keys::new(MemoryStore::new(), pepper);
        let admin = master.verify(MASTER).unwrap();
        let minted = runtime
            .block_on(keys.generate(&admin, KeyRequest::default()))
            .unwrap();
        let journal = runtime
            .block_on(Journal::builder().open(MemorySink::new()))
            .unwrap();
        let key = minted.key.expose_secret().to_owned();
        Self {
            runtime,
            auth: AuthLayer::new(keys).master_key(master),
            journal,
            key,
        }
    }
}

fn json(text: &'static str) -> Provider {
    Provider::new(move || {
        Response::builder()
            .header("content-type", "application/json")
            .body(Body::from(text))
            .unwrap()
    })
}

fn limit() -> LimitLayer {
    LimitLayer::new()
        .default_rpm(1_000_000_000)
        .default_tpm(4_000_000_000)
}

fn anthropic() -> TranslateLayer {
    TranslateLayer::new().to(Target::new(Dialect::AnthropicMessages, "claude-haiku-4-5"))
}

fn requests(criterion: &mut Criterion) {
    let ground = Ground::new();
    let clean = chat_request(4_096, 4);
    let personal = clean.replacen(
        "The committee met",
        "Aadhaar 2345 6789 0124, PAN ABCPE1234F, asha@example.org: the committee met",
        4,
    );
    let openai = json(REPLY);
    request(criterion, &ground, "none", &clean, openai.clone());
    request(
        criterion,
        &ground,
        "auth",
        &clean,
        ground.auth.layer(openai.clone()),
    );
    request(
        criterion,
        &ground,
        "limit",
        &clean,
        limit().layer(openai.clone()),
    );
    request(
        criterion,
        &ground,
        "guard",
        &clean,
        GuardLayer::default().layer(openai.clone()),
    );
    request(
        criterion,
        &ground,
        "pii, nothing found",
        &clean,
        PiiLayer::default().layer(openai.clone()),
    );
    request(
        criterion,
        &ground,
        "pii, twelve masked",
        &personal,
        PiiLayer::default().layer(openai.clone()),
    );
    request(
        criterion,
        &ground,
        "audit",
        &clean,
        ServiceBuilder::new()
            .layer(AuditLayer::new(ground.journal.clone()))
            .layer(CountLayer::new())
            .service(openai.clone()),
    );
    request(
        criterion,
        &ground,
        "translate to anthropic",
        &clean,
        anthropic().layer(json(CLAUDE)),
    );
    let all = ServiceBuilder::new()
        .layer(AuditLayer::new(ground.journal.clone()))
        .layer(ground.auth.clone())
        .layer(limit())
        .layer(CountLayer::new())
        .layer(GuardLayer::default())
        .layer(PiiLayer::default());
    request(
        criterion,
        &ground,
        "all but translate",
        &personal,
        all.service(openai),
    );
}

fn request<S>(criterion: &mut Criterion, ground: &Ground, name: &str, body: &str, stack: S)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let body = Bytes::from(body.to_owned());
    criterion.bench_function(&format!("request_4KB/{name}"), |bench| {
        bench.iter_batched(
            || {
                let request = Request::post("/v1/chat/completions")
                    .header("authorization", format!("Bearer {}", ground.key))
                    .header("content-type", "application/json")
                    .body(Body::from(body.clone()))
                    .unwrap();
                (stack.clone(), request)
            },
            |(stack, request)| {
                ground.runtime.block_on(async {
                    let response = stack.oneshot(request).await.unwrap();
                    assert!(response.status().is_success());
                    black_box(response.into_body().collect().await.unwrap())
                })
            },
            BatchSize::SmallInput,
        );
    });
}

const EVENTS: u64 = 1_000;

fn streams(criterion: &mut Criterion) {
    let ground = Ground::new();
    let events: Vec<Bytes> = (0..EVENTS)
        .map(|at| Bytes::from(chat_chunk(&format!(" word{at}"))))
        .chain([DONE.into()])
        .collect();
    let openai = Provider::new(move || {
        let body = Body::new(Chunks::new(events.clone()));
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(body)
            .unwrap()
    });
    stream(criterion, &ground, "none", openai.clone());
    stream(criterion, &ground, "limit", limit().layer(openai.clone()));
    stream(
        criterion,
        &ground,
        "guard",
        GuardLayer::default().layer(openai.clone()),
    );
    stream(
        criterion,
        &ground,
        "pii",
        PiiLayer::default().layer(openai.clone()),
    );
    let all = ServiceBuilder::new()
        .layer(AuditLayer::new(ground.journal.clone()))
        .layer(ground.auth.clone())
        .layer(limit())
        .layer(CountLayer::new())
        .layer(GuardLayer::default())
        .layer(PiiLayer::default());
    stream(criterion, &ground, "all but translate", all.service(openai));

    let start = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"#;
    let named = |name: &str, data: &str| Bytes::from(format!("event: {name}\ndata: {data}\n\n"));
    let mut events = vec![
        named("message_start", start),
        named(
            "content_block_start",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ),
    ];
    events.extend((0..EVENTS).map(|at| {
        let data = format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":" word{at}"}}}}"#);
        named("content_block_delta", &data)
    }));
    events.push(named(
        "content_block_stop",
        r#"{"type":"content_block_stop","index":0}"#,
    ));
    events.push(named("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#));
    events.push(named("message_stop", r#"{"type":"message_stop"}"#));
    let claude = Provider::new(move || {
        let body = Body::new(Chunks::new(events.clone()));
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(body)
            .unwrap()
    });
    stream(
        criterion,
        &ground,
        "translate from anthropic",
        anthropic().layer(claude),
    );
}

fn stream<S>(criterion: &mut Criterion, ground: &Ground, name: &str, stack: S)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    // A placeholder is in play, so that restoring has something to look for.
    let body = r#"{"model":"m","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"I am asha@example.org"}]}"#;
    let mut group = criterion.benchmark_group("stream_event");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function(name, |bench| {
        bench.iter(|| {
            let request = Request::post("/v1/chat/completions")
                .header("authorization", format!("Bearer {}", ground.key))
                .body(Body::from(body))
                .unwrap();
            ground.runtime.block_on(async {
                let mut body = stack.clone().oneshot(request).await.unwrap().into_body();
                while let Some(frame) = body.frame().await {
                    black_box(frame.unwrap());
                }
            });
        });
    });
    group.finish();
}

criterion_group!(benches, requests, streams);
criterion_main!(benches);
