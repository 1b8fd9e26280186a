//! A tower layer that masks personal data on the way to a model, and restores it in the answer.
//!
//! What the caller writes and what the model sees:
//!
//! ```text
//! caller:  Mail ravi@example.in that Aadhaar 2341 2341 2346 is verified.
//! model:   Mail <EMAIL_ADDRESS_1> that Aadhaar <IN_AADHAAR_1> is verified.
//! model:   Done, <EMAIL_ADDRESS_1> was told.
//! caller:  Done, ravi@example.in was told.
//! ```
//!
//! # The hazards
//!
//! - **A part that nobody looked at.** Masking covers every text that the dialect's walk yields: system prompts, messages,
//!   tool arguments leaf by leaf, tool results, file names, the end user's name, metadata. What the walk can't see is
//!   refused: a part that the dialect doesn't know (400 `pii_unseen_part`), a body of a path that no dialect knows, and gRPC
//!   (400 `pii_unknown_body`). [`allow_unseen_parts`](PiiLayerBuilder::allow_unseen_parts) and
//!   [`allow_unknown_bodies`](PiiLayerBuilder::allow_unknown_bodies) let them pass. **Not looked at**: pictures, sound and
//!   files in a message, JSON numbers of under eight digits, headers, the query.
//! - **One caller's data in another's answer.** The [`Vault`] with what was masked belongs to one exchange, and is overwritten
//!   when it ends. A placeholder that the caller typed is never given out, so it never turns into anything.
//!   Where the provider keeps the conversation (`previous_response_id`, `conversation`), numbers start at random, so that a
//!   placeholder of an earlier exchange isn't taken for one of this.
//! - **A placeholder in the model's own words.** Other case, blanks, Markdown, full-width brackets, HTML's and URLs' codes around it: it is
//!   restored, in that coding. One that the model made up, or that stands for another kind, stays as it is.
//! - **A number that is no longer one.** JSON numbers of eight digits and more are looked at like texts, with what their member is called
//!   for a word beside them, in requests and, with [`output`](PiiLayerBuilder::output), in answers. A masked one becomes a string, as it does in
//!   the arguments of a tool; a fake is a number still, and comes back as one. A placeholder comes back as the string it stands in: a
//!   value has one placeholder however often and in whatever form it was written, a tool's schema and not the request says which form it wants,
//!   and of a stream the opening quote has left when what it holds is known.
//! - **A placeholder cut in two.** A stream's pieces end anywhere. Restoring and masking give the same text wherever the
//!   pieces are cut, and nothing of a finding leaves before all of it has come.
//!
//! # Around a service
//!
//! ```
//! use bartizan_core::Body;
//! use bartizan_pii::{Entity, Operator, PiiLayer};
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pii = PiiLayer::builder()
//!     .mask([Entity::InAadhaar, Entity::InPan, Entity::Phone, Entity::Email])
//!     .operator(Entity::Ip, Operator::Replace)
//!     .block([Entity::Card])
//!     .build()?;
//!
//! let model = tower::service_fn(|_: Request<Body>| async {
//!     Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
//! });
//! let request = Request::post("/v1/chat/completions").body(Body::from(
//!     r#"{"model": "demo", "messages": [{"role": "user", "content": "card 4111 1111 1111 1111"}]}"#,
//! ))?;
//! let refused = pii.layer(model).oneshot(request).await?;
//! assert_eq!(refused.status(), 403);
//! # Ok(())
//! # }
//! ```
//!
//! An [`Operator`] a kind, in LiteLLM's and Presidio's words: `MASK` puts a numbered placeholder and `FAKE` another value of the same shape,
//! which both come back; `REPLACE`, `REDACT`, `PARTIAL`, `HASH` and `ENCRYPT` take it out for good; `BLOCK` refuses the request with 403
//! `pii_blocked`, naming kind and place and nothing else; `KEEP` and `OBSERVE` count only. What was done goes to the
//! [`Trail`](bartizan_core::Trail) as counts, to the counter `bartizan.pii.findings` (labels `entity`, `operator`, `direction`), and never as
//! content. [`output`](PiiLayerBuilder::output) looks at what the model itself writes, too, and
//! [`answer_operator`](PiiLayerBuilder::answer_operator) treats that in its own way.
//!
//! A [`Policy`] says all that for some calls alone, which a [`Rule`] chooses by key, team, tag, path, model, and the
//! [`Regions`](bartizan_core::Regions) to which the call may go. [`Conversations`] keep placeholders the same over several calls.
//!
//! For a service that is no LLM API, [`dialect(Dialect::Json)`](PiiLayerBuilder::dialect) takes every string of any JSON.
//!
//! # Without tower
//!
//! [`Analyzer`] finds, [`Redactor`] takes out, [`Vault`] puts back; [`StreamMasker`] and [`Restorer`] do the same for a text
//! in pieces. All are pure functions of their input, and take time in proportion to it.
//!
//! ```
//! use bartizan_pii::{Entity, Operator, Redactor, Vault};
//!
//! let redactor = Redactor::builder().operator(Entity::Phone, Operator::Mask).build()?;
//! let mut vault = Vault::new();
//! let masked = redactor.mask("call ९८७६५ ४३२१० today", &mut vault)?;
//! assert_eq!(masked, "call <PHONE_NUMBER_1> today");
//! assert_eq!(vault.restore("I called <PHONE_NUMBER_1>."), "I called ९८७६५ ४३२१०.");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it finds
//!
//! Text is folded first: digits of any script, dashes, dots and blanks of any kind, and all that Unicode's NFKC has as digits, letters or
//! signs in ASCII (full-width, in circles, of mathematics, `ﬁ`) become ASCII, marks over letters and invisible characters vanish, and a map leads back to the bytes as they came. A scan for single bytes then finds anchors
//! (a digit, an `@`, a colon, a dot within a word), and the forms of each kind are tried around them: most are lines of two
//! tables, `data/numbers.txt` for those of digits alone and `data/codes.txt` for those with letters, which are one automaton;
//! some are functions. Check digits decide where a kind has them. Where it has none, or where too many other numbers pass
//! (12 digits in a row, 10 digits in a row), a word near by must say what the number is: `Aadhaar`, `मोबाइल`, `card`; and a
//! nearer word such as `order` says that it is something else. The words are in `data/context.txt`, in English, the
//! languages of India and those of each kind's country; [`context_word`](PiiLayerBuilder::context_word) adds to them. A word
//! behind a number counts only up to the end of its clause, and in a table the head of its column counts, however far above. A number that is all a text says is taken without such a word
//! where its form is not too common, since in a tool's arguments the word lies in the field's name.
//!
//! Each form has a score, and another where a word speaks for it; it counts from 0.5 unless told otherwise. Of findings that
//! overlap, the surer wins, then the longer. All kinds with their forms, their checks and whether they want a word are in
//! `docs/pii-entities.md`.
//!
//! # What only a model finds
//!
//! Persons, places, organizations and groups ([`Entity::Person`] and its fellows) have no form that could be told by rules. A [`Model`] finds
//! them: give one to [`PiiLayerBuilder::model`]. Two are here, behind features: `Presidio` asks Presidio's analyzer (`presidio-client`), and
//! `Onnx` runs a token classifier from a folder of yours in this process (`onnx`). Requests and unstreamed answers wait for it, and are refused
//! with 503 `pii_model_unavailable` if it fails, unless a named option lets them pass. It can't look at a stream, of which it never sees the
//! whole: streamed answers are looked at by rules alone, and a layer that looks at answers and has a model is only built with
//! [`allow_unmodelled_streams`](PiiLayerBuilder::allow_unmodelled_streams). Where findings overlap, the surer wins, then the longer, then the
//! one whose kind stands earlier in [`Entity`] ([`merge`]).
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `presidio` | `PresidioService`: Presidio's REST API, answered by this crate |
//! | `onnx` | `Onnx`: a token classifier in the ONNX runtime as a [`Model`] |
//! | `presidio-client` | `Presidio`: Presidio's analyzer as a [`Model`] |

mod analyzer;
mod answer;
#[cfg(any(feature = "presidio", feature = "presidio-client"))]
mod characters;
mod checks;
mod context;
mod conversation;
mod counts;
mod eights;
mod entity;
mod error;
mod fake;
mod fakes;
mod fold;
mod key;
mod layer;
mod model;
mod operator;
mod overlap;
mod own;
mod partial;
mod placeholder;
mod plan;
mod policy;
#[cfg(feature = "presidio")]
pub mod presidio;
mod recognize;
mod redact;
mod request;
mod restore;
mod spelling;
mod stream;
mod tap;
mod vault;
mod window;

pub use analyzer::{Analyzer, AnalyzerBuilder, Finding};
pub use conversation::{
    ConversationId, Conversations, MemoryStore, Sealed, StoreError, Stored, VaultStore,
};
pub use entity::{CustomEntity, Entity};
pub use error::ConfigError;
pub use fake::fake;
pub use key::{DecryptError, EncryptError, Key, Tenant, decrypt};
pub use layer::{Pii, PiiLayer, PiiLayerBuilder};
#[cfg(feature = "onnx")]
pub use model::{Aggregation, Onnx, OnnxBuilder};
pub use model::{Analyzing, Model, ModelError};
#[cfg(feature = "presidio-client")]
pub use model::{Ask, Asking, Presidio};
pub use operator::Operator;
pub use overlap::merge;
pub use own::{Ahead, Hit, Pattern, Recognizer};
pub use partial::Partial;
pub use policy::{Policy, Rule};
#[cfg(feature = "presidio")]
pub use presidio::{PresidioService, PresidioServiceBuilder};
pub use redact::{Redactor, RedactorBuilder, Unsent};
pub use restore::Restorer;
pub use stream::StreamMasker;
pub use tap::PiiTap;
pub use vault::{Vault, VaultBounds, VaultFull};
