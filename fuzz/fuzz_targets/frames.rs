//! Any bytes as a stream in Amazon's frames: no panic, the same wherever they are cut, and no end that the provider did not say.
//!
//! An input serves twice: as it is, and, where it is a JSON array, as frames with right checksums: each item is `{"event":payload}`.

#![no_main]

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bartizan::core::{Body, Dialect, ManualClock};
use bartizan::translate::catalogue::Envelope;
use bartizan::translate::{Target, TranslateLayer};
use bartizan_fuzz::{Draw, cut};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use tokio::runtime::Runtime;
use tower::{Layer, ServiceExt};

const ASK: &str =
    r#"{"model":"house","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
});

static LAYERS: LazyLock<[TranslateLayer; 2]> = LazyLock::new(|| {
    let layer = || TranslateLayer::new().clock(ManualClock::at(Duration::from_secs(1_700_000_000)));
    let model = "anthropic.claude-haiku-4-5-20251001-v1:0";
    [
        layer().to(Target::new(Dialect::BedrockConverse, model)),
        layer().to(Target::new(Dialect::AnthropicMessages, model).envelope(Envelope::Bedrock)),
    ]
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    bartizan_fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::from_input(bytes);
    for stream in [Some(bytes.to_vec()), framed(bytes)].into_iter().flatten() {
        for layer in &*LAYERS {
            for path in ["/v1/chat/completions", "/v1/messages"] {
                let whole = streamed(layer, path, vec![Bytes::copy_from_slice(&stream)]);
                let pieces = cut(&stream, &mut draw);
                let pieces = pieces.into_iter().map(Bytes::copy_from_slice).collect();
                assert_eq!(streamed(layer, path, pieces), whole, "cut elsewhere");
                let ends = whole.contains("[DONE]") || whole.contains("\"message_stop\"");
                let said = ["metadata", "message_stop", "bytes"].map(|word| has(&stream, word));
                assert!(!ends || said.contains(&true), "an end that nobody said");
                assert!(
                    ends || whole.contains("error"),
                    "a stream that ends without a word: {whole}"
                );
            }
        }
    }
});

fn has(stream: &[u8], word: &str) -> bool {
    stream
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

/// The items of an array as frames.
fn framed(bytes: &[u8]) -> Option<Vec<u8>> {
    let items: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let mut stream = Vec::new();
    for item in items.as_array()? {
        let (name, payload) = item.as_object()?.iter().next()?;
        let kind = if name.ends_with("Exception") {
            "exception"
        } else {
            "event"
        };
        let of = if kind == "event" {
            ":event-type"
        } else {
            ":exception-type"
        };
        stream.extend(frame(
            &[(":message-type", kind), (of, name)],
            &payload.to_string(),
        )?);
    }
    Some(stream)
}

fn frame(headers: &[(&str, &str)], payload: &str) -> Option<Vec<u8>> {
    let mut told = Vec::new();
    for (name, value) in headers {
        told.push(u8::try_from(name.len()).ok()?);
        told.extend(name.as_bytes());
        told.push(7);
        told.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
        told.extend(value.as_bytes());
    }
    let mut frame = Vec::new();
    for length in [told.len() + payload.len() + 16, told.len()] {
        frame.extend(u32::try_from(length).ok()?.to_be_bytes());
    }
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(told);
    frame.extend(payload.as_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    Some(frame)
}

struct Pieces(std::vec::IntoIter<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

fn streamed(layer: &TranslateLayer, path: &str, pieces: Vec<Bytes>) -> String {
    let answer = Response::builder()
        .header("content-type", "application/vnd.amazon.eventstream")
        .header("x-amzn-requestid", "r")
        .body(Body::new(Pieces(pieces.into_iter())))
        .expect("an answer");
    let answer = Arc::new(Mutex::new(Some(answer)));
    let provider = tower::service_fn(move |_: Request<Body>| {
        let answer = answer.lock().expect("one thread").take();
        async move { Ok::<_, Infallible>(answer.expect("one call")) }
    });
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(ASK))
        .expect("a request");
    RUNTIME.block_on(async {
        let answer = layer.layer(provider).oneshot(request).await;
        let body = answer.expect("a service that does not fail").into_body();
        let bytes = body.collect().await.expect("a body that does not fail");
        String::from_utf8(bytes.to_bytes().to_vec()).expect("an event stream is UTF-8")
    })
}
