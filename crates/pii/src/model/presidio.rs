//! Presidio's analyzer as a model, over HTTP.
//!
//! Its recognizers for names and places lean on spaCy and the like; ours for numbers and addresses are better than its. So it is asked for
//! kinds that only a model finds, unless told otherwise, and what else it says is not heard.
//!
//! Who connects is the embedder's: give it a client that checks where an address leads, such as `bartizan-egress`'s.
//!
//! ```
//! use bartizan_core::{Body, Refusal};
//! use bartizan_pii::{Entity, PiiLayer, Presidio};
//! use http::{Request, Response};
//!
//! # #[derive(Clone, Debug)] struct Client;
//! # impl Client { async fn send(&self, _: Request<Body>) -> Result<Response<Body>, Refusal> { Ok(Response::new(Body::empty())) } }
//! # let client = Client;
//! let presidio = Presidio::at("http://presidio.internal:3000", move |request: Request<Body>| {
//!     let client = client.clone();
//!     async move { client.send(request).await }
//! })?
//! .entities([Entity::Person, Entity::Location])
//! .language("en");
//! let layer = PiiLayer::builder().mask([Entity::Person, Entity::Location, Entity::Email]).model(presidio).build()?;
//! # Ok::<(), bartizan_pii::ConfigError>(())
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bartizan_core::{Body, Refusal, RefusalKind};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Analyzing, Model, ModelError};
use crate::characters::Characters;
use crate::{ConfigError, Entity, Finding};

/// An answer that is on its way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Response<Body>, Refusal>> + Send + 'a>>;

/// Sends requests to Presidio. Functions from a request to a future of its answer do.
pub trait Ask: Send + Sync + 'static {
    /// Sends `request` and follows no redirect.
    fn ask(&self, request: Request<Body>) -> Asking<'_>;
}

impl<F, A> Ask for F
where
    F: Fn(Request<Body>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Response<Body>, Refusal>> + Send + 'static,
{
    fn ask(&self, request: Request<Body>) -> Asking<'_> {
        Box::pin(self(request))
    }
}

/// The most that one answer may have, in bytes.
const MOST_ANSWER: usize = 16 * 1024 * 1024;

/// Asks Presidio's analyzer: `POST /analyze`. What speaks its protocol does, this crate's own service (feature `presidio`) too.
///
/// | setting | default |
/// |---|---|
/// | [`entities`](Self::entities) | persons, places, organizations, and nationalities, religions and political groups |
/// | [`language`](Self::language) | `en` |
/// | [`score_threshold`](Self::score_threshold) | not sent: Presidio's own; the layer's threshold counts in any case |
/// | [`texts_a_request`](Self::texts_a_request) | 1, which every version of Presidio takes |
/// | [`requests_at_a_time`](Self::requests_at_a_time) | 4 for one message |
/// | [`bearer`](Self::bearer) | none, as Presidio asks for none |
#[must_use]
pub struct Presidio {
    ask: Arc<dyn Ask>,
    url: Uri,
    entities: Vec<Entity>,
    language: String,
    threshold: Option<f32>,
    texts: usize,
    requests: usize,
    bearer: Option<HeaderValue>,
}

impl Presidio {
    /// Creates the model. `base`: where Presidio is, without `/analyze`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ModelUrl`] for what is no `http` or `https` address.
    pub fn at(base: &str, ask: impl Ask) -> Result<Self, ConfigError> {
        let url: Uri = format!("{}/analyze", base.trim_end_matches('/'))
            .parse()
            .map_err(|_| ConfigError::ModelUrl)?;
        if !matches!(url.scheme_str(), Some("http" | "https"))
            || url.host().is_none()
            || url.query().is_some()
        {
            return Err(ConfigError::ModelUrl);
        }
        Ok(Self {
            ask: Arc::new(ask),
            url,
            entities: vec![
                Entity::Person,
                Entity::Location,
                Entity::Organization,
                Entity::Nrp,
            ],
            language: "en".to_owned(),
            threshold: None,
            texts: 1,
            requests: 4,
            bearer: None,
        })
    }

    /// Sets which kinds it is asked for.
    pub fn entities(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        self.entities = entities.into_iter().collect();
        self
    }

    /// Sets the language that all texts are said to be in: one that Presidio was set up for.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = language.into();
        self
    }

    /// Sets the score under which Presidio itself leaves findings out.
    pub fn score_threshold(mut self, score: f32) -> Self {
        self.threshold = Some(score);
        self
    }

    /// Sets how many texts go in one request; over 1 for versions of Presidio that take lists (since 2.2.361).
    pub fn texts_a_request(mut self, texts: usize) -> Self {
        self.texts = texts.max(1);
        self
    }

    /// Sets how many requests are under way for one message in the same moment.
    pub fn requests_at_a_time(mut self, requests: usize) -> Self {
        self.requests = requests.max(1);
        self
    }

    /// Sends `authorization: Bearer …`, for a Presidio behind something that asks for it.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ModelKey`] for what can't stand in a header.
    pub fn bearer(mut self, key: &SecretString) -> Result<Self, ConfigError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))
            .map_err(|_| ConfigError::ModelKey)?;
        value.set_sensitive(true);
        self.bearer = Some(value);
        Ok(self)
    }

    async fn some(&self, texts: &[&str]) -> Result<Vec<Vec<Finding>>, ModelError> {
        let question = Question {
            text: match texts {
                [text] if self.texts == 1 => Texts::One(text),
                texts => Texts::Many(texts),
            },
            language: &self.language,
            entities: self.entities.iter().map(|entity| entity.as_str()).collect(),
            score_threshold: self.threshold,
        };
        let body = serde_json::to_string(&question).map_err(|_| ModelError::Failed)?;
        let mut request = Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(Body::from(body))
            .map_err(|_| ModelError::Failed)?;
        if let Some(key) = &self.bearer {
            request.headers_mut().insert(AUTHORIZATION, key.clone());
        }
        let answer = self
            .ask
            .ask(request)
            .await
            .map_err(|refusal| why(&refusal))?;
        if answer.status() != StatusCode::OK {
            return Err(ModelError::Refused);
        }
        let answer = answer.into_body().into_bytes(MOST_ANSWER).await;
        let answer = answer.map_err(|refusal| match refusal.kind() {
            RefusalKind::TooLarge => ModelError::Unreadable,
            _ => why(&refusal),
        })?;
        let lists: Vec<Vec<Said>> = match question.text {
            Texts::One(_) => serde_json::from_slice(&answer).map(|list| vec![list]),
            Texts::Many(_) => serde_json::from_slice(&answer),
        }
        .map_err(|_| ModelError::Unreadable)?;
        if lists.len() != texts.len() {
            return Err(ModelError::Unreadable);
        }
        texts
            .iter()
            .zip(lists)
            .map(|(text, list)| self.heard(text, list))
            .collect()
    }

    /// What was asked for, in bytes.
    fn heard(&self, text: &str, list: Vec<Said>) -> Result<Vec<Finding>, ModelError> {
        let characters = Characters::new(text);
        let mut findings = Vec::with_capacity(list.len());
        for said in list {
            let Some(entity) = said
                .entity_type
                .parse()
                .ok()
                .filter(|entity| self.entities.contains(entity))
            else {
                continue;
            };
            let (Some(start), Some(end)) = (characters.byte(said.start), characters.byte(said.end))
            else {
                return Err(ModelError::Unreadable);
            };
            if start < end {
                findings.push(Finding::new(entity, start..end, said.score));
            }
        }
        Ok(findings)
    }
}

#[derive(Serialize)]
struct Question<'q> {
    text: Texts<'q>,
    language: &'q str,
    entities: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_threshold: Option<f32>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Texts<'q> {
    One(&'q str),
    Many(&'q [&'q str]),
}

/// One finding, in characters.
#[derive(Deserialize)]
struct Said {
    entity_type: String,
    start: usize,
    end: usize,
    score: f32,
}

fn why(refusal: &Refusal) -> ModelError {
    match refusal.kind() {
        RefusalKind::UpstreamTimeout | RefusalKind::Timeout => ModelError::TimedOut,
        _ => ModelError::Unreachable,
    }
}

impl Model for Presidio {
    fn name(&self) -> &'static str {
        "presidio"
    }

    fn entities(&self) -> &[Entity] {
        &self.entities
    }

    fn analyze<'m>(&'m self, texts: &'m [&'m str]) -> Analyzing<'m> {
        Box::pin(async move {
            let parts = texts.chunks(self.texts).map(|part| self.some(part));
            Ok(side_by_side(parts, self.requests)
                .await?
                .into_iter()
                .flatten()
                .collect())
        })
    }
}

/// Runs `work`, so many at a time, and gives what all gave in their order, or the first failure.
async fn side_by_side<F, T, E>(
    mut work: impl Iterator<Item = F>,
    at_a_time: usize,
) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    // The first under way stands in front, and what is done waits for those before it.
    let mut under_way: VecDeque<Slot<F, T>> = VecDeque::new();
    let mut done = Vec::new();
    std::future::poll_fn(move |context| {
        loop {
            let mut running = 0;
            for slot in &mut under_way {
                if let Slot::Running(future) = slot {
                    match future.as_mut().poll(context) {
                        Poll::Ready(Ok(value)) => *slot = Slot::Done(value),
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => running += 1,
                    }
                }
            }
            while let Some(Slot::Done(_)) = under_way.front() {
                if let Some(Slot::Done(value)) = under_way.pop_front() {
                    done.push(value);
                }
            }
            let mut more = false;
            while running < at_a_time
                && let Some(future) = work.next()
            {
                under_way.push_back(Slot::Running(Box::pin(future)));
                running += 1;
                more = true;
            }
            if under_way.is_empty() {
                return Poll::Ready(Ok(std::mem::take(&mut done)));
            }
            if !more {
                return Poll::Pending;
            }
        }
    })
    .await
}

enum Slot<F, T> {
    Running(Pin<Box<F>>),
    Done(T),
}

impl fmt::Debug for Presidio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presidio")
            .field("entities", &self.entities)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_run_at_a_time_and_all_come_in_order() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let one = |number: u64| {
            let (now, most) = (&now, &most);
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                tokio::time::sleep(Duration::from_millis(20 - number)).await;
                now.set(now.get() - 1);
                if number == 9 { Err(number) } else { Ok(number) }
            }
        };
        let all = side_by_side((0..9).map(one), 3).await;
        assert_eq!((all, most.get()), (Ok((0..9).collect()), 3));
        assert_eq!(side_by_side((0..12).map(one), 3).await, Err(9));
        assert_eq!(
            side_by_side([].into_iter().map(one), 3).await,
            Ok(Vec::new())
        );
    }
}
