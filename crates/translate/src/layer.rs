//! The layer.

use std::sync::Arc;

use bartizan_core::{
    Body, Call, Clock, Dialect, Document, Filter, Filtered, Flow, Note, Refusal, RefusalKind,
    SystemClock, Trail, Watch,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use tower_layer::Layer;

use crate::catalogue::Quirk;
use crate::count_tokens;
use crate::custom::{self, Unwrapping};
use crate::dialects::{self, Encoded, To};
use crate::envelope;
use crate::facts::ModelFacts;
use crate::fetch::FetchUrls;
use crate::gemini;
use crate::head::Head;
use crate::losses::Losses;
use crate::openai_chat::{self, Edits, Fit, ask_stream_usage};
use crate::read::Unknown;
use crate::settings::{Bounds, TooHot};
use crate::tap::{Relay, Translation, Turn};
use crate::target::Target;
use crate::whole::{self, Asked};

/// The version of Anthropic's API that this crate speaks.
const ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");
const ANTHROPIC_VERSION_NAME: HeaderName = HeaderName::from_static("anthropic-version");

/// Applies translation: a request goes out in its [`Target`]'s dialect and comes back in its own. The innermost layer.
///
/// See the [crate](crate) for what becomes what. All settings have a default:
///
/// | setting | default |
/// |---|---|
/// | [`to`](Self::to) | the target in the request's extensions; without one, dialect, model and path stay |
/// | [`models`](Self::models) | Anthropic's models |
/// | [`default_max_tokens`](Self::default_max_tokens) | none: refused where neither the caller nor the table says it |
/// | [`too_hot`](Self::too_hot) | [`TooHot::Clamp`] |
/// | [`unknown`](Self::unknown) | [`Unknown::Refuse`] |
/// | [`stream_usage`](Self::stream_usage) | asked for |
/// | [`fetch_urls`](Self::fetch_urls) | nothing is fetched |
/// | [`clock`](Self::clock) | the system's |
#[derive(Clone, Debug, Default)]
pub struct TranslateLayer(Arc<Translate>);

/// The filter behind [`TranslateLayer`].
#[derive(Clone, Debug)]
pub struct Translate {
    target: Option<Target>,
    models: Arc<ModelFacts>,
    bounds: Bounds,
    unknown: Unknown,
    stream_usage: bool,
    fetch_urls: Option<FetchUrls>,
    clock: Arc<dyn Clock>,
}

impl Default for Translate {
    fn default() -> Self {
        Self {
            target: None,
            models: Arc::default(),
            bounds: Bounds::default(),
            unknown: Unknown::default(),
            stream_usage: true,
            fetch_urls: None,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl TranslateLayer {
    /// Creates the layer with its defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends every request to `target` that has none in its extensions.
    #[must_use]
    pub fn to(self, target: Target) -> Self {
        self.with(|translate| translate.target = Some(target))
    }

    /// Sets the table of models.
    #[must_use]
    pub fn models(self, models: ModelFacts) -> Self {
        self.with(|translate| translate.models = Arc::new(models))
    }

    /// Sets `max_tokens`, in tokens, for requests that don't say it to models that the table does not know.
    #[must_use]
    pub fn default_max_tokens(self, tokens: u64) -> Self {
        self.with(|translate| translate.bounds.max_output = Some(tokens))
    }

    /// Sets what happens to a temperature that the provider does not have.
    #[must_use]
    pub fn too_hot(self, then: TooHot) -> Self {
        self.with(|translate| translate.bounds.too_hot = then)
    }

    /// Sets what happens to members of a request that nobody knows.
    #[must_use]
    pub fn unknown(self, then: Unknown) -> Self {
        self.with(|translate| translate.unknown = then)
    }

    /// Sets whether providers of OpenAI's dialect are asked for the usage of each stream.
    ///
    /// They say it only when asked, and limits and budgets stand on it. The layers of this family see it; a client that did not ask
    /// does not. Switch it off for a provider that refuses `stream_options`, or see [`Target::stream_usage`].
    #[must_use]
    pub fn stream_usage(self, ask: bool) -> Self {
        self.with(|translate| translate.stream_usage = ask)
    }

    /// Sets what is fetched of files that requests name by their addresses. See [`fetch`](crate::fetch).
    ///
    /// Without it such a request to a provider that takes the data alone is refused.
    #[must_use]
    pub fn fetch_urls(self, urls: FetchUrls) -> Self {
        self.with(|translate| translate.fetch_urls = Some(urls))
    }

    /// Sets the clock that dates answers.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        self.with(|translate| translate.clock = Arc::new(clock))
    }

    fn with(mut self, set: impl FnOnce(&mut Translate)) -> Self {
        set(Arc::make_mut(&mut self.0));
        self
    }
}

impl<S> Layer<S> for TranslateLayer {
    type Service = Filtered<S, Translate>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl Filter for Translate {
    const NAME: &'static str = "translate";
    type Tap = Translation;

    async fn request(&self, call: &mut Call) -> Result<Flow<Translation>, Refusal> {
        let target = call
            .parts()
            .extensions
            .get::<Target>()
            .or(self.target.as_ref());
        let mut target = target.cloned();
        let from = call.dialect();
        // Of a service that is no LLM API nothing is known but that it speaks JSON.
        if !from.has_document() || from == Dialect::Json {
            return Ok(Flow::Pass(Translation::none()));
        }
        if count_tokens::counts(from)
            && let Some(chat) = &target
        {
            match chat.counting() {
                Some(counting) => target = Some(counting),
                None => {
                    return match call.document().await? {
                        Some(document) => count_tokens::estimate(document).map(Flow::Answer),
                        None => Ok(Flow::Pass(Translation::none())),
                    };
                }
            }
        }
        let to = target.as_ref().map_or(from, Target::dialect);
        let stream = match &target {
            Some(_) => call
                .document()
                .await?
                .is_some_and(|document| document.facts().stream),
            None => false,
        };
        if from == Dialect::Gemini && from != to && stream && !asks_for_events(&call.parts().uri) {
            return Err(Refusal::new(
                RefusalKind::BadRequest,
                "unsupported_parameter",
                "alt: set it to sse: this service has no stream as one JSON array",
            )
            .param("alt"));
        }
        let translation = match &target {
            Some(target) if from != to || whole::is_told_anew(target) => {
                self.translate(call, target).await?
            }
            target => self.relay(call, target.as_ref()).await?,
        };
        // Not before: in some dialects a request is read by its path too.
        if let Some(target) = &target
            && let Some(uri) = target.uri(&call.parts().uri, from == to, stream)
        {
            call.parts_mut().uri = uri;
        }
        if matches!(
            to,
            Dialect::AnthropicMessages | Dialect::AnthropicCountTokens
        ) {
            let headers = &mut call.parts_mut().headers;
            headers
                .entry(ANTHROPIC_VERSION_NAME)
                .or_insert(ANTHROPIC_VERSION);
        }
        if let Some(target) = &target {
            envelope::enclose(call, target.enveloped()).await?;
        }
        Ok(Flow::Pass(translation))
    }
}

impl Translate {
    /// The same dialect: bytes pass, but for the model's name and the wish for usage.
    async fn relay(
        &self,
        call: &mut Call,
        target: Option<&Target>,
    ) -> Result<Translation, Refusal> {
        let dialect = call.dialect();
        let trail = call.trail().cloned();
        let takes = target.is_none_or(|target| {
            let quirks = target.differs();
            !quirks.has(Quirk::NoStreamOptions) && !quirks.drops("stream_options")
        });
        let asks = takes
            && target
                .and_then(Target::asks_usage)
                .unwrap_or(self.stream_usage);
        let mut asked = None;
        let mut losses = Losses::default();
        let can_ask = matches!(dialect, Dialect::OpenAiChat | Dialect::OpenAiCompletions);
        if target.is_some() || (asks && can_ask) {
            let Some(document) = call.document().await? else {
                return Ok(Translation::none());
            };
            if let Some(target) = target
                && document.facts().model.as_deref() != Some(target.model())
            {
                match dialect {
                    // Its path names the model.
                    Dialect::Gemini => {}
                    Dialect::GeminiCountTokens => gemini::set_model(document, target.model()),
                    _ => {
                        document.set_model(target.model());
                    }
                }
            }
            if let Some(target) = target
                && !target.differs().is_none()
                && openai_chat::is_mended(dialect)
            {
                match openai_chat::fit(
                    document,
                    &self.to(target),
                    self.unknown_at(target),
                    &mut losses,
                )? {
                    Fit::Edited(edits) => mend(document, edits)?,
                    Fit::Translate => return self.translate(call, target).await,
                }
                note(trail.as_ref(), &losses);
            }
            if asks && can_ask {
                asked = ask_stream_usage(document);
            }
        }
        let hides_usage = asked.is_some();
        let ends_unsaid =
            can_ask && target.is_some_and(|target| target.differs().has(Quirk::NoDone));
        if let Some(text) = asked {
            *call.body_mut() = Body::from(text);
        }
        let relay = Relay {
            dialect,
            envelope: target.map(Target::enveloped).unwrap_or_default(),
            framed: false,
            hides_usage,
            ends_unsaid,
            dropped: losses.header(),
            head: Head::new(dialect, dialect, Arc::clone(&self.clock)),
            streams: false,
            watch: Watch::Content,
        };
        Ok(Translation::relay(relay))
    }

    fn unknown_at(&self, target: &Target) -> Unknown {
        target.unknowns().unwrap_or(self.unknown)
    }

    fn to<'t>(&'t self, target: &'t Target) -> To<'t> {
        To {
            dialect: target.dialect(),
            model: target.model(),
            facts: target.facts().or_else(|| self.models.of(target.model())),
            vertex: target.is_vertex(),
            bounds: self.bounds,
            stream_usage: target.asks_usage().unwrap_or(self.stream_usage),
            quirks: target.differs(),
        }
    }

    async fn translate(&self, call: &mut Call, target: &Target) -> Result<Translation, Refusal> {
        let outer = call.dialect();
        let trail = call.trail().cloned();
        let mut losses = Losses::default();
        let Some(document) = call.document().await? else {
            return Ok(Translation::none());
        };
        let to = self.to(target);
        let (text, translation) = if whole::answers_whole(outer) {
            let question = whole::question(document, self.unknown_at(target), to, &mut losses)?;
            losses.retell(question.names);
            note(trail.as_ref(), &losses);
            let asked = Asked {
                outer,
                retell: question.retell,
                losses,
                trail,
                head: Head::new(to.dialect, outer, Arc::clone(&self.clock)),
            };
            (question.text, Translation::asked(asked))
        } else {
            let mut ask = dialects::decode_ask(document, self.unknown_at(target), &mut losses)?;
            let wrapped = custom::wrap(&mut ask, &to, &mut losses);
            if let Some(fetch) = &self.fetch_urls {
                let (files, bytes) = fetch.fill(&mut ask, &to).await?;
                if let Some(trail) = trail.as_ref().filter(|_| files > 0) {
                    let note = Note::new(Self::NAME, "fetched");
                    trail.note(note.count("files", files).count("bytes", bytes));
                }
            }
            let Encoded { text, reader } = dialects::encode_ask(&ask, to, &mut losses)?;
            losses.retell(ask.names);
            note(trail.as_ref(), &losses);
            let turn = Turn {
                inner: to.dialect,
                envelope: target.enveloped(),
                outer,
                stream: ask.stream,
                reader: Unwrapping::around(reader, wrapped),
                writer: dialects::writer(outer, self.clock.unix().as_secs(), &ask)?,
                streams: false,
                ended: false,
                losses,
                trail,
                head: Head::new(to.dialect, outer, Arc::clone(&self.clock)),
            };
            (text, Translation::turn(turn))
        };
        call.note(
            Note::new(Self::NAME, "translated")
                .word("from", outer.as_str())
                .word("to", target.dialect().as_str()),
        );
        *call.body_mut() = Body::from(text);
        call.set_dialect(target.dialect());
        let headers = &mut call.parts_mut().headers;
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        leave_behind(headers);
        Ok(translation)
    }
}

/// Whether a stream of Google's is asked for as server-sent events. Else it would be one JSON array.
fn asks_for_events(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    let mut words = query.split('&').filter_map(|word| word.split_once('='));
    words.any(|(name, value)| matches!(name, "alt" | "$alt" | "%24alt") && value == "sse")
}

fn mend(document: &mut Document, edits: Edits) -> Result<(), Refusal> {
    let edits = edits.in_order();
    if edits.is_empty() {
        return Ok(());
    }
    document.splice(&edits).map_err(Refusal::from)
}

fn note(trail: Option<&Trail>, losses: &Losses) {
    if let Some(trail) = trail {
        losses.note(trail, "request");
    }
}

/// Takes away what is said to the caller's API alone: its versions, its betas, its SDK. A caller of another API can't know which version
/// this crate writes.
fn leave_behind(headers: &mut HeaderMap) {
    const OF_ONE_API: [&str; 4] = ["openai-", "anthropic-", "x-goog-", "x-stainless-"];
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| OF_ONE_API.iter().any(|api| name.as_str().starts_with(api)))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}
