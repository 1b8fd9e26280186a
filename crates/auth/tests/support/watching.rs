//! A watch over keys and a map of places, at a clock that stands still.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::watch::{
    Alert, Alerts, Country, Place, Places, Point, Rule, Verdict, Watch, WatchBuilder,
};
use bartizan_auth::{Keys, MemoryStore};
use bartizan_core::{ClientIp, Clock, ManualClock, Principal};

use crate::support::inside::mint;
use crate::support::{clock, keys};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Alert>>>);

impl Told {
    pub(crate) fn take(&self) -> Vec<Alert> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Alerts for Told {
    async fn alert(&self, alert: Alert) {
        self.0.lock().unwrap().push(alert);
    }
}

/// `81.x.…` is in country and at a point by its second number.
#[derive(Debug)]
pub(crate) struct Map;

pub(crate) const DELHI: &str = "81.1.0.1";
pub(crate) const MUMBAI: &str = "81.2.0.1";
pub(crate) const LONDON: &str = "81.3.0.1";
/// As far off as it is from Delhi to Mumbai.
pub(crate) const VAGUE: &str = "81.4.0.1";

impl Places for Map {
    fn place(&self, address: IpAddr) -> Option<Place> {
        let IpAddr::V4(address) = address else {
            return None;
        };
        let (country, latitude, longitude, accuracy) = match address.octets() {
            [81, 1, ..] => ("IN", 28.6139, 77.2090, 0.0),
            [81, 2, ..] => ("IN", 19.0760, 72.8777, 0.0),
            [81, 3, ..] => ("GB", 51.5074, -0.1278, 0.0),
            [81, 4, ..] => ("IN", 19.0760, 72.8777, 1_200.0),
            _ => return None,
        };
        Some(Place {
            country: Country::parse(country),
            point: Some(Point {
                latitude,
                longitude,
                accuracy,
            }),
        })
    }
}

pub(crate) struct Setting {
    pub(crate) clock: ManualClock,
    pub(crate) keys: Keys,
    pub(crate) told: Told,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self::over(MemoryStore::new(), clock())
    }

    pub(crate) fn over(store: impl bartizan_auth::KeyStore, clock: ManualClock) -> Self {
        Self {
            keys: keys(store, &clock),
            clock,
            told: Told::default(),
        }
    }

    pub(crate) fn watch(&self, rules: impl IntoIterator<Item = Rule>) -> Watch {
        self.builder(rules).build().unwrap()
    }

    pub(crate) fn builder(&self, rules: impl IntoIterator<Item = Rule>) -> WatchBuilder {
        let builder = Watch::builder(self.keys.clone())
            .clock(self.clock.clone())
            .places(Map)
            .alerts(self.told.clone());
        rules.into_iter().fold(builder, WatchBuilder::rule)
    }

    pub(crate) async fn principal(&self) -> Principal {
        let key = mint(&self.keys, |request| {
            request.team_id = Some("search".to_owned());
        })
        .await;
        self.keys.verify(&key).await.unwrap()
    }

    pub(crate) fn saw(&self, watch: &Watch, who: &Principal, from: &str) -> Verdict {
        watch.saw(who, ClientIp(from.parse().unwrap()), self.clock.unix())
    }

    pub(crate) async fn rules_told(&self, watch: &Watch) -> Vec<&'static str> {
        watch.flush().await;
        self.told.take().iter().map(|alert| alert.rule).collect()
    }
}
