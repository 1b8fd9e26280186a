//! What the models that are served cost.

use std::sync::Arc;

use bartizan::core;
use bartizan::limit::PriceList;
use bartizan::translate::{Model, ModelFacts};

use super::catalogue::{Catalogue, Served};

/// The prices of the deployments, by the names that callers use: the file's, and else the catalogue's.
#[derive(Clone, Debug)]
pub(crate) struct Prices(Arc<Catalogue>);

/// What the demo's tokens are said to cost, so that budgets can be tried: ten and thirty dollars a million.
const DEMO: (&str, &str) = ("0.00001", "0.00003");

/// The demo answers with what it was told.
const DEMO_MOST: u64 = 4_096;

impl Prices {
    pub(crate) fn new(catalogue: Arc<Catalogue>) -> Self {
        Self(catalogue)
    }
}

impl PriceList for Prices {
    /// The dearest of the deployments; unknown where one's is.
    fn prices(&self, model: &str) -> Option<core::Prices> {
        let mut all = None;
        for (served, name) in self.0.places(model) {
            let prices = served.prices(&name);
            if prices.is_unknown() {
                return None;
            }
            all = Some(all.map_or(prices, |all: core::Prices| all.dearer(&prices)));
        }
        all
    }

    fn max_output_tokens(&self, model: &str) -> Option<u64> {
        let mut most = Some(0);
        for (served, name) in self.0.places(model) {
            most = most
                .zip(served.max_output(&name))
                .map(|(most, one)| most.max(one));
        }
        most.filter(|most| *most > 0)
    }
}

impl Served {
    /// What is known of the model that the provider calls so.
    fn model<T>(&self, name: &str, read: impl FnOnce(&Model) -> T) -> Option<T> {
        let Self::By(deployment, _) = self else {
            return None;
        };
        let place = &deployment.place;
        if let Some(facts) = place.facts() {
            return Some(read(facts));
        }
        let known = ModelFacts::default();
        let name = place.name().clone().with_model(name);
        known
            .served(&name)
            .or_else(|| known.of(name.model()))
            .map(read)
    }

    /// What the model costs that the provider calls so; nothing is known of most of what stands on somebody's own machine.
    pub(super) fn prices(&self, name: &str) -> core::Prices {
        match self {
            Self::Demo => core::Prices {
                input: DEMO.0.parse().ok(),
                output: DEMO.1.parse().ok(),
                ..core::Prices::default()
            },
            Self::By(..) => self.model(name, |model| model.prices).unwrap_or_default(),
        }
    }

    fn max_output(&self, name: &str) -> Option<u64> {
        match self {
            Self::Demo => Some(DEMO_MOST),
            Self::By(..) => self
                .model(name, |model| model.max_output)
                .filter(|most| *most > 0),
        }
    }

    /// What an answer says of who gave it.
    pub(super) fn told(&self, name: &str) -> core::Served {
        core::Served::new(self.provider(), name).prices(self.prices(name))
    }
}
