//! Recorded exchanges with real providers: all are read, and leave byte for byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use bartizan_core::{
    Body, Call, Channel, Dialect, Direction, Document, Event, EventDecoder, Filter, Filtered, Flow,
    Out, Refusal, StreamRewriter, Tap, TextRewriter, Usage,
};
use http::{Request, Response};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tower::ServiceExt;

const FILES: &[(&str, Dialect)] = &[
    ("openai.chat", Dialect::OpenAiChat),
    ("azure.chat", Dialect::OpenAiChat),
    ("deepseek.chat", Dialect::OpenAiChat),
    ("openrouter.chat", Dialect::OpenAiChat),
    ("mistral.chat", Dialect::OpenAiChat),
    ("perplexity.chat", Dialect::OpenAiChat),
    ("ollama.chat", Dialect::OpenAiChat),
    ("openai.responses", Dialect::OpenAiResponses),
    ("azure.responses", Dialect::OpenAiResponses),
    ("deepseek.responses", Dialect::OpenAiResponses),
    ("bedrock.responses", Dialect::OpenAiResponses),
    ("xai.responses", Dialect::OpenAiResponses),
    ("anthropic.messages", Dialect::AnthropicMessages),
    ("openai.embeddings", Dialect::OpenAiEmbeddings),
    ("azure.embeddings", Dialect::OpenAiEmbeddings),
    ("openai.completions", Dialect::OpenAiCompletions),
    ("openai.moderations", Dialect::OpenAiModerations),
    ("anthropic.count_tokens", Dialect::AnthropicCountTokens),
    ("gemini.generateContent", Dialect::Gemini),
    ("vertex.generateContent", Dialect::Gemini),
    ("gemini.count_tokens", Dialect::GeminiCountTokens),
    ("vertex.count_tokens", Dialect::GeminiCountTokens),
    ("gemini.models", Dialect::GeminiEmbeddings),
    ("bedrock.converse", Dialect::BedrockConverse),
    ("cohere.chat_v2", Dialect::CohereChat),
    ("cohere.embeddings", Dialect::CohereEmbed),
    ("cohere.rerank", Dialect::CohereRerank),
    ("openrouter.rerank", Dialect::CohereRerank),
];

/// Those of which every message must be known to the last part.
const OWN: &[&str] = &[
    "openai.chat",
    "openai.responses",
    "anthropic.messages",
    "openai.embeddings",
    "mistral.chat",
    "deepseek.chat",
    "openrouter.chat",
    "openai.completions",
    "openai.moderations",
    "anthropic.count_tokens",
    "gemini.generateContent",
    "vertex.generateContent",
    "gemini.count_tokens",
    "vertex.count_tokens",
    "gemini.models",
    "bedrock.converse",
    "cohere.chat_v2",
    "cohere.embeddings",
    "cohere.rerank",
    "openrouter.rerank",
];

struct Exchange {
    file: &'static str,
    dialect: Dialect,
    request: Option<String>,
    answer: Option<String>,
    stream: bool,
}

fn exchanges() -> Vec<Exchange> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/exchanges"
    ));
    if !folder.exists() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (file, dialect) in FILES {
        let lines = std::fs::read_to_string(folder.join(format!("{file}.jsonl"))).unwrap();
        for line in lines.lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |side: &str| record[side]["body"]["text"].as_str().map(str::to_owned);
            if record["request"]["method"] == "POST" {
                // Recorded paths have names of projects as `<NAME>`, and providers mount their APIs where they like.
                let path = record["request"]["path"].as_str().unwrap();
                let path = path.replace(['<', '>'], "");
                let request = Request::post(path).body(()).unwrap();
                match Dialect::of(&request.into_parts().0) {
                    Dialect::Other => continue,
                    of => assert_eq!(of, *dialect, "{file}: {}", record["request"]["path"]),
                }
            }
            let event_stream = record["response"]["headers"]["content-type"]
                .as_str()
                .is_some_and(|content_type| content_type.starts_with("text/event-stream"));
            all.push(Exchange {
                file,
                dialect: *dialect,
                request: text("request").filter(|_| record["request"]["method"] == "POST"),
                answer: text("response"),
                stream: event_stream,
            });
        }
    }
    assert!(
        all.len() > 400,
        "the recorded exchanges are there, whole: {}",
        all.len()
    );
    all
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

#[test]
fn every_recorded_message_is_read_and_leaves_byte_for_byte() {
    let (mut requests, mut replies) = (0, 0);
    for exchange in exchanges() {
        let sides = [
            (exchange.request.as_deref(), Direction::Request),
            (
                exchange.answer.as_deref().filter(|_| !exchange.stream),
                Direction::Reply,
            ),
        ];
        for (text, direction) in sides {
            let Some(text) = text.filter(|text| is_json(text)) else {
                continue;
            };
            let mut document = match Document::read(text, exchange.dialect, direction) {
                Ok(document) => document,
                Err(fault) => {
                    // Recorded to provoke an error: the provider refused it too.
                    let refused = exchange
                        .answer
                        .as_deref()
                        .is_some_and(|answer| answer.contains("error"));
                    assert!(
                        refused && direction == Direction::Request,
                        "{} {direction:?}: {fault}",
                        exchange.file
                    );
                    continue;
                }
            };
            assert_eq!(document.as_str(), text);
            assert_eq!(document.rewrite(|_| None), 0);
            assert_eq!(document.as_str(), text);
            if OWN.contains(&exchange.file) {
                let places: Vec<_> = document
                    .unseen()
                    .iter()
                    .map(|unseen| document.json().at(unseen.node()).raw())
                    .collect();
                let tokens_only = places.iter().all(|raw| {
                    raw.contains("logprob") || raw.starts_with('[') && !raw.contains('"')
                });
                assert!(
                    tokens_only,
                    "{} {direction:?} unseen: {places:.200?}",
                    exchange.file
                );
            }
            match direction {
                Direction::Request => {
                    requests += 1;
                    let by_path = matches!(
                        exchange.dialect,
                        Dialect::Gemini
                            | Dialect::GeminiCountTokens
                            | Dialect::GeminiEmbeddings
                            | Dialect::BedrockConverse
                    );
                    assert!(
                        document.facts().model.is_some() || by_path,
                        "{}: {text:.200}",
                        exchange.file
                    );
                    let refused = exchange
                        .answer
                        .as_deref()
                        .is_some_and(|answer| answer.contains("error"));
                    assert!(
                        document.texts().count() > 0
                            || refused
                            || text.contains("\"image")
                            || text.contains("\"inline_data\"")
                            // Token ids in place of a text.
                            || exchange.dialect == Dialect::OpenAiEmbeddings
                            || exchange.dialect == Dialect::OpenAiCompletions,
                        "{}: {text:.300}",
                        exchange.file
                    );
                }
                _ => {
                    replies += 1;
                    assert_eq!(
                        document.facts().error,
                        is_error(text),
                        "{}: {text:.200}",
                        exchange.file
                    );
                    usage_adds_up(text, exchange.dialect, document.facts().usage);
                }
            }
        }
    }
    assert!(
        exchanges().is_empty() || requests > 350 && replies > 300,
        "{requests} {replies}"
    );
}

fn is_error(text: &str) -> bool {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    !value["error"].is_null() || value["type"] == "error" || value["message"].is_string()
}

/// The disjoint classes that were read must add up to the provider's own total.
fn usage_adds_up(text: &str, dialect: Dialect, read: Option<Usage>) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let (usage, names): (_, &[&str]) = match dialect {
        // Counting costs nothing, and says how much the other would.
        Dialect::AnthropicCountTokens | Dialect::GeminiCountTokens => {
            return assert_eq!(read, Some(Usage::default()));
        }
        Dialect::AnthropicMessages => (
            &value["usage"],
            &[
                "input_tokens",
                "cache_read_input_tokens",
                "cache_creation_input_tokens",
                "output_tokens",
            ],
        ),
        Dialect::Gemini => (&value["usageMetadata"], &["totalTokenCount"]),
        Dialect::GeminiEmbeddings => (&value["usageMetadata"], &["promptTokenCount"]),
        Dialect::BedrockConverse => (&value["usage"], &["totalTokens"]),
        Dialect::CohereChat => (
            &value["usage"]["tokens"],
            &["input_tokens", "image_tokens", "output_tokens"],
        ),
        Dialect::CohereEmbed => (
            &value["meta"]["billed_units"],
            &["input_tokens", "image_tokens"],
        ),
        _ if value["usage"]["total_tokens"].is_u64() => (&value["usage"], &["total_tokens"]),
        _ => (&value["usage"], &["prompt_tokens", "completion_tokens"]),
    };
    assert_eq!(read.is_some(), usage.is_object(), "{text:.200}");
    let Some(read) = read else { return };
    let number = |name: &str| usage[name].as_u64().unwrap_or(0);
    let total: u64 = names.iter().copied().map(number).sum();
    // A provider whose own total does not add up proves nothing.
    let adds_up = names != ["total_tokens"]
        || number("prompt_tokens") + number("completion_tokens") == total
        || number("input_tokens") + number("output_tokens") == total
        || dialect == Dialect::CohereRerank;
    if adds_up {
        assert_eq!(read.total(), total, "{usage}");
    }
}

fn decode(pieces: &[&[u8]]) -> Vec<Event> {
    let mut decoder = EventDecoder::new();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(bytes::Bytes::copy_from_slice(piece));
        while let Some(event) = decoder.next_event().unwrap() {
            events.push(event);
        }
    }
    events.extend(decoder.finish().unwrap());
    events
}

#[test]
fn every_recorded_stream_is_read_and_leaves_byte_for_byte_whatever_its_chunks() {
    let mut streams = 0;
    for exchange in exchanges().iter().filter(|exchange| exchange.stream) {
        let Some(text) = &exchange.answer else {
            continue;
        };
        streams += 1;
        let whole = decode(&[text.as_bytes()]);
        let joined: Vec<u8> = whole
            .iter()
            .flat_map(|event| event.to_bytes().to_vec())
            .collect();
        assert_eq!(
            String::from_utf8(joined).unwrap().trim_end(),
            text.trim_end(),
            "{}",
            exchange.file
        );

        let mut usage = None;
        let mut terminal = false;
        for event in &whole {
            let mut event = event.clone();
            let is_done = event.data() == Some("[DONE]");
            terminal |= is_done;
            let read = event.read_document(exchange.dialect);
            let Some(document) = read.unwrap_or_else(|fault| panic!("{}: {fault}", exchange.file))
            else {
                continue;
            };
            if OWN.contains(&exchange.file) {
                assert_eq!(
                    document.unseen(),
                    [],
                    "{}: {:.300}",
                    exchange.file,
                    document.as_str()
                );
            }
            terminal |= document.facts().terminal || document.facts().error;
            usage = document.facts().usage.or(usage);
        }
        assert!(
            terminal || exchange.file == "perplexity.chat",
            "{}",
            exchange.file
        );

        let mut runner = TestRunner::new(Config {
            cases: 4,
            ..Config::default()
        });
        let cuts = prop::collection::vec(0..=text.len(), 0..60);
        runner
            .run(&cuts, |mut cuts| {
                cuts.sort_unstable();
                let mut pieces = Vec::new();
                let mut from = 0;
                for cut in cuts {
                    pieces.push(&text.as_bytes()[from..cut]);
                    from = cut;
                }
                pieces.push(&text.as_bytes()[from..]);
                prop_assert_eq!(&decode(&pieces), &whole);
                Ok(())
            })
            .unwrap();
    }
    assert!(exchanges().is_empty() || streams > 90, "{streams}");
}

/// Holds back the last few characters, whatever they are, and changes one word.
struct Tail {
    held: String,
    keep: usize,
}

impl TextRewriter for Tail {
    fn push(&mut self, delta: &str, out: &mut String) {
        self.held.push_str(delta);
        let chars = self.held.chars().count().saturating_sub(self.keep);
        let leave = self
            .held
            .char_indices()
            .nth(chars)
            .map_or(self.held.len(), |(at, _)| at);
        out.push_str(&self.held[..leave]);
        self.held.drain(..leave);
    }

    fn finish(&mut self, out: &mut String) {
        out.push_str(&std::mem::take(&mut self.held));
    }
}

/// What a client puts together: each flow's text, and each text said whole.
fn heard(events: &[Event], dialect: Dialect) -> (BTreeMap<Channel, String>, Vec<String>) {
    let (mut flows, mut wholes) = (BTreeMap::<Channel, String>::new(), Vec::new());
    for event in events {
        let mut event = event.clone();
        let Ok(Some(document)) = event.read_document(dialect) else {
            continue;
        };
        for text in document.texts() {
            if text.is_delta() {
                flows
                    .entry(text.channel())
                    .or_default()
                    .push_str(text.as_str());
            } else {
                wholes.push(text.as_str().to_owned());
            }
        }
    }
    (flows, wholes)
}

#[test]
fn every_recorded_stream_says_the_same_after_a_rewriter_that_holds_back() {
    for exchange in exchanges().iter().filter(|exchange| exchange.stream) {
        let Some(text) = &exchange.answer else {
            continue;
        };
        let events = decode(&[text.as_bytes()]);
        for keep in [0, 1, 9, 300] {
            let mut rewriter = StreamRewriter::new(move |_| {
                Some(Tail {
                    held: String::new(),
                    keep,
                })
            });
            let mut out = Out::new();
            for event in &events {
                let mut event = event.clone();
                event.read_document(exchange.dialect).unwrap();
                rewriter.event(event, &mut out);
            }
            rewriter.end(&mut out);
            let rewritten = out.take();
            if keep == 0 {
                let bytes = |events: &[Event]| {
                    events
                        .iter()
                        .flat_map(|event| event.to_bytes().to_vec())
                        .collect::<Vec<u8>>()
                };
                assert!(
                    bytes(&rewritten) == bytes(&events),
                    "{}: a rewriter that changes nothing changes no byte",
                    exchange.file
                );
            }
            let sent: Vec<Event> = decode(&[&rewritten
                .iter()
                .flat_map(|event| event.to_bytes().to_vec())
                .collect::<Vec<u8>>()]);
            let (flows, wholes) = heard(&sent, exchange.dialect);
            let (expected_flows, expected_wholes) = heard(&events, exchange.dialect);
            let says = |flows: BTreeMap<Channel, String>| -> BTreeMap<Channel, String> {
                // JSON may be spelled otherwise after a hold, and says the same.
                flows
                    .into_iter()
                    .map(|(channel, text)| {
                        let json = serde_json::from_str::<serde_json::Value>(&text)
                            .map(|value| value.to_string());
                        (channel, json.unwrap_or(text))
                    })
                    .collect()
            };
            assert_eq!(
                says(flows),
                says(expected_flows),
                "{} {keep}",
                exchange.file
            );
            assert!(
                wholes.len() >= expected_wholes.len(),
                "{} {keep}",
                exchange.file
            );
            numbers_rise(&sent, exchange);
        }
    }
}

/// Events that were put in between do not disturb the numbering.
fn numbers_rise(events: &[Event], exchange: &Exchange) {
    let numbers: Vec<u64> = events
        .iter()
        .filter_map(|event| {
            serde_json::from_str::<serde_json::Value>(event.data()?).ok()?["sequence_number"]
                .as_u64()
        })
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "{} {numbers:?}",
        exchange.file
    );
}

/// Looks at everything and changes nothing.
struct Look;

impl Filter for Look {
    const NAME: &'static str = "look";
    type Tap = LookTap;

    async fn request(&self, _: &mut Call) -> Result<Flow<LookTap>, Refusal> {
        Ok(Flow::Pass(LookTap))
    }
}

struct LookTap;

impl Tap for LookTap {}

/// What a client receives of a provider's stream that ends cleanly after these bytes.
async fn received(dialect: Dialect, sent: String) -> String {
    let provider = tower::service_fn(move |_: Request<Body>| {
        let response = Response::builder()
            .header("content-type", "text/event-stream")
            .body(Body::from(sent.clone()));
        async move { Ok::<_, Infallible>(response.unwrap()) }
    });
    let mut request = Request::post("/").body(Body::empty()).unwrap();
    request.extensions_mut().insert(dialect);
    let response = Filtered::new(provider, Arc::new(Look))
        .oneshot(request)
        .await
        .unwrap();
    let bytes = response.into_body().into_bytes(usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Whether these events end as the dialect says that a whole stream does.
fn is_through(events: &[Event], dialect: Dialect) -> bool {
    let says = |member: &str, values: &[&str]| {
        events.iter().filter_map(Event::data).any(|data| {
            values.iter().any(|value| {
                data.contains(&format!("\"{member}\":\"{value}\""))
                    || data.contains(&format!("\"{member}\": \"{value}\""))
            })
        })
    };
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiCompletions => {
            events.iter().any(|event| event.data() == Some("[DONE]"))
        }
        Dialect::Gemini => says("finishReason", &["STOP", "MAX_TOKENS"]),
        Dialect::CohereChat => says("type", &["message-end"]),
        _ => says(
            "type",
            &[
                "message_stop",
                "response.completed",
                "response.incomplete",
                "response.failed",
            ],
        ),
    }
}

#[tokio::test]
async fn every_recorded_stream_cut_after_every_event_ends_in_an_error_and_never_as_if_it_were_whole()
 {
    // Where the official SDKs are to judge the same bytes, they are written there, one file a cut.
    let folder = std::env::var_os("BARTIZAN_CUTS").map(PathBuf::from);
    let mut cuts = 0;
    for (number, exchange) in exchanges()
        .iter()
        .filter(|exchange| exchange.stream)
        .enumerate()
    {
        let Some(text) = &exchange.answer else {
            continue;
        };
        let events = decode(&[text.as_bytes()]);
        let failed = events.iter().position(|event| {
            event
                .data()
                .is_some_and(|data| data.contains("\"error\":{"))
        });
        for count in 0..events.len() {
            let kept = &events[..count];
            if is_through(kept, exchange.dialect) || failed.is_some_and(|at| at < count) {
                break;
            }
            cuts += 1;
            let sent: Vec<u8> = kept
                .iter()
                .flat_map(|event| event.to_bytes().to_vec())
                .collect();
            let sent = String::from_utf8(sent).unwrap();
            let got = received(exchange.dialect, sent.clone()).await;
            let rest = got
                .strip_prefix(&sent)
                .unwrap_or_else(|| panic!("{}: what came must arrive", exchange.file));
            let mut end = decode(&[rest.as_bytes()]);
            assert_eq!(end.len(), 1, "{} {count}: {rest}", exchange.file);
            let says = end[0].read_document(exchange.dialect).unwrap().unwrap();
            assert!(says.facts().error, "{} {count}: {rest}", exchange.file);
            assert_eq!(
                end[0].name() == Some("error"),
                matches!(
                    exchange.dialect,
                    Dialect::AnthropicMessages | Dialect::OpenAiResponses
                )
            );
            if let Some(folder) = folder.as_ref().filter(|_| OWN.contains(&exchange.file)) {
                std::fs::write(
                    folder.join(format!("{}-{number}-{count}.sse", exchange.file)),
                    got,
                )
                .unwrap();
            }
        }
    }
    assert!(exchanges().is_empty() || cuts > 2_000, "{cuts}");
}
