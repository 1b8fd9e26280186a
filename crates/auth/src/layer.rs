//! The layer: lets in who has a key of good standing, and tells the layers inside who it is.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{
    Call, ClientIp, Document, Filter, Filtered, Flow, KeyType, MatchedRoute, Models, Note, Refusal,
};
use http::Method;
use http::request::Parts;

use crate::certificate::CertificateMap;
use crate::chain::Admitted;
#[cfg(feature = "jwt")]
use crate::jwt::Jwt;
#[cfg(feature = "watch")]
use crate::keys::Denied;
use crate::keys::Keys;
use crate::master::MasterKey;
use crate::outside::{AnyOutside, Outside};
use crate::peer::TrustedPeers;
use crate::refuse;
#[cfg(feature = "watch")]
use crate::watch::{Verdict, Watch};

/// Applies authentication: refuses with 401 every request without a key of good standing, and with 403 one for what its key may not do.
///
/// There is no path that it lets through without a key: what must be open is routed outside of it. When the store of keys can't tell,
/// it refuses with 503. See the [crate's documentation](crate).
#[derive(Clone, Debug)]
pub struct AuthLayer(Arc<Auth>);

/// The filter of [`AuthLayer`].
#[derive(Clone)]
pub struct Auth {
    pub(crate) master: Option<MasterKey>,
    pub(crate) master_calls_models: bool,
    pub(crate) keys: Option<Keys>,
    #[cfg(feature = "jwt")]
    pub(crate) jwt: Option<Jwt>,
    pub(crate) certificates: Option<CertificateMap>,
    pub(crate) peers: Option<TrustedPeers>,
    pub(crate) outside: Vec<Arc<dyn AnyOutside>>,
    #[cfg(feature = "watch")]
    pub(crate) watch: Option<Watch>,
    purpose: Purpose,
}

/// What is behind the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Models,
    Management,
    Any,
}

impl AuthLayer {
    /// Creates a layer before models that knows virtual keys.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self(Arc::new(Auth {
            master: None,
            master_calls_models: false,
            keys: Some(keys),
            #[cfg(feature = "jwt")]
            jwt: None,
            certificates: None,
            peers: None,
            outside: Vec::new(),
            #[cfg(feature = "watch")]
            watch: None,
            purpose: Purpose::Models,
        }))
    }

    /// Creates a layer before models that knows one key, for a service without a store. As there is no other that could, it calls models.
    #[must_use]
    pub fn master_key_only(master: MasterKey) -> Self {
        Self(Arc::new(Auth {
            master: Some(master),
            master_calls_models: true,
            keys: None,
            #[cfg(feature = "jwt")]
            jwt: None,
            certificates: None,
            peers: None,
            outside: Vec::new(),
            #[cfg(feature = "watch")]
            watch: None,
            purpose: Purpose::Models,
        }))
    }

    /// Lets the holder of the master key in, as a proxy admin that manages and calls no models. None by default: once there is a virtual key of a
    /// proxy admin, leave it away.
    #[must_use]
    pub fn master_key(mut self, master: MasterKey) -> Self {
        self.auth().master = Some(master);
        self
    }

    /// Lets the master key call models too. A key that may do everything then lies wherever models are called.
    #[must_use]
    pub fn master_key_may_call_models(mut self) -> Self {
        self.auth().master_calls_models = true;
        self
    }

    /// Lets in who bears a token of an identity provider. What has the form of a token is then tried as nothing else. Needs virtual keys' store, since
    /// accounts bind a token's bearer too.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn jwt(mut self, jwt: Jwt) -> Self {
        self.auth().jwt = Some(jwt);
        self
    }

    /// Takes client certificates for identities, or for a second factor.
    #[must_use]
    pub fn certificates(mut self, certificates: CertificateMap) -> Self {
        self.auth().certificates = Some(certificates);
        self
    }

    /// Believes these peers who calls.
    #[must_use]
    pub fn trusted_peers(mut self, peers: TrustedPeers) -> Self {
        self.auth().peers = Some(peers);
        self
    }

    /// Asks `outside` who calls where the credential is no virtual key; the one that was added first is asked first, the master key is tried last.
    #[must_use]
    pub fn outside(mut self, outside: impl Outside) -> Self {
        self.auth().outside.push(Arc::new(outside));
        self
    }

    /// Tells `watch` from where keys are used: of each admitted call with a [`ClientIp`]. Its rules may refuse it.
    #[cfg(feature = "watch")]
    #[must_use]
    pub fn watch(mut self, watch: Watch) -> Self {
        self.auth().watch = Some(watch);
        self
    }

    /// Stands before models, which is the default: a key that is for [management](KeyType::Management) or [for looking](KeyType::ReadOnly) is
    /// refused with 403.
    #[must_use]
    pub fn for_models(mut self) -> Self {
        self.auth().purpose = Purpose::Models;
        self
    }

    /// Stands before an administration API: a key that is [for models alone](KeyType::LlmApi) is refused with 403. What a key may do there is for
    /// the API to ask: [`allowed`](crate::allowed).
    #[must_use]
    pub fn for_management(mut self) -> Self {
        self.auth().purpose = Purpose::Management;
        self
    }

    /// Stands before what every key may ask for, such as the list of models.
    #[must_use]
    pub fn for_any(mut self) -> Self {
        self.auth().purpose = Purpose::Any;
        self
    }

    fn auth(&mut self) -> &mut Auth {
        Arc::make_mut(&mut self.0)
    }
}

impl<S> tower_layer::Layer<S> for AuthLayer {
    type Service = Filtered<S, Auth>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl Filter for Auth {
    const NAME: &'static str = "auth";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        let entrant = match self.identify(call.parts_mut()).await {
            Ok(entrant) => entrant,
            Err(unknown) => return Err(refused(call, unknown.reason, *unknown.refusal)),
        };
        let admitted = entrant.admitted();
        let principal = &admitted.principal;
        if let Some(trail) = call.trail() {
            trail.identify(principal);
        }
        // In the place of whatever an outer layer put there: identity comes from here.
        call.parts_mut().extensions.insert(principal.clone());
        if !self.purpose.suits(principal.key_type()) {
            return Err(refused(call, "key_type", refuse::key_type()));
        }
        if !comes_from(call.parts(), admitted) {
            return Err(refused(call, "address", refuse::address()));
        }
        if !goes_to(call.parts(), admitted) {
            return Err(refused(call, "route", refuse::route()));
        }
        if self.purpose != Purpose::Management {
            let keys = self.keys.as_ref();
            if keys.is_some_and(|keys| !keys.runs(principal.guardrails().iter())) {
                return Err(refused(call, "guardrail", refuse::guardrail()));
            }
            check_model(call, admitted).await?;
        }
        #[cfg(feature = "watch")]
        if let Some(watch) = &self.watch
            && let Some(from) = call.parts().extensions.get::<ClientIp>()
            && watch.saw(principal, *from, watch.now()) == Verdict::Block
        {
            return Err(refused(call, "watch", Refusal::from(&Denied::Blocked)));
        }
        count("admitted");
        tracing::debug!(key_id = principal.key_id(), "admitted");
        Ok(Flow::Pass(()))
    }
}

impl Purpose {
    const fn suits(self, key_type: KeyType) -> bool {
        match self {
            Self::Models => key_type.calls_models(),
            Self::Management => key_type.sees(),
            Self::Any => true,
        }
    }
}

/// Whether the call comes from where its key may be used. Where that is laid down and nobody knows whence it comes, it does not.
fn comes_from(parts: &Parts, admitted: &Admitted) -> bool {
    if admitted.addresses.is_empty() {
        return true;
    }
    parts.extensions.get::<ClientIp>().is_some_and(|from| {
        let mut each = admitted.addresses.iter();
        each.all(|addresses| addresses.allow(from.0))
    })
}

/// Whether the call goes where its key may go.
fn goes_to(parts: &Parts, admitted: &Admitted) -> bool {
    if admitted.routes.is_empty() {
        return true;
    }
    let path = match parts.extensions.get::<MatchedRoute>() {
        Some(route) => &*route.0,
        None => {
            let path = parts.uri.path();
            if !is_plain(path) {
                return false;
            }
            path
        }
    };
    admitted.routes.iter().all(|routes| routes.allow(path))
}

/// Whether everybody reads the path alike. What is encoded, doubled, dotted or has parameters is one thing to one reader and another to the next.
fn is_plain(path: &str) -> bool {
    !path.contains(['%', ';', '\\'])
        && !path.contains("//")
        && !path.split('/').any(|part| part == "." || part == "..")
}

/// A caller bound to certain models must name one of them. What names no model that can be read passes only where nothing is generated.
async fn check_model(call: &mut Call, admitted: &Admitted) -> Result<(), Refusal> {
    let models = admitted.principal.models();
    let free = *models == Models::All && admitted.aliases.is_empty();
    if free || matches!(call.parts().method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let model = |document: Option<&mut Document>| {
        document.and_then(|document| document.facts().model.clone())
    };
    let mut named = model(call.document().await?);
    let target = named.as_ref().and_then(|named| admitted.aliases.get(named));
    if let Some(target) = target {
        // What is checked is what goes on, not what should have been written.
        let is_set = call.set_model(target).await?;
        named = model(call.document().await?);
        if !is_set || named.as_ref() != Some(target) {
            return Err(refused(call, "alias", refuse::alias()));
        }
    }
    match named.map(|named| models.allow(&named)) {
        Some(true) => Ok(()),
        Some(false) => Err(refused(call, "model", refuse::model_not_allowed())),
        None if *models == Models::All => Ok(()),
        None => Err(refused(call, "model", refuse::model_not_told())),
    }
}

fn refused(call: &Call, reason: &'static str, refusal: Refusal) -> Refusal {
    count(reason);
    call.note(Note::new(Auth::NAME, "refused").word("reason", reason));
    refusal
}

fn count(outcome: &'static str) {
    metrics::counter!("bartizan.auth.requests", "outcome" => outcome).increment(1);
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("master", &self.master)
            .field("keys", &self.keys)
            .finish()
    }
}
