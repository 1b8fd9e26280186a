//! Tells, before a deployment is chosen, where a call may go.

use std::sync::Arc;

use bartizan::core::{Call, Filter, Filtered, Flow, Refusal};
use tower::Layer;

use super::Catalogue;

/// Applies the catalogue: puts the [`Regions`](bartizan::core::Regions) of the model that a request names into its extensions.
#[derive(Clone, Debug)]
pub(crate) struct RegionsLayer(Arc<Tell>);

#[derive(Debug)]
pub(crate) struct Tell(Arc<Catalogue>);

impl RegionsLayer {
    pub(crate) fn new(catalogue: Arc<Catalogue>) -> Self {
        Self(Arc::new(Tell(catalogue)))
    }
}

impl<S> Layer<S> for RegionsLayer {
    type Service = Filtered<S, Tell>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl Filter for Tell {
    const NAME: &'static str = "regions";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        let document = call.document().await?;
        let model = document.and_then(|document| document.facts().model.clone());
        if let Some(model) = model {
            let regions = self.0.regions(&model);
            call.parts_mut().extensions.insert(regions);
        }
        Ok(Flow::Pass(()))
    }
}
