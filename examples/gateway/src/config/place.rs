//! Where a deployment is, for every API that a caller may speak.

use std::sync::Arc;

use bartizan::core::Dialect;
use bartizan::egress::{Origin, Target, Timeouts};
use bartizan::translate::catalogue::{ModelName, Provider, Settings};
use bartizan::translate::{Model, Target as Lane, Unknown};

use super::credential::Credential;

/// A provider's model, and all that it takes to call it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(super) provider: Arc<Provider>,
    /// Where it is, if that is known.
    pub(super) region: Option<String>,
    /// Its model ends in `*` where it stands for many.
    pub(super) name: ModelName,
    pub(super) base: Option<String>,
    pub(super) settings: Settings,
    pub(super) credential: Credential,
    pub(super) origin: Origin,
    pub(super) whole_times: Timeouts,
    pub(super) stream_times: Timeouts,
    /// What is known of the model, where it is one.
    pub(super) facts: Option<Arc<Model>>,
    /// Whether what the provider's API does not know is left out, where the deployment says so.
    pub(super) drop_params: Option<bool>,
}

/// One way to a model: the API that is spoken there, and where that is for whole answers and for streams.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) lane: Lane,
    whole: Leg,
    stream: Leg,
}

#[derive(Clone, Debug)]
pub(crate) struct Leg {
    pub(crate) target: Target,
    /// What the provider's own path says behind its `?`.
    pub(crate) query: Option<Box<str>>,
}

impl Way {
    pub(crate) fn leg(&self, stream: bool) -> &Leg {
        if stream { &self.stream } else { &self.whole }
    }
}

impl Place {
    pub(crate) fn provider(&self) -> &str {
        self.provider.slug()
    }

    /// Where it is, if that is known.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    pub(crate) fn name(&self) -> &ModelName {
        &self.name
    }

    /// What is known of the model, where it is one.
    pub(crate) fn facts(&self) -> Option<&Model> {
        self.facts.as_deref()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The way for a caller who speaks `from`; none where the provider has no such API, or the model's name can't stand in its path.
    pub(crate) fn way(&self, from: Dialect, model: &str) -> Option<Way> {
        let name = self.name.clone().with_model(model);
        let endpoint = self
            .provider
            .endpoint(from, &name, self.base.as_deref(), &self.settings)
            .ok()?;
        let mut lane = Lane::new(endpoint.dialect(), model)
            .path(endpoint.path(false).as_str())
            .and_then(|lane| lane.stream_path(endpoint.path(true).as_str()))
            .ok()?
            .quirks(Arc::clone(self.provider.quirks()))
            .envelope(endpoint.envelope());
        if let Some(facts) = &self.facts {
            lane = lane.model_facts(Arc::clone(facts));
        }
        if let Some(drop) = self.drop_params {
            lane = lane.unknown(if drop { Unknown::Drop } else { Unknown::Refuse });
        }
        let leg = |stream, times| {
            let target = Target::new(endpoint.origin()).ok()?;
            let target = self.credential.onto(target, endpoint.auth()).ok()?;
            Some(Leg {
                target: target.timeouts(times),
                query: endpoint.path(stream).query().map(Into::into),
            })
        };
        Some(Way {
            lane,
            whole: leg(false, self.whole_times)?,
            stream: leg(true, self.stream_times)?,
        })
    }
}
