//! Tokens of identity providers: their keys are had by a client of their own, which reaches nothing else.

use std::time::Duration;

use bartizan::auth::ConfigError;
use bartizan::auth::jwt::{Fetch, FetchError, Fetched, Jwt};
use bartizan::core::Body;
use bartizan::egress::{self, Client, Origin, Policy, Timeouts};
use http::header::{ACCEPT, USER_AGENT};
use http::{Request, StatusCode, Uri};

use crate::config::{IssuerSettings, Settings};

const PATIENCE: Duration = Duration::from_secs(5);

/// Why tokens can't be verified. Configuration that was read rightly never gets here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JwtError {
    #[error("tokens of identity providers: {0}")]
    Settings(#[from] ConfigError),
    #[error("tokens of identity providers: {0}")]
    Client(#[from] egress::Error),
}

/// Sets up whom is believed, where the configuration names an issuer.
///
/// # Errors
/// TLS can't be set up.
pub(crate) fn verifier(settings: &Settings) -> Result<Option<Jwt>, JwtError> {
    if settings.issuers.is_empty() {
        return Ok(None);
    }
    let private = &settings.private_upstreams;
    let mut known: Vec<(Origin, Client)> = Vec::new();
    for told in &settings.issuers {
        if told.ca.is_none() || known.iter().any(|(origin, _)| *origin == told.origin) {
            continue;
        }
        // All that is told of the host, whichever issuer it is told of.
        let same = settings.issuers.iter();
        let same = same.filter(|other| other.origin == told.origin);
        let mut pem = Vec::new();
        for ca in same.filter_map(|other| other.ca.as_deref()) {
            pem.extend_from_slice(ca);
            pem.push(b'\n');
        }
        let policy = reach(Policy::closed(), &told.origin, private);
        known.push((told.origin.clone(), client(policy, Some(&pem))?));
    }
    let client = client(policy(&settings.issuers, private), None)?;
    let keys = Keys { known, client };
    let issuers = settings.issuers.iter().map(|told| told.issuer.clone());
    let builder = issuers.fold(Jwt::builder(keys), |builder, issuer| builder.issuer(issuer));
    Ok(Some(builder.build()?))
}

/// The issuers themselves. One that says where its keys are may name any public place, and no private one: what its document says is an issuer's word
/// and not the configuration's.
fn policy(issuers: &[IssuerSettings], private: &[Origin]) -> Policy {
    issuers.iter().fold(Policy::closed(), |policy, told| {
        let policy = reach(policy, &told.origin, private);
        if told.discovers {
            policy.allow_any_public()
        } else {
            policy
        }
    })
}

fn reach(policy: Policy, origin: &Origin, private: &[Origin]) -> Policy {
    if private.contains(origin) {
        policy.allow_private(origin.clone())
    } else {
        policy.allow(origin.clone())
    }
}

fn client(policy: Policy, ca: Option<&[u8]>) -> Result<Client, egress::Error> {
    let times = Timeouts::default().head(PATIENCE).idle(PATIENCE);
    let builder = Client::builder(policy)
        .timeouts(times.total(PATIENCE))
        .keep_idle(1, Duration::from_secs(10));
    match ca {
        Some(pem) => builder.only_roots(pem)?.build(),
        None => builder.build(),
    }
}

/// Gets issuers' documents.
struct Keys {
    /// Hosts with authorities of their own, and who asks each and nobody else.
    known: Vec<(Origin, Client)>,
    client: Client,
}

impl Fetch for Keys {
    async fn get(&self, url: &Uri, most: usize) -> Result<Fetched, FetchError> {
        let request = Request::get(url.clone())
            .header(ACCEPT, "application/json")
            .header(
                USER_AGENT,
                concat!("bartizan-gateway/", env!("CARGO_PKG_VERSION")),
            )
            .body(Body::empty())
            .map_err(FetchError::new)?;
        let origin = Origin::of(url).map_err(FetchError::new)?;
        let known = self.known.iter().find(|(known, _)| *known == origin);
        let client = known.map_or(&self.client, |(_, client)| client);
        let answer = client.send(request).await.map_err(FetchError::new)?;
        let status = answer.status();
        // What else it says is not looked at.
        if status != StatusCode::OK {
            return Ok(Fetched::new(status, Vec::new()));
        }
        let body = answer.into_body().into_bytes(most).await;
        let body = body.map_err(FetchError::new)?;
        Ok(Fetched::new(status, body.to_vec()))
    }
}
