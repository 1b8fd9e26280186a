//! Presidio's REST API, answered by this crate: who uses Presidio changes an address.
//!
//! | path | answers |
//! |---|---|
//! | `POST /analyze` | what a text, or each of a list of texts, holds |
//! | `POST /anonymize` | the text with what was found changed by operators: `replace`, `redact`, `mask`, `hash`, `encrypt`, `keep` |
//! | `POST /deanonymize` | the text with what was encrypted back: `decrypt`, `deanonymize_keep` |
//! | `GET /recognizers`, `/supportedentities`, `/anonymizers`, `/deanonymizers` | what there is |
//! | `GET /health` | 200 |
//!
//! Presidio has two servers, one that analyzes and one that anonymizes; this is both, at one address.
//!
//! ```
//! use bartizan_core::Body;
//! use bartizan_pii::PresidioService;
//! use http::Request;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = PresidioService::builder().build()?;
//! let request = Request::post("/analyze")
//!     .header("content-type", "application/json")
//!     .body(Body::from(r#"{"text": "mail ravi@example.in", "language": "en"}"#))?;
//! let Ok(answer) = service.oneshot(request).await;
//! let found = answer.into_body().into_bytes(1024).await?;
//! let found: serde_json::Value = serde_json::from_slice(&found)?;
//! assert_eq!((&found[0]["entity_type"], &found[0]["start"]), (&"EMAIL_ADDRESS".into(), &5.into()));
//! # Ok(())
//! # }
//! ```
//!
//! # What is the same
//!
//! Requests, answers, statuses and operators are those of Presidio 2.2; positions count characters. What `encrypt` writes, Presidio's
//! library reads, and the other way round. Spans given to `/anonymize` are joined and cleared of conflicts by Presidio's rules.
//!
//! # What differs
//!
//! - **Findings don't overlap.** Presidio's analyzer gives all that its recognizers found; here what stands after [`merge`](crate::merge)'s
//!   rule is given, the surest first. `/anonymize` takes overlaps all the same.
//! - **A finding counts from 0.5** where a request has no `score_threshold`, as in the rest of this crate; Presidio's default is 0. What a
//!   request's own recognizers find counts from 0.
//! - **Kinds.** Where a request names none, the [usual ones](Entity::usual) are looked for. Persons, places and the like are found if there is
//!   a [model](PresidioServiceBuilder::model); else a request that asks for them alone gets Presidio's error for unknown kinds.
//! - **Every language is taken**: no rule here depends on it.
//! - **`ad_hoc_recognizers`** and `allow_list` use the syntax of the `regex` crate. Look-around and back-references are refused with 400, and
//!   what grows too large is: whatever pattern a request brings, the time it takes is in proportion to the text.
//! - The operator `custom`, which is code, is refused as Presidio's server does.
//!
//! # Who may ask
//!
//! Presidio asks for no key, and LiteLLM sends it none. So this answers everybody who reaches it, unless it is given a
//! [bearer key](PresidioServiceBuilder::bearer): put it where only those reach it who may. It keeps nothing, and logs no text.

mod adhoc;
mod analyze;
mod analyzers;
mod anonymize;
mod cipher;
mod fault;
mod fields;
mod hit;
mod operators;
mod pattern;
mod service;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use self::analyze::Defaults;
use self::analyzers::Analyzers;
use self::fault::Fault;
use crate::model::ModelsBuilder;
use crate::{Analyzer, AnalyzerBuilder, ConfigError, Entity, Model};

pub use service::PresidioService;

/// Sets up a [`PresidioService`].
///
/// | setting | default |
/// |---|---|
/// | [`entities`](Self::entities) | the [usual kinds](Entity::usual) |
/// | [`score_threshold`](Self::score_threshold) | 0.5 |
/// | [`bearer`](Self::bearer) | none: whoever reaches it may ask |
/// | [`body_limit`](Self::body_limit) | 10 MiB |
/// | [`max_texts`](Self::max_texts) | 1,000 |
/// | [`max_results`](Self::max_results) | 20,000 |
/// | [`timeout`](Self::timeout) | 30 s |
/// | [`at_a_time`](Self::at_a_time) | 16 |
#[derive(Clone, Debug)]
#[must_use]
pub struct PresidioServiceBuilder {
    entities: Option<Vec<Entity>>,
    analyzer: AnalyzerBuilder,
    own: Vec<Entity>,
    threshold: f32,
    models: ModelsBuilder,
    bearer: Option<SecretString>,
    limits: Limits,
}

/// How much one request may ask.
#[derive(Clone, Copy, Debug)]
struct Limits {
    body: usize,
    texts: usize,
    results: usize,
    time: Duration,
    at_a_time: usize,
}

impl Default for PresidioServiceBuilder {
    fn default() -> Self {
        Self {
            entities: None,
            analyzer: Analyzer::builder(),
            own: Vec::new(),
            threshold: 0.5,
            models: ModelsBuilder::default(),
            bearer: None,
            limits: Limits {
                body: 10 * 1024 * 1024,
                texts: 1_000,
                results: 20_000,
                time: Duration::from_secs(30),
                at_a_time: 16,
            },
        }
    }
}

impl PresidioServiceBuilder {
    /// Sets what is looked for where a request names no kinds. A request may name others all the same.
    pub fn entities(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        self.entities = Some(entities.into_iter().collect());
        self
    }

    /// Sets up how it looks: with recognizers, patterns, lists, context words and thresholds of one's own, which find the kinds `own` beside the
    /// built-in ones. Which kinds are looked for, and the score that counts for kinds without a threshold of their own, requests say.
    pub fn analyzer(
        mut self,
        own: impl IntoIterator<Item = Entity>,
        set_up: impl FnOnce(AnalyzerBuilder) -> AnalyzerBuilder,
    ) -> Self {
        self.analyzer = set_up(self.analyzer);
        self.own.extend(own);
        self
    }

    /// Sets the score, from 0 to 1, from which a finding counts where a request doesn't say: 0.5 by default.
    pub fn score_threshold(mut self, score: f32) -> Self {
        self.threshold = score;
        self
    }

    /// Asks `model` too, where a request wants a kind that it finds. If it fails, so does the request, with 503. Its time is a part of
    /// [`timeout`](Self::timeout).
    pub fn model(mut self, model: impl Model) -> Self {
        self.models.models.push(Arc::new(model));
        self
    }

    /// Sets a key that every request but those for `/health` must bring: `authorization: Bearer …`.
    pub fn bearer(mut self, key: SecretString) -> Self {
        self.bearer = Some(key);
        self
    }

    /// Sets how large a request's body may be, in bytes.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// Sets how many texts one request may hold.
    pub fn max_texts(mut self, texts: usize) -> Self {
        self.limits.texts = texts;
        self
    }

    /// Sets how many spans one request may want changed.
    pub fn max_results(mut self, results: usize) -> Self {
        self.limits.results = results;
        self
    }

    /// Sets how long a request may take, its body's arrival included.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limits.time = limit;
        self
    }

    /// Sets how many requests are worked on in the same moment, at least one; more wait.
    pub fn at_a_time(mut self, requests: usize) -> Self {
        self.limits.at_a_time = requests.max(1);
        self
    }

    /// Builds the service.
    ///
    /// # Errors
    ///
    /// A threshold outside 0 to 1; an empty list of kinds; a kind that only a model finds, and no such model; a mistake in the
    /// [set-up](Self::analyzer).
    pub fn build(mut self) -> Result<PresidioService, ConfigError> {
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(ConfigError::Threshold {
                entity: "every entity",
                given: self.threshold.to_string(),
            });
        }
        let mut supported: Vec<Entity> = Entity::built_in().collect();
        let modelled: Vec<Entity> = self
            .models
            .models
            .iter()
            .flat_map(|model| model.entities().iter().copied())
            .collect();
        let all = Entity::built_in().chain(self.own.iter().copied());
        self.analyzer.clone().entities(all).build()?;
        for entity in self.own.iter().chain(&modelled) {
            if !supported.contains(entity) {
                supported.push(*entity);
            }
        }
        let usual = match self.entities {
            Some(entities) if entities.is_empty() => return Err(ConfigError::NothingToFind),
            Some(entities) => entities,
            None => {
                let more = self.own.iter().chain(&modelled);
                let more = more.copied().filter(|entity| !entity.is_built_in());
                Entity::usual().chain(more).collect()
            }
        };
        if let Some(missing) = usual.iter().find(|entity| !supported.contains(entity)) {
            return Err(ConfigError::NeedsModel(missing.as_str()));
        }
        self.models.deadline = self.models.deadline.min(self.limits.time);
        let defaults = Defaults {
            usual,
            supported,
            threshold: self.threshold,
            most_texts: self.limits.texts,
            analyzers: Analyzers::new(self.analyzer, self.own),
        };
        Ok(PresidioService::new(
            defaults,
            self.models.build(),
            modelled,
            self.bearer,
            self.limits,
        ))
    }
}

/// When a request must be answered.
#[derive(Clone, Copy, Debug)]
struct Deadline(Instant);

impl Deadline {
    fn check(self) -> Result<(), Fault> {
        if Instant::now() < self.0 {
            Ok(())
        } else {
            Err(Fault::late())
        }
    }
}
