//! Who answers a call: finds the deployment, speaks to it, and keeps to itself what only the gateway should know of it.

mod catalogue;
mod demo;
mod destination;
mod failure;
mod prices;
mod regions;
mod upstream;

use std::sync::Arc;

use bartizan::core::{Call, Dialect, Filter, Filtered, Flow, Note, Refusal, RefusalKind};
use bartizan::translate::Target as Lane;
use tower::Layer;

use crate::config::Leg;

pub(crate) use catalogue::Catalogue;
pub(crate) use demo::DemoLayer;
pub(crate) use prices::Prices;
pub(crate) use regions::RegionsLayer;
pub(crate) use upstream::Upstream;

use catalogue::Served;

/// Applies the catalogue: chooses a deployment for the model that a request names, and refuses with 404 one that names none, and with 400
/// one that wants to choose for itself where it goes.
#[derive(Clone, Debug)]
pub(crate) struct ChooseLayer(Arc<Choose>);

#[derive(Debug)]
pub(crate) struct Choose(Arc<Catalogue>);

/// Who was chosen. Lies in the request's extensions.
#[derive(Clone, Debug)]
struct Chosen {
    served: Arc<Served>,
    /// Where the call goes; nowhere where this program plays the provider.
    leg: Option<Leg>,
    /// What the answer says of who gave it.
    told: bartizan::core::Served,
}

impl ChooseLayer {
    pub(crate) fn new(catalogue: Arc<Catalogue>) -> Self {
        Self(Arc::new(Choose(catalogue)))
    }
}

impl<S> Layer<S> for ChooseLayer {
    type Service = Filtered<S, Choose>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl Filter for Choose {
    const NAME: &'static str = "choose";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        let dialect = call.dialect();
        let Some(document) = call.document().await? else {
            return Err(Refusal::new(
                RefusalKind::BadRequest,
                "no_message",
                "a JSON body belongs to this request",
            ));
        };
        destination::check(document.json().root())?;
        let stream = document.facts().stream;
        let Some(model) = document.facts().model.clone() else {
            return Err(
                Refusal::new(RefusalKind::BadRequest, "model_missing", "name a model")
                    .param("model"),
            );
        };
        let Some(choice) = self.0.choose(&model) else {
            return Err(Refusal::new(
                RefusalKind::NotFound,
                "model_not_found",
                "no such model is served here: GET /v1/models lists them",
            )
            .param("model"));
        };
        let provider = choice.served.provider();
        let (lane, leg) = match (&**choice.served, choice.way(dialect)) {
            (Served::Demo, _) => (Lane::new(dialect, "demo"), None),
            (_, Some(way)) => (way.lane.clone(), Some(way.leg(stream).clone())),
            (_, None) => return Err(untranslatable(dialect, provider)),
        };
        if let Some(trail) = call.trail() {
            trail.ask_model(&model);
        }
        call.note(Note::new("route", "chose").word("provider", provider.to_owned()));
        let chosen = Chosen {
            served: Arc::clone(choice.served),
            leg,
            told: choice.served.told(choice.upstream()),
        };
        let extensions = &mut call.parts_mut().extensions;
        extensions.insert(chosen);
        extensions.insert(lane);
        Ok(Flow::Pass(()))
    }
}

fn untranslatable(dialect: Dialect, provider: &str) -> Refusal {
    Refusal::new(
        RefusalKind::BadRequest,
        "not_translated",
        format!("this model is served by a provider ({provider}) to which this version can't translate {}", dialect.as_str()),
    )
    .param("model")
}
