//! The usage of a stream: layers outside see it, a client that did not ask does not.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod support;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bartizan_core::{
    Body, Call, Dialect, Direction, Document, Event, Filter, Filtered, Flow, Out, Refusal, Step,
    Tap, Usage,
};
use bartizan_translate::{Target, TranslateLayer};
use http::Request;
use http_body_util::BodyExt;
use support::{chat, exchange, json, layer, post, sse};
use tower::{Layer, ServiceExt};

/// Counts, as a layer of limits does.
struct Meter(Arc<Mutex<Usage>>);
struct MeterTap(Arc<Mutex<Usage>>);

impl Filter for Meter {
    const NAME: &'static str = "meter";
    type Tap = MeterTap;

    async fn request(&self, call: &mut Call) -> Result<Flow<MeterTap>, Refusal> {
        assert_eq!(call.dialect(), Dialect::OpenAiChat);
        Ok(Flow::Pass(MeterTap(Arc::clone(&self.0))))
    }
}

impl Tap for MeterTap {
    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        if let Some(usage) = event.peek().and_then(|document| document.facts().usage) {
            self.0.lock().unwrap().raise_to(&usage);
        }
        out.push(event);
        Step::Go
    }
}

#[tokio::test]
async fn layers_outside_count_what_the_client_does_not_see() {
    let claude = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\",\"usage\":{\"input_tokens\":10,",
        "\"cache_read_input_tokens\":20,\"cache_creation_input_tokens\":30,\"output_tokens\":1}}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":40}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let gpt = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":60,\"completion_tokens\":40,",
        "\"prompt_tokens_details\":{\"cached_tokens\":20,\"cache_write_tokens\":30}}}\n\ndata: [DONE]\n\n",
    );
    let same = TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, "m"));
    for (layer, stream) in [(layer(), claude), (same, gpt)] {
        let seen = Arc::new(Mutex::new(Usage::default()));
        let provider = tower::service_fn(move |request: Request<Body>| async move {
            request.into_body().collect().await.unwrap();
            Ok::<_, Infallible>(sse(stream))
        });
        let service = Filtered::new(layer.layer(provider), Arc::new(Meter(Arc::clone(&seen))));
        let request =
            chat(r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"a"}]}"#);
        let answer = service.oneshot(request).await.unwrap();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(
            !text.contains("prompt_tokens") && text.ends_with("data: [DONE]\n\n"),
            "{text}"
        );
        let wanted = Usage {
            input: 10,
            cached_input: 20,
            cache_write: 30,
            output: 40,
            ..Usage::default()
        };
        assert_eq!(*seen.lock().unwrap(), wanted);
    }
}

/// A provider that counts nothing: a count of 0 made up here would let its answers pass every budget.
#[tokio::test]
async fn no_count_is_made_up_where_the_provider_says_none() {
    let chat = r#"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}"#;
    let claude = r#"{"id":"m","model":"claude","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn"}"#;
    let asks = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#;
    let gemini = r#"{"contents":[{"parts":[{"text":"a"}]}]}"#;
    for (client, path, body, provider, reply) in [
        (
            Dialect::OpenAiChat,
            "/v1/chat/completions",
            asks,
            Dialect::AnthropicMessages,
            claude,
        ),
        (
            Dialect::AnthropicMessages,
            "/v1/messages",
            asks,
            Dialect::OpenAiChat,
            chat,
        ),
        (
            Dialect::OpenAiResponses,
            "/v1/responses",
            r#"{"model":"m","input":"a"}"#,
            Dialect::OpenAiChat,
            chat,
        ),
        (
            Dialect::Gemini,
            "/v1beta/models/m:generateContent",
            gemini,
            Dialect::OpenAiChat,
            chat,
        ),
    ] {
        let layer = TranslateLayer::new()
            .to(Target::new(provider, "m"))
            .default_max_tokens(9);
        let got = exchange(&layer, post(path, body), json(200, reply)).await;
        assert_eq!(got.status, 200, "{}", got.text);
        let told = Document::read(&got.text, client, Direction::Reply).unwrap();
        assert_eq!(told.facts().usage, None, "{}", got.text);
    }
}
