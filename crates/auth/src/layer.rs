//! The layer: lets in who has a key of good standing, and tells the layers inside who it is.

use std::fmt;
use std::sync::Arc;

use bartizan_core::{Call, Filter, Filtered, Flow, Models, Note, Principal, Refusal};
use http::Method;
use secrecy::ExposeSecret;

use crate::credential;
use crate::key::VirtualKey;
use crate::keys::{Denied, Keys};
use crate::master::MasterKey;
use crate::refuse;

/// Applies authentication: refuses with 401 every request without a key of good standing, and with 403 one for a model that its key may not call.
///
/// There is no path that it lets through without a key: what must be open is routed outside of it. When the store of keys can't tell,
/// it refuses with 503. See the [crate's documentation](crate).
#[derive(Clone, Debug)]
pub struct AuthLayer(Arc<Auth>);

/// The filter of [`AuthLayer`].
#[derive(Clone)]
pub struct Auth {
    master: Option<MasterKey>,
    keys: Option<Keys>,
}

impl AuthLayer {
    /// Creates a layer that knows virtual keys.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self(Arc::new(Auth {
            master: None,
            keys: Some(keys),
        }))
    }

    /// Creates a layer that knows one key, for a service without a store.
    #[must_use]
    pub fn master_key_only(master: MasterKey) -> Self {
        Self(Arc::new(Auth {
            master: Some(master),
            keys: None,
        }))
    }

    /// Lets the holder of the master key in, as a proxy admin. None by default.
    #[must_use]
    pub fn master_key(mut self, master: MasterKey) -> Self {
        Arc::make_mut(&mut self.0).master = Some(master);
        self
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
        let principal = self.identify(call).await?;
        if let Some(trail) = call.trail() {
            trail.identify(&principal);
        }
        // In the place of whatever an outer layer put there: identity comes from here.
        call.parts_mut().extensions.insert(principal.clone());
        check_model(call, &principal).await?;
        count("admitted");
        tracing::debug!(key_id = principal.key_id(), "admitted");
        Ok(Flow::Pass(()))
    }
}

impl Auth {
    async fn identify(&self, call: &mut Call) -> Result<Principal, Refusal> {
        let credential = match credential::take(&mut call.parts_mut().headers) {
            Ok(credential) => credential,
            Err(unreadable) => {
                let reason = match unreadable {
                    credential::Unreadable::Missing => "missing",
                    credential::Unreadable::Malformed => "malformed",
                    credential::Unreadable::Ambiguous => "ambiguous",
                };
                return Err(refused(call, reason, unreadable.into()));
            }
        };
        match self.verify(credential.expose_secret()).await {
            Ok(principal) => Ok(principal),
            Err(denied) => {
                let reason = match &denied {
                    Denied::Unknown => "unknown",
                    Denied::Expired => "expired",
                    Denied::Blocked => "blocked",
                    Denied::Revoked => "revoked",
                    Denied::Unchecked(_) => "unchecked",
                };
                Err(refused(call, reason, Refusal::from(&denied)))
            }
        }
    }

    /// A virtual key goes to the store, anything else to the master key: no text is tried as both.
    async fn verify(&self, credential: &str) -> Result<Principal, Denied> {
        if VirtualKey::claimed_by(credential) {
            match &self.keys {
                Some(keys) => keys.verify(credential).await,
                None => Err(Denied::Unknown),
            }
        } else {
            self.master
                .as_ref()
                .and_then(|master| master.verify(credential))
                .ok_or(Denied::Unknown)
        }
    }
}

/// A caller bound to certain models must name one of them. What names no model that can be read passes only where nothing is generated.
async fn check_model(call: &mut Call, principal: &Principal) -> Result<(), Refusal> {
    if *principal.models() == Models::All
        || matches!(call.parts().method, Method::GET | Method::HEAD)
    {
        return Ok(());
    }
    let named = match call.document().await? {
        Some(document) => document
            .facts()
            .model
            .as_ref()
            .map(|model| principal.models().allow(model)),
        None => None,
    };
    match named {
        Some(true) => Ok(()),
        Some(false) => Err(refused(call, "model", refuse::model_not_allowed())),
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
