//! Watches from where keys are used, and tells of what is unusual, or blocks it.
//!
//! A stolen key works as well as an owned one; it is used from elsewhere. A [`Watch`] is told of each admitted call, keeps where each key was
//! used as [`Sighting`](crate::Sighting)s in the store of keys, and holds each use against [`Rule`]s: too many addresses within an hour, two
//! places that nobody travels between in the time, a country where the key was not used before, an hour at which it should rest.
//!
//! What can be decided from memory is decided before the call goes on: a rule that [blocks](Rule::blocks) refuses that very call, and the key
//! is then blocked in the store, as `watch`, for every process. What needs the store (others' sightings, a country's history) is decided in the
//! background within two seconds. An alert of a rule is told once an hour for each key, with a count of those left out.
//!
//! Every caller is watched, by its `key_id`: virtual keys, and those that are known by a token, by the word of a trusted peer or by the master key.
//! Only a virtual key has a record that could be blocked. Where a rule blocks and there is none, the call goes on and the alert says so:
//! [`ActionTaken::NoRecord`].
//!
//! ```
//! use bartizan_auth::watch::{Day, Hours, Rule, Watch};
//! use bartizan_auth::{AuthLayer, Keys, MemoryStore, Pepper};
//! use secrecy::SecretString;
//!
//! # fn main() -> Result<(), bartizan_auth::ConfigError> {
//! let pepper = Pepper::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05"))?;
//! let keys = Keys::new(MemoryStore::new(), pepper);
//! let office = Hours::new([Day::Monday, Day::Tuesday], "08:00", "20:00", "Asia/Kolkata")?;
//! let watch = Watch::builder(keys.clone())
//!     .rule(Rule::addresses(20).blocks())
//!     .rule(Rule::outside(office).teams(["accounting"]))
//!     .exempt_teams(["load-tests"])
//!     .build()?;
//! let layer = AuthLayer::new(keys).watch(watch.clone());
//! // In a task of its own, to be aborted at the end, before a last `watch.flush().await`:
//! let keep = async move { watch.keep().await };
//! # let _ = (layer, keep);
//! # Ok(())
//! # }
//! ```
//!
//! # What is remembered
//! The addresses of the last hour of the [`capacity`](WatchBuilder::capacity) keys that were used last: of each as many as the widest rule
//! allows and one more, some 150 bytes an address. A key that falls out is asked of the store when it is used again. IPv6 addresses are kept by
//! their /64, in the store too, so that the store's counts are those of the rules.

mod alert;
#[cfg(feature = "geoip")]
mod geoip;
mod hours;
mod judge;
mod keep;
mod memory;
mod payload;
mod place;
mod rule;
mod seen;
mod signature;
mod waiting;
mod webhook;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bartizan_core::{ClientIp, Clock, Principal, SystemClock};
use tokio::sync::Notify;

pub use alert::{ActionTaken, Alert, Alerts, Finding};
#[cfg(feature = "geoip")]
pub use geoip::{GeoIp, GeoIpError};
pub use hours::{Day, Hours};
pub use place::{Country, Nowhere, Place, Places, Point};
pub use rule::Rule;
pub use signature::WebhookKey;
pub use webhook::{Post, Webhook, WebhookBuilder};

use alert::AnyAlerts;
use judge::Judge;
use memory::Memory;
use rule::What;
use seen::{Seen, Use};

use crate::ConfigError;
use crate::keys::Keys;

/// Watches from where keys are used. Clones share what they remember. See the [module's documentation](self).
#[derive(Clone)]
pub struct Watch(Arc<Inner>);

struct Inner {
    keys: Keys,
    judges: Vec<Judge>,
    exempt_keys: BTreeSet<String>,
    exempt_teams: BTreeSet<String>,
    places: Arc<dyn Places>,
    alerts: Option<Arc<dyn AnyAlerts>>,
    retention: Duration,
    clock: Arc<dyn Clock>,
    memory: Memory,
    /// Alerts that are to be told, once what their rules do was done.
    pending: Mutex<VecDeque<Alert>>,
    wake: Notify,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// Its key is being blocked.
    Block,
}

/// Sets up a [`Watch`].
#[must_use]
pub struct WatchBuilder {
    keys: Keys,
    rules: Vec<Rule>,
    exempt_keys: BTreeSet<String>,
    exempt_teams: BTreeSet<String>,
    places: Arc<dyn Places>,
    alerts: Option<Arc<dyn AnyAlerts>>,
    retention: Duration,
    capacity: usize,
    clock: Arc<dyn Clock>,
}

/// The most alerts that wait to be told.
const MOST_PENDING: usize = 1_000;

/// The most rules.
const MOST_RULES: usize = 32;

/// As many addresses of each key are remembered at least.
const LEAST_ADDRESSES: usize = 8;

const DAY: Duration = Duration::from_secs(86_400);

impl Watch {
    /// Sets up a watch over the keys of this service.
    pub fn builder(keys: Keys) -> WatchBuilder {
        WatchBuilder {
            keys,
            rules: Vec::new(),
            exempt_keys: BTreeSet::new(),
            exempt_teams: BTreeSet::new(),
            places: Arc::new(Nowhere),
            alerts: None,
            retention: DAY * 30,
            capacity: 10_000,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Takes in that the caller was admitted, from there, `now`, counted from 1970-01-01 00:00 UTC. Waits for nothing.
    pub fn saw(&self, who: &Principal, from: ClientIp, now: Duration) -> Verdict {
        let inner = &*self.0;
        // Stores keep milliseconds: what comes back from one must not seem earlier than it was.
        let now = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        let address = place::unit(from.0);
        let place = || place::is_public(from.0).then(|| inner.places.place(from.0))?;
        let judged = inner.memory.used(who, address, now, place, |seen, used| {
            if !seen.blocking && !inner.is_exempt(who) {
                for (index, judge) in inner.judges_of(who) {
                    if let Some(finding) = judge.at_use(seen, used, now) {
                        inner.found(seen, index, finding, now);
                    }
                }
            }
            if used == Use::New && seen.begun.is_some() {
                inner.learnt(seen, now);
            }
            seen.blocking
        });
        match judged {
            Some(true) => Verdict::Block,
            _ => Verdict::Pass,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.0.clock.unix()
    }
}

impl Inner {
    fn is_exempt(&self, who: &Principal) -> bool {
        (!self.exempt_keys.is_empty() || !self.exempt_teams.is_empty())
            && rule::names(&self.exempt_keys, &self.exempt_teams, who)
    }

    fn judges_of(&self, who: &Principal) -> impl Iterator<Item = (usize, &Judge)> {
        let judges = self.judges.iter().enumerate();
        judges.filter(move |(_, judge)| judge.rule.is_for(who))
    }

    /// The address used last is one of a country that was used.
    fn learnt(&self, seen: &mut Seen, now: Duration) {
        let Some(at) = seen.at.last_mut() else {
            return;
        };
        at.judged = true;
        if let Some(country) = at.country() {
            seen.remember(country, now);
        }
    }

    /// Something is unusual.
    fn found(&self, seen: &mut Seen, index: usize, finding: Finding, now: Duration) {
        let Some(judge) = self.judges.get(index) else {
            return;
        };
        seen.blocking |= judge.rule.blocks && seen.is_key;
        if let Some(left_out) = judge::tells(seen, index, now) {
            let alert = judge::alert(seen, &judge.rule, finding, now, left_out);
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            if pending.len() < MOST_PENDING {
                pending.push_back(alert);
            } else {
                metrics::counter!("bartizan.auth.watch.dropped_alerts").increment(1);
            }
        }
        self.wake.notify_one();
    }
}

impl WatchBuilder {
    /// Adds a rule. None by default: sightings are kept, and nothing is unusual. At most 32.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Keys, by their `key_id`, that no rule holds for.
    pub fn exempt_keys<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.exempt_keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Teams whose keys no rule holds for.
    pub fn exempt_teams<T: Into<String>>(mut self, teams: impl IntoIterator<Item = T>) -> Self {
        self.exempt_teams.extend(teams.into_iter().map(Into::into));
        self
    }

    /// What knows where addresses are. [`Nowhere`] by default.
    pub fn places(mut self, places: impl Places) -> Self {
        self.places = Arc::new(places);
        self
    }

    /// Where alerts go besides the log and the metric `bartizan.auth.watch.alerts`. Nowhere by default.
    pub fn alerts(mut self, alerts: impl Alerts) -> Self {
        self.alerts = Some(Arc::new(alerts));
        self
    }

    /// How long sightings are kept in the store. 30 days by default, an hour at least.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention.max(seen::HOUR);
        self
    }

    /// Of how many keys is remembered from where they are used. 10,000 by default.
    pub fn capacity(mut self, keys: usize) -> Self {
        self.capacity = keys;
        self
    }

    /// Where the time comes from. The machine's clocks by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Creates the watch.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a rule that can't hold, or too many.
    pub fn build(self) -> Result<Watch, ConfigError> {
        if self.rules.len() > MOST_RULES {
            return Err(ConfigError::Invalid {
                what: "the number of rules",
                mend: "give 32 at most",
            });
        }
        let mut most = LEAST_ADDRESSES;
        for rule in &self.rules {
            rule.check()?;
            if let What::Addresses { most: allowed } = rule.what {
                most = most.max(allowed + 1);
            }
        }
        Ok(Watch(Arc::new(Inner {
            keys: self.keys,
            judges: self.rules.into_iter().map(Judge::new).collect(),
            exempt_keys: self.exempt_keys,
            exempt_teams: self.exempt_teams,
            places: self.places,
            alerts: self.alerts,
            retention: self.retention,
            clock: self.clock,
            memory: Memory::new(self.capacity, most),
            pending: Mutex::default(),
            wake: Notify::new(),
        })))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("rules", &self.0.judges.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WatchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchBuilder")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
