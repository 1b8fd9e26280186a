//! Core's figures: scanning, five filters that look, an event through five taps.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use bartizan_benches::{Chunks, DONE, Provider, chat_chunk, chat_request, look, look_five};
use bartizan_core::json::{Bounds, Json};
use bartizan_core::{Body, Dialect, Direction, Document};
use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http::{Request, Response};
use http_body_util::BodyExt;
use std::convert::Infallible;
use tower::{Service, ServiceExt};

fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan");
    for (name, text) in [
        ("4KB", chat_request(4_096, 4)),
        ("32KB", chat_request(32_768, 8)),
        ("32KB_200_messages", chat_request(32_768, 200)),
    ] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("scan_and_index", name),
            text.as_bytes(),
            |bench, bytes| {
                bench.iter(|| Json::read_bytes(bytes, Bounds::default()).unwrap());
            },
        );
        group.bench_with_input(
            BenchmarkId::new("read_document", name),
            text.as_bytes(),
            |bench, bytes| {
                bench.iter(|| {
                    Document::read(bytes, Dialect::OpenAiChat, Direction::Request).unwrap()
                });
            },
        );
    }
    group.finish();
}

/// The gateway's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Reply = Result<Response<Body>, Infallible>;

fn filters(criterion: &mut Criterion) {
    let provider = Provider::new(|| Response::new(Body::empty()));
    request(criterion, 0, provider.clone());
    request(criterion, 1, look(provider.clone()));
    request(criterion, 5, look_five(provider));
}

fn request<S>(criterion: &mut Criterion, layers: usize, stack: S)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    S::Future: Future<Output = Reply>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let body = Bytes::from(chat_request(4_096, 4));
    criterion.bench_function(&format!("request_4KB/look_filters/{layers}"), |bench| {
        bench.iter_batched(
            || {
                (
                    stack.clone(),
                    Request::post("/v1/chat/completions")
                        .body(Body::from(body.clone()))
                        .unwrap(),
                )
            },
            |(stack, request)| runtime.block_on(stack.oneshot(request)).unwrap(),
            BatchSize::SmallInput,
        );
    });
}

const EVENTS: u64 = 1_000;

fn events(criterion: &mut Criterion) {
    let stream: Vec<Bytes> = (0..EVENTS)
        .map(|at| Bytes::from(chat_chunk(&format!(" word{at}"))))
        .chain([DONE.into()])
        .collect();
    let provider = Provider::new(move || {
        let body = Body::new(Chunks::new(stream.clone()));
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(body)
            .unwrap()
    });
    stream_of(criterion, 0, provider.clone());
    stream_of(criterion, 1, look(provider.clone()));
    stream_of(criterion, 5, look_five(provider));
}

fn stream_of<S>(criterion: &mut Criterion, layers: usize, stack: S)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    S::Future: Future<Output = Reply>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function(BenchmarkId::new("taps_per_event", layers), |bench| {
        bench.iter(|| {
            let request = Request::post("/v1/chat/completions")
                .body(Body::from("{\"stream\":true}"))
                .unwrap();
            runtime.block_on(async {
                let mut body = stack.clone().oneshot(request).await.unwrap().into_body();
                while let Some(frame) = body.frame().await {
                    std::hint::black_box(frame.unwrap());
                }
            });
        });
    });
    group.finish();
}

criterion_group!(benches, scan, filters, events);
criterion_main!(benches);
