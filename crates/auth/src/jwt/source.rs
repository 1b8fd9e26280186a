//! An issuer's keys as they are now: fetched once for all who ask, kept for a while, and for a stated while longer when the issuer is away.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_core::Clock;
use bartizan_core::json::{Bounds, Json};
use http::{StatusCode, Uri};
use tokio::sync::watch;

use super::denied::JwtDenied;
use super::fetch::{AnyFetch, Fetched};
use super::key_set::KeySet;

/// Sets of a hundred keys with their chains of certificates are smaller.
pub(super) const MOST_BYTES: usize = 256 * 1024;

/// Whoever makes up names of keys gets the issuer asked for them this often at most.
const BETWEEN_UNKNOWN: Duration = Duration::from_secs(30);
/// How often an issuer that failed is asked again.
const BETWEEN_FAILURES: Duration = Duration::from_secs(5);
/// How long a failure speaks for the issuer: who comes later waits for a try of their own before stale keys are believed.
const FAILURE_SPEAKS: Duration = Duration::from_secs(30);

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the address that the discovery document names.
    Discovered(Uri),
    /// At this one.
    Known(Uri),
}

/// How long keys are believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) ttl: Duration,
    pub(super) stale: Duration,
    pub(super) patience: Duration,
    pub(super) plain_http: bool,
}

/// The keys of one issuer.
pub(super) struct Source {
    issuer: String,
    place: Place,
    terms: Terms,
    fetch: Arc<dyn AnyFetch>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// When a fetch began last.
    tried_at: Option<Duration>,
    /// When the last fetch that is over failed, if it did.
    failed_at: Option<Duration>,
    flight: Option<watch::Receiver<()>>,
}

/// A set, and which one it is: the number changes with the keys.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) keys: Arc<KeySet>,
    pub(super) edition: u64,
    read_at: Duration,
}

fn within(moment: Option<Duration>, span: Duration, now: Duration) -> bool {
    moment.is_some_and(|moment| now.saturating_sub(moment) < span)
}

/// What is wrong with an answer. Says nothing of what stood in it.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("no answer in time")]
    Late,
    #[error("no answer: {0}")]
    Unreachable(#[source] super::fetch::FetchError),
    #[error("the answer's status is {0}")]
    Status(StatusCode),
    #[error("the answer is larger than {MOST_BYTES} bytes")]
    Large,
    #[error("the discovery document can't be read")]
    Discovery,
    #[error("the discovery document is of another issuer")]
    OtherIssuer,
    #[error("the address of the keys is not one of https")]
    Address,
    #[error("the answer is no set of keys")]
    Keys,
    #[error("the client broke")]
    Broken,
}

impl Source {
    pub(super) fn new(
        issuer: String,
        place: Place,
        terms: Terms,
        fetch: Arc<dyn AnyFetch>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            issuer,
            place,
            terms,
            fetch,
            clock,
            state: Mutex::default(),
        }
    }

    /// The keys that may be believed at this moment. It waits for the issuer only where there are none, or only some whose time is over
    /// and nobody has asked since.
    pub(super) async fn held(self: &Arc<Self>) -> Result<Held, JwtDenied> {
        let now = self.clock.monotonic();
        let (held, away) = {
            let state = self.state();
            let speaks = match state.held {
                Some(_) => FAILURE_SPEAKS,
                None => BETWEEN_FAILURES,
            };
            // Who tries again now doesn't make those wait who know that it failed a moment ago.
            let away = within(state.failed_at, speaks, now);
            (state.held.clone(), away)
        };
        if let Some(held) = held {
            let age = now.saturating_sub(held.read_at);
            if age < self.terms.ttl {
                if age >= self.terms.ttl / 4 * 3 {
                    self.ask_again(now);
                }
                return Ok(held);
            }
            if away && age < self.terms.ttl.saturating_add(self.terms.stale) {
                metrics::counter!("bartizan.auth.jwt.stale_keys").increment(1);
                self.ask_again(now);
                return Ok(held);
            }
        }
        if away {
            self.ask_again(now);
        } else {
            self.arrive().await;
        }
        let now = self.clock.monotonic();
        let held = self.state().held.clone().ok_or(JwtDenied::Unavailable)?;
        let age = now.saturating_sub(held.read_at);
        if age < self.terms.ttl.saturating_add(self.terms.stale) {
            Ok(held)
        } else {
            Err(JwtDenied::Unavailable)
        }
    }

    /// The keys after a token named one that is not among `seen`: the issuer may have published it since. `None` when it was asked a moment ago.
    ///
    /// # Errors
    /// [`JwtDenied::Unavailable`] when the issuer didn't answer: nobody can tell whether it has that key.
    pub(super) async fn newer(self: &Arc<Self>, seen: &Held) -> Result<Option<Held>, JwtDenied> {
        let now = self.clock.monotonic();
        let rests = {
            let state = self.state();
            within(state.tried_at, BETWEEN_UNKNOWN, now) && state.flight.is_none()
        };
        if !rests {
            self.arrive().await;
        }
        let state = self.state();
        match &state.held {
            Some(held) if held.edition != seen.edition => Ok(Some(held.clone())),
            _ if state.failed_at.is_some() => Err(JwtDenied::Unavailable),
            _ => Ok(None),
        }
    }

    /// Fetches the keys where their time is soon over, whether anybody asks or not.
    pub(super) fn keep_fresh(self: &Arc<Self>) {
        let now = self.clock.monotonic();
        let due = match &self.state().held {
            Some(held) => now.saturating_sub(held.read_at) >= self.terms.ttl / 4 * 3,
            None => true,
        };
        if due {
            self.ask_again(now);
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Waits until a fetch is over, with whatever end.
    async fn arrive(self: &Arc<Self>) {
        let mut flight = self.depart(self.clock.monotonic());
        // Its other end is dropped at the end, and nothing is ever sent.
        let _over = flight.changed().await;
    }

    /// Has the keys fetched, unless that failed a moment ago.
    fn ask_again(self: &Arc<Self>, now: Duration) {
        let recent = within(self.state().tried_at, BETWEEN_FAILURES, now);
        if !recent {
            self.depart(now);
        }
    }

    /// Begins a fetch, or joins the one that is under way. It is a task of its own: a caller who leaves doesn't end it for those who wait.
    fn depart(self: &Arc<Self>, now: Duration) -> watch::Receiver<()> {
        let mut state = self.state();
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (over, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        state.tried_at = Some(now);
        drop(state);
        let source = Arc::clone(self);
        tokio::spawn(async move {
            let reader = Arc::clone(&source);
            // A client that panics has failed like any other.
            let read = tokio::spawn(async move { reader.read().await })
                .await
                .unwrap_or(Err(Fault::Broken));
            source.settle(read, now);
            drop(over);
        });
        flight
    }

    fn settle(&self, read: Result<KeySet, Fault>, began: Duration) {
        let mut state = self.state();
        state.flight = None;
        match read {
            Ok(keys) => {
                state.failed_at = None;
                let edition = match &state.held {
                    Some(held) if *held.keys == keys => held.edition,
                    Some(held) => held.edition + 1,
                    None => 0,
                };
                metrics::counter!("bartizan.auth.jwt.key_fetches", "outcome" => "read")
                    .increment(1);
                tracing::debug!(
                    issuer = self.issuer,
                    keys = keys.len(),
                    edition,
                    "read an issuer's keys"
                );
                state.held = Some(Held {
                    keys: Arc::new(keys),
                    edition,
                    read_at: began,
                });
            }
            Err(fault) => {
                state.failed_at = Some(self.clock.monotonic());
                metrics::counter!("bartizan.auth.jwt.key_fetches", "outcome" => "failed")
                    .increment(1);
                tracing::warn!(issuer = self.issuer, %fault, "an issuer's keys can't be had");
            }
        }
    }

    async fn read(&self) -> Result<KeySet, Fault> {
        match tokio::time::timeout(self.terms.patience, self.read_slowly()).await {
            Ok(read) => read,
            Err(_) => Err(Fault::Late),
        }
    }

    async fn read_slowly(&self) -> Result<KeySet, Fault> {
        let keys = match &self.place {
            Place::Known(keys) => keys.clone(),
            Place::Discovered(document) => self.discover(document).await?,
        };
        KeySet::read(&self.get(&keys).await?).map_err(|_| Fault::Keys)
    }

    /// OpenID Connect Discovery 1.0, 4.3: the document's issuer is the one that it was asked of, to the letter.
    async fn discover(&self, document: &Uri) -> Result<Uri, Fault> {
        let document = self.get(document).await?;
        let json = Json::read_bytes(&document, Bounds::default()).map_err(|_| Fault::Discovery)?;
        let issuer = json.root().get("issuer").ok_or(Fault::Discovery)?;
        if !issuer.is(&self.issuer) {
            return Err(Fault::OtherIssuer);
        }
        let keys = json.root().get("jwks_uri").and_then(|keys| keys.text());
        let keys: Uri = keys
            .ok_or(Fault::Discovery)?
            .parse()
            .map_err(|_| Fault::Discovery)?;
        if fit(&keys, self.terms.plain_http) {
            Ok(keys)
        } else {
            Err(Fault::Address)
        }
    }

    async fn get(&self, url: &Uri) -> Result<Vec<u8>, Fault> {
        let Fetched { status, body } = self
            .fetch
            .get(url, MOST_BYTES)
            .await
            .map_err(Fault::Unreachable)?;
        if status != StatusCode::OK {
            return Err(Fault::Status(status));
        }
        if body.len() > MOST_BYTES {
            return Err(Fault::Large);
        }
        Ok(body)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether keys may be fetched from there: over https, or http where that was asked for, with a host and without a user.
pub(super) fn fit(url: &Uri, plain_http: bool) -> bool {
    let scheme = match url.scheme_str() {
        Some("https") => true,
        Some("http") => plain_http,
        _ => false,
    };
    let place = url
        .authority()
        .is_some_and(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'));
    scheme && place
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("issuer", &self.issuer)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
