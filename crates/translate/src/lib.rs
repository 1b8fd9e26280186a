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
//! What becomes what of which dialect is told page by page in the [`guide`]. A finish reason and a stream's last word are written when the
//! provider says so and never else: a stream that breaks off ends in an error event. What a provider's own tools did is never the client's
//! to run.
//!
//! # Usage of a stream
//!
//! OpenAI's dialect says usage only when asked, and limits and budgets stand on it. So the layer asks on every stream, and hides the answer
//! from a client that did not: layers of this family still see it ([`Event::hide`](bartizan_core::Event::hide)). A foreign layer in
//! between ends its way, so place those outside. See [`TranslateLayer::stream_usage`].
//!
//! # Errors of the provider
//!
//! They are told anew, in both cases, since their texts name keys, accounts and deployments. The status stays (529 is 503 to all but
//! Anthropic's clients), and so do known codes, the name of the field at fault, and whether and when to try again. Headers pass by a list.
//! One table has it all: [`guide::failures`].
//!
//! # Another dialect
//!
//! Both sides meet in a private model of what a message says; a dialect decodes into it and encodes from it, and is named in one
//! place. A pair that makes no sense, such as a rerank from a model that chats, is refused (`translation_unsupported`).

mod anthropic;
pub mod array;
mod bedrock;
pub mod catalogue;
mod cohere;
mod count_tokens;
mod custom;
mod dialects;
mod embeddings;
mod envelope;
mod error;
mod facts;
mod fault;
pub mod fetch;
mod framing;
mod gemini;
pub mod guide;
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

pub use array::{ArrayLayer, Arrays};
pub use bartizan_core::Prices;
pub use count_tokens::ESTIMATED;
pub use error::Error;
pub use facts::{Effort, Model, ModelFacts, Purpose, Thinking};
pub use fetch::{Fetch, FetchUrls};
pub use layer::{Translate, TranslateLayer};
pub use losses::DROPPED;
pub use read::Unknown;
pub use settings::TooHot;
pub use tap::Translation;
pub use target::Target;
