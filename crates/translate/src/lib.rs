//! A tower layer that lets one API's clients call another's provider.
//!
//! [`TranslateLayer`] stands innermost, around the client that reaches the provider. What goes out is told by a [`Target`] in the
//! request's extensions, which a router puts there, or by one for all requests. If the target speaks the caller's dialect, bytes pass:
//! only the model's name is spliced. If not, the request is translated on its way in, and the answer, whole or streamed, on its way out;
//! every layer outside sees the caller's dialect alone.
//!
//! Here an OpenAI client calls Claude:
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bartizan_core::{Body, Dialect};
//! use bartizan_translate::{DROPPED, Target, TranslateLayer};
//! use http::{Request, Response};
//! use http_body_util::BodyExt;
//! use tower::{Layer, ServiceExt};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let provider = tower::service_fn(|request: Request<Body>| async move {
//!     assert_eq!(request.uri(), "/v1/messages");
//!     let reply = r#"{"id":"msg_1","model":"claude-haiku-4-5","content":[{"type":"text","text":"hello"}],
//!         "stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":3}}"#;
//!     let reply = Response::builder().header("content-type", "application/json").body(Body::from(reply));
//!     Ok::<_, Infallible>(reply.unwrap())
//! });
//! let layer = TranslateLayer::new().to(Target::new(Dialect::AnthropicMessages, "claude-haiku-4-5"));
//!
//! let request = r#"{"model":"house","messages":[{"role":"user","content":"hi"}],"seed":7}"#;
//! let request = Request::post("/v1/chat/completions").body(Body::from(request)).unwrap();
//! let answer = layer.layer(provider).oneshot(request).await.unwrap();
//! assert_eq!(answer.headers()[DROPPED], "seed");
//! let body = answer.into_body().collect().await.unwrap().to_bytes();
//! assert!(body.starts_with(br#"{"id":"msg_1","object":"chat.completion","#));
//! # });
//! ```
//!
//! # Nothing is lost in silence
//!
//! The hazard of translating is the word that the other side does not have. Each such word ends in one of three ways:
//!
//! - **Refused**, with 400 and its path, where leaving it out would change what the answer is: `n` over 1, audio, a kind of tool or part
//!   that the provider lacks, a stop sequence of white space, members that nobody knows ([`Unknown`]).
//! - **Dropped or changed, and reported** in the response header [`DROPPED`] and in the [`Trail`](bartizan_core::Trail), where it only
//!   nudges the model or the bill: `seed`, penalties, `logprobs`, a temperature over 1 ([`TooHot`]).
//! - **Ignored**, where it says what happens anyway: `null`, `n: 1`, a penalty of 0.
//!
//! What is left out of an *answer* comes too late for a header: it stands in the answer's own member `bartizan_dropped` (in a stream, of
//! the chunk with the finish reason) and in the Trail.
//!
//! # OpenAI chat completions to Anthropic messages
//!
//! | OpenAI | Anthropic |
//! |---|---|
//! | `system`, `developer` messages | `system`; those inside the conversation move to the front and are reported (`messages.system;moved`) |
//! | neighbours of one role | one turn; empty texts go, a turn with nothing in it is dropped and reported |
//! | `tool` messages | `tool_result` blocks, first in the user turn, each by its id |
//! | `tool_calls` | `tool_use`; arguments pass as they were written, and must be one JSON object (empty: `{}`) |
//! | tool ids | as they are; characters that Anthropic refuses are written as `_` and two hex digits |
//! | a history of calls without `tools` | the tools' names declared, `tool_choice` none |
//! | `tools`, `strict` | `tools`; `strict` where the model has it, else reported |
//! | `tool_choice` none, auto, required, named | none, auto, any, tool |
//! | `parallel_tool_calls: false` | `disable_parallel_tool_use: true` |
//! | `image_url` | `image` by base64, or by URL, which Anthropic fetches; `detail` is reported |
//! | `file` | `document`: PDF, plain text, or a URL; files by id are refused |
//! | `stop` | `stop_sequences` |
//! | `max_completion_tokens`, `max_tokens` | `max_tokens`; unsaid, the model's own maximum by [`ModelFacts`]; unknown, refused or [`default_max_tokens`](TranslateLayer::default_max_tokens) |
//! | `temperature`, `top_p`, `top_k` | the same; 1 is what happens anyway. Reported where the model takes none, with thinking, and `top_p` beside a temperature |
//! | `reasoning_effort`, `reasoning`, `thinking` | `thinking`, by the table below |
//! | `response_format` | a strict `json_schema` by `output_config.format`; any other by a hidden tool that the model must call, whose arguments become the content |
//! | `user`, else `safety_identifier` | `metadata.user_id` |
//! | `service_tier` default | `standard_only`; other tiers are reported |
//! | `cache_control` on the request, messages, parts, tools, calls | the same |
//! | `reasoning_details` | `thinking` and `redacted_thinking`, before all else in the turn; `reasoning_content` alone is unsigned, is dropped and reported |
//!
//! Efforts, for models that think by a budget, never more than three quarters of `max_tokens`; models that think by effort get the effort:
//!
//! | minimal | low | medium | high | xhigh | max |
//! |---|---|---|---|---|---|
//! | 1,024 | 2,048 | 8,192 | 16,384 | 32,768 | all there is |
//!
//! Thinking is dropped and reported where Anthropic would refuse it: with a forced tool (the hidden one too), when the last results answer
//! calls that were made without it, and when fewer than 1,024 tokens are left for it.
//!
//! # Anthropic's answers to OpenAI's clients
//!
//! | Anthropic | OpenAI |
//! |---|---|
//! | `text` blocks | `content`, joined |
//! | `tool_use` | `tool_calls`; in a stream numbered from 0, named once, `{}` where nothing was said |
//! | `thinking`, `redacted_thinking` | `reasoning_content` for reading; `reasoning_details` (`reasoning.text` with `signature`, `reasoning.encrypted`) to be sent back with the history |
//! | what the provider ran itself, citations | never the client's to run; left out and declared |
//! | `end_turn`, `stop_sequence`, `pause_turn` | `stop` |
//! | `max_tokens`, `model_context_window_exceeded` | `length` |
//! | `tool_use` | `tool_calls` |
//! | `refusal` | `content_filter`, and the explanation in `refusal` |
//! | `input_tokens` + `cache_read_…` + `cache_creation_…` | `prompt_tokens`, with `cached_tokens` and `cache_write_tokens` in its details |
//! | `output_tokens`, `thinking_tokens` in its details | `completion_tokens`, `reasoning_tokens` in its details |
//! | `ping` | a comment |
//! | `error` event | an OpenAI error; nothing follows |
//! | `message_stop` | `[DONE]` |
//!
//! A finish reason and `[DONE]` are written when the provider says so and never else: a stream that breaks off ends in an error event.
//!
//! # Usage of a stream
//!
//! OpenAI's dialect says usage only when asked, and limits and budgets stand on it. So the layer asks on every stream, and hides the answer
//! from a client that did not: layers of this family still see it ([`Event::hide`](bartizan_core::Event::hide)). A foreign layer in
//! between ends its way, so place those outside. See [`TranslateLayer::stream_usage`].
//!
//! # Errors of the provider
//!
//! They are told anew, in both cases, since their texts name keys, accounts and deployments. The class of the status stays (529 is 503 to
//! OpenAI's clients), and so do `retry-after`, known codes and the name of the field at fault. The provider's words stay for 400 and 422
//! alone, where the caller needs them, without what looks like a credential or an address. A 429 of Anthropic's without `retry-after` is a
//! spent budget and gets `x-should-retry: false`.
//!
//! # Another dialect
//!
//! Both sides meet in a private model of what a message says; a dialect decodes into it and encodes from it, and is named in one
//! place. Other pairs than the one above are refused as yet (`translation_unsupported`).

mod anthropic;
pub mod catalogue;
mod cohere;
mod count_tokens;
mod custom;
mod dialects;
mod embeddings;
mod error;
mod facts;
mod fault;
pub mod fetch;
mod gemini;
mod head;
mod headers;
#[cfg(test)]
mod identity;
mod layer;
mod losses;
mod media;
mod moderations;
mod names;
mod neutral;
mod ollama;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod pieces;
mod read;
mod rerank;
mod settings;
mod tap;
mod target;
mod whole;
mod write;

pub use count_tokens::ESTIMATED;
pub use error::Error;
pub use facts::{Effort, Model, ModelFacts, Prices, Purpose, Thinking};
pub use fetch::{Fetch, FetchUrls};
pub use layer::{Translate, TranslateLayer};
pub use losses::DROPPED;
pub use read::Unknown;
pub use settings::TooHot;
pub use tap::Translation;
pub use target::Target;
