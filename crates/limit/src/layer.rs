//! The layer: which limits a call falls under, and the filter that applies them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bartizan_core::{
    Call, Clock, Filter, Filtered, Flow, Limits, Principal, Refusal, Role, SystemClock,
};
use http::{Method, header};

use crate::estimate::Estimate;
use crate::ledger::{Claim, Scope};
use crate::limiter::{Admission, Limiter};
use crate::refuse;
use crate::tap::LimitTap;

const MOST_SCOPES: usize = 100_000;
const DEFAULT_OUTPUT: u64 = 512;

/// Applies rate limits: refuses with 429 the call that would exceed the requests or tokens a minute of its key or its model.
///
/// Clones, and all services made by [`layer`](tower_layer::Layer::layer), count together. See the [crate's documentation](crate).
#[derive(Clone, Debug)]
pub struct LimitLayer(Arc<Limit>);

/// The filter of [`LimitLayer`].
#[derive(Clone)]
pub struct Limit {
    defaults: Limits,
    models: BTreeMap<String, Limits>,
    models_per_key: BTreeMap<String, Limits>,
    default_output: u64,
    admins: bool,
    limiter: Arc<Limiter>,
}

impl LimitLayer {
    /// Creates a layer that applies what limits the callers themselves carry, and no others.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Limit {
            defaults: Limits::default(),
            models: BTreeMap::new(),
            models_per_key: BTreeMap::new(),
            default_output: DEFAULT_OUTPUT,
            admins: false,
            limiter: Arc::new(Limiter::new(Arc::new(SystemClock::new()), MOST_SCOPES)),
        }))
    }

    /// Requests a minute for each key that carries no limit of its own, and for all calls without a key together. None by default.
    #[must_use]
    pub fn default_rpm(self, requests: u32) -> Self {
        self.with(|limit| limit.defaults.rpm = Some(requests))
    }

    /// Tokens a minute, input and output, for each key that carries no limit of its own, and for all calls without a key together. None
    /// by default.
    #[must_use]
    pub fn default_tpm(self, tokens: u32) -> Self {
        self.with(|limit| limit.defaults.tpm = Some(tokens))
    }

    /// What all callers together may ask of `model`, named as they name it. Proxy admins are no exception.
    #[must_use]
    pub fn model(self, model: impl Into<String>, limits: Limits) -> Self {
        self.with(|limit| {
            limit.models.insert(model.into(), limits);
        })
    }

    /// What each key may ask of `model`, named as the caller names it.
    #[must_use]
    pub fn model_per_key(self, model: impl Into<String>, limits: Limits) -> Self {
        self.with(|limit| {
            limit.models_per_key.insert(model.into(), limits);
        })
    }

    /// Output tokens that are reserved for an answer whose length the caller doesn't cap. 512 by default.
    #[must_use]
    pub fn default_output_tokens(self, tokens: u64) -> Self {
        self.with(|limit| limit.default_output = tokens)
    }

    /// Whether default limits and limits per key and model bind proxy admins. `false` by default, as in LiteLLM: whoever holds the master
    /// key can lift any limit anyway. Limits that an admin's own key carries, and those of a model, bind always.
    #[must_use]
    pub fn limit_admins(self, limited: bool) -> Self {
        self.with(|limit| limit.admins = limited)
    }

    /// Where refills take the time from, and a fresh count. The machine's monotonic clock by default.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        self.with(|limit| {
            limit.limiter = Arc::new(Limiter::new(Arc::new(clock), limit.limiter.most()))
        })
    }

    /// How many keys and models can be limited at a time, and a fresh count: over it, calls of further ones are refused with 503 until others have been idle for
    /// a minute. 100,000 by default, some 30 MB.
    #[must_use]
    pub fn max_scopes(self, scopes: usize) -> Self {
        self.with(|limit| limit.limiter = Arc::new(Limiter::new(limit.limiter.clock(), scopes)))
    }

    /// Calls whose token reservation has not ended, counted in each scope that they fall under. Zero when no call is on its way.
    #[must_use]
    pub fn reservations(&self) -> usize {
        self.0.limiter.reservations()
    }

    fn with(mut self, change: impl FnOnce(&mut Limit)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl Default for LimitLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> tower_layer::Layer<S> for LimitLayer {
    type Service = Filtered<S, Limit>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl Filter for Limit {
    const NAME: &'static str = "limit";
    type Tap = Option<LimitTap>;

    async fn request(&self, call: &mut Call) -> Result<Flow<Option<LimitTap>>, Refusal> {
        let principal = call.principal().cloned();
        let mut claims = Vec::with_capacity(3);
        claims.push(self.key_claim(principal.as_ref()));
        // What asks for nothing costs no tokens.
        let generates = !matches!(
            call.parts().method,
            Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE
        );
        let by_model = !(self.models.is_empty() && self.models_per_key.is_empty());
        let mut estimate = None;
        if generates && (by_model || claims.iter().any(|claim| claim.limits.tpm.is_some())) {
            let bytes = length(call);
            match call.document().await {
                Ok(document) => {
                    if let Some(model) = document
                        .as_ref()
                        .and_then(|document| document.facts().model.as_deref())
                    {
                        claims.extend(self.model_claims(principal.as_ref(), model));
                    }
                    let least = claims.iter().filter_map(|claim| claim.limits.tpm).min();
                    estimate = least.map(|least| {
                        Estimate::of(
                            document.as_deref(),
                            bytes,
                            self.default_output,
                            least.into(),
                        )
                    });
                }
                Err(malformed) => {
                    // What can't be read costs no tokens, but it is a request.
                    self.admit(call, requests_only(claims), 0)?;
                    return Err(malformed);
                }
            }
        }
        if estimate.is_none() {
            claims = requests_only(claims);
        }
        claims.retain(|claim| claim.limits.rpm.is_some() || claim.limits.tpm.is_some());
        if claims.is_empty() {
            return Ok(Flow::Pass(None));
        }
        let trail = call.trail().cloned();
        let admission = self.admit(call, claims, estimate.map_or(0, Estimate::total))?;
        Ok(Flow::Pass(Some(LimitTap::new(admission, estimate, trail))))
    }
}

impl Limit {
    fn admit(&self, call: &Call, claims: Vec<Claim>, tokens: u64) -> Result<Admission, Refusal> {
        match self.limiter.admit(&claims, tokens) {
            Ok(admission) => {
                metrics::counter!("bartizan.limit.calls", "outcome" => "admitted").increment(1);
                Ok(admission)
            }
            Err(refused) => {
                let (refusal, note) = refuse::refusal(refused);
                call.note(note);
                Err(refusal)
            }
        }
    }

    fn key_claim(&self, principal: Option<&Principal>) -> Claim {
        let own = principal.map(Principal::limits).unwrap_or_default();
        let defaults = if self.exempt(principal) {
            Limits::default()
        } else {
            self.defaults
        };
        let mut limits = own;
        limits.rpm = own.rpm.or(defaults.rpm);
        limits.tpm = own.tpm.or(defaults.tpm);
        let scope = principal.map_or(Scope::Anonymous, |principal| {
            Scope::Key(principal.key_id().to_owned())
        });
        Claim { scope, limits }
    }

    fn model_claims(
        &self,
        principal: Option<&Principal>,
        model: &str,
    ) -> impl Iterator<Item = Claim> {
        let shared = self.models.get(model).map(|limits| Claim {
            scope: Scope::Model(model.to_owned()),
            limits: *limits,
        });
        let own = self
            .models_per_key
            .get(model)
            .filter(|_| !self.exempt(principal))
            .map(|limits| {
                let key = principal.map(|principal| principal.key_id().to_owned());
                Claim {
                    scope: Scope::KeyModel(key, model.to_owned()),
                    limits: *limits,
                }
            });
        shared.into_iter().chain(own)
    }

    fn exempt(&self, principal: Option<&Principal>) -> bool {
        !self.admins && principal.is_some_and(|principal| principal.role() == Role::ProxyAdmin)
    }
}

fn requests_only(mut claims: Vec<Claim>) -> Vec<Claim> {
    for claim in &mut claims {
        claim.limits.tpm = None;
    }
    claims
}

/// The length that the request declares.
fn length(call: &Call) -> Option<u64> {
    call.parts()
        .headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit")
            .field("defaults", &self.defaults)
            .field("models", &self.models)
            .field("models_per_key", &self.models_per_key)
            .field("admins", &self.admins)
            .field("limiter", &self.limiter)
            .finish_non_exhaustive()
    }
}
