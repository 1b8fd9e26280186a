//! The layer that makes a call's intent durable before it leaves.

use std::sync::Arc;

use bartizan_core::{Call, Filter, Filtered, Flow, Refusal};
use tower_layer::Layer;

use crate::entry::{Entry, Intent, Who, bounded};
use crate::journal::{Journal, Mode};
use crate::layer::{CallId, note, refusal, request_id};

/// Applies a journal: makes a record of what is about to happen durable before the inner service is called.
///
/// Belongs just before the layer that chooses a provider, where refused calls no longer come. What leaves the gateway is
/// then in the journal even if the machine stops a moment later. A strict journal that can't make the record durable in time
/// refuses the call with 503; a lossy one doesn't wait.
///
/// The cost is one wait for a batch: a few milliseconds of latency, shared by all calls that arrive meanwhile.
#[derive(Clone, Debug)]
pub struct IntentLayer(Arc<IntentFilter>);

impl IntentLayer {
    /// Creates the layer on the journal that [`AuditLayer`](crate::AuditLayer) writes to too, so that both records of a call have the same `call`.
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self(Arc::new(IntentFilter { journal }))
    }
}

impl<S> Layer<S> for IntentLayer {
    type Service = Filtered<S, IntentFilter>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

/// The filter of [`IntentLayer`].
#[derive(Debug)]
pub struct IntentFilter {
    journal: Journal,
}

impl Filter for IntentFilter {
    const NAME: &'static str = "audit-intent";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        let id = call
            .parts()
            .extensions
            .get::<CallId>()
            .map_or_else(|| self.journal.next_call(), |id| id.0.to_string());
        let mut intent = Intent::new(self.journal.clock().unix(), id, call.dialect().as_str());
        intent.request_id = request_id(&call.parts().headers);
        let principal = call
            .principal()
            .cloned()
            .or_else(|| call.trail()?.principal());
        intent.who = principal.as_ref().map(Who::from);
        intent.model = call
            .trail()
            .and_then(|trail| trail.model())
            .as_deref()
            .map(bounded);
        let entry = Entry::Intent(Box::new(intent));
        match self.journal.mode() {
            Mode::Lossy => self.journal.offer(entry),
            Mode::Strict => {
                let recorded = self.journal.record(entry).await;
                recorded.map_err(|error| {
                    tracing::debug!(%error, "no intent record, no call");
                    note(call, "refused");
                    refusal(&error)
                })?;
            }
        }
        Ok(Flow::Pass(()))
    }
}
