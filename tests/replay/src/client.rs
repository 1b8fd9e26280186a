//! A client of each API, which asks through the layer.

use bartizan_core::{Body, Dialect, Refusal, Trail};
use std::sync::{Arc, LazyLock};

use bartizan_translate::catalogue::{Envelope, Providers};
use bartizan_translate::{DROPPED, Target, TranslateLayer};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _};

use crate::api::Api;
use crate::exchanges::Exchange;
use crate::frames;
use crate::provider::{Provider, Sent};
use crate::said::{self, Said};

/// What a client got.
#[derive(Clone, Debug)]
pub struct Got {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
    /// Whether the body broke off instead of ending.
    pub broken: bool,
    /// What the provider was sent, if it was.
    pub sent: Option<Sent>,
    /// Why the layer refused it.
    pub refusal: Option<Refused>,
    /// What the layers noted.
    pub trail: Vec<String>,
}

/// Why a request was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// What is wrong, in one word.
    pub code: String,
    /// The field at fault.
    pub field: Option<String>,
}

impl Refused {
    fn read(refusal: &Refusal) -> Self {
        let event = refusal.event(Dialect::OpenAiChat);
        let body: Value =
            serde_json::from_str(event.data().unwrap_or_default()).unwrap_or_default();
        Self {
            code: refusal.code().to_owned(),
            field: body["error"]["param"].as_str().map(str::to_owned),
        }
    }
}

impl Got {
    /// The body, where it is JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The media type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        let value = self.headers.get(CONTENT_TYPE);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The reported fields: names with what became of them.
    #[must_use]
    pub fn dropped(&self) -> Vec<String> {
        let reported = self.headers.get(DROPPED);
        let reported = reported.and_then(|value| value.to_str().ok());
        let reported = reported.into_iter().flat_map(|list| list.split(", "));
        reported
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Whether the pair is one that the layer has no translation for.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.refusal
            .as_ref()
            .is_some_and(|refusal| refusal.code == "translation_unsupported")
    }

    /// What it says, in the client's own API.
    #[must_use]
    pub fn said(&self, api: Api, stream: bool) -> Said {
        if stream {
            said::streamed(api, &frames::of(self.media_type(), self.text.as_bytes()))
        } else {
            said::whole(api, &self.json())
        }
    }
}

/// The layer, with nothing set but the answer's most tokens, which recordings may lack.
#[must_use]
pub fn layer() -> TranslateLayer {
    TranslateLayer::new().default_max_tokens(4096)
}

/// Where an exchange's requests are sent: as it was recorded, by what the catalogue knows of the provider.
///
/// # Panics
///
/// Where the catalogue does not know it, or the paths of Bedrock are none.
#[must_use]
#[allow(clippy::expect_used, reason = "a test that fails panics")]
pub fn target(exchange: &Exchange) -> Target {
    let target = Target::new(exchange.api.dialect(), exchange.model.as_str());
    if exchange.file == "bedrock.invoke.derived" {
        return target
            .path("/model/{model}/invoke")
            .and_then(|target| target.stream_path("/model/{model}/invoke-with-response-stream"))
            .expect("paths")
            .envelope(Envelope::Bedrock);
    }
    let slug = match exchange.file.split('.').next().unwrap_or_default() {
        "azure" => "azure_ai",
        "bedrock" if exchange.api != Api::Converse => "bedrock_mantle",
        "vertex" => "vertex_ai",
        slug => slug,
    };
    let provider = PROVIDERS.get(slug).expect("the catalogue has it");
    target.quirks(Arc::clone(provider.quirks()))
}

static PROVIDERS: LazyLock<Providers> = LazyLock::new(Providers::builtin);

/// A target of this name: of an API as its maker has it, or of a provider that speaks OpenAI's chat with quirks.
#[must_use]
pub fn named(name: &str, model: &str) -> Option<Target> {
    if let Some(api) = Api::named(name) {
        return Some(to(api, model));
    }
    let quirks = Arc::clone(PROVIDERS.get(name)?.quirks());
    Some(to(Api::Chat, model).quirks(quirks))
}

/// A target of this API.
#[must_use]
pub fn to(api: Api, model: &str) -> Target {
    Target::new(api.dialect(), model)
}

/// The least that can be asked.
#[must_use]
pub fn question(api: Api, stream: bool) -> Value {
    match api {
        Api::Chat if stream => {
            json!({"model": "m", "messages": [{"role": "user", "content": "a"}], "stream": true, "stream_options": {"include_usage": true}})
        }
        Api::Chat => json!({"model": "m", "messages": [{"role": "user", "content": "a"}]}),
        Api::Responses => json!({"model": "m", "input": "a", "stream": stream, "store": false}),
        Api::Completions if stream => {
            json!({"model": "m", "prompt": "a", "max_tokens": 900, "stream": true, "stream_options": {"include_usage": true}})
        }
        Api::Completions => json!({"model": "m", "prompt": "a", "max_tokens": 900}),
        Api::Anthropic => {
            json!({"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 900, "stream": stream})
        }
        Api::Gemini => json!({
            "contents": [{"role": "user", "parts": [{"text": "a"}]}],
            "generationConfig": {"thinkingConfig": {"includeThoughts": true}},
        }),
        Api::Converse | Api::Cohere | Api::Ollama => json!({}),
    }
}

/// Asks what `body` says in `api`'s words, of a provider that `target` leads to.
pub async fn ask(api: Api, stream: bool, body: &str, target: Target, provider: Provider) -> Got {
    let mut request = Request::post(api.path("m", stream))
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap_or_default();
    request.extensions_mut().insert(target);
    send(request, provider).await
}

/// Sends a request through the layer and takes all of the answer.
pub async fn send(mut request: Request<Body>, provider: Provider) -> Got {
    let trail = Trail::new();
    request.extensions_mut().insert(trail.clone());
    let response = layer().layer(provider.clone()).oneshot(request).await;
    let response = match response {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (parts, mut body) = response.into_parts();
    let (mut bytes, mut broken) = (Vec::new(), false);
    while let Some(frame) = body.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => bytes.extend_from_slice(&data),
            Ok(Err(_)) => {}
            Err(_) => {
                broken = true;
                break;
            }
        }
    }
    Got {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
        broken,
        sent: provider.sent(),
        refusal: parts.extensions.get().map(Refused::read),
        trail: trail.notes().iter().map(ToString::to_string).collect(),
    }
}

/// What a client of `api` gets where a provider answers as recorded.
pub async fn replayed(api: Api, exchange: &Exchange, provider: Provider) -> Got {
    let body = question(api, exchange.stream).to_string();
    ask(api, exchange.stream, &body, target(exchange), provider).await
}
