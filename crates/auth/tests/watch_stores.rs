//! The watch over stores that processes share: what each saw adds up, and what one blocks the other refuses.

#![cfg(all(
    feature = "postgres",
    feature = "redis",
    feature = "sqlite",
    feature = "watch"
))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::watch::{
    ActionTaken, Alert, Alerts, Country, Place, Places, Point, Rule, Verdict, Watch,
};
use bartizan_auth::{
    KeyStore, Keys, PostgresChanges, PostgresSettings, PostgresStore, RedisChanges, SightingQuery,
    SqliteStore,
};
use bartizan_core::{ClientIp, Clock, Identity, Principal, SystemClock};
use bartizan_testkit::{PrivatePostgres, PrivateRedis};
use secrecy::SecretString;
use support::inside::mint;
use support::{admin, pepper};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);
/// What is promised.
const SOON: Duration = Duration::from_secs(1);
/// Longer than any test: what is forgotten was forgotten by the feed.
const TTL: Duration = Duration::from_secs(3_600);

const DELHI: &str = "81.1.0.1";
const LONDON: &str = "81.3.0.1";

#[derive(Debug)]
struct Map;

impl Places for Map {
    fn place(&self, address: IpAddr) -> Option<Place> {
        let (country, latitude, longitude) = match address.to_string().as_str() {
            DELHI => ("IN", 28.6139, 77.2090),
            LONDON => ("GB", 51.5074, -0.1278),
            _ => return None,
        };
        let point = Some(Point {
            latitude,
            longitude,
            accuracy: 0.0,
        });
        let country = Country::parse(country);
        Some(Place { country, point })
    }
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Alert>>>);

impl Alerts for Told {
    async fn alert(&self, alert: Alert) {
        self.0.lock().unwrap().push(alert);
    }
}

/// A process: its keys, its watch, and what both do in the background.
struct Process {
    keys: Keys,
    watch: Watch,
    told: Told,
    tasks: [JoinHandle<()>; 2],
}

impl Process {
    fn start(store: impl KeyStore, changes: impl bartizan_auth::Changes) -> Self {
        let keys = Keys::builder(store, pepper())
            .cache_ttl(TTL)
            .store_timeout(Duration::from_secs(10))
            .changes(changes)
            .build();
        let told = Told::default();
        let watch = Watch::builder(keys.clone())
            .rule(Rule::addresses(3).blocks())
            .rule(Rule::travel())
            .places(Map)
            .alerts(told.clone())
            .build()
            .unwrap();
        let (follower, keeper) = (keys.clone(), watch.clone());
        let tasks = [
            tokio::spawn(async move { follower.follow().await }),
            tokio::spawn(async move { keeper.keep().await }),
        ];
        Self {
            keys,
            watch,
            told,
            tasks,
        }
    }

    fn saw(&self, who: &Principal, from: &str) -> Verdict {
        let from = ClientIp(from.parse().unwrap());
        self.watch.saw(who, from, SystemClock::new().unix())
    }

    async fn tells(&self, rule: &str) -> Alert {
        let told = async {
            loop {
                let found = {
                    let mut told = self.told.0.lock().unwrap();
                    let place = told.iter().position(|alert| alert.rule == rule);
                    place.map(|place| told.remove(place))
                };
                match found {
                    Some(alert) => return alert,
                    None => sleep(Duration::from_millis(5)).await,
                }
            }
        };
        timeout(Duration::from_secs(20), told).await.unwrap()
    }

    fn has_told(&self) -> bool {
        !self.told.0.lock().unwrap().is_empty()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Waits until the store has so many rows of the caller.
async fn stored(process: &Process, who: &Principal, rows: usize) {
    let mut query = SightingQuery::since(Duration::ZERO);
    query.key_id = Some(who.key_id().to_owned());
    let written = async {
        while process
            .keys
            .sightings(&admin(), query.clone())
            .await
            .unwrap()
            .len()
            < rows
        {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), written).await.unwrap();
}

/// What two processes on one store promise. Gives how long the other went on with a key that one had blocked.
async fn behave(one: Process, other: Process) -> Duration {
    // Neither saw more than two; together they saw four.
    let key = mint(&one.keys, |_| {}).await;
    let who = one.keys.verify(&key).await.unwrap();
    other.keys.verify(&key).await.unwrap();
    for address in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(one.saw(&who, address), Verdict::Pass);
    }
    stored(&one, &who, 2).await;
    assert_eq!(other.saw(&who, "192.0.2.3"), Verdict::Pass);
    stored(&other, &who, 3).await;
    // What it knows of others is a moment old at most.
    sleep(SOON).await;
    assert!(!one.has_told() && !other.has_told(), "three are allowed");
    assert_eq!(other.saw(&who, "192.0.2.4"), Verdict::Block);
    let refused = Instant::now();
    while one.keys.verify(&key).await.is_ok() {
        assert!(
            refused.elapsed() < Duration::from_secs(20),
            "it still opens"
        );
        sleep(Duration::from_millis(1)).await;
    }
    let took = refused.elapsed();
    assert!(other.keys.verify(&key).await.is_err());
    let alert = other.tells("addresses").await;
    assert_eq!(
        (alert.action, alert.key_id.as_str()),
        (ActionTaken::Blocked, who.key_id())
    );
    assert!(!one.has_told(), "told once, by the one that saw it");

    // A journey of which each saw an end, by a caller without a record.
    let robin = Principal::assume_verified(Identity::new("jwt:9f1c6bd2a07e43f58b3d6e2c914a7f05"));
    assert_eq!(one.saw(&robin, DELHI), Verdict::Pass);
    stored(&one, &robin, 1).await;
    assert_eq!(other.saw(&robin, LONDON), Verdict::Pass);
    let alert = other.tells("travel").await;
    assert_eq!(
        (alert.action, alert.key_id.as_str()),
        (ActionTaken::Alerted, robin.key_id())
    );

    // What a process saw last is stored when it ends.
    one.tasks.iter().for_each(JoinHandle::abort);
    let late = Principal::assume_verified(Identity::new("jwt:late"));
    assert_eq!(one.saw(&late, "192.0.2.9"), Verdict::Pass);
    one.watch.flush().await;
    stored(&other, &late, 1).await;

    let since = SystemClock::new().unix() - MINUTE * 60;
    let spread = other.keys.spread(&admin(), since, 2).await.unwrap();
    let spread: Vec<_> = spread
        .iter()
        .map(|spread| (spread.key_id.as_str(), spread.addresses))
        .collect();
    assert_eq!(spread, [(who.key_id(), 4), (robin.key_id(), 2)]);
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_postgres_add_up_what_they_saw_and_refuse_what_one_blocked() {
    let server = PrivatePostgres::start().unwrap();
    let settings = || PostgresSettings::from_url(SecretString::from(server.url())).unwrap();
    let process = async || {
        let store = PostgresStore::connect(settings()).await.unwrap();
        Process::start(store, PostgresChanges::new(settings()))
    };
    let took = behave(process().await, process().await).await;
    eprintln!("PostgreSQL: the other process refused it after {took:?}");
    assert!(took <= SOON, "{took:?}");
}

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_sqlite_add_up_what_they_saw_and_refuse_what_one_blocked() {
    let redis = PrivateRedis::start().unwrap();
    let folder =
        Folder(std::env::temp_dir().join(format!("bartizan-watch-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let process = || {
        let changes = RedisChanges::from_url(SecretString::from(redis.url()), "watch").unwrap();
        Process::start(
            SqliteStore::open(folder.0.join("keys.db")).unwrap(),
            changes,
        )
    };
    let took = behave(process(), process()).await;
    eprintln!("SQLite and Redis: the other process refused it after {took:?}");
    assert!(took <= SOON, "{took:?}");
}
