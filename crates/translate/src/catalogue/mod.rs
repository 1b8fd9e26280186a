//! Providers and models, as data.
//!
//! Over 150 providers stand in `data/providers.ini`, 3,000 models in `data/models.csv`; code knows none of them by name. So a new provider
//! is a few lines of text, here or in a user's configuration:
//!
//! | question | answered by |
//! |---|---|
//! | Who serves `bedrock/us-west-2/anthropic.claude-…`, and what is it called there? | [`Providers::model`], a [`ModelName`] |
//! | Where does a request of this API go, and in which API is it answered there? | [`Provider::endpoint`], an [`Endpoint`] |
//! | In what does this OpenAI-compatible server differ? | [`Provider::quirks`], [`Quirks`] |
//! | Where does it want its key, and in which variable does that lie? | [`Provider::auth`], [`Provider::key_variables`] |
//! | In which country does it compute? | [`Provider::region`], [`Provider::seat`] |
//! | What can the model do, how much does it take, what does it cost? | [`ModelFacts`](crate::ModelFacts), a [`Model`](crate::Model) |
//!
//! ```
//! use bartizan_core::Dialect;
//! use bartizan_translate::catalogue::{Providers, Settings};
//!
//! let providers = Providers::builtin();
//! let model = providers.model("vertex_ai/claude-sonnet-4-5@20250929")?;
//! let settings = Settings::default().with("project", "my-project").with("location", "global");
//! let there = providers.get(model.provider()).unwrap().endpoint(Dialect::OpenAiChat, &model, None, &settings)?;
//! assert_eq!(there.dialect(), Dialect::AnthropicMessages);
//! assert_eq!(
//!     there.url(false),
//!     "https://aiplatform.googleapis.com/v1/projects/my-project/locations/global/publishers/anthropic/models/claude-sonnet-4-5%4020250929:rawPredict"
//! );
//! # Ok::<(), bartizan_translate::Error>(())
//! ```
//!
//! # One provider, many ways in
//!
//! A provider has a route for each API that it speaks; some are for some models alone, some are taken only by a word in the model's name.
//! A caller's request goes by the route that speaks the caller's own API, where there is one, so that its bytes pass; else by the first of
//! the same use, to which it is translated:
//!
//! | use | APIs |
//! |---|---|
//! | chat | OpenAI chat completions and responses, Anthropic messages, Gemini, Bedrock Converse, Cohere chat, Ollama chat |
//! | completion | OpenAI completions; else a chat |
//! | embedding | OpenAI, Gemini, Vertex AI, Cohere, Ollama, Amazon |
//! | count of tokens | Anthropic, Gemini; else the chat, whose tokens are estimated |
//! | moderation | OpenAI, Mistral |
//! | rerank | Cohere, text-embeddings-inference |
//!
//! # How sure it is
//!
//! Each provider has a `source`: `documents` (its own, or a specification or recorded exchanges of it), `lists` (two public lists of
//! providers agree) or `list` (one has it). An address that a user names goes before the table's. A `region` is named only where the
//! provider promises one; the `seat` is whose law it is under.

mod auth;
mod builder;
mod corrections;
mod endpoint;
mod fault;
mod models;
mod name;
mod provider;
mod providers;
mod quirks;
mod route;
mod template;
mod variants;

pub use auth::Auth;
/// What one token costs, and what is no price.
pub use bartizan_core::{NoPrice, Price};
pub use builder::ProviderBuilder;
pub use endpoint::Endpoint;
pub use name::ModelName;
pub use provider::Provider;
pub use providers::Providers;
pub use quirks::{Quirk, Quirks};
pub use route::{Envelope, Route};
pub use template::Settings;

use variants::variants;

/// The table of models, for [`ModelFacts`](crate::ModelFacts).
pub(crate) mod table {
    pub(crate) use super::models::{of_any, of_provider};
    pub(crate) use super::variants::variants;
}
