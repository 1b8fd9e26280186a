//! The layers, in their order.
//!
//! ```text
//!  caller ─► Audit ─ Query ─ Auth ─ Limit ─ Guard ─ Pii ─ Choose ─ (Intent) ─ Translate ─ Upstream ─► provider
//! ```
//!
//! Audit is outermost so that it records refusals too. The cheap refusals come before the costly looks at content. Guard sees the raw
//! prompt; whatever is inside of Pii sees masked text only, the demo provider included. Choose says where a call goes before Translate
//! speaks that place's language.

use std::any::Any;
use std::convert::Infallible;
use std::sync::Arc;

use bartizan::admin::AdminRouter;
use bartizan::audit::{AuditLayer, CountLayer, IntentLayer, Journal};
use bartizan::auth::jwt::Jwt;
use bartizan::auth::{AuthLayer, Keys};
use bartizan::core::{Body, Dialect};
use bartizan::egress::{Client, Policy};
use bartizan::guard::{DenyList, GuardLayer, Injection, Invisible, Post, Secrets};
use bartizan::limit::spend::Spend;
use bartizan::pii::{Conversations, MemoryStore, PiiLayer};
use bartizan::translate::{ArrayLayer, TranslateLayer, Unknown};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;

use crate::config::{Guardrails, IdentitySettings, MasterSettings, Settings, Verdict};
use crate::fetch::fetch_urls;
use crate::identity;
use crate::limits;
use crate::presidio;
use crate::provider::{Catalogue, ChooseLayer, DemoLayer, RegionsLayer, Upstream};
use crate::routes::{self, Answers, QueryLayer, Route, Stack};
use crate::watch::Watched;

/// Headers that hold a caller's credential.
const CREDENTIALS: [HeaderName; 5] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("x-litellm-api-key"),
];

/// Why the layers can't be built. Configuration that was read rightly never gets here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StackError {
    #[error("guardrails: {0}")]
    Pii(#[from] bartizan::pii::ConfigError),
    #[error("guardrails: {0}")]
    Guard(#[from] bartizan::guard::Error),
    #[error("{0}")]
    Egress(#[from] bartizan::egress::Error),
}

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) journal: Journal,
    pub(crate) keys: Keys,
    pub(crate) spend: Spend,
    pub(crate) master: MasterSettings,
    pub(crate) identity: IdentitySettings,
    pub(crate) jwt: Option<Jwt>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) watched: Option<Watched>,
}

/// The layers around calls of models.
pub(crate) fn llm(
    settings: &Settings,
    shared: &Shared,
    demo: Option<DemoLayer>,
) -> Result<Stack, StackError> {
    let upstream = Upstream::new(client(settings)?);
    let write_ahead = settings
        .audit
        .write_ahead
        .then(|| IntentLayer::new(shared.journal.clone()));
    let layers = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(SetSensitiveRequestHeadersLayer::new(CREDENTIALS))
        .layer(ArrayLayer)
        .layer(audit(&shared.journal))
        .layer(QueryLayer)
        .layer(auth(shared))
        .layer(
            limits::layer(settings, &shared.catalogue)
                .record(shared.spend.clone())
                .spent(shared.spend.clone()),
        )
        .option_layer(guard(&settings.guardrails)?)
        .option_layer(regions(settings, &shared.catalogue))
        .option_layer(pii(settings)?)
        .layer(ChooseLayer::new(Arc::clone(&shared.catalogue)))
        // Inside of Choose: what a caller writes in the place of a model's name may be anything, and must not be recorded.
        .layer(CountLayer::new())
        .option_layer(write_ahead)
        .layer(translate(settings)?)
        .option_layer(demo)
        .service(upstream);
    Ok(BoxCloneSyncService::new(layers))
}

/// The layers around questions to the gateway itself.
pub(crate) fn own(shared: &Shared) -> Stack {
    let answers = Answers {
        catalogue: Arc::clone(&shared.catalogue),
    };
    let answers = service_fn(move |request: Request<Body>| {
        let answers = answers.clone();
        async move { Ok::<_, Infallible>(answers.answer(request)) }
    });
    let layers = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(SetSensitiveRequestHeadersLayer::new(CREDENTIALS))
        .layer(audit(&shared.journal))
        .layer(QueryLayer)
        .layer(auth(shared).for_any())
        .service(answers);
    BoxCloneSyncService::new(layers)
}

/// The layers around the management API.
pub(crate) fn managed(shared: &Shared) -> Stack {
    let router = AdminRouter::new(shared.keys.clone(), shared.journal.clone())
        .auth(|layer| watched(identity::onto(layer, shared), shared))
        .spend(&shared.spend)
        .build();
    let layers = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(SetSensitiveRequestHeadersLayer::new(CREDENTIALS))
        .layer(audit(&shared.journal))
        .service(router);
    BoxCloneSyncService::new(layers)
}

fn auth(shared: &Shared) -> AuthLayer {
    let layer = identity::onto(AuthLayer::new(shared.keys.clone()), shared);
    let layer = watched(layer, shared);
    if shared.master.calls_models {
        layer.master_key_may_call_models()
    } else {
        layer
    }
}

fn watched(layer: AuthLayer, shared: &Shared) -> AuthLayer {
    match &shared.watched {
        Some(watched) => watched.onto(layer),
        None => layer,
    }
}

fn audit(journal: &Journal) -> AuditLayer {
    AuditLayer::new(journal.clone()).path_from(|parts: &Parts| {
        parts
            .extensions
            .get::<Route>()
            .map(|route| route.pattern().to_owned())
    })
}

fn guard(settings: &Guardrails) -> Result<Option<GuardLayer>, bartizan::guard::Error> {
    let told = |post: Post, verdict: Verdict| match verdict {
        Verdict::Block => post,
        Verdict::Observe => post.observe(),
    };
    let mut posts = Vec::new();
    if let Some(verdict) = settings.injection {
        posts.push(told(Post::input(Injection::default()), verdict));
    }
    if let Some(verdict) = settings.invisible {
        posts.push(told(Post::input(Invisible::new()), verdict));
    }
    if let Some(deny) = &settings.deny {
        let list = DenyList::new("deny_list", &deny.words)?;
        if deny.input {
            posts.push(told(Post::input(list.clone()), deny.verdict));
        }
        if deny.output {
            posts.push(told(Post::output(list), deny.verdict));
        }
    }
    if let Some(secrets) = settings.secrets {
        let check = if secrets.even_own {
            Secrets::new().even_own()
        } else {
            Secrets::new()
        };
        posts.push(told(Post::output(check), secrets.verdict));
    }
    if posts.is_empty() {
        return Ok(None);
    }
    let builder = posts
        .into_iter()
        .fold(GuardLayer::builder(), |builder, post| builder.post(post));
    Ok(Some(builder.build()))
}

/// Needed where a policy asks where a call goes.
fn regions(settings: &Settings, catalogue: &Arc<Catalogue>) -> Option<RegionsLayer> {
    let asked = settings.guardrails.pii.is_some() && settings.pii.asks_for_region();
    asked.then(|| RegionsLayer::new(Arc::clone(catalogue)))
}

pub(crate) fn pii(settings: &Settings) -> Result<Option<PiiLayer>, StackError> {
    let Some(guardrail) = &settings.guardrails.pii else {
        return Ok(None);
    };
    let own = &settings.pii;
    let mut builder = PiiLayer::builder()
        .restore(guardrail.restore)
        .output(guardrail.output)
        .observe(own.observe)
        .vault_bounds(own.bounds)
        .analyzer(|analyzer| own.detection.set_up(analyzer))
        .mask(own.detection.own());
    for (entity, operator) in &guardrail.entities {
        builder = builder.operator(*entity, operator.clone());
    }
    for (rule, policy) in &own.policies {
        builder = builder.policy(rule.clone(), policy.clone());
    }
    if let (Some(told), Some(key)) = (&own.conversations, &own.key) {
        let store = MemoryStore::new()
            .keep(told.keep)
            .bounds(told.most, told.bytes);
        let mut conversations = Conversations::new(key.clone(), store);
        if let Some(header) = &told.header {
            conversations = conversations.header(header.clone());
        }
        builder = builder.conversations(conversations);
    }
    if let Some(analyzer) = &guardrail.analyzer {
        builder = builder
            .model(presidio::model(analyzer)?)
            .model_deadline(analyzer.timeout);
        if analyzer.unmodelled_streams {
            builder = builder.allow_unmodelled_streams();
        }
        if analyzer.fail_open {
            builder = builder.allow_unmodelled_calls();
        }
    }
    Ok(Some(builder.build()?))
}

fn translate(settings: &Settings) -> Result<TranslateLayer, bartizan::egress::Error> {
    let unknown = if settings.drop_params {
        Unknown::Drop
    } else {
        Unknown::Refuse
    };
    let layer = TranslateLayer::new().unknown(unknown);
    Ok(match fetch_urls(settings)? {
        Some(urls) => layer.fetch_urls(urls),
        None => layer,
    })
}

/// Where access tokens for a service account are had, whatever its file says.
const GOOGLES_TOKENS: &str = "https://oauth2.googleapis.com";

fn client(settings: &Settings) -> Result<Client, bartizan::egress::Error> {
    let mut policy = Policy::closed();
    for deployment in &settings.deployments {
        let origin = deployment.place.origin().clone();
        policy = if settings.private_upstreams.contains(&origin) {
            policy.allow_private(origin)
        } else {
            policy.allow(origin)
        };
        if deployment.place.credential().asks_google() {
            policy = policy.allow(GOOGLES_TOKENS.parse()?);
        }
    }
    Client::builder(policy).build()
}

/// What a panic says may hold a prompt, so nobody is told; the hook has logged where it was.
pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    routes::panicked().render(Dialect::Other)
}
