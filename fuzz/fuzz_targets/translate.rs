//! Any request, answer or stream through the translation: no panic, no 5xx for what the caller did, nothing but well-formed messages out.
//!
//! An input serves as all of it: a request; a provider's answer; and a stream, of its items' events where it is an array, or as it is
//! where it is no JSON.

#![no_main]

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bartizan::core::{Body, Dialect, Direction, Document, Event, EventDecoder, ManualClock};
use bartizan::translate::{Target, TranslateLayer, Unknown};
use bartizan_fuzz::{Draw, cut};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use tokio::runtime::Runtime;
use tower::{Layer, ServiceExt};

const MODEL: &str = "claude-haiku-4-5";
const ASK: &str = r#"{"model":"house","messages":[{"role":"user","content":"hi"}]}"#;
const STREAM: &str =
    r#"{"model":"house","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
/// With a hidden tool, whose arguments become the content.
const FORMAT: &str = r#"{"model":"house","stream":true,"messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_object"}}"#;
const REPLY: &str = r#"{"id":"msg_1","model":"claude-haiku-4-5","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}"#;
const EVENTS: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\",\"content\":[],\"usage\":{\"input_tokens\":1}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
});

static LAYERS: LazyLock<[TranslateLayer; 3]> = LazyLock::new(|| {
    let layer = || TranslateLayer::new().clock(ManualClock::at(Duration::from_secs(1_700_000_000)));
    let claude = Target::new(Dialect::AnthropicMessages, MODEL);
    [
        layer().to(claude.clone()),
        layer().to(claude).unknown(Unknown::Drop),
        layer().to(Target::new(Dialect::OpenAiChat, "gpt-4o")),
    ]
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    bartizan_fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|bytes: &[u8]| {
    let [strict, lenient, relay] = &*LAYERS;
    for layer in [strict, lenient, relay] {
        as_request(layer, bytes);
    }
    for status in [200, 400, 429, 529] {
        let answer = || {
            answer(
                status,
                "application/json",
                vec![Bytes::copy_from_slice(bytes)],
            )
        };
        for layer in [strict, relay] {
            let translated = std::ptr::eq(layer, strict);
            check_whole(&exchange(layer, ASK.as_bytes(), answer()), translated);
            check_whole(&exchange(layer, FORMAT.as_bytes(), answer()), translated);
        }
    }
    let stream = stream(bytes);
    let mut draw = Draw::from_input(bytes);
    for request in [STREAM, FORMAT] {
        for layer in [strict, relay] {
            let pieces = cut(&stream, &mut draw)
                .into_iter()
                .map(Bytes::copy_from_slice)
                .collect();
            let got = exchange(
                layer,
                request.as_bytes(),
                answer(200, "text/event-stream", pieces),
            );
            check_stream(&got, std::ptr::eq(layer, strict).then_some(&stream));
        }
    }
});

/// What a provider would stream.
fn stream(bytes: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(serde_json::Value::Array(events)) => {
            let event = |event: &serde_json::Value| {
                Event::new(event["type"].as_str(), &event.to_string()).to_bytes()
            };
            events
                .iter()
                .flat_map(|item| event(item).to_vec())
                .collect()
        }
        Ok(event) => Event::new(event["type"].as_str(), &event.to_string())
            .to_bytes()
            .to_vec(),
        Err(_) => bytes.to_vec(),
    }
}

struct Got {
    status: u16,
    body: Bytes,
    sent: Option<Bytes>,
}

fn answer(status: u16, form: &str, pieces: Vec<Bytes>) -> Response<Body> {
    let frames = Frames(pieces.into_iter());
    let answer = Response::builder()
        .status(status)
        .header("content-type", form);
    answer.body(Body::new(frames)).expect("an answer")
}

struct Frames(std::vec::IntoIter<Bytes>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

fn exchange(layer: &TranslateLayer, body: &[u8], answer: Response<Body>) -> Got {
    let sent = Arc::new(Mutex::new(None));
    let answer = Arc::new(Mutex::new(Some(answer)));
    let noted = Arc::clone(&sent);
    let provider = tower::service_fn(move |request: Request<Body>| {
        let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
        async move {
            let body = request
                .into_body()
                .collect()
                .await
                .expect("a body that is held")
                .to_bytes();
            *noted.lock().expect("one thread") = Some(body);
            Ok::<_, Infallible>(answer.lock().expect("one thread").take().expect("one call"))
        }
    });
    let request = Request::post("/v1/chat/completions").header("content-type", "application/json");
    let request = request
        .body(Body::from(Bytes::copy_from_slice(body)))
        .expect("a request");
    let (status, body) = RUNTIME.block_on(async {
        let answer = layer
            .layer(provider)
            .oneshot(request)
            .await
            .expect("a service that does not fail");
        let (parts, body) = answer.into_parts();
        (
            parts.status.as_u16(),
            body.collect()
                .await
                .expect("a body that does not fail")
                .to_bytes(),
        )
    });
    let sent = sent.lock().expect("one thread").take();
    Got { status, body, sent }
}

fn as_request(layer: &TranslateLayer, bytes: &[u8]) {
    let relays = std::ptr::eq(layer, &LAYERS[2]);
    let streams = Document::read(bytes, Dialect::OpenAiChat, Direction::Request)
        .is_ok_and(|document| document.facts().stream);
    let (form, said) = if streams {
        ("text/event-stream", EVENTS)
    } else {
        ("application/json", REPLY)
    };
    let got = exchange(
        layer,
        bytes,
        answer(200, form, vec![Bytes::from_static(said.as_bytes())]),
    );
    match &got.sent {
        Some(sent) => {
            let dialect = if relays {
                Dialect::OpenAiChat
            } else {
                Dialect::AnthropicMessages
            };
            let document = Document::read(sent, dialect, Direction::Request)
                .expect("a message of the target's dialect");
            assert!(
                document.unseen().is_empty() || relays,
                "a part that the target does not have"
            );
            if !relays {
                assert_eq!(got.status, 200);
                assert_eq!(
                    (document.facts().stream, document.facts().model.as_deref()),
                    (streams, Some(MODEL))
                );
            }
        }
        None => assert!(
            (400..500).contains(&got.status),
            "{} for a bad request",
            got.status
        ),
    }
}

/// What the client gets for a provider's whole answer; `translated`: not as it came.
fn check_whole(got: &Got, translated: bool) {
    // A provider that says nothing at all is passed on as that.
    if !got.body.is_empty() && (translated || got.status != 200) {
        let body = serde_json::from_slice::<serde_json::Value>(&got.body);
        assert!(
            body.is_ok_and(|body| body.is_object()),
            "{} {}",
            got.status,
            String::from_utf8_lossy(&got.body)
        );
    }
}

fn check_stream(got: &Got, translated: Option<&Vec<u8>>) {
    let Some(stream) = translated else { return };
    assert_eq!(got.status, 200);
    let (events, whole) = decode(&got.body);
    assert!(whole, "what leaves is an event stream");
    let data: Vec<&str> = events.iter().filter_map(Event::data).collect();
    for data in &data {
        assert!(
            *data == "[DONE]"
                || Document::read(data, Dialect::OpenAiChat, Direction::Event).is_ok(),
            "{data}"
        );
    }
    let stops = decode(stream).0.iter().filter_map(Event::data).any(|data| {
        Document::read(data, Dialect::AnthropicMessages, Direction::Event)
            .is_ok_and(|document| document.facts().terminal)
    });
    let done = data.iter().filter(|data| **data == "[DONE]").count();
    let failed = data
        .last()
        .is_some_and(|data| data.starts_with("{\"error\""));
    assert!(
        done <= 1 && (done == 0 || stops),
        "an end that the provider did not say"
    );
    assert!(
        done == 1 || failed,
        "a stream that ends without a word: {data:?}"
    );
    assert!(done == 0 || data.last() == Some(&"[DONE]"));
}

fn decode(stream: &[u8]) -> (Vec<Event>, bool) {
    let mut decoder = EventDecoder::new();
    decoder.push(Bytes::copy_from_slice(stream));
    let mut events = Vec::new();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => break,
            Err(_) => return (events, false),
        }
    }
    match decoder.finish() {
        Ok(last) => {
            events.extend(last);
            (events, true)
        }
        Err(_) => (events, false),
    }
}
